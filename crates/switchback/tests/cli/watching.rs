//! The watch: what is repeated, what is missed, and triggers that fire on what they are for and not on its near miss.

use std::time::Duration;

use super::ground::Ground;
use super::triggers::Service;

/// Gives the next line of `values` each time it runs. The copies that are looked at before the cutover begin anew.
const NEXT: &str = "n=$(cat n 2>/dev/null || echo 0); n=$((n + 1)); echo $n > n; sed -n \"${n}p\" values\n";

/// A shop that is watched once a second, as long as there are values. The first one is also that of before.
fn watched(check: &str, trigger: &str, values: &[&str]) -> Ground {
    let ground = Ground::shop(&format!(
        "[[check]]\nname = \"it\"\n{check}\nat = [\"before\", \"every 1s for {}s\"]\n\n[[trigger]]\nwhen = {{ check = \"it\"{trigger} }}\n\
         do = \"roll-back\"\n",
        values.len()
    ));
    ground.write("next.sh", NEXT);
    ground.write("values", values.join("\n"));
    ground
}

const FIGURE: &str = "kind = \"figure\"\ncommand = \"sh next.sh\"";
const HOLDS: &str = "kind = \"command\"\ncommand = \"test $(sh next.sh) = good\"";

/// Whether the watch rolls back.
fn fires(ground: &Ground) -> bool {
    drop(ground.run("run --until live"));
    let watched = ground.run("watch");
    let is_back = ground.read("src/app.py") == "VERSION = 1\n";
    assert_eq!(watched.err.contains("a trigger rolled it back"), is_back, "{watched}");
    if is_back && ground.read("switchback.toml").contains("of = \"before\"") {
        assert!(watched.err.contains(" before)"), "it does not say what it was compared with: {watched}");
    }
    is_back
}

// rows: PC-9, RB-2
#[test]
fn a_trigger_fires_on_what_it_is_for_and_not_on_its_near_miss() {
    const BAD: &str = "bad";
    const GOOD: &str = "good";
    let three = ", in_a_row = 3";
    let five_percent = ", off_by = { percent = 5.0, of = \"before\" }";
    let twice = ", worse_than = { times = 2.0, of = \"before\" }";
    let half = ", off_by = { percent = 50.0, of = \"before\", direction = \"down\" }";
    let fifth = ", worse_than = { times = 1.2, of = \"before\" }";
    let cases: [(&str, &str, &[&str], bool); 18] = [
        (HOLDS, three, &[GOOD, BAD, BAD, BAD], true),
        (HOLDS, three, &[GOOD, BAD, BAD, GOOD], false),
        (HOLDS, three, &[GOOD, BAD, BAD, GOOD, BAD, BAD, GOOD], false),
        (FIGURE, five_percent, &["100", "105.1"], true),
        (FIGURE, five_percent, &["100", "94.9"], true),
        (FIGURE, five_percent, &["100", "104.9", "95.1", "105"], false),
        (FIGURE, twice, &["0.2", "0.41"], true),
        (FIGURE, twice, &["0.2", "0.38", "0.4"], false),
        // Exactly so much is not more, whatever the last binary digit of a figure is.
        (FIGURE, five_percent, &["0.3", "0.315", "0.285"], false),
        (FIGURE, five_percent, &["0.3", "0.3150001"], true),
        (FIGURE, fifth, &["3", "3.6"], false),
        (FIGURE, fifth, &["3", "3.60001"], true),
        // Nothing is so many times worse than what is not more than 0.
        (FIGURE, twice, &["-1", "-1", "-0.5"], false),
        (FIGURE, five_percent, &["-1", "-1", "-1.1"], true),
        (FIGURE, half, &["1000", "499"], true),
        (FIGURE, half, &["1000", "510", "500", "9000"], false),
        // A provider that is down, and no data.
        (FIGURE, ", in_a_row = 1", &["100", "n/a", "nan"], false),
        (FIGURE, five_percent, &["100", "", "connection refused", "100"], false),
    ];
    for (check, trigger, values, wanted) in cases {
        let ground = watched(check, trigger, values);
        assert_eq!(fires(&ground), wanted, "{trigger} {values:?}\n{}", ground.run("log"));
    }
}

