//! The rows that one comparison looks at: all of a table, or those of one part of it.

use std::thread::Scope;

use arrow_array::UInt64Array;

use super::agreement::Agreement;
use super::lockstep::ended_early;
use super::spill::Part;
use super::tally::RowNumbers;
use crate::error::CompareError;
use crate::progress::Meter;
use crate::source::ahead::ahead;
use crate::source::batch::{Batch, Cells};
use crate::source::table::Table;

/// Rows of one side.
#[derive(Debug, Clone, Copy)]
pub(super) struct Flow<'t> {
    pub(super) table: &'t Table<'t>,
    /// The columns that batches have, in that order.
    pub(super) wanted: &'t [usize],
    /// `None`: all rows of the table.
    part: Option<&'t Part>,
    is_empty: bool,
    meter: Option<&'t Meter>,
}

/// A batch, and which rows of the table it has.
#[derive(Debug)]
pub(super) struct Numbered {
    pub(super) batch: Batch,
    pub(super) numbers: Numbers,
}

/// The numbers of a batch's rows in their table.
#[derive(Debug)]
pub(super) enum Numbers {
    /// Consecutive, from this one.
    From(u64),
    /// One by one.
    Each(UInt64Array),
}

impl Numbers {
    pub(super) fn at(&self, row: usize) -> u64 {
        self.as_rows().at(row)
    }

    fn as_rows(&self) -> RowNumbers<'_> {
        match self {
            Self::From(first) => RowNumbers::From(*first),
            Self::Each(numbers) => RowNumbers::Each(numbers.values()),
        }
    }
}

/// How many rows, and about how many bytes, are looked at together by several threads.
const GROUP_ROWS: usize = 128 * 1024;
const GROUP_BYTES: u64 = 32 * 1024 * 1024;

/// The next batches, as many as several threads share; none when all have come.
///
/// # Errors
///
/// The first that reading meets.
pub(super) fn next_group(batches: &mut NumberedBatches<'_>) -> Result<Vec<Numbered>, CompareError> {
    let mut group = Vec::new();
    let (mut rows, mut bytes) = (0, 0);
    while rows < GROUP_ROWS && bytes < GROUP_BYTES {
        let Some(batch) = batches.next().transpose()? else { break };
        rows += batch.batch.rows;
        bytes += batch.batch.columns.iter().map(Cells::bytes).sum::<u64>();
        group.push(batch);
    }
    Ok(group)
}

/// Batches in the order of the rows.
pub(super) type NumberedBatches<'a> = Box<dyn Iterator<Item = Result<Numbered, CompareError>> + 'a>;

impl<'t> Flow<'t> {
    /// All rows of a table.
    pub(super) fn whole(table: &'t Table<'t>, wanted: &'t [usize]) -> Self {
        Self { table, wanted, part: None, is_empty: false, meter: None }
    }

    /// The same rows, counted as they are read.
    pub(super) fn counted(table: &'t Table<'t>, wanted: &'t [usize], agreement: &'t Agreement) -> Self {
        Self { meter: Some(&agreement.meter), ..Self::whole(table, wanted) }
    }

    /// None of the rows: the other side of a table that is looked at alone.
    pub(super) fn nothing(table: &'t Table<'t>, wanted: &'t [usize]) -> Self {
        Self { table, wanted, part: None, is_empty: true, meter: None }
    }

    /// The rows of a part, which was split off this or a larger flow.
    pub(super) fn of<'p>(&self, part: &'p Part) -> Flow<'p>
    where
        't: 'p,
    {
        Flow { part: Some(part), ..*self }
    }

    pub(super) fn rows(&self) -> u64 {
        if self.is_empty { 0 } else { self.part.map_or(self.table.rows, |part| part.rows) }
    }

    /// Reads from the start, ahead of whoever takes the batches. That all rows come is checked.
    pub(super) fn batches<'s>(&self, scope: &'s Scope<'s, '_>) -> Result<NumberedBatches<'s>, CompareError>
    where
        't: 's,
    {
        let batches = self.unmetered(scope)?;
        let Some(meter) = self.meter else { return Ok(batches) };
        meter.pass(self.rows());
        Ok(Box::new(batches.inspect(|batch| {
            if let Ok(batch) = batch {
                meter.read(batch.batch.rows as u64);
            }
        })))
    }

    fn unmetered<'s>(&self, scope: &'s Scope<'s, '_>) -> Result<NumberedBatches<'s>, CompareError>
    where
        't: 's,
    {
        let table = self.table;
        if self.is_empty {
            return Ok(Box::new(std::iter::empty()));
        }
        if let Some(part) = self.part {
            return part.batches(&table.path);
        }
        let mut batches = ahead(scope, table, self.wanted, 1)?;
        let mut rows = 0;
        Ok(Box::new(std::iter::from_fn(move || match batches.next() {
            Some(Ok(batch)) => {
                let numbers = Numbers::From(rows);
                rows += batch.rows as u64;
                Some(Ok(Numbered { batch, numbers }))
            }
            Some(Err(error)) => Some(Err(error)),
            None if rows == table.rows => None,
            None => {
                let early = ended_early(table, rows);
                // Said once.
                rows = table.rows;
                Some(Err(early))
            }
        })))
    }
}
