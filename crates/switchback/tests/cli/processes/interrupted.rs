//! Killed between the stop and the start: the next command has the service of the tree that is live answer again.

use super::service::Shop;
use super::{STOP, stop_start};

/// A line that kills the program which carries it out, once.
const DIE: &str = "if [ -e run/die ]; then rm run/die; kill -9 $PPID; sleep 5; fi";

/// Kills the program at a place of the plan while it does `line`, and insists that the next command mends it.
fn killed(place: &str, stop: &str, start: &str, line: &str, wanted: &str) {
    let shop = Shop::new();
    shop.begin(&shop.start());
    shop.plan(&stop_start(shop.port, stop, start, "pid_file = \"run/api.pid\""));
    if line == "rollback" {
        shop.ground.expect(0, "run --until live");
    } else {
        shop.ground.expect(0, "run --until approved");
    }
    shop.ground.write("run/die", "");
    let seen = shop.ground.run(line);
    assert_eq!(seen.code, -1, "{place}: {seen}");
    assert!(!shop.ground.at("run/die").exists(), "{place}");
    let status = shop.ground.run("status --json");
    let process = status.json()["processes"][0].clone();
    assert_eq!(process["state"], "works", "{place}: {status} {process}");
    let live = shop.ground.read("src/one.txt");
    assert_eq!(live, wanted, "{place}");
    assert_eq!(shop.said("/loaded"), format!("{live} {live}"), "{place}: the tree and its service");
    let open = shop.ground.run("status");
    assert!(!open.err.contains("process"), "{place}: it is mended once: {open}");
    drop(shop.ground.expect(0, "log verify"));
    if live == "new" {
        shop.ground.expect(0, "run --until live");
        assert_eq!(shop.said("/loaded"), "new new", "{place}");
    }
}

fn with_death(line: &str, first: bool) -> String {
    if first { format!("{DIE}; {line}") } else { format!("{line}; {DIE}") }
}

// rows: RB-9
#[test]
fn needs_python3_killed_in_a_cutover_the_next_command_starts_what_was_stopped() {
    killed_in("run --until live", ["old", "old", "new", "new"]);
}

// rows: RB-9
#[test]
fn needs_python3_killed_in_a_rollback_the_next_command_starts_what_was_stopped() {
    killed_in("rollback", ["new", "new", "old", "old"]);
}

/// Before and after the stop, before and after the start.
fn killed_in(line: &str, wanted: [&str; 4]) {
    for (at, wanted) in wanted.into_iter().enumerate() {
        let place = format!("{line}, place {at}");
        let shop_start = "python3 serve.py $(cat run/port) & echo $! > run/api.pid; sleep 0.3";
        let (mut stop, mut start) = (STOP.to_owned(), shop_start.to_owned());
        if at < 2 {
            stop = with_death(&stop, at == 0);
        } else {
            start = with_death(&start, at == 2);
        }
        killed(&place, &stop, &start, line, wanted);
    }
}

// rows: RB-9
#[test]
fn a_process_that_the_plan_forgot_is_started_as_the_journal_remembers() {
    let ground = crate::ground::Ground::shop("");
    ground.write("run/die", "");
    let process = format!(
        "[[process]]\nname = \"api\"\nstop = '''{DIE}'''\nstart = \"echo $SWITCHBACK_GENERATION >> ../calls\"\n"
    );
    ground.plan("", &process);
    assert_eq!(ground.run("run").code, -1);
    ground.plan("", "");
    let seen = ground.run("status");
    assert!(
        seen.err.contains("the process `api` was left stopped, and was started as the plan had it then"),
        "{seen}"
    );
    assert_eq!(ground.read("../calls"), "0\n");
    assert_eq!(ground.read("src/app.py"), "VERSION = 1\n");
}
