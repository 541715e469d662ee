//! The gate: what must hold before a phase goes live, and every reason why it does not.
//!
//! Evidence and approvals count only when they are about exactly what would be put in (BX-10): plan, both trees,
//! inputs, options and tool are compared one by one, and what changed is named.

use std::cmp::Ordering;
use std::path::Path;

use super::approval::{Judge, tally};
use super::cycle::Point;
use super::error::StepError;
use super::evidence::{EvidenceError, EvidenceStore};
use super::look::{inputs_hash, other_since, void_words};
use super::project::{TOOL, Work};
use super::seal::{Seal, Sealed, named_manifest};
use super::shadow::stand as shadow;
use super::stage::{candidate, named};
use super::watch::is_live;
use super::{criteria, environment, layout, snapshot};
use crate::journal::Binding;
use crate::journal::history::{CheckFact, PhaseHistory, StagedFact};
use crate::manifest::{Manifest, to_hex};
use crate::package::other_packages;
use crate::plan::{CheckPlan, Mechanism, Moment, Phase, Plan, WindowStanding};
use crate::verdict::Verdict;
use crate::world::Disk;

/// The quick look at both trees before an exchange may take so long; what it does not reach is looked at right after
/// the exchange, which is then taken back if need be. So the time of a cutover does not grow with the size of the tree.
pub const SURVEY_BEFORE_MS: u64 = 15;

/// What stands at a gate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gate {
    /// *yes*: it is open.
    pub verdict: Verdict,
    /// Every reason why it is not.
    pub reasons: Vec<String>,
    /// The next move.
    pub next: String,
    /// Managed paths that were not looked at again in the time there was.
    pub unseen: Vec<String>,
}

impl Gate {
    /// An open gate.
    pub(super) fn open() -> Self {
        Self { verdict: Verdict::Yes, reasons: Vec::new(), next: String::new(), unseen: Vec::new() }
    }

    /// One that says no.
    pub(super) fn closed(reason: impl Into<String>, next: impl Into<String>) -> Self {
        let mut gate = Self::open();
        gate.close(Verdict::No, reason, next);
        gate
    }

    /// This one and another one: open when both are.
    pub(super) fn and(mut self, other: Self) -> Self {
        self.verdict = self.verdict.and(other.verdict);
        self.reasons.extend(other.reasons);
        self.unseen.extend(other.unseen);
        if self.next.is_empty() {
            self.next = other.next;
        }
        self
    }

    pub(super) fn close(&mut self, verdict: Verdict, reason: impl Into<String>, next: impl Into<String>) {
        self.verdict = self.verdict.and(verdict);
        self.reasons.push(reason.into());
        if self.next.is_empty() {
            self.next = next.into();
        }
    }
}

/// What is there now, to compare evidence with.
#[derive(Debug, Clone)]
struct Present {
    old_tree: String,
    new_tree: String,
}

/// The checks of a moment alone: all carried out, none says no, none could not tell. *No* at `before` does not hold:
/// it is what later outcomes are compared with.
pub fn of_checks(work: &Work<'_>, phase: &Phase, moment: Moment) -> Gate {
    let mut gate = Gate::open();
    let history = work.history();
    let at = moment.to_string();
    for check in work.plan().checks_at(&phase.name, moment) {
        let fact = history.phase(&phase.name).and_then(|history| history.last_check(&check.name, &at));
        judge(&mut gate, check, &at, fact);
    }
    gate
}

/// What is repeated ends well when its last time does; what was before is for triggers to judge, which know how often is too often.
pub fn of_repeated(work: &Work<'_>, phase: &Phase) -> Gate {
    let mut gate = Gate::open();
    let history = work.history();
    for (check, every) in work.plan().repeated_checks(&phase.name) {
        let at = every.moment(every.times()).to_string();
        let fact = history.phase(&phase.name).and_then(|history| history.last_check(&check.name, &at));
        judge(&mut gate, check, &at, fact);
    }
    gate
}

/// The command that looks again. What is rehearsed is looked at as a whole.
fn looks_again(check: &CheckPlan, at: &str) -> String {
    let name = if at == "rehearsed" { String::new() } else { format!("{} ", quoted(&check.name)) };
    format!("`switchback check {name}--at {at}` looks again")
}

fn judge(gate: &mut Gate, check: &CheckPlan, at: &str, fact: Option<&CheckFact>) {
    let again = looks_again(check, at);
    match fact {
        None => gate.close(
            Verdict::Unknown,
            format!("the check `{}` was not carried out at {at}", check.name),
            again,
        ),
        Some(fact) => match other_since(check, fact).filter(|_| is_live(at)) {
            Some(what) => gate.close(Verdict::No, void_words(fact, what), again),
            None => judge_verdict(gate, fact, again),
        },
    }
}

