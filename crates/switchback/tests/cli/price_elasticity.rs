//! The example of price elasticity: which of its successors go live, and what is said about the one that does not.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::ground::Ground;
use super::readme::{Readme, is_in, shown};

const STAGES: [&str; 6] =
    ["01_prepare", "02_features", "03_bootstrap", "04_scenarios", "05_intervals", "06_export"];
/// Up to where a successor that adds the same numbers in another order is accepted.
const TOLERANCE: f64 = 1e-12;

fn example() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/price-elasticity")
}

/// The example as it stands in the repository, with data of a seed and one of its successors. Old and new draw fewer
/// replicates, which is all that takes its time.
fn ground(successor: &str) -> Ground {
    let ground = Ground::new();
    let place = |name: &str| example().join(name).display().to_string();
    ground.tool("cp", &["-r", &place("live/."), "."]);
    ground.tool("python3", &[&place("generate.py"), "--seed", "7", "--out", "data"]);
    ground.tool("python3", &[&place("candidates.py"), successor, "--out", "../candidate"]);
    for settings in ["settings.json", "../candidate/settings.json"] {
        let text = ground.read(settings);
        let fewer = text.replace("\"replicates\": 400", "\"replicates\": 40");
        assert_ne!(fewer, text, "{settings}");
        ground.write(settings, fewer);
    }
    ground
}

/// What a check has left as evidence, of which the document of a command has the hash.
fn evidence(ground: &Ground, document: &Value, name: &str) -> Value {
    let checks = document["checks"].as_array().unwrap();
    let check = checks.iter().find(|check| check["name"] == name && check["at"] == "staged").unwrap();
    let hash = check["evidence"].as_str().unwrap().strip_prefix("blake3:").unwrap();
    serde_json::from_str(&ground.read(&format!(".switchback/evidence/{hash}"))).unwrap()
}

/// The relation of each stage, in the order in which they are computed.
fn relations(comparison: &Value) -> Vec<&str> {
    let stages = comparison["stages"].as_array().unwrap();
    let names: Vec<&str> = stages.iter().map(|stage| stage["name"].as_str().unwrap()).collect();
    assert_eq!(names, STAGES);
    stages.iter().map(|stage| stage["relation"].as_str().unwrap()).collect()
}

/// All managed paths, and what is in them.
fn tree(ground: &Ground) -> String {
    ground.tool(
        "find",
        &[
            "stages",
            "tests",
            "run.py",
            "settings.json",
            "README.md",
            "-type",
            "f",
            "-exec",
            "sha256sum",
            "{}",
            "+",
        ],
    )
}

/// Every check of a run said yes.
fn all_say_yes(document: &Value) {
    assert_eq!(document["verdict"], "yes");
    let checks = document["checks"].as_array().unwrap();
    for name in
        ["tests", "no-fixtures", "same-results", "same-features", "baseline", "constraints", "economics"]
    {
        assert!(checks.iter().any(|check| check["name"] == name && check["at"] == "staged"), "{name}");
    }
    for check in checks {
        assert_eq!(check["verdict"], "yes", "{check}");
    }
}

/// Runs the pipeline that is live, and the successor, and returns what `compare` says with `options`.
fn compare(ground: &Ground, code: i32, options: &str) -> Value {
    for (program, out) in [("run.py", "../old"), ("../candidate/run.py", "../new")] {
        if !ground.at(out).exists() {
            ground.tool("python3", &[program, "--data", "data", "--out", out]);
        }
    }
    ground
        .expect(code, &format!("compare ../old ../new --json --stages {} {options}", STAGES.join(",")))
        .json()
}

// rows: RE-2
#[test]
fn needs_python3_a_refactored_pipeline_goes_live_and_comes_back() {
    let ground = ground("refactored");
    let before = tree(&ground);
    let document = ground.expect(0, "run --json").json();
    all_say_yes(&document);
    assert!(ground.at("elasticity/pipeline.py").exists());
    let found = evidence(&ground, &document, "same-results");
    assert_eq!(relations(&found["details"]["comparison"]), ["bytes"; 6]);
    ground.expect(0, "rollback");
    assert!(!ground.at("elasticity").exists());
    assert_eq!(tree(&ground), before);
}

/// What nobody outside of the pipeline used, and the notes name as gone.
const GONE: [&str; 4] = [
    "run.SETTINGS",
    "stages.bootstrap.estimate",
    "stages.bootstrap.replicate",
    "stages.features.features_of",
];

/// All managed files of the receiver, with hashes.
fn tree_of_receiver(readme: &Readme) -> String {
    let managed = "elasticity stages tests run.py settings.json README.md";
    let find = "-type f -not -path '*/__pycache__/*' -exec sha256sum {} + 2>/dev/null | sort -k 2";
    readme.ground.shell(&format!("cd trial/receiver && find {managed} {find}")).out
}

