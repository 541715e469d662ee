//! The proof of data: whether two results are the same, within stated tolerances.
//!
//! In the order in which the data goes: [`CompareOptions`] carry the rule, [`ComparePlan`] settles which files belong
//! together, [`compare()`] reads them (`source`), compares cell by cell (`value`) with the cheapest proof first
//! (`bytes`, `table`, `document`), and [`CompareOutcome`] (`report`) is the verdict with its evidence, which [`page`] writes
//! for people.
//!
//! Tables that are no files here come through a port ([`store`]), told by their [`address`].
//!
//! It deliberately never prints, writes nothing but rows that do not fit into memory (to files without a name), and never
//! follows a rule halfway: what it cannot read, or cannot tell apart by the key it was given, is an error and never a
//! verdict.

pub mod address;
mod bytes;
pub mod calibration;
mod compare;
mod document;
pub mod ensemble;
mod error;
pub mod exceptions;
mod excerpt;
pub mod explanation;
mod format;
mod known;
pub mod page;
mod pictures;
mod plan;
mod progress;
pub mod records;
pub mod report;
pub mod sensitivity;
mod shaped;
mod source;
pub mod store;
mod summary;
mod table;
mod value;
mod whole;

pub use compare::{TableComparer, compare};
pub use error::{BelowNoise, CompareError, Place};
pub use format::{Applied, Pixels, WithoutValue};
pub use plan::{CompareOptions, ComparePlan, Pair, Scope, Way};
pub use progress::Progress;
pub use report::CompareOutcome;
pub use source::Format;
pub use source::guard::guarded;