fn judge_verdict(gate: &mut Gate, fact: &CheckFact, again: String) {
    let (check, at) = (&fact.check, fact.at.as_str());
    match fact.verdict {
        Verdict::Yes => {}
        Verdict::No if at == "before" => {}
        Verdict::No => {
            let next = if at == "staged" || at == "rehearsed" {
                "correct the candidate, then `switchback run --restage`".to_owned()
            } else {
                format!("`switchback rollback` makes the old tree live; {again}")
            };
            gate.close(Verdict::No, format!("the check `{check}` says no at {at}: {}", fact.summary), next);
        }
        Verdict::Unknown => gate.close(
            Verdict::Unknown,
            format!("the check `{check}` could not tell at {at}: {}", fact.summary),
            again,
        ),
    }
}

/// What a gate asks for beside what must hold at any rate: checks, evidence that is still about what is there, no drift.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Needs {
    /// The rehearsal, and its checks.
    pub rehearsal: bool,
    /// What comes after those.
    pub upto: Upto,
}

/// The last of what a gate asks for; each asks for those before it, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Upto {
    /// The checks.
    #[default]
    Checks,
    /// The shadows.
    Shadows,
    /// The approvals.
    Approvals,
    /// The window, in which cutovers happen.
    Window,
}

impl Needs {
    /// What is needed to reach a point.
    pub fn of(point: Point) -> Self {
        let upto = match point.cmp(&Point::Approved) {
            Ordering::Less => Upto::Checks,
            Ordering::Equal => Upto::Approvals,
            Ordering::Greater => Upto::Window,
        };
        Self { rehearsal: point >= Point::Rehearsed, upto }
    }
}

/// Everything that must hold before the cutover, as far as it is needed now.
pub fn before_cut_over(work: &Work<'_>, phase: &Phase, needs: Needs) -> Result<Gate, StepError> {
    let mut gate = Gate::open();
    let history = work.history().phase(&phase.name).cloned();
    let Some((history, staged)) = history.and_then(|h| h.staged.clone().map(|staged| (h, staged))) else {
        gate.close(Verdict::Unknown, "nothing is staged", "`switchback run` stages the candidate");
        return Ok(gate);
    };
    let (disk, root) = (work.world().disk.as_ref(), &work.project.root);
    for path in environment::missing(disk, root, &staged)? {
        let reason = format!("the staged environment `{path}` is gone");
        gate.close(Verdict::No, reason, "`switchback run --restage` builds it again");
    }
    let moments: &[Moment] = if needs.rehearsal { &BEFORE_CUT_OVER } else { &BEFORE_CUT_OVER[..2] };
    for moment in moments {
        let part = of_checks(work, phase, *moment);
        for reason in part.reasons {
            gate.close(part.verdict, reason, part.next.clone());
        }
    }
    if staged.changes != work.project.changes_hash(phase) {
        gate.close(
            Verdict::No,
            "the plan's managed paths or changes are others than those the candidate was built from",
            "`switchback run --restage` builds it again",
        );
    }
    if let Some(reason) = other_packages(work, phase, &staged) {
        gate.close(Verdict::No, reason, "`switchback run --restage` builds it of that package");
    }
    let present = look_at_trees(work, &staged, &mut gate)?;
    look_at_evidence(work, phase, &history, &present, moments, &mut gate)?;
    if needs.rehearsal {
        look_at_rehearsal(work, &history, &present, &mut gate)?;
    }
    if needs.upto >= Upto::Shadows {
        shadow::look_at(work, phase, &history, (&present.old_tree, &present.new_tree), &mut gate)?;
    }
    if needs.upto >= Upto::Approvals {
        look_at_approvals(work, phase, &history, &present, &mut gate);
        criteria::close(&Judge::of(&work.project), phase, &history, false, &mut gate);
    }
    if needs.upto >= Upto::Window {
        look_at_window(work, &mut gate);
    }
    Ok(gate)
}

/// What a quick look at both trees came to.
#[derive(Debug, Default)]
struct Moved {
    /// Something was done to what is live.
    old: bool,
    /// Something was done to what would be put in.
    new: bool,
}

