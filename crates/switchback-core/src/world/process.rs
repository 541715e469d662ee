//! Commands: a line for the shell, where it runs, what it may take, what came out.

use std::ffi::{OsStr, OsString};
use std::fmt::Debug;
use std::io::Read;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::confinement::{self, Confinement};
use super::group;
use super::measurement::{self, MemoryWatch, Usage};

/// So much of what a command puts out is kept where nothing else is said: the end of it.
pub const OUTPUT_BYTES_MAX: usize = 16 * 1024 * 1024;

/// A command to run.
#[derive(Debug, Clone)]
pub struct Command {
    /// The program and its arguments. A line of shell is `["/bin/sh", "-c", line]`.
    pub argv: Vec<String>,
    /// Where it runs.
    pub directory: PathBuf,
    /// Variables that are set on top of this process's environment.
    pub variables: Vec<(String, String)>,
    /// It is killed, with all that it started, after this long.
    pub timeout: Duration,
    /// At most this many bytes each of stdout and stderr are kept: the last ones.
    pub output_bytes_max: usize,
    /// What it may do to the disk, where that is less than this process may.
    pub confinement: Option<Confinement>,
}

/// A signal for a command, and all that it started, as soon as a file is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interruption {
    /// The file, or folder.
    pub when: PathBuf,
    /// What is sent.
    pub signal: Signal,
}

/// What became of an interruption.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interrupted {
    /// What was sent.
    pub signal: Signal,
    /// Whether the command, or something that it had started, went on in spite of it, and had to be killed in the end.
    pub outlived: bool,
}

/// A signal that ends a command, unless it knows better.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// SIGKILL: nothing can be put in order any more.
    Kill,
    /// SIGTERM.
    Terminate,
    /// SIGINT, as from a keyboard.
    Interrupt,
}

impl Signal {
    /// What it is called: `SIGTERM`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Kill => "SIGKILL",
            Self::Terminate => "SIGTERM",
            Self::Interrupt => "SIGINT",
        }
    }
}

impl Command {
    /// A line for the shell.
    pub fn shell(line: &str, directory: impl Into<PathBuf>, timeout: Duration) -> Self {
        let argv = vec!["/bin/sh".to_owned(), "-c".to_owned(), line.to_owned()];
        Self {
            argv,
            directory: directory.into(),
            variables: Vec::new(),
            timeout,
            output_bytes_max: OUTPUT_BYTES_MAX,
            confinement: None,
        }
    }
}

/// The longest line of a command that is put into a message.
const LINE_CHARACTERS_MAX: usize = 160;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// With this exit code.
    Code(i32),
    /// By this signal.
    Signal(i32),
    /// It was killed because its time was up.
    TimedOut,
}

/// What a command left.
#[derive(Debug, Clone)]
pub struct Finished {
    /// How it ended.
    pub exit: Exit,
    /// Its output, the last bytes of it.
    pub stdout: Vec<u8>,
    /// Its messages, the last bytes of them.
    pub stderr: Vec<u8>,
    /// How long it ran.
    pub elapsed: Duration,
    /// What became of its interruption; `None` when it was not sent a signal.
    pub interrupted: Option<Interrupted>,
}

impl Finished {
    /// Whether it ended with exit code 0.
    pub fn succeeded(&self) -> bool {
        self.exit == Exit::Code(0)
    }

    /// The last line that says something, of the messages or else of the output, as it may stand in a message of ours.
    /// A longer one is cut between words: half a secret would not be known as one.
    pub fn last_line(&self) -> Option<String> {
        [&self.stderr, &self.stdout].into_iter().find_map(|output| {
            let text = String::from_utf8_lossy(output);
            let line = text.lines().map(str::trim).rfind(|line| !line.is_empty())?;
            let end = line.char_indices().nth(LINE_CHARACTERS_MAX).map(|(end, _)| end);
            Some(end.map_or_else(
                || line.to_owned(),
                |end| {
                    let word_end = line[..end].rfind(char::is_whitespace).unwrap_or(0);
                    format!("{} …", line[..word_end].trim_end()).trim_start().to_owned()
                },
            ))
        })
    }

    /// How it ended, in words: `exit code 3`, `killed by signal 9`, `timed out`.
    pub fn ending(&self) -> String {
        match self.exit {
            Exit::Code(code) => format!("exit code {code}"),
            Exit::Signal(signal) => format!("killed by signal {signal}"),
            Exit::TimedOut => "timed out".to_owned(),
        }
    }
}

