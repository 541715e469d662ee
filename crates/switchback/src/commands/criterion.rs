//! `switchback approve --criterion` and `switchback reject --criterion`: what only a person can know.

use switchback_core::phase::criteria::{self, CriterionSaid};
use switchback_core::phase::{StepError, Work};
use switchback_core::report::{json, status};
use switchback_core::verdict::Verdict;

use super::Context;
use crate::failure::Failure;

pub(crate) fn sign(context: &Context<'_>, phase: &str, said: &CriterionSaid<'_>) -> Result<Verdict, Failure> {
    let (command, doing) = match said.refusal {
        None => ("approve", "could not sign the criterion"),
        Some(_) => ("reject", "could not refuse the criterion"),
    };
    let failed = |error| Failure::doing(doing, error);
    let work = Work::begin(context.project()?, command, context.ui).map_err(failed)?;
    let found = work.plan().phase(phase).ok_or_else(|| failed(StepError::NoPhase(phase.to_owned())))?;
    criteria::sign(&work, found, said).map_err(failed)?;
    if context.ui.json {
        context.ui.document(&json::document(command, Verdict::Yes, &status(&work.project, &work.history())));
        return Ok(Verdict::Yes);
    }
    let holds = if said.refusal.is_none() { "holds" } else { "does not hold" };
    let (criterion, role) = (said.criterion, said.role);
    context.ui.show(&format!("the criterion `{criterion}` {holds}, said in the role {role}"));
    Ok(Verdict::Yes)
}
