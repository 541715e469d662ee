//! Restoring from a copy: a snapshot, its second copy elsewhere, or the safety branch of git.
//!
//! [`copy`] finds the copy that is meant and what it holds → it is laid out beside what is live, compared with its manifest,
//! and exchanged in as a cutover is, never in place → [`ending`] puts away what was live and tells the journal.
//!
//! A restore is undo-logged: a crash before its decision leaves everything as it was before it.

pub(super) mod copy;
pub(super) mod ending;

use std::path::{Path, PathBuf};

use self::copy::{Held, Target};
use super::cut_over::managed_participants;
use super::databases::back;
use super::error::{StepError, with_causes};
use super::layout;
use super::mechanism;
use super::parts;
use super::project::Work;
use super::roll_back::{RollBackOptions, RollBackOutcome, RollBackPlan, around, follow_databases};
use super::seal::named_manifest;
use super::stage::{look_at_room, named, new_transaction, place, sweep};
use super::validate::after_roll_back;
use super::witness::Notice;
use crate::journal::Event;
use crate::manifest::{Difference, Manifest, What, to_hex};
use crate::plan::{Managed, Mechanism};
use crate::tree::copy::{Copier, make_directories, remove_tree};
use crate::tree::exchange::{Prepare, State, Transaction};

/// What would be restored.
pub(super) fn plan(work: &Work<'_>, options: &RollBackOptions) -> Result<RollBackPlan, StepError> {
    let mut target = copy::target(work, options)?;
    let held = Held::of(work, &target)?;
    let words = Some(held.words());
    if !options.only.is_empty() {
        let live = target.only_live()?;
        return Ok(RollBackPlan { source: words, ..parts::plan_parts(work, live, options, Some(&held))? });
    }
    let differing = differing(work, &held)?;
    Ok(RollBackPlan {
        phases: target.phases(),
        paths: differing.iter().map(|(managed, _)| shown(&managed.path)).collect(),
        source: words,
        databases: back::planned(work, &target.transactions()),
        processes: around(work, target.live())?.plan(),
        ..RollBackPlan::default()
    })
}

/// What would be different, entry by entry, if what the copy holds were live.
pub(super) fn changes(work: &Work<'_>, options: &RollBackOptions) -> Result<Vec<Difference>, StepError> {
    let target = copy::target(work, options)?;
    let held = Held::of(work, &target)?;
    Ok(differing(work, &held)?.into_iter().flat_map(|(_, differences)| differences).collect())
}

/// Makes what a copy holds live. On an error everything is as it was.
pub(super) fn restore(work: &Work<'_>, options: &RollBackOptions) -> Result<RollBackOutcome, StepError> {
    let mut target = copy::target(work, options)?;
    let held = Held::of(work, &target)?;
    if !options.only.is_empty() {
        let live = target.only_live()?;
        return parts::roll_back_parts(work, live, options, Some(&held));
    }
    let started = work.world().clock.monotonic();
    let milliseconds = || work.world().clock.monotonic().saturating_sub(started).as_secs_f64() * 1_000.0;
    let transaction = new_transaction(work)?;
    let takes_back = target.transactions();
    work.record(Event::RestoreStarted {
        transaction: transaction.clone(),
        from: held.from().to_owned(),
        source: held.id().to_owned(),
        takes_back: takes_back.clone(),
        why: work.redactor.clean(&options.why),
    })?;
    work.began(&target.phase, format!("restoring from {}", held.words()));
    let mut processes = around(work, target.live())?;
    let exchanged = prepare(work, &target, &held, &transaction).and_then(|(mut file, prepare)| {
        processes.begin()?;
        Ok(file.cut_over(prepare)?)
    });
    if let Err(error) = exchanged {
        give_up(work, &transaction, &error)?;
        return Err(error);
    }
    let mut outcome = RollBackOutcome { phases: target.phases(), ..RollBackOutcome::default() };
    outcome.milliseconds = milliseconds();
    work.witness.notice(Notice::Acknowledged {
        phase: target.phase.clone(),
        what: format!("restored from {}", held.words()),
        milliseconds: outcome.milliseconds,
    });
    outcome.databases = follow_databases(work, options);
    outcome.processes = processes.finish();
    let ended = ending::settle(work, &transaction)?;
    (outcome.restored, outcome.kept_aside) = (ended.restored, ended.kept_aside);
    outcome.validated = after_roll_back(work, &outcome.phases, &options.prove);
    outcome.proved_milliseconds = milliseconds();
    Ok(outcome)
}

