//! No secret leaves in a package: what looks like one is named by file and line, never by value.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use super::picture;
use super::shelf::{Item, Shelf};
use crate::phase::redact::Redactor;
use crate::phase::{StepError, Work};
use crate::world::DiskError;

/// A longer line is looked at in parts of this size.
const LINE_BYTES_MAX: u64 = 1 << 20;
/// A zero byte among the first so many makes a file one that is no text.
const BEGINNING_BYTES: usize = 8 << 10;
/// So many places are named.
const NAMED_MAX: usize = 10;

/// Refuses what looks like a secret in anything that is to be packed.
pub(super) fn look(work: &Work<'_>, shelf: &Shelf) -> Result<(), StepError> {
    let allowed = &work.plan().package.allow_secrets;
    let is_allowed = |item: &Item| {
        item.origin.as_ref().is_some_and(|origin| allowed.iter().any(|path| origin.starts_with(path)))
    };
    let mut places = Vec::new();
    for (path, item) in shelf.items.iter().filter(|(_, item)| !is_allowed(item)) {
        let reader = shelf.open(item).map_err(|source| DiskError::new("read", Path::new(path), source))?;
        let line = first_secret(&work.redactor, reader)
            .map_err(|source| DiskError::new("read", Path::new(path), source))?;
        if let Some(line) = line {
            let shown = item.origin.as_ref().map_or(path.clone(), |origin| origin.display().to_string());
            places.push(format!("`{shown}` line {line}"));
        }
    }
    if places.is_empty() {
        return Ok(());
    }
    let more = places.len().saturating_sub(NAMED_MAX);
    places.truncate(NAMED_MAX);
    let more = if more > 0 { format!(" and {more} more files") } else { String::new() };
    Err(StepError::not_now(
        format!("what looks like a secret would go into the package: {}{more}", places.join(", ")),
        "take it out of the candidate; or, if it is none, name the file in `allow_secrets` of `[package]`",
    ))
}

/// The first line, from 1, that holds what looks like a secret.
fn first_secret(redactor: &Redactor, reader: Box<dyn Read + Send>) -> std::io::Result<Option<usize>> {
    let mut reader = BufReader::with_capacity(64 << 10, reader);
    if reader.fill_buf()?.iter().take(BEGINNING_BYTES).any(|byte| *byte == 0) {
        return Ok(None);
    }
    let mut number = 1;
    let mut line = Vec::new();
    let mut is_in_picture = false;
    loop {
        line.clear();
        if reader.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut line)? == 0 {
            return Ok(None);
        }
        let (text, goes_on) = picture::without(&String::from_utf8_lossy(&line), is_in_picture);
        is_in_picture = goes_on && !line.ends_with(b"\n");
        if redactor.clean(&text) != text {
            return Ok(Some(number));
        }
        number += usize::from(line.ends_with(b"\n"));
    }
}
