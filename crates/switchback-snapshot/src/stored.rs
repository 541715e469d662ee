//! What a repository really holds of a snapshot, compared entry by entry and byte by byte with the manifest.

use std::collections::HashMap;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustic_core::jiff::Timestamp;
use rustic_core::repofile::{Node, NodeType};
use rustic_core::{IndexedFullStatus, Repository, TreeId};
use switchback_core::manifest::{Entry, Kind, Manifest};
use switchback_core::tree::in_parallel;

use crate::blocks::measure;
use crate::source::{base64, go_mode};
use crate::trouble::Trouble;

/// The entries of a snapshot by path, and what of it could not be listed, one sentence each.
#[derive(Debug, Default)]
pub(crate) struct Stored {
    pub(crate) nodes: HashMap<PathBuf, Node>,
    pub(crate) unreadable: Vec<String>,
}

/// What comparing the content brought.
#[derive(Debug, Default)]
pub(crate) struct ContentCheck {
    pub(crate) findings: Vec<String>,
    /// Bytes outside of holes, each file counted once.
    pub(crate) data_bytes: u64,
}

/// Lists a whole snapshot.
pub(crate) fn list(repository: &Repository<IndexedFullStatus>, tree: TreeId) -> Stored {
    let mut stored = Stored::default();
    let mut waiting = vec![(PathBuf::new(), Some(tree))];
    while let Some((directory, tree)) = waiting.pop() {
        let listed = tree
            .ok_or_else(|| Trouble::new("the repository has no listing of it"))
            .and_then(|tree| Ok(repository.get_tree(&tree)?));
        match listed {
            Err(trouble) => {
                stored.unreadable.push(format!(
                    "the directory `{}` cannot be listed: {}",
                    if directory.as_os_str().is_empty() { Path::new(".") } else { &directory }.display(),
                    trouble.line()
                ));
            }
            Ok(tree) => {
                for node in tree.nodes {
                    let path = directory.join(node.name());
                    if node.is_dir() {
                        waiting.push((path.clone(), node.subtree));
                    }
                    stored.nodes.insert(path, node);
                }
            }
        }
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

/// Reads every file again and compares its BLAKE3 hash and size with the manifest.
pub(crate) fn compare_content(
    repository: &Repository<IndexedFullStatus>,
    manifest: &Manifest,
    stored: &Stored,
) -> ContentCheck {
    let files: Vec<(&Entry, &Node)> = manifest
        .entries
        .iter()
        .filter(|entry| matches!(entry.kind, Kind::File { .. }))
        // What is not stored at all is found by the comparison of entries.
        .filter_map(|entry| Some((entry, stored.nodes.get(&entry.path)?)))
        .collect();
    let checked = in_parallel(&files, |&(entry, node)| {
        let first = entry.linked_to.as_ref().and_then(|first| stored.nodes.get(first));
        if first.is_some_and(|first| first.content == node.content) {
            return Ok::<_, std::convert::Infallible>((None, 0));
        }
        Ok(check_file(repository, entry, node))
    });
    let mut check = ContentCheck::default();
    let Ok(checked) = checked;
    for (finding, data_bytes) in checked {
        check.findings.extend(finding);
        check.data_bytes += data_bytes;
    }
    check
}

fn check_file(
    repository: &Repository<IndexedFullStatus>,
    entry: &Entry,
    node: &Node,
) -> (Option<String>, u64) {
    let path = entry.path.display();
    let Kind::File { size, hash } = entry.kind else { return (None, 0) };
    match measure(repository, node) {
        Err(trouble) => (Some(format!("the content of `{path}` cannot be read: {}", trouble.line())), 0),
        Ok(measured) if (measured.size, measured.hash) == (size, hash) => (None, measured.data_bytes),
        Ok(measured) => (
            Some(format!(
                "the content of `{path}` is not what the manifest says ({} bytes instead of {size}, or other bytes)",
                measured.size
            )),
            measured.data_bytes,
        ),
    }
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
