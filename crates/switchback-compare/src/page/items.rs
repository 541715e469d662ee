//! What is said of one pair of files: what differs, how far, why, and the rows in which it does.

use serde_json::Value as Json;
use switchback_core::report::visible;

use super::parts::{Block, Cell, Head, Mark, Row, RowCell, Section, Table};
use super::schema;
use super::whole::told;
use super::words::{
    counted, grouped, key, list, measured, number, pair, place, rows, shown, text, value, word,
};
use crate::explanation;

/// The most columns that are listed of one item; the document has them all.
const COLUMNS_MAX: usize = 50;

/// What is to be said of one item; nothing where all of it is the same bit by bit.
///
/// `is_single`: it is all that was compared.
pub(super) fn section(item: &Json, is_single: bool) -> Option<Section> {
    let mut blocks: Vec<Block> = schema::sentences(item).into_iter().map(Block::Sentence).collect();
    blocks.extend(first(item).map(Block::Sentence));
    blocks.extend(columns(item).map(|table| Block::Table(table.filled())));
    let context = context(item);
    let has_rows = !context.is_empty();
    if has_rows {
        blocks.push(Block::Rows(context));
    }
    // A row that is shown as a whole has its cells there.
    blocks.extend(cells(item, has_rows).map(Block::Table));
    blocks.extend(one_sided(item).map(Block::Table));
    blocks.extend(places(item).map(Block::Table));
    let verdict = word(item, "verdict");
    if blocks.is_empty() && verdict == "yes" {
        return None;
    }
    // Of a single item the headline has said it.
    let told = if is_single { String::new() } else { told(item) };
    let sentence = [told.as_str(), proof(item)]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(". ");
    if !sentence.is_empty() {
        blocks.insert(0, Block::Sentence(sentence));
    }
    Some(Section { title: text(item, "name"), verdict: verdict.to_owned(), blocks })
}

fn proof(item: &Json) -> &'static str {
    match word(item, "proof") {
        "join" => "Rows are matched by key",
        "lockstep" if is_keyed(item) => "Rows are matched by key, in which both sides have one order",
        "lockstep" => "Rows are matched by their place",
        "multiset" => "Rows are matched wherever they stand",
        "chunks" => "The column chunks are the same bytes",
        _ => "",
    }
}

/// Whether some cell that is told has a key.
fn is_keyed(item: &Json) -> bool {
    let worst = list(item, "columns").iter().filter_map(|column| column.get("worst"));
    worst.chain(item.get("first")).any(|cell| key(cell).is_some())
}

fn first(item: &Json) -> Option<String> {
    let first = item.get("first").filter(|first| first.is_object())?;
    let place = match key(first) {
        Some(key) => format!("{key} ({})", rows(first)),
        None => rows(first),
    };
    Some(match first.get("column").and_then(Json::as_str) {
        Some(column) => {
            let (old, new) =
                (first.get("old").unwrap_or(&Json::Null), first.get("new").unwrap_or(&Json::Null));
            let (old, new) = pair(old, new);
            let (old, new) = crate::excerpt::around_difference(&old, &new, FIRST_MAX);
            format!("The first cell that differs: {} at {place}: {old} → {new}", visible(column))
        }
        None => format!("The first row on one side only: {place}"),
    })
}

/// The longest value in a sentence.
const FIRST_MAX: usize = 60;

/// The columns that are not the same bit by bit, those that differ first.
fn columns(item: &Json) -> Option<Table> {
    let all = list(item, "columns");
    if all.is_empty() {
        return None;
    }
    let mut ordered: Vec<&Json> = all.iter().collect();
    ordered.sort_by_key(|column| number(column, "cells_different") == 0);
    let has = |name: &str| ordered.iter().any(|column| number(column, name) > 0);
    let explained = ordered.iter().any(|column| why(column).is_some());
    let has_nulls = has("null_mismatches");
    let mut heads = vec![
        Head::text("column"),
        Head::number("cells different"),
        Head::number("not identical"),
        Head::number("worst absolute"),
        Head::number("worst relative"),
        Head::number("worst ULPs"),
    ];
    if has_nulls {
        heads.push(Head::number("null mismatches"));
    }
    heads.extend([Head::below("worst at"), Head::below("worst cell")]);
    if explained {
        heads.push(Head::below("why"));
    }
    let rows = ordered.iter().take(COLUMNS_MAX).map(|column| {
        let worst = column.get("worst").unwrap_or(&Json::Null);
        let mut cells: Vec<Cell> = vec![
            text(column, "name").into(),
            grouped(number(column, "cells_different")).into(),
            grouped(number(column, "cells_not_identical")).into(),
        ];
        cells.extend(
            ["max_absolute", "max_relative", "max_ulps"].map(|name| Cell::Text(measured(column, name))),
        );
        if has_nulls {
            cells.push(grouped(number(column, "null_mismatches")).into());
        }
        cells.extend(if worst.is_object() {
            [place(worst).into(), changed(worst)]
        } else {
            ["".into(), "".into()]
        });
        if explained {
            cells.push(why(column).unwrap_or_default().into());
        }
        cells
    });
    let rows: Vec<Vec<Cell>> = rows.collect();
    let more = more(all.len() - rows.len(), "column");
    Some(Table { caption: "Columns that are not the same bit by bit".to_owned(), heads, rows, more })
}

