//! The newest verified snapshot, asked for what it has of a tree that nobody touched since: files that need not be read, and
//! directories that need not be listed, again.

use std::borrow::Cow;
use std::collections::HashMap;
use std::convert::Infallible;
use std::ffi::OsStr;
use std::path::PathBuf;

use rustic_core::TreeId;
use rustic_core::jiff::Timestamp;
use rustic_core::repofile::{BlobType, Node};
use switchback_core::manifest::{Entry, Hash, Kind};
use switchback_core::tree::{Seen, in_parallel};
use switchback_core::world::FileKind;

use crate::blobs::Blobs;
use crate::contents::Content;
use crate::folders::{Child, Folder, waves};
use crate::record::Files;
use crate::stored::difference;

/// A file that was touched less than this before the earlier snapshot is read again. A kernel stamps with the time of its last
/// tick, and writes through a mapping stamp only when the page was clean: Linux writes pages back after 30 s and cleans them
/// (`vm.dirty_expire_centisecs`, Documentation/admin-guide/sysctl/vm.rst), and looks for such pages every 5 s.
const SETTLED_NS: i128 = 60 * 1_000_000_000;

/// What a verified snapshot says of itself.
#[derive(Debug)]
pub(crate) struct Verified {
    /// The files of its manifest.
    pub(crate) files: Files,
    /// When its first file was read, nanoseconds since 1970.
    pub(crate) began_ns: i128,
}

/// An earlier snapshot.
pub(crate) struct Earlier<'a> {
    pub(crate) blobs: &'a Blobs,
    pub(crate) verified: &'a Verified,
    pub(crate) tree: TreeId,
    /// Files are cut from this length on; shorter ones are one blob.
    pub(crate) cut_from: u64,
}

/// What an earlier snapshot has of a directory.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Before {
    /// Its listing.
    pub(crate) tree: TreeId,
    /// Whether a listing of the directory itself would be the same, if those below it are.
    pub(crate) is_same: bool,
}

/// What an earlier snapshot has of a tree, by the numbers of what was seen and of its directories.
#[derive(Debug)]
pub(crate) struct Known {
    /// The hashes of files that nobody touched since.
    pub(crate) hashes: Vec<Option<Hash>>,
    /// The blobs of files that have the same device, inode, size, and times of modification and of change as then.
    pub(crate) contents: Vec<Content>,
    /// Of those that are long and have to be read again, the hashes of then: as long as that is their hash, these are their blobs.
    pub(crate) before_hashes: HashMap<usize, Hash>,
    pub(crate) before: Vec<Option<Before>>,
}

/// The same of one directory.
struct Found {
    before: Before,
    files: Vec<(usize, FoundFile)>,
    below: Vec<(usize, TreeId)>,
}

/// The same of a file.
struct FoundFile {
    content: Content,
    /// Its hash then.
    hash: Option<Hash>,
    /// Whether nobody can have touched it since, so that its content is known.
    is_settled: bool,
    /// Whether a listing would say the same of it, if it has no extended attributes.
    is_described: bool,
}

impl Known {
    /// There is no earlier snapshot.
    pub(crate) fn nothing(seen: &[Seen], folders: &[Folder]) -> Self {
        Self {
            hashes: vec![None; seen.len()],
            contents: vec![Content::Unknown; seen.len()],
            before_hashes: HashMap::new(),
            before: vec![None; folders.len()],
        }
    }
}

