//! Blocks of import statements: what stands together, line by line, with the comments that go along.

use crate::syntax::{Facts, Import, Span};

/// One statement of a block, with the comments above it and the one behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Item {
    /// The statement: an index into [`Facts::imports`].
    pub(super) import: usize,
    /// Its lines, line end included.
    pub(super) lines: Span,
    /// How many blank lines stand above.
    pub(super) blanks: usize,
}

/// Import statements with nothing but blank lines and comments between them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Block {
    /// Its statements, in order; never none.
    pub(super) items: Vec<Item>,
}

impl Block {
    /// From the first line to the last.
    pub(super) fn span(&self) -> Span {
        let start = self.items.first().map_or(0, |item| item.lines.start);
        Span::new(start, self.items.last().map_or(start, |item| item.lines.end))
    }
}

/// What says that a tool, or a person, has set the order by hand.
const HANDS_OFF: &[&str] = &["isort:", "I001", "ruff: noqa", "flake8: noqa"];

/// The blocks of a file. Statements that share their line with others belong to none.
pub(super) fn blocks(bytes: &[u8], facts: &Facts) -> Vec<Block> {
    let mut found: Vec<Block> = Vec::new();
    let mut open: Vec<Item> = Vec::new();
    let mut indent: &[u8] = b"";
    let mut end = 0;
    for (at, import) in facts.imports.iter().enumerate() {
        let Some((blanks_before, lines)) = whole_lines(bytes, import) else {
            found.extend(closed(&mut open));
            end = import.span.end;
            continue;
        };
        let gap = open.last().and_then(|last| between(bytes, last.lines.end, lines.start));
        let item = match gap {
            Some((blanks, start)) if blanks_before == indent => {
                Item { import: at, lines: Span::new(start, lines.end), blanks }
            }
            _ => {
                found.extend(closed(&mut open));
                let start = attached(bytes, end, lines.start);
                Item { import: at, lines: Span::new(start, lines.end), blanks: 0 }
            }
        };
        indent = blanks_before;
        end = lines.end;
        open.push(item);
    }
    found.extend(closed(&mut open));
    found.retain(|block| {
        let text = String::from_utf8_lossy(block.span().of(bytes));
        !HANDS_OFF.iter().any(|word| text.contains(word))
    });
    found
}

fn closed(open: &mut Vec<Item>) -> Option<Block> {
    (!open.is_empty()).then(|| Block { items: std::mem::take(open) })
}

/// The indentation and the lines of a statement that has them to itself.
fn whole_lines<'b>(bytes: &'b [u8], import: &Import) -> Option<(&'b [u8], Span)> {
    let before = bytes.get(..import.span.start)?;
    let start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let indent = before.get(start..)?;
    let rest = bytes.get(import.span.end..)?;
    let length = rest.iter().position(|byte| *byte == b'\n').map_or(rest.len(), |at| at + 1);
    let behind = std::str::from_utf8(rest.get(..length)?).ok()?.trim();
    let is_alone = indent.iter().all(|byte| matches!(byte, b' ' | b'\t'))
        && (behind.is_empty() || behind.starts_with('#'));
    is_alone.then(|| (indent, Span::new(start, import.span.end + length)))
}

/// How many blank lines lie above what stands between two statements, and where that begins; nothing when it is code.
fn between(bytes: &[u8], from: usize, to: usize) -> Option<(usize, usize)> {
    let mut blanks = 0;
    let mut start = to;
    let mut at = from;
    for line in Span::new(from, to).of(bytes).split_inclusive(|byte| *byte == b'\n') {
        let bare = line.trim_ascii();
        if bare.is_empty() {
            blanks += usize::from(start == to);
        } else if bare.starts_with(b"#") {
            start = start.min(at);
        } else {
            return None;
        }
        at += line.len();
    }
    (from <= to).then_some((blanks, start))
}

/// Where the comments begin that stand right above the first statement of a block. What begins the file stays there.
fn attached(bytes: &[u8], from: usize, to: usize) -> usize {
    let above = Span::new(from, to).of(bytes);
    let mut start = to;
    for line in above.split_inclusive(|byte| *byte == b'\n').rev() {
        if !line.trim_ascii_start().starts_with(b"#") {
            break;
        }
        start -= line.len();
    }
    let is_head = bytes.get(..start).unwrap_or_default().split(|byte| *byte == b'\n').all(|line| {
        let bare = line.trim_ascii();
        bare.is_empty() || bare.starts_with(b"#") || bare == b"\xef\xbb\xbf"
    });
    if is_head { to } else { start }
}
