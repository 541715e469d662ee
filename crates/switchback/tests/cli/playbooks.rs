//! Playbooks: what is wrong is found, the right repair is proposed, carried out and proved, and the next one is named when it
//! does not help.

use serde_json::{Value, json};

use super::ground::Ground;

const PLAN: &str = r#"
version = 1

[project]
name = "batch"
managed = ["src", "data"]

[[phase]]
name = "unify"

    [[phase.change]]
    kind = "command"
    command = "echo 2 > src/version && echo two > src/legacy && echo 4 >> data/rows"

[[phase]]
name = "tune"

    [[phase.change]]
    kind = "command"
    command = "echo 20 > src/milliseconds"

[[check]]
name = "imports"
kind = "command"
command = "exit $(cat src/imports)"
at = ["before", "live", "rolled-back"]

[[check]]
name = "rows"
kind = "command"
command = "test $(wc -l < data/rows) -ge 3"
at = ["live"]

[[check]]
name = "speed"
kind = "command"
command = "test $(cat src/milliseconds) -lt 50"
at = ["live"]

[[check]]
name = "tests"
kind = "command"
command = "grep -qx ok src/tests && test $(cat src/imports) -eq 0"
at = ["live"]

[[playbook]]
name = "everything"
symptoms = ["imports", "rows", "speed"]
restore = "everything"
prove = ["imports", "rows", "speed", "tests"]

[[playbook]]
name = "tune-whole"
phase = "tune"
symptoms = ["speed"]
restore = "phase"
prove = ["speed", "tests"]
escalate = "everything"

[[playbook]]
name = "imports-broken"
symptoms = ["imports"]
restore = ["src/imports"]
prove = ["imports", "tests"]
escalate = "tune-whole"
"#;

/// Two phases are live, and nothing is wrong.
fn live() -> Ground {
    let ground = Ground::new();
    ground.write("switchback.toml", PLAN);
    for (path, text) in [
        ("src/version", "1\n"),
        ("src/legacy", "one\n"),
        ("src/imports", "0\n"),
        ("src/tests", "ok\n"),
        ("src/milliseconds", "10\n"),
        ("data/rows", "1\n2\n3\n"),
    ] {
        ground.write(path, text);
    }
    ground.expect(0, "run");
    assert_eq!(ground.read("src/milliseconds"), "20\n");
    ground
}

/// What `doctor` says, and that it says it with this exit code.
fn doctor(ground: &Ground, code: i32) -> Value {
    ground.expect(code, "doctor --json").json()
}

// rows: RB-3
#[test]
fn of_a_healthy_tree_nothing_is_proposed() {
    let ground = live();
    let found = doctor(&ground, 0);
    assert_eq!(found["verdict"], "yes");
    assert_eq!(found["proposed"], Value::Null);
    assert_eq!(found["found"].as_array().unwrap().len(), 4);
    let holding: Vec<&Value> = found["playbooks"].as_array().unwrap().iter().collect();
    assert!(holding.len() == 3 && holding.iter().all(|one| one["symptoms_hold"] == "no"), "{found:#}");
}

// rows: RB-3, RB-4
#[test]
fn each_fault_gets_the_smallest_playbook_that_explains_all_of_it() {
    for (path, text, wanted) in
        [("src/imports", "1\n", "imports-broken"), ("src/milliseconds", "90\n", "tune-whole")]
    {
        let ground = live();
        ground.write(path, text);
        let found = doctor(&ground, 1);
        assert_eq!(found["proposed"], wanted, "{found:#}");
        assert_eq!(found["next"], format!("switchback rollback --playbook {wanted}"));
        assert_eq!(found["unexplained"], json!([]));
        let would = ground.expect(0, &format!("rollback --playbook {wanted} --dry-run --json")).json();
        assert!(would["would_restore"].as_array().is_some_and(|paths| !paths.is_empty()), "{would:#}");
        assert_eq!(ground.read(path), text);
        let repaired = ground.expect(0, &format!("rollback --playbook {wanted} --json")).json();
        assert_eq!(repaired["verdict"], "yes", "{repaired:#}");
        assert!(repaired["validated"].as_array().unwrap().iter().all(|one| one["verdict"] == "yes"));
        assert_eq!(doctor(&ground, 0)["proposed"], Value::Null);
    }
}

// rows: RB-4
#[test]
fn a_fault_that_no_playbook_explains_is_said_and_the_phase_is_proposed() {
    let ground = live();
    ground.write("src/tests", "broken\n");
    let found = doctor(&ground, 1);
    assert_eq!(found["proposed"], Value::Null);
    assert_eq!(found["unexplained"], json!(["tests"]));
    assert_eq!(found["next"], "switchback rollback --phase tune");
    // With one that is known beside it, the known one alone is not taken for the answer.
    ground.write("src/milliseconds", "90\n");
    ground.write("data/rows", "1\n");
    let found = doctor(&ground, 1);
    assert_eq!((&found["proposed"], &found["unexplained"]), (&Value::Null, &json!(["rows"])), "{found:#}");
    let shown = ground.run("doctor");
    assert!(shown.out.contains("no playbook whose symptoms hold is about the check `rows`"), "{shown}");
}

