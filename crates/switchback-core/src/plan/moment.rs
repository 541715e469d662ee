//! When a check is carried out: at a point of the cycle, or some time after the cutover.

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
            _ => {
                let delay = text.strip_prefix('+')?;
                let (number, unit) = delay.split_at_checked(delay.len().checked_sub(1)?)?;
                let seconds = match unit {
                    "s" => 1,
                    "m" => 60,
                    "h" => 3_600,
                    "d" => 86_400,
                    _ => return None,
                };
                if !number.bytes().all(|byte| byte.is_ascii_digit()) {
                    return None;
                }
                let delay = number.parse::<u64>().ok()?.checked_mul(seconds)?;
                (1..=DELAY_S_MAX).contains(&delay).then_some(Self::After(delay))
            }
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
    use super::Moment;

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
