//! The judge: which side is live at each managed path, seen as a reader sees it, and whether any file was lost.
//!
//! It shares only the manifest with what it judges: it knows nothing of transactions, journals or identities.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use switchback_core::manifest::{Entry, Hash, Kind, Manifest};
use switchback_core::tree::scan;
use switchback_core::world::{Disk, FileKind, RealDisk};

use crate::Trouble;
use crate::content::MANAGED;

/// Both sides of a change, managed path by managed path, with everything that a manifest says.
#[derive(Debug, Clone)]
pub struct Sides {
    old: BTreeMap<PathBuf, Manifest>,
    new: BTreeMap<PathBuf, Manifest>,
}

/// Which side is live at one managed path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Side {
    /// Both sides are the same here, and it is that.
    Same,
    /// The old one.
    Old,
    /// The new one.
    New,
    /// Neither: how it differs from old, and from new.
    Neither(String),
}

/// What the whole tree is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// Every managed path is old.
    Old,
    /// Every managed path is new.
    New,
    /// Some are old and some are new, or one is neither. By path.
    Mixed(Vec<(PathBuf, Side)>),
}

impl Sides {
    /// The sides as they are in two folders.
    pub fn of(old: &Path, new: &Path) -> Result<Self, Trouble> {
        Ok(Self { old: manifests(old)?, new: manifests(new)? })
    }

    /// The managed paths that differ between the sides.
    pub fn changed(&self) -> Vec<PathBuf> {
        self.old
            .iter()
            .filter(|(path, old)| self.new.get(*path) != Some(old))
            .map(|(path, _)| path.clone())
            .collect()
    }

    /// Which side is live at each managed path of the project at `root`.
    pub fn look(&self, root: &Path) -> Result<BTreeMap<PathBuf, Side>, Trouble> {
        let seen = manifests(root)?;
        let judged = seen.into_iter().map(|(path, seen)| {
            let side = match (self.old.get(&path) == Some(&seen), self.new.get(&path) == Some(&seen)) {
                (true, true) => Side::Same,
                (true, false) => Side::Old,
                (false, true) => Side::New,
                (false, false) => Side::Neither(self.difference(&path, &seen)),
            };
            (path, side)
        });
        Ok(judged.collect())
    }

    fn difference(&self, path: &Path, seen: &Manifest) -> String {
        let against = |side: &BTreeMap<PathBuf, Manifest>| {
            let then = side.get(path).cloned().unwrap_or_default();
            let words = then.differences(seen).into_iter().take(4);
            let words: Vec<_> =
                words.map(|found| format!("{} ({})", found.path.display(), found.what.word())).collect();
            words.join(", ")
        };
        format!("from old: {}; from new: {}", against(&self.old), against(&self.new))
    }

    /// What the whole tree at `root` is.
    pub fn standing(&self, root: &Path) -> Result<Standing, Trouble> {
        let sides = self.look(root)?;
        let all = |wanted: &Side| sides.values().all(|side| side == wanted || side == &Side::Same);
        Ok(match (all(&Side::Old), all(&Side::New)) {
            (true, false) => Standing::Old,
            (false, true) => Standing::New,
            _ => Standing::Mixed(sides.into_iter().filter(|(_, side)| side != &Side::Same).collect()),
        })
    }

    /// The files of either side whose content is nowhere in the project at `root`. Snapshots do not count: what is in
    /// them is not lost, and a restore is not a rollback.
    pub fn lost(&self, root: &Path) -> Result<Vec<PathBuf>, Trouble> {
        let state = root.join(".switchback");
        let mut places: Vec<PathBuf> = children(root)?.into_iter().filter(|path| path != &state).collect();
        places.extend(children(&state)?.into_iter().filter(|path| !path.ends_with("snapshots")));
        let inside = places.iter().filter_map(|path| path.strip_prefix(root).ok()).map(Path::to_owned);
        let there: BTreeSet<Hash> =
            scan(&RealDisk, root, &inside.collect::<Vec<_>>())?.entries.iter().filter_map(hash).collect();
        let mut lost: Vec<PathBuf> = self
            .old
            .values()
            .chain(self.new.values())
            .flat_map(|manifest| &manifest.entries)
            .filter(|entry| hash(entry).is_some_and(|hash| !there.contains(&hash)))
            .map(|entry| entry.path.clone())
            .collect();
        lost.sort();
        lost.dedup();
        Ok(lost)
    }
}

fn hash(entry: &Entry) -> Option<Hash> {
    if let Kind::File { hash, .. } = entry.kind { Some(hash) } else { None }
}

fn children(folder: &Path) -> Result<Vec<PathBuf>, Trouble> {
    if RealDisk.look(folder)?.is_none() {
        return Ok(Vec::new());
    }
    Ok(RealDisk.list(folder)?.into_iter().map(|name| folder.join(name)).collect())
}

/// The manifest of each managed path below `folder`, as a reader of the path sees it.
fn manifests(folder: &Path) -> Result<BTreeMap<PathBuf, Manifest>, Trouble> {
    MANAGED.iter().map(|path| Ok((PathBuf::from(path), manifest(folder, Path::new(path))?))).collect()
}

fn manifest(folder: &Path, path: &Path) -> Result<Manifest, Trouble> {
    let at = folder.join(path);
    let Some(meta) = RealDisk.look(&at)? else { return Ok(Manifest::default()) };
    let mut content = at.clone();
    if meta.kind == FileKind::Symlink
        && let Ok(real) = std::fs::canonicalize(&at)
    {
        // No managed path of a scratch project is itself a link, so this one leads into a generation. One that leads
        // nowhere stays what it is, a link that belongs to neither side.
        content = real;
    }
    let named =
        |inside: &Path| if inside.as_os_str().is_empty() { path.to_owned() } else { path.join(inside) };
    let entries = scan(&RealDisk, &content, &[PathBuf::new()])?.entries.into_iter().map(|entry| Entry {
        path: named(&entry.path),
        linked_to: entry.linked_to.as_deref().map(named),
        ..entry
    });
    Ok(Manifest::from_entries(entries.collect()))
}
