//! The port through which tables come that are no files here: databases, and objects in a store.

use std::fmt::Debug;
use std::path::Path;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::DataType;

use crate::address::{Address, Scheme};
use crate::error::CompareError;
use crate::plan::ComparePlan;

/// Databases and object stores, whatever their kind.
pub trait Stores: Debug + Send + Sync {
    /// Opens a database for reading. Nothing in it is ever changed, and it is never made.
    ///
    /// # Errors
    ///
    /// When it is not there, not reachable, or does not let itself be read.
    fn open(&self, address: &Address) -> Result<Box<dyn Database>, StoreError>;

    /// Brings one object onto this machine, whole.
    ///
    /// # Errors
    ///
    /// When it is not there or not reachable, or is not what its store says that it is.
    fn fetch(&self, address: &Address) -> Result<Box<dyn Object>, StoreError>;
}

/// An open database: all that is read from it is of one moment, for as long as it is open.
pub trait Database: Debug {
    /// The names of its own tables, sorted. Views and what belongs to the system are not among them.
    fn tables(&self) -> Result<Vec<String>, StoreError>;

    /// A table or view, by its name, with its schema's name before it where it needs one.
    fn table(&self, name: &str) -> Result<Box<dyn StoredTable + '_>, StoreError>;
}

/// A table of a database, which can be read from the start as often as needed.
pub trait StoredTable: Debug + Send + Sync {
    /// Its columns, in its own order.
    fn columns(&self) -> &[StoredColumn];

    /// How many rows it has, exactly.
    fn rows(&self) -> u64;

    /// Sentences about what is not read as its declared type.
    fn notes(&self) -> &[String];

    /// Reads the `wanted` columns from the start, in that order, each as the type that [`Self::columns`] says. The rows
    /// stand in the same order each time, whichever columns are wanted.
    ///
    /// # Errors
    ///
    /// When the database does not answer; the iterator's items, when it stops doing so.
    fn batches(&self, wanted: &[usize]) -> Result<Records<'_>, StoreError>;
}

/// Record batches in the order of the rows.
pub type Records<'a> = Box<dyn Iterator<Item = Result<RecordBatch, StoreError>> + 'a>;

/// An object that was fetched. Its file is gone when it is dropped.
pub trait Object: Debug {
    /// The file that holds it.
    fn path(&self) -> &Path;
}

/// A column of a table of a database.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredColumn {
    /// Its name.
    pub name: String,
    /// What its batches hold.
    pub data_type: DataType,
    /// How much of that the database itself says.
    pub claim: TypeClaim,
}

/// How much a database says of a column's type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TypeClaim {
    /// All of it.
    Declared,
    /// No width and no scale: an integer, a number, a text, bytes.
    Kind,
    /// That it is a number, and not even whether it is an integer.
    Numeric,
}

/// Why a store could not be read. Nothing of it is a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{address}` cannot be read: {}", reasons.join(": "))]
pub struct StoreError {
    /// Which store, table or object, as it may be shown.
    pub address: String,
    /// The chain of reasons, outermost first.
    pub reasons: Vec<String>,
    /// One next move.
    pub hint: String,
}

/// What the addresses of a comparison lead to, open.
#[derive(Debug, Default)]
pub(crate) struct Opened {
    pub(crate) old: Side,
    pub(crate) new: Side,
}

/// One side of a comparison.
#[derive(Debug, Default)]
pub(crate) enum Side {
    /// Files on this machine.
    #[default]
    Files,
    Database(Address, Box<dyn Database>),
    Object(Address, Box<dyn Object>),
}

impl Opened {
    /// Opens what is named by an address, and lets the plan's paths lead to the objects that were fetched.
    pub(crate) fn of(
        (old, new): (&Path, &Path),
        stores: Option<&Arc<dyn Stores>>,
        plan: &mut ComparePlan,
    ) -> Result<Self, CompareError> {
        let opened = Self { old: Side::of(old, stores)?, new: Side::of(new, stores)? };
        for pair in plan.scopes.iter_mut().flat_map(|scope| &mut scope.pairs) {
            if let Side::Object(_, object) = &opened.old {
                object.path().clone_into(&mut pair.old);
            }
            if let Side::Object(_, object) = &opened.new {
                object.path().clone_into(&mut pair.new);
            }
        }
        Ok(opened)
    }

    /// The same error, telling objects by their addresses and not by the files that hold them.
    pub(crate) fn explain(&self, error: CompareError) -> CompareError {
        let objects: Vec<(String, String)> = [&self.old, &self.new]
            .into_iter()
            .filter_map(|side| match side {
                Side::Object(address, object) => {
                    Some((object.path().display().to_string(), address.to_string()))
                }
                Side::Files | Side::Database(..) => None,
            })
            .collect();
        if objects.is_empty() {
            return error;
        }
        let told = |text: String| {
            objects.iter().fold(text, |text, (path, address)| text.replace(path.as_str(), address))
        };
        let hint = told(error.hint().unwrap_or_default());
        CompareError::Object { causes: error.causes().into_iter().map(told).collect(), hint }
    }
}

impl Side {
    fn of(path: &Path, stores: Option<&Arc<dyn Stores>>) -> Result<Self, CompareError> {
        let Some(address) = Address::of(path)? else { return Ok(Self::Files) };
        let stores = stores.ok_or_else(|| CompareError::NoStores { address: address.to_string() })?;
        Ok(match address.scheme() {
            Scheme::S3 => {
                let object = stores.fetch(&address)?;
                Self::Object(address, object)
            }
            Scheme::Sqlite | Scheme::Duckdb | Scheme::Postgres => {
                let database = stores.open(&address)?;
                Self::Database(address, database)
            }
        })
    }
}
