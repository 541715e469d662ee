//! Why a column differs: the simplest rule that covers every differing cell, or none.
//!
//! An explanation is only given when it covers *all* cells that it was asked about, and when these are evidence: at least
//! [`CELLS_MIN`] of them, with different values, because any one pair of numbers has a factor and an offset. No explanation is
//! better than a wrong one. They are tried from the simplest to the least simple, and the first that holds is given; the
//! order is that of [`What`], and of `docs/explanations.md`.

mod format;
mod mirror;
mod missing;
mod numbers;
mod prose;
pub(crate) mod rows;
mod texts;
mod times;

pub use format::{Case, Digits, Explanation, Form, Missing, Side, What, Where};
pub use prose::told;

/// Fewer differing cells than this are no evidence.
pub const CELLS_MIN: usize = 3;

/// A cell, as far as an explanation can go.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// No value.
    Null,
    /// A truth value.
    Boolean(bool),
    /// A 64-bit float, or a number that one can stand for.
    Number(f64),
    /// A 32-bit float.
    Single(f32),
    /// An integer of any width.
    Integer(i128),
    /// Text.
    Text(String),
    /// Nanoseconds since 1970; of a wall clock, as if it showed UTC.
    Time(i128),
}

/// A cell that differs.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// OLD's row, counted from 0.
    pub row_old: u64,
    /// NEW's row, counted from 0.
    pub row_new: u64,
    /// OLD's value.
    pub old: Cell,
    /// NEW's value.
    pub new: Cell,
}

/// Another column, at the rows that differ.
#[derive(Debug, Clone, PartialEq)]
pub struct Other {
    /// Its name.
    pub name: String,
    /// OLD's and NEW's value at each of the rows of the differences, in their order.
    pub cells: Vec<(Cell, Cell)>,
}

/// What is known about a column that differs. Each list may be cut off where it gets too long, but for `columns`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Evidence<'a> {
    /// Differing cells.
    pub differences: &'a [Difference],
    /// Values that are the same on both sides: what contradicts a rule.
    pub equal: &'a [Cell],
    /// How many cells differ, and how many are equal, in all, where the lists above are samples.
    pub totals: Option<(u64, u64)>,
    /// The whole column in OLD and in NEW, in the order of the rows, where rows are compared by position.
    pub columns: Option<(&'a [Cell], &'a [Cell])>,
    /// Other columns.
    pub others: &'a [Other],
}

/// The simplest explanation that covers all differing cells, and that is found from either side: what OLD became in NEW, and
/// what NEW becomes in OLD, are one change.
#[must_use]
pub fn explain(evidence: &Evidence<'_>) -> Option<Explanation> {
    if evidence.differences.len() < CELLS_MIN {
        return None;
    }
    let what = simplest(evidence)?;
    let mirrored = simplest(&mirror::Mirrored::of(evidence).evidence())?;
    let cells = evidence.differences.len() as u64;
    mirror::is_mirror(&what, &mirrored).then_some(Explanation { what, cells, of: None })
}

fn simplest(evidence: &Evidence<'_>) -> Option<What> {
    missing::null_for(evidence)
        .or_else(|| numbers::sign(evidence))
        .or_else(|| texts::case(evidence))
        .or_else(|| texts::white_space(evidence))
        .or_else(|| texts::unicode(evidence))
        .or_else(|| texts::truncated(evidence))
        .or_else(|| numbers::rounded(evidence))
        .or_else(|| numbers::reassociated(evidence))
        .or_else(|| times::time_zone(evidence))
        .or_else(|| numbers::scaled(evidence))
        .or_else(|| numbers::offset(evidence))
        .or_else(|| times::offset(evidence))
        .or_else(|| rows::swapped(evidence))
        .or_else(|| rows::duplicated(evidence))
        .or_else(|| rows::shifted(evidence))
}

impl Cell {
    /// Whether two cells are the same value: NaN is NaN, and `-0.0` is `0.0`.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Number(one), Self::Number(two)) => {
                (one + 0.0).to_bits() == (two + 0.0).to_bits() || one.is_nan() && two.is_nan()
            }
            (Self::Single(one), Self::Single(two)) => {
                (one + 0.0).to_bits() == (two + 0.0).to_bits() || one.is_nan() && two.is_nan()
            }
            _ => self == other,
        }
    }

    /// The cell as a key: the same for the same value.
    fn key(&self) -> String {
        match self {
            Self::Number(value) => format!("{:?}", value + 0.0),
            Self::Single(value) => format!("{:?}", value + 0.0),
            other => format!("{other:?}"),
        }
    }
}

/// How many different pairs of values there are.
fn distinct_pairs(differences: &[Difference]) -> usize {
    let keys = differences.iter().map(|difference| (difference.old.key(), difference.new.key()));
    keys.collect::<std::collections::BTreeSet<_>>().len()
}
