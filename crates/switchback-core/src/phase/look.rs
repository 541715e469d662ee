//! Carrying out checks, and keeping what they saw: every outcome is evidence, bound to what it was about.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};

use super::environment;
use super::error::StepError;
use super::kept::{KeptParts, Nothing};
use super::layout;
use super::outlook;
use super::project::{TOOL, Work};
use super::saved::PhaseSnapshot;
use super::seal::named_manifest;
use super::stage::candidate;
use super::trees::{Contents, PhaseTrees};
use super::watch::is_live;
use crate::check::{Kept, Looked, Scene};
use crate::journal::history::{CheckFact, PhaseHistory, StagedFact};
use crate::journal::{Binding, Event, PhaseState};
use crate::manifest::to_hex;
use crate::plan::{CheckPlan, Mechanism, Moment, Phase, Plan};
use crate::tree::copy::{make_directories, remove_tree};
use crate::verdict::Verdict;
use crate::world::{Confinement, Disk};

/// Carries out checks of a phase at a moment, in order, and records every outcome.
pub fn look(
    work: &Work<'_>,
    phase: &Phase,
    moment: Moment,
    checks: &[&CheckPlan],
) -> Result<Verdict, StepError> {
    look_in(work, phase, moment, checks, &Place::live(work, false))
}

/// Like [`look`], because a person asked for it.
pub(super) fn look_by_hand(
    work: &Work<'_>,
    phase: &Phase,
    moment: Moment,
    checks: &[&CheckPlan],
) -> Result<Verdict, StepError> {
    look_in(work, phase, moment, checks, &Place::live(work, true))
}

/// Where checks look that look at a tree in place, and with which variables their commands run.
pub(super) struct Place<'a> {
    /// The live project, or the copy that is rehearsed on.
    pub(super) tree: &'a Path,
    /// Variables that their commands get, beside those that every check's command has.
    pub(super) variables: &'a [(String, String)],
    /// What is no longer as it was when the tree was made ready, in words. A check of such a tree could not tell.
    pub(super) altered: &'a dyn Fn() -> Result<Option<String>, StepError>,
    /// What the check found there when it last looked, where it is no look of the live tree.
    pub(super) last: Option<&'a Value>,
    /// Whether a person asked for the look.
    pub(super) by_hand: bool,
}

impl<'a> Place<'a> {
    /// The live project.
    fn live(work: &'a Work<'_>, by_hand: bool) -> Self {
        Self { tree: &work.plan().root, variables: &[], altered: &|| Ok(None), last: None, by_hand }
    }
}

/// Like [`look`], in a place of its own.
pub(super) fn look_in(
    work: &Work<'_>,
    phase: &Phase,
    moment: Moment,
    checks: &[&CheckPlan],
    place: &Place<'_>,
) -> Result<Verdict, StepError> {
    // From the cutover on, the live tree itself is looked at.
    let is_on_copy = matches!(moment, Moment::Before | Moment::Staged | Moment::Rehearsed);
    let confinement = work.project.confinement().filter(|_| is_on_copy);
    let look_once = |check: &CheckPlan, trees: &PhaseTrees<'_>, out: &Path| {
        let looking = Looking { work, phase, moment, place, confinement: confinement.as_ref() };
        look_once(&looking, check, trees, out)
    };
    Ok(Verdict::all(each(work, phase, moment, checks, place, look_once)?))
}

/// Carries out checks in a copy, and records nothing of it: what they saw is part of something larger.
pub(super) fn see_in(
    work: &Work<'_>,
    phase: &Phase,
    moment: Moment,
    checks: &[&CheckPlan],
    place: &Place<'_>,
) -> Result<Vec<Looked>, StepError> {
    let confinement = work.project.confinement();
    each(work, phase, moment, checks, place, |check, trees, out| {
        let looking = Looking { work, phase, moment, place, confinement: confinement.as_ref() };
        let inputs = inputs_of(&looking, check)?;
        // A copy is altered in ways that no binding tells: what was seen of one says nothing about another.
        let looked = see(&looking, check, trees, out, &inputs, &Nothing)?;
        Ok(Looked { summary: work.redactor.clean(&looked.summary), ..looked })
    })
}

