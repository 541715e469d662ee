//! The result of a comparison, and its document `switchback/compare/1`.

use serde::{Serialize, Serializer};
use serde_json::Value as Json;
use switchback_core::verdict::Verdict;

use crate::calibration::Calibration;
use crate::explanation::Explanation;
pub use crate::format::ExceptionDetail;
use crate::format::{Applied, Pixels};
use crate::known::Covered;
use crate::sensitivity::Plant;
use crate::value::{Closeness, Distance, float_to_json};

/// The name and version of the document.
pub const SCHEMA: &str = "switchback/compare/1";

/// What a comparison found. Members stand in the order of the document.
#[derive(Debug, Clone, Serialize)]
pub struct CompareOutcome {
    /// [`SCHEMA`].
    pub schema: &'static str,
    /// Of the whole.
    #[serde(serialize_with = "verdict_word")]
    pub verdict: Verdict,
    /// One for each pair of files, in the order of stages and names.
    pub items: Vec<Item>,
    /// Files that only the old side has.
    pub only_old: Vec<String>,
    /// Files that only the new side has.
    pub only_new: Vec<String>,
    /// In the order given.
    pub stages: Vec<Stage>,
    /// Where the first stage that says *no* parts.
    pub first_divergence: Option<Divergence>,
    /// The first stage that is not the same bit by bit.
    pub first_not_bitwise: Option<StageName>,
    /// Files outside of every stage.
    pub not_compared: Vec<String>,
    /// What has become of the known differences, in the order of their file.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub exceptions: Vec<ExceptionDetail>,
    /// What two runs of one program show of its noise, where that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calibration: Option<Calibration>,
    /// Differences that were planted in a copy of NEW, where that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sensitivity: Option<Vec<Plant>>,
    /// Where they were planted, and where not.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sensitivity_notes: Vec<String>,
}

/// One pair of files.
#[derive(Debug, Clone, Serialize)]
pub struct Item {
    /// Path relative to both sides.
    pub name: String,
    /// What it was compared as.
    pub kind: Kind,
    /// Of this pair.
    #[serde(serialize_with = "verdict_word")]
    pub verdict: Verdict,
    /// How it was proved.
    pub proof: Proof,
    /// The strongest relation that holds; `None` when nothing was compared.
    pub relation: Option<Relation>,
    /// What belongs to its kind.
    #[serde(flatten)]
    pub detail: Detail,
}

/// What a pair was compared as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Rows and columns.
    Table,
    /// A tree of values.
    Document,
    /// Bytes, because the format is not known.
    File,
}

/// How a pair was proved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Proof {
    /// Byte by byte.
    Bytes,
    /// The column chunks of two Parquet files are the same bytes.
    Chunks,
    /// Row by row in the order of the files.
    Lockstep,
    /// Row by row, matched by key.
    Join,
    /// Row by row, each matched with one that is equal, wherever it stands.
    Multiset,
    /// Value by value.
    Document,
}

/// How close two results are, from the closest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Relation {
    /// The same bytes.
    Bytes,
    /// The same bits in every value.
    Bitwise,
    /// The same values.
    Identical,
    /// Within the tolerance.
    Tolerance,
    /// Different.
    Different,
}

impl From<Closeness> for Relation {
    fn from(closeness: Closeness) -> Self {
        match closeness {
            Closeness::Bitwise => Self::Bitwise,
            Closeness::Identical => Self::Identical,
            Closeness::Within => Self::Tolerance,
            Closeness::Different => Self::Different,
        }
    }
}

/// What belongs to the kind of an item.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub enum Detail {
    /// Of two tables.
    Table(Box<TableDetail>),
    /// Of two documents.
    Document(DocumentDetail),
    /// Of two files of no known format.
    File(FileDetail),
}

/// Two tables.
#[derive(Debug, Clone, Default, Serialize)]
pub struct TableDetail {
    /// The old table.
    pub old: Size,
    /// The new table.
    pub new: Size,
    /// Counts of rows.
    pub rows: Rows,
    /// Columns that only the old table has.
    pub columns_only_old: Vec<String>,
    /// Columns that only the new table has.
    pub columns_only_new: Vec<String>,
    /// Whether common columns stand in another order.
    pub columns_reordered: bool,
    /// Columns of another logical type.
    pub types_changed: Vec<TypeChange>,
    /// What the verdict does not cover.
    pub not_compared: Vec<String>,
    /// Columns of which more is claimed than their source can show. The verdict is that of the values as they are.
    pub cannot_carry: Vec<CannotCarry>,
    /// What a mapping did, in the order in which it was done.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mapping: Vec<Applied>,
    /// Every compared column that is not the same bit by bit.
    pub columns: Vec<ColumnDetail>,
    /// The first cell that differs; where no cell does, the first row on one side only.
    pub first: Option<Cell>,
    /// The first cells that differ.
    pub sample: Vec<Cell>,
    /// The rows of the sample, with the cells beside those that differ.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub context: Vec<RowContext>,
    /// The first rows that only the old table has.
    pub rows_only_old: Vec<RowName>,
    /// The first rows that only the new table has.
    pub rows_only_new: Vec<RowName>,
    /// What known differences cover.
    #[serde(skip)]
    pub(crate) covered: Covered,
    /// Every compared column, beside the key.
    #[serde(skip)]
    pub(crate) compared: Vec<String>,
}

