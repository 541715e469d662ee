//! `kill -9` of the real program at every event of the journal of a handover, and wherever git is asked: what comes next goes on, and nothing
//! is committed, received or archived twice.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use super::super::approvals::key_file;
use super::super::ground::Ground;
use super::after::{commits, in_git, status};
use super::{create, rehearsed, shop};

/// The program in the project, struck at the N-th call of that name of the program itself, from 1; whether it was killed.
pub(super) fn killed_at(ground: &Ground, line: &str, call: &str, number: usize) -> bool {
    let mut command = ground.tracer();
    command.args(["-qq", "-o", "/dev/null", "-e", &format!("trace={call}"), "-e"]);
    command.arg(format!("inject={call}:signal=KILL:when={number}"));
    command.arg(env!("CARGO_BIN_EXE_switchback")).args(line.split(' '));
    !command.output().unwrap().status.success()
}

/// How often a command that nobody kills makes the call.
pub(super) fn count(ground: &Ground, line: &str, call: &str) -> usize {
    let log = ground.at("../calls.log");
    let mut command: Command = ground.tracer();
    command.args(["-qq", "-e", &format!("trace={call}"), "-e", "signal=none", "-o"]);
    command.arg(&log).arg(env!("CARGO_BIN_EXE_switchback")).args(line.split(' '));
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    fs::read_to_string(log).unwrap().lines().count()
}

fn events(ground: &Ground, word: &str) -> usize {
    ground.run("log --json").out.matches(&format!("\"event\":\"{word}\"")).count()
}

fn live() -> Ground {
    let ground = shop("");
    in_git(&ground);
    ground.expect(0, "run");
    ground
}

// rows: RE-17
#[test]
fn needs_strace_killed_at_every_event_of_a_commit_it_is_made_once() {
    const LINE: &str = "package commit";
    let mut stages = BTreeSet::new();
    // Every sync of the journal, and before every program of git that it starts.
    for call in ["fsync", "?clone,?clone3,?vfork"] {
        let all = count(&live(), LINE, call);
        assert!(all >= 2, "{call}: {all}");
        for number in 1..=all {
            let ground = live();
            killed_at(&ground, LINE, call, number);
            let begun = (commits(&ground), events(&ground, "commit-started"), events(&ground, "committed"));
            stages.insert(begun);
            ground.expect(0, LINE);
            assert_eq!((commits(&ground), status(&ground)), (2, String::new()), "{call} {number}: {begun:?}");
            assert_eq!(events(&ground, "committed"), 1, "{call} {number}: {begun:?}");
            assert_eq!(ground.tool("git", &["show", "HEAD:src/app.py"]), "VERSION = 2\n");
            ground.expect(0, "log verify");
            ground.expect(0, "rollback");
            assert_eq!(ground.read("src/app.py"), "VERSION = 1\n");
        }
    }
    // Before it, between intent and branch, between branch and the journal.
    for stage in [(1, 0, 0), (1, 1, 0), (2, 1, 0)] {
        assert!(stages.contains(&stage), "{stage:?}: {stages:?}");
    }
}

// rows: RE-19
#[test]
fn needs_strace_killed_at_every_sync_of_an_archive_it_is_whole() {
    const LINE: &str = "package archive";
    let over = || {
        let ground = shop("");
        ground.expect(0, "run");
        ground
    };
    let all = count(&over(), LINE, "fsync");
    assert!(all >= 4, "{all}");
    let mut stages = BTreeSet::new();
    for number in 1..=all {
        let ground = over();
        assert!(killed_at(&ground, LINE, "fsync", number), "{number}");
        stages.insert((events(&ground, "archive-started"), events(&ground, "archived")));
        let told = ground.expect(0, "package archive --json").json();
        let folders = fs::read_dir(ground.at(".switchback/archive")).unwrap().count();
        assert_eq!(
            (folders, events(&ground, "archive-started"), events(&ground, "archived")),
            (1, 1, 1),
            "{number}: {told}"
        );
        assert_eq!(fs::read_dir(ground.at(".switchback/work")).unwrap().count(), 0, "{number}");
        ground.expect(0, LINE);
        ground.expect(0, "rollback");
        assert_eq!(ground.read("src/app.py"), "VERSION = 1\n");
    }
    assert!(stages.contains(&(1, 0)) && stages.len() >= 2, "{stages:?}");
}

/// So many writes of one kind are killed, spread over all of them: most are parts of one file.
const WRITES_MAX: usize = 40;

