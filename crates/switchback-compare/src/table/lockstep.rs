//! Row by row in the order of the files, a batch at a time.

use switchback_core::rule::Rule;

use super::agreement::{Agreement, Meeting, Shared};
use super::growing::Growing;
use super::key::{key_not_compared, key_of};
use super::tally::{Block, RowNumbers, Side, Tally};
use super::{Found, OneSided, unique};
use crate::error::{CompareError, Place};
use crate::report::RowName;
use crate::source::ahead::ahead;
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
    let columns = agreement.columns.len() + agreement.keys.len();
    if !proved.is_empty() && proved.len() == columns && proved.iter().all(|proved| *proved) {
        tally.rows = common;
    } else {
        let skipped = skipped(agreement, proved);
        std::thread::scope(|scope| {
            let mut one =
                Cursor::new(ahead(scope, old, &read(&agreement.old_columns(), &skipped), 2)?, &skipped);
            let mut two =
                Cursor::new(ahead(scope, new, &read(&agreement.new_columns(), &skipped), 2)?, &skipped);
            while tally.rows < common {
                let rows = at_hand(old, new, (&mut one, &mut two), tally.rows)?;
                step(old, (&mut one, &mut two), rows, &mut tally)?;
            }
            Ok::<(), CompareError>(())
        })?;
    }
    let surplus = |rows: u64| OneSided {
        count: rows - common,
        sample: (common..rows)
            .take(rule.sample_max.max(1))
            .map(|row| RowName { row, key: Vec::new() })
            .collect(),
        first: Vec::new(),
    };
    Ok(Found { only_old: surplus(old.rows), only_new: surplus(new.rows), ..Found::nothing(tally) })
}

/// Compares two tables by their keys as long as these stand in the same order on both sides; `None` when they do not.
/// That no key repeats is established on the way, where they grow from row to row, and else after.
///
/// `proved`: as in [`compare`].
pub(super) fn compare_keyed(
    old: &Table<'_>,
    new: &Table<'_>,
    agreement: &Agreement,
    proved: &[bool],
    rule: &Rule,
) -> Result<Option<Found>, CompareError> {
    if old.rows != new.rows {
        return Ok(None);
    }
    let mut tally = Tally::new(agreement, rule.sample_max);
    let mut growing = Growing::new();
    let skipped = skipped(agreement, proved);
    let line_up = std::thread::scope(|scope| {
        let mut one = Cursor::new(ahead(scope, old, &read(&agreement.old_columns(), &skipped), 2)?, &skipped);
        let mut two = Cursor::new(ahead(scope, new, &read(&agreement.new_columns(), &skipped), 2)?, &skipped);
        while tally.rows < old.rows {
            let rows = at_hand(old, new, (&mut one, &mut two), tally.rows)?;
            if !keys_are_same((old, new), agreement, (&one, &two), rows)? {
                return Ok(false);
            }
            let keys = one.columns().get(agreement.columns.len()..).unwrap_or_default();
            growing
                .follow(&agreement.keys, keys, one.start, rows)
                .map_err(|kind| key_not_compared(old, &kind))?;
            step(old, (&mut one, &mut two), rows, &mut tally)?;
        }
        Ok::<bool, CompareError>(true)
    })?;
    if !line_up {
        return Ok(None);
    }
    if !growing.holds() {
        unique::repeated_keys_in_no_order(old, agreement, rule)?;
    }
    Ok(Some(Found::nothing(tally)))
}

/// For each column, whether it is not read.
fn skipped(agreement: &Agreement, proved: &[bool]) -> Vec<bool> {
    let compared = agreement.columns.len();
    (0..compared + agreement.keys.len()).map(|at| at < compared && proved.get(at) == Some(&true)).collect()
}

fn read(wanted: &[usize], skipped: &[bool]) -> Vec<usize> {
    let read = wanted.iter().zip(skipped).filter(|(_, skipped)| !**skipped);
    read.map(|(index, _)| *index).collect()
}

/// How many rows both sides have at hand.
fn at_hand(
    old: &Table<'_>,
    new: &Table<'_>,
    (one, two): (&mut Cursor<'_>, &mut Cursor<'_>),
    rows_done: u64,
) -> Result<usize, CompareError> {
    match (one.fill()?, two.fill()?) {
        (0, _) => Err(ended_early(old, rows_done)),
        (_, 0) => Err(ended_early(new, rows_done)),
        (old_left, new_left) => Ok(old_left.min(new_left)),
    }
}

fn step(
    old: &Table<'_>,
    (one, two): (&mut Cursor<'_>, &mut Cursor<'_>),
    rows: usize,
    tally: &mut Tally,
) -> Result<(), CompareError> {
    let at = RowNumbers::From(tally.rows);
    let block = Block {
        old: Side { cells: one.columns(), start: one.start, rows: at },
        new: Side { cells: two.columns(), start: two.start, rows: at },
        rows,
    };
    tally.add(&block).map_err(|fault| not_compared(old, fault))?;
    tally.meter.read(2 * rows as u64);
    one.start += rows;
    two.start += rows;
    Ok(())
}

/// Whether the next rows have the same keys on both sides.
fn keys_are_same(
    (old, new): (&Table<'_>, &Table<'_>),
    agreement: &Agreement,
    (one, two): (&Cursor<'_>, &Cursor<'_>),
    rows: usize,
) -> Result<bool, CompareError> {
    let keys = &agreement.keys;
    let old_cells = one.columns().get(agreement.columns.len()..).unwrap_or_default();
    let new_cells = two.columns().get(agreement.columns.len()..).unwrap_or_default();
    let have_same_bits = |((key, cells), others): ((&Shared, &Cells), &Cells)| {
        key.meeting == Meeting::OneType
            && (cells.same_bits(one.start, others, two.start, rows)
                || cells
                    .different_bits(one.start, others, two.start, rows)
                    .is_some_and(|marks| !marks.contains(&true)))
    };
    if keys.iter().zip(old_cells).zip(new_cells).all(have_same_bits) {
        return Ok(true);
    }
    for row in 0..rows {
        let key = key_of(keys, old_cells, one.start + row).map_err(|kind| key_not_compared(old, &kind))?;
        let other = key_of(keys, new_cells, two.start + row).map_err(|kind| key_not_compared(new, &kind))?;
        if key != other {
            return Ok(false);
        }
    }
    Ok(true)
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
    skipped: Vec<bool>,
    batch: Option<Batch>,
    start: usize,
}

impl<'a> Cursor<'a> {
    /// `skipped`: columns in whose place the batches have no cells.
    fn new(batches: Batches<'a>, skipped: &[bool]) -> Self {
        Self { batches, skipped: skipped.to_vec(), batch: None, start: 0 }
    }

    fn columns(&self) -> &[Cells] {
        self.batch.as_ref().map_or(&[], |batch| &batch.columns)
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
