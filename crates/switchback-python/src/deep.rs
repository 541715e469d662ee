//! Threads with a deep stack: source that nests deeply needs one, and names lead from file to file.

use crate::moving::STACK_BYTES;

/// Runs something, and what it runs in parallel, on threads with a deep stack; else why they could not be started.
pub(crate) fn deep<T: Send>(act: impl FnOnce() -> T + Send) -> Result<T, String> {
    let pool = rayon::ThreadPoolBuilder::new().stack_size(STACK_BYTES).build();
    pool.map(|pool| pool.install(act)).map_err(|error| error.to_string())
}