/// The managed paths in which what is live is not what the copy holds, each with what differs.
fn differing<'w>(work: &'w Work<'_>, held: &Held) -> Result<Vec<(&'w Managed, Vec<Difference>)>, StepError> {
    let plan = work.plan();
    let base = layout::live_base(work.world().disk.as_ref(), &plan.root, &plan.project.managed)?;
    let mut found = Vec::new();
    for managed in &plan.project.managed {
        let live = match work.world().disk.look(&base.join(&managed.path))? {
            Some(_) => named_manifest(work.world(), &base.join(&managed.path), &managed.path)?,
            None => Manifest::default(),
        };
        let differences = different(&live, &held.manifest().below(&managed.path));
        if !differences.is_empty() {
            found.push((managed, differences));
        }
    }
    if found.is_empty() {
        return Err(StepError::not_now(
            format!("what is live is what {} holds already", held.words()),
            "`switchback status` shows where things stand",
        ));
    }
    Ok(found)
}

/// Links between managed paths are stored once in a copy and seen path by path here.
fn different(one: &Manifest, other: &Manifest) -> Vec<Difference> {
    one.differences(other).into_iter().filter(|difference| difference.what != What::Links).collect()
}

/// Lays out what the copy holds beside what is live, durably, and looks at it again.
fn prepare<'w>(
    work: &'w Work<'_>,
    target: &Target<'_>,
    held: &Held,
    transaction: &str,
) -> Result<(Transaction<'w>, Prepare), StepError> {
    let disk = work.world().disk.as_ref();
    let plan = work.plan();
    let (root, managed) = (work.project.root.as_path(), plan.project.managed.as_slice());
    sweep(work)?;
    let wanted: Vec<PathBuf> =
        differing(work, held)?.into_iter().map(|(managed, _)| managed.path.clone()).collect();
    let mechanism = mechanism::choose(work, transaction)?;
    look_at_room(work, "what is restored", held.manifest().bytes(), held.manifest().entries.len() as u64)?;
    let folder = work.project.state().join("work").join(transaction);
    make_directories(disk, root, &folder)?;
    let paths = if mechanism == Mechanism::Pointer { held.paths(work) } else { wanted };
    let tree = held.lay_out(work, &paths, &folder)?;
    complete(work, held, mechanism, &tree)?;
    place(work, mechanism, transaction, &tree)?;
    remove_tree(disk, &folder)?;
    for path in &paths {
        let content = root.join(super::stage::candidate(mechanism, transaction, path));
        let found = match disk.look(&content)? {
            Some(_) => named_manifest(work.world(), &content, path)?,
            None => Manifest::default(),
        };
        let meant = held.manifest().below(path);
        if !different(&meant, &found).is_empty() {
            return Err(StepError::not_now(
                format!("what was laid out is not what {} holds: {}", held.words(), named((&meant, &found))),
                "look whether something else writes to the project, then try again",
            ));
        }
    }
    for path in &paths {
        mechanism::park_copy(disk, root, mechanism, transaction, path)?;
    }
    let names: Vec<String> = paths.iter().map(|path| shown(path)).collect();
    let mut participants = managed_participants(disk, root, managed, transaction, mechanism.word(), &names)?;
    participants.extend(target.environments(work, transaction)?);
    let prepare = Prepare {
        phase: target.phase.clone(),
        generation: work.history().generation,
        plan: to_hex(&plan.hash),
        participants,
        takes_back: Some(target.transactions()),
    };
    let file = work.project.transactions().join(transaction);
    Ok((Transaction::create(disk, root, &file, prepare.participants.len() + 1)?, prepare))
}

/// A pointer leads to one tree with everything in it: what the copy knows nothing of stays as it is live.
fn complete(work: &Work<'_>, held: &Held, mechanism: Mechanism, tree: &Path) -> Result<(), StepError> {
    if mechanism != Mechanism::Pointer {
        return Ok(());
    }
    let disk = work.world().disk.as_ref();
    let plan = work.plan();
    let base = layout::live_base(disk, &plan.root, &plan.project.managed)?;
    let known = held.paths(work);
    for managed in plan.project.managed.iter().filter(|managed| !known.contains(&managed.path)) {
        let (from, to) = (base.join(&managed.path), tree.join(&managed.path));
        if disk.look(&from)?.is_some() {
            make_directories(disk, tree, to.parent().unwrap_or(tree))?;
            Copier::new(disk).copy(&from, &to, &|_| false)?;
        }
    }
    Ok(())
}

/// Nothing was exchanged, or the next start takes it back: what was laid out goes, and the journal is told.
fn give_up(work: &Work<'_>, transaction: &str, error: &StepError) -> Result<(), StepError> {
    let disk = work.world().disk.as_ref();
    let file = work.project.transactions().join(transaction);
    let state = Transaction::open(disk, &work.project.root, &file)?.map(|file| file.state().clone());
    if matches!(state, Some(State::Prepared(_) | State::Committed(..))) {
        return Ok(());
    }
    let why = work.redactor.clean(&with_causes(error));
    work.record(Event::RestoreUndone { transaction: transaction.to_owned(), why })?;
    sweep(work)
}

fn shown(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
