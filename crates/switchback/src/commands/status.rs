//! `switchback status`.

use switchback_core::report::{Status, WaitsFor, json, status as derive};
use switchback_core::verdict::Verdict;

use super::Context;
use crate::failure::Failure;

pub(crate) fn status(context: &Context<'_>) -> Result<Verdict, Failure> {
    let (project, history) = context.told("status", "could not find out where the run stands")?;
    let status = derive(&project.plan, &history).with_trees(&project, &history);
    if context.ui.json {
        context.ui.document(&json::document("status", status.verdict, &status));
    } else {
        show(context, &status);
    }
    Ok(status.verdict)
}

fn show(context: &Context<'_>, status: &Status) {
    let ui = context.ui;
    ui.show(&format!("project {}: generation {} is live", status.project, status.generation));
    if status.run.is_none() {
        ui.show("nothing has been run yet");
    }
    for phase in &status.phases {
        // Unknown only says that it is not over, which its point says already.
        let verdict = match phase.verdict {
            Verdict::Unknown => String::new(),
            verdict => format!(" ({})", ui.verdict(verdict)),
        };
        ui.show(&format!("  phase {}: {}{verdict}", phase.name, phase.point));
    }
    for criterion in &status.criteria {
        let verdict = if criterion.is_open { "not yet".to_owned() } else { ui.verdict(criterion.verdict) };
        ui.show(&format!("  {verdict}: {}", criterion.name));
    }
    for environment in &status.environments {
        ui.show(&format!("  environment {}: {}", environment.path, environment.summary));
    }
    for process in &status.processes {
        ui.show(&format!("  process {}: {}", process.name, process.summary));
    }
    for database in &status.databases {
        ui.show(&format!("  database {}: {}", database.name, database.summary));
    }
    if status.databases.iter().any(|database| database.state == "left") {
        ui.show(
            "`switchback rollback` takes back what is left in a database; `--accept-loss N` agrees that so many rows go",
        );
    }
    if let Some((step, why)) = &status.failed {
        ui.show(&format!("the last step failed: {step}: {why}"));
    }
    for waits in &status.waits_for {
        ui.show(&format!("waits for {}", words(waits)));
    }
    match &status.rollback {
        Some((to, mechanism)) => {
            ui.show(&format!("`switchback rollback` makes generation {to} live again ({mechanism})"));
        }
        None => ui.show("there is nothing to roll back"),
    }
}

fn words(waits: &WaitsFor) -> String {
    match waits {
        WaitsFor::Approval { role } => format!("an approval in the role `{role}`"),
        WaitsFor::Check { name, at } => format!("the check `{name}` at {at}"),
        WaitsFor::Rehearsal => "a rehearsal that holds".to_owned(),
        WaitsFor::Shadow { name, until } if until.is_empty() => format!("the shadow `{name}`"),
        WaitsFor::Shadow { name, until } => format!("the shadow `{name}`, until {until}"),
        WaitsFor::Watch { at, due } => format!("the checks at {at}, due at {due}"),
        WaitsFor::Plan => "a plan that can be used".to_owned(),
        WaitsFor::Run => "`switchback run`".to_owned(),
    }
}
