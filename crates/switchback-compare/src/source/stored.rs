//! A table of a database: the batches of its driver, checked against what was promised.

use std::path::{Path, PathBuf};

use arrow_array::{Array, RecordBatch};
use arrow_schema::DataType;

use super::batch::{Batch, Cells};
use super::inference::Kind;
use super::logical::{Column, ColumnType};
use super::parquet::plain;
use super::table::Batches;
use crate::error::{CompareError, Place};
use crate::store::{Records, StoredColumn, StoredTable, TypeClaim};

/// A table of an open database.
#[derive(Debug)]
pub(crate) struct Stored<'a> {
    path: PathBuf,
    table: Box<dyn StoredTable + 'a>,
}

impl<'a> Stored<'a> {
    /// Takes a table over, with its columns and its number of rows. `path`: what it is called in errors.
    pub(crate) fn new(path: &Path, table: Box<dyn StoredTable + 'a>) -> (Self, Vec<Column>, u64) {
        let columns = table
            .columns()
            .iter()
            .map(|column| Column { name: column.name.clone(), kind: kind(column) })
            .collect();
        let rows = table.rows();
        (Self { path: path.to_owned(), table }, columns, rows)
    }

    /// What is not read as its declared type.
    pub(crate) fn notes(&self) -> &[String] {
        self.table.notes()
    }

    /// Reads the `wanted` columns from the start.
    pub(crate) fn batches(&self, wanted: &[usize]) -> Result<Batches<'_>, CompareError> {
        let records = self.table.batches(wanted)?;
        Ok(Box::new(Reading { source: self, wanted: wanted.to_vec(), records, rows: 0, ended: false }))
    }
}

/// What is told of a width that the database does not declare is no part of the type.
fn kind(column: &StoredColumn) -> ColumnType {
    match (column.claim, &column.data_type) {
        (TypeClaim::Numeric, _) => ColumnType::Numeric,
        (TypeClaim::Kind, DataType::Null) => ColumnType::Found(Kind::Nothing),
        (TypeClaim::Kind, kind) if kind.is_integer() => ColumnType::Found(Kind::Integer),
        (TypeClaim::Kind, kind) if kind.is_numeric() => ColumnType::Found(Kind::Number),
        (TypeClaim::Kind | TypeClaim::Declared, kind) => ColumnType::stored(kind),
    }
}

struct Reading<'a> {
    source: &'a Stored<'a>,
    wanted: Vec<usize>,
    records: Records<'a>,
    rows: u64,
    ended: bool,
}

impl Iterator for Reading<'_> {
    type Item = Result<Batch, CompareError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let batch = match self.records.next() {
            Some(Ok(records)) => self.checked(&records),
            Some(Err(error)) => Err(error.into()),
            None => {
                self.ended = true;
                return self.counted().err().map(Err);
            }
        };
        match &batch {
            Ok(batch) => self.rows += batch.rows as u64,
            Err(_) => self.ended = true,
        }
        Some(batch)
    }
}

impl Reading<'_> {
    fn failed(&self, field: Option<String>, reason: String) -> CompareError {
        CompareError::damaged(&self.source.path, Place { field, ..Place::default() }, reason)
    }

    /// The rows were counted before, and a verdict rests on their number.
    fn counted(&self) -> Result<(), CompareError> {
        let promised = self.source.table.rows();
        if self.rows == promised {
            return Ok(());
        }
        Err(self.failed(None, format!("it counts {promised} rows and gave {}", self.rows)))
    }

    fn checked(&self, records: &RecordBatch) -> Result<Batch, CompareError> {
        let mut columns = Vec::with_capacity(self.wanted.len());
        for (at, index) in self.wanted.iter().enumerate() {
            let column = self.source.table.columns().get(*index);
            let (Some(column), Some(array)) = (column, records.columns().get(at)) else {
                return Err(self.failed(None, format!("its column {index} was not given")));
            };
            let name = || Some(column.name.clone());
            if *array.data_type() != column.data_type {
                let reason = format!("it is {}, and {} was given", column.data_type, array.data_type());
                return Err(self.failed(name(), reason));
            }
            columns.push(Cells::Arrow(plain(array).map_err(|reason| self.failed(name(), reason))?));
        }
        Ok(Batch { columns, rows: records.num_rows() })
    }
}
