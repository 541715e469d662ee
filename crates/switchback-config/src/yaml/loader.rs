//! YAML text → nodes, as the constructors of the declared loader make them, with places and comments.

use std::collections::HashMap;
use std::io::BufReader;

use libyaml_safer::{Encoding, Event, EventData, MappingStyle, Mark, Parser, ScalarStyle, SequenceStyle};

use super::remarks::{Remarks, Span};
use super::{Loader, scalar};
use crate::layers::comments_of;
use crate::read::{Fault, Finding, Read};
use crate::value::{Comments, Entry, FileNumber, Node, Origin, Places, Style, Value};

/// Deeper documents are refused: Python's own recursion ends near here, and so would ours.
const NESTING_MAX: usize = 200;
/// So many keys and values, collections apart, may a document have. Each of them takes some hundred bytes, however short it is, so that a file
/// of very many would take many times its size; those of one as long as may be come to a few times that.
const VALUES_MAX: usize = 1_000_000;
/// How many values the aliases of a document may stand for: a few lines of them could stand for billions.
const ALIASED_MAX: usize = 1_000_000;

/// So much text is handed to the parser at once.
const PIECE_BYTES: usize = 64 << 10;

const TAG_PREFIX: &str = "tag:yaml.org,2002:";

/// Reads the one document of a text.
pub(crate) fn read(text: &str, file: FileNumber, loader: Loader) -> Result<Read, Fault> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let spans = spans(text)?;
    refuse_tabs(text, &spans)?;
    let remarks = Remarks::new(text, &spans);
    // They would stand beside the values, as large as these.
    drop(spans);
    let mut reader = Reader {
        parser: parser(text),
        peeked: None,
        remarks,
        lines: Lines::new(text),
        anchors: HashMap::new(),
        values: 0,
        aliased: 0,
        last_line: 0,
        file,
        loader,
        findings: Vec::new(),
    };
    let root = reader.document()?;
    Ok(Read { root, findings: reader.findings })
}

/// The lines, counted from 0, of which it matters where scalars stand: those with a `#` or a tab. `None`: any may matter, because lines end
/// in other ways than these are counted by.
fn lines_that_matter(text: &str) -> Option<Vec<u64>> {
    let is_usual = !text.contains(['\u{85}', '\u{2028}', '\u{2029}'])
        && text.matches('\r').count() == text.matches("\r\n").count();
    let lines = (0..).zip(text.lines()).filter(|(_, line)| line.contains(['#', '\t']));
    is_usual.then(|| lines.map(|(number, _)| number).collect())
}

/// Where scalars stand, on lines on which that matters: a `#` in one of them is no comment.
fn spans(text: &str) -> Result<Vec<Span>, Fault> {
    let lines = lines_that_matter(text);
    let matters = |span: &Span| {
        lines.as_ref().is_none_or(|lines| {
            let first = lines.partition_point(|line| *line < span.from.0);
            lines.get(first).is_some_and(|line| *line <= span.to.0)
        })
    };
    let mut values = 0_usize;
    let mut parser = parser(text);
    let (mut spans, mut depth) = (Vec::new(), 0_usize);
    loop {
        let event = parser.parse().map_err(|error| fault_of(&error))?;
        match event.data {
            EventData::StreamEnd => return Ok(spans),
            EventData::SequenceStart { .. } | EventData::MappingStart { .. } => {
                // Refused as soon as it is met: the parser takes quadratic time for what is nested deeply.
                depth += 1;
                if depth > NESTING_MAX {
                    let reason = format!("it is nested deeper than {NESTING_MAX} levels");
                    return Err(fault(event.start_mark, reason));
                }
            }
            EventData::SequenceEnd | EventData::MappingEnd => depth -= 1,
            EventData::Scalar { style, .. } => {
                values += 1;
                if values > VALUES_MAX {
                    let reason = format!("keys and values up to here are more than {VALUES_MAX}");
                    return Err(fault(event.start_mark, reason));
                }
                let span = Span {
                    // The line of `|` may end with a comment.
                    from: match style {
                        ScalarStyle::Literal | ScalarStyle::Folded => (event.start_mark.line + 1, 0),
                        _ => (event.start_mark.line, event.start_mark.column),
                    },
                    to: (event.end_mark.line, event.end_mark.column),
                    is_plain: style == ScalarStyle::Plain,
                };
                spans.extend(matters(&span).then_some(span));
            }
            _ => {}
        }
    }
}

