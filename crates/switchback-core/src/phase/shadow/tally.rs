//! What came of all inputs of a shadow together: counted by outcome, and the verdict over everything.

use serde_json::{Value, json};

use crate::check::shadow::Outcome;
use crate::journal::{ShadowFact, ShadowInput};
use crate::quantity::counted;
use crate::verdict::Verdict;

/// The inputs of a shadow, counted. Each is counted once.
#[derive(Debug)]
pub struct Tally<'f> {
    /// All of them in the order in which they were run, by path.
    pub inputs: Vec<(&'f str, &'f str, &'f ShadowInput)>,
    /// Whose results are the same.
    pub equal: u64,
    /// That both sides refuse alike.
    pub fails_alike: u64,
    /// That say no.
    pub no: u64,
    /// Of which it could not be told.
    pub unknown: u64,
}

/// Counts what is known.
///
/// # Panics
///
/// When an input counted for two outcomes or for none, which would be a fault of this program.
pub fn of(fact: &ShadowFact) -> Tally<'_> {
    let mut inputs: Vec<_> =
        fact.inputs.iter().map(|((path, content), found)| (path.as_str(), content.as_str(), found)).collect();
    inputs.sort_by_key(|(_, _, found)| found.seq);
    let count = |is_it: &dyn Fn(&ShadowInput) -> bool| {
        inputs.iter().filter(|(_, _, found)| is_it(found)).count() as u64
    };
    let is_alike = |found: &ShadowInput| found.outcome == Outcome::FailsAlike.word();
    let tally = (
        count(&|found| found.verdict == Verdict::Yes && !is_alike(found)),
        count(&|found| found.verdict == Verdict::Yes && is_alike(found)),
        count(&|found| found.verdict == Verdict::No),
        count(&|found| found.verdict == Verdict::Unknown),
    );
    let (equal, fails_alike, no, unknown) = tally;
    assert_eq!(equal + fails_alike + no + unknown, inputs.len() as u64, "each input has one outcome");
    Tally { inputs, equal, fails_alike, no, unknown }
}

impl<'f> Tally<'f> {
    /// All of them.
    pub fn total(&self) -> u64 {
        self.inputs.len() as u64
    }

    /// The first input with this verdict.
    pub fn first(&self, verdict: Verdict) -> Option<(&'f str, &'f ShadowInput)> {
        self.inputs
            .iter()
            .find(|(_, _, found)| found.verdict == verdict)
            .map(|(path, _, found)| (*path, *found))
    }

    /// Those that a person has to look at: what does not hold, and what fails.
    pub fn told(&self) -> impl Iterator<Item = &(&'f str, &'f str, &'f ShadowInput)> {
        self.inputs.iter().filter(|(_, _, found)| {
            found.verdict != Verdict::Yes || found.outcome == Outcome::FailsAlike.word()
        })
    }

    /// In words: `1000 inputs, 998 equal, 1 fails alike, 1 no`.
    pub fn words(&self) -> String {
        let mut words = counted(self.total(), "input");
        let parts = [
            (self.equal, "equal"),
            (self.fails_alike, if self.fails_alike == 1 { "fails alike" } else { "fail alike" }),
            (self.no, "no"),
            (self.unknown, "could not tell"),
        ];
        for (count, name) in parts.into_iter().filter(|(count, _)| *count > 0) {
            words.extend([", ", &count.to_string(), " ", name]);
        }
        words
    }

    /// The verdict over everything, and why. Nothing compared is never a yes; `minimum` is how much has to be.
    pub fn verdict(&self, minimum: u64) -> (Verdict, String) {
        let words = self.words();
        for verdict in [Verdict::No, Verdict::Unknown] {
            if let Some((input, found)) = self.first(verdict) {
                return (verdict, format!("`{input}`: {}; {words}", found.summary));
            }
        }
        if self.total() == 0 {
            return (Verdict::Unknown, "no input came: nothing was run side by side".to_owned());
        }
        if self.equal == 0 {
            return (Verdict::Unknown, format!("no results were compared: {words}"));
        }
        if self.equal < minimum {
            let why = format!(
                "results of {} were compared, and the plan wants {minimum}",
                counted(self.equal, "input")
            );
            return (Verdict::Unknown, format!("{why}: {words}"));
        }
        (Verdict::Yes, words)
    }

    /// As it stands in evidence and documents.
    pub fn counts(&self) -> Value {
        json!({"inputs": self.total(), "equal": self.equal, "fails_alike": self.fails_alike, "no": self.no,
               "unknown": self.unknown})
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::journal::Binding;

    fn fact(outcomes: &[(Verdict, &str)]) -> ShadowFact {
        let inputs = outcomes.iter().enumerate().map(|(at, (verdict, outcome))| {
            let found = ShadowInput {
                verdict: *verdict,
                outcome: (*outcome).to_owned(),
                summary: format!("seen {at}"),
                evidence: String::new(),
                milliseconds: 1,
                // The last one by name was the first one to be run.
                seq: 100 - at as u64,
            };
            ((format!("{at}.csv"), "hash".to_owned()), found)
        });
        ShadowFact {
            began: String::new(),
            until: String::new(),
            binding: Binding::default(),
            inputs: inputs.collect::<BTreeMap<_, _>>(),
            running: None,
            end: None,
            is_void: false,
        }
    }

    fn says(outcomes: &[(Verdict, &str)], minimum: u64) -> (Verdict, String) {
        of(&fact(outcomes)).verdict(minimum)
    }

    #[test]
    fn nothing_compared_is_never_a_yes() {
        let (yes, alike) = ((Verdict::Yes, "equal"), (Verdict::Yes, "fails-alike"));
        assert_eq!(says(&[], 1).0, Verdict::Unknown);
        assert_eq!(says(&[alike, alike], 1).0, Verdict::Unknown);
        assert_eq!(says(&[yes], 2).0, Verdict::Unknown);
        assert_eq!(says(&[yes, alike], 1), (Verdict::Yes, "2 inputs, 1 equal, 1 fails alike".to_owned()));
    }

    #[test]
    fn one_no_decides_and_the_first_that_was_run_is_named() {
        let all = [
            (Verdict::No, "differs"),
            (Verdict::Yes, "equal"),
            (Verdict::No, "differs"),
            (Verdict::Unknown, "untold"),
        ];
        assert_eq!(
            says(&all, 1),
            (Verdict::No, "`2.csv`: seen 2; 4 inputs, 1 equal, 2 no, 1 could not tell".to_owned())
        );
        assert_eq!(says(&[(Verdict::Yes, "equal"), (Verdict::Unknown, "untold")], 1).0, Verdict::Unknown);
    }
}
