//! `switchback config`.

use std::path::{Path, PathBuf};

use serde_json::{Value as Json, json};
use switchback_config::conformance::{conformance, is_schema};
use switchback_config::error::ConfigError;
use switchback_config::layers::leaves;
use switchback_config::layout::Layout;
use switchback_config::merging::{ConfigMerge, plan};
use switchback_config::path::KeyPath;
use switchback_config::ports::{merge_request, read_as};
use switchback_config::probe::probe;
use switchback_config::resolve::{ResolveRequest, Resolved, diff, diff_json, resolve};
use switchback_config::shown;
use switchback_core::configuration::{ConfigReading, ConfigRequest};
use switchback_core::tree::rewrite::rewrite;
use switchback_core::verdict::Verdict;

use super::Context;
use super::moving::refuse_dirty;
use crate::config_args::{
    ConfigArgs, ConfigCheckArgs, ConfigCommand, ConfigDiffArgs, ConfigExplainArgs, ConfigMergeArgs,
    ConfigResolveArgs, ReadingArgs,
};
use crate::failure::Failure;

/// How many lines of one kind are shown to a person; all of them are in the JSON.
const SHOWN_MAX: usize = 200;

pub(crate) fn config(context: &Context<'_>, args: &ConfigArgs) -> Result<Verdict, Failure> {
    match &args.command {
        ConfigCommand::Merge(args) => merge(context, args),
        ConfigCommand::Resolve(args) => show_resolved(context, args),
        ConfigCommand::Diff(args) => show_diff(context, args),
        ConfigCommand::Explain(args) => explain(context, args),
        ConfigCommand::Check(args) => check(context, args),
    }
}

fn reading_of(reading: &ReadingArgs) -> ConfigReading {
    ConfigReading { loader: reading.loader.clone(), placeholders: reading.placeholders.clone() }
}

fn failure(error: ConfigError) -> Failure {
    let line = (error.line > 0).then_some(error.line as usize);
    Failure {
        message: "could not read the configuration".to_owned(),
        causes: vec![error.to_string()],
        hint: error.hint,
        path: error.path.map(PathBuf::from),
        line,
    }
}

fn merge(context: &Context<'_>, args: &ConfigMergeArgs) -> Result<Verdict, Failure> {
    let world = &context.ports.world;
    let environments = args.reading.environments.clone().unwrap_or_else(|| {
        let folder = args.master.parent().unwrap_or(Path::new(""));
        let ending = args.master.extension().unwrap_or_default().to_string_lossy();
        folder.join("environments").join(format!("{{name}}.{ending}")).to_string_lossy().into_owned()
    });
    let request = ConfigRequest {
        fragments: args.fragments.clone(),
        rules: args.rules.clone(),
        master: args.master.clone(),
        environments,
        names: args.names.clone(),
        later_wins: args.later_wins,
        removes_fragments: args.remove_fragments,
        reading: reading_of(&args.reading),
    };
    let request = merge_request(world, &context.root, &request).map_err(failure)?;
    let planned = plan(world, &context.root, &request).map_err(failure)?;
    let is_written = args.write && planned.verdict() == Verdict::Yes;
    if is_written {
        let puts = planned.puts();
        if !args.allow_dirty {
            let paths: Vec<String> =
                puts.iter().map(|(path, _)| path.to_string_lossy().into_owned()).collect();
            refuse_dirty(context, "the configuration", paths.iter().map(String::as_str))?;
        }
        let typed = format!("switchback config merge --master {}", args.master.display());
        rewrite(world, &context.root, &typed, &puts)
            .map_err(|error| Failure::rewriting("could not write the configuration", &error))?;
    }
    show_merge(context, args, &planned, is_written);
    Ok(planned.verdict())
}

fn show_merge(context: &Context<'_>, args: &ConfigMergeArgs, planned: &ConfigMerge, is_written: bool) {
    let ui = context.ui;
    if ui.json {
        let mut document = planned.to_json();
        document["written"] = json!(is_written);
        ui.document(&document);
        return;
    }
    let told = planned.told();
    for line in told.iter().take(SHOWN_MAX) {
        ui.show(line);
    }
    if told.len() > SHOWN_MAX {
        ui.show(&format!("and {} more; `--json` lists them", told.len() - SHOWN_MAX));
    }
    if !is_written {
        for (path, text) in &planned.files {
            ui.show(&format!("--- {}", path.display()));
            ui.show(text.trim_end());
        }
    }
    let next = "decide each with `[[decide]] key = \"…\" take = \"FRAGMENT\"` in the file of `--rules`, or say with `at` where a \
                fragment goes, or with `--later-wins` that they layer";
    let against = planned.against();
    if !against.is_empty() {
        ui.refusal("no", &against, next);
    }
    if planned.comments_lost > 0 {
        ui.note(&format!("{} comments are not kept in this format", planned.comments_lost));
    }
    let done = match (is_written, args.write) {
        (true, _) => "written; `switchback undo` takes it back",
        (false, true) => "nothing was written",
        (false, false) => "nothing was touched; `--write` writes it",
    };
    ui.note(&format!("{}: {}; {done}", ui.verdict(planned.verdict()), planned.summary()));
}

fn request_of(
    path: &Path,
    environment: Option<&String>,
    reading: &ReadingArgs,
    keeps_placeholders: bool,
) -> Result<ResolveRequest, Failure> {
    let mut layout = Layout::default();
    read_as(&mut layout, &reading_of(reading)).map_err(failure)?;
    Ok(ResolveRequest {
        path: path.to_owned(),
        environment: environment.cloned(),
        environments: reading.environments.clone(),
        layout,
        keeps_placeholders,
    })
}

