//! `switchback routes`.

use std::path::Path;

use serde_json::Value;
use switchback_core::verdict::Verdict;
use switchback_python::routes::{CompareRoutesOptions, RoutesOptions, compare_routes, routes as list};

use super::Context;
use super::api::moved;
use crate::cli::RoutesArgs;
use crate::failure::Failure;

pub(crate) fn routes(context: &Context<'_>, args: &RoutesArgs) -> Result<Verdict, Failure> {
    let disk = &context.ports.world.disk;
    let side = |path: &Path| RoutesOptions {
        root: context.root.join(path),
        source_roots: args.source_roots.clone(),
        with_tests: args.with_tests,
    };
    let refused = |error: &dyn std::error::Error| {
        let hint = "name folders that hold code";
        Failure::new("could not read the routes", vec![error.to_string()], hint)
    };
    let (Some(old), Some(new)) = (&args.old, &args.new) else {
        let options = RoutesOptions { root: context.root.clone(), ..side(Path::new("")) };
        let found = list(disk.clone(), &options).map_err(|error| refused(&error))?;
        return Ok(show(context, found.verdict(), &found.to_json(), &found.told(), &found.summary()));
    };
    let options = CompareRoutesOptions { old: side(old), new: side(new), moved: moved(&args.moved)? };
    let found = compare_routes(disk, &options).map_err(|error| refused(&error))?;
    Ok(show(context, found.verdict(), &found.to_json(), &found.told(), &found.summary()))
}

fn show(
    context: &Context<'_>,
    verdict: Verdict,
    document: &Value,
    told: &[String],
    summary: &str,
) -> Verdict {
    let ui = context.ui;
    if ui.json {
        ui.document(document);
        return verdict;
    }
    for line in told {
        ui.show(line);
    }
    ui.show(&format!("{}: {summary}", ui.verdict(verdict)));
    verdict
}
