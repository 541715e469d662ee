//! Means and central moments that neither a huge offset nor a tiny scale can spoil.

/// A number of things as a float. Exact up to 2^53, which no memory holds.
#[expect(clippy::cast_precision_loss, reason = "no memory holds 2^53 values")]
pub(crate) fn float(count: usize) -> f64 {
    count as f64
}

/// A sample as `centre + unit * value`, with values between -2 and 2, their median at 0, and a unit that is a power of two.
///
/// Squares of such values neither overflow nor vanish, whatever the offset and the scale of the sample.
#[derive(Debug, Clone)]
pub(crate) struct Placed {
    /// In the order given.
    pub(crate) values: Vec<f64>,
    centre: f64,
    unit: f64,
}

/// Two samples, each placed for itself, on one common power of two.
#[derive(Debug, Clone)]
pub(crate) struct Common {
    pub(crate) old: Placed,
    pub(crate) new: Placed,
}

impl Common {
    /// From finite values.
    pub(crate) fn of(old: &[f64], new: &[f64]) -> Self {
        let largest = old.iter().chain(new).fold(0.0_f64, |largest, value| largest.max(value.abs()));
        let factor = power_of_two_near(largest);
        Self { old: Placed::of(old, factor), new: Placed::of(new, factor) }
    }

    /// NEW's unit in OLD's units: a power of two.
    pub(crate) fn unit_ratio(&self) -> f64 {
        self.new.unit / self.old.unit
    }

    /// NEW's median minus OLD's, in OLD's units.
    pub(crate) fn offset(&self) -> f64 {
        (self.new.centre - self.old.centre) / self.old.unit
    }

    /// Mean of NEW minus mean of OLD, in OLD's units.
    pub(crate) fn difference(&self, old: &Moments, new: &Moments) -> f64 {
        self.offset() + (new.mean * self.unit_ratio() - old.mean)
    }
}

impl Placed {
    fn of(values: &[f64], factor: f64) -> Self {
        let mut sorted: Vec<f64> = values.iter().map(|value| value * factor).collect();
        sorted.sort_by(f64::total_cmp);
        // Around the median, a resample without the outliers of its sample keeps its digits.
        let centre = sorted.get(sorted.len() / 2).copied().unwrap_or(0.0);
        let reach = |end: Option<&f64>| end.map_or(0.0, |end| (end - centre).abs());
        let unit = power_of_two_near(reach(sorted.first()).max(reach(sorted.last()))).recip();
        let values = values.iter().map(|value| (value * factor - centre) / unit).collect();
        Self { values, centre, unit }
    }
}

/// `1 / magnitude`, rounded to a power of two and kept finite.
fn power_of_two_near(magnitude: f64) -> f64 {
    if magnitude == 0.0 {
        return 1.0;
    }
    // The logarithm of a finite positive number lies between -1074 and 1024; 2^-1022 to 2^1022 are normal.
    (-magnitude.log2().floor()).clamp(-1022.0, 1022.0).exp2()
}

/// What is known of a sample of at least one finite value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Moments {
    pub(crate) count: usize,
    pub(crate) mean: f64,
    /// With the divisor `count - 1`; 0 for one value and, exactly, for equal ones.
    pub(crate) variance: f64,
    /// Third central moment by the third power of the standard deviation.
    pub(crate) skewness: f64,
    /// Fourth central moment by the square of the variance: 3 for a normal distribution.
    pub(crate) kurtosis: f64,
}

