//! What a watch does not pass over: what a cutover left open, a look before its time, a trigger that rolls back behind one that
//! holds, and evidence of other options.

use std::time::Duration;

use serde_json::Value;

use super::ground::{Ground, Seen, answering};

const NEW: &str = "VERSION = 2\n";
const OLD: &str = "VERSION = 1\n";

fn trigger(when: &str, action: &str) -> String {
    format!("\n[[trigger]]\nwhen = {{ {when} }}\ndo = \"{action}\"\n")
}

/// A check that says what a file says: an exit code.
fn says(name: &str, at: &str) -> String {
    format!(
        "\n[[check]]\nname = \"{name}\"\nkind = \"command\"\ncommand = \"exit $(cat {name})\"\nat = [{at}]\n"
    )
}

/// The bodies of the events of one name.
fn events(ground: &Ground, name: &str) -> Vec<Value> {
    let log = ground.expect(0, "log --json").out;
    let events = log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    events.filter(|event| event["event"] == name).map(|event| event["body"].clone()).collect()
}

/// How often the journal has an event.
fn count(ground: &Ground, name: &str) -> usize {
    events(ground, name).len()
}

/// What the last look at a moment said; nothing where nobody looked.
fn said_at(ground: &Ground, at: &str) -> String {
    let looks = events(ground, "check-ended");
    let last = looks.iter().rev().find(|look| look["at"] == at);
    last.map_or_else(String::new, |look| look["verdict"].as_str().unwrap().to_owned())
}

fn wait_ms(milliseconds: u64) {
    std::thread::sleep(Duration::from_millis(milliseconds));
}

// rows: PC-8
#[test]
fn what_is_no_yes_at_live_is_not_watched_away() {
    let tells = trigger("check = \"answer\"", "tell");
    let three = trigger("check = \"answer\", in_a_row = 3", "roll-back");
    for trigger in ["", &tells, &three] {
        let ground = Ground::shop(&format!("{}{trigger}", answering("\"live\"")));
        ground.write("answer", "1");
        ground.expect(1, "run");
        for _ in 0..3 {
            let seen = ground.expect(1, "watch");
            assert!(seen.err.contains("the check `answer` says no at live: exit code 1"), "{seen}");
        }
        // A watch does not ask again until it has the number that it needs.
        assert_eq!(count(&ground, "check-ended"), 1, "{}", ground.run("log"));
        assert_eq!(count(&ground, "watched"), 0, "{}", ground.run("log"));
        let seen = ground.expect(1, "run");
        assert!(seen.err.contains("says no at live"), "{seen}");
        assert_eq!(ground.read("src/app.py"), NEW);
        ground.write("answer", "0");
        ground.expect(0, "check answer --at live");
        ground.expect(0, "watch");
        assert_eq!(count(&ground, "watched"), 1, "{}", ground.run("log"));
        ground.expect(0, "run");
    }
}

// rows: PC-8
#[test]
fn what_could_not_be_told_at_live_is_not_watched_away() {
    let check = "[[check]]\nname = \"gone\"\nkind = \"command\"\ncommand = \"exec no-such-program\"\nat = [\"live\"]\n";
    let ground = Ground::shop(check);
    ground.expect(2, "run");
    let seen = ground.expect(2, "watch");
    assert!(seen.err.contains("the check `gone` could not tell at live"), "{seen}");
    ground.expect(2, "run");
    assert_eq!(count(&ground, "watched"), 0, "{}", ground.run("log"));
}

/// A run that was killed while it started its process: the candidate is live, and nobody has looked yet.
fn killed(start: &str, more: &str) -> Ground {
    let ground = Ground::shop("");
    let start = format!("if [ -e die ]; then rm die; kill -9 $PPID; sleep 5; fi; {start}");
    let process = format!("[[process]]\nname = \"api\"\nstop = \"true\"\nstart = '''{start}'''\n");
    ground.plan("", &format!("{process}{more}"));
    ground.expect(0, "run --until approved");
    ground.write("die", "");
    assert_eq!(ground.run("run").code, -1);
    assert_eq!(ground.read("src/app.py"), NEW);
    assert_eq!(count(&ground, "drift-checked"), 0, "{}", ground.run("log"));
    ground
}

