//! A table of any format as Arrow's record batches with types that are decided before the first of them: for whoever
//! computes on tables instead of comparing them.
//!
//! Columns whose file names no types get them by the rules of the comparison (`carrier`). Arrow's types stay, without what
//! is only storage. `-0.0` is read as `0.0`, which it equals: whoever orders floats by their bits would tell them apart.

mod carrier;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array, RecordBatch, RecordBatchOptions};
use arrow_cast::display::array_value_to_string;
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use switchback_core::port::PortError;
use switchback_core::rule::Rule;
use switchback_core::world::Disk;

use crate::error::{CompareError, Place};
use crate::plan::table_files;
use crate::source::Format;
use crate::source::allowance::Allowance;
use crate::source::table::{BATCH_ROWS, Table};
use crate::value::value_at;
use carrier::Carrier;

/// A table that can be read from the start as often as needed.
#[derive(Debug)]
pub struct Records<'a> {
    table: Table<'a>,
    carriers: Vec<Carrier>,
    schema: SchemaRef,
}

/// A table of a file.
#[derive(Debug)]
pub struct Part<'a> {
    /// Its name in a file that holds several: a sheet, an array of an archive. `None` in a file that is one table.
    pub name: Option<String>,
    /// The table.
    pub records: Records<'a>,
}

/// A file of one or more tables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Relative to the folder that it was found in; of a file that was named itself, its own name.
    pub name: PathBuf,
    /// Where it really is, links followed.
    path: PathBuf,
}

impl Source {
    /// Every file of tables at `path`: itself, or those of a folder, sorted by name.
    ///
    /// # Errors
    ///
    /// When nothing is there, or a folder cannot be listed.
    pub fn find(disk: &dyn Disk, path: &Path) -> Result<Vec<Self>, PortError> {
        let found = table_files(disk, path).map_err(|error| error.into_read_error(path))?;
        Ok(found.into_iter().map(|(name, path)| Self { name, path }).collect())
    }

    /// Whether its name promises several tables, each with a name of its own.
    pub fn has_parts(&self) -> bool {
        Format::of(&self.name).is_tables()
    }

    /// Opens its tables: names, types and numbers of rows are known then; text has been read through for that.
    ///
    /// # Errors
    ///
    /// When the file is no table, or cannot be read.
    pub fn open<'a>(&self, disk: &'a dyn Disk) -> Result<Vec<Part<'a>>, PortError> {
        self.read(disk).map_err(|error| error.into_read_error(&self.path))
    }

    fn read<'a>(&self, disk: &'a dyn Disk) -> Result<Vec<Part<'a>>, CompareError> {
        let (format, allowance) = (Format::of(&self.name), Allowance::of(&Rule::default()));
        if format.is_tables() {
            let parts = Table::all_of(disk, &self.path, format, allowance)?.into_iter();
            let part = |(name, table)| Ok(Part { name: Some(name), records: Records::new(table)? });
            return parts.map(part).collect();
        }
        if !format.is_table() {
            let reason =
                "its name promises no table, as .parquet, .csv, .tsv, .jsonl, .arrow, .npy or .xlsx do";
            return Err(CompareError::damaged(&self.path, Place::default(), reason));
        }
        let records = Records::new(Table::open(disk, &self.path, format, None, allowance)?)?;
        Ok(vec![Part { name: None, records }])
    }
}

impl<'a> Records<'a> {
    fn new(table: Table<'a>) -> Result<Self, CompareError> {
        let carriers = carrier::decide(&table)?;
        let mut fields: Vec<Field> = vec![Field::new(row_name(&table), DataType::Int64, false)];
        let typed = table.columns.iter().zip(&carriers);
        fields.extend(typed.map(|(column, carrier)| Field::new(&column.name, carrier.data_type(), true)));
        Ok(Self { table, carriers, schema: Arc::new(Schema::new(fields)) })
    }

    /// Names and types. The first column is not in the file: it numbers the rows from 0, and is called `row`, or
    /// `row_number` in a table that has a `row` of its own.
    pub fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    /// How many rows there are.
    pub fn rows(&self) -> u64 {
        self.table.rows
    }

