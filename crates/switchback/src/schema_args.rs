//! The arguments of `switchback schema`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// `schema`.
#[derive(Debug, Subcommand)]
pub enum SchemaCommand {
    /// Tell which steps are deployed, when and by whom, and whether folder and database agree; touches nothing
    Status {
        /// Which database, and which steps
        #[command(flatten)]
        place: SchemaArgs,
    },
    /// Deploy what is not deployed yet, in order; what was there before is compared after each step
    Deploy {
        /// Which database, and which steps
        #[command(flatten)]
        place: SchemaArgs,
        /// Up to this step; all when left out
        #[arg(long, value_name = "STEP")]
        to: Option<String>,
        /// Show the SQL that would be carried out, and touch nothing
        #[arg(long)]
        dry_run: bool,
        /// Make the database, when it is a file that is not there
        #[arg(long)]
        create: bool,
        /// Make no copy of the database before
        #[arg(long)]
        no_copy: bool,
        /// When a step fails, undo what this command deployed
        #[arg(long)]
        undo: bool,
        /// Carry a statement out once more of which nobody knows whether it was, because the program was killed
        #[arg(long)]
        again: bool,
        /// Go on though a `verify` or `revert` script is not what it was at the deploy
        #[arg(long)]
        accept_changed: bool,
    },
    /// Look whether each deployed step holds, by its `verify` script; touches nothing
    Verify {
        /// Which database, and which steps
        #[command(flatten)]
        place: SchemaArgs,
    },
    /// Undo the last step, or more; rows written since stay, or are written to files and have to be agreed to
    Revert {
        /// Which database, and which steps
        #[command(flatten)]
        place: SchemaArgs,
        /// All steps behind this one, which stays
        #[arg(long, value_name = "STEP", conflicts_with = "all")]
        to: Option<String>,
        /// All steps
        #[arg(long)]
        all: bool,
        /// Show the SQL that would be carried out, and touch nothing
        #[arg(long)]
        dry_run: bool,
        /// Agree that so many rows and values, and no more, leave the database once they are written to files
        #[arg(long, value_name = "ROWS")]
        accept_loss: Option<u64>,
        /// Go on though a `verify` or `revert` script is not what it was at the deploy
        #[arg(long)]
        accept_changed: bool,
    },
}

/// Which database, and which steps.
#[derive(Debug, Args)]
pub struct SchemaArgs {
    /// `postgresql://USER@HOST/DATABASE`, `sqlite:FILE`, `duckdb:FILE`, or the file alone; `${NAME}` stands for a variable of the
    /// environment, so that no password is among the arguments
    #[arg(long, value_name = "URL")]
    pub database: String,
    /// The folder of the steps: `0001_name/deploy.sql`, `verify.sql`, `revert.sql`
    #[arg(long, value_name = "DIR")]
    pub steps: PathBuf,
}
