//! What can be typed.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::bench_args::BenchCommand;
use crate::certificate_args::CertificateCommand;
pub(crate) use crate::code_args::{
    ApiArgs, GraphFormat, ImportsAction, ImportsArgs, MergeArgs, MoveArgs, RoutesArgs, ShimsArgs,
};
pub(crate) use crate::compare_args::{Adjust, CompareArgs, CompareFormat, DistributionArgs};
use crate::config_args::ConfigArgs;
use crate::constraint_args::ConstraintArgs;
use crate::document_args::CheckpointsCommand;
use crate::fixture_args::FixtureCommand;
use crate::key_args::KeyArgs;
use crate::log_args::LogArgs;
use crate::package_args::PackageCommand;
use crate::rule_args::RuleArgs;
use crate::schema_args::SchemaCommand;
pub(crate) use crate::snapshot_args::{Kept, SnapshotCommand};

/// Brings a large change into production, proves that it changed nothing it should not have, and can undo it
///
/// Exits with 0 for yes, 1 for no, 2 when it could not tell.
#[derive(Debug, Parser)]
#[command(name = "switchback", version, arg_required_else_help = true)]
pub struct Cli {
    /// What holds for every command.
    #[command(flatten)]
    pub common: Common,
    /// What is to be done.
    #[command(subcommand)]
    pub command: Command,
}

/// Options that every command has.
#[derive(Debug, Clone, Args)]
pub struct Common {
    /// The project's folder, which holds `switchback.toml`
    #[arg(short = 'C', long = "project", global = true, value_name = "DIR", default_value = ".")]
    pub project: PathBuf,
    /// Print one JSON document on stdout, and nothing else there
    #[arg(long, global = true)]
    pub json: bool,
    /// Say nothing but results and errors
    #[arg(long, short, global = true)]
    pub quiet: bool,
    /// When to use colour
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub color: ColorChoice,
    /// Ask no question; grants no approval
    #[arg(long, global = true)]
    pub yes: bool,
}

