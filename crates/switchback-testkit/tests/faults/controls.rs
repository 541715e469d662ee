//! The judge goes red when something is wrong: each of these breaks one thing on purpose.

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use switchback_core::phase::{Notice, Project, RunOptions, Witness, Work, run};
use switchback_core::world::{Disk, RealDisk, World};
use switchback_testkit::{Counted, Fault, Layout, Meddler, Meddling, Scratch, Standing};

use crate::act::{Doing, attempt, recover};

/// A disk that answers the n-th exchange of managed paths without doing it.
#[derive(Debug)]
struct Liar {
    about: u32,
    exchanges: AtomicU32,
}

impl Meddler for Liar {
    fn before(&self, doing: &str, path: &Path) -> Meddling {
        if doing != "exchange" || path.to_string_lossy().contains(".probe") {
            return Meddling::Honest;
        }
        let number = self.exchanges.fetch_add(1, Ordering::SeqCst) + 1;
        if number == self.about { Meddling::Lie } else { Meddling::Honest }
    }
}

/// Looks at the tree at the moment of the acknowledgement.
#[derive(Debug)]
struct LooksAtOnce<'a> {
    scratch: &'a Scratch,
    seen: Mutex<Option<Standing>>,
}

impl Witness for LooksAtOnce<'_> {
    fn notice(&self, notice: Notice) {
        if matches!(notice, Notice::Acknowledged { .. }) {
            self.seen.lock().unwrap().get_or_insert_with(|| self.scratch.standing().unwrap());
        }
    }
}

fn seen_at_acknowledgement(about: u32) -> Standing {
    let scratch = Scratch::staged(Layout::Exchange).unwrap();
    let (world, _) = Counted::meddled(&World::real(), Box::new(Liar { about, exchanges: AtomicU32::new(0) }));
    let witness = LooksAtOnce { scratch: &scratch, seen: Mutex::default() };
    let work =
        Work::begin(Project::open(scratch.root(), &scratch.ports(world)).unwrap(), "run", &witness).unwrap();
    // What the run makes of it is another matter; here the judge is judged.
    drop(run(&work, &RunOptions::default()));
    witness.seen.into_inner().unwrap().expect("the cutover is acknowledged")
}

#[test]
fn an_exchange_that_was_never_made_is_seen() {
    assert_eq!(seen_at_acknowledgement(0), Standing::New, "nothing is wrong with an honest disk");
    for about in [1, 2, 3] {
        assert!(matches!(seen_at_acknowledgement(about), Standing::Mixed(_)), "exchange {about} was a lie");
    }
}

/// A project that died in the middle of its cutover.
fn died_in_the_middle() -> Scratch {
    let base = Scratch::staged(Layout::Exchange).unwrap();
    for call in 1.. {
        let victim = base.copy("victim").unwrap();
        let died = attempt(&victim, &Doing::Run, Fault::DieAt(call));
        assert!(died.struck.is_some(), "no death was in the middle of the exchange");
        if matches!(victim.standing().unwrap(), Standing::Mixed(_)) {
            return victim;
        }
    }
    unreachable!("calls are counted up to the end of the run")
}

#[test]
fn a_recovery_that_does_not_happen_is_seen() {
    let victim = died_in_the_middle();
    let transactions = victim.root().join(".switchback/txn");
    let name = RealDisk.list(&transactions).unwrap().pop().unwrap();
    let records = RealDisk.read(&transactions.join(&name), 1 << 30).unwrap();
    RealDisk.remove_file(&transactions.join(&name)).unwrap();
    attempt(&victim, &Doing::Recover, Fault::None);
    assert!(matches!(victim.standing().unwrap(), Standing::Mixed(_)), "the judge does not see a mixed tree");
    RealDisk.write_new(&transactions.join(&name), 0o600, &mut records.as_slice()).unwrap();
    recover(&victim, "with its records again");
    assert_eq!(victim.standing().unwrap(), Standing::Old);
}

#[test]
fn a_lost_file_is_seen() {
    let scratch = Scratch::staged(Layout::Exchange).unwrap();
    assert_eq!(scratch.lost().unwrap(), Vec::<std::path::PathBuf>::new());
    RealDisk.remove_file(&scratch.root().join("removed/last.py")).unwrap();
    assert_eq!(scratch.lost().unwrap(), [Path::new("removed/last.py")]);
}

#[test]
fn a_change_of_anything_that_a_manifest_holds_is_seen() {
    let base = Scratch::staged(Layout::Exchange).unwrap();
    let changes: [(&str, fn(&Path)); 5] = [
        ("mode", |root| RealDisk.set_mode(&root.join("src/main.py"), 0o640).unwrap()),
        ("time", |root| RealDisk.set_times(&root.join("src/deep"), 5, 5).unwrap()),
        ("content", |root| RealDisk.overwrite(&root.join("src/main.py"), 0, b"x").unwrap()),
        ("link", |root| {
            RealDisk.remove_file(&root.join("src/dangling")).unwrap();
            RealDisk.make_symlink(Path::new("elsewhere"), &root.join("src/dangling")).unwrap();
        }),
        ("hard link", |root| {
            let (first, second) = (root.join("src/first.dat"), root.join("src/second.dat"));
            RealDisk.remove_file(&second).unwrap();
            RealDisk.copy(&first, &second, 0o644).unwrap();
        }),
    ];
    for (what, change) in changes {
        let victim = base.copy("victim").unwrap();
        assert_eq!(victim.standing().unwrap(), Standing::Old, "{what}: before");
        change(victim.root());
        assert!(matches!(victim.standing().unwrap(), Standing::Mixed(_)), "{what}");
    }
}
