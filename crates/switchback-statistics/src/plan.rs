//! What "equivalent" means for two ensembles: margins, level, and what the bootstrap follows from.

use crate::ends::Asked;

/// What may be asked for. [`DistributionPlan::new`] checks it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DistributionOptions {
    /// The level of each of the three tests: the probability, at most, of a false *yes*. Above 0 and below 0.5.
    pub alpha: f64,
    /// How far the means may lie apart, in standard deviations of OLD.
    pub margin_mean: f64,
    /// How far the standard deviations may lie apart: from `1 / (1 + margin)` to `1 + margin` times that of OLD.
    pub margin_sd: f64,
    /// How far the distribution functions may lie apart; at most 1.
    pub margin_ks: f64,
    /// How far the ends of the central percentile interval may lie apart, in standard deviations of OLD; `None`: they are not
    /// looked at.
    pub margin_interval: Option<f64>,
    /// The share of the replicates that lies in that interval.
    pub interval_level: f64,
    /// Whether a *no* is held against the number of columns.
    pub adjust: Adjust,
    /// Whether the replicates of the two sides belong together one by one.
    pub paired: bool,
    /// What the bootstrap follows from.
    pub seed: u64,
    /// How many samples the bootstrap draws for each column.
    pub resamples: usize,
}

/// How many columns at once are dealt with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Adjust {
    /// Each column for itself.
    None,
    /// Benjamini–Hochberg: among the columns that are declared different, at most a share of alpha is not, on average.
    BenjaminiHochberg,
}

impl Adjust {
    /// The word for it: `none` or `bh`.
    pub fn word(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::BenjaminiHochberg => "bh",
        }
    }
}

impl DistributionOptions {
    /// What is asked of the ends of the percentile interval, if anything.
    pub(crate) fn ends(&self) -> Option<Asked> {
        let (level, alpha) = (self.interval_level, self.alpha);
        self.margin_interval.map(|margin| Asked { margin, level, alpha })
    }
}

impl Default for DistributionOptions {
    fn default() -> Self {
        Self {
            alpha: 0.05,
            margin_mean: 0.25,
            margin_sd: 0.25,
            margin_ks: 0.15,
            margin_interval: None,
            interval_level: 0.95,
            adjust: Adjust::None,
            paired: false,
            seed: 0,
            resamples: 1999,
        }
    }
}

/// Options that can be followed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DistributionPlan {
    pub(crate) options: DistributionOptions,
}

/// Options that no comparison can follow.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum OptionError {
    /// The level is no level.
    #[error("the level alpha must be above 0 and below 0.5, and is {0}")]
    Alpha(f64),
    /// A margin that nothing, or everything, lies within.
    #[error("the margin of the {of} must be a finite number above 0{and_most}, and is {margin}")]
    Margin {
        /// `mean`, `standard deviation`, `distribution function` or `ends of the percentile interval`.
        of: &'static str,
        /// What was asked for.
        margin: f64,
        /// The upper bound, in words.
        and_most: &'static str,
    },
    /// An interval of nothing, or of everything.
    #[error("the level of the percentile interval must be above 0 and at most 0.999, and is {0}")]
    IntervalLevel(f64),
    /// Too few resamples for an interval of that level.
    #[error("{resamples} resamples cannot show an interval at the level {alpha}: at least {least} can")]
    Resamples {
        /// What was asked for.
        resamples: usize,
        /// The level.
        alpha: f64,
        /// The fewest.
        least: usize,
    },
}

impl DistributionPlan {
    /// Checks the options.
    ///
    /// # Errors
    ///
    /// A level outside of 0 to 0.5, a margin that is no positive number (or, of the distribution function, above 1), or
    /// so few resamples that the interval would reach from the smallest to the largest of them.
    pub fn new(options: DistributionOptions) -> Result<Self, OptionError> {
        let DistributionOptions { alpha, margin_mean, margin_sd, margin_ks, resamples, .. } = options;
        if !(alpha > 0.0 && alpha < 0.5) {
            return Err(OptionError::Alpha(alpha));
        }
        if !(options.interval_level > 0.0 && options.interval_level <= 0.999) {
            return Err(OptionError::IntervalLevel(options.interval_level));
        }
        for (of, margin, most) in [
            ("mean", margin_mean, f64::MAX),
            ("standard deviation", margin_sd, f64::MAX),
            ("distribution function", margin_ks, 1.0),
            ("ends of the percentile interval", options.margin_interval.unwrap_or(1.0), f64::MAX),
        ] {
            if !(margin > 0.0 && margin <= most) {
                let and_most = if most < 2.0 { ", at most 1" } else { "" };
                return Err(OptionError::Margin { of, margin, and_most });
            }
        }
        let least = (1..=1_000_000)
            .map(|hundreds| hundreds * 100 - 1)
            .find(|least| crate::moments::float(*least) * alpha >= 4.0);
        match least {
            Some(least) if resamples < least => Err(OptionError::Resamples { resamples, alpha, least }),
            Some(_) => Ok(Self { options }),
            None => Err(OptionError::Alpha(alpha)),
        }
    }

    /// What was asked for.
    #[must_use]
    pub fn options(&self) -> &DistributionOptions {
        &self.options
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_followed_is_refused() {
        let with = |change: fn(&mut DistributionOptions)| {
            let mut options = DistributionOptions::default();
            change(&mut options);
            DistributionPlan::new(options).err().map(|error| error.to_string())
        };
        assert_eq!(with(|_| ()), None);
        for change in [
            (|options| options.alpha = 0.0) as fn(&mut DistributionOptions),
            |options| options.alpha = 0.5,
            |options| options.alpha = f64::NAN,
            |options| options.alpha = 1e-300,
            |options| options.margin_mean = 0.0,
            |options| options.margin_sd = f64::INFINITY,
            |options| options.margin_sd = -1.0,
            |options| options.margin_ks = 1.5,
            |options| options.margin_interval = Some(0.0),
            |options| options.margin_interval = Some(f64::NAN),
            |options| options.interval_level = 1.0,
            |options| options.resamples = 20,
        ] {
            assert!(with(change).is_some());
        }
        assert_eq!(
            with(|options| options.margin_ks = 2.0).unwrap(),
            "the margin of the distribution function must be a finite number above 0, at most 1, and is 2"
        );
    }
}
