//! Triggers: a condition on the watched checks, what it starts, and how what it is for is brought about in a rehearsal.

use std::fmt::Write as _;
use std::path::PathBuf;

use super::fields::{Fields, advise, shown};
use super::key::{Key, Shape};
use super::paths::relative;
use super::{CheckPlan, Moment};
use crate::quantity::counted;

/// A condition and its consequence.
#[derive(Debug, Clone, PartialEq)]
pub struct Trigger {
    /// On which check, and what must be seen.
    pub condition: Condition,
    /// What is done then.
    pub action: Action,
    /// How a copy is broken on which it has to fire; `None`: it is not rehearsed.
    pub rehearse: Option<Breakage>,
}

/// How a copy is broken, to see whether a trigger would have fired on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Breakage {
    /// By a line of shell that runs in the root of the copy.
    Command(String),
    /// By what becomes of one file, whose path is relative to the project.
    File(PathBuf, Damage),
}

/// What becomes of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Damage {
    /// This text stands behind what is in it.
    Append(String),
    /// This text is all that is in it.
    Write(String),
    /// It is gone.
    Remove,
}

impl Trigger {
    /// What it is called where people read of it: the check that it watches, and what it starts.
    pub fn title(&self) -> String {
        format!("the trigger on `{}` ({})", self.condition.check, self.action.word())
    }
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

impl Condition {
    /// Whether it holds a measure against the one taken `before`.
    pub fn is_compared(&self) -> bool {
        self.worse_than_times.is_some() || self.off_by.is_some()
    }

    /// In words, for people, with the name of the check marked: “the check `latency` is more than 2 times worse than before, 3 times in a row”.
    pub fn words(&self) -> String {
        let what = match (self.worse_than_times, self.off_by) {
            (Some(times), _) => format!("is more than {times} times worse than before"),
            (None, Some(off)) => {
                let way = match off.direction {
                    Direction::Either => "away from",
                    Direction::Up => "above",
                    Direction::Down => "below",
                };
                format!("is more than {} % {way} what it was before", off.percent)
            }
            (None, None) => "says no".to_owned(),
        };
        let mut words = format!("the check `{}` {what}", self.check);
        if self.in_a_row > 1 {
            let _ = write!(words, ", {} times in a row", self.in_a_row);
        }
        if let Some(least) = self.least_samples {
            let _ = write!(words, ", each time on at least {}", counted(least, "sample"));
        }
        words
    }

    /// Whether this is what was said of it; journals were written in which the name of the check has no marks.
    pub fn is_said(&self, words: &str) -> bool {
        let plain = |words: &str| words.replace('`', "");
        plain(&self.words()) == plain(words)
    }
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
        is_beyond(change, before.abs() * self.percent / 100.0, before.abs().max(now.abs()))
    }
}

/// Whether a value is more than a limit, by more than what the last digits of figures of that size say: 0.315 is 5 % above 0.3, and not
/// more, although 0.315 - 0.3 is, in binary.
pub fn is_beyond(value: f64, limit: f64, size: f64) -> bool {
    /// Figures that are read, a product and a difference are each off by half of the last digit.
    const LAST_DIGITS: f64 = 4.0;
    value - limit > LAST_DIGITS * f64::EPSILON * size.max(limit.abs())
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
        "an answer that rests on fewer requests, lines or reports neither counts nor ends a row",
    ),
];

const REHEARSE: &[Key] = &[
    Key::optional(
        "command",
        Shape::Text,
        "a line of shell that breaks the copy; it runs in the root of the copy",
    ),
    Key::optional("file", Shape::Text, "a file that is damaged in the copy, relative to the project"),
    Key::optional("append", Shape::Text, "with `file`: a text that is put behind what is in it"),
    Key::optional("write", Shape::Text, "with `file`: a text that is put in place of what is in it"),
    Key::optional("remove", Shape::Flag, "with `file`: `true`: it is removed"),
];

/// The keys of `[[trigger]]`.
pub(super) const TRIGGER: &[Key] = &[
    Key::required("when", Shape::Table(WHEN), "the condition"),
    Key::required("do", Shape::Word(&["roll-back", "hold", "tell"]), "what is done when the condition holds"),
    Key::optional(
        "rehearse",
        Shape::Table(REHEARSE),
        "how a copy is broken in the rehearsal, on which the trigger has to fire, e.g. `{ file = \"src/app.py\", remove = true }`",
    ),
];

