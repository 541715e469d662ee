//! Reports as tools write them, hostile ones, and which findings are new.

#![expect(clippy::disallowed_methods, reason = "the tests lay out their own small trees")]
#![expect(clippy::needless_pass_by_value, reason = "documents are written where they are handed over")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::{Compared, Finding, Form, Level, Placed, Report, compare, moved, read};
use crate::world::RealDisk;

const TREE: &str = "/tree";

fn sarif_of(run: Value) -> Result<Report, String> {
    let log = json!({"version": "2.1.0", "runs": [run]});
    read(Form::Sarif, &log.to_string(), Path::new(TREE))
}

fn run_of(results: Value) -> Value {
    json!({"tool": {"driver": {"name": "Lint", "rules": [
        {"id": "A1"},
        {"id": "A2", "defaultConfiguration": {"level": "note"}, "messageStrings": {"m": {"text": "{0} is not {1}"}}},
    ]}}, "results": results})
}

fn one(result: Value) -> Result<Finding, String> {
    sarif_of(run_of(json!([result]))).map(|mut report| report.findings.remove(0))
}

#[test]
fn a_result_has_its_rule_level_place_and_message() {
    let found = one(json!({"ruleIndex": 1, "message": {"id": "m", "arguments": ["x", "y"]}, "locations": [{"physicalLocation": {
        "artifactLocation": {"uri": "src/app.py"}, "region": {"startLine": 3}}}]}))
    .unwrap();
    assert_eq!(found.told(), "src/app.py:3: A2 x is not y");
    assert_eq!(found.level, Level::Note);
    let found = one(json!({"ruleId": "A1", "message": {"text": "a\n b\u{1b}[31m"}})).unwrap();
    assert_eq!((found.level, found.told().as_str()), (Level::Warning, "A1 a b[31m"));
    let found = one(json!({"rule": {"id": "B"}, "level": "error", "message": {"text": "t"}})).unwrap();
    assert_eq!((found.level, found.rule.as_str()), (Level::Error, "B"));
}

#[test]
fn what_is_no_failure_or_suppressed_is_no_finding() {
    let result = |more: Value| {
        let mut result = json!({"ruleId": "A1", "message": {"text": "t"}});
        result.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        result
    };
    let results = json!([
        result(json!({"suppressions": [{"kind": "inSource"}]})),
        result(json!({"suppressions": [{"kind": "external", "status": "accepted"}]})),
        result(json!({"suppressions": [{"kind": "external", "status": "underReview"}]})),
        result(json!({"suppressions": [{"kind": "inSource"}, {"kind": "external", "status": "rejected"}]})),
        result(json!({"suppressions": []})),
        result(json!({"kind": "pass"})),
        result(json!({"kind": "notApplicable"})),
        result(json!({"kind": "review"})),
        result(json!({"baselineState": "absent"})),
        result(json!({"baselineState": "new", "kind": "fail"})),
    ]);
    let report = sarif_of(run_of(results)).unwrap();
    assert_eq!((report.findings.len(), report.suppressed, report.open), (4, 2, 1));
}

