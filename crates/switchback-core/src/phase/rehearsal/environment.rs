//! What the checks of a rehearsal run in: an environment of its own where the plan asks for one, and in any case none
//! that reads from the live tree, because such a one would prove the wrong code.

use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use super::Finding;
use crate::check::shell::quoted;
use crate::phase::error::StepError;
use crate::phase::project::Work;
use crate::plan::Phase;
use crate::tree::walk;
use crate::world::{Command, Disk, FileKind};

/// A larger file of an environment says nothing about where code is found.
const HINT_BYTES_MAX: u64 = 1024 * 1024;

/// What was found.
#[derive(Debug)]
pub(super) enum Surroundings {
    /// The checks can run, with these variables.
    Ready(Vec<(String, String)>),
    /// They cannot.
    Refused(Vec<Finding>),
}

/// Builds the environment that the plan asks for in the copy at `root`, and looks whether anything that the checks would
/// run in reads from the live tree.
pub(super) fn prepare(
    work: &Work<'_>,
    phase: &Phase,
    root: &Path,
    folder: &Path,
) -> Result<Surroundings, StepError> {
    let mut variables = Vec::new();
    let mut environments = Vec::new();
    if let Some(line) = &work.plan().rehearsal.environment {
        let environment = folder.join("environment");
        work.began(&phase.name, "environment of the rehearsal");
        if let Some(finding) = build(work, line, &environment, root)? {
            return Ok(Surroundings::Refused(vec![finding]));
        }
        let path = work.world().surroundings.variable("PATH").unwrap_or_default();
        variables.push(("PATH".to_owned(), format!("{}:{path}", environment.join("bin").display())));
        variables.push(("VIRTUAL_ENV".to_owned(), environment.display().to_string()));
        environments.push(environment);
    } else {
        environments.extend(copied_environments(work, root)?);
        environments.extend(active_environments(work)?);
    }
    let mut findings = Vec::new();
    let live = work.project.root.as_path();
    for entry in entries_of(work, "PYTHONPATH") {
        if is_live(live, &entry) {
            findings.push(refused(&format!("`PYTHONPATH` names `{}`", entry.display())));
        }
    }
    for environment in &environments {
        for what in reads_live(work, environment)? {
            findings.push(refused(&what));
        }
    }
    Ok(if findings.is_empty() { Surroundings::Ready(variables) } else { Surroundings::Refused(findings) })
}

fn refused(what: &str) -> Finding {
    Finding::no(format!(
        "the environment of the rehearsal reads from the live tree: {what}; give it one of its own, `[rehearsal]` \
         `environment = \"python3 -m venv {{env}} && …\"`"
    ))
}

/// Runs the command that builds the environment; why there is none, when there is none.
fn build(work: &Work<'_>, line: &str, to: &Path, root: &Path) -> Result<Option<Finding>, StepError> {
    let line = line.replace("{env}", &quoted(to));
    let timeout = Duration::from_secs(work.plan().rehearsal.timeout_s);
    let command = Command { confinement: work.project.confinement(), ..Command::shell(&line, root, timeout) };
    let finished = match work.world().processes.run(&command) {
        Ok(finished) => finished,
        Err(error) => {
            let what = format!("the environment of the rehearsal could not be built: {error}");
            return Ok(Some(Finding::unknown(what)));
        }
    };
    if !finished.succeeded() {
        let words = finished.last_line().map_or_else(String::new, |line| format!(": {line}"));
        return Ok(Some(Finding::unknown(format!(
            "the environment of the rehearsal could not be built: its command ended with {}{words}",
            finished.ending()
        ))));
    }
    let is_there = work.world().disk.look(to)?.is_some_and(|meta| meta.kind == FileKind::Directory);
    Ok((!is_there).then(|| {
        Finding::unknown("the command of the rehearsal's environment ended well and made no folder `{env}`")
    }))
}

/// Virtual environments that the copy brought along: folders with a `pyvenv.cfg` right below the root.
fn copied_environments(work: &Work<'_>, root: &Path) -> Result<Vec<PathBuf>, StepError> {
    let disk = work.world().disk.as_ref();
    let mut found = Vec::new();
    for name in disk.list(root)? {
        let folder = root.join(name);
        let is_folder = disk.look(&folder)?.is_some_and(|meta| meta.kind == FileKind::Directory);
        if is_folder && disk.look(&folder.join("pyvenv.cfg"))?.is_some() {
            found.push(folder);
        }
    }
    Ok(found)
}

