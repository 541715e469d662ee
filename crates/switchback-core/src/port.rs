//! The ports: what the run needs from the heavy crates, in plain types. `main` wires the implementations.

use std::fmt::Debug;
use std::path::{Path, PathBuf};

use crate::code::{
    ApiRequest, CodeParts, ImportsRequest, MergeRequest, ModulesFound, ModulesRequest, MoveRequest,
    PartsRequest, Rewrite, RoutesFound, RoutesRequest, ShimsRequest, SymbolsRequest,
};
use crate::configuration::{ConfigComparison, ConfigRequest};
use crate::constraint::{Bounds, Constraint, ConstraintOutcome, TableFile};
use crate::documents::CheckpointsRequest;
use crate::manifest::Manifest;
use crate::performance::{LimitFinding, RatioFinding, RatioRequest};
use crate::rule::{DistributionRule, Rule};
use crate::signature::{KeyPlace, Opened, PublicKey, SignatureFault};
use crate::verdict::Verdict;

/// Compares two results, each a file or a directory.
pub trait Comparer: Debug + Send + Sync {
    /// Compares `old` with `new` under `rule`. A difference is an answer, never an error.
    ///
    /// # Errors
    ///
    /// When no verdict can be reached: a file that cannot be read, a key that repeats, a stage that is missing.
    fn compare(&self, old: &Path, new: &Path, rule: &Rule) -> Result<Comparison, PortError>;

    /// Reads one file through to its end as what its name promises, and says what is in it. Damage is an answer, never an
    /// error.
    ///
    /// # Errors
    ///
    /// When it cannot be told whether the file is whole: it is not there, it may not be read, it takes more memory than is
    /// allowed.
    fn read_through(&self, path: &Path) -> Result<FileFound, PortError>;
}

/// What reading a file through to its end found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileFound {
    /// What it was read as.
    pub form: FileForm,
    /// How many records it holds: the rows of a table, or of all tables; of a document the items of its list, or of its only
    /// list, else its members. `None` where only bytes are known of it, and where it is damaged.
    pub records: Option<u64>,
    /// The columns of a table, in order.
    pub columns: Vec<String>,
    /// What is wrong with it, with the place where one is known: `line 3 column 7: expected value`.
    pub damage: Option<String>,
}

/// What a file is read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileForm {
    /// Rows and columns; its columns have types of their own.
    TypedTable,
    /// Rows and columns, whose types are found in their text.
    TextTable,
    /// Several tables, each with a name.
    Tables,
    /// A tree of values.
    Document,
    /// Of no known format: nothing but bytes.
    Bytes,
}

/// The outcome of one comparison.
#[derive(Debug, Clone)]
pub struct Comparison {
    /// Whether both are equal under the rule.
    pub verdict: Verdict,
    /// One line for a person: what was compared, and where it first differs.
    pub summary: String,
    /// The whole report: one JSON document of the schema `switchback/compare/1`.
    pub report: String,
}

/// Looks whether constraints hold on tables.
pub trait Querier: Debug + Send + Sync {
    /// Looks at every constraint. A violation is an answer, never an error, and so is *could not tell*: an unknown column,
    /// no row to look at.
    ///
    /// # Errors
    ///
    /// When no constraint can be looked at: a table that was named does not exist or cannot be read.
    fn query(
        &self,
        tables: &[TableFile],
        constraints: &[Constraint],
        bounds: &Bounds,
    ) -> Result<ConstraintOutcome, PortError>;
}

/// Compares numbers that vary: ensembles, which are tables whose rows are replicates and whose columns are statistics; and runs.
pub trait Statistician: Debug + Send + Sync {
    /// Whether every statistic is distributed alike in `old` and `new`, two files, within the margins of `rule`.
    ///
    /// # Errors
    ///
    /// When no verdict can be reached: a file that cannot be read, no statistic in common, a level that is none.
    fn judge(&self, old: &Path, new: &Path, rule: &DistributionRule) -> Result<Comparison, PortError>;

