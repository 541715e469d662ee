//! The step *stage*: the candidate is built beside the live tree, synced, read back, and sealed.

use std::path::{Path, PathBuf};

use super::bytecode;
use super::databases;
use super::environment::{self, Built};
use super::error::StepError;
use super::layout;
use super::mechanism;
use super::outlook;
use super::project::{TOOL, Work};
use super::seal::{Seal, SealedPath, named_manifest, sealed_scan};
use super::snapshot::managed_manifest;
use super::trees::{Around, copy_unmanaged};
use crate::change::Stage;
use crate::journal::Event;
use crate::manifest::{EntryCounts, Manifest, What};
use crate::package::packages;
use crate::plan::{ChangePlan, Managed, Mechanism, Phase};
use crate::tree::copy::{Copier, keeping_time, make_directories, remove_tree, sync_tree};
use crate::tree::exchange::{State, Transaction, TransactionFile};
use crate::world::Disk;

/// How many of a list of differences are named.
const NAMED_MAX: usize = 5;
/// So much of what commands changed outside the managed paths is kept.
const OUTSIDE_MAX: usize = 100;
/// Room that is left on the disk beside what the candidate needs.
const SPARE_BYTES: u64 = 16 * 1024 * 1024;

/// Both trees of a phase.
#[derive(Debug, Default)]
struct Sides {
    old: Manifest,
    new: Manifest,
    seal: Seal,
    /// What the phase's commands changed outside the managed paths of their copy.
    outside: Vec<String>,
    /// The dependency environments that go live with it.
    environments: Built,
}

/// Builds the candidate of a phase. Returns whether the live tree is still what the snapshot holds; when it is not,
/// nothing was built.
pub fn build(work: &Work<'_>, phase: &Phase) -> Result<bool, StepError> {
    let disk = work.world().disk.as_ref();
    let transaction = new_transaction(work)?;
    work.record(Event::StageStarted { phase: phase.name.clone(), transaction: transaction.clone() })?;
    work.began(&phase.name, outlook::CANDIDATE);
    sweep(work)?;
    let plan = work.plan();
    let mechanism = mechanism::choose(work, &transaction)?;
    let base = layout::live_base(disk, &plan.root, &plan.project.managed)?;
    let mut sides = Sides::default();
    for managed in &plan.project.managed {
        let (manifest, sealed) = sealed_scan(work.world(), &base.join(&managed.path), &managed.path)?;
        sides.old.entries.extend(manifest.entries);
        sides.seal.paths.insert(managed.path.clone(), SealedPath { old: sealed, new: None });
    }
    sides.old = Manifest::from_entries(sides.old.entries);
    if !is_in_snapshot(work, phase, &sides.old)? {
        return Ok(false);
    }
    look_at_room_for(work, &sides.old)?;
    let folder = work.project.state().join("work").join(&transaction);
    make_directories(disk, &work.project.root, &folder)?;
    let changes: Vec<&ChangePlan> = phase.changes.iter().collect();
    sides.outside = make_tree(work, phase, &changes, &base, &folder)?;
    let stale = bytecode::drop_stale(work, &base, &folder.join("tree"))?;
    if stale > 0 {
        work.done(
            &phase.name,
            format!("left out of the candidate: {stale} of the live tree's bytecode files, stale there"),
        );
    }
    sides.environments = environment::build(work, phase, &base, &folder)?;
    place(work, mechanism, &transaction, &folder.join("tree"))?;
    environment::place(work, &transaction, &sides.environments)?;
    remove_tree(disk, &folder)?;
    seal_candidate(work, mechanism, &transaction, &mut sides)?;
    park_copies(work, mechanism, &transaction, &sides)?;
    publish(work, phase, mechanism, &transaction, &sides)?;
    Ok(true)
}

/// An id that nothing in the project carries yet.
pub(super) fn new_transaction(work: &Work<'_>) -> Result<String, StepError> {
    let disk = work.world().disk.as_ref();
    let mut number = work.history().seq + 1;
    loop {
        let id = format!("t{number}");
        let taken = disk.look(&work.project.transactions().join(&id))?.is_some()
            || disk.look(&work.project.root.join(layout::generation(&id)))?.is_some();
        if !taken {
            return Ok(id);
        }
        number += 1;
    }
}

