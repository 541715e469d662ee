//! Approvals: what is signed, and which of what was said counts.
//!
//! [`mod@format`] is the statement that a person signs; `relied` the evidence that it relies on; [`tally()`] counts, role by role, from
//! the journal, the plan, and the trees as they are; `who` tells whose key it is; [`mod@verify`] looks at signatures in the journal without any of that.

pub mod format;
mod relied;
pub mod tally;
pub mod verify;
mod who;

pub use format::{APPROVAL_TYPE, Statement};
pub use relied::{evidence_hash, relied_on};
pub use tally::{Altered, Judge, RoleTally, Standing, Vote, tally};
pub use verify::{SignedLook, look_at_signatures};
pub use who::{NotThey, signed, signer, who};
