//! What a report says about the processes that run the tree.

use super::page::{Block, Section, Table};
use super::run_report::RunReport;
use super::wording::{Bit, Words, code, marked, took, words};

/// The section, where there is any process.
pub(super) fn processes(report: &RunReport) -> Option<Section> {
    if report.status.processes.is_empty() {
        return None;
    }
    let columns =
        ["process", "handed over by", "runs what is live", "how it stands", "was down for", "told at"];
    let mut table = Table::new("Processes", &columns);
    for process in &report.status.processes {
        let verdict = match process.told_at {
            Some(_) => Bit::Verdict(process.verdict),
            None => Bit::NotYet,
        };
        table.rows.push(vec![
            code(&process.name),
            words(&process.handover),
            vec![verdict],
            marked(&process.summary, &[]),
            process.down_milliseconds.map_or_else(Words::new, took),
            process.told_at.as_ref().map_or_else(Words::new, |time| vec![Bit::Time(time.clone())]),
        ]);
    }
    let said = "This is what the journal tells; no process was looked at for this report.";
    let blocks = vec![Block::Table(table), Block::Text(words(said))];
    Some(Section::new("processes", 2, "Processes", blocks))
}
