//! Why a phase stands where it stands, and the one sentence for the whole run.

use super::material::Material;
use super::phase_report::{CheckReport, PhaseReport};
use super::status::{AS_STAGED, Status, WaitsFor, approvals, waits_for};
use crate::journal::PhaseState;
use crate::journal::history::{FiredFact, PhaseHistory};
use crate::phase::approval::Judge;
use crate::plan::Phase;
use crate::verdict::Verdict;

/// Every reason, as far as the journal and the plan tell it.
pub(super) fn reasons(
    material: &Material<'_>,
    phase: &Phase,
    history: Option<&PhaseHistory>,
    report: &PhaseReport,
) -> Vec<String> {
    let history = match history {
        Some(history) if history.state != PhaseState::Waiting || history.failed.is_some() => history,
        _ => return vec![not_begun(material, phase)],
    };
    let mut reasons = Vec::new();
    if let Some((step, why)) = &history.failed {
        reasons.push(format!("the last step failed: {step}: {}", material.clean(why)));
    }
    let PhaseReport { checks, roll_backs, .. } = report;
    if history.state == PhaseState::RolledBack
        && let Some(back) = roll_backs.iter().rev().find(|back| back.whole)
    {
        reasons.push(format!("it was rolled back at {} by {}: {}", back.time, back.actor, back.why));
    }
    for back in roll_backs.iter().filter(|back| !back.whole && history.state.is_live()) {
        reasons.push(format!("{} was rolled back alone: {}", back.restored.join(", "), back.why));
    }
    reasons.extend(report.outcomes().filter_map(of_check));
    let judge = &Judge::of(material.project);
    if history.state == PhaseState::Staged && material.plan().fault.is_none() {
        let open = approvals(judge, phase, history).into_iter().filter(|tally| !tally.is_met());
        reasons.extend(open.map(|tally| tally.reason()));
    }
    reasons.extend(touched(report).map(str::to_owned));
    for FiredFact { check, action, .. } in &history.fired {
        reasons.push(format!("a trigger on the check `{check}` fired: {action}"));
    }
    for one in report.checklist.iter().filter(|one| one.required && one.verdict == Verdict::No) {
        reasons.push(format!("the criterion `{}` does not hold: {}", one.name, one.by));
    }
    let waits = waits_for(judge, phase, Some(history));
    reasons.extend(waits.iter().filter_map(|waits| of_wait(waits, report)));
    if reasons.is_empty() {
        reasons.push(match history.state {
            PhaseState::Finished => {
                "every check held, its watch is over, and the old tree is kept".to_owned()
            }
            _ => "nothing holds it: `switchback run` goes on".to_owned(),
        });
    }
    if history.state == PhaseState::Finished && checks.is_empty() && report.shadows.is_empty() {
        let why = if material.plan().fault.is_none() { ": the plan has no checks for it" } else { "" };
        reasons = vec![format!("it is over, and nothing was checked{why}")];
    }
    reasons
}

/// What is not said already by a check or an approval.
fn of_wait(waits: &WaitsFor, report: &PhaseReport) -> Option<String> {
    match waits {
        WaitsFor::Check { name, at }
            if !report.checks.iter().any(|check| check.name == *name && check.at == *at) =>
        {
            let is_it = |(check, moment): &(String, String)| check == name && moment == at;
            Some(if report.unfinished.as_ref().is_some_and(is_it) {
                format!("the check `{name}` began at {at} and has not ended")
            } else {
                format!("the check `{name}` was not carried out at {at}")
            })
        }
        WaitsFor::Criterion { name, role } => {
            Some(format!("the criterion `{name}` is not signed in the role `{role}`"))
        }
        WaitsFor::Shadow { name, .. } => {
            let shadow = report.shadows.iter().find(|shadow| shadow.name == *name)?;
            Some(format!("the shadow `{name}` does not say yes: {}", shadow.summary))
        }
        WaitsFor::Plan => {
            Some("what it waits for cannot be told: that stands in the plan, which cannot be used".to_owned())
        }
        WaitsFor::Window { opens: Some(opens) } => {
            Some(format!("it waits for its window, which opens at {opens}"))
        }
        WaitsFor::Window { opens: None } => Some("its window is over, and does not open again".to_owned()),
        WaitsFor::Watch { at, due } => {
            Some(format!("it is live, and watched: the checks at {at} are due at {due}"))
        }
        _ => None,
    }
}

/// What speaks against taking both trees for what was staged.
fn touched(report: &PhaseReport) -> Option<&str> {
    let trees = report.criteria.iter().find(|criterion| criterion.name == AS_STAGED)?;
    (trees.verdict != Verdict::Yes).then_some(trees.by.as_str())
}

/// Why a phase has not begun, or why its candidate was given up and not built again.
fn not_begun(material: &Material<'_>, phase: &Phase) -> String {
    let before = material.plan().phases.iter().take_while(|other| other.name != phase.name);
    let is_over =
        |name: &str| material.history.phase(name).is_some_and(|other| other.state == PhaseState::Finished);
    match before.into_iter().find(|other| !is_over(&other.name)) {
        Some(other) => format!("the phase `{}` comes before it and is not finished", other.name),
        None if material.plan().fault.is_some() => "it has not begun".to_owned(),
        None => "it has not begun: `switchback run` begins it".to_owned(),
    }
}

