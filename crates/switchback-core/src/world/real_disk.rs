//! The disk as it is: each operation is one or a few system calls, and no error is without its path.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{
    Advice, AtFlags, CWD, FileType, FlockOperation, Gid, Mode, OFlags, RawDir, RenameFlags, StatxFlags,
    Timespec, Timestamps, Uid, XattrFlags,
};
use rustix::io::Errno;

use super::disk::{Disk, DiskError, FileKind, Identity, Lock, LockHolder, Meta, ReadSeek, Space, Survey};
use super::survey;

/// The disk of this machine.
#[derive(Debug)]
pub struct RealDisk;

const NANOSECONDS: i128 = 1_000_000_000;

/// What is asked of an entry.
const LOOKED_AT: StatxFlags = StatxFlags::BASIC_STATS.union(StatxFlags::BTIME);

impl Disk for RealDisk {
    fn look(&self, path: &Path) -> Result<Option<Meta>, DiskError> {
        match rustix::fs::statx(CWD, path, AtFlags::SYMLINK_NOFOLLOW, LOOKED_AT) {
            Ok(stat) => Ok(Some(meta(&stat))),
            Err(Errno::NOENT | Errno::NOTDIR) => Ok(None),
            Err(error) => Err(DiskError::new("look at", path, error)),
        }
    }

    fn list(&self, path: &Path) -> Result<Vec<OsString>, DiskError> {
        let failed = |error| DiskError::new("list", path, error);
        let handle = open(path, OFlags::RDONLY | OFlags::DIRECTORY).map_err(|error| failed(error.into()))?;
        let mut names = Vec::new();
        for entry in rustix::fs::Dir::new(handle).map_err(|error| failed(error.into()))? {
            let entry = entry.map_err(|error| failed(std::io::Error::from(error)))?;
            let name = entry.file_name().to_bytes();
            if !matches!(name, b"." | b"..") {
                names.push(OsString::from_vec(name.to_vec()));
            }
        }
        Ok(names)
    }

    fn look_inside(&self, path: &Path) -> Result<Vec<(OsString, Meta)>, DiskError> {
        let failed = |error: Errno| DiskError::new("list", path, error);
        let handle = open(path, OFlags::RDONLY | OFlags::DIRECTORY).map_err(failed)?;
        let mut buffer = vec![MaybeUninit::<u8>::uninit(); 32 * 1024];
        let mut names = RawDir::new(&handle, &mut buffer);
        let mut found = Vec::new();
        while let Some(entry) = names.next() {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name();
            if matches!(name.to_bytes(), b"." | b"..") {
                continue;
            }
            // From the directory on: the way to it need not be gone through again for each of its entries.
            match rustix::fs::statx(&handle, name, AtFlags::SYMLINK_NOFOLLOW, LOOKED_AT) {
                Ok(stat) => found.push((OsStr::from_bytes(name.to_bytes()).to_owned(), meta(&stat))),
                Err(Errno::NOENT) => {}
                Err(error) => {
                    let path = path.join(OsStr::from_bytes(name.to_bytes()));
                    return Err(DiskError::new("look at", &path, error));
                }
            }
        }
        Ok(found)
    }

    fn read(&self, path: &Path, bytes_max: u64) -> Result<Vec<u8>, DiskError> {
        let mut file = open_file(path)?;
        let failed = |error| DiskError::new("read", path, error);
        // What it says of its size is where to begin, no more: what grows is read to its end, and some files say nothing. A file that says
        // that it is too large is not read.
        let says = file.metadata().map_err(failed)?.len();
        if says > bytes_max {
            return Err(too_large(path, bytes_max));
        }
        let mut content = Vec::with_capacity(usize::try_from(says).unwrap_or_default() + 1);
        (&mut file).take(bytes_max.saturating_add(1)).read_to_end(&mut content).map_err(failed)?;
        if content.len() as u64 > bytes_max {
            return Err(too_large(path, bytes_max));
        }
        Ok(content)
    }

    fn open(&self, path: &Path) -> Result<Box<dyn Read + Send>, DiskError> {
        Ok(Box::new(open_file(path)?))
    }

    fn open_seekable(&self, path: &Path) -> Result<Box<dyn ReadSeek + Send>, DiskError> {
        Ok(Box::new(open_file(path)?))
    }

    fn hash(&self, path: &Path) -> Result<[u8; 32], DiskError> {
        let file = open_file(path)?;
        // Advice only: where it is not taken, the page cache answers, as it does for every other reader.
        let _ = rustix::fs::fadvise(&file, 0, None, Advice::DontNeed);
        let mut hasher = blake3::Hasher::new();
        hasher.update_reader(file).map_err(|error| DiskError::new("read", path, error))?;
        Ok(*hasher.finalize().as_bytes())
    }

