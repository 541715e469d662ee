//! Rolling back: the old tree becomes live again, by the transaction's own records alone; the journal follows.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::databases::{DatabaseBack, back};
use super::error::StepError;
use super::gate::load_manifest;
use super::layout;
use super::parts;
use super::processes::{HandOver, HandedOver, recovery};
use super::project::Work;
use super::put_away::settle;
use super::restore;
use super::seal::named_manifest;
use super::together;
use super::validate::{Validation, after_roll_back};
use super::witness::Notice;
use super::writers::writers;
use crate::journal::Event;
use crate::manifest::{Difference, Manifest};
use crate::tree::exchange::{Participant, Prepare, State, Transaction};
use crate::verdict::Verdict;

/// Where the old tree comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// What the cutover parked: it is exchanged back.
    Local,
    /// The snapshot that was made before the phase.
    Snapshot,
    /// The branch of git that was made before the phase.
    Git,
    /// The copy of the snapshot that is kept elsewhere.
    Remote,
}

/// What is to be rolled back.
#[derive(Debug, Clone, Default)]
pub struct RollBackOptions {
    /// This phase and all that went live after it; the last one when left out.
    pub phase: Option<String>,
    /// To the generation of this number, or to the snapshot of this id.
    pub to: Option<String>,
    /// From where; what is kept locally when left out, and a snapshot where `to` names one.
    pub from: Option<Origin>,
    /// Only these: paths that were exchanged, or files and folders below them, `imports`, `routes`, names or kinds of changes.
    pub only: Vec<PathBuf>,
    /// Why, for the journal.
    pub why: String,
    /// Checks of the live tree that are carried out afterwards, beside those at `rolled-back`.
    pub prove: Vec<String>,
    /// So many rows and values of databases may be lost, once they are written down; none when `None`.
    pub loss_max: Option<u64>,
}

/// What a rollback would do: shown by `--dry-run`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RollBackPlan {
    /// The phases, in the order in which they are rolled back.
    pub phases: Vec<String>,
    /// The paths whose old tree becomes live.
    pub paths: Vec<String>,
    /// What would be broken by it: then it is not done.
    pub against: Vec<String>,
    /// Files that import something else, and stay, because more than that was changed in them.
    pub left: Vec<String>,
    /// The copy that it comes from, in words; `None`: from what is kept locally.
    pub source: Option<String>,
    /// What would happen to the databases whose schema goes with it: each, and what.
    pub databases: Vec<(String, String)>,
    /// What would happen to the processes that run the tree: the name of each, and what.
    pub processes: Vec<(String, String)>,
}

/// What a rollback did.
#[derive(Debug, Clone, Default)]
pub struct RollBackOutcome {
    /// The phases, in the order in which they were rolled back.
    pub phases: Vec<String>,
    /// The paths whose old tree is live again.
    pub restored: Vec<String>,
    /// What was changed in the new tree since it went live, and is kept.
    pub kept_aside: Vec<String>,
    /// From the beginning of the first exchange to the last acknowledgement.
    pub milliseconds: f64,
    /// What the checks say of the tree that is live again.
    pub validated: Vec<Validation>,
    /// From the beginning of the first exchange to the last answer of a check.
    pub proved_milliseconds: f64,
    /// What would have been broken by it, a line each: nothing was done then.
    pub against: Vec<String>,
    /// Files that import something else, and stay, because more than that was changed in them.
    pub left: Vec<String>,
    /// What came of the databases whose schema goes with it.
    pub databases: Vec<DatabaseBack>,
    /// What came of the processes that run the tree.
    pub processes: Vec<HandedOver>,
}

impl RollBackOutcome {
    /// Whether its databases are as they were and its processes work again, and what the checks say of the tree that is live
    /// again; *yes* where the plan asks for none.
    pub fn proved(&self) -> Verdict {
        let reverted = self.reverted().and(self.working());
        self.validated.iter().fold(reverted, |verdict, one| verdict.and(one.verdict))
    }

    /// Whether nothing of it is in a database any more; *yes* where there is none.
    pub fn reverted(&self) -> Verdict {
        self.databases.iter().fold(Verdict::Yes, |verdict, one| verdict.and(one.verdict))
    }

    /// What of it is still in databases, and why, a line each.
    pub(super) fn left_in_databases(&self) -> Vec<String> {
        back::left_lines(&self.databases)
    }

