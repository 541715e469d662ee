//! What is measured, how often, and what it is held against.

use std::collections::BTreeMap;

use super::{Budget, Counter, Measure};

/// The margin of everything but memory: a twentieth.
const MARGIN: f64 = 0.05;
/// The margin of memory: a tenth.
const MARGIN_MEMORY: f64 = 0.10;
/// The level when nothing else is said.
const ALPHA: f64 = 0.05;
/// The first look is after so many turns, when nothing else is said.
const TURNS: u64 = 10;
/// The last look is after so many: enough for the 95th of a hundred runs at the usual level.
const TURNS_MAX: u64 = 80;
/// More turns than this nobody waits for, and the statistics do not take.
const TURNS_MOST: u64 = 2_000;
/// Runs of each side that are not counted.
const WARM_UPS: u64 = 1;

/// A rule as it is asked for; what is `None` is as usual.
#[derive(Debug, Clone, Default)]
pub struct Draft {
    /// The level: a wrong decision about one measure is no more likely than this.
    pub alpha: Option<f64>,
    /// The margin of what has none of its own, memory apart.
    pub margin: Option<f64>,
    /// Margins by the name of the measure.
    pub margins: Vec<(String, f64)>,
    /// The measures that decide, by name; none: time, memory and every counter.
    pub measures: Vec<String>,
    /// Turns until the first look.
    pub turns: Option<u64>,
    /// Turns until the last look.
    pub turns_max: Option<u64>,
    /// Runs of each side before the first turn.
    pub warm_ups: Option<u64>,
    /// Names and patterns of counters.
    pub counters: Vec<(String, String)>,
    /// Budgets.
    pub budgets: Vec<String>,
    /// What coins and bootstrap follow from.
    pub seed: Option<u64>,
}

/// A part of a rule that cannot be followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleError {
    /// The key of the plan.
    pub key: &'static str,
    /// What is wrong.
    pub what: String,
    /// The next move.
    pub help: &'static str,
}

/// What is measured, how often, and what it is held against.
#[derive(Debug, Clone, PartialEq)]
pub struct PerformanceRule {
    /// The level.
    pub alpha: f64,
    /// What coins and bootstrap follow from.
    pub seed: u64,
    /// Runs of each side that are not counted.
    pub warm_ups: u64,
    /// Turns until the first look.
    pub turns: usize,
    /// Turns until the last look.
    pub turns_max: usize,
    /// The measures that decide, each with its margin.
    pub margins: BTreeMap<Measure, f64>,
    /// Whether these measures were asked for by name, so that one that cannot be measured is *could not tell*.
    pub is_asked: bool,
    /// Numbers in the output.
    pub counters: Vec<Counter>,
    /// What NEW may take at most.
    pub budgets: Vec<Budget>,
}

impl PerformanceRule {
    /// The rule that is asked for.
    ///
    /// # Errors
    ///
    /// Everything in it that cannot be followed.
    pub fn new(draft: &Draft) -> Result<Self, Vec<RuleError>> {
        let mut errors = Vec::new();
        let mut wrong = |key, what: String, help| errors.push(RuleError { key, what, help });
        let alpha = draft.alpha.unwrap_or(ALPHA);
        if !(alpha > 0.0 && alpha < 0.5) {
            wrong(
                "alpha",
                format!("the level must be above 0 and below 0.5, and is {alpha}"),
                "0.05 is usual",
            );
        }
        for margin in draft.margin.iter().chain(draft.margins.iter().map(|(_, margin)| margin)) {
            if !(margin.is_finite() && *margin >= 0.0) {
                let what = format!("a margin must be a number, 0 or more, and is {margin}");
                wrong("margin", what, "0.05 allows a twentieth more");
            }
        }
        let counters = counters(draft, &mut wrong);
        let names: Vec<&str> = counters.iter().map(|counter| counter.name.as_str()).collect();
        let budgets = draft.budgets.iter().filter_map(|text| {
            Budget::parse(text, &names)
                .map_err(|what| wrong("budgets", what, "e.g. `time p95 < 200 ms`, `memory < 2 GB`"))
                .ok()
        });
        let budgets = budgets.collect();
        let margins = margins(draft, &names, &mut wrong);
        let (turns, turns_max) = turns(draft, &mut wrong);
        let rule = Self {
            alpha,
            seed: draft.seed.unwrap_or(0),
            warm_ups: draft.warm_ups.unwrap_or(WARM_UPS),
            turns,
            turns_max,
            margins,
            is_asked: !draft.measures.is_empty(),
            counters,
            budgets,
        };
        if errors.is_empty() { Ok(rule) } else { Err(errors) }
    }

    /// The measures that are taken: the common ones, then the counters in their order.
    pub fn measures(&self) -> Vec<Measure> {
        let counters = self.counters.iter().map(|counter| Measure::Counter(counter.name.clone()));
        super::measure::COMMON.into_iter().chain(counters).collect()
    }
}

