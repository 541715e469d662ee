//! Databases in snapshots: what the plan names is copied in one consistent state each, and laid out where the vault takes it.
//!
//! The way of the data: [`Database`] is what the plan says, [`Source`] what it means here and now → [`save()`] writes dumps,
//! copies and [`Facts`] into [`folder`] → the vault saves and verifies them like every other file → [`restore()`] brings one
//! back into a place where nothing is yet, and proves it. PostgreSQL is read by its own programs, `psql` and `pg_dump`;
//! SQLite by its online backup, which is the library's own input and output; a file of DuckDB under its lock. Nothing here
//! changes a database that is backed up, and no password gets into an argument, a file or a message.

mod address;
mod difference;
mod duckdb;
mod facts;
mod format;
mod postgresql;
mod restore;
mod save;
mod scratch;
mod script;
mod source;
mod sqlite;
mod target;

use std::path::{Path, PathBuf};

pub(crate) use address::encoded;
pub use difference::differences;
pub use format::{Commit, Environment, Facts, Kind, Locale, Saved, SavedFile, Selected, Table};
pub use restore::{Restored, facts_of, restore};
pub use save::{Saver, is_asked_for, remove, save};
pub(crate) use source::clean;
pub use source::{Database, Source};
pub(crate) use target::Target;

use crate::plan::STATE_FOLDER;
use crate::port::PortError;
use crate::world::{DiskError, ProcessError};

/// The name of the folder, below the state folder, that a snapshot has dumps, copies and facts in.
const FOLDER: &str = "databases";
/// The file of the facts in that folder.
const FACTS_FILE: &str = "facts.json";
/// The facts of a snapshot are never larger: some hundred thousand tables.
pub const FACTS_BYTES_MAX: u64 = 256 << 20;

/// The folder in a snapshot, and before it in the project, that holds databases and facts; relative to the root.
pub fn folder() -> PathBuf {
    Path::new(STATE_FOLDER).join(FOLDER)
}

/// The facts in a snapshot, relative to the root.
pub fn facts_file() -> PathBuf {
    folder().join(FACTS_FILE)
}

/// Why a database could not be read, or brought back.
#[derive(Debug, Clone)]
struct Why {
    causes: Vec<String>,
    hint: Option<String>,
}

impl Why {
    fn new(cause: impl Into<String>) -> Self {
        Self { causes: vec![cause.into()], hint: None }
    }

    fn hinted(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The failure of a port: what was being done, and this. `clean` takes secrets out of words that are not ours.
    fn failed(self, message: String, clean: impl Fn(&str) -> String) -> PortError {
        let causes = self.causes.iter().map(|cause| clean(cause)).collect();
        let error = PortError::new(message, causes);
        match self.hint {
            Some(hint) => error.hinted(hint),
            None => error,
        }
    }
}

impl From<DiskError> for Why {
    fn from(error: DiskError) -> Self {
        Self::new(error.to_string())
    }
}

impl From<ProcessError> for Why {
    fn from(error: ProcessError) -> Self {
        Self::new(error.to_string())
    }
}
