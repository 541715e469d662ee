//! Steps deployed in order: each whole with its row, or statement by statement with a note of each.

use serde_json::Value;

use super::SchemaRequest;
use super::carry::Noted;
use super::dangling::more_dangling;
use super::dialect::Dialect;
use super::exception::Exceptions;
use super::job::{Job, Stop, disk_failed, told};
use super::kept::Before;
use super::link::Link;
use super::outcome::{Failed, Kept, Planned, SchemaOutcome};
use super::record::{After, Move, Record, State, moved};
use super::revert::Consent;
use super::standing::{Standing, Stood, refusals};
use super::step::{Script, Step, Work};
use crate::port::{PortError, StatementError};
use crate::verdict::Verdict;

/// How a deploy goes.
#[derive(Debug, Clone, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of the command, and none follows from another"
)]
pub struct DeployOptions {
    /// The last step; all when `None`.
    pub to: Option<String>,
    /// Nothing is touched, and what would be carried out is told.
    pub is_dry: bool,
    /// No copy is made before.
    pub no_copy: bool,
    /// A statement of which nobody knows whether it was carried out is carried out again.
    pub again: bool,
    /// When a step fails, what this deploy has deployed is undone.
    pub undo: bool,
    /// A `verify` or `revert` script may be another one than at the deploy.
    pub accepts_changed: bool,
}

/// Deploys what is not deployed yet, in order.
///
/// # Errors
///
/// When it cannot be told what is so: no connection, steps that cannot be read, a copy that could not be made.
pub fn deploy(request: &SchemaRequest, options: &DeployOptions) -> Result<SchemaOutcome, PortError> {
    let job = Job::new(request)?;
    let mut outcome = SchemaOutcome::new("deploy", job.target.name());
    let _lock = if options.is_dry { None } else { job.lock_file("deploy")? };
    let is_new = match job.target.file() {
        Some(path) => {
            let there =
                request.world.disk.look(path).map_err(|error| disk_failed("look at the database", &error))?;
            there.is_none()
        }
        None => false,
    };
    if is_new && options.is_dry {
        outcome.planned = job.steps.iter().map(|step| planned(&job, step, &step.deploy)).collect();
        outcome.verdict = Verdict::Yes;
        return Ok(outcome);
    }
    // DuckDB lets nobody copy a file that is open for writing.
    let mut link = job.link(!is_new && (options.is_dry || job.dialect == Dialect::Duckdb))?;
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
        outcome.planned = todo.iter().map(|(step, _)| planned(&job, step, &step.deploy)).collect();
        outcome.verdict = Verdict::Yes;
        return Ok(outcome);
    }
    if todo.is_empty() {
        outcome.verdict = Verdict::Yes;
        return Ok(outcome);
    }
    if !is_new && !options.no_copy {
        if job.dialect == Dialect::Duckdb {
            link.close();
        }
        outcome.copy = Some(job.copied()?);
    }
    if link.is_read_only() {
        // Two sessions of one process cannot have it open in two ways.
        link.close();
        link = job.link(false)?;
    }
    link.within(Link::make_state).map_err(|error| job.failed("write down the steps of", &error))?;
    job.deploy_all(&mut link, &todo, options, &mut outcome)?;
    job.end(&mut link, &mut outcome)?;
    Ok(outcome)
}

/// The steps that are to be deployed, with what is known of those that were begun; or why none may be.
type Chosen = Vec<(Step, Option<Record>)>;

fn chosen(all: &[Stood], options: &DeployOptions) -> Result<Chosen, (Verdict, Vec<String>, String)> {
    let refused = refusals(all, options.accepts_changed);
    if !refused.is_empty() {
        let next = "put back what was deployed, and write a new step for what is to be otherwise";
        return Err((Verdict::No, refused, next.to_owned()));
    }
    if let Some(half) = all.iter().find(|one| one.standing == Standing::HalfReverted) {
        let why = format!("step `{}` is half reverted", half.name);
        return Err((Verdict::Unknown, vec![why], "`switchback schema revert` ends that first".to_owned()));
    }
    let end = match &options.to {
        None => all.len(),
        Some(name) => {
            let Some(at) = all.iter().position(|one| one.name == *name) else {
                let why = format!("there is no step `{name}`");
                return Err((Verdict::Unknown, vec![why], "name the folder of a step".to_owned()));
            };
            at + 1
        }
    };
    let open =
        all[..end].iter().filter(|one| matches!(one.standing, Standing::Pending | Standing::HalfDeployed));
    Ok(open.filter_map(|one| Some((one.step.clone()?, one.record.clone()))).collect())
}

