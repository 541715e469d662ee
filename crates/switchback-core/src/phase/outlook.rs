//! What is still ahead of a run, step by step, and how long each step took last time: for whoever waits.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;

use crate::journal::{Event, History, PhaseState, Record};
use crate::plan::{Moment, Phase, Plan};

/// The step *snapshot*, as [`super::Notice::Began`] names it.
pub const SNAPSHOT: &str = "snapshot of everything that may change";
/// The step *stage*.
pub const CANDIDATE: &str = "candidate";
/// The rehearsal.
pub const REHEARSAL: &str = "rehearsal: in and out again on a throwaway copy";

/// A check, as [`super::Notice::Began`] names it.
pub fn check_step(name: &str) -> String {
    format!("check {name}")
}

/// One step that is still ahead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ahead {
    /// What [`super::Notice::Began`] will say when it begins.
    pub what: String,
    /// How long it took last time; `None` when it was never carried out here.
    pub expected: Option<Duration>,
}

/// The steps from where the run stands to the end of its last phase, in order. Watches apart: they wait for the clock.
pub fn outlook(plan: &Plan, history: &History, records: &[Record]) -> Vec<Ahead> {
    let took = last_durations(records);
    let mut ahead = Vec::new();
    for phase in &plan.phases {
        let state = history.phase(&phase.name).map_or(PhaseState::Waiting, |phase| phase.state);
        for what in steps(plan, phase, state) {
            let expected = took.get(&what).copied();
            ahead.push(Ahead { what, expected });
        }
    }
    ahead
}

fn steps(plan: &Plan, phase: &Phase, state: PhaseState) -> Vec<String> {
    use PhaseState as S;
    let checks = |moment| plan.checks_at(&phase.name, moment).map(|check| check_step(&check.name));
    let mut steps = Vec::new();
    let is_new = matches!(state, S::Waiting | S::Snapshotting | S::RolledBack | S::RollingBack);
    if is_new {
        steps.push(SNAPSHOT.to_owned());
    }
    if is_new || matches!(state, S::Snapshotted | S::Staging) {
        steps.extend(checks(Moment::Before));
        steps.push(CANDIDATE.to_owned());
    }
    if is_new || matches!(state, S::Snapshotted | S::Staging | S::Staged) {
        steps.extend(checks(Moment::Staged));
        steps.push(REHEARSAL.to_owned());
        steps.extend(checks(Moment::Rehearsed));
    }
    if !matches!(state, S::Watched | S::Finished) {
        steps.extend(checks(Moment::Live));
    }
    steps
}

/// How long each step took when it was last carried out.
fn last_durations(records: &[Record]) -> HashMap<String, Duration> {
    let mut took = HashMap::new();
    let (mut snapshot, mut stage) = (None, None);
    for record in records {
        match &record.event {
            Event::SnapshotStarted { .. } => snapshot = Some(record),
            Event::StageStarted { .. } => stage = Some(record),
            Event::SnapshotTaken { .. } => {
                took.extend(between(snapshot, record).map(|took| (SNAPSHOT.to_owned(), took)));
            }
            Event::Staged { .. } => {
                took.extend(between(stage, record).map(|took| (CANDIDATE.to_owned(), took)));
            }
            Event::Rehearsed { milliseconds, .. } => {
                took.insert(REHEARSAL.to_owned(), Duration::from_millis(*milliseconds));
            }
            Event::CheckEnded { check, milliseconds, .. } => {
                took.insert(check_step(check), Duration::from_millis(*milliseconds));
            }
            _ => {}
        }
    }
    took
}

fn between(start: Option<&Record>, end: &Record) -> Option<Duration> {
    let start: Timestamp = start?.time.parse().ok()?;
    let end: Timestamp = end.time.parse().ok()?;
    // A clock that was set back says nothing about how long something took.
    Duration::try_from(end.duration_since(start)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::Binding;
    use crate::world::RealDisk;

    fn record(seq: u64, second: u8, event: Event) -> Record {
        let time = format!("2026-01-01T00:00:{second:02}Z");
        let (actor, prev, hash) = (String::new(), String::new(), String::new());
        Record { seq, time, actor, event, prev, hash }
    }

    #[test]
    fn every_step_is_ahead_with_the_time_that_it_took_last() {
        let folder = tempfile::tempdir().unwrap();
        let text = "version = 1\n[project]\nname = \"p\"\nmanaged = [\"src\"]\n[[phase]]\nname = \"one\"\n\
                    [[phase.change]]\nkind = \"files\"\nfrom = \"../new\"\n[[check]]\nname = \"a\"\nkind = \"command\"\n\
                    command = \"true\"\nat = [\"before\", \"staged\", \"live\", \"+1h\"]\n";
        let plan = crate::plan::read(text.as_bytes(), folder.path(), &RealDisk).unwrap();
        let phase = || "one".to_owned();
        let records = [
            record(1, 1, Event::SnapshotStarted { phase: phase() }),
            record(
                2,
                4,
                Event::SnapshotTaken {
                    phase: phase(),
                    snapshot: String::new(),
                    manifest: String::new(),
                    files: 1,
                    bytes: 1,
                },
            ),
            record(
                3,
                5,
                Event::CheckEnded {
                    phase: phase(),
                    check: "a".into(),
                    at: "before".into(),
                    verdict: "yes".into(),
                    summary: String::new(),
                    evidence: String::new(),
                    milliseconds: 1_500,
                    measure: None,
                    samples: None,
                    by_hand: false,
                    binding: Binding::default(),
                },
            ),
        ];
        let ahead = outlook(&plan, &History::default(), &records);
        let shown: Vec<(&str, Option<u64>)> =
            ahead.iter().map(|step| (step.what.as_str(), step.expected.map(|took| took.as_secs()))).collect();
        let known = |name| (name, Some(1));
        assert_eq!(
            shown,
            [
                (SNAPSHOT, Some(3)),
                known("check a"),
                (CANDIDATE, None),
                known("check a"),
                (REHEARSAL, None),
                known("check a"),
            ]
        );
    }
}
