//! Values as a program gets them from its configuration, with their types, and with the place each was written at.

use std::hash::{BuildHasher as _, RandomState};

use hashbrown::HashTable;
use num_bigint::BigInt;

/// The number of a file in [`Sources`].
pub type FileNumber = u32;

/// Files by number, so that a value can say in a few bytes where it was written.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    names: Vec<String>,
}

impl Sources {
    /// Numbers a file.
    pub fn add(&mut self, name: &str) -> FileNumber {
        let at = self.names.iter().position(|known| known == name).unwrap_or_else(|| {
            self.names.push(name.to_owned());
            self.names.len() - 1
        });
        FileNumber::try_from(at).unwrap_or(FileNumber::MAX)
    }

    /// The name of a file; `?` for a number that was never given out.
    pub fn name(&self, file: FileNumber) -> &str {
        self.names.get(file as usize).map_or("?", String::as_str)
    }

    /// `config/base.yaml:12`, as a person reads it.
    pub fn place(&self, origin: Origin) -> String {
        match origin.line {
            0 => self.name(origin.file).to_owned(),
            line => format!("{}:{line}", self.name(origin.file)),
        }
    }
}

/// Where a value was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Origin {
    /// The file.
    pub file: FileNumber,
    /// The line, counted from 1; 0: the file as a whole, or no line of it.
    pub line: u32,
}

/// A value with its type, as the program that reads it sees it.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Nothing.
    Null,
    /// Yes or no.
    Bool(bool),
    /// An integer of any length.
    Integer(BigInt),
    /// A double.
    Float(f64),
    /// Text.
    Text(String),
    /// Bytes (`!!binary`).
    Bytes(Vec<u8>),
    /// A day without a time, `YYYY-MM-DD`.
    Date(String),
    /// A time without a day, which only TOML has: `HH:MM:SS.ffffff`.
    Clock(String),
    /// A day with a time, in one form for all ways to write it: `YYYY-MM-DDTHH:MM:SS.ffffff`, and its offset if it has one, `+00:00`.
    Time(String),
    /// Values in order.
    List(Vec<Node>),
    /// Values by key, in the order in which they were written.
    Map(Vec<Entry>),
}

/// A value, and how it was written.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// What the program gets.
    pub value: Value,
    /// Where it was written.
    pub origin: Origin,
    /// How it was written, for whoever writes it again.
    pub style: Style,
    /// The comments around it.
    pub comments: Option<Box<Comments>>,
}

/// A key and what stands under it.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The key: a scalar, in YAML of any type.
    pub key: Node,
    /// Its value.
    pub node: Node,
}

/// How a value was written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Style {
    /// However one likes.
    #[default]
    Free,
    /// Without quotes, in these words: `0x1F`, `yes`, `1_000`.
    Plain(Box<str>),
    /// `'…'`.
    SingleQuoted,
    /// `"…"`.
    DoubleQuoted,
    /// `|` or `>`.
    Block,
    /// `[…]` or `{…}`.
    Flow,
}

/// The comments around a value, without their `#`, one a line.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Comments {
    /// On lines of their own before it.
    pub before: Vec<String>,
    /// Behind it on its line.
    pub behind: Vec<String>,
    /// After everything that stands in it.
    pub after: Vec<String>,
}

impl Comments {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.before.is_empty() && self.behind.is_empty() && self.after.is_empty()
    }

    /// All of them, to be changed.
    pub fn all_mut(&mut self) -> impl Iterator<Item = &mut String> {
        self.before.iter_mut().chain(&mut self.behind).chain(&mut self.after)
    }

    /// All of them, in order.
    pub fn all(&self) -> impl Iterator<Item = &String> {
        self.before.iter().chain(&self.behind).chain(&self.after)
    }
}

impl Node {
    /// A value that was written in no particular way.
    pub fn new(value: Value, origin: Origin) -> Self {
        Self { value, origin, style: Style::Free, comments: None }
    }

    /// An empty map.
    pub fn empty_map(origin: Origin) -> Self {
        Self::new(Value::Map(Vec::new()), origin)
    }

