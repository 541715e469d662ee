//! What became worse between two runs of the same tests.

use super::{NamesKnown, TestOutcome, TestRun};
use crate::verdict::Verdict;

/// The tests that passed before and do not now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Regressions {
    /// Passed before, failed or ended in an error now; in the order of their names.
    pub failed: Vec<String>,
    /// Passed before, not in the new run; in the order of their names. Filled only when the new run names all its
    /// tests.
    pub missing: Vec<String>,
    /// Passed before, skipped or expected to fail now; in the order of their names. They speak neither for nor
    /// against the change, but nobody looks any more at what they looked at.
    pub skipped: Vec<String>,
    /// Why the lists may be short of something, when they may. `failed` and `missing` hold only what is certain.
    pub why_not: Option<String>,
}

impl Regressions {
    /// Whether the lists are known to be complete.
    pub fn decidable(&self) -> bool {
        self.why_not.is_none()
    }

    /// Whether every test that passed before passes now, or is skipped: *no* when one certainly does not.
    pub fn verdict(&self) -> Verdict {
        if !self.failed.is_empty() || !self.missing.is_empty() {
            Verdict::No
        } else if self.decidable() {
            Verdict::Yes
        } else {
            Verdict::Unknown
        }
    }
}

/// Compares a run `before` a change with the run `after` it, test by test.
pub fn regressions(before: &TestRun, after: &TestRun) -> Regressions {
    let mut found = Regressions { why_not: why_not(before, after), ..Regressions::default() };
    let passed = before.outcomes.iter().filter(|(_, outcome)| outcome.is_good()).map(|(name, _)| name);
    let mut absent = Vec::new();
    for name in passed {
        match after.outcomes.get(name) {
            Some(TestOutcome::Failed | TestOutcome::Error) => found.failed.push(name.clone()),
            Some(TestOutcome::Skipped | TestOutcome::XFailed) => found.skipped.push(name.clone()),
            Some(TestOutcome::Passed | TestOutcome::XPassed) => {}
            None => absent.push(name.clone()),
        }
    }
    match after.names {
        _ if after.stopped.is_some() => {}
        NamesKnown::All => found.missing = absent,
        NamesKnown::AllButSkipped if after.counts.skipped == 0 => found.missing = absent,
        NamesKnown::AllButSkipped if !absent.is_empty() => {
            found.why_not.get_or_insert_with(|| {
                let count = absent.len();
                format!("{count} tests that passed before are gone or skipped, and the new run does not name the tests that it skipped")
            });
        }
        NamesKnown::AllButSkipped | NamesKnown::FailedOnly | NamesKnown::None => {}
    }
    found
}

fn why_not(before: &TestRun, after: &TestRun) -> Option<String> {
    if matches!(before.names, NamesKnown::FailedOnly | NamesKnown::None) {
        return Some("the run before does not name the tests that passed".to_owned());
    }
    if before.counts.passed.saturating_add(before.counts.xpassed) == 0 {
        return Some("no test passed in the run before".to_owned());
    }
    if let Some(reason) = &after.stopped {
        return Some(format!("the new run was cut short: {reason}"));
    }
    match after.names {
        NamesKnown::All | NamesKnown::AllButSkipped => None,
        NamesKnown::FailedOnly => Some("the new run names only the tests that failed".to_owned()),
        NamesKnown::None => Some("the new run does not name its tests".to_owned()),
    }
}
