//! One tree made equal to another, entry by entry, where it cannot be renamed as a whole: a mount point, or a folder of an
//! image below an overlay (`Documentation/filesystems/overlayfs.rst`, *Renaming directories*).
//!
//! Each entry is made beside its place, synced, and renamed into it, so that nobody sees half a file. What is equal already
//! is not touched. Doing it twice is doing it once.

use std::collections::{BTreeSet, HashMap};
use std::ffi::OsString;
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::tree::copy::{Copier, CopyError, remove_tree};
use crate::world::{Disk, DiskError, FileKind, Identity, Meta};

/// The name under which an entry is made in the folder in which it will stand.
const NEXT: &str = ".switchback.sb-next";
/// So much of two files is compared at a time.
const BLOCK_BYTES: usize = 64 * 1024;

/// Makes what is at `to` equal to what is at `from`, content and metadata; without `from`, there is nothing afterwards.
/// Everything is on the disk when it returns.
///
/// # Errors
///
/// When the disk says no, or `from` has a socket that `to` has not.
pub fn mirror(disk: &dyn Disk, from: Option<&Path>, to: &Path) -> Result<(), DiskError> {
    let parent = to.parent().unwrap_or(to);
    // Left behind by one that was killed.
    remove_tree(disk, &to.with_file_name(NEXT))?;
    let Some(from) = from else {
        remove_tree(disk, to)?;
        return disk.sync_directory(parent);
    };
    let mut mirror = Mirror { disk, placed: HashMap::new() };
    if mirror.entry(from, to)? { disk.sync_directory(parent) } else { Ok(()) }
}

/// Keeps in `newer` what is at `live` and neither in `older` nor in `newer`: what was written there since. Nothing is
/// taken out of `newer`. Everything is on the disk when it returns.
///
/// # Errors
///
/// When the disk says no.
pub fn keep_changed(disk: &dyn Disk, live: &Path, older: &Path, newer: &Path) -> Result<(), DiskError> {
    Mirror { disk, placed: HashMap::new() }.keep(live, older, newer).map(drop)
}

struct Mirror<'a> {
    disk: &'a dyn Disk,
    /// Where the first name of a file that has several was placed.
    placed: HashMap<Identity, PathBuf>,
}

