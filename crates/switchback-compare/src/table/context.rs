//! Rows that differ as a person wants to see them: the cells that differ between the ones beside them.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::agreement::{Agreement, Shared};
use super::tally::Block;
use crate::excerpt::around_difference;
use crate::report::{Cell, ContextCell, Relation, RowContext};
use crate::source::batch::Cells;
use crate::source::table::Table;
use crate::value::Value;

/// How many compared columns beside a cell that differs are shown, on both of its sides together.
pub(super) const BESIDE_MAX: usize = 12;
/// The longest value that is kept, in characters. A longer one is kept as text, as a piece of it.
const VALUE_MAX: usize = 256;
/// Cells of columns that were proved without being read are read from among so many rows, at most.
const READ_AGAIN_ROWS_MAX: u64 = 1 << 17;

/// The cells of one row around one that differs, by their place among the compared columns.
#[derive(Debug, Clone, Default)]
pub(super) struct Around(BTreeMap<usize, Beside>);

/// A cell beside one that differs, or this one itself.
#[derive(Debug, Clone)]
enum Beside {
    Read {
        old: Json,
        new: Json,
        relation: Relation,
    },
    /// It was not read: its column is known to be the same.
    Proved,
}

/// The places that are shown around one, as many as there are up to [`BESIDE_MAX`] beside it.
fn places(column: usize, columns: usize) -> std::ops::Range<usize> {
    let start = column.saturating_sub(BESIDE_MAX / 2).min(columns.saturating_sub(BESIDE_MAX + 1));
    start..(start + BESIDE_MAX + 1).min(columns)
}

impl Around {
    /// Reads a row of a block around one of its compared columns.
    pub(super) fn read(
        block: &Block<'_>,
        row: usize,
        column: usize,
        shared: &[&Shared],
    ) -> Result<Self, String> {
        let mut around = BTreeMap::new();
        for at in places(column, shared.len()) {
            let (Some(one), Some(old), Some(new)) =
                (shared.get(at), block.old.cells.get(at), block.new.cells.get(at))
            else {
                continue;
            };
            let beside = if matches!((old, new), (Cells::Skipped, _) | (_, Cells::Skipped)) {
                Beside::Proved
            } else {
                let old = one.read(old, block.old.start + row)?;
                let new = one.read(new, block.new.start + row)?;
                let relation = one.find(&old, &new).closeness.into();
                let (old, new) = kept((&old, &new));
                Beside::Read { old, new, relation }
            };
            around.insert(at, beside);
        }
        Ok(Self(around))
    }
}

/// Two values for a report, and pieces of them where they are long.
fn kept((old, new): (&Value<'_>, &Value<'_>)) -> (Json, Json) {
    let (old, new) = (old.to_json(), new.to_json());
    let text = |value: &Json| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let is_long = |value: &Json| match value {
        Json::String(text) => text.chars().nth(VALUE_MAX).is_some(),
        Json::Array(_) | Json::Object(_) => value.to_string().chars().nth(VALUE_MAX).is_some(),
        _ => false,
    };
    match (is_long(&old), is_long(&new)) {
        (false, false) => (old, new),
        (old_is_long, new_is_long) => {
            let (old_piece, new_piece) = around_difference(&text(&old), &text(&new), VALUE_MAX);
            let of = |value, piece: String, is_long| if is_long { Json::String(piece) } else { value };
            (of(old, old_piece, old_is_long), of(new, new_piece, new_is_long))
        }
    }
}

