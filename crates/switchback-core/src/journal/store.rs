//! The journal on disk: one SQLite file in WAL mode with full sync, which can only be appended to.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags, OptionalExtension, params};

use super::event::{Event, FORMAT, Record};
use super::verify::verify_chain;
use crate::world::{DiskError, World};

/// How long a writer waits for another one.
const BUSY_MS: u64 = 5_000;

const SCHEMA: &str = "
    CREATE TABLE format (name TEXT NOT NULL);
    CREATE TABLE event (
        seq INTEGER PRIMARY KEY,
        time TEXT NOT NULL,
        actor TEXT NOT NULL,
        event TEXT NOT NULL,
        body TEXT NOT NULL,
        prev TEXT NOT NULL,
        hash TEXT NOT NULL
    ) STRICT;
    CREATE TRIGGER event_is_never_changed BEFORE UPDATE ON event
    BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
    CREATE TRIGGER event_is_never_removed BEFORE DELETE ON event
    BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
";

/// The journal could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// SQLite said no.
    #[error("could not {doing} the journal `{}`: {source}", .path.display())]
    Sqlite {
        /// What was being done.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// It is of another version.
    #[error("the journal `{}` is of the format `{found}`; this Switchback reads `{FORMAT}`", .path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// The format that it names.
        found: String,
    },
    /// An entry cannot be understood.
    #[error("event {seq} of the journal `{}` cannot be read: {why}", .path.display())]
    Entry {
        /// The file.
        path: PathBuf,
        /// Its position.
        seq: u64,
        /// Why not.
        why: String,
    },
    /// It is not as it was written: nothing is done on its word.
    #[error("event {seq} of the journal `{}`: {what}", .path.display())]
    Changed {
        /// The file.
        path: PathBuf,
        /// The position of the first event that is not.
        seq: u64,
        /// What is wrong with it.
        what: String,
    },
    /// The disk said no.
    #[error(transparent)]
    Disk(#[from] DiskError),
}

/// The open journal of a project.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    connection: Connection,
    world: World,
}

/// One row as it is stored, before it is understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Position.
    pub seq: u64,
    /// When.
    pub time: String,
    /// Who.
    pub actor: String,
    /// The event's word.
    pub event: String,
    /// The event's body, JSON.
    pub body: String,
    /// The hash of the row before.
    pub prev: String,
    /// Its hash.
    pub hash: String,
}

impl Journal {
    /// Opens the journal at `path` for appending; makes it when it is missing.
    pub fn open(path: &Path, world: &World) -> Result<Self, JournalError> {
        world.disk.foreign_effect("open the journal", path)?;
        let is_new = world.disk.look(path)?.is_none();
        let failed = |doing| move |source| JournalError::Sqlite { doing, path: path.to_owned(), source };
        let connection = Connection::open(path).map_err(failed("open"))?;
        connection
            .busy_timeout(std::time::Duration::from_millis(BUSY_MS))
            .and_then(|()| connection.pragma_update(None, "journal_mode", "WAL"))
            .and_then(|()| connection.pragma_update(None, "synchronous", "FULL"))
            .map_err(failed("open"))?;
        let journal = Self { path: path.to_owned(), connection, world: world.clone() };
        journal.prepare().map_err(failed("prepare"))?;
        if is_new && let Some(folder) = path.parent() {
            world.disk.sync_directory(folder)?;
        }
        journal.look_at_format()?;
        Ok(journal)
    }

