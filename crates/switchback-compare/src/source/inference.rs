//! What the text of a CSV column means: one kind for the whole column, by the same rules on both sides.

use std::borrow::Cow;

use jiff::civil::{Date, DateTime, Time};

use crate::value::{Number, Value};

/// The kind of a column whose file names no types. The width is no part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Kind {
    /// No cell has a value: the column has no type, and that is never a change of type.
    Nothing,
    /// Decimal digits of any length, without a leading zero or a plus sign.
    Integer,
    /// Integers and floats.
    Number,
    Boolean,
    Date,
    Timestamp,
    ZonedTimestamp,
    Text,
    /// JSON lines only.
    List,
    /// JSON lines only.
    Object,
    /// JSON lines only: values of several kinds.
    Mixed,
}

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Boolean => "boolean",
            Self::Date => "date",
            Self::Timestamp => "timestamp",
            Self::ZonedTimestamp => "timestamp with zone",
            Self::Text => "text",
            Self::List => "list",
            Self::Object => "object",
            Self::Mixed => "mixed",
        }
    }

    /// The kind that holds both. `others`: what two kinds make that have none in common.
    pub(crate) fn join(self, other: Self, others: Self) -> Self {
        match (self, other) {
            (one, two) if one == two => one,
            (Self::Nothing, kind) | (kind, Self::Nothing) => kind,
            (Self::Integer | Self::Number, Self::Integer | Self::Number) => Self::Number,
            _ => others,
        }
    }
}

/// The kind of one field. Only the empty field is null.
pub(crate) fn kind_of(text: &str) -> Kind {
    let Some(first) = text.bytes().next() else {
        return Kind::Nothing;
    };
    match first {
        b'0'..=b'9' | b'-' | b'.' => {
            if is_integer(text) {
                Kind::Integer
            } else if number(text).is_some() {
                Kind::Number
            } else if date(text).is_some() {
                Kind::Date
            } else {
                instant(text).map_or(
                    Kind::Text,
                    |(_, zoned)| {
                        if zoned { Kind::ZonedTimestamp } else { Kind::Timestamp }
                    },
                )
            }
        }
        b'i' | b'I' | b'n' | b'N' if number(text).is_some() => Kind::Number,
        b't' | b'T' | b'f' | b'F' if boolean(text).is_some() => Kind::Boolean,
        _ => Kind::Text,
    }
}

/// Reads a field of a column of that kind. What does not fit stays text: nothing is lost.
pub(crate) fn parse(text: &str, kind: Kind) -> Value<'_> {
    let value = match kind {
        Kind::Integer | Kind::Number => number(text).map(Value::Number),
        Kind::Boolean => boolean(text).map(Value::Boolean),
        Kind::Date => date(text).map(|date| Value::Date(days(date) * 86_400_000)),
        Kind::Timestamp | Kind::ZonedTimestamp => {
            instant(text).map(|(ns, zoned)| Value::Instant { ns, zoned })
        }
        Kind::Nothing | Kind::Text | Kind::List | Kind::Object | Kind::Mixed => None,
    };
    value.unwrap_or(Value::Text(Cow::Borrowed(text)))
}

fn is_integer(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    !digits.is_empty()
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && (digits.len() == 1 || !digits.starts_with('0'))
}

/// Reads an integer exactly, and anything with a point or an exponent as the nearest float.
///
/// A literal beyond the largest float is none: as an infinity it would equal every other such literal.
pub(crate) fn number(text: &str) -> Option<Number> {
    if is_integer(text) {
        return Number::from_integer_text(text);
    }
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    if ["inf", "infinity", "nan"].iter().any(|word| unsigned.eq_ignore_ascii_case(word)) {
        return text.parse().ok().map(Number::Float);
    }
    let whole = unsigned.split(['.', 'e', 'E']).next().unwrap_or(unsigned);
    let marked = unsigned.bytes().any(|byte| matches!(byte, b'.' | b'e' | b'E'));
    let starts = unsigned.starts_with(|first: char| first.is_ascii_digit() || first == '.');
    if !marked || !starts || (whole.len() > 1 && whole.starts_with('0')) {
        return None;
    }
    let value: f64 = text.parse().ok()?;
    value.is_finite().then_some(Number::Float(value))
}

fn boolean(text: &str) -> Option<bool> {
    match () {
        () if text.eq_ignore_ascii_case("true") => Some(true),
        () if text.eq_ignore_ascii_case("false") => Some(false),
        () => None,
    }
}

fn digits(text: &str, range: std::ops::Range<usize>) -> Option<i16> {
    let part = text.get(range)?;
    part.bytes().all(|byte| byte.is_ascii_digit()).then(|| part.parse().ok()).flatten()
}

/// `YYYY-MM-DD`, and a day that exists.
fn date(text: &str) -> Option<Date> {
    let bytes = text.as_bytes();
    if bytes.len() != 10 || bytes.get(4) != Some(&b'-') || bytes.get(7) != Some(&b'-') {
        return None;
    }
    let small = |range| digits(text, range).and_then(|value| i8::try_from(value).ok());
    Date::new(digits(text, 0..4)?, small(5..7)?, small(8..10)?).ok()
}

/// Where times are counted from.
const EPOCH: DateTime = DateTime::constant(1970, 1, 1, 0, 0, 0, 0);

fn days(date: Date) -> i64 {
    let day_seconds = 86_400;
    seconds(date.at(0, 0, 0, 0)) / day_seconds
}