    /// Whether the processes that run the tree work again; *yes* where there is none.
    pub fn working(&self) -> Verdict {
        self.processes.iter().fold(Verdict::Yes, |verdict, one| verdict.and(one.verdict))
    }
}

/// One transaction that is live.
#[derive(Debug)]
pub(super) struct LiveTransaction<'a> {
    pub(super) id: String,
    transaction: Transaction<'a>,
    pub(super) prepare: Prepare,
    undone: Vec<usize>,
    only: Vec<usize>,
}

impl LiveTransaction<'_> {
    pub(super) fn positions(&self) -> Vec<usize> {
        let all = 0..self.prepare.participants.len();
        all.filter(|at| (self.only.is_empty() || self.only.contains(at)) && !self.undone.contains(at))
            .collect()
    }

    /// What it exchanged and has not been rolled back alone.
    pub(super) fn participants(&self) -> impl Iterator<Item = &Participant> {
        self.positions().into_iter().filter_map(|at| self.prepare.participants.get(at))
    }

    /// What it exchanged and has been rolled back alone.
    pub(super) fn back_already(&self) -> impl Iterator<Item = &Path> {
        self.undone.iter().filter_map(|&at| Some(self.prepare.participants.get(at)?.live()))
    }

    fn paths(&self) -> Vec<String> {
        let paths = self.positions().into_iter().map(|at| self.prepare.participants[at].live());
        paths.map(|path| path.to_string_lossy().into_owned()).collect()
    }
}

/// What would be rolled back.
pub fn plan_roll_back(work: &Work<'_>, options: &RollBackOptions) -> Result<RollBackPlan, StepError> {
    recovery::recover(work)?;
    if is_restore(work, options)? {
        return restore::plan(work, options);
    }
    if is_about_databases_alone(work, options)? {
        return Ok(RollBackPlan { databases: back::planned(work, &[]), ..RollBackPlan::default() });
    }
    let chosen = match choose(work, options)? {
        Chosen::Whole(live) => live,
        Chosen::Part(live) => return parts::plan_parts(work, *live, options, None),
    };
    let is_whole = chosen.iter().all(|live| live.only.is_empty());
    let taken: Vec<String> = chosen.iter().filter(|_| is_whole).map(|live| live.id.clone()).collect();
    let phases: Vec<String> = chosen.iter().map(|live| live.prepare.phase.clone()).collect();
    Ok(RollBackPlan {
        databases: back::planned(work, &taken),
        processes: around(work, &chosen)?.plan(),
        against: broken_by(work, options, &chosen),
        phases,
        paths: chosen.iter().flat_map(LiveTransaction::paths).collect(),
        ..RollBackPlan::default()
    })
}

/// Every entry that would be different after a rollback of whole paths, and how; `None`: that cannot be told, because the journal does
/// not say what was live before. What is kept goes back all the same.
///
/// # Errors
///
/// When a tree, or what the journal says of it, cannot be read.
pub fn roll_back_changes(
    work: &Work<'_>,
    options: &RollBackOptions,
) -> Result<Option<Vec<Difference>>, StepError> {
    if is_about_databases_alone(work, options)? {
        return Ok(Some(Vec::new()));
    }
    if is_restore(work, options)? {
        return restore::changes(work, options).map(Some);
    }
    let Chosen::Whole(chosen) = choose(work, options)? else { return Ok(Some(Vec::new())) };
    let staged = chosen.last().and_then(|first| work.history().of_transaction(&first.id)?.staged.clone());
    let Some(staged) = staged else { return Ok(None) };
    let before = load_manifest(work, &staged.old_tree)?;
    let plan = work.plan();
    let base = layout::live_base(work.world().disk.as_ref(), &plan.root, &plan.project.managed)?;
    let exchanged: BTreeSet<PathBuf> =
        chosen.iter().flat_map(LiveTransaction::paths).map(PathBuf::from).collect();
    let is_whole = exchanged.contains(&layout::pointer());
    let managed = plan.project.managed.iter().map(|managed| managed.path.clone());
    let paths = exchanged.iter().filter(|path| **path != layout::pointer()).cloned();
    let paths: BTreeSet<PathBuf> = if is_whole { managed.collect() } else { paths.collect() };
    let mut differences = Vec::new();
    for path in paths {
        let live = match work.world().disk.look(&base.join(&path))? {
            Some(_) => named_manifest(work.world(), &base.join(&path), &path)?,
            None => Manifest::default(),
        };
        differences.extend(live.differences(&before.below(&path)));
    }
    Ok(Some(differences))
}

