//! The program `switchback`: the world as it is, and everything else in the library beside it.

use std::process::ExitCode;

fn main() -> ExitCode {
    switchback_cli::run(std::env::args_os(), switchback_core::world::World::real())
}
