//! A simulated disk with a volatile and a durable side: what was not synced may be lost in a crash, in any combination.
//!
//! It is weaker than any real file system: of the operations on directories since the last sync of the directory, any
//! subset survives a crash, in order. It implements what the exchange protocol uses and refuses everything else.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::io::Errno;
use switchback_core::world::{
    Disk, DiskError, FileKind, Identity, Lock, LockHolder, Meta, ReadSeek, Space, Survey,
};

/// Which promise the disk breaks. An honest one breaks none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lies {
    /// None.
    None,
    /// A synced directory is not on the disk.
    Directories,
    /// What was written and synced into a file is not on the disk.
    Records,
    /// The N-th sync, counted from 1 over files, directories and synced writes, answers that it was done, and was not.
    Sync(u32),
}

/// A crash: when, what of the unsynced survives, and how much of a write that it interrupts.
#[derive(Debug, Clone, Copy)]
pub struct Crash {
    /// Before this call, counted from 1; a later one than there are is a crash after the end.
    pub at: u32,
    /// Bit n: the n-th unsynced operation survives.
    pub survivors: u64,
    /// Of an interrupted write, so many bytes arrive (modulo its length).
    pub torn_bytes: usize,
}

#[derive(Debug, Clone)]
enum Node {
    Directory,
    File(Vec<u8>),
    Link(PathBuf),
}

#[derive(Debug, Clone)]
enum Operation {
    Add(PathBuf, u64),
    Remove(PathBuf),
    Rename(PathBuf, PathBuf),
    Exchange(PathBuf, PathBuf),
    Write(u64, Vec<u8>),
}

#[derive(Debug, Clone, Default)]
struct Contents {
    names: BTreeMap<PathBuf, u64>,
    nodes: BTreeMap<u64, Node>,
}

impl Contents {
    fn apply(&mut self, operation: &Operation) {
        match operation {
            Operation::Add(path, inode) => {
                self.names.insert(path.clone(), *inode);
            }
            Operation::Remove(path) => {
                self.names.remove(path);
            }
            Operation::Rename(from, to) => {
                if let Some(inode) = self.names.remove(from) {
                    self.names.insert(to.clone(), inode);
                }
            }
            Operation::Exchange(one, other) => {
                if let (Some(first), Some(second)) =
                    (self.names.get(one).copied(), self.names.get(other).copied())
                {
                    self.names.insert(one.clone(), second);
                    self.names.insert(other.clone(), first);
                }
            }
            Operation::Write(inode, content) => {
                self.nodes.insert(*inode, Node::File(content.clone()));
            }
        }
    }
}

#[derive(Debug)]
struct State {
    now: Contents,
    durable: Contents,
    unsynced: Vec<(PathBuf, Operation)>,
    crash: Option<Crash>,
    calls: u32,
    is_dead: bool,
    lies: Lies,
    syncs: Vec<String>,
}

impl State {
    /// What was written into a file before it was synced cannot arrive after it.
    fn forget_writes(&mut self, written: u64) {
        self.unsynced
            .retain(|(_, operation)| !matches!(operation, Operation::Write(inode, _) if *inode == written));
    }

    /// Notes a sync that is asked for; whether it is carried out.
    fn syncs(&mut self, what: &str, path: &Path) -> bool {
        self.syncs.push(format!("{what} {}", path.display()));
        self.lies != Lies::Sync(u32::try_from(self.syncs.len()).unwrap_or(u32::MAX))
    }
}

/// The disk.
#[derive(Debug)]
pub struct SimDisk {
    state: Mutex<State>,
}

