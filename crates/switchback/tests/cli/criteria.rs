//! Criteria of a plan: computed from checks and triggers, signed by roles, and waited for.

use std::os::unix::fs::PermissionsExt;

use serde_json::Value;

use super::approvals::forged::append;
use super::approvals::{approver, key_file};
use super::ground::Ground;

const PLAN: &str = r#"
[[check]]
name = "there"
kind = "files"
exist = ["src/app.py"]
at = ["staged", "live"]

[[trigger]]
when = { check = "there" }
do = "tell"

[[criterion]]
name = "the program is there"
at = "cut-over"
checks = ["there"]
required = true

[[criterion]]
name = "stakeholders are told"
at = "cut-over"
signed = "lead"
required = true

[[criterion]]
name = "nothing fired"
at = "finish"
checks = ["there"]
no_trigger = true

[[criterion]]
name = "users are content"
at = "finish"
signed = "product"
required = true

[[criterion]]
name = "quiet for an hour"
at = "+1h"
signed = "lead"
"#;

fn sign(ground: &Ground, code: i32, verb: &str, role: &str, criterion: &str) -> super::ground::Seen {
    let mut arguments = vec![verb, "unify", "--role", role, "--criterion", criterion];
    if verb == "reject" {
        arguments.extend(["--why", "segment B complains"]);
    }
    let seen = ground.run_arguments(&arguments);
    assert_eq!(seen.code, code, "{seen}");
    seen
}

/// The criterion of that name in `status --json`.
fn criterion(ground: &Ground, name: &str) -> Value {
    let status = ground.run("status --json").json();
    let found = status["criteria"].as_array().unwrap().iter().find(|one| one["name"] == name);
    found.unwrap_or_else(|| panic!("no criterion `{name}`: {status}")).clone()
}

