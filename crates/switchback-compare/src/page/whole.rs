//! What is said of a comparison as a whole: the files, those on one side only, stages and known differences.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::parts::{Block, Cell, Head, Section, Table};
use super::words::{counted, grouped, is_true, key, list, names, number, rows, shown, text, word};

/// How many files that are the same bit by bit are listed one by one; where there are more, they are counted.
const SAME_LISTED_MAX: usize = 8;

/// The items as they are told: those that differ first, then what could not be told, then what is not the same bit by bit.
pub(super) fn in_order(report: &Json) -> Vec<&Json> {
    let mut items: Vec<&Json> = list(report, "items").iter().collect();
    items.sort_by_key(|item| match (word(item, "verdict"), word(item, "relation")) {
        ("no", _) => 0,
        ("unknown", _) => 1,
        (_, "different") => 2,
        (_, "tolerance") => 3,
        (_, "identical") => 4,
        _ => 5,
    });
    items
}

fn is_same(item: &Json) -> bool {
    word(item, "verdict") == "yes" && matches!(word(item, "relation"), "bytes" | "bitwise")
}

/// In one sentence: what was found, without where.
pub(super) fn headline(report: &Json) -> String {
    let items = list(report, "items");
    let one_sided = list(report, "only_old").len() + list(report, "only_new").len();
    let having = |verdict: &str| items.iter().filter(|item| word(item, "verdict") == verdict).count();
    let all = items.len() + one_sided;
    match (word(report, "verdict"), items) {
        ("unknown", []) => "Nothing was compared: no file in common".to_owned(),
        ("unknown", _) => {
            format!("Nothing was compared in {} of {}", having("unknown"), counted(all as u64, "file"))
        }
        (_, [item]) if one_sided == 0 => told(item),
        ("yes", _) => {
            let weakest = items.iter().max_by_key(|item| rank(word(item, "relation")));
            let closeness = weakest.map_or_else(|| "Equal".to_owned(), closeness);
            format!("{closeness}: {}", counted(all as u64, "file"))
        }
        _ => format!("{} of {} differ", having("no") + one_sided, counted(all as u64, "file")),
    }
}

fn rank(relation: &str) -> usize {
    ["bytes", "bitwise", "identical", "tolerance"].iter().position(|one| *one == relation).unwrap_or(4)
}

fn closeness(item: &Json) -> String {
    match word(item, "relation") {
        "bytes" => "Identical byte by byte",
        "bitwise" => "Identical bit by bit",
        "identical" => "Identical by value",
        "tolerance" => "Equal within the tolerance",
        "different" => "Equal but for known differences",
        _ => "Equal",
    }
    .to_owned()
}

/// What was found in one item, in one sentence.
pub(super) fn told(item: &Json) -> String {
    let verdict = word(item, "verdict");
    if verdict == "unknown" {
        return "Nothing was compared".to_owned();
    }
    let rows = item.get("rows").unwrap_or(&Json::Null);
    let compared = number(rows, "compared");
    let mut found = Vec::new();
    match word(item, "kind") {
        "document" => {
            let total = item.get("differences_total").and_then(Json::as_u64);
            let differences = total.unwrap_or(list(item, "differences").len() as u64);
            match item.get("values_compared").and_then(Json::as_u64) {
                Some(values) => {
                    found.push(format!("{} of {} differ", grouped(differences), counted(values, "value")));
                }
                None => found.push(counted(differences, "difference")),
            }
        }
        "file" if verdict == "no" => found.push("The bytes differ".to_owned()),
        "file" => {}
        _ => {
            found.push(format!(
                "{} of {} differ",
                grouped(number(rows, "different")),
                counted(compared, "row")
            ));
            for (name, side) in [("only_old", "old"), ("only_new", "new")] {
                if number(rows, name) > 0 {
                    found.push(format!("{} only in the {side} table", counted(number(rows, name), "row")));
                }
            }
            let schema = ["columns_only_old", "columns_only_new", "types_changed"];
            let schema: usize = schema.iter().map(|name| list(item, name).len()).sum();
            if schema > 0 {
                found.push(format!("{} of the schema", counted(schema as u64, "difference")));
            }
        }
    }
    let found = found.join(", ");
    if verdict == "yes" {
        let found = if found.is_empty() { found } else { format!(": {}", lowered(&found)) };
        return format!("{}{found}", closeness(item));
    }
    found
}

fn lowered(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
}

/// The first section. `sections`: for each item in the order in which it is told, whether it has a section of its own.
pub(super) fn whole(report: &Json, ordered: &[&Json], sections: &[Option<usize>]) -> Section {
    let mut blocks = Vec::new();
    for (name, side) in [("only_old", "old"), ("only_new", "new")] {
        if !list(report, name).is_empty() {
            blocks.push(Block::Sentence(format!("Only on the {side} side: {}", names(report, name))));
        }
    }
    if !list(report, "not_compared").is_empty() {
        blocks.push(Block::Sentence(format!("Not compared: {}", names(report, "not_compared"))));
    }
    blocks.extend(stages(report));
    if !ordered.is_empty() {
        blocks.push(Block::Table(files(ordered, sections).filled()));
    }
    blocks.extend(exceptions(report));
    let verdict = word(report, "verdict").to_owned();
    Section { title: headline(report), verdict, blocks }
}