// rows: RE-5, RE-7, RE-10, RE-11, RE-12, RE-19
#[test]
fn needs_python3_and_needs_git_one_project_takes_what_another_one_packed_as_the_readme_tells_it() {
    let parts = ["live", "handover", "refactored", "candidates.py", "generate.py"];
    let mut readme = Readme::open("price-elasticity", "From one project to another", &parts);
    // Drawing replicates is all that takes its time.
    let settings = readme.ground.read("live/settings.json");
    readme.ground.write("live/settings.json", settings.replace("\"replicates\": 400", "\"replicates\": 40"));
    readme.chapter();
    let before = tree_of_receiver(&readme);

    let seen = readme.chapter();
    assert!(is_in(&seen, "package price-elasticity 1 of phase reintegrate, ready"), "{}", shown(&seen));
    assert!(is_in(&seen, "yes: sent, and read back: "), "{}", shown(&seen));

    let seen = readme.chapter();
    for words in [
        "verified: every byte of the archive is what its manifest makes it",
        "it is signed by another key",
        "what is live here is what it was made from",
        "The stages were eight modules beside each other.",
        "not yet: The pricing desk has read the change log",
        "yes: Everything that both sides agreed on holds",
    ] {
        assert!(is_in(&seen, words), "{words}: {}", shown(&seen));
    }
    // The old names go on to work; what breaks is what the notes name, and nothing else.
    let lines = seen.iter().flat_map(|seen| seen.out.lines());
    let breaks: Vec<&str> = lines.filter_map(|line| line.trim().strip_prefix("breaks: ")).collect();
    assert_eq!(breaks, GONE.map(|name| format!("{name} removed")), "{}", shown(&seen));
    assert_eq!(tree_of_receiver(&readme), before, "nothing is live yet");

    let seen = readme.chapter();
    for words in
        ["Switchback-Package: price-elasticity 1 blake3:", "Switchback-Certificate: blake3:", "is finished"]
    {
        assert!(is_in(&seen, words), "{words}: {}", shown(&seen));
    }
    assert_ne!(tree_of_receiver(&readme), before);

    let seen = readme.chapter();
    for words in [
        "verified: 1 signed approval, of exactly this",
        "is the new one",
        "brought by the phase reintegrate",
        "heads fit",
        "[critical] price-elasticity, phase reintegrate: roll-back: rolled back",
    ] {
        assert!(is_in(&seen, words), "{words}: {}", shown(&seen));
    }
    assert_eq!(tree_of_receiver(&readme), before);
    assert!(readme.is_over());
}

// rows: RE-4
#[test]
fn needs_python3_constraints_hold_and_a_wrong_one_is_refused_with_its_rows() {
    let ground = ground("refactored");
    let document = ground.expect(0, "check economics --at before --json").json();
    assert_eq!(document["checks"][0]["summary"], "2 constraints hold");
    let plan = ground.read("switchback.toml");
    for (right, wrong, words) in [
        (
            "is = \"negative\"",
            "is = \"positive\"",
            "own price lowers sales: 4 violations in 4 rows; first: row = 1, product = harvest, feature = log_own_price",
        ),
        (
            "direction = \"increasing\"",
            "direction = \"decreasing\"",
            "elasticity grows with the cap: 16 violations in 28 rows, 16 neighbouring pairs; first: product = harvest, ",
        ),
    ] {
        assert!(plan.contains(right), "{right}");
        ground.write("switchback.toml", plan.replace(right, wrong));
        let seen = ground.expect(1, "check economics --at before");
        assert!(format!("{}{}", seen.out, seen.err).contains(words), "{seen}");
    }
    // Neither is a constraint about nothing, nor one about a column that is not there, a yes.
    for (right, wrong, words) in [
        ("'log_own_price'", "'log_price'", "own price lowers sales: it saw no row"),
        ("by = \"own_cap\"", "by = \"own_caps\"", "there is no column `own_caps`; did you mean `own_cap`?"),
    ] {
        ground.write("switchback.toml", plan.replace(right, wrong));
        let seen = ground.expect(2, "check economics --at before");
        assert!(format!("{}{}", seen.out, seen.err).contains(words), "{seen}");
    }
}

