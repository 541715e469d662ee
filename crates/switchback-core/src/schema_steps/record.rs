//! What the database itself says of its steps: one row a step, written in the step's own transaction where it has one.
//!
//! The table `switchback_schema` is a format; a test pins its columns. Rows are read and written here alone, and every change
//! of one goes through one table of legal transitions.

use serde_json::Value;

use super::dialect::{Dialect, STATE};
use super::link::Link;
use super::step::{Role, Step};
use crate::port::StatementError;

/// How far a step is. A step without a row is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// Its deploy has begun, statement by statement, and nobody has said that it is done.
    Deploying,
    /// It is there.
    Deployed,
    /// Its revert has begun, statement by statement, and nobody has said that it is done.
    Reverting,
}

/// What can be done to a step's row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Move {
    /// A deploy that is no transaction begins.
    BeginDeploy,
    /// A deploy is done.
    Deployed,
    /// A revert that is no transaction begins.
    BeginRevert,
    /// A revert is done.
    Reverted,
}

/// What a move leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum After {
    /// A row of this state.
    Row(State),
    /// A step without a row.
    NoRow,
}

/// Where a move leads; `None`: it is not legal.
pub(super) fn moved(state: Option<State>, how: Move) -> Option<After> {
    match (state, how) {
        (None, Move::BeginDeploy) => Some(After::Row(State::Deploying)),
        // A transaction does both at once.
        (None | Some(State::Deploying), Move::Deployed) => Some(After::Row(State::Deployed)),
        // What was interrupted can be undone as well.
        (Some(State::Deployed | State::Deploying), Move::BeginRevert) => Some(After::Row(State::Reverting)),
        (Some(State::Deploying | State::Deployed | State::Reverting), Move::Reverted) => Some(After::NoRow),
        (None, Move::BeginRevert | Move::Reverted)
        | (Some(State::Deploying | State::Deployed | State::Reverting), Move::BeginDeploy)
        | (Some(State::Deployed | State::Reverting), Move::Deployed)
        | (Some(State::Reverting), Move::BeginRevert) => None,
    }
}

impl State {
    /// The word that stands in the database.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Deploying => "deploying",
            Self::Deployed => "deployed",
            Self::Reverting => "reverting",
        }
    }

    fn from_word(word: &str) -> Option<Self> {
        [Self::Deploying, Self::Deployed, Self::Reverting].into_iter().find(|state| state.word() == word)
    }
}

/// The row of a step.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Record {
    /// The name of the step.
    pub step: String,
    /// Its number.
    pub number: u64,
    /// How far it is.
    pub state: State,
    /// The hashes of its scripts when it was deployed: deploy, verify, revert; empty where there was none.
    pub hashes: [String; 3],
    /// The last statement that was begun, counted from 1; 0 before the first, and where all of it is one transaction.
    pub began: usize,
    /// The last statement that is known to be done.
    pub done: usize,
    /// When it was begun, RFC 3339, UTC.
    pub started: String,
    /// When it was done.
    pub ended: Option<String>,
    /// Who did it: `user@host`.
    pub actor: String,
    /// What was there before and what came with it: JSON, see [`super::content`].
    pub facts: Value,
}

/// The columns of the table with their types, in order.
const COLUMNS: &[(&str, &str)] = &[
    ("step", "TEXT NOT NULL"),
    ("number", "BIGINT NOT NULL"),
    ("state", "TEXT NOT NULL"),
    ("deploy_hash", "TEXT NOT NULL"),
    ("verify_hash", "TEXT NOT NULL"),
    ("revert_hash", "TEXT NOT NULL"),
    ("began", "BIGINT NOT NULL"),
    ("done", "BIGINT NOT NULL"),
    ("started", "TEXT NOT NULL"),
    ("ended", "TEXT"),
    ("actor", "TEXT NOT NULL"),
    ("facts", "TEXT NOT NULL"),
];

/// The statement that makes the table.
pub(super) fn making(table: &str, dialect: Dialect) -> String {
    let mut columns: Vec<String> = COLUMNS.iter().map(|(name, kind)| format!("{name} {kind}")).collect();
    // DuckDB takes a row that is removed and written again in one transaction for two of one key.
    if dialect != Dialect::Duckdb {
        columns.push("PRIMARY KEY (step)".to_owned());
    }
    format!("CREATE TABLE IF NOT EXISTS {table} ({})", columns.join(", "))
}

impl Record {
    /// The row of a step that is being deployed now.
    pub(super) fn of(step: &Step, state: State, now: &str, actor: &str) -> Self {
        let hash = |role: Role| step.script(role).map(|script| script.hash.clone()).unwrap_or_default();
        Self {
            step: step.name.clone(),
            number: step.number,
            state,
            hashes: Role::ALL.map(hash),
            began: 0,
            done: 0,
            started: now.to_owned(),
            ended: None,
            actor: actor.to_owned(),
            facts: Value::Null,
        }
    }

    /// The scripts of a step that are not what they were when it was deployed.
    pub(super) fn changed(&self, step: &Step) -> Vec<Role> {
        let is_other = |(role, hash): &(Role, &String)| {
            step.script(*role).map_or("", |script| script.hash.as_str()) != hash.as_str()
        };
        Role::ALL.into_iter().zip(&self.hashes).filter(is_other).map(|(role, _)| role).collect()
    }

