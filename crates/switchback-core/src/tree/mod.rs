//! Trees on the disk: looked at, copied, staged and exchanged.
//!
//! The way of the data: [`scan()`] makes a manifest → [`copy`] makes a candidate → [`exchange`] makes it live, and takes
//! it back.

pub mod copy;
pub mod exchange;
mod scan;

pub use scan::{ScanError, Seen, in_parallel, scan, touched, walk};
