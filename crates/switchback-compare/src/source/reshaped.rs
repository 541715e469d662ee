//! A wide table as a long one, row by row; and a long one without the rows that have no value.

use arrow_array::{Array, StringArray};

use super::batch::{Batch, Cells};
use super::inference::{Kind, kind_of};
use super::logical::{Column, ColumnType};
use super::table::{BATCH_ROWS, Batches, Table};
use crate::error::{CompareError, Place};
use crate::value::Value;

/// What the new columns of a table made long are called, and which of it they are made from.
#[derive(Debug)]
pub(crate) struct Melting<'s> {
    /// Indices of the columns that become rows, in order.
    pub(crate) columns: Vec<usize>,
    /// The column that names them.
    pub(crate) name: &'s str,
    /// The column that holds their cells.
    pub(crate) value: &'s str,
    /// The type of the other table's column of names; text when it has none.
    pub(crate) names_of: Option<&'s ColumnType>,
    /// Whether NaN is no value either.
    pub(crate) nan_is_missing: bool,
}

/// A wide table as a long one: for each row and each column that becomes rows, one row, if its cell has a value.
#[derive(Debug)]
pub(crate) struct Long<'a> {
    inner: Table<'a>,
    /// The columns that stay, then those that become rows.
    read: Vec<usize>,
    stays: usize,
    names: Vec<String>,
    name_kind: Kind,
    value_kind: Option<Kind>,
    nan_is_missing: bool,
}

/// A long table without the rows that have no value.
#[derive(Debug)]
pub(crate) struct Valued<'a> {
    inner: Table<'a>,
    value: usize,
    nan_is_missing: bool,
}

impl<'a> Long<'a> {
    /// Also the columns and the number of rows, and how many cells have no value.
    pub(super) fn new(
        inner: Table<'a>,
        melting: &Melting<'_>,
    ) -> Result<(Self, Vec<Column>, u64, u64), CompareError> {
        let stays = (0..inner.columns.len()).filter(|index| !melting.columns.contains(index));
        let mut read: Vec<usize> = stays.collect();
        let stays = read.len();
        read.extend(&melting.columns);
        let column = |index: &usize| inner.columns.get(*index);
        let names: Vec<String> =
            melting.columns.iter().filter_map(column).map(|column| column.name.clone()).collect();
        // Names such as 2025 are numbers where the long table has numbers, and text where it has text.
        let found = names.iter().fold(Kind::Nothing, |kind, name| kind.join(kind_of(name), Kind::Text));
        let fits = melting.names_of.is_some_and(|other| ColumnType::Found(found).is_same(other));
        let name_kind = if fits { found } else { Kind::Text };
        let melted: Vec<&ColumnType> =
            melting.columns.iter().filter_map(column).map(|column| &column.kind).collect();
        let kind = common_type(&melted);
        let value_kind = if let ColumnType::Found(kind) = kind { Some(kind) } else { None };
        let mut columns: Vec<Column> = read.iter().take(stays).filter_map(column).cloned().collect();
        let name = Column { name: melting.name.to_owned(), kind: ColumnType::Found(name_kind) };
        columns.extend([name, Column { name: melting.value.to_owned(), kind }]);
        let nan_is_missing = melting.nan_is_missing;
        let long = Self { inner, read, stays, names, name_kind, value_kind, nan_is_missing };
        let (rows, missing) = long.count()?;
        Ok((long, columns, rows, missing))
    }

    /// How many cells of the columns that become rows have a value, and how many have none.
    fn count(&self) -> Result<(u64, u64), CompareError> {
        let (mut rows, mut missing) = (0, 0);
        for batch in self.inner.batches(self.read.get(self.stays..).unwrap_or_default())? {
            let batch = batch?;
            for cells in &batch.columns {
                for row in 0..batch.rows {
                    let is_missing = is_missing(cells, row, self.nan_is_missing)
                        .map_err(|kind| not_read(&self.inner, &kind))?;
                    *if is_missing { &mut missing } else { &mut rows } += 1;
                }
            }
        }
        Ok((rows, missing))
    }

