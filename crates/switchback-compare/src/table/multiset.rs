//! Rows as a multiset: each is matched with one that is equal, wherever it stands; what is left is on one side only.

use switchback_core::rule::Rule;

use super::Found;
use super::agreement::Agreement;
use super::budget::Budget;
use super::held::{Held, tally_pairs};
use super::matching::{Pairs, Rows, Two};
use crate::error::CompareError;
use crate::source::table::Table;

/// Compares two tables as multisets of rows.
pub(super) fn compare(
    old: &Table<'_>,
    new: &Table<'_>,
    agreement: &Agreement,
    rule: &Rule,
) -> Result<Found, CompareError> {
    let mut budget = Budget::of(rule);
    let two = Two {
        old: Held::read(old, &agreement.old_columns(), &mut budget)?,
        new: Held::read(new, &agreement.new_columns(), &mut budget)?,
        agreement,
    };
    let all = Rows { old: (0..two.old.rows).collect(), new: (0..two.new.rows).collect() };
    let mut pairs = two.exact(&all)?;
    let mut left = all.without(&pairs);
    if two.is_loose() && !left.is_one_sided() {
        pairs.extend(two.largest(&left, &Pairs::new())?);
        left = all.without(&pairs);
        if !left.is_one_sided() {
            // Some rows that found an identical one may be needed by others, which then makes more pairs.
            pairs = enlarged(&two, &all, pairs)?;
            left = all.without(&pairs);
        }
    }
    pairs.sort_unstable();
    let first = |is_old: bool, rows: &[usize]| rows.first().map(|row| two.content(is_old, *row)).transpose();
    let (first_old, first_new) = (first(true, &left.old)?, first(false, &left.new)?);
    Ok(Found {
        tally: tally_pairs(&two.old, &two.new, agreement, &pairs, rule.sample_max)?,
        only_old: two.old.one_sided(agreement, &left.old, first_old.unwrap_or_default(), rule.sample_max)?,
        only_new: two.new.one_sided(agreement, &left.new, first_new.unwrap_or_default(), rule.sample_max)?,
        duplicate_keys: (0, 0),
        notes: Vec::new(),
    })
}

/// The largest pairing of all, where there is a larger one.
fn enlarged(two: &Two<'_>, all: &Rows, pairs: Pairs) -> Result<Pairs, CompareError> {
    let larger = two.largest(all, &pairs)?;
    Ok(if larger.len() > pairs.len() { larger } else { pairs })
}
