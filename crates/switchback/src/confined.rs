//! `switchback confined`: this process gives up its rights, and becomes a command; or stays beside it, and watches what it tries.
//! `switchback measured`: it starts one, and writes down what it took.

use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::ExitCode;

use switchback_core::world::{
    Confinement, Guard, GuardedEnd, World, filter_calls, measure, stay_beside, wait_for_the_guard,
};

use crate::cli::ConfinedArgs;
use crate::ui;

/// What shells answer for a command that cannot be prepared, is not found, and cannot be executed.
const NOT_PREPARED: u8 = 125;
const NOT_FOUND: u8 = 127;
const NOT_EXECUTABLE: u8 = 126;
/// What shells add to the number of the signal that ended a command.
const BY_SIGNAL: i32 = 128;

/// Becomes the command, and returns only when that fails; or watches it until it ends.
pub(crate) fn become_command(args: &ConfinedArgs, world: &World) -> ExitCode {
    let guard = args.told.as_ref().map(|told| Guard {
        told: told.clone(),
        hosts: args.host.clone(),
        programs: args.program.clone(),
    });
    let confinement = Confinement {
        closed: args.closed.clone(),
        open: args.open.clone(),
        is_strict: args.strict,
        hidden: args.hidden.clone(),
        guard,
    };
    if let Some(guard) = &confinement.guard {
        if !args.watched {
            return watch(args, &confinement, guard);
        }
        if let Err(error) = wait_for_the_guard() {
            return not_prepared(&error);
        }
    }
    let Some((program, arguments)) = args.command.split_first() else { return NOT_PREPARED.into() };
    let temporary = world.surroundings.variable("TMPDIR").unwrap_or_else(|| "/tmp".to_owned());
    let own = match confinement.enter(Path::new(&temporary)) {
        Ok(own) => own,
        Err(error) => return not_prepared(&error),
    };
    if confinement.guard.is_some()
        && let Err(error) = filter_calls()
    {
        return not_prepared(&error);
    }
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

/// Starts this program once more, as the one that becomes the command, and ends as that does.
fn watch(args: &ConfinedArgs, confinement: &Confinement, guard: &Guard) -> ExitCode {
    let mut command: Vec<OsString> = vec!["/proc/self/exe".into(), "confined".into()];
    command.extend(confinement.to_arguments());
    command.extend(["--watched", "--"].map(OsString::from));
    command.extend(args.command.iter().cloned());
    match stay_beside(&command, confinement, guard) {
        Ok(GuardedEnd::Code(code)) => code.into(),
        Ok(GuardedEnd::Signal(signal)) => u8::try_from(BY_SIGNAL + signal).unwrap_or(u8::MAX).into(),
        Err(error) => not_prepared(&error),
    }
}

fn not_prepared(error: &dyn std::error::Error) -> ExitCode {
    ui::complain(&format!("the command could not be confined: {error}"));
    NOT_PREPARED.into()
}
