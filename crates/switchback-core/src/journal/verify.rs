//! The chain of hashes: whether the journal is as it was written, and where it is not.
//!
//! A chain shows every change inside it. It cannot show that its end was cut off, or that all of it was written anew:
//! for that its head must be kept somewhere else.

use std::collections::HashMap;

use super::event::{Event, Record};
use super::store::{Row, RowText, first_prev};

/// So many hashes are computed to find out where a row stood before it was moved.
const PLACES_TRIED_MAX: u64 = 200_000;
/// So far beyond the end of the journal a row is looked for.
const PLACES_BEYOND: u64 = 64;

/// One place where the journal is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainFault {
    /// The position of the event.
    pub seq: u64,
    /// Of what kind.
    pub kind: FaultKind,
    /// What is wrong with it.
    pub what: String,
}

/// What was done to a journal, as far as it shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultKind {
    /// An event says something else than what was written.
    Changed,
    /// Events are not there any more.
    Removed,
    /// An event was put between two others.
    Inserted,
    /// An event stood elsewhere.
    Moved,
    /// This program does not know it.
    Unread,
    /// What was signed is not what stands there.
    Signature,
    /// What was acknowledged is damaged in the write-ahead log.
    Damaged,
    /// A head that is kept outside does not fit.
    Anchor,
}

impl FaultKind {
    /// The word for it in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Changed => "changed",
            Self::Removed => "removed",
            Self::Inserted => "inserted",
            Self::Moved => "moved",
            Self::Unread => "unread",
            Self::Signature => "signature",
            Self::Damaged => "damaged",
            Self::Anchor => "anchor",
        }
    }
}

/// Walks the chain, and looks whether each event is known; nothing is returned when all of it holds.
pub fn verify(rows: &[Row]) -> Vec<ChainFault> {
    let mut faults = verify_chain(rows);
    for row in rows {
        if faults.iter().any(|fault| fault.seq == row.seq) {
            continue;
        }
        if let Err(error) = Event::read(&row.event, &row.body) {
            let what = format!("this program does not know it: {error}");
            faults.push(ChainFault { seq: row.seq, kind: FaultKind::Unread, what });
        }
    }
    faults.sort_by_key(|fault| fault.seq);
    faults
}

/// Walks the chain of hashes alone, without a look at what the events say, and finds out what was done to it.
fn verify_chain(rows: &[Row]) -> Vec<ChainFault> {
    let mut look = Look { rows, tried: 0, shift: 0, faults: Vec::new() };
    let written: Vec<Option<u64>> = rows.iter().map(|row| look.written_as(row)).collect();
    let mut at = 0;
    while at < rows.len() {
        look.gap(at);
        let shift = written[at].map(|place| shift(place, rows[at].seq));
        match shift {
            Some(0) => look.link(at, &written),
            Some(shift) => at = look.moved(at, shift, &written),
            None => look.changed(at),
        }
        at += 1;
    }
    look.faults
}

/// How far a row stood from where it is.
fn shift(written_as: u64, seq: u64) -> i128 {
    i128::from(written_as) - i128::from(seq)
}

/// A look at a whole journal.
struct Look<'r> {
    rows: &'r [Row],
    /// So many places were tried for rows that are not where they were written.
    tried: u64,
    /// How far the last row of which that was found out stood from where it is.
    shift: i128,
    faults: Vec<ChainFault>,
}

