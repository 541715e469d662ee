//! A shadow of a period: inputs come while it goes on, are changed, are still written, or are there before it.

use super::{OLD, events, input, shadowed, told};

// rows: PC-5
#[test]
fn a_period_is_waited_for_over_restarts_and_counts_what_comes() {
    let ground = shadowed("for = \"24h\"", OLD);
    input(&ground, "a", 1.0);
    let seen = ground.expect(2, "run");
    assert!(seen.out.starts_with("not over yet"), "{seen}");
    assert!(seen.err.contains("waits for the shadow `shadow`: 0 of 24 h, 1 input, 1 equal"), "{seen}");
    input(&ground, "b", 2.0);
    ground.expect(2, "shadow --once");
    input(&ground, "c", 3.0);
    ground.expect(2, "shadow --once");
    ground.expect(2, "shadow --once");
    let shadow = told(&ground);
    assert_eq!((shadow["state"].as_str(), shadow["counts"]["equal"].as_u64()), (Some("under-way"), Some(3)));
    assert_eq!(events(&ground, "shadow-started").len(), 1, "it is one period");
    assert_eq!(events(&ground, "shadow-input-ended").len(), 3, "each was run once");
    let waits = ground.run("status --json").json()["waits_for"].clone();
    assert_eq!(waits[0]["kind"], "shadow", "{waits}");
}

// rows: PC-5
#[test]
fn a_period_ends_with_a_verdict_over_everything() {
    let ground = shadowed("for = \"2s\"", OLD);
    input(&ground, "a", 1.0);
    let seen = ground.expect(0, "run --until rehearsed");
    assert!(!seen.err.contains("shadow"), "{seen}");
    let seen = ground.expect(0, "shadow");
    assert!(seen.err.contains("shadow shadow: yes: 1 input, 1 equal"), "{seen}");
    // Asked once more it says what it came to, and runs nothing.
    let again = ground.expect(0, "shadow");
    assert!(again.out.ends_with("\n  yes: shadow shadow: 1 input, 1 equal\n"), "{again}");
    assert_eq!(events(&ground, "shadow-ended").len(), 1);
    // What comes after it is no input of it.
    input(&ground, "late", 1.0);
    ground.expect(0, "run --until live");
    assert_eq!(told(&ground)["counts"]["inputs"], 1);
}

// rows: PC-5
#[test]
fn an_input_that_was_changed_is_a_new_one_and_one_that_is_written_waits() {
    let ground = shadowed("for = \"24h\"", OLD);
    input(&ground, "a", 1.0);
    ground.expect(2, "run");
    input(&ground, "a", 2.0);
    ground.expect(2, "shadow --once");
    // The same bytes again are no other input.
    input(&ground, "a", 2.0);
    ground.expect(2, "shadow --once");
    let bodies = events(&ground, "shadow-input-ended");
    assert_eq!(bodies.len(), 2);
    assert_eq!(bodies[0]["input"], bodies[1]["input"]);
    assert_ne!(bodies[0]["content"], bodies[1]["content"]);

    let ground = shadowed("for = \"24h\"", OLD);
    ground
        .write("switchback.toml", ground.read("switchback.toml").replace("settle_s = 0", "settle_s = 3600"));
    input(&ground, "a", 1.0);
    let seen = ground.expect(2, "run");
    assert!(seen.err.contains("0 inputs"), "{seen}");
    assert_eq!(events(&ground, "shadow-input-started").len(), 0);
}

// rows: PC-5
#[test]
fn only_new_leaves_aside_what_was_there() {
    let ground = shadowed("for = \"24h\"\nonly_new = true", OLD);
    input(&ground, "old", 1.0);
    ground.expect(2, "run");
    assert_eq!(told(&ground)["counts"]["inputs"], 0);
    input(&ground, "new", 1.0);
    ground.expect(2, "shadow --once");
    assert_eq!(told(&ground)["counts"]["inputs"], 1);
}

// rows: PC-5
#[test]
fn an_input_of_the_period_that_is_touched_after_its_end_is_run_all_the_same() {
    let ground = shadowed("for = \"4s\"", OLD);
    input(&ground, "a", 1.0);
    ground.shell("mkdir data/elsewhere && echo 'id,value\nb,2' > data/elsewhere/b.csv");
    ground.expect(2, "run");
    assert_eq!(told(&ground)["counts"]["inputs"], 1);
    // Between two looks of a timer the period ends, and inodes are touched: what was written before that is not.
    std::thread::sleep(std::time::Duration::from_millis(4_500));
    ground.shell("mv data/elsewhere/b.csv data/raw/b.csv; chmod 600 data/raw/a.csv; ln data/raw/a.csv hard");
    input(&ground, "late", 3.0);
    ground.expect(0, "shadow --once");
    let shadow = told(&ground);
    assert_eq!((shadow["state"].as_str(), shadow["counts"]["inputs"].as_u64()), (Some("over"), Some(2)));
    let ended = events(&ground, "shadow-input-ended");
    assert!(ended.iter().any(|body| body["input"] == "data/raw/b.csv"), "{ended:?}");
}
