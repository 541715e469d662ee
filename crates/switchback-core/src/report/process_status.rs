//! What is known of the processes that run the tree: from the plan and the journal; none of them is looked at.

use crate::journal::{History, ProcessFact, ProcessStep};
use crate::plan::Plan;
use crate::verdict::Verdict;

/// What is known of one process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProcessStatus {
    /// Its name.
    pub name: String,
    /// How it is handed over; empty when neither plan nor journal says so.
    pub handover: String,
    /// `not-handed-over`, `on-its-way`, `works` or `failed`.
    pub state: &'static str,
    /// The generation that it works on, where Switchback started it there.
    pub generation: Option<u64>,
    /// For how long it was down last.
    pub down_milliseconds: Option<u64>,
    /// *yes*: it works, and nothing says that it runs other code than what is live; *unknown* where nobody looked.
    pub verdict: Verdict,
    /// In words.
    pub summary: String,
    /// When that was told, RFC 3339; nothing when nothing was told.
    pub told_at: Option<String>,
}

/// Every process of the plan, and those of which the journal alone tells.
pub(super) fn processes(plan: &Plan, history: &History) -> Vec<ProcessStatus> {
    let planned = plan.processes.iter().map(|process| {
        let fact = history.processes.get(&process.name);
        fact.map_or_else(|| untold(&process.name, process.handover.word()), |fact| told(&process.name, fact))
    });
    let is_planned = |name: &str| plan.processes.iter().any(|process| process.name == name);
    let others = history.processes.iter().filter(|(name, _)| !is_planned(name));
    planned.chain(others.map(|(name, fact)| told(name, fact))).collect()
}

fn untold(name: &str, handover: &str) -> ProcessStatus {
    ProcessStatus {
        name: name.to_owned(),
        handover: handover.to_owned(),
        state: "not-handed-over",
        generation: None,
        down_milliseconds: None,
        verdict: Verdict::Unknown,
        summary: format!("not handed over yet ({handover})"),
        told_at: None,
    }
}

fn told(name: &str, fact: &ProcessFact) -> ProcessStatus {
    let code = fact.code.as_ref();
    let (state, verdict, summary) = match fact.step {
        ProcessStep::Begun | ProcessStep::Stopped | ProcessStep::Both => {
            ("on-its-way", Verdict::Unknown, format!("on its way to generation {}", fact.to))
        }
        ProcessStep::Failed => {
            let (doing, why) = fact.failed.clone().unwrap_or_default();
            ("failed", Verdict::No, format!("{doing}: {why}"))
        }
        ProcessStep::Runs => {
            let generation = fact.generation.unwrap_or(fact.to);
            let down =
                fact.down_milliseconds.map_or_else(String::new, |down| format!("; was down for {down} ms"));
            let doubt = code.filter(|(verdict, _)| *verdict != Verdict::Yes);
            let doubt = doubt.map_or_else(String::new, |(_, why)| {
                format!("; could not tell whether it runs the code that is live: {why}")
            });
            let verdict = code.map_or(Verdict::Unknown, |(verdict, _)| *verdict);
            ("works", verdict, format!("works on generation {generation}{down}{doubt}"))
        }
    };
    ProcessStatus {
        name: name.to_owned(),
        handover: fact.handover.clone(),
        state,
        generation: fact.generation,
        down_milliseconds: fact.down_milliseconds,
        verdict,
        summary,
        told_at: Some(fact.time.clone()),
    }
}
