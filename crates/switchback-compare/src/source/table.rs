//! A table that can be read from the start as often as needed, a batch at a time.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use switchback_core::world::Disk;

use super::allowance::Allowance;
use super::batch::{Batch, Cells};
use super::delimited::Delimited;
use super::ipc::Ipc;
use super::lines::Lines;
use super::logical::{Column, ColumnType};
use super::mapped::{Change, Mapped};
use super::parquet::Parquet;
use super::reshaped::{Long, Melting, Valued};
use super::stored::Stored;
use super::written::Written;
use super::{Format, numpy, workbook};
use crate::address::Address;
use crate::error::CompareError;
use crate::store::{Database, Side, StoredTable};

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
    Stored(Stored<'a>),
    /// Another table, with other units and labels.
    Mapped(Box<Mapped<'a>>),
    /// Another table, made long.
    Long(Box<Long<'a>>),
    /// Another table, without the rows that have no value.
    Valued(Box<Valued<'a>>),
}

/// A table's file.
#[derive(Debug, Clone, Copy)]
pub(crate) enum TableFile<'t> {
    Parquet(&'t Parquet),
    Delimited(&'t Delimited<'t>, &'t [Column]),
    Lines(&'t Lines<'t>, &'t [Column]),
    Arrow(&'t Ipc<'t>),
}

impl<'t> TableFile<'t> {
    /// Reads from the start. Batches have the `wanted` columns, in that order.
    pub(crate) fn batches(self, wanted: &[usize]) -> Result<Batches<'t>, CompareError> {
        match self {
            Self::Parquet(parquet) => parquet.batches(wanted),
            Self::Delimited(delimited, columns) => delimited.batches(columns, wanted),
            Self::Lines(lines, columns) => lines.batches(columns, wanted),
            Self::Arrow(ipc) => ipc.batches(wanted),
        }
    }
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
            Format::Database => {
                return Err(CompareError::NoStores { address: path.display().to_string() });
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

    /// Opens the table that an open side names, or else the file at `path`.
    pub(crate) fn of_side(
        side: &'a Side,
        disk: &'a dyn Disk,
        path: &Path,
        (format, delimiter): (Format, Option<u8>),
        allowance: Allowance,
    ) -> Result<Self, CompareError> {
        match side {
            Side::Database(address, database) if format == Format::Database => {
                let table = database.table(address.table().unwrap_or_default())?;
                Self::stored(path, table)
            }
            _ => Self::open(disk, path, format, delimiter, allowance),
        }
    }

    /// A table of an open database. `path`: what it is called in errors.
    fn stored(path: &Path, table: Box<dyn StoredTable + 'a>) -> Result<Self, CompareError> {
        let (stored, columns, rows) = Stored::new(path, table);
        let table = Self { path: path.to_owned(), columns, rows, content: Content::Stored(stored) };
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

    /// What was not read as the source declares it, one sentence each.
    pub(crate) fn notes(&self) -> &[String] {
        match &self.content {
            Content::Stored(stored) => stored.notes(),
            _ => &[],
        }
    }

    /// Whether its rows stand in the order that its source happens to give them.
    pub(crate) fn is_unordered(&self) -> bool {
        matches!(self.content, Content::Stored(_))
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

    /// A table without columns and rows.
    pub(crate) fn empty(path: &Path) -> Self {
        let rows = Batch { columns: Vec::new(), rows: 0 };
        Self { path: path.to_owned(), columns: Vec::new(), rows: 0, content: Content::Held(rows) }
    }

    /// The table with other units and labels. `changes`: of columns by their index; `kinds`: the types that these columns
    /// have then.
    pub(crate) fn mapped(self, changes: HashMap<usize, Change>, kinds: &HashMap<usize, ColumnType>) -> Self {
        if changes.is_empty() {
            return self;
        }
        let mut columns = self.columns.clone();
        for (index, column) in columns.iter_mut().enumerate() {
            if let Some(kind) = kinds.get(&index) {
                column.kind = kind.clone();
            }
        }
        let (path, rows) = (self.path.clone(), self.rows);
        Self { path, columns, rows, content: Content::Mapped(Box::new(Mapped::new(self, changes))) }
    }

    /// The table made long, and how many cells have no value. It is read through once to count its rows.
    ///
    /// # Errors
    ///
    /// When it cannot be read, or a column has the name of a new one.
    pub(crate) fn made_long(self, melting: &Melting<'_>) -> Result<(Self, u64), CompareError> {
        let path = self.path.clone();
        let (long, columns, rows, missing) = Long::new(self, melting)?;
        let table = Self { path, columns, rows, content: Content::Long(Box::new(long)) };
        table.check_names()?;
        Ok((table, missing))
    }

    /// The table without the rows that have no value in a column, and how many these are. It is read through once.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    pub(crate) fn valued(self, value: usize, nan_is_missing: bool) -> Result<(Self, u64), CompareError> {
        let (path, columns) = (self.path.clone(), self.columns.clone());
        let (valued, rows, missing) = Valued::new(self, value, nan_is_missing)?;
        Ok((Self { path, columns, rows, content: Content::Valued(Box::new(valued)) }, missing))
    }

    /// Reads from the start. Batches have the `wanted` columns, in that order.
    pub(crate) fn batches(&self, wanted: &[usize]) -> Result<Batches<'_>, CompareError> {
        match &self.content {
            Content::Parquet(parquet) => TableFile::Parquet(parquet).batches(wanted),
            Content::Delimited(delimited) => TableFile::Delimited(delimited, &self.columns).batches(wanted),
            Content::Lines(lines) => TableFile::Lines(lines, &self.columns).batches(wanted),
            Content::Arrow(ipc) => TableFile::Arrow(ipc).batches(wanted),
            Content::Stored(stored) => stored.batches(wanted),
            Content::Mapped(mapped) => mapped.batches(wanted),
            Content::Long(long) => long.batches(wanted),
            Content::Valued(valued) => valued.batches(wanted),
            Content::Held(all) => {
                let columns = wanted.iter().map(|index| all.columns.get(*index).cloned());
                let columns = columns.map(|cells| cells.unwrap_or(Cells::Values(Vec::new()))).collect();
                Ok(Box::new(std::iter::once(Ok(Batch { columns, rows: all.rows }))))
            }
        }
    }

    /// The file that it is read from, which several threads can do at a time; `None` for rows that are in memory or in a
    /// database.
    pub(crate) fn file(&self) -> Option<TableFile<'_>> {
        Some(match &self.content {
            Content::Parquet(parquet) => TableFile::Parquet(parquet),
            Content::Delimited(delimited) => TableFile::Delimited(delimited, &self.columns),
            Content::Lines(lines) => TableFile::Lines(lines, &self.columns),
            Content::Arrow(ipc) => TableFile::Arrow(ipc),
            Content::Held(_)
            | Content::Stored(_)
            | Content::Mapped(_)
            | Content::Long(_)
            | Content::Valued(_) => return None,
        })
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

    /// Whether its columns come as arrays of the types that they are said to have.
    pub(crate) fn has_arrays(&self) -> bool {
        matches!(self.content, Content::Parquet(_) | Content::Arrow(_) | Content::Stored(_))
    }

    /// About how many bytes each of the `wanted` columns takes to read; none where its columns are not read apart.
    pub(crate) fn weights(&self, wanted: &[usize]) -> Vec<u64> {
        match &self.content {
            Content::Parquet(parquet) => parquet.weights(wanted),
            _ => Vec::new(),
        }
    }

    fn check_names(&self) -> Result<(), CompareError> {
        let mut seen = HashMap::new();
        for (second, column) in self.columns.iter().enumerate() {
            if let Some(first) = seen.insert(column.name.as_str(), second) {
                let (path, column) = (self.path.clone(), column.name.clone());
                return Err(CompareError::RepeatedColumn { path, column, first, second });
            }
        }
        Ok(())
    }
}

/// The tables of one side, by name.
#[derive(Debug)]
pub(crate) enum Tables<'a> {
    /// Of a file, which is read as a whole.
    Read(BTreeMap<String, Table<'a>>),
    /// Of a database, each of which is opened when its turn comes.
    Stored(&'a Address, &'a dyn Database, BTreeSet<String>),
}

impl<'a> Tables<'a> {
    /// The tables of an open side, or else of the file at `path`.
    pub(crate) fn of_side(
        side: &'a Side,
        disk: &dyn Disk,
        path: &Path,
        format: Format,
        allowance: Allowance,
    ) -> Result<Self, CompareError> {
        match side {
            Side::Database(address, database) if format == Format::Database => {
                let names = database.tables()?.into_iter().collect();
                Ok(Self::Stored(address, database.as_ref(), names))
            }
            _ if format == Format::Database => {
                Err(CompareError::NoStores { address: path.display().to_string() })
            }
            _ => Ok(Self::Read(Table::all_of(disk, path, format, allowance)?.into_iter().collect())),
        }
    }

    /// The names, sorted.
    pub(crate) fn names(&self) -> Vec<String> {
        match self {
            Self::Read(tables) => tables.keys().cloned().collect(),
            Self::Stored(_, _, names) => names.iter().cloned().collect(),
        }
    }

    /// One of them, once; `None` when it is not, or no longer, there.
    pub(crate) fn take(&mut self, name: &str) -> Result<Option<Table<'a>>, CompareError> {
        match self {
            Self::Read(tables) => Ok(tables.remove(name)),
            Self::Stored(address, database, names) => {
                if !names.remove(name) {
                    return Ok(None);
                }
                Table::stored(&address.shown_with(name), database.table(name)?).map(Some)
            }
        }
    }
}
