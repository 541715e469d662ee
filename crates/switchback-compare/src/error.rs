//! Why no verdict could be reached: what, where, and the next move.

use std::path::{Path, PathBuf};

use switchback_core::plan::Finding;
use switchback_core::port::PortError;
use switchback_core::world::DiskError;

use crate::address::shown;
use crate::store::StoreError;

/// A comparison that reached no verdict. A difference is never one of these.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CompareError {
    /// A file or directory could not be read.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// One side does not exist.
    #[error("`{path}` does not exist")]
    Missing {
        /// What was named.
        path: PathBuf,
    },
    /// A file on one side, a directory on the other.
    #[error("`{file}` is a file and `{directory}` is a directory")]
    FileAndDirectory {
        /// The file.
        file: PathBuf,
        /// The directory.
        directory: PathBuf,
    },
    /// Neither a file nor a directory.
    #[error("`{path}` is neither a file nor a directory")]
    NotRegular {
        /// Where.
        path: PathBuf,
    },
    /// One side of a pair is a table, the other a document.
    #[error("`{old}` and `{new}` are of different kinds: a table and a document cannot be compared")]
    DifferentKinds {
        /// The old file.
        old: PathBuf,
        /// The new file.
        new: PathBuf,
    },
    /// Content that is not what the file's name promises.
    #[error("`{path}`{place} cannot be read: {reason}")]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// Where in it.
        place: Place,
        /// Why, in a few words.
        reason: String,
    },
    /// Two columns of one table have the same name.
    #[error("`{path}` has two columns named `{column}` (columns {first} and {second}, counted from 0)")]
    RepeatedColumn {
        /// Which file.
        path: PathBuf,
        /// The name.
        column: String,
        /// Index of the first.
        first: usize,
        /// Index of the second.
        second: usize,
    },
    /// A key column that a table does not have.
    #[error("`{path}` has no key column `{column}`")]
    MissingKey {
        /// Which file.
        path: PathBuf,
        /// The column.
        column: String,
        /// The columns that it has.
        columns: Vec<String>,
    },
    /// A column that the rule names and the table does not have.
    #[error("`{path}` has no column `{column}`")]
    UnknownColumn {
        /// Which file.
        path: PathBuf,
        /// The column.
        column: String,
        /// The columns that it has.
        columns: Vec<String>,
    },
    /// A key that does not name one row.
    #[error("rows {first} and {second} of `{path}` have the same key ({key})")]
    RepeatedKey {
        /// Which file.
        path: PathBuf,
        /// `column = value`, in the order of the key.
        key: String,
        /// Row, counted from 0 without a header.
        first: u64,
        /// Row, counted from 0 without a header.
        second: u64,
    },
    /// More rows have to be held in memory than the rule allows.
    #[error("`{path}` does not fit into the {bytes_max} bytes of memory that are allowed")]
    Memory {
        /// The table that was being read.
        path: PathBuf,
        /// What is allowed for both sides together.
        bytes_max: u64,
    },
    /// More pairs of rows are equal within the terms than can be searched.
    #[error("too many of {rows} rows are equal to one another within the tolerance to match them")]
    TooAlike {
        /// Of the larger side.
        rows: usize,
    },
    /// A stage that one side does not have.
    #[error("stage `{stage}` is missing in `{path}`")]
    MissingStage {
        /// The stage.
        stage: String,
        /// The side that lacks it.
        path: PathBuf,
    },
    /// Stages of something that is not a directory.
    #[error("`{path}` is a file and has no stages")]
    NoStages {
        /// The file.
        path: PathBuf,
    },
    /// A file of known differences that cannot be used.
    #[error("`{path}` cannot be used")]
    Exceptions {
        /// Which file.
        path: PathBuf,
        /// At least one, in the order of the file.
        findings: Vec<Finding>,
    },
    /// A tolerance below what two runs of the old program show.
    #[error(
        "the tolerance of `{}` in `{}` ({}) lies below the noise that two runs of the old program show: {}",
        .0.column, .0.item, .0.asked, .0.noise
    )]
    BelowNoise(Box<BelowNoise>),
    /// A database or an object store that could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What was fetched from an object store could not be compared.
    #[error("{}", causes.join(": "))]
    Object {
        /// The chain of reasons, outermost first.
        causes: Vec<String>,
        /// The next move.
        hint: String,
    },
    /// An address that names nothing.
    #[error("`{address}` is no address: {reason}")]
    Address {
        /// As it may be shown.
        address: String,
        /// Why, in a few words.
        reason: String,
    },
    /// An address where nothing is there to read databases and object stores.
    #[error("`{address}` is the address of a database or of an object store, and they are not read here")]
    NoStores {
        /// As it may be shown.
        address: String,
    },
    /// A whole database beside a single table.
    #[error("`{all}` is all tables of a database, and `{one}` is one table")]
    TableAndDatabase {
        /// The database.
        all: String,
        /// What is beside it.
        one: String,
    },
    /// A mapping that is not about these tables.
    #[error("the mapping `{path}` line {line} cannot be followed: {reason}")]
    Mapping {
        /// The mapping file.
        path: PathBuf,
        /// Its line, counted from 1.
        line: usize,
        /// Why.
        reason: String,
    },
    /// A rule that no comparison can follow.
    #[error("the rule cannot be followed: {reason}")]
    Rule {
        /// Why.
        reason: String,
    },
}

/// A tolerance that the old program itself would not meet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BelowNoise {
    /// The file or table.
    pub item: String,
    /// The column.
    pub column: String,
    /// What was asked for.
    pub asked: String,
    /// The noise.
    pub noise: String,
    /// The tolerance that follows from it.
    pub tolerance: String,
}

