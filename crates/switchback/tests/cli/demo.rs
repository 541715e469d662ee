//! The demo: what a newcomer sees first, and what the example project must prove for many seeds.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::ground::{Ground, Seen};

/// Seeds of one test; there are four of each kind, so that they run side by side.
const SEEDS: u64 = 5;

/// A demo in a folder of its own below `ground`.
fn demo(ground: &Ground, arguments: &[&str]) -> (PathBuf, Seen) {
    let folder = ground.at("demo");
    if folder.exists() {
        std::fs::remove_dir_all(&folder).unwrap();
    }
    let mut all = vec!["demo", folder.to_str().unwrap()];
    all.extend(arguments);
    let seen = ground.run_arguments(&all);
    (folder, seen)
}

// rows: OM-11
#[test]
fn needs_python3_the_demo_goes_live_comes_back_and_goes_live_again() {
    let ground = Ground::new();
    let (folder, seen) = demo(&ground, &[]);
    assert_eq!(seen.code, 0, "{seen}");
    for line in
        ["yes: the new pipeline went live, was taken back, and went live again", "  tests: ", "  rehearsal: "]
    {
        assert!(seen.out.contains(line), "`{line}`: {seen}");
    }
    let last = seen.out.lines().last().unwrap();
    let report = folder.canonicalize().unwrap().join("report.html");
    assert_eq!(last.trim_start().strip_prefix("report").map(str::trim_start), report.to_str(), "{seen}");
    assert!(std::fs::read_to_string(&report).unwrap().contains("loan-analytics"));
    // Live is the candidate.
    assert!(folder.join("project/pipeline/calculation.py").exists());
    let again = ground.run_arguments(&["demo", folder.to_str().unwrap()]);
    assert_eq!(again.code, 2, "{again}");
    assert!(again.err.contains("is not an empty folder"), "{again}");
}

/// A demo whose `python3` is this script of the shell.
fn with_python(script: &str) -> Ground {
    let mut ground = Ground::new();
    ground.write("../bin/python3", format!("#!/bin/sh\n{script}\n"));
    let program = ground.at("../bin/python3").canonicalize().unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    ground.set("PATH", &format!("{}:/usr/bin:/bin", program.parent().unwrap().display()));
    ground
}

#[test]
fn what_could_not_be_told_is_not_told_as_refused() {
    let ground = with_python("exit 0");
    let (_, seen) = demo(&ground, &[]);
    assert_eq!(seen.code, 2, "{seen}");
    let headline = "could not tell: whether the candidate is as it must be could not be found out, so it did not go live; \
                    the old pipeline is live, untouched";
    assert!(seen.out.contains(headline) && !seen.out.contains("refused"), "{seen}");
}

#[test]
fn a_demo_that_did_not_come_to_its_end_says_how_to_go_on() {
    // Without a Python nothing is written, so the same command can be run again.
    let mut ground = Ground::new();
    ground.set("PATH", "/nowhere");
    for _ in 0..2 {
        let seen = ground.run_arguments(&["demo", ground.at("demo").to_str().unwrap()]);
        assert!(seen.code == 2 && seen.err.contains("the demo needs Python 3.9 or newer"), "{seen}");
        assert!(!ground.at("demo").exists());
    }
    // Killed while its data is made: nothing is there to be gone on with.
    let ground = with_python("case $1 in generate.py) kill -9 $PPID;; esac");
    let (folder, seen) = demo(&ground, &[]);
    assert_eq!(seen.code, -1, "{seen}");
    let again = ground.run_arguments(&["demo", folder.to_str().unwrap()]);
    assert!(again.code == 2 && again.err.contains("hint: name a new folder"), "{again}");
    // Its plan was begun: the project is gone on with.
    let ground = with_python("case $1 in generate.py) mkdir -p project/.switchback/lock;; esac");
    let (folder, seen) = demo(&ground, &[]);
    let go_on = format!("go on in its project with `switchback -C {}/project run`", folder.display());
    assert!(seen.code == 2 && seen.err.contains(&format!("hint: correct the cause, then {go_on}")), "{seen}");
    assert!(!seen.err.contains("the same command"), "{seen}");
    let again = ground.run_arguments(&["demo", folder.to_str().unwrap()]);
    assert!(again.code == 2 && again.err.contains(&go_on), "{again}");
    std::fs::remove_dir(folder.join("project/.switchback/lock")).unwrap();
    let project = folder.join("project").display().to_string();
    let gone_on = ground.run_arguments(&["-C", &project, "run"]);
    assert!(gone_on.err.contains("unify: snapshot") && !gone_on.err.contains("error:"), "{gone_on}");
}

