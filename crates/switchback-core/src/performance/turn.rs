//! Who runs when, and after how many turns it is looked at what was found.

/// A point at which it is looked, and how sure it has to be then.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Look {
    /// After so many turns.
    pub turns: usize,
    /// The part of the level that is spent on it.
    pub alpha: f64,
}

/// The looks from `turns_min` to `turns_max` turns, each after twice as many turns as the one before.
///
/// Whoever looks several times is wrong more often than whoever looks once. So the level is dealt out: the last look gets half of it,
/// the one before a quarter, and so on, the first two the same. The parts sum up to `alpha`, and by Boole's inequality a wrong
/// decision at any of the looks is no more likely than that (C. E. Bonferroni, 1936; spending most of it late is after
/// P. C. O'Brien and T. R. Fleming, *A multiple testing procedure for clinical trials*, Biometrics 35 (1979) 549).
pub fn looks(turns_min: usize, turns_max: usize, alpha: f64) -> Vec<Look> {
    let mut sizes = vec![turns_min.max(1)];
    while let Some(last) = sizes.last().copied().filter(|last| *last < turns_max) {
        // A last step that is hardly one is taken together with the one before.
        let next = last.saturating_mul(2);
        sizes.push(if next.saturating_mul(3) / 2 > turns_max { turns_max } else { next });
    }
    let count = sizes.len();
    let share = |place: usize| {
        let halvings = if place == 0 { count.saturating_sub(1) } else { count - place };
        alpha * 0.5_f64.powi(i32::try_from(halvings).unwrap_or(i32::MAX))
    };
    sizes.into_iter().enumerate().map(|(place, turns)| Look { turns, alpha: share(place) }).collect()
}

/// Whether OLD goes first in a turn: a coin, which the seed fixes.
pub fn is_old_first(seed: u64, turn: usize) -> bool {
    let hash = blake3::hash(format!("switchback turn {seed} {turn}").as_bytes());
    hash.as_bytes()[0] & 1 == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_the_level_sum_up_to_it() {
        for (turns_min, turns_max) in [(10, 80), (10, 10), (5, 9), (7, 1000), (1, 2)] {
            let looks = looks(turns_min, turns_max, 0.05);
            assert_eq!((looks[0].turns, looks[looks.len() - 1].turns), (turns_min, turns_max));
            assert!((looks.iter().map(|look| look.alpha).sum::<f64>() - 0.05).abs() < 1e-12, "{looks:?}");
            assert!(looks.windows(2).all(|pair| pair[0].turns < pair[1].turns), "{looks:?}");
            assert!(looks.windows(2).all(|pair| pair[0].alpha <= pair[1].alpha), "{looks:?}");
        }
        assert_eq!(looks(10, 80, 0.05).iter().map(|look| look.turns).collect::<Vec<_>>(), [10, 20, 40, 80]);
    }

    #[test]
    fn the_coin_is_fair_and_fixed_by_the_seed() {
        let heads = |seed| (0..4_000).filter(|turn| is_old_first(seed, *turn)).count();
        // Six standard deviations of a binomial count are 190.
        assert!(heads(0).abs_diff(2_000) < 190 && heads(1).abs_diff(2_000) < 190);
        let row = |seed| (0..64).map(|turn| is_old_first(seed, turn)).collect::<Vec<_>>();
        assert_eq!(row(7), row(7));
        assert_ne!(row(7), row(8));
    }
}