/// Both loaders take a tab for white space within quotes, blocks and comments only, where libyaml takes it anywhere.
fn refuse_tabs(text: &str, spans: &[Span]) -> Result<(), Fault> {
    if !text.contains('\t') {
        return Ok(());
    }
    let quoted: Vec<Span> = spans.iter().filter(|span| !span.is_plain).copied().collect();
    let mut first = 0;
    for (line, content) in (0..).zip(text.lines()) {
        while quoted.get(first).is_some_and(|span| span.to.0 < line) {
            first += 1;
        }
        let comment = super::remarks::begin(content, line, spans).unwrap_or(u64::MAX);
        for (column, letter) in (0..).zip(content.chars()) {
            let here = (line, column);
            let is_within = || {
                let near = quoted[first..].iter().take_while(|span| span.from.0 <= line);
                near.clone().any(|span| span.from <= here && here < span.to)
            };
            if letter == '\t' && column < comment && !is_within() {
                let place = |count: u64| u32::try_from(count + 1).unwrap_or(u32::MAX);
                let reason = "a tab stands where the loader takes only spaces";
                return Err(Fault::at(place(line), place(column), reason));
            }
        }
    }
    Ok(())
}

fn fault_of(error: &libyaml_safer::Error) -> Fault {
    let mark = error.problem_mark().unwrap_or_default();
    // The library says the place before the reason, and what it was at behind it: ours stands elsewhere.
    let told = error.to_string();
    let told = told.split_once(": line ").map_or(told.as_str(), |(_, rest)| rest);
    let reason = told.split_once(": ").map_or(told, |(_, reason)| reason);
    let reason = reason.split(" (line ").next().unwrap_or(reason).to_owned();
    Fault::at(line_of(mark), column_of(mark), reason)
}

fn line_of(mark: Mark) -> u32 {
    u32::try_from(mark.line + 1).unwrap_or(u32::MAX)
}

fn column_of(mark: Mark) -> u32 {
    u32::try_from(mark.column + 1).unwrap_or(u32::MAX)
}

fn fault(mark: Mark, reason: impl Into<String>) -> Fault {
    Fault::at(line_of(mark), column_of(mark), reason)
}

/// Where each line begins.
struct Lines<'t> {
    text: &'t str,
    starts: Vec<usize>,
}

impl<'t> Lines<'t> {
    fn new(text: &'t str) -> Self {
        let breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1);
        Self { text, starts: std::iter::once(0).chain(breaks).collect() }
    }

    /// What stands between two marks of one line.
    fn between(&self, from: Mark, to: Mark) -> Option<&'t str> {
        let line = usize::try_from(from.line).ok()?;
        if from.line != to.line {
            return None;
        }
        let rest = &self.text[*self.starts.get(line)?..];
        let at = |column: u64| {
            let column = usize::try_from(column).ok()?;
            rest.char_indices().map(|(at, _)| at).chain([rest.len()]).nth(column)
        };
        rest.get(at(from.column)?..at(to.column)?)
    }
}

/// The parser takes what it is given at once, and makes four bytes of each character: it is given a little at a time.
type Pieces<'t> = Parser<BufReader<&'t [u8]>>;

fn parser(text: &str) -> Pieces<'_> {
    let mut parser = Parser::new();
    parser.set_encoding(Encoding::Utf8);
    parser.set_input(BufReader::with_capacity(PIECE_BYTES, text.as_bytes()));
    parser
}

struct Reader<'t> {
    parser: Pieces<'t>,
    peeked: Option<Event>,
    remarks: Remarks,
    lines: Lines<'t>,
    /// What each anchor stands for, and how many values that is; `None` while it is being read.
    anchors: HashMap<String, Option<(Node, usize)>>,
    values: usize,
    /// How many values aliases have stood for.
    aliased: usize,
    /// Where the event ends that was read last, counted from 0.
    last_line: u64,
    file: FileNumber,
    loader: Loader,
    findings: Vec<Finding>,
}

