//! Shadows: before a phase goes live, old and new run every input of a period, or of a set, side by side.
//!
//! `inputs` lists what is due → `kept` keeps a copy of it, before the journal says that it is begun → `check::shadow` runs both sides →
//! the journal says what came of it → `tally` counts, and says the verdict over everything. [`stand`] says whether all of that
//! is about what would go in now (BX-10). Killed anywhere, the next start runs the input again that was under way, from its copy.

mod inputs;
mod kept;
mod one;
pub mod stand;
pub mod tally;

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use self::inputs::{Known, Listed};
use self::one::{Hall, Running};
use self::stand::{Standing, binding, standing_now};
use super::cycle::RunOutcome;
use super::error::StepError;
use super::gate::{self, Gate, Needs, Upto};
use super::project::Work;
use super::witness::Notice;
use crate::check::shadow::Allowed;
use crate::journal::{Event, PhaseState, ShadowFact};
use crate::plan::{Phase, Shadow};
use crate::quantity::counted;
use crate::verdict::Verdict;

/// How long it is waited at most until inputs are looked for again.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// What is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    /// Nothing: what is due now is run.
    Now,
    /// Inputs that may still be written.
    Settling,
    /// The end of the period.
    Whole,
}

/// How `switchback shadow` is carried out.
#[derive(Debug, Clone, Default)]
pub struct ShadowOptions {
    /// The phase; the one that is rehearsed when left out.
    pub phase: Option<String>,
    /// Runs what is due now, and does not wait.
    pub once: bool,
    /// Begins anew; what was counted does not count any more.
    pub again: bool,
}

/// A shadow that is not over.
#[derive(Debug)]
struct Open {
    /// What it waits for, in words.
    told: String,
    /// Whether an input of it says no already.
    is_refused: bool,
    due: Timestamp,
    /// Whether only inputs that may still be written are waited for.
    settles: bool,
}

/// Runs the shadows of the rehearsed phase, until they are over or, `once`, as far as they are due.
pub fn shadow(work: &Work<'_>, options: &ShadowOptions) -> Result<RunOutcome, StepError> {
    let phase = choose(work, options)?;
    if work.plan().shadows_of(&phase.name).next().is_none() {
        return Err(StepError::not_now(
            format!("the plan has no shadow for the phase `{}`", phase.name),
            "add a `[[shadow]]`, or go on with `switchback run`",
        ));
    }
    if options.again {
        for shadow in work.plan().shadows_of(&phase.name) {
            begin(work, phase, shadow, "it was begun again by hand")?;
        }
    }
    let patience = if options.once { Patience::Now } else { Patience::Whole };
    if let Some(held) = step(work, phase, patience)? {
        return Ok(held);
    }
    let needs = Needs { rehearsal: true, upto: Upto::Shadows };
    let gate = gate::before_cut_over(work, phase, needs)?;
    Ok(if gate.verdict == Verdict::Yes { RunOutcome::reached(phase) } else { RunOutcome::held(phase, gate) })
}

fn choose<'w>(work: &'w Work<'_>, options: &ShadowOptions) -> Result<&'w Phase, StepError> {
    let state = |phase: &Phase| work.history().phase(&phase.name).map(|history| history.state);
    let phase = if let Some(name) = &options.phase {
        work.plan().phase(name).ok_or_else(|| StepError::NoPhase(name.clone()))?
    } else {
        let mut open = work.plan().phases.iter().filter(|phase| state(phase) != Some(PhaseState::Finished));
        open.next()
            .ok_or_else(|| StepError::not_now("every phase is over", "`switchback status` shows it"))?
    };
    if state(phase) != Some(PhaseState::Staged) {
        let what = format!(
            "the phase `{}` is not rehearsed: there is no candidate to run beside the old tree",
            phase.name
        );
        return Err(StepError::not_now(what, "`switchback run --until rehearsed` builds and rehearses it"));
    }
    Ok(phase)
}

