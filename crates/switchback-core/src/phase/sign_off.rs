//! Sign-off: approvals and refusals by role, bound to exactly what was shown (BX-10).

use super::error::StepError;
use super::gate::{self, Gate, Needs};
use super::project::{TOOL, Work};
use crate::journal::{Binding, Event, PhaseState};
use crate::manifest::to_hex;
use crate::plan::Phase;
use crate::verdict::Verdict;

/// Approves a staged phase in a role. The gate must be open but for approvals: nobody is asked to sign what does not
/// hold.
pub fn approve(work: &Work<'_>, phase: &Phase, role: &str) -> Result<Gate, StepError> {
    let binding = about(work, phase, role)?;
    let is_rehearsed = work.history().phase(&phase.name).is_some_and(|history| history.rehearsal.is_some());
    let needs = Needs { rehearsal: is_rehearsed, shadows: true, approvals: false };
    let gate = gate::before_cut_over(work, phase, needs)?;
    if gate.verdict != Verdict::Yes {
        return Ok(gate);
    }
    work.record(Event::Approved { phase: phase.name.clone(), role: role.to_owned(), binding })?;
    gate::before_cut_over(work, phase, Needs { approvals: true, ..needs })
}

/// Refuses a staged phase in a role.
pub fn reject(work: &Work<'_>, phase: &Phase, role: &str, why: &str) -> Result<(), StepError> {
    about(work, phase, role)?;
    let why = work.redactor.clean(why);
    work.record(Event::Rejected { phase: phase.name.clone(), role: role.to_owned(), why })
}

/// What is signed; an error when there is nothing to sign.
fn about(work: &Work<'_>, phase: &Phase, role: &str) -> Result<Binding, StepError> {
    if !phase.approve.roles.iter().any(|known| known == role) {
        let roles = if phase.approve.roles.is_empty() {
            "the plan asks nobody for an approval of this phase".to_owned()
        } else {
            format!("its roles are: {}", phase.approve.roles.join(", "))
        };
        return Err(StepError::not_now(format!("the phase `{}` has no role `{role}`", phase.name), roles));
    }
    let history = work.history();
    let staged = history
        .phase(&phase.name)
        .filter(|history| history.state == PhaseState::Staged)
        .and_then(|history| Some((history, history.staged.as_ref()?)));
    let Some((history, staged)) = staged else {
        return Err(StepError::not_now(
            format!("the phase `{}` is not staged: there is nothing to approve", phase.name),
            "`switchback run --until staged` stages it",
        ));
    };
    Ok(Binding {
        plan: to_hex(&work.plan().hash),
        old_tree: staged.old_tree.clone(),
        new_tree: staged.new_tree.clone(),
        inputs: gate::inputs_relied_on(work.plan(), phase, history),
        tool: TOOL.to_owned(),
        ..Binding::default()
    })
}
