//! Databases and object stores as tables that can be compared: the drivers behind the port
//! [`switchback_compare::store`].
//!
//! In the order in which the data goes: an address is opened (`sqlite`, `postgres`, `duckdb`), which begins one
//! consistent read; a table settles the exact Arrow type of each column, looking through its values where the declared
//! type does not bind them; and it gives its rows in batches, as often as asked and each time in the same order (`spool`,
//! where the database itself does not promise that). An object of a store is fetched whole (`object`).
//!
//! It deliberately rounds no value and shows no password; and it changes nothing anywhere but in `schema`, where statements of
//! a schema's steps are carried out as they are given.

mod duckdb;
mod failure;
mod object;
mod postgres;
mod records;
mod schema;
mod spool;
mod sqlite;

use std::fmt::Write as _;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use switchback_compare::address::{Address, Scheme};
use switchback_compare::store::{Database, Object, StoreError, Stores};
use switchback_core::world::Surroundings;

use crate::duckdb::DuckdbDatabase;
use crate::failure::failed;
use crate::object::Fetched;
use crate::postgres::PostgresDatabase;
use crate::sqlite::SqliteDatabase;

/// The connection, for as long as one question takes. One that panicked left no question half asked that matters: whatever
/// is read next says so itself.
fn locked<T>(connection: &Mutex<T>) -> MutexGuard<'_, T> {
    connection.lock().unwrap_or_else(PoisonError::into_inner)
}

/// SQLite, PostgreSQL, DuckDB and S3.
#[derive(Debug, Clone)]
pub struct Databases {
    surroundings: Arc<dyn Surroundings>,
}

impl Databases {
    /// Drivers that take what is not in an address (passwords, keys, the place of a library) from these surroundings:
    /// `PGPASSWORD`, `SWITCHBACK_DUCKDB_LIBRARY`, and of S3 `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`,
    /// `AWS_SESSION_TOKEN`, `AWS_REGION` or `AWS_DEFAULT_REGION`, `AWS_ENDPOINT_URL_S3` or `AWS_ENDPOINT_URL`.
    pub fn new(surroundings: Arc<dyn Surroundings>) -> Self {
        Self { surroundings }
    }
}

impl Stores for Databases {
    fn open(&self, address: &Address) -> Result<Box<dyn Database>, StoreError> {
        let surroundings = self.surroundings.as_ref();
        match address.scheme() {
            Scheme::Sqlite => Ok(Box::new(SqliteDatabase::open(address)?)),
            Scheme::Duckdb => Ok(Box::new(DuckdbDatabase::open(address, surroundings)?)),
            Scheme::Postgres => Ok(Box::new(PostgresDatabase::open(address, surroundings)?)),
            Scheme::S3 => Err(failed(address, ["it is an object and no database"], "")),
        }
    }

    fn fetch(&self, address: &Address) -> Result<Box<dyn Object>, StoreError> {
        Ok(Box::new(Fetched::from(address, self.surroundings.as_ref())?))
    }
}

/// The file of a database must be there: a driver would make it, or say only that it cannot be opened.
fn check_file(address: &Address) -> Result<(), StoreError> {
    let path = Path::new(address.place());
    match path.metadata() {
        Ok(meta) if meta.is_file() => Ok(()),
        Ok(_) => Err(failed(address, [format!("`{}` is no file", path.display())], CHECK_PATH)),
        Err(error) => Err(failed(address, [error.to_string()], CHECK_PATH)),
    }
}

const CHECK_PATH: &str =
    "check the path: it is the file of the database, and what stands after `#` the table";

/// Bytes as hexadecimal digits.
fn hexadecimal(bytes: impl IntoIterator<Item = u8>) -> String {
    bytes.into_iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
