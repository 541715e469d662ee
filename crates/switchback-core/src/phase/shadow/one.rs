//! One input after the other: begun in the journal, run, told in the journal; and the end of it all.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};

use super::super::error::StepError;
use super::super::look::{binding_json, contents};
use super::super::project::Work;
use super::super::trees::PhaseTrees;
use super::inputs::Pending;
use super::stand::binding;
use super::{kept, tally};
use crate::check::shadow::{Allowed, Bench, Found, Outcome, Ring};
use crate::journal::{Event, ShadowFact};
use crate::plan::{Moment, Phase, Shadow};
use crate::tree::copy::{make_directories, remove_tree};
use crate::verdict::Verdict;

/// So many inputs of a shadow are listed in its evidence, those that a person has to look at first.
const LISTED_MAX: usize = 100_000;

/// Where both sides are run: copies of both trees are made in it.
#[derive(Debug)]
pub(super) struct Hall<'w> {
    folder: PathBuf,
    trees: PhaseTrees<'w>,
}

impl<'w> Hall<'w> {
    pub(super) fn open(work: &'w Work<'_>, phase: &Phase) -> Result<Self, StepError> {
        let disk = work.world().disk.as_ref();
        let folder = work.attempt("shadow")?;
        for folder in [folder.join("whole"), folder.join("bench")] {
            make_directories(disk, &work.project.root, &folder)?;
        }
        let (old, new) = contents(work, phase)?;
        let (place, copies) = (work.project.root.clone(), folder.join("whole"));
        let trees = PhaseTrees::new(work.world(), work.plan(), Moment::Staged, place, copies, old, new);
        Ok(Self { folder, trees })
    }

    pub(super) fn close(self, work: &Work<'_>) -> Result<(), StepError> {
        Ok(remove_tree(work.world().disk.as_ref(), &self.folder)?)
    }
}

/// Runs inputs of one shadow.
#[derive(Debug)]
pub(super) struct Running<'r> {
    work: &'r Work<'r>,
    phase: &'r Phase,
    shadow: &'r Shadow,
    bench: Bench<'r>,
}

impl<'r> Running<'r> {
    pub(super) fn begin(
        work: &'r Work<'r>,
        phase: &'r Phase,
        shadow: &'r Shadow,
        hall: &'r Hall<'r>,
        allowed: &'r Allowed,
    ) -> Result<Self, StepError> {
        let confinement = work.project.confinement().ok_or_else(|| {
            StepError::not_now("commands cannot be confined here", "run the shadow on another system")
        })?;
        let ring = Ring {
            world: work.world(),
            comparer: work.project.ports.comparer.as_ref(),
            confinement,
            allowed,
            timeout: Duration::from_secs(shadow.timeout_s),
        };
        let bench = Bench::new(&shadow.pair, ring, &hall.trees, hall.folder.join("bench"));
        let bench = bench.map_err(|why| StepError::not_now(why, "`switchback shadow` tries again"))?;
        Ok(Self { work, phase, shadow, bench })
    }

    /// Runs an input that is there, unless it is gone or changed by now: then the next look finds what became of it.
    pub(super) fn input(&mut self, pending: &Pending) -> Result<(), StepError> {
        let Some(copy) = kept::keep(self.work, &pending.path, &pending.content)? else {
            return Ok(kept::forget(self.work, &pending.content)?);
        };
        self.run(&pending.name, &pending.content, Some(&copy))
    }

    /// Runs the input again that was under way when the run before was killed.
    pub(super) fn again(&mut self, input: &str, content: &str) -> Result<(), StepError> {
        let mut copy = kept::find(self.work, content)?;
        if copy.is_none() {
            copy = kept::keep(self.work, &self.work.project.root.join(input), content)?;
        }
        self.run(input, content, copy.as_deref())
    }

