//! What a difference may look like, for a value of each kind: just within the tolerance, just beyond it, and as small as the
//! type can hold.

use std::borrow::Cow;

use arrow_schema::{DataType, TimeUnit};

use crate::source::inference::Kind;
use crate::source::logical::ColumnType;
use crate::value::{Number, Terms, Value};

const SECOND_NS: i128 = 1_000_000_000;
const DAY_MS: i64 = 86_400_000;
const MILLISECOND_NS: i128 = 1_000_000;

/// A value that takes another's place.
#[derive(Debug, Clone)]
pub(super) struct Planted {
    /// What was done.
    pub(super) plant: &'static str,
    pub(super) value: Value<'static>,
    /// How far it was moved, where that can be said.
    pub(super) size: Option<f64>,
}

impl Planted {
    fn of(plant: &'static str, value: Value<'static>) -> Self {
        Self { plant, value, size: None }
    }
}

/// What may be planted for a value that is not null. `terms`: none where values must be the same.
pub(super) fn of_value(value: &Value<'static>, kind: &ColumnType, terms: Option<&Terms>) -> Vec<Planted> {
    let mut plants = match value {
        Value::Number(number) => numbers(number, terms),
        Value::Boolean(flag) => vec![Planted::of("flipped", Value::Boolean(!flag))],
        Value::Text(text) => texts(text),
        Value::Instant { ns, zoned } => {
            let zoned = *zoned;
            times(*ns, unit_ns(kind), terms, |ns| Some(Value::Instant { ns, zoned }))
        }
        Value::Date(ms) => {
            let ns = i128::from(*ms) * MILLISECOND_NS;
            let unit_ns = i128::from(DAY_MS) * MILLISECOND_NS;
            times(ns, unit_ns, terms, |ns| Some(Value::Date(i64::try_from(ns / MILLISECOND_NS).ok()?)))
        }
        Value::Time(ns) => {
            times(i128::from(*ns), unit_ns(kind), terms, |ns| Some(Value::Time(i64::try_from(ns).ok()?)))
        }
        Value::Duration(ns) => times(*ns, unit_ns(kind), terms, |ns| Some(Value::Duration(ns))),
        Value::List(items) if !items.is_empty() => {
            let fewer = items.iter().skip(1).cloned().collect();
            vec![Planted::of("item-dropped", Value::List(fewer))]
        }
        Value::List(_) | Value::Object(_) | Value::Bytes(_) | Value::Other(_) | Value::Null => Vec::new(),
    };
    plants.push(Planted::of("null-for-value", Value::Null));
    plants
}

/// What may be planted for a null.
pub(super) fn of_null(kind: &ColumnType) -> Option<Planted> {
    match kind {
        ColumnType::Stored(kind) if kind.is_floating() => Some(nan("nan-for-null")),
        ColumnType::Found(Kind::Number) => Some(nan("nan-for-null")),
        ColumnType::Stored(DataType::Utf8) => {
            Some(Planted::of("empty-for-null", Value::Text(Cow::Borrowed(""))))
        }
        _ => None,
    }
}

fn nan(plant: &'static str) -> Planted {
    Planted::of(plant, Value::Number(Number::Float(f64::NAN)))
}

/// The next number, the last one within the tolerance, the first one beyond it; away from zero. NaN, where it can be.
fn numbers(number: &Number, terms: Option<&Terms>) -> Vec<Planted> {
    let tolerance = terms.filter(|terms| terms.tolerates_numbers()).map(|terms| &terms.tolerance);
    let is_within = |steps: u64| {
        let moved = number.stepped(steps);
        tolerance.zip(moved).is_some_and(|(tolerance, moved)| number.is_within(&moved, tolerance))
    };
    let moved = |plant: &'static str, steps: u64| {
        let moved = number.stepped(steps)?;
        Some(Planted { plant, size: number.absolute(&moved), value: Value::Number(moved) })
    };
    let (within, beyond) = boundary(|steps| number.stepped(steps).is_some(), is_within);
    let mut plants: Vec<Planted> = Vec::new();
    plants.extend(moved("smallest", 1));
    plants.extend(within.and_then(|steps| moved("below-tolerance", steps)));
    plants.extend(beyond.filter(|steps| *steps > 1).and_then(|steps| moved("above-tolerance", steps)));
    if matches!(number, Number::Float(_) | Number::Single(_)) {
        plants.push(nan("nan-for-value"));
    }
    plants
}

