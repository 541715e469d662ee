//! What a rewrite puts where, what it says afterwards, and why it may not be done.

use std::path::PathBuf;

use crate::tree::copy::CopyError;
use crate::world::DiskError;

/// What is to stand at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Put {
    /// These bytes, with these permission bits.
    Bytes(Vec<u8>, u32),
    /// These bytes, in a file that is otherwise the one that stands at this path now: mode, owner, attributes.
    Edited(Vec<u8>, PathBuf),
    /// The same, with nothing that group and others may do beyond these permission bits.
    Tightened(Vec<u8>, PathBuf, u32),
    /// What stands at another path now, as it is.
    From(PathBuf),
    /// The bytes of what stands at another path, with these permission bits: a file of its own.
    Copy(PathBuf, u32),
    /// A copy of what stands at another path, absolute, with all that belongs to it: mode, owner, times, attributes; a link
    /// stays a link.
    Restored(PathBuf),
    /// A symbolic link that leads there.
    Link(PathBuf),
    /// Nothing.
    Nothing,
}

impl Put {
    /// The permission bits that an edited file may keep.
    pub(super) fn mode_mask(&self) -> u32 {
        match self {
            Self::Tightened(_, _, others) => 0o7700 | others,
            _ => 0o7777,
        }
    }
}

/// A rewrite that could not be done, or not be taken back.
#[derive(Debug, thiserror::Error)]
pub enum RewriteError {
    /// The disk.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// What is to be put back could not be copied.
    #[error(transparent)]
    Copy(#[from] CopyError),
    /// Somebody works on the project.
    #[error("the project is in use: {0}")]
    Locked(String),
    /// A record that cannot be read.
    #[error("`{path}` cannot be read: {why}")]
    Record {
        /// The record.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// There is nothing to take back.
    #[error("there is no write that could be taken back")]
    Nothing,
    /// Files that were changed since.
    #[error("changed since it was written: {}", shown(.0))]
    Changed(Vec<PathBuf>),
    /// A path that leads out of the project, or into the state of Switchback.
    #[error("`{0}` lies outside of what may be written")]
    Outside(PathBuf),
    /// Something stands where nothing, or a plain file, should.
    #[error("`{0}` is in the way")]
    InTheWay(PathBuf),
}

/// How many paths an error names.
const SHOWN_MAX: usize = 5;

fn shown(paths: &[PathBuf]) -> String {
    let names: Vec<String> =
        paths.iter().take(SHOWN_MAX).map(|path| format!("`{}`", path.display())).collect();
    let more = paths.len().saturating_sub(SHOWN_MAX);
    if more > 0 { format!("{} and {more} more", names.join(", ")) } else { names.join(", ") }
}

/// What a rewrite, or its undoing, did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rewritten {
    /// Its name below `.switchback/undo`.
    pub id: String,
    /// What was run.
    pub command: String,
    /// When it was written, RFC 3339.
    pub time: String,
    /// The paths that changed, relative to the root.
    pub paths: Vec<PathBuf>,
}