/// A command could not be started or waited for.
#[derive(Debug, thiserror::Error)]
#[error("could not run `{program}` in `{directory}`: {source}")]
pub struct ProcessError {
    /// The program.
    pub program: String,
    /// Where it was to run.
    pub directory: PathBuf,
    /// What the system said.
    pub source: std::io::Error,
}

/// Starts commands.
pub trait Processes: Debug + Send + Sync {
    /// Runs a command to its end. Any exit code is an answer.
    ///
    /// # Errors
    ///
    /// When it could not be started, or not be waited for.
    fn run(&self, command: &Command) -> Result<Finished, ProcessError>;

    /// Runs a command as [`Processes::run`] does, and interrupts it. A command that is not interrupted ran to its end by itself.
    ///
    /// # Errors
    ///
    /// As for [`Processes::run`].
    fn run_until(
        &self,
        command: &Command,
        interruption: Option<&Interruption>,
    ) -> Result<Finished, ProcessError>;

    /// Runs a command to its end as [`Processes::run`] does, and says what it took; `None` where nobody could find out.
    /// `record` is a path in a folder that it may write to, at which nothing is.
    ///
    /// # Errors
    ///
    /// As for [`Processes::run`].
    fn measure(&self, command: &Command, record: &Path) -> Result<(Finished, Option<Usage>), ProcessError> {
        let _ = record;
        Ok((self.run(command)?, None))
    }

    /// Whether a command with a confinement is held to it. Where not, it runs as any other.
    fn confines(&self) -> bool {
        false
    }
}

/// Commands as they are.
#[derive(Debug, Default)]
pub struct RealProcesses {
    confiner: Option<PathBuf>,
}

impl RealProcesses {
    /// Commands that are confined and measured by the program `confiner`, which understands the subcommands `confined` and
    /// `measured`.
    pub fn confining(confiner: impl Into<PathBuf>) -> Self {
        Self { confiner: Some(confiner.into()) }
    }
}

/// How long the pipes of a command that ended may stay open in processes that it left behind.
const LEFT_BEHIND: Duration = Duration::from_millis(500);
/// How long they may stay open where it was interrupted: the shell is gone before a program that puts things in order.
const PUT_IN_ORDER: Duration = Duration::from_secs(10);
/// How long at most is waited between two looks for the file of an interruption.
const LOOK_EVERY: Duration = Duration::from_millis(1);

impl Processes for RealProcesses {
    fn run(&self, command: &Command) -> Result<Finished, ProcessError> {
        self.run_until(command, None)
    }

    fn run_until(
        &self,
        command: &Command,
        interruption: Option<&Interruption>,
    ) -> Result<Finished, ProcessError> {
        self.carry_out(command, interruption, &mut |_| {})
    }

    fn measure(&self, command: &Command, record: &Path) -> Result<(Finished, Option<Usage>), ProcessError> {
        let Some(measurer) = self.confiner.as_ref().and_then(|path| path.to_str()) else {
            return Ok((self.run(command)?, None));
        };
        let own = [measurer, "measured", "--record", &record.display().to_string(), "--"].map(str::to_owned);
        let argv = own.into_iter().chain(command.argv.iter().cloned()).collect();
        let measured = Command { argv, ..command.clone() };
        let mut watch = None;
        let finished = self.carry_out(&measured, None, &mut |process| watch = Some(MemoryWatch::of(process)));
        let peak_bytes = watch.map_or(0, MemoryWatch::end);
        let mut finished = finished?;
        let record = measurement::read(record, peak_bytes);
        if let (Some(record), Exit::Code(_)) = (&record, finished.exit) {
            finished.elapsed = record.usage.wall;
            finished.exit = record.signal.map_or(finished.exit, Exit::Signal);
        }
        Ok((finished, record.map(|record| record.usage)))
    }

    fn confines(&self) -> bool {
        self.confiner.is_some() && confinement::is_supported()
    }
}

