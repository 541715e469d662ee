//! Rolling back a part of what went live: files below managed paths, the imports, the routes, or one change of the phase.
//!
//! What it touches is written file by file through [`crate::tree::rewrite`]: all of it or nothing, and the bytes that were
//! live are kept. The phase stays live, and can still be rolled back as a whole.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

use super::error::StepError;
use super::gate::load_manifest;
use super::part_rebuilt::without;
use super::part_records::COMMAND;
use super::processes::HandOver;
use super::project::Work;
use super::restore::copy::Held;
use super::roll_back::{LiveTransaction, RollBackOptions, RollBackOutcome, RollBackPlan};
use super::seal::named_manifest;
use super::together;
use super::witness::Notice;
use crate::change::ChangeError;
use crate::code::PartsRequest;
use crate::journal::Event;
use crate::journal::history::StagedFact;
use crate::manifest::{Entry, Kind, Manifest, What};
use crate::package::other_packages;
use crate::plan::ChangePlan;
use crate::tree::copy::{make_directories, remove_tree};
use crate::tree::exchange::{Participant, Prepare};
use crate::tree::rewrite::{self, Put, RewriteError};
use crate::world::FileKind;

/// The word for what a phase changed about imports.
const IMPORTS: &str = "imports";
/// The word for what it changed about HTTP routes.
const ROUTES: &str = "routes";

/// A part that would be rolled back.
#[derive(Debug)]
struct Parts {
    phase: String,
    transaction: String,
    /// What is put where, relative to the root.
    puts: Vec<(PathBuf, Put)>,
    /// Of those, what was changed since the phase went live.
    changed: Vec<String>,
    /// What would be broken.
    against: Vec<String>,
    /// What is about the same, and stays, because there is more to it.
    left: Vec<String>,
    /// A folder that is needed until it is done.
    scratch: Option<PathBuf>,
}

/// Removes what was built to find out.
pub(super) fn clear(work: &Work<'_>, scratch: Option<&Path>) -> Result<(), StepError> {
    scratch.map_or(Ok(()), |scratch| Ok(remove_tree(work.world().disk.as_ref(), scratch)?))
}

/// A path as it was meant: `./src/./app.py` is `src/app.py`.
pub(super) fn clean(word: &Path) -> PathBuf {
    word.components().filter(|part| !matches!(part, Component::CurDir)).collect()
}

/// What the phase did, and where each side of it is.
pub(super) struct Done<'w> {
    pub(super) live: LiveTransaction<'w>,
    staged: StagedFact,
    old: Manifest,
    pub(super) new: Manifest,
    /// Files, links and other entries that differ, except in their time alone.
    differing: Vec<PathBuf>,
    /// Where the old content of each participant stands, by its live path.
    parked: Vec<(PathBuf, PathBuf)>,
    /// A folder in which a copy was laid out for it.
    laid_out: Option<PathBuf>,
}

impl Done<'_> {
    /// Where the old content of a path stands.
    pub(super) fn old_place(&self, path: &Path) -> Option<PathBuf> {
        self.parked.iter().find_map(|(live, parked)| {
            let inside = path.strip_prefix(live).ok()?;
            Some(if inside.as_os_str().is_empty() { parked.clone() } else { parked.join(inside) })
        })
    }
}

/// Whether the options name a part, and not only paths that were exchanged.
pub(super) fn is_part(prepare: &Prepare, options: &RollBackOptions) -> bool {
    let is_participant = |path: &PathBuf| {
        let clean = clean(path);
        prepare.participants.iter().any(|participant| participant.live() == clean)
    };
    !options.only.iter().all(is_participant)
}

/// What would be rolled back.
pub(super) fn plan_parts(
    work: &Work<'_>,
    live: LiveTransaction<'_>,
    options: &RollBackOptions,
    copy: Option<&Held>,
) -> Result<RollBackPlan, StepError> {
    let processes = around_part(work, &live).plan();
    let parts = choose(work, live, options, copy)?;
    clear(work, parts.scratch.as_deref())?;
    let paths = parts.puts.iter().map(|(path, _)| shown(path)).collect();
    Ok(RollBackPlan {
        phases: vec![parts.phase],
        paths,
        against: parts.against,
        left: parts.left,
        source: None,
        databases: Vec::new(),
        processes,
    })
}

