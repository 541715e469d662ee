//! `switchback checkpoints`.

use std::path::{Path, PathBuf};

use switchback_core::plan::{Findings, relative};
use switchback_core::port::PortError;
use switchback_core::verdict::Verdict;
use switchback_documents::checkpoints::{self, CheckpointsOptions, CheckpointsPlan, Rules};

use super::Context;
use super::moving::refuse_dirty;
use crate::document_args::{
    CheckpointsCommand, CheckpointsListArgs, CheckpointsMigrateArgs, CheckpointsVerifyArgs,
};
use crate::failure::Failure;

/// How many files are shown to a person; all of them are in the JSON.
const SHOWN_MAX: usize = 100;

pub(crate) fn checkpoints(context: &Context<'_>, command: &CheckpointsCommand) -> Result<Verdict, Failure> {
    match command {
        CheckpointsCommand::List(args) => list(context, args),
        CheckpointsCommand::Migrate(args) => migrate(context, args),
        CheckpointsCommand::Verify(args) => verify(context, args),
    }
}

fn list(context: &Context<'_>, args: &CheckpointsListArgs) -> Result<Verdict, Failure> {
    let options = options(context, &args.directory, args.rules.as_deref())?;
    let found = look(context, &options)?;
    let verdict = match () {
        () if found.files.is_empty() => Verdict::Unknown,
        () if found.against().is_empty() => Verdict::Yes,
        () => Verdict::No,
    };
    if context.ui.json {
        context.ui.document(&found.to_json("list", verdict));
        return Ok(verdict);
    }
    show_files(context, &found, |_| true);
    end(context, verdict, &found.against(), &found.summary());
    Ok(verdict)
}

fn verify(context: &Context<'_>, args: &CheckpointsVerifyArgs) -> Result<Verdict, Failure> {
    let options = options(context, &args.directory, Some(&args.rules))?;
    let found = look(context, &options)?;
    let verdict = found.verified();
    if context.ui.json {
        context.ui.document(&found.to_json("verify", verdict));
        return Ok(verdict);
    }
    let mut against = found.against();
    let is_behind = against.is_empty() && verdict == Verdict::No;
    against.extend(found.behind());
    if is_behind {
        let next = "`switchback checkpoints migrate` with the same rules shows what would become of them";
        context.ui.refusal(verdict.spoken(), some_of(&against), next);
        context.ui.note(&format!("{}: {}", context.ui.verdict(verdict), found.summary()));
        return Ok(verdict);
    }
    if verdict == Verdict::Unknown {
        against
            .push("not every document has a schema of its version in the rules, or there is none".to_owned());
    }
    end(context, verdict, &against, &found.summary());
    Ok(verdict)
}

fn migrate(context: &Context<'_>, args: &CheckpointsMigrateArgs) -> Result<Verdict, Failure> {
    let options = options(context, &args.directory, Some(&args.rules))?;
    let world = &context.ports.world;
    let planned = checkpoints::plan(world.disk.as_ref(), &options).map_err(PortError::from)?;
    let verdict = planned.verdict();
    let has_changes = planned.files.iter().any(checkpoints::Checkpoint::changes);
    let is_written = args.write && verdict == Verdict::Yes && has_changes;
    if is_written {
        let paths: Vec<String> =
            planned.puts().iter().map(|(path, _)| path.to_string_lossy().into_owned()).collect();
        if !args.allow_dirty {
            refuse_dirty(context, "the migration", paths.iter().map(String::as_str))?;
        }
        let typed = format!(
            "switchback checkpoints migrate {} --rules {}",
            args.directory.display(),
            args.rules.display()
        );
        checkpoints::write(world, &planned, &typed).map_err(|error| Failure::writing_checkpoints(&error))?;
    }
    if context.ui.json {
        let mut document = planned.to_json("migrate", verdict);
        document["written"] = serde_json::json!(is_written);
        context.ui.document(&document);
        return Ok(verdict);
    }
    show_files(context, &planned, checkpoints::Checkpoint::changes);
    let mut against = planned.against();
    if verdict == Verdict::Unknown {
        against.push("no document was found: nothing would be proved".to_owned());
    }
    let done = match (is_written, args.write) {
        (true, _) => "written; `switchback undo` takes it back",
        (false, true) if verdict == Verdict::Yes => "nothing was to be written",
        (false, true) => "nothing was written",
        (false, false) => "nothing was touched; `--write` writes it",
    };
    end(context, verdict, &against, &format!("{}; {done}", planned.summary()));
    Ok(verdict)
}

fn options(
    context: &Context<'_>,
    directory: &Path,
    rules: Option<&Path>,
) -> Result<CheckpointsOptions, Failure> {
    let rules = match rules {
        Some(path) => {
            Rules::load(&context.root, path, context.ports.world.disk.as_ref()).map_err(PortError::from)?
        }
        None => Rules::none(),
    };
    Ok(CheckpointsOptions { root: context.root.clone(), directory: within(directory)?, rules })
}

/// A directory of the project: what is written is kept there for the undo.
fn within(directory: &Path) -> Result<PathBuf, Failure> {
    let findings = Findings::new("");
    let typed = directory.to_string_lossy();
    relative(typed.trim_end_matches('/'), 0, "DIR", &findings).ok_or_else(|| {
        let causes = findings.into_sorted().into_iter().map(|one| one.message).collect();
        let hint = "name a folder of the project, relative to it; `--project` names the project";
        Failure::new(format!("`{typed}` is no directory of checkpoints"), causes, hint)
    })
}

fn look(context: &Context<'_>, options: &CheckpointsOptions) -> Result<CheckpointsPlan, Failure> {
    let disk = context.ports.world.disk.as_ref();
    Ok(checkpoints::list(disk, options).map_err(PortError::from)?)
}

fn show_files(
    context: &Context<'_>,
    found: &CheckpointsPlan,
    is_shown: impl Fn(&checkpoints::Checkpoint) -> bool,
) {
    let shown: Vec<_> = found.files.iter().filter(|file| is_shown(file)).collect();
    for file in shown.iter().take(SHOWN_MAX) {
        context.ui.show(&file.told());
    }
    if shown.len() > SHOWN_MAX {
        context.ui.show(&format!("and {} more; `--json` lists them", shown.len() - SHOWN_MAX));
    }
}

fn end(context: &Context<'_>, verdict: Verdict, against: &[String], words: &str) {
    let ui = context.ui;
    let next =
        if against.is_empty() { "" } else { "correct the rules or the documents: see `docs/checkpoints.md`" };
    ui.refusal(verdict.spoken(), some_of(against), next);
    ui.note(&format!("{}: {words}", ui.verdict(verdict)));
}

fn some_of(lines: &[String]) -> &[String] {
    lines.get(..SHOWN_MAX.min(lines.len())).unwrap_or_default()
}
