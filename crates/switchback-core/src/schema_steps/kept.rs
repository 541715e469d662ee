//! What was there before a step is there after it: tables, columns, types, rows; what the step declares apart.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::content::{Content, Shape};
use super::exception::{Exception, Exceptions};
use super::link::Link;
use super::loss::old_columns;
use super::outcome::Kept;
use super::record::Record;
use super::step::Step;
use crate::port::StatementError;
use crate::quantity::counted;

/// What must be there after a step, as it was before.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Before {
    tables: Vec<Known>,
    /// All that was there, to tell what came.
    shape: Vec<(String, Vec<String>)>,
}

/// A table as it was.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Known {
    table: String,
    /// Columns that must be there, with their types.
    present: Vec<(String, String)>,
    /// Columns whose values must be the same.
    kept: Vec<String>,
    /// What these hold.
    content: Content,
    /// Whether rows may come and go.
    is_free: bool,
}

impl Link<'_> {
    /// Looks at all that a step may not change.
    pub(super) fn before(
        &mut self,
        shape: &Shape,
        exceptions: &Exceptions,
    ) -> Result<Before, StatementError> {
        let mut before = Before::default();
        for (name, table) in shape {
            before.shape.push((name.clone(), table.names()));
            if exceptions.drops_table(name) {
                continue;
            }
            let present: Vec<(String, String)> = table
                .columns
                .iter()
                .filter(|(column, _)| !exceptions.drops_column(name, column))
                .cloned()
                .collect();
            let kept: Vec<String> = present
                .iter()
                .map(|(column, _)| column.clone())
                .filter(|column| !exceptions.changes(name, column))
                .collect();
            let content = self.content(&table.sql, &kept, &mut |_| {})?;
            let is_free = exceptions.rows(name);
            before.tables.push(Known { table: name.clone(), present, kept, content, is_free });
        }
        Ok(before)
    }

    /// What a revert that cannot be tried has to leave as it is: tables and columns that were there before the step, but for those
    /// that the step changes.
    pub(super) fn staying_as_they_are(
        &mut self,
        step: &Step,
        record: &Record,
        shape: &Shape,
    ) -> Result<Before, StatementError> {
        let undone = step.exceptions.undone();
        let mut before = Before::default();
        for (name, table) in shape {
            let old = old_columns(&record.facts, name, table);
            if old.is_empty() {
                continue;
            }
            let is_old = |(column, _): &&(String, String)| old.contains(column);
            let present: Vec<(String, String)> = table.columns.iter().filter(is_old).cloned().collect();
            let kept: Vec<String> = old.into_iter().filter(|column| !undone.changes(name, column)).collect();
            let content = self.content(&table.sql, &kept, &mut |_| {})?;
            // The rows that came with the step go with it, and nobody can tell them from others.
            let is_free =
                step.exceptions.all().iter().any(
                    |one| matches!(one, Exception::Rows(table) if step.exceptions.new_table(table) == name),
                );
            before.tables.push(Known { table: name.clone(), present, kept, content, is_free });
        }
        Ok(before)
    }

    /// Holds what is there against what was there.
    pub(super) fn kept(
        &mut self,
        before: &Before,
        shape: &Shape,
        exceptions: &Exceptions,
    ) -> Result<Kept, StatementError> {
        let mut kept = Kept::default();
        for known in &before.tables {
            let name = &known.table;
            kept.tables += 1;
            kept.rows += if known.is_free { 0 } else { known.content.rows };
            let new_name = exceptions.new_table(name);
            let Some(table) = shape.get(new_name) else {
                kept.differences.push(format!("the table `{new_name}` is gone"));
                continue;
            };
            let mut is_whole = true;
            for (column, kind) in &known.present {
                let new = exceptions.new_column(name, column);
                match table.type_of(new) {
                    None => {
                        is_whole = false;
                        kept.differences.push(format!("the column `{new_name}.{new}` is gone"));
                    }
                    Some(now) if now != kind && !exceptions.retypes(name, column) => {
                        kept.differences
                            .push(format!("the column `{new_name}.{new}` was `{kind}` and is `{now}`"));
                    }
                    Some(_) => {}
                }
            }
            if is_whole && !known.is_free {
                let columns = known.new_columns(exceptions);
                let now = self.content(&table.sql, &columns, &mut |_| {})?;
                kept.differences.extend(different(new_name, &columns, &known.content, &now));
            }
        }
        Ok(kept)
    }

    /// What came with a step: new tables, new columns of old ones, and rows where rows may come, as they are now. Where others may
    /// have written since the step began (`is_sure` is false), only what came is noted, and not what it held: whatever a revert
    /// finds in it counts as written since.
    pub(super) fn came(
        &mut self,
        before: &Before,
        shape: &Shape,
        exceptions: &Exceptions,
        is_sure: bool,
    ) -> Result<Value, StatementError> {
        let mut old: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (table, columns) in &before.shape {
            let columns = columns.iter().map(|column| exceptions.new_column(table, column)).collect();
            old.insert(exceptions.new_table(table), columns);
        }
        let (mut tables, mut came) = (Map::new(), Map::new());
        for (name, table) in shape {
            let Some(known) = old.get(name.as_str()) else {
                let held = if is_sure {
                    self.content(&table.sql, &table.names(), &mut |_| {})?.to_json()
                } else {
                    Value::Null
                };
                tables.insert(name.clone(), held);
                continue;
            };
            let new: Vec<String> =
                table.names().into_iter().filter(|column| !known.contains(&column.as_str())).collect();
            if new.is_empty() {
                continue;
            }
            let sums =
                if is_sure { self.content(&table.sql, &new, &mut |_| {})?.to_json() } else { Value::Null };
            let columns =
                new.iter().enumerate().map(|(at, column)| (column.clone(), sums["columns"][at].clone()));
            came.insert(name.clone(), Value::Object(columns.collect()));
        }
        let mut rows = Map::new();
        for known in before.tables.iter().filter(|known| known.is_free && is_sure) {
            let name = exceptions.new_table(&known.table);
            let Some(table) = shape.get(name) else { continue };
            let now = self.content(&table.sql, &known.new_columns(exceptions), &mut |_| {})?;
            rows.insert(name.to_owned(), now.more_than(&known.content));
        }
        let changed = if is_sure { self.changed(before, shape, exceptions)? } else { Value::Null };
        Ok(json!({"tables": tables, "columns": came, "rows": rows, "changed": changed}))
    }

    /// What stands in the columns that the step declares to change, beside what it keeps of their rows.
    fn changed(
        &mut self,
        before: &Before,
        shape: &Shape,
        exceptions: &Exceptions,
    ) -> Result<Value, StatementError> {
        let mut changed = Map::new();
        for known in &before.tables {
            let name = exceptions.new_table(&known.table);
            let Some(table) = shape.get(name) else { continue };
            let mut columns = Map::new();
            for (column, _) in known.present.iter().filter(|(column, _)| !known.kept.contains(column)) {
                let column = exceptions.new_column(&known.table, column).to_owned();
                let mut beside = known.new_columns(exceptions);
                beside.push(column.clone());
                columns.insert(column, self.content(&table.sql, &beside, &mut |_| {})?.to_json());
            }
            if !columns.is_empty() {
                changed.insert(name.to_owned(), Value::Object(columns));
            }
        }
        Ok(Value::Object(changed))
    }
}

