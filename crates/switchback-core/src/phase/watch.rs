//! Watching a live phase: checks whose delay is due, and the triggers on them.

use jiff::{SignedDuration, Timestamp};

use super::error::StepError;
use super::look::{look, open_checks, other_since};
use super::project::Work;
use super::roll_back::{RollBackOptions, roll_back};
use super::witness::Notice;
use crate::journal::Event;
use crate::journal::history::{CheckFact, FiredFact, PhaseHistory};
use crate::plan::{Action, CheckPlan, Condition, Every, Moment, Phase, Trigger, is_beyond};
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
    Held {
        /// Why.
        why: String,
        /// When the next look is due that could still roll back.
        due: Option<Timestamp>,
    },
}

/// What the triggers came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fired {
    /// None rolls back, and none holds.
    Nothing,
    /// One rolled back.
    RolledBack(String),
    /// One holds.
    Holds {
        /// Why.
        why: String,
        /// It did not before.
        is_new: bool,
    },
}

/// When a moment is due for a phase that went live then.
pub fn due(live_since: &str, moment: Moment) -> Option<Timestamp> {
    after(live_since.parse().ok()?, moment)
}

fn after(since: Timestamp, moment: Moment) -> Option<Timestamp> {
    let delay = i64::try_from(moment.delay_s()?).ok()?;
    since.checked_add(SignedDuration::from_secs(delay)).ok()
}

/// A look to come: when, and at what.
type Look<'p> = (Moment, Vec<&'p CheckPlan>);

/// Carries out what is due, once. A trigger that holds keeps nobody from looking: another one may have to roll back.
pub fn watch(work: &Work<'_>, phase: &Phase) -> Result<Watch, StepError> {
    let since = work.history().phase(&phase.name).and_then(|history| history.live_since.clone());
    let since: Timestamp = since.as_deref().and_then(|since| since.parse().ok()).ok_or_else(|| {
        StepError::not_now("the journal does not say when the phase went live", "`switchback log verify`")
    })?;
    // Who was killed after a look did not get to say what it starts.
    let mut fired = fire(work, phase)?;
    let mut to_come: Vec<Look<'_>> = Vec::new();
    if let Fired::RolledBack(why) = fired {
        return Ok(Watch::RolledBack(why));
    }
    for (moment, checks) in open_looks(work, phase, since) {
        let is_due = after(since, moment).unwrap_or(since) <= work.world().clock.now();
        if !is_due || !to_come.is_empty() {
            to_come.push((moment, checks));
            continue;
        }
        look(work, phase, moment, &checks)?;
        fired = fire(work, phase)?;
        if let Fired::RolledBack(why) = fired {
            return Ok(Watch::RolledBack(why));
        }
    }
    // What is repeated may be due again by now.
    to_come.extend(next_times(work, phase, since).into_iter().map(|time| (time.moment, vec![time.check])));
    let due_at = |moment| after(since, moment).unwrap_or(since);
    Ok(match fired {
        Fired::RolledBack(why) => Watch::RolledBack(why),
        Fired::Holds { why, .. } => {
            let may_roll_back = |(_, checks): &&Look<'_>| checks.iter().any(|check| rolls_back(work, check));
            let next = first(to_come.iter().filter(may_roll_back));
            Watch::Held { why, due: next.map(due_at) }
        }
        Fired::Nothing => match first(to_come.iter()) {
            Some(next) => Watch::Waits { at: next.to_string(), due: due_at(next) },
            None => Watch::Over,
        },
    })
}

/// The earliest of these.
fn first<'l, 'p: 'l>(looks: impl Iterator<Item = &'l Look<'p>>) -> Option<Moment> {
    looks.map(|(moment, _)| *moment).min()
}

/// Whether a trigger on a check rolls back.
fn rolls_back(work: &Work<'_>, check: &CheckPlan) -> bool {
    let of_check = |trigger: &&Trigger| trigger.condition.check == check.name;
    work.plan().triggers.iter().filter(of_check).any(|trigger| trigger.action == Action::RollBack)
}

