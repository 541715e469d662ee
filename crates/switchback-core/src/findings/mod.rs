//! What linters, type checkers and interpreters complain about: their reports, read into plain findings, and which of these are new.
//!
//! In the order of the data: [`read`] reads what a tool left (`sarif`, `tools`, `warnings`; `place` names files), [`Context`] is what
//! stands around a place, `moved` pairs the files of two trees, and `compare` tells new findings from those that were there.

mod compare;
mod moved;
mod place;
mod sarif;
#[cfg(test)]
mod tests;
mod tools;
mod warnings;

use std::collections::BTreeMap;
use std::path::Path;

pub use compare::{Compared, Context, Placed, compare};
pub use moved::moved;

/// The largest report that is read, in bytes.
pub const REPORT_BYTES_MAX: u64 = 64 << 20;
/// The most findings that one report may hold.
pub const FINDINGS_MAX: usize = 200_000;

/// How grave a finding is, in SARIF's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Nothing is asked of anybody.
    None,
    /// A small thing.
    Note,
    /// A thing to look at.
    Warning,
    /// A grave one.
    Error,
}

impl Level {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }

    /// Reads the word that [`Level::word`] writes.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::None, Self::Note, Self::Warning, Self::Error].into_iter().find(|level| level.word() == word)
    }
}

/// One thing that a tool complains about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The tool.
    pub tool: String,
    /// The rule, as the tool calls it; empty where it names none.
    pub rule: String,
    /// How grave it is.
    pub level: Level,
    /// The file: relative to the tree where it lies in it, else as the tool has it; empty where it names none.
    pub path: String,
    /// The line, counted from 1; 0 where the tool names none.
    pub line: u64,
    /// What the tool says.
    pub message: String,
    /// What the tool itself tells it by, whatever line it stands in.
    pub fingerprints: BTreeMap<String, String>,
}

impl Finding {
    /// `src/app.py:3: F401 unused import`.
    pub fn told(&self) -> String {
        let place = if self.path.is_empty() { String::new() } else { format!("{}: ", self.place()) };
        let rule = if self.rule.is_empty() { String::new() } else { format!("{} ", self.rule) };
        format!("{place}{rule}{}", self.message)
    }

    /// `src/app.py:3`, as it may be shown: a name of a file may hold anything.
    pub fn place(&self) -> String {
        let path: String =
            self.path.chars().map(|letter| if letter.is_control() { '\u{fffd}' } else { letter }).collect();
        if self.line == 0 { path } else { format!("{path}:{}", self.line) }
    }
}

/// What a tool left.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// What it complains about.
    pub findings: Vec<Finding>,
    /// How many findings somebody has suppressed: they are none.
    pub suppressed: u64,
    /// How many results the tool itself could not judge.
    pub open: u64,
    /// Which tools wrote it.
    pub tools: Vec<String>,
}

impl Report {
    /// Whether the tool wrote any result, whatever became of it.
    pub fn is_empty(&self) -> bool {
        self.findings.is_empty() && self.suppressed == 0 && self.open == 0
    }

    fn add(&mut self, finding: Finding) -> Result<(), String> {
        if self.findings.len() >= FINDINGS_MAX {
            return Err(format!("it holds more than {FINDINGS_MAX} findings"));
        }
        self.findings.push(finding);
        Ok(())
    }
}

/// In which form a tool reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// SARIF 2.1.0.
    Sarif,
    /// `ruff check --output-format json`.
    Ruff,
    /// `mypy --output json`.
    Mypy,
    /// `eslint --format json`.
    Eslint,
    /// The warnings that Python or pytest prints while tests run.
    PythonWarnings,
}

impl Form {
    /// Every form.
    pub const ALL: [Self; 5] = [Self::Sarif, Self::Ruff, Self::Mypy, Self::Eslint, Self::PythonWarnings];

    /// The word for it in the plan.
    pub fn word(self) -> &'static str {
        match self {
            Self::Sarif => "sarif",
            Self::Ruff => "ruff",
            Self::Mypy => "mypy",
            Self::Eslint => "eslint",
            Self::PythonWarnings => "python-warnings",
        }
    }

    /// Reads the word that [`Form::word`] writes.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|form| form.word() == word)
    }
}

/// Reads what a tool left that ran in `tree`.
///
/// # Errors
///
/// What is wrong with it, or why the tool itself says that it did not come to an end: nothing is known then.
pub fn read(form: Form, text: &str, tree: &Path) -> Result<Report, String> {
    let text = text.trim_start_matches('\u{feff}');
    match form {
        Form::Sarif => sarif::read(text, tree),
        Form::Ruff => tools::read_ruff(text, tree),
        Form::Mypy => tools::read_mypy(text, tree),
        Form::Eslint => tools::read_eslint(text, tree),
        Form::PythonWarnings => warnings::read(text, tree),
    }
}
