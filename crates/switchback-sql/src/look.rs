//! One constraint: counted, and shown where it is violated.

use arrow_schema::DataType;
use datafusion::common::Column;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::functions_aggregate::expr_fn::count;
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan, LogicalPlanBuilder, when};
use datafusion::prelude::{DataFrame, isnan, lit};
use datafusion::scalar::ScalarValue;
use switchback_core::constraint::{Constraint, Form, Rows};

use crate::form::{Columns, filtered, quoted};
use crate::session::{Planned, Row, Session, counts, rows};
use crate::shelf::Id;
use crate::words::Unknown;

/// The column that says whether a condition holds; no file has one of that name.
const HOLDS: &str = "\u{1}holds";
/// Functions with which a condition speaks of NaN itself.
const OF_NAN: &[&str] = &["isnan", "nanvl"];

/// What was found about a constraint that could be told, or that saw nothing.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) seen: u64,
    pub(crate) pairs: Option<u64>,
    pub(crate) violating: u64,
    pub(crate) sample: Vec<Row>,
    /// A table without a row, of a query that selected none.
    pub(crate) empty: Option<String>,
}

impl Session<'_, '_> {
    /// Looks at a constraint, and shows at most `shown_max` rows that violate it.
    pub(crate) async fn look(&self, constraint: &Constraint, shown_max: usize) -> Result<Found, Unknown> {
        let filter = constraint.about.filter.as_deref();
        if let Some(filter) = filter {
            self.check_expression(filter)?;
        }
        match &constraint.form {
            Form::Select(sql) => self.select(sql, shown_max).await,
            Form::Holds(condition) => {
                self.check_expression(condition)?;
                let from = match &constraint.about.rows {
                    Rows::From(from) => from.clone(),
                    rows => quoted(&self.shelf.name_of(self.table_of(rows)?)),
                };
                self.holds(&from, filter, condition, true, shown_max).await
            }
            form => {
                let table = self.table_of(&constraint.about.rows)?;
                self.short_form(form, table, filter, shown_max).await
            }
        }
    }

    fn table_of(&self, rows: &Rows) -> Result<Id, Unknown> {
        match rows {
            Rows::OnlyTable => self.shelf.only(),
            Rows::Table(name) => self.shelf.find(name),
            Rows::From(from) => Err(Unknown::new(format!("`FROM {from}` goes with a condition alone"))
                .hinted("name a table instead")),
        }
    }

    async fn short_form(
        &self,
        form: &Form,
        table: Id,
        filter: Option<&str>,
        shown_max: usize,
    ) -> Result<Found, Unknown> {
        let Some(opened) = self.shelf.table(table) else {
            return Err(Unknown::new("the table is not there any more"));
        };
        let columns = Columns { schema: opened.records.schema() };
        let name = quoted(&self.shelf.name_of(table));
        match form {
            Form::NotNull(names) => {
                self.holds(&name, filter, &columns.not_null(names)?, false, shown_max).await
            }
            Form::Sign { column, is } => {
                self.holds(&name, filter, &columns.sign(column, *is)?, true, shown_max).await
            }
            Form::Unique(names) => {
                let from = format!("{name}{}", filtered(filter.as_slice()));
                let queries = columns.repeated(names, &from)?;
                let seen = self.numbers(&format!("SELECT count(*) FROM {from}")).await?;
                let violating = self.numbers(&queries.count).await?;
                Ok(Found {
                    seen: at(&seen, 0),
                    violating: at(&violating, 0),
                    sample: self.shown(&queries.rows, at(&violating, 0), shown_max).await?,
                    ..Found::default()
                })
            }
            Form::Monotone(monotone) => {
                let queries = columns.monotone(monotone, &name, filter)?;
                let seen = self.numbers(&queries.seen).await?;
                let pairs = self.numbers(&queries.pairs).await?;
                let (broken, odd) = (at(&pairs, 1), at(&seen, 1));
                let mut sample = self.shown(&queries.broken, broken, shown_max).await?;
                let room = shown_max.saturating_sub(sample.len());
                sample.extend(self.shown(&queries.without_place, odd, room).await?);
                let (violating, pairs) = (broken + odd, Some(at(&pairs, 0)));
                Ok(Found { seen: at(&seen, 0), pairs, violating, sample, empty: None })
            }
            Form::Select(_) | Form::Holds(_) => Ok(Found::default()),
        }
    }

