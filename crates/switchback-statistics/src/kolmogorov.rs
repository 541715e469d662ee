//! The Kolmogorov–Smirnov distance between two samples, its band, and its probability.

use std::cmp::Ordering;
use std::f64::consts::PI;

use statrs::function::erf::erf;

use crate::moments::float;

/// Products of sizes up to this one are counted exactly when the sizes differ; beyond, the limit is used.
const EXACT_PRODUCT_MAX: usize = 1_000_000;
/// Mean of the supremum of a Brownian bridge's magnitude, `sqrt(pi / 2) ln 2`.
pub(crate) const BRIDGE_MEAN: f64 = 0.868_731_160_636_159_6;
/// Its 80 % point.
pub(crate) const BRIDGE_POINT_80: f64 = 1.072_749;

/// The largest distance between two empirical distribution functions, exactly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Distance {
    /// The distance times both sizes: a whole number.
    scaled: u128,
    old: usize,
    new: usize,
}

impl Distance {
    /// Of two sides, each its values in any order and the number of its nulls. Minus infinity comes first, then the finite
    /// values, infinity, NaN and null: what is missing counts as a place of its own, so that a side that misses more than
    /// the other is another distribution. `None` when a side is empty.
    pub(crate) fn of(old: (&[f64], usize), new: (&[f64], usize)) -> Option<Self> {
        let (old_size, new_size) = (old.0.len() + old.1, new.0.len() + new.1);
        if old_size == 0 || new_size == 0 {
            return None;
        }
        let (old, new) = (in_order(old.0), in_order(new.0));
        let (mut i, mut j, mut scaled) = (0, 0, 0_u128);
        while i < old.len() || j < new.len() {
            let here = match (old.get(i), new.get(j)) {
                (Some(one), Some(two)) if one.total_cmp(two) == Ordering::Greater => *two,
                (Some(one), _) => *one,
                (None, Some(two)) => *two,
                (None, None) => break,
            };
            i += old[i..].iter().take_while(|value| value.total_cmp(&here).is_eq()).count();
            j += new[j..].iter().take_while(|value| value.total_cmp(&here).is_eq()).count();
            let (one, two) = (i as u128 * new_size as u128, j as u128 * old_size as u128);
            scaled = scaled.max(one.abs_diff(two));
        }
        Some(Self { scaled, old: old_size, new: new_size })
    }

    /// The statistic, between 0 and 1.
    #[expect(clippy::cast_precision_loss, reason = "a distance needs no more than 53 bits")]
    pub(crate) fn statistic(self) -> f64 {
        self.scaled as f64 / (self.old as u128 * self.new as u128) as f64
    }

    /// The probability of such a distance, or a larger one, when both samples come from one continuous distribution.
    /// With ties it is smaller than that: it errs towards keeping the hypothesis.
    ///
    /// Exact for equal sizes (B. V. Gnedenko and V. S. Korolyuk, *On the maximum discrepancy between two empirical
    /// distributions*, Doklady 80 (1951) 525) and for small products of sizes (J. L. Hodges, *The significance probability
    /// of the Smirnov two-sample test*, Arkiv för Matematik 3 (1958) 469); else Kolmogorov's limit with the correction of
    /// M. A. Stephens, Journal of the Royal Statistical Society B 32 (1970) 115.
    pub(crate) fn probability(self) -> f64 {
        let probability = match () {
            () if self.scaled == 0 => 1.0,
            () if self.old == self.new => self.of_equal_sizes(),
            () if self.old.saturating_mul(self.new) <= EXACT_PRODUCT_MAX => self.by_counting(),
            () => {
                let root = effective(float(self.old), float(self.new)).sqrt();
                bridge_above((root + 0.12 + 0.11 / root) * self.statistic())
            }
        };
        probability.clamp(0.0, 1.0)
    }

    /// `2 sum (-1)^(i-1) C(2n, n - ih) / C(2n, n)` with `h = n D`.
    fn of_equal_sizes(self) -> f64 {
        let size = self.old as u128;
        // Of equal sizes, the scaled distance is a multiple of the size.
        let step = self.scaled / size;
        let (mut sum, mut term, mut sign) = (0.0_f64, 1.0_f64, 1.0_f64);
        for reach in 1..=size {
            #[expect(clippy::cast_precision_loss, reason = "no memory holds 2^53 values")]
            let ratio = (size - reach + 1) as f64 / (size + reach) as f64;
            term *= ratio;
            if reach % step == 0 {
                sum += sign * term;
                sign = -sign;
            }
            if term < f64::MIN_POSITIVE {
                break;
            }
        }
        2.0 * sum
    }

    /// One minus the share of lattice paths from corner to corner that stay closer to the diagonal than the distance.
    fn by_counting(self) -> f64 {
        let (rows, columns) = (self.old, self.new);
        let is_near = |i: usize, j: usize| {
            (i as u128 * columns as u128).abs_diff(j as u128 * rows as u128) < self.scaled
        };
        let mut shares: Vec<f64> = (0..=columns).map(|j| if is_near(0, j) { 1.0 } else { 0.0 }).collect();
        // A path along the edge that left the near zone does not come back.
        let first_far = shares.iter().position(|share| *share == 0.0).unwrap_or(shares.len());
        shares[first_far..].fill(0.0);
        for i in 1..=rows {
            let weight = float(i) / float(i + columns);
            shares[0] = if is_near(i, 0) { shares[0] * weight } else { 0.0 };
            for j in 1..=columns {
                shares[j] = if is_near(i, j) { shares[j] * weight + shares[j - 1] } else { 0.0 };
            }
        }
        1.0 - shares[columns]
    }
}

