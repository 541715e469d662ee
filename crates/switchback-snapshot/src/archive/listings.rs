//! The directories of a manifest as listings of a repository, deepest first: a listing names those below it by their ids.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::path::Path;

use rustic_core::TreeId;
use rustic_core::repofile::{Metadata, Node, NodeType, Tree};
use switchback_core::manifest::{Kind, Manifest};
use switchback_core::tree::{Seen, in_parallel};

use crate::archive::earlier::Before;
use crate::archive::store::Store;
use crate::contents::Content;
use crate::folders::{Child, Folder, waves};
use crate::source::node;
use crate::trouble::Trouble;

/// A manifest with what only the backup's format keeps. Manifest, what was seen, and contents go by the same numbers.
pub(crate) struct Described<'a> {
    pub(crate) manifest: &'a Manifest,
    pub(crate) seen: &'a [Seen],
    pub(crate) contents: &'a [Content],
    pub(crate) folders: &'a [Folder],
    /// What an earlier snapshot has of each directory.
    pub(crate) before: &'a [Option<Before>],
}

/// The listing of one directory.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Listing {
    pub(crate) tree: TreeId,
    /// It is that of the earlier snapshot, which was verified.
    pub(crate) is_reused: bool,
}

/// Makes sure that the manifest has every entry that was seen, and gives further names of a file the blobs of the first.
pub(crate) fn completed(
    manifest: &Manifest,
    seen: &[Seen],
    mut contents: Vec<Content>,
) -> Result<Vec<Content>, Trouble> {
    let changed = |path: &Path| Trouble::new(format!("`{}` changed while it was saved", path.display()));
    let mut entries = manifest.entries.iter();
    if let Some(gone) = seen.iter().find(|seen| entries.next().is_none_or(|entry| entry.path != seen.path)) {
        return Err(changed(&gone.path));
    }
    let mut firsts: HashMap<&Path, usize> = HashMap::new();
    for (at, (entry, seen)) in manifest.entries.iter().zip(seen).enumerate() {
        if !matches!(entry.kind, Kind::File { .. }) {
            contents[at] = Content::Unknown;
            continue;
        }
        match &entry.linked_to {
            Some(first) => {
                let first = firsts.get(first.as_path()).ok_or_else(|| changed(&entry.path))?;
                contents[at] = contents[*first].clone();
            }
            None if seen.meta.links > 1 => drop(firsts.insert(&entry.path, at)),
            None => {}
        }
        if !contents[at].is_known() {
            return Err(changed(&entry.path));
        }
    }
    Ok(contents)
}

impl Described<'_> {
    /// Stores all listings; they go by the numbers of the directories.
    pub(crate) fn store(&self, store: &Store<'_>) -> Result<Vec<Listing>, Trouble> {
        let mut listings = vec![Listing::default(); self.folders.len()];
        for wave in waves(self.folders).into_iter().rev() {
            let stored = in_parallel(&wave, |&at| self.store_one(store, at, &listings))?;
            for (at, listing) in wave.into_iter().zip(stored) {
                listings[at] = listing;
            }
        }
        Ok(listings)
    }

    fn store_one(&self, store: &Store<'_>, at: usize, listings: &[Listing]) -> Result<Listing, Trouble> {
        if let Some(tree) = self.reusable(at, listings) {
            return Ok(Listing { tree, is_reused: true });
        }
        let folder = &self.folders[at];
        let nodes = folder.children.iter().map(|child| match *child {
            Child::Entry(entry) => {
                let mut node = node(&self.manifest.entries[entry], &self.seen[entry])?;
                let content = &self.contents[entry];
                node.content = content.is_known().then(|| content.ids().to_vec());
                Ok(node)
            }
            Child::Folder(below) => {
                let mut node = match self.folders[below].entry {
                    Some(entry) => node(&self.manifest.entries[entry], &self.seen[entry])?,
                    None => on_the_way(&self.folders[below].path),
                };
                node.subtree = Some(listings[below].tree);
                Ok(node)
            }
        });
        let tree = Tree { nodes: nodes.collect::<Result<_, Trouble>>()? };
        let place = folder.path.display();
        let (listing, _) =
            tree.serialize().map_err(|error| Trouble::new(format!("could not list `{place}`: {error}")))?;
        Ok(Listing { tree: TreeId::from(store.put_tree(&listing)?), is_reused: false })
    }

    /// The earlier listing of a directory, where it would be the same again: it is known but for extended attributes.
    fn reusable(&self, at: usize, listings: &[Listing]) -> Option<TreeId> {
        let before = self.before[at].as_ref().filter(|before| before.is_same)?;
        let is_plain = |entry: usize| self.manifest.entries[entry].xattrs.is_empty();
        let is_same_below = |child: &Child| match *child {
            Child::Entry(entry) => is_plain(entry),
            Child::Folder(below) => {
                let is_same = |before: &Before| before.tree == listings[below].tree;
                self.folders[below].entry.is_none_or(is_plain)
                    && self.before[below].as_ref().is_some_and(is_same)
            }
        };
        self.folders[at].children.iter().all(is_same_below).then_some(before.tree)
    }
}

fn on_the_way(path: &Path) -> Node {
    let name = path.file_name().unwrap_or(OsStr::new(""));
    Node::new_node(name, NodeType::Dir, Metadata::default())
}
