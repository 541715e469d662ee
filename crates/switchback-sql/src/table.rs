//! A table as the engine reads it: batches come from a thread that reads the file, a few at a time.

use std::sync::{Arc, mpsc};

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{Expr, TableType};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};
use switchback_compare::records::Records;
use tokio::sync::mpsc as batches;

use crate::shelf::Id;

/// Batches that wait for the engine.
const WAITING_MAX: usize = 2;

/// A wish to read columns of a table from the start.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) table: Id,
    wanted: Vec<usize>,
    to: batches::Sender<Result<RecordBatch>>,
}

impl Job {
    /// Reads until the end, or until nobody waits any more.
    pub(crate) fn serve(self, records: &Records<'_>) {
        let mut send = |batch| self.to.blocking_send(Ok(batch)).is_ok();
        if let Err(error) = records.read(&self.wanted, &mut send) {
            // Nobody waits for the error of a reading that was given up.
            drop(self.to.blocking_send(Err(DataFusionError::External(Box::new(error)))));
        }
    }
}

/// A table that the engine can name.
#[derive(Debug)]
pub(crate) struct StreamedTable {
    pub(crate) table: Id,
    pub(crate) schema: SchemaRef,
    pub(crate) jobs: mpsc::Sender<Job>,
}

#[async_trait]
impl TableProvider for StreamedTable {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        _state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let wanted = projection.cloned().unwrap_or_else(|| (0..self.schema.fields().len()).collect());
        let schema = Arc::new(self.schema.project(&wanted)?);
        let reading = Reading { table: self.table, wanted, schema: schema.clone(), jobs: self.jobs.clone() };
        let plan = StreamingTableExec::try_new(schema, vec![Arc::new(reading)], None, [], false, limit)?;
        Ok(Arc::new(plan))
    }
}

/// Some columns of a table.
#[derive(Debug)]
struct Reading {
    table: Id,
    wanted: Vec<usize>,
    schema: SchemaRef,
    jobs: mpsc::Sender<Job>,
}

impl PartitionStream for Reading {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _context: Arc<TaskContext>) -> SendableRecordBatchStream {
        let (to, mut from) = batches::channel(WAITING_MAX);
        let job = Job { table: self.table, wanted: self.wanted.clone(), to };
        // Readers outlive every session; without one the stream would only look empty.
        let refused = self.jobs.send(job).is_err();
        let mut lost =
            refused.then(|| DataFusionError::Execution("the table is not read any more".to_owned()));
        let stream = futures::stream::poll_fn(move |context| match lost.take() {
            Some(error) => std::task::Poll::Ready(Some(Err(error))),
            None => from.poll_recv(context),
        });
        Box::pin(RecordBatchStreamAdapter::new(self.schema.clone(), stream))
    }
}
