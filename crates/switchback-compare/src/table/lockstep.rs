//! Row by row in the order of the files, a batch at a time.

use switchback_core::rule::Rule;

use super::agreement::Agreement;
use super::tally::{Block, RowNumbers, Side, Tally};
use super::{Found, OneSided};
use crate::error::{CompareError, Place};
use crate::report::RowName;
use crate::source::batch::{Batch, Cells};
use crate::source::table::{Batches, Table};

/// Compares two tables by position. Surplus rows are on one side only.
///
/// `proved`: for each compared column, then each of the key, whether it is known to be the same and need not be read.
/// Columns of the key are read all the same, to name the rows that differ.
pub(super) fn compare(
    old: &Table<'_>,
    new: &Table<'_>,
    agreement: &Agreement,
    proved: &[bool],
    rule: &Rule,
) -> Result<Found, CompareError> {
    let mut tally = Tally::new(agreement, rule.sample_max);
    let common = old.rows.min(new.rows);
    let skipped: Vec<bool> = (0..agreement.columns.len() + agreement.keys.len())
        .map(|at| at < agreement.columns.len() && proved.get(at) == Some(&true))
        .collect();
    if proved.iter().all(|proved| *proved) && skipped.len() == proved.len() && !proved.is_empty() {
        tally.rows = common;
    } else {
        let mut one = Cursor::new(old, &agreement.old_columns(), &skipped)?;
        let mut two = Cursor::new(new, &agreement.new_columns(), &skipped)?;
        step(old, new, (&mut one, &mut two), common, &mut tally)?;
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

fn step(
    old: &Table<'_>,
    new: &Table<'_>,
    (one, two): (&mut Cursor<'_>, &mut Cursor<'_>),
    common: u64,
    tally: &mut Tally,
) -> Result<(), CompareError> {
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
    Ok(())
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
pub(super) struct Cursor<'a> {
    batches: Batches<'a>,
    skipped: Vec<bool>,
    pub(super) batch: Option<Batch>,
    pub(super) start: usize,
}

impl<'a> Cursor<'a> {
    /// Reads the `wanted` columns but those that are `skipped`, in whose place batches have no cells.
    pub(super) fn new(
        table: &'a Table<'_>,
        wanted: &[usize],
        skipped: &[bool],
    ) -> Result<Self, CompareError> {
        let read = wanted.iter().zip(skipped).filter(|(_, skipped)| !**skipped);
        let read: Vec<usize> = read.map(|(index, _)| *index).collect();
        Ok(Self { batches: table.batches(&read)?, skipped: skipped.to_vec(), batch: None, start: 0 })
    }

    /// Makes sure that there are rows at hand; says how many. None: the table has ended.
    pub(super) fn fill(&mut self) -> Result<usize, CompareError> {
        loop {
            if let Some(batch) = &self.batch
                && self.start < batch.rows
            {
                return Ok(batch.rows - self.start);
            }
            self.start = 0;
            self.batch = self.batches.next().transpose()?.map(|batch| self.in_place(batch));
            if self.batch.is_none() {
                return Ok(0);
            }
        }
    }

    fn in_place(&self, batch: Batch) -> Batch {
        let mut read = batch.columns.into_iter();
        let columns = self.skipped.iter().map(|skipped| {
            let cells = if *skipped { None } else { read.next() };
            cells.unwrap_or(Cells::Skipped)
        });
        Batch { columns: columns.collect(), rows: batch.rows }
    }
}
