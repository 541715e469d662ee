//! The record of a rewrite: the format of `.switchback/undo/<id>/record.json`.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::world::Identity;

/// The version of the format.
pub(super) const VERSION: u32 = 1;

/// Which inode, as it is written down. The device counts only where there is no time of birth: its number is another one
/// after a restart of the machine.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct Inode {
    device: u64,
    #[serde(rename = "inode")]
    number: u64,
    born_ns: i128,
}

impl PartialEq for Inode {
    fn eq(&self, other: &Self) -> bool {
        let is_known = self.born_ns != 0;
        self.number == other.number
            && self.born_ns == other.born_ns
            && (is_known || self.device == other.device)
    }
}

impl Eq for Inode {}

impl From<Identity> for Inode {
    fn from(identity: Identity) -> Self {
        Self { device: identity.device, number: identity.inode, born_ns: identity.born_ns }
    }
}

/// One path, before and after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Entry {
    /// Relative to the root.
    pub(super) path: PathBuf,
    /// What stood there; nothing when nothing did.
    pub(super) old: Option<Inode>,
    /// What stands there afterwards; nothing when nothing does.
    pub(super) new: Option<Inode>,
    /// BLAKE3 of what stands there afterwards, where it was written; a file that only moved has none.
    pub(super) new_hash: Option<String>,
}

/// A folder that is made or removed on the way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Folder {
    /// Relative to the root.
    pub(super) path: PathBuf,
    /// Its permission bits.
    pub(super) mode: u32,
}

/// Everything that is needed to end a rewrite all old, or to take it back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Record {
    /// [`VERSION`].
    pub(super) version: u32,
    /// What was run, for people.
    pub(super) command: String,
    /// When, RFC 3339.
    pub(super) time: String,
    /// The paths. The old content of entry N is the file `old/N` beside the record.
    pub(super) entries: Vec<Entry>,
    /// Folders that are made, outermost first.
    pub(super) made: Vec<Folder>,
    /// Folders that are left empty and removed, innermost first.
    pub(super) emptied: Vec<Folder>,
    /// The rewrite that this one takes back.
    pub(super) undoes: Option<String>,
}
