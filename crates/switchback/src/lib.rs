//! The command line: parse, call, show. No decision is made here.
//!
//! The way of the data: `cli` says what can be typed → `commands/<verb>` turns it into options, makes one library
//! call and shows what came out → `ui` is the only place that writes to a terminal. `failure` turns errors of the
//! libraries into what, where, why, and what now.

mod bench_args;
mod certificate_args;
mod cli;
mod code_args;
mod commands;
mod compare_args;
mod config_args;
mod confined;
mod constraint_args;
mod demo;
mod document_args;
mod failure;
mod fixture_args;
mod key_args;
mod log_args;
mod package_args;
mod progress;
mod rule_args;
mod schema_args;
mod snapshot_args;
mod ui;
mod wiring;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser;
use switchback_core::verdict::Verdict;
use switchback_core::world::World;

pub use cli::Cli;
pub use wiring::ports;

/// Runs the program with these arguments in that world.
pub fn run(arguments: impl IntoIterator<Item = OsString>, world: World) -> ExitCode {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    if let Some(ended) = confined::measured(&arguments) {
        return ended;
    }
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => return ui::usage(&error),
    };
    if let cli::Command::Confined(args) = &cli.command {
        return confined::become_command(args, &world);
    }
    let ui = ui::Ui::new(&cli.common, &world);
    let ports = wiring::ports_shown(world, ui.progress());
    let verdict = match commands::run(&cli, &ports, &ui) {
        Ok(verdict) => verdict,
        Err(failure) => {
            ui.failure(&failure);
            Verdict::Unknown
        }
    };
    ExitCode::from(verdict.exit_code())
}
