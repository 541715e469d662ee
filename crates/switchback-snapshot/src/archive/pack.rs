//! Packs, and the index of what is in them, in restic's format: filled by all threads, written by one.
//!
//! A pack is its blobs, one after the other, then a sealed header that lists them, then the header's length (restic's design,
//! "Pack Format"). It is named by its SHA-256. An index file is written when the packs that it names are on the disk; what a
//! killed snapshot leaves is therefore a pack that nobody knows, never an index that names what is not there.

use std::fmt::Write as _;
use std::sync::mpsc::{Receiver, SyncSender};
use std::sync::{Mutex, PoisonError};

use rustic_core::repofile::BlobType;
use rustic_core::{FileType, Id, WriteBackend};
use sha2::{Digest, Sha256};

use crate::cipher::Cipher;
use crate::trouble::Trouble;

/// A pack is closed when it has this much; restic's own size. The last blob may go beyond.
const PACK_BYTES: usize = 16 << 20;

/// A pack is closed when it has this many blobs, too: its header stays small.
const PACK_BLOBS_MAX: usize = 10_000;

/// An index file names about this many blobs, restic's own number.
const INDEX_BLOBS: usize = 50_000;

/// One blob of a pack, in the order in which they lie there.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Packed {
    pub(crate) id: Id,
    pub(crate) digest: [u8; 32],
    /// Bytes in the pack.
    pub(crate) length: u32,
    /// Bytes of the content, where it is compressed.
    pub(crate) plain_length: Option<u32>,
}

/// A pack that is being filled, or is full.
#[derive(Debug)]
pub(crate) struct Pack {
    kind: BlobType,
    bytes: Vec<u8>,
    blobs: Vec<Packed>,
}

/// The pack that is being filled, and where full ones go.
pub(crate) struct Packs {
    kind: BlobType,
    open: Mutex<Pack>,
    full: SyncSender<Pack>,
}

impl Packs {
    pub(crate) fn new(kind: BlobType, full: SyncSender<Pack>) -> Self {
        Self { kind, open: Mutex::new(Pack::new(kind)), full }
    }

    /// Adds a blob. When the pack is full this waits until the writer takes it, which bounds the memory.
    pub(crate) fn add(&self, blob: Packed, sealed: &[u8]) -> Result<(), Trouble> {
        let full = {
            let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
            open.bytes.extend_from_slice(sealed);
            open.blobs.push(blob);
            let is_full = open.bytes.len() >= PACK_BYTES || open.blobs.len() >= PACK_BLOBS_MAX;
            is_full.then(|| std::mem::replace(&mut *open, Pack::new(self.kind)))
        };
        full.map_or(Ok(()), |pack| self.hand_over(pack))
    }

    /// Hands over what is left.
    pub(crate) fn close(self) -> Result<(), Trouble> {
        let empty = Pack::new(self.kind);
        let last = std::mem::replace(&mut *self.open.lock().unwrap_or_else(PoisonError::into_inner), empty);
        if last.blobs.is_empty() { Ok(()) } else { self.hand_over(last) }
    }

    fn hand_over(&self, pack: Pack) -> Result<(), Trouble> {
        // The writer says itself why it ended.
        self.full.send(pack).map_err(|_| Trouble::new("the repository could not be written to"))
    }
}

impl Pack {
    fn new(kind: BlobType) -> Self {
        Self { kind, bytes: Vec::new(), blobs: Vec::new() }
    }

    /// Adds the header and its length.
    fn finish(&mut self, cipher: &Cipher) -> Result<(), Trouble> {
        let mut header = Vec::with_capacity(self.blobs.len() * 41);
        for blob in &self.blobs {
            let is_tree = u8::from(self.kind == BlobType::Tree);
            header.push(is_tree | u8::from(blob.plain_length.is_some()) << 1);
            header.extend_from_slice(&blob.length.to_le_bytes());
            header.extend(blob.plain_length.iter().flat_map(|length| length.to_le_bytes()));
            header.extend_from_slice(&blob.digest);
        }
        let before = self.bytes.len();
        cipher.seal_into(&header, &mut self.bytes)?;
        let length = u32::try_from(self.bytes.len() - before)
            .map_err(|_| Trouble::new("the header of a pack is too long"))?;
        self.bytes.extend_from_slice(&length.to_le_bytes());
        Ok(())
    }

    /// What the index says of it, with a comma in front of all but the first.
    fn list_in(&self, id: &Id, text: &mut String) {
        let kind = if self.kind == BlobType::Tree { "tree" } else { "data" };
        let comma = |is_first: bool| if is_first { "" } else { "," };
        // Writing to a string cannot fail.
        let _ = write!(text, "{}{{\"id\":\"{}\",\"blobs\":[", comma(text.is_empty()), id.to_hex().as_str());
        let mut offset: u64 = 0;
        for blob in &self.blobs {
            let _ = write!(
                text,
                "{}{{\"id\":\"{}\",\"type\":\"{kind}\",\"offset\":{offset},\"length\":{}",
                comma(offset == 0),
                blob.id.to_hex().as_str(),
                blob.length
            );
            if let Some(length) = blob.plain_length {
                let _ = write!(text, ",\"uncompressed_length\":{length}");
            }
            text.push('}');
            offset += u64::from(blob.length);
        }
        text.push_str("]}");
    }
}

/// Writes full packs, and the index files.
pub(crate) struct Writer<'a> {
    pub(crate) backend: &'a dyn WriteBackend,
    pub(crate) cipher: &'a Cipher,
    /// Whether files other than packs are compressed.
    pub(crate) compression: Option<i32>,
}

impl Writer<'_> {
    /// Writes packs until there are no more, and what is left of the index.
    pub(crate) fn run(&self, full: &Receiver<Pack>) -> Result<(), Trouble> {
        let (mut listed, mut blobs) = (String::new(), 0);
        for mut pack in full {
            pack.finish(self.cipher)?;
            let id = Id::new(Sha256::digest(&pack.bytes).into());
            pack.list_in(&id, &mut listed);
            blobs += pack.blobs.len();
            self.backend.write_bytes(FileType::Pack, &id, false, std::mem::take(&mut pack.bytes).into())?;
            if blobs >= INDEX_BLOBS {
                self.write_index(&mut listed)?;
                blobs = 0;
            }
        }
        if blobs > 0 { self.write_index(&mut listed) } else { Ok(()) }
    }

    fn write_index(&self, listed: &mut String) -> Result<(), Trouble> {
        self.file(FileType::Index, format!("{{\"packs\":[{listed}]}}").as_bytes())?;
        listed.clear();
        Ok(())
    }

    /// Writes a file that is no pack; its id. (restic's design, "Unpacked Data Format": a 2 in front of what is compressed.)
    pub(crate) fn file(&self, kind: FileType, content: &[u8]) -> Result<Id, Trouble> {
        let mut sealed = Vec::new();
        match self.compression {
            None => self.cipher.seal_into(content, &mut sealed)?,
            Some(level) => {
                let packed = zstd::bulk::compress(content, level)
                    .map_err(|error| Trouble::new(format!("it could not be compressed: {error}")))?;
                self.cipher.seal_into(&[&[2], packed.as_slice()].concat(), &mut sealed)?;
            }
        }
        let id = Id::new(Sha256::digest(&sealed).into());
        self.backend.write_bytes(kind, &id, false, sealed.into())?;
        Ok(id)
    }
}
