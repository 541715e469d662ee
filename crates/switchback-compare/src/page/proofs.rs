//! What is said of how far a comparison can be relied on: the noise of two runs, and differences that were planted.

use serde_json::Value as Json;

use super::parts::{Block, Cell, Head, Section, Table};
use super::words::{is_true, list, pair, shown, text};

/// The most columns that are listed; the document has them all.
const COLUMNS_MAX: usize = 50;

/// What two runs of one program show of its noise.
pub(super) fn noise(report: &Json) -> Option<Section> {
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
        let names = ["item", "column", "not_identical"].map(|name| text(column, name).into());
        names.into_iter().chain([of("noise").into(), of("tolerance").into()]).collect()
    });
    let rows: Vec<_> = rows.collect();
    let left = list(calibration, "columns").len() - rows.len();
    let more = if left == 0 { String::new() } else { format!("and {left} columns more") };
    let heads = vec![
        Head::text("file"),
        Head::text("column"),
        Head::number("not identical"),
        Head::below("noise"),
        Head::below("tolerance that follows"),
    ];
    let sentence = format!(
        "The largest distances of two runs, absolute, relative and in ULPs; a tolerance should be {} times as much",
        text(calibration, "margin")
    );
    let table = Table { caption: "Noise of each column".to_owned(), heads, rows, more };
    let blocks = vec![Block::Sentence(sentence), Block::Table(table)];
    Some(Section { title: "Noise".to_owned(), verdict: String::new(), blocks })
}

/// The differences that were planted, and which of them are found.
pub(super) fn planted(report: &Json) -> Option<Section> {
    let plants = report.get("sensitivity").and_then(Json::as_array)?.iter();
    let rows = plants.map(|plant| {
        let found = if is_true(plant, "found") { "found" } else { "not found" };
        let words = ["item", "column", "plant", "size"].map(|name| match plant.get(name) {
            Some(Json::Null) => "".into(),
            _ => Cell::Text(text(plant, name)),
        });
        let (old, new) =
            pair(plant.get("old").unwrap_or(&Json::Null), plant.get("new").unwrap_or(&Json::Null));
        // Whole rows that were dropped, repeated or swapped have no value.
        let is_cell = plant.get("column").is_some_and(Json::is_string);
        let value = if is_cell { Cell::Pair(old, new) } else { "".into() };
        words.into_iter().chain([value, found.into()]).collect()
    });
    let heads = vec![
        Head::text("file"),
        Head::text("column"),
        Head::word("plant"),
        Head::word("size"),
        Head::text("value → planted"),
        Head::word("result"),
    ];
    let sentence =
        "What this rule would find, whatever OLD and NEW show: differences planted in a copy of NEW";
    let notes = list(report, "sensitivity_notes").iter().map(|note| Block::Sentence(shown(note)));
    let caption = "Planted differences".to_owned();
    let table = Table { caption, heads, rows: rows.collect(), more: String::new() };
    let blocks = std::iter::once(Block::Sentence(sentence.to_owned())).chain(notes);
    let blocks = blocks.chain([Block::Table(table)]).collect();
    Some(Section { title: "Sensitivity".to_owned(), verdict: String::new(), blocks })
}