/// A script as it is told before it is carried out.
pub(super) fn planned(job: &Job<'_>, step: &Step, script: &Script) -> Planned {
    let statements = match &script.work {
        Work::Sql(statements) => {
            statements.iter().map(|statement| (statement.line, job.clean(&statement.shown()))).collect()
        }
        Work::Command => vec![(1, format!("/bin/sh {}", script.path.display()))],
    };
    Planned {
        step: step.name.clone(),
        file: script.path.display().to_string(),
        in_transaction: script.in_transaction,
        declared: step.exceptions.all().iter().map(super::exception::Exception::words).collect(),
        statements,
    }
}

impl Job<'_> {
    /// Copies the database before anything is changed; where the copy is.
    pub(super) fn copied(&self) -> Result<String, PortError> {
        let disk = self.request.world.disk.as_ref();
        let time = self.request.world.clock.now().strftime("%Y%m%dT%H%M%S%3fZ").to_string();
        let folder = self.folder()?;
        let (part, whole) = (folder.join(format!(".copy-{time}")), folder.join(format!("copy-{time}")));
        let failed = |error| disk_failed("keep the copy of the database", &error);
        disk.make_directory(&part, 0o700).map_err(failed)?;
        self.target.copy(&self.request.world, &part)?;
        // Only what is whole has the name of a copy.
        disk.sync_directory(&part)
            .and_then(|()| disk.rename(&part, &whole))
            .and_then(|()| disk.sync_directory(&folder))
            .map_err(failed)?;
        Ok(self.shown(&whole))
    }

    fn deploy_all(
        &self,
        link: &mut Link<'_>,
        todo: &Chosen,
        options: &DeployOptions,
        outcome: &mut SchemaOutcome,
    ) -> Result<(), PortError> {
        for (step, record) in todo {
            let deployed = self.deploy_one(link, step, record.as_ref(), options.again);
            link.roll_back();
            match deployed {
                Ok(kept) => {
                    outcome.done.push(step.name.clone());
                    outcome.kept = Some(kept);
                }
                Err(stop) => return self.stopped(link, stop, options, outcome),
            }
        }
        outcome.verdict = Verdict::Yes;
        Ok(())
    }

    /// Tells why a deploy stopped, and undoes what it did where that was asked for.
    fn stopped(
        &self,
        link: &mut Link<'_>,
        stop: Stop,
        options: &DeployOptions,
        outcome: &mut SchemaOutcome,
    ) -> Result<(), PortError> {
        outcome.verdict = Verdict::No;
        match stop {
            Stop::Error(mut error) => {
                if !outcome.done.is_empty() {
                    error.causes.push(format!("deployed before: {}", outcome.done.join(", ")));
                }
                return Err(error);
            }
            Stop::Failed(failed) => outcome.failed = Some(*failed),
            Stop::No(refused) => outcome.refused = refused,
            Stop::Lost(lost) => outcome.lost = lost,
            Stop::Unknown(refused, next) => {
                (outcome.verdict, outcome.refused, outcome.next) = (Verdict::Unknown, refused, Some(next));
                return Ok(());
            }
        }
        let is_half = outcome.failed.as_ref().is_some_and(|failed| {
            self.steps.iter().any(|step| step.name == failed.step && !step.deploy.in_transaction)
        });
        // What is under a step that is half done stays until that is undone.
        if options.undo && !is_half {
            let mut consent = Consent::none();
            for name in outcome.done.clone().iter().rev() {
                let Some(step) = self.steps.iter().find(|step| step.name == *name) else { continue };
                let record =
                    link.records().ok().and_then(|all| all.into_iter().find(|one| one.step == *name));
                let Some(record) = record else { continue };
                let undone = self.revert_one(link, step, &record, &mut consent);
                link.roll_back();
                match undone {
                    Ok(_) => outcome.undone.push(name.clone()),
                    Err(Stop::Error(error)) => return Err(error),
                    Err(Stop::Failed(failed)) => {
                        outcome.refused.push(format!("not undone: {}", failed.told()));
                    }
                    Err(Stop::No(why) | Stop::Unknown(why, _)) => outcome.refused.extend(why),
                    Err(Stop::Lost(lost)) => outcome.lost.extend(lost),
                }
                if outcome.undone.last() != Some(name) {
                    break;
                }
            }
        }
        outcome.next = Some(match (outcome.done.len() - outcome.undone.len(), options.undo) {
            _ if is_half => {
                "the step is no transaction, and half done: deploy again (a command with `--again`) when the cause is not in the step \
                 itself; else `switchback schema revert` undoes what was done of it, and then it can be corrected"
                    .to_owned()
            }
            (0, _) => "correct the step, then deploy again; nothing of it is in the database".to_owned(),
            (_, true) => "not all could be undone: `switchback schema status` says what is there".to_owned(),
            (_, false) => {
                let revert = match outcome.steps.iter().rfind(|step| step.state == Standing::Deployed.word()) {
                    Some(last) => format!("`switchback schema revert --to {}`", last.name),
                    None => "`switchback schema revert --all`".to_owned(),
                };
                format!("correct the step and deploy again, or undo what was deployed: {revert}")
            }
        });
        Ok(())
    }

    fn deploy_one(
        &self,
        link: &mut Link<'_>,
        step: &Step,
        record: Option<&Record>,
        again: bool,
    ) -> Result<Kept, Stop> {
        link.freshen().map_err(|error| self.failed("begin a step in", &error))?;
        if step.deploy.in_transaction && record.is_none() {
            self.deploy_whole(link, step)
        } else {
            self.deploy_noted(link, step, record.cloned(), again)
        }
    }

    /// One transaction: the statements, what verifies them, what had to stay, and the row of the step.
    fn deploy_whole(&self, link: &mut Link<'_>, step: &Step) -> Result<Kept, Stop> {
        let ours = |error: StatementError| self.failed("deploy a step in", &error);
        link.begin().map_err(ours)?;
        self.still(link, &step.name, None)?;
        let shape = link.shape().map_err(ours)?;
        link.hold(&shape).map_err(ours)?;
        let before = link.before(&shape, &step.exceptions).map_err(ours)?;
        let dangling = link.dangling().map_err(ours)?;
        let mut record = Record::of(step, State::Deployed, &self.now(), &self.actor());
        self.carry(link, step, &step.deploy, 0, Noted::Together)?;
        self.held(link, step)?;
        let kept = self.compared(link, step, &before, (&mut record.facts, true))?;
        let why = more_dangling(&dangling, &link.dangling().map_err(ours)?, &step.exceptions);
        if !why.is_empty() {
            let mut refused = vec![format!("step `{}` was refused, and taken back", step.name)];
            refused.extend(why);
            return Err(Stop::No(refused));
        }
        if !kept.differences.is_empty() {
            return Err(Stop::No(refused(step, &kept.differences, "taken back")));
        }
        record.ended = Some(self.now());
        link.keep(&record).map_err(ours)?;
        link.commit().map_err(|error| self.uncommitted(step, &error))?;
        Ok(kept)
    }

    /// Statement by statement, each noted before and after; goes on where it was left.
    fn deploy_noted(
        &self,
        link: &mut Link<'_>,
        step: &Step,
        record: Option<Record>,
        again: bool,
    ) -> Result<Kept, Stop> {
        let ours = |error: StatementError| self.failed("deploy a step in", &error);
        // Nobody else can have written between the statements of one session that has the file alone.
        let is_sure = self.is_alone() && record.is_none() && step.deploy.work != Work::Command;
        let mut record = match record {
            Some(record) => record,
            None => self.announced(link, step)?,
        };
        let Some(before) = Before::from_json(&record.facts) else {
            let why = format!("what was there before step `{}` was not written down", step.name);
            return Err(Stop::Unknown(vec![why], "`switchback schema revert` undoes the step".to_owned()));
        };
        let done = self.known_done(link, step, &record, again)?;
        self.carry(link, step, &step.deploy, done, Noted::OneByOne)?;
        if let Some(failed) = self.looked_apart(link, step)? {
            return Err(Stop::Failed(Box::new(failed)));
        }
        link.begin().map_err(ours)?;
        let kept = self.compared(link, step, &before, (&mut record.facts, is_sure))?;
        if !kept.differences.is_empty() {
            return self.differs(link, step, (&record, &before), &kept);
        }
        (record.state, record.ended) =
            (legal(Some(record.state), Move::Deployed, &step.name)?, Some(self.now()));
        (record.began, record.done) = (step.deploy.count(), step.deploy.count());
        link.keep(&record).map_err(ours)?;
        link.commit().map_err(|error| self.uncommitted(step, &error))?;
        Ok(kept)
    }

    /// Writes down that a step begins, with all that it may not change.
    fn announced(&self, link: &mut Link<'_>, step: &Step) -> Result<Record, Stop> {
        let ours = |error: StatementError| self.failed("write down a step of", &error);
        let mut record = Record::of(step, State::Deploying, &self.now(), &self.actor());
        record.state = legal(None, Move::BeginDeploy, &step.name)?;
        link.begin().map_err(ours)?;
        self.still(link, &step.name, None)?;
        let shape = link.shape().map_err(ours)?;
        link.hold(&shape).map_err(ours)?;
        record.facts = link.before(&shape, &step.exceptions).map_err(ours)?.to_json();
        link.keep(&record).map_err(ours)?;
        link.commit().map_err(ours)?;
        Ok(record)
    }

    /// How many statements of a step that was begun are known to be done. Of one that was begun and not noted as done nobody
    /// knows: what verifies the step decides where it is the last, or whoever says that it may be carried out again.
    fn known_done(
        &self,
        link: &mut Link<'_>,
        step: &Step,
        record: &Record,
        again: bool,
    ) -> Result<usize, Stop> {
        if record.began <= record.done || again {
            return Ok(record.done);
        }
        if step.deploy.is_repeatable {
            return Ok(0);
        }
        if step.verify.is_some() && verify_decides(&step.deploy, record.began) {
            let failed = self.looked_apart(link, step)?;
            if failed.is_none() {
                return Ok(record.began);
            }
        }
        let (text, line) = Self::text_of(&step.deploy, record.began);
        let why = format!(
            "step `{}` was interrupted, and nobody knows whether statement {} of `{}` (line {line}) was carried out: {}",
            step.name,
            record.began,
            step.deploy.path.display(),
            self.clean(&text)
        );
        let next = "look into the database: `switchback schema deploy --again` carries that out once more, \
                    `switchback schema revert` undoes the step; a step that says `-- switchback: repeatable` goes on by itself";
        Err(Stop::Unknown(vec![why], next.to_owned()))
    }

    /// A step that is no transaction left something otherwise than it was. Where nobody else can have written meanwhile, that was
    /// the step, and it is undone; else nobody can tell.
    fn differs(
        &self,
        link: &mut Link<'_>,
        step: &Step,
        (record, before): (&Record, &Before),
        kept: &Kept,
    ) -> Result<Kept, Stop> {
        link.roll_back();
        if !self.is_alone() {
            let mut why = refused(step, &kept.differences, "not taken back: it is no transaction");
            why.push("others may have written meanwhile, and it cannot be told apart".to_owned());
            let next = "look at these places; `switchback schema deploy` looks again, `switchback schema revert` undoes the step";
            return Err(Stop::Unknown(why, next.to_owned()));
        }
        let undone = self.revert_one(link, step, record, &mut Consent::none());
        link.roll_back();
        let mut why = match undone {
            Ok(_) => {
                let ours = |error: StatementError| self.failed("compare what is in", &error);
                let shape = link.shape().map_err(ours)?;
                let left = link.kept(before, &shape, &Exceptions::default()).map_err(ours)?.differences;
                if left.is_empty() {
                    refused(step, &kept.differences, "undone by its revert script: all is as it was")
                } else {
                    let mut why = refused(step, &kept.differences, "its revert script did not bring it back");
                    why.extend(left.into_iter().map(|difference| format!("after the revert: {difference}")));
                    why
                }
            }
            Err(_) => refused(step, &kept.differences, "not undone: its revert script failed"),
        };
        why.push("the copy that was made before is beside the lock of this database".to_owned());
        Err(Stop::No(why))
    }

    /// What was there before against what is there now; what came with the step goes into its facts.
    fn compared(
        &self,
        link: &mut Link<'_>,
        step: &Step,
        before: &Before,
        (facts, is_sure): (&mut Value, bool),
    ) -> Result<Kept, Stop> {
        let ours = |error: StatementError| self.failed("compare what is in", &error);
        let shape = link.shape().map_err(ours)?;
        let kept = link.kept(before, &shape, &step.exceptions).map_err(ours)?;
        if kept.differences.is_empty() {
            *facts = link.came(before, &shape, &step.exceptions, is_sure).map_err(ours)?;
        }
        Ok(kept)
    }

    /// Whether the step holds, within the transaction that is open; what the script writes is not committed with the step. In DuckDB
    /// it cannot write.
    fn held(&self, link: &mut Link<'_>, step: &Step) -> Result<(), Stop> {
        let ours = |error: StatementError| self.failed("verify a step in", &error);
        let is_marked = self.dialect.has_savepoints();
        if is_marked {
            link.mark().map_err(ours)?;
        }
        if let Some(failed) = self.look(link, step)? {
            return Err(Stop::Failed(Box::new(failed)));
        }
        if is_marked {
            link.back_to_mark().map_err(ours)?;
        }
        Ok(())
    }

    /// Looks whether the step holds, in a transaction that is taken back. A command looks at what is committed, and needs none.
    fn looked_apart(&self, link: &mut Link<'_>, step: &Step) -> Result<Option<Failed>, Stop> {
        if step.verify.as_ref().is_some_and(|verify| verify.work == Work::Command) {
            return self.look(link, step);
        }
        link.begin().map_err(|error| self.failed("verify a step in", &error))?;
        let looked = self.look(link, step);
        link.roll_back();
        looked
    }

    /// Insists that nobody else has got to a step meanwhile.
    pub(super) fn still(&self, link: &mut Link<'_>, step: &str, state: Option<State>) -> Result<(), Stop> {
        let all = self.stand(link)?;
        let now = all
            .iter()
            .find(|one| one.name == step)
            .and_then(|one| one.record.as_ref())
            .map(|record| record.state);
        if now == state {
            return Ok(());
        }
        let why = format!("somebody else has come to step `{step}` meanwhile");
        Err(Stop::Unknown(vec![why], "`switchback schema status` says what is so now".to_owned()))
    }

    fn uncommitted(&self, step: &Step, error: &StatementError) -> Stop {
        if error.is_cut {
            return Stop::Error(self.failed("end a step in", error));
        }
        // A constraint that is looked at when the transaction ends.
        let number = step.deploy.count();
        self.broken(
            step,
            &step.deploy,
            number,
            &format!("at the end of the transaction: {}", error.message),
            None,
        )
    }

    pub(super) fn now(&self) -> String {
        self.request.world.clock.now().to_string()
    }

    pub(super) fn actor(&self) -> String {
        self.request.world.surroundings.actor()
    }
}

