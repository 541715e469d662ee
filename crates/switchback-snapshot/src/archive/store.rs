//! Content becomes blobs: cut, named by its SHA-256, and, if the repository does not have it, compressed, sealed and packed.
//!
//! All threads store at once. Each borrows a set of tools, so that neither the tables of the cutting nor the state of the
//! compressor is made anew for every small file.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::mpsc::SyncSender;
use std::sync::{Mutex, PoisonError};

use rustic_core::repofile::BlobType;
use rustic_core::{DataId, Id};
use sha2::{Digest, Sha256};
use switchback_core::manifest::Hash;
use switchback_core::world::{Disk, DiskError};
use zstd::bulk::Compressor;

use crate::archive::chunks::{Chunks, Cutting};
use crate::archive::pack::{Pack, Packed, Packs};
use crate::blobs::Blobs;
use crate::contents::Content;
use crate::trouble::Trouble;

/// Stores content in one repository.
pub(crate) struct Store<'a> {
    blobs: &'a Blobs,
    cutting: Cutting,
    compression: Option<i32>,
    data: Packs,
    trees: Packs,
    /// What this snapshot has added; the index knows what was there before.
    added: Mutex<HashSet<(bool, Id)>>,
    /// The blobs of each file, by its number among what was seen: those that are known before, and what was read.
    contents: Mutex<Vec<Content>>,
    /// The hashes of long files of which the blobs are known, if these still are their hashes.
    before_hashes: HashMap<usize, Hash>,
    idle: Mutex<Vec<Tools>>,
    trouble: Mutex<Option<Trouble>>,
}

/// What one thread needs to store files.
struct Tools {
    chunks: Chunks,
    sealing: Sealing,
}

/// What one thread needs to store a blob.
struct Sealing {
    compressor: Option<Compressor<'static>>,
    packed: Vec<u8>,
    sealed: Vec<u8>,
}

impl<'a> Store<'a> {
    pub(crate) fn new(
        blobs: &'a Blobs,
        cutting: Cutting,
        (contents, before_hashes): (Vec<Content>, HashMap<usize, Hash>),
        compression: Option<i32>,
        full: SyncSender<Pack>,
    ) -> Self {
        Self {
            blobs,
            cutting,
            compression,
            data: Packs::new(BlobType::Data, full.clone()),
            trees: Packs::new(BlobType::Tree, full),
            added: Mutex::default(),
            before_hashes,
            contents: Mutex::new(contents),
            idle: Mutex::default(),
            trouble: Mutex::default(),
        }
    }

    /// Reads a file, once, and stores what is new of it; its hash is that of the very bytes that were stored.
    pub(crate) fn read_file(&self, disk: &dyn Disk, at: usize, path: &Path) -> Result<Hash, DiskError> {
        let mut tools = self.tools().map_err(|trouble| self.stopped(path, trouble))?;
        let read = self.read_with(&mut tools, disk, at, path);
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(tools);
        let (hash, content) = read?;
        if let Some(content) = content {
            // A file that is read again, because it changed meanwhile, takes the place of what it was.
            self.contents.lock().unwrap_or_else(PoisonError::into_inner)[at] = content.into();
        }
        Ok(hash)
    }

    /// The hash of a file, and its blobs, unless they are those that are known.
    fn read_with(
        &self,
        tools: &mut Tools,
        disk: &dyn Disk,
        at: usize,
        path: &Path,
    ) -> Result<(Hash, Option<Vec<DataId>>), DiskError> {
        let failed = |error| DiskError::new("read", path, error);
        let mut reader = disk.open(path)?;
        // Cutting costs more than reading twice what was written through a mapping, which nothing but its content tells.
        if let Some(before) = self.before_hashes.get(&at) {
            let mut hasher = blake3::Hasher::new();
            hasher.update_reader(reader).map_err(failed)?;
            if hasher.finalize().as_bytes() == before {
                return Ok((*before, None));
            }
            reader = disk.open(path)?;
        }
        let mut hasher = blake3::Hasher::new();
        let mut content = Vec::new();
        tools.chunks.begin();
        while let Some(chunk) = tools.chunks.next(&mut *reader).map_err(failed)? {
            hasher.update(chunk);
            let id = self.put(BlobType::Data, chunk, &mut tools.sealing);
            content.push(DataId::from(id.map_err(|trouble| self.stopped(path, trouble))?));
        }
        Ok((*hasher.finalize().as_bytes(), Some(content)))
    }

