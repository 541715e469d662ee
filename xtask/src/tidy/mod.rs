//! The house rules that no compiler checks, each a function over the project's text, with a control that it bites.
//!
//! [`shape`] is about files and folders, [`words`] about what may be written, [`doors`] about which code may touch
//! the outside, [`manifests`] about dependencies. `tests/tidy.rs` runs [`RULES`] over the tree.

pub mod doors;
pub mod manifests;
pub mod shape;
pub mod words;

use std::fmt;

use crate::problem::Problem;
use crate::workspace::Workspace;

/// One text file of the project.
#[derive(Debug, Clone)]
pub struct Source {
    /// Its path from the root.
    pub path: String,
    /// What stands in it.
    pub text: String,
}

/// A place where a rule does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The file.
    pub path: String,
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong, and what to do about it.
    pub what: String,
}

/// A house rule: its name, and the function that finds where it does not hold.
pub type Rule = (&'static str, fn(&[Source]) -> Vec<Finding>);

/// All house rules.
pub const RULES: &[Rule] = &[
    ("every Rust file opens with a sentence", shape::openings),
    ("no Rust file is longer than one idea", shape::lengths),
    ("modules are nouns of the domain", shape::module_names),
    ("a crate has one integration-test binary", shape::test_binaries),
    ("nothing is left for later in the text", words::markers),
    ("no path of a machine", words::machine_paths),
    ("no host of a registry", words::registry_hosts),
    ("core never prints", doors::printing),
    ("core asks the time only in `world`", doors::time),
    ("core touches disk, processes and network only in `world`", doors::effects),
    ("only format files derive serde", doors::serde),
    ("heavy dependencies stay in their crate", manifests::heavy),
    ("the lock file stays below its ceiling", manifests::lock_size),
];

impl Source {
    /// A file and its text.
    pub fn new(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), text: text.to_owned() }
    }

    /// Whether it is Rust.
    pub fn is_rust(&self) -> bool {
        self.stem_and_extension().1 == "rs"
    }

    /// The parts of its name around the last dot.
    pub fn stem_and_extension(&self) -> (&str, &str) {
        let name = self.path.rsplit('/').next().unwrap_or(&self.path);
        name.rsplit_once('.').unwrap_or((name, ""))
    }

    /// Lines with their numbers, counted from 1.
    pub fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text.lines().enumerate().map(|(index, line)| (index + 1, line))
    }

    /// A finding in this file.
    pub fn finding(&self, line: usize, what: impl Into<String>) -> Finding {
        Finding { path: self.path.clone(), line, what: what.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}: {}", self.path, self.line, self.what)
    }
}

/// All text files of the project. Files that are not UTF-8 are data, not text, and left out.
pub fn read(workspace: &Workspace) -> Result<Vec<Source>, Problem> {
    let mut sources = Vec::new();
    for path in workspace.files()? {
        let full = workspace.root.join(&path);
        let bytes = std::fs::read(&full).map_err(|source| Problem::at("read", &full, source))?;
        if let Ok(text) = String::from_utf8(bytes) {
            sources.push(Source { path, text });
        }
    }
    Ok(sources)
}
