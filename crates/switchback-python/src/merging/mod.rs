//! The merge of two trees into one: classified, put together, proved, and only then written.
//!
//! The way of the data: [`Side`]s are listed and follow the moves of the [`MergeRules`] → files are paired → each is
//! merged (line by line, by structure, by a driver, by a decision) → the union of both sides is proved → written.

mod collision;
mod decision;
mod driver;
mod file;
mod following;
mod glob;
mod lines;
mod listing;
mod pairing;
mod plan;
mod python;
mod report;
mod rules;
mod side;
mod union;
mod users;
mod words;
mod write;

pub use decision::Conflict;
pub use driver::DriverError;
pub use file::{Action, MergedFile, Risk, Sides};
pub use lines::Labels;
pub use pairing::Candidate;
pub use plan::{MergeError, MergeOptions, MergePlan, plan};
pub use rules::{Decision, Driver, GiveUp, MergeRules, Place};
pub use side::Side;
pub use union::{Broken, Loss, LossKind, Union};
pub use users::User;
pub use write::{MergeWriteError, WriteChoice, puts, write};
