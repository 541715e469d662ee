//! `switchback imports`.

use std::path::PathBuf;

use serde_json::Value;
use switchback_core::verdict::Verdict;
use switchback_core::world::DiskError;
use switchback_python::graph::{ImportsOptions, ImportsOutcome, imports as resolve};
use switchback_python::outside::{OutsideOptions, outside as look_outside};
use switchback_python::referrers::{ReferencesOptions, references as find_references};

use super::Context;
use crate::cli::{GraphFormat, ImportsAction, ImportsArgs};
use crate::failure::Failure;

pub(crate) fn imports(context: &Context<'_>, args: &ImportsArgs) -> Result<Verdict, Failure> {
    let options = ImportsOptions {
        root: context.root.clone(),
        source_roots: args.source_roots.clone(),
        python_path: args.python_path.clone(),
    };
    let (of, format) = match &args.action {
        Some(ImportsAction::References { of }) => return references(context, args, of.as_deref()),
        Some(ImportsAction::Outside { python, environments }) => {
            return from_outside(context, &options, python.as_deref(), environments);
        }
        Some(ImportsAction::Graph { of, format }) => (of, format),
        None => return resolved(context, &options),
    };
    let outcome = resolve(context.ports.world.disk.clone(), &options).map_err(|error| unread(&error))?;
    let of = of.as_deref();
    if context.ui.json || *format == GraphFormat::Json {
        context.ui.document(&outcome.graph_json(of));
    } else {
        context.ui.text(&outcome.graph_dot(of));
    }
    Ok(if outcome.edges_of(of).is_empty() { Verdict::Unknown } else { Verdict::Yes })
}

fn unread(error: &DiskError) -> Failure {
    Failure::reading_code("could not look through the imports", error)
}

fn resolved(context: &Context<'_>, options: &ImportsOptions) -> Result<Verdict, Failure> {
    let outcome = resolve(context.ports.world.disk.clone(), options).map_err(|error| unread(&error))?;
    if context.ui.json {
        context.ui.document(&outcome.to_json());
    } else {
        show(context, &outcome);
    }
    Ok(outcome.verdict())
}

fn references(context: &Context<'_>, args: &ImportsArgs, of: Option<&str>) -> Result<Verdict, Failure> {
    let options = ReferencesOptions {
        root: context.root.clone(),
        source_roots: args.source_roots.clone(),
        of: of.map(ToOwned::to_owned),
    };
    let outcome = find_references(&context.ports.world.disk, &options).map_err(|error| {
        let hint = "name the folder that holds the code with `--project`";
        Failure::new("could not look for references", vec![error.to_string()], hint)
    })?;
    tell(context, &outcome.to_json(), &outcome.told());
    Ok(outcome.verdict())
}

fn from_outside(
    context: &Context<'_>,
    options: &ImportsOptions,
    python: Option<&str>,
    environments: &[PathBuf],
) -> Result<Verdict, Failure> {
    let mut outside = OutsideOptions {
        environments: environments.iter().map(|folder| context.root.join(folder)).collect(),
        search_folders: options.python_path.clone(),
        ..OutsideOptions::default()
    };
    if let Some(version) = python {
        let minor = version.strip_prefix("3.").and_then(|minor| minor.parse().ok());
        outside.python_minor = minor.ok_or_else(|| {
            let message = format!("`--python {version}` is no version");
            Failure::new(message, Vec::new(), "write it as `3.12`")
        })?;
    }
    let outcome = look_outside(&context.ports.world.disk, options, &outside).map_err(|error| {
        let hint = "correct the option, or name the folder that holds the code with `--project`";
        Failure::new("could not look up what is imported from outside", vec![error.to_string()], hint)
    })?;
    tell(context, &outcome.to_json(), &outcome.told());
    Ok(outcome.verdict())
}

fn tell(context: &Context<'_>, document: &Value, told: &[String]) {
    if context.ui.json {
        context.ui.document(document);
        return;
    }
    for line in told {
        context.ui.show(line);
    }
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