/// Every look after the cutover that is still to be carried out, the first one first; what is repeated has its next time
/// among them.
fn open_looks<'p>(work: &'p Work<'_>, phase: &'p Phase, since: Timestamp) -> Vec<Look<'p>> {
    let mut open: Vec<Look<'p>> = Vec::new();
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
        let is_listed = |look: &Look<'_>| {
            look.0 == time.moment && look.1.iter().any(|check| std::ptr::eq(*check, time.check))
        };
        if !open.iter().any(is_listed) {
            open.push((time.moment, vec![time.check]));
        }
    }
    open.sort_by_key(|(moment, _)| *moment);
    open
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
        if let Some((number, missed)) = next_number(every, &check.name, facts, elapsed_s) {
            return Some(Time { check, moment: every.moment(number), missed });
        }
        // The last time counts for all of them, so it has to be about what the plan says now.
        let moment = every.moment(every.times());
        let history = history.phase(&phase.name)?;
        let last = history.last_check(&check.name, &moment.to_string())?;
        other_since(check, last).map(|_| Time { check, moment, missed: 0 })
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

/// Looks at every trigger, and rolls back when one says so, wherever it stands in the plan; else says whether one holds.
///
/// What the journal tells of a trigger since the last outcome that it rests on is not told again: a rollback that it began is gone
/// on with.
pub(super) fn fire(work: &Work<'_>, phase: &Phase) -> Result<Fired, StepError> {
    let Some(history) = work.history().phase(&phase.name).cloned() else { return Ok(Fired::Nothing) };
    let fires = |trigger| held(trigger, &history).map(|(why, seq)| (trigger, why, seq));
    let firing: Vec<(&Trigger, String, u64)> = work.plan().triggers.iter().filter_map(fires).collect();
    let tell = |trigger: &Trigger, why: &str| {
        work.record(Event::TriggerFired {
            phase: phase.name.clone(),
            check: trigger.condition.check.clone(),
            action: trigger.action.word().to_owned(),
            when: trigger.condition.words(),
            why: why.to_owned(),
        })
    };
    let is_told = |(trigger, why, seq): &(&Trigger, String, u64)| {
        let is_it = |fired: &&FiredFact| is_of(trigger, fired) && fired.why == *why;
        history.fired.iter().filter(is_it).any(|fired| fired.seq > *seq)
    };
    let of_action = |action: Action| firing.iter().filter(move |(trigger, ..)| trigger.action == action);
    for (trigger, why, _) in of_action(Action::Tell).filter(|one| !is_told(one)) {
        tell(trigger, why)?;
        work.witness.notice(Notice::Warning(why.clone()));
    }
    if let Some(one) = of_action(Action::RollBack).next() {
        let (trigger, why, _) = one;
        if !is_told(one) {
            tell(trigger, why)?;
        }
        let options = RollBackOptions {
            phase: Some(phase.name.clone()),
            why: why.clone(),
            ..RollBackOptions::default()
        };
        let left = roll_back(work, &options)?.left_in_databases();
        return Ok(Fired::RolledBack([vec![why.clone()], left].concat().join("; ")));
    }
    // A hold that stands is a person's to end: it is not told anew with each look that says the same.
    let all = work.plan().triggers.iter().filter(|trigger| trigger.action == Action::Hold);
    let standing: Vec<(&Trigger, String)> = all
        .filter_map(|trigger| Some((trigger, hold_of(&work.plan().triggers, trigger, &history)?)))
        .collect();
    let mut new = of_action(Action::Hold)
        .filter(|(trigger, ..)| !standing.iter().any(|(other, _)| std::ptr::eq(*other, *trigger)));
    if let Some((trigger, why, _)) = new.next() {
        tell(trigger, why)?;
        return Ok(Fired::Holds { why: why.clone(), is_new: true });
    }
    let standing = standing.into_iter().next();
    Ok(standing.map_or(Fired::Nothing, |(_, why)| Fired::Holds { why, is_new: false }))
}

