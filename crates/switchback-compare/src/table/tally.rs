//! Counts, largest distances and witnesses, in an order that does not depend on which side is which.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::agreement::{Agreement, Shared};
use super::context::{self, Around};
use super::key::{key_of, named_key};
use super::witnesses::Witnesses;
use crate::known::{Covered, OfCells, covering};
use crate::progress::Meter;
use crate::report::{Cell, ColumnDetail, RowContext};
use crate::source::batch::Cells;
use crate::source::table::Table;
use crate::value::{Closeness, Distance, Finding, Value};

/// Rows of both sides that belong together, one by one.
#[derive(Debug)]
pub(super) struct Block<'b> {
    pub(super) old: Side<'b>,
    pub(super) new: Side<'b>,
    pub(super) rows: usize,
}

/// One side of a block: cells of the compared columns, then of the keys.
#[derive(Debug)]
pub(super) struct Side<'b> {
    pub(super) cells: &'b [Cells],
    /// Where in `cells` the block starts.
    pub(super) start: usize,
    pub(super) rows: RowNumbers<'b>,
}

/// The rows' numbers in their file.
#[derive(Debug, Clone, Copy)]
pub(super) enum RowNumbers<'b> {
    /// Consecutive, from this one.
    From(u64),
    /// One by one.
    Each(&'b [u64]),
}

impl RowNumbers<'_> {
    pub(super) fn at(self, index: usize) -> u64 {
        match self {
            Self::From(first) => first + index as u64,
            Self::Each(rows) => rows.get(index).copied().unwrap_or_default(),
        }
    }
}

/// The place of a cell, the same when the sides are swapped.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Order {
    rows: (u64, u64),
    key: Box<[u8]>,
    /// What the two rows hold, the smaller first: tells pairs apart that have neither rows nor a key of their own.
    content: (Vec<u8>, Vec<u8>),
    column: usize,
}

impl Order {
    fn is_same_row(&self, other: &Self) -> bool {
        (self.rows, &self.key, &self.content) == (other.rows, &other.key, &other.content)
    }
}

/// What a tally found, as a report has it.
#[derive(Debug)]
pub(super) struct Details {
    /// The columns that are not the same bit by bit.
    pub(super) columns: Vec<ColumnDetail>,
    /// The first cell that differs.
    pub(super) first: Option<Cell>,
    pub(super) sample: Vec<Cell>,
    /// The rows of the sample.
    pub(super) context: Vec<RowContext>,
    /// What explains columns.
    pub(super) witnesses: Witnesses,
}

/// What was found so far.
#[derive(Debug)]
pub(super) struct Tally {
    pub(super) rows: u64,
    pub(super) rows_different: u64,
    pub(super) closeness: Closeness,
    /// The compared columns, then those of the key: rows that were matched by it may still not be the same bit by bit.
    columns: Vec<ColumnTally>,
    compared: usize,
    keys: Vec<Shared>,
    sample: BTreeMap<Order, Sampled>,
    sample_max: usize,
    first: Option<(Order, Cell)>,
    /// Neither rows nor a key name a pair.
    unordered: bool,
    witnesses: Witnesses,
    /// For each compared column, the known differences that may cover its cells.
    known: Vec<Vec<OfCells>>,
    pub(super) covered: Covered,
    /// Cells that differ and that no known difference covers.
    pub(super) open: u64,
    pub(super) meter: Arc<Meter>,
}

/// A cell of the sample.
#[derive(Debug)]
struct Sampled {
    cell: Cell,
    /// Its row in the block that is looked at, until what is around it was read.
    row: Option<usize>,
    around: Around,
}

#[derive(Debug)]
struct ColumnTally {
    column: Shared,
    different: u64,
    not_identical: u64,
    not_bitwise: u64,
    null_mismatches: u64,
    distance: Distance,
    worst: Option<(Rank, Order, Cell)>,
}

/// How bad a cell is: one that differs is worse than one that does not, then the larger distance.
#[derive(Debug, Clone, Copy)]
struct Rank {
    different: bool,
    absolute: f64,
}

impl Rank {
    fn of(finding: &Finding) -> Self {
        Self {
            different: finding.closeness == Closeness::Different,
            absolute: finding.distance.absolute.unwrap_or(-1.0),
        }
    }

    fn order(self, other: Self) -> Ordering {
        self.different.cmp(&other.different).then(self.absolute.total_cmp(&other.absolute))
    }
}

impl Tally {
    pub(super) fn new(agreement: &Agreement, sample_max: usize) -> Self {
        let columns = agreement.columns.iter().chain(&agreement.keys).map(|column| ColumnTally {
            column: column.clone(),
            different: 0,
            not_identical: 0,
            not_bitwise: 0,
            null_mismatches: 0,
            distance: Distance::default(),
            worst: None,
        });
        Self {
            rows: 0,
            rows_different: 0,
            closeness: agreement.closest(),
            columns: columns.collect(),
            compared: agreement.columns.len(),
            keys: agreement.keys.clone(),
            sample: BTreeMap::new(),
            sample_max,
            first: None,
            unordered: false,
            witnesses: Witnesses::new(agreement.columns.len()),
            known: agreement.known.clone(),
            covered: Covered::new(),
            open: 0,
            meter: agreement.meter.clone(),
        }
    }

