//! The end of a journal: whether the last append was cut short by a crash, or what was acknowledged is damaged.
//!
//! Events are appended to the write-ahead log of SQLite, and each append is on the disk before the next one begins
//! (`synchronous=FULL`). So a crash leaves one append that is not whole, at the very end; where whole ones follow one that is not,
//! no crash did that. Frames, salts and checksums are those of SQLite, *Database File Format*, 4.1 to 4.3.

use std::path::{Path, PathBuf};

use super::store::JournalError;
use crate::world::{Disk, DiskError};

/// No log is longer: it is taken into the database after a thousand pages.
pub(super) const LOG_BYTES_MAX: u64 = 1 << 30;
const HEADER_BYTES: usize = 32;
const FRAME_HEADER_BYTES: usize = 24;
const MAGIC: u32 = 0x377f_0682;

/// How a journal ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tail {
    /// With a whole event.
    Whole,
    /// With an append that is not whole, of so many bytes: it was never acknowledged, and is passed over.
    CutShort {
        /// What there is of it.
        bytes: u64,
    },
    /// Whole appends follow one that is not.
    Damaged {
        /// Which frame of the log is the first that is not whole, from 1.
        frame: u64,
    },
    /// Somebody appends to it now.
    Busy,
}

impl Tail {
    /// The word for it in JSON.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Whole => "whole",
            Self::CutShort { .. } => "cut-short",
            Self::Damaged { .. } => "damaged",
            Self::Busy => "busy",
        }
    }

    /// Looks at the end of the journal at `path`, before anybody opens it. `lock` is the lock of the project.
    ///
    /// # Errors
    ///
    /// When the disk says no.
    pub fn of(disk: &dyn Disk, path: &Path, lock: &Path) -> Result<Self, JournalError> {
        let is_held = || Ok::<bool, DiskError>(disk.look(lock)?.is_some() && disk.is_locked(lock)?);
        if is_held()? {
            return Ok(Self::Busy);
        }
        let found = Self::unlocked(disk, path)?;
        // Somebody may have begun meanwhile.
        Ok(if is_held()? { Self::Busy } else { found })
    }

    /// The same for whoever holds the lock.
    pub(super) fn unlocked(disk: &dyn Disk, path: &Path) -> Result<Self, JournalError> {
        let log = log_of(path);
        if disk.look(&log)?.is_none() {
            return Ok(Self::Whole);
        }
        Ok(Self::of_log(&disk.read(&log, LOG_BYTES_MAX)?))
    }

    /// What the bytes of a write-ahead log say.
    pub fn of_log(log: &[u8]) -> Self {
        if log.is_empty() {
            return Self::Whole;
        }
        let Some(reader) = Log::of(log) else { return Self::CutShort { bytes: log.len() as u64 } };
        reader.tail()
    }
}

/// The write-ahead log of the journal at `path`.
pub(super) fn log_of(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push("-wal");
    path.with_file_name(name)
}

/// A write-ahead log with a whole header.
struct Log<'a> {
    bytes: &'a [u8],
    is_big_endian: bool,
    page_bytes: usize,
    salts: [u32; 2],
    sum: [u32; 2],
}

/// A frame whose header could be read.
struct Frame {
    salts: [u32; 2],
    is_commit: bool,
    /// The checksum that it names.
    sum: [u32; 2],
    /// Where it ends.
    end: usize,
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    let four: [u8; 4] = bytes.get(at..at + 4)?.try_into().ok()?;
    Some(u32::from_be_bytes(four))
}

impl<'a> Log<'a> {
    /// `None` when the header is not whole.
    fn of(bytes: &'a [u8]) -> Option<Self> {
        let magic = number(bytes, 0)?;
        if magic & !1 != MAGIC {
            return None;
        }
        let mut log = Self {
            bytes,
            is_big_endian: magic & 1 == 1,
            page_bytes: usize::try_from(number(bytes, 8)?).ok()?,
            salts: [number(bytes, 16)?, number(bytes, 20)?],
            sum: [0, 0],
        };
        log.sum = log.summed([0, 0], bytes.get(..24)?);
        let is_whole = [number(bytes, 24)?, number(bytes, 28)?] == log.sum;
        (is_whole && (512..=65_536).contains(&log.page_bytes) && log.page_bytes.is_power_of_two())
            .then_some(log)
    }

    fn summed(&self, mut sum: [u32; 2], bytes: &[u8]) -> [u32; 2] {
        for eight in bytes.chunks_exact(8) {
            let [one, two] = [0, 4].map(|at| {
                let word = number(eight, at).unwrap_or_default();
                if self.is_big_endian { word } else { word.swap_bytes() }
            });
            sum[0] = sum[0].wrapping_add(one).wrapping_add(sum[1]);
            sum[1] = sum[1].wrapping_add(two).wrapping_add(sum[0]);
        }
        sum
    }