/// `and 12 columns more`; empty for none.
fn more(count: usize, noun: &str) -> String {
    if count == 0 { String::new() } else { format!("and {} more", counted(count as u64, noun)) }
}

fn why(column: &Json) -> Option<String> {
    let explanation = column.get("explanation")?;
    let told = visible(&explanation::told(explanation)?);
    let cells = counted(number(explanation, "cells"), "cell");
    Some(match explanation.get("of").and_then(Json::as_u64) {
        Some(of) => format!("{told} ({cells} tried of {})", grouped(of)),
        None => format!("{told} ({cells})"),
    })
}

fn changed(of: &Json) -> Cell {
    let (old, new) = (of.get("old").unwrap_or(&Json::Null), of.get("new").unwrap_or(&Json::Null));
    let (old, new) = pair(old, new);
    Cell::Pair(old, new)
}

fn context(item: &Json) -> Vec<Row> {
    let rows = list(item, "context").iter().map(|row| Row {
        key: key(row).unwrap_or_default(),
        numbers: rows(row),
        cells: list(row, "cells").iter().map(row_cell).collect(),
        columns_more: number(row, "columns_more"),
    });
    rows.collect()
}

fn row_cell(cell: &Json) -> RowCell {
    let (old, new) = (cell.get("old").unwrap_or(&Json::Null), cell.get("new").unwrap_or(&Json::Null));
    let mark = match word(cell, "relation") {
        "different" => Mark::Differs,
        "tolerance" | "identical" => Mark::Within,
        _ => Mark::Same,
    };
    let (old, new) = pair(old, new);
    RowCell { column: text(cell, "column"), old, new, mark }
}

/// The cells that differ, where their rows are not shown.
fn cells(item: &Json, has_rows: bool) -> Option<Table> {
    let cells = list(item, "sample");
    if cells.is_empty() || has_rows {
        return None;
    }
    let rows = cells.iter().map(|cell| vec![place(cell).into(), text(cell, "column").into(), changed(cell)]);
    let heads = vec![Head::text("row"), Head::text("column"), Head::text("old → new")];
    let caption = "The first cells that differ".to_owned();
    Some(Table { caption, heads, rows: rows.collect(), more: String::new() })
}

/// The first rows that only one side has.
fn one_sided(item: &Json) -> Option<Table> {
    let sides = [("rows_only_old", "only_old", "old"), ("rows_only_new", "only_new", "new")];
    let named =
        sides.into_iter().flat_map(|(name, _, side)| list(item, name).iter().map(move |row| (side, row)));
    let rows: Vec<Vec<Cell>> = named
        .map(|(side, row)| {
            vec![side.into(), grouped(number(row, "row")).into(), key(row).unwrap_or_default().into()]
        })
        .collect();
    if rows.is_empty() {
        return None;
    }
    let counts = item.get("rows").unwrap_or(&Json::Null);
    let all: u64 = sides.iter().map(|(_, name, _)| number(counts, name)).sum();
    let left = usize::try_from(all).unwrap_or(usize::MAX).saturating_sub(rows.len());
    let heads = vec![Head::word("only in"), Head::number("row"), Head::text("key")];
    let caption = "Rows on one side only".to_owned();
    Some(Table { caption, heads, rows, more: more(left, "row") })
}

/// Where two documents differ.
fn places(item: &Json) -> Option<Table> {
    let all = list(item, "differences");
    if all.is_empty() {
        return None;
    }
    let rows = all.iter().map(|one| {
        let cell = match (one.get("old"), one.get("new")) {
            (Some(old), Some(new)) => {
                let (old, new) = pair(old, new);
                Cell::Pair(old, new + &pixels(one))
            }
            (old, new) => {
                let side = |side: Option<&Json>| side.map_or_else(|| "(absent)".to_owned(), value);
                Cell::Pair(side(old), side(new))
            }
        };
        let path = text(one, "path");
        vec![if path.is_empty() { "(the whole)".into() } else { path.into() }, cell]
    });
    let rows: Vec<Vec<Cell>> = rows.collect();
    let total = usize::try_from(number(item, "differences_total")).unwrap_or(usize::MAX);
    let more = more(total.saturating_sub(rows.len()), "place");
    let heads = vec![Head::text("place"), Head::text("old → new")];
    Some(Table { caption: "Values that differ".to_owned(), heads, rows, more })
}

/// How many pixels of two pictures are apart, and where; nothing for other values.
fn pixels(difference: &Json) -> String {
    let Some(pixels) = difference.get("pixels") else { return String::new() };
    let first = list(pixels, "first").iter().map(shown).collect::<Vec<_>>().join(", ");
    let (apart, largest) = (text(pixels, "apart"), text(pixels, "largest"));
    format!(": {apart} are apart, by {largest} of 255 at most, first at ({first})")
}
