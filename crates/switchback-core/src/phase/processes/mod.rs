//! Processes around an exchange: stopped before it, started after it, or handed over without a pause.
//!
//! A cutover: [`cut_over::make_live`] → [`HandOver::begin`] (intent, stop) → the exchange → [`HandOver::finish`] (start,
//! ready, drain, is it the new code). A rollback goes the same way, and nothing of a process keeps the old tree from coming
//! back. [`recovery`] starts what a run that was killed left stopped.

mod code;
pub(super) mod cut_over;
mod instance;
mod outcome;
pub(super) mod recovery;

use std::time::Duration;

use instance::Instance;
pub use outcome::HandedOver;

use super::error::StepError;
use super::project::Work;
use super::witness::Notice;
use crate::journal::{Event, ProcessFact, ProcessStep};
use crate::plan::{Handover, PARALLEL, Process};

/// What was tried, and why it did not succeed.
#[derive(Debug, Clone)]
pub(super) struct Failed {
    process: String,
    doing: &'static str,
    why: String,
}

impl Failed {
    fn words(&self) -> String {
        let what = match self.doing {
            "stop" => "could not be stopped",
            "start" => "could not be started",
            "reload" => "could not be reloaded",
            "code" => "does not run the code that is live",
            _ => "is not ready",
        };
        format!("the process `{}` {what}: {}", self.process, self.why)
    }
}

/// How far the way to the exchange was gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reached {
    Nothing,
    /// The journal has the intent.
    Begun,
    Stopped,
}

/// One process on its way.
#[derive(Debug)]
struct Member<'w> {
    process: &'w Process,
    /// As in the plan, or stopped and started where only a part is exchanged and two instances could not be told apart.
    handover: Handover,
    reached: Reached,
    /// Whether the instance that it goes to still runs.
    is_kept: bool,
    /// Whether it was known not to run, so that a stop may fail.
    is_down: bool,
    /// Why nobody knows whether it was stopped.
    doubt: Option<String>,
    /// Since when it is down.
    down_since: Option<Duration>,
}

/// The processes of one exchange.
#[derive(Debug)]
pub(super) struct HandOver<'w> {
    work: &'w Work<'w>,
    phase: String,
    transaction: String,
    from: u64,
    to: u64,
    /// Whether the old tree comes back: then a process that cannot be stopped does not keep it from coming.
    is_roll_back: bool,
    members: Vec<Member<'w>>,
}

impl<'w> HandOver<'w> {
    /// Around a rollback of phases (the last one first) from one generation to another; the same one for a part.
    pub(super) fn of_roll_back(
        work: &'w Work<'w>,
        phases: &[String],
        transaction: &str,
        from: u64,
        to: u64,
    ) -> Self {
        if let Some(fault) = unknown_processes(work) {
            work.witness.notice(Notice::Warning(fault));
        }
        let phase = phases.first().cloned().unwrap_or_default();
        let is_wanted = |process: &&Process| phases.iter().any(|phase| process.is_for(phase));
        let transaction = transaction.to_owned();
        let mut whole = Self { work, phase, transaction, from, to, is_roll_back: true, members: Vec::new() };
        whole.members = work.plan().processes.iter().filter(is_wanted).map(|one| whole.member(one)).collect();
        whole
    }

    fn member(&self, process: &'w Process) -> Member<'w> {
        let history = self.work.history();
        let fact = history.processes.get(&process.name);
        let handover = match &process.handover {
            Handover::Parallel { stop, start } if self.from == self.to => {
                Handover::StopStart { stop: stop.clone(), start: start.clone() }
            }
            as_planned => as_planned.clone(),
        };
        let is_half = |fact: &ProcessFact| {
            fact.step != ProcessStep::Runs && fact.handover == PARALLEL && fact.from == self.to
        };
        let is_down = |fact: &ProcessFact| fact.step != ProcessStep::Runs;
        Member {
            process,
            handover,
            reached: Reached::Nothing,
            is_kept: self.is_roll_back && fact.is_some_and(is_half),
            is_down: fact.is_some_and(is_down),
            doubt: None,
            down_since: fact.filter(|fact| is_down(fact)).and_then(|fact| self.began(fact)),
        }
    }

    /// When a hand-over began that never ended, on the clock that never goes back.
    fn began(&self, fact: &ProcessFact) -> Option<Duration> {
        if fact.transaction != self.transaction {
            return None;
        }
        let clock = self.work.world().clock.as_ref();
        let began: jiff::Timestamp = fact.began.parse().ok()?;
        let elapsed = Duration::try_from(clock.now().duration_since(began)).ok()?;
        // A process that began before this one did not begin before its clock's zero.
        clock.monotonic().checked_sub(elapsed)
    }

    /// What would happen to each of them.
    pub(super) fn plan(&self) -> Vec<(String, String)> {
        let what = |member: &Member<'_>| (member.process.name.clone(), member.handover.does().to_owned());
        self.members.iter().map(what).collect()
    }

    /// Whether there is any.
    pub(super) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    fn instance(&self, at: usize) -> Instance<'_> {
        Instance { work: self.work, process: self.members[at].process, transaction: &self.transaction }
    }

