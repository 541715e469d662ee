//! A comparison that looks at rows in no order: of all rows at once where they fit into memory, else part by part.

use super::flow::Flow;
use super::spill::{Route, split};
use crate::error::CompareError;

/// How often a part is split again. Beyond, its rows have one hash, and stay together.
const DEPTH_MAX: u32 = 4;

/// Compares rows that fit into memory, and else fails with [`CompareError::Memory`] before anything was counted.
pub(super) type Compare<'c> = &'c mut dyn FnMut(&Flow<'_>, &Flow<'_>) -> Result<(), CompareError>;

/// Compares two sides as a whole, or in parts between which no row of one side meets any of the other.
///
/// # Errors
///
/// Those of `compare`; [`CompareError::Memory`] when rows that may meet one another do not fit.
pub(super) fn in_parts(
    old: &Flow<'_>,
    new: &Flow<'_>,
    route: Route<'_>,
    compare: Compare<'_>,
) -> Result<(), CompareError> {
    at_depth((old, new), route, compare, 0)
}

fn at_depth(
    (old, new): (&Flow<'_>, &Flow<'_>),
    route: Route<'_>,
    compare: Compare<'_>,
    depth: u32,
) -> Result<(), CompareError> {
    let too_large = match compare(old, new) {
        Err(error @ CompareError::Memory { .. }) if depth < DEPTH_MAX => error,
        done => return done,
    };
    let old_parts = split(old, route, depth)?;
    let new_parts = split(new, route, depth)?;
    for (one, two) in old_parts.iter().zip(&new_parts) {
        if one.rows == old.rows() && two.rows == new.rows() {
            return Err(too_large);
        }
        if one.rows + two.rows > 0 {
            at_depth((&old.of(one), &new.of(two)), route, compare, depth + 1)?;
        }
    }
    Ok(())
}