    /// The frame at `at`, where its header and its page are there.
    fn frame(&self, at: usize) -> Option<Frame> {
        let end = at.checked_add(FRAME_HEADER_BYTES + self.page_bytes)?;
        self.bytes.get(at..end)?;
        let field = |place: usize| number(self.bytes, at + place);
        Some(Frame {
            is_commit: field(4)? != 0,
            salts: [field(8)?, field(12)?],
            sum: [field(16)?, field(20)?],
            end,
        })
    }

    /// Whether a frame is whole, by the checksum of the one before it.
    fn is_whole(&self, at: usize, frame: &Frame, before: [u32; 2]) -> bool {
        let head = self.bytes.get(at..at + 8).unwrap_or_default();
        let page = self.bytes.get(at + FRAME_HEADER_BYTES..frame.end).unwrap_or_default();
        frame.salts == self.salts && self.summed(self.summed(before, head), page) == frame.sum
    }

    fn tail(&self) -> Tail {
        let (mut at, mut sum, mut count, mut committed) = (HEADER_BYTES, self.sum, 0, HEADER_BYTES);
        while let Some(frame) = self.frame(at) {
            if !self.is_whole(at, &frame, sum) {
                break;
            }
            (at, sum, count) = (frame.end, frame.sum, count + 1);
            if frame.is_commit {
                committed = at;
            }
        }
        let left = self.bytes.len() - at;
        let is_of_this_time = match self.frame(at) {
            // What an earlier log left behind is no part of this one.
            Some(frame) => frame.salts == self.salts,
            None => left > 0,
        };
        if is_of_this_time && self.goes_on_behind(at) {
            return Tail::Damaged { frame: count + 1 };
        }
        let end = if is_of_this_time { self.bytes.len() } else { at };
        match end - committed {
            0 => Tail::Whole,
            bytes => Tail::CutShort { bytes: bytes as u64 },
        }
    }

    /// Whether an append was finished after the one that the frame at `at` belongs to. The pages of one append reach the disk in
    /// any order, so its own last one may be whole; nothing of a later one was written before all of it was on the disk.
    fn goes_on_behind(&self, at: usize) -> bool {
        let Some(broken) = self.frame(at) else { return false };
        let (mut at, mut before, mut commits) = (broken.end, broken.sum, u32::from(broken.is_commit));
        while let Some(frame) = self.frame(at) {
            if frame.is_commit && self.is_whole(at, &frame, before) {
                commits += 1;
            }
            (at, before) = (frame.end, frame.sum);
        }
        commits > 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The log of a journal with some appends, as SQLite leaves it when it is killed.
    fn log(appends: u32) -> Vec<u8> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.db");
        let connection = rusqlite::Connection::open(&path).unwrap();
        connection.pragma_update(None, "journal_mode", "WAL").unwrap();
        connection.pragma_update(None, "synchronous", "FULL").unwrap();
        connection.execute_batch("CREATE TABLE event (seq INTEGER PRIMARY KEY, body TEXT)").unwrap();
        for seq in 1..=appends {
            connection.execute("INSERT INTO event VALUES (?1, ?2)", (seq, "x".repeat(300))).unwrap();
        }
        let disk = crate::world::World::real().disk;
        disk.read(&folder.path().join("journal.db-wal"), LOG_BYTES_MAX).unwrap()
    }

    fn frame_bytes(log: &[u8]) -> usize {
        FRAME_HEADER_BYTES + number(log, 8).unwrap() as usize
    }

    #[test]
    fn a_log_cut_anywhere_in_its_last_frame_was_cut_short_and_one_cut_between_appends_is_whole() {
        let log = log(5);
        assert_eq!(Tail::of_log(&log), Tail::Whole);
        assert_eq!(Tail::of_log(&[]), Tail::Whole);
        let last = log.len() - frame_bytes(&log);
        for cut in [1, 23, 24, 25, 700, frame_bytes(&log) - 1] {
            let found = Tail::of_log(&log[..last + cut]);
            assert!(matches!(found, Tail::CutShort { .. }), "{cut}: {found:?}");
        }
        assert_eq!(Tail::of_log(&log[..last]), Tail::Whole);
        assert!(matches!(Tail::of_log(&log[..20]), Tail::CutShort { bytes: 20 }));
    }

    #[test]
    fn a_byte_changed_before_the_last_append_is_damage_and_in_the_last_one_it_may_be_a_crash() {
        let log = log(6);
        let frame = frame_bytes(&log);
        let frames = (log.len() - HEADER_BYTES) / frame;
        for number in 0..frames {
            let mut changed = log.clone();
            changed[HEADER_BYTES + number * frame + FRAME_HEADER_BYTES + 100] ^= 1;
            let found = Tail::of_log(&changed);
            if number + 1 == frames {
                assert_eq!(found, Tail::CutShort { bytes: frame as u64 });
            } else {
                assert_eq!(found, Tail::Damaged { frame: number as u64 + 1 });
            }
        }
    }

    #[test]
    fn what_an_earlier_log_left_behind_the_end_is_no_part_of_it() {
        let (short, mut long) = (log(2), log(9));
        long.splice(..short.len(), short.iter().copied());
        assert_eq!(Tail::of_log(&long), Tail::Whole);
    }
}
