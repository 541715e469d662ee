//! Row by row, matched by key: the new table is held in memory, the old one streams past it; in parts when that is too
//! much.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use arrow_array::ArrayRef;
use switchback_core::rule::Rule;

use super::agreement::Agreement;
use super::budget::Budget;
use super::flow::{Flow, Numbered};
use super::index::{INDEX_BYTES, KeyForm, KeyIndex, Twice, hashes};
use super::key::{key_not_compared, key_of, named_key};
use super::lockstep::not_compared;
use super::parts::in_parts;
use super::tally::{Block, RowNumbers, Side, Tally};
use super::unique::repeated_key;
use super::{Found, OneSided};
use crate::error::CompareError;
use crate::report::RowName;
use crate::source::batch::{Batch, Cells};
use crate::source::table::Table;

/// What the index of one side takes for each row, beside the key: also its number and its partner's.
const ROW_BYTES: u64 = INDEX_BYTES + 2 * size_of::<u64>() as u64;

/// Compares two tables by key.
pub(super) fn compare(
    old: &Table<'_>,
    new: &Table<'_>,
    agreement: &Agreement,
    rule: &Rule,
) -> Result<Found, CompareError> {
    let (old_columns, new_columns) = (agreement.old_columns(), agreement.new_columns());
    let (old, new) =
        (Flow::counted(old, &old_columns, agreement), Flow::counted(new, &new_columns, agreement));
    let form = KeyForm::of(agreement, old.table, new.table);
    let mut found = Found::nothing(Tally::new(agreement, rule.sample_max));
    in_parts(
        &old,
        &new,
        &|flow, batch| {
            let keys = key_cells(agreement, batch);
            Ok(hashes(&form.arrays(&agreement.keys, keys, batch.rows, flow.table)?))
        },
        &mut |old, new| Join { agreement, rule, form: &form }.run(old, new, &mut found),
    )?;
    Ok(found)
}

struct Join<'j> {
    agreement: &'j Agreement,
    rule: &'j Rule,
    form: &'j KeyForm,
}

/// All rows of the new side.
struct Held {
    batches: Vec<Batch>,
    /// The first place of each batch.
    starts: Vec<usize>,
    /// The number of the row at each place.
    numbers: Vec<u64>,
    index: KeyIndex,
}

impl Held {
    /// The batch of a place, and the row in it.
    fn at(&self, place: usize) -> (usize, usize) {
        let batch = self.starts.partition_point(|start| *start <= place).saturating_sub(1);
        (batch, place - self.starts.get(batch).copied().unwrap_or(0))
    }

    fn number(&self, place: usize) -> u64 {
        self.numbers.get(place).copied().unwrap_or_default()
    }
}

/// What has become of the keys so far.
struct Met {
    /// For each place of the new side, the old row that has its key.
    partners: Vec<Option<u64>>,
    /// Old rows whose key the new side has not, by the hash of their key.
    alone: HashMap<u64, u64>,
    /// More of them, of hashes that are there already.
    also_alone: Vec<(u64, u64)>,
}

