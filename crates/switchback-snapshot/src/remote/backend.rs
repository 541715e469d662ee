//! Lets the library read a repository from a shelf. Nothing is written through it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use rustic_core::{BytesList, ErrorKind, FileType, Id, ReadBackend, RusticError, RusticResult, WriteBackend};

use super::shelf::Shelf;
use crate::trouble::Trouble;

/// So many packs are kept in memory: files that lie beside each other lie in one pack, and a restore goes in their order.
const PACKS_KEPT: usize = 4;

/// The backend.
#[derive(Debug, Clone)]
pub(crate) struct ShelfBackend {
    shelf: Arc<dyn Shelf>,
    packs: Arc<Mutex<VecDeque<(Id, Bytes)>>>,
}

impl ShelfBackend {
    pub(crate) fn new(shelf: Arc<dyn Shelf>) -> Self {
        Self { shelf, packs: Arc::default() }
    }

    fn name(kind: FileType, id: &Id) -> String {
        let digits = id.to_hex();
        match kind {
            FileType::Config => "config".to_owned(),
            FileType::Pack => format!("data/{}/{}", &digits.as_str()[..2], digits.as_str()),
            FileType::Index | FileType::Key | FileType::Snapshot => {
                format!("{}/{}", kind.dirname(), digits.as_str())
            }
        }
    }

    fn whole(&self, kind: FileType, id: &Id) -> Result<Bytes, Trouble> {
        let name = Self::name(kind, id);
        let content = self.shelf.read(&name)?;
        content.map(Bytes::from).ok_or_else(|| Trouble::new(format!("`{name}` is not there")))
    }

    /// The pack, fetched whole unless it was a moment ago. One thread fetches, the others wait for what it brings.
    fn pack(&self, kind: FileType, id: &Id) -> Result<Bytes, Trouble> {
        let mut packs = self.packs.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, content)) = packs.iter().find(|(known, _)| known == id) {
            return Ok(content.clone());
        }
        let content = self.whole(kind, id)?;
        packs.truncate(PACKS_KEPT - 1);
        packs.push_front((*id, content.clone()));
        Ok(content)
    }
}

impl ReadBackend for ShelfBackend {
    fn location(&self) -> String {
        self.shelf.address()
    }

    fn list_with_size(&self, kind: FileType) -> RusticResult<Vec<(Id, u32)>> {
        if kind == FileType::Config {
            let config = self.shelf.read("config").map_err(failed)?;
            let size = |config: Vec<u8>| (Id::default(), u32::try_from(config.len()).unwrap_or(u32::MAX));
            return Ok(config.map(size).into_iter().collect());
        }
        let folder = if kind == FileType::Pack { "data" } else { kind.dirname() };
        let files = self.shelf.list(folder).map_err(failed)?;
        let entry = |(name, bytes): (String, u64)| {
            let id = name.rsplit('/').next()?.parse::<Id>().ok()?;
            Some((id, u32::try_from(bytes).ok()?))
        };
        Ok(files.into_iter().filter_map(entry).collect())
    }

    fn read_full(&self, kind: FileType, id: &Id) -> RusticResult<Bytes> {
        self.whole(kind, id).map_err(failed)
    }

    fn read_partial(
        &self,
        kind: FileType,
        id: &Id,
        _cacheable: bool,
        offset: u32,
        length: u32,
    ) -> RusticResult<Bytes> {
        let content = self.pack(kind, id).map_err(failed)?;
        let (from, to) = (offset as usize, offset as usize + length as usize);
        if to > content.len() {
            let name = Self::name(kind, id);
            return Err(failed(Trouble::new(format!("`{name}` ends before byte {to}"))));
        }
        Ok(content.slice(from..to))
    }

    fn warmup_path(&self, kind: FileType, id: &Id) -> String {
        Self::name(kind, id)
    }
}

impl WriteBackend for ShelfBackend {
    fn create(&self) -> RusticResult<()> {
        Err(refused())
    }

    fn write_bytes(&self, _: FileType, _: &Id, _: bool, _: BytesList) -> RusticResult<()> {
        Err(refused())
    }

    fn remove(&self, _: FileType, _: &Id, _: bool) -> RusticResult<()> {
        Err(refused())
    }
}

fn refused() -> Box<RusticError> {
    failed(Trouble::new("the copy elsewhere is only read by the library"))
}

#[expect(clippy::needless_pass_by_value, reason = "it is what `map_err` hands over")]
fn failed(trouble: Trouble) -> Box<RusticError> {
    RusticError::new(ErrorKind::Backend, trouble.line())
}
