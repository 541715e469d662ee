//! Reading one table of the plan: every value is asked for by name and shape, and what is wrong becomes a finding.

use std::fmt::Write as _;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::finding::Findings;
use super::key::{Key, Shape};
use super::scalar::Scalar;

/// A text with a name of its own: the text's byte offset, its name, the text.
pub type NamedText = (usize, String, String);

/// A list in a list: its byte offset, and its texts, each with its own.
pub(super) type PlacedList = (usize, Vec<(usize, String)>);

/// One number, or one for each of several names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum WholeOrNamed {
    /// The number.
    Whole(u64),
    /// Where each stands, its name, and its number.
    Named(Vec<(usize, String, u64)>),
}

/// One table of the plan file. Making it looks for unknown keys; asking it looks at the values.
#[derive(Debug)]
pub struct Fields<'a> {
    table: &'a DeTable<'a>,
    offset: usize,
    title: String,
    keys: Vec<Key>,
    findings: &'a Findings<'a>,
}

impl<'a> Fields<'a> {
    /// The table `title` (as a person would write it: `[project]`), which may have `keys` and no others.
    pub fn new(
        table: &'a DeTable<'a>,
        offset: usize,
        title: impl Into<String>,
        keys: &[Key],
        findings: &'a Findings<'a>,
    ) -> Self {
        let fields = Self { table, offset, title: title.into(), keys: keys.to_vec(), findings };
        for (name, _) in table {
            fields.look_for_stranger(name);
        }
        for key in fields.keys.iter().filter(|key| key.required) {
            if !table.contains_key(key.name) {
                findings.add(
                    offset,
                    format!("{} has no `{}`", fields.title, key.name),
                    format!("add {}: {}", fields.form(key), key.doc),
                );
            }
        }
        fields
    }

    /// A key as it is typed: tables as the headings that they are.
    fn form(&self, key: &Key) -> String {
        let name = key.name;
        match (self.title.as_str(), key.shape) {
            ("the plan", Shape::Table(_)) => format!("`[{name}]`"),
            ("the plan", Shape::Tables(_) | Shape::Kinds(..)) => format!("`[[{name}]]`"),
            ("`[[phase]]`", Shape::Kinds(..)) => format!("`[[phase.{name}]]`"),
            _ => format!("`{name} = …`"),
        }
    }

    fn look_for_stranger(&self, name: &Spanned<std::borrow::Cow<'a, str>>) {
        let word = name.get_ref().as_ref();
        match self.keys.iter().find(|key| key.name == word) {
            Some(Key { shape: Shape::NotBuilt, .. }) => self.findings.add(
                name.span().start,
                format!("`{word}` in {} is not built yet", self.title),
                "take it out: this version of Switchback cannot carry it out",
            ),
            Some(_) => {}
            None => self.findings.add(
                name.span().start,
                format!("unknown key `{word}` in {}", self.title),
                advise(word, self.keys.iter().filter(|key| key.is_built()).map(|key| key.name)),
            ),
        }
    }

    /// Adds a finding at the value of `name`, or at the table when it is not there.
    pub fn find(&self, name: &str, message: impl Into<String>, help: impl Into<String>) {
        self.findings.add(self.offset_of(name), message, help);
    }

    /// The byte offset of the value of `name`, or of the table.
    pub fn offset_of(&self, name: &str) -> usize {
        self.value(name).map_or(self.offset, |value| value.span().start)
    }

    /// The byte offset of the table.
    pub fn offset(&self) -> usize {
        self.offset
    }

    /// What the table is called in messages.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// Whether `name` is there.
    pub fn has(&self, name: &str) -> bool {
        self.value(name).is_some()
    }

    /// Whether `name` is a list without an item.
    pub fn is_empty_list(&self, name: &str) -> bool {
        self.value(name).and_then(|value| value.get_ref().as_array()).is_some_and(|items| items.is_empty())
    }

    /// Whether `name` must be there.
    pub fn is_required(&self, name: &str) -> bool {
        self.keys.iter().any(|key| key.name == name && key.required)
    }

    /// Whether `name` is a table.
    pub fn is_table(&self, name: &str) -> bool {
        self.value(name).is_some_and(|value| value.get_ref().is_table())
    }

    fn value(&self, name: &str) -> Option<&'a Spanned<DeValue<'a>>> {
        self.table.get(name)
    }

