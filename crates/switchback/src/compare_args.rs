//! What can be typed after `compare` and `distribution`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::rule_args::RuleArgs;

/// `compare`.
#[derive(Debug, Args)]
pub struct CompareArgs {
    /// The old file or directory, or an address: `sqlite:FILE#TABLE`, `duckdb:FILE#TABLE`, `postgresql://…#TABLE`,
    /// `s3://BUCKET/KEY`
    pub old: PathBuf,
    /// The new one
    pub new: PathBuf,
    /// When values are equal
    #[command(flatten)]
    pub rule: RuleArgs,
    /// A file of known differences, `[[exception]]`: item, column, owner, reason, expires, count
    #[arg(long, value_name = "F")]
    pub exceptions: Option<PathBuf>,
    /// OLD and NEW are two runs of the old program: measure its noise, and refuse tolerances below it
    #[arg(long, conflicts_with_all = ["exceptions", "noise"])]
    pub calibrate: bool,
    /// The result of a `--calibrate`, as JSON: tolerances below its noise are refused
    #[arg(long, value_name = "F")]
    pub noise: Option<PathBuf>,
    /// Plant differences in a copy of NEW, in memory, and say which of them this comparison finds
    #[arg(long, conflicts_with = "calibrate")]
    pub prove_sensitivity: bool,
    /// How the result is written; one line when left out
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub format: Option<CompareFormat>,
    /// Where to; to stdout when left out. With `--json`, the JSON document goes to stdout all the same
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// How the result of a comparison is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CompareFormat {
    /// Tables for a terminal.
    Text,
    /// The document `switchback/compare/1`.
    Json,
    /// One file for a browser, that needs nothing else.
    Html,
    /// Text, with the tables of GitHub.
    Markdown,
    /// JUnit XML: a case for each pair of files.
    Junit,
}

/// `distribution`.
#[derive(Debug, Args)]
pub struct DistributionArgs {
    /// The old ensemble: a table with a row for each replicate and a column for each statistic
    pub old: PathBuf,
    /// The new ensemble
    pub new: PathBuf,
    /// The level of each test: how often a wrong yes is said, at most
    #[arg(long, value_name = "P", default_value_t = 0.05)]
    pub alpha: f64,
    /// How far the means may lie apart, in standard deviations of OLD
    #[arg(long, value_name = "X", default_value_t = 0.25)]
    pub margin_mean: f64,
    /// How far the standard deviations may lie apart: between 1/(1+X) and 1+X times that of OLD
    #[arg(long, value_name = "X", default_value_t = 0.25)]
    pub margin_sd: f64,
    /// How far the distribution functions may lie apart
    #[arg(long, value_name = "X", default_value_t = 0.15)]
    pub margin_ks: f64,
    /// Look at the ends of the percentile interval too: how far they may lie apart, in standard deviations of OLD
    #[arg(long, value_name = "X")]
    pub margin_interval: Option<f64>,
    /// The share of the replicates in that interval, in the middle
    #[arg(long, value_name = "P", default_value_t = 0.95, requires = "margin_interval")]
    pub interval_level: f64,
    /// Compare replicates one by one first, within the tolerances; when all agree, that is a yes
    #[arg(long)]
    pub paired: bool,
    /// Of a pair: largest allowed |a - b|
    #[arg(long, value_name = "X", requires = "paired")]
    pub absolute: Option<f64>,
    /// Of a pair: largest allowed |a - b| / max(|a|, |b|)
    #[arg(long, value_name = "X", requires = "paired")]
    pub relative: Option<f64>,
    /// Of a pair: largest allowed distance in units in the last place
    #[arg(long, value_name = "N", requires = "paired")]
    pub ulps: Option<u64>,
    /// How many columns at once are dealt with
    #[arg(long, value_enum, value_name = "HOW", default_value = "none")]
    pub adjust: Adjust,
    /// Only these statistics; every numeric column that both sides have when left out
    #[arg(long, value_delimiter = ',', value_name = "C,…")]
    pub columns: Vec<String>,
    /// What the bootstrap follows from
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
}

/// How many columns at once are dealt with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Adjust {
    /// Each column for itself.
    None,
    /// Benjamini-Hochberg: among the columns that are declared different, at most a share of alpha is not.
    Bh,
}
