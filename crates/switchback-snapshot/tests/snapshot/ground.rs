//! What the tests stand on: a project and a vault in a temporary directory, and a disk that can be made to misbehave.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustic_core::jiff::{SignedDuration, Timestamp};
use switchback_core::manifest::Manifest;
use switchback_core::port::{PortError, SnapshotRecord, SnapshotRequest, Vault};
use switchback_core::tree::scan;
use switchback_core::world::{
    Clock, Disk, DiskError, Lock, LockHolder, Meta, ReadSeek, RealClock, RealDisk, Space, Survey, World,
};
use switchback_snapshot::RusticVault;

/// A project below `root/project` and a vault at `root/vault`.
pub(crate) struct Ground {
    pub(crate) directory: tempfile::TempDir,
    pub(crate) disk: Arc<OddDisk>,
    pub(crate) vault: RusticVault,
}

impl Ground {
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let disk = Arc::new(OddDisk::default());
        let world = World { disk: Arc::clone(&disk) as Arc<dyn Disk>, ..World::real() };
        let vault =
            RusticVault::new(world, directory.path().join("vault"), directory.path().join("vault.password"));
        fs::create_dir(directory.path().join("project")).unwrap();
        Self { directory, disk, vault }
    }

    /// The vault, some time from now: what it reads was touched so long ago.
    pub(crate) fn vault_in(&self, seconds: i64) -> RusticVault {
        let world = World {
            disk: Arc::clone(&self.disk) as Arc<dyn Disk>,
            clock: Arc::new(Ahead { real: RealClock::default(), seconds }),
            ..World::real()
        };
        RusticVault::new(world, self.at("vault"), self.at("vault.password"))
    }

    pub(crate) fn at(&self, path: impl AsRef<Path>) -> PathBuf {
        self.directory.path().join(path)
    }

    pub(crate) fn project(&self) -> PathBuf {
        self.at("project")
    }

    pub(crate) fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        let path = self.project().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    pub(crate) fn create(&self, paths: &[&str]) -> Result<SnapshotRecord, PortError> {
        self.vault.create(&SnapshotRequest {
            root: self.project(),
            paths: paths.iter().map(PathBuf::from).collect(),
            label: "before the change".into(),
        })
    }

    /// Every file of the repository below `directory`, in order.
    pub(crate) fn repository_files(&self, directory: &str) -> Vec<PathBuf> {
        let mut found = Vec::new();
        let mut waiting = vec![self.at("vault").join(directory)];
        while let Some(directory) = waiting.pop() {
            for entry in fs::read_dir(directory).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() { waiting.push(path) } else { found.push(path) }
            }
        }
        found.sort();
        found
    }
}

/// A clock that is ahead.
#[derive(Debug)]
struct Ahead {
    real: RealClock,
    seconds: i64,
}

impl Clock for Ahead {
    fn now(&self) -> Timestamp {
        self.real.now() + SignedDuration::from_secs(self.seconds)
    }
    fn monotonic(&self) -> Duration {
        self.real.monotonic()
    }
    fn sleep(&self, duration: Duration) {
        self.real.sleep(duration);
    }
}

pub(crate) fn manifest_of(root: &Path, paths: &[&str]) -> Manifest {
    scan(&RealDisk, root, &paths.iter().map(PathBuf::from).collect::<Vec<_>>()).unwrap()
}

/// Bytes that do not compress and do not repeat.
pub(crate) fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    blake3::Hasher::new().update(&seed.to_le_bytes()).finalize_xof().fill(&mut bytes);
    bytes
}

/// The whole error as a person would read it.
pub(crate) fn said(error: &PortError) -> String {
    let hint = format!("hint: {}", error.hint.as_deref().unwrap_or("none"));
    let causes = error.causes.iter().map(|cause| format!("  caused by: {cause}"));
    std::iter::once(error.message.clone()).chain(causes).chain([hint]).collect::<Vec<_>>().join("\n")
}

type Hook = Box<dyn FnMut(&str, &Path) -> Option<std::io::Error> + Send>;

/// The real disk with a hook that sees each operation that reads content or could run out of room, and may fail it.
#[derive(Default)]
pub(crate) struct OddDisk {
    hook: Mutex<Option<Hook>>,
    space: Mutex<Option<Space>>,
    /// What has one more extended attribute than the real disk says, without having been touched.
    attributed: Mutex<Option<PathBuf>>,
}

impl std::fmt::Debug for OddDisk {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("OddDisk")
    }
}

impl OddDisk {
    pub(crate) fn on(&self, hook: impl FnMut(&str, &Path) -> Option<std::io::Error> + Send + 'static) {
        *self.hook.lock().unwrap() = Some(Box::new(hook));
    }

    pub(crate) fn behave(&self) {
        *self.hook.lock().unwrap() = None;
    }

    pub(crate) fn pretend_space(&self, space: Space) {
        *self.space.lock().unwrap() = Some(space);
    }

    /// From now on there is an extended attribute that could not be seen before, as for another user.
    pub(crate) fn reveal_attribute(&self, path: PathBuf) {
        *self.attributed.lock().unwrap() = Some(path);
    }

    fn ask(&self, doing: &'static str, path: &Path) -> Result<(), DiskError> {
        let mut hook = self.hook.lock().unwrap();
        match hook.as_mut().and_then(|hook| hook(doing, path)) {
            Some(error) => Err(DiskError::new(doing, path, error)),
            None => Ok(()),
        }
    }
}