// rows: PC-9
#[test]
fn an_answer_that_rests_on_too_little_fires_nothing() {
    let service = Service::start();
    let check = format!("kind = \"http\"\nurl = \"{}\"\nrequests = 5", service.address);
    for (least, wanted) in [(6, false), (5, true)] {
        service.status.store(200, std::sync::atomic::Ordering::SeqCst);
        service.delay_ms.store(1, std::sync::atomic::Ordering::SeqCst);
        let trigger = format!(", worse_than = {{ times = 3.0, of = \"before\" }}, least_samples = {least}");
        let ground = watched(&check, &trigger, &["1"]);
        ground.expect(0, "run --until live");
        service.delay_ms.store(200, std::sync::atomic::Ordering::SeqCst);
        drop(ground.run("watch"));
        assert_eq!(ground.read("src/app.py") == "VERSION = 1\n", wanted, "{least}\n{}", ground.run("log"));
    }
}

// rows: PC-9
#[test]
fn a_service_that_does_not_answer_needs_no_samples_to_be_dead() {
    let service = Service::start();
    let check = format!("kind = \"http\"\nurl = \"{}\"\np95_ms = 10000", service.address);
    let trigger = ", worse_than = { times = 2.0, of = \"before\" }, in_a_row = 2, least_samples = 20";
    let ground = watched(&check, trigger, &["1"; 2]);
    service.delay_ms.store(1, std::sync::atomic::Ordering::SeqCst);
    drop(ground.run("run --until live"));
    service.status.store(503, std::sync::atomic::Ordering::SeqCst);
    let seen = ground.expect(1, "watch");
    assert!(seen.err.contains("a trigger rolled it back"), "{seen}");
    assert_eq!(ground.read("src/app.py"), "VERSION = 1\n");
}

// rows: PC-9
#[test]
fn what_has_no_multiple_is_said_to_have_none() {
    let twice = ", worse_than = { times = 2.0, of = \"before\" }";
    let ground = watched(FIGURE, twice, &["-1", "-1"]);
    let seen = ground.run("run --until live");
    let words = "the trigger on `it` (roll-back) could not tell: its check measured -1 at `before`, and `worse_than` needs \
                 more than 0 there; use `off_by`";
    assert!(seen.err.contains(words), "{seen}");
    let status = ground.run("status --json").json();
    assert!(
        status["triggers"][0]["could_not_tell"].as_str().unwrap().contains("-1 at `before`"),
        "{status:#}"
    );
    let plan = ground.read("switchback.toml");
    let quiet = "\n[[criterion]]\nname = \"quiet\"\nat = \"finish\"\nno_trigger = true\n";
    ground.write("switchback.toml", plan + quiet);
    drop(ground.run("watch"));
    let status = ground.run("status --json").json();
    let criteria = status["criteria"].as_array().unwrap().clone();
    let criterion = criteria.iter().find(|one| one["name"] == "quiet").unwrap();
    assert_eq!(criterion["verdict"], "unknown", "{criterion:#}");
    assert_eq!(criterion["by"], "trigger on it (roll-back) could not tell");
}

// rows: PC-8
#[test]
fn what_passed_while_nobody_watched_is_told_and_not_made_up_for() {
    let ground = watched(HOLDS, ", in_a_row = 2", &["good"; 30]);
    drop(ground.run("run --until live"));
    std::thread::sleep(Duration::from_millis(5_200));
    let seen = ground.run("watch --once");
    assert!(seen.err.contains("the check `it` was missed 4 times"), "{seen}");
    assert!(seen.err.contains("check it at +5s: yes"), "{seen}");
    let seen = ground.run("status --json").json();
    let looks = seen["checks"].as_array().unwrap().iter().filter(|check| check["at"] != "before").count();
    assert_eq!(looks, 1, "{seen:#}");
    // It goes on where it was, whoever watches.
    std::thread::sleep(Duration::from_millis(1_200));
    let seen = ground.run("watch --once");
    assert!(!seen.err.contains("was missed") && seen.err.contains("check it at +6s: yes"), "{seen}");
}

// rows: PC-8
#[test]
fn a_watch_ends_well_when_its_last_look_does() {
    for (values, code) in [(["good", "bad", "good"], 0), (["good", "good", "bad"], 1)] {
        let ground = watched(HOLDS, ", in_a_row = 3", &values);
        drop(ground.run("run --until live"));
        ground.expect(code, "watch");
        assert_eq!(ground.read("src/app.py"), "VERSION = 2\n");
    }
}

