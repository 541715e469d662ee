//! The trees that are merged: folders, or revisions of the repository, each with its files under the names of the merge.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;
use switchback_core::git::Repository;
use switchback_core::tree::copy::make_directories;
use switchback_core::world::{DiskError, FileKind, World};

use super::plan::MergeError;
use crate::moving::leaf_path;
use crate::roots::normal;
use crate::tree::{Class, File, PYTHON_BYTES_MAX, Tree};

/// Where a tree comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Side {
    /// A folder, relative to the project or not.
    Folder(PathBuf),
    /// A folder of a commit.
    Revision {
        /// The commit.
        revision: String,
        /// The folder, relative to the project; where it is not said, it is that of the other side.
        path: Option<String>,
    },
}

impl Side {
    /// Reads what was typed: a folder where there is one of that name, else `REVISION` or `REVISION:FOLDER`.
    pub fn read(world: &World, root: &Path, typed: &str) -> Result<Self, MergeError> {
        let place = root.join(typed);
        if world.disk.look(&place)?.is_some_and(|meta| meta.kind == FileKind::Directory) {
            return Ok(Self::Folder(PathBuf::from(typed)));
        }
        let (revision, path) = match typed.split_once(':') {
            Some((revision, path)) => (revision, Some(normal(path))),
            None => (typed, None),
        };
        let git = Repository { world, folder: root };
        match git.commit(revision) {
            Ok(_) => Ok(Self::Revision { revision: revision.to_owned(), path }),
            Err(_) => Err(MergeError::NoSide(typed.to_owned())),
        }
    }

    /// Its folder in the project, where that is known and in it.
    pub(super) fn prefix(&self, root: &Path) -> Option<String> {
        match self {
            Self::Folder(folder) => {
                let below = if folder.is_absolute() { folder.strip_prefix(root).ok()? } else { folder };
                let is_plain =
                    below.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
                if is_plain { Some(normal(below.to_str()?)) } else { None }
            }
            Self::Revision { path, .. } => path.clone(),
        }
    }

    /// What it is called in markers.
    pub(super) fn label(&self) -> String {
        match self {
            Self::Folder(folder) => folder.display().to_string(),
            Self::Revision { revision, path: Some(path) } if !path.is_empty() => format!("{revision}:{path}"),
            Self::Revision { revision, .. } => revision.clone(),
        }
    }
}

/// One file of one side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Version {
    /// Which file of the tree.
    pub(super) at: usize,
    /// BLAKE3 of its bytes, or of what the link says.
    pub(super) print: [u8; 32],
    /// Where it leads, for a symbolic link.
    pub(super) link: Option<PathBuf>,
    /// Permission bits.
    pub(super) mode: u32,
}

impl Version {
    /// Whether there is nothing in it.
    pub(super) fn is_empty(&self) -> bool {
        self.link.is_none() && self.print == *blake3::hash(b"").as_bytes()
    }

    /// Whether it may be run.
    pub(super) fn is_executable(&self) -> bool {
        self.link.is_none() && self.mode & 0o111 != 0
    }

    /// Whether it is the same thing with the same bytes; permissions aside.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.print == other.print && self.link == other.link
    }
}

/// A tree that was looked through.
#[derive(Debug)]
pub(super) struct Opened {
    /// Its files at their places in the project.
    pub(super) tree: Tree,
    /// Its files by their paths in the merged tree.
    pub(super) files: BTreeMap<String, Version>,
    /// Its files as they are on the disk, by their paths in the project.
    pub(super) there: BTreeMap<String, There>,
}

/// A file as it is on the disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct There {
    /// BLAKE3 of its bytes, or of what the link says.
    pub(super) print: [u8; 32],
    /// Whether it is a symbolic link.
    pub(super) is_link: bool,
    /// Permission bits.
    pub(super) mode: u32,
}

impl Opened {
    /// The bytes of a version; nothing for a link, and for what is too large to be read.
    pub(super) fn bytes(&self, version: &Version) -> Result<Option<Arc<[u8]>>, DiskError> {
        let Some(file) = self.tree.file(version.at) else { return Ok(None) };
        if version.link.is_some() {
            return Ok(None);
        }
        if file.class == Class::Other && file.held().is_none() {
            let size = self.tree.disk().look(file.origin())?.map_or(0, |meta| meta.size);
            if size > PYTHON_BYTES_MAX {
                return Ok(None);
            }
        }
        self.tree.content(file).map(Some)
    }

    /// Where the bytes of a version are on the disk; nothing when the rules edited them.
    pub(super) fn place(&self, version: &Version) -> Option<PathBuf> {
        let file = self.tree.file(version.at)?;
        if file.is_edited() { None } else { Some(file.origin().to_owned()) }
    }

