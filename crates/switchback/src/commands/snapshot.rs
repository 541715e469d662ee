//! `switchback snapshot create|list|show|check|restore|diff|forget`.

use std::path::Path;

use serde_json::{Value, json};
use switchback_core::database::{self, Facts, Kind, Saved};
use switchback_core::manifest::{EntryCounts, Manifest};
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
            let made = step::create(&work, label).map_err(doing)?;
            if work.project.plan.snapshot.remote.is_some() {
                let sent = work.project.remote().map_err(doing)?.send(&made.record.id)?;
                context
                    .ui
                    .note(&format!("copied elsewhere: {} files, {} bytes sent", sent.files, sent.bytes));
            }
            show_list(context, Verdict::Yes, &[made.record], &json!({}));
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
        SnapshotCommand::Restore { id, into, database: Some(name), no_owner, from, .. } => {
            let reader = reader(&project, *from)?;
            bring_back(context, &project, reader.as_ref(), id, name, into, !no_owner)
        }
        SnapshotCommand::Restore { id, paths, into, from, .. } => {
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

/// Brings one database back.
fn bring_back(
    context: &Context<'_>,
    project: &Project,
    reader: &dyn SnapshotReader,
    id: &str,
    name: &str,
    into: &Path,
    has_owners: bool,
) -> Result<Verdict, Failure> {
    let doing = |error| Failure::doing("could not restore the database", error);
    let into = into.to_str().ok_or_else(|| {
        let why = format!("`{}` is not text", into.display());
        Failure::new("could not restore the database", vec![why], "name a target in plain characters")
    })?;
    let restored = database::restore(project, reader, id, name, into, has_owners).map_err(doing)?;
    let saved = &restored.saved;
    context.ui.note(&format!("restored into {}", restored.into));
    context.ui.show(&format!("{}: {}, the same as was saved", context.ui.verdict(Verdict::Yes), told(saved)));
    if context.ui.json {
        context.ui.document(&json!({
            "schema": "switchback/snapshot/1",
            "verdict": Verdict::Yes.word(),
            "snapshots": [record(&restored.record)],
            "databases": [database_json(saved)],
            "into": restored.into,
        }));
    }
    Ok(Verdict::Yes)
}

/// A database in one line.
fn told(saved: &Saved) -> String {
    let kind = saved.kind.word();
    if saved.tables.is_empty() && saved.kind == Kind::Duckdb {
        return format!("{kind} `{}`, {} bytes", saved.name, saved.bytes());
    }
    format!(
        "{kind} `{}`, {} tables, {} rows, {} bytes",
        saved.name,
        saved.tables.len(),
        saved.rows(),
        saved.bytes()
    )
}

fn database_json(saved: &Saved) -> Value {
    let tables: Vec<Value> =
        saved.tables.iter().map(|table| json!({"name": table.name, "rows": table.rows})).collect();
    json!({
        "name": saved.name,
        "kind": saved.kind.word(),
        "files": saved.files.iter().map(|file| file.name.clone()).collect::<Vec<_>>(),
        "bytes": saved.bytes(),
        "read_by": saved.read_by,
        "server": saved.server,
        "tables": tables,
    })
}

/// What the facts of a snapshot say, in lines.
fn show_facts(context: &Context<'_>, facts: &Facts) {
    for saved in &facts.databases {
        context.ui.show(&format!("  database {}", told(saved)));
    }
    if let Some(commit) = &facts.commit {
        let state = if commit.is_dirty { ", with changes that are not in it" } else { "" };
        context.ui.show(&format!("  commit {}{state}", commit.id));
    }
    let versions: Vec<String> =
        facts.versions.iter().map(|(name, version)| format!("{name} {version}")).collect();
    context.ui.show(&format!("  made with {}", versions.join(", ")));
}

fn facts_json(facts: &Facts) -> Value {
    json!({
        "time": facts.time,
        "host": facts.host,
        "commit": facts.commit.as_ref().map(|commit| json!({"id": commit.id, "is_dirty": commit.is_dirty})),
        "versions": facts.versions,
        "environment": {
            "names": facts.environment.names,
            "select": facts.environment.select.as_ref().map(|one| json!({"name": one.name, "value": one.value})),
        },
    })
}

/// The newer side of a comparison of snapshots.
struct Other {
    what: String,
    manifest: Manifest,
    /// What differs between the databases; `None` when they are not compared.
    databases: Option<Vec<String>>,
}

impl Other {
    fn of(project: &Project, old: &SnapshotRecord, other: Option<&str>) -> Result<Self, Failure> {
        let vault = project.vault();
        if let Some(id) = other {
            let (record, manifest) = vault.show(id)?;
            let older = database::facts_of(vault.as_ref(), &old.id)?;
            let newer = database::facts_of(vault.as_ref(), &record.id)?;
            let databases = Some(database::differences(older.as_ref(), newer.as_ref()));
            return Ok(Self { what: record.id, manifest, databases });
        }
        let doing = |error| Failure::doing("could not look at what is live", error);
        let manifest = step::live_manifest(project, &old.paths).map_err(doing)?;
        Ok(Self { what: "live".to_owned(), manifest, databases: None })
    }
}

/// The manifest without the folder of databases: their dumps have the time in them, and live ones stand elsewhere.
fn without_databases(manifest: &Manifest) -> Manifest {
    let folder = database::folder();
    let entries = manifest.entries.iter().filter(|entry| !entry.path.starts_with(&folder));
    Manifest::from_entries(entries.cloned().collect())
}

/// Everything that differs, entry by entry and database by database; equal is *yes*.
fn diff(context: &Context<'_>, project: &Project, id: &str, other: Option<&str>) -> Result<Verdict, Failure> {
    let (record, whole) = project.vault().show(id)?;
    let other = Other::of(project, &record, other)?;
    let (old, new) = (without_databases(&whole), without_databases(&other.manifest));
    let found = old.differences(&new);
    let databases = other.databases.clone().unwrap_or_default();
    let is_left_out = other.databases.is_none() && old.entries.len() < whole.entries.len();
    if is_left_out {
        context
            .ui
            .note("databases are not compared with what is live: restore them and use `switchback compare`");
    }
    let verdict = if !found.is_empty() || !databases.is_empty() {
        Verdict::No
    } else if is_left_out && old.entries.is_empty() {
        Verdict::Unknown
    } else {
        Verdict::Yes
    };
    for difference in &found {
        context.ui.show(&format!("  {}: {}", difference.path.display(), difference.what.word()));
    }
    for difference in &databases {
        context.ui.show(&format!("  {difference}"));
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
            "against": other.what,
            "differences": differences,
            "databases": other.databases,
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
    let facts = database::facts_of(vault, &record.id)?;
    let databases: Vec<Value> = facts.iter().flat_map(|facts| &facts.databases).map(database_json).collect();
    let more = json!({"entries": entries, "databases": databases, "facts": facts.as_ref().map(facts_json)});
    show_list(context, Verdict::Yes, &[record], &more);
    if let Some(facts) = &facts {
        show_facts(context, facts);
    }
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
