//! How close two values are under a tolerance, and how far apart.

use std::borrow::Cow;

use switchback_core::rule::Pairing;

use super::prose::{Piece, pieces};
use super::terms::Terms;
use super::{Number, Value};

/// Nanoseconds in a second and in a millisecond.
const SECOND_NS: f64 = 1e9;
const MILLISECOND_NS: i128 = 1_000_000;

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
pub(crate) fn find(old: &Value<'_>, new: &Value<'_>, terms: &Terms) -> Finding {
    judged(near(old, new, terms), terms)
}

/// Compares values of two columns whose types differ: as numbers where both are numeric, else as text.
///
/// No pair of them is bitwise the same, unless both are null.
pub(crate) fn find_across_types(old: &Value<'_>, new: &Value<'_>, terms: &Terms) -> Finding {
    if matches!(old, Value::Null) || matches!(new, Value::Null) {
        return find(old, new, terms);
    }
    let as_number = |value: &Value<'_>| match value {
        Value::Number(number) => Some(number.clone()),
        Value::Boolean(flag) => Some(Number::integer(i8::from(*flag))),
        _ => None,
    };
    let mut finding = match (as_number(old), as_number(new)) {
        (Some(one), Some(two)) => numbers(&one, &two, terms),
        _ if std::mem::discriminant(old) == std::mem::discriminant(new) => near(old, new, terms),
        _ => texts(&old.to_text(), &new.to_text(), terms),
    };
    finding.closeness = finding.closeness.max(Closeness::Identical);
    judged(finding, terms)
}

/// Under terms that ask for identical bits, everything else differs.
fn judged(finding: Finding, terms: &Terms) -> Finding {
    if terms.bitwise && finding.closeness > Closeness::Bitwise {
        return Finding { closeness: Closeness::Different, ..finding };
    }
    finding
}

fn near(old: &Value<'_>, new: &Value<'_>, terms: &Terms) -> Finding {
    match (old, new) {
        (Value::Null, Value::Null) => same(terms.null == Pairing::Equal),
        (Value::Null, other) | (other, Value::Null) => {
            let is_one = terms.null_is_nan && terms.is_reflexive() && is_nan(other);
            let closeness = if is_one { Closeness::Within } else { Closeness::Different };
            Finding { null_mismatch: true, ..Finding::of(closeness) }
        }
        (Value::Number(one), Value::Number(two)) => numbers(one, two, terms),
        (Value::Boolean(one), Value::Boolean(two)) => same(one == two),
        (Value::Text(one), Value::Text(two)) => texts(one, two, terms),
        (Value::Other(one), Value::Other(two)) => same(one == two),
        (Value::Bytes(one), Value::Bytes(two)) => same(one == two),
        (Value::Instant { ns: one, zoned }, Value::Instant { ns: two, zoned: other }) if zoned == other => {
            times(*one, *two, terms)
        }
        (Value::Date(one), Value::Date(two)) => {
            times(i128::from(*one) * MILLISECOND_NS, i128::from(*two) * MILLISECOND_NS, terms)
        }
        (Value::Time(one), Value::Time(two)) => times(i128::from(*one), i128::from(*two), terms),
        (Value::Duration(one), Value::Duration(two)) => times(*one, *two, terms),
        (Value::List(one), Value::List(two)) => lists(one, two, terms),
        (Value::Object(one), Value::Object(two)) => objects(one, two, terms),
        _ => Finding::of(Closeness::Different),
    }
}

fn is_nan(value: &Value<'_>) -> bool {
    matches!(value, Value::Number(number) if number.is_nan())
}

fn same(equal: bool) -> Finding {
    Finding::of(if equal { Closeness::Bitwise } else { Closeness::Different })
}

fn numbers(one: &Number, two: &Number, terms: &Terms) -> Finding {
    if terms.nan == Pairing::Different && one.is_nan() && two.is_nan() {
        return Finding::of(Closeness::Different);
    }
    if one.is_bitwise(two) {
        return Finding::of(Closeness::Bitwise);
    }
    let closeness = match () {
        () if one.is_identical(two) => Closeness::Identical,
        () if one.is_within(two, &terms.tolerance) => Closeness::Within,
        () => Closeness::Different,
    };
    Finding { distance: Distance::between(one, two), ..Finding::of(closeness) }
}

fn texts(one: &str, two: &str, terms: &Terms) -> Finding {
    if one == two {
        return Finding::of(Closeness::Bitwise);
    }
    let tells_numbers = terms.tells_numbers && terms.tolerates_numbers();
    if terms.texts.is_exact() && !tells_numbers {
        return Finding::of(Closeness::Different);
    }
    let (one, two) = (terms.texts.plain(one), terms.texts.plain(two));
    match () {
        () if one == two => Finding::of(Closeness::Within),
        () if tells_numbers => told(&one, &two, terms),
        () => Finding::of(Closeness::Different),
    }
}

/// Two texts that must have the same words, with numbers between them that are near.
fn told(one: &str, two: &str, terms: &Terms) -> Finding {
    let (one, two) = (pieces(one), pieces(two));
    let mut finding =
        Finding::of(if one.len() == two.len() { Closeness::Within } else { Closeness::Different });
    for pair in one.iter().zip(&two) {
        let inner = match pair {
            (Piece::Words(one), Piece::Words(two)) => same(one == two),
            (Piece::Number(one), Piece::Number(two)) => numbers(one, two, terms),
            _ => same(false),
        };
        finding.include(&inner);
    }
    finding
}

/// Two points of one time line, or two spans. Their distance is told in seconds.
fn times(one_ns: i128, two_ns: i128, terms: &Terms) -> Finding {
    let gap_ns = one_ns.abs_diff(two_ns);
    if gap_ns == 0 {
        return Finding::of(Closeness::Bitwise);
    }
    let within = gap_ns <= u128::from(terms.time_ns);
    #[expect(clippy::cast_precision_loss, reason = "a distance is told as the nearest float")]
    let seconds = gap_ns as f64 / SECOND_NS;
    Finding {
        distance: Distance { absolute: Some(seconds), ..Distance::default() },
        ..Finding::of(if within { Closeness::Within } else { Closeness::Different })
    }
}

fn lists(one: &[Value<'_>], two: &[Value<'_>], terms: &Terms) -> Finding {
    let mut finding = same(one.len() == two.len());
    for (old, new) in one.iter().zip(two) {
        finding.include(&near(old, new, terms));
    }
    finding
}

/// Members by name, in any order; of members that share a name, the first with the first and so on.
fn objects(one: &[(Cow<'_, str>, Value<'_>)], two: &[(Cow<'_, str>, Value<'_>)], terms: &Terms) -> Finding {
    let mut finding = same(one.len() == two.len());
    let in_order = one.iter().zip(two).all(|(old, new)| old.0 == new.0);
    let (mut one, mut two): (Vec<_>, Vec<_>) = (one.iter().collect(), two.iter().collect());
    if !in_order {
        finding.closeness = finding.closeness.max(Closeness::Identical);
        one.sort_by(|old, new| old.0.cmp(&new.0));
        two.sort_by(|old, new| old.0.cmp(&new.0));
    }
    for ((old_name, old), (new_name, new)) in one.into_iter().zip(two) {
        let inner = if old_name == new_name { near(old, new, terms) } else { same(false) };
        finding.include(&inner);
    }
    finding
}
