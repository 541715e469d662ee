//! Median and middle half of a few numbers.

/// What a list of numbers comes to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Summary {
    /// How many there were.
    pub runs: usize,
    /// A quarter lies below.
    pub lower_quartile: f64,
    /// Half lies below.
    pub median: f64,
    /// A quarter lies above.
    pub upper_quartile: f64,
}

/// Sums up; `None` when there is nothing, or something that is not a number. Quartiles are interpolated between
/// neighbours (Hyndman and Fan, *Sample Quantiles in Statistical Packages*, 1996, type 7).
pub fn summary(values: &[f64]) -> Option<Summary> {
    if values.is_empty() || values.iter().any(|value| !value.is_finite()) {
        return None;
    }
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    Some(Summary {
        runs: sorted.len(),
        lower_quartile: quantile(&sorted, 1),
        median: quantile(&sorted, 2),
        upper_quartile: quantile(&sorted, 3),
    })
}

/// The value at `quarters` quarters of the way through sorted numbers.
fn quantile(sorted: &[f64], quarters: usize) -> f64 {
    let way = (sorted.len() - 1) * quarters;
    let (below, rest) = (way / 4, way % 4);
    let above = (below + 1).min(sorted.len() - 1);
    let share = match rest {
        0 => 0.0,
        1 => 0.25,
        2 => 0.5,
        _ => 0.75,
    };
    sorted[below] + (sorted[above] - sorted[below]) * share
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quartiles(values: &[f64]) -> [f64; 3] {
        let summary = summary(values).unwrap();
        [summary.lower_quartile, summary.median, summary.upper_quartile]
    }

    #[test]
    #[expect(clippy::float_cmp, reason = "these are exact in binary")]
    fn quartiles_are_interpolated() {
        assert_eq!(quartiles(&[5.0]), [5.0, 5.0, 5.0]);
        assert_eq!(quartiles(&[4.0, 1.0, 3.0, 2.0]), [1.75, 2.5, 3.25]);
        assert_eq!(quartiles(&[1.0, 2.0, 3.0, 4.0, 100.0]), [2.0, 3.0, 4.0]);
    }

    #[test]
    fn nothing_has_no_median() {
        assert_eq!(summary(&[]), None);
        assert_eq!(summary(&[1.0, f64::NAN]), None);
    }
}
