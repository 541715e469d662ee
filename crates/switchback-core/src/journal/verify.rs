//! The chain of hashes: whether the journal is as it was written, and where it is not.
//!
//! A chain shows every change inside it. It cannot show that its end was cut off, or that all of it was written anew:
//! for that its head must be kept somewhere else.

use super::event::{Event, Record};
use super::store::{Row, RowText, first_prev};

/// One place where the journal is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainFault {
    /// The position of the event.
    pub seq: u64,
    /// What is wrong with it.
    pub what: String,
}

/// Walks the chain, and looks whether each event is known; nothing is returned when all of it holds.
pub fn verify(rows: &[Row]) -> Vec<ChainFault> {
    let mut faults = verify_chain(rows);
    for row in rows {
        if faults.iter().any(|fault| fault.seq == row.seq) {
            continue;
        }
        if let Err(error) = Event::read(&row.event, &row.body) {
            faults.push(ChainFault { seq: row.seq, what: format!("this program does not know it: {error}") });
        }
    }
    faults.sort_by_key(|fault| fault.seq);
    faults
}

/// Walks the chain of hashes alone, without a look at what the events say.
fn verify_chain(rows: &[Row]) -> Vec<ChainFault> {
    let mut chain = Chain::default();
    rows.iter().flat_map(|row| chain.faults(&row.text())).collect()
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
            let what = "its content does not have its hash: it was changed after it was written".to_owned();
            faults.push(ChainFault { seq: row.seq, what });
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
            let what = if seq == expected + 1 {
                format!("event {expected} is missing before it")
            } else {
                format!("events {expected} to {} are missing before it", seq.saturating_sub(1))
            };
            faults.push(ChainFault { seq, what });
        }
        if prev != self.prev {
            let what =
                "it does not continue the event before it: one of the two was changed, removed or moved";
            faults.push(ChainFault { seq, what: what.to_owned() });
        }
        faults
    }
}
