//! Everything that goes into a package, by the path that it has there.

use std::collections::BTreeMap;
use std::io::{Cursor, Error, Read, Result};
use std::path::PathBuf;
use std::sync::Arc;

use switchback_package::{Draft, Source};

use crate::manifest::Hash;
use crate::world::Disk;

/// Where a content is.
#[derive(Debug, Clone)]
pub(super) enum Place {
    /// In this file.
    File(PathBuf),
    /// Here.
    Text(Vec<u8>),
    /// It is a link: in its target.
    Link,
}

/// One thing that goes into a package.
#[derive(Debug, Clone)]
pub(super) struct Item {
    pub(super) draft: Draft,
    pub(super) place: Place,
    /// What it has to be, where that was established before.
    pub(super) hash: Option<Hash>,
    /// Where it is in the project, for whoever has to look there.
    pub(super) origin: Option<PathBuf>,
}

/// All of them.
#[derive(Debug)]
pub(super) struct Shelf {
    pub(super) disk: Arc<dyn Disk>,
    pub(super) items: BTreeMap<String, Item>,
}

impl Shelf {
    pub(super) fn new(disk: Arc<dyn Disk>) -> Self {
        Self { disk, items: BTreeMap::new() }
    }

    /// Takes a text that was made for the package.
    pub(super) fn add_text(&mut self, path: impl Into<String>, text: impl Into<Vec<u8>>) {
        let (path, text) = (path.into(), text.into());
        let draft = Draft { path: path.clone(), executable: false, bytes: text.len() as u64, target: None };
        self.items.insert(path, Item { draft, place: Place::Text(text), hash: None, origin: None });
    }

    pub(super) fn add(&mut self, item: Item) {
        self.items.insert(item.draft.path.clone(), item);
    }

    /// Opens the content of an item.
    pub(super) fn open(&self, item: &Item) -> Result<Box<dyn Read + Send>> {
        match &item.place {
            Place::File(path) => self.disk.open(path).map_err(Error::other),
            Place::Text(text) => Ok(Box::new(Cursor::new(text.clone()))),
            Place::Link => Ok(Box::new(std::io::empty())),
        }
    }
}

impl Source for Shelf {
    fn content(&self, path: &str) -> Result<Box<dyn Read + Send>> {
        let item = self.items.get(path).ok_or_else(|| Error::other(format!("there is no `{path}`")))?;
        self.open(item)
    }
}
