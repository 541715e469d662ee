//! No secret leaves in a package: what looks like one is named by file and line, never by value.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use encoding_rs_io::DecodeReaderBytesBuilder;

use super::picture;
use super::shelf::{Item, Shelf};
use crate::phase::redact::Redactor;
use crate::phase::{StepError, Work};
use crate::world::DiskError;

/// A longer line is looked at in parts of this size.
const LINE_BYTES_MAX: u64 = 1 << 20;
/// A zero byte among the first so many makes a file one that is no text.
const BEGINNING_BYTES: usize = 8 << 10;
/// So much of the end of a part is looked at once more with the next part of its line: a secret may stand across the cut.
const OVERLAP_BYTES: usize = 4 << 10;
/// So many places are named.
const NAMED_MAX: usize = 10;

/// What one content came to.
enum Found {
    Nothing,
    /// The first line, from 1, that holds what looks like a secret.
    Line(usize),
    /// It was not looked at.
    NoText,
}

/// Refuses what looks like a secret in anything that is to be packed. Returns how many files are no text, and were not looked at.
pub(super) fn look(work: &Work<'_>, shelf: &Shelf) -> Result<u64, StepError> {
    let allowed = &work.plan().package.allow_secrets;
    let is_allowed = |item: &Item| {
        item.origin.as_ref().is_some_and(|origin| allowed.iter().any(|path| origin.starts_with(path)))
    };
    let (mut places, mut not_searched) = (Vec::new(), 0);
    for (path, item) in shelf.items.iter().filter(|(_, item)| !is_allowed(item)) {
        let reader = shelf.open(item).map_err(|source| DiskError::new("read", Path::new(path), source))?;
        let found = first_secret(&work.redactor, reader)
            .map_err(|source| DiskError::new("read", Path::new(path), source))?;
        let shown = item.origin.as_ref().map_or(path.clone(), |origin| origin.display().to_string());
        // A link has no content, and its target is a text like any other.
        if item.draft.target.as_ref().is_some_and(|target| work.redactor.clean(target) != *target) {
            places.push(format!("`{shown}`, in what the link leads to"));
        }
        match found {
            Found::Nothing => {}
            Found::Line(line) => places.push(format!("`{shown}` line {line}")),
            Found::NoText => not_searched += 1,
        }
    }
    if places.is_empty() {
        return Ok(not_searched);
    }
    let more = places.len().saturating_sub(NAMED_MAX);
    places.truncate(NAMED_MAX);
    let more = if more > 0 { format!(" and {more} more files") } else { String::new() };
    Err(StepError::not_now(
        format!("what looks like a secret would go into the package: {}{more}", places.join(", ")),
        "take it out of the candidate; or, if it is none, name the file in `allow_secrets` of `[package]`",
    ))
}

fn first_secret(redactor: &Redactor, reader: Box<dyn Read + Send>) -> std::io::Result<Found> {
    // UTF-16 that says so with its first two bytes is text like any other; what has no such mark stays as it is.
    let reader = DecodeReaderBytesBuilder::new().strip_bom(true).build(reader);
    let mut reader = BufReader::with_capacity(64 << 10, reader);
    if reader.fill_buf()?.iter().take(BEGINNING_BYTES).any(|byte| *byte == 0) {
        return Ok(Found::NoText);
    }
    let mut number = 1;
    let mut line = Vec::new();
    let mut before = String::new();
    let mut is_in_picture = false;
    loop {
        line.clear();
        if reader.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut line)? == 0 {
            return Ok(Found::Nothing);
        }
        let (text, goes_on) = picture::without(&String::from_utf8_lossy(&line), is_in_picture);
        let is_whole = line.ends_with(b"\n");
        is_in_picture = goes_on && !is_whole;
        let text = if before.is_empty() { text } else { format!("{before}{text}") };
        if redactor.clean(&text) != text {
            return Ok(Found::Line(number));
        }
        before.clear();
        if !is_whole {
            before.push_str(end_of(&text));
        }
        number += usize::from(is_whole);
    }
}

/// The last bytes of a part, from where a word of it begins.
fn end_of(text: &str) -> &str {
    let mut from = text.len().saturating_sub(OVERLAP_BYTES);
    while !text.is_char_boundary(from) {
        from += 1;
    }
    let end = &text[from..];
    // A piece of a word could look like another one, as `pass=` within `compass=`.
    let word = end.find(|letter: char| !letter.is_alphanumeric() && !"-_".contains(letter));
    if from == 0 { end } else { &end[word.unwrap_or(0)..] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_part_begins_with_a_whole_word() {
        assert_eq!(end_of("short = 1"), "short = 1");
        let text = format!("{} compass=\u{e9} {}", "a".repeat(100), "b".repeat(OVERLAP_BYTES - 8));
        let end = end_of(&text);
        assert!(end.len() <= OVERLAP_BYTES && end.starts_with('=') && text.ends_with(end), "{}", &end[..10]);
        assert_eq!(end_of(&"b".repeat(2 * OVERLAP_BYTES)).len(), OVERLAP_BYTES);
    }
}
