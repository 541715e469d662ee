//! What a repository really lists of a snapshot, compared entry by entry with the manifest.

use std::collections::{BTreeMap, HashMap};
use std::convert::Infallible;
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustic_core::TreeId;
use rustic_core::jiff::Timestamp;
use rustic_core::repofile::{Node, NodeType, Tree};
use switchback_core::manifest::{Entry, Kind, Manifest};
use switchback_core::tree::in_parallel;

use crate::archive::Listing;
use crate::blobs::Blobs;
use crate::contents::Content;
use crate::folders::{Child, Folder};
use crate::source::{base64, go_mode};
use crate::trouble::Trouble;

/// The entries of a snapshot by path, and what of it could not be listed, one sentence each.
#[derive(Debug, Default)]
pub(crate) struct Stored {
    pub(crate) nodes: HashMap<PathBuf, Node>,
    pub(crate) unreadable: Vec<String>,
}

/// Lists a whole snapshot, one wave for each level of depth.
pub(crate) fn list(blobs: &Blobs, tree: TreeId) -> Stored {
    let mut stored = Stored::default();
    let mut waiting = vec![(PathBuf::new(), Some(tree))];
    while !waiting.is_empty() {
        let listed = in_parallel(&waiting, |(_, tree)| {
            let listed = tree
                .ok_or_else(|| Trouble::new("the repository has no listing of it"))
                .and_then(|tree| blobs.tree(tree));
            Ok::<_, Infallible>(listed)
        });
        let Ok(listed) = listed;
        let mut below = Vec::new();
        for ((directory, _), listed) in waiting.into_iter().zip(listed) {
            match listed {
                Err(trouble) => stored.unreadable.push(format!(
                    "the directory `{}` cannot be listed: {}",
                    if directory.as_os_str().is_empty() { Path::new(".") } else { &directory }.display(),
                    trouble.line()
                )),
                Ok(tree) => {
                    for node in tree.nodes {
                        let path = directory.join(node.name());
                        if node.is_dir() {
                            below.push((path.clone(), node.subtree));
                        }
                        stored.nodes.insert(path, node);
                    }
                }
            }
        }
        waiting = below;
    }
    stored
}

/// What a repository is to list.
pub(crate) struct Meant<'a> {
    pub(crate) blobs: &'a Blobs,
    pub(crate) manifest: &'a Manifest,
    /// The directories of the manifest.
    pub(crate) folders: &'a [Folder],
    /// The paths of the snapshot.
    pub(crate) asked: &'a [PathBuf],
    /// Listings of which it is known whether they are reused, by the numbers of the directories; none when nothing is known.
    pub(crate) listings: &'a [Listing],
}

/// What a repository lists.
pub(crate) struct Listed {
    /// Every entry that is in only one of both or is described differently, and what could not be listed.
    pub(crate) findings: Vec<String>,
    /// The blobs of each file, by the numbers of the manifest.
    pub(crate) contents: Vec<Content>,
}

/// A directory of the repository that is to be looked at.
#[derive(Default)]
struct Below {
    /// Its number, where the manifest has it.
    folder: Option<usize>,
    path: PathBuf,
    tree: Option<TreeId>,
}

