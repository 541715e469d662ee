//! Numbers of any kind, compared exactly: floats, integers and decimals share one line of rational numbers.

use num_bigint::BigInt;
use num_traits::{Float, Pow, Signed, ToPrimitive, Zero};
use serde::{Deserialize, Serialize};
use switchback_core::rule::Tolerance;

use crate::explanation::Cell;

/// Integers up to this one are exact in a 64-bit float, and in JSON.
const EXACT_MAX: u128 = 1 << 53;
/// The longest integer that is read as a number: the time it takes grows with the square of its length.
const DIGITS_MAX: usize = 20_000;
/// The largest power of ten that a 64-bit float holds exactly.
const EXACT_POWER_MAX: i32 = 22;
/// Below this a product of floats may have lost digits to underflow.
const NORMAL_PRODUCT_MIN: f64 = 1e-290;

/// A number at its own precision.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Number {
    Float(f64),
    /// A 32-bit float: its value is that of the widened one, its units in the last place are its own.
    Single(f32),
    /// `mantissa / 10^scale`; an integer has scale 0.
    Decimal {
        mantissa: i128,
        scale: i32,
    },
    /// The same, beyond 128 bits.
    Large {
        mantissa: BigInt,
        scale: i32,
    },
}

impl Number {
    pub(crate) fn integer(value: impl Into<i128>) -> Self {
        Self::Decimal { mantissa: value.into(), scale: 0 }
    }

    /// Reads decimal digits with an optional minus sign, up to [`DIGITS_MAX`] of them.
    pub(crate) fn from_integer_text(text: &str) -> Option<Self> {
        if let Ok(mantissa) = text.parse() {
            return Some(Self::Decimal { mantissa, scale: 0 });
        }
        if text.len() > DIGITS_MAX {
            return None;
        }
        text.parse().ok().map(|mantissa| Self::Large { mantissa, scale: 0 })
    }

    pub(crate) fn is_nan(&self) -> bool {
        self.float().is_some_and(f64::is_nan)
    }

    fn is_infinite(&self) -> bool {
        self.float().is_some_and(f64::is_infinite)
    }

    pub(crate) fn is_finite(&self) -> bool {
        self.float().is_none_or(f64::is_finite)
    }

    /// The value of a float of either width.
    fn float(&self) -> Option<f64> {
        match self {
            Self::Float(value) => Some(*value),
            Self::Single(value) => Some(f64::from(*value)),
            Self::Decimal { .. } | Self::Large { .. } => None,
        }
    }

    /// The value as a 64-bit float, where that loses nothing.
    fn exact_float(&self) -> Option<f64> {
        match self {
            Self::Decimal { mantissa, scale: 0 } if mantissa.unsigned_abs() <= EXACT_MAX => mantissa.to_f64(),
            other => other.float(),
        }
    }

    /// Numerator and (positive) denominator; of finite numbers only.
    fn fraction(&self) -> Option<(BigInt, BigInt)> {
        match self {
            Self::Float(value) => float_fraction(*value),
            Self::Single(value) => float_fraction(f64::from(*value)),
            Self::Decimal { mantissa, scale } => Some(decimal_fraction(BigInt::from(*mantissa), *scale)),
            Self::Large { mantissa, scale } => Some(decimal_fraction(mantissa.clone(), *scale)),
        }
    }

