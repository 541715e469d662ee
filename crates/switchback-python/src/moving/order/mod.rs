//! Import blocks that were in order are in order afterwards; what was in none stays where it is.
//!
//! The order is isort's and ruff's, with the settings of the project. A block counts as sorted when it was so before the
//! move: by those settings, or, where the project says nothing, when it is long enough that this is no accident.

mod block;
mod join;
mod key;
mod style;

pub(crate) use style::Styles;

use block::{Block, Item, blocks};
use key::{Grouping, Way};
use style::Style;

use super::edit::Edit;
use crate::syntax::{Dialect, Facts, Span, parse, parse_at_import};

/// How many statements a block must have to count as sorted where no settings say so.
const UNDECLARED_STATEMENTS_MIN: usize = 3;

/// Why a block that was sorted is not.
pub(crate) const UNSORTED: &str =
    "its imports were sorted and are not any more: in order, modules would import each other in a circle";

/// A file before and after its edits.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sides<'a> {
    /// The bytes before.
    pub(crate) old: &'a [u8],
    /// What they say.
    pub(crate) facts: &'a Facts,
    /// The edits, settled.
    pub(crate) edits: &'a [Edit],
    /// The bytes afterwards.
    pub(crate) new: &'a [u8],
    /// The dialect of both.
    pub(crate) dialect: Dialect,
}

/// A block that was put in order after the edits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ordered {
    /// Where it stood before the edits; nothing where it was another block, with more or fewer statements.
    pub(crate) was: Option<Span>,
    /// Where it stands in the file with its edits made, before any block is put in order.
    span: Span,
    /// What it becomes.
    pub(crate) new: Vec<u8>,
}

