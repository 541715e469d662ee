//! Checks: each looks, never changes, and ends in a verdict with evidence.
//!
//! A kind of check is one file here and one entry in [`KINDS`]: the entry names its keys in the plan, and how it is read.

mod absent;
mod agreement;
mod api;
mod categories;
mod checkpoints;
mod command;
mod compliance;
mod config;
mod constraint;
mod copies;
mod coverage;
mod dbt;
mod distribution;
mod equivalence;
mod figure;
mod files;
mod fixture;
pub mod found;
mod freshness;
mod http;
mod imports;
mod integrity;
mod limits;
mod lint;
mod log;
mod needs;
mod notebook;
mod performance;
mod prometheus;
mod report_file;
mod requests;
mod restart;
mod routes;
mod rule_keys;
mod scenarios;
mod schema;
pub mod shadow;
pub(crate) mod shell;
mod shims;
mod side;
mod startup;
mod symbols;
mod tests;

use std::fmt::Debug;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use self::found::Found;
use crate::fixture::Fixture;
use crate::manifest::Manifest;
use crate::plan::{Fields, Key, KindKeys, Moment};
use crate::port::{Comparer, Configurer, Inspector, Migrator, PortError, Querier, Schemas, Statistician};
use crate::verdict::Verdict;
use crate::world::{Confinement, Disk, World};

/// A kind of check.
#[derive(Debug)]
pub struct Kind {
    /// The value of `kind` in the plan.
    pub word: &'static str,
    /// One sentence for people and editors.
    pub doc: &'static str,
    /// Its keys, beside those that every check has.
    pub keys: &'static [Key],
    /// Reads its keys; what is wrong with them becomes a finding.
    pub read: fn(&Fields<'_>) -> Option<Box<dyn Check>>,
}

/// Every kind of check that a plan can name.
pub static KINDS: &[&Kind] = &[
    &absent::KIND,
    &api::KIND,
    &checkpoints::KIND,
    &command::KIND,
    &compliance::KIND,
    &config::KIND,
    &constraint::KIND,
    &coverage::KIND,
    &distribution::KIND,
    &equivalence::KIND,
    &figure::KIND,
    &files::KIND,
    &fixture::KIND,
    &freshness::KIND,
    &http::KIND,
    &imports::KIND,
    &integrity::KIND,
    &lint::KIND,
    &log::KIND,
    &needs::KIND,
    &notebook::KIND,
    &performance::KIND,
    &prometheus::KIND,
    &requests::KIND,
    &restart::KIND,
    &routes::KIND,
    &scenarios::KIND,
    &schema::KIND,
    &shims::KIND,
    &startup::KIND,
    &symbols::KIND,
    &tests::KIND,
];

/// Kinds that plans know and this version cannot carry out yet.
pub const NOT_BUILT: &[&str] = &[];

/// The kinds and their keys, for the schema.
pub fn kinds() -> Vec<KindKeys> {
    KINDS.iter().map(|kind| KindKeys { word: kind.word, doc: kind.doc, keys: kind.keys }).collect()
}

/// Looks at something.
pub trait Check: Debug + Send + Sync {
    /// Looks. Whatever keeps it from looking is *could not tell*, with the reason in the summary.
    fn look(&self, scene: &Scene<'_>) -> Looked;

    /// Files of the project that its keys name and that it reads, relative to the project. Its evidence is bound to them
    /// as to its declared inputs.
    fn reads(&self) -> Vec<PathBuf> {
        Vec::new()
    }

    /// Files of the project that its keys name, whether they are there or not, as they are in `tree` now; folders that `enters` says
    /// no to are not looked into. Its evidence is bound to those that no tree of the phase holds: to their bytes, and to which
    /// of them are there.
    ///
    /// # Errors
    ///
    /// Why they could not be listed.
    fn finds(
        &self,
        disk: &dyn Disk,
        tree: &Path,
        enters: &dyn Fn(&Path) -> bool,
    ) -> Result<Vec<Found>, String> {
        let _ = (disk, tree, enters);
        Ok(Vec::new())
    }

    /// Whether what it finds may go on growing while it looks at a live tree, as logs do: what it has read of them stays true.
    fn finds_logs(&self) -> bool {
        false
    }

    /// Paths of the project that its keys name and that it looks for in the snapshot of the phase, each with its byte offset
    /// in the plan: files and folders, and of a pattern the folder that its first `*` or `?` stands in.
    fn saved(&self) -> Vec<(usize, PathBuf)> {
        Vec::new()
    }

    /// Whether it asks a service that runs somewhere: what stands in a tree says nothing about the answer.
    fn asks_a_service(&self) -> bool {
        false
    }

    /// Whether it counts the samples that an answer rests on: what a trigger asks for with `least_samples`.
    fn counts_samples(&self) -> bool {
        false
    }

    /// The fixture that it looks at, if it looks at one: `fixture refresh` captures it anew.
    fn fixture(&self) -> Option<&Fixture> {
        None
    }
}

/// What a check has around it.
#[derive(Debug)]
pub struct Scene<'a> {
    /// The only door to the outside.
    pub world: &'a World,
    /// Compares results.
    pub comparer: &'a dyn Comparer,
    /// Looks whether constraints hold.
    pub querier: &'a dyn Querier,
    /// Compares ensembles.
    pub statistician: &'a dyn Statistician,
    /// Reads source code.
    pub inspector: &'a dyn Inspector,
    /// Reads configuration.
    pub configurer: &'a dyn Configurer,
    /// Looks at directories of documents.
    pub migrator: &'a dyn Migrator,
    /// Opens databases whose schema is looked at.
    pub schemas: &'a Arc<dyn Schemas>,
    /// The trees.
    pub trees: &'a dyn Trees,
    /// The project as the snapshot of the phase holds it.
    pub saved: &'a dyn Saved,
    /// What an earlier attempt at the same check already found.
    pub kept: &'a dyn Kept,
    /// When it looks.
    pub moment: Moment,
    /// An empty folder of its own.
    pub out: &'a Path,
    /// Variables that its commands get.
    pub variables: &'a [(String, String)],
    /// What its commands may do to the disk; `None`: whatever this process may.
    pub confinement: Option<&'a Confinement>,
    /// It must be done within this time.
    pub timeout: Duration,
    /// What the same check found at `before`, as [`Looked::details`]; `None` when it did not look then.
    pub before: Option<&'a Value>,
    /// What it found when it last looked at what is live; `None` when it did not since the cutover.
    pub last: Option<&'a Value>,
}

/// One of the two trees that a phase is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Which {
    /// The project as it was before the phase.
    Old,
    /// The project with the candidate.
    New,
}

