//! Each sync of the exchange, left out in turn: the judge goes red, or the sync is listed here as one of two that hold the
//! same thing.

use std::path::{Path, PathBuf};

use switchback_core::tree::exchange::participant::inode;
use switchback_core::tree::exchange::{Participant, Prepare, Transaction, Way, recover};
use switchback_core::world::Disk;
use switchback_testkit::{Crash, Lies, SimDisk};

const ROOT: &str = "/p";
const TRANSACTIONS: &str = "/p/.switchback/txn";
const FILE: &str = "/p/.switchback/txn/t2";

/// Which of the unsynced operations survive a crash: none, all, each alone, all but each, and some in between.
fn survivors() -> impl Iterator<Item = u64> {
    let alone = (0..8).map(|bit| 1 << bit);
    let all_but = (0..8).map(|bit| !(1 << bit));
    // A fixed sequence, so that a failure comes again.
    let mixed = (1..16_u64).map(|number| number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20);
    [0, u64::MAX].into_iter().chain(alone).chain(all_but).chain(mixed)
}

/// A replaced path, one that goes, one that comes, each in a folder of its own, and the pointer.
struct Project {
    disk: SimDisk,
    participants: Vec<Participant>,
    planted: Vec<(Option<u64>, Option<u64>)>,
}

impl Project {
    fn new(way: Way) -> Self {
        let disk = SimDisk::new(Lies::None);
        let root = Path::new(ROOT);
        for folder in ["", "0", "1", "2", ".switchback"] {
            disk.plant(&root.join(folder).components().collect::<PathBuf>());
        }
        let link = PathBuf::from(".switchback/live");
        disk.make_symlink(Path::new("generations/t1"), &root.join(&link)).unwrap();
        let pointer =
            Participant::Pointer { link, old: Some("generations/t1".into()), new: "generations/t2".into() };
        let (mut participants, mut planted) = (vec![pointer], vec![(None, None)]);
        for (number, (with_old, with_new)) in
            [(true, true), (true, false), (false, true)].into_iter().enumerate()
        {
            let live = PathBuf::from(format!("{number}/path"));
            let beside = PathBuf::from(format!("{number}/.path.sb-t2"));
            let old = with_old.then(|| disk.plant(&root.join(&live)));
            let new = with_new.then(|| disk.plant(&root.join(&beside)));
            let kept = PathBuf::from(format!(".switchback/generations/t2/old/{number}"));
            let at = |path: &Path| inode(&disk, &root.join(path)).unwrap();
            participants.push(Participant::Path {
                old: at(&live),
                new: at(&beside),
                live,
                beside,
                kept,
                way,
            });
            planted.push((old, new));
        }
        disk.plant(Path::new(TRANSACTIONS));
        Self { disk, participants, planted }
    }

    fn prepare(&self) -> Prepare {
        let participants = self.participants.clone();
        Prepare { phase: "p".into(), generation: 1, plan: "x".into(), participants, takes_back: None }
    }

    fn create(&self) -> Result<Transaction<'_>, String> {
        let made = Transaction::create(&self.disk, Path::new(ROOT), Path::new(FILE), self.participants.len());
        made.map_err(|error| error.to_string())
    }

    fn recover(&self) -> Result<(), String> {
        let recovered = recover(&self.disk, Path::new(ROOT), Path::new(TRANSACTIONS));
        recovered.map(drop).map_err(|error| format!("recovery: {error}"))
    }

    /// Which participants are on their new side; an error where one is on neither.
    fn sides(&self) -> Result<Vec<bool>, String> {
        let root = Path::new(ROOT);
        let side = |(participant, planted): (&Participant, &(Option<u64>, Option<u64>))| match participant {
            Participant::Path { live, .. } => {
                let there = self.disk.inode(&root.join(live));
                let is_known = there == planted.0 || there == planted.1;
                is_known.then(|| there == planted.1).ok_or(format!("{} is on neither side", live.display()))
            }
            Participant::Pointer { link, new, .. } => {
                let target = self.disk.read_link(&root.join(link)).map_err(|error| error.to_string())?;
                Ok(&target == new)
            }
        };
        self.participants.iter().zip(&self.planted).map(side).collect()
    }
}

