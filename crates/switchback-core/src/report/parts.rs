//! How long each part of a run took, and how long nothing was done in between.

use jiff::Timestamp;

use crate::journal::{Event, Record};

/// So many parts at the beginning and at the end are listed one by one.
const FIRST_MAX: usize = 60;
const LAST_MAX: usize = 40;
/// Between two parts the program itself takes some time; only what is longer counts as waiting.
const WAITING_MS_MIN: i64 = 1_000;

/// One part of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Of which phase.
    pub phase: String,
    /// What was done, or what was waited for.
    pub what: String,
    /// Whether nothing was done.
    pub is_waiting: bool,
    /// When it began, RFC 3339.
    pub began: String,
    /// How long it took.
    pub milliseconds: u64,
    /// The time of work before it: what lies between it and the beginning of the run, waiting left out.
    pub offset_ms: u64,
}

/// The parts of a run, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Parts {
    /// The parts; of a very long run only the first and the last ones.
    pub listed: Vec<Part>,
    /// How many are left out, and after how many of the listed ones.
    pub left_out: (u64, usize),
    /// The work of all of them, also of those left out.
    pub work_ms: u64,
    /// The waiting between them.
    pub waiting_ms: u64,
}

struct Span {
    phase: String,
    what: String,
    /// Where the phase stands after it.
    after: &'static str,
    from: Timestamp,
    until: Timestamp,
}