impl Join<'_> {
    fn run(&self, old: &Flow<'_>, new: &Flow<'_>, found: &mut Found) -> Result<(), CompareError> {
        let mut budget = Budget::of(self.rule);
        // Whatever becomes of the old rows, there is room to remember it: after this nothing is refused.
        budget.spend(old.table, old.rows().saturating_mul(ROW_BYTES))?;
        let held = self.hold(new, &mut budget)?;
        let partners = vec![None; held.numbers.len()];
        let mut met = Met { partners, alone: HashMap::new(), also_alone: Vec::new() };
        let mut only_old = OneSided::default();
        std::thread::scope(|scope| {
            for batch in old.batches(scope)? {
                self.probe(old, &batch?, &held, &mut met, (&mut only_old, &mut found.tally))?;
            }
            Ok::<(), CompareError>(())
        })?;
        found.only_old.merge(only_old, self.rule.sample_max);
        found.only_new.merge(self.left_over(new, &held, &met)?, self.rule.sample_max);
        Ok(())
    }

    fn hold(&self, flow: &Flow<'_>, budget: &mut Budget) -> Result<Held, CompareError> {
        let (mut batches, mut starts, mut numbers) = (Vec::new(), Vec::new(), Vec::new());
        let (mut keys, mut all_hashes) = (Vec::new(), Vec::new());
        std::thread::scope(|scope| {
            for batch in flow.batches(scope)? {
                let Numbered { batch, numbers: own } = batch?;
                let batch = batch.compact(&flow.table.path)?;
                let arrays = self.keys(&batch, flow.table)?;
                budget.batch(flow.table, &batch)?;
                budget.arrays(flow.table, &arrays)?;
                budget.places(flow.table, numbers.len() + batch.rows, batch.rows as u64 * ROW_BYTES)?;
                all_hashes.extend(hashes(&arrays));
                keys.push(arrays);
                starts.push(numbers.len());
                numbers.extend((0..batch.rows).map(|row| own.at(row)));
                batches.push(batch);
            }
            Ok::<(), CompareError>(())
        })?;
        let mut index = KeyIndex::new(&keys, all_hashes, flow.table)?;
        let mut twice = None;
        index.fill(|found| {
            twice = Some(found);
            false
        });
        if let Some(Twice { first, second }) = twice {
            let number = |place: usize| numbers.get(place).copied().unwrap_or_default();
            return Err(self.repeated(flow, (number(first), number(second))));
        }
        Ok(Held { batches, starts, numbers, index })
    }

    fn keys(&self, batch: &Batch, table: &Table<'_>) -> Result<Vec<ArrayRef>, CompareError> {
        self.form.arrays(&self.agreement.keys, key_cells(self.agreement, batch), batch.rows, table)
    }

    fn repeated(&self, flow: &Flow<'_>, rows: (u64, u64)) -> CompareError {
        let keys = flow.wanted.get(self.agreement.columns.len()..).unwrap_or_default();
        repeated_key(flow.table, self.agreement, keys, rows)
    }

    /// Compares the rows of an old batch with those that have their keys.
    fn probe(
        &self,
        old: &Flow<'_>,
        Numbered { batch, numbers }: &Numbered,
        held: &Held,
        met: &mut Met,
        (only_old, tally): (&mut OneSided, &mut Tally),
    ) -> Result<(), CompareError> {
        let arrays = self.keys(batch, old.table)?;
        let none = || key_not_compared(old.table, "of the other table");
        let compare = if held.numbers.is_empty() { None } else { held.index.comparators(&arrays) };
        if compare.is_none() && !held.numbers.is_empty() {
            return Err(none());
        }
        let mut pairs = Pairs::default();
        for (row, hash) in hashes(&arrays).into_iter().enumerate() {
            let number = numbers.at(row);
            if let Some(place) = compare.as_ref().and_then(|compare| held.index.find(hash, compare, row)) {
                let partner = met.partners.get_mut(place).ok_or_else(none)?;
                if let Some(first) = partner.replace(number) {
                    return Err(self.repeated(old, (first, number)));
                }
                pairs.push((row, number), (held.at(place), held.number(place)));
                continue;
            }
            self.alone(old, batch, (row, number, hash), met)?;
            if only_old.count == 0 {
                only_old.first = self.key_bytes(old.table, batch, row)?;
            }
            only_old.count += 1;
            // One is always kept: it may be the first difference.
            if only_old.sample.len() < self.rule.sample_max.max(1) {
                only_old.sample.push(self.row_name(old.table, batch, row, number)?);
            }
        }
        Self::tally(old, batch, held, &pairs, tally)
    }

    /// Notes an old row that has no partner. That no other one has its key is checked where hashes are the same.
    fn alone(
        &self,
        old: &Flow<'_>,
        batch: &Batch,
        (row, number, hash): (usize, u64, u64),
        met: &mut Met,
    ) -> Result<(), CompareError> {
        let first = match met.alone.entry(hash) {
            Entry::Vacant(slot) => {
                slot.insert(number);
                return Ok(());
            }
            Entry::Occupied(slot) => *slot.get(),
        };
        let others = met.also_alone.iter().filter(|(other, _)| *other == hash).map(|(_, row)| *row);
        for other in std::iter::once(first).chain(others) {
            if self.key_of_row(old, other)? == Some(self.key_bytes(old.table, batch, row)?) {
                return Err(self.repeated(old, (other, number)));
            }
        }
        met.also_alone.push((hash, number));
        Ok(())
    }

    /// The key of an old row that has passed, read once more.
    fn key_of_row(&self, flow: &Flow<'_>, number: u64) -> Result<Option<Vec<u8>>, CompareError> {
        std::thread::scope(|scope| {
            for batch in flow.batches(scope)? {
                let Numbered { batch, numbers } = batch?;
                if let Some(row) = (0..batch.rows).find(|row| numbers.at(*row) == number) {
                    return self.key_bytes(flow.table, &batch, row).map(Some);
                }
            }
            Ok(None)
        })
    }

    fn tally(
        old: &Flow<'_>,
        batch: &Batch,
        held: &Held,
        pairs: &Pairs,
        tally: &mut Tally,
    ) -> Result<(), CompareError> {
        let columns = batch.columns.len();
        let path = &old.table.path;
        let gathered;
        let old_cells = if pairs.old.len() == batch.rows {
            &batch.columns
        } else {
            gathered = gather(std::slice::from_ref(batch), &pairs.old, columns, path)?;
            &gathered
        };
        let new_cells = gather(&held.batches, &pairs.new, columns, path)?;
        let block = Block {
            old: Side { cells: old_cells, start: 0, rows: RowNumbers::Each(&pairs.old_rows) },
            new: Side { cells: &new_cells, start: 0, rows: RowNumbers::Each(&pairs.new_rows) },
            rows: pairs.old.len(),
        };
        tally.add(&block).map_err(|fault| not_compared(old.table, fault))
    }

    /// The new rows whose keys no old row has.
    fn left_over(&self, new: &Flow<'_>, held: &Held, met: &Met) -> Result<OneSided, CompareError> {
        let mut only_new = OneSided::default();
        for place in (0..met.partners.len()).filter(|place| met.partners.get(*place) == Some(&None)) {
            let (batch, row) = held.at(place);
            let Some(batch) = held.batches.get(batch) else { continue };
            if only_new.count == 0 {
                only_new.first = self.key_bytes(new.table, batch, row)?;
            }
            only_new.count += 1;
            if only_new.sample.len() < self.rule.sample_max.max(1) {
                only_new.sample.push(self.row_name(new.table, batch, row, held.number(place))?);
            }
        }
        Ok(only_new)
    }

    fn key_bytes(&self, table: &Table<'_>, batch: &Batch, row: usize) -> Result<Vec<u8>, CompareError> {
        key_of(&self.agreement.keys, key_cells(self.agreement, batch), row)
            .map(<[u8]>::into_vec)
            .map_err(|kind| key_not_compared(table, &kind))
    }

    fn row_name(
        &self,
        table: &Table<'_>,
        batch: &Batch,
        row: usize,
        number: u64,
    ) -> Result<RowName, CompareError> {
        let key = named_key(&self.agreement.keys, key_cells(self.agreement, batch), row)
            .map_err(|kind| key_not_compared(table, &kind))?;
        Ok(RowName { row: number, key })
    }
}

/// Rows of an old batch and of the new side that have one key each: where they are, and their numbers.
#[derive(Debug, Default)]
struct Pairs {
    old: Vec<(usize, usize)>,
    new: Vec<(usize, usize)>,
    old_rows: Vec<u64>,
    new_rows: Vec<u64>,
}

impl Pairs {
    fn push(&mut self, (row, number): (usize, u64), (place, new_number): ((usize, usize), u64)) {
        self.old.push((0, row));
        self.old_rows.push(number);
        self.new.push(place);
        self.new_rows.push(new_number);
    }
}

fn gather(
    batches: &[Batch],
    places: &[(usize, usize)],
    columns: usize,
    path: &std::path::Path,
) -> Result<Vec<Cells>, CompareError> {
    let column = |index: usize| {
        let sources: Vec<&Cells> = batches.iter().filter_map(|batch| batch.columns.get(index)).collect();
        Cells::gather(&sources, places, path)
    };
    (0..columns).map(column).collect()
}

fn key_cells<'b>(agreement: &Agreement, batch: &'b Batch) -> &'b [Cells] {
    batch.columns.get(agreement.columns.len()..).unwrap_or_default()
}
