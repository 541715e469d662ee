//! Which mechanism works here: tried out in each parent directory, never guessed from the kind of file system.

use std::path::Path;

use crate::tree::copy::{keeping_time, remove_tree};
use crate::world::{Disk, DiskError};

/// What the probe found for one directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Probe {
    /// Two directories were exchanged in one step, and kept their inodes.
    Exchanges,
    /// They were not, and this is why.
    Cannot(String),
}

/// Tries an exchange in `directory`; leaves nothing behind.
pub fn probe(disk: &dyn Disk, directory: &Path, mark: &str) -> Result<Probe, DiskError> {
    keeping_time(disk, directory, || {
        let one = directory.join(format!(".probe-one.sb-{mark}"));
        let other = directory.join(format!(".probe-other.sb-{mark}"));
        for path in [&one, &other] {
            // Left behind by a probe that was killed.
            remove_tree(disk, path)?;
        }
        let found = try_exchange(disk, &one, &other);
        for path in [&one, &other] {
            remove_tree(disk, path)?;
        }
        found
    })
}

fn try_exchange(disk: &dyn Disk, one: &Path, other: &Path) -> Result<Probe, DiskError> {
    disk.make_directory(one, 0o700)?;
    disk.make_directory(other, 0o700)?;
    let before = (disk.look(one)?, disk.look(other)?);
    if let Err(error) = disk.exchange(one, other) {
        return Ok(Probe::Cannot(error.source.to_string()));
    }
    let after = (disk.look(one)?, disk.look(other)?);
    let identity = |meta: Option<crate::world::Meta>| meta.map(|meta| meta.identity);
    if identity(before.0) == identity(after.1) && identity(before.1) == identity(after.0) {
        Ok(Probe::Exchanges)
    } else {
        Ok(Probe::Cannot("inode numbers do not stay with their directories on this file system".to_owned()))
    }
}