/// Carries out checks one after the other, each in trees that no other one changed.
fn each<T>(
    work: &Work<'_>,
    phase: &Phase,
    moment: Moment,
    checks: &[&CheckPlan],
    place: &Place<'_>,
    mut carry_out: impl FnMut(&CheckPlan, &PhaseTrees<'_>, &Path) -> Result<T, StepError>,
) -> Result<Vec<T>, StepError> {
    if checks.is_empty() {
        return Ok(Vec::new());
    }
    let disk = work.world().disk.as_ref();
    let folder = work.attempt("look")?;
    make_directories(disk, &work.project.root, &folder.join("trees"))?;
    let (old, new) = contents(work, phase)?;
    let (tree, copies) = (place.tree.to_owned(), folder.join("trees"));
    let trees = PhaseTrees::new(work.world(), work.plan(), moment, tree, copies, old, new);
    let mut found = Vec::new();
    for (number, check) in checks.iter().enumerate() {
        let out = folder.join(format!("out-{number}"));
        disk.make_directory(&out, 0o755)?;
        found.push(carry_out(check, &trees, &out)?);
        trees.renew();
    }
    remove_tree(disk, &folder)?;
    Ok(found)
}

/// What one check looks at, and when.
struct Looking<'a> {
    work: &'a Work<'a>,
    phase: &'a Phase,
    moment: Moment,
    place: &'a Place<'a>,
    confinement: Option<&'a Confinement>,
}

fn look_once(
    looking: &Looking<'_>,
    check: &CheckPlan,
    trees: &PhaseTrees<'_>,
    out: &Path,
) -> Result<Verdict, StepError> {
    let (work, phase) = (looking.work, looking.phase);
    let at = looking.moment.to_string();
    work.record(Event::CheckStarted {
        phase: phase.name.clone(),
        check: check.name.clone(),
        at: at.clone(),
    })?;
    work.began(&phase.name, outlook::check_step(&check.name));
    // Before what the evidence is bound to, so that nothing changes unseen between the two.
    let inputs = inputs_of(looking, check)?;
    let binding = binding(work, phase, check)?;
    let started = work.world().clock.monotonic();
    let kept = KeptParts::of(work, phase, check, looking.moment, &binding);
    let looked = see(looking, check, trees, out, &inputs, &kept)?;
    let elapsed = work.world().clock.monotonic().saturating_sub(started);
    let summary = work.redactor.clean(&looked.summary);
    let evidence = store(work, phase, check, &at, &looked, &binding)?;
    work.record(Event::CheckEnded {
        phase: phase.name.clone(),
        check: check.name.clone(),
        at: at.clone(),
        verdict: looked.verdict.word().to_owned(),
        summary: summary.clone(),
        evidence,
        milliseconds: u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
        measure: looked.measure,
        samples: looked.samples,
        by_hand: looking.place.by_hand,
        binding,
    })?;
    if looked.verdict != Verdict::Unknown {
        kept.forget()?;
    }
    work.witness.notice(super::witness::Notice::Looked {
        check: check.name.clone(),
        at,
        verdict: looked.verdict,
        summary,
        table: cleaned(work, &looked.table),
    });
    Ok(looked.verdict)
}

/// A table without the secrets in it.
fn cleaned(work: &Work<'_>, table: &[Vec<String>]) -> Vec<Vec<String>> {
    table.iter().map(|row| row.iter().map(|cell| work.redactor.clean(cell)).collect()).collect()
}

