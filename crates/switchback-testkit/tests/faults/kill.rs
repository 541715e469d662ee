//! The program is killed with `kill -9` before each call that it makes, and within each write.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use switchback_core::world::{Exit, Finished};
use switchback_testkit::fault::is_write;
use switchback_testkit::{Fault, Layout, Scratch, Side, Standing};

use crate::act::{
    acknowledged, killed_at, nothing_lost, program, program_ends, recover, said, state_of, whole,
};

/// How a killed program is followed.
type Follow = fn(&Scratch, &Finished, u64, &str);

/// What a loop over all calls came to.
#[derive(Debug, Default)]
struct Tally {
    scenarios: u32,
    mixed: u32,
}

/// Kills `arguments` at every call until it is done unharmed, each time in a fresh copy that `prepare` has readied.
fn kill_everywhere(base: &Scratch, prepare: &dyn Fn(&Scratch), arguments: &[&str], follow: Follow) -> Tally {
    kill_at_every(1, base, prepare, arguments, follow)
}

/// The same at every so manieth call, for what makes so many that all of them take too long.
fn kill_at_every(
    step: usize,
    base: &Scratch,
    prepare: &dyn Fn(&Scratch),
    arguments: &[&str],
    follow: Follow,
) -> Tally {
    let mut tally = Tally::default();
    for call in (1..).step_by(step) {
        for fault in [Fault::KillAt(call), Fault::KillWithin(call)] {
            let victim = base.copy("victim").unwrap();
            prepare(&victim);
            let died = program(&victim, arguments, fault);
            let Some(doing) = killed_at(&died) else {
                assert_eq!(died.exit, Exit::Code(0), "unharmed: {}", said(&died));
                return tally;
            };
            let case = format!("{:?}, killed at {fault:?}: {doing}", base.layout);
            tally.scenarios += 1;
            tally.mixed += u32::from(matches!(victim.standing().unwrap(), Standing::Mixed(_)));
            nothing_lost(&victim, &case);
            follow(&victim, &died, call, &case);
            program_ends(&victim, &["log", "verify"], 0, &case);
            victim.discard().unwrap();
            if !is_write(doing.split(' ').next().unwrap_or_default()) {
                break;
            }
        }
    }
    tally
}

fn report(what: &str, layout: Layout, tally: &Tally, started: Instant) {
    println!(
        "{what}, {layout:?}: {} scenarios, {} of them mixed at the crash, {:.1} s",
        tally.scenarios,
        tally.mixed,
        started.elapsed().as_secs_f64()
    );
}

/// Recovery, by the program, leaves a whole tree, and a second one changes nothing more.
fn recovers(victim: &Scratch, case: &str) -> Standing {
    let status = program(victim, &["status"], Fault::None);
    assert!(matches!(status.exit, Exit::Code(0..=2)), "{case}: status said {}", said(&status));
    let standing = whole(victim, case);
    let state = state_of(victim);
    recover(victim, case);
    assert_eq!(whole(victim, case), standing, "{case}: a second recovery");
    assert_eq!(state_of(victim), state, "{case}: a second recovery");
    standing
}

fn nothing_to_roll_back(victim: &Scratch, case: &str) {
    let refused = program_ends(victim, &["rollback"], 2, case);
    assert!(said(&refused).contains("nothing is live"), "{case}: {}", said(&refused));
}

/// A killed `run` is either finished by the next `run`, or its outcome is taken back by `rollback`.
fn follow_run(victim: &Scratch, died: &Finished, call: u64, case: &str) {
    let is_new = victim.standing().unwrap() == Standing::New;
    assert!(!acknowledged(died) || is_new, "{case}: acknowledged and not new");
    if call.is_multiple_of(2) {
        let standing = recovers(victim, case);
        assert!(!acknowledged(died) || standing == Standing::New, "{case}: acknowledged and taken back");
        // What the first phase of two made live is not what is tried here.
        if standing == Standing::New {
            program_ends(victim, &["rollback"], 0, case);
        } else if victim.layout != Layout::Pointer {
            nothing_to_roll_back(victim, case);
        }
        assert_eq!(whole(victim, case), Standing::Old, "{case}: rolled back");
    } else {
        program_ends(victim, &["run"], 0, case);
        assert_eq!(whole(victim, case), Standing::New, "{case}: run again");
        let state = state_of(victim);
        program_ends(victim, &["run"], 0, case);
        assert_eq!(state_of(victim), state, "{case}: a finished run does nothing");
    }
}