/// Both trees as they are now. Where a survey says that nothing was touched, what was staged still holds.
fn look_at_trees(work: &Work<'_>, staged: &StagedFact, gate: &mut Gate) -> Result<Present, StepError> {
    let disk = work.world().disk.as_ref();
    let plan = work.plan();
    let base = layout::live_base(disk, &plan.root, &plan.project.managed)?;
    let mechanism = Mechanism::from_word(&staged.mechanism).unwrap_or(Mechanism::Exchange);
    let seal = load_seal(work, staged)?;
    let moved = survey_trees(work, staged, mechanism, (&base, &seal), gate)?;
    let mut present = Present { old_tree: staged.old_tree.clone(), new_tree: staged.new_tree.clone() };
    if moved.old {
        let now = manifest_of(work, |path| base.join(path))?;
        present.old_tree = snapshot::hash_of(&now);
        if present.old_tree != staged.old_tree {
            let then = load_manifest(work, &staged.old_tree)?;
            gate.close(
                Verdict::No,
                format!("the live tree changed since the candidate was staged: {}", named((&then, &now))),
                "look at these changes, then `switchback run --restage` builds the candidate on top of them",
            );
        }
    }
    // What the candidate leaves alone is part of what would be live, too.
    if moved.new || present.old_tree != staged.old_tree {
        let is_exchanged = |path: &Path| mechanism == Mechanism::Pointer || seal.paths.contains_key(path);
        let now = manifest_of(work, |path| {
            if is_exchanged(path) {
                plan.root.join(candidate(mechanism, &staged.transaction, path))
            } else {
                base.join(path)
            }
        })?;
        present.new_tree = snapshot::hash_of(&now);
        if present.new_tree != staged.new_tree {
            let managed = plan.project.managed.iter().map(|managed| managed.path.as_path());
            let exchanged: Vec<&Path> = managed.filter(|path| is_exchanged(path)).collect();
            let then = of_paths(&load_manifest(work, &staged.new_tree)?, &exchanged);
            let now = of_paths(&now, &exchanged);
            if then != now {
                gate.close(
                    Verdict::No,
                    format!("the candidate changed since it was checked: {}", named((&then, &now))),
                    "`switchback run --restage` builds it again from its source",
                );
            }
        }
    }
    Ok(present)
}

/// What a manifest has of some paths.
fn of_paths(whole: &Manifest, paths: &[&Path]) -> Manifest {
    Manifest::from_entries(paths.iter().flat_map(|path| whole.below(path).entries).collect())
}

/// A quick look at both trees; what there is no time for is written into the gate.
fn survey_trees(
    work: &Work<'_>,
    staged: &StagedFact,
    mechanism: Mechanism,
    (base, seal): (&Path, &Seal),
    gate: &mut Gate,
) -> Result<Moved, StepError> {
    let disk = work.world().disk.as_ref();
    let plan = work.plan();
    let started = work.world().clock.monotonic();
    let exchanged = seal.paths.iter().flat_map(|(path, sealed)| {
        let new = plan.root.join(candidate(mechanism, &staged.transaction, path));
        [(path, base.join(path), &sealed.old, true), (path, new, &sealed.new, false)]
    });
    let kept = seal.kept.iter().map(|(path, sealed)| (path, base.join(path), sealed, true));
    // An earlier version sealed only what differs: of the rest nobody can tell without reading it.
    let is_unsealed = |path: &Path| mechanism != Mechanism::Pointer && !seal.has(path);
    let mut moved =
        Moved { old: plan.project.managed.iter().any(|managed| is_unsealed(&managed.path)), new: false };
    for (path, content, sealed, is_live) in exchanged.chain(kept) {
        let used = work.world().clock.monotonic().saturating_sub(started).as_millis();
        let left = SURVEY_BEFORE_MS.saturating_sub(u64::try_from(used).unwrap_or(u64::MAX));
        match is_untouched(disk, &content, sealed.as_ref(), Some(left))? {
            Some(true) => {}
            Some(false) if is_live => moved.old = true,
            Some(false) => moved.new = true,
            None => gate.unseen.push(path.to_string_lossy().into_owned()),
        }
    }
    gate.unseen.sort();
    gate.unseen.dedup();
    Ok(moved)
}

/// Whether one side of a managed path is as it was sealed; `None` when that was not found out in time.
pub(super) fn is_untouched(
    disk: &dyn Disk,
    content: &Path,
    sealed: Option<&Sealed>,
    within_ms: Option<u64>,
) -> Result<Option<bool>, StepError> {
    match (disk.look(content)?, sealed) {
        (None, None) => Ok(Some(true)),
        (None, Some(_)) | (Some(_), None) => Ok(Some(false)),
        (Some(_), Some(sealed)) => {
            let survey = match (within_ms, sealed.entries) {
                (Some(within_ms), Some(entries)) => disk.survey_of(content, within_ms, entries)?,
                (within_ms, _) => disk.survey(content, within_ms)?,
            };
            Ok(survey.map(|survey| Sealed::from(survey).digest == sealed.digest))
        }
    }
}

