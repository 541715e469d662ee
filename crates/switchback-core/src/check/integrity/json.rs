//! Documents of JSON, taken apart into records that can be compared as the rows of a table, each as it stands in the file.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::value::RawValue;

use crate::world::{Disk, DiskError};

/// The largest document that is taken apart, in bytes: it is held in memory as a whole.
const DOCUMENT_BYTES_MAX: u64 = 256 * 1024 * 1024;
/// So much is written at a time.
const WRITTEN_BYTES: usize = 1024 * 1024;
/// The column of the name of a member.
const MEMBER: &str = "member";
/// The column of a record as a whole.
pub(super) const VALUE: &str = "record as a whole";
/// Words that JSON has no number for, as other programs write them all the same; longer ones first.
const WORDS: &[&str] = &["-Infinity", "Infinity", "NaN"];
/// What a text begins with that stands for such a word: a character that nobody uses.
const MARK: &str = "\u{10fffd}";

/// Members by name, each as it stands in the file.
type Members<'t> = BTreeMap<String, &'t RawValue>;

/// The text of one document.
#[derive(Debug)]
pub(super) struct Document {
    text: String,
}

/// Where the records of a document are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Shape {
    /// It is a list: its items.
    Items,
    /// It is an object with one list: the items of that.
    List(String),
    /// It is any other object: its members.
    Members,
    /// It is one value.
    One,
}

impl Shape {
    /// What it is, in words.
    pub(super) fn words(&self) -> String {
        match self {
            Self::Items => "its list".to_owned(),
            Self::List(name) => format!("its list `{name}`"),
            Self::Members | Self::One => "its object".to_owned(),
        }
    }
}

/// One record.
#[derive(Debug, Clone)]
pub(super) struct Record<'t> {
    /// Of a member.
    name: Option<String>,
    raw: &'t RawValue,
}

impl Record<'_> {
    /// Its own members; none when it is no object.
    fn members(&self) -> Members<'_> {
        serde_json::from_str(self.raw.get()).unwrap_or_default()
    }
}

impl Document {
    /// Reads the file at `real`, which is called `name`; `None` when it is no JSON.
    pub(super) fn read(disk: &dyn Disk, name: &Path, real: &Path) -> Result<Option<Self>, String> {
        let ending = name.extension().map(|ending| ending.to_string_lossy().to_ascii_lowercase());
        if !matches!(ending.as_deref(), Some("json" | "ipynb")) {
            return Ok(None);
        }
        let bytes = disk.read(real, DOCUMENT_BYTES_MAX).map_err(|error| error.to_string())?;
        let Ok(text) = String::from_utf8(bytes) else { return Ok(None) };
        let text = with_marks(text.trim_start_matches('\u{feff}'));
        let is_json = serde_json::from_str::<&RawValue>(&text).is_ok();
        Ok(is_json.then_some(Self { text }))
    }

    fn members(&self) -> Option<Members<'_>> {
        serde_json::from_str(&self.text).ok()
    }

    /// Where its records are.
    pub(super) fn shape(&self) -> Shape {
        match self.text.trim_start().as_bytes().first() {
            Some(b'[') => Shape::Items,
            Some(b'{') => {
                let members = self.members().unwrap_or_default();
                let mut lists = members.iter().filter(|(_, raw)| raw.get().starts_with('['));
                match (lists.next(), lists.next()) {
                    (Some((name, _)), None) => Shape::List(name.clone()),
                    _ => Shape::Members,
                }
            }
            _ => Shape::One,
        }
    }

    /// Its records, where they are in a document of this shape; `None` when it has another.
    pub(super) fn records(&self, shape: &Shape) -> Option<Vec<Record<'_>>> {
        let items = |text| {
            let items: Vec<&RawValue> = serde_json::from_str(text).ok()?;
            Some(items.into_iter().map(|raw| Record { name: None, raw }).collect())
        };
        match shape {
            Shape::Items => items(&self.text),
            Shape::List(name) => items(self.members()?.get(name)?.get()),
            Shape::Members => {
                let members = self.members()?.into_iter();
                Some(members.map(|(name, raw)| Record { name: Some(name), raw }).collect())
            }
            Shape::One => {
                let raw = serde_json::from_str(&self.text).ok()?;
                Some(vec![Record { name: None, raw }])
            }
        }
    }

    /// The columns that name its records: `asked`, where all of them have these members; the name of a member.
    pub(super) fn key(&self, records: &[Record<'_>], asked: &[String]) -> Vec<String> {
        if self.shape() == Shape::Members {
            return vec![MEMBER.to_owned()];
        }
        let has_all = |record: &Record<'_>| {
            let members = record.members();
            asked.iter().all(|name| members.contains_key(name))
        };
        if records.iter().all(has_all) { asked.to_vec() } else { Vec::new() }
    }

    /// Members beside its list that are not in `new`, or not the same value, by name; and whether they are there.
    pub(super) fn beside_changed(&self, new: &Self) -> Vec<(String, bool)> {
        let Shape::List(list) = self.shape() else { return Vec::new() };
        let (old, new) = (self.members().unwrap_or_default(), new.members().unwrap_or_default());
        let value = |raw: &RawValue| serde_json::from_str::<serde_json::Value>(raw.get()).ok();
        let changed = |(name, raw): (&String, &&RawValue)| match new.get(name) {
            None => Some((name.clone(), false)),
            Some(other) => (value(raw) != value(other)).then(|| (name.clone(), true)),
        };
        let mut changed: Vec<(String, bool)> =
            old.iter().filter(|(name, _)| **name != list).filter_map(changed).collect();
        let come = new.keys().filter(|name| !old.contains_key(*name));
        changed.extend(come.map(|name| (name.clone(), true)));
        changed
    }
}

