//! What "the same" means for two results: the rule that a comparison follows.

use std::collections::BTreeMap;

use crate::mapping::Mapping;

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
    /// What is done about rows that share a key.
    pub duplicates: Duplicates,
    /// Whether keys of different types meet by their values.
    pub key_types: KeyTypes,
    /// How rows are matched when there is no key.
    pub row_order: RowOrder,
    /// Whether only identical bits are equal; then no tolerance excuses a pair.
    pub bitwise: bool,
    /// The tolerance for every column that has none of its own.
    pub tolerance: Tolerance,
    /// Tolerances of single columns; each *replaces* the global one for its column.
    pub column_tolerance: BTreeMap<String, Tolerance>,
    /// Largest allowed distance of two dates, times or timestamps, in nanoseconds.
    pub time_tolerance_ns: Option<u64>,
    /// Whether two NaN are equal.
    pub nan: Pairing,
    /// Whether two nulls are equal.
    pub null: Pairing,
    /// Whether NaN and null are one and the same.
    pub null_is_nan: bool,
    /// What is ignored in text.
    pub text: TextRule,
    /// How far pictures in the outputs of notebooks may lie apart.
    pub image: ImageTolerance,
    /// The only columns that count, by their old names; empty: all.
    pub columns: Vec<String>,
    /// Columns that are left out of the verdict, by their old names.
    pub exclude: Vec<String>,
    /// New names of columns, by their old ones.
    pub rename: BTreeMap<String, String>,
    /// What the new results call, measure, label and lay out in another way than the old ones.
    pub mapping: Option<Mapping>,
    /// Whether names and types of columns are part of the verdict.
    pub schema: SchemaRule,
    /// Whether the order of columns is part of the verdict.
    pub column_order: ColumnOrder,
    /// Whether names of columns that differ in case only are one name.
    pub column_case: ColumnCase,
    /// The old text table's delimiter; found in the file when `None`.
    pub delimiter_old: Option<u8>,
    /// The new text table's delimiter; found in the file when `None`.
    pub delimiter_new: Option<u8>,
    /// Stages in the order in which they were computed; empty: the whole directory or file at once.
    pub stages: Vec<String>,
    /// Whether two results without a single row are *equal* and not *could not tell*.
    pub allow_empty: bool,
    /// How many differing cells are kept in full. Counts are always exact.
    pub sample_max: usize,
    /// How many bytes of rows and keys may be held in memory at a time, 2 GiB unless said otherwise; unbounded when
    /// `None`.
    pub memory_max_bytes: Option<u64>,
    /// Differences that are known, in the order of their file: the first that fits covers a difference.
    pub exceptions: Vec<Exception>,
}

/// Differences that are known and accepted, until a day, and up to a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exception {
    /// The name of the files or tables; `*` stands for any text.
    pub item: String,
    /// Which differences.
    pub covers: Covers,
    /// Who answers for it.
    pub owner: String,
    /// Why the difference is right.
    pub reason: String,
    /// The last day on which it holds, `YYYY-MM-DD`, in UTC.
    pub expires: String,
    /// Whether that day is over; then it covers nothing.
    pub expired: bool,
    /// The most cells or rows that it covers; one more, and the verdict is *no*.
    pub count: u64,
}

/// Which differences an exception is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Covers {
    /// Cells of a column, by its old name; of a document, a member wherever it is, or one place by its JSON pointer.
    Cells {
        /// The column.
        column: String,
        /// Columns of the key with the text of their values; empty: any row.
        key: Vec<(String, String)>,
    },
    /// Rows that only the old table has.
    OnlyOld,
    /// Rows that only the new table has.
    OnlyNew,
}

/// What is ignored when text is compared.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TextRule {
    /// Upper and lower case; holds for keys too.
    pub ignore_case: bool,
    /// White space at both ends; holds for keys too.
    pub trim: bool,
    /// Regular expressions whose matches are blanked; keys are left as they are.
    pub masks: Vec<String>,
}

/// How far two pictures may lie apart and still be equal. With nothing set, all pixels must be identical.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct ImageTolerance {
    /// Two pixels are apart when a channel (red, green, blue, opacity; 0 to 255) differs by more than this.
    pub channel_max: u8,
    /// So many percent of the pixels may be apart.
    pub pixels_percent_max: f64,
}

/// Whether two values that have no value of their own are equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Pairing {
    /// They are equal.
    #[default]
    Equal,
    /// They differ.
    Different,
}

/// What is done about rows that share a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Duplicates {
    /// A key that repeats is an error.
    #[default]
    Error,
    /// They are paired so that as many as possible are equal.
    Match,
}

/// Whether keys of different types meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum KeyTypes {
    /// A number and a text are never one key.
    #[default]
    Exact,
    /// Text that reads as a number is that number.
    Coerce,
}

/// How rows are matched when there is no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RowOrder {
    /// By position.
    #[default]
    Position,
    /// As a multiset.
    Any,
}

/// How alike two ensembles must be. What is not set is as in `switchback distribution` without the option.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DistributionRule {
    /// The level of each test: the probability, at most, of a false *yes*.
    pub alpha: Option<f64>,
    /// How far the means may lie apart, in standard deviations of OLD.
    pub margin_mean: Option<f64>,
    /// How far the standard deviations may lie apart: between `1 / (1 + x)` and `1 + x` times that of OLD.
    pub margin_sd: Option<f64>,
    /// How far the distribution functions may lie apart.
    pub margin_ks: Option<f64>,
    /// How far the ends of the percentile interval may lie apart, in standard deviations of OLD; they are not looked at when
    /// `None`.
    pub margin_interval: Option<f64>,
    /// The share of the replicates in that interval.
    pub interval_level: Option<f64>,
    /// Under which tolerance replicates are compared one by one first; not at all when `None`.
    pub paired: Option<Tolerance>,
    /// Whether a *no* is held against the number of columns (Benjamini-Hochberg).
    pub is_adjusted: bool,
    /// The statistics; every numeric column that both sides have when empty.
    pub columns: Vec<String>,
    /// What the bootstrap follows from.
    pub seed: Option<u64>,
}

/// Whether names and logical types of columns are part of the verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SchemaRule {
    /// They are.
    #[default]
    Strict,
    /// Only common columns and values count.
    Common,
}

/// Whether the order of columns is part of the verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ColumnOrder {
    /// It is not.
    #[default]
    Free,
    /// It is.
    Strict,
}

/// Whether names of columns are told apart by case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ColumnCase {
    /// They are.
    #[default]
    Exact,
    /// They are not.
    Ignore,
}

impl Default for Rule {
    fn default() -> Self {
        Self {
            key: Vec::new(),
            duplicates: Duplicates::default(),
            key_types: KeyTypes::default(),
            row_order: RowOrder::default(),
            bitwise: false,
            tolerance: Tolerance::default(),
            column_tolerance: BTreeMap::new(),
            time_tolerance_ns: None,
            nan: Pairing::default(),
            null: Pairing::default(),
            null_is_nan: false,
            text: TextRule::default(),
            image: ImageTolerance::default(),
            columns: Vec::new(),
            exclude: Vec::new(),
            rename: BTreeMap::new(),
            mapping: None,
            schema: SchemaRule::default(),
            column_order: ColumnOrder::default(),
            column_case: ColumnCase::default(),
            delimiter_old: None,
            delimiter_new: None,
            stages: Vec::new(),
            allow_empty: false,
            sample_max: 20,
            memory_max_bytes: Some(2 << 30),
            exceptions: Vec::new(),
        }
    }
}