/// The processes around a part: the generation stays what it is.
fn around_part<'w>(work: &'w Work<'w>, live: &LiveTransaction<'_>) -> HandOver<'w> {
    let generation = live.prepare.generation;
    let phases = [live.prepare.phase.clone()];
    HandOver::of_roll_back(work, &phases, &live.id, generation, generation)
}

/// Rolls a part back, unless that would break what works now.
pub(super) fn roll_back_parts(
    work: &Work<'_>,
    live: LiveTransaction<'_>,
    options: &RollBackOptions,
    copy: Option<&Held>,
) -> Result<RollBackOutcome, StepError> {
    let started = work.world().clock.monotonic();
    let mut processes = around_part(work, &live);
    let parts = choose(work, live, options, copy)?;
    let mut outcome = RollBackOutcome { phases: vec![parts.phase.clone()], ..RollBackOutcome::default() };
    outcome.left.clone_from(&parts.left);
    if !parts.against.is_empty() {
        clear(work, parts.scratch.as_deref())?;
        outcome.against = parts.against;
        return Ok(outcome);
    }
    let words: Vec<String> = options.only.iter().map(|word| shown(word)).collect();
    let command = format!("{}{} {}", COMMAND, parts.transaction, words.join(" "));
    processes.begin()?;
    let done = rewrite::rewrite_held(work.world(), &work.project.root, &command, &parts.puts)
        .map_err(|error| not_written(&error));
    clear(work, parts.scratch.as_deref())?;
    let done = done?;
    outcome.milliseconds = work.world().clock.monotonic().saturating_sub(started).as_secs_f64() * 1_000.0;
    outcome.processes = processes.finish();
    outcome.restored = parts.puts.iter().map(|(path, _)| shown(path)).collect();
    outcome.kept_aside =
        parts.changed.iter().map(|path| format!(".switchback/undo/{}: {path}", done.id)).collect();
    work.witness.notice(Notice::Acknowledged {
        phase: parts.phase.clone(),
        what: format!("rolled back in part: {}", words.join(", ")),
        milliseconds: outcome.milliseconds,
    });
    let event = Event::PartRolledBack {
        phase: parts.phase,
        transaction: parts.transaction,
        parts: words,
        restored: outcome.restored.clone(),
        kept_aside: outcome.kept_aside.clone(),
        undo: done.id,
        why: work.redactor.clean(&options.why),
    };
    if let Err(error) = work.record(event) {
        work.witness.notice(Notice::Warning(format!("the journal was not written: {error}")));
    }
    Ok(outcome)
}

fn choose(
    work: &Work<'_>,
    live: LiveTransaction<'_>,
    options: &RollBackOptions,
    copy: Option<&Held>,
) -> Result<Parts, StepError> {
    let done = done(work, live, copy)?;
    let mut targets: BTreeMap<PathBuf, Option<PathBuf>> = BTreeMap::new();
    let mut scratch = done.laid_out.clone();
    let mut left = Vec::new();
    let words: Vec<PathBuf> = options.only.iter().map(|word| clean(word)).collect();
    let changes = changes_meant(work, &done, &words)?;
    if !changes.is_empty() {
        if copy.is_some() {
            return Err(StepError::not_now(
                "a change is taken back from what is kept locally, not from a copy",
                "leave `--from` out, or name paths with `--only`",
            ));
        }
        let tree = without(work, &done, &changes)?;
        scratch = tree.folder();
        targets.extend(tree.differing(work, &done)?);
    }
    for clean in words.into_iter().filter(|word| word.to_str().is_none_or(|word| !changes.contains(word))) {
        refuse_other_kinds(&done, &clean, &done.old)?;
        let mut below: Vec<PathBuf> =
            done.differing.iter().filter(|path| path.starts_with(&clean)).cloned().collect();
        below.extend(broken_since(work, &done, &clean)?);
        let found = match clean.to_str() {
            _ if !below.is_empty() => below,
            Some(IMPORTS) => {
                let found = work.project.ports.inspector.parts(&request(work, &done, &[]))?;
                left.extend(found.left.iter().map(|path| shown(path)));
                found.imports
            }
            Some(ROUTES) => work.project.ports.inspector.parts(&request(work, &done, &[]))?.routes,
            _ => return Err(nothing_of(&done, &clean)),
        };
        if found.is_empty() {
            return Err(StepError::not_now(
                format!("the phase `{}` changed nothing about {}", done.live.prepare.phase, shown(&clean)),
                "`switchback report` lists what it changed; `--dry-run` shows what a rollback would do",
            ));
        }
        for path in found {
            let place = done.old.get(&path).and_then(|_| done.old_place(&path));
            targets.insert(path, place);
        }
    }
    let mut parts = settle(work, &done, &targets).inspect_err(|_| drop(clear(work, scratch.as_deref())))?;
    let paths: Vec<PathBuf> = parts.puts.iter().map(|(path, _)| path.clone()).collect();
    together::look(work, &done.live, &paths).inspect_err(|_| drop(clear(work, scratch.as_deref())))?;
    parts.left = left;
    parts.scratch = scratch;
    Ok(parts)
}

