//! Files and directories: what can be asked of a disk, and what can be done to it.

use std::ffi::{OsStr, OsString};
use std::fmt::Debug;
use std::io::{Read, Seek};
use std::path::{Path, PathBuf};

/// A disk operation that failed, with its path. There is no error without one.
#[derive(Debug, thiserror::Error)]
#[error("could not {doing} `{path}`: {source}")]
pub struct DiskError {
    /// What was being done: `read`, `rename` …
    pub doing: &'static str,
    /// To what.
    pub path: PathBuf,
    /// What the system said.
    pub source: std::io::Error,
}

impl DiskError {
    /// Names operation and path.
    pub fn new(doing: &'static str, path: &Path, source: impl Into<std::io::Error>) -> Self {
        Self { doing, path: path.to_owned(), source: source.into() }
    }
}

/// What a directory entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link.
    Symlink,
    /// A named pipe.
    Fifo,
    /// A socket.
    Socket,
    /// A block device.
    BlockDevice,
    /// A character device.
    CharacterDevice,
}

/// Which inode it is: two names with the same identity are the same thing, also after a rename.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Identity {
    /// Device number.
    pub device: u64,
    /// Inode number.
    pub inode: u64,
    /// Time of birth in nanoseconds; 0 where the file system keeps none. Tells a reused inode number apart.
    pub born_ns: i128,
}

/// What `lstat` (`statx`) says; links are never followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Meta {
    /// What it is.
    pub kind: FileKind,
    /// Which inode.
    pub identity: Identity,
    /// Permission bits with setuid, setgid, sticky.
    pub mode: u32,
    /// Numeric owner.
    pub uid: u32,
    /// Numeric group.
    pub gid: u32,
    /// Bytes.
    pub size: u64,
    /// How many names it has.
    pub links: u64,
    /// Modification of content, nanoseconds since 1970.
    pub mtime_ns: i128,
    /// Change of anything, nanoseconds since 1970.
    pub ctime_ns: i128,
    /// Last access, nanoseconds since 1970.
    pub atime_ns: i128,
    /// Device number of a device node.
    pub device_number: u64,
}

impl Meta {
    /// A pipe or device node to be made, which only its owner may use until its own mode is set.
    pub fn special(kind: FileKind, device_number: u64) -> Self {
        Self {
            kind,
            identity: Identity { device: 0, inode: 0, born_ns: 0 },
            mode: 0o600,
            uid: 0,
            gid: 0,
            size: 0,
            links: 1,
            mtime_ns: 0,
            ctime_ns: 0,
            atime_ns: 0,
            device_number,
        }
    }
}

/// How much room a file system has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Space {
    /// Bytes that this user may still write.
    pub bytes: u64,
    /// Inodes that may still be made; `u64::MAX` where the file system has no such limit.
    pub inodes: u64,
}

/// A quick look at a whole tree: one digest over name, identity, kind, mode, owner, size and change time of every entry.
///
/// Equal digests mean that no inode was touched in between; content is not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Survey {
    /// The digest. It does not depend on the order in which the entries are found.
    pub digest: [u8; 32],
    /// The digest without the change time of the root itself, which a rename of the root alters.
    pub digest_moved: [u8; 32],
    /// How many entries were looked at.
    pub entries: u64,
    /// The newest change time, nanoseconds since 1970.
    pub newest_ctime_ns: i128,
}

/// A file that can be read in any order.
pub trait ReadSeek: Read + Seek {}

impl<T: Read + Seek> ReadSeek for T {}

/// A held lock; it ends when this is dropped, or when the process ends in whatever way.
pub trait Lock: Debug + Send {}

/// Who holds a lock, as the holder wrote it down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockHolder {
    /// One line: who, process id, command, since when.
    pub note: String,
}

/// Files and directories. No operation follows a symbolic link in the last component of a path.
pub trait Disk: Debug + Send + Sync {
    /// What is there; `None` when nothing is.
    fn look(&self, path: &Path) -> Result<Option<Meta>, DiskError>;
    /// The names in a directory, in no order, without `.` and `..`.
    fn list(&self, path: &Path) -> Result<Vec<OsString>, DiskError>;
    /// What is in a directory, in no order, each as [`Disk::look`] says. What disappears meanwhile is left out.
    fn look_inside(&self, path: &Path) -> Result<Vec<(OsString, Meta)>, DiskError> {
        let names = self.list(path)?.into_iter();
        let looked = names.map(|name| Ok(self.look(&path.join(&name))?.map(|meta| (name, meta))));
        looked.filter_map(Result::transpose).collect()
    }
    /// The content of a file of at most `bytes_max` bytes; a larger one is an error.
    fn read(&self, path: &Path, bytes_max: u64) -> Result<Vec<u8>, DiskError>;
    /// Opens a file for reading.
    fn open(&self, path: &Path) -> Result<Box<dyn Read + Send>, DiskError>;
    /// Opens a file for reading in any order.
    fn open_seekable(&self, path: &Path) -> Result<Box<dyn ReadSeek + Send>, DiskError>;
    /// BLAKE3 of the content as the disk has it: cached pages that are clean are dropped first where that is possible.
    fn hash(&self, path: &Path) -> Result<[u8; 32], DiskError>;
    /// Where a symbolic link points.
    fn read_link(&self, path: &Path) -> Result<PathBuf, DiskError>;
    /// Extended attributes, sorted by name. A file system without them has none.
    fn xattrs(&self, path: &Path) -> Result<Vec<(OsString, Vec<u8>)>, DiskError>;
    /// Room on the file system that holds `path`.
    fn space(&self, path: &Path) -> Result<Space, DiskError>;
    /// A quick look at the whole tree at `path`; `None` when it was not finished within `within_ms`;
    /// the first some thousand entries are looked at however long that takes.
    fn survey(&self, path: &Path, within_ms: Option<u64>) -> Result<Option<Survey>, DiskError>;
    /// A survey of a tree that is known to have about so many entries: `None` as soon as it can be told that the time will not
    /// be enough.
    fn survey_of(&self, path: &Path, within_ms: u64, entries: u64) -> Result<Option<Survey>, DiskError> {
        let _ = entries;
        self.survey(path, Some(within_ms))
    }

