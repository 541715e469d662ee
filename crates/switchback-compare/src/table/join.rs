//! Row by row, matched by key: the new table is held in memory, the old one streams past it.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use switchback_core::rule::{Duplicates, Rule};

use super::agreement::{Agreement, Meeting, Shared};
use super::budget::Budget;
use super::key::{key_of, named_key};
use super::lockstep::{Cursor, ended_early, not_compared};
use super::tally::{Block, RowNumbers, Side, Tally};
use super::{Found, OneSided};
use crate::error::{CompareError, Place};
use crate::report::RowName;
use crate::source::batch::{Batch, Cells};
use crate::source::table::Table;
use crate::value::{Number, Value};

/// Which rows have a key.
#[derive(Debug, Default, Clone, Copy)]
struct Slot {
    old: Option<u64>,
    /// Number, batch, and row in the batch.
    new: Option<(u64, usize, usize)>,
}

type Slots = HashMap<Box<[u8]>, Slot>;

/// Compares two tables by key.
pub(super) fn compare(
    old: &Table<'_>,
    new: &Table<'_>,
    agreement: &Agreement,
    rule: &Rule,
) -> Result<Found, CompareError> {
    let mut slots = Slots::new();
    let mut budget = Budget::of(rule);
    let held = hold(new, agreement, &mut slots, &mut budget)?;
    let columns = agreement.columns.len() + agreement.keys.len();
    let mut tally = Tally::new(agreement, rule.sample_max);
    let mut only_old = OneSided::default();
    let mut number = 0;
    for batch in old.batches(&agreement.old_columns())? {
        let batch = batch?;
        let mut pairs = Pairs::default();
        for row in 0..batch.rows {
            let key = read_key(old, agreement, &batch, row)?;
            budget.key(old, &key)?;
            let slot = slots.entry(key).or_default();
            if let Some(first) = slot.old.replace(number) {
                return Err(repeated(old, agreement, &batch, row, (first, number)));
            }
            if let Some((new_number, new_batch, new_row)) = slot.new {
                pairs.old.push((0, row));
                pairs.new.push((new_batch, new_row));
                pairs.old_rows.push(number);
                pairs.new_rows.push(new_number);
            } else {
                if only_old.count == 0 {
                    only_old.first = read_key(old, agreement, &batch, row)?.into_vec();
                }
                only_old.add(row_name(old, agreement, &batch, row, number)?, rule.sample_max);
            }
            number += 1;
        }
        let old_cells = gather(std::slice::from_ref(&batch), &pairs.old, columns, old)?;
        let new_cells = gather(&held, &pairs.new, columns, new)?;
        let block = Block {
            old: Side { cells: &old_cells, start: 0, rows: RowNumbers::Each(&pairs.old_rows) },
            new: Side { cells: &new_cells, start: 0, rows: RowNumbers::Each(&pairs.new_rows) },
            rows: pairs.old.len(),
        };
        tally.add(&block).map_err(|fault| not_compared(old, fault))?;
    }
    if number != old.rows {
        return Err(ended_early(old, number));
    }
    let mut left: Vec<_> =
        slots.into_values().filter(|slot| slot.old.is_none()).filter_map(|slot| slot.new).collect();
    left.sort_unstable();
    let mut only_new = OneSided { count: left.len() as u64, ..OneSided::default() };
    if let Some((_, batch, row)) = left.first()
        && let Some(batch) = held.get(*batch)
    {
        only_new.first = read_key(new, agreement, batch, *row)?.into_vec();
    }
    for (number, batch, row) in left.into_iter().take(rule.sample_max.max(1)) {
        if let Some(batch) = held.get(batch) {
            only_new.sample.push(row_name(new, agreement, batch, row, number)?);
        }
    }
    Ok(Found { tally, only_old, only_new, duplicate_keys: (0, 0), notes: Vec::new() })
}

