//! Whether a share of all runs stays below a limit: the median, or the 95th of a hundred.

use statrs::distribution::{Binomial, DiscreteCDF};
use switchback_core::performance::LimitFinding;
use switchback_core::verdict::Verdict;

use crate::moments::float;

/// More runs than this are as good as none.
const MORE_MAX: u64 = 1_000_000;

/// Holds the value below which `share` of all runs lie against a limit, by its interval of level `1 - 2 alpha` between two
/// of the values themselves, which holds for every distribution: W. R. Thompson, *On confidence ranges for the median and other
/// expectation distributions for populations of unknown distribution form*, Annals of Mathematical Statistics 7 (1936) 122.
/// *Yes* when it ends below the limit, *no* when it begins at the limit or beyond, else *could not tell*.
///
/// The values are finite. Without any, nothing is told.
#[must_use]
pub fn limit(values: &[f64], share: f64, limit: f64, alpha: f64) -> LimitFinding {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    let [low, high] = places(values.len(), share, alpha);
    let at = |place: Option<usize>| place.and_then(|place| values.get(place).copied());
    let (low, high) = (at(low), at(high));
    let verdict = match (low, high) {
        (_, Some(high)) if high < limit => Verdict::Yes,
        (Some(low), _) if low >= limit => Verdict::No,
        _ => Verdict::Unknown,
    };
    let value = middle(&values, share);
    let more_runs = match verdict {
        Verdict::Unknown => more(&values, share, limit, alpha),
        Verdict::Yes | Verdict::No => Some(0),
    };
    LimitFinding { verdict, value, low, high, more_runs }
}

/// The places of the two values, counted from 0, between which the share lies: at each end it is beyond with a probability of at
/// most alpha. `None` where there are too few values to have such an end.
fn places(count: usize, share: f64, alpha: f64) -> [Option<usize>; 2] {
    let Ok(below) = Binomial::new(share, count as u64) else { return [None, None] };
    // So many values lie below the share's: the value at a place is not below it when at most as many as its place are.
    let high = first(count, |place| 1.0 - below.cdf(place as u64) <= alpha);
    let low = first(count, |place| below.cdf(place as u64) > alpha).unwrap_or(count).checked_sub(1);
    [low, high]
}

/// The first place below `count` of which something is true that stays true from there on.
fn first(count: usize, is_true: impl Fn(usize) -> bool) -> Option<usize> {
    let (mut low, mut high) = (0, count);
    while low < high {
        let middle = low.midpoint(high);
        if is_true(middle) { high = middle } else { low = middle + 1 }
    }
    (low < count).then_some(low)
}

/// The value at the share, between two values where it falls there.
fn middle(sorted: &[f64], share: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let place = share * float(last);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 0 and the last place"
    )]
    let below = (place.floor() as usize).min(last);
    let above = (below + 1).min(last);
    Some(sorted[below] + (place - float(below)) * (sorted[above] - sorted[below]))
}

/// With how many runs more the same shares of values below the limit would decide.
fn more(sorted: &[f64], share: f64, limit: f64, alpha: f64) -> Option<u64> {
    let count = sorted.len();
    let below = float(sorted.partition_point(|value| *value < limit)) / float(count.max(1));
    let mut wanted = count.max(1) as u64;
    while wanted <= MORE_MAX {
        wanted += (wanted / 20).max(1);
        let size = usize::try_from(wanted).ok()?;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a share of a number of runs"
        )]
        let met = (below * float(size)).floor() as usize;
        let [low, high] = places(size, share, alpha);
        // The value at a place is below the limit when more values than its place are.
        if high.is_some_and(|high| high < met) || low.is_some_and(|low| low >= met) {
            return Some(wanted - count as u64);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_is_that_of_the_tables() {
        // Ranks of the interval of a median, counted from 1: D. B. Owen, *Handbook of statistical tables* (1962), 12.3.
        for (count, share, alpha, wanted) in [
            (10, 0.5, 0.05, [Some(2), Some(9)]),
            (20, 0.5, 0.05, [Some(6), Some(15)]),
            (20, 0.5, 0.005, [Some(4), Some(17)]),
            (4, 0.5, 0.05, [None, None]),
            // 0.95^59 is the first power below 0.05: S. S. Wilks, *Determination of sample sizes for setting tolerance limits*
            // (1941).
            (58, 0.95, 0.05, [Some(52), None]),
            (59, 0.95, 0.05, [Some(53), Some(59)]),
        ] {
            let found = places(count, share, alpha).map(|place| place.map(|place| place + 1));
            assert_eq!(found, wanted, "{count} {share} {alpha}");
        }
    }

    #[test]
    fn a_limit_is_met_missed_or_not_told() {
        let values: Vec<f64> = (1..=100).map(f64::from).collect();
        let verdict = |share, limit_at| limit(&values, share, limit_at, 0.05).verdict;
        assert_eq!(verdict(0.5, 70.0), Verdict::Yes);
        assert_eq!(verdict(0.5, 51.0), Verdict::Unknown);
        assert_eq!(verdict(0.5, 30.0), Verdict::No);
        assert_eq!(verdict(0.95, 99.5), Verdict::Yes);
        assert_eq!(verdict(0.95, 96.0), Verdict::Unknown);
        assert_eq!(verdict(0.95, 60.0), Verdict::No);
        let near = limit(&values, 0.5, 53.0, 0.05);
        assert!(near.value.is_some_and(|median| (median - 50.5).abs() < 1e-9));
        assert!(near.more_runs.is_some_and(|more| (50..5_000).contains(&more)), "{near:?}");
        let few = limit(&values[..10], 0.95, 200.0, 0.05);
        assert_eq!((few.verdict, few.high), (Verdict::Unknown, None));
        assert!(few.more_runs.is_some_and(|more| (49..=55).contains(&more)), "{few:?}");
        assert_eq!(limit(&[], 0.5, 1.0, 0.05).value, None);
    }
}
