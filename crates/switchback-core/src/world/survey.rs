//! A quick look at a whole tree: every entry's metadata, no content, on all cores.

use std::ffi::{CStr, CString};
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::fs::{AtFlags, Mode, OFlags, RawDir, Statx, StatxFlags};

use super::disk::{DiskError, Survey};

/// More threads than this do not help: the kernel's own locks become the limit.
const THREADS_MAX: usize = 8;
/// So many entries are looked at whatever the time: what a small tree comes to must not hang on how busy a machine is.
const ENTRIES_BEYOND_TIME: u64 = 4_000;
/// After so many entries, and again after as many, it is asked whether the rest can be done in time.
const ENTRIES_TO_TELL: u64 = 256;
/// A pace that is too slow by less than half is believed after so many: the first entries may have been slow for another reason.
const ENTRIES_TO_BE_SURE: u64 = 1_024;

/// How long a survey may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limit {
    pub(super) within: Duration,
    /// How many entries are to be expected, where that is known: then a survey that cannot be done in time ends as soon as
    /// that can be told, and costs next to nothing.
    pub(super) entries: Option<u64>,
}

/// Surveys the tree at `root`. `None` when its time was over, or was sure to be over, before it was done.
pub(super) fn survey(root: &Path, limit: Option<Limit>) -> Result<Option<Survey>, DiskError> {
    let name = CString::new(root.as_os_str().as_bytes())
        .map_err(|error| DiskError::new("look at", root, std::io::Error::other(error)))?;
    let stat = look(rustix::fs::CWD, &name).map_err(|error| DiskError::new("look at", root, error))?;
    let mut total = Total::default();
    total.add(&digest_of(Path::new(""), &mut [record(b"", &stat, true)]));
    let mut moved = Total::default();
    moved.add(&digest_of(Path::new(""), &mut [record(b"", &stat, false)]));
    let newest = ctime_ns(&stat);
    let mut rest = Part { newest, ..Part::default() };
    if is_directory(&stat) {
        let threads = std::thread::available_parallelism().map_or(1, usize::from).min(THREADS_MAX);
        let queue = Queue::new(limit, threads);
        queue.push(PathBuf::new());
        let parts = std::thread::scope(|scope| {
            let workers: Vec<_> = (0..threads).map(|_| scope.spawn(|| queue.work(root))).collect();
            workers.into_iter().map(|worker| worker.join().map_err(|_| ())).collect::<Vec<_>>()
        });
        for part in parts {
            let part = part.map_err(|()| {
                DiskError::new("look at", root, std::io::Error::other("a survey thread ended unexpectedly"))
            })??;
            rest.total.add(&part.total.0);
            rest.entries += part.entries;
            rest.newest = rest.newest.max(part.newest);
        }
        if queue.is_cut.load(Ordering::Relaxed) {
            return Ok(None);
        }
    }
    total.add(&rest.total.0);
    moved.add(&rest.total.0);
    Ok(Some(Survey {
        digest: total.bytes(),
        digest_moved: moved.bytes(),
        entries: rest.entries + 1,
        newest_ctime_ns: rest.newest,
    }))
}

/// A sum of hashes, lane by lane: the order of the summands does not matter.
#[derive(Debug, Default)]
struct Total([u64; 4]);

impl Total {
    fn add(&mut self, other: &[u64; 4]) {
        for (lane, more) in self.0.iter_mut().zip(other) {
            *lane = lane.wrapping_add(*more);
        }
    }

    fn bytes(&self) -> [u8; 32] {
        let mut bytes = [0; 32];
        for (chunk, lane) in bytes.chunks_exact_mut(8).zip(self.0) {
            chunk.copy_from_slice(&lane.to_le_bytes());
        }
        bytes
    }
}

#[derive(Debug, Default)]
struct Part {
    total: Total,
    entries: u64,
    newest: i128,
}