    /// The entries of a map.
    pub fn entries(&self) -> Option<&[Entry]> {
        match &self.value {
            Value::Map(entries) => Some(entries),
            _ => None,
        }
    }

    /// What stands under a key of a map.
    pub fn get(&self, key: &Value) -> Option<&Node> {
        self.entries()?.iter().find(|entry| is_same_key(&entry.key.value, key)).map(|entry| &entry.node)
    }

    /// The comments, made when there are none yet.
    pub fn comments_mut(&mut self) -> &mut Comments {
        self.comments.get_or_insert_default()
    }
}

impl Value {
    /// What its type is called.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "boolean",
            Self::Integer(_) => "integer",
            Self::Float(_) => "float",
            Self::Text(_) => "text",
            Self::Bytes(_) => "bytes",
            Self::Date(_) => "date",
            Self::Clock(_) => "time of day",
            Self::Time(_) => "timestamp",
            Self::List(_) => "list",
            Self::Map(_) => "map",
        }
    }

    /// Whether it holds other values.
    pub fn is_collection(&self) -> bool {
        matches!(self, Self::List(_) | Self::Map(_))
    }
}

/// Whether two keys are one: a Python dictionary takes `1`, `1.0` and `True` for the same.
pub fn is_same_key(one: &Value, other: &Value) -> bool {
    KeyName::of(one) == KeyName::of(other)
}

/// What tells keys of a map apart, so that they can be looked up: keys that are one have the same.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum KeyName<'v> {
    Text(&'v str),
    /// A whole number, however it is written.
    Whole(BigInt),
    /// The bits of any other number.
    Broken(u64),
    Bytes(&'v [u8]),
    /// A value of another type, with what it says.
    Other(&'static str, &'v str),
}

impl<'v> KeyName<'v> {
    /// That of a key.
    pub(crate) fn of(key: &'v Value) -> Self {
        match key {
            Value::Text(text) => Self::Text(text),
            Value::Bool(flag) => Self::Whole(BigInt::from(u8::from(*flag))),
            Value::Integer(number) => Self::Whole(number.clone()),
            Value::Float(number) => {
                let whole = num_traits::FromPrimitive::from_f64(*number).filter(|_| number.fract() == 0.0);
                // NaN is itself, whatever its bits are.
                let bits = if number.is_nan() { f64::NAN } else { *number }.to_bits();
                whole.map_or(Self::Broken(bits), Self::Whole)
            }
            Value::Bytes(bytes) => Self::Bytes(bytes),
            Value::Date(text) | Value::Time(text) | Value::Clock(text) => Self::Other(key.type_name(), text),
            // No reader makes a collection a key.
            Value::Null | Value::List(_) | Value::Map(_) => Self::Other(key.type_name(), ""),
        }
    }
}

/// Whether a program gets the same from both: the same type and the same value, keys in any order. NaN is NaN; `1` is not
/// `1.0`, `"1"` is not `1`.
pub fn is_same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Float(one), Value::Float(other)) => {
            one.to_bits() == other.to_bits() || one.is_nan() && other.is_nan()
        }
        (Value::List(one), Value::List(other)) => {
            one.len() == other.len()
                && one.iter().zip(other).all(|(one, other)| is_same(&one.value, &other.value))
        }
        (Value::Map(one), Value::Map(other)) => one.len() == other.len() && has_all(one, other),
        _ => one == other,
    }
}

fn has_all(one: &[Entry], other: &[Entry]) -> bool {
    let index = Index::new(other);
    one.iter().all(|entry| {
        index.find(&entry.key.value).is_some_and(|found| {
            // The keys themselves too: a program may look at whether a key is a number or text.
            is_same(&entry.key.value, &other[found].key.value)
                && is_same(&entry.node.value, &other[found].node.value)
        })
    })
}

/// Finds keys in maps of any size.
#[derive(Debug)]
pub struct Index<'e> {
    entries: &'e [Entry],
    places: Places,
}

