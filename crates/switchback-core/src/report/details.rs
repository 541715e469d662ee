//! What is worth reading in the evidence of a check: which cells differ, which tests fail, what a command said last.

use serde_json::{Map, Value};

use super::visible::shortened;
use crate::test_results;
use crate::verdict::Verdict;

/// So many rows of one table are shown.
pub const ROWS_MAX: usize = 20;
/// So many tables of one check are shown.
pub const TABLES_MAX: usize = 10;
/// So many columns of one table are shown.
const COLUMNS_MAX: usize = 8;
const CELL_CHARACTERS_MAX: usize = 300;
/// So many last lines of what a command said are shown.
const LINES_MAX: usize = 12;

/// A table of details, or the lines of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Detail {
    /// What its rows are.
    pub title: String,
    /// The names of the columns, at least one.
    pub columns: Vec<String>,
    /// The first rows, each with one text for each column.
    pub rows: Vec<Vec<String>>,
    /// How many rows are not shown; of lines: how many stand before the first one.
    pub left_out: u64,
    /// Whether the rows are lines of what a command said.
    pub is_output: bool,
}

/// The details of a document `switchback/evidence/1`. Of a check that says *yes*: how close a comparison was, of a rehearsal
/// what came of each undo, and nothing else.
pub fn details(evidence: &Value) -> Vec<Detail> {
    let verdict = evidence["verdict"].as_str().and_then(Verdict::from_word);
    let Some(seen) = evidence["details"].as_object() else { return Vec::new() };
    let mut found = Vec::new();
    if let Some(comparison) = seen.get("comparison").filter(|value| value.is_object()) {
        of_comparison(comparison, &mut found);
    }
    found.extend(seen.get("undos").map(of_undos));
    found.extend(seen.get("triggers").map(of_triggers));
    found.extend(of_runs(seen));
    found.extend(seen.get("categories").map(of_categories));
    if verdict != Some(Verdict::Yes) {
        of_tests(seen, &mut found);
        of_whatever(seen, "", &mut found);
        for side in ["", "old", "new"] {
            let output = if side.is_empty() { Some(seen) } else { seen.get(side).and_then(Value::as_object) };
            found.extend(output.into_iter().flat_map(|output| last_lines(output, side)));
        }
    }
    found.retain(|detail| !detail.rows.is_empty());
    found.truncate(TABLES_MAX);
    found
}

/// What came of each undo of a phase, where it has more than that of the whole.
fn of_undos(undos: &Value) -> Detail {
    let mut table =
        Table::new("every undo, carried out on the copy", &["undo", "kind", "verdict", "what was seen"]);
    let undos = undos.as_array().map_or(&[][..], Vec::as_slice);
    for undo in undos.iter().filter(|_| undos.len() > 1) {
        table.add(|| {
            vec![text(&undo["name"]), text(&undo["kind"]), spoken(&undo["verdict"]), text(&undo["what"])]
        });
    }
    table.0
}

/// What came of each trigger, on a copy that was broken for it.
fn of_triggers(triggers: &Value) -> Detail {
    let columns = ["check", "what it starts", "would have fired", "what was seen"];
    let mut table = Table::new("triggers, on copies that were broken for them", &columns);
    for one in triggers.as_array().into_iter().flatten() {
        table.add(|| {
            vec![text(&one["check"]), text(&one["action"]), spoken(&one["verdict"]), text(&one["what"])]
        });
    }
    table.0
}

/// What came of each category of tests.
fn of_categories(categories: &Value) -> Detail {
    let mut table = Table::new("categories of tests", &["category", "verdict", "what was seen"]);
    for (name, seen) in categories.as_object().into_iter().flatten() {
        table.add(|| vec![name.clone(), spoken(&seen["verdict"]), text(&seen["summary"])]);
    }
    table.0
}

