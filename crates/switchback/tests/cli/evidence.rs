//! A proof expires: one byte changed in whatever it was about, and `run` refuses and says what changed (BX-10).

use std::fs::File;

use super::ground::Ground;

const CHECK: &str =
    "[[check]]\nname = \"rules\"\nkind = \"files\"\nexist = [\"src/app.py\"]\ninputs = [\"rules.txt\"]\n";
const APPROVE: &str = "approve = { roles = [\"risk\"] }\n";

/// A project that is staged, checked and approved: the next `run` makes it live.
fn approved() -> Ground {
    let ground = Ground::shop("");
    ground.plan(APPROVE, CHECK);
    ground.write("rules.txt", "at most 5 %\n");
    ground.expect(0, "run --until staged");
    ground.expect(0, "approve unify --role risk");
    ground.expect(0, "run --until approved");
    ground
}

/// The staged candidate's `app.py`, relative to the project.
fn candidate(ground: &Ground) -> String {
    let names = std::fs::read_dir(ground.at("")).unwrap().map(|entry| entry.unwrap().file_name());
    let name =
        names.map(|name| name.into_string().unwrap()).find(|name| name.starts_with(".src.sb-")).unwrap();
    format!("{name}/app.py")
}

/// Changes one byte of a file, runs `act`, and puts content and time back.
fn with_one_byte_changed<T>(ground: &Ground, path: &str, act: impl FnOnce() -> T) -> T {
    let time = ground.at(path).metadata().unwrap().modified().unwrap();
    let whole = ground.read(path);
    let mut bytes = whole.clone().into_bytes();
    let last = bytes.len() - 2;
    bytes[last] ^= 1;
    ground.write(path, bytes);
    let done = act();
    ground.write(path, whole);
    File::options().write(true).open(ground.at(path)).unwrap().set_modified(time).unwrap();
    done
}