/// Whether it was this trigger that fired.
pub(crate) fn is_of(trigger: &Trigger, fired: &FiredFact) -> bool {
    let is_same = fired.when.is_empty() || trigger.condition.is_said(&fired.when);
    is_same && fired.check == trigger.condition.check && fired.action == trigger.action.word()
}

/// Whether what fired holds by this trigger. What the plan no longer has in those words holds by every trigger on that check: another
/// condition is no look of a person.
fn holds_by(all: &[Trigger], trigger: &Trigger, fired: &FiredFact) -> bool {
    let is_like =
        |other: &Trigger| fired.check == other.condition.check && fired.action == other.action.word();
    is_of(trigger, fired) || is_like(trigger) && !all.iter().any(|other| is_of(other, fired))
}

/// Why a trigger that fired still holds; `None` once somebody looked again, and saw something else.
///
/// What the watch sees, at its own times or where it looks once more, ends no hold, because a person is to decide.
fn hold_of(all: &[Trigger], trigger: &Trigger, history: &PhaseHistory) -> Option<String> {
    let condition = &trigger.condition;
    let fired = history.fired.iter().rev().find(|fired| holds_by(all, trigger, fired))?;
    let facts: Vec<&CheckFact> = history.checks.iter().filter(|fact| fact.check == condition.check).collect();
    let baseline = baseline(condition, history);
    // Versions that wrote down no condition did not write down who looked, either: one at `live`, or one more at a moment that had an
    // answer, was a person's.
    let is_of_person = |at: usize| {
        let had_answer = |fact: &&CheckFact| fact.at == facts[at].at && fact.verdict != Verdict::Unknown;
        let is_early = fired.when.is_empty();
        facts[at].by_hand || is_early && (facts[at].at == LIVE || facts[..at].iter().any(had_answer))
    };
    let is_later = |at: usize| facts[at].seq > fired.seq && is_live(&facts[at].at);
    let says_else = |at: usize| is_worse(condition, facts[at], baseline) == Some(false);
    let is_ended = (0..facts.len()).any(|at| is_later(at) && is_of_person(at) && says_else(at));
    (!is_ended).then(|| fired.why.clone())
}

/// The triggers that have nothing to compare with, and why, in words.
pub(super) fn without_answer(work: &Work<'_>, phase: &Phase) -> Vec<String> {
    let history = work.history();
    let Some(history) = history.phase(&phase.name) else { return Vec::new() };
    let words = |(trigger, _): (&Trigger, &CheckPlan)| {
        Some(format!("{} could not tell: {}", trigger.title(), untold(trigger, history)?))
    };
    work.plan().triggers_of(&phase.name).filter_map(words).collect()
}

/// Why a trigger has nothing to compare with, whatever is seen; `None` where it has.
pub(crate) fn untold(trigger: &Trigger, history: &PhaseHistory) -> Option<String> {
    without_multiple(&trigger.condition, baseline(&trigger.condition, history))
}

/// Why `worse_than` says nothing, where the measure of before is not more than 0: what is unchanged would be more than twice −1.
pub(super) fn without_multiple(condition: &Condition, baseline: Option<&CheckFact>) -> Option<String> {
    condition.worse_than_times?;
    let before = baseline?.measure.filter(|before| *before <= 0.0)?;
    Some(format!(
        "its check measured {before} at `before`, and `worse_than` needs more than 0 there; use `off_by`"
    ))
}

/// What a trigger compares with.
fn baseline<'h>(condition: &Condition, history: &'h PhaseHistory) -> Option<&'h CheckFact> {
    let of_check = |fact: &&CheckFact| fact.check == condition.check && fact.at == "before";
    history.checks.iter().rev().find(of_check)
}

