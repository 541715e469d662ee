//! What all readers of plain output share: lines without colour codes, and a list of tests with its tally.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::{Counts, TestOutcome};

/// The lines of `text` without terminal sequences and carriage returns.
pub(super) fn lines(text: &str) -> Vec<String> {
    text.lines().map(without_colour).collect()
}

fn without_colour(line: &str) -> String {
    let line = line.trim_end_matches('\r');
    if !line.contains('\u{1b}') {
        return line.to_owned();
    }
    let mut kept = String::with_capacity(line.len());
    let mut chars = line.chars();
    while let Some(char) = chars.next() {
        if char == '\u{1b}' {
            skip_sequence(&mut chars);
        } else {
            kept.push(char);
        }
    }
    kept
}

/// Skips the rest of a terminal sequence after its escape (ECMA-48, section 5.4; character sets as in ECMA-35).
fn skip_sequence(chars: &mut std::str::Chars<'_>) {
    match chars.next() {
        Some('[') => {
            chars.find(|char| ('@'..='~').contains(char));
        }
        Some(']') => {
            chars.find(|char| matches!(char, '\u{7}' | '\u{9c}'));
        }
        Some('(' | ')') => {
            chars.next();
        }
        _ => {}
    }
}

/// Tests as they are listed: each with its worst outcome, and how often each outcome was listed.
#[derive(Debug, Default)]
pub(super) struct Listing {
    pub(super) outcomes: BTreeMap<String, TestOutcome>,
    tally: Vec<TestOutcome>,
}

impl Listing {
    pub(super) fn note(&mut self, name: &str, outcome: TestOutcome) {
        self.tally.push(outcome);
        self.mark(name, outcome);
    }

    /// Notes an outcome that is no listing of its own.
    pub(super) fn mark(&mut self, name: &str, outcome: TestOutcome) {
        self.outcomes.entry(name.to_owned()).and_modify(|old| *old = old.worse(outcome)).or_insert(outcome);
    }

    pub(super) fn counts(&self) -> Counts {
        Counts::of(self.tally.iter().copied())
    }
}

/// Adds a test under a name that is still free: `name`, `name#2`, `name#3` …
pub(super) fn insert_distinct(
    outcomes: &mut BTreeMap<String, TestOutcome>,
    seen: &mut BTreeMap<String, u64>,
    name: &str,
    outcome: TestOutcome,
) {
    let count = seen.entry(name.to_owned()).or_insert(0);
    loop {
        *count += 1;
        let free = if *count == 1 { name.to_owned() } else { format!("{name}#{count}") };
        if let Entry::Vacant(entry) = outcomes.entry(free) {
            entry.insert(outcome);
            return;
        }
    }
}

/// The counts as a runner would say them, the zeros left out.
pub(super) fn describe(counts: Counts) -> String {
    let words = [
        (counts.passed, "passed"),
        (counts.failed, "failed"),
        (counts.errors, "errors"),
        (counts.skipped, "skipped"),
        (counts.xfailed, "xfailed"),
        (counts.xpassed, "xpassed"),
    ];
    let said: Vec<String> =
        words.iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}")).collect();
    if said.is_empty() { "no test".to_owned() } else { said.join(", ") }
}
