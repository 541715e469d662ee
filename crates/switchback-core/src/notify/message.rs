//! What a record of the journal means to people; most mean nothing.

use serde_json::{Value, json};

use crate::journal::{Event, Record};
use crate::phase::watch::is_live;
use crate::plan::{Plan, STATE_FOLDER, Severity, Turn};
use crate::quantity::counted;
use crate::verdict::Verdict;

/// The longest text of a message, in characters, and the most looks that it names: a variable of a command may have 128 KiB, and each
/// character up to four bytes.
const TEXT_CHARACTERS_MAX: usize = 1_000;
const SEEN_MAX: usize = 20;

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
    /// Why, where the journal says so; empty otherwise.
    pub why: String,
    /// What was seen that led to it.
    pub evidence: Vec<Seen>,
    /// How many more checks saw something that led to it.
    pub evidence_left_out: usize,
    /// The record of the incident, relative to the project, where there is one.
    pub incident: Option<String>,
}

/// What a check saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// The check.
    pub check: String,
    /// When it looked.
    pub at: String,
    /// Its verdict.
    pub verdict: Verdict,
    /// What it saw, in a line.
    pub summary: String,
    /// The hash of its evidence.
    pub evidence: String,
}

impl Message {
    /// What the record `records[at]` means to people, if it means anything. The records before it say what led to it.
    pub fn of(plan: &Plan, records: &[Record], at: usize) -> Option<Self> {
        let record = records.get(at)?;
        let (turn, severity, what) = meaning(plan, &record.event)?;
        let before = records.get(..at).unwrap_or_default();
        let mut evidence = evidence(before, &record.event);
        let evidence_left_out = evidence.len().saturating_sub(SEEN_MAX);
        evidence.truncate(SEEN_MAX);
        Some(Self {
            why: bounded(&why(before, &record.event)),
            evidence,
            evidence_left_out,
            incident: None,
            seq: record.seq,
            time: record.time.clone(),
            actor: record.actor.clone(),
            turn,
            severity,
            project: plan.project.name.clone(),
            phase: record.event.phase().unwrap_or_default().to_owned(),
            what: bounded(&what),
        })
    }

    /// In one line, for a chat or a subject. `again`: it may have been told before.
    pub fn line(&self, again: bool) -> String {
        let phase = if self.phase.is_empty() { String::new() } else { format!(", phase {}", self.phase) };
        let again = if again { " (this may have been told before)" } else { "" };
        let why = if self.why.is_empty() { String::new() } else { format!("; why: {}", self.why) };
        let incident = self.incident.as_ref().map(|path| format!("; record: {path}")).unwrap_or_default();
        format!(
            "[{}] {}{phase}: {}: {}{why}{incident}{again}",
            self.severity.word(),
            self.project,
            self.turn.word(),
            self.what
        )
    }

    /// What was seen, a line each, with the hashes of the evidence.
    pub fn evidence_lines(&self) -> Vec<String> {
        if self.turn == Turn::Check {
            // What it saw is what is told already.
            return self.evidence.iter().map(|seen| format!("evidence blake3:{}", seen.evidence)).collect();
        }
        let line = |seen: &Seen| {
            let Seen { check, at, verdict, summary, evidence } = seen;
            format!("{check} at {at}: {}: {summary} (evidence blake3:{evidence})", verdict.spoken())
        };
        let mut lines: Vec<String> = self.evidence.iter().map(line).collect();
        if self.evidence_left_out > 0 {
            lines.push(format!("and {} more", counted(self.evidence_left_out as u64, "check")));
        }
        lines
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
            "why": self.why,
            "evidence": self.evidence.iter().map(Seen::to_json).collect::<Vec<_>>(),
            "evidence_left_out": self.evidence_left_out,
            "incident": self.incident,
            "seq": self.seq,
            "time": self.time,
            "actor": self.actor,
            "may_be_a_repetition": again,
        })
    }
}

impl Seen {
    fn of(event: &Event) -> Option<Self> {
        let Event::CheckEnded { check, at, verdict, summary, evidence, .. } = event else { return None };
        Some(Self {
            check: check.clone(),
            at: at.clone(),
            verdict: Verdict::from_word(verdict).unwrap_or(Verdict::Unknown),
            summary: bounded(summary),
            evidence: evidence.clone(),
        })
    }

    fn to_json(&self) -> Value {
        json!({
            "check": self.check,
            "at": self.at,
            "verdict": self.verdict.word(),
            "summary": self.summary,
            "evidence": format!("blake3:{}", self.evidence),
        })
    }
}

