//! Budgets: what a program may take at most, as people write it: `< 3 s`, `p95 < 200 ms`, `memory < 2 GB`.

use std::sync::LazyLock;

use regex::Regex;

use super::Measure;
use crate::quantity::{bytes, duration_ns};

/// What a program may take.
#[derive(Debug, Clone, PartialEq)]
pub struct Budget {
    /// As it was written.
    pub text: String,
    /// Of what.
    pub measure: Measure,
    /// Of which of the runs.
    pub of: Of,
    /// It stays below this: seconds, bytes, or a count.
    pub limit: f64,
}

/// Which of the runs a budget is about.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Of {
    /// The value below which this share of all runs lies: 0.5 is the median.
    Share(f64),
    /// Every run that was seen.
    Every,
}

impl Of {
    /// In words: `median`, `p95`, `most`.
    pub fn words(self) -> String {
        match self {
            Self::Every => "most".to_owned(),
            Self::Share(share) if (share - 0.5).abs() < 1e-9 => "median".to_owned(),
            Self::Share(share) => format!("p{:.0}", share * 100.0),
        }
    }

    fn read(word: &str) -> Option<Self> {
        match word {
            "median" => Some(Self::Share(0.5)),
            "max" | "most" => Some(Self::Every),
            _ => {
                let percent: u32 = word.strip_prefix('p')?.parse().ok()?;
                (1..=99).contains(&percent).then(|| Self::Share(f64::from(percent) / 100.0))
            }
        }
    }
}

static FORM: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"^(?<words>[A-Za-z][\w-]*(?:\s+[A-Za-z][\w-]*)?)?\s*<\s*(?<amount>\d[\d.]*\s*[A-Za-zµ]*?)(?:\s+(?<of>median|max|most|p\d+))?$").ok()
});

impl Budget {
    /// Reads `[MEASURE] [median|max|pNN] < AMOUNT [median|max|pNN]`. Without a measure, an amount of time is about the time and one
    /// of bytes about the memory; of memory the most of all runs counts, of everything else the median.
    ///
    /// # Errors
    ///
    /// Why it is none.
    pub fn parse(text: &str, counters: &[&str]) -> Result<Self, String> {
        let wrong = |why: &str| format!("`{text}` is no budget: {why}");
        let form = FORM.as_ref().and_then(|form| form.captures(text.trim()));
        let form =
            form.ok_or_else(|| wrong("write it as `time < 3 s`, `time p95 < 200 ms` or `memory < 2 GB`"))?;
        let (mut measure, mut of) = (None, form.name("of").and_then(|of| Of::read(of.as_str())));
        for word in form.name("words").map_or("", |words| words.as_str()).split_whitespace() {
            match Measure::named(word, counters.iter().copied()) {
                Some(found) if measure.is_none() => measure = Some(found),
                _ => match Of::read(word) {
                    Some(found) if of.is_none() => of = Some(found),
                    _ => return Err(wrong(&format!("`{word}` is no measure"))),
                },
            }
        }
        let (measure, limit) = limit_of(measure, &form["amount"]).map_err(|why| wrong(&why))?;
        let usual = if measure == Measure::Memory { Of::Every } else { Of::Share(0.5) };
        Ok(Self { text: text.trim().to_owned(), of: of.unwrap_or(usual), measure, limit })
    }
}

/// The measure, and its limit, that an amount is about.
#[expect(clippy::cast_precision_loss, reason = "a limit that a person writes is exact enough as a float")]
fn limit_of(measure: Option<Measure>, amount: &str) -> Result<(Measure, f64), String> {
    let has_unit = amount.ends_with(char::is_alphabetic);
    let seconds = || duration_ns(amount).filter(|_| has_unit).map(|nanoseconds| nanoseconds as f64 / 1e9);
    let size = || bytes(amount).filter(|_| has_unit).map(|size| size as f64);
    let Some(measure) = measure else {
        // An `m` without a measure is a minute.
        let found = seconds().map(|limit| (Measure::Time, limit));
        let found = found.or_else(|| size().map(|limit| (Measure::Memory, limit)));
        return found.ok_or_else(|| {
            if has_unit {
                format!("`{amount}` is neither a time nor a size")
            } else {
                "a number without a unit needs the name of a counter before it".to_owned()
            }
        });
    };
    let (limit, needs) = match measure.unit() {
        "s" => (seconds(), "a time such as `200 ms`"),
        "bytes" => (size(), "a size such as `2 GB`"),
        _ => (amount.parse().ok(), "a number without a unit"),
    };
    match limit {
        Some(limit) => Ok((measure, limit)),
        None => Err(format!("`{}` needs {needs}", measure.name())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn budgets_are_read_as_people_write_them() {
        let queries = || Measure::Counter("queries".to_owned());
        for (text, measure, of, limit) in [
            ("< 3 s", Measure::Time, Of::Share(0.5), 3.0),
            ("<3s", Measure::Time, Of::Share(0.5), 3.0),
            ("< 200 ms p95", Measure::Time, Of::Share(0.95), 0.2),
            ("p95 < 200 ms", Measure::Time, Of::Share(0.95), 0.2),
            ("time p99 < 1.5 s", Measure::Time, Of::Share(0.99), 1.5),
            ("< 2 GB", Measure::Memory, Of::Every, 2e9),
            ("memory median < 2 GiB", Measure::Memory, Of::Share(0.5), 2_147_483_648.0),
            ("memory < 2 m", Measure::Memory, Of::Every, 2_097_152.0),
            ("cpu max < 2 m", Measure::Cpu, Of::Every, 120.0),
            ("written < 10 MB", Measure::Written, Of::Share(0.5), 1e7),
            ("queries < 200", queries(), Of::Share(0.5), 200.0),
        ] {
            let budget = Budget::parse(text, &["queries"]).unwrap();
            assert_eq!((budget.measure, budget.of), (measure, of), "{text}");
            assert!((budget.limit / limit - 1.0).abs() < 1e-12, "{text}: {}", budget.limit);
        }
    }

    #[test]
    fn what_is_no_budget_says_why() {
        for (text, why) in [
            ("3 s", "write it as"),
            ("< fast", "write it as"),
            ("< 200", "needs the name of a counter"),
            ("rows < 200", "`rows` is no measure"),
            ("memory < 3 s", "`memory` needs a size"),
            ("time < 2 GB", "`time` needs a time"),
            ("queries < 2 s", "`queries` needs a number"),
            ("p0 < 2 s", "`p0` is no measure"),
            ("time < 2 weeks", "`time` needs a time"),
            ("< 2 weeks", "neither a time nor a size"),
            ("time p95 p99 < 2 s", "write it as"),
        ] {
            let said = Budget::parse(text, &["queries"]).unwrap_err();
            assert!(said.contains(why), "{text}: {said}");
        }
    }
}
