//! The file of a transaction: its records, preallocated, each with length and checksum. The format is version 1.
//!
//! The whole file is written with zeros and synced before the first record, so that a later record changes no metadata,
//! cannot meet a full disk, and needs one `fdatasync`. A reader stops at the first record that is not whole.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::participant::Participant;
use crate::world::{Disk, DiskError};

const MAGIC: &[u8; 16] = b"switchback/txn/1";
const SMALLEST_BYTES: usize = 64 * 1024;
const FILE_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// What is about to be exchanged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prepare {
    /// The phase whose candidate it is.
    pub phase: String,
    /// The generation that the candidate becomes.
    pub generation: u64,
    /// BLAKE3 of the plan.
    pub plan: String,
    /// What takes part, in the order in which it is committed.
    pub participants: Vec<Participant>,
    /// Of a restore from a copy, not a cutover: the transactions that it takes back. They are live no more once this one
    /// is committed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub takes_back: Option<Vec<String>>,
}

/// One record of the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "kebab-case")]
pub enum Record {
    /// The intent of a cutover: a crash after it and before `Commit` ends all old.
    Prepare(Prepare),
    /// The decision: all new.
    Commit,
    /// All old: the cutover was taken back before its decision.
    Aborted,
    /// The intent of a rollback, which is its decision too. `only`: the participants by position; empty: all.
    Rollback {
        /// Positions in `Prepare::participants`.
        only: Vec<usize>,
    },
    /// The rollback is done.
    RolledBack,
}

/// What the records of a transaction add up to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// Nothing was prepared: everything is old.
    Empty,
    /// In the middle of a cutover: it must be taken back.
    Prepared(Prepare),
    /// New, but for the participants at these positions, which were rolled back alone.
    Committed(Prepare, Vec<usize>),
    /// In the middle of a rollback of these participants: it must be finished. Those already rolled back before.
    RollingBack(Prepare, Vec<usize>, Vec<usize>),
    /// Everything is old again.
    RolledBack(Prepare),
    /// The cutover was taken back.
    Aborted(Prepare),
}

/// The file of one transaction.
#[derive(Debug, Clone)]
pub struct TransactionFile {
    path: PathBuf,
    end: u64,
    size: u64,
    state: State,
}

/// The file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The disk said no.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// It is not of this format.
    #[error("`{}` is not a transaction that this Switchback can read", .0.display())]
    Format(PathBuf),
    /// A record came that cannot follow.
    #[error("`{}` has a record that cannot follow the one before it", .0.display())]
    Order(PathBuf),
    /// It is full.
    #[error("`{}` has no room for another record", .0.display())]
    Full(PathBuf),
}

impl TransactionFile {
    /// Makes the file with room for `participants` to be exchanged and rolled back many times, and waits until it is on
    /// the disk, with the folders above it.
    pub fn create(disk: &dyn Disk, path: &Path, participants: usize) -> Result<Self, RecordError> {
        let size = SMALLEST_BYTES.max(participants * 2_048).next_multiple_of(4_096);
        let mut content = vec![0; size];
        content[..MAGIC.len()].copy_from_slice(MAGIC);
        disk.write_new(path, 0o600, &mut content.as_slice())?;
        disk.sync_file(path)?;
        for folder in path.ancestors().skip(1).take(2) {
            disk.sync_directory(folder)?;
        }
        Ok(Self { path: path.to_owned(), end: MAGIC.len() as u64, size: size as u64, state: State::Empty })
    }

    /// Reads the file; a last record that is not whole does not count. `None`: it was killed while it was being made.
    pub fn open(disk: &dyn Disk, path: &Path) -> Result<Option<Self>, RecordError> {
        let content = disk.read(path, FILE_BYTES_MAX)?;
        if content.len() < SMALLEST_BYTES {
            return Ok(None);
        }
        if !content.starts_with(MAGIC) {
            return Err(RecordError::Format(path.to_owned()));
        }
        let mut file = Self {
            path: path.to_owned(),
            end: MAGIC.len() as u64,
            size: content.len() as u64,
            state: State::Empty,
        };
        let mut rest = &content[MAGIC.len()..];
        while let Some((payload, after)) = next_payload(rest) {
            let record: Record =
                serde_json::from_slice(payload).map_err(|_| RecordError::Format(path.to_owned()))?;
            file.end += (rest.len() - after.len()) as u64;
            file.state = file.state.after(&record).ok_or_else(|| RecordError::Order(path.to_owned()))?;
            rest = after;
        }
        Ok(Some(file))
    }

    /// What its records add up to.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Appends a record and waits until it is on the disk.
    pub fn append(&mut self, disk: &dyn Disk, record: &Record) -> Result<(), RecordError> {
        let next = self.state.after(record).ok_or_else(|| RecordError::Order(self.path.clone()))?;
        let payload = serde_json::to_vec(record).map_err(|_| RecordError::Format(self.path.clone()))?;
        let length = u32::try_from(payload.len()).map_err(|_| RecordError::Full(self.path.clone()))?;
        let mut bytes = Vec::with_capacity(payload.len() + 8);
        bytes.extend_from_slice(&length.to_le_bytes());
        bytes.extend_from_slice(&checksum(&payload).to_le_bytes());
        bytes.extend_from_slice(&payload);
        if self.end + bytes.len() as u64 + 8 > self.size {
            return Err(RecordError::Full(self.path.clone()));
        }
        disk.overwrite(&self.path, self.end, &bytes)?;
        self.end += bytes.len() as u64;
        self.state = next;
        Ok(())
    }
}