/// What came of each case of scenarios, and of each step of a restart: what does not hold first, and of the first such the values
/// that differ.
fn of_runs(seen: &Map<String, Value>) -> Vec<Detail> {
    let rank = |value: &Value| match value["verdict"].as_str() {
        Some("no") => 0,
        Some("yes") => 2,
        _ => 1,
    };
    let mut found = Vec::new();
    for (name, title, what) in
        [("cases", "cases of the scenarios", "case"), ("steps", "stopped and resumed", "step")]
    {
        let mut runs: Vec<&Value> = seen
            .get(name)
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter(|run| run[what].is_string())
            .collect();
        runs.sort_by_key(|run| rank(run));
        let mut table = Table::new(title, &[what, "verdict", "old", "new", "what was seen"]);
        if what == "step" {
            table = Table::new(title, &[what, "verdict", "what was seen"]);
        }
        for run in &runs {
            let seconds = |side: &str| {
                run["seconds"][side].as_f64().map_or_else(String::new, |seconds| format!("{seconds:.1} s"))
            };
            table.add(|| {
                let mut cells = vec![text(&run[what]), spoken(&run["verdict"])];
                if what == "case" {
                    cells.extend([seconds("old"), seconds("new")]);
                }
                cells.push(text(&run["summary"]));
                cells
            });
        }
        found.push(table.0);
        if let Some(comparison) = runs.first().filter(|run| rank(run) == 0).map(|run| &run["comparison"]) {
            of_comparison(comparison, &mut found);
        }
    }
    found
}

/// A table that is filled row by row and stays bounded.
struct Table(Detail);

impl Table {
    fn new(title: &str, columns: &[&str]) -> Self {
        let columns = columns.iter().map(|&name| name.to_owned()).collect();
        Self(Detail { title: title.to_owned(), columns, rows: Vec::new(), left_out: 0, is_output: false })
    }

    fn add(&mut self, cells: impl FnOnce() -> Vec<String>) {
        if self.0.rows.len() < ROWS_MAX {
            let cells = cells().into_iter();
            self.0.rows.push(cells.map(|cell| shortened(&cell, CELL_CHARACTERS_MAX)).collect());
        } else {
            self.0.left_out += 1;
        }
    }
}

fn of_comparison(comparison: &Value, found: &mut Vec<Detail>) {
    let mut stages =
        Table::new("stages, in the order in which they are computed", &["stage", "verdict", "relation"]);
    for stage in list(comparison, "stages") {
        stages.add(|| vec![text(&stage["name"]), spoken(&stage["verdict"]), text(&stage["relation"])]);
    }
    let mut cells = Table::new("values that differ", &["item", "row", "column", "old", "new"]);
    let mut schema = Table::new("columns that differ", &["item", "column", "old", "new"]);
    let mut files = Table::new("on one side only", &["what", "side"]);
    let mut close = Table::new(
        "columns that are not the same bit by bit",
        &[
            "item",
            "column",
            "cells outside of the tolerance",
            "largest |a - b|",
            "largest relative",
            "largest ULPs",
        ],
    );
    for (name, side) in [("only_old", "old"), ("only_new", "new")] {
        for file in list(comparison, name) {
            files.add(|| vec![text(file), side.to_owned()]);
        }
    }
    for item in list(comparison, "items") {
        let name = text(&item["name"]);
        for cell in list(item, "sample") {
            cells.add(|| {
                vec![name.clone(), row(cell), text(&cell["column"]), text(&cell["old"]), text(&cell["new"])]
            });
        }
        for difference in list(item, "differences") {
            let side = |side: &str| difference.get(side).map_or_else(|| "(none)".to_owned(), text);
            cells.add(|| {
                vec![name.clone(), String::new(), text(&difference["path"]), side("old"), side("new")]
            });
        }
        for (rows, side) in [("rows_only_old", "old"), ("rows_only_new", "new")] {
            for row_name in list(item, rows) {
                files.add(|| {
                    vec![format!("{name}: {}", row_of(&row_name["key"], &row_name["row"])), side.to_owned()]
                });
            }
        }
        of_schema(item, &name, &mut schema);
        for column in list(item, "columns") {
            let fields = ["name", "cells_different", "max_absolute", "max_relative", "max_ulps"];
            let values = fields.iter().map(|field| text(&column[*field]));
            close.add(|| std::iter::once(name.clone()).chain(values).collect());
        }
    }
    // The evidence names some of the cells, and counts all of them.
    let counted = list(comparison, "items").iter().map(differing).fold(0, u64::saturating_add);
    cells.0.left_out = cells.0.left_out.max(counted.saturating_sub(cells.0.rows.len() as u64));
    found.extend([cells, schema, files, close, stages].map(|table| table.0));
}

