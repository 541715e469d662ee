//! How likely a *yes* was to begin with, and how many more replicates would decide.

use crate::kolmogorov::{BRIDGE_MEAN, BRIDGE_POINT_80, Together, band, bridge_above, effective};
use crate::moments::float;
use crate::plan::DistributionOptions;
use crate::quantile::{normal_below, normal_point};
use crate::separation;
use crate::spread::REPLICATES_MIN;

/// The power that the number of further replicates is planned for.
pub const PLANNED_POWER: f64 = 0.8;
/// More replicates than this are as good as none.
const MORE_MAX: u64 = 1_000_000_000;

/// One criterion that shrinks with the number of replicates: where it stands, and the variance that one replicate of each
/// side adds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shrinking {
    /// Distance from the centre of the margins, 0 or more.
    pub(crate) estimate: f64,
    /// Half of the width of the margins.
    pub(crate) margin: f64,
    /// Variance of the estimate times the number of replicates, OLD and NEW.
    pub(crate) variances: (f64, f64),
}

/// Everything that the outlook follows from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Outlook {
    pub(crate) sizes: (f64, f64),
    pub(crate) mean: Shrinking,
    pub(crate) spread: Shrinking,
    /// The ends of the percentile interval, where they are asked for.
    pub(crate) ends: Option<[Shrinking; 2]>,
    /// Whether an interval is missing yet, so that nothing can say *yes*.
    pub(crate) is_interval_open: bool,
    /// The Kolmogorov–Smirnov statistic; 0 when a side is empty.
    pub(crate) statistic: f64,
    pub(crate) together: Together,
}

/// How a column can be decided.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Future {
    /// No number of replicates decides.
    Never,
    /// By intervals that shrink.
    Sizes(Outlook),
    /// By counting: one side has a single value, and `marked` of the `side` replicates of the other have another one.
    Constant { marked: usize, side: usize, total: usize },
}

/// The probability of a *yes* from each criterion, if both sides are the same distribution.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Power {
    pub(crate) mean: f64,
    pub(crate) spread: f64,
    pub(crate) shape: f64,
    pub(crate) ends: Option<f64>,
}

impl Future {
    pub(crate) fn with_statistic(self, statistic: Option<f64>) -> Self {
        match self {
            Self::Sizes(outlook) => Self::Sizes(Outlook { statistic: statistic.unwrap_or(0.0), ..outlook }),
            other => other,
        }
    }

    /// `None` when a *yes* was not possible.
    pub(crate) fn power(&self, options: &DistributionOptions) -> Option<Power> {
        match self {
            Self::Sizes(outlook) if !outlook.is_interval_open => Some(outlook.power(options)),
            _ => None,
        }
    }

    /// How many replicates more on each side would decide; `None` when none would that could be made.
    pub(crate) fn more(&self, options: &DistributionOptions) -> Option<u64> {
        match self {
            Self::Never => None,
            Self::Sizes(outlook) => outlook.more(options),
            Self::Constant { marked, side, total } => fewest(|more| {
                let more = usize::try_from(more).unwrap_or(usize::MAX);
                let grown = side.saturating_add(more);
                let marked = marked.saturating_mul(grown) / (*side).max(1);
                separation::within(marked, grown, total.saturating_add(more.saturating_mul(2)))
                    <= options.alpha
            }),
        }
    }
}

impl Power {
    /// Of all together, at least (Bonferroni's inequality).
    pub(crate) fn of_all(self) -> f64 {
        let ends = self.ends.map_or(0.0, |ends| ends - 1.0);
        (self.mean + self.spread + self.shape + ends - 2.0).max(0.0)
    }
}

impl Shrinking {
    fn error(&self, (old, new): (f64, f64)) -> f64 {
        (self.variances.0 / old + self.variances.1 / new).sqrt()
    }

