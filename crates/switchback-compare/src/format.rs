//! Parts of the document `switchback/compare/1`: known differences, noise, what would be found, what a mapping did, and where
//! pictures differ.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

/// What has become of an exception.
#[derive(Debug, Clone, Serialize)]
pub struct ExceptionDetail {
    /// The files or tables that it is about.
    pub item: String,
    /// The column whose cells it covers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// The row, by columns of the key.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub key: BTreeMap<String, String>,
    /// The side whose own rows it covers: `only_old` or `only_new`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub side: Option<&'static str>,
    /// Who answers for it.
    pub owner: String,
    /// Why the difference is right.
    pub reason: String,
    /// The last day on which it holds, `YYYY-MM-DD`.
    pub expires: String,
    /// How many cells, values or rows it covers here.
    pub covered: u64,
    /// The most that it may cover.
    pub count: u64,
    /// Whether its day is over: then it covers nothing.
    pub expired: bool,
    /// Whether it holds and nothing differs that it is about.
    pub unused: bool,
}

/// What two runs of one program show of its noise.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// [`MARGIN`](crate::calibration::MARGIN).
    pub margin: f64,
    /// Every compared column of every table, and every document; in the order of the items.
    pub columns: Vec<Noise>,
}

/// The noise of one column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Noise {
    /// The file or table.
    pub item: String,
    /// The column; `None` for a document as a whole.
    pub column: Option<String>,
    /// Values that were not the same in both runs.
    pub not_identical: u64,
    /// The largest distances that were seen; 0 for a column that came out the same.
    pub noise: Size,
    /// [`MARGIN`](crate::calibration::MARGIN) times as much.
    pub tolerance: Size,
}

/// A distance, in every measure that the values have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Size {
    /// `|a - b|`, of numbers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub absolute: Option<f64>,
    /// `|a - b| / max(|a|, |b|)`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub relative: Option<f64>,
    /// Units in the last place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ulps: Option<u64>,
    /// Of dates and times.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds: Option<f64>,
}

/// A difference that was planted.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Plant {
    /// The file or table.
    pub item: String,
    /// The column, by its old name; `None` where whole rows are concerned.
    pub column: Option<String>,
    /// What was done: see `docs/compare.md`.
    pub plant: &'static str,
    /// How far the value was moved: of numbers `|a - b|`, of dates and times in seconds.
    pub size: Option<f64>,
    /// The value before.
    pub old: Json,
    /// The value that was planted.
    pub new: Json,
    /// Whether the comparison says *no* to it, or refuses it as an error.
    pub found: bool,
}

/// A document that has a calibration; all else in it is passed over.
#[derive(Debug, Deserialize)]
pub(crate) struct Calibrated {
    pub(crate) calibration: Calibration,
}

/// One thing that a mapping did to the old table, to the wide one of both, or to the new document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Applied {
    /// A column has another name.
    Column {
        /// In the old table.
        old: String,
        /// In the new table.
        new: String,
    },
    /// The old values were converted: `old * factor + offset`.
    Unit {
        /// By its old name.
        column: String,
        /// The unit's name, where it has one.
        unit: Option<String>,
        /// In decimal digits.
        factor: String,
        /// In decimal digits.
        offset: String,
    },
    /// The old labels were replaced.
    Categories {
        /// By its old name.
        column: String,
        /// New labels by old ones.
        labels: BTreeMap<String, String>,
        /// Old labels that became one, by the new one: what told them apart is not compared.
        joined: BTreeMap<String, Vec<String>>,
    },
    /// The new document was made into what the old function returned.
    Call {
        /// The old function.
        of: String,
        /// What each name of its result is made of.
        result: BTreeMap<String, String>,
    },
    /// The wide table was made long. Rows of both are matched by `id` and `name`; row numbers are those of the long one.
    Shape {
        /// How the old one is laid out: `wide` or `long`.
        old: &'static str,
        /// How the new one is laid out.
        new: &'static str,
        /// By their old names.
        id: Vec<String>,
        /// The column that names the wide table's columns.
        name: String,
        /// The column of their values.
        value: String,
        /// The wide table's columns that became rows.
        columns: Vec<String>,
        /// How many rows of the long form were left out on each side because they have no value.
        without_value: WithoutValue,
    },
}

/// Rows without a value, by side.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct WithoutValue {
    /// Of the old table.
    pub old: u64,
    /// Of the new table.
    pub new: u64,
}

/// Two pictures of one size, pixel by pixel.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Pixels {
    /// Of each picture.
    pub width: u32,
    /// Of each picture.
    pub height: u32,
    /// Pixels with a channel that is farther apart than the threshold.
    pub apart: u64,
    /// The largest distance of two channels, of 255.
    pub largest: f64,
    /// Column and row, counted from 0, of the first pixel that is apart.
    pub first: Option<(u32, u32)>,
}
