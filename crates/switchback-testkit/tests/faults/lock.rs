//! One process works on a project at a time, and a dead one holds nothing.

use switchback_core::phase::{Nobody, Project, Work};
use switchback_core::world::World;
use switchback_testkit::{Fault, Layout, Scratch, Standing};

use crate::act::{killed_at, program, program_ends, said, whole};

#[test]
fn a_second_process_is_refused_and_told_who_works() {
    let scratch = Scratch::staged(Layout::Exchange).unwrap();
    let project = Project::open(scratch.root(), &scratch.ports(World::real())).unwrap();
    let world = World::real();
    let work = Work::begin(project, "run", &Nobody).unwrap();
    for arguments in [&["run"][..], &["rollback"]] {
        let refused = program_ends(&scratch, arguments, 2, "while another process works");
        let said = said(&refused);
        let holder =
            format!("{} (process {}) runs `switchback run`", world.surroundings.actor(), std::process::id());
        assert!(said.contains(&holder), "{said}");
        assert_eq!(scratch.standing().unwrap(), Standing::Old);
    }
    let status = program(&scratch, &["status"], Fault::None);
    assert!(!said(&status).contains("under way"), "looking needs no lock: {}", said(&status));
    drop(work);
    program_ends(&scratch, &["run"], 0, "after it has ended");
}

#[test]
fn a_killed_process_holds_no_lock() {
    let base = Scratch::staged(Layout::Exchange).unwrap();
    let mut holders = 0;
    for call in [20, 60, 200, 400] {
        let victim = base.copy("victim").unwrap();
        let died = program(&victim, &["run"], Fault::KillAt(call));
        if killed_at(&died).is_some() {
            holders += 1;
        }
        program_ends(&victim, &["run"], 0, "right after the kill");
        assert_eq!(whole(&victim, "right after the kill"), Standing::New);
    }
    assert!(holders >= 3, "{holders}: too few kills came while the lock was held");
}
