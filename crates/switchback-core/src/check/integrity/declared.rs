//! Which files a check declares, in the snapshot and in the tree that it looks at.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use super::sqlite;
use crate::check::SavedContent;
use crate::check::found::{is_sibling, settle};
use crate::manifest::{Kind, Manifest};
use crate::pattern::fits;
use crate::world::{Disk, FileKind};

/// Folders within folders.
const DEPTH_MAX: usize = 128;
/// More files than that are a path that was not meant.
const FILES_MAX: usize = 1_000_000;

/// A path or a pattern, as the plan names it.
#[derive(Debug, Clone)]
pub(super) struct Named {
    /// The path that it is, or the folder in which its first `*` or `?` stands.
    pub(super) root: PathBuf,
    /// Where it stands in the plan.
    pub(super) offset: usize,
    text: String,
    /// What a path must fit, any of them; none where it is a path itself.
    patterns: Vec<String>,
}

impl Named {
    pub(super) fn new(path: &Path, offset: usize) -> Self {
        let is_wild = |part: &Component<'_>| part.as_os_str().to_string_lossy().contains(['*', '?']);
        let root: PathBuf = path.components().take_while(|part| !is_wild(part)).collect();
        let text = path.to_string_lossy().into_owned();
        let patterns = if root == path { Vec::new() } else { without_folders(&text) };
        Self { root, offset, text, patterns }
    }

    fn means(&self, path: &Path) -> bool {
        if self.patterns.is_empty() {
            return path.starts_with(&self.root);
        }
        let text = path.to_string_lossy();
        self.patterns.iter().any(|pattern| fits(pattern, &text))
    }
}

/// The pattern, and what it is where a `**` stands for no folder at all.
fn without_folders(pattern: &str) -> Vec<String> {
    let mut all = vec![String::new()];
    for (at, part) in pattern.split('/').enumerate() {
        let mut next = Vec::new();
        for begun in &all {
            let joined =
                if at == 0 || begun.is_empty() { part.to_owned() } else { format!("{begun}/{part}") };
            next.push(joined);
            // A few are enough: the others are found by the pattern itself.
            if part == "**" && all.len() < 8 {
                next.push(begun.clone());
            }
        }
        all = next;
    }
    all.retain(|pattern| !pattern.is_empty());
    all
}

/// What is declared.
#[derive(Debug)]
pub(super) struct Declared {
    /// Files of the snapshot, and files of the tree that could be in it.
    pub(super) paths: BTreeSet<PathBuf>,
    /// What means no file of the snapshot.
    pub(super) unmatched: Vec<String>,
}

impl Declared {
    pub(super) fn find(
        disk: &dyn Disk,
        tree: &Path,
        saved: &SavedContent,
        named: &[Named],
    ) -> Result<Self, String> {
        let is_file = |kind: &Kind| matches!(kind, Kind::File { .. } | Kind::Symlink(_));
        let kept: Vec<&Path> = saved
            .manifest
            .entries
            .iter()
            .filter(|entry| is_file(&entry.kind))
            .map(|entry| entry.path.as_path())
            .collect();
        let (mut paths, mut unmatched) = (BTreeSet::new(), Vec::new());
        for one in named {
            let meant: Vec<&Path> = kept.iter().copied().filter(|path| one.means(path)).collect();
            if meant.is_empty() {
                unmatched.push(one.text.clone());
            }
            paths.extend(meant.into_iter().map(Path::to_owned));
            for start in starts(one, &saved.roots) {
                let mut walk = Walk { disk, tree, manifest: &saved.manifest, found: BTreeSet::new() };
                walk.below(&start)?;
                paths.extend(walk.found.into_iter().filter(|path| one.means(path)));
            }
        }
        let beside: Vec<PathBuf> = paths.iter().filter(|path| is_beside(path, &paths)).cloned().collect();
        for path in beside {
            paths.remove(&path);
        }
        Ok(Self { paths, unmatched })
    }
}

/// Whether a file is the log, the journal or the index of a database that is declared too.
fn is_beside(path: &Path, paths: &BTreeSet<PathBuf>) -> bool {
    let name = path.as_os_str().to_string_lossy();
    let endings = sqlite::BESIDE.iter().chain([&sqlite::INDEX]);
    endings.filter_map(|ending| name.strip_suffix(*ending)).any(|base| paths.contains(Path::new(base)))
}

