//! The vault against real repositories on the disk.

#![expect(clippy::unwrap_used, reason = "a failed step of a test ends the test")]
#![expect(clippy::disallowed_methods, reason = "a test lays out, damages and looks at files directly")]

mod damage;
mod ground;
mod restic;
mod round_trip;
mod trouble;
mod unchanged;
