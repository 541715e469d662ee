//! How long a cutover and a rollback of 100,000 files take, on a quiet and on a busy disk, beside rsync and cp with mv.

use std::path::{Path, PathBuf};

use crate::bench::contest::{Contender, Contest, Sample};
use crate::bench::ground::{self, Writers, copy_tree, expect_candidate, file_path, settle};
use crate::bench::timing::{ACKNOWLEDGED, samples, timed};
use crate::bench::{Benchmark, Setting};
use crate::problem::Problem;
use crate::program::Call;
use crate::workspace::write_text;

const FILES: usize = 100_000;
const RUNS: usize = 7;
const WARMUPS: usize = 1;
const TARGET_MS: f64 = 50.0;
/// Writers on a busy disk; each appends 256 bytes and syncs them, without a pause.
const WRITERS: usize = 2;

const ABOUT: &str = "\
One managed path is replaced by a candidate in which every hundredth file differs, and put back. Everything that can be \
done before is done before and not timed: for Switchback `run --until approved`, which stages, syncs and verifies the \
candidate; for the peers, a complete copy of the old tree. Switchback is timed from the start of the process to the line \
that acknowledges the durable outcome, and to its exit. What is timed is not the same work: Switchback's outcome is \
synced and survives a power cut, that of the peers is neither, and `rsync` changes the live tree file by file. \
*Busy disk*: two writers append and sync without a pause, during the cutover in a folder beside the tree, during the \
rollback in two files of the live tree.";

const PLAN: &str = "\
version = 1

[project]
name = \"cutover\"
managed = [\"tree\"]

[[phase]]
name = \"replace\"

[[phase.change]]
kind = \"files\"
from = \"../candidate\"
";

/// The trees: `old` and `candidate` are masters that nothing writes to, each contender has a live tree of its own.
#[derive(Debug, Clone)]
struct Ground {
    root: PathBuf,
    busy: bool,
}

/// Lays all trees, and lets the contenders cut over and roll back in turns.
pub fn lay_out(setting: &Setting) -> Result<Benchmark, Problem> {
    let files = setting.files.unwrap_or(FILES).max(ground::FILES_PER_DIRECTORY);
    let root = setting.scratch.as_path();
    let (old, candidate) = (root.join("old"), root.join("candidate/tree"));
    ground::lay_tree(&old, files)?;
    ground::lay_candidate(&old, &candidate, files)?;
    write_text(&root.join("project/switchback.toml"), PLAN)?;
    write_text(&root.join("project/beside/notes.txt"), "not managed\n")?;
    copy_tree(&old, &root.join("project/tree"))?;
    for peer in ["rsync", "copy"] {
        write_text(&root.join(peer).join("beside/notes.txt"), "not managed\n")?;
        copy_tree(&old, &root.join(peer).join("tree"))?;
    }
    let contest = |name: &str, busy: bool| {
        let ground = Ground { root: root.to_owned(), busy };
        Contest {
            name: name.to_owned(),
            warmups: WARMUPS,
            runs: setting.runs.unwrap_or(RUNS),
            contenders: vec![ours(&setting.switchback, &ground), rsync(&ground), copy(&ground)],
        }
    };
    let version = |program: &str| vec![program.to_owned(), "--version".to_owned()];
    Ok(Benchmark {
        name: "cutover",
        about: format!(
            "{files} small files in {} directories. {ABOUT}",
            files.div_ceil(ground::FILES_PER_DIRECTORY)
        ),
        versions: vec![version(&setting.switchback.display().to_string()), version("rsync"), version("cp")],
        contests: vec![contest("quiet disk", false), contest("busy disk", true)],
    })
}

impl Ground {
    /// Times one step, with writers at work where that is the condition, and checks that it did what it should.
    fn step(&self, step: &Step<'_>) -> Result<Vec<Sample>, Problem> {
        let home = self.root.join(step.home);
        settle()?;
        let files: Vec<PathBuf> = (0..WRITERS)
            .map(|number| {
                let beside = || home.join(format!("beside/writer-{number}.log"));
                if step.forward { beside() } else { home.join("tree").join(file_path(number)) }
            })
            .collect();
        let writers = self.busy.then(|| Writers::start(&files)).transpose()?;
        let timing = timed(&step.call, step.word)?;
        if let Some(writers) = writers {
            writers.stop()?;
        }
        expect_candidate(&home.join("tree"), step.forward)?;
        Ok(samples(if step.forward { "cutover" } else { "rollback" }, timing))
    }

    /// Times the way there and the way back.
    fn there_and_back(
        &self,
        home: &str,
        word: Option<&str>,
        there: Call,
        back: Call,
    ) -> Result<Vec<Sample>, Problem> {
        let mut samples = self.step(&Step { home, word, call: there, forward: true })?;
        samples.extend(self.step(&Step { home, word, call: back, forward: false })?);
        Ok(samples)
    }
}

/// One timed step of a contender that lives in `home`.
struct Step<'a> {
    home: &'a str,
    word: Option<&'a str>,
    call: Call,
    /// From the old tree to the candidate, or back.
    forward: bool,
}