/// The directories still to be read, shared by the threads.
struct Queue {
    waiting: Mutex<Vec<PathBuf>>,
    changed: Condvar,
    /// Directories that were queued and are not yet done; at zero the survey is over.
    open: AtomicUsize,
    /// Nothing more is to be looked at.
    is_over: AtomicBool,
    /// Something was left out for that.
    is_cut: AtomicBool,
    started: Instant,
    limit: Option<Limit>,
    threads: u64,
    /// Entries looked at so far.
    seen: AtomicU64,
    /// For how long threads have looked at them, added up.
    busy_ns: AtomicU64,
}

impl Queue {
    fn new(limit: Option<Limit>, threads: usize) -> Self {
        Self {
            waiting: Mutex::new(Vec::new()),
            changed: Condvar::new(),
            open: AtomicUsize::new(0),
            is_over: AtomicBool::new(false),
            is_cut: AtomicBool::new(false),
            started: Instant::now(),
            limit,
            threads: threads as u64,
            seen: AtomicU64::new(0),
            busy_ns: AtomicU64::new(0),
        }
    }

    /// Counts entries that a thread has looked at since then, and tells whether there is time for more.
    fn goes_on(&self, entries: u64, since: &mut Instant) -> bool {
        let Some(limit) = self.limit else { return true };
        let busy = u64::try_from(since.elapsed().as_nanos()).unwrap_or(u64::MAX);
        *since = Instant::now();
        let seen = self.seen.fetch_add(entries, Ordering::Relaxed) + entries;
        let busy_ns = self.busy_ns.fetch_add(busy, Ordering::Relaxed).saturating_add(busy);
        let is_late = is_late(limit, self.threads, seen, busy_ns, self.started.elapsed());
        if is_late {
            self.is_over.store(true, Ordering::Relaxed);
        }
        !is_late && !self.is_over.load(Ordering::Relaxed)
    }

    fn push(&self, directory: PathBuf) {
        self.open.fetch_add(1, Ordering::SeqCst);
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).push(directory);
        self.changed.notify_one();
    }

    fn next(&self) -> Option<PathBuf> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(directory) = waiting.pop() {
                return Some(directory);
            }
            if self.open.load(Ordering::SeqCst) == 0 {
                return None;
            }
            waiting = self
                .changed
                .wait_timeout(waiting, Duration::from_millis(5))
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }

    fn work(&self, root: &Path) -> Result<Part, DiskError> {
        let (mut part, mut failure) = (Part::default(), None);
        let mut buffer = vec![MaybeUninit::<u8>::uninit(); 64 * 1024];
        while let Some(directory) = self.next() {
            // After a failure or past the time the queue is only drained, so that every thread ends.
            if self.is_over.load(Ordering::Relaxed) {
                self.is_cut.store(true, Ordering::Relaxed);
            } else if failure.is_none() {
                failure = self.read(root, &directory, &mut buffer, &mut part).err();
            }
            if self.open.fetch_sub(1, Ordering::SeqCst) == 1 {
                // Under the lock: a thread between its look at `open` and its wait would sleep through this.
                let _waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
                self.changed.notify_all();
            }
        }
        failure.map_or(Ok(part), Err)
    }

    fn read(
        &self,
        root: &Path,
        directory: &Path,
        buffer: &mut [MaybeUninit<u8>],
        part: &mut Part,
    ) -> Result<(), DiskError> {
        let path = if directory.as_os_str().is_empty() { root.to_owned() } else { root.join(directory) };
        let failed = |error: rustix::io::Errno| DiskError::new("look at", &path, error);
        let handle: OwnedFd = rustix::fs::open(
            &path,
            OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC,
            Mode::empty(),
        )
        .map_err(failed)?;
        let mut names = RawDir::new(&handle, buffer);
        let mut records = Vec::new();
        let mut since = Instant::now();
        while let Some(found) = names.next() {
            let found = found.map_err(failed)?;
            let name = found.file_name();
            if matches!(name.to_bytes(), b"." | b"..") {
                continue;
            }
            // Removed between the listing and the look: then it is not part of the tree.
            let Ok(stat) = look(&handle, name) else { continue };
            records.push(record(name.to_bytes(), &stat, true));
            part.entries += 1;
            part.newest = part.newest.max(ctime_ns(&stat));
            if is_directory(&stat) {
                self.push(directory.join(std::ffi::OsStr::from_bytes(name.to_bytes())));
            }
            let is_turn = (records.len() as u64).is_multiple_of(ENTRIES_TO_TELL);
            if is_turn && !self.goes_on(ENTRIES_TO_TELL, &mut since) {
                self.is_cut.store(true, Ordering::Relaxed);
                return Ok(());
            }
        }
        self.goes_on(records.len() as u64 % ENTRIES_TO_TELL, &mut since);
        part.total.add(&digest_of(directory, &mut records));
        Ok(())
    }
}