fn is_in_snapshot(work: &Work<'_>, phase: &Phase, live: &Manifest) -> Result<bool, StepError> {
    let id =
        work.history().phase(&phase.name).and_then(|history| history.snapshot.clone()).map(|fact| fact.id);
    let Some(id) = id else { return Ok(false) };
    let stored = managed_manifest(work, &id)?;
    // Links between managed paths are stored once in the snapshot and seen path by path here.
    Ok(stored.differences(live).iter().all(|difference| difference.what == What::Links))
}

fn look_at_room_for(work: &Work<'_>, live: &Manifest) -> Result<(), StepError> {
    look_at_room(work, "a candidate", live.bytes(), live.entries.len() as u64)
}

/// Whether the file system of the project has room for another so many bytes and entries, and some to spare.
pub(super) fn look_at_room(work: &Work<'_>, what: &str, bytes: u64, entries: u64) -> Result<(), StepError> {
    let space = work.world().disk.space(&work.project.root)?;
    let (bytes, entries) = (bytes + SPARE_BYTES, entries + 1_000);
    if space.bytes >= bytes && space.inodes >= entries {
        return Ok(());
    }
    Err(StepError::not_now(
        format!(
            "there is no room for {what}: {bytes} bytes and {entries} entries are needed, {} bytes and {} \
             entries are free",
            space.bytes, space.inodes
        ),
        "make room on the file system of the project",
    ))
}

/// Builds a candidate in `folder`/tree, by these changes of the phase. Returns what its commands changed beside it, in words.
pub(super) fn make_tree(
    work: &Work<'_>,
    phase: &Phase,
    changes: &[&ChangePlan],
    base: &Path,
    folder: &Path,
) -> Result<Vec<String>, StepError> {
    let disk = work.world().disk.as_ref();
    let plan = work.plan();
    let (tree, scratch) = (folder.join("tree"), folder.join("scratch"));
    disk.make_directory(&tree, 0o755)?;
    disk.make_directory(&scratch, 0o700)?;
    if changes.iter().any(|change| change.change.needs_project()) {
        copy_unmanaged(work.world(), plan, &tree)?;
        environment::link_live(disk, plan, &tree)?;
    }
    let mut copier = Copier::new(disk);
    for managed in &plan.project.managed {
        let to = tree.join(&managed.path);
        if let Some(parent) = to.parent() {
            make_directories(disk, &tree, parent)?;
        }
        let from = base.join(&managed.path);
        let is_replaced = changes.first().is_some_and(|change| change.change.replaces(managed));
        if !is_replaced && disk.look(&from)?.is_some() {
            copier.copy(&from, &to, &|_| false)?;
        }
    }
    let managed: &[Managed] = &plan.project.managed;
    let received = work.history().received.clone();
    let mut outside = Vec::new();
    for change in changes {
        work.began(&phase.name, change.change.describe());
        let stage = Stage {
            world: work.world(),
            mover: work.project.ports.mover.as_ref(),
            configurer: work.project.ports.configurer.as_ref(),
            migrator: work.project.ports.migrator.as_ref(),
            schemas: &work.project.ports.schemas,
            root: &plan.root,
            live: base,
            tree: &tree,
            scratch: &scratch,
            managed,
            received: &received,
            confinement: work.project.confinement(),
        };
        let before = Around::of(work, folder)?;
        change.change.apply(&stage)?;
        outside.extend(before.changed(&Around::of(work, folder)?));
        // The next change starts with an empty folder.
        remove_tree(disk, &scratch)?;
        disk.make_directory(&scratch, 0o700)?;
    }
    outside.sort();
    outside.dedup();
    outside.truncate(OUTSIDE_MAX);
    Ok(outside)
}

/// Moves the finished candidate to where the exchange takes it from, durably.
pub(super) fn place(
    work: &Work<'_>,
    mechanism: Mechanism,
    transaction: &str,
    tree: &Path,
) -> Result<(), StepError> {
    let disk = work.world().disk.as_ref();
    let root = &work.project.root;
    for managed in &work.plan().project.managed {
        let from = tree.join(&managed.path);
        if disk.look(&from)?.is_none() {
            continue;
        }
        let to = root.join(candidate(mechanism, transaction, &managed.path));
        if mechanism == Mechanism::Pointer {
            make_directories(disk, root, to.parent().unwrap_or(root))?;
        }
        stand(work, &from, &to)?;
    }
    Ok(())
}