/// The checksum covers the length too, so that a torn length cannot find a matching payload.
fn checksum(payload: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&(payload.len() as u64).to_le_bytes());
    hasher.update(payload);
    hasher.finalize()
}

fn next_payload(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let length = u32::from_le_bytes(bytes.get(..4)?.try_into().ok()?) as usize;
    let sum = u32::from_le_bytes(bytes.get(4..8)?.try_into().ok()?);
    let payload = bytes.get(8..8 + length)?;
    (length > 0 && checksum(payload) == sum).then_some((payload, &bytes[8 + length..]))
}

impl State {
    /// The table of legal transitions: the state after `record`, or `None` when it cannot follow.
    fn after(&self, record: &Record) -> Option<Self> {
        Some(match (self, record) {
            (Self::Empty | Self::Aborted(_), Record::Prepare(prepare)) => Self::Prepared(prepare.clone()),
            (Self::Prepared(prepare), Record::Commit) => Self::Committed(prepare.clone(), Vec::new()),
            (Self::Prepared(prepare), Record::Aborted) => Self::Aborted(prepare.clone()),
            (Self::Committed(prepare, undone), Record::Rollback { only }) => {
                // What is old already is nobody's to exchange any more: it may have been changed since.
                let wanted = if only.is_empty() {
                    (0..prepare.participants.len()).filter(|at| !undone.contains(at)).collect()
                } else {
                    only.clone()
                };
                Self::RollingBack(prepare.clone(), wanted, undone.clone())
            }
            (Self::RollingBack(prepare, wanted, undone), Record::RolledBack) => {
                let mut all: Vec<usize> = undone.iter().chain(wanted).copied().collect();
                all.sort_unstable();
                all.dedup();
                if all.len() == prepare.participants.len() {
                    Self::RolledBack(prepare.clone())
                } else {
                    Self::Committed(prepare.clone(), all)
                }
            }
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::exchange::Way;
    use crate::world::RealDisk;

    fn prepare() -> Record {
        let identity = crate::world::Identity { device: 1, inode: 2, born_ns: 1_700_000_000_123_456_789 };
        let path = Participant::Path {
            live: "a".into(),
            beside: ".a.sb-t1".into(),
            kept: "k/a".into(),
            old: Some(identity.into()),
            new: None,
            way: Way::TwoRenames,
        };
        let pointer = Participant::Pointer { link: "l".into(), old: None, new: "g/t1".into() };
        let participants = vec![path, pointer];
        Record::Prepare(Prepare {
            phase: "p".into(),
            generation: 1,
            plan: "x".into(),
            participants,
            takes_back: None,
        })
    }

    #[test]
    fn records_read_back_and_a_torn_one_does_not_count() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t");
        let mut file = TransactionFile::create(&RealDisk, &path, 1).unwrap();
        file.append(&RealDisk, &prepare()).unwrap();
        let before_commit = file.end;
        file.append(&RealDisk, &Record::Commit).unwrap();
        let read = TransactionFile::open(&RealDisk, &path).unwrap().unwrap();
        assert_eq!(read.state(), file.state());
        assert_eq!(read.end, file.end);
        for torn in before_commit..file.end {
            RealDisk.overwrite(&path, before_commit, &serialised_commit()).unwrap();
            let mut byte = RealDisk.read(&path, FILE_BYTES_MAX).unwrap()[usize::try_from(torn).unwrap()];
            byte ^= 0x10;
            RealDisk.overwrite(&path, torn, &[byte]).unwrap();
            let read = TransactionFile::open(&RealDisk, &path).unwrap().unwrap();
            assert!(matches!(read.state(), State::Prepared(_)), "byte {torn}");
        }
    }

    fn serialised_commit() -> Vec<u8> {
        let payload = br#"{"record":"commit"}"#;
        let mut bytes = u32::try_from(payload.len()).unwrap_or_default().to_le_bytes().to_vec();
        bytes.extend_from_slice(&checksum(payload).to_le_bytes());
        bytes.extend_from_slice(payload);
        bytes
    }

    #[test]
    fn what_cannot_follow_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let mut file = TransactionFile::create(&RealDisk, &folder.path().join("t"), 1).unwrap();
        for record in [Record::Commit, Record::Aborted, Record::RolledBack, Record::Rollback { only: vec![] }]
        {
            assert!(matches!(file.append(&RealDisk, &record), Err(RecordError::Order(_))), "{record:?}");
        }
        file.append(&RealDisk, &prepare()).unwrap();
        assert!(matches!(file.append(&RealDisk, &prepare()), Err(RecordError::Order(_))));
    }
}
