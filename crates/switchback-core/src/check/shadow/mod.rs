//! Old and new side by side: one input is run by both, kept from everything outside, and what they leave is compared.
//!
//! `[[shadow]]` is no check: which inputs are run, and when, is for `phase::shadow` to say. What a check `scenarios` does
//! with a case is done here with an input, in copies of the trees; `guarded` runs one side, `judge` says what came of both.

mod guarded;
mod judge;

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};

use self::guarded::Ran;
use super::agreement::{Agreement, MAPPING};
use super::copies::Copies;
use super::{Trees, Which, rule_keys, shell};
use crate::plan::{Fields, Key, Shape, relative};
use crate::port::Comparer;
use crate::tree::copy::{Copier, remove_tree};
use crate::verdict::Verdict;
use crate::world::{Confinement, FileKind, World};

const SIDE: &[Key] = &[
    Key::required(
        "command",
        Shape::Text,
        "a line of shell that reads `{input}` and writes its results into `{out}`",
    ),
    Key::optional("path", Shape::Text, "what is compared: a path in `{out}`; all of it when left out"),
];
const SIDES: [Key; 2] = [
    Key::required("old", Shape::Table(SIDE), "the old program, which is run in a copy of the live tree"),
    Key::required(
        "new",
        Shape::Table(SIDE),
        "the new program, which is run in a copy of the tree with the candidate",
    ),
];

/// The keys of both sides, and of what is the same: those of a check `equivalence`.
pub const KEYS: [Key; 29] = rule_keys::joined(&[&SIDES, &rule_keys::TABLES, &MAPPING, &rule_keys::VALUES]);

/// Two programs, and when their results are the same.
#[derive(Debug)]
pub struct Pair {
    old: Program,
    new: Program,
    agreement: Agreement,
}

#[derive(Debug)]
struct Program {
    command: String,
    /// Below `{out}`.
    path: Option<PathBuf>,
}

impl Pair {
    /// The pair that keys of [`KEYS`] describe. What is wrong with them becomes a finding.
    pub fn read(fields: &Fields<'_>) -> Option<Self> {
        let agreement = Agreement::read(fields);
        let (old, new) = (Program::named(fields, "old"), Program::named(fields, "new"));
        Some(Self { old: old?, new: new?, agreement })
    }

    /// Files of the project that it reads beside the trees.
    pub fn reads(&self) -> Vec<PathBuf> {
        self.agreement.reads()
    }
}

impl Program {
    fn named(fields: &Fields<'_>, name: &str) -> Option<Self> {
        let side = fields.table(name)?;
        let path = match side.text("path") {
            Some(text) => Some(relative(&text, side.offset_of("path"), "the path", side.findings())?),
            None => None,
        };
        let command = side.filled_text("command")?;
        if !command.contains(INPUT) {
            side.find(
                "command",
                format!(
                    "the command of `{name}` does not name `{INPUT}`: it would do the same for every input"
                ),
                format!("put `{INPUT}` where it gets the path of its input"),
            );
        }
        Some(Self { command, path })
    }
}

/// What a command names its input by.
const INPUT: &str = "{input}";

/// What may be reached outside.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Allowed {
    /// Files and folders that may be written to.
    pub paths: Vec<PathBuf>,
    /// What may be connected to: `host`, `host:port`, or the path of a socket.
    pub hosts: Vec<String>,
    /// Programs that hand over mail and may be run.
    pub programs: Vec<String>,
}

/// What both sides of a shadow are run with.
#[derive(Debug)]
pub struct Ring<'a> {
    /// The only door to the outside.
    pub world: &'a World,
    /// Compares results.
    pub comparer: &'a dyn Comparer,
    /// What is kept from commands that work on copies: the live project.
    pub confinement: Confinement,
    /// What may be reached all the same.
    pub allowed: &'a Allowed,
    /// A side must be done within this time.
    pub timeout: Duration,
}

/// What came of an input, in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The results are the same.
    Equal,
    /// They are not.
    Differs,
    /// Both fail, with the same exit code and the same words.
    FailsAlike,
    /// One of both fails, or they fail in different ways.
    FailsApart,
    /// The new side tried to reach outside.
    ReachesOutside,
    /// It could not be told.
    Untold,
}

impl Outcome {
    /// The word for it in the journal.
    pub fn word(self) -> &'static str {
        match self {
            Self::Equal => "equal",
            Self::Differs => "differs",
            Self::FailsAlike => "fails-alike",
            Self::FailsApart => "fails-apart",
            Self::ReachesOutside => "reaches-outside",
            Self::Untold => "untold",
        }
    }
}

/// What came of an input.
#[derive(Debug)]
pub struct Found {
    /// The verdict.
    pub verdict: Verdict,
    /// In a word.
    pub outcome: Outcome,
    /// One line.
    pub summary: String,
    /// Everything else: the evidence.
    pub details: Value,
}

impl Found {
    fn new(verdict: Verdict, outcome: Outcome, summary: impl Into<String>) -> Self {
        Self { verdict, outcome, summary: summary.into(), details: json!({}) }
    }

    fn untold(why: impl Into<String>) -> Self {
        Self::new(Verdict::Unknown, Outcome::Untold, why)
    }
}

