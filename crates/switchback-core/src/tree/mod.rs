//! Trees of files: what is in them.

mod scan;

pub use scan::{ScanError, Seen, scan, touched, walk};
