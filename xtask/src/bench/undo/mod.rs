//! The way back from a large change: Switchback beside what people would use instead, at two sizes; and snapshots.
//!
//! [`back`] goes there and back and times it, with a reader ([`window`]) at the live paths; [`snapshots`] makes them.

pub mod back;
pub mod snapshots;
pub mod window;

use std::path::{Path, PathBuf};

use crate::bench::contest::{Contender, Contest};
use crate::bench::ground::{self, copy_tree};
use crate::bench::peer::shown;
use crate::bench::{Benchmark, Setting};
use crate::problem::Problem;
use crate::program::{self, Call};
use crate::workspace::write_text;

/// Peers that are not measured where they are not there.
pub const PEERS: &[&str] = &["restic", "borg"];

/// A tree, and how often it is measured.
#[derive(Debug, Clone, Copy)]
struct Size {
    files: usize,
    /// Turns before any is counted.
    warmups: usize,
    /// Turns that are counted.
    runs: usize,
}

/// A turn with the large trees takes everyone together half an hour: it is measured once, and the document says so.
const SIZES: [Size; 2] =
    [Size { files: 50_000, warmups: 1, runs: 3 }, Size { files: 500_000, warmups: 0, runs: 1 }];
/// A tree so small that its size cannot matter.
const SMALL_FILES: usize = 1_000;

const MANAGED: [&str; 2] = ["tree", "config"];
/// The file of the second managed path.
const SETTINGS: &str = "config/settings.txt";
const OLD_SETTINGS: &str = "what was set before the candidate came\n";

const PLAN: &str = "\
version = 1

