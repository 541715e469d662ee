//! SQLite: the online backup, which reads one state of the database while others write, and a look through the copy.
//!
//! The library's own input and output, announced to the world by `Disk::foreign_effect`.

use std::path::Path;
use std::time::Duration;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::Why;
use super::format::Table;
use super::script::identifier;
use super::source::beside;
use crate::world::World;

/// How long a writer is waited for that keeps readers out.
const BUSY: Duration = Duration::from_secs(5);
/// How many findings of `integrity_check` are asked for.
const FINDINGS_MAX: u32 = 5;

/// What read the copy, for the facts.
pub(super) fn reader() -> String {
    format!("SQLite {}", rusqlite::version())
}

/// Copies the database at `from` to `to`, which does not exist yet, and tells the tables of the copy.
pub(super) fn copy(world: &World, from: &Path, to: &Path) -> Result<Vec<Table>, Why> {
    let disk = world.disk.as_ref();
    let meta = disk.look(from)?;
    let has_log = disk.look(&beside(from, "-wal"))?.is_some();
    disk.foreign_effect("copy the database", from)?;
    let failed = |doing: &'static str| {
        move |error: rusqlite::Error| Why::new(format!("SQLite could not {doing}: {error}"))
    };
    // Not read-only: only a connection that may write takes its log and its shared memory away again when it closes.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let source = Connection::open_with_flags(from, flags).map_err(failed("open it"))?;
    source.busy_timeout(BUSY).map_err(failed("open it"))?;
    if has_log {
        // What a process left in its log when it was killed stays there.
        source.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).map_err(failed("open it"))?;
    }
    let flags =
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut target = Connection::open_with_flags(to, flags).map_err(failed("make the copy"))?;
    // All pages in one step are one state: between two steps a writer of another process would begin it anew.
    let step =
        Backup::new(&source, &mut target).and_then(|backup| backup.step(-1)).map_err(failed("copy it"))?;
    if !matches!(step, StepResult::Done) {
        let why = format!("another process keeps it locked for more than {} s", BUSY.as_secs());
        return Err(Why::new(why).hinted("let its transaction end, then try again"));
    }
    let tables = looked_through(&target)?;
    target.close().map_err(|(_, error)| failed("close the copy")(error))?;
    source.close().map_err(|(_, error)| failed("close it")(error))?;
    if let Some(meta) = meta {
        disk.set_mode(to, meta.mode & 0o777)?;
    }
    for left in ["-wal", "-shm", "-journal"] {
        if disk.look(&beside(to, left))?.is_some() {
            return Err(Why::new(format!("the copy was not closed: it has a file `{left}` beside it")));
        }
    }
    Ok(tables)
}

/// Looks through a file that nobody else uses.
pub(super) fn look(world: &World, path: &Path) -> Result<Vec<Table>, Why> {
    world.disk.foreign_effect("look through the database", path)?;
    let failed = |error: rusqlite::Error| Why::new(format!("SQLite could not open it: {error}"));
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(failed)?;
    let tables = looked_through(&connection)?;
    connection.close().map_err(|(_, error)| failed(error))?;
    Ok(tables)
}

/// Whether a database is sound, and how many rows its tables have.
fn looked_through(connection: &Connection) -> Result<Vec<Table>, Why> {
    let failed = |error: rusqlite::Error| Why::new(format!("the database cannot be looked through: {error}"));
    let findings = texts(connection, &format!("PRAGMA integrity_check({FINDINGS_MAX})")).map_err(failed)?;
    if findings != ["ok"] {
        let mut causes = vec!["it is damaged: `PRAGMA integrity_check` does not say `ok`".to_owned()];
        causes.extend(findings);
        return Err(Why {
            causes,
            hint: Some("mend it, e.g. with `.recover` of `sqlite3`, or take it out".to_owned()),
        });
    }
    // Virtual tables need modules that are not here; what they keep is in tables of its own.
    let names = texts(
        connection,
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' \
         AND upper(ltrim(sql)) NOT LIKE 'CREATE VIRTUAL%' ORDER BY name",
    );
    let mut tables = Vec::new();
    for name in names.map_err(failed)? {
        let asked = format!("SELECT count(*) FROM {}", identifier(&name));
        let rows: u64 = connection.query_row(&asked, [], |row| row.get(0)).map_err(failed)?;
        tables.push(Table { name, rows, content: None });
    }
    Ok(tables)
}

fn texts(connection: &Connection, asked: &str) -> rusqlite::Result<Vec<String>> {
    let mut statement = connection.prepare(asked)?;
    let rows = statement.query_map([], |row| row.get::<_, String>(0))?;
    rows.collect()
}