// rows: PC-8, PC-9
#[test]
fn a_watch_carries_out_what_a_killed_run_left_open() {
    let check = says("answer", "\"live\"");
    let ground = killed("true", &check);
    ground.write("answer", "1");
    let seen = ground.expect(1, "watch");
    assert!(seen.err.contains("the check `answer` says no at live"), "{seen}");
    assert_eq!((count(&ground, "drift-checked"), count(&ground, "watched")), (1, 0), "{seen}");

    let ground = killed("true", &format!("{check}{}", trigger("check = \"answer\"", "roll-back")));
    ground.write("answer", "1");
    let seen = ground.expect(1, "watch");
    assert!(seen.err.contains("a trigger rolled it back"), "{seen}");
    assert_eq!(ground.read("src/app.py"), OLD);
}

// rows: PC-8, RB-9
#[test]
fn a_watch_takes_back_a_cutover_that_a_killed_run_could_not_end() {
    let ground = killed("test -e may-start", "");
    let seen = ground.expect(1, "watch");
    assert!(seen.err.contains("the process `api` could not be handed over"), "{seen}");
    assert_eq!(ground.read("src/app.py"), OLD);

    let ground = killed("true", "");
    let entries = std::fs::read_dir(ground.at("")).unwrap().map(|entry| entry.unwrap().path());
    let is_parked = |path: &std::path::PathBuf| path.to_string_lossy().contains("/.src.sb-");
    let parked: Vec<_> = entries.filter(is_parked).collect();
    assert_eq!(parked.len(), 1, "{parked:?}");
    std::fs::write(parked[0].join("late.txt"), "written by who did not know\n").unwrap();
    let seen = ground.expect(1, "watch");
    assert!(seen.err.contains("a tree changed until the last moment"), "{seen}");
    assert_eq!((ground.read("src/app.py").as_str(), count(&ground, "watched")), (OLD, 0));
}

// rows: PC-8
#[test]
fn a_look_before_its_time_is_refused_and_the_watch_goes_on() {
    let ground = Ground::shop(&answering("\"every 5m for 24h\", \"+4s\""));
    ground.write("answer", "0");
    ground.expect(0, "run --until live");
    for (at, shown) in [("+24h", "+1d"), ("+5m", "+5m"), ("+7d", "+7d")] {
        let seen = ground.expect(2, &format!("check answer --at {at}"));
        assert!(seen.err.contains(&format!("the look at {shown} is due at ")), "{seen}");
        assert_eq!(said_at(&ground, shown), "", "{seen}");
    }
    ground.expect(0, "check answer");
    wait_ms(4_100);
    ground.expect(0, "check answer --at +4s");
    let seen = ground.expect(2, "watch --once");
    assert!(seen.err.contains("the checks at +5m are due at"), "{seen}");
}

/// Two checks that are looked at as asked, and first a trigger that holds on one of them, then one that rolls back on the other.
fn held_and_rolled_back(first: &str, second: &str) -> Ground {
    let ground = Ground::shop(
        &[
            says("log", first),
            says("latency", second),
            trigger("check = \"log\"", "hold"),
            trigger("check = \"latency\"", "roll-back"),
        ]
        .concat(),
    );
    ground.write("log", "1");
    ground.write("latency", "0");
    ground
}

// rows: PC-9, RB-2
#[test]
fn what_holds_keeps_no_other_trigger_from_rolling_back() {
    let ground = held_and_rolled_back("\"+1s\"", "\"+1s\", \"+8s\"");
    drop(ground.run("run"));
    wait_ms(1_100);
    let seen = ground.expect(1, "watch --once");
    assert!(seen.err.contains("a trigger holds it: the check `log` failed its trigger at +1s"), "{seen}");
    assert_eq!(said_at(&ground, "+1s"), "yes", "that of `latency` comes after that of `log`: {seen}");
    assert_eq!((ground.read("src/app.py").as_str(), count(&ground, "trigger-fired")), (NEW, 1));
    ground.write("latency", "1");
    wait_ms(7_000);
    let seen = ground.expect(1, "watch --once");
    assert!(seen.err.contains("a trigger rolled it back: the check `latency`"), "{seen}");
    assert_eq!(ground.read("src/app.py"), OLD);

    // One watch that stays sees both, too.
    let ground = held_and_rolled_back("\"+1s\"", "\"+3s\"");
    ground.write("latency", "1");
    ground.expect(0, "run --until live");
    let seen = ground.expect(1, "watch");
    assert!(seen.err.contains("the watch goes on for the triggers that roll back"), "{seen}");
    assert!(seen.err.contains("a trigger rolled it back: the check `latency`"), "{seen}");
    assert_eq!(ground.read("src/app.py"), OLD);
}