/// What a check sees.
fn see(
    looking: &Looking<'_>,
    check: &CheckPlan,
    trees: &PhaseTrees<'_>,
    out: &Path,
    inputs: &str,
    kept: &dyn Kept,
) -> Result<Looked, StepError> {
    let (work, phase) = (looking.work, looking.phase);
    let before = last_fact(work, phase, check, |at| at == "before");
    let before = details(work, before.filter(|fact| fact.verdict != Verdict::Unknown))?;
    let last = match looking.place.last {
        Some(last) => Some(last.clone()),
        None => details(work, last_fact(work, phase, check, is_live))?,
    };
    let saved = PhaseSnapshot::of(work, phase);
    let scene = Scene {
        world: work.world(),
        comparer: work.project.ports.comparer.as_ref(),
        querier: work.project.ports.querier.as_ref(),
        statistician: work.project.ports.statistician.as_ref(),
        inspector: work.project.ports.inspector.as_ref(),
        configurer: work.project.ports.configurer.as_ref(),
        migrator: work.project.ports.migrator.as_ref(),
        schemas: &work.project.ports.schemas,
        trees,
        saved: &saved,
        kept,
        moment: looking.moment,
        out,
        variables: looking.place.variables,
        confinement: looking.confinement,
        timeout: Duration::from_secs(check.timeout_s),
        before: before.as_ref(),
        last: last.as_ref(),
    };
    let mut looked = match (looking.place.altered)()? {
        None => check.check.look(&scene),
        Some(what) => {
            let why = format!("what ran before it changed what it was to look at: {what}");
            Looked::unknown(why, Value::Null)
        }
    };
    if inputs != inputs_of(looking, check)? {
        // What was read may be half old and half new.
        looked = Looked::unknown("its inputs changed while it looked", looked.details);
    }
    Ok(looked)
}

fn store(
    work: &Work<'_>,
    phase: &Phase,
    check: &CheckPlan,
    at: &str,
    looked: &Looked,
    binding: &Binding,
) -> Result<String, StepError> {
    let report = json!({
        "schema": "switchback/evidence/1",
        "verdict": looked.verdict.word(),
        "phase": phase.name,
        "check": check.name,
        "kind": check.kind,
        "at": at,
        "summary": looked.summary,
        "measure": looked.measure,
        "samples": looked.samples,
        "binding": binding_json(binding),
        "details": looked.details,
    });
    let text = work.redactor.clean(&format!("{report:#}\n"));
    Ok(work.evidence.put(work.world().disk.as_ref(), text.as_bytes())?)
}

/// A binding as it stands in evidence.
pub fn binding_json(binding: &Binding) -> Value {
    json!({
        "plan": binding.plan,
        "options": binding.options,
        "old_tree": binding.old_tree,
        "new_tree": binding.new_tree,
        "inputs": binding.inputs,
        "tool": binding.tool,
    })
}

/// What came of the last look of a check at such a moment.
fn last_fact(
    work: &Work<'_>,
    phase: &Phase,
    check: &CheckPlan,
    is_meant: impl Fn(&str) -> bool,
) -> Option<CheckFact> {
    let history = work.history();
    let is_wanted = |fact: &&CheckFact| fact.check == check.name && is_meant(&fact.at);
    history.phase(&phase.name)?.checks.iter().rev().find(is_wanted).cloned()
}

/// What a check saw then.
fn details(work: &Work<'_>, fact: Option<CheckFact>) -> Result<Option<Value>, StepError> {
    let Some(fact) = fact else { return Ok(None) };
    let text = work.evidence.get(work.world().disk.as_ref(), &fact.evidence)?;
    let value: Value =
        serde_json::from_str(&text).map_err(|error| super::evidence::EvidenceError::Damaged {
            path: work.evidence.path(&fact.evidence),
            why: error.to_string(),
        })?;
    Ok(value.get("details").cloned())
}

/// What a check's evidence is about now.
pub fn binding(work: &Work<'_>, phase: &Phase, check: &CheckPlan) -> Result<Binding, StepError> {
    let history = work.history();
    let (old_tree, new_tree) = history.phase(&phase.name).map_or_else(Default::default, trees_of);
    Ok(Binding {
        plan: to_hex(&work.plan().hash),
        options: to_hex(&check.hash),
        old_tree,
        new_tree,
        inputs: inputs_hash(work, check)?,
        tool: TOOL.to_owned(),
    })
}

/// The hashes of the old and the new tree as far as they are known: of the snapshot before the candidate is staged.
pub fn trees_of(history: &PhaseHistory) -> (String, String) {
    match (&history.staged, &history.snapshot) {
        (Some(staged), _) => (staged.old_tree.clone(), staged.new_tree.clone()),
        (None, Some(snapshot)) => (snapshot.manifest.clone(), String::new()),
        (None, None) => Default::default(),
    }
}

