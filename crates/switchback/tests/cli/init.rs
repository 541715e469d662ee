//! `init`: projects of many layouts; the plan that is written is accepted, and its checks are carried out.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::Path;

use regex::Regex;
use serde_json::Value;

use super::ground::Ground;

const UNITTEST: &str = "import unittest\n\nfrom shop import price\n\n\nclass PriceTest(unittest.TestCase):\n\
                        \x20   def test_one(self):\n        self.assertEqual(price(2), 4)\n\n\
                        \x20   def test_zero(self):\n        self.assertEqual(price(0), 0)\n";
/// Stands in for pytest: it is asked as pytest is, and leaves what pytest leaves.
const PYTEST: &str = "import os, sys, importlib\n\nif __name__ == '__main__':\n\
    \x20   out = [w.split('=', 1)[1] for w in sys.argv if w.startswith('--junitxml=')][0]\n\
    \x20   import shop\n\
    \x20   assert os.path.realpath(shop.__file__).startswith(os.path.realpath(os.getcwd())), shop.__file__\n\
    \x20   cases = ''.join('<testcase classname=\"tests\" name=\"test_%d\"/>' % n for n in range(3))\n\
    \x20   open(out, 'w').write('<testsuite tests=\"3\">' + cases + '</testsuite>')\n";

/// A project with these files.
fn project(files: &[(&str, &str)]) -> Ground {
    let ground = Ground::new();
    for (path, content) in files {
        ground.write(path, content);
    }
    ground
}

/// A project whose search path for modules has a stand-in for pytest.
fn with_pytest(files: &[(&str, &str)]) -> Ground {
    let mut ground = project(files);
    ground.write("../modules/pytest.py", PYTEST);
    let modules = ground.at("../modules").display().to_string();
    ground.set("PYTHONPATH", &modules);
    ground
}

fn commit(ground: &Ground) {
    ground.tool("git", &["init", "-q", "-b", "main"]);
    ground.tool("git", &["add", "-A"]);
    let author = ["-c", "user.name=tester", "-c", "user.email=tester@example.org"];
    ground.tool("git", &[&author[..], &["commit", "-q", "-m", "first"]].concat());
}

/// Writes a plan, which `plan` accepts, and carries its checks out; returns what `init --json` says.
fn written(ground: &Ground, arguments: &str) -> Value {
    let said = ground.expect(0, &format!("init --json {arguments}")).json();
    assert_eq!(said["schema"], "switchback/init/1");
    ground.expect(0, "plan");
    ground.expect(0, "check --at before");
    said
}

fn paths(said: &Value) -> Vec<&str> {
    said["managed"].as_array().unwrap().iter().map(|managed| managed["path"].as_str().unwrap()).collect()
}

/// The check of that name, when it is carried out.
fn check<'v>(said: &'v Value, name: &str) -> Option<&'v Value> {
    let mut checks = said["checks"].as_array().unwrap().iter();
    checks.find(|check| check["name"] == name && check["active"] == true)
}

