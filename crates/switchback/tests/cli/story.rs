//! One phase from its first `status` to its rollback, with every refusal on the way, word by word.

use super::ground::{APPROVE, Ground, THERE};

// rows: TM-13
#[test]
#[expect(clippy::too_many_lines, reason = "one story, told word by word")]
fn a_run_from_its_first_status_to_its_rollback() {
    let ground = Ground::shop("");
    ground.plan(APPROVE, &format!("{THERE}at = [\"before\", \"staged\", \"live\", \"+3s\"]\n"));
    insta::assert_snapshot!(ground.run("status"), @r#"
    $ switchback status
    --- stdout
    project shop: generation 0 is live
    nothing has been run yet
      phase unify: waiting
      not yet: a verified snapshot exists
      not yet: there at staged, live, +3s
      not yet: rehearsed in and out again
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
      check there at before: yes: 1 path that must be there is
      unify: candidate staged: 0 added, 0 removed, 1 changed
      check there at staged: yes: 1 path that must be there is
    --- exit 0
    "#);
    insta::assert_snapshot!(ground.run("status"), @r#"
    $ switchback status
    --- stdout
    project shop: generation 0 is live
      phase unify: staged
      yes: a verified snapshot exists
      yes: there at staged
      not yet: there at live, +3s
      not yet: rehearsed in and out again
      not yet: approved by risk
      not yet: approved by tech-lead
      yes: both trees are as they were staged
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
      check there at staged: yes: 1 path that must be there is
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

    hint: points are `before`, `staged`, `live`, `rolled-back`, and the delays of the plan, such as `+1h`
    --- exit 2
    "#);
    insta::assert_snapshot!(ground.run("run"), @r#"
    $ switchback run
    --- stdout
    no: phase unify is rehearsed; generation 0 is live
    --- stderr
      unify: rehearsal: yes: in and out again on a copy: all 2 entries are back as they were, and the undo touched none of 2 around them
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
    for why in ["", " ", "x\n   21  approved", "\u{1b}[31mred"] {
        let seen = ground.run_arguments(&["reject", "unify", "--role", "tech-lead", "--why", why]);
        assert!(seen.code == 2 && seen.err.contains("the reason of a refusal is one line of text"), "{seen}");
    }
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
      phase unify: rehearsed (no)
      yes: a verified snapshot exists
      yes: there at staged
      not yet: there at live, +3s
      yes: rehearsed in and out again
      yes: approved by risk
      no: approved by tech-lead
      yes: both trees are as they were staged
      refusal in the role tech-lead by [ACTOR] it holds the phase (not today)
    waits for an approval in the role `tech-lead`
    there is nothing to roll back
    --- exit 1
    "#);
    insta::assert_snapshot!(ground.run("run"), @r#"
    $ switchback run
    --- stdout
    no: phase unify is rehearsed; generation 0 is live
    --- stderr
      no: role `tech-lead`: 0 of 1 approvals ([ACTOR] refused: not today)

    next: `switchback approve unify --role tech-lead`
    --- exit 1
    "#);
    insta::assert_snapshot!(ground.run("approve unify --role tech-lead"), @r#"
    $ switchback approve unify --role tech-lead
    --- stdout
    yes: phase unify is approved
    --- stderr
      unify: the refusal of [ACTOR] is withdrawn by this: not today
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
      check there at live: yes: 1 path that must be there is
    --- exit 0
    "#);
    insta::assert_snapshot!(ground.run("watch --once"), @r#"
    $ switchback watch --once
    --- stdout
    not over yet: phase unify is live; generation 1 is live
    --- stderr
      not over yet: it is live, and watched: the checks at +3s are due at [TIME]

    next: `switchback watch` carries them out when they are due
    --- exit 2
    "#);
    insta::assert_snapshot!(ground.run("status"), @r#"
    $ switchback status
    --- stdout
    project shop: generation 1 is live
      phase unify: live
      yes: a verified snapshot exists
      yes: there at staged, live
      not yet: there at +3s
      yes: rehearsed in and out again
      yes: approved by risk
      yes: approved by tech-lead
    waits for the checks at +3s, due at [TIME]
    `switchback rollback` makes generation 0 live again (exchange)
    --- exit 2
    "#);
    insta::assert_snapshot!(ground.run("rollback --dry-run"), @r#"
    $ switchback rollback --dry-run
    --- stdout
    would roll back unify: src
      src: time
      src/app.py: content
    --- exit 0
    "#);
    assert_eq!(ground.read("src/app.py"), "VERSION = 2\n");
    insta::assert_snapshot!(ground.run("rollback --only docs"), @r#"
    $ switchback rollback --only docs
    --- stderr
    error: the phase `unify` changed nothing at `docs`

    hint: `--only` takes a path that it changed, `imports`, `routes`, or the name or kind of one of its changes; it exchanged `src`
    --- exit 2
    "#);
    insta::assert_snapshot!(ground.run("rollback --phase other"), @r#"
    $ switchback rollback --phase other
    --- stderr
    error: the phase `other` is not live

    hint: `switchback status` shows which phases are
    --- exit 2
    "#);
    std::thread::sleep(std::time::Duration::from_millis(3_100));
    insta::assert_snapshot!(ground.run("watch --once"), @r#"
    $ switchback watch --once
    --- stdout
    yes: phase unify is watched; generation 1 is live
    --- stderr
      check there at +3s: yes: 1 path that must be there is
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
      yes: there at staged, live, +3s
      yes: rehearsed in and out again
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
        5  [TIME]  [ACTOR]  check-ended  at=before check=there evidence=[ID] milliseconds=[N] phase=unify summary=1 path that must be there is verdict=yes
        6  [TIME]  [ACTOR]  stage-started  phase=unify transaction=t6
        7  [TIME]  [ACTOR]  staged  added=0 changed=1 changes=[ID] mechanism=exchange metadata=[N] new_tree=[ID] old_tree=[ID] paths=["src"] phase=unify removed=0 seal=[ID] tool=switchback [VERSION] transaction=t6
        8  [TIME]  [ACTOR]  check-started  at=staged check=there phase=unify
        9  [TIME]  [ACTOR]  check-ended  at=staged check=there evidence=[ID] milliseconds=[N] phase=unify summary=1 path that must be there is verdict=yes
       10  [TIME]  [ACTOR]  check-started  at=staged check=there phase=unify
       11  [TIME]  [ACTOR]  check-ended  at=staged by_hand=true check=there evidence=[ID] milliseconds=[N] phase=unify summary=1 path that must be there is verdict=yes
       12  [TIME]  [ACTOR]  rehearsal-started  phase=unify transaction=t6
       13  [TIME]  [ACTOR]  rehearsed  evidence=[ID] milliseconds=[N] phase=unify summary=in and out again on a copy: all 2 entries are back as they were, and the undo touched none of 2 around them transaction=t6 verdict=yes
       14  [TIME]  [ACTOR]  approved  phase=unify role=risk
       15  [TIME]  [ACTOR]  rejected  phase=unify role=tech-lead why=not today
       16  [TIME]  [ACTOR]  approved  phase=unify role=tech-lead
       17  [TIME]  [ACTOR]  cut-over-started  phase=unify transaction=t6
       18  [TIME]  [ACTOR]  cut-over  generation=1 phase=unify transaction=t6
       19  [TIME]  [ACTOR]  drift-checked  drift=[] phase=unify
       20  [TIME]  [ACTOR]  check-started  at=live check=there phase=unify
       21  [TIME]  [ACTOR]  check-ended  at=live check=there evidence=[ID] milliseconds=[N] phase=unify summary=1 path that must be there is verdict=yes
       22  [TIME]  [ACTOR]  check-started  at=+3s check=there phase=unify
       23  [TIME]  [ACTOR]  check-ended  at=+3s check=there evidence=[ID] milliseconds=[N] phase=unify summary=1 path that must be there is verdict=yes
       24  [TIME]  [ACTOR]  watched  phase=unify
       25  [TIME]  [ACTOR]  finished  generation=1 phase=unify
    --- exit 0
    "#);
    insta::assert_snapshot!(ground.run("log verify"), @r#"
    $ switchback log verify
    --- stdout
    yes: 25 events
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
    the record of the incident is `.switchback/incidents/27-unify.md`
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
      yes: there at staged, live, +3s
      yes: rehearsed in and out again
      yes: approved by risk
      yes: approved by tech-lead
    waits for `switchback run`
    there is nothing to roll back
    --- exit 1
    "#);
    insta::assert_snapshot!(ground.run("run --until rehearsed"), @r#"
    $ switchback run --until rehearsed
    --- stdout
    yes: phase unify is rehearsed; generation 0 is live
    --- stderr
      unify: snapshot [ID] verified: 1 files, 12 bytes
      check there at before: yes: 1 path that must be there is
      unify: candidate staged: 0 added, 0 removed, 1 changed
      check there at staged: yes: 1 path that must be there is
      unify: rehearsal: yes: in and out again on a copy: all 2 entries are back as they were, and the undo touched none of 2 around them
    --- exit 0
    "#);
    insta::assert_snapshot!(ground.run("run --until tomorrow"), @r#"
    $ switchback run --until tomorrow
    --- stderr
    error: unknown point `tomorrow`

    hint: points are `snapshot`, `staged`, `rehearsed`, `approved`, `live`, `watched`, `finished`
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

#[test]
fn a_plan_that_is_gone_or_broken_keeps_nothing_back_that_the_journal_knows() {
    let ground = Ground::shop("");
    ground.plan(APPROVE, &format!("{THERE}at = [\"staged\"]\n"));
    ground.expect(1, "run");
    ground.expect(1, "approve unify --role risk");
    let plan = ground.read("switchback.toml");
    std::fs::remove_file(ground.at("switchback.toml")).unwrap();
    insta::assert_snapshot!(ground.run("status"), @r#"
    $ switchback status
    --- stdout
    project shop: generation 0 is live
      phase unify: staged
      yes: a verified snapshot exists
      could not tell: there at staged
      could not tell: rehearsed in and out again
      could not tell: approved by risk
      yes: both trees are as they were staged
    waits for a plan that can be used
    there is nothing to roll back
    --- stderr
    warning: the plan cannot be used, and what follows is what the journal alone knows: there is no `switchback.toml` in `[TMP]/project`
    --- exit 2
    "#);
    let report = ground.expect(0, "report --json");
    assert!(
        report.err.contains("warning: the plan cannot be used, and what follows is what the journal alone")
    );
    let report: serde_json::Value = serde_json::from_str(&report.out).unwrap();
    assert_eq!(report["verdict"], "unknown");
    assert!(report["plan_fault"].as_str().unwrap().contains("there is no `switchback.toml` in"), "{report}");
    assert_eq!(report["phases"][0]["checks"][0]["verdict"], "yes");
    let standing = "whether it counts cannot be told: the plan cannot be used";
    assert_eq!(report["phases"][0]["approvals"][0]["standing"], standing);
    ground.write("switchback.toml", &plan);
    ground.expect(0, "approve unify --role tech-lead");
    ground.expect(0, "run");

    ground.write("switchback.toml", plan.replace("managed", "manged"));
    insta::assert_snapshot!(ground.run("status"), @r#"
    $ switchback status
    --- stdout
    project shop: generation 1 is live
      phase unify: finished (yes)
      yes: a verified snapshot exists
      yes: there at staged
      yes: rehearsed in and out again
      yes: approved by risk
      yes: approved by tech-lead
    `switchback rollback` makes generation 0 live again (exchange)
    --- stderr
    warning: the plan cannot be used, and what follows is what the journal alone knows: the plan `switchback.toml` cannot be used: 2 findings; line 3: `[project]` has no `managed`
    --- exit 0
    "#);
    for format in ["html", "markdown", "json", "junit"] {
        let seen = ground.expect(0, &format!("report --format {format}"));
        assert!(seen.err.contains("warning: the plan cannot be used"), "{seen}");
        assert!(seen.out.contains("there"), "the check is missing: {seen}");
    }
    let text = ground.expect(0, "report --format markdown").out;
    for said in
        ["every check held", "What the plan says of managed paths", "2 of 2 roles that had a say approved"]
    {
        assert!(text.contains(said), "{said}: {text}");
    }
    assert!(!text.contains("it asks for none") && !text.contains("has no checks"), "{text}");
    assert_eq!(ground.read("src/app.py"), "VERSION = 2\n");
    // Where nothing was run, there is nothing to tell.
    let ground = Ground::shop("");
    std::fs::remove_file(ground.at("switchback.toml")).unwrap();
    ground.expect(2, "status");
    assert!(ground.expect(2, "report").err.contains("there is no `switchback.toml` in"));
    assert!(!ground.at(".switchback").exists());
}

#[test]
fn traces_of_a_run_without_its_journal_are_never_told_as_nothing() {
    let ground = Ground::shop("");
    ground.expect(0, "run --until staged");
    for name in ["journal.db", "journal.db-wal", "journal.db-shm"] {
        let path = ground.at(".switchback").join(name);
        if path.exists() {
            std::fs::remove_file(path).unwrap();
        }
    }
    insta::assert_snapshot!(ground.run("status"), @r#"
    $ switchback status
    --- stderr
    error: there are traces of a run in `[TMP]/project`, and no journal that tells of one: `.src.sb-t4`, `.switchback/txn/t4`

    hint: put `.switchback/journal.db` back from a backup; what is live and can be taken back, `switchback rollback` takes back without it
    --- exit 2
    "#);
    insta::assert_snapshot!(ground.run("report"), @r#"
    $ switchback report
    --- stderr
    error: there are traces of a run in `[TMP]/project`, and no journal that tells of one: `.src.sb-t4`, `.switchback/txn/t4`

    hint: put `.switchback/journal.db` back from a backup; what is live and can be taken back, `switchback rollback` takes back without it
    --- exit 2
    "#);
    assert_eq!(ground.expect(2, "status --json").json()["schema"], "switchback/error/1");
    assert!(ground.expect(2, "log").err.contains("there are traces of a run in"));
}