/// Runs what is due of all shadows of a phase. `None`: all of them are over.
pub(super) fn step(
    work: &Work<'_>,
    phase: &Phase,
    patience: Patience,
) -> Result<Option<RunOutcome>, StepError> {
    let mut known = Known::default();
    loop {
        if is_over(work, phase, &mut known)? {
            return Ok(None);
        }
        // Inputs are run for exactly what was rehearsed, or not at all.
        let gate = gate::before_cut_over(work, phase, Needs { rehearsal: true, ..Needs::default() })?;
        if gate.verdict != Verdict::Yes {
            return Ok(Some(RunOutcome::held(phase, gate)));
        }
        if let Some(why) = unguarded(work) {
            return Ok(Some(RunOutcome::held(phase, why)));
        }
        let mut open = Vec::new();
        for shadow in work.plan().shadows_of(&phase.name) {
            open.extend(go_on(work, phase, shadow, &mut known)?);
        }
        let Some(due) = open.iter().map(|open| open.due).min() else { continue };
        let waits = match patience {
            Patience::Now => false,
            Patience::Settling => open.iter().all(|open| open.settles),
            Patience::Whole => true,
        };
        if !waits {
            return Ok(Some(waiting(phase, &open)));
        }
        let wait = due.duration_since(work.world().clock.now());
        let wait = if wait.is_negative() { Duration::ZERO } else { wait.unsigned_abs() };
        work.world().clock.sleep(wait.clamp(Duration::from_millis(50), LOOK_EVERY));
    }
}

fn is_over(work: &Work<'_>, phase: &Phase, known: &mut Known) -> Result<bool, StepError> {
    for shadow in work.plan().shadows_of(&phase.name) {
        let fact = fact_of(work, phase, shadow);
        // What it reads may be gone: the gate says so.
        let Ok(now) = binding(work, phase, shadow) else { return Ok(false) };
        if !matches!(standing_now(work, shadow, fact.as_ref(), &now, known)?, Standing::Over(_)) {
            return Ok(false);
        }
    }
    Ok(true)
}

fn fact_of(work: &Work<'_>, phase: &Phase, shadow: &Shadow) -> Option<ShadowFact> {
    work.history().phase(&phase.name).and_then(|history| history.shadows.get(&shadow.name).cloned())
}

/// Why nothing can be run here, where nobody could say what it reaches.
fn unguarded(work: &Work<'_>) -> Option<Gate> {
    if work.project.confinement().is_some() && crate::world::can_guard() {
        return None;
    }
    let mut gate = Gate::open();
    gate.close(
        Verdict::Unknown,
        "this system cannot keep a command from reaching outside and tell what it tried (that needs Linux 5.19 or newer with \
         Landlock, on x86_64): nothing was run side by side",
        "run the shadow where it can, or take `[[shadow]]` out of the plan",
    );
    Some(gate)
}

fn waiting(phase: &Phase, open: &[Open]) -> RunOutcome {
    let is_refused = open.iter().any(|open| open.is_refused);
    let next = if is_refused {
        "correct the candidate, then `switchback run --restage`; `switchback shadow` goes on counting"
    } else {
        "`switchback shadow` waits for inputs and runs them; `switchback shadow --once` is for a timer"
    };
    RunOutcome {
        verdict: if is_refused { Verdict::No } else { Verdict::Unknown },
        reasons: open.iter().map(|open| open.told.clone()).collect(),
        next: next.to_owned(),
        // What is refused will not become a yes by waiting.
        due: open.iter().map(|open| open.due).min().filter(|_| !is_refused),
        ..RunOutcome::reached(phase)
    }
}

/// Begins a shadow, or begins it anew; `voids` says why what was counted does not count any more.
fn begin(work: &Work<'_>, phase: &Phase, shadow: &Shadow, voids: &str) -> Result<(), StepError> {
    let counted_before = fact_of(work, phase, shadow).map_or(0, |fact| fact.inputs.len());
    let voids = if counted_before == 0 {
        String::new()
    } else {
        let verb = if counted_before == 1 { "does" } else { "do" };
        let inputs = counted(counted_before as u64, "input");
        format!("{inputs} counted before {verb} not count any more: {voids}")
    };
    if !voids.is_empty() {
        work.witness.notice(Notice::Warning(format!("shadow {}: {voids}", shadow.name)));
    }
    if fact_of(work, phase, shadow).is_some_and(|fact| fact.running.is_some()) {
        kept::forget_all(work)?;
    }
    let period =
        shadow.period_s.and_then(|seconds| i64::try_from(seconds).ok()).map(SignedDuration::from_secs);
    let now = work.world().clock.now();
    let until = period.and_then(|period| now.checked_add(period).ok());
    work.record(Event::ShadowStarted {
        phase: phase.name.clone(),
        shadow: shadow.name.clone(),
        until: until.map_or_else(String::new, |until| until.to_string()),
        voids,
        binding: binding(work, phase, shadow)?,
    })
}