/// A text that is short enough to be told: cut between two words, for half a secret would not be known as one. The evidence has all of
/// it.
fn bounded(text: &str) -> String {
    let Some((end, _)) = text.char_indices().nth(TEXT_CHARACTERS_MAX) else { return text.to_owned() };
    let start = text.get(..end).unwrap_or_default();
    let end = start.rfind(char::is_whitespace).unwrap_or(0);
    format!("{} …", start.get(..end).unwrap_or_default())
}

/// Why something was rolled back.
fn why(before: &[Record], event: &Event) -> String {
    let Event::RolledBack { transaction, .. } = event else { return String::new() };
    let reason = before.iter().rev().find_map(|record| match &record.event {
        Event::RollBackStarted { transaction: begun, why, .. } if begun == transaction => Some(why.clone()),
        _ => None,
    });
    reason.unwrap_or_default()
}

/// What was seen that led to an event: of a check, itself; of a trigger, the look that fired it; of a rollback, the last look of
/// each check of what was live that did not say *yes*.
fn evidence(before: &[Record], event: &Event) -> Vec<Seen> {
    let of_phase = |name: &str| {
        let began = before.iter().rposition(
            |record| matches!(&record.event, Event::CutOverStarted { phase, .. } if phase == name),
        );
        let mut found: Vec<Seen> = Vec::new();
        let since = before.get(began.unwrap_or(before.len())..).unwrap_or_default();
        for seen in since.iter().filter(|record| record.event.phase() == Some(name)) {
            let Some(seen) = Seen::of(&seen.event) else { continue };
            found.retain(|known| known.check != seen.check);
            found.push(seen);
        }
        found.retain(|seen| seen.verdict != Verdict::Yes);
        found
    };
    match event {
        Event::CheckEnded { .. } => Seen::of(event).into_iter().collect(),
        Event::TriggerFired { phase, check, .. } => {
            let last = before.iter().rev().filter(|record| record.event.phase() == Some(phase));
            let mut looks = last.filter_map(|record| Seen::of(&record.event));
            looks.find(|seen| seen.check == *check).into_iter().collect()
        }
        Event::RolledBack { phase, .. }
        | Event::PartRolledBack { phase, .. }
        | Event::CutOverUndone { phase, .. } => of_phase(phase),
        _ => Vec::new(),
    }
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
        Event::RolledBack { whole, restored, .. } => {
            let part = if *whole { "" } else { "a part of it alone: " };
            (Turn::RollBack, Critical, format!("rolled back; {part}live again: {}", restored.join(", ")))
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
        Event::JournalDamaged { kept, .. } => {
            let what =
                "events that were acknowledged are lost from the journal; what was left of them is kept as";
            (Turn::Failed, Critical, format!("{what} {STATE_FOLDER}/{kept}"))
        }
        Event::StepFailed { step, why, .. } => (Turn::Failed, Critical, format!("{step}: {why}")),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::journal::Binding;

    #[test]
    fn what_is_told_fits_into_the_environment_of_a_command() {
        let (phase, transaction) = ("unify".to_owned(), "a".to_owned());
        let mut events = vec![Event::CutOverStarted {
            phase: phase.clone(),
            transaction: transaction.clone(),
            unseen: Vec::new(),
        }];
        events.extend((0..50).map(|number| Event::CheckEnded {
            phase: phase.clone(),
            check: format!("names {number}"),
            at: "live".to_owned(),
            verdict: "no".to_owned(),
            summary: "👍👍👍👍 ".repeat(100_000),
            evidence: String::new(),
            milliseconds: 1,
            measure: None,
            samples: None,
            by_hand: false,
            binding: Binding::default(),
        }));
        let why = "早い ".repeat(100_000);
        events.push(Event::RollBackStarted {
            phase: phase.clone(),
            transaction: transaction.clone(),
            only: Vec::new(),
            why,
        });
        events.push(Event::RolledBack {
            phase,
            transaction,
            whole: true,
            restored: vec!["src".to_owned()],
            kept_aside: Vec::new(),
        });
        let records: Vec<Record> = (1..)
            .zip(events)
            .map(|(seq, event)| Record {
                seq,
                time: String::new(),
                actor: String::new(),
                event,
                prev: String::new(),
                hash: String::new(),
            })
            .collect();
        let plan = Plan::stand_in(Path::new("/shop"), String::new());
        let message = Message::of(&plan, &records, records.len() - 1).unwrap();
        assert_eq!((message.evidence.len(), message.evidence_left_out), (SEEN_MAX, 30));
        let lines = message.evidence_lines();
        assert_eq!(lines.last().unwrap(), "and 30 checks more");
        assert!(lines[0].contains("👍 … (evidence blake3:)"), "{}", lines[0]);
        for text in [lines.join("\n"), message.line(false), message.to_json(false).to_string()] {
            assert!(text.len() < 128 << 10, "{}", text.len());
        }
        assert_eq!(bounded("a few words"), "a few words");
    }
}
