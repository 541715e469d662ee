//! Record batches of any number of columns, also of none.

use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow_schema::{Field, Schema, SchemaRef};
use switchback_compare::store::{StoreError, StoredColumn};

use crate::failure::failed;

/// The most rows in a batch.
pub(crate) const BATCH_ROWS: usize = 8192;

/// About how many bytes a batch may hold before it is ended early.
pub(crate) const BATCH_BYTES: usize = 8 * 1024 * 1024;

/// The schema of some columns, in the order wanted.
pub(crate) fn schema_of(columns: &[StoredColumn], wanted: &[usize]) -> SchemaRef {
    let columns = wanted.iter().filter_map(|index| columns.get(*index));
    let fields = columns.map(|column| Field::new(&column.name, column.data_type.clone(), true));
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

/// A batch of `rows` rows.
pub(crate) fn batch(
    address: &str,
    schema: SchemaRef,
    arrays: Vec<ArrayRef>,
    rows: usize,
) -> Result<RecordBatch, StoreError> {
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(schema, arrays, &options)
        .map_err(|error| failed(address, [error.to_string()], ""))
}
