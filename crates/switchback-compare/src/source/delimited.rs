//! CSV: delimiter, encoding and types are found for each file, by the same rules, over the whole file.

use std::io::Read;
use std::path::{Path, PathBuf};

use arrow_array::StringArray;
use csv::{ByteRecord, Reader, StringRecord};
use switchback_core::world::{Disk, DiskError};

use super::allowance::{BATCH_BYTES, COLUMNS_MAX};
use super::batch::{Batch, Cells};
use super::blank_lines::BlankLines;
use super::bounded_rows::{BoundedRows, RowBytes};
use super::dialect::Dialect;
use super::encoding::{Encoding, open};
use super::inference::{Kind, kind_of};
use super::logical::{Column, ColumnType};
use super::table::{BATCH_ROWS, Batches};
use super::written::Written;
use crate::error::{CompareError, Place};

/// A CSV file that has been read through once.
#[derive(Debug)]
pub(crate) struct Delimited<'a> {
    disk: &'a dyn Disk,
    path: PathBuf,
    dialect: Dialect,
    /// It has one column: blank lines are rows.
    single: bool,
    encoding: Encoding,
    /// How precisely the numbers of each column are written.
    written: Vec<Written>,
}

/// What the first pass over a file found.
enum Scan {
    Done(Vec<Column>, u64, Vec<Written>),
    NotUtf8,
}

impl<'a> Delimited<'a> {
    /// Reads the file through once: header, kinds of columns, number of rows.
    ///
    /// `delimiter`: found in the file when `None`.
    pub(crate) fn open(
        disk: &'a dyn Disk,
        path: &Path,
        delimiter: Option<u8>,
    ) -> Result<(Self, Vec<Column>, u64), CompareError> {
        let dialect = Dialect::find(disk, path, delimiter)?;
        let mut file = Self {
            disk,
            path: path.to_owned(),
            dialect,
            single: false,
            encoding: Encoding::Marked,
            written: Vec::new(),
        };
        file.single = file.reader()?.0.byte_headers().map_err(|error| file.failed(&error, 1))?.len() == 1;
        file.refuse_open_quote()?;
        if let Scan::Done(columns, rows, written) = file.scan()? {
            file.written = written;
            return Ok((file, columns, rows));
        }
        file.encoding = Encoding::Windows1252;
        match file.scan()? {
            Scan::Done(columns, rows, written) => {
                file.written = written;
                Ok((file, columns, rows))
            }
            Scan::NotUtf8 => Err(CompareError::damaged(
                path,
                Place::default(),
                "it is neither UTF-8, UTF-16 nor Windows-1252",
            )),
        }
    }

    /// How precisely the numbers of a column are written.
    pub(crate) fn written(&self, column: usize) -> Option<Written> {
        self.written.get(column).copied()
    }

    /// Reads from the start; the second says how much of a row has been read.
    fn reader(&self) -> Result<(Reader<Box<dyn Read>>, RowBytes), CompareError> {
        let text = open(self.disk, &self.path, self.encoding)?;
        let text: Box<dyn Read> =
            if self.single { Box::new(BlankLines::new(text, self.dialect.quote)) } else { text };
        let row = RowBytes::default();
        let text: Box<dyn Read> = Box::new(BoundedRows::new(text, row.clone()));
        Ok((self.dialect.reader().from_reader(text), row))
    }

    fn scan(&self) -> Result<Scan, CompareError> {
        let (mut reader, row) = self.reader()?;
        let header = reader.byte_headers().map_err(|error| self.failed(&error, 1))?.clone();
        if header.is_empty() {
            return Err(CompareError::damaged(&self.path, Place::default(), "it has no header"));
        }
        if header.len() > COLUMNS_MAX {
            let reason = format!("it has {} columns; up to {COLUMNS_MAX} are compared", header.len());
            return Err(CompareError::damaged(&self.path, Place::line(1), reason));
        }
        self.refuse_nul(&header, 1)?;
        let Ok(header) = StringRecord::from_byte_record(header) else {
            return Ok(Scan::NotUtf8);
        };
        let mut kinds = vec![Kind::Nothing; header.len()];
        let mut written = vec![Written::default(); header.len()];
        let mut rows = 0;
        let mut record = ByteRecord::new();
        loop {
            let read = reader.read_byte_record(&mut record);
            let line = record.position().map_or(1, csv::Position::line);
            if !read.map_err(|error| self.failed(&error, line))? {
                break;
            }
            self.refuse_nul(&record, line)?;
            for ((kind, written), field) in kinds.iter_mut().zip(&mut written).zip(&record) {
                let Ok(field) = std::str::from_utf8(field) else {
                    return Ok(Scan::NotUtf8);
                };
                if *kind != Kind::Text {
                    *kind = kind.join(kind_of(field), Kind::Text);
                }
                if matches!(kind, Kind::Integer | Kind::Number) {
                    written.include(field.as_bytes());
                }
            }
            rows += 1;
            row.begin_row();
        }
        let columns = header.iter().zip(kinds);
        let columns =
            columns.map(|(name, kind)| Column { name: name.to_owned(), kind: ColumnType::Found(kind) });
        Ok(Scan::Done(columns.collect(), rows, written))
    }

