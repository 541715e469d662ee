//! `switchback imports`.

use switchback_core::verdict::Verdict;
use switchback_python::graph::{ImportsOptions, ImportsOutcome, imports as resolve};

use super::Context;
use crate::cli::{GraphFormat, ImportsAction, ImportsArgs};
use crate::failure::Failure;

pub(crate) fn imports(context: &Context<'_>, args: &ImportsArgs) -> Result<Verdict, Failure> {
    let options = ImportsOptions {
        root: context.root.clone(),
        source_roots: args.source_roots.clone(),
        python_path: args.python_path.clone(),
    };
    let outcome = resolve(context.ports.world.disk.clone(), &options)
        .map_err(|error| Failure::reading_code("could not look through the imports", &error))?;
    let Some(ImportsAction::Graph { of, format }) = &args.action else {
        if context.ui.json {
            context.ui.document(&outcome.to_json());
        } else {
            show(context, &outcome);
        }
        return Ok(outcome.verdict());
    };
    let of = of.as_deref();
    if context.ui.json || *format == GraphFormat::Json {
        context.ui.document(&outcome.graph_json(of));
    } else {
        context.ui.text(&outcome.graph_dot(of));
    }
    Ok(if outcome.edges_of(of).is_empty() { Verdict::Unknown } else { Verdict::Yes })
}

fn show(context: &Context<'_>, outcome: &ImportsOutcome) {
    let ui = context.ui;
    for missing in &outcome.missing {
        let import = &missing.import;
        let optional = if missing.is_optional { " (the code is ready for it)" } else { "" };
        ui.show(&format!("{}:{}: {}{optional}", import.path, import.line, import.why));
    }
    for (path, line, why) in &outcome.unparsed {
        ui.show(&format!("{path}:{line}: it does not parse: {why}"));
    }
    for cycle in &outcome.cycles {
        ui.show(&format!("circle: {}", cycle.join(", ")));
    }
    ui.show(&format!(
        "{}: {} imports in {} modules, {} of other projects not looked up; {} unresolved",
        ui.verdict(outcome.verdict()),
        outcome.imports,
        outcome.modules,
        outcome.external,
        outcome.missing.len()
    ));
}
