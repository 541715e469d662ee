//! Rows matched by a key that may repeat: rows of one key are paired so that as many as possible are equal.
//!
//! Exact pairs come first, then the largest matching within the terms, then the fewest differing cells, then the order
//! of the rows. What is left over is on one side only.

use std::collections::HashMap;

use switchback_core::rule::Rule;

use super::Found;
use super::agreement::Agreement;
use super::assignment::cheapest_assignment;
use super::budget::Budget;
use super::flow::Flow;
use super::held::Held;
use super::index::{KeyForm, hashes};
use super::matching::{Pairs, Rows, Two};
use super::parts::in_parts;
use super::tally::Tally;
use crate::error::CompareError;
use crate::source::table::Table;

/// Up to so many pairs of rows of one key, the pairing has the fewest differing cells.
const PAIRS_MAX: usize = 90_000;
/// One differing row counts more than all differing cells, and one differing cell more than all places in the order.
const ROW_SHIFT: u32 = 90;
const CELL_SHIFT: u32 = 48;

/// Compares two tables by a key that may repeat.
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
    let mut found = Found::nothing(Tally::new(agreement, rule.sample_max).unordered());
    let mut large = 0;
    in_parts(
        &old,
        &new,
        &|flow, batch| {
            let keys = batch.columns.get(agreement.columns.len()..).unwrap_or_default();
            Ok(hashes(&form.arrays(&agreement.keys, keys, batch.rows, flow.table)?))
        },
        &mut |old, new| {
            let mut budget = Budget::of(rule);
            let (old, new) = (Held::read(old, &mut budget)?, Held::read(new, &mut budget)?);
            compare_held(&Two { old, new, agreement }, rule, &mut large, &mut found)
        },
    )?;
    if large > 0 {
        found.notes.push(format!(
            "the fewest differing cells were not searched for where one key has too many rows: these are paired in \
             order ({large} of the keys)"
        ));
    }
    Ok(found)
}

fn compare_held(two: &Two<'_>, rule: &Rule, large: &mut u64, found: &mut Found) -> Result<(), CompareError> {
    let agreement = two.agreement;
    let mut groups: HashMap<Box<[u8]>, Rows> = HashMap::new();
    for row in 0..two.old.rows {
        groups.entry(two.old.key(agreement, row)?).or_default().old.push(row);
    }
    for row in 0..two.new.rows {
        groups.entry(two.new.key(agreement, row)?).or_default().new.push(row);
    }
    let repeated = |rows: fn(&Rows) -> usize| groups.values().filter(|group| rows(group) > 1).count() as u64;
    found.duplicate_keys.0 += repeated(|group| group.old.len());
    found.duplicate_keys.1 += repeated(|group| group.new.len());
    let (mut pairs, mut left) = (Pairs::new(), Rows::default());
    for group in groups.values() {
        let paired = paired(two, group, large)?;
        let rest = group.without(&paired);
        left.old.extend(rest.old);
        left.new.extend(rest.new);
        pairs.extend(paired);
    }
    left.old.sort_unstable();
    left.new.sort_unstable();
    let key = |held: &Held<'_>, rows: &[usize]| match rows.first() {
        Some(row) => held.key(agreement, *row).map(<[u8]>::into_vec),
        None => Ok(Vec::new()),
    };
    let first = (key(&two.old, &left.old)?, key(&two.new, &left.new)?);
    two.conclude(pairs, &left, first, rule, found)
}

/// The pairs of one key's rows.
fn paired(two: &Two<'_>, group: &Rows, large: &mut u64) -> Result<Pairs, CompareError> {
    if let ([old], [new]) = (group.old.as_slice(), group.new.as_slice()) {
        return Ok(vec![(*old, *new)]);
    }
    if group.is_one_sided() {
        return Ok(Pairs::new());
    }
    let mut pairs = two.exact(group)?;
    let left = group.without(&pairs);
    if left.is_one_sided() {
        return Ok(pairs);
    }
    if left.old.len() * left.new.len() <= PAIRS_MAX {
        pairs.extend(cheapest(two, &left)?);
        return Ok(pairs);
    }
    pairs.extend(two.largest(&left, &Pairs::new())?);
    let left = group.without(&pairs);
    *large += u64::from(!left.is_one_sided());
    pairs.extend(left.old.into_iter().zip(left.new));
    Ok(pairs)
}

/// All rows of the smaller side in pairs: as many equal ones as there can be, then the fewest differing cells.
fn cheapest(two: &Two<'_>, rows: &Rows) -> Result<Pairs, CompareError> {
    let old_first = two.old_first(rows)?;
    let (one, other) = if old_first { (&rows.old, &rows.new) } else { (&rows.new, &rows.old) };
    let mut cost = Vec::with_capacity(one.len() * other.len());
    for (at, first) in one.iter().enumerate() {
        for (other_at, second) in other.iter().enumerate() {
            let (old, new) = if old_first { (*first, *second) } else { (*second, *first) };
            let cells = i128::from(two.cells_different(old, new)?);
            let apart = at.abs_diff(other_at);
            let order = i128::try_from(apart * apart + at + other_at).unwrap_or(0);
            cost.push((i128::from(cells > 0) << ROW_SHIFT) + (cells << CELL_SHIFT) + order);
        }
    }
    let assigned = cheapest_assignment(one.len(), other.len(), &cost);
    let pairs = one.iter().zip(assigned).filter_map(|(first, second)| {
        let second = *other.get(second)?;
        Some(if old_first { (*first, second) } else { (second, *first) })
    });
    Ok(pairs.collect())
}
