//! Rows that are written down once, because their database would not give them in the same order again.

use std::io::BufReader;
use std::io::BufWriter;

use arrow_ipc::reader::FileReader;
use arrow_ipc::writer::FileWriter;
use arrow_schema::{ArrowError, SchemaRef};
use switchback_compare::store::{Records, StoreError};
use tempfile::NamedTempFile;

use crate::failure::failed;

const ROOM: &str = "make room in the folder for temporary files, or name another one in `TMPDIR`";

/// All rows of a table in a temporary file, which is gone when this is dropped.
#[derive(Debug)]
pub(crate) struct Spool {
    address: String,
    file: NamedTempFile,
    rows: u64,
}

impl Spool {
    /// Writes the rows down.
    pub(crate) fn of(address: &str, schema: &SchemaRef, records: Records<'_>) -> Result<Self, StoreError> {
        let failed = |error: &dyn std::error::Error| failed(address, [error.to_string()], ROOM);
        let file = NamedTempFile::new().map_err(|error| failed(&error))?;
        let mut writer =
            FileWriter::try_new(BufWriter::new(&file), schema).map_err(|error| failed(&error))?;
        let mut rows = 0;
        for batch in records {
            let batch = batch?;
            rows += batch.num_rows() as u64;
            writer.write(&batch).map_err(|error| failed(&error))?;
        }
        writer.finish().map_err(|error| failed(&error))?;
        drop(writer);
        Ok(Self { address: address.to_owned(), file, rows })
    }

    /// How many rows there are.
    pub(crate) fn rows(&self) -> u64 {
        self.rows
    }

    /// The `wanted` columns from the start.
    pub(crate) fn batches(&self, wanted: &[usize]) -> Result<Records<'_>, StoreError> {
        let failed = |error: String| failed(&self.address, [error], ROOM);
        let file = self.file.reopen().map_err(|error| failed(error.to_string()))?;
        let reader =
            FileReader::try_new(BufReader::new(file), None).map_err(|error| failed(error.to_string()))?;
        let wanted = wanted.to_vec();
        Ok(Box::new(reader.map(move |batch: Result<_, ArrowError>| {
            let chosen = batch.and_then(|batch| batch.project(&wanted));
            chosen.map_err(|error| failed(error.to_string()))
        })))
    }
}
