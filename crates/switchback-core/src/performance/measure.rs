//! What is measured of a run.

use std::collections::BTreeMap;

/// One measure.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Measure {
    /// Seconds from its start to its end.
    Time,
    /// Seconds of processors, its own and those of the system for it, of all processes that it started.
    Cpu,
    /// The most bytes of memory at once, of all processes together.
    Memory,
    /// Bytes that were read by system calls.
    Read,
    /// Bytes that were written by system calls.
    Written,
    /// A number that its output says.
    Counter(String),
}

/// The measures that need no name, in the order in which they are shown.
pub(super) const COMMON: [Measure; 5] =
    [Measure::Time, Measure::Cpu, Measure::Memory, Measure::Read, Measure::Written];

impl Measure {
    /// Its name: a word, or the name of the counter.
    pub fn name(&self) -> &str {
        match self {
            Self::Time => "time",
            Self::Cpu => "cpu",
            Self::Memory => "memory",
            Self::Read => "read",
            Self::Written => "written",
            Self::Counter(name) => name,
        }
    }

    /// Its unit: `s`, `bytes`, or none.
    pub fn unit(&self) -> &'static str {
        match self {
            Self::Time | Self::Cpu => "s",
            Self::Memory | Self::Read | Self::Written => "bytes",
            Self::Counter(_) => "",
        }
    }

    /// The measure of this name, which is one of `COMMON` or of `counters`.
    pub fn named<'c>(name: &str, counters: impl IntoIterator<Item = &'c str>) -> Option<Self> {
        let common = COMMON.into_iter().find(|measure| measure.name() == name);
        common.or_else(|| {
            counters.into_iter().any(|counter| counter == name).then(|| Self::Counter(name.to_owned()))
        })
    }

    /// A value of it for a person: `1.24 s`, `318 ms`, `61.3 MiB`, `42`.
    pub fn shown(&self, value: f64) -> String {
        match self.unit() {
            "s" => shown_seconds(value),
            "bytes" => shown_bytes(value),
            _ if value.fract() == 0.0 && value.abs() < 1e15 => format!("{value:.0}"),
            _ => three_digits(value),
        }
    }
}

/// What was measured of one run.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sample {
    /// By measure.
    pub values: BTreeMap<Measure, f64>,
    /// Why others could not be measured.
    pub missing: BTreeMap<Measure, String>,
    /// Of which of them no more is known than that it is this at most, and why.
    pub at_most: BTreeMap<Measure, String>,
}

fn shown_seconds(seconds: f64) -> String {
    match seconds {
        seconds if seconds >= 1.0 || seconds == 0.0 => format!("{} s", three_digits(seconds)),
        seconds if seconds >= 1e-3 => format!("{} ms", three_digits(seconds * 1e3)),
        seconds => format!("{} µs", three_digits(seconds * 1e6)),
    }
}

fn shown_bytes(bytes: f64) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut value = bytes;
    let mut place = 0;
    while value >= 1024.0 && place + 1 < units.len() {
        (value, place) = (value / 1024.0, place + 1);
    }
    if place == 0 { format!("{value:.0} B") } else { format!("{} {}", three_digits(value), units[place]) }
}

/// A number with three digits, more where it has more before its point.
fn three_digits(value: f64) -> String {
    match value.abs() {
        size if size >= 99.95 => format!("{value:.0}"),
        size if size >= 9.995 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_shown_with_three_digits_and_their_unit() {
        for (measure, value, wanted) in [
            (Measure::Time, 12.345, "12.3 s"),
            (Measure::Time, 0.318_44, "318 ms"),
            (Measure::Cpu, 0.000_012, "12.0 µs"),
            (Measure::Cpu, 0.0, "0.00 s"),
            (Measure::Memory, 64.0 * 1024.0 * 1024.0, "64.0 MiB"),
            (Measure::Read, 512.0, "512 B"),
            (Measure::Counter("queries".to_owned()), 42.0, "42"),
            (Measure::Counter("queries".to_owned()), 4.25, "4.25"),
        ] {
            assert_eq!(measure.shown(value), wanted);
        }
    }

    #[test]
    fn measures_have_names_and_counters_have_theirs() {
        assert_eq!(Measure::named("cpu", ["queries"]), Some(Measure::Cpu));
        assert_eq!(Measure::named("queries", ["queries"]), Some(Measure::Counter("queries".to_owned())));
        assert_eq!(Measure::named("rows", ["queries"]), None);
    }
}
