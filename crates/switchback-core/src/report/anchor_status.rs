//! What is known of the places that keep the head of the journal: from the plan and the journal, without asking them.

use serde_json::{Value, json};

use crate::journal::{AnchorTurn, History};
use crate::plan::Plan;

/// What is known of one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnchorStatus {
    /// The place, as the plan says it.
    pub to: String,
    /// The turns after which the head is brought there; none where the plan does not name the place any more.
    pub on: Vec<&'static str>,
    /// The last event whose head was brought there, and when, RFC 3339.
    pub kept: Option<(u64, String)>,
    /// Whether a turn came since after which a head belongs there.
    pub is_due: bool,
    /// Why it could not be brought there when somebody last tried.
    pub fault: Option<String>,
}

/// The places of the plan, in its order, and those that the journal alone knows.
pub(super) fn anchors(plan: &Plan, history: &History) -> Vec<AnchorStatus> {
    let facts = &history.anchors;
    let of = |to: &str, turns: &[AnchorTurn]| {
        let fact = facts.places.get(to).cloned().unwrap_or_default();
        AnchorStatus {
            to: to.to_owned(),
            on: turns.iter().map(|turn| turn.word()).collect(),
            kept: fact.written.map(|seq| (seq, fact.time.clone())),
            is_due: facts.is_due(to, turns),
            fault: (!fact.fault.is_empty()).then_some(fact.fault),
        }
    };
    let planned = plan.anchors.iter().map(|anchor| of(&anchor.to, &anchor.on));
    let known = facts.places.keys().filter(|to| !plan.anchors.iter().any(|anchor| anchor.to == **to));
    planned.chain(known.map(|to| of(to, &[]))).collect()
}

impl AnchorStatus {
    /// In words, to follow where it is.
    pub fn words(&self) -> String {
        let kept = match &self.kept {
            Some((seq, time)) => format!("keeps the head of event {seq}, since {time}"),
            None => "keeps no head yet".to_owned(),
        };
        let due = match (self.on.is_empty(), self.is_due) {
            (true, _) => "; the plan does not name it any more",
            (false, true) => "; one is due",
            (false, false) => "",
        };
        let fault = self.fault.as_ref().map(|why| format!("; the last try failed: {why}"));
        format!("{kept}{due}{}", fault.unwrap_or_default())
    }

    /// As a document.
    pub fn to_json(&self) -> Value {
        let kept = self.kept.as_ref().map(|(seq, time)| json!({"seq": seq, "time": time}));
        json!({"to": self.to, "on": self.on, "kept": kept, "due": self.is_due, "fault": self.fault})
    }
}