/// When to use colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ColorChoice {
    /// On a terminal, unless `NO_COLOR` is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Write an example project, run its plan, roll it back, and run it again
    #[command(
        after_help = "Examples:\n  switchback demo\n  switchback demo /tmp/loans --seed 3\n  switchback demo --defect"
    )]
    Demo(DemoArgs),
    /// Look at the project, and write a commented plan that fits it
    #[command(
        after_help = "Examples:\n  switchback init\n  switchback init --from ../refactored\n  switchback init --from git:v2.0"
    )]
    Init(InitArgs),
    /// Show what a run would do; touches nothing
    #[command(
        after_help = "Examples:\n  switchback plan\n  switchback plan --schema > switchback.schema.json"
    )]
    Plan(PlanArgs),
    /// Run the plan, or go on with it
    #[command(
        after_help = "Examples:\n  switchback run\n  switchback run --until staged\n  switchback run --phase unify --restage"
    )]
    Run(RunArgs),
    /// Show where the run stands and what it waits for
    ///
    /// Where the plan cannot be used, what the journal alone knows is told, with a warning.
    #[command(after_help = "Examples:\n  switchback status\n  switchback status --json")]
    Status,
    /// Carry out checks alone
    #[command(after_help = "Examples:\n  switchback check\n  switchback check tests --at staged")]
    Check(CheckArgs),
    /// Approve a staged phase in a role
    ///
    /// What is approved is exactly what was shown: plan, both trees, and what the checks said. A changed byte of any of it voids
    /// the approval. Where the plan lists keys for the role, it is signed with one of them.
    #[command(
        after_help = "Examples:\n  switchback approve unify --role risk\n  switchback approve unify --role risk --key ~/.ssh/id_ed25519\n  switchback approve unify --role risk --key ~/.ssh/id_ed25519 --passphrase-command 'pass show ssh'"
    )]
    Approve(ApproveArgs),
    /// Refuse a staged phase in a role
    #[command(
        after_help = "Example:\n  switchback reject unify --role risk --why \"the KPI of segment B is off\""
    )]
    Reject(RejectArgs),
    /// Run new inputs by old and new side by side, until the period of the plan's `[[shadow]]` is over
    ///
    /// Nothing of either side reaches the outside unless the plan allows it. What was run is not run again after an interruption.
    #[command(
        after_help = "Examples:\n  switchback shadow\n  switchback shadow --once\n  switchback shadow --again"
    )]
    Shadow(ShadowArgs),
    /// Carry out the watch checks when they are due, until the watch is over
    ///
    /// With `--write-unit` it writes what has systemd carry on the watch, and does nothing else.
    #[command(
        after_help = "Examples:\n  switchback watch\n  switchback watch --once\n  switchback watch --write-unit ~/.config/systemd/user\n  sudo switchback watch --write-unit /etc/systemd/system --system --once"
    )]
    Watch(WatchArgs),
    /// Make the old tree live again
    #[command(
        after_help = "Examples:\n  switchback rollback --dry-run\n  switchback rollback\n  switchback rollback --only config\n  switchback rollback --playbook imports-broken"
    )]
    Rollback(RollbackArgs),
    /// Look what is wrong with what is live, and which playbook is for it
    ///
    /// Carries out the checks at `live` and the symptoms of the playbooks, on the live tree. Nothing is changed.
    #[command(after_help = "Examples:\n  switchback doctor\n  switchback doctor --json")]
    Doctor,
    /// Show the journal, verify it, keep its head outside, and export it for auditors
    #[command(
        after_help = "Examples:\n  switchback log\n  switchback log --follow --json\n  switchback log verify\n  switchback log export --format csv --output acts.csv"
    )]
    Log(LogArgs),
    /// Write the report of the run: what changed, what was checked, who approved, how to undo
    ///
    /// Where the plan cannot be used, what the journal alone knows is told, with a warning.
    #[command(
        after_help = "Examples:\n  switchback report --output report.html\n  switchback report --format markdown\n  switchback report --format junit --output checks.xml\n  switchback report --format sarif --output checks.sarif\n  switchback report --json"
    )]
    Report(ReportArgs),
    /// Sign what was proved as a certificate, and verify one without the data
    #[command(
        subcommand,
        after_help = "Examples:\n  switchback certificate create --key ~/.ssh/id_ed25519 --output unify.certificate.json\n  switchback certificate verify unify.certificate.json --key ana.pub\n  switchback certificate verify unify.certificate.json --key ana.pub --tree ../checkout"
    )]
    Certificate(CertificateCommand),
    /// Pack a change for another project, verify such a package, and receive it there
    #[command(
        subcommand,
        after_help = "Examples:\n  switchback package create --key ~/.ssh/id_ed25519\n  switchback package verify shop-3.zip --key ana.pub\n  switchback package receive shop-3.zip --key ana.pub"
    )]
    Package(PackageCommand),
    /// Make, look at, check and restore snapshots
    #[command(
        subcommand,
        after_help = "Examples:\n  switchback snapshot create\n  switchback snapshot restore 3f2a --into ../restored\n  switchback snapshot restore 3f2a --database shop --into 'postgresql://me@db.example.org/shop_restored'\n  switchback snapshot diff 3f2a\n  switchback snapshot forget --keep-last 5"
    )]
    Snapshot(SnapshotCommand),
    /// Change the schema of a database in steps, each verified, undone in reverse, and known by the database itself
    #[command(
        subcommand,
        after_help = "Examples:\n  switchback schema status --database app.db --steps migrations\n  switchback schema deploy --database '${DATABASE_URL}' --steps migrations --dry-run\n  switchback schema deploy --database 'postgresql://me@db.example.org/shop' --steps migrations --undo\n  switchback schema revert --database duckdb:simulation.duckdb --steps migrations --to 0003_years"
    )]
    Schema(SchemaCommand),
    /// Compare two results: files, directories, or tables of databases
    #[command(
        after_help = "Examples:\n  switchback compare old.parquet new.parquet --key id --absolute 1e-12\n  switchback compare out-old/ out-new/ --stages 01_load,02_clean\n  switchback compare old.csv new.csv --order any --format markdown --output diff.md\n  switchback compare 'postgresql://me@db.example.org/shop#orders' orders.parquet --key id"
    )]
    Compare(Box<CompareArgs>),
    /// Look whether constraints hold on tables: conditions and queries in SQL, signs, keys, monotony
    ///
    /// A constraint that saw no row could not be told. The rows that violate one are shown.
    #[command(
        after_help = "Examples:\n  switchback constraint prices.parquet --holds 'price > 0 AND price < 1000'\n  switchback constraint out/ --select 'SELECT * FROM orders AS o LEFT JOIN customers AS c ON c.id = o.customer WHERE c.id IS NULL'\n  switchback constraint effects.csv --sign coefficient=negative --where \"feature = 'own_price'\"\n  switchback constraint curve.csv --monotone elasticity --by cap_rate --within product --direction increasing"
    )]
    Constraint(Box<ConstraintArgs>),
    /// Compare two ensembles, such as bootstrap replicates: whether each statistic is distributed alike
    #[command(
        after_help = "Examples:\n  switchback distribution old.parquet new.parquet\n  switchback distribution old.csv new.csv --columns elasticity --margin-mean 0.1 --seed 7\n  switchback distribution old.csv new.csv --paired --absolute 1e-12"
    )]
    Distribution(DistributionArgs),
    /// Measure time, memory, input and output of programs; tell whether the new one takes more
    ///
    /// Old and new run in turn, until it is decided or there were turns enough. A machine that is too noisy is *could not tell*.
    #[command(
        subcommand,
        after_help = "Examples:\n  switchback bench run --old ../before -- python3 -m app.report --out {out}\n  switchback bench update --baseline perf.json -- python3 -m app.report\n  switchback bench compare --baseline perf.json -- python3 -m app.report\n  switchback bench compare --samples old.json new.json --margin 0.05"
    )]
    Bench(BenchCommand),
    /// Find the commit after which a command gives other results
    #[command(
        after_help = "Examples:\n  switchback bisect --good v1.4 --bad HEAD -- python3 run.py --out {out}\n  switchback bisect --good 3f2a91c --bad main --absolute 1e-9 --stages 01_load,02_clean -- 'make data && cp -r data/. {out}'"
    )]
    Bisect(Box<BisectArgs>),
    /// Move Python modules and packages, and everything that names them
    ///
    /// FROM and TO are dotted modules or paths. Shows a patch and touches nothing, unless `--write` is given.
    #[command(
        after_help = "Examples:\n  switchback move shop.cart store.cart\n  switchback move shop/cart.py shop/core/cart.py --write\n  switchback move pkg src/pkg --source-root . --source-root src\n  switchback move --rules moves.toml --shims --remove-after 2027-03-31 --write"
    )]
    Move(MoveArgs),
    /// Merge one Python tree into another: classes, conflicts, and proof that nothing of either is lost
    ///
    /// SOURCE and TARGET are folders of the project, or git revisions (`REVISION:FOLDER`). Touches nothing, unless `--write`
    /// is given; SOURCE stays where it is, unless `--remove-source` is given.
    #[command(
        after_help = "Examples:\n  switchback merge market_regime strategies/market_regime\n  switchback merge feature:src src --write\n  switchback merge old/pkg new/pkg --base v1.0:pkg --rules decisions.toml\n  switchback merge old/pkg new/pkg --ask decisions.toml"
    )]
    Merge(MergeArgs),
    /// Consolidate configuration into one master and overrides, with proof; resolve, explain, compare and check it
    #[command(
        after_help = "Examples:\n  switchback config merge config --master config/pipeline.yml --environments 'config/environments/{name}.yml'\n  switchback config resolve config/pipeline.yml --environment production --show-origin"
    )]
    Config(ConfigArgs),
    /// Resolve every import of Python code, or show who imports whom
    #[command(
        after_help = "Examples:\n  switchback imports\n  switchback imports graph --of shop.cart\n  switchback imports graph --format dot | dot -Tsvg > imports.svg"
    )]
    Imports(ImportsArgs),
    /// Compare the public surface of two Python trees
    #[command(
        after_help = "Examples:\n  switchback api ../old/shop shop\n  switchback api old new --moved shop.cart=store.cart"
    )]
    Api(ApiArgs),
    /// List the HTTP routes of a tree, or compare those of two, read without running either
    #[command(
        after_help = "Examples:\n  switchback routes\n  switchback routes ../old . --moved shop.api=store.api"
    )]
    Routes(RoutesArgs),
    /// List what keeps old names importable: since when, until when, and who uses it; no when one is past its day
    #[command(after_help = "Examples:\n  switchback shims\n  switchback shims --due 2027-04-01")]
    Shims(ShimsArgs),
    /// List, migrate and verify directories of checkpoints: JSON documents that have versions
    #[command(
        subcommand,
        after_help = "Examples:\n  switchback checkpoints list state/checkpoints\n  switchback checkpoints migrate state/checkpoints --rules checkpoints.toml --write\n  switchback checkpoints verify state/checkpoints --rules checkpoints.toml"
    )]
    Checkpoints(CheckpointsCommand),
    /// Capture the data of a fixture anew, on purpose
    #[command(
        subcommand,
        after_help = "Examples:\n  switchback fixture refresh sales\n  switchback fixture refresh sales --write"
    )]
    Fixture(FixtureCommand),
    /// Take back the last stand-alone `--write`
    #[command(after_help = "Example:\n  switchback undo")]
    Undo,
    /// Become a command that may not write to one tree, nor read some paths; the program calls it for itself
    #[command(hide = true)]
    Confined(ConfinedArgs),
}

