//! What is known of the triggers of a phase: from the plan and the journal.

use serde_json::{Value, json};

use super::status::is_about_plan;
use crate::journal::history::PhaseHistory;
use crate::journal::{PhaseState, RehearsedTrigger};
use crate::phase::watch::{is_of, untold};
use crate::plan::{Phase, Plan, Trigger};
use crate::verdict::Verdict;

/// What is known of one trigger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TriggerStatus {
    /// The check that it watches.
    pub check: String,
    /// What it starts.
    pub action: &'static str,
    /// Its condition, in words.
    pub when: String,
    /// Whether it would have fired on a copy that was broken for it, and what was seen; `None`: the plan does not say how a copy
    /// is broken, or it was not rehearsed yet.
    pub rehearsed: Option<(Verdict, String)>,
    /// Whether the plan says how a copy is broken.
    pub is_declared: bool,
    /// Why it can tell nothing of what is live; `None` where it can, or nothing is live.
    pub untold: Option<String>,
    /// How often it fired since the phase was last begun.
    pub fired: u64,
}

impl TriggerStatus {
    /// In words, to follow what the trigger is.
    pub fn words(&self) -> String {
        let rehearsed = match &self.rehearsed {
            Some((Verdict::Yes, _)) => "rehearsed, and would have fired".to_owned(),
            Some((_, what)) => what.clone(),
            None if self.is_declared => "not rehearsed yet".to_owned(),
            None => "not rehearsed: the plan does not say how it breaks".to_owned(),
        };
        let fired = match self.fired {
            0 => String::new(),
            1 => "; it fired".to_owned(),
            times => format!("; it fired {times} times"),
        };
        let untold = self.untold.as_ref().map_or_else(String::new, |why| format!("; it cannot tell: {why}"));
        format!("{rehearsed}{fired}{untold}")
    }

    /// As a document.
    pub fn to_json(&self) -> Value {
        let rehearsed = self.rehearsed.as_ref();
        json!({
            "check": self.check,
            "action": self.action,
            "when": self.when,
            "rehearsal_declared": self.is_declared,
            "would_have_fired": rehearsed.map(|(verdict, _)| verdict.word()),
            "seen": rehearsed.map(|(_, what)| what),
            "could_not_tell": self.untold,
            "fired": self.fired,
        })
    }
}

/// The triggers of a phase, in the order of the plan.
pub(super) fn triggers(plan: &Plan, phase: &Phase, history: Option<&PhaseHistory>) -> Vec<TriggerStatus> {
    // Before the cutover, what was seen under another plan is void.
    let counts =
        |history: &&PhaseHistory| history.state != PhaseState::Staged || is_about_plan(plan, history);
    let rehearsal = history.filter(counts).and_then(|history| history.rehearsal.as_ref());
    let one = |trigger: &Trigger| {
        let (check, action, when) =
            (trigger.condition.check.clone(), trigger.action.word(), trigger.condition.words());
        let told = rehearsal.and_then(|fact| {
            let is_it = |told: &&RehearsedTrigger| {
                told.check == check && told.action == action && trigger.condition.is_said(&told.when)
            };
            fact.triggers.iter().find(is_it)
        });
        let rehearsed = told.map(|told| {
            (Verdict::from_word(&told.verdict).unwrap_or(Verdict::Unknown), told.summary.clone())
        });
        let of_this =
            history.map_or(0, |history| history.fired.iter().filter(|fired| is_of(trigger, fired)).count());
        let (is_declared, fired) = (trigger.rehearse.is_some(), of_this as u64);
        let live = history.filter(|history| history.state.is_live());
        let untold = live.and_then(|history| untold(trigger, history));
        TriggerStatus { check, action, when, rehearsed, is_declared, untold, fired }
    };
    plan.triggers_of(&phase.name).map(|(trigger, _)| one(trigger)).collect()
}