    fn wrong(&self, name: &str, value: &Spanned<DeValue<'_>>) {
        let wanted = self.keys.iter().find(|key| key.name == name);
        let words = wanted.map_or_else(String::new, |key| key.shape.words());
        self.findings.add(
            value.span().start,
            format!("`{name}` in {} must be {words}, not {}", self.title, type_words(value.get_ref())),
            wanted.map_or_else(String::new, |key| format!("correct it: {}", key.doc)),
        );
    }

    fn ask<T>(&self, name: &str, read: impl Fn(&'a DeValue<'a>) -> Option<T>) -> Option<T> {
        let value = self.value(name)?;
        let read = read(value.get_ref());
        if read.is_none() {
            self.wrong(name, value);
        }
        read
    }

    /// A text.
    pub fn text(&self, name: &str) -> Option<String> {
        self.ask(name, |value| value.as_str().map(str::to_owned))
    }

    /// A text that must say something.
    pub fn filled_text(&self, name: &str) -> Option<String> {
        let text = self.text(name)?;
        if text.trim().is_empty() {
            self.find(name, format!("`{name}` in {} is empty", self.title), "fill it in");
            return None;
        }
        Some(text)
    }

    /// An address of HTTP; another one is a finding, and comes back all the same.
    pub fn http_address(&self, name: &str) -> Option<String> {
        let address = self.filled_text(name)?;
        if !(address.starts_with("http://") || address.starts_with("https://")) {
            let message = format!("`{name}` is `{}`, which is not an HTTP address", shown(&address));
            self.find(name, message, "begin it with `http://` or `https://`");
        }
        Some(address)
    }

    /// A day, `2026-12-31`, with or without quotes.
    pub fn day(&self, name: &str) -> Option<jiff::civil::Date> {
        let text = self.ask(name, |value| match value {
            DeValue::Datetime(day) => Some(day.to_string()),
            other => other.as_str().map(str::to_owned),
        })?;
        let day = text.parse().ok().filter(|day: &jiff::civil::Date| day.to_string() == text);
        if day.is_none() {
            let message = format!("`{name}` in {} is no day: `{}`", self.title, shown(&text));
            self.find(name, message, "write it as year, month and day: 2026-12-31");
        }
        day
    }

    /// A list of texts.
    pub fn texts(&self, name: &str) -> Option<Vec<String>> {
        self.placed_texts(name).map(|texts| texts.into_iter().map(|(_, text)| text).collect())
    }

    /// A list of texts, each with its byte offset.
    pub fn placed_texts(&self, name: &str) -> Option<Vec<(usize, String)>> {
        self.ask(name, placed_texts_of)
    }

    /// A list of lists of texts: of each list its byte offset, and its texts, each with its own.
    pub(super) fn placed_lists(&self, name: &str) -> Option<Vec<PlacedList>> {
        self.ask(name, |value| {
            let lists = value.as_array()?.iter();
            lists.map(|list| Some((list.span().start, placed_texts_of(list.get_ref())?))).collect()
        })
    }

    /// A list of values as they are written, each with its byte offset: texts, numbers, days, `true` or `false`.
    pub fn placed_values(&self, name: &str) -> Option<Vec<(usize, String)>> {
        self.ask(name, placed_values_of)
    }

    /// The entries of the table at `name`, whose keys are names, in the order of the file: offset, name, and a value as it is
    /// written or the values of a list.
    pub fn named_values(&self, name: &str) -> Vec<(usize, String, OneOrMore)> {
        let read = |value: &'a DeValue<'a>| {
            let entries = value.as_table()?.iter().map(|(entry, value)| {
                let read = match value_text(value.get_ref()) {
                    Some(text) => OneOrMore::One(text),
                    None => OneOrMore::More(placed_values_of(value.get_ref())?),
                };
                Some((value.span().start, entry.get_ref().to_string(), read))
            });
            entries.collect::<Option<Vec<_>>>()
        };
        let mut found = self.ask(name, read).unwrap_or_default();
        found.sort_by_key(|(offset, ..)| *offset);
        found
    }

    /// A whole number, 0 or more.
    pub fn whole(&self, name: &str) -> Option<u64> {
        self.ask(name, whole_of)
    }

