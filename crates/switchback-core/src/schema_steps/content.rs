//! What is in a database: its tables, and a sum over the hashes of their rows, which depends on no order.
//!
//! Two contents with the same sums hold the same rows: of each row 128 bits of BLAKE3 are added up. It finds what went wrong, not
//! what somebody forged.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::dialect::Dialect;
use super::link::Link;
use crate::port::StatementError;

/// The tables of a database, by the names that people know.
pub(super) type Shape = BTreeMap<String, Table>;

/// A table and its columns, in order, with their declared types.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Table {
    /// As SQL names it.
    pub(super) sql: String,
    pub(super) columns: Vec<(String, String)>,
}

/// What some columns of a table hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Content {
    pub(super) rows: u64,
    /// The sum over all rows of the hash of the row.
    pub(super) whole: u128,
    /// Of each column, in the order asked for: the sum over its values, and how many are not null.
    pub(super) columns: Vec<(u128, u64)>,
}

impl Table {
    pub(super) fn has(&self, column: &str) -> bool {
        self.columns.iter().any(|(name, _)| name == column)
    }

    pub(super) fn type_of(&self, column: &str) -> Option<&str> {
        self.columns.iter().find(|(name, _)| name == column).map(|(_, kind)| kind.as_str())
    }

    pub(super) fn names(&self) -> Vec<String> {
        self.columns.iter().map(|(name, _)| name.clone()).collect()
    }
}

impl Content {
    pub(super) fn to_json(&self) -> Value {
        let columns: Vec<Value> =
            self.columns.iter().map(|(sum, values)| json!([format!("{sum:032x}"), values])).collect();
        json!({"rows": self.rows, "whole": format!("{:032x}", self.whole), "columns": columns})
    }

    /// The rows by which this is more than `other`, of which only their number and their sum are known.
    pub(super) fn more_than(&self, other: &Self) -> Value {
        let rows = i128::from(self.rows) - i128::from(other.rows);
        json!([rows.to_string(), format!("{:032x}", self.whole.wrapping_sub(other.whole))])
    }

    pub(super) fn from_json(value: &Value) -> Option<Self> {
        let sum = |value: &Value| u128::from_str_radix(value.as_str()?, 16).ok();
        let columns = value.get("columns")?.as_array()?.iter();
        Some(Self {
            rows: value.get("rows")?.as_u64()?,
            whole: sum(value.get("whole")?)?,
            columns: columns
                .map(|one| Some((sum(one.get(0)?)?, one.get(1)?.as_u64()?)))
                .collect::<Option<_>>()?,
        })
    }
}

/// The hash of one value; null is none of all texts.
fn hash_of(cell: Option<&str>) -> u128 {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&[u8::from(cell.is_some())]);
    hasher.update(cell.unwrap_or_default().as_bytes());
    first_half(&hasher.finalize())
}

/// The hash of a row: of its values' hashes, in order.
pub(super) fn row_hash(cells: &[Option<String>]) -> u128 {
    let mut hasher = blake3::Hasher::new();
    for cell in cells {
        hasher.update(&hash_of(cell.as_deref()).to_le_bytes());
    }
    first_half(&hasher.finalize())
}

fn first_half(hash: &blake3::Hash) -> u128 {
    let mut half = [0; 16];
    half.copy_from_slice(&hash.as_bytes()[..16]);
    u128::from_le_bytes(half)
}

impl Link<'_> {
    /// The tables that are there. What Switchback keeps for itself is not among them.
    pub(super) fn shape(&mut self) -> Result<Shape, StatementError> {
        let mut shape = Shape::new();
        let query = self.dialect.columns();
        self.rows(&query, &mut |cells| {
            let text = |at: usize| cells.get(at).cloned().flatten().unwrap_or_default();
            let table = shape.entry(text(0)).or_insert_with(|| Table { sql: text(1), columns: Vec::new() });
            // A table without columns has a row without one.
            if cells.get(2).is_some_and(Option::is_some) {
                table.columns.push((text(2), text(3)));
            }
            true
        })?;
        Ok(shape)
    }

    /// Keeps others from writing into these tables until the transaction ends. Files are locked as a whole.
    pub(super) fn hold(&mut self, shape: &Shape) -> Result<(), StatementError> {
        if self.dialect != Dialect::Postgresql || shape.is_empty() {
            return Ok(());
        }
        let names: Vec<&str> = shape.values().map(|table| table.sql.as_str()).collect();
        let seconds = super::link::LOCK_WAIT_SECONDS;
        let names = names.join(", ");
        self.run(&format!(
            "SET LOCAL lock_timeout = '{seconds}s'; LOCK TABLE {names} IN SHARE ROW EXCLUSIVE MODE; \
             SET LOCAL lock_timeout TO DEFAULT"
        ))
    }

    /// What these columns of a table hold. `each` is told the hash of each row.
    pub(super) fn content(
        &mut self,
        table: &str,
        columns: &[String],
        each: &mut dyn FnMut(u128),
    ) -> Result<Content, StatementError> {
        let mut content = Content { rows: 0, whole: 0, columns: vec![(0, 0); columns.len()] };
        let query = self.reading(table, columns);
        self.with_texts(|link| {
            link.rows(&query, &mut |cells| {
                let cells = cells.get(..columns.len()).unwrap_or_default();
                content.rows += 1;
                for (cell, (sum, values)) in cells.iter().zip(&mut content.columns) {
                    *sum = sum.wrapping_add(hash_of(cell.as_deref()));
                    *values += u64::from(cell.is_some());
                }
                let hash = row_hash(cells);
                content.whole = content.whole.wrapping_add(hash);
                each(hash);
                true
            })
        })?;
        Ok(content)
    }

    /// The query that gives these columns of all rows as texts.
    pub(super) fn reading(&self, table: &str, columns: &[String]) -> String {
        let columns: Vec<String> = columns.iter().map(|column| self.dialect.as_text(column)).collect();
        let columns = if columns.is_empty() { "NULL".to_owned() } else { columns.join(", ") };
        format!("SELECT {columns} FROM {table}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(cells: &[Option<&str>]) -> Vec<Option<String>> {
        cells.iter().map(|cell| cell.map(str::to_owned)).collect()
    }

    #[test]
    fn each_row_has_a_hash_of_its_own() {
        let rows = [
            row(&[Some("a"), Some("b")]),
            row(&[Some("ab"), Some("")]),
            row(&[Some("b"), Some("a")]),
            row(&[None, Some("b")]),
            row(&[Some(""), Some("b")]),
            row(&[]),
        ];
        let mut hashes: Vec<u128> = rows.iter().map(|row| row_hash(row)).collect();
        hashes.sort_unstable();
        hashes.dedup();
        assert_eq!(hashes.len(), rows.len());
    }

    #[test]
    fn contents_read_back_from_json() {
        let content = Content { rows: 3, whole: u128::MAX, columns: vec![(7, 2), (u128::MAX - 1, 0)] };
        assert_eq!(Content::from_json(&content.to_json()), Some(content));
        assert_eq!(Content::from_json(&Value::Null), None);
    }
}