    /// Whether NEW takes more than OLD by more than a margin.
    fn slowdown(&self, request: &RatioRequest<'_>) -> RatioFinding;

    /// Whether the value below which `share` of all runs lie is itself below `limit`, at the level `alpha`. The values are finite.
    fn limit(&self, values: &[f64], share: f64, limit: f64, alpha: f64) -> LimitFinding;
}

/// Rewrites source code.
pub trait Mover: Debug + Send + Sync {
    /// Works out a move in `tree` and proves it. Nothing is touched. A proof that does not hold is an answer.
    ///
    /// # Errors
    ///
    /// When it cannot be worked out: rules that cannot be read, nothing of that name, a target that is taken.
    fn plan_move(&self, tree: &Path, request: &MoveRequest) -> Result<Rewrite, PortError>;

    /// Works out a merge in `tree` and proves that nothing of either side is lost. Nothing is touched. An open conflict is
    /// an answer.
    ///
    /// # Errors
    ///
    /// When it cannot be worked out: a side that is not there, rules that cannot be read, a driver that cannot be run.
    fn plan_merge(&self, tree: &Path, request: &MergeRequest) -> Result<Rewrite, PortError>;
}

/// Reads and consolidates configuration.
pub trait Configurer: Debug + Send + Sync {
    /// Works out one master and an override for each environment, and proves that each environment gets what it got. Nothing is
    /// touched. A conflict that nobody decided is an answer.
    ///
    /// # Errors
    ///
    /// When it cannot be worked out: a fragment that cannot be read, rules that cannot be.
    fn plan_config(&self, tree: &Path, request: &ConfigRequest) -> Result<Rewrite, PortError>;

    /// Whether two configurations give a program the same in every environment.
    ///
    /// # Errors
    ///
    /// When no verdict can be reached: a file that cannot be read, an environment that there is not.
    fn compare_configs(&self, comparison: &ConfigComparison) -> Result<Comparison, PortError>;
}

/// Migrates directories of documents.
pub trait Migrator: Debug + Send + Sync {
    /// Works out the migration of a directory of `tree` and proves it. Nothing is touched. A proof that does not hold is an
    /// answer.
    ///
    /// # Errors
    ///
    /// When it cannot be worked out: rules that cannot be read, a document that is none, a program that fails.
    fn plan_checkpoints(&self, tree: &Path, request: &CheckpointsRequest) -> Result<Rewrite, PortError>;

    /// Whether every document of a directory of `tree` is of the last version, under its last name, and as its schema says.
    ///
    /// # Errors
    ///
    /// When the rules or the directory cannot be read.
    fn verify_checkpoints(&self, tree: &Path, request: &CheckpointsRequest) -> Result<Comparison, PortError>;
}

/// Reads source code, without running it.
pub trait Inspector: Debug + Send + Sync {
    /// Whether every import of a tree resolves, or did not before either.
    ///
    /// # Errors
    ///
    /// When the tree cannot be read.
    fn imports(&self, request: &ImportsRequest) -> Result<Comparison, PortError>;

    /// Whether nothing of the public surface is gone or changed so that callers break.
    ///
    /// # Errors
    ///
    /// When one of the trees cannot be read.
    fn api(&self, request: &ApiRequest) -> Result<Comparison, PortError>;

    /// Whether names are there, or gone.
    ///
    /// # Errors
    ///
    /// When the tree cannot be read, or something is no name.
    fn symbols(&self, request: &SymbolsRequest) -> Result<Comparison, PortError>;

    /// Whether every HTTP route of the old tree is one of the new tree.
    ///
    /// # Errors
    ///
    /// When one of the trees cannot be read.
    fn routes(&self, request: &RoutesRequest) -> Result<Comparison, PortError>;

    /// Whether no old name stands past its day, and each says that it is one.
    ///
    /// # Errors
    ///
    /// When the tree cannot be read.
    fn shims(&self, request: &ShimsRequest) -> Result<Comparison, PortError>;

    /// The HTTP routes of a tree, without those of its tests. `source_roots`: where dotted names start; found by looking when empty.
    ///
    /// # Errors
    ///
    /// When the tree cannot be read.
    fn listed_routes(&self, tree: &Path, source_roots: &[String]) -> Result<RoutesFound, PortError>;

    /// The modules of a tree that can be imported: Python's own code, not stubs and not what starts when it is imported
    /// (`__main__`).
    ///
    /// # Errors
    ///
    /// When the tree cannot be read.
    fn modules(&self, request: &ModulesRequest) -> Result<ModulesFound, PortError>;

    /// Which of the files of `request.before` differ in what they import, and which are about HTTP routes.
    ///
    /// # Errors
    ///
    /// When the tree, or what was kept, cannot be read.
    fn parts(&self, request: &PartsRequest) -> Result<CodeParts, PortError>;

