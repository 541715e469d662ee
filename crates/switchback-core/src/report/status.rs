//! Where a run stands, as facts: derived from the history and the plan, nothing is looked at again.

use std::time::Duration;

use crate::journal::history::{CheckFact, PhaseHistory, RehearsalFact, StagedFact};
use crate::journal::{Binding, EnvironmentFact, History, PhaseState};
use crate::manifest::to_hex;
use crate::phase::approval::{Judge, RoleTally, tally};
use crate::phase::evidence::EvidenceStore;
use crate::phase::gate::inputs_relied_on;
use crate::phase::look::void_since;
use crate::phase::touched::{Touched, touched};
use crate::phase::unknown_live::{UnknownLive, unknown_live};
use crate::phase::watch::{due, next_number};
use crate::phase::{Project, TOOL};
use crate::plan::{CheckPlan, CriterionPoint, Every, Moment, Phase, Plan, WindowStanding};
use crate::verdict::Verdict;

use super::anchor_status::{AnchorStatus, anchors};
use super::database_status::{DatabaseStatus, databases};
use super::process_status::{ProcessStatus, processes};
use super::shadow_status::{ShadowStatus, shadows};
use super::trigger_status::{TriggerStatus, triggers};
use crate::phase::criteria::{CriterionStanding, standing};

/// What a run waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WaitsFor {
    /// An approval.
    Approval {
        /// In this role.
        role: String,
        /// How many are missing.
        missing: u64,
        /// Why what was said does not do.
        why: Vec<String>,
    },
    /// A check that is not a yes.
    Check {
        /// Its name.
        name: String,
        /// When it looks.
        at: String,
    },
    /// The rehearsal of the candidate, which did not say yes.
    Rehearsal,
    /// Somebody's word on a criterion of the plan.
    Criterion {
        /// The criterion.
        name: String,
        /// In this role.
        role: String,
    },
    /// A shadow that is not over, or does not say yes.
    Shadow {
        /// Its name.
        name: String,
        /// When its period is over, RFC 3339; empty when it has none, or has not begun.
        until: String,
    },
    /// A delay.
    Watch {
        /// The delay, as in the plan.
        at: String,
        /// When it is due, RFC 3339.
        due: String,
    },
    /// The window, in which cutovers happen.
    Window {
        /// When it opens, RFC 3339; `None`: never again.
        opens: Option<String>,
    },
    /// A plan that can be used: without one nobody can say what else.
    Plan,
    /// A person: `switchback run`.
    Run,
}

/// Where one phase stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhaseStatus {
    /// Its name.
    pub name: String,
    /// The point that it has reached.
    pub point: String,
    /// *yes*: it is over; *no*: something refuses it; else *unknown*.
    pub verdict: Verdict,
}

/// One thing that must hold, and what says whether it does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Criterion {
    /// What must hold.
    pub name: String,
    /// Whether it does.
    pub verdict: Verdict,
    /// Who or what says so.
    pub by: String,
    /// Whether nobody has said so yet: *unknown* because it was not looked at, not because it could not be told.
    pub is_open: bool,
}

/// Where everything stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Status {
    /// The project's name.
    pub project: String,
    /// The run, if there is one.
    pub run: Option<String>,
    /// The phase that is worked on; the last one when all are over.
    pub phase: Option<String>,
    /// The point that it has reached.
    pub point: String,
    /// The verdict of the whole.
    pub verdict: Verdict,
    /// What it waits for.
    pub waits_for: Vec<WaitsFor>,
    /// The live generation.
    pub generation: u64,
    /// Every phase.
    pub phases: Vec<PhaseStatus>,
    /// The last outcome of each check at each moment of the phase.
    pub checks: Vec<CheckFact>,
    /// What must hold for the phase.
    pub criteria: Vec<Criterion>,
    /// What was said in each role that the phase asks for, about the candidate that is staged.
    pub approvals: Vec<RoleTally>,
    /// The criteria of the plan, by point.
    pub checklist: Vec<CriterionStanding>,
    /// What became of the dependency environments when its candidate was staged.
    pub environments: Vec<EnvironmentFact>,
    /// The processes that run the tree, as far as the plan and the journal tell of them.
    pub processes: Vec<ProcessStatus>,
    /// The shadows of the phase.
    pub shadows: Vec<ShadowStatus>,
    /// The triggers of the phase.
    pub triggers: Vec<TriggerStatus>,
    /// The databases whose schema goes with a phase, as far as the journal tells of them.
    pub databases: Vec<DatabaseStatus>,
    /// The places that keep the head of the journal.
    pub anchors: Vec<AnchorStatus>,
    /// The generation that a rollback leads to, and by which mechanism; `None` when there is nothing to roll back.
    pub rollback: Option<(u64, String)>,
    /// What is live and told by no event any more, the last one first.
    pub unknown_live: Vec<UnknownLive>,
    /// Why the last step failed, until a later one succeeds: step and reason.
    pub failed: Option<(String, String)>,
}