/// Ascending; the signs of zeros and of NaN are no difference.
fn in_order(values: &[f64]) -> Vec<f64> {
    let plain = |value: &f64| if value.is_nan() { f64::NAN.abs() } else { value + 0.0 };
    let mut values: Vec<f64> = values.iter().map(plain).collect();
    values.sort_by(f64::total_cmp);
    values
}

/// `mn / (m + n)`.
pub(crate) fn effective(old: f64, new: f64) -> f64 {
    old * new / (old + new)
}

/// The probability that the supremum of a Brownian bridge's magnitude lies above `x`: A. N. Kolmogorov, *Sulla
/// determinazione empirica di una legge di distribuzione*, Giornale dell'Istituto Italiano degli Attuari 4 (1933) 83.
pub(crate) fn bridge_above(x: f64) -> f64 {
    if x <= 0.0 {
        return 1.0;
    }
    if x < 1.0 {
        // The same series after a theta transformation: it converges where the other one does not.
        let term = |k: i32| (-(f64::from(2 * k - 1) * PI / x).powi(2) / 8.0).exp();
        return 1.0 - (2.0 * PI).sqrt() / x * (1..=5).map(term).sum::<f64>();
    }
    let term = |k: i32| {
        let sign = if k % 2 == 1 { 1.0 } else { -1.0 };
        sign * (-2.0 * f64::from(k * k) * x * x).exp()
    };
    2.0 * (1..=10).map(term).sum::<f64>()
}

/// How the two samples hang together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Together {
    /// Drawn independently of each other.
    Independent,
    /// Replicate by replicate from the same draws: anything is possible.
    Paired,
}

/// The probability, at most, that the distance of the two samples is farther than `gap` from that of the two
/// distributions which they were drawn from. It holds for every pair of distributions and every size.
///
/// By the triangle inequality the error of the distance is at most the sum of the errors of the two empirical distribution
/// functions. Each is above `x` with a probability of at most `2 exp(-2 n x^2)`: A. Dvoretzky, J. Kiefer and J. Wolfowitz,
/// *Asymptotic minimax character of the sample distribution function*, Annals of Mathematical Statistics 27 (1956) 642,
/// with the constant 2 of P. Massart, *The tight constant in the Dvoretzky–Kiefer–Wolfowitz inequality*, Annals of
/// Probability 18 (1990) 1269. Of independent samples, the tail of the sum is that of two independent variables with these
/// tails, in closed form; of paired ones, each error gets half of the probability.
pub(crate) fn error_above(gap: f64, old: f64, new: f64, together: Together) -> f64 {
    if together == Together::Paired {
        // The inverse of `band`: both roots scale the same.
        let root = gap / ((2.0 * old).sqrt().recip() + (2.0 * new).sqrt().recip());
        return (4.0 * (-root * root).exp()).min(1.0);
    }
    let certain = |size: f64| (std::f64::consts::LN_2 / (2.0 * size)).sqrt();
    let (start, end) = (certain(old), gap - certain(new));
    if end <= start {
        return 1.0;
    }
    let (sum, middle) = (old + new, new * gap / (old + new));
    let (low, high) = (start - middle, end - middle);
    let bell = |x: f64| (-2.0 * sum * x * x).exp();
    let slope = (bell(low) - bell(high)) / (4.0 * sum);
    let root = (2.0 * sum).sqrt();
    let area = middle * (PI / (8.0 * sum)).sqrt() * (erf(root * high) - erf(root * low));
    let both = 16.0 * old * (-2.0 * effective(old, new) * gap * gap).exp() * (slope + area);
    (2.0 * (-2.0 * old * end * end).exp() + both).clamp(0.0, 1.0)
}

/// The gap that the error exceeds with a probability of at most `alpha`.
pub(crate) fn band(alpha: f64, old: f64, new: f64, together: Together) -> f64 {
    // At this gap even halves of the probability hold, so it is above the one looked for.
    let half = |size: f64| ((4.0 / alpha).ln() / (2.0 * size)).sqrt();
    let mut high = half(old) + half(new);
    if together == Together::Paired {
        return high;
    }
    let mut low = 0.0;
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if error_above(middle, old, new, together) > alpha {
            low = middle;
        } else {
            high = middle;
        }
    }
    high
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "these numbers are exact")]
mod tests {
    use super::*;
    use crate::random::Random;

    fn of(old: &[f64], new: &[f64]) -> Distance {
        Distance::of((old, 0), (new, 0)).unwrap()
    }