fn seconds(at: DateTime) -> i64 {
    // As clocks read: an instant of a zone cannot name the last days of the year 9999, which stand for *never* in many files.
    at.duration_since(EPOCH).as_secs()
}

/// `YYYY-MM-DD`, `T` or a space, `HH:MM[:SS[.fraction]]`, and a zone (`Z`, `±HH:MM`, `±HHMM`) or none.
///
/// Nanoseconds since 1970, and whether there was a zone. More than nine digits of a second are no timestamp, because
/// they would be lost.
fn instant(text: &str) -> Option<(i128, bool)> {
    let date = date(text.get(..10)?)?;
    let rest = text.get(10..)?.strip_prefix(['T', ' '])?;
    let split = rest.find(['Z', '+', '-']).unwrap_or(rest.len());
    let (clock, zone) = (rest.get(..split)?, rest.get(split..)?);
    let small = |range| digits(clock, range).and_then(|value| i8::try_from(value).ok());
    let colon = |at: usize| clock.as_bytes().get(at) == Some(&b':');
    if !colon(2) || (clock.len() > 5 && !colon(5)) {
        return None;
    }
    let second = if clock.len() > 5 { small(6..8)? } else { 0 };
    let fraction = match clock.get(8..) {
        None | Some("") => 0,
        Some(fraction) => {
            let digits = fraction.strip_prefix('.')?;
            if digits.is_empty() || digits.len() > 9 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
                return None;
            }
            format!("{digits:0<9}").parse::<i32>().ok()?
        }
    };
    let time = Time::new(small(0..2)?, small(3..5)?, second, 0).ok()?;
    let offset = match zone {
        "" | "Z" => 0,
        _ => offset_seconds(zone)?,
    };
    let ns = i128::from(seconds(date.to_datetime(time)) - offset) * 1_000_000_000 + i128::from(fraction);
    Some((ns, !zone.is_empty()))
}

fn offset_seconds(zone: &str) -> Option<i64> {
    let sign = if zone.starts_with('-') { -1 } else { 1 };
    let minutes_at = if zone.as_bytes().get(3) == Some(&b':') { 4 } else { 3 };
    if zone.len() != minutes_at + 2 {
        return None;
    }
    let (hours, minutes) = (digits(zone, 1..3)?, digits(zone, minutes_at..minutes_at + 2)?);
    (hours < 24 && minutes < 60).then(|| sign * (i64::from(hours) * 3600 + i64::from(minutes) * 60))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, kind: Kind) {
        assert_eq!(kind_of(text), kind, "{text}");
        let value = parse(text, kind);
        let is_text = matches!(value, Value::Text(_));
        assert_eq!(is_text, matches!(kind, Kind::Text | Kind::Nothing), "{text}: {value:?}");
    }

    #[test]
    fn kinds() {
        for text in ["0", "-0", "12", "-7", "123456789012345678901234567890123456789012345678"] {
            check(text, Kind::Integer);
        }
        for text in ["0.5", "-1.", ".5", "1e3", "1E+05", "nan", "NaN", "-inf", "Infinity", "1e-400"] {
            check(text, Kind::Number);
        }
        for text in ["true", "False", "TRUE"] {
            check(text, Kind::Boolean);
        }
        check("2026-02-28", Kind::Date);
        check("2026-02-28T10:00", Kind::Timestamp);
        check("2026-02-28 10:00:00.5", Kind::Timestamp);
        check("2026-02-28T10:00:00Z", Kind::ZonedTimestamp);
        check("1969-12-31T10:00:00.000000001-05:00", Kind::ZonedTimestamp);
        check("", Kind::Nothing);
    }

    #[test]
    fn what_would_lose_something_stays_text() {
        let texts = [
            "007",
            "00",
            "+5",
            " 5",
            "5 ",
            "1_000",
            "0x10",
            "1e999",
            "00.5",
            "-",
            ".",
            "e5",
            "-e5",
            "2026-02-30",
            "2026-2-3",
            "2026-02-28T10:00:00.1234567891",
            "2026-02-28T25:00",
            "NULL",
            "NA",
            "n/a",
            "infinite",
        ];
        for text in texts {
            check(text, Kind::Text);
        }
    }

    #[test]
    fn the_last_days_of_the_calendar_are_told_apart() {
        let day = |text| parse(text, Kind::Date).to_text();
        assert_eq!([day("9999-12-31"), day("9999-12-30")], ["9999-12-31", "9999-12-30"]);
        assert_eq!(day("0001-01-01"), "0001-01-01");
        let at = |text| parse(text, Kind::Timestamp).to_text();
        assert_eq!(at("9999-12-31T23:59:59.25"), "9999-12-31T23:59:59.25");
        assert_eq!(at("9999-12-31T23:59"), "9999-12-31T23:59:00");
    }

    #[test]
    fn zones_name_the_same_instant() {
        let ns = |text| instant(text).map(|(ns, _)| ns);
        assert_eq!(ns("2026-02-28T10:00:00-05:00"), ns("2026-02-28T15:00:00Z"));
        assert_eq!(ns("1970-01-01T00:00:00.000000001Z"), Some(1));
        assert_eq!(ns("1969-12-31T23:59:59.5Z"), Some(-500_000_000));
        assert_eq!(
            parse("2026-02-28T15:00:00.25Z", Kind::ZonedTimestamp).to_text(),
            "2026-02-28T15:00:00.25Z"
        );
    }
}
