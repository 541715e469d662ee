//! A cutover with the processes that run the tree: stopped before the exchange, working after it, or all of it taken back.

use super::{HandOver, Member, Reached};
use crate::journal::ProcessStep;
use crate::phase::cut_over::cut_over;
use crate::phase::databases::{self, forward};
use crate::phase::duration::CutOverTime;
use crate::phase::error::StepError;
use crate::phase::gate::Gate;
use crate::phase::project::Work;
use crate::phase::roll_back::{RollBackOptions, roll_back};
use crate::plan::Phase;
use crate::tree::exchange::{ExchangeError, State, Transaction};
use crate::verdict::Verdict;

/// What came of an attempt to make a candidate live.
#[derive(Debug)]
pub(crate) enum Made<'w> {
    /// It is live; its processes are still to be started.
    Live(Gate, HandOverOpen<'w>),
    /// Nothing was exchanged: the gate closed while the processes were stopped. They work again.
    Held(Gate),
    /// Nothing was exchanged, for these reasons.
    Refused(Vec<String>),
    /// Nothing was exchanged, because the steps of a database were not deployed, for these reasons.
    Undeployed(Vec<String>),
    /// Nothing was exchanged, because it took longer than it may, for these reasons.
    Late(Vec<String>),
}

/// Processes that wait for the tree that is live now.
#[derive(Debug)]
#[must_use = "what was stopped has to be started"]
pub(crate) struct HandOverOpen<'w>(HandOver<'w>);

impl HandOverOpen<'_> {
    /// Whether there is any.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<'w> HandOver<'w> {
    fn of_cut_over(work: &'w Work<'w>, phase: &Phase) -> Self {
        let (from, to, transaction) = {
            let history = work.history();
            let staged = history.phase(&phase.name).and_then(|phase| phase.staged.as_ref());
            let transaction = staged.map_or_else(String::new, |staged| staged.transaction.clone());
            (history.generation, history.generations + 1, transaction)
        };
        let phase = phase.name.clone();
        let mut whole = Self { work, phase, transaction, from, to, is_roll_back: false, members: Vec::new() };
        let processes = work.plan().processes.iter().filter(|process| process.is_for(&whole.phase));
        let members: Vec<Member<'w>> = processes.map(|process| whole.member(process)).collect();
        whole.members = members;
        whole
    }
}

/// Stops what has to be stopped, looks at the gate again, and makes the candidate live.
///
/// # Errors
///
/// Those of a cutover. What was stopped is started again, unless nobody can say which tree is live.
pub(crate) fn make_live<'w>(
    work: &'w Work<'w>,
    phase: &Phase,
    gate: Gate,
    time: CutOverTime,
    look_again: impl FnOnce() -> Result<Gate, StepError>,
) -> Result<Made<'w>, StepError> {
    let mut hand_over = HandOver::of_cut_over(work, phase);
    if hand_over.is_empty() && !databases::has_any(work, phase) {
        cut_over(work, phase, &gate)?;
        return Ok(Made::Live(gate, HandOverOpen(hand_over)));
    }
    let started = stop_and_look(&mut hand_over, gate, look_again);
    let gate = match started {
        Ok(Ok(gate)) if gate.verdict == Verdict::Yes => gate,
        Ok(Ok(mut gate)) => {
            gate.reasons.extend(hand_over.put_back());
            return Ok(Made::Held(gate));
        }
        Ok(Err(mut reasons)) => {
            reasons.extend(hand_over.put_back());
            return Ok(Made::Refused(reasons));
        }
        Err(error) => {
            hand_over.put_back();
            return Err(error);
        }
    };
    // Nobody works on the old tree any more, and nobody on the new one yet.
    match forward::deploy_all(work, phase) {
        Ok(Ok(())) => {}
        Ok(Err(mut reasons)) => {
            reasons.extend(hand_over.put_back());
            return Ok(Made::Undeployed(reasons));
        }
        Err(error) => {
            let left = forward::put_back(work);
            hand_over.put_back();
            for left in left? {
                hand_over.warn(left);
            }
            return Err(error);
        }
    }
    if let Some(why) = time.overrun(work) {
        // The last moment at which nobody sees anything of the new tree.
        let left = forward::put_back(work);
        let mut reasons = vec![why];
        reasons.extend(hand_over.put_back());
        reasons.extend(left?);
        return Ok(Made::Late(reasons));
    }
    if let Err(error) = cut_over(work, phase, &gate) {
        after_error(hand_over, &error)?;
        return Err(error);
    }
    Ok(Made::Live(gate, HandOverOpen(hand_over)))
}

/// The gate as it is once everything is stopped, or why something could not be stopped. What a process wrote when it ended
/// is seen before anything is exchanged.
fn stop_and_look(
    hand_over: &mut HandOver<'_>,
    gate: Gate,
    look_again: impl FnOnce() -> Result<Gate, StepError>,
) -> Result<Result<Gate, Vec<String>>, StepError> {
    if let Some(failed) = hand_over.begin()? {
        return Ok(Err(vec![failed.words()]));
    }
    let has_stopped = hand_over.members.iter().any(|member| member.reached == Reached::Stopped);
    Ok(Ok(if has_stopped { look_again()? } else { gate }))
}