// rows: RE-7
#[test]
fn needs_strace_killed_wherever_a_package_is_written_it_is_whole_or_not_there() {
    let line = format!("package create --key {} --output ../out/shop.zip", key_file("ana").display());
    let ground = rehearsed("");
    // Each time from the same state, so that it is the same package.
    let begin =
        || ground.tool("sh", &["-c", "cd .. && rm -rf out project && mkdir out && cp -a kept project"]);
    ground.tool("cp", &["-a", "../project", "../kept"]);
    let package = || fs::read(ground.at("../out/shop.zip")).ok();
    let names = || fs::read_dir(ground.at("../out")).unwrap().count();
    begin();
    ground.expect(0, &line);
    let whole = package();
    let mut stages = BTreeSet::new();
    for call in ["fsync", "?rename,?renameat,?renameat2", "write,?pwrite64,?copy_file_range"] {
        begin();
        let all = count(&ground, &line, call);
        assert!(all >= 1, "{call}: {all}");
        for number in (1..=all).step_by(all.div_ceil(WRITES_MAX)) {
            begin();
            killed_at(&ground, &line, call, number);
            let found = package();
            assert!(found.is_none() || found == whole, "{call} {number} of {all}: half a package");
            stages.insert((
                found.is_some(),
                names() > usize::from(found.is_some()),
                events(&ground, "packaged"),
            ));
            ground.expect(0, &line);
            assert!(package() == whole, "{call} {number} of {all}: another package");
            assert_eq!((names(), events(&ground, "packaged")), (1, 1), "{call} {number} of {all}");
            ground.expect(0, "log verify");
        }
    }
    // Before anything, half written, whole and not recorded or recorded without its name, and there.
    for stage in [(false, false, 0), (false, true, 0), (false, true, 1), (true, false, 1)] {
        assert!(stages.contains(&stage), "{stage:?}: {stages:?}");
    }
}

// rows: RE-10
#[test]
fn needs_strace_killed_at_every_sync_of_a_receipt_it_is_received_once() {
    let maker = rehearsed("");
    create(&maker, 0, "--output ../first.zip");
    maker.write("../new/src/app.py", "VERSION = 3\n");
    maker.expect(0, "run --until rehearsed --restage");
    create(&maker, 0, "--output ../second.zip");
    let package = |file: &str| fs::read(maker.at(file)).unwrap();
    let line = |file: &str| format!("package receive {file} --key {}", key_file("ana.pub").display());
    // Into an empty place, and into one where an older package stands.
    for older in [false, true] {
        let taker = || {
            let ground = shop("");
            let plan = ground.read("switchback.toml").replace("../new", "incoming/change.zip");
            ground.write("switchback.toml", plan);
            for file in ["../first.zip", "../second.zip"] {
                ground.write(file, package(file));
            }
            if older {
                ground.expect(0, &line("../first.zip"));
            }
            ground
        };
        let line = line("../second.zip");
        let all = count(&taker(), &line, "fsync");
        assert!(all >= 3, "{all}");
        let mut stages = BTreeSet::new();
        for number in 1..=all {
            let ground = taker();
            assert!(killed_at(&ground, &line, "fsync", number), "{number}");
            let there = fs::read(ground.at("incoming/change.zip")).ok();
            let is_there = there.as_ref() == Some(&package("../second.zip"));
            stages.insert((events(&ground, "received") - usize::from(older), is_there));
            let seen = ground.run(&line);
            let is_told = seen.code == 1 && seen.err.contains("it was received before, at");
            assert!(
                seen.code == i32::from(is_there) && (seen.code == 0 || is_told),
                "{older} {number}: {seen}"
            );
            assert_eq!(
                fs::read(ground.at("incoming/change.zip")).unwrap(),
                package("../second.zip"),
                "{older} {number}"
            );
            ground.expect(0, "run");
            assert_eq!(ground.read("src/app.py"), "VERSION = 3\n");
            ground.expect(0, "package archive");
            let names: Vec<_> = fs::read_dir(ground.at("incoming"))
                .unwrap()
                .map(|entry| entry.unwrap().file_name())
                .collect();
            assert_eq!(names, ["change.zip"], "{older} {number}");
        }
        // Before the record, between record and file, and after both.
        for stage in [(0, false), (1, false), (1, true)] {
            assert!(stages.contains(&stage), "{older} {stage:?}: {stages:?}");
        }
    }
}
