//! The format `switchback/baseline/1`: figures of programs, kept for another day.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The name of the format, with its version.
pub const SCHEMA: &str = "switchback/baseline/1";

/// A file of figures.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    /// The name of this format.
    pub(super) schema: String,
    /// Figures by the name of what was measured.
    pub(super) entries: BTreeMap<String, Entry>,
}

/// The figures of one program.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// When they were taken, RFC 3339, UTC.
    pub time: String,
    /// The command, without secrets.
    pub command: String,
    /// Where they were taken.
    pub machine: MachineFacts,
    /// By case (empty where there is only one), then by measure: seconds, bytes or counts, in the order of the runs.
    pub cases: BTreeMap<String, BTreeMap<String, Vec<f64>>>,
}

/// What figures depend on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MachineFacts {
    /// The model of its processors.
    pub cpu: String,
    /// How many of them it has.
    pub cores: u64,
    /// Its memory.
    pub memory_bytes: u64,
    /// The release of its kernel.
    pub kernel: String,
    /// What governs the frequency of its processors, where that is known.
    pub governor: Option<String>,
}
