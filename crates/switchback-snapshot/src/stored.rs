//! What a repository really lists of a snapshot, compared entry by entry with the manifest.

use std::collections::HashMap;
use std::convert::Infallible;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustic_core::TreeId;
use rustic_core::jiff::Timestamp;
use rustic_core::repofile::{Node, NodeType};
use switchback_core::manifest::{Entry, Kind, Manifest};
use switchback_core::tree::in_parallel;

use crate::blobs::Blobs;
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

/// Every entry that is in only one of both or is described differently; `asked` are the paths of the snapshot.
pub(crate) fn compare_entries(manifest: &Manifest, asked: &[PathBuf], stored: &Stored) -> Vec<String> {
    let mut findings = stored.unreadable.clone();
    let mut found = 0;
    let in_manifest = manifest.entries.iter().filter(|entry| !entry.path.as_os_str().is_empty());
    for entry in in_manifest {
        match stored.nodes.get(&entry.path) {
            None => findings.push(format!("`{}` is missing in the repository", entry.path.display())),
            Some(node) => {
                found += 1;
                let different = difference(entry, node)
                    .map(|what| format!("`{}` has another {what} in the repository", entry.path.display()));
                findings.extend(different);
            }
        }
    }
    if found < stored.nodes.len() {
        findings.extend(beyond(manifest, asked, stored));
    }
    findings
}

/// What is stored and not in the manifest, in path order.
fn beyond(manifest: &Manifest, asked: &[PathBuf], stored: &Stored) -> Vec<String> {
    // The directories above what was asked for are only the way there.
    let is_on_the_way = |path: &Path, node: &Node| {
        node.is_dir() && asked.iter().any(|asked| asked != path && asked.starts_with(path))
    };
    let mut paths: Vec<&Path> = stored
        .nodes
        .iter()
        .filter(|(path, node)| manifest.get(path).is_none() && !is_on_the_way(path, node))
        .map(|(path, _)| path.as_path())
        .collect();
    paths.sort();
    let finding = |path: &Path| format!("`{}` is in the repository and was not in the tree", path.display());
    paths.into_iter().map(finding).collect()
}

/// The first thing that is described differently, in words.
fn difference(entry: &Entry, node: &Node) -> Option<&'static str> {
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
