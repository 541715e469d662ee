//! Checkpoints: a directory of documents becomes another one, by rules, with proof, and can go back.
//!
//! `rules` → [`plan`] (walk → new names → each document from version to version) → [`write()`]. Nothing is touched before
//! all of it is known. Pickles are listed and renamed, and never loaded: to load one is to run what is in it.

mod document;
mod names;
mod report;
mod rules;

use std::collections::BTreeSet;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use switchback_core::pattern::fits;
use switchback_core::tree::rewrite::{Put, RewriteError, Rewritten, rewrite};
use switchback_core::verdict::Verdict;
use switchback_core::world::{Disk, DiskError, FileKind, World};

use crate::json_schema::Violation;
use document::{Migrated, migrate};
pub use rules::{Rules, RulesError};

/// A larger document is refused, in bytes.
const DOCUMENT_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// More than this is not held in memory at once, in bytes.
const NEW_BYTES_MAX: u64 = 1024 * 1024 * 1024;
/// More entries than this are no directory of checkpoints.
const ENTRIES_MAX: usize = 100_000;
/// Folders that nest deeper are not looked into.
const FOLDERS_MAX: usize = 64;
/// How a pickle of the protocols 2 to 5 begins.
const PICKLE_MARK: u8 = 0x80;
/// What pickles are usually called.
const PICKLE_ENDINGS: &[&str] = &["pkl", "pickle", "pck", "joblib"];

/// What is to be done with which directory.
#[derive(Debug)]
pub struct CheckpointsOptions {
    /// What the directory lies in, and what is written below.
    pub root: PathBuf,
    /// The directory, relative to `root`.
    pub directory: PathBuf,
    /// The rules.
    pub rules: Rules,
}

/// What an entry of the directory is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A JSON document.
    Document,
    /// A pickle: never loaded.
    Pickle,
    /// Another file.
    Other,
}

impl Kind {
    /// In a report.
    pub fn word(self) -> &'static str {
        match self {
            Self::Document => "document",
            Self::Pickle => "pickle",
            Self::Other => "other",
        }
    }
}

/// One file of the directory.
#[derive(Debug)]
pub struct Checkpoint {
    /// Its path below the directory.
    pub path: String,
    /// What it will be.
    pub new_path: String,
    /// What it is.
    pub kind: Kind,
    /// Its size.
    pub bytes: u64,
    /// The version that it says it has; nothing where there are no rules for that.
    pub version: Option<String>,
    /// The steps that it takes, in order.
    pub taken: Vec<Taken>,
    /// Why it is no document, though it is called like one.
    pub damage: Option<String>,
    /// What it violates, once its steps were taken; `None` where no schema is for its version.
    pub violations: Option<Vec<Violation>>,
    /// Its new bytes, where they are others, and the hash of the old ones.
    new_bytes: Option<(Vec<u8>, [u8; 32])>,
}

/// A step that a document takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// The version that it starts from.
    pub from: String,
    /// The version that it leads to.
    pub to: String,
    /// What was counted, before and after.
    pub counts: Vec<Count>,
    /// Where the way there and back differs from the document; nothing without an inverse.
    pub round_trip: Option<Result<(), String>>,
}

/// A list whose length is to stay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Count {
    /// Where it stood, in jq.
    pub old: String,
    /// Where it stands.
    pub new: String,
    /// How many items it had.
    pub items_old: u64,
    /// How many it has.
    pub items_new: u64,
}

/// What becomes of a directory.
#[derive(Debug)]
pub struct CheckpointsPlan {
    /// What the directory lies in.
    pub root: PathBuf,
    /// The directory, relative to `root`.
    pub directory: PathBuf,
    /// Every file, by path.
    pub files: Vec<Checkpoint>,
    /// The versions that steps lead away from.
    /// The versions that steps lead to and none leads on from; none where there are no steps.
    last: Vec<String>,
    /// Whether it is about what would be, or about what is.
    does_migrate: bool,
}

/// Why it cannot be told what becomes of a directory.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointsError {
    /// The disk.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// No directory of checkpoints.
    #[error("`{}` {why}", .path.display())]
    Directory {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// A document that cannot be read, or not be migrated.
    #[error("`{path}`{place}: {why}", place = if *.line == 0 { String::new() } else { format!(", line {line}") })]
    Document {
        /// Below the directory.
        path: String,
        /// Where in it, counted from 1; 0 when it is the whole.
        line: usize,
        /// Why.
        why: String,
    },
    /// Two files that would get one name.
    #[error("`{one}` and `{other}` would both become `{new}`")]
    Same {
        /// The one.
        one: String,
        /// The other.
        other: String,
        /// The name.
        new: String,
    },
    /// A new name that is none.
    #[error("`{path}` would become `{new}`, {why}")]
    Name {
        /// The file.
        path: String,
        /// Its new name.
        new: String,
        /// What is wrong with it.
        why: &'static str,
    },
}

impl CheckpointsError {
    /// The next move.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Disk(_) => "see whether it is there and can be read",
            Self::Directory { .. } => "name a folder of checkpoints, relative to the project",
            Self::Document { .. } => {
                "correct the document or the rules, or leave it out with `files` of `[document]`; nothing was written"
            }
            Self::Same { .. } | Self::Name { .. } => "correct the `[[rename]]`; nothing was written",
        }
    }
}

