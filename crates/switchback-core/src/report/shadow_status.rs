//! What is known of the shadows of a phase: from the plan and the journal; no input is looked at.

use serde_json::{Value, json};

use crate::journal::PhaseState;
use crate::journal::history::PhaseHistory;
use crate::phase::shadow::stand::{Standing, standing, told_binding};
use crate::phase::shadow::tally;
use crate::plan::{Phase, Plan};
use crate::verdict::Verdict;

/// So many inputs that a person has to look at are named.
const NAMED_MAX: usize = 40;

/// What is known of one shadow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShadowStatus {
    /// Its name.
    pub name: String,
    /// `not-begun`, `void`, `under-way` or `over`.
    pub state: &'static str,
    /// The verdict over everything; *no* as soon as one input says so, *unknown* until it is over.
    pub verdict: Verdict,
    /// In words.
    pub summary: String,
    /// When it began, RFC 3339; empty when it has not.
    pub began: String,
    /// When its period is over, RFC 3339; empty for a set of inputs.
    pub until: String,
    /// Inputs, equal, failing alike, no, could not tell.
    pub counts: [u64; 5],
    /// What does not hold, and what fails: input, verdict, what was seen.
    pub told: Vec<(String, Verdict, String)>,
    /// How many of these are not named.
    pub left_out: u64,
}

/// The shadows of a phase, in the order of the plan.
pub(super) fn shadows(plan: &Plan, phase: &Phase, history: Option<&PhaseHistory>) -> Vec<ShadowStatus> {
    plan.shadows_of(&phase.name)
        .map(|shadow| {
            let fact = history.and_then(|history| history.shadows.get(&shadow.name));
            let mut status = ShadowStatus {
                name: shadow.name.clone(),
                state: "not-begun",
                verdict: Verdict::Unknown,
                summary: "it has not begun".to_owned(),
                began: String::new(),
                until: String::new(),
                counts: [0; 5],
                told: Vec::new(),
                left_out: 0,
            };
            let Some((history, fact)) = history.zip(fact) else { return status };
            // What went live went live on what there was.
            let is_open = history.state == PhaseState::Staged;
            let staged = history.staged.as_ref().filter(|_| is_open);
            let now = staged.map_or_else(
                || fact.binding.clone(),
                |staged| told_binding(plan, shadow, staged, Some(fact)),
            );
            let tally = tally::of(fact);
            (status.began, status.until) = (fact.began.clone(), fact.until.clone());
            status.counts = [tally.total(), tally.equal, tally.fails_alike, tally.no, tally.unknown];
            let told: Vec<_> = tally.told().collect();
            status.left_out = told.len().saturating_sub(NAMED_MAX) as u64;
            let row = |(input, _, found): &&(&str, &str, &crate::journal::ShadowInput)| {
                ((*input).to_owned(), found.verdict, found.summary.clone())
            };
            status.told = told.iter().take(NAMED_MAX).map(row).collect();
            match standing(Some(fact), &now) {
                Standing::NotBegun => {}
                Standing::Void(why) => {
                    status.state = "void";
                    status.summary = format!("void: {why}; {}", tally.words());
                }
                Standing::UnderWay(fact) => {
                    status.state = "under-way";
                    if tally.no > 0 {
                        status.verdict = Verdict::No;
                    }
                    let until =
                        if fact.until.is_empty() { String::new() } else { format!("until {}: ", fact.until) };
                    status.summary = format!("{until}{}", tally.words());
                }
                Standing::Over(end) => {
                    status.state = "over";
                    (status.verdict, status.summary) = (end.verdict, end.summary.clone());
                }
            }
            status
        })
        .collect()
}

impl ShadowStatus {
    /// Whether nobody can say yet what comes of it.
    pub fn is_open(&self) -> bool {
        self.state != "over" && self.verdict == Verdict::Unknown
    }

    /// As it stands in the documents.
    pub(super) fn to_json(&self) -> Value {
        let [inputs, equal, fails_alike, no, unknown] = self.counts;
        let told = self.told.iter().map(|(input, verdict, summary)| {
            json!({"input": input, "verdict": verdict.word(), "summary": summary})
        });
        json!({
            "name": self.name,
            "state": self.state,
            "verdict": self.verdict.word(),
            "summary": self.summary,
            "began": self.began,
            "until": self.until,
            "counts": {"inputs": inputs, "equal": equal, "fails_alike": fails_alike, "no": no, "unknown": unknown},
            "told": told.collect::<Vec<_>>(),
            "left_out": self.left_out,
        })
    }
}