    fn run(&mut self, input: &str, content: &str, copy: Option<&Path>) -> Result<(), StepError> {
        let (work, phase, shadow) = (self.work, self.phase, self.shadow);
        work.record(Event::ShadowInputStarted {
            phase: phase.name.clone(),
            shadow: shadow.name.clone(),
            input: input.to_owned(),
            content: content.to_owned(),
        })?;
        work.began(&phase.name, format!("shadow {}: {input}", shadow.name));
        let started = work.world().clock.monotonic();
        let mut found = match copy {
            Some(copy) => self.bench.run(copy),
            None => Found {
                verdict: Verdict::Unknown,
                outcome: Outcome::Untold,
                summary: "it was under way when the run was interrupted, and is gone since".to_owned(),
                details: json!({}),
            },
        };
        let elapsed = work.world().clock.monotonic().saturating_sub(started);
        let summary = work.redactor.clean(&found.summary);
        let evidence = if found.verdict == Verdict::Yes {
            String::new()
        } else {
            found.details["input"] = json!({"path": input, "content": content});
            found.details["outcome"] = json!(found.outcome.word());
            self.store(found.verdict, &summary, &found.details)?
        };
        work.record(Event::ShadowInputEnded {
            phase: phase.name.clone(),
            shadow: shadow.name.clone(),
            input: input.to_owned(),
            content: content.to_owned(),
            verdict: found.verdict.word().to_owned(),
            outcome: found.outcome.word().to_owned(),
            summary: summary.clone(),
            evidence,
            milliseconds: u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
        })?;
        kept::forget(work, content)?;
        if found.verdict != Verdict::Yes || found.outcome == Outcome::FailsAlike {
            let said = found.verdict.spoken();
            work.done(&phase.name, format!("shadow {}: `{input}`: {said}: {summary}", shadow.name));
        }
        Ok(())
    }

    fn store(&self, verdict: Verdict, summary: &str, details: &Value) -> Result<String, StepError> {
        store(self.work, self.phase, self.shadow, (verdict, summary), details)
    }
}

fn store(
    work: &Work<'_>,
    phase: &Phase,
    shadow: &Shadow,
    (verdict, summary): (Verdict, &str),
    details: &Value,
) -> Result<String, StepError> {
    let report = json!({
        "schema": "switchback/evidence/1",
        "verdict": verdict.word(),
        "phase": phase.name,
        "check": shadow.name,
        "kind": "shadow",
        "at": "rehearsed",
        "summary": summary,
        "binding": binding_json(&binding(work, phase, shadow)?),
        "details": details,
    });
    let text = work.redactor.clean(&format!("{report:#}\n"));
    Ok(work.evidence.put(work.world().disk.as_ref(), text.as_bytes())?)
}

/// Ends a shadow: the verdict over everything that was run.
pub(super) fn end(
    work: &Work<'_>,
    phase: &Phase,
    shadow: &Shadow,
    fact: &ShadowFact,
) -> Result<(), StepError> {
    let tally = tally::of(fact);
    let (verdict, summary) = tally.verdict(shadow.minimum);
    let is_told = |found: &crate::journal::ShadowInput| found.verdict != Verdict::Yes;
    let mut inputs = tally.inputs.clone();
    inputs.sort_by_key(|(_, _, found)| !is_told(found));
    let listed = inputs.iter().take(LISTED_MAX).map(|(input, content, found)| {
        json!({"input": input, "content": content, "verdict": found.verdict.word(), "outcome": found.outcome,
               "summary": found.summary, "evidence": found.evidence, "milliseconds": found.milliseconds})
    });
    let details = json!({
        "began": fact.began,
        "until": fact.until,
        "counts": tally.counts(),
        "inputs": listed.collect::<Vec<_>>(),
        "left_out": inputs.len().saturating_sub(LISTED_MAX),
    });
    let evidence = store(work, phase, shadow, (verdict, &summary), &details)?;
    work.record(Event::ShadowEnded {
        phase: phase.name.clone(),
        shadow: shadow.name.clone(),
        verdict: verdict.word().to_owned(),
        summary: summary.clone(),
        evidence,
    })?;
    work.done(&phase.name, format!("shadow {}: {}: {summary}", shadow.name, verdict.spoken()));
    Ok(())
}
