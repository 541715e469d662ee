//! What the journal tells of a database whose schema goes with a phase: which steps of the phase it has. No input, no output.

use std::collections::BTreeMap;

use super::event::{Event, Record};

/// A transaction, and the database as it may be shown.
pub type DatabaseKey = (String, String);

/// Which way the steps go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Into the database.
    Deploy,
    /// Out of it again.
    Revert,
}

impl Direction {
    /// The word that is written.
    pub fn word(self) -> &'static str {
        match self {
            Self::Deploy => "deploy",
            Self::Revert => "revert",
        }
    }

    fn from_word(word: &str) -> Option<Self> {
        [Self::Deploy, Self::Revert].into_iter().find(|direction| direction.word() == word)
    }
}

/// What was last told of one database around one cutover.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatabaseFact {
    /// The phase.
    pub phase: String,
    /// As the plan has it, with `${NAME}` for variables; empty where there is a secret in it.
    pub address: String,
    /// What that led to when the steps were deployed: a file, or server and database.
    pub place: String,
    /// The folder that keeps the steps, relative to the root of the project.
    pub scripts: String,
    /// Which way the steps went last.
    pub direction: Direction,
    /// Whether that was begun, and nobody knows how it ended.
    pub is_open: bool,
    /// The steps of this phase that are in the database; while it is open, those that may be.
    pub steps: Vec<String>,
    /// What was said at the end.
    pub summary: String,
    /// Position of the event with which it began.
    pub seq: u64,
}

impl DatabaseFact {
    /// Whether this is about the same database as another one.
    pub fn is_with(&self, key: &DatabaseKey, other: (&DatabaseKey, &Self)) -> bool {
        key.1 == other.0.1 && self.place == other.1.place
    }

    /// The steps that are its own to undo: a later cutover that found them there has taken them over.
    pub fn own_steps(&self, key: &DatabaseKey, all: &BTreeMap<DatabaseKey, Self>) -> Vec<String> {
        let is_later = |other: &(&DatabaseKey, &Self)| other.1.seq > self.seq && self.is_with(key, *other);
        let later: Vec<&Self> = all.iter().filter(is_later).map(|(_, fact)| fact).collect();
        let is_own = |step: &&String| !later.iter().any(|fact| fact.steps.contains(step));
        self.steps.iter().filter(is_own).cloned().collect()
    }

    /// Whether an event may follow what was told of its database.
    pub(super) fn admits(all: &BTreeMap<DatabaseKey, Self>, event: &Event) -> Result<(), String> {
        let (Some(key), Event::DatabaseEnded { .. }) = (event.database(), event) else { return Ok(()) };
        if all.get(&key).is_some_and(|fact| fact.is_open) {
            return Ok(());
        }
        Err(format!("nothing was begun in the database `{}`", key.1))
    }

    /// Takes one record about a database.
    pub(super) fn take(all: &mut BTreeMap<DatabaseKey, Self>, record: &Record) -> Result<(), String> {
        let Some(key) = record.event.database() else { return Ok(()) };
        Self::admits(all, &record.event)?;
        match &record.event {
            Event::DatabaseStarted { phase, address, place, scripts, direction, steps, .. } => {
                let direction = Direction::from_word(direction)
                    .ok_or_else(|| format!("no way is called `{direction}`"))?;
                let fact = Self {
                    phase: phase.clone(),
                    address: address.clone(),
                    place: place.clone(),
                    scripts: scripts.clone(),
                    direction,
                    is_open: true,
                    steps: steps.clone(),
                    summary: String::new(),
                    // Undone in reverse: a revert does not make it younger.
                    seq: all.get(&key).map_or(record.seq, |fact| fact.seq),
                };
                all.insert(key, fact);
            }
            Event::DatabaseEnded { steps, summary, .. } => {
                if let Some(fact) = all.get_mut(&key) {
                    fact.is_open = false;
                    fact.steps.clone_from(steps);
                    fact.summary.clone_from(summary);
                }
            }
            _ => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::History;

    fn record(seq: u64, event: Event) -> Record {
        let text = String::new;
        Record { seq, time: format!("t{seq}"), actor: text(), event, prev: text(), hash: text() }
    }

    fn started(direction: &str) -> Event {
        Event::DatabaseStarted {
            phase: "p".into(),
            transaction: "t".into(),
            database: "app.db".into(),
            direction: direction.into(),
            address: "app.db".into(),
            place: "/app.db".into(),
            scripts: "s".into(),
            steps: vec!["0001_a".into(), "0002_b".into()],
        }
    }

    fn ended(steps: &[&str]) -> Event {
        Event::DatabaseEnded {
            phase: "p".into(),
            transaction: "t".into(),
            database: "app.db".into(),
            verdict: "yes".into(),
            steps: steps.iter().map(|&step| step.to_owned()).collect(),
            summary: "done".into(),
        }
    }

    #[test]
    fn a_database_is_open_until_its_end_is_told() {
        let events = [started("deploy"), ended(&["0001_a"]), started("revert")];
        let mut history = History::default();
        let key = ("t".to_owned(), "app.db".to_owned());
        for (at, event) in events.into_iter().enumerate() {
            history.take(record(at as u64 + 1, event)).unwrap();
            let fact = &history.databases[&key];
            assert_eq!(fact.is_open, at != 1);
            assert_eq!(fact.seq, 1);
            assert_eq!(fact.steps.len(), if at == 1 { 1 } else { 2 });
        }
        history.take(record(4, ended(&[]))).unwrap();
        assert!(history.databases[&key].steps.is_empty());
        assert!(history.admits(&ended(&[])).is_err(), "it was ended");
        assert!(history.take(record(5, started("sideways"))).is_err());
    }
}