    /// What would break once the files of `request.chosen` are back, a line each: imports that resolve now, or did before.
    ///
    /// # Errors
    ///
    /// When the tree, or what was kept, cannot be read.
    fn lost(&self, request: &PartsRequest) -> Result<Vec<String>, PortError>;
}

/// Reads verified copies of trees, wherever they are kept.
pub trait SnapshotReader: Debug + Send + Sync {
    /// Every snapshot, oldest first.
    fn list(&self) -> Result<Vec<SnapshotRecord>, PortError>;

    /// One snapshot and its manifest. `id` is a full id or a prefix that fits exactly one snapshot.
    fn show(&self, id: &str) -> Result<(SnapshotRecord, Manifest), PortError>;

    /// Reads the content of one snapshot (of all, without an id) again; returns what is wrong, nothing when all is well.
    fn check(&self, id: Option<&str>) -> Result<SnapshotCheck, PortError>;

    /// Writes a snapshot, or only `paths` of it, into `into`, which must not exist yet, and verifies what it wrote
    /// against the manifest: content, modes, owners, times, extended attributes, link structure, holes.
    fn restore(&self, id: &str, paths: &[PathBuf], into: &Path) -> Result<SnapshotRecord, PortError>;

    /// The content of one file of a snapshot, verified against the manifest; a larger one than `bytes_max` is an error.
    fn read(&self, id: &str, path: &Path, bytes_max: u64) -> Result<Vec<u8>, PortError>;
}

/// Keeps durable, verified copies of trees.
pub trait Vault: SnapshotReader {
    /// Stores what `request` names, re-reads it, and compares it entry by entry with a manifest of its own.
    ///
    /// # Errors
    ///
    /// When anything could not be read, stored or verified. Then there is no snapshot to rely on.
    fn create(&self, request: &SnapshotRequest) -> Result<SnapshotRecord, PortError>;

    /// Removes snapshots, by full id, and what no other one holds. The newest one is never removed, and is read again
    /// afterwards.
    ///
    /// # Errors
    ///
    /// When one of them is unknown or the newest: then nothing was removed. When the newest one is damaged.
    fn forget(&self, ids: &[String]) -> Result<Forgotten, PortError>;
}

/// What [`Vault::forget`] removed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Forgotten {
    /// Bytes of the repository that were freed.
    pub freed_bytes: u64,
    /// The newest snapshot, which was read again.
    pub kept: String,
}

/// A second copy of a vault, elsewhere: the same repository, file by file.
pub trait RemoteVault: SnapshotReader {
    /// Copies what is not there yet, and a snapshot as the last of it. What is there is never altered.
    ///
    /// # Errors
    ///
    /// When the place cannot be reached, holds another repository, or does not confirm what was sent.
    fn send(&self, id: &str) -> Result<Sent, PortError>;
}

/// What [`RemoteVault::send`] copied.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sent {
    /// Files of the repository.
    pub files: u64,
    /// Bytes in them.
    pub bytes: u64,
}

/// A file that is read part by part, as often as it takes.
pub trait Parts: Debug {
    /// How many bytes it has.
    fn bytes(&self) -> u64;

    /// So many bytes from `at` on, which are there.
    ///
    /// # Errors
    ///
    /// When they cannot be read, or are not there any more.
    fn part(&self, at: u64, bytes: u64) -> Result<Vec<u8>, PortError>;
}

/// A place elsewhere that keeps files by name: a folder of an object store, or of a server. Names are relative and have `/` between
/// their parts.
pub trait Depot: Debug + Send + Sync {
    /// Where it is, without anything secret.
    fn address(&self) -> String;

    /// The names of all files below a folder, in order; none when it is not there.
    ///
    /// # Errors
    ///
    /// When the place cannot be reached, or does not let it be read.
    fn list(&self, folder: &str) -> Result<Vec<String>, PortError>;

    /// A whole file; `None` when it is not there.
    ///
    /// # Errors
    ///
    /// When the place cannot be reached, or does not let it be read.
    fn get(&self, name: &str) -> Result<Option<Vec<u8>>, PortError>;

    /// Keeps a file under a name. Under that name it is there as a whole or not at all.
    ///
    /// # Errors
    ///
    /// When the place cannot be reached, or does not take it.
    fn put(&self, name: &str, content: &[u8]) -> Result<(), PortError>;