#[test]
fn names_of_files_are_decoded_and_held_against_the_tree() {
    let name = |location: Value, run: &Value| {
        let mut run = run.clone();
        run["results"] = json!([{"ruleId": "A1", "message": {"text": "t"}, "locations": [{"physicalLocation": {"artifactLocation": location}}]}]);
        sarif_of(run).unwrap().findings.remove(0).path
    };
    let mut run = run_of(json!([]));
    run["artifacts"] = json!([{"location": {"uri": "listed.py", "uriBaseId": "SRC"}}]);
    run["originalUriBaseIds"] = json!({
        "ROOT": {"uri": "file:///tree/"},
        "SRC": {"uri": "src", "uriBaseId": "ROOT"},
        "ELSEWHERE": {"uri": "file:///other%20place/"},
        "A": {"uri": "a/", "uriBaseId": "B"},
        "B": {"uri": "b/", "uriBaseId": "A"},
        "NONE": {},
    });
    for (location, wanted) in [
        (json!({"uri": "file:///tree/src/my%20file.py"}), "src/my file.py"),
        (json!({"uri": "FILE://localhost/tree/src/a.py"}), "src/a.py"),
        (json!({"uri": "src/%C3%A9.py"}), "src/é.py"),
        (json!({"uri": "src/100%.py"}), "src/100%.py"),
        (json!({"uri": "src/%zz%2"}), "src/%zz%2"),
        (json!({"uri": "src/%00a.py"}), "src/%00a.py"),
        (json!({"uri": "./src/../src/a.py"}), "src/a.py"),
        (json!({"uri": "a.py", "uriBaseId": "SRC"}), "src/a.py"),
        (json!({"uri": "a.py", "uriBaseId": "NONE"}), "a.py"),
        (json!({"uri": "a.py", "uriBaseId": "nobody"}), "a.py"),
        (json!({"index": 0}), "src/listed.py"),
        (json!({"index": 7}), ""),
        (json!({"uri": "a.py", "uriBaseId": "ELSEWHERE"}), "/other place/a.py"),
        (json!({"uri": "../../etc/passwd"}), "../../etc/passwd"),
        (json!({"uri": "%2e%2e/%2e%2e/etc/passwd"}), "../../etc/passwd"),
        (json!({"uri": "file://server/share/a.py"}), "file://server/share/a.py"),
        (json!({"uri": "https://example.org/a.py"}), "https://example.org/a.py"),
    ] {
        assert_eq!(name(location.clone(), &run), wanted, "{location}");
    }
    // Bases in a circle end somewhere.
    assert!(name(json!({"uri": "x.py", "uriBaseId": "A"}), &run).ends_with("x.py"));
}

#[test]
fn a_log_that_tells_nothing_is_no_report() {
    let log = |log: Value| read(Form::Sarif, &log.to_string(), Path::new(TREE)).unwrap_err();
    let tool = json!({"driver": {"name": "Lint"}});
    for (value, reason) in [
        (json!({"runs": []}), "no `version`"),
        (json!({"version": "2.0.0", "runs": []}), "version 2.0.0"),
        (json!({"version": 2.1, "runs": []}), "no `version`"),
        (json!({"version": "2.1.0"}), "no `runs`"),
        (json!({"version": "2.1.0", "runs": []}), "no run"),
        (json!({"version": "2.1.0", "runs": [{}]}), "does not name its tool"),
        (json!({"version": "2.1.0", "runs": [{"tool": tool}]}), "no `results`"),
        (json!({"version": "2.1.0", "runs": [{"tool": tool, "results": null}]}), "no `results`"),
        (
            json!({"version": "2.1.0", "runs": [{"tool": tool, "results": [], "invocations": [{"executionSuccessful": false,
                "toolExecutionNotifications": [{"level": "error", "message": {"text": "out of memory"}}]}]}]}),
            "did not come to an end: out of memory",
        ),
        (
            json!({"version": "2.1.0", "runs": [{"tool": tool, "results": [], "invocations": [{"executionSuccessful": true,
                "toolConfigurationNotifications": [{"level": "error", "message": {"text": "syntax error"}}]}]}]}),
            "could not look at everything: syntax error",
        ),
        (
            json!({"version": "2.1.0", "runs": [{"tool": tool, "results": [],
                "externalPropertyFileReferences": {"results": [{"location": {"uri": "more.sarif"}}]}}]}),
            "other files",
        ),
        (
            json!({"version": "2.1.0", "runs": [{"tool": tool, "results": [{"kind": "odd"}]}]}),
            "unknown kind `odd`",
        ),
        (json!({"version": "2.1.0", "runs": [{"tool": tool, "results": [{"level": "fatal"}]}]}), "a level"),
    ] {
        let why = log(value.clone());
        assert!(why.contains(reason), "{value}: {why}");
    }
    for (text, reason) in [
        (String::new(), "empty"),
        ("[".repeat(1_000_000), "no SARIF"),
        ("{\"version\": \"2.1.0\", \"runs\": [".to_owned(), "no SARIF"),
        ("lint: all fine".to_owned(), "no SARIF"),
    ] {
        let why = read(Form::Sarif, &text, Path::new(TREE)).unwrap_err();
        assert!(why.contains(reason), "{why}");
    }
}

#[test]
fn more_findings_than_anybody_could_look_at_are_refused() {
    let result = json!({"ruleId": "A", "message": {"text": "t"}}).to_string();
    let results = vec![result; super::FINDINGS_MAX + 1].join(",");
    let text = format!(
        "{{\"version\": \"2.1.0\", \"runs\": [{{\"tool\": {{\"driver\": {{\"name\": \"L\"}}}}, \"results\": [{results}]}}]}}"
    );
    assert!(read(Form::Sarif, &text, Path::new(TREE)).unwrap_err().contains("more than 200000"));
}

