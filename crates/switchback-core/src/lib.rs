//! The run: plan → phase → journal → tree → report.
pub mod manifest;
pub mod port;
pub mod rule;
pub mod tree;
pub mod verdict;
pub mod world;
