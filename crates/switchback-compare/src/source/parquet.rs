//! Parquet, read in record batches.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use arrow_array::{Array, RecordBatch};
use arrow_schema::{DataType, Field, Schema};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
};
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData, RowGroupMetaData};
use switchback_core::world::DiskError;

use super::allowance::{Allowance, BATCH_BYTES};
use super::batch::{Batch, Cells};
use super::guard::guarded;
use super::headers::{PageFault, byte_range, check_footer, check_pages, value_bytes};
use super::logical::{Column, ColumnType};
use super::positioned::Positioned;
use super::table::{BATCH_ROWS, Batches};
use crate::error::{CompareError, Place};

/// How much of a column chunk is looked at at a time.
const CHUNK_BYTES: usize = 256 * 1024;

/// What a decoded cell takes at least, with its offset or its place in a list.
const CELL_BYTES: u64 = 16;

/// A Parquet file whose footer has been read.
#[derive(Debug)]
pub(crate) struct Parquet {
    path: PathBuf,
    file: Positioned,
    metadata: ArrowReaderMetadata,
    /// For each leaf, whether the headers of its pages have been looked at.
    checked: Vec<OnceLock<()>>,
    allowance: Allowance,
}

impl Parquet {
    /// Reads the footer: columns and number of rows.
    pub(crate) fn open(path: &Path, allowance: Allowance) -> Result<(Self, Vec<Column>, u64), CompareError> {
        #[expect(
            clippy::disallowed_methods,
            reason = "the Parquet reader seeks in the file itself: a named exception, behind the port `Comparer`"
        )]
        let file = File::open(path).map_err(|error| DiskError::new("read", path, error))?;
        let failed = |error: String| CompareError::damaged(path, Place::default(), error);
        check_footer(&file).map_err(failed)?;
        let file = Positioned(Arc::new(file));
        let metadata =
            guarded(|| ArrowReaderMetadata::load(&file, ArrowReaderOptions::new())).map_err(failed)?;
        let metadata = with_views(metadata);
        let columns = metadata
            .schema()
            .fields()
            .iter()
            .map(|field| Column { name: field.name().clone(), kind: ColumnType::stored(field.data_type()) })
            .collect();
        let rows = metadata.metadata().file_metadata().num_rows();
        let rows = u64::try_from(rows).map_err(|_| {
            CompareError::damaged(path, Place::default(), format!("its footer counts {rows} rows"))
        })?;
        let checked = vec![OnceLock::new(); metadata.parquet_schema().num_columns()];
        Ok((Self { path: path.to_owned(), file, metadata, checked, allowance }, columns, rows))
    }

    /// Reads the `wanted` columns from the start.
    pub(crate) fn batches(&self, wanted: &[usize]) -> Result<Batches<'_>, CompareError> {
        self.check_pages(wanted)?;
        let file = self.file.clone();
        let batch_rows = self.batch_rows(wanted);
        let reader = guarded(|| {
            let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(file, self.metadata.clone());
            let mask = ProjectionMask::roots(builder.parquet_schema(), wanted.iter().copied());
            builder.with_projection(mask).with_batch_size(batch_rows).build()
        })
        .map_err(|error| CompareError::damaged(&self.path, Place::default(), error))?;
        Ok(Box::new(Reading {
            source: self,
            wanted: wanted.to_vec(),
            reader,
            batch_rows,
            row: 0,
            failed: false,
        }))
    }

    /// How many rows of these columns are read at a time: fewer where a row is long.
    fn batch_rows(&self, wanted: &[usize]) -> usize {
        let leaves = self.leaves();
        let leaves: Vec<usize> = wanted.iter().filter_map(|at| leaves.get(*at)).flatten().copied().collect();
        let row_bytes = |group: &RowGroupMetaData| -> u64 {
            let rows = u64::try_from(group.num_rows()).unwrap_or(0).max(1);
            let chunks = leaves.iter().filter_map(|leaf| group.columns().get(*leaf));
            let cells = chunks.map(|chunk| {
                // Of lists there are several values in a row.
                let values = u64::try_from(chunk.num_values()).unwrap_or(0).div_ceil(rows);
                value_bytes(&self.file.0, chunk).max(CELL_BYTES).saturating_mul(values.max(1))
            });
            cells.fold(1, u64::saturating_add)
        };
        // The longest rows of all decide: a reader has one size.
        let row_bytes = self.metadata.metadata().row_groups().iter().map(row_bytes).max().unwrap_or(1);
        usize::try_from(BATCH_BYTES / row_bytes).unwrap_or(BATCH_ROWS).clamp(1, BATCH_ROWS)
    }

    /// Looks at the headers of all pages of these columns, once.
    fn check_pages(&self, wanted: &[usize]) -> Result<(), CompareError> {
        let leaves = self.leaves();
        for column in wanted {
            for leaf in leaves.get(*column).into_iter().flatten() {
                let Some(checked) = self.checked.get(*leaf).filter(|checked| checked.get().is_none()) else {
                    continue;
                };
                for (group, chunks) in self.metadata.metadata().row_groups().iter().enumerate() {
                    let Some(chunk) = chunks.columns().get(*leaf) else { continue };
                    check_pages(&self.file.0, chunk, self.allowance.bytes())
                        .map_err(|fault| self.page_failed(fault, group, *column))?;
                }
                // Another thread may have been faster, with the same result.
                let _ = checked.set(());
            }
        }
        Ok(())
    }

    fn page_failed(&self, fault: PageFault, group: usize, column: usize) -> CompareError {
        match fault {
            PageFault::Damaged(reason) => {
                let field = self.metadata.schema().fields().get(column).map(|field| field.name().clone());
                let place = Place { row_group: Some(group), field, ..Place::default() };
                CompareError::damaged(&self.path, place, reason)
            }
            PageFault::Large => self.allowance.exceeded(&self.path),
        }
    }

    /// For each pair of columns, of this file and of another, whether their chunks are the same bytes: then they hold
    /// the same values, and nothing need be decoded. Never so when the files' row groups do not line up.
    pub(crate) fn same_chunks(
        &self,
        other: &Self,
        pairs: &[(usize, usize)],
    ) -> Result<Vec<bool>, CompareError> {
        let (one, two) = (self.metadata.metadata(), other.metadata.metadata());
        let rows = |metadata: &ParquetMetaData| -> Vec<i64> {
            metadata.row_groups().iter().map(RowGroupMetaData::num_rows).collect()
        };
        if rows(one) != rows(two) {
            return Ok(vec![false; pairs.len()]);
        }
        let (leaves, other_leaves) = (self.leaves(), other.leaves());
        let same = |(column, other_column): &(usize, usize)| match (
            leaves.get(*column),
            other_leaves.get(*other_column),
        ) {
            (Some(one), Some(two)) if one.len() == two.len() => {
                self.same_column(other, (*column, one), (*other_column, two))
            }
            _ => Ok(false),
        };
        pairs.iter().map(same).collect()
    }

    /// The bytes of each of the `wanted` columns, decompressed.
    pub(crate) fn weights(&self, wanted: &[usize]) -> Vec<u64> {
        let leaves = self.leaves();
        let groups = self.metadata.metadata().row_groups();
        let bytes = |leaf: &usize| -> u64 {
            let chunks = groups.iter().filter_map(|group| group.columns().get(*leaf));
            chunks.map(|chunk| u64::try_from(chunk.uncompressed_size()).unwrap_or(0)).sum()
        };
        let weight = |index: &usize| leaves.get(*index).map_or(0, |leaves| leaves.iter().map(bytes).sum());
        wanted.iter().map(weight).collect()
    }

    fn same_column(
        &self,
        other: &Self,
        (column, leaves): (usize, &[usize]),
        (other_column, other_leaves): (usize, &[usize]),
    ) -> Result<bool, CompareError> {
        let (one, two) = (self.metadata.schema(), other.metadata.schema());
        let kinds = (one.fields().get(column), two.fields().get(other_column));
        let (Some(kind), Some(other_kind)) = kinds else { return Ok(false) };
        if kind.data_type() != other_kind.data_type() {
            return Ok(false);
        }
        let groups = self.metadata.metadata().row_groups().iter().zip(other.metadata.metadata().row_groups());
        for (group, other_group) in groups {
            for (leaf, other_leaf) in leaves.iter().zip(other_leaves) {
                let chunks = (group.columns().get(*leaf), other_group.columns().get(*other_leaf));
                let (Some(chunk), Some(other_chunk)) = chunks else { return Ok(false) };
                if !is_read_alike(chunk, other_chunk) || !self.same_bytes(other, chunk, other_chunk)? {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    /// The leaves of each column.
    fn leaves(&self) -> Vec<Vec<usize>> {
        let schema = self.metadata.parquet_schema();
        let mut leaves = vec![Vec::new(); self.metadata.schema().fields().len()];
        for leaf in 0..schema.num_columns() {
            if let Some(of_column) = leaves.get_mut(schema.get_column_root_idx(leaf)) {
                of_column.push(leaf);
            }
        }
        leaves
    }

    fn same_bytes(
        &self,
        other: &Self,
        chunk: &ColumnChunkMetaData,
        other_chunk: &ColumnChunkMetaData,
    ) -> Result<bool, CompareError> {
        let ((start, length), (other_start, other_length)) =
            (self.byte_range(chunk)?, other.byte_range(other_chunk)?);
        if length != other_length {
            return Ok(false);
        }
        let size = usize::try_from(length).unwrap_or(CHUNK_BYTES).min(CHUNK_BYTES);
        let (mut bytes, mut other_bytes) = (vec![0; size], vec![0; size]);
        let mut done = 0;
        while done < length {
            let size = usize::try_from(length - done).unwrap_or(size).min(size);
            let (Some(bytes), Some(other_bytes)) = (bytes.get_mut(..size), other_bytes.get_mut(..size))
            else {
                return Ok(false);
            };
            self.read_at(start.saturating_add(done), bytes)?;
            other.read_at(other_start.saturating_add(done), other_bytes)?;
            if bytes != other_bytes {
                return Ok(false);
            }
            done += size as u64;
        }
        Ok(true)
    }

    fn byte_range(&self, chunk: &ColumnChunkMetaData) -> Result<(u64, u64), CompareError> {
        byte_range(chunk).map_err(|reason| CompareError::damaged(&self.path, Place::default(), reason))
    }

    fn read_at(&self, offset: u64, to: &mut [u8]) -> Result<(), CompareError> {
        self.file.0.read_exact_at(to, offset).map_err(|error| {
            let reason = format!("its footer names bytes that are not there ({error})");
            CompareError::damaged(&self.path, Place::default(), reason)
        })
    }

    /// The row group that holds a row.
    fn row_group(&self, row: u64) -> Option<usize> {
        let mut end = 0;
        self.metadata.metadata().row_groups().iter().position(|group| {
            end += u64::try_from(group.num_rows()).unwrap_or(0);
            row < end
        })
    }

    /// The one column that cannot be read, when there is exactly one: each is tried alone.
    fn damaged_column(&self, wanted: &[usize], row: u64, batch_rows: usize) -> Option<String> {
        let mut damaged = wanted.iter().filter(|index| {
            let Ok(mut batches) = self.batches(&[**index]) else { return true };
            // The batch in question, and no row behind it: alone, a column comes in batches of its own size.
            let mut read = 0;
            while read < row.saturating_add(batch_rows as u64) {
                match batches.next() {
                    Some(Ok(batch)) => read += batch.rows as u64,
                    Some(Err(_)) => return true,
                    None => return read <= row,
                }
            }
            false
        });
        let index = damaged.next()?;
        damaged.next().is_none().then(|| self.metadata.schema().field(*index).name().clone())
    }
}

struct Reading<'a> {
    source: &'a Parquet,
    wanted: Vec<usize>,
    reader: ParquetRecordBatchReader,
    batch_rows: usize,
    row: u64,
    failed: bool,
}

impl Iterator for Reading<'_> {
    type Item = Result<Batch, CompareError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let read = guarded(|| self.reader.next().transpose());
        let batch = read.transpose()?.and_then(|batch| self.in_order(&batch));
        if let Ok(batch) = &batch {
            self.row += batch.rows as u64;
        }
        Some(batch.map_err(|reason| {
            self.failed = true;
            // A single column is not tried once more: its name is known.
            let field = match self.wanted.as_slice() {
                [only] => Some(self.source.metadata.schema().field(*only).name().clone()),
                wanted => self.source.damaged_column(wanted, self.row, self.batch_rows),
            };
            let place = Place { row_group: self.source.row_group(self.row), field, ..Place::default() };
            CompareError::damaged(&self.source.path, place, reason)
        }))
    }
}