/// The blocks that were in order before the edits and are not afterwards, as they become; in the order of the file.
/// `is_own` tells whether the first name of a module is one of the project's, before or after the move.
pub(crate) fn out_of_order(sides: Sides<'_>, style: &Style, is_own: &dyn Fn(&str) -> bool) -> Vec<Ordered> {
    if !sides.facts.errors.is_empty() || sides.facts.imports.len() < 2 {
        return Vec::new();
    }
    let sorted: Vec<(Block, Way<'_>)> = blocks(sides.old, sides.facts)
        .into_iter()
        .filter(|block| touched(block.span(), sides.edits))
        .filter(|block| style.is_declared || block.items.len() >= UNDECLARED_STATEMENTS_MIN)
        .filter_map(|block| {
            let way =
                Way::all(style).into_iter().find(|way| is_sorted(way, sides.facts, &block.items, is_own))?;
            Some((block, way))
        })
        .collect();
    let put_in_order = sorted.iter().filter_map(|(block, way)| {
        let range = after(block.span(), sides.edits);
        in_order(sides.new, range, (sides.facts, block), way, sides.dialect, is_own)
    });
    put_in_order.collect()
}

/// The bytes with these blocks in order.
pub(crate) fn put_in_order(bytes: &[u8], blocks: &[Ordered]) -> Vec<u8> {
    let mut ordered = Vec::with_capacity(bytes.len());
    let mut at = 0;
    for block in blocks {
        ordered.extend_from_slice(bytes.get(at..block.span.start).unwrap_or_default());
        ordered.extend_from_slice(&block.new);
        at = block.span.end;
    }
    ordered.extend_from_slice(bytes.get(at..).unwrap_or_default());
    ordered
}

/// Import statements that begin a new file: in sections, sorted, each module once.
pub(crate) fn in_sections(lines: &str, style: &Style, is_own: &dyn Fn(&str) -> bool) -> String {
    let facts = parse(lines.as_bytes(), Dialect::Module);
    let all = blocks(lines.as_bytes(), &facts);
    let ([block], Some(way)) = (all.as_slice(), Way::all(style).first().copied()) else {
        return lines.to_owned();
    };
    let sorted = arranged(lines.as_bytes(), &facts, block, block, &way, is_own);
    let empty = Block { items: Vec::new() };
    let joined = join::rejoined(&sorted, (&facts, &empty), &way, Dialect::Module).unwrap_or(sorted);
    String::from_utf8(joined).unwrap_or_else(|_| lines.to_owned())
}

fn touched(span: Span, edits: &[Edit]) -> bool {
    edits.iter().any(|edit| edit.span.start >= span.start && edit.span.end <= span.end)
}

/// Where a range lies once the edits are made; what is put in at its ends belongs to it.
fn after(span: Span, edits: &[Edit]) -> Span {
    let mut range = span;
    for edit in edits {
        let (gone, fresh) = (edit.span.end - edit.span.start, edit.new.len());
        if edit.span.end < span.start || (edit.span.end == span.start && gone > 0) {
            range.start = range.start + fresh - gone;
        }
        if edit.span.start <= span.end && edit.span.end <= span.end {
            range.end = range.end + fresh - gone;
        }
    }
    range
}

/// Whether a block is sorted in this way.
fn is_sorted(way: &Way<'_>, facts: &Facts, items: &[Item], is_own: &dyn Fn(&str) -> bool) -> bool {
    let mut last = None;
    for item in items {
        let Some(import) = facts.imports.get(item.import) else { return false };
        let class = if way.grouping == Grouping::Plain { 0 } else { way.class(import, is_own) };
        let key = way.key(import);
        let kind = import.from.is_some();
        if let Some((last_class, last_key, last_kind)) = &last {
            let is_split = item.blanks > 0;
            let is_new_kind = way.style.blank_between_kinds && !way.is_mixed && kind != *last_kind;
            let is_rising = (last_class, last_key) <= (&class, &key);
            let is_right = match way.grouping {
                Grouping::Sections => is_rising && is_split == (*last_class != class || is_new_kind),
                Grouping::Classed | Grouping::Plain => is_split || is_rising,
            };
            if !is_right {
                return false;
            }
        }
        last = Some((class, key, kind));
    }
    true
}

/// The block in `range`, sorted; nothing when it is, or is no single block any more.
fn in_order(
    bytes: &[u8],
    range: Span,
    (old_facts, old_block): (&Facts, &Block),
    way: &Way<'_>,
    dialect: Dialect,
    is_own: &dyn Fn(&str) -> bool,
) -> Option<Ordered> {
    // What a block of the module itself says can be told without the bodies of functions.
    let is_late = |item: &Item| old_facts.imports.get(item.import).is_none_or(|import| import.is_late);
    let is_in_function = old_block.items.iter().any(is_late);
    let facts = if is_in_function { parse(bytes, dialect) } else { parse_at_import(bytes, dialect) };
    if !facts.errors.is_empty() {
        return None;
    }
    let all = blocks(bytes, &facts);
    let within = |block: &&Block| {
        let span = block.span();
        span.start < range.end && range.start < span.end
    };
    let found: Vec<&Block> = all.iter().filter(within).collect();
    let [block] = found.as_slice() else { return None };
    let arranged = arranged(bytes, &facts, block, old_block, way, is_own);
    let rejoined = join::rejoined(&arranged, (old_facts, old_block), way, dialect);
    let new = rejoined.unwrap_or(arranged);
    let span = block.span();
    let was = (span == range).then(|| old_block.span());
    (new != span.of(bytes)).then_some(Ordered { was, span, new })
}

/// The lines of a block in order.
fn arranged(
    bytes: &[u8],
    facts: &Facts,
    block: &Block,
    old: &Block,
    way: &Way<'_>,
    is_own: &dyn Fn(&str) -> bool,
) -> Vec<u8> {
    if is_sorted(way, facts, &block.items, is_own) {
        return block.span().of(bytes).to_vec();
    }
    let mut group = 0;
    let mut heads = vec![0];
    let mut lines: Vec<_> = block
        .items
        .iter()
        .filter_map(|item| {
            let import = facts.imports.get(item.import)?;
            if item.blanks > 0 && way.grouping != Grouping::Sections {
                group += 1;
                heads.push(item.blanks);
            }
            let class = if way.grouping == Grouping::Plain { 0 } else { way.class(import, is_own) };
            Some(((group, class, way.key(import)), import.from.is_some(), item.lines))
        })
        .collect();
    lines.sort_by(|one, other| one.0.cmp(&other.0));
    let blank = old.items.iter().map(|item| item.blanks).find(|blanks| *blanks > 0).unwrap_or(1);
    let line_end = crate::moving::plan::line_end(bytes);
    let mut text = Vec::new();
    let mut last: Option<((usize, u8), bool)> = None;
    for ((group, class, _), is_from, span) in lines {
        let blanks = match last {
            Some(((last_group, _), _)) if last_group != group => heads.get(group).copied().unwrap_or(1),
            Some(((_, last_class), last_from)) if way.grouping == Grouping::Sections => {
                let is_new_kind = way.style.blank_between_kinds && !way.is_mixed && last_from != is_from;
                if last_class != class || is_new_kind { blank } else { 0 }
            }
            _ => 0,
        };
        for _ in 0..blanks {
            text.extend_from_slice(line_end.as_bytes());
        }
        text.extend_from_slice(span.of(bytes));
        // The last line of a file may have no end.
        if text.last() != Some(&b'\n') {
            text.extend_from_slice(line_end.as_bytes());
        }
        last = Some(((group, class), is_from));
    }
    if block.span().of(bytes).last() != Some(&b'\n') {
        text.truncate(text.len() - line_end.len());
    }
    text
}
