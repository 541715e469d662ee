//! Values that are right, in the wrong place: another column, or another row.

use std::borrow::Borrow;
use std::collections::BTreeSet;

use super::{CELLS_MIN, Cell, Difference, Evidence, Side, What, distinct_pairs};

/// Shifts by more rows than this are not looked for.
const SHIFT_MAX: usize = 1000;
/// A shift leaves at least this share of the rows to be compared with.
const OVERLAP_MIN_PERCENT: usize = 50;
/// Rows that must hold together for a shift: fewer could by chance.
const OVERLAP_ROWS_MIN: usize = 6;

/// NEW has the other column's OLD values, and the other column has this one's, at every differing row.
pub(super) fn swapped(evidence: &Evidence<'_>) -> Option<What> {
    if distinct_pairs(evidence.differences) < CELLS_MIN {
        return None;
    }
    let is_swap = |(difference, (old, new)): (&Difference, &(Cell, Cell))| {
        difference.new.is_same(old) && difference.old.is_same(new)
    };
    let fits = |other: &&super::Other| {
        other.cells.len() == evidence.differences.len()
            && evidence.differences.iter().zip(&other.cells).all(is_swap)
    };
    let mut fitting = evidence.others.iter().filter(fits);
    let with = fitting.next()?.name.clone();
    // Two columns that would do are two explanations, and at most one is right.
    fitting.next().is_none().then_some(What::Swapped { with })
}

/// One side is the other with some rows repeated right after themselves.
pub(super) fn duplicated(evidence: &Evidence<'_>) -> Option<What> {
    let (old, new) = evidence.columns?;
    if !is_varied(evidence.differences) {
        return None;
    }
    let (fewer, more, side) = match old.len().cmp(&new.len()) {
        std::cmp::Ordering::Less => (old, new, Side::New),
        std::cmp::Ordering::Greater => (new, old, Side::Old),
        std::cmp::Ordering::Equal => return None,
    };
    let lengths = (fewer.len() as u64, more.len() as u64);
    let first = first_repeat(fewer.iter(), more.iter(), lengths)?;
    Some(What::Duplicated { rows: lengths.1 - lengths.0, first, side })
}

/// Where the first of the rows stands that `more` repeats right after themselves, when that is all that sets it apart from
/// `fewer`. `lengths`: how many rows each has; cells that end before are none.
pub(crate) fn first_repeat<C: Borrow<Cell>>(
    fewer: impl Iterator<Item = C>,
    more: impl Iterator<Item = C>,
    lengths: (u64, u64),
) -> Option<u64> {
    let mut fewer = fewer.peekable();
    let (mut last, mut taken, mut first, mut rows): (Option<C>, u64, Option<u64>, u64) = (None, 0, None, 0);
    for cell in more {
        if fewer.peek().is_some_and(|wanted| wanted.borrow().is_same(cell.borrow())) {
            last = fewer.next();
            taken += 1;
        } else if last.as_ref().is_some_and(|last| last.borrow().is_same(cell.borrow())) {
            first = first.or(Some(rows));
        } else {
            return None;
        }
        rows += 1;
    }
    // Mostly repeated rows are another table.
    let holds = (taken, rows) == lengths && (rows - taken) * 2 <= taken;
    first.filter(|_| holds)
}

/// Every row has the value that stands a fixed number of rows away on the other side.
pub(crate) fn shifted(evidence: &Evidence<'_>) -> Option<What> {
    let (old, new) = evidence.columns?;
    let length = old.len().min(new.len());
    if !is_varied(evidence.differences) {
        return None;
    }
    let most = SHIFT_MAX.min(length * (100 - OVERLAP_MIN_PERCENT) / 100);
    let holds = |early: &[Cell], late: &[Cell], by: usize| {
        let overlap = length - by;
        let is_same = || early.iter().zip(&late[by..]).take(overlap).all(|(one, two)| one.is_same(two));
        let values = || early.iter().take(overlap).map(Cell::key).collect::<BTreeSet<_>>().len();
        overlap >= OVERLAP_ROWS_MIN && is_same() && values() >= CELLS_MIN
    };
    (1..=most).find_map(|by| {
        let rows = i64::try_from(by).ok()?;
        match (holds(old, new, by), holds(new, old, by)) {
            (true, false) => Some(Some(What::Shifted { rows })),
            (false, true) => Some(Some(What::Shifted { rows: -rows })),
            // Values that come again and again tell no direction.
            (true, true) => Some(None),
            (false, false) => None,
        }
    })?
}

/// Whether `late` has the cells of `early` from its start on, `overlap` of them.
pub(crate) fn follows<C: Borrow<Cell>>(
    early: impl Iterator<Item = C>,
    late: impl Iterator<Item = C>,
    overlap: u64,
) -> bool {
    let is_same = |(one, two): &(C, C)| one.borrow().is_same(two.borrow());
    early.zip(late).take_while(is_same).count() as u64 == overlap
}

/// Whether the differing values are enough to tell one row from another.
pub(crate) fn is_varied(differences: &[Difference]) -> bool {
    let values = differences.iter().flat_map(|difference| [difference.old.key(), difference.new.key()]);
    values.collect::<BTreeSet<_>>().len() >= CELLS_MIN && distinct_pairs(differences) >= CELLS_MIN
}
