//! `switchback bisect`.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};
use switchback_core::bisect::{
    BisectError, BisectOptions, Bisection, Outcome, Step, bisect as search, free_scratch,
};
use switchback_core::phase::StepError;
use switchback_core::verdict::Verdict;

use super::Context;
use crate::cli::BisectArgs;
use crate::failure::Failure;

/// Of a commit's id so much is shown.
const SHORT: usize = 12;

pub(crate) fn bisect(context: &Context<'_>, args: &BisectArgs) -> Result<Verdict, Failure> {
    let world = &context.ports.world;
    let parent = world.surroundings.variable("TMPDIR").map_or_else(|| PathBuf::from("/tmp"), PathBuf::from);
    let scratch = free_scratch(world, &parent)
        .map_err(|error| Failure::doing("could not find a place for the trials", StepError::Disk(error)))?;
    let options = BisectOptions {
        folder: context.root.clone(),
        good: args.good.clone(),
        bad: args.bad.clone(),
        command: args.command.clone(),
        path: args.path.clone(),
        rule: args.rule.rule(world.disk.as_ref())?,
        timeout: Duration::from_secs(args.timeout_s.max(1)),
        scratch,
    };
    let mut told =
        |step: &str, left: usize| context.ui.note(&format!("  trying `{step}`, {left} commits left"));
    let found = search(world, context.ports.comparer.as_ref(), &options, &mut told).map_err(failure)?;
    let verdict = if found.found().is_some() { Verdict::Yes } else { Verdict::Unknown };
    if context.ui.json {
        context.ui.document(&document(&found, verdict));
    } else {
        show(context, &found);
    }
    Ok(verdict)
}

fn failure(error: BisectError) -> Failure {
    let what = "could not find the commit";
    match error {
        BisectError::Ends { what: cause, help } => Failure::new(what, vec![cause], help),
        BisectError::Disk(error) => Failure::doing(what, StepError::Disk(error)),
        BisectError::Port(error) => error.into(),
        error @ (BisectError::Git(_) | BisectError::Process(_)) => {
            Failure::new(what, vec![error.to_string()], "correct the cause, then run the same command again")
        }
    }
}

fn document(found: &Bisection, verdict: Verdict) -> Value {
    let named = |commit: &str, subject: &str| json!({"commit": commit, "subject": subject});
    let first_bad = found.found().map(|step| {
        let mut first = named(&step.commit, &step.subject);
        if let Outcome::Different { summary, report } = &step.outcome {
            first["summary"] = json!(summary);
            first["comparison"] = serde_json::from_str(report).unwrap_or(Value::Null);
        }
        first
    });
    json!({
        "schema": "switchback/bisect/1",
        "verdict": verdict.word(),
        "good": found.good,
        "bad": found.bad,
        "first_bad": first_bad,
        "suspects": found.suspects.iter().map(|(commit, subject)| named(commit, subject)).collect::<Vec<_>>(),
        "steps": found.steps.iter().map(step).collect::<Vec<_>>(),
    })
}

fn step(step: &Step) -> Value {
    let (outcome, summary) = words(&step.outcome);
    json!({"commit": step.commit, "subject": step.subject, "outcome": outcome, "summary": summary})
}

fn words(outcome: &Outcome) -> (&'static str, &str) {
    match outcome {
        Outcome::Equal { summary } => ("equal", summary),
        Outcome::Different { summary, .. } => ("different", summary),
        Outcome::Skipped { why } => ("skipped", why),
    }
}

fn show(context: &Context<'_>, found: &Bisection) {
    let ui = context.ui;
    for step in &found.steps {
        let (outcome, summary) = words(&step.outcome);
        ui.show(&format!("  {} {outcome}: {summary}  ({})", short(&step.commit), step.subject));
    }
    if let Some(first) = found.found() {
        let (commit, subject) = (short(&first.commit), &first.subject);
        ui.show(&format!("{commit} is the first commit with other results: {subject}"));
        ui.show(&format!("  {}", words(&first.outcome).1));
        return;
    }
    ui.show("could not tell: the first commit with other results is among those that could not be judged:");
    for (commit, subject) in &found.suspects {
        ui.show(&format!("  {} {subject}", short(commit)));
    }
}

fn short(commit: &str) -> &str {
    commit.get(..SHORT).unwrap_or(commit)
}
