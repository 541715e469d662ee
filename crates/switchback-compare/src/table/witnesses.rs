//! Witnesses of why columns differ: a bounded sample of cells that differ, and of cells that do not.
//!
//! What is kept is chosen by a hash of the rows' numbers, as in a bottom-k sketch (Cohen and Kaplan, *Summarizing data using
//! bottom-k sketches*, PODC 2007): it does not depend on the order in which cells come, nor on which side is which.

use std::collections::BTreeMap;

use super::agreement::Shared;
use super::tally::Block;
use crate::explanation::{Cell, Difference};
use crate::source::batch::Cells;
use crate::value::Value;

/// How many cells of all columns together are kept, of those that differ and of those that do not.
const CELLS_MAX: usize = 300_000;
/// How many cells of one column are kept, at most and at least.
const PLACES_MAX: usize = 2048;
const PLACES_MIN: usize = 32;
/// How many bytes of text are kept, of all columns together.
const TEXT_BYTES_MAX: usize = 16 << 20;

/// Two rows that belong together: a hash that decides which are kept, then their numbers, the smaller first.
type Place = (u64, u64, u64);

fn place(rows: (u64, u64)) -> Place {
    let (low, high) = (rows.0.min(rows.1), rows.0.max(rows.1));
    // The finalizer of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014): every bit of the numbers counts.
    let mut hash = low.wrapping_add(high.rotate_left(32)).wrapping_add(0x9e37_79b9_7f4a_7c15);
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (hash ^ (hash >> 31), low, high)
}

/// What stands at the places of the smallest hashes, as many as fit. Two pairs may share a place: both stay, or neither.
#[derive(Debug)]
struct Sketch<T> {
    kept: BTreeMap<Place, Vec<(T, usize)>>,
    places_max: usize,
    text_bytes: usize,
    text_bytes_max: usize,
    /// The first place that did not fit. What comes after it can never fit again.
    given_up: Option<Place>,
}

impl<T> Sketch<T> {
    fn new(places_max: usize, text_bytes_max: usize) -> Self {
        Self { kept: BTreeMap::new(), places_max, text_bytes: 0, text_bytes_max, given_up: None }
    }

    fn wants(&self, place: Place) -> bool {
        self.given_up.is_none_or(|first| place < first)
    }

    fn keep(&mut self, place: Place, item: T, text_bytes: usize) {
        self.kept.entry(place).or_default().push((item, text_bytes));
        self.text_bytes += text_bytes;
        while self.kept.len() > self.places_max || self.text_bytes > self.text_bytes_max {
            let Some((last, items)) = self.kept.pop_last() else { break };
            self.text_bytes -= items.iter().map(|(_, text_bytes)| text_bytes).sum::<usize>();
            self.given_up = Some(last);
        }
    }

    fn into_items(self) -> impl Iterator<Item = T> {
        self.kept.into_values().flatten().map(|(item, _)| item)
    }
}

/// The cells of one column that differ.
#[derive(Debug)]
struct Column {
    differences: Sketch<Difference>,
    /// Some differing cell is of a kind, or of a precision, that no explanation is about.
    beyond: bool,
}

/// What was kept of all compared columns.
#[derive(Debug)]
pub(super) struct Witnesses {
    columns: Vec<Column>,
    /// Rows chosen without regard to what they hold; of each compared column the value, where both sides have the same.
    rows: Sketch<Vec<Option<Cell>>>,
}

/// What was kept of one column.
#[derive(Debug, Default)]
pub(super) struct Kept {
    /// In the order of the rows.
    pub(super) differences: Vec<Difference>,
    /// Values that are the same on both sides.
    pub(super) equal: Vec<Cell>,
}

impl Witnesses {
    /// For so many compared columns.
    pub(super) fn new(columns: usize) -> Self {
        let places_max = (CELLS_MAX / columns.max(1)).clamp(PLACES_MIN, PLACES_MAX);
        let text_bytes_max = TEXT_BYTES_MAX / columns.max(1);
        let column = || Column { differences: Sketch::new(places_max, text_bytes_max), beyond: false };
        Self {
            columns: (0..columns).map(|_| column()).collect(),
            rows: Sketch::new(places_max, TEXT_BYTES_MAX),
        }
    }

    /// Takes note of a cell that differs.
    pub(super) fn differs(&mut self, column: usize, rows: (u64, u64), values: (&Value<'_>, &Value<'_>)) {
        let Some(column) = self.columns.get_mut(column) else { return };
        let place = place(rows);
        if column.beyond || !column.differences.wants(place) {
            return;
        }
        match cells_of(values) {
            Some((old, new)) => {
                let text_bytes = text_bytes(&old) + text_bytes(&new);
                let difference = Difference { row_old: rows.0, row_new: rows.1, old, new };
                column.differences.keep(place, difference, text_bytes);
            }
            None => column.beyond = true,
        }
    }

    /// Whether the cells of a pair of rows may be kept where they do not differ.
    pub(super) fn wants(&self, rows: (u64, u64)) -> bool {
        self.rows.wants(place(rows))
    }

