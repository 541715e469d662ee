//! A table of SQLite, in the order of its row ids.

use std::fmt::Write as _;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use std::sync::Mutex;

use rusqlite::{Connection, Row};
use switchback_compare::address::Address;
use switchback_compare::store::{Records, StoreError, StoredColumn, StoredTable};

use super::column::{Cells, Classes, FLOAT_INTEGER_MAX, settle};
use super::{quoted, why};
use crate::failure::{as_text, failed};
use crate::locked;
use crate::records::{BATCH_BYTES, BATCH_ROWS, batch, schema_of};
use crate::spool::Spool;

/// The names that a row id goes by, unless a column has the name (SQLite, *CREATE TABLE*, *ROWIDs*).
const ROWIDS: &[&str] = &["_rowid_", "rowid", "oid"];

/// Columns that are looked through in one statement: SQLite allows 2,000 results, and each has five.
const SCANNED_MAX: usize = 300;

/// How many columns go into the scan's result for each column of the table.
const COUNTS: usize = 5;

/// A table or view whose types are settled.
#[derive(Debug)]
pub(super) struct SqliteTable<'a> {
    connection: &'a Mutex<Connection>,
    name: String,
    /// As it may be shown.
    shown: String,
    columns: Vec<StoredColumn>,
    rows: u64,
    notes: Vec<String>,
    order: Order,
}

/// How the rows come in the same order each time.
#[derive(Debug)]
enum Order {
    /// By the row id, which goes by this name.
    Rowid(&'static str),
    /// They have none, and were written down once.
    Spooled(Spool),
}

impl<'a> SqliteTable<'a> {
    /// Settles the columns' types from their values.
    pub(super) fn open(
        address: &Address,
        shared: &'a Mutex<Connection>,
        name: String,
        has_rowids: bool,
    ) -> Result<Self, StoreError> {
        let shown = match address.table() {
            Some(_) => address.to_string(),
            None => format!("{address}#{name}"),
        };
        let failed = |error: rusqlite::Error| why(&shown, &error);
        let connection = &*locked(shared);
        let declared = declared(connection, &name).map_err(failed)?;
        let (classes, rows) = classes(connection, &name, &declared).map_err(failed)?;
        let (mut columns, mut notes) = (Vec::with_capacity(declared.len()), Vec::new());
        for ((column, kind), classes) in declared.iter().zip(classes) {
            let (settled, text) = settle(column, kind, classes);
            columns.push(settled);
            notes.extend(text.map(|why| as_text(&shown, column, &why)));
        }
        let is_free = |rowid: &&&str| {
            has_rowids && !declared.iter().any(|(column, _)| column.eq_ignore_ascii_case(rowid))
        };
        let rowid = ROWIDS.iter().find(is_free);
        let order = match rowid {
            Some(rowid) => Order::Rowid(rowid),
            None => Order::Spooled(spooled(connection, &name, &shown, &columns)?),
        };
        let rows = match &order {
            Order::Rowid(_) => rows,
            Order::Spooled(spool) => spool.rows(),
        };
        Ok(Self { connection: shared, name, shown, columns, rows, notes, order })
    }
}

impl StoredTable for SqliteTable<'_> {
    fn columns(&self) -> &[StoredColumn] {
        &self.columns
    }

    fn rows(&self) -> u64 {
        self.rows
    }

    fn notes(&self) -> &[String] {
        &self.notes
    }

    fn batches(&self, wanted: &[usize]) -> Result<Records<'_>, StoreError> {
        let rowid = match &self.order {
            Order::Spooled(spool) => return spool.batches(wanted),
            Order::Rowid(rowid) => rowid,
        };
        let names = wanted.iter().filter_map(|index| self.columns.get(*index));
        let names: String = names.fold(String::new(), |text, column| text + ", " + &quoted(&column.name));
        // The order is asked for: without it, an index that has all these columns would be read instead.
        let query = format!(
            "SELECT {rowid}{names} FROM main.{} WHERE {rowid} >= ?1 ORDER BY {rowid} LIMIT {BATCH_ROWS}",
            quoted(&self.name)
        );
        let schema = schema_of(&self.columns, wanted);
        Ok(Box::new(Reading { table: self, query, schema, next: Some(i64::MIN), row: 0 }))
    }
}

/// Reading by ranges of row ids: no statement stays open between two batches.
struct Reading<'a> {
    table: &'a SqliteTable<'a>,
    query: String,
    schema: SchemaRef,
    /// The least row id that was not read yet; `None` at the end.
    next: Option<i64>,
    row: u64,
}

impl Iterator for Reading<'_> {
    type Item = Result<RecordBatch, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        let start = self.next.take()?;
        self.read(start).transpose()
    }
}

impl Reading<'_> {
    fn read(&mut self, start: i64) -> Result<Option<RecordBatch>, StoreError> {
        let table = self.table;
        let failed = |error: rusqlite::Error| why(&table.shown, &error);
        let connection = locked(table.connection);
        let mut statement = connection.prepare_cached(&self.query).map_err(failed)?;
        let mut found = statement.query([start]).map_err(failed)?;
        let mut rows = Rows::of(&self.schema, self.row);
        let mut last = None;
        while let Some(row) = found.next().map_err(failed)? {
            last = Some(row.get::<_, i64>(0).map_err(failed)?);
            rows.push(row, 1, &table.shown)?;
            if rows.bytes >= BATCH_BYTES {
                break;
            }
        }
        self.next = last.and_then(|last| last.checked_add(1));
        self.row = rows.start + rows.count as u64;
        if rows.count == 0 { Ok(None) } else { rows.finish(&self.schema, &table.shown).map(Some) }
    }
}

