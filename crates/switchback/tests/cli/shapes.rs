//! One mapping file for old calls and old results: a shim that real Python runs, and a comparison of documents, say the same.

use super::ground::Ground;

/// The new program: other arguments, another result.
const ENGINE: &str = r#"import datetime


class Year:
    def __init__(self, year, total):
        self.year, self.total_employees = year, total


class Summary:
    def __init__(self, years, growth, config, mode):
        self.start_year, self.end_year = years[0], years[-1]
        self.workforce_progression = [Year(year, 100 + 10 * (year - years[0])) for year in years]
        self.participation_trends = [0.5 + 0.125 * at for at, _ in enumerate(years)]
        self.growth_analysis = {"total_growth_pct": growth * len(years), "mode": mode, "config": config}
        self.start_time = datetime.datetime(2025, 1, 1, 8)
        self.generated_at = datetime.datetime(2025, 1, 1, 8, 0, 12, 345678)


def execute_multi_year_simulation(*, years, growth=0.0, config=None, mode="modular"):
    return Summary(years, growth, config, mode)
"#;

/// The old program, as it was: its own arithmetic, its own result.
const MONOLITH: &str = r#"import json, sys

def run_multi_year_simulation(start_year, end_year, config_path=None, **legacy):
    headcount, years = 100, []
    for year in range(start_year, end_year + 1):
        years.append(year)
        final, headcount = headcount, headcount + 10
    return {
        "years_completed": years,
        "total_workforce_growth": legacy.get("target_growth_rate", 0.0) * len(years),
        "final_workforce_size": final,
        "participation_rate": 0.5 + 0.125 * (end_year - start_year),
        "execution_time": 12.345678,
        "details": {"mode": "legacy", "config": config_path, "first": {"year": start_year}, "kind": "workforce"},
    }

json.dump(run_multi_year_simulation(2025, 2027, "c.yml", target_growth_rate=0.25), open("old/summary.json", "w"))
"#;

const MAPPING: &str = r#"
version = 1

[[call]]
of = "planalign.runner.run_multi_year_simulation"
by = "planalign.engine.execute_multi_year_simulation"
parameters = ["start_year", "end_year", "config_path"]
keywords = { config_path = "config" }
arguments = { years = { range = ["start_year", "end_year"] }, growth = "target_growth_rate" }
defaults = { end_year = 2027 }
dropped = ["verbose"]
added = { mode = "legacy" }
documents = ["summary.json"]

[call.result]
years_completed = { range = ["start_year", "end_year"] }
total_workforce_growth = "growth_analysis.total_growth_pct"
final_workforce_size = { last = "workforce_progression", path = "total_employees" }
participation_rate = { last = "participation_trends" }
execution_time = { difference = ["generated_at", "start_time"] }
"details.mode" = "growth_analysis.mode"
"details.config" = { path = "growth_analysis.config" }
"details.first.year" = { first = "workforce_progression", path = "year" }
"details.kind" = { constant = "workforce" }
"#;

const RULES: &str =
    "mapping = \"mapping.toml\"\n[[move]]\nfrom = \"planalign.runner\"\nto = \"planalign.engine\"\n";

/// What the new program returns, as it is put out.
const NEW: &str = r#"import json
from planalign.engine import execute_multi_year_simulation as run
json.dump(run(years=[2025, 2026, 2027], growth=0.25, config="c.yml", mode="legacy"), open("new/summary.json", "w"),
          default=lambda one: one.isoformat() if hasattr(one, "isoformat") else vars(one))
"#;

/// An old caller, who knows nothing of the new program.
const CALLER: &str = r#"import json, warnings
from planalign.runner import run_multi_year_simulation as run
json.dump(run(2025, 2027, "c.yml", target_growth_rate=0.25), open("shim/summary.json", "w"))
assert run(2025, end_year=2027, config_path="c.yml", target_growth_rate=0.25) == run(2025, config_path="c.yml", target_growth_rate=0.25)
assert run(2026)["years_completed"] == [2026, 2027] and run(2026)["total_workforce_growth"] == 0.0
with warnings.catch_warnings(record=True) as told:
    warnings.simplefilter("always")
    run(2025, 2025, verbose=True), run(2025, 2025, verbose=False)