    /// The probability that an estimate around 0 has its whole interval inside.
    fn power(&self, sizes: (f64, f64), alpha: f64) -> f64 {
        let error = self.error(sizes);
        let room = self.margin / error + normal_point(alpha);
        if room > 0.0 { 2.0 * normal_below(room) - 1.0 } else { 0.0 }
    }

    /// How far the estimate lies from the margin, outwards.
    fn beyond(&self) -> f64 {
        self.estimate - self.margin
    }

    /// Whether these sizes would decide, if the estimate is the truth.
    fn decides(&self, sizes: (f64, f64), alpha: f64) -> bool {
        let points = normal_point(1.0 - alpha) + normal_point(PLANNED_POWER);
        points * self.error(sizes) < self.beyond().abs()
    }
}

impl Outlook {
    /// With nothing known but the sizes: planned for two normal distributions that are the same.
    pub(crate) fn alike(sizes: (f64, f64), options: &DistributionOptions) -> Self {
        let shrinking =
            |margin, variance| Shrinking { estimate: 0.0, margin, variances: (variance, variance) };
        Self {
            sizes,
            mean: shrinking(options.margin_mean, 1.0),
            spread: shrinking(options.margin_sd.ln_1p(), 0.5),
            ends: options.ends().map(|asked| [shrinking(asked.margin, asked.normal_variance()); 2]),
            is_interval_open: true,
            statistic: 0.0,
            together: if options.paired { Together::Paired } else { Together::Independent },
        }
    }

    /// Where mean and spread are the same without any doubt, and only the number of replicates is in question.
    pub(crate) fn certain(sizes: (f64, f64), options: &DistributionOptions) -> Self {
        let mut outlook = Self::alike(sizes, options);
        outlook.mean.variances = (0.0, 0.0);
        outlook.spread.variances = (0.0, 0.0);
        outlook.ends.iter_mut().flatten().for_each(|end| end.variances = (0.0, 0.0));
        outlook.is_interval_open = false;
        outlook
    }

    pub(crate) fn power(&self, options: &DistributionOptions) -> Power {
        let (old, new) = self.sizes;
        let room = options.margin_ks - band(options.alpha, old, new, self.together);
        Power {
            mean: self.mean.power(self.sizes, options.alpha),
            spread: self.spread.power(self.sizes, options.alpha),
            shape: if room > 0.0 { 1.0 - bridge_above(room * effective(old, new).sqrt()) } else { 0.0 },
            ends: self.ends.map(|ends| {
                let power = ends.map(|end| end.power(self.sizes, options.alpha));
                (power[0] + power[1] - 1.0).max(0.0)
            }),
        }
    }

    /// How many replicates more on each side would decide with a power of [`PLANNED_POWER`], if what was measured is the
    /// truth: all criteria inside, or, where one lies beyond its margin, that one outside. `None` when none would that
    /// could be made.
    ///
    /// What lies beyond its margin by less than its own error may be noise; then it is at least the number with which two
    /// samples of one distribution are told to be equal.
    pub(crate) fn more(&self, options: &DistributionOptions) -> Option<u64> {
        let noise = BRIDGE_MEAN / effective(self.sizes.0, self.sizes.1).sqrt();
        // A distance is never below 0, so its noise is taken off; what is left is what more replicates would show.
        let distance = (self.statistic - noise).max(0.0);
        let criteria: Vec<&Shrinking> = self.criteria().collect();
        if distance <= options.margin_ks && criteria.iter().all(|one| one.beyond() <= 0.0) {
            return fewest(|more| self.is_inside(distance, more, options));
        }
        let outside = fewest(|more| self.is_outside(distance, more, options))?;
        let is_clear = |one: &&Shrinking| one.beyond() > one.error(self.sizes);
        let is_large = self.sizes.0.min(self.sizes.1) >= float(REPLICATES_MIN);
        if is_large && (distance - noise > options.margin_ks || criteria.iter().any(is_clear)) {
            return Some(outside);
        }
        let alike = Self::alike(self.sizes, options);
        let inside = if alike.is_inside(0.0, 0, options) {
            0
        } else {
            fewest(|more| alike.is_inside(0.0, more, options))?
        };
        Some(outside.max(inside))
    }

