//! Which copy a rollback means, and what it holds.

use std::path::{Path, PathBuf};

use super::super::error::StepError;
use super::super::layout;
use super::super::project::Work;
use super::super::roll_back::{LiveTransaction, Origin, RollBackOptions, chain, names_generation};
use super::super::safety;
use super::super::snapshot::NOTHING;
use super::super::witness::Notice;
use crate::journal::PhaseHistory;
use crate::manifest::{Entry, Manifest};
use crate::plan::{Managed, STATE_FOLDER};
use crate::port::{SnapshotReader, SnapshotRecord};
use crate::tree::exchange::Participant;
use crate::tree::exchange::participant::inode;

/// What is to be taken back, and the copy that comes in its place.
#[derive(Debug)]
pub(in crate::phase) struct Target<'w> {
    /// The transactions whose outcome is taken back, the last one first.
    live: Vec<LiveTransaction<'w>>,
    /// The phase before which it was so.
    pub(in crate::phase) phase: String,
    copy: Copy,
}

#[derive(Debug)]
enum Copy {
    Snapshot(String),
    Remote(String),
    Git(safety::Branch),
}

impl<'w> Target<'w> {
    /// The transactions whose outcome is taken back, the last one first.
    pub(in crate::phase) fn live(&self) -> &[LiveTransaction<'w>] {
        &self.live
    }

    pub(in crate::phase) fn phases(&self) -> Vec<String> {
        self.live.iter().map(|live| live.prepare.phase.clone()).collect()
    }

    pub(in crate::phase) fn transactions(&self) -> Vec<String> {
        self.live.iter().map(|live| live.id.clone()).collect()
    }

    /// What else was exchanged with the managed paths and is in no copy, environments: what was there before is exchanged back
    /// from where it is kept.
    pub(in crate::phase) fn environments(
        &self,
        work: &Work<'_>,
        transaction: &str,
    ) -> Result<Vec<Participant>, StepError> {
        let disk = work.world().disk.as_ref();
        let root = work.project.root.as_path();
        let is_managed = |path: &Path| work.plan().project.managed.iter().any(|managed| managed.path == path);
        let mut found: Vec<Participant> = Vec::new();
        // The first of them knows what was there before all of them.
        for participant in self.live.iter().rev().flat_map(LiveTransaction::participants) {
            let Participant::Path { live, beside, kept, old: before, way, .. } = participant else {
                continue;
            };
            if is_managed(live) || found.iter().any(|known| known.live() == live) {
                continue;
            }
            let now = inode(disk, &root.join(live))?;
            let place = match before {
                None => layout::beside(live, transaction),
                Some(_) if inode(disk, &root.join(beside))? == *before => beside.clone(),
                Some(_) if inode(disk, &root.join(kept))? == *before => kept.clone(),
                Some(_) => {
                    work.witness.notice(Notice::Warning(format!(
                        "`{}` stays as it is: what was there before is not kept any more, build it again",
                        live.display()
                    )));
                    continue;
                }
            };
            let kept = layout::kept_old(transaction, live);
            found.push(Participant::Path {
                live: live.clone(),
                beside: place,
                kept,
                old: now,
                new: *before,
                way: *way,
            });
        }
        Ok(found)
    }

    /// The one transaction of which a part is restored.
    pub(in crate::phase) fn only_live(&mut self) -> Result<LiveTransaction<'w>, StepError> {
        if self.live.len() == 1 {
            return Ok(self.live.remove(0));
        }
        Err(StepError::not_now(
            "`--only` takes what the phase that went live last changed",
            "roll the later phases back first; `switchback snapshot restore ID --into DIR` lays any copy out",
        ))
    }
}

/// Finds what the options mean.
pub(in crate::phase) fn target<'w>(
    work: &'w Work<'_>,
    options: &RollBackOptions,
) -> Result<Target<'w>, StepError> {
    if work.plan().project.managed.is_empty() {
        return Err(StepError::not_now(
            "what is managed stands in the plan, which cannot be used",
            "mend `switchback.toml`; or roll back what is kept locally: `switchback rollback`; or lay the copy out: \
             `switchback snapshot restore ID --into DIR`",
        ));
    }
    match &options.to {
        Some(id) if !names_generation(work, id)? => of_snapshot(work, options, id),
        _ => of_phase(work, options),
    }
}

