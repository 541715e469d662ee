//! Whether two standard deviations are equivalent: the bootstrap interval of their ratio against a margin.

use switchback_core::verdict::Verdict;

use crate::format::SpreadFinding;
use crate::moments::{Moments, float};
use crate::quantile::{normal_below, normal_point, student_above, student_point};
use crate::random::Random;
use crate::separation;

/// With fewer replicates the bootstrap has too few different samples to draw.
pub(crate) const REPLICATES_MIN: usize = 10;

/// The two samples that are drawn from, each around 0 and in a canonical order, so that neither the order of the rows nor
/// the order of the sides changes what is drawn.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Source<'a> {
    /// Each side for itself, ascending.
    Independent(&'a [f64], &'a [f64]),
    /// Replicate by replicate.
    Paired(&'a [(f64, f64)]),
}

/// What the bootstrap follows from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Draws {
    pub(crate) seed: u64,
    pub(crate) stream: u64,
    pub(crate) resamples: usize,
}

/// The logarithm of the ratio of standard deviations, NEW by OLD, with what its interval is made of.
#[derive(Debug, Clone)]
pub(crate) struct Spread {
    pub(crate) log_ratio: f64,
    /// Its standard error: the infinitesimal jackknife.
    pub(crate) error: f64,
    acceleration: f64,
    /// Ascending.
    resampled: Vec<f64>,
    size: f64,
}

impl Spread {
    /// Of two samples with a spread. `unit_ratio` is NEW's unit in OLD's.
    pub(crate) fn of(source: Source<'_>, unit_ratio: f64, draws: Draws) -> Self {
        let offset = unit_ratio.ln();
        let (old, new) = match source {
            Source::Independent(old, new) => (Moments::of(old), Moments::of(new)),
            Source::Paired(pairs) => {
                let side =
                    |pick: fn(&(f64, f64)) -> f64| Moments::of(&pairs.iter().map(pick).collect::<Vec<_>>());
                (side(|pair| pair.0), side(|pair| pair.1))
            }
        };
        let log_ratio = 0.5 * (new.variance / old.variance).ln() + offset;
        let (squares, cubes) = influences(source, &old, &new);
        let mut resampled: Vec<f64> =
            resample(source, unit_ratio, draws).into_iter().map(|value| value + offset).collect();
        resampled.sort_by(f64::total_cmp);
        let size = float(old.count.min(new.count));
        let acceleration = if squares > 0.0 { cubes / (6.0 * squares.powf(1.5)) } else { 0.0 };
        Self { log_ratio, error: squares.sqrt(), acceleration, resampled, size }
    }

    /// The interval of level 1 - 2 alpha of the logarithm: bias-corrected and accelerated, after B. Efron, *Better bootstrap
    /// confidence intervals*, Journal of the American Statistical Association 82 (1987) 171, with the acceleration of
    /// several samples of T. J. DiCiccio and B. Efron, *Bootstrap confidence intervals*, Statistical Science 11 (1996) 189;
    /// expanded for small samples after T. C. Hesterberg, *What teachers should know about the bootstrap*, The American
    /// Statistician 69 (2015) 371: the normal point becomes Student's, times `sqrt(n / (n - 1))`. It is never narrower than
    /// the interval of the jackknife's standard error, which takes the noise of the draws out of the level.
    pub(crate) fn log_interval(&self, alpha: f64) -> [f64; 2] {
        let count = self.resampled.len();
        if count == 0 {
            return [f64::NEG_INFINITY, f64::INFINITY];
        }
        let below = self.resampled.partition_point(|value| *value < self.log_ratio);
        let up_to = self.resampled.partition_point(|value| *value <= self.log_ratio);
        let bias = normal_point(float(below + up_to) / (2.0 * float(count)));
        let reach = student_point(alpha, self.size - 1.0) * (self.size / (self.size - 1.0)).sqrt();
        let share = |point: f64| {
            let moved = bias + point;
            let brake = 1.0 - self.acceleration * moved;
            // Past the pole the correction has no meaning; the end that it stands for is then open.
            if brake > 0.0 { normal_below(bias + moved / brake) } else { f64::from(u8::from(point > 0.0)) }
        };
        let places = float(count + 1);
        // Both ends are rounded outwards, so that swapping the sides mirrors the interval.
        let low = (share(-reach) * places).floor();
        let high = (share(reach) * places).ceil();
        let jackknife = reach * self.error;
        [
            self.at(low).unwrap_or(f64::NEG_INFINITY).min(self.log_ratio - jackknife),
            self.at(high).unwrap_or(f64::INFINITY).max(self.log_ratio + jackknife),
        ]
    }

    /// The resample at a place that is counted from 1.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "checked to be a whole positive number"
    )]
    fn at(&self, place: f64) -> Option<f64> {
        (place >= 1.0).then(|| self.resampled.get(place as usize - 1).copied()).flatten()
    }

    /// The probability of such a ratio, or a farther one, if the true one lay on the margin: that of the jackknife's interval,
    /// which goes on where the bootstrap has no resamples.
    pub(crate) fn beyond(&self, log_margin: f64) -> f64 {
        let expansion = (self.size / (self.size - 1.0)).sqrt();
        student_above((self.log_ratio.abs() - log_margin) / (self.error * expansion), self.size - 1.0)
    }
}

