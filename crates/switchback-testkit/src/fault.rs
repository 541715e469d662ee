//! A world whose every call is counted, and that fails, dies or is killed at one of them.

use std::ffi::{OsStr, OsString};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rustix::io::Errno;
use switchback_core::world::{
    Command, Disk, DiskError, Finished, Interruption, Lock, LockHolder, Meta, ProcessError, Processes,
    ReadSeek, Space, Survey, World,
};

/// What happens at which call. Calls are counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing: calls are only counted.
    None,
    /// This call alone fails with this error.
    FailAt(u64, Errno),
    /// This call fails and so does every later one, as if the process had died before it.
    DieAt(u64),
    /// Like `DieAt`, but of what the call was to write the first half was written.
    DieWithin(u64),
    /// The process is killed, as `kill -9` does it, before this call.
    KillAt(u64),
    /// Like `KillAt`, but of what the call was to write the first half was written.
    KillWithin(u64),
}

/// What becomes of a call that somebody meddles with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meddling {
    /// It goes through.
    Honest,
    /// It answers that it was done, and was not. Only of calls that have nothing else to answer.
    Lie,
    /// It fails.
    Fail(Errno),
}

/// Somebody who does something of his own before a call, or to it.
pub trait Meddler: std::fmt::Debug + Send + Sync {
    /// Before the call with this word (`exchange`, `look`, `append to the journal` …) on this path.
    fn before(&self, doing: &str, path: &Path) -> Meddling;
}

/// Nobody meddles.
#[derive(Debug)]
struct Nobody;

impl Meddler for Nobody {
    fn before(&self, _: &str, _: &Path) -> Meddling {
        Meddling::Honest
    }
}

/// Counts the calls through a world, and carries the fault out.
#[derive(Debug)]
pub struct Counted {
    fault: Fault,
    meddler: Box<dyn Meddler>,
    calls: AtomicU64,
    struck: Mutex<Option<String>>,
}

/// What a counted call is to do.
enum Turn {
    /// Go through.
    Pass,
    /// Write half of it, then end.
    Half,
    /// Do nothing and say that it is done.
    Lie,
}

impl Counted {
    /// A world like `inner`, its disk and its processes counted together.
    pub fn around(inner: &World, fault: Fault) -> (World, Arc<Self>) {
        Self::new(inner, fault, Box::new(Nobody))
    }

    /// A world like `inner` in which somebody meddles with calls.
    pub fn meddled(inner: &World, meddler: Box<dyn Meddler>) -> (World, Arc<Self>) {
        Self::new(inner, Fault::None, meddler)
    }

    fn new(inner: &World, fault: Fault, meddler: Box<dyn Meddler>) -> (World, Arc<Self>) {
        let counted = Arc::new(Self { fault, meddler, calls: AtomicU64::new(0), struck: Mutex::default() });
        let disk = CountedDisk { inner: inner.disk.clone(), counted: counted.clone() };
        let processes = CountedProcesses { inner: inner.processes.clone(), counted: counted.clone() };
        (World { disk: Arc::new(disk), processes: Arc::new(processes), ..inner.clone() }, counted)
    }

    /// How many calls there were.
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::SeqCst)
    }

    /// The call that the fault struck: `exchange /…/src`; nothing when it was never reached.
    pub fn struck(&self) -> Option<String> {
        self.struck.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn reach(&self, doing: &'static str, path: &Path) -> Result<Turn, DiskError> {
        let call = self.calls.fetch_add(1, Ordering::SeqCst) + 1;
        match self.meddler.before(doing, path) {
            Meddling::Honest => {}
            Meddling::Lie => return Ok(Turn::Lie),
            Meddling::Fail(errno) => return Err(DiskError::new(doing, path, errno)),
        }
        let (at, errno) = match self.fault {
            Fault::None => return Ok(Turn::Pass),
            Fault::FailAt(at, errno) => (at, errno),
            // What a dead process would have been told is nobody's business; it must only go no further.
            Fault::DieAt(at) | Fault::DieWithin(at) | Fault::KillAt(at) | Fault::KillWithin(at) => {
                (at, Errno::IO)
            }
        };
        let is_after = matches!(self.fault, Fault::DieAt(_) | Fault::DieWithin(_)) && call > at;
        if call != at && !is_after {
            return Ok(Turn::Pass);
        }
        if call == at {
            let what = format!("{doing} {}", path.display());
            if matches!(self.fault, Fault::KillAt(_) | Fault::KillWithin(_)) {
                announce(call, &what);
            }
            *self.struck.lock().unwrap_or_else(PoisonError::into_inner) = Some(what);
            match self.fault {
                Fault::DieWithin(_) | Fault::KillWithin(_) if is_write(doing) => return Ok(Turn::Half),
                Fault::KillAt(_) | Fault::KillWithin(_) => kill_self(),
                _ => {}
            }
        }
        Err(DiskError::new(doing, path, errno))
    }

    /// After the first half was written.
    fn end(&self, doing: &'static str, path: &Path) -> DiskError {
        if matches!(self.fault, Fault::KillWithin(_)) {
            kill_self();
        }
        DiskError::new(doing, path, Errno::IO)
    }
}

