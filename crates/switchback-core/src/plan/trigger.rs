//! Triggers: a condition on the watched checks, and what it starts.

use super::fields::{Fields, advise};
use super::key::{Key, Shape};

/// A condition and its consequence.
#[derive(Debug, Clone, PartialEq)]
pub struct Trigger {
    /// On which check, and what must be seen.
    pub condition: Condition,
    /// What is done then.
    pub action: Action,
}

/// What must be seen on a check.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    /// The check.
    pub check: String,
    /// It fires when the check's measure is worse than this many times the one taken `before`; without it and `off_by`, when
    /// the check says no.
    pub worse_than_times: Option<f64>,
    /// It fires when the measure is so far from the one taken `before`.
    pub off_by: Option<OffBy>,
    /// How often in a row. *Could not tell* neither counts nor ends a row.
    pub in_a_row: u64,
    /// An answer that rests on fewer samples is *could not tell*.
    pub least_samples: Option<u64>,
}

/// How far from the value before is too far.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OffBy {
    /// In percent of the value before.
    pub percent: f64,
    /// Which way.
    pub direction: Direction,
}

/// Which way a measure must have gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Up or down.
    Either,
    /// It has become more.
    Up,
    /// It has become less.
    Down,
}

impl OffBy {
    /// Whether a measure is further away than it may be. Exactly as far is not further.
    pub fn is_met(&self, before: f64, now: f64) -> bool {
        let change = match self.direction {
            Direction::Either => (now - before).abs(),
            Direction::Up => now - before,
            Direction::Down => before - now,
        };
        change > before.abs() * self.percent / 100.0
    }
}

/// What a trigger starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// The phase is rolled back.
    RollBack,
    /// The run holds until a person decides.
    Hold,
    /// It is said, and the run goes on.
    Tell,
}

impl Action {
    /// The word for it in the plan: `roll-back`, `hold`, `tell`.
    pub fn word(self) -> &'static str {
        match self {
            Self::RollBack => "roll-back",
            Self::Hold => "hold",
            Self::Tell => "tell",
        }
    }
}

const WORSE: &[Key] = &[
    Key::required("times", Shape::Number, "how many times the measure taken before"),
    Key::required("of", Shape::Word(&["before"]), "what the measure is compared with"),
];

const OFF_BY: &[Key] = &[
    Key::required("percent", Shape::Number, "how many percent of the value before"),
    Key::required("of", Shape::Word(&["before"]), "what the measure is compared with"),
    Key::optional("direction", Shape::Word(&["either", "up", "down"]), "which way; `either` when left out"),
];

const WHEN: &[Key] = &[
    Key::required("check", Shape::Text, "the check that is watched"),
    Key::optional(
        "worse_than",
        Shape::Table(WORSE),
        "fires when the measure is worse, e.g. `{ times = 2.0, of = \"before\" }`",
    ),
    Key::optional(
        "off_by",
        Shape::Table(OFF_BY),
        "fires when the measure is further away, e.g. `{ percent = 5.0, of = \"before\" }`",
    ),
    Key::optional("in_a_row", Shape::Whole, "how often in a row; 1 when left out"),
    Key::optional(
        "least_samples",
        Shape::Whole,
        "an answer that rests on fewer requests, lines or runs neither counts nor ends a row",
    ),
];

/// The keys of `[[trigger]]`.
pub(super) const TRIGGER: &[Key] = &[
    Key::required("when", Shape::Table(WHEN), "the condition"),
    Key::required("do", Shape::Word(&["roll-back", "hold", "tell"]), "what is done when the condition holds"),
];

/// Reads one `[[trigger]]`; `checks` are the names that it may watch.
pub(super) fn read(fields: &Fields<'_>, checks: &[String]) -> Option<Trigger> {
    let action = match fields.word("do").as_deref() {
        Some("roll-back") => Some(Action::RollBack),
        Some("hold") => Some(Action::Hold),
        Some(_) => Some(Action::Tell),
        None => None,
    };
    let when = fields.table("when")?;
    let check = when.filled_text("check");
    if let Some(check) = &check
        && !checks.contains(check)
    {
        let help = if checks.is_empty() {
            "the plan has no checks: add a `[[check]]` of that name".to_owned()
        } else {
            advise(check, checks.iter().map(String::as_str))
        };
        when.find("check", format!("a trigger watches the check `{check}`, which is not in the plan"), help);
    }
    let worse = when.table("worse_than").and_then(|worse| {
        worse.word("of");
        worse.number("times")
    });
    if worse.is_some_and(|times| times < 1.0) {
        when.find("worse_than", "`times` below 1 would fire on an improvement", "use 1.0 or more");
    }
    let off_by = when.table("off_by").and_then(|off| {
        off.word("of");
        let direction = match off.word("direction").as_deref() {
            Some("up") => Direction::Up,
            Some("down") => Direction::Down,
            _ => Direction::Either,
        };
        Some(OffBy { percent: off.number("percent")?, direction })
    });
    if worse.is_some() && off_by.is_some() {
        when.find("off_by", "`off_by` stands beside `worse_than`", "make a trigger of each");
    }
    let in_a_row = when.whole("in_a_row").unwrap_or(1);
    if in_a_row == 0 {
        when.find("in_a_row", "`in_a_row` cannot be 0", "use 1 or more");
    }
    Some(Trigger {
        condition: Condition {
            check: check?,
            worse_than_times: worse,
            off_by,
            in_a_row,
            least_samples: when.whole("least_samples"),
        },
        action: action?,
    })
}
