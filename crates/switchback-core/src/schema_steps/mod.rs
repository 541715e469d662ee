//! Steps of a database's schema: deployed in order, verified, reverted in reverse, and known by the database itself.
//!
//! The way of the data: `step` reads a folder (`script` splits SQL, `secret` is what is not shown of it, `exception` is what a step may change) → `record` is what the
//! database says → `standing` holds both against each other → `deploy` and `revert` carry out (`rehearse` both on a copy), statement by statement (`carry`),
//! with what was there before compared (`content`, `kept`) and what would be lost written down (`loss`) → `outcome`. The
//! database is reached through a port; all of its words are made in `dialect`.
//!
//! A step is one transaction with its row in the table `switchback_schema`, so a kill at any moment leaves it whole or not at all.
//! A step that cannot be one writes down each statement before and after; what nobody knows afterwards is said to be unknown.

mod carry;
mod content;
mod dangling;
mod deploy;
mod dialect;
mod exception;
mod job;
mod kept;
mod link;
mod loss;
mod outcome;
mod record;
mod rehearse;
mod revert;
mod script;
mod secret;
mod standing;
mod status;
mod step;

use std::path::PathBuf;
use std::sync::Arc;

pub use deploy::{DeployOptions, deploy};
pub use dialect::Dialect;
pub use exception::{Exception, Exceptions};
pub use outcome::{Failed, Kept, Loss, Planned, SCHEMA, SchemaOutcome, StepTold};
pub use rehearse::{Rehearsed, behind, dropped, fingerprint, rehearse, standing};
pub use revert::{RevertOptions, RevertTo, revert};
pub use script::Statement;
pub use standing::Standing;
pub use status::{status, verify};
pub use step::{Role, Script, Step, Work, read_steps};

use crate::database::Database;
use crate::port::Schemas;
use crate::world::{Confinement, World};

/// Which database, and which steps.
#[derive(Debug, Clone)]
pub struct SchemaRequest {
    /// The only door to the outside.
    pub world: World,
    /// Opens databases.
    pub schemas: Arc<dyn Schemas>,
    /// The root of the project: files are relative to it, and `.switchback` is below it.
    pub root: PathBuf,
    /// The database.
    pub database: Database,
    /// The folder of the steps, absolute.
    pub steps: PathBuf,
    /// Whether a database that is a file, and is not there, is made.
    pub is_made: bool,
    /// What commands of steps may do to the disk; `None`: whatever this process may.
    pub confinement: Option<Confinement>,
}