/// Where files can be that are meant and that a snapshot would hold.
fn starts(named: &Named, roots: &[PathBuf]) -> Vec<PathBuf> {
    let start = |root: &PathBuf| match () {
        () if root.starts_with(&named.root) => Some(root.clone()),
        () if named.root.starts_with(root) => Some(named.root.clone()),
        () => None,
    };
    roots.iter().filter_map(start).collect()
}

/// A walk through a tree, from some path of it.
struct Walk<'a> {
    disk: &'a dyn Disk,
    tree: &'a Path,
    manifest: &'a Manifest,
    found: BTreeSet<PathBuf>,
}

impl Walk<'_> {
    fn below(&mut self, start: &Path) -> Result<(), String> {
        let mut waiting = vec![(start.to_owned(), 0)];
        while let Some((path, depth)) = waiting.pop() {
            let here = self.tree.join(&path);
            let Some(meta) = self.disk.look(&here).map_err(|error| error.to_string())? else { continue };
            let (real, meta) = if meta.kind == FileKind::Symlink && (depth == 0 || self.is_no_link(&path)) {
                // A path that is linked into a copy, or the layout of the pointer.
                match settle(self.disk, &here)? {
                    Some(settled) => settled,
                    None => continue,
                }
            } else {
                (here, meta)
            };
            match meta.kind {
                FileKind::Directory if depth < DEPTH_MAX => {
                    let names = self.disk.list(&real).map_err(|error| error.to_string())?;
                    let names = names.into_iter().filter(|name| !is_sibling(&name.to_string_lossy()));
                    waiting.extend(names.map(|name| (path.join(name), depth + 1)));
                }
                FileKind::File | FileKind::Symlink => {
                    self.found.insert(path);
                }
                _ => {}
            }
            if self.found.len() > FILES_MAX {
                return Err(format!("there are more than {FILES_MAX} files below `{}`", start.display()));
            }
        }
        Ok(())
    }

    fn is_no_link(&self, path: &Path) -> bool {
        self.manifest.get(path).is_some_and(|entry| !matches!(entry.kind, Kind::Symlink(_)))
    }
}

/// What stands at a path now.
#[derive(Debug)]
pub(super) enum Looks {
    Nothing,
    /// A file: where it really is, and its size.
    File {
        real: PathBuf,
        bytes: u64,
    },
    /// A link, which the snapshot has as one or not at all.
    Link(PathBuf),
    /// A folder, a pipe or the like.
    Other,
}

impl Looks {
    /// Links are followed where the snapshot has something else: a path may be linked into a copy.
    pub(super) fn at(
        disk: &dyn Disk,
        tree: &Path,
        saved: &SavedContent,
        path: &Path,
    ) -> Result<Self, String> {
        let here = tree.join(path);
        let Some(meta) = disk.look(&here).map_err(|error| error.to_string())? else {
            return Ok(Self::Nothing);
        };
        let was = saved.manifest.get(path).map(|entry| &entry.kind);
        let is_link_itself = matches!(was, None | Some(Kind::Symlink(_)));
        if meta.kind == FileKind::Symlink && is_link_itself {
            return Ok(Self::Link(disk.read_link(&here).map_err(|error| error.to_string())?));
        }
        Ok(match settle(disk, &here)? {
            None => Self::Nothing,
            Some((real, meta)) if meta.kind == FileKind::File => Self::File { real, bytes: meta.size },
            Some(_) => Self::Other,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_means_itself_what_is_below_it_or_what_fits() {
        let check = |named: &str, root: &str, meant: &[&str], not: &[&str]| {
            let named = Named::new(Path::new(named), 0);
            assert_eq!(named.root, Path::new(root));
            for path in meant {
                assert!(named.means(Path::new(path)), "{named:?} {path}");
            }
            for path in not {
                assert!(!named.means(Path::new(path)), "{named:?} {path}");
            }
        };
        check("data", "data", &["data", "data/a.json", "data/b/c"], &["data2", "src/data"]);
        check(
            "data/**/*.json",
            "data",
            &["data/a.json", "data/b/a.json", "data/b/c/a.json"],
            &["data/a.csv", "a.json"],
        );
        check("*.json", "", &["a.json", "b/a.json"], &["a.jsonl"]);
        check("**/a.json", "", &["a.json", "b/a.json"], &["ba.json"]);
        check("data/2?/a.csv", "data", &["data/24/a.csv"], &["data/2/a.csv", "data/a.csv"]);
    }
}
