//! One command, timed from the moment it is started: to a word that it says, and to its end.

use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::bench::contest::Sample;
use crate::problem::Problem;
use crate::program::Call;

/// How many of a command's last messages an error shows.
const MESSAGES_SHOWN_MAX: usize = 12;

/// The word on standard error by which `switchback` says that an outcome is durable.
pub const ACKNOWLEDGED: &str = "acknowledged";

/// How long a command took.
#[derive(Debug, Clone, Copy)]
pub struct Timing {
    /// When it was started.
    pub started: Instant,
    /// To the end of the process.
    pub exit: Duration,
    /// To the first line on standard error with the word waited for.
    pub word: Option<Duration>,
}

/// Times a command that must succeed. With a `word`, the command must also say it on standard error.
pub fn timed(call: &Call, word: Option<&str>) -> Result<Timing, Problem> {
    let failed = |cause: &dyn std::fmt::Display| Problem::new(format!("could not time `{call}`"), cause);
    let mut command = call.command();
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    let started = Instant::now();
    let mut child = command.spawn().map_err(|source| failed(&source))?;
    let mut said_at = None;
    let mut messages: Vec<String> = Vec::new();
    if let Some(pipe) = child.stderr.take() {
        for line in BufReader::new(pipe).split(b'\n') {
            let now = started.elapsed();
            let line = String::from_utf8_lossy(&line.map_err(|source| failed(&source))?).into_owned();
            if said_at.is_none() && word.is_some_and(|word| line.contains(word)) {
                said_at = Some(now);
            }
            messages.push(line);
        }
    }
    let status = child.wait().map_err(|source| failed(&source))?;
    let exit = started.elapsed();
    let last = messages[messages.len().saturating_sub(MESSAGES_SHOWN_MAX)..].join("\n");
    if !status.success() {
        return Err(failed(&status).because(last));
    }
    match word {
        Some(word) if said_at.is_none() => Err(failed(&format!("it never said `{word}`")).because(last)),
        _ => Ok(Timing { started, exit, word: said_at }),
    }
}

/// The samples of one timed step: to the acknowledgement where there is one, and to the exit.
pub fn samples(step: &str, timing: Timing) -> Vec<Sample> {
    let to = |what: &str, duration: Duration| Sample::time(format!("{step}, to {what}"), duration);
    let word = timing.word.map(|duration| to("acknowledgement", duration));
    word.into_iter().chain([to("exit", timing.exit)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(line: &str) -> Call {
        Call::new("sh", &["-c", line])
    }

    #[test]
    fn the_word_is_timed_apart_from_the_exit() {
        let timing = timed(&shell("echo acknowledged: live >&2; sleep 0.2"), Some(ACKNOWLEDGED)).unwrap();
        assert!(timing.exit >= Duration::from_millis(200));
        assert!(timing.word.unwrap() + Duration::from_millis(100) < timing.exit, "{timing:?}");
        let steps: Vec<String> = samples("cutover", timing).into_iter().map(|sample| sample.step).collect();
        assert_eq!(steps, ["cutover, to acknowledgement", "cutover, to exit"]);
    }

    #[test]
    fn a_command_that_fails_or_keeps_silent_is_not_timed() {
        let shown = timed(&shell("echo no space >&2; exit 2"), None).unwrap_err().to_string();
        assert!(shown.contains("exit status: 2") && shown.contains("no space"), "{shown}");
        let shown = timed(&shell("echo done >&2"), Some(ACKNOWLEDGED)).unwrap_err().to_string();
        assert!(shown.contains("never said `acknowledged`"), "{shown}");
    }
}
