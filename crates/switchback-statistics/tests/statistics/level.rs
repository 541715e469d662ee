//! How often a wrong *yes* is said at the margin, and a right one inside.

use switchback_core::verdict::Verdict;
use switchback_statistics::{DistributionOptions, Random};

use super::{Law, ensemble, judge_all};

const TRIES: u32 = 2000;
const ALPHA: f64 = 0.05;
/// The probability, at most, that a fair test fails here by chance.
const BY_CHANCE: f64 = 1e-6;

/// The smallest count that a binomial variable with `TRIES` tries of probability `ALPHA` reaches with a probability below
/// `BY_CHANCE`, summed exactly from above.
fn too_many() -> u32 {
    let tries = f64::from(TRIES);
    let mut term = tries * (1.0 - ALPHA).ln();
    let mut logs = vec![term];
    for count in 1..=TRIES {
        let count = f64::from(count);
        term += ((tries - count + 1.0) / count).ln() + (ALPHA / (1.0 - ALPHA)).ln();
        logs.push(term);
    }
    let mut tail = 0.0;
    let mut count = TRIES;
    for log in logs.into_iter().rev() {
        tail += log.exp();
        if tail >= BY_CHANCE {
            return count + 1;
        }
        count -= 1;
    }
    0
}

/// What is drawn: sizes, and how NEW differs from OLD.
struct Truth {
    law: Law,
    sizes: (usize, usize),
    shift: f64,
    factor: f64,
}

/// How often `judge` says *yes* of 2,000 simulated ensembles.
fn count_yes(options: DistributionOptions, truth: &Truth) -> u32 {
    let mut random = Random::new(20_270_112, 0);
    let columns = (0..TRIES)
        .map(|number| {
            let old = truth.law.sample(&mut random, truth.sizes.0);
            let draw = |_| truth.law.draw(&mut random) * truth.factor + truth.shift;
            let new: Vec<f64> = (0..truth.sizes.1).map(draw).collect();
            ensemble(&number.to_string(), &old, &new)
        })
        .collect();
    let outcome = judge_all(options, columns);
    let is_yes = |column: &&_| {
        let column: &switchback_statistics::ColumnFinding = column;
        column.verdict == Verdict::Yes
    };
    u32::try_from(outcome.columns.iter().filter(is_yes).count()).unwrap()
}

/// Margins that let only one criterion decide.
fn only(mean: f64, sd: f64, ks: f64) -> DistributionOptions {
    DistributionOptions {
        margin_mean: mean,
        margin_sd: sd,
        margin_ks: ks,
        resamples: if sd < 5.0 { 199 } else { 99 },
        ..DistributionOptions::default()
    }
}

#[test]
fn the_bound_is_that_of_the_binomial_distribution() {
    // 100 are expected, with a standard deviation of 9.7.
    assert_eq!(too_many(), 150);
}

// rows: RE-3
#[test]
fn at_the_margin_of_the_mean_a_false_yes_is_no_more_frequent_than_alpha() {
    for (law, sizes) in [(Law::Normal, (300, 300)), (Law::Laplace, (400, 250)), (Law::Normal, (250, 600))] {
        for side in [1.0, -1.0] {
            let truth = Truth { law, sizes, shift: 0.25 * side, factor: 1.0 };
            let yes = count_yes(only(0.25, 9.0, 1.0), &truth);
            assert!(yes < too_many(), "{yes} of {TRIES} at {side} with {law:?} {sizes:?}");
            // Not by never saying yes: the test is as sharp as it may be.
            assert!(yes > 40, "{yes} of {TRIES} at {side} with {law:?} {sizes:?}");
        }
    }
}

#[test]
fn a_margin_of_many_units_is_held_though_the_unit_is_estimated() {
    let truth = Truth { law: Law::Normal, sizes: (60, 60), shift: 2.0, factor: 1.0 };
    let yes = count_yes(only(2.0, 9.0, 1.0), &truth);
    assert!(yes < too_many() && yes > 40, "{yes} of {TRIES}");
}

// rows: RE-3
#[test]
fn at_the_margin_of_the_spread_a_false_yes_is_no_more_frequent_than_alpha() {
    for (law, sizes, margin) in
        [(Law::Normal, (300, 300), 0.25), (Law::Normal, (30, 30), 1.0), (Law::Laplace, (400, 400), 0.3)]
    {
        for factor in [1.0 + margin, 1.0 / (1.0 + margin)] {
            let truth = Truth { law, sizes, shift: 0.0, factor };
            let yes = count_yes(only(9.0, margin, 1.0), &truth);
            assert!(yes < too_many(), "{yes} of {TRIES} at {factor} with {law:?} {sizes:?}");
            assert!(yes > 40, "{yes} of {TRIES} at {factor} with {law:?} {sizes:?}");
        }
    }
}

// rows: RE-3
#[test]
fn at_the_margin_of_the_shape_a_false_yes_is_no_more_frequent_than_alpha() {
    // Two normal distributions this far apart have a largest distance of 0.15: 2 Phi(d / 2) - 1.
    let truth = Truth { law: Law::Normal, sizes: (400, 400), shift: 0.378_236_8, factor: 1.0 };
    let yes = count_yes(only(9.0, 9.0, 0.15), &truth);
    assert!(yes < too_many(), "{yes} of {TRIES}");
}