    /// The same for pairs that neither their rows nor a key name.
    pub(super) fn unordered(self) -> Self {
        Self { unordered: true, ..self }
    }

    /// Compares a block, column by column.
    ///
    /// # Errors
    ///
    /// The column and the name of its type, when that cannot be compared.
    pub(super) fn add(&mut self, block: &Block<'_>) -> Result<(), (String, String)> {
        let mut different = vec![false; block.rows];
        for index in 0..self.columns.len() {
            let (Some(old), Some(new)) = (block.old.cells.get(index), block.new.cells.get(index)) else {
                continue;
            };
            let mut marks = None;
            if self.columns.get(index).is_some_and(|tally| tally.column.bits_prove()) {
                if old.same_bits(block.old.start, new, block.new.start, block.rows) {
                    continue;
                }
                marks = old.different_bits(block.old.start, new, block.new.start, block.rows);
            }
            for (row, different) in different.iter_mut().enumerate() {
                if marks.as_ref().is_some_and(|marks| marks.get(row) == Some(&false)) {
                    continue;
                }
                *different |= self.add_cell(block, index, row, (old, new)).map_err(|kind| {
                    (self.columns.get(index).map(|tally| tally.column.name.clone()).unwrap_or_default(), kind)
                })?;
            }
        }
        let compared: Vec<&Shared> =
            self.columns.iter().take(self.compared).map(|tally| &tally.column).collect();
        self.witnesses.stay(block, &compared);
        for (order, sampled) in &mut self.sample {
            if let Some(row) = sampled.row.take() {
                sampled.around = Around::read(block, row, order.column, &compared)
                    .map_err(|kind| (sampled.cell.column.clone().unwrap_or_default(), kind))?;
            }
        }
        self.rows += block.rows as u64;
        self.rows_different += different.iter().filter(|different| **different).count() as u64;
        Ok(())
    }

    /// Counts rows of which every cell is known to be the same bits on both sides.
    pub(super) fn add_same(&mut self, rows: u64) {
        self.rows += rows;
    }

    /// Whether a pair of rows may be one of those that are kept as witnesses, although nothing in it differs. What is not
    /// wanted now is not wanted later either.
    pub(super) fn wants(&self, rows: (u64, u64)) -> bool {
        self.witnesses.wants(rows)
    }

    /// Compares one cell; says whether it differs.
    fn add_cell(
        &mut self,
        block: &Block<'_>,
        index: usize,
        row: usize,
        (old, new): (&Cells, &Cells),
    ) -> Result<bool, String> {
        let Some(tally) = self.columns.get_mut(index) else { return Ok(false) };
        let column = &tally.column;
        let old = column.read(old, block.old.start + row)?;
        let new = column.read(new, block.new.start + row)?;
        let mut finding = column.find(&old, &new);
        if index >= self.compared {
            // Matched keys are equal, however the values under them are written.
            finding.closeness = finding.closeness.min(Closeness::Within);
        }
        if finding.closeness == Closeness::Bitwise {
            return Ok(false);
        }
        let different = finding.closeness == Closeness::Different;
        self.closeness = self.closeness.max(finding.closeness);
        tally.count(&finding);

        let (row_old, row_new) = (block.old.rows.at(row), block.new.rows.at(row));
        if different {
            self.witnesses.differs(index, (row_old, row_new), (&old, &new));
        }
        let rows = (row_old.min(row_new), row_old.max(row_new));
        let rank = Rank::of(&finding);
        let is_worst = tally.worst.as_ref().is_none_or(|(worst, order, _)| match rank.order(*worst) {
            Ordering::Greater => true,
            Ordering::Equal => rows <= order.rows,
            Ordering::Less => false,
        });
        let is_early = different
            && (self.first.as_ref().is_none_or(|(first, _)| rows <= first.rows)
                || self.sample.len() < self.sample_max
                || self.sample.last_key_value().is_some_and(|(last, _)| rows <= last.rows));
        if different {
            match self.known_difference(block, row, index)? {
                Some(exception) => *self.covered.entry(exception).or_default() += 1,
                None => self.open += 1,
            }
        }
        if is_worst || is_early {
            let key = self.key(&block.old, row, key_of)?;
            let order = Order { rows, key, content: self.content(block, row)?, column: index };
            let key = self.key_shown(block, row)?;
            let cell = self.cell((row_old, row_new), key, index, (&old, &new));
            self.keep((index, row), rank, order, cell, different);
        }
        Ok(different)
    }