/// An exchange that went wrong is all old; one that went well and could not be written down is all new. Where nobody can say,
/// the next start decides, and starts what is stopped.
fn after_error(mut hand_over: HandOver<'_>, error: &StepError) -> Result<(), StepError> {
    let is_uncertain = matches!(error, StepError::Exchange(ExchangeError::Uncertain(_)));
    match state(hand_over.work, &hand_over.transaction)? {
        State::Prepared(_) => {}
        State::Committed(..) if is_uncertain => {}
        State::Committed(..) => drop(hand_over.finish()),
        State::Empty | State::Aborted(_) | State::RollingBack(..) | State::RolledBack(_) => {
            let left = forward::put_back(hand_over.work);
            drop(hand_over.put_back());
            for left in left? {
                hand_over.warn(left);
            }
        }
    }
    Ok(())
}

fn state(work: &Work<'_>, transaction: &str) -> Result<State, StepError> {
    let disk = work.world().disk.as_ref();
    let file = work.project.transactions().join(transaction);
    let opened = Transaction::open(disk, &work.project.root, &file)?;
    Ok(opened.map_or(State::Empty, |transaction| transaction.state().clone()))
}

/// Gets the processes of the new tree to work. Where that does not succeed, the cutover is taken back, and why is returned.
///
/// # Errors
///
/// Those of a rollback.
pub(crate) fn finish(
    work: &Work<'_>,
    phase: &Phase,
    open: HandOverOpen<'_>,
) -> Result<Option<Vec<String>>, StepError> {
    let HandOverOpen(mut hand_over) = open;
    let failed = hand_over.finish().into_iter().find(|one| one.verdict == Verdict::No);
    match failed {
        Some(failed) => take_back(work, phase, failed.summary).map(Some),
        None => Ok(None),
    }
}

/// Takes back a cutover whose run was killed, and whose processes could not be started by whoever came next.
///
/// # Errors
///
/// Those of a rollback.
pub(crate) fn take_back_failed(work: &Work<'_>, phase: &Phase) -> Result<Option<Vec<String>>, StepError> {
    let why = {
        let history = work.history();
        let failed = history.processes.iter().find(|(_, fact)| {
            fact.step == ProcessStep::Failed && fact.phase == phase.name && fact.to == history.generation
        });
        failed.map(|(name, fact)| {
            let (doing, why) = fact.failed.clone().unwrap_or_default();
            format!("the process `{name}` could not be handed over ({doing}): {why}")
        })
    };
    why.map(|why| take_back(work, phase, why)).transpose()
}

/// Takes back a cutover that is live, for a reason; everything that there is to say about it.
///
/// # Errors
///
/// Those of a rollback.
pub(crate) fn take_back(work: &Work<'_>, phase: &Phase, why: String) -> Result<Vec<String>, StepError> {
    let options =
        RollBackOptions { phase: Some(phase.name.clone()), why: why.clone(), ..RollBackOptions::default() };
    let back = roll_back(work, &options)?;
    let mut reasons = vec![why];
    reasons.extend(back.left_in_databases());
    reasons.extend(
        back.processes
            .into_iter()
            .filter(|one| one.verdict == Verdict::No)
            .map(|one| format!("the old tree is live again, and {}", one.summary)),
    );
    Ok(reasons)
}

/// Why nobody can say whether a process of a live phase runs the code that is live, after another look.
pub(crate) fn unknown_code(work: &Work<'_>, phase: &Phase) -> Option<(Verdict, String)> {
    let mut open: Vec<String> = Vec::new();
    for process in work.plan().processes.iter().filter(|process| process.is_for(&phase.name)) {
        let history = work.history();
        let Some(fact) = history.processes.get(&process.name) else { continue };
        let is_unknown = fact.code.as_ref().is_some_and(|(verdict, _)| *verdict == Verdict::Unknown);
        if process.pid_file.is_some() && is_unknown && fact.phase == phase.name {
            open.push(process.name.clone());
        }
    }
    open.iter().find_map(|name| look_again(work, phase, name))
}

fn look_again(work: &Work<'_>, phase: &Phase, name: &str) -> Option<(Verdict, String)> {
    let process = work.plan().processes.iter().find(|process| process.name == name)?;
    let fact = work.history().processes.get(name)?.clone();
    let mut whole = HandOver::of_cut_over(work, phase);
    (whole.from, whole.to, whole.transaction) = (fact.from, fact.to, fact.transaction);
    whole.members.retain(|member| member.process.name == name);
    let mut all = [super::HandedOver {
        process: name.to_owned(),
        handover: process.handover.word(),
        verdict: Verdict::Yes,
        summary: String::new(),
        down_milliseconds: None,
    }];
    whole.look_at_code(&mut all);
    let (_, summary) = work.history().processes.get(name)?.code.clone()?;
    let verdict = all[0].verdict;
    (verdict != Verdict::Yes).then(|| (verdict, format!("the process `{name}`: {summary}")))
}
