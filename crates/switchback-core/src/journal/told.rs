//! What the journal tells of what people were told, by receivers.
//!
//! A receiver without a name is known by a hash of its address, so that it stays the same wherever it stands in the plan. Earlier
//! versions knew it by its place (`webhook 1`); what they wrote is taken over by whoever first stands at that place.

use std::collections::{BTreeMap, BTreeSet};

use super::event::Event;

/// What somebody was told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ToldFact {
    /// Position of the last event that is settled: of those up to it, only what was refused may be owed.
    pub seq: u64,
    /// Positions of events that were refused for good, each with a hash of the channel by which it was brought.
    pub refused: BTreeMap<u64, String>,
    /// Positions of events of which nobody knows whether they arrived.
    pub open: BTreeSet<u64>,
    /// All up to this event may have been told to the same address under another name; 0 where that is not so.
    pub doubt: u64,
    /// Position of the last event that arrived, or ended as one that may have; 0 before.
    heard: u64,
    /// A hash of where it goes; empty in what earlier versions wrote.
    address: String,
}

impl ToldFact {
    /// Nothing yet: all behind the event `seq` is owed, and what was told up to `doubt` may be a repetition.
    pub fn new(seq: u64, doubt: u64) -> Self {
        Self { seq, doubt, ..Self::default() }
    }

    /// Whether an event is still to be told by a channel. What was refused is, once it can be brought by another one.
    pub fn owes(&self, seq: u64, channel: &str) -> bool {
        seq > self.seq || self.refused.get(&seq).is_some_and(|by| by != channel)
    }

    /// Whether an event may have been told before.
    pub fn may_repeat(&self, seq: u64) -> bool {
        seq <= self.doubt || self.open.contains(&seq)
    }

    fn end(&mut self, about: u64, delivered: bool, may_have_arrived: bool, refused: &str) {
        if delivered || !refused.is_empty() {
            self.seq = self.seq.max(about);
        }
        if delivered {
            self.refused.remove(&about);
        } else if !refused.is_empty() {
            self.refused.insert(about, refused.to_owned());
        }
        if delivered || may_have_arrived {
            self.heard = self.heard.max(about);
        }
        if may_have_arrived {
            self.open.insert(about);
        } else {
            self.open.remove(&about);
        }
    }
}

/// What everybody was told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ToldFacts(BTreeMap<String, ToldFact>);

impl ToldFacts {
    /// Takes one more event.
    pub(super) fn take(&mut self, event: &Event) {
        match event {
            Event::NotificationStarted { receiver, about, name, address, doubt } => {
                let fact = self.claimed(receiver, name, *about);
                fact.open.insert(*about);
                fact.address.clone_from(address);
                fact.doubt = fact.doubt.max(doubt.unwrap_or(0));
            }
            Event::NotificationEnded { receiver, about, delivered, may_have_arrived, refused, .. } => {
                self.claimed(receiver, "", *about).end(*about, *delivered, *may_have_arrived, refused);
            }
            _ => {}
        }
    }

    /// What is known of a receiver that is told now; it takes over what an earlier version wrote about its place.
    fn claimed(&mut self, receiver: &str, name: &str, about: u64) -> &mut ToldFact {
        if !self.0.contains_key(receiver) && self.of_place(name).is_some() {
            let fact = self.0.remove(name).unwrap_or_default();
            self.0.insert(receiver.to_owned(), fact);
        }
        self.0
            .entry(receiver.to_owned())
            .or_insert_with(|| ToldFact { seq: about.saturating_sub(1), ..ToldFact::default() })
    }

    /// What an earlier version wrote about whoever stood at a place, and nobody took over.
    fn of_place(&self, name: &str) -> Option<&ToldFact> {
        self.0.get(name).filter(|fact| fact.address.is_empty())
    }

    /// What was told to a receiver that the journal knows as `receiver`, and the plan calls `name`; `None` when it is new.
    pub fn of(&self, receiver: &str, name: &str) -> Option<&ToldFact> {
        self.0.get(receiver).or_else(|| self.of_place(name))
    }

