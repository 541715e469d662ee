//! The archive of a phase that is over (RE-19): the package, the plan, the report, the journal and the evidence in one folder, listed with
//! hashes; then what was only needed on the way is removed. Nothing that a rollback needs is touched.
//!
//! Everything is put together where nobody looks and synced → the folder gets its name → the journal says that it is whole. Whoever was killed
//! in between goes on with the same command.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::taken::{Taken, taken};
use crate::journal::{Event, PhaseHistory, PhaseState};
use crate::manifest::to_hex;
use crate::phase::{StepError, TOOL, Work};
use crate::plan::{PLAN_FILE, Phase, STATE_FOLDER};
use crate::report::{json as report_json, last_outcomes, run_report};
use crate::tree::copy::{make_directories, remove_tree, sync_tree};
use crate::verdict::Verdict;
use crate::world::FileKind;

/// The list of what is in an archive.
const LIST: &str = "archive.json";
/// The schema of that list.
const SCHEMA: &str = "switchback/archive/1";
/// No list is larger.
const LIST_BYTES_MAX: u64 = 64 << 20;
/// What a killed process left half written begins so.
const UNFINISHED: &str = ".switchback-package-";

/// The archive of a phase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Archived {
    /// *no*: it was made before, and is not what it was.
    pub verdict: Verdict,
    /// The phase.
    pub phase: String,
    /// Its folder, relative to the project.
    pub path: PathBuf,
    /// The hash of the list of its files.
    pub manifest: String,
    /// How many files it holds, the list left out.
    pub files: u64,
    /// How many bytes these have.
    pub bytes: u64,
    /// Whether it was made before.
    pub was_there: bool,
    /// What was only needed on the way, and was removed, relative to the project.
    pub removed: Vec<PathBuf>,
    /// What is wrong with it.
    pub faults: Vec<String>,
    /// The plan in it; `None`: its list does not say.
    pub plan: Option<ArchivedPlan>,
}

/// The plan in an archive: it is copied when the archive is made, and may have been changed since the phase went live.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchivedPlan {
    /// The hash of the one that the phase was rehearsed, and went live, with.
    pub went_live: Option<String>,
    /// The hash of the one in the archive.
    pub file: String,
    /// Whether these are the same.
    pub is_that_one: bool,
}

/// Makes the archive of a phase, or looks whether the one that was made is whole; then cleans up.
///
/// # Errors
///
/// When the phase is not over.
pub fn archive(work: &Work<'_>, phase: Option<&str>) -> Result<Archived, StepError> {
    let (phase, history) = chosen(work, phase)?;
    let transaction = history.staged.as_ref().map(|staged| staged.transaction.clone()).unwrap_or_default();
    let known = work.history().archives.get(&transaction).cloned();
    let path = known.as_ref().map_or_else(|| place(&transaction), |fact| PathBuf::from(&fact.path));
    let mut archived = Archived {
        verdict: Verdict::Yes,
        phase: phase.name.clone(),
        path,
        manifest: String::new(),
        files: 0,
        bytes: 0,
        was_there: known.as_ref().is_some_and(|fact| fact.manifest.is_some()),
        removed: Vec::new(),
        faults: Vec::new(),
        plan: None,
    };
    if known.is_none() {
        work.record(Event::ArchiveStarted {
            phase: phase.name.clone(),
            transaction: transaction.clone(),
            path: archived.path.to_string_lossy().into_owned(),
        })?;
    }
    let disk = work.world().disk.as_ref();
    let whole = work.project.root.join(&archived.path);
    if !archived.was_there && disk.look(&whole)?.is_none() {
        put_together(work, phase, &history, &whole)?;
    }
    look_at(work, known.and_then(|fact| fact.manifest).as_deref(), &mut archived)?;
    if archived.verdict != Verdict::Yes {
        return Ok(archived);
    }
    if !archived.was_there {
        work.record(Event::Archived {
            phase: phase.name.clone(),
            transaction,
            path: archived.path.to_string_lossy().into_owned(),
            manifest: archived.manifest.clone(),
            files: archived.files,
            bytes: archived.bytes,
        })?;
    }
    archived.removed = clean_up(work)?;
    Ok(archived)
}

