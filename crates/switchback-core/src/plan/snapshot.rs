//! `[snapshot]`: where snapshots are kept, a second time elsewhere, and what opens them.

use std::path::PathBuf;

use super::fields::{Fields, shown};
use super::file::relative_paths;
use super::key::{Key, Shape};
use super::paths::STATE_FOLDER;
use super::server::SftpAddress;
use crate::database::Database;

/// The keys of `[snapshot]`.
pub(super) const SNAPSHOT: &[Key] = &[
    Key::optional(
        "repository",
        Shape::Text,
        "the folder of the restic repository; `.switchback/snapshots` when left out",
    ),
    Key::optional(
        "remote",
        Shape::Text,
        "a second place to which each snapshot is copied: `s3://bucket/folder`, `sftp:user@host:folder`, or a folder on another disk",
    ),
    Key::optional(
        "password_file",
        Shape::Text,
        "the file that holds the repository's password; one beside it, made when missing, when left out",
    ),
    Key::optional(
        "password_command",
        Shape::Text,
        "a command that prints the repository's password instead, e.g. `pass show switchback`",
    ),
    Key::optional("also", Shape::Texts, "paths that are backed up and never changed"),
    Key::optional("git", Shape::Flag, "`false`: no safety branch of git is made before a phase"),
    Key::optional(
        "databases",
        Shape::Texts,
        "databases that are backed up: `postgresql://USER@HOST/DATABASE`, files of SQLite and of DuckDB",
    ),
    Key::optional(
        "facts",
        Shape::Flag,
        "`true`: commit, versions and names of environment variables are saved; with `databases` they always are",
    ),
    Key::optional("keep", Shape::Table(KEEP), "which snapshots are kept; all when left out"),
];
const KEEP: &[Key] = &[
    Key::optional("last", Shape::Whole, "so many of the newest"),
    Key::optional("daily", Shape::Whole, "the newest of a day, for so many of the last days that have one"),
];

/// Where snapshots go.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// The folder of the restic repository, relative to the root or absolute.
    pub repository: PathBuf,
    /// Backed up, never changed. Relative to the root.
    pub also: Vec<PathBuf>,
    /// Where a second copy of each snapshot is kept.
    pub remote: Option<Remote>,
    /// The file that holds the password of the repository, relative to the root or absolute.
    pub password_file: Option<PathBuf>,
    /// A command that prints it.
    pub password_command: Option<String>,
    /// Whether a branch of git is made before each phase, where the project is in a repository.
    pub git: bool,
    /// Databases that are backed up with them.
    pub databases: Vec<Database>,
    /// Whether commit, versions and names of environment variables are saved too; with databases they always are.
    pub facts: bool,
    /// Which snapshots are kept once a new one was verified; `None`: all.
    pub keep: Option<Keep>,
}

/// Which snapshots are kept. What a rollback may need, and the newest one, always are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keep {
    /// So many of the newest.
    pub last: u64,
    /// The newest of a day, for so many of the last days that have one.
    pub daily: u64,
}

impl Default for Snapshot {
    fn default() -> Self {
        Self {
            repository: PathBuf::from(STATE_FOLDER).join("snapshots"),
            also: Vec::new(),
            remote: None,
            password_file: None,
            password_command: None,
            git: true,
            databases: Vec::new(),
            facts: false,
            keep: None,
        }
    }
}

/// A second place for snapshots.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Remote {
    /// A folder, best on another disk: relative to the root or absolute.
    Folder(PathBuf),
    /// The address of a folder in an object store: `s3://bucket/folder`.
    ObjectStore(String),
    /// The address of a folder on a server: `sftp:user@host:folder`.
    Server(String),
}

