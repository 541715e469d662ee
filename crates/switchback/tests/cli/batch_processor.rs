//! The example of a batch processor: each of its phases is broken in the ways that were foreseen, and the right playbook
//! repairs it.

use std::path::{Path, PathBuf};

use super::ground::Ground;

const PHASES: [&str; 3] = ["merge-trackers", "merge-predictor", "merge-notes"];

/// The example, with the first phases live.
fn live(phases: usize) -> Ground {
    let example: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/batch-processor");
    let ground = Ground::new();
    ground.tool("cp", &["-r", &example.join(".").display().to_string(), "."]);
    for phase in PHASES.iter().take(phases) {
        ground.expect(0, &format!("run --phase {phase}"));
    }
    let healthy = ground.expect(0, "doctor --json").json();
    assert!(healthy["proposed"].is_null(), "{healthy:#}");
    ground
}

/// Breaks the live tree in a way that `playbook` is for, and has it repaired.
#[expect(clippy::print_stderr, reason = "how long it took until it was proved, with `--nocapture`")]
fn is_repaired(phases: usize, fault: &str, playbook: &str) {
    let ground = live(phases);
    ground.tool("python3", &["-B", &format!("faults/{fault}.py")]);
    let found = ground.expect(1, "doctor --json").json();
    assert_eq!(found["proposed"], playbook, "{found:#}");
    let repaired = ground.expect(0, &format!("rollback --playbook {playbook} --json")).json();
    eprintln!(
        "{fault}: {playbook}: proved after {} ms, {} of them the rollback",
        repaired["proved_milliseconds"], repaired["milliseconds"]
    );
    let record = ground.read(repaired["incident"].as_str().unwrap());
    assert!(record.contains(&format!("Why: the playbook {playbook}")), "{record}");
    let healthy = ground.run("doctor --json");
    assert!(matches!(healthy.code, 0 | 2), "{healthy}");
}

// rows: RB-3, RB-4
#[test]
fn needs_python3_what_breaks_when_the_trackers_are_merged() {
    for fault in ["imports-broken", "scaling-broken", "data-lost"] {
        is_repaired(1, fault, fault);
    }
}

// rows: RB-3, RB-4
#[test]
fn needs_python3_what_breaks_when_the_predictor_is_merged() {
    for fault in ["decisions-broken", "manager-fails", "slow"] {
        is_repaired(2, fault, fault);
    }
}

// rows: RB-3, RB-4
#[test]
fn needs_python3_what_breaks_when_the_notes_are_merged() {
    for fault in ["notes-broken", "feedback-thin", "workflow-broken"] {
        is_repaired(3, fault, fault);
    }
}

// rows: RB-4
#[test]
fn needs_python3_data_that_is_lost_later_takes_everything_back() {
    is_repaired(2, "data-lost", "everything");
}