// rows: PC-9, RB-2
#[test]
fn where_one_look_says_both_it_is_rolled_back() {
    for at in ["\"live\"", "\"+1s\""] {
        let ground = held_and_rolled_back(at, at);
        ground.write("latency", "1");
        drop(ground.run("run"));
        let seen = ground.run("watch");
        assert_eq!(ground.read("src/app.py"), OLD, "{at}: {seen}");
    }
}

// rows: PC-9
#[test]
fn what_holds_does_so_until_somebody_looks_again() {
    let ground = Ground::shop(&format!(
        "{}{}",
        says("log", "\"every 2s for 8s\""),
        trigger("check = \"log\"", "hold")
    ));
    ground.write("log", "1");
    ground.expect(0, "run --until live");
    wait_ms(2_100);
    ground.expect(1, "watch --once");
    ground.write("log", "0");
    wait_ms(6_200);
    // The watch itself sees that it is over; to decide is a person's.
    let seen = ground.expect(1, "watch --once");
    assert!(seen.err.contains("check log at +8s: yes") && seen.err.contains("a trigger holds it"), "{seen}");
    ground.expect(1, "watch");
    assert_eq!(count(&ground, "trigger-fired"), 1);
    ground.expect(0, "check log");
    ground.expect(0, "watch");
    assert_eq!(count(&ground, "watched"), 1);
}

// rows: BX-10, PC-8
#[test]
fn evidence_of_other_options_is_none_after_the_cutover_either() {
    let plan = |at: &str, line: &str| {
        format!("[[check]]\nname = \"kpi\"\nkind = \"command\"\ncommand = \"{line}\"\nat = [{at}]\n")
    };
    for (at, shown) in [("\"live\"", "live"), ("\"+1s\"", "+1s"), ("\"every 1s for 1s\"", "+1s")] {
        let longer = format!("{at}, \"+1h\"");
        let ground = Ground::shop(&plan(&longer, "true"));
        ground.expect(0, "run --until live");
        wait_ms(1_100);
        ground.expect(2, "watch --once");
        assert_eq!(said_at(&ground, shown), "yes");
        ground.plan("", &plan(&longer, "test 1 -gt 1"));
        let seen = ground.run("watch --once");
        assert_eq!(said_at(&ground, shown), "no", "{at}: {seen}");

        let ground = Ground::shop(&plan(at, "true"));
        ground.expect(0, "run --until live");
        ground.expect(0, "watch");
        ground.plan("", &plan(at, "test 1 -gt 1"));
        let seen = ground.expect(1, "run");
        assert!(seen.err.contains(&format!("the check `kpi` says no at {shown}")), "{at}: {seen}");
        ground.expect(1, "watch");
        ground.plan("", &plan(at, "test 2 -gt 1"));
        ground.expect(0, "watch");
        assert_eq!((said_at(&ground, shown).as_str(), count(&ground, "watched")), ("yes", 1));
        ground.expect(0, "run");
    }
}

// rows: PC-9
#[test]
fn what_the_watch_looks_at_once_more_ends_no_hold() {
    let plan = |more: &str| {
        format!("{}{more}{}", says("log", "\"live\", \"+1s\", \"+1h\""), trigger("check = \"log\"", "hold"))
    };
    let ground = Ground::shop(&plan(""));
    // Exit code 127: nobody could tell.
    ground.write("log", "127");
    ground.expect(2, "run");
    wait_ms(1_100);
    ground.write("log", "1");
    let seen = ground.expect(1, "watch --once");
    assert!(seen.err.contains("a trigger holds it"), "{seen}");
    ground.write("log", "0");
    for more in ["", "timeout_s = 60\n", "timeout_s = 70\n"] {
        ground.plan("", &plan(more));
        let seen = ground.expect(1, "watch --once");
        assert!(seen.err.contains("a trigger holds it"), "{seen}");
        let seen = ground.expect(1, "run");
        assert!(seen.err.contains("a trigger holds it"), "{seen}");
    }
    assert_eq!((said_at(&ground, "+1s").as_str(), count(&ground, "trigger-fired")), ("yes", 1));
    ground.expect(0, "check log");
    let seen = ground.expect(2, "watch --once");
    assert!(seen.err.contains("the checks at +1h are due at"), "{seen}");
}

