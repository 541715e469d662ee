//! The step *snapshot*: a verified copy of everything that the phase may change, before anything is touched.

use std::path::{Path, PathBuf};

use super::error::StepError;
use super::layout;
use super::outlook;
use super::project::{Project, Work};
use super::retention;
use super::safety;
use crate::database::{self, Facts, Saver};
use crate::journal::Event;
use crate::journal::history::PhaseHistory;
use crate::manifest::{Entry, Manifest, to_hex};
use crate::plan::Phase;
use crate::port::{SnapshotRecord, SnapshotRequest};
use crate::tree::scan;

/// Stands for the id of a snapshot where there was nothing to save.
pub(super) const NOTHING: &str = "nothing";

/// What a snapshot of the project holds: managed paths, and what is to be backed up beside them.
pub fn request(work: &Work<'_>, label: &str) -> Result<SnapshotRequest, StepError> {
    let plan = work.plan();
    let disk = work.world().disk.as_ref();
    let base = layout::live_base(disk, &plan.root, &plan.project.managed)?;
    let inside = base.strip_prefix(&plan.root).unwrap_or(Path::new("")).to_owned();
    let mut paths: Vec<PathBuf> =
        plan.project.managed.iter().map(|managed| inside.join(&managed.path)).collect();
    paths.extend(plan.snapshot.also.iter().cloned());
    if database::is_asked_for(plan) {
        paths.push(database::folder());
    }
    Ok(SnapshotRequest { root: plan.root.clone(), paths, label: label.to_owned() })
}

/// A snapshot of the project that was made and verified.
#[derive(Debug)]
pub struct Made {
    /// Its record.
    pub record: SnapshotRecord,
    /// Databases and what was so, where the plan asks for them.
    pub facts: Option<Facts>,
}

/// Makes a snapshot of the project, with its databases and facts where the plan asks for them.
pub fn create(work: &Work<'_>, label: &str) -> Result<Made, StepError> {
    with_databases(work, &request(work, label)?)
}

/// Lays databases out first; they become part of the snapshot like every other file, and are taken away again whatever
/// happens.
fn with_databases(work: &Work<'_>, request: &SnapshotRequest) -> Result<Made, StepError> {
    let (plan, disk) = (work.plan(), work.world().disk.as_ref());
    let facts = if database::is_asked_for(plan) {
        let saver = Saver { world: work.world(), plan, redactor: &work.redactor };
        Some(database::save(&saver)?)
    } else {
        None
    };
    let made = work.project.vault().create(request);
    if facts.is_some() {
        database::remove(disk, &plan.root)?;
    }
    Ok(Made { record: made?, facts })
}

/// Whether anything exists of what a snapshot is to hold; databases and facts are made for it.
fn is_any(work: &Work<'_>, request: &SnapshotRequest) -> Result<bool, StepError> {
    let mut is_any = database::is_asked_for(work.plan());
    for path in &request.paths {
        is_any |= work.world().disk.look(&request.root.join(path))?.is_some();
    }
    Ok(is_any)
}

/// Makes the snapshot of a phase.
pub fn take(work: &Work<'_>, phase: &Phase) -> Result<(), StepError> {
    work.record(Event::SnapshotStarted { phase: phase.name.clone() })?;
    work.began(&phase.name, outlook::SNAPSHOT);
    let request = request(work, &format!("before phase {}", phase.name))?;
    if !is_any(work, &request)? {
        return nothing_to_save(work, phase);
    }
    let Made { record, facts } = with_databases(work, &request)?;
    work.record(Event::SnapshotTaken {
        phase: phase.name.clone(),
        snapshot: record.id.clone(),
        manifest: record.manifest_hash.clone(),
        files: record.files,
        bytes: record.bytes,
    })?;
    let short = record.id.get(..8).unwrap_or(&record.id);
    let databases = facts.map(|facts| facts.databases).unwrap_or_default();
    let names: Vec<String> = databases.iter().map(|saved| format!("`{}`", saved.name)).collect();
    let with = if names.is_empty() { String::new() } else { format!(", with {}", names.join(", ")) };
    work.done(
        &phase.name,
        format!("snapshot {short} verified: {} files, {} bytes{with}", record.files, record.bytes),
    );
    if work.plan().snapshot.remote.is_some() {
        copy(work, &phase.name, &record.id)?;
    }
    safety::make(work, phase)?;
    retention::retire(work, phase);
    Ok(())
}

/// Copies a snapshot to the second place. Whoever asked for that must not believe that it is there when it is not.
fn copy(work: &Work<'_>, phase: &str, id: &str) -> Result<(), StepError> {
    work.began(phase, "copying the snapshot to the second place");
    let sent = work.project.remote()?.send(id)?;
    work.done(
        phase,
        format!("snapshot copied to the second place: {} files, {} bytes sent", sent.files, sent.bytes),
    );
    Ok(())
}

/// A phase that makes everything it manages has nothing to lose: there is no snapshot, and the journal says so.
fn nothing_to_save(work: &Work<'_>, phase: &Phase) -> Result<(), StepError> {
    work.record(Event::SnapshotTaken {
        phase: phase.name.clone(),
        snapshot: NOTHING.to_owned(),
        manifest: hash_of(&Manifest::default()),
        files: 0,
        bytes: 0,
    })?;
    work.done(&phase.name, "nothing that is managed exists yet: there is nothing to snapshot");
    Ok(())
}

/// The managed paths of a snapshot as they stood in the project.
pub fn managed_manifest(work: &Work<'_>, id: &str) -> Result<Manifest, StepError> {
    if id == NOTHING {
        return Ok(Manifest::default());
    }
    let (_, manifest) = work.project.vault().show(id)?;
    let plan = work.plan();
    let base = layout::live_base(work.world().disk.as_ref(), &plan.root, &plan.project.managed)?;
    let inside = base.strip_prefix(&plan.root).unwrap_or(Path::new(""));
    let entries = manifest
        .entries
        .into_iter()
        .filter_map(|entry| {
            let path = entry.path.strip_prefix(inside).ok()?.to_owned();
            let is_managed = plan.project.managed.iter().any(|managed| path.starts_with(&managed.path));
            // Only links within one managed path are compared: each of them is scanned alone.
            let linked_to =
                entry.linked_to.as_ref().and_then(|to| to.strip_prefix(inside).ok()).map(Path::to_owned);
            is_managed.then_some(Entry { path, linked_to, ..entry })
        })
        .collect();
    Ok(Manifest::from_entries(entries))
}

/// What stands at these paths of the project now.
pub fn live_manifest(project: &Project, paths: &[PathBuf]) -> Result<Manifest, StepError> {
    Ok(scan(project.ports.world.disk.as_ref(), &project.root, paths)?)
}

/// Snapshots that the present run may need, and the phase of each.
pub fn needed(project: &Project) -> Result<Vec<(String, String)>, StepError> {
    let history = project.history()?;
    let of_phase = |phase: &PhaseHistory| Some((phase.snapshot.as_ref()?.id.clone(), phase.name.clone()));
    let earlier = history.earlier.iter().filter(|phase| phase.state.is_live());
    Ok(history.phases.iter().chain(earlier).filter_map(of_phase).collect())
}

/// The hash of a manifest in hexadecimal digits.
pub fn hash_of(manifest: &Manifest) -> String {
    to_hex(&manifest.hash())
}