    fn read_link(&self, path: &Path) -> Result<PathBuf, DiskError> {
        let target = rustix::fs::readlink(path, Vec::new())
            .map_err(|error| DiskError::new("read the link", path, error))?;
        Ok(PathBuf::from(OsString::from_vec(target.into_bytes())))
    }

    fn xattrs(&self, path: &Path) -> Result<Vec<(OsString, Vec<u8>)>, DiskError> {
        let names = match grown(|buffer| rustix::fs::llistxattr(path, buffer)) {
            Ok(names) => names,
            Err(Errno::NOTSUP) => return Ok(Vec::new()),
            Err(error) => return Err(DiskError::new("list the extended attributes of", path, error)),
        };
        let mut found = Vec::new();
        for name in names.split(|byte| *byte == 0).filter(|name| !name.is_empty()) {
            let name = OsStr::from_bytes(name);
            match grown(|buffer| rustix::fs::lgetxattr(path, name, buffer)) {
                Ok(value) => found.push((name.to_owned(), value)),
                // Removed in between.
                Err(Errno::NODATA) => {}
                Err(error) => {
                    return Err(DiskError::new("read the extended attributes of", path, error));
                }
            }
        }
        found.sort();
        Ok(found)
    }

    fn space(&self, path: &Path) -> Result<Space, DiskError> {
        let stat = rustix::fs::statvfs(path).map_err(|error| DiskError::new("measure", path, error))?;
        let inodes = if stat.f_files == 0 { u64::MAX } else { stat.f_favail };
        Ok(Space { bytes: stat.f_bavail.saturating_mul(stat.f_frsize), inodes })
    }

    fn survey(&self, path: &Path, within_ms: Option<u64>) -> Result<Option<Survey>, DiskError> {
        let limit = |within_ms| survey::Limit { within: Duration::from_millis(within_ms), entries: None };
        survey::survey(path, within_ms.map(limit))
    }

    fn survey_of(&self, path: &Path, within_ms: u64, entries: u64) -> Result<Option<Survey>, DiskError> {
        let limit = survey::Limit { within: Duration::from_millis(within_ms), entries: Some(entries) };
        survey::survey(path, Some(limit))
    }

    fn write_new(&self, path: &Path, mode: u32, content: &mut dyn Read) -> Result<(), DiskError> {
        let mut file = File::from(create(path, mode)?);
        std::io::copy(content, &mut file).map_err(|error| DiskError::new("write", path, error))?;
        Ok(())
    }

    fn append(&self, path: &Path, content: &[u8]) -> Result<(), DiskError> {
        let flags = OFlags::WRONLY | OFlags::APPEND | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = rustix::fs::open(path, flags, Mode::from_raw_mode(0o644))
            .map_err(|error| DiskError::new("write", path, error))?;
        File::from(file).write_all(content).map_err(|error| DiskError::new("write", path, error))
    }

    fn copy(&self, from: &Path, to: &Path, mode: u32) -> Result<(), DiskError> {
        let mut source = open_file(from)?;
        let target = File::from(create(to, mode)?);
        let failed = |error: std::io::Error| DiskError::new("copy to", to, error);
        let size = source.metadata().map_err(|error| DiskError::new("read", from, error))?.len();
        if size == 0 || rustix::fs::ioctl_ficlone(&target, &source).is_ok() {
            return Ok(());
        }
        target.set_len(size).map_err(failed)?;
        copy_data(&mut source, &target, size).map_err(failed)
    }

    fn overwrite(&self, path: &Path, offset: u64, content: &[u8]) -> Result<(), DiskError> {
        let failed = |error: Errno| DiskError::new("write", path, error);
        let file = open(path, OFlags::WRONLY).map_err(failed)?;
        let mut done = 0;
        while done < content.len() {
            done += rustix::io::pwrite(&file, &content[done..], offset + done as u64).map_err(failed)?;
        }
        rustix::fs::fdatasync(&file).map_err(|error| DiskError::new("sync", path, error))
    }

    fn make_directory(&self, path: &Path, mode: u32) -> Result<(), DiskError> {
        rustix::fs::mkdir(path, Mode::from_raw_mode(mode))
            .map_err(|error| DiskError::new("make the directory", path, error))
    }

    fn make_symlink(&self, target: &Path, path: &Path) -> Result<(), DiskError> {
        rustix::fs::symlink(target, path).map_err(|error| DiskError::new("make the link", path, error))
    }

