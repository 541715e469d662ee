//! Known differences, as a plan or a file of their own writes them: which, whose, why, until when and how many.

use jiff::Timestamp;
use jiff::civil::Date;

use crate::plan::{Fields, Key, OneOrMore, Shape};
use crate::quantity::day_of;
use crate::rule::{Covers, Exception};

/// The keys of a known difference.
pub const EXCEPTION: &[Key] = &[
    Key::required("item", Shape::Text, "the name of the file or table; `*` stands for any text"),
    Key::optional("column", Shape::Text, "the column whose cells may differ"),
    Key::optional("key", Shape::NamedValues, "the row, by columns of the key: `{ id = 17 }`"),
    Key::optional("side", Shape::Word(&["only_old", "only_new"]), "the side that alone may have rows"),
    Key::required("owner", Shape::Text, "who answers for it"),
    Key::required("reason", Shape::Text, "why the difference is right"),
    Key::required("expires", Shape::Text, "the last day on which it holds, such as 2026-12-31"),
    Key::required("count", Shape::Whole, "the most cells or rows that it covers"),
];

/// Reads one known difference, a table with the keys of [`EXCEPTION`]. What is wrong with it becomes a finding. Whether it has
/// expired is not asked yet, see [`as_of`].
pub fn read(fields: &Fields<'_>) -> Option<Exception> {
    let covers = covers(fields);
    let expires = fields.day("expires");
    let count = fields.whole("count");
    if count == Some(0) {
        let message = format!("`count` in {} is 0", fields.title());
        fields.find("count", message, "take the exception out: it covers nothing");
    }
    let (item, owner, reason) =
        (fields.filled_text("item"), fields.filled_text("owner"), fields.filled_text("reason"));
    let expires = expires?;
    Some(Exception {
        item: item?,
        covers: covers?,
        owner: owner?,
        reason: reason?,
        expires: expires.to_string(),
        expired: false,
        count: count?,
    })
}

/// A known difference as it stands at `now`.
#[must_use]
pub fn as_of(exception: Exception, now: Timestamp) -> Exception {
    let today = day_of(now);
    // A day that cannot be read was never promised.
    let expired = exception.expires.parse::<Date>().map_or(true, |last| today > last);
    Exception { expired, ..exception }
}

fn covers(fields: &Fields<'_>) -> Option<Covers> {
    let (findings, title) = (fields.findings(), fields.title());
    let column = fields.filled_text("column");
    let side = fields.word("side");
    let offset = fields.offset();
    match (fields.has("column"), fields.has("side")) {
        (true, false) => {}
        (false, true) if fields.has("key") => {
            let help = "name a `column`, or take out `key`: rows on one side only are counted as a whole";
            findings.add(fields.offset_of("key"), format!("`key` in {title} stands beside `side`"), help);
            return None;
        }
        (false, true) => {
            return Some(if side? == "only_old" { Covers::OnlyOld } else { Covers::OnlyNew });
        }
        (true, true) => {
            let help = "make two exceptions: one for the cells, one for the rows";
            findings.add(offset, format!("{title} has both `column` and `side`"), help);
            return None;
        }
        (false, false) => {
            let help = "name a `column` whose cells differ, or a `side` that has rows of its own";
            findings.add(offset, format!("{title} has neither `column` nor `side`"), help);
            return None;
        }
    }
    if !fields.has("key") {
        return Some(Covers::Cells { column: column?, key: Vec::new() });
    }
    let help = "name columns of the key with their values: `key = { id = 17 }`";
    let members = fields.named_values("key");
    if members.is_empty() {
        if fields.is_table("key") {
            fields.find("key", format!("`key` in {title} is empty"), help);
        }
        return None;
    }
    let key = members.into_iter().map(|(offset, name, value)| match value {
        OneOrMore::One(text) => Some((name, text)),
        OneOrMore::More(_) => {
            let message = format!("`{name}` in `key` must be a text, a number, a truth value or a day");
            findings.add(offset, message, help);
            None
        }
    });
    // All of them are looked at: each has a finding of its own.
    let key: Vec<Option<(String, String)>> = key.collect();
    Some(Covers::Cells { column: column?, key: key.into_iter().collect::<Option<_>>()? })
}
