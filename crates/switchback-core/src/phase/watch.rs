//! Watching a live phase: checks whose delay is due, and the triggers on them.

use jiff::{SignedDuration, Timestamp};

use super::error::StepError;
use super::look::{look, open_checks};
use super::project::Work;
use super::roll_back::{RollBackOptions, roll_back};
use super::witness::Notice;
use crate::journal::Event;
use crate::journal::history::{CheckFact, FiredFact, PhaseHistory};
use crate::plan::{Action, CheckPlan, Condition, Every, Moment, Phase, Trigger};
use crate::quantity::counted;
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
    after(live_since.parse().ok()?, moment)
}

fn after(since: Timestamp, moment: Moment) -> Option<Timestamp> {
    let delay = i64::try_from(moment.delay_s()?).ok()?;
    since.checked_add(SignedDuration::from_secs(delay)).ok()
}

/// Carries out what is due, once.
pub fn watch(work: &Work<'_>, phase: &Phase) -> Result<Watch, StepError> {
    let since = work.history().phase(&phase.name).and_then(|history| history.live_since.clone());
    let since: Timestamp = since.as_deref().and_then(|since| since.parse().ok()).ok_or_else(|| {
        StepError::not_now("the journal does not say when the phase went live", "`switchback log verify`")
    })?;
    // Who was killed after a look did not get to say what it starts.
    if let Some(fired) = act(work, phase, true)? {
        return Ok(fired);
    }
    let mut open: Vec<(Moment, Vec<&CheckPlan>)> = Vec::new();
    for moment in work.plan().watch_moments(&phase.name) {
        let checks = open_checks(work, phase, moment, |fact| fact.verdict == Verdict::Unknown);
        if !checks.is_empty() {
            open.push((moment, checks));
        }
    }
    for time in next_times(work, phase, since) {
        if time.missed > 0 && time.due(since).is_some_and(|due| due <= work.world().clock.now()) {
            let missed = counted(time.missed, "time");
            let what = format!("the check `{}` was missed {missed}: nobody watched", time.check.name);
            work.witness.notice(Notice::Warning(what));
        }
        open.push((time.moment, vec![time.check]));
    }
    open.sort_by_key(|(moment, _)| *moment);
    for (moment, checks) in open {
        let due = after(since, moment).unwrap_or(since);
        if due > work.world().clock.now() {
            return Ok(Watch::Waits { at: moment.to_string(), due });
        }
        look(work, phase, moment, &checks)?;
        if let Some(fired) = fire(work, phase)? {
            return Ok(fired);
        }
    }
    // What is repeated may be due again by now.
    let next = next_times(work, phase, since).into_iter().min_by_key(|time| time.moment);
    Ok(match next {
        Some(next) => Watch::Waits { at: next.moment.to_string(), due: next.due(since).unwrap_or(since) },
        None => Watch::Over,
    })
}

/// The next time of a check that is repeated.
struct Time<'p> {
    check: &'p CheckPlan,
    moment: Moment,
    /// How many times before it passed without a look: one look says what several at once would.
    missed: u64,
}

impl Time<'_> {
    fn due(&self, since: Timestamp) -> Option<Timestamp> {
        after(since, self.moment)
    }
}

/// The next time of each check that is repeated and not at its end: the last one that is due, else the one to come.
fn next_times<'p>(work: &'p Work<'_>, phase: &'p Phase, since: Timestamp) -> Vec<Time<'p>> {
    let elapsed_s = u64::try_from(work.world().clock.now().duration_since(since).as_secs()).unwrap_or(0);
    let history = work.history();
    let facts = history.phase(&phase.name).map_or(&[][..], |history| history.checks.as_slice());
    let next = |(check, every): (&'p CheckPlan, Every)| {
        let (number, missed) = next_number(every, &check.name, facts, elapsed_s)?;
        Some(Time { check, moment: every.moment(number), missed })
    };
    work.plan().repeated_checks(&phase.name).filter_map(next).collect()
}

/// Which time of a repeated check is next, so long after the cutover, and how many before it passed without a look; `None` when
/// it is at its end.
pub fn next_number(every: Every, check: &str, facts: &[CheckFact], elapsed_s: u64) -> Option<(u64, u64)> {
    let number = |fact: &CheckFact| Moment::parse(&fact.at).and_then(|moment| every.number(moment));
    let done = facts.iter().filter(|fact| fact.check == check).filter_map(number).max().unwrap_or(0);
    let due = (elapsed_s / every.every_s).min(every.times());
    let number = if due > done { due } else { done + 1 };
    (number <= every.times()).then_some((number, number - done - 1))
}

