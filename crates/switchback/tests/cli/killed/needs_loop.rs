//! Power cuts on real file systems, full disks and read-only ones: on loop devices, which take root.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::aftermath::Aftermath;
use super::image::{FileSystem, Image, Mounted};
use super::judge::{Sides, Standing};
use super::scene::{Layout, approved, expect, lay_out, program, said, temporary_folder};
use super::strace::{ALTERING, Call, Stroke, Struck, inject, strike, trace, unharmed};

/// What the power is cut during.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Doing {
    /// Everything from nothing to the cutover: snapshot, staging, rehearsal too.
    Everything,
    /// The cutover, from the approved point.
    CutOver,
    /// The rollback of a live phase.
    RollBack,
}

impl Doing {
    fn arguments(self) -> &'static [&'static str] {
        if self == Self::RollBack { &["rollback"] } else { &["run", "--until", "live"] }
    }
}

/// A file system with a project on it, cut off from power at one point after the other.
struct Cuts {
    base: Image,
    doing: Doing,
    aftermath: Aftermath,
    // Last, so that it goes when nothing is mounted in it any more.
    folder: tempfile::TempDir,
}

/// What the cuts came to.
#[derive(Debug, Default)]
struct Tally {
    cuts: usize,
    mixed: usize,
    acknowledged: usize,
    new: usize,
}

