//! Trees of files: what is in them.

mod scan;

pub use scan::{ScanError, Seen, in_parallel, scan, touched, walk};
