//! Scenarios: two real programs side by side, over years and parameters, in good and in bad cases, and after a kill.

use std::fs;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::ground::Ground;

/// A workforce that grows year by year, in one file. It says in a file that it ran, and waits while it is told to.
const OLD: &str = r#"
import argparse, csv, os, sys, time

parser = argparse.ArgumentParser()
for name in ("--start", "--years", "--growth", "--out"):
    parser.add_argument(name)
options = parser.parse_args()
if os.environ.get("RUNS"):
    with open(os.environ["RUNS"], "a") as runs:
        runs.write(f"{NAME} {options.years} {options.growth}\n")
    while os.path.exists(os.environ["RUNS"] + ".wait") and options.growth == "0.05":
        time.sleep(0.01)
try:
    growth = float(options.growth)
except ValueError:
    growth = -1.0
if not 0 <= growth <= 1:
    sys.exit(f"{os.path.abspath('config')}: growth must be between 0 and 1, not {options.growth}")
count = 100.0
for year in range(int(options.start), int(options.start) + int(options.years)):
    os.makedirs(f"{options.out}/{year}")
    count = count * (1 + growth)
    with open(f"{options.out}/{year}/headcount.csv", "w") as file:
        rows = csv.writer(file)
        rows.writerow(["level", "count"])
        for level in range(1, 4):
            rows.writerow([level, count / level])
"#;

const COMMAND: &str = "python3 src/sim.py --start {start} --years {years} --growth {growth} --out {out}";

const SCENARIOS: &str = r#"
    [[check.scenario]]
    name = "growth"
    parameters = { start = 2025, years = [1, 3], growth = [0.02, 0.05] }

    [[check.scenario]]
    name = "bad growth"
    parameters = { start = 2025, years = 1, growth = [7, "much"] }
    fails = true
    message = "growth must be"
"#;

fn check(more: &str, scenarios: &str) -> String {
    format!(
        "[[check]]\nname = \"side by side\"\nkind = \"scenarios\"\nold = {{ tree = \"live\", command = \"{COMMAND}\" }}\n\
         new = {{ tree = \"candidate\", command = \"{COMMAND}\" }}\nkey = [\"level\"]\n{more}\n{scenarios}"
    )
}

fn program(name: &str) -> String {
    format!("NAME = '{name}'\n{OLD}")
}

fn workforce(more: &str, scenarios: &str) -> Ground {
    let ground = Ground::shop(&check(more, scenarios));
    ground.write("src/sim.py", program("old"));
    ground.write("../new/src/sim.py", program("new"));
    ground
}

/// What the check said at `staged`: verdict and summary, and its evidence.
fn staged(ground: &Ground) -> (String, String, Value) {
    let document = ground.run("status --json").json();
    let check = document["checks"].as_array().unwrap().iter().find(|check| check["at"] == "staged").unwrap();
    let text = |name: &str| check[name].as_str().unwrap().to_owned();
    let hash = text("evidence").trim_start_matches("blake3:").to_owned();
    let evidence = serde_json::from_str(&ground.read(&format!(".switchback/evidence/{hash}"))).unwrap();
    (text("verdict"), text("summary"), evidence)
}

/// The cases of the evidence: name and verdict.
fn cases(evidence: &Value) -> Vec<(String, String)> {
    let cases = evidence["details"]["cases"].as_array().unwrap().iter();
    cases
        .map(|case| (case["case"].as_str().unwrap().to_owned(), case["verdict"].as_str().unwrap().to_owned()))
        .collect()
}

fn says(ground: &Ground, code: i32, words: &str) -> Value {
    let seen = ground.expect(code, "run --until staged --restage");
    let (_, summary, evidence) = staged(ground);
    assert!(summary.contains(words), "{summary}\n{seen}");
    evidence
}

