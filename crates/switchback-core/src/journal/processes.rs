//! What the journal tells of a process: where it is on its way from one tree to the other. No input, no output.

use std::collections::BTreeMap;

use super::event::{Event, Record};
use crate::plan::PARALLEL;
use crate::verdict::Verdict;

/// Where a process is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProcessStep {
    /// It is about to be handed over: it may run or not.
    Begun,
    /// It was stopped, and is to be started.
    Stopped,
    /// Its new instance is ready, and the old one is to be drained.
    Both,
    /// It runs the tree that it is to run.
    Runs,
    /// It could not be handed over.
    Failed,
}

/// What was last told of one process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProcessFact {
    /// The phase around which it was handed over.
    pub phase: String,
    /// The transaction.
    pub transaction: String,
    /// How it is handed over, as in the plan.
    pub handover: String,
    /// The generation that it comes from.
    pub from: u64,
    /// The generation that it goes to.
    pub to: u64,
    /// Whether the instance of `to` still ran when that began.
    pub kept: bool,
    /// The line that starts it, as the plan had it; empty when it is not known.
    pub start: String,
    /// Where it is.
    pub step: ProcessStep,
    /// The generation that it runs; nothing while that is not known.
    pub generation: Option<u64>,
    /// From the beginning of its stop until it was ready.
    pub down_milliseconds: Option<u64>,
    /// Whether it runs the code that is live, and what says so.
    pub code: Option<(Verdict, String)>,
    /// What failed, and why.
    pub failed: Option<(String, String)>,
    /// When its hand-over began, RFC 3339; of several that followed each other before it ran again, the first one.
    pub began: String,
    /// When that was told, RFC 3339.
    pub time: String,
}

impl ProcessFact {
    /// Whether it is on its way, and whoever starts next has to see to it.
    pub fn is_open(&self) -> bool {
        matches!(self.step, ProcessStep::Begun | ProcessStep::Stopped | ProcessStep::Both)
    }

    /// Whether an event may follow what was told of its process.
    pub(super) fn admits(fact: Option<&Self>, event: &Event) -> Result<(), String> {
        let Some(name) = event.process() else { return Ok(()) };
        let step = match (fact, event) {
            (_, Event::HandOverStarted { .. }) => return Ok(()),
            (None, _) => return Err(format!("no hand-over of the process `{name}` has begun")),
            (Some(fact), _) => fact.step,
        };
        let is_legal = match event {
            Event::ProcessStopped { .. } | Event::ProcessStarted { .. } => step != ProcessStep::Runs,
            _ => true,
        };
        if is_legal { Ok(()) } else { Err(format!("the process `{name}` was handed over already")) }
    }

    /// Takes one record about a process.
    pub(super) fn take(processes: &mut BTreeMap<String, Self>, record: &Record) -> Result<(), String> {
        let Some(name) = record.event.process() else { return Ok(()) };
        Self::admits(processes.get(name), &record.event)?;
        if let Event::HandOverStarted { phase, transaction, handover, from, to, kept, start, .. } =
            &record.event
        {
            let began = processes.get(name).filter(|fact| {
                fact.is_open() || (fact.step == ProcessStep::Failed && fact.transaction == *transaction)
            });
            let fact = Self {
                began: began.map_or_else(|| record.time.clone(), |fact| fact.began.clone()),
                phase: phase.clone(),
                transaction: transaction.clone(),
                handover: handover.clone(),
                from: *from,
                to: *to,
                kept: *kept,
                start: start.clone(),
                step: ProcessStep::Begun,
                generation: None,
                down_milliseconds: None,
                code: None,
                failed: None,
                time: record.time.clone(),
            };
            processes.insert(name.to_owned(), fact);
        } else if let Some(fact) = processes.get_mut(name) {
            fact.follow(record);
        }
        Ok(())
    }

    fn follow(&mut self, record: &Record) {
        match &record.event {
            Event::ProcessStopped { .. } => {
                let is_drained = self.step == ProcessStep::Both;
                self.step = if is_drained { ProcessStep::Runs } else { ProcessStep::Stopped };
            }
            Event::ProcessStarted { generation, down_milliseconds, .. } => {
                let has_two = self.handover == PARALLEL && *generation == self.to;
                self.step = if has_two { ProcessStep::Both } else { ProcessStep::Runs };
                self.generation = Some(*generation);
                self.down_milliseconds = *down_milliseconds;
                self.failed = None;
            }
            Event::ProcessChecked { verdict, summary, .. } => {
                let verdict = Verdict::from_word(verdict).unwrap_or(Verdict::Unknown);
                self.code = Some((verdict, summary.clone()));
            }
            Event::HandOverFailed { doing, why, .. } => {
                self.step = ProcessStep::Failed;
                self.failed = Some((doing.clone(), why.clone()));
            }
            _ => return,
        }
        self.time.clone_from(&record.time);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::History;

    fn record(seq: u64, event: Event) -> Record {
        let text = String::new;
        Record { seq, time: format!("t{seq}"), actor: text(), event, prev: text(), hash: text() }
    }

    fn begun(handover: &str) -> Event {
        Event::HandOverStarted {
            phase: "p".into(),
            transaction: "t".into(),
            process: "api".into(),
            handover: handover.into(),
            from: 0,
            to: 1,
            kept: false,
            start: String::new(),
        }
    }

    fn stopped(generation: u64) -> Event {
        let (phase, transaction, process) = ("p".into(), "t".into(), "api".into());
        Event::ProcessStopped { phase, transaction, process, generation, milliseconds: 1 }
    }

    fn started(generation: u64) -> Event {
        let (phase, transaction, process) = ("p".into(), "t".into(), "api".into());
        let (way, milliseconds, down_milliseconds) = ("start".into(), 1, Some(2));
        Event::ProcessStarted {
            phase,
            transaction,
            process,
            generation,
            way,
            milliseconds,
            down_milliseconds,
        }
    }

    fn step(events: Vec<Event>) -> ProcessStep {
        let records = events.into_iter().enumerate().map(|(at, event)| record(at as u64 + 1, event));
        History::fold(records).unwrap().processes["api"].step
    }

    #[test]
    fn a_process_is_open_until_it_runs_one_tree() {
        assert_eq!(step(vec![begun("stop-start")]), ProcessStep::Begun);
        assert_eq!(step(vec![begun("stop-start"), stopped(0)]), ProcessStep::Stopped);
        assert_eq!(step(vec![begun("stop-start"), stopped(0), started(1)]), ProcessStep::Runs);
        assert_eq!(step(vec![begun("parallel"), started(1)]), ProcessStep::Both);
        assert_eq!(step(vec![begun("parallel"), started(1), stopped(0)]), ProcessStep::Runs);
        // Nothing was exchanged: the old instance goes on.
        assert_eq!(step(vec![begun("parallel"), started(0)]), ProcessStep::Runs);
    }

    #[test]
    fn what_cannot_follow_is_refused() {
        let mut history = History::default();
        assert!(history.take(record(1, stopped(0))).is_err());
        history.take(record(1, begun("stop-start"))).unwrap();
        history.take(record(2, started(1))).unwrap();
        assert!(history.admits(&started(1)).is_err());
        assert!(history.take(record(3, stopped(1))).is_err());
    }
}
