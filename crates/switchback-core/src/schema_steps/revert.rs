//! Steps undone in reverse, and nothing lost by it that was not written down, counted, and agreed to.

use super::SchemaRequest;
use super::carry::Noted;
use super::content::Shape;
use super::deploy::{legal, planned};
use super::dialect::Dialect;
use super::job::{Job, Stop, told};
use super::link::Link;
use super::loss::{Changed, Left, Staying};
use super::outcome::{Kept, Loss, SchemaOutcome};
use super::record::{After, Move, Record, State, moved};
use super::standing::{Standing, Stood, refusals};
use super::step::{Script, Step};
use crate::port::{PortError, StatementError};
use crate::verdict::Verdict;

/// How far is undone.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum RevertTo {
    /// The last step alone.
    #[default]
    Last,
    /// All behind this step, which stays.
    Step(String),
    /// All.
    All,
}

/// How a revert goes.
#[derive(Debug, Clone, Default)]
pub struct RevertOptions {
    /// How far.
    pub to: RevertTo,
    /// Nothing is touched, and what would be carried out is told.
    pub is_dry: bool,
    /// So many rows and values may be lost, once they are written down; none when `None`.
    pub loss_max: Option<u64>,
    /// A `verify` or `revert` script may be another one than at the deploy.
    pub accepts_changed: bool,
}

/// How many rows may still be lost.
#[derive(Debug)]
pub(super) struct Consent {
    left: u64,
}

impl Consent {
    pub(super) fn none() -> Self {
        Self { left: 0 }
    }

    /// Takes what is lost out of what was agreed to; whether it is within that.
    fn covers(&mut self, lost: &[Loss]) -> bool {
        let rows: u64 = lost.iter().map(|loss| loss.rows).sum();
        match self.left.checked_sub(rows) {
            Some(left) => {
                self.left = left;
                true
            }
            None => false,
        }
    }
}

/// Undoes deployed steps in reverse.
///
/// # Errors
///
/// When it cannot be told what is so: no connection, steps that cannot be read, rows that could not be written down.
pub fn revert(request: &SchemaRequest, options: &RevertOptions) -> Result<SchemaOutcome, PortError> {
    let job = Job::new(request)?;
    let mut outcome = SchemaOutcome::new("revert", job.target.name());
    let _lock = if options.is_dry { None } else { job.lock_file("revert")? };
    let mut link = job.link(options.is_dry)?;
    if !options.is_dry {
        link.lock(job.target.name())?;
    }
    let all = job.stand(&mut link)?;
    outcome.steps = told(&all);
    let todo = match chosen(&all, options) {
        Ok(todo) => todo,
        Err((verdict, refused, next)) => {
            (outcome.verdict, outcome.refused, outcome.next) = (verdict, refused, Some(next));
            return Ok(outcome);
        }
    };
    if options.is_dry {
        let scripts = todo.iter().filter_map(|(step, _)| Some(planned(&job, step, step.revert.as_ref()?)));
        outcome.planned = scripts.collect();
        outcome.verdict = Verdict::Yes;
        return Ok(outcome);
    }
    let mut consent = Consent { left: options.loss_max.unwrap_or(0) };
    outcome.verdict = Verdict::Yes;
    for (step, record) in &todo {
        let undone = job.revert_one(&mut link, step, record, &mut consent);
        link.roll_back();
        match undone {
            Ok(undone) => {
                outcome.done.push(step.name.clone());
                outcome.lost.extend(undone.lost.into_iter().map(|loss| Loss { gone: true, ..loss }));
                outcome.copy = undone.copy.or(outcome.copy.take());
                let is_as_before = undone.kept.differences.is_empty();
                if !is_as_before {
                    job.otherwise(step, &undone.kept, &mut outcome);
                }
                outcome.kept = Some(undone.kept);
                if !is_as_before {
                    break;
                }
            }
            Err(stop) => {
                stopped(stop, &mut outcome)?;
                break;
            }
        }
    }
    job.end(&mut link, &mut outcome)?;
    Ok(outcome)
}

