//! What the tests stand on: a project in a temporary folder, and the program run in it with a fixed environment.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::LazyLock;

use regex::{Captures, Regex};
use serde_json::Value;
use switchback_core::tree::scan;
use switchback_core::world::RealDisk;

/// A check that looks for the program's file; its moments are left to the test.
pub(crate) const THERE: &str = "[[check]]\nname = \"there\"\nkind = \"files\"\nexist = [\"src/app.py\"]\n";
/// Two roles that must approve.
pub(crate) const APPROVE: &str = "approve = { roles = [\"risk\", \"tech-lead\"] }\n";

/// Where what tests need of `PyPI` is laid out.
pub(crate) fn packages() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/needs/python/packages")
}

/// A check at some moments that says what the file `answer` says: an exit code.
pub(crate) fn answering(at: &str) -> String {
    format!(
        "[[check]]\nname = \"answer\"\nkind = \"command\"\ncommand = \"exit $(cat answer)\"\nat = [{at}]\n"
    )
}

/// A project at `project` in a temporary folder, with room beside it.
pub(crate) struct Ground {
    directory: tempfile::TempDir,
    variables: Vec<(String, String)>,
}

/// What a command left.
pub(crate) struct Seen {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
    masked: String,
}

impl Ground {
    /// An empty project.
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir(directory.path().join("project")).unwrap();
        fs::create_dir(directory.path().join("home")).unwrap();
        fs::create_dir(directory.path().join("tmp")).unwrap();
        Self { directory, variables: Vec::new() }
    }

    /// A project whose plan takes `src` from `../new`, with `more` behind the change: checks, triggers.
    pub(crate) fn shop(more: &str) -> Self {
        let ground = Self::new();
        ground.write("src/app.py", "VERSION = 1\n");
        ground.write("../new/src/app.py", "VERSION = 2\n");
        // A kernel stamps files with a clock of some milliseconds, so that two folders made one after the other have one time or two.
        for (folder, seconds) in [("src", 1_000_000_000), ("../new/src", 1_000_000_001)] {
            let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(seconds);
            fs::File::open(ground.at(folder)).unwrap().set_modified(time).unwrap();
        }
        ground.plan("", more);
        ground
    }

    /// Writes the plan of [`Ground::shop`], with `phase` among the keys of its phase.
    pub(crate) fn plan(&self, phase: &str, more: &str) {
        let plan = format!(
            "version = 1\n\n[project]\nname = \"shop\"\nmanaged = [\"src\"]\n\n[[phase]]\nname = \"unify\"\n{phase}\n\
             [[phase.change]]\nkind = \"files\"\nfrom = \"../new\"\n\n{more}"
        );
        self.write("switchback.toml", plan);
    }

    /// A path in the project; `..` leads beside it.
    pub(crate) fn at(&self, path: impl AsRef<Path>) -> PathBuf {
        self.directory.path().join("project").join(path)
    }

    pub(crate) fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        let path = self.at(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.at(path)).unwrap()
    }

    /// Sets a variable for all commands from now on.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.variables.push((name.to_owned(), value.to_owned()));
    }

    /// Everything in the project and beside it, with metadata and hashes of contents, as text.
    pub(crate) fn listing(&self) -> String {
        let places: Vec<PathBuf> = fs::read_dir(self.directory.path())
            .unwrap()
            .map(|entry| PathBuf::from(entry.unwrap().file_name()))
            .filter(|name| name != Path::new("tmp"))
            .collect();
        scan(&RealDisk, self.directory.path(), &places).unwrap().to_text()
    }

    /// Runs `switchback` in the project. `line` is split at spaces, which no test needs in an argument.
    pub(crate) fn run(&self, line: &str) -> Seen {
        self.run_arguments(&line.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>())
    }

    /// Runs `switchback` with these arguments in the project.
    pub(crate) fn run_arguments(&self, arguments: &[&str]) -> Seen {
        let output = self.command(env!("CARGO_BIN_EXE_switchback")).args(arguments).output().unwrap();
        let shown: Vec<String> = arguments.iter().map(|argument| shown(argument)).collect();
        Seen::new(&format!("$ switchback {}", shown.join(" ")), &output, self.directory.path())
    }

    /// Runs a line of shell in the project.
    pub(crate) fn shell(&self, line: &str) -> Seen {
        let output = self.command("sh").args(["-c", line]).output().unwrap();
        Seen::new(&format!("$ {line}"), &output, self.directory.path())
    }

    /// Starts `switchback` in the project, for a test that does not wait for its end.
    pub(crate) fn spawn(&self, line: &str) -> std::process::Child {
        let mut command = self.command(env!("CARGO_BIN_EXE_switchback"));
        command.args(line.split(' ')).stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
        command.spawn().unwrap()
    }

    /// `strace` in the project, for a test that says what it traces.
    pub(crate) fn tracer(&self) -> Command {
        self.command("strace")
    }

    /// Runs and insists on an exit code.
    pub(crate) fn expect(&self, code: i32, line: &str) -> Seen {
        let seen = self.run(line);
        assert_eq!(seen.code, code, "{seen}");
        seen
    }

    /// Runs another program in the project, which must succeed, and returns its output.
    pub(crate) fn tool(&self, program: &str, arguments: &[&str]) -> String {
        let output = self.command(program).args(arguments).output().unwrap();
        let words = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{program} {arguments:?}: {words}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Runs another program in the project; its exit code, `None` where it was killed.
    #[cfg(feature = "databases")]
    pub(crate) fn code_of(&self, program: &str, arguments: &[&str]) -> Option<i32> {
        self.command(program).args(arguments).output().unwrap().status.code()
    }

    /// A command in the project with nothing of the environment of the tests in it.
    fn command(&self, program: &str) -> Command {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let mut command = Command::new(program);
        command
            .current_dir(self.at(""))
            .env_clear()
            .env("PATH", path)
            .env("HOME", self.at("../home"))
            .env("USER", "tester")
            .env("TZ", "UTC")
            .env("LC_ALL", "C.UTF-8")
            .env("TMPDIR", self.at("../tmp"))
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }
}