/// A killed `rollback` is either finished by the next `rollback`, or the change is made again by `run`.
fn follow_rollback(victim: &Scratch, died: &Finished, call: u64, case: &str) {
    let is_old = victim.standing().unwrap() == Standing::Old;
    assert!(!acknowledged(died) || is_old, "{case}: acknowledged and not old");
    // Making the change again from the start is slow, and the same wherever it comes after the end of the rollback.
    if call.is_multiple_of(2) || (is_old && call % 16 != 1) {
        let standing = recovers(victim, case);
        assert!(!acknowledged(died) || standing == Standing::Old, "{case}: acknowledged and not old");
        if standing == Standing::New {
            program_ends(victim, &["rollback"], 0, case);
        } else if victim.layout != Layout::Pointer {
            nothing_to_roll_back(victim, case);
        }
        assert_eq!(whole(victim, case), Standing::Old, "{case}: rolled back");
    } else {
        program_ends(victim, &["run"], 0, case);
        assert_eq!(whole(victim, case), Standing::New, "{case}: run again");
    }
}

fn killed_runs_in(layout: Layout) {
    let started = Instant::now();
    let base = Scratch::staged(layout).unwrap();
    let tally = kill_everywhere(&base, &|_| {}, &["run"], follow_run);
    assert!(layout == Layout::Pointer || tally.mixed > 0, "no kill was in the middle of the exchange");
    report("run", layout, &tally, started);
}

fn killed_rollbacks_in(layout: Layout, until: &str) {
    let started = Instant::now();
    let base = Scratch::staged(layout).unwrap();
    let prepare = |victim: &Scratch| {
        program_ends(victim, &["run", "--until", until], 0, "before the rollback");
    };
    let tally = kill_everywhere(&base, &prepare, &["rollback"], follow_rollback);
    assert!(layout == Layout::Pointer || tally.mixed > 0, "no kill was in the middle of the exchange");
    report(&format!("rollback after {until}"), layout, &tally, started);
}

/// Kills `doing` at every call; where that left a mixed tree, kills the recovery at every call too.
fn kill_the_recovery_everywhere(layout: Layout, before: Option<&[&str]>, doing: &[&str]) {
    let started = Instant::now();
    let base = Scratch::staged(layout).unwrap();
    let crash = |call: u64| {
        let victim = base.copy("victim").unwrap();
        if let Some(before) = before {
            program_ends(&victim, before, 0, "before");
        }
        let died = program(&victim, doing, Fault::KillAt(call));
        (killed_at(&died).is_some(), victim)
    };
    let mut tally = Tally::default();
    for first in 1.. {
        let (is_killed, mut victim) = crash(first);
        if !is_killed {
            break;
        }
        if !matches!(victim.standing().unwrap(), Standing::Mixed(_)) {
            continue;
        }
        for second in 1.. {
            let died = program(&victim, &["status"], Fault::KillAt(second));
            let Some(at) = killed_at(&died) else { break };
            let case = format!("{layout:?}, {doing:?} killed at {first}, its recovery at {second}: {at}");
            tally.scenarios += 1;
            tally.mixed += u32::from(matches!(victim.standing().unwrap(), Standing::Mixed(_)));
            recover(&victim, &case);
            assert_eq!(whole(&victim, &case), Standing::Old, "{case}");
            victim = crash(first).1;
        }
    }
    assert!(tally.mixed > 0, "no recovery was killed before it had done anything");
    report(&format!("recovery of {doing:?}"), layout, &tally, started);
}

// rows: BX-1
#[test]
fn the_recovery_of_a_run_killed_at_any_call_ends_all_old() {
    kill_the_recovery_everywhere(Layout::Exchange, None, &["run"]);
}

// rows: BX-1
#[test]
fn the_recovery_of_an_adoption_killed_at_any_call_ends_all_old() {
    kill_the_recovery_everywhere(Layout::Adoption, None, &["run"]);
}

