//! Old names that stand in a tree for compatibility: since when, until when, and who still needs them.

use std::sync::Arc;

use rayon::prelude::*;
use serde_json::{Value, json};
use switchback_core::plan::PLAN_FILE;
use switchback_core::quantity::{counted, is_day};
use switchback_core::verdict::Verdict;
use switchback_core::world::{Disk, DiskError};

use crate::graph::{ImportsOptions, OldUse, imports};
use crate::moving::{DEPRECATED_MARK, SHIM_MARK, ShimNote, read_marked};
use crate::referrers::{Reference, ReferencesOptions, Way, is_within, references};
use crate::routes::RoutesError;
use crate::syntax::warns_of_deprecation;
use crate::tree::{Class, PassedOver, Tree, has_extension};

/// So many users are named in one line.
const NAMED_MAX: usize = 3;

/// What is to be listed.
#[derive(Debug, Clone)]
pub struct ShimsOptions {
    /// The tree.
    pub imports: ImportsOptions,
    /// The day on which it is looked, `YYYY-MM-DD`: what is to be removed after an earlier one is due.
    pub day: String,
    /// Whether an old name without a day of its end is refused.
    pub refuses_undated: bool,
}

/// What keeps an old name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keeper {
    /// A shim that a move wrote.
    Shim,
    /// A module with code of its own, which a person marked.
    Module,
}

impl Keeper {
    fn word(self) -> &'static str {
        match self {
            Self::Shim => "shim",
            Self::Module => "module",
        }
    }
}

/// An old name and who uses it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shim {
    /// Its file.
    pub path: String,
    /// What keeps the name.
    pub keeper: Keeper,
    /// What it says of itself.
    pub note: ShimNote,
    /// Whether it is to be removed by the day.
    pub is_due: bool,
    /// Whether it warns whoever imports it.
    pub warns: bool,
    /// Who imports the old name, or one below it.
    pub used_by: Vec<OldUse>,
    /// Who names it otherwise: strings, attributes, configuration, scripts, notebooks, documents.
    pub named_in: Vec<Reference>,
}

/// All old names of a tree.
#[derive(Debug, Clone, Default)]
pub struct ShimsOutcome {
    /// The day on which it was looked.
    pub day: String,
    /// How many Python files were looked at.
    pub scanned: usize,
    /// The old names: those that are due first come first, those without a day last.
    pub shims: Vec<Shim>,
    /// Files whose first line begins as such a note does, and does not say what it must: path and why.
    pub unread: Vec<(String, String)>,
    /// Files that do not parse: what they import is not known.
    pub unparsed: Vec<String>,
    /// What was not looked at, because it is too large or closed to us.
    pub passed_over: Vec<PassedOver>,
    refuses_undated: bool,
}

/// Lists what keeps old names in a tree.
///
/// # Errors
///
/// When the tree cannot be read.
pub fn shims(disk: &Arc<dyn Disk>, options: &ShimsOptions) -> Result<ShimsOutcome, RoutesError> {
    let root = &options.imports.root;
    let tree = Tree::open(disk.clone(), root)?;
    let files: Vec<_> = tree.files.iter().filter(|file| file.class == Class::Python).collect();
    let mut outcome = ShimsOutcome {
        day: options.day.clone(),
        scanned: files.len(),
        passed_over: tree.passed_over(),
        refuses_undated: options.refuses_undated,
        ..ShimsOutcome::default()
    };
    let noted: Vec<Option<(String, Result<Noted, String>)>> = files
        .par_iter()
        .map(|file| Ok(noted(&tree.content(file)?).map(|note| (file.path.clone(), note))))
        .collect::<Result<_, DiskError>>()?;
    for (path, read) in noted.into_iter().flatten() {
        match read {
            Err(why) => outcome.unread.push((path, why)),
            Ok(Noted { keeper, note, warns }) => {
                // Days of this form are ordered as texts are.
                let is_due = note.until.as_ref().is_some_and(|until| *until < options.day);
                let (used_by, named_in) = (Vec::new(), Vec::new());
                outcome.shims.push(Shim { path, keeper, note, is_due, warns, used_by, named_in });
            }
        }
    }
    if !outcome.shims.is_empty() {
        outcome.find_users(disk, options)?;
    }
    outcome.shims.sort_by(|one, other| {
        let day = |shim: &Shim| (shim.note.until.is_none(), shim.note.until.clone(), shim.path.clone());
        day(one).cmp(&day(other))
    });
    Ok(outcome)
}

