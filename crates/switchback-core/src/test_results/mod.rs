//! What a test run said: its outcomes test by test, its counts, and what its output does not tell.
//!
//! In the order of the data: [`detect`] names the runner, [`read_output`] and [`read_report`] read what it left,
//! [`regressions()`] compares two runs, [`write()`] and [`read`] keep one as evidence.
//!
//! Nothing here starts a test runner, and nothing here sees its exit status. The exit status belongs to every
//! verdict all the same: some runners end in failure without saying so in what they print (see
//! [`TestRun::end_told`]).
mod cargo;
mod dbt;
mod error;
mod format;
mod go;
mod junit;
mod nextest;
mod plain;
mod pytest;
mod regressions;
#[cfg(test)]
mod tests;
mod unittest;

use std::collections::BTreeMap;

pub use error::ResultsError;
pub use format::{FORMAT, read, write};
pub use junit::read_junit;
pub use regressions::{Regressions, regressions};

/// How one test ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TestOutcome {
    /// It ran and held.
    Passed,
    /// It ran and did not hold.
    Failed,
    /// It could not run to its end: set-up, tear-down, collection, build, or a crash.
    Error,
    /// It was not run.
    Skipped,
    /// It failed, as its authors said it would.
    XFailed,
    /// It passed although its authors said it would fail, and the runner does not count that as a failure.
    XPassed,
}

impl TestOutcome {
    /// The word for it in the format: `passed`, `failed`, `error`, `skipped`, `xfailed` or `xpassed`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Error => "error",
            Self::Skipped => "skipped",
            Self::XFailed => "xfailed",
            Self::XPassed => "xpassed",
        }
    }

    /// Reads the word that [`TestOutcome::word`] writes.
    pub fn from_word(word: &str) -> Option<Self> {
        let all = [Self::Passed, Self::Failed, Self::Error, Self::Skipped, Self::XFailed, Self::XPassed];
        all.into_iter().find(|outcome| outcome.word() == word)
    }

    /// Whether it speaks against the run.
    pub fn is_bad(self) -> bool {
        matches!(self, Self::Failed | Self::Error)
    }

    /// Whether the test ran and its assertions held.
    pub fn is_good(self) -> bool {
        matches!(self, Self::Passed | Self::XPassed)
    }

    /// The one that weighs more when a runner reports the same test twice.
    #[must_use]
    pub fn worse(self, other: Self) -> Self {
        let weight = |outcome| match outcome {
            Self::Passed => 0,
            Self::XPassed => 1,
            Self::XFailed => 2,
            Self::Skipped => 3,
            Self::Failed => 4,
            Self::Error => 5,
        };
        if weight(other) > weight(self) { other } else { self }
    }
}

/// How many tests ended how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Tests that passed. A lower bound where the runner does not count them one by one: `go test` without `-v`
    /// counts as one for each package, `unittest` without `-v` counts a failed sub-test as a failed test.
    pub passed: u64,
    /// Tests that failed.
    pub failed: u64,
    /// Tests, files, packages or programs that could not run to their end.
    pub errors: u64,
    /// Tests that were not run. Nextest counts those in that its filter left out.
    pub skipped: u64,
    /// Tests that failed as expected.
    pub xfailed: u64,
    /// Tests that passed unexpectedly, where that is no failure.
    pub xpassed: u64,
}

impl Counts {
    /// The counts of these outcomes.
    pub fn of(outcomes: impl IntoIterator<Item = TestOutcome>) -> Self {
        let mut counts = Self::default();
        for outcome in outcomes {
            *counts.slot(outcome) += 1;
        }
        counts
    }

    /// The count of one outcome.
    pub fn get(mut self, outcome: TestOutcome) -> u64 {
        *self.slot(outcome)
    }

    /// What speaks against the run: failed and errors.
    pub fn bad(self) -> u64 {
        self.failed.saturating_add(self.errors)
    }

