//! The program `switchback`: the world as it is, and everything else in the library beside it.

use std::process::ExitCode;
use std::sync::Arc;

use switchback_core::world::{RealProcesses, World};

/// Reading a journal and comparing tables make and drop millions of short texts, on several threads at once; the
/// allocator of the C library spends a quarter of the time of `status` on them.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // This very program, also when its file was replaced in the meantime.
    let processes = RealProcesses::confining("/proc/self/exe");
    let world = World { processes: Arc::new(processes), ..World::real() };
    switchback_cli::run(std::env::args_os(), world)
}
