//! Slowdowns over simulated machines: how often a decision is wrong, and how often there is none.
//!
//! What is simulated is the noise of a machine from one run to the next, which does not know which program it falls upon. What decides is
//! the real thing: turns, coins and looks of `switchback_core::performance`, and the statistics of this crate.

#![expect(clippy::print_stdout, reason = "the figures stand in `docs/performance.md`")]

use std::collections::BTreeMap;

use switchback_core::performance::{
    Against, Draft, LimitFinding, Measure, PerformanceRule, RatioFinding, RatioRequest, Runs, Sample, Side,
    measured,
};
use switchback_core::port::{Comparison, PortError, Statistician};
use switchback_core::rule::DistributionRule;
use switchback_core::verdict::Verdict;
use switchback_statistics::{Random, limit, slowdown};

/// The statistics of this crate as the port hands them on.
#[derive(Debug)]
struct Crate;

impl Statistician for Crate {
    fn judge(
        &self,
        _: &std::path::Path,
        _: &std::path::Path,
        _: &DistributionRule,
    ) -> Result<Comparison, PortError> {
        unimplemented!("no ensembles here")
    }

    fn slowdown(&self, request: &RatioRequest<'_>) -> RatioFinding {
        slowdown(request)
    }

    fn limit(&self, values: &[f64], share: f64, at: f64, alpha: f64) -> LimitFinding {
        limit(values, share, at, alpha)
    }
}

/// A machine: by how much it slows the next run down.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Noise {
    /// Log-normal, 2 % from run to run.
    Quiet,
    /// Log-normal, 8 % from run to run.
    Wide,
    /// One of two speeds, as with a processor that is sometimes boosted.
    Bimodal,
    /// It warms up: 40 % slower in the course of a session.
    Drift,
    /// Now and then something takes up to twice as long again.
    Spikes,
    /// A neighbour that is busy for some ten runs at a time, and takes 60 % more then.
    Neighbour,
    /// Always slower in every second run, whoever's it is.
    Second,
}

/// Every machine.
const ALL: [Noise; 7] =
    [Noise::Quiet, Noise::Wide, Noise::Bimodal, Noise::Drift, Noise::Spikes, Noise::Neighbour, Noise::Second];

struct Machine {
    noise: Noise,
    random: Random,
    runs: u32,
    is_busy: bool,
}

impl Machine {
    fn new(noise: Noise, seed: u64) -> Self {
        Self { noise, random: Random::new(seed, 11), runs: 0, is_busy: false }
    }

    fn factor(&mut self) -> f64 {
        self.runs += 1;
        let (chance, normal) = (self.random.uniform(), self.random.normal());
        let little = (0.015 * normal).exp();
        match self.noise {
            Noise::Quiet => (0.02 * normal).exp(),
            Noise::Wide => (0.08 * normal).exp(),
            Noise::Bimodal => little * if chance < 0.3 { 1.2 } else { 1.0 },
            Noise::Drift => little * (1.0 + 0.4 * (f64::from(self.runs) / 160.0).min(1.0)),
            Noise::Spikes => little * if chance < 0.1 { 1.0 + self.random.uniform() } else { 1.0 },
            Noise::Neighbour => {
                self.is_busy ^= chance < 0.1;
                let share = if self.is_busy { 0.3 + 0.3 * self.random.uniform() } else { 0.0 };
                little * (1.0 + share)
            }
            Noise::Second => little * if self.runs.is_multiple_of(2) { 1.1 } else { 1.0 },
        }
    }
}

/// One session, in which NEW takes `ratio` times as long as OLD.
fn session(noise: Noise, ratio: f64, seed: u64) -> Verdict {
    let rule = PerformanceRule::new(&Draft {
        measures: vec!["time".to_owned()],
        seed: Some(seed),
        ..Draft::default()
    });
    let mut machine = Machine::new(noise, seed);
    let mut run = |side: Side| {
        let seconds = machine.factor() * if side == Side::New { ratio } else { 1.0 };
        Ok(Sample { values: BTreeMap::from([(Measure::Time, seconds)]), ..Sample::default() })
    };
    let found = measured(&rule.unwrap(), Against::Old, &Crate, &mut run, &mut |_| true);
    found.unwrap().verdict
}

/// Of so many sessions, how many ended in *yes*, *no* and *could not tell*.
fn sessions(noise: Noise, ratio: f64, count: u64) -> [u64; 3] {
    let mut ended = [0; 3];
    for seed in 0..count {
        let place = match session(noise, ratio, seed) {
            Verdict::Yes => 0,
            Verdict::No => 1,
            Verdict::Unknown => 2,
        };
        ended[place] += 1;
    }
    ended
}

// rows: OM-8
#[test]
fn of_the_same_program_hardly_ever_a_regression_whatever_the_noise() {
    for noise in ALL {
        let [yes, no, unknown] = sessions(noise, 1.0, 1_000);
        println!("same program, {noise:?}: yes {yes}, no {no}, could not tell {unknown} of 1000");
        // 5 % would be 50.
        assert!(no <= 5, "{noise:?}: {no}");
        if matches!(noise, Noise::Quiet | Noise::Drift) {
            assert!(unknown <= 10, "{noise:?}: {unknown}");
        }
    }
}

// rows: OM-8
#[test]
fn a_slowdown_of_15_percent_is_found() {
    for noise in ALL {
        let [yes, no, unknown] = sessions(noise, 1.15, 1_000);
        println!("15 % slower, {noise:?}: yes {yes}, no {no}, could not tell {unknown} of 1000");
        assert!(no >= 950, "{noise:?}: {no}");
        assert!(yes <= 5, "{noise:?}: {yes}");
    }
}

