//! Tables for a terminal: columns share the width that there is, and what is too long is cut where it tells least.

use super::parts::{Cell, Head, Kind, Table};
use crate::excerpt::{LEFT_OUT, around_difference, middle_cut, width};

/// Before each line of a table, and between two columns.
const GAP: usize = 2;
/// A column of text is made no narrower than this, as long as others can have lines of their own.
const TEXT_MIN: usize = 12;
/// The same where there is no other way.
const TEXT_LEAST: usize = 6;
/// A column that can have lines of its own stands beside the others only where it can be this wide, or need not be.
const BELOW_MIN: usize = 36;

/// How the columns of a table share a screen.
struct Plan {
    /// Columns side by side, and how wide they are.
    beside: Vec<(usize, usize)>,
    /// Columns with lines of their own.
    below: Vec<usize>,
}

/// A table in lines of at most `screen` columns. `strong`: how the heads are written.
pub(super) fn lines(table: &Table, screen: usize, strong: &dyn Fn(&str) -> String) -> Vec<String> {
    match plan(table, screen) {
        Some(plan) => side_by_side(table, &plan, screen, strong),
        None => records(table, screen),
    }
}

fn natural(table: &Table, column: usize) -> usize {
    let cells = table.rows.iter().filter_map(|row| row.get(column)).map(|cell| width(&cell.words()));
    let head = table
        .heads
        .get(column)
        .map(|head| head_lines(*head).iter().map(|line| width(line)).max().unwrap_or(0));
    cells.chain(head).max().unwrap_or(0)
}

/// A head on two lines where it has two words.
fn head_lines(head: Head) -> Vec<&'static str> {
    match head.name.split_once(' ').filter(|_| head.kind == Kind::Number) {
        Some((first, rest)) => vec![first, rest],
        None => vec![head.name],
    }
}

/// `None` where not even the columns that are never cut have room.
fn plan(table: &Table, screen: usize) -> Option<Plan> {
    let naturals: Vec<usize> = (0..table.heads.len()).map(|column| natural(table, column)).collect();
    let mut beside: Vec<usize> = (0..table.heads.len()).collect();
    let mut below = Vec::new();
    let natural = |column: usize| naturals.get(column).copied().unwrap_or(0);
    let kind = |column: usize| table.heads.get(column).map_or(Kind::Word, |head| head.kind);
    let least = |column: usize, text_min: usize| match kind(column) {
        Kind::Number | Kind::Word => natural(column),
        Kind::Text => natural(column).min(text_min),
        Kind::Below => natural(column).min(BELOW_MIN),
    };
    let needed = |columns: &[usize], text_min: usize| -> usize {
        columns.iter().map(|column| least(*column, text_min) + GAP).sum()
    };
    let mut text_min = TEXT_MIN;
    while needed(&beside, text_min) > screen {
        match beside.iter().rposition(|column| kind(*column) == Kind::Below) {
            Some(last) => below.push(beside.remove(last)),
            None if text_min > TEXT_LEAST => text_min -= 1,
            None => return None,
        }
    }
    below.reverse();
    let mut left = screen - needed(&beside, text_min);
    let mut widths: Vec<(usize, usize)> =
        beside.iter().map(|column| (*column, least(*column, text_min))).collect();
    // A column at a time, so that short ones are whole before long ones take the rest.
    while left > 0 {
        let narrow = widths.iter_mut().filter(|(column, width)| *width < natural(*column));
        let Some((_, width)) = narrow.min_by_key(|(_, width)| *width) else { break };
        *width += 1;
        left -= 1;
    }
    Some(Plan { beside: widths, below })
}

fn side_by_side(table: &Table, plan: &Plan, screen: usize, strong: &dyn Fn(&str) -> String) -> Vec<String> {
    let heads: Vec<Vec<&str>> = plan
        .beside
        .iter()
        .map(|(column, _)| table.heads.get(*column).map_or(Vec::new(), |head| head_lines(*head)))
        .collect();
    let high = heads.iter().map(Vec::len).max().unwrap_or(0);
    let mut lines = Vec::new();
    for line in 0..high {
        // Heads of one line stand beside the lower line of the others.
        let words = heads
            .iter()
            .map(|head| (line + head.len()).checked_sub(high).and_then(|at| head.get(at)).copied());
        let words = words.map(|word| word.unwrap_or_default().to_owned());
        lines.push(strong(&line_of(table, plan, words)));
    }
    for row in &table.rows {
        let cells = plan
            .beside
            .iter()
            .map(|(column, width)| row.get(*column).map_or_else(String::new, |cell| cut(cell, *width)));
        lines.push(line_of(table, plan, cells));
        lines.extend(own_lines(table, plan, row, screen));
    }
    lines
}

fn line_of(table: &Table, plan: &Plan, cells: impl Iterator<Item = String>) -> String {
    let mut line = String::new();
    for ((column, room), cell) in plan.beside.iter().zip(cells) {
        let blank = " ".repeat(room.saturating_sub(width(&cell)));
        let is_number = table.heads.get(*column).is_some_and(|head| head.kind == Kind::Number);
        line.push_str(&" ".repeat(GAP));
        if is_number {
            line.push_str(&blank);
        }
        line.push_str(&cell);
        if !is_number {
            line.push_str(&blank);
        }
    }
    line.trim_end().to_owned()
}

