//! The journal on disk: one SQLite file in WAL mode with full sync, which can only be appended to.

use std::ops::Range;
use std::path::{Path, PathBuf};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, OptionalExtension, params};

use super::damage::Damage;
use super::event::{Event, FORMAT, Record};
use super::history::{History, IllegalEvent};
use super::verify::{Chain, ChainFault};
use crate::world::{DiskError, World};

/// How long a writer waits for another one.
const BUSY_MS: u64 = 5_000;

/// Size of a page of a new journal: few reads for a long one. One that is there keeps its own.
const PAGE_BYTES: u32 = 16_384;

/// A journal of this many events is read in two halves side by side.
const WALK_HALVES_FROM: u64 = 1_000;

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
    /// It tells of something that cannot have happened.
    #[error(transparent)]
    Illegal(#[from] IllegalEvent),
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
    damage: Option<Damage>,
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

/// A row while it is read: its texts still belong to SQLite.
#[derive(Debug, Clone, Copy)]
pub(super) struct RowText<'a> {
    pub(super) seq: u64,
    pub(super) time: &'a str,
    pub(super) actor: &'a str,
    pub(super) event: &'a str,
    pub(super) body: &'a str,
    pub(super) prev: &'a str,
    pub(super) hash: &'a str,
}

impl RowText<'_> {
    fn to_row(self) -> Row {
        let Self { seq, time, actor, event, body, prev, hash } = self;
        let [time, actor, event, body, prev, hash] =
            [time, actor, event, body, prev, hash].map(ToOwned::to_owned);
        Row { seq, time, actor, event, body, prev, hash }
    }
}

/// Whether the file holds a transaction that was interrupted and has to be taken back first.
fn is_half_written(error: &rusqlite::Error) -> bool {
    error.sqlite_error().is_some_and(|error| error.extended_code == rusqlite::ffi::SQLITE_READONLY_ROLLBACK)
}

