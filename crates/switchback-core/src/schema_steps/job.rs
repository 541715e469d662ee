//! What every command about a schema has in hand: the database, its steps, and how errors are told.

use std::path::{Path, PathBuf};

use super::SchemaRequest;
use super::dialect::Dialect;
use super::link::Link;
use super::outcome::{Failed, Loss, SchemaOutcome, StepTold};
use super::record::Unread;
use super::standing::{Standing, Stood, stand};
use super::step::{Script, Step, Work, read_steps};
use crate::database::Target;
use crate::phase::redact::Redactor;
use crate::plan::STATE_FOLDER;
use crate::port::{PortError, StatementError};
use crate::tree::copy::make_directories;
use crate::verdict::Verdict;
use crate::world::{DiskError, Lock};

/// The folder below the state folder.
const FOLDER: &str = "schema";
/// Digits of the hash in the name of a database's folder.
const DIGITS: usize = 8;

/// Why something went no further.
#[derive(Debug)]
pub(super) enum Stop {
    /// It could not be told what is so.
    Error(PortError),
    /// The database did not carry a statement out.
    Failed(Box<Failed>),
    /// It is not to be done.
    No(Vec<String>),
    /// It is not known what is so; the next move.
    Unknown(Vec<String>, String),
    /// Rows would be lost.
    Lost(Vec<Loss>),
}

impl From<PortError> for Stop {
    fn from(error: PortError) -> Self {
        Self::Error(error)
    }
}

/// One command at work.
pub(super) struct Job<'a> {
    pub(super) request: &'a SchemaRequest,
    pub(super) target: Target,
    pub(super) dialect: Dialect,
    pub(super) steps: Vec<Step>,
    redactor: Redactor,
}

impl<'a> Job<'a> {
    pub(super) fn new(request: &'a SchemaRequest) -> Result<Self, PortError> {
        let world = &request.world;
        let target = Target::of(world, &request.root, &request.database, request.is_made)?;
        let dialect = Dialect::from(target.kind());
        let steps = read_steps(world.disk.as_ref(), &request.steps, dialect)?;
        let redactor = Redactor::new(world.surroundings.as_ref());
        Ok(Self { request, target, dialect, steps, redactor })
    }

    /// A text of somebody else without secrets.
    pub(super) fn clean(&self, text: &str) -> String {
        self.redactor.clean(&self.target.clean(text))
    }

    /// The error of a statement of ours.
    pub(super) fn failed(&self, doing: &str, error: &StatementError) -> PortError {
        let message = format!("could not {doing} `{}`", self.target.name());
        let causes = vec![self.clean(&error.message)];
        if error.is_cut {
            return PortError::new(message, causes)
                .hinted("the connection is gone; `switchback schema status` says what the database knows of the steps");
        }
        PortError::new(message, causes).hinted("correct the cause, then run the same command again")
    }