/// Why a trigger fires; `None` when it does not.
///
/// The outcomes since the cutover are gone through from the last one back. *Could not tell* neither counts nor ends a
/// row: nothing is rolled back because something could not be seen.
pub fn holds(trigger: &Trigger, history: &PhaseHistory) -> Option<String> {
    held(trigger, history).map(|(why, _)| why)
}

/// Whether a moment was looked at once more, because what was seen at it before could not be told or is void; `earlier`: the outcomes
/// before this one, the last one first.
fn is_again(fact: &CheckFact, earlier: &[&CheckFact]) -> bool {
    earlier.iter().find(|known| known.at == fact.at).is_some_and(|known| {
        let (was, is) = (&known.binding, &fact.binding);
        known.verdict == Verdict::Unknown || was.options != is.options || was.tool != is.tool
    })
}

/// Whether the first of these outcomes, the last one first, and the one before it are one look: somebody looked once more by hand, or
/// several moments are looked at once more in one go, at a moment that had come when the earlier look began.
fn is_one_look(history: &PhaseHistory, outcomes: &[&CheckFact]) -> bool {
    let [later, earlier, ..] = outcomes else { return false };
    let had_come = || {
        if later.at == LIVE {
            return Some(true);
        }
        let due = due(history.live_since.as_deref()?, Moment::parse(&later.at)?)?;
        let ended: Timestamp = earlier.time.parse().ok()?;
        let took = SignedDuration::from_millis(i64::try_from(earlier.milliseconds).ok()?);
        Some(due <= ended.checked_sub(took).ok()?)
    };
    // What could not be told before, or is void, is another look than those before it.
    let is_taken_again = is_again(later, &outcomes[1..]) && is_again(earlier, &outcomes[2..]);
    (later.by_hand || is_taken_again) && had_come().unwrap_or(false)
}

/// Why a trigger fires, and the position of the last outcome that it rests on.
fn held(trigger: &Trigger, history: &PhaseHistory) -> Option<(String, u64)> {
    let condition = &trigger.condition;
    let of_check = |fact: &&CheckFact| fact.check == condition.check;
    let baseline = baseline(condition, history);
    let mut row = 0;
    let mut last = None;
    // What somebody looked at by hand is no outcome of the watch.
    let watched = history.checks.iter().rev().filter(of_check).filter(|fact| fact.at != NOW);
    let since_live: Vec<&CheckFact> = watched.take_while(|fact| is_live(&fact.at)).collect();
    // One look counts once, by the last word that it has.
    let mut is_said = false;
    for (at, fact) in since_live.iter().enumerate() {
        let is_of_one = at.checked_sub(1).is_some_and(|newer| is_one_look(history, &since_live[newer..]));
        is_said = is_said && is_of_one;
        if is_said {
            continue;
        }
        let Some(is_worse) = is_worse(condition, fact, baseline) else { continue };
        if !is_worse {
            break;
        }
        is_said = true;
        row += 1;
        last = last.or(Some(*fact));
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
    // Where nobody answers there is nothing to count: such a *no* rests on no value that could be too thin.
    let is_plain_no = fact.verdict == Verdict::No && fact.samples.is_none() && fact.measure.is_none();
    let is_thin = |least: u64| !is_plain_no && fact.samples.is_none_or(|samples| samples < least);
    if fact.verdict == Verdict::Unknown || condition.least_samples.is_some_and(is_thin) {
        return None;
    }
    let measures = fact.measure.zip(baseline.and_then(|baseline| baseline.measure));
    if measures.is_some() && without_multiple(condition, baseline).is_some() {
        return None;
    }
    Some(match (condition, measures) {
        (Condition { worse_than_times: Some(times), .. }, Some((now, before))) => {
            is_beyond(now, before * times, now.abs())
        }
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

/// [`Moment::Live`], as the journal has it.
const LIVE: &str = "live";

/// Whether a moment, as the journal has it, is one of the live tree.
pub(crate) fn is_live(at: &str) -> bool {
    at == LIVE || at.starts_with('+')
}
