//! The ratio of two programs that were run in turn, with an interval that no noise of the machine makes too narrow.

use crate::median::log_ratio;
use crate::moments::float;
use crate::quantile::normal_point;

/// With more turns the exact distribution is as good as normal, and dear.
const EXACT_TURNS_MAX: usize = 150;
/// More turns than this are not looked at: their averages would take too much memory.
pub const TURNS_MAX: usize = 2_000;

/// A ratio, NEW by OLD, over all turns.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TurnRatio {
    /// The estimate of Hodges and Lehmann.
    pub ratio: f64,
    /// The interval of level 1 - 2 alpha: 0 and infinite where there are too few turns for one.
    pub interval: [f64; 2],
}

/// The ratio of what was measured in turns, each of which is one run of OLD and one of NEW: numbers, 0 or more. `None` without a turn,
/// with more than [`TURNS_MAX`], or with a number that is not finite or below 0.
///
/// The estimate is the median of all averages of two logarithms of ratios, and its interval that of the signed-rank test:
/// J. L. Hodges and E. L. Lehmann, *Estimates of location based on rank tests*, Annals of Mathematical Statistics 34 (1963) 598;
/// F. Wilcoxon, *Individual comparisons by ranking methods*, Biometrics Bulletin 1 (1945) 80. Where a coin decides in each turn
/// which of the two goes first, the level is exact whatever the noise: the noise does not know which program it falls upon, so that of two
/// programs that are alike but for a factor each turn's logarithm, less the factor's, is as likely positive as negative,
/// however large it is and however the turns hang together (R. A. Fisher, *The design of experiments* (1935), chapter III).
#[must_use]
pub fn turn_ratio(turns: &[(f64, f64)], alpha: f64) -> Option<TurnRatio> {
    let is_fit = |value: f64| value.is_finite() && value >= 0.0;
    if turns.is_empty()
        || turns.len() > TURNS_MAX
        || !turns.iter().all(|(old, new)| is_fit(*old) && is_fit(*new))
    {
        return None;
    }
    let logs: Vec<f64> = turns.iter().map(|(old, new)| log_ratio(*old, *new)).collect();
    let mut averages = Vec::with_capacity(logs.len() * (logs.len() + 1) / 2);
    for (place, one) in logs.iter().enumerate() {
        averages.extend(logs[place..].iter().map(|two| average(*one, *two)));
    }
    averages.sort_by(f64::total_cmp);
    let middle = average(averages[(averages.len() - 1) / 2], averages[averages.len() / 2]);
    let interval = match outside(logs.len(), alpha) {
        None => [0.0, f64::INFINITY],
        Some(outside) => [averages[outside].exp(), averages[averages.len() - 1 - outside].exp()],
    };
    Some(TurnRatio { ratio: middle.exp(), interval })
}

/// The average of two logarithms; of an infinite one and its opposite it is 0, so that swapping the sides mirrors it.
fn average(one: f64, two: f64) -> f64 {
    if one.is_infinite() && two.is_infinite() && one.is_sign_positive() != two.is_sign_positive() {
        0.0
    } else {
        f64::midpoint(one, two)
    }
}

/// How many averages lie outside of the interval at each end; `None` when even the outermost ones are not far enough out.
fn outside(turns: usize, alpha: f64) -> Option<usize> {
    if turns > EXACT_TURNS_MAX {
        let size = float(turns);
        let mean = size * (size + 1.0) / 4.0;
        let error = (size * (size + 1.0) * (2.0 * size + 1.0) / 24.0).sqrt();
        // With the correction for what is only whole numbers; rounded outwards.
        let most = mean + normal_point(alpha) * error - 0.5;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "checked to be a whole number, 0 or more"
        )]
        return (most >= 0.0).then(|| most.floor() as usize);
    }
    let mut below = 0.0;
    let unlikely = rank_sums(turns)
        .into_iter()
        .take_while(|chance| {
            below += chance;
            below <= alpha
        })
        .count();
    // The sums from 0 to the last unlikely one: as many averages as that one says lie outside.
    unlikely.checked_sub(1)
}

