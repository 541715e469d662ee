//! Whether two means are equivalent: Welch's interval against a margin, in standard deviations of OLD.

use crate::format::MeanFinding;
use crate::moments::{Moments, float};
use crate::quantile::{student_above, student_point};
use crate::separation;
use switchback_core::verdict::Verdict;

/// The difference of two means, in standard deviations of OLD, and its standard error.
///
/// B. L. Welch, *The generalization of Student's problem when several different population variances are involved*,
/// Biometrika 34 (1947) 28; degrees of freedom after F. E. Satterthwaite, Biometrics Bulletin 2 (1946) 110. An interval of
/// level 1 - 2 alpha inside the margins is the two one-sided tests at alpha: D. J. Schuirmann, Journal of Pharmacokinetics
/// and Biopharmaceutics 15 (1987) 657.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mean {
    pub(crate) difference: f64,
    /// Without the uncertainty of the unit.
    pub(crate) error: f64,
    pub(crate) degrees: f64,
    /// Variance of OLD's standard deviation, in its own square, and the covariance with OLD's mean.
    unit: (f64, f64),
}

impl Mean {
    /// Of two samples with two values or more, of which OLD is not constant. `difference` is that of the means and
    /// `new_variance` that of NEW, both in OLD's units; `paired` is the variance of the single differences, in the same
    /// unit squared.
    pub(crate) fn of(
        old: &Moments,
        new: &Moments,
        difference: f64,
        unit_ratio: f64,
        paired: Option<f64>,
    ) -> Self {
        let (old_size, new_size) = (float(old.count), float(new.count));
        let new_variance = new.variance * unit_ratio * unit_ratio;
        let (one, two) = (old.variance / old_size, new_variance / new_size);
        let mut square = one + two;
        let share = |part: f64, size: f64| (part / square).powi(2) / (size - 1.0);
        let mut degrees = (share(one, old_size) + share(two, new_size)).recip();
        if let Some(variance) = paired
            && variance / old_size > square
        {
            // Replicates that pull apart: the samples are not independent, and the difference varies more than two would.
            square = variance / old_size;
            degrees = old_size - 1.0;
        }
        let unit = ((old.kurtosis - 1.0) / (4.0 * old_size), old.skewness / old_size);
        Self {
            difference: difference / old.deviation(),
            error: square.sqrt() / old.deviation(),
            degrees,
            unit,
        }
    }

    /// The standard error under the hypothesis that the difference is `margin` units, where the unit is itself an estimate:
    /// the delta method for a standardised difference (L. V. Hedges, *Distribution theory for Glass's estimator of effect
    /// size*, Journal of Educational Statistics 6 (1981) 107), for any fourth moment. Never below Welch's.
    pub(crate) fn error_at(&self, margin: f64) -> f64 {
        let (variance, covariance) = self.unit;
        let more = margin * margin * variance + margin * covariance;
        (self.error * self.error + more.max(0.0)).sqrt()
    }

    pub(crate) fn interval(&self, alpha: f64) -> [f64; 2] {
        let reach = student_point(alpha, self.degrees) * self.error;
        [self.difference - reach, self.difference + reach]
    }

    fn judge(&self, alpha: f64, margin: f64) -> (Verdict, Option<String>) {
        let point = student_point(alpha, self.degrees);
        let (high, low) = (point * self.error_at(margin), point * self.error_at(-margin));
        let is_inside = self.difference + high < margin && self.difference - low > -margin;
        let is_outside = self.difference - high > margin || self.difference + low < -margin;
        let [start, end] = self.interval(alpha);
        let looks_decided = (start > -margin && end < margin) || start > margin || end < -margin;
        match () {
            () if is_inside => (Verdict::Yes, None),
            () if is_outside => (Verdict::No, None),
            () if looks_decided => {
                let share = 100.0 * self.unit.0.sqrt();
                let why = format!(
                    "the interval of the mean alone would decide, but its unit, the standard deviation of OLD, is only \
                     known to about {share:.0} %"
                );
                (Verdict::Unknown, Some(why))
            }
            () => (Verdict::Unknown, None),
        }
    }

