//! How much may be in an archive: entries, bytes against the room that is there, and bytes against its own size.

use super::Refusal;
use super::entry::Entry;
use crate::world::Space;

/// More entries than this are refused: no project has them, and each takes an inode twice until the candidate is live.
pub(super) const ENTRIES_MAX: u64 = 2_000_000;
/// What is unpacked may be this many times as large as the archive. Source code and tables stay far below it.
const RATIO_MAX: u64 = 200;
/// Up to so many bytes nobody asks for the ratio: a small archive of zeros harms nobody.
const RATIO_FROM_BYTES: u64 = 256 << 20;
/// What an entry takes on the disk at least, its content apart.
const ENTRY_BYTES: u64 = 4_096;
/// The candidate is unpacked, and then copied to where it is staged.
const COPIES: u64 = 2;

/// How long the stream of an archive may be, headers included, whatever its entries say of their sizes.
pub(super) fn stream_bytes_max(packed_bytes: u64) -> u64 {
    packed_bytes.saturating_mul(RATIO_MAX).max(RATIO_FROM_BYTES).saturating_mul(2)
}

/// Adds up entries, and says when it becomes too much.
#[derive(Debug)]
pub(super) struct Bounds {
    packed_bytes: u64,
    free: Space,
    entries: u64,
    bytes: u64,
}

impl Bounds {
    /// For an archive of `packed_bytes` on a file system with so much room.
    pub(super) fn new(packed_bytes: u64, free: Space) -> Self {
        Self { packed_bytes, free, entries: 0, bytes: 0 }
    }

    /// Counts an entry in.
    pub(super) fn add(&mut self, entry: &Entry) -> Result<(), Refusal> {
        self.entries += 1;
        check_entries(self.entries)?;
        self.bytes = self.bytes.saturating_add(entry.bytes);
        let (bytes, packed) = (self.bytes, self.packed_bytes);
        if bytes > RATIO_FROM_BYTES && bytes > packed.saturating_mul(RATIO_MAX) {
            return Err(Refusal::Why(format!(
                "it unpacks to more than {RATIO_MAX} times its size: {bytes} bytes with entry {entry}, and it has {packed}"
            )));
        }
        let needed = bytes.saturating_add(self.entries * ENTRY_BYTES).saturating_mul(COPIES);
        if needed > self.free.bytes || self.entries.saturating_mul(COPIES) > self.free.inodes {
            return Err(Refusal::Why(format!(
                "there is no room for it: {needed} bytes and {} entries are needed up to entry {entry}, {} bytes and \
                 {} entries are free",
                self.entries * COPIES,
                self.free.bytes,
                self.free.inodes
            )));
        }
        Ok(())
    }
}

/// Refuses a number of entries.
pub(super) fn check_entries(entries: u64) -> Result<(), Refusal> {
    if entries > ENTRIES_MAX {
        return Err(Refusal::Why(format!("it has more than {ENTRIES_MAX} entries")));
    }
    Ok(())
}
