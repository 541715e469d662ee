//! `switchback schema`.

use switchback_core::database::Database;
use switchback_core::schema_steps::{
    DeployOptions, RevertOptions, RevertTo, SchemaOutcome, SchemaRequest, deploy, revert, status, verify,
};
use switchback_core::verdict::Verdict;

use super::Context;
use crate::failure::Failure;
use crate::schema_args::{SchemaArgs, SchemaCommand};

pub(crate) fn schema(context: &Context<'_>, command: &SchemaCommand) -> Result<Verdict, Failure> {
    let outcome = match command {
        SchemaCommand::Status { place } => status(&request(context, place, false)?)?,
        SchemaCommand::Verify { place } => verify(&request(context, place, false)?)?,
        SchemaCommand::Deploy { place, to, dry_run, create, no_copy, undo, again, accept_changed } => {
            let options = DeployOptions {
                to: to.clone(),
                is_dry: *dry_run,
                no_copy: *no_copy,
                again: *again,
                undo: *undo,
                accepts_changed: *accept_changed,
            };
            deploy(&request(context, place, *create)?, &options)?
        }
        SchemaCommand::Revert { place, to, all, dry_run, accept_loss, accept_changed } => {
            let to = match (to, all) {
                (Some(step), _) => RevertTo::Step(step.clone()),
                (None, true) => RevertTo::All,
                (None, false) => RevertTo::Last,
            };
            let options = RevertOptions {
                to,
                is_dry: *dry_run,
                loss_max: *accept_loss,
                accepts_changed: *accept_changed,
            };
            revert(&request(context, place, false)?, &options)?
        }
    };
    if context.ui.json {
        context.ui.document(&outcome.to_json());
    } else {
        show(context, &outcome);
    }
    Ok(outcome.verdict)
}

fn request(context: &Context<'_>, place: &SchemaArgs, is_made: bool) -> Result<SchemaRequest, Failure> {
    let database = Database::parse(&place.database)
        .map_err(|(message, help)| Failure::new("could not read `--database`", vec![message], help))?;
    Ok(SchemaRequest {
        world: context.ports.world.clone(),
        schemas: context.ports.schemas.clone(),
        root: context.root.clone(),
        database,
        steps: context.root.join(&place.steps),
        is_made,
        confinement: None,
    })
}

fn show(context: &Context<'_>, outcome: &SchemaOutcome) {
    let ui = context.ui;
    if outcome.planned.is_empty() {
        for step in &outcome.steps {
            let time = step.time.as_deref().map_or(String::new(), |time| format!("  {time}"));
            let actor = step.actor.as_deref().map_or(String::new(), |actor| format!("  {actor}"));
            let held = step.verified.map_or(String::new(), |held| format!("{}: ", ui.verdict(held)));
            let note = step.note.as_deref().map_or(String::new(), |note| format!("  ({note})"));
            ui.show(&format!("  {held}{}  {}{time}{actor}{note}", step.name, step.state));
        }
    }
    for script in &outcome.planned {
        for line in script.lines() {
            ui.show(&line);
        }
        ui.show("");
    }
    ui.show(&format!("{}: {}", ui.verdict(outcome.verdict), told(outcome)));
    if let Some(failed) = &outcome.failed {
        ui.show(&format!("  {}", failed.told()));
        ui.show(&format!("    {}", failed.text));
    }
    for why in &outcome.refused {
        ui.show(&format!("  {why}"));
    }
    for loss in &outcome.lost {
        ui.show(&format!("  step `{}`: {}", loss.step, loss.told()));
    }
    let is_whole = |tables: u64| outcome.verdict == Verdict::Yes && (tables > 0 || outcome.doing == "deploy");
    if let Some(kept) = outcome.kept.as_ref().filter(|kept| is_whole(kept.tables)) {
        ui.show(&format!("  {}", kept.told()));
    }
    if let Some(copy) = &outcome.copy {
        ui.show(&format!("  the copy that was made before is in `{copy}`"));
    }
    if let Some(next) = &outcome.next {
        ui.note(&format!("\nnext: {next}"));
    }
}

/// What was done, or found, in one line.
fn told(outcome: &SchemaOutcome) -> String {
    let steps = |number: usize| if number == 1 { "1 step".to_owned() } else { format!("{number} steps") };
    let database = &outcome.database;
    let deployed = outcome.steps.iter().filter(|step| step.state == "deployed").count();
    let there = format!("{deployed} of {} deployed in `{database}`", steps(outcome.steps.len()));
    match outcome.doing {
        _ if !outcome.planned.is_empty() => {
            format!("{} would be carried out in `{database}`", steps(outcome.planned.len()))
        }
        "deploy" if outcome.done.is_empty() && outcome.verdict == Verdict::Yes => {
            format!("nothing to deploy; {there}")
        }
        "deploy" => match outcome.undone.len() {
            0 => format!("{} deployed by this command; {there}", steps(outcome.done.len())),
            undone => {
                format!(
                    "{} deployed by this command, {undone} of them undone again; {there}",
                    steps(outcome.done.len())
                )
            }
        },
        "revert" if outcome.done.is_empty() && outcome.verdict == Verdict::Yes => {
            format!("nothing to revert; {there}")
        }
        "revert" => format!("{} reverted; {there}", steps(outcome.done.len())),
        "verify" => {
            let held = outcome.steps.iter().filter(|step| step.verified == Some(Verdict::Yes)).count();
            format!("{held} of {deployed} deployed hold in `{database}`")
        }
        _ => there,
    }
}
