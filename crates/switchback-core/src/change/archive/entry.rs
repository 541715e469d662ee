//! An entry of an archive, and the names that can stand in a tree.

use std::ffi::OsStr;
use std::fmt::{Display, Formatter};
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use super::Refusal;

/// What Linux takes as one name.
const PART_BYTES_MAX: usize = 255;
/// What Linux takes as a path, less what may stand in front of it.
const NAME_BYTES_MAX: usize = 3_072;
/// The target of a symbolic link is at most this long.
pub(super) const TARGET_BYTES_MAX: u64 = 4_095;
/// No more of a name is shown.
const SHOWN_CHARACTERS_MAX: usize = 120;
const NANOSECONDS: i128 = 1_000_000_000;
/// The end of the year 9999. What lies behind it stands for a time that nobody knows.
const SECONDS_MAX: u64 = 253_402_300_799;
const SPECIAL_BITS: u32 = 0o7000;

/// An entry, as both formats know it.
#[derive(Debug)]
pub(super) struct Entry {
    name: Vec<u8>,
    /// Where it goes, below the folder; empty for the folder itself.
    pub(super) path: PathBuf,
    /// What it is.
    pub(super) kind: EntryKind,
    /// The size of its content.
    pub(super) bytes: u64,
    /// Permission bits.
    pub(super) mode: u32,
    /// When it was changed.
    pub(super) mtime_ns: i128,
}

/// What an entry is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum EntryKind {
    /// A folder.
    Directory,
    /// A regular file.
    File,
    /// A symbolic link, and its target where the list of entries has it; its content else.
    Symlink(Option<PathBuf>),
    /// Another name of a file in the archive.
    HardLink(PathBuf),
}

impl Entry {
    /// An entry whose name was looked at.
    pub(super) fn new(
        name: &[u8],
        kind: EntryKind,
        bytes: u64,
        mode: u32,
        mtime_ns: i128,
    ) -> Result<Self, Refusal> {
        let path = inside(name)?;
        let entry = Self { name: name.to_vec(), path, kind, bytes, mode, mtime_ns };
        if entry.kind == EntryKind::File && mode & SPECIAL_BITS & !0o1000 != 0 {
            return Err(entry.refused("would run with the rights of another user (setuid or setgid)"));
        }
        if entry.path.as_os_str().is_empty() && entry.kind != EntryKind::Directory {
            return Err(entry.refused("has the name of the archive's own folder, and is none"));
        }
        Ok(entry)
    }

    /// A refusal that names it.
    pub(super) fn refused(&self, why: &str) -> Refusal {
        Refusal::Why(format!("entry {self} {why}"))
    }
}

impl Display for Entry {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> std::fmt::Result {
        Shown::new(&self.name).fmt(formatter)
    }
}

/// A name that somebody else made up, on one line, without anything that a terminal would obey.
#[derive(Debug)]
pub(super) struct Shown(String);

impl Shown {
    /// What is shown of a name.
    pub(super) fn new(name: &[u8]) -> Self {
        let text = String::from_utf8_lossy(name);
        let mut shown: String =
            text.chars().take(SHOWN_CHARACTERS_MAX).flat_map(char::escape_debug).collect();
        if text.chars().nth(SHOWN_CHARACTERS_MAX).is_some() {
            shown.push('…');
        }
        Self(shown)
    }
}

impl Display for Shown {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "`{}`", self.0)
    }
}

/// The place behind an entry, or where an archive begins.
pub(super) fn place_after(name: Option<&[u8]>) -> String {
    name.map_or("its start".to_owned(), |name| format!("what follows entry {}", Shown::new(name)))
}

/// The path below the folder that a name of an archive stands for.
pub(super) fn inside(name: &[u8]) -> Result<PathBuf, Refusal> {
    let refused = |why: &str| Refusal::Why(format!("entry {} {why}", Shown::new(name)));
    if name.is_empty() {
        return Err(refused("has no name"));
    }
    if name.contains(&0) {
        return Err(refused("has a zero byte in its name"));
    }
    if name.len() > NAME_BYTES_MAX {
        return Err(refused("has a name that is too long"));
    }
    let mut inside = PathBuf::new();
    for part in Path::new(OsStr::from_bytes(name)).components() {
        match part {
            Component::Normal(part) if part.len() > PART_BYTES_MAX => {
                return Err(refused("has a name that is too long"));
            }
            Component::Normal(part) => inside.push(part),
            Component::CurDir => {}
            Component::ParentDir => return Err(refused("leads out of the archive: its name has a `..`")),
            Component::RootDir | Component::Prefix(_) => {
                return Err(refused("leads out of the archive: its name is absolute"));
            }
        }
    }
    Ok(inside)
}

/// A time in seconds as a time in nanoseconds; 0 for one that cannot be.
pub(super) fn time_ns(seconds: u64) -> i128 {
    if seconds > SECONDS_MAX { 0 } else { i128::from(seconds) * NANOSECONDS }
}
