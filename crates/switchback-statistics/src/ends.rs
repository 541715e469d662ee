//! Whether the ends of two percentile intervals are equivalent: bootstrap intervals of their differences against a margin.

use switchback_core::verdict::Verdict;

use crate::format::{EndFinding, EndsFinding};
use crate::moments::{Common, float};
use crate::quantile::{normal_below, normal_point, student_point};
use crate::random::{Random, stream_of};
use crate::spread::{Draws, comes_first, variance};

/// Beyond each end so many replicates are expected, at least. With fewer, the bootstrap of a quantile has too few different
/// values to draw.
const TAIL_REPLICATES_MIN: f64 = 10.0;

/// What is asked of the ends.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Asked {
    /// How far they may lie apart, in standard deviations of OLD.
    pub(crate) margin: f64,
    /// The share of the replicates that lies between them.
    pub(crate) level: f64,
    pub(crate) alpha: f64,
}

impl Asked {
    /// The share of the replicates beyond each end.
    pub(crate) fn tail(&self) -> f64 {
        0.5 * (1.0 - self.level)
    }

    /// The fewest replicates on each side.
    pub(crate) fn replicates_min(&self) -> f64 {
        // A level such as 0.95 is no binary fraction; that must not cost a replicate.
        (TAIL_REPLICATES_MIN / self.tail() - 1e-6).ceil()
    }

    /// The variance, times the number of replicates, of an end of a normal sample in its standard deviations: that of a
    /// sample quantile, `p (1 - p) / f^2` with the density `f` there (H. Cramér, *Mathematical Methods of Statistics*,
    /// Princeton 1946, section 28.5).
    pub(crate) fn normal_variance(&self) -> f64 {
        let (tail, point) = (self.tail(), normal_point(self.tail()));
        let density = (-0.5 * point * point).exp() / (2.0 * std::f64::consts::PI).sqrt();
        tail * (1.0 - tail) / (density * density)
    }
}

/// The difference of one end, NEW minus OLD, in standard deviations of OLD.
#[derive(Debug, Clone)]
pub(crate) struct End {
    pub(crate) difference: f64,
    /// Of the resamples, ascending.
    resampled: Vec<f64>,
    /// The smaller number of replicates.
    size: f64,
}

/// The lower and the upper end.
pub(crate) type Ends = [End; 2];

/// One sample, and its replicates in ascending order.
struct Sample<'a> {
    values: &'a [f64],
    order: Vec<usize>,
}

impl<'a> Sample<'a> {
    fn of(values: &'a [f64]) -> Self {
        let mut order: Vec<usize> = (0..values.len()).collect();
        order.sort_by(|one, two| values[*one].total_cmp(&values[*two]));
        Self { values, order }
    }

    /// The point below which the share `tail` of the values lies and that above which it does, where each value is there as
    /// often as `counts` says: interpolated between order statistics (definition 7 of R. J. Hyndman and Y. Fan, *Sample
    /// quantiles in statistical packages*, The American Statistician 50 (1996) 361).
    fn ends(&self, counts: &[u32], tail: f64) -> [f64; 2] {
        let place = float(self.values.len() - 1) * tail;
        let low = walk(self.order.iter().map(|at| (self.values[*at], counts[*at])), place);
        let high = walk(self.order.iter().rev().map(|at| (self.values[*at], counts[*at])), place);
        [low, high]
    }

    fn deviation(&self, counts: &[u32], is_resample: bool) -> f64 {
        let (mut sum, mut squares) = (0.0, 0.0);
        for (value, count) in self.values.iter().zip(counts) {
            let weighted = value * f64::from(*count);
            sum += weighted;
            squares += weighted * value;
        }
        let count = self.values.len();
        let size = float(count);
        // A resample is narrower than its sample; `variance` makes up for that.
        let share = if is_resample { 1.0 } else { (size - 1.0) / size };
        (variance(sum, squares, count) * share).sqrt()
    }
}

/// The value at a place that is counted from 0 and may lie between two, walking along values that are there several times.
fn walk(mut values: impl Iterator<Item = (f64, u32)>, place: f64) -> f64 {
    let (whole, part) = (place.floor(), place.fract());
    let mut passed = 0.0;
    let mut at = |place: f64, last: f64| {
        let mut value = last;
        while passed <= place {
            let Some((next, count)) = values.next() else { break };
            value = next;
            passed += f64::from(count);
        }
        value
    };
    let first = at(whole, 0.0);
    if part == 0.0 { first } else { first + part * (at(whole + 1.0, first) - first) }
}