impl Mirror<'_> {
    /// Makes one entry equal. Returns whether the folder that it stands in was changed.
    fn entry(&mut self, from: &Path, to: &Path) -> Result<bool, DiskError> {
        let wanted = must_be_there(self.disk, from)?;
        let there = self.disk.look(to)?;
        if let Some(there) = there
            && there.kind == FileKind::Directory
            && wanted.kind == FileKind::Directory
        {
            let is_closed = there.mode & 0o700 != 0o700;
            if is_closed && (self.has_news(from, to)? || self.has_news(to, from)?) {
                // A folder that its owner may not write cannot be altered by him either; it gets its mode at the end.
                self.disk.set_mode(to, there.mode | 0o700)?;
            }
            self.folder(from, &wanted, to)?;
            return Ok(false);
        }
        if wanted.links > 1 && wanted.kind != FileKind::Directory {
            if let Some(first) = self.placed.get(&wanted.identity).cloned() {
                return self.link(&first, to, there.as_ref());
            }
            self.placed.insert(wanted.identity, to.to_owned());
        }
        let is_linked = |meta: &Meta| meta.links > 1;
        if let Some(there) = there
            && is_linked(&there) == is_linked(&wanted)
            && self.is_same((from, &wanted), (to, &there))?
        {
            return Ok(false);
        }
        self.replace(from, to, there.as_ref())?;
        Ok(true)
    }

    fn folder(&mut self, from: &Path, wanted: &Meta, to: &Path) -> Result<(), DiskError> {
        let names = |path: &Path| -> Result<BTreeSet<OsString>, DiskError> {
            Ok(self.disk.list(path)?.into_iter().collect())
        };
        let (wanted_names, there) = (names(from)?, names(to)?);
        let mut is_changed = false;
        for name in there.difference(&wanted_names) {
            remove_tree(self.disk, &to.join(name))?;
            is_changed = true;
        }
        for name in &wanted_names {
            is_changed |= self.entry(&from.join(name), &to.join(name))?;
        }
        is_changed |= self.dress(from, wanted, to)?;
        if is_changed { self.disk.sync_directory(to) } else { Ok(()) }
    }

    /// Gives a folder the owner, mode, attributes and times of another.
    fn dress(&self, from: &Path, wanted: &Meta, to: &Path) -> Result<bool, DiskError> {
        let there = must_be_there(self.disk, to)?;
        let is_owned = (there.uid, there.gid) == (wanted.uid, wanted.gid);
        if !is_owned {
            self.disk.set_owner(to, wanted.uid, wanted.gid)?;
        }
        if !is_owned || there.mode != wanted.mode {
            self.disk.set_mode(to, wanted.mode)?;
        }
        let attributes = self.disk.xattrs(from)?;
        let has_attributes = attributes == self.disk.xattrs(to)?;
        if !has_attributes {
            for (name, value) in &attributes {
                self.disk.set_xattr(to, name, value)?;
            }
        }
        let there = must_be_there(self.disk, to)?;
        let is_timed = there.mtime_ns == wanted.mtime_ns;
        if !is_timed {
            self.disk.set_times(to, wanted.atime_ns, wanted.mtime_ns)?;
        }
        Ok(!(is_owned && has_attributes && is_timed && there.mode == wanted.mode))
    }

    /// Lets `to` be another name of the file at `first`.
    fn link(&self, first: &Path, to: &Path, there: Option<&Meta>) -> Result<bool, DiskError> {
        let first_meta = must_be_there(self.disk, first)?;
        if there.is_some_and(|there| there.identity == first_meta.identity) {
            return Ok(false);
        }
        let next = to.with_file_name(NEXT);
        remove_tree(self.disk, &next)?;
        self.disk.make_hard_link(first, &next)?;
        self.put(&next, to, there)?;
        Ok(true)
    }

    /// Puts a copy of `from` in the place of `to`.
    fn replace(&self, from: &Path, to: &Path, there: Option<&Meta>) -> Result<(), DiskError> {
        let next = to.with_file_name(NEXT);
        remove_tree(self.disk, &next)?;
        let mut copier = Copier::new(self.disk);
        copier.copy(from, &next, &|_| false).map_err(|error| of_copy(error, from))?;
        copier.sync()?;
        self.put(&next, to, there)
    }

    fn put(&self, next: &Path, to: &Path, there: Option<&Meta>) -> Result<(), DiskError> {
        let is_folder = |path: &Path| -> Result<bool, DiskError> {
            Ok(must_be_there(self.disk, path)?.kind == FileKind::Directory)
        };
        match there {
            None => self.disk.rename(next, to),
            Some(there) if there.kind != FileKind::Directory && !is_folder(next)? => {
                self.disk.rename_over(next, to)
            }
            Some(_) => {
                remove_tree(self.disk, to)?;
                self.disk.rename(next, to)
            }
        }
    }

    /// Keeps what was changed below `live`. Returns whether anything was put at `newer`.
    fn keep(&mut self, live: &Path, older: &Path, newer: &Path) -> Result<bool, DiskError> {
        let Some(meta) = self.disk.look(live)? else { return Ok(false) };
        let is_folder = |there: Option<Meta>| there.is_some_and(|there| there.kind == FileKind::Directory);
        if meta.kind == FileKind::Directory && is_folder(self.disk.look(newer)?) {
            let mut is_kept = false;
            for name in self.disk.list(live)? {
                if name != NEXT {
                    is_kept |= self.keep(&live.join(&name), &older.join(&name), &newer.join(&name))?;
                }
            }
            if is_kept {
                self.disk.sync_directory(newer)?;
            }
            return Ok(false);
        }
        if !self.has_news(live, older)? || !self.has_news(live, newer)? {
            return Ok(false);
        }
        let there = self.disk.look(newer)?;
        self.replace(live, newer, there.as_ref())?;
        if let Some(folder) = newer.parent() {
            self.disk.sync_directory(folder)?;
        }
        Ok(true)
    }

    /// Whether a tree has anything that another has not; what is only missing in it is no news.
    fn has_news(&self, live: &Path, known: &Path) -> Result<bool, DiskError> {
        let Some(meta) = self.disk.look(live)? else { return Ok(false) };
        let Some(known_meta) = self.disk.look(known)? else { return Ok(true) };
        if meta.kind != FileKind::Directory || known_meta.kind != FileKind::Directory {
            return Ok(!self.is_same((live, &meta), (known, &known_meta))?);
        }
        for name in self.disk.list(live)? {
            if name != NEXT && self.has_news(&live.join(&name), &known.join(&name))? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether two entries that are not both folders are the same: kind, owner, mode, time, attributes, content.
    fn is_same(&self, one: (&Path, &Meta), other: (&Path, &Meta)) -> Result<bool, DiskError> {
        let of = |meta: &Meta| (meta.kind, meta.mode, meta.uid, meta.gid, meta.mtime_ns);
        if of(one.1) != of(other.1) || self.disk.xattrs(one.0)? != self.disk.xattrs(other.0)? {
            return Ok(false);
        }
        match one.1.kind {
            FileKind::Symlink => Ok(self.disk.read_link(one.0)? == self.disk.read_link(other.0)?),
            FileKind::File if one.1.size == other.1.size => self.has_same_content(one.0, other.0),
            FileKind::File | FileKind::Directory => Ok(false),
            FileKind::Fifo | FileKind::Socket => Ok(true),
            FileKind::BlockDevice | FileKind::CharacterDevice => {
                Ok(one.1.device_number == other.1.device_number)
            }
        }
    }

    fn has_same_content(&self, one: &Path, other: &Path) -> Result<bool, DiskError> {
        let read = |path: &Path, file: &mut dyn Read, block: &mut Vec<u8>| {
            block.clear();
            file.take(BLOCK_BYTES as u64)
                .read_to_end(block)
                .map_err(|error| DiskError::new("read", path, error))
        };
        let (mut first, mut second) = (self.disk.open(one)?, self.disk.open(other)?);
        let (mut block, mut known) = (Vec::new(), Vec::new());
        loop {
            read(one, &mut first, &mut block)?;
            read(other, &mut second, &mut known)?;
            if block != known {
                return Ok(false);
            }
            if block.is_empty() {
                return Ok(true);
            }
        }
    }
}

fn must_be_there(disk: &dyn Disk, path: &Path) -> Result<Meta, DiskError> {
    let gone = || DiskError::new("look at", path, std::io::ErrorKind::NotFound);
    disk.look(path)?.ok_or_else(gone)
}

fn of_copy(error: CopyError, path: &Path) -> DiskError {
    match error {
        CopyError::Disk(error) => error,
        CopyError::Socket(_) | CopyError::Gone(_) => {
            DiskError::new("copy", path, std::io::Error::other(error))
        }
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "the test lays out its own small trees")]
mod tests {
    use super::*;
    use crate::manifest::Manifest;
    use crate::tree::scan;
    use crate::world::RealDisk;
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    fn seen(path: &Path) -> Manifest {
        scan(&RealDisk, path, &[PathBuf::new()]).unwrap()
    }

    fn write(path: &Path, content: &str, mode: u32) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    /// Two trees that differ in every way that a tree can.
    fn plant(root: &Path) -> (PathBuf, PathBuf) {
        let (old, new) = (root.join("old"), root.join("new"));
        for (tree, other) in [(&old, "old"), (&new, "new")] {
            write(&tree.join("same.py"), "same\n", 0o644);
            write(&tree.join("content.py"), other, 0o644);
            write(&tree.join("as-long.py"), if other == "old" { "a" } else { "b" }, 0o644);
            write(&tree.join(format!("only-{other}/deep/file")), other, 0o600);
            write(&tree.join("mode.sh"), "x", if other == "old" { 0o644 } else { 0o4755 });
            write(&tree.join("closed/file"), other, 0o400);
            symlink(other, tree.join("link")).unwrap();
        }
        write(&old.join("becomes-folder"), "", 0o644);
        write(&new.join("becomes-folder/file"), "x", 0o644);
        write(&old.join("becomes-file/file"), "x", 0o644);
        write(&new.join("becomes-file"), "", 0o644);
        for tree in [&old, &new] {
            fs::set_permissions(tree.join("closed"), fs::Permissions::from_mode(0o500)).unwrap();
        }
        // Other pairs are one file on each side.
        for (one, other, tree) in [("a", "b", &old), ("c", "d", &old), ("a", "c", &new), ("b", "d", &new)] {
            write(&tree.join(one), "linked\n", 0o644);
            fs::hard_link(tree.join(one), tree.join(other)).unwrap();
        }
        (old, new)
    }

    #[test]
    fn a_tree_becomes_another_and_the_second_time_nothing_is_touched() {
        let folder = tempfile::tempdir().unwrap();
        let (old, new) = plant(folder.path());
        let wanted = seen(&new);
        assert_ne!(seen(&old), wanted);
        mirror(&RealDisk, Some(&new), &old).unwrap();
        assert_eq!(wanted.differences(&seen(&old)), []);
        let before = RealDisk.survey(&old, None).unwrap().unwrap();
        mirror(&RealDisk, Some(&new), &old).unwrap();
        assert_eq!(RealDisk.survey(&old, None).unwrap().unwrap().digest, before.digest);
        mirror(&RealDisk, None, &old).unwrap();
        assert!(!old.exists());
        mirror(&RealDisk, Some(&new), &old).unwrap();
        assert_eq!(wanted.differences(&seen(&old)), []);
    }

    #[test]
    fn what_was_written_since_is_kept_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let (old, new) = plant(folder.path());
        let live = folder.path().join("live");
        mirror(&RealDisk, Some(&new), &live).unwrap();
        let before = seen(&new);
        // Half of an interrupted undo: entries of both sides are no news.
        write(&live.join("content.py"), "old", 0o644);
        fs::remove_dir_all(live.join("only-new")).unwrap();
        mirror(&RealDisk, Some(&old.join("only-old")), &live.join("only-old")).unwrap();
        mirror(&RealDisk, Some(&old.join("content.py")), &live.join("content.py")).unwrap();
        write(&live.join(NEXT), "half of a file", 0o600);
        keep_changed(&RealDisk, &live, &old, &new).unwrap();
        assert_eq!(before.differences(&seen(&new)), []);
        write(&live.join("content.py"), "a third one", 0o644);
        write(&live.join("fresh/notes.txt"), "fresh", 0o644);
        keep_changed(&RealDisk, &live, &old, &new).unwrap();
        assert_eq!(fs::read_to_string(new.join("content.py")).unwrap(), "a third one");
        assert_eq!(fs::read_to_string(new.join("fresh/notes.txt")).unwrap(), "fresh");
        assert!(new.join("only-new/deep/file").exists());
    }
}
