//! The content of a stored file, block by block, so that long runs of zeros can be told from data.

use rustic_core::repofile::{BlobType, Node};
use rustic_core::{BlobId, DataId, IndexedFullStatus, Repository};
use switchback_core::manifest::Hash;

use crate::trouble::Trouble;

/// A block of this many bytes, all zero, at a multiple of its size, becomes a hole when it is restored.
pub(crate) const BLOCK_BYTES: usize = 64 * 1024;

/// Reads a stored file in blocks of [`BLOCK_BYTES`]; the last one may be shorter.
pub(crate) struct Blocks<'a> {
    repository: &'a Repository<IndexedFullStatus>,
    blobs: std::slice::Iter<'a, DataId>,
    rest: bytes::Bytes,
}

impl<'a> Blocks<'a> {
    pub(crate) fn new(repository: &'a Repository<IndexedFullStatus>, node: &'a Node) -> Self {
        let blobs = node.content.as_deref().unwrap_or_default().iter();
        Self { repository, blobs, rest: bytes::Bytes::new() }
    }

    /// Fills `block` with the next bytes; it is empty at the end.
    pub(crate) fn next_into(&mut self, block: &mut Vec<u8>) -> Result<(), Trouble> {
        block.clear();
        while block.len() < BLOCK_BYTES {
            if self.rest.is_empty() {
                let Some(id) = self.blobs.next() else { break };
                self.rest = self.repository.get_blob_cached(&BlobId::from(*id), BlobType::Data)?;
                continue;
            }
            let wanted = (BLOCK_BYTES - block.len()).min(self.rest.len());
            block.extend_from_slice(&self.rest.split_to(wanted));
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

/// Reads a whole stored file.
pub(crate) fn measure(repository: &Repository<IndexedFullStatus>, node: &Node) -> Result<Measured, Trouble> {
    let mut blocks = Blocks::new(repository, node);
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
pub(crate) fn content(
    repository: &Repository<IndexedFullStatus>,
    node: &Node,
    bytes_max: u64,
) -> Result<Vec<u8>, Trouble> {
    let mut blocks = Blocks::new(repository, node);
    let (mut block, mut content) = (Vec::with_capacity(BLOCK_BYTES), Vec::new());
    loop {
        blocks.next_into(&mut block)?;
        if block.is_empty() || content.len() as u64 > bytes_max {
            return Ok(content);
        }
        content.extend_from_slice(&block);
    }
}
