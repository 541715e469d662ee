//! A table whose columns have other units and labels than the file's.

use std::collections::HashMap;
use std::path::Path;

use arrow_array::StringArray;
use arrow_array::cast::AsArray;
use arrow_array::types::Float64Type;
use arrow_schema::DataType;
use std::sync::Arc;

use super::batch::{Batch, Cells};
use super::inference::Kind;
use super::table::{Batches, Table};
use crate::error::{CompareError, Place};
use crate::value::{Conversion, Value};

/// What becomes of the cells of a column.
#[derive(Debug)]
pub(crate) enum Change {
    /// Other numbers.
    Unit(Conversion),
    /// Other labels, by the old ones; one without an entry stays. All are text that is read as this kind.
    Labels(HashMap<String, String>, Kind),
}

/// A table, and what becomes of its columns.
#[derive(Debug)]
pub(crate) struct Mapped<'a> {
    inner: Table<'a>,
    changes: HashMap<usize, Change>,
}

impl<'a> Mapped<'a> {
    /// `changes`: by the column's index.
    pub(super) fn new(inner: Table<'a>, changes: HashMap<usize, Change>) -> Self {
        Self { inner, changes }
    }

    pub(super) fn batches(&self, wanted: &[usize]) -> Result<Batches<'_>, CompareError> {
        let wanted = wanted.to_vec();
        Ok(Box::new(self.inner.batches(&wanted)?.map(move |batch| {
            let Batch { columns, rows } = batch?;
            let columns = columns.into_iter().zip(&wanted).map(|(cells, index)| {
                let changed = self.changes.get(index).map(|change| change.apply(&cells, rows));
                changed.unwrap_or(Ok(cells)).map_err(|kind| self.not_read(&self.inner.path, *index, &kind))
            });
            Ok(Batch { columns: columns.collect::<Result<_, _>>()?, rows })
        })))
    }

    fn not_read(&self, path: &Path, index: usize, kind: &str) -> CompareError {
        let field = self.inner.columns.get(index).map(|column| column.name.clone());
        let reason = format!("a cell of the type `{kind}` cannot be mapped");
        CompareError::damaged(path, Place { field, ..Place::default() }, reason)
    }
}

impl Change {
    fn apply(&self, cells: &Cells, rows: usize) -> Result<Cells, String> {
        match (self, cells) {
            (Self::Unit(conversion), Cells::Arrow(array))
                if *array.data_type() == DataType::Float64 && conversion.is_to_doubles() =>
            {
                let array = array.as_primitive::<Float64Type>();
                let changed = array.unary::<_, Float64Type>(|value| conversion.double(value));
                Ok(Cells::Arrow(Arc::new(changed)))
            }
            (Self::Unit(conversion), cells) => {
                let value = |row| {
                    Ok(match cells.value(row)? {
                        Value::Number(number) => Value::Number(conversion.apply(&number)),
                        other => other.into_owned(),
                    })
                };
                Ok(Cells::Values((0..rows).map(value).collect::<Result<_, String>>()?))
            }
            (Self::Labels(labels, kind), cells) => {
                let label = |row| {
                    Ok(match cells.text(row)? {
                        Value::Null => None,
                        value => {
                            let old = value.to_text();
                            Some(labels.get(&old).cloned().unwrap_or(old))
                        }
                    })
                };
                let labels = (0..rows).map(label).collect::<Result<StringArray, String>>()?;
                Ok(Cells::Text(labels, *kind))
            }
        }
    }
}
