//! What a report says about the shadows of a phase.

use super::page::{Block, Table};
use super::shadow_status::ShadowStatus;
use super::wording::{Bit, Words, code, marked, words};

/// One table of all of them, and one of the inputs that a person has to look at.
pub(super) fn shadows(shadows: &[ShadowStatus]) -> Vec<Block> {
    let columns = [
        "shadow",
        "verdict",
        "inputs",
        "equal",
        "fail alike",
        "no",
        "could not tell",
        "began",
        "until",
        "what was seen",
    ];
    let mut table = Table::new("Old and new side by side", &columns);
    let time = |time: &String| if time.is_empty() { Words::new() } else { vec![Bit::Time(time.clone())] };
    for shadow in shadows {
        let verdict = if shadow.is_open() { Bit::NotYet } else { Bit::Verdict(shadow.verdict) };
        let mut row = vec![code(&shadow.name), vec![verdict]];
        row.extend(shadow.counts.iter().map(|count| words(count.to_string())));
        row.extend([time(&shadow.began), time(&shadow.until), marked(&shadow.summary, &[])]);
        table.rows.push(row);
    }
    let mut blocks = vec![Block::Table(table)];
    for shadow in shadows.iter().filter(|shadow| !shadow.told.is_empty()) {
        let title = format!("Inputs of {} that do not hold, or fail", shadow.name);
        let mut table = Table::new(&title, &["input", "verdict", "what was seen"]);
        for (input, verdict, summary) in &shadow.told {
            table.rows.push(vec![code(input), vec![Bit::Verdict(*verdict)], marked(summary, &[])]);
        }
        table.left_out = (shadow.left_out, table.rows.len());
        blocks.push(Block::Table(table));
    }
    blocks
}
