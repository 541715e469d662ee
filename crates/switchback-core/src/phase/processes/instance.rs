//! One process and its commands: a line of shell each, with a time limit, and what says that it is ready.

use std::path::PathBuf;
use std::time::Duration;

use crate::check::shell::{last_words, quoted};
use crate::phase::error::StepError;
use crate::phase::project::Work;
use crate::plan::{GENERATION, Probe, Process};
use crate::tree::copy::make_directories;
use crate::world::{Command, Exit, HttpRequest};

/// The folder below that of the state which keeps what the commands of processes, and what they start, put out.
const OUTPUT_FOLDER: &str = "processes";
/// More of a command's output is not looked at.
const OUTPUT_BYTES_MAX: u64 = 1024 * 1024;
/// How long is waited between two questions whether a process is ready.
const PAUSE: Duration = Duration::from_millis(25);
/// One question may take so long, so that one that hangs is not the last one.
const QUESTION_MAX: Duration = Duration::from_secs(5);
/// An answer that had less time than this says little.
const TELLING_MIN: Duration = Duration::from_millis(500);
const ANSWER_BYTES_MAX: u64 = 1024 * 1024;

/// A process, and the exchange that it is handed over around.
#[derive(Debug, Clone, Copy)]
pub(super) struct Instance<'w> {
    pub(super) work: &'w Work<'w>,
    pub(super) process: &'w Process,
    pub(super) transaction: &'w str,
}

impl Instance<'_> {
    /// Carries out the command `doing` for the instance of a generation; why it did not succeed.
    pub(super) fn carry_out(&self, doing: &str, line: &str, generation: u64) -> Result<Duration, String> {
        run_line(
            self.work,
            &self.process.name,
            doing,
            line,
            self.process.timeout_s,
            self.variables(generation),
        )
    }

    /// What its commands find in their environment.
    fn variables(&self, generation: u64) -> Vec<(String, String)> {
        variables(self.work, self.transaction, generation)
    }

    /// Waits until the instance of a generation says that it does its work. Without a question, that its command ended
    /// well has to do.
    pub(super) fn await_ready(&self, generation: u64) -> Result<(), String> {
        let Some(ready) = &self.process.ready else { return Ok(()) };
        let clock = self.work.world().clock.as_ref();
        let end = clock.monotonic().saturating_add(Duration::from_secs(ready.within_s));
        let mut why = String::new();
        loop {
            let left = end.saturating_sub(clock.monotonic());
            match self.ask(&ready.probe, generation, left.min(QUESTION_MAX)) {
                Ok(()) => return Ok(()),
                // The last question may have had too little time to be answered: what was said before tells more.
                Err(now) if left >= TELLING_MIN || why.is_empty() => why = now,
                Err(_) => {}
            }
            if clock.monotonic() + PAUSE >= end {
                let why = self.work.redactor.clean(&why);
                return Err(format!("it was not ready within {} s: {why}", ready.within_s));
            }
            clock.sleep(PAUSE);
        }
    }

    /// Asks once; why the answer is not what it has to be.
    fn ask(&self, probe: &Probe, generation: u64, timeout: Duration) -> Result<(), String> {
        let number = generation.to_string();
        match probe {
            Probe::Http { url, contains } => {
                let request = HttpRequest {
                    url: url.replace(GENERATION, &number),
                    method: "GET".to_owned(),
                    headers: Vec::new(),
                    body: None,
                    timeout,
                    body_bytes_max: ANSWER_BYTES_MAX,
                    is_direct: false,
                };
                let answer = self.work.world().network.ask(&request).map_err(|error| error.to_string())?;
                if !(200..300).contains(&answer.status) {
                    return Err(format!("status {}", answer.status));
                }
                let Some(wanted) = contains.as_ref().map(|text| text.replace(GENERATION, &number)) else {
                    return Ok(());
                };
                if String::from_utf8_lossy(&answer.body).contains(&wanted) {
                    return Ok(());
                }
                Err(format!("its answer does not contain `{wanted}`"))
            }
            Probe::Command(line) => {
                let mut command = Command::shell(line, self.work.project.root.as_path(), timeout);
                command.variables = self.variables(generation);
                let finished =
                    self.work.world().processes.run(&command).map_err(|error| error.to_string())?;
                if finished.succeeded() {
                    return Ok(());
                }
                Err(format!("its command ended with {}{}", finished.ending(), last_words(&finished)))
            }
        }
    }

    /// The file that holds the process id of the instance of a generation.
    pub(super) fn pid_file(&self, generation: u64) -> Option<PathBuf> {
        let file = self.process.pid_file.as_ref()?.replace(GENERATION, &generation.to_string());
        Some(self.work.project.root.join(file))
    }
}

pub(super) fn variables(work: &Work<'_>, transaction: &str, generation: u64) -> Vec<(String, String)> {
    [
        ("SWITCHBACK_GENERATION", generation.to_string()),
        ("SWITCHBACK_TRANSACTION", transaction.to_owned()),
        ("SWITCHBACK_ROOT", work.project.root.display().to_string()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .to_vec()
}

/// Runs a line of shell in the project. What it puts out goes to a file, because what it starts keeps that open: a pipe
/// would break when this program ends.
pub(super) fn run_line(
    work: &Work<'_>,
    process: &str,
    doing: &str,
    line: &str,
    timeout_s: u64,
    variables: Vec<(String, String)>,
) -> Result<Duration, String> {
    let output = output_file(work, process, doing).map_err(|error| error.to_string())?;
    let redirected = format!(": >{0}\nexec >>{0} 2>&1\n{line}", quoted(&output));
    let timeout = Duration::from_secs(timeout_s);
    let mut command = Command::shell(&redirected, work.project.root.as_path(), timeout);
    command.variables = variables;
    let mut finished = work.world().processes.run(&command).map_err(|error| error.to_string())?;
    if finished.succeeded() {
        return Ok(finished.elapsed);
    }
    // A file that cannot be read has no last line to show; how the command ended is known all the same.
    finished.stdout = work.world().disk.read(&output, OUTPUT_BYTES_MAX).unwrap_or_default();
    let ending = match finished.exit {
        Exit::TimedOut => format!("it was not done within {timeout_s} s"),
        Exit::Code(_) | Exit::Signal(_) => finished.ending(),
    };
    Err(work.redactor.clean(&format!("{ending}{}", last_words(&finished))))
}

fn output_file(work: &Work<'_>, process: &str, doing: &str) -> Result<PathBuf, StepError> {
    let disk = work.world().disk.as_ref();
    let folder = work.project.state().join(OUTPUT_FOLDER);
    if disk.look(&folder)?.is_none() {
        make_directories(disk, &work.project.root, &work.project.state())?;
        disk.make_directory(&folder, 0o700)?;
    }
    let plain =
        |letter: char| if letter.is_ascii_alphanumeric() || "-.".contains(letter) { letter } else { '_' };
    Ok(folder.join(format!("{}.{doing}.log", process.chars().map(plain).collect::<String>())))
}
