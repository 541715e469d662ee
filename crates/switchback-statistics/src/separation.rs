//! Evidence from samples that have no spread: how likely chance alone would have sorted them so.

use crate::moments::float;

/// The probability that `marked` replicates, spread by chance over `total`, all fall on one given side of size `marked` or
/// more: 1 over the number of ways to choose them. For a constant side against another it is the permutation test of equal
/// distributions: R. A. Fisher, *The design of experiments* (1935), chapter II.
pub(crate) fn chance(marked: usize, total: usize) -> f64 {
    within(marked, marked, total)
}

/// The probability that all of `marked` replicates, drawn by chance among `total`, fall on a side of size `side`.
pub(crate) fn within(marked: usize, side: usize, total: usize) -> f64 {
    let mut probability = 1.0;
    for drawn in 0..marked {
        if drawn >= side {
            return 0.0;
        }
        probability *= float(side - drawn) / float(total - drawn);
        if probability < 1e-300 {
            return 0.0;
        }
    }
    probability
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "these numbers are exact")]
mod tests {
    use super::*;

    #[test]
    fn chances_are_counted() {
        assert!((chance(3, 6) - 1.0 / 20.0).abs() < 1e-15);
        assert!((within(2, 3, 5) - 0.3).abs() < 1e-15);
        assert_eq!(within(0, 3, 5), 1.0);
        assert_eq!(chance(2000, 4000), 0.0);
    }
}