impl Cuts {
    fn new(kind: FileSystem, layout: Layout, doing: Doing) -> Self {
        let folder = temporary_folder();
        let base = Image::make(kind, &folder.path().join("base.img"));
        let mounted = base.mount(&folder.path().join("base"));
        let root = match doing {
            Doing::Everything => lay_out(mounted.at(), layout),
            Doing::CutOver | Doing::RollBack => approved(mounted.at(), layout),
        };
        let candidate = if layout == Layout::Pointer { "../candidate-2" } else { "../candidate-1" };
        let sides = Sides::of(&root, &root.join(candidate));
        if doing == Doing::RollBack {
            expect(&root, &["run", "--until", "live"], 0);
        }
        drop(mounted);
        let end = if doing == Doing::RollBack { Standing::Old } else { Standing::New };
        let aftermath = Aftermath { sides, end, is_second_phase: layout == Layout::Pointer };
        Self { base, doing, aftermath, folder }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Every N-th call that alters something, and the end.
    fn points(&self, one_in: usize) -> Vec<Option<Call>> {
        let image = self.base.cut(&self.at("traced.img"));
        let mounted = image.mount(&self.at("traced"));
        let calls = trace(&mounted.at().join("project"), self.doing.arguments(), ALTERING);
        calls.into_iter().step_by(one_in).map(Some).chain([None]).collect()
    }

    /// Cuts the power at each point, with and without a kernel that writes back by itself in between.
    fn cut_everywhere(&self, one_in: usize) -> Tally {
        let started = Instant::now();
        let points = self.points(one_in);
        let (next, tally) = (AtomicUsize::new(0), Mutex::new(Tally::default()));
        // Copies of one file system cannot all be mounted side by side.
        let workers = if self.base.kind.can_be_mounted_twice() { 2 } else { 1 };
        std::thread::scope(|scope| {
            for worker in 0..workers {
                let (next, tally, points) = (&next, &tally, &points);
                scope.spawn(move || {
                    loop {
                        let at = next.fetch_add(1, Ordering::SeqCst);
                        let Some(point) = points.get(at) else { break };
                        let writes_back = at % 3 == 1;
                        self.scenario(&format!("{worker}"), point.as_ref(), writes_back, tally);
                    }
                });
            }
        });
        let tally = tally.into_inner().unwrap();
        report(&format!("{:?} on {:?}", self.doing, self.base.kind), &tally, started);
        assert!(tally.acknowledged > 0, "no cut came after the acknowledgement");
        tally
    }

    fn scenario(&self, name: &str, point: Option<&Call>, writes_back: bool, tally: &Mutex<Tally>) {
        let strike_at = |root: &Path| match point {
            Some(call) => strike(root, self.doing.arguments(), call, Stroke::Kill),
            None => unharmed(root, self.doing.arguments()),
        };
        let (struck, cut) = self.cut_after(name, writes_back, strike_at);
        let case = format!("{:?}, cut at {point:?}: {}", self.doing, said(&struck.output));
        let root = cut.at().join("project");
        let standing = self.aftermath.sides.standing(&root);
        let is_mixed = matches!(standing, Standing::Mixed(_));
        let recovered = self.aftermath.holds(&root, struck.is_acknowledged, true, &case);
        let mut tally = tally.lock().unwrap();
        tally.cuts += 1;
        tally.mixed += usize::from(is_mixed);
        tally.acknowledged += usize::from(struck.is_acknowledged);
        tally.new += usize::from(recovered == Standing::New);
    }

    /// Lets something happen on a fresh copy, cuts the power, and mounts what had reached the device.
    fn cut_after(
        &self,
        name: &str,
        writes_back: bool,
        happen: impl FnOnce(&Path) -> Struck,
    ) -> (Struck, Mounted) {
        let image = self.base.cut(&self.at(&format!("work-{name}.img")));
        let mounted = image.mount(&self.at(&format!("work-{name}")));
        let is_over = AtomicBool::new(!writes_back);
        let struck = std::thread::scope(|scope| {
            scope.spawn(|| {
                while !is_over.load(Ordering::SeqCst) {
                    drop(Command::new("sync").arg("-f").arg(mounted.at()).output());
                    std::thread::sleep(Duration::from_millis(1));
                }
            });
            let struck = happen(&mounted.at().join("project"));
            is_over.store(true, Ordering::SeqCst);
            struck
        });
        let cut = image.cut(&self.at(&format!("cut-{name}.img")));
        let after = self.at(&format!("cut-{name}"));
        if self.base.kind.can_be_mounted_twice() {
            // The disk comes up under another device number than before, as it may after any restart.
            let after = cut.mount(&after);
            drop(mounted);
            (struck, after)
        } else {
            drop(mounted);
            (struck, cut.mount(&after))
        }
    }
}

#[expect(clippy::print_stdout, reason = "how many scenarios there were is part of what a test shows")]
fn report(what: &str, tally: &Tally, started: Instant) {
    println!(
        "power cut, {what}: {} cuts, {} of them mixed on the disk, {} after the acknowledgement, {} new and {} old after \
         recovery, 0 violations, {:.1} s",
        tally.cuts,
        tally.mixed,
        tally.acknowledged,
        tally.new,
        tally.cuts - tally.new,
        started.elapsed().as_secs_f64()
    );
}

#[test]
fn a_cutover_cut_off_from_power_ends_whole_on_ext4() {
    Cuts::new(FileSystem::Ext4, Layout::Exchange, Doing::CutOver).cut_everywhere(4);
}

#[test]
fn a_rollback_cut_off_from_power_ends_whole_on_ext4() {
    Cuts::new(FileSystem::Ext4, Layout::Exchange, Doing::RollBack).cut_everywhere(4);
}

#[test]
fn two_renames_cut_off_from_power_end_whole_on_ext4() {
    Cuts::new(FileSystem::Ext4, Layout::TwoRenames, Doing::CutOver).cut_everywhere(8);
    Cuts::new(FileSystem::Ext4, Layout::TwoRenames, Doing::RollBack).cut_everywhere(8);
}

#[test]
fn file_by_file_cut_off_from_power_ends_whole_on_ext4() {
    Cuts::new(FileSystem::Ext4, Layout::FileByFile, Doing::CutOver).cut_everywhere(12);
    Cuts::new(FileSystem::Ext4, Layout::FileByFile, Doing::RollBack).cut_everywhere(12);
}

#[test]
fn a_run_from_nothing_cut_off_from_power_ends_whole_on_ext4() {
    Cuts::new(FileSystem::Ext4, Layout::Exchange, Doing::Everything).cut_everywhere(100);
}

/// A disk that answers that it synced and did not: the judge must see it.
#[test]
fn a_disk_that_lies_about_syncs_is_seen_after_a_power_cut() {
    for doing in [Doing::CutOver, Doing::RollBack] {
        let cuts = Cuts::new(FileSystem::Ext4, Layout::Exchange, doing);
        let lie = |root: &Path| inject(root, doing.arguments(), "fsync,fdatasync", "retval=0");
        let (struck, after) = cuts.cut_after("lie", false, lie);
        assert!(struck.is_acknowledged, "{}", said(&struck.output));
        let standing = cuts.aftermath.sides.standing(&after.at().join("project"));
        assert_ne!(standing, cuts.aftermath.end, "{doing:?}: nothing was synced, and nothing is missing");
    }
}

/// A candidate whose files were never synced: empty files go live with the power cut.
#[test]
fn a_candidate_that_was_not_synced_is_seen_after_a_power_cut() {
    let cuts = Cuts::new(FileSystem::Ext4, Layout::Exchange, Doing::Everything);
    let stage_and_cut_over = |root: &Path| {
        let syncs = "fsync,fdatasync,fadvise64";
        let staged = inject(root, &["run", "--until", "approved"], syncs, "retval=0");
        assert!(staged.output.status.success(), "{}", said(&staged.output));
        unharmed(root, Doing::CutOver.arguments())
    };
    let (struck, after) = cuts.cut_after("lie", false, stage_and_cut_over);
    assert!(struck.is_acknowledged, "{}", said(&struck.output));
    let standing = cuts.aftermath.sides.standing(&after.at().join("project"));
    assert!(matches!(standing, Standing::Mixed(_)), "{standing:?}: nothing is missing");
}

mod needs_xfs {
    use super::{Cuts, Doing, FileSystem, Layout};

    #[test]
    fn a_cutover_and_a_rollback_cut_off_from_power_end_whole() {
        Cuts::new(FileSystem::Xfs, Layout::Exchange, Doing::CutOver).cut_everywhere(12);
        Cuts::new(FileSystem::Xfs, Layout::Exchange, Doing::RollBack).cut_everywhere(12);
    }
}

mod needs_btrfs {
    use super::{Cuts, Doing, FileSystem, Layout};