fn counters(draft: &Draft, wrong: &mut impl FnMut(&'static str, String, &'static str)) -> Vec<Counter> {
    let mut counters: Vec<Counter> = Vec::new();
    for (name, pattern) in &draft.counters {
        let is_taken = Measure::named(name, counters.iter().map(|counter| counter.name.as_str())).is_some();
        match Counter::new(name, pattern) {
            Ok(_) if is_taken => {
                wrong(
                    "counters",
                    format!("there is a measure `{name}` already"),
                    "give it a name of its own",
                );
            }
            Ok(counter) => counters.push(counter),
            Err(what) => wrong("counters", what, r"e.g. `queries` with `queries: (\d+)`"),
        }
    }
    counters
}

fn margins(
    draft: &Draft,
    counters: &[&str],
    wrong: &mut impl FnMut(&'static str, String, &'static str),
) -> BTreeMap<Measure, f64> {
    let mut unknown = |key, name: &str| {
        let what = format!("there is no measure `{name}`");
        wrong(key, what, "there are `time`, `cpu`, `memory`, `read`, `written`, and the counters");
    };
    let usual = [Measure::Time, Measure::Memory];
    let judged: Vec<Measure> = if draft.measures.is_empty() {
        let counters = counters.iter().map(|name| Measure::Counter((*name).to_owned()));
        usual.into_iter().chain(counters).collect()
    } else {
        let found = draft.measures.iter().filter_map(|name| {
            let found = Measure::named(name, counters.iter().copied());
            if found.is_none() {
                unknown("measures", name);
            }
            found
        });
        found.collect()
    };
    let mut margins: BTreeMap<Measure, f64> = judged
        .into_iter()
        .map(|measure| {
            let usual =
                if measure == Measure::Memory { MARGIN_MEMORY } else { draft.margin.unwrap_or(MARGIN) };
            (measure, usual)
        })
        .collect();
    for (name, margin) in &draft.margins {
        match Measure::named(name, counters.iter().copied()) {
            // A margin of its own says that it is to decide.
            Some(measure) => {
                margins.insert(measure, *margin);
            }
            None => unknown("margins", name),
        }
    }
    margins
}

fn turns(draft: &Draft, wrong: &mut impl FnMut(&'static str, String, &'static str)) -> (usize, usize) {
    let turns = draft.turns.unwrap_or_else(|| TURNS.min(draft.turns_max.unwrap_or(TURNS)));
    let turns_max = draft.turns_max.unwrap_or_else(|| TURNS_MAX.max(turns));
    if !(1..=TURNS_MOST).contains(&turns) {
        let what = format!("the number of turns must be between 1 and 2,000, and is {turns}");
        wrong("turns", what, "10 is usual");
    } else if !(turns..=TURNS_MOST).contains(&turns_max) {
        let what = format!(
            "the most turns must be between the {turns} of the first look and 2,000, and are {turns_max}"
        );
        wrong("turns_max", what, "80 is usual");
    }
    let size = |turns: u64| usize::try_from(turns.min(TURNS_MOST)).unwrap_or(1);
    (size(turns), size(turns_max))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_is_as_usual() {
        let counters = vec![("queries".to_owned(), "x".to_owned())];
        let rule = PerformanceRule::new(&Draft { counters, ..Draft::default() }).unwrap();
        let margin = |measure: &Measure| rule.margins.get(measure).copied();
        assert_eq!(margin(&Measure::Time), Some(0.05));
        assert_eq!(margin(&Measure::Memory), Some(0.10));
        assert_eq!(margin(&Measure::Counter("queries".to_owned())), Some(0.05));
        assert_eq!(margin(&Measure::Cpu), None);
        assert_eq!((rule.turns, rule.turns_max, rule.warm_ups), (10, 80, 1));
        assert!(!rule.is_asked);
    }

    #[test]
    fn margins_have_an_order() {
        let margins = vec![("memory".to_owned(), 0.2), ("read".to_owned(), 0.0)];
        let measures = vec!["cpu".to_owned(), "memory".to_owned()];
        let draft = Draft { margin: Some(0.01), margins, measures, ..Draft::default() };
        let rule = PerformanceRule::new(&draft).unwrap();
        let wanted = [(Measure::Cpu, 0.01), (Measure::Memory, 0.2), (Measure::Read, 0.0)];
        assert_eq!(rule.margins, wanted.into());
        assert!(rule.is_asked);
    }

    #[test]
    fn everything_that_is_wrong_is_told_at_once() {
        let draft = Draft {
            alpha: Some(0.5),
            margin: Some(f64::NAN),
            margins: vec![("rows".to_owned(), 0.1)],
            measures: vec!["speed".to_owned()],
            turns: Some(0),
            counters: vec![("time".to_owned(), "x".to_owned()), ("q".to_owned(), "(".to_owned())],
            budgets: vec!["< 3".to_owned()],
            ..Draft::default()
        };
        let errors = PerformanceRule::new(&draft).unwrap_err();
        let keys: Vec<&str> = errors.iter().map(|error| error.key).collect();
        let wanted = ["alpha", "margin", "counters", "counters", "budgets", "measures", "margins", "turns"];
        assert_eq!(keys, wanted);
        let draft = Draft { turns: Some(20), turns_max: Some(10), ..Draft::default() };
        assert_eq!(PerformanceRule::new(&draft).unwrap_err()[0].key, "turns_max");
        let short = PerformanceRule::new(&Draft { turns_max: Some(4), ..Draft::default() }).unwrap();
        assert_eq!((short.turns, short.turns_max), (4, 4));
    }
}
