//! `switchback confined`: this process gives up its rights, and becomes a command. `switchback measured`: it starts one, and writes
//! down what it took.

use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::ExitCode;

use switchback_core::world::{Confinement, World, measure};

use crate::cli::ConfinedArgs;
use crate::ui;

/// What shells answer for a command that cannot be prepared, is not found, and cannot be executed.
const NOT_PREPARED: u8 = 125;
const NOT_FOUND: u8 = 127;
const NOT_EXECUTABLE: u8 = 126;

/// Becomes the command; returns only when that fails.
pub(crate) fn become_command(args: &ConfinedArgs, world: &World) -> ExitCode {
    let confinement = Confinement {
        closed: args.closed.clone(),
        open: args.open.clone(),
        is_strict: args.strict,
        hidden: args.hidden.clone(),
    };
    let Some((program, arguments)) = args.command.split_first() else { return NOT_PREPARED.into() };
    let temporary = world.surroundings.variable("TMPDIR").unwrap_or_else(|| "/tmp".to_owned());
    let own = match confinement.enter(Path::new(&temporary)) {
        Ok(own) => own,
        Err(error) => {
            ui::complain(&format!("the command could not be confined: {error}"));
            return NOT_PREPARED.into();
        }
    };
    #[expect(
        clippy::disallowed_methods,
        reason = "there is no process to start: this one becomes the command"
    )]
    let mut command = std::process::Command::new(program);
    command.args(arguments);
    if let Some(own) = own {
        command.env("TMPDIR", own);
    }
    let error = command.exec();
    ui::complain(&format!("`{}` could not be run: {error}", program.display()));
    if error.kind() == std::io::ErrorKind::NotFound { NOT_FOUND.into() } else { NOT_EXECUTABLE.into() }
}

/// `measured --record FILE -- COMMAND…`, which the program calls for itself: runs the command, writes down what it took, and ends as it
/// did. `None` for everything else.
///
/// It comes before the command line is read: what this process takes is the least that it can say of the memory of a command.
pub(crate) fn measured(arguments: &[OsString]) -> Option<ExitCode> {
    let [_, verb, flag, record, separator, command @ ..] = arguments else { return None };
    if verb != "measured" || flag != "--record" || separator != "--" || command.is_empty() {
        return None;
    }
    Some(match measure(Path::new(record), command) {
        Ok(code) => code.into(),
        Err(error) => {
            ui::complain(&format!("the command could not be measured: {error}"));
            NOT_PREPARED.into()
        }
    })
}
