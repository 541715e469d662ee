//! What is struck, at which calls, and what must hold afterwards.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use super::aftermath::Aftermath;
use super::judge::{Sides, Standing};
use super::scene::{Layout, approved, copy, expect, said, temporary_folder};
use super::strace::{ALTERING, Call, LOOKING, Stroke, strike, trace};

/// Scenarios that run side by side: a traced process waits for its tracer half of the time.
const WORKERS: usize = 3;
/// Every N-th scenario in which the change was taken back makes it again.
const GOES_ON_ONE_IN: usize = 4;

/// What is struck.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Doing {
    /// `run --until live`, from the approved point.
    CutOver,
    /// `rollback` of a live phase.
    RollBack,
    /// The next command after a kill in the middle of a cutover, or of a rollback.
    Recovery(&'static Self),
}

impl Doing {
    fn arguments(self) -> &'static [&'static str] {
        match self {
            Self::CutOver => &["run", "--until", "live"],
            Self::RollBack => &["rollback"],
            Self::Recovery(_) => &["status", "--json"],
        }
    }

    /// What the tree is once it was done.
    fn end(self) -> Standing {
        if self == Self::CutOver { Standing::New } else { Standing::Old }
    }
}

/// Which of the calls are struck.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sample {
    /// Each.
    All,
    /// Each that alters, and every N-th that only looks.
    Looking(usize),
    /// Every N-th of both.
    Every(usize),
}

/// One thing that is struck everywhere.
pub(super) struct Trial {
    folder: tempfile::TempDir,
    base: PathBuf,
    layout: Layout,
    doing: Doing,
    aftermath: Aftermath,
    /// Where what a recovery follows is killed.
    middle: Option<Call>,
}

/// What all strokes came to.
#[derive(Debug, Default)]
pub(super) struct Tally {
    scenarios: usize,
    pub(super) mixed: usize,
    not_reached: usize,
    acknowledged: usize,
    names: BTreeMap<String, usize>,
}

impl Trial {
    pub(super) fn new(layout: Layout, doing: Doing) -> Self {
        let folder = temporary_folder();
        fs::create_dir(folder.path().join("base")).unwrap();
        let base = approved(&folder.path().join("base"), layout);
        let candidate = if layout == Layout::Pointer { "../candidate-2" } else { "../candidate-1" };
        let sides = Sides::of(&base, &base.join(candidate));
        let aftermath = Aftermath { sides, end: doing.end(), is_second_phase: layout == Layout::Pointer };
        let mut trial = Self { folder, base, layout, doing, aftermath, middle: None };
        if let Doing::Recovery(before) = doing {
            trial.middle = Some(trial.find_middle(*before));
        }
        trial
    }

    /// A call before which some paths are exchanged and others are not.
    fn find_middle(&self, before: Doing) -> Call {
        let is_middle = |call: &Call| {
            let root = self.victim("middle");
            strike(&root, before.arguments(), call, Stroke::Kill);
            matches!(self.aftermath.sides.standing(&root), Standing::Mixed(_))
        };
        let call = |number, name: &str| Call { name: name.to_owned(), number };
        let mut calls = (1..40).flat_map(|number| [call(number, "renameat2"), call(number, "renameat")]);
        calls.find(is_middle).unwrap()
    }

    /// A fresh project in which the next thing is what is struck.
    fn victim(&self, name: &str) -> PathBuf {
        let folder = self.folder.path().join(name);
        drop(fs::remove_dir_all(&folder));
        let root = copy(&self.base, &folder);
        self.prepare(&root, self.doing);
        root
    }

    fn prepare(&self, root: &Path, doing: Doing) {
        match doing {
            Doing::CutOver => {}
            Doing::RollBack => drop(expect(root, &["run", "--until", "live"], 0)),
            Doing::Recovery(before) => {
                self.prepare(root, *before);
                let Some(middle) = &self.middle else { return };
                let struck = strike(root, before.arguments(), middle, Stroke::Kill);
                let standing = self.aftermath.sides.standing(root);
                assert!(matches!(standing, Standing::Mixed(_)), "{standing:?}: {}", said(&struck.output));
            }
        }
    }

