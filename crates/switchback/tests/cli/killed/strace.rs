//! System calls from outside: which ones a run makes, and a run that is struck at one of them.

use std::collections::{BTreeSet, HashMap};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Output};

use super::scene::{bare, program, said};

/// Calls that alter what is on the disk, take the project's lock, or wait for the disk.
pub(super) const ALTERING: &[&str] = &[
    "renameat2",
    "renameat",
    "rename",
    "fsync",
    "fdatasync",
    "sync_file_range",
    "pwrite64",
    "pwritev",
    "write",
    "writev",
    "unlink",
    "unlinkat",
    "rmdir",
    "mkdir",
    "mkdirat",
    "symlink",
    "symlinkat",
    "link",
    "linkat",
    "mknodat",
    "ftruncate",
    "fallocate",
    "utimensat",
    "chmod",
    "fchmod",
    "fchmodat",
    "fchown",
    "lchown",
    "fchownat",
    "setxattr",
    "lsetxattr",
    "fsetxattr",
    "copy_file_range",
    "sendfile",
    "flock",
    "msync",
];

/// Calls that only look, or lock within the journal's library: after a kill at one of them the disk is as before the next call that alters it.
pub(super) const LOOKING: &[&str] = &[
    "openat",
    "open",
    "read",
    "pread64",
    "statx",
    "newfstatat",
    "fstat",
    "statfs",
    "fstatfs",
    "getdents64",
    "readlink",
    "readlinkat",
    "lgetxattr",
    "llistxattr",
    "fgetxattr",
    "flistxattr",
    "lseek",
    "fadvise64",
    "fcntl",
    "ioctl",
    "mmap",
];

/// One occurrence of a system call: the N-th of its name in its thread, from 1.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Call {
    pub(super) name: String,
    pub(super) number: u32,
}

impl std::fmt::Display for Call {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} {}", self.name, self.number)
    }
}

/// How a call is struck.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stroke {
    /// The process is killed before the call.
    Kill,
    /// The call is not made and returns this error.
    Fail(&'static str),
}

/// What a struck run left.
#[derive(Debug)]
pub(super) struct Struck {
    /// Whether the stroke was reached.
    pub(super) is_reached: bool,
    /// Whether the program said that its outcome will stay true.
    pub(super) is_acknowledged: bool,
    pub(super) output: Output,
}

/// A command under strace in the project at `root`; what it traces goes to the file `log`.
fn under(root: &Path, log: &Path, options: &[String], arguments: &[&str]) -> Output {
    let mut command = Command::new("strace");
    command.args(["-f", "-qq", "-y", "-s", "0", "-o"]).arg(log).args(options);
    command.arg(env!("CARGO_BIN_EXE_switchback")).args(arguments);
    bare(command, root).output().unwrap()
}

fn log_of(root: &Path) -> std::path::PathBuf {
    // Beside the folder of the project: that may be a file system under test.
    root.parent().unwrap().with_extension("strace")
}

/// The calls of a run that succeeds, which concern the project or what stands beside it, in order of name and number.
pub(super) fn trace(root: &Path, arguments: &[&str], names: &[&str]) -> Vec<Call> {
    let log = log_of(root);
    // A question mark passes over names that this kind of machine does not have.
    let names = names.iter().map(|name| format!("?{name}")).collect::<Vec<_>>().join(",");
    let output = under(root, &log, &["-e".into(), format!("trace={names}")], arguments);
    assert!(matches!(output.status.code(), Some(0..=2)), "traced: {}", said(&output));
    let text = std::fs::read_to_string(&log).unwrap();
    let place = root.parent().unwrap().to_str().unwrap();
    let calls = calls_in(&text, place);
    assert!(!calls.is_empty(), "nothing was traced of {arguments:?}: {text}");
    calls.into_iter().collect()
}

/// Numbers the calls of each thread, and keeps those that name `place` in whatever thread they have that number: a stroke
/// meets the first one, which must not be one of the loader before the program begins.
fn calls_in(text: &str, place: &str) -> BTreeSet<Call> {
    let mut numbers: HashMap<(String, String), u32> = HashMap::new();
    let (mut found, mut elsewhere) = (BTreeSet::new(), BTreeSet::new());
    for line in text.lines() {
        let Some((thread, rest)) = line.split_once(' ') else { continue };
        let Some((name, _)) = rest.trim_start().split_once('(') else { continue };
        // The second half of a call that another thread came between, an exit, a signal.
        if !name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_') {
            continue;
        }
        let number = numbers.entry((thread.to_owned(), name.to_owned())).or_default();
        *number += 1;
        let call = Call { name: name.to_owned(), number: *number };
        if rest.contains(place) {
            found.insert(call)
        } else {
            elsewhere.insert(call)
        };
    }
    &found - &elsewhere
}

/// Runs the program and strikes it at one call.
pub(super) fn strike(root: &Path, arguments: &[&str], call: &Call, stroke: Stroke) -> Struck {
    let how = match stroke {
        Stroke::Kill => "signal=KILL".to_owned(),
        Stroke::Fail(error) => format!("error={error}"),
    };
    inject(root, arguments, &call.name, &format!("{how}:when={}", call.number))
}

/// Runs the program unharmed.
pub(super) fn unharmed(root: &Path, arguments: &[&str]) -> Struck {
    let output = program(root, arguments).output().unwrap();
    Struck { is_reached: false, is_acknowledged: is_acknowledged(&output), output }
}

/// Runs the program and does something to calls of these names.
pub(super) fn inject(root: &Path, arguments: &[&str], names: &str, how: &str) -> Struck {
    let log = log_of(root);
    let options =
        ["-e".to_owned(), format!("trace={names}"), "-e".to_owned(), format!("inject={names}:{how}")];
    let output = under(root, &log, &options, arguments);
    // strace ends as the program that it traces.
    let is_killed = output.status.signal() == Some(9);
    let is_reached = is_killed || std::fs::read_to_string(&log).is_ok_and(|text| text.contains("(INJECTED)"));
    Struck { is_reached, is_acknowledged: is_acknowledged(&output), output }
}

fn is_acknowledged(output: &Output) -> bool {
    String::from_utf8_lossy(&output.stderr).contains(": acknowledged: ")
}

#[test]
fn calls_are_numbered_by_thread_and_kept_where_they_concern_the_project() {
    let text = "7  openat(AT_FDCWD, \"/lib/libc.so\", O_RDONLY) = 3\n\
                7  openat(AT_FDCWD, \"/p/project/a\", O_RDONLY <unfinished ...>\n\
                8  openat(AT_FDCWD, \"/p/project/b\", O_RDONLY) = 4\n\
                7  <... openat resumed>) = 5</p/project/a>\n\
                7  fsync(5</p/project/a>) = 0\n7  write(2</dev/pts/0>, \"\"..., 3) = 3\n7  +++ exited with 0 +++\n";
    let shown: Vec<String> = calls_in(text, "/p/").iter().map(ToString::to_string).collect();
    assert_eq!(shown, ["fsync 1", "openat 2"], "the first `openat` is the loader's");
}
