//! What is known of the databases whose schema goes with a phase: from the journal; none of them is looked at.

use serde_json::{Value, json};

use super::page::{Block, Section, Table};
use super::run_report::RunReport;
use super::wording::{Bit, code, marked, words};
use crate::journal::{DatabaseFact, Direction, History};
use crate::quantity::counted;
use crate::verdict::Verdict;

/// What is known of one database around one cutover.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatabaseStatus {
    /// The database, as it may be shown.
    pub name: String,
    /// The phase.
    pub phase: String,
    /// `on-its-way`, `deployed`, `reverted` or `left`: a revert left steps of the phase in it.
    pub state: &'static str,
    /// The steps of the phase that are in it.
    pub steps: Vec<String>,
    /// *No*: something is left in it that should not be; *unknown*: it is on its way.
    pub verdict: Verdict,
    /// In words.
    pub summary: String,
}

/// Every database of which the journal tells, the last one first.
pub(super) fn databases(history: &History) -> Vec<DatabaseStatus> {
    let mut facts: Vec<_> = history.databases.iter().collect();
    facts.sort_by_key(|(_, fact)| std::cmp::Reverse(fact.seq));
    let mut told_of: Vec<DatabaseStatus> = Vec::new();
    for (key, fact) in facts {
        let steps = fact.own_steps(key, &history.databases);
        // Of what is over only the last is told.
        let is_over = !fact.is_open && steps.is_empty();
        if !is_over || !told_of.iter().any(|known| known.name == key.1) {
            told_of.push(told(&key.1, fact, steps));
        }
    }
    told_of
}

fn told(name: &str, fact: &DatabaseFact, steps: Vec<String>) -> DatabaseStatus {
    let (state, verdict, summary) = match (fact.is_open, fact.direction, steps.len() as u64) {
        (true, direction, _) => {
            let what = format!("a {} was begun, and did not end", direction.word());
            ("on-its-way", Verdict::Unknown, what)
        }
        (false, Direction::Deploy | Direction::Revert, 0) => ("reverted", Verdict::Yes, fact.summary.clone()),
        (false, Direction::Deploy, number) => {
            let are = if number == 1 { "is" } else { "are" };
            ("deployed", Verdict::Yes, format!("{} of the phase {are} in it", counted(number, "step")))
        }
        (false, Direction::Revert, _) => ("left", Verdict::No, fact.summary.clone()),
    };
    DatabaseStatus { name: name.to_owned(), phase: fact.phase.clone(), state, steps, verdict, summary }
}

impl DatabaseStatus {
    pub(super) fn to_json(&self) -> Value {
        json!({
            "name": self.name,
            "phase": self.phase,
            "state": self.state,
            "steps": self.steps,
            "verdict": self.verdict.word(),
            "summary": self.summary,
        })
    }
}

/// The section of a report, where there is any database.
pub(super) fn section(report: &RunReport) -> Option<Section> {
    if report.status.databases.is_empty() {
        return None;
    }
    let columns = ["database", "phase", "as it should be", "steps of the phase in it", "how it stands"];
    let mut table = Table::new("Databases", &columns);
    for one in &report.status.databases {
        table.rows.push(vec![
            code(&one.name),
            code(&one.phase),
            vec![Bit::Verdict(one.verdict)],
            words(one.steps.join(", ")),
            marked(&one.summary, &[]),
        ]);
    }
    let said = "This is what the journal tells; no database was looked at for this report.";
    Some(Section::new("databases", 2, "Databases", vec![Block::Table(table), Block::Text(words(said))]))
}
