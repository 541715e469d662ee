//! Documents and docstrings that still name what moved or is gone (RE-5).

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::facts::{Contents, Facts, file_at};
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
/// What the shims of moved modules begin with; they name the old one on purpose.
const SHIM_WORDS: &str = "switchback";

/// A place that names what is not there any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct StillNamed {
    pub(super) path: String,
    /// Counted from 1.
    pub(super) line: usize,
    /// What it names.
    pub(super) name: String,
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
    fn add(&mut self, place: StillNamed) {
        if self.places.len() < PLACES_MAX {
            self.places.push(place);
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
    let mut names: BTreeSet<String> = facts.removed.iter().cloned().collect();
    names.extend(facts.moved.iter().map(|moved| moved.old.clone()));
    // A single word may be any word.
    names.extend(facts.api.gone.iter().filter(|name| name.contains('.')).cloned());
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
        for (line, name) in named(&text.text, is_code(&path), &names) {
            found.add(StillNamed { path: path.clone(), line, name });
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

/// The lines of a text that name one of `names`, and which. Of code, only comments and docstrings are looked at.
fn named(text: &str, is_code: bool, names: &BTreeSet<String>) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    if is_code && text.lines().next().is_some_and(|line| line.to_ascii_lowercase().contains(SHIM_WORDS)) {
        return found;
    }
    let mut in_string: Option<&str> = None;
    for (at, line) in text.lines().enumerate() {
        let prose = if is_code { prose_of(line, &mut in_string) } else { line };
        for token in prose.split(|letter: char| !(letter.is_alphanumeric() || "_./-".contains(letter))) {
            if let Some(name) = name_in(token, names) {
                found.push((at + 1, name));
            }
        }
    }
    found
}

/// What of a line of Python is said to people: a comment, or a part of a text of several lines.
fn prose_of<'l>(line: &'l str, in_string: &mut Option<&'static str>) -> &'l str {
    let was_within = in_string.is_some();
    let mut rest = line;
    let mut met = was_within;
    loop {
        if let Some(quotes) = *in_string {
            let Some(at) = rest.find(quotes) else { break };
            rest = &rest[at + 3..];
            *in_string = None;
        } else {
            let next =
                ["\"\"\"", "'''"].into_iter().filter_map(|quotes| Some((rest.find(quotes)?, quotes))).min();
            let Some((at, quotes)) = next else { break };
            met = true;
            rest = &rest[at + 3..];
            *in_string = Some(quotes);
        }
    }
    if met {
        return line;
    }
    line.find('#').map_or("", |at| &line[at..])
}

/// The name that a word of a text means: itself, or a module that it goes into.
fn name_in(token: &str, names: &BTreeSet<String>) -> Option<String> {
    let token = token.trim_start_matches("./").trim_matches(['.', '/', '-']);
    if names.contains(token) {
        return Some(token.to_owned());
    }
    if token.contains('/') {
        return None;
    }
    let heads = token.match_indices('.').map(|(at, _)| &token[..at]);
    heads.rev().find(|head| names.contains(*head)).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str, is_code: bool) -> Vec<(usize, String)> {
        let names = ["shop.cart", "src/shop/cart.py"].map(str::to_owned).into();
        named(text, is_code, &names)
    }

    #[test]
    fn what_is_not_listed_is_counted() {
        let mut all = Found::default();
        let place = StillNamed { path: "a.md".to_owned(), line: 1, name: "shop.cart".to_owned() };
        (0..PLACES_MAX + 2).for_each(|_| all.add(place.clone()));
        assert_eq!((all.places.len(), all.more), (PLACES_MAX, 2));
    }

    #[test]
    fn words_are_taken_whole() {
        let cart = |line: usize| vec![(line, "shop.cart".to_owned())];
        assert_eq!(found("see\nshop.cart.", false), cart(2));
        assert_eq!(found("`shop.cart.Cart.total()`", false), cart(1));
        assert_eq!(found("(./src/shop/cart.py)", false), [(1, "src/shop/cart.py".to_owned())]);
        for other in
            ["shop.cartoon", "my_shop.cart", "workshop.cart", "shop", "old/src/shop/cart.py", "x.shop.cart"]
        {
            assert_eq!(found(other, false), [], "{other}");
        }
    }

    #[test]
    fn of_code_only_what_is_said_to_people_counts() {
        assert_eq!(found("import shop.cart\nx = shop.cart.y\n", true), []);
        assert_eq!(found("x = 1  # as shop.cart does\n", true).len(), 1);
        assert_eq!(
            found("\"\"\"One line, shop.cart.\"\"\"\nimport shop.cart\n", true),
            [(1, "shop.cart".to_owned())]
        );
        assert_eq!(found("'''\nshop.cart\n'''\nimport shop.cart\n", true), [(2, "shop.cart".to_owned())]);
        assert_eq!(found("# made by switchback\n\"\"\"shop.cart\"\"\"\n", true), []);
    }
}
