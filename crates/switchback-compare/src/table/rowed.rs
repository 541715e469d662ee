//! Columns laid out row by row, as bytes that are the same exactly when the cells are the same bits: a row is then found in
//! one place of memory, and compared in one step.

use std::path::Path;

use arrow_array::ArrayRef;
use arrow_row::{Row, RowConverter, Rows, SortField};
use arrow_schema::ArrowError;

use super::agreement::{Agreement, Shared};
use crate::error::{CompareError, Place};
use crate::source::batch::{Batch, Cells};
use crate::source::logical::ColumnType;
use crate::source::table::Table;

/// Whether batches can be laid out so: all columns have arrays of one type on both sides, and the same bits in them prove
/// the same value.
pub(super) fn can_lay_out(agreement: &Agreement, old: &Table<'_>, new: &Table<'_>) -> bool {
    let can = |column: &Shared| {
        let kind = |table: &Table<'_>, index: usize| match table.columns.get(index).map(|column| &column.kind)
        {
            Some(ColumnType::Stored(kind)) => RowConverter::supports_fields(&[SortField::new(kind.clone())]),
            _ => false,
        };
        column.bits_prove() && kind(old, column.old) && kind(new, column.new)
    };
    old.has_arrays() && new.has_arrays() && agreement.columns.iter().chain(&agreement.keys).all(can)
}

/// Lays out the batches of one side.
pub(super) struct Layout {
    /// Made for the types that the side's arrays have.
    converter: RowConverter,
}

impl Layout {
    /// For batches like this one.
    pub(super) fn of(batch: &Batch, path: &Path) -> Result<Self, CompareError> {
        let arrays = arrays(batch).ok_or_else(|| no_arrays(path))?;
        let fields = arrays.iter().map(|array| SortField::new(array.data_type().clone())).collect();
        Ok(Self { converter: RowConverter::new(fields).map_err(|error| failed(path, &error))? })
    }

    /// The rows of a batch.
    pub(super) fn rows(&self, batch: &Batch, path: &Path) -> Result<Rows, CompareError> {
        let arrays = arrays(batch).ok_or_else(|| no_arrays(path))?;
        self.converter.convert_columns(&arrays).map_err(|error| failed(path, &error))
    }

    /// The cells of some rows, column by column.
    pub(super) fn cells<'r>(
        &self,
        rows: impl Iterator<Item = Row<'r>>,
        path: &Path,
    ) -> Result<Vec<Cells>, CompareError> {
        let arrays = self.converter.convert_rows(rows).map_err(|error| failed(path, &error))?;
        Ok(arrays.into_iter().map(Cells::Arrow).collect())
    }
}

fn arrays(batch: &Batch) -> Option<Vec<ArrayRef>> {
    let array =
        |cells: &Cells| if let Cells::Arrow(array) = cells { Some(ArrayRef::clone(array)) } else { None };
    batch.columns.iter().map(array).collect()
}

fn no_arrays(path: &Path) -> CompareError {
    CompareError::damaged(path, Place::default(), "its columns change their form on the way".to_owned())
}

fn failed(path: &Path, error: &ArrowError) -> CompareError {
    CompareError::damaged(path, Place::default(), error.to_string())
}
