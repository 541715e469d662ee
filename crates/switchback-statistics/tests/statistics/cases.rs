//! Pairs of ensembles for which a significance test, or a test of means alone, gives the wrong answer.

use switchback_core::verdict::Verdict;
use switchback_statistics::{Adjust, DistributionOptions, Random};

use super::{Law, ensemble, judge_all, judge_one};

#[test]
fn a_shift_nobody_cares_about_is_yes_however_significant() {
    let mut random = Random::new(1, 0);
    let old = Law::Normal.sample(&mut random, 20_000);
    let new: Vec<f64> = (0..20_000).map(|_| random.normal() + 0.04).collect();
    let column = judge_one(&old, &new);
    assert!(column.ks.p.unwrap() < 0.05, "{column:?}");
    assert_eq!(column.verdict, Verdict::Yes);
}

#[test]
fn eight_replicates_are_unknown_however_insignificant() {
    let mut random = Random::new(2, 0);
    let (old, new) = (Law::Normal.sample(&mut random, 8), Law::Normal.sample(&mut random, 8));
    let column = judge_one(&old, &new);
    assert!(column.ks.p.unwrap() > 0.2, "{column:?}");
    assert_eq!(column.verdict, Verdict::Unknown);
    assert!(column.more_replicates.unwrap() > 100, "{column:?}");
    assert_eq!(column.sd.interval, None);
}

#[test]
fn a_doubled_variance_is_no_though_the_means_agree() {
    let mut random = Random::new(3, 0);
    let old = Law::Normal.sample(&mut random, 1000);
    let new: Vec<f64> = (0..1000).map(|_| random.normal() * 2_f64.sqrt()).collect();
    let column = judge_one(&old, &new);
    assert_eq!(column.mean.verdict, Verdict::Yes);
    assert_eq!(column.sd.verdict, Verdict::No);
    assert_eq!(column.verdict, Verdict::No);
}

#[test]
fn two_humps_are_no_though_mean_and_spread_agree() {
    let mut random = Random::new(4, 0);
    let old = Law::Normal.sample(&mut random, 3000);
    let new: Vec<f64> = (0..3000)
        .map(|_| {
            let side = if random.uniform() < 0.5 { 0.95 } else { -0.95 };
            side + random.normal() * (1.0_f64 - 0.95 * 0.95).sqrt()
        })
        .collect();
    let options = DistributionOptions { margin_ks: 0.1, ..DistributionOptions::default() };
    let column = judge_all(options, vec![ensemble("x", &old, &new)]).columns.remove(0);
    assert_eq!((column.mean.verdict, column.sd.verdict), (Verdict::Yes, Verdict::Yes), "{column:?}");
    assert_eq!(column.ks.verdict, Verdict::No, "{column:?}");
    assert_ne!(judge_one(&old, &new).verdict, Verdict::Yes);
}

#[test]
fn two_hundred_columns_have_insignificant_ones_and_no_discovery() {
    let columns = |size: usize| {
        let mut random = Random::new(5, 0);
        let sample = |random: &mut Random| Law::Normal.sample(random, size);
        (0..200)
            .map(|number| ensemble(&number.to_string(), &sample(&mut random), &sample(&mut random)))
            .collect::<Vec<_>>()
    };
    let raw = DistributionOptions::default();
    let adjusted = DistributionOptions { adjust: Adjust::BenjaminiHochberg, ..raw };
    let below = |options, size: usize| {
        let outcome = judge_all(options, columns(size));
        let p = outcome.columns.iter().filter(|column| column.ks.p_adjusted.unwrap() < 0.05).count();
        let no = outcome.columns.iter().filter(|column| column.verdict == Verdict::No).count();
        (p, no)
    };
    let (significant, no) = below(raw, 12);
    assert!(significant > 0 && no > 0, "{significant} {no}: chance alone");
    assert_eq!(below(adjusted, 12), (0, 0));
    let outcome = judge_all(adjusted, columns(12));
    assert_eq!(outcome.verdict, Verdict::Unknown);
    let doubted = outcome.columns.iter().find(|column| column.why.is_some()).unwrap();
    assert_eq!(doubted.why.as_deref(), Some("one of 200 columns may lie outside by chance"));
    assert!(doubted.more_replicates.is_none_or(|more| more > 0));
}

#[test]
fn a_true_difference_among_many_columns_is_found_all_the_same() {
    let mut random = Random::new(6, 0);
    let mut columns: Vec<_> = (0..100)
        .map(|number| {
            let (old, new) = (Law::Normal.sample(&mut random, 400), Law::Normal.sample(&mut random, 400));
            ensemble(&number.to_string(), &old, &new)
        })
        .collect();
    columns[40].new.iter_mut().flatten().for_each(|value| *value += 1.0);
    columns[60].new.iter_mut().flatten().for_each(|value| *value *= 3.0);
    let options = DistributionOptions {
        adjust: Adjust::BenjaminiHochberg,
        resamples: 499,
        ..DistributionOptions::default()
    };
    let outcome = judge_all(options, columns);
    let different: Vec<&str> = outcome
        .columns
        .iter()
        .filter(|column| column.verdict == Verdict::No)
        .map(|column| column.name.as_str())
        .collect();
    assert_eq!(different, ["40", "60"]);
    assert_eq!(outcome.verdict, Verdict::No);
}
