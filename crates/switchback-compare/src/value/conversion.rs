//! Numbers in another unit: `value * factor + offset`, exactly, and rounded once where the new column holds floats.

use num_bigint::BigInt;
use num_traits::{Pow, ToPrimitive};
use switchback_core::mapping::Decimal;

use super::Number;

/// What the converted values must fit into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target {
    /// Integers and decimals stay exact, floats are floats of 64 bits.
    Exact,
    /// All are floats of 64 bits.
    Double,
    /// All are floats of 32 bits.
    Single,
    /// What text and JSON hold: integers stay exact, the rest are floats of 64 bits.
    Text,
}

/// A conversion from one unit to another.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Conversion {
    factor: Decimal,
    offset: Decimal,
    target: Target,
    quick: Option<Quick>,
}

/// One operation on floats that is rounded as the exact result would be (IEEE 754-2019, 4.3: each operation is).
#[derive(Debug, Clone, Copy)]
enum Quick {
    Times(f64),
    Over(f64),
}

impl Conversion {
    pub(crate) fn new(factor: Decimal, offset: Decimal, target: Target) -> Self {
        let exact = |mantissa: i128, zeros: i32| {
            let power = 10_i128.checked_pow(u32::try_from(zeros).ok()?)?;
            let whole = mantissa.checked_mul(power)?;
            (whole.unsigned_abs() <= 1 << 53).then(|| whole.to_f64()).flatten()
        };
        let quick = match factor.mantissa {
            _ if offset != Decimal::ZERO => None,
            mantissa if factor.scale <= 0 => exact(mantissa, -factor.scale).map(Quick::Times),
            mantissa @ (1 | -1) => exact(mantissa, factor.scale).map(Quick::Over),
            _ => None,
        };
        Self { factor, offset, target, quick }
    }

    /// Whether integers stay integers.
    pub(crate) fn keeps_integers(&self) -> bool {
        self.factor.scale <= 0 && self.offset.scale <= 0
    }

    /// Whether it leads to floats of 64 bits, whatever it is given.
    pub(crate) fn is_to_doubles(&self) -> bool {
        self.target == Target::Double
    }

    pub(crate) fn apply(&self, number: &Number) -> Number {
        match number {
            Number::Float(value) => self.rounded_float(*value),
            Number::Single(value) => match self.target {
                Target::Double => self.rounded_float(f64::from(*value)),
                _ => Number::Single(self.single(f64::from(*value))),
            },
            Number::Decimal { mantissa, scale } => self.exact(BigInt::from(*mantissa), *scale),
            Number::Large { mantissa, scale } => self.exact(mantissa.clone(), *scale),
        }
    }

    /// A float of 64 bits in the new unit, as the nearest one.
    pub(crate) fn double(&self, value: f64) -> f64 {
        match self.quick {
            Some(Quick::Times(factor)) => value * factor,
            Some(Quick::Over(divisor)) => value / divisor,
            None if value.is_finite() => self.literal(value).parse().unwrap_or(f64::NAN),
            None if self.factor.mantissa < 0 => -value,
            None => value,
        }
    }

    fn single(&self, value: f64) -> f32 {
        if value.is_finite() {
            self.literal(value).parse().unwrap_or(f32::NAN)
        } else {
            // The infinities and NaN are all that is left, and every width has them.
            self.double(value).to_f32().unwrap_or(f32::NAN)
        }
    }

    fn rounded_float(&self, value: f64) -> Number {
        match self.target {
            Target::Single => Number::Single(self.single(value)),
            _ => Number::Float(self.double(value)),
        }
    }

    /// The exact result of a finite float, in decimal digits: a float is a fraction of a power of two, so there are some.
    fn literal(&self, value: f64) -> String {
        let Some((mantissa, unit)) = super::number::float_fraction(value) else { return String::new() };
        let places = unit.bits().saturating_sub(1);
        let mantissa = mantissa * Pow::pow(BigInt::from(5), places);
        let (mantissa, scale) = self.line(mantissa, i32::try_from(places).unwrap_or(i32::MAX));
        // The digits of 0 have no sign: it is that of a product.
        let is_negative = value.is_sign_negative() != (self.factor.mantissa < 0);
        let is_zero = mantissa == BigInt::ZERO && self.offset == Decimal::ZERO;
        let sign = if is_zero && is_negative { "-" } else { "" };
        format!("{sign}{mantissa}e{}", -i64::from(scale))
    }

    /// `mantissa / 10^scale * factor + offset`.
    fn line(&self, mantissa: BigInt, scale: i32) -> (BigInt, i32) {
        let (product, scale) = (mantissa * self.factor.mantissa, scale.saturating_add(self.factor.scale));
        if self.offset == Decimal::ZERO {
            return (product, scale);
        }
        let to = scale.max(self.offset.scale);
        let raised = |mantissa: BigInt, from: i32| {
            mantissa * Pow::pow(BigInt::from(10), to.saturating_sub(from).unsigned_abs())
        };
        (raised(product, scale) + raised(BigInt::from(self.offset.mantissa), self.offset.scale), to)
    }

