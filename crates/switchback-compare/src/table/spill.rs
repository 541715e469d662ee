//! Rows that do not fit into memory, split by a hash into parts on disk of which each does.
//!
//! The parts are files without a name in the folder for temporary files (`TMPDIR`): they are gone with the program,
//! however it ends.

use std::fs::File;
use std::io::{BufReader, BufWriter, Read};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::UInt64Type;
use arrow_array::{Array, ArrayRef, LargeBinaryArray, RecordBatch, UInt64Array};
use arrow_ipc::CompressionType;
use arrow_ipc::reader::StreamReader;
use arrow_ipc::writer::{IpcWriteOptions, StreamWriter};
use arrow_schema::{ArrowError, DataType, Field, Schema};

use super::flow::{Flow, Numbered, NumberedBatches, Numbers};
use crate::error::{CompareError, Place};
use crate::source::batch::{Batch, Cells};
use crate::source::inference::Kind;
use crate::value::Value;

/// How many parts the rows of one side are split into at a time.
pub(super) const PARTS: usize = 32;
/// How many rows, and about how many bytes, are gathered before each part gets its own of them.
const GATHERED_ROWS: usize = 128 * 1024;
const GATHERED_BYTES: u64 = 32 * 1024 * 1024;

/// Rows of one side whose hashes fall together.
#[derive(Debug)]
pub(super) struct Part {
    file: File,
    shapes: Vec<Shape>,
    pub(super) rows: u64,
}

/// What a column's cells were before they became an array.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Shape {
    Arrow,
    Text(Kind),
    Values,
}

/// Says for each row of a batch where it goes: rows that may meet must have the same hash on both sides.
pub(super) type Route<'r> = &'r dyn Fn(&Flow<'_>, &Batch) -> Result<Vec<u64>, CompareError>;

/// Splits the rows of one side.
///
/// `depth`: how often they were split before; each time other bits of the hash decide.
pub(super) fn split(flow: &Flow<'_>, route: Route<'_>, depth: u32) -> Result<Vec<Part>, CompareError> {
    let mut parts: Vec<Writing> = (0..PARTS).map(|_| Writing::default()).collect();
    let path = &flow.table.path;
    std::thread::scope(|scope| {
        let mut gathered = Gathered::default();
        for batch in flow.batches(scope)? {
            let batch = batch?;
            let hashes = route(flow, &batch.batch)?;
            gathered.add(batch, &hashes, depth);
            if gathered.is_full() {
                gathered.deal(&mut parts, path)?;
            }
        }
        gathered.deal(&mut parts, path)
    })?;
    parts.into_iter().map(|part| part.finish(path)).collect()
}

/// Batches that wait to be dealt out, and for each part the places of its rows in them.
#[derive(Debug, Default)]
struct Gathered {
    batches: Vec<Numbered>,
    places: Vec<Vec<(usize, usize)>>,
    rows: usize,
    bytes: u64,
}

impl Gathered {
    fn add(&mut self, batch: Numbered, hashes: &[u64], depth: u32) {
        self.places.resize(PARTS, Vec::new());
        for (row, hash) in hashes.iter().enumerate() {
            let turned = hash.rotate_right(depth * PARTS.ilog2());
            let part = usize::try_from(turned % PARTS as u64).unwrap_or(0);
            if let Some(places) = self.places.get_mut(part) {
                places.push((self.batches.len(), row));
            }
        }
        self.rows += batch.batch.rows;
        self.bytes += batch.batch.columns.iter().map(Cells::bytes).sum::<u64>();
        self.batches.push(batch);
    }

    fn is_full(&self) -> bool {
        self.rows >= GATHERED_ROWS || self.bytes >= GATHERED_BYTES
    }

    /// Gives each part its rows, and is empty again.
    fn deal(&mut self, parts: &mut [Writing], path: &Path) -> Result<(), CompareError> {
        for (part, places) in parts.iter_mut().zip(&self.places) {
            if places.is_empty() {
                continue;
            }
            let columns = self.batches.first().map_or(0, |batch| batch.batch.columns.len());
            let mut arrays = Vec::with_capacity(columns + 1);
            let mut shapes = Vec::with_capacity(columns);
            for index in 0..columns {
                let sources: Vec<&Cells> =
                    self.batches.iter().filter_map(|batch| batch.batch.columns.get(index)).collect();
                let (array, shape) = frozen(Cells::gather(&sources, places, path)?.compact(path)?, path)?;
                arrays.push(array);
                shapes.push(shape);
            }
            let number = |(batch, row): &(usize, usize)| {
                self.batches.get(*batch).map_or(0, |batch| batch.numbers.at(*row))
            };
            let numbers: UInt64Array = places.iter().map(|place| Some(number(place))).collect();
            arrays.push(Arc::new(numbers));
            part.write(arrays, shapes, places.len())
                .map_err(|error| not_spilled(path, &error.to_string()))?;
        }
        *self = Self::default();
        Ok(())
    }
}

/// A part that is being written.
#[derive(Default)]
struct Writing {
    writer: Option<StreamWriter<BufWriter<File>>>,
    shapes: Vec<Shape>,
    rows: u64,
}

impl Writing {
    fn write(&mut self, arrays: Vec<ArrayRef>, shapes: Vec<Shape>, rows: usize) -> Result<(), ArrowError> {
        let fields = arrays.iter().map(|array| Field::new("", array.data_type().clone(), true));
        let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        if self.writer.is_none() {
            let options =
                IpcWriteOptions::default().try_with_compression(Some(CompressionType::LZ4_FRAME))?;
            let file = BufWriter::new(tempfile::tempfile()?);
            self.writer = Some(StreamWriter::try_new_with_options(file, &schema, options)?);
            self.shapes = shapes;
        }
        if let Some(writer) = &mut self.writer {
            writer.write(&RecordBatch::try_new(schema, arrays)?)?;
        }
        self.rows += rows as u64;
        Ok(())
    }

    fn finish(self, path: &Path) -> Result<Part, CompareError> {
        let failed = |error: ArrowError| not_spilled(path, &error.to_string());
        let file = match self.writer {
            None => tempfile::tempfile().map_err(|error| not_spilled(path, &error.to_string()))?,
            Some(mut writer) => {
                writer.finish().map_err(failed)?;
                let file = writer.into_inner().map_err(failed)?.into_inner();
                file.map_err(|error| not_spilled(path, &error.to_string()))?
            }
        };
        Ok(Part { file, shapes: self.shapes, rows: self.rows })
    }
}

impl Part {
    /// Reads the rows, in their order. `path`: whose they are.
    pub(super) fn batches<'p>(&'p self, path: &'p Path) -> Result<NumberedBatches<'p>, CompareError> {
        if self.rows == 0 {
            return Ok(Box::new(std::iter::empty()));
        }
        let failed = |error: &ArrowError| not_spilled(path, &error.to_string());
        let file = BufReader::new(FromStart { file: &self.file, offset: 0 });
        let reader = StreamReader::try_new(file, None).map_err(|error| failed(&error))?;
        Ok(Box::new(reader.map(move |batch| self.numbered(&batch.map_err(|error| failed(&error))?, path))))
    }

    fn numbered(&self, batch: &RecordBatch, path: &Path) -> Result<Numbered, CompareError> {
        let thawed =
            self.shapes.iter().zip(batch.columns()).map(|(shape, array)| thawed(*shape, array, path));
        let columns = thawed.collect::<Result<Vec<_>, _>>()?;
        let numbers = batch.columns().last().and_then(|array| array.as_primitive_opt::<UInt64Type>());
        let numbers = numbers.ok_or_else(|| not_spilled(path, "the numbers of its rows are gone"))?.clone();
        Ok(Numbered { batch: Batch { columns, rows: batch.num_rows() }, numbers: Numbers::Each(numbers) })
    }
}

/// Reads a file from its start, whoever else reads it.
struct FromStart<'f> {
    file: &'f File,
    offset: u64,
}

