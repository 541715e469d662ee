//! The blobs of a repository, read from where it is kept: found by the index, decrypted, decompressed.
//!
//! The library's own reading makes new buffers and a new decompressor for each blob, and asks for them one by one. Here each
//! thread keeps its own, and many blobs that lie side by side are read at once.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use rustic_core::repofile::{BlobType, RepoFile, Tree};
use rustic_core::{FileType, Id, OpenStatus, Repository, TreeId, WriteBackend};
use sha2::{Digest, Sha256};
use zstd::bulk::Decompressor;

use crate::cipher::Cipher;
use crate::index::{Index, Location};
use crate::trouble::Trouble;

/// An opened repository with its whole index.
pub(crate) struct Blobs {
    pub(crate) repository: Repository<OpenStatus>,
    pub(crate) index: Index,
    pub(crate) cipher: Cipher,
    pub(crate) backend: Arc<dyn WriteBackend>,
    /// Tools that no thread uses at present.
    idle: Mutex<Vec<Tools>>,
}

impl fmt::Debug for Blobs {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Blobs").field("index", &self.index).finish_non_exhaustive()
    }
}

/// What one thread needs to read blobs.
pub(crate) struct Tools {
    decompressor: Decompressor<'static>,
    plain: Vec<u8>,
}

impl Blobs {
    /// Reads the index of a repository that is kept behind `backend`.
    pub(crate) fn of(
        repository: Repository<OpenStatus>,
        backend: Arc<dyn WriteBackend>,
    ) -> Result<Self, Trouble> {
        let index = Index::read(&repository)?;
        let cipher = Cipher::new(&repository.key())?;
        Ok(Self { repository, index, cipher, backend, idle: Mutex::default() })
    }

    /// The repository alone, without its index.
    pub(crate) fn into_repository(self) -> Repository<OpenStatus> {
        self.repository
    }

    /// A file of the repository that is no pack.
    pub(crate) fn file<F: RepoFile>(&self, id: &F::Id) -> Result<F, Trouble> {
        Ok(self.repository.get_file(id)?)
    }

    /// Where a blob is.
    pub(crate) fn find(&self, kind: BlobType, id: &Id) -> Result<Location, Trouble> {
        self.index.find(kind, id).ok_or_else(|| {
            Trouble::new(format!("the repository's index does not know `{}`", id.to_hex().as_str()))
        })
    }

    /// Hands the content of one blob to `use_it`.
    pub(crate) fn with<T>(
        &self,
        kind: BlobType,
        id: &Id,
        use_it: impl FnOnce(&[u8]) -> T,
    ) -> Result<T, Trouble> {
        let location = self.find(kind, id)?;
        let mut sealed = self.run(&location, location.length)?;
        self.with_tools(|tools| Ok(use_it(self.opened(tools, &mut sealed, &location)?)))
    }

    /// The listing of one directory, which must be what its id says.
    pub(crate) fn tree(&self, id: TreeId) -> Result<Tree, Trouble> {
        self.with(BlobType::Tree, &id, |content| {
            is_of(content, id)?;
            serde_json::from_slice(content)
                .map_err(|error| Trouble::new(format!("its listing cannot be understood: {error}")))
        })?
    }

    /// Reads the listing of one directory, which must be what its id says, and leaves it at that.
    pub(crate) fn confirm_tree(&self, id: TreeId) -> Result<(), Trouble> {
        self.with(BlobType::Tree, &id, |content| is_of(content, id))?
    }

    /// `length` bytes of a pack, from where this blob begins.
    pub(crate) fn run(&self, first: &Location, length: u32) -> Result<Vec<u8>, Trouble> {
        let pack = self.index.pack(first.pack);
        let read = self.backend.read_partial(FileType::Pack, pack, false, first.offset, length)?;
        Ok(read.into())
    }

    /// The content of a blob of which `sealed` is all that the pack holds.
    pub(crate) fn opened<'a>(
        &self,
        tools: &'a mut Tools,
        sealed: &'a mut [u8],
        location: &Location,
    ) -> Result<&'a [u8], Trouble> {
        let packed = self.cipher.open_in_place(sealed).ok_or_else(|| {
            Trouble::new(format!(
                "{} bytes at {} of the pack `{}` are not what was encrypted",
                location.length,
                location.offset,
                self.index.pack(location.pack).to_hex().as_str()
            ))
        })?;
        let Some(length) = location.plain_length else { return Ok(packed) };
        let length = length.get() as usize;
        tools.plain.clear();
        tools.plain.reserve(length);
        let failed = |why: String| Trouble::new(format!("it cannot be decompressed: {why}"));
        tools
            .decompressor
            .decompress_to_buffer(packed, &mut tools.plain)
            .map_err(|error| failed(error.to_string()))?;
        if tools.plain.len() != length {
            return Err(failed(format!("{} bytes instead of {length}", tools.plain.len())));
        }
        Ok(&tools.plain)
    }

    /// Lends the tools of a thread that is done, or new ones.
    pub(crate) fn with_tools<T>(
        &self,
        work: impl FnOnce(&mut Tools) -> Result<T, Trouble>,
    ) -> Result<T, Trouble> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut tools = idle.map_or_else(Tools::new, Ok)?;
        let done = work(&mut tools);
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(tools);
        done
    }
}

fn is_of(listing: &[u8], id: TreeId) -> Result<(), Trouble> {
    if Id::new(Sha256::digest(listing).into()) == *id {
        return Ok(());
    }
    Err(Trouble::new("its listing is not what its id says"))
}

impl Tools {
    fn new() -> Result<Self, Trouble> {
        let decompressor = Decompressor::new()
            .map_err(|error| Trouble::new(format!("there is no room to decompress: {error}")))?;
        Ok(Self { decompressor, plain: Vec::new() })
    }
}