[project]
name = \"undo\"
managed = [\"tree\", \"config\"]

[[phase]]
name = \"replace\"

[[phase.change]]
kind = \"files\"
from = \"../candidate\"
";

const ABOUT: &str = "\
**There and back.** Two managed paths, the tree and a folder with one file, are replaced by a candidate in which every \
hundredth file differs, and put back; *to exit* is the time until both are as they were, which is compared after each \
turn, content and metadata. What each needs for the way back is made before and not timed: for Switchback *preparation*, \
which is `run --until approved` with a verified snapshot, the staged candidate, and a rehearsal; for the peers a copy, an \
archive, or a repository. Switchback is timed from the start of the process to the line that acknowledges the \
durable outcome, and to its exit, when it has looked for late writers. What is timed is not the same work: Switchback's \
outcome is synced and survives a power cut, that of the peers is not; `rsync` changes the live tree file by file; \
restic, borg and tar restore into a fresh folder and `mv` it into place, which is the safest way to use them. \
Before each step of Switchback its program, its plan and its records were read, with all trees alike: the steps of a large tree \
lie minutes apart, and there are kernels that take out of the page cache what was not used for so long. \
A *reader* opens one file of each path, over and over with a pause of 20 µs (the kernel adds about as much again), during all of it. *From the last \
old look to the first new*: from the beginning of the last look that found both as before to the end of the \
first that found both as afterwards; the truth is smaller by up to two looks and a pause, and whatever kept the reader from a core. *Mixed*: \
looks at which one path was old and the other new for certain. \
**Snapshots.** *First* begins with no repository, for everyone: that one is made, with its keys, is part of what is timed \
(of restic and borg `init` and the first backup in one line), because whoever takes a first snapshot waits for it; *second* \
follows at once on an unchanged tree, into the same repository. Warm: the tree was read before. A Switchback snapshot is read back in full and compared with the tree before it \
counts; restic and borg read nothing back, so *restic and check* has the nearest work. \
restic: repository version 2, its default compression, a password file, its cache, `GOMAXPROCS=2`. borg: no encryption, \
its default compression, its cache; it has no setting for threads. All repositories are on the disk of the tree.";

/// The folder of one size: `old` and `candidate` are masters that nothing writes to, `project` is Switchback's, `peers/live` that
/// of all peers, who leave it as they found it.
#[derive(Debug, Clone)]
pub struct Ground {
    root: PathBuf,
    files: usize,
    switchback: PathBuf,
}

/// Lays out both sizes, or the one that was asked for, with all peers that are there.
pub fn lay_out(setting: &Setting) -> Result<Benchmark, Problem> {
    let (peers, missing): (Vec<&str>, Vec<&str>) =
        PEERS.iter().partition(|peer| program::find(peer).is_some());
    let sizes = match setting.files {
        Some(files) => vec![Size { files: files.max(ground::FILES_PER_DIRECTORY), ..SIZES[0] }],
        None => SIZES.to_vec(),
    };
    let small = Ground::lay(setting, SMALL_FILES, "small")?.0;
    let (mut contests, mut trees) = (Vec::new(), Vec::new());
    for Size { files, warmups, runs } in sizes {
        let runs = setting.runs.unwrap_or(runs);
        let (ground, bytes) = Ground::lay(setting, files, &files.to_string())?;
        trees.push(format!(
            "{files} text files with {} MiB in {} folders",
            bytes >> 20,
            files.div_ceil(ground::FILES_PER_DIRECTORY)
        ));
        let contest = |name: &str, contenders: Vec<Contender>| Contest {
            name: format!("{name}, {files} files"),
            warmups,
            runs,
            contenders,
        };
        contests.push(contest("there and back", back::contenders(&ground, &small, &peers)?));
        contests.push(contest("snapshots", snapshots::contenders(&ground, &peers)?));
    }
    let not_measured = match missing.as_slice() {
        [] => String::new(),
        missing => format!(" **Not measured, because they were not there: {}.**", missing.join(", ")),
    };
    Ok(Benchmark {
        name: "undo",
        about: format!(
            "The trees: {}; their sizes are about log-normal. {ABOUT}{not_measured}",
            trees.join("; ")
        ),
        versions: versions(setting, &peers),
        contests,
    })
}

fn versions(setting: &Setting, peers: &[&str]) -> Vec<Vec<String>> {
    let program = shown(&setting.switchback);
    let of_all = [program.as_str(), "rsync", "tar"].into_iter().chain(peers.iter().copied());
    let flag = |program: &str| if program == "restic" { "version" } else { "--version" };
    of_all.map(|program| vec![program.to_owned(), flag(program).to_owned()]).collect()
}

impl Ground {
    /// Lays the trees and the project; with them, how many bytes the old tree has.
    fn lay(setting: &Setting, files: usize, name: &str) -> Result<(Self, u64), Problem> {
        let root = setting.scratch.join(name);
        let ground = Self { root, files, switchback: setting.switchback.clone() };
        let (old, candidate) = (ground.at("old"), ground.at("candidate"));
        let bytes = ground::lay_spread_tree(&old.join("tree"), files)?;
        ground::lay_candidate(&old.join("tree"), &candidate.join("tree"), files)?;
        write_text(&old.join(SETTINGS), OLD_SETTINGS)?;
        write_text(&candidate.join(SETTINGS), ground::CHANGED)?;
        let project = ground.at("project");
        write_text(&project.join("switchback.toml"), PLAN)?;
        for managed in MANAGED {
            copy_tree(&old.join(managed), &project.join(managed))?;
        }
        Ok((ground, bytes))
    }

    fn at(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }
}

/// Fails unless all managed paths at `live` are what they are at `expected`: names, content, modes, owners, times.
fn expect_same(expected: &Path, live: &Path) -> Result<(), Problem> {
    let mut call = Call::new("rsync", &["-a", "-c", "-n", "--delete", "--out-format", "%i %n"]);
    for managed in MANAGED {
        call = call.argument(shown(&expected.join(managed)));
    }
    let listed = call.argument(format!("{}/", shown(live))).output()?;
    if listed.trim().is_empty() {
        return Ok(());
    }
    let first: Vec<&str> = listed.lines().take(5).collect();
    let cause = format!("{} entries are not those of `{}`", listed.lines().count(), expected.display());
    Err(Problem::at("trust what was measured: look at", live, cause).because(first.join("\n")))
}

/// Takes a folder away, whatever it holds.
fn remove(path: &Path) -> Result<(), Problem> {
    // Borg and Switchback leave folders that may not be written to.
    Call::new("rm", &["-rf"]).argument(shown(path)).output().map(|_| ())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    /// A program that answers as `switchback` does, and knows no more than to move whole trees.
    const STAND_IN: &str = r#"#!/bin/sh
set -e
[ "$1" = --version ] && { echo "stand-in 1"; exit; }
cd "$2"
both() { mkdir "$1"; mv tree config "$1"; mv "$2/tree" "$2/config" .; rmdir "$2"; }
case "$3 $4 $5" in
    "run --until approved") cp -a ../candidate staged ;;
    "run --until live") both parked staged; echo "acknowledged: live" >&2 ;;
    "rollback --yes ") both left parked; echo "acknowledged: rolled back" >&2; rm -rf left ;;
    "snapshot create ") mkdir -p .switchback/snapshots; cp -a tree ".switchback/snapshots/$$" ;;
    "snapshot list --json")
        for one in .switchback/snapshots/*; do all="$all,{\"files\": $(find tree config -type f | wc -l)}"; done
        echo "{\"snapshots\": [${all#,}]}" ;;
    *) echo "not understood: $*" >&2; exit 2 ;;
esac
"#;

    fn setting(scratch: &Path, script: &str) -> Setting {
        let path = scratch.join("stand-in");
        std::fs::write(&path, script).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        Setting { switchback: path, scratch: scratch.join("ground"), runs: Some(1), files: Some(300) }
    }

    #[test]
    fn needs_rsync_and_needs_restic_and_needs_borg_everyone_goes_back_and_saves() {
        let scratch = tempfile::tempdir().unwrap();
        let mut benchmark = lay_out(&setting(scratch.path(), STAND_IN)).unwrap();
        for contest in &mut benchmark.contests {
            contest.warmups = 0;
        }
        assert!(!benchmark.about.contains("Not measured"), "{}", benchmark.about);
        let rows = benchmark.contests[0].hold().unwrap();
        let who = |step: &str| -> Vec<&str> {
            rows.iter().filter(|row| row.step == step).map(|row| row.contender.as_str()).collect()
        };
        assert_eq!(who("rollback, to acknowledgement"), ["switchback", "switchback, 1000 files"]);
        let all = ["switchback", "switchback, 1000 files", "rsync", "tar", "restic", "borg"];
        for step in ["to exit", "to a reader who sees it", "both paths mixed", "a path missing"] {
            assert_eq!(who(&format!("rollback, {step}")), all);
        }
        let median = |who: &str, step: &str| {
            rows.iter().find(|row| row.contender == who && row.step == step).unwrap().summary.median
        };
        for who in all {
            let window = median(who, "rollback, from the last old look to the first new");
            assert!(window > 0.0 && window < median(who, "rollback, to exit") + 500.0, "{who}: {window} ms");
        }
        expect_same(&scratch.path().join("ground/300/old"), &scratch.path().join("ground/300/peers/live"))
            .unwrap();

        let rows = benchmark.contests[1].hold().unwrap();
        for step in ["first snapshot, wall", "second snapshot, wall", "first snapshot, peak memory"] {
            let who: Vec<&str> =
                rows.iter().filter(|row| row.step == step).map(|row| row.contender.as_str()).collect();
            assert_eq!(who, ["switchback", "restic", "restic and check", "borg"], "{step}");
        }
        let held: Vec<&str> =
            rows.iter().filter(|row| !row.targets.is_empty()).map(|row| row.step.as_str()).collect();
        assert_eq!(held, ["first snapshot, wall", "second snapshot, wall"]);
    }

    #[test]
    fn needs_rsync_a_rollback_that_leaves_a_file_behind_is_not_counted() {
        let scratch = tempfile::tempdir().unwrap();
        let leaves = STAND_IN
            .replace("rm -rf left ;;", "rm -rf left; echo more >> tree/directory-0001/file-007.txt ;;");
        let setting = setting(scratch.path(), &leaves);
        let ground = Ground::lay(&setting, 300, "300").unwrap().0;
        let contenders = back::contenders(&ground, &ground, &[]).unwrap();
        let shown = (contenders[0].turn.borrow_mut())().unwrap_err().to_string();
        assert!(shown.contains("1 entries are not those of") && shown.contains("file-007.txt"), "{shown}");
    }

    #[test]
    fn needs_rsync_a_snapshot_that_was_not_made_is_not_counted() {
        let scratch = tempfile::tempdir().unwrap();
        let idle = STAND_IN
            .replace("cp -a tree \".switchback/snapshots/$$\" ;;", "touch .switchback/snapshots/1 ;;");
        let ground = Ground::lay(&setting(scratch.path(), &idle), 300, "300").unwrap().0;
        let contenders = snapshots::contenders(&ground, &[]).unwrap();
        let shown = (contenders[0].turn.borrow_mut())().unwrap_err().to_string();
        assert!(shown.contains("1 snapshots"), "{shown}");
    }
}
