//! A session of SQLite.

use std::time::Duration;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};
use switchback_compare::store::StoreError;
use switchback_core::port::{FirstValue, SchemaPlace, SchemaSession, StatementError};

use crate::hexadecimal;
use crate::sqlite::why;

/// How long a lock of another program is waited for.
const LOCK_WAIT: Duration = Duration::from_secs(10);

/// What a connection that may not write says of a file whose log or journal has to be dealt with first.
const NEEDS_RECOVERY: &[i32] = &[
    rusqlite::ffi::SQLITE_READONLY_ROLLBACK,
    rusqlite::ffi::SQLITE_READONLY_RECOVERY,
    rusqlite::ffi::SQLITE_READONLY_CANTINIT,
];

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
        let mut opened = opened(&place.location, flags);
        if let Err(error) = &opened
            && place.is_read_only
            && NEEDS_RECOVERY.contains(&error.sqlite_error().map_or(0, |error| error.extended_code))
        {
            // A process that was killed left a transaction half written: whoever opens it for writing takes that back.
            let flags = OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_READ_WRITE;
            opened = self::opened(&place.location, flags);
        }
        Ok(Self { connection: opened.map_err(|error| why(&place.name, &error))? })
    }
}

fn opened(path: &str, flags: OpenFlags) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(LOCK_WAIT)?;
    // What is no database says so now, and not at its first statement.
    connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
    Ok(connection)
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

    fn first(&mut self, query: &str) -> Result<FirstValue, StatementError> {
        let mut first = FirstValue::NoRow;
        self.rows(query, &mut |cells| {
            first = FirstValue::of(cells.first().cloned().flatten());
            false
        })?;
        Ok(first)
    }
}

fn text(value: ValueRef<'_>) -> Option<String> {
    match value {
        ValueRef::Null => None,
        ValueRef::Integer(number) => Some(number.to_string()),
        // As few digits as tell it from every other number, with a point or an exponent.
        ValueRef::Real(number) => Some(format!("{number:?}")),
        // What is no text for anybody else is the expression that makes it.
        ValueRef::Text(bytes) => Some(match str::from_utf8(bytes) {
            Ok(text) => text.to_owned(),
            Err(_) => {
                format!("CAST(x'{}' AS TEXT)", hexadecimal(bytes.iter().copied()).to_uppercase())
            }
        }),
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
