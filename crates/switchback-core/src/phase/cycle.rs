//! The cycle of a phase: snapshot, stage, check, approve, cut over, check, watch, finish; resumed from the journal.

use jiff::Timestamp;

use super::duration::CutOverTime;
use super::error::StepError;
use super::gate::{self, Gate, Needs};
use super::look::{look, open_checks};
use super::processes::cut_over::{self as handing_over, HandOverOpen, Made, make_live};
use super::project::{TOOL, Work};
use super::rehearsal::rehearse;
use super::roll_back::{RollBackOptions, roll_back};
use super::shadow::{self, Patience};
use super::watch::{Fired, Watch, fire, watch, without_answer};
use super::witness::Notice;
use super::{criteria, cut_over, finish, rehearsal, snapshot, stage};
use crate::audit::anchor_untried;
use crate::journal::history::CheckFact;
use crate::journal::{Event, PhaseHistory, PhaseState};
use crate::manifest::to_hex;
use crate::notify::deliver;
use crate::plan::{CheckPlan, Moment, Phase};
use crate::verdict::Verdict;

/// How often a snapshot is made anew because the live tree changed before the candidate was staged.
const SNAPSHOTS_MAX: u32 = 3;

/// A point of the cycle that a run can be told to stop at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Point {
    /// The snapshot is verified.
    Snapshot,
    /// The candidate is staged, and its checks hold.
    Staged,
    /// It was brought into a copy and taken out again, and the checks there hold.
    Rehearsed,
    /// Everybody who must has approved.
    Approved,
    /// The candidate is live, and the live checks hold.
    Live,
    /// All watch checks hold.
    Watched,
    /// The phase is over.
    Finished,
}

impl Point {
    /// All points, in order.
    pub const ALL: [Self; 7] = [
        Self::Snapshot,
        Self::Staged,
        Self::Rehearsed,
        Self::Approved,
        Self::Live,
        Self::Watched,
        Self::Finished,
    ];

    /// The word for it in `--until`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Snapshot => "snapshot",
            Self::Staged => "staged",
            Self::Rehearsed => "rehearsed",
            Self::Approved => "approved",
            Self::Live => "live",
            Self::Watched => "watched",
            Self::Finished => "finished",
        }
    }

    /// Reads the word that [`Point::word`] writes.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|point| point.word() == word)
    }
}

/// What is to be run.
#[derive(Debug, Clone, Default)]
pub struct RunOptions {
    /// Only this phase.
    pub phase: Option<String>,
    /// Stop once this point is reached; the end of the last phase when left out.
    pub until: Option<Point>,
    /// Give the staged candidate up and build it again.
    pub restage: bool,
}

/// What a run came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunOutcome {
    /// *yes*: the point was reached.
    pub verdict: Verdict,
    /// The phase that it ended in.
    pub phase: String,
    /// Every reason why it went no further.
    pub reasons: Vec<String>,
    /// The next move; empty when there is none to make.
    pub next: String,
    /// When the watch goes on, if that is what it waits for.
    pub due: Option<Timestamp>,
}

impl RunOutcome {
    pub(super) fn reached(phase: &Phase) -> Self {
        Self {
            verdict: Verdict::Yes,
            phase: phase.name.clone(),
            reasons: Vec::new(),
            next: String::new(),
            due: None,
        }
    }

    pub(super) fn held(phase: &Phase, gate: Gate) -> Self {
        Self { verdict: gate.verdict, reasons: gate.reasons, next: gate.next, ..Self::reached(phase) }
    }

    fn refused(phase: &Phase, reason: impl Into<String>, next: impl Into<String>) -> Self {
        Self::refused_for(phase, vec![reason.into()], next)
    }

    fn refused_for(phase: &Phase, reasons: Vec<String>, next: impl Into<String>) -> Self {
        Self { verdict: Verdict::No, reasons, next: next.into(), ..Self::reached(phase) }
    }
}