    /// Stores the listing of a directory.
    pub(crate) fn put_tree(&self, listing: &[u8]) -> Result<Id, Trouble> {
        let mut tools = self.tools()?;
        let id = self.put(BlobType::Tree, listing, &mut tools.sealing);
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(tools);
        id
    }

    /// Stores a blob unless it is there.
    fn put(&self, kind: BlobType, content: &[u8], sealing: &mut Sealing) -> Result<Id, Trouble> {
        let digest: [u8; 32] = Sha256::digest(content).into();
        let id = Id::new(digest);
        let is_new = self.blobs.index.find(kind, &id).is_none()
            && self.added.lock().unwrap_or_else(PoisonError::into_inner).insert((kind == BlobType::Tree, id));
        if is_new {
            let too_long = |_| Trouble::new("a blob is longer than the format allows");
            let is_packed = sealing.seal(content, self.blobs)?;
            let length = u32::try_from(sealing.sealed.len()).map_err(too_long)?;
            let plain_length = u32::try_from(content.len()).map_err(too_long)?;
            let blob = Packed { id, digest, length, plain_length: is_packed.then_some(plain_length) };
            let packs = if kind == BlobType::Tree { &self.trees } else { &self.data };
            packs.add(blob, &sealing.sealed)?;
        }
        Ok(id)
    }

    /// The blobs of each file, as far as they are known.
    pub(crate) fn take_contents(&self) -> Vec<Content> {
        std::mem::take(&mut *self.contents.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Why a file that could be read could not be stored.
    pub(crate) fn take_trouble(&self) -> Option<Trouble> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Hands over all that is not yet written.
    pub(crate) fn close(self) -> Result<(), Trouble> {
        self.data.close()?;
        self.trees.close()
    }

    /// The scan of a tree ends with errors of the disk, so the real reason waits beside it.
    fn stopped(&self, path: &Path, trouble: Trouble) -> DiskError {
        let why = std::io::Error::other(trouble.line());
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(trouble);
        DiskError::new("store", path, why)
    }

    fn tools(&self) -> Result<Tools, Trouble> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        idle.map_or_else(|| Tools::new(&self.cutting, self.compression), Ok)
    }
}

impl Tools {
    fn new(cutting: &Cutting, compression: Option<i32>) -> Result<Self, Trouble> {
        let compressor = compression
            .map(Compressor::new)
            .transpose()
            .map_err(|error| Trouble::new(format!("there is no room to compress: {error}")))?;
        let sealing = Sealing { compressor, packed: Vec::new(), sealed: Vec::new() };
        Ok(Self { chunks: Chunks::new(cutting.clone()), sealing })
    }
}

impl Sealing {
    /// Fills `sealed`; whether it is compressed, which it is where that makes it shorter.
    fn seal(&mut self, content: &[u8], blobs: &Blobs) -> Result<bool, Trouble> {
        self.packed.clear();
        self.sealed.clear();
        let mut is_packed = false;
        if let Some(compressor) = &mut self.compressor {
            self.packed.reserve(zstd::zstd_safe::compress_bound(content.len()));
            let length = compressor
                .compress_to_buffer(content, &mut self.packed)
                .map_err(|error| Trouble::new(format!("it could not be compressed: {error}")))?;
            is_packed = length < content.len();
        }
        let stored = if is_packed { &self.packed } else { content };
        blobs.cipher.seal_into(stored, &mut self.sealed)?;
        Ok(is_packed)
    }
}
