//! What is typed for commands about configuration.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// `config`.
#[derive(Debug, Args)]
pub struct ConfigArgs {
    /// What is to be done.
    #[command(subcommand)]
    pub command: ConfigCommand,
}

/// The parts of `config`.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Make one master and a minimal override for each environment of many fragments, with proof that each environment gets what
    /// it got
    ///
    /// Touches nothing, unless `--write` is given. FRAGMENTs are files, folders or patterns.
    #[command(
        after_help = "Examples:\n  switchback config merge config/base.yml config/dev.yml config/prod.yml --master config/pipeline.yml --environments 'config/environments/{name}.yml'\n  switchback config merge --rules layout.toml --master config/pipeline.yml --environments 'config/environments/{name}.yml' --write"
    )]
    Merge(ConfigMergeArgs),
    /// Show what a program gets: the master, its environment's override, and placeholders filled in
    #[command(
        after_help = "Examples:\n  switchback config resolve config/pipeline.yml --environment production --show-origin\n  switchback config resolve config/pipeline.yml --environment staging --json"
    )]
    Resolve(ConfigResolveArgs),
    /// Compare two configurations, key by key and type by type
    ///
    /// OLD and NEW are masters, folders of fragments, or files of rules that say how fragments are laid out.
    #[command(
        after_help = "Examples:\n  switchback config diff old-layout.toml config/pipeline.yml --environment production\n  switchback config diff config/dev.yml config/prod.yml"
    )]
    Diff(ConfigDiffArgs),
    /// Show what each layer says of a key, and which one holds
    #[command(
        after_help = "Example:\n  switchback config explain db.host --master config/pipeline.yml --environment production"
    )]
    Explain(ConfigExplainArgs),
    /// Hold a configuration against a JSON Schema, or against an example of what a new program needs
    #[command(
        after_help = "Examples:\n  switchback config check config/pipeline.yml --against schema.json\n  switchback config check old/simulation.yaml --against new/simulation.yaml"
    )]
    Check(ConfigCheckArgs),
}

/// How configuration is read.
#[derive(Debug, Clone, Default, Args)]
pub struct ReadingArgs {
    /// Whose rules hold for YAML: `pyyaml` (YAML 1.1) or `ruamel` (YAML 1.2); `pyyaml` when left out
    #[arg(long, value_name = "LOADER")]
    pub loader: Option<String>,
    /// How placeholders are written: `shell` (`${NAME:-default}`), `colon` (`${NAME:default}`) or `none`; `shell` when left out
    #[arg(long, value_name = "SYNTAX")]
    pub placeholders: Option<String>,
    /// Where the overrides of environments are, with `{name}`
    #[arg(long, value_name = "PATTERN")]
    pub environments: Option<String>,
}

/// `config merge`.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag that is typed or not")]
pub struct ConfigMergeArgs {
    /// Files, folders or patterns, in the order in which they layer
    #[arg(value_name = "FRAGMENT")]
    pub fragments: Vec<String>,
    /// A TOML file that says how the fragments are laid out: `[[fragment]]`, `[[decide]]`
    #[arg(long, value_name = "F")]
    pub rules: Option<PathBuf>,
    /// Where the master is to be
    #[arg(long, value_name = "F")]
    pub master: PathBuf,
    /// An environment; may be repeated. Found in the names of the fragments when left out
    #[arg(long = "environment", value_name = "NAME")]
    pub names: Vec<String>,
    /// A later fragment wins over an earlier one; else what differs is a conflict
    #[arg(long)]
    pub later_wins: bool,
    /// How configuration is read.
    #[command(flatten)]
    pub reading: ReadingArgs,
    /// Remove the fragments as well
    #[arg(long)]
    pub remove_fragments: bool,
    /// Write it, all or nothing; `switchback undo` takes it back
    #[arg(long)]
    pub write: bool,
    /// Write also onto files with changes that are not committed
    #[arg(long)]
    pub allow_dirty: bool,
}

/// `config resolve`.
#[derive(Debug, Args)]
pub struct ConfigResolveArgs {
    /// The master, a folder of fragments, or a file of rules
    #[arg(value_name = "F")]
    pub master: PathBuf,
    /// The environment
    #[arg(long, value_name = "E")]
    pub environment: Option<String>,
    /// Say where each value comes from
    #[arg(long)]
    pub show_origin: bool,
    /// Leave placeholders as they are
    #[arg(long)]
    pub keep_placeholders: bool,
    /// How configuration is read.
    #[command(flatten)]
    pub reading: ReadingArgs,
}

/// `config diff`.
#[derive(Debug, Args)]
pub struct ConfigDiffArgs {
    /// The old one
    pub old: PathBuf,
    /// The new one
    pub new: PathBuf,
    /// The environment
    #[arg(long, value_name = "E")]
    pub environment: Option<String>,
    /// How configuration is read.
    #[command(flatten)]
    pub reading: ReadingArgs,
}

/// `config explain`.
#[derive(Debug, Args)]
pub struct ConfigExplainArgs {
    /// The key: `db.host`, `kpis."risk.par_30".unit`, `hosts[0]`
    pub key: String,
    /// The master, a folder of fragments, or a file of rules; that of the plan when left out
    #[arg(long, value_name = "F")]
    pub master: Option<PathBuf>,
    /// The environment
    #[arg(long, value_name = "E")]
    pub environment: Option<String>,
    /// How configuration is read.
    #[command(flatten)]
    pub reading: ReadingArgs,
}

/// `config check`.
#[derive(Debug, Args)]
pub struct ConfigCheckArgs {
    /// The configuration
    #[arg(value_name = "F")]
    pub master: PathBuf,
    /// A JSON Schema, or a configuration as the new program has it
    #[arg(long, value_name = "SCHEMA")]
    pub against: PathBuf,
    /// The environment
    #[arg(long, value_name = "E")]
    pub environment: Option<String>,
    /// How configuration is read.
    #[command(flatten)]
    pub reading: ReadingArgs,
}
