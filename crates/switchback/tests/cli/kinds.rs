//! Kinds of checks and changes in real projects: tests in Python, results of two programs, services, archives, git.

use std::fs;
use std::sync::atomic::Ordering;

use super::ground::Ground;
use super::triggers::Service;

const UNITTEST: &str = "[[check]]\nname = \"tests\"\nkind = \"tests\"\ncommand = \"python3 -m unittest -v tests\"\nminimum = 2\nat = [\"before\", \"staged\"]\n";

fn python_project(check: &str) -> Ground {
    let ground = Ground::shop(check);
    ground.write("src/app.py", "def double(x):\n    return 2 * x\n");
    ground.write(
        "tests.py",
        "import unittest\nfrom src.app import double\n\nclass Doubles(unittest.TestCase):\n    \
         def test_one(self):\n        self.assertEqual(double(1), 2)\n\n    \
         def test_text(self):\n        self.assertEqual(double('a'), 'aa')\n",
    );
    ground
}

/// What the check said at `staged`: verdict and summary.
fn staged(ground: &Ground) -> (String, String) {
    let document = ground.run("status --json").json();
    let check = document["checks"].as_array().unwrap().iter().find(|check| check["at"] == "staged").unwrap();
    (check["verdict"].as_str().unwrap().to_owned(), check["summary"].as_str().unwrap().to_owned())
}

fn says(ground: &Ground, code: i32, verdict: &str, words: &str) {
    ground.expect(code, "run --until staged --restage");
    let (said, summary) = staged(ground);
    assert_eq!(said, verdict, "{summary}");
    assert!(summary.contains(words), "{summary}");
}

