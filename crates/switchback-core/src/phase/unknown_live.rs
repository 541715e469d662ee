//! A cutover of which the journal has no word, because it is damaged, was cut, or is gone: its tree is live, and only the file of its
//! transaction tells.

use std::collections::BTreeSet;

use super::error::StepError;
use super::project::Project;
use super::restore;
use crate::journal::History;
use crate::tree::exchange::{State, Transaction};

/// A transaction that is live and that the journal does not know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownLive {
    /// Its id.
    pub transaction: String,
    /// The phase whose candidate is live.
    pub phase: String,
    /// The generation that it is.
    pub generation: u64,
}

impl UnknownLive {
    /// In words, for people.
    pub fn words(&self) -> String {
        format!(
            "the candidate of the phase `{}` is live (generation {}, transaction {}), and the events that told of it are lost",
            self.phase, self.generation, self.transaction
        )
    }
}

/// The next move.
pub const UNKNOWN_LIVE_NEXT: &str = "nothing was done: it would pass for the old tree; `switchback rollback` makes that live, then `switchback run` begins anew";

/// The transactions that are live and of which the journal does not tell, the last one first; those alone that went live after what it
/// does tell of. A journal that is whole has given all their numbers.
///
/// # Errors
///
/// When the records of a transaction cannot be read.
pub fn unknown_live(project: &Project, history: &History) -> Result<Vec<UnknownLive>, StepError> {
    let (disk, folder) = (project.ports.world.disk.as_ref(), project.transactions());
    let (mut found, mut taken_back) = (Vec::new(), BTreeSet::new());
    if disk.look(&folder)?.is_none() {
        return Ok(found);
    }
    // A damaged journal may have lost what it gave a number for, and told of before.
    let known = if history.is_damaged { history.generation } else { history.generations };
    for name in disk.list(&folder)? {
        let Some(transaction) = Transaction::open(disk, &project.root, &folder.join(&name))? else {
            continue;
        };
        if let Some(transactions) = restore::ending::taken_back(transaction.state()) {
            taken_back.extend(transactions.iter().cloned());
            continue;
        }
        let id = name.to_string_lossy().into_owned();
        if let State::Committed(prepare, _) = transaction.state()
            && history.of_transaction(&id).is_none()
            && prepare.generation > known
        {
            let (phase, generation) = (prepare.phase.clone(), prepare.generation);
            found.push(UnknownLive { transaction: id, phase, generation });
        }
    }
    found.retain(|live| !taken_back.contains(&live.transaction));
    found.sort_by_key(|live| std::cmp::Reverse(live.generation));
    Ok(found)
}
