//! `switchback shims`.

use switchback_core::quantity::{counted, day_of};
use switchback_core::verdict::Verdict;
use switchback_python::graph::ImportsOptions;
use switchback_python::routes::RoutesError;
use switchback_python::standing::{ShimsOptions, shims as list};

use super::Context;
use super::moving::checked_day;
use crate::cli::ShimsArgs;
use crate::failure::Failure;

pub(crate) fn shims(context: &Context<'_>, args: &ShimsArgs) -> Result<Verdict, Failure> {
    let world = &context.ports.world;
    let day = match args.due.as_deref() {
        Some(day) => checked_day("--due", day)?.to_owned(),
        None => day_of(world.clock.now()).to_string(),
    };
    let imports = ImportsOptions {
        root: context.root.clone(),
        source_roots: args.source_roots.clone(),
        python_path: Vec::new(),
    };
    let options = ShimsOptions { imports, day, refuses_undated: false };
    let outcome = list(&world.disk, &options).map_err(|error| {
        let what = "could not look for old names";
        match error {
            RoutesError::Disk(error) => Failure::reading_code(what, &error),
            RoutesError::Threads(_) => {
                Failure::new(what, vec![error.to_string()], "try again with less running beside it")
            }
        }
    })?;
    let ui = context.ui;
    if ui.json {
        ui.document(&outcome.to_json());
        return Ok(outcome.verdict());
    }
    for line in outcome.told() {
        ui.show(&line);
    }
    let count = counted(outcome.shims.len() as u64, "old name");
    let due = outcome.shims.iter().filter(|shim| shim.is_due).count();
    ui.show(&format!("{}: {count}, {due} due on {}", ui.verdict(outcome.verdict()), outcome.day));
    Ok(outcome.verdict())
}
