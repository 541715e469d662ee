//! A session of PostgreSQL.

use postgres::error::ErrorPosition;
use postgres::fallible_iterator::FallibleIterator;
use postgres::{Client, SimpleQueryMessage};
use switchback_compare::store::StoreError;
use switchback_core::port::{FirstValue, SchemaPlace, SchemaSession, StatementError};
use switchback_core::world::Surroundings;

use super::address;
use crate::failure::chain;
use crate::postgres::connect;

pub(super) struct PostgresSession {
    client: Client,
    name: String,
}

impl std::fmt::Debug for PostgresSession {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        to.debug_struct("PostgresSession").field("name", &self.name).finish_non_exhaustive()
    }
}

impl PostgresSession {
    pub(super) fn open(place: &SchemaPlace, surroundings: &dyn Surroundings) -> Result<Self, StoreError> {
        let client = connect(&address(place, "")?, surroundings)?;
        Ok(Self { client, name: place.name.clone() })
    }
}

impl SchemaSession for PostgresSession {
    fn run(&mut self, statement: &str) -> Result<(), StatementError> {
        self.client.batch_execute(statement).map_err(|error| told(&error, statement))
    }

    fn rows(
        &mut self,
        query: &str,
        take: &mut dyn FnMut(&[Option<String>]) -> bool,
    ) -> Result<(), StatementError> {
        let failed = |error: postgres::Error| told(&error, query);
        let none: [&(dyn postgres::types::ToSql + Sync); 0] = [];
        let mut rows = self.client.query_raw(query, none).map_err(failed)?;
        while let Some(row) = rows.next().map_err(failed)? {
            let cells: Result<Vec<Option<String>>, _> = (0..row.len()).map(|at| row.try_get(at)).collect();
            if !take(&cells.map_err(failed)?) {
                break;
            }
        }
        Ok(())
    }

    fn first(&mut self, query: &str) -> Result<FirstValue, StatementError> {
        // The simple protocol gives every type as text.
        let messages = self.client.simple_query(query).map_err(|error| told(&error, query))?;
        let first = messages.iter().find_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some(FirstValue::of(row.get(0).map(str::to_owned))),
            _ => None,
        });
        Ok(first.unwrap_or(FirstValue::NoRow))
    }
}

/// The server's own words, without their detail, which has values of rows in it; without them, the connection is gone.
fn told(error: &postgres::Error, statement: &str) -> StatementError {
    let Some(server) = error.as_db_error() else {
        return StatementError {
            message: chain(error).join(": "),
            offset: None,
            is_cut: error.is_closed() || !is_ours(error),
        };
    };
    let message = server.message().to_owned();
    let offset = match server.position() {
        // Counted in characters, from 1.
        Some(ErrorPosition::Original(position)) => {
            let before = usize::try_from(*position).unwrap_or_default().saturating_sub(1);
            Some(statement.char_indices().nth(before).map_or(statement.len(), |(at, _)| at))
        }
        _ => None,
    };
    // Class 57P: the server ends, or has ended this session.
    let is_cut = server.code().code().starts_with("57P");
    StatementError { message, offset, is_cut }
}

/// Whether an error came about on this side alone, with the connection as it was: a value of another type than was asked for.
fn is_ours(error: &postgres::Error) -> bool {
    error.to_string().contains("error deserializing column")
        || error.to_string().contains("error serializing")
}