/// How large a table is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Size {
    /// Rows, without a header.
    pub rows: u64,
    /// Columns.
    pub columns: usize,
}

/// Counts of rows. `compared = equal + different`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Rows {
    /// Rows that both sides have.
    pub compared: u64,
    /// Rows without a cell that differs.
    pub equal: u64,
    /// Rows with one or more cells that differ.
    pub different: u64,
    /// Rows of the old side alone.
    pub only_old: u64,
    /// Rows of the new side alone.
    pub only_new: u64,
    /// How many keys of the old side name several rows; 0 where that is an error.
    pub duplicate_keys_old: u64,
    /// How many keys of the new side name several rows; 0 where that is an error.
    pub duplicate_keys_new: u64,
}

/// A column that is less precise, on one side or both, than what is claimed of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CannotCarry {
    /// Which.
    pub column: String,
    /// The old side, when it is too coarse.
    pub old: Option<Source>,
    /// The new side, when it is too coarse.
    pub new: Option<Source>,
    /// What was asked for: the tolerance of the column, or identical values.
    pub asked: String,
}

/// What is asked of a column without a tolerance.
pub(crate) const IDENTICAL: &str = "identical values";

/// Where numbers come from, and how precise they are there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Source {
    /// The most significant digits of a number.
    pub digits: u32,
    /// What sets the limit.
    pub kind: SourceKind,
}

/// What limits the precision of numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SourceKind {
    /// The digits that were written.
    Text,
    /// 32-bit floats.
    Float32,
    /// 16-bit floats.
    Float16,
}

/// A column whose logical type changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TypeChange {
    /// Which.
    pub column: String,
    /// Its old type.
    pub old: String,
    /// Its new type.
    pub new: String,
}

/// A compared column that is not the same bit by bit.
#[derive(Debug, Clone, Serialize)]
pub struct ColumnDetail {
    /// Which.
    pub name: String,
    /// Cells that differ under the rule.
    pub cells_different: u64,
    /// Cells that do not have the same value, also those within the tolerance.
    pub cells_not_identical: u64,
    /// Largest `|a - b|`, in the column's unit; infinite where a finite number meets an infinity.
    #[serde(serialize_with = "float")]
    pub max_absolute: Option<f64>,
    /// Largest `|a - b| / max(|a|, |b|)`.
    #[serde(serialize_with = "float")]
    pub max_relative: Option<f64>,
    /// Largest distance in units in the last place.
    #[serde(serialize_with = "count")]
    pub max_ulps: Option<u64>,
    /// Cells that are null on exactly one side.
    pub null_mismatches: u64,
    /// The cell that is farthest apart.
    pub worst: Option<Cell>,
    /// Why cells differ; `None` when none does, or no simple rule covers them all.
    pub explanation: Option<Explanation>,
}

/// One pair of cells.
#[derive(Debug, Clone, Serialize)]
pub struct Cell {
    /// Row of the old table, counted from 0.
    pub row_old: Option<u64>,
    /// Row of the new table, counted from 0.
    pub row_new: Option<u64>,
    /// The key's columns and values; empty without a key.
    #[serde(serialize_with = "ordered")]
    pub key: Vec<(String, Json)>,
    /// The column; `None` for a row on one side only.
    pub column: Option<String>,
    /// The old value; text where JSON cannot carry it exactly.
    pub old: Json,
    /// The new value; text where JSON cannot carry it exactly.
    pub new: Json,
}

/// A row with cells that differ, and the compared columns beside these.
#[derive(Debug, Clone, Serialize)]
pub struct RowContext {
    /// Row of the old table, counted from 0.
    pub row_old: Option<u64>,
    /// Row of the new table, counted from 0.
    pub row_new: Option<u64>,
    /// The key's columns and values; empty without a key.
    #[serde(serialize_with = "ordered")]
    pub key: Vec<(String, Json)>,
    /// In the order in which columns are compared, which is that of the tables where both have one order.
    pub cells: Vec<ContextCell>,
    /// How many compared columns are not among them.
    pub columns_more: usize,
}

