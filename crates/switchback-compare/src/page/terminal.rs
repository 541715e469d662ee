//! A page as text for a terminal.

use anstyle::{AnsiColor, Style};

use super::Screen;
use super::layout::{cut_pair, lines, more, wrapped};
use super::parts::{Block, Cell, Head, Mark, Row, RowCell, Section, Table};
use super::words::counted;
use crate::excerpt::{middle_cut, width};

/// How many rows that differ are shown as a whole, and how many cells of them.
const ROWS_MAX: usize = 3;
const ROW_CELLS_MAX: usize = 16;
/// How many cells beside one that differs are shown, on each side of it.
const BESIDE_MAX: usize = 2;
/// How many pairs of files are told one by one; those that differ come first.
const SECTIONS_MAX: usize = 12;
/// A name of a column in a row takes at most this share of the screen: a third.
const NAME_SHARE: usize = 3;

/// Writes sections, the first of which is about the whole.
pub(super) fn terminal(whole: &Section, items: &[Section], proofs: &[Section], screen: Screen) -> String {
    let columns = screen.columns.max(super::SCREEN_MIN);
    let pen = Pen { columns, color: screen.color };
    let mut out = vec![format!("{} {}", pen.strong("Verdict:"), pen.verdict(&whole.verdict))];
    out.extend(wrapped(&whole.title, columns, 2, 0));
    pen.blocks(&whole.blocks, &mut out);
    for section in items.iter().take(SECTIONS_MAX).chain(proofs) {
        out.push(String::new());
        out.push(pen.title(section));
        pen.blocks(&section.blocks, &mut out);
    }
    if items.len() > SECTIONS_MAX {
        out.push(String::new());
        let left = counted((items.len() - SECTIONS_MAX) as u64, "file");
        let told =
            format!("and {left} more, of which `--format html` and `--format json` tell in the same way");
        out.extend(wrapped(&more(&told), columns, 0, 2));
    }
    out.push(String::new());
    out.join("\n")
}

/// Writes what stands below the title of a section.
pub(super) fn section(section: &Section, screen: Screen) -> String {
    let pen = Pen { columns: screen.columns, color: screen.color };
    let mut out = Vec::new();
    pen.blocks(&section.blocks, &mut out);
    out.join("\n")
}

struct Pen {
    columns: usize,
    color: bool,
}

impl Pen {
    fn styled(&self, style: Style, text: &str) -> String {
        if self.color { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }

    fn strong(&self, text: &str) -> String {
        self.styled(Style::new().bold(), text)
    }

    fn verdict(&self, verdict: &str) -> String {
        let color = match verdict {
            "yes" => AnsiColor::Green,
            "no" => AnsiColor::Red,
            _ => AnsiColor::Yellow,
        };
        self.styled(Style::new().bold().fg_color(Some(color.into())), verdict)
    }

    fn title(&self, section: &Section) -> String {
        let room = self.columns.saturating_sub(section.verdict.len() + 2);
        let title = self.strong(&middle_cut(&section.title, room));
        if section.verdict.is_empty() {
            title
        } else {
            format!("{title}: {}", self.verdict(&section.verdict))
        }
    }

    fn blocks(&self, blocks: &[Block], out: &mut Vec<String>) {
        for block in blocks {
            match block {
                Block::Sentence(sentence) => out.extend(wrapped(sentence, self.columns, 2, 2)),
                Block::Table(table) => self.table(table, out),
                Block::Rows(rows) => self.rows(rows, out),
            }
        }
    }

    fn table(&self, table: &Table, out: &mut Vec<String>) {
        out.push(String::new());
        if !table.caption.is_empty() && table.caption != "Files" {
            out.extend(wrapped(&table.caption, self.columns, 2, 2));
        }
        if !table.rows.is_empty() {
            out.extend(lines(table, self.columns, &|head| self.strong(head)));
        }
        if !table.more.is_empty() {
            let line = if table.rows.is_empty() { table.more.clone() } else { more(&table.more) };
            out.extend(wrapped(&line, self.columns, 2, 2));
        }
    }

    fn rows(&self, rows: &[Row], out: &mut Vec<String>) {
        for row in rows.iter().take(ROWS_MAX) {
            out.push(String::new());
            let name = match row.key.as_str() {
                "" => row.numbers.clone(),
                key => format!("{key} ({})", row.numbers),
            };
            out.extend(wrapped(&name, self.columns, 2, 2));
            self.row(row, out);
        }
        let rest = rows.get(ROWS_MAX..).unwrap_or_default();
        let cells = rest.iter().flat_map(|row| {
            let differing = row.cells.iter().filter(|cell| cell.mark == Mark::Differs);
            let place = if row.key.is_empty() { &row.numbers } else { &row.key };
            differing.map(move |cell| -> Vec<Cell> {
                vec![
                    place.clone().into(),
                    cell.column.clone().into(),
                    Cell::Pair(cell.old.clone(), cell.new.clone()),
                ]
            })
        });
        let cells: Vec<Vec<Cell>> = cells.collect();
        if !cells.is_empty() {
            let heads = vec![Head::text("row"), Head::text("column"), Head::text("old → new")];
            let caption = "More cells that differ".to_owned();
            self.table(&Table { caption, heads, rows: cells, more: String::new() }, out);
        }
    }

    /// The cells of a row that differ, and the nearest ones, one below the other: so they fit however many there are.
    fn row(&self, row: &Row, out: &mut Vec<String>) {
        let near = |at: usize| {
            let range = at.saturating_sub(BESIDE_MAX)..(at + BESIDE_MAX + 1).min(row.cells.len());
            row.cells.get(range).unwrap_or_default().iter().any(|cell| cell.mark == Mark::Differs)
        };
        let cells: Vec<&RowCell> = row
            .cells
            .iter()
            .enumerate()
            .filter(|(at, _)| near(*at))
            .map(|(_, cell)| cell)
            .take(ROW_CELLS_MAX)
            .collect();
        let names = cells.iter().map(|cell| width(&cell.column)).max().unwrap_or(0);
        let names = names.min(self.columns / NAME_SHARE);
        for cell in &cells {
            let name = middle_cut(&cell.column, names);
            let blank = " ".repeat(names - width(&name));
            let room = self.columns.saturating_sub(names + 8);
            out.push(match cell.mark {
                Mark::Same => format!("      {name}{blank}  {}", middle_cut(&cell.old, room)),
                mark => {
                    let (old, new) = cut_pair((&cell.old, &cell.new), room);
                    let sign = if mark == Mark::Differs { "≠" } else { "≈" };
                    let (red, green) = (AnsiColor::Red.into(), AnsiColor::Green.into());
                    let (old, new) = if mark == Mark::Differs {
                        (
                            self.styled(Style::new().fg_color(Some(red)), &old),
                            self.styled(Style::new().fg_color(Some(green)), &new),
                        )
                    } else {
                        (old, new)
                    };
                    format!("    {} {}{blank}  {old} → {new}", self.strong(sign), self.strong(&name))
                }
            });
        }
        let left = row.columns_more + (row.cells.len() - cells.len()) as u64;
        if left > 0 {
            out.push(format!("      {}", more(&format!("and {} more", counted(left, "column")))));
        }
    }
}
