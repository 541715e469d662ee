//! Why columns differ: witnesses become evidence, and an explanation that covers all of it stands beside the counts.

use super::agreement::{Agreement, Shared};
use super::witnesses::{Kept, Witnesses, cell_of};
use crate::error::CompareError;
use crate::explanation::rows::{first_repeat, follows, is_varied};
use crate::explanation::{Cell, Evidence, Explanation, Other, Side, What, explain};
use crate::report::ColumnDetail;
use crate::source::batch::{Batch, Cells};
use crate::source::table::Table;

/// How many rows of both sides are looked at to find out by how many they are shifted.
const HEAD_ROWS: usize = 4096;
/// How many columns are read again because nothing about their cells alone explains them.
const READ_AGAIN_MAX: usize = 64;

/// Names, for each column that differs, the simplest rule that covers its differing cells.
///
/// `tables`: both sides, where rows are compared by position, so that they may be shifted.
pub(super) fn explain_columns(
    columns: &mut [ColumnDetail],
    witnesses: Witnesses,
    agreement: &Agreement,
    tables: Option<(&Table<'_>, &Table<'_>)>,
    rows: u64,
) -> Result<(), CompareError> {
    if columns.iter().all(|column| column.cells_different == 0) {
        return Ok(());
    }
    let kept = witnesses.into_kept();
    let mut left = Vec::new();
    // The kept cells of each reported column, by its place among the compared ones.
    let place =
        |column: &ColumnDetail| agreement.columns.iter().position(|shared| shared.name == column.name);
    let places: Vec<Option<usize>> = columns.iter().map(place).collect();
    for at in 0..columns.len() {
        let Some((column, place)) = columns.get(at).zip(places.get(at).copied().flatten()) else { continue };
        let Some(own) = kept.get(place).filter(|own| !own.differences.is_empty()) else { continue };
        let others = swapped_with(columns, &places, &kept, at, own);
        let evidence = Evidence {
            differences: &own.differences,
            equal: &own.equal,
            totals: Some((column.cells_different, rows - column.cells_different)),
            columns: None,
            others: &others,
        };
        let found = explain(&evidence).map(|found| counted(found, column.cells_different));
        if found.is_none() && is_varied(&own.differences) {
            left.push((at, place));
        }
        if let Some(column) = columns.get_mut(at) {
            column.explanation = found;
        }
    }
    left.truncate(READ_AGAIN_MAX);
    if let Some((old, new)) = tables.filter(|_| !left.is_empty()) {
        let shared: Vec<&Shared> =
            left.iter().filter_map(|(_, place)| agreement.columns.get(*place)).collect();
        let found = moved_rows(old, new, &shared)?;
        for ((at, _), what) in left.iter().zip(found) {
            if let Some(column) = columns.get_mut(*at) {
                let cells = column.cells_different;
                column.explanation = what.map(|what| Explanation { what, cells, of: None });
            }
        }
    }
    Ok(())
}

fn counted(found: Explanation, cells_different: u64) -> Explanation {
    let of = (found.cells < cells_different).then_some(cells_different);
    Explanation { of, ..found }
}

/// Other columns that differ in just the same rows, and whose first cells are swapped with this one's.
fn swapped_with(
    columns: &[ColumnDetail],
    places: &[Option<usize>],
    kept: &[Kept],
    at: usize,
    own: &Kept,
) -> Vec<Other> {
    let Some(column) = columns.get(at) else { return Vec::new() };
    let fits = |other_at: usize| {
        let other = columns.get(other_at)?;
        let kept = kept.get(places.get(other_at).copied().flatten()?)?;
        let (first, theirs) = (own.differences.first()?, kept.differences.first()?);
        let is_other = other_at != at
            && other.cells_different == column.cells_different
            && kept.differences.len() == own.differences.len()
            && first.old.is_same(&theirs.new)
            && first.new.is_same(&theirs.old);
        let rows =
            |kept: &Kept| kept.differences.iter().map(|one| (one.row_old, one.row_new)).collect::<Vec<_>>();
        (is_other && rows(kept) == rows(own)).then(|| Other {
            name: other.name.clone(),
            cells: kept.differences.iter().map(|one| (one.old.clone(), one.new.clone())).collect(),
        })
    };
    (0..columns.len()).filter_map(fits).collect()
}