    /// How many bytes a file has; `None` when it is not there.
    ///
    /// # Errors
    ///
    /// When the place cannot be reached, or does not let it be looked at.
    fn size(&self, name: &str) -> Result<Option<u64>, PortError>;

    /// So many bytes of a file from `at` on, which are there.
    ///
    /// # Errors
    ///
    /// When the place cannot be reached, or does not have them any more.
    fn get_part(&self, name: &str, at: u64, bytes: u64) -> Result<Vec<u8>, PortError>;

    /// Keeps a file under a name, as [`Depot::put`] does, and holds no more than a part of it in memory.
    ///
    /// # Errors
    ///
    /// When the place cannot be reached, or does not take it, or the file cannot be read.
    fn put_parts(&self, name: &str, content: &dyn Parts) -> Result<(), PortError>;

    /// Removes a file; nothing there is fine.
    ///
    /// # Errors
    ///
    /// When the place cannot be reached, or does not let it go.
    fn remove(&self, name: &str) -> Result<(), PortError>;
}

/// Where the snapshots of a project are kept, and what opens them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VaultPlace {
    /// The root of the project: where the command runs.
    pub root: PathBuf,
    /// The folder of the repository, absolute.
    pub repository: PathBuf,
    /// The file that holds its password, absolute; one beside the repository when left out, which is made when it is
    /// missing.
    pub password_file: Option<PathBuf>,
    /// A command that prints the password.
    pub password_command: Option<String>,
}

/// Opens the vault of a project.
pub trait Vaults: Debug + Send + Sync {
    /// The vault at a place; it is made with its first snapshot.
    fn open(&self, place: &VaultPlace) -> Box<dyn Vault>;

    /// The second copy of the vault at a place: in a folder (an absolute path), or in an object store (`s3://…`).
    ///
    /// # Errors
    ///
    /// When the address is of a kind that this build cannot reach.
    fn remote(&self, place: &VaultPlace, address: &str) -> Result<Box<dyn RemoteVault>, PortError>;

    /// A place for single files: `s3://bucket/folder`, `sftp:user@host:folder`. Nothing is read or written before it is asked.
    ///
    /// # Errors
    ///
    /// When the address, or what the environment says about the place, cannot be understood.
    fn depot(&self, address: &str) -> Result<Box<dyn Depot>, PortError>;
}

/// What a snapshot is to hold.
#[derive(Debug, Clone)]
pub struct SnapshotRequest {
    /// The root that `paths` are relative to.
    pub root: PathBuf,
    /// Files and directories below `root`. One that does not exist is left out, and missing in the manifest.
    pub paths: Vec<PathBuf>,
    /// What it is for, in a few words: `before phase unify`.
    pub label: String,
}

/// One snapshot, as listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotRecord {
    /// Its id: the hexadecimal id of the restic snapshot, 64 digits.
    pub id: String,
    /// When it was made, RFC 3339, UTC.
    pub time: String,
    /// What it is for.
    pub label: String,
    /// How many files it holds (regular files; other entries are not counted).
    pub files: u64,
    /// How many bytes these files hold.
    pub bytes: u64,
    /// The paths that were asked for, relative to the root.
    pub paths: Vec<PathBuf>,
    /// BLAKE3 of the manifest, 64 hexadecimal digits.
    pub manifest_hash: String,
}

/// What [`SnapshotReader::check`] looked at and found.
#[derive(Debug, Clone, Default)]
pub struct SnapshotCheck {
    /// How many snapshots were read.
    pub snapshots: usize,
    /// What is wrong, one sentence each, naming snapshot and path.
    pub findings: Vec<String>,
}

/// Opens databases so that their schema can be changed.
pub trait Schemas: Debug + Send + Sync {
    /// Opens one, for as long as the session lives.
    ///
    /// # Errors
    ///
    /// When it is not there, not reachable, or held by somebody else.
    fn open(&self, place: &SchemaPlace) -> Result<Box<dyn SchemaSession>, PortError>;
}

/// A database whose schema is looked at or changed.
#[derive(Clone)]
pub struct SchemaPlace {
    /// What it is called, without user and password.
    pub name: String,
    /// Its kind.
    pub kind: crate::database::Kind,
    /// Its file, or the address of its server, which may hold a password and is never shown.
    pub location: String,
    /// Whether it is only looked at.
    pub is_read_only: bool,
    /// Whether a file that is not there is made.
    pub is_made: bool,
}