    /// Same value *and* same representation: `-0.0` is not `0.0`, and `1` is not `1.0`.
    pub(crate) fn is_bitwise(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Float(one), Self::Float(two)) => one.to_bits() == two.to_bits(),
            (Self::Single(one), Self::Single(two)) => one.to_bits() == two.to_bits(),
            (
                Self::Decimal { mantissa: one, scale: one_scale },
                Self::Decimal { mantissa: two, scale: two_scale },
            ) => one == two && one_scale == two_scale,
            (
                Self::Large { mantissa: one, scale: one_scale },
                Self::Large { mantissa: two, scale: two_scale },
            ) => one == two && one_scale == two_scale,
            _ => false,
        }
    }

    /// Same value: NaN is NaN, `-0.0` is `0.0`, an infinity is itself only, the rest is exact.
    pub(crate) fn is_identical(&self, other: &Self) -> bool {
        if let (Some(one), Some(two)) = (self.exact_float(), other.exact_float()) {
            #[expect(clippy::float_cmp, reason = "identity of values is the question")]
            return one == two || (one.is_nan() && two.is_nan());
        }
        match (self, other) {
            (
                Self::Decimal { mantissa: one, scale: one_scale },
                Self::Decimal { mantissa: two, scale: two_scale },
            ) if one_scale == two_scale => one == two,
            _ => match (self.fraction(), other.fraction()) {
                (Some((n1, d1)), Some((n2, d2))) => n1 * d2 == n2 * d1,
                _ => false,
            },
        }
    }

    /// `|self - other|` as the nearest float; a finite difference never becomes infinite. `None` when one is NaN.
    pub(crate) fn absolute(&self, other: &Self) -> Option<f64> {
        if self.is_nan() || other.is_nan() {
            return None;
        }
        if self.is_infinite() || other.is_infinite() {
            return Some(if self.is_identical(other) { 0.0 } else { f64::INFINITY });
        }
        if let (Some(one), Some(two)) = (self.exact_float(), other.exact_float()) {
            return Some((one - two).abs().min(f64::MAX));
        }
        if let Some((gap, _, power)) = self.aligned(other) {
            return Some(gap / power);
        }
        let (numerator, denominator) = self.gap(other)?;
        Some(quotient(&numerator, &denominator))
    }

    /// The gap of two decimals of one scale, the larger of their sizes, and the power of ten that both are divided by:
    /// where floats hold all three exactly.
    fn aligned(&self, other: &Self) -> Option<(f64, f64, f64)> {
        let (Self::Decimal { mantissa: one, scale }, Self::Decimal { mantissa: two, scale: other_scale }) =
            (self, other)
        else {
            return None;
        };
        let (gap, largest) = (one.abs_diff(*two), one.unsigned_abs().max(two.unsigned_abs()));
        if scale != other_scale || !(0..=EXACT_POWER_MAX).contains(scale) || gap.max(largest) > EXACT_MAX {
            return None;
        }
        Some((gap.to_f64()?, largest.to_f64()?, 10f64.powi(*scale)))
    }

    /// `|self - other| / max(|self|, |other|)`; of finite numbers only.
    pub(crate) fn relative(&self, other: &Self) -> Option<f64> {
        if !self.is_finite() || !other.is_finite() {
            return None;
        }
        if let (Some(one), Some(two)) = (self.exact_float(), other.exact_float()) {
            let largest = one.abs().max(two.abs());
            let gap = (one - two).abs();
            return Some(match () {
                () if largest == 0.0 => 0.0,
                () if gap.is_finite() => gap / largest,
                () => (one / largest - two / largest).abs(),
            });
        }
        if let Some((gap, largest, _)) = self.aligned(other) {
            return Some(if largest == 0.0 { 0.0 } else { gap / largest });
        }
        let (gap, gap_unit) = self.gap(other)?;
        let (largest, largest_unit) = self.larger(other)?;
        if largest.is_zero() {
            return Some(0.0);
        }
        Some(quotient(&(gap * largest_unit), &(gap_unit * largest)))
    }

    /// Units in the last place between two finite floats: of 32 bits when both are, else of 64 bits.
    /// An integer counts as a float where a float holds it exactly.
    pub(crate) fn ulps(&self, other: &Self) -> Option<u64> {
        if let (Self::Single(one), Self::Single(two)) = (self, other) {
            return (one.is_finite() && two.is_finite())
                .then(|| (single_rank(*one) - single_rank(*two)).unsigned_abs());
        }
        let (one, two) = (self.exact_float()?, other.exact_float()?);
        (one.is_finite() && two.is_finite())
            .then(|| rank(one).abs_diff(rank(two)))
            .and_then(|distance| u64::try_from(distance).ok())
    }

    /// Whether the pair lies within any bound that is set. Exact: no bound is missed or met by rounding.
    pub(crate) fn is_within(&self, other: &Self, tolerance: &Tolerance) -> bool {
        if !self.is_finite() || !other.is_finite() {
            return false;
        }
        tolerance.absolute.is_some_and(|bound| self.is_within_absolute(other, bound))
            || tolerance.relative.is_some_and(|bound| self.is_within_relative(other, bound))
            || tolerance.ulps.is_some_and(|bound| self.ulps(other).is_some_and(|distance| distance <= bound))
    }

    fn is_within_absolute(&self, other: &Self, bound: f64) -> bool {
        if let (Some(one), Some(two)) = (self.exact_float(), other.exact_float()) {
            // Rounding is monotone: only a rounded difference that hits the bound itself leaves a doubt.
            let gap = (one - two).abs();
            if gap.total_cmp(&bound).is_ne() {
                return gap < bound;
            }
        }
        let (Some((gap, unit)), Some((bound, bound_unit))) = (self.gap(other), self.bound(other, bound))
        else {
            return false;
        };
        gap * bound_unit <= bound * unit
    }

    fn is_within_relative(&self, other: &Self, bound: f64) -> bool {
        if let (Some(one), Some(two)) = (self.exact_float(), other.exact_float()) {
            let gap = (one - two).abs();
            let reach = bound * one.abs().max(two.abs());
            let clear = gap.is_finite()
                && reach.is_finite()
                && reach > NORMAL_PRODUCT_MIN
                && (gap - reach).abs() > 4.0 * f64::EPSILON * reach;
            if clear {
                return gap < reach;
            }
        }
        let (Some((gap, unit)), Some((largest, largest_unit)), Some((bound, bound_unit))) =
            (self.gap(other), self.larger(other), self.bound(other, bound))
        else {
            return false;
        };
        gap * largest_unit * bound_unit <= bound * largest * unit
    }

    /// Which of two finite numbers is the smaller, exactly.
    pub(crate) fn order(&self, other: &Self) -> std::cmp::Ordering {
        if let (Some(one), Some(two)) = (self.exact_float(), other.exact_float()) {
            return one.partial_cmp(&two).unwrap_or(std::cmp::Ordering::Equal);
        }
        match (self.fraction(), other.fraction()) {
            (Some((n1, d1)), Some((n2, d2))) => (n1 * d2).cmp(&(n2 * d1)),
            _ => std::cmp::Ordering::Equal,
        }
    }

    /// A bound as a fraction: between integers and decimals the decimal number that was written (the shortest that stands
    /// for the float), so that 1.0 and 1.3 lie within 0.3; where a float takes part, the float itself.
    fn bound(&self, other: &Self, bound: f64) -> Option<(BigInt, BigInt)> {
        if self.float().is_some() || other.float().is_some() {
            return float_fraction(bound);
        }
        let text = format!("{bound:e}");
        let (digits, exponent) = text.split_once('e')?;
        let places = digits.split_once('.').map_or(0, |(_, places)| places.len());
        let scale = i32::try_from(places).ok()?.checked_sub(exponent.parse().ok()?)?;
        Some(decimal_fraction(digits.replace('.', "").parse().ok()?, scale))
    }

    /// `|self - other|` as a fraction.
    fn gap(&self, other: &Self) -> Option<(BigInt, BigInt)> {
        let ((n1, d1), (n2, d2)) = (self.fraction()?, other.fraction()?);
        Some(((n1 * &d2 - n2 * &d1).abs(), d1 * d2))
    }

    /// `max(|self|, |other|)` as a fraction.
    fn larger(&self, other: &Self) -> Option<(BigInt, BigInt)> {
        let ((n1, d1), (n2, d2)) = (self.fraction()?, other.fraction()?);
        let (one, two) = (n1.abs() * &d2, n2.abs() * &d1);
        Some((one.max(two), d1 * d2))
    }

    /// Bytes that two numbers share exactly when they are identical.
    pub(crate) fn canonical(&self) -> String {
        if self.is_nan() {
            return "nan".to_owned();
        }
        if let Some(value) = self.exact_float() {
            // `-0.0 + 0.0` is `0.0`.
            return format!("f{:016x}", (value + 0.0).to_bits());
        }
        let (mut mantissa, mut scale) = match self {
            Self::Decimal { mantissa, scale } => (BigInt::from(*mantissa), *scale),
            Self::Large { mantissa, scale } => (mantissa.clone(), *scale),
            Self::Float(_) | Self::Single(_) => return String::new(),
        };
        let rounded = quotient_signed(&mantissa, scale);
        if Self::Float(rounded).is_identical(self) {
            return format!("f{:016x}", (rounded + 0.0).to_bits());
        }
        while (&mantissa % 10_i32).is_zero() {
            mantissa /= 10_i32;
            scale -= 1;
        }
        format!("d{mantissa}e{}", -i64::from(scale))
    }

    /// Bytes that two numbers of one type share exactly when their bits are the same.
    pub(crate) fn bits(&self) -> String {
        match self {
            Self::Float(value) => format!("f{:016x}", value.to_bits()),
            Self::Single(value) => format!("s{:08x}", value.to_bits()),
            Self::Decimal { .. } | Self::Large { .. } => self.canonical(),
        }
    }

    pub(crate) fn to_json(&self) -> serde_json::Value {
        match self {
            Self::Decimal { mantissa, scale: 0 } if mantissa.unsigned_abs() <= EXACT_MAX => {
                i64::try_from(*mantissa).map_or_else(|_| self.to_text().into(), Into::into)
            }
            Self::Decimal { .. } | Self::Large { .. } => self.to_text().into(),
            Self::Float(value) => float_to_json(*value),
            Self::Single(value) => float_to_json(f64::from(*value)),
        }
    }

    /// The number that lies so many places further from zero: floats of its width, or units of its last decimal.
    pub(crate) fn stepped(&self, steps: u64) -> Option<Self> {
        match self {
            Self::Float(value) => {
                let bits = value.to_bits().checked_add(steps)?;
                let moved = f64::from_bits(bits);
                (value.is_finite()
                    && moved.is_finite()
                    && moved.is_sign_negative() == value.is_sign_negative())
                .then_some(Self::Float(moved))
            }
            Self::Single(value) => {
                let bits = value.to_bits().checked_add(u32::try_from(steps).ok()?)?;
                let moved = f32::from_bits(bits);
                (value.is_finite()
                    && moved.is_finite()
                    && moved.is_sign_negative() == value.is_sign_negative())
                .then_some(Self::Single(moved))
            }
            Self::Decimal { mantissa, scale } => {
                let steps = i128::from(steps);
                let steps = if *mantissa < 0 { -steps } else { steps };
                Some(Self::Decimal { mantissa: mantissa.checked_add(steps)?, scale: *scale })
            }
            Self::Large { mantissa, scale } => {
                let steps = BigInt::from(steps);
                let moved = if mantissa.is_negative() { mantissa - steps } else { mantissa + steps };
                Some(Self::Large { mantissa: moved, scale: *scale })
            }
        }
    }

    /// `|self|` of a finite float.
    pub(crate) fn size(&self) -> Option<f64> {
        self.float().filter(|value| value.is_finite()).map(f64::abs)
    }

    /// The nearest float, of finite numbers.
    pub(crate) fn nearest(&self) -> Option<f64> {
        let nearest = match self {
            Self::Decimal { mantissa, scale } => quotient_signed(&BigInt::from(*mantissa), *scale),
            Self::Large { mantissa, scale } => quotient_signed(mantissa, *scale),
            Self::Float(_) | Self::Single(_) => self.float()?,
        };
        Some(nearest).filter(|value| value.is_finite())
    }

    /// The number as explanations see it: decimals as the nearest float.
    pub(crate) fn explanation_cell(&self) -> Cell {
        match self {
            Self::Float(value) => Cell::Number(*value),
            Self::Single(value) => Cell::Single(*value),
            Self::Decimal { mantissa, scale: 0 } => Cell::Integer(*mantissa),
            Self::Decimal { mantissa, scale } => {
                Cell::Number(quotient_signed(&BigInt::from(*mantissa), *scale))
            }
            Self::Large { mantissa, scale } => Cell::Number(quotient_signed(mantissa, *scale)),
        }
    }

    pub(crate) fn to_text(&self) -> String {
        match self {
            // With a point or an exponent, as other programs write a float.
            Self::Float(value) => format!("{value:?}"),
            Self::Single(value) => format!("{value:?}"),
            Self::Decimal { mantissa, scale } => decimal_text(&mantissa.to_string(), *scale),
            Self::Large { mantissa, scale } => decimal_text(&mantissa.to_string(), *scale),
        }
    }
}