impl Seen {
    fn new(title: &str, output: &Output, folder: &Path) -> Self {
        let code = output.status.code().unwrap_or(-1);
        let out = String::from_utf8(output.stdout.clone()).unwrap();
        let err = String::from_utf8(output.stderr.clone()).unwrap();
        let mut parts = vec![mask(title, folder)];
        for (name, text) in [("stdout", &out), ("stderr", &err)] {
            if !text.is_empty() {
                parts.push(format!("--- {name}\n{}", mask(text.trim_end(), folder)));
            }
        }
        parts.push(format!("--- exit {code}\n"));
        let masked = parts.join("\n");
        Self { code, out, err, masked }
    }

    /// The JSON document on stdout, which begins with its schema and a verdict that agrees with the exit code.
    pub(crate) fn json(&self) -> Value {
        let head: Vec<&str> = self.out.lines().skip(1).take(2).map(str::trim).collect();
        assert!(head[0].starts_with("\"schema\": \"switchback/"), "{self}");
        assert!(head[1].starts_with("\"verdict\": "), "{self}");
        let value: Value = serde_json::from_str(&self.out).unwrap();
        let verdict = match self.code {
            0 => "yes",
            1 => "no",
            _ => "unknown",
        };
        assert_eq!(value["verdict"], verdict, "{self}");
        value
    }
}

/// The command, its output with everything masked that differs from run to run, and its exit code.
impl std::fmt::Display for Seen {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.masked)
    }
}

fn shown(argument: &str) -> String {
    if argument.contains(' ') { format!("'{argument}'") } else { argument.to_owned() }
}

/// Everything that differs from run to run, and what stands for it. Order matters: longer patterns first.
static MASKS: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    [
        (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "[TIME]"),
        (r"\br(\d+)-[0-9a-f]{12}\b", "r$1-[ID]"),
        (r"\b[0-9a-f]{64}\b", "[HASH]"),
        (r"\b[0-9a-f]{12}\b", "[ID]"),
        (r"candidate: `[0-9a-f]{8}`", "candidate: `[ID]`"),
        (r"snapshot [0-9a-f]{8} verified", "snapshot [ID] verified"),
        (r"\btester@\S+", "[ACTOR]"),
        (r"\(process \d+\)", "(process [PID])"),
        (r"\b\d+\.\d+ ms", "[N] ms"),
        (r"\b\d+\.\d+ s\b", "[N] s"),
        // Folders that were made within one tick of the kernel's clock have the same time, others have not.
        (r", \d+ in metadata alone", ""),
        (r"metadata=\d+", "metadata=[N]"),
        (r#""metadata": \d+"#, "\"metadata\": [N]"),
        (r#""(milliseconds|seconds|measure)": [0-9.]+"#, "\"$1\": [N]"),
        (r"milliseconds=\d+", "milliseconds=[N]"),
        (r"measure=[0-9.]+", "measure=[N]"),
        (r"127\.0\.0\.1:\d+", "[HOST]"),
        (r"\bswitchback \d+\.\d+\.\d+", "switchback [VERSION]"),
    ]
    .map(|(pattern, name)| (Regex::new(pattern).unwrap(), name))
    .into()
});

// A colour is a control character; a snapshot shows it as text.
static ESCAPE: LazyLock<Regex> = LazyLock::new(|| Regex::new("\u{1b}\\[([0-9;]*)m").unwrap());

fn mask(text: &str, folder: &Path) -> String {
    let mut text = text.replace(&folder.display().to_string(), "[TMP]");
    for (pattern, name) in MASKS.iter() {
        text = pattern.replace_all(&text, *name).into_owned();
    }
    ESCAPE.replace_all(&text, |found: &Captures<'_>| format!("<{}>", &found[1])).into_owned()
}
