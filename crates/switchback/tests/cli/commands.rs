//! Each command once as it goes well and once as it refuses: stdout, stderr and exit code, word by word.

use super::ground::Ground;

const THERE: &str = "[[check]]\nname = \"there\"\nkind = \"files\"\nexist = [\"src/app.py\"]\n";
const APPROVE: &str = "approve = { roles = [\"risk\", \"tech-lead\"] }\n";

/// A check that says what the file `answer` says: an exit code.
fn answering(at: &str) -> String {
    format!(
        "[[check]]\nname = \"answer\"\nkind = \"command\"\ncommand = \"exit $(cat answer)\"\nat = [{at}]\n"
    )
}

#[test]
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
    trigger: hold when the check there says no
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
      "rollback": {
        "mechanism": null,
        "possible": false,
        "to_generation": null
      },
      "run": null,
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
    the last step failed: stage: the candidate `../new` does not exist
    waits for `switchback run`
    there is nothing to roll back
    --- exit 2
    "#);
}

// rows: PC-6, TM-13
#[test]
fn a_run_from_its_first_status_to_its_rollback() {
    let ground = Ground::shop("");
    ground.plan(APPROVE, &format!("{THERE}at = [\"before\", \"staged\", \"live\", \"+1s\"]\n"));
    insta::assert_snapshot!(ground.run("status"), @r#"
    $ switchback status
    --- stdout
    project shop: generation 0 is live
    nothing has been run yet
      phase unify: waiting
      not yet: a verified snapshot exists
      not yet: there at staged
      not yet: there at live
      not yet: there at +1s
      not yet: approved by risk
      not yet: approved by tech-lead
    waits for `switchback run`
    there is nothing to roll back
    --- exit 2
    "#);
    insta::assert_snapshot!(ground.run("approve unify --role risk"), @r#"
    $ switchback approve unify --role risk
    --- stderr
    error: the phase `unify` is not staged: there is nothing to approve

    hint: `switchback run --until staged` stages it
    --- exit 2
    "#);
    insta::assert_snapshot!(ground.run("run --until snapshot"), @r#"
    $ switchback run --until snapshot
    --- stdout
    yes: phase unify has its snapshot; generation 0 is live
    --- stderr
      unify: snapshot [ID] verified: 1 files, 12 bytes
    --- exit 0
    "#);
    insta::assert_snapshot!(ground.run("run --until staged"), @r#"
    $ switchback run --until staged
    --- stdout
    yes: phase unify is staged; generation 0 is live
    --- stderr
      check there at before: yes: 1 there, 0 gone
      unify: candidate staged: 0 added, 0 removed, 1 changed
      check there at staged: yes: 1 there, 0 gone
    --- exit 0
    "#);
    insta::assert_snapshot!(ground.run("status"), @r#"
    $ switchback status
    --- stdout
    project shop: generation 0 is live
      phase unify: staged
      yes: a verified snapshot exists
      yes: there at staged
      not yet: there at live
      not yet: there at +1s
      not yet: approved by risk
      not yet: approved by tech-lead
    waits for an approval in the role `risk`
    waits for an approval in the role `tech-lead`
    there is nothing to roll back
    --- exit 2
    "#);
    insta::assert_snapshot!(ground.run("check"), @r#"
    $ switchback check
    --- stdout
    yes
    --- stderr
      check there at staged: yes: 1 there, 0 gone
    --- exit 0
    "#);
    insta::assert_snapshot!(ground.run("check nothing"), @r#"
    $ switchback check nothing
    --- stderr
    error: could not carry out the checks
      caused by: the plan has no check `nothing`

    hint: `switchback plan` shows the phases and checks
    --- exit 2
    "#);
    insta::assert_snapshot!(ground.run("check --at live"), @r#"
    $ switchback check --at live
    --- stderr
    error: the phase `unify` is staged: it cannot be looked at live

    hint: `switchback run` makes it live
    --- exit 2
    "#);
    insta::assert_snapshot!(ground.run("check --at later"), @r#"
    $ switchback check --at later
    --- stderr
    error: unknown point `later`

    hint: points are `before`, `staged`, `live`, and the delays of the plan, such as `+1h`
    --- exit 2
    "#);
    insta::assert_snapshot!(ground.run("run"), @r#"
    $ switchback run
    --- stdout
    no: phase unify is staged; generation 0 is live
    --- stderr
      no: role `risk`: 0 of 1 approvals
      no: role `tech-lead`: 0 of 1 approvals

    next: `switchback approve unify --role risk`
    --- exit 1
    "#);
    insta::assert_snapshot!(ground.run("approve unify --role boss"), @r#"
    $ switchback approve unify --role boss
    --- stderr
    error: the phase `unify` has no role `boss`

    hint: its roles are: risk, tech-lead
    --- exit 2
    "#);
    insta::assert_snapshot!(ground.run("approve other --role risk"), @r#"
    $ switchback approve other --role risk
    --- stderr
    error: could not approve
      caused by: the plan has no phase `other`

    hint: `switchback plan` shows the phases and checks
    --- exit 2
    "#);
    insta::assert_snapshot!(ground.run("approve unify --role risk"), @r#"
    $ switchback approve unify --role risk
    --- stdout
    no: phase unify does not go live yet
    --- stderr
      no: role `tech-lead`: 0 of 1 approvals

    next: `switchback approve unify --role tech-lead`
    --- exit 1
    "#);
    insta::assert_snapshot!(ground.run_arguments(&["reject", "unify", "--role", "tech-lead", "--why", "not today"]), @r#"
    $ switchback reject unify --role tech-lead --why 'not today'
    --- stdout
    phase unify is rejected in the role tech-lead; it will not go live
    --- exit 0
    "#);
    insta::assert_snapshot!(ground.run("status"), @r#"
    $ switchback status
    --- stdout
    project shop: generation 0 is live
      phase unify: staged (no)
      yes: a verified snapshot exists
      yes: there at staged
      not yet: there at live
      not yet: there at +1s
      yes: approved by risk
      no: approved by tech-lead
    waits for an approval in the role `tech-lead`
    there is nothing to roll back
    --- exit 1
    "#);
    insta::assert_snapshot!(ground.run("run"), @r#"
    $ switchback run
    --- stdout
    no: phase unify is staged; generation 0 is live
    --- stderr
      no: role `tech-lead`: 0 of 1 approvals ([ACTOR] refused: not today)

    next: `switchback approve unify --role tech-lead`
    --- exit 1
    "#);
    insta::assert_snapshot!(ground.run("approve unify --role tech-lead"), @r#"
    $ switchback approve unify --role tech-lead
    --- stdout
    yes: phase unify is approved
    --- exit 0
    "#);
    insta::assert_snapshot!(ground.run("run --until approved"), @r#"
    $ switchback run --until approved
    --- stdout
    yes: phase unify is approved; generation 0 is live
    --- exit 0
    "#);
    insta::assert_snapshot!(ground.run("watch"), @r#"
    $ switchback watch
    --- stderr
    error: nothing is live that could be watched

    hint: `switchback run` cuts over
    --- exit 2
    "#);
    insta::assert_snapshot!(ground.run("run --until live"), @r#"
    $ switchback run --until live
    --- stdout
    yes: phase unify is live; generation 1 is live
    --- stderr
      unify: acknowledged: generation 1 is live ([N] ms)
      check there at live: yes: 1 there, 0 gone
    --- exit 0
    "#);
    insta::assert_snapshot!(ground.run("watch --once"), @r#"
    $ switchback watch --once
    --- stdout
    not over yet: phase unify is live; generation 1 is live
    --- stderr
      not over yet: it is live, and watched: the checks at +1s are due at [TIME]

    next: `switchback watch` carries them out when they are due
    --- exit 2
    "#);
    insta::assert_snapshot!(ground.run("status"), @r#"
    $ switchback status
    --- stdout
    project shop: generation 1 is live
      phase unify: live
      yes: a verified snapshot exists
      yes: there at staged
      yes: there at live
      not yet: there at +1s
      yes: approved by risk
      yes: approved by tech-lead
    waits for the checks at +1s, due at [TIME]
    `switchback rollback` makes generation 0 live again (exchange)
    --- exit 2
    "#);
    insta::assert_snapshot!(ground.run("rollback --dry-run"), @r#"
    $ switchback rollback --dry-run
    --- stdout
    would roll back unify: src
    --- exit 0
    "#);
    assert_eq!(ground.read("src/app.py"), "VERSION = 2\n");
    insta::assert_snapshot!(ground.run("rollback --only docs"), @r#"
    $ switchback rollback --only docs
    --- stderr
    error: `docs` was not exchanged by the phase `unify`

    hint: what was exchanged can be rolled back alone: `src`
    --- exit 2
    "#);
    insta::assert_snapshot!(ground.run("rollback --phase other"), @r#"
    $ switchback rollback --phase other
    --- stderr
    error: the phase `other` is not live

    hint: `switchback status` shows which phases are
    --- exit 2
    "#);
    std::thread::sleep(std::time::Duration::from_millis(1_100));
    insta::assert_snapshot!(ground.run("watch --once"), @r#"
    $ switchback watch --once
    --- stdout
    yes: phase unify is watched; generation 1 is live
    --- stderr
      check there at +1s: yes: 1 there, 0 gone
    --- exit 0
    "#);
    insta::assert_snapshot!(ground.run("run"), @r#"
    $ switchback run
    --- stdout
    yes: phase unify is finished; generation 1 is live
    --- stderr
      unify: finished: generation 1 stays, the one before it is kept
    --- exit 0
    "#);
    insta::assert_snapshot!(ground.run("status"), @r#"
    $ switchback status
    --- stdout
    project shop: generation 1 is live
      phase unify: finished (yes)
      yes: a verified snapshot exists
      yes: there at staged
      yes: there at live
      yes: there at +1s
      yes: approved by risk
      yes: approved by tech-lead
    `switchback rollback` makes generation 0 live again (exchange)
    --- exit 0
    "#);
    insta::assert_snapshot!(ground.run("log"), @r#"
    $ switchback log
    --- stdout
        1  [TIME]  [ACTOR]  run-started  phases=["unify"] plan=[ID] project=shop run=r1-[ID] tool=switchback [VERSION]
        2  [TIME]  [ACTOR]  snapshot-started  phase=unify
        3  [TIME]  [ACTOR]  snapshot-taken  bytes=12 files=1 manifest=[ID] phase=unify snapshot=[ID]
        4  [TIME]  [ACTOR]  check-started  at=before check=there phase=unify
        5  [TIME]  [ACTOR]  check-ended  at=before check=there evidence=[ID] milliseconds=[N] phase=unify summary=1 there, 0 gone verdict=yes
        6  [TIME]  [ACTOR]  stage-started  phase=unify transaction=t6
        7  [TIME]  [ACTOR]  staged  added=0 changed=1 changes=[ID] mechanism=exchange new_tree=[ID] old_tree=[ID] paths=["src"] phase=unify removed=0 seal=[ID] transaction=t6
        8  [TIME]  [ACTOR]  check-started  at=staged check=there phase=unify
        9  [TIME]  [ACTOR]  check-ended  at=staged check=there evidence=[ID] milliseconds=[N] phase=unify summary=1 there, 0 gone verdict=yes
       10  [TIME]  [ACTOR]  check-started  at=staged check=there phase=unify
       11  [TIME]  [ACTOR]  check-ended  at=staged check=there evidence=[ID] milliseconds=[N] phase=unify summary=1 there, 0 gone verdict=yes
       12  [TIME]  [ACTOR]  approved  phase=unify role=risk
       13  [TIME]  [ACTOR]  rejected  phase=unify role=tech-lead why=not today
       14  [TIME]  [ACTOR]  approved  phase=unify role=tech-lead
       15  [TIME]  [ACTOR]  cut-over-started  phase=unify transaction=t6
       16  [TIME]  [ACTOR]  cut-over  generation=1 phase=unify transaction=t6
       17  [TIME]  [ACTOR]  drift-checked  drift=[] phase=unify
       18  [TIME]  [ACTOR]  check-started  at=live check=there phase=unify
       19  [TIME]  [ACTOR]  check-ended  at=live check=there evidence=[ID] milliseconds=[N] phase=unify summary=1 there, 0 gone verdict=yes
       20  [TIME]  [ACTOR]  check-started  at=+1s check=there phase=unify
       21  [TIME]  [ACTOR]  check-ended  at=+1s check=there evidence=[ID] milliseconds=[N] phase=unify summary=1 there, 0 gone verdict=yes
       22  [TIME]  [ACTOR]  watched  phase=unify
       23  [TIME]  [ACTOR]  finished  generation=1 phase=unify
    --- exit 0
    "#);
    insta::assert_snapshot!(ground.run("log verify"), @r#"
    $ switchback log verify
    --- stdout
    yes: 23 events
      head [HASH]
    --- stderr
    a cut-off end, or a journal written anew as a whole, shows only beside a head kept elsewhere
    --- exit 0
    "#);
    ground.write("src/late.txt", "written by the new version\n");
    insta::assert_snapshot!(ground.run_arguments(&["rollback", "--why", "the KPI is off"]), @r#"
    $ switchback rollback --why 'the KPI is off'
    --- stdout
    yes: rolled back unify
      restored src
      changed since it went live, kept aside: .switchback/generations/t6/new/src/late.txt
    --- stderr
      unify: acknowledged: rolled back: src ([N] ms)
    --- exit 0
    "#);
    assert_eq!(ground.read("src/app.py"), "VERSION = 1\n");
    insta::assert_snapshot!(ground.run("rollback"), @r#"
    $ switchback rollback
    --- stderr
    error: nothing is live that could be rolled back

    hint: `switchback status` shows where things stand
    --- exit 2
    "#);
    insta::assert_snapshot!(ground.run("status"), @r#"
    $ switchback status
    --- stdout
    project shop: generation 0 is live
      phase unify: rolled-back (no)
      yes: a verified snapshot exists
      yes: there at staged
      yes: there at live
      yes: there at +1s
      yes: approved by risk
      yes: approved by tech-lead
    waits for `switchback run`
    there is nothing to roll back
    --- exit 1
    "#);
    insta::assert_snapshot!(ground.run("run --until rehearsed"), @r#"
    $ switchback run --until rehearsed
    --- stderr
    error: the point `rehearsed` is not built yet

    hint: use `--until staged` or `--until approved`
    --- exit 2
    "#);
    insta::assert_snapshot!(ground.run("run --until tomorrow"), @r#"
    $ switchback run --until tomorrow
    --- stderr
    error: unknown point `tomorrow`

    hint: points are `snapshot`, `staged`, `approved`, `live`, `watched`, `finished`
    --- exit 2
    "#);
    insta::assert_snapshot!(ground.run("run --phase other"), @r#"
    $ switchback run --phase other
    --- stderr
    error: could not carry on the run
      caused by: the plan has no phase `other`

    hint: `switchback plan` shows the phases and checks
    --- exit 2
    "#);
}

// rows: RB-2
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
      unify: acknowledged: generation 1 is live ([N] ms)
      check answer at live: no: exit code 1
      no: the check `answer` says no at live: exit code 1

    next: `switchback rollback` makes the old tree live; `switchback check answer --at live` looks again
    --- exit 1
    "#);
    assert_eq!(ground.read("src/app.py"), "VERSION = 2\n");
}

// rows: TM-12, RB-4, RE-18
#[test]
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
        }
      ],
      "failed": null,
      "generation": 0,
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
    --- exit 0
    "#);
    assert_eq!(ground.read("src/app.py"), "VERSION = 1\n");
}

// rows: RE-9, RE-18, TM-1
#[test]
fn snapshots_are_made_listed_shown_checked_and_restored() {
    let ground = Ground::shop("[snapshot]\nalso = [\"data\"]\n");
    ground.write("data/orders.csv", "id\n1\n");
    insta::assert_snapshot!(ground.run("snapshot list"), @r#"
    $ switchback snapshot list
    --- stderr
    there is no snapshot; `switchback snapshot create` makes one
    --- exit 2
    "#);
    insta::assert_snapshot!(ground.run("snapshot check"), @r#"
    $ switchback snapshot check
    --- stdout
    could not tell: 0 snapshots read
    --- stderr
    there is no snapshot; `switchback snapshot create` makes one
    --- exit 2
    "#);
    insta::assert_snapshot!(ground.run_arguments(&["snapshot", "create", "--label", "before the talk"]), @r#"
    $ switchback snapshot create --label 'before the talk'
    --- stdout
    [ID]  [TIME]  2 files  17 bytes  before the talk
    --- exit 0
    "#);
    insta::assert_snapshot!(ground.run("snapshot list"), @r#"
    $ switchback snapshot list
    --- stdout
    [ID]  [TIME]  2 files  17 bytes  before the talk
    --- exit 0
    "#);
    let id = ground.run("snapshot list --json").json()["snapshots"][0]["id"].as_str().unwrap().to_owned();
    let id = &id[..12];
    insta::assert_snapshot!(ground.run(&format!("snapshot show {id}")), @r#"
    $ switchback snapshot show [ID]
    --- stdout
    [ID]  [TIME]  2 files  17 bytes  before the talk
      000755 data
      000644 data/orders.csv
      000755 src
      000644 src/app.py
    --- exit 0
    "#);
    insta::assert_snapshot!(ground.run("snapshot show ffff"), @r#"
    $ switchback snapshot show ffff
    --- stderr
    error: could not show snapshot `ffff`
      caused by: no snapshot has an id that begins with `ffff`
      caused by: candidate: `[ID]` ([TIME], before the talk)

    hint: `switchback snapshot list` shows every id
    --- exit 2
    "#);
    insta::assert_snapshot!(ground.run("snapshot check"), @r#"
    $ switchback snapshot check
    --- stdout
    yes: 1 snapshots read
    --- exit 0
    "#);
    insta::assert_snapshot!(ground.run(&format!("snapshot restore {id} --into ../restored")), @r#"
    $ switchback snapshot restore [ID] --into ../restored
    --- stdout
    [ID]  [TIME]  2 files  17 bytes  before the talk
    --- stderr
    restored into [TMP]/project/../restored
    --- exit 0
    "#);
    assert_eq!(ground.read("../restored/data/orders.csv"), "id\n1\n");
    insta::assert_snapshot!(ground.run(&format!("snapshot restore {id} --into ../restored")), @r#"
    $ switchback snapshot restore [ID] --into ../restored
    --- stderr
    error: could not restore snapshot `[ID]` into `[TMP]/project/../restored`
      caused by: `[TMP]/project/../restored` exists already

    hint: name a path that does not exist yet: a restore never writes over anything
    --- exit 2
    "#);
    insta::assert_snapshot!(ground.run(&format!("snapshot restore {id} nowhere --into ../part")), @r#"
    $ switchback snapshot restore [ID] nowhere --into ../part
    --- stderr
    error: could not restore snapshot `[ID]` into `[TMP]/project/../part`
      caused by: `nowhere` is not in the snapshot

    hint: `switchback snapshot show` lists what is in it
    --- exit 2
    "#);
    ground.expect(0, &format!("snapshot restore {id} data --into ../part"));
    assert!(!ground.at("../part/src").exists());
}

// rows: RE-2
#[test]
fn compare_says_what_is_equal_what_is_not_and_what_cannot_be_told() {
    let ground = Ground::new();
    ground.write("old.csv", "id,price\n1,10.0\n2,20.0\n");
    ground.write("new.csv", "id,price\n1,10.0\n2,20.0000001\n");
    ground.write("empty.csv", "id,price\n");
    insta::assert_snapshot!(ground.run("compare old.csv old.csv"), @r#"
    $ switchback compare old.csv old.csv
    --- stdout
    yes: equal (`old.csv`: 2 rows)
    --- exit 0
    "#);
    insta::assert_snapshot!(ground.run("compare old.csv new.csv"), @r#"
    $ switchback compare old.csv new.csv
    --- stdout
    no: `old.csv` differs: 1 of 2 rows; first in `price` at row 1: 20.0 became 20.0000001
    --- exit 1
    "#);
    insta::assert_snapshot!(ground.run("compare old.csv new.csv --absolute 1e-6"), @r#"
    $ switchback compare old.csv new.csv --absolute 1e-6
    --- stdout
    yes: equal (`old.csv`: 2 rows)
    --- exit 0
    "#);
    insta::assert_snapshot!(ground.run("compare old.csv new.csv --tolerance price=1e-6"), @r#"
    $ switchback compare old.csv new.csv --tolerance price=1e-6
    --- stdout
    yes: equal (`old.csv`: 2 rows)
    --- exit 0
    "#);
    insta::assert_snapshot!(ground.run("compare old.csv new.csv --tolerance price"), @r#"
    $ switchback compare old.csv new.csv --tolerance price
    --- stderr
    error: `--tolerance price` is not `COLUMN=X`, `COLUMN=Xabs`, `COLUMN=Xrel` or `COLUMN=Nulps`

    hint: e.g. `--tolerance price=1e-9rel`
    --- exit 2
    "#);
    insta::assert_snapshot!(ground.run("compare old.csv new.csv --absolute=-1"), @r#"
    $ switchback compare old.csv new.csv --absolute=-1
    --- stderr
    error: `--absolute` must be a finite number, 0 or more

    hint: e.g. `--absolute 1e-12`
    --- exit 2
    "#);
    insta::assert_snapshot!(ground.run("compare empty.csv empty.csv"), @r#"
    $ switchback compare empty.csv empty.csv
    --- stdout
    could not tell: nothing to compare in `empty.csv`
    --- exit 2
    "#);
    insta::assert_snapshot!(ground.run("compare old.csv gone.csv"), @r#"
    $ switchback compare old.csv gone.csv
    --- stderr
    error: could not compare `old.csv` with `gone.csv`
      caused by: `gone.csv` does not exist

    hint: check the path, and that the command that makes it has run
    --- exit 2
    "#);
    insta::assert_snapshot!(ground.run("compare old.csv gone.csv --json"), @r#"
    $ switchback compare old.csv gone.csv --json
    --- stdout
    {
      "schema": "switchback/error/1",
      "verdict": "unknown",
      "error": {
        "causes": [
          "`gone.csv` does not exist"
        ],
        "hint": "check the path, and that the command that makes it has run",
        "message": "could not compare `old.csv` with `gone.csv`"
      }
    }
    --- exit 2
    "#);
    insta::assert_snapshot!(ground.run("compare old.csv new.csv --key nothing"), @r#"
    $ switchback compare old.csv new.csv --key nothing
    --- stderr
    error: could not compare `old.csv` with `new.csv`
      caused by: `old.csv` has no key column `nothing`

    hint: choose the key from `id`, `price`
    --- exit 2
    "#);
}

#[test]
fn compare_looks_at_paths_from_where_the_person_is_and_not_from_the_project() {
    let ground = Ground::new();
    ground.write("a.csv", "id\n1\n");
    ground.write("sub/x", "");
    ground.expect(0, "-C sub compare a.csv a.csv");
}

#[test]
fn every_document_begins_with_its_schema_and_its_verdict() {
    let ground = Ground::shop(&format!("{THERE}at = [\"staged\", \"live\", \"+1h\"]\n"));
    let lines = [
        "status",
        "plan",
        "check",
        "approve unify --role risk",
        "log verify",
        "snapshot list",
        "snapshot check",
        "watch",
        "rollback",
        "run --until staged",
        "status",
        "check",
        "log verify",
        "run",
        "watch --once",
        "status",
        "rollback --dry-run",
        "rollback",
        "status",
        "snapshot list",
        "snapshot check",
        "snapshot create",
        "reject unify --role risk --why x",
        "compare switchback.toml switchback.toml",
        "nonsense",
        "run --nonsense",
        "log x",
    ];
    for line in lines {
        let seen = ground.run(&format!("{line} --json"));
        let document = seen.json();
        let name = document["schema"].as_str().unwrap();
        let command = line.split(' ').next().unwrap();
        let is_own = name == format!("switchback/{command}/1")
            || line == "log verify" && name == "switchback/log-verify/1";
        assert!(is_own || name == "switchback/error/1", "{line}: {seen}");
        if name == "switchback/error/1" {
            assert_eq!(seen.code, 2, "{seen}");
            assert!(
                document["error"]["message"].is_string() && document["error"]["causes"].is_array(),
                "{seen}"
            );
            assert!(
                !document["error"]["hint"].as_str().unwrap().is_empty(),
                "{line}: an error without a next move: {seen}"
            );
        }
    }
    let log = ground.expect(0, "log --json");
    for (at, line) in log.out.lines().enumerate() {
        let event: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(event["seq"], at + 1);
        for field in ["time", "actor", "event", "body", "prev", "hash"] {
            assert!(!event[field].is_null(), "{line}");
        }
    }
}

#[test]
fn status_as_a_document_is_what_the_contract_says() {
    let ground = Ground::shop("");
    ground.plan(APPROVE, &format!("{THERE}at = [\"staged\", \"live\"]\n"));
    ground.expect(0, "run --until staged");
    insta::assert_snapshot!(ground.run("status --json"), @r#"
    $ switchback status --json
    --- stdout
    {
      "schema": "switchback/status/1",
      "verdict": "unknown",
      "checks": [
        {
          "at": "staged",
          "evidence": "blake3:[HASH]",
          "name": "there",
          "seconds": [N],
          "summary": "1 there, 0 gone",
          "verdict": "yes"
        }
      ],
      "criteria": [
        {
          "by": "snapshot [HASH]",
          "name": "a verified snapshot exists",
          "verdict": "yes"
        },
        {
          "by": "check there",
          "name": "there at staged",
          "verdict": "yes"
        },
        {
          "by": "check there",
          "name": "there at live",
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
      "phase": "unify",
      "phases": [
        {
          "name": "unify",
          "point": "staged",
          "verdict": "unknown"
        }
      ],
      "point": "staged",
      "project": "shop",
      "rollback": {
        "mechanism": null,
        "possible": false,
        "to_generation": null
      },
      "run": "r1-[ID]",
      "waits_for": [
        {
          "kind": "approval",
          "role": "risk"
        },
        {
          "kind": "approval",
          "role": "tech-lead"
        }
      ]
    }
    --- exit 2
    "#);
    ground.plan("", "");
    ground.expect(0, "run --restage");
    insta::assert_snapshot!(ground.run("run --json"), @r#"
    $ switchback run --json
    --- stdout
    {
      "schema": "switchback/error/1",
      "verdict": "unknown",
      "error": {
        "causes": [],
        "hint": "look at `from` in the phase's change: there would be nothing to cut over",
        "message": "the candidate of the phase `unify` is the same as the live tree"
      }
    }
    --- stderr
      unify: snapshot [ID] verified: 1 files, 12 bytes
    --- exit 2
    "#);
}

#[test]
fn quiet_leaves_only_results_and_errors() {
    let ground = Ground::shop(&answering("\"staged\""));
    ground.write("answer", "0");
    insta::assert_snapshot!(ground.run("run --quiet"), @r#"
    $ switchback run --quiet
    --- stdout
    yes: phase unify is finished; generation 1 is live
    --- exit 0
    "#);
    insta::assert_snapshot!(ground.run("run --quiet --phase other"), @r#"
    $ switchback run --quiet --phase other
    --- stderr
    error: could not carry on the run
      caused by: the plan has no phase `other`

    hint: `switchback plan` shows the phases and checks
    --- exit 2
    "#);
}

#[test]
fn colour_comes_only_when_it_is_wanted() {
    let mut ground = Ground::shop(THERE);
    insta::assert_snapshot!(ground.run("--color always status"), @r#"
    $ switchback --color always status
    --- stdout
    project shop: generation 0 is live
    nothing has been run yet
      phase unify: waiting
      not yet: a verified snapshot exists
      not yet: there at staged
    waits for `switchback run`
    there is nothing to roll back
    --- exit 2
    "#);
    for line in ["status", "--color never status", "--color auto status"] {
        assert!(!ground.run(line).out.contains('\u{1b}'), "{line}");
    }
    ground.set("NO_COLOR", "1");
    assert!(!ground.run("status").out.contains('\u{1b}'));
    assert!(!ground.run("run --phase x --color auto").err.contains('\u{1b}'));
    insta::assert_snapshot!(ground.run("--color always run --phase x"), @r#"
    $ switchback --color always run --phase x
    --- stderr
    <1><31>error:<0> could not carry on the run
      caused by: the plan has no phase `x`

    hint: `switchback plan` shows the phases and checks
    --- exit 2
    "#);
}

#[test]
fn what_cannot_be_typed_is_refused_with_what_can() {
    let ground = Ground::shop("");
    let before = ground.listing();
    insta::assert_snapshot!(ground.run("runn"), @r#"
    $ switchback runn
    --- stderr
    error: unrecognized subcommand 'runn'

      tip: a similar subcommand exists: 'run'

    Usage: switchback [OPTIONS] <COMMAND>

    For more information, try '--help'.
    --- exit 2
    "#);
    insta::assert_snapshot!(ground.run("run --untill staged"), @r#"
    $ switchback run --untill staged
    --- stderr
    error: unexpected argument '--untill' found

      tip: a similar argument exists: '--until'

    Usage: switchback run --until <POINT>

    For more information, try '--help'.
    --- exit 2
    "#);
    insta::assert_snapshot!(ground.run("approve unify"), @r#"
    $ switchback approve unify
    --- stderr
    error: the following required arguments were not provided:
      --role <ROLE>

    Usage: switchback approve --role <ROLE> <PHASE>

    For more information, try '--help'.
    --- exit 2
    "#);
    insta::assert_snapshot!(ground.run("compare old.csv"), @r#"
    $ switchback compare old.csv
    --- stderr
    error: the following required arguments were not provided:
      <NEW>

    Usage: switchback compare <OLD> <NEW>

    For more information, try '--help'.
    --- exit 2
    "#);
    insta::assert_snapshot!(ground.run("compare a b --absolute much --json"), @r#"
    $ switchback compare a b --absolute much --json
    --- stdout
    {
      "schema": "switchback/error/1",
      "verdict": "unknown",
      "error": {
        "causes": [],
        "hint": "`switchback --help` shows what can be typed",
        "message": "invalid value 'much' for '--absolute <X>': invalid float literal"
      }
    }
    --- exit 2
    "#);
    insta::assert_snapshot!(ground.run("log"), @r#"
    $ switchback log
    --- stderr
    error: there is no journal in `[TMP]/project`

    hint: nothing has been run yet: `switchback run` begins one
    --- exit 2
    "#);
    insta::assert_snapshot!(ground.run("approve unify --role risk --key k"), @r#"
    $ switchback approve unify --role risk --key k
    --- stderr
    error: signed approvals are not built yet

    hint: approve without `--key`: the journal records who approved what
    --- exit 2
    "#);
    assert_eq!(ground.run("").code, 2);
    assert_eq!(ground.listing(), before);
}

#[test]
fn a_second_run_at_the_same_time_is_refused_and_says_who_runs() {
    let ground = Ground::shop(
        "[[check]]\nname = \"slow\"\nkind = \"command\"\ncommand = \"touch {out}/../../../started; sleep 3\"\n",
    );
    std::thread::scope(|scope| {
        let first = scope.spawn(|| ground.run("run"));
        let started = || {
            std::fs::read_dir(ground.at(".switchback"))
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