/// Whether a call of that name writes content that can be half written.
pub fn is_write(doing: &str) -> bool {
    matches!(doing, "write_new" | "append" | "overwrite")
}

/// Says where it ends, for whoever reads a failed test.
fn announce(call: u64, what: &str) {
    let line = format!("testkit: killed at call {call}: {what}\n");
    // Nobody may be listening, and the end comes all the same.
    drop(std::io::stderr().write_all(line.as_bytes()));
}

fn kill_self() {
    // It cannot fail: a process may always kill itself. If it did, the call would fail like any other.
    let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
}

#[derive(Debug)]
struct CountedProcesses {
    inner: Arc<dyn Processes>,
    counted: Arc<Counted>,
}

impl Processes for CountedProcesses {
    fn run(&self, command: &Command) -> Result<Finished, ProcessError> {
        self.run_until(command, None)
    }

    fn run_until(
        &self,
        command: &Command,
        interruption: Option<&Interruption>,
    ) -> Result<Finished, ProcessError> {
        match self.counted.reach("run", &command.directory) {
            Ok(_) => self.inner.run_until(command, interruption),
            Err(error) => Err(ProcessError {
                program: command.argv.first().cloned().unwrap_or_default(),
                directory: command.directory.clone(),
                source: error.source,
            }),
        }
    }
}

#[derive(Debug)]
struct CountedDisk {
    inner: Arc<dyn Disk>,
    counted: Arc<Counted>,
}

impl CountedDisk {
    fn at<T>(
        &self,
        doing: &'static str,
        path: &Path,
        act: impl FnOnce(&dyn Disk) -> Result<T, DiskError>,
    ) -> Result<T, DiskError> {
        self.counted.reach(doing, path)?;
        act(self.inner.as_ref())
    }

    /// A call that answers nothing but that it was done: it can lie.
    fn done(
        &self,
        doing: &'static str,
        path: &Path,
        act: impl FnOnce(&dyn Disk) -> Result<(), DiskError>,
    ) -> Result<(), DiskError> {
        match self.counted.reach(doing, path)? {
            Turn::Lie => Ok(()),
            Turn::Pass | Turn::Half => act(self.inner.as_ref()),
        }
    }

    /// A call that writes content: when it is struck within, only the first half of it arrives.
    fn writing(
        &self,
        doing: &'static str,
        path: &Path,
        content: &[u8],
        act: impl FnOnce(&dyn Disk, &[u8]) -> Result<(), DiskError>,
    ) -> Result<(), DiskError> {
        match self.counted.reach(doing, path)? {
            Turn::Pass => act(self.inner.as_ref(), content),
            Turn::Lie => Ok(()),
            Turn::Half => {
                act(self.inner.as_ref(), &content[..content.len() / 2])?;
                Err(self.counted.end(doing, path))
            }
        }
    }
}

impl Disk for CountedDisk {
    fn look(&self, path: &Path) -> Result<Option<Meta>, DiskError> {
        self.at("look", path, |disk| disk.look(path))
    }

    fn list(&self, path: &Path) -> Result<Vec<OsString>, DiskError> {
        self.at("list", path, |disk| disk.list(path))
    }

    fn read(&self, path: &Path, bytes_max: u64) -> Result<Vec<u8>, DiskError> {
        self.at("read", path, |disk| disk.read(path, bytes_max))
    }

    fn open(&self, path: &Path) -> Result<Box<dyn Read + Send>, DiskError> {
        self.at("open", path, |disk| disk.open(path))
    }

    fn open_seekable(&self, path: &Path) -> Result<Box<dyn ReadSeek + Send>, DiskError> {
        self.at("open_seekable", path, |disk| disk.open_seekable(path))
    }

    fn hash(&self, path: &Path) -> Result<[u8; 32], DiskError> {
        self.at("hash", path, |disk| disk.hash(path))
    }

    fn read_link(&self, path: &Path) -> Result<PathBuf, DiskError> {
        self.at("read_link", path, |disk| disk.read_link(path))
    }

    fn xattrs(&self, path: &Path) -> Result<Vec<(OsString, Vec<u8>)>, DiskError> {
        self.at("xattrs", path, |disk| disk.xattrs(path))
    }

    fn space(&self, path: &Path) -> Result<Space, DiskError> {
        self.at("space", path, |disk| disk.space(path))
    }