/// Reads `[snapshot]`.
pub(super) fn read(plan: &Fields<'_>) -> Option<Snapshot> {
    let default = Snapshot::default();
    let Some(fields) = plan.table("snapshot") else { return Some(default) };
    let repository = match fields.filled_text("repository") {
        Some(text) if is_address(&text) => {
            fields.find(
                "repository",
                format!(
                    "a snapshot repository at `{}` is not built: the first copy is in a folder",
                    shown(&text)
                ),
                "use a folder here, and name this place in `remote`: each snapshot is copied there",
            );
            return None;
        }
        Some(text) => PathBuf::from(text),
        None => default.repository,
    };
    let password_file = fields.filled_text("password_file").map(PathBuf::from);
    let password_command = fields.filled_text("password_command");
    if password_file.is_some() && password_command.is_some() {
        fields.find(
            "password_command",
            "`password_file` and `password_command` both say where the password is",
            "keep one of them",
        );
    }
    let remote = fields.filled_text("remote").map(|text| read_remote(&fields, &text));
    if let Some(Some(Remote::Folder(folder))) = &remote
        && *folder == repository
    {
        fields.find("remote", "`remote` is the repository itself", "name a folder on another disk");
    }
    Some(Snapshot {
        repository,
        also: relative_paths(&fields, "also"),
        remote: remote.flatten(),
        password_file,
        password_command,
        git: fields.flag("git").unwrap_or(true),
        databases: read_databases(&fields),
        facts: fields.flag("facts").unwrap_or(false),
        keep: fields.table("keep").map(|keep| read_keep(&keep)),
    })
}

fn is_address(text: &str) -> bool {
    text.contains("://")
        || text.starts_with("sftp:")
        || text.starts_with("rest:")
        || text.starts_with("rclone:")
}

/// `None`, with a finding: it is no place that can be used.
fn read_remote(fields: &Fields<'_>, text: &str) -> Option<Remote> {
    if text.starts_with("sftp:") {
        if let Err(why) = SftpAddress::parse(text) {
            let message = format!("`{}` is no address of SFTP: {why}", shown(text));
            fields.find(
                "remote",
                message,
                "e.g. `sftp:backup@store:/srv/shop`, or `sftp://backup@store:2222//srv/shop`",
            );
            return None;
        }
        return Some(Remote::Server(text.to_owned()));
    }
    let Some(rest) = text.strip_prefix("s3://") else {
        if !is_address(text) {
            return Some(Remote::Folder(PathBuf::from(text)));
        }
        let message = format!("a copy of the snapshots at `{}` is not built", shown(text));
        fields.find(
            "remote",
            message,
            "use `s3://bucket/folder`, `sftp:user@host:folder`, or a folder (a mounted disk or network share)",
        );
        return None;
    };
    let bucket = rest.split('/').next().unwrap_or_default();
    if bucket.is_empty() || rest.contains(['@', '?', '#']) {
        fields.find(
            "remote",
            "an address of S3 is `s3://bucket/folder`, and nothing more",
            "name the bucket; credentials are taken from `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`",
        );
        return None;
    }
    Some(Remote::ObjectStore(text.trim_end_matches('/').to_owned()))
}

fn read_keep(fields: &Fields<'_>) -> Keep {
    let (last, daily) = (fields.whole("last"), fields.whole("daily"));
    let keep = Keep { last: last.unwrap_or(0), daily: daily.unwrap_or(0) };
    if keep.last == 0 && keep.daily == 0 {
        fields.find(
            "last",
            "`keep` keeps nothing",
            "e.g. `keep = { last = 10, daily = 7 }`, or take it out: then all are kept",
        );
    }
    keep
}

fn read_databases(fields: &Fields<'_>) -> Vec<Database> {
    let mut databases: Vec<Database> = Vec::new();
    for (offset, text) in fields.placed_texts("databases").unwrap_or_default() {
        match Database::parse(&text) {
            Ok(database) if databases.contains(&database) => {
                let message = format!("`databases` names `{}` twice", shown(&database.shown()));
                fields.findings().add(offset, message, "take it out once");
            }
            Ok(database) => databases.push(database),
            Err((message, help)) => fields.findings().add(offset, message, help),
        }
    }
    databases
}