/// A finite float as a JSON number; `NaN`, `inf` and `-inf` as text, because JSON has no number for them.
pub(crate) fn float_to_json(value: f64) -> serde_json::Value {
    serde_json::Number::from_f64(value).map_or_else(|| value.to_string().into(), serde_json::Value::Number)
}

fn decimal_text(digits: &str, scale: i32) -> String {
    let (sign, digits) = digits.strip_prefix('-').map_or(("", digits), |rest| ("-", rest));
    let Some(places) = usize::try_from(scale).ok().filter(|places| *places > 0) else {
        return format!("{sign}{digits}{}", "0".repeat(scale.unsigned_abs() as usize));
    };
    let padded = format!("{digits:0>width$}", width = places + 1);
    let (whole, fraction) = padded.split_at(padded.len() - places);
    format!("{sign}{whole}.{fraction}")
}

fn decimal_fraction(mantissa: BigInt, scale: i32) -> (BigInt, BigInt) {
    let power: BigInt = Pow::pow(BigInt::from(10), scale.unsigned_abs());
    if scale < 0 { (mantissa * power, BigInt::from(1)) } else { (mantissa, power) }
}

pub(super) fn float_fraction(value: f64) -> Option<(BigInt, BigInt)> {
    if !value.is_finite() {
        return None;
    }
    let (mantissa, exponent, sign) = value.integer_decode();
    let signed = BigInt::from(mantissa) * sign;
    let shift = usize::from(exponent.unsigned_abs());
    Some(if exponent < 0 { (signed, BigInt::from(1) << shift) } else { (signed << shift, BigInt::from(1)) })
}

