//! Some rows of a table, column by column.

use arrow_array::{Array, ArrayRef, StringArray};
use arrow_schema::DataType;
use std::borrow::Cow;
use std::path::Path;

use super::bits::{mark_different, same_views};
use super::inference::{Kind, parse};
use crate::error::{CompareError, Place};
use crate::value::{Value, value_at};

/// The cells of one column in one batch.
#[derive(Debug, Clone)]
pub(crate) enum Cells {
    /// Typed cells, as Parquet has them.
    Arrow(ArrayRef),
    /// Text with the kind that was found for the whole column, as CSV has it.
    Text(StringArray, Kind),
    /// Values that were read one by one, as JSON lines have them.
    Values(Vec<Value<'static>>),
    /// Cells that need not be read: both sides are known to have the same ones.
    Skipped,
}

/// Rows of a table; all columns have as many cells.
#[derive(Debug, Clone)]
pub(crate) struct Batch {
    pub(crate) columns: Vec<Cells>,
    pub(crate) rows: usize,
}

impl Batch {
    /// The same rows in memory of their own: text that was read as views of larger pieces would keep these alive.
    pub(crate) fn compact(self, path: &Path) -> Result<Self, CompareError> {
        let columns = self.columns.into_iter().map(|cells| cells.compact(path)).collect::<Result<_, _>>()?;
        Ok(Self { columns, rows: self.rows })
    }
}

impl Cells {
    pub(crate) fn compact(self, path: &Path) -> Result<Self, CompareError> {
        let Self::Arrow(array) = &self else { return Ok(self) };
        let kind = match array.data_type() {
            DataType::Utf8View => DataType::LargeUtf8,
            DataType::BinaryView => DataType::LargeBinary,
            _ => return Ok(self),
        };
        let owned = arrow_cast::cast(array, &kind);
        owned
            .map(Self::Arrow)
            .map_err(|error| CompareError::damaged(path, Place::default(), error.to_string()))
    }

    /// The cell at `row`, which must be within the batch.
    ///
    /// # Errors
    ///
    /// The name of a type that cannot be compared.
    pub(crate) fn value(&self, row: usize) -> Result<Value<'_>, String> {
        match self {
            Self::Arrow(array) => value_at(array.as_ref(), row),
            Self::Text(array, _) if array.is_null(row) => Ok(Value::Null),
            Self::Text(array, kind) => Ok(parse(array.value(row), *kind)),
            Self::Values(values) => Ok(values.get(row).cloned().unwrap_or(Value::Null)),
            Self::Skipped => Ok(Value::Null),
        }
    }

    /// The cell at `row`, which must be within the batch, as the text that stands in the file; typed cells stay typed.
    ///
    /// # Errors
    ///
    /// The name of a type that cannot be compared.
    pub(crate) fn text(&self, row: usize) -> Result<Value<'_>, String> {
        match self {
            Self::Text(array, _) if !array.is_null(row) => Ok(Value::Text(Cow::Borrowed(array.value(row)))),
            other => other.value(row),
        }
    }

    /// About how many bytes of memory the cells take.
    pub(crate) fn bytes(&self) -> u64 {
        match self {
            Self::Arrow(array) => array_bytes(array),
            Self::Text(array, _) => array_bytes(array),
            Self::Values(values) => values.iter().map(Value::bytes).sum(),
            Self::Skipped => 0,
        }
    }

    /// Whether `rows` cells from here on are the same, bit by bit; `false` also when that is not quickly seen.
    pub(crate) fn same_bits(&self, start: usize, other: &Self, other_start: usize, rows: usize) -> bool {
        match (self, other) {
            (Self::Arrow(one), Self::Arrow(two)) => {
                let (piece, other) = (one.slice(start, rows), two.slice(other_start, rows));
                if let Some(same) = same_views(&piece, &other) {
                    return same;
                }
                one.data_type() == two.data_type() && piece.to_data() == other.to_data()
            }
            (Self::Text(one, kind), Self::Text(two, other_kind)) => {
                kind == other_kind && one.slice(start, rows) == two.slice(other_start, rows)
            }
            (Self::Skipped, Self::Skipped) => true,
            _ => false,
        }
    }

    /// Which of `rows` cells from here on are not surely the same bits; `None` when that is not quickly told.
    pub(crate) fn different_bits(
        &self,
        start: usize,
        other: &Self,
        other_start: usize,
        rows: usize,
    ) -> Option<Vec<bool>> {
        let mut marks = vec![false; rows];
        let told = match (self, other) {
            (Self::Arrow(one), Self::Arrow(two)) => {
                mark_different(&one.slice(start, rows), &two.slice(other_start, rows), &mut marks)
            }
            (Self::Text(one, kind), Self::Text(two, other_kind)) if kind == other_kind => {
                mark_different(&one.slice(start, rows), &two.slice(other_start, rows), &mut marks)
            }
            (Self::Skipped, Self::Skipped) => true,
            _ => false,
        };
        told.then_some(marks)
    }

    /// The cells at the places named, each a batch and a row in it, in that order.
    pub(crate) fn gather(
        sources: &[&Self],
        places: &[(usize, usize)],
        path: &Path,
    ) -> Result<Self, CompareError> {
        let failed = |error: String| CompareError::damaged(path, Place::default(), error);
        match sources.first() {
            None => Ok(Self::Values(Vec::new())),
            Some(Self::Skipped) => Ok(Self::Skipped),
            Some(Self::Values(_)) => {
                let values = places.iter().map(|(batch, row)| match sources.get(*batch) {
                    Some(Self::Values(values)) => values.get(*row).cloned().unwrap_or(Value::Null),
                    _ => Value::Null,
                });
                Ok(Self::Values(values.collect()))
            }
            Some(Self::Text(_, kind)) => {
                let rows = places.iter().map(|(batch, row)| match sources.get(*batch) {
                    Some(Self::Text(array, _)) if !array.is_null(*row) => Some(array.value(*row)),
                    _ => None,
                });
                Ok(Self::Text(rows.collect(), *kind))
            }
            Some(Self::Arrow(_)) => {
                let arrays: Vec<&dyn Array> = sources
                    .iter()
                    .filter_map(|cells| match cells {
                        Self::Arrow(array) => Some(array.as_ref()),
                        Self::Text(..) | Self::Values(_) | Self::Skipped => None,
                    })
                    .collect();
                let gathered = arrow_select::interleave::interleave(&arrays, places);
                gathered.map(Self::Arrow).map_err(|error| failed(error.to_string()))
            }
        }
    }
}

/// About how many bytes of memory an array takes. Arrays that were read as pieces of one buffer count for their piece
/// each.
pub(crate) fn array_bytes(array: &dyn Array) -> u64 {
    let piece = array.to_data().get_slice_memory_size();
    piece.unwrap_or_else(|_| array.get_array_memory_size()) as u64
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::Float64Array;

    use super::*;

    #[test]
    fn the_same_bits_are_more_than_the_same_value() {
        let cells = |values: &[f64]| Cells::Arrow(Arc::new(Float64Array::from(values.to_vec())));
        let (one, two) = (cells(&[9.0, 0.0, f64::NAN]), cells(&[0.0, f64::NAN]));
        assert!(one.same_bits(1, &two, 0, 2));
        assert!(!one.same_bits(1, &cells(&[-0.0]), 0, 1));
        assert!(!one.same_bits(0, &two, 0, 2));
    }
}