impl Disk for OddDisk {
    fn look(&self, path: &Path) -> Result<Option<Meta>, DiskError> {
        RealDisk.look(path)
    }
    fn list(&self, path: &Path) -> Result<Vec<OsString>, DiskError> {
        self.ask("list", path)?;
        RealDisk.list(path)
    }
    fn read(&self, path: &Path, bytes_max: u64) -> Result<Vec<u8>, DiskError> {
        RealDisk.read(path, bytes_max)
    }
    fn open(&self, path: &Path) -> Result<Box<dyn Read + Send>, DiskError> {
        self.ask("open", path)?;
        RealDisk.open(path)
    }
    fn open_seekable(&self, path: &Path) -> Result<Box<dyn ReadSeek + Send>, DiskError> {
        self.ask("open", path)?;
        RealDisk.open_seekable(path)
    }
    fn is_locked(&self, path: &Path) -> Result<bool, DiskError> {
        RealDisk.is_locked(path)
    }
    fn hash(&self, path: &Path) -> Result<[u8; 32], DiskError> {
        self.ask("read", path)?;
        RealDisk.hash(path)
    }
    fn read_link(&self, path: &Path) -> Result<PathBuf, DiskError> {
        RealDisk.read_link(path)
    }
    fn xattrs(&self, path: &Path) -> Result<Vec<(OsString, Vec<u8>)>, DiskError> {
        let mut all = RealDisk.xattrs(path)?;
        if self.attributed.lock().unwrap().as_deref() == Some(path) {
            all.push((OsString::from("trusted.colour"), b"blue".to_vec()));
        }
        Ok(all)
    }
    fn space(&self, path: &Path) -> Result<Space, DiskError> {
        let pretended = *self.space.lock().unwrap();
        pretended.map_or_else(|| RealDisk.space(path), Ok)
    }
    fn survey(&self, path: &Path, within_ms: Option<u64>) -> Result<Option<Survey>, DiskError> {
        RealDisk.survey(path, within_ms)
    }
    fn write_new(&self, path: &Path, mode: u32, content: &mut dyn Read) -> Result<(), DiskError> {
        self.ask("write", path)?;
        RealDisk.write_new(path, mode, content)
    }
    fn append(&self, path: &Path, content: &[u8]) -> Result<(), DiskError> {
        RealDisk.append(path, content)
    }
    fn copy(&self, from: &Path, to: &Path, mode: u32) -> Result<(), DiskError> {
        RealDisk.copy(from, to, mode)
    }
    fn overwrite(&self, path: &Path, offset: u64, content: &[u8]) -> Result<(), DiskError> {
        RealDisk.overwrite(path, offset, content)
    }
    fn make_directory(&self, path: &Path, mode: u32) -> Result<(), DiskError> {
        RealDisk.make_directory(path, mode)
    }
    fn make_symlink(&self, target: &Path, path: &Path) -> Result<(), DiskError> {
        RealDisk.make_symlink(target, path)
    }
    fn make_hard_link(&self, existing: &Path, path: &Path) -> Result<(), DiskError> {
        RealDisk.make_hard_link(existing, path)
    }
    fn make_special(&self, path: &Path, like: &Meta) -> Result<(), DiskError> {
        RealDisk.make_special(path, like)
    }
    fn set_owner(&self, path: &Path, uid: u32, gid: u32) -> Result<(), DiskError> {
        self.ask("set the owner of", path)?;
        RealDisk.set_owner(path, uid, gid)
    }
    fn set_mode(&self, path: &Path, mode: u32) -> Result<(), DiskError> {
        RealDisk.set_mode(path, mode)
    }
    fn set_xattr(&self, path: &Path, name: &OsStr, value: &[u8]) -> Result<(), DiskError> {
        RealDisk.set_xattr(path, name, value)
    }
    fn set_times(&self, path: &Path, atime_ns: i128, mtime_ns: i128) -> Result<(), DiskError> {
        self.ask("set the times of", path)?;
        RealDisk.set_times(path, atime_ns, mtime_ns)
    }
    fn rename(&self, from: &Path, to: &Path) -> Result<(), DiskError> {
        RealDisk.rename(from, to)
    }
    fn rename_over(&self, from: &Path, to: &Path) -> Result<(), DiskError> {
        self.ask("rename", to)?;
        RealDisk.rename_over(from, to)
    }
    fn exchange(&self, one: &Path, other: &Path) -> Result<(), DiskError> {
        RealDisk.exchange(one, other)
    }
    fn remove_file(&self, path: &Path) -> Result<(), DiskError> {
        RealDisk.remove_file(path)
    }
    fn remove_directory(&self, path: &Path) -> Result<(), DiskError> {
        RealDisk.remove_directory(path)
    }
    fn start_sync(&self, path: &Path) -> Result<(), DiskError> {
        RealDisk.start_sync(path)
    }
    fn sync_file(&self, path: &Path) -> Result<(), DiskError> {
        self.ask("sync", path)?;
        RealDisk.sync_file(path)
    }
    fn sync_directory(&self, path: &Path) -> Result<(), DiskError> {
        self.ask("sync the directory", path)?;
        RealDisk.sync_directory(path)
    }
    fn lock(&self, path: &Path, note: &str) -> Result<Result<Box<dyn Lock>, LockHolder>, DiskError> {
        RealDisk.lock(path, note)
    }
}
