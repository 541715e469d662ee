//! What teams write down as a reason to roll back, each as it happens, and its near miss. Whatever fires does so within one
//! interval of the watch, rolls back and is told; its near miss does none of that.
//!
//! Figures and rows of failures are in `watching`: there the numbers alone decide.

use std::io::{Read, Write};
use std::net::TcpListener;

use super::ground::Ground;

/// What a trigger is for, or its near miss.
struct Case {
    what: &'static str,
    check: &'static str,
    /// What follows the check's name in `when`.
    condition: &'static str,
    /// How the project is laid out before anything runs.
    lay: fn(&Ground),
    /// What happens once the candidate is live.
    happens: fn(&Ground),
    fires: bool,
}

fn nothing(_: &Ground) {}

/// The events of the journal of one name.
fn events(ground: &Ground, name: &str) -> Vec<serde_json::Value> {
    let log = ground.expect(0, "log --json").out;
    let events = log.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    events.filter(|event| event["event"] == name).collect()
}

fn carry_out(case: &Case) {
    let Case { what, check, condition, .. } = case;
    let at = if check.contains("\nat = ") { "" } else { "at = [\"before\", \"every 1s for 3s\"]" };
    let ground = Ground::shop(&format!(
        "[[check]]\nname = \"it\"\n{check}\n{at}\n\n\
         [[trigger]]\nwhen = {{ check = \"it\"{condition} }}\ndo = \"roll-back\"\n\n\
         [[notify]]\ncommand = \"echo $SWITCHBACK_TURN $SWITCHBACK_MESSAGE >> told\"\n"
    ));
    ground.write("../new/src/new.txt", "");
    (case.lay)(&ground);
    let run = ground.run("run --until live");
    assert!(ground.at("src/new.txt").exists(), "{what}: {run}");
    (case.happens)(&ground);
    let watched = ground.run("watch");
    let told = ground.read("told");
    let fired = events(&ground, "trigger-fired");
    let is_told = told.lines().any(|line| line.starts_with("roll-back "));
    let is_back = !ground.at("src/new.txt").exists();
    assert_eq!(
        (is_back, fired.len(), is_told),
        (case.fires, usize::from(case.fires), case.fires),
        "{what}: {watched}\n{told}"
    );
    if case.fires {
        assert_eq!(watched.code, 1, "{what}: {watched}");
        // No look saw it and let it pass: as many as the row is long.
        let row = condition.split("in_a_row = ").nth(1).map_or(1, |row| row[..1].parse().unwrap());
        let before_it = fired[0]["seq"].as_u64().unwrap();
        let looks = events(&ground, "check-ended").into_iter().filter(|event| {
            event["seq"].as_u64().unwrap() < before_it
                && event["body"]["at"].as_str().unwrap().starts_with('+')
        });
        assert_eq!(looks.count(), row, "{what}: {watched}");
        assert!(told.contains("why: the check `it` failed its trigger"), "{what}: {told}");
    }
}

fn carry_out_all(cases: &[Case]) {
    for case in cases {
        carry_out(case);
    }
}

const WRITES: &str = "kind = \"command\"\ncommand = \"sh write.sh\"";

fn lay_sink(ground: &Ground) {
    ground.write("sink/rows", "");
    ground.write(
        "write.sh",
        "echo row >> sink/rows && exit 0\nif [ -e heals ]; then mkdir -p sink; fi\nexit 1\n",
    );
}

fn lay_healing_sink(ground: &Ground) {
    lay_sink(ground);
    ground.write("heals", "");
}

fn take_sink_away(ground: &Ground) {
    std::fs::remove_dir_all(ground.at("sink")).unwrap();
}

// rows: PC-9
#[test]
fn writes_that_fail() {
    carry_out_all(&[
        Case {
            what: "every write fails",
            check: WRITES,
            condition: ", in_a_row = 2",
            lay: lay_sink,
            happens: take_sink_away,
            fires: true,
        },
        Case {
            what: "one write fails, and the next ones do not",
            check: WRITES,
            condition: ", in_a_row = 2",
            lay: lay_healing_sink,
            happens: take_sink_away,
            fires: false,
        },
    ]);
}