// rows: PC-9
#[test]
fn two_triggers_that_hold_on_one_check_are_two() {
    let checks = says("log", "\"live\", \"+1s\", \"+2s\", \"+1h\"");
    let first = trigger("check = \"log\"", "hold");
    let second = trigger("check = \"log\", in_a_row = 2", "hold");
    let ground = Ground::shop(&format!("{checks}{first}{second}"));
    ground.write("log", "1");
    ground.expect(1, "run");
    wait_ms(2_100);
    let seen = ground.expect(1, "watch --once");
    assert_eq!(count(&ground, "trigger-fired"), 2, "{seen}");
}

// rows: PC-9, RB-2
#[test]
fn looks_that_are_taken_again_at_one_time_are_one_of_a_row() {
    let plan = |timeout_s: u32| {
        let check = says("answer", "\"live\", \"+1s\", \"+2s\", \"+1h\"");
        format!(
            "{check}timeout_s = {timeout_s}\n{}",
            trigger("check = \"answer\", in_a_row = 3", "roll-back")
        )
    };
    let ground = Ground::shop(&plan(50));
    ground.write("answer", "0");
    ground.expect(2, "run");
    wait_ms(2_100);
    ground.expect(2, "watch --once");
    ground.plan("", &plan(60));
    ground.write("answer", "1");
    let seen = ground.run("watch --once");
    assert_eq!((said_at(&ground, "live").as_str(), said_at(&ground, "+2s").as_str()), ("no", "no"), "{seen}");
    assert_eq!((ground.read("src/app.py").as_str(), count(&ground, "trigger-fired")), (NEW, 0), "{seen}");
}

/// Runs a command while somebody writes to the log.
fn while_written(ground: &Ground, command: &str) -> Seen {
    let (log, is_over) = (ground.at("logs/app.log"), std::sync::atomic::AtomicBool::new(false));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            use std::io::Write;
            let mut log = std::fs::OpenOptions::new().append(true).open(&log).unwrap();
            while !is_over.load(std::sync::atomic::Ordering::Relaxed) {
                writeln!(log, "one more line").unwrap();
                wait_ms(1);
            }
        });
        let seen = ground.run(command);
        is_over.store(true, std::sync::atomic::Ordering::Relaxed);
        seen
    })
}

// rows: RB-2
#[test]
fn what_is_written_while_a_check_of_the_live_tree_reads_it_hides_no_finding() {
    let check = "[[check]]\nname = \"traces\"\nkind = \"absent\"\npatterns = [\"Traceback\"]\npaths = [\"logs/*.log\"]\nat = [\"live\"]\n";
    let ground = Ground::shop(&format!("{check}{}", trigger("check = \"traces\"", "roll-back")));
    ground.write("logs/app.log", "Traceback (most recent call last)\n");
    let seen = while_written(&ground, "run");
    assert!(seen.code == 1 && seen.err.contains("a trigger rolled it back: the check `traces`"), "{seen}");
    assert_eq!(ground.read("src/app.py"), OLD);

    let ground = Ground::shop(&check.replace("[\"live\"]", "[\"live\", \"rolled-back\"]"));
    ground.write("logs/app.log", "it works\n");
    for command in ["run", "rollback"] {
        let seen = while_written(&ground, command);
        assert_eq!(seen.code, 0, "{seen}");
    }
}

// rows: PC-9, RB-2
#[test]
fn failures_at_two_times_are_two_also_where_each_was_looked_at_once_more() {
    let plan = format!(
        "{}{}",
        says("answer", "\"live\", \"+2s\", \"+4s\", \"+1h\""),
        trigger("check = \"answer\", in_a_row = 2", "roll-back")
    );
    let ground = Ground::shop(&plan);
    ground.write("answer", "0");
    ground.expect(2, "run");
    for wait in [2_100, 2_000] {
        wait_ms(wait);
        ground.write("answer", "127");
        assert_eq!(ground.read("src/app.py"), NEW);
        ground.expect(2, "watch --once");
        ground.write("answer", "1");
        drop(ground.run("watch --once"));
    }
    assert_eq!((ground.read("src/app.py").as_str(), count(&ground, "trigger-fired")), (OLD, 1));
}

