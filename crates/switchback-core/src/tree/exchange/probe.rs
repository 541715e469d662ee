//! Which mechanism works here: tried out in each parent directory, never guessed from the kind of file system.

use std::io::ErrorKind;
use std::path::Path;

use super::participant::{Inode, inode};
use crate::tree::copy::{keeping_time, remove_tree};
use crate::world::{Disk, DiskError};

/// What the probe found for one directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Probe {
    /// Two directories were exchanged in one step, and kept their inodes.
    Exchanges,
    /// They could not be exchanged, and this is why; renamed, they kept their inodes.
    Renames(String),
    /// Neither works, and this is why.
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
    let before = (inode(disk, one)?, inode(disk, other)?);
    let changed = |before: (Option<Inode>, Option<Inode>)| -> Result<Option<&str>, DiskError> {
        let is_kept = (inode(disk, other)?, inode(disk, one)?) == before;
        Ok((!is_kept).then_some("inode numbers do not stay with their directories on this file system"))
    };
    let why = match disk.exchange(one, other) {
        Ok(()) => match changed(before)? {
            None => return Ok(Probe::Exchanges),
            Some(why) => return Ok(Probe::Cannot(why.to_owned())),
        },
        Err(error) => error.source.to_string(),
    };
    if let Err(error) = swap_by_renames(disk, one, other) {
        return Ok(Probe::Cannot(error.source.to_string()));
    }
    match changed(before)? {
        None => Ok(Probe::Renames(why)),
        Some(why) => Ok(Probe::Cannot(why.to_owned())),
    }
}

fn swap_by_renames(disk: &dyn Disk, one: &Path, other: &Path) -> Result<(), DiskError> {
    let mut name = one.file_name().unwrap_or_default().to_owned();
    name.push("-away");
    let away = one.with_file_name(name);
    disk.rename(one, &away)?;
    disk.rename(other, one)?;
    disk.rename(&away, other)
}

/// Whether the folder `live` could be renamed, and why not; it is not. It is renamed onto a folder that is not empty, which
/// no file system does; one that could do it says so, and one that cannot move the folder at all says that first: a mount
/// point is busy, and a folder of an image below an overlay is on another device.
pub fn moves(disk: &dyn Disk, live: &Path, mark: &str) -> Result<Result<(), String>, DiskError> {
    let parent = live.parent().unwrap_or(live);
    keeping_time(disk, parent, || {
        let full = parent.join(format!(".probe-full.sb-{mark}"));
        remove_tree(disk, &full)?;
        disk.make_directory(&full, 0o700)?;
        disk.make_directory(&full.join("inside"), 0o700)?;
        let tried = disk.rename_over(live, &full);
        let found = match tried {
            Ok(()) => {
                // A file system that does it all the same gets its folder back where it was.
                disk.rename(&full, live)?;
                return Ok(Ok(()));
            }
            Err(error) => match error.source.kind() {
                ErrorKind::DirectoryNotEmpty | ErrorKind::AlreadyExists => Ok(()),
                _ => Err(error.source.to_string()),
            },
        };
        remove_tree(disk, &full)?;
        Ok(found)
    })
}