/// How many keys of a table name several rows; where the rule asks for unique keys, the first such key is an error.
/// Without a key there is nothing to count.
pub(super) fn repeated_keys(
    table: &Table<'_>,
    agreement: &Agreement,
    rule: &Rule,
) -> Result<u64, CompareError> {
    if agreement.keys.is_empty() {
        return Ok(0);
    }
    if is_increasing(table, agreement)? {
        return Ok(0);
    }
    // The first row of each key, and whether there was another.
    let mut seen: HashMap<Box<[u8]>, (u64, bool)> = HashMap::new();
    let wanted: Vec<usize> = agreement.keys.iter().map(|key| key.old).collect();
    let (mut number, mut repeated) = (0, 0);
    let mut budget = Budget::of(rule);
    for batch in table.batches(&wanted)? {
        let batch = batch?;
        for row in 0..batch.rows {
            let key = key_of(&agreement.keys, &batch.columns, row)
                .map_err(|kind| key_not_compared(table, &kind))?;
            budget.key(table, &key)?;
            match seen.entry(key) {
                Entry::Vacant(slot) => {
                    slot.insert((number, false));
                }
                Entry::Occupied(slot) if rule.duplicates == Duplicates::Error => {
                    let named = named_key(&agreement.keys, &batch.columns, row).unwrap_or_default();
                    return Err(repeated_key(table, named, (slot.get().0, number)));
                }
                Entry::Occupied(mut slot) => {
                    repeated += u64::from(!std::mem::replace(&mut slot.get_mut().1, true));
                }
            }
            number += 1;
        }
    }
    if number == table.rows { Ok(repeated) } else { Err(ended_early(table, number)) }
}

/// Whether a key of one number grows from row to row, so that none repeats. Looks no further than it does.
fn is_increasing(table: &Table<'_>, agreement: &Agreement) -> Result<bool, CompareError> {
    let [key] = agreement.keys.as_slice() else { return Ok(false) };
    let mut last: Option<Number> = None;
    let mut rows = 0;
    for batch in table.batches(&[key.old])? {
        let batch = batch?;
        let Some(cells) = batch.columns.first() else { return Ok(false) };
        for row in 0..batch.rows {
            let value = cells.value(row).map_err(|kind| key_not_compared(table, &kind))?;
            let Value::Number(number) = value else { return Ok(false) };
            let grows = last.as_ref().is_none_or(|last| last.order(&number).is_lt());
            if !number.is_finite() || !grows {
                return Ok(false);
            }
            last = Some(number);
        }
        rows += batch.rows as u64;
    }
    if rows == table.rows { Ok(true) } else { Err(ended_early(table, rows)) }
}

/// Whether both tables have the same keys in the same order.
pub(super) fn keys_line_up(
    old: &Table<'_>,
    new: &Table<'_>,
    agreement: &Agreement,
) -> Result<bool, CompareError> {
    if old.rows != new.rows {
        return Ok(false);
    }
    let columns = |of: fn(&Shared) -> usize| agreement.keys.iter().map(of).collect::<Vec<_>>();
    let read = vec![false; agreement.keys.len()];
    let mut one = Cursor::new(old, &columns(|key| key.old), &read)?;
    let mut two = Cursor::new(new, &columns(|key| key.new), &read)?;
    let bits_prove = agreement.keys.iter().all(|key| key.meeting == Meeting::OneType);
    loop {
        let rows = one.fill()?.min(two.fill()?);
        let (Some(old_batch), Some(new_batch)) = (&one.batch, &two.batch) else {
            // Files that end before the rows that they name are found when they are compared.
            return Ok(one.batch.is_none() && two.batch.is_none());
        };
        let same_bits =
            |(cells, others): (&Cells, &Cells)| cells.same_bits(one.start, others, two.start, rows);
        if !(bits_prove && old_batch.columns.iter().zip(&new_batch.columns).all(same_bits)) {
            for row in 0..rows {
                let key = key_of(&agreement.keys, &old_batch.columns, one.start + row)
                    .map_err(|kind| key_not_compared(old, &kind))?;
                let other = key_of(&agreement.keys, &new_batch.columns, two.start + row)
                    .map_err(|kind| key_not_compared(new, &kind))?;
                if key != other {
                    return Ok(false);
                }
            }
        }
        one.start += rows;
        two.start += rows;
    }
}

