//! Pieces of long values, so that what differs is in them.

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// What stands where something was left out.
pub(crate) const LEFT_OUT: char = '…';

/// How much of what both texts begin with is shown before the place where they part, as a share of the room: one third.
const BEFORE: usize = 3;

/// The columns of a terminal that a text takes. A character of eastern Asia takes two, an accent of its own none.
pub(crate) fn width(text: &str) -> usize {
    text.width()
}

/// The text on at most `width_max` columns; where it is longer, with `…` in its middle, as the ends of names and paths
/// tell most.
pub(crate) fn middle_cut(text: &str, width_max: usize) -> String {
    if is_short(text, width_max) {
        return text.to_owned();
    }
    let room = width_max.saturating_sub(1);
    let head = fitting(text.graphemes(true), room.div_ceil(2));
    let tail = fitting(text.graphemes(true).rev(), room / 2);
    let (start, end) = (head.concat(), tail.into_iter().rev().collect::<String>());
    format!("{start}{LEFT_OUT}{end}")
}

/// How many bytes before the place where two texts part are looked at for each column that is shown.
const BYTES_BEFORE: usize = 64;

/// Pieces of two texts, on at most `width_max` columns each, around the first place where they part. Swapped texts have
/// swapped pieces.
pub(crate) fn around_difference(old: &str, new: &str, width_max: usize) -> (String, String) {
    if old == new {
        return (piece(old, 0, width_max), piece(new, 0, width_max));
    }
    // Texts may be megabytes long: only what is near the place is taken apart into characters.
    let same_bytes = old.bytes().zip(new.bytes()).take_while(|(one, two)| one == two).count();
    let from = old.floor_char_boundary(same_bytes.saturating_sub(BYTES_BEFORE * width_max));
    let (old_rest, new_rest) = (old.get(from..).unwrap_or_default(), new.get(from..).unwrap_or_default());
    let graphemes = old_rest.graphemes(true).zip(new_rest.graphemes(true));
    let same = graphemes.take_while(|(one, two)| one == two).count();
    // Some of what both begin with shows where this is.
    let start = same.saturating_sub(width_max / BEFORE);
    if from == 0 {
        return (piece(old, start, width_max), piece(new, start, width_max));
    }
    (later_piece(old_rest, start, width_max), later_piece(new_rest, start, width_max))
}

/// The part of a text that begins at a character, if the text is too wide to be shown from its start.
fn piece(text: &str, start: usize, width_max: usize) -> String {
    if is_short(text, width_max) {
        return text.to_owned();
    }
    if start > 0 { later_piece(text, start, width_max) } else { first_piece(text, "", width_max) }
}

/// The part of a text that begins at a character, after something that is left out.
fn later_piece(text: &str, start: usize, width_max: usize) -> String {
    let start = text.grapheme_indices(true).nth(start).map_or(text.len(), |(at, _)| at);
    first_piece(text.get(start..).unwrap_or_default(), "…", width_max)
}

/// `before`, and the start of a text, of which no more is measured than is shown.
fn first_piece(text: &str, before: &str, width_max: usize) -> String {
    let rest: Vec<&str> = text.graphemes(true).take(width_max + 1).collect();
    let room = width_max.saturating_sub(width(before));
    let all = fitting(rest.iter().copied(), room);
    if all.len() == rest.len() {
        return format!("{before}{}", all.concat());
    }
    let some = fitting(rest.into_iter(), room.saturating_sub(1));
    format!("{before}{}{LEFT_OUT}", some.concat())
}

/// Whether a text fits on so many columns: no more of it is measured than is needed to tell.
fn is_short(text: &str, width_max: usize) -> bool {
    let mut shown = 0;
    text.graphemes(true).all(|grapheme| {
        shown += width(grapheme);
        shown <= width_max
    })
}

/// The first of the characters, as many as fit on so many columns.
fn fitting<'t>(graphemes: impl Iterator<Item = &'t str>, width_max: usize) -> Vec<&'t str> {
    let mut used = 0;
    graphemes
        .take_while(|grapheme| {
            used += width(grapheme);
            used <= width_max
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_cut_in_their_middle_between_whole_characters() {
        assert_eq!(middle_cut("revenue_total", 13), "revenue_total");
        assert_eq!(middle_cut("revenue_total_2026", 9), "reve…2026");
        assert_eq!(middle_cut("日本語のとても長い名前", 9), "日本…名前");
        // A family is one character of two columns, a letter with two accents one of one.
        let family = "👨\u{200d}👩\u{200d}👧";
        assert_eq!(middle_cut(&format!("{family}{family}e\u{301}\u{323}z"), 4), format!("{family}…z"));
        assert_eq!(middle_cut("e\u{301}e\u{301}", 2), "e\u{301}e\u{301}");
    }

    #[test]
    fn pieces_show_where_long_texts_part() {
        let same = "x".repeat(1000);
        let (old, new) = around_difference(&format!("{same}old{same}"), &format!("{same}new{same}"), 12);
        assert_eq!((old.as_str(), new.as_str()), ("…xxxxoldxxx…", "…xxxxnewxxx…"));
        assert_eq!(around_difference("short", &same, 8), ("short".to_owned(), "xxxxxxx…".to_owned()));
        // The longer one only goes on.
        let (old, new) = around_difference(&same, &format!("{same}!"), 8);
        assert!(new.ends_with('!') && !old.ends_with('!') && old.starts_with('…'), "{old} {new}");
    }
}
