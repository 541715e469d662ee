//! `switchback rollback`.

use serde_json::{Value, json};
use switchback_core::manifest::Difference;
use switchback_core::phase::{
    Notice, Origin, Project, Repair, RollBackOptions, RollBackPlan, StepError, Witness, Work, plan_repair,
    plan_roll_back, repair, roll_back, roll_back_changes,
};
use switchback_core::report::{json as documents, status};
use switchback_core::verdict::Verdict;

use super::{Context, databases, processes, validation};
use crate::cli::{From, RollbackArgs};
use crate::failure::Failure;

pub(crate) fn rollback(context: &Context<'_>, args: &RollbackArgs) -> Result<Verdict, Failure> {
    let doing = |error| Failure::doing("could not roll back", error);
    let (project, unusable) = Project::open_for_rollback(&context.root, context.ports);
    if let Some(error) = unusable {
        if args.playbook.is_some() {
            // What it restores stands in the plan.
            return Err(doing(error));
        }
        if matches!(error, StepError::NoPlan(_)) && !project.has_state().map_err(doing)? {
            return Err(doing(error));
        }
        context.ui.notice(Notice::Warning(format!("the plan cannot be used, and is not needed: {error}")));
    }
    let work = Work::begin_rollback(project, "rollback", context.ui).map_err(doing)?;
    let options = RollBackOptions {
        phase: args.phase.clone(),
        only: args.only.clone(),
        to: args.to.clone(),
        from: args.from.map(origin),
        loss_max: args.accept_loss,
        why: args.why.clone().unwrap_or_else(|| "by hand".to_owned()),
        ..RollBackOptions::default()
    };
    if args.dry_run {
        if let Some(name) = &args.playbook {
            let plan = plan_repair(&work, name).map_err(doing)?;
            return Ok(would(context, &work, &plan, Some(&[])));
        }
        let plan = plan_roll_back(&work, &options).map_err(doing)?;
        // Of a part, the paths say it already.
        let is_whole = options.only.is_empty();
        let changes =
            if is_whole { roll_back_changes(&work, &options).map_err(doing)? } else { Some(Vec::new()) };
        return Ok(would(context, &work, &plan, changes.as_deref()));
    }
    context.earlier_incidents(&work);
    let first = work.history().seq;
    let done = if let Some(name) = &args.playbook {
        repair(&work, name, args.why.as_deref().unwrap_or_default(), args.accept_loss).map_err(doing)?
    } else {
        let rolled_back = roll_back(&work, &options).map_err(doing)?;
        let verdict = verdict_of(&rolled_back.against).and(rolled_back.proved());
        Repair { rolled_back, verdict, next: None }
    };
    show(context, &work, &done, first);
    Ok(done.verdict)
}

fn origin(from: From) -> Origin {
    match from {
        From::Local => Origin::Local,
        From::Snapshot => Origin::Snapshot,
        From::Git => Origin::Git,
        From::Remote => Origin::Remote,
    }
}

/// What would be done.
fn would(
    context: &Context<'_>,
    work: &Work<'_>,
    plan: &RollBackPlan,
    changes: Option<&[Difference]>,
) -> Verdict {
    let verdict = verdict_of(&plan.against);
    if context.ui.json {
        let status = status(&work.project, &work.history());
        let mut document = documents::document("rollback", verdict, &status);
        document["dry_run"] = json!(true);
        about_part(&mut document, &plan.against, &plan.left);
        document["would_restore"] = json!(plan.paths);
        document["from"] = json!(plan.source.as_deref().unwrap_or("local"));
        let change = |one: &Difference| json!({"path": one.path.to_string_lossy(), "what": one.what.word()});
        // Null where it cannot be told.
        document["would_change"] =
            changes.map(|changes| changes.iter().map(change).collect()).unwrap_or_default();
        if !plan.databases.is_empty() {
            document["would_revert"] = databases::would_be(&plan.databases);
        }
        if !plan.processes.is_empty() {
            document["would_hand_over"] = processes::would_be(&plan.processes);
        }
        context.ui.document(&document);
    } else {
        let phases = if plan.phases.is_empty() { "no phase".to_owned() } else { plan.phases.join(", ") };
        context.ui.show(&format!("would roll back {phases}: {}", plan.paths.join(", ")));
        if let Some(source) = &plan.source {
            context.ui.show(&format!("  from {source}"));
        }
        for (name, does) in &plan.databases {
            context.ui.show(&format!("  database {name}: {does}"));
        }
        for (name, does) in &plan.processes {
            context.ui.show(&format!("  process {name}: {does}"));
        }
        if changes.is_none() {
            context
                .ui
                .show("  what changes in them cannot be told: the journal does not say what was live before");
        }
        let changes = changes.unwrap_or_default();
        for change in changes.iter().take(SHOWN_MAX) {
            context.ui.show(&format!("  {}: {}", change.path.display(), change.what.word()));
        }
        if changes.len() > SHOWN_MAX {
            context.ui.show(&format!("  and {} more; `--json` lists all", changes.len() - SHOWN_MAX));
        }
        left(context, &plan.left);
        refused(context, &plan.against);
    }
    verdict
}

