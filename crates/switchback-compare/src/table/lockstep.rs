//! Row by row in the order of the files, a batch at a time.

use switchback_core::rule::Rule;

use super::agreement::Agreement;
use super::tally::{Block, RowNumbers, Side, Tally};
use super::{Found, OneSided};
use crate::error::{CompareError, Place};
use crate::report::RowName;
use crate::source::batch::Batch;
use crate::source::table::{Batches, Table};

/// Compares two tables by position. Surplus rows are on one side only.
pub(super) fn compare(
    old: &Table<'_>,
    new: &Table<'_>,
    agreement: &Agreement,
    rule: &Rule,
) -> Result<Found, CompareError> {
    let mut tally = Tally::new(agreement, rule.sample_max);
    let mut one = Cursor::new(old.batches(&agreement.old_columns())?);
    let mut two = Cursor::new(new.batches(&agreement.new_columns())?);
    let common = old.rows.min(new.rows);
    while tally.rows < common {
        let (old_left, new_left) = (one.fill()?, two.fill()?);
        let rows = old_left.min(new_left);
        let (Some(old_batch), Some(new_batch)) = (&one.batch, &two.batch) else {
            let ended = if one.batch.is_none() { old } else { new };
            return Err(ended_early(ended, tally.rows));
        };
        let at = RowNumbers::From(tally.rows);
        let block = Block {
            old: Side { cells: &old_batch.columns, start: one.start, rows: at },
            new: Side { cells: &new_batch.columns, start: two.start, rows: at },
            rows,
        };
        tally.add(&block).map_err(|fault| not_compared(old, fault))?;
        one.start += rows;
        two.start += rows;
    }
    let surplus = |rows: u64| OneSided {
        count: rows - common,
        sample: (common..rows)
            .take(rule.sample_max.max(1))
            .map(|row| RowName { row, key: Vec::new() })
            .collect(),
        first: Vec::new(),
    };
    Ok(Found {
        tally,
        only_old: surplus(old.rows),
        only_new: surplus(new.rows),
        duplicate_keys: (0, 0),
        notes: Vec::new(),
    })
}

/// A file whose end comes before the number of rows that it names.
pub(super) fn ended_early(table: &Table<'_>, rows: u64) -> CompareError {
    let reason = format!("it ends after {rows} rows and says that it has {}", table.rows);
    CompareError::damaged(&table.path, Place::default(), reason)
}

/// A column of a type that cannot be compared.
pub(super) fn not_compared(table: &Table<'_>, (field, kind): (String, String)) -> CompareError {
    let place = Place { field: Some(field), ..Place::default() };
    CompareError::damaged(&table.path, place, format!("values of the type `{kind}` cannot be compared"))
}

/// A table's batches, and how much of the present one is done.
struct Cursor<'a> {
    batches: Batches<'a>,
    batch: Option<Batch>,
    start: usize,
}

impl<'a> Cursor<'a> {
    fn new(batches: Batches<'a>) -> Self {
        Self { batches, batch: None, start: 0 }
    }

    /// Makes sure that there are rows at hand; says how many. None: the table has ended.
    fn fill(&mut self) -> Result<usize, CompareError> {
        loop {
            if let Some(batch) = &self.batch
                && self.start < batch.rows
            {
                return Ok(batch.rows - self.start);
            }
            self.start = 0;
            self.batch = self.batches.next().transpose()?;
            if self.batch.is_none() {
                return Ok(0);
            }
        }
    }
}