#[test]
fn exactly_at_the_margin_both_answers_keep_to_their_level() {
    for noise in ALL {
        let [yes, no, unknown] = sessions(noise, 1.05, 2_000);
        println!("at the margin, {noise:?}: yes {yes}, no {no}, could not tell {unknown} of 2000");
        // 5 % of 2,000 are 100; with that level, 150 are reached with a probability under 1e-6.
        assert!(yes < 150 && no < 150, "{noise:?}: {yes} {no}");
    }
}

/// Samples of both sides each for itself, as `--samples` has them.
fn apart(noise: Noise, ratio: f64, (old_runs, new_runs): (usize, usize), seed: u64) -> RatioFinding {
    let mut one = Machine::new(noise, 2 * seed);
    let mut two = Machine::new(noise, 2 * seed + 1);
    let old: Vec<f64> = (0..old_runs).map(|_| one.factor()).collect();
    let new: Vec<f64> = (0..new_runs).map(|_| ratio * two.factor()).collect();
    let runs = Runs::Apart { old: &old, new: &new };
    slowdown(&RatioRequest { runs, margin: 0.05, alpha: 0.05, seed: 0 })
}

/// Of 300 pairs of samples exactly at the margin, how many ended in *yes* and in *no*.
fn apart_at_the_margin(noise: Noise, runs: (usize, usize)) -> (usize, usize) {
    let found: Vec<Verdict> = (0..300).map(|seed| apart(noise, 1.05, runs, seed).verdict).collect();
    let count = |wanted| found.iter().filter(|verdict| **verdict == wanted).count();
    (count(Verdict::Yes), count(Verdict::No))
}

#[test]
fn samples_apart_keep_to_their_level_where_runs_do_not_hang_together() {
    for noise in [Noise::Quiet, Noise::Wide, Noise::Bimodal, Noise::Spikes] {
        for runs in [(5, 5), (10, 10), (10, 40)] {
            let (yes, no) = apart_at_the_margin(noise, runs);
            println!("apart, at the margin, {noise:?}, {runs:?}: yes {yes}, no {no} of 300");
            // 5 % of 300 are 15; with that level, 37 are reached with a probability under 1e-6.
            assert!(yes < 37 && no < 37, "{noise:?} {runs:?}: {yes} {no}");
        }
    }
}

/// Why programs are run in turn: what was measured apart has no defence against a machine that is not the same all the time.
#[test]
fn samples_apart_are_fooled_by_a_neighbour_and_turns_are_not() {
    let (yes, no) = apart_at_the_margin(Noise::Neighbour, (30, 30));
    println!("apart, at the margin, Neighbour: yes {yes}, no {no} of 300");
    assert!(yes > 37 && no > 37, "{yes} {no}");
    let [yes, no, _] = sessions(Noise::Neighbour, 1.05, 300);
    assert!(yes < 37 && no < 37, "{yes} {no}");
}

#[test]
fn too_few_samples_are_unknown_and_say_how_many_it_takes() {
    for (runs, more) in [((4, 4), Some(1)), ((2, 30), Some(3)), ((30, 0), Some(5))] {
        let found = apart(Noise::Quiet, 2.0, runs, 1);
        assert_eq!((found.verdict, found.ratio, found.more_runs), (Verdict::Unknown, None, more), "{runs:?}");
        assert_eq!(found.why.as_deref(), Some("at this level it takes 5 runs on each side at least"));
    }
    assert_eq!(apart(Noise::Quiet, 2.0, (5, 5), 1).verdict, Verdict::No);
}

#[test]
fn what_is_improved_is_a_yes_that_says_so() {
    let found = apart(Noise::Quiet, 0.8, (20, 20), 1);
    assert_eq!((found.verdict, found.is_improved, found.more_runs), (Verdict::Yes, true, Some(0)));
    let found = apart(Noise::Quiet, 1.0, (20, 20), 1);
    assert_eq!((found.verdict, found.is_improved), (Verdict::Yes, false));
}

#[test]
fn a_ratio_on_the_margin_that_does_not_vary_is_no_regression_and_one_beyond_is() {
    for (old, new, margin, wanted) in [
        (100.0, 105.0, 0.05, Verdict::Yes),
        (0.1, 0.105, 0.05, Verdict::Yes),
        (100.0, 105.001, 0.05, Verdict::No),
        (3.0, 3.0, 0.0, Verdict::Yes),
        (3.0, 4.0, 0.0, Verdict::No),
        (0.0, 0.0, 0.0, Verdict::Yes),
        (0.0, 1.0, 0.5, Verdict::No),
        (1.0, 0.0, 0.5, Verdict::Yes),
    ] {
        let (old, new) = ([old; 8], [new; 8]);
        let turns: Vec<(f64, f64)> = old.into_iter().zip(new).collect();
        for runs in [Runs::Apart { old: &old, new: &new }, Runs::InTurn(&turns)] {
            let found = slowdown(&RatioRequest { runs, margin, alpha: 0.05, seed: 0 });
            assert_eq!(found.verdict, wanted, "{runs:?} {margin}: {found:?}");
        }
    }
}

#[test]
fn how_many_more_runs_it_takes_is_about_right() {
    let mut short = (0..40).map(|seed| apart(Noise::Wide, 1.0, (10, 10), seed));
    let found = short.find(|found| found.verdict == Verdict::Unknown).unwrap();
    let more = usize::try_from(found.more_runs.unwrap()).unwrap();
    assert!((5..2_000).contains(&more), "{found:?}");
    let decided =
        (0..40).filter(|seed| apart(Noise::Wide, 1.0, (80, 80), *seed).verdict == Verdict::Yes).count();
    assert!(decided >= 36, "{decided}");
}
