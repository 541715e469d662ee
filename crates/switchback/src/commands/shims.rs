//! `switchback shims`.

use switchback_core::verdict::Verdict;
use switchback_python::graph::ImportsOptions;
use switchback_python::standing::shims as list;

use super::Context;
use super::moving::checked_day;
use crate::cli::ShimsArgs;
use crate::failure::Failure;

pub(crate) fn shims(context: &Context<'_>, args: &ShimsArgs) -> Result<Verdict, Failure> {
    let due = args.due.as_deref().map(|day| checked_day("--due", day)).transpose()?;
    let options = ImportsOptions {
        root: context.root.clone(),
        source_roots: args.source_roots.clone(),
        python_path: Vec::new(),
    };
    let outcome = list(context.ports.world.disk.clone(), &options, due)
        .map_err(|error| Failure::reading_code("could not look for shims", &error))?;
    let ui = context.ui;
    if ui.json {
        ui.document(&outcome.to_json());
        return Ok(outcome.verdict());
    }
    for shim in &outcome.shims {
        let until = shim.note.until.as_ref().map(|until| format!(", until {until}")).unwrap_or_default();
        let due = if shim.is_due { " (due)" } else { "" };
        ui.show(&format!(
            "{}: {} is {} since {}{until}{due}; used by {} modules",
            shim.path,
            shim.note.old,
            shim.note.new,
            shim.note.since,
            shim.used_by.len()
        ));
        for (module, line) in &shim.used_by {
            ui.show(&format!("  {module}, line {line}"));
        }
    }
    ui.show(&format!("{}: {} shims", ui.verdict(outcome.verdict()), outcome.shims.len()));
    Ok(outcome.verdict())
}