/// The next look.
fn next(ground: &Ground) -> super::ground::Seen {
    std::thread::sleep(Duration::from_millis(1_100));
    ground.run("watch --once")
}

/// Writes to the log as a program does.
fn append(ground: &Ground, text: &str) {
    let before = ground.read("app.log");
    let mut file = std::fs::File::options().append(true).open(ground.at("app.log")).unwrap();
    std::io::Write::write_all(&mut file, text.as_bytes()).unwrap();
    assert_eq!(ground.read("app.log"), format!("{before}{text}"));
}

const LOGGED: &str = "kind = \"log\"\npath = \"app.log\"\npattern = \"ERROR\"\nmost = 1";

/// A shop whose log is watched, with three old errors in it.
fn logged(trigger: &str) -> Ground {
    let ground = watched(LOGGED, trigger, &["x"; 60]);
    ground.write("app.log", "ERROR long ago\nERROR long ago\nERROR long ago\n");
    drop(ground.run("run --until live"));
    ground
}

// rows: PC-9
#[test]
fn what_was_written_to_a_log_before_it_was_put_aside_counts() {
    for (name, is_copied) in [("app.log.1", false), ("app.log-20270101", false), ("app.log.1", true)] {
        let ground = logged("");
        append(&ground, "ERROR late\nall is well\n");
        if is_copied {
            // It is cut off then.
            std::fs::copy(ground.at("app.log"), ground.at(name)).unwrap();
        } else {
            std::fs::rename(ground.at("app.log"), ground.at(name)).unwrap();
        }
        ground.write("app.log", "begun\nERROR anew\n");
        let seen = next(&ground);
        assert!(seen.err.contains("2 of 4 new lines in `app.log` (it began anew; `"), "{seen}");
        assert_eq!(ground.read("src/app.py"), "VERSION = 1\n", "{seen}");
    }
    // Twice put aside between two looks.
    let ground = logged("");
    append(&ground, "ERROR late\n");
    std::fs::rename(ground.at("app.log"), ground.at("app.log.2")).unwrap();
    std::thread::sleep(Duration::from_millis(50));
    ground.write("app.log.1", "ERROR between\n");
    ground.write("app.log", "begun\n");
    let seen = next(&ground);
    assert!(
        seen.err.contains("2 of 3 new lines in `app.log` (it began anew; `app.log.2` was read"),
        "{seen}"
    );
}

// rows: PC-9
#[test]
fn what_was_written_to_a_log_that_is_gone_is_not_told_once() {
    let ground = logged("");
    append(&ground, "ERROR never seen\nERROR never seen\n");
    std::fs::remove_file(ground.at("app.log")).unwrap();
    ground.write("app.log", "begun\n");
    let seen = next(&ground);
    assert!(
        seen.err.contains("could not tell: `app.log` began anew, and what was written to it between"),
        "{seen}"
    );
    append(&ground, "all is well\n");
    let seen = next(&ground);
    assert!(seen.err.contains("yes: 0 of 1 new line in `app.log` fit"), "{seen}");
    // What is in the new one is a no all the same.
    std::fs::remove_file(ground.at("app.log")).unwrap();
    ground.write("app.log", "ERROR anew\nERROR anew\n");
    let seen = next(&ground);
    assert!(seen.err.contains("2 of 2 new lines in `app.log` (it began anew) fit, more than 1"), "{seen}");
    assert_eq!(ground.read("src/app.py"), "VERSION = 1\n", "{seen}");
}

// rows: PC-9
#[test]
fn a_log_that_is_briefly_not_there_is_not_read_twice() {
    let ground = logged(", in_a_row = 2");
    append(&ground, "ERROR once\nERROR once\n");
    let seen = next(&ground);
    assert!(seen.err.contains("no: 2 of 2 new lines in `app.log` fit"), "{seen}");
    for _ in 0..2 {
        std::fs::rename(ground.at("app.log"), ground.at("elsewhere")).unwrap();
        let seen = next(&ground);
        assert!(seen.err.contains("could not tell: there is no file `app.log`"), "{seen}");
        std::fs::rename(ground.at("elsewhere"), ground.at("app.log")).unwrap();
    }
    let seen = next(&ground);
    assert!(seen.err.contains("could not tell: nothing was written to `app.log`"), "{seen}");
    assert_eq!(ground.read("src/app.py"), "VERSION = 2\n", "{seen}");
}