impl Look<'_> {
    fn fault(&mut self, seq: u64, kind: FaultKind, what: impl Into<String>) {
        self.faults.push(ChainFault { seq, kind, what: what.into() });
    }

    /// The position that a row was written at: the one that its hash fits; `None` when none was found.
    fn written_as(&mut self, row: &Row) -> Option<u64> {
        let fits = |seq: u64| {
            Record::chained(seq, &row.time, &row.actor, &row.event, &row.body, &row.prev) == row.hash
        };
        if fits(row.seq) {
            return Some(row.seq);
        }
        let near = u64::try_from(i128::from(row.seq) + self.shift).ok();
        let last = self.rows.last().map_or(0, |row| row.seq).max(self.rows.len() as u64) + PLACES_BEYOND;
        for seq in near.into_iter().chain(1..=last) {
            if self.tried >= PLACES_TRIED_MAX {
                return None;
            }
            self.tried += 1;
            if fits(seq) {
                self.shift = shift(seq, row.seq);
                return Some(seq);
            }
        }
        None
    }

    /// Whether there is a row for each position before this one.
    fn gap(&mut self, at: usize) {
        let seq = self.rows[at].seq;
        let expected = self.expected(at);
        if seq != expected {
            let what = missing(expected, seq);
            self.fault(seq, FaultKind::Removed, what);
        }
    }

    fn expected(&self, at: usize) -> u64 {
        at.checked_sub(1).map_or(1, |before| self.rows[before].seq + 1)
    }

    fn changed(&mut self, at: usize) {
        self.fault(self.rows[at].seq, FaultKind::Changed, CHANGED);
    }

    /// Rows that stand elsewhere than where they were written, from this one on; the last of those that were moved together.
    fn moved(&mut self, at: usize, by: i128, written: &[Option<u64>]) -> usize {
        let rows = self.rows;
        let is_along = |next: usize| written[next].is_some_and(|place| shift(place, rows[next].seq) == by);
        let last = (at..rows.len()).take_while(|next| is_along(*next)).last().unwrap_or(at);
        let (seq, end) = (rows[at].seq, rows[last].seq);
        let was = written[at].unwrap_or_default();
        let follows = at.checked_sub(1).is_none_or(|before| written[before] == Some(rows[before].seq));
        let reaches_end = last + 1 == rows.len() && seq == self.expected(at) && follows;
        let words = if at == last {
            format!("it was written as event {was}")
        } else {
            format!("it and all up to event {end} were written as event {was} and what follows it")
        };
        if !reaches_end {
            self.fault(seq, FaultKind::Moved, format!("{words}: moved"));
        } else if by > 0 {
            self.fault(seq, FaultKind::Removed, format!("{words}: what stood before was removed"));
        } else {
            let before = seq.saturating_sub(u64::try_from(-by).unwrap_or(1)).max(1);
            self.fault(
                before,
                FaultKind::Inserted,
                format!("inserted: event {seq} was written as event {was}"),
            );
        }
        last
    }

    /// Whether a row whose own hash fits continues the one before it.
    fn link(&mut self, at: usize, written: &[Option<u64>]) {
        let rows = self.rows;
        let row = &rows[at];
        let before = at.checked_sub(1).map(|before| &rows[before]);
        if row.prev == before.map_or_else(first_prev, |before| before.hash.clone()) {
            return;
        }
        // What is missing, or what was found to be changed or moved, explains that it does not continue it.
        let is_explained =
            row.seq != self.expected(at) || before.is_some_and(|before| written[at - 1] != Some(before.seq));
        if is_explained {
            return;
        }
        let Some(before) = before else {
            self.fault(
                row.seq,
                FaultKind::Removed,
                "it is not the first one: what stood before it was removed",
            );
            return;
        };
        let twice_before = at.checked_sub(2).map_or_else(first_prev, |index| rows[index].hash.clone());
        let seq = row.seq;
        if row.prev == twice_before {
            let what = format!("inserted: event {seq} continues the one before it");
            self.fault(before.seq, FaultKind::Inserted, what);
            return;
        }
        let hashes: HashMap<&str, u64> = rows.iter().map(|row| (row.hash.as_str(), row.seq)).collect();
        if let Some(place) = hashes.get(row.prev.as_str()) {
            let what = format!("it continues event {place} and not the one before it: moved");
            self.fault(seq, FaultKind::Moved, what);
        } else {
            let what = format!("event {seq} continues another one in its place: it was replaced");
            self.fault(before.seq, FaultKind::Changed, what);
        }
    }
}

const CHANGED: &str = "its content does not have its hash: it was changed after it was written";

fn missing(expected: u64, seq: u64) -> String {
    if seq == expected + 1 {
        format!("event {expected} is missing before it")
    } else {
        format!("events {expected} to {} are missing before it", seq.saturating_sub(1))
    }
}

/// A walk along the chain: what the next row must be.
#[derive(Debug)]
pub(super) struct Chain {
    seq: u64,
    prev: String,
}

impl Default for Chain {
    fn default() -> Self {
        Self { seq: 1, prev: first_prev() }
    }
}

impl Chain {
    /// A walk that begins at a row, and believes what this row says about the one before.
    pub(super) fn before(row: &RowText<'_>) -> Self {
        Self { seq: row.seq, prev: row.prev.to_owned() }
    }

    /// Goes one row on; the first thing that is wrong with it, if anything is.
    pub(super) fn next(&mut self, row: &RowText<'_>) -> Option<ChainFault> {
        self.faults(row).into_iter().next()
    }

    /// What is wrong with the place of the next row; nothing about its content.
    pub(super) fn link(&self, seq: u64, prev: &str) -> Option<ChainFault> {
        self.link_faults(seq, prev).into_iter().next()
    }

