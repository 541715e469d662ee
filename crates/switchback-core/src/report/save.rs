//! A report as a file: the whole of it, or what was there before. Only an earlier report is written over.

use std::io::Read;
use std::path::{Path, PathBuf};

use super::sarif::SARIF_MARK;
use crate::phase::{Project, StepError};
use crate::plan::STATE_FOLDER;
use crate::world::{Disk, DiskError, FileKind, Identity};

/// Folders lie no deeper than this.
const DEPTH_MAX: usize = 256;

/// By this the HTML page is known as a report, near its beginning.
pub(super) const HTML_MARK: &str = "<meta name=\"generator\" content=\"Switchback\"/>";
/// By this the name of the whole JUnit document begins.
pub(super) const JUNIT_MARK: &str = "Switchback: ";
/// By these the JSON document begins.
const JSON_HEAD: &str = "{\n  \"schema\": \"switchback/report/";
/// Every report is known for one within so many bytes.
const HEAD_BYTES_MAX: u64 = 4 * 1024;

/// Writes a report to `path`, over an earlier report that is there. A warning is returned when the file lies in a managed path.
///
/// # Errors
///
/// When something else than an earlier report stands there, when the place is one of Switchback's own, and when the disk says no;
/// what was there before is untouched then.
pub fn save(project: &Project, text: &str, path: &Path) -> Result<Option<String>, StepError> {
    let world = &project.ports.world;
    let disk = world.disk.as_ref();
    let folder = path.parent().unwrap_or(Path::new("/"));
    if disk.look(&entered(folder))?.is_none() {
        return Err(StepError::not_now(
            format!("the report cannot be written to `{}`: its folder does not exist", path.display()),
            format!("make the folder `{}`", folder.display()),
        ));
    }
    let around = around(disk, path, folder)?;
    look_at_place(project, path, &around)?;
    let unfinished = folder.join(format!(".switchback-report-{}", world.surroundings.process_id()));
    if let Err(error) = publish(disk, text, &unfinished, path) {
        // What was begun is of no use; that it cannot be removed either is not what the person must hear of.
        drop(disk.remove_file(&unfinished));
        return Err(error.into());
    }
    for managed in &project.plan.project.managed {
        if is_among(disk, &project.root.join(&managed.path), &around)? {
            let (path, managed) = (path.display(), managed.path.display());
            let what = "the report counts as a change of the live tree";
            return Ok(Some(format!("`{path}` lies in the managed path `{managed}`: {what}")));
        }
    }
    Ok(None)
}

/// The folder itself, also where a link leads to it.
fn entered(folder: &Path) -> PathBuf {
    folder.join(".")
}

/// What is at `path`, its folder, and every folder around that: by identity, because a path has many spellings.
fn around(disk: &dyn Disk, path: &Path, folder: &Path) -> Result<Vec<Identity>, DiskError> {
    let mut found: Vec<Identity> = disk.look(path)?.map(|meta| meta.identity).into_iter().collect();
    let mut folder = entered(folder);
    while let Some(meta) = disk.look(&folder)? {
        if found.last() == Some(&meta.identity) || found.len() > DEPTH_MAX {
            break;
        }
        found.push(meta.identity);
        folder.push("..");
    }
    Ok(found)
}

/// Whether what is at `place` is one of these.
fn is_among(disk: &dyn Disk, place: &Path, around: &[Identity]) -> Result<bool, DiskError> {
    let Some(meta) = disk.look(place)? else { return Ok(false) };
    if around.contains(&meta.identity) {
        return Ok(true);
    }
    // A link counts as what it leads to.
    if meta.kind != FileKind::Symlink {
        return Ok(false);
    }
    // A link that leads nowhere, or to a file, is not a folder around anything.
    let led = disk.look(&entered(place)).ok().flatten();
    Ok(led.is_some_and(|meta| around.contains(&meta.identity)))
}

fn look_at_place(project: &Project, path: &Path, around: &[Identity]) -> Result<(), StepError> {
    let disk = project.ports.world.disk.as_ref();
    let kind = disk.look(path)?.map(|meta| meta.kind);
    let what = match kind {
        _ if is_among(disk, &project.root.join(STATE_FOLDER), around)? => "that folder is Switchback's own",
        _ if is_among(disk, &project.plan.path, around)? => "it is the plan",
        None => return Ok(()),
        Some(FileKind::File) if is_report(&head(disk, path)?) => return Ok(()),
        Some(FileKind::File) => "it is a file that is no report of Switchback",
        Some(FileKind::Directory) => "it is a directory",
        Some(FileKind::Symlink) => "it is a symbolic link",
        Some(_) => "it is not a file",
    };
    Err(StepError::not_now(
        format!("the report cannot be written to `{}`: {what}", path.display()),
        "name another file, or remove it first; without `--output` the report goes to stdout",
    ))
}

/// The beginning of a file.
fn head(disk: &dyn Disk, path: &Path) -> Result<String, DiskError> {
    let mut head = Vec::new();
    let mut file = disk.open(path)?.take(HEAD_BYTES_MAX);
    file.read_to_end(&mut head).map_err(|source| DiskError::new("read", path, source))?;
    Ok(String::from_utf8_lossy(&head).into_owned())
}

/// Whether a file that begins so is a report, in whichever format.
fn is_report(head: &str) -> bool {
    let first = head.lines().next().unwrap_or_default();
    head.starts_with(JSON_HEAD)
        || (head.starts_with("{\n  \"$schema\": ") && head.contains(SARIF_MARK))
        || (head.starts_with("<!DOCTYPE html>") && head.contains(HTML_MARK))
        || (head.starts_with("<?xml") && head.contains(&format!("<testsuites name=\"{JUNIT_MARK}")))
        || first.strip_prefix("# ").is_some_and(names_a_run)
}

/// Whether a title ends with the id of a run, as that of the Markdown report does.
fn names_a_run(title: &str) -> bool {
    let Some((_, run)) = title.rsplit_once(": report of the run r") else { return false };
    run.split_once('-').is_some_and(|(number, id)| {
        let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        is_number && id.len() == 12 && id.bytes().all(|byte| byte.is_ascii_hexdigit())
    })
}

/// A file that is there wholly, or not at all.
pub(super) fn publish(disk: &dyn Disk, text: &str, unfinished: &Path, path: &Path) -> Result<(), DiskError> {
    if disk.look(unfinished)?.is_some() {
        // Left by a process of the same id that was killed.
        disk.remove_file(unfinished)?;
    }
    disk.write_new(unfinished, 0o644, &mut text.as_bytes())?;
    disk.sync_file(unfinished)?;
    disk.rename_over(unfinished, path)?;
    disk.sync_directory(path.parent().unwrap_or(Path::new("/")))
}
