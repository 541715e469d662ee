//! Lists of names, imported or exported: what either side added is in, what either took out is out, layout stays.

use std::collections::HashSet;

use super::words::Lists;
use crate::syntax::{Item, Span, Unit};

/// A statement that lists names, and the bytes that it lies in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Listed<'a> {
    /// The file.
    pub(super) bytes: &'a [u8],
    /// The statement.
    pub(super) unit: &'a Unit,
    /// Where its lines begin, without what stands above it.
    pub(super) start: usize,
}

impl<'a> Listed<'a> {
    fn words(&self) -> Vec<&'a str> {
        self.unit.items.iter().map(|item| item.word.as_str()).collect()
    }

    fn item(&self, item: &Item) -> &'a [u8] {
        item.span.of(self.bytes)
    }
}

/// Merges three statements that list names, or two; nothing when they bind one name to different things, or when the
/// layout is none that can be edited.
pub(super) fn merge(base: Option<Listed<'_>>, source: Listed<'_>, target: Listed<'_>) -> Option<Vec<u8>> {
    let lists = Lists { base: base.map(|one| one.words()), source: source.words(), target: target.words() };
    if lists.any(|word| word == "*") || lists.has_duplicates() {
        return None;
    }
    let (added, removed) = (lists.added(), lists.removed());
    let added: Vec<&Item> =
        source.unit.items.iter().filter(|item| added.contains(item.word.as_str())).collect();
    let stays: Vec<&Item> =
        target.unit.items.iter().filter(|item| !removed.contains(item.word.as_str())).collect();
    let name = |item: &Item| item.word.split(' ').next().unwrap_or_default().to_owned();
    let known: HashSet<&str> = lists.base.iter().flatten().copied().collect();
    let is_contested = added.iter().any(|item| {
        stays.iter().any(|other| {
            other.bound == item.bound
                || !known.contains(other.word.as_str())
                    && name(other) == name(item)
                    && !known.is_empty()
                    && known.iter().any(|word| word.split(' ').next() == Some(name(item).as_str()))
        })
    });
    if is_contested || stays.is_empty() {
        return None;
    }
    let mut layout = Layout::of(target)?;
    layout.entries.retain(|entry| !removed.contains(entry.word.as_str()));
    for item in added {
        let place = layout.place_of(item, source);
        layout.put(place, item, source);
    }
    Some(layout.written())
}

/// A list of names as it is laid out.
struct Layout<'a> {
    head: &'a [u8],
    entries: Vec<Entry<'a>>,
    /// From the end of the last name.
    rest: Vec<u8>,
    /// What stands between names that are put in.
    between: Vec<u8>,
    sorting: Sorting,
}

struct Entry<'a> {
    word: String,
    text: &'a [u8],
    /// Up to the next name, a remark on it included; empty for the last.
    after: Vec<u8>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Sorting {
    Exact,
    Letters,
    None,
}

impl<'a> Layout<'a> {
    fn of(listed: Listed<'a>) -> Option<Self> {
        let items = &listed.unit.items;
        let (first, last) = (items.first()?, items.last()?);
        let head = Span::new(listed.start, first.span.start).of(listed.bytes);
        let rest = Span::new(last.span.end, listed.unit.span.end).of(listed.bytes);
        let whole = Span::new(listed.start, listed.unit.span.end).of(listed.bytes);
        if whole.contains(&b'\\') {
            return None;
        }
        let mut entries = Vec::new();
        for (at, item) in items.iter().enumerate() {
            let next = items.get(at + 1).map_or(item.span.end, |next| next.span.start);
            let after = Span::new(item.span.end, next).of(listed.bytes).to_vec();
            entries.push(Entry { word: item.word.clone(), text: listed.item(item), after });
        }
        let is_one_a_line = head.ends_with(b" ") && head.contains(&b'\n') || head.ends_with(b"\t");
        let is_one_a_line = (is_one_a_line || head.ends_with(b"\n"))
            && entries.iter().rev().skip(1).all(|entry| entry.after.contains(&b'\n'));
        let between = if is_one_a_line {
            let line = head.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
            let line_end: &[u8] = if head.windows(2).any(|two| two == b"\r\n") { b",\r\n" } else { b",\n" };
            [line_end, head.get(line..).unwrap_or_default()].concat()
        } else {
            b", ".to_vec()
        };
        let words: Vec<&str> = items.iter().map(|item| item.word.as_str()).collect();
        let sorting = if words.is_sorted() {
            Sorting::Exact
        } else if words.is_sorted_by_key(|word| word.to_lowercase()) {
            Sorting::Letters
        } else {
            Sorting::None
        };
        Some(Self { head, entries, rest: rest.to_vec(), between, sorting })
    }

    /// Where a name of the other side comes in: by its letters where the list is sorted, else after the name that it
    /// follows there.
    fn place_of(&self, item: &Item, source: Listed<'_>) -> usize {
        let is_before = |entry: &Entry<'_>| match self.sorting {
            Sorting::Exact => entry.word.as_str() < item.word.as_str(),
            _ => entry.word.to_lowercase() < item.word.to_lowercase(),
        };
        // One name is sorted in whatever order its writer had in mind.
        if self.sorting != Sorting::None && self.entries.len() > 1 {
            return self.entries.iter().take_while(|entry| is_before(entry)).count();
        }
        let before = source.unit.items.iter().take_while(|other| other.word != item.word);
        let known = before.filter_map(|other| self.entries.iter().position(|entry| entry.word == other.word));
        known.last().map_or(0, |at| at + 1)
    }

    fn put(&mut self, place: usize, item: &Item, source: Listed<'a>) {
        let text = source.item(item);
        let word = item.word.clone();
        if place < self.entries.len() {
            self.entries.insert(place, Entry { word, text, after: self.between.clone() });
            return;
        }
        // After the last name: a comma and a remark that follow it stay with it.
        let line = self.rest.iter().position(|byte| *byte == b'\n').filter(|_| self.between.contains(&b'\n'));
        let is_comma = self.rest.first() == Some(&b',');
        let after = match line {
            Some(line) if is_comma => {
                let indent = self.between.iter().position(|byte| *byte == b'\n').map_or(0, |at| at + 1);
                let mut after: Vec<u8> = self.rest.drain(..=line).collect();
                after.extend_from_slice(self.between.get(indent..).unwrap_or_default());
                let end: &[u8] = if self.between.starts_with(b",\r") { b",\r\n" } else { b",\n" };
                self.rest.splice(0..0, end.iter().copied());
                after
            }
            _ => self.between.clone(),
        };
        if let Some(last) = self.entries.last_mut() {
            last.after = after;
        }
        self.entries.push(Entry { word, text, after: Vec::new() });
    }

    fn written(mut self) -> Vec<u8> {
        if let Some(last) = self.entries.last_mut() {
            last.after.clear();
        }
        let mut text = self.head.to_vec();
        for entry in &self.entries {
            text.extend_from_slice(entry.text);
            text.extend_from_slice(&entry.after);
        }
        text.extend_from_slice(&self.rest);
        text
    }
}
