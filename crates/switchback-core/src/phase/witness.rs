//! What a run tells while it goes: the binary shows it, this crate never prints.

use std::fmt::Debug;

use crate::verdict::Verdict;

/// Something that a person who watches wants to know now.
#[derive(Debug, Clone, PartialEq)]
pub enum Notice {
    /// A step of a phase begins.
    Began {
        /// The phase.
        phase: String,
        /// What is being done.
        what: String,
    },
    /// A step of a phase is done.
    Done {
        /// The phase.
        phase: String,
        /// What was done.
        what: String,
    },
    /// A check came to a verdict.
    Looked {
        /// The check.
        check: String,
        /// When.
        at: String,
        /// The verdict.
        verdict: Verdict,
        /// Its line.
        summary: String,
        /// What it shows beside that: rows of cells, the first of them the heading; nothing when empty.
        table: Vec<Vec<String>>,
    },
    /// A rehearsal came to a verdict.
    Rehearsed {
        /// The phase.
        phase: String,
        /// The verdict.
        verdict: Verdict,
        /// Its line.
        summary: String,
    },
    /// The outcome is on the disk and will stay true, whatever happens now.
    Acknowledged {
        /// The phase.
        phase: String,
        /// What is live now.
        what: String,
        /// From the beginning of the exchange.
        milliseconds: f64,
    },
    /// Something that does not stop the run and must be known.
    Warning(String),
}

/// Watches a run.
pub trait Witness: Debug {
    /// Takes a notice.
    fn notice(&self, notice: Notice);
}

/// Nobody watches.
#[derive(Debug)]
pub struct Nobody;

impl Witness for Nobody {
    fn notice(&self, _notice: Notice) {}
}