/// The sampled cells and what is around them, row by row. `is_next_row` says of two sampled cells whether they are of
/// different rows.
pub(super) fn rows(
    sampled: impl Iterator<Item = (Cell, Around, bool)>,
    agreement: &Agreement,
    old: &Table<'_>,
) -> Vec<RowContext> {
    let mut rows: Vec<(Cell, Around)> = Vec::new();
    for (cell, around, is_next_row) in sampled {
        match rows.last_mut() {
            Some((_, all)) if !is_next_row => all.0.extend(around.0),
            _ => rows.push((cell, around)),
        }
    }
    let read = read_again(&rows, agreement, old);
    let row = |(cell, around): (Cell, Around)| {
        let row = cell.row_old;
        let cells: Vec<ContextCell> = around
            .0
            .into_iter()
            .filter_map(|(at, beside)| {
                let column = agreement.columns.get(at)?.name.clone();
                Some(match beside {
                    Beside::Read { old, new, relation } => ContextCell { column, old, new, relation },
                    Beside::Proved => {
                        let value = read.get(&(row?, at))?.clone();
                        ContextCell { column, old: value.clone(), new: value, relation: Relation::Bitwise }
                    }
                })
            })
            .collect();
        RowContext {
            row_old: cell.row_old,
            row_new: cell.row_new,
            key: cell.key,
            columns_more: agreement.columns.len() - cells.len(),
            cells,
        }
    };
    rows.into_iter().map(row).collect()
}

/// The cells that were proved without being read, by row and place. Rows far from the start are left out: to get there
/// takes as long as the proof saved. So are cells that cannot be read: the verdict does not rest on them.
fn read_again(
    rows: &[(Cell, Around)],
    agreement: &Agreement,
    old: &Table<'_>,
) -> BTreeMap<(u64, usize), Json> {
    let mut missing: BTreeMap<usize, Vec<u64>> = BTreeMap::new();
    for (cell, around) in rows {
        let Some(row) = cell.row_old.filter(|row| *row < READ_AGAIN_ROWS_MAX) else { continue };
        for (at, _) in around.0.iter().filter(|(_, beside)| matches!(beside, Beside::Proved)) {
            missing.entry(*at).or_default().push(row);
        }
    }
    let mut found = BTreeMap::new();
    let Some(last) = missing.values().flatten().max().copied() else { return found };
    let columns: Vec<(usize, &Shared)> =
        missing.keys().filter_map(|at| Some((*at, agreement.columns.get(*at)?))).collect();
    let wanted: Vec<usize> = columns.iter().map(|(_, column)| column.old).collect();
    let mut start = 0;
    let Ok(batches) = old.batches(&wanted) else { return found };
    for batch in batches {
        let Ok(batch) = batch else { break };
        let end = start + batch.rows as u64;
        for ((at, column), cells) in columns.iter().zip(&batch.columns) {
            let rows = missing.get(at).into_iter().flatten().filter(|row| (start..end).contains(*row));
            for row in rows {
                // The row is within the batch, so the difference is small; a cell that cannot be shown is left out.
                let value = usize::try_from(*row - start).ok().and_then(|row| column.read(cells, row).ok());
                if let Some(value) = value {
                    found.insert((*row, *at), kept((&value, &value)).0);
                }
            }
        }
        start = end;
        if start > last {
            break;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_columns_around_one_are_as_many_at_the_edges_as_in_the_middle() {
        assert_eq!(places(0, 60), 0..13);
        assert_eq!(places(30, 60), 24..37);
        assert_eq!(places(59, 60), 47..60);
        assert_eq!(places(3, 5), 0..5);
    }

    #[test]
    fn long_values_are_kept_as_the_pieces_that_differ() {
        let same = "x".repeat(5000);
        let (old, new) = (format!("{same}a"), format!("{same}b"));
        let (old, new) = kept((&Value::Text(old.as_str().into()), &Value::Text(new.as_str().into())));
        let (old, new) = (old.as_str().unwrap(), new.as_str().unwrap());
        assert!(old.ends_with('a') && new.ends_with('b') && old.chars().count() <= VALUE_MAX, "{old} {new}");
        let list = Value::List(vec![Value::Boolean(true); 500]);
        assert!(kept((&list, &Value::Null)).0.as_str().unwrap().starts_with("[true,"));
        assert_eq!(kept((&list, &Value::Null)).1, Json::Null);
    }
}
