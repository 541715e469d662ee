//! `switchback snapshot create|list|show|check|restore`.

use serde_json::{Value, json};
use switchback_core::phase::{Work, snapshot as step};
use switchback_core::port::{SnapshotRecord, Vault};
use switchback_core::verdict::Verdict;

use super::Context;
use crate::cli::SnapshotCommand;
use crate::failure::Failure;

pub(crate) fn snapshot(context: &Context<'_>, command: &SnapshotCommand) -> Result<Verdict, Failure> {
    let project = context.project()?;
    let vault = project.vault();
    match command {
        SnapshotCommand::Create { label } => {
            let doing = |error| Failure::doing("could not make the snapshot", error);
            let work = Work::begin(project, "snapshot", context.ui).map_err(doing)?;
            let request = step::request(&work, label).map_err(doing)?;
            let record = vault.create(&request)?;
            show_list(context, Verdict::Yes, &[record], &json!({}));
            Ok(Verdict::Yes)
        }
        SnapshotCommand::List => {
            let records = vault.list()?;
            let verdict = if records.is_empty() { Verdict::Unknown } else { Verdict::Yes };
            if records.is_empty() {
                context.ui.note("there is no snapshot; `switchback snapshot create` makes one");
            }
            show_list(context, verdict, &records, &json!({}));
            Ok(verdict)
        }
        SnapshotCommand::Show { id } => show(context, vault.as_ref(), id),
        SnapshotCommand::Check { id } => check(context, vault.as_ref(), id.as_deref()),
        SnapshotCommand::Restore { id, paths, into } => {
            let into = std::path::absolute(into).unwrap_or_else(|_| into.clone());
            let record = vault.restore(id, paths, &into)?;
            context.ui.note(&format!("restored into {}", into.display()));
            show_list(context, Verdict::Yes, &[record], &json!({"into": into.display().to_string()}));
            Ok(Verdict::Yes)
        }
    }
}

fn show(context: &Context<'_>, vault: &dyn Vault, id: &str) -> Result<Verdict, Failure> {
    let (record, manifest) = vault.show(id)?;
    let entries: Vec<Value> =
        manifest.entries.iter().map(|entry| json!(entry.path.display().to_string())).collect();
    show_list(context, Verdict::Yes, &[record], &json!({"entries": entries}));
    for entry in &manifest.entries {
        context.ui.show(&format!("  {:06o} {}", entry.mode, entry.path.display()));
    }
    Ok(Verdict::Yes)
}

fn check(context: &Context<'_>, vault: &dyn Vault, id: Option<&str>) -> Result<Verdict, Failure> {
    let checked = vault.check(id)?;
    let verdict = match (checked.snapshots, checked.findings.is_empty()) {
        (0, _) => Verdict::Unknown,
        (_, true) => Verdict::Yes,
        (_, false) => Verdict::No,
    };
    if checked.snapshots == 0 {
        context.ui.note("there is no snapshot; `switchback snapshot create` makes one");
    }
    for finding in &checked.findings {
        context.ui.show(&format!("  {finding}"));
    }
    context.ui.show(&format!("{}: {} snapshots read", context.ui.verdict(verdict), checked.snapshots));
    if context.ui.json {
        context.ui.document(&json!({
            "schema": "switchback/snapshot/1",
            "verdict": verdict.word(),
            "snapshots": [],
            "checked": checked.snapshots,
            "findings": checked.findings,
        }));
    }
    Ok(verdict)
}

fn show_list(context: &Context<'_>, verdict: Verdict, records: &[SnapshotRecord], more: &Value) {
    if context.ui.json {
        let snapshots: Vec<Value> = records.iter().map(record).collect();
        let mut document =
            json!({"schema": "switchback/snapshot/1", "verdict": verdict.word(), "snapshots": snapshots});
        for (name, value) in more.as_object().into_iter().flatten() {
            document[name] = value.clone();
        }
        context.ui.document(&document);
        return;
    }
    for record in records {
        let id = record.id.get(..12).unwrap_or(&record.id);
        context.ui.show(&format!(
            "{id}  {}  {} files  {} bytes  {}",
            record.time, record.files, record.bytes, record.label
        ));
    }
}

fn record(record: &SnapshotRecord) -> Value {
    let paths: Vec<String> = record.paths.iter().map(|path| path.display().to_string()).collect();
    json!({
        "id": record.id,
        "time": record.time,
        "label": record.label,
        "files": record.files,
        "bytes": record.bytes,
        "paths": paths,
    })
}