// rows: OM-4, OM-7
#[test]
fn needs_python3_every_case_is_run_by_both_and_shown_in_a_table() {
    let ground = workforce("parallel = 3", SCENARIOS);
    let seen = ground.expect(0, "run --until staged");
    insta::assert_snapshot!(seen, @r"
    $ switchback run --until staged
    --- stdout
    yes: phase unify is staged; generation 0 is live
    --- stderr
      unify: snapshot [ID] verified: 2 files, 1059 bytes
      unify: candidate staged: 0 added, 0 removed, 2 changed
      check side by side at staged: yes: 6 cases of 2 scenarios: old and new agree, 2 of them by failing alike
        case                          verdict  old    new    what was seen
        growth[years=1, growth=0.02]  yes      [N] s  [N] s  identical byte by byte (`2025/headcount.csv`: 3 rows)
        growth[years=1, growth=0.05]  yes      [N] s  [N] s  identical byte by byte (`2025/headcount.csv`: 3 rows)
        growth[years=3, growth=0.02]  yes      [N] s  [N] s  identical byte by byte (3 files, 9 rows)
        growth[years=3, growth=0.05]  yes      [N] s  [N] s  identical byte by byte (3 files, 9 rows)
        bad growth[growth=7]          yes      [N] s  [N] s  both fail alike with exit code 1: {tree}/config: growth must be between 0 and 1, not 7
        bad growth[growth=much]       yes      [N] s  [N] s  both fail alike with exit code 1: {tree}/config: growth must be between 0 and 1, not much
    --- exit 0
    ");
    let (_, _, evidence) = staged(&ground);
    let names: Vec<String> = cases(&evidence).into_iter().map(|(name, _)| name).collect();
    assert_eq!(
        names,
        [
            "growth[years=1, growth=0.02]",
            "growth[years=1, growth=0.05]",
            "growth[years=3, growth=0.02]",
            "growth[years=3, growth=0.05]",
            "bad growth[growth=7]",
            "bad growth[growth=much]"
        ]
    );
    let case = &evidence["details"]["cases"][3];
    assert_eq!(case["parameters"]["start"], "2025");
    assert!(case["seconds"]["old"].as_f64().unwrap() > 0.0 && case["seconds"]["new"].as_f64().unwrap() > 0.0);
    let report = ground.expect(0, "report --format markdown").out;
    assert!(report.contains("growth[years=3, growth=0.05]"), "{report}");
}

// rows: OM-4
#[test]
fn needs_python3_a_difference_in_one_year_of_one_case_is_found_and_named() {
    let ground = workforce("", SCENARIOS);
    let planted = "    if year == 2027 and growth == 0.05:\n        count += 1e-9\n    with open";
    ground.write("../new/src/sim.py", program("new").replacen("    with open(f", &format!("{planted}(f"), 1));
    let evidence = says(&ground, 1, "`growth[years=3, growth=0.05]`: `2027/headcount.csv` differs");
    let no: Vec<String> =
        cases(&evidence).into_iter().filter(|(_, said)| said == "no").map(|(name, _)| name).collect();
    assert_eq!(no, ["growth[years=3, growth=0.05]"]);
    let first = &evidence["details"]["cases"][3]["first_difference"];
    assert_eq!(first["item"], "2027/headcount.csv", "{first}");
    assert_eq!((&first["column"], &first["key"]["level"]), (&"count".into(), &1.into()), "{first}");
    assert_eq!(evidence["details"]["cases"][2]["first_difference"], Value::Null);
    let report = ground.run("report --format markdown").out;
    assert!(report.contains("2027/headcount.csv"), "{report}");
    // Within a tolerance it is none, and a whole year that is missing is one all the same.
    ground.plan("", &check("tolerance = { absolute = 1e-6 }", SCENARIOS));
    says(&ground, 0, "6 cases of 2 scenarios: old and new agree, 2 of them by failing alike");
    let short =
        program("new").replace("for year in range(", "for year in [2025] if growth == 0.02 else range(");
    ground.write("../new/src/sim.py", short);
    let evidence = says(&ground, 1, "`growth[years=3, growth=0.02]`: 2 files on one side only");
    assert_eq!(evidence["details"]["cases"][2]["first_difference"]["only"], "old");
}

// rows: OM-7
#[test]
fn needs_python3_what_does_not_fail_alike_is_caught() {
    let ground = workforce("", SCENARIOS);
    let refusal = "    sys.exit(f\"";
    let partial = "    open(f'{options.out}/partial.csv', 'w').write('level\\n')\n";
    for (plant, words) in [
        (
            program("new").replace(refusal, &format!("{partial}{refusal}")),
            "new leaves `partial.csv` behind though it fails",
        ),
        (
            program("new").replace("growth must be between 0 and 1", "growth must be small"),
            "they say different things: `{tree}/config: growth must be between 0 and 1, not 7`",
        ),
        (
            program("new").replace(
                refusal,
                &format!("    print('growth must be', file=sys.stderr); sys.exit(3)\n{refusal}"),
            ),
            "old fails with exit code 1, new with exit code 3",
        ),
        (
            program("new").replace("not 0 <= growth <= 1", "not 0 <= growth"),
            "old fails with exit code 1, and new takes the input",
        ),
        (program("new").replace("not 0 <= growth <= 1", "True"), "new fails where old does not: exit code 1"),
    ] {
        ground.write("../new/src/sim.py", plant);
        says(&ground, 1, words);
    }
    let both = program("both").replace("not 0 <= growth <= 1", "False");
    ground.write("src/sim.py", &both);
    ground.write("../new/src/sim.py", format!("{both}\n# new\n"));
    says(&ground, 1, "neither program refuses the input");
    // What may be left is declared; a message that nobody gives is missed.
    let partial_both = program("both").replace(refusal, &format!("{partial}{refusal}"));
    ground.write("src/sim.py", &partial_both);
    ground.write("../new/src/sim.py", format!("{partial_both}\n# new\n"));
    says(&ground, 1, "new leaves `partial.csv` behind");
    ground.plan("", &check("", &SCENARIOS.replace("fails = true", "fails = true\nleaves = [\"*.csv\"]")));
    says(&ground, 0, "6 cases of 2 scenarios");
    ground.plan(
        "",
        &check(
            "",
            &SCENARIOS
                .replace("growth must be", "growth is too large")
                .replace("fails = true", "fails = true\nleaves = [\"*.csv\"]"),
        ),
    );
    says(&ground, 1, "nothing that old says matches `growth is too large`");
}

/// The one scenario that fails, with these keys.
fn refused(keys: &str) -> String {
    format!(
        "\n    [[check.scenario]]\n    name = \"bad growth\"\n    parameters = {{ start = 2025, years = 1, growth = 7 }}\n    \
         fails = true\n    {keys}\n"
    )
}

// rows: OM-7
#[test]
fn needs_python3_a_command_that_could_not_run_does_not_fail_alike() {
    let ground = workforce("", &refused(""));
    for (right, wrong, words) in [
        ("src/sim.py", "src/smi.py", "neither program ever began: `python3: can't open file"),
        ("python3 src/sim.py", "python3 -m smi", "No module named smi`; correct the command"),
        (
            "python3",
            "no-such-python",
            "old: the command was not found: /bin/sh: 1: no-such-python: not found",
        ),
        ("{out}", "{out} || exit 1", "1 of them by failing alike"),
        (
            "python3 src/sim.py",
            "no-such-python || exit 1; true",
            "neither program ever began: `sh: 1: no-such-python",
        ),
    ] {
        ground.plan("", &check("", &refused("")).replace(right, wrong));
        says(&ground, if words.ends_with("failing alike") { 0 } else { 2 }, words);
    }
    // A module that is missing on both sides is a failure to load, unless just that is what is meant.
    ground.plan("", &check("", &refused("")));
    let loads = |name: &str| format!("import workforce_rates\n{}", program(name));
    ground.write("src/sim.py", loads("old"));
    ground.write("../new/src/sim.py", loads("new"));
    says(&ground, 2, "neither program ever began: `ModuleNotFoundError: No module named 'workforce_rates'`");
    ground.plan("", &check("", &refused("message = \"No module named 'workforce_rates'\"")));
    says(&ground, 0, "1 case of 1 scenario: old and new agree, 1 of them by failing alike");
    // Where only one of them is missing something, the other one says whose fault it is.
    ground.plan("", &check("", &refused("error = \"ignore\"\nexit_code = 1")));
    ground.write("src/sim.py", program("old"));
    says(&ground, 1, "old refuses the input, and new never began: `ModuleNotFoundError");
    ground.write("src/sim.py", loads("old"));
    ground.write("../new/src/sim.py", program("new"));
    says(&ground, 2, "old never began: `ModuleNotFoundError");
}

// rows: OM-7
#[test]
fn needs_python3_a_failure_is_one_that_is_said_or_declared() {
    let ground = workforce("", &refused(""));
    let silent = |name: &str| program(name).replace("sys.exit(f\"", "sys.exit(4) #");
    ground.write("src/sim.py", silent("old"));
    ground.write("../new/src/sim.py", silent("new"));
    says(&ground, 2, "both end with exit code 4 and say nothing, which any failure could be");
    ground.plan("", &check("", &refused("exit_code = 4")));
    says(&ground, 0, "failing alike");
    ground.plan("", &check("", &refused("exit_code = 3")));
    says(&ground, 1, "both fail with exit code 4, and not with exit code 3");
}

// rows: OM-7
#[test]
fn needs_python3_what_is_left_in_a_tree_by_a_failure_is_the_same_or_named() {
    let ground = workforce("", &refused(""));
    let refusal = "    sys.exit(f\"";
    let leaving = |name: &str, what: &str| program(name).replace(refusal, &format!("    {what}\n{refusal}"));
    let half = "open('half.csv', 'w').write('level\\n')";
    for (old, new, words) in [
        ("pass", half, "new adds `half.csv` in its tree though it fails, and old does not"),
        (half, "pass", "old adds `half.csv` in its tree though it fails, and new does not"),
        (
            half,
            "open('half.csv', 'w').write('level,count\\n')",
            "both leave `half.csv` in their trees though",
        ),
        ("pass", "open('config.ini', 'a').write('#')", "new changes `config.ini` in its tree"),
        ("os.remove('config.ini')", "pass", "old removes `config.ini` in its tree"),
    ] {
        ground.write("config.ini", "[growth]\n");
        ground.write("src/sim.py", leaving("old", old));
        ground.write("../new/src/sim.py", leaving("new", new));
        let evidence = says(&ground, 1, words);
        assert_eq!(evidence["details"]["cases"][0]["first_difference"]["what"], "left in the tree");
        assert_eq!(ground.read("config.ini"), "[growth]\n");
    }
    // The same on both sides is alike, and said; what may be left is not looked at.
    ground.write("src/sim.py", leaving("old", half));
    ground.write("../new/src/sim.py", leaving("new", half));
    let evidence = says(&ground, 0, "failing alike");
    let summary = evidence["details"]["cases"][0]["summary"].as_str().unwrap();
    assert!(summary.ends_with("; both do the same to `half.csv` of their trees"), "{summary}");
    ground.write("src/sim.py", program("old"));
    ground.plan("", &check("", &refused("leaves = [\"*.csv\"]")));
    says(&ground, 0, "failing alike");
    // In one tree for both, nobody is blamed for what the other one left.
    ground.plan("", &check("", &refused("")).replace("\"live\"", "\"candidate\""));
    says(&ground, 0, "failing alike");
}

// rows: OM-7, OM-10
#[test]
fn needs_python3_conditions_are_looked_at_on_both_sides() {
    let registry = "import csv, pathlib, sys\ntotals = {}\nfor file in pathlib.Path(sys.argv[1]).glob('*/headcount.csv'):\n    \
                    totals[file.parent.name] = sum(float(row['count']) for row in csv.DictReader(open(file)))\n\
                    ordered = [totals[year] for year in sorted(totals)]\n\
                    if ordered != sorted(ordered):\n    sys.exit(f'the workforce shrinks: {ordered}')\n";
    let condition =
        "\n    [[check.conditions]]\n    name = \"it grows\"\n    command = \"python3 registry.py {out}\"\n";
    let ground = workforce("", &format!("{SCENARIOS}{condition}"));
    ground.write("registry.py", registry);
    let evidence = says(&ground, 0, "6 cases of 2 scenarios");
    let looked = evidence["details"]["cases"][0]["conditions"].as_array().unwrap();
    assert_eq!(looked.len(), 2);
    assert_eq!((&looked[0]["of"], &looked[1]["of"]), (&"old".into(), &"new".into()));
    // Both programs agree, and are wrong.
    let shrinking =
        |name: &str| program(name).replace("count = count * (1 + growth)", "count = count * (1 - growth)");
    ground.write("src/sim.py", shrinking("old"));
    ground.write("../new/src/sim.py", shrinking("new"));
    says(&ground, 1, "`growth[years=3, growth=0.02]`: old: it grows: exit code 1: the workforce shrinks");
    // Only the new one has to satisfy it.
    let new_alone = condition.replace("name =", "of = \"new\"\n    name =");
    ground.plan("", &check("tolerance = { absolute = 1000 }", &format!("{SCENARIOS}{new_alone}")));
    ground.write("../new/src/sim.py", program("new"));
    says(&ground, 0, "6 cases of 2 scenarios");
    ground.plan("", &check("", &format!("{SCENARIOS}{}", condition.replace("registry.py", "gone.py"))));
    says(&ground, 1, "differs");
}

// rows: OM-4
#[test]
fn needs_python3_a_difference_on_purpose_is_declared_and_ends_some_day() {
    let ground = workforce("", SCENARIOS);
    let planted = "    if year == 2026:\n        count += 1\n    with open";
    ground.write("../new/src/sim.py", program("new").replacen("    with open(f", &format!("{planted}(f"), 1));
    let known = |expires: &str, count: u32| {
        let known = ["2026", "2027"].map(|year| {
            format!(
                "\n        [[check.scenario.known]]\n        item = \"{year}/headcount.csv\"\n        column = \"count\"\n        \
                 owner = \"people\"\n        reason = \"the intake of 2026 is counted\"\n        expires = \"{expires}\"\n        \
                 count = {count}\n"
            )
        });
        SCENARIOS.replacen("0.05] }\n", &format!("0.05] }}\n{}", known.concat()), 1)
    };
    says(&ground, 1, "`2026/headcount.csv` differs");
    ground.plan("", &check("", &known("2999-12-31", 3)));
    let evidence = says(&ground, 0, "old and new agree");
    let summary = evidence["details"]["cases"][2]["summary"].as_str().unwrap();
    assert!(summary.contains("known difference"), "{summary}");
    ground.plan("", &check("", &known("2999-12-31", 2)));
    says(&ground, 1, "`2026/headcount.csv` differs");
    ground.plan("", &check("", &known("2020-12-31", 3)));
    says(&ground, 1, "`2026/headcount.csv` differs");
}

// rows: OM-4
#[test]
fn needs_python3_what_could_not_be_run_is_no_yes_and_no_wins_over_it() {
    let ground = workforce("timeout_s = 2", SCENARIOS);
    let hangs = |name: &str| {
        program(name).replace("count = 100.0", "count = 100.0\nif growth == 0.02: time.sleep(60)")
    };
    ground.write("../new/src/sim.py", hangs("new"));
    let evidence = says(&ground, 2, "`growth[years=1, growth=0.02]`: new: the command was stopped after 2 s");
    assert_eq!(evidence["details"]["counts"]["unknown"], 2);
    ground.write(
        "../new/src/sim.py",
        hangs("new").replace("growth must be between", "growth has to be between"),
    );
    says(&ground, 1, "`bad growth[growth=7]`");
    // The old program fails where it should not: nothing to hold the new one against.
    ground.write("src/sim.py", program("old").replace("count = 100.0", "sys.exit('no data')"));
    ground.write("../new/src/sim.py", program("new"));
    says(&ground, 2, "old fails: exit code 1: no data; new does not");
}

// rows: OM-4
#[test]
fn needs_python3_no_case_sees_what_another_one_left() {
    let ground = workforce("", SCENARIOS);
    let counting = "import os\nif os.path.exists('state.txt'):\n    raise SystemExit('somebody was here')\nopen('state.txt', 'w').write('x')\n";
    ground.write("src/sim.py", format!("{counting}{}", program("old")));
    ground.write("../new/src/sim.py", format!("{counting}{}", program("new")));
    says(&ground, 0, "6 cases of 2 scenarios");
    // The same where both sides run in one tree.
    let one_tree = check("", SCENARIOS).replace("\"live\"", "\"candidate\"");
    ground.plan("", &one_tree);
    says(&ground, 0, "6 cases of 2 scenarios");
    assert!(!ground.at("state.txt").exists());
}

/// Waits until something is so, for a minute at most.
fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let started = Instant::now();
    while !is_so() {
        assert!(started.elapsed() < Duration::from_mins(1), "{what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// A workforce whose programs tell `runs.txt` when they run: in a folder that stood beside the project before, because what is
/// new beside it a confined command may not make.
fn telling() -> Ground {
    let mut ground = workforce("", SCENARIOS);
    let runs = ground.at("../home/runs.txt").display().to_string();
    ground.set("RUNS", &runs);
    ground
}

fn told(ground: &Ground) -> Vec<String> {
    fs::read_to_string(ground.at("../home/runs.txt")).unwrap_or_default().lines().map(str::to_owned).collect()
}

/// Runs up to the second case, in which the program is killed; what had run by then is told no more.
fn interrupted(ground: &Ground) {
    fs::write(ground.at("../home/runs.txt.wait"), "").unwrap();
    let mut running = ground.spawn("run --until staged");
    wait_until("the case with growth 0.05 begins", || told(ground).iter().any(|line| line == "old 1 0.05"));
    running.kill().unwrap();
    running.wait().unwrap();
    fs::remove_file(ground.at("../home/runs.txt.wait")).unwrap();
    assert_eq!(told(ground), ["old 1 0.02", "new 1 0.02", "old 1 0.05"]);
    fs::remove_file(ground.at("../home/runs.txt")).unwrap();
}

// rows: OM-4
#[test]
fn needs_python3_a_killed_check_goes_on_with_the_cases_that_are_open() {
    let ground = telling();
    interrupted(&ground);
    ground.expect(0, "run --until staged");
    let runs = told(&ground);
    assert!(runs.len() == 10 && !runs.iter().any(|line| line.ends_with("1 0.02")), "{runs:?}");
    let (verdict, summary, evidence) = staged(&ground);
    assert_eq!(verdict, "yes");
    assert!(summary.contains("1 not run again after an interruption"), "{summary}");
    assert_eq!(evidence["details"]["cases"][0]["kept"], true);
    // With an answer nothing is kept, so that who asks again gets all of it looked at.
    assert!(fs::read_dir(ground.at(".switchback/kept")).unwrap().next().is_none());
    ground.expect(0, "check --at staged");
    assert_eq!(told(&ground).len(), 10 + 12);
}

// rows: OM-4
#[test]
fn needs_python3_what_a_killed_check_found_is_of_no_use_once_anything_changed() {
    let ground = telling();
    interrupted(&ground);
    // No managed path, and no declared input: it stands in the tree that the programs see.
    ground.write("rates.json", "{}");
    ground.expect(0, "run --until staged");
    assert_eq!(told(&ground).len(), 12, "{:?}", told(&ground));
    let ground = telling();
    interrupted(&ground);
    for kept in fs::read_dir(ground.at(".switchback/kept")).unwrap() {
        for part in fs::read_dir(kept.unwrap().path()).unwrap() {
            let path = part.unwrap().path();
            let damaged =
                fs::read_to_string(&path).unwrap().replace("\"no\"", "\"yes\"").replace("equal", "alike");
            fs::write(&path, format!("{damaged} ")).unwrap();
        }
    }
    ground.expect(0, "run --until staged");
    assert_eq!(told(&ground).len(), 12, "what is damaged is looked at again: {:?}", told(&ground));
}

#[cfg(feature = "sql")]
#[test]
fn needs_python3_conditions_in_sql_are_asked_of_all_tables_of_a_case() {
    let condition = |holds: &str| {
        format!(
            "\n        [[check.scenario.conditions]]\n        table = \"headcount\"\n        holds = \"{holds}\"\n"
        )
    };
    let with = |holds: &str| {
        SCENARIOS.replace("[1, 3]", "[1]").replacen(
            "0.05] }\n",
            &format!("0.05] }}\n{}", condition(holds)),
            1,
        )
    };
    let ground = workforce("", &with("count > 0"));
    says(&ground, 0, "4 cases of 2 scenarios");
    ground.plan("", &check("", &with("count > 50")));
    says(&ground, 1, "old: count > 50: 1 violation in 3 rows");
}

#[cfg(not(feature = "sql"))]
#[test]
fn needs_python3_a_condition_in_sql_could_not_be_told_without_sql() {
    let condition = "\n        [[check.scenario.conditions]]\n        holds = \"count > 0\"\n";
    let ground = workforce("", &SCENARIOS.replacen("0.05] }\n", &format!("0.05] }}\n{condition}"), 1));
    says(&ground, 2, "this build of Switchback has no SQL");
}
