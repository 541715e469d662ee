//! The new side of a join in memory: its rows, and where each key stands.

use std::path::Path;

use arrow_array::ArrayRef;
use arrow_row::{Row, Rows};
use rayon::iter::{IntoParallelIterator, ParallelIterator};

use super::agreement::Agreement;
use super::budget::Budget;
use super::flow::{Flow, Numbered, next_group};
use super::index::{INDEX_BYTES, KeyForm, KeyIndex, Twice, hashes};
use super::rowed::Layout;
use crate::error::CompareError;
use crate::source::batch::{Batch, Cells};
use crate::source::table::BATCH_ROWS;

/// What each row takes beside its cells and its key: its place in the index, its number and its partner's.
const ROW_BYTES: u64 = INDEX_BYTES + 2 * size_of::<u64>() as u64;

/// All rows of a side, of which each has a key of its own.
pub(super) struct Keyed {
    held: Held,
    /// The first place of each batch.
    starts: Vec<usize>,
    /// The number of the row at each place.
    numbers: Vec<u64>,
    pub(super) index: KeyIndex,
}

/// Rows, batch by batch.
enum Held {
    Rows(Layout, Vec<Rows>),
    Cells(Vec<Batch>),
}

/// How the rows of both sides are held and looked up.
#[derive(Clone, Copy)]
pub(super) struct Form<'k> {
    pub(super) keys: &'k KeyForm,
    pub(super) agreement: &'k Agreement,
    /// Whether batches are laid out row by row.
    pub(super) lays_out: bool,
}

/// A batch as it will be held.
struct Prepared {
    rows: Option<Rows>,
    batch: Option<Batch>,
    keys: Vec<ArrayRef>,
    hashes: Vec<u64>,
    numbers: Vec<u64>,
}

impl Keyed {
    /// Reads the rows of a side; the numbers of two of them when these have one key.
    pub(super) fn read(
        flow: &Flow<'_>,
        form: Form<'_>,
        budget: &mut Budget,
    ) -> Result<Result<Self, (u64, u64)>, CompareError> {
        let (mut batches, mut rows, mut starts, mut numbers) = (vec![], vec![], vec![], vec![]);
        let (mut keys, mut all_hashes) = (vec![], vec![]);
        let mut layout = None;
        std::thread::scope(|scope| {
            let mut read = flow.batches(scope)?;
            loop {
                let group = next_group(&mut read)?;
                let Some(first) = group.first() else { return Ok::<(), CompareError>(()) };
                if layout.is_none() {
                    layout = form.layout(flow, &first.batch)?;
                }
                let prepare = |numbered| form.prepare(flow, layout.as_ref(), numbered);
                let group: Vec<Prepared> = group.into_par_iter().map(prepare).collect::<Result<_, _>>()?;
                for prepared in group {
                    prepared.spend(flow, numbers.len(), budget)?;
                    starts.push(numbers.len());
                    all_hashes.extend(prepared.hashes);
                    keys.push(prepared.keys);
                    numbers.extend(prepared.numbers);
                    rows.extend(prepared.rows);
                    batches.extend(prepared.batch);
                }
            }
        })?;
        let (index, repeated) = KeyIndex::of(&keys, &all_hashes, flow.table)?;
        let number = |place: usize| numbers.get(place).copied().unwrap_or_default();
        let held = layout.map_or(Held::Cells(batches), |layout| Held::Rows(layout, rows));
        Ok(match repeated.first() {
            Some(Twice { first, second }) => Err((number(*first), number(*second))),
            None => Ok(Self { held, starts, numbers, index }),
        })
    }

    pub(super) fn rows(&self) -> usize {
        self.numbers.len()
    }

    /// The batch of a place, and the row in it.
    fn at(&self, place: usize) -> (usize, usize) {
        // Nearly all batches are of one size.
        let guess = place / BATCH_ROWS;
        let start = |batch: usize| self.starts.get(batch).copied().unwrap_or(usize::MAX);
        let batch = if start(guess) <= place && place < start(guess + 1) {
            guess
        } else {
            self.starts.partition_point(|start| *start <= place).saturating_sub(1)
        };
        (batch, place - self.starts.get(batch).copied().unwrap_or(0))
    }

    pub(super) fn number(&self, place: usize) -> u64 {
        self.numbers.get(place).copied().unwrap_or_default()
    }

    /// A row as it is laid out.
    pub(super) fn row(&self, place: usize) -> Option<Row<'_>> {
        let Held::Rows(_, rows) = &self.held else { return None };
        let (batch, row) = self.at(place);
        rows.get(batch).filter(|rows| row < rows.num_rows()).map(|rows| rows.row(row))
    }

    /// The cells of the rows at some places, column by column.
    pub(super) fn gather(&self, places: &[usize], flow: &Flow<'_>) -> Result<Vec<Cells>, CompareError> {
        let path = &flow.table.path;
        match &self.held {
            Held::Rows(layout, _) => layout.cells(places.iter().filter_map(|place| self.row(*place)), path),
            Held::Cells(batches) => {
                let at: Vec<(usize, usize)> = places.iter().map(|place| self.at(*place)).collect();
                gather(&batches.iter().collect::<Vec<_>>(), &at, path)
            }
        }
    }
}

impl Prepared {
    /// Counts what is held of it, after so many rows before.
    fn spend(&self, flow: &Flow<'_>, places: usize, budget: &mut Budget) -> Result<(), CompareError> {
        if let Some(batch) = &self.batch {
            budget.batch(flow.table, batch)?;
        }
        budget.spend(flow.table, self.rows.as_ref().map_or(0, |rows| rows.size() as u64))?;
        budget.arrays(flow.table, &self.keys)?;
        let rows = self.hashes.len();
        budget.places(flow.table, places + rows, rows as u64 * ROW_BYTES)
    }
}

impl Form<'_> {
    /// The layout of a side with batches like this one; `None` where batches stay as they are.
    pub(super) fn layout(self, flow: &Flow<'_>, batch: &Batch) -> Result<Option<Layout>, CompareError> {
        self.lays_out.then(|| Layout::of(batch, &flow.table.path)).transpose()
    }

    /// The keys of a batch as arrays.
    pub(super) fn key_arrays(self, flow: &Flow<'_>, batch: &Batch) -> Result<Vec<ArrayRef>, CompareError> {
        let keys = batch.columns.get(self.agreement.columns.len()..).unwrap_or_default();
        self.keys.arrays(&self.agreement.keys, keys, batch.rows, flow.table)
    }

    fn prepare(
        self,
        flow: &Flow<'_>,
        layout: Option<&Layout>,
        Numbered { batch, numbers }: Numbered,
    ) -> Result<Prepared, CompareError> {
        let path = &flow.table.path;
        let keys = self.key_arrays(flow, &batch)?;
        let numbers = (0..batch.rows).map(|row| numbers.at(row)).collect();
        let (rows, batch) = match layout {
            Some(layout) => (Some(layout.rows(&batch, path)?), None),
            None => (None, Some(batch.compact(path)?)),
        };
        Ok(Prepared { hashes: hashes(&keys), batch, rows, keys, numbers })
    }
}

/// The cells of some rows of several batches, column by column.
pub(super) fn gather(
    batches: &[&Batch],
    at: &[(usize, usize)],
    path: &Path,
) -> Result<Vec<Cells>, CompareError> {
    let columns = batches.first().map_or(0, |batch| batch.columns.len());
    let column = |index: usize| {
        let sources: Vec<&Cells> = batches.iter().filter_map(|batch| batch.columns.get(index)).collect();
        Cells::gather(&sources, at, path)
    };
    (0..columns).map(column).collect()
}