/// What a file says of itself.
struct Noted {
    keeper: Keeper,
    note: ShimNote,
    warns: bool,
}

/// The note of a file, or why it cannot be read; nothing when the file has none.
fn noted(bytes: &[u8]) -> Option<Result<Noted, String>> {
    let marks = [(Keeper::Shim, SHIM_MARK), (Keeper::Module, DEPRECATED_MARK)];
    let (keeper, mark) = marks.into_iter().find(|(_, mark)| bytes.starts_with(mark.as_bytes()))?;
    let Some(note) = read_marked(bytes, mark) else {
        return Some(Err("its first line does not say `OLD -> NEW`".to_owned()));
    };
    let days = std::iter::once(&note.since).chain(note.until.as_ref());
    if let Some(wrong) = days.into_iter().find(|day| !is_day(day)) {
        return Some(Err(format!("its first line has `{wrong}` where a day belongs, as in 2027-03-31")));
    }
    let Some(warns) = warns_of_deprecation(bytes) else {
        return Some(Err("its code does not parse: whether it warns is not known".to_owned()));
    };
    Some(Ok(Noted { keeper, note, warns }))
}

impl ShimsOutcome {
    fn find_users(&mut self, disk: &Arc<dyn Disk>, options: &ShimsOptions) -> Result<(), RoutesError> {
        let found = imports(disk.clone(), &options.imports)?;
        self.unparsed = found.unparsed.into_iter().map(|(path, _, _)| path).collect();
        let of = ReferencesOptions {
            root: options.imports.root.clone(),
            source_roots: options.imports.source_roots.clone(),
            of: None,
        };
        let named = references(disk, &of)?.references;
        let keepers: Vec<String> = self.shims.iter().map(|shim| shim.path.clone()).collect();
        for shim in &mut self.shims {
            let old = shim.note.old.as_str();
            let is_own = |path: &str, from: Option<&str>| {
                path == shim.path || from.is_some_and(|from| is_within(from, old))
            };
            let uses = found.old_uses.iter();
            shim.used_by = uses
                .filter(|one| is_within(&one.to, old) && !is_own(&one.path, one.from.as_deref()))
                .cloned()
                .collect();
            let is_meant = |one: &&Reference| {
                is_within(&one.module, old)
                    && !matches!(one.way, Way::Import | Way::RelativeImport | Way::Prose)
                    // The plan names what it moves.
                    && one.path != PLAN_FILE
                    && !keepers.contains(&one.path)
                    && !shim.used_by.iter().any(|user| user.path == one.path)
            };
            shim.named_in = named.iter().filter(is_meant).cloned().collect();
        }
        Ok(())
    }

    /// *No* when one is due, does not warn, or lacks the day that it must have; *unknown* when a note could not be read, or
    /// there was no Python at all, or some of it was not looked at. Whether a name is due does not depend on who uses it.
    pub fn verdict(&self) -> Verdict {
        if self.shims.iter().any(|shim| self.fault(shim).is_some()) {
            Verdict::No
        } else if self.scanned == 0 || !self.unread.is_empty() || self.closed().next().is_some() {
            Verdict::Unknown
        } else {
            Verdict::Yes
        }
    }

    /// Python that was not looked at: it may keep an old name itself.
    fn closed(&self) -> impl Iterator<Item = &PassedOver> {
        self.passed_over.iter().filter(|one| has_extension(&one.path, "py"))
    }

    /// In how many files nobody can tell whether an old name is used.
    fn unknown_users(&self) -> u64 {
        (self.unparsed.len() + self.passed_over.len()) as u64
    }

