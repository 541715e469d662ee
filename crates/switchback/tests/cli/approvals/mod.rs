//! Approvals that are signed: who may, what they are about, and everything that keeps one from counting.

pub(crate) mod forged;
mod keys;
mod void;
mod window;

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::ground::Ground;

/// A check whose evidence an approval relies on.
const CHECK: &str =
    "[[check]]\nname = \"rules\"\nkind = \"files\"\nexist = [\"src/app.py\"]\ninputs = [\"rules.txt\"]\n";

/// Keys that `ssh-keygen` made, for tests alone.
pub(crate) fn key_file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../switchback-signature/tests/keys").join(name)
}

pub(crate) fn public(name: &str) -> String {
    std::fs::read_to_string(key_file(&format!("{name}.pub"))).unwrap().trim().to_owned()
}

pub(crate) fn approver(name: &str, roles: &str, key: &str) -> String {
    format!("[[approver]]\nname = \"{name}\"\nroles = [{roles}]\nkeys = [\"{}\"]\n\n", public(key))
}

/// Ana and Bo have the role `risk`, and Bo is `tech-lead` as well. Cy is nobody.
fn persons() -> String {
    [approver("Ana", "\"risk\"", "ana"), approver("Bo", "\"risk\", \"tech-lead\"", "bo")].concat()
}

/// Both of them have the role `risk`, and no other.
fn of_risk() -> String {
    [approver("Ana", "\"risk\"", "ana"), approver("Bo", "\"risk\"", "bo")].concat()
}

/// A project whose phase is rehearsed, with these keys in `approve` and `more` in its plan. The private keys lie beside it.
fn rehearsed(approve: &str, more: &str) -> Ground {
    let ground = laid_out(approve, more);
    ground.expect(0, "run --until rehearsed");
    ground
}

/// The same before anything is run.
fn laid_out(approve: &str, more: &str) -> Ground {
    let ground = Ground::shop("");
    ground.write("rules.txt", "at most 5 %\n");
    for name in ["ana", "bo", "cy", "locked", "ecdsa"] {
        let path = format!("../keys/{name}");
        ground.write(&path, std::fs::read(key_file(name)).unwrap());
        std::fs::set_permissions(ground.at(&path), std::fs::Permissions::from_mode(0o600)).unwrap();
    }
    ground.plan(&format!("approve = {{ {approve} }}\n"), &format!("{CHECK}\n{more}"));
    ground
}

fn approve(ground: &Ground, code: i32, role: &str, key: &str) -> super::ground::Seen {
    ground.expect(code, &format!("approve unify --role {role} --key ../keys/{key}"))
}

