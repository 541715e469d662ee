//! Texts of either side, read as far as that makes sense.

use std::collections::BTreeSet;
use std::path::Path;

use crate::phase::StepError;
use crate::world::{FileKind, World};

/// A longer file is not read as a text.
pub(super) const TEXT_BYTES_MAX: u64 = 8 << 20;
/// So many lines of one file are named.
pub(super) const LINES_MAX: usize = 200;

/// The text of a file; empty where it is not there, is no file, or no text.
pub(super) fn read_text(world: &World, path: Option<&Path>) -> Result<String, StepError> {
    let Some(path) = path else { return Ok(String::new()) };
    let disk = world.disk.as_ref();
    match disk.look(path)? {
        Some(meta) if meta.kind == FileKind::File && meta.size <= TEXT_BYTES_MAX => {
            Ok(String::from_utf8(disk.read(path, TEXT_BYTES_MAX)?).unwrap_or_default())
        }
        _ => Ok(String::new()),
    }
}

/// The lines of `new` that `old` does not have; comments and empty ones left out.
pub(super) fn added_lines(old: &str, new: &str) -> Vec<String> {
    let known: BTreeSet<&str> = old.lines().map(str::trim).collect();
    let says = |line: &&str| !line.is_empty() && !line.starts_with('#') && !known.contains(line);
    new.lines().map(str::trim).filter(says).take(LINES_MAX).map(str::to_owned).collect()
}