    fn exact(&self, mantissa: BigInt, scale: i32) -> Number {
        let (mut mantissa, mut scale) = self.line(mantissa, scale);
        while scale > 0 && (&mantissa % 10_i32) == BigInt::ZERO {
            (mantissa, scale) = (mantissa / 10_i32, scale - 1);
        }
        if scale < 0 {
            (mantissa, scale) = (mantissa * Pow::pow(BigInt::from(10), scale.unsigned_abs()), 0);
        }
        let stays = match self.target {
            Target::Exact => true,
            Target::Text => scale == 0,
            Target::Double | Target::Single => false,
        };
        if !stays {
            let literal = format!("{mantissa}e{}", -i64::from(scale));
            return match self.target {
                Target::Single => Number::Single(literal.parse().unwrap_or(f32::NAN)),
                _ => Number::Float(literal.parse().unwrap_or(f64::NAN)),
            };
        }
        match mantissa.to_i128() {
            Some(mantissa) => Number::Decimal { mantissa, scale },
            None => Number::Large { mantissa, scale },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(number: &Number, factor: &str, offset: &str, target: Target, wanted: &Number) {
        let decimal = |text| Decimal::parse(text).unwrap();
        let found = Conversion::new(decimal(factor), decimal(offset), target).apply(number);
        assert!(found.is_bitwise(wanted), "{number:?} * {factor} + {offset} is {found:?}, not {wanted:?}");
    }

    #[test]
    fn integers_and_decimals_are_exact() {
        let decimal = |mantissa, scale| Number::Decimal { mantissa, scale };
        check(&decimal(7, 0), "100", "0", Target::Exact, &decimal(700, 0));
        check(&decimal(7, 2), "100", "0", Target::Exact, &decimal(7, 0));
        check(&decimal(7, 0), "0.01", "0", Target::Exact, &decimal(7, 2));
        check(&decimal(37, 0), "1.8", "32", Target::Exact, &decimal(986, 1));
        check(
            &decimal(9_007_199_254_740_993, 0),
            "1e3",
            "0",
            Target::Text,
            &decimal(9_007_199_254_740_993_000, 0),
        );
        let large = Number::from_integer_text(&format!("1{}", "0".repeat(40))).unwrap();
        check(
            &decimal(i128::from(i64::MAX), 0),
            "1e30",
            "0",
            Target::Exact,
            &Number::from_integer_text(&format!("{}{}", i64::MAX, "0".repeat(30))).unwrap(),
        );
        check(&large, "1e-30", "0", Target::Exact, &decimal(10_000_000_000, 0));
    }

    #[test]
    fn floats_are_rounded_once() {
        let float = Number::Float;
        check(&float(0.07), "100", "0", Target::Double, &float(0.07 * 100.0));
        check(&float(7.0), "0.01", "0", Target::Double, &float(7.0 / 100.0));
        check(&float(-0.0), "0.3", "0", Target::Double, &float(-0.0));
        check(&float(f64::MAX), "10", "0", Target::Double, &float(f64::INFINITY));
        check(&float(f64::INFINITY), "-0.3", "0", Target::Double, &float(f64::NEG_INFINITY));
        check(&float(5e-324), "0.3", "0", Target::Double, &float(0.0));
        check(&Number::Decimal { mantissa: 7, scale: 0 }, "0.01", "0", Target::Double, &float(0.07));
        check(&Number::Single(0.1), "10", "0", Target::Single, &Number::Single(1.0));
        check(&Number::Single(0.1), "10", "0", Target::Double, &float(f64::from(0.1_f32) * 10.0));
        // Twice rounded it would be 0.30000000000000004.
        check(&float(0.1), "1.8", "0.12", Target::Double, &float(0.3));
    }

    #[test]
    fn the_quick_way_is_the_exact_way() {
        for factor in ["100", "0.01", "-1000", "-0.001"] {
            let decimal = Decimal::parse(factor).unwrap();
            let quick = Conversion::new(decimal, Decimal::ZERO, Target::Double);
            let exact = Conversion { quick: None, ..quick };
            assert!(quick.quick.is_some());
            for value in [
                0.07,
                1.1,
                -3.3e-310,
                1.7e306,
                f64::MAX,
                f64::MIN_POSITIVE,
                123_456.789,
                0.0,
                -0.0,
                2.0 / 3.0,
            ] {
                assert_eq!(
                    quick.double(value).to_bits(),
                    exact.double(value).to_bits(),
                    "{value} * {factor}"
                );
            }
        }
    }
}
