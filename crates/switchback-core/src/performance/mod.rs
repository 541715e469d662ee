//! Performance: what two programs take in time, memory and counts, run in turn, and whether the new one takes more.
//!
//! The way of the data: [`PerformanceRule`] says what is measured and held against what ([`Measure`], [`Budget`], [`Counter`]) →
//! [`turn`] says who runs when, and after how many turns it is looked at what was found → [`measured()`] carries the turns out for
//! each case of a [`Session`], and asks whoever knows statistics ([`crate::port::Statistician`]) → [`CaseFinding`] is the answer for one case, [`document`] and
//! [`page`] tell it. `baseline` keeps figures for another day, with the facts of the `machine` that they belong to.
//!
//! What this deliberately does not do: it knows no command. [`Runs`] come from whoever runs them, as [`Sample`]s.

mod baseline;
mod budget;
mod carry;
mod counter;
pub mod document;
mod finding;
mod format;
mod machine;
mod measure;
pub mod page;
mod program;
mod rule;
mod samples;
mod session;
pub mod turn;

pub use baseline::{Baseline, BaselineError, Kept};
pub use budget::{Budget, Of};
pub use carry::{Against, RunFailed, Side, Step, measured};
pub use counter::Counter;
pub use finding::{BudgetFinding, CaseFinding, MeasureFinding, Summary};
pub use format::{Entry, SCHEMA as BASELINE_SCHEMA};
pub use machine::Machine;
pub use measure::{Measure, Sample};
pub use program::{Line, Program, Programs};
pub use rule::{Draft, PerformanceRule, RuleError};
pub use samples::{SamplesError, seconds};
pub use session::{Session, refuse};

use crate::verdict::Verdict;

/// What was measured on both sides, of one measure: numbers, 0 or more.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Runs<'a> {
    /// In turn: each pair is one run of OLD and one of NEW, side by side, and a coin said which of them went first.
    InTurn(&'a [(f64, f64)]),
    /// Each side for itself, some time or another.
    Apart {
        /// Runs of OLD.
        old: &'a [f64],
        /// Runs of NEW.
        new: &'a [f64],
    },
}

impl Runs<'_> {
    /// The runs of each side in short, OLD before NEW; `None` where there are none.
    pub fn summaries(&self) -> [Option<Summary>; 2] {
        match self {
            Self::Apart { old, new } => [Summary::of(old), Summary::of(new)],
            Self::InTurn(turns) => {
                let (old, new): (Vec<f64>, Vec<f64>) = turns.iter().copied().unzip();
                [Summary::of(&old), Summary::of(&new)]
            }
        }
    }
}

/// Whether NEW takes more than OLD.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RatioRequest<'a> {
    /// What was measured.
    pub runs: Runs<'a>,
    /// So much more, as a share of OLD, is no regression yet. 0 or more.
    pub margin: f64,
    /// The probability, at most, of a *yes* or a *no* that is wrong. Above 0 and below 0.5.
    pub alpha: f64,
    /// What a bootstrap follows from.
    pub seed: u64,
}

/// The ratio NEW by OLD, and what it says.
#[derive(Debug, Clone, PartialEq)]
pub struct RatioFinding {
    /// *Yes*: not more than the margin allows.
    pub verdict: Verdict,
    /// Whether NEW takes less than OLD by more than the margin.
    pub is_improved: bool,
    /// The ratio; `None` when there is none.
    pub ratio: Option<f64>,
    /// Its interval of level 1 - 2 alpha; `None` when there are too few runs for one.
    pub interval: Option<[f64; 2]>,
    /// How many runs more on each side would decide: 0 when it is decided, `None` when no number would.
    pub more_runs: Option<u64>,
    /// Why there is no ratio.
    pub why: Option<String>,
}

/// A share of the runs held against a limit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LimitFinding {
    /// *Yes*: below the limit.
    pub verdict: Verdict,
    /// The value at that share of the runs that were seen.
    pub value: Option<f64>,
    /// The lower end of its interval of level 1 - 2 alpha; `None` when there are too few runs for one.
    pub low: Option<f64>,
    /// The upper end.
    pub high: Option<f64>,
    /// How many runs more would decide: 0 when it is decided, `None` when no number would.
    pub more_runs: Option<u64>,
}