fn stopped(stop: Stop, outcome: &mut SchemaOutcome) -> Result<(), PortError> {
    outcome.verdict = Verdict::No;
    match stop {
        Stop::Error(mut error) => {
            if !outcome.done.is_empty() {
                error.causes.push(format!("reverted before: {}", outcome.done.join(", ")));
            }
            return Err(error);
        }
        Stop::Failed(failed) => {
            outcome.failed = Some(*failed);
            outcome.next = Some("correct the script; nothing of that revert is in the database".to_owned());
        }
        Stop::No(refused) => outcome.refused = refused,
        Stop::Unknown(refused, next) => {
            (outcome.verdict, outcome.refused, outcome.next) = (Verdict::Unknown, refused, Some(next));
        }
        Stop::Lost(lost) => {
            let rows: u64 = lost.iter().map(|loss| loss.rows).sum();
            outcome.refused =
                vec![format!("{rows} rows and values would be lost; nothing was reverted of that step")];
            outcome.next = Some(format!(
                "look at the files; `--accept-loss {rows}` agrees to lose so many, and no more, from the database"
            ));
            outcome.lost.extend(lost);
        }
    }
    Ok(())
}

/// What undoing a step did.
#[derive(Debug, Default)]
pub(super) struct Undone {
    /// What stayed as it was, and what did not.
    pub(super) kept: Kept,
    /// What went, written down.
    pub(super) lost: Vec<Loss>,
    /// The copy that was made before, where it could not be tried.
    pub(super) copy: Option<String>,
}

type Chosen = Vec<(Step, Record)>;

fn chosen(all: &[Stood], options: &RevertOptions) -> Result<Chosen, (Verdict, Vec<String>, String)> {
    let no = |why: String, next: &str| Err((Verdict::No, vec![why], next.to_owned()));
    // A step that comes late is in nobody's way when something is undone.
    let others: Vec<Stood> = all.iter().filter(|one| one.standing != Standing::Late).cloned().collect();
    let refused = refusals(&others, options.accepts_changed);
    if !refused.is_empty() {
        let next = "put back what was deployed: only that is known to undo it; `--accept-changed` takes another `verify` or `revert`";
        return Err((Verdict::No, refused, next.to_owned()));
    }
    let there: Vec<&Stood> = all.iter().filter(|one| one.record.is_some()).collect();
    let from = match &options.to {
        RevertTo::Last => there.len().saturating_sub(1),
        RevertTo::All => 0,
        RevertTo::Step(name) => match there.iter().position(|one| one.name == *name) {
            Some(at) => at + 1,
            None => {
                return no(
                    format!("step `{name}` is not deployed"),
                    "`switchback schema status` says what is",
                );
            }
        },
    };
    let mut todo = Chosen::new();
    for one in there[from..].iter().rev() {
        let (Some(step), Some(record)) = (&one.step, &one.record) else { continue };
        if step.revert.is_none() {
            return no(
                format!("step `{}` says that nothing reverts it", one.name),
                "go back to a step behind it with `--to`, or restore the copy that was made before it was deployed",
            );
        }
        todo.push((step.clone(), record.clone()));
    }
    Ok(todo)
}

/// How many statements of a revert that was begun are known to be done.
fn known_done(step: &Step, script: &Script, record: &Record) -> Result<usize, Stop> {
    if record.state != State::Reverting {
        return Ok(0);
    }
    match (record.began > record.done, script.is_repeatable) {
        (false, _) => Ok(record.done),
        (true, true) => Ok(0),
        (true, false) => {
            let why = format!(
                "the revert of step `{}` was interrupted, and nobody knows whether statement {} of `{}` was carried out",
                step.name,
                record.began,
                script.path.display()
            );
            let next = "look into the database, and let the script say `-- switchback: repeatable` when its statements may be \
                        carried out again (with `--accept-changed`)";
            Err(Stop::Unknown(vec![why], next.to_owned()))
        }
    }
}

