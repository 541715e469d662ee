//! What became of the records of one file, in numbers and in words.

use std::path::Path;

use serde_json::{Value, json};

use crate::quantity::counted;
use crate::verdict::Verdict;

/// So many records of a kind are named in a line.
pub(super) const NAMED_MAX: usize = 5;

/// What may have become of records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Allowed {
    /// Nothing.
    Same,
    /// Others may have come.
    More,
    /// Whatever leaves them readable and not fewer.
    Any,
}

impl Allowed {
    /// The word for it in the plan.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::More => "more",
            Self::Any => "any",
        }
    }
}

/// Some of the records of a file: how many, and the names of the first ones.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) count: u64,
    pub(super) named: Vec<String>,
}

impl Part {
    fn add(&mut self, other: Self) {
        self.count += other.count;
        self.named.extend(other.named);
        self.named.truncate(NAMED_MAX);
    }

    /// `id = 2; id = 7 and 3 more`, in brackets; nothing where no record has a name.
    fn names(&self) -> String {
        if self.named.is_empty() {
            return String::new();
        }
        let more = self.count.saturating_sub(self.named.len() as u64);
        let more = if more == 0 { String::new() } else { format!(" and {more} more") };
        format!(" ({}{more})", self.named.join("; "))
    }
}

/// What became of the records of one file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Counts {
    /// How many there were.
    pub(super) before: u64,
    /// How many there are.
    pub(super) now: u64,
    pub(super) missing: Part,
    pub(super) changed: Part,
    pub(super) added: Part,
    /// What is different beside records, and takes something of them away or changes them all: columns, types, lists.
    pub(super) altered: Vec<String>,
    /// What has come beside records: tables.
    pub(super) grown: Vec<String>,
}

impl Counts {
    /// Only how many there were and are.
    pub(super) fn of(before: u64, now: u64) -> Self {
        Self { before, now, ..Self::default() }
    }

    /// With those of another table of the same file.
    pub(super) fn add(&mut self, other: Self) {
        self.before += other.before;
        self.now += other.now;
        self.missing.add(other.missing);
        self.changed.add(other.changed);
        self.added.add(other.added);
        self.altered.extend(other.altered);
        self.grown.extend(other.grown);
    }

    /// Whether this is allowed.
    pub(super) fn is_allowed(&self, allowed: Allowed) -> bool {
        let is_kept = self.missing.count == 0 && self.changed.count == 0 && self.altered.is_empty();
        match allowed {
            Allowed::Same => is_kept && self.added.count == 0 && self.grown.is_empty(),
            Allowed::More => is_kept,
            Allowed::Any => self.now >= self.before,
        }
    }

    /// In a line: `1 of 3 records missing (id = 2), 1 added`.
    pub(super) fn told(&self) -> String {
        let mut parts = Vec::new();
        if self.missing.count > 0 {
            let of = counted(self.before, "record");
            parts.push(format!("{} of {of} missing{}", self.missing.count, self.missing.names()));
        }
        for (part, what) in [(&self.changed, "changed"), (&self.added, "added")] {
            if part.count > 0 {
                let noun =
                    if parts.is_empty() { counted(part.count, "record") } else { part.count.to_string() };
                parts.push(format!("{noun} {what}{}", part.names()));
            }
        }
        let beside = self.altered.iter().chain(&self.grown);
        parts.extend(beside.take(NAMED_MAX).cloned());
        match (parts.is_empty(), self.before, self.now) {
            (false, ..) => parts.join(", "),
            (true, before, now) if before == now => {
                format!("{} as before, in other bytes", counted(now, "record"))
            }
            (true, before, now) => format!("{}, it had {before}", counted(now, "record")),
        }
    }
}

/// What became of one file that is not the same byte by byte.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Outcome {
    pub(super) verdict: Verdict,
    /// In a few words.
    pub(super) told: String,
    /// Numbers, by name: a row of the evidence.
    facts: Vec<(&'static str, u64)>,
    /// Items of the document `switchback/compare/1`, where a comparison was made.
    pub(super) items: Vec<Value>,
}