    /// Writes a file that must not exist yet.
    fn write_new(&self, path: &Path, mode: u32, content: &mut dyn Read) -> Result<(), DiskError>;
    /// Adds to the end of a file, which is made when it is missing.
    fn append(&self, path: &Path, content: &[u8]) -> Result<(), DiskError>;
    /// Copies content to a file that must not exist yet: by reference where the file system can, keeping holes.
    fn copy(&self, from: &Path, to: &Path, mode: u32) -> Result<(), DiskError>;
    /// Writes `content` at `offset`, stretching a file that is shorter, and waits until it is on the disk.
    fn overwrite(&self, path: &Path, offset: u64, content: &[u8]) -> Result<(), DiskError>;
    /// Makes a directory; its parent must exist and it must not.
    fn make_directory(&self, path: &Path, mode: u32) -> Result<(), DiskError>;
    /// Makes a symbolic link.
    fn make_symlink(&self, target: &Path, path: &Path) -> Result<(), DiskError>;
    /// Gives a file another name.
    fn make_hard_link(&self, existing: &Path, path: &Path) -> Result<(), DiskError>;
    /// Makes a named pipe or a device node like `like`.
    fn make_special(&self, path: &Path, like: &Meta) -> Result<(), DiskError>;
    /// Sets numeric owner and group. Clears setuid, setgid and capabilities: set these after it.
    fn set_owner(&self, path: &Path, uid: u32, gid: u32) -> Result<(), DiskError>;
    /// Sets permission bits. Not for symbolic links.
    fn set_mode(&self, path: &Path, mode: u32) -> Result<(), DiskError>;
    /// Sets an extended attribute.
    fn set_xattr(&self, path: &Path, name: &OsStr, value: &[u8]) -> Result<(), DiskError>;
    /// Sets times of access and modification.
    fn set_times(&self, path: &Path, atime_ns: i128, mtime_ns: i128) -> Result<(), DiskError>;
    /// Renames to a name that must be free.
    fn rename(&self, from: &Path, to: &Path) -> Result<(), DiskError>;
    /// Renames over whatever stands at `to`.
    fn rename_over(&self, from: &Path, to: &Path) -> Result<(), DiskError>;
    /// Exchanges two names in one step (`renameat2` with `RENAME_EXCHANGE`).
    fn exchange(&self, one: &Path, other: &Path) -> Result<(), DiskError>;
    /// Removes a file, a link or a node.
    fn remove_file(&self, path: &Path) -> Result<(), DiskError>;
    /// Removes an empty directory.
    fn remove_directory(&self, path: &Path) -> Result<(), DiskError>;
    /// Starts writing a file's content to the disk and does not wait.
    fn start_sync(&self, path: &Path) -> Result<(), DiskError>;
    /// Waits until a file and its metadata are on the disk.
    fn sync_file(&self, path: &Path) -> Result<(), DiskError>;
    /// Waits until a directory's entries are on the disk.
    fn sync_directory(&self, path: &Path) -> Result<(), DiskError>;
    /// Whether somebody holds the lock at `path`.
    fn is_locked(&self, path: &Path) -> Result<bool, DiskError>;
    /// Says that a library is about to do input and output of its own. A test's disk can fail, or die, here.
    fn foreign_effect(&self, doing: &'static str, path: &Path) -> Result<(), DiskError> {
        let _ = (doing, path);
        Ok(())
    }
    /// Takes the lock of records (`fcntl`) on all of a file for reading, which keeps out whoever wants it for writing, or says
    /// who holds it for that. It ends when it is dropped, and when this process closes the file under any other handle.
    fn lock_to_read(&self, path: &Path) -> Result<Result<Box<dyn Lock>, LockHolder>, DiskError> {
        let why = std::io::Error::new(std::io::ErrorKind::Unsupported, "this disk has no locks of records");
        Err(DiskError::new("lock", path, why))
    }
    /// Takes the lock at `path` for this process, or says who holds it. `note` is written into it.
    fn lock(&self, path: &Path, note: &str) -> Result<Result<Box<dyn Lock>, LockHolder>, DiskError>;
}
