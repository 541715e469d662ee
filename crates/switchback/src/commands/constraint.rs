//! `switchback constraint`.

use switchback_core::constraint::{ConstraintFinding, shown};
use switchback_core::verdict::Verdict;

use super::Context;
use crate::constraint_args::ConstraintArgs;
use crate::failure::Failure;

/// The widest line of a table of rows, in characters.
const LINE_MAX: usize = 100;
/// The longest value that is shown, in characters.
const VALUE_MAX: usize = 32;

pub(crate) fn constraint(context: &Context<'_>, args: &ConstraintArgs) -> Result<Verdict, Failure> {
    let constraints = args.constraints()?;
    let outcome = context.ports.querier.query(&args.tables(), &constraints, &args.bounds()?)?;
    if context.ui.json {
        context.ui.document(&outcome.to_json());
    } else {
        for finding in &outcome.findings {
            show(context, finding);
        }
    }
    Ok(outcome.verdict())
}

fn show(context: &Context<'_>, finding: &ConstraintFinding) {
    let ui = context.ui;
    ui.show(&format!("{}: {}: {}", ui.verdict(finding.verdict), finding.name, finding.told()));
    for line in table(finding) {
        ui.show(&format!("  {line}"));
    }
    let more = finding.violating.saturating_sub(finding.sample.len() as u64);
    if more > 0 && !finding.sample.is_empty() {
        ui.show(&format!("  … and {more} more"));
    }
    if let Some(hint) = &finding.hint {
        ui.show(&format!("  hint: {hint}"));
    }
}

/// The rows that violate, under the names of their columns; as many columns as fit. Rows of other columns (those without
/// a place in an order) begin a table of their own.
fn table(finding: &ConstraintFinding) -> Vec<String> {
    let mut lines = Vec::new();
    let names = |row: &[(String, serde_json::Value)]| -> Vec<String> {
        row.iter().map(|(name, _)| cut(name)).collect()
    };
    for rows in finding.sample.chunk_by(|one, two| names(one) == names(two)) {
        let Some(first) = rows.first() else { continue };
        let cells = rows.iter().map(|row| row.iter().map(|(_, value)| cut(&shown(value))).collect());
        let grid: Vec<Vec<String>> = std::iter::once(names(first)).chain(cells).collect();
        lines.extend(aligned(&grid));
    }
    lines
}

fn aligned(grid: &[Vec<String>]) -> Vec<String> {
    let columns = grid.first().map_or(0, Vec::len);
    let width = |column: usize| {
        grid.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let mut widths = Vec::new();
    let mut used = 0;
    for column in 0..columns {
        used += width(column) + 2;
        // The first column is shown however wide it is.
        if used > LINE_MAX && column > 0 {
            break;
        }
        widths.push(width(column));
    }
    let is_cut = widths.len() < columns;
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        let line = cells.collect::<Vec<_>>().join("  ");
        if is_cut { format!("{line}  …") } else { line.trim_end().to_owned() }
    };
    grid.iter().map(line).collect()
}

/// A text of one line, of at most [`VALUE_MAX`] characters.
fn cut(text: &str) -> String {
    let text: String = text.chars().flat_map(escaped).collect();
    if text.chars().count() > VALUE_MAX {
        format!("{}…", text.chars().take(VALUE_MAX - 1).collect::<String>())
    } else {
        text
    }
}

/// A control character, written so that it controls nothing.
fn escaped(letter: char) -> Vec<char> {
    if letter.is_control() { letter.escape_default().collect() } else { vec![letter] }
}
