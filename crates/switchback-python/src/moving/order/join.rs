//! Statements of a sorted block that import from one module are one statement again, and its names are in order.

use std::collections::BTreeSet;

use super::block::Block;
use super::key::Way;
use crate::moving::plan::line_end;
use crate::syntax::{Dialect, Facts, Import, Span, parse};

/// The lines of a block, joined and sorted within its statements as the old block was; nothing when they are so already.
pub(super) fn rejoined(
    lines: &[u8],
    (old_facts, old_block): (&Facts, &Block),
    way: &Way<'_>,
    dialect: Dialect,
) -> Option<Vec<u8>> {
    let old: Vec<&Import> =
        old_block.items.iter().filter_map(|item| old_facts.imports.get(item.import)).collect();
    let apart = Apart::of(&old, way);
    let is_rising = old.iter().all(|import| rises(import, way));
    let mut text = lines.to_vec();
    while let Some(next) = step(&text, way, &apart, is_rising, dialect) {
        text = next;
    }
    (text != lines).then_some(text)
}

/// One change; each makes a statement fewer, or one statement more in order.
fn step(text: &[u8], way: &Way<'_>, apart: &Apart, is_rising: bool, dialect: Dialect) -> Option<Vec<u8>> {
    // A block may be indented; on its own it would not parse.
    let facts = parse_lines(text, dialect)?;
    if !way.style.is_single_line {
        let joined = facts.imports.windows(2).find_map(|pair| {
            let [one, other] = pair else { return None };
            if !apart.keeps(one, other) && is_twin(one, other, way) {
                join(text, one, other, way, is_rising)
            } else {
                None
            }
        });
        if joined.is_some() {
            return joined;
        }
    }
    if !is_rising {
        return None;
    }
    facts.imports.iter().find_map(|import| if rises(import, way) { None } else { sorted(text, import, way) })
}

/// What lines of import statements say, indented or not.
fn parse_lines(text: &[u8], dialect: Dialect) -> Option<Facts> {
    let is_indented = text.first().is_some_and(|byte| matches!(byte, b' ' | b'\t'));
    if !is_indented {
        let facts = parse(text, dialect);
        return facts.errors.is_empty().then_some(facts);
    }
    let head = b"if 1:\n";
    let mut whole = head.to_vec();
    whole.extend_from_slice(text);
    let mut facts = parse(&whole, dialect);
    if !facts.errors.is_empty() {
        return None;
    }
    let back = |span: &mut Span| *span = Span::new(span.start - head.len(), span.end - head.len());
    for import in &mut facts.imports {
        back(&mut import.span);
        if let Some(from) = &mut import.from {
            back(&mut from.span);
        }
        for name in &mut import.names {
            back(&mut name.span);
            back(&mut name.name.span);
        }
    }
    Some(facts)
}

/// What the block had several statements of that could have been one: somebody wants them apart, also under a new name.
struct Apart {
    /// The modules, as they were called.
    modules: BTreeSet<(usize, String)>,
    /// The names that each of them is asked for.
    names: Vec<BTreeSet<String>>,
}

impl Apart {
    fn of(imports: &[&Import], way: &Way<'_>) -> Self {
        let pairs = imports
            .iter()
            .enumerate()
            .flat_map(|(at, one)| imports.iter().skip(at + 1).filter(move |other| is_twin(one, other, way)));
        let modules: BTreeSet<(usize, String)> = pairs.filter_map(|import| module(import)).collect();
        let names_of = |wanted: &(usize, String)| {
            let of_module = imports.iter().filter(|import| module(import).as_ref() == Some(wanted));
            of_module.flat_map(|import| &import.names).map(|name| name.name.text.clone()).collect()
        };
        let names = modules.iter().map(names_of).collect();
        Self { modules, names }
    }

    /// Whether two statements from one module stay two.
    fn keeps(&self, one: &Import, other: &Import) -> bool {
        let asks = |import: &Import, names: &BTreeSet<String>| {
            import.names.iter().any(|name| names.contains(&name.name.text))
        };
        module(one).is_none_or(|module| self.modules.contains(&module))
            || self.names.iter().any(|names| asks(one, names) && asks(other, names))
    }
}

