//! What whoever takes a package has to know before the decision (RE-10): what breaks, what is new, and what it was made from.

use std::io::{Read, Seek};
use std::path::{Path, PathBuf};

use serde_json::Value;
use switchback_package::{Front, TREE, content};

use super::dependencies::difference;
use super::gather::{is_lock_file, names_dependencies};
use super::taken::takers;
use super::text::{TEXT_BYTES_MAX, TOO_LARGE, Text, read_text};
use super::unpacked::left_behind;
use super::{CHANGE_LOG, FACTS, PROJECT, READINESS};
use crate::certificate::content::path_hash;
use crate::phase::layout::live_base;
use crate::phase::seal::named_manifest;
use crate::phase::{StepError, Work};

/// The facts of a change have at most so many bytes: they list every line that differs.
const FACTS_BYTES_MAX: u64 = 512 << 20;

/// A package, looked at beside the project that takes it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Review {
    /// Managed paths that are not what the change was made from.
    pub other_base: Vec<String>,
    /// Managed paths that it does not bring.
    pub not_brought: Vec<String>,
    /// Managed paths that it brings, and that are not taken: they are not managed here, or no change names them.
    pub not_taken: Vec<String>,
    /// Changes of the public surface that break callers: symbol and kind.
    pub breaking: Vec<String>,
    /// What files that name dependencies ask for, which this project does not: those that people write first, and all of it.
    pub new_dependencies: Vec<String>,
    /// What could not be looked at, and why: nobody can tell what it says of these things.
    pub not_read: Vec<String>,
    /// Why it may not go, by its own report.
    pub reasons: Vec<String>,
    /// What its report says beside that.
    pub notes: Vec<String>,
    /// Its change log.
    pub change_log: String,
}

/// Looks at a package that was verified. `named`: the file, and the path of the project that it is for.
pub(super) fn review<R: Read + Seek>(
    work: &Work<'_>,
    reader: &mut R,
    front: &Front,
    (named, inside): (&Path, &Path),
) -> Result<Review, StepError> {
    let mut text = |path: &str| packed_text(reader, front, path, named);
    let mut not_read = Vec::new();
    let mut document = |path: &str, text: Text| -> Value {
        let read = match text.not_read {
            Some(why) => Err(why.to_owned()),
            None => serde_json::from_str(&text.text).map_err(|error| format!("is not JSON: {error}")),
        };
        read.unwrap_or_else(|why| {
            not_read.push(format!("`{path}` of the package {why}"));
            Value::Null
        })
    };
    let facts = document(FACTS, text(FACTS)?);
    let readiness = document(READINESS, text(READINESS)?);
    let changes = facts["api"]["changes"].as_array().map_or(&[][..], Vec::as_slice);
    let breaking = changes.iter().filter(|change| change["breaking"] == true);
    let breaking = breaking
        .map(|change| {
            let word = |key: &str| change[key].as_str().unwrap_or_default();
            format!("{} {}", word("symbol"), word("kind"))
        })
        .collect();
    let mut asked: Vec<(bool, &str, Vec<String>)> = Vec::new();
    for entry in &front.manifest.entries {
        let inside =
            [TREE, PROJECT].into_iter().find_map(|folder| entry.path.strip_prefix(folder)?.strip_prefix('/'));
        let Some(inside) = inside.filter(|inside| names_dependencies(Path::new(inside))) else { continue };
        let ours = read_text(work.world(), Some(&work.project.root.join(inside)))?;
        let theirs = text(&entry.path)?;
        let sides = [("here", ours.not_read), ("in the package", theirs.not_read)];
        let faults: Vec<String> =
            sides.into_iter().filter_map(|(side, why)| Some(format!("`{inside}` {side} {}", why?))).collect();
        if faults.is_empty() {
            let path = Path::new(inside);
            let lines = difference(path, &ours.text, &theirs.text).new;
            asked.push((is_lock_file(path), inside, lines));
        }
        not_read.extend(faults);
    }
    asked.sort();
    let asked = asked.into_iter();
    let new_dependencies = asked
        .flat_map(|(_, file, lines)| lines.into_iter().map(move |line| format!("{file}: {line}")))
        .collect();
    let change_log = text(CHANGE_LOG)?;
    not_read.extend(change_log.not_read.map(|why| format!("`{CHANGE_LOG}` of the package {why}")));
    Ok(Review {
        other_base: other_base(work, front)?,
        not_brought: not_brought(work, front),
        not_taken: not_taken(work, front, inside),
        breaking,
        new_dependencies,
        not_read,
        reasons: texts(&readiness["reasons"]),
        notes: texts(&readiness["notes"]),
        change_log: change_log.text,
    })
}

/// The text of a file in a package.
fn packed_text<R: Read + Seek>(
    reader: &mut R,
    front: &Front,
    path: &str,
    named: &Path,
) -> Result<Text, StepError> {
    let bytes_max = if path == FACTS { FACTS_BYTES_MAX } else { TEXT_BYTES_MAX };
    let Some(entry) = front.manifest.entries.iter().find(|entry| entry.path == path) else {
        return Ok(Text::not("is not there"));
    };
    if entry.target.is_some() {
        return Ok(Text::not("is no plain file"));
    }
    if entry.bytes > bytes_max {
        return Ok(Text::not(if path == FACTS { "is larger than 512 MiB" } else { TOO_LARGE }));
    }
    let found = content(reader, front, path, bytes_max).map_err(|error| super::unusable(named, error))?;
    Ok(found.map_or_else(|| Text::not("is not what its manifest says"), Text::of))
}

fn texts(value: &Value) -> Vec<String> {
    let texts = value.as_array().map_or(&[][..], Vec::as_slice).iter();
    texts.filter_map(|text| text.as_str().map(str::to_owned)).collect()
}

fn not_brought(work: &Work<'_>, front: &Front) -> Vec<String> {
    let managed = work.plan().project.managed.iter();
    let names = managed.map(|managed| managed.path.to_string_lossy().into_owned());
    names.filter(|name| !front.manifest.managed.contains(name)).collect()
}

fn not_taken(work: &Work<'_>, front: &Front, inside: &Path) -> Vec<String> {
    let changes: Vec<_> = takers(work, inside).map(|(_, plan)| plan).collect();
    let is_named = |path: &&PathBuf| {
        let names = |paths: &[PathBuf]| paths.contains(path);
        changes.is_empty() || changes.iter().any(|plan| plan.change.paths().is_none_or(names))
    };
    let managed = work.plan().project.managed.iter().map(|managed| &managed.path);
    let taken: Vec<&Path> = managed.filter(is_named).map(PathBuf::as_path).collect();
    left_behind(&front.manifest, &taken)
}

/// The managed paths whose live content is not that of the tree that the change was made from.
fn other_base(work: &Work<'_>, front: &Front) -> Result<Vec<String>, StepError> {
    let managed = &work.plan().project.managed;
    let base = live_base(work.world().disk.as_ref(), &work.project.root, managed)?;
    let mut other = Vec::new();
    for (name, hash) in &front.manifest.base.paths {
        let path = Path::new(name);
        if !managed.iter().any(|managed| managed.path == path) {
            continue;
        }
        let live = named_manifest(work.world(), &base.join(path), path)?;
        if path_hash(&live, path) != *hash {
            other.push(name.clone());
        }
    }
    Ok(other)
}