/// Whether the time is over, or will be before the rest is done at the pace so far. `busy_ns` is what `seen` entries took all
/// threads together, so that a first directory, which one thread lists alone, does not make the rest look slow.
fn is_late(limit: Limit, threads: u64, seen: u64, busy_ns: u64, elapsed: Duration) -> bool {
    let is_over = seen > ENTRIES_BEYOND_TIME && elapsed > limit.within;
    // The root is among those that are expected, and not among those that are counted here.
    let below = limit.entries.map(|entries| entries.saturating_sub(1));
    let Some(entries) = below.filter(|entries| *entries > ENTRIES_BEYOND_TIME) else {
        return is_over;
    };
    let rest = u128::from(entries.saturating_sub(seen));
    let rest_ns = rest * u128::from(busy_ns) / u128::from(seen.max(1) * threads);
    let (needed_ns, within_ns) = (elapsed.as_nanos() + rest_ns, limit.within.as_nanos());
    let is_told = seen >= ENTRIES_TO_BE_SURE || (seen >= ENTRIES_TO_TELL && needed_ns > 2 * within_ns);
    is_over || (needed_ns > within_ns && (is_told || limit.within.is_zero()))
}

fn look(directory: impl std::os::fd::AsFd, name: &CStr) -> rustix::io::Result<Statx> {
    let wanted = StatxFlags::BASIC_STATS;
    rustix::fs::statx(directory, name, AtFlags::SYMLINK_NOFOLLOW | AtFlags::NO_AUTOMOUNT, wanted)
}

fn is_directory(stat: &Statx) -> bool {
    rustix::fs::FileType::from_raw_mode(u32::from(stat.stx_mode)) == rustix::fs::FileType::Directory
}

fn ctime_ns(stat: &Statx) -> i128 {
    i128::from(stat.stx_ctime.tv_sec) * 1_000_000_000 + i128::from(stat.stx_ctime.tv_nsec)
}

/// One entry as bytes: name, kind and mode, owner, inode, size, times.
fn record(name: &[u8], stat: &Statx, with_ctime: bool) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(name.len() + 72);
    bytes.extend_from_slice(name);
    bytes.push(0);
    bytes.extend_from_slice(&stat.stx_mode.to_le_bytes());
    bytes.extend_from_slice(&stat.stx_uid.to_le_bytes());
    bytes.extend_from_slice(&stat.stx_gid.to_le_bytes());
    bytes.extend_from_slice(&stat.stx_ino.to_le_bytes());
    bytes.extend_from_slice(&stat.stx_size.to_le_bytes());
    bytes.extend_from_slice(&stat.stx_mtime.tv_sec.to_le_bytes());
    bytes.extend_from_slice(&stat.stx_mtime.tv_nsec.to_le_bytes());
    if with_ctime {
        bytes.extend_from_slice(&stat.stx_ctime.tv_sec.to_le_bytes());
        bytes.extend_from_slice(&stat.stx_ctime.tv_nsec.to_le_bytes());
    }
    bytes
}

