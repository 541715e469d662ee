//! Quality gates: coverage, linters and type checkers, warnings, and tests by category.

use serde_json::Value;

use super::ground::Ground;

/// What the check said at `staged`: verdict, summary, and the path of its evidence.
fn staged(ground: &Ground) -> (String, String) {
    let document = ground.run("status --json").json();
    let check = document["checks"].as_array().unwrap().iter().find(|check| check["at"] == "staged").unwrap();
    (check["verdict"].as_str().unwrap().to_owned(), check["summary"].as_str().unwrap().to_owned())
}

fn says(ground: &Ground, code: i32, verdict: &str, words: &str) {
    let seen = ground.run("run --until staged --restage");
    assert_eq!(seen.code, code, "{seen}");
    let (said, summary) = staged(ground);
    assert_eq!(said, verdict, "{summary}");
    assert!(summary.contains(words), "{summary}");
}

/// Runs the tests of the folder under Python's own tracer, and writes what was run of `src` as Cobertura XML.
const COVER: &str = r#"
import os, sys, trace, unittest
tracer = trace.Trace(count=1, trace=0)
def tests():
    return unittest.TextTestRunner().run(unittest.defaultTestLoader.discover('.', pattern='tests*.py'))
result = tracer.runfunc(tests)
ran = {}
for (file, line), count in tracer.results().counts.items():
    ran.setdefault(os.path.realpath(file), {})[line] = count
classes = []
for folder, _, names in sorted(os.walk('src')):
    for name in sorted(names):
        if name.endswith('.py'):
            path = os.path.join(folder, name)
            lines = trace._find_executable_linenos(path)
            hits = ran.get(os.path.realpath(path), {})
            rows = ''.join(f'<line number="{n}" hits="{hits.get(n, 0)}"/>' for n in sorted(lines) if n)
            classes.append(f'<class name="{name}" filename="{path}"><methods/><lines>{rows}</lines></class>')
report = f'<coverage line-rate="0"><sources><source>{os.getcwd()}</source></sources>' \
         f'<packages><package name="."><classes>{"".join(classes)}</classes></package></packages></coverage>'
open(sys.argv[1], 'w').write(report)
sys.exit(not result.wasSuccessful())
"#;

const COVERAGE: &str = "[[check]]\nname = \"coverage\"\nkind = \"coverage\"\ncommand = \"python3 cover.py {out}/c.xml\"\n\
                        report = \"{out}/c.xml\"\n";

fn covered_project(more: &str) -> Ground {
    let ground = Ground::shop(&format!("{COVERAGE}{more}"));
    ground.write("cover.py", COVER);
    ground.write("src/app.py", "def double(x):\n    return 2 * x\n\n\ndef half(x):\n    return x / 2\n");
    ground.write(
        "tests_app.py",
        "import unittest\nfrom src.app import double\n\nclass Doubles(unittest.TestCase):\n    \
         def test_one(self):\n        self.assertEqual(double(1), 2)\n",
    );
    ground
}