/// Runs the plan, or goes on with it, until the point is reached or something holds it.
pub fn run(work: &Work<'_>, options: &RunOptions) -> Result<RunOutcome, StepError> {
    if let Some(name) = &options.phase
        && work.plan().phase(name).is_none()
    {
        return Err(StepError::NoPhase(name.clone()));
    }
    begin_run(work)?;
    let mut outcome = None;
    for phase in &work.plan().phases {
        let is_wanted = options.phase.as_ref().is_none_or(|name| name == &phase.name);
        if !is_wanted {
            if state(work, phase) != PhaseState::Finished
                && outcome.is_none()
                && precedes(work, phase, options)
            {
                return Ok(RunOutcome::refused(
                    phase,
                    format!("the phase `{}` comes before it and is not finished", phase.name),
                    format!("`switchback run --phase {}` goes on with it", phase.name),
                ));
            }
            continue;
        }
        let until = options.until.unwrap_or(Point::Finished);
        let done = run_phase(work, phase, until, options.restage)?;
        let goes_on = done.verdict == Verdict::Yes && state(work, phase) == PhaseState::Finished;
        outcome = Some(done);
        if !goes_on {
            break;
        }
    }
    outcome.ok_or_else(|| StepError::not_now("the plan has no phase to run", "`switchback plan` shows it"))
}

fn precedes(work: &Work<'_>, phase: &Phase, options: &RunOptions) -> bool {
    let at = |name: &str| work.plan().phases.iter().position(|phase| phase.name == name);
    options.phase.as_ref().is_some_and(|wanted| at(&phase.name) < at(wanted))
}

/// Begins a run, unless one is under way or was finished under this very plan.
pub(super) fn begin_run(work: &Work<'_>) -> Result<(), StepError> {
    let plan_hash = to_hex(&work.plan().hash);
    let names: Vec<String> = work.plan().phases.iter().map(|phase| phase.name.clone()).collect();
    {
        let history = work.history();
        let is_over = history.phases.iter().all(|phase| phase.state == PhaseState::Finished);
        // A plan that was corrected on the way is the one that was rehearsed last.
        let is_rehearsed = |phase: &PhaseHistory| {
            phase.rehearsal.as_ref().is_some_and(|rehearsal| rehearsal.binding.plan == plan_hash)
        };
        let is_same = history.run.as_ref().is_some_and(|run| run.ends_with(&plan_hash[..12]))
            || history.phases.iter().all(is_rehearsed);
        if history.run.is_some() && (!is_over || is_same) {
            return Ok(());
        }
    }
    let number = work.history().seq + 1;
    work.record(Event::RunStarted {
        run: format!("r{number}-{}", &plan_hash[..12]),
        project: work.plan().project.name.clone(),
        plan: plan_hash,
        tool: TOOL.to_owned(),
        phases: names,
    })
}

fn state(work: &Work<'_>, phase: &Phase) -> PhaseState {
    work.history().phase(&phase.name).map_or(PhaseState::Waiting, |history| history.state)
}

fn run_phase(work: &Work<'_>, phase: &Phase, until: Point, restage: bool) -> Result<RunOutcome, StepError> {
    if restage {
        give_up(work, phase)?;
    }
    let mut snapshots = 0;
    loop {
        match state(work, phase) {
            PhaseState::Waiting | PhaseState::RolledBack | PhaseState::Snapshotting => {
                snapshots += 1;
                failing(work, phase, "snapshot", || snapshot::take(work, phase))?;
            }
            PhaseState::Snapshotted | PhaseState::Staging => {
                if until == Point::Snapshot {
                    return Ok(RunOutcome::reached(phase));
                }
                if let Some(held) = stage_step(work, phase, &mut snapshots)? {
                    return Ok(held);
                }
            }
            PhaseState::Staged => {
                if until == Point::Snapshot {
                    return Ok(RunOutcome::reached(phase));
                }
                if let Some(done) = staged_step(work, phase, until)? {
                    return Ok(done);
                }
            }
            PhaseState::Live => {
                if let Some(done) = live_step(work, phase, until)? {
                    return Ok(done);
                }
            }
            PhaseState::Watched => {
                // What was seen may be void by now.
                if until < Point::Watched {
                    return Ok(RunOutcome::reached(phase));
                }
                if let Some(refused) = look_at_live(work, phase, |_| false)? {
                    return Ok(refused);
                }
                if let Some(held) = watch_step(work, phase)? {
                    return Ok(held);
                }
                if until == Point::Watched {
                    return Ok(RunOutcome::reached(phase));
                }
                let gate = watched_gate(work, phase).and(criteria::before_finish(work, phase));
                if gate.verdict != Verdict::Yes {
                    return Ok(RunOutcome::held(phase, gate));
                }
                failing(work, phase, "finish", || finish::finish(work, phase))?;
            }
            PhaseState::Finished => return Ok(RunOutcome::reached(phase)),
            PhaseState::CuttingOver | PhaseState::RollingBack => {
                return Err(StepError::not_now(
                    format!(
                        "the phase `{}` is {} and could not be recovered",
                        phase.name,
                        state(work, phase).word()
                    ),
                    "`switchback status` shows where things stand; the transaction's file says what to do",
                ));
            }
        }
    }
}

