//! One cell or one scalar of a document, whatever file it came from.

mod cast;
mod closeness;
mod conversion;
mod number;
mod prose;
mod terms;

use std::borrow::Cow;
use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

pub(crate) use cast::value_at;
pub(crate) use closeness::{Closeness, Distance, Finding, find, find_across_types};
pub(crate) use conversion::{Conversion, Target};
pub(crate) use number::{Number, float_to_json};
pub(crate) use terms::{Terms, TextTerms};

/// Nanoseconds in a day.
const DAY_NS: i128 = 86_400_000_000_000;

/// A value as it is compared. Borrowed from a batch, or owned by a document.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Value<'a> {
    Null,
    Boolean(bool),
    Number(Number),
    Text(Cow<'a, str>),
    Bytes(Cow<'a, [u8]>),
    /// Nanoseconds since 1970; `zoned`: an instant in UTC, else a wall clock's reading.
    Instant {
        ns: i128,
        zoned: bool,
    },
    /// Milliseconds since 1970-01-01.
    Date(i64),
    /// Nanoseconds since midnight.
    Time(i64),
    /// Nanoseconds.
    Duration(i128),
    /// A value that has no order and no arithmetic here, as text; two of them are equal when their texts are.
    Other(String),
    List(Vec<Value<'a>>),
    Object(Vec<(Cow<'a, str>, Value<'a>)>),
}

impl Value<'_> {
    /// The same without what it borrows.
    pub(crate) fn into_owned(self) -> Value<'static> {
        match self {
            Self::Null => Value::Null,
            Self::Boolean(flag) => Value::Boolean(flag),
            Self::Number(number) => Value::Number(number),
            Self::Text(text) => Value::Text(Cow::Owned(text.into_owned())),
            Self::Bytes(bytes) => Value::Bytes(Cow::Owned(bytes.into_owned())),
            Self::Instant { ns, zoned } => Value::Instant { ns, zoned },
            Self::Date(ms) => Value::Date(ms),
            Self::Time(ns) => Value::Time(ns),
            Self::Duration(ns) => Value::Duration(ns),
            Self::Other(text) => Value::Other(text),
            Self::List(items) => Value::List(items.into_iter().map(Value::into_owned).collect()),
            Self::Object(members) => Value::Object(
                members
                    .into_iter()
                    .map(|(name, value)| (Cow::Owned(name.into_owned()), value.into_owned()))
                    .collect(),
            ),
        }
    }

    /// The value for a report: a number where JSON carries it exactly, else text.
    pub(crate) fn to_json(&self) -> serde_json::Value {
        use serde_json::Value as Json;
        match self {
            Self::Null => Json::Null,
            Self::Boolean(flag) => Json::Bool(*flag),
            Self::Number(number) => number.to_json(),
            Self::List(items) => Json::Array(items.iter().map(Value::to_json).collect()),
            Self::Object(members) => Json::Object(
                members.iter().map(|(name, value)| (name.to_string(), value.to_json())).collect(),
            ),
            other => Json::String(other.to_text()),
        }
    }

    /// About how many bytes of memory the value takes.
    pub(crate) fn bytes(&self) -> u64 {
        let inner = match self {
            Self::Text(text) => text.len() as u64,
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::Other(text) => text.len() as u64,
            Self::List(items) => items.iter().map(Value::bytes).sum(),
            Self::Object(members) => {
                members.iter().map(|(name, value)| name.len() as u64 + value.bytes()).sum()
            }
            _ => 0,
        };
        size_of::<Value<'_>>() as u64 + inner
    }

    /// The value as text: how two columns of different kinds are compared, and how keys are shown.
    pub(crate) fn to_text(&self) -> String {
        match self {
            Self::Null => String::new(),
            Self::Boolean(flag) => flag.to_string(),
            Self::Number(number) => number.to_text(),
            Self::Text(text) => text.to_string(),
            Self::Other(text) => text.clone(),
            Self::Bytes(bytes) => bytes.iter().fold(String::from("0x"), |mut text, byte| {
                // Writing to a string cannot fail.
                let _ = write!(text, "{byte:02x}");
                text
            }),
            Self::Instant { ns, zoned } => instant_text(*ns, *zoned),
            Self::Date(ms) => date_text(*ms),
            Self::Time(ns) => time_text(i128::from(*ns)),
            Self::Duration(ns) => format!("{ns} ns"),
            Self::List(_) | Self::Object(_) => self.to_json().to_string(),
        }
    }
}

fn time_text(ns: i128) -> String {
    let seconds = ns / 1_000_000_000;
    let mut text = format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
    let fraction = ns % 1_000_000_000;
    if fraction != 0 {
        // Writing to a string cannot fail.
        let _ = write!(text, ".{fraction:09}");
        text.truncate(text.trim_end_matches('0').len());
    }
    text
}

fn date_text(ms: i64) -> String {
    if ms % 86_400_000 != 0 {
        return instant_text(i128::from(ms) * 1_000_000, false);
    }
    date_of(i128::from(ms) * 1_000_000).map_or_else(|| format!("{ms} ms"), |date| date.to_string())
}

/// ISO 8601; outside of the calendar of four-digit years, the bare count of nanoseconds.
fn instant_text(ns: i128, zoned: bool) -> String {
    let Some(date) = date_of(ns) else {
        return format!("{ns} ns");
    };
    format!("{date}T{}{}", time_text(ns.rem_euclid(DAY_NS)), if zoned { "Z" } else { "" })
}

/// The day of a count of nanoseconds since 1970, where the calendar has one.
fn date_of(ns: i128) -> Option<jiff::civil::Date> {
    let days = i32::try_from(ns.div_euclid(DAY_NS)).ok()?;
    let since = jiff::SignedDuration::from_hours(i64::from(days) * 24);
    jiff::civil::Date::constant(1970, 1, 1).checked_add(since).ok()
}
