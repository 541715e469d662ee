//! One file a verb: arguments become options, one library call, and what came out is shown.

mod api;
mod approve;
mod bench;
mod bisect;
mod certificate;
mod check;
mod checkpoints;
mod compare;
mod config;
mod constraint;
mod criterion;
mod databases;
mod demo;
mod distribution;
mod doctor;
mod fixture;
mod hand_over;
mod imports;
mod init;
mod log;
mod merging;
mod moving;
mod package;
mod plan;
mod plan_beside;
mod processes;
mod report;
mod rollback;
mod routes;
pub(crate) mod run;
mod schema;
mod shadow;
mod shims;
mod snapshot;
mod status;
mod undo;
mod validation;
mod watch;

use std::path::PathBuf;

use switchback_core::audit::anchor_due;
use switchback_core::journal::History;
use switchback_core::notify::deliver;
use switchback_core::phase::{Notice, Ports, Project, StepError, Untold, Witness, Work, open_to_tell};
use switchback_core::report::{write_incident, write_missing_incidents};
use switchback_core::verdict::Verdict;
use switchback_core::world::DiskError;

use crate::cli::{Cli, Command};
use crate::failure::Failure;
use crate::fixture_args::FixtureCommand;
use crate::ui::Ui;

/// What a command has around it.
#[derive(Debug)]
pub(crate) struct Context<'a> {
    /// The project's root, absolute.
    pub(crate) root: PathBuf,
    /// What the libraries need from outside.
    pub(crate) ports: &'a Ports,
    /// What people and programs read.
    pub(crate) ui: &'a Ui,
}

impl Context<'_> {
    /// The project with its plan.
    pub(crate) fn project(&self) -> Result<Project, Failure> {
        Project::open(&self.root, self.ports)
            .map_err(|error| Failure::doing("could not read the plan", error))
    }

    /// Writes down what was rolled back since the event `first`, where anything was. What was done is done: that it cannot be
    /// written down is a warning.
    pub(crate) fn incident(&self, work: &Work<'_>, first: u64) -> Option<String> {
        match write_incident(work, first) {
            Ok(Some(path)) => {
                self.ui.note(&format!("the record of the incident is `{path}`"));
                Some(path)
            }
            Ok(None) => None,
            Err(error) => {
                let what = format!("the record of the incident was not written: {error}");
                self.ui.notice(Notice::Warning(what));
                None
            }
        }
    }

    /// Writes down the earlier rollbacks that a killed command did not, before anything else happens that could be taken for theirs.
    pub(crate) fn earlier_incidents(&self, work: &Work<'_>) {
        match write_missing_incidents(work) {
            Ok(written) => written
                .iter()
                .for_each(|path| self.ui.note(&format!("the record of the incident is `{path}`"))),
            Err(error) => {
                let what = format!("the record of an earlier incident was not written: {error}");
                self.ui.notice(Notice::Warning(what));
            }
        }
    }

    /// Brings the head of the journal where the plan says, and tells those whom the plan names what happened. What was done is done: that it could not be told is a warning.
    pub(crate) fn notify(&self, work: &Work<'_>) {
        if let Err(error) = anchor_due(work) {
            self.ui.notice(Notice::Warning(format!("the head of the journal was not kept outside: {error}")));
        }
        if let Err(error) = deliver(work) {
            self.ui.notice(Notice::Warning(format!("nobody was told: {error}")));
        }
    }

    /// The project as the command `name` tells about it, and its history. `what` could not be done otherwise.
    pub(crate) fn told(&self, name: &str, what: &str) -> Result<(Project, History), Failure> {
        open_to_tell(&self.root, self.ports, name, self.ui).map_err(|untold| match untold {
            Untold::Plan(error) => Failure::doing("could not read the plan", error),
            Untold::Run(error) => Failure::doing(what, error),
        })
    }
}

/// Runs the command that was typed.
pub(crate) fn run(cli: &Cli, ports: &Ports, ui: &Ui) -> Result<Verdict, Failure> {
    let root = std::path::absolute(&cli.common.project).map_err(|source| {
        let error = DiskError::new("find the folder", &cli.common.project, source);
        Failure::doing("could not find the project", StepError::Disk(error))
    })?;
    // `absolute` keeps a trailing slash or dot, which would end up in every message.
    let context = Context { root: root.components().collect(), ports, ui };
    undo::recover(&context)?;
    match &cli.command {
        Command::Demo(args) => demo::demo(&context, args),
        Command::Init(args) => init::init(&context, args),
        Command::Plan(args) => plan::plan(&context, args),
        Command::Run(args) => run::run(&context, args),
        Command::Status => status::status(&context),
        Command::Check(args) => check::check(&context, args),
        Command::Approve(args) => approve::approve(&context, args),
        Command::Reject(args) => approve::reject(&context, args),
        Command::Shadow(args) => shadow::shadow(&context, args),
        Command::Watch(args) => watch::watch(&context, args),
        Command::Rollback(args) => rollback::rollback(&context, args),
        Command::Doctor => doctor::doctor(&context),
        Command::Log(args) => log::log(&context, args),
        Command::Report(args) => report::report(&context, args),
        Command::Certificate(command) => certificate::certificate(&context, command),
        Command::Package(command) => package::package(&context, command),
        Command::Snapshot(command) => snapshot::snapshot(&context, command),
        Command::Schema(command) => schema::schema(&context, command),
        Command::Compare(args) => compare::compare(&context, args),
        Command::Constraint(args) => constraint::constraint(&context, args),
        Command::Distribution(args) => distribution::distribution(&context, args),
        Command::Bench(command) => bench::bench(&context, command),
        Command::Bisect(args) => bisect::bisect(&context, args),
        Command::Move(args) => moving::moving(&context, args),
        Command::Merge(args) => merging::merging(&context, args),
        Command::Config(args) => config::config(&context, args),
        Command::Imports(args) => imports::imports(&context, args),
        Command::Api(args) => api::api(&context, args),
        Command::Routes(args) => routes::routes(&context, args),
        Command::Shims(args) => shims::shims(&context, args),
        Command::Checkpoints(command) => checkpoints::checkpoints(&context, command),
        Command::Fixture(FixtureCommand::Refresh(args)) => fixture::refresh_fixture(&context, args),
        Command::Undo => undo::undo(&context),
        // It became another program before anything else was looked at.
        Command::Confined(_) => Ok(Verdict::Unknown),
    }
}