/// The rows of a batch that is being read.
struct Rows {
    cells: Vec<Cells>,
    names: Vec<String>,
    start: u64,
    count: usize,
    bytes: usize,
}

impl Rows {
    fn of(schema: &SchemaRef, start: u64) -> Self {
        let fields = schema.fields();
        let cells = fields.iter().map(|field| Cells::of(field.data_type())).collect();
        let names = fields.iter().map(|field| field.name().clone()).collect();
        Self { cells, names, start, count: 0, bytes: 0 }
    }

    /// Adds a row; its cells begin at the result's column `offset`.
    fn push(&mut self, row: &Row<'_>, offset: usize, shown: &str) -> Result<(), StoreError> {
        for (at, (cells, name)) in self.cells.iter_mut().zip(&self.names).enumerate() {
            let value = row.get_ref(at + offset).map_err(|error| why(shown, &error))?;
            self.bytes += cells.push(value).map_err(|reason| {
                let place =
                    format!("column `{name}`, row {} (counted from 0)", self.start + self.count as u64);
                failed(shown, [place, reason], "store it as a BLOB, or leave the column out with `--exclude`")
            })?;
        }
        self.count += 1;
        Ok(())
    }

    fn finish(self, schema: &SchemaRef, shown: &str) -> Result<RecordBatch, StoreError> {
        batch(shown, schema.clone(), self.cells.into_iter().map(Cells::finish).collect(), self.count)
    }
}

/// Names and declared types, generated columns too; hidden ones of virtual tables are no columns.
fn declared(connection: &Connection, name: &str) -> rusqlite::Result<Vec<(String, String)>> {
    let mut statement = connection
        .prepare("SELECT name, type FROM pragma_table_xinfo(?1, 'main') WHERE hidden <> 1 ORDER BY cid")?;
    statement.query_map([name], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
}

/// Looks through all values: how many of which storage class each column has, and how many rows there are.
fn classes(
    connection: &Connection,
    name: &str,
    columns: &[(String, String)],
) -> rusqlite::Result<(Vec<Classes>, u64)> {
    let mut found = Vec::with_capacity(columns.len());
    let from = format!("FROM main.{}", quoted(name));
    let rows = connection.query_row(&format!("SELECT count(*) {from}"), [], |row| row.get(0))?;
    for columns in columns.chunks(SCANNED_MAX) {
        let mut query = String::from("SELECT 0");
        for (column, _) in columns {
            let column = quoted(column);
            // Writing to a string cannot fail.
            let _ = write!(
                query,
                ", {}, {}, {}, {}, {}",
                counted(&format!("typeof({column}) = 'integer'")),
                counted(&format!(
                    "typeof({column}) = 'integer' \
                     AND {column} NOT BETWEEN -{FLOAT_INTEGER_MAX} AND {FLOAT_INTEGER_MAX}"
                )),
                counted(&format!("typeof({column}) = 'real'")),
                counted(&format!("typeof({column}) = 'text'")),
                counted(&format!("typeof({column}) = 'blob'")),
            );
        }
        connection.query_row(&format!("{query} {from}"), [], |row| {
            for at in 0..columns.len() {
                let count = |which: usize| row.get::<_, u64>(1 + at * COUNTS + which);
                found.push(Classes {
                    integers: count(0)?,
                    large_integers: count(1)?,
                    reals: count(2)?,
                    texts: count(3)?,
                    blobs: count(4)?,
                });
            }
            Ok(())
        })?;
    }
    Ok((found, rows))
}

/// For how many rows a condition holds, also of none.
fn counted(condition: &str) -> String {
    format!("coalesce(sum({condition}), 0)")
}

/// Writes down the rows of what has no row ids: a view, a virtual table, a table WITHOUT ROWID.
fn spooled(
    connection: &Connection,
    name: &str,
    shown: &str,
    columns: &[StoredColumn],
) -> Result<Spool, StoreError> {
    let failed = |error: rusqlite::Error| why(shown, &error);
    let schema = schema_of(columns, &(0..columns.len()).collect::<Vec<_>>());
    let names = columns.iter().fold(String::new(), |text, column| text + ", " + &quoted(&column.name));
    let query = format!("SELECT 0{names} FROM main.{}", quoted(name));
    let mut statement = connection.prepare(&query).map_err(failed)?;
    let mut found = statement.query([]).map_err(failed)?;
    let (mut start, mut ended) = (0, false);
    let records = std::iter::from_fn(|| {
        let mut rows = Rows::of(&schema, start);
        while !ended && rows.count < BATCH_ROWS && rows.bytes < BATCH_BYTES {
            let pushed = match found.next() {
                Ok(Some(row)) => rows.push(row, 1, shown),
                Ok(None) => {
                    ended = true;
                    Ok(())
                }
                Err(error) => Err(failed(error)),
            };
            if let Err(error) = pushed {
                ended = true;
                return Some(Err(error));
            }
        }
        start += rows.count as u64;
        (rows.count > 0).then(|| rows.finish(&schema, shown))
    });
    Spool::of(shown, &schema, Box::new(records))
}
