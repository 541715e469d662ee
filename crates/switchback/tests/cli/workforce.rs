//! The example of a workforce: a monolith becomes modules, one year differs on purpose, and what is not on purpose is caught.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::ground::Ground;

/// The example as its README lays it out.
fn ground() -> Ground {
    let example: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/workforce");
    let ground = Ground::new();
    ground.tool("cp", &["-r", &example.join("live/.").display().to_string(), "."]);
    ground.tool("cp", &["-r", &example.join("candidate").display().to_string(), "../candidate"]);
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
    let ground = ground();
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
