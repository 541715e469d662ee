//! What a command takes: its time, the processors', memory, and what it reads and writes, of all processes that it starts.
//!
//! A process knows what its children took once they have ended and were waited for, all of them together. So a command that is
//! measured is started by a process of its own, this very program, which starts nothing else, waits for all that is left of it,
//! and writes down what the kernel says. Only who knows all processes while they live can say how much memory they have at
//! once: that is looked at from here.

use std::ffi::OsString;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};
use serde_json::{Value, json};

/// What a run took.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Usage {
    /// From its start to the end of the process that was started.
    pub wall: Duration,
    /// Processors, in its own code.
    pub user: Duration,
    /// Processors, in the kernel for it.
    pub system: Duration,
    /// The most memory of the one process that had most of it: exact. It is never less than what [`Usage::floor_bytes`] says.
    pub peak_process_bytes: u64,
    /// The most memory of all its processes together, as far as it was seen: each look adds up what is resident, and what
    /// processes share counts for each of them.
    pub peak_together_bytes: u64,
    /// What the process that starts it takes itself: of a command that takes less, no more is known than that.
    pub floor_bytes: u64,
    /// Bytes that its system calls read, from whatever it was; `None` where the kernel does not count them.
    pub read_bytes: Option<u64>,
    /// Bytes that its system calls wrote.
    pub written_bytes: Option<u64>,
    /// Bytes that had to be fetched from a disk for it.
    pub fetched_bytes: Option<u64>,
    /// Bytes that it made dirty, and a disk has to take.
    pub stored_bytes: Option<u64>,
    /// Whether all its processes have ended. Where not, what those took is missing.
    pub is_whole: bool,
}

/// So long processes that a command left behind may go on before it is said that they do.
const LEFT_BEHIND: Duration = Duration::from_millis(500);
/// Between two looks at its memory.
const LOOK_EVERY: Duration = Duration::from_millis(10);
/// A look takes no more than this part of the time: the next one waits so many times as long.
const LOOK_PAUSE_TIMES: u32 = 20;
/// More processes than this are not looked at.
const PROCESSES_MAX: usize = 10_000;
/// What a shell answers for a command that is not found, and for one that cannot be executed.
const NOT_FOUND: u8 = 127;
const NOT_EXECUTABLE: u8 = 126;

/// What is written down about a run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Record {
    pub(super) usage: Usage,
    /// The signal that ended it.
    pub(super) signal: Option<i32>,
}

/// Runs a command, and writes down what it took into `record`, a new file. Returns its exit code.
///
/// # Errors
///
/// When nothing could be written down.
#[expect(clippy::disallowed_methods, reason = "this is the door that the ban points to")]
pub fn measure(record: &Path, command: &[OsString]) -> std::io::Result<u8> {
    let Some((program, arguments)) = command.split_first() else { return Ok(NOT_FOUND) };
    // Whoever loses its parent becomes a child of this process, and is waited for.
    rustix::process::set_child_subreaper(Some(rustix::process::getpid()))?;
    let (before, own) = io_counters();
    let started = Instant::now();
    let mut child = match std::process::Command::new(program).args(arguments).spawn() {
        Ok(child) => child,
        Err(error) => {
            let code = if error.kind() == std::io::ErrorKind::NotFound { NOT_FOUND } else { NOT_EXECUTABLE };
            std::fs::write(record, json!({"error": error.to_string()}).to_string())?;
            return Ok(code);
        }
    };
    let status = child.wait()?;
    let wall = started.elapsed();
    let is_whole = wait_for_all();
    let (after, _) = io_counters();
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    // A process that becomes a program counts what it shared until then, which was this process.
    let floor_bytes = own_peak_bytes();
    let grown =
        |place: usize, own: u64| Some(after[place]?.saturating_sub(before[place]?).saturating_sub(own));
    let written = json!({
        "wall_ns": nanoseconds(wall),
        "user_us": microseconds(usage.user_time()),
        "system_us": microseconds(usage.system_time()),
        // The kernel counts it in KiB.
        "peak_bytes": u64::try_from(usage.max_rss()).unwrap_or(0).saturating_mul(1024),
        "floor_bytes": floor_bytes,
        // Reading the counters before was read, too.
        "read_bytes": grown(0, own),
        "written_bytes": grown(1, 0),
        "fetched_bytes": grown(2, 0),
        "stored_bytes": grown(3, 0),
        "is_whole": is_whole,
        "signal": status.signal(),
    });
    std::fs::write(record, written.to_string())?;
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(255);
    Ok(u8::try_from(code).unwrap_or(255))
}

/// Waits for every process that is left, and says whether all of them ended in time.
fn wait_for_all() -> bool {
    let deadline = Instant::now() + LEFT_BEHIND;
    loop {
        match rustix::process::wait(rustix::process::WaitOptions::NOHANG) {
            Ok(Some(_)) => {}
            // There is none left.
            Err(_) => return true,
            Ok(None) if Instant::now() > deadline => return false,
            Ok(None) => std::thread::sleep(Duration::from_millis(1)),
        }
    }
}