// rows: BX-10, PC-6
#[test]
fn a_changed_plan_voids_evidence_and_approval_and_a_new_look_renews_the_evidence() {
    let ground = approved();
    let plan = ground.read("switchback.toml");
    ground.write("switchback.toml", format!("{plan}#"));
    insta::assert_snapshot!(ground.run("run"), @r#"
    $ switchback run
    --- stdout
    no: phase unify is staged; generation 0 is live
    --- stderr
      no: the evidence of the check `rules` at staged is void, because since then the plan changed
      no: the rehearsal is void, because since then the plan changed
      no: role `risk`: 0 of 1 approvals (the approval of [ACTOR] is void, because since then the plan changed)

    next: `switchback check rules --at staged` looks again
    --- exit 1
    "#);
    assert_eq!(ground.read("src/app.py"), "VERSION = 1\n");
    insta::assert_snapshot!(ground.run("status"), @r#"
    $ switchback status
    --- stdout
    project shop: generation 0 is live
      phase unify: staged
      yes: a verified snapshot exists
      not yet: rules at staged
      not yet: rehearsed in and out again
      not yet: approved by risk
      yes: both trees are as they were staged
      approval in the role risk by [ACTOR] void, because since then the plan changed
        the plan: approved was [ID], now it is [ID]
    waits for the check `rules` at staged
    waits for an approval in the role `risk`
    there is nothing to roll back
    --- exit 2
    "#);
    ground.expect(0, "check rules --at staged");
    let renewed = ground.expect(1, "run");
    assert!(!renewed.err.contains("at staged is void"), "{renewed}");
    assert!(renewed.err.contains("is void, because since then the plan, the evidence"), "{renewed}");
    ground.expect(0, "approve unify --role risk");
    ground.expect(0, "run");
    assert_eq!(ground.read("src/app.py"), "VERSION = 2\n");
}

// rows: BX-10
#[test]
fn one_byte_in_the_candidate_the_live_tree_or_an_input_voids_the_evidence() {
    let ground = approved();
    let candidate = candidate(&ground);
    let seen = with_one_byte_changed(&ground, &candidate, || ground.run("run"));
    insta::assert_snapshot!(seen, @r#"
    $ switchback run
    --- stdout
    no: phase unify is approved; generation 0 is live
    --- stderr
      no: the candidate changed since it was checked: `src/app.py` (content)
      no: the evidence of the check `rules` at staged is void, because since then the candidate changed
      no: the rehearsal is void, because since then the candidate changed
      no: role `risk`: 0 of 1 approvals (the approval of [ACTOR] is void, because since then the candidate changed)

    next: `switchback run --restage` builds it again from its source
    --- exit 1
    "#);
    let seen = with_one_byte_changed(&ground, "src/app.py", || ground.run("run"));
    insta::assert_snapshot!(seen, @r#"
    $ switchback run
    --- stdout
    no: phase unify is approved; generation 0 is live
    --- stderr
      no: the live tree changed since the candidate was staged: `src/app.py` (content)
      no: the evidence of the check `rules` at staged is void, because since then the live tree changed
      no: the rehearsal is void, because since then the live tree changed
      no: role `risk`: 0 of 1 approvals (the approval of [ACTOR] is void, because since then the live tree changed)

    next: look at these changes, then `switchback run --restage` builds the candidate on top of them
    --- exit 1
    "#);
    let seen = with_one_byte_changed(&ground, "rules.txt", || ground.run("run"));
    insta::assert_snapshot!(seen, @r#"
    $ switchback run
    --- stdout
    no: phase unify is approved; generation 0 is live
    --- stderr
      no: the evidence of the check `rules` at staged is void, because since then the inputs changed

    next: `switchback check rules --at staged` looks again
    --- exit 1
    "#);
    // All is as it was: then the evidence holds again, and nothing of it was used up.
    ground.expect(0, "run --until approved");
    assert_eq!(ground.read("src/app.py"), "VERSION = 1\n");
}

// rows: BX-10
#[test]
fn a_changed_option_of_a_check_is_named() {
    let ground = approved();
    ground.plan(APPROVE, &CHECK.replace("[\"src/app.py\"]", "[\"src\"]"));
    let seen = ground.expect(1, "run");
    assert!(seen.err.contains("is void, because since then the plan, the check's options changed"), "{seen}");
}

// rows: BX-10, PC-6
#[test]
fn an_approval_does_not_outlive_the_inputs_that_the_checks_had_read() {
    let ground = approved();
    ground.write("rules.txt", "at most 50 %\n");
    ground.expect(0, "check rules --at staged");
    let seen = ground.expect(1, "run");
    assert!(seen.err.contains("is void, because since then the inputs"), "{seen}");
    let status = ground.run("status --json").json();
    let waits = &status["waits_for"][0];
    assert_eq!((&waits["kind"], &waits["role"]), (&"approval".into(), &"risk".into()));
    assert_eq!(waits["missing"], 1);
    let why = waits["why"][0].as_str().unwrap();
    assert!(why.contains("is void, because since then the inputs"), "{why}");
    ground.expect(0, "approve unify --role risk");
    ground.expect(0, "run");
}

// rows: BX-10
#[test]
fn restaging_starts_over_with_the_live_tree_as_it_is() {
    let ground = approved();
    ground.write("src/app.py", "VERSION = 3\n");
    ground.expect(1, "run");
    insta::assert_snapshot!(ground.run("run --restage"), @r#"
    $ switchback run --restage
    --- stdout
    no: phase unify is rehearsed; generation 0 is live
    --- stderr
      unify: snapshot [ID] verified: 1 files, 12 bytes
      unify: candidate staged: 0 added, 0 removed, 1 changed
      check rules at staged: yes: 1 path that must be there is
      unify: rehearsal: yes: in and out again on a copy: all 2 entries are back as they were, and the undo touched none of 3 around them
      no: role `risk`: 0 of 1 approvals

    next: `switchback approve unify --role risk`
    --- exit 1
    "#);
    ground.expect(0, "approve unify --role risk");
    ground.expect(0, "run");
    assert_eq!(ground.read("src/app.py"), "VERSION = 2\n");
    ground.expect(0, "rollback");
    assert_eq!(ground.read("src/app.py"), "VERSION = 3\n");
}

// rows: BX-10
#[test]
fn evidence_that_was_changed_after_it_was_stored_is_not_used() {
    let ground = approved();
    let seal = ground.run("log --json").out.lines().find_map(|line| {
        let event: serde_json::Value = serde_json::from_str(line).unwrap();
        Some(event["body"]["seal"].as_str()?.to_owned())
    });
    let path = format!(".switchback/evidence/{}", seal.unwrap());
    let seen = with_one_byte_changed(&ground, &path, || ground.run("run"));
    insta::assert_snapshot!(seen, @r#"
    $ switchback run
    --- stderr
    error: could not carry on the run
      caused by: the evidence `[TMP]/project/.switchback/evidence/[HASH]` was changed after it was stored

    hint: `switchback run --restage` makes all evidence anew
    --- exit 2
    "#);
    assert_eq!(ground.read("src/app.py"), "VERSION = 1\n");
}

// rows: BX-10
#[test]
fn nothing_goes_in_on_a_report_that_is_gone_or_was_changed() {
    let hash_of = |ground: &Ground, word: &str, at: &str| {
        let log = ground.run("log --json").out;
        let events = log.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        let mut found = events.filter(|event| event["event"] == word);
        let event = found.find(|event| at.is_empty() || event["body"]["at"] == at).unwrap();
        event["body"]["evidence"].as_str().unwrap().to_owned()
    };
    for (word, at, what) in [
        ("check-ended", "staged", "the report of the check `rules` at staged cannot be used"),
        ("rehearsed", "", "the report of the rehearsal cannot be used"),
    ] {
        for approve in ["", APPROVE] {
            let ground = Ground::shop("");
            ground.plan(approve, CHECK);
            ground.write("rules.txt", "at most 5 %\n");
            ground.expect(0, "run --until rehearsed");
            let report = format!(".switchback/evidence/{}", hash_of(&ground, word, at));
            let whole = ground.read(&report);
            ground.write(&report, whole.replace("yes", "Yes"));
            let seen = if approve.is_empty() {
                ground.expect(2, "run")
            } else {
                ground.expect(2, "approve unify --role risk")
            };
            assert!(seen.err.contains(what) && seen.err.contains("switchback run --restage"), "{seen}");
            std::fs::remove_file(ground.at(&report)).unwrap();
            let seen = ground.run("run");
            assert!(seen.code > 0 && seen.err.contains(what), "{seen}");
            assert_eq!(ground.read("src/app.py"), "VERSION = 1\n");
            ground.expect(i32::from(!approve.is_empty()), "run --restage");
        }
    }
}

// rows: BX-10
#[test]
fn what_was_touched_after_it_was_approved_is_never_said_to_be_as_it_was() {
    let candidate = |ground: &Ground| {
        let names = std::fs::read_dir(ground.at("")).unwrap().map(|entry| entry.unwrap().path());
        names.into_iter().find(|path| path.display().to_string().contains("/.src.sb-")).unwrap()
    };
    for (touch, word) in [("live", "the live tree was touched"), ("candidate", "the candidate was touched")] {
        let ground = Ground::shop("");
        ground.plan("approve = { roles = [\"risk\"] }\n", "");
        ground.expect(1, "run");
        ground.expect(0, "approve unify --role risk");
        assert!(ground.expect(0, "report").out.contains("nothing keeps it from going live"));
        let path = if touch == "live" { ground.at("src") } else { candidate(&ground) };
        std::fs::write(path.join("app.py"), "VERSION = 9\n").unwrap();
        for line in ["report", "report --format markdown"] {
            let seen = ground.expect(0, line);
            assert!(seen.out.contains(word), "{seen}");
            assert!(!seen.out.contains("nothing keeps it") && !seen.out.contains("is as it was"), "{seen}");
        }
        let status = ground.run("status --json").json();
        let trees = status["criteria"].as_array().unwrap().iter();
        let trees =
            trees.into_iter().find(|one| one["name"] == "both trees are as they were staged").unwrap();
        assert_eq!(trees["verdict"], "unknown", "{status}");
        assert_eq!(ground.run("run").code, 1, "and the run is refused");
    }
}
