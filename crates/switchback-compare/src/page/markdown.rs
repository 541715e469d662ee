//! A page as text with the tables of GitHub.

use switchback_core::report::escaped_markdown as escaped;

use super::parts::{Block, Cell, Kind, Mark, Row, RowCell, Section, Table};
use super::words::counted;
use crate::excerpt::{around_difference, middle_cut};

/// The longest value and the longest name that is shown, in columns of a terminal; the document has them all.
const VALUE_MAX: usize = 120;

/// Writes sections, the first of which is about the whole.
pub(super) fn markdown(whole: &Section, items: &[Section], proofs: &[Section]) -> String {
    let mut page = vec![format!("## Verdict: {}\n\n{}\n", whole.verdict, escaped(&whole.title))];
    page.extend(whole.blocks.iter().map(block));
    for section in items.iter().chain(proofs) {
        let title = escaped(&middle_cut(&section.title, VALUE_MAX));
        let verdict =
            if section.verdict.is_empty() { String::new() } else { format!(": {}", section.verdict) };
        page.push(format!("## {title}{verdict}\n"));
        page.extend(section.blocks.iter().map(block));
    }
    page.join("\n")
}

fn block(block: &Block) -> String {
    match block {
        Block::Sentence(sentence) => format!("{}\n", escaped(sentence)),
        Block::Table(of) => table(of),
        Block::Rows(rows) => {
            let groups = rows.chunk_by(|one, two| shown(one).eq(shown(two)));
            groups.map(rows_table).collect::<Vec<_>>().join("\n")
        }
    }
}

fn shown(row: &Row) -> impl Iterator<Item = &str> {
    row.cells.iter().map(|cell| cell.column.as_str())
}

fn line(cells: &[String]) -> String {
    format!("| {} |\n", cells.join(" | "))
}

fn table(table: &Table) -> String {
    let mut page = String::new();
    if !table.rows.is_empty() {
        let heads: Vec<String> = table.heads.iter().map(|head| escaped(head.name)).collect();
        let rules =
            table.heads.iter().map(|head| if head.kind == Kind::Number { " ---: |" } else { " --- |" });
        let head = [escaped(&table.caption), ":\n\n".to_owned(), line(&heads), "|".to_owned()];
        page.extend(head);
        page.extend(rules);
        page.push('\n');
        for row in &table.rows {
            let cells: Vec<String> = row.iter().map(inline).collect();
            page.push_str(&line(&cells));
        }
    }
    if !table.more.is_empty() {
        let gap = if table.rows.is_empty() { "" } else { "\n" };
        page.extend([gap, "… ", &escaped(&table.more), "\n"]);
    }
    page
}

fn inline(cell: &Cell) -> String {
    match cell {
        Cell::Pair(old, new) => {
            let (old, new) = around_difference(old, new, VALUE_MAX);
            format!("{} → {}", in_cell(&old), in_cell(&new))
        }
        other => in_cell(&middle_cut(&other.words(), VALUE_MAX)),
    }
}

/// Text in a cell, where a number with a point begins no list.
fn in_cell(text: &str) -> String {
    let text = escaped(text);
    match text.split_once("\\.") {
        Some((whole, rest)) if whole.bytes().all(|byte| byte.is_ascii_digit()) => format!("{whole}.{rest}"),
        _ => text,
    }
}

fn rows_table(rows: &[Row]) -> String {
    let Some(first) = rows.first() else { return String::new() };
    let more = match first.columns_more {
        0 => String::new(),
        more => format!("; {} not shown", counted(more, "more column")),
    };
    let heads: Vec<String> = std::iter::once("row".to_owned())
        .chain(shown(first).map(|name| escaped(&middle_cut(name, VALUE_MAX))))
        .collect();
    let mut page = format!(
        "Rows that differ, with the columns beside{more}:\n\n{}|{}\n",
        line(&heads),
        " --- |".repeat(heads.len())
    );
    for row in rows {
        let name =
            if row.key.is_empty() { row.numbers.clone() } else { format!("{} ({})", row.key, row.numbers) };
        let cells: Vec<String> = std::iter::once(escaped(&middle_cut(&name, VALUE_MAX)))
            .chain(row.cells.iter().map(row_cell))
            .collect();
        page.push_str(&line(&cells));
    }
    page
}

fn row_cell(cell: &RowCell) -> String {
    let (old, new) = around_difference(&cell.old, &cell.new, VALUE_MAX);
    match cell.mark {
        Mark::Same => in_cell(&old),
        Mark::Within => format!("{} ≈ {}", in_cell(&old), in_cell(&new)),
        Mark::Differs => format!("**{} → {}**", in_cell(&old), in_cell(&new)),
    }
}