#[test]
#[expect(clippy::too_many_lines, reason = "one story, told word by word")]
fn a_flat_package_with_unittest_gets_a_plan_that_runs() {
    let ground = project(&[
        ("shop/__init__.py", "def price(n):\n    return n * 2\n"),
        ("tests/__init__.py", ""),
        ("tests/test_price.py", UNITTEST),
        ("config/base.yml", "a: 1\n"),
        ("requirements.txt", ""),
        ("README.md", "Shop\n"),
        ("data/orders.csv", "id\n1\n"),
    ]);
    insta::assert_snapshot!(ground.run("init"), @r#"
    $ switchback init
    --- stdout
    wrote [TMP]/project/switchback.toml
    project project
      manages config: configuration: 1 configuration file
      manages requirements.txt: dependencies or build, by its name
      manages shop: a Python package: 1 Python file
      manages tests: tests, by its name: 2 Python files
    candidate: still to be named in the plan's `[[phase.change]]`
    check files: 2 paths must exist
    check compile: Python code compiles: shop tests
    check tests: unittest: 2 tests in 1 file, at least 1 must run
    --- stderr
    next: read it, then `switchback plan` shows what a run would do
    --- exit 0
    "#);
    let python = Regex::new(r"Python \d+\.\d+\.\d+").unwrap();
    let plan = ground.read("switchback.toml");
    insta::assert_snapshot!(python.replace(&plan, "Python [VERSION]"), @r##"
    # Written by `switchback init` from what stands in this folder. What is a guess says on what ground; correct it
    # where it is wrong. `switchback plan` shows what a run would do and touches nothing, `switchback check --at
    # before` carries the checks out on what is live now. Lines that begin with `#` and no space are examples: take
    # the `#` off to use them.
    version = 1

    [project]
    name = "project" # the name of the folder
    # What a phase may change; nothing else is ever touched. A path becomes what the candidate has, deletions
    # included; with `delete = false`, files that the candidate does not have are kept.
    managed = [
        "config", # configuration: 1 configuration file
        "requirements.txt", # dependencies or build, by its name
        "shop", # a Python package: 1 Python file
        "tests", # tests, by its name: 2 Python files
    ]
    # Not managed: `data` (data).

    # Where snapshots go; best on another disk. `also` names what is backed up and never changed.
    #[snapshot]
    #repository = "/var/backups/switchback"
    #also = ["data/orders.csv"]

    [[phase]]
    name = "change"
    # Who must approve what was staged before it goes live; nobody, as it stands.
    #approve = { roles = ["tech-lead"] }

    # No candidate was named, and the project is in no git repository.
    # So this line changes nothing yet: a run stops when the candidate is staged, because it is the same as what is
    # live, and nothing is touched. Write the command that makes the change (it runs in a copy of the project), or
    # name a ready tree:
    #[[phase.change]]
    #kind = "files"
    #from = "../candidate"
    [[phase.change]]
    kind = "command"
    command = "true"

    # What the project is set up by must be there.
    [[check]]
    name = "files"
    kind = "files"
    exist = ["config/base.yml", "requirements.txt"]
    at = ["before", "staged", "live"]

    # All Python code compiles, tried with Python [VERSION] (`python3`, found on the search path; the project has no
    # environment of its own): 3 of 3 files do.
    [[check]]
    name = "compile"
    kind = "command"
    command = "PYTHONPYCACHEPREFIX={out} python3 -m compileall -q shop tests"
    at = ["before", "staged", "live"]

    # The project's own tests: unittest, because the tests are methods of test cases.
    [[check]]
    name = "tests"
    kind = "tests"
    command = "python3 -m unittest discover -v -s tests -t ."
    runner = "unittest"
    minimum = 1 # half of the 2 tests in 1 file that were counted in the source; skipped ones do not count as run
    at = ["before", "staged", "live"]
    #known_failures = true # when some fail already today: they may go on failing

    # When this check says no after the cutover, the old tree is made live again.
    [[trigger]]
    when = { check = "tests" }
    do = "roll-back"

    # Proof that the results stay the same, value by value: old and new write theirs into `{out}`, and both are
    # compared. Name the program that makes the results.
    #[[check]]
    #name = "equal"
    #kind = "equivalence"
    #old = { tree = "live", command = "python3 run.py --out {out}" }
    #new = { tree = "candidate", command = "python3 run.py --out {out}" }
    #tolerance = { absolute = 1e-12 }
    #at = ["staged"]

    # A service that must answer as fast as before, also later on.
    #[[check]]
    #name = "latency"
    #kind = "http"
    #url = "http://localhost:8000/health"
    #at = ["before", "live", "+1h", "+24h"]
    #[[trigger]]
    #when = { check = "latency", worse_than = { times = 2.0, of = "before" }, in_a_row = 3 }
    #do = "roll-back"
    "##);
    ground.expect(0, "plan");
    let seen = ground.expect(0, "check --at before");
    assert!(seen.err.contains("check tests at before: yes: 2 passed"), "{seen}");
    assert!(!ground.at(".switchback.toml").exists());
}

#[test]
fn a_source_root_with_pytest_tests_the_tree_that_is_looked_at() {
    let files = [
        (
            "pyproject.toml",
            "[project]\nname = \"shop\"\n[tool.pytest.ini_options]\ntestpaths = [\"tests\"]\n",
        ),
        ("src/shop/__init__.py", ""),
        ("tests/test_shop.py", "import shop\n\n\ndef test_a():\n    pass\n\n\ndef test_b():\n    pass\n"),
    ];
    let ground = with_pytest(&files);
    // As if the project were installed: this one must not be what is tested.
    ground.write("../modules/shop/__init__.py", "");
    let said = written(&ground, "");
    assert_eq!(paths(&said), ["pyproject.toml", "src", "tests"]);
    assert_eq!(said["project"], "shop");
    assert!(check(&said, "tests").is_some());
    let plan = ground.read("switchback.toml");
    assert!(plan.contains("PYTHONPATH={tree}/src${PYTHONPATH:+:$PYTHONPATH} python3 -m pytest"), "{plan}");
    assert!(plan.contains("do = \"roll-back\""), "{plan}");
}

#[test]
fn tests_that_need_what_is_not_installed_are_written_as_a_comment_that_says_so() {
    let mut ground = project(&[
        ("shop.py", "def price(n):\n    return n * 2\n"),
        ("test_shop.py", "import pytest\n\n\ndef test_a():\n    pass\n"),
    ]);
    // Nothing but the standard library, wherever these tests are run.
    ground.write("../bin/python3", "#!/bin/sh\nexec /usr/bin/env -i PATH=\"$REST\" python3 -I -S \"$@\"\n");
    ground.tool("chmod", &["+x", "../bin/python3"]);
    let rest = std::env::var_os("PATH").unwrap().into_string().unwrap();
    ground.set("REST", &rest);
    ground.set("PATH", &format!("{}:{rest}", ground.at("../bin").display()));
    let said = written(&ground, "");
    assert!(check(&said, "tests").is_none(), "{said}");
    assert!(said["notes"].to_string().contains("has no pytest"), "{said}");
    let plan = ground.read("switchback.toml");
    assert!(plan.contains("#command = \"python3 -m pytest"), "{plan}");
    // What is carried out triggers the rollback.
    assert!(plan.contains("when = { check = \"compile\" }"), "{plan}");
}

#[test]
fn a_single_script_and_a_project_without_python_get_plans_too() {
    let ground = project(&[("report.py", "print('hello')\n")]);
    let said = written(&ground, "");
    assert_eq!(paths(&said), ["report.py"]);
    assert!(check(&said, "compile").is_some());
    assert!(said["notes"].to_string().contains("no tests were found"), "{said}");

    let ground = project(&[
        ("dbt_project.yml", "name: shop\n"),
        ("models/orders.sql", "select 1\n"),
        ("seeds/raw.csv", "id\n1\n"),
        ("shop.duckdb", "not really\n"),
    ]);
    let said = written(&ground, "");
    assert_eq!(paths(&said), ["dbt_project.yml", "models", "seeds"]);
    assert_eq!(said["also"][0], "shop.duckdb");
    assert!(check(&said, "compile").is_none());
    assert!(check(&said, "files").is_some());
}

#[test]
fn nothing_to_manage_is_an_error_and_nothing_is_written() {
    let ground = project(&[("README.md", "empty\n"), ("data/orders.csv", "id\n1\n")]);
    let before = ground.listing();
    insta::assert_snapshot!(ground.run("init"), @r#"
    $ switchback init
    --- stderr
    error: could not write a plan
      caused by: there is neither code nor configuration in `[TMP]/project` that a plan could manage

    hint: name the folder that holds the project with `--project`, or write a `switchback.toml` by hand
    --- exit 2
    "#);
    assert_eq!(ground.expect(2, "init --json").json()["schema"], "switchback/error/1");
    assert_eq!(ground.listing(), before);
    ground.expect(2, "-C ../not-there init");
}

#[test]
fn a_plan_is_never_overwritten() {
    let ground = Ground::shop("");
    let before = ground.listing();
    insta::assert_snapshot!(ground.run("init"), @r#"
    $ switchback init
    --- stderr
    error: could not write a plan
      caused by: there is a `switchback.toml` in `[TMP]/project` already

    hint: `switchback plan` shows what it would do; move it away, and `switchback init` writes a new one
    --- exit 2
    "#);
    assert_eq!(ground.listing(), before);
    let ground = project(&[("app.py", "")]);
    symlink("elsewhere.toml", ground.at("switchback.toml")).unwrap();
    ground.expect(2, "init");
    assert!(!ground.at("elsewhere.toml").exists());
}

#[test]
fn names_that_a_plan_or_a_shell_could_misread_are_quoted_or_left_out() {
    let hostile = "it's \"quoted\"; touch hit $(touch hit)";
    let ground = project(&[
        (&format!("{hostile}/__init__.py"), "x = 1\n"),
        (&format!("{hostile}/bad 'file'.py"), "def (\n"),
        ("-x.py", "x = 1\n"),
        ("back\\slash.py", "x = 1\n"),
        ("#comment.py", "x = 1\n"),
        ("{out}.py", "x = 1\n"),
        ("a{tree}/__init__.py", "x = 1\n"),
        ("two\nlines.py", "x = 1\n"),
    ]);
    fs::write(ground.at(Path::new(OsStr::from_bytes(b"latin-\xe9.py"))), "x = 1\n").unwrap();
    symlink("/etc", ground.at("linked")).unwrap();
    let said = written(&ground, "");
    assert_eq!(paths(&said), ["#comment.py", "-x.py", "a{tree}", "back\\slash.py", hostile, "{out}.py"]);
    assert!(!ground.at("hit").exists());
    let notes = said["notes"].to_string();
    assert!(notes.contains("two\\\\nlines.py") && notes.contains("latin-"), "{notes}");
    assert!(
        notes.contains("not compiled by any check") && notes.contains("`a{tree}`, `{out}.py`"),
        "{notes}"
    );
    assert!(notes.contains("a symbolic link") && notes.contains("linked"), "{notes}");
    // A comment is one line, whatever is named in it.
    let plan = ground.read("switchback.toml");
    assert!(plan.lines().all(|line| !line.starts_with("lines.py")), "{plan}");
}

#[test]
fn a_python_that_hangs_is_given_up_soon_and_said() {
    let ground = project(&[
        ("shop/__init__.py", "x = 1\n"),
        (".venv/pyvenv.cfg", ""),
        (".venv/bin/python", "#!/bin/sh\nexec sleep 600\n"),
    ]);
    ground.tool("chmod", &["+x", ".venv/bin/python"]);
    let began = std::time::Instant::now();
    let seen = ground.expect(0, "init");
    assert!(began.elapsed().as_secs() < 60, "{:?}", began.elapsed());
    let note = "note: `.venv/bin/python`: it did not answer within 10 s; so `python3` is asked instead";
    assert!(seen.err.contains(note), "{seen}");
}

#[test]
fn files_that_do_not_compile_today_are_left_out_of_the_check() {
    let ground = project(&[
        ("shop/__init__.py", ""),
        ("shop/templates/(new).py", "{{ cookiecutter }} def\n"),
        ("shop/old.py", "print 'python 2'\n"),
    ]);
    let said = written(&ground, "");
    assert!(check(&said, "compile").is_some());
    let plan = ground.read("switchback.toml");
    assert!(plan.contains("1 of 3 files do") && plan.contains("`shop/old.py`"), "{plan}");
    // The check still sees what breaks from now on.
    ground.write("shop/__init__.py", "def (\n");
    ground.expect(1, "check compile --at before");
}

#[test]
fn in_git_the_candidate_is_the_last_commit_and_what_git_does_not_have_is_kept() {
    let files =
        [(".gitignore", "_version.py\n"), ("shop/__init__.py", ""), ("shop/_version.py", ""), ("app.py", "")];
    let ground = project(&files);
    commit(&ground);
    let author = ["-c", "user.name=tester", "-c", "user.email=tester@example.org"];
    ground.tool("git", &["checkout", "-q", "-b", "next"]);
    ground.write("app.py", "VERSION = 2\n");
    ground.tool("git", &[&author[..], &["commit", "-q", "-a", "-m", "next"]].concat());
    ground.tool("git", &["checkout", "-q", "main"]);
    let said = written(&ground, "");
    assert_eq!(said["candidate"]["from"], "git:HEAD");
    assert_eq!(said["candidate"]["others"][0], "next");
    assert_eq!(said["managed"][1]["delete"], false, "{said}");
    assert!(said["managed"][1]["what"].as_str().unwrap().contains("shop/_version.py"), "{said}");
    // It is what is live: a run stops with nothing touched.
    let seen = ground.expect(2, "run");
    assert!(seen.err.contains("is the same as the live tree"), "{seen}");
    // With the branch in its place, it runs.
    let plan = ground.read("switchback.toml");
    ground.write("switchback.toml", plan.replace("from = \"git:HEAD\"", "from = \"git:next\""));
    ground.expect(0, "check --at before");
    ground.expect(0, "run");
    assert_eq!(ground.read("app.py"), "VERSION = 2\n");
    assert!(ground.at("shop/_version.py").exists());
    ground.expect(0, "rollback");
    assert_eq!(ground.read("app.py"), "");
}

#[test]
fn a_plan_never_takes_back_what_is_not_committed() {
    let ground = project(&[("app.py", "")]);
    commit(&ground);
    ground.write("app.py", "VERSION = 2\n");
    let said = written(&ground, "");
    assert_eq!(said["candidate"]["kind"], "command");
    assert!(said["candidate"]["why"].as_str().unwrap().contains("`app.py`"), "{said}");
    ground.expect(2, "run");
    assert_eq!(ground.read("app.py"), "VERSION = 2\n");

    let ground = project(&[("app.py", "")]);
    ground.tool("git", &["init", "-q"]);
    assert_eq!(written(&ground, "")["candidate"]["kind"], "command");
}

#[test]
fn a_named_candidate_is_looked_at_too() {
    let files = [
        ("app.py", "VERSION = 1\n"),
        ("../new/app.py", "VERSION = 2\n"),
        ("../new/src/shop/__init__.py", ""),
    ];
    let ground = project(&files);
    let said = written(&ground, "--from ../new");
    assert_eq!(paths(&said), ["app.py", "src"]);
    // The new package is compiled where it is: in the candidate, and not yet in the live tree.
    ground.expect(0, "check compile --at before");
    ground.write("../new/src/shop/__init__.py", "def broken(:\n");
    let seen = ground.expect(1, "run");
    assert!(seen.err.contains("the check `compile` says no at staged"), "{seen}");
    ground.write("../new/src/shop/__init__.py", "");
    ground.expect(0, "run --restage");
    assert!(ground.at("src/shop/__init__.py").exists());

    for (from, why) in [
        ("../nowhere", "does not exist"),
        (".", "is the project itself"),
        ("../project", "is the project itself"),
        ("git:main", "is no revision that git has"),
        ("../empty", "neither code nor configuration"),
        ("../text.md", "neither a directory nor an archive"),
    ] {
        let ground = project(&[("app.py", ""), ("../empty/notes.md", ""), ("../text.md", "")]);
        let before = ground.listing();
        let seen = ground.expect(2, &format!("init --from {from}"));
        assert!(seen.err.contains(why) && seen.err.contains("--from"), "{from}: {seen}");
        assert_eq!(ground.listing(), before);
    }
}

#[test]
fn environments_and_heavy_data_are_linked_and_the_projects_own_python_is_used() {
    let ground = project(&[
        ("app.py", "x = 1\n"),
        (".venv/pyvenv.cfg", ""),
        (".venv/bin/python", "#!/bin/sh\nexec python3 \"$@\"\n"),
        ("node_modules/left/index.js", ""),
        ("pipeline/load.py", "x = 1\n"),
        ("pipeline/data/one.parquet", ""),
    ]);
    ground.tool("chmod", &["+x", ".venv/bin/python"]);
    for path in ["data/big.parquet", "pipeline/data/two.parquet"] {
        ground.write(path, "");
        fs::File::options().write(true).open(ground.at(path)).unwrap().set_len(80 << 20).unwrap();
    }
    let said = written(&ground, "");
    assert_eq!(paths(&said), ["app.py", "pipeline/load.py"]);
    let linked: Vec<&str> =
        said["linked"].as_array().unwrap().iter().map(|linked| linked["path"].as_str().unwrap()).collect();
    assert_eq!(linked, [".venv", "data", "pipeline/data"]);
    assert!(ground.read("switchback.toml").contains(" .venv/bin/python -m compileall"));
}

#[test]
fn settings_in_ini_files_and_plugins_that_are_not_there_are_heeded() {
    let ground = with_pytest(&[
        (
            "setup.cfg",
            "[metadata]\nname = shop\n[options]\npackage_dir =\n    =lib\n[tool:pytest]\naddopts = --cov=shop\npython_files = check_*.py\n",
        ),
        ("lib/shop/__init__.py", ""),
        ("checks/check_a.py", "def test_a():\n    pass\n"),
        ("checks/test_not_this.py", "def test_b():\n    pass\n"),
    ]);
    let said = written(&ground, "");
    assert_eq!(said["project"], "shop");
    let plan = ground.read("switchback.toml");
    assert!(plan.contains("PYTHONPATH={tree}/lib${PYTHONPATH:+:$PYTHONPATH} python3 -m pytest"), "{plan}");
    assert!(plan.contains("-o addopts=''") && plan.contains("`pytest_cov`"), "{plan}");
    assert!(plan.contains("minimum = 1 # half of the 1 test in 1 file"), "{plan}");
}

#[test]
fn a_huge_folder_is_counted_up_to_a_limit_and_said_to_be() {
    let ground = project(&[("app.py", "")]);
    fs::create_dir_all(ground.at("data")).unwrap();
    for number in 0..5_100 {
        fs::write(ground.at(format!("data/{number}.csv")), "").unwrap();
    }
    let said = written(&ground, "");
    assert_eq!(said["complete"], false);
    assert!(said["notes"].to_string().contains("lower bounds: `data`"), "{said}");
    assert_eq!(said["linked"][0]["path"], "data");
}

#[test]
fn every_example_in_a_written_plan_can_be_used() {
    let ground = project(&[("app.py", ""), ("dbt_project.yml", "")]);
    ground.expect(0, "init");
    let plan = ground.read("switchback.toml");
    let is_example = |line: &str| line.starts_with('#') && !line.starts_with("# ");
    assert!(plan.lines().filter(|line| is_example(line)).count() > 15, "{plan}");
    let used: Vec<&str> = plan.lines().map(|line| if is_example(line) { &line[1..] } else { line }).collect();
    ground.write("switchback.toml", used.join("\n"));
    ground.write("../candidate/app.py", "");
    ground.expect(0, "plan");
}
