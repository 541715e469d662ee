//! What is typed for commands that read and rewrite documents.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// `checkpoints`.
#[derive(Debug, Subcommand)]
pub enum CheckpointsCommand {
    /// List the files of a directory: what they are, and which version they say they have
    #[command(
        after_help = "Examples:\n  switchback checkpoints list state/checkpoints\n  switchback checkpoints list state/checkpoints --rules checkpoints.toml --json"
    )]
    List(CheckpointsListArgs),
    /// Rename and migrate them by rules, with proof; touches nothing without `--write`
    #[command(
        after_help = "Examples:\n  switchback checkpoints migrate state/checkpoints --rules checkpoints.toml\n  switchback checkpoints migrate state/checkpoints --rules checkpoints.toml --write"
    )]
    Migrate(CheckpointsMigrateArgs),
    /// Look whether every document is of the last version, under its last name, and as its schema says
    #[command(
        after_help = "Example:\n  switchback checkpoints verify state/checkpoints --rules checkpoints.toml"
    )]
    Verify(CheckpointsVerifyArgs),
}

/// `checkpoints list`.
#[derive(Debug, Args)]
pub struct CheckpointsListArgs {
    /// The directory, in the project
    #[arg(value_name = "DIR")]
    pub directory: PathBuf,
    /// A TOML file of rules: versions, steps, schemas, names
    #[arg(long, value_name = "F")]
    pub rules: Option<PathBuf>,
}

/// `checkpoints migrate`.
#[derive(Debug, Args)]
pub struct CheckpointsMigrateArgs {
    /// The directory, in the project
    #[arg(value_name = "DIR")]
    pub directory: PathBuf,
    /// A TOML file of rules: versions, steps, schemas, names
    #[arg(long, value_name = "F")]
    pub rules: PathBuf,
    /// Write it, all or nothing; `switchback undo` takes it back
    #[arg(long)]
    pub write: bool,
    /// Write also onto files with changes that are not committed
    #[arg(long)]
    pub allow_dirty: bool,
}

/// `checkpoints verify`.
#[derive(Debug, Args)]
pub struct CheckpointsVerifyArgs {
    /// The directory, in the project
    #[arg(value_name = "DIR")]
    pub directory: PathBuf,
    /// A TOML file of rules: versions, steps, schemas, names
    #[arg(long, value_name = "F")]
    pub rules: PathBuf,
}