fn manifest_of(
    work: &Work<'_>,
    content: impl Fn(&Path) -> std::path::PathBuf,
) -> Result<Manifest, StepError> {
    let mut entries = Vec::new();
    for managed in &work.plan().project.managed {
        entries.extend(named_manifest(work.world(), &content(&managed.path), &managed.path)?.entries);
    }
    Ok(Manifest::from_entries(entries))
}

/// The seal of a staged phase.
pub fn load_seal(work: &Work<'_>, staged: &StagedFact) -> Result<Seal, StepError> {
    seal_of(work.world().disk.as_ref(), &work.evidence, staged)
}

/// The seal of a staged phase, from the evidence of a project that is only looked at.
pub(super) fn seal_of(
    disk: &dyn Disk,
    evidence: &EvidenceStore,
    staged: &StagedFact,
) -> Result<Seal, StepError> {
    let text = evidence.get(disk, &staged.seal)?;
    Seal::from_json(&text).ok_or_else(|| {
        let path = evidence.path(&staged.seal);
        EvidenceError::Damaged { path, why: "it is not a seal".to_owned() }.into()
    })
}

/// A manifest among the evidence.
pub fn load_manifest(work: &Work<'_>, hash: &str) -> Result<Manifest, StepError> {
    Ok(work.evidence.get_manifest(work.world().disk.as_ref(), hash)?)
}

fn look_at_evidence(
    work: &Work<'_>,
    phase: &Phase,
    history: &PhaseHistory,
    present: &Present,
    moments: &[Moment],
    gate: &mut Gate,
) -> Result<(), StepError> {
    let snapshot_tree = history.snapshot.as_ref().map(|fact| fact.manifest.clone()).unwrap_or_default();
    for &moment in moments {
        let at = moment.to_string();
        for check in work.plan().checks_at(&phase.name, moment) {
            let Some(fact) = history.last_check(&check.name, &at) else { continue };
            let (old_tree, new_tree) = match moment {
                Moment::Before => (snapshot_tree.clone(), String::new()),
                _ => (present.old_tree.clone(), present.new_tree.clone()),
            };
            let now = Binding {
                plan: to_hex(&work.plan().hash),
                options: to_hex(&check.hash),
                old_tree,
                new_tree,
                inputs: inputs_hash(work, check)?,
                tool: TOOL.to_owned(),
            };
            let what = format!("the report of the check `{}` at {at}", check.name);
            look_at_report(work, &fact.evidence, &what, gate)?;
            let changed = changed_since(&fact.binding, &now);
            if !changed.is_empty() {
                gate.close(
                    Verdict::No,
                    format!(
                        "the evidence of the check `{}` at {at} is void, because since then {} changed",
                        check.name,
                        changed.join(", ")
                    ),
                    looks_again(check, &at),
                );
            }
        }
    }
    Ok(())
}

/// Nothing goes in on a report that is gone, or was changed since it was written. A disk that fails is an error, and no answer.
fn look_at_report(work: &Work<'_>, hash: &str, what: &str, gate: &mut Gate) -> Result<(), StepError> {
    const AGAIN: &str = "`switchback run --restage` builds, checks and rehearses it anew";
    if hash.is_empty() {
        return Ok(());
    }
    let (disk, path) = (work.world().disk.as_ref(), work.evidence.path(hash));
    let why = match disk.look(&path)? {
        None => format!("the evidence `{}` is gone", path.display()),
        Some(_) => match work.evidence.get(disk, hash) {
            Ok(_) => return Ok(()),
            Err(EvidenceError::Disk(error)) => return Err(error.into()),
            Err(error) => error.to_string(),
        },
    };
    gate.close(Verdict::Unknown, format!("{what} cannot be used: {why}"), AGAIN);
    Ok(())
}