impl Reading<'_> {
    /// The reader gives columns in the order of the file; the caller has an order of its own.
    fn in_order(&self, batch: &RecordBatch) -> Result<Batch, String> {
        let mut sorted = self.wanted.clone();
        sorted.sort_unstable();
        let mut columns = Vec::with_capacity(self.wanted.len());
        for index in &self.wanted {
            let array = sorted
                .binary_search(index)
                .ok()
                .and_then(|at| batch.columns().get(at))
                .ok_or_else(|| format!("column {index} was not read"))?;
            columns.push(Cells::Arrow(plain(array)?));
        }
        Ok(Batch { columns, rows: batch.num_rows() })
    }
}

/// The same file, its text read as views of the pages that it stands in, which are not copied.
fn with_views(metadata: ArrowReaderMetadata) -> ArrowReaderMetadata {
    let view = |field: &Arc<Field>| match field.data_type() {
        DataType::Utf8 | DataType::LargeUtf8 => {
            Arc::new(field.as_ref().clone().with_data_type(DataType::Utf8View))
        }
        _ => Arc::clone(field),
    };
    let fields: Vec<Arc<Field>> = metadata.schema().fields().iter().map(view).collect();
    let schema = Schema::new_with_metadata(fields, metadata.schema().metadata().clone());
    let options = ArrowReaderOptions::new().with_schema(Arc::new(schema));
    // A file that cannot be read so is read as it says.
    ArrowReaderMetadata::try_new(metadata.metadata().clone(), options).unwrap_or(metadata)
}

/// Whether the same bytes in two chunks are the same values: what is not in the chunk itself is the same too.
fn is_read_alike(one: &ColumnChunkMetaData, two: &ColumnChunkMetaData) -> bool {
    let (kind, other_kind) = (one.column_descr(), two.column_descr());
    one.compression() == two.compression()
        && one.num_values() == two.num_values()
        && kind.physical_type() == other_kind.physical_type()
        && kind.logical_type_ref() == other_kind.logical_type_ref()
        && kind.converted_type() == other_kind.converted_type()
        && kind.type_length() == other_kind.type_length()
        && kind.max_def_level() == other_kind.max_def_level()
        && kind.max_rep_level() == other_kind.max_rep_level()
}

/// A dictionary as the values it stands for, so that equal cells have equal bits.
pub(super) fn plain(array: &arrow_array::ArrayRef) -> Result<arrow_array::ArrayRef, String> {
    match array.data_type() {
        DataType::Dictionary(_, values) => {
            arrow_cast::cast(array.as_ref(), values).map_err(|error| error.to_string())
        }
        _ => Ok(array.clone()),
    }
}
