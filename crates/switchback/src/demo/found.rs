//! What a refusal named: table, row and column, read from the evidence of the checks.

use serde_json::{Value, json};
use switchback_core::phase::{StepError, Work};
use switchback_core::verdict::Verdict;

/// A difference that a check of equal results named.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Found {
    /// The check.
    pub(crate) check: String,
    /// The table.
    pub(crate) table: String,
    /// The key of the row; its number where there is no key.
    pub(crate) row: Value,
    /// The column.
    pub(crate) column: String,
    /// The old value.
    pub(crate) old: Value,
    /// The new value.
    pub(crate) new: Value,
}

impl Found {
    /// As it stands in the document of the demo.
    pub(crate) fn to_json(&self) -> Value {
        let Self { check, table, row, column, old, new } = self;
        json!({"check": check, "table": table, "row": row, "column": column, "old": old, "new": new})
    }

    /// In words.
    pub(crate) fn words(&self) -> String {
        format!("{}, {}, {}: {} became {}", self.table, row_words(&self.row), self.column, self.old, self.new)
    }
}

/// The key of a row in words: `segment = retail`.
pub(super) fn row_words(row: &Value) -> String {
    match row.as_object() {
        Some(key) => {
            let words = key.iter().map(|(name, value)| match value.as_str() {
                Some(text) => format!("{name} = {text}"),
                None => format!("{name} = {value}"),
            });
            words.collect::<Vec<_>>().join(", ")
        }
        None => format!("row {row}"),
    }
}

/// Every difference that the checks of a phase name: for each column its worst cell.
pub(super) fn differences(work: &Work<'_>, phase: &str) -> Result<Vec<Found>, StepError> {
    let history = work.history();
    let facts = history.phase(phase).map_or(&[][..], |history| &history.checks);
    let mut found = Vec::new();
    for fact in facts.iter().filter(|fact| fact.verdict == Verdict::No) {
        let text = work.evidence.get(work.world().disk.as_ref(), &fact.evidence)?;
        let evidence: Value = serde_json::from_str(&text).unwrap_or_default();
        let items = evidence["details"]["comparison"]["items"].as_array().cloned().unwrap_or_default();
        for item in items.iter().filter(|item| item["verdict"] == "no") {
            found.extend(of_item(&fact.check, item));
        }
    }
    Ok(found)
}

fn of_item(check: &str, item: &Value) -> Vec<Found> {
    let table = item["name"].as_str().unwrap_or_default();
    let columns = item["columns"].as_array().cloned().unwrap_or_default();
    let differs = columns.iter().filter(|column| column["cells_different"].as_u64().unwrap_or(0) > 0);
    differs
        .filter_map(|column| {
            let worst = &column["worst"];
            let row = if worst["key"].is_object() { worst["key"].clone() } else { worst["row_old"].clone() };
            Some(Found {
                check: check.to_owned(),
                table: table.to_owned(),
                row,
                column: column["name"].as_str()?.to_owned(),
                old: worst["old"].clone(),
                new: worst["new"].clone(),
            })
        })
        .collect()
}