// rows: PC-9
#[test]
fn another_condition_in_the_plan_ends_no_hold() {
    let plan = |when: &str| {
        format!("{}{}", says("log", "\"live\", \"+1h\""), trigger(&format!("check = \"log\"{when}"), "hold"))
    };
    let ground = Ground::shop(&plan(""));
    ground.write("log", "1");
    ground.expect(1, "run");
    ground.plan("", &plan(", in_a_row = 2"));
    for command in ["watch --once", "run"] {
        let seen = ground.expect(1, command);
        assert!(seen.err.contains("a trigger holds it"), "{seen}");
    }
    ground.write("log", "0");
    ground.expect(0, "check log");
    ground.expect(2, "watch --once");
}

// rows: PC-9
#[test]
fn a_hold_that_somebody_ended_under_an_earlier_version_stays_ended() {
    let ground = Ground::shop(&format!("{}{}", says("log", "\"live\""), trigger("check = \"log\"", "hold")));
    ground.write("log", "1");
    ground.expect(1, "run");
    ground.write("log", "0");
    ground.expect(0, "check log");
    ground.expect(0, "watch");
    // Neither who looked nor the condition stood in the journal then.
    super::audit::alter(&ground, "UPDATE event SET body = json_remove(body, '$.by_hand', '$.when')");
    super::audit::chain_anew(&ground, 1);
    ground.expect(0, "watch");
    ground.expect(0, "run");
}

// rows: BX-10, PC-8
#[test]
fn of_what_is_repeated_the_last_time_counts_for_all_when_the_plan_changes() {
    let plan =
        |timeout_s: u32| format!("{}timeout_s = {timeout_s}\n", says("kpi", "\"live\", \"every 1s for 2s\""));
    let ground = Ground::shop(&plan(50));
    ground.write("kpi", "0");
    ground.expect(2, "run");
    ground.expect(0, "watch");
    ground.plan("", &plan(60));
    let seen = ground.run("status");
    assert!(!seen.out.contains("yes: kpi"), "{seen}");
    // Short of the watch nothing is looked at.
    ground.expect(0, "run --until live");
    ground.expect(0, "watch");
    let seen = ground.run("status");
    assert!(seen.out.contains("yes: kpi at live, every 1s for 2s\n"), "{seen}");
    ground.expect(0, &format!("package create --draft --output {}", ground.at("../one.zip").display()));
    ground.expect(0, "run");
}

// rows: PC-9, RB-2
#[test]
fn a_moment_that_is_named_twice_and_looks_by_hand_fill_no_row() {
    let two = trigger("check = \"answer\", in_a_row = 2", "roll-back");
    let ground = Ground::shop(&format!("{}{two}", says("answer", "\"+2s\", \"every 2s for 1h\"")));
    ground.write("answer", "0");
    ground.expect(2, "run");
    wait_ms(2_200);
    ground.write("answer", "1");
    drop(ground.run("watch --once"));
    let looks: Vec<Value> = events(&ground, "check-ended");
    assert_eq!(looks.len(), 1, "{looks:#?}");
    assert_eq!((ground.read("src/app.py").as_str(), count(&ground, "trigger-fired")), (NEW, 0));
    // What is seen at a time of its own is one more.
    wait_ms(2_000);
    drop(ground.run("watch --once"));
    assert_eq!((ground.read("src/app.py").as_str(), count(&ground, "trigger-fired")), (OLD, 1));

    let ground = Ground::shop(&format!("{}{two}", says("answer", "\"live\", \"+1h\", \"+2h\"")));
    ground.write("answer", "1");
    ground.expect(1, "run --until live");
    for _ in 0..3 {
        ground.expect(1, "check answer --at live");
        drop(ground.run("watch --once"));
    }
    assert_eq!((ground.read("src/app.py").as_str(), count(&ground, "trigger-fired")), (NEW, 0));
}
