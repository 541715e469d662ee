//! A page as one HTML file: no script, no font, no picture, nothing that would have to be fetched.

use switchback_core::report::{STYLE, escaped_html as escaped};

use super::parts::{Block, Cell, Kind, Mark, Row, RowCell, Section, Table};
use super::words::counted;
use crate::excerpt::{around_difference, middle_cut};

/// What this page adds to the look of reports.
const OWN_STYLE: &str = include_str!("page.css");
/// The longest value and the longest name that is shown, in columns of a terminal; the document has them all.
const VALUE_MAX: usize = 240;
const NAME_MAX: usize = 160;
/// A value that is no longer than this is not broken in two.
const UNBROKEN_MAX: usize = 28;

/// Writes sections, the first of which is about the whole.
pub(super) fn html(whole: &Section, items: &[Section], proofs: &[Section]) -> String {
    let (class, spoken) = spoken(&whole.verdict);
    let title = escaped(&whole.title);
    let mut page = vec![format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\"/>\n\
         <meta name=\"generator\" content=\"Switchback\"/>\n<link rel=\"icon\" href=\"data:,\"/>\n<title>Comparison: {spoken}</title>\n\
         <style>\n{STYLE}{OWN_STYLE}</style>\n</head>\n<body>\n<header>\n<p class=\"project\">Switchback</p>\n<h1>Comparison</h1>\n\
         <p class=\"headline {class}\"><strong class=\"verdict {class}\">{spoken}</strong> {title}</p>\n</header>\n<main>\n"
    )];
    page.extend(whole.blocks.iter().map(block));
    for (number, section) in items.iter().chain(proofs).enumerate() {
        let title = escaped(&middle_cut(&section.title, NAME_MAX));
        let verdict = if section.verdict.is_empty() {
            String::new()
        } else {
            format!(": {}", verdict(&section.verdict))
        };
        page.push(format!(
            "<section aria-labelledby=\"part-{number}\">\n<h2 id=\"part-{number}\">{title}{verdict}</h2>\n"
        ));
        page.extend(section.blocks.iter().map(block));
        page.push("</section>\n".to_owned());
    }
    page.push(
        "</main>\n<footer>\n<p>Rows are counted from 0. Marks: <ins>old → new</ins> differs; ≈ is not the same and within what the rule \
         allows. What is shortened here is whole in the JSON document of the same comparison.</p>\n</footer>\n</body>\n</html>\n"
            .to_owned(),
    );
    page.concat()
}

fn spoken(verdict: &str) -> (&'static str, &'static str) {
    match verdict {
        "yes" => ("yes", "yes"),
        "no" => ("no", "no"),
        _ => ("unknown", "could not tell"),
    }
}

fn verdict(verdict: &str) -> String {
    let (class, spoken) = spoken(verdict);
    format!("<span class=\"verdict {class}\">{spoken}</span>")
}

fn block(block: &Block) -> String {
    match block {
        Block::Sentence(sentence) => format!("<p>{}</p>\n", escaped(sentence)),
        Block::Table(of) => table(of),
        Block::Rows(rows) => alike(rows).map(rows_table).collect(),
    }
}

/// A table of which the first cell of each row is the row's name.
fn table(table: &Table) -> String {
    let caption = escaped(&table.caption);
    let more =
        if table.more.is_empty() { String::new() } else { format!("<p>… {}</p>\n", escaped(&table.more)) };
    if table.rows.is_empty() {
        return more;
    }
    let mut parts = vec![format!(
        "{}<table class=\"stacks\">\n<caption>{caption}</caption>\n<thead><tr>",
        region(&caption)
    )];
    for head in &table.heads {
        let class = if head.kind == Kind::Number { " class=\"number\"" } else { "" };
        parts.push(format!("<th scope=\"col\"{class}>{}</th>", escaped(head.name)));
    }
    parts.push("</tr></thead>\n<tbody>\n".to_owned());
    for row in &table.rows {
        parts.push("<tr>".to_owned());
        for (at, (cell, head)) in row.iter().zip(&table.heads).enumerate() {
            let class = if head.kind == Kind::Number { " class=\"number\"" } else { "" };
            let (open, close) = if at == 0 { ("th scope=\"row\"", "th") } else { ("td", "td") };
            // The name of the column stands before the cell where rows become blocks.
            let name = escaped(head.name);
            parts.push(format!("<{open}{class} data-column=\"{name}\">{}</{close}>", inline(cell)));
        }
        parts.push("</tr>\n".to_owned());
    }
    parts.push(format!("</tbody>\n</table>\n</div>\n{more}"));
    parts.concat()
}

/// A part of the page that moves sideways, which must be reached without a mouse.
fn region(caption: &str) -> String {
    format!("<div class=\"table\" role=\"region\" aria-label=\"{caption}\" tabindex=\"0\">\n")
}

