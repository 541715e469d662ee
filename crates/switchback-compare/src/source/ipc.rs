//! Arrow IPC: files that end in a footer, and streams, told apart by how they begin.

use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use arrow_array::RecordBatch;
use arrow_ipc::reader::{FileReader, StreamReader};
use arrow_schema::{ArrowError, SchemaRef};
use switchback_core::world::{Disk, DiskError, ReadSeek};

use super::allowance::Allowance;
use super::batch::{Batch, Cells};
use super::guard::guarded;
use super::logical::{Column, ColumnType};
use super::messages;
use super::parquet::plain;
use super::table::Batches;
use crate::error::{CompareError, Place};

/// What the file format begins with (Arrow Columnar Format, *IPC File Format*).
const MAGIC: &[u8; 6] = b"ARROW1";

/// An Arrow IPC file or stream whose schema has been read.
#[derive(Debug)]
pub(crate) struct Ipc<'a> {
    disk: &'a dyn Disk,
    path: PathBuf,
    columns: Vec<String>,
    allowance: Allowance,
}

/// Record batches of either form.
type Records = Box<dyn Iterator<Item = Result<RecordBatch, ArrowError>>>;

impl<'a> Ipc<'a> {
    /// Reads the schema, and counts the rows.
    pub(crate) fn open(
        disk: &'a dyn Disk,
        path: &Path,
        allowance: Allowance,
    ) -> Result<(Self, Vec<Column>, u64), CompareError> {
        let mut file = Self { disk, path: path.to_owned(), columns: Vec::new(), allowance };
        file.check()?;
        let (schema, records) = file.records()?;
        let columns: Vec<Column> = schema
            .fields()
            .iter()
            .map(|field| Column { name: field.name().clone(), kind: ColumnType::stored(field.data_type()) })
            .collect();
        file.columns = columns.iter().map(|column| column.name.clone()).collect();
        let mut rows = 0;
        let mut records = records;
        while let Some(batch) = file.guarded(|| records.next().transpose())? {
            rows += batch.num_rows() as u64;
        }
        Ok((file, columns, rows))
    }

    fn guarded<T>(&self, read: impl FnOnce() -> Result<T, ArrowError>) -> Result<T, CompareError> {
        guarded(read).map_err(|reason| CompareError::damaged(&self.path, Place::default(), reason))
    }

    /// The file from its start, and whether it is one with a footer.
    fn open_file(&self) -> Result<(BufReader<Box<dyn ReadSeek + Send>>, bool), CompareError> {
        let failed = |error| DiskError::new("read", &self.path, error);
        let mut file = BufReader::new(self.disk.open_seekable(&self.path)?);
        let mut start = Vec::new();
        (&mut file).take(MAGIC.len() as u64).read_to_end(&mut start).map_err(failed)?;
        file.seek(SeekFrom::Start(0)).map_err(failed)?;
        Ok((file, start == MAGIC))
    }

    /// Refuses a file whose messages say more than there is, before memory is set aside for it.
    fn check(&self) -> Result<(), CompareError> {
        let (file, has_footer) = self.open_file()?;
        let largest = guarded(|| messages::check(file, has_footer))
            .map_err(|reason| CompareError::damaged(&self.path, Place::default(), reason))?;
        // A batch is in memory as it stands in the file, and decoded.
        if largest > self.allowance.bytes() / 2 {
            return Err(self.allowance.exceeded(&self.path));
        }
        Ok(())
    }

    fn records(&self) -> Result<(SchemaRef, Records), CompareError> {
        let (file, has_footer) = self.open_file()?;
        self.guarded(|| {
            Ok(if has_footer {
                let reader = FileReader::try_new(file, None)?;
                (reader.schema(), Box::new(reader) as Records)
            } else {
                let reader = StreamReader::try_new(file, None)?;
                (reader.schema(), Box::new(reader) as Records)
            })
        })
    }

    /// Reads the `wanted` columns from the start.
    pub(crate) fn batches(&self, wanted: &[usize]) -> Result<Batches<'_>, CompareError> {
        let (_, records) = self.records()?;
        Ok(Box::new(Reading { source: self, wanted: wanted.to_vec(), records, failed: false }))
    }
}

struct Reading<'a> {
    source: &'a Ipc<'a>,
    wanted: Vec<usize>,
    records: Records,
    failed: bool,
}

impl Iterator for Reading<'_> {
    type Item = Result<Batch, CompareError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let batch = self.source.guarded(|| self.records.next().transpose()).transpose()?;
        let batch = batch.and_then(|batch| self.chosen(&batch));
        self.failed = batch.is_err();
        Some(batch)
    }
}

impl Reading<'_> {
    fn chosen(&self, batch: &RecordBatch) -> Result<Batch, CompareError> {
        let mut columns = Vec::with_capacity(self.wanted.len());
        for index in &self.wanted {
            let array = batch.columns().get(*index).map(plain).transpose();
            let failed = |reason: String| {
                let field = self.source.columns.get(*index).cloned();
                CompareError::damaged(&self.source.path, Place { field, ..Place::default() }, reason)
            };
            let array = array.map_err(failed)?.ok_or_else(|| failed("a batch lacks it".to_owned()))?;
            columns.push(Cells::Arrow(array));
        }
        Ok(Batch { columns, rows: batch.num_rows() })
    }
}