/// The most steps that are within, where one is, and the fewest that are not, where there are any.
fn boundary(exists: impl Fn(u64) -> bool, is_within: impl Fn(u64) -> bool) -> (Option<u64>, Option<u64>) {
    let (mut low, mut high) = (0, 1);
    while is_within(high) {
        low = high;
        match high.checked_mul(2) {
            Some(next) => high = next,
            None => return (Some(low), None),
        }
    }
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if is_within(middle) { low = middle } else { high = middle }
    }
    (Some(low).filter(|steps| *steps > 0), Some(high).filter(|steps| exists(*steps)))
}

fn texts(text: &str) -> Vec<Planted> {
    let planted = |plant: &'static str, text: String| Planted::of(plant, Value::Text(Cow::Owned(text)));
    let upper = text.to_uppercase();
    let other_case = if upper == text { text.to_lowercase() } else { upper };
    let mut plants =
        vec![planted("text-changed", format!("{text}~")), planted("white-space", format!("{text} "))];
    if other_case != text {
        plants.push(planted("case", other_case));
    }
    plants
}

/// The next moment that the type can hold, the last one within the tolerance, the first one beyond it.
fn times(
    ns: i128,
    unit_ns: i128,
    terms: Option<&Terms>,
    value: impl Fn(i128) -> Option<Value<'static>>,
) -> Vec<Planted> {
    let time_ns = terms.filter(|terms| terms.tolerates_times()).map_or(0, |terms| i128::from(terms.time_ns));
    let within = time_ns / unit_ns;
    let moved = |plant: &'static str, steps: i128| {
        let gap_ns = steps.checked_mul(unit_ns)?;
        #[expect(clippy::cast_precision_loss, reason = "a distance is told as the nearest float")]
        let seconds = gap_ns as f64 / SECOND_NS as f64;
        Some(Planted { plant, value: value(ns.checked_add(gap_ns)?)?, size: Some(seconds) })
    };
    let mut plants: Vec<Planted> = moved("smallest", 1).into_iter().collect();
    if within > 0 {
        plants.extend(moved("below-tolerance", within));
        plants.extend(moved("above-tolerance", within + 1));
    }
    plants
}

fn unit_ns(kind: &ColumnType) -> i128 {
    let unit = match kind {
        ColumnType::Stored(
            DataType::Timestamp(unit, _)
            | DataType::Time32(unit)
            | DataType::Time64(unit)
            | DataType::Duration(unit),
        ) => *unit,
        _ => TimeUnit::Nanosecond,
    };
    match unit {
        TimeUnit::Second => SECOND_NS,
        TimeUnit::Millisecond => MILLISECOND_NS,
        TimeUnit::Microsecond => 1000,
        TimeUnit::Nanosecond => 1,
    }
}

#[cfg(test)]
mod tests {
    use switchback_core::rule::{Rule, Tolerance};

    use super::*;

    #[test]
    fn the_boundary_of_a_tolerance_is_found_to_the_last_step() {
        let terms = |tolerance| Terms::of(&Rule { tolerance, ..Rule::default() }).unwrap();
        let absolute = terms(Tolerance { absolute: Some(0.25), ..Tolerance::default() });
        let plants = numbers(&Number::Float(-1.0), Some(&absolute));
        let size = |plant: &str| plants.iter().find(|planted| planted.plant == plant).unwrap().size.unwrap();
        assert!((size("below-tolerance") - 0.25).abs() <= 0.0);
        assert!((size("above-tolerance") - 0.25_f64.next_up()).abs() <= f64::EPSILON);
        assert!((size("smallest") - f64::EPSILON).abs() <= 0.0);
        let plants = numbers(&Number::integer(10), Some(&absolute));
        let kinds: Vec<_> = plants.iter().map(|planted| planted.plant).collect();
        assert_eq!(kinds, ["smallest"], "no integer is within");
        let ulps = terms(Tolerance { ulps: Some(4), ..Tolerance::default() });
        let plants = numbers(&Number::Single(1.0), Some(&ulps));
        let steps = |at: usize| match &plants[at].value {
            Value::Number(number) => number.ulps(&Number::Single(1.0)),
            _ => None,
        };
        assert_eq!((plants[1].plant, steps(1)), ("below-tolerance", Some(4)));
        assert_eq!((plants[2].plant, steps(2)), ("above-tolerance", Some(5)));
        let everything = terms(Tolerance { relative: Some(2.0), ..Tolerance::default() });
        let kinds: Vec<_> =
            numbers(&Number::Float(3.0), Some(&everything)).iter().map(|planted| planted.plant).collect();
        assert_eq!(kinds, ["smallest", "below-tolerance", "nan-for-value"], "nothing is beyond");
    }
}
