//! The window: cutovers happen in it, and take no longer than they may.

use jiff::{SignedDuration, Timestamp};

use super::super::ground::Ground;

/// A window that opens so many seconds from now.
fn window(opens_in_s: i64, minutes: u64, more: &str) -> String {
    let from = Timestamp::now().checked_add(SignedDuration::from_secs(opens_in_s)).unwrap();
    let from = from.strftime("%Y-%m-%dT%H:%M:%SZ");
    format!("[window]\nfrom = \"{from}\"\nminutes = {minutes}\n{more}\n")
}

fn shop(window: &str) -> Ground {
    let ground = Ground::shop("");
    ground.plan("", window);
    ground
}

// rows: PC-7
#[test]
fn before_its_window_a_cutover_is_refused_and_told_when_it_opens() {
    let ground = shop(&window(3_600, 60, ""));
    insta::assert_snapshot!(ground.run("run"), @r#"
    $ switchback run
    --- stdout
    no: phase unify is approved; generation 0 is live (the plan has no checks: nothing was proved)
    --- stderr
      unify: snapshot [ID] verified: 1 files, 12 bytes
      unify: candidate staged: 0 added, 0 removed, 1 changed
      unify: rehearsal: yes: in and out again on a copy: all 2 entries are back as they were, and the undo touched none of 2 around them
      no: outside the window: a cutover may happen from [TIME] for 60 minutes; it opens at [TIME]

    next: `switchback run` goes on once it is open
    --- exit 1
    "#);
    assert_eq!(ground.read("src/app.py"), "VERSION = 1\n");
    insta::assert_snapshot!(ground.run("status"), @r#"
    $ switchback status
    --- stdout
    project shop: generation 0 is live
      phase unify: approved
      yes: a verified snapshot exists
      yes: rehearsed in and out again
      yes: both trees are as they were staged
    waits for its window, which opens at [TIME]
    there is nothing to roll back
    --- exit 2
    "#);
    let waits = ground.run("status --json").json()["waits_for"].clone();
    assert_eq!(waits[0]["kind"], "window");
    assert!(waits[0]["opens"].as_str().unwrap().ends_with('Z'), "{waits}");
    // Everything up to the cutover is done at any time.
    ground.expect(0, "run --until approved");
}

// rows: PC-7
#[test]
fn after_its_window_a_cutover_is_refused_for_good_or_until_it_opens_again() {
    let ground = shop(&window(-7_200, 60, ""));
    let seen = ground.expect(1, "run");
    assert!(seen.err.contains("outside the window: a cutover may happen from"), "{seen}");
    assert!(seen.err.contains("it is over, and does not open again"), "{seen}");
    assert_eq!(ground.run("status --json").json()["waits_for"][0]["opens"], serde_json::Value::Null);
    let ground = shop(&window(-7_200, 60, "every = \"7d\""));
    let seen = ground.expect(1, "run");
    assert!(seen.err.contains("and again every 7d; it opens at 20"), "{seen}");
    assert_eq!(ground.read("src/app.py"), "VERSION = 1\n");
    // The next turn of a daily one is under way.
    let ground = shop(&window(-86_400 - 60, 60, "every = \"1d\""));
    ground.expect(0, "run");
    assert_eq!(ground.read("src/app.py"), "VERSION = 2\n");
}

// rows: PC-7
#[test]
fn in_its_window_a_cutover_happens_and_a_rollback_needs_none() {
    let ground = shop(&window(-60, 60, "cutover_seconds_max = 300"));
    let plan = ground.expect(0, "plan");
    assert!(plan.out.contains("cutovers happen from 20"), "{plan}");
    assert!(plan.out.contains("a cutover that takes more than 300 s is taken back"), "{plan}");
    ground.expect(0, "run");
    let plan = ground.read("switchback.toml").replace("minutes = 60", "minutes = 1");
    ground.write("switchback.toml", plan);
    ground.expect(0, "rollback");
    assert_eq!(ground.read("src/app.py"), "VERSION = 1\n");
}

/// A process that takes its time.
fn process(stop: &str, start: &str) -> String {
    format!(
        "[window]\ncutover_seconds_max = 1\n\n[[process]]\nname = \"api\"\nstop = \"{stop}\"\nstart = \"{start}\"\n\
         ready = {{ command = \"true\" }}\n"
    )
}

// rows: PC-7
#[test]
fn a_cutover_that_takes_too_long_before_the_exchange_is_not_begun() {
    let ground = shop(&process("test -e stopped || sleep 1.3; touch stopped", "true"));
    let seen = ground.expect(1, "run");
    assert!(seen.err.contains("and the plan lets it take 1 s (`cutover_seconds_max`)"), "{seen}");
    assert!(seen.err.contains("next: nothing was exchanged"), "{seen}");
    assert_eq!(ground.read("src/app.py"), "VERSION = 1\n");
    let log = ground.run("log").out;
    assert!(!log.contains("cut-over-started"), "{log}");
    assert!(log.contains("process-started"), "what was stopped works again: {log}");
    // The second time its stop is quick.
    ground.expect(0, "run");
    assert_eq!(ground.read("src/app.py"), "VERSION = 2\n");
}

// rows: PC-7
#[test]
fn a_cutover_that_takes_too_long_after_the_exchange_is_taken_back() {
    let ground = shop(&process("true", "grep -q 1 src/app.py || sleep 1.3"));
    let seen = ground.expect(1, "run");
    assert!(seen.err.contains("and the plan lets it take 1 s (`cutover_seconds_max`)"), "{seen}");
    assert!(seen.err.contains("next: the cutover was taken back"), "{seen}");
    assert_eq!(ground.read("src/app.py"), "VERSION = 1\n");
    assert!(ground.run("log").out.contains("rolled-back"));
}
