//! Whether a tree is wholly old or wholly new, and nothing beside it changed: by manifest, every byte, mode and time.

use std::fs;
use std::path::{Path, PathBuf};

use switchback_core::manifest::{Entry, Manifest};
use switchback_core::tree::scan;
use switchback_core::world::RealDisk;

use super::scene::MANAGED;

/// What a tree is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Standing {
    /// All managed paths are as they were.
    Old,
    /// All managed paths are as the candidate.
    New,
    /// Neither, with what is different from either side.
    Mixed(String),
}

/// Both sides of a change, and everything else in the project.
#[derive(Debug, Clone)]
pub(super) struct Sides {
    old: Manifest,
    new: Manifest,
    others: Manifest,
}

impl Sides {
    /// The sides of a change from what is live at `root` to what stands in `candidate`.
    pub(super) fn of(root: &Path, candidate: &Path) -> Self {
        Self { old: managed(root), new: managed(candidate), others: others(root) }
    }

    /// What the tree at `root` is.
    pub(super) fn standing(&self, root: &Path) -> Standing {
        let now = managed(root);
        if now == self.old {
            return Standing::Old;
        }
        if now == self.new {
            return Standing::New;
        }
        let from = |side: &Manifest| {
            let differences = side.differences(&now).into_iter().take(4);
            let words = differences.map(|found| format!("{} ({})", found.path.display(), found.what.word()));
            words.collect::<Vec<_>>().join(", ")
        };
        Standing::Mixed(format!("from old: {}; from new: {}", from(&self.old), from(&self.new)))
    }

    /// What is not managed is as it was, whatever happened.
    pub(super) fn others_stay(&self, root: &Path, case: &str) {
        let differences = self.others.differences(&others(root));
        assert!(differences.is_empty(), "{case}: what is not managed changed: {differences:?}");
    }
}

/// The managed paths below `folder`, as a reader sees them: through the pointer, where they are links into it.
fn managed(folder: &Path) -> Manifest {
    let mut entries = Vec::new();
    for path in MANAGED {
        let at = folder.join(path);
        let Ok(meta) = fs::symlink_metadata(&at) else { continue };
        // No managed path is itself a link, so this one leads into a generation; one that leads nowhere is of no side.
        let content = if meta.is_symlink() { fs::canonicalize(&at).unwrap_or(at) } else { at };
        let named = |inside: &Path| {
            if inside.as_os_str().is_empty() { path.into() } else { Path::new(path).join(inside) }
        };
        let found = scan(&RealDisk, &content, &[PathBuf::new()]).unwrap().entries;
        entries.extend(found.into_iter().map(|entry| Entry {
            path: named(&entry.path),
            linked_to: entry.linked_to.as_deref().map(named),
            ..entry
        }));
    }
    Manifest::from_entries(entries)
}

/// Everything in the project that is not managed: not its own state, and not what stands beside a managed path while a
/// run is open. The time of a folder in which managed paths stand is left out: a kill between an exchange and the call that
/// sets the time back leaves it changed.
fn others(root: &Path) -> Manifest {
    let names = fs::read_dir(root).unwrap().map(|entry| PathBuf::from(entry.unwrap().file_name()));
    let names: Vec<PathBuf> =
        names.filter(|name| name != Path::new(".switchback") && !is_beside(name)).collect();
    let is_managed = |path: &Path| MANAGED.iter().any(|managed| path.starts_with(managed));
    let is_above = |path: &Path| MANAGED.iter().any(|managed| Path::new(managed).starts_with(path));
    let mut entries = scan(&RealDisk, root, &names).unwrap().entries;
    entries.retain(|entry| {
        !is_managed(&entry.path) && !entry.path.components().any(|part| is_beside(part.as_ref()))
    });
    for entry in entries.iter_mut().filter(|entry| is_above(&entry.path)) {
        entry.mtime_ns = 0;
    }
    Manifest::from_entries(entries)
}

fn is_beside(name: &Path) -> bool {
    let name = name.to_string_lossy();
    name.starts_with('.') && name.contains(".sb-")
}

/// Nothing stands beside the managed paths any more.
pub(super) fn nothing_beside(root: &Path, case: &str) {
    for folder in [root.to_owned(), root.join("config")] {
        for entry in fs::read_dir(&folder).unwrap() {
            let name = PathBuf::from(entry.unwrap().file_name());
            assert!(!is_beside(&name), "{case}: `{}` was left in `{}`", name.display(), folder.display());
        }
    }
}
