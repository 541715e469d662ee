//! The example of a workforce: a monolith becomes modules, one year differs on purpose, and what is not on purpose is caught.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::databases::duckdb;
use super::ground::Ground;
use super::s3::of_npm;

/// The example as its README lays it out, with SQLite.
fn ground() -> Ground {
    laid_out(Ground::new())
}

/// The same with DuckDB.
fn duckdb_ground() -> Ground {
    let mut ground = duckdb::ground();
    let packages = std::fs::canonicalize(of_npm("../python/packages")).unwrap();
    ground.set("PYTHONPATH", packages.to_str().unwrap());
    ground.set("PLANNER_DATABASE", "duckdb");
    laid_out(ground)
}

fn laid_out(ground: Ground) -> Ground {
    let example: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/workforce");
    ground.tool("cp", &["-r", &example.join("live/.").display().to_string(), "."]);
    ground.tool("cp", &["-r", &example.join("candidate").display().to_string(), "../candidate"]);
    // The monolith was stopped after its second year: that state is brought over.
    std::fs::create_dir(ground.at("state")).unwrap();
    let years = "-B -m planner.simulation --config config/base.json --start 2025 --end 2027 --out state --stop-after 2026";
    ground.tool("python3", &years.split(' ').collect::<Vec<_>>());
    ground
}

fn checks(document: &Value) -> Vec<(String, String, String)> {
    let checks = document["checks"].as_array().unwrap().iter();
    let text = |check: &Value, name: &str| check[name].as_str().unwrap().to_owned();
    checks.map(|check| (text(check, "name"), text(check, "verdict"), text(check, "summary"))).collect()
}

/// Why the check says no.
fn refused(ground: &Ground, name: &str) -> String {
    let seen = ground.expect(1, "run --until staged --restage --json").json();
    let mut found = checks(&seen).into_iter().filter(|(check, verdict, _)| check == name && verdict == "no");
    found.next().unwrap_or_else(|| panic!("{seen:#}")).2
}

fn replace(ground: &Ground, path: &str, old: &str, new: &str) {
    let text = ground.read(path);
    assert!(text.contains(old), "`{old}` is not in {path}");
    ground.write(path, text.replace(old, new));
}

// rows: OM-4, OM-6, OM-7, OM-9, OM-10
#[test]
fn needs_python3_the_monolith_becomes_modules_and_comes_back() {
    becomes_modules_and_comes_back(&ground());
}

// rows: OM-1, OM-2, OM-4, OM-6, OM-7, OM-9, OM-10, PC-10
#[test]
fn needs_duckdb_needs_pypi_duckdb_all_of_it_holds_with_duckdb() {
    let ground = duckdb_ground();
    becomes_modules_and_comes_back(&ground);
    let database = std::fs::read(ground.at("state/simulation.db")).unwrap();
    assert_eq!(&database[8..12], b"DUCK");
    state_goes_along_and_back(&ground);
    // Whatever the database is, the results are the same, byte for byte.
    let sqlite = self::ground();
    let years =
        "-B -m planner.simulation --config config/base.json --start 2025 --end 2027 --out state --resume";
    sqlite.tool("python3", &years.split(' ').collect::<Vec<_>>());
    for table in ["events", "workforce", "registry", "summary"] {
        let file = format!("state/results/{table}.csv");
        assert_eq!(ground.read(&file), sqlite.read(&file), "{table}");
    }
}

fn becomes_modules_and_comes_back(ground: &Ground) {
    let before = ground.read("planner/simulation.py");
    let seen = ground.expect(0, "run --json").json();
    let found = checks(&seen);
    assert!(found.iter().all(|(_, verdict, _)| verdict == "yes"), "{found:#?}");
    let summary = &found.iter().find(|(name, ..)| name == "side by side").unwrap().2;
    assert!(
        summary.contains("19 cases of 4 scenarios: old and new agree, 7 of them by failing alike"),
        "{summary}"
    );
    assert!(ground.at("planner/orchestrator.py").exists());
    ground.expect(0, "rollback");
    assert!(!ground.at("planner/orchestrator.py").exists());
    assert_eq!(ground.read("planner/simulation.py"), before);
    assert_eq!(checkpoints(ground), ["year_2025.json", "year_2026.json"]);
}

