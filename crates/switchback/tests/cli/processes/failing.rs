//! What cannot be stopped, does not start, or runs on: before the exchange nothing is touched, after it the old tree and its
//! processes come back.

use super::service::{Shop, version};
use super::{STOP, stop_start};
use crate::ground::Ground;

// rows: RB-9
#[test]
fn needs_python3_a_version_that_does_not_start_is_taken_back_and_the_old_service_answers() {
    let shop = Shop::new();
    shop.begin(&shop.start());
    version(&shop.ground, "../new/src", "broken");
    shop.plan(&stop_start(shop.port, STOP, &shop.start(), "").replace("within_s = 20", "within_s = 8"));
    let seen = shop.ground.expect(1, "run");
    assert!(seen.err.contains("the process `api` is not ready: it was not ready within 8 s"), "{seen}");
    assert!(seen.err.contains("the cutover was taken back"), "{seen}");
    assert_eq!(shop.said("/loaded"), "old old");
    assert_eq!(shop.ground.read("src/one.txt"), "old");
    let log = shop.ground.run("log --json").out;
    let why = log.lines().find(|line| line.contains("\"roll-back-started\"")).unwrap();
    assert!(why.contains("the process `api` is not ready"), "{why}");
    let said = shop.ground.read(".switchback/processes/api.start.log");
    assert!(!said.contains("broken"), "the log is that of the last start: {said}");
    let status = shop.ground.run("status --json").json();
    assert_eq!(status["processes"][0]["state"], "works", "{status}");
    assert_eq!(status["processes"][0]["generation"], 0, "{status}");
    drop(shop.ground.expect(0, "log verify"));
}

// rows: RB-9
#[test]
fn what_cannot_be_stopped_keeps_everything_as_it_is() {
    let ground = Ground::shop("");
    ground.plan(
        "",
        "[[process]]\nname = \"stubborn\"\nstop = \"echo it will not >&2; exit 3\"\nstart = \"echo started-stubborn >> ../calls\"\n\
         ready = { command = \"true\" }\n\n\
         [[process]]\nname = \"worker\"\nstop = \"echo stopped >> ../calls\"\nstart = \"echo started >> ../calls\"\n",
    );
    let seen = ground.expect(1, "run");
    assert!(
        seen.err.contains("the process `stubborn` could not be stopped: exit code 3: it will not"),
        "{seen}"
    );
    assert!(seen.err.contains("nothing was exchanged"), "{seen}");
    assert_eq!(ground.read("src/app.py"), "VERSION = 1\n");
    // The last one is stopped first, and works again; the other one says that it never ended.
    assert_eq!(ground.read("../calls"), "stopped\nstarted\n");
    let log = ground.run("log --json").out;
    assert!(!log.contains("\"cut-over-started\"") && log.contains("\"hand-over-failed\""), "{log}");
    assert_eq!(ground.run("status --json").json()["phases"][0]["point"], "approved");
    // What hangs is given up in time.
    let plan = ground.read("switchback.toml").replace("echo it will not >&2; exit 3", "sleep 60");
    ground.write("switchback.toml", plan.replace("ready = {", "timeout_s = 1\nready = {"));
    let seen = ground.expect(1, "run");
    assert!(seen.err.contains("could not be stopped: it was not done within 1 s"), "{seen}");
    assert_eq!(ground.read("src/app.py"), "VERSION = 1\n");
}

// rows: RB-9
#[test]
fn what_a_process_writes_when_it_ends_is_seen_before_anything_is_exchanged() {
    let ground = Ground::shop("");
    let process = "[[process]]\nname = \"api\"\nstop = \"echo late >> src/app.py\"\nstart = \"echo started >> ../calls\"\n";
    ground.plan("", process);
    let seen = ground.run("run");
    assert_ne!(seen.code, 0, "{seen}");
    assert_eq!(ground.read("src/app.py"), "VERSION = 1\nlate\n");
    assert_eq!(ground.read("../calls"), "started\n");
    let log = ground.run("log --json").out;
    assert!(!log.contains("\"cut-over-started\"") && log.contains("\"way\":\"start\""), "{log}");
}