/// What one directory of the repository holds.
#[derive(Default)]
struct Looked {
    unreadable: Option<String>,
    /// It is what it is known to be, and so are all its entries.
    is_confirmed: bool,
    /// Entries of the manifest.
    found: Vec<usize>,
    different: Vec<(usize, &'static str)>,
    contents: Vec<(usize, Content)>,
    /// What the manifest has not.
    beyond: Vec<PathBuf>,
    below: Vec<Below>,
}

impl Meant<'_> {
    /// Lists a whole snapshot, one wave for each level of depth, and compares it. `contents` are those that are known; of what is
    /// listed they are replaced.
    pub(crate) fn compare(&self, tree: TreeId, mut contents: Vec<Content>) -> Listed {
        let entries = &self.manifest.entries;
        let (mut findings, mut different, mut beyond) = (Vec::new(), Vec::new(), Vec::new());
        let mut found = vec![false; entries.len()];
        let mut waiting = vec![Below { folder: Some(0), path: PathBuf::new(), tree: Some(tree) }];
        while !waiting.is_empty() {
            let Ok(looked) = in_parallel(&waiting, |below| Ok::<_, Infallible>(self.look(below)));
            let mut next = Vec::new();
            for (looked, below) in looked.into_iter().zip(&waiting) {
                findings.extend(looked.unreadable);
                if looked.is_confirmed {
                    for at in self.entries_of(below.folder) {
                        found[at] = true;
                    }
                }
                for at in looked.found {
                    found[at] = true;
                }
                for (at, content) in looked.contents {
                    contents[at] = content;
                }
                different.extend(looked.different);
                beyond.extend(looked.beyond);
                next.extend(looked.below);
            }
            waiting = next;
        }
        for ((at, entry), content) in entries.iter().enumerate().zip(&mut contents) {
            if !found[at] {
                *content = Content::Unknown;
                // The root of a snapshot has no entry of its own in the format.
                if !entry.path.as_os_str().is_empty() {
                    different.push((at, ""));
                }
            }
        }
        different.sort_unstable();
        findings.extend(different.into_iter().map(|(at, what)| {
            let path = entries[at].path.display();
            match what {
                "" => format!("`{path}` is missing in the repository"),
                what => format!("`{path}` has another {what} in the repository"),
            }
        }));
        beyond.sort();
        let finding =
            |path: PathBuf| format!("`{}` is in the repository and was not in the tree", path.display());
        findings.extend(beyond.into_iter().map(finding));
        Listed { findings, contents }
    }

    /// The numbers of the entries right below a directory.
    fn entries_of(&self, folder: Option<usize>) -> impl Iterator<Item = usize> {
        let children = folder.map(|folder| self.folders[folder].children.as_slice());
        children.unwrap_or_default().iter().filter_map(|child| match *child {
            Child::Entry(entry) => Some(entry),
            Child::Folder(below) => self.folders[below].entry,
        })
    }

    fn look(&self, below: &Below) -> Looked {
        let looked = below.tree.ok_or_else(|| Trouble::new("the repository has no listing of it"));
        let looked = looked.and_then(|tree| match self.reused(below.folder, tree) {
            Some(folder) => self.confirm(folder, tree),
            None => Ok(self.look_at(below, self.blobs.tree(tree)?)),
        });
        looked.unwrap_or_else(|trouble| {
            let path = if below.path.as_os_str().is_empty() { Path::new(".") } else { &below.path };
            let unreadable =
                format!("the directory `{}` cannot be listed: {}", path.display(), trouble.line());
            Looked { unreadable: Some(unreadable), ..Looked::default() }
        })
    }

    /// The number of a directory whose listing is that of an earlier snapshot, which was verified.
    fn reused(&self, folder: Option<usize>, tree: TreeId) -> Option<usize> {
        let listing = self.listings.get(folder?)?;
        (listing.is_reused && listing.tree == tree).then_some(folder?)
    }

    /// Reads a listing again that is the same, byte by byte, as one that was compared before.
    fn confirm(&self, folder: usize, tree: TreeId) -> Result<Looked, Trouble> {
        self.blobs.confirm_tree(tree)?;
        let below = self.folders[folder].children.iter().filter_map(|child| match *child {
            Child::Entry(_) => None,
            Child::Folder(below) => Some(Below {
                folder: Some(below),
                path: self.folders[below].path.clone(),
                tree: Some(self.listings[below].tree),
            }),
        });
        Ok(Looked { is_confirmed: true, below: below.collect(), ..Looked::default() })
    }

    /// What a listing says that stands for a directory of the manifest: contents, and what is beyond the manifest.
    #[cfg(test)]
    pub(crate) fn look_at_folder(&self, folder: usize, listing: Tree) -> (Vec<Content>, Vec<PathBuf>) {
        let below = Below { folder: Some(folder), path: self.folders[folder].path.clone(), tree: None };
        let looked = self.look_at(&below, listing);
        let mut contents = vec![Content::Unknown; self.manifest.entries.len()];
        for (at, content) in looked.contents {
            contents[at] = content;
        }
        (contents, looked.beyond)
    }