/// Sums of squares and of cubes of the influence of every replicate on the logarithm of the ratio.
fn influences(source: Source<'_>, old: &Moments, new: &Moments) -> (f64, f64) {
    // The influence on the logarithm of a standard deviation: half of (z^2 - 1), by the number of values.
    let influence = |value: f64, moments: &Moments| {
        let size = float(moments.count);
        let square = (value - moments.mean).powi(2) / (moments.variance * (size - 1.0) / size);
        0.5 * (square - 1.0) / size
    };
    let sums = |(squares, cubes): (f64, f64), one: f64| (squares + one * one, cubes + one * one * one);
    match source {
        Source::Independent(first, second) => {
            let first = first.iter().map(|value| -influence(*value, old));
            first.chain(second.iter().map(|value| influence(*value, new))).fold((0.0, 0.0), sums)
        }
        Source::Paired(pairs) => pairs
            .iter()
            .map(|(first, second)| influence(*second, new) - influence(*first, old))
            .fold((0.0, 0.0), sums),
    }
}

/// Logarithms of ratios of resampled standard deviations. A resample in which neither side has a spread says nothing and is
/// left out; one in which only one side has none is infinite.
fn resample(source: Source<'_>, unit_ratio: f64, draws: Draws) -> Vec<f64> {
    let mut found = Vec::with_capacity(draws.resamples);
    match source {
        Source::Independent(old, new) => {
            // The streams go with the samples and not with the sides.
            let is_old_first = comes_first(old, new, unit_ratio);
            let (old_stream, new_stream) = if is_old_first { (1, 2) } else { (2, 1) };
            let stream =
                |which: u64| Random::new(draws.seed, draws.stream.wrapping_mul(4).wrapping_add(which));
            let (mut old_random, mut new_random) = (stream(old_stream), stream(new_stream));
            for _ in 0..draws.resamples {
                let one = drawn_variance(old, &mut old_random);
                let two = drawn_variance(new, &mut new_random);
                found.push(0.5 * (two.ln() - one.ln()));
            }
        }
        Source::Paired(pairs) => {
            let mut random = Random::new(draws.seed, draws.stream.wrapping_mul(4));
            for _ in 0..draws.resamples {
                let (one, two) = drawn_variances(pairs, &mut random);
                found.push(0.5 * (two.ln() - one.ln()));
            }
        }
    }
    found.retain(|value| !value.is_nan());
    found
}

/// Whether a sorted sample comes before another one, the larger unit last: a comparison that neither the order of the sides
/// nor the scale of both changes.
pub(crate) fn comes_first(one: &[f64], two: &[f64], unit_ratio: f64) -> bool {
    let by_values = one
        .iter()
        .zip(two)
        .map(|(one, two)| one.total_cmp(two))
        .find(|order| order.is_ne())
        .unwrap_or_else(|| one.len().cmp(&two.len()));
    by_values.then_with(|| 1.0_f64.total_cmp(&unit_ratio)).is_lt()
}

/// The variance of one resample, freed of the bias that drawing with replacement adds.
fn drawn_variance(values: &[f64], random: &mut Random) -> f64 {
    let (mut sum, mut squares) = (0.0, 0.0);
    for _ in 0..values.len() {
        let value = values[random.below(values.len())];
        sum += value;
        squares += value * value;
    }
    variance(sum, squares, values.len())
}

fn drawn_variances(pairs: &[(f64, f64)], random: &mut Random) -> (f64, f64) {
    let mut sums = [0.0; 4];
    for _ in 0..pairs.len() {
        let (old, new) = pairs[random.below(pairs.len())];
        sums = [sums[0] + old, sums[1] + old * old, sums[2] + new, sums[3] + new * new];
    }
    (variance(sums[0], sums[1], pairs.len()), variance(sums[2], sums[3], pairs.len()))
}

/// The variance of a resample from the sums of its values and of their squares.
pub(crate) fn variance(sum: f64, squares: f64, count: usize) -> f64 {
    let size = float(count);
    let mean = sum / size;
    // `n / (n - 1)` once as the usual divisor, and once more because a resample is narrower by that.
    (squares / size - mean * mean).max(0.0) * (size / (size - 1.0)).powi(2)
}

/// The finding, and the probability of what was seen if the true ratio lay on the margin. `off`: where one side is
/// constant, how many replicates of the other are not its most frequent value.
pub(crate) fn find(
    old: &Moments,
    new: &Moments,
    spread: Option<&Spread>,
    off: usize,
    (alpha, margin): (f64, f64),
) -> (SpreadFinding, f64) {
    let Some(spread) = spread else {
        return without_spread(old, new, off, alpha);
    };
    let log_margin = margin.ln_1p();
    let log_interval = spread.log_interval(alpha);
    let verdict = match log_interval {
        [low, high] if low > -log_margin && high < log_margin => Verdict::Yes,
        [low, high] if low > log_margin || high < -log_margin => Verdict::No,
        _ => Verdict::Unknown,
    };
    let bound = log_interval[0].abs().max(log_interval[1].abs()).exp_m1();
    let finding = SpreadFinding {
        verdict,
        ratio: Some(spread.log_ratio.exp()),
        interval: Some(log_interval.map(f64::exp)),
        bound: Some(bound),
        power: None,
        why: None,
    };
    (finding, spread.beyond(log_margin))
}

