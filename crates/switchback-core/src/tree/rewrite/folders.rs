//! Folders that a rewrite makes on its way, and those in which it leaves nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::record::{Entry, Folder};
use super::{Place, Put, RewriteError};
use crate::world::FileKind;

impl Place<'_> {
    /// Folders that are not there, outermost first; those around what is restored have the mode that they had there.
    pub(super) fn folders_to_make(
        &self,
        entries: &[Entry],
        puts: &[(PathBuf, Put)],
    ) -> Result<Vec<Folder>, RewriteError> {
        let mut folders = BTreeSet::new();
        for entry in entries.iter().filter(|entry| entry.new.is_some()) {
            for folder in entry.path.ancestors().skip(1).filter(|folder| !folder.as_os_str().is_empty()) {
                let there = self.disk().look(&self.root.join(folder))?;
                if there.is_none_or(|meta| meta.kind != FileKind::Directory) {
                    folders.insert(folder.to_owned());
                }
            }
        }
        let mut modes: BTreeMap<&Path, u32> = BTreeMap::new();
        for (path, put) in puts {
            let Put::Restored(from) = put else { continue };
            for (folder, old) in path.ancestors().zip(from.ancestors()).skip(1) {
                if !folders.contains(folder) {
                    break;
                }
                if let Some(meta) = self.disk().look(old)? {
                    modes.insert(folder, meta.mode & 0o7777);
                }
            }
        }
        let mode = |path: &Path| modes.get(path).copied().unwrap_or(0o755);
        Ok(folders.iter().map(|path| Folder { path: path.clone(), mode: mode(path) }).collect())
    }

    /// Folders in which nothing is left, byte code that Python made of them aside; innermost first.
    pub(super) fn folders_to_empty(&self, entries: &[Entry]) -> Result<Vec<Folder>, RewriteError> {
        let gone: BTreeSet<&Path> =
            entries.iter().filter(|entry| entry.new.is_none()).map(|entry| entry.path.as_path()).collect();
        let kept: BTreeSet<&Path> = entries
            .iter()
            .filter(|entry| entry.new.is_some())
            .flat_map(|entry| entry.path.ancestors())
            .collect();
        let mut folders: Vec<&Path> = gone.iter().flat_map(|path| path.ancestors().skip(1)).collect();
        folders.sort_by_key(|folder| std::cmp::Reverse(folder.components().count()));
        folders.dedup();
        let mut emptied: Vec<Folder> = Vec::new();
        for folder in
            folders.into_iter().filter(|folder| !folder.as_os_str().is_empty() && !kept.contains(folder))
        {
            if emptied.iter().any(|other| other.path == folder) {
                continue;
            }
            let live = self.root.join(folder);
            let Some(meta) = self.disk().look(&live)? else { continue };
            let is_left = |name: &std::ffi::OsString| {
                let below = folder.join(name);
                name != "__pycache__"
                    && !gone.contains(below.as_path())
                    && !emptied.iter().any(|one| one.path == below)
            };
            if !self.disk().list(&live)?.iter().any(is_left) {
                emptied.push(Folder { path: folder.to_owned(), mode: meta.mode });
            }
        }
        Ok(emptied)
    }
}
