//! `switchback status`.

use switchback_core::phase::approval::{Standing, Vote};
use switchback_core::report::{Criterion, Status, WaitsFor, json, status as derive, told_together};
use switchback_core::verdict::Verdict;

use super::Context;
use crate::failure::Failure;

pub(crate) fn status(context: &Context<'_>) -> Result<Verdict, Failure> {
    let (project, history) = context.told("status", "could not find out where the run stands")?;
    let status = derive(&project, &history).with_trees(&project, &history);
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
    show_criteria(context, &status.criteria);
    let mut at = None;
    for one in &status.checklist {
        if at.replace(one.at) != Some(one.at) {
            ui.show(&format!("  criteria at {}:", one.at));
        }
        let verdict = if one.is_open { "not yet".to_owned() } else { ui.verdict(one.verdict) };
        let required = if one.required { ", required" } else { "" };
        ui.show(&format!("    {verdict}: {} ({}{required})", one.name, one.by));
    }
    for tally in &status.approvals {
        for vote in &tally.votes {
            show_vote(context, &tally.role, vote);
        }
    }
    for environment in &status.environments {
        ui.show(&format!("  environment {}: {}", environment.path, environment.summary));
    }
    for process in &status.processes {
        ui.show(&format!("  process {}: {}", process.name, process.summary));
    }
    for trigger in &status.triggers {
        ui.show(&format!("  trigger ({}) when {}: {}", trigger.action, trigger.when, trigger.words()));
    }
    for database in &status.databases {
        ui.show(&format!("  database {}: {}", database.name, database.summary));
    }
    if status.databases.iter().any(|database| database.state == "left") {
        ui.show(
            "`switchback rollback` takes back what is left in a database; `--accept-loss N` agrees that so many rows go",
        );
    }
    for anchor in &status.anchors {
        ui.show(&format!("  anchor {}: {}", anchor.to, anchor.words()));
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

/// What must hold, one line each.
pub(super) fn show_criteria(context: &Context<'_>, criteria: &[Criterion]) {
    let ui = context.ui;
    for (criterion, text) in told_together(criteria) {
        let verdict = if criterion.is_open { "not yet".to_owned() } else { ui.verdict(criterion.verdict) };
        ui.show(&format!("  {verdict}: {text}"));
    }
}

/// What was said in a role, where there is more to tell than that it counts.
fn show_vote(context: &Context<'_>, role: &str, vote: &Vote) {
    let key = vote.key.as_ref().map_or_else(String::new, |key| format!(" ({key})"));
    let altered = match &vote.standing {
        Standing::Void(altered) => altered.as_slice(),
        Standing::Counts if vote.key.is_none() && vote.expires.is_empty() => return,
        Standing::Replaced | Standing::Withdrawn(_) => return,
        _ => &[],
    };
    let until = match &vote.standing {
        Standing::Counts if !vote.expires.is_empty() => format!(", until {}", vote.expires),
        _ => String::new(),
    };
    let what = if vote.approved { "approval" } else { "refusal" };
    let why = if vote.approved { String::new() } else { format!(" ({})", vote.why) };
    let standing = vote.standing.words();
    context.ui.show(&format!("  {what} in the role {role} by {}{key}: {standing}{until}{why}", vote.who));
    for one in altered {
        let now = if one.now.is_empty() { "gone or damaged".to_owned() } else { short(&one.now) };
        context.ui.show(&format!("    {}: approved was {}, now it is {now}", one.what, short(&one.approved)));
    }
}

/// Hashes are shown as git shows them; all of them are in `--json`.
fn short(hash: &str) -> String {
    let is_hash = hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
    match hash {
        "" => "nothing".to_owned(),
        hash if is_hash => hash[..12].to_owned(),
        hash => hash.to_owned(),
    }
}

fn words(waits: &WaitsFor) -> String {
    match waits {
        WaitsFor::Approval { role, missing: 0 | 1, .. } => format!("an approval in the role `{role}`"),
        WaitsFor::Approval { role, missing, .. } => format!("{missing} approvals in the role `{role}`"),
        WaitsFor::Check { name, at } => format!("the check `{name}` at {at}"),
        WaitsFor::Criterion { name, role } => format!("the criterion `{name}`, signed in the role `{role}`"),
        WaitsFor::Rehearsal => "a rehearsal that holds".to_owned(),
        WaitsFor::Shadow { name, until } if until.is_empty() => format!("the shadow `{name}`"),
        WaitsFor::Shadow { name, until } => format!("the shadow `{name}`, until {until}"),
        WaitsFor::Watch { at, due } => format!("the checks at {at}, due at {due}"),
        WaitsFor::Window { opens: Some(opens) } => format!("its window, which opens at {opens}"),
        WaitsFor::Window { opens: None } => {
            "a window: the plan's is over, and does not open again".to_owned()
        }
        WaitsFor::Plan => "a plan that can be used".to_owned(),
        WaitsFor::Run => "`switchback run`".to_owned(),
    }
}