/// Whether what verifies a step can tell that the statement which was begun is done: the last one of SQL. A command has many
/// parts, and what verifies sees some of them.
fn verify_decides(script: &Script, began: usize) -> bool {
    began == script.count() && script.work != Work::Command
}

/// Where a move leads, which must be a state.
pub(super) fn legal(state: Option<State>, how: Move, step: &str) -> Result<State, Stop> {
    match moved(state, how) {
        Some(After::Row(state)) => Ok(state),
        Some(After::NoRow) | None => {
            let why = format!("step `{step}` cannot go from {:?} by {how:?}", state.map(State::word));
            Err(Stop::Error(PortError::new("could not go on with the steps", vec![why])))
        }
    }
}

/// Why a step is refused that changed what it should not.
fn refused(step: &Step, differences: &[String], then: &str) -> Vec<String> {
    const LISTED_MAX: usize = 20;
    let mut refused =
        vec![format!("step `{}` changes what was there before, and was refused; {then}", step.name)];
    refused.extend(differences.iter().take(LISTED_MAX).cloned());
    if differences.len() > LISTED_MAX {
        refused.push(format!("and {} more", differences.len() - LISTED_MAX));
    }
    refused.push(
        "what a step is meant to change it declares, as `-- switchback: changes orders.total`".to_owned(),
    );
    refused
}

#[cfg(test)]
mod tests {
    use super::super::script::split;
    use super::*;

    #[test]
    fn what_verifies_decides_about_the_last_statement_and_never_about_a_command() {
        let of = |work: Work| Script {
            path: "a".into(),
            hash: String::new(),
            work,
            in_transaction: false,
            is_repeatable: false,
        };
        let sql = of(Work::Sql(split("SELECT 1; SELECT 2", Dialect::Sqlite).unwrap().statements));
        assert!(verify_decides(&sql, 2) && !verify_decides(&sql, 1));
        assert!(!verify_decides(&of(Work::Command), 1));
    }
}