/// The undo must have been proved, about exactly what goes in.
fn look_at_rehearsal(
    work: &Work<'_>,
    history: &PhaseHistory,
    present: &Present,
    gate: &mut Gate,
) -> Result<(), StepError> {
    const AGAIN: &str = "`switchback run --until rehearsed` rehearses it";
    let Some(fact) = &history.rehearsal else {
        gate.close(Verdict::Unknown, "the candidate was not rehearsed", AGAIN);
        return Ok(());
    };
    let now = Binding {
        plan: to_hex(&work.plan().hash),
        old_tree: present.old_tree.clone(),
        new_tree: present.new_tree.clone(),
        tool: TOOL.to_owned(),
        ..Binding::default()
    };
    look_at_report(work, &fact.evidence, "the report of the rehearsal", gate)?;
    let changed = changed_since(&fact.binding, &now);
    if !changed.is_empty() {
        let reason = format!("the rehearsal is void, because since then {} changed", changed.join(", "));
        gate.close(Verdict::No, reason, AGAIN);
    }
    match fact.verdict {
        Verdict::Yes => {}
        Verdict::No => gate.close(
            Verdict::No,
            format!("the rehearsal refuses it: {}", fact.summary),
            "correct the candidate or the plan, then `switchback run --restage`",
        ),
        Verdict::Unknown => {
            gate.close(Verdict::Unknown, format!("the rehearsal could not tell: {}", fact.summary), AGAIN);
        }
    }
    Ok(())
}

/// What is different between what evidence was about and what is there now, by name.
pub fn changed_since(then: &Binding, now: &Binding) -> Vec<&'static str> {
    let Binding { plan, options, old_tree, new_tree, inputs, tool } = then;
    let parts = [
        (plan == &now.plan, "the plan"),
        (options == &now.options, "the check's options"),
        (old_tree == &now.old_tree, "the live tree"),
        (new_tree == &now.new_tree, "the candidate"),
        (inputs == &now.inputs, "the inputs"),
        (tool == &now.tool, "the version of Switchback"),
    ];
    parts.into_iter().filter(|(is_same, _)| !is_same).map(|(_, name)| name).collect()
}

fn look_at_approvals(
    work: &Work<'_>,
    phase: &Phase,
    history: &PhaseHistory,
    present: &Present,
    gate: &mut Gate,
) {
    let now = Binding {
        plan: to_hex(&work.plan().hash),
        old_tree: present.old_tree.clone(),
        new_tree: present.new_tree.clone(),
        inputs: inputs_relied_on(work.plan(), phase, history),
        tool: TOOL.to_owned(),
        ..Binding::default()
    };
    for role in tally(&Judge::of(&work.project), phase, history, &now).iter().filter(|role| !role.is_met()) {
        let is_signed = work.plan().is_keyed(&role.role);
        let key = if is_signed { " --key FILE" } else { "" };
        gate.close(
            Verdict::No,
            role.reason(),
            format!("`switchback approve {} --role {}{key}`", quoted(&phase.name), quoted(&role.role)),
        );
    }
}

/// A cutover happens in the window of the plan, where it has one.
fn look_at_window(work: &Work<'_>, gate: &mut Gate) {
    let Some(opening) = &work.plan().window.opening else { return };
    if let WindowStanding::Closed(next) = opening.standing(work.world().clock.now()) {
        let reason = format!("outside the window: a cutover may happen {}", opening.words());
        match next {
            Some(next) => gate.close(
                Verdict::No,
                format!("{reason}; it opens at {}", opening.shown(next)),
                "`switchback run` goes on once it is open",
            ),
            None => gate.close(
                Verdict::No,
                format!("{reason}; it is over, and does not open again"),
                "name another time in `[window]`; evidence and approvals are about the plan, so they are made anew",
            ),
        }
    }
}

/// A name as it is typed into a shell.
pub(super) fn quoted(name: &str) -> String {
    if name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)) {
        name.to_owned()
    } else {
        format!("'{}'", name.replace('\'', r"'\''"))
    }
}

/// The moments before a cutover, in order.
const BEFORE_CUT_OVER: [Moment; 3] = [Moment::Before, Moment::Staged, Moment::Rehearsed];

/// What an approval relies on: the inputs that the checks before the cutover read last, whoever looked last. Empty when
/// no check has any.
pub fn inputs_relied_on(plan: &Plan, phase: &Phase, history: &PhaseHistory) -> String {
    let mut hasher = blake3::Hasher::new();
    let mut is_any = false;
    for moment in [Moment::Before, Moment::Staged] {
        for check in plan.checks_at(&phase.name, moment) {
            let fact = history.last_check(&check.name, &moment.to_string());
            if let Some(fact) = fact.filter(|fact| !fact.binding.inputs.is_empty()) {
                hasher.update(format!("{moment} {:?} {}\n", check.name, fact.binding.inputs).as_bytes());
                is_any = true;
            }
        }
    }
    if is_any { to_hex(hasher.finalize().as_bytes()) } else { String::new() }
}
