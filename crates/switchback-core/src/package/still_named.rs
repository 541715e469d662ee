//! Documents and docstrings that still name what moved, is gone, or changed for callers (RE-5).

use std::path::{Path, PathBuf};

use super::facts::{Contents, Facts, file_at};
use super::names::{Mention, Names};
use super::text::read_text;
use crate::manifest::{Kind, Manifest};
use crate::phase::{StepError, Work};
use crate::tree::walk;
use crate::world::FileKind;

/// Texts that people read.
const DOCUMENTS: &[&str] = &["adoc", "md", "rst", "txt"];
/// Where a project has them, beside its root.
const FOLDERS: &[&str] = &["doc", "docs"];
/// So many places are listed, and how many there are beside them.
const PLACES_MAX: usize = 100_000;

/// A place that names what is not there any more, or not as it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct StillNamed {
    pub(super) path: String,
    pub(super) mention: Mention,
}

/// What was found, and what was not looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) places: Vec<StillNamed>,
    /// How many there are beside those.
    pub(super) more: u64,
    /// Documents and code that were not read, and why, as what is said of the file.
    pub(super) not_read: Vec<(String, String)>,
}

impl Found {
    fn add(&mut self, path: &str, mention: Mention) {
        if self.places.len() < PLACES_MAX {
            self.places.push(StillNamed { path: path.to_owned(), mention });
        } else {
            self.more += 1;
        }
    }
}

/// Looks through the candidate, and through the documents of the project.
pub(super) fn look(
    work: &Work<'_>,
    facts: &Facts,
    new: &Manifest,
    new_at: &Contents,
) -> Result<Found, StepError> {
    let files_gone = facts.removed.iter().chain(facts.moved.iter().map(|moved| &moved.old));
    // A single word may be any word.
    let modules_gone = facts.api.gone.iter().filter(|name| name.contains('.'));
    let names = Names::new(files_gone.chain(modules_gone).cloned(), &facts.api.symbols);
    let mut found = Found::default();
    if names.is_empty() {
        return Ok(found);
    }
    let mut files: Vec<(String, PathBuf)> = Vec::new();
    for entry in new.entries.iter().filter(|entry| matches!(entry.kind, Kind::File { .. })) {
        if let Some(file) = file_at(new_at, &entry.path) {
            files.push((entry.path.to_string_lossy().into_owned(), file));
        }
    }
    files.extend(unmanaged(work)?);
    let is_read = |path: &str| is_document(Path::new(path)) || is_code(path);
    for (path, file) in files.into_iter().filter(|(path, _)| is_read(path)) {
        let text = read_text(work.world(), Some(&file))?;
        if let Some(why) = text.not_read {
            found.not_read.push((path, why.to_owned()));
            continue;
        }
        for mention in names.in_text(&text.text, is_code(&path)) {
            found.add(&path, mention);
        }
    }
    Ok(found)
}

fn is_code(path: &str) -> bool {
    Path::new(path).extension().is_some_and(|ending| ending == "py")
}

fn is_document(path: &Path) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    DOCUMENTS.contains(&ending.to_ascii_lowercase().as_str())
}

/// The documents of the project that are not managed: at its root, and in its folder of documents.
fn unmanaged(work: &Work<'_>) -> Result<Vec<(String, PathBuf)>, StepError> {
    let (disk, root) = (work.world().disk.as_ref(), &work.project.root);
    let mut paths: Vec<PathBuf> = Vec::new();
    for name in disk.list(root)? {
        let path = PathBuf::from(name);
        if disk.look(&root.join(&path))?.is_some_and(|meta| meta.kind == FileKind::File) {
            paths.push(path);
        }
    }
    for folder in FOLDERS {
        if disk.look(&root.join(folder))?.is_some_and(|meta| meta.kind == FileKind::Directory) {
            let seen = walk(disk, root, &[PathBuf::from(folder)])?;
            paths.extend(
                seen.into_iter().filter(|seen| seen.meta.kind == FileKind::File).map(|seen| seen.path),
            );
        }
    }
    let managed = &work.plan().project.managed;
    let notes = work.plan().package.notes.as_ref();
    // The notes on the change are to name what moved.
    paths.retain(|path| {
        is_document(path)
            && notes != Some(path)
            && !managed.iter().any(|managed| path.starts_with(&managed.path))
    });
    paths.sort();
    Ok(paths.into_iter().map(|path| (path.to_string_lossy().into_owned(), root.join(&path))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_listed_is_counted() {
        let mut all = Found::default();
        let mention = Mention { line: 1, name: "shop.cart".to_owned(), change: None };
        (0..PLACES_MAX + 2).for_each(|_| all.add("a.md", mention.clone()));
        assert_eq!((all.places.len(), all.more), (PLACES_MAX, 2));
    }
}
