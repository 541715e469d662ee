//! The rehearsal of a phase, as the journal tells it.

use serde_json::Value;

use crate::journal::Record;
use crate::verdict::Verdict;

/// What a rehearsal came to: the change applied to a throwaway copy, checked, undone, and compared with the original.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rehearsal {
    /// *yes*: forward and back left every byte as it was.
    pub verdict: Verdict,
    /// One line.
    pub summary: String,
    /// The hash of its report among the evidence; empty when it left none.
    pub evidence: String,
    /// The transaction whose candidate was rehearsed.
    pub transaction: String,
    /// How long it took.
    pub milliseconds: u64,
    /// When it ended, RFC 3339.
    pub time: String,
    /// Who rehearsed: `user@host`.
    pub actor: String,
}

impl Rehearsal {
    /// What a record says, when it is about a rehearsal. The event is read as it is written, by its word and its fields.
    pub(super) fn of(record: &Record) -> Option<Self> {
        let (word, body) = record.event.write().ok()?;
        if word != "rehearsed" {
            return None;
        }
        Self::read(&serde_json::from_str(&body).ok()?, record)
    }

    fn read(body: &Value, record: &Record) -> Option<Self> {
        let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        Some(Self {
            verdict: Verdict::from_word(body.get("verdict")?.as_str()?)?,
            summary: text("summary"),
            evidence: text("evidence"),
            transaction: text("transaction"),
            milliseconds: body.get("milliseconds").and_then(Value::as_u64).unwrap_or(0),
            time: record.time.clone(),
            actor: record.actor.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::journal::Event;

    #[test]
    fn a_rehearsal_is_read_from_the_fields_of_its_event() {
        let (time, actor, hash) = ("2026-01-01T00:00:00Z".to_owned(), "a@b".to_owned(), String::new());
        let event = Event::Watched { phase: "p".into() };
        let record = Record { seq: 1, time, actor, event, prev: hash.clone(), hash };
        assert_eq!(Rehearsal::of(&record), None);
        let body = json!({"phase": "p", "transaction": "t4", "verdict": "no", "summary": "1 file differs",
                          "evidence": "ab", "milliseconds": 12, "binding": {}});
        let rehearsal = Rehearsal::read(&body, &record).unwrap();
        assert_eq!((rehearsal.verdict, rehearsal.milliseconds), (Verdict::No, 12));
        assert_eq!((rehearsal.summary.as_str(), rehearsal.transaction.as_str()), ("1 file differs", "t4"));
        assert_eq!(Rehearsal::read(&json!({"verdict": "perhaps"}), &record), None);
    }
}