/// How often the ends of the interval of 95 % say *yes* of so many simulated ensembles, of which NEW is drawn as OLD is and
/// then changed.
fn count_yes_of_ends(
    tries: u32,
    (law, sizes): (Law, (usize, usize)),
    margin: f64,
    change: impl Fn(f64) -> f64,
) -> u32 {
    let options =
        DistributionOptions { margin_interval: Some(margin), resamples: 199, ..only(9.0, 9.0, 1.0) };
    let mut random = Random::new(20_270_113, 0);
    let columns = (0..tries)
        .map(|number| {
            let old = law.sample(&mut random, sizes.0);
            let new: Vec<f64> = (0..sizes.1).map(|_| change(law.draw(&mut random))).collect();
            ensemble(&number.to_string(), &old, &new)
        })
        .collect();
    let outcome = judge_all(options, columns);
    let yes =
        outcome.columns.iter().filter(|column| column.interval.as_ref().unwrap().verdict == Verdict::Yes);
    u32::try_from(yes.count()).unwrap()
}

// rows: RE-3
#[test]
fn at_the_margin_of_an_end_a_false_yes_is_no_more_frequent_than_alpha() {
    // The upper ends of the interval of 95 % of both laws.
    for (law, end, margin, sizes) in [
        (Law::Normal, 1.959_964, 0.5, (400, 400)),
        (Law::Laplace, 20.0_f64.ln() / 2.0_f64.sqrt(), 0.8, (600, 400)),
    ] {
        // One end lies on the margin, the other one where OLD has it.
        let stretch = 1.0 + margin / end;
        let outwards = |value: f64| if value > 0.0 { value * stretch } else { value };
        let inwards = |value: f64| if value < 0.0 { value * (2.0 - stretch) } else { value };
        let yes = count_yes_of_ends(TRIES, (law, sizes), margin, outwards);
        assert!(yes < too_many() && yes > 20, "{yes} of {TRIES} outwards with {law:?} {sizes:?}");
        let yes = count_yes_of_ends(TRIES, (law, sizes), margin, inwards);
        assert!(yes < too_many() && yes > 20, "{yes} of {TRIES} inwards with {law:?} {sizes:?}");
        let yes = count_yes_of_ends(TRIES, (law, sizes), margin, |value| value + margin);
        assert!(yes < too_many(), "{yes} of {TRIES} of both ends with {law:?} {sizes:?}");
    }
}

// rows: RE-3
#[test]
fn ends_that_agree_are_told_to_and_too_few_replicates_are_not() {
    let yes = count_yes_of_ends(200, (Law::Normal, (1500, 1500)), 0.5, |value| value);
    assert!(yes > 190, "{yes} of 200");
    assert_eq!(count_yes_of_ends(50, (Law::Normal, (399, 800)), 0.5, |value| value), 0);
}

// rows: RE-3
#[test]
fn all_criteria_together_hold_the_level() {
    let truth = Truth { law: Law::Normal, sizes: (1200, 1200), shift: 0.25, factor: 1.0 };
    let yes =
        count_yes(DistributionOptions { resamples: 99, margin_ks: 0.25, ..only(0.25, 0.25, 0.25) }, &truth);
    assert!(yes < too_many() && yes > 40, "{yes} of {TRIES}");
}

// rows: RE-3
#[test]
fn well_inside_the_margins_enough_replicates_say_yes_and_too_few_say_unknown() {
    let verdicts = |size: usize| {
        let mut random = Random::new(9, 0);
        let columns = (0..200)
            .map(|number| {
                let old = Law::Normal.sample(&mut random, size);
                let new: Vec<f64> = (0..size).map(|_| 1.02 * Law::Normal.draw(&mut random) + 0.02).collect();
                ensemble(&number.to_string(), &old, &new)
            })
            .collect();
        let options = DistributionOptions { resamples: 499, ..DistributionOptions::default() };
        judge_all(options, columns)
    };
    let enough = verdicts(1500);
    assert!(enough.columns.iter().all(|column| column.verdict == Verdict::Yes));
    assert!(enough.columns.iter().all(|column| column.power > 0.98 && column.more_replicates == Some(0)));
    let few = verdicts(30);
    assert!(few.columns.iter().all(|column| column.verdict != Verdict::Yes));
    let unknown = few.columns.iter().filter(|column| column.verdict == Verdict::Unknown);
    assert!(unknown.clone().count() > 150, "{}", unknown.count());
    assert!(few.columns.iter().all(|column| column.power == 0.0));
}

#[test]
fn the_replicates_that_are_asked_for_decide() {
    let mut random = Random::new(10, 0);
    let (mut decided, mut tried) = (0, 0);
    for _ in 0..100 {
        let (mut old, mut new) = (Law::Normal.sample(&mut random, 150), Law::Normal.sample(&mut random, 150));
        let first = super::judge_one(&old, &new);
        if first.verdict != Verdict::Unknown {
            continue;
        }
        let more = usize::try_from(first.more_replicates.unwrap()).unwrap();
        assert!(more > 0);
        if more > 5000 {
            // What was measured lies on the margin by chance: a plan for what is not so.
            continue;
        }
        old.extend(Law::Normal.sample(&mut random, more));
        new.extend(Law::Normal.sample(&mut random, more));
        tried += 1;
        decided += u32::from(super::judge_one(&old, &new).verdict == Verdict::Yes);
    }
    assert!(tried > 60, "{tried}");
    // Planned for 80 %.
    assert!(decided * 10 > tried * 7, "{decided} of {tried}");
}