const ROWS: &str = "kind = \"figure\"\ndatabase = \"app.db\"\nselect = \"SELECT count(*) FROM loans\"";
const FEWER: &str = ", off_by = { percent = 0.0, of = \"before\", direction = \"down\" }";

fn lay_rows(ground: &Ground) {
    let rows = "CREATE TABLE loans (id INTEGER); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000) \
                INSERT INTO loans SELECT i FROM n";
    alter(ground, rows);
}

fn alter(ground: &Ground, sql: &str) {
    rusqlite::Connection::open(ground.at("app.db")).unwrap().execute_batch(sql).unwrap();
}

// rows: PC-9, RB-2
#[test]
fn data_that_is_lost() {
    carry_out_all(&[
        Case {
            what: "one of a thousand rows is lost",
            check: ROWS,
            condition: FEWER,
            lay: lay_rows,
            happens: |ground| alter(ground, "DELETE FROM loans WHERE id = 500"),
            fires: true,
        },
        Case {
            what: "a row is replaced, and another one comes",
            check: ROWS,
            condition: FEWER,
            lay: lay_rows,
            happens: |ground| {
                alter(ground, "DELETE FROM loans WHERE id = 500; INSERT INTO loans VALUES (500), (1001)");
            },
            fires: false,
        },
        Case {
            what: "the table cannot be asked",
            check: ROWS,
            condition: FEWER,
            lay: lay_rows,
            happens: |ground| {
                ground.write("app.db", "this is no database, and says nothing about the rows in one");
            },
            fires: false,
        },
    ]);
}

const WHOLE: &str = "kind = \"integrity\"\npaths = [\"data/rows.csv\"]\nkey = [\"id\"]\nrecords = \"more\"\n\
                     at = [\"every 1s for 3s\"]\n\n[snapshot]\nalso = [\"data\"]\n";

fn lay_file(ground: &Ground) {
    let rows: Vec<String> = (1..=1000).map(|id| format!("{id},{}.5\n", id * 7)).collect();
    ground.write("data/rows.csv", format!("id,amount\n{}", rows.concat()));
}

fn change_file(ground: &Ground, old: &str, new: &str) {
    let rows = ground.read("data/rows.csv");
    assert!(rows.contains(old));
    ground.write("data/rows.csv", rows.replacen(old, new, 1));
}

// rows: RB-2, RB-6
#[test]
fn data_that_is_lost_or_corrupted_in_files() {
    carry_out_all(&[
        Case {
            what: "one of a thousand records is gone",
            check: WHOLE,
            condition: "",
            lay: lay_file,
            happens: |ground| change_file(ground, "\n500,3500.5\n", "\n"),
            fires: true,
        },
        Case {
            what: "one digit of a thousand records is another one",
            check: WHOLE,
            condition: "",
            lay: lay_file,
            happens: |ground| change_file(ground, "\n500,3500.5\n", "\n500,3500.6\n"),
            fires: true,
        },
        Case {
            what: "the file is cut in the middle",
            check: WHOLE,
            condition: "",
            lay: lay_file,
            happens: |ground| {
                let rows = ground.read("data/rows.csv");
                ground.write("data/rows.csv", &rows[..rows.len() / 2]);
            },
            fires: true,
        },
        Case {
            what: "a record comes",
            check: WHOLE,
            condition: "",
            lay: lay_file,
            happens: |ground| change_file(ground, "\n1000,7000.5\n", "\n1000,7000.5\n1001,7007.5\n"),
            fires: false,
        },
    ]);
}

fn serve_slowly(ground: &Ground) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/", listener.local_addr().unwrap());
    ground.write("switchback.toml", ground.read("switchback.toml").replace("http://service/", &address));
    ground.write("delay_ms", "600");
    let delay = ground.at("delay_ms");
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = [0; 4096];
            assert!(stream.read(&mut request).unwrap() > 0);
            let Ok(text) = std::fs::read_to_string(&delay) else { return };
            std::thread::sleep(std::time::Duration::from_millis(text.parse().unwrap()));
            drop(stream.write_all(b"HTTP/1.1 200 X\r\ncontent-length: 2\r\nconnection: close\r\n\r\n42"));
        }
    });
}

