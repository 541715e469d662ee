//! The file of known differences: strict, and all that is wrong with it at once.

use std::path::Path;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use switchback_core::plan::{Fields, Finding, Findings, Key, Shape, place};
use switchback_core::rule::{Covers, Exception};
use switchback_core::world::Disk;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::error::CompareError;

/// The largest file that is read.
const BYTES_MAX: u64 = 16 << 20;

const FILE: &[Key] =
    &[Key::required("exception", Shape::Tables(EXCEPTION), "a list of known differences, `[[exception]]`")];

/// The keys of an `[[exception]]`.
const EXCEPTION: &[Key] = &[
    Key::required("item", Shape::Text, "the name of the file or table; `*` stands for any text"),
    Key::optional("column", Shape::Text, "the column whose cells may differ"),
    Key::optional("key", Shape::Named(&[]), "the row, by columns of the key: `{ id = 17 }`"),
    Key::optional("side", Shape::Word(&["only_old", "only_new"]), "the side that alone may have rows"),
    Key::required("owner", Shape::Text, "who answers for it"),
    Key::required("reason", Shape::Text, "why the difference is right"),
    Key::required("expires", Shape::Text, "the last day on which it holds, such as 2026-12-31"),
    Key::required("count", Shape::Whole, "the most cells or rows that it covers"),
];

/// Reads a file of known differences, as they stand at `now`.
///
/// # Errors
///
/// A file that cannot be read, and everything in it that is wrong, by line.
pub fn load(disk: &dyn Disk, path: &Path, now: Timestamp) -> Result<Vec<Exception>, CompareError> {
    let bytes = disk.read(path, BYTES_MAX)?;
    let refused = |findings: Vec<Finding>| CompareError::Exceptions { path: path.to_owned(), findings };
    let text = std::str::from_utf8(&bytes).map_err(|error| {
        let valid = String::from_utf8_lossy(bytes.get(..error.valid_up_to()).unwrap_or_default());
        let (line, column) = place(&valid, valid.len());
        let help = "save the file as UTF-8".to_owned();
        refused(vec![Finding { line, column, message: "it is not UTF-8".to_owned(), help }])
    })?;
    let findings = Findings::new(text);
    let (table, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        let message = error.message().lines().next().unwrap_or("the TOML is damaged").to_owned();
        findings.add(error.span().map_or(0, |span| span.start), message, "correct the TOML at this place");
    }
    let mut exceptions = Vec::new();
    if findings.is_empty() {
        let table = table.into_inner();
        let file = Fields::new(&table, 0, "the file", FILE, &findings);
        for (offset, table) in file.tables("exception") {
            exceptions.extend(exception(table, offset, &findings, now));
        }
    }
    if findings.is_empty() { Ok(exceptions) } else { Err(refused(findings.into_sorted())) }
}

fn exception<'a>(
    table: &'a DeTable<'a>,
    offset: usize,
    findings: &'a Findings<'a>,
    now: Timestamp,
) -> Option<Exception> {
    let fields = Fields::new(table, offset, "`[[exception]]`", EXCEPTION, findings);
    let covers = covers(table, &fields, findings);
    let expires = fields.day("expires");
    let count = fields.whole("count");
    if count == Some(0) {
        fields.find("count", "`count` in `[[exception]]` is 0", "take the exception out: it covers nothing");
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
        expired: now.to_zoned(TimeZone::UTC).date() > expires,
        count: count?,
    })
}

fn covers<'a>(table: &'a DeTable<'a>, fields: &Fields<'a>, findings: &'a Findings<'a>) -> Option<Covers> {
    let column = fields.filled_text("column");
    let side = fields.word("side");
    let offset = fields.offset();
    match (fields.has("column"), fields.has("side")) {
        (true, false) => {}
        (false, true) if fields.has("key") => {
            let help = "name a `column`, or take out `key`: rows on one side only are counted as a whole";
            findings.add(fields.offset_of("key"), "`key` in `[[exception]]` stands beside `side`", help);
            return None;
        }
        (false, true) => {
            return Some(if side? == "only_old" { Covers::OnlyOld } else { Covers::OnlyNew });
        }
        (true, true) => {
            let help = "make two exceptions: one for the cells, one for the rows";
            findings.add(offset, "`[[exception]]` has both `column` and `side`", help);
            return None;
        }
        (false, false) => {
            let help = "name a `column` whose cells differ, or a `side` that has rows of its own";
            findings.add(offset, "`[[exception]]` has neither `column` nor `side`", help);
            return None;
        }
    }
    let Some(value) = table.get("key") else {
        return Some(Covers::Cells { column: column?, key: Vec::new() });
    };
    let help = "name columns of the key with their values: `key = { id = 17 }`";
    let Some(members) = value.get_ref().as_table().filter(|members| !members.is_empty()) else {
        findings.add(value.span().start, "`key` in `[[exception]]` must be a table with columns", help);
        return None;
    };
    let key: Vec<Option<(String, String)>> = members
        .iter()
        .map(|(name, value)| {
            let text = key_text(value);
            if text.is_none() {
                let message =
                    format!("`{}` in `key` must be a text, a number, a truth value or a day", name.get_ref());
                findings.add(value.span().start, message, help);
            }
            Some((name.get_ref().to_string(), text?))
        })
        .collect();
    Some(Covers::Cells { column: column?, key: key.into_iter().collect::<Option<_>>()? })
}

/// A value of a key as a report writes it.
fn key_text(value: &Spanned<DeValue<'_>>) -> Option<String> {
    match value.get_ref() {
        DeValue::String(text) => Some(text.to_string()),
        DeValue::Integer(number) => {
            i128::from_str_radix(number.as_str(), number.radix()).ok().map(|number| number.to_string())
        }
        DeValue::Float(number) => Some(number.as_str().to_owned()),
        DeValue::Boolean(flag) => Some(flag.to_string()),
        DeValue::Datetime(at) => Some(at.to_string()),
        DeValue::Array(_) | DeValue::Table(_) => None,
    }
}
