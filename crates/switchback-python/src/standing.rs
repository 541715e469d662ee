//! Shims that stand in a tree: since when, until when, and who still needs them.

use std::sync::Arc;

use rayon::prelude::*;
use serde_json::{Value, json};
use switchback_core::verdict::Verdict;
use switchback_core::world::{Disk, DiskError};

use crate::graph::{ImportsOptions, imports};
use crate::moving::{ShimNote, read_shim};
use crate::tree::{Class, Tree};

/// A shim and who uses it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shim {
    /// Its file.
    pub path: String,
    /// What it says of itself.
    pub note: ShimNote,
    /// Whether it is to be removed by now; nothing when no day was given.
    pub is_due: bool,
    /// Modules that import the old name: their names and lines.
    pub used_by: Vec<(String, usize)>,
}

/// All shims of a tree.
#[derive(Debug, Clone, Default)]
pub struct ShimsOutcome {
    /// How many Python files were looked at.
    pub scanned: usize,
    /// The shims, by path.
    pub shims: Vec<Shim>,
}

/// Lists the shims of a tree. `due` is a day, `YYYY-MM-DD`: what is to be removed before it is due.
pub fn shims(
    disk: Arc<dyn Disk>,
    options: &ImportsOptions,
    due: Option<&str>,
) -> Result<ShimsOutcome, DiskError> {
    let tree = Tree::open(disk.clone(), &options.root)?;
    let files: Vec<_> = tree.files.iter().filter(|file| file.class == Class::Python).collect();
    let notes: Vec<Option<(String, ShimNote)>> = files
        .par_iter()
        .map(|file| Ok(read_shim(&tree.content(file)?).map(|note| (file.path.clone(), note))))
        .collect::<Result<_, DiskError>>()?;
    let scanned = files.len();
    let notes: Vec<(String, ShimNote)> = notes.into_iter().flatten().collect();
    let edges = if notes.is_empty() { Vec::new() } else { imports(disk, options)?.edges };
    let shims = notes
        .into_iter()
        .map(|(path, note)| {
            let is_old = |name: &str| {
                name.strip_prefix(note.old.as_str())
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
            };
            let used_by = edges
                .iter()
                .filter(|edge| is_old(&edge.to))
                .map(|edge| (edge.from.clone(), edge.line))
                .collect();
            // Days of this form are ordered as texts are.
            let is_due = due.zip(note.until.as_deref()).is_some_and(|(due, until)| until < due);
            Shim { path, note, is_due, used_by }
        })
        .collect();
    Ok(ShimsOutcome { scanned, shims })
}

impl ShimsOutcome {
    /// *No* when one is due; *unknown* when there was no Python at all.
    pub fn verdict(&self) -> Verdict {
        match (self.scanned, self.shims.iter().any(|shim| shim.is_due)) {
            (0, _) => Verdict::Unknown,
            (_, true) => Verdict::No,
            (_, false) => Verdict::Yes,
        }
    }

    /// The document `switchback/shims/1`.
    pub fn to_json(&self) -> Value {
        let shims: Vec<Value> = self
            .shims
            .iter()
            .map(|shim| {
                let used_by: Vec<Value> = shim
                    .used_by
                    .iter()
                    .map(|(module, line)| json!({"module": module, "line": line}))
                    .collect();
                json!({
                    "path": shim.path, "old": shim.note.old, "new": shim.note.new, "since": shim.note.since,
                    "until": shim.note.until, "signatures": shim.note.signatures,
                    "due": shim.is_due, "used_by": used_by,
                })
            })
            .collect();
        json!({"schema": "switchback/shims/1", "verdict": self.verdict().word(), "scanned": self.scanned, "shims": shims})
    }
}
