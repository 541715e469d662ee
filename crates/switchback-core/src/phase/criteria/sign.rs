//! What somebody says about a criterion, on its way into the journal.

use super::binding;
use super::format::{CRITERION_SCHEMA, CRITERION_TYPE, CriterionStatement};
use crate::journal::{Binding, Event, PhaseHistory, PhaseState, Signed};
use crate::manifest::to_hex;
use crate::phase::approval::{signed, who};
use crate::phase::error::StepError;
use crate::phase::project::Work;
use crate::phase::{gate, watch};
use crate::plan::{CriterionPlan, CriterionPoint, Phase, Plan};
use crate::signature::KeyPlace;

/// What somebody says about a criterion.
#[derive(Debug, Clone)]
pub struct CriterionSaid<'a> {
    /// The criterion, by its name.
    pub criterion: &'a str,
    /// In which role.
    pub role: &'a str,
    /// Why it does not hold; `None`: it does.
    pub refusal: Option<&'a str>,
    /// The key that signs that it does; `None`: the journal records who said so.
    pub key: Option<KeyPlace>,
}

/// Signs a criterion in a role, or refuses it.
///
/// # Errors
///
/// When the plan has no such criterion, nobody or another role signs it, nobody can know yet, or the key may not sign it.
pub fn sign(work: &Work<'_>, phase: &Phase, said: &CriterionSaid<'_>) -> Result<(), StepError> {
    let criterion = meant(work.plan(), phase, said)?;
    let (transaction, binding) = about(work, phase, criterion)?;
    let (holds, why) = (said.refusal.is_none(), said.refusal.unwrap_or_default());
    let (person, signed) = if holds {
        by_whom(work, phase, criterion, said, (&transaction, &binding))?
    } else {
        (String::new(), None)
    };
    work.record(Event::CriterionSigned {
        phase: phase.name.clone(),
        criterion: criterion.name.clone(),
        role: said.role.to_owned(),
        holds,
        why: work.redactor.clean(why),
        transaction,
        binding,
        person,
        signed,
    })
}

/// The criterion that is meant, if it is for this role to say.
fn meant<'p>(
    plan: &'p Plan,
    phase: &Phase,
    said: &CriterionSaid<'_>,
) -> Result<&'p CriterionPlan, StepError> {
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
        Some(role) if role == said.role => Ok(criterion),
        Some(role) => {
            let message = format!(
                "the criterion `{}` is signed in the role `{role}`, not `{}`",
                criterion.name, said.role
            );
            Err(StepError::not_now(message, "name that role with `--role`"))
        }
        None => {
            let message = format!("the criterion `{}` is computed: nobody signs it", criterion.name);
            Err(StepError::not_now(message, "`switchback status` shows what says whether it holds"))
        }
    }
}

/// Who says that it holds, by the plan, and the signature where there is a key.
fn by_whom(
    work: &Work<'_>,
    phase: &Phase,
    criterion: &CriterionPlan,
    said: &CriterionSaid<'_>,
    (transaction, binding): (&str, &Binding),
) -> Result<(String, Option<Signed>), StepError> {
    let signatures = work.project.ports.signatures.as_ref();
    let signer = said.key.as_ref().map(|place| signatures.open(place)).transpose()?;
    let line = format!(
        "`switchback approve {} --role {} --criterion {}",
        gate::quoted(&phase.name),
        gate::quoted(said.role),
        gate::quoted(&criterion.name)
    );
    let person = who(work.plan(), signatures, said.role, signer.as_deref(), &line)
        .map_err(|refusal| StepError::not_now(refusal.why, refusal.next))?;
    let Some(signer) = signer else { return Ok((person, None)) };
    let statement = CriterionStatement {
        schema: CRITERION_SCHEMA.to_owned(),
        project: work.plan().project.name.clone(),
        phase: phase.name.clone(),
        transaction: transaction.to_owned(),
        criterion: criterion.name.clone(),
        wording: binding.options.clone(),
        role: said.role.to_owned(),
        person: person.clone(),
        plan: binding.plan.clone(),
        old_tree: binding.old_tree.clone(),
        new_tree: binding.new_tree.clone(),
        tool: binding.tool.clone(),
        signed_at: work.world().clock.now().to_string(),
    };
    let signed = signed(signer.as_ref(), CRITERION_TYPE, &statement.write())?;
    Ok((person, Some(signed)))
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
