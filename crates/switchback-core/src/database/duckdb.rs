//! DuckDB: the file and its log, copied while nobody has them open for writing.
//!
//! DuckDB takes a lock of records (`fcntl`) on the whole file for as long as a process has it open: for writing, or for reading
//! when it was opened read-only. Holding the latter keeps every writer out; others may read meanwhile.

use std::path::{Path, PathBuf};

use super::Why;
use super::source::beside;
use crate::world::{Disk, FileKind, Meta};

/// What DuckDB calls the log of what is not in the file yet.
const LOG: &str = ".wal";

/// What made the copy, for the facts.
pub(super) const READER: &str = "copy under the lock of DuckDB";

/// Copies the file at `from`, and its log where there is one. Returns the paths of the copies.
pub(super) fn copy(disk: &dyn Disk, from: &Path, to: &Path) -> Result<Vec<PathBuf>, Why> {
    let _lock = disk.lock_to_read(from)?.map_err(|holder| {
        Why::new(format!("{} has it open for writing", holder.note))
            .hinted("let that process close the database while the snapshot is made, then try again")
    })?;
    let before = [disk.look(from)?, disk.look(&beside(from, LOG))?];
    let mode = |meta: Option<Meta>| meta.map_or(0o600, |meta| meta.mode & 0o777);
    let mut copied = Vec::new();
    if let Some(log) = before[1] {
        if log.kind != FileKind::File {
            return Err(Why::new(format!("its log `{}` is no regular file", beside(from, LOG).display())));
        }
        disk.copy(&beside(from, LOG), &beside(to, LOG), mode(before[1]))?;
        copied.push(beside(to, LOG));
    }
    // The file itself comes last: once this process closes it anywhere, the kernel lets go of the lock.
    disk.copy(from, to, mode(before[0]))?;
    copied.insert(0, to.to_owned());
    // Whoever came in right then shows in the times of change.
    let after = [disk.look(from)?, disk.look(&beside(from, LOG))?];
    let content =
        |meta: Option<Meta>| meta.map(|meta| (meta.identity, meta.size, meta.mtime_ns, meta.ctime_ns));
    if before.map(content) != after.map(content) {
        return Err(
            Why::new("it changed while it was copied").hinted("stop what writes to it, then try again")
        );
    }
    Ok(copied)
}
