//! The project's own chores: run the tests, account for the mission's rows, measure, keep the house rules.
//!
//! In the order in which a change meets them:
//! - [`suite`] runs every test, after it has provided what tests need;
//! - [`rows`] says which rows of the mission the project claims, which tests name them, and how those ended;
//! - [`tidy`] holds the house rules that no compiler checks (run by `tests/tidy.rs`);
//! - [`mod@bench`] measures Switchback beside its peers and writes `docs/benchmarks.md`.
//!
//! Beneath them: [`workspace`] finds the project's files, [`program`] runs other programs, [`problem`] is how a
//! chore fails. Nothing here is part of the program that users get.
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "chores of the project itself: they talk to its developers and touch its own files, not users' trees"
)]

pub mod bench;
pub mod problem;
pub mod program;
pub mod rows;
pub mod suite;
pub mod tidy;
pub mod workspace;