/// What parts of a check found, kept until the check as a whole has an answer: one that was interrupted goes on where it was.
///
/// What was kept is found again only by the same version of the same check of the same trees and inputs, as far as they are part
/// of evidence; the key says everything else that the part depends on.
pub trait Kept: Debug + Sync {
    /// What was kept under this key, unless it is damaged.
    fn get(&self, key: &str) -> Option<String>;
    /// Keeps a text, without the secrets in it. Where that fails, the part is looked at again one day.
    fn put(&self, key: &str, text: &str);
}

/// Whole projects to look at. They are made when they are asked for.
pub trait Trees: Debug + Sync {
    /// The tree that this moment is about: a copy of the live project before the cutover is staged, the staged
    /// candidate in a copy of the project, or the live project itself.
    fn here(&self) -> Result<PathBuf, String>;
    /// The project as it was before this phase, as a copy.
    fn old_project(&self) -> Result<PathBuf, String>;
    /// The project with this phase's candidate: a copy before the cutover, the live project after it.
    fn new_project(&self) -> Result<PathBuf, String>;
    /// Where a path of one of the two projects stands now, without a copy of the project; `None` where nothing was kept of it.
    fn place(&self, which: Which, path: &Path) -> Option<PathBuf>;
    /// Copies one of the two projects to `into`, which must not exist: nobody else looks at this copy.
    fn copy(&self, which: Which, into: &Path) -> Result<(), String>;
}

/// The project as the verified snapshot of the phase holds it.
pub trait Saved: Debug {
    /// What it holds.
    ///
    /// # Errors
    ///
    /// Why there is none, or why it cannot be read.
    fn content(&self) -> Result<SavedContent, String>;

    /// Brings these paths back into `into`, which must not exist yet, and says where each of them is then.
    ///
    /// # Errors
    ///
    /// When one of them is not in it, or it is not brought back as it was.
    fn restore(&self, paths: &[PathBuf], into: &Path) -> Result<Vec<PathBuf>, String>;
}

/// What the snapshot of a phase holds.
#[derive(Debug, Clone, Default)]
pub struct SavedContent {
    /// The id of the snapshot.
    pub id: String,
    /// The files and folders that it was asked for, by their paths in the project.
    pub roots: Vec<PathBuf>,
    /// Everything in it, by paths in the project.
    pub manifest: Manifest,
}

/// What a check saw.
#[derive(Debug, Clone, PartialEq)]
pub struct Looked {
    /// The verdict.
    pub verdict: Verdict,
    /// One line for a person.
    pub summary: String,
    /// Everything else: the evidence.
    pub details: Value,
    /// What triggers compare with `before`: milliseconds, seconds, or a number of the user's, where the check measures something.
    pub measure: Option<f64>,
    /// How many samples the answer rests on, where that can be counted: requests, lines, runs.
    pub samples: Option<u64>,
    /// What a person wants to see at once beside the summary: rows of cells, the first of them the heading.
    pub table: Vec<Vec<String>>,
}

impl Looked {
    /// A verdict with its line and its evidence.
    pub fn new(verdict: Verdict, summary: impl Into<String>, details: Value) -> Self {
        Self { verdict, summary: summary.into(), details, measure: None, samples: None, table: Vec::new() }
    }

    /// *Could not tell*, and why.
    pub fn unknown(why: impl Into<String>, details: Value) -> Self {
        Self::new(Verdict::Unknown, why, details)
    }

    /// *Could not tell*, because a port failed.
    fn failed(error: &PortError, mut details: Value) -> Self {
        details["error"] = json!({"message": error.message, "causes": error.causes, "hint": error.hint});
        Self::unknown(error.told(), details)
    }

    /// With a table for a person.
    #[must_use]
    fn shown(mut self, table: Vec<Vec<String>>) -> Self {
        self.table = table;
        self
    }

    /// With how many samples it rests on.
    #[must_use]
    pub fn of_samples(mut self, samples: u64) -> Self {
        self.samples = Some(samples);
        self
    }

    /// With what was measured.
    #[must_use]
    pub fn measured(mut self, measure: f64) -> Self {
        self.measure = Some(measure);
        self
    }
}