/// Reads a whole table and notes where each key is.
fn hold(
    table: &Table<'_>,
    agreement: &Agreement,
    slots: &mut Slots,
    budget: &mut Budget,
) -> Result<Vec<Batch>, CompareError> {
    let mut held = Vec::new();
    let mut number = 0;
    for batch in table.batches(&agreement.new_columns())? {
        let batch = batch?;
        budget.batch(table, &batch)?;
        for row in 0..batch.rows {
            let key = read_key(table, agreement, &batch, row)?;
            budget.key(table, &key)?;
            let slot = slots.entry(key).or_default();
            if let Some((first, _, _)) = slot.new.replace((number, held.len(), row)) {
                return Err(repeated(table, agreement, &batch, row, (first, number)));
            }
            number += 1;
        }
        held.push(batch);
    }
    if number == table.rows { Ok(held) } else { Err(ended_early(table, number)) }
}

#[derive(Debug, Default)]
struct Pairs {
    old: Vec<(usize, usize)>,
    new: Vec<(usize, usize)>,
    old_rows: Vec<u64>,
    new_rows: Vec<u64>,
}

impl OneSided {
    pub(super) fn add(&mut self, row: RowName, sample_max: usize) {
        self.count += 1;
        // One is always kept: it may be the first difference.
        if self.sample.len() < sample_max.max(1) {
            self.sample.push(row);
        }
    }
}

fn gather(
    batches: &[Batch],
    places: &[(usize, usize)],
    columns: usize,
    table: &Table<'_>,
) -> Result<Vec<Cells>, CompareError> {
    let column = |index: usize| {
        let sources: Vec<&Cells> = batches.iter().filter_map(|batch| batch.columns.get(index)).collect();
        Cells::gather(&sources, places, &table.path)
    };
    (0..columns).map(column).collect()
}

fn key_cells<'b>(agreement: &Agreement, batch: &'b Batch) -> &'b [Cells] {
    batch.columns.get(agreement.columns.len()..).unwrap_or_default()
}

fn read_key(
    table: &Table<'_>,
    agreement: &Agreement,
    batch: &Batch,
    row: usize,
) -> Result<Box<[u8]>, CompareError> {
    key_of(&agreement.keys, key_cells(agreement, batch), row).map_err(|kind| key_not_compared(table, &kind))
}

pub(super) fn key_not_compared(table: &Table<'_>, kind: &str) -> CompareError {
    let reason = format!("a key of the type `{kind}` cannot be compared");
    CompareError::damaged(&table.path, Place::default(), reason)
}

fn row_name(
    table: &Table<'_>,
    agreement: &Agreement,
    batch: &Batch,
    row: usize,
    number: u64,
) -> Result<RowName, CompareError> {
    let key = named_key(&agreement.keys, key_cells(agreement, batch), row)
        .map_err(|kind| key_not_compared(table, &kind))?;
    Ok(RowName { row: number, key })
}

fn repeated(
    table: &Table<'_>,
    agreement: &Agreement,
    batch: &Batch,
    row: usize,
    rows: (u64, u64),
) -> CompareError {
    match row_name(table, agreement, batch, row, rows.1) {
        Ok(name) => repeated_key(table, name.key, rows),
        Err(error) => error,
    }
}

fn repeated_key(
    table: &Table<'_>,
    key: Vec<(String, serde_json::Value)>,
    (first, second): (u64, u64),
) -> CompareError {
    let parts: Vec<_> = key.into_iter().map(|(name, value)| format!("{name} = {value}")).collect();
    CompareError::RepeatedKey { path: table.path.clone(), key: parts.join(", "), first, second }
}
