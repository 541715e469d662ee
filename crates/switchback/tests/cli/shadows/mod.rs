//! Shadows: old and new run every input side by side before a phase goes live, and nothing of them reaches the outside.

mod killed;
mod outside;
mod period;

use std::fs;

use serde_json::Value;

use super::ground::Ground;

/// A key figure of one input. What it does beside that is for a test to say.
const OLD: &str = "awk -F, 'NR > 1 { sum += $2 } END { printf \"kpi,value\\nsum,%.6f\\n\", sum }' \"$1\" > \"$2/kpi.csv\"\n";
const COMMAND: &str = "sh src/kpi.sh {input} {out}";

/// A plan with one shadow over `data/raw/*.csv`, with `more` among its keys, and two programs.
fn shadowed(more: &str, new: &str) -> Ground {
    let ground = Ground::shop(&table(more));
    ground.write("src/kpi.sh", OLD);
    ground.write("../new/src/kpi.sh", new);
    ground
}

fn table(more: &str) -> String {
    format!(
        "[[shadow]]\ninputs = \"data/raw/*.csv\"\nsettle_s = 0\nold = {{ command = \"{COMMAND}\" }}\n\
         new = {{ command = \"{COMMAND}\" }}\nkey = [\"kpi\"]\ntolerance = {{ relative = 1e-9 }}\n{more}\n"
    )
}

fn input(ground: &Ground, name: &str, value: f64) {
    ground.write(&format!("data/raw/{name}.csv"), format!("id,value\n{name},{value}\n"));
}

/// The one shadow, as `status` tells it.
fn told(ground: &Ground) -> Value {
    ground.run("status --json").json()["shadows"][0].clone()
}

/// How often an event is in the journal, and with which of its fields.
fn events(ground: &Ground, word: &str) -> Vec<Value> {
    let log = ground.expect(0, "log --json").out;
    let all = log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    all.filter(|event| event["event"] == word).map(|event| event["body"].clone()).collect()
}

fn evidence(ground: &Ground, hash: &Value) -> Value {
    let hash = hash.as_str().unwrap();
    serde_json::from_str(&ground.read(&format!(".switchback/evidence/{hash}"))).unwrap()
}

