//! Playbooks carried out: what they restore, whether that helped, and what is next if it did not.

use super::error::StepError;
use super::project::Work;
use super::roll_back::{
    RollBackOptions, RollBackOutcome, RollBackPlan, live_phases, plan_roll_back, roll_back,
};
use super::validate::{Validation, carry_out, verdict_of};
use crate::journal::PhaseState;
use crate::plan::{CheckPlan, Moment, Playbook, Restore};
use crate::verdict::Verdict;

/// What a playbook did.
#[derive(Debug, Clone)]
pub struct Repair {
    /// What was rolled back; what the checks say of it is in it.
    pub rolled_back: RollBackOutcome,
    /// Whether it was rolled back, and every check says yes.
    pub verdict: Verdict,
    /// What to do when it did not help.
    pub next: Option<String>,
}

/// What a playbook would do.
///
/// # Errors
///
/// When there is no such playbook, or what it restores is not live.
pub fn plan_repair(work: &Work<'_>, name: &str) -> Result<RollBackPlan, StepError> {
    let playbook = playbook(work, name)?;
    plan_roll_back(work, &options(&live_phases(work)?, playbook)?)
}

/// Carries out a playbook: restores, and has its checks prove it. `why`, for the journal, may be empty;
/// `loss_max` rows and values of databases may be lost.
///
/// # Errors
///
/// When there is no such playbook, or what it restores is not live; and those of a rollback.
pub fn repair(work: &Work<'_>, name: &str, why: &str, loss_max: Option<u64>) -> Result<Repair, StepError> {
    let playbook = playbook(work, name)?;
    let live = live_phases(work)?;
    let mut options = RollBackOptions { loss_max, ..options(&live, playbook)? };
    if !why.is_empty() {
        options.why = format!("{}: {why}", options.why);
    }
    let started = work.world().clock.monotonic();
    let mut rolled_back = roll_back(work, &options)?;
    if rolled_back.against.is_empty() && matches!(playbook.restore, Restore::Parts(_)) {
        rolled_back.validated.extend(prove_parts(work, playbook, live.first()));
    }
    let elapsed = work.world().clock.monotonic().saturating_sub(started);
    rolled_back.proved_milliseconds = elapsed.as_secs_f64() * 1_000.0;
    let verdict = match rolled_back.against.is_empty() {
        false => Verdict::No,
        true if is_proved(work, playbook, &rolled_back) => {
            rolled_back.working().and(verdict_of(&rolled_back.validated)).and(rolled_back.reverted())
        }
        // A proof that was not carried out is no proof.
        true => Verdict::Unknown
            .and(rolled_back.working())
            .and(verdict_of(&rolled_back.validated))
            .and(rolled_back.reverted()),
    };
    let next = if verdict == Verdict::Yes { None } else { next_larger(work, playbook)? };
    Ok(Repair { rolled_back, verdict, next })
}

/// Whether every check that can prove it was carried out, and at least one. One that is for other phases has nothing to say.
fn is_proved(work: &Work<'_>, playbook: &Playbook, rolled_back: &RollBackOutcome) -> bool {
    let is_done = |name: &String| rolled_back.validated.iter().any(|one| &one.check == name);
    let is_for = |name: &String| {
        let check = work.plan().checks.iter().find(|check| &check.name == name);
        check.is_some_and(|check| rolled_back.phases.iter().any(|phase| check.is_for(phase)))
    };
    playbook.prove.iter().any(is_done) && playbook.prove.iter().all(|name| is_done(name) || !is_for(name))
}

/// The phase stays live: its checks look at the live tree as it is now.
fn prove_parts(work: &Work<'_>, playbook: &Playbook, phase: Option<&String>) -> Vec<Validation> {
    let Some(phase) = phase.and_then(|phase| work.plan().phase(phase)) else { return Vec::new() };
    let is_proof = |check: &&CheckPlan| playbook.prove.contains(&check.name) && check.is_for(&phase.name);
    let checks: Vec<&CheckPlan> = work.plan().checks.iter().filter(is_proof).collect();
    let is_back =
        work.history().phase(&phase.name).is_some_and(|phase| phase.state == PhaseState::RolledBack);
    carry_out(work, phase, if is_back { Moment::RolledBack } else { Moment::Now }, &checks)
}

fn playbook<'w>(work: &'w Work<'_>, name: &str) -> Result<&'w Playbook, StepError> {
    work.plan().playbook(name).ok_or_else(|| StepError::NoPlaybook(name.to_owned()))
}

/// What a playbook restores, as a rollback; `live` are the phases that are live, the last one first. An error says why it is
/// not for what is live: its phase is not, or another went live after it where parts of it are restored.
pub(super) fn options(live: &[String], playbook: &Playbook) -> Result<RollBackOptions, StepError> {
    if let Some(phase) = playbook.phase.as_ref().filter(|phase| !live.contains(phase)) {
        return Err(StepError::not_now(
            format!("the playbook `{}` is for the phase `{phase}`, which is not live", playbook.name),
            "`switchback status` shows which phases are; `switchback doctor` proposes what fits",
        ));
    }
    let why = format!("the playbook {}", playbook.name);
    let prove = playbook.prove.clone();
    let whole = |phase| RollBackOptions {
        phase,
        why: why.clone(),
        prove: prove.clone(),
        ..RollBackOptions::default()
    };
    Ok(match &playbook.restore {
        Restore::Phase => whole(playbook.phase.clone()),
        Restore::Everything => whole(live.last().cloned()),
        Restore::Parts(parts) => {
            let last = live.first();
            if let (Some(phase), Some(last)) = (&playbook.phase, last)
                && phase != last
            {
                return Err(StepError::not_now(
                    format!(
                        "the playbook `{}` restores parts of the phase `{phase}`, and `{last}` went live after it",
                        playbook.name
                    ),
                    format!("roll `{last}` back first, or `switchback rollback --phase {phase}` for both"),
                ));
            }
            RollBackOptions { only: parts.clone(), why, ..RollBackOptions::default() }
        }
    })
}

/// The next larger scope: the playbook that this one names, else the phase, else everything, else the snapshot.
fn next_larger(work: &Work<'_>, playbook: &Playbook) -> Result<Option<String>, StepError> {
    let mut next = playbook.escalate.as_deref();
    while let Some(larger) = next.and_then(|name| work.plan().playbook(name)) {
        if can_be_done(work, &larger.name) {
            return Ok(Some(command(&larger.name)));
        }
        next = larger.escalate.as_deref();
    }
    let live = live_phases(work)?;
    let phase = playbook.phase.as_ref().filter(|phase| live.contains(phase));
    Ok(Some(match (&playbook.restore, live.last()) {
        (Restore::Parts(_), Some(_)) => phase.map_or_else(
            || "switchback rollback".to_owned(),
            |phase| format!("switchback rollback --phase {phase}"),
        ),
        (Restore::Phase | Restore::Everything, Some(first)) => format!("switchback rollback --phase {first}"),
        (_, None) => "switchback snapshot list".to_owned(),
    }))
}

/// Whether a playbook restores something now, and breaks nothing by it.
pub(super) fn can_be_done(work: &Work<'_>, name: &str) -> bool {
    plan_repair(work, name).is_ok_and(|plan| plan.against.is_empty())
}

/// The line that carries a playbook out.
pub(super) fn command(name: &str) -> String {
    let is_plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
    if is_plain && !name.starts_with('-') {
        return format!("switchback rollback --playbook {name}");
    }
    format!("switchback rollback --playbook='{}'", name.replace('\'', "'\\''"))
}