/// What a statement imports from: how many dots, and what follows them.
fn module(import: &Import) -> Option<(usize, String)> {
    import.from.as_ref().map(|from| (from.level, from.module.clone()))
}

fn is_twin(one: &Import, other: &Import, way: &Way<'_>) -> bool {
    let same = module(one).zip(module(other));
    let is_open = |import: &Import| {
        import
            .names
            .iter()
            .all(|name| name.name.text != "*" && (way.style.joins_aliases || name.alias.is_none()))
    };
    same.is_some_and(|(one, other)| one == other) && is_open(one) && is_open(other)
}

fn rises(import: &Import, way: &Way<'_>) -> bool {
    import.from.is_none() || import.names.is_sorted_by_key(|name| way.member(name))
}

/// How a statement is laid out.
enum Layout {
    /// All on one line, with what follows: a comment, or nothing.
    Line,
    /// In parentheses, each name on a line of its own.
    Column,
}

fn layout(text: &[u8], import: &Import) -> Option<Layout> {
    let whole = import.span.of(text);
    if !whole.contains(&b'\n') && !whole.contains(&b'(') {
        return Some(Layout::Line);
    }
    let is_column = import.names.iter().all(|name| {
        let line = line_of_name(text, import, name.span);
        line.is_some_and(|line| line.end <= import.span.end)
    });
    is_column.then_some(Layout::Column)
}

/// The line of a name that has it to itself, but for a comma and a comment.
fn line_of_name(text: &[u8], import: &Import, name: Span) -> Option<Span> {
    let before = text.get(..name.start)?;
    let start = before.iter().rposition(|byte| *byte == b'\n').map(|at| at + 1)?;
    let rest = text.get(name.end..)?;
    let length = rest.iter().position(|byte| *byte == b'\n').map(|at| at + 1)?;
    let behind = std::str::from_utf8(rest.get(..length)?).ok()?.trim();
    let behind = behind.strip_prefix(',')?.trim_start();
    let is_alone = start > import.span.start
        && before.get(start..)?.iter().all(u8::is_ascii_whitespace)
        && (behind.is_empty() || behind.starts_with('#'));
    is_alone.then(|| Span::new(start, name.end + length))
}

/// What follows a statement on its last line.
fn behind<'t>(text: &'t [u8], import: &Import) -> &'t [u8] {
    let rest = text.get(import.span.end..).unwrap_or_default();
    let length = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
    rest.get(..length).unwrap_or_default().trim_ascii()
}

/// Two statements as one: the names of the one-line statement are put into the other.
fn join(text: &[u8], one: &Import, other: &Import, way: &Way<'_>, is_rising: bool) -> Option<Vec<u8>> {
    let (one_layout, other_layout) = (layout(text, one)?, layout(text, other)?);
    // The comments between them would have no place.
    let gap = text.get(one.span.end + behind_length(text, one)..line_start(text, other.span.start))?;
    if !gap.trim_ascii().is_empty() {
        return None;
    }
    let gone =
        |import: &Import| Span::new(line_start(text, import.span.start), line_stop(text, import.span.end));
    match (one_layout, other_layout) {
        (Layout::Line, Layout::Line) => {
            if behind(text, one) != behind(text, other) {
                return None;
            }
            let names = merged(text, one, other, way, is_rising);
            let first = one.names.first()?.span.start;
            let last = one.names.last()?.span.end;
            let mut next = text.get(..first)?.to_vec();
            next.extend_from_slice(names.join(", ").as_bytes());
            let tail = text.get(last..line_stop(text, one.span.end))?;
            let head = next.len() - line_start(text, one.span.start);
            let length = head + tail.trim_ascii_end().len();
            if length > way.style.line_letters_max {
                return None;
            }
            next.extend_from_slice(tail);
            next.extend_from_slice(text.get(gone(other).end..)?);
            Some(next)
        }
        (Layout::Column, Layout::Line) => into_column(text, one, other, gone(other), way, is_rising),
        (Layout::Line, Layout::Column) => into_column(text, other, one, gone(one), way, is_rising),
        (Layout::Column, Layout::Column) => None,
    }
}

