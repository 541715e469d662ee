//! What "the same" means for two results: the rule that a comparison follows.

use std::collections::BTreeMap;

/// How far two numbers may lie apart and still be equal.
///
/// A pair is equal when it is within *any* bound that is set; with none set, values must be identical.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Tolerance {
    /// Largest allowed `|a - b|`, in the column's own unit.
    pub absolute: Option<f64>,
    /// Largest allowed `|a - b| / max(|a|, |b|)`.
    pub relative: Option<f64>,
    /// Largest allowed distance in units in the last place of a 64-bit float.
    pub ulps: Option<u64>,
}

/// The agreement that two results must meet. The default asks for identical values, by position.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// Columns whose values together name one row; empty: rows are matched by position.
    pub key: Vec<String>,
    /// The tolerance for every column that has none of its own.
    pub tolerance: Tolerance,
    /// Tolerances of single columns; each *replaces* the global one for its column.
    pub column_tolerance: BTreeMap<String, Tolerance>,
    /// Columns that are left out of the verdict.
    pub exclude: Vec<String>,
    /// Stages in the order in which they were computed; empty: the whole directory or file at once.
    pub stages: Vec<String>,
    /// Whether two results without a single row are *equal* and not *could not tell*.
    pub allow_empty: bool,
    /// How many differing cells are kept in full. Counts are always exact.
    pub sample_max: usize,
}

impl Default for Rule {
    fn default() -> Self {
        Self {
            key: Vec::new(),
            tolerance: Tolerance::default(),
            column_tolerance: BTreeMap::new(),
            exclude: Vec::new(),
            stages: Vec::new(),
            allow_empty: false,
            sample_max: 20,
        }
    }
}
