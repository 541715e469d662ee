//! Reports: what a person or another program reads of a run.
//!
//! [`mod@status`] turns the history into facts, without a format; [`json`] writes them as the documents that `docs/cli-reference.md`
//! promises.

pub mod json;
pub mod status;

pub use status::{Criterion, PhaseStatus, Status, WaitsFor, status};
