//! The document `switchback/compare/1` for people and for a CI: a table on a terminal, Markdown, HTML, JUnit XML.
//!
//! All are written from the document alone, so that one that was stored as evidence can be shown again.

use std::fmt::Write as _;

use quick_xml::escape::escape;
use serde_json::Value as Json;

use crate::explanation::told;
use crate::report::IDENTICAL;

/// How a document is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Tables of at most 100 characters a line.
    Text,
    /// Text with the tables of GitHub.
    Markdown,
    /// One file for a browser, that needs nothing else.
    Html,
    /// JUnit XML: a case for each pair of files.
    Junit,
}

/// The most columns of a table that are listed of one item; the document has them all.
const COLUMNS_MAX: usize = 50;
/// The longest value that is shown, in characters.
const VALUE_MAX: usize = 32;

/// A heading, and below it sentences or a table.
struct Part {
    title: String,
    sentences: Vec<String>,
    tables: Vec<Table>,
}

struct Table {
    heads: Vec<&'static str>,
    rows: Vec<Vec<String>>,
}

/// Writes a document. What it lacks is left out.
pub fn write(report: &Json, form: Form) -> String {
    if form == Form::Junit {
        return junit(report);
    }
    let parts = parts(report);
    let mut page = String::new();
    if form == Form::Html {
        page.push_str(
            "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>Comparison</title>\n<style>body{font:15px/1.5 \
             sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem}table{border-collapse:collapse;margin:.5rem 0}\
             td,th{border:1px solid #bbb;padding:.2rem .6rem;text-align:left}</style>\n",
        );
    }
    for part in &parts {
        add(&mut page, part, form);
    }
    page
}

fn add(page: &mut String, part: &Part, form: Form) {
    // Writing to a string cannot fail.
    let mut line = |text: &str| {
        let _ = writeln!(page, "{text}");
    };
    match form {
        Form::Html => line(&format!("<h2>{}</h2>", escape(part.title.as_str()))),
        Form::Markdown => line(&format!("## {}\n", part.title)),
        _ => line(&part.title),
    }
    for sentence in &part.sentences {
        match form {
            Form::Html => line(&format!("<p>{}</p>", escape(sentence.as_str()))),
            Form::Markdown => line(&format!("{sentence}\n")),
            _ => line(&format!("  {sentence}")),
        }
    }
    for (at, table) in part.tables.iter().enumerate() {
        if form == Form::Text && at > 0 {
            line("");
        }
        match form {
            Form::Html => line(&html(table)),
            Form::Markdown => line(&markdown(table)),
            _ => line(&aligned(table)),
        }
    }
}

fn html(table: &Table) -> String {
    let row = |cells: &[String], tag: &str| -> String {
        let cells: Vec<_> =
            cells.iter().map(|cell| format!("<{tag}>{}</{tag}>", escape(cell.as_str()))).collect();
        format!("<tr>{}</tr>", cells.concat())
    };
    let heads: Vec<String> = table.heads.iter().map(|head| (*head).to_owned()).collect();
    let rows: Vec<String> = table.rows.iter().map(|cells| row(cells, "td")).collect();
    format!("<table>\n{}\n{}\n</table>", row(&heads, "th"), rows.join("\n"))
}

fn markdown(table: &Table) -> String {
    let row = |cells: &[String]| format!("| {} |", cells.join(" | "));
    let heads: Vec<String> = table.heads.iter().map(|head| (*head).to_owned()).collect();
    let plain = |cells: &Vec<String>| -> String {
        let cells: Vec<_> = cells.iter().map(|cell| cell.replace('|', "\\|").replace('<', "&lt;")).collect();
        row(&cells)
    };
    let rows: Vec<String> = table.rows.iter().map(plain).collect();
    format!("{}\n|{}\n{}\n", row(&heads), " --- |".repeat(heads.len()), rows.join("\n"))
}

fn aligned(table: &Table) -> String {
    let width = |column: usize| {
        let cells = table.rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
        cells.chain(table.heads.get(column).map(|head| head.len())).max().unwrap_or(0)
    };
    let line = |cells: Vec<&str>| {
        let cells = cells.into_iter().enumerate();
        let cells: Vec<_> = cells.map(|(column, cell)| format!("{cell:<0$}", width(column))).collect();
        format!("  {}", cells.join("  ")).trim_end().to_owned()
    };
    let rows = table.rows.iter().map(|row| line(row.iter().map(String::as_str).collect()));
    let lines: Vec<_> = std::iter::once(line(table.heads.clone())).chain(rows).collect();
    lines.join("\n")
}

