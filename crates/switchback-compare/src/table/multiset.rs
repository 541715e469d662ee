//! Rows as a multiset: each is matched with one that is equal, wherever it stands; what is left is on one side only.

use switchback_core::rule::Rule;

use super::Found;
use super::agreement::Agreement;
use super::budget::Budget;
use super::flow::Flow;
use super::held::Held;
use super::matching::{Pairs, Rows, Two, block_hashes};
use super::parts::in_parts;
use super::tally::Tally;
use crate::error::CompareError;
use crate::source::table::Table;

/// Compares two tables as multisets of rows.
pub(super) fn compare(
    old: &Table<'_>,
    new: &Table<'_>,
    agreement: &Agreement,
    rule: &Rule,
) -> Result<Found, CompareError> {
    let (old_columns, new_columns) = (agreement.old_columns(), agreement.new_columns());
    let (old, new) =
        (Flow::counted(old, &old_columns, agreement), Flow::counted(new, &new_columns, agreement));
    let mut found = Found::nothing(Tally::new(agreement, rule.sample_max).unordered());
    in_parts(&old, &new, &|flow, batch| block_hashes(agreement, flow.table, batch), &mut |old, new| {
        let mut budget = Budget::of(rule);
        let (old, new) = (Held::read(old, &mut budget)?, Held::read(new, &mut budget)?);
        compare_held(&Two { old, new, agreement }, rule, &mut found)
    })?;
    Ok(found)
}

fn compare_held(two: &Two<'_>, rule: &Rule, found: &mut Found) -> Result<(), CompareError> {
    let all = Rows { old: (0..two.old.rows).collect(), new: (0..two.new.rows).collect() };
    let mut pairs = two.exact(&all)?;
    let mut left = all.without(&pairs);
    if two.is_loose() && !left.is_one_sided() {
        pairs.extend(two.largest(&left, &Pairs::new())?);
        left = all.without(&pairs);
        if !left.is_one_sided() {
            // Some rows that found an identical one may be needed by others, which then makes more pairs.
            pairs = enlarged(two, &all, pairs)?;
            left = all.without(&pairs);
        }
    }
    let content = |is_old: bool, rows: &[usize]| match rows.first() {
        Some(row) => two.content(is_old, *row),
        None => Ok(Vec::new()),
    };
    let first = (content(true, &left.old)?, content(false, &left.new)?);
    two.conclude(pairs, &left, first, rule, found)
}

/// The largest pairing of all, where there is a larger one.
fn enlarged(two: &Two<'_>, all: &Rows, pairs: Pairs) -> Result<Pairs, CompareError> {
    let larger = two.largest(all, &pairs)?;
    Ok(if larger.len() > pairs.len() { larger } else { pairs })
}
