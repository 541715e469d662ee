//! What a column of SQLite holds: the declared type does not bind its values, so they are looked through.

use std::sync::Arc;

use arrow_array::builder::{BinaryBuilder, Float64Builder, Int64Builder, StringBuilder};
use arrow_array::{ArrayRef, NullArray};
use arrow_schema::DataType;
use rusqlite::types::ValueRef;
use switchback_compare::store::{StoredColumn, TypeClaim};

use crate::hexadecimal;

/// Integers up to here are floats exactly.
pub(super) const FLOAT_INTEGER_MAX: i64 = 1 << 53;

/// How many values of a column have which storage class (SQLite, *Datatypes In SQLite*, section 2).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Classes {
    pub(super) integers: u64,
    /// Those of them that no float holds exactly, for sure.
    pub(super) large_integers: u64,
    pub(super) reals: u64,
    pub(super) texts: u64,
    pub(super) blobs: u64,
}

/// The affinity that a declared type gives a column (*Datatypes In SQLite*, section 3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Affinity {
    Integer,
    Text,
    Blob,
    Real,
    Numeric,
}

impl Affinity {
    pub(super) fn of(declared: &str) -> Self {
        let declared = declared.to_ascii_uppercase();
        let has = |parts: &[&str]| parts.iter().any(|part| declared.contains(part));
        match () {
            () if has(&["INT"]) => Self::Integer,
            () if has(&["CHAR", "CLOB", "TEXT"]) => Self::Text,
            () if declared.is_empty() || has(&["BLOB"]) => Self::Blob,
            () if has(&["REAL", "FLOA", "DOUB"]) => Self::Real,
            () => Self::Numeric,
        }
    }
}

/// The type that holds every value of a column exactly; and why it is text, when it is not text that it holds.
pub(super) fn settle(name: &str, declared: &str, classes: Classes) -> (StoredColumn, Option<String>) {
    let column = |data_type, claim| StoredColumn { name: name.to_owned(), data_type, claim };
    let Classes { integers, large_integers, reals, texts, blobs } = classes;
    let numeric = Affinity::of(declared) == Affinity::Numeric;
    let numbers = if numeric { TypeClaim::Numeric } else { TypeClaim::Kind };
    let only_numbers = texts == 0 && blobs == 0;
    match () {
        () if integers + reals + texts + blobs == 0 => (column(DataType::Null, TypeClaim::Kind), None),
        () if only_numbers && reals == 0 => (column(DataType::Int64, numbers), None),
        () if only_numbers && large_integers == 0 => (column(DataType::Float64, numbers), None),
        () if integers + reals + blobs == 0 => (column(DataType::Utf8, TypeClaim::Declared), None),
        () if integers + reals + texts == 0 => (column(DataType::Binary, TypeClaim::Declared), None),
        () => {
            let counts = [(integers, "integer"), (reals, "real"), (texts, "text"), (blobs, "blob")]
                .map(|(count, what)| (count > 0).then(|| format!("{count} {what}")));
            let counts: Vec<String> = counts.into_iter().flatten().collect();
            let why = format!("it holds values of several kinds ({})", counts.join(", "));
            (column(DataType::Utf8, TypeClaim::Declared), Some(why))
        }
    }
}

/// The cells of one column of a batch.
#[derive(Debug)]
pub(super) enum Cells {
    Nothing(usize),
    Integers(Int64Builder),
    Reals(Float64Builder),
    Texts(StringBuilder),
    Blobs(BinaryBuilder),
}

impl Cells {
    pub(super) fn of(data_type: &DataType) -> Self {
        match data_type {
            DataType::Null => Self::Nothing(0),
            DataType::Int64 => Self::Integers(Int64Builder::new()),
            DataType::Float64 => Self::Reals(Float64Builder::new()),
            DataType::Binary => Self::Blobs(BinaryBuilder::new()),
            _ => Self::Texts(StringBuilder::new()),
        }
    }