fn ours(program: &Path, ground: &Ground) -> Contender {
    let (program, ground) = (program.to_owned(), ground.clone());
    let commands = ["switchback run --until live", "switchback rollback"];
    let turn = move || {
        let project = ground.root.join("project");
        let call = |arguments: &[&str]| ground::switchback(&program, &project, arguments);
        timed(&call(&["run", "--until", "approved", "--yes"]), None)?;
        let there = call(&["run", "--until", "live", "--yes"]);
        ground.there_and_back("project", Some(ACKNOWLEDGED), there, call(&["rollback", "--yes"]))
    };
    Contender::new("switchback", &commands, Box::new(turn))
        .held_to("cutover, to acknowledgement", TARGET_MS)
        .held_to("rollback, to acknowledgement", TARGET_MS)
}

fn rsync(ground: &Ground) -> Contender {
    let ground = ground.clone();
    let commands = ["rsync -a --delete candidate/tree/ tree/", "rsync -a --delete old/ tree/"];
    let turn = move || {
        let call =
            |from: &str| Call::new("rsync", &["-a", "--delete", from, "rsync/tree/"]).within(&ground.root);
        ground.there_and_back("rsync", None, call("candidate/tree/"), call("old/"))
    };
    Contender::new("rsync", &commands, Box::new(turn))
}

/// The way of `cp` and `mv`, and its way back.
const COPY_THERE: &str = "cp -a ../candidate/tree fresh && mv tree parked && mv fresh tree";
const COPY_BACK: &str = "mv tree fresh && mv parked tree";

fn copy(ground: &Ground) -> Contender {
    let ground = ground.clone();
    let turn = move || {
        let home = ground.root.join("copy");
        let call = |line: &str| Call::new("sh", &["-c", line]).within(&home);
        let samples = ground.there_and_back("copy", None, call(COPY_THERE), call(COPY_BACK))?;
        call("rm -rf fresh").output()?;
        Ok(samples)
    };
    Contender::new("cp and mv", &[COPY_THERE, COPY_BACK], Box::new(turn))
}

/// A program that answers as `switchback` does, for tests of the harness: it moves whole trees, and nothing more.
#[cfg(test)]
pub(crate) fn stand_in(folder: &Path) -> PathBuf {
    use std::os::unix::fs::PermissionsExt;
    const SCRIPT: &str = r#"#!/bin/sh
set -e
[ "$1" = --version ] && { echo "stand-in 1"; exit; }
cd "$2"
case "$3 $5" in
    "run approved") cp -a ../candidate/tree staged ;;
    "run live") mv tree parked; mv staged tree; echo "acknowledged: live" >&2; sleep 0.2 ;;
    "rollback ") mv tree "left-$$"; mv parked tree; echo "acknowledged: rolled back" >&2; rm -rf "left-$$" ;;
    "check before") seq 4000 >> events ;;
    "log ") cat events ;;
    "run ") ;;
    "status ") echo '{"schema": "switchback/status/1"}' ;;
    *) echo "not understood: $*" >&2; exit 2 ;;
esac
"#;
    let path = folder.join("stand-in");
    std::fs::write(&path, SCRIPT).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    fn setting(scratch: &Path, program: PathBuf) -> Setting {
        Setting { switchback: program, scratch: scratch.join("ground"), runs: Some(1), files: Some(300) }
    }

    #[test]
    fn needs_rsync_all_contenders_go_there_and_back() {
        let scratch = tempfile::tempdir().unwrap();
        let benchmark = lay_out(&setting(scratch.path(), stand_in(scratch.path()))).unwrap();
        for contest in &benchmark.contests {
            let rows = contest.hold().unwrap();
            let shown: Vec<String> =
                rows.iter().map(|row| format!("{}: {}", row.step, row.contender)).collect();
            let expected = [
                "cutover, to acknowledgement: switchback",
                "cutover, to exit: switchback",
                "cutover, to exit: rsync",
                "cutover, to exit: cp and mv",
                "rollback, to acknowledgement: switchback",
                "rollback, to exit: switchback",
                "rollback, to exit: rsync",
                "rollback, to exit: cp and mv",
            ];
            assert_eq!(shown, expected);
            let [word, exit] = [rows[0].summary.median, rows[1].summary.median];
            assert!(word + 100.0 < exit, "the word comes 200 ms before the exit: {word} ms, {exit} ms");
            assert!(!rows[0].targets.is_empty() && rows[1].targets.is_empty());
        }
        for home in ["project", "rsync", "copy"] {
            let same = Call::new("diff", &["-rq", "old"])
                .argument(format!("{home}/tree"))
                .within(&scratch.path().join("ground"))
                .run()
                .unwrap();
            assert!(same.status.success(), "{home} is not back at the old tree: {}", same.text);
        }
    }

    #[test]
    fn a_cutover_that_does_nothing_is_not_counted() {
        let scratch = tempfile::tempdir().unwrap();
        let idle = scratch.path().join("idle");
        std::fs::write(&idle, "#!/bin/sh\necho acknowledged >&2\n").unwrap();
        let executable = Call::new("chmod", &["+x"]).argument(idle.display().to_string()).run().unwrap();
        assert!(executable.status.success());
        let benchmark = lay_out(&setting(scratch.path(), idle)).unwrap();
        let shown = benchmark.contests[0].hold().unwrap_err().to_string();
        assert!(shown.contains("it is still the old tree"), "{shown}");
    }
}