fn behind_length(text: &[u8], import: &Import) -> usize {
    line_stop(text, import.span.end) - import.span.end
}

fn line_start(text: &[u8], at: usize) -> usize {
    text.get(..at).unwrap_or_default().iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1)
}

/// The end of a line, its line end included.
fn line_stop(text: &[u8], at: usize) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    at + rest.iter().position(|byte| *byte == b'\n').map_or(rest.len(), |length| length + 1)
}

/// The names of both statements, each once, as they are written.
fn merged(text: &[u8], one: &Import, other: &Import, way: &Way<'_>, is_rising: bool) -> Vec<String> {
    let mut names: Vec<_> = one.names.iter().chain(&other.names).collect();
    if is_rising {
        names.sort_by_key(|name| way.member(name));
    }
    let mut written: Vec<String> = Vec::new();
    for name in names {
        let name = String::from_utf8_lossy(name.span.of(text)).into_owned();
        if !written.contains(&name) {
            written.push(name);
        }
    }
    written
}

/// Puts the names of the one-line statement `line` into the statement `column`.
fn into_column(
    text: &[u8],
    column: &Import,
    line: &Import,
    gone: Span,
    way: &Way<'_>,
    is_rising: bool,
) -> Option<Vec<u8>> {
    let comment = behind(text, line);
    if !comment.is_empty() && line.names.len() > 1 {
        return None;
    }
    let first = line_of_name(text, column, column.names.first()?.span)?;
    let indent: Vec<u8> =
        first.of(text).iter().copied().take_while(|byte| matches!(byte, b' ' | b'\t')).collect();
    let mut puts: Vec<(usize, Vec<u8>)> = Vec::new();
    for name in &line.names {
        let is_there = column.names.iter().any(|there| there.span.of(text) == name.span.of(text));
        if is_there {
            continue;
        }
        let above = column.names.iter().rfind(|there| !is_rising || way.member(there) <= way.member(name));
        let place = match above {
            Some(above) => line_of_name(text, column, above.span)?.end,
            None => first.start,
        };
        let mut fresh = indent.clone();
        fresh.extend_from_slice(name.span.of(text));
        fresh.push(b',');
        if !comment.is_empty() {
            fresh.extend_from_slice(b"  ");
            fresh.extend_from_slice(comment);
        }
        fresh.extend_from_slice(line_end(text).as_bytes());
        puts.push((place, fresh));
    }
    puts.sort_by_key(|(place, _)| *place);
    let mut next = Vec::with_capacity(text.len());
    let mut at = 0;
    let mut copy = |next: &mut Vec<u8>, to: usize| {
        // What is gone lies wholly before or behind the statement that takes it in.
        if at <= gone.start && gone.end <= to {
            next.extend_from_slice(text.get(at..gone.start).unwrap_or_default());
            at = gone.end;
        }
        next.extend_from_slice(text.get(at..to).unwrap_or_default());
        at = to;
    };
    for (place, fresh) in puts {
        copy(&mut next, place);
        next.extend_from_slice(&fresh);
    }
    copy(&mut next, text.len());
    Some(next)
}

/// The statement with its names in order, each in the place of another; nothing when comments would lose theirs.
fn sorted(text: &[u8], import: &Import, way: &Way<'_>) -> Option<Vec<u8>> {
    if import.span.of(text).contains(&b'#') {
        return None;
    }
    let mut names: Vec<_> = import.names.iter().collect();
    names.sort_by_key(|name| way.member(name));
    let mut next = Vec::with_capacity(text.len());
    let mut at = 0;
    for (place, name) in import.names.iter().zip(names) {
        next.extend_from_slice(text.get(at..place.span.start)?);
        next.extend_from_slice(name.span.of(text));
        at = place.span.end;
    }
    next.extend_from_slice(text.get(at..)?);
    Some(next)
}