/// Writes down that a step failed before the error goes on.
fn failing<T>(
    work: &Work<'_>,
    phase: &Phase,
    step: &str,
    act: impl FnOnce() -> Result<T, StepError>,
) -> Result<T, StepError> {
    act().inspect_err(|error| {
        let why = work.redactor.clean(&error.to_string());
        let failed = Event::StepFailed { phase: phase.name.clone(), step: step.to_owned(), why };
        // The error itself goes on to the person; a journal that cannot take it has no say in that.
        drop(work.record(failed));
    })
}

/// Gives the staged candidate up.
fn give_up(work: &Work<'_>, phase: &Phase) -> Result<(), StepError> {
    match state(work, phase) {
        PhaseState::Snapshotting | PhaseState::Snapshotted | PhaseState::Staging | PhaseState::Staged => {
            work.record(Event::Abandoned { phase: phase.name.clone(), why: "it is built again".to_owned() })?;
            stage::sweep(work)
        }
        PhaseState::Waiting | PhaseState::RolledBack => Ok(()),
        live => Err(StepError::not_now(
            format!("the phase `{}` is {}: there is no candidate to give up", phase.name, live.word()),
            "`switchback rollback` takes it back first",
        )),
    }
}

fn stage_step(work: &Work<'_>, phase: &Phase, snapshots: &mut u32) -> Result<Option<RunOutcome>, StepError> {
    let open = open_checks(work, phase, Moment::Before, |fact| fact.verdict == Verdict::Unknown);
    if state(work, phase) == PhaseState::Snapshotted {
        look(work, phase, Moment::Before, &open)?;
    }
    let gate = gate::of_checks(work, phase, Moment::Before);
    if gate.verdict != Verdict::Yes {
        return Ok(Some(RunOutcome::held(phase, gate)));
    }
    let is_built = failing(work, phase, "stage", || stage::build(work, phase))?;
    if is_built {
        return Ok(None);
    }
    if *snapshots >= SNAPSHOTS_MAX {
        return Err(StepError::not_now(
            "the live tree keeps changing between its snapshot and the staging of the candidate",
            "stop what writes to the managed paths, or take these out of `managed`",
        ));
    }
    *snapshots += 1;
    work.began(&phase.name, "the live tree changed since its snapshot: another one is made");
    failing(work, phase, "snapshot", || snapshot::take(work, phase))?;
    Ok(None)
}

