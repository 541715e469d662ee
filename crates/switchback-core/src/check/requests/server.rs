//! One of the two servers: started in a copy of its tree, on a port that nobody else has, awaited, and ended with all that it started.

use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::thread::{Scope, ScopedJoinHandle};
use std::time::Duration;

use serde_json::{Value, json};

use super::super::scenarios::never_began;
use super::super::shell::{self, Runner};
use crate::secret::clean_output;
use crate::world::{
    Disk, Exit, Finished, HttpRequest, Interruption, NetworkError, ProcessError, Signal, World,
};

/// So much of what a server puts out is looked at: the end of it.
const OUTPUT_BYTES_MAX: u64 = 1 << 20;
/// Between two questions whether it is ready.
const PAUSE: Duration = Duration::from_millis(25);
/// One question may take so long, so that one that hangs is not the last one.
const QUESTION_MAX: Duration = Duration::from_secs(5);
/// An answer that had less time than this says little.
const TELLING_MIN: Duration = Duration::from_millis(500);
const ANSWER_BYTES_MAX: u64 = 1 << 20;
/// What a server's last answer brings down is down after this time.
const SETTLING: Duration = Duration::from_millis(150);
/// So long one is waited for that listens no more, and has not ended yet.
const FALLING_MAX: Duration = Duration::from_secs(2);
/// How often a server is started: the port that it got may be taken before it listens there.
const STARTS_MAX: u32 = 2;
/// What servers say when their port is taken, in lower case.
const TAKEN: &[&str] = &["address already in use", "address in use", "eaddrinuse"];
/// What is said of a server that had no better port the second time.
const SHARED_PORT: &str = "; a port that it listens on is taken: the old and the new server run at the same time, so let them listen \
    on `{port}` alone, and on any other port that the system finds free (`:0`)";

/// What is started.
#[derive(Debug, Clone)]
pub(super) struct Program<'a> {
    /// `old` or `new`.
    pub(super) name: &'static str,
    /// A line of shell that names `{port}`.
    pub(super) command: &'a str,
    /// A copy of a tree that nobody else looks at.
    pub(super) tree: PathBuf,
    /// Its `{out}`, an empty folder.
    pub(super) out: PathBuf,
}

/// How servers are started, and until when.
#[derive(Debug, Clone, Copy)]
pub(super) struct Starting<'a> {
    pub(super) runner: Runner<'a>,
    /// A path that says that it is ready; that its port is open has to do when there is none.
    pub(super) ready: Option<&'a str>,
    /// How long it may take until it is ready.
    pub(super) start: Duration,
}

/// Why there is no server.
#[derive(Debug)]
pub(super) struct NotStarted {
    pub(super) why: String,
    /// Whether the program can be told from a slip of the pen in the plan: it began, and then failed.
    pub(super) is_of_program: bool,
    pub(super) evidence: Value,
}

/// A server that answers, or is about to. It is told to end when this goes out of scope.
#[derive(Debug)]
pub(super) struct Server<'scope> {
    command: String,
    pub(super) port: u16,
    world: &'scope World,
    /// It is killed, with all that it started, as soon as this file is there.
    stop: PathBuf,
    output: PathBuf,
    running: Option<ScopedJoinHandle<'scope, Result<Finished, ProcessError>>>,
}

/// What became of a server.
#[derive(Debug)]
pub(super) struct Ended {
    /// How it ended, where it did so by itself.
    pub(super) by_itself: Option<String>,
    /// Whether something that it started still answers on its port.
    pub(super) is_left: bool,
    pub(super) evidence: Value,
    /// Whether it never began to work at all: the line that says so.
    never_began: Option<String>,
    /// Whether it was killed because the time of the whole check was up.
    is_out_of_time: bool,
    output: String,
}

