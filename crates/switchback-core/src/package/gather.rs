//! What goes into a package: the candidate, files of the project beside it, and the evidence.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use switchback_package::{Draft, TREE};

use super::shelf::{Item, Place, Shelf};
use super::{CHECKS, EVIDENCE, PROJECT};
use crate::journal::PhaseHistory;
use crate::manifest::{Entry, Kind, Manifest};
use crate::phase::{StepError, Work};
use crate::plan::PLAN_FILE;
use crate::report::last_outcomes;
use crate::world::FileKind;

/// What names the dependencies of a project, at its root.
const DEPENDENCY_FILES: &[&str] = &[
    "Cargo.lock",
    "Cargo.toml",
    "Pipfile",
    "Pipfile.lock",
    "conda-lock.yml",
    "environment.yaml",
    "environment.yml",
    "package-lock.json",
    "package.json",
    "pdm.lock",
    "poetry.lock",
    "pyproject.toml",
    "setup.cfg",
    "setup.py",
    "uv.lock",
];

/// Those of them that a program writes, with all that the others lead to.
const LOCK_FILES: &[&str] = &[
    "Cargo.lock",
    "Pipfile.lock",
    "conda-lock.yml",
    "package-lock.json",
    "pdm.lock",
    "poetry.lock",
    "uv.lock",
];

/// Whether a file that names dependencies was written by a program. What a person wrote is shown before it, in which one new line
/// may be one of thousands.
pub(super) fn is_lock_file(path: &Path) -> bool {
    path.file_name().and_then(|name| name.to_str()).is_some_and(|name| LOCK_FILES.contains(&name))
}

/// Whether a file names dependencies, by its name.
pub(super) fn names_dependencies(path: &Path) -> bool {
    let Some(name) = path.file_name().and_then(|name| name.to_str()) else { return false };
    let is_list =
        |begin: &str| name.starts_with(begin) && path.extension().is_some_and(|ending| ending == "txt");
    DEPENDENCY_FILES.contains(&name) || is_list("requirements") || is_list("constraints")
}

/// The candidate, as it was sealed.
pub(super) fn candidate(
    work: &Work<'_>,
    new: &Manifest,
    contents: &BTreeMap<PathBuf, Option<PathBuf>>,
    shelf: &mut Shelf,
) -> Result<(), StepError> {
    for managed in &work.plan().project.managed {
        let Some(root) = contents.get(&managed.path).and_then(Option::as_ref) else { continue };
        for entry in &new.below(&managed.path).entries {
            let rest = entry.path.strip_prefix(&managed.path).unwrap_or(Path::new(""));
            // An empty path would add a slash, behind which no file is found.
            let file = if rest.as_os_str().is_empty() { root.clone() } else { root.join(rest) };
            if let Some(item) = item_of(entry, file)? {
                shelf.add(item);
            }
        }
    }
    Ok(())
}

fn item_of(entry: &Entry, file: PathBuf) -> Result<Option<Item>, StepError> {
    const HINT: &str = "rename it in the candidate, or take it out of what is managed";
    let refused = |why: &str| {
        let what = format!("`{}` {why}: no package can hold it", entry.path.display());
        StepError::not_now(what, HINT)
    };
    let path = entry.path.to_str().ok_or_else(|| refused("has a name that is not UTF-8"))?;
    let draft = |bytes: u64, target: Option<String>| Draft {
        path: format!("{TREE}/{path}"),
        executable: target.is_none() && entry.mode & 0o100 != 0,
        bytes,
        target,
    };
    let origin = Some(entry.path.clone());
    Ok(match &entry.kind {
        Kind::Directory => None,
        Kind::File { size, hash } => {
            let place = Place::File(file);
            Some(Item { draft: draft(*size, None), place, hash: Some(*hash), origin })
        }
        Kind::Symlink(target) => {
            let target = target.to_str().ok_or_else(|| refused("leads to a name that is not UTF-8"))?;
            let draft = draft(target.len() as u64, Some(target.to_owned()));
            Some(Item { draft, place: Place::Link, hash: None, origin })
        }
        Kind::Fifo => return Err(refused("is a named pipe")),
        Kind::Socket => return Err(refused("is a socket")),
        Kind::Device { .. } => return Err(refused("is a device")),
    })
}

/// The plan, the files of dependencies at the root, the notes, and what the plan includes.
pub(super) fn of_project(work: &Work<'_>, shelf: &mut Shelf) -> Result<(), StepError> {
    let (disk, root, plan) = (work.world().disk.as_ref(), &work.project.root, work.plan());
    let mut files = vec![PathBuf::from(PLAN_FILE)];
    for name in disk.list(root)? {
        let path = PathBuf::from(name);
        let is_file = disk.look(&root.join(&path))?.is_some_and(|meta| meta.kind == FileKind::File);
        if is_file && names_dependencies(&path) {
            files.push(path);
        }
    }
    let asked = plan.package.include.iter().chain(&plan.package.notes);
    for path in asked {
        match disk.look(&root.join(path))?.map(|meta| meta.kind) {
            Some(FileKind::File) => files.push(path.clone()),
            // That the notes are not there is a reason not to be ready, and no more.
            None if plan.package.notes.as_ref() == Some(path) => {}
            kind => {
                let why = if kind.is_none() { "is not there" } else { "is no file" };
                return Err(StepError::not_now(
                    format!("`{}` of `[package]` {why}", path.display()),
                    "correct `include` in `switchback.toml`; it names files, one by one",
                ));
            }
        }
    }
    let is_managed = |path: &Path| plan.project.managed.iter().any(|managed| path.starts_with(&managed.path));
    for path in files.into_iter().filter(|path| !is_managed(path)) {
        let file = root.join(&path);
        let Some(meta) = disk.look(&file)? else { continue };
        let draft = Draft {
            path: format!("{PROJECT}/{}", path.to_string_lossy()),
            executable: false,
            bytes: meta.size,
            target: None,
        };
        shelf.add(Item { draft, place: Place::File(file), hash: None, origin: Some(path) });
    }
    Ok(())
}

/// The outcomes of the checks and of the rehearsal, and their reports by hash.
pub(super) fn evidence(work: &Work<'_>, history: &PhaseHistory, shelf: &mut Shelf) -> Result<(), StepError> {
    let disk = work.world().disk.as_ref();
    let mut outcomes: Vec<Value> = Vec::new();
    let mut reports: Vec<&str> = Vec::new();
    for fact in last_outcomes(history) {
        outcomes.push(json!({
            "check": fact.check, "at": fact.at, "verdict": fact.verdict.word(), "summary": fact.summary,
            "report": fact.evidence, "binding": bound(&fact.binding),
        }));
        reports.push(&fact.evidence);
    }
    let rehearsal = history.rehearsal.as_ref().map(|fact| {
        reports.push(&fact.evidence);
        json!({
            "verdict": fact.verdict.word(), "summary": fact.summary, "report": fact.evidence,
            "binding": bound(&fact.binding),
        })
    });
    for hash in reports {
        let text = work.evidence.get(disk, hash)?;
        shelf.add_text(format!("{EVIDENCE}/{hash}.json"), text);
    }
    let checks = json!({"schema": "switchback/package-checks/1", "checks": outcomes, "rehearsal": rehearsal});
    shelf.add_text(CHECKS, format!("{checks:#}\n"));
    Ok(())
}

fn bound(binding: &crate::journal::Binding) -> Value {
    json!({
        "plan": binding.plan, "options": binding.options, "old_tree": binding.old_tree,
        "new_tree": binding.new_tree, "inputs": binding.inputs, "tool": binding.tool,
    })
}
