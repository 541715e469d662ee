//! A rollback needs neither journal nor plan nor room on the disk.

use std::path::Path;

use rustix::io::Errno;
use switchback_core::world::{Disk, RealDisk, World};
use switchback_testkit::{Counted, Fault, Layout, Meddler, Meddling, Scratch, Standing};

use crate::act::{Doing, attempt_in, program, program_ends, said, state_of, whole};

fn finished(layout: Layout) -> Scratch {
    let scratch = Scratch::staged(layout).unwrap();
    program_ends(&scratch, &["run"], 0, "before the damage");
    assert_eq!(whole(&scratch, "before the damage"), Standing::New);
    scratch
}

fn damage_journal(scratch: &Scratch) {
    let path = scratch.root().join(".switchback/journal.db");
    let size = RealDisk.look(&path).unwrap().unwrap().size;
    let garbage: Vec<u8> =
        (0..size).map(|at| u8::try_from(at.wrapping_mul(2_654_435_761) % 251).unwrap()).collect();
    RealDisk.overwrite(&path, 0, &garbage).unwrap();
    for beside in ["journal.db-wal", "journal.db-shm"] {
        let path = scratch.root().join(".switchback").join(beside);
        if RealDisk.look(&path).unwrap().is_some() {
            RealDisk.remove_file(&path).unwrap();
        }
    }
}

fn damage_plan(scratch: &Scratch) {
    RealDisk.overwrite(&scratch.root().join("switchback.toml"), 0, b"version = [ banana\n").unwrap();
}

#[test]
fn a_rollback_works_with_a_journal_of_garbage() {
    for layout in Layout::ALL {
        let scratch = finished(layout);
        damage_journal(&scratch);
        program_ends(&scratch, &["rollback"], 0, "a journal of garbage");
        assert_eq!(whole(&scratch, "a journal of garbage"), Standing::Old, "{layout:?}");
    }
}

#[test]
fn a_rollback_works_with_a_broken_plan() {
    for layout in Layout::ALL {
        let scratch = finished(layout);
        damage_plan(&scratch);
        program_ends(&scratch, &["rollback"], 0, "a broken plan");
        assert_eq!(whole(&scratch, "a broken plan"), Standing::Old, "{layout:?}");
    }
}

#[test]
fn a_rollback_works_without_a_plan_and_with_a_journal_of_garbage() {
    for layout in Layout::ALL {
        let scratch = finished(layout);
        damage_journal(&scratch);
        RealDisk.remove_file(&scratch.root().join("switchback.toml")).unwrap();
        program_ends(&scratch, &["rollback"], 0, "neither plan nor journal");
        assert_eq!(whole(&scratch, "neither plan nor journal"), Standing::Old, "{layout:?}");
    }
}

#[test]
fn a_run_refuses_a_journal_of_garbage() {
    let scratch = Scratch::staged(Layout::Exchange).unwrap();
    damage_journal(&scratch);
    program_ends(&scratch, &["run"], 2, "a journal of garbage");
    program_ends(&scratch, &["log", "verify"], 2, "a journal of garbage");
    assert_eq!(whole(&scratch, "a journal of garbage"), Standing::Old);
}

/// Nothing that needs room has any: no new name, no new block, no new row.
#[derive(Debug)]
struct FullDisk;

impl Meddler for FullDisk {
    fn before(&self, doing: &str, _: &Path) -> Meddling {
        let needs_room = matches!(
            doing,
            "write_new"
                | "append"
                | "copy"
                | "make_directory"
                | "make_symlink"
                | "make_hard_link"
                | "make_special"
        ) || doing.contains("the journal");
        if needs_room { Meddling::Fail(Errno::NOSPC) } else { Meddling::Honest }
    }
}

/// The journal alone has no room, as when it stands on a quota of its own.
#[derive(Debug)]
pub(crate) struct FullJournal;

impl Meddler for FullJournal {
    fn before(&self, doing: &str, _: &Path) -> Meddling {
        if doing == "append to the journal" { Meddling::Fail(Errno::NOSPC) } else { Meddling::Honest }
    }
}

fn rolls_back_when(what: &str, layout: Layout, meddler: Box<dyn Meddler>) {
    let scratch = finished(layout);
    let (world, counted) = Counted::meddled(&World::real(), meddler);
    let done = attempt_in(&scratch, &Doing::RollBack(Vec::new()), world, &counted);
    assert!(done.acknowledged, "{what}, {layout:?}: {done:?}");
    assert_eq!(whole(&scratch, what), Standing::Old, "{what}, {layout:?}");
    // With room again, the journal follows what is live.
    let again = said(&program(&scratch, &["status"], Fault::None));
    let live = if layout == Layout::Pointer { "generation 1 is live" } else { "generation 0 is live" };
    assert!(again.contains(live) && again.contains("rolled-back"), "{what}, {layout:?}: {again}");
    assert_eq!(whole(&scratch, what), Standing::Old, "{what}, {layout:?}");
    program_ends(&scratch, &["log", "verify"], 0, what);
}

#[test]
fn the_journal_learns_of_a_partial_rollback_that_it_could_not_take() {
    let scratch = finished(Layout::Exchange);
    let (world, counted) = Counted::meddled(&World::real(), Box::new(FullJournal));
    attempt_in(&scratch, &Doing::RollBack(vec!["src".to_owned()]), world, &counted);
    let status = program(&scratch, &["status", "--json"], Fault::None);
    assert!(!said(&status).contains("error"), "{}", said(&status));
    let log = said(&program_ends(&scratch, &["log"], 0, "a partial rollback"));
    assert!(log.contains("restored=[\"src\"]"), "{log}");
    let seq = state_of(&scratch);
    program(&scratch, &["status"], Fault::None);
    assert_eq!(state_of(&scratch), seq, "it is told once");
}

#[test]
fn a_rollback_works_when_nothing_can_be_written_into_the_journal() {
    for layout in Layout::ALL {
        rolls_back_when("a full journal", layout, Box::new(FullJournal));
    }
}

#[test]
fn a_rollback_of_an_exchange_works_on_a_full_disk() {
    rolls_back_when("a full disk", Layout::Exchange, Box::new(FullDisk));
}

#[test]
fn a_rollback_of_a_pointer_works_on_a_full_disk() {
    for layout in [Layout::Adoption, Layout::Pointer] {
        rolls_back_when("a full disk", layout, Box::new(FullDisk));
    }
}