/// How many cells, or values of a document, differ.
fn differing(item: &Value) -> u64 {
    let columns = list(item, "columns").iter().filter_map(|column| column["cells_different"].as_u64());
    columns.chain(item["differences_total"].as_u64()).fold(0, u64::saturating_add)
}

fn of_schema(item: &Value, name: &str, schema: &mut Table) {
    for change in list(item, "types_changed") {
        schema.add(|| {
            vec![name.to_owned(), text(&change["column"]), text(&change["old"]), text(&change["new"])]
        });
    }
    for (columns, old, new) in
        [("columns_only_old", "there", "(none)"), ("columns_only_new", "(none)", "there")]
    {
        for column in list(item, columns) {
            schema.add(|| vec![name.to_owned(), text(column), old.to_owned(), new.to_owned()]);
        }
    }
}

fn of_tests(seen: &Map<String, Value>, found: &mut Vec<Detail>) {
    let Some(run) = seen.get("run").and_then(Value::as_str).and_then(|run| test_results::read(run).ok())
    else {
        return;
    };
    let regressions = |wanted: &str| seen.get("regressions").map_or(&[][..], |found| list(found, wanted));
    let passed_before = regressions("failed");
    let mut failed = Table::new("tests that failed", &["test", "outcome", "before"]);
    for (name, outcome) in run.outcomes.iter().filter(|(_, outcome)| outcome.is_bad()) {
        let before = if passed_before.iter().any(|known| known == name) { "passed" } else { "" };
        failed.add(|| vec![name.clone(), outcome.word().to_owned(), before.to_owned()]);
    }
    found.push(failed.0);
    for (list_name, title) in [
        ("missing", "tests that passed before and are gone"),
        ("skipped", "tests that passed before and are skipped now"),
    ] {
        let mut table = Table::new(title, &["test"]);
        for name in regressions(list_name) {
            table.add(|| vec![text(name)]);
        }
        found.push(table.0);
    }
}

/// What has a form of its own above, or is only a long text.
const KNOWN: &[&str] = &[
    "comparison",
    "run",
    "regressions",
    "stdout",
    "stderr",
    "command",
    "ending",
    "seconds",
    "times_ms",
    "undos",
    "cases",
    "steps",
    "whole",
];

/// The lists and single values of whatever kind of check: each list is a table, the single values are one together.
fn of_whatever(seen: &Map<String, Value>, within: &str, found: &mut Vec<Detail>) {
    let mut single = Table::new(if within.is_empty() { "what it saw" } else { within }, &["what", "value"]);
    for (name, value) in seen.iter().filter(|(name, _)| !KNOWN.contains(&name.as_str())) {
        let title = name.replace('_', " ");
        let title = if within.is_empty() { title } else { format!("{within}: {title}") };
        match value {
            Value::Array(items) => found.push(of_list(&title, items)),
            Value::Object(fields) if within.is_empty() => of_whatever(fields, &title, found),
            Value::Null => {}
            value => single.add(|| vec![name.replace('_', " "), text(value)]),
        }
    }
    found.push(single.0);
}

fn of_list(title: &str, items: &[Value]) -> Detail {
    let mut columns: Vec<&str> = Vec::new();
    for fields in items.iter().take(ROWS_MAX).filter_map(Value::as_object) {
        for name in fields.keys() {
            if !columns.contains(&name.as_str()) && columns.len() < COLUMNS_MAX {
                columns.push(name);
            }
        }
    }
    if columns.is_empty() {
        let mut table = Table::new(title, &["what"]);
        for item in items {
            table.add(|| vec![text(item)]);
        }
        return table.0;
    }
    let mut table = Table::new(title, &columns);
    for item in items {
        table.add(|| columns.iter().map(|name| item.get(name).map_or_else(String::new, text)).collect());
    }
    table.0
}

/// The end of what a command said: the stream that says more to a person first.
fn last_lines(output: &Map<String, Value>, side: &str) -> Vec<Detail> {
    let of = |name: &str| Some(last_lines_of(name, output.get(name)?.as_str()?, side));
    ["stderr", "stdout"].into_iter().filter_map(of).collect()
}

