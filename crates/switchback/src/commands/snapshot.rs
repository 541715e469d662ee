//! `switchback snapshot create|list|show|check|restore|diff|forget`.

use serde_json::{Value, json};
use switchback_core::manifest::EntryCounts;
use switchback_core::phase::{Project, StepError, Work, snapshot as step};
use switchback_core::port::{SnapshotReader, SnapshotRecord, Vault};
use switchback_core::verdict::Verdict;

use super::Context;
use crate::cli::{Kept, SnapshotCommand};
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
            if work.project.plan.snapshot.remote.is_some() {
                let sent = work.project.remote().map_err(doing)?.send(&record.id)?;
                context
                    .ui
                    .note(&format!("copied elsewhere: {} files, {} bytes sent", sent.files, sent.bytes));
            }
            show_list(context, Verdict::Yes, &[record], &json!({}));
            Ok(Verdict::Yes)
        }
        SnapshotCommand::List { from } => {
            let records = reader(&project, *from)?.list()?;
            let verdict = if records.is_empty() { Verdict::Unknown } else { Verdict::Yes };
            if records.is_empty() {
                context.ui.note("there is no snapshot; `switchback snapshot create` makes one");
            }
            show_list(context, verdict, &records, &json!({}));
            Ok(verdict)
        }
        SnapshotCommand::Show { id, from } => show(context, reader(&project, *from)?.as_ref(), id),
        SnapshotCommand::Check { id, from } => {
            check(context, reader(&project, *from)?.as_ref(), id.as_deref())
        }
        SnapshotCommand::Restore { id, paths, into, from } => {
            let into = std::path::absolute(into).unwrap_or_else(|_| into.clone());
            let record = reader(&project, *from)?.restore(id, paths, &into)?;
            context.ui.note(&format!("restored into {}", into.display()));
            show_list(context, Verdict::Yes, &[record], &json!({"into": into.display().to_string()}));
            Ok(Verdict::Yes)
        }
        SnapshotCommand::Diff { id, other } => diff(context, &project, id, other.as_deref()),
        SnapshotCommand::Forget { ids, keep_last, dry_run } => {
            let chosen = chosen(&project, vault.as_ref(), ids, *keep_last)?;
            forget(context, vault.as_ref(), &chosen, *dry_run)
        }
    }
}

/// The snapshots of the project: its own, or their copies elsewhere.
fn reader(project: &Project, from: Kept) -> Result<Box<dyn SnapshotReader>, Failure> {
    match from {
        Kept::Local => Ok(project.vault()),
        Kept::Remote => {
            let remote = project.remote();
            Ok(remote.map_err(|error| Failure::doing("could not reach the copies elsewhere", error))?)
        }
    }
}

/// Everything that differs, entry by entry; equal is *yes*.
fn diff(context: &Context<'_>, project: &Project, id: &str, other: Option<&str>) -> Result<Verdict, Failure> {
    let vault = project.vault();
    let (record, old) = vault.show(id)?;
    let (what, new) = if let Some(other) = other {
        let (other, manifest) = vault.show(other)?;
        (other.id, manifest)
    } else {
        let doing = |error| Failure::doing("could not look at what is live", error);
        ("live".to_owned(), step::live_manifest(project, &record.paths).map_err(doing)?)
    };
    let found = old.differences(&new);
    let verdict = if found.is_empty() { Verdict::Yes } else { Verdict::No };
    for difference in &found {
        context.ui.show(&format!("  {}: {}", difference.path.display(), difference.what.word()));
    }
    let counts = EntryCounts::of(&found);
    context.ui.show(&format!("{}: {} entries, {counts}", context.ui.verdict(verdict), old.entries.len()));
    if context.ui.json {
        let differences: Vec<Value> = found
            .iter()
            .map(|one| json!({"path": one.path.display().to_string(), "what": one.what.word()}))
            .collect();
        context.ui.document(&json!({
            "schema": "switchback/snapshot/1",
            "verdict": verdict.word(),
            "snapshots": [self::record(&record)],
            "against": what,
            "differences": differences,
        }));
    }
    Ok(verdict)
}

/// What is to be removed. What is asked for by its id and needed is refused; of a rule, it is left out.
fn chosen(
    project: &Project,
    vault: &dyn Vault,
    ids: &[String],
    keep_last: Option<usize>,
) -> Result<Vec<SnapshotRecord>, Failure> {
    let doing = |error| Failure::doing("could not forget snapshots", error);
    let needed = step::needed(project).map_err(doing)?;
    let records = vault.list()?;
    if let Some(keep) = keep_last {
        let gone = records.len().saturating_sub(keep.max(1));
        let is_free = |record: &SnapshotRecord| !needed.iter().any(|(id, _)| *id == record.id);
        return Ok(records.into_iter().take(gone).filter(is_free).collect());
    }
    let mut chosen = Vec::new();
    for id in ids {
        let (record, _) = vault.show(id)?;
        if let Some((_, phase)) = needed.iter().find(|(id, _)| *id == record.id) {
            let short = record.id.get(..12).unwrap_or(&record.id);
            return Err(doing(StepError::not_now(
                format!("snapshot {short} is the way back of the phase `{phase}`"),
                "it can be forgotten once a later run has begun",
            )));
        }
        if !chosen.contains(&record) {
            chosen.push(record);
        }
    }
    Ok(chosen)
}

fn forget(
    context: &Context<'_>,
    vault: &dyn Vault,
    chosen: &[SnapshotRecord],
    dry_run: bool,
) -> Result<Verdict, Failure> {
    let ids: Vec<String> = chosen.iter().map(|record| record.id.clone()).collect();
    if dry_run || ids.is_empty() {
        context.ui.note(if ids.is_empty() { "nothing is to be forgotten" } else { "would forget:" });
        show_list(context, Verdict::Yes, chosen, &json!({"dry_run": dry_run}));
        return Ok(Verdict::Yes);
    }
    let forgotten = vault.forget(&ids)?;
    let kept = forgotten.kept.get(..12).unwrap_or(&forgotten.kept);
    context.ui.note(&format!("{} bytes freed; {kept} was read again", forgotten.freed_bytes));
    let more = json!({"forgotten": ids, "freed_bytes": forgotten.freed_bytes, "kept": forgotten.kept});
    show_list(context, Verdict::Yes, chosen, &more);
    Ok(Verdict::Yes)
}

fn show(context: &Context<'_>, vault: &dyn SnapshotReader, id: &str) -> Result<Verdict, Failure> {
    let (record, manifest) = vault.show(id)?;
    let entries: Vec<Value> =
        manifest.entries.iter().map(|entry| json!(entry.path.display().to_string())).collect();
    show_list(context, Verdict::Yes, &[record], &json!({"entries": entries}));
    for entry in &manifest.entries {
        context.ui.show(&format!("  {:06o} {}", entry.mode, entry.path.display()));
    }
    Ok(Verdict::Yes)
}

fn check(context: &Context<'_>, vault: &dyn SnapshotReader, id: Option<&str>) -> Result<Verdict, Failure> {
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