    fn make_hard_link(&self, existing: &Path, path: &Path) -> Result<(), DiskError> {
        rustix::fs::linkat(CWD, existing, CWD, path, AtFlags::empty())
            .map_err(|error| DiskError::new("make the hard link", path, error))
    }

    fn make_special(&self, path: &Path, like: &Meta) -> Result<(), DiskError> {
        let kind = match like.kind {
            FileKind::Fifo => FileType::Fifo,
            FileKind::BlockDevice => FileType::BlockDevice,
            FileKind::CharacterDevice => FileType::CharacterDevice,
            FileKind::File | FileKind::Directory | FileKind::Symlink | FileKind::Socket => {
                let why = std::io::Error::other("it is not a pipe or a device");
                return Err(DiskError::new("make the node", path, why));
            }
        };
        rustix::fs::mknodat(CWD, path, kind, Mode::from_raw_mode(like.mode), like.device_number)
            .map_err(|error| DiskError::new("make the node", path, error))
    }

    fn set_owner(&self, path: &Path, uid: u32, gid: u32) -> Result<(), DiskError> {
        let owner = (Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid)));
        rustix::fs::chownat(CWD, path, owner.0, owner.1, AtFlags::SYMLINK_NOFOLLOW)
            .map_err(|error| DiskError::new("set the owner of", path, error))
    }

    fn set_mode(&self, path: &Path, mode: u32) -> Result<(), DiskError> {
        rustix::fs::chmod(path, Mode::from_raw_mode(mode))
            .map_err(|error| DiskError::new("set the mode of", path, error))
    }

    fn set_xattr(&self, path: &Path, name: &OsStr, value: &[u8]) -> Result<(), DiskError> {
        rustix::fs::lsetxattr(path, name, value, XattrFlags::empty())
            .map_err(|error| DiskError::new("set the extended attributes of", path, error))
    }

    fn set_times(&self, path: &Path, atime_ns: i128, mtime_ns: i128) -> Result<(), DiskError> {
        let times = Timestamps { last_access: timespec(atime_ns), last_modification: timespec(mtime_ns) };
        rustix::fs::utimensat(CWD, path, &times, AtFlags::SYMLINK_NOFOLLOW)
            .map_err(|error| DiskError::new("set the times of", path, error))
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<(), DiskError> {
        rename(from, to, RenameFlags::NOREPLACE).map_err(|error| DiskError::new("rename", from, error))
    }

    fn rename_over(&self, from: &Path, to: &Path) -> Result<(), DiskError> {
        rename(from, to, RenameFlags::empty()).map_err(|error| DiskError::new("rename", from, error))
    }

    fn exchange(&self, one: &Path, other: &Path) -> Result<(), DiskError> {
        rename(one, other, RenameFlags::EXCHANGE).map_err(|error| DiskError::new("exchange", one, error))
    }

    fn remove_file(&self, path: &Path) -> Result<(), DiskError> {
        rustix::fs::unlink(path).map_err(|error| DiskError::new("remove", path, error))
    }

    fn remove_directory(&self, path: &Path) -> Result<(), DiskError> {
        rustix::fs::rmdir(path).map_err(|error| DiskError::new("remove the directory", path, error))
    }

    fn start_sync(&self, path: &Path) -> Result<(), DiskError> {
        let file = open_file(path)?;
        // Asking to drop the pages makes the kernel write the dirty ones out first; it is advice and may be ignored.
        let _ = rustix::fs::fadvise(&file, 0, None, Advice::DontNeed);
        Ok(())
    }

    fn sync_file(&self, path: &Path) -> Result<(), DiskError> {
        let file = open_file(path)?;
        rustix::fs::fsync(&file).map_err(|error| DiskError::new("sync", path, error))
    }

    fn sync_directory(&self, path: &Path) -> Result<(), DiskError> {
        let directory = open(path, OFlags::RDONLY | OFlags::DIRECTORY)
            .map_err(|error| DiskError::new("sync", path, error))?;
        rustix::fs::fsync(&directory).map_err(|error| DiskError::new("sync", path, error))
    }

    fn is_locked(&self, path: &Path) -> Result<bool, DiskError> {
        let file = open_file(path)?;
        match rustix::fs::flock(&file, FlockOperation::NonBlockingLockShared) {
            Ok(()) => Ok(false),
            Err(Errno::WOULDBLOCK) => Ok(true),
            Err(error) => Err(DiskError::new("lock", path, error)),
        }
    }

    fn lock_to_read(&self, path: &Path) -> Result<Result<Box<dyn Lock>, LockHolder>, DiskError> {
        let file = open_file(path)?;
        match rustix::fs::fcntl_lock(&file, FlockOperation::NonBlockingLockShared) {
            Ok(()) => Ok(Ok(Box::new(RealLock { _file: file }))),
            Err(Errno::ACCESS | Errno::AGAIN) => Ok(Err(LockHolder { note: record_holder(&file) })),
            Err(error) => Err(DiskError::new("lock", path, error)),
        }
    }

    fn lock(&self, path: &Path, note: &str) -> Result<Result<Box<dyn Lock>, LockHolder>, DiskError> {
        let failed = |error: std::io::Error| DiskError::new("lock", path, error);
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = rustix::fs::open(path, flags, Mode::from_raw_mode(0o644)).map_err(|e| failed(e.into()))?;
        let mut file = File::from(file);
        match exclusive(&file) {
            Ok(()) => {}
            Err(Errno::WOULDBLOCK) => {
                let mut holder = Vec::new();
                (&mut file).take(4096).read_to_end(&mut holder).map_err(failed)?;
                let note = String::from_utf8_lossy(&holder).trim().to_owned();
                return Ok(Err(LockHolder { note }));
            }
            Err(error) => return Err(failed(error.into())),
        }
        file.set_len(0).map_err(failed)?;
        file.write_all(note.as_bytes()).map_err(failed)?;
        Ok(Ok(Box::new(RealLock { _file: file })))
    }
}