    /// The tests that were run, whatever their outcome: all but the skipped ones.
    pub fn ran(self) -> u64 {
        [self.passed, self.failed, self.errors, self.xfailed, self.xpassed]
            .into_iter()
            .fold(0, u64::saturating_add)
    }

    fn slot(&mut self, outcome: TestOutcome) -> &mut u64 {
        match outcome {
            TestOutcome::Passed => &mut self.passed,
            TestOutcome::Failed => &mut self.failed,
            TestOutcome::Error => &mut self.errors,
            TestOutcome::Skipped => &mut self.skipped,
            TestOutcome::XFailed => &mut self.xfailed,
            TestOutcome::XPassed => &mut self.xpassed,
        }
    }
}

/// Which tests are known by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NamesKnown {
    /// All of them.
    All,
    /// All but some that were skipped.
    AllButSkipped,
    /// Exactly those that failed or ended in an error.
    FailedOnly,
    /// None: only counts were printed.
    None,
}

impl NamesKnown {
    /// The word for it in the format: `all`, `all-but-skipped`, `failed-only` or `none`.
    pub fn word(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::AllButSkipped => "all-but-skipped",
            Self::FailedOnly => "failed-only",
            Self::None => "none",
        }
    }

    /// Reads the word that [`NamesKnown::word`] writes.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::All, Self::AllButSkipped, Self::FailedOnly, Self::None]
            .into_iter()
            .find(|names| names.word() == word)
    }
}

/// What one run of a test suite said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestRun {
    /// The tests that are known by name (see [`TestRun::names`]) and how they ended.
    ///
    /// Names are the same in two runs of one suite, wherever its tree stands: `classname::name` in JUnit (after the
    /// file, when it is given and relative), the node id in pytest, `module.Class.test` in unittest,
    /// `program/source::test` in `cargo test`, `binary::test` in nextest, `package/Test/Sub` in go. What a runner
    /// reports twice in one report gets `#2`, `#3` and so on.
    pub outcomes: BTreeMap<String, TestOutcome>,
    /// Which tests are in `outcomes`.
    pub names: NamesKnown,
    /// How many ended how. Equal to what is counted in `outcomes` when all names are known.
    pub counts: Counts,
    /// Why tests that belong to the run were not run, in the runner's words, when it says so. Such a run always
    /// holds a failure or an error: one that was cut short without any is [`ResultsError::Incomplete`].
    pub stopped: Option<String>,
    /// Whether the runner wrote a closing line (or element) after which nothing can be missing.
    ///
    /// `cargo test` and `go test` write none when all is well, so a text that was cut off between two programs or
    /// packages looks like a whole one. When this is false, only the exit status tells that the run was green.
    pub end_told: bool,
}

impl TestRun {
    /// The run under names that `clean` leaves as they are, so that what is kept of it is read again as it was. Those that become
    /// one are told apart as tests are that a runner reports twice.
    #[must_use]
    pub fn cleaned(self, clean: impl Fn(&str) -> String) -> Self {
        let (mut outcomes, mut seen) = (BTreeMap::new(), BTreeMap::new());
        for (name, outcome) in self.outcomes {
            plain::insert_distinct(&mut outcomes, &mut seen, &clean(&name), outcome);
        }
        Self { outcomes, ..self }
    }

    /// A run whose tests are all known by name.
    fn named(outcomes: BTreeMap<String, TestOutcome>) -> Self {
        let counts = Counts::of(outcomes.values().copied());
        Self { outcomes, names: NamesKnown::All, counts, stopped: None, end_told: true }
    }