/// Starts a server and waits until it is ready.
pub(super) fn start<'scope, 'env: 'scope>(
    scope: &'scope Scope<'scope, 'env>,
    starting: &Starting<'env>,
    program: &Program<'_>,
) -> Result<Server<'scope>, NotStarted> {
    let mut attempt = 1;
    loop {
        let server = Server::launch(scope, starting, program, attempt).map_err(NotStarted::of_us)?;
        let Err(why) = server.await_ready(starting) else { return Ok(server) };
        let ended = server.end();
        let lower = ended.output.to_lowercase();
        let is_taken = TAKEN.iter().any(|taken| lower.contains(taken));
        if attempt < STARTS_MAX && is_taken && !ended.is_out_of_time {
            attempt += 1;
            continue;
        }
        let mut why = match (&ended.never_began, &ended.by_itself) {
            (Some(line), _) => format!("it never began: {}", clean_output(line)),
            (None, Some(ending)) => format!("it ended before it was ready, with {ending}"),
            (None, None) if ended.is_out_of_time => {
                "it was not ready when the time of the check (`timeout_s`) was up".to_owned()
            }
            (None, None) => why,
        };
        if is_taken {
            why.push_str(SHARED_PORT);
        }
        let is_of_program = ended.never_began.is_none() && !is_taken && !ended.is_out_of_time;
        return Err(NotStarted { why, is_of_program, evidence: ended.evidence });
    }
}

impl NotStarted {
    fn of_us(why: String) -> Self {
        Self { why, is_of_program: false, evidence: Value::Null }
    }
}

impl<'scope> Server<'scope> {
    fn launch<'env: 'scope>(
        scope: &'scope Scope<'scope, 'env>,
        starting: &Starting<'env>,
        program: &Program<'_>,
        attempt: u32,
    ) -> Result<Self, String> {
        let (runner, name) = (starting.runner, program.name);
        let world = runner.world;
        let port =
            world.network.free_port().map_err(|error| format!("there is no free port for it: {error}"))?;
        let beside = |what: &str| program.out.with_file_name(format!("{name}-{attempt}.{what}"));
        let (stop, output) = (beside("stop"), beside("output"));
        let number = port.to_string();
        let line =
            shell::filled_with(program.command, &program.tree, &program.out, &[("port", number.as_str())]);
        let line = kept_company(&line, &output, world.surroundings.process_id());
        let interruption = Interruption { when: stop.clone(), signal: Signal::Kill };
        let (tree, out) = (program.tree.clone(), program.out.clone());
        let running = scope.spawn(move || runner.run(&line, &tree, &out, Some(&interruption)));
        let command = program.command.to_owned();
        Ok(Self { command, port, world, stop, output, running: Some(running) })
    }

    /// Whether it has ended.
    pub(super) fn is_over(&self) -> bool {
        self.running.as_ref().is_none_or(ScopedJoinHandle::is_finished)
    }

    /// Waits until it does its work; why it does not.
    fn await_ready(&self, starting: &Starting<'_>) -> Result<(), String> {
        let clock = self.world.clock.as_ref();
        let end = clock.monotonic().saturating_add(starting.start);
        let mut said = String::new();
        loop {
            let left = end.saturating_sub(clock.monotonic());
            let asked = match starting.ready {
                Some(path) => self.is_ready_at(path, left.min(QUESTION_MAX)),
                None if self.world.network.is_open(self.port) => Ok(()),
                None => Err("nobody listens on its port".to_owned()),
            };
            // Whoever answers, it is not this server once it has ended.
            if self.is_over() {
                return Err("it ended before it was ready".to_owned());
            }
            match asked {
                Ok(()) => return Ok(()),
                // The last question may have had too little time to be answered: what was said before tells more.
                Err(why) if left >= TELLING_MIN || said.is_empty() => said = why,
                Err(_) => {}
            }
            if clock.monotonic() + PAUSE >= end {
                return Err(format!("it was not ready within {} s: {said}", starting.start.as_secs()));
            }
            clock.sleep(PAUSE);
        }
    }

    fn is_ready_at(&self, path: &str, timeout: Duration) -> Result<(), String> {
        let request = HttpRequest {
            url: self.address(path),
            method: "GET".to_owned(),
            headers: Vec::new(),
            body: None,
            timeout,
            body_bytes_max: ANSWER_BYTES_MAX,
            is_direct: true,
        };
        match self.world.network.ask(&request) {
            Ok(answer) if answer.status < 500 => Ok(()),
            Ok(answer) => Err(format!("`{path}` answers with status {}", answer.status)),
            Err(NetworkError::Silent(why) | NetworkError::NotAsked(why)) => Err(why),
        }
    }

