//! `init` under faults: at every call it fails or dies, and leaves a whole plan or none.

use std::path::Path;

use rustix::io::Errno;
use switchback_core::init::{InitError, InitOptions, init};
use switchback_core::plan::{PLAN_BYTES_MAX, read};
use switchback_core::world::{Disk, RealDisk, World};
use switchback_testkit::{Counted, Fault, Meddler, Meddling};

/// A project without code, so that no interpreter is asked.
fn project() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    RealDisk.make_directory(&folder.path().join("config"), 0o755).unwrap();
    for (path, content) in [("config/base.yml", "a: 1\n"), ("setup.cfg", "[metadata]\nname = shop\n")] {
        RealDisk.write_new(&folder.path().join(path), 0o644, &mut content.as_bytes()).unwrap();
    }
    folder
}

/// Whether there is a plan; one that is there is whole.
fn has_whole_plan(root: &Path, case: &str) -> bool {
    let path = root.join("switchback.toml");
    if RealDisk.look(&path).unwrap().is_none() {
        return false;
    }
    let bytes = RealDisk.read(&path, PLAN_BYTES_MAX).unwrap();
    assert!(bytes.ends_with(b"do = \"roll-back\"\n"), "{case}: the plan is cut off");
    read(&bytes, root, &RealDisk).unwrap_or_else(|error| panic!("{case}: {error}"));
    true
}

fn attempt(root: &Path, fault: Fault) -> (Result<(), InitError>, Option<String>) {
    let (world, counted) = Counted::around(&World::real(), fault);
    let done = init(root, &InitOptions::default(), &switchback_cli::ports(world));
    (done.map(|_| ()), counted.struck())
}

#[test]
fn a_fault_at_any_call_leaves_a_whole_plan_or_none() {
    let faults: [fn(u64) -> Fault; 4] = [
        |call| Fault::FailAt(call, Errno::IO),
        |call| Fault::FailAt(call, Errno::NOSPC),
        Fault::DieAt,
        Fault::DieWithin,
    ];
    for fault in faults {
        let mut refused = 0;
        for call in 1.. {
            let folder = project();
            let (done, struck) = attempt(folder.path(), fault(call));
            let case = format!("{:?}: {struck:?}", fault(call));
            let written = has_whole_plan(folder.path(), &case);
            assert!(written || done.is_err(), "{case}: no plan, and no error");
            refused += u32::from(done.is_err());
            if struck.is_none() {
                assert!(done.is_ok() && written, "{case}");
                break;
            }
            let is_dead = matches!(fault(call), Fault::DieAt(_) | Fault::DieWithin(_));
            let names = RealDisk.list(folder.path()).unwrap();
            let left = names.iter().any(|name| name.to_string_lossy().ends_with(".new"));
            assert!(is_dead || !left, "{case}: a temporary file is left");
        }
        assert!(refused > 4, "only {refused} calls mattered");
    }
}

/// Somebody else writes a plan right before ours gets its name.
#[derive(Debug)]
struct SomebodyElse;

impl Meddler for SomebodyElse {
    fn before(&self, doing: &str, path: &Path) -> Meddling {
        if doing == "rename" {
            let theirs = path.with_file_name("switchback.toml");
            RealDisk.write_new(&theirs, 0o644, &mut "theirs\n".as_bytes()).unwrap();
        }
        Meddling::Honest
    }
}

/// One folder cannot be read.
#[derive(Debug)]
struct Closed;

impl Meddler for Closed {
    fn before(&self, doing: &str, path: &Path) -> Meddling {
        if doing == "list" && path.ends_with("closed") {
            Meddling::Fail(Errno::ACCESS)
        } else {
            Meddling::Honest
        }
    }
}

#[test]
fn a_plan_that_somebody_writes_at_the_same_time_stays() {
    let folder = project();
    let (world, _) = Counted::meddled(&World::real(), Box::new(SomebodyElse));
    let done = init(folder.path(), &InitOptions::default(), &switchback_cli::ports(world));
    assert!(matches!(done, Err(InitError::Exists(_))), "{done:?}");
    let bytes = RealDisk.read(&folder.path().join("switchback.toml"), PLAN_BYTES_MAX).unwrap();
    assert_eq!(bytes, b"theirs\n");
}

#[test]
fn a_folder_that_cannot_be_read_is_linked_and_said() {
    let folder = project();
    RealDisk.make_directory(&folder.path().join("closed"), 0o755).unwrap();
    let (world, _) = Counted::meddled(&World::real(), Box::new(Closed));
    let done = init(folder.path(), &InitOptions::default(), &switchback_cli::ports(world)).unwrap();
    assert_eq!(done.linked[0].0, "closed");
    assert!(done.notes.iter().any(|note| note.contains("cannot be read") && note.contains("`closed`")));
}