/// The criterion that both trees are still what the evidence is about.
pub(super) const AS_STAGED: &str = "both trees are as they were staged";
/// `status` answers at once: larger trees are left to the next run.
const QUICK_LOOK: Duration = Duration::from_millis(5);

/// Derives the status.
pub fn status(project: &Project, history: &History) -> Status {
    let (plan, judge) = (&project.plan, &Judge::of(project));
    let phases: Vec<PhaseStatus> =
        plan.phases.iter().map(|phase| phase_status(judge, phase, history)).collect();
    let at = plan
        .phases
        .iter()
        .position(|phase| history.phase(&phase.name).is_none_or(|phase| phase.state != PhaseState::Finished));
    let phase = plan.phases.get(at.unwrap_or(plan.phases.len().saturating_sub(1)));
    let phase_history = phase.and_then(|phase| history.phase(&phase.name));
    let rollback = history.last_live().and_then(|live| {
        let mechanism = live.staged.as_ref().map(|staged| staged.mechanism.clone())?;
        Some((history.generation_before()?, mechanism))
    });
    let status = Status {
        project: plan.project.name.clone(),
        run: history.run.clone(),
        phase: phase.map(|phase| phase.name.clone()),
        point: phase
            .and_then(|p| phases.iter().find(|s| s.name == p.name))
            .map_or_else(String::new, |s| s.point.clone()),
        verdict: Verdict::all(phases.iter().map(|phase| phase.verdict)),
        waits_for: phase.map_or_else(Vec::new, |phase| waits_for(judge, phase, phase_history)),
        generation: history.generation,
        checks: phase_history
            .map_or_else(Vec::new, |history| last_outcomes(history).into_iter().cloned().collect()),
        criteria: phase.map_or_else(Vec::new, |phase| criteria(judge, phase, phase_history)),
        checklist: phase.map_or_else(Vec::new, |phase| standing(judge, phase, phase_history)),
        approvals: phase
            .zip(phase_history)
            .filter(|(_, history)| history.state == PhaseState::Staged && plan.fault.is_none())
            .map_or_else(Vec::new, |(phase, history)| approvals(judge, phase, history)),
        environments: phase_history
            .and_then(|history| history.staged.as_ref())
            .map_or_else(Vec::new, |staged| staged.environments.clone()),
        processes: processes(plan, history),
        databases: databases(history),
        anchors: anchors(plan, history),
        shadows: phase.map_or_else(Vec::new, |phase| shadows(plan, phase, phase_history)),
        triggers: phase.map_or_else(Vec::new, |phase| triggers(plan, phase, phase_history)),
        phases,
        rollback,
        failed: phase_history.and_then(|history| history.failed.clone()),
        // Records that cannot be read are told of by whoever works.
        unknown_live: unknown_live(project, history).unwrap_or_default(),
    };
    status.with_unknown_live(history.generation)
}

/// Whether both trees of a staged phase are as they were when it was staged; nothing when it is not staged.
pub(super) fn as_staged(
    project: &Project,
    evidence: &EvidenceStore,
    history: Option<&PhaseHistory>,
    within: Option<Duration>,
) -> Option<(Criterion, Touched)> {
    let history = history.filter(|history| history.state == PhaseState::Staged)?;
    let found = touched(project, evidence, history.staged.as_ref()?, within);
    let why = match &found {
        Ok(found) => found.words().map(str::to_owned),
        Err(error) => Some(format!("they could not be looked at: {error}")),
    };
    let criterion = Criterion {
        name: AS_STAGED.to_owned(),
        verdict: if why.is_none() { Verdict::Yes } else { Verdict::Unknown },
        by: why.unwrap_or_else(|| "a look at both".to_owned()),
        is_open: false,
    };
    Some((criterion, found.unwrap_or_default()))
}