/// Runs what is due of one shadow, and ends it where nothing is to come any more. `None`: it is over.
fn go_on(
    work: &Work<'_>,
    phase: &Phase,
    shadow: &Shadow,
    known: &mut Known,
) -> Result<Option<Open>, StepError> {
    let fact = fact_of(work, phase, shadow);
    match standing_now(work, shadow, fact.as_ref(), &binding(work, phase, shadow)?, known)? {
        Standing::Over(_) => return Ok(None),
        Standing::UnderWay(_) => {}
        Standing::NotBegun => begin(work, phase, shadow, "")?,
        Standing::Void(why) => begin(work, phase, shadow, &why)?,
    }
    run_due(work, phase, shadow, known)?;
    let Some(fact) = fact_of(work, phase, shadow) else { return Ok(None) };
    // What came while others were run is found by a look that nothing follows.
    let listed = inputs::list(work, shadow, &fact, known)?;
    if !listed.ready.is_empty() {
        let due = work.world().clock.now();
        return Ok(Some(open(work, shadow, &fact, due, true)));
    }
    let until: Option<Timestamp> = fact.until.parse().ok();
    let is_past = until.is_none_or(|until| until <= work.world().clock.now());
    match listed.settles {
        None if is_past => {
            one::end(work, phase, shadow, &fact)?;
            Ok(None)
        }
        None => Ok(until.map(|until| open(work, shadow, &fact, until, false))),
        Some(settles) => Ok(Some(open(work, shadow, &fact, settles, is_past))),
    }
}

/// Runs the input that was under way when an earlier run was killed, then all that are there.
fn run_due(work: &Work<'_>, phase: &Phase, shadow: &Shadow, known: &mut Known) -> Result<(), StepError> {
    let Some(fact) = fact_of(work, phase, shadow) else { return Ok(()) };
    let listed: Listed = inputs::list(work, shadow, &fact, known)?;
    if fact.running.is_none() && listed.ready.is_empty() {
        return Ok(());
    }
    let allowed = allowed(work, shadow)?;
    let hall = Hall::open(work, phase)?;
    let mut running = Running::begin(work, phase, shadow, &hall, &allowed)?;
    if let Some((input, content)) = fact.running {
        running.again(&input, &content)?;
    }
    for pending in listed.ready {
        running.input(&pending)?;
    }
    drop(running);
    hall.close(work)
}

/// What may be reached, by absolute paths.
fn allowed(work: &Work<'_>, shadow: &Shadow) -> Result<Allowed, StepError> {
    let mut allowed = shadow.allowed.clone();
    for path in &mut allowed.paths {
        *path = work.project.root.join(&*path);
        if work.world().disk.look(path)?.is_none() {
            return Err(StepError::not_now(
                format!(
                    "the shadow `{}` may write to `{}`, which does not exist",
                    shadow.name,
                    path.display()
                ),
                "make it, or correct `allow` in the plan",
            ));
        }
    }
    Ok(allowed)
}

fn open(work: &Work<'_>, shadow: &Shadow, fact: &ShadowFact, due: Timestamp, settles: bool) -> Open {
    let tally = tally::of(fact);
    let far = stand::how_far(fact, work.world().clock.now());
    let refused = tally
        .first(Verdict::No)
        .map_or_else(String::new, |(input, found)| format!("; `{input}`: {}", found.summary));
    Open {
        told: format!("waits for the shadow `{}`: {far}, {}{refused}", shadow.name, tally.words()),
        is_refused: tally.no > 0,
        due,
        settles,
    }
}