// rows: PC-6, RE-10, TM-13
#[test]
fn two_persons_of_a_role_and_one_of_another_sign_what_then_goes_live() {
    let ground = rehearsed("roles = [\"risk\", \"tech-lead\"], each = { risk = 1 }", &persons());
    who_may_not_sign_is_refused_by_name(&ground);
    they_sign(&ground);
    let document = ground.run("status --json").json();
    assert_eq!(document["waits_for"], serde_json::json!([{"kind": "run"}]));
    let vote = &document["approvals"][0]["votes"][0];
    assert_eq!((&vote["who"], &vote["counts"]), (&"Ana".into(), &true.into()));
    assert_eq!(vote["key"], "SHA256:EGxd4OZcxRAYcfODAIoVONSd4wB3+yts2w+l4HiyS20");
    insta::assert_snapshot!(ground.run("log verify"), @r#"
    $ switchback log verify
    --- stdout
    yes: 11 events, 2 signatures verified
      head [HASH]
    --- stderr
    a cut-off end, or a journal written anew as a whole, shows only beside a head kept elsewhere
    --- exit 0
    "#);
    ground.expect(0, "run");
    assert_eq!(ground.read("src/app.py"), "VERSION = 2\n");
    let report = ground.expect(0, "report --format markdown");
    assert!(report.out.contains("signed with `SHA256:"), "{report}");
    let report = ground.run("report --json").json();
    assert!(report.to_string().contains("\"person\":\"Ana\""), "{report}");
}

fn who_may_not_sign_is_refused_by_name(ground: &Ground) {
    insta::assert_snapshot!(ground.run("plan"), @r#"
    $ switchback plan
    --- stdout
    project shop
      manages src (mirrored)
    phase unify
      change: take files from `../new`: 0 added, 0 removed, 1 changed
      check: rules (files) at staged
      approval: 1 of role risk, signed by Ana or Bo
      approval: 1 of role tech-lead, signed by Bo
    cutover by exchange; old and new can be seen mixed for about [N] ms
    --- exit 0
    "#);
    insta::assert_snapshot!(ground.run("approve unify --role risk"), @r#"
    $ switchback approve unify --role risk
    --- stdout
    no: phase unify does not go live yet
    --- stderr
      no: approvals in the role `risk` are signed: the plan lists the keys of Ana, Bo

    next: `switchback approve unify --role risk --key FILE` signs with a private key
    --- exit 1
    "#);
    insta::assert_snapshot!(approve(ground, 1, "risk", "cy"), @r#"
    $ switchback approve unify --role risk --key ../keys/cy
    --- stdout
    no: phase unify does not go live yet
    --- stderr
      no: the key SHA256:eNpg3mDWgLezXe87hLJYuJriDaag+grsWEwHe6eGpls belongs to nobody: the plan lists it for no approver

    next: whoever has the role signs: Ana, Bo
    --- exit 1
    "#);
    insta::assert_snapshot!(approve(ground, 1, "tech-lead", "ana"), @r#"
    $ switchback approve unify --role tech-lead --key ../keys/ana
    --- stdout
    no: phase unify does not go live yet
    --- stderr
      no: the key SHA256:EGxd4OZcxRAYcfODAIoVONSd4wB3+yts2w+l4HiyS20 is that of Ana, who does not have the role `tech-lead`

    next: whoever has the role signs: Bo
    --- exit 1
    "#);
}

fn they_sign(ground: &Ground) {
    insta::assert_snapshot!(approve(ground, 1, "risk", "ana"), @r#"
    $ switchback approve unify --role risk --key ../keys/ana
    --- stdout
    no: phase unify does not go live yet
    --- stderr
      no: role `tech-lead`: 0 of 1 approvals

    next: `switchback approve unify --role tech-lead --key FILE`
    --- exit 1
    "#);
    insta::assert_snapshot!(approve(ground, 0, "tech-lead", "bo"), @r#"
    $ switchback approve unify --role tech-lead --key ../keys/bo
    --- stdout
    yes: phase unify is approved
    --- exit 0
    "#);
    insta::assert_snapshot!(ground.run("status"), @r#"
    $ switchback status
    --- stdout
    project shop: generation 0 is live
      phase unify: approved
      yes: a verified snapshot exists
      yes: rules at staged
      yes: rehearsed in and out again
      yes: approved by risk
      yes: approved by tech-lead
      yes: both trees are as they were staged
      approval in the role risk by Ana (SHA256:EGxd4OZcxRAYcfODAIoVONSd4wB3+yts2w+l4HiyS20): it counts
      approval in the role tech-lead by Bo (SHA256:tVk88Np2bY6UTavAwWYk9imZ27iq3bW8716PLpJA2z4): it counts
    waits for `switchback run`
    there is nothing to roll back
    --- exit 2
    "#);
}

// rows: PC-6
#[test]
fn one_person_counts_once_whatever_is_tried() {
    let ground = rehearsed("roles = [\"risk\", \"tech-lead\"], each = { risk = 2 }", &persons());
    approve(&ground, 1, "risk", "ana");
    // The same person again is not a second one.
    insta::assert_snapshot!(approve(&ground, 1, "risk", "ana"), @r#"
    $ switchback approve unify --role risk --key ../keys/ana
    --- stdout
    no: phase unify does not go live yet
    --- stderr
      no: role `risk`: 1 of 2 approvals (Ana approved 2 times and counts once)
      no: role `tech-lead`: 0 of 1 approvals

    next: `switchback approve unify --role risk --key FILE`
    --- exit 1
    "#);
    approve(&ground, 1, "risk", "bo");
    // Bo has both roles, and is one person.
    insta::assert_snapshot!(approve(&ground, 1, "tech-lead", "bo"), @r#"
    $ switchback approve unify --role tech-lead --key ../keys/bo
    --- stdout
    no: phase unify does not go live yet
    --- stderr
      no: Bo approved in the role `risk` already, and one person counts once

    next: somebody else who has the role signs; `several_roles = true` in `approve` lets one person count in several
    --- exit 1
    "#);
    let seen = ground.expect(1, "run");
    assert!(seen.err.contains("role `tech-lead`: 0 of 1 approvals"), "{seen}");
    let waits = ground.run("status --json").json()["waits_for"].clone();
    assert_eq!(
        waits,
        serde_json::json!([{"kind": "approval", "role": "tech-lead", "missing": 1, "why": []}])
    );
    assert_eq!(ground.read("src/app.py"), "VERSION = 1\n");
    // Where the plan says so, one person may sign in several roles.
    let ground = rehearsed("roles = [\"risk\", \"tech-lead\"], several_roles = true", &persons());
    approve(&ground, 1, "risk", "bo");
    approve(&ground, 0, "tech-lead", "bo");
    ground.expect(0, "run");
}

// rows: PC-6, RE-10
#[test]
fn a_refusal_stands_until_somebody_approves_in_the_same_role() {
    let ground = rehearsed("roles = [\"risk\", \"tech-lead\"]", &persons());
    approve(&ground, 1, "risk", "ana");
    ground.run_arguments(&["reject", "unify", "--role", "risk", "--why", "the KPI is off"]);
    // In another role it is not withdrawn.
    let seen = approve(&ground, 1, "tech-lead", "bo");
    assert!(seen.err.contains("refused: the KPI is off"), "{seen}");
    assert_eq!(ground.run("run").code, 1);
    assert_eq!(ground.run("status --json").json()["approvals"][0]["refused"], true);
    // Somebody who may not approve withdraws nothing either.
    approve(&ground, 1, "risk", "cy");
    ground.expect(1, "run");
    let seen = approve(&ground, 0, "risk", "ana");
    assert!(seen.err.contains("is withdrawn by this: the KPI is off"), "{seen}");
    ground.expect(0, "run");
}

// rows: PC-6
#[test]
fn an_approval_that_is_over_does_not_count_and_can_be_renewed() {
    let ground = rehearsed("roles = [\"risk\"], valid_for = \"1s\"", &of_risk());
    ground.run("approve unify --role risk --key ../keys/ana");
    std::thread::sleep(std::time::Duration::from_millis(1_100));
    let seen = ground.expect(1, "run");
    insta::assert_snapshot!(seen, @r#"
    $ switchback run
    --- stdout
    no: phase unify is rehearsed; generation 0 is live
    --- stderr
      no: role `risk`: 0 of 1 approvals (the approval of Ana expired at [TIME])

    next: `switchback approve unify --role risk --key FILE`
    --- exit 1
    "#);
    let status = ground.run("status");
    assert!(status.out.contains("approval in the role risk by Ana (SHA256:"), "{status}");
    assert!(status.out.contains("): expired at "), "{status}");
    let why = ground.run("status --json").json()["waits_for"][0]["why"][0].to_string();
    assert!(why.contains("the approval of Ana expired at "), "{why}");
    assert_eq!(ground.read("src/app.py"), "VERSION = 1\n");
    // Renewed, it counts; how long a run takes to begin is not measured here.
    let plan = ground.read("switchback.toml").replace("\"1s\"", "\"1h\"");
    ground.write("switchback.toml", plan);
    ground.expect(1, "run --restage");
    let seen = approve(&ground, 0, "risk", "ana");
    assert!(ground.run("status").out.contains("it counts, until 20"), "{seen}");
    ground.expect(0, "run");
}

// rows: TM-13
#[test]
fn a_role_without_keys_is_approved_by_whoever_is_there_and_once() {
    let ground = rehearsed("roles = [\"risk\"], each = 2", "");
    let seen = ground.expect(1, "approve unify --role risk");
    assert!(seen.err.contains("role `risk`: 1 of 2 approvals"), "{seen}");
    let seen = ground.expect(1, "approve unify --role risk");
    assert!(seen.err.contains("approved 2 times and counts once"), "{seen}");
    // A signature is taken where none is asked for, and does not make a second person.
    let seen = approve(&ground, 1, "risk", "cy");
    assert!(seen.err.contains("role `risk`: 1 of 2 approvals"), "{seen}");
    ground.expect(1, "run");
}