/// What the kernel counts of this process and of all children that were waited for: bytes read and written by system calls, bytes
/// fetched from and stored on disks. And how long the text was that says so.
#[expect(clippy::disallowed_methods, reason = "processes are looked at behind this door")]
fn io_counters() -> ([Option<u64>; 4], u64) {
    let text = std::fs::read_to_string("/proc/self/io").unwrap_or_default();
    let counters = ["rchar", "wchar", "read_bytes", "write_bytes"].map(|name| field(&text, name));
    (counters, text.len() as u64)
}

#[expect(clippy::disallowed_methods, reason = "processes are looked at behind this door")]
fn own_peak_bytes() -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    field(&text, "VmHWM").unwrap_or(0).saturating_mul(1024)
}

/// The number behind `name:` at the start of a line.
fn field(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    line.split_whitespace().next()?.parse().ok()
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

fn microseconds(time: nix::sys::time::TimeVal) -> u64 {
    let (seconds, rest) = (u64::try_from(time.tv_sec()), u64::try_from(time.tv_usec()));
    seconds.unwrap_or(0).saturating_mul(1_000_000).saturating_add(rest.unwrap_or(0))
}

/// What [`measure`] wrote down, and what was seen of the memory from outside; `None` when it did not come to that.
#[expect(clippy::disallowed_methods, reason = "this is the door that the ban points to")]
pub(super) fn read(record: &Path, peak_together_bytes: u64) -> Option<Record> {
    let text = std::fs::read(record).ok()?;
    // It was for this process alone; that it cannot be removed harms nobody.
    drop(std::fs::remove_file(record));
    let value: Value = serde_json::from_slice(&text).ok()?;
    let number = |name: &str| value[name].as_u64();
    let usage = Usage {
        wall: Duration::from_nanos(number("wall_ns")?),
        user: Duration::from_micros(number("user_us")?),
        system: Duration::from_micros(number("system_us")?),
        peak_process_bytes: number("peak_bytes")?,
        peak_together_bytes,
        floor_bytes: number("floor_bytes")?,
        read_bytes: number("read_bytes"),
        written_bytes: number("written_bytes"),
        fetched_bytes: number("fetched_bytes"),
        stored_bytes: number("stored_bytes"),
        is_whole: value["is_whole"].as_bool()?,
    };
    let signal = value["signal"].as_i64().and_then(|signal| i32::try_from(signal).ok());
    Some(Record { usage, signal })
}

/// Looks at the memory of all processes below one, until it is told to stop.
#[derive(Debug)]
pub(super) struct MemoryWatch {
    is_over: Arc<AtomicBool>,
    thread: std::thread::JoinHandle<u64>,
}

impl MemoryWatch {
    /// Of everything that `parent` starts; itself it does not count.
    pub(super) fn of(parent: u32) -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let stop = is_over.clone();
        let thread = std::thread::spawn(move || {
            let mut peak = 0;
            while !stop.load(Ordering::Relaxed) {
                let began = Instant::now();
                peak = together_bytes(parent).max(peak);
                std::thread::sleep(LOOK_EVERY.max(began.elapsed() * LOOK_PAUSE_TIMES));
            }
            peak
        });
        Self { is_over, thread }
    }

    /// The most that was seen at one look.
    pub(super) fn end(self) -> u64 {
        self.is_over.store(true, Ordering::Relaxed);
        // A look that panicked saw nothing.
        self.thread.join().unwrap_or(0)
    }
}

/// What is resident of all processes below `parent`, added up.
#[expect(clippy::disallowed_methods, reason = "processes are looked at behind this door")]
fn together_bytes(parent: u32) -> u64 {
    let page_bytes = rustix::param::page_size() as u64;
    let (mut open, mut seen, mut sum) = (children(parent), 0, 0_u64);
    while let Some(process) = open.pop() {
        seen += 1;
        if seen > PROCESSES_MAX {
            break;
        }
        // One that has ended by now has no memory.
        let text = std::fs::read_to_string(format!("/proc/{process}/statm")).unwrap_or_default();
        let pages = text.split_whitespace().nth(1).and_then(|pages| pages.parse::<u64>().ok());
        sum = sum.saturating_add(pages.unwrap_or(0).saturating_mul(page_bytes));
        open.extend(children(process));
    }
    sum
}

/// The children of all threads of a process.
#[expect(clippy::disallowed_methods, reason = "processes are looked at behind this door")]
fn children(process: u32) -> Vec<u32> {
    let Ok(threads) = std::fs::read_dir(format!("/proc/{process}/task")) else { return Vec::new() };
    let texts =
        threads.filter_map(|thread| std::fs::read_to_string(thread.ok()?.path().join("children")).ok());
    let found: Vec<String> = texts.collect();
    found.iter().flat_map(|text| text.split_whitespace()).filter_map(|id| id.parse().ok()).collect()
}
