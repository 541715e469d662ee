//! PostgreSQL: one connection, read within one read-only transaction of one snapshot.

mod cells;
mod column;
mod connection;
mod table;
mod tls;

pub(crate) use connection::connect;

use std::sync::Mutex;
use std::sync::atomic::AtomicU64;

use postgres::Client;
use switchback_compare::address::Address;
use switchback_compare::store::{Database, StoreError, StoredTable};
use switchback_core::world::Surroundings;

use crate::failure::{chain, failed, no_table};
use crate::locked;
use table::{Kind, PostgresTable};

/// Begins the read. Sequential scans begin at the start, and partitions are read one after the other, so
/// that rows stand in the same order each time; where a policy
/// would hide rows, there is an error; texts are written in one way.
const BEGIN: &str = "\
    SET statement_timeout = 0; \
    SET idle_in_transaction_session_timeout = 0; \
    BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; \
    SET LOCAL synchronize_seqscans = off; \
    SET LOCAL row_security = off; \
    SET LOCAL TimeZone = 'UTC'; \
    SET LOCAL DateStyle = 'ISO, YMD'; \
    SET LOCAL IntervalStyle = 'iso_8601'; \
    SET LOCAL extra_float_digits = 3; \
    SELECT set_config(name, 'off', true) FROM pg_catalog.pg_settings WHERE name = 'enable_async_append'";

/// Its own tables: ordinary and partitioned ones (not their partitions), and foreign ones.
const TABLES: &str = "\
    SELECT CASE WHEN pg_table_is_visible(c.oid) THEN c.relname::text \
                ELSE n.nspname::text || '.' || c.relname::text END \
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
    WHERE c.relkind IN ('r', 'p', 'f') AND NOT c.relispartition AND c.relpersistence <> 't' \
      AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_' \
    ORDER BY 1";

/// A table or view by its name, with or without its schema.
const TABLE: &str = "\
    SELECT n.nspname::text, c.relname::text, c.relkind::text, c.oid \
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
    WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm') \
      AND ((c.relname = $1 AND pg_table_is_visible(c.oid)) OR n.nspname::text || '.' || c.relname::text = $1) \
    ORDER BY c.relname <> $1 LIMIT 1";

/// A connection whose read has begun.
pub(crate) struct PostgresDatabase {
    address: Address,
    client: Mutex<Client>,
    /// How many cursors were opened: each has a name of its own.
    cursors: AtomicU64,
}

impl std::fmt::Debug for PostgresDatabase {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        to.debug_struct("PostgresDatabase").field("address", &self.address).finish_non_exhaustive()
    }
}

impl PostgresDatabase {
    /// Connects, and begins the one transaction in which all is read.
    pub(crate) fn open(address: &Address, surroundings: &dyn Surroundings) -> Result<Self, StoreError> {
        let mut client = connect(address, surroundings)?;
        client.batch_execute(BEGIN).map_err(|error| why(address, &error))?;
        Ok(Self { address: address.clone(), client: Mutex::new(client), cursors: AtomicU64::new(0) })
    }
}

impl Database for PostgresDatabase {
    fn tables(&self) -> Result<Vec<String>, StoreError> {
        let rows = locked(&self.client).query(TABLES, &[]);
        let names = rows.and_then(|rows| rows.iter().map(|row| row.try_get(0)).collect());
        names.map_err(|error| why(&self.address, &error))
    }

    fn table(&self, name: &str) -> Result<Box<dyn StoredTable + '_>, StoreError> {
        let failed = |error: postgres::Error| why(&self.address, &error);
        let found = locked(&self.client).query_opt(TABLE, &[&name]).map_err(failed)?;
        let Some(row) = found else { return Err(no_table(&self.address, name, self.tables()?)) };
        let (schema, plain): (String, String) =
            (row.try_get(0).map_err(failed)?, row.try_get(1).map_err(failed)?);
        let kind = match row.try_get::<_, String>(2).map_err(failed)?.as_str() {
            "r" | "p" | "m" => Kind::Scanned,
            _ => Kind::Computed,
        };
        let shown = match self.address.table() {
            Some(_) => self.address.to_string(),
            None => format!("{}#{name}", self.address),
        };
        let from = format!("{}.{}", quoted(&schema), quoted(&plain));
        Ok(Box::new(PostgresTable::open(self, shown, from, kind, row.try_get(3).map_err(failed)?)?))
    }
}

/// A name as SQL has it.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// An error of the server or of the connection, with the next move that fits it.
fn why(address: impl std::fmt::Display, error: &postgres::Error) -> StoreError {
    use postgres::error::SqlState;
    let mut reasons = chain(error);
    // The library's own words name only the layer in which it failed.
    reasons.retain(|reason| reason != "db error");
    let hint = match error.code() {
        Some(&SqlState::INVALID_PASSWORD | &SqlState::INVALID_AUTHORIZATION_SPECIFICATION) => {
            "check user and password: they stand in the address, or the password in `PGPASSWORD`; a server that asks \
             for TLS wants `?sslmode=require`"
        }
        Some(&SqlState::INVALID_CATALOG_NAME) => {
            "check the name of the database: `postgresql://USER@HOST/DATABASE`"
        }
        Some(&SqlState::INSUFFICIENT_PRIVILEGE) => {
            "compare as a user who may read the whole table: one with SELECT, and for whom no policy hides rows"
        }
        Some(_) => "correct the cause, then compare again",
        None => {
            "check that the server runs there and can be reached: `postgresql://USER@HOST:PORT/DATABASE`; for TLS, \
             `?sslmode=require` and, with a certificate of your own, `&sslrootcert=FILE`"
        }
    };
    failed(address, reasons, hint)
}
