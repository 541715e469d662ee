//! SQLite: a file that is opened read-only, and read within one transaction.

mod column;
mod table;

use std::sync::Mutex;

use rusqlite::{Connection, OpenFlags};
use switchback_compare::address::Address;
use switchback_compare::store::{Database, StoreError, StoredTable};

use crate::check_file;
use crate::failure::{failed, no_table};
use crate::locked;
use table::SqliteTable;

/// How long a lock of another program is waited for, in milliseconds.
const LOCK_WAIT_MS: u64 = 5_000;

/// The tables of the main database; `sqlite_%` are the system's own, shadow tables those of virtual ones.
const TABLES: &str = "SELECT name FROM pragma_table_list \
     WHERE schema = 'main' AND type IN ('table', 'virtual') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name";

/// A table or view by its name, which SQLite takes without regard to case.
const TABLE: &str = "SELECT name, type, wr FROM pragma_table_list \
     WHERE schema = 'main' AND name = ?1 COLLATE NOCASE ORDER BY name <> ?1 LIMIT 1";

/// A database whose read has begun.
#[derive(Debug)]
pub(crate) struct SqliteDatabase {
    address: Address,
    connection: Mutex<Connection>,
}

impl SqliteDatabase {
    /// Opens the file, which must be there, and begins the one transaction in which all is read.
    pub(crate) fn open(address: &Address) -> Result<Self, StoreError> {
        check_file(address)?;
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let opened = Connection::open_with_flags(address.place(), flags).and_then(|connection| {
            connection.busy_timeout(std::time::Duration::from_millis(LOCK_WAIT_MS))?;
            connection.execute_batch("PRAGMA query_only = ON; PRAGMA trusted_schema = OFF; BEGIN")?;
            // The transaction begins with the first read.
            connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
            Ok(connection)
        });
        let connection = opened.map_err(|error| why(address, &error))?;
        Ok(Self { address: address.clone(), connection: Mutex::new(connection) })
    }
}

impl Database for SqliteDatabase {
    fn tables(&self) -> Result<Vec<String>, StoreError> {
        let names = || -> rusqlite::Result<Vec<String>> {
            let connection = locked(&self.connection);
            let mut statement = connection.prepare(TABLES)?;
            statement.query_map([], |row| row.get(0))?.collect()
        };
        names().map_err(|error| why(&self.address, &error))
    }

    fn table(&self, name: &str) -> Result<Box<dyn StoredTable + '_>, StoreError> {
        let plain = name.strip_prefix("main.").filter(|name| !name.is_empty());
        for name in [Some(name), plain].into_iter().flatten() {
            let found = locked(&self.connection).query_row(TABLE, [name], |row| {
                Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, bool>(2)?))
            });
            match found {
                Ok((name, kind, without_rowid)) => {
                    let has_rowids = kind == "table" && !without_rowid;
                    return Ok(Box::new(SqliteTable::open(
                        &self.address,
                        &self.connection,
                        name,
                        has_rowids,
                    )?));
                }
                Err(rusqlite::Error::QueryReturnedNoRows) => {}
                Err(error) => return Err(why(&self.address, &error)),
            }
        }
        Err(no_table(&self.address, name, self.tables()?))
    }
}

/// A name as SQL has it.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// An error of SQLite, with the next move that fits it.
pub(crate) fn why(address: impl std::fmt::Display, error: &rusqlite::Error) -> StoreError {
    use rusqlite::ErrorCode;
    let hint = match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => "name a file that SQLite has written",
        Some(ErrorCode::DatabaseCorrupt) => {
            "the file is damaged: restore it from a backup, or look with `PRAGMA integrity_check`"
        }
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            "another program is writing: wait until it has ended, then compare again"
        }
        Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => {
            "it is opened for reading only: check its permissions and those of its folder, and open it once with the \
             program that wrote it if that one was killed"
        }
        _ => "check that the database can be read with `sqlite3`",
    };
    failed(address, [error.to_string()], hint)
}
