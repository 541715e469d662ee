//! What the journal tells of its own heads that are kept outside, by where they are kept.

use std::collections::BTreeMap;

use super::event::{Event, Record};

/// A turn of a run after which the head is kept outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum AnchorTurn {
    /// Somebody approved or refused.
    SignOff,
    /// A candidate is live.
    Live,
    /// The watch is over.
    Watched,
    /// A phase is over.
    Finished,
    /// An old tree, or a part of it, is live again.
    RolledBack,
}

const TURNS: [(AnchorTurn, &str); 5] = [
    (AnchorTurn::SignOff, "sign-off"),
    (AnchorTurn::Live, "live"),
    (AnchorTurn::Watched, "watched"),
    (AnchorTurn::Finished, "finished"),
    (AnchorTurn::RolledBack, "rolled-back"),
];

impl AnchorTurn {
    /// The turns that matter when nothing is said.
    pub const DEFAULT: [Self; 3] = [Self::Live, Self::Finished, Self::RolledBack];

    /// All words, in the order of a run.
    pub fn words() -> impl Iterator<Item = &'static str> {
        TURNS.iter().map(|(_, word)| *word)
    }

    /// Its word in the plan.
    pub fn word(self) -> &'static str {
        TURNS.iter().find(|(turn, _)| *turn == self).map_or("", |(_, word)| word)
    }

    /// Reads the word for it in the plan.
    pub fn from_word(word: &str) -> Option<Self> {
        TURNS.iter().find(|(_, known)| *known == word).map(|(turn, _)| *turn)
    }

    /// The turn that an event is, if it is one.
    pub fn of(event: &Event) -> Option<Self> {
        Some(match event {
            Event::Approved { .. } | Event::Rejected { .. } | Event::CriterionSigned { .. } => Self::SignOff,
            Event::CutOver { .. } => Self::Live,
            Event::Watched { .. } => Self::Watched,
            Event::Finished { .. } => Self::Finished,
            Event::CutOverUndone { .. }
            | Event::RolledBack { .. }
            | Event::PartRolledBack { .. }
            | Event::Restored { .. } => Self::RolledBack,
            _ => return None,
        })
    }
}

/// What is known of one place.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AnchorFact {
    /// The last event whose head was brought there.
    pub written: Option<u64>,
    /// When that was, RFC 3339; empty before.
    pub time: String,
    /// The last event whose head somebody set out to bring there.
    pub tried: Option<u64>,
    /// Why that did not succeed; empty where it did, and where nobody knows.
    pub fault: String,
}

/// What is known of all places, and when there was last something to keep.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AnchorFacts {
    /// The last event of each turn.
    turns: BTreeMap<AnchorTurn, u64>,
    /// By what the plan calls the place.
    pub places: BTreeMap<String, AnchorFact>,
}

impl AnchorFacts {
    /// What records tell.
    pub fn of<'r>(records: impl IntoIterator<Item = &'r Record>) -> Self {
        let mut facts = Self::default();
        for record in records {
            facts.take(record.seq, &record.time, &record.event);
        }
        facts
    }

    /// Takes one more event.
    pub(super) fn take(&mut self, seq: u64, time: &str, event: &Event) {
        if let Some(turn) = AnchorTurn::of(event) {
            self.turns.insert(turn, seq);
        }
        match event {
            Event::AnchorStarted { to, about, .. } => {
                let place = self.places.entry(to.clone()).or_default();
                place.tried = Some(*about);
                place.fault.clear();
            }
            Event::AnchorEnded { to, about, written: true, .. } => {
                let place = self.places.entry(to.clone()).or_default();
                place.written = Some(*about);
                time.clone_into(&mut place.time);
            }
            Event::AnchorEnded { to, why, .. } => {
                self.places.entry(to.clone()).or_default().fault.clone_from(why);
            }
            _ => {}
        }
    }

    /// The last of these turns, if there was one.
    pub fn last_turn(&self, turns: &[AnchorTurn]) -> Option<u64> {
        turns.iter().filter_map(|turn| self.turns.get(turn).copied()).max()
    }

    /// Whether one of these turns came after what is kept at a place.
    pub fn is_due(&self, to: &str, turns: &[AnchorTurn]) -> bool {
        self.last_turn(turns) > self.places.get(to).and_then(|fact| fact.written)
    }

    /// Whether one of these turns came after somebody last tried to keep a head there.
    pub fn is_untried(&self, to: &str, turns: &[AnchorTurn]) -> bool {
        self.last_turn(turns) > self.places.get(to).and_then(|fact| fact.tried)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_due_until_it_is_kept_behind_the_last_turn() {
        let (to, turns) = ("git-note", AnchorTurn::DEFAULT);
        let mut facts = AnchorFacts::default();
        assert!(!facts.is_due(to, &turns));
        let phase = || "unify".to_owned();
        facts.take(
            7,
            "2026-01-01T00:00:00Z",
            &Event::CutOver { phase: phase(), transaction: "t".into(), generation: 1 },
        );
        assert!(facts.is_due(to, &turns) && facts.is_untried(to, &turns));
        facts.take(
            8,
            "2026-01-01T00:00:00Z",
            &Event::AnchorStarted { to: to.into(), about: 7, head: "h".into() },
        );
        // Killed here: it is due, and somebody tried.
        assert!(facts.is_due(to, &turns) && !facts.is_untried(to, &turns));
        let ended = Event::AnchorEnded { to: to.into(), about: 7, written: true, why: String::new() };
        let failed = Event::AnchorEnded { to: to.into(), about: 7, written: false, why: "full".into() };
        facts.take(9, "2026-01-01T00:00:00Z", &failed);
        assert!(facts.is_due(to, &turns));
        assert_eq!((facts.places[to].fault.as_str(), facts.places[to].written), ("full", None));
        facts.take(
            9,
            "2026-01-01T00:00:00Z",
            &Event::AnchorStarted { to: to.into(), about: 7, head: "h".into() },
        );
        assert_eq!(facts.places[to].fault, "");
        facts.take(10, "2026-01-01T00:00:01Z", &ended);
        assert!(!facts.is_due(to, &turns));
        assert_eq!(
            (facts.places[to].time.as_str(), facts.places[to].written),
            ("2026-01-01T00:00:01Z", Some(7))
        );
        facts.take(11, "2026-01-01T00:00:00Z", &Event::Watched { phase: phase() });
        assert!(!facts.is_due(to, &turns) && facts.is_due(to, &[AnchorTurn::Watched]));
        facts.take(12, "2026-01-01T00:00:00Z", &Event::Finished { phase: phase(), generation: 1 });
        assert!(facts.is_due(to, &turns) && facts.is_untried(to, &turns));
        assert!(facts.is_due("../heads", &turns));
    }

    #[test]
    fn every_turn_reads_back() {
        for word in AnchorTurn::words() {
            assert_eq!(AnchorTurn::from_word(word).map(AnchorTurn::word), Some(word));
        }
        assert_eq!(AnchorTurn::from_word("rollback"), None);
    }
}