impl Status {
    /// Nothing goes on while something is live that no event tells of.
    fn with_unknown_live(mut self, known: u64) -> Self {
        if let Some(live) = self.unknown_live.first() {
            let before = self.unknown_live.get(1).map_or(known, |live| live.generation);
            self.verdict = Verdict::No;
            self.generation = live.generation;
            self.rollback = Some((before, "as its transaction says".to_owned()));
            self.failed = Some(("journal".to_owned(), live.words()));
            self.waits_for.clear();
        }
        self
    }

    /// Adds what a quick look at the trees of the phase says that is worked on.
    #[must_use]
    pub fn with_trees(mut self, project: &Project, history: &History) -> Self {
        let evidence = EvidenceStore::new(project.state());
        let phase = self.phase.as_deref().and_then(|phase| history.phase(phase));
        if let Some((criterion, touched)) = as_staged(project, &evidence, phase, Some(QUICK_LOOK)) {
            if touched.live || touched.candidate {
                self.doubt_approvals(&criterion.by);
            }
            self.criteria.push(criterion);
        }
        self
    }

    /// What was approved was touched since. Whether it is still the same, the next run finds out.
    fn doubt_approvals(&mut self, why: &str) {
        for tally in self.approvals.iter().filter(|tally| tally.is_met()) {
            let name = approved_by(&tally.role);
            for criterion in self.criteria.iter_mut().filter(|criterion| criterion.name == name) {
                (criterion.verdict, criterion.is_open) = (Verdict::Unknown, false);
            }
            let why = vec![format!("{why}; `switchback run` says whether its approvals still count")];
            self.waits_for.retain(|waits| !matches!(waits, WaitsFor::Run | WaitsFor::Window { .. }));
            let role = tally.role.clone();
            self.waits_for.push(WaitsFor::Approval { role, missing: tally.needed, why });
        }
    }
}

pub(super) fn phase_status(judge: &Judge<'_>, phase: &Phase, history: &History) -> PhaseStatus {
    let plan = judge.plan;
    let Some(found) = history.phase(&phase.name) else {
        return PhaseStatus {
            name: phase.name.clone(),
            point: "waiting".to_owned(),
            verdict: Verdict::Unknown,
        };
    };
    let is_approved = is_rehearsed(plan, found)
        && waits_for(judge, phase, Some(found))
            .iter()
            .all(|waits| matches!(waits, WaitsFor::Run | WaitsFor::Window { .. }));
    let point = match found.state {
        PhaseState::Staged if is_approved => "approved",
        PhaseState::Staged if is_rehearsed(plan, found) => "rehearsed",
        state => state.word(),
    };
    let refused = last_outcomes(found).iter().any(|fact| fact.verdict == Verdict::No && fact.at != "before")
        || found.rehearsal.as_ref().is_some_and(|fact| fact.verdict == Verdict::No)
        || shadows(plan, phase, Some(found)).iter().any(|shadow| shadow.verdict == Verdict::No)
        || approvals(judge, phase, found).iter().any(RoleTally::is_refused)
        || standing(judge, phase, Some(found)).iter().any(|one| one.required && one.verdict == Verdict::No);
    let verdict = match found.state {
        PhaseState::Finished => Verdict::Yes,
        PhaseState::RolledBack => Verdict::No,
        _ if refused => Verdict::No,
        _ => Verdict::Unknown,
    };
    PhaseStatus { name: phase.name.clone(), point: point.to_owned(), verdict }
}

/// Whether the undo of what is staged was proved under the plan as it is now.
fn is_rehearsed(plan: &Plan, history: &PhaseHistory) -> bool {
    let holds = |fact: &RehearsalFact| {
        fact.verdict == Verdict::Yes && fact.binding.plan == to_hex(&plan.hash) && fact.binding.tool == TOOL
    };
    history.rehearsal.as_ref().is_some_and(holds)
}

/// What was said in each role about the present candidate, held against what is there as far as journal and plan tell it.
pub(super) fn approvals(judge: &Judge<'_>, phase: &Phase, history: &PhaseHistory) -> Vec<RoleTally> {
    let Some(staged) = &history.staged else { return Vec::new() };
    tally(judge, phase, history, &present(judge.plan, phase, history, staged))
}