/// Environments in the live project that this process runs in: by `VIRTUAL_ENV`, or by a folder of `PATH`.
fn active_environments(work: &Work<'_>) -> Result<Vec<PathBuf>, StepError> {
    let disk = work.world().disk.as_ref();
    let folders = entries_of(work, "PATH").into_iter().filter_map(|bin| bin.parent().map(Path::to_owned));
    let mut found: Vec<PathBuf> = Vec::new();
    for folder in entries_of(work, "VIRTUAL_ENV").into_iter().chain(folders) {
        let is_new = is_live(&work.project.root, &folder) && !found.contains(&folder);
        if is_new && disk.look(&folder.join("pyvenv.cfg"))?.is_some() {
            found.push(folder);
        }
    }
    Ok(found)
}

fn entries_of(work: &Work<'_>, variable: &str) -> Vec<PathBuf> {
    let value = work.world().surroundings.variable(variable).unwrap_or_default();
    value.split(':').filter(|entry| !entry.is_empty()).map(PathBuf::from).collect()
}

/// What in an environment leads to the live tree: links, and the files that say where Python finds code.
fn reads_live(work: &Work<'_>, environment: &Path) -> Result<Vec<String>, StepError> {
    let disk = work.world().disk.as_ref();
    let live = work.project.root.as_path();
    let shown = |path: &Path| match environment.file_name() {
        Some(name) => Path::new(name).join(path).display().to_string(),
        None => path.display().to_string(),
    };
    let mut found = Vec::new();
    for seen in walk(disk, environment, &[PathBuf::new()])? {
        let place = environment.join(&seen.path);
        match seen.meta.kind {
            FileKind::Symlink => {
                let folder = place.parent().unwrap_or(environment);
                let target = plain(&folder.join(disk.read_link(&place)?));
                // An environment that stands in the live project may lead to itself.
                if is_live(live, &target) && !target.starts_with(environment) {
                    found.push(format!("`{}` is a link to `{}`", shown(&seen.path), target.display()));
                }
            }
            FileKind::File if says_where(&seen.path) && seen.meta.size <= HINT_BYTES_MAX => {
                if let Some(named) = live_path_in(disk, &place, live, environment)? {
                    found.push(format!("`{}` names `{named}`", shown(&seen.path)));
                }
            }
            _ => {}
        }
    }
    Ok(found)
}

/// Whether a file of an environment says where code is found: path files, and what an editable installation leaves.
fn says_where(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let extension = path.extension().unwrap_or_default().to_string_lossy();
    ["pth", "egg-link"].contains(&&*extension) || (name.starts_with("__editable__") && extension == "py")
}

/// The first path in a file that leads into the live project, but not into the environment itself.
fn live_path_in(
    disk: &dyn Disk,
    file: &Path,
    live: &Path,
    environment: &Path,
) -> Result<Option<String>, StepError> {
    let bytes = disk.read(file, HINT_BYTES_MAX)?;
    let text = String::from_utf8_lossy(&bytes);
    let root = live.display().to_string();
    for (at, _) in text.match_indices(&root) {
        let rest = &text[at..];
        let end = rest.find(|c: char| c.is_whitespace() || "'\",;:".contains(c)).unwrap_or(rest.len());
        let path = plain(Path::new(&rest[..end]));
        if is_live(live, &path) && !path.starts_with(environment) {
            return Ok(Some(path.display().to_string()));
        }
    }
    Ok(None)
}

/// Whether a path lies in the live project, and not in what a rehearsal made there.
fn is_live(live: &Path, path: &Path) -> bool {
    let work = live.join(crate::plan::STATE_FOLDER).join("work");
    path.starts_with(live) && !path.starts_with(work)
}

/// A path without `.` and `..`, without a look at the disk.
fn plain(path: &Path) -> PathBuf {
    let mut parts = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir => {
                parts.pop();
            }
            Component::CurDir => {}
            other => parts.push(other),
        }
    }
    parts
}