/// Files below a path that the phase left alone and that are not any more what they were: somebody, or the new code, has
/// changed or lost them since. What came into being since stays.
fn broken_since(work: &Work<'_>, done: &Done<'_>, word: &Path) -> Result<Vec<PathBuf>, StepError> {
    if !done.parked.iter().any(|(live, _)| word.starts_with(live)) {
        return Ok(Vec::new());
    }
    let touched: BTreeSet<&PathBuf> = done.differing.iter().collect();
    let mut broken = Vec::new();
    for old in done.old.below(word).entries {
        if old.kind == Kind::Directory || touched.contains(&old.path) {
            continue;
        }
        let live = entry_at(work, &work.project.root.join(&old.path), &old.path)?;
        if !is_same(live.as_ref(), Some(&old)) {
            broken.push(old.path);
        }
    }
    Ok(broken)
}

fn nothing_of(done: &Done<'_>, word: &Path) -> StepError {
    let live: Vec<String> =
        done.live.prepare.participants.iter().map(|one| format!("`{}`", shown(one.live()))).collect();
    StepError::not_now(
        format!("the phase `{}` changed nothing at `{}`", done.live.prepare.phase, shown(word)),
        format!(
            "`--only` takes a path that it changed, `imports`, `routes`, or the name or kind of one of its changes; it \
             exchanged {}",
            live.join(", ")
        ),
    )
}

/// What the phase did; its old content is what was parked, or what a copy holds.
fn done<'w>(work: &Work<'_>, live: LiveTransaction<'w>, copy: Option<&Held>) -> Result<Done<'w>, StepError> {
    let disk = work.world().disk.as_ref();
    let root = work.project.root.as_path();
    let staged = work.history().of_transaction(&live.id).and_then(|history| history.staged.clone());
    let Some(staged) = staged else {
        return Err(StepError::not_now(
            "the journal does not say what the phase changed",
            "roll the whole phase back: `switchback rollback`",
        ));
    };
    let mut parked = Vec::new();
    for at in live.positions() {
        let Some(Participant::Path { live: path, beside, kept, .. }) = live.prepare.participants.get(at)
        else {
            return Err(StepError::not_now(
                "a part cannot be rolled back where a pointer leads to the live tree",
                "roll the whole phase back, or the paths: `switchback rollback --only PATH`",
            ));
        };
        let place = if disk.look(&root.join(beside))?.is_some() { beside } else { kept };
        parked.push((path.clone(), root.join(place)));
    }
    let new = load_manifest(work, &staged.new_tree)?;
    let (old, laid_out) = match copy {
        None => (load_manifest(work, &staged.old_tree)?, None),
        Some(held) => {
            let folder = work.attempt("copy")?;
            make_directories(disk, root, &folder)?;
            let paths: Vec<PathBuf> = parked.iter().map(|(live, _)| live.clone()).collect();
            let base = held.lay_out(work, &paths, &folder)?;
            parked = paths.into_iter().map(|path| (path.clone(), base.join(path))).collect();
            (held.manifest().clone(), Some(folder))
        }
    };
    let is_exchanged = |path: &Path| parked.iter().any(|(live, _)| path.starts_with(live));
    let differing = files_of(&old, &new).into_iter().filter(|path| is_exchanged(path)).collect();
    Ok(Done { live, staged, old, new, differing, parked, laid_out })
}

