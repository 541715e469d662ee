//! After an exchange back, or where an exchange never came: what a phase left in a database is reverted, the last one first.

use super::request;
use crate::database::Database;
use crate::journal::{DatabaseFact, DatabaseKey, Direction, Event, History, PhaseState};
use crate::phase::error::StepError;
use crate::phase::project::{Project, Work};
use crate::phase::restore::ending::taken_back;
use crate::phase::witness::Notice;
use crate::port::PortError;
use crate::quantity::counted;
use crate::schema_steps::{RevertOptions, RevertTo, SchemaOutcome, behind, revert, standing};
use crate::tree::exchange::{State, Transaction};
use crate::verdict::Verdict;

/// What came of the revert of one database.
#[derive(Debug, Clone)]
pub struct DatabaseBack {
    /// The database, as it may be shown.
    pub database: String,
    /// *Yes*: nothing of the phase is in it any more.
    pub verdict: Verdict,
    /// What was done, or why it was not, in one line.
    pub summary: String,
    /// The steps that are still in it.
    pub left: Vec<String>,
    /// How many rows and values would be lost: they are written down.
    pub would_lose: u64,
    /// The next move; empty when there is none.
    pub next: String,
}

impl DatabaseBack {
    /// In one line.
    pub fn line(&self) -> String {
        if self.next.is_empty() {
            self.summary.clone()
        } else {
            format!("{}; next: {}", self.summary, self.next)
        }
    }
}

/// Whether whoever starts next has something to revert, or to look at.
pub(in crate::phase) fn is_due(
    project: &Project,
    history: &History,
    tries_again: bool,
) -> Result<bool, StepError> {
    Ok(!due(project, history, tries_again)?.is_empty())
}

/// Reverts what is left of phases whose tree is not live. `loss_max`: so many rows and values may be lost, and what an earlier
/// revert left is tried again.
///
/// # Errors
///
/// When a transaction cannot be read.
pub(in crate::phase) fn follow(
    work: &Work<'_>,
    loss_max: Option<u64>,
) -> Result<Vec<DatabaseBack>, StepError> {
    let mut all = Vec::new();
    let due = due(&work.project, &work.history(), loss_max.is_some())?;
    for (key, fact) in due {
        all.push(one(work, &key, &fact, loss_max));
    }
    Ok(all)
}

/// What a rollback of these transactions would do to databases: each, and what; also where an earlier one left something.
pub(in crate::phase) fn planned(work: &Work<'_>, transactions: &[String]) -> Vec<(String, String)> {
    let history = work.history();
    let mut facts: Vec<(&DatabaseKey, &DatabaseFact)> = history.databases.iter().collect();
    facts.sort_by_key(|(_, fact)| std::cmp::Reverse(fact.seq));
    let is_meant = |key: &DatabaseKey, fact: &DatabaseFact| {
        transactions.contains(&key.0) || fact.direction == Direction::Revert
    };
    facts.retain(|(key, fact)| !fact.steps.is_empty() && is_meant(key, fact));
    let does =
        |steps: &[String]| format!("revert {}: {}", counted(steps.len() as u64, "step"), steps.join(", "));
    facts.into_iter().map(|(key, fact)| (key.1.clone(), does(&fact.steps))).collect()
}

/// Ends what a run that was killed left in databases, and says so.
///
/// # Errors
///
/// As [`follow`].
pub(in crate::phase) fn recover(work: &Work<'_>) -> Result<(), StepError> {
    for back in follow(work, None)? {
        let what = format!("a cutover or rollback was interrupted: {}", back.line());
        work.witness.notice(Notice::Warning(what));
    }
    Ok(())
}

/// The databases that are to follow, the last one first.
fn due(
    project: &Project,
    history: &History,
    tries_again: bool,
) -> Result<Vec<(DatabaseKey, DatabaseFact)>, StepError> {
    let mut due = Vec::new();
    for (key, fact) in &history.databases {
        let has_any = fact.is_open || !fact.steps.is_empty();
        let is_given_up = fact.direction == Direction::Revert && !fact.is_open && !tries_again;
        if has_any && !is_given_up && is_out(project, history, &key.0)? {
            due.push((key.clone(), fact.clone()));
        }
    }
    due.sort_by_key(|(_, fact)| std::cmp::Reverse(fact.seq));
    Ok(due)
}

/// Whether the tree of a transaction is known not to be live.
fn is_out(project: &Project, history: &History, id: &str) -> Result<bool, StepError> {
    let disk = project.ports.world.disk.as_ref();
    let folder = project.transactions();
    let Some(transaction) = Transaction::open(disk, &project.root, &folder.join(id))? else {
        // Its file is gone: of a phase that was given up, or of one that was finished long ago.
        return Ok(history.of_transaction(id).is_some_and(|phase| phase.state == PhaseState::RolledBack));
    };
    match transaction.state() {
        State::Empty | State::Aborted(_) | State::RolledBack(_) => Ok(true),
        State::Prepared(_) | State::RollingBack(..) => Ok(false),
        State::Committed(..) => {
            for name in disk.list(&folder)? {
                let other = Transaction::open(disk, &project.root, &folder.join(name))?;
                let is_by = |other: &Transaction<'_>| {
                    taken_back(other.state()).is_some_and(|all| all.iter().any(|one| one == id))
                };
                if other.as_ref().is_some_and(is_by) {
                    return Ok(true);
                }
            }
            Ok(false)
        }
    }
}