    /// The last event of which a new receiver may have been told under another name: its address was told of it, or an earlier
    /// version told somebody without a name, by the same `way`.
    pub fn doubt(&self, way: &str, address: &str) -> u64 {
        let is_place = |name: &str| {
            let number = name.strip_prefix(way).and_then(|rest| rest.strip_prefix(' '));
            number.is_some_and(|number| number.parse::<u32>().is_ok())
        };
        let is_other = |name: &str, fact: &ToldFact| {
            if fact.address.is_empty() { is_place(name) } else { fact.address == address }
        };
        let others = self.0.iter().filter(|(name, fact)| is_other(name, fact));
        others.map(|(_, fact)| fact.heard.max(fact.open.last().copied().unwrap_or(0))).max().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(facts: &mut ToldFacts, [receiver, name, address]: [&str; 3], about: u64) {
        facts.take(&Event::NotificationStarted {
            receiver: receiver.into(),
            about,
            name: name.into(),
            address: address.into(),
            doubt: None,
        });
        facts.take(&Event::NotificationEnded {
            receiver: receiver.into(),
            about,
            delivered: true,
            may_have_arrived: false,
            why: String::new(),
            refused: String::new(),
        });
    }

    #[test]
    fn what_an_earlier_version_wrote_about_a_place_is_taken_over_once() {
        let mut facts = ToldFacts::default();
        told(&mut facts, ["webhook 1", "", ""], 7);
        assert_eq!(facts.of("webhook aa", "webhook 1").map(|fact| fact.seq), Some(7));
        // Who is new may be whoever stood there.
        assert_eq!((facts.of("webhook bb", "webhook 2"), facts.doubt("webhook", "bb")), (None, 7));
        assert_eq!(facts.doubt("mail", "bb"), 0);
        told(&mut facts, ["webhook aa", "webhook 1", "aa"], 9);
        assert_eq!(facts.of("webhook aa", "webhook 2").map(|fact| fact.seq), Some(9));
        assert_eq!((facts.of("webhook bb", "webhook 1"), facts.doubt("webhook", "bb")), (None, 0));
        // The same address under another name.
        assert_eq!((facts.of("pager", "pager"), facts.doubt("webhook", "aa")), (None, 9));
    }

    #[test]
    fn what_was_refused_for_good_is_owed_again_by_another_channel_alone() {
        let mut facts = ToldFacts::default();
        let pager = ["pager", "", "aa"];
        let refused = |by: &str| Event::NotificationEnded {
            receiver: "pager".into(),
            about: 5,
            delivered: false,
            may_have_arrived: false,
            why: "status 413".into(),
            refused: by.into(),
        };
        told(&mut facts, pager, 4);
        facts.take(&refused("slack"));
        let owed = |facts: &ToldFacts, seq, channel| facts.of("pager", "pager").unwrap().owes(seq, channel);
        assert!(!owed(&facts, 5, "slack") && owed(&facts, 5, "json") && owed(&facts, 6, "slack"));
        told(&mut facts, pager, 8);
        // Refused anew, what was told since stays told.
        facts.take(&refused("json"));
        assert!(!owed(&facts, 5, "json") && owed(&facts, 5, "slack") && !owed(&facts, 8, "slack"));
        told(&mut facts, pager, 5);
        assert!(!owed(&facts, 5, "slack") && !owed(&facts, 8, "slack") && owed(&facts, 9, "slack"));
    }

    #[test]
    fn what_got_no_answer_may_have_been_told_before() {
        let mut facts = ToldFacts::default();
        facts.take(&Event::NotificationStarted {
            receiver: "pager".into(),
            about: 5,
            name: String::new(),
            address: "aa".into(),
            doubt: Some(3),
        });
        let fact = facts.of("pager", "pager").unwrap();
        assert!(fact.may_repeat(5) && fact.may_repeat(3) && !fact.may_repeat(4) && fact.owes(5, "c"));
        assert_eq!(facts.doubt("webhook", "aa"), 5);
        facts.take(&Event::NotificationEnded {
            receiver: "pager".into(),
            about: 5,
            delivered: false,
            may_have_arrived: false,
            why: "status 503".into(),
            refused: String::new(),
        });
        assert_eq!(
            (facts.of("pager", "pager").unwrap().may_repeat(5), facts.doubt("webhook", "aa")),
            (false, 0)
        );
    }
}