fn files(ordered: &[&Json], sections: &[Option<usize>]) -> Table {
    let same: Vec<&&Json> = ordered.iter().filter(|item| is_same(item)).collect();
    let counts_same = same.len() > SAME_LISTED_MAX;
    let listed = ordered.iter().zip(sections).filter(|(item, _)| !counts_same || !is_same(item));
    let rows = listed.map(|(item, section)| {
        let count = |name: &str| match item.get("rows").and_then(|rows| rows.get(name)) {
            Some(count) => count.as_u64().map_or_else(|| shown(count), grouped),
            None => String::new(),
        };
        vec![
            Cell::Link(text(item, "name"), *section),
            Cell::Verdict(word(item, "verdict").to_owned()),
            Cell::Text(if item.get("relation").is_some_and(Json::is_null) {
                String::new()
            } else {
                text(item, "relation")
            }),
            Cell::Text(text(item, "proof")),
            Cell::Text(count("equal")),
            Cell::Text(count("different")),
            Cell::Text(count("only_old")),
            Cell::Text(count("only_new")),
        ]
    });
    let rows: Vec<Vec<Cell>> = rows.collect();
    let heads = vec![
        Head::text("file"),
        Head::word("verdict"),
        Head::word("relation"),
        Head::word("proof"),
        Head::number("rows equal"),
        Head::number("different"),
        Head::number("only old"),
        Head::number("only new"),
    ];
    let more = if counts_same { same_counted(&same, !rows.is_empty()) } else { String::new() };
    Table { caption: "Files".to_owned(), heads, rows, more }
}

/// `and 45 files that are the same bit by bit (31 bytes, 14 chunks)`.
fn same_counted(same: &[&&Json], is_rest: bool) -> String {
    let mut proofs = BTreeMap::new();
    for item in same {
        *proofs.entry(word(item, "proof")).or_insert(0_u64) += 1;
    }
    let proofs: Vec<_> =
        proofs.into_iter().map(|(proof, count)| format!("{proof}: {}", grouped(count))).collect();
    let and = if is_rest { "and " } else { "" };
    format!(
        "{and}{} the same bit by bit (proof by {})",
        counted(same.len() as u64, "file"),
        proofs.join(", ")
    )
}

fn stages(report: &Json) -> Vec<Block> {
    let stages = list(report, "stages");
    if stages.is_empty() {
        return Vec::new();
    }
    let mut blocks = Vec::new();
    if let Some(first) = report.get("first_divergence").filter(|first| first.is_object()) {
        blocks.push(Block::Sentence(parts_in(first)));
    }
    if let Some(first) = report.get("first_not_bitwise").filter(|first| first.is_object()) {
        blocks.push(Block::Sentence(format!(
            "The first stage that is not the same bit by bit: {}",
            text(first, "stage")
        )));
    }
    let rows = stages.iter().map(|stage| {
        let relation = if stage.get("relation").is_some_and(Json::is_null) {
            String::new()
        } else {
            text(stage, "relation")
        };
        vec![
            Cell::Text(text(stage, "name")),
            Cell::Verdict(word(stage, "verdict").to_owned()),
            relation.into(),
        ]
    });
    let heads = vec![Head::text("stage"), Head::word("verdict"), Head::word("relation")];
    let rows = rows.collect();
    blocks.push(Block::Table(Table {
        caption: "Stages, in order".to_owned(),
        heads,
        rows,
        more: String::new(),
    }));
    blocks
}

/// Where two runs first part.
pub(super) fn parts_in(first: &Json) -> String {
    let member = |name: &str| first.get(name).filter(|value| value.is_string()).map(shown);
    let mut places = vec![format!("stage {}", text(first, "stage"))];
    places.extend(member("item").filter(|item| !item.is_empty()));
    places.extend(member("column").map(|column| format!("column {column}")));
    places.extend(key(first));
    places.extend(Some(rows(first)).filter(|rows| !rows.is_empty()));
    places.extend(member("path").map(|path| format!("at {path}")));
    format!("They first part in {}", places.join(", "))
}

fn exceptions(report: &Json) -> Option<Block> {
    let exceptions = list(report, "exceptions");
    if exceptions.is_empty() {
        return None;
    }
    let rows = exceptions.iter().map(|exception| {
        let what = ["column", "side"].map(|name| text(exception, name)).concat();
        let state = match () {
            () if is_true(exception, "expired") => "expired",
            () if is_true(exception, "unused") => "unused",
            () if number(exception, "covered") > number(exception, "count") => "grown",
            () => "holds",
        };
        let words =
            ["covered", "count", "expires", "owner", "reason"].map(|name| text(exception, name).into());
        [text(exception, "item").into(), what.into(), state.into()].into_iter().chain(words).collect()
    });
    let heads = vec![
        Head::text("file"),
        Head::text("what"),
        Head::word("state"),
        Head::number("covered"),
        Head::number("at most"),
        Head::word("expires"),
        Head::text("owner"),
        Head::below("reason"),
    ];
    let caption = "Known differences".to_owned();
    Some(Block::Table(Table { caption, heads, rows: rows.collect(), more: String::new() }))
}