    /// Quoted text that never ends swallows all rows behind it: the file was cut off, or is damaged there.
    fn refuse_open_quote(&self) -> Result<(), CompareError> {
        let text = open(self.disk, &self.path, self.encoding)?;
        let opened =
            self.dialect.open_quote(text).map_err(|error| DiskError::new("read", &self.path, error))?;
        match opened {
            None => Ok(()),
            Some(line) => {
                let reason = "quoted text begins there and never ends";
                Err(CompareError::damaged(&self.path, Place::line(line), reason))
            }
        }
    }

    /// A NUL byte is never text: the file is binary, damaged, or UTF-16 without a byte order mark.
    fn refuse_nul(&self, record: &ByteRecord, line: u64) -> Result<(), CompareError> {
        if record.as_slice().contains(&0) {
            return Err(CompareError::damaged(&self.path, Place::line(line), "it holds a NUL byte"));
        }
        Ok(())
    }

    /// `line`: where the row begins that could not be read.
    fn failed(&self, error: &csv::Error, line: u64) -> CompareError {
        match error.kind() {
            csv::ErrorKind::UnequalLengths { pos, expected_len, len } => CompareError::damaged(
                &self.path,
                pos.as_ref().map_or_else(Place::default, |at| Place::line(at.line())),
                format!("a row of {len} fields under a header of {expected_len}"),
            ),
            csv::ErrorKind::Io(source) if source.kind() == std::io::ErrorKind::FileTooLarge => {
                CompareError::damaged(&self.path, Place::line(line), source.to_string())
            }
            csv::ErrorKind::Io(source) => {
                DiskError::new("read", &self.path, std::io::Error::new(source.kind(), source.to_string()))
                    .into()
            }
            _ => {
                let place = error.position().map_or_else(Place::default, |at| Place::line(at.line()));
                CompareError::damaged(&self.path, place, error.to_string())
            }
        }
    }

    /// Reads the `wanted` columns from the start.
    pub(crate) fn batches(&self, columns: &[Column], wanted: &[usize]) -> Result<Batches<'_>, CompareError> {
        let wanted = wanted.iter().map(|index| {
            let kind = match columns.get(*index).map(|column| &column.kind) {
                Some(ColumnType::Found(kind)) => *kind,
                _ => Kind::Text,
            };
            (*index, kind)
        });
        let (reader, row) = self.reader()?;
        Ok(Box::new(Reading { source: self, wanted: wanted.collect(), reader, row, done: false }))
    }
}

struct Reading<'a> {
    source: &'a Delimited<'a>,
    wanted: Vec<(usize, Kind)>,
    reader: Reader<Box<dyn Read>>,
    row: RowBytes,
    done: bool,
}

impl Iterator for Reading<'_> {
    type Item = Result<Batch, CompareError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let mut fields: Vec<Vec<Option<String>>> = vec![Vec::new(); self.wanted.len()];
        let mut record = StringRecord::new();
        let (mut rows, mut bytes) = (0, 0);
        while rows < BATCH_ROWS && bytes < BATCH_BYTES {
            match self.reader.read_record(&mut record) {
                Ok(true) => rows += 1,
                Ok(false) => {
                    self.done = true;
                    break;
                }
                Err(error) => {
                    self.done = true;
                    let line = record.position().map_or(1, csv::Position::line);
                    return Some(Err(self.source.failed(&error, line)));
                }
            }
            self.row.begin_row();
            bytes += (record.as_slice().len() + self.wanted.len() * size_of::<Option<String>>()) as u64;
            for (cells, (index, _)) in fields.iter_mut().zip(&self.wanted) {
                cells.push(record.get(*index).filter(|field| !field.is_empty()).map(str::to_owned));
            }
        }
        if rows == 0 {
            return None;
        }
        let columns = fields
            .into_iter()
            .zip(&self.wanted)
            .map(|(cells, (_, kind))| Cells::Text(StringArray::from(cells), *kind))
            .collect();
        Some(Ok(Batch { columns, rows }))
    }
}