/// The probability of each sum of the ranks of positive signs, from 0 to its middle, when every sign is a coin's.
fn rank_sums(turns: usize) -> Vec<f64> {
    let most = turns * (turns + 1) / 2;
    let mut chances = vec![0.0; most + 1];
    chances[0] = 1.0;
    let mut reached = 0;
    for rank in 1..=turns {
        for sum in (0..=reached).rev() {
            let half = chances[sum] * 0.5;
            chances[sum] = half;
            chances[sum + rank] += half;
        }
        reached += rank;
    }
    chances.truncate(most / 2 + 1);
    chances
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "these numbers are exact")]
mod tests {
    use super::*;
    use crate::random::Random;

    #[test]
    fn the_interval_is_that_of_the_tables() {
        // Critical values of the signed-rank test, one-sided: F. Wilcoxon, S. K. Katti and R. A. Wilcox, *Critical values and
        // probability levels for the Wilcoxon rank sum test and the Wilcoxon signed rank test* (1970).
        for (turns, alpha, wanted) in [
            (4, 0.05, None),
            (5, 0.05, Some(0)),
            (6, 0.05, Some(2)),
            (8, 0.025, Some(3)),
            (10, 0.05, Some(10)),
            (20, 0.05, Some(60)),
            (30, 0.01, Some(120)),
            (50, 0.05, Some(466)),
        ] {
            assert_eq!(outside(turns, alpha), wanted, "{turns} {alpha}");
        }
        // Where the normal distribution takes over, both say the same.
        let exact = outside(EXACT_TURNS_MAX, 0.01).unwrap();
        assert!(outside(EXACT_TURNS_MAX + 1, 0.01).unwrap().abs_diff(exact) < 70);
    }

    #[test]
    fn a_factor_that_was_planted_is_found_and_swapping_inverts() {
        let mut random = Random::new(1, 1);
        let turns: Vec<(f64, f64)> = (0..40)
            .map(|_| {
                let shared = (0.5 * random.normal()).exp();
                (shared * (0.01 * random.normal()).exp(), shared * 1.2 * (0.01 * random.normal()).exp())
            })
            .collect();
        let there = turn_ratio(&turns, 0.01).unwrap();
        assert!((there.ratio - 1.2).abs() < 0.01, "{there:?}");
        assert!(there.interval[0] < 1.2 && 1.2 < there.interval[1] && there.interval[1] < 1.22, "{there:?}");
        let swapped: Vec<(f64, f64)> = turns.iter().map(|(old, new)| (*new, *old)).collect();
        let back = turn_ratio(&swapped, 0.01).unwrap();
        assert!((there.ratio * back.ratio - 1.0).abs() < 1e-12);
        assert!((there.interval[0] * back.interval[1] - 1.0).abs() < 1e-12);
    }

    #[test]
    fn too_few_turns_have_no_interval_and_what_does_not_vary_is_exact() {
        let open = turn_ratio(&[(1.0, 2.0); 4], 0.05).unwrap();
        assert_eq!(open.interval, [0.0, f64::INFINITY]);
        assert!((open.ratio - 2.0).abs() < 1e-12);
        assert_eq!(turn_ratio(&[(3.0, 3.0); 8], 0.05).unwrap().interval, [1.0, 1.0]);
        assert_eq!(turn_ratio(&[(0.0, 0.0); 8], 0.05).unwrap().interval, [1.0, 1.0]);
        assert!(turn_ratio(&[(0.0, 3.0); 8], 0.05).unwrap().interval[0].is_infinite());
        let mixed = turn_ratio(&[(0.0, 3.0), (3.0, 0.0), (0.0, 3.0), (3.0, 0.0)], 0.4).unwrap();
        assert!((mixed.ratio - 1.0).abs() < 1e-12, "{mixed:?}");
        for bad in [&[][..], &[(1.0, -1.0)], &[(f64::NAN, 1.0)]] {
            assert_eq!(turn_ratio(bad, 0.05), None);
        }
    }
}
