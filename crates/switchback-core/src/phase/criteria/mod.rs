//! The criteria of a plan, computed: from checks, approvals and triggers, and from what persons say who alone can know (RE-19, PC-1).
//!
//! [`mod@format`] is the statement that a person signs, [`sign()`] brings it into the journal, and `words` tells which of what was
//! said counts.

pub mod format;
mod sign;
mod words;

pub use sign::{CriterionSaid, sign};

use super::approval::{Judge, tally};
use super::gate::{self, Gate};
use super::project::{TOOL, Work};
use super::watch::untold;
use crate::journal::history::{CheckFact, FiredFact, PhaseHistory};
use crate::journal::{Binding, PhaseState};
use crate::manifest::to_hex;
use crate::plan::{CriterionPlan, CriterionPoint, Every, Moment, Phase, Plan};
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
        parts.push(of_triggers(plan, phase, history, criterion));
    }
    let mut waits_for = None;
    if let Some(role) = &criterion.signed {
        let part = words::heard(judge, phase, history, criterion, role);
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
    let once = facts.iter().map(|fact| fact.map_or(Verdict::Unknown, |fact| fact.verdict));
    let Some((every, last)) = check.every.and_then(|every| Some((every, criterion.at.last_time(every)?)))
    else {
        return Part { verdict: Verdict::all(once), is_open: facts.iter().any(Option::is_none), by };
    };
    let looks = history.map_or(&[][..], |history| history.checks.as_slice());
    let (seen, is_over) = times(every, last, looks.iter().filter(|fact| fact.check == name));
    // While there are times to come, nothing but a *no* is known.
    let open = (!is_over).then_some(Verdict::Unknown);
    Part {
        verdict: Verdict::all(once.chain(seen).chain(open)),
        is_open: !is_over || facts.iter().any(Option::is_none),
        by: format!("{by} {every}"),
    }
}

/// What a repeated check said at its times up to the last that counts, and whether that one is over: it looked then, or later.
fn times<'f>(every: Every, last: u64, looks: impl Iterator<Item = &'f CheckFact>) -> (Vec<Verdict>, bool) {
    let numbered = looks.filter_map(|fact| Some((every.number(Moment::parse(&fact.at)?)?, fact.verdict)));
    let numbered: Vec<(u64, Verdict)> = numbered.collect();
    let is_over = numbered.iter().any(|(number, _)| *number >= last);
    (
        numbered.into_iter().filter(|(number, _)| *number <= last).map(|(_, verdict)| verdict).collect(),
        is_over,
    )
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
fn of_triggers(
    plan: &Plan,
    phase: &Phase,
    history: Option<&PhaseHistory>,
    criterion: &CriterionPlan,
) -> Part {
    let by = "triggers".to_owned();
    let Some(history) = history.filter(|history| history.state.is_live()) else {
        return Part { verdict: Verdict::Unknown, is_open: true, by };
    };
    if let Some(FiredFact { check, action, .. }) = history.fired.first() {
        return Part { verdict: Verdict::No, is_open: false, by: format!("trigger on {check} ({action})") };
    }
    let mut triggers = plan.triggers_of(&phase.name);
    if let Some((trigger, _)) = triggers.find(|(trigger, _)| untold(trigger, history).is_some()) {
        let by = format!("trigger on {} ({}) could not tell", trigger.condition.check, trigger.action.word());
        return Part { verdict: Verdict::Unknown, is_open: false, by };
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
                    "`switchback approve {} --role {} --criterion {}{}` signs it",
                    gate::quoted(&phase.name),
                    gate::quoted(role),
                    gate::quoted(name),
                    if judge.plan.is_keyed(role) { " --key FILE" } else { "" }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn look(at: &str, verdict: Verdict) -> CheckFact {
        CheckFact {
            check: "c".into(),
            at: at.into(),
            verdict,
            summary: String::new(),
            evidence: String::new(),
            time: String::new(),
            milliseconds: 0,
            measure: None,
            samples: None,
            by_hand: false,
            binding: Binding::default(),
            seq: 1,
        }
    }

    #[test]
    fn of_a_repeated_check_the_looks_up_to_the_point_count_and_the_last_of_them_ends_it() {
        let every = Every { every_s: 300, for_s: 86_400 };
        let last = CriterionPoint::After(3_600).last_time(every).unwrap();
        assert_eq!((last, CriterionPoint::Live.last_time(every)), (12, None));
        assert_eq!(CriterionPoint::Finish.last_time(every), Some(288));
        let yes = [look("+5m", Verdict::Yes), look("+10m", Verdict::Yes)];
        assert_eq!(times(every, last, yes.iter()), (vec![Verdict::Yes; 2], false));
        // The look at the hour was missed, and the one after it says that the hour is over.
        let later = [look("+5m", Verdict::Yes), look("+65m", Verdict::No)];
        assert_eq!(times(every, last, later.iter()), (vec![Verdict::Yes], true));
        // What is no time of it does not count.
        assert_eq!(times(every, last, [look("+7m", Verdict::No)].iter()), (vec![], false));
        assert_eq!(times(every, last, [].iter()), (vec![], false));
    }
}
