//! The criteria of a plan, computed: from checks, approvals and triggers, and from what persons say who alone can know (RE-19, PC-1).

use super::approval::{Judge, tally};
use super::error::StepError;
use super::gate::{self, Gate};
use super::project::{TOOL, Work};
use super::watch;
use crate::journal::history::{CheckFact, CriterionWord, FiredFact, PhaseHistory};
use crate::journal::{Binding, Event, PhaseState};
use crate::manifest::to_hex;
use crate::plan::{CriterionPlan, CriterionPoint, Moment, Phase, Plan};
use crate::verdict::Verdict;

/// Whether one criterion holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CriterionStanding {
    /// What must be true.
    pub name: String,
    /// The point that it belongs to, as in the plan.
    pub at: CriterionPoint,
    /// Whether it is.
    pub verdict: Verdict,
    /// Who or what says so.
    pub by: String,
    /// Whether nobody has said so yet.
    pub is_open: bool,
    /// Whether the cutover, or the end of the phase, waits for it.
    pub required: bool,
    /// The role whose word is still missing.
    pub waits_for: Option<String>,
}

/// What one part of a criterion says: its verdict, whether it is only not said yet, and by whom.
struct Part {
    verdict: Verdict,
    is_open: bool,
    by: String,
}

/// Where the criteria of a phase stand, by point.
pub fn standing(judge: &Judge<'_>, phase: &Phase, history: Option<&PhaseHistory>) -> Vec<CriterionStanding> {
    let criteria = judge.plan.criteria_of(&phase.name).into_iter();
    criteria.map(|criterion| one(judge, phase, history, criterion)).collect()
}

fn one(
    judge: &Judge<'_>,
    phase: &Phase,
    history: Option<&PhaseHistory>,
    criterion: &CriterionPlan,
) -> CriterionStanding {
    let plan = judge.plan;
    let mut parts: Vec<Part> =
        criterion.checks.iter().map(|name| of_check(plan, history, criterion, name)).collect();
    if let Some(role) = &criterion.approved {
        parts.push(of_approval(judge, phase, history, role));
    }
    if criterion.no_trigger {
        parts.push(of_triggers(history, criterion));
    }
    let mut waits_for = None;
    if let Some(role) = &criterion.signed {
        let part = of_words(plan, history, criterion, role);
        if part.is_open {
            waits_for = Some(role.clone());
        }
        parts.push(part);
    }
    let verdict = Verdict::all(parts.iter().map(|part| part.verdict));
    CriterionStanding {
        name: criterion.name.clone(),
        at: criterion.at,
        verdict,
        is_open: verdict == Verdict::Unknown
            && parts.iter().all(|part| part.verdict == Verdict::Yes || part.is_open),
        by: parts.into_iter().map(|part| part.by).collect::<Vec<_>>().join(", "),
        required: criterion.required,
        waits_for,
    }
}

/// What a check said at every moment that counts at the point.
fn of_check(plan: &Plan, history: Option<&PhaseHistory>, criterion: &CriterionPlan, name: &str) -> Part {
    let by = format!("check {name}");
    let Some(check) = plan.checks.iter().find(|check| check.name == name) else {
        return Part { verdict: Verdict::Unknown, is_open: false, by };
    };
    let is_staged = history.is_some_and(|history| history.state == PhaseState::Staged);
    // Evidence about another plan is void before the cutover: the check has to look again.
    let counts = |fact: &&CheckFact| {
        let binding = &fact.binding;
        !is_staged || (binding.plan == to_hex(&plan.hash) && binding.options == to_hex(&check.hash))
    };
    let facts: Vec<Option<&CheckFact>> = check
        .at
        .iter()
        .filter(|moment| criterion.at.counts(**moment))
        .map(|moment| {
            history.and_then(|history| history.last_check(name, &moment.to_string())).filter(counts)
        })
        .collect();
    Part {
        verdict: Verdict::all(facts.iter().map(|fact| fact.map_or(Verdict::Unknown, |fact| fact.verdict))),
        is_open: facts.iter().any(Option::is_none),
        by,
    }
}

/// Whether a role has approved what is staged, or had approved what went live.
fn of_approval(judge: &Judge<'_>, phase: &Phase, history: Option<&PhaseHistory>, role: &str) -> Part {
    let verdict = match history.and_then(|history| Some((history, history.staged.as_ref()?))) {
        Some((history, staged)) if history.state == PhaseState::Staged => {
            let now = Binding {
                inputs: gate::inputs_relied_on(judge.plan, phase, history),
                ..binding(judge.plan, &staged.old_tree, &staged.new_tree)
            };
            let tallies = tally(judge, phase, history, &now);
            match tallies.iter().find(|tally| tally.role == role) {
                Some(tally) if tally.is_refused() => Verdict::No,
                Some(tally) if tally.is_met() => Verdict::Yes,
                _ => Verdict::Unknown,
            }
        }
        // What counted at the cutover is not judged by keys and evidence of another day.
        Some((history, _)) => went_live_with(phase, history, role),
        None => Verdict::Unknown,
    };
    Part { verdict, is_open: verdict == Verdict::Unknown, by: format!("approval {role}") }
}