/// Whether an outcome is about the plan as it is now: before the cutover no other counts.
pub(super) fn is_about(plan: &Plan, check: &CheckPlan, fact: &CheckFact) -> bool {
    fact.binding.plan == to_hex(&plan.hash) && fact.binding.options == to_hex(&check.hash)
}

/// The last outcome of each check at each moment, in the order in which they first looked.
pub(crate) fn last_outcomes(history: &PhaseHistory) -> Vec<&CheckFact> {
    let mut last: Vec<&CheckFact> = Vec::new();
    for fact in &history.checks {
        match last.iter_mut().find(|known| known.check == fact.check && known.at == fact.at) {
            Some(known) => *known = fact,
            None => last.push(fact),
        }
    }
    last
}

pub(super) fn waits_for(judge: &Judge<'_>, phase: &Phase, history: Option<&PhaseHistory>) -> Vec<WaitsFor> {
    let plan = judge.plan;
    if plan.fault.is_some() {
        let is_over = history.is_some_and(|history| history.state == PhaseState::Finished);
        return if is_over { Vec::new() } else { vec![WaitsFor::Plan] };
    }
    let Some(history) = history else { return vec![WaitsFor::Run] };
    let mut waits = Vec::new();
    let moments: Vec<Moment> = match history.state {
        PhaseState::Staged | PhaseState::CuttingOver => {
            let mut moments = vec![Moment::Before, Moment::Staged];
            // Until there was a rehearsal, `run` carries it out, with its checks.
            moments.extend(history.rehearsal.as_ref().map(|_| Moment::Rehearsed));
            moments
        }
        PhaseState::Live => vec![Moment::Live],
        // What was seen may be void by now.
        PhaseState::Watched => {
            [vec![Moment::Live], plan.watch_moments(&phase.name).into_iter().collect()].concat()
        }
        _ => Vec::new(),
    };
    for moment in moments {
        let at = moment.to_string();
        for check in plan.checks_at(&phase.name, moment) {
            let fact = history.last_check(&check.name, &at);
            let fact = fact.filter(|fact| match moment {
                Moment::Live | Moment::After(_) => void_since(history, check, fact).is_none(),
                _ => is_about(plan, check, fact),
            });
            let verdict = fact.map(|fact| fact.verdict);
            let holds =
                verdict == Some(Verdict::Yes) || (moment == Moment::Before && verdict == Some(Verdict::No));
            if !holds {
                waits.push(WaitsFor::Check { name: check.name.clone(), at: at.clone() });
            }
        }
    }
    waits.extend(last_times_void(plan, phase, history));
    if history.state == PhaseState::Staged
        && history.rehearsal.as_ref().is_some_and(|fact| fact.verdict != Verdict::Yes)
    {
        waits.push(WaitsFor::Rehearsal);
    }
    // Until there was a rehearsal, `run` begins them.
    if history.state == PhaseState::Staged && history.rehearsal.is_some() {
        let open = shadows(plan, phase, Some(history)).into_iter();
        let open = open.filter(|shadow| shadow.state != "over" || shadow.verdict != Verdict::Yes);
        waits.extend(open.map(|shadow| WaitsFor::Shadow { name: shadow.name, until: shadow.until }));
    }
    if history.state == PhaseState::Staged {
        let open = approvals(judge, phase, history).into_iter().filter(|tally| !tally.is_met());
        waits.extend(open.map(|tally| WaitsFor::Approval {
            missing: tally.missing(),
            why: tally.problems(),
            role: tally.role,
        }));
        let is_next = waits.is_empty() && is_rehearsed(plan, history);
        let opening = plan.window.opening.as_ref().filter(|_| is_next);
        if let Some(opening) = opening
            && let WindowStanding::Closed(next) = opening.standing(judge.now)
        {
            waits.push(WaitsFor::Window { opens: next.map(|next| opening.shown(next)) });
        }
    }
    waits.extend(words_missing(judge, phase, history));
    waits.extend(next_look(plan, phase, history));
    if waits.is_empty() && history.state != PhaseState::Finished {
        waits.push(WaitsFor::Run);
    }
    waits
}

