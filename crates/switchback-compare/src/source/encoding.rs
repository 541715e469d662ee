//! Text in whatever encoding it was written, as UTF-8.

use std::io::Read;
use std::path::Path;

use encoding_rs_io::DecodeReaderBytesBuilder;
use switchback_core::world::Disk;

use crate::error::CompareError;

/// How text without a byte order mark is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// UTF-8, or what the byte order mark says (UTF-8, UTF-16).
    Marked,
    /// Windows-1252, the superset of Latin-1 that gives every byte a meaning: for text that is not UTF-8.
    Windows1252,
}

/// Opens a text file as UTF-8 without a byte order mark. Bytes that are not UTF-8 pass through under [`Encoding::Marked`].
pub(crate) fn open(disk: &dyn Disk, path: &Path, encoding: Encoding) -> Result<Box<dyn Read>, CompareError> {
    let file = disk.open(path)?;
    let chosen = match encoding {
        Encoding::Marked => None,
        Encoding::Windows1252 => Some(encoding_rs::WINDOWS_1252),
    };
    Ok(Box::new(DecodeReaderBytesBuilder::new().encoding(chosen).strip_bom(true).build(file)))
}