// rows: PC-9
#[test]
fn a_log_is_read_from_where_the_last_look_ended() {
    let ground = logged("");
    let append = |text: &str| append(&ground, text);
    let seen = next(&ground);
    assert!(seen.err.contains("could not tell: nothing was written to `app.log`"), "{seen}");
    append("all is well\nERROR once\nERROR half a li");
    let seen = next(&ground);
    assert!(seen.err.contains("yes: 1 of 2 new lines in `app.log` fit"), "{seen}");
    append("ne\n");
    let seen = next(&ground);
    assert!(seen.err.contains("yes: 1 of 1 new line in `app.log` fit"), "{seen}");
    // It is put aside, and a new one begun.
    std::fs::rename(ground.at("app.log"), ground.at("app.log.1")).unwrap();
    ground.write("app.log", "begun\n");
    let seen = next(&ground);
    assert!(
        seen.err
            .contains("0 of 1 new line in `app.log` (it began anew; `app.log.1` was read to its end) fit"),
        "{seen}"
    );
    append("ERROR password=hunter2\nERROR again\n");
    let seen = next(&ground);
    assert!(
        seen.err.contains("2 of 2 new lines in `app.log` fit, more than 1: ERROR password=***"),
        "{seen}"
    );
    assert_eq!(ground.read("src/app.py"), "VERSION = 1\n", "{seen}");
}

// rows: PC-9
#[test]
fn what_is_too_old_or_does_not_answer_is_told_apart() {
    let check = "kind = \"freshness\"\npath = \"feed/*.csv\"\nwithin = \"1h\"";
    let ground = watched(check, "", &["x"; 60]);
    ground.write("feed/readme.txt", "no feed\n");
    ground.write("feed/zero.csv", "a,b\n");
    drop(ground.run("run --until live"));
    std::fs::remove_file(ground.at("feed/zero.csv")).unwrap();
    let seen = next(&ground);
    assert!(seen.err.contains("could not tell: there is no file at `feed/*.csv` that counts"), "{seen}");
    ground.write("feed/empty.csv", "");
    ground.write("feed/one.csv", "a,b\n");
    let seen = next(&ground);
    assert!(seen.err.contains("yes: `feed/one.csv` was written"), "{seen}");
    ground.tool("touch", &["-d", "2 hours ago", "feed/one.csv"]);
    let seen = next(&ground);
    assert!(seen.err.contains("s ago, more than 3600 s"), "{seen}");
    assert_eq!(ground.read("src/app.py"), "VERSION = 1\n", "{seen}");
}

// rows: PC-9
#[test]
fn a_figure_comes_from_a_file_a_service_or_a_database() {
    let ground = Ground::shop(
        "[[check]]\nname = \"file\"\nkind = \"figure\"\nfile = \"kpi.json\"\npointer = \"/totals/0/amount\"\nmost = 10\nat = [\"staged\"]\n\n\
         [[check]]\nname = \"database\"\nkind = \"figure\"\ndatabase = \"app.db\"\nselect = \"SELECT count(*) FROM loans\"\nleast = 2\nat = [\"staged\"]\n",
    );
    ground.write("kpi.json", r#"{"totals": [{"amount": 9.5}]}"#);
    let database = rusqlite::Connection::open(ground.at("app.db")).unwrap();
    database.execute_batch("CREATE TABLE loans (id INTEGER); INSERT INTO loans VALUES (1), (2)").unwrap();
    let seen = ground.expect(0, "run --until staged");
    assert!(seen.err.contains("`/totals/0/amount` in `kpi.json` is 9.5"), "{seen}");
    assert!(seen.err.contains("what `app.db` answers is 2"), "{seen}");
    database.execute_batch("DELETE FROM loans WHERE id = 2").unwrap();
    ground.write("kpi.json", r#"{"totals": [{"amount": 10.5}]}"#);
    let seen = ground.expect(1, "check --at staged");
    assert!(seen.err.contains("is 10.5, more than 10"), "{seen}");
    assert!(seen.err.contains("is 1, less than 2"), "{seen}");
    ground.write("kpi.json", r#"{"totals": []}"#);
    let seen = ground.expect(2, "check file --at staged");
    assert!(seen.err.contains("there is nothing at `/totals/0/amount`"), "{seen}");
}