impl Reader<'_> {
    fn next(&mut self) -> Result<Event, Fault> {
        let event = match self.peeked.take() {
            Some(event) => event,
            None => self.parser.parse().map_err(|error| fault_of(&error))?,
        };
        self.last_line = event.end_mark.line;
        Ok(event)
    }

    fn peek(&mut self) -> Result<&Event, Fault> {
        let event = match self.peeked.take() {
            Some(event) => event,
            None => self.parser.parse().map_err(|error| fault_of(&error))?,
        };
        Ok(self.peeked.insert(event))
    }

    fn document(&mut self) -> Result<Node, Fault> {
        self.next()?;
        let event = self.next()?;
        if let (EventData::DocumentStart { version_directive: Some(version), .. }, Loader::Ruamel) =
            (&event.data, self.loader)
            && (version.major, version.minor) != (1, 2)
        {
            let reason =
                format!("it says YAML {}.{}, and is to be read as YAML 1.2", version.major, version.minor);
            return Err(fault(event.start_mark, reason));
        }
        let mut root = if event.data == EventData::StreamEnd {
            Node::new(Value::Null, Origin { file: self.file, line: 0 })
        } else {
            let root = self.value()?;
            self.next()?;
            let event = self.next()?;
            if event.data != EventData::StreamEnd {
                let reason = "a second document begins here, and the loader reads one";
                return Err(fault(event.start_mark, reason));
            }
            root
        };
        let left = self.remarks.rest();
        if !left.is_empty() {
            root.comments_mut().after.extend(left);
        }
        Ok(root)
    }

    fn origin(&self, mark: Mark) -> Origin {
        Origin { file: self.file, line: line_of(mark) }
    }

    fn value(&mut self) -> Result<Node, Fault> {
        let event = self.next()?;
        let at = event.start_mark;
        let before = self.values;
        self.values += 1;
        let anchor = match &event.data {
            EventData::Alias { anchor } => return self.alias(anchor, at),
            EventData::Scalar { anchor, .. }
            | EventData::SequenceStart { anchor, .. }
            | EventData::MappingStart { anchor, .. } => anchor.clone(),
            _ => return Err(fault(at, "a value was expected")),
        };
        if let Some(anchor) = &anchor {
            let is_taken = self.anchors.insert(anchor.clone(), None).is_some();
            if is_taken && self.loader == Loader::PyYaml {
                return Err(fault(at, "its anchor is given a second time"));
            }
        }
        let node = match event.data {
            EventData::SequenceStart { tag, style, .. } => {
                Self::expect_tag(tag.as_deref(), &["seq"], at)?;
                self.list(at, style == SequenceStyle::Flow)?
            }
            EventData::MappingStart { tag, style, .. } => {
                Self::expect_tag(tag.as_deref(), &["map"], at)?;
                self.map(at, style == MappingStyle::Flow)?
            }
            data => self.scalar(data, at, event.end_mark)?,
        };
        if let Some(anchor) = anchor {
            let mut kept = node.clone();
            forget_comments(&mut kept);
            self.anchors.insert(anchor, Some((kept, self.values - before)));
        }
        Ok(node)
    }

    fn alias(&mut self, anchor: &str, at: Mark) -> Result<Node, Fault> {
        match self.anchors.get(anchor) {
            Some(Some((node, values))) => {
                self.aliased = self.aliased.saturating_add(*values);
                if self.aliased > ALIASED_MAX {
                    let reason = format!("the aliases up to here stand for more than {ALIASED_MAX} values");
                    return Err(fault(at, reason));
                }
                self.values += values;
                Ok(node.clone())
            }
            Some(None) => Err(fault(at, "an alias stands inside of what it stands for")),
            None => Err(fault(at, "an alias stands for nothing")),
        }
    }

    /// Collections of other types (`!!set`, `!!omap`, `!custom`, `!!python/…`) are refused: what the program makes of them is its own.
    fn expect_tag(tag: Option<&str>, known: &[&str], at: Mark) -> Result<(), Fault> {
        let Some(tag) = tag.filter(|tag| *tag != "!") else { return Ok(()) };
        match tag.strip_prefix(TAG_PREFIX) {
            Some(suffix) if known.contains(&suffix) => Ok(()),
            _ => Err(fault(at, format!("the tag `{}` is not read here", shown_tag(tag)))),
        }
    }

    fn scalar(&mut self, data: EventData, at: Mark, end: Mark) -> Result<Node, Fault> {
        let EventData::Scalar { value: text, tag, style, .. } = data else {
            return Err(fault(at, "a value was expected"));
        };
        let tag = tag.as_deref();
        let value = match tag {
            None | Some("!") if style == ScalarStyle::Plain => scalar::plain(&text, self.loader),
            None | Some("!") => Ok(Value::Text(text.clone())),
            Some(tag) => match tag.strip_prefix(TAG_PREFIX) {
                Some(suffix) => scalar::tagged(suffix, &text, self.loader),
                None => Err(format!("the tag `{}` is not read here", shown_tag(tag))),
            },
        };
        let style = match style {
            ScalarStyle::SingleQuoted => Style::SingleQuoted,
            ScalarStyle::DoubleQuoted => Style::DoubleQuoted,
            ScalarStyle::Literal | ScalarStyle::Folded => Style::Block,
            // A text without quotes is written without quotes, where that is still a text: its words are kept as its value.
            _ if tag.is_some() || matches!(value, Ok(Value::Text(_))) => Style::Free,
            _ => self.lines.between(at, end).map_or(Style::Free, |raw| Style::Plain(raw.into())),
        };
        let value = value.map_err(|why| fault(at, why))?;
        Ok(Node { value, origin: self.origin(at), style, comments: None })
    }

    fn list(&mut self, at: Mark, is_flow: bool) -> Result<Node, Fault> {
        let mut items = Vec::new();
        loop {
            let event = self.peek()?;
            let begins = event.start_mark;
            if event.data == EventData::SequenceEnd {
                break;
            }
            let mut comments = Comments { before: self.remarks.before(begins.line), ..Comments::default() };
            let mut item = self.value()?;
            comments.behind = self.remarks.on(self.last_line_of(&item, begins));
            attach(&mut item, comments);
            items.push(item);
        }
        self.finish(Value::List(items), at, is_flow)
    }

    fn finish(&mut self, value: Value, at: Mark, is_flow: bool) -> Result<Node, Fault> {
        self.next()?;
        let style = if is_flow { Style::Flow } else { Style::Free };
        Ok(Node { value, origin: self.origin(at), style, comments: None })
    }

    fn map(&mut self, at: Mark, is_flow: bool) -> Result<Node, Fault> {
        let mut own: Vec<Entry> = Vec::new();
        let mut places = Places::default();
        let (mut merged, mut has_merged): (Vec<Entry>, bool) = (Vec::new(), false);
        loop {
            let event = self.peek()?;
            let begins = event.start_mark;
            if event.data == EventData::MappingEnd {
                break;
            }
            let is_merge = matches!(&event.data, EventData::Scalar { value, tag: None, style: ScalarStyle::Plain, .. } if value == "<<");
            let is_value_key = matches!(&event.data, EventData::Scalar { value, tag: None, style: ScalarStyle::Plain, .. } if value == "=");
            let before = self.remarks.before(begins.line);
            if is_merge {
                if std::mem::replace(&mut has_merged, true) && self.loader == Loader::Ruamel {
                    return Err(fault(begins, "the key `<<` stands twice in one map"));
                }
                self.next()?;
                let from = self.value()?;
                let mut comments = Comments { before, ..Comments::default() };
                comments.behind = self.remarks.on(begins.line);
                merged.extend(merge_sources(from, begins, comments)?);
                continue;
            }
            let key = if is_value_key {
                self.next()?;
                Node::new(Value::Text("=".to_owned()), self.origin(begins))
            } else {
                self.value()?
            };
            if key.value.is_collection() {
                return Err(fault(begins, "a key is a collection, which no dictionary can have"));
            }
            let entry = self.entry(key, begins, before)?;
            self.put(&mut own, &mut places, entry, begins)?;
        }
        self.finish(Value::Map(with_merged(own, merged)), at, is_flow)
    }

    fn entry(&mut self, key: Node, begins: Mark, before: Vec<String>) -> Result<Entry, Fault> {
        let mut comments = Comments { before, ..Comments::default() };
        let value_begins = self.peek()?.start_mark.line;
        if value_begins > begins.line {
            // `key:  # this one`, and the value below.
            comments.behind = self.remarks.on(begins.line);
        }
        let mut node = self.value()?;
        let last = self.last_line_of(&node, begins);
        comments.behind.extend(self.remarks.on(begins.line));
        comments.behind.extend(self.remarks.on(last));
        attach(&mut node, comments);
        Ok(Entry { key, node })
    }

    /// The line on which a comment behind a value stands: where it ends, or where it begins if it is a block.
    fn last_line_of(&self, node: &Node, begins: Mark) -> u64 {
        let is_block = match &node.value {
            Value::List(_) | Value::Map(_) => node.style != Style::Flow,
            _ => node.style == Style::Block,
        };
        if is_block { begins.line } else { self.last_line }
    }

    fn put(
        &mut self,
        own: &mut Vec<Entry>,
        places: &mut Places,
        entry: Entry,
        at: Mark,
    ) -> Result<(), Fault> {
        let Some(known) = places.place(own, &entry.key.value) else {
            own.push(entry);
            return Ok(());
        };
        let name = crate::path::words(&entry.key.value);
        if self.loader == Loader::Ruamel {
            return Err(fault(at, format!("the key `{name}` stands twice in one map")));
        }
        self.findings.push(Finding::RepeatedKey {
            name,
            first: own[known].key.origin,
            again: entry.key.origin,
        });
        // A dictionary keeps the first key and the last value.
        let mut node = entry.node;
        let displaced = std::mem::replace(&mut own[known].node, Node::new(Value::Null, entry.key.origin));
        let mut comments = comments_of(displaced);
        if let Some(later) = node.comments.take() {
            comments.before.extend(later.before);
            comments.behind.extend(later.behind);
            comments.after.extend(later.after);
        }
        attach(&mut node, comments);
        own[known].node = node;
        Ok(())
    }
}

