//! Entries put on the disk, below one folder. Nothing that stands there is written over, and no link is followed.

use std::ffi::OsString;
use std::io::Read;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use super::Refusal;
use super::content::Content;
use super::entry::{Entry, EntryKind, Shown};
use super::links::Links;
use crate::tree::copy::make_directories;
use crate::world::{Disk, DiskError, FileKind, Meta};

/// Permission bits that an archive brings: those that give nobody the rights of somebody else.
const MODE_BITS: u32 = 0o777;

/// An archive on its way to the disk.
pub(super) struct Writing<'a> {
    disk: &'a dyn Disk,
    into: &'a Path,
    directories: Vec<(PathBuf, i128)>,
    links: Vec<PathBuf>,
}

impl<'a> Writing<'a> {
    /// Into this folder, which exists and is empty.
    pub(super) fn new(disk: &'a dyn Disk, into: &'a Path) -> Self {
        Self { disk, into, directories: Vec::new(), links: Vec::new() }
    }

    /// Writes an entry.
    pub(super) fn write(&mut self, entry: &Entry, content: Option<&mut Content<'_>>) -> Result<(), Refusal> {
        if entry.path.as_os_str().is_empty() {
            return Ok(());
        }
        let path = self.into.join(&entry.path);
        self.look_above(entry, &entry.path)?;
        let there = self.disk.look(&path)?;
        if let EntryKind::Directory = entry.kind {
            return self.directory(entry, &path, there);
        }
        if let Some(there) = there {
            let why = if there.kind == FileKind::Directory {
                "is no folder, and another entry has made it one"
            } else {
                "is in it twice: which one counts cannot be told"
            };
            return Err(entry.refused(why));
        }
        make_directories(self.disk, self.into, path.parent().unwrap_or(self.into))?;
        match (&entry.kind, content) {
            (EntryKind::Directory, _) => Ok(()),
            (EntryKind::File, Some(content)) => self.file(entry, &path, content),
            (EntryKind::Symlink(Some(target)), _) => self.symlink(entry, &path, target),
            (EntryKind::Symlink(None), Some(content)) => {
                let target = read_target(entry, content)?;
                self.symlink(entry, &path, &target)
            }
            (EntryKind::HardLink(target), _) => self.hard_link(entry, &path, target),
            (EntryKind::File | EntryKind::Symlink(None), None) => {
                Err(entry.refused("was read without its content"))
            }
        }
    }

    /// Sets what can only be set once everything is there, and returns the symbolic links.
    pub(super) fn finish(self) -> Result<Links, Refusal> {
        // The deepest first: making what is in a directory sets its time.
        for (directory, mtime_ns) in self.directories.iter().rev() {
            self.disk.set_times(directory, *mtime_ns, *mtime_ns)?;
        }
        Ok(Links::new(self.links))
    }

    /// Whether all that is there above a path is folders.
    fn look_above(&self, entry: &Entry, inside: &Path) -> Result<(), Refusal> {
        let mut here = self.into.to_owned();
        for part in inside.parent().unwrap_or(Path::new("")).components() {
            here.push(part);
            match self.disk.look(&here)?.map(|meta| meta.kind) {
                None => return Ok(()),
                Some(FileKind::Directory) => {}
                Some(kind) => {
                    let what = if kind == FileKind::Symlink { "a link" } else { "a file" };
                    let above = here.strip_prefix(self.into).unwrap_or(&here);
                    let above = Shown::new(above.as_os_str().as_encoded_bytes());
                    return Err(entry.refused(&format!("stands below {above}, which is {what} in it")));
                }
            }
        }
        Ok(())
    }

    fn directory(&mut self, entry: &Entry, path: &Path, there: Option<Meta>) -> Result<(), Refusal> {
        match there.map(|there| there.kind) {
            Some(FileKind::Directory) => {}
            // Its mode would be that of whatever a link leads to.
            Some(_) => {
                return Err(entry.refused("is a folder, and another entry has made it a link or a file"));
            }
            None => make_directories(self.disk, self.into, path)?,
        }
        self.disk.set_mode(path, entry.mode & MODE_BITS | 0o700)?;
        self.directories.push((path.to_owned(), entry.mtime_ns));
        Ok(())
    }

    fn file(&self, entry: &Entry, path: &Path, content: &mut Content<'_>) -> Result<(), Refusal> {
        let outcome = self.disk.write_new(path, 0o600, content);
        content.check(entry)?;
        outcome?;
        // What its owner could not read could not be compared with anything.
        self.disk.set_mode(path, entry.mode & MODE_BITS | 0o400)?;
        Ok(self.disk.set_times(path, entry.mtime_ns, entry.mtime_ns)?)
    }

    fn symlink(&mut self, entry: &Entry, path: &Path, target: &Path) -> Result<(), Refusal> {
        let bytes = target.as_os_str().as_encoded_bytes();
        if bytes.is_empty() || bytes.contains(&0) {
            return Err(entry.refused("is a link to a name that cannot be"));
        }
        self.disk.make_symlink(target, path)?;
        self.disk.set_times(path, entry.mtime_ns, entry.mtime_ns)?;
        self.links.push(path.to_owned());
        Ok(())
    }

    fn hard_link(&mut self, entry: &Entry, path: &Path, target: &Path) -> Result<(), Refusal> {
        self.look_above(entry, target)?;
        let existing = self.into.join(target);
        let shown = Shown::new(target.as_os_str().as_encoded_bytes());
        match self.disk.look(&existing)?.map(|meta| meta.kind) {
            Some(FileKind::File) => {}
            // From another place it leads elsewhere.
            Some(FileKind::Symlink) => self.links.push(path.to_owned()),
            Some(_) => return Err(entry.refused(&format!("is a hard link to the folder {shown}"))),
            None => {
                let why = format!("is a hard link to {shown}, which does not come before it");
                return Err(entry.refused(&why));
            }
        }
        Ok(self.disk.make_hard_link(&existing, path)?)
    }
}

/// The target of a link, where it is the content of the entry.
fn read_target(entry: &Entry, content: &mut Content<'_>) -> Result<PathBuf, Refusal> {
    let mut target = Vec::new();
    let outcome = content.read_to_end(&mut target);
    content.check(entry)?;
    outcome.map_err(|error| Refusal::Disk(DiskError::new("read", &entry.path, error)))?;
    Ok(PathBuf::from(OsString::from_vec(target)))
}