/// What is tried, with one sync left out and a crash at some call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// The transaction's file is made, and the candidates go live.
    CutOver,
    /// All of it is rolled back.
    RollBack,
    /// What follows a crash in the middle of the cutover.
    Recovery,
}

impl Stage {
    /// Carries it out on a disk that lies and crashes. Whether it was acknowledged, and its project.
    fn carry_out(self, way: Way, lies: Lies, crash: Crash) -> (Project, bool) {
        let project = Project::new(way);
        let disk = &project.disk;
        let middle = Crash { at: self.middle(way), survivors: u64::MAX, torn_bytes: 0 };
        match self {
            Self::CutOver => disk.settle(None),
            Self::RollBack => {
                project.create().unwrap().cut_over(project.prepare()).unwrap();
                disk.settle(None);
            }
            Self::Recovery => {
                let mut transaction = project.create().unwrap();
                disk.settle(Some(middle));
                transaction.cut_over(project.prepare()).unwrap_err();
                disk.restart();
                disk.settle(None);
            }
        }
        disk.lie(lies);
        disk.arm(crash);
        let is_done = match self {
            Self::CutOver => {
                project.create().is_ok_and(|mut transaction| transaction.cut_over(project.prepare()).is_ok())
            }
            Self::RollBack => Transaction::open(disk, Path::new(ROOT), Path::new(FILE))
                .is_ok_and(|found| found.is_some_and(|mut transaction| transaction.roll_back(&[]).is_ok())),
            Self::Recovery => project.recover().is_ok(),
        };
        (project, is_done)
    }

    /// A call of the cutover before which all is exchanged and nothing is decided.
    fn middle(self, way: Way) -> u32 {
        const CALLS_MAX: u32 = 200;
        if self != Self::Recovery {
            return CALLS_MAX;
        }
        let is_undecided = |at: &u32| {
            let project = Project::new(way);
            let mut transaction = project.create().unwrap();
            project.disk.settle(Some(Crash { at: *at, survivors: u64::MAX, torn_bytes: 0 }));
            drop(transaction.cut_over(project.prepare()));
            project.disk.restart();
            // Between two renames a path is on neither side.
            project.sides().is_ok_and(|sides| sides.iter().all(|is_new| *is_new))
        };
        (1..CALLS_MAX).find(is_undecided).unwrap()
    }

    /// One crash: what is wrong afterwards, if anything.
    fn judge(self, way: Way, lies: Lies, crash: Crash) -> Result<(), String> {
        let (project, is_done) = self.carry_out(way, lies, crash);
        let disk = &project.disk;
        disk.restart();
        disk.lie(Lies::None);
        project.recover()?;
        let sides = project.sides()?;
        if sides.iter().any(|is_new| *is_new != sides[0]) {
            return Err(format!("mixed: {sides:?}"));
        }
        let is_wanted = match self {
            Self::CutOver => !is_done || sides[0],
            // Before its first call nothing was asked for; the cutover was acknowledged.
            Self::RollBack => (!is_done || !sides[0]) && (crash.at > 1 || sides[0]),
            Self::Recovery => !sides[0],
        };
        if !is_wanted {
            return Err(format!("acknowledged: {is_done}, and then {sides:?}"));
        }
        disk.restart();
        project.recover()?;
        if project.sides()? == sides {
            Ok(())
        } else {
            Err("a crash after the recovery changed it".to_owned())
        }
    }

