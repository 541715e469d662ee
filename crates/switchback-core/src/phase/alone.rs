//! Checks carried out alone: for the phase that the run stands in, at the point where it stands, or as asked.

use super::cycle::begin_run;
use super::error::StepError;
use super::gate;
use super::look::look_by_hand;
use super::project::Work;
use super::rehearsal::rehearse;
use super::watch::due;
use crate::journal::PhaseState;
use crate::plan::{CheckPlan, Moment, Phase};
use crate::verdict::Verdict;

/// Which checks, when, for which phase.
#[derive(Debug, Clone, Default)]
pub struct CheckOptions {
    /// The checks by name; all of the moment when empty.
    pub names: Vec<String>,
    /// The moment; where the phase stands when left out.
    pub at: Option<Moment>,
    /// The phase; the one that the run stands in when left out.
    pub phase: Option<String>,
}

/// Carries out checks and records what they saw.
pub fn check(work: &Work<'_>, options: &CheckOptions) -> Result<Verdict, StepError> {
    let phase = choose_phase(work, options)?;
    let state = work.history().phase(&phase.name).map_or(PhaseState::Waiting, |phase| phase.state);
    let moment = options.at.unwrap_or(match state {
        PhaseState::Staged => Moment::Staged,
        state if state.is_live() => Moment::Live,
        _ => Moment::Before,
    });
    look_at_moment(phase, state, moment)?;
    look_at_time(work, phase, moment)?;
    let mut checks: Vec<&CheckPlan> = Vec::new();
    for name in &options.names {
        let check = work.plan().checks.iter().find(|check| &check.name == name);
        checks.push(check.ok_or_else(|| StepError::NoCheck(name.clone()))?);
    }
    if options.names.is_empty() {
        checks = work.plan().checks_at(&phase.name, moment).collect();
    }
    if checks.is_empty() {
        return Err(StepError::not_now(
            format!("the plan has no check of the phase `{}` at {moment}", phase.name),
            "name checks, or another point with `--at`",
        ));
    }
    begin_run(work)?;
    if moment == Moment::Rehearsed {
        return rehearse_whole(work, phase, options);
    }
    look_by_hand(work, phase, moment, &checks)
}

/// What a check sees at `rehearsed` is there for as long as a rehearsal lasts: all of it is carried out.
fn rehearse_whole(work: &Work<'_>, phase: &Phase, options: &CheckOptions) -> Result<Verdict, StepError> {
    if !options.names.is_empty() {
        return Err(StepError::not_now(
            "checks at `rehearsed` are carried out together, within a rehearsal",
            "`switchback check --at rehearsed` carries it out",
        ));
    }
    let rehearsed = rehearse(work, phase)?;
    let gate = gate::of_checks(work, phase, Moment::Rehearsed);
    Ok(rehearsed.and(gate.verdict))
}

fn choose_phase<'w>(work: &'w Work<'_>, options: &CheckOptions) -> Result<&'w Phase, StepError> {
    if let Some(name) = &options.phase {
        return work.plan().phase(name).ok_or_else(|| StepError::NoPhase(name.clone()));
    }
    let history = work.history();
    let is_open = |phase: &&Phase| {
        history.phase(&phase.name).is_none_or(|history| history.state != PhaseState::Finished)
    };
    let phases = &work.plan().phases;
    phases.iter().find(is_open).or_else(|| phases.last()).ok_or_else(|| StepError::NoPhase("?".to_owned()))
}

/// There must be something to look at.
fn look_at_moment(phase: &Phase, state: PhaseState, moment: Moment) -> Result<(), StepError> {
    let (is_there, next) = match moment {
        Moment::Before => (!state.is_live(), "the tree before it is the old generation; look at `live`"),
        Moment::Staged | Moment::Rehearsed => {
            (state == PhaseState::Staged, "`switchback run --until staged` stages the candidate")
        }
        Moment::RolledBack => (state == PhaseState::RolledBack, "`switchback rollback` rolls it back"),
        Moment::Live | Moment::After(_) | Moment::Now => (state.is_live(), "`switchback run` makes it live"),
    };
    if is_there {
        return Ok(());
    }
    let what = format!("the phase `{}` is {}: it cannot be looked at {moment}", phase.name, state.word());
    Err(StepError::not_now(what, next))
}

/// A look that is due later cannot be had now: it would count for the one at its time.
fn look_at_time(work: &Work<'_>, phase: &Phase, moment: Moment) -> Result<(), StepError> {
    let since = work.history().phase(&phase.name).and_then(|history| history.live_since.clone());
    let Some(due) = since.and_then(|since| due(&since, moment)) else { return Ok(()) };
    if due <= work.world().clock.now() {
        return Ok(());
    }
    let what = format!("the look at {moment} is due at {due}: an earlier one would not be about that time");
    Err(StepError::not_now(what, "`switchback check` without `--at` looks at what is live now"))
}