    /// Adds a cell, and says about how many bytes it has.
    ///
    /// # Errors
    ///
    /// What stands in the way: text that is no text, or a value that the column was found not to have.
    pub(super) fn push(&mut self, value: ValueRef<'_>) -> Result<usize, String> {
        match (&mut *self, value) {
            (Self::Nothing(rows), ValueRef::Null) => *rows += 1,
            (Self::Integers(cells), ValueRef::Null) => cells.append_null(),
            (Self::Integers(cells), ValueRef::Integer(integer)) => cells.append_value(integer),
            (Self::Reals(cells), ValueRef::Null) => cells.append_null(),
            (Self::Reals(cells), ValueRef::Real(real)) => cells.append_value(real),
            #[expect(clippy::cast_precision_loss, reason = "larger integers than 2^53 make the column text")]
            (Self::Reals(cells), ValueRef::Integer(integer)) => cells.append_value(integer as f64),
            (Self::Blobs(cells), ValueRef::Null) => cells.append_null(),
            (Self::Blobs(cells), ValueRef::Blob(bytes)) => cells.append_value(bytes),
            (Self::Texts(cells), ValueRef::Null) => cells.append_null(),
            (Self::Texts(cells), ValueRef::Text(bytes)) => {
                let text =
                    std::str::from_utf8(bytes).map_err(|error| format!("text is not UTF-8: {error}"))?;
                cells.append_value(text);
            }
            (Self::Texts(cells), ValueRef::Integer(integer)) => cells.append_value(integer.to_string()),
            (Self::Texts(cells), ValueRef::Real(real)) => cells.append_value(format!("{real:?}")),
            (Self::Texts(cells), ValueRef::Blob(bytes)) => {
                cells.append_value(format!("x'{}'", hexadecimal(bytes.iter().copied())));
            }
            (_, value) => return Err(format!("a value is {}, which it had none of", value.data_type())),
        }
        Ok(match value {
            ValueRef::Text(bytes) | ValueRef::Blob(bytes) => bytes.len() + size_of::<i32>(),
            ValueRef::Null | ValueRef::Integer(_) | ValueRef::Real(_) => size_of::<i64>(),
        })
    }

    pub(super) fn finish(self) -> ArrayRef {
        match self {
            Self::Nothing(rows) => Arc::new(NullArray::new(rows)),
            Self::Integers(mut cells) => Arc::new(cells.finish()),
            Self::Reals(mut cells) => Arc::new(cells.finish()),
            Self::Texts(mut cells) => Arc::new(cells.finish()),
            Self::Blobs(mut cells) => Arc::new(cells.finish()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(declared: &str, classes: Classes, data_type: &DataType, claim: TypeClaim, is_mixed: bool) {
        let (column, why) = settle("c", declared, classes);
        assert_eq!(
            (&column.data_type, column.claim, why.is_some()),
            (data_type, claim, is_mixed),
            "{declared}"
        );
    }

    #[test]
    fn a_declared_type_gives_its_affinity() {
        for (declared, affinity) in [
            ("BIGINT", Affinity::Integer),
            ("FLOATING POINT", Affinity::Integer),
            ("varchar(10)", Affinity::Text),
            ("", Affinity::Blob),
            ("double precision", Affinity::Real),
            ("DECIMAL(10,2)", Affinity::Numeric),
            ("DATETIME", Affinity::Numeric),
        ] {
            assert_eq!(Affinity::of(declared), affinity, "{declared}");
        }
    }

    #[test]
    fn the_values_give_the_type() {
        let none = Classes::default();
        check("INTEGER", none, &DataType::Null, TypeClaim::Kind, false);
        check("INTEGER", Classes { integers: 2, ..none }, &DataType::Int64, TypeClaim::Kind, false);
        check("DECIMAL(9,2)", Classes { integers: 2, ..none }, &DataType::Int64, TypeClaim::Numeric, false);
        check("REAL", Classes { integers: 1, reals: 2, ..none }, &DataType::Float64, TypeClaim::Kind, false);
        let large = Classes { integers: 1, large_integers: 1, reals: 2, ..none };
        check("NUMERIC", large, &DataType::Utf8, TypeClaim::Declared, true);
        check(
            "INTEGER",
            Classes { integers: 1, texts: 1, ..none },
            &DataType::Utf8,
            TypeClaim::Declared,
            true,
        );
        check("INTEGER", Classes { texts: 1, ..none }, &DataType::Utf8, TypeClaim::Declared, false);
        check("TEXT", Classes { blobs: 1, ..none }, &DataType::Binary, TypeClaim::Declared, false);
    }
}