/// The defect is refused, and table, row and column are what was planted.
fn defects_are_named(seeds: std::ops::Range<u64>) {
    let ground = Ground::new();
    for seed in seeds {
        let (folder, seen) = demo(&ground, &["--defect", "--seed", &seed.to_string(), "--json"]);
        assert_eq!(seen.code, 1, "seed {seed}: {seen}");
        let document = seen.json();
        assert_eq!(document["verdict"], "no", "seed {seed}");
        let (planted, found) = (&document["defect"], &document["found"]);
        for name in ["table", "row", "column"] {
            assert!(!planted[name].is_null(), "seed {seed}: {planted}");
            assert_eq!(planted[name], found[name], "seed {seed}: {name}");
        }
        let (old, new) = (found["old"].as_f64().unwrap(), found["new"].as_f64().unwrap());
        assert!((new / old - 1.003).abs() < 1e-9, "seed {seed}: {old} became {new}");
        // No other figure is accused.
        for difference in document["differences"].as_array().unwrap() {
            assert_eq!(difference["table"], planted["table"], "seed {seed}: {difference}");
            assert_eq!(difference["column"], planted["column"], "seed {seed}: {difference}");
        }
        assert!(!folder.join("project/pipeline").exists(), "seed {seed}: the candidate is live");
        let report = std::fs::read_to_string(document["report"].as_str().unwrap()).unwrap();
        for name in [&planted["table"], &planted["column"], &planted["row"]["segment"]] {
            assert!(report.contains(name.as_str().unwrap()), "seed {seed}: the report does not name {name}");
        }
    }
}

#[test]
fn needs_python3_a_planted_defect_is_told_in_percent() {
    let ground = Ground::new();
    let (_, seen) = demo(&ground, &["--defect"]);
    assert_eq!(seen.code, 1, "{seen}");
    let planted = seen.out.lines().find(|line| line.starts_with("  planted  ")).unwrap();
    assert!(planted.ends_with(": 0.3 % too large"), "{seen}");
    assert!(seen.err.contains("0.3 % too large") && !seen.err.contains("1.003"), "{seen}");
    // What was compared has files and no rows.
    assert!(
        seen.err.contains("check fragments-kept at staged: yes: identical byte by byte (9 files)"),
        "{seen}"
    );
    assert!(seen.err.contains("12 paths that must be there are, 6 that must be gone are"), "{seen}");
}

// rows: RE-2
#[test]
fn needs_python3_a_planted_defect_is_named_for_five_seeds() {
    defects_are_named(0..SEEDS);
}

#[test]
fn needs_python3_a_planted_defect_is_named_for_five_more_seeds() {
    defects_are_named(SEEDS..2 * SEEDS);
}

#[test]
fn needs_python3_a_planted_defect_is_named_for_the_next_five_seeds() {
    defects_are_named(2 * SEEDS..3 * SEEDS);
}

#[test]
fn needs_python3_a_planted_defect_is_named_for_the_last_five_seeds() {
    defects_are_named(3 * SEEDS..4 * SEEDS);
}

/// The example as it stands in the repository, with data of each seed, is accepted.
fn no_defect_is_accepted(seeds: std::ops::Range<u64>) {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/loan-analytics");
    for seed in seeds {
        let ground = Ground::new();
        let place = |name: &str| example.join(name).display().to_string();
        ground.tool("cp", &["-r", &place("live/."), "."]);
        ground.tool("cp", &["-r", &place("candidate"), "../candidate"]);
        let generate = example.join("generate.py");
        ground.tool("python3", &[generate.to_str().unwrap(), "--seed", &seed.to_string(), "--out", "tape"]);
        let document = ground.expect(0, "run --json").json();
        assert_eq!(document["verdict"], "yes", "seed {seed}");
        let is_proved = |check: &Value| {
            check["name"] == "same-results" && check["verdict"] == "yes" && check["at"] == "staged"
        };
        assert!(document["checks"].as_array().unwrap().iter().any(is_proved), "seed {seed}: {document}");
    }
}

#[test]
fn needs_python3_data_of_five_seeds_is_accepted() {
    no_defect_is_accepted(100..100 + SEEDS);
}

#[test]
fn needs_python3_data_of_five_more_seeds_is_accepted() {
    no_defect_is_accepted(105..105 + SEEDS);
}

#[test]
fn needs_python3_data_of_the_next_five_seeds_is_accepted() {
    no_defect_is_accepted(110..110 + SEEDS);
}

#[test]
fn needs_python3_data_of_the_last_five_seeds_is_accepted() {
    no_defect_is_accepted(115..115 + SEEDS);
}