fn quotient_signed(mantissa: &BigInt, scale: i32) -> f64 {
    let (numerator, denominator) = decimal_fraction(mantissa.abs(), scale);
    let size = quotient(&numerator, &denominator);
    if mantissa.is_negative() { -size } else { size }
}

/// `numerator / denominator` of non-negative integers, within one unit in the last place, and never infinite.
fn quotient(numerator: &BigInt, denominator: &BigInt) -> f64 {
    if numerator.is_zero() || denominator.is_zero() {
        return 0.0;
    }
    if let (Some(one), Some(two)) = (numerator.to_u64(), denominator.to_u64())
        && u128::from(one) <= EXACT_MAX
        && u128::from(two) <= EXACT_MAX
        && let (Some(one), Some(two)) = (one.to_f64(), two.to_f64())
    {
        return one / two;
    }
    // 64 significant bits of the quotient are kept, then scaled back.
    let bits = |value: &BigInt| i64::try_from(value.bits()).unwrap_or(i64::MAX);
    let shift = 64 - bits(numerator) + bits(denominator);
    let places = usize::try_from(shift.unsigned_abs()).unwrap_or(usize::MAX);
    let scaled =
        if shift >= 0 { (numerator << places) / denominator } else { numerator / (denominator << places) };
    let exponent = i32::try_from(-shift).unwrap_or(if shift > 0 { -4000 } else { 4000 });
    // In two steps: 2^-1130 alone would be zero where the product is not.
    let half = exponent / 2;
    let value = scaled.to_f64().unwrap_or(f64::MAX) * 2f64.powi(half) * 2f64.powi(exponent - half);
    value.min(f64::MAX)
}