    /// The address of a path that it serves.
    pub(super) fn address(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// Gives it the moment that it needs to fall, where its last answer brought it down: ended at once, it would pass for one that
    /// works.
    pub(super) fn settle(&self) {
        let clock = self.world.clock.as_ref();
        clock.sleep(SETTLING);
        let end = clock.monotonic().saturating_add(FALLING_MAX);
        while !self.is_over() && !self.world.network.is_open(self.port) && clock.monotonic() < end {
            clock.sleep(PAUSE);
        }
    }

    /// Ends it, with all that it started.
    pub(super) fn end(mut self) -> Ended {
        // Where the file cannot be written it ends with its time, and is waited for all the same.
        self.tell_to_end();
        let finished = self.running.take().map(ScopedJoinHandle::join);
        let output = tail(self.world.disk.as_ref(), &self.output);
        let mut evidence = json!({
            "command": self.command, "port": self.port, "output": clean_output(&shell::tail(&output)),
        });
        let is_left = self.world.network.is_open(self.port);
        let mut is_out_of_time = false;
        let (by_itself, never) = match finished {
            Some(Ok(Ok(finished))) if finished.exit == Exit::TimedOut => {
                is_out_of_time = true;
                (None, None)
            }
            Some(Ok(Ok(mut finished))) if finished.interrupted.is_none() => {
                finished.stderr.clone_from(&output);
                (Some(ending(&finished)), has_not_begun(&finished))
            }
            Some(Ok(Ok(_))) => (None, None),
            Some(Ok(Err(error))) => (Some(error.to_string()), Some(error.to_string())),
            Some(Err(_)) | None => (Some("nobody knows what".to_owned()), None),
        };
        let by_the_check =
            if is_out_of_time { "killed when the time of the check was up" } else { "ended by the check" };
        evidence["ending"] = json!(by_itself.as_deref().unwrap_or(by_the_check));
        let output = String::from_utf8_lossy(&output).into_owned();
        Ended { by_itself, is_left, evidence, never_began: never, is_out_of_time, output }
    }

    fn tell_to_end(&self) {
        let disk = self.world.disk.as_ref();
        if matches!(disk.look(&self.stop), Ok(None)) {
            // It ends with its time where this fails.
            drop(disk.write_new(&self.stop, 0o600, &mut &b""[..]));
        }
    }
}

impl Drop for Server<'_> {
    fn drop(&mut self) {
        if self.running.is_some() {
            self.tell_to_end();
        }
    }
}

/// The line with its output in a file, which something that outlives it may hold open for as long as it likes, and with company that
/// ends it, and all that it started, when this process is gone: nobody else would.
fn kept_company(line: &str, output: &Path, process: u32) -> String {
    format!(
        "exec >{} 2>&1\n\
         ( [ -e /proc/{process} ] || exit 0; while [ -e /proc/{process} ]; do sleep 1; done; kill -9 0 ) \
         </dev/null >/dev/null 2>&1 &\n{line}",
        shell::quoted(output)
    )
}

fn ending(finished: &Finished) -> String {
    format!("{}{}", finished.ending(), shell::last_words(finished))
}

/// The line that says that a command could not be carried out at all.
fn has_not_begun(finished: &Finished) -> Option<String> {
    match finished.exit {
        Exit::Code(126 | 127) => Some(ending(finished)),
        Exit::Code(_) | Exit::Signal(_) | Exit::TimedOut => never_began(finished),
    }
}

/// The end of a file; nothing where it cannot be read.
fn tail(disk: &dyn Disk, path: &Path) -> Vec<u8> {
    let read = || -> std::io::Result<Vec<u8>> {
        let mut file = disk.open_seekable(path).map_err(std::io::Error::other)?;
        let length = file.seek(SeekFrom::End(0))?;
        file.seek(SeekFrom::Start(length.saturating_sub(OUTPUT_BYTES_MAX)))?;
        let mut content = Vec::new();
        file.take(OUTPUT_BYTES_MAX).read_to_end(&mut content)?;
        Ok(content)
    };
    // What a server said explains a failure; that it cannot be read is none.
    read().unwrap_or_default()
}
