//! What can keep a test report from being read, and the bounds on what is read.

use std::collections::BTreeMap;

use super::{Runner, TestOutcome};

/// The largest report that is read, in bytes.
pub(super) const INPUT_BYTES_MAX: usize = 256 << 20;
/// The most tests that one report may hold.
const TESTS_MAX: usize = 1_000_000;
/// The longest name of a test, in bytes.
const NAME_BYTES_MAX: usize = 16 << 10;

/// Why a test report was not read. In each case nothing is known about the tests: *could not tell*.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ResultsError {
    /// The report is larger than what is read.
    #[error("the report has {found} {what}; at most {max} are read")]
    TooMuch {
        /// What there is too much of: `bytes`, `tests`, `bytes in one name`, `levels of elements`.
        what: &'static str,
        /// How much there is.
        found: u64,
        /// The bound.
        max: u64,
    },
    /// It is not well-formed XML, ends too early, or uses what is not read (a document type, unknown entities).
    #[error("line {line}, byte {offset}: {reason}")]
    Xml {
        /// Line, counted from 1.
        line: u64,
        /// Byte offset, counted from 0.
        offset: u64,
        /// What is wrong there.
        reason: String,
    },
    /// It is no `run_results.json` of dbt that can be read.
    #[error("it is not dbt's `run_results.json`: {reason}")]
    Dbt {
        /// What is wrong with it.
        reason: String,
    },
    /// A line of plain output cannot be what the runner wrote.
    #[error("{} output, line {line}: {reason}", .runner.word())]
    Line {
        /// The runner.
        runner: Runner,
        /// Line, counted from 1.
        line: u64,
        /// What is wrong there.
        reason: String,
    },
    /// The run or its output ended before the end, and nothing in it failed.
    #[error("the {} run is not whole: {reason}", .runner.word())]
    Incomplete {
        /// The runner.
        runner: Runner,
        /// What is missing, or why the run stopped.
        reason: String,
    },
    /// The tests were not run at all: a wrong option, a missing file, a build that failed.
    #[error("{} did not run the tests: {reason}", .runner.word())]
    NotRun {
        /// The runner.
        runner: Runner,
        /// The line that says why.
        reason: String,
    },
    /// The report contradicts itself.
    #[error("{place} lists {listed}, but its summary says {summary}")]
    Disagree {
        /// Which part of the report: `the pytest output`, ``test suite `name` ``.
        place: String,
        /// What was counted in its list of tests.
        listed: String,
        /// What it says itself.
        summary: String,
    },
    /// A stored record of a run cannot be read.
    #[error("the record of a test run cannot be read: {reason}")]
    Record {
        /// What is wrong with it.
        reason: String,
    },
}

/// Refuses more tests, or longer names, than the bounds allow.
pub(super) fn bounded(outcomes: &BTreeMap<String, TestOutcome>) -> Result<(), ResultsError> {
    let longest = outcomes.keys().map(String::len).max().unwrap_or(0);
    for (what, found, max) in
        [("tests", outcomes.len(), TESTS_MAX), ("bytes in one name", longest, NAME_BYTES_MAX)]
    {
        if found > max {
            return Err(ResultsError::TooMuch { what, found: found as u64, max: max as u64 });
        }
    }
    Ok(())
}
