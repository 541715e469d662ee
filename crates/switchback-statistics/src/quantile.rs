//! Tails and quantiles of the normal and of Student's distribution.

use statrs::distribution::{ContinuousCDF, Normal, StudentsT};
use statrs::function::erf;

/// The lower tail of the normal distribution.
pub(crate) fn normal_below(z: f64) -> f64 {
    0.5 * erf::erfc(-z / std::f64::consts::SQRT_2)
}

/// The point below which a share of the normal distribution lies; infinite for 0 and 1.
pub(crate) fn normal_point(share: f64) -> f64 {
    match share {
        share if share <= 0.0 => f64::NEG_INFINITY,
        share if share >= 1.0 => f64::INFINITY,
        share => Normal::standard().inverse_cdf(share),
    }
}

/// The point above which a share of Student's distribution lies: the upper `tail` point.
pub(crate) fn student_point(tail: f64, degrees: f64) -> f64 {
    // Above this the two distributions agree to 1e-8, and the incomplete beta function is slow.
    if degrees > 1e8 {
        return -normal_point(tail);
    }
    StudentsT::new(0.0, 1.0, degrees).map_or(f64::INFINITY, |student| -student.inverse_cdf(tail))
}

/// The share of Student's distribution above `t`.
pub(crate) fn student_above(t: f64, degrees: f64) -> f64 {
    if degrees > 1e8 || t.is_infinite() {
        return normal_below(-t);
    }
    StudentsT::new(0.0, 1.0, degrees).map_or(1.0, |student| student.sf(t))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_are_those_of_the_tables() {
        // NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.6.7.2, upper critical values.
        for (tail, degrees, point) in [
            (0.05, 1.0, 6.313_751_515),
            (0.05, 10.0, 1.812_461_123),
            (0.025, 30.0, 2.042_272_456),
            (0.01, 100.0, 2.364_217_366),
            (0.001, 5.0, 5.893_429_531),
        ] {
            assert!((student_point(tail, degrees) - point).abs() < 1e-7, "{tail} {degrees}");
            assert!((student_above(point, degrees) - tail).abs() < 1e-9, "{tail} {degrees}");
        }
        assert!((student_point(0.05, 1e9) - 1.644_853_627).abs() < 1e-7);
        assert!((normal_point(0.975) - 1.959_963_985).abs() < 1e-8);
        assert!((normal_below(-3.0) - 0.001_349_898_031_6).abs() < 1e-12);
        assert!(normal_point(0.0).is_infinite() && normal_point(1.0).is_infinite());
    }
}