impl Journal {
    /// Opens the journal at `path` for appending; makes it when it is missing. The caller holds the lock of the project. Where what was
    /// acknowledged is damaged at its end, that is kept, and said in the journal, before anything else is: see [`Journal::damage`].
    pub fn open(path: &Path, world: &World) -> Result<Self, JournalError> {
        world.disk.foreign_effect("open the journal", path)?;
        let is_new = world.disk.look(path)?.is_none();
        // Before anybody opens it: SQLite passes over what is not whole.
        let damage = Damage::kept(world.disk.as_ref(), path)?;
        let failed = |doing| move |source| JournalError::Sqlite { doing, path: path.to_owned(), source };
        let connection = Connection::open(path).map_err(failed("open"))?;
        // Until the journal says so, closing it leaves a damaged log as it is.
        connection
            .set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, damage.is_some())
            .and_then(|_| connection.busy_timeout(std::time::Duration::from_millis(BUSY_MS)))
            .and_then(|()| connection.pragma_update(None, "page_size", PAGE_BYTES))
            .and_then(|()| connection.pragma_update(None, "journal_mode", "WAL"))
            .and_then(|()| connection.pragma_update(None, "synchronous", "FULL"))
            .map_err(failed("open"))?;
        let journal = Self { path: path.to_owned(), connection, world: world.clone(), damage };
        journal.prepare().map_err(failed("prepare"))?;
        if is_new && let Some(folder) = path.parent() {
            world.disk.sync_directory(folder)?;
        }
        journal.look_at_format()?;
        if let Some(damage) = &journal.damage {
            journal.append(damage.event())?;
            let written = journal.connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false);
            written.map_err(failed("open"))?;
            // What is whole behind the damage would be found anew as long as it stands there. While somebody reads it stays.
            let emptied = journal.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
            emptied.map_err(failed("empty the log of"))?;
        }
        Ok(journal)
    }

    /// What was found damaged when it was opened for appending.
    pub fn damage(&self) -> Option<&Damage> {
        self.damage.as_ref()
    }

    /// Opens the journal at `path` for reading only; `None` when there is none.
    pub fn open_existing(path: &Path, world: &World) -> Result<Option<Self>, JournalError> {
        if world.disk.look(path)?.is_none() {
            return Ok(None);
        }
        let failed = |doing| move |source| JournalError::Sqlite { doing, path: path.to_owned(), source };
        let open = |access: OpenFlags| {
            let connection = Connection::open_with_flags(path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)
                .map_err(failed("open"))?;
            connection.busy_timeout(std::time::Duration::from_millis(BUSY_MS)).map_err(failed("open"))?;
            Ok::<Connection, JournalError>(connection)
        };
        let count = |connection: &Connection| -> rusqlite::Result<u64> {
            let sql = "SELECT count(*) FROM sqlite_schema WHERE name IN ('format', 'event')";
            connection.query_row(sql, [], |row| row.get(0))
        };
        let mut connection = open(OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        let mut counted = count(&connection);
        if counted.as_ref().is_err_and(is_half_written) {
            // A process that was killed while it made the file left a transaction that only a writer may take back.
            connection = open(OpenFlags::SQLITE_OPEN_READ_WRITE)?;
            counted = count(&connection);
        }
        let journal = Self { path: path.to_owned(), connection, world: world.clone(), damage: None };
        let tables = counted.map_err(failed("read"))?;
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
        let mut rows = Vec::new();
        self.each_row(seq..u64::MAX, |row| {
            rows.push(row.to_row());
            Ok(())
        })?;
        Ok(rows)
    }

    /// Gives the rows after the start and up to the end of `range` to `take`, in order.
    fn each_row(
        &self,
        range: Range<u64>,
        mut take: impl FnMut(RowText<'_>) -> Result<(), JournalError>,
    ) -> Result<(), JournalError> {
        let failed = |source| self.failed("read", source);
        let query = "SELECT seq, time, actor, event, body, prev, hash FROM event \
                     WHERE seq > ?1 AND seq <= ?2 ORDER BY seq";
        // SQLite counts in signed numbers.
        let end = range.end.min(i64::MAX as u64);
        let mut statement = self.connection.prepare(query).map_err(failed)?;
        let mut rows = statement.query([range.start, end]).map_err(failed)?;
        while let Some(row) = rows.next().map_err(failed)? {
            take(text_of(row).map_err(failed)?)?;
        }
        Ok(())
    }

    /// All entries, in order.
    ///
    /// # Errors
    ///
    /// Also when an entry is of a kind that this program does not know, and when the chain of hashes is broken: half a
    /// history must not be acted upon.
    pub fn records(&self) -> Result<Vec<Record>, JournalError> {
        self.walk(Vec::new(), |records, record| {
            records.push(record);
            Ok(())
        })
    }

    /// The history that the entries tell.
    ///
    /// # Errors
    ///
    /// As [`Journal::records`], and when an event cannot follow what went before.
    pub fn history(&self) -> Result<History, JournalError> {
        self.walk(History::default(), |history, record| Ok(history.take(record)?))
    }

    /// Gives every entry to `take`, in order. A long journal is read in two halves side by side, each through a
    /// connection of its own: reading, hashing and understanding all take a while.
    fn walk<T>(
        &self,
        mut taken: T,
        take: impl Fn(&mut T, Record) -> Result<(), JournalError>,
    ) -> Result<T, JournalError> {
        let last: Option<u64> = self
            .connection
            .query_row("SELECT max(seq) FROM event", [], |row| row.get(0))
            .map_err(|source| self.failed("read", source))?;
        let last = last.unwrap_or(0);
        let middle = if last < WALK_HALVES_FROM { last } else { last / 2 };
        let (path, world) = (self.path.as_path(), &self.world);
        std::thread::scope(|scope| {
            let later = (middle < last).then(|| scope.spawn(move || Part::read(path, world, middle..last)));
            let mut chain = Chain::default();
            self.each_row(0..middle, |row| {
                self.sound(chain.next(&row))?;
                take(&mut taken, record_of(path, &row)?)
            })?;
            let Some(later) = later else { return Ok(taken) };
            let part = later.join().map_err(|_| JournalError::Entry {
                path: path.to_owned(),
                seq: middle + 1,
                why: "the thread that read what follows ended unexpectedly".to_owned(),
            })?;
            if let Some((seq, prev)) = &part.first {
                self.sound(chain.link(*seq, prev))?;
            }
            part.records.into_iter().try_for_each(|record| take(&mut taken, record))?;
            part.end.map(|()| taken)
        })
    }

    fn sound(&self, fault: Option<ChainFault>) -> Result<(), JournalError> {
        fault.map_or(Ok(()), |fault| {
            Err(JournalError::Changed { path: self.path.clone(), seq: fault.seq, what: fault.what })
        })
    }

    /// The entries after `seq`, in order.
    ///
    /// # Errors
    ///
    /// Also when an entry is of a kind that this program does not know.
    pub fn records_after(&self, seq: u64) -> Result<Vec<Record>, JournalError> {
        let mut records = Vec::new();
        self.each_row(seq..u64::MAX, |row| {
            records.push(record_of(&self.path, &row)?);
            Ok(())
        })?;
        Ok(records)
    }
}

/// The later half of a journal, as far as it is sound.
struct Part {
    /// Position of its first row, and the hash that this row names as the one before.
    first: Option<(u64, String)>,
    records: Vec<Record>,
    /// What ended the reading.
    end: Result<(), JournalError>,
}

impl Part {
    fn read(path: &Path, world: &World, range: Range<u64>) -> Self {
        let mut part = Self { first: None, records: Vec::new(), end: Ok(()) };
        part.end = part.take(path, world, range);
        part
    }

    fn take(&mut self, path: &Path, world: &World, range: Range<u64>) -> Result<(), JournalError> {
        let Some(journal) = Journal::open_existing(path, world)? else { return Ok(()) };
        let mut chain = Chain::default();
        journal.each_row(range, |row| {
            if self.first.is_none() {
                self.first = Some((row.seq, row.prev.to_owned()));
                chain = Chain::before(&row);
            }
            journal.sound(chain.next(&row))?;
            self.records.push(record_of(path, &row)?);
            Ok(())
        })
    }
}

fn text_of<'a>(row: &'a rusqlite::Row<'_>) -> rusqlite::Result<RowText<'a>> {
    let text = |index: usize| row.get_ref(index)?.as_str().map_err(rusqlite::Error::from);
    Ok(RowText {
        seq: row.get(0)?,
        time: text(1)?,
        actor: text(2)?,
        event: text(3)?,
        body: text(4)?,
        prev: text(5)?,
        hash: text(6)?,
    })
}

fn record_of(path: &Path, row: &RowText<'_>) -> Result<Record, JournalError> {
    let event = Event::read(row.event, row.body).map_err(|error| JournalError::Entry {
        path: path.to_owned(),
        seq: row.seq,
        why: error.to_string(),
    })?;
    Ok(Record {
        seq: row.seq,
        time: row.time.to_owned(),
        actor: row.actor.to_owned(),
        event,
        prev: row.prev.to_owned(),
        hash: row.hash.to_owned(),
    })
}

/// What the first entry names as the hash of the one before.
pub(super) fn first_prev() -> String {
    "0".repeat(64)
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENTS: u64 = WALK_HALVES_FROM + 1;

    /// A journal that is long enough to be read in halves, without the syncs that only a real one needs.
    fn long(folder: &Path) -> Journal {
        let journal = Journal::open(&folder.join("journal.db"), &World::real()).unwrap();
        journal.connection.pragma_update(None, "synchronous", "OFF").unwrap();
        let start = |phases| Event::RunStarted {
            run: "r".into(),
            project: "p".into(),
            plan: "h".into(),
            tool: "t".into(),
            phases,
        };
        journal.append(start(vec!["unify".into()])).unwrap();
        for _ in 1..EVENTS {
            let event = Event::CheckStarted { phase: "unify".into(), check: "c".into(), at: "before".into() };
            journal.append(event).unwrap();
        }
        journal
    }

    /// Does something to the rows past the triggers, looks, and takes it back.
    fn damaged<T>(journal: &Journal, statement: &str, look: impl FnOnce() -> T) -> T {
        let connection = &journal.connection;
        connection
            .execute_batch(
                "DROP TRIGGER IF EXISTS event_is_never_changed; DROP TRIGGER IF EXISTS event_is_never_removed;
                 CREATE TABLE kept AS SELECT * FROM event",
            )
            .unwrap();
        assert!(connection.execute(statement, []).unwrap() > 0, "{statement} changed nothing");
        let looked = look();
        connection
            .execute_batch("DELETE FROM event; INSERT INTO event SELECT * FROM kept; DROP TABLE kept")
            .unwrap();
        looked
    }

    #[test]
    fn a_long_journal_reads_the_same_in_halves_as_row_by_row() {
        let folder = tempfile::tempdir().unwrap();
        let journal = long(folder.path());
        let records = journal.records().unwrap();
        assert_eq!(records.len() as u64, EVENTS);
        assert_eq!(records, journal.records_after(0).unwrap());
        let history = journal.history().unwrap();
        assert_eq!((history.seq, &history.head), (EVENTS, &records.last().unwrap().hash));
    }

    #[test]
    fn damage_in_either_half_of_a_long_journal_and_between_them_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let journal = long(folder.path());
        let middle = EVENTS / 2;
        for seq in [1, 2, middle - 1, middle, middle + 1, middle + 2, EVENTS - 1] {
            for (statement, named) in [
                (format!("UPDATE event SET body = ' ' || body WHERE seq = {seq}"), seq),
                (format!("UPDATE event SET prev = 'x' WHERE seq = {seq}"), seq),
                (format!("DELETE FROM event WHERE seq = {seq}"), seq + 1),
            ] {
                let looked = damaged(&journal, &statement, || journal.history());
                let Err(JournalError::Changed { seq: found, .. }) = looked else {
                    panic!("{statement}: {looked:?}")
                };
                assert_eq!(found, named, "{statement}");
            }
        }
        journal.history().unwrap();
    }

    #[test]
    fn an_unknown_event_in_the_later_half_stops_the_reading() {
        let folder = tempfile::tempdir().unwrap();
        let journal = long(folder.path());
        journal.insert("2026-01-01T00:00:00Z", "a@b", "teleported", "{}").unwrap();
        let error = journal.history().unwrap_err();
        assert!(matches!(error, JournalError::Entry { seq, .. } if seq == EVENTS + 1), "{error}");
    }
}
