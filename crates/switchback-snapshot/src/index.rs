//! Where each blob of a repository lies: the index, read whole.

use std::collections::HashMap;
use std::num::NonZeroU32;

use rustic_core::repofile::{BlobType, IndexFile, PackId};
use rustic_core::{Id, Open, Repository};

use crate::trouble::Trouble;

/// A pack, by its number in the index: there are as many locations as blobs, and few packs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct PackNumber(u32);

/// The place of one blob, encrypted and perhaps compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Location {
    pub(crate) pack: PackNumber,
    /// In bytes, like all that follows.
    pub(crate) offset: u32,
    pub(crate) length: u32,
    /// The length of the content, where it is compressed.
    pub(crate) plain_length: Option<NonZeroU32>,
}

impl Location {
    /// Where in the pack it ends.
    pub(crate) fn end(&self) -> u64 {
        u64::from(self.offset) + u64::from(self.length)
    }
}

/// All blobs that the index files of a repository name.
#[derive(Debug, Default)]
pub(crate) struct Index {
    packs: Vec<PackId>,
    data: HashMap<Id, Location>,
    trees: HashMap<Id, Location>,
}

impl Index {
    /// Reads every index file. Packs that are marked for deletion are not part of it.
    pub(crate) fn read<S: Open>(repository: &Repository<S>) -> Result<Self, Trouble> {
        let mut index = Self::default();
        for file in repository.stream_files::<IndexFile>()? {
            for pack in file?.1.packs {
                let number = u32::try_from(index.packs.len())
                    .map_err(|_| Trouble::new("the index names more packs than can be counted"))?;
                index.packs.push(pack.id);
                for blob in pack.blobs {
                    let location = Location {
                        pack: PackNumber(number),
                        offset: blob.location.offset,
                        length: blob.location.length,
                        plain_length: blob.location.uncompressed_length,
                    };
                    index.of_mut(blob.tpe).insert(*blob.id, location);
                }
            }
        }
        Ok(index)
    }

    /// Where a blob is; `None` when the repository does not have it.
    pub(crate) fn find(&self, kind: BlobType, id: &Id) -> Option<Location> {
        match kind {
            BlobType::Data => self.data.get(id),
            BlobType::Tree => self.trees.get(id),
        }
        .copied()
    }

    /// The name of the pack that a blob of this index is in.
    pub(crate) fn pack(&self, number: PackNumber) -> &PackId {
        &self.packs[number.0 as usize]
    }

    fn of_mut(&mut self, kind: BlobType) -> &mut HashMap<Id, Location> {
        match kind {
            BlobType::Data => &mut self.data,
            BlobType::Tree => &mut self.trees,
        }
    }
}