const TWICE: &str = ", worse_than = { times = 2.0, of = \"before\" }, in_a_row = 2";
// The times are long beside what a busy machine adds, and a look is over before the next one is due.
const SLEEPS: &str =
    "kind = \"command\"\ncommand = \"sleep $(cat seconds)\"\nat = [\"before\", \"every 5s for 15s\"]";
const SLOWLY: &str = "kind = \"http\"\nurl = \"http://service/\"\nat = [\"before\", \"every 3s for 9s\"]";

// rows: RB-2, PC-9
#[test]
fn what_became_slower() {
    carry_out_all(&[
        Case {
            what: "a service takes three times as long",
            check: SLOWLY,
            condition: TWICE,
            lay: serve_slowly,
            happens: |ground| ground.write("delay_ms", "1800"),
            fires: true,
        },
        Case {
            what: "a service takes one and a half times as long",
            check: SLOWLY,
            condition: TWICE,
            lay: serve_slowly,
            happens: |ground| ground.write("delay_ms", "900"),
            fires: false,
        },
        Case {
            what: "a program takes four times as long: its throughput is down by three quarters",
            check: SLEEPS,
            condition: TWICE,
            lay: |ground| ground.write("seconds", "1.0"),
            happens: |ground| ground.write("seconds", "4.2"),
            fires: true,
        },
        Case {
            what: "a program takes a third longer: its throughput is down by a quarter",
            check: SLEEPS,
            condition: TWICE,
            lay: |ground| ground.write("seconds", "1.0"),
            happens: |ground| ground.write("seconds", "1.35"),
            fires: false,
        },
    ]);
}

/// A service that gives these statuses to one request after the other, and the last one from then on; 0: it is gone for good.
fn serve(ground: &Ground, statuses: &'static [u16]) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let plan = ground.read("switchback.toml");
    let address = format!("http://{}/", listener.local_addr().unwrap());
    ground.write("switchback.toml", plan.replace("http://service/", &address));
    std::thread::spawn(move || {
        for (number, stream) in listener.incoming().enumerate() {
            let status = statuses[number.min(statuses.len() - 1)];
            if status == 0 {
                return;
            }
            let mut stream = stream.unwrap();
            let mut request = [0; 4096];
            assert!(stream.read(&mut request).unwrap() > 0);
            let answer = format!("HTTP/1.1 {status} X\r\ncontent-length: 2\r\nconnection: close\r\n\r\n42");
            drop(stream.write_all(answer.as_bytes()));
        }
    });
}

const ANSWERS: &str = "kind = \"http\"\nurl = \"http://service/\"";
const ASKED: &str = "kind = \"figure\"\nurl = \"http://service/\"";

// rows: PC-9, RB-2
#[test]
fn a_component_that_is_dead() {
    carry_out_all(&[
        Case {
            what: "a service is gone",
            check: ANSWERS,
            condition: ", in_a_row = 2",
            lay: |ground| serve(ground, &[200, 0]),
            happens: nothing,
            fires: true,
        },
        Case {
            what: "a service answers that it cannot",
            check: ANSWERS,
            condition: ", in_a_row = 2",
            lay: |ground| serve(ground, &[200, 503]),
            happens: nothing,
            fires: true,
        },
        Case {
            what: "a service cannot once, and once more later",
            check: ANSWERS,
            condition: ", in_a_row = 2",
            lay: |ground| serve(ground, &[200, 503, 200, 503]),
            happens: nothing,
            fires: false,
        },
    ]);
}

const RUNS: &str = "kind = \"command\"\ncommand = \"grep -q '^State:.[RSDI]' /proc/$(cat pid)/status\"";

fn start_process(ground: &Ground) {
    let out = ground.tool("sh", &["-c", "sleep 60 >/dev/null 2>&1 & echo $!"]);
    ground.write("pid", out.trim());
}

fn end_process(ground: &Ground) {
    let ended = ground.read("pid");
    ground.tool("sh", &["-c", &format!("kill -9 {ended}; while kill -0 {ended} 2>/dev/null && ! grep -q ') Z' /proc/{ended}/stat; do :; done")]);
}

