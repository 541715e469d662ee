//! The process beside a guarded command: it waits for stops, decides, and lets the command go on.

use std::collections::HashSet;
use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::Write;

use nix::errno::Errno;
use nix::libc;
use nix::sys::ptrace::{self, Options};
use nix::sys::signal::{Signal, raise};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

use super::bounds::{Bounds, Decision};
use super::call::Caller;
use super::told::{ATTEMPTS_MAX, Attempt, Told};
use super::{Confinement, Guard, GuardedEnd};

/// What a call returns that is refused.
const REFUSED: i64 = -(libc::EACCES as i64);

/// See [`super::wait_for_the_guard`].
pub(super) fn wait_for_the_guard() -> Result<(), String> {
    ptrace::traceme().map_err(|error| format!("the kernel lets no process watch another: {error}"))?;
    raise(Signal::SIGSTOP).map_err(|error| error.to_string())
}

/// See [`super::stay_beside`].
#[expect(clippy::disallowed_methods, reason = "this is the door that the ban points to")]
pub(super) fn stay_beside(
    command: &[OsString],
    confinement: &Confinement,
    guard: &Guard,
) -> Result<GuardedEnd, String> {
    let bounds = Bounds::new(confinement, guard)?;
    let (program, arguments) = command.split_first().ok_or("there is no command")?;
    let child = std::process::Command::new(program).args(arguments).spawn();
    let child = child.map_err(|error| format!("the command could not be started: {error}"))?;
    let first = i32::try_from(child.id()).map_err(|error| error.to_string())?;
    let mut tracer = Tracer {
        first: Pid::from_raw(first),
        known: HashSet::new(),
        bounds,
        told: None,
        attempts: HashSet::new(),
    };
    tracer.begin(guard)?;
    tracer.follow()
}

#[derive(Debug)]
struct Tracer {
    /// The command.
    first: Pid,
    /// Everybody who was stopped once: the command, and what it started.
    known: HashSet<Pid>,
    bounds: Bounds,
    told: Option<File>,
    attempts: HashSet<Attempt>,
}

impl Tracer {
    /// Waits until the command stands still and is held on to.
    fn begin(&mut self, guard: &Guard) -> Result<(), String> {
        let words = |error: Errno| format!("the command cannot be watched: {error}");
        match waitpid(self.first, Some(WaitPidFlag::__WALL)).map_err(words)? {
            WaitStatus::Stopped(pid, Signal::SIGSTOP) if pid == self.first => {}
            // It said why by itself.
            _ => return Err("the command could not be guarded".to_owned()),
        }
        self.known.insert(self.first);
        let options = Options::PTRACE_O_TRACESECCOMP
            | Options::PTRACE_O_TRACEFORK
            | Options::PTRACE_O_TRACEVFORK
            | Options::PTRACE_O_TRACECLONE
            | Options::PTRACE_O_TRACEEXEC
            | Options::PTRACE_O_EXITKILL;
        ptrace::setoptions(self.first, options).map_err(words)?;
        let told = OpenOptions::new().append(true).create_new(true).open(&guard.told);
        let told = told.map_err(|error| format!("`{}`: {error}", guard.told.display()))?;
        self.told = Some(told);
        self.write(&Told::beginning())?;
        ptrace::cont(self.first, None).map_err(words)
    }

    fn write(&mut self, line: &str) -> Result<(), String> {
        let Some(told) = &mut self.told else { return Ok(()) };
        told.write_all(format!("{line}\n").as_bytes())
            .map_err(|error| format!("what it tried cannot be told: {error}"))
    }

    fn follow(&mut self) -> Result<GuardedEnd, String> {
        loop {
            let status = match waitpid(None, Some(WaitPidFlag::__WALL)) {
                Err(Errno::EINTR) => continue,
                Err(error) => return Err(format!("the command cannot be watched any more: {error}")),
                Ok(status) => status,
            };
            match status {
                WaitStatus::Exited(pid, code) if pid == self.first => {
                    return Ok(GuardedEnd::Code(u8::try_from(code & 0xff).unwrap_or(u8::MAX)));
                }
                WaitStatus::Signaled(pid, signal, _) if pid == self.first => {
                    // Whoever waits for this process sees what the command ended by, unless it is one that does not end this one.
                    let _ = raise(signal);
                    return Ok(GuardedEnd::Signal(signal as i32));
                }
                WaitStatus::Exited(pid, _) | WaitStatus::Signaled(pid, ..) => {
                    self.known.remove(&pid);
                }
                WaitStatus::PtraceEvent(pid, _, libc::PTRACE_EVENT_SECCOMP) => {
                    self.look(pid)?;
                    go_on(pid, None);
                }
                WaitStatus::Stopped(pid, signal) => {
                    // Whoever is new stands still once, because it is held on to.
                    let is_new = self.known.insert(pid);
                    let is_ours = is_new && signal == Signal::SIGSTOP;
                    go_on(pid, Some(signal).filter(|_| !is_ours));
                }
                WaitStatus::PtraceEvent(pid, ..) | WaitStatus::PtraceSyscall(pid) => go_on(pid, None),
                WaitStatus::Continued(_) | WaitStatus::StillAlive => {}
            }
        }
    }

    /// Looks at one call, and lets it fail where it goes too far.
    fn look(&mut self, pid: Pid) -> Result<(), String> {
        // Somebody who was killed in the meantime makes no call.
        let Ok(mut registers) = ptrace::getregs(pid) else { return Ok(()) };
        let family = || self.known.iter().copied().collect();
        let decision = self.bounds.decide(&Caller { pid, registers: &registers }, &family);
        if decision == Decision::Goes {
            return Ok(());
        }
        registers.orig_rax = u64::MAX;
        registers.rax = REFUSED.cast_unsigned();
        if ptrace::setregs(pid, registers).is_err() {
            // It would make the call if it still could.
            let _ = nix::sys::signal::kill(pid, Signal::SIGKILL);
        }
        if let Decision::Refused(attempt) = decision
            && self.attempts.len() < ATTEMPTS_MAX
            && self.attempts.insert(attempt.clone())
        {
            self.write(&attempt.line())?;
        }
        Ok(())
    }
}

/// Lets somebody go on; who was killed in the meantime does not.
fn go_on(pid: Pid, signal: Option<Signal>) {
    let _ = ptrace::cont(pid, signal);
}