/// The phase of that name, or the last one of the plan that is over.
fn chosen<'w>(work: &'w Work<'_>, name: Option<&str>) -> Result<(&'w Phase, PhaseHistory), StepError> {
    let (plan, history) = (work.plan(), work.history());
    let is_over = |name: &str| {
        let found = history.phase(name).filter(|history| history.staged.is_some());
        found
            .filter(|history| matches!(history.state, PhaseState::Finished | PhaseState::RolledBack))
            .cloned()
    };
    let not_yet = |what: String| {
        StepError::not_now(
            what,
            "`switchback status` says what it waits for; `switchback run` goes on, `switchback rollback` takes it back",
        )
    };
    let phase = if let Some(name) = name {
        plan.phase(name).ok_or_else(|| StepError::NoPhase(name.to_owned()))?
    } else {
        let last = plan.phases.iter().rev().find(|phase| is_over(&phase.name).is_some());
        last.ok_or_else(|| not_yet("no phase is over: there is nothing to archive".to_owned()))?
    };
    let found = is_over(&phase.name).ok_or_else(|| {
        let state = history.phase(&phase.name).map_or(PhaseState::Waiting, |history| history.state);
        not_yet(format!(
            "the phase `{}` is {}, and not over: an archive would lack its end",
            phase.name,
            state.word()
        ))
    })?;
    Ok((phase, found))
}

/// Where the archive of a transaction is, relative to the project.
fn place(transaction: &str) -> PathBuf {
    Path::new(STATE_FOLDER).join("archive").join(transaction)
}

/// Puts an archive together and gives it its name.
fn put_together(
    work: &Work<'_>,
    phase: &Phase,
    history: &PhaseHistory,
    whole: &Path,
) -> Result<(), StepError> {
    let disk = work.world().disk.as_ref();
    let folder = work.attempt("archive")?;
    make_directories(disk, &work.project.root, &folder.join("evidence"))?;
    let package = history.staged.as_ref().map(|staged| taken(work, staged)).transpose()?.flatten();
    write_texts(work, &folder)?;
    copy_files(work, history, package.as_ref(), &folder)?;
    let list = list(work, phase, history, package.as_ref(), &folder)?;
    disk.write_new(&folder.join(LIST), 0o644, &mut format!("{list:#}\n").as_bytes())?;
    sync_tree(disk, &folder)?;
    let above = whole.parent().unwrap_or(whole);
    make_directories(disk, &work.project.root, above)?;
    disk.rename(&folder, whole)?;
    Ok(disk.sync_directory(above)?)
}

/// What is told anew: the report, and the journal up to here.
fn write_texts(work: &Work<'_>, folder: &Path) -> Result<(), StepError> {
    let disk = work.world().disk.as_ref();
    let report = run_report(&work.project)?;
    let mut journal = String::new();
    for record in work.records()? {
        journal.push_str(&report_json::event(&record).to_string());
        journal.push('\n');
    }
    let texts = [
        ("report.html", report.to_html()),
        ("report.json", format!("{:#}\n", report.to_json())),
        ("journal.jsonl", journal),
    ];
    for (name, text) in texts {
        disk.write_new(&folder.join(name), 0o644, &mut text.as_bytes())?;
    }
    Ok(())
}

