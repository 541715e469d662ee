//! A session of DuckDB.

use adbc_core::{Connection, Database as _, Statement};
use adbc_driver_manager::{ManagedConnection, ManagedDatabase};
use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, Int64Type};
use arrow_array::{Array, ArrayRef, RecordBatch, RecordBatchReader};
use switchback_compare::store::StoreError;
use switchback_core::port::{FirstValue, SchemaPlace, SchemaSession, StatementError};
use switchback_core::world::Surroundings;

use super::address;
use crate::duckdb::{READING, WRITING, opened, why};

pub(super) struct DuckdbSession {
    connection: ManagedConnection,
    /// It must outlive its connection.
    _database: ManagedDatabase,
    name: String,
}

impl std::fmt::Debug for DuckdbSession {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        to.debug_struct("DuckdbSession").field("name", &self.name).finish_non_exhaustive()
    }
}

impl DuckdbSession {
    pub(super) fn open(place: &SchemaPlace, surroundings: &dyn Surroundings) -> Result<Self, StoreError> {
        let address = address(place, "duckdb:")?;
        let options = if place.is_read_only { READING } else { WRITING };
        let database = opened(&address, surroundings, options)?;
        let connection = database.new_connection().map_err(|error| why(&place.name, error))?;
        Ok(Self { connection, _database: database, name: place.name.clone() })
    }

    /// Carries a statement out, and hands on its rows.
    fn ask(
        &mut self,
        statement: &str,
        take: &mut dyn FnMut(&RecordBatch) -> bool,
    ) -> Result<(), StatementError> {
        let failed = |error: adbc_core::error::Error| told(&error.message, statement);
        let mut running = self.connection.new_statement().map_err(failed)?;
        running.set_sql_query(statement).map_err(failed)?;
        let reader: Box<dyn RecordBatchReader + Send> = running.execute().map_err(failed)?;
        for batch in reader {
            let batch = batch.map_err(|error| told(&error.to_string(), statement))?;
            if !take(&batch) {
                break;
            }
        }
        Ok(())
    }
}

impl SchemaSession for DuckdbSession {
    fn run(&mut self, statement: &str) -> Result<(), StatementError> {
        self.ask(statement, &mut |_| true)
    }

    fn rows(
        &mut self,
        query: &str,
        take: &mut dyn FnMut(&[Option<String>]) -> bool,
    ) -> Result<(), StatementError> {
        self.ask(query, &mut |batch| {
            (0..batch.num_rows()).all(|row| {
                let cells: Vec<Option<String>> =
                    batch.columns().iter().map(|array| text(array, row)).collect();
                take(&cells)
            })
        })
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

/// A cell as text; queries ask for texts and whole numbers alone.
fn text(array: &ArrayRef, row: usize) -> Option<String> {
    if array.is_null(row) {
        return None;
    }
    if let Some(texts) = array.as_string_opt::<i32>() {
        return Some(texts.value(row).to_owned());
    }
    if let Some(numbers) = array.as_primitive_opt::<Int64Type>() {
        return Some(numbers.value(row).to_string());
    }
    array.as_primitive_opt::<Int32Type>().map(|numbers| numbers.value(row).to_string())
}

/// The library's own words. Behind them it shows the line of the statement that it is about, of which only the number is kept.
fn told(message: &str, statement: &str) -> StatementError {
    const SHOWN: &str = "\n\nLINE ";
    let (words, line) = match message.split_once(SHOWN) {
        Some((words, rest)) => {
            (words, rest.split(':').next().and_then(|number| number.parse::<usize>().ok()))
        }
        None => (message, None),
    };
    let offset =
        line.map(|line| statement.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum());
    StatementError { message: words.to_owned(), offset, is_cut: false }
}