/// `confined`.
#[derive(Debug, Args)]
pub struct ConfinedArgs {
    /// A tree that the command may not write to
    #[arg(long, value_name = "DIR")]
    pub closed: PathBuf,
    /// Where it may write all the same
    #[arg(long, value_name = "DIR")]
    pub open: Vec<PathBuf>,
    /// What it may not read or execute
    #[arg(long, value_name = "PATH")]
    pub hidden: Vec<PathBuf>,
    /// It may write nowhere else at all
    #[arg(long)]
    pub strict: bool,
    /// It reaches nothing outside either, and what it tries is told in this new file
    #[arg(long, value_name = "FILE")]
    pub told: Option<PathBuf>,
    /// What it may connect to all the same
    #[arg(long, value_name = "HOST", requires = "told")]
    pub host: Vec<String>,
    /// Which programs that hand over mail it may start all the same
    #[arg(long, value_name = "NAME", requires = "told")]
    pub program: Vec<String>,
    /// This process is the one that is watched
    #[arg(long, requires = "told")]
    pub watched: bool,
    /// The command and its arguments
    #[arg(last = true, required = true, value_name = "COMMAND")]
    pub command: Vec<OsString>,
}

/// `demo`.
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// A new or empty folder for it; a new temporary one when left out
    #[arg(value_name = "DIR")]
    pub directory: Option<PathBuf>,
    /// What the loans, and the defect, follow from
    #[arg(long, value_name = "N", default_value_t = 7)]
    pub seed: u64,
    /// Plant a defect into the candidate, and show it refused: ends with 1
    #[arg(long)]
    pub defect: bool,
}

