//! What the checks of a live tree said: as JSON, and in lines for people.

use serde_json::{Value, json};
use switchback_core::phase::{STEPS, Validation};
use switchback_core::verdict::Verdict;

use super::Context;

/// A list of `{check, kind, step, verdict, summary}`.
pub(super) fn as_json(validated: &[Validation]) -> Value {
    let one = |one: &Validation| json!({"check": one.check, "kind": one.kind, "step": one.step, "verdict": one.verdict.word(), "summary": one.summary});
    validated.iter().map(one).collect()
}

/// The five things that a rollback has to leave working, each with what was looked at; what nobody looked at is said.
pub(super) fn show(context: &Context<'_>, validated: &[Validation]) {
    if validated.is_empty() {
        return;
    }
    for step in STEPS {
        let of_step: Vec<&Validation> = validated.iter().filter(|one| one.step == step).collect();
        if of_step.is_empty() {
            context.ui.show(&format!("  {step}: not looked at"));
        }
        for one in of_step {
            context.ui.show(&line(step, one));
        }
    }
}

/// One check in a line, after what it is about.
pub(super) fn line(about: &str, one: &Validation) -> String {
    let verdict = if one.verdict == Verdict::Unknown { "could not tell" } else { one.verdict.word() };
    format!("  {about}: {verdict} (`{}`): {}", one.check, one.summary)
}