/// Whether what is asked for comes from a copy.
fn is_restore(work: &Work<'_>, options: &RollBackOptions) -> Result<bool, StepError> {
    let names_copy = |to: &String| names_generation(work, to).map(|is_number| !is_number);
    let is_elsewhere = !matches!(options.from, None | Some(Origin::Local));
    Ok(is_elsewhere || options.to.as_ref().map(names_copy).transpose()?.unwrap_or(false))
}

/// So few digits are never the beginning of a snapshot's id: it would be one by accident.
const ID_DIGITS_MIN: usize = 6;

/// Whether a word is the number of a generation. Every other word is the beginning of a snapshot's id.
pub(super) fn names_generation(work: &Work<'_>, to: &str) -> Result<bool, StepError> {
    let Ok(number) = to.parse::<u64>() else { return Ok(false) };
    let highest = live_transactions(work)?.first().map_or(0, |live| live.prepare.generation);
    Ok(to.len() < ID_DIGITS_MIN || number <= highest.max(work.history().generations))
}

/// Rolls back. Once the intent is on the disk, it is finished by whoever starts next.
pub fn roll_back(work: &Work<'_>, options: &RollBackOptions) -> Result<RollBackOutcome, StepError> {
    let done = carry_out(work, options);
    recovery::after_roll_back(work)?;
    done
}

/// Reverts what the phases that went back left in databases. What keeps it from doing so is told, and keeps nothing else from
/// being done. A part leaves them as they are.
pub(super) fn follow_databases(work: &Work<'_>, options: &RollBackOptions) -> Vec<DatabaseBack> {
    let loss_max = options.only.is_empty().then(|| options.loss_max.unwrap_or(0));
    back::follow(work, loss_max).unwrap_or_else(|error| {
        let what = format!("databases were not looked at: {error}; `switchback status` says what is in them");
        work.witness.notice(Notice::Warning(what));
        Vec::new()
    })
}

/// Whether an earlier rollback left something in a database, and it is about that: no tree is live that could be rolled back,
/// or it is said what may be lost and not what is to be rolled back.
fn is_about_databases_alone(work: &Work<'_>, options: &RollBackOptions) -> Result<bool, StepError> {
    let is_plain = options.phase.is_none()
        && options.to.is_none()
        && options.only.is_empty()
        && matches!(options.from, None | Some(Origin::Local));
    Ok(is_plain
        && back::is_due(&work.project, &work.history(), true)?
        && (options.loss_max.is_some() || live_transactions(work)?.is_empty()))
}

/// What a rollback of some of the exchanged paths would break, a line each. The whole phase goes back to what worked before
/// it; and where nobody can tell, because the journal is gone for instance, the way back stays open, with a warning.
fn broken_by(work: &Work<'_>, options: &RollBackOptions, chosen: &[LiveTransaction<'_>]) -> Vec<String> {
    let [live] = chosen else { return Vec::new() };
    let is_pointed = live.prepare.participants.iter().any(|one| matches!(one, Participant::Pointer { .. }));
    let all = live.prepare.participants.len() - live.undone.len();
    if options.only.is_empty() || is_pointed || live.positions().len() == all {
        return Vec::new();
    }
    let taken: Vec<PathBuf> = live.participants().map(|one| one.live().to_owned()).collect();
    let looked = match choose(work, options) {
        Ok(Chosen::Whole(mut again)) => {
            let Some(mut whole) = again.pop() else { return Vec::new() };
            whole.only.clear();
            parts::broken_by(work, whole, &taken)
        }
        Ok(Chosen::Part(_)) => return Vec::new(),
        Err(error) => Err(error),
    };
    looked.unwrap_or_else(|error| {
        let what = format!("whether imports would break was not looked at: {error}");
        work.witness.notice(Notice::Warning(what));
        Vec::new()
    })
}