    /// The first known difference that covers a cell.
    fn known_difference(&self, block: &Block<'_>, row: usize, index: usize) -> Result<Option<usize>, String> {
        match self.known.get(index).filter(|exceptions| !exceptions.is_empty()) {
            Some(exceptions) => Ok(covering(exceptions, &self.key_shown(block, row)?)),
            None => Ok(None),
        }
    }

    fn key<T>(
        &self,
        side: &Side<'_>,
        row: usize,
        read: impl Fn(&[Shared], &[Cells], usize) -> Result<T, String>,
    ) -> Result<T, String> {
        read(&self.keys, side.cells.get(self.compared..).unwrap_or_default(), side.start + row)
    }

    /// The key of a pair: where both sides write it differently, the smaller writing.
    fn key_shown(&self, block: &Block<'_>, row: usize) -> Result<Vec<(String, serde_json::Value)>, String> {
        let old = self.key(&block.old, row, named_key)?;
        let new = self.key(&block.new, row, named_key)?;
        let text = |key: &[(String, serde_json::Value)]| -> Vec<String> {
            key.iter().map(|(_, value)| value.to_string()).collect()
        };
        Ok(if text(&new) < text(&old) { new } else { old })
    }

    fn content(&self, block: &Block<'_>, row: usize) -> Result<(Vec<u8>, Vec<u8>), String> {
        if !self.unordered {
            return Ok((Vec::new(), Vec::new()));
        }
        let of = |side: &Side<'_>| {
            let mut bytes = Vec::new();
            for (tally, cells) in self.columns.iter().zip(side.cells) {
                tally.column.canon.append(&mut bytes, &tally.column.read(cells, side.start + row)?);
            }
            Ok::<_, String>(bytes)
        };
        let (old, new) = (of(&block.old)?, of(&block.new)?);
        Ok(if new < old { (new, old) } else { (old, new) })
    }

    fn cell(
        &self,
        rows: (u64, u64),
        key: Vec<(String, serde_json::Value)>,
        index: usize,
        values: (&Value<'_>, &Value<'_>),
    ) -> Cell {
        Cell {
            row_old: Some(rows.0),
            row_new: Some(rows.1),
            key,
            column: self.columns.get(index).map(|tally| tally.column.name.clone()),
            old: values.0.to_json(),
            new: values.1.to_json(),
        }
    }

    fn keep(&mut self, (index, row): (usize, usize), rank: Rank, order: Order, cell: Cell, different: bool) {
        if different {
            if self.first.as_ref().is_none_or(|(first, _)| order < *first) {
                self.first = Some((order.clone(), cell.clone()));
            }
            let sampled = Sampled { cell: cell.clone(), row: Some(row), around: Around::default() };
            self.sample.insert(order.clone(), sampled);
            if self.sample.len() > self.sample_max {
                self.sample.pop_last();
            }
        }
        let Some(tally) = self.columns.get_mut(index) else { return };
        let is_worse = tally
            .worst
            .as_ref()
            .is_none_or(|(worst, first, _)| rank.order(*worst).then(first.cmp(&order)).is_gt());
        if is_worse {
            tally.worst = Some((rank, order, cell));
        }
    }

    /// What was found. `old`: the old table, where cells beside those of the sample are that were not read.
    pub(super) fn into_details(self, agreement: &Agreement, old: &Table<'_>) -> Details {
        let columns = self.columns.into_iter().filter(|tally| tally.not_bitwise > 0);
        let sample = self.sample.values().map(|sampled| sampled.cell.clone()).collect();
        let mut last: Option<Order> = None;
        let sampled = self.sample.into_iter().map(|(order, sampled)| {
            let is_next_row = last.as_ref().is_none_or(|last| !last.is_same_row(&order));
            last = Some(order);
            (sampled.cell, sampled.around, is_next_row)
        });
        Details {
            context: context::rows(sampled, agreement, old),
            columns: columns.map(ColumnTally::into_detail).collect(),
            first: self.first.map(|(_, cell)| cell),
            sample,
            witnesses: self.witnesses,
        }
    }
}

impl ColumnTally {
    fn count(&mut self, finding: &Finding) {
        self.not_bitwise += 1;
        self.not_identical += u64::from(finding.closeness > Closeness::Identical);
        self.different += u64::from(finding.closeness == Closeness::Different);
        self.null_mismatches += u64::from(finding.null_mismatch);
        self.distance.include(&finding.distance);
    }

    fn into_detail(self) -> ColumnDetail {
        ColumnDetail {
            name: self.column.name,
            cells_different: self.different,
            cells_not_identical: self.not_identical,
            max_absolute: self.distance.absolute,
            max_relative: self.distance.relative,
            max_ulps: self.distance.ulps,
            null_mismatches: self.null_mismatches,
            worst: self.worst.map(|(_, _, cell)| cell),
            explanation: None,
        }
    }
}
