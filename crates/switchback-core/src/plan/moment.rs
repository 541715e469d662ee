//! When a check is carried out: at a point of the cycle, some time after the cutover, or again and again.

use std::fmt;

/// A moment in the cycle of a phase, in the order in which they come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Moment {
    /// Before anything is staged: on a copy of the live tree. What triggers and regressions compare with.
    Before,
    /// On the staged candidate.
    Staged,
    /// On the throwaway copy that the candidate was brought into, before the copy is rolled back.
    Rehearsed,
    /// On the live tree, right after the cutover.
    Live,
    /// On the live tree, this many seconds after the cutover.
    After(u64),
    /// On the live tree, after the phase was rolled back.
    RolledBack,
    /// On the live tree, because somebody asked: no plan says it, and no trigger counts it.
    Now,
}

/// Delays longer than this are taken for a mistake.
const DELAY_S_MAX: u64 = 366 * 86_400;

impl Moment {
    /// Reads `before`, `staged`, `rehearsed`, `live`, `rolled-back`, or a delay such as `+90s`, `+30m`, `+1h`, `+7d`.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "before" => Some(Self::Before),
            "staged" => Some(Self::Staged),
            "rehearsed" => Some(Self::Rehearsed),
            "live" => Some(Self::Live),
            "rolled-back" => Some(Self::RolledBack),
            _ => seconds(text.strip_prefix('+')?).map(Self::After),
        }
    }

    /// The delay after the cutover in seconds, of a moment that is one.
    pub fn delay_s(self) -> Option<u64> {
        match self {
            Self::After(delay_s) => Some(delay_s),
            Self::Before | Self::Staged | Self::Rehearsed | Self::Live | Self::RolledBack | Self::Now => None,
        }
    }
}

/// A whole number of seconds, minutes, hours or days, in seconds: at least one, at most a year and a day.
fn seconds(text: &str) -> Option<u64> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let unit_s = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return None,
    };
    if !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let found = number.parse::<u64>().ok()?.checked_mul(unit_s)?;
    (1..=DELAY_S_MAX).contains(&found).then_some(found)
}

/// Again and again after the cutover: `every 5m for 24h`. Each time is the moment of its delay, `+5m`, `+10m` …
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Every {
    /// From one time to the next.
    pub every_s: u64,
    /// The last time is not later than this after the cutover.
    pub for_s: u64,
}

impl Every {
    /// Reads `every INTERVAL for PERIOD`.
    pub fn parse(text: &str) -> Option<Self> {
        let (every, period) = text.strip_prefix("every ")?.split_once(" for ")?;
        let (every_s, for_s) = (seconds(every.trim())?, seconds(period.trim())?);
        (every_s <= for_s).then_some(Self { every_s, for_s })
    }

    /// How many times there are.
    pub fn times(self) -> u64 {
        self.for_s / self.every_s
    }

    /// Which time a moment is, from 1; `None` when it is none of them.
    pub fn number(self, moment: Moment) -> Option<u64> {
        let delay_s = moment.delay_s()?;
        (delay_s.is_multiple_of(self.every_s) && delay_s <= self.for_s).then_some(delay_s / self.every_s)
    }

    /// The moment of a time.
    pub fn moment(self, number: u64) -> Moment {
        Moment::After(number.saturating_mul(self.every_s))
    }
}

impl fmt::Display for Every {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |delay_s| Moment::After(delay_s).to_string();
        let (every, period) = (shown(self.every_s), shown(self.for_s));
        write!(out, "every {} for {}", every.trim_start_matches('+'), period.trim_start_matches('+'))
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Before => out.write_str("before"),
            Self::Staged => out.write_str("staged"),
            Self::Rehearsed => out.write_str("rehearsed"),
            Self::Live => out.write_str("live"),
            Self::RolledBack => out.write_str("rolled-back"),
            Self::Now => out.write_str("now"),
            Self::After(delay) if delay % 86_400 == 0 => write!(out, "+{}d", delay / 86_400),
            Self::After(delay) if delay % 3_600 == 0 => write!(out, "+{}h", delay / 3_600),
            Self::After(delay) if delay % 60 == 0 => write!(out, "+{}m", delay / 60),
            Self::After(delay) => write!(out, "+{delay}s"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Every, Moment};

    #[test]
    fn times_are_moments_and_read_back() {
        let every = Every::parse("every 30m for 24h").unwrap();
        assert_eq!(every, Every { every_s: 1_800, for_s: 86_400 });
        assert_eq!((every.times(), every.to_string()), (48, "every 30m for 1d".to_owned()));
        assert_eq!(every.moment(3).to_string(), "+90m");
        assert_eq!(every.number(Moment::After(5_400)), Some(3));
        for moment in [Moment::After(5_401), Moment::After(90_000), Moment::Live] {
            assert_eq!(every.number(moment), None, "{moment}");
        }
        for text in ["every 5m", "every for 1h", "every 2h for 1h", "every 0s for 1h", "each 5m for 1h"] {
            assert_eq!(Every::parse(text), None, "{text}");
        }
    }

    #[test]
    fn delays_read_back_in_their_largest_unit() {
        for (text, seconds, shown) in
            [("+90s", 90, "+90s"), ("+60m", 3_600, "+1h"), ("+24h", 86_400, "+1d"), ("+7d", 604_800, "+7d")]
        {
            let moment = Moment::parse(text).unwrap();
            assert_eq!(moment, Moment::After(seconds));
            assert_eq!(moment.to_string(), shown);
            assert_eq!(Moment::parse(shown), Some(moment));
        }
    }

    #[test]
    fn what_is_no_moment_is_refused() {
        for text in
            ["", "+", "+h", "1h", "+0s", "+1w", "+-1h", "+1é", "later", "+999999999999d", "+400d", "+ 1h"]
        {
            assert_eq!(Moment::parse(text), None, "{text}");
        }
    }
}
