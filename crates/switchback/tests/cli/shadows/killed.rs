//! `kill -9` of the real program at every event of the journal: what comes next goes on, and no input is lost or counted twice.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use super::{OLD, events, input, shadowed, told};
use crate::ground::Ground;

/// The journal's own file: every event of it is written there and synced.
const JOURNAL: &str = "journal.db-wal";

/// Runs the shadow and kills the program at the N-th sync of the journal, from 1; whether it came so far.
fn killed_at(ground: &Ground, number: usize) -> bool {
    let mut command = Command::new("strace");
    command.current_dir(ground.at("")).args(["-qq", "-o", "/dev/null", "-e", "trace=fsync", "-e"]);
    command.arg(format!("inject=fsync:signal=KILL:when={number}"));
    command.args([env!("CARGO_BIN_EXE_switchback"), "shadow", "--once"]);
    !command.output().unwrap().status.success()
}

/// How often a run that nobody kills syncs.
fn syncs(ground: &Ground) -> usize {
    let log = ground.at("../syncs.log");
    let mut command = Command::new("strace");
    command.current_dir(ground.at("")).args(["-qq", "-y", "-e", "trace=fsync", "-e", "signal=none", "-o"]);
    command.arg(&log).args([env!("CARGO_BIN_EXE_switchback"), "shadow", "--once"]);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = fs::read_to_string(log).unwrap();
    assert!(text.contains(JOURNAL), "{text}");
    text.lines().count()
}

fn rehearsed() -> Ground {
    let ground = shadowed("", OLD);
    for name in ["a", "b", "d"] {
        input(&ground, name, 1.0);
    }
    ground.expect(0, "run --until rehearsed");
    ground
}

// rows: PC-5
#[test]
fn needs_strace_killed_at_every_event_it_goes_on_and_counts_each_input_once() {
    let all = syncs(&rehearsed());
    assert!(all >= 8, "a beginning, two events an input, and an end: {all} syncs");
    let mut stages = BTreeSet::new();
    for number in 1..=all {
        let ground = rehearsed();
        assert!(killed_at(&ground, number), "killed at sync {number}");
        stages.insert(events(&ground, "shadow-input-ended").len());
        // The input that was under way is taken away meanwhile.
        let begun = events(&ground, "shadow-input-started");
        let is_open = begun.len() > events(&ground, "shadow-input-ended").len();
        if let Some(body) = begun.last().filter(|_| is_open) {
            fs::remove_file(ground.at(body["input"].as_str().unwrap())).unwrap();
        }
        ground.expect(0, "shadow --once");
        let shadow = told(&ground);
        assert_eq!(
            (shadow["state"].as_str(), shadow["verdict"].as_str()),
            (Some("over"), Some("yes")),
            "at {number}: {shadow}"
        );
        let names: Vec<String> =
            events(&ground, "shadow-input-ended").iter().map(|body| body["input"].to_string()).collect();
        let once: BTreeSet<&String> = names.iter().collect();
        assert_eq!((names.len(), once.len()), (3, 3), "at {number}: {names:?}");
        ground.expect(0, "log verify");
        ground.expect(0, "run --until live");
    }
    assert_eq!(stages, BTreeSet::from([0, 1, 2, 3]), "it was killed before, between and after the inputs");
}
