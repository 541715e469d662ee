//! What is asked of directories of documents, in plain types.

use std::path::PathBuf;

use crate::plan::{Key, Shape};

/// The key of plans for a directory of checkpoints.
pub(crate) const DIRECTORY: Key =
    Key::required("path", Shape::Text, "the directory of the checkpoints, a path in the project");
/// The key of plans for the rules of a migration.
pub(crate) const RULES: Key = Key::required(
    "rules",
    Shape::Text,
    "the file of rules: versions, steps, schemas, names; a path in the project",
);

/// A directory of checkpoints that is migrated or looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckpointsRequest {
    /// The directory, relative to the tree.
    pub directory: PathBuf,
    /// The rules, relative to the tree or absolute.
    pub rules: PathBuf,
}
