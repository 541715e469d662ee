//! The arguments of `switchback bench`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// `bench`.
#[derive(Debug, Subcommand)]
pub enum BenchCommand {
    /// Measure a command, in turn with the old one where there is one
    ///
    /// Without `--old`, `--old-command`, `--baseline` or `--budget` there is nothing to hold it against: its figures are shown.
    #[command(
        after_help = "Examples:\n  switchback bench run --old ../before -- python3 -m app.report --out {out}\n  switchback bench run --old-command './old.sh {size}' --over size=1000,100000 -- ./new.sh '{size}'\n  switchback bench run --budget 'time p95 < 200 ms' --budget 'memory < 2 GB' -- ./probe.sh\n  switchback bench run --old ../before --counter 'queries=queries: (\\d+)' --margin-of queries=0 -- make report"
    )]
    Run(Box<BenchRunArgs>),
    /// Compare a command with a stored baseline, or two lists of seconds with each other
    #[command(
        after_help = "Examples:\n  switchback bench compare --baseline perf.json -- python3 -m app.report\n  switchback bench compare --samples old.json new.json --margin 0.05 --alpha 0.05"
    )]
    Compare(Box<BenchCompareArgs>),
    /// Measure a command, and keep its figures as the baseline
    #[command(
        after_help = "Examples:\n  switchback bench update --baseline perf.json -- python3 -m app.report\n  switchback bench update --baseline perf.json --name import --turns 50 -- python3 -c 'import app'"
    )]
    Update(Box<BenchUpdateArgs>),
}

/// `bench run`.
#[derive(Debug, Args)]
pub struct BenchRunArgs {
    /// The folder that the old program runs in; COMMAND, unless `--old-command` is another one
    #[arg(long, value_name = "DIR", conflicts_with = "baseline")]
    pub old: Option<PathBuf>,
    /// The old program, a line of shell
    #[arg(long, value_name = "LINE", conflicts_with = "baseline")]
    pub old_command: Option<String>,
    /// A file of figures to hold it against
    #[arg(long, value_name = "FILE")]
    pub baseline: Option<PathBuf>,
    /// What decides.
    #[command(flatten)]
    pub judged: JudgedArgs,
    /// What is measured.
    #[command(flatten)]
    pub measured: MeasuredArgs,
    /// The command and its arguments; a single one is a line of shell
    #[arg(last = true, required = true, value_name = "COMMAND")]
    pub command: Vec<String>,
}

/// `bench compare`.
#[derive(Debug, Args)]
pub struct BenchCompareArgs {
    /// The file of figures to hold it against
    #[arg(long, value_name = "FILE", required_unless_present = "samples")]
    pub baseline: Option<PathBuf>,
    /// Two files, each a JSON list of seconds, instead of a command
    #[arg(long, value_names = ["OLD", "NEW"], num_args = 2, conflicts_with_all = ["baseline", "command", "budgets"])]
    pub samples: Vec<PathBuf>,
    /// With `--samples`: both were run in turn, so that value by value they belong together
    #[arg(long, requires = "samples")]
    pub paired: bool,
    /// What decides.
    #[command(flatten)]
    pub judged: JudgedArgs,
    /// What is measured.
    #[command(flatten)]
    pub measured: MeasuredArgs,
    /// The command and its arguments; a single one is a line of shell
    #[arg(last = true, required_unless_present = "samples", value_name = "COMMAND")]
    pub command: Vec<String>,
}

/// `bench update`.
#[derive(Debug, Args)]
pub struct BenchUpdateArgs {
    /// The file that the figures are kept in; others in it stay
    #[arg(long, value_name = "FILE")]
    pub baseline: PathBuf,
    /// What is measured.
    #[command(flatten)]
    pub measured: MeasuredArgs,
    /// The command and its arguments; a single one is a line of shell
    #[arg(last = true, required = true, value_name = "COMMAND")]
    pub command: Vec<String>,
}

/// What decides.
#[derive(Debug, Args)]
pub struct JudgedArgs {
    /// So much more, as a share, is no regression; of memory 0.1 unless `--margin-of` says otherwise [default: 0.05]
    #[arg(long, value_name = "X")]
    pub margin: Option<f64>,
    /// The margin of one measure, which decides then
    #[arg(long, value_name = "MEASURE=X")]
    pub margin_of: Vec<String>,
    /// A wrong answer about one measure is given no more often than this [default: 0.05]
    #[arg(long, value_name = "P")]
    pub alpha: Option<f64>,
    /// What decides, of time, cpu, memory, read, written and counters [default: time, memory, and every counter]
    #[arg(long = "measure", value_name = "MEASURE", value_delimiter = ',')]
    pub measures: Vec<String>,
    /// What the new program may take: `time < 3 s`, `time p95 < 200 ms`, `memory < 2 GB`
    #[arg(long = "budget", value_name = "BUDGET")]
    pub budgets: Vec<String>,
    /// So many turns at most, where fewer do not decide [default: 80]
    #[arg(long, value_name = "N")]
    pub turns_max: Option<u64>,
    /// Figures of another machine will do
    #[arg(long)]
    pub other_machine: bool,
}

/// What is measured.
#[derive(Debug, Args)]
pub struct MeasuredArgs {
    /// So many turns before it is first looked at what was found [default: 10; for update: 30]
    #[arg(long, value_name = "N")]
    pub turns: Option<u64>,
    /// So many runs of each program before the first turn [default: 1]
    #[arg(long, value_name = "N")]
    pub warm_ups: Option<u64>,
    /// A number in the output: the sum of what the group of a regular expression matches; without a group, how often it matches
    #[arg(long = "counter", value_name = "NAME=REGEX")]
    pub counters: Vec<String>,
    /// Values for `{NAME}` in the commands; every combination is a case of its own
    #[arg(long, value_name = "NAME=VALUE,…")]
    pub over: Vec<String>,
    /// How a run ends that did its work
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(i32).range(0..=255))]
    pub exit_code: i32,
    /// A run is given up after so many seconds
    #[arg(long, value_name = "N", default_value_t = 600)]
    pub timeout_s: u64,
    /// Whose figures in the baseline
    #[arg(long, value_name = "NAME", default_value = "default")]
    pub name: String,
    /// What coins and bootstrap follow from
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
}
