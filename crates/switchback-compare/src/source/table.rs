//! A table that can be read from the start as often as needed, a batch at a time.

use std::path::{Path, PathBuf};

use switchback_core::world::Disk;

use super::allowance::Allowance;
use super::batch::{Batch, Cells};
use super::delimited::Delimited;
use super::ipc::Ipc;
use super::lines::Lines;
use super::logical::Column;
use super::parquet::Parquet;
use super::written::Written;
use super::{Format, numpy, workbook};
use crate::error::CompareError;

/// How many rows are read at a time.
pub(crate) const BATCH_ROWS: usize = 8192;

/// Batches in the order of the rows.
pub(crate) type Batches<'a> = Box<dyn Iterator<Item = Result<Batch, CompareError>> + 'a>;

/// One side of a pair of tables.
#[derive(Debug)]
pub(crate) struct Table<'a> {
    pub(crate) path: PathBuf,
    pub(crate) columns: Vec<Column>,
    /// Exact, and known before the first batch.
    pub(crate) rows: u64,
    content: Content<'a>,
}

#[derive(Debug)]
enum Content<'a> {
    Parquet(Parquet),
    Delimited(Delimited<'a>),
    Lines(Lines<'a>),
    Arrow(Ipc<'a>),
    /// All rows, in memory.
    Held(Batch),
}

impl<'a> Table<'a> {
    /// Opens a table: its header, its types, its rows' number. Text is read through once to find them.
    ///
    /// `delimiter`: that of a CSV file; found in the file when `None`.
    pub(crate) fn open(
        disk: &'a dyn Disk,
        path: &Path,
        format: Format,
        delimiter: Option<u8>,
        allowance: Allowance,
    ) -> Result<Self, CompareError> {
        let (columns, rows, content) = match format {
            Format::Parquet => {
                let (parquet, columns, rows) = Parquet::open(path, allowance)?;
                (columns, rows, Content::Parquet(parquet))
            }
            Format::JsonLines => {
                let (lines, columns, rows) = Lines::open(disk, path, allowance)?;
                (columns, rows, Content::Lines(lines))
            }
            Format::Arrow => {
                let (ipc, columns, rows) = Ipc::open(disk, path, allowance)?;
                (columns, rows, Content::Arrow(ipc))
            }
            Format::Array => return numpy::read(path, &allowance.read(disk, path, 2, numpy::BYTES_MAX)?),
            _ => {
                let (delimited, columns, rows) = Delimited::open(disk, path, delimiter)?;
                (columns, rows, Content::Delimited(delimited))
            }
        };
        let table = Self { path: path.to_owned(), columns, rows, content };
        table.check_names()?;
        Ok(table)
    }

    /// A table of rows that are in memory.
    pub(crate) fn held(path: &Path, columns: Vec<Column>, rows: Batch) -> Result<Self, CompareError> {
        let table =
            Self { path: path.to_owned(), columns, rows: rows.rows as u64, content: Content::Held(rows) };
        table.check_names()?;
        Ok(table)
    }

    /// The tables of a file that holds several, by name, in their order.
    pub(crate) fn all_of(
        disk: &dyn Disk,
        path: &Path,
        format: Format,
        allowance: Allowance,
    ) -> Result<Vec<(String, Self)>, CompareError> {
        let bytes = allowance.read(disk, path, 2, numpy::BYTES_MAX)?;
        match format {
            Format::Workbook => workbook::read(path, &bytes, allowance),
            _ => numpy::read_archive(path, &bytes, allowance),
        }
    }

    /// How precisely the numbers of a column are written, where the file is text and its digits were counted.
    pub(crate) fn written(&self, column: usize) -> Option<Written> {
        match &self.content {
            Content::Delimited(delimited) => delimited.written(column),
            _ => None,
        }
    }

    /// Reads from the start. Batches have the `wanted` columns, in that order.
    pub(crate) fn batches(&self, wanted: &[usize]) -> Result<Batches<'_>, CompareError> {
        match &self.content {
            Content::Parquet(parquet) => parquet.batches(wanted),
            Content::Delimited(delimited) => delimited.batches(&self.columns, wanted),
            Content::Lines(lines) => lines.batches(&self.columns, wanted),
            Content::Arrow(ipc) => ipc.batches(wanted),
            Content::Held(all) => {
                let columns = wanted.iter().map(|index| all.columns.get(*index).cloned());
                let columns = columns.map(|cells| cells.unwrap_or(Cells::Values(Vec::new()))).collect();
                Ok(Box::new(std::iter::once(Ok(Batch { columns, rows: all.rows }))))
            }
        }
    }

    /// For each pair of columns, of this table and of another, whether the files show without decoding that they hold
    /// the same bits in the same order.
    pub(crate) fn same_chunks(
        &self,
        other: &Self,
        pairs: &[(usize, usize)],
    ) -> Result<Vec<bool>, CompareError> {
        match (&self.content, &other.content) {
            (Content::Parquet(one), Content::Parquet(two)) => one.same_chunks(two, pairs),
            _ => Ok(vec![false; pairs.len()]),
        }
    }

    /// About how many bytes each of the `wanted` columns takes to read; none where its columns are not read apart.
    pub(crate) fn weights(&self, wanted: &[usize]) -> Vec<u64> {
        match &self.content {
            Content::Parquet(parquet) => parquet.weights(wanted),
            _ => Vec::new(),
        }
    }

    fn check_names(&self) -> Result<(), CompareError> {
        let mut seen = std::collections::HashMap::new();
        for (second, column) in self.columns.iter().enumerate() {
            if let Some(first) = seen.insert(column.name.as_str(), second) {
                let (path, column) = (self.path.clone(), column.name.clone());
                return Err(CompareError::RepeatedColumn { path, column, first, second });
            }
        }
        Ok(())
    }
}