/// Writes records as lines of JSON: the columns of the key, then the record as a whole. In a list of its own, so that one
/// kind of value does not pass for another.
pub(super) fn write(
    disk: &dyn Disk,
    path: &Path,
    records: &[Record<'_>],
    key: &[String],
) -> Result<(), String> {
    let failed = |error: DiskError| error.to_string();
    let mut text = String::new();
    for record in records {
        let mut members = Vec::new();
        if let Some(name) = &record.name {
            members.push(format!("{}:{}", quoted(MEMBER), quoted(name)));
        } else if !key.is_empty() {
            let own = record.members();
            let named = key.iter().filter_map(|name| Some((name, own.get(name)?)));
            members.extend(named.map(|(name, raw)| format!("{}:{}", quoted(name), raw.get())));
        }
        members.push(format!("{}:[{}]", quoted(VALUE), record.raw.get()));
        // No line break of a document stands in its texts.
        let line = without_marks(&members.join(",")).replace(['\n', '\r'], " ");
        text.extend(["{", &line, "}\n"]);
        if text.len() >= WRITTEN_BYTES {
            disk.append(path, text.as_bytes()).map_err(failed)?;
            text.clear();
        }
    }
    disk.append(path, text.as_bytes()).map_err(failed)
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// The text with a text in the place of each word for a number that JSON does not have.
fn with_marks(text: &str) -> String {
    if !WORDS.iter().any(|word| text.contains(word)) {
        return text.to_owned();
    }
    let mut marked = String::with_capacity(text.len());
    let (mut is_quoted, mut is_escaped) = (false, false);
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        if !is_quoted && let Some(word) = WORDS.iter().find(|word| rest.starts_with(**word)) {
            marked.extend(["\"", MARK, word, "\""]);
            rest = &rest[word.len()..];
            continue;
        }
        if letter == '"' && !is_escaped {
            is_quoted = !is_quoted;
        }
        is_escaped = is_quoted && letter == '\\' && !is_escaped;
        marked.push(letter);
        rest = &rest[letter.len_utf8()..];
    }
    marked
}

fn without_marks(text: &str) -> String {
    let mut plain = text.to_owned();
    for word in WORDS {
        plain = plain.replace(&format!("\"{MARK}{word}\""), word);
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::RealDisk;

    fn document(text: &str) -> Document {
        Document { text: with_marks(text) }
    }

    /// The lines that a document becomes.
    fn lines(text: &str, key: &[&str]) -> String {
        let document = document(text);
        let records = document.records(&document.shape()).unwrap();
        let asked: Vec<String> = key.iter().map(|&name| name.to_owned()).collect();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lines");
        write(&RealDisk, &path, &records, &document.key(&records, &asked)).unwrap();
        String::from_utf8(RealDisk.read(&path, 10_000).unwrap()).unwrap()
    }

    #[test]
    fn records_stand_as_they_stood_in_the_file() {
        let list = "[{\"id\": 12345678901234567890, \"v\":\n 1.50}, {\"id\": 2, \"v\": NaN}]";
        assert_eq!(
            lines(list, &["id"]),
            "{\"id\":12345678901234567890,\"record as a whole\":[{\"id\": 12345678901234567890, \"v\":  1.50}]}\n\
             {\"id\":2,\"record as a whole\":[{\"id\": 2, \"v\": NaN}]}\n"
        );
        // One record has no such member: none of them is named by it.
        assert_eq!(
            lines("{\"n\": 1, \"users\": [{\"id\": 1}, 7]}", &["id"]),
            "{\"record as a whole\":[{\"id\": 1}]}\n{\"record as a whole\":[7]}\n"
        );
        assert_eq!(
            lines("{\"b\": \"NaN \\\" NaN\", \"a\": -Infinity}", &["id"]),
            "{\"member\":\"a\",\"record as a whole\":[-Infinity]}\n\
             {\"member\":\"b\",\"record as a whole\":[\"NaN \\\" NaN\"]}\n"
        );
        assert_eq!(lines("7", &[]), "{\"record as a whole\":[7]}\n");
    }

    #[test]
    fn what_stands_beside_a_list_is_compared_by_value() {
        let old = document("{\"n\": 1, \"gone\": 2, \"users\": [], \"same\": {\"a\": 1, \"b\": 2}}");
        let new = document("{\"n\": 2, \"come\": 3, \"users\": [1], \"same\": {\"b\":2,\"a\":1}}");
        let changed = [("gone", false), ("n", true), ("come", true)];
        assert_eq!(old.beside_changed(&new), changed.map(|(name, is_there)| (name.to_owned(), is_there)));
        assert_eq!(document("[1]").records(&Shape::List("users".to_owned())).map(|all| all.len()), None);
    }
}