/// Works out what becomes of a directory. Nothing is touched. What a schema or a proof says *no* to is an answer.
///
/// # Errors
///
/// When it cannot be told: a document that is none, a program that fails, two files that would get one name.
pub fn plan(disk: &dyn Disk, options: &CheckpointsOptions) -> Result<CheckpointsPlan, CheckpointsError> {
    look(disk, options, true)
}

/// Looks at a directory as it is: versions, and what schemas say. Damage is an answer.
///
/// # Errors
///
/// When the directory cannot be read, or two files would get one name.
pub fn list(disk: &dyn Disk, options: &CheckpointsOptions) -> Result<CheckpointsPlan, CheckpointsError> {
    look(disk, options, false)
}

fn look(
    disk: &dyn Disk,
    options: &CheckpointsOptions,
    does_migrate: bool,
) -> Result<CheckpointsPlan, CheckpointsError> {
    let folder = options.root.join(&options.directory);
    let mut found = Vec::new();
    let mut others = BTreeSet::new();
    walk(disk, &folder, "", 0, (&mut found, &mut others))?;
    let rules = &options.rules;
    let new_paths = names::renamed(&found, &others, rules)?;
    let mut held = 0;
    let mut files = Vec::with_capacity(found.len());
    for ((path, bytes), new_path) in found.into_iter().zip(new_paths) {
        let kind = kind_of(disk, &folder.join(&path), &path, rules)?;
        let mut file = Checkpoint {
            path,
            new_path,
            kind,
            bytes,
            version: None,
            taken: Vec::new(),
            damage: None,
            violations: None,
            new_bytes: None,
        };
        if kind == Kind::Document {
            let content = read(disk, &folder, &file)?;
            match migrate(&content, rules, does_migrate) {
                Ok(migrated) => file.take(migrated, &content),
                Err(fault) if does_migrate => {
                    return Err(CheckpointsError::Document {
                        path: file.path,
                        line: fault.line,
                        why: fault.why,
                    });
                }
                Err(fault) => file.damage = Some(fault.told()),
            }
            held += file.new_bytes.as_ref().map_or(0, |(bytes, _)| bytes.len() as u64);
            if held > NEW_BYTES_MAX {
                let why = "holds more than 1 GiB of documents: migrate it in parts".to_owned();
                return Err(CheckpointsError::Directory { path: options.directory.clone(), why });
            }
        }
        files.push(file);
    }
    let leads_on = |version: &String| rules.steps.iter().any(|step| step.from == *version);
    let ends = rules.steps.iter().map(|step| &step.to);
    let last = ends.filter(|version| !leads_on(version)).cloned().collect();
    let (root, directory) = (options.root.clone(), options.directory.clone());
    Ok(CheckpointsPlan { root, directory, files, last, does_migrate })
}

fn read(disk: &dyn Disk, folder: &Path, file: &Checkpoint) -> Result<Vec<u8>, CheckpointsError> {
    if file.bytes > DOCUMENT_BYTES_MAX {
        let why = "it is larger than 64 MiB".to_owned();
        return Err(CheckpointsError::Document { path: file.path.clone(), line: 0, why });
    }
    Ok(disk.read(&folder.join(&file.path), DOCUMENT_BYTES_MAX)?)
}

/// Every file below a folder with its size, by path. Links are not followed, and are no files.
fn walk(
    disk: &dyn Disk,
    folder: &Path,
    prefix: &str,
    depth: usize,
    (found, others): (&mut Vec<(String, u64)>, &mut BTreeSet<String>),
) -> Result<(), CheckpointsError> {
    let at = if prefix.is_empty() { folder.to_owned() } else { folder.join(prefix) };
    let wrong = |why: &str| CheckpointsError::Directory { path: at.clone(), why: why.to_owned() };
    match disk.look(&at)?.map(|meta| meta.kind) {
        None => return Err(wrong("does not exist")),
        Some(FileKind::Directory) => {}
        Some(_) => return Err(wrong("is no folder")),
    }
    if depth > FOLDERS_MAX {
        return Err(wrong("nests too deep"));
    }
    let mut names = disk.list(&at)?;
    names.sort();
    for name in names {
        let Ok(name) = name.into_string() else {
            return Err(wrong("holds a file whose name is not UTF-8"));
        };
        let path = if prefix.is_empty() { name } else { format!("{prefix}/{name}") };
        match disk.look(&folder.join(&path))? {
            Some(meta) if meta.kind == FileKind::Directory => {
                walk(disk, folder, &path, depth + 1, (found, others))?;
            }
            Some(meta) if meta.kind == FileKind::File => found.push((path, meta.size)),
            Some(_) => drop(others.insert(path)),
            None => {}
        }
        if found.len() > ENTRIES_MAX {
            return Err(wrong("holds more than 100,000 files"));
        }
    }
    Ok(())
}