/// A place in a file: as much of it as is known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// Line, counted from 1.
    pub line: Option<u64>,
    /// Column of the line in characters, counted from 1.
    pub column: Option<u64>,
    /// The name of a table's column.
    pub field: Option<String>,
    /// Row group of a Parquet file, counted from 0.
    pub row_group: Option<usize>,
}

impl Place {
    /// A line alone.
    pub(crate) fn line(line: u64) -> Self {
        Self { line: Some(line), ..Self::default() }
    }

    /// A line and its column.
    pub(crate) fn at(line: usize, column: usize) -> Self {
        Self { line: u64::try_from(line).ok(), column: u64::try_from(column).ok(), ..Self::default() }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(line) = self.line {
            write!(to, " line {line}")?;
        }
        if let Some(column) = self.column {
            write!(to, " column {column}")?;
        }
        if let Some(row_group) = self.row_group {
            write!(to, " row group {row_group}")?;
        }
        if let Some(field) = &self.field {
            write!(to, " column `{field}`")?;
        }
        Ok(())
    }
}

impl CompareError {
    pub(crate) fn damaged(path: &Path, place: Place, reason: impl Into<String>) -> Self {
        Self::Damaged { path: path.to_owned(), place, reason: reason.into() }
    }

    /// The failure as the run sees it: what was being done, why not, what now.
    pub fn into_port_error(self, old: &Path, new: &Path) -> PortError {
        let message = format!("could not compare `{}` with `{}`", shown(old), shown(new));
        let hint = self.hint();
        let error = PortError::new(message, self.causes());
        match hint {
            Some(hint) => error.hinted(hint),
            None => error,
        }
    }

    /// The failure of whoever only reads one file.
    pub(crate) fn into_read_error(self, path: &Path) -> PortError {
        let error = PortError::new(format!("could not read `{}`", path.display()), self.causes());
        match &self {
            Self::Damaged { .. } => error.hinted("name a table, or write the file again"),
            other => other.hint().into_iter().fold(error, PortError::hinted),
        }
    }

    pub(crate) fn causes(&self) -> Vec<String> {
        match self {
            // The disk's own message carries its source already.
            Self::Damaged { path, place, reason } => {
                vec![format!("`{}`{place} cannot be read", path.display()), reason.clone()]
            }
            Self::Exceptions { path, findings } => {
                let told = findings.iter().map(|finding| {
                    let Finding { line, column, message, help } = finding;
                    format!("{}:{line}:{column}: {message}; {help}", path.display())
                });
                std::iter::once(self.to_string()).chain(told).collect()
            }
            Self::Store(error) => {
                let mut causes = vec![format!("`{}` cannot be read", error.address)];
                causes.extend(error.reasons.iter().cloned());
                causes
            }
            Self::Object { causes, .. } => causes.clone(),
            other => vec![other.to_string()],
        }
    }

    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Self::Disk(_) | Self::NotRegular { .. } => None,
            Self::Missing { .. } => {
                Some("check the path, and that the command that makes it has run".to_owned())
            }
            Self::FileAndDirectory { .. } => Some("name two files or two directories".to_owned()),
            Self::DifferentKinds { .. } => Some("write both results in one format".to_owned()),
            Self::Damaged { .. } => Some("write the file again, then compare again".to_owned()),
            Self::RepeatedColumn { .. } => Some("give every column a name of its own".to_owned()),
            Self::MissingKey { columns, .. } => Some(choose("the key", columns)),
            Self::UnknownColumn { columns, .. } => Some(choose("columns", columns)),
            Self::RepeatedKey { .. } => Some(
                "add the column that tells these rows apart to the key, or have rows of one key paired"
                    .to_owned(),
            ),
            Self::Memory { .. } => {
                let hint = "allow more memory; or name a key, or a smaller tolerance: rows that may all be equal to one \
                            another are held together";
                Some(hint.to_owned())
            }
            Self::TooAlike { .. } => {
                Some("name a key that tells rows apart, or ask for a smaller tolerance".to_owned())
            }
            Self::MissingStage { .. } => Some(
                "check the stage's name: it is a folder, or the stem of files, directly under both sides"
                    .to_owned(),
            ),
            Self::NoStages { .. } => Some("leave out the stages, or name two directories".to_owned()),
            Self::Exceptions { .. } => Some("correct the lines that are named".to_owned()),
            Self::BelowNoise(below) => Some(format!(
                "ask for no less than the noise; the tolerance that follows from it is: {}",
                below.tolerance
            )),
            Self::Store(StoreError { hint, .. }) | Self::Object { hint, .. } => {
                Some(hint.clone()).filter(|hint| !hint.is_empty())
            }
            Self::Address { .. } => Some(
                "write `sqlite:FILE#TABLE`, `duckdb:FILE#TABLE`, `postgresql://USER@HOST/DATABASE#TABLE` or \
                 `s3://BUCKET/KEY`"
                    .to_owned(),
            ),
            Self::NoStores { .. } => Some(
                "`compare` reads them in a program that was built with the feature `databases`, which is on unless \
                 it was left out; elsewhere, write a Parquet file of the table"
                    .to_owned(),
            ),
            Self::TableAndDatabase { .. } => Some("name the table after the database: `#TABLE`".to_owned()),
            Self::Mapping { .. } => Some("correct the mapping, or take the entry out of it".to_owned()),
            Self::Rule { .. } => Some("correct the option that is named".to_owned()),
        }
    }
}

/// The most columns that a hint lists.
const LISTED_MAX: usize = 20;

fn choose(what: &str, columns: &[String]) -> String {
    if columns.is_empty() {
        return "the table has no columns at all".to_owned();
    }
    let names: Vec<_> = columns.iter().take(LISTED_MAX).map(|name| format!("`{name}`")).collect();
    let more = columns.len() - names.len();
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    format!("choose {what} from {}{more}", names.join(", "))
}