fn show(context: &Context<'_>, work: &Work<'_>, done: &Repair, first: u64) {
    let outcome = &done.rolled_back;
    let incident = context.incident(work, first);
    context.notify(work);
    if context.ui.json {
        let status = status(&work.project, &work.history());
        let mut document = documents::document("rollback", done.verdict, &status);
        about_part(&mut document, &outcome.against, &outcome.left);
        document["restored"] = json!(outcome.restored);
        document["kept_aside"] = json!(outcome.kept_aside);
        document["milliseconds"] = json!(outcome.milliseconds);
        if !outcome.databases.is_empty() {
            document["reverted"] = databases::done(&outcome.databases);
        }
        if !outcome.processes.is_empty() {
            document["handed_over"] = processes::done(&outcome.processes);
        }
        if !outcome.validated.is_empty() {
            document["validated"] = validation::as_json(&outcome.validated);
            document["proved_milliseconds"] = json!(outcome.proved_milliseconds);
        }
        for (name, value) in [("next", &done.next), ("incident", &incident)] {
            if let Some(value) = value {
                document[name] = json!(value);
            }
        }
        context.ui.document(&document);
        return;
    }
    if outcome.against.is_empty() {
        restored(context, done);
    } else {
        refused(context, &outcome.against);
    }
    if let Some(next) = &done.next {
        context.ui.show(&format!("  next: `{next}`"));
    }
}

/// What came back, what was kept, and what the checks say of it.
fn restored(context: &Context<'_>, done: &Repair) {
    let outcome = &done.rolled_back;
    let what = match done.verdict {
        _ if outcome.reverted() != Verdict::Yes => {
            "not all: a database still has steps of it, although this was rolled back:"
        }
        _ if outcome.working() == Verdict::No => {
            "no: a process does not work, although this was rolled back:"
        }
        _ if outcome.working() == Verdict::Unknown && done.verdict == Verdict::Unknown => {
            "could not tell whether every process works on it; this was rolled back:"
        }
        Verdict::Yes => "yes: rolled back",
        Verdict::No => "no: the checks do not hold, although this was rolled back:",
        Verdict::Unknown => "could not tell whether the checks hold; this was rolled back:",
    };
    match outcome.phases.as_slice() {
        [] => context.ui.show(&format!("{what} what an earlier rollback had left in databases")),
        phases => context.ui.show(&format!("{what} {}", phases.join(", "))),
    }
    for path in &outcome.restored {
        context.ui.show(&format!("  restored {path}"));
    }
    for path in &outcome.kept_aside {
        context.ui.show(&format!("  changed since it went live, kept aside: {path}"));
    }
    left(context, &outcome.left);
    databases::show(context, &outcome.databases);
    processes::show(context, &outcome.processes);
    validation::show(context, &outcome.validated);
    if outcome.working() == Verdict::No {
        context.ui.show(
            "  next: the old tree is live and stays; see what the process said in `.switchback/processes`, and start it by hand",
        );
    }
}

/// What only a part has: why it was not rolled back, and what stays.
fn about_part(document: &mut Value, against: &[String], left: &[String]) {
    for (name, lines) in [("against", against), ("left", left)] {
        if !lines.is_empty() {
            document[name] = json!(lines);
        }
    }
}

/// What would break something is not done.
fn verdict_of(against: &[String]) -> Verdict {
    if against.is_empty() { Verdict::Yes } else { Verdict::No }
}

fn left(context: &Context<'_>, left: &[String]) {
    for path in left {
        context.ui.show(&format!("  left, because more than its imports was changed: {path}"));
    }
}

/// How many reasons are shown.
const SHOWN_MAX: usize = 20;

fn refused(context: &Context<'_>, against: &[String]) {
    if against.is_empty() {
        return;
    }
    context.ui.show("no: nothing is rolled back, because that would break what works now:");
    for line in against.iter().take(SHOWN_MAX) {
        context.ui.show(&format!("  {line}"));
    }
    if against.len() > SHOWN_MAX {
        context.ui.show(&format!("  and {} more; `--json` lists all", against.len() - SHOWN_MAX));
    }
    context.ui.show("  name less or more with `--only`: single files, or what these need as well; or roll the whole phase back");
}
