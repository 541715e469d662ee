//! Keys that no code names. Where a key's own name stands nowhere in the Python files of a project, nothing reads it by that name;
//! a program that walks through a map may read it all the same, so this is a hint and never a verdict.

use std::collections::HashSet;
use std::path::Path;

use switchback_core::world::{Disk, FileKind};

use crate::consolidate::Consolidated;
use crate::error::ConfigError;
use crate::layers::leaves;
use crate::path::{KeyPath, Step, words};

const FILES_MAX: usize = 50_000;
const FILE_BYTES_MAX: u64 = 8 << 20;
const DEPTH_MAX: usize = 64;

/// What was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Unused {
    /// How many files of code were looked through.
    pub files: usize,
    /// The keys, each the highest above which something is named.
    pub keys: Vec<KeyPath>,
}

/// Looks through the code of a project. `None`: there is none.
pub(crate) fn unused(
    disk: &dyn Disk,
    root: &Path,
    made: &Consolidated,
) -> Result<Option<Unused>, ConfigError> {
    let mut code = Code { words: HashSet::new(), texts: Vec::new(), files: 0 };
    code.walk(disk, root, 0).map_err(|why| {
        ConfigError::new(
            format!("could not look through the code: {why}"),
            "see the reason; nothing was written",
        )
    })?;
    if code.files == 0 {
        return Ok(None);
    }
    let mut keys: Vec<KeyPath> = Vec::new();
    for tree in std::iter::once(&made.master).chain(&made.overrides) {
        for (path, _) in leaves(tree) {
            if let Some(unnamed) = code.first_unnamed(&path)
                && !keys.contains(&unnamed)
            {
                keys.push(unnamed);
            }
        }
    }
    Ok(Some(Unused { files: code.files, keys }))
}

struct Code {
    /// All words of letters, digits and underscores.
    words: HashSet<String>,
    /// Whole files, for keys that are no such word.
    texts: Vec<String>,
    files: usize,
}

impl Code {
    fn walk(&mut self, disk: &dyn Disk, folder: &Path, depth: usize) -> Result<(), String> {
        for name in disk.list(folder).map_err(|error| error.to_string())? {
            let shown = name.to_string_lossy();
            if shown.starts_with('.')
                || matches!(&*shown, "node_modules" | "venv" | "site-packages" | "__pycache__")
            {
                continue;
            }
            let path = folder.join(&name);
            let kind = disk.look(&path).map_err(|error| error.to_string())?.map(|meta| meta.kind);
            match kind {
                Some(FileKind::Directory) if depth < DEPTH_MAX => self.walk(disk, &path, depth + 1)?,
                Some(FileKind::File) if shown.ends_with(".py") && self.files < FILES_MAX => {
                    let Ok(bytes) = disk.read(&path, FILE_BYTES_MAX) else { continue };
                    self.add(&String::from_utf8_lossy(&bytes));
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn add(&mut self, text: &str) {
        self.files += 1;
        let words = text.split(|letter: char| !(letter.is_alphanumeric() || letter == '_'));
        for word in words.filter(|word| !word.is_empty()) {
            if !self.words.contains(word) {
                self.words.insert(word.to_owned());
            }
        }
        self.texts.push(text.to_owned());
    }

    fn names(&self, word: &str) -> bool {
        let is_word = word.chars().all(|letter| letter.is_alphanumeric() || letter == '_');
        if is_word { self.words.contains(word) } else { self.texts.iter().any(|text| text.contains(word)) }
    }

    /// The key below the last one that is named; none when the last key of all is named.
    fn first_unnamed(&self, path: &KeyPath) -> Option<KeyPath> {
        let mut unnamed: Option<KeyPath> = None;
        let mut so_far = KeyPath::default();
        for step in path.steps() {
            so_far = so_far.with(step.clone());
            let Step::Key(key) = step else { continue };
            if self.names(&words(key)) {
                unnamed = None;
            } else if unnamed.is_none() {
                unnamed = Some(so_far.clone());
            }
        }
        unnamed
    }
}
