//! What is typed for fixtures.

use clap::{Args, Subcommand};

/// `fixture`.
#[derive(Debug, Subcommand)]
pub enum FixtureCommand {
    /// Capture live data, and say what of the fixture it changes; touches nothing without `--write`
    #[command(
        after_help = "Examples:\n  switchback fixture refresh sales\n  switchback fixture refresh sales --write"
    )]
    Refresh(FixtureRefreshArgs),
}

/// `fixture refresh`.
#[derive(Debug, Args)]
pub struct FixtureRefreshArgs {
    /// The check of the kind `fixture` whose data it is
    pub check: String,
    /// Put it in the place of the fixture, all or nothing, with its record; `switchback undo` takes it back
    #[arg(long)]
    pub write: bool,
}
