//! A package that was unpacked as a candidate: the tree in it, once every file of it is what the manifest says.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use switchback_package::format::MANIFEST_BYTES_MAX;
use switchback_package::{Entry, EntryKind, MANIFEST, Manifest, TREE};

use crate::manifest::to_hex;
use crate::tree::{ScanError, walk};
use crate::world::{Disk, DiskError, FileKind};

/// Why the candidate of a package is not used.
#[derive(Debug)]
pub(crate) enum Unusable {
    /// The disk said no.
    Disk(DiskError),
    /// What is wrong with it.
    Why(String),
}

impl From<DiskError> for Unusable {
    fn from(error: DiskError) -> Self {
        Self::Disk(error)
    }
}

impl From<ScanError> for Unusable {
    fn from(error: ScanError) -> Self {
        Self::Why(error.to_string())
    }
}

/// The candidate in what was unpacked; `None`: that is no package. `mirrored`: the managed paths of which nothing would be left where
/// the candidate does not have them; `managed`: all of them, unless the plan names those that are taken.
pub(crate) fn candidate_of(
    disk: &dyn Disk,
    unpacked: &Path,
    mirrored: &[&Path],
    managed: Option<&[&Path]>,
) -> Result<Option<PathBuf>, Unusable> {
    let file = unpacked.join(MANIFEST);
    if !disk.look(&file)?.is_some_and(|meta| meta.kind == FileKind::File) {
        return Ok(None);
    }
    let manifest = Manifest::read(&disk.read(&file, MANIFEST_BYTES_MAX)?)
        .map_err(|why| Unusable::Why(format!("its manifest cannot be read: {why}")))?;
    if let Some(lacking) = lacking(&manifest, mirrored) {
        return Err(Unusable::Why(format!(
            "it does not bring `{lacking}`, which is managed here: all of it would be deleted; name what it brings in `paths`"
        )));
    }
    if let Some(strange) = managed.and_then(|managed| left_behind(&manifest, managed).into_iter().next()) {
        return Err(Unusable::Why(would_stay(&strange)));
    }
    let tree = unpacked.join(TREE);
    if disk.look(&tree)?.is_none() {
        disk.make_directory(&tree, 0o755)?;
    }
    let mut known: BTreeSet<PathBuf> = BTreeSet::new();
    for entry in &manifest.entries {
        let Some(inside) = entry.path.strip_prefix(TREE).and_then(|rest| rest.strip_prefix('/')) else {
            continue;
        };
        if !is_said(disk, &unpacked.join(&entry.path), entry)? {
            return Err(Unusable::Why(format!("`{inside}` in it is not what its manifest says")));
        }
        known.insert(PathBuf::from(inside));
    }
    let seen = walk(disk, &tree, &[PathBuf::new()])?;
    let stranger =
        seen.iter().find(|seen| seen.meta.kind != FileKind::Directory && !known.contains(&seen.path));
    match stranger {
        Some(seen) => Err(Unusable::Why(format!("`{}` in it is not in its manifest", seen.path.display()))),
        None => Ok(Some(tree)),
    }
}

/// What a package brings as managed, and of which something lies outside of these paths.
pub(super) fn left_behind(manifest: &Manifest, managed: &[&Path]) -> Vec<String> {
    let is_taken = |brought: &&String| managed.iter().any(|path| Path::new(brought).starts_with(path));
    manifest.managed.iter().filter(|brought| !is_taken(brought)).cloned().collect()
}

/// Why a package is not taken that brings a path which is not managed here.
pub(super) fn would_stay(brought: &str) -> String {
    format!(
        "it brings `{brought}`, which is not managed here: that would be left behind; add it to `managed`, or name what is taken in `paths`"
    )
}

/// A managed path that a package does not bring, be it as one that is gone.
fn lacking(manifest: &Manifest, managed: &[&Path]) -> Option<String> {
    let brings = |path: &Path| manifest.managed.iter().any(|brought| Path::new(brought) == path);
    managed.iter().find(|path| !brings(path)).map(|path| path.display().to_string())
}

fn is_said(disk: &dyn Disk, path: &Path, entry: &Entry) -> Result<bool, DiskError> {
    Ok(match (entry.kind, disk.look(path)?.map(|meta| meta.kind)) {
        (EntryKind::File, Some(FileKind::File)) => to_hex(&disk.hash(path)?) == entry.blake3,
        (EntryKind::Link, Some(FileKind::Symlink)) => {
            disk.read_link(path)?.to_str() == entry.target.as_deref()
        }
        _ => false,
    })
}