/// One cell of a row that is shown as a whole.
#[derive(Debug, Clone, Serialize)]
pub struct ContextCell {
    /// The column.
    pub column: String,
    /// The old value; of a long one a piece, as text, where it differs.
    pub old: Json,
    /// The new value; of a long one a piece, as text, where it differs.
    pub new: Json,
    /// How close they are.
    pub relation: Relation,
}

/// One row.
#[derive(Debug, Clone, Serialize)]
pub struct RowName {
    /// Counted from 0.
    pub row: u64,
    /// The key's columns and values; empty without a key.
    #[serde(serialize_with = "ordered")]
    pub key: Vec<(String, Json)>,
}

/// Two documents.
#[derive(Debug, Clone, Default, Serialize)]
pub struct DocumentDetail {
    /// The first differences, in the order of their paths' members.
    pub differences: Vec<Difference>,
    /// How many there are.
    pub differences_total: u64,
    /// How many scalars were compared.
    pub values_compared: u64,
    /// What the verdict does not cover.
    pub not_compared: Vec<String>,
    /// What a mapping did.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mapping: Vec<Applied>,
    /// What known differences cover.
    #[serde(skip)]
    pub(crate) covered: Covered,
    /// How many scalars are not the same, also within the tolerance.
    #[serde(skip)]
    pub(crate) not_identical: u64,
    /// The largest distance of two scalars.
    #[serde(skip)]
    pub(crate) distance: Distance,
}

/// A place where two documents differ.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Difference {
    /// A JSON pointer (RFC 6901).
    pub path: String,
    /// The old value; missing where the old document has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub old: Option<Json>,
    /// The new value; missing where the new document has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new: Option<Json>,
    /// Of two pictures of one size: where their pixels differ.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pixels: Option<Pixels>,
}

/// Two files of no known format.
#[derive(Debug, Clone, Serialize)]
pub struct FileDetail {
    /// The old file's size in bytes.
    pub old: FileSize,
    /// The new file's size in bytes.
    pub new: FileSize,
    /// That only bytes were compared.
    pub not_compared: Vec<String>,
}

/// How large a file is.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct FileSize {
    /// In bytes.
    pub bytes: u64,
}

/// The verdict of a stage.
#[derive(Debug, Clone, Serialize)]
pub struct Stage {
    /// As given.
    pub name: String,
    /// Of all its files.
    #[serde(serialize_with = "verdict_word")]
    pub verdict: Verdict,
    /// The weakest relation of its files; `None` when nothing was compared.
    pub relation: Option<Relation>,
}

/// A stage, by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StageName {
    /// As given.
    pub stage: String,
}

/// Where two runs first part.
#[derive(Debug, Clone, Serialize)]
pub struct Divergence {
    /// The stage.
    pub stage: String,
    /// The file: relative to the stage's folder, or the stage's own file.
    pub item: String,
    /// The row's key; empty without one.
    #[serde(serialize_with = "ordered")]
    pub key: Vec<(String, Json)>,
    /// The column of a table.
    pub column: Option<String>,
    /// Row of the old table, counted from 0.
    pub row_old: Option<u64>,
    /// Row of the new table, counted from 0.
    pub row_new: Option<u64>,
    /// The place in a document, a JSON pointer.
    pub path: Option<String>,
}

impl CompareOutcome {
    /// The document `switchback/compare/1`, indented.
    pub fn to_json(&self) -> String {
        // No map in it has keys that are not text, and no `Serialize` in it fails by itself.
        serde_json::to_string_pretty(self).unwrap_or_default()
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature is serde's")]
fn verdict_word<S: Serializer>(verdict: &Verdict, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(verdict.word())
}

#[expect(clippy::ref_option, reason = "the signature is serde's")]
fn float<S: Serializer>(value: &Option<f64>, to: S) -> Result<S::Ok, S::Error> {
    value.map(float_to_json).serialize(to)
}

/// A count that JSON may not be able to carry exactly: then as text.
#[expect(clippy::ref_option, reason = "the signature is serde's")]
fn count<S: Serializer>(value: &Option<u64>, to: S) -> Result<S::Ok, S::Error> {
    let json = value.map(|value| if value <= 1 << 53 { Json::from(value) } else { value.to_string().into() });
    json.serialize(to)
}

fn ordered<S: Serializer>(members: &[(String, Json)], to: S) -> Result<S::Ok, S::Error> {
    to.collect_map(members.iter().map(|(name, value)| (name, value)))
}