    fn now(&self) -> Duration {
        self.work.world().clock.monotonic()
    }

    /// Stops what has to be stopped, the last one first. The first that cannot be stopped ends it, before a cutover.
    ///
    /// # Errors
    ///
    /// When the journal cannot take the intent of a cutover; that of a rollback goes on.
    pub(super) fn begin(&mut self) -> Result<Option<Failed>, StepError> {
        for at in (0..self.members.len()).rev() {
            self.intend(at)?;
            self.members[at].reached = Reached::Begun;
            let Handover::StopStart { stop, .. } = self.members[at].handover.clone() else { continue };
            let since = self.now();
            self.members[at].down_since.get_or_insert(since);
            if let Err(failed) = self.stop(at, &stop, self.from)
                && !self.is_roll_back
            {
                self.tell_failed(&failed);
                return Ok(Some(failed));
            }
        }
        Ok(None)
    }

    fn intend(&self, at: usize) -> Result<(), StepError> {
        let member = &self.members[at];
        let start = match &member.handover {
            Handover::StopStart { start, .. } | Handover::Parallel { start, .. } => start.clone(),
            Handover::Reload { .. } => String::new(),
        };
        let has_secret = self.work.redactor.clean(&start) != start;
        let event = Event::HandOverStarted {
            phase: self.phase.clone(),
            transaction: self.transaction.clone(),
            process: member.process.name.clone(),
            handover: member.handover.word().to_owned(),
            from: self.from,
            to: self.to,
            kept: member.is_kept,
            start: if has_secret { String::new() } else { start },
        };
        if self.is_roll_back {
            self.tell(event);
            return Ok(());
        }
        self.work.record(event)
    }

    /// Stops the instance of a generation. On the way back one that cannot be stopped is told of, and left.
    fn stop(&mut self, at: usize, line: &str, generation: u64) -> Result<(), Failed> {
        let name = self.members[at].process.name.clone();
        match self.instance(at).carry_out("stop", line, generation) {
            Ok(elapsed) => {
                self.members[at].reached = Reached::Stopped;
                self.tell(Event::ProcessStopped {
                    phase: self.phase.clone(),
                    transaction: self.transaction.clone(),
                    process: name,
                    generation,
                    milliseconds: milliseconds(elapsed),
                });
                Ok(())
            }
            Err(why) => {
                let failed = Failed { process: name, doing: "stop", why };
                if self.is_roll_back && !self.members[at].is_down {
                    self.members[at].doubt = Some(failed.why.clone());
                    self.warn(format!("{}; the exchange goes on", failed.words()));
                }
                Err(failed)
            }
        }
    }

    /// After the exchange: starts what was stopped, in order, waits until it is ready, and looks whether it runs the code
    /// that is live. After a cutover the first failure ends it, because the cutover is taken back.
    pub(super) fn finish(&mut self) -> Vec<HandedOver> {
        let mut all = Vec::new();
        for at in 0..self.members.len() {
            let result = self.start_new(at);
            let is_failed = result.is_err();
            if let Err(failed) = &result {
                self.tell_failed(failed);
            }
            all.push(self.outcome(at, result));
            if is_failed && !self.is_roll_back {
                return all;
            }
        }
        self.look_at_code(&mut all);
        for one in &all {
            self.work.done(&self.phase, one.line());
        }
        all
    }

    /// Gets the instance of the tree that is live to work. How, how long that took, and how long it was down.
    fn start_new(&mut self, at: usize) -> Result<Started, Failed> {
        match self.members[at].handover.clone() {
            Handover::StopStart { start, .. } => self.start(at, &start, self.to),
            Handover::Reload { reload } => self.act(at, "reload", Some(&reload), self.to),
            Handover::Parallel { stop, start } => {
                let is_kept = self.members[at].is_kept && self.instance(at).await_ready(self.to).is_ok();
                let started = if is_kept {
                    self.act(at, "kept", None, self.to)?
                } else {
                    self.start(at, &start, self.to)?
                };
                match self.stop(at, &stop, self.from) {
                    Err(failed) if !self.is_roll_back => return Err(failed),
                    // It never came to work. It may have ended by itself, or come up late.
                    Err(failed) if self.members[at].is_down => {
                        self.warn(format!("{}; look that it does not come up later", failed.words()));
                        self.members[at].doubt = Some(failed.why);
                        self.tell_drained(at);
                    }
                    // Nobody knows, and nobody can do more about it: it is told, and no start will try it again.
                    Err(failed) => self.tell_failed(&failed),
                    Ok(()) => {}
                }
                Ok(started)
            }
        }
    }

