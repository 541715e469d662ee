//! Many columns at once: how often a difference is declared that is none.

/// Probabilities adjusted for their number, in their order: Y. Benjamini and Y. Hochberg, *Controlling the false discovery
/// rate*, Journal of the Royal Statistical Society B 57 (1995) 289, as adjusted p-values. A column is a discovery at a rate
/// `q` when its adjusted probability is at most `q`.
#[must_use]
pub fn benjamini_hochberg(probabilities: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..probabilities.len()).collect();
    order.sort_by(|one, two| probabilities[*two].total_cmp(&probabilities[*one]));
    let total = crate::moments::float(probabilities.len());
    let mut adjusted = vec![1.0; probabilities.len()];
    let mut smallest = 1.0_f64;
    for (position, index) in order.into_iter().enumerate() {
        let rank = total - crate::moments::float(position);
        smallest = smallest.min(probabilities[index] * total / rank);
        adjusted[index] = smallest;
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_paper_has_four_discoveries() {
        // Benjamini and Hochberg 1995, section 4.1: fifteen hypotheses, four of them rejected at 0.05.
        let paper = [
            0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719,
            0.6528, 0.7590, 1.0,
        ];
        let adjusted = benjamini_hochberg(&paper);
        assert_eq!(adjusted.iter().filter(|probability| **probability <= 0.05).count(), 4);
        assert!((adjusted[0] - 0.0015).abs() < 1e-12);
        assert!((adjusted[3] - 0.0095 * 15.0 / 4.0).abs() < 1e-12);
        assert!(adjusted.is_sorted(), "the order of the probabilities is kept");
        let mut backwards = paper;
        backwards.reverse();
        let mut mirrored = benjamini_hochberg(&backwards);
        mirrored.reverse();
        assert_eq!(adjusted, mirrored);
    }

    #[test]
    fn one_probability_is_not_adjusted() {
        assert_eq!(benjamini_hochberg(&[0.03]), [0.03]);
        assert_eq!(benjamini_hochberg(&[]), [0.0_f64; 0]);
    }
}