impl Known {
    /// The columns that are compared, by the names that they have after the step.
    fn new_columns(&self, exceptions: &Exceptions) -> Vec<String> {
        self.kept.iter().map(|column| exceptions.new_column(&self.table, column).to_owned()).collect()
    }
}

/// What is not the same, in sentences.
fn different(table: &str, columns: &[String], before: &Content, now: &Content) -> Vec<String> {
    if before.rows != now.rows {
        let (were, are) = (counted(before.rows, "row"), counted(now.rows, "row"));
        return vec![format!("the table `{table}` had {were} and has {are}")];
    }
    let pairs = before.columns.iter().zip(&now.columns).zip(columns);
    let mut told: Vec<String> = pairs
        .filter(|((was, is), _)| was.0 != is.0)
        .map(|((was, is), column)| match was.1.checked_sub(is.1) {
            Some(fewer @ 1..) => {
                format!("the column `{table}.{column}` has {} fewer, and others", counted(fewer, "value"))
            }
            _ => format!("the column `{table}.{column}` has other values"),
        })
        .collect();
    if told.is_empty() && before.whole != now.whole {
        told.push(format!("the rows of `{table}` are mixed: values stand in other rows than before"));
    }
    told
}

impl Before {
    /// How many rows have to stay.
    pub(super) fn rows(&self) -> u64 {
        self.tables.iter().map(|known| known.content.rows).sum()
    }

