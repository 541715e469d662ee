//! The program `switchback` in a world that can kill it; without a variable it is the program as it is.
//!
//! `SWITCHBACK_TESTKIT_KILL_AT=N` kills it, as `kill -9` does, before call N through the world;
//! `SWITCHBACK_TESTKIT_KILL_WITHIN=N` after the first half of what call N writes;
//! `SWITCHBACK_TESTKIT_COUNT_TO=FILE` writes the number of calls into that new file at the end.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use switchback_core::world::{Disk, RealDisk, World};
use switchback_testkit::{Counted, Fault};

fn main() -> ExitCode {
    let world = World::real();
    let number = |name: &str| world.surroundings.variable(name).map(|value| value.parse::<u64>());
    let fault = match (number("SWITCHBACK_TESTKIT_KILL_AT"), number("SWITCHBACK_TESTKIT_KILL_WITHIN")) {
        (None, None) => Fault::None,
        (Some(Ok(call)), None) => Fault::KillAt(call),
        (None, Some(Ok(call))) => Fault::KillWithin(call),
        _ => {
            return refuse(
                "one of SWITCHBACK_TESTKIT_KILL_AT and SWITCHBACK_TESTKIT_KILL_WITHIN is a number",
            );
        }
    };
    let count_to = world.surroundings.variable("SWITCHBACK_TESTKIT_COUNT_TO").map(PathBuf::from);
    if fault == Fault::None && count_to.is_none() {
        return switchback_cli::run(std::env::args_os(), world);
    }
    let (counting, counted) = Counted::around(&world, fault);
    let ended = switchback_cli::run(std::env::args_os(), counting);
    if let Some(path) = count_to {
        let text = counted.calls().to_string();
        if let Err(error) = RealDisk.write_new(&path, 0o644, &mut text.as_bytes()) {
            return refuse(&error.to_string());
        }
    }
    ended
}

/// An exit code that the program itself never has.
fn refuse(why: &str) -> ExitCode {
    // Without a reader there is still the exit code.
    drop(writeln!(std::io::stderr(), "switchback-dies: {why}"));
    ExitCode::from(70)
}
