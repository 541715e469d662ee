//! Which paths a plan may manage: relative, disjoint, inside the project, and no link that leads elsewhere.

use std::path::{Component, Path, PathBuf};

use super::Managed;
use super::fields::{Fields, TextOrTable, shown};
use super::finding::Findings;
use super::key::{Key, Shape};
use crate::world::{Disk, FileKind};

/// The folder of the project's state, at its root.
pub const STATE_FOLDER: &str = ".switchback";

/// The keys of an item of `managed` that is a table.
pub(super) const MANAGED_ITEM: &[Key] = &[
    Key::required("path", Shape::Text, "the path, relative to the project"),
    Key::optional("delete", Shape::Flag, "`false`: files that the candidate does not have are kept"),
];

/// Reads `managed` and collects what is wrong with each path.
pub(super) fn managed(project: &Fields<'_>, root: &Path, disk: &dyn Disk) -> Vec<Managed> {
    if !project.has("managed") {
        return Vec::new();
    }
    let mut found: Vec<(usize, Managed)> = Vec::new();
    let items = project.texts_or_tables("managed");
    if project.is_empty_list("managed") {
        project.find("managed", "`managed` is empty", "name at least one path that the plan may change");
    }
    for (offset, item) in items {
        let (text, delete) = match item {
            TextOrTable::Text(text) => (text, true),
            TextOrTable::Table(fields) => match fields.text("path") {
                Some(text) => (text, fields.flag("delete").unwrap_or(true)),
                None => continue,
            },
        };
        let Some(path) = managed_path(&text, offset, project.findings()) else { continue };
        look_for_links(&path, offset, root, disk, project.findings());
        found.push((offset, Managed { path, delete }));
    }
    look_for_overlap(&found, project.findings());
    found.into_iter().map(|(_, managed)| managed).collect()
}

/// A path relative to the root, without `.` and `..`; what is wrong with it becomes a finding.
pub fn relative(text: &str, offset: usize, what: &str, findings: &Findings<'_>) -> Option<PathBuf> {
    let name = shown(text);
    let refuse = |message: String, help: &str| {
        findings.add(offset, message, help);
        None
    };
    if text.is_empty() {
        return refuse(format!("{what} is empty"), "name a path relative to the project");
    }
    if text.chars().any(char::is_control) {
        return refuse(
            format!("{what} `{name}` has a control character"),
            "rename it, or manage its parent folder",
        );
    }
    let path = Path::new(text);
    if path.is_absolute() {
        return refuse(
            format!("{what} `{name}` is absolute"),
            "write it relative to the folder of `switchback.toml`; nothing outside of that is touched",
        );
    }
    if path.components().any(|part| part == Component::ParentDir) {
        return refuse(
            format!("{what} `{name}` leads out of the project (`..`)"),
            "name paths below the folder of `switchback.toml`",
        );
    }
    let clean: PathBuf = path.components().filter(|part| *part != Component::CurDir).collect();
    if clean.as_os_str().is_empty() {
        return refuse(
            format!("{what} `{name}` is the whole project"),
            "name the folders and files in it that the plan may change",
        );
    }
    Some(clean)
}

/// Finds what a check looks for in the snapshot of a phase, and what none of them would hold.
pub(super) fn look_for_unsaved(
    wanted: impl Iterator<Item = (usize, PathBuf)>,
    held: &[&Path],
    findings: &Findings<'_>,
) {
    for (offset, path) in wanted {
        if held.iter().any(|held| path.starts_with(held) || held.starts_with(&path)) {
            continue;
        }
        let message = format!("no snapshot holds `{}`: it is not managed", path.display());
        findings.add(offset, message, "add it to `also` of `[snapshot]`, or to `managed` of `[project]`");
    }
}

fn managed_path(text: &str, offset: usize, findings: &Findings<'_>) -> Option<PathBuf> {
    let path = relative(text, offset, "the managed path", findings)?;
    if let Some((folder, why)) = reserved(&path) {
        let place = if path == Path::new(folder) { "is" } else { "is inside" };
        let message = format!("the managed path `{}` {place} `{folder}`: {why}", shown(text));
        findings.add(offset, message, "take it out of `managed`");
        return None;
    }
    Some(path)
}

/// The place that a path is or lies in and that no plan may change, and why.
pub(super) fn reserved(path: &Path) -> Option<(&'static str, &'static str)> {
    let first = path.components().next()?.as_os_str();
    let places = [
        (STATE_FOLDER, "that is where Switchback keeps its own state"),
        (".git", "that is the history, which an exchange would tear from its index"),
        ("switchback.toml", "that is the plan itself"),
    ];
    places.into_iter().find(|(folder, _)| first == std::ffi::OsStr::new(folder))
}

fn look_for_links(path: &Path, offset: usize, root: &Path, disk: &dyn Disk, findings: &Findings<'_>) {
    let mut here = root.to_owned();
    for part in path.components() {
        here.push(part);
        // What cannot be looked at now is looked at, and refused, when the run starts.
        let Ok(Some(meta)) = disk.look(&here) else { return };
        if meta.kind != FileKind::Symlink {
            continue;
        }
        let Ok(target) = disk.read_link(&here) else { return };
        let of_ours = Path::new(STATE_FOLDER).join("live").join(path);
        let up: PathBuf = path.components().skip(1).map(|_| "..").collect();
        if here == root.join(path) && target == up.join(of_ours) {
            return; // The layout of the pointer mechanism: a link that Switchback itself made.
        }
        let outside = leads_out(&here, &target, root);
        let message = if outside {
            format!(
                "the managed path `{}` leads out of the project: `{}` is a symbolic link to `{}`",
                path.display(),
                here.strip_prefix(root).unwrap_or(&here).display(),
                target.display()
            )
        } else {
            format!(
                "the managed path `{}` goes through the symbolic link `{}` to `{}`",
                path.display(),
                here.strip_prefix(root).unwrap_or(&here).display(),
                target.display()
            )
        };
        let help = if outside {
            "nothing outside of the project is touched; manage a real folder in it"
        } else {
            "manage the folder that the link points to"
        };
        findings.add(offset, message, help);
        return;
    }
}

/// Whether a link at `link` with `target` ends outside of `root`, going by the names alone.
fn leads_out(link: &Path, target: &Path, root: &Path) -> bool {
    let start = if target.is_absolute() { PathBuf::new() } else { link.parent().unwrap_or(root).to_owned() };
    let mut here = start;
    for part in target.components() {
        match part {
            Component::ParentDir => {
                here.pop();
            }
            Component::CurDir => {}
            other => here.push(other),
        }
    }
    !here.starts_with(root)
}

fn look_for_overlap(found: &[(usize, Managed)], findings: &Findings<'_>) {
    for (at, (offset, managed)) in found.iter().enumerate() {
        for (_, other) in &found[..at] {
            let (message, help) = if managed.path == other.path {
                (format!("the managed path `{}` is named twice", managed.path.display()), "name it once")
            } else if managed.path.starts_with(&other.path) || other.path.starts_with(&managed.path) {
                let message = format!(
                    "the managed paths `{}` and `{}` are nested",
                    other.path.display(),
                    managed.path.display()
                );
                (message, "keep the outer one, or name the parts of it that the plan may change")
            } else {
                continue;
            };
            findings.add(*offset, message, help);
        }
    }
}