    /// As it is kept in the row of a step that is no transaction.
    pub(super) fn to_json(&self) -> Value {
        let tables: Vec<Value> = self
            .tables
            .iter()
            .map(|known| {
                json!({
                    "table": known.table,
                    "present": known.present,
                    "kept": known.kept,
                    "content": known.content.to_json(),
                    "rows": known.is_free,
                })
            })
            .collect();
        json!({"before": tables, "shape": self.shape})
    }

    pub(super) fn from_json(value: &Value) -> Option<Self> {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let texts = |value: &Value| value.as_array()?.iter().map(text).collect::<Option<Vec<String>>>();
        let known = |value: &Value| {
            let present = value.get("present")?.as_array()?.iter();
            Some(Known {
                table: text(value.get("table")?)?,
                present: present
                    .map(|one| Some((text(one.get(0)?)?, text(one.get(1)?)?)))
                    .collect::<Option<_>>()?,
                kept: texts(value.get("kept")?)?,
                content: Content::from_json(value.get("content")?)?,
                is_free: value.get("rows")?.as_bool()?,
            })
        };
        let shape = value.get("shape")?.as_array()?.iter();
        Some(Self {
            tables: value.get("before")?.as_array()?.iter().map(known).collect::<Option<_>>()?,
            shape: shape.map(|one| Some((text(one.get(0)?)?, texts(one.get(1)?)?))).collect::<Option<_>>()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(rows: u64, whole: u128, columns: &[(u128, u64)]) -> Content {
        Content { rows, whole, columns: columns.to_vec() }
    }

    #[test]
    fn what_is_different_is_told_by_table_and_column() {
        let columns = ["id".to_owned(), "note".to_owned()];
        let before = content(3, 9, &[(1, 3), (2, 3)]);
        let told = |now: &Content| different("orders", &columns, &before, now).join("; ");
        assert_eq!(told(&before), "");
        assert_eq!(told(&content(2, 8, &[(0, 2), (1, 2)])), "the table `orders` had 3 rows and has 2 rows");
        assert_eq!(told(&content(3, 8, &[(1, 3), (7, 3)])), "the column `orders.note` has other values");
        assert_eq!(
            told(&content(3, 8, &[(1, 3), (7, 1)])),
            "the column `orders.note` has 2 values fewer, and others"
        );
        assert!(told(&content(3, 8, &[(1, 3), (2, 3)])).contains("mixed"));
    }

    #[test]
    fn what_was_there_reads_back_from_the_row_of_a_step() {
        let known = Known {
            table: "orders".to_owned(),
            present: vec![("id".to_owned(), "INTEGER".to_owned())],
            kept: vec!["id".to_owned()],
            content: content(1, 2, &[(3, 1)]),
            is_free: false,
        };
        let free = Known { is_free: true, ..known.clone() };
        let shape = vec![("orders".to_owned(), vec!["id".to_owned()])];
        let before = Before { tables: vec![known, free], shape };
        assert_eq!(Before::from_json(&before.to_json()), Some(before));
    }
}
