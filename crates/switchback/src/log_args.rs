//! What is typed for the journal.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

/// `log`.
#[derive(Debug, Args)]
pub struct LogArgs {
    /// Only this run
    #[arg(long, value_name = "RUN")]
    pub run: Option<String>,
    /// Wait for further events, and show them as they come
    #[arg(long)]
    pub follow: bool,
    /// What to do with the journal
    #[command(subcommand)]
    pub action: Option<LogAction>,
}

/// What can be done with the journal.
#[derive(Debug, Subcommand)]
pub enum LogAction {
    /// Verify the chain of hashes, the signatures, and the heads that are kept outside
    ///
    /// An end that a crash cut short is told from an alteration. What was altered is named: the first event, and how. The heads are
    /// looked for where the plan and the journal say.
    #[command(
        after_help = "Examples:\n  switchback log verify\n  switchback log verify --anchor /mnt/audit/shop.heads\n  switchback log verify --json"
    )]
    Verify(LogVerifyArgs),
    /// Bring the head of the journal to every `[[anchor]]` of the plan now
    #[command(after_help = "Examples:\n  switchback log anchor\n  switchback log anchor --json")]
    Anchor,
    /// Write every act for auditors: who, from where, with which key, when, on which evidence
    ///
    /// The same to the byte for the same journal. Without `--output`, to stdout.
    #[command(
        after_help = "Examples:\n  switchback log export --output acts.json\n  switchback log export --format csv --output acts.csv"
    )]
    Export(LogExportArgs),
    /// Tell what made the files that are live: run, phase, code, configuration, inputs and evidence, by their hashes
    ///
    /// Read from what was recorded, never worked out anew: what was not recorded is unknown.
    #[command(
        after_help = "Examples:\n  switchback log lineage\n  switchback log lineage src/app.py\n  switchback log lineage data --json"
    )]
    Lineage(LogLineageArgs),
}

/// `log verify`.
#[derive(Debug, Args)]
pub struct LogVerifyArgs {
    /// A further place of heads: `git-note`, a file, `s3://bucket/folder`, `sftp:user@host:folder`. May be given several times
    #[arg(long = "anchor", value_name = "PLACE")]
    pub anchors: Vec<String>,
}

/// `log export`.
#[derive(Debug, Args)]
pub struct LogExportArgs {
    /// How it is written
    #[arg(long, value_enum, value_name = "FORMAT", default_value = "json")]
    pub format: ExportFormat,
    /// Where to: a file that is not there yet; to stdout when left out, or `-`
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// How an export is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ExportFormat {
    /// The document `switchback/audit/1`.
    Json,
    /// A table for a spreadsheet.
    Csv,
}

/// `log lineage`.
#[derive(Debug, Args)]
pub struct LogLineageArgs {
    /// Files or folders, relative to the project; everything that is managed when left out
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
}