/// The kernel lets go of the lock when the file is closed, also by the death of the process.
#[derive(Debug)]
struct RealLock {
    _file: File,
}

impl Lock for RealLock {}

/// Who holds a lock of records for writing, as far as the kernel tells (proc(5), `/proc/locks`).
fn record_holder(file: &File) -> String {
    const LOCKS_BYTES_MAX: u64 = 1 << 20;
    let inode = rustix::fs::fstat(file).map(|stat| stat.st_ino.to_string()).unwrap_or_default();
    let mut locks = String::new();
    let listed = open(Path::new("/proc/locks"), OFlags::RDONLY).map(File::from);
    // What cannot be read is not told; that somebody holds it is known all the same.
    drop(listed.map(|file| file.take(LOCKS_BYTES_MAX).read_to_string(&mut locks)));
    let holder = locks.lines().find_map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let place = words.get(5)?.rsplit(':').next()?;
        (words.get(3) == Some(&"WRITE") && place == inode).then(|| (*words.get(4).unwrap_or(&"?")).to_owned())
    });
    match holder.filter(|id| id.parse::<u32>().is_ok_and(|id| id > 0)) {
        Some(id) => format!("process {id}"),
        None => "another process".to_owned(),
    }
}

/// Takes the lock; somebody who only asks whether it is held lets go of it at once, so it is tried a few times.
fn exclusive(file: &File) -> Result<(), Errno> {
    const ATTEMPTS: u32 = 5;
    const PAUSE: Duration = Duration::from_millis(4);
    for _ in 1..ATTEMPTS {
        match rustix::fs::flock(file, FlockOperation::NonBlockingLockExclusive) {
            Err(Errno::WOULDBLOCK) => std::thread::sleep(PAUSE),
            done => return done,
        }
    }
    rustix::fs::flock(file, FlockOperation::NonBlockingLockExclusive)
}

fn open(path: &Path, flags: OFlags) -> Result<OwnedFd, Errno> {
    rustix::fs::open(path, flags | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty())
}

fn too_large(path: &Path, bytes_max: u64) -> DiskError {
    let why = format!("it is larger than {bytes_max} bytes");
    DiskError::new("read", path, std::io::Error::new(std::io::ErrorKind::FileTooLarge, why))
}

fn open_file(path: &Path) -> Result<File, DiskError> {
    // Without NONBLOCK, opening a pipe that nobody writes to would wait for ever.
    open(path, OFlags::RDONLY | OFlags::NONBLOCK)
        .map(File::from)
        .map_err(|error| DiskError::new("read", path, error))
}

fn create(path: &Path, mode: u32) -> Result<OwnedFd, DiskError> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::open(path, flags, Mode::from_raw_mode(mode))
        .map_err(|error| DiskError::new("create", path, error))
}

