//! Copies of the trees for one thread alone: made when they are asked for, and anew where what ran in them changed them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::{Trees, Which};
use crate::manifest::{Kind, to_hex};
use crate::tree::copy::remove_tree;
use crate::tree::{read_through, walk};
use crate::world::Disk;

/// Copies that nobody else looks at.
#[derive(Debug)]
pub(super) struct Copies<'a> {
    trees: &'a dyn Trees,
    disk: &'a dyn Disk,
    /// Where they are made.
    folder: PathBuf,
    /// What a survey said of each when it was new.
    made: BTreeMap<Which, Option<[u8; 32]>>,
}

impl<'a> Copies<'a> {
    /// Copies below `folder`, which exists and is empty.
    pub(super) fn new(trees: &'a dyn Trees, disk: &'a dyn Disk, folder: PathBuf) -> Self {
        Self { trees, disk, folder, made: BTreeMap::new() }
    }

    /// The copy of one tree. It is at the same place each time.
    pub(super) fn tree(&mut self, which: Which) -> Result<PathBuf, String> {
        let path = self.path(which);
        if !self.made.contains_key(&which) {
            self.trees.copy(which, &path)?;
            self.made.insert(which, self.survey(&path));
        }
        Ok(path)
    }

    /// Throws away what was changed since it was made: the next one to ask finds the tree as it is.
    pub(super) fn renew(&mut self) -> Result<(), String> {
        for which in self.made.keys().copied().collect::<Vec<_>>() {
            if self.is_changed(which) {
                remove_tree(self.disk, &self.path(which)).map_err(|error| error.to_string())?;
                self.made.remove(&which);
            }
        }
        Ok(())
    }

    /// Whether a copy was changed since it was made. One that cannot be surveyed counts as changed.
    pub(super) fn is_changed(&self, which: Which) -> bool {
        let now = || self.survey(&self.path(which));
        self.made.get(&which).is_some_and(|then| then.is_none() || now() != *then)
    }

    fn path(&self, which: Which) -> PathBuf {
        self.folder.join(match which {
            Which::Old => "old",
            Which::New => "new",
        })
    }

    fn survey(&self, tree: &Path) -> Option<[u8; 32]> {
        self.disk.survey(tree, None).ok().flatten().map(|survey| survey.digest)
    }
}

/// The hash of all that can be read in a copy: names, modes, contents; times are left aside, because a copy has its own. Of what
/// it only links to, which is as large as somebody found it too large to copy, every inode's metadata.
pub(super) fn digest(disk: &dyn Disk, tree: &Path) -> Result<String, String> {
    let failed = |error: &dyn std::error::Error| format!("the tree could not be read: {error}");
    let seen = walk(disk, tree, &[PathBuf::new()]).map_err(|error| failed(&error))?;
    let read = |_: usize, path: &Path| {
        let mut hasher = blake3::Hasher::new();
        let mut file = disk.open(path)?;
        hasher.update_reader(&mut file).map_err(|error| crate::world::DiskError::new("read", path, error))?;
        Ok(*hasher.finalize().as_bytes())
    };
    let mut manifest = read_through(disk, tree, &seen, &read).map_err(|error| failed(&error))?;
    let mut hasher = blake3::Hasher::new();
    for entry in &mut manifest.entries {
        entry.mtime_ns = 0;
        let Kind::Symlink(target) = &entry.kind else { continue };
        if !target.is_absolute() || disk.look(target).map_err(|error| failed(&error))?.is_none() {
            continue;
        }
        let survey = disk.survey(target, None).map_err(|error| failed(&error))?;
        hasher.update(&survey.map_or([0; 32], |survey| survey.digest));
    }
    hasher.update(&manifest.hash());
    Ok(to_hex(hasher.finalize().as_bytes()))
}