/// The ends of two samples with a spread, and their resamples. `is_paired`: replicates are drawn in pairs.
pub(crate) fn ends(common: &Common, is_paired: bool, name: &str, tail: f64, draws: Draws) -> Ends {
    let (old, new) = (Sample::of(&common.old.values), Sample::of(&common.new.values));
    let (ratio, offset) = (common.unit_ratio(), common.offset());
    let differences = |counts: (&[u32], &[u32]), is_resample| {
        let (one, two) = (old.ends(counts.0, tail), new.ends(counts.1, tail));
        let deviation = old.deviation(counts.0, is_resample);
        [0, 1].map(|end| (two[end] * ratio + offset - one[end]) / deviation)
    };
    let once = (vec![1; old.values.len()], vec![1; new.values.len()]);
    let observed = differences((&once.0, &once.1), false);
    let stream = stream_of(&format!("{name}\0ends")).wrapping_mul(4);
    // The streams go with the samples and not with the sides.
    let streams = if comes_first(old.values, new.values, ratio) { (1, 2) } else { (2, 1) };
    let mut old_random = Random::new(draws.seed, stream.wrapping_add(streams.0));
    let mut new_random = Random::new(draws.seed, stream.wrapping_add(streams.1));
    let mut resampled = [Vec::with_capacity(draws.resamples), Vec::with_capacity(draws.resamples)];
    for _ in 0..draws.resamples {
        let one = drawn(old.values.len(), &mut old_random);
        let two = if is_paired { one.clone() } else { drawn(new.values.len(), &mut new_random) };
        let found = differences((&one, &two), true);
        for (all, found) in resampled.iter_mut().zip(found) {
            // A resample of one value alone has no unit, and says nothing.
            if found.is_finite() {
                all.push(found);
            }
        }
    }
    let size = float(old.values.len().min(new.values.len()));
    let [low, high] = resampled.map(|mut all| {
        all.sort_by(f64::total_cmp);
        all
    });
    [(observed[0], low), (observed[1], high)].map(|(difference, resampled)| End {
        difference,
        resampled,
        size,
    })
}

/// How often each of `count` values is drawn.
fn drawn(count: usize, random: &mut Random) -> Vec<u32> {
    let mut counts = vec![0; count];
    for _ in 0..count {
        counts[random.below(count)] += 1;
    }
    counts
}

impl End {
    /// The percentile interval of level 1 - 2 alpha (B. Efron, *Bootstrap methods: another look at the jackknife*, Annals of
    /// Statistics 7 (1979) 1), which for a quantile is nearly the exact one that counts order statistics; expanded for small
    /// samples after T. C. Hesterberg, *What teachers should know about the bootstrap*, The American Statistician 69 (2015)
    /// 371.
    fn interval(&self, alpha: f64) -> [f64; 2] {
        let reach = student_point(alpha, self.size - 1.0) * (self.size / (self.size - 1.0)).sqrt();
        let places = float(self.resampled.len() + 1);
        let cut = (normal_below(-reach) * places).floor();
        let count = self.resampled.len();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a share of a number of resamples"
        )]
        let cut = cut as usize;
        if cut == 0 || cut > count {
            return [f64::NEG_INFINITY, f64::INFINITY];
        }
        [self.resampled[cut - 1], self.resampled[count - cut]]
    }

    /// Half of the interval by the point of the normal distribution: the standard error, as the interval has it.
    pub(crate) fn error(&self, alpha: f64) -> f64 {
        let [low, high] = self.interval(alpha);
        0.5 * (high - low) / normal_point(1.0 - alpha)
    }

    /// The share of the resamples that lie inside the margin: what the interval's level would have to be to touch it.
    fn beyond(&self, margin: f64) -> f64 {
        let inside = if self.difference > margin {
            self.resampled.partition_point(|value| *value <= margin)
        } else if self.difference < -margin {
            self.resampled.len() - self.resampled.partition_point(|value| *value < -margin)
        } else {
            return 1.0;
        };
        float(inside + 1) / float(self.resampled.len() + 1)
    }
}

