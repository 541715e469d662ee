//! What holds for all samples: symmetry, invariance, and that a verdict is what its intervals say.

use proptest::collection::vec;
use proptest::prelude::*;
use switchback_core::verdict::Verdict;
use switchback_statistics::{ColumnFinding, DistributionOptions};

use super::{ensemble, judge_all};

fn sample() -> impl Strategy<Value = Vec<f64>> {
    // Some columns have ties, some are constant, some are small.
    prop_oneof![
        vec(-1000.0..1000.0, 0..60),
        vec((-3..3_i32).prop_map(f64::from), 0..60),
        vec(Just(2.5), 0..30),
        vec(-1.0..1.0, 200..500),
    ]
}

fn options() -> DistributionOptions {
    DistributionOptions {
        resamples: 199,
        seed: 3,
        margin_mean: 0.5,
        margin_ks: 0.3,
        ..DistributionOptions::default()
    }
}

fn column(old: &[f64], new: &[f64]) -> ColumnFinding {
    judge_all(options(), vec![ensemble("x", old, new)]).columns.remove(0)
}

fn close(one: f64, two: f64) -> bool {
    one == two || (one - two).abs() <= 1e-9 * one.abs().max(two.abs())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn swapping_the_sides_mirrors_what_has_no_unit(old in sample(), new in sample()) {
        let (there, back) = (column(&old, &new), column(&new, &old));
        prop_assert_eq!(there.ks.verdict, back.ks.verdict);
        prop_assert_eq!(there.ks.statistic, back.ks.statistic);
        prop_assert!(there.ks.p.zip(back.ks.p).is_none_or(|(one, two)| (one - two).abs() < 1e-9));
        prop_assert!(there.ks.band.zip(back.ks.band).is_none_or(|(one, two)| close(one, two)));
        prop_assert_eq!(there.sd.ratio.is_some(), back.sd.ratio.is_some());
        if let (Some(one), Some(two)) = (there.sd.ratio, back.sd.ratio) {
            prop_assert!(close(one, 1.0 / two), "{} {}", one, two);
        }
        if old != new && let (Some([low, high]), Some([back_low, back_high])) = (there.sd.interval, back.sd.interval) {
            prop_assert!(close(low, 1.0 / back_high) && close(high, 1.0 / back_low));
        }
        // The mean is in units of OLD: only its sign is mirrored.
        if let (Some(one), Some(two)) = (there.mean.difference, back.mean.difference) {
            prop_assert!(one == 0.0 && two == 0.0 || one.signum() == -two.signum());
        }
    }

    #[test]
    fn a_shift_and_a_stretch_of_both_change_nothing(old in sample(), new in sample(), power in -60..60_i32, shift in -8..8_i32) {
        let plain = column(&old, &new);
        let stretch = |values: &[f64]| values.iter().map(|value| value * f64::from(power).exp2()).collect::<Vec<_>>();
        prop_assert_eq!(&plain, &column(&stretch(&old), &stretch(&new)), "a power of two is exact");
        let place = |values: &[f64]| values.iter().map(|value| 3.0 * value + f64::from(shift)).collect::<Vec<_>>();
        let moved = column(&place(&old), &place(&new));
        prop_assert_eq!(plain.ks, moved.ks);
        for (one, two) in [(plain.mean.difference, moved.mean.difference), (plain.sd.ratio, moved.sd.ratio)] {
            prop_assert!(one.zip(two).is_none_or(|(one, two)| (one - two).abs() <= 1e-9 * (1.0 + one.abs()) || one == two));
        }
    }

    #[test]
    fn the_order_of_the_replicates_is_no_matter(old in sample(), new in sample(), cut in 0..60_usize) {
        let turn = |values: &[f64]| {
            let mut values = values.to_vec();
            let cut = cut.min(values.len());
            values.rotate_left(cut);
            values
        };
        prop_assert_eq!(column(&old, &new), column(&turn(&old), &new));
    }

    #[test]
    fn a_verdict_is_what_the_intervals_say(old in sample(), new in sample()) {
        let options = options();
        let column = column(&old, &new);
        let log_sd = options.margin_sd.ln_1p();
        let inside = |interval: Option<[f64; 2]>, margin: f64| interval.is_some_and(|[low, high]| low > -margin && high < margin);
        let ks = column.ks.statistic.zip(column.ks.band);
        if column.verdict == Verdict::Yes {
            prop_assert!(inside(column.mean.interval, options.margin_mean));
            prop_assert!(inside(column.sd.interval.map(|interval| interval.map(f64::ln)), log_sd));
            prop_assert!(ks.is_some_and(|(statistic, band)| statistic + band < options.margin_ks));
            prop_assert_eq!(column.more_replicates, Some(0));
        }
        if column.verdict == Verdict::No {
            prop_assert!([column.mean.verdict, column.sd.verdict, column.ks.verdict].contains(&Verdict::No));
        }
        if old == new {
            prop_assert_ne!(column.verdict, Verdict::No);
        }
    }
}
