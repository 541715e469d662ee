//! What the journal tells of a shadow: which inputs both sides ran, and what came of each. No input, no output.

use std::collections::BTreeMap;

use super::event::{Binding, Event, Record};
use crate::verdict::Verdict;

/// What came of one input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShadowInput {
    /// The verdict.
    pub verdict: Verdict,
    /// In a word: `equal`, `differs`, `fails-alike`, `fails-apart`, `reaches-outside` or `untold`.
    pub outcome: String,
    /// One line.
    pub summary: String,
    /// Hash of the report about it; empty for one of which there is nothing more to say.
    pub evidence: String,
    /// How long it took.
    pub milliseconds: u64,
    /// Position of the event that told it.
    pub seq: u64,
}

/// How a shadow ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShadowEnd {
    /// The verdict over everything.
    pub verdict: Verdict,
    /// One line.
    pub summary: String,
    /// Hash of the report.
    pub evidence: String,
    /// When, RFC 3339.
    pub time: String,
}

/// Path and content of an input. One that was changed is another one.
pub type InputKey = (String, String);

/// What is known of one shadow of a phase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShadowFact {
    /// When it began, RFC 3339.
    pub began: String,
    /// When its period is over, RFC 3339; empty for one about a set of inputs.
    pub until: String,
    /// What it is about.
    pub binding: Binding,
    /// Every input that was run, by path and content.
    pub inputs: BTreeMap<InputKey, ShadowInput>,
    /// The input that was begun and of which nothing was told yet.
    pub running: Option<InputKey>,
    /// How it ended.
    pub end: Option<ShadowEnd>,
    /// Whether the phase was begun anew since: nothing of it counts any more.
    pub is_void: bool,
}

impl ShadowFact {
    /// Whether an event may follow what was told of its shadow.
    pub(super) fn admits(shadows: &BTreeMap<String, Self>, event: &Event) -> Result<(), String> {
        let Some(name) = event.shadow() else { return Ok(()) };
        if matches!(event, Event::ShadowStarted { .. }) {
            return Ok(());
        }
        let open = shadows.get(name).filter(|fact| fact.end.is_none() && !fact.is_void);
        let Some(fact) = open else { return Err(format!("the shadow `{name}` is not under way")) };
        let is_legal = match event {
            Event::ShadowInputStarted { input, content, .. } => {
                let key = (input.clone(), content.clone());
                !fact.inputs.contains_key(&key) && fact.running.as_ref().is_none_or(|running| *running == key)
            }
            Event::ShadowInputEnded { input, content, .. } => {
                fact.running.as_ref().is_some_and(|(path, hash)| path == input && hash == content)
            }
            _ => fact.running.is_none(),
        };
        if is_legal {
            Ok(())
        } else {
            Err(format!("an input of the shadow `{name}` would be lost or counted twice"))
        }
    }

    /// Takes one record about a shadow, which was admitted.
    pub(super) fn take(shadows: &mut BTreeMap<String, Self>, record: Record) {
        let Some(name) = record.event.shadow().map(str::to_owned) else { return };
        match record.event {
            Event::ShadowStarted { until, binding, .. } => {
                let fact = Self {
                    began: record.time,
                    until,
                    binding,
                    inputs: BTreeMap::new(),
                    running: None,
                    end: None,
                    is_void: false,
                };
                shadows.insert(name, fact);
            }
            event => {
                if let Some(fact) = shadows.get_mut(&name) {
                    fact.follow(event, record.seq, record.time);
                }
            }
        }
    }