    /// Every crash that is tried: what is wrong after the first one after which something is; how many there were.
    fn search(self, way: Way, lies: Lies, calls: u32) -> (Result<(), String>, u32) {
        let mut crashes = 0;
        // The end first: most that is missing shows there.
        for at in (1..=calls + 1).rev() {
            for survivors in survivors() {
                for torn_bytes in [0, 40] {
                    crashes += 1;
                    let crash = Crash { at, survivors, torn_bytes };
                    if let Err(wrong) = self.judge(way, lies, crash) {
                        return (Err(format!("{crash:?}: {wrong}")), crashes);
                    }
                }
            }
        }
        (Ok(()), crashes)
    }
}

/// Leaves each sync out in turn. Returns those whose absence nothing shows.
fn not_seen(stage: Stage, way: Way) -> Vec<String> {
    let never = Crash { at: u32::MAX, survivors: 0, torn_bytes: 0 };
    let (honest, is_done) = stage.carry_out(way, Lies::None, never);
    assert!(is_done);
    let (calls, syncs) = (honest.disk.calls(), honest.disk.syncs());
    let (found, crashes) = stage.search(way, Lies::None, calls);
    assert_eq!(found, Ok(()), "nothing is wrong with an honest disk");
    println!("{stage:?}, {way:?}: {crashes} crashes of an honest disk, 0 violations");
    let mut green = Vec::new();
    for (number, sync) in (1..).zip(&syncs) {
        let (found, crashes) = stage.search(way, Lies::Sync(number), calls);
        let words = match &found {
            Ok(()) => format!("not seen in {crashes} crashes"),
            Err(wrong) => format!("seen at crash {crashes}: {wrong}"),
        };
        println!("{stage:?}, {way:?}, without sync {number} ({sync}): {words}");
        if found.is_ok() {
            green.push(format!("{number}: {sync}"));
        }
    }
    green
}

// What is not seen is held twice; each line says by what else.
#[test]
fn a_cutover_without_any_one_of_its_syncs_is_seen() {
    let held_twice = [
        // The synced write of the intent brings the whole file to the disk.
        "1: sync the file /p/.switchback/txn/t2",
        // The folder of the transactions was made, and its name synced, before any of them.
        "3: sync the directory /p/.switchback",
        // The next start finds the candidate waiting, and the decision made: it exchanges again.
        "6: sync the directory /p/0",
        "8: sync the directory /p/2",
    ];
    assert_eq!(not_seen(Stage::CutOver, Way::Exchange), held_twice);
}

#[test]
fn a_rollback_without_any_one_of_its_syncs_is_seen() {
    // The intent is on the disk, and the next start carries it out again, which changes nothing.
    assert_eq!(not_seen(Stage::RollBack, Way::Exchange), ["6: write and sync /p/.switchback/txn/t2"]);
}

#[test]
fn a_recovery_without_any_one_of_its_syncs_is_seen() {
    // The same.
    assert_eq!(not_seen(Stage::Recovery, Way::Exchange), ["5: write and sync /p/.switchback/txn/t2"]);
}

// A folder in which several renames are made is synced after each: a later sync of it holds the earlier one as well. But for
// one: without the sync after the live tree was renamed away, and after the old one was renamed into its place, the old tree
// can be gone.
#[test]
fn two_renames_without_any_one_of_their_syncs_are_seen() {
    let stages = [Stage::CutOver, Stage::RollBack, Stage::Recovery];
    let found = stages.map(|stage| not_seen(stage, Way::TwoRenames));
    let held_twice = [
        vec![
            "1: sync the file /p/.switchback/txn/t2",
            "3: sync the directory /p/.switchback",
            "6: sync the directory /p/0",
            "7: sync the directory /p/0",
            "9: sync the directory /p/0",
            "11: sync the directory /p/2",
        ],
        vec![
            "2: sync the directory /p/0",
            "4: sync the directory /p/0",
            "6: sync the directory /p/0",
            "9: write and sync /p/.switchback/txn/t2",
        ],
        vec![
            "1: sync the directory /p/0",
            "3: sync the directory /p/0",
            "5: sync the directory /p/0",
            "8: write and sync /p/.switchback/txn/t2",
        ],
    ];
    assert_eq!(found, held_twice);
}
