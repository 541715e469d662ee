//! Trees on the disk: looked at, copied, staged and exchanged.
//!
//! The way of the data: [`scan()`] makes a manifest → [`copy`] makes a candidate → [`exchange`] makes it live, and takes
//! it back. [`rewrite`] is for files that are written outside of any run.

pub mod copy;
pub mod exchange;
pub mod rewrite;
mod scan;

pub use scan::{ReadFile, ScanError, Seen, in_parallel, read_through, scan, touched, walk};