impl Moments {
    /// Two passes, the second corrected for the rounding of the first: T. F. Chan, G. H. Golub and R. J. LeVeque,
    /// *Algorithms for computing the sample variance*, The American Statistician 37 (1983) 242.
    pub(crate) fn of(values: &[f64]) -> Self {
        let count = values.len();
        let size = float(count.max(1));
        let is_constant =
            values.first().is_none_or(|first| values.iter().all(|value| value.total_cmp(first).is_eq()));
        if is_constant {
            let mean = values.first().copied().unwrap_or(0.0);
            return Self { count, mean, variance: 0.0, skewness: 0.0, kurtosis: 3.0 };
        }
        let rough = values.iter().sum::<f64>() / size;
        let mut sums = [0.0_f64; 4];
        for value in values {
            let gap = value - rough;
            let square = gap * gap;
            for (sum, power) in sums.iter_mut().zip([gap, square, square * gap, square * square]) {
                *sum += power;
            }
        }
        let [shift, second, third, fourth] = sums.map(|sum| sum / size);
        let second = (second - shift * shift).max(0.0);
        let variance = second * size / (size - 1.0);
        Self {
            count,
            mean: rough + shift,
            variance,
            skewness: third / (second * second.sqrt()),
            kurtosis: fourth / (second * second),
        }
    }

    pub(crate) fn deviation(&self) -> f64 {
        self.variance.sqrt()
    }

    pub(crate) fn is_constant(&self) -> bool {
        self.variance == 0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(values: &[f64], mean: f64, variance: f64) {
        let moments = Moments::of(values);
        assert!((moments.mean - mean).abs() <= 1e-15 * mean.abs().max(1.0), "{moments:?}");
        assert!((moments.variance - variance).abs() <= 1e-12 * variance, "{moments:?}");
    }

    #[test]
    fn moments_of_plain_values() {
        check(&[2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0], 5.0, 32.0 / 7.0);
        let moments = Moments::of(&[1.0, 2.0, 3.0, 4.0, 10.0]);
        // mean 4, second 10, third 36, fourth 278.8 (by hand)
        assert!((moments.skewness - 36.0 / 1000_f64.sqrt()).abs() < 1e-12, "{moments:?}");
        assert!((moments.kurtosis - 2.788).abs() < 1e-12, "{moments:?}");
    }

    #[test]
    fn a_huge_offset_costs_no_digit_of_the_spread() {
        for offset in [0.0, 1e9, 1e15, -1e15] {
            let old = [4.0, 7.0, 13.0, 16.0].map(|value| value + offset);
            let new = [5.0, 8.0, 14.0, 17.0].map(|value| value + offset);
            let common = Common::of(&old, &new);
            let [old, new] = [&common.old, &common.new].map(|placed| Moments::of(&placed.values));
            let difference = common.difference(&old, &new) / old.deviation();
            assert!((difference - 1.0 / 30_f64.sqrt()).abs() < 1e-12, "{offset}: {difference}");
            assert!((new.variance / old.variance - 1.0).abs() < 1e-12, "{offset}");
        }
    }

    #[test]
    fn no_scale_overflows_or_vanishes() {
        for unit in [f64::MIN_POSITIVE / 1024.0, 1e-300, 1.0, 1e300, f64::MAX / 16.0] {
            let values: Vec<f64> = [-3.0, 1.0, 2.0, 8.0].iter().map(|value| value * unit).collect();
            let placed = Common::of(&values, &values).old.values;
            let shape = Moments::of(&placed).deviation() / (placed[3] - placed[0]);
            assert!((shape - (62.0_f64 / 3.0).sqrt() / 11.0).abs() < 1e-12, "{unit}: {shape}");
        }
    }

    #[test]
    fn an_outlier_on_one_side_leaves_the_spread_of_the_other() {
        let common = Common::of(&[-1.0, 0.0, 1.0], &[-1.0, 0.0, 1e300]);
        let [old, new] = [&common.old, &common.new].map(|placed| Moments::of(&placed.values));
        assert!(!old.is_constant());
        let difference = common.difference(&old, &new) / old.deviation();
        assert!((difference / (1e300 / 3.0) - 1.0).abs() < 1e-12, "{difference}");
    }

    #[test]
    fn the_same_value_again_and_again_has_no_spread_at_all() {
        assert!(Moments::of(&[0.1; 37]).is_constant());
        assert!(Moments::of(&[0.1]).is_constant());
        assert!(Moments::of(&[]).is_constant());
    }
}
