//! Copies of trees that keep everything: content, holes, links, owners, modes, extended attributes and times.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crate::world::{Disk, DiskError, FileKind, Identity, Meta};

/// Copies trees and remembers hard links, so that files that were one stay one across all copies of one copier.
#[derive(Debug)]
pub struct Copier<'a> {
    disk: &'a dyn Disk,
    links: HashMap<Identity, PathBuf>,
    files: Vec<PathBuf>,
    directories: Vec<PathBuf>,
}

/// What a copy could not carry.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// The disk said no.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// A socket: only the process that made it can make it again.
    #[error("`{0}` is a socket, which cannot be copied")]
    Socket(PathBuf),
    /// It was there a moment ago.
    #[error("`{0}` disappeared while it was being copied")]
    Gone(PathBuf),
}

impl<'a> Copier<'a> {
    /// A copier that has copied nothing yet.
    pub fn new(disk: &'a dyn Disk) -> Self {
        Self { disk, links: HashMap::new(), files: Vec::new(), directories: Vec::new() }
    }

    /// Copies what is at `from` to `to`, which must not exist. `skip` is asked for each path below `from`.
    pub fn copy(&mut self, from: &Path, to: &Path, skip: &dyn Fn(&Path) -> bool) -> Result<(), CopyError> {
        let meta = self.disk.look(from)?.ok_or_else(|| CopyError::Gone(from.to_owned()))?;
        self.copy_entry(from, to, &meta, skip)
    }

    fn copy_entry(
        &mut self,
        from: &Path,
        to: &Path,
        meta: &Meta,
        skip: &dyn Fn(&Path) -> bool,
    ) -> Result<(), CopyError> {
        match meta.kind {
            FileKind::Directory => {
                self.disk.make_directory(to, 0o700)?;
                self.copy_children(from, to, skip)?;
                self.directories.push(to.to_owned());
            }
            FileKind::Socket => return Err(CopyError::Socket(from.to_owned())),
            FileKind::Symlink => self.disk.make_symlink(&self.disk.read_link(from)?, to)?,
            FileKind::File | FileKind::Fifo | FileKind::BlockDevice | FileKind::CharacterDevice => {
                if meta.links > 1 {
                    if let Some(first) = self.links.get(&meta.identity) {
                        return Ok(self.disk.make_hard_link(first, to)?);
                    }
                    self.links.insert(meta.identity, to.to_owned());
                }
                if meta.kind == FileKind::File {
                    self.disk.copy(from, to, 0o600)?;
                    self.files.push(to.to_owned());
                } else {
                    self.disk.make_special(to, meta)?;
                }
            }
        }
        self.dress(from, to, meta)
    }

    /// Copies the children of a directory into one that exists.
    pub fn copy_children(
        &mut self,
        from: &Path,
        to: &Path,
        skip: &dyn Fn(&Path) -> bool,
    ) -> Result<(), CopyError> {
        let mut names = self.disk.list(from)?;
        names.sort();
        for name in names {
            let child = from.join(&name);
            if !skip(&child) {
                let meta = self.disk.look(&child)?.ok_or_else(|| CopyError::Gone(child.clone()))?;
                self.copy_entry(&child, &to.join(&name), &meta, skip)?;
            }
        }
        Ok(())
    }

    /// Lays the tree at `from` over the one at `to`: files replace files, directories are merged, nothing is deleted
    /// beside what stands in the way.
    pub fn overlay(&mut self, from: &Path, to: &Path) -> Result<(), CopyError> {
        let meta = self.disk.look(from)?.ok_or_else(|| CopyError::Gone(from.to_owned()))?;
        match self.disk.look(to)? {
            None => return self.copy_entry(from, to, &meta, &|_| false),
            Some(there) if there.kind == FileKind::Directory && meta.kind == FileKind::Directory => {}
            Some(_) => {
                remove_tree(self.disk, to)?;
                return self.copy_entry(from, to, &meta, &|_| false);
            }
        }
        let mut names = self.disk.list(from)?;
        names.sort();
        for name in names {
            self.overlay(&from.join(&name), &to.join(&name))?;
        }
        self.dress(from, to, &meta)
    }