/// The hash of a check's declared inputs, and of the files that its keys name and that no tree of the phase holds; empty when
/// there are none.
pub fn inputs_hash(work: &Work<'_>, check: &CheckPlan) -> Result<String, StepError> {
    let mut hasher = hash_declared(work, check)?;
    let has_found = hash_found(work, check, &mut hasher);
    let has_any = has_found || !check.inputs.is_empty();
    Ok(if has_any { to_hex(hasher.finalize().as_bytes()) } else { String::new() })
}

/// The hash of what must not change while a check looks. What works on the live tree writes logs while they are read: that is no
/// reason to believe nothing of what was found in them.
fn inputs_of(looking: &Looking<'_>, check: &CheckPlan) -> Result<String, StepError> {
    let work = looking.work;
    let is_live = looking.place.tree == work.plan().root
        && matches!(looking.moment, Moment::Live | Moment::After(_) | Moment::Now | Moment::RolledBack);
    if is_live && check.check.finds_logs() {
        return Ok(to_hex(hash_declared(work, check)?.finalize().as_bytes()));
    }
    inputs_hash(work, check)
}

fn hash_declared(work: &Work<'_>, check: &CheckPlan) -> Result<blake3::Hasher, StepError> {
    let mut hasher = blake3::Hasher::new();
    for input in &check.inputs {
        let path = work.project.root.join(input);
        if work.world().disk.look(&path)?.is_none() {
            return Err(StepError::not_now(
                format!("the input `{}` of the check `{}` does not exist", input.display(), check.name),
                "correct `inputs` in the plan, or bring the input",
            ));
        }
        for mut entry in named_manifest(work.world(), &path, input)?.entries {
            // An input is what can be read in it; that it was copied or touched changes nothing.
            entry.mtime_ns = 0;
            hasher.update(&crate::manifest::Manifest { entries: vec![entry] }.hash());
        }
    }
    Ok(hasher)
}

/// Adds what a check finds by its keys. That nothing is there, or that it cannot be read, is a value like any other: the
/// check itself says what follows from it. Returns whether there was anything.
fn hash_found(work: &Work<'_>, check: &CheckPlan, hasher: &mut blake3::Hasher) -> bool {
    let (disk, root) = (work.world().disk.as_ref(), work.project.root.as_path());
    let managed = &work.plan().project.managed;
    // What is managed is part of both trees, and bound with them.
    let is_bound = |path: &Path| managed.iter().any(|managed| path.starts_with(&managed.path));
    let found = match check.check.finds(disk, root, &|path: &Path| !is_bound(path)) {
        Ok(found) => found,
        Err(why) => {
            hasher.update(format!("not listed: {why}\n").as_bytes());
            return true;
        }
    };
    let mut has_any = false;
    for file in found.iter().filter(|file| !is_bound(&file.path)) {
        has_any = true;
        let content = disk.hash(&file.real).map_or_else(|error| error.to_string(), |hash| to_hex(&hash));
        let name = file.path.as_os_str().as_encoded_bytes();
        hasher.update(&(name.len() as u64).to_le_bytes());
        hasher.update(name);
        hasher.update(&(content.len() as u64).to_le_bytes());
        hasher.update(content.as_bytes());
    }
    has_any
}

/// Where the content of each managed path is on the old and on the new side.
pub(crate) fn contents(work: &Work<'_>, phase: &Phase) -> Result<(Contents, Contents), StepError> {
    let disk = work.world().disk.as_ref();
    let root = &work.project.root;
    let base = layout::live_base(disk, root, &work.plan().project.managed)?;
    let history = work.history();
    let staged = history.phase(&phase.name).filter(|history| history.state != PhaseState::Snapshotted);
    let is_live = staged.is_some_and(|history| history.state.is_live());
    let staged = staged.and_then(|history| history.staged.as_ref());
    let (mut old, mut new) = (Contents::new(), Contents::new());
    for managed in &work.plan().project.managed {
        let path = &managed.path;
        let live = existing(disk, base.join(path))?;
        let (old_content, new_content) = match staged {
            Some(staged) if staged.paths.iter().any(|changed| Path::new(changed) == path) => {
                let other = other_content(disk, root, staged, path, is_live)?;
                if is_live { (other, live) } else { (live, other) }
            }
            _ => (live.clone(), live),
        };
        old.insert(path.clone(), old_content);
        new.insert(path.clone(), new_content);
    }
    environment::add_contents(work, staged, is_live, (&mut old, &mut new))?;
    Ok((old, new))
}