// rows: RB-3
#[test]
fn what_cannot_be_told_calls_for_no_playbook() {
    let ground = live();
    ground.write("switchback.toml", PLAN.replace("exit $(cat src/imports)", "there-is-no-such-program"));
    let found = doctor(&ground, 2);
    assert_eq!((&found["verdict"], &found["proposed"]), (&json!("unknown"), &Value::Null), "{found:#}");
    let imports = found["playbooks"].as_array().unwrap().iter().find(|one| one["name"] == "imports-broken");
    assert_eq!(imports.unwrap()["symptoms_hold"], "unknown");
}

// rows: RB-4
#[test]
fn a_repair_that_does_not_help_is_a_no_and_names_the_next() {
    let ground = live();
    // The old tree had it too: neither part nor phase can help.
    ground.write("src/imports", "1\n");
    ground.write("src/tests", "broken\n");
    let tried = ground.expect(1, "rollback --playbook imports-broken --json").json();
    assert_eq!(ground.read("src/imports"), "0\n");
    assert_eq!(tried["verdict"], "no");
    assert_eq!(tried["next"], "switchback rollback --playbook tune-whole");
    let verdict_of = |check: &str| {
        let all = tried["validated"].as_array().unwrap();
        all.iter().find(|one| one["check"] == check).unwrap()["verdict"].clone()
    };
    assert_eq!((verdict_of("imports"), verdict_of("tests")), (json!("yes"), json!("no")));
    let whole = ground.expect(0, "rollback --playbook tune-whole");
    assert!(
        whole.out.starts_with("yes: rolled back tune") && whole.out.contains("function: yes (`speed`)"),
        "{whole}"
    );
    assert!(whole.out.contains("data: not looked at"), "{whole}");
    let again = ground.expect(2, "rollback --playbook tune-whole");
    assert!(again.err.contains("phase `tune`, which is not live"), "{again}");
    let all = ground.expect(0, "rollback --playbook everything --json").json();
    assert_eq!(all["restored"], json!(["data", "src"]), "{all:#}");
    assert_eq!(ground.read("src/version"), "1\n");
    ground.expect(2, "doctor");
}

// rows: RB-10
#[test]
fn after_every_rollback_of_a_phase_its_checks_say_whether_the_old_tree_works() {
    let ground = live();
    let back = ground.expect(0, "rollback --json").json();
    assert_eq!(back["validated"][0]["check"], "imports");
    assert!(back["proved_milliseconds"].as_f64() >= back["milliseconds"].as_f64());
    let record = ground.read(back["incident"].as_str().unwrap());
    for part in [
        "# batch: rolled back: tune",
        "by hand",
        "- `src`",
        "| `imports` | rolled-back | **yes** |",
        "generation 2 went live",
    ] {
        assert!(record.contains(part), "{part} is not in:\n{record}");
    }
    // What is live again does not work: the rollback was done, and is no success.
    let ground = live();
    ground.write("switchback.toml", PLAN.replace("exit $(cat src/imports)", "grep -q 2 src/version"));
    let back = ground.expect(1, "rollback --phase unify");
    assert!(
        back.out.starts_with("no: the checks do not hold, although this was rolled back: tune, unify"),
        "{back}"
    );
    assert_eq!(ground.read("src/version"), "1\n");
    let status = ground.run("status --json").json();
    let of_check = status["checks"].as_array().unwrap().iter().any(|one| one["at"] == "rolled-back");
    assert!(of_check, "{status:#}");
}

// rows: RB-3
#[test]
fn a_playbook_for_an_earlier_phase_does_not_reach_through_the_later_one() {
    let ground = live();
    ground.write(
        "switchback.toml",
        PLAN.replace("symptoms = [\"imports\"]\n", "phase = \"unify\"\nsymptoms = [\"imports\"]\n"),
    );
    let refused = ground.expect(2, "rollback --playbook imports-broken");
    assert!(refused.err.contains("`tune` went live after it"), "{refused}");
    let unknown = ground.expect(2, "rollback --playbook imports-gone");
    assert!(unknown.err.contains("no playbook `imports-gone`"), "{unknown}");
    ground.expect(2, "rollback --playbook imports-broken --only src");
}

// rows: RB-3
#[test]
fn what_rollback_would_refuse_is_not_proposed() {
    let ground = live();
    let plan = PLAN.replace("symptoms = [\"imports\"]\n", "phase = \"unify\"\nsymptoms = [\"imports\"]\n");
    ground.write("switchback.toml", plan);
    ground.write("src/imports", "1\n");
    let found = doctor(&ground, 1);
    assert_eq!(found["proposed"], Value::Null, "{found:#}");
    assert!(found["playbooks"].as_array().unwrap().iter().all(|one| one["name"] != "imports-broken"));
    assert_eq!(found["next"], "switchback rollback --phase tune");
    // Once it is the last that is live, it is.
    ground.expect(0, "rollback --phase tune");
    ground.write("src/imports", "1\n");
    assert_eq!(doctor(&ground, 1)["proposed"], "imports-broken");
}
