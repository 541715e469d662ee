//! A folder: another disk, or a share of the network.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use switchback_core::world::{Disk, FileKind};

use super::shelf::{FILE_BYTES_MAX, Shelf};
use crate::durable;
use crate::trouble::Trouble;

/// Restic removes the right to write from every file it has finished.
const FINISHED_MODE: u32 = 0o400;

/// Files in a folder.
#[derive(Debug)]
pub(crate) struct Folder {
    disk: Arc<dyn Disk>,
    root: PathBuf,
}

impl Folder {
    pub(crate) fn new(disk: Arc<dyn Disk>, root: &Path) -> Self {
        Self { disk, root: root.to_owned() }
    }

    fn collect(&self, name: &str, found: &mut BTreeMap<String, u64>) -> Result<(), Trouble> {
        let path = self.root.join(name);
        if self.disk.look(&path)?.is_none_or(|meta| meta.kind != FileKind::Directory) {
            return Ok(());
        }
        for child in self.disk.list(&path)? {
            let Some(child) = child.to_str().map(|child| format!("{name}/{child}")) else { continue };
            match self.disk.look(&self.root.join(&child))? {
                Some(meta) if meta.kind == FileKind::Directory => self.collect(&child, found)?,
                Some(meta) if meta.kind == FileKind::File && !child.ends_with(durable::UNFINISHED) => {
                    found.insert(child, meta.size);
                }
                _ => {}
            }
        }
        Ok(())
    }
}

impl Shelf for Folder {
    fn address(&self) -> String {
        self.root.display().to_string()
    }

    fn list(&self, folder: &str) -> Result<BTreeMap<String, u64>, Trouble> {
        let mut found = BTreeMap::new();
        self.collect(folder, &mut found)?;
        Ok(found)
    }

    fn read(&self, name: &str) -> Result<Option<Vec<u8>>, Trouble> {
        let path = self.root.join(name);
        if self.disk.look(&path)?.is_none() {
            return Ok(None);
        }
        Ok(Some(self.disk.read(&path, FILE_BYTES_MAX)?))
    }

    fn write(&self, name: &str, content: &[u8]) -> Result<(), Trouble> {
        let path = self.root.join(name);
        durable::make_directories(&*self.disk, durable::parent(&path))?;
        let mut rest = content;
        durable::publish(&*self.disk, &path, FINISHED_MODE, &mut rest)?;
        if self.disk.read(&path, FILE_BYTES_MAX)? == content {
            return Ok(());
        }
        Err(Trouble::new(format!("`{}` does not read back as it was written", path.display())))
    }

    fn remove(&self, name: &str) -> Result<(), Trouble> {
        let path = self.root.join(name);
        if self.disk.look(&path)?.is_some() {
            self.disk.remove_file(&path)?;
        }
        Ok(())
    }
}