fn digest_of(directory: &Path, records: &mut [Vec<u8>]) -> [u64; 4] {
    records.sort_unstable();
    let mut hasher = blake3::Hasher::new();
    hasher.update(directory.as_os_str().as_bytes());
    hasher.update(&[0, 0]);
    for record in records {
        hasher.update(&(record.len() as u64).to_le_bytes());
        hasher.update(record);
    }
    let mut lanes = [0; 4];
    for (lane, chunk) in lanes.iter_mut().zip(hasher.finalize().as_bytes().chunks_exact(8)) {
        *lane = u64::from_le_bytes(chunk.try_into().unwrap_or_default());
    }
    lanes
}

#[cfg(test)]
mod tests {
    #![expect(clippy::disallowed_methods, reason = "a test lays out its tree directly")]

    use super::*;

    const MILLISECOND: u64 = 1_000_000;

    fn is_late(within_ms: u64, entries: Option<u64>, seen: u64, elapsed_ms: u64) -> bool {
        let limit = Limit { within: Duration::from_millis(within_ms), entries };
        // Two threads that never waited.
        super::is_late(limit, 2, seen, 2 * elapsed_ms * MILLISECOND, Duration::from_millis(elapsed_ms))
    }

    #[test]
    fn what_cannot_be_done_in_time_is_given_up_at_once_and_what_can_is_not() {
        // 500 entries a millisecond: 15 ms are enough for 7,500.
        assert!(is_late(15, Some(50_000), 500, 1));
        assert!(!is_late(15, Some(7_000), 500, 1));
        assert!(!is_late(15, Some(50_000), 100, 1), "too few to tell");
        assert!(!is_late(15, Some(10_000), 500, 1), "it may have been slow to begin with");
        assert!(is_late(15, Some(10_000), 1_024, 2));
        assert!(is_late(0, Some(50_000), 1, 1), "there is no time at all");
        assert!(!is_late(15, None, 500, 1), "nobody knows how many there are");
    }

    #[test]
    fn a_small_tree_is_looked_at_whatever_the_time_and_a_large_one_until_it_is_over() {
        // With the root there is one more than are counted.
        assert!(!is_late(0, Some(ENTRIES_BEYOND_TIME + 1), ENTRIES_BEYOND_TIME, 100));
        assert!(!is_late(15, None, ENTRIES_BEYOND_TIME, 100));
        assert!(is_late(15, None, ENTRIES_BEYOND_TIME + 1, 100));
        assert!(is_late(15, Some(100), ENTRIES_BEYOND_TIME + 1, 100), "it has grown");
    }

    #[test]
    fn a_survey_that_came_to_its_end_is_one_however_long_it_took() {
        let root = tempfile::tempdir().unwrap();
        for folder in ["a", "b"] {
            std::fs::create_dir(root.path().join(folder)).unwrap();
            for number in 0..1_999 {
                std::fs::write(root.path().join(folder).join(number.to_string()), "").unwrap();
            }
        }
        let whole = survey(root.path(), None).unwrap().unwrap();
        assert_eq!(whole.entries, ENTRIES_BEYOND_TIME + 1);
        let no_time = |entries| Some(Limit { within: Duration::ZERO, entries });
        for entries in [None, Some(whole.entries)] {
            let found = survey(root.path(), no_time(entries)).unwrap().unwrap();
            assert_eq!(found.digest, whole.digest);
        }
        assert!(survey(root.path(), no_time(Some(100_000))).unwrap().is_none(), "more were expected");
        for number in 0..2_000 {
            std::fs::write(root.path().join("a").join(format!("new {number}")), "").unwrap();
        }
        assert!(survey(root.path(), no_time(None)).unwrap().is_none());
    }

    #[test]
    fn a_directory_that_one_thread_lists_alone_does_not_make_the_rest_look_slow() {
        let limit = Limit { within: Duration::from_millis(15), entries: Some(14_000) };
        // 10 ms by one of eight threads for 5,000 entries: the others are done in 2.25 ms by all.
        assert!(!super::is_late(limit, 8, 5_000, 10 * MILLISECOND, Duration::from_millis(10)));
        assert!(super::is_late(limit, 1, 5_000, 10 * MILLISECOND, Duration::from_millis(10)));
    }
}
