//! After a rollback: whether what is live again works. Nothing of it can undo the rollback, and nothing is taken for seen
//! that was not.

use super::look::look;
use super::project::Work;
use super::witness::Notice;
use crate::plan::{CheckPlan, Moment, Phase};
use crate::verdict::Verdict;

/// What a check of the live tree said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Validation {
    /// The check.
    pub check: String,
    /// Its kind, as in the plan.
    pub kind: &'static str,
    /// Which of the [`STEPS`] it is about.
    pub step: String,
    /// What it said.
    pub verdict: Verdict,
    /// In one line.
    pub summary: String,
}

/// What a rollback has to leave working, in the order in which it is told (RB-10).
pub const STEPS: [&str; 5] = ["imports", "function", "data", "speed", "tests"];

/// What a check of this kind looks at, where the plan does not say it.
fn step_of(kind: &str) -> &'static str {
    match kind {
        "imports" | "startup" | "symbols" | "api" | "routes" | "files" => "imports",
        "equivalence" | "constraint" | "distribution" | "integrity" => "data",
        "http" | "performance" => "speed",
        "tests" => "tests",
        _ => "function",
    }
}

/// The verdict on several: a no is a no, whatever could not be told.
pub(super) fn verdict_of(validations: &[Validation]) -> Verdict {
    Verdict::all(validations.iter().map(|one| one.verdict))
}

/// Carries out the checks at `rolled-back` of phases that were rolled back (last one first), and `more`, each once. What
/// could not be carried out could not be told.
pub(super) fn after_roll_back(work: &Work<'_>, phases: &[String], more: &[String]) -> Vec<Validation> {
    let mut done: Vec<Validation> = Vec::new();
    for name in phases.iter().rev() {
        let Some(phase) = work.plan().phase(name) else { continue };
        let is_wanted = |check: &&CheckPlan| {
            check.is_for(name)
                && (check.at.contains(&Moment::RolledBack) || more.contains(&check.name))
                && !done.iter().any(|one| one.check == check.name)
        };
        let checks: Vec<&CheckPlan> = work.plan().checks.iter().filter(is_wanted).collect();
        let seen = carry_out(work, phase, Moment::RolledBack, &checks);
        done.extend(seen);
    }
    done
}

/// Carries out checks of the live tree, and says what each of them said.
pub(super) fn carry_out(
    work: &Work<'_>,
    phase: &Phase,
    moment: Moment,
    checks: &[&CheckPlan],
) -> Vec<Validation> {
    let at = moment.to_string();
    let told = |check: &CheckPlan, verdict, summary: String| Validation {
        check: check.name.clone(),
        kind: check.kind,
        step: check.step.clone().unwrap_or_else(|| step_of(check.kind).to_owned()),
        verdict,
        summary,
    };
    let carry_out = |check: &&CheckPlan| match look(work, phase, moment, &[check]) {
        Ok(verdict) => {
            let history = work.history();
            let fact = history.phase(&phase.name).and_then(|phase| phase.last_check(&check.name, &at));
            told(check, verdict, fact.map_or_else(String::new, |fact| fact.summary.clone()))
        }
        Err(error) => {
            let why = work.redactor.clean(&super::error::with_causes(&error));
            work.witness
                .notice(Notice::Warning(format!("the check `{}` was not carried out: {why}", check.name)));
            told(check, Verdict::Unknown, why)
        }
    };
    checks.iter().map(carry_out).collect()
}