/// Looks at every trigger; the first that rolls back or holds ends the watch.
///
/// What the journal tells of a trigger since the last outcome that it rests on is not told again: a rollback that it began is gone
/// on with.
pub fn fire(work: &Work<'_>, phase: &Phase) -> Result<Option<Watch>, StepError> {
    act(work, phase, false)
}

/// Like [`fire`]; `holds_on`: a trigger that held before still does, as long as nothing else was seen.
fn act(work: &Work<'_>, phase: &Phase, holds_on: bool) -> Result<Option<Watch>, StepError> {
    for trigger in &work.plan().triggers {
        let history = work.history().phase(&phase.name).cloned();
        let Some(history) = history else { continue };
        let Some((why, seq)) = held(trigger, &history) else { continue };
        let (check, action) = (&trigger.condition.check, trigger.action);
        let is_it = |fired: &FiredFact| {
            fired.seq > seq && fired.check == *check && fired.action == action.word() && fired.why == why
        };
        let is_told = history.fired.iter().any(is_it);
        if !is_told {
            work.record(Event::TriggerFired {
                phase: phase.name.clone(),
                check: check.clone(),
                action: action.word().to_owned(),
                why: why.clone(),
            })?;
        }
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
            Action::Hold if !is_told || holds_on => return Ok(Some(Watch::Held(why))),
            Action::Tell if !is_told => work.witness.notice(Notice::Warning(why)),
            Action::Hold | Action::Tell => {}
        }
    }
    Ok(None)
}

/// Why a trigger fires; `None` when it does not.
///
/// The outcomes since the cutover are gone through from the last one back. *Could not tell* neither counts nor ends a
/// row: nothing is rolled back because something could not be seen.
pub fn holds(trigger: &Trigger, history: &PhaseHistory) -> Option<String> {
    held(trigger, history).map(|(why, _)| why)
}

/// Why a trigger fires, and the position of the last outcome that it rests on.
fn held(trigger: &Trigger, history: &PhaseHistory) -> Option<(String, u64)> {
    let condition = &trigger.condition;
    let of_check = |fact: &&CheckFact| fact.check == condition.check;
    let baseline = history.checks.iter().rev().filter(of_check).find(|fact| fact.at == "before");
    let mut row = 0;
    let mut last = None;
    // What somebody looked at by hand is no outcome of the watch.
    let watched = history.checks.iter().rev().filter(of_check).filter(|fact| fact.at != NOW);
    let since_live = watched.take_while(|fact| is_live(&fact.at));
    for fact in since_live {
        let Some(is_worse) = is_worse(condition, fact, baseline) else { continue };
        if !is_worse {
            break;
        }
        row += 1;
        last = last.or(Some(fact));
        if row == condition.in_a_row {
            let fact = last?;
            let times = if row == 1 { String::new() } else { format!(" {row} times in a row") };
            let why = format!(
                "the check `{}` failed its trigger{times} at {}: {}{}",
                fact.check,
                fact.at,
                fact.summary,
                compared(condition, fact, baseline)
            );
            return Some((why, fact.seq));
        }
    }
    None
}

/// Whether an outcome is what a trigger waits for; `None` when it says nothing of it.
pub(super) fn is_worse(
    condition: &Condition,
    fact: &CheckFact,
    baseline: Option<&CheckFact>,
) -> Option<bool> {
    let is_thin = |least: u64| fact.samples.is_none_or(|samples| samples < least);
    if fact.verdict == Verdict::Unknown || condition.least_samples.is_some_and(is_thin) {
        return None;
    }
    let measures = fact.measure.zip(baseline.and_then(|baseline| baseline.measure));
    Some(match (condition, measures) {
        (Condition { worse_than_times: Some(times), .. }, Some((now, before))) => now > before * times,
        (Condition { off_by: Some(off), .. }, Some((now, before))) => off.is_met(before, now),
        // Without a measure on both sides, only the check's own verdict is left.
        _ => fact.verdict == Verdict::No,
    })
}

/// The two measures that a trigger compares, in words to follow what the check said; empty where it compares none.
pub(super) fn compared(condition: &Condition, fact: &CheckFact, baseline: Option<&CheckFact>) -> String {
    let before = baseline.filter(|_| condition.is_compared()).and_then(|baseline| baseline.measure);
    fact.measure
        .zip(before)
        .map_or_else(String::new, |(now, before)| format!(" ({now}, and {before} before)"))
}

/// [`Moment::Now`], as the journal has it.
const NOW: &str = "now";

/// Whether a moment, as the journal has it, is one of the live tree.
pub(crate) fn is_live(at: &str) -> bool {
    at == "live" || at.starts_with('+')
}
