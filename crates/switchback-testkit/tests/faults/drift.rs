//! A tree that changes behind the run's back: before the cutover it is refused, at the last moment it is taken back.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use switchback_core::verdict::Verdict;
use switchback_core::world::{Disk, RealDisk, World};
use switchback_testkit::fixed::FixedClock;
use switchback_testkit::{Counted, Fault, Layout, Meddler, Meddling, Scratch, Side, Standing};

use crate::act::{Doing, attempt_in, nothing_lost, program_ends, said, whole};

const CHANGED: &[u8] = b"changed behind the run's back\n";

/// Where the staged candidate of `src` stands.
fn candidate(scratch: &Scratch) -> PathBuf {
    let id = RealDisk.list(&scratch.root().join(".switchback/txn")).unwrap();
    let mut ids: Vec<String> = id.into_iter().map(|id| id.into_string().unwrap()).collect();
    ids.sort_by_key(|id| id[1..].parse::<u64>().unwrap());
    let id = ids.pop().unwrap();
    match scratch.layout {
        Layout::Exchange => scratch.root().join(format!(".src.sb-{id}")),
        Layout::Adoption | Layout::Pointer => {
            scratch.root().join(format!(".switchback/generations/{id}/tree/src"))
        }
    }
}

#[test]
fn a_live_file_changed_after_staging_is_named_and_keeps_its_tree_from_being_replaced() {
    for layout in Layout::ALL {
        let scratch = Scratch::staged(layout).unwrap();
        RealDisk.overwrite(&scratch.root().join("src/main.py"), 0, CHANGED).unwrap();
        let before = scratch.sides.look(scratch.root()).unwrap();
        // On a busy machine the look before the exchange may be out of time; then the one after it takes it back.
        let refused = program_ends(&scratch, &["run"], 1, "drift");
        assert!(said(&refused).contains("`src/main.py` (content)"), "{layout:?}: {}", said(&refused));
        assert_eq!(
            scratch.sides.look(scratch.root()).unwrap(),
            before,
            "{layout:?}: the live tree was touched"
        );
    }
}

/// With a clock that stands still, no look before the exchange is out of time.
#[test]
fn drift_is_refused_before_anything_is_exchanged() {
    for layout in Layout::ALL {
        let live = |scratch: &Scratch| scratch.root().join("src/main.py");
        let staged = |scratch: &Scratch| candidate(scratch).join("main.py");
        let places: [(&dyn Fn(&Scratch) -> PathBuf, &str); 2] =
            [(&live, "the live tree changed since"), (&staged, "the candidate changed since")];
        for (place, reason) in places {
            let scratch = Scratch::staged(layout).unwrap();
            RealDisk.overwrite(&place(&scratch), 0, CHANGED).unwrap();
            let world = World { clock: Arc::new(FixedClock::at(1_900_000_000)), ..World::real() };
            let (world, counted) = Counted::around(&world, Fault::None);
            let done = attempt_in(&scratch, &Doing::Run, world, &counted);
            assert_eq!(done.result, Ok(Verdict::No), "{layout:?}: {done:?}");
            assert!(!done.acknowledged, "{layout:?}: {done:?}");
            let is_named = |said: &String| said.contains(reason) && said.contains("`src/main.py` (content)");
            assert!(done.said.iter().any(is_named), "{layout:?}: {done:?}");
        }
    }
}

#[test]
fn a_live_file_whose_mode_alone_changed_after_staging_is_named() {
    let scratch = Scratch::staged(Layout::Exchange).unwrap();
    RealDisk.set_mode(&scratch.root().join("config/pipeline/base.yml"), 0o600).unwrap();
    let refused = program_ends(&scratch, &["run"], 1, "drift");
    assert!(said(&refused).contains("`config/pipeline/base.yml` (mode)"), "{}", said(&refused));
}

#[test]
fn a_candidate_changed_after_staging_is_named_and_not_made_live() {
    for layout in Layout::ALL {
        let scratch = Scratch::staged(layout).unwrap();
        RealDisk.overwrite(&candidate(&scratch).join("main.py"), 0, CHANGED).unwrap();
        let refused = program_ends(&scratch, &["run"], 1, "a changed candidate");
        assert!(said(&refused).contains("`src/main.py` (content)"), "{layout:?}: {}", said(&refused));
        assert_eq!(scratch.standing().unwrap(), Standing::Old, "{layout:?}");
    }
}

/// Writes into the live tree right before it is exchanged, after every look at it: like a program with an open file.
#[derive(Debug)]
struct LateWriter {
    file: PathBuf,
    has_written: AtomicBool,
}

impl Meddler for LateWriter {
    fn before(&self, doing: &str, path: &Path) -> Meddling {
        // The first exchange of managed paths; probes and the journal's files are none.
        let is_it = doing == "exchange" && !path.to_string_lossy().contains(".probe");
        if is_it && !self.has_written.swap(true, Ordering::SeqCst) {
            RealDisk.overwrite(&self.file, 0, CHANGED).unwrap();
        }
        Meddling::Honest
    }
}

#[test]
fn what_is_written_into_the_old_tree_at_the_last_moment_comes_back_with_it() {
    for layout in Layout::ALL {
        let scratch = Scratch::staged(layout).unwrap();
        let file = std::fs::canonicalize(scratch.root().join("src/main.py")).unwrap();
        let writer = LateWriter { file, has_written: AtomicBool::new(false) };
        let (world, counted) = Counted::meddled(&World::real(), Box::new(writer));
        let done = attempt_in(&scratch, &Doing::Run, world, &counted);
        assert_eq!(done.result, Ok(Verdict::No), "{layout:?}: {done:?}");
        assert!(
            done.said.iter().any(|reason| reason.contains("`src/main.py` (content)")),
            "{layout:?}: {done:?}"
        );
        let live = RealDisk.read(&scratch.root().join("src/main.py"), 1 << 20).unwrap();
        assert!(live.starts_with(CHANGED), "{layout:?}: the late change is lost");
        for (path, side) in scratch.sides.look(scratch.root()).unwrap() {
            let is_right =
                if path == Path::new("src") { matches!(side, Side::Neither(_)) } else { side != Side::New };
            assert!(is_right, "{layout:?}: {} is {side:?}", path.display());
        }
        program_ends(&scratch, &["log", "verify"], 0, "late writer");
    }
}

#[test]
fn what_was_changed_since_it_went_live_is_kept_aside_by_a_rollback_and_named() {
    for layout in [Layout::Exchange, Layout::Adoption] {
        let scratch = Scratch::staged(layout).unwrap();
        program_ends(&scratch, &["run"], 0, "before the rollback");
        assert_eq!(whole(&scratch, "run"), Standing::New);
        let report = scratch.root().join("src/report.txt");
        RealDisk.write_new(&report, 0o644, &mut &b"made by the new code\n"[..]).unwrap();
        let done = program_ends(&scratch, &["rollback"], 0, "rollback");
        assert_eq!(whole(&scratch, "rollback"), Standing::Old, "{layout:?}");
        nothing_lost(&scratch, "rollback");
        if layout == Layout::Exchange {
            let said = said(&done);
            let line =
                said.lines().find(|line| line.contains("kept aside")).unwrap_or_else(|| panic!("{said}"));
            let kept = line.rsplit(": ").next().unwrap();
            let content = RealDisk.read(&scratch.root().join(kept), 1 << 20).unwrap();
            assert_eq!(content, b"made by the new code\n");
        }
    }
}
