//! What holds whatever happens: kills, deaths, failing disks, drift, other processes, and damaged state.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot set its scene has to stop")]
#![expect(clippy::print_stdout, reason = "how many scenarios there were is part of what a test shows")]

mod act;
mod clock;
mod controls;
mod damaged;
mod drift;
mod init;
mod inside;
mod kill;
mod lock;
mod parts;
mod random;
mod syncs;
