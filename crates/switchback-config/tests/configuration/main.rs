//! Configuration as a whole: held against the loaders themselves, and there and back.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a failed step of a test ends the test")]
#![expect(clippy::disallowed_methods, reason = "a test lays out files and runs Python directly")]

mod loaders;
mod round_trip;
mod size;
