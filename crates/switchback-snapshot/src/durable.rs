//! Files that are there in full or not at all, also after a power cut; and whole trees that are taken away again.

use std::ffi::OsString;
use std::io::Read;
use std::path::{Path, PathBuf};

use switchback_core::world::{Disk, DiskError, FileKind};

/// What the name of a file ends in while it is being written.
pub(crate) const UNFINISHED: &str = "-tmp";

/// `path` with `suffix` at the end of its last name.
pub(crate) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    PathBuf::from(name)
}

/// Writes a file beside its place, waits until it is on the disk, puts it in place, and waits for the directory too.
pub(crate) fn publish(
    disk: &dyn Disk,
    path: &Path,
    mode: u32,
    content: &mut dyn Read,
) -> Result<(), DiskError> {
    let unfinished = with_suffix(path, UNFINISHED);
    if disk.look(&unfinished)?.is_some() {
        disk.remove_file(&unfinished)?;
    }
    let written = disk
        .write_new(&unfinished, 0o600, content)
        .and_then(|()| disk.set_mode(&unfinished, mode))
        .and_then(|()| disk.sync_file(&unfinished))
        .and_then(|()| disk.rename_over(&unfinished, path));
    if let Err(error) = written {
        // The first error is the one that tells; what cannot be removed now is removed by the next attempt.
        drop(disk.remove_file(&unfinished));
        return Err(error);
    }
    disk.sync_directory(parent(path))
}

/// Makes a directory for this user alone, with those above it that are missing.
pub(crate) fn make_directories(disk: &dyn Disk, path: &Path) -> Result<(), DiskError> {
    if path.as_os_str().is_empty() || disk.look(path)?.is_some() {
        return Ok(());
    }
    make_directories(disk, parent(path))?;
    disk.make_directory(path, 0o700)?;
    disk.sync_directory(parent(path))
}

/// Removes whatever is at `path`, with everything below it; nothing there is fine.
pub(crate) fn remove_tree(disk: &dyn Disk, path: &Path) -> Result<(), DiskError> {
    match disk.look(path)? {
        None => Ok(()),
        Some(meta) if meta.kind == FileKind::Directory => {
            // A directory that was restored with its mode may deny its owner what is needed now.
            disk.set_mode(path, 0o700)?;
            for name in disk.list(path)? {
                remove_tree(disk, &path.join(name))?;
            }
            disk.remove_directory(path)
        }
        Some(_) => disk.remove_file(path),
    }
}

/// The directory that holds `path`; of a bare name the current one.
pub(crate) fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        Some(_) => Path::new("."),
        None => path,
    }
}
