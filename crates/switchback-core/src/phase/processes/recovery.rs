//! What a run that was killed left stopped, or between two instances, is made to work on the tree that is live.

use super::instance::{run_line, variables};
use super::{Failed, HandOver, milliseconds};
use crate::journal::{Event, ProcessFact, ProcessStep};
use crate::phase::error::StepError;
use crate::phase::project::Work;
use crate::phase::recover::is_half_done;
use crate::plan::Handover;

/// A line that only the journal remembers is given up after this long.
const REMEMBERED_TIMEOUT_S: u64 = 60;

/// Ends every hand-over that was not ended. What cannot be started is told of: it keeps no command from its work.
///
/// # Errors
///
/// When the journal cannot be written.
pub(crate) fn recover(work: &Work<'_>) -> Result<(), StepError> {
    let open: Vec<(String, ProcessFact)> = {
        let history = work.history();
        let open = history.processes.iter().filter(|(_, fact)| fact.is_open());
        open.map(|(name, fact)| (name.clone(), fact.clone())).collect()
    };
    let known = |name: &String| work.plan().processes.iter().any(|process| process.name == *name);
    for process in &work.plan().processes {
        if let Some((_, fact)) = open.iter().find(|(name, _)| *name == process.name) {
            let mut one = HandOver::of_open(work, fact);
            let member = one.member(process);
            one.members.push(member);
            one.end(fact);
        }
    }
    for (name, fact) in open.iter().filter(|(name, _)| !known(name)) {
        start_remembered(work, name, fact)?;
    }
    Ok(())
}

/// After an attempt to roll back: what is still open is ended, unless an exchange was left half done. Whoever ends that ends
/// this as well.
///
/// # Errors
///
/// When the journal cannot be written, or a transaction not be read.
pub(crate) fn after_roll_back(work: &Work<'_>) -> Result<(), StepError> {
    if !work.history().processes.values().any(ProcessFact::is_open) || is_half_done(&work.project)? {
        return Ok(());
    }
    recover(work)
}

impl<'w> HandOver<'w> {
    fn of_open(work: &'w Work<'w>, fact: &ProcessFact) -> Self {
        Self {
            work,
            phase: fact.phase.clone(),
            transaction: fact.transaction.clone(),
            from: fact.from,
            to: fact.to,
            is_roll_back: true,
            members: Vec::new(),
        }
    }

    /// Ends the hand-over of its only member, on the tree that is live.
    fn end(&mut self, fact: &ProcessFact) {
        let live = self.work.history().generation;
        let handover = self.members[0].handover.clone();
        self.members[0].is_kept = fact.kept;
        let result = match handover {
            Handover::StopStart { stop, start } => {
                let instance = if fact.step == ProcessStep::Begun { fact.from } else { live };
                // It may be stopped already: then this does nothing, or says so.
                drop(self.stop(0, &stop, instance));
                self.start(0, &start, live)
            }
            Handover::Reload { reload } => self.act(0, "reload", Some(&reload), live),
            Handover::Parallel { stop, start } => self.end_parallel(fact, live, &stop, &start),
        };
        let name = self.members[0].process.name.clone();
        match result {
            Ok(started) => {
                let took = started.milliseconds;
                self.warn(format!(
                    "the process `{name}` was being handed over when that was interrupted: it works on generation {live}, ready \
                     after {took} ms"
                ));
            }
            Err(failed) => {
                self.tell_failed(&failed);
                self.warn(format!("{}; start it by hand, or `switchback rollback`", failed.words()));
            }
        }
    }

    /// One of two instances, or both, may run. The one of the live tree is started anew, unless the journal has it ready; then
    /// the other one is drained.
    fn end_parallel(
        &mut self,
        fact: &ProcessFact,
        live: u64,
        stop: &str,
        start: &str,
    ) -> Result<super::Started, Failed> {
        if live != fact.to {
            // The cutover was taken back before any new instance was started.
            return match self.instance(0).await_ready(live) {
                Ok(()) => self.act(0, "kept", None, live),
                Err(_) => self.start(0, start, live),
            };
        }
        let is_ready = fact.step == ProcessStep::Both || self.members[0].is_kept;
        let started = if is_ready && self.instance(0).await_ready(live).is_ok() {
            self.act(0, "kept", None, live)?
        } else {
            if !is_ready {
                drop(self.instance(0).carry_out("stop", stop, live));
            }
            self.start(0, start, live)?
        };
        if self.stop(0, stop, fact.from).is_err() {
            // It may have been drained already.
            self.tell_drained(0);
        }
        Ok(started)
    }
}

/// Starts a process that the plan does not know any more, by the line that it had.
fn start_remembered(work: &Work<'_>, name: &str, fact: &ProcessFact) -> Result<(), StepError> {
    let live = work.history().generation;
    let (phase, transaction) = (fact.phase.clone(), fact.transaction.clone());
    let started = if fact.start.is_empty() {
        Err("the plan does not know it, and the journal does not know how it is started".to_owned())
    } else {
        let variables = variables(work, &transaction, live);
        run_line(work, name, "start", &fact.start, REMEMBERED_TIMEOUT_S, variables)
    };
    let process = name.to_owned();
    let (event, told) = match started {
        Ok(elapsed) => (
            Event::ProcessStarted {
                phase: phase.clone(),
                transaction: transaction.clone(),
                process: process.clone(),
                generation: live,
                way: "start".to_owned(),
                milliseconds: milliseconds(elapsed),
                down_milliseconds: None,
            },
            format!("the process `{name}` was left stopped, and was started as the plan had it then"),
        ),
        Err(why) => (
            Event::HandOverFailed {
                phase: phase.clone(),
                transaction: transaction.clone(),
                process: process.clone(),
                doing: "start".to_owned(),
                why: why.clone(),
            },
            format!(
                "the process `{name}` was left stopped, and could not be started: {why}; start it by hand"
            ),
        ),
    };
    work.record(event)?;
    if work.history().processes.get(name).is_some_and(|fact| fact.step == ProcessStep::Both) {
        work.record(Event::ProcessStopped {
            phase,
            transaction,
            process,
            generation: fact.from,
            milliseconds: 0,
        })?;
    }
    work.witness.notice(crate::phase::witness::Notice::Warning(told));
    Ok(())
}