fn inline(cell: &Cell) -> String {
    match cell {
        Cell::Text(text) if text.is_empty() => String::new(),
        Cell::Text(text) => piece(&middle_cut(text, VALUE_MAX)),
        Cell::Verdict(word) => verdict(word),
        Cell::Link(name, section) => {
            let name = escaped(&middle_cut(name, NAME_MAX));
            section.map_or(name.clone(), |section| format!("<a href=\"#part-{section}\">{name}</a>"))
        }
        Cell::Pair(old, new) => pair(old, new),
    }
}

fn pair(old: &str, new: &str) -> String {
    let (old, new) = around_difference(old, new, VALUE_MAX);
    if old.chars().count().max(new.chars().count()) <= UNBROKEN_MAX {
        return format!(
            "<del>{}</del> <span class=\"arrow\">→</span> <ins>{}</ins>",
            piece(&old),
            piece(&new)
        );
    }
    // Of long values the part is marked in which they differ.
    let same = |one: &mut dyn Iterator<Item = (usize, char)>, two: &mut dyn Iterator<Item = char>| {
        one.zip(two)
            .take_while(|((_, one), two)| one == two)
            .map(|((_, letter), _)| letter.len_utf8())
            .sum::<usize>()
    };
    let head = same(&mut old.char_indices(), &mut new.chars());
    let (old_rest, new_rest) = (old.get(head..).unwrap_or_default(), new.get(head..).unwrap_or_default());
    let tail = same(&mut old_rest.char_indices().rev(), &mut new_rest.chars().rev());
    let marked = |text: &str, rest: &str| {
        let (differs, end) = rest.split_at(rest.len() - tail);
        let start = text.get(..head).unwrap_or_default();
        let is_marked = !differs.is_empty() && head + tail > 0;
        let differs = if is_marked { format!("<mark>{}</mark>", escaped(differs)) } else { escaped(differs) };
        format!("<span class=\"long\">{}{differs}{}</span>", escaped(start), escaped(end))
    };
    format!(
        "<del>{}</del> <span class=\"arrow\">→</span> <ins>{}</ins>",
        marked(&old, old_rest),
        marked(&new, new_rest)
    )
}

/// A value that is not broken in two where it is short.
fn piece(text: &str) -> String {
    let class = if text.chars().count() <= UNBROKEN_MAX { "short" } else { "long" };
    format!("<span class=\"{class}\">{}</span>", escaped(text))
}

/// Rows one after the other that show the same columns: one table each.
fn alike(rows: &[Row]) -> impl Iterator<Item = &[Row]> {
    rows.chunk_by(|one, two| {
        let names = |row: &Row| row.cells.iter().map(|cell| cell.column.clone()).collect::<Vec<_>>();
        names(one) == names(two)
    })
}

fn rows_table(rows: &[Row]) -> String {
    let Some(first) = rows.first() else { return String::new() };
    let beside = match first.columns_more {
        0 => String::new(),
        more => format!("; {} not shown", counted(more, "more column")),
    };
    let caption = escaped(&format!("Rows that differ, with the columns beside{beside}"));
    let mut parts = vec![format!(
        "{}<table class=\"rows\">\n<caption>{caption}</caption>\n<thead><tr><th scope=\"col\">row</th>",
        region(&caption)
    )];
    for (at, cell) in first.cells.iter().enumerate() {
        let differs = rows.iter().any(|row| row.cells.get(at).is_some_and(|cell| cell.mark == Mark::Differs));
        let class = if differs { " class=\"differs\"" } else { "" };
        parts.push(format!("<th scope=\"col\"{class}>{}</th>", piece(&middle_cut(&cell.column, NAME_MAX))));
    }
    parts.push("</tr></thead>\n<tbody>\n".to_owned());
    for row in rows {
        let numbers = piece(&row.numbers);
        let name = match row.key.as_str() {
            "" => numbers,
            key => format!("{} <small>{numbers}</small>", piece(&middle_cut(key, NAME_MAX))),
        };
        parts.push(format!(
            "<tr><th scope=\"row\">{name}</th>{}</tr>\n",
            row.cells.iter().map(row_cell).collect::<String>()
        ));
    }
    parts.push("</tbody>\n</table>\n</div>\n".to_owned());
    parts.concat()
}

fn row_cell(cell: &RowCell) -> String {
    // The name of the column stands before the cell on paper, which does not move sideways.
    let name = escaped(&middle_cut(&cell.column, NAME_MAX));
    let (class, content) = match cell.mark {
        Mark::Same => ("", piece(&middle_cut(&cell.old, VALUE_MAX))),
        Mark::Differs => (" class=\"differs\"", pair(&cell.old, &cell.new)),
        Mark::Within => {
            let (old, new) = around_difference(&cell.old, &cell.new, VALUE_MAX);
            ("", format!("{} <span class=\"arrow\">≈</span> {}", piece(&old), piece(&new)))
        }
    };
    format!("<td{class} data-column=\"{name}\">{content}</td>")
}