    pub(super) fn batches(&self, wanted: &[usize]) -> Result<Batches<'_>, CompareError> {
        let wanted = wanted.to_vec();
        // So many rows of the wide table make a batch of the usual size.
        let step = (BATCH_ROWS / self.names.len().max(1)).max(1);
        let all = self.inner.batches(&self.read)?.flat_map(move |batch| -> Batches<'_> {
            let batch = match batch {
                Ok(batch) => batch,
                Err(error) => return Box::new(std::iter::once(Err(error))),
            };
            let wanted = wanted.clone();
            let starts = (0..batch.rows).step_by(step);
            Box::new(
                starts.map(move |start| self.melt(&batch, start..(start + step).min(batch.rows), &wanted)),
            )
        });
        Ok(Box::new(all.filter(|batch| batch.as_ref().map_or(true, |batch| batch.rows > 0))))
    }

    fn melt(
        &self,
        batch: &Batch,
        rows: std::ops::Range<usize>,
        wanted: &[usize],
    ) -> Result<Batch, CompareError> {
        let melted = batch.columns.get(self.stays..).unwrap_or_default();
        let mut places = Vec::with_capacity(rows.len() * melted.len());
        for row in rows {
            for (column, cells) in melted.iter().enumerate() {
                let missing = is_missing(cells, row, self.nan_is_missing);
                if !missing.map_err(|kind| not_read(&self.inner, &kind))? {
                    places.push((column, row));
                }
            }
        }
        let column = |index: &usize| -> Result<Cells, CompareError> {
            match index.checked_sub(self.stays) {
                None => {
                    let cells: Vec<&Cells> = batch.columns.get(*index).into_iter().collect();
                    let rows: Vec<_> = places.iter().map(|(_, row)| (0, *row)).collect();
                    Cells::gather(&cells, &rows, &self.inner.path)
                }
                Some(0) => {
                    let names = places.iter().map(|(column, _)| self.names.get(*column).map(String::as_str));
                    Ok(Cells::Text(names.collect::<StringArray>(), self.name_kind))
                }
                Some(_) => self.values(melted, &places),
            }
        };
        let columns = wanted.iter().map(column).collect::<Result<_, _>>()?;
        Ok(Batch { columns, rows: places.len() })
    }

    /// The cells at the places named, each a column and a row.
    fn values(&self, melted: &[Cells], places: &[(usize, usize)]) -> Result<Cells, CompareError> {
        let uniform = melted.windows(2).all(|pair| match pair {
            [Cells::Arrow(one), Cells::Arrow(two)] => one.data_type() == two.data_type(),
            [Cells::Text(..), Cells::Text(..)] | [Cells::Values(_), Cells::Values(_)] => true,
            _ => false,
        });
        if !uniform {
            let value = |(column, row): &(usize, usize)| match melted.get(*column) {
                Some(cells) => cells.value(*row).map(Value::into_owned),
                None => Ok(Value::Null),
            };
            let values = places.iter().map(value).collect::<Result<_, _>>();
            return values.map(Cells::Values).map_err(|kind| not_read(&self.inner, &kind));
        }
        let sources: Vec<&Cells> = melted.iter().collect();
        Ok(match (Cells::gather(&sources, places, &self.inner.path)?, self.value_kind) {
            (Cells::Text(texts, _), Some(kind)) => Cells::Text(texts, kind),
            (cells, _) => cells,
        })
    }
}

impl<'a> Valued<'a> {
    /// Also how many rows have a value, and how many have none.
    pub(super) fn new(
        inner: Table<'a>,
        value: usize,
        nan_is_missing: bool,
    ) -> Result<(Self, u64, u64), CompareError> {
        let (mut rows, mut missing) = (0, 0);
        let valued = Self { inner, value, nan_is_missing };
        for batch in valued.inner.batches(&[value])? {
            let batch = batch?;
            let kept = valued.kept(&batch, 0)?.len();
            rows += kept as u64;
            missing += (batch.rows - kept) as u64;
        }
        Ok((valued, rows, missing))
    }

    pub(super) fn batches(&self, wanted: &[usize]) -> Result<Batches<'_>, CompareError> {
        let mut read = wanted.to_vec();
        let found = read.iter().position(|index| *index == self.value);
        let at = found.unwrap_or_else(|| {
            read.push(self.value);
            read.len() - 1
        });
        let columns = wanted.len();
        let all = self.inner.batches(&read)?.map(move |batch| {
            let batch = batch?;
            let kept = self.kept(&batch, at)?;
            let gather = |cells: &Cells| Cells::gather(&[cells], &kept, &self.inner.path);
            let columns = batch.columns.iter().take(columns).map(gather).collect::<Result<_, _>>()?;
            Ok(Batch { columns, rows: kept.len() })
        });
        Ok(Box::new(all.filter(|batch| batch.as_ref().map_or(true, |batch| batch.rows > 0))))
    }

    /// The rows that have a value, as places in one batch.
    fn kept(&self, batch: &Batch, at: usize) -> Result<Vec<(usize, usize)>, CompareError> {
        let Some(cells) = batch.columns.get(at) else { return Ok(Vec::new()) };
        let mut kept = Vec::with_capacity(batch.rows);
        for row in 0..batch.rows {
            let missing = is_missing(cells, row, self.nan_is_missing);
            if !missing.map_err(|kind| not_read(&self.inner, &kind))? {
                kept.push((0, row));
            }
        }
        Ok(kept)
    }
}

/// The type of a column that holds the cells of several.
fn common_type(types: &[&ColumnType]) -> ColumnType {
    let Some((first, rest)) = types.split_first() else { return ColumnType::Found(Kind::Nothing) };
    if rest.iter().all(|kind| kind == first) {
        return (*first).clone();
    }
    let found = types.iter().map(|kind| match kind {
        ColumnType::Found(kind) => *kind,
        ColumnType::Numeric => Kind::Number,
        ColumnType::Stored(kind) if kind.is_integer() => Kind::Integer,
        ColumnType::Stored(_) if kind.is_numeric() => Kind::Number,
        ColumnType::Stored(arrow_schema::DataType::Utf8) => Kind::Text,
        ColumnType::Stored(_) => Kind::Mixed,
    });
    let in_text = types.iter().all(|kind| matches!(kind, ColumnType::Found(_)));
    let others = if in_text { Kind::Text } else { Kind::Mixed };
    ColumnType::Found(found.fold(Kind::Nothing, |kind, other| kind.join(other, others)))
}

fn is_missing(cells: &Cells, row: usize, nan_is_missing: bool) -> Result<bool, String> {
    match cells {
        Cells::Arrow(array) if !nan_is_missing => Ok(array.is_null(row)),
        Cells::Text(array, _) if !nan_is_missing => Ok(array.is_null(row)),
        cells => Ok(match cells.value(row)? {
            Value::Null => true,
            Value::Number(number) => nan_is_missing && number.is_nan(),
            _ => false,
        }),
    }
}

fn not_read(table: &Table<'_>, kind: &str) -> CompareError {
    let reason = format!("a cell of the type `{kind}` cannot be reshaped");
    CompareError::damaged(&table.path, Place::default(), reason)
}
