//! Changes: how a phase's candidate is made.
//!
//! A kind of change is one file here and one entry in [`KINDS`]: the entry names its keys in the plan, and how it is
//! read. A change only ever writes into the stage, never into the live tree.

mod archive;
mod checkpoints;
mod code;
mod command;
mod config;
mod files;
mod merging;
mod moving;
mod schema;

use std::fmt::Debug;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use schema::SchemaChange;
pub(crate) use schema::database_and_steps;

use crate::journal::fact::ReceivedFact;
use crate::plan::{Fields, Key, KindKeys, Managed};
use crate::port::{Configurer, Migrator, Mover, PortError, Schemas};
use crate::tree::ScanError;
use crate::tree::copy::CopyError;
use crate::tree::rewrite::RewriteError;
use crate::world::{Confinement, DiskError, ProcessError, World};

/// A kind of change.
#[derive(Debug)]
pub struct Kind {
    /// The value of `kind` in the plan.
    pub word: &'static str,
    /// One sentence for people and editors.
    pub doc: &'static str,
    /// Its keys beside `kind`.
    pub keys: &'static [Key],
    /// Reads its keys; what is wrong with them becomes a finding.
    pub read: fn(&Fields<'_>) -> Option<Box<dyn Change>>,
}

/// Every kind of change that a plan can name.
pub static KINDS: &[&Kind] = &[
    &files::KIND,
    &checkpoints::KIND,
    &command::KIND,
    &config::KIND,
    &merging::KIND,
    &moving::KIND,
    &schema::KIND,
];

/// Kinds that plans know and this version cannot carry out yet.
pub const NOT_BUILT: &[&str] = &[];

/// The kinds and their keys, for the schema.
pub fn kinds() -> Vec<KindKeys> {
    KINDS.iter().map(|kind| KindKeys { word: kind.word, doc: kind.doc, keys: kind.keys }).collect()
}

/// Makes a part of the candidate.
pub trait Change: Debug + Send + Sync {
    /// What it does, in a few words.
    fn describe(&self) -> String;

    /// Whether it replaces the whole managed path, so that nothing of the live one need be copied first.
    fn replaces(&self, managed: &Managed) -> bool;

    /// The archive that it takes the candidate from, as the plan names it, where it takes it from one.
    fn archive(&self) -> Option<&str> {
        None
    }

    /// The managed paths that the plan says it brings; `None`: all of them.
    fn paths(&self) -> Option<&[PathBuf]> {
        None
    }

    /// Whether it needs the unmanaged rest of the project around the candidate.
    fn needs_project(&self) -> bool {
        false
    }

    /// The steps of a database that go live with the phase, where it is about such.
    fn schema(&self) -> Option<&SchemaChange> {
        None
    }

    /// What it would have a database carry out, as lines for people; none where it is about none.
    fn statements(&self, stage: &Stage<'_>) -> Vec<String> {
        let _ = stage;
        Vec::new()
    }

    /// What it would do to the live content, when that can be known without doing it. Writes into the scratch folder
    /// at most.
    ///
    /// # Errors
    ///
    /// When its source cannot be used.
    fn preview(&self, stage: &Stage<'_>) -> Result<Option<FileCounts>, ChangeError> {
        let _ = stage;
        Ok(None)
    }

    /// Changes the stage.
    ///
    /// # Errors
    ///
    /// When it cannot be carried out. What it left in the stage is thrown away then.
    fn apply(&self, stage: &Stage<'_>) -> Result<(), ChangeError>;
}

/// How many files a change would touch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FileCounts {
    /// Only in the candidate.
    pub added: u64,
    /// Only in the live tree.
    pub removed: u64,
    /// In both, of another content or kind.
    pub changed: u64,
    /// In both, under another path.
    pub moved: u64,
}

/// Where a candidate is made.
#[derive(Debug)]
pub struct Stage<'a> {
    /// The only door to the outside.
    pub world: &'a World,
    /// Rewrites source code.
    pub mover: &'a dyn Mover,
    /// Consolidates configuration.
    pub configurer: &'a dyn Configurer,
    /// Migrates directories of documents.
    pub migrator: &'a dyn Migrator,
    /// Opens databases whose schema is changed.
    pub schemas: &'a Arc<dyn Schemas>,
    /// The project's root.
    pub root: &'a Path,
    /// Where the content of a managed path is: the project's root, or the generation that its links lead to.
    pub live: &'a Path,
    /// The candidate: managed paths stand in it as they stand in the project.
    pub tree: &'a Path,
    /// A folder for whatever else is needed; thrown away afterwards.
    pub scratch: &'a Path,
    /// The managed paths.
    pub managed: &'a [Managed],
    /// Packages that were received, in order.
    pub received: &'a [ReceivedFact],
    /// What its commands may do to the disk; `None`: whatever this process may.
    pub confinement: Option<Confinement>,
}

/// A change that could not be carried out.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// The disk said no.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// A tree could not be copied.
    #[error(transparent)]
    Copy(#[from] CopyError),
    /// A tree could not be read.
    #[error(transparent)]
    Scan(#[from] ScanError),
    /// A command could not be started.
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// Files could not be rewritten.
    #[error(transparent)]
    Rewrite(#[from] RewriteError),
    /// Code could not be read, or the rules for it.
    #[error("{}", .0.told())]
    Port(#[from] PortError),
    /// A rewrite whose proof does not hold.
    #[error("{what} is refuted: {why}")]
    Refuted {
        /// The rewrite, in a few words.
        what: String,
        /// What speaks against it.
        why: String,
    },
    /// A rewrite that reaches files which are not managed.
    #[error("{what} has to change what is not managed: {paths}")]
    Unmanaged {
        /// The rewrite, in a few words.
        what: String,
        /// Some of the paths.
        paths: String,
    },
    /// The source of the candidate cannot be used.
    #[error("the candidate `{from}` {why}")]
    Source {
        /// As the plan names it.
        from: String,
        /// What is wrong with it.
        why: String,
    },
    /// A package was received there, and what stands there is something else.
    #[error(
        "`{from}` is not what was received there: the package {package} {sequence}, whose file has the BLAKE3 {expected}; {found}"
    )]
    NotReceived {
        /// As the plan names it.
        from: String,
        /// What the package is called that was received there last.
        package: String,
        /// Its number.
        sequence: u64,
        /// The hash of its file.
        expected: String,
        /// What is there, as a clause.
        found: String,
    },
    /// An archive that is not unpacked.
    #[error("the archive `{from}` is refused: {why}")]
    Archive {
        /// As the plan names it.
        from: String,
        /// What is wrong with it, and where.
        why: String,
    },
    /// A command ended badly.
    #[error("the command `{command}` ended with {ending}{words}")]
    Command {
        /// The command.
        command: String,
        /// How it ended.
        ending: String,
        /// Its last words, with `: ` in front, or nothing.
        words: String,
    },
}

/// A path that the plan names relative to the project's root, or absolute.
pub(crate) fn from_root(root: &Path, path: &str) -> PathBuf {
    root.join(path)
}