/// What a rollback of these exchanged paths alone would break, a line each. `live` is all that the phase exchanged.
pub(super) fn broken_by(
    work: &Work<'_>,
    live: LiveTransaction<'_>,
    taken: &[PathBuf],
) -> Result<Vec<String>, StepError> {
    let done = done(work, live, None)?;
    let is_taken = |path: &&PathBuf| taken.iter().any(|taken| path.starts_with(taken));
    let old_side = |path: &PathBuf| (path.clone(), done.old.get(path).and_then(|_| done.old_place(path)));
    let chosen: Vec<_> = done.differing.iter().filter(is_taken).map(old_side).collect();
    if chosen.is_empty() {
        return Ok(Vec::new());
    }
    Ok(work.project.ports.inspector.lost(&request(work, &done, &chosen))?)
}

/// What differs between two trees, folders apart: they come and go with what is in them.
pub(super) fn files_of(one: &Manifest, other: &Manifest) -> Vec<PathBuf> {
    let is_folder = |manifest: &Manifest, path: &Path| {
        manifest.get(path).is_some_and(|entry| entry.kind == Kind::Directory)
    };
    one.differences(other)
        .into_iter()
        .filter(|difference| !matches!(difference.what, What::Time | What::Links))
        .map(|difference| difference.path)
        .filter(|path| !(is_folder(one, path) || is_folder(other, path)))
        .collect()
}

fn request(work: &Work<'_>, done: &Done<'_>, chosen: &[(PathBuf, Option<PathBuf>)]) -> PartsRequest {
    let place = |path: &PathBuf| done.old.get(path).and_then(|_| done.old_place(path));
    PartsRequest {
        tree: work.project.root.clone(),
        before: done.differing.iter().map(|path| (path.clone(), place(path))).collect(),
        chosen: chosen.to_vec(),
    }
}

/// What is to be written, and what speaks against it.
fn settle(
    work: &Work<'_>,
    done: &Done<'_>,
    targets: &BTreeMap<PathBuf, Option<PathBuf>>,
) -> Result<Parts, StepError> {
    let disk = work.world().disk.as_ref();
    let root = &work.project.root;
    let mut parts = Parts {
        phase: done.live.prepare.phase.clone(),
        transaction: done.live.id.clone(),
        puts: Vec::new(),
        changed: Vec::new(),
        against: Vec::new(),
        left: Vec::new(),
        scratch: None,
    };
    for (path, place) in targets {
        let live = entry_at(work, &root.join(path), path)?;
        let wanted = match place {
            Some(place) => Some(entry_at(work, place, path)?.ok_or_else(|| gone(place))?),
            None => None,
        };
        if is_damaged(done, path, place.as_deref(), wanted.as_ref()) {
            return Err(gone(place.as_deref().unwrap_or(path)));
        }
        if is_same(live.as_ref(), wanted.as_ref()) {
            continue;
        }
        if live.is_some() && !is_same(live.as_ref(), done.new.get(path)) {
            parts.changed.push(shown(path));
        }
        let put = match (place, disk.look(&root.join(path))?) {
            (Some(place), _) => Put::Restored(place.clone()),
            (None, Some(_)) => Put::Nothing,
            (None, None) => continue,
        };
        parts.puts.push((path.clone(), put));
    }
    if parts.puts.is_empty() {
        return Err(StepError::not_now(
            "all of it is as it was before the phase already",
            "`switchback status` shows what is live",
        ));
    }
    let chosen: Vec<(PathBuf, Option<PathBuf>)> = parts
        .puts
        .iter()
        .map(|(path, put)| match put {
            Put::Restored(place) => (path.clone(), Some(place.clone())),
            _ => (path.clone(), None),
        })
        .collect();
    parts.against = work.project.ports.inspector.lost(&request(work, done, &chosen))?;
    Ok(parts)
}

/// Whether what was parked is not what the manifest says of it. What was rebuilt is in no manifest.
fn is_damaged(done: &Done<'_>, path: &Path, place: Option<&Path>, found: Option<&Entry>) -> bool {
    place.is_some() && place == done.old_place(path).as_deref() && !is_same(found, done.old.get(path))
}