/// For each column, whether rows were repeated or shifted, which whole columns show.
fn moved_rows(
    old: &Table<'_>,
    new: &Table<'_>,
    shared: &[&Shared],
) -> Result<Vec<Option<What>>, CompareError> {
    let heads = (head(old, shared, |one| one.old)?, head(new, shared, |one| one.new)?);
    let mut found = Vec::with_capacity(shared.len());
    for ((column, one), two) in shared.iter().zip(heads.0).zip(heads.1) {
        let repeated = || -> Result<Option<What>, CompareError> {
            let lengths = (old.rows.min(new.rows), old.rows.max(new.rows));
            if lengths.0 == lengths.1 {
                return Ok(None);
            }
            let side = if old.rows < new.rows { Side::New } else { Side::Old };
            let (one, two) = (cells(old, column.old, column)?, cells(new, column.new, column)?);
            let first = match side {
                Side::New => first_repeat(one, two, lengths),
                Side::Old => first_repeat(two, one, lengths),
            };
            Ok(first.map(|first| What::Duplicated { rows: lengths.1 - lengths.0, first, side }))
        };
        let shifted = || -> Result<Option<What>, CompareError> {
            let Some(What::Shifted { rows }) = shift(&one, &two) else { return Ok(None) };
            let by = rows.unsigned_abs();
            let (one, two) = (cells(old, column.old, column)?, cells(new, column.new, column)?);
            let overlap = old.rows.min(new.rows).saturating_sub(by);
            let skipped = usize::try_from(by).unwrap_or(usize::MAX);
            let take = usize::try_from(overlap).unwrap_or(usize::MAX);
            let holds = if rows > 0 {
                follows(one.take(take), two.skip(skipped), overlap)
            } else {
                follows(two.take(take), one.skip(skipped), overlap)
            };
            Ok(holds.then_some(What::Shifted { rows }))
        };
        found.push(match repeated()? {
            Some(what) => Some(what),
            None => shifted()?,
        });
    }
    Ok(found)
}

/// By how many rows the heads of two columns are shifted.
fn shift(old: &[Cell], new: &[Cell]) -> Option<What> {
    let rows = old.iter().zip(new).enumerate();
    let differences: Vec<_> = rows
        .filter(|(_, (old, new))| !old.is_same(new))
        .map(|(row, (old, new))| crate::explanation::Difference {
            row_old: row as u64,
            row_new: row as u64,
            old: old.clone(),
            new: new.clone(),
        })
        .collect();
    let columns = Some((old, new));
    crate::explanation::rows::shifted(&Evidence { differences: &differences, columns, ..Evidence::default() })
}

/// The first cells of columns. A column is cut off where a cell is of a kind that no explanation is about.
fn head(
    table: &Table<'_>,
    shared: &[&Shared],
    index: fn(&Shared) -> usize,
) -> Result<Vec<Vec<Cell>>, CompareError> {
    let wanted: Vec<usize> = shared.iter().map(|column| index(column)).collect();
    let mut heads: Vec<(Vec<Cell>, bool)> = vec![(Vec::new(), true); shared.len()];
    let mut rows = 0;
    for batch in table.batches(&wanted)? {
        let batch = batch?;
        for ((column, cells), (head, is_whole)) in shared.iter().zip(&batch.columns).zip(&mut heads) {
            for row in 0..batch.rows.min(HEAD_ROWS - rows) {
                match cell(column, cells, row).filter(|_| *is_whole) {
                    Some(cell) => head.push(cell),
                    None => *is_whole = false,
                }
            }
        }
        rows += batch.rows.min(HEAD_ROWS - rows);
        if rows == HEAD_ROWS {
            break;
        }
    }
    Ok(heads.into_iter().map(|(head, _)| head).collect())
}

/// The cells of a column, up to one of a kind that no explanation is about. The comparison has read the file before: one
/// that cannot be read again ends here as well, and has no explanation.
fn cells<'t>(
    table: &'t Table<'_>,
    index: usize,
    column: &'t Shared,
) -> Result<impl Iterator<Item = Cell> + 't, CompareError> {
    let of_batch = move |batch: Batch| -> Vec<Option<Cell>> {
        let cells = batch.columns.first();
        (0..batch.rows).map(|row| cell(column, cells?, row)).collect()
    };
    let batches = table.batches(&[index])?;
    Ok(batches.map_while(Result::ok).flat_map(of_batch).map_while(|cell| cell))
}

fn cell(column: &Shared, cells: &Cells, row: usize) -> Option<Cell> {
    cell_of(&column.read(cells, row).ok()?)
}
