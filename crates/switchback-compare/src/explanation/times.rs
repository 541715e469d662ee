//! Times that moved by one amount.

use super::{CELLS_MIN, Cell, Evidence, What, distinct_pairs};

const MINUTE_NS: i128 = 60_000_000_000;
const HOUR_NS: i128 = 60 * MINUTE_NS;
const DAY_NS: i128 = 24 * HOUR_NS;
/// Offsets of time zones are whole quarters of an hour.
const QUARTER_NS: i128 = 15 * MINUTE_NS;
/// From UTC-12 to UTC+14.
const ZONES_APART_MAX_NS: i128 = 26 * HOUR_NS;
/// A clock changes twice a year; the first and last year may be cut off.
const YEAR_NS: i128 = 365 * DAY_NS;

/// OLD, and NEW minus OLD, in the order of OLD.
fn moves(evidence: &Evidence<'_>) -> Option<Vec<(i128, i128)>> {
    let pair = |difference: &super::Difference| match (&difference.old, &difference.new) {
        (Cell::Time(old), Cell::Time(new)) => Some((*old, new.checked_sub(*old)?)),
        _ => None,
    };
    let mut moves: Vec<(i128, i128)> = evidence.differences.iter().map(pair).collect::<Option<_>>()?;
    moves.sort_unstable();
    (distinct_pairs(evidence.differences) >= CELLS_MIN).then_some(moves)
}

/// One offset that time zones can be apart, or two an hour apart that follow each other as daylight saving time does.
pub(super) fn time_zone(evidence: &Evidence<'_>) -> Option<What> {
    let moves = moves(evidence)?;
    let mut offsets: Vec<i128> = moves.iter().map(|(_, offset)| *offset).collect();
    offsets.sort_unstable();
    offsets.dedup();
    // A whole number of days is another day and not another zone.
    let is_zone = |offset: &i128| offset % QUARTER_NS == 0 && offset.abs() <= ZONES_APART_MAX_NS;
    if !offsets.iter().all(is_zone) || offsets.iter().all(|offset| offset % DAY_NS == 0) {
        return None;
    }
    let is_one_rule = match offsets.as_slice() {
        [_] => true,
        [low, high] if high - low == HOUR_NS => {
            let changes = moves.windows(2).filter(|pair| pair[0].1 != pair[1].1).count();
            let span = moves.last()?.0 - moves.first()?.0;
            let changes_max = 2 * (span / YEAR_NS + 1);
            // Two offsets thrown together at random change with every second cell; of this many cells, never so seldom.
            let is_evidence = moves.len() as i128 >= 4 * changes_max + 30;
            is_evidence && i128::try_from(changes).is_ok_and(|changes| changes <= changes_max)
        }
        _ => false,
    };
    let minutes =
        offsets.iter().map(|offset| i64::try_from(offset / MINUTE_NS)).collect::<Result<_, _>>().ok()?;
    is_one_rule.then_some(What::TimeZone { minutes })
}

/// One offset that is no time zone's.
pub(super) fn offset(evidence: &Evidence<'_>) -> Option<What> {
    let moves = moves(evidence)?;
    let offset = moves.first()?.1;
    #[expect(clippy::cast_precision_loss, reason = "an offset is told as the nearest float")]
    let seconds = offset as f64 / 1e9;
    moves
        .iter()
        .all(|(_, other)| *other == offset)
        .then_some(What::Offset { offset: seconds, unit: Some("seconds") })
}
