//! What follows the decision of a restore: what was live is put away, and the journal is told. Doing it twice is doing it
//! once, so that the next start can end what was interrupted.

use super::super::error::StepError;
use super::super::project::{Project, Work};
use super::super::put_away::{changed_since_staged, put_away_parked};
use super::super::witness::Notice;
use crate::journal::{Event, History, PhaseState};
use crate::tree::exchange::{Participant, Prepare, State, Transaction};

/// What a restore did.
#[derive(Debug, Default)]
pub(in crate::phase) struct Ended {
    /// The paths that hold what the copy held.
    pub(in crate::phase) restored: Vec<String>,
    /// What was changed in the tree that was live since it went live, and is kept.
    pub(in crate::phase) kept_aside: Vec<String>,
}

/// Ends a restore that was decided.
pub(in crate::phase) fn settle(work: &Work<'_>, id: &str) -> Result<Ended, StepError> {
    let Some((prepare, takes_back)) = committed(work, id)? else { return Ok(Ended::default()) };
    let mut ended = Ended::default();
    for participant in &prepare.participants {
        ended.restored.push(participant.live().to_string_lossy().into_owned());
        let Participant::Path { live, beside, kept, old, .. } = participant else { continue };
        if old.is_none() {
            continue;
        }
        put_away_parked(work, beside, kept)?;
        match takes_back.first() {
            Some(last) => ended.kept_aside.extend(changed_since_staged(work, last, live, kept)),
            None => ended.kept_aside.push(kept.to_string_lossy().into_owned()),
        }
    }
    for transaction in &takes_back {
        put_away_old(work, transaction)?;
    }
    tell(work, id, &takes_back, &ended)?;
    Ok(ended)
}

/// A restore that was begun is ended in the journal, as its transaction's own file says.
pub(in crate::phase) fn reconcile(work: &Work<'_>) -> Result<(), StepError> {
    let Some(open) = work.history().restoring.clone() else { return tell_lost(work) };
    if committed(work, &open.transaction)?.is_some() {
        settle(work, &open.transaction)?;
        let what =
            format!("an interrupted restore ({}) was finished: what it restored is live", open.transaction);
        work.witness.notice(Notice::Warning(what));
        return Ok(());
    }
    let why = "the process ended before the decision".to_owned();
    work.record(Event::RestoreUndone { transaction: open.transaction, why })
}

/// Restores of which a damaged journal lost every word: their transactions, and what each took back, which the journal takes for live.
pub(in crate::phase) fn lost(
    project: &Project,
    history: &History,
) -> Result<Vec<(String, Vec<String>)>, StepError> {
    let (disk, folder) = (project.ports.world.disk.as_ref(), project.transactions());
    let mut found = Vec::new();
    if !history.is_damaged || disk.look(&folder)?.is_none() {
        return Ok(found);
    }
    let passes_for_live =
        |transaction: &String| history.of_transaction(transaction).is_some_and(|phase| phase.state.is_live());
    for name in disk.list(&folder)? {
        let Some(transaction) = Transaction::open(disk, &project.root, &folder.join(&name))? else {
            continue;
        };
        let takes_back = taken_back(transaction.state()).unwrap_or_default();
        if takes_back.iter().any(passes_for_live) {
            found.push((name.to_string_lossy().into_owned(), takes_back.to_vec()));
        }
    }
    Ok(found)
}

/// Tells of them again, as the files of their transactions say.
fn tell_lost(work: &Work<'_>) -> Result<(), StepError> {
    // What is told of changes the history, so it is read before.
    let lost = lost(&work.project, &work.history())?;
    for (id, takes_back) in lost {
        work.record(Event::RestoreStarted {
            transaction: id.clone(),
            from: "a copy".to_owned(),
            source: "unknown".to_owned(),
            takes_back,
            why: "found in the transaction's own records".to_owned(),
        })?;
        settle(work, &id)?;
        let what =
            format!("the journal lost that a restore ({id}) took back what it calls live: it says so again");
        work.witness.notice(Notice::Warning(what));
    }
    Ok(())
}

/// What a restore exchanged and which transactions it takes back, if it was decided.
fn committed(work: &Work<'_>, id: &str) -> Result<Option<(Prepare, Vec<String>)>, StepError> {
    let disk = work.world().disk.as_ref();
    let file = work.project.transactions().join(id);
    let Some(transaction) = Transaction::open(disk, &work.project.root, &file)? else { return Ok(None) };
    let State::Committed(prepare, _) = transaction.state() else { return Ok(None) };
    Ok(prepare.takes_back.clone().map(|takes_back| (prepare.clone(), takes_back)))
}

/// The old tree of a transaction that was taken back stands where it was parked: it is kept with its generation.
fn put_away_old(work: &Work<'_>, transaction: &str) -> Result<(), StepError> {
    let disk = work.world().disk.as_ref();
    let root = work.project.root.as_path();
    let file = work.project.transactions().join(transaction);
    let Some(transaction) = Transaction::open(disk, root, &file)? else { return Ok(()) };
    let State::Committed(prepare, undone) = transaction.state() else { return Ok(()) };
    for (at, participant) in prepare.participants.iter().enumerate() {
        if let Participant::Path { beside, kept, .. } = participant
            && !undone.contains(&at)
        {
            put_away_parked(work, beside, kept)?;
        }
    }
    Ok(())
}

/// Each phase that was taken back is rolled back, the last one first; then the restore is over.
fn tell(work: &Work<'_>, id: &str, takes_back: &[String], ended: &Ended) -> Result<(), StepError> {
    let open = work.history().restoring.clone();
    let Some(open) = open.filter(|open| open.transaction == id) else { return Ok(()) };
    for (at, transaction) in takes_back.iter().enumerate() {
        let phase = work.history().of_transaction(transaction).map(|phase| (phase.name.clone(), phase.state));
        let Some((phase, state)) = phase else { continue };
        if state == PhaseState::RolledBack {
            continue;
        }
        let short = open.source.get(..12).unwrap_or(&open.source);
        work.record(Event::RollBackStarted {
            phase: phase.clone(),
            transaction: transaction.clone(),
            only: Vec::new(),
            why: format!("{} (restored from {} {short})", open.why, open.from),
        })?;
        work.record(Event::RolledBack {
            phase,
            transaction: transaction.clone(),
            whole: true,
            restored: ended.restored.clone(),
            // It is told once, of the phase that was live last.
            kept_aside: if at == 0 { ended.kept_aside.clone() } else { Vec::new() },
        })?;
    }
    work.record(Event::Restored {
        transaction: id.to_owned(),
        from: open.from,
        source: open.source,
        restored: ended.restored.clone(),
        kept_aside: ended.kept_aside.clone(),
    })
}

/// Whether a transaction is that of a restore, and which it takes back, if it was decided.
pub(in crate::phase) fn taken_back(state: &State) -> Option<&[String]> {
    match state {
        State::Committed(prepare, _) => prepare.takes_back.as_deref(),
        State::Empty
        | State::Prepared(_)
        | State::RollingBack(..)
        | State::RolledBack(_)
        | State::Aborted(_) => None,
    }
}