    /// Gives `to` what `meta` and the extended attributes of `from` say, in the order in which nothing is cleared again.
    fn dress(&self, from: &Path, to: &Path, meta: &Meta) -> Result<(), CopyError> {
        let there = self.disk.look(to)?.ok_or_else(|| CopyError::Gone(to.to_owned()))?;
        if (there.uid, there.gid) != (meta.uid, meta.gid) {
            self.disk.set_owner(to, meta.uid, meta.gid)?;
        }
        if meta.kind != FileKind::Symlink {
            self.disk.set_mode(to, meta.mode)?;
        }
        for (name, value) in self.disk.xattrs(from)? {
            self.disk.set_xattr(to, &name, &value)?;
        }
        Ok(self.disk.set_times(to, meta.atime_ns, meta.mtime_ns)?)
    }

    /// Waits until every file and directory that was copied is on the disk.
    ///
    /// The writing of all files is started first, so that the waits overlap: one journal commit of the file system then
    /// serves many of them.
    pub fn sync(&self) -> Result<(), DiskError> {
        sync_all(self.disk, &self.files, &self.directories)
    }
}

/// Waits until files, then directories (children first) are on the disk.
pub fn sync_all(disk: &dyn Disk, files: &[PathBuf], directories: &[PathBuf]) -> Result<(), DiskError> {
    for file in files {
        disk.start_sync(file)?;
    }
    for file in files {
        disk.sync_file(file)?;
    }
    directories.iter().try_for_each(|directory| disk.sync_directory(directory))
}

/// Waits until a whole tree is on the disk.
pub fn sync_tree(disk: &dyn Disk, root: &Path) -> Result<(), DiskError> {
    let (mut files, mut directories) = (Vec::new(), Vec::new());
    collect(disk, root, &mut files, &mut directories)?;
    sync_all(disk, &files, &directories)
}

fn collect(
    disk: &dyn Disk,
    path: &Path,
    files: &mut Vec<PathBuf>,
    directories: &mut Vec<PathBuf>,
) -> Result<(), DiskError> {
    match disk.look(path)?.map(|meta| meta.kind) {
        Some(FileKind::File) => files.push(path.to_owned()),
        Some(FileKind::Directory) => {
            for name in disk.list(path)? {
                collect(disk, &path.join(name), files, directories)?;
            }
            directories.push(path.to_owned());
        }
        // Links and nodes are entries of their directory; a path that is not there needs no sync.
        Some(_) | None => {}
    }
    Ok(())
}

/// Removes whatever is at `path`, links not followed; nothing there is fine.
pub fn remove_tree(disk: &dyn Disk, path: &Path) -> Result<(), DiskError> {
    match disk.look(path)? {
        None => Ok(()),
        Some(meta) if meta.kind == FileKind::Directory => {
            if meta.mode & 0o700 != 0o700 {
                // A folder that its owner may not write cannot be emptied by him either.
                disk.set_mode(path, meta.mode | 0o700)?;
            }
            for name in disk.list(path)? {
                remove_tree(disk, &path.join(name))?;
            }
            disk.remove_directory(path)
        }
        Some(_) => disk.remove_file(path),
    }
}

/// Makes a directory and those above it that are missing, down from `root`, which exists.
pub fn make_directories(disk: &dyn Disk, root: &Path, path: &Path) -> Result<(), DiskError> {
    let mut here = root.to_owned();
    for part in path.strip_prefix(root).unwrap_or(path).components() {
        here.push(part);
        if disk.look(&here)?.is_none() {
            disk.make_directory(&here, 0o755)?;
        }
    }
    Ok(())
}

/// Does `work` in `directory` without leaving a trace in its time of modification.
pub fn keeping_time<T, E: From<DiskError>>(
    disk: &dyn Disk,
    directory: &Path,
    work: impl FnOnce() -> Result<T, E>,
) -> Result<T, E> {
    let meta = disk.look(directory)?;
    let done = work()?;
    if let Some(meta) = meta {
        disk.set_times(directory, meta.atime_ns, meta.mtime_ns)?;
    }
    Ok(done)
}
