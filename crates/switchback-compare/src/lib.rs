//! The proof of data: whether two results are the same, within stated tolerances.
//!
//! In the order in which the data goes: [`CompareOptions`] carry the rule, [`ComparePlan`] settles which files belong
//! together, [`compare()`] reads them (`source`), compares cell by cell (`value`) with the cheapest proof first
//! (`bytes`, `table`, `document`), and [`CompareOutcome`] (`report`) is the verdict with its evidence, which [`page`] writes
//! for people.
//!
//! It deliberately never writes, never prints, and never follows a rule halfway: what it cannot read, or cannot tell
//! apart by the key it was given, is an error and never a verdict.

mod bytes;
mod compare;
mod document;
pub mod ensemble;
mod error;
pub mod explanation;
pub mod page;
mod plan;
pub mod records;
pub mod report;
mod source;
mod table;
mod value;

pub use compare::{TableComparer, compare};
pub use error::{CompareError, Place};
pub use plan::{CompareOptions, ComparePlan, Pair, Scope, Way};
pub use report::CompareOutcome;
pub use source::Format;
pub use source::guard::guarded;
