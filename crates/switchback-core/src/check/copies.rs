//! Copies of the trees for one thread alone: made when they are asked for, and anew where what ran in them changed them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::{Trees, Which};
use crate::manifest::{Kind, to_hex};
use crate::tree::copy::remove_tree;
use crate::tree::{read_through, walk};
use crate::world::{Disk, FileKind, Meta};

/// What tells that a file was not touched: what it is, its inode, and when anything of it changed last.
type Fingerprint = (FileKind, u64, i128);

/// What a program left in the tree that it ran in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LeftOver {
    /// Relative to the tree.
    pub(super) path: PathBuf,
    /// What was done to it.
    pub(super) how: How,
    /// What it holds now, as a hash: of what was added.
    pub(super) content: Option<[u8; 32]>,
}

/// What a program did to a file of its tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    Added,
    Changed,
    Removed,
}

impl How {
    /// In words: `adds`, `changes`, `removes`.
    pub(super) fn does(self) -> &'static str {
        match self {
            Self::Added => "adds",
            Self::Changed => "changes",
            Self::Removed => "removes",
        }
    }
}

/// Copies that nobody else looks at.
#[derive(Debug)]
pub(super) struct Copies<'a> {
    trees: &'a dyn Trees,
    disk: &'a dyn Disk,
    /// Where they are made.
    folder: PathBuf,
    /// What a survey said of each when it was new.
    made: BTreeMap<Which, Option<[u8; 32]>>,
    /// The files of those that were asked to be remembered, when they were new.
    listed: BTreeMap<Which, BTreeMap<PathBuf, Fingerprint>>,
}

impl<'a> Copies<'a> {
    /// Copies below `folder`, which exists and is empty.
    pub(super) fn new(trees: &'a dyn Trees, disk: &'a dyn Disk, folder: PathBuf) -> Self {
        Self { trees, disk, folder, made: BTreeMap::new(), listed: BTreeMap::new() }
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
                self.listed.remove(&which);
            }
        }
        Ok(())
    }

    /// The copy of one tree as [`Copies::tree`] gives it, which nobody has touched yet; what is done to it from now on is told by
    /// [`Copies::left_over`].
    pub(super) fn remembered(&mut self, which: Which) -> Result<PathBuf, String> {
        let path = self.tree(which)?;
        if !self.listed.contains_key(&which) {
            let files = self.files(&path)?;
            self.listed.insert(which, files);
        }
        Ok(path)
    }

    /// Every file that is there and was not, that was there and is not, or that was touched, by path.
    pub(super) fn left_over(&self, which: Which) -> Result<Vec<LeftOver>, String> {
        let Some(before) = self.listed.get(&which) else { return Ok(Vec::new()) };
        if !self.is_changed(which) {
            return Ok(Vec::new());
        }
        let tree = self.path(which);
        let after = self.files(&tree)?;
        let paths: BTreeSet<&PathBuf> = before.keys().chain(after.keys()).collect();
        let mut left = Vec::new();
        for path in paths {
            let (how, content) = match (before.get(path), after.get(path)) {
                (Some(then), Some(now)) if then == now => continue,
                (Some(_), Some(_)) => (How::Changed, None),
                (None, Some((kind, ..))) => (How::Added, Some(self.content(*kind, &tree.join(path))?)),
                (_, None) => (How::Removed, None),
            };
            left.push(LeftOver { path: path.clone(), how, content });
        }
        Ok(left)
    }

    fn files(&self, tree: &Path) -> Result<BTreeMap<PathBuf, Fingerprint>, String> {
        let seen = walk(self.disk, tree, &[PathBuf::new()]).map_err(|error| error.to_string())?;
        let is_file = |meta: &Meta| meta.kind != FileKind::Directory;
        let print = |meta: &Meta| (meta.kind, meta.identity.inode, meta.ctime_ns);
        let files = seen.into_iter().filter(|seen| is_file(&seen.meta));
        Ok(files.map(|seen| (seen.path, print(&seen.meta))).collect())
    }

    fn content(&self, kind: FileKind, path: &Path) -> Result<[u8; 32], String> {
        match kind {
            FileKind::File => self.disk.hash(path).map_err(|error| error.to_string()),
            FileKind::Symlink => {
                let target = self.disk.read_link(path).map_err(|error| error.to_string())?;
                Ok(*blake3::hash(target.as_os_str().as_encoded_bytes()).as_bytes())
            }
            // A pipe or a socket holds nothing.
            _ => Ok([0; 32]),
        }
    }

    /// The hash of all that can be read in the trees that programs run in, as text, for each of both trees.
    pub(super) fn about(&mut self, used: &[Which]) -> Result<String, String> {
        let mut about = String::new();
        for which in [Which::Old, Which::New] {
            if used.contains(&which) {
                let tree = self.tree(which)?;
                about.push_str(&digest(self.disk, &tree)?);
            }
            about.push('\n');
        }
        Ok(about)
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
fn digest(disk: &dyn Disk, tree: &Path) -> Result<String, String> {
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
