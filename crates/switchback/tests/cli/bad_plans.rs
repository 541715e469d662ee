//! Broken plans as data: each is refused with its place and a next move, and nothing is touched.
//!
//! A case is `tests/data/bad_plans/NAME.toml` and, beside it, what `switchback plan` says about it. `UPDATE_SNAPSHOTS=1`
//! writes what it says now.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use super::ground::{Ground, Seen};

/// The kinds of bad plan that must be among the data, whatever else is.
const KINDS: &[&str] = &[
    "a-folder-under-a-file-as-text",
    "absolute-path",
    "action-unknown",
    "anchors-wrong",
    "approve-wrong",
    "approvers-wrong",
    "candidate-key-typo",
    "categories-wrong",
    "change-kind-not-built",
    "change-kind-unknown",
    "check-kind-unknown",
    "check-without-kind",
    "check-without-name",
    "checks-of-one-name",
    "command-empty",
    "compliance-wrong",
    "constraint-forms-wrong",
    "constraint-of-nothing",
    "constraint-of-two-forms",
    "control-characters",
    "distribution-bounds-without-pairs",
    "coverage-wrong",
    "criteria-wrong",
    "duplicate-key",
    "empty-file",
    "environment-dependencies-wrong",
    "equivalence-of-nothing",
    "equivalence-rule-wrong",
    "everything-wrong-at-once",
    "files-check-of-nothing",
    "fixtures-wrong",
    "http-p95-of-too-few",
    "http-url-wrong",
    "invalid-utf-8",
    "link-inside",
    "link-leads-out",
    "linked-is-managed",
    "lint-wrong",
    "managed-dot",
    "managed-dot-dot",
    "managed-empty",
    "managed-empty-beside-another-finding",
    "managed-git",
    "managed-nested",
    "managed-state",
    "managed-the-plan",
    "managed-twice",
    "minimum-zero",
    "name-empty",
    "name-too-long",
    "no-phase",
    "no-project",
    "notify-wrong",
    "number-negative",
    "package-wrong",
    "phase-empty-list",
    "phase-unknown-in-check",
    "phase-without-change",
    "phases-of-one-name",
    "playbook-check-of-another-phase",
    "playbook-of-nothing",
    "playbook-of-unknown-names",
    "playbook-scope-unknown",
    "playbooks-in-a-circle",
    "point-a-plus-alone",
    "point-unknown",
    "points-empty",
    "process-ready-of-anybody",
    "processes-without-commands",
    "rehearsal-environment-nowhere",
    "repository-not-built",
    "requests-wrong",
    "restart-wrong",
    "roles-empty",
    "scenarios-unused-parameter",
    "scenarios-wrong",
    "shadow-unconfined",
    "shadow-wrong",
    "snapshot-databases-wrong",
    "snapshot-keep-nothing",
    "timeout-zero",
    "toml-syntax",
    "trigger-on-improvement",
    "trigger-rehearsed-wrong",
    "trigger-that-never-fires",
    "trigger-unknown-check",
    "unclosed-text",
    "unknown-key",
    "unknown-table",
    "version-future",
    "version-missing",
    "version-text",
    "watch-wrong",
    "window-half",
    "window-wrong",
    "wrong-type",
    "wrong-type-of-table",
];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/bad_plans")
}

/// A project with links in it, and another folder beside it.
fn project() -> Ground {
    let ground = Ground::new();
    ground.write("src/app.py", "VERSION = 1\n");
    ground.write("docs/index.md", "# Shop\n");
    ground.write("../new/src/app.py", "VERSION = 2\n");
    ground.write("../elsewhere/file", "not ours\n");
    symlink("../elsewhere", ground.at("outside")).unwrap();
    symlink("docs", ground.at("inside")).unwrap();
    ground
}

/// Runs `plan` and `run`, both plain and with `--json`: all refuse alike, and nothing is touched.
fn refused(ground: &Ground) -> Seen {
    let before = ground.listing();
    let plan = ground.expect(2, "plan");
    let run = ground.expect(2, "run");
    assert_eq!(plan.err, run.err);
    assert_eq!((plan.out.as_str(), run.out.as_str()), ("", ""));
    for command in ["plan --json", "run --json", "status --json", "check --json", "snapshot create --json"] {
        let document = ground.expect(2, command).json();
        assert_eq!(document["schema"], "switchback/error/1", "{command}");
        let error = &document["error"];
        assert!(
            plan.err.starts_with(&format!("error: {}\n", error["message"].as_str().unwrap())),
            "{command}"
        );
        for cause in error["causes"].as_array().unwrap() {
            assert!(plan.err.contains(cause.as_str().unwrap()), "{command}: {cause}");
        }
        assert!(!error["hint"].as_str().unwrap().is_empty(), "{command}");
        if let Some(line) = error["line"].as_u64() {
            assert_eq!(error["path"], "switchback.toml");
            assert!(plan.err.contains(&format!("switchback.toml:{line}:")), "{command}: {plan}");
        }
    }
    assert_eq!(ground.listing(), before, "something was touched");
    assert!(!ground.at(".switchback").exists());
    plan
}