/// A snapshot that was named. It takes back what went live after it.
fn of_snapshot<'w>(work: &'w Work<'_>, options: &RollBackOptions, id: &str) -> Result<Target<'w>, StepError> {
    let is_remote = match options.from {
        None | Some(Origin::Snapshot) => false,
        Some(Origin::Remote) => true,
        Some(Origin::Local | Origin::Git) => {
            return Err(StepError::not_now(
                format!("`{id}` is not the number of a generation, and a snapshot is not kept there"),
                "name a generation with `--to`, or leave `--from` out; `switchback status` and `switchback snapshot list` \
                 show both",
            ));
        }
    };
    let (record, _) = reader(work, is_remote)?.show(id)?;
    let mut live = chain(work, &RollBackOptions::default()).unwrap_or_default();
    live.retain(|live| {
        let history = work.history();
        let Some(phase) = history.of_transaction(&live.id) else { return false };
        let is_its_own = phase.snapshot.as_ref().is_some_and(|snapshot| snapshot.id == record.id);
        is_its_own || is_before(&record.time, phase.live_since.as_deref())
    });
    let phase = live.last().map_or_else(String::new, |live| live.prepare.phase.clone());
    let copy = if is_remote { Copy::Remote(record.id) } else { Copy::Snapshot(record.id) };
    Ok(Target { live, phase, copy })
}

/// Both are times of this project's own clock, in RFC 3339.
fn is_before(time: &str, live_since: Option<&str>) -> bool {
    let read = |text: &str| text.parse::<jiff::Timestamp>().ok();
    live_since.and_then(read).zip(read(time)).is_some_and(|(live, then)| then < live)
}

/// What was before a phase: the last one that is live, the named one, or that after a generation; and where nothing is live,
/// the last one that has a copy.
fn of_phase<'w>(work: &'w Work<'_>, options: &RollBackOptions) -> Result<Target<'w>, StepError> {
    let (live, history) = match chain(work, options) {
        Ok(live) => {
            let history = live.last().and_then(|first| work.history().of_transaction(&first.id).cloned());
            (live, history)
        }
        Err(error) if options.to.is_some() => return Err(error),
        Err(error) => {
            let history = work.history();
            let wanted = |phase: &&PhaseHistory| match &options.phase {
                Some(name) => &phase.name == name,
                None => phase.snapshot.is_some(),
            };
            let last = history.phases.iter().rev().find(wanted).cloned();
            if last.as_ref().is_none_or(|phase| phase.snapshot.is_none()) {
                return Err(error);
            }
            (Vec::new(), last)
        }
    };
    let Some(history) = history else {
        return Err(StepError::not_now(
            "the journal does not say which copy was made before the phase",
            "name a snapshot: `switchback rollback --to SNAPSHOT`; `switchback snapshot list` shows them",
        ));
    };
    let copy = copy_of(&history, options.from)?;
    Ok(Target { live, phase: history.name, copy })
}

fn copy_of(history: &PhaseHistory, from: Option<Origin>) -> Result<Copy, StepError> {
    if from == Some(Origin::Git) {
        let Some(safety) = &history.safety else {
            return Err(StepError::not_now(
                format!("there is no safety branch of the phase `{}`", history.name),
                "one is made before a phase where the project is in a repository of git; use `--from snapshot`",
            ));
        };
        let branch = safety::Branch { name: safety.branch.clone(), commit: safety.commit.clone() };
        return Ok(Copy::Git(branch));
    }
    let id = history.snapshot.as_ref().map(|snapshot| snapshot.id.clone());
    match id.filter(|id| id != NOTHING) {
        Some(id) if from == Some(Origin::Remote) => Ok(Copy::Remote(id)),
        Some(id) => Ok(Copy::Snapshot(id)),
        None => Err(StepError::not_now(
            format!("there was nothing to save before the phase `{}`: it has no snapshot", history.name),
            "what it made is taken away by `switchback rollback`",
        )),
    }
}

fn reader(work: &Work<'_>, is_remote: bool) -> Result<Box<dyn SnapshotReader>, StepError> {
    if is_remote {
        return Ok(work.project.remote()?);
    }
    Ok(work.project.vault())
}

/// What a copy holds.
#[derive(Debug)]
pub(in crate::phase) struct Held {
    manifest: Manifest,
    content: Content,
}

#[derive(Debug)]
enum Content {
    Snapshot { record: SnapshotRecord, is_remote: bool },
    Git(safety::Branch),
}

impl Held {
    /// Reads what the copy says that it holds of the managed paths.
    pub(in crate::phase) fn of(work: &Work<'_>, target: &Target<'_>) -> Result<Self, StepError> {
        let (id, is_remote) = match &target.copy {
            Copy::Git(branch) => {
                let manifest = safety::manifest(work, branch)?;
                return Ok(Self { manifest, content: Content::Git(branch.clone()) });
            }
            Copy::Snapshot(id) => (id, false),
            Copy::Remote(id) => (id, true),
        };
        let (record, manifest) = reader(work, is_remote)?.show(id)?;
        let manifest = managed_part(&manifest, &record.paths, &work.plan().project.managed)?;
        Ok(Self { manifest, content: Content::Snapshot { record, is_remote } })
    }

