//! How dotted names are laid out in a file: on one line, split by blanks, or carried over a backslash.

use super::Span;

/// A dotted name as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dotted {
    /// Its names, in order, with their places.
    pub words: Vec<(String, Span)>,
    /// How many dots stand before the first.
    pub level: usize,
    /// Whether nothing but names and dots lies between its ends.
    pub is_tight: bool,
}

/// Reads the dotted name in `span`; nothing when anything but names, dots, blanks and carried lines is there.
pub fn dotted_parts(bytes: &[u8], span: Span) -> Option<Dotted> {
    let slice = bytes.get(span.start..span.end)?;
    let mut found = Dotted { words: Vec::new(), level: 0, is_tight: true };
    let mut at = 0;
    while let Some(byte) = slice.get(at) {
        match byte {
            b'.' => {
                found.level += usize::from(found.words.is_empty());
                at += 1;
            }
            b' ' | b'\t' | b'\x0c' | b'\\' | b'\r' | b'\n' => {
                found.is_tight = false;
                at += 1;
            }
            byte if is_word(*byte) => {
                let length = slice.iter().skip(at).take_while(|byte| is_word(**byte)).count();
                let word = String::from_utf8(slice.get(at..at + length)?.to_vec()).ok()?;
                found.words.push((word, Span::new(span.start + at, span.start + at + length)));
                at += length;
            }
            _ => return None,
        }
    }
    Some(found)
}

/// Whether a byte can be part of a name; every byte beyond ASCII counts as one.
pub(crate) fn is_word(byte: u8) -> bool {
    byte == b'_' || byte.is_ascii_alphanumeric() || !byte.is_ascii()
}

/// Line and column of an offset, both counted from 1; the column in bytes.
pub fn line_of(bytes: &[u8], offset: usize) -> (usize, usize) {
    let before = bytes.get(..offset.min(bytes.len())).unwrap_or_default();
    if memchr::memchr(b'\r', before).is_none() {
        let start = memchr::memrchr(b'\n', before).map_or(0, |at| at + 1);
        return (memchr::memchr_iter(b'\n', before).count() + 1, before.len() - start + 1);
    }
    // `\r` alone ends a line too, as Python has it.
    let is_end = |at: usize, byte: u8| byte == b'\n' || byte == b'\r' && bytes.get(at + 1) != Some(&b'\n');
    let ends = before.iter().enumerate().filter(|(at, byte)| is_end(*at, **byte));
    let (count, start) = ends.fold((0, 0), |(count, _), (at, _)| (count + 1, at + 1));
    (count + 1, before.len() - start + 1)
}