fn rename(from: &Path, to: &Path, flags: RenameFlags) -> Result<(), Errno> {
    if flags.is_empty() {
        // The call that every file system has.
        return rustix::fs::renameat(CWD, from, CWD, to);
    }
    match rustix::fs::renameat_with(CWD, from, CWD, to, flags) {
        // Network file systems and old ones have no flags (rename(2)). The name is ours alone, so that a look is enough.
        Err(Errno::INVAL | Errno::NOSYS) if flags == RenameFlags::NOREPLACE => {
            match rustix::fs::statat(CWD, to, AtFlags::SYMLINK_NOFOLLOW) {
                Err(Errno::NOENT) => rustix::fs::renameat(CWD, from, CWD, to),
                Err(error) => Err(error),
                Ok(_) => Err(Errno::EXIST),
            }
        }
        done => done,
    }
}

fn timespec(nanoseconds: i128) -> Timespec {
    let seconds = i64::try_from(nanoseconds.div_euclid(NANOSECONDS)).unwrap_or(i64::MAX);
    let rest = i64::try_from(nanoseconds.rem_euclid(NANOSECONDS)).unwrap_or(0);
    Timespec { tv_sec: seconds, tv_nsec: rest }
}

fn time(stamp: rustix::fs::StatxTimestamp) -> i128 {
    i128::from(stamp.tv_sec) * NANOSECONDS + i128::from(stamp.tv_nsec)
}

fn meta(stat: &rustix::fs::Statx) -> Meta {
    let kind = match FileType::from_raw_mode(u32::from(stat.stx_mode)) {
        FileType::Directory => FileKind::Directory,
        FileType::Symlink => FileKind::Symlink,
        FileType::Fifo => FileKind::Fifo,
        FileType::Socket => FileKind::Socket,
        FileType::BlockDevice => FileKind::BlockDevice,
        FileType::CharacterDevice => FileKind::CharacterDevice,
        FileType::RegularFile | FileType::Unknown => FileKind::File,
    };
    let born = stat.stx_mask & StatxFlags::BTIME.bits() != 0;
    Meta {
        kind,
        identity: Identity {
            device: rustix::fs::makedev(stat.stx_dev_major, stat.stx_dev_minor),
            inode: stat.stx_ino,
            born_ns: if born { time(stat.stx_btime) } else { 0 },
        },
        mode: u32::from(stat.stx_mode) & 0o7777,
        uid: stat.stx_uid,
        gid: stat.stx_gid,
        size: stat.stx_size,
        links: u64::from(stat.stx_nlink),
        mtime_ns: time(stat.stx_mtime),
        ctime_ns: time(stat.stx_ctime),
        atime_ns: time(stat.stx_atime),
        device_number: rustix::fs::makedev(stat.stx_rdev_major, stat.stx_rdev_minor),
    }
}

/// Copies the parts of a file that hold data; `target` already has its full length, so the rest stays a hole.
fn copy_data(source: &mut File, target: &File, size: u64) -> std::io::Result<()> {
    let mut at = 0;
    while at < size {
        let start = match rustix::fs::seek(&*source, rustix::fs::SeekFrom::Data(at)) {
            Ok(start) => start,
            // No data after `at`: the rest is a hole.
            Err(Errno::NXIO) => return Ok(()),
            // A file system that knows no holes.
            Err(Errno::INVAL) => at,
            Err(error) => return Err(error.into()),
        };
        let end = rustix::fs::seek(&*source, rustix::fs::SeekFrom::Hole(start)).unwrap_or(size).min(size);
        copy_range(source, target, start, end)?;
        at = end.max(start + 1);
    }
    Ok(())
}

fn copy_range(source: &mut File, mut target: &File, start: u64, end: u64) -> std::io::Result<()> {
    let (mut from, mut to) = (start, start);
    while from < end {
        let wanted = usize::try_from(end - from).unwrap_or(usize::MAX).min(1 << 30);
        match rustix::fs::copy_file_range(&*source, Some(&mut from), target.as_fd(), Some(&mut to), wanted) {
            // The source became shorter; the manifest check that follows will say so.
            Ok(0) => return Ok(()),
            Ok(_) => {}
            Err(Errno::XDEV | Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL) => {
                source.seek(SeekFrom::Start(from))?;
                target.seek(SeekFrom::Start(from))?;
                std::io::copy(&mut source.take(end - from), &mut target)?;
                return Ok(());
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Calls `read` with a growing buffer until the answer fits.
fn grown(read: impl Fn(&mut [u8]) -> Result<usize, Errno>) -> Result<Vec<u8>, Errno> {
    let mut buffer = vec![0; 256];
    loop {
        match read(&mut buffer) {
            Ok(length) => {
                buffer.truncate(length);
                return Ok(buffer);
            }
            Err(Errno::RANGE) if buffer.len() < 1 << 20 => buffer.resize(buffer.len() * 4, 0),
            Err(error) => return Err(error),
        }
    }
}