fn staged_step(work: &Work<'_>, phase: &Phase, until: Point) -> Result<Option<RunOutcome>, StepError> {
    let open = open_checks(work, phase, Moment::Staged, |fact| fact.verdict == Verdict::Unknown);
    look(work, phase, Moment::Staged, &open)?;
    if until > Point::Staged && is_rehearsal_due(work, phase) {
        // What does not hold by itself is not rehearsed. Then every reason is named, whatever it is about.
        let mut gate = gate::before_cut_over(work, phase, Needs::of(Point::Staged))?;
        if gate.verdict != Verdict::Yes {
            let was_rehearsed =
                work.history().phase(&phase.name).is_some_and(|history| history.rehearsal.is_some());
            let needs = Needs { rehearsal: was_rehearsed, ..Needs::of(until) };
            gate = gate::before_cut_over(work, phase, needs)?;
            return Ok(Some(RunOutcome::held(phase, gate)));
        }
        failing(work, phase, "rehearsal", || rehearse(work, phase))?;
    }
    if until >= Point::Approved
        && let Some(held) = failing(work, phase, "shadow", || shadow::step(work, phase, Patience::Settling))?
    {
        return Ok(Some(held));
    }
    let gate = gate::before_cut_over(work, phase, Needs::of(until))?;
    if gate.verdict != Verdict::Yes {
        return Ok(Some(RunOutcome::held(phase, gate)));
    }
    if until <= Point::Approved {
        return Ok(Some(RunOutcome::reached(phase)));
    }
    let again = || gate::before_cut_over(work, phase, Needs::of(until));
    let time = CutOverTime::begin(work);
    match failing(work, phase, "cut-over", || make_live(work, phase, gate, time, again))? {
        Made::Held(gate) => Ok(Some(RunOutcome::held(phase, gate))),
        Made::Refused(reasons) => Ok(Some(RunOutcome::refused_for(phase, reasons, NOT_STOPPED))),
        Made::Undeployed(reasons) => Ok(Some(RunOutcome::refused_for(phase, reasons, NOT_DEPLOYED))),
        Made::Late(reasons) => Ok(Some(RunOutcome::refused_for(phase, reasons, NOT_BEGUN_IN_TIME))),
        Made::Live(gate, processes) => start_and_look(work, phase, &gate, processes, time),
    }
}

/// Looks at what the first look had no time for before any process works on it and may write there; the parked tree
/// is looked at after they were started, because nobody waits for that.
fn start_and_look(
    work: &Work<'_>,
    phase: &Phase,
    gate: &Gate,
    processes: HandOverOpen<'_>,
    time: CutOverTime,
) -> Result<Option<RunOutcome>, StepError> {
    let looks_first = !gate.unseen.is_empty() || processes.is_empty();
    let late = |why: String| -> Result<Option<RunOutcome>, StepError> {
        let reasons = handing_over::take_back(work, phase, why)?;
        Ok(Some(RunOutcome::refused_for(phase, reasons, NOT_DONE_IN_TIME)))
    };
    let is_over = processes.is_empty();
    if is_over && let Some(why) = time.overrun(work) {
        return late(why);
    }
    if looks_first && let Some(refused) = second_look(work, phase, &gate.unseen)? {
        return Ok(Some(refused));
    }
    if let Some(reasons) = handing_over::finish(work, phase, processes)? {
        return Ok(Some(RunOutcome::refused_for(phase, reasons, NOT_STARTED)));
    }
    if !is_over && let Some(why) = time.overrun(work) {
        return late(why);
    }
    if looks_first { Ok(None) } else { second_look(work, phase, &[]) }
}

const NOT_STOPPED: &str = "nothing was exchanged; correct `stop` or the process, then `switchback run`";
const NOT_DEPLOYED: &str =
    "nothing was exchanged; correct the step or the database, then `switchback run --restage`";
const NOT_BEGUN_IN_TIME: &str =
    "nothing was exchanged; find out what took so long, or raise `cutover_seconds_max`";
const NOT_DONE_IN_TIME: &str =
    "the cutover was taken back; find out what took so long, or raise `cutover_seconds_max`";
const NOT_STARTED: &str = "the cutover was taken back; what the process said is in `.switchback/processes`; correct it, then `switchback run`";

/// Whether the present candidate is still to be rehearsed: it never was, or nobody could tell, or something that the
/// rehearsal was about has changed since.
fn is_rehearsal_due(work: &Work<'_>, phase: &Phase) -> bool {
    let history = work.history();
    let Some(history) = history.phase(&phase.name) else { return false };
    let Some(staged) = &history.staged else { return false };
    let is_checked = |check: &CheckPlan| {
        history.last_check(&check.name, "rehearsed").is_some_and(|fact| {
            fact.verdict != Verdict::Unknown && fact.binding.options == to_hex(&check.hash)
        })
    };
    let is_open = !work.plan().checks_at(&phase.name, Moment::Rehearsed).all(is_checked);
    is_open
        || history.rehearsal.as_ref().is_none_or(|fact| {
            fact.verdict == Verdict::Unknown || fact.binding != rehearsal::binding(work, staged)
        })
}