impl<'e> Index<'e> {
    /// An index over the entries of a map.
    pub fn new(entries: &'e [Entry]) -> Self {
        let mut places = Places::default();
        for (at, entry) in entries.iter().enumerate() {
            places.place(&entries[..at], &entry.key.value);
        }
        Self { entries, places }
    }

    /// Where a key stands.
    pub fn find(&self, key: &Value) -> Option<usize> {
        self.places.find(self.entries, key)
    }
}

/// Where keys stand in a list of entries that grows. It holds numbers only, and looks at the entries themselves: in a large file the keys
/// would be there twice else.
#[derive(Debug, Default)]
pub(crate) struct Places {
    places: HashTable<usize>,
    hasher: RandomState,
}

impl Places {
    /// Where a key stands; `None` where it is new, and then it is known from now on, as that of the entry that is added next.
    pub(crate) fn place(&mut self, entries: &[Entry], key: &Value) -> Option<usize> {
        let known = self.find(entries, key);
        if known.is_none() {
            let hash_of = |at: &usize| self.hasher.hash_one(KeyName::of(&entries[*at].key.value));
            self.places.insert_unique(self.hasher.hash_one(KeyName::of(key)), entries.len(), hash_of);
        }
        known
    }

    fn find(&self, entries: &[Entry], key: &Value) -> Option<usize> {
        let name = KeyName::of(key);
        let is_it = |at: &usize| KeyName::of(&entries[*at].key.value) == name;
        self.places.find(self.hasher.hash_one(&name), is_it).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(key: Value, value: Value) -> Entry {
        Entry { key: Node::new(key, Origin::default()), node: Node::new(value, Origin::default()) }
    }

    #[test]
    fn types_are_part_of_a_value() {
        let [one, one_float, one_text] =
            [Value::Integer(1.into()), Value::Float(1.0), Value::Text("1".to_owned())];
        assert!(!is_same(&one, &one_float) && !is_same(&one, &one_text) && !is_same(&one_float, &one_text));
        assert!(!is_same(&Value::Null, &Value::Text(String::new())));
        assert!(is_same(&Value::Float(f64::NAN), &Value::Float(-f64::NAN)));
        assert!(!is_same(&Value::Float(0.0), &Value::Float(-0.0)));
    }

    #[test]
    fn maps_are_the_same_in_any_order_and_null_is_not_missing() {
        let text = |text: &str| Value::Text(text.to_owned());
        let ab = Value::Map(vec![entry(text("a"), Value::Null), entry(text("b"), Value::Bool(true))]);
        let ba = Value::Map(vec![entry(text("b"), Value::Bool(true)), entry(text("a"), Value::Null)]);
        assert!(is_same(&ab, &ba));
        assert!(!is_same(&ab, &Value::Map(vec![entry(text("b"), Value::Bool(true))])));
    }

    #[test]
    fn keys_are_one_as_in_a_dictionary_of_python() {
        assert!(is_same_key(&Value::Integer(1.into()), &Value::Bool(true)));
        assert!(is_same_key(&Value::Integer(1.into()), &Value::Float(1.0)));
        assert!(!is_same_key(&Value::Integer(1.into()), &Value::Text("1".to_owned())));
        assert!(
            is_same_key(&Value::Float(-0.0), &Value::Bool(false)) && is_same_key(&Value::Null, &Value::Null)
        );
        assert!(!is_same_key(&Value::Float(0.5), &Value::Integer(0.into())));
        assert!(!is_same_key(&Value::Date("2024-01-31".to_owned()), &Value::Text("2024-01-31".to_owned())));
    }

    /// Of a search one by one, this would take minutes.
    #[test]
    fn a_map_of_very_many_numbers_is_looked_up_and_compared() {
        let numbers = |order: &mut dyn Iterator<Item = u32>| {
            Value::Map(order.map(|number| entry(Value::Integer(number.into()), Value::Null)).collect())
        };
        let (up, down) = (numbers(&mut (0..200_000)), numbers(&mut (0..200_000).rev()));
        assert!(is_same(&up, &down));
        assert!(!is_same(&up, &numbers(&mut (1..200_001))));
    }
}
