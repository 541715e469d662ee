//! Sessions in which the schema of a database is changed: the drivers behind the port `Schemas`.
//!
//! One connection each, statements as they are given, one at a time; transactions are statements like others. What is asked for
//! comes as text. An error is the database's own words and, where it says so, the place in the statement.

mod duckdb;
mod postgres;
mod sqlite;

use switchback_compare::store::StoreError;
use switchback_core::database::Kind;
use switchback_core::port::{PortError, SchemaPlace, SchemaSession, Schemas};

use crate::Databases;

impl Schemas for Databases {
    fn open(&self, place: &SchemaPlace) -> Result<Box<dyn SchemaSession>, PortError> {
        let surroundings = self.surroundings.as_ref();
        let opened: Result<Box<dyn SchemaSession>, StoreError> = match place.kind {
            Kind::Sqlite => sqlite::SqliteSession::open(place).map(|session| Box::new(session) as _),
            Kind::Postgresql => {
                postgres::PostgresSession::open(place, surroundings).map(|session| Box::new(session) as _)
            }
            Kind::Duckdb => {
                duckdb::DuckdbSession::open(place, surroundings).map(|session| Box::new(session) as _)
            }
        };
        opened.map_err(|error| {
            PortError::new(format!("could not open the database `{}`", place.name), error.reasons)
                .hinted(error.hint)
        })
    }
}

/// The address of a place, as the other drivers take it.
fn address(place: &SchemaPlace, prefix: &str) -> Result<switchback_compare::address::Address, StoreError> {
    let text = format!("{prefix}{}", place.location);
    let found = switchback_compare::address::Address::of(std::path::Path::new(&text));
    let wrong = |why: String| crate::failure::failed(&place.name, [why], "check its address");
    found.map_err(|error| wrong(error.to_string()))?.ok_or_else(|| wrong("it is no address".to_owned()))
}
