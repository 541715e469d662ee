//! `kill -9` of the real program at every event of the journal while it watches: what comes next goes on, no look is lost, what
//! fired is acted upon once, and nobody is told twice without being told that.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use serde_json::Value;

use super::ground::Ground;

/// The journal's own file: every event of it is written there and synced.
const JOURNAL: &str = "journal.db-wal";

/// Looks three times, each says what its line of `values` says; and two triggers, of which the second rolls back.
fn watched(values: &str, triggers: &str) -> Ground {
    let ground = Ground::shop(&format!(
        "[[check]]\nname = \"it\"\nkind = \"command\"\ncommand = \"sh next.sh\"\nat = [\"+1s\", \"+2s\", \"+3s\"]\n\n{triggers}\n\
         [[notify]]\nname = \"ana\"\ncommand = \"echo \\\"$SWITCHBACK_NOTIFICATION\\\" >> told.jsonl\"\n"
    ));
    // What a killed command began is begun anew: it is counted by the looks that the journal has.
    ground.write("next.sh", "echo ran >> ran\ngrep -q good values\n");
    ground.write("values", values);
    drop(ground.run("run --until live"));
    fs::remove_file(ground.at("told.jsonl")).unwrap();
    // All that is due is due at once.
    std::thread::sleep(std::time::Duration::from_millis(3_100));
    ground
}

const TELL: &str = "[[trigger]]\nwhen = { check = \"it\" }\ndo = \"tell\"\n\n";
const BACK: &str = "[[trigger]]\nwhen = { check = \"it\", in_a_row = 3 }\ndo = \"roll-back\"\n\n";
const HOLD: &str = "[[trigger]]\nwhen = { check = \"it\", in_a_row = 3 }\ndo = \"hold\"\n\n";

/// Watches and kills the program at the N-th sync, from 1; whether it was killed.
fn killed_at(ground: &Ground, number: usize) -> bool {
    let mut command = Command::new("strace");
    command.current_dir(ground.at("")).args(["-qq", "-o", "/dev/null", "-e", "trace=fsync", "-e"]);
    command.arg(format!("inject=fsync:signal=KILL:when={number}"));
    command.args([env!("CARGO_BIN_EXE_switchback"), "watch", "--once"]);
    command.output().unwrap().status.code().is_none()
}

/// How often a watch that nobody kills syncs, and how it ends.
fn syncs(ground: &Ground) -> (usize, Option<i32>) {
    let log = ground.at("../syncs.log");
    let mut command = Command::new("strace");
    command.current_dir(ground.at("")).args(["-qq", "-y", "-e", "trace=fsync", "-e", "signal=none", "-o"]);
    command.arg(&log).args([env!("CARGO_BIN_EXE_switchback"), "watch", "--once"]);
    let output = command.output().unwrap();
    let text = fs::read_to_string(log).unwrap();
    assert!(text.contains(JOURNAL), "{text}");
    (text.lines().count(), output.status.code())
}

fn events(ground: &Ground, name: &str) -> Vec<Value> {
    let log = ground.expect(0, "log --json").out;
    let events = log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    events.filter(|event| event["event"] == name).collect()
}

/// Insists that every message came, and twice only where the second says so.
fn told_once(ground: &Ground, context: &str) -> Vec<Value> {
    let told = fs::read_to_string(ground.at("told.jsonl")).unwrap_or_default();
    let told: Vec<Value> = told.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let mut seen = BTreeSet::new();
    for message in &told {
        let is_new = seen.insert(message["seq"].as_u64().unwrap());
        assert!(is_new || message["may_be_a_repetition"] == true, "{context}: told twice: {told:#?}");
    }
    told
}