// rows: PC-5
#[test]
fn equal_inputs_let_it_go_live_and_are_counted() {
    let ground = shadowed("", OLD);
    for number in 0..3 {
        input(&ground, &format!("a{number}"), 100.0 + f64::from(number));
    }
    let seen = ground.expect(0, "run --until approved");
    insta::assert_snapshot!(seen, @r"
    $ switchback run --until approved
    --- stdout
    yes: phase unify is approved; generation 0 is live
    --- stderr
      unify: snapshot [ID] verified: 2 files, 107 bytes
      unify: candidate staged: 0 added, 0 removed, 1 changed
      unify: rehearsal: yes: in and out again on a copy: all 3 entries are back as they were, and the undo touched none of 7 around them
      unify: shadow shadow: yes: 3 inputs, 3 equal
    --- exit 0
    ");
    let shadow = told(&ground);
    assert_eq!((shadow["state"].as_str(), shadow["verdict"].as_str()), (Some("over"), Some("yes")));
    assert_eq!(shadow["counts"]["equal"], 3);
    let ended = events(&ground, "shadow-ended");
    let report = evidence(&ground, &ended[0]["evidence"]);
    assert_eq!(report["details"]["inputs"].as_array().unwrap().len(), 3);
    assert_eq!(report["details"]["inputs"][0]["input"], "data/raw/a0.csv");
    ground.expect(0, "run --until live");
    assert_eq!(ground.read("src/app.py"), "VERSION = 2\n");
    let page = ground.expect(0, "report --format markdown").out;
    assert!(page.contains("Old and new side by side") && page.contains("3 inputs, 3 equal"), "{page}");
    assert!(!ground.at(".switchback/shadow/work").exists());
    assert_eq!(fs::read_dir(ground.at(".switchback/shadow")).unwrap().count(), 0, "no input is kept");
}

// rows: PC-5
#[test]
fn a_difference_of_a_thousandth_on_one_of_a_thousand_inputs_is_found() {
    let new = OLD.replace("sum += $2", "sum += $1 == 617 ? $2 * 1.001 : $2");
    let ground = shadowed("", &new);
    for number in 0..1000 {
        input(&ground, &number.to_string(), 100.0);
    }
    let seen = ground.expect(1, "run");
    assert!(seen.err.contains("data/raw/617.csv"), "{seen}");
    assert!(seen.err.contains("1000 inputs, 999 equal, 1 no"), "{seen}");
    let shadow = told(&ground);
    assert_eq!((shadow["verdict"].as_str(), shadow["counts"]["inputs"].as_u64()), (Some("no"), Some(1000)));
    assert_eq!(shadow["told"].as_array().unwrap().len(), 1);
    let one = events(&ground, "shadow-input-ended").into_iter().find(|body| body["verdict"] == "no").unwrap();
    let report = evidence(&ground, &one["evidence"]);
    let first = &report["details"]["comparison"]["items"][0]["first"];
    assert_eq!((first["column"].as_str(), first["new"].as_f64()), (Some("value"), Some(100.1)), "{report:#}");
    assert_eq!(ground.read("src/app.py"), "VERSION = 1\n", "nothing went live");
}

// rows: PC-5
#[test]
fn no_input_is_could_not_tell_and_never_a_yes() {
    let ground = shadowed("", OLD);
    let seen = ground.expect(2, "run");
    assert!(seen.err.contains("no input came: nothing was run side by side"), "{seen}");
    assert!(seen.out.starts_with("could not tell"), "{seen}");
    let seen = ground.expect(2, "run");
    assert!(seen.err.contains("no input came") && seen.err.contains("shadow --again"), "{seen}");
    // An input that comes now makes another set of it.
    input(&ground, "late", 1.0);
    ground.expect(0, "shadow");
    assert_eq!(told(&ground)["counts"]["equal"], 1);
    ground.expect(0, "run --until live");
}

// rows: PC-5
#[test]
fn failing_on_one_side_is_a_no_and_failing_alike_is_counted_apart() {
    let refuses = "grep -q bad \"$1\" && { echo \"bad input $1\" >&2; exit 3; }\n";
    let old = format!("{refuses}{OLD}");
    let ground = shadowed("", &old);
    ground.write("src/kpi.sh", &old);
    ground.write("data/raw/bad.csv", "id,value\nbad,1\n");
    let seen = ground.expect(2, "run");
    assert!(seen.err.contains("no results were compared: 1 input, 1 fails alike"), "{seen}");
    input(&ground, "good", 1.0);
    let seen = ground.expect(0, "shadow --again");
    assert!(
        seen.err.contains("`data/raw/bad.csv`: yes: both fail alike with exit code 3: bad input {input}"),
        "{seen}"
    );
    let shadow = told(&ground);
    assert_eq!(
        (shadow["counts"]["equal"].as_u64(), shadow["counts"]["fails_alike"].as_u64()),
        (Some(1), Some(1))
    );
    assert_eq!(shadow["told"][0]["input"], "data/raw/bad.csv");

    for (old, new, words) in [
        (OLD.to_owned(), format!("{refuses}{OLD}"), "new fails where old does not: exit code 3"),
        (format!("{refuses}{OLD}"), OLD.to_owned(), "old fails where new does not: exit code 3"),
        (
            format!("{refuses}{OLD}"),
            format!("{}{OLD}", refuses.replace("exit 3", "exit 4")),
            "old fails with exit code 3, new with exit code 4",
        ),
        (
            format!("{refuses}{OLD}"),
            format!("{}{OLD}", refuses.replace("bad input", "wrong input")),
            "both fail, and say different things",
        ),
    ] {
        let ground = shadowed("", &new);
        ground.write("src/kpi.sh", &old);
        ground.write("data/raw/bad.csv", "id,value\nbad,1\n");
        let seen = ground.expect(1, "run");
        assert!(seen.err.contains(words) && seen.out.starts_with("no"), "{words}: {seen}");
        assert_eq!(told(&ground)["counts"]["no"], 1);
    }
}

// rows: PC-5
#[test]
fn a_command_that_never_begins_could_not_tell() {
    let ground = Ground::shop(&table("").replace("sh src/kpi.sh", "no-such-program"));
    input(&ground, "a", 1.0);
    let seen = ground.expect(2, "run");
    assert!(seen.out.starts_with("could not tell") && seen.err.contains("was not found"), "{seen}");
}

// rows: PC-5
#[test]
fn another_candidate_another_plan_or_another_live_tree_voids_what_was_counted() {
    let ground = shadowed("for = \"24h\"", OLD);
    input(&ground, "a", 1.0);
    ground.expect(2, "run");
    assert_eq!(told(&ground)["counts"]["equal"], 1);
    // The same again counts nothing twice.
    ground.expect(2, "run");
    assert_eq!(events(&ground, "shadow-input-started").len(), 1);

    ground.write("../new/src/app.py", "VERSION = 3\n");
    let seen = ground.expect(2, "run --restage");
    assert!(
        seen.err.contains("1 input counted before does not count any more: since then the candidate changed"),
        "{seen}"
    );
    assert_eq!(events(&ground, "shadow-started").len(), 2);

    ground.write("switchback.toml", format!("{}# a remark\n", ground.read("switchback.toml")));
    let status = ground.run("status").out;
    assert!(status.contains("void: since then the plan changed"), "{status}");
    let seen = ground.expect(2, "run");
    assert!(seen.err.contains("since then the plan changed"), "{seen}");

    ground.write("src/app.py", "VERSION = 0\n");
    let seen = ground.expect(1, "shadow --once");
    assert!(seen.err.contains("the live tree changed since the candidate was staged"), "{seen}");
    assert_eq!(events(&ground, "shadow-input-ended").len(), 3);
}

// rows: PC-5
#[test]
fn approval_waits_for_the_shadow() {
    let ground = shadowed("for = \"24h\"", OLD);
    ground.plan("approve = { roles = [\"risk\"] }\n", &table("for = \"24h\""));
    input(&ground, "a", 1.0);
    let seen = ground.expect(2, "run");
    insta::assert_snapshot!(seen, @r"
    $ switchback run
    --- stdout
    not over yet: phase unify is rehearsed; generation 0 is live
    --- stderr
      unify: snapshot [ID] verified: 2 files, 107 bytes
      unify: candidate staged: 0 added, 0 removed, 1 changed
      unify: rehearsal: yes: in and out again on a copy: all 3 entries are back as they were, and the undo touched none of 5 around them
      not over yet: waits for the shadow `shadow`: 0 of 24 h, 1 input, 1 equal

    next: `switchback shadow` waits for inputs and runs them; `switchback shadow --once` is for a timer
    --- exit 2
    ");
    let seen = ground.expect(2, "approve unify --role risk");
    assert!(seen.err.contains("the shadow `shadow` is not over: 0 of 24 h, 1 input, 1 equal"), "{seen}");
    let status = ground.run("status").out;
    assert!(
        status.contains("not yet: shadow shadow: until ") && status.contains("1 input, 1 equal"),
        "{status}"
    );
    assert!(status.contains("waits for the shadow `shadow`, until "), "{status}");
    assert!(ground.run("plan").out.contains("  shadow: data/raw/*.csv by old and new, for 1d\n"));
}

// rows: BX-10, PC-6
#[test]
fn an_approval_is_void_once_the_evidence_of_a_shadow_was_touched() {
    let ground = shadowed("", OLD);
    ground.plan("approve = { roles = [\"risk\"] }\n", &table(""));
    input(&ground, "a", 100.0);
    ground.expect(1, "run");
    ground.expect(0, "approve unify --role risk");
    let relied = events(&ground, "approved")[0]["relied_on"].clone();
    let shadow = relied.as_array().unwrap().iter().find(|one| one["at"] == "shadow").unwrap().clone();
    let path = format!(".switchback/evidence/{}", shadow["evidence"].as_str().unwrap());
    let report = ground.read(&path);
    ground.write(&path, report.replace("\"equal\"", "\"Equal\""));
    let seen = ground.expect(1, "run");
    assert!(seen.err.contains("since then the evidence of the shadow `shadow` changed"), "{seen}");
    assert_eq!(ground.read("src/app.py"), "VERSION = 1\n");
    ground.write(&path, report);
    ground.expect(0, "run");
}

// rows: PC-5, BX-10
#[test]
fn a_set_that_is_another_one_since_it_was_counted_does_not_count() {
    let refused = |ground: &Ground, what: &str| {
        let seen = ground.expect(1, "approve unify --role risk");
        let why = format!("the shadow `shadow` is void: since then the input `data/raw/{what}");
        assert!(seen.err.contains(&why), "{seen}");
        assert!(seen.err.contains("`switchback shadow` begins it anew"), "{seen}");
    };
    let ground = shadowed("", OLD);
    ground.plan("approve = { roles = [\"risk\"] }\n", &table(""));
    input(&ground, "a", 1.0);
    input(&ground, "b", 2.0);
    ground.expect(1, "run");
    // Touched is not changed.
    ground.shell("touch data/raw/a.csv; chmod 600 data/raw/b.csv");
    ground.expect(0, "approve unify --role risk");
    ground.expect(0, "run --until approved");
    assert_eq!(events(&ground, "shadow-started").len(), 1);
    // One is replaced by another of the same time, one is added.
    ground.shell("cp -p data/raw/a.csv ../time");
    input(&ground, "a", 3.0);
    ground.shell("touch -r ../time data/raw/a.csv");
    refused(&ground, "a.csv` changed");
    let seen = ground.expect(1, "run --until live");
    assert!(
        seen.err.contains("2 inputs counted before do not count any more: since then the input"),
        "{seen}"
    );
    assert!(seen.err.contains("since then the evidence of the shadow `shadow` changed"), "{seen}");
    assert_eq!(told(&ground)["counts"]["equal"], 2);
    ground.expect(0, "approve unify --role risk");
    input(&ground, "c", 4.0);
    refused(&ground, "c.csv` came");
    ground.expect(0, "shadow");
    assert_eq!(told(&ground)["counts"]["equal"], 3);
    // What is taken away was counted, and says nothing about what is left.
    fs::remove_file(ground.at("data/raw/b.csv")).unwrap();
    ground.expect(0, "approve unify --role risk");
    ground.expect(0, "run --until live");
    assert_eq!(ground.read("src/app.py"), "VERSION = 2\n");
}

// rows: PC-5
#[test]
fn leaving_results_on_one_side_alone_is_a_difference_and_on_neither_proves_nothing() {
    for (old, new, code, words) in [
        (OLD, "true\n", 1, "new ended well and left no results, and old left some"),
        ("true\n", OLD, 1, "old ended well and left no results, and new left some"),
        ("true\n", "true\n", 2, "nothing to compare"),
    ] {
        let ground = shadowed("", new);
        ground.write("src/kpi.sh", old);
        input(&ground, "a", 1.0);
        let seen = ground.expect(code, "run");
        assert!(seen.err.contains(words), "{seen}");
        assert_eq!(ground.read("src/app.py"), "VERSION = 1\n");
    }
    // What a signal ended on one side says nothing about the other.
    let ground = shadowed("", "sh -c 'kill -9 $$'; exit $?\n");
    input(&ground, "a", 1.0);
    let seen = ground.expect(2, "run");
    assert!(
        seen.err.contains("ended with exit code 137: a shell says so of one that signal 9 killed"),
        "{seen}"
    );
}
