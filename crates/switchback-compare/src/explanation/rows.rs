//! Values that are right, in the wrong place: another column, or another row.

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
    let (mut at, mut first) = (0, None);
    for (row, cell) in more.iter().enumerate() {
        if fewer.get(at).is_some_and(|wanted| wanted.is_same(cell)) {
            at += 1;
        } else if at > 0 && fewer[at - 1].is_same(cell) {
            first = first.or(Some(row));
        } else {
            return None;
        }
    }
    let rows = more.len() - fewer.len();
    // Mostly repeated rows are another table.
    let holds = at == fewer.len() && rows * 2 <= fewer.len();
    holds.then_some(What::Duplicated { rows: rows as u64, first: first? as u64, side })
}

/// Every row has the value that stands a fixed number of rows away on the other side.
pub(super) fn shifted(evidence: &Evidence<'_>) -> Option<What> {
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
        match () {
            () if holds(old, new, by) => Some(What::Shifted { rows }),
            () if holds(new, old, by) => Some(What::Shifted { rows: -rows }),
            () => None,
        }
    })
}

/// Whether the differing values are enough to tell one row from another.
fn is_varied(differences: &[Difference]) -> bool {
    let values = differences.iter().flat_map(|difference| [difference.old.key(), difference.new.key()]);
    values.collect::<BTreeSet<_>>().len() >= CELLS_MIN && distinct_pairs(differences) >= CELLS_MIN
}
