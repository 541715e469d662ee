//! What holds for every command: documents, quiet, colour, and arguments that do not exist.

use super::ground::{APPROVE, Ground, THERE, answering};

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
#[expect(clippy::too_many_lines, reason = "one story, told word by word")]
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
      "approvals": [
        {
          "missing": 1,
          "needed": 1,
          "refused": false,
          "role": "risk",
          "votes": []
        },
        {
          "missing": 1,
          "needed": 1,
          "refused": false,
          "role": "tech-lead",
          "votes": []
        }
      ],
      "checks": [
        {
          "at": "staged",
          "evidence": "blake3:[HASH]",
          "name": "there",
          "seconds": [N],
          "summary": "1 path that must be there is",
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
        },
        {
          "by": "a look at both",
          "name": "both trees are as they were staged",
          "verdict": "yes"
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
          "missing": 1,
          "role": "risk",
          "why": []
        },
        {
          "kind": "approval",
          "missing": 1,
          "role": "tech-lead",
          "why": []
        }
      ]
    }
    --- exit 2
    "#);
    ground.plan("", "");
    ground.expect(0, "run --restage");
    ground.write("switchback.toml", format!("# another one\n{}", ground.read("switchback.toml")));
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
      not yet: rehearsed in and out again
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
    error: the phase `unify` has no role `risk`

    hint: the plan asks nobody for an approval of this phase
    --- exit 2
    "#);
    assert_eq!(ground.run("").code, 2);
    assert_eq!(ground.listing(), before);
}
