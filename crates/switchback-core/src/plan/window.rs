//! When a cutover may happen, and how long it may take.

use jiff::fmt::temporal::Pieces;
use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp};

use super::fields::{Fields, shown};
use super::key::{Key, Shape};
use super::moment::Moment;

/// When a cutover may happen, and how long it may take.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Window {
    /// When; `None`: at any time.
    pub opening: Option<Opening>,
    /// So long, from the stop of the first process until the last one works on the new tree; `None`: as long as it takes.
    pub cutover_seconds_max: Option<u64>,
}

/// A time that opens once, or again and again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opening {
    /// When it opens first.
    pub from: Timestamp,
    /// The offset of the plan's clock: times are shown by it.
    pub offset: Offset,
    /// How long it stays open.
    pub minutes: u64,
    /// After how many seconds it opens again.
    pub every_s: Option<u64>,
}

/// Whether a window is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WindowStanding {
    /// It is, and closes then.
    Open(Timestamp),
    /// It is not, and opens then; `None`: never again.
    Closed(Option<Timestamp>),
}

/// The keys of `[window]`.
pub(super) const WINDOW: &[Key] = &[
    Key::optional("from", Shape::Text, "when it opens, with an offset: `2027-01-12T20:00:00-05:00`"),
    Key::optional("minutes", Shape::Whole, "how long it stays open"),
    Key::optional("every", Shape::Text, "after how long it opens again, e.g. `7d`; once when left out"),
    Key::optional(
        "cutover_seconds_max",
        Shape::Whole,
        "a cutover that takes longer is taken back; no limit when left out",
    ),
];

/// No window is longer than a year.
const MINUTES_MAX: u64 = 366 * 24 * 60;

impl Opening {
    /// Whether it is open at a moment: from its first second until before its last.
    pub fn standing(&self, now: Timestamp) -> WindowStanding {
        let elapsed_s = now.duration_since(self.from).as_secs();
        if now < self.from {
            return WindowStanding::Closed(Some(self.from));
        }
        let elapsed_s = u64::try_from(elapsed_s).unwrap_or_default();
        let turn = self.every_s.map_or(0, |every_s| elapsed_s / every_s.max(1));
        let opens_s = turn.saturating_mul(self.every_s.unwrap_or_default());
        if elapsed_s - opens_s < self.minutes * 60 {
            return self
                .after(opens_s + self.minutes * 60)
                .map_or(WindowStanding::Closed(None), WindowStanding::Open);
        }
        WindowStanding::Closed(self.every_s.and_then(|every_s| self.after(opens_s.saturating_add(every_s))))
    }

    fn after(&self, seconds: u64) -> Option<Timestamp> {
        self.from.checked_add(SignedDuration::from_secs(i64::try_from(seconds).ok()?)).ok()
    }

    /// A time on the plan's clock.
    pub fn shown(&self, time: Timestamp) -> String {
        if self.offset == Offset::UTC {
            time.to_string()
        } else {
            time.display_with_offset(self.offset).to_string()
        }
    }

    /// When it is open, in words.
    pub fn words(&self) -> String {
        let again = self.every_s.map_or_else(String::new, |every_s| {
            let every = Moment::After(every_s).to_string();
            format!(", and again every {}", every.trim_start_matches('+'))
        });
        format!("from {} for {} minutes{again}", self.shown(self.from), self.minutes)
    }
}

/// Reads `[window]`.
pub(super) fn read(fields: &Fields<'_>) -> Window {
    let cutover_seconds_max = fields.whole("cutover_seconds_max");
    if cutover_seconds_max == Some(0) {
        fields.find(
            "cutover_seconds_max",
            "`cutover_seconds_max` cannot be 0",
            "give it at least one second",
        );
    }
    let is_begun = ["from", "minutes", "every"].iter().any(|name| fields.has(name));
    if !is_begun && !fields.has("cutover_seconds_max") {
        fields.find("window", "`[window]` says nothing", "give it `from` and `minutes`, or take it out");
    }
    Window { opening: if is_begun { read_opening(fields) } else { None }, cutover_seconds_max }
}

