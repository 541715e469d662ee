//! The example of market regimes: two trees become one and come apart again, and a wrong decision that no test sees.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::ground::Ground;

fn place(name: &str) -> String {
    let example: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/market-regime");
    example.join(name).display().to_string()
}

/// The example as it stands in the repository, with its prices.
fn ground() -> Ground {
    let ground = Ground::new();
    ground.tool("cp", &["-r", &place("live/."), "."]);
    ground.tool("python3", &[&place("generate.py"), "--seed", "7", "--out", "data"]);
    ground
}

/// Everything that stands in the project but its state, staged trees and bytecode, with hashes.
fn tree(ground: &Ground) -> String {
    let skipped = "-path ./.switchback -prune -o -name *.sb-* -prune -o -name __pycache__ -prune -o -type f";
    let skipped: Vec<&str> = skipped.split(' ').collect();
    let hashed = ["-exec", "sha256sum", "{}", "+"];
    let listed = ground.tool("find", &[&["."][..], &skipped, &hashed].concat());
    let mut lines: Vec<&str> = listed.lines().collect();
    lines.sort_unstable();
    lines.join("\n")
}

fn verdict<'d>(document: &'d Value, name: &str, at: &str) -> &'d str {
    let checks = document["checks"].as_array().unwrap();
    let check = checks.iter().find(|check| check["name"] == name && check["at"] == at);
    check.unwrap_or_else(|| panic!("no {name} at {at} in {document:#}"))["verdict"].as_str().unwrap()
}

// rows: TM-3, TM-4, TM-5, TM-6, TM-7, TM-8, TM-11, OM-6
#[test]
fn needs_python3_two_trees_become_one_and_come_apart_again() {
    let ground = ground();
    let before = tree(&ground);
    let staged = ground.expect(0, "run --until staged --json").json();
    for name in ["imports", "tests", "same-results", "arrived"] {
        assert_eq!(verdict(&staged, name, "staged"), "yes", "{name}");
    }
    // The source is there until everything has been proved.
    assert!(tree(&ground) == before, "the tree is another");
    let live = ground.expect(0, "run --json").json();
    for name in ["imports", "tests", "arrived"] {
        assert_eq!(verdict(&live, name, "live"), "yes", "{name}");
    }
    let said = ground.tool("python3", &["-B", &place("verify.py"), &place("live"), "."]);
    assert!(!said.contains("no:"), "{said}");
    ground.expect(0, "rollback");
    assert!(tree(&ground) == before, "the tree is another");
}

// rows: TM-12, OM-6
#[test]
fn needs_python3_parts_go_back_while_the_rest_stays() {
    let ground = ground();
    let before = tree(&ground);
    ground.expect(0, "run");
    let merged = tree(&ground);
    // Tests of the old tree have no shims: what names them cannot go back alone, and nothing is written.
    let refused = ground.expect(1, "rollback --only imports --json").json();
    assert_eq!(refused["verdict"], "no");
    let against = refused["against"].as_array().unwrap();
    assert!(
        against.iter().any(|line| line.as_str().unwrap().starts_with("tests/api/test_routes.py:9: ")),
        "{against:?}"
    );
    let left = refused["left"].as_array().unwrap();
    assert!(left.iter().any(|path| path == "backtester_v2/strategies/market_regime/strategy.py"), "{left:?}");
    assert!(tree(&ground) == merged, "the tree is another");
    // The routes can: the old names are importable still.
    let shown = ground.expect(0, "rollback --only routes --dry-run");
    assert!(shown.out.contains("api/routes.py"), "{shown}");
    assert!(tree(&ground) == merged, "the tree is another");
    let done = ground.expect(0, "rollback --only routes --json").json();
    assert_eq!(done["restored"], serde_json::json!(["api/routes.py"]));
    // Then one importer, by its path, whose edit since is kept.
    ground.write("run.py", ground.read("run.py") + "# tuned by hand\n");
    let done = ground
        .expect(0, "rollback --only run.py --only backtester_v2/strategies/market_regime/integration --json")
        .json();
    assert!(done["kept_aside"][0].as_str().unwrap().ends_with(": run.py"), "{done:#}");
    for path in
        ["api/routes.py", "run.py", "backtester_v2/strategies/market_regime/integration/ui_endpoints.py"]
    {
        assert_eq!(
            ground.read(path),
            std::fs::read_to_string(place(&format!("live/{path}"))).unwrap(),
            "{path}"
        );
    }
    let live = ground.expect(0, "check tests imports --at live --json").json();
    for name in ["imports", "tests"] {
        assert_eq!(verdict(&live, name, "live"), "yes", "{name}");
    }
    let shims = ground.expect(0, "shims --json").json();
    let used_by = shims["shims"][0]["used_by"].as_array().unwrap();
    assert!(used_by.iter().any(|user| user["module"] == "api.routes"), "{shims:#}");
    let log = ground.expect(0, "log");
    assert_eq!(log.out.matches("part-rolled-back").count(), 2, "{log}");
    ground.expect(0, "rollback");
    assert!(tree(&ground) == before, "the tree is another");
}

// rows: TM-4
#[test]
fn needs_python3_a_wrong_decision_passes_all_tests_and_no_comparison() {
    let ground = ground();
    ground.tool("python3", &[&place("plant_decision.py"), "merge-decisions.toml"]);
    let before = tree(&ground);
    let seen = ground.run("run --json");
    assert_eq!(seen.code, 1, "{seen}");
    let document = seen.json();
    assert_eq!(verdict(&document, "tests", "staged"), "yes");
    assert_eq!(verdict(&document, "same-results", "staged"), "no");
    assert!(document.to_string().contains("01_comprehensive"), "{seen}");
    assert!(tree(&ground) == before, "the tree is another");
}

// rows: TM-3, TM-4
#[test]
fn needs_python3_what_nobody_decided_is_a_conflict_and_makes_no_candidate() {
    let ground = Ground::new();
    ground.tool("cp", &["-r", &place("live/."), "."]);
    let sides = "backtester_v2/market_regime backtester_v2/strategies/market_regime";
    let before = tree(&ground);
    let document = ground.expect(1, &format!("merge {sides} --json")).json();
    assert_eq!(document["schema"], "switchback/merge/1");
    let files = document["files"].as_array().unwrap();
    let open = files.iter().filter(|file| file["action"] == "ask").count();
    assert!(open >= 3, "{document:#}");
    for class in ["source-only", "target-only", "equal", "conflict"] {
        assert!(files.iter().any(|file| file["class"] == class), "{class}");
    }
    ground.expect(1, &format!("merge {sides} --ask open.toml"));
    assert!(ground.read("open.toml").contains("definition = \"confirm\""));
    std::fs::remove_file(ground.at("open.toml")).unwrap();
    assert!(tree(&ground) == before, "the tree is another");
    ground.expect(0, &format!("merge {sides} --rules merge-decisions.toml"));
    let plan = ground.read("switchback.toml");
    ground.write("switchback.toml", plan.replace("    decisions = \"merge-decisions.toml\"\n", ""));
    ground.tool("python3", &[&place("generate.py"), "--seed", "7", "--out", "data"]);
    let before = tree(&ground);
    let seen = ground.expect(2, "run");
    assert!(seen.err.contains("is refuted"), "{seen}");
    assert!(tree(&ground) == before, "the tree is another");
}
