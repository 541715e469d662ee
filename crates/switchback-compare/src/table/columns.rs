//! Names of columns: which of two tables' columns a rule takes for one, and which it leaves out.

use std::collections::{BTreeMap, HashSet};

use switchback_core::rule::{ColumnCase, Rule};

use crate::compare::Setting;
use crate::error::CompareError;
use crate::source::table::Table;

/// Names as a rule tells them apart.
#[derive(Debug, Clone, Copy)]
pub(super) struct Names<'r> {
    rule: &'r Rule,
}

impl<'r> Names<'r> {
    pub(super) fn of(rule: &'r Rule) -> Self {
        Self { rule }
    }

    /// Whether two names are one.
    pub(super) fn are_one(self, one: &str, two: &str) -> bool {
        one == two || (self.rule.column_case == ColumnCase::Ignore && folded(one) == folded(two))
    }

    /// Where a name stands in a list: the same letters first, then the same but for case.
    pub(super) fn position<'n>(
        self,
        mut list: impl Iterator<Item = &'n str> + Clone,
        name: &str,
    ) -> Option<usize> {
        let exact = list.clone().position(|other| other == name);
        exact.or_else(|| list.position(|other| self.are_one(other, name)))
    }

    fn is_in(self, list: &[String], name: &str) -> bool {
        list.iter().any(|other| self.are_one(other, name))
    }

    /// What the new table calls a column of the old one.
    pub(super) fn new_name<'n>(self, old: &'n str) -> &'n str
    where
        'r: 'n,
    {
        let renamed = self.rule.rename.iter().find(|(name, _)| self.are_one(name, old));
        renamed.map_or(old, |(_, new)| new)
    }

    /// Whether a column counts; a key always does.
    fn counts(self, name: &str) -> bool {
        let chosen = self.rule.columns.is_empty() || self.is_in(&self.rule.columns, name);
        self.is_in(&self.rule.key, name) || (chosen && !self.is_in(&self.rule.exclude, name))
    }
}

fn folded(name: &str) -> String {
    name.to_uppercase().to_lowercase()
}

/// The columns of two tables, those that count.
#[derive(Debug, Default)]
pub(super) struct Pairs {
    /// Indices in the old and in the new table, in the order of the old one.
    pub(super) common: Vec<(usize, usize)>,
    pub(super) only_old: Vec<String>,
    pub(super) only_new: Vec<String>,
    /// Sentences about what the rule leaves out, in an order that is the same when the sides are swapped.
    pub(super) left_out: Vec<String>,
}

/// Finds the columns that belong together, by their names and those that the rule gives them.
///
/// # Errors
///
/// A column that the rule names and neither table has; names that become one when case is ignored.
pub(super) fn pair_columns(
    old: &Table<'_>,
    new: &Table<'_>,
    setting: &Setting<'_>,
) -> Result<Pairs, CompareError> {
    let names = Names::of(setting.rule);
    let partners = partners(old, new, names)?;
    if setting.alone {
        check_names(old, new, setting.rule)?;
    }
    let mut pairs = Pairs::default();
    let mut left_out: Vec<&str> = Vec::new();
    for (at, column) in old.columns.iter().enumerate() {
        match partners.get(&at) {
            _ if !names.counts(&column.name) => left_out.push(&column.name),
            Some(other) => pairs.common.push((at, *other)),
            None => pairs.only_old.push(column.name.clone()),
        }
    }
    let taken: HashSet<usize> = partners.values().copied().collect();
    for (_, column) in new.columns.iter().enumerate().filter(|(at, _)| !taken.contains(at)) {
        if names.counts(&column.name) {
            pairs.only_new.push(column.name.clone());
        } else {
            left_out.push(&column.name);
        }
    }
    left_out.sort_unstable();
    left_out.dedup();
    pairs.left_out = left_out
        .into_iter()
        .map(|name| {
            let why = if names.is_in(&setting.rule.exclude, name) { "excluded" } else { "not chosen" };
            format!("column `{name}` is {why}")
        })
        .collect();
    Ok(pairs)
}

/// For each old column that has one, its new one: the same letters first, then the same but for case.
fn partners(
    old: &Table<'_>,
    new: &Table<'_>,
    names: Names<'_>,
) -> Result<BTreeMap<usize, usize>, CompareError> {
    let mut free: BTreeMap<&str, usize> =
        new.columns.iter().enumerate().map(|(at, column)| (column.name.as_str(), at)).collect();
    let mut partners = BTreeMap::new();
    let wanted: Vec<(usize, &str, bool)> = old
        .columns
        .iter()
        .enumerate()
        .map(|(at, column)| (at, names.new_name(&column.name), names.new_name(&column.name) != column.name))
        .collect();
    // A column that is renamed has its new name for itself.
    for renamed in [true, false] {
        for (at, name, _) in wanted.iter().filter(|(_, _, other)| *other == renamed) {
            if let Some(other) = free.remove(name) {
                partners.insert(*at, other);
            }
        }
    }
    if names.rule.column_case == ColumnCase::Exact {
        return Ok(partners);
    }
    let left = wanted.iter().filter(|(at, _, _)| !partners.contains_key(at));
    let left = by_folded_name(old, left.map(|(at, name, _)| (*name, *at)))?;
    let free = by_folded_name(new, free.into_iter())?;
    for (name, at) in left {
        if let Some(other) = free.get(&name) {
            partners.insert(at, *other);
        }
    }
    Ok(partners)
}

fn by_folded_name<'n>(
    table: &Table<'_>,
    columns: impl Iterator<Item = (&'n str, usize)>,
) -> Result<BTreeMap<String, usize>, CompareError> {
    let mut found = BTreeMap::new();
    for (name, at) in columns {
        if let Some(first) = found.insert(folded(name), at) {
            return Err(CompareError::RepeatedColumn {
                path: table.path.clone(),
                column: name.to_owned(),
                first: first.min(at),
                second: first.max(at),
            });
        }
    }
    Ok(found)
}

/// A name that is nowhere was mistyped, and what it asked for would not be done.
fn check_names(old: &Table<'_>, new: &Table<'_>, rule: &Rule) -> Result<(), CompareError> {
    let names = Names::of(rule);
    let has = |table: &Table<'_>, name: &str| {
        names.position(table.columns.iter().map(|column| column.name.as_str()), name).is_some()
    };
    let unknown = |table: &Table<'_>, name: &str| CompareError::UnknownColumn {
        path: table.path.clone(),
        column: name.to_owned(),
        columns: table.columns.iter().map(|column| column.name.clone()).collect(),
    };
    for (one, two) in &rule.rename {
        if !has(old, one) {
            return Err(unknown(old, one));
        }
        if !has(new, two) {
            return Err(unknown(new, two));
        }
    }
    for name in rule.columns.iter().chain(&rule.exclude).chain(rule.column_tolerance.keys()) {
        // A renamed column is named as OLD names it: by its new name it would be overlooked.
        let renamed = rule.rename.values().any(|new_name| names.are_one(new_name, name));
        if !has(old, name) && (renamed || !has(new, names.new_name(name))) {
            return Err(unknown(old, name));
        }
    }
    Ok(())
}