fn checkpoints(ground: &Ground) -> Vec<String> {
    let names = std::fs::read_dir(ground.at("state/checkpoints")).unwrap();
    let mut names: Vec<String> =
        names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

// rows: OM-1, OM-2, PC-10
#[test]
fn needs_python3_the_state_goes_along_and_back_and_what_was_written_since_is_not_lost() {
    state_goes_along_and_back(&ground());
}

fn state_goes_along_and_back(ground: &Ground) {
    // What is compared side by side is looked at elsewhere.
    let plan = ground.read("switchback.toml");
    let (start, rest) = plan.split_once("[[check]]\nname = \"side by side\"").unwrap();
    let (_, end) = rest.split_once("# What was brought over").unwrap();
    ground.write("switchback.toml", format!("{start}# What was brought over{end}"));
    ground.expect(0, "run");
    assert_eq!(checkpoints(ground), ["2025.v2.json", "2026.v2.json"]);
    let years = |module: &str| {
        format!("-B -m {module} --config config/base.json --start 2025 --end 2027 --out state --resume")
    };
    let simulate = |module: &str| ground.tool("python3", &years(module).split(' ').collect::<Vec<_>>());
    simulate("planner");
    let by_modules = ground.read("state/results/summary.csv");
    let seen = ground.expect(1, "rollback --json").json();
    assert_eq!(seen["reverted"][0]["left"], serde_json::json!(["0001_runs"]), "{seen:#}");
    assert_eq!(seen["reverted"][0]["would_lose"], 2);
    assert!(seen["kept_aside"].to_string().contains("2027.v2.json"), "{seen:#}");
    ground.expect(0, "rollback --accept-loss 2");
    // The monolith goes on where it was, on the same database: its way of counting 2027 apart, it comes to the same.
    assert_eq!(checkpoints(ground), ["year_2025.json", "year_2026.json"]);
    simulate("planner.simulation");
    let by_monolith = ground.read("state/results/summary.csv");
    let all_but_participation = |text: &str| -> Vec<Vec<String>> {
        let row = |line: &str| {
            line.split(',').enumerate().filter(|(at, _)| *at != 3).map(|(_, cell)| cell.to_owned()).collect()
        };
        text.lines().map(row).collect()
    };
    assert_eq!(all_but_participation(&by_modules), all_but_participation(&by_monolith));
    assert_ne!(by_modules, by_monolith, "2027 differs on purpose");
}

// rows: OM-4
#[test]
fn needs_python3_the_year_that_differs_on_purpose_has_to_be_declared() {
    let ground = ground();
    let plan = ground.read("switchback.toml");
    let (start, rest) = plan.split_once("        [[check.scenario.known]]").unwrap();
    let (_, end) = rest.split_once("count = 1\n").unwrap();
    ground.write("switchback.toml", format!("{start}{end}"));
    let summary = refused(&ground, "side by side");
    assert!(
        summary.contains("`up to 2027[config=base, growth=0.0]`")
            && summary.contains("`summary.csv` differs"),
        "{summary}"
    );
    assert!(summary.contains("3 more like it; 15 of 19 cases hold"), "{summary}");
    // Declared for 2027, and not for the year before.
    ground.write("switchback.toml", &plan);
    replace(
        &ground,
        "../candidate/planner/summary.py",
        "FIRST_YEAR_OF_MINIMUM, MINIMUM = 2027",
        "FIRST_YEAR_OF_MINIMUM, MINIMUM = 2026",
    );
    let summary = refused(&ground, "side by side");
    assert!(summary.contains("`up to 2026[config=base, end=2026, growth=-0.02]`"), "{summary}");
}

// rows: OM-7, OM-9, OM-10
#[test]
fn needs_python3_what_is_not_on_purpose_is_caught() {
    let wrong = [
        // The first table that parts is named, although the summary is made of it.
        (
            "events.py",
            "person.salary * 1.08, 2",
            "person.salary * 1.08, 1",
            "side by side",
            "`events.csv` differs",
        ),
        (
            "events.py",
            "self.registry[employee].left_in = self.year",
            "pass",
            "side by side",
            "`registry.csv` differs",
        ),
        ("settings.py", "lacks {field}", "has no {field}", "side by side", "they say different things"),
        (
            "orchestrator.py",
            "        settings.check(start, end)\n        self.settings",
            "        open(os.path.join(out, 'begun'), 'w').close()\n        settings.check(start, end)\n        self.settings",
            "side by side",
            "new leaves `begun` behind though it fails",
        ),
        (
            "checkpoints.py",
            "\"headcount_at_start\": headcount,",
            "\"headcount_at_start\": len(workforce),",
            "goes on",
            "stopped after 2025",
        ),
        (
            "migrate.py",
            "old[\"headcount\"]",
            "len(people)",
            "goes on from the monolith",
            "stopped after 2025",
        ),
        (
            "simulation.py",
            "last[1] / first[1] - 1",
            "100 * (last[1] / first[1] - 1)",
            "callers",
            "`report.json` differs",
        ),
    ];
    for (file, old, new, check, words) in wrong {
        let ground = ground();
        replace(&ground, &format!("../candidate/planner/{file}"), old, new);
        let summary = refused(&ground, check);
        assert!(summary.contains(words), "{file}: {summary}");
    }
}