    fn survey(&self, path: &Path, within_ms: Option<u64>) -> Result<Option<Survey>, DiskError> {
        self.at("survey", path, |disk| disk.survey(path, within_ms))
    }

    fn write_new(&self, path: &Path, mode: u32, content: &mut dyn Read) -> Result<(), DiskError> {
        let mut bytes = Vec::new();
        content.read_to_end(&mut bytes).map_err(|error| DiskError::new("write_new", path, error))?;
        self.writing("write_new", path, &bytes, |disk, mut bytes| disk.write_new(path, mode, &mut bytes))
    }

    fn append(&self, path: &Path, content: &[u8]) -> Result<(), DiskError> {
        self.writing("append", path, content, |disk, content| disk.append(path, content))
    }

    fn copy(&self, from: &Path, to: &Path, mode: u32) -> Result<(), DiskError> {
        self.at("copy", to, |disk| disk.copy(from, to, mode))
    }

    fn overwrite(&self, path: &Path, offset: u64, content: &[u8]) -> Result<(), DiskError> {
        self.writing("overwrite", path, content, |disk, content| disk.overwrite(path, offset, content))
    }

    fn make_directory(&self, path: &Path, mode: u32) -> Result<(), DiskError> {
        self.at("make_directory", path, |disk| disk.make_directory(path, mode))
    }

    fn make_symlink(&self, target: &Path, path: &Path) -> Result<(), DiskError> {
        self.at("make_symlink", path, |disk| disk.make_symlink(target, path))
    }

    fn make_hard_link(&self, existing: &Path, path: &Path) -> Result<(), DiskError> {
        self.at("make_hard_link", path, |disk| disk.make_hard_link(existing, path))
    }

    fn make_special(&self, path: &Path, like: &Meta) -> Result<(), DiskError> {
        self.at("make_special", path, |disk| disk.make_special(path, like))
    }

    fn set_owner(&self, path: &Path, uid: u32, gid: u32) -> Result<(), DiskError> {
        self.at("set_owner", path, |disk| disk.set_owner(path, uid, gid))
    }

    fn set_mode(&self, path: &Path, mode: u32) -> Result<(), DiskError> {
        self.at("set_mode", path, |disk| disk.set_mode(path, mode))
    }

    fn set_xattr(&self, path: &Path, name: &OsStr, value: &[u8]) -> Result<(), DiskError> {
        self.at("set_xattr", path, |disk| disk.set_xattr(path, name, value))
    }

    fn set_times(&self, path: &Path, atime_ns: i128, mtime_ns: i128) -> Result<(), DiskError> {
        self.done("set_times", path, |disk| disk.set_times(path, atime_ns, mtime_ns))
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<(), DiskError> {
        self.done("rename", from, |disk| disk.rename(from, to))
    }

    fn rename_over(&self, from: &Path, to: &Path) -> Result<(), DiskError> {
        self.done("rename_over", from, |disk| disk.rename_over(from, to))
    }

    fn exchange(&self, one: &Path, other: &Path) -> Result<(), DiskError> {
        self.done("exchange", other, |disk| disk.exchange(one, other))
    }

    fn remove_file(&self, path: &Path) -> Result<(), DiskError> {
        self.done("remove_file", path, |disk| disk.remove_file(path))
    }

    fn remove_directory(&self, path: &Path) -> Result<(), DiskError> {
        self.done("remove_directory", path, |disk| disk.remove_directory(path))
    }

    fn start_sync(&self, path: &Path) -> Result<(), DiskError> {
        self.at("start_sync", path, |disk| disk.start_sync(path))
    }

    fn sync_file(&self, path: &Path) -> Result<(), DiskError> {
        self.done("sync_file", path, |disk| disk.sync_file(path))
    }

    fn sync_directory(&self, path: &Path) -> Result<(), DiskError> {
        self.done("sync_directory", path, |disk| disk.sync_directory(path))
    }

    fn is_locked(&self, path: &Path) -> Result<bool, DiskError> {
        self.at("is_locked", path, |disk| disk.is_locked(path))
    }

    fn foreign_effect(&self, doing: &'static str, path: &Path) -> Result<(), DiskError> {
        self.at(doing, path, |disk| disk.foreign_effect(doing, path))
    }

    fn lock_to_read(&self, path: &Path) -> Result<Result<Box<dyn Lock>, LockHolder>, DiskError> {
        self.at("lock_to_read", path, |disk| disk.lock_to_read(path))
    }

    fn lock(&self, path: &Path, note: &str) -> Result<Result<Box<dyn Lock>, LockHolder>, DiskError> {
        self.at("lock", path, |disk| disk.lock(path, note))
    }
}