#[test]
fn the_json_of_single_tools_is_read() {
    let told = |form: Form, text: &str| -> Vec<String> {
        let report = read(form, text, Path::new(TREE)).unwrap();
        report.findings.iter().map(|one| format!("{} {}", one.level.word(), one.told())).collect()
    };
    let ruff = r#"[{"cell": null, "code": "F401", "filename": "/tree/src/app.py", "location": {"column": 8, "row": 1},
        "message": "`os` imported but unused", "noqa_row": 1, "severity": "error"},
        {"code": null, "filename": "/tree/b.py", "location": {"column": 1, "row": 2}, "message": "SyntaxError"}]"#;
    assert_eq!(
        told(Form::Ruff, ruff),
        ["error src/app.py:1: F401 `os` imported but unused", "error b.py:2: invalid-syntax SyntaxError"]
    );
    let mypy = "{\"file\": \"src/app.py\", \"line\": 18, \"column\": 4, \"message\": \"Incompatible types\", \"hint\": null, \
                \"code\": \"assignment\", \"severity\": \"error\"}\nFound 1 error in 1 file (checked 2 source files)\n";
    assert_eq!(told(Form::Mypy, mypy), ["error src/app.py:18: assignment Incompatible types"]);
    assert_eq!(told(Form::Mypy, "Success: no issues found in 1 source file\n"), [""; 0]);
    let eslint = r#"[{"filePath": "/tree/a.js", "messages": [{"ruleId": "no-undef", "severity": 1, "line": 2, "message": "m"},
        {"ruleId": null, "fatal": true, "severity": 2, "line": 3, "message": "Parsing error"}], "suppressedMessages": [{}]}]"#;
    assert_eq!(
        told(Form::Eslint, eslint),
        ["warning a.js:2: no-undef m", "error a.js:3: invalid-syntax Parsing error"]
    );
    for (form, text) in [
        (Form::Ruff, "{}"),
        (Form::Ruff, ""),
        (Form::Ruff, "[{}]"),
        (Form::Mypy, "src/app.py:18: error: Incompatible types"),
        (Form::Mypy, "{\"file\": \"a\"}"),
        (Form::Eslint, "[]"),
        (Form::Eslint, "[{\"filePath\": \"a\"}]"),
    ] {
        assert!(read(form, text, Path::new(TREE)).is_err(), "{form:?} {text}");
    }
}