    fn fault(&self, shim: &Shim) -> Option<&'static str> {
        if shim.is_due {
            Some("due")
        } else if !shim.warns {
            Some("does not warn")
        } else {
            (self.refuses_undated && shim.note.until.is_none()).then_some("has no day of its end")
        }
    }

    /// One line for a person: how many there are, and what is wrong with each that something is wrong with.
    pub fn summary(&self) -> String {
        let count = counted(self.shims.len() as u64, "old name");
        let mut faults: Vec<String> = self
            .shims
            .iter()
            .filter_map(|shim| {
                let until = shim.note.until.as_ref().map(|until| format!(" since {until}"));
                let until = until.filter(|_| shim.is_due).unwrap_or_default();
                Some(format!(
                    "`{}` {}{until}, {}",
                    shim.note.old,
                    self.fault(shim)?,
                    shim.users_told(self.unknown_users())
                ))
            })
            .collect();
        faults.extend(self.unread.iter().map(|(path, why)| format!("`{path}` cannot be read: {why}")));
        faults.extend(self.closed().map(|one| format!("`{}`: {}", one.path, one.why)));
        match (faults.is_empty(), self.scanned) {
            (_, 0) => "there is no Python file".to_owned(),
            (true, _) => match self.shims.iter().find_map(|shim| shim.note.until.as_ref()) {
                Some(next) => format!("{count}, none due on {}; the next after {next}", self.day),
                None => format!("{count}, none due on {}", self.day),
            },
            (false, _) => format!("{count} on {}: {}", self.day, faults.join("; ")),
        }
    }

    /// Each old name, and below it whoever uses it, a line each.
    pub fn told(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for shim in &self.shims {
            let note = &shim.note;
            let until = note.until.as_ref().map(|until| format!(", until {until}"));
            let fault = self.fault(shim).map(|fault| format!(" ({fault})")).unwrap_or_default();
            lines.push(format!(
                "{}: {} is {} since {}{}{fault}; used by {}",
                shim.path,
                note.old,
                note.new,
                note.since,
                until.unwrap_or_default(),
                counted(shim.used_by.len() as u64, "import"),
            ));
            lines.extend(shim.used_by.iter().map(|one| format!("  {}", shown(one))));
            let named = shim.named_in.iter();
            lines.extend(
                named.map(|one| format!("  {}:{}: {} ({})", one.path, one.line, one.text, one.kind.word())),
            );
        }
        lines.extend(self.unread.iter().map(|(path, why)| format!("{path}: {why}")));
        let unparsed = self.unparsed.iter();
        lines.extend(unparsed.map(|path| format!("{path}: does not parse: what it imports is not known")));
        lines.extend(self.passed_over.iter().map(|one| format!("{}: {}", one.path, one.why)));
        lines
    }

    /// The document `switchback/shims/1`.
    pub fn to_json(&self) -> Value {
        let shims: Vec<Value> = self.shims.iter().map(Shim::to_json).collect();
        let unread: Vec<Value> =
            self.unread.iter().map(|(path, why)| json!({"path": path, "why": why})).collect();
        let passed_over: Vec<Value> =
            self.passed_over.iter().map(|one| json!({"path": one.path, "why": one.why})).collect();
        json!({
            "schema": "switchback/shims/1", "verdict": self.verdict().word(), "day": self.day, "scanned": self.scanned,
            "shims": shims, "unread": unread, "unparsed": self.unparsed, "passed_over": passed_over,
        })
    }
}

impl Shim {
    /// Who still uses it, in a few words. `unknown`: how many files could not be read for that.
    fn users_told(&self, unknown: u64) -> String {
        let mut users: Vec<String> = self.used_by.iter().map(shown).collect();
        users.extend(self.named_in.iter().map(|one| format!("{}:{}", one.path, one.line)));
        let more = users.len().saturating_sub(NAMED_MAX);
        users.truncate(NAMED_MAX);
        let files = counted(unknown, "file");
        match (users.is_empty(), more) {
            (true, _) if unknown > 0 => {
                format!("used by nobody among what could be read ({files} could not)")
            }
            (true, _) => "used by nobody: it can be removed".to_owned(),
            (false, more) => {
                let more = if more > 0 { format!(" and {more} more") } else { String::new() };
                let unread =
                    if unknown > 0 { format!(" ({files} could not be read)") } else { String::new() };
                format!("used by {}{more}{unread}", users.join(", "))
            }
        }
    }

    fn to_json(&self) -> Value {
        let used_by: Vec<Value> = self
            .used_by
            .iter()
            .map(|one| json!({"module": one.from, "path": one.path, "line": one.line, "imports": one.to}))
            .collect();
        let named_in: Vec<Value> = self
            .named_in
            .iter()
            .map(|one| {
                json!({
                    "kind": one.kind.word(), "path": one.path, "line": one.line, "how": one.way.word(), "text": one.text,
                })
            })
            .collect();
        json!({
            "path": self.path, "keeper": self.keeper.word(), "old": self.note.old, "new": self.note.new,
            "since": self.note.since, "until": self.note.until, "signatures": self.note.signatures,
            "due": self.is_due, "warns": self.warns, "used_by": used_by, "named_in": named_in,
        })
    }
}

/// A user: its module, where it is one, and the place.
fn shown(user: &OldUse) -> String {
    match &user.from {
        Some(module) => format!("{module} ({}:{})", user.path, user.line),
        None => format!("{}:{}", user.path, user.line),
    }
}
