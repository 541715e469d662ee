//! The chain of hashes: whether the journal is as it was written, and where it is not.
//!
//! A chain shows every change inside it. It cannot show that its end was cut off, or that all of it was written anew:
//! for that its head must be kept somewhere else.

use super::event::{Event, Record};
use super::store::{Row, first_prev};

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
pub fn verify_chain(rows: &[Row]) -> Vec<ChainFault> {
    let mut faults = Vec::new();
    let (mut expected, mut prev) = (1, first_prev());
    for row in rows {
        let mut fault = |what: String| faults.push(ChainFault { seq: row.seq, what });
        if row.seq != expected {
            let missing = if row.seq == expected + 1 {
                format!("event {expected} is missing before it")
            } else {
                format!("events {expected} to {} are missing before it", row.seq.saturating_sub(1))
            };
            fault(missing);
        }
        if row.prev != prev {
            fault(
                "it does not continue the event before it: one of the two was changed, removed or moved"
                    .to_owned(),
            );
        }
        let hash = Record::chained(row.seq, &row.time, &row.actor, &row.event, &row.body, &row.prev);
        if hash != row.hash {
            fault("its content does not have its hash: it was changed after it was written".to_owned());
        }
        expected = row.seq + 1;
        prev.clone_from(&row.hash);
    }
    faults
}