// rows: RE-19, PC-1
#[test]
#[expect(clippy::too_many_lines, reason = "one story, told word by word")]
fn a_phase_waits_for_what_only_persons_can_know_and_the_rest_is_computed() {
    let ground = Ground::shop(PLAN);
    assert_eq!(criterion(&ground, "the program is there")["open"], true);
    let seen = ground.expect(1, "run");
    assert!(
        seen.err.contains("the criterion `stakeholders are told` is not signed in the role `lead`"),
        "{seen}"
    );
    assert!(
        seen.err
            .contains("`switchback approve unify --role lead --criterion 'stakeholders are told'` signs it"),
        "{seen}"
    );
    assert_eq!(ground.read("src/app.py"), "VERSION = 1\n");
    let there = criterion(&ground, "the program is there");
    assert_eq!(
        (&there["verdict"], &there["by"], &there["at"]),
        (&"yes".into(), &"check there".into(), &"cut-over".into())
    );
    let status = ground.run("status");
    assert!(
        status.out.contains("waits for the criterion `stakeholders are told`, signed in the role `lead`"),
        "{status}"
    );
    // Not by another role, not what is computed, not before anybody can know.
    assert!(
        sign(&ground, 2, "approve", "risk", "stakeholders are told")
            .err
            .contains("in the role `lead`, not `risk`")
    );
    assert!(
        sign(&ground, 2, "approve", "lead", "the program is there")
            .err
            .contains("is computed: nobody signs it")
    );
    assert!(sign(&ground, 2, "approve", "product", "users are content").err.contains("nobody can know yet"));
    assert!(
        sign(&ground, 2, "approve", "lead", "nobody is told")
            .err
            .contains("has no criterion `nobody is told`")
    );
    sign(&ground, 0, "approve", "lead", "stakeholders are told");
    let seen = ground.expect(1, "run");
    assert!(
        seen.err.contains("the criterion `users are content` is not signed in the role `product`"),
        "{seen}"
    );
    assert_eq!(ground.read("src/app.py"), "VERSION = 2\n");
    assert!(
        sign(&ground, 2, "approve", "lead", "quiet for an hour").err.contains("+1h after the cutover is")
    );
    sign(&ground, 0, "reject", "product", "users are content");
    let seen = ground.expect(1, "run");
    assert!(
        seen.err.contains("`users are content` does not hold: ") && seen.err.contains("segment B complains"),
        "{seen}"
    );
    let report = ground.expect(0, "report --format markdown").out;
    assert!(report.contains("Criteria of the plan") && report.contains("segment B complains"), "{report}");
    sign(&ground, 0, "approve", "product", "users are content");
    ground.expect(0, "run");
    assert_eq!(criterion(&ground, "nothing fired")["verdict"], "yes");
    insta::assert_snapshot!(ground.expect(0, "status"), @r"
    $ switchback status
    --- stdout
    project shop: generation 1 is live
      phase unify: finished (yes)
      yes: a verified snapshot exists
      yes: there at staged, live
      yes: rehearsed in and out again
      criteria at cut-over:
        yes: the program is there (check there, required)
        yes: stakeholders are told ([ACTOR] in the role lead, required)
      criteria at +1h:
        not yet: quiet for an hour (role lead)
      criteria at finish:
        yes: nothing fired (check there, triggers)
        yes: users are content ([ACTOR] in the role product, required)
      trigger (tell) when the check `there` says no: not rehearsed: the plan does not say how it breaks
    `switchback rollback` makes generation 0 live again (exchange)
    --- exit 0
    ");
    ground.expect(0, "log verify");
}

// rows: RE-19
#[test]
fn what_was_signed_is_void_for_another_candidate_plan_or_wording() {
    let ground = Ground::shop(PLAN);
    ground.expect(1, "run");
    let signed = |ground: &Ground| criterion(ground, "stakeholders are told")["verdict"] == "yes";
    sign(&ground, 0, "approve", "lead", "stakeholders are told");
    assert!(signed(&ground));
    // Another candidate.
    ground.write("../new/src/app.py", "VERSION = 3\n");
    ground.expect(1, "run --restage");
    assert!(!signed(&ground));
    sign(&ground, 0, "approve", "lead", "stakeholders are told");
    assert!(signed(&ground));
    // Another plan: what was shown is no longer what would happen.
    let plan = ground.read("switchback.toml");
    ground.write("switchback.toml", format!("{plan}\n# edited\n"));
    assert!(!signed(&ground));
    ground.expect(1, "run");
    ground.write("switchback.toml", plan);
    ground.expect(1, "run --restage");
    sign(&ground, 0, "approve", "lead", "stakeholders are told");
    // Once live, an edit elsewhere in the plan takes nothing back; another wording of the criterion does.
    ground.expect(1, "run");
    let plan = ground.read("switchback.toml");
    ground.write("switchback.toml", format!("{plan}\n# edited\n"));
    assert!(signed(&ground));
    ground.write(
        "switchback.toml",
        plan.replace("signed = \"lead\"\nrequired", "signed = \"lead\"\nphases = [\"unify\"]\nrequired"),
    );
    assert!(!signed(&ground));
}

#[test]
fn a_trigger_that_fired_and_a_check_that_says_no_refute_a_criterion() {
    let plan = PLAN
        .replace("signed = \"lead\"\nrequired = true", "signed = \"lead\"")
        .replace("no_trigger = true", "no_trigger = true\nrequired = true");
    let ground =
        Ground::shop(&plan.replace("at = [\"staged\", \"live\"]", "at = [\"staged\", \"live\", \"+1s\"]"));
    ground.expect(0, "run --until live");
    assert_eq!(criterion(&ground, "nothing fired")["verdict"], "unknown");
    assert_eq!(criterion(&ground, "stakeholders are told")["open"], true, "it was not required");
    std::fs::remove_file(ground.at("src/app.py")).unwrap();
    std::thread::sleep(std::time::Duration::from_millis(1_100));
    ground.expect(1, "run");
    let fired = criterion(&ground, "nothing fired");
    assert_eq!(fired["verdict"], "no", "{fired}");
    assert!(fired["by"].as_str().unwrap().contains("trigger on there (tell)"), "{fired}");
}

/// `lead` is Ana's role, and hers alone.
fn keyed() -> Ground {
    let books = "[[criterion]]\nname = \"the books are closed\"\nat = \"cut-over\"\nsigned = \"lead\"\n";
    let ground = Ground::shop(&format!("{}\n{PLAN}\n{books}", approver("Ana", "\"lead\"", "ana")));
    for name in ["ana", "bo"] {
        let path = format!("../keys/{name}");
        ground.write(&path, std::fs::read(key_file(name)).unwrap());
        std::fs::set_permissions(ground.at(&path), std::fs::Permissions::from_mode(0o600)).unwrap();
    }
    ground.expect(1, "run");
    ground
}

fn sign_with(ground: &Ground, code: i32, key: &str) -> super::ground::Seen {
    let path = format!("../keys/{key}");
    let criterion = ["approve", "unify", "--role", "lead", "--criterion", "stakeholders are told"];
    let seen = ground.run_arguments(&[&criterion[..], &["--key", &path]].concat());
    assert_eq!(seen.code, code, "{seen}");
    seen
}

// rows: RE-19, PC-1
#[test]
fn where_the_plan_lists_keys_only_a_signed_word_counts() {
    let ground = keyed();
    let seen = ground.expect(1, "run");
    assert!(
        seen.err.contains("--role lead --criterion 'stakeholders are told' --key FILE` signs it"),
        "{seen}"
    );
    let seen = sign(&ground, 2, "approve", "lead", "stakeholders are told");
    assert!(
        seen.err.contains("approvals in the role `lead` are signed: the plan lists the keys of Ana"),
        "{seen}"
    );
    assert!(seen.err.contains("--criterion 'stakeholders are told' --key FILE`"), "{seen}");
    let seen = sign_with(&ground, 2, "bo");
    assert!(seen.err.contains("belongs to nobody"), "{seen}");
    assert_eq!(criterion(&ground, "stakeholders are told")["verdict"], "unknown");
    // A refusal needs no key, and whoever signs from the same place takes it back.
    sign(&ground, 0, "reject", "lead", "stakeholders are told");
    assert_eq!(criterion(&ground, "stakeholders are told")["verdict"], "no");
    sign_with(&ground, 0, "ana");
    let stakeholders = criterion(&ground, "stakeholders are told");
    assert_eq!(
        (&stakeholders["verdict"], &stakeholders["by"]),
        (&"yes".into(), &"Ana in the role lead".into())
    );
    let verified = ground.expect(0, "log verify");
    assert!(verified.out.contains("1 signature"), "{verified}");
}

#[test]
fn a_signed_word_that_was_altered_does_not_count_and_is_found() {
    let ground = keyed();
    sign_with(&ground, 0, "ana");
    let log = ground.run("log --json").out;
    let mut events = log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let signed = events.rfind(|event| event["event"] == "criterion-signed").unwrap()["body"].clone();
    // The same signature beside another criterion of the role, in a journal whose chain is whole.
    let mut altered = signed.clone();
    altered["criterion"] = "the books are closed".into();
    append(&ground, "criterion-signed", &altered);
    assert_eq!(criterion(&ground, "the books are closed")["verdict"], "unknown");
    let verified = ground.expect(1, "log verify");
    assert!(verified.out.contains("it does not say what was signed"), "{verified}");
    // Without its signature, or with one that is not over it, it takes no refusal back.
    sign(&ground, 0, "reject", "lead", "stakeholders are told");
    let mut unsigned = signed.clone();
    unsigned.as_object_mut().unwrap().remove("signed");
    append(&ground, "criterion-signed", &unsigned);
    let mut damaged = signed.clone();
    damaged["signed"]["envelope"]["signatures"][0]["sig"] = "AAAA".into();
    append(&ground, "criterion-signed", &damaged);
    let stakeholders = criterion(&ground, "stakeholders are told");
    assert_eq!(stakeholders["verdict"], "no", "{stakeholders}");
    append(&ground, "criterion-signed", &signed);
    assert_eq!(criterion(&ground, "stakeholders are told")["verdict"], "no", "ana@laptop is not who refused");
    sign_with(&ground, 0, "ana");
    assert_eq!(criterion(&ground, "stakeholders are told")["verdict"], "yes");
}

// rows: RE-19, PC-1
#[test]
fn of_a_repeated_check_every_look_up_to_the_point_counts() {
    let criteria = [("quiet", "+2s"), ("quiet to the end", "finish")].map(|(name, at)| {
        format!("[[criterion]]\nname = \"{name}\"\nat = \"{at}\"\nchecks = [\"there\"]\n\n")
    });
    let check = "[[check]]\nname = \"there\"\nkind = \"files\"\nexist = [\"src/app.py\"]\nat = [\"every 1s for 3s\"]\n\n";
    let ground = Ground::shop(&format!("{check}{}", criteria.concat()));
    ground.expect(0, "run --until live");
    let quiet = criterion(&ground, "quiet");
    assert_eq!((&quiet["verdict"], &quiet["open"]), (&"unknown".into(), &true.into()), "{quiet}");
    ground.expect(0, "watch");
    for name in ["quiet", "quiet to the end"] {
        let one = criterion(&ground, name);
        assert_eq!(
            (&one["verdict"], &one["by"]),
            (&"yes".into(), &"check there every 1s for 3s".into()),
            "{one}"
        );
    }
}