// rows: PC-14
#[test]
fn needs_python3_coverage_is_held_against_minima_and_the_live_tree() {
    let ground = covered_project("minimum = 75\nno_worse = true\n");
    let app = ground.read("src/app.py");
    // Three of four lines are run, as before.
    ground.write("../new/src/app.py", app.replace("2 * x", "x + x"));
    says(
        &ground,
        0,
        "yes",
        "lines 75.0 % (3 of 4), at least 75 %; lines 75.0 % (3 of 4), no worse than before",
    );
    // A function that no test calls.
    ground.write("../new/src/app.py", format!("{app}\n\ndef third(x):\n    return x / 3\n"));
    says(
        &ground,
        1,
        "no",
        "lines 66.6 % (4 of 6), less than 75 %; lines 66.6 % (4 of 6), before 75.0 % (3 of 4)",
    );
    ground.plan("", &format!("{COVERAGE}minimum = 66.6\n"));
    says(&ground, 0, "yes", "at least 66.6 %");
    ground.plan("", &format!("{COVERAGE}minimum = 66.67\n"));
    says(&ground, 1, "no", "less than 66.67 %");
    ground.plan("", &format!("{COVERAGE}minimum_branches = 1\n"));
    says(&ground, 2, "unknown", "the report has no branches");
    // One path may do worse than the whole, and what is not there cannot be told.
    ground.write("../new/src/more/__init__.py", "");
    ground.write("../new/src/more/extra.py", "x = 1\ny = 2\n");
    ground.plan(
        "",
        &format!(
            "{COVERAGE}paths.\"src/app.py\" = {{ minimum = 60 }}\npaths.\"src/more\" = {{ minimum = 1 }}\n"
        ),
    );
    says(
        &ground,
        1,
        "no",
        "`src/more`: lines 0.0 % (0 of 2), less than 1 %; `src/app.py`: lines 66.6 % (4 of 6), at least 60 %",
    );
    ground.plan("", &format!("{COVERAGE}paths.\"src/gone\" = {{ minimum = 1 }}\n"));
    says(&ground, 2, "unknown", "`src/gone`: no file of the report lies there");
    ground.plan("", &format!("{COVERAGE}paths.\"src/more\" = {{ no_worse = true }}\n"));
    says(&ground, 2, "unknown", "`src/more`: nothing of it was measured before");
}

#[test]
fn needs_python3_coverage_of_a_run_that_did_not_end_well_tells_nothing() {
    let ground = covered_project("minimum = 0\n");
    ground.write("../new/src/app.py", "def double(x):\n    return 3 * x\n");
    says(&ground, 2, "unknown", "the command ended with exit code 1");
    ground.write("../new/src/app.py", "def double(x):\n    return x + x\n");
    says(&ground, 0, "yes", "lines 100.0 %");
    for (cover, why) in [
        ("", "the command left no report: there is no"),
        (
            "import sys; open(sys.argv[1], 'w').write('<coverage line-rate=\"1\">')",
            "ends before its last element",
        ),
        (
            "import sys; open(sys.argv[1], 'w').write('<coverage line-rate=\"1\"/>')",
            "names no file: nothing was measured",
        ),
        ("import os, sys; os.mkfifo(sys.argv[1])", "is no file"),
        (
            "import sys; open(sys.argv[1], 'w').write('<!DOCTYPE a [<!ENTITY b \"c\">]><coverage line-rate=\"1\"/>')",
            "document type",
        ),
    ] {
        ground.write("cover.py", cover);
        says(&ground, 2, "unknown", why);
    }
    // A report that lies in the tree from an earlier day is none of this run.
    ground.write("c.xml", "<coverage line-rate=\"1\"/>");
    ground.write("cover.py", "");
    ground.plan("", &format!("{}minimum = 1\n", COVERAGE.replace("{out}/c.xml", "c.xml")));
    says(&ground, 2, "unknown", "is of an earlier run");
}

#[test]
fn needs_python3_coverage_looks_once_before_and_remembers() {
    let ground = covered_project("no_worse = true\nat = [\"before\", \"staged\"]\n");
    ground.write(
        "cover.py",
        format!("open('{}', 'a').write('x')\n{COVER}", ground.at("../tmp/runs").display()),
    );
    ground.write("../new/src/app.py", ground.read("src/app.py").replace("2 * x", "x + x"));
    says(&ground, 0, "yes", "no worse than before (75.0 % (3 of 4))");
    assert_eq!(ground.read("../tmp/runs"), "xx", "once before, once for the candidate");
}

/// Finds imports that are not used and bare `except:`, and writes them as SARIF.
const LINT: &str = r"
import ast, os, sys, json
from urllib.parse import quote
results = []
def add(rule, path, line, text, level='warning'):
    results.append({'ruleId': rule, 'level': level, 'message': {'text': text}, 'locations': [{'physicalLocation': {
        'artifactLocation': {'uri': 'file://' + quote(os.path.abspath(path))}, 'region': {'startLine': line}}}]})