impl Read for FromStart<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let bytes = self.file.read_at(buffer, self.offset)?;
        self.offset += bytes as u64;
        Ok(bytes)
    }
}

fn frozen(cells: Cells, path: &Path) -> Result<(ArrayRef, Shape), CompareError> {
    Ok(match cells {
        Cells::Arrow(array) => (array, Shape::Arrow),
        Cells::Text(array, kind) => (Arc::new(array), Shape::Text(kind)),
        Cells::Values(values) => {
            let bytes = values.iter().map(postcard::to_stdvec).collect::<Result<Vec<_>, _>>();
            let bytes = bytes.map_err(|error| not_spilled(path, &error.to_string()))?;
            (Arc::new(LargeBinaryArray::from_iter_values(bytes)), Shape::Values)
        }
        Cells::Skipped => return Err(not_spilled(path, "a column of it was not read")),
    })
}

fn thawed(shape: Shape, array: &ArrayRef, path: &Path) -> Result<Cells, CompareError> {
    Ok(match (shape, array.data_type()) {
        (Shape::Text(kind), DataType::Utf8) => Cells::Text(array.as_string().clone(), kind),
        (Shape::Values, DataType::LargeBinary) => {
            let bytes = array.as_binary::<i64>();
            let values = bytes.iter().flatten().map(postcard::from_bytes::<Value<'static>>);
            let values = values.collect::<Result<Vec<_>, _>>();
            Cells::Values(values.map_err(|error| not_spilled(path, &error.to_string()))?)
        }
        _ => Cells::Arrow(Arc::clone(array)),
    })
}

fn not_spilled(path: &Path, reason: &str) -> CompareError {
    let reason = format!("its rows could not be put aside in the folder for temporary files: {reason}");
    CompareError::damaged(path, Place::default(), reason)
}
