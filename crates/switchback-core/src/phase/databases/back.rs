//! After an exchange back, or where an exchange never came: what a phase left in a database is reverted, the last one first.

use super::request;
use crate::database::{Database, Target};
use crate::journal::{DatabaseFact, DatabaseKey, Direction, Event, History, PhaseState};
use crate::phase::error::StepError;
use crate::phase::project::{Project, Work};
use crate::phase::restore::ending::taken_back;
use crate::phase::witness::Notice;
use crate::port::PortError;
use crate::quantity::counted;
use crate::schema_steps::{RevertOptions, RevertTo, SchemaOutcome, SchemaRequest, behind, revert, standing};
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

/// What is still in databases, and why, a line each.
pub(in crate::phase) fn left_lines(all: &[DatabaseBack]) -> Vec<String> {
    all.iter().filter(|one| one.verdict != Verdict::Yes).map(DatabaseBack::line).collect()
}

/// A database in which something is to be undone.
#[derive(Debug)]
struct Due {
    key: DatabaseKey,
    fact: DatabaseFact,
    /// The steps that are its own to undo.
    steps: Vec<String>,
}

/// Whether something in a database is to be undone. `tries_again`: also what an earlier revert left.
pub(in crate::phase) fn is_due(
    project: &Project,
    history: &History,
    tries_again: bool,
) -> Result<bool, StepError> {
    Ok(!due(project, history, tries_again)?.is_empty())
}

/// Reverts what is left of phases whose tree is not live, the last one first. `loss_max`: so many rows and values may be lost, in all
/// databases together, and what an earlier revert left is tried again.
///
/// # Errors
///
/// When a transaction cannot be read.
pub(in crate::phase) fn follow(
    work: &Work<'_>,
    loss_max: Option<u64>,
) -> Result<Vec<DatabaseBack>, StepError> {
    let all_due = due(&work.project, &work.history(), loss_max.is_some())?;
    let (mut all, mut budget): (Vec<DatabaseBack>, _) = (Vec::new(), loss_max);
    for due in all_due {
        // What is under steps that stayed stays as well.
        if all.iter().any(|back| back.database == due.key.1 && back.verdict != Verdict::Yes) {
            continue;
        }
        let (back, gone) = one(work, &due, budget);
        budget = budget.map(|budget| budget.saturating_sub(gone));
        all.push(back);
    }
    Ok(all)
}

/// The steps of a database that phases left in it whose tree is not live, with what they are booked to: a cutover that finds them there takes
/// them over.
pub(super) fn left_in(work: &Work<'_>, place: &str) -> Result<Vec<(DatabaseKey, Vec<String>)>, StepError> {
    let all = due(&work.project, &work.history(), true)?.into_iter();
    Ok(all.filter(|due| due.fact.place == place).map(|due| (due.key, due.steps)).collect())
}

/// What a rollback of these transactions would do to databases: each, and what; also where an earlier one left something.
pub(in crate::phase) fn planned(work: &Work<'_>, transactions: &[String]) -> Vec<(String, String)> {
    let history = work.history();
    let mut facts: Vec<(&DatabaseKey, &DatabaseFact)> = history.databases.iter().collect();
    facts.sort_by_key(|(_, fact)| std::cmp::Reverse(fact.seq));
    let is_meant = |key: &DatabaseKey, fact: &DatabaseFact| {
        transactions.contains(&key.0) || fact.direction == Direction::Revert
    };
    facts.retain(|(key, fact)| is_meant(key, fact) && !fact.own_steps(key, &history.databases).is_empty());
    let does =
        |steps: &[String]| format!("revert {}: {}", counted(steps.len() as u64, "step"), steps.join(", "));
    facts.into_iter().map(|(key, fact)| (key.1.clone(), does(&fact.steps))).collect()
}