    #[test]
    fn a_cutover_and_a_rollback_cut_off_from_power_end_whole() {
        Cuts::new(FileSystem::Btrfs, Layout::Exchange, Doing::CutOver).cut_everywhere(12);
        Cuts::new(FileSystem::Btrfs, Layout::Exchange, Doing::RollBack).cut_everywhere(12);
    }
}

/// A project on a small disk of its own, filled up to so many free bytes, with the candidate elsewhere.
fn with_room(folder: &Path, bytes: u64) -> (Mounted, PathBuf, Sides) {
    const DISK_BYTES: u64 = 32 << 20;
    let disk = Mounted::in_memory(&folder.join("disk"), DISK_BYTES);
    let root = lay_out(disk.at(), Layout::Exchange);
    let sides = Sides::of(&root, &root.join("../candidate-1"));
    fill(disk.at(), bytes);
    (disk, root, sides)
}

/// Fills the file system at `folder` up to so many free bytes.
fn fill(folder: &Path, free_bytes: u64) {
    let file = folder.join("filler");
    drop(std::fs::remove_file(&file));
    // Everything first, then given back: what a file takes beside its content is no guess.
    let mut filler = std::fs::File::create(&file).unwrap();
    let block = vec![0; 4096];
    let mut written = 0_u64;
    while std::io::Write::write_all(&mut filler, &block).is_ok() {
        written += block.len() as u64;
    }
    filler.set_len(written.saturating_sub(free_bytes)).unwrap();
}

#[test]
fn a_disk_that_is_full_at_any_stage_keeps_the_old_tree_and_lets_it_go_on_later() {
    let started = Instant::now();
    let mut stopped_at = std::collections::BTreeMap::new();
    for kibibytes in [0, 4, 16, 64, 128, 192, 256, 320, 384, 448, 512, 640, 768, 1024, 2048, 4096] {
        let folder = temporary_folder();
        let (disk, root, sides) = with_room(folder.path(), kibibytes << 10);
        let output = program(&root, &["run"]).output().unwrap();
        let case = format!("{kibibytes} KiB free: {}", said(&output));
        assert!(!case.contains("panicked"), "{case}");
        assert!(matches!(output.status.code(), Some(0 | 2)), "{case}");
        let standing = sides.standing(&root);
        let is_acknowledged = case.contains(": acknowledged: ");
        let wanted = if is_acknowledged { Standing::New } else { Standing::Old };
        assert_eq!(standing, wanted, "{case}");
        if output.status.code() == Some(2) && !is_acknowledged {
            let is_named = case.contains("o space left")
                || case.contains("database or disk is full")
                || case.contains("room");
            assert!(is_named, "{case}");
        }
        let stage =
            String::from_utf8_lossy(&output.stderr).lines().next_back().unwrap_or_default().to_owned();
        stopped_at.insert(kibibytes, (output.status.code(), is_acknowledged, stage));
        sides.others_stay(&root, &case);
        std::fs::remove_file(disk.at().join("filler")).unwrap();
        expect(&root, &["run"], 0);
        assert_eq!(sides.standing(&root), Standing::New, "{case}: with room again");
        fill(disk.at(), 0);
        expect(&root, &["rollback"], 0);
        assert_eq!(sides.standing(&root), Standing::Old, "{case}: rolled back on a full disk");
        sides.others_stay(&root, &case);
    }
    tell(&format!(
        "full disk: {} amounts of room, {:.1} s: {stopped_at:#?}",
        stopped_at.len(),
        started.elapsed().as_secs_f64()
    ));
    assert!(stopped_at.values().any(|(code, ..)| *code == Some(2)), "no disk was full");
}

#[expect(clippy::print_stdout, reason = "what a fault met is part of what a test shows")]
fn tell(what: &str) {
    println!("{what}");
}

#[test]
fn a_file_system_that_became_read_only_is_named_and_nothing_changes() {
    let folder = temporary_folder();
    let disk = Mounted::in_memory(&folder.path().join("disk"), 32 << 20);
    let root = approved(disk.at(), Layout::Exchange);
    let sides = Sides::of(&root, &root.join("../candidate-1"));
    for (command, before) in [("run", Standing::Old), ("rollback", Standing::New)] {
        disk.remount("ro");
        let output = program(&root, &[command]).output().unwrap();
        let text = said(&output);
        assert_eq!(output.status.code(), Some(2), "{command}: {text}");
        assert!(text.to_lowercase().contains("read-only") && !text.contains("panicked"), "{command}: {text}");
        assert_eq!(sides.standing(&root), before, "{command}: {text}");
        let status = program(&root, &["status", "--json"]).output().unwrap();
        assert!(
            matches!(status.status.code(), Some(0..=2)) && !said(&status).contains("panicked"),
            "{}",
            said(&status)
        );
        disk.remount("rw");
        expect(&root, &[command], 0);
    }
    assert_eq!(sides.standing(&root), Standing::Old);
}