    /// A run of which `names` are known: keeps the outcomes that such a run may hold, and its counts.
    fn counted(outcomes: BTreeMap<String, TestOutcome>, names: NamesKnown, counts: Counts) -> Self {
        let kept = |outcome: TestOutcome| match names {
            NamesKnown::All | NamesKnown::AllButSkipped => true,
            NamesKnown::FailedOnly => outcome.is_bad(),
            NamesKnown::None => false,
        };
        let outcomes: BTreeMap<_, _> = outcomes.into_iter().filter(|(_, outcome)| kept(*outcome)).collect();
        let counted = Counts::of(outcomes.values().copied());
        let counts = match names {
            NamesKnown::All => counted,
            NamesKnown::AllButSkipped => Counts { skipped: counts.skipped.max(counted.skipped), ..counted },
            NamesKnown::FailedOnly | NamesKnown::None => counts,
        };
        Self { outcomes, names, counts, stopped: None, end_told: true }
    }

    /// The same run, cut short for `reason`; an error when nothing in it speaks against it.
    fn cut_short(mut self, runner: Runner, reason: Option<String>) -> Result<Self, ResultsError> {
        match reason {
            Some(reason) if self.counts.bad() == 0 => Err(ResultsError::Incomplete { runner, reason }),
            reason => {
                self.stopped = reason;
                Ok(self)
            }
        }
    }
}

/// A test runner whose plain output can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Runner {
    /// pytest, 4 to 9, also with xdist, rerunfailures and sub-tests.
    Pytest,
    /// Python's unittest, and runners that print like it.
    Unittest,
    /// `cargo test`, its standard output alone or together with its standard error.
    CargoTest,
    /// `cargo nextest run`.
    Nextest,
    /// `go test`, plain, `-v` or `-json`.
    Go,
}

impl Runner {
    /// Every runner.
    pub const ALL: [Self; 5] = [Self::Pytest, Self::Unittest, Self::CargoTest, Self::Nextest, Self::Go];

    /// Its name in plans and messages: `pytest`, `unittest`, `cargo-test`, `nextest` or `go`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pytest => "pytest",
            Self::Unittest => "unittest",
            Self::CargoTest => "cargo-test",
            Self::Nextest => "nextest",
            Self::Go => "go",
        }
    }

    /// Reads the word that [`Runner::word`] writes.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|runner| runner.word() == word)
    }
}

/// Reads a file that tests left: JUnit XML, or dbt's `run_results.json`, told apart by their content.
///
/// # Errors
///
/// Anything but one whole report. Nothing is read from a damaged one.
pub fn read_report(text: &str) -> Result<TestRun, ResultsError> {
    if dbt::recognises(text) { dbt::read(text) } else { read_junit(text) }
}

/// The runner that wrote `text`; nothing when no runner or more than one is recognised, so that a caller asks.
pub fn detect(text: &str) -> Option<Runner> {
    let lines = plain::lines(text);
    let recognises = |runner: &Runner| match runner {
        Runner::Pytest => pytest::recognises(&lines),
        Runner::Unittest => unittest::recognises(&lines),
        Runner::CargoTest => cargo::recognises(&lines),
        Runner::Nextest => nextest::recognises(&lines),
        Runner::Go => go::recognises(&lines),
    };
    let mut found = Runner::ALL.into_iter().filter(recognises);
    found.next().filter(|_| found.next().is_none())
}

/// Reads the plain output of `runner`, with or without colour codes.
///
/// What the output does not tell is said in [`TestRun::names`]; a summary that does not agree with the tests listed
/// is an error, and so is a text without its summary.
pub fn read_output(runner: Runner, text: &str) -> Result<TestRun, ResultsError> {
    if text.len() > error::INPUT_BYTES_MAX {
        return Err(ResultsError::TooMuch {
            what: "bytes",
            found: text.len() as u64,
            max: error::INPUT_BYTES_MAX as u64,
        });
    }
    let lines = plain::lines(text);
    let run = match runner {
        Runner::Pytest => pytest::read(&lines),
        Runner::Unittest => unittest::read(&lines),
        Runner::CargoTest => cargo::read(&lines),
        Runner::Nextest => nextest::read(&lines),
        Runner::Go => go::read(&lines),
    }?;
    error::bounded(&run.outcomes)?;
    Ok(run)
}