/// Too few replicates, or a side that is constant.
fn without_spread(old: &Moments, new: &Moments, off: usize, alpha: f64) -> (SpreadFinding, f64) {
    let decided = |verdict, ratio: f64, why: Option<String>| SpreadFinding {
        verdict,
        ratio: Some(ratio),
        interval: Some([ratio, ratio]),
        bound: None,
        power: None,
        why,
    };
    if old.count < 2 || new.count < 2 {
        return (SpreadFinding::unknown("a spread needs two finite replicates or more on each side"), 1.0);
    }
    match (old.is_constant(), new.is_constant()) {
        (true, true) => (decided(Verdict::Yes, 1.0, None), 1.0),
        (false, false) => {
            let why = format!("a bootstrap needs {REPLICATES_MIN} finite replicates or more on each side");
            (SpreadFinding::unknown(&why), 1.0)
        }
        (old_is_constant, _) => {
            let (constant, spread, ratio) =
                if old_is_constant { (old, new, f64::INFINITY) } else { (new, old, 0.0) };
            // If both were one distribution, those off the most frequent value might all have fallen on one side.
            let chance = separation::within(off, spread.count, spread.count + constant.count);
            if chance <= alpha {
                (decided(Verdict::No, ratio, None), chance)
            } else {
                let why = "one side is constant, and so few replicates of the other are not that chance may have done it";
                (decided(Verdict::Unknown, ratio, Some(why.to_owned())), chance)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DRAWS: Draws = Draws { seed: 1, stream: 9, resamples: 1999 };

    fn normal(seed: u64, size: usize) -> Vec<f64> {
        let mut random = Random::new(seed, 77);
        let mut values: Vec<f64> = (0..size).map(|_| random.normal()).collect();
        values.sort_by(f64::total_cmp);
        values
    }

    fn spread(old: &[f64], new: &[f64]) -> Spread {
        Spread::of(Source::Independent(old, new), 1.0, DRAWS)
    }

    #[test]
    fn for_large_normal_samples_it_is_the_interval_of_theory() {
        let spread = spread(&normal(1, 5000), &normal(2, 5000));
        // The variance of the logarithm of a normal standard deviation is 1 / 2n.
        let theory = (2.0 / 10_000_f64).sqrt();
        assert!((spread.error / theory - 1.0).abs() < 0.1, "{}", spread.error);
        let [low, high] = spread.log_interval(0.05);
        assert!(((high - low) / (2.0 * 1.645 * theory) - 1.0).abs() < 0.1, "{low} {high}");
        assert!(low < spread.log_ratio && spread.log_ratio < high);
    }

    #[test]
    fn swapping_the_sides_mirrors_it() {
        let (old, new) = (normal(1, 40), normal(2, 25));
        let (there, back) = (spread(&old, &new), spread(&new, &old));
        let [low, high] = there.log_interval(0.05);
        let [back_low, back_high] = back.log_interval(0.05);
        assert!((there.log_ratio + back.log_ratio).abs() < 1e-12);
        assert!((low + back_high).abs() < 1e-12 && (high + back_low).abs() < 1e-12);
        let unit = |ratio| Spread::of(Source::Independent(&old, &old), ratio, DRAWS).log_interval(0.05);
        let ([low, high], [back_low, back_high]) = (unit(2.0), unit(0.5));
        assert!((low + back_high).abs() < 1e-12 && (high + back_low).abs() < 1e-12);
    }

    #[test]
    fn pairs_that_move_together_have_a_narrow_interval() {
        let old = normal(3, 200);
        let pairs: Vec<(f64, f64)> = old.iter().map(|value| (*value, value * 1.01)).collect();
        let paired = Spread::of(Source::Paired(&pairs), 1.0, DRAWS);
        let [low, high] = paired.log_interval(0.05);
        assert!(
            (low - 0.01_f64.ln_1p()).abs() < 1e-9 && (high - 0.01_f64.ln_1p()).abs() < 1e-9,
            "{low} {high}"
        );
    }

    #[test]
    fn a_constant_side_is_held_against_chance() {
        let constant = Moments::of(&[1.0; 20]);
        let varied = Moments::of(&normal(1, 20));
        let settings = (0.05, 0.25);
        assert_eq!(find(&constant, &constant, None, 0, settings).0.verdict, Verdict::Yes);
        assert_eq!(find(&varied, &constant, None, 19, settings).0.verdict, Verdict::No);
        assert_eq!(find(&constant, &varied, None, 19, settings).0.ratio, Some(f64::INFINITY));
        assert_eq!(find(&varied, &constant, None, 1, settings).0.verdict, Verdict::Unknown);
    }
}
