//! What an environment is built from: its requirement files with all that they include, and the line that builds it.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use crate::manifest::to_hex;
use crate::phase::error::StepError;
use crate::plan::{Dependencies, Managed};
use crate::world::Disk;

/// A larger file is no list of requirements.
const FILE_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// Files that include each other end here.
const FILES_MAX: usize = 1_000;
/// What an environment was built from, in the environment: its digest.
const STAMP: &str = ".switchback-built-from";
/// The digest and the end of the line.
const STAMP_BYTES_MAX: u64 = 128;

/// Files, each with its content; `None` for one that is not there.
pub(super) type Files = Vec<(PathBuf, Option<Vec<u8>>)>;

/// Where the files of one side of a project are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Side<'a> {
    /// What holds the managed paths.
    pub(super) managed_in: &'a Path,
    /// What holds everything else.
    pub(super) root: &'a Path,
    /// The managed paths.
    pub(super) managed: &'a [Managed],
}

impl Side<'_> {
    fn place(&self, path: &Path) -> PathBuf {
        let is_managed = self.managed.iter().any(|managed| path.starts_with(&managed.path));
        if is_managed { self.managed_in.join(path) } else { self.root.join(path) }
    }
}

/// The files that an environment is built from.
pub(super) fn files(
    disk: &dyn Disk,
    side: Side<'_>,
    dependencies: &Dependencies,
) -> Result<Files, StepError> {
    let versioned: BTreeSet<&PathBuf> = dependencies.versioned().collect();
    let mut waiting: Vec<(PathBuf, bool)> =
        dependencies.requirements.iter().rev().map(|path| (path.clone(), versioned.contains(path))).collect();
    let mut found = Files::new();
    while let Some((path, is_versioned)) = waiting.pop() {
        if found.len() >= FILES_MAX || found.iter().any(|(seen, _)| *seen == path) {
            continue;
        }
        let place = side.place(&path);
        let content = match disk.look(&place)? {
            Some(_) => Some(disk.read(&place, FILE_BYTES_MAX)?),
            None => None,
        };
        if let Some(content) = content.as_ref().filter(|_| is_versioned) {
            let folder = path.parent().unwrap_or(Path::new(""));
            waiting.extend(included(content, folder).into_iter().map(|path| (path, true)));
        }
        found.push((path, content));
    }
    Ok(found)
}

/// The files that a requirement file includes, relative to the root of the project; addresses and what lies elsewhere
/// are left out.
fn included(content: &[u8], folder: &Path) -> Vec<PathBuf> {
    let text = String::from_utf8_lossy(content);
    let names = text.lines().filter_map(|line| {
        let line = line.trim();
        let flags = ["--requirement", "--constraint", "-r", "-c"];
        let rest = flags.iter().find_map(|flag| line.strip_prefix(flag))?;
        let name = rest.trim_start_matches(['=', ' ', '\t']).split(" #").next()?.trim();
        (!name.is_empty() && !name.contains("://")).then_some(name)
    });
    names.filter_map(|name| inside(&folder.join(name))).collect()
}

/// A path without `.` and `..`; `None` when it leads out.
fn inside(path: &Path) -> Option<PathBuf> {
    let mut clean = PathBuf::new();
    for part in path.components() {
        match part {
            Component::Normal(part) => clean.push(part),
            Component::CurDir => {}
            Component::ParentDir if clean.pop() => {}
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(clean)
}

/// One digest of the line that builds an environment and of all files that it is built from.
pub(super) fn digest(build: &str, files: &[(PathBuf, Option<Vec<u8>>)]) -> String {
    let mut hasher = blake3::Hasher::new();
    let mut add = |bytes: &[u8]| {
        hasher.update(&(bytes.len() as u64).to_le_bytes());
        hasher.update(bytes);
    };
    add(build.as_bytes());
    for (path, content) in files {
        add(path.as_os_str().as_encoded_bytes());
        match content {
            Some(content) => add(content),
            None => add(b"\0nothing"),
        }
    }
    to_hex(hasher.finalize().as_bytes())
}

/// Writes down in an environment what it was built from.
pub(super) fn stamp(disk: &dyn Disk, environment: &Path, digest: &str) -> Result<(), StepError> {
    let path = environment.join(STAMP);
    if disk.look(&path)?.is_some() {
        disk.remove_file(&path)?;
    }
    Ok(disk.write_new(&path, 0o644, &mut format!("{digest}\n").as_bytes())?)
}

/// What an environment was built from, when it was built here.
pub(super) fn stamped(disk: &dyn Disk, environment: &Path) -> Result<Option<String>, StepError> {
    let path = environment.join(STAMP);
    if disk.look(&path)?.is_none() {
        return Ok(None);
    }
    let bytes = disk.read(&path, STAMP_BYTES_MAX)?;
    Ok(Some(String::from_utf8_lossy(&bytes).trim().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_include_others_and_what_leads_out_is_left() {
        let text = "-r base.txt\n  --constraint=../pins.txt # why\ndep==1\n-r https://host/x.txt\n-r /etc/x\n-r ../../out\n";
        let names = included(text.as_bytes(), Path::new("requirements"));
        assert_eq!(names, [PathBuf::from("requirements/base.txt"), PathBuf::from("pins.txt")]);
    }

    #[test]
    fn the_line_the_names_and_the_content_all_count() {
        let files = |content: Option<&[u8]>| vec![(PathBuf::from("r.txt"), content.map(<[u8]>::to_vec))];
        let digests = [
            digest("a", &files(Some(b"x"))),
            digest("b", &files(Some(b"x"))),
            digest("a", &files(Some(b"y"))),
            digest("a", &files(None)),
        ];
        let distinct: BTreeSet<&String> = digests.iter().collect();
        assert_eq!(distinct.len(), digests.len());
        assert_eq!(digest("a", &files(Some(b"x"))), digests[0]);
    }
}