/// Derives the parts from the records of a run.
pub(super) fn parts(records: &[Record]) -> Parts {
    let mut spans = spans(records);
    spans.sort_by_key(|span| span.from);
    let mut all: Vec<Part> = Vec::new();
    let mut parts = Parts::default();
    let mut reached: Option<(Timestamp, &'static str)> = None;
    // Where on the axis of work a moment lies: the waiting before it is taken out.
    let Some(origin) = spans.first().map(|span| span.from) else { return parts };
    for span in &spans {
        if let Some((end, after)) = reached {
            let gap = span.from.as_millisecond() - end.as_millisecond();
            if gap >= WAITING_MS_MIN {
                let gap = gap.unsigned_abs();
                all.push(Part {
                    phase: span.phase.clone(),
                    what: format!("waiting, {after}"),
                    is_waiting: true,
                    began: end.to_string(),
                    milliseconds: gap,
                    offset_ms: since(origin, end).saturating_sub(parts.waiting_ms),
                });
                parts.waiting_ms += gap;
            }
        }
        all.push(Part {
            phase: span.phase.clone(),
            what: span.what.clone(),
            is_waiting: false,
            began: span.from.to_string(),
            milliseconds: since(span.from, span.until),
            offset_ms: since(origin, span.from).saturating_sub(parts.waiting_ms),
        });
        if reached.is_none_or(|(end, _)| span.until >= end) {
            reached = Some((span.until, span.after));
        }
    }
    let whole = reached.map_or(0, |(end, _)| since(origin, end));
    parts.work_ms = whole.saturating_sub(parts.waiting_ms);
    if all.len() > FIRST_MAX + LAST_MAX {
        let left_out = all.len() - FIRST_MAX - LAST_MAX;
        all.drain(FIRST_MAX..FIRST_MAX + left_out);
        parts.left_out = (left_out as u64, FIRST_MAX);
    }
    parts.listed = all;
    parts
}

/// Milliseconds between two moments; none when the clock was set back in between.
fn since(from: Timestamp, until: Timestamp) -> u64 {
    u64::try_from(until.as_millisecond() - from.as_millisecond()).unwrap_or(0)
}

/// Everything that began and ended. What was interrupted has no end, and so no length.
fn spans(records: &[Record]) -> Vec<Span> {
    let mut open: Option<Timestamp> = None;
    let mut spans = Vec::new();
    for record in records {
        let Ok(now) = record.time.parse::<Timestamp>() else { continue };
        match &record.event {
            Event::SnapshotStarted { .. }
            | Event::StageStarted { .. }
            | Event::CheckStarted { .. }
            | Event::CutOverStarted { .. }
            | Event::RollBackStarted { .. } => open = Some(now),
            event => {
                let phase = event.phase().unwrap_or_default().to_owned();
                if let Some((what, after)) = ended(event) {
                    let from = match event {
                        Event::CheckEnded { milliseconds, .. } | Event::Rehearsed { milliseconds, .. } => {
                            Some(earlier(now, *milliseconds))
                        }
                        _ => open,
                    };
                    spans.extend(from.map(|from| Span { phase, what, after, from, until: now }));
                    open = None;
                }
            }
        }
    }
    spans
}

fn earlier(now: Timestamp, milliseconds: u64) -> Timestamp {
    let milliseconds = i64::try_from(milliseconds).unwrap_or(0);
    now.checked_sub(jiff::SignedDuration::from_millis(milliseconds)).unwrap_or(now)
}

/// What ended with an event, and where the phase stands after it.
fn ended(event: &Event) -> Option<(String, &'static str)> {
    Some(match event {
        Event::SnapshotTaken { .. } => ("snapshot".to_owned(), "with its snapshot"),
        Event::Staged { .. } => ("build of the candidate".to_owned(), "staged"),
        Event::CheckEnded { check, at, .. } => {
            let after = match at.as_str() {
                "before" => "with its snapshot",
                "staged" => "staged",
                "rehearsed" => "rehearsed",
                _ => "live",
            };
            (format!("check {check} at {at}"), after)
        }
        Event::Rehearsed { .. } => ("rehearsal".to_owned(), "rehearsed"),
        Event::CutOver { .. } => ("cutover".to_owned(), "live"),
        Event::CutOverUndone { .. } => ("cutover that was taken back".to_owned(), "staged"),
        Event::RolledBack { whole: true, .. } => ("rollback".to_owned(), "rolled back"),
        Event::RolledBack { .. } => ("rollback of a part".to_owned(), "live"),
        Event::StepFailed { step, .. } => (format!("{step}, which failed"), "after the failure"),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(time: &str, event: Event) -> Record {
        let (actor, hash) = ("a@b".to_owned(), String::new());
        Record { seq: 1, time: format!("2026-01-01T{time}Z"), actor, event, prev: hash.clone(), hash }
    }

    fn phase() -> String {
        "p".to_owned()
    }

    #[test]
    fn work_is_laid_end_to_end_and_waiting_is_named_after_where_the_phase_stands() {
        let taken = Event::SnapshotTaken {
            phase: phase(),
            snapshot: String::new(),
            manifest: String::new(),
            files: 0,
            bytes: 0,
        };
        let parts = parts(&[
            record("10:00:00", Event::SnapshotStarted { phase: phase() }),
            record("10:00:02", taken),
            record(
                "12:00:02",
                Event::CutOverStarted { phase: phase(), transaction: "t".into(), unseen: Vec::new() },
            ),
            record("12:00:02.040", Event::CutOver { phase: phase(), transaction: "t".into(), generation: 1 }),
            // Begun and never ended: killed.
            record("12:00:03", Event::CheckStarted { phase: phase(), check: "c".into(), at: "live".into() }),
        ]);
        let seen: Vec<_> =
            parts.listed.iter().map(|part| (part.what.as_str(), part.milliseconds, part.offset_ms)).collect();
        let waiting = 2 * 3_600_000;
        assert_eq!(
            seen,
            [("snapshot", 2_000, 0), ("waiting, with its snapshot", waiting, 2_000), ("cutover", 40, 2_000)]
        );
        assert_eq!((parts.work_ms, parts.waiting_ms), (2_040, waiting));
    }

    #[test]
    fn a_clock_that_was_set_back_and_a_long_run_do_no_harm() {
        let mut records = vec![
            record("10:00:00", Event::SnapshotStarted { phase: phase() }),
            record(
                "09:00:00",
                Event::StepFailed { phase: phase(), step: "snapshot".into(), why: "x".into() },
            ),
        ];
        for _ in 0..200 {
            records.push(record(
                "11:00:00",
                Event::CutOverStarted { phase: phase(), transaction: "t".into(), unseen: Vec::new() },
            ));
            records.push(record(
                "11:00:00",
                Event::CutOver { phase: phase(), transaction: "t".into(), generation: 1 },
            ));
        }
        let parts = parts(&records);
        assert_eq!(parts.listed[0].milliseconds, 0);
        assert_eq!(parts.listed.len(), FIRST_MAX + LAST_MAX);
        assert_eq!(parts.left_out, (202 - 100, FIRST_MAX));
    }
}