/// As pytest 9 prints it.
const PYTEST: &str = "..                                                                       [100%]
=============================== warnings summary ===============================
tests/test_app.py::test_old
tests/test_app.py::test_older
  /tree/src/app.py:17: DeprecationWarning: old is going away
    warnings.warn(\"old is going away\", DeprecationWarning)

tests/test_app.py::test_old
  /usr/lib/python3/site-packages/a.py:3: pkg.errors.SomeWarning: x: y
    f()

-- Docs: https://docs.pytest.org/en/stable/how-to/capture-warnings.html
2 passed, 3 warnings in 0.02s
";

#[test]
fn warnings_of_tests_are_read_once_a_place() {
    let read = |text: &str| read(Form::PythonWarnings, text, Path::new(TREE));
    let told = |text: &str| read(text).unwrap().findings.iter().map(Finding::told).collect::<Vec<_>>();
    assert_eq!(
        told(PYTEST),
        [
            "src/app.py:17: DeprecationWarning old is going away",
            "/usr/lib/python3/site-packages/a.py:3: pkg.errors.SomeWarning x: y"
        ]
    );
    let unittest = "/tree/tests.py:3: UserWarning: hello\n  warnings.warn('hello')\n.\n\
                    ----------------------------------------------------------------------\nRan 1 test in 0.000s\n\nOK\n";
    assert_eq!(told(unittest), ["tests.py:3: UserWarning hello"]);
    let silent = "..      [100%]\n2 passed, 1 warning in 0.01s\n";
    for (text, reason) in [
        ("", "nobody knows"),
        ("hello\n", "nobody knows"),
        (silent, "lists none"),
        ("F.   [100%]\n1 failed, 1 passed in 0.01s\n", "did not pass"),
        ("\nno tests ran in 0.00s\n", "no test ran"),
    ] {
        let why = read(text).unwrap_err();
        assert!(why.contains(reason), "{text}: {why}");
    }
}

/// A finding at each line that says `bad`, told by its rule alone.
fn placed(tree: &Path, path: &str) -> Vec<Placed> {
    let text = fs::read_to_string(tree.join(path)).unwrap();
    let lines = text.lines().enumerate().filter(|(_, line)| line.contains("bad"));
    let findings = lines.map(|(number, _)| Finding {
        tool: "lint".to_owned(),
        rule: "BAD".to_owned(),
        level: Level::Error,
        path: path.to_owned(),
        line: number as u64 + 1,
        message: "it is bad".to_owned(),
        fingerprints: BTreeMap::new(),
    });
    Placed::all(findings.collect(), &RealDisk, tree)
}

/// New, gone and kept findings between two texts of one file, or of two.
fn between(old: (&str, &str), new: (&str, &str)) -> (Vec<u64>, u64, u64) {
    let place = tempfile::tempdir().unwrap();
    let (old_tree, new_tree) = (place.path().join("old"), place.path().join("new"));
    for (tree, (path, text)) in [(&old_tree, old), (&new_tree, new)] {
        fs::create_dir_all(tree.join(path).parent().unwrap()).unwrap();
        fs::write(tree.join(path), text).unwrap();
    }
    let (old_found, new_found) = (placed(&old_tree, old.0), placed(&new_tree, new.0));
    let moved =
        moved(&RealDisk, (&old_tree, &BTreeSet::from([old.0])), (&new_tree, &BTreeSet::from([new.0])));
    let Compared { new, gone, kept } = compare(&old_found, &new_found, &moved);
    (new.iter().map(|one| one.line).collect(), gone, kept)
}

const CODE: &str = "first line\nbad number one()\nmiddle line\nlast line\nbad number two()\nvery last line\n";

#[test]
fn a_finding_is_told_by_what_stands_around_it_and_not_by_its_line() {
    let a = "a.py";
    for (what, new, wanted) in [
        ("nothing changed", CODE.to_owned(), (vec![], 0, 2)),
        ("lines were added above", format!("\n\n# more\nx = 1\n{CODE}"), (vec![], 0, 2)),
        ("it was indented", CODE.replace("bad", "    bad"), (vec![], 0, 2)),
        ("the line before was edited", CODE.replace("first", "1st"), (vec![], 0, 2)),
        ("the line itself was edited", CODE.replace("one()", "one(1)"), (vec![], 0, 2)),
        ("everything around it was edited", CODE.replace("line", "row"), (vec![], 0, 2)),
        ("one is gone", CODE.replace("bad number one()\n", ""), (vec![], 1, 1)),
        ("one is new", CODE.replace("last line\nbad", "last line\nbad three()\nbad"), (vec![5], 0, 2)),
        ("one is copied", format!("{CODE}bad number two()\n"), (vec![7], 0, 2)),
        (
            "one is gone, another new",
            CODE.replace("bad number one()", "good") + "bad four()\n",
            (vec![7], 1, 1),
        ),
    ] {
        assert_eq!(between((a, CODE), (a, &new)), wanted, "{what}");
    }
}

#[test]
fn short_lines_are_told_apart_by_their_neighbours() {
    let old = "try:\n    alpha()\nbad\n    beta()\n";
    let new = "try:\n    alpha()\nok\n    beta()\ntry:\n    gamma()\nbad\n    delta()\n";
    assert_eq!(between(("a.py", old), ("a.py", new)), (vec![7], 1, 0));
}

#[test]
fn findings_follow_a_file_that_was_moved_and_edited() {
    let new = CODE.replace("first line", "from new import place").replace("very last", "only last");
    assert_eq!(between(("old/a.py", CODE), ("new/deep/a.py", &new)), (vec![], 0, 2));
    assert_eq!(between(("old/a.py", CODE), ("new/b.py", &new)), (vec![], 0, 2), "also where it was renamed");
    let other = "import other\nbad number one()\nnothing = of_it\nbad number two()\nends = here\n";
    assert_eq!(
        between(("old/a.py", CODE), ("new/a.py", other)),
        (vec![2, 4], 2, 0),
        "another file is another"
    );
}

#[test]
fn findings_follow_a_file_that_left_a_facade_behind() {
    let place = tempfile::tempdir().unwrap();
    let (old_tree, new_tree) = (place.path().join("old"), place.path().join("new"));
    for (tree, path, text) in [
        (&old_tree, "a.py", format!("bad import os\n{CODE}")),
        (&new_tree, "a.py", "from b import one, two\n\nbad facade of mine\n".to_owned()),
        (&new_tree, "b.py", format!("bad import os\n{CODE}bad addition of mine\n")),
    ] {
        fs::create_dir_all(tree).unwrap();
        fs::write(tree.join(path), text).unwrap();
    }
    let old = placed(&old_tree, "a.py");
    let new: Vec<Placed> = ["a.py", "b.py"].iter().flat_map(|path| placed(&new_tree, path)).collect();
    let old_paths = BTreeSet::from(["a.py"]);
    let moved = moved(&RealDisk, (&old_tree, &old_paths), (&new_tree, &BTreeSet::from(["a.py", "b.py"])));
    assert_eq!(moved, BTreeMap::from([("b.py".to_owned(), "a.py".to_owned())]));
    let found = compare(&old, &new, &moved);
    let new: Vec<String> = found.new.iter().map(|one| format!("{}:{}", one.path, one.line)).collect();
    assert_eq!((new, found.gone, found.kept), (vec!["a.py:3".to_owned(), "b.py:8".to_owned()], 0, 3));
}

#[test]
fn code_that_went_to_another_file_takes_its_findings_along() {
    let rest = "a = 1\nb = 2\nc = 3\nd = 4\ne = 5\nf = 6\ng = 7\nh = 8\ni = 9\nj = 10\n";
    let new = format!("{rest}{CODE}{rest}{rest}");
    assert_eq!(between(("old/a.py", CODE), ("new/b.py", &new)), (vec![], 0, 2));
}

#[test]
fn fingerprints_decide_where_both_reports_give_them() {
    let finding = |line: u64, print: &str| {
        let prints = if print.is_empty() { json!({}) } else { json!({"primaryLocationLineHash": print}) };
        let result = json!({"ruleId": "A1", "message": {"text": "same"}, "partialFingerprints": prints, "locations": [{"physicalLocation": {
            "artifactLocation": {"uri": "gone.py"}, "region": {"startLine": line}}}]});
        Placed { finding: one(result).unwrap(), context: None }
    };
    let told = |old: Vec<Placed>, new: Vec<Placed>| {
        let Compared { new, gone, kept } = compare(&old, &new, &BTreeMap::new());
        (new.len(), gone, kept)
    };
    let (a, b, none) = (finding(1, "a:1"), finding(9, "b:1"), finding(5, ""));
    assert_eq!(told(vec![a.clone()], vec![finding(70, "a:1")]), (0, 0, 1));
    assert_eq!(
        told(vec![a.clone()], vec![b.clone()]),
        (1, 1, 0),
        "same rule, file and message, and yet another one"
    );
    assert_eq!(told(vec![a.clone()], vec![a.clone(), a.clone()]), (1, 0, 1));
    assert_eq!(told(vec![none.clone()], vec![none]), (0, 0, 1), "without any, the message tells");
    assert_eq!(told(vec![], vec![b]), (1, 0, 0));
}

#[test]
fn nothing_outside_of_the_tree_is_looked_into() {
    let place = tempfile::tempdir().unwrap();
    let tree = place.path().join("tree");
    fs::create_dir_all(tree.join("folder")).unwrap();
    fs::write(place.path().join("secret.py"), "bad = 1\n").unwrap();
    std::os::unix::fs::symlink("../secret.py", tree.join("link.py")).unwrap();
    let absolute = place.path().join("secret.py");
    for path in ["../secret.py", absolute.to_str().unwrap(), "link.py", "folder", "none.py", "file://h/a", ""]
    {
        let finding = Finding {
            tool: "lint".to_owned(),
            rule: String::new(),
            level: Level::Error,
            path: path.to_owned(),
            line: 1,
            message: String::new(),
            fingerprints: BTreeMap::new(),
        };
        assert_eq!(Placed::all(vec![finding], &RealDisk, &tree)[0].context, None, "{path}");
    }
}