    /// Opens the journal at `path` for reading only; `None` when there is none.
    pub fn open_existing(path: &Path, world: &World) -> Result<Option<Self>, JournalError> {
        if world.disk.look(path)?.is_none() {
            return Ok(None);
        }
        let failed = |doing| move |source| JournalError::Sqlite { doing, path: path.to_owned(), source };
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags).map_err(failed("open"))?;
        connection.busy_timeout(std::time::Duration::from_millis(BUSY_MS)).map_err(failed("open"))?;
        let journal = Self { path: path.to_owned(), connection, world: world.clone() };
        let tables: u64 = journal
            .connection
            .query_row("SELECT count(*) FROM sqlite_schema WHERE name IN ('format', 'event')", [], |row| {
                row.get(0)
            })
            .map_err(failed("read"))?;
        if tables < 2 {
            // Killed before its first transaction was written: nothing has ever happened here.
            return Ok(None);
        }
        journal.look_at_format()?;
        Ok(Some(journal))
    }

    /// The tables come in one transaction, so a journal either has all of them or none.
    fn prepare(&self) -> rusqlite::Result<()> {
        let transaction = self.connection.unchecked_transaction()?;
        let tables: u64 =
            transaction
                .query_row("SELECT count(*) FROM sqlite_schema WHERE name = 'event'", [], |row| row.get(0))?;
        if tables == 0 {
            transaction.execute_batch(SCHEMA)?;
            transaction.execute("INSERT INTO format (name) VALUES (?1)", [FORMAT])?;
        }
        transaction.commit()
    }

    fn look_at_format(&self) -> Result<(), JournalError> {
        let found: Option<String> = self
            .connection
            .query_row("SELECT name FROM format", [], |row| row.get(0))
            .optional()
            .map_err(|source| self.failed("read", source))?;
        match found {
            Some(found) if found == FORMAT => Ok(()),
            found => Err(JournalError::Format { path: self.path.clone(), found: found.unwrap_or_default() }),
        }
    }

    fn failed(&self, doing: &'static str, source: rusqlite::Error) -> JournalError {
        JournalError::Sqlite { doing, path: self.path.clone(), source }
    }

    /// Appends one event and waits until it is on the disk.
    pub fn append(&self, event: Event) -> Result<Record, JournalError> {
        self.world.disk.foreign_effect("append to the journal", &self.path)?;
        let time = self.world.clock.now().to_string();
        let actor = self.world.surroundings.actor();
        let (word, body) = event.write().map_err(|error| JournalError::Entry {
            path: self.path.clone(),
            seq: 0,
            why: error.to_string(),
        })?;
        let written =
            self.insert(&time, &actor, &word, &body).map_err(|source| self.failed("append to", source))?;
        let (seq, prev, hash) = written;
        Ok(Record { seq, time, actor, event, prev, hash })
    }

    fn insert(
        &self,
        time: &str,
        actor: &str,
        word: &str,
        body: &str,
    ) -> rusqlite::Result<(u64, String, String)> {
        let transaction = self.connection.unchecked_transaction()?;
        let last: Option<(u64, String)> = transaction
            .query_row("SELECT seq, hash FROM event ORDER BY seq DESC LIMIT 1", [], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .optional()?;
        let (seq, prev) = last.map_or_else(|| (1, first_prev()), |(seq, hash)| (seq + 1, hash));
        let hash = Record::chained(seq, time, actor, word, body, &prev);
        transaction.execute(
            "INSERT INTO event (seq, time, actor, event, body, prev, hash) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            params![seq, time, actor, word, body, prev, hash],
        )?;
        transaction.commit()?;
        Ok((seq, prev, hash))
    }

    /// The rows after `seq`, in order, as they are stored.
    pub fn rows_after(&self, seq: u64) -> Result<Vec<Row>, JournalError> {
        let query = "SELECT seq, time, actor, event, body, prev, hash FROM event WHERE seq > ?1 ORDER BY seq";
        let read = || -> rusqlite::Result<Vec<Row>> {
            let mut statement = self.connection.prepare(query)?;
            let rows = statement.query_map([seq], |row| {
                Ok(Row {
                    seq: row.get(0)?,
                    time: row.get(1)?,
                    actor: row.get(2)?,
                    event: row.get(3)?,
                    body: row.get(4)?,
                    prev: row.get(5)?,
                    hash: row.get(6)?,
                })
            })?;
            rows.collect()
        };
        read().map_err(|source| self.failed("read", source))
    }

    /// All entries, in order.
    ///
    /// # Errors
    ///
    /// Also when an entry is of a kind that this program does not know: half a history must not be acted upon.
    pub fn records(&self) -> Result<Vec<Record>, JournalError> {
        let rows = self.rows_after(0)?;
        // The chain is walked beside the reading: both take a while for tens of thousands of events.
        let path = self.path.as_path();
        let (faults, events) = std::thread::scope(|scope| {
            let chain = scope.spawn(|| verify_chain(&rows));
            let events = rows.iter().map(|row| event_of(path, row)).collect::<Result<Vec<_>, _>>();
            (chain.join(), events)
        });
        let faults = faults.map_err(|_| JournalError::Entry {
            path: path.to_owned(),
            seq: 0,
            why: "the thread that walked the chain ended unexpectedly".to_owned(),
        })?;
        if let Some(fault) = faults.into_iter().next() {
            return Err(JournalError::Changed { path: self.path.clone(), seq: fault.seq, what: fault.what });
        }
        Ok(rows.into_iter().zip(events?).map(|(row, event)| record_of(row, event)).collect())
    }

    /// The entries after `seq`, in order.
    ///
    /// # Errors
    ///
    /// Also when an entry is of a kind that this program does not know.
    pub fn records_after(&self, seq: u64) -> Result<Vec<Record>, JournalError> {
        let understood = |row: Row| event_of(&self.path, &row).map(|event| record_of(row, event));
        self.rows_after(seq)?.into_iter().map(understood).collect()
    }
}

fn event_of(path: &Path, row: &Row) -> Result<Event, JournalError> {
    Event::read(&row.event, &row.body).map_err(|error| JournalError::Entry {
        path: path.to_owned(),
        seq: row.seq,
        why: error.to_string(),
    })
}

fn record_of(row: Row, event: Event) -> Record {
    Record { seq: row.seq, time: row.time, actor: row.actor, event, prev: row.prev, hash: row.hash }
}

/// What the first entry names as the hash of the one before.
pub(super) fn first_prev() -> String {
    "0".repeat(64)
}