fn read_opening(fields: &Fields<'_>) -> Option<Opening> {
    for name in ["from", "minutes"].into_iter().filter(|name| !fields.has(name)) {
        let message = format!("a window has `from` and `minutes`, and {} has no `{name}`", fields.title());
        fields.find(name, message, format!("add `{name} = …`"));
    }
    let minutes = fields.whole("minutes");
    if minutes.is_some_and(|minutes| !(1..=MINUTES_MAX).contains(&minutes)) {
        fields.find("minutes", "`minutes` has to be at least 1, and at most a year", "e.g. `minutes = 60`");
    }
    let every_s = fields.text("every").and_then(|text| {
        let delay = Moment::parse(&format!("+{text}")).and_then(Moment::delay_s);
        if delay.is_none() {
            let message = format!("`every` cannot be `{}`", shown(&text));
            fields.find("every", message, "write a time such as `1d` or `7d`, of at most a year");
        }
        delay
    });
    if let (Some(every_s), Some(minutes)) = (every_s, minutes)
        && every_s <= minutes.saturating_mul(60)
    {
        fields.find(
            "every",
            "the window opens again before it is closed",
            "let `every` be longer than `minutes`",
        );
    }
    let text = fields.instant("from")?;
    let Some((from, offset)) = instant(&text) else {
        let message = format!("`from` is no time on a known clock: `{}`", shown(&text));
        fields.find(
            "from",
            message,
            "write date, time and offset: `2027-01-12T20:00:00-05:00`, or `…Z` for UTC",
        );
        return None;
    };
    Some(Opening { from, offset, minutes: minutes?, every_s })
}

/// A time with an offset. Without one nobody knows whose clock it is.
fn instant(text: &str) -> Option<(Timestamp, Offset)> {
    let pieces = Pieces::parse(text).ok()?;
    let offset = pieces.to_numeric_offset()?;
    let time = pieces.date().to_datetime(pieces.time()?);
    Some((offset.to_timestamp(time).ok()?, offset))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opening(every_s: Option<u64>) -> Opening {
        let (from, offset) = instant("2027-01-12T20:00:00-05:00").unwrap();
        Opening { from, offset, minutes: 60, every_s }
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_window_is_open_from_its_first_second_until_before_its_end() {
        let once = opening(None);
        let end = at("2027-01-13T02:00:00Z");
        assert_eq!(once.standing(at("2027-01-13T00:59:59Z")), WindowStanding::Closed(Some(once.from)));
        assert_eq!(once.standing(at("2027-01-13T00:59:59.999Z")), WindowStanding::Closed(Some(once.from)));
        assert_eq!(once.standing(at("2027-01-13T01:00:00Z")), WindowStanding::Open(end));
        assert_eq!(once.standing(at("2027-01-13T01:59:59.999Z")), WindowStanding::Open(end));
        assert_eq!(once.standing(end), WindowStanding::Closed(None));
        assert_eq!(once.words(), "from 2027-01-12T20:00:00-05:00 for 60 minutes");
    }

    #[test]
    fn one_that_opens_again_says_when() {
        let weekly = opening(Some(7 * 86_400));
        let next = at("2027-01-20T01:00:00Z");
        assert_eq!(weekly.standing(at("2027-01-13T02:00:00Z")), WindowStanding::Closed(Some(next)));
        assert_eq!(weekly.standing(next), WindowStanding::Open(at("2027-01-20T02:00:00Z")));
        assert_eq!(
            weekly.standing(at("2029-01-01T00:00:00Z")),
            WindowStanding::Closed(Some(at("2029-01-03T01:00:00Z")))
        );
        assert_eq!(weekly.shown(next), "2027-01-19T20:00:00-05:00");
        assert_eq!(weekly.words(), "from 2027-01-12T20:00:00-05:00 for 60 minutes, and again every 7d");
    }

    #[test]
    fn a_time_without_an_offset_is_none() {
        for text in ["2027-01-12T20:00:00", "2027-01-12", "20:00:00Z", "now", ""] {
            assert!(instant(text).is_none(), "{text}");
        }
        assert!(instant("2027-01-12T20:00:00Z").is_some());
        assert!(instant("2027-01-12 20:00:00+01:00").is_some());
    }
}
