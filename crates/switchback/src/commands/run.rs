//! `switchback run`.

use switchback_core::phase::outlook::outlook;
use switchback_core::phase::{Point, RunOptions, RunOutcome, Work, run as run_plan};
use switchback_core::report::{json, status};
use switchback_core::verdict::Verdict;

use super::Context;
use crate::cli::RunArgs;
use crate::failure::Failure;
use crate::ui::Ui;

pub(crate) fn run(context: &Context<'_>, args: &RunArgs) -> Result<Verdict, Failure> {
    let until = args.until.as_deref().map(point).transpose()?;
    let options = RunOptions { phase: args.phase.clone(), until, restage: args.restage };
    let work = Work::begin(context.project()?, "run", context.ui)
        .map_err(|error| Failure::doing("could not begin the run", error))?;
    context.earlier_incidents(&work);
    let first = work.history().seq;
    expect(context.ui, &work)?;
    let outcome = run_plan(&work, &options);
    // It is written before anybody is told, so that they are told where it is.
    let incident = context.incident(&work, first);
    context.notify(&work);
    let outcome = outcome.map_err(|error| Failure::doing("could not carry on the run", error))?;
    show(context, &work, "run", &outcome, first, incident)
}

/// Tells the person who watches what is to come.
pub(crate) fn expect(ui: &Ui, work: &Work<'_>) -> Result<(), Failure> {
    let ahead = || Ok(outlook(work.plan(), &work.history(), &work.records()?));
    ui.expect(ahead).map_err(|error| Failure::doing("could not read the journal", error))
}

fn point(word: &str) -> Result<Point, Failure> {
    Point::from_word(word).ok_or_else(|| {
        let words: Vec<String> = Point::ALL.iter().map(|point| format!("`{}`", point.word())).collect();
        Failure::new(
            format!("unknown point `{word}`"),
            Vec::new(),
            format!("points are {}", words.join(", ")),
        )
    })
}

/// Shows what a run, or a watch, came to.
pub(crate) fn show(
    context: &Context<'_>,
    work: &Work<'_>,
    name: &str,
    outcome: &RunOutcome,
    first_seq: u64,
    incident: Option<String>,
) -> Result<Verdict, Failure> {
    let status = status(&work.project, &work.history());
    if context.ui.json {
        let mut document = json::document(name, outcome.verdict, &status);
        if let Some(incident) = incident {
            document["incident"] = incident.into();
        }
        json::add_outcome(&mut document, outcome);
        let records = work.records().map_err(|error| Failure::doing("could not read the journal", error))?;
        let new: Vec<_> = records.into_iter().filter(|record| record.seq > first_seq).collect();
        json::add_events(&mut document, &new);
        context.ui.document(&document);
        return Ok(outcome.verdict);
    }
    let point = status
        .phases
        .iter()
        .find(|phase| phase.name == outcome.phase)
        .map_or("", |phase| phase.point.as_str());
    let unchecked = if work.plan().checks.is_empty() && work.plan().shadows.is_empty() {
        " (the plan has no checks: nothing was proved)"
    } else {
        ""
    };
    // A watch that is under way is *unknown* because time has not passed, not because something could not be told.
    let verdict =
        if outcome.due.is_some() { "not over yet".to_owned() } else { context.ui.verdict(outcome.verdict) };
    let reached =
        if point == Point::Snapshot.word() { "has its snapshot".to_owned() } else { format!("is {point}") };
    context.ui.show(&format!(
        "{verdict}: phase {} {reached}; generation {} is live{unchecked}",
        outcome.phase, status.generation
    ));
    context.ui.refusal(&verdict, &outcome.reasons, &outcome.next);
    Ok(outcome.verdict)
}
