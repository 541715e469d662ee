//! The run: a plan is carried out phase by phase, under a journal, and comes out again, whatever happens.
//!
//! The way of the data: [`plan`] → [`phase`] → [`journal`] → [`tree`] (stage, exchange) → [`report`]; [`change`] and
//! [`check`] hold the kinds that a plan can name; [`world`] is the only door to the outside.
//!
//! What this crate deliberately does not do: it never prints, never asks for the time outside of [`world`], and never
//! names what implements its ports ([`port`]): comparing and keeping snapshots are other crates.

pub mod audit;
pub mod bisect;
pub mod certificate;
pub mod change;
pub mod check;
pub mod code;
pub mod configuration;
pub mod constraint;
pub mod coverage;
pub mod database;
pub mod documents;
pub mod exception;
pub mod findings;
pub mod fixture;
pub mod git;
pub mod init;
pub mod journal;
pub mod manifest;
pub mod mapping;
pub mod notify;
pub mod package;
pub mod pattern;
pub mod performance;
pub mod phase;
pub mod plan;
pub mod port;
pub mod quantity;
pub mod report;
pub mod rule;
pub mod schema_steps;
pub mod secret;
pub mod signature;
pub mod systemd;
pub mod test_results;
pub mod tree;
pub mod verdict;
pub mod world;
