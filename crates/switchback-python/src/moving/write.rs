//! The writing of a plan: all of it or nothing, and only onto what was planned with.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use switchback_core::tree::rewrite::{Put, RewriteError, Rewritten, rewrite};
use switchback_core::world::World;

use super::plan::MovePlan;
use crate::tree::PYTHON_BYTES_MAX;

/// A plan that was not written. The tree is as it was.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The writing itself.
    #[error(transparent)]
    Rewrite(#[from] RewriteError),
    /// A file changed since it was read.
    #[error("`{0}` changed while the move was planned")]
    Changed(String),
    /// What would be written is refuted by the proof.
    #[error("the proof does not hold")]
    Refuted,
}

/// Writes what `plan` says; `command` is kept for people.
///
/// # Errors
///
/// When the proof of the plan does not hold, when a file changed since, when the disk fails: the tree is as it was.
pub fn write(world: &World, plan: &MovePlan, command: &str) -> Result<Rewritten, WriteError> {
    if !plan.proof.holds() {
        return Err(WriteError::Refuted);
    }
    for change in &plan.changes {
        if let (Some(old), Some(_)) = (&change.old, &change.new) {
            let live = plan.root.join(&change.old_path);
            let there = world.disk.read(&live, PYTHON_BYTES_MAX).map_err(RewriteError::from)?;
            if there != old[..] {
                return Err(WriteError::Changed(change.old_path.clone()));
            }
        }
    }
    Ok(rewrite(world, &plan.root, command, &puts(plan))?)
}

/// What is to stand where afterwards, by path, relative to the root.
pub fn puts(plan: &MovePlan) -> Vec<(PathBuf, Put)> {
    let mut puts: BTreeMap<&str, Put> = BTreeMap::new();
    for change in &plan.changes {
        let put = match &change.new {
            Some(new) => Put::Edited(new.to_vec(), PathBuf::from(&change.old_path)),
            None if change.old_path == change.new_path => continue,
            None => Put::From(PathBuf::from(&change.old_path)),
        };
        puts.insert(&change.new_path, put);
    }
    for file in &plan.created {
        puts.insert(&file.path, Put::Bytes(file.content.clone(), 0o644));
    }
    for change in plan.changes.iter().filter(|change| change.old_path != change.new_path) {
        puts.entry(&change.old_path).or_insert(Put::Nothing);
    }
    puts.into_iter().map(|(path, put)| (Path::new(path).to_owned(), put)).collect()
}