/// What is there already: the plan, the package, and the evidence with both manifests.
fn copy_files(
    work: &Work<'_>,
    history: &PhaseHistory,
    package: Option<&Taken>,
    folder: &Path,
) -> Result<(), StepError> {
    let disk = work.world().disk.as_ref();
    disk.copy(&work.plan().path, &folder.join(PLAN_FILE), 0o644)?;
    if let Some(package) = package.filter(|package| package.is_there) {
        let name = package.path.file_name().unwrap_or_default();
        disk.copy(&work.project.root.join(&package.path), &folder.join(name), 0o644)?;
    }
    let mut hashes: Vec<&str> = history.checks.iter().map(|fact| fact.evidence.as_str()).collect();
    hashes.extend(history.rehearsal.as_ref().map(|fact| fact.evidence.as_str()));
    if let Some(staged) = &history.staged {
        hashes.extend(staged.environments.iter().map(|fact| fact.evidence.as_str()));
        for (name, hash) in [("old", &staged.old_tree), ("new", &staged.new_tree)] {
            let text = work.evidence.get_manifest(disk, hash)?.to_text();
            let path = folder.join(format!("{name}-tree.manifest"));
            disk.write_new(&path, 0o644, &mut text.as_bytes())?;
        }
    }
    hashes.sort_unstable();
    hashes.dedup();
    for hash in hashes.into_iter().filter(|hash| !hash.is_empty()) {
        // Read and not copied: evidence that was changed since is an error, and no part of an archive.
        let text = work.evidence.get(disk, hash)?;
        let path = folder.join("evidence").join(format!("{hash}.json"));
        disk.write_new(&path, 0o644, &mut text.as_bytes())?;
    }
    Ok(())
}

/// The list of what is in the folder, and of what it is about.
fn list(
    work: &Work<'_>,
    phase: &Phase,
    history: &PhaseHistory,
    package: Option<&Taken>,
    folder: &Path,
) -> Result<Value, StepError> {
    let disk = work.world().disk.as_ref();
    let mut files = Vec::new();
    for path in files_in(work, folder, Path::new(""))? {
        let meta = disk.look(&folder.join(&path))?;
        files.push(json!({
            "path": path.to_string_lossy(),
            "bytes": meta.map_or(0, |meta| meta.size),
            "blake3": to_hex(&disk.hash(&folder.join(&path))?),
        }));
    }
    let plan = to_hex(&disk.hash(&folder.join(PLAN_FILE))?);
    let went_live = history.rehearsal.as_ref().map(|fact| fact.binding.plan.clone());
    let told = work.history();
    let staged = history.staged.as_ref();
    let transaction = staged.map(|staged| staged.transaction.clone()).unwrap_or_default();
    let outcomes: Vec<Value> = last_outcomes(history)
        .into_iter()
        .map(|fact| json!({"check": fact.check, "at": fact.at, "verdict": fact.verdict.word()}))
        .collect();
    Ok(json!({
        "schema": SCHEMA,
        "project": work.plan().project.name,
        "run": told.run,
        "phase": phase.name,
        "transaction": transaction,
        "state": history.state.word(),
        "tool": TOOL,
        "plan": {"went_live": went_live, "file": plan, "is_that_one": went_live.as_deref() == Some(plan.as_str())},
        "journal_head": told.head,
        "old_tree": staged.map(|staged| &staged.old_tree),
        "new_tree": staged.map(|staged| &staged.new_tree),
        "commit": told.commits.get(&transaction).filter(|fact| fact.is_done).map(|fact| &fact.commit),
        "package": package.map(|package| json!({
            "name": package.name, "sequence": package.sequence, "manifest": package.manifest,
            "blake3": package.archive, "is_in_it": package.is_there,
        })),
        "checks": outcomes,
        "files": files,
    }))
}

/// Every file below a folder, in order, relative to it.
fn files_in(work: &Work<'_>, folder: &Path, below: &Path) -> Result<Vec<PathBuf>, StepError> {
    let disk = work.world().disk.as_ref();
    let mut names = disk.list(&folder.join(below))?;
    names.sort();
    let mut found = Vec::new();
    for name in names {
        let path = below.join(name);
        match disk.look(&folder.join(&path))?.map(|meta| meta.kind) {
            Some(FileKind::Directory) => found.extend(files_in(work, folder, &path)?),
            Some(_) => found.push(path),
            None => {}
        }
    }
    Ok(found)
}

