//! The ratio of two medians, with its bootstrap interval: for times of runs, which have long tails on one side.

use crate::moments::float;
use crate::random::Random;
use crate::spread::comes_first;

/// A ratio of medians, NEW by OLD.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MedianRatio {
    /// Of the samples themselves.
    pub ratio: f64,
    /// The bootstrap interval of level 1 - 2 alpha.
    pub interval: [f64; 2],
}

/// The ratio of the medians of two samples of finite numbers, 0 or more, with its percentile interval (B. Efron, *Bootstrap
/// methods: another look at the jackknife*, Annals of Statistics 7 (1979) 1): each side is drawn from for itself. It holds its
/// level with few values and with ties: R. R. Wilcox, *Comparing medians*, Computational Statistics & Data Analysis 51 (2006)
/// 1934. `None` when a side has fewer than [`runs_min`] values, or one that is not finite, or below 0.
///
/// Nothing and nothing are alike: the ratio of 0 and 0 is 1, and that of anything else to 0 is infinite. The order of the values
/// changes nothing, and swapping the sides gives the reciprocal of everything, but for the noise of the bootstrap when both
/// samples are the same.
#[must_use]
pub fn median_ratio(
    old: &[f64],
    new: &[f64],
    alpha: f64,
    resamples: usize,
    seed: u64,
) -> Option<MedianRatio> {
    let (old, new) = (in_order(old, alpha)?, in_order(new, alpha)?);
    let is_old_first = comes_first(&old, &new, 1.0);
    let streams = if is_old_first { (1, 2) } else { (2, 1) };
    let (mut old_random, mut new_random) = (Random::new(seed, streams.0), Random::new(seed, streams.1));
    let mut drawn = Vec::new();
    let mut logs: Vec<f64> = (0..resamples)
        .map(|_| {
            let one = drawn_median(&old, &mut old_random, &mut drawn);
            log_ratio(one, drawn_median(&new, &mut new_random, &mut drawn))
        })
        .collect();
    logs.sort_by(f64::total_cmp);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a share of a number of resamples"
    )]
    let cut = ((float(resamples + 1) * alpha).floor() as usize).max(1);
    let (low, high) = (*logs.get(cut - 1)?, *logs.get(resamples.checked_sub(cut)?)?);
    let ratio = log_ratio(median(&old), median(&new)).exp();
    Some(MedianRatio { ratio, interval: [low.exp(), high.exp()] })
}

/// With fewer values on a side, no interval of level `1 - 2 alpha` of a median can be stated without knowing the distribution: all of
/// them lie on one side of it with a probability of `0.5^n`.
#[must_use]
pub fn runs_min(alpha: f64) -> usize {
    let mut runs = 1;
    let mut chance = 0.5;
    while chance > alpha && runs < 1_000 {
        (runs, chance) = (runs + 1, chance * 0.5);
    }
    runs.max(2)
}

/// The logarithm of a ratio of numbers, 0 or more, one of which may be 0.
pub(crate) fn log_ratio(old: f64, new: f64) -> f64 {
    if old == 0.0 && new == 0.0 { 0.0 } else { (new / old).ln() }
}

fn in_order(values: &[f64], alpha: f64) -> Option<Vec<f64>> {
    let is_fit =
        values.len() >= runs_min(alpha) && values.iter().all(|value| value.is_finite() && *value >= 0.0);
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    is_fit.then_some(values)
}

fn median(sorted: &[f64]) -> f64 {
    let (low, high) = (sorted[(sorted.len() - 1) / 2], sorted[sorted.len() / 2]);
    f64::midpoint(low, high)
}

/// The median of a resample: the sample is sorted, so sorting the places sorts the values.
fn drawn_median(sorted: &[f64], random: &mut Random, places: &mut Vec<usize>) -> f64 {
    places.clear();
    places.extend((0..sorted.len()).map(|_| random.below(sorted.len())));
    let (below, middle, _) = places.select_nth_unstable(sorted.len() / 2);
    let high = sorted[*middle];
    if sorted.len() % 2 == 1 {
        return high;
    }
    let low = below.iter().max().map_or(high, |place| sorted[*place]);
    f64::midpoint(low, high)
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "these numbers are exact")]
mod tests {
    use super::*;

    fn times(seed: u64, size: usize, factor: f64) -> Vec<f64> {
        let mut random = Random::new(seed, 5);
        (0..size).map(|_| factor * (1.0 + 0.1 * -(1.0 - random.uniform()).ln())).collect()
    }

    #[test]
    fn the_interval_holds_the_ratio_that_was_planted() {
        let mut held = 0;
        for seed in 0..400 {
            let (old, new) = (times(seed, 30, 1.0), times(seed + 1000, 30, 1.2));
            let [low, high] = median_ratio(&old, &new, 0.05, 499, seed).unwrap().interval;
            held += u32::from(low <= 1.2 && 1.2 <= high);
        }
        // 90 % of 400 are 360; below 326 a fair interval falls with a probability under 1e-6.
        assert!(held >= 326, "{held}");
    }

    #[test]
    fn swapping_inverts_and_order_does_not_matter() {
        let (old, new) = (times(1, 21, 1.0), times(2, 30, 1.3));
        let there = median_ratio(&old, &new, 0.05, 999, 3).unwrap();
        let back = median_ratio(&new, &old, 0.05, 999, 3).unwrap();
        assert!((there.ratio * back.ratio - 1.0).abs() < 1e-12);
        assert!((there.interval[0] * back.interval[1] - 1.0).abs() < 1e-12);
        let mut shuffled = old.clone();
        shuffled.reverse();
        assert_eq!(median_ratio(&shuffled, &new, 0.05, 999, 3), Some(there));
    }

    #[test]
    fn what_has_no_ratio_is_none() {
        let good = [1.0, 2.0, 1.0, 2.0, 1.5];
        let with = |value: f64| [1.0, 1.0, 1.0, 1.0, value];
        let bad = [&good[..4], &with(-1.0)[..], &with(f64::NAN)[..], &with(f64::INFINITY)[..], &[]];
        for bad in bad {
            assert_eq!(median_ratio(bad, &good, 0.05, 99, 0), None, "{bad:?}");
            assert_eq!(median_ratio(&good, bad, 0.05, 99, 0), None, "{bad:?}");
        }
        assert!(median_ratio(&good, &good, 0.05, 99, 0).is_some());
        assert_eq!(median_ratio(&good, &good, 0.05, 0, 0), None, "no resamples");
        assert_eq!([0.4, 0.05, 0.01, 0.001].map(runs_min), [2, 5, 7, 10]);
    }

    #[test]
    fn what_does_not_vary_is_exact_and_nothing_is_as_much_as_nothing() {
        let ratio = |old: f64, new: f64| median_ratio(&[old; 5], &[new; 6], 0.05, 999, 0).unwrap();
        let wanted = MedianRatio { ratio: 1.0, interval: [1.0, 1.0] };
        assert_eq!((ratio(7.0, 7.0), ratio(0.0, 0.0)), (wanted, wanted));
        assert!(ratio(0.0, 3.0).interval[0].is_infinite());
        assert_eq!(ratio(3.0, 0.0).interval, [0.0, 0.0]);
        let ten_percent = ratio(40.0, 44.0);
        assert!((ten_percent.interval[0] - 1.1).abs() < 1e-12 && (ten_percent.ratio - 1.1).abs() < 1e-12);
    }
}
