//! Texts of either side, read as far as that makes sense; what was not read says why.

use std::collections::BTreeSet;
use std::path::Path;

use crate::phase::StepError;
use crate::world::{FileKind, World};

/// A longer file is not read as a text.
pub(super) const TEXT_BYTES_MAX: u64 = 8 << 20;

/// The text of a file; empty where the file is not there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Text {
    pub(super) text: String,
    /// Why it was not read, as what is said of the file; then `text` is empty and means nothing.
    pub(super) not_read: Option<&'static str>,
}

impl Text {
    /// A text that was read.
    pub(super) fn of(content: Vec<u8>) -> Self {
        match String::from_utf8(content) {
            Ok(text) => Self { text, not_read: None },
            Err(_) => Self::not("is not UTF-8"),
        }
    }

    /// One that was not.
    pub(super) fn not(why: &'static str) -> Self {
        Self { text: String::new(), not_read: Some(why) }
    }
}

/// Why a larger file is not read.
pub(super) const TOO_LARGE: &str = "is larger than 8 MiB";

/// Reads a file as a text.
pub(super) fn read_text(world: &World, path: Option<&Path>) -> Result<Text, StepError> {
    let Some(path) = path else { return Ok(Text::default()) };
    let disk = world.disk.as_ref();
    Ok(match disk.look(path)? {
        None => Text::default(),
        Some(meta) if meta.kind != FileKind::File => Text::not("is no plain file"),
        Some(meta) if meta.size > TEXT_BYTES_MAX => Text::not(TOO_LARGE),
        Some(_) => Text::of(disk.read(path, TEXT_BYTES_MAX)?),
    })
}

/// The lines of `new` that `old` does not have; comments and empty ones left out.
pub(super) fn added_lines(old: &str, new: &str) -> Vec<String> {
    let known: BTreeSet<&str> = old.lines().map(str::trim).collect();
    let says = |line: &&str| !line.is_empty() && !line.starts_with('#') && !known.contains(line);
    new.lines().map(str::trim).filter(says).map(str::to_owned).collect()
}