/// Looks at the parked tree once more. What was written into it at the last moment would be lost: then the cutover is
/// taken back.
fn second_look(work: &Work<'_>, phase: &Phase, unseen: &[String]) -> Result<Option<RunOutcome>, StepError> {
    let drift = cut_over::late_drift(work, phase, unseen)?;
    work.record(Event::DriftChecked { phase: phase.name.clone(), drift: drift.clone() })?;
    if drift.is_empty() {
        return Ok(None);
    }
    let why = format!("a tree changed until the last moment: {}", drift.join(", "));
    let options =
        RollBackOptions { phase: Some(phase.name.clone()), why: why.clone(), ..RollBackOptions::default() };
    let mut reasons = vec![why];
    reasons.extend(roll_back(work, &options)?.left_in_databases());
    let next = "the cutover was taken back; stop what writes there, then `switchback run`";
    Ok(Some(RunOutcome::refused_for(phase, reasons, next)))
}

/// What has to follow a cutover, whoever comes first, `run` or `watch`: what was killed before its end is ended or taken back,
/// and the checks at `live` look. `again`: which of their outcomes are looked at once more. `None`: nothing was rolled back.
fn look_at_live(
    work: &Work<'_>,
    phase: &Phase,
    again: impl Fn(&CheckFact) -> bool,
) -> Result<Option<RunOutcome>, StepError> {
    let is_checked = work.history().phase(&phase.name).is_some_and(|history| history.drift_checked);
    if !is_checked && state(work, phase) == PhaseState::Live {
        // The run was killed on its way. Who came next started its processes, or tried to.
        if let Some(reasons) = handing_over::take_back_failed(work, phase)? {
            return Ok(Some(RunOutcome::refused_for(phase, reasons, NOT_STARTED)));
        }
        let unseen = work.history().phase(&phase.name).map_or_else(Vec::new, |phase| phase.unseen.clone());
        if let Some(refused) = second_look(work, phase, &[])? {
            return Ok(Some(refused));
        }
        // The new program may be at work there by now: who wrote what, nobody can tell any more.
        if !unseen.is_empty() {
            let paths = unseen.join(", ");
            let what = format!(
                "the run was killed before it looked again at what it had no time for: whether {paths} changed right before the cutover, nobody can tell"
            );
            work.witness.notice(Notice::Warning(what));
        }
    }
    for what in without_answer(work, phase) {
        work.witness.notice(Notice::Warning(what));
    }
    // Who was killed after a look did not get to say what it starts.
    match fire(work, phase)? {
        Fired::RolledBack(why) => return Ok(Some(after_watch(phase, Watch::RolledBack(why)))),
        Fired::Holds { is_new: true, .. } => return Ok(None),
        Fired::Holds { .. } | Fired::Nothing => {}
    }
    let open = open_checks(work, phase, Moment::Live, again);
    look(work, phase, Moment::Live, &open)?;
    if let Fired::RolledBack(why) = fire(work, phase)? {
        return Ok(Some(after_watch(phase, Watch::RolledBack(why))));
    }
    // A place that does not answer keeps nobody from looking at what is live.
    anchor_untried(work)?;
    Ok(None)
}

fn live_step(work: &Work<'_>, phase: &Phase, until: Point) -> Result<Option<RunOutcome>, StepError> {
    if let Some(refused) = look_at_live(work, phase, |fact| fact.verdict != Verdict::Yes)? {
        return Ok(Some(refused));
    }
    if let Fired::Holds { why, .. } = fire(work, phase)? {
        return Ok(Some(after_watch(phase, Watch::Held { why, due: None })));
    }
    let gate = live_gate(work, phase);
    if gate.verdict != Verdict::Yes {
        return Ok(Some(RunOutcome::held(phase, gate)));
    }
    if until <= Point::Live {
        return Ok(Some(RunOutcome::reached(phase)));
    }
    watch_step(work, phase)
}

/// What must hold of a phase that is live, right after the cutover and for as long as it is watched.
fn live_gate(work: &Work<'_>, phase: &Phase) -> Gate {
    let mut gate = gate::of_checks(work, phase, Moment::Live);
    if let Some((verdict, why)) = handing_over::unknown_code(work, phase) {
        gate.close(
            verdict,
            why,
            "correct its `pid_file`, or start it anew; then `switchback run` looks again",
        );
    }
    gate
}

