//! Structured documents: what they must satisfy.
//!
//! [`json_schema`] says what a document violates, and where. It never goes to the network, and never shows a value of a
//! document: that may be a secret.

pub mod json_schema;