    fn faults(&mut self, row: &RowText<'_>) -> Vec<ChainFault> {
        let mut faults = self.link_faults(row.seq, row.prev);
        let hash = Record::chained(row.seq, row.time, row.actor, row.event, row.body, row.prev);
        if hash != row.hash {
            faults.push(ChainFault { seq: row.seq, kind: FaultKind::Changed, what: CHANGED.to_owned() });
        }
        self.seq = row.seq + 1;
        self.prev.clear();
        self.prev.push_str(row.hash);
        faults
    }

    fn link_faults(&self, seq: u64, prev: &str) -> Vec<ChainFault> {
        let mut faults = Vec::new();
        let expected = self.seq;
        if seq != expected {
            faults.push(ChainFault { seq, kind: FaultKind::Removed, what: missing(expected, seq) });
        }
        if prev != self.prev {
            let what =
                "it does not continue the event before it: one of the two was changed, removed or moved";
            faults.push(ChainFault { seq, kind: FaultKind::Changed, what: what.to_owned() });
        }
        faults
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chained(seq: u64, body: &str, prev: &str) -> Row {
        let (time, actor, event) = ("2026-01-01T00:00:00Z", "a@b", "watched");
        let hash = Record::chained(seq, time, actor, event, body, prev);
        let [time, actor, event, body, prev] = [time, actor, event, body, prev].map(str::to_owned);
        Row { seq, time, actor, event, body, prev, hash }
    }

    fn journal(bodies: &[String]) -> Vec<Row> {
        let mut rows: Vec<Row> = Vec::new();
        for (seq, body) in (1..).zip(bodies) {
            let prev = rows.last().map_or_else(first_prev, |row| row.hash.clone());
            rows.push(chained(seq, body, &prev));
        }
        rows
    }

    fn whole() -> Vec<Row> {
        journal(&(0..9).map(|number| format!(r#"{{"phase":"p{number}"}}"#)).collect::<Vec<_>>())
    }

    fn found(rows: &[Row]) -> Vec<(u64, FaultKind)> {
        verify(rows).into_iter().map(|fault| (fault.seq, fault.kind)).collect()
    }

    fn renumber(rows: &mut [Row]) {
        for (seq, row) in (1..).zip(rows) {
            row.seq = seq;
        }
    }

    #[test]
    fn what_was_done_to_a_journal_is_told_apart() {
        use FaultKind::{Changed, Inserted, Moved, Removed};
        assert_eq!(found(&whole()), []);
        assert_eq!(found(&[]), []);
        let with = |change: &dyn Fn(&mut Vec<Row>)| {
            let mut rows = whole();
            change(&mut rows);
            found(&rows)
        };
        assert_eq!(with(&|rows| rows[4].actor = "c@d".into()), [(5, Changed)]);
        // Given a hash that fits: the one behind it tells.
        let replaced = |rows: &mut Vec<Row>| rows[4] = chained(5, r#"{"phase":"x"}"#, &rows[3].hash.clone());
        assert_eq!(with(&replaced), [(5, Changed)]);
        assert_eq!(with(&|rows| drop(rows.remove(4))), [(6, Removed)]);
        assert_eq!(with(&|rows| drop(rows.remove(0))), [(2, Removed)]);
        let closed = |rows: &mut Vec<Row>| {
            rows.remove(4);
            renumber(rows);
        };
        assert_eq!(with(&closed), [(5, Removed)]);
        let inserted = |rows: &mut Vec<Row>| {
            rows.insert(4, chained(5, r#"{"phase":"x"}"#, &rows[3].hash.clone()));
            renumber(rows);
        };
        assert_eq!(with(&inserted), [(5, Inserted)]);
        for (one, other) in [(3, 4), (2, 6), (7, 8), (0, 1)] {
            let swapped = |rows: &mut Vec<Row>| {
                rows.swap(one, other);
                renumber(rows);
            };
            assert_eq!(with(&swapped), [(one as u64 + 1, Moved), (other as u64 + 1, Moved)]);
        }
        // What no chain can show.
        assert_eq!(with(&|rows| rows.truncate(6)), []);
        assert_eq!(found(&journal(&["{\"phase\":\"q\"}".to_owned()])), []);
    }

    #[test]
    fn an_event_that_is_not_known_is_no_change() {
        let mut row = chained(1, "{}", &first_prev());
        row.event = "teleported".into();
        row.hash = Record::chained(1, &row.time, &row.actor, &row.event, &row.body, &row.prev);
        assert_eq!(found(&[row]), [(1, FaultKind::Unread)]);
    }
}