/// What must hold once all watch checks were carried out: what was seen last, at every moment since the cutover.
fn watched_gate(work: &Work<'_>, phase: &Phase) -> Gate {
    let live = live_gate(work, phase);
    let moments = work.plan().watch_moments(&phase.name);
    let later = moments.into_iter().map(|moment| gate::of_checks(work, phase, moment));
    let all = std::iter::once(live).chain(later).chain([gate::of_repeated(work, phase)]);
    all.reduce(Gate::and).unwrap_or_else(Gate::open)
}

/// Carries out the watch checks that are due. `None`: all were, and hold.
fn watch_step(work: &Work<'_>, phase: &Phase) -> Result<Option<RunOutcome>, StepError> {
    let watched = watch(work, phase)?;
    if watched != Watch::Over {
        return Ok(Some(after_watch(phase, watched)));
    }
    let gate = watched_gate(work, phase);
    if gate.verdict != Verdict::Yes {
        return Ok(Some(RunOutcome::held(phase, gate)));
    }
    if state(work, phase) == PhaseState::Live {
        work.record(Event::Watched { phase: phase.name.clone() })?;
    }
    Ok(None)
}

fn after_watch(phase: &Phase, watch: Watch) -> RunOutcome {
    match watch {
        Watch::Over => RunOutcome::reached(phase),
        Watch::Waits { at, due } => RunOutcome {
            verdict: Verdict::Unknown,
            reasons: vec![format!("it is live, and watched: the checks at {at} are due at {due}")],
            next: "`switchback watch` carries them out when they are due".to_owned(),
            due: Some(due),
            ..RunOutcome::reached(phase)
        },
        Watch::RolledBack(why) => RunOutcome::refused(
            phase,
            format!("a trigger rolled it back: {why}"),
            "the old tree is live; `switchback log` tells what happened",
        ),
        Watch::Held { why, due } => {
            let next = "decide: `switchback rollback` makes the old tree live; `switchback check` looks again, then \
                        `switchback watch` goes on";
            RunOutcome { due, ..RunOutcome::refused(phase, format!("a trigger holds it: {why}"), next) }
        }
    }
}

/// Whether what was seen of a phase after the cutover still counts for something.
fn is_watchable(work: &Work<'_>, phase: &Phase) -> bool {
    matches!(state(work, phase), PhaseState::Live | PhaseState::Watched)
}

/// Waits for the watch checks of the live phase and carries them out, until the watch is over, or once what is due.
pub fn watch_live(work: &Work<'_>, once: bool) -> Result<RunOutcome, StepError> {
    let name = work.history().last_live().map(|phase| phase.name.clone());
    let phase = name.as_deref().and_then(|name| work.plan().phase(name)).ok_or_else(|| {
        StepError::not_now("nothing is live that could be watched", "`switchback run` cuts over")
    })?;
    if is_watchable(work, phase)
        && let Some(refused) = look_at_live(work, phase, |fact| fact.verdict == Verdict::Unknown)?
    {
        return Ok(refused);
    }
    let mut told = String::new();
    loop {
        if !is_watchable(work, phase) {
            return Ok(RunOutcome::reached(phase));
        }
        let Some(outcome) = watch_step(work, phase)? else { return Ok(RunOutcome::reached(phase)) };
        // Whoever called tells of what ended the watch, once the record of an incident is there to be named.
        let Some(due) = outcome.due.filter(|_| !once) else { return Ok(outcome) };
        // Who holds it goes on looking for what rolls back, and says so once.
        if outcome.verdict == Verdict::No {
            let why =
                format!("{}; the watch goes on for the triggers that roll back", outcome.reasons.join("; "));
            if why != told {
                work.witness.notice(Notice::Warning(why.clone()));
                told = why;
            }
        }
        // A watch goes on for days: what it saw is kept outside and told now.
        anchor_untried(work)?;
        deliver(work)?;
        let wait = due.duration_since(work.world().clock.now());
        work.world().clock.sleep(wait.unsigned_abs().min(WATCH_PAUSE_MAX));
    }
}

/// A sleeping watcher looks at the clock again at least this often: laptops sleep, clocks are set.
const WATCH_PAUSE_MAX: std::time::Duration = std::time::Duration::from_secs(30);