/// The location is not shown.
impl Debug for SchemaPlace {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("SchemaPlace").field("name", &self.name).finish_non_exhaustive()
    }
}

/// One connection to a database. Statements are carried out one at a time, in its own words.
pub trait SchemaSession: Debug {
    /// Carries out one statement; rows that it gives are passed over.
    fn run(&mut self, statement: &str) -> Result<(), StatementError>;

    /// Asks for rows of texts: every column of `query` is a text or a whole number, or null. `take` is called for each row; an
    /// answer of `false` ends the reading.
    fn rows(
        &mut self,
        query: &str,
        take: &mut dyn FnMut(&[Option<String>]) -> bool,
    ) -> Result<(), StatementError>;

    /// The first value of the first row of a query of any types, as text.
    fn first(&mut self, query: &str) -> Result<FirstValue, StatementError>;
}

/// The first value that a query gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FirstValue {
    /// There is no row.
    NoRow,
    /// It is null.
    Null,
    /// It is this, as text.
    Text(String),
}

impl FirstValue {
    /// A value of a row that is there.
    pub fn of(value: Option<String>) -> Self {
        value.map_or(Self::Null, Self::Text)
    }

    /// The text, when there is one.
    pub fn text(self) -> Option<String> {
        match self {
            Self::Text(text) => Some(text),
            Self::NoRow | Self::Null => None,
        }
    }
}

/// Why a database did not carry a statement out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct StatementError {
    /// The database's own words, on one line or several.
    pub message: String,
    /// Where in the statement, in bytes from its start, as far as the database says so.
    pub offset: Option<usize>,
    /// Whether the connection is gone, so that nobody knows whether the statement was carried out.
    pub is_cut: bool,
}

/// Signs, and says whether something is signed.
pub trait Signatures: Debug + Send + Sync {
    /// Opens a private key.
    ///
    /// # Errors
    ///
    /// When it is not there, not a private key of the kind `ssh-ed25519`, or is locked and the passphrase is not at hand or
    /// does not open it.
    fn open(&self, place: &KeyPlace) -> Result<Box<dyn Signer>, PortError>;

    /// What a key is called: its fingerprint as OpenSSH shows it, `SHA256:…`.
    fn key_id(&self, key: &PublicKey) -> String;

    /// Opens an envelope that holds what `payload_type` says and is signed by one of `keys`. Every signature of one of them
    /// has to be good; those of others are passed over.
    ///
    /// # Errors
    ///
    /// When it is no envelope, holds something else, or is not signed by any of them.
    fn verify(
        &self,
        envelope: &str,
        payload_type: &str,
        keys: &[PublicKey],
    ) -> Result<Opened, SignatureFault>;

    /// What an envelope holds, whoever signed it, and what the keys are called that its signatures name. Nothing of it is
    /// believed by that.
    ///
    /// # Errors
    ///
    /// When it is no envelope, or holds something else.
    fn peek(&self, envelope: &str, payload_type: &str) -> Result<(Vec<u8>, Vec<String>), SignatureFault>;
}

/// A private key that is open.
pub trait Signer: Debug {
    /// Its public half.
    fn public_key(&self) -> &PublicKey;

    /// Signs a payload: the envelope, as one line of JSON.
    fn sign(&self, payload_type: &str, payload: &[u8]) -> String;
}

/// A failure of a port: what was being done, what went wrong, and the next move.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
#[error("{message}")]
pub struct PortError {
    /// What was being done and to what, lower case, no full stop: "could not compare `a.csv` with `b.csv`".
    pub message: String,
    /// The chain of reasons, outermost first.
    pub causes: Vec<String>,
    /// One next move, where there is one.
    pub hint: Option<String>,
}

impl PortError {
    /// What was being done and why it failed, in one line.
    pub fn told(&self) -> String {
        let words: Vec<&str> =
            std::iter::once(&self.message).chain(&self.causes).map(String::as_str).collect();
        words.join(": ")
    }

    /// A failure with its reasons and no hint.
    pub fn new(message: impl Into<String>, causes: Vec<String>) -> Self {
        Self { message: message.into(), causes, hint: None }
    }

    /// The same failure with a next move.
    #[must_use]
    pub fn hinted(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}
