//! Other programs: run to their end, with their output shown, kept, or both.

use std::fmt;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use crate::problem::Problem;

/// A program with its arguments, and where it runs.
#[derive(Debug, Clone)]
pub struct Call {
    program: String,
    arguments: Vec<String>,
    folder: Option<PathBuf>,
    variables: Vec<(String, String)>,
}

/// How a program ended, and what it printed on the streams that were kept.
#[derive(Debug)]
pub struct Ended {
    /// Its exit status.
    pub status: ExitStatus,
    /// What was kept of its output.
    pub text: String,
}

/// Which stream of a program is read while it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Out,
    /// Standard error.
    Error,
}

impl Call {
    /// A program, found on `PATH` or by its path.
    pub fn new(program: &str, arguments: &[&str]) -> Self {
        Self {
            program: program.to_owned(),
            arguments: arguments.iter().map(|&argument| argument.to_owned()).collect(),
            folder: None,
            variables: Vec::new(),
        }
    }

    /// The folder in which it runs.
    #[must_use]
    pub fn within(mut self, folder: &Path) -> Self {
        self.folder = Some(folder.to_owned());
        self
    }

    /// A variable of its environment.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// One more argument.
    #[must_use]
    pub fn argument(mut self, argument: impl Into<String>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// The call as the system's own type, without standard input.
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).stdin(Stdio::null());
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        if let Some(folder) = &self.folder {
            command.current_dir(folder);
        }
        command
    }

    /// Runs it with its output shown. Any exit status is an answer.
    pub fn show(&self) -> Result<ExitStatus, Problem> {
        self.command().status().map_err(|source| self.not_started(&source))
    }

    /// Runs it silently and keeps both streams, output first. Any exit status is an answer.
    pub fn run(&self) -> Result<Ended, Problem> {
        let output = self.command().output().map_err(|source| self.not_started(&source))?;
        let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
        text.push_str(&String::from_utf8_lossy(&output.stderr));
        Ok(Ended { status: output.status, text })
    }

    /// What it prints on standard output, when it succeeds.
    pub fn output(&self) -> Result<String, Problem> {
        let output = self.command().output().map_err(|source| self.not_started(&source))?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        let message = String::from_utf8_lossy(&output.stderr);
        Err(Problem::new(format!("could not run `{self}`"), output.status).because(message.trim()))
    }

    /// Runs it, shows both streams as they come, and keeps the text of one of them.
    pub fn show_and_keep(&self, kept: Stream) -> Result<Ended, Problem> {
        let mut command = self.command();
        match kept {
            Stream::Out => command.stdout(Stdio::piped()),
            Stream::Error => command.stderr(Stdio::piped()),
        };
        let mut child = command.spawn().map_err(|source| self.not_started(&source))?;
        let text = match (child.stdout.take(), child.stderr.take()) {
            (Some(pipe), _) => echo(BufReader::new(pipe), std::io::stdout()),
            (None, Some(pipe)) => echo(BufReader::new(pipe), std::io::stderr()),
            (None, None) => Ok(String::new()),
        };
        let failed = |source: std::io::Error| Problem::new(format!("could not follow `{self}`"), source);
        let status = child.wait().map_err(failed)?;
        Ok(Ended { status, text: text.map_err(failed)? })
    }

    fn not_started(&self, source: &std::io::Error) -> Problem {
        Problem::new(format!("could not start `{self}`"), source)
    }
}

impl fmt::Display for Call {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.program)?;
        for argument in &self.arguments {
            write!(formatter, " {argument}")?;
        }
        Ok(())
    }
}

/// Passes a stream on line by line, and keeps it.
fn echo(mut source: impl BufRead, mut shown: impl Write) -> std::io::Result<String> {
    let (mut text, mut line) = (String::new(), Vec::new());
    while source.read_until(b'\n', &mut line)? > 0 {
        shown.write_all(&line)?;
        text.push_str(&String::from_utf8_lossy(&line));
        line.clear();
    }
    shown.flush()?;
    Ok(text)
}

/// The file that `name` means on the `PATH` of this process, if it can be run.
pub fn find(name: &str) -> Option<PathBuf> {
    use std::os::unix::fs::PermissionsExt;
    let runs = |path: &PathBuf| {
        path.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
    };
    std::env::split_paths(&std::env::var_os("PATH")?).map(|folder| folder.join(name)).find(runs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_names_the_call_and_what_it_said() {
        let shown = Call::new("sh", &["-c", "echo broken >&2; exit 3"]).output().unwrap_err().to_string();
        assert!(shown.contains("exit status: 3") && shown.contains("broken"), "{shown}");
        let shown = Call::new("no-such-program-here", &[]).run().unwrap_err().to_string();
        assert!(shown.contains("could not start `no-such-program-here`"), "{shown}");
    }

    #[test]
    fn the_kept_stream_is_whole() {
        let call = Call::new("sh", &["-c", "echo one; echo two >&2; echo three; exit 1"]);
        let ended = call.show_and_keep(Stream::Out).unwrap();
        assert_eq!((ended.text.as_str(), ended.status.code()), ("one\nthree\n", Some(1)));
    }

    #[test]
    fn programs_are_found_on_the_path() {
        assert!(find("sh").is_some());
        assert_eq!(find("no-such-program-here"), None);
    }
}