/// Moves what was made to where the exchange takes it from, durably.
pub(super) fn stand(work: &Work<'_>, from: &Path, to: &Path) -> Result<(), StepError> {
    let (disk, root) = (work.world().disk.as_ref(), &work.project.root);
    sync_tree(disk, from)?;
    let parent = to.parent().unwrap_or(root).to_owned();
    keeping_time(disk, &parent, || disk.rename(from, to))?;
    for folder in parent.ancestors().take_while(|folder| folder.starts_with(root)) {
        disk.sync_directory(folder)?;
    }
    Ok(())
}

/// Where the candidate of a managed path stands, relative to the root.
pub fn candidate(mechanism: Mechanism, transaction: &str, path: &Path) -> PathBuf {
    match mechanism {
        Mechanism::Exchange | Mechanism::TwoRenames | Mechanism::FileByFile => {
            layout::beside(path, transaction)
        }
        Mechanism::Pointer => layout::pointed_tree(transaction).join(path),
    }
}

/// Reads the candidate back from the disk and finds what differs.
fn seal_candidate(
    work: &Work<'_>,
    mechanism: Mechanism,
    transaction: &str,
    sides: &mut Sides,
) -> Result<(), StepError> {
    let disk = work.world().disk.as_ref();
    for managed in &work.plan().project.managed {
        let content = work.project.root.join(candidate(mechanism, transaction, &managed.path));
        let (manifest, sealed) = sealed_scan(work.world(), &content, &managed.path)?;
        let is_same = sides.old.below(&managed.path) == manifest;
        sides.new.entries.extend(manifest.entries);
        if mechanism != Mechanism::Pointer && is_same {
            // What does not change is not exchanged (RE-12).
            let parent = content.parent().unwrap_or(&work.project.root).to_owned();
            keeping_time(disk, &parent, || remove_tree(disk, &content))?;
            let left_alone = sides.seal.paths.remove(&managed.path).unwrap_or_default();
            sides.seal.kept.insert(managed.path.clone(), left_alone.old);
        } else {
            sides.seal.paths.entry(managed.path.clone()).or_default().new = sealed;
        }
    }
    sides.new = Manifest::from_entries(std::mem::take(&mut sides.new.entries));
    Ok(())
}

/// File by file, the copies of the old trees are made now, and read back.
fn park_copies(
    work: &Work<'_>,
    mechanism: Mechanism,
    transaction: &str,
    sides: &Sides,
) -> Result<(), StepError> {
    let (disk, root) = (work.world().disk.as_ref(), &work.project.root);
    for path in sides.seal.paths.keys() {
        let Some(place) = mechanism::park_copy(disk, root, mechanism, transaction, path)? else { continue };
        let (meant, found) = (sides.old.below(path), named_manifest(work.world(), &place, path)?);
        if meant != found {
            return Err(StepError::not_now(
                format!("the copy of the live tree is not what is live: {}", named((&meant, &found))),
                "look whether something else writes to the project, then try again",
            ));
        }
    }
    Ok(())
}

/// Makes the transaction's file ahead of time, stores manifests and seal, and writes it all into the journal.
fn publish(
    work: &Work<'_>,
    phase: &Phase,
    mechanism: Mechanism,
    transaction: &str,
    sides: &Sides,
) -> Result<(), StepError> {
    let disk = work.world().disk.as_ref();
    let differences = sides.old.differences(&sides.new);
    let environments = &sides.environments;
    if differences.is_empty() && environments.count() == 0 && !databases::has_any(work, phase) {
        return Err(StepError::not_now(
            format!("the candidate of the phase `{}` is the same as the live tree", phase.name),
            "look at `from` in the phase's change: there would be nothing to cut over",
        ));
    }
    let file = work.project.transactions().join(transaction);
    TransactionFile::create(disk, &file, work.plan().project.managed.len() + environments.count() + 1)?;
    let old_tree = work.evidence.put_manifest(disk, &sides.old)?;
    let new_tree = work.evidence.put_manifest(disk, &sides.new)?;
    let seal = work.evidence.put(disk, sides.seal.to_json().to_string().as_bytes())?;
    let counts = EntryCounts::of(&differences);
    let EntryCounts { added, removed, changed, metadata } = counts;
    let paths = sides.seal.paths.keys().map(|path| path.to_string_lossy().into_owned());
    let paths = paths.chain(environments.paths()).collect();
    work.record(Event::Staged {
        phase: phase.name.clone(),
        transaction: transaction.to_owned(),
        mechanism: mechanism.word().to_owned(),
        changes: work.project.changes_hash(phase),
        old_tree,
        new_tree,
        seal,
        paths,
        added,
        removed,
        changed,
        metadata,
        outside: sides.outside.clone(),
        environments: environments.facts.clone(),
        packages: packages(work, phase),
        tool: TOOL.to_owned(),
    })?;
    work.done(&phase.name, format!("candidate staged: {counts}"));
    Ok(())
}