    /// Takes note of the cells of a block that do not differ.
    pub(super) fn stay(&mut self, block: &Block<'_>, columns: &[&Shared]) {
        for row in 0..block.rows {
            let rows = (block.old.rows.at(row), block.new.rows.at(row));
            let place = place(rows);
            if !self.rows.wants(place) {
                continue;
            }
            let cells: Vec<Option<Cell>> =
                columns.iter().enumerate().map(|(at, column)| same_cell(block, row, at, column)).collect();
            let text_bytes = cells.iter().flatten().map(text_bytes).sum();
            self.rows.keep(place, cells, text_bytes);
        }
    }

    /// What was kept, column by column. Nothing of a column that no explanation is about.
    pub(super) fn into_kept(self) -> Vec<Kept> {
        let mut kept: Vec<Kept> = self
            .columns
            .into_iter()
            .map(|column| {
                let mut differences: Vec<Difference> = column.differences.into_items().collect();
                if column.beyond {
                    differences.clear();
                }
                differences.sort_by_key(|difference| {
                    let rows = (difference.row_old, difference.row_new);
                    (rows.0.min(rows.1), rows.0.max(rows.1))
                });
                Kept { differences, equal: Vec::new() }
            })
            .collect();
        for row in self.rows.into_items() {
            for (column, cell) in kept.iter_mut().zip(row) {
                column.equal.extend(cell);
            }
        }
        kept
    }
}

/// The value of a cell that both sides have.
fn same_cell(block: &Block<'_>, row: usize, at: usize, column: &Shared) -> Option<Cell> {
    let (old, new) = (block.old.cells.get(at)?, block.new.cells.get(at)?);
    if matches!((old, new), (Cells::Skipped, _) | (_, Cells::Skipped)) {
        return None;
    }
    // A cell that cannot be read ends the comparison itself with an error.
    let old = cell_of(&column.read(old, block.old.start + row).ok()?)?;
    let new = cell_of(&column.read(new, block.new.start + row).ok()?)?;
    old.is_same(&new).then_some(old)
}

/// A differing pair, where an explanation can be about it.
fn cells_of((old, new): (&Value<'_>, &Value<'_>)) -> Option<(Cell, Cell)> {
    let cells = (cell_of(old)?, cell_of(new)?);
    let of_one_clock = match (old, new) {
        (Value::Instant { zoned: one, .. }, Value::Instant { zoned: two, .. }) => one == two,
        (Value::Instant { .. } | Value::Date(_) | Value::Time(_), Value::Null)
        | (Value::Null, _)
        | (Value::Date(_), Value::Date(_))
        | (Value::Time(_), Value::Time(_)) => true,
        _ => !matches!(cells, (Cell::Time(_), Cell::Time(_))),
    };
    // What differs here and looks the same to an explanation, such as NaN and NaN under `--nan different`, has none.
    (of_one_clock && !cells.0.is_same(&cells.1)).then_some(cells)
}

/// A value as explanations see it; none for values that none is about.
pub(super) fn cell_of(value: &Value<'_>) -> Option<Cell> {
    Some(match value {
        Value::Null => Cell::Null,
        Value::Boolean(flag) => Cell::Boolean(*flag),
        Value::Number(number) => number.explanation_cell(),
        Value::Text(text) => Cell::Text(text.to_string()),
        Value::Instant { ns, .. } => Cell::Time(*ns),
        Value::Date(ms) => Cell::Time(i128::from(*ms) * 1_000_000),
        Value::Time(ns) => Cell::Time(i128::from(*ns)),
        Value::Duration(_) | Value::Bytes(_) | Value::Other(_) | Value::List(_) | Value::Object(_) => {
            return None;
        }
    })
}

fn text_bytes(cell: &Cell) -> usize {
    if let Cell::Text(text) = cell { text.len() } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(rows: &[(u64, u64)], places_max: usize) -> Vec<(u64, u64)> {
        let mut sketch = Sketch::new(places_max, 1000);
        for rows in rows {
            if sketch.wants(place(*rows)) {
                sketch.keep(place(*rows), *rows, 7);
            }
        }
        let mut kept: Vec<_> = sketch.into_items().collect();
        kept.sort_unstable();
        kept
    }

    #[test]
    fn what_is_kept_depends_neither_on_the_order_nor_on_the_side() {
        let rows: Vec<(u64, u64)> = (0..500).map(|row| (row, row * 7 % 500)).collect();
        let mut turned = rows.clone();
        turned.reverse();
        turned.rotate_left(123);
        let swapped: Vec<(u64, u64)> = rows.iter().map(|(old, new)| (*new, *old)).collect();
        for places_max in [1, 64, 200, 1000] {
            let found = kept(&rows, places_max);
            assert_eq!(found, kept(&turned, places_max));
            let mut mirrored: Vec<_> =
                kept(&swapped, places_max).iter().map(|(new, old)| (*old, *new)).collect();
            mirrored.sort_unstable();
            assert_eq!(found, mirrored);
            assert!(found.len() * 7 <= 1000 && !found.is_empty());
        }
    }
}
