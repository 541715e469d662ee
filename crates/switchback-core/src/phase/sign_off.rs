//! Sign-off: approvals and refusals by role, bound to exactly what was shown (BX-10).

use jiff::SignedDuration;

use super::approval::format::APPROVAL_SCHEMA;
use super::approval::{
    APPROVAL_TYPE, Judge, RoleTally, Standing, Statement, evidence_hash, relied_on, signed, tally, who,
};
use super::error::StepError;
use super::gate::{self, Gate, Needs, Upto};
use super::project::{Project, TOOL, Work};
use super::witness::Notice;
use crate::journal::{Binding, Event, PhaseState};
use crate::manifest::to_hex;
use crate::plan::Phase;
use crate::port::Signer;
use crate::signature::KeyPlace;
use crate::verdict::Verdict;
use crate::world::World;

/// In which role somebody approves, and with which key.
#[derive(Debug, Clone)]
pub struct ApproveOptions {
    /// The role.
    pub role: String,
    /// The key; `None`: the journal records who approved.
    pub key: Option<KeyPlace>,
}

/// What is signed, as far as it does not depend on who signs.
struct About {
    binding: Binding,
    transaction: String,
    /// How each role stands before it.
    before: Vec<RoleTally>,
}

/// Approves a staged phase in a role. The gate must be open but for approvals: nobody is asked to sign what does not
/// hold.
pub fn approve(work: &Work<'_>, phase: &str, options: &ApproveOptions) -> Result<Gate, StepError> {
    let phase = phase_with(&work.project, phase, &options.role)?;
    let about = about(work, phase)?;
    let signer = match &options.key {
        Some(place) => {
            look_at_mode(work, place);
            Some(work.project.ports.signatures.open(place)?)
        }
        None => None,
    };
    let person = match person(work, phase, &about, &options.role, signer.as_deref()) {
        Ok(person) => person,
        Err(gate) => return Ok(gate),
    };
    let is_rehearsed = work.history().phase(&phase.name).is_some_and(|history| history.rehearsal.is_some());
    let needs = Needs { rehearsal: is_rehearsed, upto: Upto::Shadows };
    let gate = gate::before_cut_over(work, phase, needs)?;
    if gate.verdict != Verdict::Yes {
        return Ok(gate);
    }
    let refused = about.before.iter().find(|tally| tally.role == options.role);
    let refusals = refused.map_or_else(Vec::new, |tally| {
        let holds = tally.votes.iter().filter(|vote| vote.standing == Standing::Holds);
        holds.map(|vote| format!("the refusal of {} is withdrawn by this: {}", vote.who, vote.why)).collect()
    });
    record(work, phase, &options.role, about, person, signer.as_deref())?;
    for refusal in refusals {
        work.done(&phase.name, refusal);
    }
    gate::before_cut_over(work, phase, Needs { upto: Upto::Approvals, ..needs })
}

/// Who approves, by the plan; empty where it lists nobody for the role and does not know the key. A closed gate names why
/// somebody may not.
fn person(
    work: &Work<'_>,
    phase: &Phase,
    about: &About,
    role: &str,
    signer: Option<&dyn Signer>,
) -> Result<String, Gate> {
    let line = format!("`switchback approve {} --role {}", gate::quoted(&phase.name), gate::quoted(role));
    let signatures = work.project.ports.signatures.as_ref();
    let person = who(work.plan(), signatures, role, signer, &line)
        .map_err(|refusal| Gate::closed(refusal.why, refusal.next))?;
    if person.is_empty() {
        return Ok(person);
    }
    let counts = |tally: &&RoleTally| {
        let is_other = tally.role != role && !phase.approve.several_roles;
        is_other && tally.votes.iter().any(|vote| vote.who == person && vote.standing == Standing::Counts)
    };
    if let Some(other) = about.before.iter().find(counts) {
        let why =
            format!("{person} approved in the role `{}` already, and one person counts once", other.role);
        let next = "somebody else who has the role signs; `several_roles = true` in `approve` lets one person count in several";
        return Err(Gate::closed(why, next));
    }
    Ok(person)
}