fn resolved(context: &Context<'_>, request: &ResolveRequest) -> Result<Resolved, Failure> {
    resolve(&context.ports.world, &context.root, request).map_err(failure)
}

fn show_resolved(context: &Context<'_>, args: &ConfigResolveArgs) -> Result<Verdict, Failure> {
    let request = request_of(&args.master, args.environment.as_ref(), &args.reading, args.keep_placeholders)?;
    let found = resolved(context, &request)?;
    let keys = leaves(&found.root);
    let verdict =
        if keys.iter().any(|(path, _)| !path.steps().is_empty()) { Verdict::Yes } else { Verdict::Unknown };
    let ui = context.ui;
    if ui.json {
        let mut document = found.to_json(&request);
        document["verdict"] = json!(verdict.word());
        ui.document(&document);
        return Ok(verdict);
    }
    for (path, node) in &keys {
        let origin =
            if args.show_origin { format!("  # {}", found.origin(path, node)) } else { String::new() };
        ui.show(&format!("{path} = {}{origin}", found.shown(path, node)));
    }
    ui.note(&format!("{}: {} keys", ui.verdict(verdict), keys.len()));
    Ok(verdict)
}

fn show_diff(context: &Context<'_>, args: &ConfigDiffArgs) -> Result<Verdict, Failure> {
    let of =
        |path: &Path| resolved(context, &request_of(path, args.environment.as_ref(), &args.reading, true)?);
    // A layout of fragments has its environments in itself; a master needs the override of one.
    let (old, new) = (of(&args.old)?, of(&args.new)?);
    let found = diff(&old, &new);
    let document = diff_json(&found, &old, &new);
    let verdict = match document["verdict"].as_str() {
        Some("yes") => Verdict::Yes,
        Some("no") => Verdict::No,
        _ => Verdict::Unknown,
    };
    let ui = context.ui;
    if ui.json {
        ui.document(&document);
        return Ok(verdict);
    }
    for difference in &found {
        let side = |node: &Option<switchback_config::value::Node>| {
            node.as_ref()
                .map(|node| format!("{} ({})", shown::line(&difference.path, node), node.value.type_name()))
        };
        let line = match (side(&difference.old), side(&difference.new)) {
            (Some(old), Some(new)) => format!("{old} → {new}"),
            (Some(old), None) => format!("lost: {old}"),
            (None, new) => format!("added: {}", new.unwrap_or_default()),
        };
        ui.show(&format!("{}: {line}", difference.path));
    }
    ui.note(&format!("{}: {} differences", ui.verdict(verdict), found.len()));
    Ok(verdict)
}

fn explain(context: &Context<'_>, args: &ConfigExplainArgs) -> Result<Verdict, Failure> {
    let path = KeyPath::parse_shown(&args.key).map_err(|why| {
        Failure::new(
            format!("`{}` names no key: {why}", args.key),
            Vec::new(),
            "write it as `a.b`, or `a.\"b.c\"`",
        )
    })?;
    let Some(master) = &args.master else {
        let hint = "name it: `--master config/pipeline.yml`";
        return Err(Failure::new("no configuration is named", Vec::new(), hint));
    };
    let request = request_of(master, args.environment.as_ref(), &args.reading, false)?;
    let found = resolved(context, &request)?;
    let (said, holds) = found.explain(&path).map_err(failure)?;
    let ui = context.ui;
    if ui.json {
        let layer = |(name, node): &(String, switchback_config::value::Node)| {
            json!({
                "layer": name,
                "line": (node.origin.line > 0).then_some(node.origin.line),
                "type": node.value.type_name(),
                "value": shown::json(&path, &node.value),
            })
        };
        ui.document(&json!({
            "schema": "switchback/config/1",
            "verdict": "yes",
            "action": "explain",
            "key": path.to_string(),
            "environment": args.environment,
            "value": found.shown(&path, &holds),
            "type": holds.value.type_name(),
            "origin": found.origin(&path, &holds),
            "layers": said.iter().map(layer).collect::<Vec<Json>>(),
        }));
        return Ok(Verdict::Yes);
    }
    for (name, node) in &said {
        let place = if node.origin.line > 0 { format!("{name}:{}", node.origin.line) } else { name.clone() };
        ui.show(&format!("{place}: {} ({})", shown::line(&path, node), node.value.type_name()));
    }
    ui.show(&format!("{path} = {}  # {}", found.shown(&path, &holds), found.origin(&path, &holds)));
    Ok(Verdict::Yes)
}

fn check(context: &Context<'_>, args: &ConfigCheckArgs) -> Result<Verdict, Failure> {
    let request = request_of(&args.master, args.environment.as_ref(), &args.reading, true)?;
    let old = resolved(context, &request)?;
    let example = resolved(context, &request_of(&args.against, None, &args.reading, true)?)?;
    let ui = context.ui;
    if is_schema(&example.root) {
        let found = conformance(&old, &example.root, &args.against.to_string_lossy()).map_err(failure)?;
        if ui.json {
            ui.document(&found.to_json());
            return Ok(found.verdict());
        }
        for line in found.told() {
            ui.show(&line);
        }
        ui.note(&format!("{}: {} keys looked at", ui.verdict(found.verdict()), found.keys));
        return Ok(found.verdict());
    }
    let found = probe(&old.root, &example.root);
    if ui.json {
        ui.document(&found.to_json(&old, &example));
        return Ok(found.verdict());
    }
    for line in found.told(&old) {
        ui.show(&line);
    }
    ui.note(&format!("{}: {} keys looked at", ui.verdict(found.verdict()), found.keys));
    Ok(found.verdict())
}