/// The checks that are repeated whose last time is void, once the watch is over.
fn last_times_void(plan: &Plan, phase: &Phase, history: &PhaseHistory) -> Vec<WaitsFor> {
    let void = |(check, every): (&CheckPlan, Every)| {
        let at = every.moment(every.times()).to_string();
        void_since(history, check, history.last_check(&check.name, &at)?)?;
        Some(WaitsFor::Check { name: check.name.clone(), at })
    };
    let is_over = history.state == PhaseState::Watched;
    plan.repeated_checks(&phase.name).filter(|_| is_over).filter_map(void).collect()
}

/// The next look of the watch, if there is one.
fn next_look(plan: &Plan, phase: &Phase, history: &PhaseHistory) -> Option<WaitsFor> {
    let since = history.live_since.as_ref().filter(|_| history.state == PhaseState::Live)?;
    let next = plan.watch_moments(&phase.name).into_iter().find(|moment| {
        let at = moment.to_string();
        plan.checks_at(&phase.name, *moment).any(|check| history.last_check(&check.name, &at).is_none())
    });
    let repeated = plan.repeated_checks(&phase.name).filter_map(|(check, every)| {
        let (number, _) = next_number(every, &check.name, &history.checks, 0)?;
        Some(every.moment(number))
    });
    let moment = next.into_iter().chain(repeated).min()?;
    Some(WaitsFor::Watch { at: moment.to_string(), due: due(since, moment)?.to_string() })
}

/// How a check that is repeated stands: as its last look says, and open until it is at its end.
fn repeated(check: &CheckPlan, every: Every, history: Option<&PhaseHistory>) -> Criterion {
    let facts = history.map_or(&[][..], |history| history.checks.as_slice());
    let is_time = |fact: &&CheckFact| {
        fact.check == check.name
            && Moment::parse(&fact.at).is_some_and(|moment| every.number(moment).is_some())
    };
    let counts = |fact: &&CheckFact| history.is_none_or(|history| void_since(history, check, fact).is_none());
    let last = facts.iter().rev().find(is_time).filter(counts);
    let is_open = last.is_none() || next_number(every, &check.name, facts, 0).is_some();
    let verdict = match last {
        Some(fact) if fact.verdict == Verdict::No || !is_open => fact.verdict,
        _ => Verdict::Unknown,
    };
    Criterion {
        name: format!("{} {every}", check.name),
        verdict,
        by: format!("check {}", check.name),
        is_open,
    }
}

/// The required criteria that only a person can tell, as far as it is their time.
fn words_missing(judge: &Judge<'_>, phase: &Phase, history: &PhaseHistory) -> Vec<WaitsFor> {
    let is_time = |one: &CriterionStanding| match history.state {
        PhaseState::Staged => one.at == CriterionPoint::CutOver,
        PhaseState::Watched => one.at != CriterionPoint::CutOver,
        _ => false,
    };
    let open = standing(judge, phase, Some(history)).into_iter().filter(|one| one.required && is_time(one));
    open.filter_map(|one| Some(WaitsFor::Criterion { name: one.name, role: one.waits_for? })).collect()
}

/// What an approval must be about, as far as the journal and the plan tell it.
pub(super) fn present(plan: &Plan, phase: &Phase, history: &PhaseHistory, staged: &StagedFact) -> Binding {
    Binding {
        plan: to_hex(&plan.hash),
        old_tree: staged.old_tree.clone(),
        new_tree: staged.new_tree.clone(),
        inputs: inputs_relied_on(plan, phase, history),
        tool: TOOL.to_owned(),
        ..Binding::default()
    }
}

