//! A part of a phase is rolled back, and the process dies at any call, or a call fails: all of the part, or nothing of it.

use std::path::Path;

use rustix::io::Errno;
use switchback_core::verdict::Verdict;
use switchback_core::world::{Disk, RealDisk, World};
use switchback_testkit::{Counted, Fault, Layout, Scratch, Standing};

use crate::act::{
    Doing, attempt, attempt_in, journal_holds, program, program_ends, recover, said, state_of, whole,
};
use crate::damaged::FullJournal;

/// The part: a file, a folder in which one file goes and another comes back, and a file of another managed path.
const PART: [&str; 3] = ["src/main.py", "src/deep", "config/pipeline/base.yml"];

fn part() -> Doing {
    Doing::RollBack(PART.iter().map(|word| (*word).to_owned()).collect())
}

fn live() -> Scratch {
    let scratch = Scratch::staged(Layout::Exchange).unwrap();
    assert_eq!(attempt(&scratch, &Doing::Run, Fault::None).result, Ok(Verdict::Yes));
    scratch
}

/// Which generation the part is of; anything in between is a failure.
fn generation(scratch: &Scratch, case: &str) -> u32 {
    let read = |path: &str| {
        let place = scratch.root().join(path);
        RealDisk
            .look(&place)
            .unwrap()
            .map(|_| String::from_utf8(RealDisk.read(&place, 1024).unwrap()).unwrap())
    };
    let of = |path: &str, generation: u32| Some(format!("{path} of generation {generation}\n"));
    for now in [0, 1] {
        let (there, gone) = (format!("src/deep/only-in-{now}"), format!("src/deep/only-in-{}", 1 - now));
        let is_whole = read(PART[0]) == of(PART[0], now)
            && read(PART[2]) == of(PART[2], now)
            && read(&there) == of(&there, now)
            && read(&gone).is_none();
        if is_whole {
            return now;
        }
    }
    panic!("{case}: the part is neither old nor new: {:?}, {:?}", read(PART[0]), read(PART[2]));
}

/// What is no part of it is as the phase left it.
fn rest_is_new(scratch: &Scratch, case: &str) {
    let place = |path: &str| scratch.root().join(path);
    let said = RealDisk.read(&place("settings.toml"), 1024).unwrap();
    assert_eq!(said, b"settings.toml of generation 1\n", "{case}");
    assert_eq!(RealDisk.read_link(&place("src/current")).unwrap(), Path::new("first.dat"), "{case}");
}

fn strike_everywhere(fault_at: fn(u64) -> Fault) {
    let base = live();
    let mut scenarios = 0;
    for call in 1.. {
        let victim = base.copy("victim").unwrap();
        let struck = attempt(&victim, &part(), fault_at(call));
        let Some(at) = &struck.struck else {
            assert_eq!(struck.result, Ok(Verdict::Yes), "unharmed");
            assert_eq!(generation(&victim, "unharmed"), 0);
            break;
        };
        scenarios += 1;
        let case = format!("{:?}: {at}: {struck:?}", fault_at(call));
        recover(&victim, &case);
        let now = generation(&victim, &case);
        assert!(!struck.acknowledged || now == 0, "{case}: acknowledged, and then new");
        rest_is_new(&victim, &case);
        journal_holds(&victim, &case);
        let again = attempt(&victim, &part(), Fault::None);
        if now == 0 {
            assert!(again.result.is_err_and(|why| why.contains("as it was before")), "{case}");
            let log = said(&program_ends(&victim, &["log"], 0, &case));
            assert!(log.contains("part-rolled-back"), "{case}: the journal does not know: {log}");
        } else {
            assert_eq!(again.result, Ok(Verdict::Yes), "{case}");
        }
        assert_eq!(generation(&victim, &case), 0, "{case}");
        victim.discard().unwrap();
    }
    println!("a part, {:?}…: {scenarios} scenarios", fault_at(1));
    assert!(scenarios > 40, "{scenarios}: it has more calls");
}

// rows: TM-12
#[test]
fn a_part_that_dies_at_any_call_is_whole() {
    strike_everywhere(Fault::DieAt);
}

// rows: TM-12
#[test]
fn a_part_is_whole_when_any_call_fails() {
    strike_everywhere(|call| Fault::FailAt(call, Errno::IO));
}

// rows: TM-12
#[test]
fn after_a_part_the_whole_phase_comes_back() {
    let scratch = live();
    program_ends(&scratch, &["rollback", "--only", PART[0], "--only", PART[1]], 0, "a part");
    let done = said(&program_ends(&scratch, &["rollback"], 0, "the whole"));
    assert!(done.contains("kept aside"), "{done}");
    assert_eq!(whole(&scratch, "the whole"), Standing::Old);
}

// rows: TM-12
#[test]
fn undo_takes_a_part_back() {
    let scratch = live();
    program_ends(&scratch, &["rollback", "--only", PART[0]], 0, "a part");
    program_ends(&scratch, &["undo"], 0, "undo");
    assert_eq!(generation(&scratch, "undo"), 1);
    rest_is_new(&scratch, "undo");
}

#[test]
fn a_part_is_refused_where_a_pointer_leads_to_the_tree() {
    let scratch = Scratch::staged(Layout::Pointer).unwrap();
    assert_eq!(attempt(&scratch, &Doing::Run, Fault::None).result, Ok(Verdict::Yes));
    let refused = said(&program_ends(&scratch, &["rollback", "--only", PART[0]], 2, "a pointer"));
    assert!(refused.contains("pointer"), "{refused}");
    assert_eq!(whole(&scratch, "a pointer"), Standing::New);
}

/// What was kept is looked at before it comes back.
#[test]
fn what_was_kept_and_is_damaged_does_not_come_back() {
    let scratch = live();
    let generations = scratch.root().join(".switchback/generations");
    let name = RealDisk.list(&generations).unwrap().remove(0);
    let kept = generations.join(name).join("old/src/main.py");
    RealDisk.overwrite(&kept, 0, b"X").unwrap();
    let refused = said(&program_ends(&scratch, &["rollback", "--only", PART[0]], 2, "damaged"));
    assert!(refused.contains("is not what it was") && refused.contains("snapshot restore"), "{refused}");
    assert_eq!(scratch.standing().unwrap(), Standing::New);
}

#[test]
fn the_journal_learns_of_a_part_that_it_could_not_take() {
    let scratch = live();
    let (world, counted) = Counted::meddled(&World::real(), Box::new(FullJournal));
    let done = attempt_in(&scratch, &part(), world, &counted);
    assert!(done.acknowledged, "{done:?}");
    assert_eq!(generation(&scratch, "a full journal"), 0);
    program(&scratch, &["status"], Fault::None);
    recover(&scratch, "a full journal");
    let log = said(&program_ends(&scratch, &["log"], 0, "a full journal"));
    assert!(log.contains("part-rolled-back"), "{log}");
    let state = state_of(&scratch);
    recover(&scratch, "a full journal");
    assert_eq!(state_of(&scratch), state, "it is told once");
}