/// The processes around the rollback of these transactions.
pub(super) fn around<'w>(
    work: &'w Work<'w>,
    chosen: &[LiveTransaction<'_>],
) -> Result<HandOver<'w>, StepError> {
    let phases: Vec<String> = chosen.iter().map(|live| live.prepare.phase.clone()).collect();
    let from = chosen.first().map_or(0, |live| live.prepare.generation);
    let is_whole = chosen.iter().all(|live| live.only.is_empty());
    let has_any = !work.plan().processes.is_empty();
    let live = if has_any { live_transactions(work)? } else { Vec::new() };
    let next = live.get(chosen.len()).map_or(0, |live| live.prepare.generation);
    let id = chosen.first().map_or("", |live| live.id.as_str());
    Ok(HandOver::of_roll_back(work, &phases, id, from, if is_whole { next } else { from }))
}

fn carry_out(work: &Work<'_>, options: &RollBackOptions) -> Result<RollBackOutcome, StepError> {
    if is_restore(work, options)? {
        return restore::restore(work, options);
    }
    if is_about_databases_alone(work, options)? {
        let databases = follow_databases(work, options);
        return Ok(RollBackOutcome { databases, ..RollBackOutcome::default() });
    }
    let chosen = match choose(work, options)? {
        Chosen::Whole(live) => live,
        Chosen::Part(live) => return parts::roll_back_parts(work, *live, options, None),
    };
    let against = broken_by(work, options, &chosen);
    if !against.is_empty() {
        let phases = chosen.iter().map(|live| live.prepare.phase.clone()).collect();
        return Ok(RollBackOutcome { phases, against, ..RollBackOutcome::default() });
    }
    let names = chosen.iter().map(|live| (live.id.as_str(), live.prepare.phase.as_str()));
    let mut outcome = RollBackOutcome { databases: back::untold(work, names), ..RollBackOutcome::default() };
    let started = work.world().clock.monotonic();
    let (mut done, mut whole) = (Vec::new(), Vec::new());
    let mut processes = around(work, &chosen)?;
    processes.begin()?;
    for mut live in chosen {
        let phase = live.prepare.phase.clone();
        let restored = live.paths();
        let intent = Event::RollBackStarted {
            phase: phase.clone(),
            transaction: live.id.clone(),
            only: if live.only.is_empty() { Vec::new() } else { restored.clone() },
            why: work.redactor.clean(&options.why),
        };
        // A journal that cannot be written must not keep the old tree from coming back; it is reconciled later.
        if let Err(error) = work.record(intent) {
            work.witness.notice(Notice::Warning(format!("the journal was not written: {error}")));
        }
        for writer in writers(work, &live.prepare.participants) {
            let lost = "what is live is replaced file by file, and what it writes from now on is lost";
            work.witness.notice(Notice::Warning(format!("{writer}: {lost}")));
        }
        live.transaction.roll_back(&live.only)?;
        let elapsed = work.world().clock.monotonic().saturating_sub(started);
        outcome.milliseconds = elapsed.as_secs_f64() * 1_000.0;
        work.witness.notice(Notice::Acknowledged {
            phase: phase.clone(),
            what: format!("rolled back: {}", restored.join(", ")),
            milliseconds: outcome.milliseconds,
        });
        if matches!(live.transaction.state(), State::RolledBack(_)) {
            whole.push(phase.clone());
        }
        outcome.phases.push(phase);
        outcome.restored.extend(restored.iter().cloned());
        done.push((live.id, restored));
    }
    // The old code is started on the old schema.
    outcome.databases.extend(follow_databases(work, options));
    outcome.processes = processes.finish();
    for (id, restored) in done {
        let kept = settle(work, &id, restored)?;
        outcome.kept_aside.extend(kept);
    }
    outcome.validated = after_roll_back(work, &whole, &options.prove);
    let elapsed = work.world().clock.monotonic().saturating_sub(started);
    outcome.proved_milliseconds = elapsed.as_secs_f64() * 1_000.0;
    Ok(outcome)
}

/// The phases that are live, the last one first: by the transactions' own records.
///
/// # Errors
///
/// When the transactions cannot be read.
pub fn live_phases(work: &Work<'_>) -> Result<Vec<String>, StepError> {
    Ok(live_transactions(work)?.into_iter().map(|live| live.prepare.phase).collect())
}