/// The finding, and the probability of what was seen if the truth lay on the margin. `finite`: the replicates of both sides. `ends`: `None` where a side has too few of them, or OLD has no spread.
pub(crate) fn find(asked: Asked, finite: (&[f64], &[f64]), ends: Option<&Ends>) -> (EndsFinding, f64) {
    let tail = asked.tail();
    let unit = |values: &[f64]| Sample::of(values).ends(&vec![1; values.len()], tail);
    let values = |side: &[f64]| (!side.is_empty()).then(|| unit(side));
    let (old, new) = (values(finite.0), values(finite.1));
    let told = |end: usize, verdict, difference, interval: Option<[f64; 2]>| EndFinding {
        verdict,
        old: old.map(|ends| ends[end]),
        new: new.map(|ends| ends[end]),
        difference,
        interval,
        bound: interval.map(|[low, high]: [f64; 2]| low.abs().max(high.abs())),
    };
    let finding =
        |verdict, low, high, why| EndsFinding { verdict, level: asked.level, low, high, power: None, why };
    let Some(ends) = ends else {
        let is_one = |side: &[f64]| {
            side.first().is_some_and(|first| side.iter().all(|value| value.total_cmp(first).is_eq()))
        };
        let is_same = is_one(finite.0) && is_one(finite.1) && finite.0.first() == finite.1.first();
        let fewest = finite.0.len().min(finite.1.len());
        let (verdict, why) = match () {
            () if float(fewest) < asked.replicates_min() => {
                let (percent, least) = (asked.level * 100.0, asked.replicates_min());
                (
                    Verdict::Unknown,
                    Some(format!(
                        "the ends of {percent} % need {least} finite replicates or more on each side"
                    )),
                )
            }
            () if is_same => (Verdict::Yes, None),
            () => (Verdict::Unknown, Some("OLD does not vary, so the ends have no unit".to_owned())),
        };
        let difference = is_same.then_some(0.0);
        let end = |end| told(end, verdict, difference, difference.map(|zero| [zero, zero]));
        return (finding(verdict, end(0), end(1), why), 1.0);
    };
    let judged = [0, 1].map(|end| {
        let interval = ends[end].interval(asked.alpha);
        let verdict = match interval {
            [low, high] if low > -asked.margin && high < asked.margin => Verdict::Yes,
            [low, high] if low > asked.margin || high < -asked.margin => Verdict::No,
            _ => Verdict::Unknown,
        };
        told(end, verdict, Some(ends[end].difference), Some(interval))
    });
    let beyond = ends[0].beyond(asked.margin).min(ends[1].beyond(asked.margin));
    let [low, high] = judged;
    (finding(Verdict::all([low.verdict, high.verdict]), low, high, None), beyond)
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "these numbers are exact")]
mod tests {
    use super::*;

    const DRAWS: Draws = Draws { seed: 1, stream: 0, resamples: 999 };
    const ASKED: Asked = Asked { margin: 0.5, level: 0.9, alpha: 0.05 };

    fn normal(seed: u64, size: usize) -> Vec<f64> {
        let mut random = Random::new(seed, 77);
        let mut values: Vec<f64> = (0..size).map(|_| random.normal()).collect();
        values.sort_by(f64::total_cmp);
        values
    }

    fn of(old: &[f64], new: &[f64]) -> Ends {
        ends(&Common::of(old, new), false, "x", ASKED.tail(), DRAWS)
    }

    #[test]
    fn ends_are_those_of_other_programs() {
        // numpy.percentile([1 … 11, 20], [5, 95]) with its default method.
        let values: Vec<f64> = (1..=11).map(f64::from).chain([20.0]).collect();
        let [low, high] = Sample::of(&values).ends(&[1; 12], 0.05);
        assert!((low - 1.55).abs() < 1e-12 && (high - 15.05).abs() < 1e-12, "{low} {high}");
        // Counted twice, a value stands in two places.
        assert_eq!(Sample::of(&[3.0, 1.0, 2.0]).ends(&[0, 3, 0], 0.25), [1.0, 1.0]);
        assert_eq!(Sample::of(&[3.0, 1.0, 2.0]).ends(&[2, 1, 0], 0.25), [2.0, 3.0]);
    }

    #[test]
    fn a_shift_moves_both_ends_by_it_whatever_the_offset_and_the_scale() {
        let old = normal(1, 2000);
        for (scale, offset) in [(1.0, 0.0), (1e-200, 0.0), (1e150, 0.0), (1.0, 1e6)] {
            let [one, two]: [Vec<f64>; 2] =
                [0.0, 0.3].map(|shift| old.iter().map(|value| (value + shift) * scale + offset).collect());
            for end in of(&one, &two) {
                assert!((end.difference - 0.3).abs() < 0.02, "{} at {scale} {offset}", end.difference);
                let [low, high] = end.interval(0.05);
                assert!(low < end.difference && end.difference < high);
            }
        }
    }

    #[test]
    fn for_large_normal_samples_the_error_is_that_of_theory() {
        let [low, high] = of(&normal(1, 4000), &normal(2, 4000));
        let theory = (2.0 * ASKED.normal_variance() / 4000.0).sqrt();
        // The unit varies with OLD's end: some of the error cancels.
        for end in [low, high] {
            assert!((end.error(0.05) / theory - 1.0).abs() < 0.35, "{} {theory}", end.error(0.05));
        }
    }

    #[test]
    fn too_few_replicates_and_no_spread_are_unknown() {
        let few = normal(1, 199);
        let (finding, _) = find(ASKED, (&few, &few), None);
        assert_eq!(finding.verdict, Verdict::Unknown);
        assert_eq!(finding.why.unwrap(), "the ends of 90 % need 200 finite replicates or more on each side");
        assert_eq!(find(ASKED, (&[1.0; 200], &[1.0; 200]), None).0.verdict, Verdict::Yes);
        assert_eq!(find(ASKED, (&[1.0; 200], &[2.0; 200]), None).0.verdict, Verdict::Unknown);
        assert!((Asked { level: 0.95, ..ASKED }.replicates_min() - 400.0).abs() < 1e-9);
    }
}