/// Whether as many approved in the role as it takes, each of them once.
fn went_live_with(phase: &Phase, history: &PhaseHistory, role: &str) -> Verdict {
    let mut who: Vec<&str> = Vec::new();
    for said in history.sign_offs.iter().filter(|said| said.role == role && said.binding.is_some()) {
        let name = if said.person.is_empty() { said.actor.as_str() } else { said.person.as_str() };
        if !who.contains(&name) {
            who.push(name);
        }
    }
    if (who.len() as u64) < phase.approve.needed(role) { Verdict::Unknown } else { Verdict::Yes }
}

/// Whether any trigger has fired. That none did is known once every check of the point has looked.
fn of_triggers(history: Option<&PhaseHistory>, criterion: &CriterionPlan) -> Part {
    let by = "triggers".to_owned();
    let Some(history) = history.filter(|history| history.state.is_live()) else {
        return Part { verdict: Verdict::Unknown, is_open: true, by };
    };
    if let Some(FiredFact { check, action, .. }) = history.fired.first() {
        return Part { verdict: Verdict::No, is_open: false, by: format!("trigger on {check} ({action})") };
    }
    let is_over = match criterion.at {
        CriterionPoint::Finish => history.state != PhaseState::Live,
        CriterionPoint::CutOver | CriterionPoint::Live => !history.checks.is_empty(),
        // Whoever looked at the delay, or after it, has looked at the triggers too.
        CriterionPoint::After(delay_s) => {
            history.state != PhaseState::Live
                || history.checks.iter().any(|fact| {
                    Moment::parse(&fact.at).and_then(Moment::delay_s).is_some_and(|at| at >= delay_s)
                })
        }
    };
    let verdict = if is_over { Verdict::Yes } else { Verdict::Unknown };
    Part { verdict, is_open: !is_over, by }
}

/// What the persons of a role said last about a criterion.
fn of_words(plan: &Plan, history: Option<&PhaseHistory>, criterion: &CriterionPlan, role: &str) -> Part {
    let mut last: Vec<&CriterionWord> = Vec::new();
    for word in history.iter().flat_map(|history| &history.criterion_words) {
        if word.criterion == criterion.name && word.role == role && is_about(plan, history, criterion, word) {
            last.retain(|earlier| earlier.actor != word.actor);
            last.push(word);
        }
    }
    if let Some(refusal) = last.iter().find(|word| !word.holds) {
        let by = format!("{} in the role {role}: {}", refusal.actor, refusal.why);
        return Part { verdict: Verdict::No, is_open: false, by };
    }
    match last.last() {
        Some(word) => {
            Part { verdict: Verdict::Yes, is_open: false, by: format!("{} in the role {role}", word.actor) }
        }
        None => Part { verdict: Verdict::Unknown, is_open: true, by: format!("role {role}") },
    }
}

/// Whether somebody's word is about the criterion and the candidate as they are now.
fn is_about(
    plan: &Plan,
    history: Option<&PhaseHistory>,
    criterion: &CriterionPlan,
    word: &CriterionWord,
) -> bool {
    let Some((history, staged)) = history.and_then(|history| Some((history, history.staged.as_ref()?)))
    else {
        return false;
    };
    if word.transaction != staged.transaction || word.binding.options != to_hex(&criterion.hash) {
        return false;
    }
    // What counted at the cutover is not judged by a plan that was edited since.
    let now = Binding {
        options: word.binding.options.clone(),
        ..binding(plan, &staged.old_tree, &staged.new_tree)
    };
    history.state != PhaseState::Staged || gate::changed_since(&word.binding, &now).is_empty()
}

fn binding(plan: &Plan, old_tree: &str, new_tree: &str) -> Binding {
    Binding {
        plan: to_hex(&plan.hash),
        old_tree: old_tree.to_owned(),
        new_tree: new_tree.to_owned(),
        tool: TOOL.to_owned(),
        ..Binding::default()
    }
}

