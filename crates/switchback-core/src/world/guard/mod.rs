//! Commands that reach nothing outside: what they try is refused, and told by name.
//!
//! Landlock (`confinement`) refuses writes and says nothing about them, and it knows neither mails nor most connections. So a guarded
//! command has two processes: one waits for it (`tracer`), the other confines itself and becomes the command. A filter of system
//! calls (`filter`) stops the command at those few that could reach outside; the first process reads what is asked for (`call`),
//! decides (`bounds`), refuses it, and writes it down. Reads and all else run at full speed.
//!
//! It tells what a program does that means no harm to its guard. One that changes its memory with a second thread between the look
//! and the call could hide a path from it; Landlock refuses the write all the same.

#[cfg(target_arch = "x86_64")]
mod bounds;
#[cfg(target_arch = "x86_64")]
mod call;
#[cfg(target_arch = "x86_64")]
mod filter;
#[cfg(target_arch = "x86_64")]
mod listening;
mod told;
#[cfg(target_arch = "x86_64")]
mod tracer;

use std::ffi::OsString;
use std::path::PathBuf;

pub use told::{Attempt, AttemptKind, TOLD_BYTES_MAX, Told};

use super::confinement::Confinement;

/// What a command may reach beside the files that it may write, and where it is told what it tried.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Guard {
    /// A file that does not exist yet, where the command cannot write: one line for each thing that it tried and was refused.
    pub told: PathBuf,
    /// What it may connect to: `host`, `host:port`, or the path of a socket.
    pub hosts: Vec<String>,
    /// Programs that hand over mail, by name, which it may run.
    pub programs: Vec<String>,
}

impl Guard {
    /// The arguments of the subcommand `confined` that say all of this.
    pub fn to_arguments(&self) -> Vec<OsString> {
        let mut arguments = vec![OsString::from("--told"), self.told.clone().into_os_string()];
        for (flag, texts) in [("--host", &self.hosts), ("--program", &self.programs)] {
            for text in texts {
                arguments.extend([OsString::from(flag), OsString::from(text)]);
            }
        }
        arguments
    }
}

/// How a guarded command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GuardedEnd {
    /// With this exit code.
    Code(u8),
    /// By this signal.
    Signal(i32),
}

/// A command could not be guarded, and was not run.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct GuardError(String);

/// Whether the processor is one whose system calls can be looked at.
pub fn is_supported() -> bool {
    cfg!(target_arch = "x86_64")
}

/// Runs a command, which is this very program and calls [`wait_for_the_guard`] before it becomes something else, and stays beside it.
///
/// # Errors
///
/// When it cannot be watched. Then it was not let begin.
#[cfg(target_arch = "x86_64")]
pub fn stay_beside(
    command: &[OsString],
    confinement: &Confinement,
    guard: &Guard,
) -> Result<GuardedEnd, GuardError> {
    tracer::stay_beside(command, confinement, guard).map_err(GuardError)
}

/// Lets this process be watched from now on. What it becomes is stopped at each call that could reach outside.
///
/// # Errors
///
/// When the kernel refuses it.
#[cfg(target_arch = "x86_64")]
pub fn wait_for_the_guard() -> Result<(), GuardError> {
    tracer::wait_for_the_guard().map_err(GuardError)
}

/// The last step before the command: from now on this process is stopped at each call that could reach outside.
///
/// # Errors
///
/// When the kernel refuses the filter.
#[cfg(target_arch = "x86_64")]
pub fn filter_calls() -> Result<(), GuardError> {
    filter::apply().map_err(GuardError)
}

#[cfg(not(target_arch = "x86_64"))]
const OTHER_PROCESSOR: &str = "the calls of a command can be looked at on x86_64 only";

/// See the one for x86_64.
#[cfg(not(target_arch = "x86_64"))]
pub fn stay_beside(_: &[OsString], _: &Confinement, _: &Guard) -> Result<GuardedEnd, GuardError> {
    Err(GuardError(OTHER_PROCESSOR.to_owned()))
}

/// See the one for x86_64.
#[cfg(not(target_arch = "x86_64"))]
pub fn wait_for_the_guard() -> Result<(), GuardError> {
    Err(GuardError(OTHER_PROCESSOR.to_owned()))
}

/// See the one for x86_64.
#[cfg(not(target_arch = "x86_64"))]
pub fn filter_calls() -> Result<(), GuardError> {
    Err(GuardError(OTHER_PROCESSOR.to_owned()))
}