/// `init`.
#[derive(Debug, Args)]
pub struct InitArgs {
    /// Where the candidate comes from, relative to the project: a directory, `git:REVISION`, or an archive
    #[arg(long, value_name = "SOURCE")]
    pub from: Option<String>,
}

/// `plan`.
#[derive(Debug, Args)]
pub struct PlanArgs {
    /// Print the JSON Schema of the plan file
    #[arg(long)]
    pub schema: bool,
}

/// `run`.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// Only this phase
    #[arg(long, value_name = "PHASE")]
    pub phase: Option<String>,
    /// Stop once this point is reached: snapshot, staged, rehearsed, approved, live, watched, finished
    #[arg(long, value_name = "POINT")]
    pub until: Option<String>,
    /// Give the staged candidate up, and build it again under the plan as it is now
    #[arg(long)]
    pub restage: bool,
}

/// `check`.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// The checks; all of the point when left out
    #[arg(value_name = "NAME")]
    pub names: Vec<String>,
    /// The point: before, staged, rehearsed, live, or a delay of the plan such as +1h; where the run stands when left out
    #[arg(long, value_name = "POINT")]
    pub at: Option<String>,
    /// The phase; the one that the run stands in when left out
    #[arg(long, value_name = "PHASE")]
    pub phase: Option<String>,
}

/// `approve`.
#[derive(Debug, Args)]
pub struct ApproveArgs {
    /// The phase
    pub phase: String,
    /// In which role
    #[arg(long)]
    pub role: String,
    /// Not the phase as a whole, but this criterion of the plan: it holds
    #[arg(long, value_name = "NAME")]
    pub criterion: Option<String>,
    /// The key that signs it
    #[command(flatten)]
    pub key: KeyArgs,
}

/// `reject`.
#[derive(Debug, Args)]
pub struct RejectArgs {
    /// The phase
    pub phase: String,
    /// In which role
    #[arg(long)]
    pub role: String,
    /// Not the phase as a whole, but this criterion of the plan: it does not hold
    #[arg(long, value_name = "NAME")]
    pub criterion: Option<String>,
    /// Why
    #[arg(long)]
    pub why: String,
}

