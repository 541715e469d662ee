//! Processes around an exchange: a real service over the live tree is stopped, started, reloaded, or handed over under load.

mod failing;
mod interrupted;
mod parallel;
mod service;
mod stop_start;
mod wording;

/// The line that ends the service, and comes back once it has ended.
const STOP: &str = "sh stop.sh run/api.pid";

/// A process that is stopped and started.
fn stop_start(port: u16, stop: &str, start: &str, more: &str) -> String {
    format!(
        "[[process]]\nname = \"api\"\nstop = '''{stop}'''\nstart = '''{start}'''\n\
         ready = {{ http = \"http://127.0.0.1:{port}/health\", within_s = 20 }}\n{more}\n"
    )
}