/// The place of a float among all floats in order; both zeros share one.
fn rank(value: f64) -> i128 {
    let size = i128::from(value.to_bits() & !(1 << 63));
    if value.is_sign_negative() { -size } else { size }
}

fn single_rank(value: f32) -> i64 {
    let size = i64::from(value.to_bits() & !(1 << 31));
    if value.is_sign_negative() { -size } else { size }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(one: &Number, two: &Number, tolerance: Tolerance, within: bool) {
        let near = one.is_identical(two) || one.is_within(two, &tolerance);
        assert_eq!(near, within, "{one:?} {two:?} {tolerance:?}");
        let mirrored = two.is_identical(one) || two.is_within(one, &tolerance);
        assert_eq!(mirrored, within, "mirrored: {one:?} {two:?} {tolerance:?}");
        assert_eq!(one.is_identical(two), one.canonical() == two.canonical(), "{one:?} {two:?}");
    }

    fn absolute(bound: f64) -> Tolerance {
        Tolerance { absolute: Some(bound), ..Tolerance::default() }
    }

    #[test]
    fn integers_and_floats_meet_exactly() {
        let beyond = Number::integer((1_i64 << 53) + 1);
        check(&beyond, &Number::Float(9_007_199_254_740_992.0), Tolerance::default(), false);
        check(&beyond, &Number::Float(9_007_199_254_740_992.0), absolute(1.0), true);
        check(&beyond, &Number::Float(9_007_199_254_740_992.0), absolute(0.5), false);
        check(&Number::integer(i64::MIN), &Number::integer(i64::MAX), absolute(1e18), false);
        check(&Number::integer(3), &Number::Float(3.0), Tolerance::default(), true);
        check(&Number::Float(-0.0), &Number::integer(0), Tolerance::default(), true);
    }

    #[test]
    fn decimals_are_exact_at_any_scale() {
        let cents = Number::Decimal { mantissa: 1050, scale: 2 };
        check(&cents, &Number::Decimal { mantissa: 105_000, scale: 4 }, Tolerance::default(), true);
        check(&cents, &Number::Float(10.5), Tolerance::default(), true);
        let tenth = Number::Decimal { mantissa: 1, scale: 1 };
        check(&tenth, &Number::Float(0.1), Tolerance::default(), false);
        check(&tenth, &Number::Float(0.1), absolute(1e-12), true);
        assert_eq!(tenth.to_json(), serde_json::json!("0.1"));
    }

    #[test]
    fn a_bound_is_inclusive_and_never_met_by_rounding() {
        check(&Number::Float(1.0), &Number::Float(1.5), absolute(0.5), true);
        // 1e16 - 0.4 rounds to 1e16: the rounded difference meets the bound, the true one does not.
        check(&Number::Float(1e16), &Number::Float(-0.4), absolute(1e16), false);
        let wide = Tolerance { relative: Some(0.105), ..Tolerance::default() };
        check(&Number::Float(10.0), &Number::Float(9.0), wide, true);
    }

    #[test]
    fn between_decimals_a_bound_is_the_decimal_that_was_written() {
        let tenths = |mantissa| Number::Decimal { mantissa, scale: 1 };
        for bound in [0.3, 1e-6, 1e-12, 123.456e9] {
            let written = format!("{bound:e}");
            let (digits, exponent) = written.split_once('e').unwrap();
            let places = digits.split_once('.').map_or(0, |(_, places)| places.len());
            let scale = i32::try_from(places).unwrap() - exponent.parse::<i32>().unwrap();
            let one = Number::Decimal { mantissa: digits.replace('.', "").parse().unwrap(), scale };
            check(&one, &tenths(0), absolute(bound), true);
            check(&one, &tenths(0), absolute(bound * 0.999_999), false);
        }
        let tenth = Tolerance { relative: Some(0.1), ..Tolerance::default() };
        check(&tenths(100), &tenths(90), tenth, true);
        check(&tenths(1000), &tenths(899), tenth, false);
        // A float is what it is: 1.3 is a little more than 1.3.
        check(&Number::Float(1.3), &tenths(10), absolute(0.3), false);
    }

    #[test]
    fn nothing_finite_is_near_an_infinity_or_nan() {
        let everything = Tolerance { absolute: Some(f64::MAX), relative: Some(2.0), ulps: Some(u64::MAX) };
        check(&Number::Float(f64::MAX), &Number::Float(f64::INFINITY), everything, false);
        check(&Number::Float(f64::NAN), &Number::Float(1.0), everything, false);
        check(&Number::Float(f64::NAN), &Number::Float(-f64::NAN), Tolerance::default(), true);
        check(&Number::Float(f64::INFINITY), &Number::Float(f64::NEG_INFINITY), everything, false);
    }

    #[test]
    fn distances_do_not_overflow() {
        let (one, two) = (Number::Float(f64::MAX), Number::Float(-f64::MAX));
        assert_eq!(one.absolute(&two), Some(f64::MAX));
        assert_eq!(one.relative(&two), Some(2.0));
        let large = Number::from_integer_text("123456789012345678901234567890123456789012345").unwrap();
        let next = Number::from_integer_text("123456789012345678901234567890123456789012346").unwrap();
        assert_eq!(large.absolute(&next), Some(1.0));
        check(&large, &next, absolute(0.5), false);
    }

    #[test]
    fn units_in_the_last_place_count_across_zero_and_in_the_width_of_the_column() {
        let least = f64::from_bits(1);
        assert_eq!(Number::Float(least).ulps(&Number::Float(-least)), Some(2));
        assert_eq!(Number::Single(1.0).ulps(&Number::Single(1.000_000_1)), Some(1));
    }
}
