//! The content of a stored file, block by block, so that long runs of zeros can be told from data.

use rustic_core::DataId;
use rustic_core::repofile::BlobType;
use switchback_core::manifest::Hash;

use crate::blobs::Blobs;
use crate::trouble::Trouble;

/// A block of this many bytes, all zero, at a multiple of its size, becomes a hole when it is restored.
pub(crate) const BLOCK_BYTES: usize = 64 * 1024;

/// Reads a stored file in blocks of [`BLOCK_BYTES`]; the last one may be shorter.
pub(crate) struct Blocks<'a> {
    blobs: &'a Blobs,
    ids: std::slice::Iter<'a, DataId>,
    /// The blob that is being read, and how much of it was.
    blob: Vec<u8>,
    used: usize,
}

impl<'a> Blocks<'a> {
    pub(crate) fn new(blobs: &'a Blobs, ids: &'a [DataId]) -> Self {
        Self { blobs, ids: ids.iter(), blob: Vec::new(), used: 0 }
    }

    /// Fills `block` with the next bytes; it is empty at the end.
    pub(crate) fn next_into(&mut self, block: &mut Vec<u8>) -> Result<(), Trouble> {
        block.clear();
        while block.len() < BLOCK_BYTES {
            let rest = &self.blob[self.used..];
            if rest.is_empty() {
                let Some(id) = self.ids.next() else { break };
                let blob = &mut self.blob;
                blob.clear();
                self.used = 0;
                self.blobs.with(BlobType::Data, id, |content| blob.extend_from_slice(content))?;
                continue;
            }
            let wanted = (BLOCK_BYTES - block.len()).min(rest.len());
            block.extend_from_slice(&rest[..wanted]);
            self.used += wanted;
        }
        Ok(())
    }
}

/// Whether a block need not be written, because a hole reads the same.
pub(crate) fn is_hole(block: &[u8]) -> bool {
    block.len() == BLOCK_BYTES && block.iter().all(|byte| *byte == 0)
}

/// What a stored file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Measured {
    pub(crate) hash: Hash,
    pub(crate) size: u64,
    /// Bytes outside of holes.
    pub(crate) data_bytes: u64,
}

impl Measured {
    /// A file that is in memory.
    pub(crate) fn of(content: &[u8]) -> Self {
        let data = content.chunks(BLOCK_BYTES).filter(|block| !is_hole(block));
        Self {
            hash: *blake3::hash(content).as_bytes(),
            size: content.len() as u64,
            data_bytes: data.map(|block| block.len() as u64).sum(),
        }
    }
}

/// Reads a whole stored file.
pub(crate) fn measure(blobs: &Blobs, ids: &[DataId]) -> Result<Measured, Trouble> {
    let mut blocks = Blocks::new(blobs, ids);
    let (mut block, mut hasher) = (Vec::with_capacity(BLOCK_BYTES), blake3::Hasher::new());
    let (mut size, mut data_bytes) = (0, 0);
    loop {
        blocks.next_into(&mut block)?;
        if block.is_empty() {
            return Ok(Measured { hash: *hasher.finalize().as_bytes(), size, data_bytes });
        }
        hasher.update(&block);
        size += block.len() as u64;
        data_bytes += if is_hole(&block) { 0 } else { block.len() as u64 };
    }
}

/// The content of a stored file; what is longer than `bytes_max` is cut off there, and no hash fits it.
pub(crate) fn content(blobs: &Blobs, ids: &[DataId], bytes_max: u64) -> Result<Vec<u8>, Trouble> {
    let mut blocks = Blocks::new(blobs, ids);
    let (mut block, mut content) = (Vec::with_capacity(BLOCK_BYTES), Vec::new());
    loop {
        blocks.next_into(&mut block)?;
        if block.is_empty() || content.len() as u64 > bytes_max {
            return Ok(content);
        }
        content.extend_from_slice(&block);
    }
}