/// Runs inputs, one after the other, in copies that are made anew where an input changed them.
#[derive(Debug)]
pub struct Bench<'a> {
    pair: &'a Pair,
    ring: Ring<'a>,
    copies: Copies<'a>,
    folder: PathBuf,
}

impl<'a> Bench<'a> {
    /// A bench in `folder`, which exists and is empty.
    ///
    /// # Errors
    ///
    /// When the folders of the copies cannot be made.
    pub fn new(
        pair: &'a Pair,
        ring: Ring<'a>,
        trees: &'a dyn Trees,
        folder: PathBuf,
    ) -> Result<Self, String> {
        let disk = ring.world.disk.as_ref();
        disk.make_directory(&folder.join("trees"), 0o755).map_err(|error| error.to_string())?;
        let copies = Copies::new(trees, disk, folder.join("trees"));
        Ok(Self { pair, ring, copies, folder })
    }

    /// Runs an input by both sides, and compares.
    pub fn run(&mut self, input: &Path) -> Found {
        self.both(input).unwrap_or_else(Found::untold)
    }

    fn both(&mut self, input: &Path) -> Result<Found, String> {
        let disk = self.ring.world.disk.as_ref();
        let folder = self.folder.join("input");
        self.copies.renew()?;
        remove_tree(disk, &folder).map_err(|error| error.to_string())?;
        disk.make_directory(&folder, 0o755).map_err(|error| error.to_string())?;
        let old = self.one("old", Which::Old, &folder, input)?;
        let new = self.one("new", Which::New, &folder, input)?;
        let mut found = match judge::by_run(&old, &new, &self.pair.agreement.masks()) {
            Some(found) => found,
            None => self.compare(&old, &new)?,
        };
        if found.verdict != Verdict::Yes {
            for (ran, program) in [(&old, &self.pair.old), (&new, &self.pair.new)] {
                found.details[ran.name] = shell::evidence(&program.command, &ran.finished);
                let tried = ran.told.attempts.iter().map(|attempt| {
                    json!({"kind": attempt.kind.word(), "what": attempt.what, "call": attempt.call})
                });
                found.details[ran.name]["tried"] = tried.collect();
            }
        }
        found.details["seconds"] =
            json!({"old": old.finished.elapsed.as_secs_f64(), "new": new.finished.elapsed.as_secs_f64()});
        Ok(found)
    }

    fn one(&mut self, name: &'static str, which: Which, folder: &Path, input: &Path) -> Result<Ran, String> {
        let disk = self.ring.world.disk.as_ref();
        let tree = self.copies.tree(which)?;
        let place = guarded::Place::new(name, folder, tree, input)?;
        for folder in [&place.folder, &place.out, &place.inputs] {
            disk.make_directory(folder, 0o755).map_err(|error| error.to_string())?;
        }
        // Each gets a copy of its own: what one does to it the other does not see, nor does whoever brought it.
        let copied = Copier::new(disk).copy(input, &place.input, &|_| false);
        copied.map_err(|error| format!("{name}: the input could not be copied: {error}"))?;
        let program = if which == Which::Old { &self.pair.old } else { &self.pair.new };
        guarded::run(&self.ring, &program.command, place)
    }

    fn compare(&mut self, old: &Ran, new: &Ran) -> Result<Found, String> {
        let disk = self.ring.world.disk.as_ref();
        let (old_path, new_path) = (self.pair.old.path.as_deref(), self.pair.new.path.as_deref());
        let there = |ran: &Ran, path: Option<&Path>| super::side::there(disk, &ran.place.out, path);
        let old_results = there(old, old_path).map_err(|why| format!("old: {why}"))?;
        let Ok(new_results) = there(new, new_path) else {
            let path = new_path.unwrap_or(Path::new("{out}")).display();
            let why = format!("new ended well and left no `{path}`");
            return Ok(Found::new(Verdict::No, Outcome::Differs, why));
        };
        let leaves_none = |results: &Path| -> Result<bool, String> {
            let meta = disk.look(results).map_err(|error| error.to_string())?;
            let is_folder = meta.is_some_and(|meta| meta.kind == FileKind::Directory);
            Ok(is_folder && disk.list(results).map_err(|error| error.to_string())?.is_empty())
        };
        if let (one, other) = (leaves_none(&old_results)?, leaves_none(&new_results)?)
            && one != other
        {
            let (leaves, none) = if other { ("old", "new") } else { ("new", "old") };
            let why = format!("{none} ended well and left no results, and {leaves} left some");
            return Ok(Found::new(Verdict::No, Outcome::Differs, why));
        }
        let results = super::agreement::Results { out: &new.place.out, old: &old_results, new: &new_results };
        let copies = &mut self.copies;
        let rule = self.pair.agreement.rule(|| copies.tree(Which::New), &results, disk)?;
        let comparison =
            self.ring.comparer.compare(&old_results, &new_results, &rule).map_err(|error| error.told())?;
        let outcome = match comparison.verdict {
            Verdict::Yes => Outcome::Equal,
            Verdict::No => Outcome::Differs,
            Verdict::Unknown => Outcome::Untold,
        };
        let mut found = Found::new(comparison.verdict, outcome, comparison.summary.clone());
        if found.verdict != Verdict::Yes {
            found.details["comparison"] = super::equivalence::report(comparison);
        }
        Ok(found)
    }
}