/// What has no room beside a row, on as few lines below it as it takes.
fn own_lines(table: &Table, plan: &Plan, row: &[Cell], screen: usize) -> Vec<String> {
    let indent = " ".repeat(2 * GAP);
    let mut lines: Vec<String> = Vec::new();
    for column in &plan.below {
        let (Some(head), Some(cell)) = (table.heads.get(*column), row.get(*column)) else { continue };
        if cell.words().is_empty() {
            continue;
        }
        let room = screen.saturating_sub(indent.len() + head.name.len() + 2);
        let told = format!("{}: {}", head.name, cut(cell, room));
        match lines.last_mut() {
            Some(line) if width(line) + GAP + 1 + width(&told) <= screen => {
                line.push_str("; ");
                line.push_str(&told);
            }
            _ => lines.push(format!("{indent}{told}")),
        }
    }
    lines
}

/// A line for each cell, for a screen that is too narrow for a table.
fn records(table: &Table, screen: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for row in &table.rows {
        for (at, (head, cell)) in table.heads.iter().zip(row).enumerate() {
            if cell.words().is_empty() {
                continue;
            }
            let start = format!("{}{}: ", " ".repeat(if at == 0 { GAP } else { 2 * GAP }), head.name);
            let room = screen.saturating_sub(width(&start)).max(TEXT_LEAST);
            lines.push(format!("{start}{}", cut(cell, room)));
        }
    }
    lines
}

/// A cell on so many columns.
pub(super) fn cut(cell: &Cell, room: usize) -> String {
    match cell {
        Cell::Pair(old, new) => {
            let (old, new) = cut_pair((old, new), room);
            format!("{old} → {new}")
        }
        other => middle_cut(&other.words(), room),
    }
}

/// Two values that have so many columns together, and an arrow between them.
pub(super) fn cut_pair((old, new): (&str, &str), room: usize) -> (String, String) {
    let room = room.saturating_sub(" → ".chars().count());
    let (one, two) = (width(old), width(new));
    if one + two <= room {
        return (old.to_owned(), new.to_owned());
    }
    let half = room / 2;
    if one <= half {
        return (old.to_owned(), around_difference(old, new, room - one).1);
    }
    if two <= half {
        return (around_difference(old, new, room - two).0, new.to_owned());
    }
    around_difference(old, new, half)
}

/// Words on lines of at most `screen` columns; lines after the first are indented by `hang` more.
pub(super) fn wrapped(text: &str, screen: usize, indent: usize, hang: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut line = " ".repeat(indent);
    let mut is_empty = true;
    for word in text.split(' ') {
        let word = middle_cut(word, screen.saturating_sub(indent + hang).max(TEXT_LEAST));
        if !is_empty && width(&line) + 1 + width(&word) > screen {
            lines.push(std::mem::replace(&mut line, " ".repeat(indent + hang)));
            is_empty = true;
        }
        if !is_empty {
            line.push(' ');
        }
        line.push_str(&word);
        is_empty = false;
    }
    lines.push(line);
    lines
}

/// `… and 12 columns more`.
pub(super) fn more(text: &str) -> String {
    format!("{LEFT_OUT} {text}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let heads = vec![
            Head::text("column"),
            Head::number("cells different"),
            Head::below("worst cell"),
            Head::below("why"),
        ];
        let row = |name: &str, count: &str, old: &str, new: &str| {
            vec![
                name.into(),
                count.into(),
                Cell::Pair(old.to_owned(), new.to_owned()),
                Cell::from("new = 2 * old"),
            ]
        };
        let long = "x".repeat(300);
        let rows = vec![
            row("price", "3", "1.5", "3.0"),
            row(
                "売上高の合計金額と税金の内訳を足したもの",
                "1,234,567",
                &format!("{long}a"),
                &format!("{long}b"),
            ),
        ];
        Table { caption: String::new(), heads, rows, more: String::new() }
    }

    #[test]
    fn lines_fit_every_screen_and_align_by_what_is_seen() {
        for screen in 30..=160 {
            let lines = lines(&table(), screen, &str::to_owned);
            assert!(lines.iter().all(|line| width(line) <= screen), "{screen}: {lines:#?}");
            assert!(lines.iter().any(|line| line.contains("…")), "{screen}");
        }
        let wide = lines(&table(), 100, &str::to_owned);
        let ends: Vec<usize> = [2, 3]
            .into_iter()
            .map(|at| {
                let line = &wide[at];
                let count = ["  3 ", "1,234,567"]
                    .into_iter()
                    .find_map(|count| Some(line.find(count)? + count.trim_end().len()));
                width(&line[..count.unwrap()])
            })
            .collect();
        assert_eq!(ends[0], ends[1], "{wide:#?}");
    }

    #[test]
    fn a_pair_shares_its_room_and_shows_where_it_parts() {
        assert_eq!(cut_pair(("1", "2"), 30), ("1".to_owned(), "2".to_owned()));
        let same = "y".repeat(50);
        let (old, new) = cut_pair((&format!("{same}1{same}"), &format!("{same}2{same}")), 23);
        assert!(old.contains('1') && new.contains('2') && width(&old) + width(&new) <= 20, "{old} {new}");
        let (old, new) = cut_pair(("null", &same), 23);
        assert_eq!((old.as_str(), width(&new)), ("null", 16));
    }

    #[test]
    fn sentences_wrap_between_words() {
        assert_eq!(wrapped("one two three", 9, 2, 2), ["  one two", "    three"]);
        assert_eq!(wrapped(&"z".repeat(40), 20, 2, 2)[0].chars().count(), 18);
    }
}
