//! Structured documents: what they must satisfy, and how a directory of them becomes another one.
//!
//! In the order of the data: [`json_schema`] says what a document violates; `text` reads JSON without losing a digit and
//! writes it as it was laid out; `program` runs jq programs over it; [`checkpoints`] plans what becomes of a directory of
//! documents, and proves it; [`ports`] is what a plan calls.
//!
//! It never goes to the network, never loads a pickle, and never shows a value of a document: that may be a secret.

pub mod checkpoints;
pub mod json_schema;
pub mod ports;
mod program;
mod text;
mod value;
