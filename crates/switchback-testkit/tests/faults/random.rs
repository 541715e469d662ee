//! Random crashes of the exchange protocol on a disk that forgets whatever was not synced.

use std::path::{Path, PathBuf};

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use switchback_core::tree::exchange::participant::inode;
use switchback_core::tree::exchange::{Participant, Prepare, Transaction, Way, recover};
use switchback_testkit::{Crash, Lies, SimDisk};

const CASES: u32 = 20_000;

/// What takes part, and how it crashes: in the cutover or in the rollback after it, and again in the recovery.
#[derive(Debug, Clone)]
struct Case {
    /// Folder, whether there is an old and a new tree (at least one of them is there), and whether they change places by two
    /// renames.
    paths: Vec<(u8, bool, bool, bool)>,
    with_pointer: bool,
    /// `None`: the crash is in the cutover. `Some`: in the rollback of these positions; empty: all.
    roll_back: Option<Vec<usize>>,
    first: Crash,
    second: Crash,
}

fn crashes() -> impl Strategy<Value = Crash> {
    (1..110_u32, any::<u64>(), 0..4_000_usize).prop_map(|(at, survivors, torn_bytes)| Crash {
        at,
        survivors,
        torn_bytes,
    })
}

fn cases() -> impl Strategy<Value = Case> {
    let path = (0..3_u8, any::<bool>(), any::<bool>(), any::<bool>())
        .prop_map(|(folder, old, new, by_renames)| (folder, old || !new, new, by_renames));
    let roll_back = prop::option::of(prop::collection::btree_set(0..4_usize, 0..3));
    (prop::collection::vec(path, 1..5), any::<bool>(), roll_back, crashes(), crashes()).prop_map(
        |(paths, with_pointer, roll_back, first, second)| {
            let count = paths.len() + usize::from(with_pointer);
            let roll_back =
                roll_back.map(|positions| positions.into_iter().filter(|at| *at < count).collect());
            Case { paths, with_pointer, roll_back, first, second }
        },
    )
}

const ROOT: &str = "/p";
const TRANSACTIONS: &str = "/p/.switchback/txn";

/// Which side every participant is on, found without the protocol's help.
fn is_new(disk: &SimDisk, participants: &[Participant], planted: &[(Option<u64>, Option<u64>)]) -> Vec<bool> {
    let root = Path::new(ROOT);
    let sides = participants.iter().zip(planted).map(|(participant, planted)| match participant {
        Participant::Path { live, .. } => {
            let there = disk.inode(&root.join(live));
            assert!(there == planted.0 || there == planted.1, "neither old nor new at {}", live.display());
            there == planted.1
        }
        Participant::Pointer { link, old, new } => {
            use switchback_core::world::Disk;
            let target = disk.read_link(&root.join(link)).unwrap();
            assert!(&target == new || Some(&target) == old.as_ref(), "{}", target.display());
            &target == new
        }
    });
    sides.collect()
}

type Planted = Vec<(Option<u64>, Option<u64>)>;

/// A project whose candidates stand beside what is live.
fn plant(disk: &SimDisk, case: &Case) -> (Vec<Participant>, Planted) {
    use switchback_core::world::Disk;
    let root = Path::new(ROOT);
    for folder in ["", "0", "1", "2", ".switchback", ".switchback/txn"] {
        disk.plant(&root.join(folder).components().collect::<PathBuf>());
    }
    let (mut participants, mut planted) = (Vec::new(), Vec::new());
    if case.with_pointer {
        let link = PathBuf::from(".switchback/live");
        disk.make_symlink(Path::new("generations/t1"), &root.join(&link)).unwrap();
        participants.push(Participant::Pointer {
            link,
            old: Some("generations/t1".into()),
            new: "generations/t2".into(),
        });
        planted.push((None, None));
    }
    for (number, (folder, with_old, with_new, by_renames)) in case.paths.iter().enumerate() {
        let live = PathBuf::from(format!("{folder}/{number}"));
        let beside = PathBuf::from(format!("{folder}/.{number}.sb-t2"));
        let old = with_old.then(|| disk.plant(&root.join(&live)));
        let new = with_new.then(|| disk.plant(&root.join(&beside)));
        let kept = PathBuf::from(format!(".switchback/generations/t2/old/{number}"));
        let at = |path: &Path| inode(disk, &root.join(path)).unwrap();
        let way = if *by_renames { Way::TwoRenames } else { Way::Exchange };
        participants.push(Participant::Path { old: at(&live), new: at(&beside), live, beside, kept, way });
        planted.push((old, new));
    }
    (participants, planted)
}

