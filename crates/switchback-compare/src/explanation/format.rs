//! How an explanation is written: `{"kind": "scaled", "factor": 100.0, "cells": 3}`. `docs/explanations.md` has the table.

use serde::Serialize;

/// Why the differing cells of a column differ.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Explanation {
    /// What happened to them.
    #[serde(flatten)]
    pub what: What,
    /// How many differing cells it was tried on. It covers them all.
    pub cells: u64,
    /// How many cells differ, where it was tried on a sample of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub of: Option<u64>,
}

/// What happened to the cells of a column, between OLD and NEW.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum What {
    /// Null on one side stands for one value on the other.
    NullFor {
        /// Which value.
        value: Missing,
        /// The side that has the null.
        side: Side,
    },
    /// `new = -old`.
    Sign,
    /// The same letters, in another case.
    Case {
        /// What NEW has.
        to: Case,
    },
    /// The same text but for white space.
    WhiteSpace {
        /// Where the white space is.
        at: Where,
    },
    /// The same text in another Unicode normalization form.
    Unicode {
        /// The weakest form in which both are the same.
        form: Form,
    },
    /// Text that was cut off.
    Truncated {
        /// How many characters are left.
        characters: usize,
        /// The side that was cut off.
        side: Side,
    },
    /// Numbers with fewer digits.
    Rounded {
        /// To what.
        to: Digits,
        /// How many digits; none for `float32`.
        #[serde(skip_serializing_if = "Option::is_none")]
        digits: Option<i32>,
        /// The side that was rounded.
        side: Side,
    },
    /// The last digits of floats, as when a sum is taken in another order.
    Reassociated {
        /// The largest distance in units in the last place.
        ulps: u64,
    },
    /// Times that were read in another time zone.
    TimeZone {
        /// NEW minus OLD, in minutes: one offset, or two that are a daylight saving hour apart, ascending.
        minutes: Vec<i64>,
    },
    /// `new = factor * old`.
    Scaled {
        /// The factor.
        factor: f64,
    },
    /// `new = old + offset`.
    Offset {
        /// The offset: of numbers in their own unit, of times in seconds.
        offset: f64,
        /// `seconds` for times.
        #[serde(skip_serializing_if = "Option::is_none")]
        unit: Option<&'static str>,
    },
    /// Two columns took each other's place.
    Swapped {
        /// The other column.
        with: String,
    },
    /// Rows that come again right after themselves, so that what follows is compared with another row.
    Duplicated {
        /// How many rows are too many.
        rows: u64,
        /// The first of them, counted from 0.
        first: u64,
        /// The side that has them.
        side: Side,
    },
    /// Every row has the value of another row.
    Shifted {
        /// `new[row] = old[row - rows]`.
        rows: i64,
    },
}

/// One of the two sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// OLD.
    Old,
    /// NEW.
    New,
}

/// What a null stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Missing {
    /// Not a number.
    Nan,
    /// The empty text.
    Empty,
    /// Zero.
    Zero,
}

/// What NEW has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Case {
    /// Capitals.
    Upper,
    /// Small letters.
    Lower,
    /// Neither throughout.
    Other,
}

/// Where white space differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Where {
    /// Only before and after the text.
    Ends,
    /// Also inside: runs of it count as one space.
    Inside,
}

/// A normalization form of Unicode Standard Annex 15.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// Canonical: the same characters, composed or not.
    Nfc,
    /// Compatible: ligatures, wide letters, superscripts count as what they stand for.
    Nfkc,
}

/// What numbers were rounded to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Digits {
    /// Digits behind the point; negative before it.
    Decimals,
    /// Digits in all.
    Significant,
    /// A 32-bit float.
    Float32,
}
