//! A session of SQLite.

use std::time::Duration;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};
use switchback_compare::store::StoreError;
use switchback_core::port::{SchemaPlace, SchemaSession, StatementError};

use crate::hexadecimal;
use crate::sqlite::why;

/// How long a lock of another program is waited for.
const LOCK_WAIT: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(super) struct SqliteSession {
    connection: Connection,
}

impl SqliteSession {
    pub(super) fn open(place: &SchemaPlace) -> Result<Self, StoreError> {
        let mut flags = OpenFlags::SQLITE_OPEN_NO_MUTEX;
        flags |= if place.is_read_only {
            OpenFlags::SQLITE_OPEN_READ_ONLY
        } else {
            OpenFlags::SQLITE_OPEN_READ_WRITE
        };
        if place.is_made && !place.is_read_only {
            flags |= OpenFlags::SQLITE_OPEN_CREATE;
        }
        let opened = Connection::open_with_flags(&place.location, flags).and_then(|connection| {
            connection.busy_timeout(LOCK_WAIT)?;
            // What is no database says so now, and not at its first statement.
            connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
            Ok(connection)
        });
        Ok(Self { connection: opened.map_err(|error| why(&place.name, &error))? })
    }
}

impl SchemaSession for SqliteSession {
    fn run(&mut self, statement: &str) -> Result<(), StatementError> {
        self.connection.execute_batch(statement).map_err(told)
    }

    fn rows(
        &mut self,
        query: &str,
        take: &mut dyn FnMut(&[Option<String>]) -> bool,
    ) -> Result<(), StatementError> {
        let mut statement = self.connection.prepare(query).map_err(told)?;
        let width = statement.column_count();
        let mut rows = statement.query([]).map_err(told)?;
        while let Some(row) = rows.next().map_err(told)? {
            let cells: Result<Vec<_>, _> = (0..width).map(|at| row.get_ref(at).map(text)).collect();
            if !take(&cells.map_err(told)?) {
                break;
            }
        }
        Ok(())
    }

    fn first(&mut self, query: &str) -> Result<Option<Option<String>>, StatementError> {
        let mut first = None;
        self.rows(query, &mut |cells| {
            first = Some(cells.first().cloned().flatten());
            false
        })?;
        Ok(first)
    }
}

fn text(value: ValueRef<'_>) -> Option<String> {
    match value {
        ValueRef::Null => None,
        ValueRef::Integer(number) => Some(number.to_string()),
        ValueRef::Real(number) => Some(number.to_string()),
        ValueRef::Text(text) => Some(String::from_utf8_lossy(text).into_owned()),
        ValueRef::Blob(bytes) => Some(hexadecimal(bytes.iter().copied())),
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it stands where an error is turned into another one")]
fn told(error: rusqlite::Error) -> StatementError {
    let (message, offset) = match &error {
        rusqlite::Error::SqlInputError { msg, offset, .. } => (msg.clone(), usize::try_from(*offset).ok()),
        rusqlite::Error::SqliteFailure(_, Some(message)) => (message.clone(), None),
        other => (other.to_string(), None),
    };
    StatementError { message, offset, is_cut: false }
}