fn recovered(disk: &SimDisk) -> Result<(), TestCaseError> {
    match recover(disk, Path::new(ROOT), Path::new(TRANSACTIONS)) {
        Ok(_) => Ok(()),
        Err(error) => Err(TestCaseError::fail(format!("recovery: {error}"))),
    }
}

/// Crashes, recovers, crashes in the recovery, recovers, and looks: all old or all new, and what was acknowledged stays.
fn check(case: &Case, lies: Lies) -> Result<(), TestCaseError> {
    let disk = SimDisk::new(lies);
    let (participants, planted) = plant(&disk, case);
    let root = Path::new(ROOT);
    let file = Path::new(TRANSACTIONS).join("t2");
    let mut transaction = Transaction::create(&disk, root, &file, participants.len()).unwrap();
    let prepare = Prepare {
        phase: "p".into(),
        generation: 1,
        plan: "x".into(),
        participants: participants.clone(),
        takes_back: None,
    };
    let is_meant =
        |at: usize| case.roll_back.as_ref().is_none_or(|only| only.is_empty() || only.contains(&at));
    let acknowledged = if let Some(only) = &case.roll_back {
        transaction.cut_over(prepare).unwrap();
        disk.settle(Some(case.first));
        transaction.roll_back(only).is_ok()
    } else {
        disk.settle(Some(case.first));
        transaction.cut_over(prepare).is_ok()
    };
    disk.restart();
    disk.arm(case.second);
    // It may be interrupted itself; then what follows ends it.
    drop(recover(&disk, root, Path::new(TRANSACTIONS)));
    disk.restart();
    recovered(&disk)?;
    let sides = is_new(&disk, &participants, &planted);
    for (at, side) in sides.iter().enumerate() {
        prop_assert!(is_meant(at) || *side, "participant {at} was not meant and is old: {sides:?}");
    }
    let meant: Vec<bool> =
        sides.iter().enumerate().filter(|(at, _)| is_meant(*at)).map(|(_, side)| *side).collect();
    prop_assert!(meant.iter().all(|side| *side == meant[0]), "mixed: {sides:?}");
    prop_assert!(!acknowledged || meant[0] == case.roll_back.is_none(), "acknowledged, and then {sides:?}");
    // Nothing that recovery did may hang on what is not synced.
    disk.restart();
    recovered(&disk)?;
    prop_assert_eq!(is_new(&disk, &participants, &planted), sides, "a crash after the recovery");
    Ok(())
}

fn run(cases_max: u32, lies: Lies) -> Result<(), String> {
    let config = Config { cases: cases_max, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new(config);
    // A panic in the judge is a failure like any other; proptest turns it into one.
    runner.run(&cases(), |case| check(&case, lies)).map_err(|error| error.to_string())
}

// rows: BX-1
#[test]
fn a_crash_that_loses_any_of_what_was_not_synced_ends_whole() {
    let started = std::time::Instant::now();
    let found = run(CASES, Lies::None);
    let seconds = started.elapsed().as_secs_f64();
    println!("{CASES} random crashes, {:.0} a second", f64::from(CASES) / seconds);
    assert_eq!(found, Ok(()));
}

#[test]
fn a_directory_that_is_not_synced_before_the_decision_is_seen() {
    let found = run(CASES, Lies::Directories).unwrap_err();
    assert!(
        found.contains("acknowledged") || found.contains("mixed") || found.contains("recovery"),
        "{found}"
    );
}

#[test]
fn a_record_that_is_not_synced_before_the_exchange_is_seen() {
    let found = run(CASES, Lies::Records).unwrap_err();
    assert!(
        found.contains("acknowledged") || found.contains("mixed") || found.contains("recovery"),
        "{found}"
    );
}
