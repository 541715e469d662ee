//! Old rows beside the new rows of their keys, and which of these pairs are not surely the same bits.

use arrow_row::{Row, Rows};

use super::flow::{Flow, Numbered};
use super::index::{are_equal, hashes};
use super::key::key_not_compared;
use super::keyed::{Form, Keyed};
use super::rowed::Layout;
use super::tally::{Block, RowNumbers, Side};
use crate::error::CompareError;
use crate::source::batch::Cells;

/// What the new side has for the rows of one old batch.
pub(super) struct Met {
    /// Of each row's key.
    pub(super) hashes: Vec<u64>,
    /// For each row, where its partner stands, if there is one.
    pub(super) partners: Vec<Option<Partner>>,
}

/// The new row of a key.
#[derive(Debug, Clone, Copy)]
pub(super) struct Partner {
    pub(super) place: usize,
    /// Whether all cells are known to be the same bits.
    pub(super) is_same: bool,
}

impl Met {
    /// Looks the rows of a batch up.
    ///
    /// # Errors
    ///
    /// Keys or columns that cannot be compared.
    pub(super) fn of(
        flow: &Flow<'_>,
        Numbered { batch, .. }: &Numbered,
        keyed: &Keyed,
        (form, layout): (Form<'_>, Option<&Layout>),
    ) -> Result<Self, CompareError> {
        let keys = form.key_arrays(flow, batch)?;
        let hashes = hashes(&keys);
        if keyed.rows() == 0 {
            return Ok(Self { partners: vec![None; hashes.len()], hashes });
        }
        let compare = keyed.index.comparators(&keys);
        let compare = compare.ok_or_else(|| key_not_compared(flow.table, "of the other table"))?;
        let rows = layout.map(|layout| layout.rows(batch, &flow.table.path)).transpose()?;
        let found = match &rows {
            Some(rows) => same_rows(rows, &hashes, keyed),
            None => vec![None; hashes.len()],
        };
        let partner = |(row, (hash, same)): (usize, (&u64, Option<usize>))| {
            if let Some(place) = same {
                return Some(Partner { place, is_same: true });
            }
            let place = keyed.index.find(*hash, |place| are_equal(&compare, place, row))?;
            Some(Partner { place, is_same: false })
        };
        let partners = hashes.iter().zip(found).enumerate().map(partner).collect();
        Ok(Self { hashes, partners })
    }
}

/// For each old row, the place of the new row of its key where all bits of both are the same.
///
/// The new side is far larger than what a processor keeps at hand, so each row waits for memory. Step by step for all rows,
/// these waits overlap; row by row they would follow one another.
fn same_rows(rows: &Rows, hashes: &[u64], keyed: &Keyed) -> Vec<Option<usize>> {
    let likely: Vec<Option<usize>> = hashes.iter().map(|hash| keyed.index.likely(*hash)).collect();
    let held: Vec<Option<Row<'_>>> = likely.iter().map(|place| keyed.row((*place)?)).collect();
    // Rows of the same bits have the same key, so nothing else need be asked.
    let is_same =
        |row: usize, held: Option<Row<'_>>| held.is_some_and(|held| held.data() == rows.row(row).data());
    let each = likely.into_iter().zip(held).enumerate();
    each.map(|(row, (place, held))| place.filter(|_| is_same(row, held))).collect()
}

/// Rows of both sides that have one key each: where they are, and their numbers.
#[derive(Debug, Default)]
pub(super) struct Pairs {
    /// A batch of the group that is looked at, and the row in it.
    pub(super) old: Vec<(usize, usize)>,
    /// The place among the held rows.
    pub(super) new: Vec<usize>,
    old_rows: Vec<u64>,
    new_rows: Vec<u64>,
}

impl Pairs {
    /// `rows`: their numbers.
    pub(super) fn push(&mut self, old: (usize, usize), new: usize, rows: (u64, u64)) {
        self.old.push(old);
        self.new.push(new);
        self.old_rows.push(rows.0);
        self.new_rows.push(rows.1);
    }

    /// The pairs, with the cells that were gathered for them.
    pub(super) fn block<'b>(&'b self, old: &'b [Cells], new: &'b [Cells]) -> Block<'b> {
        Block {
            old: Side { cells: old, start: 0, rows: RowNumbers::Each(&self.old_rows) },
            new: Side { cells: new, start: 0, rows: RowNumbers::Each(&self.new_rows) },
            rows: self.old.len(),
        }
    }
}
