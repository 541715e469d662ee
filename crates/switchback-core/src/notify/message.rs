//! What a record of the journal means to people; most mean nothing.

use serde_json::{Value, json};

use crate::journal::{Event, Record};
use crate::phase::watch::is_live;
use crate::plan::{Plan, Severity, Turn};
use crate::verdict::Verdict;

/// One thing that people are told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The record that it is about.
    pub seq: u64,
    /// When that was written, RFC 3339.
    pub time: String,
    /// Who did it: `user@host`.
    pub actor: String,
    /// The turn.
    pub turn: Turn,
    /// How much it matters.
    pub severity: Severity,
    /// The project.
    pub project: String,
    /// The phase; empty where it is about none.
    pub phase: String,
    /// What happened, in a line.
    pub what: String,
}

impl Message {
    /// What a record means to people, if it means anything. `records`: those of the journal, which say why something was begun.
    pub fn of(plan: &Plan, records: &[Record], record: &Record) -> Option<Self> {
        let (turn, severity, what) = match &record.event {
            Event::RolledBack { transaction, whole, restored, .. } => {
                let why = begun_because(records, transaction);
                let part = if *whole { "" } else { "a part of it alone: " };
                let what = format!("rolled back{why}; {part}live again: {}", restored.join(", "));
                (Turn::RollBack, Severity::Critical, what)
            }
            event => meaning(plan, event)?,
        };
        Some(Self {
            seq: record.seq,
            time: record.time.clone(),
            actor: record.actor.clone(),
            turn,
            severity,
            project: plan.project.name.clone(),
            phase: record.event.phase().unwrap_or_default().to_owned(),
            what,
        })
    }

    /// In one line, for a chat or a subject. `again`: it may have been told before.
    pub fn line(&self, again: bool) -> String {
        let phase = if self.phase.is_empty() { String::new() } else { format!(", phase {}", self.phase) };
        let again = if again { " (this may have been told before)" } else { "" };
        format!(
            "[{}] {}{phase}: {}: {}{again}",
            self.severity.word(),
            self.project,
            self.turn.word(),
            self.what
        )
    }

    /// The whole notification.
    pub fn to_json(&self, again: bool) -> Value {
        json!({
            "schema": "switchback/notification/1",
            "project": self.project,
            "phase": self.phase,
            "turn": self.turn.word(),
            "severity": self.severity.word(),
            "what": self.what,
            "seq": self.seq,
            "time": self.time,
            "actor": self.actor,
            "may_be_a_repetition": again,
        })
    }
}

/// Why the rollback of a transaction was begun, to follow that it was.
fn begun_because(records: &[Record], of: &str) -> String {
    let why = records.iter().rev().find_map(|record| match &record.event {
        Event::RollBackStarted { transaction, why, .. } if transaction == of => Some(why.as_str()),
        _ => None,
    });
    why.filter(|why| !why.is_empty()).map_or_else(String::new, |why| format!(" ({why})"))
}

fn meaning(plan: &Plan, event: &Event) -> Option<(Turn, Severity, String)> {
    use Severity::{Critical, Info, Warning};
    Some(match event {
        Event::RunStarted { run, .. } => (Turn::Started, Info, format!("the run {run} began")),
        Event::Rehearsed { phase, verdict, .. } => {
            let roles = &plan.phase(phase)?.approve.roles;
            if verdict != Verdict::Yes.word() || roles.is_empty() {
                return None;
            }
            (Turn::Approval, Warning, format!("rehearsed, and waits for approval by {}", roles.join(", ")))
        }
        Event::Approved { role, .. } => (Turn::SignOff, Info, format!("approved in the role {role}")),
        Event::Rejected { role, why, .. } => {
            (Turn::SignOff, Warning, format!("refused in the role {role}: {why}"))
        }
        Event::CutOver { generation, .. } => {
            (Turn::CutOver, Info, format!("generation {generation} is live"))
        }
        Event::CutOverUndone { why, .. } => {
            (Turn::RollBack, Critical, format!("the cutover was taken back: {why}"))
        }
        Event::PartRolledBack { restored, why, .. } => {
            (Turn::RollBack, Critical, format!("{why}; as before the phase: {}", restored.join(", ")))
        }
        Event::Restored { from, restored, .. } => {
            (Turn::RollBack, Critical, format!("restored from {from}: {}", restored.join(", ")))
        }
        Event::TriggerFired { action, why, .. } => match action.as_str() {
            "hold" => (Turn::Hold, Critical, why.clone()),
            "tell" => (Turn::Tell, Warning, why.clone()),
            // The rollback itself is told.
            _ => return None,
        },
        Event::CheckEnded { check, at, verdict, summary, .. } if is_live(at) => {
            let verdict = Verdict::from_word(verdict).filter(|verdict| *verdict != Verdict::Yes)?;
            (Turn::Check, Warning, format!("the check {check} at {at}: {}: {summary}", verdict.spoken()))
        }
        Event::Watched { .. } => {
            (Turn::Watched, Info, "every watch check was carried out and holds".to_owned())
        }
        Event::Finished { generation, .. } => {
            (Turn::Finished, Info, format!("finished; generation {generation} stays"))
        }
        Event::AnchorEnded { to, written: false, why, .. } => {
            (Turn::Failed, Warning, format!("the head of the journal was not kept at {to}: {why}"))
        }
        Event::StepFailed { step, why, .. } => (Turn::Failed, Critical, format!("{step}: {why}")),
        _ => return None,
    })
}
