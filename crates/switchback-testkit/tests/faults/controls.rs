//! The judge goes red when something is wrong: each of these breaks one thing on purpose.

use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use switchback_core::phase::rehearsal::rehearse;
use switchback_core::phase::{Nobody, Notice, Point, Project, RunOptions, Witness, Work, run};
use switchback_core::verdict::Verdict;
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

/// Changes one thing in the project at this root.
type Change = fn(&Path);

#[test]
fn a_change_of_anything_that_a_manifest_holds_is_seen() {
    let base = Scratch::staged(Layout::Exchange).unwrap();
    let changes: [(&str, Change); 5] = [
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

/// A disk that, in the copy of a rehearsal, answers calls of one kind from the n-th on without doing them.
#[derive(Debug)]
struct LiesInRehearsal {
    doing: &'static str,
    from: u32,
    count: AtomicU32,
}

impl Meddler for LiesInRehearsal {
    fn before(&self, doing: &str, path: &Path) -> Meddling {
        let is_meant = doing == self.doing && path.to_string_lossy().contains("work/rehearsal-");
        if !is_meant {
            return Meddling::Honest;
        }
        let number = self.count.fetch_add(1, Ordering::SeqCst) + 1;
        if number >= self.from { Meddling::Lie } else { Meddling::Honest }
    }
}

/// What the rehearsal says on a disk that lies from the n-th call of a kind on, and how many such calls there were.
fn rehearsed_by_a_liar(base: &Scratch, doing: &'static str, from: u32) -> (Verdict, String, u32) {
    let scratch = base.copy("victim").unwrap();
    let liar = Arc::new(LiesInRehearsal { doing, from, count: AtomicU32::new(0) });
    let (world, _) = Counted::meddled(&World::real(), Box::new(Shared(Arc::clone(&liar))));
    let work =
        Work::begin(Project::open(scratch.root(), &scratch.ports(world)).unwrap(), "run", &Nobody).unwrap();
    let phase = work.plan().phase(scratch.layout.phase()).unwrap();
    // An error is an answer too: nothing was proved, and the gate stays shut.
    drop(rehearse(&work, phase));
    let history = work.history();
    let fact = history.phase(&phase.name).unwrap().rehearsal.clone();
    let (verdict, summary) =
        fact.map_or((Verdict::Unknown, String::new()), |fact| (fact.verdict, fact.summary));
    assert_eq!(scratch.standing().unwrap(), Standing::Old);
    (verdict, summary, liar.count.load(Ordering::SeqCst))
}

/// A meddler that is looked at afterwards.
#[derive(Debug)]
struct Shared(Arc<LiesInRehearsal>);

impl Meddler for Shared {
    fn before(&self, doing: &str, path: &Path) -> Meddling {
        self.0.before(doing, path)
    }
}

// rows: BX-2
#[test]
fn an_undo_that_does_not_restore_is_seen_in_the_rehearsal() {
    let base = Scratch::new(Layout::Exchange).unwrap();
    let project = Project::open(base.root(), &base.ports(World::real())).unwrap();
    let options = RunOptions { until: Some(Point::Staged), ..RunOptions::default() };
    let work = Work::begin(project, "run", &Nobody).unwrap();
    assert_eq!(run(&work, &options).unwrap().verdict, Verdict::Yes);
    drop(work);
    let (honest, _, exchanges) = rehearsed_by_a_liar(&base, "exchange", u32::MAX);
    assert_eq!(honest, Verdict::Yes, "nothing is wrong with an honest disk");
    assert!(exchanges >= 4, "{exchanges} exchanges there and back");
    for from in 1..=exchanges {
        let (verdict, summary, _) = rehearsed_by_a_liar(&base, "exchange", from);
        assert_ne!(verdict, Verdict::Yes, "exchange {from} was a lie: {summary}");
    }
    // The times of the folders that the managed paths stand in are set back after each exchange.
    let (_, _, times) = rehearsed_by_a_liar(&base, "set_times", u32::MAX);
    assert!(times > 0, "no time was set in the copy");
    let (verdict, summary, _) = rehearsed_by_a_liar(&base, "set_times", times);
    assert_eq!(verdict, Verdict::No, "{summary}");
    // The last one is set back in the rehearsal of the last undo.
    assert!(summary.contains("what is not managed changes: `"), "{summary}");
}
