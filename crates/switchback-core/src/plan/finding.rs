//! What is wrong with a plan: every finding with its place, all at once.

use std::cell::RefCell;
use std::path::PathBuf;

/// One thing that is wrong, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Line, counted from 1.
    pub line: usize,
    /// Column, counted from 1, in characters.
    pub column: usize,
    /// What is wrong: a phrase, lower case, no full stop.
    pub message: String,
    /// The next move.
    pub help: String,
}

/// A plan that cannot be used.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
#[error("the plan `{}` cannot be used: {}", .path.display(), counted(.findings.len()))]
pub struct PlanError {
    /// The plan file.
    pub path: PathBuf,
    /// At least one finding, in the order of the file.
    pub findings: Vec<Finding>,
}

fn counted(findings: usize) -> String {
    if findings == 1 { "1 finding".to_owned() } else { format!("{findings} findings") }
}

/// Collects findings while the plan is read.
#[derive(Debug)]
pub struct Findings<'a> {
    text: &'a str,
    found: RefCell<Vec<Finding>>,
}

impl<'a> Findings<'a> {
    /// Nothing found yet in `text`.
    pub fn new(text: &'a str) -> Self {
        Self { text, found: RefCell::new(Vec::new()) }
    }

    /// Adds a finding at a byte offset of the text.
    pub fn add(&self, offset: usize, message: impl Into<String>, help: impl Into<String>) {
        let (line, column) = place(self.text, offset);
        self.found.borrow_mut().push(Finding { line, column, message: message.into(), help: help.into() });
    }

    /// The line of a byte offset of the text, from 1.
    pub fn line_of(&self, offset: usize) -> usize {
        place(self.text, offset).0
    }

    /// Whether nothing was found.
    pub fn is_empty(&self) -> bool {
        self.found.borrow().is_empty()
    }

    /// The findings in the order of the file, without repetitions.
    pub fn into_sorted(self) -> Vec<Finding> {
        let mut found = self.found.into_inner();
        found.sort_by_key(|finding| (finding.line, finding.column));
        found.dedup();
        found
    }
}

/// Line and column of a byte offset, both counted from 1.
pub fn place(text: &str, offset: usize) -> (usize, usize) {
    let mut end = offset.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let before = &text[..end];
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().map_or(0, |rest| rest.chars().count()) + 1;
    (line, column)
}