    #[test]
    fn the_statistic_is_the_largest_gap_after_all_ties() {
        assert_eq!(of(&[1.0, 2.0, 3.0, 4.0], &[3.0, 4.0, 5.0, 6.0]).statistic(), 0.5);
        assert_eq!(of(&[1.0, 1.0, 1.0], &[1.0, 1.0]).statistic(), 0.0);
        assert_eq!(of(&[0.0], &[-0.0]).statistic(), 0.0);
        assert_eq!(of(&[1.0], &[2.0]).statistic(), 1.0);
        assert_eq!(Distance::of((&[], 0), (&[1.0], 0)), None);
    }

    #[test]
    fn what_is_missing_has_a_place_of_its_own() {
        let side = [1.0, 2.0];
        assert_eq!(Distance::of((&side, 2), (&side, 2)).unwrap().statistic(), 0.0);
        assert_eq!(Distance::of((&side, 2), (&[1.0, 2.0, 1.0, 2.0], 0)).unwrap().statistic(), 0.5);
        assert_eq!(of(&[1.0, f64::NAN], &[1.0, f64::INFINITY]).statistic(), 0.5);
        assert_eq!(of(&[1.0, f64::NAN], &[1.0, -f64::NAN]).statistic(), 0.0);
        assert_eq!(Distance::of((&[1.0, f64::NAN], 0), (&[1.0], 1)).unwrap().statistic(), 0.5);
    }

    #[test]
    fn probabilities_are_the_exact_ones() {
        // 3 against 3 wholly apart: 2 of C(6, 3) orders. 4 against 4 at 3/4: 2 (8 - 0) / 70 by the formula.
        assert!((of(&[1.0, 2.0, 3.0], &[4.0, 5.0, 6.0]).probability() - 0.1).abs() < 1e-15);
        assert!((of(&[1.0, 2.0, 3.0, 5.0], &[4.0, 6.0, 7.0, 8.0]).probability() - 16.0 / 70.0).abs() < 1e-15);
        // 2 against 3 wholly apart: 2 of C(5, 2) orders.
        assert!((of(&[1.0, 2.0], &[4.0, 5.0, 6.0]).probability() - 0.2).abs() < 1e-15);
        assert_eq!(of(&[1.0, 2.0], &[1.0, 2.0]).probability(), 1.0);
    }

    #[test]
    fn counting_the_formula_and_the_limit_agree() {
        let mut random = Random::new(5, 0);
        let mut draw = |size: usize| (0..size).map(|_| random.uniform()).collect::<Vec<_>>();
        for (old, new) in [(20, 20), (50, 50), (400, 400)] {
            let distance = of(&draw(old), &draw(new));
            assert!((distance.of_equal_sizes() - distance.by_counting()).abs() < 1e-9, "{distance:?}");
        }
        let distance = of(&draw(900), &draw(1000));
        let root = effective(900.0, 1000.0).sqrt();
        let limit = bridge_above((root + 0.12 + 0.11 / root) * distance.statistic());
        assert!((distance.by_counting() - limit).abs() < 0.01, "{distance:?} {limit}");
    }

    #[test]
    fn the_limit_is_that_of_the_tables() {
        // N. Smirnov, Annals of Mathematical Statistics 19 (1948) 279.
        for (x, above) in [(0.5, 0.963_9), (0.83, 0.496_2), (1.0, 0.27), (1.36, 0.049_5), (1.63, 0.009_8)] {
            assert!((bridge_above(x) - above).abs() < 1e-4, "{x}: {}", bridge_above(x));
        }
        assert!((bridge_above(BRIDGE_POINT_80) - 0.2).abs() < 1e-5);
        assert!((bridge_above(1.0 - 1e-12) - bridge_above(1.0)).abs() < 1e-10);
    }

    /// The tail of the sum by a sum over a fine grid, to hold the closed form against.
    fn by_quadrature(gap: f64, old: f64, new: f64) -> f64 {
        let above = |x: f64, size: f64| (2.0 * (-2.0 * size * x * x).exp()).min(1.0);
        let steps = 200_000;
        let width = gap / f64::from(steps);
        let inner: f64 = (0..steps)
            .map(|step| {
                let x = f64::from(step) * width;
                (above(x, old) - above(x + width, old)) * above(gap - x - width / 2.0, new)
            })
            .sum();
        inner + above(gap, old)
    }

    #[test]
    fn the_tail_of_the_sum_is_what_quadrature_gives() {
        for (old, new) in [(100.0, 100.0), (30.0, 3000.0), (3000.0, 30.0), (7.0, 11.0)] {
            for alpha in [0.2, 0.05, 0.001] {
                let gap = band(alpha, old, new, Together::Independent);
                let by_grid = by_quadrature(gap, old, new);
                assert!((by_grid - alpha).abs() < 1e-4 * alpha.max(0.01), "{old} {new} {alpha}: {by_grid}");
                let paired = band(alpha, old, new, Together::Paired);
                assert!(paired > gap, "dependence costs");
                assert!((error_above(paired, old, new, Together::Paired) - alpha).abs() < 1e-12);
            }
            let mirrored = error_above(0.5, new, old, Together::Independent);
            assert!((error_above(0.5, old, new, Together::Independent) - mirrored).abs() < 1e-12);
        }
    }
}