    /// Where it stood on the disk before anything was moved or edited.
    pub(super) fn origin(&self, version: &Version) -> Option<&Path> {
        self.tree.file(version.at).map(File::origin)
    }

    /// What kind of file it is.
    pub(super) fn class(&self, version: &Version) -> Class {
        self.tree.file(version.at).map_or(Class::Other, |file| file.class)
    }
}

/// Lists a side. What it holds is at its place in the project, where it has one.
pub(super) fn list(
    world: &World,
    root: &Path,
    side: &Side,
    prefix: &str,
    scratch: &Path,
) -> Result<Tree, MergeError> {
    let mut submodules = Vec::new();
    let folder = match side {
        Side::Folder(folder) => root.join(folder),
        Side::Revision { revision, .. } => {
            let git = Repository { world, folder: root };
            let commit = git.commit(revision)?;
            submodules = git.submodules(&commit)?;
            make_directories(world.disk.as_ref(), scratch.parent().unwrap_or(scratch), scratch)?;
            git.check_out(&commit, scratch)?.join(prefix)
        }
    };
    let tree = Tree::open_whole(world.disk.clone(), &folder)?;
    let placed = |file: &File| match prefix {
        "" => file.placed(file.path.clone()),
        prefix => file.placed(format!("{prefix}/{}", file.path)),
    };
    // A file of that name says where the repository is.
    let files = tree.files.iter().filter(|file| leaf_path(&file.path) != ".git").map(placed).collect();
    let mut tree = tree.with(files);
    tree.odd.extend(submodules);
    Ok(tree)
}

/// Names the files of a tree as the merged tree will: relative to the target.
pub(super) fn open(
    tree: Tree,
    own: &str,
    target: &str,
    moved: &BTreeMap<String, String>,
) -> Result<Opened, MergeError> {
    let prints: Result<Vec<Print>, DiskError> =
        tree.files.par_iter().map(|file| print(&tree, file)).collect();
    let back: BTreeMap<&str, &str> = moved.iter().map(|(old, new)| (new.as_str(), old.as_str())).collect();
    let mut files: BTreeMap<String, Version> = BTreeMap::new();
    let mut there = BTreeMap::new();
    for (at, (file, print)) in tree.files.iter().zip(prints?).enumerate() {
        let old = back.get(file.path.as_str()).copied().unwrap_or(&file.path);
        let path = match below(&file.path, target) {
            Some(path) => path,
            // What no rule moved keeps its place within its own tree.
            // A package that a move would need above the target is none of the merge's.
            None if file.origin().as_os_str().is_empty() => continue,
            None if old == file.path => below(&file.path, own).unwrap_or(&file.path),
            None => return Err(MergeError::OutsideTarget(file.path.clone())),
        };
        if let Some(on_disk) = print.on_disk {
            let is_link = print.link.is_some();
            there.insert(old.to_owned(), There { print: on_disk, is_link, mode: file.mode });
        }
        let version = Version { at, print: print.hash, link: print.link, mode: file.mode };
        if let Some(other) = files.insert(path.to_owned(), version) {
            let one = tree.file(other.at).map(|file| file.path.clone()).unwrap_or_default();
            return Err(MergeError::Twice { one, other: file.path.clone(), path: path.to_owned() });
        }
    }
    Ok(Opened { tree, files, there })
}

/// A path relative to a folder that it lies below.
pub(super) fn below<'a>(path: &'a str, folder: &str) -> Option<&'a str> {
    if folder.is_empty() { Some(path) } else { path.strip_prefix(folder)?.strip_prefix('/') }
}

struct Print {
    hash: [u8; 32],
    link: Option<PathBuf>,
    /// Of what is on the disk; nothing for a file that is not there yet.
    on_disk: Option<[u8; 32]>,
}

fn print(tree: &Tree, file: &File) -> Result<Print, DiskError> {
    if file.is_link {
        let target = tree.disk().read_link(file.origin())?;
        let hash = link_print(&target);
        return Ok(Print { hash, link: Some(target), on_disk: Some(hash) });
    }
    if !file.is_edited() {
        let hash = tree.disk().hash(file.origin())?;
        return Ok(Print { hash, link: None, on_disk: Some(hash) });
    }
    let hash = file.held().map_or([0; 32], |bytes| *blake3::hash(bytes).as_bytes());
    let is_new = file.origin().as_os_str().is_empty();
    let on_disk = if is_new { None } else { Some(tree.disk().hash(file.origin())?) };
    Ok(Print { hash, link: None, on_disk })
}

/// The hash of where a link leads.
pub(super) fn link_print(target: &Path) -> [u8; 32] {
    *blake3::hash(target.as_os_str().as_encoded_bytes()).as_bytes()
}