/// Removes what earlier attempts left: candidates of transactions that were never live, and working copies.
pub fn sweep(work: &Work<'_>) -> Result<(), StepError> {
    let disk = work.world().disk.as_ref();
    let root = &work.project.root;
    remove_tree(disk, &work.project.state().join("work"))?;
    let managed = work.plan().project.managed.iter().map(|managed| &managed.path);
    for path in managed.chain(environment::standing(work)?) {
        let parent = root.join(path).parent().unwrap_or(root).to_owned();
        if disk.look(&parent)?.is_none() {
            continue;
        }
        for name in disk.list(&parent)? {
            let Some(name) = name.to_str() else { continue };
            let Some(id) = layout::transaction_of_sibling(name, path) else { continue };
            if is_unused(work, id)? {
                keeping_time(disk, &parent, || remove_tree(disk, &parent.join(name)))?;
            }
        }
    }
    let generations = work.project.state().join("generations");
    if disk.look(&generations)?.is_some() {
        for id in disk.list(&generations)? {
            let Some(id) = id.to_str() else { continue };
            if is_unused(work, id)? {
                remove_tree(disk, &generations.join(id))?;
            }
        }
    }
    Ok(())
}

/// Whether a transaction never made anything live, and is not the one that is staged now.
fn is_unused(work: &Work<'_>, id: &str) -> Result<bool, StepError> {
    let history = work.history();
    let is_staged = |phase: &crate::journal::PhaseHistory| {
        use crate::journal::PhaseState as S;
        let now = matches!(
            phase.state,
            S::Staged | S::CuttingOver | S::Live | S::Watched | S::Finished | S::RollingBack
        );
        now && phase.staged.as_ref().is_some_and(|staged| staged.transaction == id)
    };
    if history.phases.iter().any(is_staged) {
        return Ok(false);
    }
    // What the journal does not know, or knows to have been exchanged, is not ours to remove: an old tree may stand there.
    let (mut was_staged, mut was_exchanged) = (false, false);
    for record in work.records()? {
        match &record.event {
            Event::StageStarted { transaction, .. } | Event::RestoreStarted { transaction, .. } => {
                was_staged |= transaction == id;
            }
            Event::CutOverStarted { transaction, .. } | Event::Restored { transaction, .. } => {
                was_exchanged |= transaction == id;
            }
            _ => {}
        }
    }
    let disk: &dyn Disk = work.world().disk.as_ref();
    let transaction = Transaction::open(disk, &work.project.root, &work.project.transactions().join(id))?;
    // An aborted exchange put everything back before it said so; what stands beside is its candidate.
    Ok(match transaction {
        None => was_staged && !was_exchanged,
        Some(transaction) => was_staged && matches!(transaction.state(), State::Empty | State::Aborted(_)),
    })
}

/// Some differences in words: `src/a.py (content), src/b.py (added) and 3 more`.
pub fn named(manifests: (&Manifest, &Manifest)) -> String {
    let differences = manifests.0.differences(manifests.1);
    let mut words: Vec<String> = differences
        .iter()
        .take(NAMED_MAX)
        .map(|difference| format!("`{}` ({})", difference.path.display(), difference.what.word()))
        .collect();
    if differences.len() > NAMED_MAX {
        words.push(format!("and {} more", differences.len() - NAMED_MAX));
    }
    words.join(", ")
}