    /// A whole number, 0 or more, or a table of them.
    pub(super) fn whole_or_named(&self, name: &str) -> Option<WholeOrNamed> {
        self.ask(name, |value| {
            let Some(table) = value.as_table() else { return whole_of(value).map(WholeOrNamed::Whole) };
            let entries = table.iter().map(|(entry, value)| {
                Some((value.span().start, entry.get_ref().to_string(), whole_of(value.get_ref())?))
            });
            entries.collect::<Option<_>>().map(WholeOrNamed::Named)
        })
    }

    /// A time, with or without quotes, as it is written.
    pub(super) fn instant(&self, name: &str) -> Option<String> {
        self.ask(name, |value| match value {
            DeValue::Datetime(time) => Some(time.to_string()),
            other => other.as_str().map(str::to_owned),
        })
    }

    /// A number, 0 or more, finite.
    pub fn number(&self, name: &str) -> Option<f64> {
        self.ask(name, |value| {
            let text = match value {
                DeValue::Integer(integer) => integer.as_str(),
                DeValue::Float(float) => float.as_str(),
                _ => return None,
            };
            text.parse::<f64>().ok().filter(|number| number.is_finite() && *number >= 0.0)
        })
    }

    /// `true` or `false`.
    pub fn flag(&self, name: &str) -> Option<bool> {
        self.ask(name, DeValue::as_bool)
    }

    /// One of the words that the key allows.
    pub fn word(&self, name: &str) -> Option<String> {
        let text = self.text(name)?;
        let Some(Key { shape: Shape::Word(words), .. }) = self.keys.iter().find(|key| key.name == name)
        else {
            return Some(text);
        };
        if words.contains(&text.as_str()) {
            return Some(text);
        }
        self.find(
            name,
            format!("`{name}` in {} cannot be `{}`", self.title, shown(&text)),
            advise(&text, words.iter().copied()),
        );
        None
    }

    /// One of the words that the key allows, else the list of texts that stands there, each with its byte offset.
    pub fn word_or_texts(&self, name: &str) -> Option<Result<String, Vec<(usize, String)>>> {
        let value = self.value(name)?;
        let Some(text) = value.get_ref().as_str() else { return self.placed_texts(name).map(Err) };
        let shape = self.keys.iter().find(|key| key.name == name)?.shape;
        let Shape::WordOrTexts(words) = shape else { return None };
        if words.contains(&text) {
            return Some(Ok(text.to_owned()));
        }
        let message = format!("`{name}` in {} cannot be `{}`", self.title, shown(text));
        self.find(name, message, format!("write {}", shape.words()));
        None
    }