fn one(
    work: &Work<'_>,
    (transaction, name): &DatabaseKey,
    fact: &DatabaseFact,
    loss_max: Option<u64>,
) -> DatabaseBack {
    let about = |direction: Direction, steps: &[String]| Event::DatabaseStarted {
        phase: fact.phase.clone(),
        transaction: transaction.clone(),
        database: name.clone(),
        direction: direction.word().to_owned(),
        address: fact.address.clone(),
        scripts: fact.scripts.clone(),
        steps: steps.to_vec(),
    };
    // A journal that cannot be written must not keep the old schema from coming back.
    let tell = |event: Event| {
        if let Err(error) = work.record(event) {
            work.witness.notice(Notice::Warning(format!("the journal was not written: {error}")));
        }
    };
    tell(about(Direction::Revert, &fact.steps));
    let back = match reverted(work, name, fact, loss_max) {
        Ok(back) => back,
        Err(error) => DatabaseBack {
            database: name.clone(),
            verdict: Verdict::Unknown,
            summary: work
                .redactor
                .clean(&format!("the database `{name}` was not reverted: {}", error.told())),
            left: fact.steps.clone(),
            would_lose: 0,
            next: by_hand(name, fact),
        },
    };
    tell(Event::DatabaseEnded {
        phase: fact.phase.clone(),
        transaction: transaction.clone(),
        database: name.clone(),
        verdict: back.verdict.word().to_owned(),
        steps: back.left.clone(),
        summary: back.summary.clone(),
    });
    work.done(&fact.phase, back.summary.clone());
    back
}

fn reverted(
    work: &Work<'_>,
    name: &str,
    fact: &DatabaseFact,
    loss_max: Option<u64>,
) -> Result<DatabaseBack, PortError> {
    let database = address_of(work, name, fact)?;
    let request = request(work, &database, work.project.root.join(&fact.scripts), None);
    let (there, _) = standing(&request, None)?;
    let ours: Vec<String> = there.iter().filter(|step| fact.steps.contains(step)).cloned().collect();
    if ours.is_empty() {
        if there.is_empty() {
            // Whoever was killed last may have left the table of the steps.
            let options = RevertOptions { to: RevertTo::All, ..RevertOptions::default() };
            revert(&request, &options)?;
        }
        return Ok(DatabaseBack {
            database: name.to_owned(),
            verdict: Verdict::Yes,
            summary: format!("nothing of the phase `{}` is in the database `{name}`", fact.phase),
            left: Vec::new(),
            would_lose: 0,
            next: String::new(),
        });
    }
    let to = behind(&there, &ours);
    let options = RevertOptions { to, loss_max, ..RevertOptions::default() };
    let outcome = revert(&request, &options)?;
    let (there, _) = standing(&request, None)?;
    let left: Vec<String> = ours.into_iter().filter(|step| there.contains(step)).collect();
    Ok(told(work, name, fact, &outcome, left))
}

fn told(
    work: &Work<'_>,
    name: &str,
    fact: &DatabaseFact,
    outcome: &SchemaOutcome,
    left: Vec<String>,
) -> DatabaseBack {
    let would_lose = if left.is_empty() { 0 } else { outcome.lost.iter().map(|loss| loss.rows).sum() };
    let done = counted(outcome.done.len() as u64, "step");
    let lost: Vec<String> = outcome.lost.iter().map(crate::schema_steps::Loss::told).collect();
    let summary = if left.is_empty() && outcome.verdict == Verdict::Yes {
        let taken = if lost.is_empty() {
            String::new()
        } else {
            format!("; gone, as was agreed: {}", lost.join(", "))
        };
        format!("{done} reverted in the database `{name}`{taken}")
    } else {
        let still = counted(left.len() as u64, "step");
        format!(
            "{done} reverted in the database `{name}`, {still} of the phase still there: {}",
            outcome.why()
        )
    };
    let next = match (outcome.verdict, would_lose) {
        (Verdict::Yes, _) if left.is_empty() => String::new(),
        (_, 0) => by_hand(name, fact),
        (_, rows) => {
            let either = format!("look at the files, then `switchback rollback --accept-loss {rows}`");
            format!("{either} takes the rest back, too; until then the old code works on the new schema")
        }
    };
    DatabaseBack {
        database: name.to_owned(),
        verdict: outcome.verdict,
        summary: work.redactor.clean(&summary),
        left,
        would_lose,
        next,
    }
}

/// The database as it was deployed into: as the journal has it, or, where there is a secret in that, the plan.
fn address_of(work: &Work<'_>, name: &str, fact: &DatabaseFact) -> Result<Database, PortError> {
    let unknown = |why: String| {
        PortError::new(format!("nobody knows the address of `{name}`"), vec![why])
            .hinted("put the change of the kind `schema` back into the plan, then roll back again")
    };
    if !fact.address.is_empty() {
        return Database::parse(&fact.address).map_err(|(message, _)| unknown(message));
    }
    let phases = work.plan().phases.iter();
    let changes = phases.flat_map(|phase| &phase.changes).filter_map(|change| change.change.schema());
    let found = changes.map(|change| &change.database).find(|database| database.shown() == name);
    found.cloned().ok_or_else(|| unknown("the plan does not name it any more".to_owned()))
}

fn by_hand(name: &str, fact: &DatabaseFact) -> String {
    let database = if fact.address.is_empty() { name } else { &fact.address };
    format!(
        "`switchback rollback` tries again; `switchback schema status --database '{database}' --steps {}` says what is there",
        fact.scripts
    )
}