    fn start(&mut self, at: usize, line: &str, generation: u64) -> Result<Started, Failed> {
        self.act(at, "start", Some(line), generation)
    }

    /// Carries out a command, if there is one, waits until the process is ready, and writes that down.
    fn act(
        &mut self,
        at: usize,
        way: &'static str,
        line: Option<&str>,
        generation: u64,
    ) -> Result<Started, Failed> {
        let began = self.now();
        let member = &self.members[at];
        let failed = |doing, why| Failed { process: member.process.name.clone(), doing, why };
        let instance = self.instance(at);
        if let Some(line) = line {
            instance.carry_out(way, line, generation).map_err(|why| failed(way, why))?;
            instance.await_ready(generation).map_err(|why| failed("ready", why))?;
        }
        let is_stop_start = matches!(member.handover, Handover::StopStart { .. });
        let down = member.down_since.filter(|_| is_stop_start);
        let started = Started {
            way,
            milliseconds: milliseconds(self.now().saturating_sub(began)),
            down_milliseconds: down.map(|since| milliseconds(self.now().saturating_sub(since))),
        };
        self.tell(Event::ProcessStarted {
            phase: self.phase.clone(),
            transaction: self.transaction.clone(),
            process: member.process.name.clone(),
            generation,
            way: way.to_owned(),
            milliseconds: started.milliseconds,
            down_milliseconds: started.down_milliseconds,
        });
        Ok(started)
    }

    /// Nothing was exchanged: what was stopped is started again. What could not be, in words.
    pub(super) fn put_back(&mut self) -> Vec<String> {
        let mut left = Vec::new();
        for at in 0..self.members.len() {
            if self.members[at].reached == Reached::Nothing {
                continue;
            }
            let result = match self.members[at].handover.clone() {
                Handover::StopStart { start, .. } if self.has_to_start(at) => {
                    self.start(at, &start, self.from)
                }
                _ => self.act(at, "kept", None, self.from),
            };
            if let Err(failed) = result {
                self.tell_failed(&failed);
                left.push(failed.words());
            }
        }
        left
    }

    /// One that was not stopped for sure may run on: then its own word decides.
    fn has_to_start(&self, at: usize) -> bool {
        let member = &self.members[at];
        member.reached == Reached::Stopped
            || member.process.ready.is_none()
            || self.instance(at).await_ready(self.from).is_err()
    }

    /// There is no other instance any more.
    fn tell_drained(&self, at: usize) {
        self.tell(Event::ProcessStopped {
            phase: self.phase.clone(),
            transaction: self.transaction.clone(),
            process: self.members[at].process.name.clone(),
            generation: self.from,
            milliseconds: 0,
        });
    }

    fn tell_failed(&self, failed: &Failed) {
        self.tell(Event::HandOverFailed {
            phase: self.phase.clone(),
            transaction: self.transaction.clone(),
            process: failed.process.clone(),
            doing: failed.doing.to_owned(),
            why: failed.why.clone(),
        });
    }

    /// A journal that cannot be written must not keep a process from being started.
    fn tell(&self, event: Event) {
        if let Err(error) = self.work.record(event) {
            self.warn(format!("the journal was not written: {error}"));
        }
    }

    fn warn(&self, what: String) {
        self.work.witness.notice(Notice::Warning(what));
    }
}

/// How a process came to work.
#[derive(Debug, Clone, Copy)]
struct Started {
    way: &'static str,
    milliseconds: u64,
    down_milliseconds: Option<u64>,
}

/// Why nobody can say which processes run the tree, where that is so.
fn unknown_processes(work: &Work<'_>) -> Option<String> {
    work.plan().fault.as_ref()?;
    let history = work.history();
    if work.has_journal() && history.processes.is_empty() {
        return None;
    }
    let names: Vec<String> = history.processes.keys().map(|name| format!("`{name}`")).collect();
    let names =
        if names.is_empty() { String::new() } else { format!(" (the journal knows {})", names.join(", ")) };
    Some(format!(
        "which processes run the tree stands in the plan, which cannot be used: none is stopped or started{names}; \
         start anew by hand what runs the tree that is taken back"
    ))
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