    /// The table at `name`, with the keys that the key's shape allows.
    pub fn table(&self, name: &str) -> Option<Fields<'a>> {
        let shape = self.keys.iter().find(|key| key.name == name)?.shape;
        let (Shape::Table(keys) | Shape::TextOrTable(keys) | Shape::TextsOrTable(keys)) = shape else {
            return None;
        };
        let title = if self.title == "the plan" {
            format!("`[{name}]`")
        } else {
            format!("`{name}` of {}", self.title)
        };
        let value = self.value(name)?;
        let table = self.ask(name, DeValue::as_table)?;
        Some(Fields::new(table, value.span().start, title, keys, self.findings))
    }

    /// The tables in the list at `name`, each with its byte offset. Keys are looked at by the caller.
    pub fn tables(&self, name: &str) -> Vec<(usize, &'a DeTable<'a>)> {
        self.ask(name, |value| {
            value
                .as_array()?
                .iter()
                .map(|item| Some((item.span().start, item.get_ref().as_table()?)))
                .collect::<Option<Vec<_>>>()
        })
        .unwrap_or_default()
    }

    /// The entries of the table at `name`, whose keys are names: name, offset, table with the keys that the shape allows.
    pub fn named(&self, name: &str) -> Vec<(String, Fields<'a>)> {
        let Some(Key { shape: Shape::Named(keys), .. }) = self.keys.iter().find(|key| key.name == name)
        else {
            return Vec::new();
        };
        let Some(table) = self.ask(name, DeValue::as_table) else { return Vec::new() };
        let mut found = Vec::new();
        for (entry, value) in table {
            let word = entry.get_ref().to_string();
            match value.get_ref().as_table() {
                Some(table) => {
                    let title = format!("`{name}.{}` of {}", shown(&word), self.title);
                    found.push((word, Fields::new(table, value.span().start, title, keys, self.findings)));
                }
                None => self.wrong(name, value),
            }
        }
        found
    }

    /// The entries of the table at `name`, whose keys are names and whose values are texts: offset, name, text.
    pub fn named_texts(&self, name: &str) -> Vec<NamedText> {
        self.ask(name, texts_by_name).unwrap_or_default()
    }

    /// The entries of the table at `name`, whose keys are names and whose values are tables of texts: offset, name, and
    /// the texts as [`Fields::named_texts`] gives them.
    pub fn named_groups(&self, name: &str) -> Vec<(usize, String, Vec<NamedText>)> {
        let read = |value: &'a DeValue<'a>| {
            let entries = value.as_table()?.iter();
            entries
                .map(|(entry, group)| {
                    Some((group.span().start, entry.get_ref().to_string(), texts_by_name(group.get_ref())?))
                })
                .collect()
        };
        self.ask(name, read).unwrap_or_default()
    }

    /// The entries of the table at `name`, whose keys are names: offset, name, and a text, or a table with the keys that
    /// the shape allows.
    pub fn named_texts_or_tables(&self, name: &str) -> Vec<(usize, String, TextOrTable<'a>)> {
        let Some(Key { shape: Shape::NamedTextsOrTables(keys), .. }) =
            self.keys.iter().find(|key| key.name == name)
        else {
            return Vec::new();
        };
        let Some(table) = self.ask(name, DeValue::as_table) else { return Vec::new() };
        let mut found = Vec::new();
        for (entry, value) in table {
            let (offset, word) = (value.span().start, entry.get_ref().to_string());
            match value.get_ref() {
                DeValue::String(text) => found.push((offset, word, TextOrTable::Text(text.to_string()))),
                DeValue::Table(table) => {
                    let title = format!("`{name}.{}` of {}", shown(&word), self.title);
                    let fields = Fields::new(table, offset, title, keys, self.findings);
                    found.push((offset, word, TextOrTable::Table(fields)));
                }
                _ => self.wrong(name, value),
            }
        }
        found
    }

    /// A text, a number, or a truth.
    pub fn scalar(&self, name: &str) -> Option<Scalar> {
        self.ask(name, Scalar::of)
    }

    /// The entries of the table at `name`, whose keys are names and whose values are texts, numbers or truths.
    pub fn named_scalars(&self, name: &str) -> Vec<(String, Scalar)> {
        let read = |value: &'a DeValue<'a>| {
            let entries = value.as_table()?.iter();
            entries
                .map(|(name, value)| Some((name.get_ref().to_string(), Scalar::of(value.get_ref())?)))
                .collect()
        };
        self.ask(name, read).unwrap_or_default()
    }

    /// A number as it is written, of either sign.
    pub fn literal(&self, name: &str) -> Option<String> {
        self.ask(name, |value| match value {
            DeValue::Integer(integer) if integer.radix() == 10 => Some(integer.as_str().to_owned()),
            DeValue::Float(float) => Some(float.as_str().to_owned()),
            _ => None,
        })
    }

    /// The items of the list at `name`: texts, or tables with the keys that the shape allows.
    pub fn texts_or_tables(&self, name: &str) -> Vec<(usize, TextOrTable<'a>)> {
        let Some(Key { shape: Shape::TextsOrTables(keys), .. }) =
            self.keys.iter().find(|key| key.name == name)
        else {
            return Vec::new();
        };
        let Some(items) = self.ask(name, DeValue::as_array) else { return Vec::new() };
        let mut found = Vec::new();
        for item in items {
            let offset = item.span().start;
            match item.get_ref() {
                DeValue::String(text) => found.push((offset, TextOrTable::Text(text.to_string()))),
                DeValue::Table(table) => {
                    let title = format!("an item of `{name}` in {}", self.title);
                    let fields = Fields::new(table, offset, title, keys, self.findings);
                    found.push((offset, TextOrTable::Table(fields)));
                }
                _ => self.wrong(name, item),
            }
        }
        found
    }

    /// Where findings go.
    pub fn findings(&self) -> &'a Findings<'a> {
        self.findings
    }

    /// The table as text that does not depend on layout, order of keys or comments: what an options hash is made of.
    pub fn canonical(&self) -> String {
        let mut text = String::new();
        canonical_table(self.table, &mut text);
        text
    }
}

fn whole_of(value: &DeValue<'_>) -> Option<u64> {
    let integer = value.as_integer()?;
    u64::from_str_radix(integer.as_str(), integer.radix()).ok()
}