#[test]
fn needs_python3_a_sum_in_another_order_is_within_tolerance_and_its_worst_error_is_named() {
    let ground = ground("reassociated");
    let document = ground.expect(0, "run --json").json();
    all_say_yes(&document);
    let found = evidence(&ground, &document, "same-results");
    let comparison = &found["details"]["comparison"];
    assert_eq!(relations(comparison)[..2], ["bytes"; 2]);
    assert_eq!(relations(comparison)[2..], ["tolerance"; 4]);
    assert_eq!(comparison["first_not_bitwise"]["stage"], "03_bootstrap");
    assert!(comparison["first_divergence"].is_null());

    // Each column that is not the same bit by bit has its worst error, and where it is.
    let mut columns = 0;
    for item in comparison["items"].as_array().unwrap() {
        for column in item["columns"].as_array().into_iter().flatten() {
            let worst = &column["worst"];
            let (old, new) = (worst["old"].as_f64().unwrap(), worst["new"].as_f64().unwrap());
            assert_eq!(column["cells_different"], 0, "{column}");
            assert_ne!(worst["old"], worst["new"], "{column}");
            assert!((old - new).abs() <= TOLERANCE, "{column}");
            columns += 1;
        }
    }
    assert!(columns > 50, "{columns} columns");
    ground.expect(0, "rollback");

    // The same results without a tolerance, and with one.
    for options in ["", "--absolute 0"] {
        let document = compare(&ground, 1, options);
        assert_eq!(document["first_divergence"]["stage"], "03_bootstrap", "{options}");
    }
    assert_eq!(relations(&compare(&ground, 0, "--absolute 1e-12"))[2..], ["tolerance"; 4]);
}

#[test]
fn needs_python3_a_wrong_lag_is_refused_and_its_stage_column_and_row_are_named() {
    let ground = ground("wrong-lag");
    let before = tree(&ground);
    let seen = ground.expect(1, "run --json");
    let document = seen.json();
    assert_eq!(tree(&ground), before, "the successor is live");
    let verdict = |name: &str| {
        let checks = document["checks"].as_array().unwrap();
        let check = checks.iter().find(|check| check["name"] == name && check["at"] == "staged").unwrap();
        check["verdict"].as_str().unwrap().to_owned()
    };
    // Neither the tests nor the constraints see it.
    for (name, expected) in [
        ("tests", "yes"),
        ("constraints", "yes"),
        ("same-results", "no"),
        ("same-features", "no"),
        ("baseline", "no"),
    ] {
        assert_eq!(verdict(name), expected, "{name}");
    }
    for name in ["same-results", "baseline"] {
        let found = evidence(&ground, &document, name);
        let comparison = &found["details"]["comparison"];
        assert_eq!(relations(comparison)[..2], ["bytes", "different"], "{name}");
        let first = &comparison["first_divergence"];
        assert_eq!(first["stage"], "02_features", "{name}");
        assert_eq!(first["item"], "features.csv", "{name}");
        assert_eq!(first["column"], "competitor_cap_lag", "{name}");
    }

    // The row is the first whose competitors quote another cap two weeks before than one week before.
    let found = evidence(&ground, &document, "same-features");
    let item = &found["details"]["comparison"]["items"][0];
    let names: Vec<&str> =
        item["columns"].as_array().unwrap().iter().map(|column| column["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["competitor_cap_lag"]);
    let first = &item["first"];
    assert_eq!(first["key"]["product"], "harvest");
    let (week, old, new) = first_change(&ground);
    assert_eq!(first["key"]["week"], week.as_str());
    assert!((first["old"].as_f64().unwrap() - old).abs() < 1e-9, "{first}");
    assert!((first["new"].as_f64().unwrap() - new).abs() < 1e-9, "{first}");
    assert!(seen.out.contains("competitor_cap_lag"), "{seen}");

    let compared = compare(&ground, 1, "--absolute 1e-12");
    assert_eq!(compared["first_divergence"]["stage"], "02_features");
    assert_eq!(compared["first_divergence"]["column"], "competitor_cap_lag");
}

/// The first week of `harvest` in which a lag of one week and one of two weeks differ, with the cap two weeks before
/// and the cap one week before: read from the data that the pipeline reads, and not from what it writes.
fn first_change(ground: &Ground) -> (String, f64, f64) {
    let program = "
import csv
shares = {'alder': 0.5, 'birch': 0.3, 'cedar': 0.2}
caps, last = {}, {}
for row in csv.DictReader(open('data/quotes.csv')):
    if row['product'] == 'harvest' and row['provider'] in shares:
        caps.setdefault(row['week'], {})[row['provider']] = float(row['cap_rate'])
means = []
for week in sorted(caps):
    last.update(caps[week])
    means.append((week, sum(share * last[name] for name, share in shares.items())))
sold = {row['week'] for row in csv.DictReader(open('data/sales.csv')) if row['product'] == 'harvest' and row['sales']}
for (_, two), (_, one), (week, _) in zip(means, means[1:], means[2:]):
    if week in sold and abs(two - one) > 1e-9:
        print(week, two, one)
        break
";
    let out = ground.tool("python3", &["-c", program]);
    let words: Vec<&str> = out.split_whitespace().collect();
    (words[0].to_owned(), words[1].parse().unwrap(), words[2].parse().unwrap())
}
