//! The program `switchback`: the world as it is, and everything else in the library beside it.

use std::process::ExitCode;

/// Reading a journal and comparing tables make and drop millions of short texts, on several threads at once; the
/// allocator of the C library spends a quarter of the time of `status` on them.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    switchback_cli::run(std::env::args_os(), switchback_core::world::World::real())
}
