//! `plan`: what it shows, and what it says when the candidate is not there.

use super::ground::{APPROVE, Ground, THERE};

#[test]
#[expect(clippy::too_many_lines, reason = "one story, told word by word")]
fn plan_shows_everything_and_touches_nothing() {
    let ground = Ground::shop("");
    ground.plan(
        APPROVE,
        &format!("{THERE}at = [\"before\", \"staged\", \"+24h\"]\n\n[[trigger]]\nwhen = {{ check = \"there\" }}\ndo = \"hold\"\n"),
    );
    ground.write("../new/src/more.py", "");
    let before = ground.listing();
    insta::assert_snapshot!(ground.run("plan"), @r#"
    $ switchback plan
    --- stdout
    project shop
      manages src (mirrored)
    phase unify
      change: take files from `../new`: 1 added, 0 removed, 1 changed
      check: there (files) at before, staged, +1d
      approval: 1 of role risk
      approval: 1 of role tech-lead
    trigger: hold when the check `there` says no; not rehearsed
    cutover by exchange; old and new can be seen mixed for about [N] ms
    --- exit 0
    "#);
    insta::assert_snapshot!(ground.run("plan --json"), @r#"
    $ switchback plan --json
    --- stdout
    {
      "schema": "switchback/plan/1",
      "verdict": "yes",
      "changes": [
        {
          "conflicts": [],
          "does": "take files from `../new`",
          "files": {
            "added": 1,
            "changed": 1,
            "moved": 0,
            "removed": 0
          },
          "kind": "files",
          "phase": "unify"
        }
      ],
      "checks": [],
      "criteria": [
        {
          "by": "snapshot",
          "name": "a verified snapshot exists",
          "verdict": "unknown"
        },
        {
          "by": "check there",
          "name": "there at staged",
          "verdict": "unknown"
        },
        {
          "by": "check there",
          "name": "there at +1d",
          "verdict": "unknown"
        },
        {
          "by": "rehearsal",
          "name": "rehearsed in and out again",
          "verdict": "unknown"
        },
        {
          "by": "approval risk",
          "name": "approved by risk",
          "verdict": "unknown"
        },
        {
          "by": "approval tech-lead",
          "name": "approved by tech-lead",
          "verdict": "unknown"
        }
      ],
      "failed": null,
      "generation": 0,
      "mechanism": "exchange",
      "phase": "unify",
      "phases": [
        {
          "name": "unify",
          "point": "waiting",
          "verdict": "unknown"
        }
      ],
      "point": "waiting",
      "project": "shop",
      "required_approvals": [
        {
          "needed": 1,
          "persons": [],
          "phase": "unify",
          "role": "risk",
          "several_roles": false,
          "valid_for_seconds": null
        },
        {
          "needed": 1,
          "persons": [],
          "phase": "unify",
          "role": "tech-lead",
          "several_roles": false,
          "valid_for_seconds": null
        }
      ],
      "rollback": {
        "mechanism": null,
        "possible": false,
        "to_generation": null
      },
      "run": null,
      "triggers": [
        {
          "action": "hold",
          "check": "there",
          "could_not_tell": null,
          "fired": 0,
          "rehearsal_declared": false,
          "seen": null,
          "when": "the check `there` says no",
          "would_have_fired": null
        }
      ],
      "waits_for": [
        {
          "kind": "run"
        }
      ],
      "window_ms_expected": 0.01
    }
    --- exit 0
    "#);
    assert_eq!(ground.listing(), before);
}

#[test]
fn plan_says_when_nothing_would_be_proved_and_when_the_candidate_is_not_there() {
    let ground = Ground::shop("");
    insta::assert_snapshot!(ground.run("plan"), @r#"
    $ switchback plan
    --- stdout
    project shop
      manages src (mirrored)
    phase unify
      change: take files from `../new`: 0 added, 0 removed, 1 changed
      no checks: nothing will be proved
    cutover by exchange; old and new can be seen mixed for about [N] ms
    --- exit 0
    "#);
    std::fs::remove_dir_all(ground.at("../new")).unwrap();
    insta::assert_snapshot!(ground.run("plan"), @r#"
    $ switchback plan
    --- stderr
    error: could not find out what the plan would do
      caused by: the candidate `../new` does not exist

    hint: correct the phase's change in `switchback.toml`, then `switchback run` again
    --- exit 2
    "#);
    insta::assert_snapshot!(ground.run("run"), @r#"
    $ switchback run
    --- stderr
      unify: snapshot [ID] verified: 1 files, 12 bytes
    error: could not carry on the run
      caused by: the candidate `../new` does not exist

    hint: correct the phase's change in `switchback.toml`, then `switchback run` again
    --- exit 2
    "#);
    insta::assert_snapshot!(ground.run("status"), @r#"
    $ switchback status
    --- stdout
    project shop: generation 0 is live
      phase unify: staging
      yes: a verified snapshot exists
      not yet: rehearsed in and out again
    the last step failed: stage: the candidate `../new` does not exist
    waits for `switchback run`
    there is nothing to roll back
    --- exit 2
    "#);
}

/// What a plan may have beside its changes and checks.
const BESIDE: &str = r#"
[snapshot]
remote = "../off-site"
also = ["data"]
databases = ["app.db", "postgresql://shop:${SHOP_PASSWORD}@db.example.org/shop"]

[[criterion]]
name = "it is there"
at = "cut-over"
checks = ["there"]
approved = "risk"

[[criterion]]
name = "all are content"
at = "finish"
no_trigger = true
signed = "risk"
required = true

[[trigger]]
when = { check = "there" }
do = "tell"

[[playbook]]
name = "whole"
symptoms = ["there"]
restore = "phase"
prove = ["there"]

[[notify]]
webhook = "https://hooks.example.org/${HOOK}"
on = ["cut-over", "roll-back"]

[[notify]]
name = "on call"
command = "pager"
severity = "critical"

[[anchor]]
to = "../heads"
on = ["live", "finished"]
"#;

#[test]
fn plan_shows_copies_lists_playbooks_who_is_told_and_where_heads_are_kept() {
    let ground = Ground::shop("");
    let check = format!("{THERE}at = [\"staged\", \"live\", \"rolled-back\"]\n");
    ground.plan("approve = { roles = [\"risk\"] }\n", &format!("{check}{BESIDE}"));
    insta::assert_snapshot!(ground.run("plan"), @r#"
    $ switchback plan
    --- stdout
    project shop
      manages src (mirrored)
      snapshots go to .switchback/snapshots, and a copy of each to ../off-site; with data, the database app.db, the database postgresql://db.example.org/shop
    phase unify
      change: take files from `../new`: 0 added, 0 removed, 1 changed
      check: there (files) at staged, live, rolled-back
      approval: 1 of role risk
      criterion at cut-over: it is there (check there; approved by risk)
      criterion at finish: all are content (no trigger fired; signed in the role risk; required)
    trigger: tell when the check `there` says no; not rehearsed
    playbook: whole when there says no
    told: webhook 1 by webhook: cut-over, roll-back
    told: on call by command: every turn, only what is critical
    anchor: the head of the journal goes to ../heads after live, finished
    cutover by exchange; old and new can be seen mixed for about [N] ms
    --- exit 0
    "#);
}
