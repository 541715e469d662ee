//! A session of DuckDB.

use adbc_core::{Connection, Database as _, Statement};
use adbc_driver_manager::{ManagedConnection, ManagedDatabase};
use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, Int64Type};
use arrow_array::{Array, ArrayRef, RecordBatch, RecordBatchReader};
use switchback_compare::store::StoreError;
use switchback_core::port::{SchemaPlace, SchemaSession, StatementError};
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
        let mut running = self.connection.new_statement().map_err(told)?;
        running.set_sql_query(statement).map_err(told)?;
        let reader: Box<dyn RecordBatchReader + Send> = running.execute().map_err(told)?;
        for batch in reader {
            let batch = batch.map_err(|error| StatementError {
                message: error.to_string(),
                offset: None,
                is_cut: false,
            })?;
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

    fn first(&mut self, query: &str) -> Result<Option<Option<String>>, StatementError> {
        let mut first = None;
        self.rows(query, &mut |cells| {
            first = Some(cells.first().cloned().flatten());
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

fn told(error: adbc_core::error::Error) -> StatementError {
    StatementError { message: error.message, offset: None, is_cut: false }
}
