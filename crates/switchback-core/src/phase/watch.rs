//! Watching a live phase: checks whose delay is due, and the triggers on them.

use jiff::{SignedDuration, Timestamp};

use super::error::StepError;
use super::look::{look, open_checks};
use super::project::Work;
use super::roll_back::{RollBackOptions, roll_back};
use super::witness::Notice;
use crate::journal::Event;
use crate::journal::history::{CheckFact, PhaseHistory};
use crate::plan::{Action, Moment, Phase, Trigger};
use crate::verdict::Verdict;

/// What watching came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Watch {
    /// Every delay was due, and every check was carried out.
    Over,
    /// The next check is due then.
    Waits {
        /// The delay, as in the plan.
        at: String,
        /// When it is due.
        due: Timestamp,
    },
    /// A trigger rolled back.
    RolledBack(String),
    /// A trigger holds the run.
    Held(String),
}

/// When a moment is due for a phase that went live then.
pub fn due(live_since: &str, moment: Moment) -> Option<Timestamp> {
    let since: Timestamp = live_since.parse().ok()?;
    let delay = i64::try_from(moment.delay_s()?).ok()?;
    since.checked_add(SignedDuration::from_secs(delay)).ok()
}

/// Carries out what is due, once.
pub fn watch(work: &Work<'_>, phase: &Phase) -> Result<Watch, StepError> {
    for moment in work.plan().watch_moments(&phase.name) {
        let since = work.history().phase(&phase.name).and_then(|history| history.live_since.clone());
        let due = since.as_deref().and_then(|since| due(since, moment)).ok_or_else(|| {
            StepError::not_now("the journal does not say when the phase went live", "`switchback log verify`")
        })?;
        let open = open_checks(work, phase, moment, |fact| fact.verdict == Verdict::Unknown);
        if open.is_empty() {
            continue;
        }
        if due > work.world().clock.now() {
            return Ok(Watch::Waits { at: moment.to_string(), due });
        }
        look(work, phase, moment, &open)?;
        if let Some(fired) = fire(work, phase)? {
            return Ok(fired);
        }
    }
    Ok(Watch::Over)
}

/// Looks at every trigger; the first that rolls back or holds ends the watch.
pub fn fire(work: &Work<'_>, phase: &Phase) -> Result<Option<Watch>, StepError> {
    for trigger in &work.plan().triggers {
        let history = work.history().phase(&phase.name).cloned();
        let Some(history) = history else { continue };
        let Some(why) = holds(trigger, &history) else { continue };
        let action = trigger.action;
        work.record(Event::TriggerFired {
            phase: phase.name.clone(),
            check: trigger.condition.check.clone(),
            action: action.word().to_owned(),
            why: why.clone(),
        })?;
        match action {
            Action::RollBack => {
                let options = RollBackOptions {
                    phase: Some(phase.name.clone()),
                    why: why.clone(),
                    ..RollBackOptions::default()
                };
                let left = roll_back(work, &options)?.left_in_databases();
                return Ok(Some(Watch::RolledBack([vec![why], left].concat().join("; "))));
            }
            Action::Hold => return Ok(Some(Watch::Held(why))),
            Action::Tell => work.witness.notice(Notice::Warning(why)),
        }
    }
    Ok(None)
}

/// Why a trigger fires; `None` when it does not.
///
/// The outcomes since the cutover are gone through from the last one back. *Could not tell* neither counts nor ends a
/// row: nothing is rolled back because something could not be seen.
pub fn holds(trigger: &Trigger, history: &PhaseHistory) -> Option<String> {
    let condition = &trigger.condition;
    let of_check = |fact: &&CheckFact| fact.check == condition.check;
    let baseline = history.checks.iter().rev().filter(of_check).find(|fact| fact.at == "before");
    let mut row = 0;
    let mut last = None;
    // What somebody looked at by hand is no outcome of the watch.
    let watched = history.checks.iter().rev().filter(of_check).filter(|fact| fact.at != NOW);
    let since_live = watched.take_while(|fact| is_live(&fact.at));
    for fact in since_live.filter(|fact| fact.verdict != Verdict::Unknown) {
        let is_worse = match condition.worse_than_times {
            None => fact.verdict == Verdict::No,
            Some(times) => match (fact.measure, baseline.and_then(|baseline| baseline.measure)) {
                (Some(now), Some(before)) => now > before * times,
                // Without a measure on both sides, only the check's own verdict is left.
                _ => fact.verdict == Verdict::No,
            },
        };
        if !is_worse {
            break;
        }
        row += 1;
        last = last.or(Some(fact));
        if row == condition.in_a_row {
            let fact = last?;
            let times = if row == 1 { String::new() } else { format!(" {row} times in a row") };
            return Some(format!(
                "the check `{}` failed its trigger{times} at {}: {}",
                fact.check, fact.at, fact.summary
            ));
        }
    }
    None
}

/// [`Moment::Now`], as the journal has it.
const NOW: &str = "now";

fn is_live(at: &str) -> bool {
    at == "live" || at.starts_with('+')
}
