//! `run` and `rollback` where something is in the way, or only a part is meant.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use switchback_core::phase::Point;

use super::ground::{Ground, answering};

#[test]
fn a_run_whose_check_says_no_or_could_not_tell_goes_no_further() {
    let ground = Ground::shop(&answering("\"staged\", \"live\""));
    ground.write("answer", "1");
    insta::assert_snapshot!(ground.run("run"), @r#"
    $ switchback run
    --- stdout
    no: phase unify is staged; generation 0 is live
    --- stderr
      unify: snapshot [ID] verified: 1 files, 12 bytes
      unify: candidate staged: 0 added, 0 removed, 1 changed
      check answer at staged: no: exit code 1
      no: the check `answer` says no at staged: exit code 1

    next: correct the candidate, then `switchback run --restage`
    --- exit 1
    "#);
    insta::assert_snapshot!(ground.run("status"), @r#"
    $ switchback status
    --- stdout
    project shop: generation 0 is live
      phase unify: staged (no)
      yes: a verified snapshot exists
      no: answer at staged
      not yet: answer at live
      not yet: rehearsed in and out again
      yes: both trees are as they were staged
    waits for the check `answer` at staged
    there is nothing to roll back
    --- exit 1
    "#);
    ground.write("answer", "127");
    insta::assert_snapshot!(ground.run("check"), @r#"
    $ switchback check
    --- stdout
    could not tell
    --- stderr
      check answer at staged: could not tell: the command was not found
    --- exit 2
    "#);
    insta::assert_snapshot!(ground.run("run"), @r#"
    $ switchback run
    --- stdout
    could not tell: phase unify is staged; generation 0 is live
    --- stderr
      check answer at staged: could not tell: the command was not found
      could not tell: the check `answer` could not tell at staged: the command was not found

    next: `switchback check answer --at staged` looks again
    --- exit 2
    "#);
    assert_eq!(ground.read("src/app.py"), "VERSION = 1\n");
    ground.write("answer", "0");
    ground.expect(0, "run --until staged");
    ground.write("answer", "1");
    insta::assert_snapshot!(ground.run("run"), @r#"
    $ switchback run
    --- stdout
    no: phase unify is live; generation 1 is live
    --- stderr
      unify: rehearsal: yes: in and out again on a copy: all 2 entries are back as they were, and the undo touched none of 3 around them
      unify: acknowledged: generation 1 is live ([N] ms)
      check answer at live: no: exit code 1
      no: the check `answer` says no at live: exit code 1

    next: `switchback rollback` makes the old tree live; `switchback check answer --at live` looks again
    --- exit 1
    "#);
    assert_eq!(ground.read("src/app.py"), "VERSION = 2\n");
}

#[test]
#[expect(clippy::too_many_lines, reason = "one story, told word by word")]
fn one_path_is_rolled_back_alone() {
    let ground = Ground::shop("");
    ground.write("docs/a.md", "old\n");
    ground.write("../new/docs/a.md", "new\n");
    ground
        .write("switchback.toml", ground.read("switchback.toml").replace("[\"src\"]", "[\"src\", \"docs\"]"));
    ground.expect(0, "run");
    insta::assert_snapshot!(ground.run("rollback --only docs"), @r#"
    $ switchback rollback --only docs
    --- stdout
    yes: rolled back unify
      restored docs
    --- stderr
      unify: acknowledged: rolled back: docs ([N] ms)
    the record of the incident is `.switchback/incidents/14-unify.md`
    --- exit 0
    "#);
    assert_eq!(
        (ground.read("docs/a.md").as_str(), ground.read("src/app.py").as_str()),
        ("old\n", "VERSION = 2\n")
    );
    insta::assert_snapshot!(ground.run("rollback --only docs"), @r#"
    $ switchback rollback --only docs
    --- stderr
    error: `docs` was rolled back already

    hint: `switchback status` shows what is live
    --- exit 2
    "#);
    insta::assert_snapshot!(ground.run("rollback --json"), @r#"
    $ switchback rollback --json
    --- stdout
    {
      "schema": "switchback/rollback/1",
      "verdict": "yes",
      "checks": [],
      "criteria": [
        {
          "by": "snapshot [HASH]",
          "name": "a verified snapshot exists",
          "verdict": "yes"
        },
        {
          "by": "rehearsal",
          "name": "rehearsed in and out again",
          "verdict": "yes"
        }
      ],
      "failed": null,
      "generation": 0,
      "incident": ".switchback/incidents/16-unify.md",
      "kept_aside": [],
      "milliseconds": [N],
      "phase": "unify",
      "phases": [
        {
          "name": "unify",
          "point": "rolled-back",
          "verdict": "no"
        }
      ],
      "point": "rolled-back",
      "project": "shop",
      "restored": [
        "src"
      ],
      "rollback": {
        "mechanism": null,
        "possible": false,
        "to_generation": null
      },
      "run": "r1-[ID]",
      "waits_for": [
        {
          "kind": "run"
        }
      ]
    }
    --- stderr
      unify: acknowledged: rolled back: src ([N] ms)
    the record of the incident is `.switchback/incidents/16-unify.md`
    --- exit 0
    "#);
    assert_eq!(ground.read("src/app.py"), "VERSION = 1\n");
}

#[test]
fn a_rollback_needs_no_usable_plan() {
    let ground = Ground::shop("");
    insta::assert_snapshot!(ground.run("rollback"), @r#"
    $ switchback rollback
    --- stderr
    error: nothing is live that could be rolled back

    hint: `switchback status` shows where things stand
    --- exit 2
    "#);
    ground.expect(0, "run");
    ground.write("switchback.toml", "version = \"broken");
    insta::assert_snapshot!(ground.run("rollback"), @r#"
    $ switchback rollback
    --- stdout
    yes: rolled back unify
      restored src
    --- stderr
    warning: the plan cannot be used, and is not needed: the plan `switchback.toml` cannot be used: 1 finding
      unify: acknowledged: rolled back: src ([N] ms)
    the record of the incident is `.switchback/incidents/14-unify.md`
    --- exit 0
    "#);
    assert_eq!(ground.read("src/app.py"), "VERSION = 1\n");
}

#[test]
fn a_second_run_at_the_same_time_is_refused_and_says_who_runs() {
    let ground = Ground::shop(
        "[[check]]\nname = \"slow\"\nkind = \"command\"\ncommand = \"touch {out}/../../started; sleep 3\"\n",
    );
    std::thread::scope(|scope| {
        let first = scope.spawn(|| ground.run("run"));
        let started = || {
            std::fs::read_dir(ground.at(".switchback/work"))
                .is_ok_and(|mut entries| entries.any(|entry| entry.unwrap().file_name() == "started"))
        };
        let begun = std::time::Instant::now();
        while !started() && begun.elapsed().as_secs() < 30 && !first.is_finished() {
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        insta::assert_snapshot!(ground.run("run"), @r#"
        $ switchback run
        --- stderr
        error: could not begin the run
          caused by: another run of this project is under way: [ACTOR] (process [PID]) runs `switchback run` since [TIME]

        hint: wait until it has ended; `switchback log --follow` shows what it does
        --- exit 2
        "#);
        ground.run("status");
        assert_eq!(first.join().unwrap().code, 0);
    });
}

// rows: BX-1
#[test]
fn a_tree_that_is_being_written_to_goes_back_and_loses_no_line() {
    let ground = Ground::shop("");
    ground.expect(0, "run");
    let mut log = std::fs::File::options().create(true).append(true).open(ground.at("src/log")).unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let is_over = Arc::clone(&stop);
    let writer = std::thread::spawn(move || {
        let mut lines = 0_u64;
        while !is_over.load(Ordering::Relaxed) {
            log.write_all(b"line\n").unwrap();
            lines += 1;
        }
        lines
    });
    let seen = ground.run("rollback");
    stop.store(true, Ordering::Relaxed);
    let lines = writer.join().unwrap();
    assert_eq!(seen.code, 0, "{seen}");
    assert_eq!(ground.read("src/app.py"), "VERSION = 1\n");
    assert!(!ground.at("src/log").exists(), "the writer's file belongs to the tree that was taken back");
    // What was written is named, by file or as the whole kept tree, and every line of it is there.
    let named = seen.err.lines().chain(seen.out.lines()).find_map(|line| line.split_once("kept aside: "));
    let kept = ground.at(named.expect("what was written is named").1.trim());
    let kept = if kept.is_dir() { kept.join("log") } else { kept };
    assert_eq!(std::fs::read_to_string(kept).unwrap().lines().count() as u64, lines);
    ground.expect(0, "run");
}

#[test]
fn a_run_whose_plan_was_corrected_on_the_way_is_over_when_it_is_over() {
    let ground = Ground::shop(&answering("\"staged\""));
    ground.write("answer", "1");
    ground.expect(1, "run");
    let plan = ground.read("switchback.toml");
    ground.write("switchback.toml", plan.replace("exit $(cat answer)", "exit 0"));
    ground.expect(0, "run --restage");
    let seen = ground.expect(0, "run");
    assert!(seen.out.contains("phase unify is finished"), "{seen}");
    assert!(!seen.err.contains("snapshot"), "nothing is begun anew: {seen}");
    // A plan that was never run is another run.
    ground.write("switchback.toml", format!("# another one\n{plan}"));
    ground.write("../new/src/app.py", "VERSION = 3\n");
    ground.expect(1, "run");
}

#[test]
fn the_help_names_every_point_that_a_run_stops_at_and_every_moment_of_a_check() {
    let ground = Ground::new();
    let words = |line: &str| ground.expect(0, line).out.split_whitespace().collect::<Vec<_>>().join(" ");
    let points: Vec<&str> = Point::ALL.into_iter().map(Point::word).collect();
    let help = words("run --help");
    assert!(help.contains(&format!("Stop once this point is reached: {}", points.join(", "))), "{help}");
    let help = words("check --help");
    assert!(help.contains("The point: before, staged, rehearsed, live, or a delay"), "{help}");
}