impl Outcome {
    pub(super) fn new(verdict: Verdict, told: impl Into<String>) -> Self {
        Self { verdict, told: told.into(), facts: Vec::new(), items: Vec::new() }
    }

    pub(super) fn yes(told: impl Into<String>) -> Self {
        Self::new(Verdict::Yes, told)
    }

    pub(super) fn no(told: impl Into<String>) -> Self {
        Self::new(Verdict::No, told)
    }

    pub(super) fn unknown(why: impl Into<String>) -> Self {
        Self::new(Verdict::Unknown, why)
    }

    /// What became of the records decides.
    pub(super) fn of(counts: &Counts, allowed: Allowed) -> Self {
        let verdict = if counts.is_allowed(allowed) { Verdict::Yes } else { Verdict::No };
        let mut outcome = Self::new(verdict, counts.told()).counted(Some(counts.before), Some(counts.now));
        if allowed != Allowed::Any || verdict == Verdict::No {
            let parts =
                [("missing", &counts.missing), ("changed", &counts.changed), ("added", &counts.added)];
            outcome.facts.extend(parts.map(|(name, part)| (name, part.count)));
        }
        outcome
    }

    /// With its sizes in bytes.
    #[must_use]
    pub(super) fn sized(mut self, before: Option<u64>, now: Option<u64>) -> Self {
        self.facts.extend(before.map(|bytes| ("bytes_before", bytes)));
        self.facts.extend(now.map(|bytes| ("bytes_now", bytes)));
        self
    }

    /// With its numbers of records.
    #[must_use]
    pub(super) fn counted(mut self, before: Option<u64>, now: Option<u64>) -> Self {
        self.facts.extend(before.map(|records| ("records_before", records)));
        self.facts.extend(now.map(|records| ("records_now", records)));
        self
    }

    /// As it stands in the evidence.
    pub(super) fn to_json(&self, path: &Path) -> Value {
        let mut row = json!({
            "path": path.display().to_string(),
            "verdict": self.verdict.word(),
            "told": self.told,
        });
        for (name, number) in &self.facts {
            row[*name] = json!(number);
        }
        row
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(count: u64, names: &[&str]) -> Part {
        Part { count, named: names.iter().map(|&name| name.to_owned()).collect() }
    }

    #[test]
    fn what_is_allowed_depends_on_the_word_of_the_plan() {
        let check = |counts: &Counts, expected: [bool; 3]| {
            let allowed = [Allowed::Same, Allowed::More, Allowed::Any];
            assert_eq!(allowed.map(|allowed| counts.is_allowed(allowed)), expected, "{counts:?}");
        };
        let base = Counts::of(3, 3);
        check(&base, [true, true, true]);
        check(&Counts { now: 4, added: part(1, &[]), ..base.clone() }, [false, true, true]);
        check(&Counts { changed: part(1, &[]), ..base.clone() }, [false, false, true]);
        check(&Counts { missing: part(1, &[]), added: part(1, &[]), ..base.clone() }, [false, false, true]);
        check(&Counts { now: 2, missing: part(1, &[]), ..base.clone() }, [false; 3]);
        check(&Counts { altered: vec!["column `a` is gone".into()], ..base.clone() }, [false, false, true]);
        check(&Counts { grown: vec!["table `t` is new".into()], ..base }, [false, true, true]);
    }

    #[test]
    fn a_few_are_named_and_all_are_counted() {
        let mut counts = Counts::of(9, 4);
        counts.missing = part(7, &["id = 2", "id = 3"]);
        counts.added = part(2, &[]);
        assert_eq!(counts.told(), "7 of 9 records missing (id = 2; id = 3 and 5 more), 2 added");
        assert_eq!(Counts::of(1, 1).told(), "1 record as before, in other bytes");
        assert_eq!(Counts::of(1, 3).told(), "3 records, it had 1");
    }
}