    fn follow(&mut self, event: Event, seq: u64, time: String) {
        let verdict = |word: &str| Verdict::from_word(word).unwrap_or(Verdict::Unknown);
        match event {
            Event::ShadowInputStarted { input, content, .. } => self.running = Some((input, content)),
            Event::ShadowInputEnded {
                input,
                content,
                verdict: word,
                outcome,
                summary,
                evidence,
                milliseconds,
                ..
            } => {
                self.running = None;
                let found =
                    ShadowInput { verdict: verdict(&word), outcome, summary, evidence, milliseconds, seq };
                self.inputs.insert((input, content), found);
            }
            Event::ShadowEnded { verdict: word, summary, evidence, .. } => {
                self.end = Some(ShadowEnd { verdict: verdict(&word), summary, evidence, time });
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn started() -> Event {
        let (phase, shadow) = ("p".into(), "s".into());
        Event::ShadowStarted {
            phase,
            shadow,
            until: String::new(),
            voids: String::new(),
            binding: Binding::default(),
        }
    }

    fn begins(input: &str, content: &str) -> Event {
        let (phase, shadow) = ("p".into(), "s".into());
        Event::ShadowInputStarted { phase, shadow, input: input.into(), content: content.into() }
    }

    fn ends(input: &str, content: &str) -> Event {
        Event::ShadowInputEnded {
            phase: "p".into(),
            shadow: "s".into(),
            input: input.into(),
            content: content.into(),
            verdict: "yes".into(),
            outcome: "equal".into(),
            summary: "identical".into(),
            evidence: String::new(),
            milliseconds: 5,
        }
    }

    fn over() -> Event {
        let (phase, shadow) = ("p".into(), "s".into());
        Event::ShadowEnded {
            phase,
            shadow,
            verdict: "yes".into(),
            summary: "1 input".into(),
            evidence: "e".into(),
        }
    }

    fn take(shadows: &mut BTreeMap<String, ShadowFact>, event: Event) -> Result<(), String> {
        ShadowFact::admits(shadows, &event)?;
        let text = String::new;
        ShadowFact::take(
            shadows,
            Record { seq: 7, time: "t".into(), actor: text(), event, prev: text(), hash: text() },
        );
        Ok(())
    }

    #[test]
    fn no_input_is_lost_or_counted_twice() {
        let mut shadows = BTreeMap::new();
        assert!(take(&mut shadows, begins("a", "1")).is_err(), "nothing was begun");
        take(&mut shadows, started()).unwrap();
        assert!(take(&mut shadows, ends("a", "1")).is_err(), "it was not run");
        take(&mut shadows, begins("a", "1")).unwrap();
        assert!(take(&mut shadows, begins("b", "1")).is_err(), "`a` would be lost");
        assert!(take(&mut shadows, over()).is_err(), "`a` would be lost");
        assert!(take(&mut shadows, ends("a", "2")).is_err(), "another content was run");
        // After a kill it is begun again.
        take(&mut shadows, begins("a", "1")).unwrap();
        take(&mut shadows, ends("a", "1")).unwrap();
        assert!(take(&mut shadows, begins("a", "1")).is_err(), "it would count twice");
        take(&mut shadows, begins("a", "2")).unwrap();
        take(&mut shadows, ends("a", "2")).unwrap();
        take(&mut shadows, over()).unwrap();
        assert!(take(&mut shadows, begins("b", "1")).is_err(), "it is over");
        let fact = &shadows["s"];
        assert_eq!((fact.inputs.len(), fact.end.as_ref().unwrap().verdict), (2, Verdict::Yes));
    }

    #[test]
    fn the_format_is_pinned() {
        let (word, body) = ends("a.csv", "1").write().unwrap();
        assert_eq!(word, "shadow-input-ended");
        assert_eq!(
            body,
            r#"{"content":"1","evidence":"","input":"a.csv","milliseconds":5,"outcome":"equal","phase":"p","shadow":"s","summary":"identical","verdict":"yes"}"#
        );
        assert_eq!(Event::read(&word, &body).unwrap(), ends("a.csv", "1"));
        let words = [started(), begins("a", "1"), over()].map(|event| event.write().unwrap().0);
        assert_eq!(words, ["shadow-started", "shadow-input-started", "shadow-ended"]);
    }
}