/// The side of a changed path that is not live: the candidate before the cutover, the old tree after it.
fn other_content(
    disk: &dyn Disk,
    root: &Path,
    staged: &StagedFact,
    path: &Path,
    is_live: bool,
) -> Result<Option<PathBuf>, StepError> {
    let mechanism = Mechanism::from_word(&staged.mechanism).unwrap_or(Mechanism::Exchange);
    if !is_live {
        return existing(disk, root.join(candidate(mechanism, &staged.transaction, path)));
    }
    let beside = existing(disk, root.join(layout::beside(path, &staged.transaction)))?;
    let kept = existing(disk, root.join(layout::kept_old(&staged.transaction, path)))?;
    if mechanism != Mechanism::Pointer || beside.is_some() || kept.is_some() {
        return Ok(beside.or(kept));
    }
    let file = root.join(crate::plan::STATE_FOLDER).join("txn").join(&staged.transaction);
    Ok(super::cut_over::pointed_before(disk, root, &file)?.map(|old| old.join(path)))
}

fn existing(disk: &dyn Disk, path: PathBuf) -> Result<Option<PathBuf>, StepError> {
    Ok(disk.look(&path)?.map(|_| path))
}

/// The outcomes of a phase's checks at a moment that are still to be looked at: never looked at, or could not tell; and, of what
/// is live, those that are about something else than what the plan says now.
pub fn open_checks<'p>(
    work: &'p Work<'_>,
    phase: &'p Phase,
    moment: Moment,
    again: impl Fn(&CheckFact) -> bool,
) -> Vec<&'p CheckPlan> {
    let history = work.history();
    let phase_history = history.phase(&phase.name);
    let at = moment.to_string();
    let is_open = |check: &CheckPlan| {
        let fact = phase_history.and_then(|history| history.last_check(&check.name, &at));
        fact.is_none_or(|fact| again(fact) || is_live(&at) && other_since(check, fact).is_some())
    };
    work.plan().checks_at(&phase.name, moment).filter(|check| is_open(check)).collect()
}

/// What is another one since an outcome: the options that the check has, or the version. What is live cannot be staged anew: it is
/// looked at again.
pub(super) fn other_since(check: &CheckPlan, fact: &CheckFact) -> Option<&'static str> {
    if fact.binding.tool != TOOL {
        return Some("the version of Switchback");
    }
    (fact.binding.options != to_hex(&check.hash)).then_some("the check's options")
}

/// What makes void what a check saw of what is live; `None`: it counts. A phase that is over was judged by the plan that it had
/// then.
pub(crate) fn void_since(
    history: &PhaseHistory,
    check: &CheckPlan,
    fact: &CheckFact,
) -> Option<&'static str> {
    let is_judged = matches!(history.state, PhaseState::Live | PhaseState::Watched) && is_live(&fact.at);
    other_since(check, fact).filter(|_| is_judged)
}

/// Why an outcome of what is live counts for nothing, in words; `None`: it counts, as far as the plan has its check.
pub(crate) fn void_outcome(
    plan: &Plan,
    phase: &Phase,
    history: &PhaseHistory,
    fact: &CheckFact,
) -> Option<String> {
    let check = plan.checks.iter().find(|check| check.name == fact.check && check.is_for(&phase.name))?;
    let moment = Moment::parse(&fact.at)?;
    // Of what is repeated the last time counts for all, and a moment that the plan has no more is asked by nobody.
    let is_last = check.every.is_some_and(|every| every.moment(every.times()) == moment);
    if !is_last && !check.at.contains(&moment) {
        return None;
    }
    Some(void_words(fact, void_since(history, check, fact)?))
}

/// The next move where what was seen of what is live is void.
pub(crate) const LOOK_AGAIN: &str = "`switchback watch` looks again";

/// That an outcome is void, and why.
pub(super) fn void_words(fact: &CheckFact, what: &str) -> String {
    format!(
        "the evidence of the check `{}` at {} is void, because since then {what} changed",
        fact.check, fact.at
    )
}