assert [str(one.message) for one in told if "verbose" in str(one.message)] == [
    "verbose of planalign.runner.run_multi_year_simulation means nothing any more"], told
for wrong in (lambda: run(), lambda: run(2025, 2026, "c", "d"), lambda: run(2025, start_year=1), lambda: run(2025, nobody=1)):
    try:
        wrong()
    except TypeError as error:
        print(error)
    else:
        raise SystemExit("no error")
"#;

fn ground() -> Ground {
    let ground = Ground::new();
    for (path, content) in [
        ("planalign/__init__.py", ""),
        ("planalign/runner.py", ENGINE),
        ("mapping.toml", MAPPING),
        ("rules.toml", RULES),
        ("monolith.py", MONOLITH),
        ("make_new.py", NEW),
        ("old/.keep", ""),
        ("new/.keep", ""),
        ("shim/.keep", ""),
    ] {
        ground.write(path, content);
    }
    ground
}

// rows: OM-6
#[test]
fn a_call_becomes_readable_python() {
    let ground = ground();
    ground.expect(0, "move --rules rules.toml --shims --write");
    let shim = ground.read("planalign/runner.py");
    let start = shim.find("# run_multi_year_simulation(").unwrap();
    insta::assert_snapshot!(&shim[start..shim.find("_CHILDREN").unwrap()], @r#"
    # run_multi_year_simulation(start_year, end_year, config_path) → execute_multi_year_simulation(config=config_path, growth=target_growth_rate, years=range(start_year, end_year), mode="legacy")
    def _arguments_of_run_multi_year_simulation(named):
        passed = {}
        if _given("run_multi_year_simulation", named, "target_growth_rate"):
            passed["growth"] = named["target_growth_rate"]
        if _given("run_multi_year_simulation", named, "start_year", "end_year"):
            passed["years"] = list(range(named["start_year"], named["end_year"] + 1))
        return passed


    def _result_of_run_multi_year_simulation(result):
        return {
            "details": {
                "config": _held(_held(result, "growth_analysis"), "config"),
                "first": {
                    "year": _held(_held(result, "workforce_progression")[0], "year"),
                },
                "kind": "workforce",
                "mode": _held(_held(result, "growth_analysis"), "mode"),
            },
            "execution_time": _difference(_held(result, "generated_at"), _held(result, "start_time")),
            "final_workforce_size": _held(_held(result, "workforce_progression")[-1], "total_employees"),
            "participation_rate": _held(result, "participation_trends")[-1],
            "total_workforce_growth": _held(_held(result, "growth_analysis"), "total_growth_pct"),
            "years_completed": list(range(_held(result, "start_year"), _held(result, "end_year") + 1)),
        }


    _SIGNATURES = {
        "run_multi_year_simulation": {
            "new": ("planalign.engine", "execute_multi_year_simulation"),
            "parameters": ["start_year", "end_year", "config_path"],
            "keywords": {"config_path": "config"},
            "dropped": ["verbose"],
            "added": {"mode": "legacy"},
            "result": _result_of_run_multi_year_simulation,
            "defaults": {"end_year": 2027},
            "arguments": _arguments_of_run_multi_year_simulation,
            "taken": ["end_year", "start_year", "target_growth_rate"],
        },
    }
    "#);
}

// rows: OM-5, OM-6
#[test]
fn needs_python3_a_shim_and_a_comparison_say_the_same_of_an_old_call_and_its_result() {
    let ground = ground();
    ground.expect(0, "move --rules rules.toml --shims --write");
    // A caller that the move did not see.
    ground.write("caller.py", CALLER);
    ground.tool("python3", &["monolith.py"]);
    ground.tool("python3", &["make_new.py"]);
    insta::assert_snapshot!(ground.tool("python3", &["-B", "caller.py"]), @r"
    run_multi_year_simulation() missing argument: 'start_year'
    run_multi_year_simulation() takes 3 positional arguments but 4 were given
    run_multi_year_simulation() got multiple values for argument 'start_year'
    execute_multi_year_simulation() got an unexpected keyword argument 'nobody'
    ");
    // The old program and the shim return the same; both are the new result, mapped.
    ground.expect(0, "compare old/summary.json shim/summary.json");
    let line = "compare old/summary.json new/summary.json --mapping mapping.toml --format text";
    insta::assert_snapshot!(ground.expect(0, line), @r#"
    $ switchback compare old/summary.json new/summary.json --mapping mapping.toml --format text
    --- stdout
    Verdict: yes
      Identical bit by bit: 0 of 11 values differ

      file          verdict  relation  proof
      summary.json  yes      bitwise   document

    summary.json: yes
      Mapped: the new document as planalign.runner.run_multi_year_simulation returned it: details.config
        = growth_analysis.config, details.first.year = first(workforce_progression).year, details.kind =
        "workforce", details.mode = growth_analysis.mode, execution_time = difference(generated_at,
        start_time), final_workforce_size = last(workforce_progression).total_employees,
        participation_rate = last(participation_trends), total_workforce_growth =
        growth_analysis.total_growth_pct, years_completed = range(start_year, end_year)
    --- exit 0
    "#);
    let item = ground
        .expect(0, "compare shim/summary.json new/summary.json --mapping mapping.toml --bitwise --json")
        .json();
    assert_eq!(item["items"][0]["relation"], "bitwise");
    assert_eq!(item["items"][0]["mapping"][0]["kind"], "call");
    ground.expect(1, "compare old/summary.json new/summary.json");
    // A difference within what is mapped has its old place.
    ground.write("new/summary.json", ground.read("new/summary.json").replace("120", "121"));
    let item =
        ground.expect(1, "compare old/summary.json new/summary.json --mapping mapping.toml --json").json();
    let difference = &item["items"][0]["differences"][0];
    assert_eq!(difference["path"], "/final_workforce_size");
    assert_eq!((difference["old"].as_i64(), difference["new"].as_i64()), (Some(120), Some(121)));
}

#[test]
fn a_result_that_is_not_what_the_mapping_says_is_an_error_with_its_line() {
    let ground = ground();
    ground.write("old/summary.json", "{}");
    ground.write("new/summary.json", "{\"start_year\": 2025, \"secret\": \"hunter2\"}");
    let line = "compare old/summary.json new/summary.json --mapping mapping.toml";
    insta::assert_snapshot!(ground.expect(2, line), @r#"
    $ switchback compare old/summary.json new/summary.json --mapping mapping.toml
    --- stderr
    error: could not compare `old/summary.json` with `new/summary.json`
      caused by: the mapping `mapping.toml` line 4 cannot be followed: `details.config` of the old result cannot be made: the new result has no `growth_analysis` for `growth_analysis.config`

    hint: correct the mapping, or take the entry out of it
    --- exit 2
    "#);
    ground.write("mapping.toml", MAPPING.replace("summary.json", "elsewhere.json"));
    let seen = ground.expect(2, line);
    assert!(seen.err.contains("no document that both sides have is called `elsewhere.json`"), "{seen}");
    ground.write(
        "mapping.toml",
        format!(
            "{MAPPING}\n[[call]]\nof = \"a.b\"\ndocuments = [\"*\"]\nresult = {{ a = \"start_year\" }}\n"
        ),
    );
    let seen = ground.expect(2, line);
    assert!(seen.err.contains("is what the call in line 4 returned, too"), "{seen}");
}

#[test]
fn a_call_that_the_new_function_does_not_take_is_refused() {
    let ground = ground();
    ground.write("mapping.toml", MAPPING.replace("years = {", "decades = {"));
    let seen = ground.expect(2, "move --rules rules.toml --shims");
    assert!(seen.err.contains("has no parameter `decades`; change the function first"), "{seen}");
    ground.write(
        "mapping.toml",
        MAPPING.replace("range = [\"start_year\", \"end_year\"] }, growth", "rage = [] }, growth"),
    );
    let seen = ground.expect(2, "move --rules rules.toml --shims");
    assert!(seen.err.contains("mapping.toml:9:"), "{seen}");
}