impl Job<'_> {
    /// Undoes one step. What it takes away is written down first, and has to be agreed to.
    pub(super) fn revert_one(
        &self,
        link: &mut Link<'_>,
        step: &Step,
        record: &Record,
        consent: &mut Consent,
    ) -> Result<Undone, Stop> {
        let Some(script) = &step.revert else {
            return Err(Stop::No(vec![format!("step `{}` says that nothing reverts it", step.name)]));
        };
        link.freshen().map_err(|error| self.failed("begin a revert in", &error))?;
        if script.in_transaction {
            self.revert_whole(link, step, script, record, consent)
        } else {
            self.revert_noted(link, step, script, record, consent)
        }
    }

    /// One transaction: tried, taken back, what it takes away written down, and done again.
    fn revert_whole(
        &self,
        link: &mut Link<'_>,
        step: &Step,
        script: &Script,
        record: &Record,
        consent: &mut Consent,
    ) -> Result<Undone, Stop> {
        let ours = |error: StatementError| self.failed("revert a step in", &error);
        link.begin().map_err(ours)?;
        self.still(link, &step.name, Some(record.state))?;
        let shape = link.shape().map_err(ours)?;
        link.hold(&shape).map_err(ours)?;
        link.mark().map_err(ours)?;
        self.carry(link, step, script, 0, Noted::Together)?;
        let left = link.left(step, &shape, None).map_err(ours)?;
        link.back_to_mark().map_err(ours)?;
        let mut takes = link.takes(record, &shape, &left).map_err(ours)?;
        takes.changed = self.not_coming_back(link, (step, script, record), &shape, &left)?;
        if !takes.is_nothing() {
            // The rows that stay are only known where the revert is carried out once more.
            link.mark().map_err(ours)?;
            self.carry(link, step, script, 0, Noted::Together)?;
            let staying = link.staying(step, &shape, &takes).map_err(ours)?;
            link.back_to_mark().map_err(ours)?;
            let lost = self.write_down(link, step, &shape, &takes, staying)?;
            if !consent.covers(&lost) {
                return Err(Stop::Lost(lost));
            }
            let kept = self.undone(link, step, script, record, &shape, &left)?;
            return Ok(Undone { kept, lost, copy: None });
        }
        let kept = self.undone(link, step, script, record, &shape, &left)?;
        Ok(Undone { kept, ..Undone::default() })
    }

    /// The values that the revert turns into others of which another deploy would not make them again: tried, and taken back. Where
    /// the deploy cannot be tried, or fails, none comes back.
    fn not_coming_back(
        &self,
        link: &mut Link<'_>,
        (step, script, record): (&Step, &Script, &Record),
        shape: &Shape,
        left: &Left,
    ) -> Result<Vec<Changed>, Stop> {
        let ours = |error: StatementError| self.failed("revert a step in", &error);
        let mut lost = Vec::new();
        for changed in left.changed() {
            let Some(table) = shape.get(&changed.table) else { continue };
            let place = (changed.table.as_str(), table);
            if !link.is_as_deployed(record, place, &changed.column, &changed.beside).map_err(ours)? {
                let now = link.content(&table.sql, &changed.beside, &mut |_| {}).map_err(ours)?;
                lost.push((changed, now));
            }
        }
        if lost.is_empty() || !step.deploy.in_transaction {
            return Ok(lost.into_iter().map(|(changed, _)| changed).collect());
        }
        link.mark().map_err(ours)?;
        self.carry(link, step, script, 0, Noted::Together)?;
        let again = match self.carry(link, step, &step.deploy, 0, Noted::Together) {
            Ok(()) => link.shape().map_err(ours)?,
            Err(Stop::Error(error)) => return Err(Stop::Error(error)),
            Err(_) => Shape::new(),
        };
        let mut not_back = Vec::new();
        for (mut changed, now) in lost {
            let table = again.get(&changed.table);
            if let Some(table) = table.filter(|table| changed.beside.iter().all(|column| table.has(column))) {
                let mut each = |hash: u128| *changed.coming_back.entry(hash).or_default() += 1;
                if link.content(&table.sql, &changed.beside, &mut each).map_err(ours)? == now {
                    continue;
                }
            }
            not_back.push(changed);
        }
        link.back_to_mark().map_err(ours)?;
        Ok(not_back)
    }

    /// Carries the revert out for good, and insists that it did what it did when it was tried.
    fn undone(
        &self,
        link: &mut Link<'_>,
        step: &Step,
        script: &Script,
        record: &Record,
        shape: &Shape,
        left: &Left,
    ) -> Result<Kept, Stop> {
        let ours = |error: StatementError| self.failed("revert a step in", &error);
        self.carry(link, step, script, 0, Noted::Together)?;
        let now = link.left(step, shape, None).map_err(ours)?;
        if now != *left {
            return Err(Stop::No(vec![format!(
                "the revert of step `{}` did not do twice the same, and was taken back",
                step.name
            )]));
        }
        if moved(Some(record.state), Move::Reverted) != Some(After::NoRow) {
            return Err(Stop::No(vec![format!("step `{}` is not there to be undone", step.name)]));
        }
        link.forget(&step.name).map_err(ours)?;
        link.commit().map_err(ours)?;
        Ok(left.kept())
    }

    /// Statement by statement. What came with the step, and is not as it came, is taken for lost, because it cannot be tried; so
    /// is what stands in columns that it changes. After an interruption all of that is looked at again.
    fn revert_noted(
        &self,
        link: &mut Link<'_>,
        step: &Step,
        script: &Script,
        record: &Record,
        consent: &mut Consent,
    ) -> Result<Undone, Stop> {
        let ours = |error: StatementError| self.failed("revert a step in", &error);
        let done = known_done(step, script, record)?;
        link.begin().map_err(ours)?;
        self.still(link, &step.name, Some(record.state))?;
        let shape = link.shape().map_err(ours)?;
        link.hold(&shape).map_err(ours)?;
        let takes = link.may_take(step, record, &shape).map_err(ours)?;
        let lost = self.write_down(link, step, &shape, &takes, Staying::new())?;
        if !consent.covers(&lost) {
            return Err(Stop::Lost(lost));
        }
        let before = link.staying_as_they_are(step, record, &shape).map_err(ours)?;
        if record.state != State::Reverting {
            let state = legal(Some(record.state), Move::BeginRevert, &step.name)?;
            link.keep(&Record { state, began: 0, done: 0, ..record.clone() }).map_err(ours)?;
        }
        link.commit().map_err(ours)?;
        let copy = self.copied_beside(link)?;
        self.carry(link, step, script, done, Noted::OneByOne)?;
        link.begin().map_err(ours)?;
        let shape = link.shape().map_err(ours)?;
        let kept = link.kept(&before, &shape, &step.exceptions.undone()).map_err(ours)?;
        link.forget(&step.name).map_err(ours)?;
        link.commit().map_err(ours)?;
        Ok(Undone { kept, lost, copy: Some(copy) })
    }

    /// A copy of the database while a session of ours is open.
    fn copied_beside(&self, link: &mut Link<'_>) -> Result<String, PortError> {
        // DuckDB lets nobody copy a file that is open for writing.
        if self.dialect != Dialect::Duckdb {
            return self.copied();
        }
        link.close();
        let copy = self.copied()?;
        link.reopen(self.request.schemas.open(&self.target.place(false, false))?);
        Ok(copy)
    }

    /// Tells that a revert which could not be tried left something otherwise than it was.
    fn otherwise(&self, step: &Step, kept: &Kept, outcome: &mut SchemaOutcome) {
        let name = &step.name;
        outcome.refused =
            vec![format!("step `{name}` is undone, and its revert changed what the step had not")];
        outcome.refused.extend(kept.differences.iter().cloned());
        outcome.verdict = if self.is_alone() {
            Verdict::No
        } else {
            outcome.refused.push("others may have written meanwhile, and it cannot be told apart".to_owned());
            Verdict::Unknown
        };
        let copy = outcome.copy.as_deref().unwrap_or_default();
        outcome.next = Some(format!("look at these places: what they held before is in the copy `{copy}`"));
    }

    /// Whether nobody else can write while a session is open.
    pub(super) fn is_alone(&self) -> bool {
        self.dialect == Dialect::Duckdb
    }
}