    /// Opens the database.
    pub(super) fn link(&self, is_read_only: bool) -> Result<Link<'_>, PortError> {
        let place = self.target.place(is_read_only, self.request.is_made);
        let session = self.request.schemas.open(&place)?;
        Link::new(session, self.dialect, is_read_only, self.request.world.clock.as_ref())
            .map_err(|error| self.failed("ask", &error))
    }

    /// Where each step stands.
    pub(super) fn stand(&self, link: &mut Link<'_>) -> Result<Vec<Stood>, PortError> {
        let records = link.records().map_err(|error| match error {
            Unread::Statement(error) => self.failed("read the steps of", &error),
            Unread::Strange(why) => {
                PortError::new(format!("could not read the steps of `{}`", self.target.name()), vec![why])
                    .hinted("it was written by another version of Switchback, or by hand: put it right there")
            }
        })?;
        Ok(stand(&self.steps, &records))
    }

    /// The folder of this database below the state folder, which is made.
    pub(super) fn folder(&self) -> Result<PathBuf, PortError> {
        let disk = self.request.world.disk.as_ref();
        let root = &self.request.root;
        let state = root.join(STATE_FOLDER);
        let folder = state.join(FOLDER).join(self.folder_name());
        let made = make_directories(disk, root, &folder).and_then(|()| {
            let ignore = state.join(".gitignore");
            if disk.look(&ignore)?.is_none() {
                disk.write_new(&ignore, 0o644, &mut "*\n".as_bytes())?;
            }
            disk.set_mode(&folder, 0o700)
        });
        made.map_err(|error| disk_failed("make the folder of the schema", &error))?;
        Ok(folder)
    }

    fn folder_name(&self) -> String {
        let plain = |letter: char| if letter.is_ascii_alphanumeric() || letter == '-' { letter } else { '_' };
        let last = self.target.name().rsplit('/').next().unwrap_or_default();
        let last: String = last.chars().take(40).map(plain).collect();
        let whole =
            self.target.file().map_or(self.target.name().to_owned(), |path| path.display().to_string());
        let hash = blake3::hash(whole.as_bytes()).to_hex();
        format!("{last}-{}", &hash[..DIGITS])
    }

    /// A path as it is told: relative to the project where it is below that.
    pub(super) fn shown(&self, path: &Path) -> String {
        path.strip_prefix(&self.request.root).unwrap_or(path).display().to_string()
    }

    /// Keeps other commands of this project away from the database; PostgreSQL has a lock of its own, for everybody.
    pub(super) fn lock_file(&self, doing: &str) -> Result<Option<Box<dyn Lock>>, PortError> {
        if self.dialect == Dialect::Postgresql {
            return Ok(None);
        }
        let world = &self.request.world;
        let note = format!(
            "{} (process {}) runs `switchback schema {doing}` since {}\n",
            world.surroundings.actor(),
            world.surroundings.process_id(),
            world.clock.now()
        );
        let path = self.folder()?.join("lock");
        let locked = world.disk.lock(&path, &note).map_err(|error| disk_failed("lock the schema", &error))?;
        locked.map(Some).map_err(|holder| {
            let message = format!("could not lock the schema of `{}`", self.target.name());
            PortError::new(message, vec![holder.note]).hinted("wait until that has ended")
        })
    }

    /// The statements of a script; none of a command.
    pub(super) fn text_of(script: &Script, number: usize) -> (String, usize) {
        match &script.work {
            Work::Sql(statements) => statements
                .get(number.saturating_sub(1))
                .map(|statement| {
                    let shown = statement.shown();
                    (shown.lines().next().unwrap_or_default().to_owned(), statement.line)
                })
                .unwrap_or_default(),
            Work::Command => (format!("sh {}", script.path.display()), 1),
        }
    }

    /// A statement of a step that was not carried out.
    pub(super) fn broken(
        &self,
        step: &Step,
        script: &Script,
        number: usize,
        message: &str,
        offset: Option<usize>,
    ) -> Stop {
        let (text, first_line) = Self::text_of(script, number);
        let line = match (&script.work, offset) {
            (Work::Sql(statements), Some(offset)) => {
                statements.get(number.saturating_sub(1)).map_or(first_line, |one| one.line_at(offset))
            }
            _ => first_line,
        };
        Stop::Failed(Box::new(Failed {
            step: step.name.clone(),
            file: script.path.display().to_string(),
            statement: number,
            statements: script.count(),
            line,
            text: self.clean(&text),
            message: self.clean(message),
        }))
    }

    /// Tells where the steps stand now that all is done. Nothing of Switchback stays in a database that has no step of it.
    pub(super) fn end(&self, link: &mut Link<'_>, outcome: &mut SchemaOutcome) -> Result<(), PortError> {
        let all = self.stand(link)?;
        outcome.steps = told(&all);
        if all.iter().any(|one| one.record.is_some()) {
            return Ok(());
        }
        link.within(Link::unmake_state)
            .map_err(|error| self.failed("take the table of the steps out of", &error))
    }
}

/// A disk that said no.
pub(super) fn disk_failed(doing: &str, error: &DiskError) -> PortError {
    PortError::new(format!("could not {doing}"), vec![error.to_string()])
        .hinted("correct the cause, then run the same command again")
}

/// Where the steps stand.
pub(super) fn told(all: &[Stood]) -> Vec<StepTold> {
    all.iter().map(told_of).collect()
}

fn told_of(one: &Stood) -> StepTold {
    let script_changed: Vec<String> =
        one.changed.iter().map(|role| format!("`{}` was changed", role.word())).collect();
    let half = match (&one.record, one.standing) {
        (Some(record), Standing::HalfDeployed | Standing::HalfReverted) if record.began > record.done => {
            Some(format!(
                "{} done, and nobody knows of statement {}",
                of_statements(record.done),
                record.began
            ))
        }
        (Some(record), Standing::HalfDeployed | Standing::HalfReverted) => {
            Some(format!("{} done, and none begun after that", of_statements(record.done)))
        }
        _ => None,
    };
    let notes: Vec<String> = half.into_iter().chain(script_changed).collect();
    StepTold {
        name: one.name.clone(),
        state: one.standing.word(),
        verified: None::<Verdict>,
        time: one
            .record
            .as_ref()
            .map(|record| record.ended.clone().unwrap_or_else(|| record.started.clone())),
        actor: one.record.as_ref().map(|record| record.actor.clone()),
        note: (!notes.is_empty()).then(|| notes.join("; ")),
    }
}

fn of_statements(number: usize) -> String {
    crate::quantity::counted(number as u64, "statement")
}