impl SimDisk {
    /// An empty disk.
    pub fn new(lies: Lies) -> Self {
        let contents = Contents::default();
        let state = State {
            now: contents.clone(),
            durable: contents,
            unsynced: Vec::new(),
            crash: None,
            calls: 0,
            is_dead: false,
            lies,
            syncs: Vec::new(),
        };
        Self { state: Mutex::new(state) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes everything durable and arms a crash; calls are counted from here.
    pub fn settle(&self, crash: Option<Crash>) {
        let mut state = self.state();
        state.durable = state.now.clone();
        state.unsynced.clear();
        state.crash = crash;
        state.calls = 0;
    }

    /// Arms the next crash and leaves what is unsynced unsynced.
    pub fn arm(&self, crash: Crash) {
        let mut state = self.state();
        state.crash = Some(crash);
        state.calls = 0;
    }

    /// The machine goes down, if it has not yet, and comes up again with what survived.
    pub fn restart(&self) {
        let mut state = self.state();
        let survivors = state.crash.map_or(0, |crash| crash.survivors);
        let operations = std::mem::take(&mut state.unsynced);
        for (number, (_, operation)) in operations.iter().enumerate() {
            if survivors >> (number % 64) & 1 == 1 {
                state.durable.apply(operation);
            }
        }
        // A name may have survived whose inode was never synced: a file of that kind is empty.
        let nodes = state.now.nodes.clone();
        for (inode, node) in nodes {
            let survived = if matches!(node, Node::File(_)) { Node::File(Vec::new()) } else { node };
            state.durable.nodes.entry(inode).or_insert(survived);
        }
        state.now = state.durable.clone();
        state.crash = None;
        state.calls = 0;
        state.is_dead = false;
    }

    /// From here on the disk lies like this; syncs are counted from here.
    pub fn lie(&self, lies: Lies) {
        let mut state = self.state();
        state.lies = lies;
        state.syncs.clear();
    }

    /// Every sync that was asked for so far, in order: what, and of which path.
    pub fn syncs(&self) -> Vec<String> {
        self.state().syncs.clone()
    }

    /// How many calls there were since the last crash was armed.
    pub fn calls(&self) -> u32 {
        self.state().calls
    }

    /// Which inode stands at a path.
    pub fn inode(&self, path: &Path) -> Option<u64> {
        self.state().now.names.get(path).copied()
    }

    /// Makes a directory or an empty tree at `path`; returns its inode.
    pub fn plant(&self, path: &Path) -> u64 {
        let mut state = self.state();
        let inode = new_inode(&state.now);
        state.now.nodes.insert(inode, Node::Directory);
        state.now.names.insert(path.to_owned(), inode);
        inode
    }

    fn step(&self, doing: &'static str, path: &Path) -> Result<MutexGuard<'_, State>, DiskError> {
        let mut state = self.state();
        state.calls += 1;
        if state.crash.is_some_and(|crash| crash.at == state.calls) {
            state.is_dead = true;
        }
        if state.is_dead { Err(DiskError::new(doing, path, Errno::IO)) } else { Ok(state) }
    }

    fn change(&self, doing: &'static str, path: &Path, operation: Operation) -> Result<(), DiskError> {
        let mut state = self.step(doing, path)?;
        state.now.apply(&operation);
        state.unsynced.push((parent(path), operation));
        Ok(())
    }
}

fn new_inode(contents: &Contents) -> u64 {
    contents.nodes.last_key_value().map_or(1, |(inode, _)| inode + 1)
}

fn parent(path: &Path) -> PathBuf {
    path.parent().unwrap_or(Path::new("/")).to_owned()
}

fn refused<T>(doing: &'static str, path: &Path) -> Result<T, DiskError> {
    Err(DiskError::new(doing, path, Errno::NOTSUP))
}

impl Disk for SimDisk {
    fn look(&self, path: &Path) -> Result<Option<Meta>, DiskError> {
        let state = self.step("look", path)?;
        let Some(inode) = state.now.names.get(path).copied() else { return Ok(None) };
        let kind = match state.now.nodes.get(&inode) {
            Some(Node::File(_)) => FileKind::File,
            Some(Node::Link(_)) => FileKind::Symlink,
            Some(Node::Directory) | None => FileKind::Directory,
        };
        let identity = Identity { device: 1, inode, born_ns: i128::from(inode) };
        let (mode, uid, gid, size, links) = (0o755, 0, 0, 0, 1);
        let (mtime_ns, ctime_ns, atime_ns, device_number) = (0, 0, 0, 0);
        Ok(Some(Meta {
            kind,
            identity,
            mode,
            uid,
            gid,
            size,
            links,
            mtime_ns,
            ctime_ns,
            atime_ns,
            device_number,
        }))
    }

    fn list(&self, path: &Path) -> Result<Vec<OsString>, DiskError> {
        let state = self.step("list", path)?;
        let inside = state.now.names.keys().filter(|name| name.parent() == Some(path));
        Ok(inside.filter_map(|name| name.file_name().map(OsStr::to_owned)).collect())
    }

    fn read(&self, path: &Path, _bytes_max: u64) -> Result<Vec<u8>, DiskError> {
        let state = self.step("read", path)?;
        match state.now.names.get(path).and_then(|inode| state.now.nodes.get(inode)) {
            Some(Node::File(content)) => Ok(content.clone()),
            Some(Node::Directory | Node::Link(_)) | None => Err(DiskError::new("read", path, Errno::NOENT)),
        }
    }

    fn read_link(&self, path: &Path) -> Result<PathBuf, DiskError> {
        let state = self.step("read_link", path)?;
        match state.now.names.get(path).and_then(|inode| state.now.nodes.get(inode)) {
            Some(Node::Link(target)) => Ok(target.clone()),
            Some(Node::Directory | Node::File(_)) | None => {
                Err(DiskError::new("read_link", path, Errno::INVAL))
            }
        }
    }

    fn write_new(&self, path: &Path, _mode: u32, content: &mut dyn Read) -> Result<(), DiskError> {
        let mut bytes = Vec::new();
        content.read_to_end(&mut bytes).map_err(|error| DiskError::new("write", path, error))?;
        let mut state = self.step("write", path)?;
        let inode = new_inode(&state.now);
        for operation in [Operation::Write(inode, bytes), Operation::Add(path.to_owned(), inode)] {
            state.now.apply(&operation);
            state.unsynced.push((parent(path), operation));
        }
        Ok(())
    }

    fn overwrite(&self, path: &Path, offset: u64, content: &[u8]) -> Result<(), DiskError> {
        let torn = {
            let state = self.state();
            let is_next = state.crash.is_some_and(|crash| crash.at == state.calls + 1);
            state
                .crash
                .filter(|_| is_next && !state.is_dead)
                .map(|crash| crash.torn_bytes % (content.len() + 1))
        };
        let stepped = self.step("write", path).map(drop);
        if let (Err(error), None) = (&stepped, torn) {
            return Err(DiskError::new("write", path, error.source.kind()));
        }
        let content = &content[..torn.unwrap_or(content.len())];
        let mut state = self.state();
        let Some(inode) = state.now.names.get(path).copied() else {
            return Err(DiskError::new("write", path, Errno::NOENT));
        };
        let Some(Node::File(mut bytes)) = state.now.nodes.get(&inode).cloned() else {
            return Err(DiskError::new("write", path, Errno::ISDIR));
        };
        let start = usize::try_from(offset).unwrap_or(usize::MAX);
        let end = start.saturating_add(content.len());
        match bytes.get_mut(start..end) {
            Some(place) => place.copy_from_slice(content),
            // The protocol writes into a file that is long enough from the start.
            None => return Err(DiskError::new("write", path, Errno::NOSPC)),
        }
        let operation = Operation::Write(inode, bytes);
        state.now.apply(&operation);
        let is_synced = state.syncs("write and sync", path) && state.lies != Lies::Records;
        if is_synced {
            state.durable.apply(&operation);
            state.forget_writes(inode);
        } else {
            state.unsynced.push((parent(path), operation));
        }
        stepped
    }

    fn make_symlink(&self, target: &Path, path: &Path) -> Result<(), DiskError> {
        let mut state = self.step("make the link", path)?;
        let inode = new_inode(&state.now);
        state.now.nodes.insert(inode, Node::Link(target.to_owned()));
        let operation = Operation::Add(path.to_owned(), inode);
        state.now.apply(&operation);
        state.unsynced.push((parent(path), operation));
        Ok(())
    }

    fn set_times(&self, path: &Path, _atime_ns: i128, _mtime_ns: i128) -> Result<(), DiskError> {
        self.step("set the times of", path).map(drop)
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<(), DiskError> {
        if self.inode(to).is_some() {
            return Err(DiskError::new("rename", from, Errno::EXIST));
        }
        self.rename_over(from, to)
    }

    fn rename_over(&self, from: &Path, to: &Path) -> Result<(), DiskError> {
        if self.inode(from).is_none() {
            return Err(DiskError::new("rename", from, Errno::NOENT));
        }
        self.change("rename", from, Operation::Rename(from.to_owned(), to.to_owned()))
    }

    fn exchange(&self, one: &Path, other: &Path) -> Result<(), DiskError> {
        if self.inode(one).is_none() || self.inode(other).is_none() {
            return Err(DiskError::new("exchange", one, Errno::NOENT));
        }
        self.change("exchange", one, Operation::Exchange(one.to_owned(), other.to_owned()))
    }

    fn remove_file(&self, path: &Path) -> Result<(), DiskError> {
        self.change("remove", path, Operation::Remove(path.to_owned()))
    }

    fn sync_file(&self, path: &Path) -> Result<(), DiskError> {
        let mut state = self.step("sync", path)?;
        let inode = state.now.names.get(path).copied();
        if !state.syncs("sync the file", path) {
            return Ok(());
        }
        let node = inode.and_then(|inode| Some((inode, state.now.nodes.get(&inode)?.clone())));
        if let Some((inode, node)) = node {
            state.durable.nodes.insert(inode, node);
            state.forget_writes(inode);
        }
        Ok(())
    }

    fn sync_directory(&self, path: &Path) -> Result<(), DiskError> {
        let mut state = self.step("sync", path)?;
        if !state.syncs("sync the directory", path) || state.lies == Lies::Directories {
            return Ok(());
        }
        let (synced, rest): (Vec<_>, Vec<_>) =
            std::mem::take(&mut state.unsynced).into_iter().partition(|(directory, operation)| {
                directory == path && !matches!(operation, Operation::Write(..))
            });
        state.unsynced = rest;
        for (_, operation) in &synced {
            state.durable.apply(operation);
        }
        Ok(())
    }

    fn open(&self, path: &Path) -> Result<Box<dyn Read + Send>, DiskError> {
        refused("open", path)
    }

    fn open_seekable(&self, path: &Path) -> Result<Box<dyn ReadSeek + Send>, DiskError> {
        refused("open", path)
    }

    fn hash(&self, path: &Path) -> Result<[u8; 32], DiskError> {
        refused("hash", path)
    }

    fn xattrs(&self, path: &Path) -> Result<Vec<(OsString, Vec<u8>)>, DiskError> {
        refused("list the extended attributes of", path)
    }

    fn space(&self, path: &Path) -> Result<Space, DiskError> {
        refused("measure", path)
    }

    fn survey(&self, path: &Path, _within_ms: Option<u64>) -> Result<Option<Survey>, DiskError> {
        refused("survey", path)
    }

    fn append(&self, path: &Path, _content: &[u8]) -> Result<(), DiskError> {
        refused("append to", path)
    }

    fn copy(&self, _from: &Path, to: &Path, _mode: u32) -> Result<(), DiskError> {
        refused("copy to", to)
    }

    fn make_directory(&self, path: &Path, _mode: u32) -> Result<(), DiskError> {
        refused("make the directory", path)
    }

    fn make_hard_link(&self, _existing: &Path, path: &Path) -> Result<(), DiskError> {
        refused("make the hard link", path)
    }

    fn make_special(&self, path: &Path, _like: &Meta) -> Result<(), DiskError> {
        refused("make the node", path)
    }

    fn set_owner(&self, path: &Path, _uid: u32, _gid: u32) -> Result<(), DiskError> {
        refused("set the owner of", path)
    }

    fn set_mode(&self, path: &Path, _mode: u32) -> Result<(), DiskError> {
        refused("set the mode of", path)
    }

    fn set_xattr(&self, path: &Path, _name: &OsStr, _value: &[u8]) -> Result<(), DiskError> {
        refused("set the extended attributes of", path)
    }

    fn remove_directory(&self, path: &Path) -> Result<(), DiskError> {
        refused("remove the directory", path)
    }

    fn start_sync(&self, path: &Path) -> Result<(), DiskError> {
        refused("sync", path)
    }

    fn is_locked(&self, path: &Path) -> Result<bool, DiskError> {
        refused("lock", path)
    }

    fn lock(&self, path: &Path, _note: &str) -> Result<Result<Box<dyn Lock>, LockHolder>, DiskError> {
        refused("lock", path)
    }
}