// rows: RB-9
#[test]
fn what_cannot_be_stopped_or_started_keeps_no_old_tree_from_coming_back() {
    let ground = Ground::shop("");
    let process =
        "[[process]]\nname = \"api\"\nstop = \"test ! -e ../broken\"\nstart = \"test ! -e ../broken\"\n";
    ground.plan("", process);
    ground.expect(0, "run --until live");
    ground.write("../broken", "");
    let seen = ground.expect(1, "rollback");
    assert!(
        seen.err.contains("the process `api` could not be stopped: exit code 1; the exchange goes on"),
        "{seen}"
    );
    assert!(seen.out.contains("no: a process does not work, although this was rolled back: unify"), "{seen}");
    assert!(seen.out.contains("  no: the process `api` could not be started: exit code 1"), "{seen}");
    assert!(seen.out.contains("next: the old tree is live and stays"), "{seen}");
    assert_eq!(ground.read("src/app.py"), "VERSION = 1\n");
    let status = ground.run("status");
    assert!(status.out.contains("process api: start: exit code 1"), "{status}");
}

#[test]
fn the_old_code_that_runs_on_is_found_and_the_cutover_taken_back() {
    let ground = Ground::shop("");
    ground.write("run/.keep", "");
    ground.tool("sh", &["-c", "(cd src && exec sleep 300) >/dev/null 2>&1 & echo $! > run/api.pid"]);
    let process = "[[process]]\nname = \"api\"\nstop = \"true\"\nstart = \"true\"\nready = { command = \"true\", within_s = 1 }\n\
                   pid_file = \"run/api.pid\"\n";
    ground.plan("", process);
    let seen = ground.expect(1, "run");
    let id = ground.read("run/api.pid").trim().to_owned();
    let words = format!("the old code is still running: process {id} (`sleep`) stands in `");
    assert!(seen.err.contains(&words), "{seen}");
    assert!(seen.err.contains("/project/.src.sb-"), "{seen}");
    assert_eq!(ground.read("src/app.py"), "VERSION = 1\n");
    // Back in the old tree, it runs what is live: nothing is wrong with it there.
    let status = ground.run("status --json").json();
    assert_eq!(status["processes"][0]["verdict"], "yes", "{status}");
    // What nobody says is the process is not taken for it: it is named, and the cutover stands.
    ground.plan("", &process.replace("pid_file = \"run/api.pid\"\n", ""));
    let seen = ground.expect(0, "run --until live --restage");
    assert!(
        seen.err.contains("could not tell whether the process `api` runs the code that is live"),
        "{seen}"
    );
    assert!(seen.err.contains(&format!("process {id} (`sleep`) stands in `")), "{seen}");
    ground.tool("kill", &["-9", &id]);
}

#[test]
fn a_pid_file_that_says_nothing_is_no_yes_until_it_does() {
    let ground = Ground::shop("");
    ground.write("run/.keep", "");
    let process =
        "[[process]]\nname = \"api\"\nstop = \"true\"\nstart = \"true\"\npid_file = \"run/api.pid\"\n";
    ground.plan("", process);
    let seen = ground.expect(2, "run --until live");
    assert!(seen.err.contains("the process `api`: `run/api.pid`: No such file"), "{seen}");
    assert_eq!(ground.read("src/app.py"), "VERSION = 2\n");
    ground.write("run/api.pid", format!("{}\n", std::process::id()));
    ground.expect(0, "run --until live");
    std::fs::remove_file(ground.at("run/api.pid")).unwrap();
    let seen = ground.expect(2, "rollback");
    assert!(seen.out.contains("could not tell whether every process works on it"), "{seen}");
    assert_eq!(ground.read("src/app.py"), "VERSION = 1\n");
}

#[test]
fn a_rollback_without_a_plan_says_that_it_knows_no_processes() {
    let ground = Ground::shop("");
    ground.plan("", "[[process]]\nname = \"api\"\nstop = \"true\"\nstart = \"true\"\n");
    ground.expect(0, "run --until live");
    ground.write("switchback.toml", "no plan at all");
    let seen = ground.expect(0, "rollback");
    assert!(
        seen.err.contains("which processes run the tree stands in the plan, which cannot be used"),
        "{seen}"
    );
    assert!(seen.err.contains("the journal knows `api`"), "{seen}");
    assert_eq!(ground.read("src/app.py"), "VERSION = 1\n");
}