    /// The file; of a part, with its name behind `#`.
    pub fn path(&self) -> &Path {
        &self.table.path
    }

    /// Reads the `wanted` columns of the schema from the start, in that order, and gives each batch to `take`, until that
    /// returns `false`.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, or a cell does not fit its column.
    pub fn read(&self, wanted: &[usize], take: &mut dyn FnMut(RecordBatch) -> bool) -> Result<(), PortError> {
        self.read_batches(wanted, take).map_err(|error| error.into_read_error(&self.table.path))
    }

    fn read_batches(
        &self,
        wanted: &[usize],
        take: &mut dyn FnMut(RecordBatch) -> bool,
    ) -> Result<(), CompareError> {
        // The first column of the schema is the number of the row.
        let in_file: Vec<usize> = wanted.iter().filter_map(|index| index.checked_sub(1)).collect();
        if in_file.is_empty() {
            return self.count(wanted, take);
        }
        let mut row = 0;
        for batch in self.table.batches(&in_file)? {
            let batch = batch?;
            let mut cells = batch.columns.iter();
            let mut columns: Vec<ArrayRef> = Vec::with_capacity(wanted.len());
            for index in wanted {
                columns.push(match index.checked_sub(1).and_then(|at| self.carriers.get(at)) {
                    None => numbers(row, batch.rows),
                    Some(carrier) => {
                        let cells = cells.next().ok_or_else(|| self.damaged(*index, "it was not read"))?;
                        carrier.carry(cells, batch.rows).map_err(|reason| self.damaged(*index, &reason))?
                    }
                });
            }
            row += batch.rows as u64;
            if !take(self.batch(wanted, columns, batch.rows)?) {
                break;
            }
        }
        Ok(())
    }

    /// Rows without any cell of the file: their number is known.
    fn count(&self, wanted: &[usize], take: &mut dyn FnMut(RecordBatch) -> bool) -> Result<(), CompareError> {
        let mut row = 0;
        while row < self.table.rows {
            let rows = usize::try_from(self.table.rows - row).unwrap_or(BATCH_ROWS).min(BATCH_ROWS);
            let columns = wanted.iter().map(|_| numbers(row, rows)).collect();
            row += rows as u64;
            if !take(self.batch(wanted, columns, rows)?) {
                break;
            }
        }
        Ok(())
    }

    fn batch(
        &self,
        wanted: &[usize],
        columns: Vec<ArrayRef>,
        rows: usize,
    ) -> Result<RecordBatch, CompareError> {
        let schema = self.schema.project(wanted);
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        schema
            .and_then(|schema| RecordBatch::try_new_with_options(Arc::new(schema), columns, &options))
            .map_err(|error| CompareError::damaged(&self.table.path, Place::default(), error.to_string()))
    }

    fn damaged(&self, index: usize, reason: &str) -> CompareError {
        let field = self.schema.fields().get(index).map(|field| field.name().clone());
        CompareError::damaged(&self.table.path, Place { field, ..Place::default() }, reason)
    }
}

/// A name for the numbers of rows that no column has.
fn row_name(table: &Table<'_>) -> String {
    let is_free = |name: &str| !table.columns.iter().any(|column| column.name == name);
    let mut name = if is_free("row") { "row".to_owned() } else { "row_number".to_owned() };
    while !is_free(&name) {
        name.push('_');
    }
    name
}

fn numbers(first: u64, rows: usize) -> ArrayRef {
    let first = i64::try_from(first).unwrap_or(i64::MAX);
    Arc::new(Int64Array::from_iter_values((0..).map(|row| first.saturating_add(row)).take(rows)))
}

/// A cell as reports show it: a number where JSON carries it exactly, else text.
pub fn cell(array: &ArrayRef, row: usize) -> serde_json::Value {
    match value_at(array.as_ref(), row) {
        Ok(value) => value.to_json(),
        // A type that is not compared, such as an interval, has words all the same.
        Err(kind) => array_value_to_string(array.as_ref(), row).unwrap_or(kind).into(),
    }
}
