//! The directories of a manifest as listings of a repository, deepest first: a listing names those below it by their ids.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::path::Path;

use rustic_core::repofile::{Metadata, Node, NodeType, Tree};
use rustic_core::{DataId, TreeId};
use switchback_core::manifest::{Entry, Kind, Manifest};
use switchback_core::tree::{Seen, in_parallel};

use crate::archive::store::Store;
use crate::source::node;
use crate::trouble::Trouble;

/// One directory. What lies above the saved paths has no entry: it is only the way there.
#[derive(Debug)]
struct Folder<'a> {
    path: &'a Path,
    /// The number of its entry in the manifest.
    entry: Option<usize>,
    depth: usize,
    /// In the order of their names.
    children: Vec<Child>,
}

#[derive(Debug, Clone, Copy)]
enum Child {
    /// An entry of the manifest, by number.
    Entry(usize),
    /// A directory, by number.
    Folder(usize),
}

/// A manifest with what only the backup's format keeps.
pub(crate) struct Described<'a> {
    manifest: &'a Manifest,
    /// What was seen of each entry.
    seen: Vec<&'a Seen>,
    /// The blobs of each file.
    contents: Vec<Option<&'a [DataId]>>,
}

impl<'a> Described<'a> {
    /// `contents` are the blobs of the files that were read, by their numbers in `seen`.
    pub(crate) fn new(
        manifest: &'a Manifest,
        seen: &'a [Seen],
        contents: &'a HashMap<usize, Vec<DataId>>,
    ) -> Result<Self, Trouble> {
        let mut described = Self { manifest, seen: Vec::new(), contents: Vec::new() };
        let mut read: HashMap<&Path, &[DataId]> = HashMap::new();
        // Both are in path order.
        let mut numbered = seen.iter().enumerate();
        for entry in &manifest.entries {
            let changed = || Trouble::new(format!("`{}` changed while it was read", entry.path.display()));
            let (at, seen) = numbered.find(|(_, seen)| seen.path == entry.path).ok_or_else(changed)?;
            let content = match &entry.linked_to {
                Some(first) => read.get(first.as_path()).copied(),
                None => contents.get(&at).map(Vec::as_slice),
            };
            let is_file = matches!(entry.kind, Kind::File { .. });
            if is_file && content.is_none() {
                return Err(changed());
            }
            if let Some(content) = content.filter(|_| seen.meta.links > 1) {
                read.insert(&entry.path, content);
            }
            described.seen.push(seen);
            described.contents.push(content.filter(|_| is_file));
        }
        Ok(described)
    }

    /// Stores all listings; the id of the topmost.
    pub(crate) fn store(&self, store: &Store<'_>) -> Result<TreeId, Trouble> {
        let folders = folders(&self.manifest.entries);
        let deepest = folders.iter().map(|folder| folder.depth).max().unwrap_or(0);
        let mut ids = vec![TreeId::default(); folders.len()];
        for depth in (0..=deepest).rev() {
            let wave: Vec<usize> = (0..folders.len()).filter(|&at| folders[at].depth == depth).collect();
            let stored = in_parallel(&wave, |&at| self.store_one(store, &folders, at, &ids))?;
            for (at, id) in wave.into_iter().zip(stored) {
                ids[at] = id;
            }
        }
        Ok(ids[0])
    }

    fn store_one(
        &self,
        store: &Store<'_>,
        folders: &[Folder<'_>],
        at: usize,
        ids: &[TreeId],
    ) -> Result<TreeId, Trouble> {
        let folder = &folders[at];
        let nodes = folder.children.iter().map(|child| match *child {
            Child::Entry(entry) => {
                let mut node = node(&self.manifest.entries[entry], self.seen[entry])?;
                node.content = self.contents[entry].map(<[DataId]>::to_vec);
                Ok(node)
            }
            Child::Folder(below) => {
                let mut node = match folders[below].entry {
                    Some(entry) => node(&self.manifest.entries[entry], self.seen[entry])?,
                    None => on_the_way(folders[below].path),
                };
                node.subtree = Some(ids[below]);
                Ok(node)
            }
        });
        let tree = Tree { nodes: nodes.collect::<Result<_, Trouble>>()? };
        let place = folder.path.display();
        let (listing, _) =
            tree.serialize().map_err(|error| Trouble::new(format!("could not list `{place}`: {error}")))?;
        Ok(TreeId::from(store.put_tree(&listing)?))
    }
}

fn on_the_way(path: &Path) -> Node {
    let name = path.file_name().unwrap_or(OsStr::new(""));
    Node::new_node(name, NodeType::Dir, Metadata::default())
}

/// The directories of entries that are in path order, parents before children; the first one is the topmost.
fn folders(entries: &[Entry]) -> Vec<Folder<'_>> {
    let topmost = Folder { path: Path::new(""), entry: None, depth: 0, children: Vec::new() };
    let mut folders = vec![topmost];
    let mut open = vec![0];
    // The root of a snapshot has no entry of its own in the format; the manifest keeps it.
    for (at, entry) in entries.iter().enumerate().filter(|(_, entry)| !entry.path.as_os_str().is_empty()) {
        while open.len() > 1 && !entry.path.starts_with(folders[open[open.len() - 1]].path) {
            open.pop();
        }
        let is_directory = entry.kind == Kind::Directory;
        let mut missing: Vec<&Path> = entry
            .path
            .ancestors()
            .skip(usize::from(!is_directory))
            .take_while(|path| *path != folders[open[open.len() - 1]].path)
            .collect();
        missing.reverse();
        for path in missing {
            let (above, below) = (open[open.len() - 1], folders.len());
            let own = (path == entry.path).then_some(at);
            folders.push(Folder { path, entry: own, depth: open.len(), children: Vec::new() });
            folders[above].children.push(Child::Folder(below));
            open.push(below);
        }
        if !is_directory {
            folders[open[open.len() - 1]].children.push(Child::Entry(at));
        }
    }
    folders
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directories_stand_under_each_other_and_ways_have_no_entry() {
        let entry = |path: &str, kind: Kind| Entry {
            path: path.into(),
            kind,
            mode: 0,
            uid: 0,
            gid: 0,
            mtime_ns: 0,
            xattrs: Vec::new(),
            linked_to: None,
        };
        let file = || Kind::File { size: 0, hash: [0; 32] };
        let entries = [
            entry("a/b/c", Kind::Directory),
            entry("a/b/c/d", file()),
            entry("a/b/c/e", Kind::Directory),
            entry("a/b.x", file()),
            entry("a.y", Kind::Directory),
        ];
        let found = folders(&entries);
        let shown: Vec<String> = found
            .iter()
            .map(|folder| {
                let children = folder.children.iter().map(|child| match *child {
                    Child::Entry(at) => entries[at].path.display().to_string(),
                    Child::Folder(at) => format!("{}/", found[at].path.display()),
                });
                let own = if folder.entry.is_some() { "" } else { " (way)" };
                let children = children.collect::<Vec<_>>().join(" ");
                format!("{} {}{own}: {children}", folder.depth, folder.path.display())
            })
            .collect();
        assert_eq!(
            shown,
            [
                "0  (way): a/ a.y/",
                "1 a (way): a/b/ a/b.x",
                "2 a/b (way): a/b/c/",
                "3 a/b/c: a/b/c/d a/b/c/e/",
                "4 a/b/c/e: ",
                "1 a.y: "
            ]
        );
    }
}