    /// A query that must select nothing.
    async fn select(&self, sql: &str, shown_max: usize) -> Result<Found, Unknown> {
        let Planned { frame, tables } = self.plan(sql).await?;
        let sizes: Vec<(u64, String)> = tables
            .iter()
            .filter_map(|table| Some((self.shelf.table(*table)?.records.rows(), self.shelf.name_of(*table))))
            .collect();
        let violating = at(&counts(frame.clone().aggregate(vec![], vec![count(lit(1))])?).await?, 0);
        let sample = if violating == 0 { Vec::new() } else { rows(frame, shown_max).await? };
        let empty = sizes.iter().find(|(rows, _)| *rows == 0).map(|(_, name)| name.clone());
        Ok(Found { seen: sizes.iter().map(|(rows, _)| rows).sum(), violating, sample, empty, pairs: None })
    }

    /// A condition that must be true for every row. `nan_is_null`: NaN fulfils no comparison.
    async fn holds(
        &self,
        from: &str,
        filter: Option<&str>,
        condition: &str,
        nan_is_null: bool,
        shown_max: usize,
    ) -> Result<Found, Unknown> {
        let sql = format!(
            "SELECT *, (\n{condition}\n) AS {} FROM {from}{}",
            quoted(HOLDS),
            filtered(filter.as_slice())
        );
        let Planned { frame, .. } = self.plan(&sql).await?;
        let (state, plan) = frame.into_parts();
        let plan = if nan_is_null { without_nan(plan)? } else { plan };
        let is_condition = |kind: &DataType| *kind == DataType::Boolean || kind.is_null();
        if let Some((_, field)) = plan.schema().iter().last()
            && !is_condition(field.data_type())
        {
            let why = format!("it is no condition, but of the type {}", field.data_type());
            return Err(Unknown::new(why).hinted("compare it with something: `price > 0`"));
        }
        let frame = DataFrame::new(state, plan);
        let violates = || Expr::Column(Column::new_unqualified(HOLDS)).is_not_true();
        let marked = when(violates(), lit(1)).end()?;
        let found = counts(frame.clone().aggregate(vec![], vec![count(lit(1)), count(marked)])?).await?;
        let mut sample = Vec::new();
        if at(&found, 1) > 0 {
            sample = rows(frame.filter(violates())?, shown_max).await?;
            for row in &mut sample {
                row.pop();
            }
        }
        Ok(Found { seen: at(&found, 0), violating: at(&found, 1), sample, ..Found::default() })
    }

    async fn numbers(&self, sql: &str) -> Result<Vec<u64>, Unknown> {
        counts(self.plan(sql).await?.frame).await
    }

    async fn shown(&self, sql: &str, count: u64, shown_max: usize) -> Result<Vec<Row>, Unknown> {
        if count == 0 || shown_max == 0 {
            return Ok(Vec::new());
        }
        rows(self.plan(sql).await?.frame, shown_max).await
    }
}

fn at(numbers: &[u64], index: usize) -> u64 {
    numbers.get(index).copied().unwrap_or_default()
}

/// In the last expression of a projection, NaN in a column is null, unless the expression speaks of NaN itself: the
/// engine orders NaN above every number, so that it would fulfil `price > 0`.
fn without_nan(plan: LogicalPlan) -> Result<LogicalPlan, Unknown> {
    let LogicalPlan::Projection(mut projection) = plan else { return Ok(plan) };
    let Some(condition) = projection.expr.pop() else { return Ok(LogicalPlan::Projection(projection)) };
    let speaks_of_nan = condition
        .exists(|part| Ok(matches!(part, Expr::ScalarFunction(call) if OF_NAN.contains(&call.name()))))?;
    let schema = projection.input.schema().clone();
    let condition = if speaks_of_nan {
        condition
    } else {
        let replaced = condition.transform_down(|part| match &part {
            Expr::Column(_) => {
                let kind = part.get_type(schema.as_ref())?;
                if !kind.is_floating() {
                    return Ok(Transformed::no(part));
                }
                let null = ScalarValue::try_from(&kind)?;
                let value = when(isnan(part.clone()), lit(null)).otherwise(part)?;
                Ok(Transformed::new(value, true, TreeNodeRecursion::Jump))
            }
            _ => Ok(Transformed::no(part)),
        });
        replaced?.data
    };
    projection.expr.push(condition);
    let input = std::sync::Arc::unwrap_or_clone(projection.input);
    Ok(LogicalPlanBuilder::from(input).project(projection.expr)?.build()?)
}