fn kind_of(disk: &dyn Disk, place: &Path, path: &str, rules: &Rules) -> Result<Kind, CheckpointsError> {
    let name = path.rsplit('/').next().unwrap_or(path);
    let ending = Path::new(name).extension().and_then(|end| end.to_str()).unwrap_or_default();
    if PICKLE_ENDINGS.contains(&ending.to_ascii_lowercase().as_str()) {
        return Ok(Kind::Pickle);
    }
    if rules.files.iter().any(|pattern| fits(pattern, path) || fits(pattern, name)) {
        return Ok(Kind::Document);
    }
    let mut head = [0; 2];
    let is_read = disk.open(place)?.read_exact(&mut head).is_ok();
    let is_pickle = is_read && head[0] == PICKLE_MARK && (2..=5).contains(&head[1]);
    Ok(if is_pickle { Kind::Pickle } else { Kind::Other })
}

impl Checkpoint {
    fn take(&mut self, migrated: Migrated, content: &[u8]) {
        self.version = migrated.version;
        self.taken = migrated.taken;
        self.violations = migrated.violations;
        self.new_bytes = migrated.bytes.map(|bytes| (bytes, *blake3::hash(content).as_bytes()));
    }

    /// The version that it has once its steps were taken.
    pub fn new_version(&self) -> Option<&str> {
        self.taken.last().map(|taken| taken.to.as_str()).or(self.version.as_deref())
    }

    /// Whether it is another one afterwards.
    pub fn changes(&self) -> bool {
        self.new_bytes.is_some() || self.path != self.new_path
    }
}

impl CheckpointsPlan {
    /// How many files are documents.
    pub fn documents(&self) -> usize {
        self.files.iter().filter(|file| file.kind == Kind::Document).count()
    }

    /// What is to stand where, relative to the root.
    pub fn puts(&self) -> Vec<(PathBuf, Put)> {
        let place = |path: &str| self.directory.join(path);
        let mut puts: Vec<(PathBuf, Put)> = Vec::new();
        for file in self.files.iter().filter(|file| file.changes()) {
            let put = match &file.new_bytes {
                Some((bytes, _)) => Put::Edited(bytes.clone(), place(&file.path)),
                None => Put::From(place(&file.path)),
            };
            puts.push((place(&file.new_path), put));
        }
        // Another one may have taken the old name.
        let names: BTreeSet<&str> = self.files.iter().map(|file| file.new_path.as_str()).collect();
        for file in self.files.iter().filter(|file| !names.contains(file.path.as_str())) {
            puts.push((place(&file.path), Put::Nothing));
        }
        puts.sort_by(|one, other| one.0.cmp(&other.0));
        puts
    }

    /// Whether the migration may be written: *no* when a schema, a count or a round trip says so; *unknown* where steps meet no
    /// document, or nothing is there at all.
    pub fn verdict(&self) -> Verdict {
        match () {
            () if self.files.is_empty() => Verdict::Unknown,
            () if !self.last.is_empty() && self.documents() == 0 => Verdict::Unknown,
            () if self.against().is_empty() => Verdict::Yes,
            () => Verdict::No,
        }
    }

    /// Whether the directory is as it should be: every document of the last version, under its last name, and as its
    /// schema says. *Unknown* where no schema was asked.
    pub fn verified(&self) -> Verdict {
        let asked = self.files.iter().filter(|file| file.violations.is_some()).count();
        let documents = self.documents();
        match () {
            () if !self.against().is_empty() || !self.behind().is_empty() => Verdict::No,
            () if asked == 0 || asked < documents => Verdict::Unknown,
            () => Verdict::Yes,
        }
    }

    /// What is not migrated, a line each.
    pub fn behind(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for file in &self.files {
            let is_behind = |version: &&String| !self.last.is_empty() && !self.last.contains(version);
            if let Some(version) = file.version.as_ref().filter(is_behind) {
                lines.push(format!("`{}` is of the version {version}, which is not the last one", file.path));
            }
            if file.path != file.new_path {
                lines.push(format!("`{}` is to be called `{}`", file.path, file.new_path));
            }
        }
        lines
    }
}

/// Why a migration was not written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// It could not be.
    #[error(transparent)]
    Rewrite(#[from] RewriteError),
    /// A document was changed since it was looked at.
    #[error("`{0}` was changed since it was looked at")]
    Changed(PathBuf),
    /// Something speaks against it.
    #[error("something speaks against it")]
    Refuted,
}

/// Writes a plan whose verdict is *yes*; the old bytes are kept.
///
/// # Errors
///
/// When something speaks against it, when a document changed since, and those of [`rewrite`]: then every file is as it was.
pub fn write(world: &World, plan: &CheckpointsPlan, command: &str) -> Result<Rewritten, WriteError> {
    if plan.verdict() != Verdict::Yes {
        return Err(WriteError::Refuted);
    }
    for file in &plan.files {
        let path = plan.directory.join(&file.path);
        if let Some((_, hash)) = &file.new_bytes
            && world.disk.hash(&plan.root.join(&path)).map_err(RewriteError::from)? != *hash
        {
            return Err(WriteError::Changed(path));
        }
    }
    Ok(rewrite(world, &plan.root, command, &plan.puts())?)
}
