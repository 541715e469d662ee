//! Calls into libraries that panic on some damaged files: such a panic is an error, and says nothing on the terminal.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Once;

thread_local! {
    /// Whether this thread is in a guarded call.
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// Keeps the message of a guarded panic off the terminal. Every other panic is told as before.
fn quieten() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let told = take_hook();
        set_hook(Box::new(move |panic| {
            if !GUARDED.get() {
                told(panic);
            }
        }));
    });
}

/// Calls a library. What it was reading with must not be used again after a panic.
///
/// # Errors
///
/// Those of the call, and what a panic said.
pub fn guarded<T, E: ToString>(read: impl FnOnce() -> Result<T, E>) -> Result<T, String> {
    quieten();
    let before = GUARDED.replace(true);
    let result = catch_unwind(AssertUnwindSafe(read));
    GUARDED.set(before);
    match result {
        Ok(result) => result.map_err(|error| error.to_string()),
        Err(panic) => {
            let said = panic.downcast_ref::<&str>().map(|said| (*said).to_owned());
            let said = said.or_else(|| panic.downcast_ref::<String>().cloned());
            Err(format!("its content is damaged ({})", said.unwrap_or_else(|| "unexpected".to_owned())))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_an_error_with_its_words() {
        #[expect(clippy::panic, reason = "a library that panics is what is shown")]
        let found = guarded(|| -> Result<(), String> { panic!("at page {}", 7) });
        assert_eq!(found, Err("its content is damaged (at page 7)".to_owned()));
        assert_eq!(guarded(|| Ok::<_, String>(1)), Ok(1));
        assert!(!GUARDED.get());
    }
}