pub(super) fn criteria(judge: &Judge<'_>, phase: &Phase, history: Option<&PhaseHistory>) -> Vec<Criterion> {
    let plan = judge.plan;
    let mut criteria = Vec::new();
    let snapshot = history.and_then(|history| history.snapshot.as_ref());
    criteria.push(Criterion {
        name: "a verified snapshot exists".to_owned(),
        verdict: if snapshot.is_some() { Verdict::Yes } else { Verdict::Unknown },
        by: snapshot.map_or_else(|| "snapshot".to_owned(), |fact| format!("snapshot {}", fact.id)),
        is_open: snapshot.is_none(),
    });
    for check in plan.checks.iter().filter(|check| check.is_for(&phase.name)) {
        for moment in check.at.iter().filter(|moment| **moment != Moment::Before) {
            let at = moment.to_string();
            let fact = history.and_then(|history| history.last_check(&check.name, &at));
            let is_back = history.is_some_and(|history| history.state == PhaseState::RolledBack);
            if *moment == Moment::RolledBack && fact.is_none() && !is_back {
                // Nothing was rolled back: there is nothing to see.
                continue;
            }
            let is_staged = history.is_some_and(|history| history.state == PhaseState::Staged);
            // Evidence about another plan is void: the check has to look again.
            let fact = fact.filter(|fact| !is_staged || is_about(plan, check, fact));
            let fact =
                fact.filter(|fact| history.is_none_or(|history| void_since(history, check, fact).is_none()));
            criteria.push(Criterion {
                name: format!("{} at {at}", check.name),
                verdict: fact.map_or(Verdict::Unknown, |fact| fact.verdict),
                by: format!("check {}", check.name),
                is_open: fact.is_none(),
            });
        }
        criteria.extend(check.every.map(|every| repeated(check, every, history)));
    }
    if plan.fault.is_some() {
        criteria.extend(history.into_iter().flat_map(looked_at));
    }
    criteria.push(rehearsal(plan, history));
    criteria.extend(shadows(plan, phase, history).into_iter().map(|shadow| Criterion {
        is_open: shadow.is_open(),
        name: format!("shadow {}: {}", shadow.name, shadow.summary),
        verdict: shadow.verdict,
        by: format!("shadow {}", shadow.name),
    }));
    let tallies = history.map_or_else(Vec::new, |history| approvals(judge, phase, history));
    criteria.extend(phase.approve.roles.iter().map(|role| approval(plan, phase, role, history, &tallies)));
    criteria
}

/// What the checks said, where no plan says which there are. Whether it counts for a candidate that is not live yet cannot
/// be told then.
fn looked_at(history: &PhaseHistory) -> Vec<Criterion> {
    let is_staged = history.state == PhaseState::Staged;
    let outcomes = last_outcomes(history).into_iter().filter(|fact| fact.at != "before");
    let criterion = |fact: &CheckFact| Criterion {
        name: format!("{} at {}", fact.check, fact.at),
        verdict: if is_staged { Verdict::Unknown } else { fact.verdict },
        by: format!("check {}", fact.check),
        is_open: false,
    };
    outcomes.map(criterion).collect()
}

/// Whether the undo was proved; what went live went live on that proof.
fn rehearsal(plan: &Plan, history: Option<&PhaseHistory>) -> Criterion {
    let fact = history.and_then(|history| {
        let is_current = history.state != PhaseState::Staged || is_about_plan(plan, history);
        history.rehearsal.as_ref().filter(|_| is_current)
    });
    Criterion {
        name: "rehearsed in and out again".to_owned(),
        verdict: fact.map_or(Verdict::Unknown, |fact| fact.verdict),
        by: "rehearsal".to_owned(),
        is_open: fact.is_none()
            && (plan.fault.is_none() || history.is_none_or(|history| history.rehearsal.is_none())),
    }
}

pub(super) fn is_about_plan(plan: &Plan, history: &PhaseHistory) -> bool {
    history.rehearsal.as_ref().is_some_and(|fact| fact.binding.plan == to_hex(&plan.hash))
}

/// Whether a role has approved what is staged, or had approved what went live.
fn approval(
    plan: &Plan,
    phase: &Phase,
    role: &str,
    history: Option<&PhaseHistory>,
    tallies: &[RoleTally],
) -> Criterion {
    let tally = tallies.iter().find(|tally| tally.role == role);
    let is_refused = tally.is_some_and(RoleTally::is_refused);
    let is_staged = history.is_some_and(|history| history.state == PhaseState::Staged);
    let is_missing = match tally {
        Some(tally) if is_staged => !tally.is_met(),
        // What counted at the cutover is not judged by what is there now.
        Some(tally) => (tally.said() as u64) < phase.approve.needed(role),
        None => true,
    };
    let verdict = match (is_refused, is_missing) {
        (true, _) => Verdict::No,
        (false, true) => Verdict::Unknown,
        (false, false) => Verdict::Yes,
    };
    let (name, by) = (approved_by(role), format!("approval {role}"));
    Criterion { name, verdict, by, is_open: verdict == Verdict::Unknown && plan.fault.is_none() }
}

fn approved_by(role: &str) -> String {
    format!("approved by {role}")
}
