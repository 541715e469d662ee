//! What is typed for commands that read and rewrite code.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

/// `move`.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag that is typed or not")]
pub struct MoveArgs {
    /// What moves and where to: pairs of dotted modules or paths
    #[arg(value_name = "FROM TO")]
    pub pairs: Vec<String>,
    /// A TOML file of rules: `[[move]]`, `[[symbol]]`, `[[package-body]]`, `[[leave]]`
    #[arg(long, value_name = "F")]
    pub rules: Option<PathBuf>,
    /// A folder from which dotted names start, in the old or the new tree; may be repeated
    #[arg(long = "source-root", value_name = "DIR")]
    pub source_roots: Vec<String>,
    /// A folder that `PYTHONPATH` names when the project runs; may be repeated
    #[arg(long = "python-path", value_name = "DIR")]
    pub python_path: Vec<String>,
    /// Keep the old names importable
    #[arg(long)]
    pub shims: bool,
    /// Until when, for the shims to say: YYYY-MM-DD
    #[arg(long, value_name = "DATE", requires = "shims")]
    pub remove_after: Option<String>,
    /// Leave files that are no code, docstrings and comments alone
    #[arg(long)]
    pub no_text: bool,
    /// Write it, all or nothing; `switchback undo` takes it back
    #[arg(long)]
    pub write: bool,
    /// Write also onto files with changes that are not committed
    #[arg(long)]
    pub allow_dirty: bool,
}

/// `merge`.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag that is typed or not")]
pub struct MergeArgs {
    /// Where the changes come from: a folder, or a git revision
    pub source: String,
    /// What the merged tree takes the place of
    pub target: String,
    /// What both come from: a folder, or a git revision; asked of git when left out
    #[arg(long, value_name = "DIR|REV")]
    pub base: Option<String>,
    /// A TOML file of rules and decisions: `[[place]]`, `[[move]]`, `[[decide]]`, `[[give-up]]`, `[[driver]]`
    #[arg(long, value_name = "F")]
    pub rules: Option<PathBuf>,
    /// Write every open conflict into this new file, as a decision to be filled in
    #[arg(long, value_name = "F")]
    pub ask: Option<PathBuf>,
    /// A folder from which dotted names start; may be repeated
    #[arg(long = "source-root", value_name = "DIR")]
    pub source_roots: Vec<String>,
    /// Write it, all or nothing; `switchback undo` takes it back
    #[arg(long)]
    pub write: bool,
    /// Remove SOURCE too, and rewrite whoever else names it. A plan does that with proof by its checks
    #[arg(long)]
    pub remove_source: bool,
    /// Write conflicts too, marked as git marks them
    #[arg(long, requires = "write")]
    pub with_markers: bool,
    /// Write also onto files with changes that are not committed
    #[arg(long)]
    pub allow_dirty: bool,
}

/// `imports`.
#[derive(Debug, Args)]
pub struct ImportsArgs {
    /// A folder from which dotted names start; may be repeated
    #[arg(long = "source-root", value_name = "DIR", global = true)]
    pub source_roots: Vec<String>,
    /// A folder that `PYTHONPATH` names when the project runs; may be repeated
    #[arg(long = "python-path", value_name = "DIR", global = true)]
    pub python_path: Vec<String>,
    /// What to show instead
    #[command(subcommand)]
    pub action: Option<ImportsAction>,
}

/// `routes`.
#[derive(Debug, Args)]
pub struct RoutesArgs {
    /// The old tree; the routes of the project are listed when it is left out
    #[arg(requires = "new")]
    pub old: Option<PathBuf>,
    /// The new tree
    pub new: Option<PathBuf>,
    /// A module that moved, `OLD=NEW`; may be repeated
    #[arg(long, value_name = "OLD=NEW", requires = "old")]
    pub moved: Vec<String>,
    /// A folder from which dotted names start; may be repeated
    #[arg(long = "source-root", value_name = "DIR")]
    pub source_roots: Vec<String>,
    /// Look at routes that tests make for themselves, too
    #[arg(long)]
    pub with_tests: bool,
}

/// What else can be asked about imports.
#[derive(Debug, Subcommand)]
pub enum ImportsAction {
    /// Show who refers to a module: source, tests, routes, configuration, documents, scripts, notebooks
    References {
        /// This module only; every module when left out
        #[arg(long, value_name = "MODULE")]
        of: Option<String>,
    },
    /// Look up what is imported from outside of the project: standard library, installed, declared, or unknown
    Outside {
        /// The version of Python whose standard library counts: `3.12`; the newest known when left out
        #[arg(long, value_name = "VERSION")]
        python: Option<String>,
        /// An environment in which distributions are installed; may be repeated
        #[arg(long = "environment", value_name = "DIR")]
        environments: Vec<PathBuf>,
    },
    /// Show who imports whom
    Graph {
        /// Only what this module, or package, imports and is imported by
        #[arg(long, value_name = "MODULE")]
        of: Option<String>,
        /// How it is written
        #[arg(long, value_enum, value_name = "FORMAT", default_value = "dot")]
        format: GraphFormat,
    },
}

/// How a graph is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum GraphFormat {
    /// For Graphviz.
    Dot,
    /// One document.
    Json,
}

/// `api`.
#[derive(Debug, Args)]
pub struct ApiArgs {
    /// The old tree or package
    pub old: PathBuf,
    /// The new one
    pub new: PathBuf,
    /// A module that moved: its old and its new name; may be repeated
    #[arg(long, value_name = "OLD=NEW")]
    pub moved: Vec<String>,
}

/// `shims`.
#[derive(Debug, Args)]
pub struct ShimsArgs {
    /// The day on which it is looked, today when left out: what is to be removed after an earlier one is due. YYYY-MM-DD
    #[arg(long, value_name = "DATE")]
    pub due: Option<String>,
    /// A folder from which dotted names start; may be repeated
    #[arg(long = "source-root", value_name = "DIR")]
    pub source_roots: Vec<String>,
}
