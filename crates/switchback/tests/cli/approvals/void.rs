//! One byte changed in anything that was approved, and the approval is void; what changed is named, in `run` and in `status`.

use super::super::ground::Ground;
use super::{approve, of_risk, rehearsed};

fn approved() -> Ground {
    let ground = rehearsed("roles = [\"risk\"]", &of_risk());
    approve(&ground, 0, "risk", "ana");
    ground.expect(0, "run --until approved");
    ground
}

/// The report of the check that the approval relies on, relative to the project.
fn report(ground: &Ground) -> String {
    let hash = ground.run("log --json").out.lines().find_map(|line| {
        let event: serde_json::Value = serde_json::from_str(line).unwrap();
        let is_it = event["event"] == "check-ended" && event["body"]["check"] == "rules";
        is_it.then(|| event["body"]["evidence"].as_str().unwrap().to_owned())
    });
    format!(".switchback/evidence/{}", hash.unwrap())
}

fn candidate(ground: &Ground) -> String {
    let names = std::fs::read_dir(ground.at("")).unwrap().map(|entry| entry.unwrap().file_name());
    let name =
        names.map(|name| name.into_string().unwrap()).find(|name| name.starts_with(".src.sb-")).unwrap();
    format!("{name}/app.py")
}

fn flip(ground: &Ground, path: &str) {
    let mut bytes = ground.read(path).into_bytes();
    let last = bytes.len() - 2;
    bytes[last] ^= 1;
    ground.write(path, bytes);
}

/// What `status --json` says keeps the role open.
fn why(ground: &Ground) -> String {
    let document = ground.run("status --json").json();
    let waits = document["waits_for"].as_array().unwrap().clone();
    let approval = waits.iter().find(|waits| waits["kind"] == "approval");
    let approval = approval.unwrap_or_else(|| panic!("no approval is missing: {document}"));
    assert_eq!(approval["role"], "risk");
    assert_eq!(approval["missing"], 1);
    approval["why"].to_string()
}

// rows: BX-10, PC-6, RE-10
#[test]
fn a_byte_of_the_plan() {
    let ground = approved();
    let plan = ground.read("switchback.toml");
    ground.write("switchback.toml", format!("{plan}#"));
    let seen = ground.expect(1, "run");
    assert!(
        seen.err.contains("(the approval of Ana is void, because since then the plan changed)"),
        "{seen}"
    );
    assert!(why(&ground).contains("the approval of Ana is void, because since then the plan changed"));
    // The very bytes that were approved count again: nothing of it was used up.
    ground.write("switchback.toml", plan);
    ground.expect(0, "run");
}

// rows: BX-10, PC-6, RE-10
#[test]
fn a_byte_of_the_candidate() {
    let ground = approved();
    flip(&ground, &candidate(&ground));
    assert!(why(&ground).contains("the candidate was touched since it was staged"));
    let status = ground.run("status");
    assert!(status.out.contains("could not tell: approved by risk"), "{status}");
    let seen = ground.expect(1, "run");
    assert!(
        seen.err.contains("(the approval of Ana is void, because since then the candidate changed)"),
        "{seen}"
    );
    assert_eq!(ground.read("src/app.py"), "VERSION = 1\n");
}

// rows: BX-10, PC-6, RE-10
#[test]
fn a_byte_of_the_evidence() {
    let ground = approved();
    let report = report(&ground);
    flip(&ground, &report);
    let seen = ground.expect(1, "run");
    let what = "the evidence of the check `rules` at staged changed";
    assert!(
        seen.err.contains(&format!("(the approval of Ana is void, because since then {what})")),
        "{seen}"
    );
    assert!(why(&ground).contains(what));
    insta::assert_snapshot!(ground.run("status"), @r#"
    $ switchback status
    --- stdout
    project shop: generation 0 is live
      phase unify: rehearsed
      yes: a verified snapshot exists
      yes: rules at staged
      yes: rehearsed in and out again
      not yet: approved by risk
      yes: both trees are as they were staged
      approval in the role risk by Ana (SHA256:EGxd4OZcxRAYcfODAIoVONSd4wB3+yts2w+l4HiyS20): void, because since then the evidence of the check `rules` at staged changed
        the evidence of the check `rules` at staged: approved was [ID], now it is gone or damaged
    waits for an approval in the role `risk`
    there is nothing to roll back
    --- exit 2
    "#);
    assert_eq!(ground.read("src/app.py"), "VERSION = 1\n");
    std::fs::remove_file(ground.at(&report)).unwrap();
    assert!(why(&ground).contains(what), "evidence that is gone is no evidence");
}

// rows: BX-10
#[test]
fn another_look_of_a_check_with_another_answer() {
    let ground = approved();
    // What it reads changes, and it looks again: its evidence is another one, and nobody has seen that.
    ground.write("rules.txt", "at most 50 %\n");
    ground.expect(0, "check rules --at staged");
    let status = ground.run("status --json").json();
    let changed = &status["approvals"][0]["votes"][0]["changed"];
    let what: Vec<&str> =
        changed.as_array().unwrap().iter().map(|one| one["what"].as_str().unwrap()).collect();
    assert!(what.contains(&"the inputs"), "{status}");
    assert_ne!(changed[0]["approved"], changed[0]["now"]);
    ground.expect(1, "run");
    approve(&ground, 0, "risk", "ana");
    ground.expect(0, "run");
}

// rows: BX-10
#[test]
fn another_candidate() {
    let ground = approved();
    ground.expect(1, "run --restage");
    let seen = ground.expect(1, "run");
    assert!(seen.err.contains("role `risk`: 0 of 1 approvals"), "{seen}");
}
