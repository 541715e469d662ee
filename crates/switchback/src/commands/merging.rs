//! `switchback merge`.

use std::path::PathBuf;

use switchback_core::code::MergeRequest;
use switchback_core::port::PortError;
use switchback_core::verdict::Verdict;
use switchback_python::merging::{MergePlan, WriteChoice, plan, puts, write};
use switchback_python::ports::merge_options;

use super::Context;
use super::moving::refuse_dirty;
use crate::cli::MergeArgs;
use crate::failure::Failure;

/// How many lines of one kind are shown to a person; all of them are in the JSON.
const SHOWN_MAX: usize = 200;

pub(crate) fn merging(context: &Context<'_>, args: &MergeArgs) -> Result<Verdict, Failure> {
    let world = &context.ports.world;
    let request = MergeRequest {
        source: args.source.clone(),
        target: args.target.clone(),
        base: args.base.clone(),
        rules: args.rules.clone(),
        source_roots: args.source_roots.clone(),
        removes_source: args.remove_source,
    };
    let options = merge_options(world, &context.root, &request)?;
    let planned = plan(world, &options).map_err(|error| PortError::from(&error))?;
    if let Some(file) = &args.ask {
        let place = context.root.join(file);
        let text = planned.open_decisions();
        world.disk.write_new(&place, 0o644, &mut text.as_bytes()).map_err(|error| {
            let hint = "name a file that is not there yet; nothing was written";
            Failure::new("could not write the open decisions", vec![error.to_string()], hint)
        })?;
    }
    let choice = WriteChoice { with_markers: args.with_markers };
    let is_written = args.write && (planned.verdict() == Verdict::Yes || args.with_markers);
    if is_written {
        if !args.allow_dirty {
            let paths = puts(&planned, choice).map_err(|error| Failure::writing_merge(&error))?;
            let paths: Vec<String> =
                paths.iter().map(|(path, _)| path.to_string_lossy().into_owned()).collect();
            refuse_dirty(context, "the merge", paths.iter().map(String::as_str))?;
        }
        write(world, &planned, choice, &typed(args)).map_err(|error| Failure::writing_merge(&error))?;
    }
    show(context, args, &planned, is_written);
    Ok(planned.verdict())
}

fn typed(args: &MergeArgs) -> String {
    let with = |option: &str, path: &Option<PathBuf>| {
        path.as_ref().map(|path| format!(" {option} {}", path.display())).unwrap_or_default()
    };
    let base = args.base.as_ref().map(|base| format!(" --base {base}")).unwrap_or_default();
    format!("switchback merge {} {}{base}{}", args.source, args.target, with("--rules", &args.rules))
}

fn show(context: &Context<'_>, args: &MergeArgs, plan: &MergePlan, is_written: bool) {
    let ui = context.ui;
    if ui.json {
        let mut document = plan.to_json();
        document["written"] = serde_json::json!(is_written);
        ui.document(&document);
        return;
    }
    let told = plan.told();
    for line in told.iter().take(SHOWN_MAX) {
        ui.show(line);
    }
    if told.len() > SHOWN_MAX {
        ui.show(&format!("and {} more; `--json` lists them", told.len() - SHOWN_MAX));
    }
    let next = match (plan.open(), &args.ask) {
        (0, _) => "",
        (_, Some(_)) => "fill the decisions in, and give the file as `--rules`",
        (_, None) => "`--ask FILE` writes the decisions that are open into a file, to be given as `--rules`",
    };
    ui.refusal("no", &plan.against(), next);
    if let Some(line) = plan.source_told().filter(|_| is_written) {
        ui.note(&line);
    }
    let done = match (is_written, args.write) {
        (true, _) => "written; `switchback undo` takes it back",
        (false, true) => "nothing was written",
        (false, false) => "nothing was touched; `--write` writes it",
    };
    ui.note(&format!("{}: {}; {done}", ui.verdict(plan.verdict()), plan.summary()));
}
