//! The journal for those who do not take it at its word (PC-12): heads of it kept outside, whether it is as it was written, who did what
//! on which evidence, and what made each file.
//!
//! [`mod@anchor`] brings the head of the journal to places outside (`place`; [`mod@format`] is what stands there) → [`mod@verify`] holds
//! the journal against itself and against them; [`mod@export`] tells auditors every act, and
//! [`mod@lineage`] what made a file, with the `documents` about it.

pub mod anchor;
mod documents;
pub mod export;
pub mod format;
pub mod lineage;
mod place;
pub mod verify;

pub use anchor::{Anchored, anchor_all, anchor_due, anchor_untried};
pub use export::{Export, export};
pub use lineage::{Lineage, Output, Source, lineage};
pub use verify::{AnchorLook, Verification, verify_journal};
