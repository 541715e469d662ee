//! Differences that are known: which exception covers one, and what has become of each exception in the end.

use std::collections::BTreeMap;

use serde_json::Value as Json;
use switchback_core::rule::{Covers, Exception, Rule};
use switchback_core::verdict::Verdict;

use crate::error::CompareError;
use crate::format::ExceptionDetail;
use crate::report::{Detail, Item};

/// How many differences each exception covers, by its place in the rule.
pub(crate) type Covered = BTreeMap<usize, u64>;

/// An exception that is about cells: its place in the rule, and the values of the key that name its rows.
#[derive(Debug, Clone)]
pub(crate) struct OfCells {
    exception: usize,
    key: Vec<(String, String)>,
}

/// The exceptions that may cover a difference of one file or table, each with its place in the rule.
#[derive(Debug, Clone, Default)]
pub(crate) struct Known<'r> {
    exceptions: Vec<(usize, &'r Exception)>,
}

impl<'r> Known<'r> {
    /// Those of the item `name` that have not expired.
    pub(crate) fn of(name: &str, rule: &'r Rule) -> Self {
        let all = rule.exceptions.iter().enumerate();
        let exceptions =
            all.filter(|(_, exception)| !exception.expired && fits(&exception.item, name)).collect();
        Self { exceptions }
    }

    /// Those that are about cells that `is_named` accepts.
    pub(crate) fn of_cells(&self, is_named: impl Fn(&str) -> bool) -> Vec<OfCells> {
        let cells = self.exceptions.iter().filter_map(|(at, exception)| match &exception.covers {
            Covers::Cells { column, key } if is_named(column) => {
                Some(OfCells { exception: *at, key: key.clone() })
            }
            _ => None,
        });
        cells.collect()
    }

    /// The first that is about rows that only one side has.
    pub(crate) fn of_rows(&self, side: &Covers) -> Option<usize> {
        self.exceptions.iter().find(|(_, exception)| exception.covers == *side).map(|(at, _)| *at)
    }
}

/// The first exception whose values of the key, if it has any, are those of a row.
pub(crate) fn covering(exceptions: &[OfCells], row: &[(String, Json)]) -> Option<usize> {
    let is_value = |(name, wanted): &(String, String)| {
        row.iter().any(|(other, value)| other == name && is_text_of(wanted, value))
    };
    exceptions.iter().find(|known| known.key.iter().all(is_value)).map(|known| known.exception)
}

fn is_text_of(text: &str, value: &Json) -> bool {
    match value {
        Json::String(value) => value == text,
        Json::Number(number) => {
            let same_number = || {
                number
                    .as_f64()
                    .zip(text.parse().ok())
                    .is_some_and(|(one, two): (f64, f64)| one.total_cmp(&two).is_eq())
            };
            // Beyond 2^53 two integers may be one float: there only the digits count.
            number.to_string() == text
                || (number.as_f64().is_some_and(|value| value.abs() < 9e15) && same_number())
        }
        Json::Bool(value) => text == if *value { "true" } else { "false" },
        _ => false,
    }
}

/// Whether a name is like a pattern in which `*` stands for any text.
fn fits(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((start, rest)) => name.strip_prefix(start).is_some_and(|name| {
            let mut ends = name.char_indices().map(|(at, _)| at).chain([name.len()]);
            ends.any(|at| fits(rest, name.get(at..).unwrap_or_default()))
        }),
    }
}

/// An exception that names a column of the key that rows are not matched by would never cover anything.
pub(crate) fn check(rule: &Rule) -> Result<(), CompareError> {
    for exception in &rule.exceptions {
        let Covers::Cells { key, .. } = &exception.covers else { continue };
        if let Some((name, _)) = key.iter().find(|(name, _)| !rule.key.contains(name)) {
            let reason = format!("an exception names rows by `{name}`, which is no column of the key");
            return Err(CompareError::Rule { reason });
        }
    }
    Ok(())
}

/// Counts what the exceptions cover in all items. An item whose exception has grown beyond its number says *no*.
pub(crate) fn settle<'i>(
    exceptions: &[Exception],
    items: impl Iterator<Item = &'i mut Item>,
) -> Vec<ExceptionDetail> {
    let mut total = Covered::new();
    let items: Vec<&mut Item> = items.collect();
    for item in &items {
        for (at, covered) in covered_in(item) {
            *total.entry(*at).or_default() += covered;
        }
    }
    let grown = |at: &usize| {
        let covered = total.get(at).copied().unwrap_or_default();
        exceptions.get(*at).is_some_and(|exception| covered > exception.count)
    };
    for item in items {
        if covered_in(item).keys().any(grown) {
            item.verdict = Verdict::No;
        }
    }
    exceptions.iter().enumerate().map(|(at, exception)| detail(exception, total.get(&at).copied())).collect()
}

fn covered_in(item: &Item) -> &Covered {
    static NOTHING: Covered = Covered::new();
    match &item.detail {
        Detail::Table(table) => &table.covered,
        Detail::Document(document) => &document.covered,
        Detail::File(_) => &NOTHING,
    }
}

fn detail(exception: &Exception, covered: Option<u64>) -> ExceptionDetail {
    let (column, key, side) = match &exception.covers {
        Covers::Cells { column, key } => (Some(column.clone()), key.iter().cloned().collect(), None),
        Covers::OnlyOld => (None, BTreeMap::new(), Some("only_old")),
        Covers::OnlyNew => (None, BTreeMap::new(), Some("only_new")),
    };
    let covered = covered.unwrap_or_default();
    ExceptionDetail {
        item: exception.item.clone(),
        column,
        key,
        side,
        owner: exception.owner.clone(),
        reason: exception.reason.clone(),
        expires: exception.expires.clone(),
        covered,
        count: exception.count,
        expired: exception.expired,
        unused: covered == 0 && !exception.expired,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_text() {
        for (pattern, name) in [("a.csv", "a.csv"), ("*", "a/b.csv"), ("a*.csv", "a.csv"), ("*b*c", "abbc")] {
            assert!(fits(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [("a.csv", "ab.csv"), ("a*b", "a"), ("*.csv", "a.csv2"), ("é*", "e")] {
            assert!(!fits(pattern, name), "{pattern} {name}");
        }
    }
}