// rows: BX-1
#[test]
fn a_partial_rollback_killed_at_any_call_ends_with_those_paths_old_and_the_others_new() {
    let started = Instant::now();
    let base = Scratch::staged(Layout::Exchange).unwrap();
    let prepare = |victim: &Scratch| {
        program_ends(victim, &["run"], 0, "before the rollback");
    };
    let only = ["rollback", "--only", "src", "--only", "created"];
    let tally = kill_everywhere(&base, &prepare, &only, follow_partial);
    report("partial rollback", Layout::Exchange, &tally, started);
}

/// Either both paths are old and all others new, or nothing was begun; a second attempt ends it.
fn follow_partial(victim: &Scratch, died: &Finished, _: u64, case: &str) {
    let meant = ["src", "created"].map(Path::new);
    let sides = || victim.sides.look(victim.root()).unwrap();
    let is_done = |sides: &BTreeMap<PathBuf, Side>| {
        sides.iter().all(|(path, side)| match side {
            Side::Same => true,
            Side::Old => meant.contains(&path.as_path()),
            Side::New => !meant.contains(&path.as_path()),
            Side::Neither(_) => false,
        })
    };
    assert!(!acknowledged(died) || is_done(&sides()), "{case}: acknowledged, and {:?}", sides());
    let status = program(victim, &["status"], Fault::None);
    assert!(matches!(status.exit, Exit::Code(0..=2)), "{case}: status said {}", said(&status));
    nothing_lost(victim, case);
    let recovered = sides();
    let is_untouched = victim.standing().unwrap() == Standing::New;
    assert!(is_done(&recovered) || (is_untouched && !acknowledged(died)), "{case}: {recovered:?}");
    recover(victim, case);
    assert_eq!(sides(), recovered, "{case}: a second recovery");
    let code = if is_untouched { 0 } else { 2 };
    program_ends(victim, &["rollback", "--only", "src", "--only", "created"], code, case);
    assert!(is_done(&sides()), "{case}: again: {:?}", sides());
    program_ends(victim, &["rollback"], 0, case);
    assert_eq!(whole(victim, case), Standing::Old, "{case}: the rest");
}

/// A restore from a snapshot lays a whole tree out before it exchanges it: of that, calls apart are tried.
fn killed_restores(step: usize) {
    let started = Instant::now();
    let base = Scratch::staged(Layout::Exchange).unwrap();
    // A copy of a project comes without its snapshots: it has to make its own.
    let prepare = |victim: &Scratch| {
        program_ends(victim, &["run", "--restage"], 0, "before the restore");
    };
    let tally = kill_at_every(step, &base, &prepare, &["rollback", "--from", "snapshot"], follow_rollback);
    assert!(tally.scenarios > 10, "{tally:?}");
    report("restore from the snapshot", Layout::Exchange, &tally, started);
}

// rows: BX-1, RE-18
#[test]
fn a_restore_from_the_snapshot_killed_at_calls_apart_ends_whole() {
    killed_restores(13);
}

#[test]
#[ignore = "slow: some minutes"]
fn a_restore_from_the_snapshot_killed_at_any_call_ends_whole() {
    killed_restores(1);
}

// rows: BX-1
#[test]
fn a_run_killed_at_any_call_ends_whole_and_goes_on() {
    killed_runs_in(Layout::Exchange);
}

// rows: BX-1
#[test]
fn a_run_that_adopts_the_pointer_killed_at_any_call_ends_whole_and_goes_on() {
    killed_runs_in(Layout::Adoption);
}

// rows: BX-1
#[test]
fn a_run_that_switches_the_pointer_killed_at_any_call_ends_whole_and_goes_on() {
    killed_runs_in(Layout::Pointer);
}

// rows: BX-1
#[test]
fn a_rollback_of_a_live_phase_killed_at_any_call_ends_whole() {
    killed_rollbacks_in(Layout::Exchange, "live");
}

// rows: BX-1
#[test]
fn a_rollback_of_a_finished_phase_killed_at_any_call_ends_whole() {
    killed_rollbacks_in(Layout::Exchange, "finished");
}

// rows: BX-1
#[test]
fn a_rollback_out_of_the_pointer_killed_at_any_call_ends_whole() {
    killed_rollbacks_in(Layout::Adoption, "finished");
}

// rows: BX-1
#[test]
fn a_rollback_of_the_pointer_killed_at_any_call_ends_whole() {
    killed_rollbacks_in(Layout::Pointer, "finished");
}
