//! JSON lines: one object a line; a member that is missing is null.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use switchback_core::world::{Disk, DiskError};

use super::allowance::{Allowance, BATCH_BYTES, COLUMNS_MAX, Meter, ROW_BYTES_MAX};
use super::batch::{Batch, Cells};
use super::bounded_rows::too_long;
use super::encoding::{Encoding, open};
use super::inference::Kind;
use super::json;
use super::logical::{Column, ColumnType};
use super::table::{BATCH_ROWS, Batches};
use crate::error::{CompareError, Place};
use crate::value::{Number, Value};

/// A file of JSON lines that has been read through once.
#[derive(Debug)]
pub(crate) struct Lines<'a> {
    disk: &'a dyn Disk,
    path: PathBuf,
    allowance: Allowance,
}

impl<'a> Lines<'a> {
    /// Reads the file through once: columns in the order in which they first appear, their kinds, number of rows.
    pub(crate) fn open(
        disk: &'a dyn Disk,
        path: &Path,
        allowance: Allowance,
    ) -> Result<(Self, Vec<Column>, u64), CompareError> {
        let lines = Self { disk, path: path.to_owned(), allowance };
        let mut columns: Vec<(String, Kind)> = Vec::new();
        let mut positions = HashMap::new();
        let mut rows = 0;
        for row in lines.rows()? {
            for (name, value) in row? {
                let at = *positions.entry(name.clone()).or_insert_with(|| {
                    columns.push((name, Kind::Nothing));
                    columns.len() - 1
                });
                if let Some((_, kind)) = columns.get_mut(at) {
                    *kind = kind.join(kind_of(&value), Kind::Mixed);
                }
            }
            rows += 1;
            if columns.len() > COLUMNS_MAX {
                let reason = format!("it has more than {COLUMNS_MAX} columns");
                return Err(CompareError::damaged(path, Place::line(rows), reason));
            }
        }
        let columns =
            columns.into_iter().map(|(name, kind)| Column { name, kind: ColumnType::Found(kind) }).collect();
        Ok((lines, columns, rows))
    }

    fn rows(&self) -> Result<Rows<'_>, CompareError> {
        let text = BufReader::new(open(self.disk, &self.path, Encoding::Marked)?);
        Ok(Rows { path: &self.path, text, line: 0, allowance: self.allowance })
    }

    /// Reads the `wanted` columns from the start.
    pub(crate) fn batches(&self, columns: &[Column], wanted: &[usize]) -> Result<Batches<'_>, CompareError> {
        let names = wanted.iter().filter_map(|index| columns.get(*index)).map(|column| column.name.clone());
        let positions = names.enumerate().map(|(at, name)| (name, at)).collect();
        Ok(Box::new(Reading { columns: wanted.len(), positions, rows: self.rows()?, done: false }))
    }
}

fn kind_of(value: &Value<'_>) -> Kind {
    match value {
        Value::Null => Kind::Nothing,
        Value::Boolean(_) => Kind::Boolean,
        Value::Number(Number::Decimal { scale: 0, .. } | Number::Large { scale: 0, .. }) => Kind::Integer,
        Value::Number(_) => Kind::Number,
        Value::Text(_) => Kind::Text,
        Value::List(_) => Kind::List,
        Value::Object(_) => Kind::Object,
        _ => Kind::Mixed,
    }
}

struct Rows<'a> {
    path: &'a Path,
    text: BufReader<Box<dyn Read>>,
    line: usize,
    allowance: Allowance,
}

impl Iterator for Rows<'_> {
    type Item = Result<Vec<(String, Value<'static>)>, CompareError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let mut line = Vec::new();
            self.line += 1;
            match (&mut self.text).take(ROW_BYTES_MAX + 1).read_until(b'\n', &mut line) {
                Err(error) => return Some(Err(DiskError::new("read", self.path, error).into())),
                Ok(0) => return None,
                Ok(length) if length as u64 > ROW_BYTES_MAX => {
                    let place = Place::line(self.line as u64);
                    return Some(Err(CompareError::damaged(self.path, place, too_long())));
                }
                Ok(_) if line.trim_ascii().is_empty() => {}
                Ok(_) => return Some(self.row(&line)),
            }
        }
    }
}

impl Rows<'_> {
    fn row(&self, line: &[u8]) -> Result<Vec<(String, Value<'static>)>, CompareError> {
        // A few rows of both sides are held at a time.
        let mut meter = Meter::new(self.allowance.bytes() / 2);
        let value = json::read(line, &mut meter).map_err(|fault| {
            if fault.is_large {
                return self.allowance.exceeded(self.path);
            }
            let place = Place::at(self.line, fault.column);
            CompareError::damaged(self.path, place, fault.reason)
        })?;
        match value {
            Value::Object(members) => {
                Ok(members.into_iter().map(|(name, value)| (name.into_owned(), value)).collect())
            }
            _ => Err(CompareError::damaged(
                self.path,
                Place::at(self.line, 1),
                "a line must be one JSON object",
            )),
        }
    }
}

struct Reading<'a> {
    columns: usize,
    /// Where each column's cells go.
    positions: HashMap<String, usize>,
    rows: Rows<'a>,
    done: bool,
}

impl Iterator for Reading<'_> {
    type Item = Result<Batch, CompareError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let mut columns: Vec<Vec<Value<'static>>> = vec![Vec::new(); self.columns];
        let (mut rows, mut bytes) = (0, 0);
        while rows < BATCH_ROWS && bytes < BATCH_BYTES {
            let row = match self.rows.next() {
                None => break,
                Some(Ok(row)) => row,
                Some(Err(error)) => {
                    self.done = true;
                    return Some(Err(error));
                }
            };
            for (name, value) in row {
                let cells = self.positions.get(&name).and_then(|at| columns.get_mut(*at));
                if let Some(cells) = cells {
                    bytes += value.bytes();
                    cells.push(value);
                }
            }
            rows += 1;
            // A member that is missing is null.
            for cells in &mut columns {
                cells.resize_with(rows, || Value::Null);
            }
            bytes += (columns.len() * size_of::<Value<'_>>()) as u64;
        }
        (rows > 0).then(|| Ok(Batch { columns: columns.into_iter().map(Cells::Values).collect(), rows }))
    }
}