// rows: RE-1, RB-2
#[test]
fn needs_python3_tests_are_counted_and_a_regression_is_named() {
    let ground = python_project(UNITTEST);
    ground.write("../new/src/app.py", "def double(x):\n    return x + x\n");
    says(&ground, 0, "yes", "2 passed");
    ground.write("../new/src/app.py", "def double(x):\n    return 2.0 * float(x)\n");
    says(&ground, 1, "no", "passed before and fail now: `tests.Doubles.test_text`");
    ground.plan("", &UNITTEST.replace("minimum = 2", "minimum = 3"));
    ground.write("../new/src/app.py", "def double(x):\n    return x + x\n");
    says(&ground, 1, "no", "fewer than 3");
    ground.plan("", &UNITTEST.replace("unittest -v tests", "unittest discover -v src"));
    let seen = ground.expect(2, "run --until staged --restage");
    insta::assert_snapshot!(seen, @r#"
    $ switchback run --until staged --restage
    --- stdout
    could not tell: phase unify has its snapshot; generation 0 is live
    --- stderr
      unify: snapshot [ID] verified: 1 files, 32 bytes
      check tests at before: could not tell: no test ran (0 passed, 0 failed, 0 errors, 0 skipped)
      could not tell: the check `tests` could not tell at before: no test ran (0 passed, 0 failed, 0 errors, 0 skipped)

    next: `switchback check tests --at before` looks again
    --- exit 2
    "#);
    assert_eq!(ground.read("src/app.py"), "def double(x):\n    return 2 * x\n");
}

/// Runs the tests and writes what came of them as JUnit XML to the path that it is given.
const JUNIT_RUNNER: &str = r#"
import sys, unittest
from xml.sax.saxutils import quoteattr
class Result(unittest.TestResult):
    cases = []
    def note(self, test, inner=''):
        Result.cases.append(f'<testcase classname="tests" name={quoteattr(test._testMethodName)}>{inner}</testcase>')
    def addSuccess(self, test): self.note(test)
    def addError(self, test, error): self.note(test, '<error message="raised"/>')
    def addFailure(self, test, error): self.note(test, '<failure message="differs"/>')
import tests
unittest.defaultTestLoader.loadTestsFromModule(tests).run(Result())
open(sys.argv[1], 'w').write('<testsuite>' + ''.join(Result.cases) + '</testsuite>')
"#;

// rows: RE-1
#[test]
fn needs_python3_tests_are_read_from_the_junit_file_that_they_leave() {
    let check = "[[check]]\nname = \"tests\"\nkind = \"tests\"\ncommand = \"python3 runner.py {out}/junit.xml\"\n\
                 results = \"{out}/junit.xml\"\nat = [\"before\", \"staged\"]\n";
    let ground = python_project(check);
    ground.write("runner.py", JUNIT_RUNNER);
    ground.write("../new/src/app.py", "def double(x):\n    return 2.0 * float(x)\n");
    says(&ground, 1, "no", "test_text");
    ground.write("../new/src/app.py", "def double(x):\n    return x + x\n");
    says(&ground, 0, "yes", "2 passed");
    ground.write("runner.py", "");
    let seen = ground.expect(2, "check");
    assert!(seen.err.contains("could not tell: the tests left no results"), "{seen}");
}

// rows: RE-2
#[test]
fn needs_python3_two_programs_are_equal_within_a_tolerance_and_different_without() {
    let side = |tree: &str| format!("{{ tree = \"{tree}\", command = \"python3 src/app.py {{out}}\" }}");
    let check = |tolerance: &str| {
        format!(
            "[[check]]\nname = \"equal\"\nkind = \"equivalence\"\nold = {}\nnew = {}\nkey = [\"id\"]\n{tolerance}",
            side("live"),
            side("candidate")
        )
    };
    let program = |sum: &str| {
        format!(
            "import sys\nwith open(sys.argv[1] + '/scores.csv', 'w') as out:\n    out.write('id,score\\n')\n    \
             for i in range(1, 50):\n        out.write(f'{{i}},{{{sum}!r}}\\n')\n"
        )
    };
    let ground = Ground::shop(&check("tolerance = { absolute = 1e-12 }\n"));
    ground.write("src/app.py", program("0.1 * i + 0.2 + 0.3"));
    ground.write("../new/src/app.py", program("0.1 * i + (0.2 + 0.3)"));
    says(&ground, 0, "yes", "equal");
    ground.plan("", &check(""));
    says(&ground, 1, "no", "`scores.csv` differs");
    ground.write("../new/src/app.py", "import sys\nsys.exit('no data')\n");
    says(&ground, 2, "unknown", "new: the command ended with exit code 1: no data");
    ground.write("../new/src/app.py", "pass\n");
    says(&ground, 2, "unknown", "no file in common");
}

/// Keys of a rule that together make two tables one; without any of them, these are different.
const RULE_KEYS: &[&str] = &[
    "rename = { amt = \"amount\" }",
    "only = [\"amt\", \"at\", \"name\", \"n\"]",
    "time_tolerance = \"1.5s\"",
    "ignore_case = true",
    "trim = true",
    "mask = [\"#[0-9]+\"]",
    "null_is_nan = true",
    "row_order = \"any\"",
    "delimiter = \",,~\"",
];

// rows: RE-2
#[test]
fn each_key_of_a_rule_in_the_plan_does_what_the_option_does() {
    let check = |keys: &[&str]| {
        let sides = "old = { tree = \"live\", path = \"src/t.csv\" }\nnew = { tree = \"candidate\", path = \"src/t.csv\" }";
        let more = "memory = \"1MiB\"\nsample = 1";
        format!("[[check]]\nname = \"equal\"\nkind = \"equivalence\"\n{sides}\n{more}\n{}\n", keys.join("\n"))
    };
    let ground = Ground::shop(&check(RULE_KEYS));
    ground.write(
        "src/t.csv",
        "amt,at,name,n,noise\n1,2026-01-01T00:00:00,Ann #12,1.5,7\n2,2026-01-02T00:00:00,Bo #3,nan,7\n\
         3,2026-01-03T00:00:00,Cy; d #4,2.5,7\n",
    );
    ground.write(
        "../new/src/t.csv",
        "amount~at~name~n~noise\n3~2026-01-03T00:00:00~Cy; d #44~2.5~8\n1~2026-01-01T00:00:01~ann #1 ~1.5~8\n\
         2~2026-01-02T00:00:00~ Bo #3~~8\n",
    );
    says(&ground, 0, "yes", "equal within the tolerance (`t.csv`");
    // A type that changes counts unless the schema does not.
    let retyped = ground.read("../new/src/t.csv").replace("\n3~", "\n3.0~");
    ground.write("../new/src/t.csv", &retyped);
    says(&ground, 1, "no", "of the schema, first `amt`");
    ground.plan("", &check(&[RULE_KEYS, &["schema = \"common\""]].concat()));
    says(&ground, 0, "yes", "equal within the tolerance (`t.csv`");
    ground.write("../new/src/t.csv", retyped.replace("3.0~", "3~"));
    for key in RULE_KEYS {
        let rest: Vec<&str> = RULE_KEYS.iter().filter(|other| *other != key).copied().collect();
        ground.plan("", &check(&rest));
        let seen = ground.run("run --until staged --restage");
        let (verdict, summary) = staged(&ground);
        assert_ne!(verdict, "yes", "without {key}: {summary}\n{seen}");
    }
}

// rows: TM-10, PC-9
#[test]
fn a_service_is_judged_by_status_body_and_speed() {
    let service = Service::start();
    let check = |more: &str| {
        format!("[[check]]\nname = \"health\"\nkind = \"http\"\nurl = \"{}\"\n{more}", service.address)
    };
    let ground = Ground::shop(&check("contains = \"healthy\"\n"));
    says(&ground, 0, "yes", "status 200");
    service.status.store(503, Ordering::SeqCst);
    says(&ground, 1, "no", "status 503, not 200");
    service.status.store(200, Ordering::SeqCst);
    ground.plan("", &check("contains = \"happy\"\n"));
    says(&ground, 1, "no", "the body does not contain `happy`");
    service.delay_ms.store(30, Ordering::SeqCst);
    ground.plan("", &check("p95_ms = 5\n"));
    says(&ground, 1, "no", "more than 5 ms");
    ground.plan("", &check("p95_ms = 10000\n"));
    says(&ground, 0, "yes", "of 20 requests");
    ground.plan("", "[[check]]\nname = \"health\"\nkind = \"http\"\nurl = \"http://127.0.0.1:1/\"\n");
    says(&ground, 1, "no", "no answer");
}

// rows: RB-5
#[test]
fn what_must_be_there_and_what_must_be_gone_is_looked_for() {
    let ground = Ground::shop(
        "[[check]]\nname = \"parts\"\nkind = \"files\"\nexist = [\"src/app.py\", \"src/new.py\"]\ngone = [\"src/old.py\"]\n",
    );
    ground.write("src/old.py", "");
    ground.write("../new/src/old.py", "");
    says(&ground, 1, "no", "missing: src/new.py; still there: src/old.py");
    ground.write("../new/src/new.py", "");
    fs::remove_file(ground.at("../new/src/old.py")).unwrap();
    says(&ground, 0, "yes", "2 paths that must be there are, 1 that must be gone is");
}

#[test]
fn a_command_changes_a_copy_and_its_managed_part_goes_live() {
    let ground = Ground::shop("");
    let plan = ground.read("switchback.toml");
    let command =
        "kind = \"command\"\ncommand = \"sed -i s/1/7/ src/app.py && cat outside.txt >> src/app.py\"";
    ground.write("switchback.toml", plan.replace("kind = \"files\"\nfrom = \"../new\"", command));
    ground.write("outside.txt", "as it was\n");
    ground.expect(0, "run");
    assert_eq!(
        (ground.read("src/app.py").as_str(), ground.read("outside.txt").as_str()),
        ("VERSION = 7\nas it was\n", "as it was\n")
    );
    ground.write(
        "switchback.toml",
        plan.replace(
            "kind = \"files\"\nfrom = \"../new\"",
            "kind = \"command\"\ncommand = \"echo broken >&2; exit 3\"",
        ),
    );
    insta::assert_snapshot!(ground.run("run"), @r#"
    $ switchback run
    --- stderr
      unify: snapshot [ID] verified: 1 files, 22 bytes
    error: could not carry on the run
      caused by: the command `echo broken >&2; exit 3` ended with exit code 3: broken

    hint: correct the phase's change in `switchback.toml`, then `switchback run` again
    --- exit 2
    "#);
}

// rows: RE-12
#[test]
fn an_overlaid_path_loses_nothing_and_a_mirrored_one_becomes_the_candidate() {
    let ground = Ground::shop("");
    let plan =
        ground.read("switchback.toml").replace("[\"src\"]", "[\"src\", { path = \"docs\", delete = false }]");
    ground.write("switchback.toml", plan);
    for path in ["src/only_live.py", "docs/only_live.md", "../new/docs/only_new.md"] {
        ground.write(path, path);
    }
    ground.expect(0, "run");
    assert!(!ground.at("src/only_live.py").exists());
    assert!(ground.at("docs/only_live.md").exists() && ground.at("docs/only_new.md").exists());
    ground.expect(0, "rollback");
    assert!(ground.at("src/only_live.py").exists() && !ground.at("docs/only_new.md").exists());
}

#[test]
fn a_candidate_that_is_the_live_tree_is_an_error() {
    let ground = Ground::shop("");
    fs::remove_dir_all(ground.at("../new")).unwrap();
    ground.tool("cp", &["-a", ".", "../new"]);
    insta::assert_snapshot!(ground.run("run"), @r#"
    $ switchback run
    --- stderr
      unify: snapshot [ID] verified: 1 files, 12 bytes
    error: the candidate of the phase `unify` is the same as the live tree

    hint: look at `from` in the phase's change: there would be nothing to cut over
    --- exit 2
    "#);
}

#[test]
fn needs_python3_archives_bring_the_candidate() {
    let ground = Ground::shop("");
    let plan = ground.read("switchback.toml");
    ground.tool(
        "python3",
        &["-c", "import shutil\nfor kind in ('zip', 'gztar', 'tar'):\n    shutil.make_archive('../change', kind, '..', 'new')"],
    );
    for archive in ["../change.zip", "../change.tar.gz", "../change.tar"] {
        ground.write("switchback.toml", plan.replace("../new", archive));
        ground.expect(0, "run");
        assert_eq!(ground.read("src/app.py"), "VERSION = 2\n", "{archive}");
        ground.expect(0, "rollback");
        assert_eq!(ground.read("src/app.py"), "VERSION = 1\n", "{archive}");
    }
    ground.write("../broken.zip", "PK not really");
    ground.write("switchback.toml", plan.replace("../new", "../broken.zip"));
    let seen = ground.expect(2, "run");
    assert!(seen.err.contains("is damaged"), "{seen}");
}

fn repository() -> Ground {
    let ground = Ground::shop("");
    ground.tool("git", &["init", "--quiet", "--initial-branch=main"]);
    for (name, value) in [("user.name", "Tester"), ("user.email", "tester@localhost")] {
        ground.tool("git", &["config", name, value]);
    }
    ground.tool("git", &["add", "."]);
    ground.tool("git", &["commit", "--quiet", "-m", "first"]);
    ground
}

// rows: RE-18
#[test]
fn needs_git_a_revision_brings_the_candidate() {
    let ground = repository();
    ground.write("src/app.py", "VERSION = 9\n");
    ground.tool("git", &["commit", "--quiet", "-am", "second"]);
    ground.tool("git", &["tag", "v2.0"]);
    ground.tool("git", &["checkout", "--quiet", "HEAD~1"]);
    let plan = ground.read("switchback.toml");
    ground.write("switchback.toml", plan.replace("../new", "git:v2.0"));
    ground.expect(0, "run");
    assert_eq!(ground.read("src/app.py"), "VERSION = 9\n");
    ground.write("switchback.toml", plan.replace("../new", "git:v9.9"));
    insta::assert_snapshot!(ground.run("plan"), @r#"
    $ switchback plan
    --- stderr
    error: could not find out what the plan would do
      caused by: the candidate `git:v9.9` cannot be had from git: `git rev-parse` says: it is not a revision of this repository

    hint: correct the phase's change in `switchback.toml`, then `switchback run` again
    --- exit 2
    "#);
}

#[test]
fn needs_git_nothing_of_ours_shows_in_git_status() {
    let ground = repository();
    assert_eq!(ground.tool("git", &["status", "--porcelain"]), "");
    ground.expect(0, "run --until staged");
    assert_eq!(ground.tool("git", &["status", "--porcelain"]), "");
    ground.expect(0, "run --until live");
    assert_eq!(ground.tool("git", &["status", "--porcelain"]), " M src/app.py\n");
    ground.expect(0, "rollback");
    assert_eq!(ground.tool("git", &["status", "--porcelain"]), "");
}

#[test]
fn needs_git_nothing_of_ours_shows_where_the_project_is_a_folder_or_a_work_tree_of_a_repository() {
    let ground = repository();
    ground.tool("git", &["worktree", "add", "--quiet", "../tree"]);
    for place in ["../tree", "../outer/project"] {
        if place == "../outer/project" {
            ground.write("../outer/project/switchback.toml", ground.read("switchback.toml"));
            ground.write("../outer/project/src/app.py", "VERSION = 1\n");
            ground.write("../outer/new/src/app.py", "VERSION = 2\n");
            ground.tool("git", &["init", "--quiet", "../outer"]);
            ground.tool("git", &["-C", "../outer", "add", "."]);
        }
        let before = ground.tool("git", &["-C", place, "status", "--porcelain"]);
        ground.expect(0, &format!("run --until staged -C {place}"));
        assert_eq!(ground.tool("git", &["-C", place, "status", "--porcelain"]), before, "{place}");
    }
}