/// Reads one `[[trigger]]`; `names` are those of the checks that it may watch, and `checks` those of them that could be read.
pub(super) fn read(fields: &Fields<'_>, names: &[String], checks: &[CheckPlan]) -> Option<Trigger> {
    let action = match fields.word("do").as_deref() {
        Some("roll-back") => Some(Action::RollBack),
        Some("hold") => Some(Action::Hold),
        Some(_) => Some(Action::Tell),
        None => None,
    };
    let rehearse = fields.table("rehearse").and_then(|breakage| read_breakage(&breakage));
    let when = fields.table("when")?;
    let condition = read_condition(&when, names);
    if let Some(condition) = &condition
        && let Some(check) = checks.iter().find(|check| check.name == condition.check)
    {
        look_at_check(&when, condition, check);
    }
    Some(Trigger { condition: condition?, action: action?, rehearse })
}

/// Reads `rehearse`.
fn read_breakage(fields: &Fields<'_>) -> Option<Breakage> {
    const WAYS: [&str; 3] = ["append", "write", "remove"];
    let ways: Vec<&str> = WAYS.into_iter().filter(|way| fields.has(way)).collect();
    match (fields.has("command"), fields.has("file")) {
        (true, false) if ways.is_empty() => Some(Breakage::Command(fields.filled_text("command")?)),
        (true, false) => {
            let message = format!("`{}` says what becomes of a file, and none is named", ways[0]);
            fields.find(ways[0], message, "it goes with `file`");
            None
        }
        (false, true) => {
            let [way] = ways.as_slice() else {
                let how = if ways.is_empty() { "does not say" } else { "says more than once" };
                let message = format!("{} {how} what becomes of the file", fields.title());
                fields.find("file", message, "add one of `append`, `write` and `remove`");
                return None;
            };
            let text = fields.filled_text("file")?;
            let what = "the path in `file`";
            let path = relative(&text, fields.offset_of("file"), what, fields.findings())?;
            let damage = match *way {
                "append" => Damage::Append(fields.text("append")?),
                "write" => Damage::Write(fields.text("write")?),
                _ if fields.flag("remove")? => Damage::Remove,
                _ => {
                    fields.find(
                        "remove",
                        "`remove = false` breaks nothing",
                        "set it to `true`, or use another way",
                    );
                    return None;
                }
            };
            Some(Breakage::File(path, damage))
        }
        (is_both, _) => {
            let how = if is_both { "in two ways" } else { "in no way" };
            fields.findings().add(
                fields.offset(),
                format!("{} says {how} how the copy is broken", fields.title()),
                "name either a `command`, or a `file` and what becomes of it",
            );
            None
        }
    }
}

/// What a check never says, no trigger can fire on.
fn look_at_check(when: &Fields<'_>, condition: &Condition, check: &CheckPlan) {
    let name = shown(&check.name);
    let is_after = |at: &Moment| *at == Moment::Live || at.delay_s().is_some();
    if check.every.is_none() && !check.at.iter().any(is_after) {
        when.find(
            "check",
            format!("the trigger could never fire: its check `{name}` does not look at what is live"),
            "add `live`, a delay such as `+1h`, or `every 5m for 24h` to the `at` of the check",
        );
    }
    if condition.is_compared() && !check.at.contains(&Moment::Before) {
        let key = if condition.off_by.is_some() { "off_by" } else { "worse_than" };
        when.find(
            key,
            format!("`{key}` compares with what was `before`, and the check `{name}` does not look then"),
            "add `before` to the `at` of the check",
        );
    }
    if condition.least_samples.is_some() && !check.check.counts_samples() {
        when.find(
            "least_samples",
            format!("the trigger could never fire: its check `{name}` is of the kind `{}`, which counts no samples", check.kind),
            "take `least_samples` out; requests are counted by `http` and `requests`, lines by `log`, reports by `compliance`",
        );
    }
}

/// Reads `when`.
fn read_condition(when: &Fields<'_>, checks: &[String]) -> Option<Condition> {
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
    Some(Condition {
        check: check?,
        worse_than_times: worse,
        off_by,
        in_a_row,
        least_samples: when.whole("least_samples"),
    })
}