/// Kills at one sync, and watches on.
fn kill_once(
    number: usize,
    all: usize,
    (values, triggers): (&str, &str),
    ended: &(impl Fn(&Ground, &str) + Sync),
) {
    let ground = watched(values, triggers);
    let context = format!("killed at sync {number} of {all}");
    assert!(killed_at(&ground, number), "{context}");
    let looked = events(&ground, "check-ended").len();
    let seen = ground.run("watch --once");
    ground.expect(0, "log verify");
    let ends = events(&ground, "check-ended");
    // What had an answer is not asked again, and what had none is.
    let at: Vec<&str> = ends.iter().map(|event| event["body"]["at"].as_str().unwrap()).collect();
    assert_eq!(at, ["+1s", "+2s", "+3s"], "{context}, after {looked} looks: {seen}");
    ended(&ground, &format!("{context}: {seen}"));
    // Whoever watches once more changes and tells nothing.
    let (told, count) = (told_once(&ground, &context).len(), events(&ground, "trigger-fired").len());
    drop(ground.run("watch --once"));
    assert_eq!(
        (told_once(&ground, &context).len(), events(&ground, "trigger-fired").len()),
        (told, count),
        "{context}: {seen}"
    );
}

/// So many at a time: most of it is waiting for what is due.
const AT_A_TIME: usize = 6;

/// Kills a watch at every sync, and watches on each time.
fn kill_everywhere(values: &str, triggers: &str, ended: impl Fn(&Ground, &str) + Sync) {
    let (all, code) = syncs(&watched(values, triggers));
    assert!(all >= 8, "three looks of two events each, and more: {all} syncs, {code:?}");
    std::thread::scope(|scope| {
        for first in 1..=AT_A_TIME {
            let ended = &ended;
            scope.spawn(move || {
                for number in (first..=all).step_by(AT_A_TIME) {
                    kill_once(number, all, (values, triggers), ended);
                }
            });
        }
    });
}

// rows: PC-8, PC-9, RB-2
#[test]
fn needs_strace_killed_anywhere_a_watch_rolls_back_once() {
    kill_everywhere("bad\n", &[TELL, BACK].concat(), |ground, context| {
        assert_eq!(ground.read("src/app.py"), "VERSION = 1\n", "{context}");
        let fired: Vec<String> =
            events(ground, "trigger-fired").iter().map(|event| event["body"]["action"].to_string()).collect();
        // It told after each look, and rolled back after the last.
        assert_eq!(fired, ["\"tell\"", "\"tell\"", "\"tell\"", "\"roll-back\""], "{context}");
        assert_eq!(events(ground, "rolled-back").len(), 1, "{context}");
        let told = told_once(ground, context);
        let turn = |turn: &str| {
            let of_turn = told.iter().filter(|one| one["turn"] == turn);
            of_turn.map(|one| one["seq"].as_u64().unwrap()).collect::<BTreeSet<_>>().len()
        };
        assert_eq!((turn("tell"), turn("roll-back")), (3, 1), "{context}: {told:#?}");
    });
}

// rows: PC-8, PC-9
#[test]
fn needs_strace_killed_anywhere_a_watch_holds_until_somebody_decides() {
    kill_everywhere("bad\n", HOLD, |ground, context| {
        assert_eq!(ground.read("src/app.py"), "VERSION = 2\n", "{context}");
        assert_eq!(events(ground, "trigger-fired").len(), 1, "{context}");
        // It holds, whoever asks.
        let seen = ground.run("watch --once");
        assert!(seen.code == 1 && seen.err.contains("a trigger holds it"), "{context}: {seen}");
        ground.expect(0, "rollback");
    });
}

// rows: PC-8
#[test]
fn needs_strace_killed_anywhere_a_watch_that_sees_nothing_bad_ends_well() {
    kill_everywhere("good\n", &[TELL, BACK].concat(), |ground, context| {
        assert_eq!(ground.read("src/app.py"), "VERSION = 2\n", "{context}");
        assert_eq!(events(ground, "trigger-fired").len(), 0, "{context}");
        assert_eq!(events(ground, "watched").len(), 1, "{context}");
        assert_eq!(
            told_once(ground, context).iter().filter(|one| one["turn"] == "roll-back").count(),
            0,
            "{context}"
        );
    });
}