    fn look_at(&self, below: &Below, listing: Tree) -> Looked {
        let mut looked = Looked::default();
        let mut nodes: BTreeMap<OsString, Node> = BTreeMap::new();
        for node in listing.nodes {
            // Of two entries of one name nobody knows which one a restore would take.
            if let Some(twice) = nodes.insert(node.name().into_owned(), node) {
                looked.beyond.push(below.path.join(&*twice.name()));
            }
        }
        let children = below.folder.map(|folder| self.folders[folder].children.as_slice());
        for child in children.unwrap_or_default() {
            let (path, entry) = match *child {
                Child::Entry(entry) => (self.manifest.entries[entry].path.as_path(), Some(entry)),
                Child::Folder(below) => (self.folders[below].path.as_path(), self.folders[below].entry),
            };
            let Some(node) = nodes.remove(path.file_name().unwrap_or_default()) else { continue };
            if let Some(at) = entry {
                looked.found.push(at);
                looked.different.extend(difference(&self.manifest.entries[at], &node).map(|what| (at, what)));
            }
            let folder = match *child {
                Child::Entry(_) => None,
                Child::Folder(below) => Some(below),
            };
            if node.is_dir() {
                looked.below.push(Below { folder, path: path.to_owned(), tree: node.subtree });
            }
            if let Some(at) = entry {
                // A file that is listed without content is an empty one, and compared as that.
                let is_file = matches!(self.manifest.entries[at].kind, Kind::File { .. });
                let ids = if is_file { Some(node.content.unwrap_or_default()) } else { node.content };
                looked.contents.push((at, ids.map_or(Content::Unknown, Content::from)));
            }
        }
        for (name, node) in nodes {
            let path = below.path.join(name);
            // The directories above what was asked for are only the way there.
            let is_way = self.asked.iter().any(|asked| *asked != path && asked.starts_with(&path));
            if !(node.is_dir() && is_way) {
                looked.beyond.push(path.clone());
            }
            if node.is_dir() {
                looked.below.push(Below { folder: None, path, tree: node.subtree });
            }
        }
        looked
    }
}

/// The first thing that is described differently, in words.
pub(crate) fn difference(entry: &Entry, node: &Node) -> Option<&'static str> {
    let same_kind = match (&entry.kind, &node.node_type) {
        (Kind::File { .. }, NodeType::File)
        | (Kind::Directory, NodeType::Dir)
        | (Kind::Fifo, NodeType::Fifo) => true,
        (Kind::Symlink(target), NodeType::Symlink { .. }) => {
            // Compared as bytes: as paths, `a/` and `a` would be the same.
            if node.node_type.to_link().as_os_str().as_bytes() != target.as_os_str().as_bytes() {
                return Some("link target");
            }
            true
        }
        (Kind::Device { block: true, number }, NodeType::Dev { device })
        | (Kind::Device { block: false, number }, NodeType::Chardev { device }) => number == device,
        _ => false,
    };
    let size = if let Kind::File { size, .. } = entry.kind { size } else { 0 };
    let meta = &node.meta;
    if !same_kind {
        Some("kind")
    } else if meta.mode != Some(go_mode(entry)) {
        Some("mode")
    } else if (meta.uid, meta.gid) != (Some(entry.uid), Some(entry.gid)) {
        Some("owner")
    } else if meta.size != size {
        Some("size")
    } else if meta.mtime.map(Timestamp::as_nanosecond) != Some(entry.mtime_ns) {
        Some("time of modification")
    } else if !same_xattrs(entry, node) {
        Some("set of extended attributes")
    } else {
        None
    }
}

fn same_xattrs(entry: &Entry, node: &Node) -> bool {
    let stored = &node.meta.extended_attributes;
    stored.len() == entry.xattrs.len()
        && stored.iter().zip(&entry.xattrs).all(|(stored, (name, value))| {
            // An empty value and none are the same thing in the format.
            let stored_value = stored.value.as_deref().unwrap_or_default();
            stored.name.as_bytes() == name.as_bytes() && base64(stored_value) == base64(value)
        })
}