for folder, _, names in sorted(os.walk('src')):
    for name in sorted(names):
        path = os.path.join(folder, name)
        source = open(path).read()
        tree = ast.parse(source)
        used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    if alias.name not in used:
                        add('F401', path, node.lineno, f'`{alias.name}` imported but unused')
            if isinstance(node, ast.ExceptHandler) and node.type is None:
                quiet = 'noqa' in source.splitlines()[node.lineno - 1]
                add('E722', path, node.lineno, 'bare except', 'note')
                if quiet:
                    results[-1]['suppressions'] = [{'kind': 'inSource'}]
log = {'version': '2.1.0', 'runs': [{'tool': {'driver': {'name': 'Lint'}}, 'results': results}]}
open(sys.argv[1], 'w').write(json.dumps(log))
sys.exit(bool(results))
";

const LINTED: &str = "[[check]]\nname = \"lint\"\nkind = \"lint\"\ncommand = \"python3 lint.py {out}/l.sarif\"\n\
                      results = \"{out}/l.sarif\"\n";

fn linted_project(more: &str) -> Ground {
    let ground = Ground::shop(&format!("{LINTED}{more}"));
    ground.write("lint.py", LINT);
    ground
}

const OLD_CODE: &str = "import os\nimport json\n\n\ndef load(text):\n    return json.loads(text)\n";

// rows: PC-14, RE-5
#[test]
fn needs_python3_only_findings_that_were_not_there_before_are_a_no() {
    let ground = linted_project("no_worse = true\n");
    ground.write("src/app.py", OLD_CODE);
    // Everything went down by some lines, and the finding with it.
    ground.write("../new/src/app.py", format!("\"\"\"What it is.\"\"\"\n\n{OLD_CODE}"));
    says(&ground, 0, "yes", "1 finding, none of them new");
    ground.write("../new/src/app.py", format!("import sys\n{OLD_CODE}"));
    says(&ground, 1, "no", "2 findings, 1 new: src/app.py:1: F401 `sys` imported but unused");
    ground.write("../new/src/app.py", OLD_CODE.replace("import os\n", ""));
    says(&ground, 0, "yes", "no finding; 1 of before is gone");
    // One is gone and another came: the number says nothing.
    ground.write("../new/src/app.py", OLD_CODE.replace("import os\n", "") + "\n\nimport sys\n");
    says(
        &ground,
        1,
        "no",
        "1 finding, 1 new: src/app.py:8: F401 `sys` imported but unused; 1 of before is gone",
    );
    // The plan's change moves the file and edits it.
    std::fs::remove_file(ground.at("../new/src/app.py")).unwrap();
    ground.write("../new/src/my pkg/loading.py", format!("# moved\n{OLD_CODE}"));
    says(&ground, 0, "yes", "1 finding, none of them new");
    ground.write("../new/src/my pkg/loading.py", format!("import sys\n{OLD_CODE}"));
    says(&ground, 1, "no", "1 new: src/my pkg/loading.py:1: F401 `sys`");
    let report = ground.expect(0, "report --format markdown").out;
    assert!(report.contains("imported but unused"), "{report}");
}

// rows: PC-14
#[test]
fn needs_python3_findings_are_counted_from_a_level_up() {
    let ground = linted_project("");
    ground.write("src/app.py", OLD_CODE);
    ground.write(
        "../new/src/app.py",
        format!("{OLD_CODE}try:\n    pass\nexcept:\n    pass\ntry:\n    pass\nexcept:  # noqa\n    pass\n"),
    );
    says(
        &ground,
        1,
        "no",
        "1 finding, 1 below `warning`, 1 suppressed, none is allowed: src/app.py:1: F401 `os`",
    );
    ground.plan("", &format!("{LINTED}maximum = 1\n"));
    says(&ground, 0, "yes", "1 finding, 1 below `warning`, 1 suppressed");
    ground.plan("", &format!("{LINTED}maximum = 1\nlevel = \"note\"\n"));
    says(&ground, 1, "no", "2 findings, 1 suppressed, at most 1 is allowed");
    ground.plan("", &format!("{LINTED}level = \"error\"\n"));
    says(&ground, 0, "yes", "no finding of Lint, 2 below `error`, 1 suppressed");
}