fn list<'j>(of: &'j Json, name: &str) -> &'j [Json] {
    of.get(name).and_then(Json::as_array).map_or(&[], Vec::as_slice)
}

fn text(of: &Json, name: &str) -> String {
    of.get(name).map_or_else(String::new, shown)
}

/// A value on one line, cut where it is long. What would be taken for control of a terminal is not shown as such.
fn shown(value: &Json) -> String {
    let text = match value {
        Json::Null => "–".to_owned(),
        Json::String(text) => text.clone(),
        other => other.to_string(),
    };
    let text: String = text.chars().map(|letter| if letter.is_control() { '·' } else { letter }).collect();
    match text.char_indices().nth(VALUE_MAX) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

fn names(of: &Json, name: &str) -> String {
    let names: Vec<_> = list(of, name).iter().map(shown).collect();
    names.join(", ")
}

fn key(cell: &Json) -> String {
    let members = cell.get("key").and_then(Json::as_object).filter(|key| !key.is_empty());
    match members {
        Some(key) => {
            let parts: Vec<_> =
                key.iter().map(|(name, value)| format!("{name} = {}", shown(value))).collect();
            parts.join(", ")
        }
        None => match (text(cell, "row_old"), text(cell, "row_new")) {
            (old, new) if old == new => format!("row {old}"),
            (old, new) => format!("rows {old} and {new}"),
        },
    }
}

fn parts(report: &Json) -> Vec<Part> {
    let items = list(report, "items");
    let rows = items.iter().map(|item| {
        let count = |name: &str| item.get("rows").map_or_else(String::new, |rows| text(rows, name));
        vec![
            text(item, "name"),
            text(item, "verdict"),
            text(item, "relation"),
            text(item, "proof"),
            count("equal"),
            count("different"),
            count("only_old"),
            count("only_new"),
        ]
    });
    let heads = vec!["item", "verdict", "relation", "proof", "equal", "different", "only old", "only new"];
    let mut whole = Part {
        title: format!("Verdict: {}", text(report, "verdict")),
        sentences: Vec::new(),
        tables: vec![Table { heads, rows: rows.collect() }],
    };
    for (name, side) in [("only_old", "old"), ("only_new", "new")] {
        if !list(report, name).is_empty() {
            whole.sentences.push(format!("Only on the {side} side: {}", names(report, name)));
        }
    }
    if !list(report, "not_compared").is_empty() {
        whole.sentences.push(format!("Not compared: {}", names(report, "not_compared")));
    }
    let stages = list(report, "stages");
    if !stages.is_empty() {
        let rows = stages
            .iter()
            .map(|stage| vec![text(stage, "name"), text(stage, "verdict"), text(stage, "relation")]);
        whole.tables.push(Table { heads: vec!["stage", "verdict", "relation"], rows: rows.collect() });
    }
    let exceptions = list(report, "exceptions");
    if !exceptions.is_empty() {
        let rows = exceptions.iter().map(|exception| {
            let what = ["column", "side"].map(|name| text(exception, name)).concat();
            let is = |name: &str| exception.get(name) == Some(&Json::Bool(true));
            let number = |name: &str| exception.get(name).and_then(Json::as_u64);
            let state = match () {
                () if is("expired") => "expired",
                () if is("unused") => "unused",
                () if number("covered") > number("count") => "grown",
                () => "holds",
            };
            let state = state.to_owned();
            let words = ["covered", "count", "expires", "owner", "reason"].map(|name| text(exception, name));
            [text(exception, "item"), what, state].into_iter().chain(words).collect()
        });
        let heads = vec!["known in", "what", "state", "covered", "at most", "expires", "owner", "reason"];
        whole.tables.push(Table { heads, rows: rows.collect() });
    }
    std::iter::once(whole)
        .chain(items.iter().filter_map(item_part))
        .chain([noise(report), planted(report)].into_iter().flatten())
        .collect()
}

/// What two runs of one program show of its noise.
fn noise(report: &Json) -> Option<Part> {
    let calibration = report.get("calibration")?;
    let columns = list(calibration, "columns").iter().take(COLUMNS_MAX);
    let rows = columns.map(|column| {
        let of = |name: &str| {
            let size = column.get(name).unwrap_or(&Json::Null);
            let units = [("absolute", ""), ("seconds", " s"), ("relative", ""), ("ulps", "")];
            let units = units.into_iter().filter(|(measure, _)| size.get(measure).is_some());
            let sizes: Vec<_> =
                units.map(|(measure, unit)| format!("{}{unit}", text(size, measure))).collect();
            sizes.join(", ")
        };
        vec![
            text(column, "item"),
            text(column, "column"),
            text(column, "not_identical"),
            of("noise"),
            of("tolerance"),
        ]
    });
    let rows = rows.collect();
    let heads = vec!["item", "column", "not identical", "noise", "tolerance that follows"];
    let sentence = format!(
        "The largest distances of two runs, absolute, relative and in ULPs; a tolerance should be {} times as much",
        text(calibration, "margin")
    );
    Some(Part { title: "Noise".to_owned(), sentences: vec![sentence], tables: vec![Table { heads, rows }] })
}

/// The differences that were planted, and which of them are found.
fn planted(report: &Json) -> Option<Part> {
    let plants = report.get("sensitivity").and_then(Json::as_array)?.iter();
    let rows = plants.map(|plant| {
        let found = if plant.get("found") == Some(&Json::Bool(true)) { "found" } else { "not found" };
        let words = ["item", "column", "plant", "size", "old", "new"].map(|name| text(plant, name));
        words.into_iter().chain([found.to_owned()]).collect()
    });
    let heads = vec!["item", "column", "plant", "size", "value", "planted", ""];
    let mut sentences = vec![
        "What this rule would find, whatever OLD and NEW show: differences planted in a copy of NEW"
            .to_owned(),
    ];
    sentences.extend(list(report, "sensitivity_notes").iter().filter_map(Json::as_str).map(str::to_owned));
    Some(Part {
        title: "Sensitivity".to_owned(),
        sentences,
        tables: vec![Table { heads, rows: rows.collect() }],
    })
}

/// What is to be said of one item; nothing where all of it is the same bit by bit.
fn item_part(item: &Json) -> Option<Part> {
    let mut part = Part { title: text(item, "name"), sentences: sentences(item), tables: Vec::new() };
    let columns = list(item, "columns").iter().take(COLUMNS_MAX).map(|column| {
        let worst = column.get("worst").unwrap_or(&Json::Null);
        let measures = ["cells_different", "cells_not_identical", "max_absolute", "max_relative", "max_ulps"];
        let measures = measures.map(|name| text(column, name));
        let pair = format!("{} → {}", text(worst, "old"), text(worst, "new"));
        std::iter::once(text(column, "name")).chain(measures).chain([key(worst), pair]).collect()
    });
    let columns: Vec<Vec<String>> = columns.collect();
    let heads =
        vec!["column", "different", "not identical", "absolute", "relative", "ulps", "worst at", "worst"];
    if !columns.is_empty() {
        part.tables.push(Table { heads, rows: columns });
    }
    let cells = list(item, "sample").iter();
    let cells = cells.map(|cell| vec![key(cell), text(cell, "column"), text(cell, "old"), text(cell, "new")]);
    let cells: Vec<Vec<String>> = cells.collect();
    if !cells.is_empty() {
        part.tables.push(Table { heads: vec!["row", "column", "old", "new"], rows: cells });
    }
    let places = list(item, "differences").iter();
    let places = places.map(|one| vec![text(one, "path"), text(one, "old"), text(one, "new") + &pixels(one)]);
    let places: Vec<Vec<String>> = places.collect();
    if !places.is_empty() {
        part.tables.push(Table { heads: vec!["place", "old", "new"], rows: places });
    }
    let reasons = list(item, "columns").iter().filter_map(|column| {
        let explanation = column.get("explanation")?;
        let cells = match explanation.get("of") {
            Some(of) => format!("{} tried of {of}", text(explanation, "cells")),
            None => text(explanation, "cells"),
        };
        Some(vec![text(column, "name"), told(explanation)?, cells])
    });
    let reasons: Vec<Vec<String>> = reasons.take(COLUMNS_MAX).collect();
    if !reasons.is_empty() {
        part.tables.push(Table { heads: vec!["column", "why", "cells"], rows: reasons });
    }
    (!part.sentences.is_empty() || !part.tables.is_empty()).then_some(part)
}

fn sentences(item: &Json) -> Vec<String> {
    let mut sentences = Vec::new();
    for (name, side) in [("columns_only_old", "old"), ("columns_only_new", "new")] {
        if !list(item, name).is_empty() {
            sentences.push(format!("Columns only in the {side} table: {}", names(item, name)));
        }
    }
    sentences.extend(list(item, "mapping").iter().map(mapped));
    for change in list(item, "types_changed") {
        let (column, old, new) = (text(change, "column"), text(change, "old"), text(change, "new"));
        sentences.push(format!("The type of {column} was {old} and is {new}"));
    }
    if item.get("columns_reordered") == Some(&Json::Bool(true)) {
        sentences.push("Columns stand in another order".to_owned());
    }
    // That identical digits are no more than the digits that were written goes without saying.
    let coarse = list(item, "cannot_carry").iter();
    for coarse in coarse.filter(|one| text(one, "asked") != IDENTICAL) {
        for side in ["old", "new"] {
            let Some(source) = coarse.get(side).filter(|source| source.is_object()) else { continue };
            let (column, kind) = (text(coarse, "column"), text(source, "kind"));
            let (digits, asked) = (text(source, "digits"), text(coarse, "asked"));
            sentences.push(format!(
                "{column} has {digits} digits in the {side} table ({kind}): what lies beyond them cannot be seen; asked for: {asked}"
            ));
        }
    }
    if !list(item, "not_compared").is_empty() {
        sentences.push(format!("Not compared: {}", names(item, "not_compared")));
    }
    sentences
}

/// How many pixels of two pictures are apart, and where; nothing for other values.
fn pixels(difference: &Json) -> String {
    let Some(pixels) = difference.get("pixels") else { return String::new() };
    let first = list(pixels, "first").iter().map(shown).collect::<Vec<_>>().join(", ");
    let (apart, largest) = (text(pixels, "apart"), text(pixels, "largest"));
    format!(": {apart} are apart, by {largest} of 255 at most, first at ({first})")
}

/// What a mapping did, as a sentence.
fn mapped(applied: &Json) -> String {
    let column = text(applied, "column");
    match applied.get("kind").and_then(Json::as_str) {
        Some("column") => {
            format!("Mapped: {} is {} in the new table", text(applied, "old"), text(applied, "new"))
        }
        Some("unit") => {
            let offset = Some(text(applied, "offset")).filter(|offset| offset != "0");
            let offset = offset.map_or_else(String::new, |offset| format!(" + {offset}"));
            let unit = applied.get("unit").and_then(Json::as_str);
            let unit = unit.map_or_else(String::new, |unit| format!(" ({unit})"));
            format!("Mapped: old values of {column} × {}{offset}{unit}", text(applied, "factor"))
        }
        Some("categories") => {
            let labels = applied.get("labels").and_then(Json::as_object);
            let labels = labels
                .into_iter()
                .flatten()
                .map(|(old, new)| format!("{} is {}", shown(&Json::from(old.as_str())), shown(new)));
            let joined = applied.get("joined").and_then(Json::as_object);
            let joined = joined.into_iter().flatten().map(|(new, old)| {
                let old: Vec<_> = old.as_array().into_iter().flatten().map(shown).collect();
                format!("; {} became one label, {}", old.join(" and "), shown(&Json::from(new.as_str())))
            });
            let labels: Vec<_> = labels.collect();
            format!("Mapped: labels of {column}: {}{}", labels.join(", "), joined.collect::<String>())
        }
        _ => {
            let missing = applied.get("without_value").unwrap_or(&Json::Null);
            format!(
                "Mapped: {} made long, one row for each of {}, in {} and {}; without a value, and no row: {} of the old table, {} of the new one",
                if text(applied, "old") == "wide" { "the old table" } else { "the new table" },
                names(applied, "columns"),
                text(applied, "name"),
                text(applied, "value"),
                text(missing, "old"),
                text(missing, "new"),
            )
        }
    }
}

/// *No* is a failure, *could not tell* an error. A file on one side only is a case of its own.
fn junit(report: &Json) -> String {
    let one_sided = ["only_old", "only_new"].iter().flat_map(|name| list(report, name));
    let mut cases: Vec<(String, &str, String)> =
        one_sided.map(|name| (shown(name), "no", "it is on one side only".to_owned())).collect();
    for item in list(report, "items") {
        let verdict = item.get("verdict").and_then(Json::as_str).unwrap_or("unknown");
        let details = item_part(item).map(|part| {
            let tables = part.tables.iter().map(aligned);
            part.sentences.iter().cloned().chain(tables).collect::<Vec<_>>().join("\n")
        });
        cases.push((text(item, "name"), verdict, details.unwrap_or_default()));
    }
    let count = |verdict: &str| cases.iter().filter(|case| case.1 == verdict).count();
    let mut page = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    // Writing to a string cannot fail.
    let _ = writeln!(
        page,
        "<testsuite name=\"compare\" tests=\"{}\" failures=\"{}\" errors=\"{}\">",
        cases.len(),
        count("no"),
        count("unknown")
    );
    for (name, verdict, details) in &cases {
        let name = escape(name.as_str());
        let details = escape(details.as_str());
        let _ = match *verdict {
            "yes" => writeln!(page, "  <testcase classname=\"compare\" name=\"{name}\"/>"),
            "no" => writeln!(
                page,
                "  <testcase classname=\"compare\" name=\"{name}\"><failure message=\"different\">{details}</failure></testcase>"
            ),
            _ => writeln!(
                page,
                "  <testcase classname=\"compare\" name=\"{name}\"><error message=\"nothing was compared\">{details}</error></testcase>"
            ),
        };
    }
    page.push_str("</testsuite>\n");
    page
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn document() -> Json {
        json!({"verdict": "no", "items": [
            {"name": "a|b.csv", "verdict": "no", "relation": "different", "proof": "join",
             "rows": {"equal": 2, "different": 1, "only_old": 0, "only_new": 0},
             "types_changed": [{"column": "x", "old": "integer", "new": "text"}],
             "columns": [{"name": "x", "cells_different": 1, "cells_not_identical": 1, "max_absolute": null,
                "explanation": {"kind": "scaled", "factor": 100.0, "cells": 3, "of": 9},
                "worst": {"key": {"id": 7}, "old": "<b>", "new": "\u{1b}[31m"}}],
             "sample": [{"key": {"id": 7}, "column": "x", "old": "<b>", "new": "\u{1b}[31m"}]},
            {"name": "same.csv", "verdict": "yes", "relation": "bytes", "proof": "bytes"}],
            "only_old": ["gone.csv"], "only_new": []})
    }

    #[test]
    fn text_is_aligned_and_shows_no_control_characters() {
        let page = write(&document(), Form::Text);
        let lines: Vec<&str> = page.lines().collect();
        assert_eq!(lines[0], "Verdict: no");
        assert_eq!(lines[1], "  Only on the old side: gone.csv");
        assert_eq!(lines[3], "  a|b.csv   no       different  join   2      1          0         0");
        assert!(page.contains("  id = 7  x       <b>  ·[31m"), "{page}");
        assert!(!page.contains('\u{1b}'));
        assert!(page.contains("  x       new = 100.0 * old  3 tried of 9"), "{page}");
    }

    #[test]
    fn other_forms_escape_what_means_something_in_them() {
        let page = write(&document(), Form::Html);
        assert!(page.contains("<td>&lt;b&gt;</td>") && !page.contains("<b>"), "{page}");
        let page = write(&document(), Form::Markdown);
        assert!(page.contains("| a\\|b.csv | no |") && page.contains("&lt;b>"), "{page}");
        let page = write(&document(), Form::Junit);
        assert!(page.contains("tests=\"3\" failures=\"2\" errors=\"0\""), "{page}");
        let mut reader = quick_xml::Reader::from_str(&page);
        while reader.read_event().unwrap() != quick_xml::events::Event::Eof {}
    }
}