/// A tag of the standard, by its name; of others nothing is told, for `!word` may be a password without its quotes.
fn shown_tag(tag: &str) -> String {
    match tag.strip_prefix(TAG_PREFIX) {
        Some(suffix) => format!("!!{suffix}"),
        None => "!…".to_owned(),
    }
}

fn attach(node: &mut Node, comments: Comments) {
    if comments.is_empty() {
        return;
    }
    let own = node.comments_mut();
    own.before.splice(0..0, comments.before);
    own.behind.extend(comments.behind);
    own.after.extend(comments.after);
}

/// What an alias repeats is written again, but its comments stay where they were.
fn forget_comments(node: &mut Node) {
    node.comments = None;
    match &mut node.value {
        Value::List(items) => items.iter_mut().for_each(forget_comments),
        Value::Map(entries) => entries.iter_mut().for_each(|entry| forget_comments(&mut entry.node)),
        _ => {}
    }
}

/// The entries that `<<` brings: of a list, an earlier map wins, so it comes later.
fn merge_sources(from: Node, at: Mark, comments: Comments) -> Result<Vec<Entry>, Fault> {
    let wrong = || fault(at, "what `<<` merges is neither a map nor a list of maps");
    let mut entries = match from.value {
        Value::Map(entries) => entries,
        Value::List(items) => {
            let mut maps = Vec::new();
            for item in items {
                match item.value {
                    Value::Map(entries) => maps.push(entries),
                    _ => return Err(wrong()),
                }
            }
            maps.into_iter().rev().flatten().collect()
        }
        _ => return Err(wrong()),
    };
    if let Some(first) = entries.first_mut() {
        attach(&mut first.node, comments);
    }
    Ok(entries)
}

/// What was merged stands before what a map says itself; whoever says a key last has the say.
fn with_merged(own: Vec<Entry>, merged: Vec<Entry>) -> Vec<Entry> {
    if merged.is_empty() {
        return own;
    }
    let (mut entries, mut places): (Vec<Entry>, Places) = (Vec::new(), Places::default());
    for entry in merged.into_iter().chain(own) {
        match places.place(&entries, &entry.key.value) {
            Some(known) => entries[known].node = entry.node,
            None => entries.push(entry),
        }
    }
    entries
}
