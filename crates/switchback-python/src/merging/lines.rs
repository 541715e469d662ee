//! Three texts become one, line by line, the way `diff3` does it; conflicts are as tight as they can be.

use std::ops::Range;

use imara_diff::{Algorithm, Diff, InternedInput};

/// A stretch of a merged text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Piece {
    /// What both sides come to.
    Text(Vec<u8>),
    /// What they do not agree on.
    Clash(Clash),
}

/// Two versions of one stretch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Clash {
    /// What it was; nothing when no ancestor is known.
    pub(crate) base: Option<Vec<u8>>,
    /// What the source says.
    pub(crate) source: Vec<u8>,
    /// What the target says.
    pub(crate) target: Vec<u8>,
    /// The definition that it lies in, dotted; empty at the top of a file.
    pub(crate) definition: String,
}

/// A stretch that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Hunk {
    /// Where in the old sequence.
    old: Range<usize>,
    /// Where in the new one.
    new: Range<usize>,
}

/// The lines of a text, line ends included.
pub(crate) fn lines(text: &[u8]) -> Vec<&[u8]> {
    text.split_inclusive(|byte| *byte == b'\n').collect()
}

/// What differs between two sequences of lines, in order: as `git` finds it.
fn hunks(old: &[&[u8]], new: &[&[u8]]) -> Vec<Hunk> {
    let mut input: InternedInput<&[u8]> = InternedInput::default();
    input.update_before(old.iter().copied());
    input.update_after(new.iter().copied());
    let mut diff = Diff::compute(Algorithm::Histogram, &input);
    diff.postprocess_lines(&input);
    let wide = |range: &Range<u32>| range.start as usize..range.end as usize;
    diff.hunks().map(|hunk| Hunk { old: wide(&hunk.before), new: wide(&hunk.after) }).collect()
}

/// Merges two texts that come from `base`.
pub(crate) fn merge(base: &[u8], source: &[u8], target: &[u8]) -> Vec<Piece> {
    let (base, source, target) = (lines(base), lines(source), lines(target));
    let mut by_source = hunks(&base, &source).into_iter().peekable();
    let mut by_target = hunks(&base, &target).into_iter().peekable();
    let mut pieces = Vec::new();
    let mut at = 0;
    loop {
        let start = match (by_source.peek(), by_target.peek()) {
            (Some(one), Some(other)) => one.old.start.min(other.old.start),
            (Some(one), None) | (None, Some(one)) => one.old.start,
            (None, None) => break,
        };
        let mut group = Group { base: start..start, source: Vec::new(), target: Vec::new() };
        loop {
            // Stretches that touch are one, as in git; those of one side never touch each other.
            if let Some(hunk) = by_source.next_if(|hunk| hunk.old.start <= group.base.end) {
                group.base.end = group.base.end.max(hunk.old.end);
                group.source.push(hunk);
            } else if let Some(hunk) = by_target.next_if(|hunk| hunk.old.start <= group.base.end) {
                group.base.end = group.base.end.max(hunk.old.end);
                group.target.push(hunk);
            } else {
                break;
            }
        }
        push_text(&mut pieces, &joined(&base, at..group.base.start));
        at = group.base.end;
        let new = |hunks: &[Hunk], side: &[&[u8]]| joined(side, reach(hunks, &group.base));
        if group.source.is_empty() {
            push_text(&mut pieces, &new(&group.target, &target));
        } else if group.target.is_empty() {
            push_text(&mut pieces, &new(&group.source, &source));
        } else {
            let (source, target) = (new(&group.source, &source), new(&group.target, &target));
            settle(&mut pieces, Some(joined(&base, group.base.clone())), &source, &target);
        }
    }
    push_text(&mut pieces, &joined(&base, at..base.len()));
    pieces
}

/// Compares two texts of which no ancestor is known: what differs is in conflict.
pub(crate) fn compare(source: &[u8], target: &[u8]) -> Vec<Piece> {
    let (source, target) = (lines(source), lines(target));
    let mut pieces = Vec::new();
    let mut at = 0;
    for hunk in hunks(&source, &target) {
        push_text(&mut pieces, &joined(&source, at..hunk.old.start));
        at = hunk.old.end;
        settle(&mut pieces, None, &joined(&source, hunk.old), &joined(&target, hunk.new));
    }
    push_text(&mut pieces, &joined(&source, at..source.len()));
    pieces
}

/// One stretch in conflict, without the lines at its ends that both sides have.
pub(super) fn settle(pieces: &mut Vec<Piece>, base: Option<Vec<u8>>, source: &[u8], target: &[u8]) {
    let (one, other) = (lines(source), lines(target));
    let before = one.iter().zip(&other).take_while(|(one, other)| one == other).count();
    let rest = one.len().min(other.len()) - before;
    let after =
        one.iter().rev().zip(other.iter().rev()).take(rest).take_while(|(one, other)| one == other).count();
    push_text(pieces, &joined(&one, 0..before));
    let (source, target) =
        (joined(&one, before..one.len() - after), joined(&other, before..other.len() - after));
    if !(source.is_empty() && target.is_empty()) {
        pieces.push(Piece::Clash(Clash { base, source, target, definition: String::new() }));
    }
    push_text(pieces, &joined(&one, one.len() - after..one.len()));
}