    fn values(&self, dialect: Dialect) -> Vec<String> {
        let text = |text: &str| dialect.literal(text);
        let [deploy, verify, revert] = &self.hashes;
        vec![
            text(&self.step),
            self.number.to_string(),
            text(self.state.word()),
            text(deploy),
            text(verify),
            text(revert),
            self.began.to_string(),
            self.done.to_string(),
            text(&self.started),
            self.ended.as_deref().map_or("NULL".to_owned(), text),
            text(&self.actor),
            text(&self.facts.to_string()),
        ]
    }

    /// Reads a row; `None` when it is not of this version.
    fn read(cells: &[Option<String>]) -> Option<Self> {
        let text = |at: usize| cells.get(at)?.clone();
        let number = |at: usize| text(at)?.parse::<usize>().ok();
        Some(Self {
            step: text(0)?,
            number: text(1)?.parse().ok()?,
            state: State::from_word(&text(2)?)?,
            hashes: [text(3)?, text(4)?, text(5)?],
            began: number(6)?,
            done: number(7)?,
            started: text(8)?,
            ended: text(9),
            actor: text(10)?,
            facts: serde_json::from_str(&text(11)?).ok()?,
        })
    }
}

/// Why the rows of the steps could not be read.
#[derive(Debug)]
pub(super) enum Unread {
    Statement(StatementError),
    /// A row of another version, or one that was changed by hand.
    Strange(String),
}

impl From<StatementError> for Unread {
    fn from(error: StatementError) -> Self {
        Self::Statement(error)
    }
}

impl Link<'_> {
    /// All rows, in the order of the steps' numbers; none where there is no table yet.
    pub(super) fn records(&mut self) -> Result<Vec<Record>, Unread> {
        if self.number(&self.dialect.has_state(self.home.as_deref()))? == 0 {
            return Ok(Vec::new());
        }
        let names: Vec<String> = COLUMNS
            .iter()
            .map(|(name, kind)| match (self.dialect, kind.starts_with("BIGINT")) {
                (Dialect::Sqlite, _) | (_, false) => (*name).to_owned(),
                (_, true) => format!("CAST({name} AS VARCHAR)"),
            })
            .collect();
        let query = format!("SELECT {} FROM {} ORDER BY number, step", names.join(", "), self.state());
        let (mut records, mut strange) = (Vec::new(), None);
        self.rows(&query, &mut |cells| {
            match Record::read(cells) {
                Some(record) => records.push(record),
                None => strange = Some(cells.first().cloned().flatten().unwrap_or_default()),
            }
            true
        })?;
        match strange {
            Some(step) => Err(Unread::Strange(format!("the row of `{step}` in `{STATE}` cannot be read"))),
            None => Ok(records),
        }
    }

    /// Makes the table, when it is not there.
    pub(super) fn make_state(&mut self) -> Result<(), StatementError> {
        let made = making(&self.state(), self.dialect);
        self.run(&made)
    }

    /// Takes the table away, which has no row.
    pub(super) fn unmake_state(&mut self) -> Result<(), StatementError> {
        let statement = format!("DROP TABLE IF EXISTS {}", self.state());
        self.run(&statement)
    }

    /// Writes the row of a step, whatever it was before.
    pub(super) fn keep(&mut self, record: &Record) -> Result<(), StatementError> {
        self.forget(&record.step)?;
        let names: Vec<&str> = COLUMNS.iter().map(|(name, _)| *name).collect();
        let values = record.values(self.dialect).join(", ");
        let statement = format!("INSERT INTO {} ({}) VALUES ({values})", self.state(), names.join(", "));
        self.run(&statement)
    }

    /// Takes the row of a step away.
    pub(super) fn forget(&mut self, step: &str) -> Result<(), StatementError> {
        let statement = format!("DELETE FROM {} WHERE step = {}", self.state(), self.dialect.literal(step));
        self.run(&statement)
    }

    /// Notes of a step which statement was begun, and which is done.
    pub(super) fn note(&mut self, step: &str, began: usize, done: usize) -> Result<(), StatementError> {
        let statement = format!(
            "UPDATE {} SET began = {began}, done = {done} WHERE step = {}",
            self.state(),
            self.dialect.literal(step)
        );
        self.run(&statement)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_what_it_was() {
        assert_eq!(
            making("main.switchback_schema", Dialect::Sqlite),
            "CREATE TABLE IF NOT EXISTS main.switchback_schema (step TEXT NOT NULL, number BIGINT NOT NULL, \
             state TEXT NOT NULL, deploy_hash TEXT NOT NULL, verify_hash TEXT NOT NULL, revert_hash TEXT NOT NULL, \
             began BIGINT NOT NULL, done BIGINT NOT NULL, started TEXT NOT NULL, ended TEXT, actor TEXT NOT NULL, \
             facts TEXT NOT NULL, PRIMARY KEY (step))"
        );
    }

    #[test]
    fn no_move_leads_past_what_is_not_known() {
        let states = [None, Some(State::Deploying), Some(State::Deployed), Some(State::Reverting)];
        let moves = [Move::BeginDeploy, Move::Deployed, Move::BeginRevert, Move::Reverted];
        let legal: Vec<(Option<State>, Move)> = states
            .into_iter()
            .flat_map(|state| moves.map(|how| (state, how)))
            .filter(|(state, how)| moved(*state, *how).is_some())
            .collect();
        assert_eq!(legal.len(), 8, "{legal:?}");
        assert_eq!(moved(Some(State::Reverting), Move::Deployed), None, "what is half undone is not there");
        assert_eq!(moved(Some(State::Deployed), Move::BeginDeploy), None, "nothing is deployed twice");
    }
}
