//! The engine, set up to read only, within a bound of memory, and always in the same order.

use std::collections::HashMap;
use std::sync::{Arc, mpsc};

use datafusion::common::TableReference;
use datafusion::config::Dialect;
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::prelude::{DataFrame, SQLOptions, SessionConfig, SessionContext};
use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast;
use serde_json::Value;
use switchback_compare::records::cell;
use switchback_core::constraint::Bounds;

use crate::shelf::{Id, Shelf};
use crate::table::{Job, StreamedTable};
use crate::words::Unknown;

/// A row: names of columns and values.
pub(crate) type Row = Vec<(String, Value)>;

/// The engine with the tables that have been named so far.
pub(crate) struct Session<'s, 'd> {
    context: SessionContext,
    pub(crate) shelf: &'s Shelf<'d>,
    jobs: mpsc::Sender<Job>,
}

/// A query that has been understood.
#[derive(Debug)]
pub(crate) struct Planned {
    pub(crate) frame: DataFrame,
    /// The tables that it names.
    pub(crate) tables: Vec<Id>,
}

impl<'s, 'd> Session<'s, 'd> {
    /// An engine without tables. What it spills goes into a temporary folder that goes with it.
    pub(crate) fn new(
        shelf: &'s Shelf<'d>,
        jobs: mpsc::Sender<Job>,
        bounds: &Bounds,
    ) -> Result<Self, Unknown> {
        let memory_bytes = usize::try_from(bounds.memory_bytes).unwrap_or(usize::MAX);
        let runtime = RuntimeEnvBuilder::new()
            .with_memory_pool(Arc::new(FairSpillPool::new(memory_bytes)))
            .build_arc()?;
        // One partition: rows keep their order, so that the same rows are shown every time.
        let mut config = SessionConfig::new().with_target_partitions(1);
        let options = config.options_mut();
        // A name means what it says, to the letter.
        options.sql_parser.enable_ident_normalization = false;
        // One side of a join is held in memory. Joins by sorting would need less, but can answer wrong where there is a
        // condition beside the key (apache/datafusion issue 24414).
        options.optimizer.prefer_hash_join = true;
        Ok(Self { context: SessionContext::new_with_config_rt(config, runtime), shelf, jobs })
    }

    /// Understands a query.
    pub(crate) async fn plan(&self, sql: &str) -> Result<Planned, Unknown> {
        let state = self.context.state();
        let statement = state.sql_to_statement(sql, &Dialect::Generic)?;
        if !is_query(&statement) {
            return Err(Unknown::new("only a query is carried out here, and this is none")
                .hinted("begin with SELECT or WITH"));
        }
        let mut tables = Vec::new();
        for reference in state.resolve_table_references(&statement)? {
            let table = self.shelf.find(reference.table()).and_then(|table| match reference {
                TableReference::Bare { .. } => Ok(table),
                _ => Err(Unknown::new(format!("there is no table `{reference}`"))
                    .hinted(format!("names of tables have no folder in front: `{}`", reference.table()))),
            })?;
            self.provide(reference, table)?;
            if !tables.contains(&table) {
                tables.push(table);
            }
        }
        let plan = state.statement_to_plan(statement).await?;
        let reading =
            SQLOptions::new().with_allow_ddl(false).with_allow_dml(false).with_allow_statements(false);
        reading.verify_plan(&plan)?;
        Ok(Planned { frame: DataFrame::new(state, plan), tables })
    }

    /// Whether `sql` is one expression and nothing behind it.
    pub(crate) fn check_expression(&self, sql: &str) -> Result<(), Unknown> {
        self.context.state().sql_to_expr(sql, &Dialect::Generic)?;
        Ok(())
    }

    fn provide(&self, reference: TableReference, table: Id) -> Result<(), Unknown> {
        if self.context.table_exist(reference.clone())? {
            return Ok(());
        }
        let Some(opened) = self.shelf.table(table) else { return Ok(()) };
        let provider = StreamedTable { table, schema: opened.records.schema(), jobs: self.jobs.clone() };
        self.context.register_table(reference, Arc::new(provider))?;
        Ok(())
    }
}

fn is_query(statement: &Statement) -> bool {
    match statement {
        Statement::Statement(statement) => matches!(statement.as_ref(), ast::Statement::Query(_)),
        _ => false,
    }
}

/// The only row of a query for numbers that count.
pub(crate) async fn counts(frame: DataFrame) -> Result<Vec<u64>, Unknown> {
    let rows = rows(frame, 1).await?;
    let row = rows.into_iter().next().unwrap_or_default();
    Ok(row.into_iter().map(|(_, value)| value.as_u64().unwrap_or_default()).collect())
}

/// The first rows of a query.
pub(crate) async fn rows(frame: DataFrame, rows_max: usize) -> Result<Vec<Row>, Unknown> {
    let names = names(&frame);
    let batches = frame.limit(0, Some(rows_max))?.collect().await?;
    let mut rows = Vec::new();
    for batch in &batches {
        for row in 0..batch.num_rows() {
            let values = batch.columns().iter().map(|column| cell(column, row));
            rows.push(names.iter().cloned().zip(values).collect());
        }
    }
    Ok(rows)
}

/// Names of columns; those that several tables share have the table in front.
fn names(frame: &DataFrame) -> Vec<String> {
    let mut times: HashMap<&str, usize> = HashMap::new();
    for (_, field) in frame.schema().iter() {
        *times.entry(field.name()).or_default() += 1;
    }
    let columns = frame.schema().iter().map(|(table, field)| match table {
        Some(table) if times.get(field.name().as_str()).is_some_and(|times| *times > 1) => {
            format!("{}.{}", table.table(), field.name())
        }
        _ => field.name().clone(),
    });
    columns.collect()
}
