//! A small project whose next step is the cutover, with managed paths in two folders, and the program run in it.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The managed paths: `created` is in the new tree alone, `removed` in the old one alone.
pub(super) const MANAGED: [&str; 5] = ["config/pipeline", "created", "removed", "settings.toml", "src"];

/// How the candidate goes live, and from what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    /// Real folders, exchanged one by one.
    Exchange,
    /// Real folders, and the plan leaves it to the program how.
    Probed,
    /// Real folders, renamed away one by one.
    TwoRenames,
    /// Real folders that stay, and what is in them is replaced.
    FileByFile,
    /// Real folders that become links through the pointer.
    Adoption,
    /// Links through the pointer already; the second phase is what is tried.
    Pointer,
}

impl Layout {
    fn mechanism(self) -> &'static str {
        match self {
            Self::Probed => "",
            Self::Exchange => "exchange",
            Self::TwoRenames => "two-renames",
            Self::FileByFile => "file-by-file",
            Self::Adoption | Self::Pointer => "pointer",
        }
    }
}

/// A temporary folder for projects: in memory where there is such a place, because a killed process loses nothing of what
/// it handed to the kernel on either, and a thousand runs must not wait for a disk.
pub(super) fn temporary_folder() -> tempfile::TempDir {
    let mut builder = tempfile::Builder::new();
    builder.prefix("switchback-killed-");
    builder.tempdir_in("/dev/shm").or_else(|_| builder.tempdir()).unwrap()
}

/// Lays a project out at `folder/project`, with its candidates beside it. Nothing of Switchback has run there yet.
pub(super) fn lay_out(folder: &Path, layout: Layout) -> PathBuf {
    for (generation, name) in ["project", "candidate-1", "candidate-2"].into_iter().enumerate() {
        write_generation(&folder.join(name), generation);
    }
    let root = folder.join("project");
    write(&root.join("README.md"), "not managed\n", 0o644);
    write(&root.join("config/other.yml"), "not managed either\n", 0o640);
    write(&root.join("data/rows.csv"), "id\n1\n", 0o600);
    fs::write(root.join("switchback.toml"), plan(layout)).unwrap();
    root
}

/// A project whose candidate is staged, checked and approved: a run goes on with the cutover.
pub(super) fn approved(folder: &Path, layout: Layout) -> PathBuf {
    let root = lay_out(folder, layout);
    if layout == Layout::Pointer {
        expect(&root, &["run", "--phase", "one"], 0);
    }
    let phase = if layout == Layout::Pointer { "two" } else { "one" };
    expect(&root, &["run", "--phase", phase, "--until", "approved"], 0);
    root
}

/// Content that no other generation has, with modes, a link, a hard link and an empty folder.
fn write_generation(folder: &Path, generation: usize) {
    let file = |path: &str, mode| write(&folder.join(path), &format!("{path} of {generation}\n"), mode);
    file("src/app.py", 0o644);
    file("src/deep/secret.key", 0o600);
    file(&format!("src/deep/only-in-{generation}"), 0o444);
    write(&folder.join("src/tool.sh"), "#!/bin/sh\n", if generation == 0 { 0o644 } else { 0o755 });
    fs::hard_link(folder.join("src/app.py"), folder.join("src/same.py")).unwrap();
    fs::create_dir(folder.join("src/hollow")).unwrap();
    symlink(format!("only-in-{generation}"), folder.join("src/deep/current")).unwrap();
    file("config/pipeline/stages.yml", 0o640);
    file("settings.toml", 0o664);
    file(if generation == 1 { "created/first.py" } else { "removed/last.py" }, 0o644);
}

pub(super) fn write(path: &Path, content: &str, mode: u32) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn plan(layout: Layout) -> String {
    let managed = MANAGED.map(|path| format!("\"{path}\"")).join(", ");
    let mechanism = match layout.mechanism() {
        "" => String::new(),
        word => format!("mechanism = \"{word}\"\n"),
    };
    let phases: &[(&str, u32)] =
        if layout == Layout::Pointer { &[("one", 1), ("two", 2)] } else { &[("one", 1)] };
    let phases: Vec<String> = phases
        .iter()
        .map(|(phase, candidate)| {
            format!("[[phase]]\nname = \"{phase}\"\n[[phase.change]]\nkind = \"files\"\nfrom = \"../candidate-{candidate}\"\n")
        })
        .collect();
    format!(
        "version = 1\n[project]\nname = \"killed\"\nmanaged = [{managed}]\n{mechanism}{}",
        phases.concat()
    )
}

/// The program in the project at `root`, with nothing of the environment of the tests.
pub(super) fn program(root: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_switchback"));
    command.args(arguments);
    bare(command, root)
}

/// A command in the project at `root` with nothing of the environment of the tests.
pub(super) fn bare(mut command: Command, root: &Path) -> Command {
    let path = std::env::var_os("PATH").unwrap_or_default();
    command.current_dir(root).env_clear().env("PATH", path).env("HOME", "/nowhere").env("USER", "tester");
    command.env("TZ", "UTC").env("LC_ALL", "C.UTF-8");
    command
}

/// Runs the program and insists on an exit code.
pub(super) fn expect(root: &Path, arguments: &[&str], code: i32) -> Output {
    let output = program(root, arguments).output().unwrap();
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", said(&output));
    output
}

/// What a command said, for a person.
pub(super) fn said(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    format!("{}\n{}{}", output.status, text(&output.stdout), text(&output.stderr))
}

/// Copies a project that waits for its cutover to `folder/project`, with its candidates. Its inodes are others, as after any
/// copy, and identity counts from the cutover on: so copies are made before it.
pub(super) fn copy(from: &Path, folder: &Path) -> PathBuf {
    fs::create_dir_all(folder).unwrap();
    let parent = from.parent().unwrap();
    let mut command = Command::new("cp");
    command.arg("-a").arg("--reflink=auto");
    command.args(["project", "candidate-1", "candidate-2"].map(|name| parent.join(name))).arg(folder);
    let output = command.output().unwrap();
    assert!(output.status.success(), "cp: {}", said(&output));
    folder.join("project")
}
