//! How close two values are under a tolerance, and how far apart.

use switchback_core::rule::Tolerance;

use super::{Number, Value};

/// How close a pair is, from the closest to the farthest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Closeness {
    /// The same representation.
    Bitwise,
    /// The same value: `-0.0` and `0.0`, `1` and `1.0`, two NaN with different payloads.
    Identical,
    /// Not the same value, but within the tolerance.
    Within,
    /// Farther apart than the tolerance, or of different kinds.
    Different,
}

/// How far two numbers lie apart; of nested values, the largest distance inside.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Distance {
    pub(crate) absolute: Option<f64>,
    pub(crate) relative: Option<f64>,
    pub(crate) ulps: Option<u64>,
}

impl Distance {
    fn between(one: &Number, two: &Number) -> Self {
        Self { absolute: one.absolute(two), relative: one.relative(two), ulps: one.ulps(two) }
    }

    /// The larger of each.
    pub(crate) fn include(&mut self, other: &Self) {
        let larger = |one: Option<f64>, two: Option<f64>| match (one, two) {
            (Some(one), Some(two)) => Some(one.max(two)),
            (one, two) => one.or(two),
        };
        self.absolute = larger(self.absolute, other.absolute);
        self.relative = larger(self.relative, other.relative);
        self.ulps = self.ulps.max(other.ulps);
    }
}

/// What the comparison of one pair found.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Finding {
    pub(crate) closeness: Closeness,
    pub(crate) distance: Distance,
    /// Exactly one of the two is null.
    pub(crate) null_mismatch: bool,
}

impl Finding {
    pub(crate) fn of(closeness: Closeness) -> Self {
        Self { closeness, distance: Distance::default(), null_mismatch: false }
    }

    fn include(&mut self, other: &Self) {
        self.closeness = self.closeness.max(other.closeness);
        self.distance.include(&other.distance);
    }
}

/// Compares two values of columns (or documents) of one type. Values of different kinds differ.
pub(crate) fn find(old: &Value<'_>, new: &Value<'_>, tolerance: &Tolerance) -> Finding {
    match (old, new) {
        (Value::Null, Value::Null) => Finding::of(Closeness::Bitwise),
        (Value::Null, _) | (_, Value::Null) => {
            Finding { null_mismatch: true, ..Finding::of(Closeness::Different) }
        }
        (Value::Number(one), Value::Number(two)) => numbers(one, two, tolerance),
        (Value::Boolean(one), Value::Boolean(two)) => same(one == two),
        (Value::Text(one), Value::Text(two)) => same(one == two),
        (Value::Other(one), Value::Other(two)) => same(one == two),
        (Value::Bytes(one), Value::Bytes(two)) => same(one == two),
        (Value::Instant { ns: one, zoned }, Value::Instant { ns: two, zoned: other }) => {
            same(one == two && zoned == other)
        }
        (Value::Date(one), Value::Date(two)) | (Value::Time(one), Value::Time(two)) => same(one == two),
        (Value::Duration(one), Value::Duration(two)) => same(one == two),
        (Value::List(one), Value::List(two)) => lists(one, two, tolerance),
        (Value::Object(one), Value::Object(two)) => {
            let mut finding = same(one.len() == two.len());
            for (name, value) in one {
                let other = two.iter().find(|(other, _)| other == name);
                let inner = other
                    .map_or(Finding::of(Closeness::Different), |(_, other)| find(value, other, tolerance));
                finding.include(&inner);
            }
            finding
        }
        _ => Finding::of(Closeness::Different),
    }
}

/// Compares values of two columns whose types differ: as numbers where both are numeric, else as text.
pub(crate) fn find_across_types(old: &Value<'_>, new: &Value<'_>, tolerance: &Tolerance) -> Finding {
    let as_number = |value: &Value<'_>| match value {
        Value::Number(number) => Some(number.clone()),
        Value::Boolean(flag) => Some(Number::integer(i8::from(*flag))),
        _ => None,
    };
    if matches!(old, Value::Null) || matches!(new, Value::Null) {
        return find(old, new, tolerance);
    }
    match (as_number(old), as_number(new)) {
        (Some(one), Some(two)) => numbers(&one, &two, tolerance),
        _ if std::mem::discriminant(old) == std::mem::discriminant(new) => find(old, new, tolerance),
        _ if old.to_text() == new.to_text() => Finding::of(Closeness::Identical),
        _ => Finding::of(Closeness::Different),
    }
}

fn same(equal: bool) -> Finding {
    Finding::of(if equal { Closeness::Bitwise } else { Closeness::Different })
}

fn numbers(one: &Number, two: &Number, tolerance: &Tolerance) -> Finding {
    if one.is_bitwise(two) {
        return Finding::of(Closeness::Bitwise);
    }
    let closeness = match () {
        () if one.is_identical(two) => Closeness::Identical,
        () if one.is_within(two, tolerance) => Closeness::Within,
        () => Closeness::Different,
    };
    Finding { distance: Distance::between(one, two), ..Finding::of(closeness) }
}

fn lists(one: &[Value<'_>], two: &[Value<'_>], tolerance: &Tolerance) -> Finding {
    let mut finding = same(one.len() == two.len());
    for (old, new) in one.iter().zip(two) {
        finding.include(&find(old, new, tolerance));
    }
    finding
}