/// The databases that phases change of whose cutover the journal does not tell: nobody can say what is in them.
pub(in crate::phase) fn untold<'a>(
    work: &Work<'_>,
    transactions: impl Iterator<Item = (&'a str, &'a str)>,
) -> Vec<DatabaseBack> {
    let history = work.history();
    let untold: Vec<&str> =
        transactions.filter(|(id, _)| history.of_transaction(id).is_none()).map(|(_, phase)| phase).collect();
    let phases = work.plan().phases.iter().filter(|phase| untold.contains(&phase.name.as_str()));
    let changes = phases.flat_map(|phase| {
        super::of(work, phase).unwrap_or_default().into_iter().map(move |change| (phase, change))
    });
    changes
        .map(|(phase, change)| {
            let database = change.database.shown();
            let why = "the journal does not tell of its cutover";
            let steps = change.steps.display();
            DatabaseBack {
                summary: work.redactor.clean(&format!(
                    "what the phase `{}` left in the database `{database}` is not known: {why}",
                    phase.name
                )),
                database,
                verdict: Verdict::Unknown,
                left: Vec::new(),
                would_lose: 0,
                next: format!(
                    "`switchback schema status` with the steps that were live (`{steps}`) says what is there, and \
                     `switchback schema revert` takes it back"
                ),
            }
        })
        .collect()
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
fn due(project: &Project, history: &History, tries_again: bool) -> Result<Vec<Due>, StepError> {
    let mut due = Vec::new();
    for (key, fact) in &history.databases {
        let steps = fact.own_steps(key, &history.databases);
        let has_any = fact.is_open || !steps.is_empty();
        let is_given_up = fact.direction == Direction::Revert && !fact.is_open && !tries_again;
        if has_any && !is_given_up && is_out(project, history, &key.0)? {
            due.push(Due { key: key.clone(), fact: fact.clone(), steps });
        }
    }
    due.sort_by_key(|due| std::cmp::Reverse(due.fact.seq));
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

/// Reverts one; how many rows and values are gone.
fn one(work: &Work<'_>, due: &Due, loss_max: Option<u64>) -> (DatabaseBack, u64) {
    // A journal that cannot be written must not keep the old schema from coming back.
    let tell = |event: Event| {
        if let Err(error) = work.record(event) {
            work.witness.notice(Notice::Warning(format!("the journal was not written: {error}")));
        }
    };
    tell(started(due));
    let (back, gone) = match reverted(work, due, loss_max) {
        Ok(done) => done,
        Err(error) => {
            let hint = error.hint.as_deref().map_or_else(String::new, |hint| format!("{hint}; "));
            let why = format!("the database `{}` was not reverted: {}", due.key.1, error.told());
            let next = format!("{hint}{}", by_hand(due));
            (due.back(work, Verdict::Unknown, &why, next), 0)
        }
    };
    tell(ended(due, back.verdict, &back.left, &back.summary));
    work.done(&due.fact.phase, back.summary.clone());
    (back, gone)
}

fn started(due: &Due) -> Event {
    Event::DatabaseStarted {
        phase: due.fact.phase.clone(),
        transaction: due.key.0.clone(),
        database: due.key.1.clone(),
        direction: Direction::Revert.word().to_owned(),
        address: due.fact.address.clone(),
        place: due.fact.place.clone(),
        scripts: due.fact.scripts.clone(),
        steps: due.steps.clone(),
    }
}

fn ended(due: &Due, verdict: Verdict, left: &[String], summary: &str) -> Event {
    Event::DatabaseEnded {
        phase: due.fact.phase.clone(),
        transaction: due.key.0.clone(),
        database: due.key.1.clone(),
        verdict: verdict.word().to_owned(),
        steps: left.to_vec(),
        summary: summary.to_owned(),
    }
}

/// Writes down that the steps which a phase had left are those of a later cutover now.
///
/// # Errors
///
/// When the journal cannot be written.
pub(super) fn hand_on(work: &Work<'_>, keys: &[DatabaseKey], to: &str) -> Result<(), StepError> {
    for key in keys {
        let Some(fact) = work.history().databases.get(key).cloned() else { continue };
        let due = Due { key: key.clone(), fact, steps: Vec::new() };
        work.record(started(&due))?;
        work.record(ended(&due, Verdict::Yes, &[], &format!("what was left went to the phase `{to}`")))?;
    }
    Ok(())
}

impl Due {
    fn back(&self, work: &Work<'_>, verdict: Verdict, summary: &str, next: String) -> DatabaseBack {
        DatabaseBack {
            database: self.key.1.clone(),
            verdict,
            summary: work.redactor.clean(summary),
            left: if verdict == Verdict::Yes { Vec::new() } else { self.steps.clone() },
            would_lose: 0,
            next,
        }
    }
}

fn reverted(work: &Work<'_>, due: &Due, loss_max: Option<u64>) -> Result<(DatabaseBack, u64), PortError> {
    let (name, fact) = (&due.key.1, &due.fact);
    let database = address_of(work, name, fact)?;
    let target = Target::of(work.world(), &work.project.root, &database, false)?;
    if !fact.place.is_empty() && target.which() != fact.place {
        let why =
            format!("`{name}` leads to `{}` now, and the steps went into `{}`", target.which(), fact.place);
        return Err(PortError::new("it is another database", vec![why])
            .hinted("set the variables in its address as they were at the cutover"));
    }
    let request = request(work, &database, work.project.root.join(&fact.scripts), None);
    let (there, _) = standing(&request, None)?;
    let ours: Vec<String> = there.iter().filter(|step| due.steps.contains(step)).cloned().collect();
    let Some(first) = ours.first() else { return Ok((nothing_there(work, due, &request, &there)?, 0)) };
    let above: Vec<&String> =
        there.iter().skip_while(|step| *step != first).filter(|step| !due.steps.contains(step)).collect();
    if !above.is_empty() {
        let above = above.into_iter().map(|step| format!("`{step}`")).collect::<Vec<_>>().join(", ");
        let why = format!("the database `{name}` was not reverted: {above} came after it, by somebody else");
        return Ok((due.back(work, Verdict::No, &why, format!("revert {above} first; {}", by_hand(due))), 0));
    }
    let options = RevertOptions { to: behind(&there, &ours), loss_max, ..RevertOptions::default() };
    let outcome = revert(&request, &options)?;
    let (there, _) = standing(&request, None)?;
    let left: Vec<String> = ours.into_iter().filter(|step| there.contains(step)).collect();
    let gone = outcome.lost.iter().filter(|loss| loss.gone).map(|loss| loss.rows).sum();
    Ok((told(work, due, &outcome, left), gone))
}

/// None of the steps is in the database.
fn nothing_there(
    work: &Work<'_>,
    due: &Due,
    request: &SchemaRequest,
    there: &[String],
) -> Result<DatabaseBack, PortError> {
    let (name, phase) = (&due.key.1, &due.fact.phase);
    if due.fact.direction == Direction::Deploy && !due.fact.is_open && !due.steps.is_empty() {
        let why = format!(
            "none of the steps of the phase `{phase}` is in the database `{name}`, and Switchback did not take them out: \
             somebody did, or it is not the same database any more"
        );
        let next = format!("look whether it is the right one; {}", by_hand(due));
        return Ok(due.back(work, Verdict::Unknown, &why, next));
    }
    if there.is_empty() && due.fact.is_open {
        // Whoever was killed last may have left the table of the steps.
        revert(request, &RevertOptions { to: RevertTo::All, ..RevertOptions::default() })?;
    }
    let what = format!("nothing of the phase `{phase}` is in the database `{name}`");
    Ok(due.back(work, Verdict::Yes, &what, String::new()))
}

fn told(work: &Work<'_>, due: &Due, outcome: &SchemaOutcome, left: Vec<String>) -> DatabaseBack {
    let name = &due.key.1;
    let is_done = left.is_empty() && outcome.verdict == Verdict::Yes;
    let would = outcome.lost.iter().filter(|loss| !loss.gone);
    let would_lose = if left.is_empty() { 0 } else { would.map(|loss| loss.rows).sum() };
    let done = counted(outcome.done.len() as u64, "step");
    let gone: Vec<String> =
        outcome.lost.iter().filter(|loss| loss.gone).map(crate::schema_steps::Loss::told).collect();
    let gone =
        if gone.is_empty() { String::new() } else { format!("; gone, as was agreed: {}", gone.join(", ")) };
    let summary = if is_done {
        format!("{done} reverted in the database `{name}`{gone}")
    } else {
        let still = counted(left.len() as u64, "step");
        let why = outcome.why();
        format!("{done} reverted in the database `{name}`{gone}; {still} of the phase still there: {why}")
    };
    let next = match would_lose {
        _ if is_done => String::new(),
        0 => by_hand(due),
        rows => format!(
            "look at the files, then `switchback rollback --accept-loss {rows}` takes the rest back, too; until then the old code \
             works on the new schema"
        ),
    };
    DatabaseBack {
        database: name.clone(),
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

fn by_hand(due: &Due) -> String {
    let address = &due.fact.address;
    let look = if address.is_empty() {
        String::new()
    } else {
        format!(
            "; `switchback schema status --database '{address}' --steps {}` says what is there",
            due.fact.scripts
        )
    };
    format!("`switchback rollback --accept-loss 0` tries again{look}")
}
