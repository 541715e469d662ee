//! Parts of the report: what a mapping did, and where pictures differ.

use std::collections::BTreeMap;

use serde::Serialize;

/// One thing that a mapping did to the old table, or to the wide one of both.
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