    /// What shrinks with the number of replicates.
    fn criteria(&self) -> impl Iterator<Item = &Shrinking> {
        [&self.mean, &self.spread].into_iter().chain(self.ends.iter().flatten())
    }

    fn is_inside(&self, distance: f64, more: u64, options: &DistributionOptions) -> bool {
        let (sizes, noise, band) = self.with(more, options);
        let least = options.ends().map_or(0.0, |asked| asked.replicates_min()).max(float(REPLICATES_MIN));
        sizes.0.min(sizes.1) >= least
            && self.criteria().all(|one| one.decides(sizes, options.alpha))
            && options.margin_ks - distance - band > noise
    }

    fn is_outside(&self, distance: f64, more: u64, options: &DistributionOptions) -> bool {
        let (sizes, noise, band) = self.with(more, options);
        let is_beyond = |one: &Shrinking| one.beyond() > 0.0 && one.decides(sizes, options.alpha);
        self.criteria().any(is_beyond) || distance - options.margin_ks - band > noise
    }

    /// Sizes, noise and band of the distance with so many replicates more.
    #[expect(
        clippy::cast_precision_loss,
        reason = "a plan of a thousand million replicates is not held to one"
    )]
    fn with(&self, more: u64, options: &DistributionOptions) -> ((f64, f64), f64, f64) {
        let (old, new) = (self.sizes.0 + more as f64, self.sizes.1 + more as f64);
        let noise = BRIDGE_POINT_80 / effective(old, new).sqrt();
        ((old, new), noise, band(options.alpha, old, new, self.together))
    }
}

/// The smallest number for which a monotone condition holds.
fn fewest(holds: impl Fn(u64) -> bool) -> Option<u64> {
    let mut high = 1;
    while !holds(high) {
        high *= 2;
        if high > MORE_MAX {
            return None;
        }
    }
    let mut low = high / 2;
    while low + 1 < high {
        let middle = u64::midpoint(low, high);
        if holds(middle) {
            high = middle;
        } else {
            low = middle;
        }
    }
    Some(high)
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "these numbers are exact")]
mod tests {
    use super::*;

    fn outlook(size: f64, mean: f64, statistic: f64) -> Outlook {
        Outlook {
            sizes: (size, size),
            mean: Shrinking { estimate: mean, margin: 0.25, variances: (1.0, 1.0) },
            spread: Shrinking { estimate: 0.0, margin: 0.25_f64.ln_1p(), variances: (0.5, 0.5) },
            ends: None,
            is_interval_open: false,
            statistic,
            together: Together::Independent,
        }
    }

    #[test]
    fn the_fewest_is_found() {
        for wanted in [1, 2, 3, 100, 999, 1024] {
            assert_eq!(fewest(|more| more >= wanted), Some(wanted));
        }
        assert_eq!(fewest(|_| false), None);
    }

    #[test]
    fn what_lies_inside_needs_fewer_the_closer_to_the_middle() {
        let options = DistributionOptions::default();
        let more = |mean| outlook(50.0, mean, 0.1).more(&options).unwrap();
        assert!(more(0.0) < more(0.2) && more(0.2) < more(0.24), "{} {}", more(0.0), more(0.2));
        assert!(more(5.0) < 10, "far outside is soon seen: {}", more(5.0));
        assert_eq!(outlook(50.0, 0.25, 0.1).more(&options), None, "on the margin nothing decides");
    }

    #[test]
    fn power_grows_with_the_replicates_and_is_none_with_few() {
        let options = DistributionOptions::default();
        let power = |size| outlook(size, 0.0, 0.0).power(&options).of_all();
        assert_eq!(power(8.0), 0.0);
        assert!(power(500.0) < power(1000.0));
        assert!(power(2000.0) > 0.99, "{}", power(2000.0));
    }
}