#[test]
fn needs_python3_a_tool_that_crashed_or_wrote_nothing_tells_nothing() {
    let ground = linted_project("no_worse = true\n");
    let empty = r#"{"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "L"}}, "results": []}]}"#;
    let wrote = |text: &str, code: u32| {
        format!("import sys\nopen(sys.argv[1], 'w').write('{text}')\nsys.exit({code})\n")
    };
    for (lint, why) in [
        (String::new(), "the command left no report"),
        ("raise RuntimeError('x')".to_owned(), "the command left no report"),
        (wrote(empty, 2), "the tool did not come to its end: exit code 2"),
        (wrote(empty, 1), "the tool ended with exit code 1, and yet reports nothing"),
        (wrote("", 0), "it is empty"),
        (wrote(&empty.replace("2.1.0", "2.2.0"), 0), "SARIF of version 2.2.0"),
        (wrote(r#"{"version": "2.1.0", "runs": []}"#, 0), "it has no run"),
        (wrote(&empty.replace(r#", "results": []"#, ""), 0), "has no `results`"),
        (
            wrote(
                &empty.replace(
                    "\"results\"",
                    "\"invocations\": [{\"executionSuccessful\": false}], \"results\"",
                ),
                0,
            ),
            "L says that it did not come to an end",
        ),
        (
            "import os, signal; os.kill(os.getpid(), signal.SIGKILL)".to_owned(),
            "a shell says so of one that signal 9 killed",
        ),
        (
            "import sys; print('warning: No Python files found under the given path(s)', file=sys.stderr)"
                .to_owned(),
            "looked at nothing",
        ),
    ] {
        ground.write("lint.py", lint);
        says(&ground, 2, "unknown", why);
    }
    // It works for the candidate, and not for the tree before.
    ground.write(
        "lint.py",
        format!(
            "{}\nif '1' in open('src/app.py').read(): sys.exit(3)\n",
            wrote(empty, 0).replace("sys.exit(0)", "")
        ),
    );
    says(&ground, 2, "unknown", "the tree before: the tool did not come to its end: exit code 3");
}

#[test]
fn an_exit_code_alone_tells_whether_there_is_anything() {
    let check = |more: &str| {
        format!("[[check]]\nname = \"types\"\nkind = \"lint\"\ncommand = \"exit $(cat src/code)\"\n{more}")
    };
    let ground = Ground::shop(&check(""));
    ground.write("src/code", "0");
    for (code, exit, verdict, words) in [
        ("0", 0, "yes", "the tool found nothing"),
        ("1", 1, "no", "the tool found something"),
        ("2", 2, "unknown", "did not come to its end: exit code 2"),
    ] {
        ground.write("../new/src/code", code);
        says(&ground, exit, verdict, words);
    }
    ground.plan("", &check("exit_codes = [2, 4]\n"));
    says(&ground, 1, "no", "the tool found something");
    ground.plan("", &check("no_worse = true\n"));
    ground.write("../new/src/code", "1");
    says(&ground, 1, "no", "and nothing in the tree before");
    ground.write("src/code", "1");
    ground.write("../new/src/code", " 1");
    says(&ground, 2, "unknown", "found something in both trees");
    ground.write("../new/src/code", "0");
    says(&ground, 0, "yes", "the tool found nothing");
}

// rows: RE-5
#[test]
fn needs_python3_a_warning_that_was_not_there_before_is_a_no() {
    let check = "[[check]]\nname = \"warnings\"\nkind = \"lint\"\nformat = \"python-warnings\"\nno_worse = true\n\
                 command = \"python3 -W default -m unittest tests_app\"\n";
    let ground = Ground::shop(check);
    let code = |warns: &str| format!("import warnings\n\n\ndef double(x):\n{warns}    return 2 * x\n");
    let old = "    warnings.warn('call twice', DeprecationWarning)\n";
    ground.write("src/app.py", code(old));
    ground.write(
        "tests_app.py",
        "import unittest\nfrom src.app import double\n\nclass Doubles(unittest.TestCase):\n    \
         def test_one(self):\n        self.assertEqual(double(1), 2)\n",
    );
    ground.write("../new/src/app.py", format!("# edited\n{}", code(old)));
    says(&ground, 0, "yes", "1 finding, none of them new");
    ground
        .write("../new/src/app.py", code(&format!("{old}    warnings.warn('going away', FutureWarning)\n")));
    says(&ground, 1, "no", "2 findings, 1 new: src/app.py:6: FutureWarning going away");
    ground.write("../new/src/app.py", code("    x += 1\n"));
    says(&ground, 2, "unknown", "the tool did not come to its end: exit code 1");
    ground.write("../new/src/app.py", code(""));
    says(&ground, 0, "yes", "no finding; 1 of before is gone");
}

const CATEGORIES: &str = "[[check]]\nname = \"tests\"\nkind = \"tests\"\ncommand = \"python3 -m unittest -v {select}\"\n\
                          at = [\"before\", \"staged\"]\n\n[check.categories]\nunit = { select = [\"tests.unit\"], minimum = 2 }\n\
                          api = { select = [\"tests.api\"] }\n";

fn category(verdict: &str, ground: &Ground, name: &str) -> String {
    let status = ground.run("status --json").json();
    let check =
        status["checks"].as_array().unwrap().iter().find(|check| check["at"] == "staged").unwrap().clone();
    let hash = check["evidence"].as_str().unwrap().trim_start_matches("blake3:").to_owned();
    let evidence: Value =
        serde_json::from_str(&ground.read(&format!(".switchback/evidence/{hash}"))).unwrap();
    let category = &evidence["details"]["categories"][name];
    assert_eq!(category["verdict"], verdict, "{category}");
    category["summary"].as_str().unwrap().to_owned()
}

// rows: TM-9
#[test]
fn needs_python3_categories_of_tests_are_run_and_judged_apart() {
    let ground = Ground::shop(CATEGORIES);
    ground.write("src/app.py", "def double(x):\n    return 2 * x\n");
    let case = |bodies: &[&str]| {
        let tests: Vec<String> = bodies
            .iter()
            .enumerate()
            .map(|(at, body)| format!("    def test_{at}(self):\n        {body}\n"))
            .collect();
        format!(
            "import unittest\nfrom src.app import double\n\nclass Case(unittest.TestCase):\n    pass\n{}",
            tests.concat()
        )
    };
    ground.write("tests/__init__.py", "");
    ground
        .write("tests/unit.py", case(&["self.assertEqual(double(1), 2)", "self.assertEqual(double(2), 4)"]));
    ground.write("tests/api.py", case(&["self.assertEqual(double('a'), 'aa')"]));
    ground.write("../new/src/app.py", "def double(x):\n    return x + x\n");
    says(&ground, 0, "yes", "unit: 2 passed");
    assert!(staged(&ground).1.contains("api: 1 passed"), "{:?}", staged(&ground));
    // One category fails; the other is judged by itself.
    ground.write("../new/src/app.py", "def double(x):\n    return 2.0 * float(x)\n");
    says(&ground, 1, "no", "api: no, ");
    assert!(category("no", &ground, "api").contains("passed before and fail now: `tests.api.Case.test_0`"));
    assert!(category("yes", &ground, "unit").contains("2 passed"));
    let report = ground.expect(0, "report --format markdown").out;
    assert!(report.contains("categories of tests"), "{report}");
    // A category without a test: a no where a minimum was named, else nobody can tell.
    ground.write("../new/src/app.py", "def double(x):\n    return x + x\n");
    ground.write("tests/api.py", case(&[]));
    let now = CATEGORIES.replace("at = [\"before\", \"staged\"]\n", "");
    ground.plan("", &now);
    says(&ground, 2, "unknown", "api: could not tell, no test ran");
    ground.plan("", &now.replace("[\"tests.api\"]", "[\"tests.api\"], minimum = 1"));
    says(&ground, 1, "no", "api: no, no test ran, fewer than 1");
    ground.plan("", &now.replace("minimum = 2", "minimum = 3"));
    says(&ground, 1, "no", "unit: no, 2 passed, 0 failed, 0 errors, 0 skipped; fewer than 3");
}