/// Closes a gate for every required criterion that does not hold: those of the cutover, or all after it.
pub(super) fn close(
    judge: &Judge<'_>,
    phase: &Phase,
    history: &PhaseHistory,
    is_live: bool,
    gate: &mut Gate,
) {
    let wanted = |one: &CriterionStanding| one.required && (one.at == CriterionPoint::CutOver) != is_live;
    for one in standing(judge, phase, Some(history)).into_iter().filter(wanted) {
        let name = &one.name;
        match (one.verdict, &one.waits_for) {
            (Verdict::Yes, _) => {}
            (Verdict::No, _) => {
                let next = format!("mend it; `switchback status` shows what says so ({})", one.by);
                gate.close(Verdict::No, format!("the criterion `{name}` does not hold: {}", one.by), next);
            }
            (Verdict::Unknown, Some(role)) => gate.close(
                Verdict::No,
                format!("the criterion `{name}` is not signed in the role `{role}`"),
                format!(
                    "`switchback approve {} --role {} --criterion {}` signs it",
                    gate::quoted(&phase.name),
                    gate::quoted(role),
                    gate::quoted(name)
                ),
            ),
            (Verdict::Unknown, None) => gate.close(
                Verdict::Unknown,
                format!("whether the criterion `{name}` holds could not be told: {}", one.by),
                "`switchback status` shows what is still open",
            ),
        }
    }
}

/// What keeps a phase from its end; open when nothing does.
pub(super) fn before_finish(work: &Work<'_>, phase: &Phase) -> Gate {
    let mut gate = Gate::open();
    if let Some(history) = work.history().phase(&phase.name) {
        close(&Judge::of(&work.project), phase, history, true, &mut gate);
    }
    gate
}

/// What somebody says about a criterion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CriterionSaid<'a> {
    /// The criterion, by its name.
    pub criterion: &'a str,
    /// In which role.
    pub role: &'a str,
    /// Why it does not hold; `None`: it does.
    pub refusal: Option<&'a str>,
}

/// Signs a criterion in a role, or refuses it.
///
/// # Errors
///
/// When the plan has no such criterion, nobody or another role signs it, or nobody can know yet.
pub fn sign(work: &Work<'_>, phase: &Phase, said: &CriterionSaid<'_>) -> Result<(), StepError> {
    let plan = work.plan();
    let criteria = plan.criteria_of(&phase.name);
    let Some(criterion) = criteria.iter().find(|one| one.name == said.criterion) else {
        let names: Vec<String> = criteria.iter().map(|one| format!("`{}`", one.name)).collect();
        let next = if names.is_empty() {
            "the plan has none for it".to_owned()
        } else {
            format!("they are: {}", names.join(", "))
        };
        return Err(StepError::not_now(
            format!("the phase `{}` has no criterion `{}`", phase.name, said.criterion),
            next,
        ));
    };
    match &criterion.signed {
        Some(role) if role == said.role => {}
        Some(role) => {
            let message = format!(
                "the criterion `{}` is signed in the role `{role}`, not `{}`",
                criterion.name, said.role
            );
            return Err(StepError::not_now(message, "name that role with `--role`"));
        }
        None => {
            let message = format!("the criterion `{}` is computed: nobody signs it", criterion.name);
            return Err(StepError::not_now(message, "`switchback status` shows what says whether it holds"));
        }
    }
    let about = about(work, phase, criterion)?;
    let why = said.refusal.map_or_else(String::new, |why| work.redactor.clean(why));
    work.record(Event::CriterionSigned {
        phase: phase.name.clone(),
        criterion: criterion.name.clone(),
        role: said.role.to_owned(),
        holds: said.refusal.is_none(),
        why,
        transaction: about.0,
        binding: about.1,
    })
}

/// What is signed: the transaction and its binding. An error while nobody can know.
fn about(work: &Work<'_>, phase: &Phase, criterion: &CriterionPlan) -> Result<(String, Binding), StepError> {
    let history = work.history();
    let found = history.phase(&phase.name).and_then(|history| Some((history, history.staged.as_ref()?)));
    let is_time = |history: &PhaseHistory| match criterion.at {
        CriterionPoint::CutOver => history.state == PhaseState::Staged,
        _ => matches!(history.state, PhaseState::Live | PhaseState::Watched),
    };
    let Some((history, staged)) = found.filter(|(history, _)| is_time(history)) else {
        let (wanted, next) = match criterion.at {
            CriterionPoint::CutOver => ("staged", "`switchback run --until staged` stages it"),
            _ => ("live", "`switchback run` cuts over"),
        };
        let message = format!(
            "the phase `{}` is not {wanted}: nobody can know yet whether `{}` holds",
            phase.name, criterion.name
        );
        return Err(StepError::not_now(message, next));
    };
    let due = criterion
        .at
        .moment()
        .zip(history.live_since.as_deref())
        .and_then(|(at, since)| watch::due(since, at));
    if let Some(due) = due.filter(|due| *due > work.world().clock.now()) {
        let message = format!(
            "nobody can know yet whether `{}` holds: {} after the cutover is {due}",
            criterion.name, criterion.at
        );
        return Err(StepError::not_now(message, "sign it then"));
    }
    let binding = Binding {
        options: to_hex(&criterion.hash),
        ..binding(work.plan(), &staged.old_tree, &staged.new_tree)
    };
    Ok((staged.transaction.clone(), binding))
}