// rows: PC-9, RB-2
#[test]
fn a_process_that_is_dead() {
    carry_out_all(&[
        Case {
            what: "the process is gone",
            check: RUNS,
            condition: "",
            lay: start_process,
            happens: end_process,
            fires: true,
        },
        Case {
            what: "another process has taken its place",
            check: RUNS,
            condition: "",
            lay: start_process,
            happens: |ground| {
                end_process(ground);
                start_process(ground);
            },
            fires: false,
        },
    ]);
}

// rows: PC-9
#[test]
fn a_provider_that_is_down_and_no_data_say_nothing() {
    carry_out_all(&[
        Case {
            what: "what a figure is asked of is gone",
            check: ASKED,
            condition: ", off_by = { percent = 5.0, of = \"before\" }",
            lay: |ground| serve(ground, &[200, 0]),
            happens: nothing,
            fires: false,
        },
        Case {
            what: "what a figure is asked of is out of order",
            check: ASKED,
            condition: "",
            lay: |ground| serve(ground, &[200, 500]),
            happens: nothing,
            fires: false,
        },
        Case {
            what: "Prometheus is gone",
            check: "kind = \"prometheus\"\nurl = \"http://service/\"\nquery = \"up\"\nleast = 1\nat = [\"every 1s for 3s\"]",
            condition: "",
            lay: |ground| serve(ground, &[0]),
            happens: nothing,
            fires: false,
        },
        Case {
            what: "nobody writes to a log",
            check: "kind = \"log\"\npath = \"app.log\"\npattern = \"ERROR\"",
            condition: "",
            lay: |ground| ground.write("app.log", "ERROR long ago\n"),
            happens: nothing,
            fires: false,
        },
        Case {
            what: "a feed does not come at all",
            check: "kind = \"freshness\"\npath = \"feed/*.csv\"\nwithin = \"1h\"",
            condition: "",
            lay: |ground| ground.write("feed/a.csv", "a\n"),
            happens: |ground| std::fs::remove_file(ground.at("feed/a.csv")).unwrap(),
            fires: false,
        },
    ]);
}

const COMPLIES: &str =
    "kind = \"log\"\npath = \"app.log\"\npattern = '\\b\\d{3}-\\d{2}-\\d{4}\\b'\nmay_be_silent = true";

// rows: PC-9
#[test]
fn a_finding_of_compliance_in_a_log() {
    carry_out_all(&[
        Case {
            what: "a number of social security is logged",
            check: COMPLIES,
            condition: "",
            lay: |ground| ground.write("app.log", "begun\n"),
            happens: |ground| ground.write("app.log", "begun\npaid by 078-05-1120\n"),
            fires: true,
        },
        Case {
            what: "one was logged before, and something like one is",
            check: COMPLIES,
            condition: "",
            lay: |ground| ground.write("app.log", "paid by 078-05-1120\n"),
            happens: |ground| ground.write("app.log", "paid by 078-05-1120\norder 078-05-11200\n"),
            fires: false,
        },
    ]);
}

const IMPORTS: &str = "kind = \"imports\"\nsource_roots = [\"src\"]";
const STARTS: &str = "kind = \"startup\"\nsource_roots = [\"src\"]";

/// Old and new, with a package of two modules.
fn lay_package(ground: &Ground, old: &str, new: &str) {
    for (folder, import) in [("src", old), ("../new/src", new)] {
        ground.write(&format!("{folder}/shop/__init__.py"), "");
        ground.write(&format!("{folder}/shop/prices.py"), "PRICE = 10\n");
        ground.write(&format!("{folder}/shop/cart.py"), import);
    }
}

const GOOD: &str = "from shop.prices import PRICE\n";
const BROKEN: &str = "from shop.price import PRICE\n";

const BREAK_IMPORT: fn(&Ground) = |ground| lay_package(ground, GOOD, BROKEN);
const BROKEN_BEFORE: fn(&Ground) = |ground| lay_package(ground, BROKEN, BROKEN);

// rows: RB-2
#[test]
fn imports_that_break() {
    carry_out_all(&[
        Case {
            what: "an import of the candidate leads nowhere",
            check: IMPORTS,
            condition: "",
            lay: BREAK_IMPORT,
            happens: nothing,
            fires: true,
        },
        Case {
            what: "it led nowhere before",
            check: IMPORTS,
            condition: "",
            lay: BROKEN_BEFORE,
            happens: nothing,
            fires: false,
        },
    ]);
}