/// Adds text, to the last piece where that is text.
pub(super) fn push_text(pieces: &mut Vec<Piece>, text: &[u8]) {
    if text.is_empty() {
        return;
    }
    if let Some(Piece::Text(last)) = pieces.last_mut() {
        last.extend_from_slice(text);
    } else {
        pieces.push(Piece::Text(text.to_vec()));
    }
}

/// How many stretches are in conflict.
pub(crate) fn clashes(pieces: &[Piece]) -> usize {
    pieces.iter().filter(|piece| matches!(piece, Piece::Clash(_))).count()
}

struct Group {
    base: Range<usize>,
    source: Vec<Hunk>,
    target: Vec<Hunk>,
}

fn joined(lines: &[&[u8]], range: Range<usize>) -> Vec<u8> {
    lines.get(range).unwrap_or_default().concat()
}

/// The lines of one side that stand for a stretch of the base.
fn reach(hunks: &[Hunk], base: &Range<usize>) -> Range<usize> {
    match (hunks.first(), hunks.last()) {
        (Some(first), Some(last)) => {
            first.new.start - (first.old.start - base.start)..last.new.end + (base.end - last.old.end)
        }
        _ => 0..0,
    }
}

/// The text without conflicts; nothing when there is one.
pub(crate) fn clean(pieces: &[Piece]) -> Option<Vec<u8>> {
    let mut text = Vec::new();
    for piece in pieces {
        match piece {
            Piece::Text(part) => text.extend_from_slice(part),
            Piece::Clash(_) => return None,
        }
    }
    Some(text)
}

/// The names of the sides in markers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Labels {
    /// The source.
    pub source: String,
    /// The target.
    pub target: String,
    /// Their ancestor.
    pub base: String,
}

/// The text with conflicts as git writes them.
pub(crate) fn marked(pieces: &[Piece], labels: &Labels) -> Vec<u8> {
    let is_crlf = pieces.iter().any(|piece| match piece {
        Piece::Text(text) => text.windows(2).any(|two| two == b"\r\n"),
        Piece::Clash(clash) => clash.source.ends_with(b"\r\n") && clash.target.ends_with(b"\r\n"),
    });
    let line_end = if is_crlf { "\r\n" } else { "\n" };
    let mut text = Vec::new();
    let whole_line = |text: &mut Vec<u8>, part: &[u8]| {
        text.extend_from_slice(part);
        if !part.is_empty() && !part.ends_with(b"\n") {
            text.extend_from_slice(line_end.as_bytes());
        }
    };
    for piece in pieces {
        match piece {
            Piece::Text(part) => text.extend_from_slice(part),
            Piece::Clash(clash) => {
                text.extend_from_slice(format!("<<<<<<< {}{line_end}", labels.target).as_bytes());
                whole_line(&mut text, &clash.target);
                if let Some(base) = &clash.base {
                    text.extend_from_slice(format!("||||||| {}{line_end}", labels.base).as_bytes());
                    whole_line(&mut text, base);
                }
                text.extend_from_slice(format!("======={line_end}").as_bytes());
                whole_line(&mut text, &clash.source);
                text.extend_from_slice(format!(">>>>>>> {}{line_end}", labels.source).as_bytes());
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn merged(base: &str, source: &str, target: &str) -> String {
        let labels = Labels { source: "s".into(), target: "t".into(), base: "b".into() };
        String::from_utf8(marked(&merge(base.as_bytes(), source.as_bytes(), target.as_bytes()), &labels))
            .unwrap()
    }

    #[test]
    fn changes_apart_meet_and_changes_that_touch_do_not() {
        assert_eq!(merged("a\nb\nc\n", "A\nb\nc\n", "a\nb\nC\n"), "A\nb\nC\n");
        assert_eq!(
            merged("a\nb\nc\n", "A\nb\nc\n", "a\nB\nc\n"),
            "<<<<<<< t\na\nB\n||||||| b\na\nb\n=======\nA\nb\n>>>>>>> s\nc\n"
        );
    }

    #[test]
    fn what_both_did_is_done_once_and_what_they_share_at_the_ends_is_no_conflict() {
        assert_eq!(merged("a\n", "a\nx\n", "a\nx\n"), "a\nx\n");
        assert_eq!(
            merged("a\nz\n", "a\nx\n1\ny\nz\n", "a\nx\n2\ny\nz\n"),
            "a\nx\n<<<<<<< t\n2\n||||||| b\n=======\n1\n>>>>>>> s\ny\nz\n"
        );
    }

    #[test]
    fn a_last_line_without_an_end_keeps_the_markers_on_lines_of_their_own() {
        assert_eq!(merged("a", "b", "c"), "<<<<<<< t\nc\n||||||| b\na\n=======\nb\n>>>>>>> s\n");
        assert_eq!(merged("a\nb\nc", "a\nb\nc", "A\nb\nc"), "A\nb\nc");
    }

    #[test]
    fn without_an_ancestor_every_difference_is_in_conflict() {
        let pieces = compare(b"a\n1\nc\nd\n", b"a\n2\nc\n");
        assert_eq!(clashes(&pieces), 2);
        assert_eq!(clean(&compare(b"a\n", b"a\n")).unwrap(), b"a\n");
    }
}
