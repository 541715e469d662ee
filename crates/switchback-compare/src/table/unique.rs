//! Whether the keys of one table name one row each.

use switchback_core::rule::{Duplicates, Rule};

use super::agreement::Agreement;
use super::budget::Budget;
use super::flow::{Flow, Numbers};
use super::growing::Growing;
use super::index::{INDEX_BYTES, KeyForm, KeyIndex, Twice, hashes};
use super::key::{key_not_compared, named_key};
use super::lockstep::ended_early;
use super::parts::in_parts;
use crate::error::CompareError;
use crate::source::table::Table;

/// What the index takes for each row, beside the key: also its number.
const ROW_BYTES: u64 = INDEX_BYTES + size_of::<u64>() as u64;

/// How many keys of a table name several rows; where the rule asks for unique keys, the first such key is an error.
/// Without a key there is nothing to count.
pub(super) fn repeated_keys(
    table: &Table<'_>,
    agreement: &Agreement,
    rule: &Rule,
) -> Result<u64, CompareError> {
    if agreement.keys.is_empty() || is_growing(table, agreement)? {
        return Ok(0);
    }
    repeated_keys_in_no_order(table, agreement, rule)
}

/// The same of a table whose keys are known not to grow from row to row.
pub(super) fn repeated_keys_in_no_order(
    table: &Table<'_>,
    agreement: &Agreement,
    rule: &Rule,
) -> Result<u64, CompareError> {
    let wanted: Vec<usize> = agreement.keys.iter().map(|key| key.old).collect();
    let form = KeyForm::of(agreement, table, table);
    let (all, nothing) = (Flow::counted(table, &wanted, agreement), Flow::nothing(table, &wanted));
    let mut repeated = Vec::new();
    in_parts(
        &all,
        &nothing,
        &|flow, batch| Ok(hashes(&form.arrays(&agreement.keys, &batch.columns, batch.rows, flow.table)?)),
        &mut |flow, _| {
            repeated.extend(repeated_of(flow, agreement, &form, &mut Budget::of(rule))?);
            Ok(())
        },
    )?;
    // The key of which a second row comes first.
    let earliest = repeated.iter().min_by_key(|(_, second)| *second);
    if let (Duplicates::Error, Some((first, second))) = (rule.duplicates, earliest) {
        return Err(repeated_key(table, agreement, &wanted, (*first, *second)));
    }
    Ok(repeated.len() as u64)
}

/// The first two rows of each key that has several.
fn repeated_of(
    flow: &Flow<'_>,
    agreement: &Agreement,
    form: &KeyForm,
    budget: &mut Budget,
) -> Result<Vec<(u64, u64)>, CompareError> {
    let (mut keys, mut all_hashes, mut numbers) = (Vec::new(), Vec::new(), Vec::new());
    std::thread::scope(|scope| {
        for batch in flow.batches(scope)? {
            let batch = batch?;
            let arrays = form.arrays(&agreement.keys, &batch.batch.columns, batch.batch.rows, flow.table)?;
            budget.arrays(flow.table, &arrays)?;
            let places = numbers.len() + batch.batch.rows;
            budget.places(flow.table, places, batch.batch.rows as u64 * ROW_BYTES)?;
            all_hashes.extend(hashes(&arrays));
            keys.push(arrays);
            numbers.extend((0..batch.batch.rows).map(|row| batch.numbers.at(row)));
        }
        Ok::<(), CompareError>(())
    })?;
    let (_, repeated) = KeyIndex::of(&keys, &all_hashes, flow.table)?;
    let number = |place: usize| numbers.get(place).copied().unwrap_or_default();
    Ok(repeated.into_iter().map(|Twice { first, second }| (number(first), number(second))).collect())
}

fn is_growing(table: &Table<'_>, agreement: &Agreement) -> Result<bool, CompareError> {
    let wanted: Vec<usize> = agreement.keys.iter().map(|key| key.old).collect();
    let mut growing = Growing::new();
    let mut rows = 0;
    for batch in table.batches(&wanted)? {
        let batch = batch?;
        growing
            .follow(&agreement.keys, &batch.columns, 0, batch.rows)
            .map_err(|kind| key_not_compared(table, &kind))?;
        if !growing.holds() {
            return Ok(false);
        }
        rows += batch.rows as u64;
    }
    if rows == table.rows { Ok(true) } else { Err(ended_early(table, rows)) }
}

/// Two rows of one key as an error. `wanted`: the columns of the key in that table.
pub(super) fn repeated_key(
    table: &Table<'_>,
    agreement: &Agreement,
    wanted: &[usize],
    (first, second): (u64, u64),
) -> CompareError {
    let key = match shown_key(table, agreement, wanted, second) {
        Ok(key) => key,
        Err(error) => return error,
    };
    CompareError::RepeatedKey { path: table.path.clone(), key, first, second }
}

/// The key of a row in words: it is read once more.
fn shown_key(
    table: &Table<'_>,
    agreement: &Agreement,
    wanted: &[usize],
    row: u64,
) -> Result<String, CompareError> {
    let flow = Flow::whole(table, wanted);
    std::thread::scope(|scope| {
        for batch in flow.batches(scope)? {
            let batch = batch?;
            let Numbers::From(first) = batch.numbers else { continue };
            let at = row.checked_sub(first).and_then(|at| usize::try_from(at).ok());
            if let Some(at) = at.filter(|at| *at < batch.batch.rows) {
                let key = named_key(&agreement.keys, &batch.batch.columns, at)
                    .map_err(|kind| key_not_compared(table, &kind))?;
                let parts: Vec<_> =
                    key.into_iter().map(|(name, value)| format!("{name} = {value}")).collect();
                return Ok(parts.join(", "));
            }
        }
        Err(ended_early(table, row))
    })
}
