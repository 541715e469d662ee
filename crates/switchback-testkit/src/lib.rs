//! What tests under faults need: a project to break, a world that breaks it at call N, and a judge who looks afterwards.
//!
//! The way of a test: [`scratch`] makes a project whose content is hard to carry → [`fault`] counts every call through
//! the world and fails, dies or is killed at one of them → [`standing`] says whether the tree is wholly old or wholly
//! new, and whether anything was lost. [`fixed`] holds the clock and the surroundings still, for tests that compare
//! output; [`sim`] is a disk that forgets what was not synced. The program `switchback-dies` is the real program in such a world; the real one has no such hook.

pub mod content;
pub mod fault;
pub mod fixed;
pub mod scratch;
pub mod sim;
pub mod standing;
mod trouble;

pub use fault::{Counted, Fault, Meddler, Meddling};
pub use scratch::{Layout, Scratch};
pub use sim::{Crash, Lies, SimDisk};
pub use standing::{Side, Sides, Standing};
pub use trouble::Trouble;
