//! A table of PostgreSQL, read through cursors.

use std::sync::atomic::Ordering;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use postgres::Row;
use switchback_compare::store::{Records, StoreError, StoredColumn, StoredTable};

use super::cells::{Cells, Raw};
use super::column::{Answers, Declared, Settled, Wire};
use super::{PostgresDatabase, quoted, why};
use crate::failure::{as_text, failed};
use crate::locked;
use crate::records::{BATCH_BYTES, BATCH_ROWS, batch, schema_of};
use crate::spool::Spool;

/// How many rows are asked for before their size is known.
const FIRST_ROWS: usize = 64;

/// Columns of a table; of a domain, the type that it stands on.
const COLUMNS: &str = "\
    SELECT a.attname::text, pg_catalog.format_type(a.atttypid, a.atttypmod), \
           CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END, \
           CASE WHEN t.typtype <> 'd' AND t.typlen = -1 AND t.typelem <> 0 AND t.typcategory = 'A' \
                THEN t.typelem ELSE 0::oid END, \
           CASE WHEN t.typtype = 'd' THEN t.typtypmod ELSE a.atttypmod END, \
           t.typtype = 'e' \
    FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid \
    WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum";

/// Columns that are looked through in one statement: PostgreSQL allows 1,664 results, and each has three.
const SCANNED_MAX: usize = 500;

/// How many answers there are for each column.
const ANSWERS: usize = 3;

/// Whether the rows stand somewhere, or come about anew with each query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A table: a sequential scan gives its rows in one order.
    Scanned,
    /// A view, or a foreign table: its rows are written down once.
    Computed,
}

/// A table or view whose types are settled.
#[derive(Debug)]
pub(super) struct PostgresTable<'a> {
    database: &'a PostgresDatabase,
    /// As it may be shown.
    shown: String,
    /// As SQL names it.
    from: String,
    kind: Kind,
    columns: Vec<StoredColumn>,
    wires: Vec<Wire>,
    rows: u64,
    notes: Vec<String>,
    spool: Option<Spool>,
}

impl<'a> PostgresTable<'a> {
    /// Settles the columns' types, from their values where the declared ones leave something open.
    pub(super) fn open(
        database: &'a PostgresDatabase,
        shown: String,
        from: String,
        kind: Kind,
        id: u32,
    ) -> Result<Self, StoreError> {
        let failed = |error: postgres::Error| why(&shown, &error);
        let rows = locked(&database.client).query(COLUMNS, &[&id]).map_err(failed)?;
        let declared = rows.iter().map(declared).collect::<Result<Vec<_>, _>>().map_err(failed)?;
        let (answers, rows) = ask(database, &from, &declared).map_err(failed)?;
        let settled: Vec<Settled> =
            declared.iter().zip(answers).map(|(column, answers)| column.settle(answers)).collect();
        let mut table = Self {
            database,
            from,
            kind,
            columns: Vec::with_capacity(settled.len()),
            wires: settled.iter().map(|column| column.wire).collect(),
            rows,
            notes: Vec::new(),
            spool: None,
            shown,
        };
        for (declared, settled) in declared.into_iter().zip(settled) {
            table.notes.extend(settled.as_text.map(|why| as_text(&table.shown, &declared.name, &why)));
            let (data_type, claim) = (settled.data_type, settled.claim);
            table.columns.push(StoredColumn { name: declared.name, data_type, claim });
        }
        if kind == Kind::Computed {
            let all: Vec<usize> = (0..table.columns.len()).collect();
            let schema = schema_of(&table.columns, &all);
            let spool = Spool::of(&table.shown, &schema, table.cursor(&all)?)?;
            table.rows = spool.rows();
            table.spool = Some(spool);
        }
        Ok(table)
    }

    /// Opens a cursor over the whole table.
    fn cursor(&self, wanted: &[usize]) -> Result<Records<'_>, StoreError> {
        let number = self.database.cursors.fetch_add(1, Ordering::Relaxed);
        let name = format!("switchback_{number}");
        let columns =
            wanted.iter().filter_map(|index| Some((self.columns.get(*index)?, self.wires.get(*index)?)));
        let columns: Vec<String> = columns
            .map(|(column, wire)| match wire {
                Wire::Own | Wire::Array => quoted(&column.name),
                Wire::Text => format!("{}::text", quoted(&column.name)),
            })
            .collect();
        let declare =
            format!("DECLARE {name} NO SCROLL CURSOR FOR SELECT {} FROM {}", columns.join(", "), self.from);
        let declare = match self.kind {
            Kind::Computed => declare,
            // An index that has all these columns would give the rows in another order.
            Kind::Scanned => format!(
                "SET LOCAL enable_indexscan = off; SET LOCAL enable_indexonlyscan = off; \
                 SET LOCAL enable_bitmapscan = off; {declare}; \
                 SET LOCAL enable_indexscan TO DEFAULT; SET LOCAL enable_indexonlyscan TO DEFAULT; \
                 SET LOCAL enable_bitmapscan TO DEFAULT"
            ),
        };
        let mut client = locked(&self.database.client);
        client.batch_execute(&declare).map_err(|error| why(&self.shown, &error))?;
        let schema = schema_of(&self.columns, wanted);
        Ok(Box::new(Reading { table: self, name, schema, ask: FIRST_ROWS, row: 0, ended: false }))
    }
}

