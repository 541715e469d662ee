//! A report as Markdown (`CommonMark`, with the tables of GitHub).

use super::page::{Block, Page, Table};
use super::visible::{visible, visible_name};
use super::wording::{Bit, Words, moment};

/// Writes the page.
pub(super) fn markdown(page: &Page) -> String {
    let mut parts = vec![format!("# {}\n\n", escaped(&page.title))];
    parts.push(format!("**{}**: {}\n\n", page.verdict.spoken(), escaped(&page.headline)));
    for note in &page.notes {
        parts.push(format!("> **{}**\n\n", inline(note, Place::Text)));
    }
    parts.push(facts(&page.facts));
    for section in &page.sections {
        parts.push(format!("{} {}\n\n", "#".repeat(usize::from(section.level)), escaped(&section.title)));
        for block in &section.blocks {
            parts.push(written(block));
        }
    }
    parts.push(format!("---\n\n{}\n", inline(&page.foot, Place::Text)));
    parts.concat()
}

fn written(block: &Block) -> String {
    match block {
        Block::Text(words) => format!("{}\n\n", inline(words, Place::Text)),
        Block::Note(words) => format!("> **{}**\n\n", inline(words, Place::Text)),
        Block::List(items) => {
            let items: Vec<String> =
                items.iter().map(|item| format!("- {}\n", inline(item, Place::Text))).collect();
            items.concat() + "\n"
        }
        Block::Facts(pairs) => facts(pairs),
        Block::Command(line) => fenced("sh", std::slice::from_ref(line)),
        Block::Table(of) => table(of),
        Block::Output { caption, lines, left_out } => {
            let more = (*left_out > 0).then(|| format!("… {left_out} lines before"));
            let lines: Vec<String> = more.into_iter().chain(lines.iter().cloned()).collect();
            format!("{}:\n\n{}", escaped(caption), fenced("text", &lines))
        }
    }
}

fn facts(pairs: &[(&'static str, Words)]) -> String {
    let pairs: Vec<String> =
        pairs.iter().map(|(name, words)| format!("- {name}: {}\n", inline(words, Place::Text))).collect();
    pairs.concat() + "\n"
}

fn table(table: &Table) -> String {
    // A bar says nothing in text.
    let is_bar = |words: &Words| words.iter().any(|bit| matches!(bit, Bit::Bar(..)));
    let shown: Vec<usize> = (0..table.columns.len())
        .filter(|&at| !table.rows.iter().any(|row| row.get(at).is_some_and(is_bar)))
        .collect();
    let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    let mut parts = vec![format!("{}:\n\n", escaped(&table.caption))];
    parts.push(line(shown.iter().map(|&at| escaped(&table.columns[at])).collect()));
    parts.push(line(shown.iter().map(|_| "---".to_owned()).collect()));
    let (left_out, after) = table.left_out;
    let gap = line(vec![format!("*{left_out} more are not shown here*")]);
    for (number, row) in table.rows.iter().enumerate() {
        if left_out > 0 && number == after {
            parts.push(gap.clone());
        }
        parts.push(line(shown.iter().filter_map(|&at| Some(inline(row.get(at)?, Place::Cell))).collect()));
    }
    if left_out > 0 && after >= table.rows.len() {
        parts.push(gap.clone());
    }
    parts.concat() + "\n"
}

/// Lines within a fence that is longer than any row of backticks in them.
fn fenced(kind: &str, lines: &[String]) -> String {
    let lines: Vec<String> = lines.iter().map(|line| visible(line)).collect();
    let longest = lines.iter().map(|line| longest_row(line)).max().unwrap_or(0);
    let fence = "`".repeat((longest + 1).max(3));
    format!("{fence}{kind}\n{}\n{fence}\n\n", lines.join("\n"))
}

/// How many backticks stand together at most.
fn longest_row(text: &str) -> usize {
    text.split(|character| character != '`').map(str::len).max().unwrap_or(0)
}

/// Where words stand: in a cell of a table, a bar would end it even inside of code.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Text,
    Cell,
}

fn inline(words: &Words, place: Place) -> String {
    let bit = |bit: &Bit| match bit {
        Bit::Text(text) | Bit::Fixed(text) => escaped(text),
        Bit::Code(text) | Bit::Hash(text) => code(text, place),
        Bit::Strong(text) => format!("**{}**", escaped(text)),
        Bit::Verdict(verdict) => format!("**{}**", verdict.spoken()),
        Bit::NotYet => "not yet".to_owned(),
        Bit::Time(time) => escaped(&moment(time)),
        Bit::Bar(..) => String::new(),
    };
    words.iter().map(bit).collect()
}

/// Text of which nothing is taken for a mark.
pub fn escaped(text: &str) -> String {
    let text = visible(text);
    let mut escaped = String::with_capacity(text.len());
    let is_number_before = |at: usize| at > 0 && text[..at].bytes().all(|byte| byte.is_ascii_digit());
    for (at, character) in text.char_indices() {
        let is_mark = match character {
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '&' | '#' | '|' | '~' | '!' | '$' | '@' => true,
            // What would begin a list, a heading or a rule, and what would become a link.
            '-' | '+' | '=' => at == 0,
            '.' | ')' => is_number_before(at) || text[..at].ends_with("www"),
            ':' => text[at..].starts_with("://"),
            _ => false,
        };
        if is_mark {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}

/// A code span whose fence is longer than any row of backticks in it.
fn code(text: &str, place: Place) -> String {
    let text = visible_name(text);
    if text.is_empty() {
        return String::new();
    }
    let text = if place == Place::Cell { text.replace('|', "\\|") } else { text };
    let fence = "`".repeat(longest_row(&text) + 1);
    let space = if text.starts_with(['`', ' ']) || text.ends_with(['`', ' ']) { " " } else { "" };
    format!("{fence}{space}{text}{space}{fence}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_only_text() {
        for (text, written) in [
            ("a *b* _c_ [d](e) <f> | g", r"a \*b\* \_c\_ \[d\](e) \<f\> \| g"),
            ("1. not a list", r"1\. not a list"),
            ("- nor this", r"\- nor this"),
            ("takes 1.5 s, p95 - fine", "takes 1.5 s, p95 - fine"),
            ("http://evil and www.evil", r"http\://evil and www\.evil"),
            ("a\n\n# heading", r"a  \# heading"),
        ] {
            assert_eq!(escaped(text), written);
        }
    }

    #[test]
    fn code_is_fenced_whatever_is_in_it() {
        for (text, place, written) in [
            ("plain", Place::Text, "`plain`"),
            ("a`b", Place::Text, "``a`b``"),
            ("`", Place::Text, "`` ` ``"),
            ("a``b```c", Place::Text, "````a``b```c````"),
            ("a|b", Place::Cell, r"`a\|b`"),
            ("a|b", Place::Text, "`a|b`"),
            ("", Place::Cell, ""),
        ] {
            assert_eq!(code(text, place), written);
        }
    }
}