fn last_lines_of(stream: &str, said: &str, side: &str) -> Detail {
    let lines: Vec<&str> = said.lines().filter(|line| !line.trim().is_empty()).collect();
    let skipped = lines.len().saturating_sub(LINES_MAX);
    let side = if side.is_empty() { String::new() } else { format!(" of the {side} side") };
    let title = format!("the last lines of the command{side} ({stream})");
    let mut table = Table::new(&title, &["line"]);
    for line in &lines[skipped..] {
        table.add(|| vec![(*line).to_owned()]);
    }
    table.0.left_out = skipped as u64;
    table.0.is_output = true;
    table.0
}

fn list<'v>(value: &'v Value, name: &str) -> &'v [Value] {
    value.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// A verdict as it is spoken.
fn spoken(value: &Value) -> String {
    match value.as_str().and_then(Verdict::from_word) {
        Some(verdict) => verdict.spoken().to_owned(),
        None => text(value),
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Object(fields) => {
            let words: Vec<String> =
                fields.iter().map(|(name, value)| format!("{name} = {}", text(value))).collect();
            words.join(", ")
        }
        other => other.to_string(),
    }
}

/// The row of a cell: its key, else its position.
fn row(cell: &Value) -> String {
    let position = if cell["row_old"].is_null() { &cell["row_new"] } else { &cell["row_old"] };
    row_of(&cell["key"], position)
}

fn row_of(key: &Value, position: &Value) -> String {
    let key = key.as_object().filter(|key| !key.is_empty());
    key.map_or_else(|| format!("row {}", text(position)), |key| text(&Value::Object(key.clone())))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_comparison_names_item_row_column_old_and_new() {
        let evidence = json!({"verdict": "no", "details": {"comparison": {
            "items": [
                {"name": "a.csv", "sample": [
                    {"row_old": 1, "row_new": 1, "key": {"id": 7}, "column": "v", "old": 1.5, "new": "NaN"},
                    {"row_old": 4, "row_new": 4, "key": {}, "column": "w", "old": null, "new": 2}]},
                {"name": "b.json", "differences": [{"path": "/x", "old": 1}]}],
            "only_old": ["gone.csv"], "only_new": []}}});
        let found = details(&evidence);
        assert_eq!(found[0].title, "values that differ");
        assert_eq!(
            found[0].rows,
            [
                ["a.csv", "id = 7", "v", "1.5", "NaN"],
                ["a.csv", "row 4", "w", "null", "2"],
                ["b.json", "", "/x", "1", "(none)"]
            ]
        );
        assert_eq!(found[1].rows, [["gone.csv", "old"]]);
        assert_eq!(found.len(), 2, "{found:?}");
    }

    #[test]
    fn a_check_of_any_kind_shows_its_lists_and_says_how_much_is_left_out() {
        let many: Vec<String> = (0..50).map(|number| format!("f{number}")).collect();
        let evidence = json!({"verdict": "no", "details": {
            "missing": many,
            "rows": [{"path": "a.py", "line": 3}, {"path": "b.py", "why": "x".repeat(400)}],
            "status": 500}});
        let found = details(&evidence);
        assert_eq!((found[0].rows.len(), found[0].left_out), (ROWS_MAX, 30));
        assert_eq!(found[1].columns, ["line", "path", "why"]);
        assert_eq!(found[1].rows[0], ["3", "a.py", ""]);
        assert_eq!(found[1].rows[1][2].chars().count(), CELL_CHARACTERS_MAX + 1);
        assert_eq!(found[2].rows, [["status", "500"]]);
    }

    #[test]
    fn a_check_that_says_yes_shows_only_how_close_it_was() {
        let evidence = json!({"verdict": "yes", "details": {"stdout": "fine\n", "looked_at": 3, "comparison": {"items": [
            {"name": "a", "columns": [{"name": "v", "cells_different": 0, "max_absolute": 1e-13, "max_relative": 1e-14,
                                       "max_ulps": 2}]}]}}});
        let found = details(&evidence);
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].rows, [["a", "v", "0", "1e-13", "1e-14", "2"]]);
    }

    #[test]
    fn what_is_no_evidence_has_no_details() {
        for evidence in
            [json!(null), json!([1]), json!({"details": 3}), json!({"verdict": "no", "details": {}})]
        {
            assert_eq!(details(&evidence), []);
        }
    }
}