impl StoredTable for PostgresTable<'_> {
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
        match &self.spool {
            Some(spool) => spool.batches(wanted),
            None => self.cursor(wanted),
        }
    }
}

struct Reading<'a> {
    table: &'a PostgresTable<'a>,
    name: String,
    schema: SchemaRef,
    /// How many rows are asked for next.
    ask: usize,
    row: u64,
    ended: bool,
}

impl Iterator for Reading<'_> {
    type Item = Result<RecordBatch, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let batch = self.read();
        self.ended = !matches!(&batch, Ok(Some(_)));
        batch.transpose()
    }
}

impl Reading<'_> {
    fn read(&mut self) -> Result<Option<RecordBatch>, StoreError> {
        let shown = &self.table.shown;
        let fetch = format!("FETCH FORWARD {} FROM {}", self.ask, self.name);
        let rows =
            locked(&self.table.database.client).query(&fetch, &[]).map_err(|error| why(shown, &error))?;
        if rows.is_empty() {
            return Ok(None);
        }
        let mut cells: Vec<Cells> =
            self.schema.fields().iter().map(|field| Cells::of(field.data_type())).collect();
        let mut bytes = 0;
        for row in &rows {
            for (at, cells) in cells.iter_mut().enumerate() {
                let raw: Option<Raw<'_>> = row.try_get(at).map_err(|error| why(shown, &error))?;
                let raw = raw.map(|raw| raw.0);
                bytes += raw.map_or(0, <[u8]>::len);
                cells.push(raw).map_err(|reason| self.misfit(at, reason))?;
            }
            self.row += 1;
        }
        // So many that they are about as large as a batch may be, and never many more than before.
        let fit = BATCH_BYTES / (bytes / rows.len()).max(1);
        self.ask = fit.clamp(1, BATCH_ROWS).min(self.ask.saturating_mul(8));
        let arrays = cells.into_iter().map(Cells::finish).collect::<Result<Vec<_>, _>>();
        let arrays = arrays.map_err(|error| failed(shown, [error.to_string()], ""))?;
        batch(shown, self.schema.clone(), arrays, rows.len()).map(Some)
    }

    fn misfit(&self, at: usize, reason: String) -> StoreError {
        let name = self.schema.fields().get(at).map(|field| field.name().clone()).unwrap_or_default();
        let place = format!("column `{name}`, row {} (counted from 0)", self.row);
        failed(&self.table.shown, [place, reason], "leave the column out with `--exclude`")
    }
}

impl Drop for Reading<'_> {
    fn drop(&mut self) {
        if let Ok(mut client) = self.table.database.client.try_lock() {
            // The transaction's end closes it too; after an error there is nothing left to close.
            drop(client.batch_execute(&format!("CLOSE {}", self.name)));
        }
    }
}

fn declared(row: &Row) -> Result<Declared, postgres::Error> {
    Ok(Declared {
        name: row.try_get(0)?,
        type_name: row.try_get(1)?,
        type_id: row.try_get(2)?,
        item_id: row.try_get(3)?,
        modifier: row.try_get(4)?,
        is_enumeration: row.try_get(5)?,
    })
}

/// Counts the rows, and asks of all values what the types leave open.
fn ask(
    database: &PostgresDatabase,
    from: &str,
    declared: &[Declared],
) -> Result<(Vec<Answers>, u64), postgres::Error> {
    let mut client = locked(&database.client);
    let (mut answers, mut rows) = (Vec::with_capacity(declared.len()), 0);
    // A table without columns has rows all the same.
    let chunks = declared.chunks(SCANNED_MAX).chain(declared.is_empty().then_some(declared));
    for columns in chunks {
        let questions: Vec<String> = columns
            .iter()
            .map(Declared::questions)
            .map(|ask| {
                format!(
                    ", coalesce({}, false), coalesce({}, 0)::int4, coalesce({}, 0)::int4",
                    ask.is_odd, ask.digits.0, ask.digits.1
                )
            })
            .collect();
        let row = client.query_one(&format!("SELECT count(*){} FROM {from}", questions.concat()), &[])?;
        rows = u64::try_from(row.try_get::<_, i64>(0)?).unwrap_or_default();
        for at in 0..columns.len() {
            let start = 1 + at * ANSWERS;
            let digits = (row.try_get(start + 1)?, row.try_get(start + 2)?);
            answers.push(Answers { is_odd: row.try_get(start)?, digits });
        }
    }
    Ok((answers, rows))
}