#[test]
fn every_bad_plan_is_refused_with_its_place_and_a_next_move_and_touches_nothing() {
    let mut wrong = Vec::new();
    let mut seen = BTreeSet::new();
    for entry in fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let ground = project();
        fs::copy(&path, ground.at("switchback.toml")).unwrap();
        let said = refused(&ground);
        assert!(said.err.contains("switchback.toml:"), "{name}: no line\n{said}");
        assert!(said.err.contains("\nhint: "), "{name}: no next move\n{said}");
        let expected = path.with_extension("said");
        if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
            fs::write(&expected, said.to_string()).unwrap();
        }
        let expected = fs::read_to_string(&expected).unwrap_or_default();
        if said.to_string() != expected {
            wrong.push(format!("{name}: it says\n{said}and should say\n{expected}"));
        }
        seen.insert(name);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let wanted: BTreeSet<String> = KINDS.iter().map(|kind| (*kind).to_owned()).collect();
    assert_eq!(seen, wanted);
}

#[test]
fn ten_megabytes_of_garbage_are_refused_in_one_line() {
    let ground = project();
    let mut state = 1_u32;
    let garbage: Vec<u8> = std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    })
    .take(10_000_000)
    .collect();
    ground.write("switchback.toml", garbage);
    insta::assert_snapshot!(refused(&ground), @r#"
    $ switchback plan
    --- stderr
    error: the plan `switchback.toml` cannot be used: 1 finding
      caused by: switchback.toml:1:1: the file has 10000000 bytes; a plan has at most 1048576; put a plan into `switchback.toml`; `switchback plan --schema` says what it looks like

    hint: correct these places, then `switchback plan` shows what a run would do
    --- exit 2
    "#);
}

#[test]
fn a_plan_of_the_largest_size_that_is_garbage_is_refused() {
    let ground = project();
    ground.write("switchback.toml", "]".repeat(1_000_000));
    let said = refused(&ground);
    assert!(said.err.len() < 2_000, "the message is as long as the garbage");
    assert!(said.err.contains("switchback.toml:1:1: "), "{said}");
}

#[test]
fn deep_nesting_is_refused_and_never_overflows_the_stack() {
    let ground = project();
    for (open, close) in [("[", "]"), ("{a=", "}")] {
        let depth = 100_000;
        ground.write("switchback.toml", format!("a = {}{}", open.repeat(depth), close.repeat(depth)));
        let said = refused(&ground);
        assert!(said.err.contains("switchback.toml:1:"), "{said}");
    }
}

#[test]
fn without_a_plan_it_says_where_one_is_missing() {
    insta::assert_snapshot!(refused(&project()), @r#"
    $ switchback plan
    --- stderr
    error: could not read the plan
      caused by: there is no `switchback.toml` in `[TMP]/project`

    hint: write a `switchback.toml` there, or name the project's folder with `--project`
    --- exit 2
    "#);
}

#[test]
fn a_plan_that_is_a_folder_is_refused() {
    let ground = project();
    fs::create_dir(ground.at("switchback.toml")).unwrap();
    insta::assert_snapshot!(refused(&ground), @r#"
    $ switchback plan
    --- stderr
    error: could not read the plan
      caused by: could not read `[TMP]/project/switchback.toml`: Is a directory (os error 21)

    hint: correct the cause, then run the same command again; it goes on where it stopped
    --- exit 2
    "#);
}

#[test]
fn a_project_that_does_not_exist_is_refused() {
    let ground = project();
    insta::assert_snapshot!(ground.run("plan -C nowhere"), @r#"
    $ switchback plan -C nowhere
    --- stderr
    error: could not read the plan
      caused by: there is no `switchback.toml` in `[TMP]/project/nowhere`

    hint: write a `switchback.toml` there, or name the project's folder with `--project`
    --- exit 2
    "#);
}

#[test]
fn an_error_as_a_document_has_its_path_and_line() {
    let ground = project();
    for name in ["toml-syntax", "unknown-key"] {
        fs::copy(folder().join(name).with_extension("toml"), ground.at("switchback.toml")).unwrap();
        insta::allow_duplicates! {
            assert_eq!(ground.run("plan --json").json()["error"]["path"], "switchback.toml");
        }
    }
    insta::assert_snapshot!(ground.run("plan --json"), @r#"
    $ switchback plan --json
    --- stdout
    {
      "schema": "switchback/error/1",
      "verdict": "unknown",
      "error": {
        "causes": [
          "switchback.toml:6:1: unknown key `manages` in `[project]`; did you mean `managed`?"
        ],
        "hint": "correct these places, then `switchback plan` shows what a run would do",
        "line": 6,
        "message": "the plan `switchback.toml` cannot be used: 1 finding",
        "path": "switchback.toml"
      }
    }
    --- exit 2
    "#);
}