/// `shadow`.
#[derive(Debug, Args)]
pub struct ShadowArgs {
    /// This phase; the one that the run stands in when left out
    #[arg(long, value_name = "PHASE")]
    pub phase: Option<String>,
    /// Run the inputs that are there now, and do not wait
    #[arg(long)]
    pub once: bool,
    /// Begin anew: nothing that was counted before counts any more
    #[arg(long)]
    pub again: bool,
}

/// `watch`.
#[derive(Debug, Args)]
pub struct WatchArgs {
    /// Carry out what is due now, and do not wait; with `--write-unit`: a timer does so once a minute
    #[arg(long)]
    pub once: bool,
    /// Write a unit of systemd for the watch into this folder, and say what enables it
    #[arg(long, value_name = "DIR")]
    pub write_unit: Option<PathBuf>,
    /// The unit is for the service manager of the system, and runs as the owner of the project; else for that of a user
    #[arg(long, requires = "write_unit")]
    pub system: bool,
    /// Write over a unit that is there and says something else
    #[arg(long, requires = "write_unit")]
    pub force: bool,
}

/// `rollback`.
#[derive(Debug, Args)]
pub struct RollbackArgs {
    /// This phase, and all that went live after it; the last one when left out
    #[arg(long, value_name = "PHASE")]
    pub phase: Option<String>,
    /// Only a path that was exchanged, a file or folder below one, what is about `imports` or `routes`, or one change of the
    /// phase by its name or kind; may be repeated
    #[arg(long, value_name = "PATH|imports|routes|CHANGE")]
    pub only: Vec<PathBuf>,
    /// Carry out this playbook of the plan: what it restores, and the checks that prove it
    #[arg(long, value_name = "NAME", conflicts_with_all = ["phase", "only", "to", "from"])]
    pub playbook: Option<String>,
    /// To the generation of this number, or to the snapshot of this id, which may be shortened
    #[arg(long, value_name = "GENERATION|SNAPSHOT", conflicts_with = "phase")]
    pub to: Option<String>,
    /// From what is kept beside the live tree, from the snapshot made before the phase, from the safety branch of git, or
    /// from the copy of the snapshot elsewhere; `local` when left out, and `snapshot` where `--to` names one
    #[arg(long, value_enum, value_name = "local|snapshot|git|remote")]
    pub from: Option<From>,
    /// Let so many rows and values go that were written into databases since, and that their old schema has no place for; they
    /// are written down first, and none goes when left out
    #[arg(long, value_name = "N")]
    pub accept_loss: Option<u64>,
    /// Why, for the journal; `by hand` when left out
    #[arg(long)]
    pub why: Option<String>,
    /// Show what would be done, and touch nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// Where the old tree comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum From {
    /// What the cutover parked
    Local,
    /// The snapshot made before the phase
    Snapshot,
    /// The safety branch made before the phase
    Git,
    /// The copy of the snapshot elsewhere
    Remote,
}

/// `report`.
#[derive(Debug, Args)]
pub struct ReportArgs {
    /// How it is written
    #[arg(long, value_enum, value_name = "FORMAT", default_value = "html")]
    pub format: ReportFormat,
    /// Where to: a new file, or an earlier report; to stdout when left out, or `-`. With `--json`, the JSON report goes to stdout all the same
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// How a report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ReportFormat {
    /// One file for a browser, that needs nothing else.
    Html,
    /// The document `switchback/report/1`.
    Json,
    /// Text, with the tables of GitHub.
    Markdown,
    /// JUnit XML: a case for each check.
    Junit,
    /// SARIF 2.1.0, for code scanning: a result for each place at which a check does not say yes.
    Sarif,
}

/// `bisect`.
#[derive(Debug, Args)]
pub struct BisectArgs {
    /// A commit whose results are right
    #[arg(long, value_name = "REV")]
    pub good: String,
    /// A later commit whose results are wrong
    #[arg(long, value_name = "REV")]
    pub bad: String,
    /// What is compared, in the project of each commit; what the command writes into `{out}` when left out
    #[arg(long, value_name = "PATH")]
    pub path: Option<PathBuf>,
    /// A run of the command is given up after this many seconds
    #[arg(long, value_name = "S", default_value_t = 3_600)]
    pub timeout_s: u64,
    /// When results are equal
    #[command(flatten)]
    pub rule: RuleArgs,
    /// The command and its arguments, or one line of shell; `{out}` and `{tree}` stand for its folder and the commit's tree
    #[arg(last = true, required = true, value_name = "COMMAND")]
    pub command: Vec<String>,
}
