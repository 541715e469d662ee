//! Trees on the disk: looked at, copied, staged and exchanged.
//!
//! The way of the data: [`scan()`] makes a manifest → [`copy`] makes a candidate → [`exchange`] makes it live, and takes
//! it back. [`rewrite`] is for files that are written outside of any run.

pub mod copy;
pub mod exchange;
mod parallel;
pub mod rewrite;
mod scan;
mod walk;

pub use parallel::in_parallel;
pub use scan::{KnownFile, ReadFile, ScanError, read_through, read_unknown, scan};
pub use walk::{Seen, is_as_seen, touched, walk};