fn record(
    work: &Work<'_>,
    phase: &Phase,
    role: &str,
    about: About,
    person: String,
    signer: Option<&dyn Signer>,
) -> Result<(), StepError> {
    let relied_on = {
        let history = work.history();
        history.phase(&phase.name).map(|history| relied_on(work.plan(), phase, history)).unwrap_or_default()
    };
    let now = work.world().clock.now();
    let longest = phase.approve.valid_for_s.and_then(|valid_for_s| i64::try_from(valid_for_s).ok());
    let expires = longest.and_then(|longest| now.checked_add(SignedDuration::from_secs(longest)).ok());
    let expires = expires.map(|expires| expires.to_string());
    let About { binding, transaction, .. } = about;
    let signed = match signer {
        None => None,
        Some(signer) => {
            let statement = Statement {
                schema: APPROVAL_SCHEMA.to_owned(),
                project: work.plan().project.name.clone(),
                phase: phase.name.clone(),
                transaction,
                role: role.to_owned(),
                person: person.clone(),
                plan: binding.plan.clone(),
                old_tree: binding.old_tree.clone(),
                new_tree: binding.new_tree.clone(),
                inputs: binding.inputs.clone(),
                evidence: evidence_hash(&relied_on),
                relied_on: relied_on.clone(),
                tool: binding.tool.clone(),
                signed_at: now.to_string(),
                expires_at: expires.clone(),
            };
            Some(signed(signer, APPROVAL_TYPE, &statement.write())?)
        }
    };
    let (phase, role, expires) = (phase.name.clone(), role.to_owned(), expires.unwrap_or_default());
    work.record(Event::Approved { phase, role, binding, person, relied_on, expires, signed })
}

/// A private key that others may read is as good as theirs.
fn look_at_mode(work: &Work<'_>, place: &KeyPlace) {
    let World { disk, .. } = work.world();
    if let Ok(Some(meta)) = disk.look(&place.file)
        && meta.mode & 0o077 != 0
    {
        let what = format!("the key `{}` may be read by others (mode {:o})", place.file.display(), meta.mode);
        work.witness.notice(Notice::Warning(what));
    }
}

/// Refuses a staged phase in a role. It stands until somebody approves in the same role.
///
/// # Errors
///
/// When the phase is not staged, and when the reason is none, or more than one line of plain text.
pub fn reject(work: &Work<'_>, phase: &str, role: &str, why: &str) -> Result<(), StepError> {
    let phase = phase_with(&work.project, phase, role)?;
    about(work, phase)?;
    if why.trim().is_empty() || why.chars().any(char::is_control) {
        return Err(StepError::not_now(
            "the reason of a refusal is one line of text, without control characters",
            "say in a few words what is wrong: `--why \"the figure of segment B is off\"`",
        ));
    }
    let why = work.redactor.clean(why);
    work.record(Event::Rejected { phase: phase.name.clone(), role: role.to_owned(), why })
}

/// The phase in which the role is asked for. It touches nothing: it comes before the project is worked on.
pub fn phase_with<'p>(project: &'p Project, phase: &str, role: &str) -> Result<&'p Phase, StepError> {
    let phase = project.plan.phase(phase).ok_or_else(|| StepError::NoPhase(phase.to_owned()))?;
    if !phase.approve.roles.iter().any(|known| known == role) {
        let roles = if phase.approve.roles.is_empty() {
            "the plan asks nobody for an approval of this phase".to_owned()
        } else {
            format!("its roles are: {}", phase.approve.roles.join(", "))
        };
        return Err(StepError::not_now(format!("the phase `{}` has no role `{role}`", phase.name), roles));
    }
    Ok(phase)
}

/// What is signed; an error when there is nothing to sign.
fn about(work: &Work<'_>, phase: &Phase) -> Result<About, StepError> {
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
    let binding = Binding {
        plan: to_hex(&work.plan().hash),
        old_tree: staged.old_tree.clone(),
        new_tree: staged.new_tree.clone(),
        inputs: gate::inputs_relied_on(work.plan(), phase, history),
        tool: TOOL.to_owned(),
        ..Binding::default()
    };
    let before = tally(&Judge::of(&work.project), phase, history, &binding);
    Ok(About { binding, transaction: staged.transaction.clone(), before })
}
