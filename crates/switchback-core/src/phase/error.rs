//! Why a step could not be carried out. A *no* is never an error.

use std::path::PathBuf;

use super::evidence::EvidenceError;
use crate::change::ChangeError;
use crate::journal::JournalError;
use crate::journal::history::IllegalEvent;
use crate::plan::PlanError;
use crate::port::PortError;
use crate::tree::ScanError;
use crate::tree::copy::CopyError;
use crate::tree::exchange::ExchangeError;
use crate::tree::exchange::record::RecordError;
use crate::world::DiskError;

/// A step that could not be carried out.
#[derive(Debug, thiserror::Error)]
pub enum StepError {
    /// There is no plan here.
    #[error("there is no `switchback.toml` in `{}`", .0.display())]
    NoPlan(PathBuf),
    /// The plan cannot be used.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// Another run of this project is under way.
    #[error("another run of this project is under way: {0}")]
    Locked(String),
    /// The plan has no phase of that name.
    #[error("the plan has no phase `{0}`")]
    NoPhase(String),
    /// The plan has no check of that name (at that point).
    #[error("the plan has no check `{0}`")]
    NoCheck(String),
    /// The plan has no playbook of that name.
    #[error("the plan has no playbook `{0}`")]
    NoPlaybook(String),
    /// What was asked for cannot be done now.
    #[error("{what}")]
    NotNow {
        /// What, and why not.
        what: String,
        /// The next move.
        help: String,
    },
    /// The journal could not be read or written.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The journal tells something impossible.
    #[error("the journal cannot be followed")]
    Illegal(#[from] IllegalEvent),
    /// The disk said no.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// A tree could not be read.
    #[error(transparent)]
    Scan(#[from] ScanError),
    /// A tree could not be copied.
    #[error(transparent)]
    Copy(#[from] CopyError),
    /// A candidate could not be made.
    #[error(transparent)]
    Change(#[from] ChangeError),
    /// An exchange went wrong.
    #[error(transparent)]
    Exchange(#[from] ExchangeError),
    /// A snapshot, or a comparison, went wrong.
    #[error(transparent)]
    Port(#[from] PortError),
    /// Evidence is damaged.
    #[error(transparent)]
    Evidence(#[from] EvidenceError),
}

impl From<RecordError> for StepError {
    fn from(error: RecordError) -> Self {
        Self::Exchange(error.into())
    }
}

impl StepError {
    /// Something that cannot be done now, and the next move.
    pub fn not_now(what: impl Into<String>, help: impl Into<String>) -> Self {
        Self::NotNow { what: what.into(), help: help.into() }
    }
}

/// An error with its causes, in one line.
pub(super) fn with_causes(error: &dyn std::error::Error) -> String {
    std::iter::successors(Some(error), |error| error.source())
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ")
}
