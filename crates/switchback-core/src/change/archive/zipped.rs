//! Zip: a directory at the end says what is where. It is read entry by entry, never as a whole, and its sizes may lie.

use std::io::Read;

use zip::read::{Config, ZipFileEntry};
use zip::unstable::read::ZipIterable;
use zip::{CompressionMethod, ZipReadOptions};

use super::bounds::check_entries;
use super::content::Content;
use super::entry::{Entry, EntryKind, Shown, TARGET_BYTES_MAX, place_after};
use super::{Refusal, Take};
use crate::world::ReadSeek;

type Reader = Box<dyn ReadSeek + Send>;

const KIND_BITS: u32 = 0o170_000;
const DIRECTORY: u32 = 0o040_000;
const REGULAR: u32 = 0o100_000;
const SYMLINK: u32 = 0o120_000;
/// What every entry of the directory starts with.
const ENTRY_MARK: &[u8; 4] = b"PK\x01\x02";

/// Reads the list of entries, without contents.
pub(super) fn list(reader: Reader, take: &mut Take<'_>) -> Result<(), Refusal> {
    let mut archive = open(reader)?;
    let files = archive.files().map_err(|error| Refusal::damaged("it", &error))?;
    let mut last: Option<Vec<u8>> = None;
    for found in files.by_ref() {
        let found = found.map_err(|error| Refusal::damaged(&place_after(last.as_deref()), &error))?;
        take(&entry(&found)?, None)?;
        last = Some(found.name_raw().to_vec());
    }
    let mut mark = Vec::new();
    let read = files.reader_mut().take(ENTRY_MARK.len() as u64).read_to_end(&mut mark);
    read.map_err(|error| Refusal::damaged(&place_after(last.as_deref()), &error))?;
    if mark == ENTRY_MARK {
        return Err(Refusal::why("its directory has more entries than it says"));
    }
    Ok(())
}

/// Reads all entries with their contents: the directory by one reader, the contents by the other.
pub(super) fn read(directory: Reader, contents: Reader, take: &mut Take<'_>) -> Result<(), Refusal> {
    let mut archive = open(directory)?;
    let options = ZipReadOptions::new();
    let mut files =
        archive.files_with_reader(contents, options).map_err(|error| Refusal::damaged("it", &error))?;
    let mut last: Option<Vec<u8>> = None;
    while let Some(found) = files.next() {
        let mut found = found.map_err(|error| Refusal::damaged(&place_after(last.as_deref()), &error))?;
        last = Some(found.name_raw().to_vec());
        let entry = entry(&found.entry())?;
        take(&entry, Some(&mut Content::new(&mut found, entry.bytes)))?;
    }
    Ok(())
}

fn open(reader: Reader) -> Result<ZipIterable<Reader>, Refusal> {
    let archive =
        ZipIterable::try_new(reader, Config::default()).map_err(|error| Refusal::damaged("it", &error))?;
    check_entries(archive.len() as u64)?;
    Ok(archive)
}

/// An entry, from the directory.
fn entry(found: &ZipFileEntry<'_>) -> Result<Entry, Refusal> {
    let shown = || Shown::new(found.name_raw());
    let refused = |why: &str| Refusal::Why(format!("entry {} {why}", shown()));
    if found.encrypted() {
        return Err(refused("is encrypted"));
    }
    // UTF-8 or, as old programs write it, the code page 437.
    let name = found.name().map_err(|error| Refusal::damaged(&format!("entry {}", shown()), &error))?;
    if name.contains('\\') {
        return Err(refused("has a backslash in its name, where the format has `/`"));
    }
    let mode = found.unix_mode();
    let kind = match mode.unwrap_or(0) & KIND_BITS {
        0 | REGULAR if !name.ends_with('/') => EntryKind::File,
        0 | DIRECTORY | REGULAR => EntryKind::Directory,
        SYMLINK if !name.ends_with('/') => EntryKind::Symlink(None),
        SYMLINK => return Err(refused("is a link with the name of a folder")),
        _ => return Err(refused("is a device or a named pipe")),
    };
    match kind {
        EntryKind::Directory if found.size() > 0 => {
            return Err(refused("is a file with the name of a folder"));
        }
        EntryKind::Symlink(_) if found.size() > TARGET_BYTES_MAX => {
            return Err(refused("is a link with a target that is too long"));
        }
        _ => {}
    }
    if !matches!(found.compression(), CompressionMethod::Stored | CompressionMethod::Deflated) {
        return Err(refused(&format!(
            "is packed by a method that is not read ({}); stored and deflated are",
            found.compression()
        )));
    }
    // The library keeps the bits back that would give the rights of another user; they are to be refused.
    let special =
        if found.system() == zip::System::Unix { found.external_attributes() >> 16 & 0o7000 } else { 0 };
    let mode = mode.unwrap_or(if kind == EntryKind::Directory { 0o755 } else { 0o644 }) | special;
    Entry::new(name.as_bytes(), kind, found.size(), mode, found.last_modified().map_or(0, time_ns))
}

/// The time of an entry, which has no zone; it is taken as UTC, so that unpacking gives the same everywhere.
fn time_ns(time: zip::DateTime) -> i128 {
    let civil = jiff::civil::DateTime::new(
        i16::try_from(time.year()).unwrap_or(1980),
        i8::try_from(time.month()).unwrap_or(1),
        i8::try_from(time.day()).unwrap_or(1),
        i8::try_from(time.hour()).unwrap_or(0),
        i8::try_from(time.minute()).unwrap_or(0),
        i8::try_from(time.second()).unwrap_or(0),
        0,
    );
    let zoned = civil.and_then(|civil| civil.to_zoned(jiff::tz::TimeZone::UTC));
    // A date that does not exist, as some programs write for "unknown".
    zoned.map_or(0, |zoned| zoned.timestamp().as_nanosecond())
}