// rows: RB-2
#[test]
fn needs_python3_modules_that_cannot_be_imported() {
    carry_out_all(&[
        Case {
            what: "a module of the candidate cannot be imported",
            check: STARTS,
            condition: "",
            lay: BREAK_IMPORT,
            happens: nothing,
            fires: true,
        },
        Case {
            what: "it could not be imported before",
            check: STARTS,
            condition: "",
            lay: BROKEN_BEFORE,
            happens: nothing,
            fires: false,
        },
    ]);
}

/// Old and new code under the tests of pytest, of which one always fails.
fn lay_tests(ground: &Ground, new: &str) {
    let tests = "from app import double\n\n\ndef test_numbers():\n    assert double(2) == 4\n\n\n\
                 def test_texts():\n    assert double('a') == 'aa'\n\n\ndef test_lists():\n    assert double([1]) == [2]\n";
    for (folder, code) in [("src", "def double(x):\n    return 2 * x\n"), ("../new/src", new)] {
        ground.write(&format!("{folder}/app.py"), code);
        ground.write(&format!("{folder}/test_app.py"), tests);
    }
}

const TESTS: &str = "kind = \"tests\"\ncommand = \"cd src && /usr/bin/python3 -m pytest -q -p no:cacheprovider --junitxml={out}/j.xml\"\n\
                     results = \"{out}/j.xml\"\nknown_failures = true";

// rows: RB-2
#[test]
fn needs_pytest_a_test_that_passed_before() {
    carry_out_all(&[
        Case {
            what: "a test that passed before fails",
            check: TESTS,
            condition: "",
            lay: |ground| lay_tests(ground, "def double(x):\n    return 2.0 * float(x)\n"),
            happens: nothing,
            fires: true,
        },
        Case {
            what: "the test that fails failed before too",
            check: TESTS,
            condition: "",
            lay: |ground| lay_tests(ground, "def double(x):\n    return x + x\n"),
            happens: nothing,
            fires: false,
        },
    ]);
}

/// Finds calls of `eval`, and writes them as SARIF.
const LINT: &str = r"
import ast, json, os, sys
results = []
for folder, _, names in sorted(os.walk('src')):
    for name in sorted(name for name in names if name.endswith('.py')):
        path = os.path.join(folder, name)
        for node in ast.walk(ast.parse(open(path).read())):
            if isinstance(node, ast.Call) and getattr(node.func, 'id', '') == 'eval':
                place = {'artifactLocation': {'uri': path}, 'region': {'startLine': node.lineno}}
                results.append({'ruleId': 'S307', 'level': 'error', 'message': {'text': 'eval of what comes from outside'},
                                'locations': [{'physicalLocation': place}]})
log = {'version': '2.1.0', 'runs': [{'tool': {'driver': {'name': 'Safe'}}, 'results': results}]}
open(sys.argv[1], 'w').write(json.dumps(log))
sys.exit(bool(results))
";

const SAFE: &str = "kind = \"lint\"\ncommand = \"python3 safe.py {out}/s.sarif\"\nresults = \"{out}/s.sarif\"\nno_worse = true";
const EVAL: &str = "def read(text):\n    return eval(text)\n";

fn lay_code(ground: &Ground, old: &str, new: &str) {
    ground.write("safe.py", LINT);
    ground.write("src/app.py", old);
    ground.write("../new/src/app.py", new);
}

// rows: PC-9
#[test]
fn needs_python3_a_finding_of_security() {
    carry_out_all(&[
        Case {
            what: "the candidate brings a finding",
            check: SAFE,
            condition: "",
            lay: |ground| lay_code(ground, "def read(text):\n    return int(text)\n", EVAL),
            happens: nothing,
            fires: true,
        },
        Case {
            what: "the finding was there before, some lines higher",
            check: SAFE,
            condition: "",
            lay: |ground| {
                lay_code(ground, EVAL, "\"\"\"Reads.\"\"\"\n\n\ndef read(text):\n    return eval(text)\n");
            },
            happens: nothing,
            fires: false,
        },
    ]);
}
