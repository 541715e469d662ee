//! Which columns of two tables belong together, and whether they have one schema.

use switchback_core::rule::{Rule, Tolerance};

use super::size;
use crate::error::CompareError;
use crate::report::{Rows, TableDetail, TypeChange};
use crate::source::table::Table;

/// A column of both tables.
#[derive(Debug, Clone)]
pub(super) struct Shared {
    pub(super) name: String,
    pub(super) old: usize,
    pub(super) new: usize,
    /// The logical types differ: cells are compared as numbers where both are, else as text.
    pub(super) retyped: bool,
    pub(super) tolerance: Tolerance,
}

impl Shared {
    /// A place among all columns that is the same when the sides are swapped.
    fn order(&self) -> (usize, usize, String) {
        (self.old.min(self.new), self.old.max(self.new), self.name.clone())
    }
}

/// What two tables have in common, and what not.
#[derive(Debug)]
pub(super) struct Agreement {
    /// In an order that is the same when the sides are swapped.
    pub(super) columns: Vec<Shared>,
    /// In the order of the rule.
    pub(super) keys: Vec<Shared>,
    only_old: Vec<String>,
    only_new: Vec<String>,
    types_changed: Vec<TypeChange>,
    reordered: bool,
    excluded: Vec<String>,
}

impl Agreement {
    pub(super) fn new(old: &Table<'_>, new: &Table<'_>, rule: &Rule) -> Result<Self, CompareError> {
        let is_excluded = |name: &str| rule.exclude.iter().any(|other| other == name);
        let mut shared = Vec::new();
        let mut only_old = Vec::new();
        for (at, column) in old.columns.iter().enumerate().filter(|(_, column)| !is_excluded(&column.name)) {
            match new.columns.iter().enumerate().find(|(_, other)| other.name == column.name) {
                None => only_old.push(column.name.clone()),
                Some((other_at, other)) => shared.push(Shared {
                    name: column.name.clone(),
                    old: at,
                    new: other_at,
                    retyped: !column.kind.is_same(&other.kind),
                    tolerance: *rule.column_tolerance.get(&column.name).unwrap_or(&rule.tolerance),
                }),
            }
        }
        let reordered = !shared.is_sorted_by_key(|column| column.new);
        let mut keys = Vec::with_capacity(rule.key.len());
        for name in &rule.key {
            let position = shared.iter().position(|column| column.name == *name);
            let Some(position) = position else {
                let table = if old.position(name).is_none() { old } else { new };
                return Err(missing_key(table, name));
            };
            keys.push(shared.remove(position));
        }
        let names = |table: &Table<'_>, other: &Table<'_>| -> Vec<String> {
            let names = table.columns.iter().map(|column| &column.name);
            names.filter(|name| !is_excluded(name) && other.position(name).is_none()).cloned().collect()
        };
        let mut types_changed: Vec<_> = shared.iter().chain(&keys).filter(|column| column.retyped).collect();
        types_changed.sort_by_key(|column| column.order());
        let types_changed = types_changed
            .into_iter()
            .filter_map(|column| {
                let (one, two) = (old.columns.get(column.old)?, new.columns.get(column.new)?);
                Some(TypeChange { column: one.name.clone(), old: one.kind.name(), new: two.kind.name() })
            })
            .collect();
        shared.sort_by_key(Shared::order);
        let excluded = rule
            .exclude
            .iter()
            .filter(|name| old.position(name).is_some() || new.position(name).is_some())
            .map(|name| format!("column `{name}` is excluded"))
            .collect();
        let only_new = names(new, old);
        Ok(Self { columns: shared, keys, only_old, only_new, types_changed, reordered, excluded })
    }

    /// Names and logical types are the same.
    pub(super) fn is_one_schema(&self) -> bool {
        self.only_old.is_empty() && self.only_new.is_empty() && self.types_changed.is_empty()
    }

    /// The columns to read of the old table: the compared ones, then the keys.
    pub(super) fn old_columns(&self) -> Vec<usize> {
        self.columns.iter().chain(&self.keys).map(|column| column.old).collect()
    }

    /// The same of the new table.
    pub(super) fn new_columns(&self) -> Vec<usize> {
        self.columns.iter().chain(&self.keys).map(|column| column.new).collect()
    }

    /// The part of a report that is known before any cell is.
    pub(super) fn detail(&self, old: &Table<'_>, new: &Table<'_>, rows: Rows) -> TableDetail {
        TableDetail {
            old: size(old),
            new: size(new),
            rows,
            columns_only_old: self.only_old.clone(),
            columns_only_new: self.only_new.clone(),
            columns_reordered: self.reordered,
            types_changed: self.types_changed.clone(),
            not_compared: self.excluded.clone(),
            ..TableDetail::default()
        }
    }
}

fn missing_key(table: &Table<'_>, column: &str) -> CompareError {
    CompareError::MissingKey {
        path: table.path.clone(),
        column: column.to_owned(),
        columns: table.columns.iter().map(|column| column.name.clone()).collect(),
    }
}
