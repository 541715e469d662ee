//! The tree of a phase without some of its changes: built once more from what the phase found, so that a change goes back
//! cleanly even where another one touched the same file.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::error::{StepError, with_causes};
use super::parts::{Done, clear, files_of, is_called, refuse_other_kinds, shown};
use super::project::Work;
use super::seal::named_manifest;
use super::stage::make_tree;
use crate::journal::Event;
use crate::manifest::Manifest;
use crate::plan::{ChangePlan, Phase};
use crate::tree::copy::{Copier, make_directories};

/// A tree that was built for a rollback.
pub(super) struct Rebuilt {
    root: PathBuf,
    manifest: Manifest,
    /// The changes that were left out, by name or kind.
    without: BTreeSet<String>,
}

impl Rebuilt {
    /// The folder that it stands in, which is to be removed.
    pub(super) fn folder(&self) -> Option<PathBuf> {
        self.root.parent().map(Path::to_owned)
    }

    /// What the live tree would get of it. What an earlier part restored by its path stays as that left it, and so does
    /// what was exchanged back.
    pub(super) fn differing(
        &self,
        work: &Work<'_>,
        done: &Done<'_>,
    ) -> Result<Vec<(PathBuf, Option<PathBuf>)>, StepError> {
        let earlier = earlier_parts(work, done)?;
        let by_path: BTreeSet<&str> = earlier
            .iter()
            .filter(|(words, _)| words.iter().all(|word| !self.without.contains(word)))
            .flat_map(|(_, restored)| restored.iter().map(String::as_str))
            .collect();
        let place = |path: &PathBuf| self.manifest.get(path).map(|_| self.root.join(path));
        let is_ours = |path: &Path| done.old_place(path).is_some() && !by_path.contains(shown(path).as_str());
        let found: Vec<_> = files_of(&done.new, &self.manifest)
            .into_iter()
            .filter(|path| is_ours(path))
            .map(|path| {
                let place = place(&path);
                (path, place)
            })
            .collect();
        if found.is_empty() {
            return Err(StepError::not_now(
                "without that change, the phase would make the same tree",
                "`switchback report` lists what the phase changed",
            ));
        }
        Ok(found)
    }
}

/// The candidate as it would be without these changes, and without those that earlier parts took back, built from what the
/// phase found.
pub(super) fn without(
    work: &Work<'_>,
    done: &Done<'_>,
    names: &BTreeSet<String>,
) -> Result<Rebuilt, StepError> {
    let Some(phase) = work.plan().phase(&done.live.prepare.phase) else {
        return Err(StepError::NoPhase(done.live.prepare.phase.clone()));
    };
    let mut names = names.clone();
    for (words, _) in earlier_parts(work, done)? {
        names.extend(
            words.into_iter().filter(|word| phase.changes.iter().any(|change| is_called(change, word))),
        );
    }
    let rest: Vec<&ChangePlan> =
        phase.changes.iter().filter(|change| !names.iter().any(|name| is_called(change, name))).collect();
    let folder = work.attempt("part")?;
    let built = build(work, done, phase, &rest, &folder).and_then(|manifest| {
        let tree = Rebuilt { root: folder.join("tree"), manifest, without: names };
        refuse_other_kinds(done, Path::new(""), &tree.manifest)?;
        Ok(tree)
    });
    built.inspect_err(|_| drop(clear(work, Some(&folder))))
}

fn build(
    work: &Work<'_>,
    done: &Done<'_>,
    phase: &Phase,
    rest: &[&ChangePlan],
    folder: &Path,
) -> Result<Manifest, StepError> {
    let disk = work.world().disk.as_ref();
    make_directories(disk, &work.project.root, &folder.join("old"))?;
    let mut copier = Copier::new(disk);
    for managed in &work.plan().project.managed {
        let path = &managed.path;
        let parked = done.old_place(path).unwrap_or_else(|| work.project.root.join(path));
        let to = folder.join("old").join(path);
        if let Some(parent) = to.parent() {
            make_directories(disk, folder, parent)?;
        }
        if disk.look(&parked)?.is_some() {
            copier.copy(&parked, &to, &|_| false)?;
        }
    }
    make_tree(work, phase, rest, &folder.join("old"), folder).map_err(|error| {
        let why = with_causes(&error);
        StepError::not_now(
            format!("the rest of the phase cannot be made without that change: {why}"),
            "nothing was touched; roll back by paths, or the whole phase",
        )
    })?;
    let root = folder.join("tree");
    let mut entries = Vec::new();
    for managed in &work.plan().project.managed {
        entries.extend(named_manifest(work.world(), &root.join(&managed.path), &managed.path)?.entries);
    }
    Ok(Manifest::from_entries(entries))
}

/// What was asked for, and what was restored.
type EarlierPart = (Vec<String>, Vec<String>);

/// The earlier parts of this transaction that stand: nobody undid them.
fn earlier_parts(work: &Work<'_>, done: &Done<'_>) -> Result<Vec<EarlierPart>, StepError> {
    let disk = work.world().disk.as_ref();
    // `undo` removes the record of what it takes back.
    let folder = work.project.root.join(".switchback/undo");
    let kept = if disk.look(&folder)?.is_some() { disk.list(&folder)? } else { Vec::new() };
    let is_standing = |undo: &str| {
        kept.iter().filter_map(|name| name.to_str()).any(|name| name.split('.').next() == Some(undo))
    };
    let parts = work.records()?.into_iter().filter_map(|record| match record.event {
        Event::PartRolledBack { transaction, parts, restored, undo, .. }
            if transaction == done.live.id && is_standing(&undo) =>
        {
            Some((parts, restored))
        }
        _ => None,
    });
    Ok(parts.collect())
}
