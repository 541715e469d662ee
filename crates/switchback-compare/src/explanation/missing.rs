//! Null on one side, and one value on the other.

use super::{Cell, Evidence, Missing, Side, What};

/// All differing cells have null on one side and NaN, the empty text or zero on the other, and no such value stayed.
pub(super) fn null_for(evidence: &Evidence<'_>) -> Option<What> {
    let first = evidence.differences.first()?;
    let side = match (&first.old, &first.new) {
        (Cell::Null, _) => Side::Old,
        (_, Cell::Null) => Side::New,
        _ => return None,
    };
    let mut value = None;
    for difference in evidence.differences {
        let (null, other) = match side {
            Side::Old => (&difference.old, &difference.new),
            Side::New => (&difference.new, &difference.old),
        };
        let found = missing(other)?;
        if *null != Cell::Null || value.is_some_and(|value| value != found) {
            return None;
        }
        value = Some(found);
    }
    let value = value?;
    // A rule that turned some of them would have turned all.
    let stayed = evidence.equal.iter().any(|cell| missing(cell) == Some(value));
    (!stayed).then_some(What::NullFor { value, side })
}

fn missing(cell: &Cell) -> Option<Missing> {
    match cell {
        Cell::Number(value) if value.is_nan() => Some(Missing::Nan),
        Cell::Single(value) if value.is_nan() => Some(Missing::Nan),
        Cell::Number(value) if *value == 0.0 => Some(Missing::Zero),
        Cell::Single(value) if *value == 0.0 => Some(Missing::Zero),
        Cell::Integer(0) => Some(Missing::Zero),
        Cell::Text(text) if text.is_empty() => Some(Missing::Empty),
        _ => None,
    }
}