fn placed_values_of(value: &DeValue<'_>) -> Option<Vec<(usize, String)>> {
    let items = value.as_array()?.iter();
    items.map(|item| Some((item.span().start, value_text(item.get_ref())?))).collect()
}

/// A single value as it is written; of a text what it says.
fn value_text(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::String(text) => Some(text.to_string()),
        DeValue::Integer(number) if number.radix() == 10 => Some(number.as_str().to_owned()),
        DeValue::Integer(number) => {
            i128::from_str_radix(number.as_str(), number.radix()).ok().map(|number| number.to_string())
        }
        DeValue::Float(number) => Some(number.as_str().to_owned()),
        DeValue::Boolean(flag) => Some(flag.to_string()),
        DeValue::Datetime(at) => Some(at.to_string()),
        DeValue::Array(_) | DeValue::Table(_) => None,
    }
}

/// A value, or several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OneOrMore {
    /// One value, which stands by itself.
    One(String),
    /// The values of a list, each with its byte offset.
    More(Vec<(usize, String)>),
}

fn placed_texts_of(value: &DeValue<'_>) -> Option<Vec<(usize, String)>> {
    let items = value.as_array()?.iter();
    items.map(|item| Some((item.span().start, item.get_ref().as_str()?.to_owned()))).collect()
}

fn texts_by_name<'a>(value: &'a DeValue<'a>) -> Option<Vec<NamedText>> {
    let entries = value.as_table()?.iter();
    entries
        .map(|(name, value)| {
            Some((value.span().start, name.get_ref().to_string(), value.get_ref().as_str()?.to_owned()))
        })
        .collect()
}

/// An item of a list that may hold both.
#[derive(Debug)]
pub enum TextOrTable<'a> {
    /// A text.
    Text(String),
    /// A table.
    Table(Fields<'a>),
}

fn canonical_table(table: &DeTable<'_>, text: &mut String) {
    let mut entries: Vec<_> = table.iter().map(|(name, value)| (name.get_ref().as_ref(), value)).collect();
    entries.sort_by_key(|(name, _)| *name);
    text.push('{');
    for (name, value) in entries {
        // Writing to a string cannot fail; the same holds below.
        let _ = write!(text, "{name:?}=");
        canonical_value(value.get_ref(), text);
        text.push(';');
    }
    text.push('}');
}

fn canonical_value(value: &DeValue<'_>, text: &mut String) {
    let _ = match value {
        DeValue::String(value) => write!(text, "{value:?}"),
        DeValue::Integer(value) => write!(text, "i{}:{}", value.radix(), value.as_str()),
        DeValue::Float(value) => write!(text, "f{}", value.as_str()),
        DeValue::Boolean(value) => write!(text, "{value}"),
        DeValue::Datetime(value) => write!(text, "t{value}"),
        DeValue::Array(items) => {
            text.push('[');
            for item in items {
                canonical_value(item.get_ref(), text);
                text.push(';');
            }
            text.push(']');
            Ok(())
        }
        DeValue::Table(table) => {
            canonical_table(table, text);
            Ok(())
        }
    };
}

fn type_words(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(integer) if integer.as_str().starts_with('-') => "a negative number",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(float) if float.as_str().starts_with('-') => "a negative number",
        DeValue::Float(_) => "a number with a fraction",
        DeValue::Boolean(_) => "`true` or `false`",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

/// The nearest known word when one is near, else all of them.
pub fn advise<'w>(word: &str, known: impl Iterator<Item = &'w str>) -> String {
    let known: Vec<&str> = known.collect();
    let near = known
        .iter()
        .map(|candidate| (strsim::damerau_levenshtein(word, candidate), *candidate))
        .filter(|(distance, candidate)| *distance <= 2.max(candidate.len() / 3))
        .min();
    match near {
        Some((_, nearest)) => format!("did you mean `{nearest}`?"),
        None => {
            format!("known here: {}", known.iter().map(|k| format!("`{k}`")).collect::<Vec<_>>().join(", "))
        }
    }
}

/// A text from the plan as it may stand in a message: control characters escaped, at most 60 characters.
pub fn shown(text: &str) -> String {
    let escaped: String = text
        .chars()
        .flat_map(|c| if c.is_control() { c.escape_default().collect::<Vec<_>>() } else { vec![c] })
        .collect();
    if escaped.chars().count() > 60 {
        format!("{}…", escaped.chars().take(60).collect::<String>())
    } else {
        escaped
    }
}