/// Holds an archive against its own list, and that against the journal.
fn look_at(work: &Work<'_>, expected: Option<&str>, archived: &mut Archived) -> Result<(), StepError> {
    let disk = work.world().disk.as_ref();
    let folder = work.project.root.join(&archived.path);
    let file = folder.join(LIST);
    if disk.look(&file)?.is_none() {
        archived.fault(format!("`{LIST}` is gone"));
        return Ok(());
    }
    let text = disk.read(&file, LIST_BYTES_MAX)?;
    archived.manifest = to_hex(blake3::hash(&text).as_bytes());
    if expected.is_some_and(|expected| expected != archived.manifest) {
        archived.fault(format!("`{LIST}` is not the one that the journal knows"));
        return Ok(());
    }
    let list: Value = serde_json::from_slice(&text).unwrap_or_default();
    archived.plan = plan_in(&list);
    let listed = list["files"].as_array().map_or(&[][..], Vec::as_slice);
    let mut known = vec![PathBuf::from(LIST)];
    for entry in listed {
        let path = PathBuf::from(entry["path"].as_str().unwrap_or_default());
        let is_file = disk.look(&folder.join(&path))?.is_some_and(|meta| meta.kind == FileKind::File);
        if !is_file {
            archived.fault(format!("`{}` is gone", path.display()));
        } else if to_hex(&disk.hash(&folder.join(&path))?) != entry["blake3"].as_str().unwrap_or_default() {
            archived.fault(format!("`{}` is not what it was", path.display()));
        }
        archived.files += 1;
        archived.bytes += entry["bytes"].as_u64().unwrap_or_default();
        known.push(path);
    }
    for path in files_in(work, &folder, Path::new(""))? {
        if !known.contains(&path) {
            archived.fault(format!("`{}` is not in its list", path.display()));
        }
    }
    if listed.is_empty() {
        archived.fault("it lists nothing".to_owned());
    }
    Ok(())
}

/// What a list says about the plan; nothing where it was written before lists said so.
fn plan_in(list: &Value) -> Option<ArchivedPlan> {
    let plan = &list["plan"];
    Some(ArchivedPlan {
        went_live: plan["went_live"].as_str().map(str::to_owned),
        file: plan["file"].as_str()?.to_owned(),
        is_that_one: plan["is_that_one"].as_bool()?,
    })
}

/// Removes what was only needed on the way: trees that were being made, and packages that a killed process left half written.
fn clean_up(work: &Work<'_>) -> Result<Vec<PathBuf>, StepError> {
    let (disk, root) = (work.world().disk.as_ref(), work.project.root.as_path());
    let mut found = Vec::new();
    let attempts = Path::new(STATE_FOLDER).join("work");
    if disk.look(&root.join(&attempts))?.is_some() {
        for name in disk.list(&root.join(&attempts))? {
            found.push(attempts.join(name));
        }
    }
    for change in work.plan().phases.iter().flat_map(|phase| &phase.changes) {
        let Some(folder) = change.change.archive().and_then(|from| Path::new(from).parent()) else {
            continue;
        };
        if !disk.look(&root.join(folder))?.is_some_and(|meta| meta.kind == FileKind::Directory) {
            continue;
        }
        for name in disk.list(&root.join(folder))? {
            if name.to_str().is_some_and(|name| name.starts_with(UNFINISHED)) {
                found.push(folder.join(name));
            }
        }
    }
    found.sort();
    found.dedup();
    for path in &found {
        remove_tree(disk, &root.join(path))?;
    }
    Ok(found)
}

impl Archived {
    fn fault(&mut self, fault: String) {
        self.verdict = Verdict::No;
        self.faults.push(fault);
    }
}
