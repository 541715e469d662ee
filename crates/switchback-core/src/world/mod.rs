//! The only door to the outside: disk, processes, clock, network and surroundings.
//!
//! Everything else in this crate asks a [`World`], so a test can hand over one that fails, or dies, at call N.
//! SQLite does its own input and output: behind the journal's port, and where `database` copies databases of SQLite. It is the
//! one named exception here.

mod clock;
mod confinement;
mod disk;
mod group;
mod guard;
mod measurement;
mod network;
mod process;
mod real_disk;
mod surroundings;
mod survey;

use std::fmt::Debug;
use std::sync::Arc;

pub use clock::{Clock, RealClock};
pub use confinement::{Confinement, ConfinementError, is_supported as can_confine};
pub use disk::{Disk, DiskError, FileKind, Identity, Lock, LockHolder, Meta, ReadSeek, Space, Survey};
pub use guard::{
    Attempt, AttemptKind, Guard, GuardError, GuardedEnd, TOLD_BYTES_MAX, Told, filter_calls,
    is_supported as can_guard, stay_beside, wait_for_the_guard,
};
pub use measurement::{Usage, measure};
pub use network::{HttpAnswer, HttpRequest, Network, NetworkError, RealNetwork};
pub use process::{
    Command, Exit, Finished, Interrupted, Interruption, OUTPUT_BYTES_MAX, ProcessError, Processes,
    RealProcesses, Signal,
};
pub use real_disk::RealDisk;
pub use surroundings::{RealSurroundings, Surroundings};

/// All effects, each behind a trait of its own.
#[derive(Debug, Clone)]
pub struct World {
    /// Files and directories.
    pub disk: Arc<dyn Disk>,
    /// Commands.
    pub processes: Arc<dyn Processes>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// HTTP.
    pub network: Arc<dyn Network>,
    /// Environment variables, user, host, process id.
    pub surroundings: Arc<dyn Surroundings>,
}

impl World {
    /// The world as it is.
    pub fn real() -> Self {
        Self {
            disk: Arc::new(RealDisk),
            processes: Arc::new(RealProcesses::default()),
            clock: Arc::new(RealClock::default()),
            network: Arc::new(RealNetwork),
            surroundings: Arc::new(RealSurroundings),
        }
    }
}