    /// The probability of such a difference, or a larger one, if the true one lay on the margin.
    fn beyond(&self, margin: f64) -> f64 {
        let (gap, error) = if self.difference >= 0.0 {
            (self.difference - margin, self.error_at(margin))
        } else {
            (-self.difference - margin, self.error_at(-margin))
        };
        student_above(gap / error, self.degrees)
    }
}

/// The finding, and the probability of what was seen if the true difference lay on the margin.
pub(crate) fn find(
    old: &Moments,
    new: &Moments,
    difference: f64,
    mean: Option<&Mean>,
    (alpha, margin): (f64, f64),
) -> (MeanFinding, f64) {
    if let Some(mean) = mean {
        let interval = mean.interval(alpha);
        let (verdict, why) = mean.judge(alpha, margin);
        let bound = interval[0].abs().max(interval[1].abs());
        let finding = MeanFinding {
            verdict,
            difference: Some(mean.difference),
            interval: Some(interval),
            bound: Some(bound),
            power: None,
            why,
        };
        return (finding, mean.beyond(margin));
    }
    constant(old, new, difference, alpha)
}

/// OLD has one value only, or has no spread.
fn constant(old: &Moments, new: &Moments, difference: f64, alpha: f64) -> (MeanFinding, f64) {
    if old.count < 2 || new.count < 2 {
        return (MeanFinding::unknown("a mean needs two finite replicates or more on each side"), 1.0);
    }
    if !new.is_constant() {
        return (MeanFinding::unknown("OLD is constant, which is no unit for a difference of means"), 1.0);
    }
    if difference == 0.0 {
        let interval = Some([0.0, 0.0]);
        let (verdict, difference, bound) = (Verdict::Yes, Some(0.0), Some(0.0));
        return (MeanFinding { verdict, difference, interval, bound, power: None, why: None }, 1.0);
    }
    let chance = separation::chance(old.count, old.count + new.count);
    let (verdict, why) = if chance <= alpha {
        (Verdict::No, None)
    } else {
        (Verdict::Unknown, Some("both sides are constant and differ, but have few replicates".to_owned()))
    };
    let difference = Some(f64::INFINITY.copysign(difference));
    (MeanFinding { verdict, difference, interval: None, bound: None, power: None, why }, chance)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mean(old: &[f64], new: &[f64]) -> Mean {
        let (old, new) = (Moments::of(old), Moments::of(new));
        Mean::of(&old, &new, new.mean - old.mean, 1.0, None)
    }

    #[test]
    fn the_interval_is_that_of_welch() {
        // Means 20.82 and 22.99, variances 7.87 and 3.81, of 15 each.
        let old = [27.5, 21.0, 19.0, 23.6, 17.0, 17.9, 16.9, 20.1, 21.9, 22.6, 23.1, 19.6, 19.0, 21.7, 21.4];
        let new = [27.1, 22.0, 20.8, 23.4, 23.4, 23.5, 25.8, 22.0, 24.8, 20.2, 21.9, 22.1, 22.9, 20.5, 24.4];
        let mean = mean(&old, &new);
        let deviation = Moments::of(&old).deviation();
        // A much copied example of the test: t = 2.46 with 25.0 degrees of freedom, p = 0.021.
        assert!((mean.difference / mean.error - 2.455_356).abs() < 1e-5, "{mean:?}");
        assert!((mean.degrees - 24.988_53).abs() < 1e-4, "{mean:?}");
        let [low, high] = mean.interval(0.05);
        assert!((f64::midpoint(low, high) * deviation - 2.166_667).abs() < 1e-5, "{low} {high}");
    }

    #[test]
    fn an_estimated_unit_costs_more_the_wider_the_margin() {
        let values: Vec<f64> = (0..40_i32).map(f64::from).collect();
        let mean = mean(&values, &values);
        assert!(mean.error_at(2.0) > mean.error_at(0.25));
        assert!(mean.error_at(0.25) >= mean.error);
    }
}