impl RealProcesses {
    /// Runs a command to its end; `begun` hears of its process as soon as there is one.
    fn carry_out(
        &self,
        command: &Command,
        interruption: Option<&Interruption>,
        begun: &mut dyn FnMut(u32),
    ) -> Result<Finished, ProcessError> {
        let failed = |source| ProcessError {
            program: command.argv.first().cloned().unwrap_or_default(),
            directory: command.directory.clone(),
            source,
        };
        let started = Instant::now();
        let mut child = self.spawn(command).map_err(failed)?;
        begun(child.id());
        let stdout = keep_tail(child.stdout.take(), command.output_bytes_max);
        let stderr = keep_tail(child.stderr.take(), command.output_bytes_max);
        let (exit, sent) = wait(&mut child, started, command, interruption).map_err(failed)?;
        let mut outlived = exit == Exit::TimedOut;
        let deadline = Instant::now() + if sent.is_some() { PUT_IN_ORDER } else { LEFT_BEHIND };
        let is_at_work = || sent.is_some() && group::is_alive(child.id());
        while !(stdout.is_finished() && stderr.is_finished()) || is_at_work() {
            // A background process that the command left behind holds the pipes open; it is not waited for.
            if Instant::now() > deadline {
                outlived = true;
                group::kill(child.id());
                break;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        if interruption.is_some() && sent.is_none() && group::is_alive(child.id()) {
            // It ended before it was to be ended; what it left in the background has nobody who ends it.
            group::kill(child.id());
        }
        let (stdout, stderr) = (joined(stdout), joined(stderr));
        let interrupted = sent.map(|signal| Interrupted { signal, outlived });
        Ok(Finished { exit, stdout, stderr, elapsed: started.elapsed(), interrupted })
    }

    fn spawn(&self, command: &Command) -> std::io::Result<Child> {
        let (program, arguments) = command
            .argv
            .split_first()
            .ok_or_else(|| std::io::Error::new(std::io::ErrorKind::InvalidInput, "the command is empty"))?;
        match (&self.confiner, &command.confinement) {
            (Some(confiner), Some(confinement)) if self.confines() => {
                let mut all = vec![OsString::from("confined")];
                all.extend(confinement.to_arguments());
                all.extend(["--", program].map(OsString::from));
                all.extend(arguments.iter().map(OsString::from));
                start(confiner.as_os_str(), &all, command)
            }
            _ => start(OsStr::new(program), arguments, command),
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the door that the ban points to")]
fn start(program: &OsStr, arguments: &[impl AsRef<OsStr>], command: &Command) -> std::io::Result<Child> {
    std::process::Command::new(program)
        .args(arguments)
        .current_dir(&command.directory)
        .envs(command.variables.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn()
}

fn wait(
    child: &mut Child,
    started: Instant,
    command: &Command,
    mut awaited: Option<&Interruption>,
) -> std::io::Result<(Exit, Option<Signal>)> {
    let mut sent = None;
    let mut pause = Duration::from_micros(200);
    loop {
        if let Some(status) = child.try_wait()? {
            let exit = match (status.code(), status.signal()) {
                (Some(code), _) => Exit::Code(code),
                (None, signal) => Exit::Signal(signal.unwrap_or(0)),
            };
            return Ok((exit, sent));
        }
        if started.elapsed() > command.timeout {
            group::kill(child.id());
            child.wait()?;
            return Ok((Exit::TimedOut, sent));
        }
        if let Some(interruption) = awaited
            && std::fs::symlink_metadata(&interruption.when).is_ok()
        {
            group::interrupt(child.id(), &command.argv, interruption.signal);
            (awaited, sent) = (None, Some(interruption.signal));
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(if awaited.is_some() { LOOK_EVERY } else { Duration::from_millis(20) });
    }
}

/// Reads to the end and keeps the last `bytes_max` bytes, so that memory stays bounded.
fn keep_tail(pipe: Option<impl Read + Send + 'static>, bytes_max: usize) -> JoinHandle<Vec<u8>> {
    std::thread::spawn(move || {
        let (mut kept, mut buffer) = (Vec::new(), vec![0; 64 * 1024]);
        let Some(mut pipe) = pipe else { return kept };
        // A pipe that breaks ends the output; what was read so far is still worth showing.
        while let Ok(count @ 1..) = pipe.read(&mut buffer) {
            kept.extend_from_slice(&buffer[..count]);
            if kept.len() > 2 * bytes_max {
                kept.drain(..kept.len() - bytes_max);
            }
        }
        if kept.len() > bytes_max {
            kept.drain(..kept.len() - bytes_max);
        }
        kept
    })
}

fn joined(reader: JoinHandle<Vec<u8>>) -> Vec<u8> {
    // A reader that panicked has nothing to show; the exit code still counts.
    reader.join().unwrap_or_default()
}
