//! Whether a change may go, with every reason (RE-6): computed from the gate, the change log and what was packed.

use serde_json::{Value, json};

use super::change_log::Section;
use super::facts::Facts;
use crate::journal::{PhaseHistory, PhaseState};
use crate::phase::gate::{self, Needs, Upto};
use crate::phase::look::{LOOK_AGAIN, void_outcome};
use crate::phase::{StepError, Work};
use crate::plan::Phase;
use crate::quantity::counted;
use crate::report::last_outcomes;
use crate::verdict::Verdict;

/// What to do where the plan says something else than it did.
pub(super) const OTHER_PLAN_NEXT: &str = "pack it with the plan that it was staged with; what came later belongs to a phase of its own, or `switchback run --restage` builds the candidate anew";

/// Whether a change may go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Readiness {
    /// *yes*: nothing speaks against it.
    pub verdict: Verdict,
    /// Every reason why not.
    pub reasons: Vec<String>,
    /// What somebody should look at, and speaks against nothing.
    pub notes: Vec<String>,
    /// The next move.
    pub next: String,
}

/// Judges a phase that is staged, or live.
pub(super) fn judge(
    work: &Work<'_>,
    phase: &Phase,
    history: &PhaseHistory,
    facts: &Facts,
    sections: &[Section],
) -> Result<Readiness, StepError> {
    let mut readiness =
        Readiness { verdict: Verdict::Yes, reasons: Vec::new(), notes: Vec::new(), next: String::new() };
    if history.state == PhaseState::Staged {
        let needs = Needs { rehearsal: true, upto: Upto::Approvals };
        let gate = gate::before_cut_over(work, phase, needs)?;
        (readiness.verdict, readiness.reasons, readiness.next) = (gate.verdict, gate.reasons, gate.next);
    } else {
        // What was so before the change is not held against it.
        for fact in last_outcomes(history).into_iter().filter(|fact| fact.at != "before") {
            if let Some(why) = void_outcome(work.plan(), phase, history, fact) {
                readiness.close(Verdict::No, why, LOOK_AGAIN);
            } else if fact.verdict != Verdict::Yes {
                let (check, at, summary) = (&fact.check, &fact.at, &fact.summary);
                readiness.close(fact.verdict, format!("{check} at {at}: {summary}"), "`switchback status`");
            }
        }
        if let Some(why) = other_plan(work, phase, history) {
            readiness.close(Verdict::No, why, OTHER_PLAN_NEXT);
        }
    }
    let looked = last_outcomes(history).into_iter().filter(|fact| fact.at != "before").count();
    if looked == 0 {
        let reason = "no check looked at the candidate: nothing is proved of it";
        readiness.close(Verdict::Unknown, reason.to_owned(), "add a check to `switchback.toml`");
    }
    for section in sections {
        if let Err(why) = &section.text {
            let reason = format!("the change log lacks the section `{}`: {why}", section.name);
            readiness.close(Verdict::No, reason, "write it, in the file that `notes` of `[package]` names");
        }
    }
    if let Some(why) = &facts.api.why_not {
        readiness.notes.push(format!("the public surface was not compared: {why}"));
    }
    let breaking = facts.api.changes.iter().filter(|change| change["breaking"] == true).count();
    if breaking > 0 {
        readiness
            .notes
            .push(format!("the public surface has {}", counted(breaking as u64, "breaking change")));
    }
    let not_read = facts.not_read() as u64;
    if not_read > 0 {
        let files = counted(not_read, "file");
        readiness.notes.push(format!(
            "{files} could not be looked at for dependencies or old names: see the change log"
        ));
    }
    if !facts.still_named.places.is_empty() {
        let places = counted(facts.still_named.places.len() as u64 + facts.still_named.more, "place");
        readiness
            .notes
            .push(format!("documents name what moved, is gone or changed, at {places}: see the change log"));
    }
    Ok(readiness)
}

/// Why a package of a phase would say something else than what was proved: the trees are those of its candidate, and the managed
/// paths those of the plan.
pub(super) fn other_plan(work: &Work<'_>, phase: &Phase, history: &PhaseHistory) -> Option<String> {
    let is_other =
        history.staged.as_ref().is_none_or(|staged| staged.changes != work.project.changes_hash(phase));
    is_other.then(|| {
        format!("the plan says something else about managed paths, or the phase `{}`, than when its candidate was staged", phase.name)
    })
}

impl Readiness {
    pub(super) fn close(&mut self, verdict: Verdict, reason: String, next: &str) {
        self.verdict = self.verdict.and(verdict);
        self.reasons.push(reason);
        if self.next.is_empty() {
            next.clone_into(&mut self.next);
        }
    }

    /// The document `switchback/readiness/1`.
    pub fn to_json(&self) -> Value {
        json!({
            "schema": "switchback/readiness/1",
            "verdict": self.verdict.word(),
            "reasons": self.reasons,
            "notes": self.notes,
        })
    }
}