fn of_check(check: &CheckReport) -> Option<String> {
    let (name, place) = match check.kind.as_str() {
        "rehearsal" => ("the rehearsal".to_owned(), String::new()),
        _ => (format!("the check `{}`", check.name), format!(" at {}", check.at)),
    };
    if let Some(fault) = &check.evidence_fault {
        return Some(format!("the evidence of {name}{place} cannot be used: {fault}"));
    }
    if !check.void.is_empty() {
        let changed = check.void.join(", ");
        return Some(format!("the evidence of {name}{place} is void, because since then {changed} changed"));
    }
    match check.verdict {
        Verdict::Yes => None,
        Verdict::No if !check.refuses() => None,
        Verdict::No => Some(format!("{name} says no{place}: {}", check.summary)),
        Verdict::Unknown => Some(format!("{name} could not tell{place}: {}", check.summary)),
    }
}

/// The verdict of a report: that of the status, and nothing better than what the last looks and their evidence allow.
pub(super) fn verdict(status: &Status, phases: &[PhaseReport]) -> Verdict {
    let mut verdict = status.verdict;
    for check in phases.iter().flat_map(PhaseReport::outcomes) {
        if check.refuses() {
            verdict = verdict.and(Verdict::No);
        } else if check.verdict == Verdict::Unknown || check.evidence_fault.is_some() {
            verdict = verdict.and(Verdict::Unknown);
        }
    }
    verdict
}

/// The run in one sentence.
pub(super) fn headline(verdict: Verdict, phases: &[PhaseReport]) -> String {
    let first = |wanted: &dyn Fn(&PhaseReport) -> bool| phases.iter().find(|phase| wanted(phase));
    let is_over = phases.iter().all(|phase| phase.status.verdict == Verdict::Yes);
    let is_checked = phases.iter().any(|phase| !phase.checks.is_empty() || !phase.shadows.is_empty());
    match verdict {
        Verdict::Yes if is_checked => {
            "The change is live, every check held, and the run is finished.".to_owned()
        }
        Verdict::Yes => "The change is live and the run is finished, but nothing was checked.".to_owned(),
        _ if is_over => {
            "The change is live and the run is finished, but a check does not hold any more, or its \
                         evidence cannot be used."
                .to_owned()
        }
        Verdict::No => {
            let name = |phase: &PhaseReport| phase.status.name.clone();
            if let Some(phase) = first(&|phase| phase.status.point == "rolled-back") {
                return format!("The phase {} was rolled back: its old tree is live.", name(phase));
            }
            let refused = first(&|phase| phase.status.verdict == Verdict::No).map_or_else(String::new, name);
            let is_live = first(&|phase| phase.status.name == refused)
                .is_some_and(|phase| ["live", "watched", "finished"].contains(&phase.status.point.as_str()));
            if is_live {
                format!("The phase {refused} is live, and something speaks against it.")
            } else {
                format!("The phase {refused} is refused: it did not go live.")
            }
        }
        Verdict::Unknown => match first(&|phase| phase.status.verdict != Verdict::Yes) {
            Some(phase) => format!("The run is not over: {}.", standing(phase)),
            None => "The plan has no phase.".to_owned(),
        },
    }
}

fn standing(phase: &PhaseReport) -> String {
    let name = &phase.status.name;
    match phase.status.point.as_str() {
        "waiting" => format!("the phase {name} has not begun"),
        "snapshot" => format!("the phase {name} has its snapshot, and nothing is staged"),
        "staged" => format!("the phase {name} is staged beside the live tree{}", tree_words(phase)),
        "rehearsed" => {
            format!("the phase {name} is staged and rehearsed beside the live tree{}", tree_words(phase))
        }
        "approved" => match phase.reasons.iter().find(|_| !holds(phase)) {
            None => format!("the phase {name} is staged, and nothing keeps it from going live"),
            Some(why) => format!("the phase {name} is staged and approved, but {why}"),
        },
        "live" => format!("the phase {name} is live, and {}", not_over(phase)),
        point => format!("the phase {name} is {point}"),
    }
}

/// Whether both trees are what was staged, and all evidence about them counts.
fn holds(phase: &PhaseReport) -> bool {
    let counts = |check: &CheckReport| check.evidence_fault.is_none() && check.void.is_empty();
    touched(phase).is_none() && phase.outcomes().all(counts)
}

fn tree_words(phase: &PhaseReport) -> String {
    touched(phase).map_or_else(|| ", which is as it was".to_owned(), |why| format!("; {why}"))
}

/// What is still open about a phase that is live.
fn not_over(phase: &PhaseReport) -> String {
    let is_open = |at_live: bool| phase.open_checks.iter().any(|(_, _, at)| (at == "live") == at_live);
    match &phase.unfinished {
        Some((check, at)) => format!("its check {check} began at {at} and has not ended"),
        None if is_open(true) => "its checks at live were not all carried out".to_owned(),
        None if is_open(false) => "its watch is not over".to_owned(),
        None => "it is not finished".to_owned(),
    }
}