/// What the options mean.
enum Chosen<'w> {
    /// Transactions, last one first, with the paths of each.
    Whole(Vec<LiveTransaction<'w>>),
    /// A part of what the last transaction changed.
    Part(Box<LiveTransaction<'w>>),
}

/// The transactions that are to be taken back, the last one first.
pub(super) fn chain<'w>(
    work: &'w Work<'_>,
    options: &RollBackOptions,
) -> Result<Vec<LiveTransaction<'w>>, StepError> {
    let mut live = live_transactions(work)?;
    if live.is_empty() {
        return Err(StepError::not_now(
            "nothing is live that could be rolled back",
            "`switchback status` shows where things stand",
        ));
    }
    match (&options.phase, &options.to) {
        (Some(name), _) => {
            let Some(last) = live.iter().position(|live| &live.prepare.phase == name) else {
                return Err(StepError::not_now(
                    format!("the phase `{name}` is not live"),
                    "`switchback status` shows which phases are",
                ));
            };
            live.truncate(last + 1);
        }
        (None, Some(to)) => {
            let after = after_generation(&live, to)?;
            live.truncate(after);
        }
        (None, None) => live.truncate(1),
    }
    Ok(live)
}

/// How many of the live transactions came after a generation.
fn after_generation(live: &[LiveTransaction<'_>], to: &str) -> Result<usize, StepError> {
    let ways: Vec<u64> = live.iter().skip(1).map(|live| live.prepare.generation).chain([0]).collect();
    let at = ways.iter().position(|generation| generation.to_string() == to);
    at.map(|at| at + 1).ok_or_else(|| {
        let known: Vec<String> = ways.iter().map(ToString::to_string).collect();
        let is_live = live.first().is_some_and(|live| live.prepare.generation.to_string() == to);
        let what = if is_live {
            format!("generation {to} is what is live")
        } else {
            format!("generation {to} is not one that the live tree came from")
        };
        StepError::not_now(what, format!("a rollback leads to generation {}", known.join(", ")))
    })
}

fn choose<'w>(work: &'w Work<'_>, options: &RollBackOptions) -> Result<Chosen<'w>, StepError> {
    let mut live = chain(work, options)?;
    if !options.only.is_empty() {
        if live.len() > 1 {
            return Err(StepError::not_now(
                "`--only` takes paths of the phase that went live last",
                "roll back the later phases first, or roll the whole phase back",
            ));
        }
        if live.first().is_some_and(|live| parts::is_part(&live.prepare, options)) {
            return Ok(Chosen::Part(Box::new(live.remove(0))));
        }
        for live in &mut live {
            live.only = positions_of(&live.prepare, &live.undone, &options.only)?;
            together::look_at_layout(work, live)?;
            let paths: Vec<PathBuf> = live.paths().into_iter().map(PathBuf::from).collect();
            together::look(work, live, &paths)?;
        }
    }
    Ok(Chosen::Whole(live))
}

fn positions_of(prepare: &Prepare, undone: &[usize], only: &[PathBuf]) -> Result<Vec<usize>, StepError> {
    let mut positions = Vec::new();
    for path in only {
        let clean = parts::clean(path);
        let at = prepare.participants.iter().position(|participant| participant.live() == clean);
        match at {
            Some(at) if undone.contains(&at) => {
                let what = format!("`{}` was rolled back already", clean.display());
                return Err(StepError::not_now(what, "`switchback status` shows what is live"));
            }
            Some(at) => positions.push(at),
            // What is no such path is asked for as a part.
            None => {}
        }
    }
    if positions.len() + undone.len() == prepare.participants.len() {
        positions.sort_unstable();
    }
    Ok(positions)
}

fn live_transactions<'w>(work: &'w Work<'_>) -> Result<Vec<LiveTransaction<'w>>, StepError> {
    let disk = work.world().disk.as_ref();
    let folder = work.project.transactions();
    let (mut live, mut taken_back) = (Vec::new(), BTreeSet::new());
    for name in disk.list(&folder)? {
        let opened = Transaction::open(disk, &work.project.root, &folder.join(&name))?;
        let Some(transaction) = opened else { continue };
        if let Some(transactions) = restore::ending::taken_back(transaction.state()) {
            taken_back.extend(transactions.iter().cloned());
            continue;
        }
        if let State::Committed(prepare, undone) = transaction.state() {
            let (prepare, undone) = (prepare.clone(), undone.clone());
            let id = name.to_string_lossy().into_owned();
            live.push(LiveTransaction { id, transaction, prepare, undone, only: Vec::new() });
        }
    }
    live.retain(|live: &LiveTransaction<'_>| !taken_back.contains(&live.id));
    live.sort_by_key(|live| std::cmp::Reverse(live.prepare.generation));
    Ok(live)
}
