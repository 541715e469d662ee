//! `switchback init`.

use serde_json::json;
use switchback_core::init::{InitOptions, InitOutcome, init as write};
use switchback_core::verdict::Verdict;

use super::Context;
use crate::cli::InitArgs;
use crate::failure::Failure;

pub(crate) fn init(context: &Context<'_>, args: &InitArgs) -> Result<Verdict, Failure> {
    let options = InitOptions { from: args.from.clone() };
    let outcome = write(&context.root, &options, context.ports)?;
    if context.ui.json {
        show_json(context, &outcome);
    } else {
        show(context, &outcome);
    }
    Ok(Verdict::Yes)
}

fn show_json(context: &Context<'_>, outcome: &InitOutcome) {
    let managed = outcome
        .managed
        .iter()
        .map(|managed| json!({"path": managed.path, "delete": managed.delete, "what": managed.what}));
    let linked = outcome.linked.iter().map(|(path, what)| json!({"path": path, "what": what}));
    let checks = outcome.checks.iter().map(|check| {
        json!({"name": check.name, "kind": check.kind, "what": check.what, "active": check.is_active})
    });
    let kind = if outcome.candidate.from.is_some() { "files" } else { "command" };
    context.ui.document(&json!({
        "schema": "switchback/init/1",
        "verdict": Verdict::Yes.word(),
        "path": outcome.path.display().to_string(),
        "project": outcome.project,
        "managed": managed.collect::<Vec<_>>(),
        "linked": linked.collect::<Vec<_>>(),
        "also": outcome.also,
        "candidate": {
            "kind": kind,
            "from": outcome.candidate.from,
            "why": outcome.candidate.why.join(" "),
            "others": outcome.candidate.others,
        },
        "checks": checks.collect::<Vec<_>>(),
        "notes": outcome.notes,
        "entries": outcome.entries,
        "complete": outcome.is_complete,
    }));
}

fn show(context: &Context<'_>, outcome: &InitOutcome) {
    let ui = context.ui;
    ui.show(&format!("wrote {}", outcome.path.display()));
    ui.show(&format!("project {}", outcome.project));
    for managed in &outcome.managed {
        ui.show(&format!("  manages {}: {}", managed.path, managed.what));
    }
    for (path, what) in &outcome.linked {
        ui.show(&format!("  links {path}: {what}"));
    }
    for path in &outcome.also {
        ui.show(&format!("  backs up {path}"));
    }
    match &outcome.candidate.from {
        Some(from) => ui.show(&format!("candidate: {from}")),
        None => ui.show("candidate: still to be named in the plan's `[[phase.change]]`"),
    }
    for check in &outcome.checks {
        let state = if check.is_active { "" } else { " (not active: the plan says why)" };
        ui.show(&format!("check {}: {}{state}", check.name, check.what));
    }
    for note in &outcome.notes {
        ui.note(&format!("note: {note}"));
    }
    ui.note("next: read it, then `switchback plan` shows what a run would do");
}
