//! Durations, sizes and delimiters as people write them, on the command line and in the plan.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// `1 file`, `40 files`.
pub fn counted(number: u64, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

/// Whether a text is a day of the calendar, `2027-03-31`.
pub fn is_day(text: &str) -> bool {
    text.parse().is_ok_and(|day: Date| day.to_string() == text)
}

/// The day of a moment, UTC.
pub fn day_of(moment: Timestamp) -> Date {
    moment.to_zoned(TimeZone::UTC).date()
}

/// Units of a duration, with their nanoseconds.
const DURATION_UNITS: &[(&str, u64)] = &[
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("min", 60_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
    ("d", 86_400_000_000_000),
];

/// Units of a size, in lower case, with their bytes.
const SIZE_UNITS: &[(&str, u64)] = &[
    ("", 1),
    ("b", 1),
    ("kb", 1_000),
    ("mb", 1_000_000),
    ("gb", 1_000_000_000),
    ("k", 1 << 10),
    ("kib", 1 << 10),
    ("m", 1 << 20),
    ("mib", 1 << 20),
    ("g", 1 << 30),
    ("gib", 1 << 30),
];

/// Delimiters that have a name.
const DELIMITER_WORDS: &[(&str, u8)] =
    &[("tab", b'\t'), ("\\t", b'\t'), ("space", b' '), ("comma", b','), ("semicolon", b';'), ("pipe", b'|')];

/// A duration in nanoseconds: a whole number or a decimal fraction, and one of ns, us, ms, s, m, h, d; `0` needs no unit.
///
/// `None` when it is not that, or finer than a nanosecond, or too long for 64 bits.
pub fn duration_ns(text: &str) -> Option<u64> {
    let text = text.trim();
    if text == "0" {
        return Some(0);
    }
    let split = text.find(|letter: char| !letter.is_ascii_digit() && letter != '.')?;
    let (number, unit) = text.split_at(split);
    let (_, unit_ns) = DURATION_UNITS.iter().find(|(name, _)| *name == unit.trim())?;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let whole_ns = whole.parse::<u64>().ok()?.checked_mul(*unit_ns)?;
    let mut fraction_ns = 0;
    let mut place_ns = *unit_ns;
    for digit in fraction.chars() {
        if place_ns % 10 != 0 {
            return None;
        }
        place_ns /= 10;
        fraction_ns += u64::from(digit.to_digit(10)?) * place_ns;
    }
    whole_ns.checked_add(fraction_ns)
}

/// A size in bytes: a whole number of bytes, or of KB, MB, GB (powers of 1,000), KiB, MiB, GiB (powers of 1,024).
///
/// `None` when it is not that, or too large for 64 bits.
pub fn bytes(text: &str) -> Option<u64> {
    let split = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let unit = unit.trim().to_ascii_lowercase();
    let (_, unit_bytes) = SIZE_UNITS.iter().find(|(name, _)| *name == unit)?;
    number.parse::<u64>().ok()?.checked_mul(*unit_bytes)
}

/// The delimiters of the old and the new text table: one for both, or `OLD,NEW`; each an ASCII character or one of `tab`,
/// `space`, `comma`, `semicolon`, `pipe`. The comma itself may be either. `None` when it is not that.
pub fn delimiters(text: &str) -> Option<(u8, u8)> {
    let (old, rest) = delimiter(text)?;
    if rest.is_empty() {
        return Some((old, old));
    }
    let (new, rest) = rest.strip_prefix(',').and_then(delimiter)?;
    rest.is_empty().then_some((old, new))
}

/// The delimiter at the start of a text, and what follows it.
fn delimiter(text: &str) -> Option<(u8, &str)> {
    for (word, delimiter) in DELIMITER_WORDS {
        if let Some(rest) = text.strip_prefix(word) {
            return Some((*delimiter, rest));
        }
    }
    let first = text
        .chars()
        .next()
        .filter(char::is_ascii)
        .filter(|letter| !matches!(letter, '"' | '\r' | '\n' | '\0'))?;
    Some((u8::try_from(first).ok()?, text.get(1..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_exact_or_none() {
        assert_eq!(duration_ns("0"), Some(0));
        assert_eq!(duration_ns("1.5 s"), Some(1_500_000_000));
        assert_eq!(duration_ns("2m"), duration_ns("2min"));
        for wrong in ["", "5", "s", "1.5ns", "0.0000000001s", "-1s", "1 week", "99999999999999d"] {
            assert_eq!(duration_ns(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn sizes_have_units_of_both_kinds() {
        assert_eq!(bytes("512"), Some(512));
        assert_eq!(bytes("2 GiB"), Some(2 << 30));
        assert_eq!(bytes("2gb"), Some(2_000_000_000));
        for wrong in ["", "GiB", "1.5GiB", "-1", "1 TB", "99999999999GiB"] {
            assert_eq!(bytes(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn delimiters_are_one_or_two() {
        assert_eq!(delimiters(";"), Some((b';', b';')));
        assert_eq!(delimiters(",,;"), Some((b',', b';')));
        assert_eq!(delimiters("tab,comma"), Some((b'\t', b',')));
        for wrong in ["", "ab", ";;", "é", "\"", ",,,,"] {
            assert_eq!(delimiters(wrong), None, "{wrong}");
        }
    }
}