    /// Its entries, by the managed paths that they belong to.
    pub(in crate::phase) fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Where it is, as the journal says it.
    pub(in crate::phase) fn from(&self) -> &'static str {
        match &self.content {
            Content::Snapshot { is_remote: false, .. } => "snapshot",
            Content::Snapshot { is_remote: true, .. } => "remote",
            Content::Git(_) => "git",
        }
    }

    /// The id of the snapshot or commit.
    pub(in crate::phase) fn id(&self) -> &str {
        match &self.content {
            Content::Snapshot { record, .. } => &record.id,
            Content::Git(branch) => &branch.commit,
        }
    }

    /// Which copy it is, in words.
    pub(in crate::phase) fn words(&self) -> String {
        let short = self.id().get(..12).unwrap_or(self.id());
        match &self.content {
            Content::Snapshot { record, is_remote } => {
                let place = if *is_remote { "the remote copy of snapshot" } else { "snapshot" };
                format!("{place} {short} ({}, {})", record.label, record.time)
            }
            Content::Git(branch) => format!("the branch `{}` (commit {short})", branch.name),
        }
    }

    /// The managed paths that it was made of, whether they were there or not.
    pub(in crate::phase) fn paths(&self, work: &Work<'_>) -> Vec<PathBuf> {
        let managed = work.plan().project.managed.iter().map(|managed| &managed.path);
        managed.filter(|path| self.is_made_of(path)).cloned().collect()
    }

    fn is_made_of(&self, path: &Path) -> bool {
        match &self.content {
            Content::Snapshot { record, .. } => folder_of(&record.paths, path).is_some(),
            Content::Git(_) => true,
        }
    }

    /// Writes the content of these managed paths below `folder`, verified against the manifest. Returns the folder in
    /// which they stand by their own names.
    pub(in crate::phase) fn lay_out(
        &self,
        work: &Work<'_>,
        paths: &[PathBuf],
        folder: &Path,
    ) -> Result<PathBuf, StepError> {
        let into = folder.join("copy");
        match &self.content {
            Content::Snapshot { record, is_remote } => {
                let inside = |path: &Path| folder_of(&record.paths, path).unwrap_or_default();
                let there = paths.iter().filter(|path| self.manifest.get(path).is_some());
                let names: Vec<PathBuf> = there.map(|path| inside(path).join(path)).collect();
                if names.is_empty() {
                    work.world().disk.make_directory(&into, 0o700)?;
                    return Ok(into);
                }
                reader(work, *is_remote)?.restore(&record.id, &names, &into)?;
                Ok(paths.first().map_or_else(|| into.clone(), |path| into.join(inside(path))))
            }
            Content::Git(branch) => {
                let wanted: Vec<Entry> = self
                    .manifest
                    .entries
                    .iter()
                    .filter(|entry| paths.iter().any(|path| entry.path.starts_with(path)))
                    .cloned()
                    .collect();
                safety::lay_out(work, branch, &Manifest::from_entries(wanted), folder, &into)?;
                Ok(into)
            }
        }
    }
}

/// The folder below which a snapshot that was made of `saved` holds a managed path: none of its own, or the tree that a
/// pointer led to. `None`: it was not made of it.
fn folder_of(saved: &[PathBuf], path: &Path) -> Option<PathBuf> {
    let generations = Path::new(STATE_FOLDER).join("generations");
    saved.iter().find_map(|saved| {
        if saved == path {
            return Some(PathBuf::new());
        }
        let is_pointed = saved.starts_with(&generations) && saved.ends_with(path);
        let depth = saved.components().count().checked_sub(path.components().count())?;
        is_pointed.then(|| saved.components().take(depth).collect())
    })
}

/// The entries of the managed paths, by the names that they have in the project.
fn managed_part(manifest: &Manifest, saved: &[PathBuf], managed: &[Managed]) -> Result<Manifest, StepError> {
    let mut entries = Vec::new();
    for managed in managed {
        let Some(folder) = folder_of(saved, &managed.path) else {
            return Err(StepError::not_now(
                format!("the snapshot was not made of `{}`, which is managed now", managed.path.display()),
                "lay out what it holds: `switchback snapshot restore ID --into DIR`",
            ));
        };
        let place = folder.join(&managed.path);
        entries.extend(manifest.below(&place).entries.into_iter().filter_map(|entry| {
            let path = entry.path.strip_prefix(&folder).ok()?.to_owned();
            // Only links within one managed path are compared: each of them is scanned alone.
            let first = entry.linked_to.as_ref().and_then(|to| to.strip_prefix(&folder).ok());
            let linked_to = first.filter(|first| first.starts_with(&managed.path)).map(Path::to_owned);
            Some(Entry { path, linked_to, ..entry })
        }));
    }
    Ok(Manifest::from_entries(entries))
}
