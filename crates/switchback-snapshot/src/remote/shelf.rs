//! A place that keeps files by name. Names are relative and have `/` between their parts.

use std::collections::BTreeMap;
use std::fmt::Debug;

use switchback_core::port::{Parts, PortError};

use crate::trouble::Trouble;

/// No file of a repository is read whole that is larger: restic's packs end at 128 MiB, indexes far below.
pub(crate) const FILE_BYTES_MAX: u64 = 1 << 30;

/// Keeps files by name.
pub(crate) trait Shelf: Debug + Send + Sync {
    /// Where it is, for messages; without anything secret.
    fn address(&self) -> String;

    /// Every file below a folder, with its size in bytes; nothing when the folder is not there.
    fn list(&self, folder: &str) -> Result<BTreeMap<String, u64>, Trouble>;

    /// A whole file; `None` when it is not there.
    fn read(&self, name: &str) -> Result<Option<Vec<u8>>, Trouble>;

    /// Writes a file that is not there yet, or not in full; when this returns, it is kept.
    fn write(&self, name: &str, content: &[u8]) -> Result<(), Trouble>;

    /// Removes a file; nothing there is fine. No file of a repository is removed.
    fn remove(&self, name: &str) -> Result<(), Trouble>;
}

/// A place that also gives and takes files part by part, so that none is in memory as a whole.
pub(crate) trait PartShelf: Shelf {
    /// How many bytes a file has; `None` when it is not there.
    fn size(&self, name: &str) -> Result<Option<u64>, Trouble>;

    /// So many bytes of a file from `at` on, which are there.
    fn read_part(&self, name: &str, at: u64, bytes: u64) -> Result<Vec<u8>, Trouble>;

    /// Writes a file that is not there yet; under its name it is there as a whole or not at all.
    fn write_parts(&self, name: &str, content: &dyn Parts) -> Result<(), Trouble>;
}

/// What the reason is that a part of a file could not be read.
pub(crate) fn unread(error: PortError) -> Trouble {
    Trouble { causes: std::iter::once(error.message).chain(error.causes).collect(), hint: error.hint }
}
