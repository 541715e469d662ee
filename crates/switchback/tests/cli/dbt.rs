//! What dbt leaves: results of its nodes as tests, and its graph as the order of stages.

use serde_json::{Value, json};

use super::ground::Ground;

fn results(nodes: &[(&str, &str)]) -> String {
    let nodes: Vec<Value> =
        nodes.iter().map(|(id, status)| json!({"unique_id": id, "status": status, "timing": []})).collect();
    json!({"metadata": {"dbt_schema_version": "https://schemas.getdbt.com/dbt/run-results/v6.json", "dbt_version": "1.9.1"},
           "results": nodes, "elapsed_time": 2.5, "args": {"which": "build"}})
    .to_string()
}

const CHECK: &str = "[[check]]\nname = \"dbt\"\nkind = \"tests\"\ncommand = \"sh src/build.sh {out}\"\n\
                     results = \"{out}/run_results.json\"\nat = [\"before\", \"staged\"]\n";

fn staged(ground: &Ground, code: i32) -> String {
    ground.expect(code, "run --until staged --restage");
    let document = ground.run("status --json").json();
    let checks = document["checks"].as_array().unwrap();
    let check = checks.iter().find(|check| check["at"] == "staged").unwrap();
    check["summary"].as_str().unwrap().to_owned()
}

// rows: OM-8
#[test]
fn what_dbt_built_and_tested_is_read_as_tests() {
    let ground = Ground::shop(CHECK);
    ground.write("src/build.sh", "cp src/results.json \"$1/run_results.json\"\n");
    ground.write("../new/src/build.sh", "cp src/results.json \"$1/run_results.json\"\nexit 1\n");
    let good =
        results(&[("model.sim.fct", "success"), ("test.sim.unique", "pass"), ("test.sim.some", "warn")]);
    ground.write("src/results.json", &good);
    ground.write("../new/src/results.json", good.replace("pass", "fail"));
    let summary = staged(&ground, 1);
    assert!(summary.contains("passed before and fail now: `test.sim.unique`"), "{summary}");
    ground.write("../new/src/build.sh", "cp src/results.json \"$1/run_results.json\"\n# new\n");
    ground.write("../new/src/results.json", &good);
    assert!(staged(&ground, 0).contains("2 passed, 0 failed, 0 errors"));
    ground.write("../new/src/results.json", good.replace("v6.json", "v9.json"));
    assert!(staged(&ground, 2).contains("the versions v4 to v6 of `run-results` are read"));
}

// rows: OM-8
#[test]
fn results_of_an_earlier_run_are_not_taken_for_those_of_this_one() {
    let in_tree = CHECK.replace("{out}/run_results.json", "target/run_results.json");
    let ground = Ground::shop(&in_tree);
    ground.write("target/run_results.json", results(&[("model.sim.fct", "success")]));
    ground
        .write("src/build.sh", "cp target/run_results.json \"$1/r\"; mv \"$1/r\" target/run_results.json\n");
    ground.write("../new/src/build.sh", "echo stopped before it wrote anything\n");
    let summary = staged(&ground, 2);
    assert!(summary.contains("run_results.json` is of an earlier run"), "{summary}");
}

fn manifest(depends: &[(&str, &[&str])]) -> String {
    let nodes: serde_json::Map<String, Value> = depends
        .iter()
        .map(|(name, on)| {
            let on: Vec<String> = on.iter().map(|name| format!("model.sim.{name}")).collect();
            let node =
                json!({"resource_type": "model", "name": name, "alias": name, "depends_on": {"nodes": on}});
            (format!("model.sim.{name}"), node)
        })
        .collect();
    json!({"metadata": {}, "nodes": nodes}).to_string()
}

// rows: OM-8
#[test]
fn the_graph_of_dbt_says_which_result_parted_first() {
    let check = |stages: &str| {
        format!(
            "[[check]]\nname = \"equal\"\nkind = \"equivalence\"\nold = {{ tree = \"live\", path = \"src/out\" }}\n\
             new = {{ tree = \"candidate\", path = \"src/out\" }}\nstages = {stages}\n"
        )
    };
    let ground = Ground::shop(&check("{ dbt = \"target/manifest.json\" }"));
    let graph =
        [("events", &["staging"][..]), ("staging", &[]), ("annual", &["events"]), ("view_only", &["events"])];
    ground.write("target/manifest.json", manifest(&graph));
    // By name `annual` would come first; it is made of `events`.
    for (name, new) in [("staging", "a\n1\n"), ("events", "a\n2\n"), ("annual", "a\n3\n")] {
        ground.write(&format!("src/out/{name}.csv"), "a\n1\n");
        ground.write(&format!("../new/src/out/{name}.csv"), new);
    }
    let summary = staged(&ground, 1);
    assert!(summary.contains("`events.csv` differs") || summary.contains("events"), "{summary}");
    let document = ground.run("status --json").json();
    let hash = document["checks"][0]["evidence"].as_str().unwrap().trim_start_matches("blake3:").to_owned();
    let evidence: Value =
        serde_json::from_str(&ground.read(&format!(".switchback/evidence/{hash}"))).unwrap();
    let stages = evidence["details"]["comparison"]["stages"].as_array().unwrap();
    let named: Vec<&str> = stages.iter().map(|stage| stage["name"].as_str().unwrap()).collect();
    assert_eq!(named, ["staging", "events", "annual"]);
    assert_eq!(evidence["details"]["comparison"]["first_divergence"]["stage"], "events");
    let circle = [("events", &["annual"][..]), ("staging", &[]), ("annual", &["events"])];
    ground.write("target/manifest.json", manifest(&circle));
    let summary = staged(&ground, 2);
    assert!(summary.contains("its graph goes round in a circle"), "{summary}");
    ground.plan("", &check("[\"staging\", \"events\"]"));
    assert!(staged(&ground, 1).contains("events"));
}