fn gone(place: &Path) -> StepError {
    StepError::not_now(
        format!("what was kept at `{}` is not what it was", shown(place)),
        "restore it from the snapshot: `switchback snapshot list`, `switchback snapshot restore`",
    )
}

pub(super) fn is_same(one: Option<&Entry>, other: Option<&Entry>) -> bool {
    let rest = |entry: &Entry| (entry.mode, entry.uid, entry.gid, entry.xattrs.clone());
    match (one, other) {
        (None, None) => true,
        (Some(one), Some(other)) => one.kind == other.kind && rest(one) == rest(other),
        _ => false,
    }
}

pub(super) fn entry_at(work: &Work<'_>, place: &Path, name: &Path) -> Result<Option<Entry>, StepError> {
    match work.world().disk.look(place)? {
        None => Ok(None),
        Some(meta) if meta.kind == FileKind::Directory => Err(StepError::not_now(
            format!("a folder stands at `{}` now", shown(name)),
            "move it away, or roll the whole phase back: `switchback rollback`",
        )),
        Some(_) => Ok(named_manifest(work.world(), place, name)?.get(name).cloned()),
    }
}

/// Which of the words mean changes of the phase, by name or kind. What is a path that the phase changed is a path.
fn changes_meant(work: &Work<'_>, done: &Done<'_>, words: &[PathBuf]) -> Result<BTreeSet<String>, StepError> {
    let Some(phase) = work.plan().phase(&done.live.prepare.phase) else { return Ok(BTreeSet::new()) };
    let is_path = |word: &Path| done.differing.iter().any(|path| path.starts_with(word));
    let is_change = |word: &str| phase.changes.iter().any(|change| is_called(change, word));
    let meant: BTreeSet<String> = words
        .iter()
        .filter(|word| !is_path(word))
        .filter_map(|word| word.to_str())
        .filter(|word| !matches!(*word, IMPORTS | ROUTES) && is_change(word))
        .map(ToOwned::to_owned)
        .collect();
    if meant.is_empty() {
        return Ok(meant);
    }
    if work.project.changes_hash(phase) != done.staged.changes {
        return Err(StepError::not_now(
            format!("the plan says something else about the phase `{}` than when it went live", phase.name),
            "put the plan back as it was, or roll back by paths",
        ));
    }
    if let Some(why) = other_packages(work, phase, &done.staged) {
        return Err(StepError::not_now(why, "roll back by paths, or the whole phase"));
    }
    Ok(meant)
}

pub(super) fn is_called(change: &ChangePlan, word: &str) -> bool {
    change.name.as_deref() == Some(word) || change.kind == word
}

/// What was a file and is a folder, or the other way round, goes back with the path that it is in, and not alone.
pub(super) fn refuse_other_kinds(done: &Done<'_>, word: &Path, wanted: &Manifest) -> Result<(), StepError> {
    let is_folder = |entry: &Entry| entry.kind == Kind::Directory;
    let other = done.new.entries.iter().find(|entry| {
        (entry.path.starts_with(word) || word.starts_with(&entry.path))
            && wanted.get(&entry.path).is_some_and(|old| is_folder(old) != is_folder(entry))
    });
    let Some(entry) = other else { return Ok(()) };
    let (was, is) = if is_folder(entry) { ("a file", "a folder") } else { ("a folder", "a file") };
    let around = done.parked.iter().map(|(live, _)| live).find(|live| entry.path.starts_with(live));
    Err(StepError::not_now(
        format!(
            "`{}` was {was} before the phase and is {is} now: that does not go back alone",
            shown(&entry.path)
        ),
        format!(
            "roll back what was exchanged: `switchback rollback --only {}`",
            around.map_or_else(String::new, |path| shown(path))
        ),
    ))
}

fn not_written(error: &RewriteError) -> StepError {
    StepError::not_now(
        format!("the part was not rolled back: {error}"),
        "every file is as it was; name less with `--only`, or roll the whole phase back",
    )
}

pub(super) fn shown(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

impl From<RewriteError> for StepError {
    fn from(error: RewriteError) -> Self {
        Self::Change(ChangeError::from(error))
    }
}
