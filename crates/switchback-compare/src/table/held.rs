//! A whole table in memory, for comparisons that look at its rows in no order.

use super::OneSided;
use super::agreement::{Agreement, Shared};
use super::budget::Budget;
use super::flow::{Flow, Numbered};
use super::key::{key_not_compared, key_of, named_key};
use super::lockstep::not_compared;
use super::tally::{Block, RowNumbers, Side, Tally};
use crate::error::CompareError;
use crate::report::RowName;
use crate::source::batch::{Batch, Cells};
use crate::source::table::{BATCH_ROWS, Table};
use crate::value::Value;

/// What a row takes beside its cells: its number, and its places in the groups and pairs that it is sorted into.
const ROW_BYTES: u64 = 96;

/// All rows of one side: the compared columns, then the keys.
#[derive(Debug)]
pub(super) struct Held<'t> {
    table: &'t Table<'t>,
    batches: Vec<Batch>,
    /// The first row of each batch.
    starts: Vec<usize>,
    /// The number of each row in its table.
    numbers: Vec<u64>,
    pub(super) rows: usize,
}

impl<'t> Held<'t> {
    /// Reads the rows of a side.
    pub(super) fn read(flow: &Flow<'t>, budget: &mut Budget) -> Result<Self, CompareError> {
        let (mut batches, mut starts, mut numbers) = (Vec::new(), Vec::new(), Vec::new());
        std::thread::scope(|scope| {
            for batch in flow.batches(scope)? {
                let Numbered { batch, numbers: own } = batch?;
                let batch = batch.compact(&flow.table.path)?;
                budget.batch_with_contents(flow.table, &batch)?;
                budget.spend(flow.table, batch.rows as u64 * ROW_BYTES)?;
                starts.push(numbers.len());
                numbers.extend((0..batch.rows).map(|row| own.at(row)));
                batches.push(batch);
            }
            Ok::<(), CompareError>(())
        })?;
        Ok(Self { table: flow.table, batches, starts, rows: numbers.len(), numbers })
    }

    /// The number in the table of a row, by its place here.
    fn number(&self, row: usize) -> u64 {
        self.numbers.get(row).copied().unwrap_or_default()
    }

    /// The batch of a row, and its place in it.
    fn place(&self, row: usize) -> (usize, usize) {
        let batch = self.starts.partition_point(|start| *start <= row).saturating_sub(1);
        (batch, row - self.starts.get(batch).copied().unwrap_or(0))
    }

    /// The cell of a compared column, by its place among them.
    pub(super) fn cell(&self, index: usize, column: &Shared, row: usize) -> Result<Value<'_>, CompareError> {
        let (batch, at) = self.place(row);
        let cells = self.batches.get(batch).and_then(|batch| batch.columns.get(index));
        cells.map_or(Ok(Value::Null), |cells| column.read(cells, at)).map_err(|kind| {
            let name = self.table.columns.get(column.old).map(|column| column.name.clone());
            not_compared(self.table, (name.unwrap_or_default(), kind))
        })
    }

    fn key_cells(&self, agreement: &Agreement, batch: usize) -> &[Cells] {
        let columns = self.batches.get(batch).map_or(&[][..], |batch| batch.columns.as_slice());
        columns.get(agreement.columns.len()..).unwrap_or_default()
    }

    /// The key of a row as bytes.
    pub(super) fn key(&self, agreement: &Agreement, row: usize) -> Result<Box<[u8]>, CompareError> {
        let (batch, at) = self.place(row);
        key_of(&agreement.keys, self.key_cells(agreement, batch), at)
            .map_err(|kind| key_not_compared(self.table, &kind))
    }

    fn row_name(&self, agreement: &Agreement, row: usize) -> Result<RowName, CompareError> {
        let (batch, at) = self.place(row);
        let key = named_key(&agreement.keys, self.key_cells(agreement, batch), at)
            .map_err(|kind| key_not_compared(self.table, &kind))?;
        Ok(RowName { row: self.number(row), key })
    }

    /// Rows, in order, that only this side has. `first`: what the first of them holds, as bytes.
    pub(super) fn one_sided(
        &self,
        agreement: &Agreement,
        rows: &[usize],
        first: Vec<u8>,
        sample_max: usize,
    ) -> Result<OneSided, CompareError> {
        let mut found = OneSided { first, ..OneSided::default() };
        for row in rows {
            found.count += 1;
            // One is always kept: it may be the first difference.
            if found.sample.len() < sample_max.max(1) {
                found.sample.push(self.row_name(agreement, *row)?);
            }
        }
        Ok(found)
    }

    fn gather(&self, rows: impl Iterator<Item = usize>, columns: usize) -> Result<Vec<Cells>, CompareError> {
        let places: Vec<(usize, usize)> = rows.map(|row| self.place(row)).collect();
        let column = |index: usize| {
            let sources: Vec<&Cells> =
                self.batches.iter().filter_map(|batch| batch.columns.get(index)).collect();
            Cells::gather(&sources, &places, &self.table.path)
        };
        (0..columns).map(column).collect()
    }
}

/// Compares rows that belong together, cell by cell. `pairs` must be in the order of the old rows.
pub(super) fn tally_pairs(
    old: &Held<'_>,
    new: &Held<'_>,
    agreement: &Agreement,
    pairs: &[(usize, usize)],
    tally: &mut Tally,
) -> Result<(), CompareError> {
    let columns = agreement.columns.len() + agreement.keys.len();
    for chunk in pairs.chunks(BATCH_ROWS) {
        let old_rows: Vec<u64> = chunk.iter().map(|pair| old.number(pair.0)).collect();
        let new_rows: Vec<u64> = chunk.iter().map(|pair| new.number(pair.1)).collect();
        let old_cells = old.gather(chunk.iter().map(|pair| pair.0), columns)?;
        let new_cells = new.gather(chunk.iter().map(|pair| pair.1), columns)?;
        let block = Block {
            old: Side { cells: &old_cells, start: 0, rows: RowNumbers::Each(&old_rows) },
            new: Side { cells: &new_cells, start: 0, rows: RowNumbers::Each(&new_rows) },
            rows: chunk.len(),
        };
        tally.add(&block).map_err(|fault| not_compared(old.table, fault))?;
    }
    Ok(())
}