impl Earlier<'_> {
    /// Goes through both trees, level by level. What is damaged in the earlier snapshot is not known here; whether it is needed all the
    /// same is seen when all is read back.
    pub(crate) fn known(&self, seen: &[Seen], folders: &[Folder]) -> Known {
        let mut known = Known::nothing(seen, folders);
        let mut trees = vec![None; folders.len()];
        trees[0] = Some(self.tree);
        for wave in waves(folders) {
            let listed: Vec<(usize, TreeId)> =
                wave.into_iter().filter_map(|at| Some((at, trees[at]?))).collect();
            let found =
                in_parallel(&listed, |&(at, tree)| Ok::<_, Infallible>(self.found(seen, folders, at, tree)));
            let Ok(found) = found;
            for ((at, _), found) in listed.into_iter().zip(found) {
                let Some(found) = found else { continue };
                known.before[at] = Some(found.before);
                for (at, file) in found.files {
                    if file.is_settled {
                        known.hashes[at] = file.hash;
                    } else if seen[at].meta.size >= self.cut_from {
                        known.before_hashes.extend(file.hash.map(|hash| (at, hash)));
                    }
                    known.contents[at] = file.content;
                }
                for (below, tree) in found.below {
                    trees[below] = Some(tree);
                }
            }
        }
        known
    }

    fn found(&self, seen: &[Seen], folders: &[Folder], at: usize, tree: TreeId) -> Option<Found> {
        let listing = self.blobs.tree(tree).ok()?;
        let names: Vec<Cow<'_, OsStr>> = listing.nodes.iter().map(Node::name).collect();
        let children = &folders[at].children;
        let mut found = Found {
            before: Before { tree, is_same: listing.nodes.len() == children.len() },
            files: Vec::with_capacity(children.len()),
            below: Vec::new(),
        };
        // Both are in the order of their names; where a listing is not, its entries are not found, and everything is done anew.
        let mut nodes = names.iter().zip(&listing.nodes).peekable();
        for child in children {
            let path = match *child {
                Child::Entry(entry) => &seen[entry].path,
                Child::Folder(below) => &folders[below].path,
            };
            let name = path.file_name().unwrap_or(OsStr::new(""));
            while nodes.next_if(|(before, _)| ***before < *name).is_some() {}
            let Some((_, node)) = nodes.next_if(|(before, _)| ***before == *name) else {
                found.before.is_same = false;
                continue;
            };
            let is_same = match *child {
                Child::Entry(entry) => self.same_file(&seen[entry], node).is_some_and(|file| {
                    let is_same = file.is_described;
                    found.files.push((entry, file));
                    is_same
                }),
                Child::Folder(below) => {
                    found.below.extend(node.subtree.map(|tree| (below, tree)));
                    let entry = folders[below].entry.map(|entry| &seen[entry]);
                    node.subtree.is_some() && entry.is_some_and(|seen| self.is_same_folder(seen, node))
                }
            };
            found.before.is_same &= is_same;
        }
        Some(found)
    }

    /// A file that has the same device, inode, size and times as then, if the repository still has all of its blobs. Its content
    /// is known, if that was so well before the earlier snapshot: the time of change is among them, which nobody can set.
    fn same_file(&self, seen: &Seen, node: &Node) -> Option<FoundFile> {
        if seen.meta.kind != FileKind::File || !is_same_inode(seen, node) || node.meta.size != seen.meta.size
        {
            return None;
        }
        let ids = node.content.as_deref()?;
        if !ids.iter().all(|id| self.blobs.index.find(BlobType::Data, id).is_some()) {
            return None;
        }
        let hash = self.verified.files.get(&seen.path).filter(|(size, _)| *size == seen.meta.size);
        let hash = hash.map(|(_, hash)| hash);
        let is_settled = hash.is_some() && self.is_settled(seen);
        // Which of several names is the first one, a listing does not say.
        let is_described = hash.is_some_and(|hash| {
            is_settled
                && seen.meta.links == 1
                && is_described(seen, Kind::File { size: seen.meta.size, hash }, node)
        });
        Some(FoundFile { content: Content::from(ids.to_vec()), hash, is_settled, is_described })
    }

    fn is_same_folder(&self, seen: &Seen, node: &Node) -> bool {
        node.is_dir()
            && seen.meta.kind == FileKind::Directory
            && is_same_inode(seen, node)
            && self.is_settled(seen)
            && is_described(seen, Kind::Directory, node)
    }

    fn is_settled(&self, seen: &Seen) -> bool {
        seen.meta.ctime_ns + SETTLED_NS <= self.verified.began_ns
    }
}

/// Whether it is the same inode, and neither modified nor changed since.
fn is_same_inode(seen: &Seen, node: &Node) -> bool {
    let ns = |time: Option<Timestamp>| time.map(Timestamp::as_nanosecond);
    let (meta, then) = (&seen.meta, &node.meta);
    (then.device_id, then.inode) == (meta.identity.device, meta.identity.inode)
        && ns(then.mtime) == Some(meta.mtime_ns)
        && ns(then.ctime) == Some(meta.ctime_ns)
}

/// Whether a listing says of an entry, which has no extended attributes, what it would say now.
fn is_described(seen: &Seen, kind: Kind, node: &Node) -> bool {
    let links = if kind == Kind::Directory { 0 } else { seen.meta.links };
    let entry = Entry {
        path: PathBuf::new(),
        kind,
        mode: seen.meta.mode,
        uid: seen.meta.uid,
        gid: seen.meta.gid,
        mtime_ns: seen.meta.mtime_ns,
        xattrs: Vec::new(),
        linked_to: None,
    };
    node.meta.links == links && difference(&entry, node).is_none()
}
