//! The records of rewrites, as far as they tell of parts that were rolled back: the journal is told of them when it could
//! not be written, and they end with the transaction that they belong to.

use std::collections::BTreeSet;

use super::error::StepError;
use super::project::Work;
use super::witness::Notice;
use crate::journal::Event;
use crate::tree::rewrite::{self, RewriteError, Rewritten};

/// How the record of such a rewrite names what was run; the transaction follows.
pub(super) const COMMAND: &str = "rollback of a part of ";

/// Tells the journal of parts that were rolled back when it could not be written. What was begun and not ended is as it
/// was before.
pub(super) fn reconcile(work: &Work<'_>) -> Result<(), StepError> {
    let root = &work.project.root;
    if let Some(undone) = rewrite::recover_held(work.world(), root)? {
        let what =
            format!("`{}` was interrupted: {} paths are as they were", undone.command, undone.paths.len());
        work.witness.notice(Notice::Warning(what));
    }
    let (written, unreadable) = written(work)?;
    for error in unreadable {
        // Nobody needs it but `undo`, which refuses it; a rollback in an emergency must not wait for it.
        let what = format!("{error}; it is passed over, and what it tells of cannot be undone alone");
        work.witness.notice(Notice::Warning(what));
    }
    if written.is_empty() {
        // The journal of a long watch is not read for nothing.
        return Ok(());
    }
    let known: BTreeSet<String> = work
        .records()?
        .into_iter()
        .filter_map(|record| match record.event {
            Event::PartRolledBack { undo, .. } => Some(undo),
            _ => None,
        })
        .collect();
    for (transaction, words, done) in written.into_iter().filter(|(_, _, done)| !known.contains(&done.id)) {
        let phase = work.history().of_transaction(&transaction).map(|phase| phase.name.clone());
        let Some(phase) = phase else { continue };
        work.record(Event::PartRolledBack {
            phase,
            transaction,
            parts: words,
            restored: done.paths.iter().map(|path| path.to_string_lossy().into_owned()).collect(),
            kept_aside: Vec::new(),
            undo: done.id,
            why: "found in the record of what was written".to_owned(),
        })?;
    }
    Ok(())
}

/// A part that was rolled back: the transaction, what was asked for, and what was written.
type Part = (String, Vec<String>, Rewritten);

/// Parts that were rolled back and that `undo` can take back, and the records that cannot be read.
fn written(work: &Work<'_>) -> Result<(Vec<Part>, Vec<RewriteError>), StepError> {
    let (written, unreadable) = rewrite::written(work.world(), &work.project.root)?;
    let of_part = |done: Rewritten| {
        let (transaction, words) = done.command.strip_prefix(COMMAND)?.split_once(' ')?;
        let words = words.split(' ').map(ToOwned::to_owned).collect();
        Some((transaction.to_owned(), words, done))
    };
    Ok((written.into_iter().filter_map(of_part).collect(), unreadable))
}

/// Parts of a transaction that was rolled back are no longer anybody's to undo: what they wrote is not live any more.
pub(super) fn overtaken(work: &Work<'_>, transaction: &str) -> Result<(), StepError> {
    for (_, _, done) in written(work)?.0.into_iter().filter(|(of, _, _)| of == transaction) {
        rewrite::retire(work.world(), &work.project.root, &done.id)?;
    }
    Ok(())
}
