//! A damaged end of a journal, kept before anybody appends: SQLite passes over it, and the next event would hide that it was there.

use std::path::{Path, PathBuf};

use super::event::Event;
use super::store::JournalError;
use super::tail::{LOG_BYTES_MAX, Tail, log_of};
use crate::world::Disk;

const HASH_CHARACTERS: usize = 12;

/// Events that were acknowledged and are lost, found when a journal was opened for writing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// The first frame of the write-ahead log that is not whole, from 1.
    pub frame: u64,
    /// Where that log is kept as it was found.
    pub kept: PathBuf,
}

impl Damage {
    /// Looks at the end of the journal at `path`, which nobody has opened, and keeps a damaged one beside it. Killed in its middle, it
    /// does the same again.
    pub(super) fn kept(disk: &dyn Disk, path: &Path) -> Result<Option<Self>, JournalError> {
        let Tail::Damaged { frame } = Tail::unlocked(disk, path)? else { return Ok(None) };
        let log = log_of(path);
        let content = disk.read(&log, LOG_BYTES_MAX)?;
        let hash = blake3::hash(&content).to_hex();
        let mut name = log.file_name().unwrap_or_default().to_owned();
        name.push(format!(".damaged-{}", hash.chars().take(HASH_CHARACTERS).collect::<String>()));
        let kept = log.with_file_name(name);
        if disk.look(&kept)?.is_some() {
            disk.remove_file(&kept)?;
        }
        disk.write_new(&kept, 0o600, &mut content.as_slice())?;
        disk.sync_file(&kept)?;
        if let Some(folder) = kept.parent() {
            disk.sync_directory(folder)?;
        }
        Ok(Some(Self { frame, kept }))
    }

    /// What the journal says of it from then on.
    pub(super) fn event(&self) -> Event {
        let kept = self.kept.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Event::JournalDamaged { frame: self.frame, kept }
    }

    /// In words, for people.
    pub fn told(&self) -> String {
        format!(
            "the end of the journal is damaged, and events that were acknowledged are lost (frame {} of its write-ahead log is not \
             whole, and whole ones follow it: no crash does that); that log is kept as `{}`, and the journal says that they are missing",
            self.frame,
            self.kept.display()
        )
    }
}