    fn calls(&self, sample: Sample) -> Vec<Call> {
        let names: Vec<&str> = ALTERING.iter().chain(LOOKING).copied().collect();
        let traced = trace(&self.victim("traced"), self.doing.arguments(), &names);
        let is_altering = |call: &&Call| ALTERING.contains(&call.name.as_str());
        let (altering, looking): (Vec<&Call>, Vec<&Call>) = traced.iter().partition(is_altering);
        let (one_in, looking_one_in) = match sample {
            Sample::All => (1, 1),
            Sample::Looking(number) => (1, number),
            Sample::Every(number) => (number, number),
        };
        let every =
            |calls: Vec<&Call>, number: usize| calls.into_iter().cloned().step_by(number).collect::<Vec<_>>();
        [every(altering, one_in), every(looking, looking_one_in)].concat()
    }

    /// Strikes at each call of the sample; every scenario that breaks a promise ends the test.
    pub(super) fn strike_everywhere(&self, sample: Sample, strokes: &[Stroke]) -> Tally {
        let started = Instant::now();
        let scenarios: Vec<(Call, Stroke)> = self
            .calls(sample)
            .into_iter()
            .flat_map(|call| strokes.iter().map(move |stroke| (call.clone(), *stroke)))
            .collect();
        let (next, tally) = (AtomicUsize::new(0), Mutex::new(Tally::default()));
        std::thread::scope(|scope| {
            for worker in 0..WORKERS {
                let (next, tally, scenarios) = (&next, &tally, &scenarios);
                scope.spawn(move || {
                    loop {
                        let at = next.fetch_add(1, Ordering::SeqCst);
                        let Some((call, stroke)) = scenarios.get(at) else { break };
                        // To make the change again from where it was taken back is the same wherever that was.
                        let goes_on = at % GOES_ON_ONE_IN == 0;
                        self.scenario(&format!("victim-{worker}"), call, *stroke, goes_on, tally);
                    }
                });
            }
        });
        let tally = tally.into_inner().unwrap();
        self.report(strokes, &tally, started);
        tally
    }

    #[expect(clippy::print_stdout, reason = "how many scenarios there were is part of what a test shows")]
    fn report(&self, strokes: &[Stroke], tally: &Tally, started: Instant) {
        println!(
            "{:?}, {:?}, {strokes:?}: {} scenarios, {} of them mixed when they were struck, {} acknowledged, {} not \
             reached, 0 violations, {:.1} s; {:?}",
            self.doing,
            self.layout,
            tally.scenarios,
            tally.mixed,
            tally.acknowledged,
            tally.not_reached,
            started.elapsed().as_secs_f64(),
            tally.names,
        );
        // Threads of a run do not always share their work alike, so a call of theirs may not come again.
        assert!(tally.not_reached * 10 <= tally.scenarios, "{tally:?}: too many strokes met nothing");
    }

    fn scenario(&self, victim: &str, call: &Call, stroke: Stroke, goes_on: bool, tally: &Mutex<Tally>) {
        let root = self.victim(victim);
        let struck = strike(&root, self.doing.arguments(), call, stroke);
        let standing = self.aftermath.sides.standing(&root);
        let is_mixed = matches!(standing, Standing::Mixed(_));
        {
            let mut tally = tally.lock().unwrap();
            tally.scenarios += 1;
            tally.not_reached += usize::from(!struck.is_reached);
            tally.mixed += usize::from(is_mixed);
            tally.acknowledged += usize::from(struck.is_acknowledged);
            *tally.names.entry(call.name.clone()).or_default() += 1;
        }
        let said = said(&struck.output);
        let case = format!("{:?}, {:?}, {stroke:?} at {call}: {said}", self.layout, self.doing);
        assert!(!said.contains("panicked"), "{case}");
        if stroke != Stroke::Kill {
            assert!(
                matches!(struck.output.status.code(), Some(0 | 2)),
                "{case}: a failing disk is no answer"
            );
            // A process that lives on cleans up after itself, unless nobody can say what is on the disk.
            assert!(!is_mixed || said.contains("could not be made durable"), "{case}: {standing:?}");
        }
        self.aftermath.stays_true(struck.is_acknowledged, &standing, &case);
        self.aftermath.holds(&root, struck.is_acknowledged, goes_on, &case);
    }
}
