//! Tar: headers and contents one after the other. Its sizes are what frames it; they cannot lie, but they can be huge.

use std::cell::Cell;
use std::ffi::OsStr;
use std::io::{Read, Result as ReadResult};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::rc::Rc;

use tar::EntryType;

use super::content::Content;
use super::entry::{Entry, EntryKind, Shown, TARGET_BYTES_MAX, inside, place_after, time_ns};
use super::{Refusal, Take};

/// Headers of one entry, long names and extended attributes among them. The reader of the format keeps them in memory.
const HEADER_BYTES_MAX: u64 = 1 << 20;
/// Zeros behind the end mark: tapes are written in blocks, of 10 KiB mostly.
const PADDING_BYTES_MAX: u64 = 64 << 20;
/// Records of an extended header that change what an entry is.
const NAMING: &[&[u8]] = &[b"path", b"linkpath", b"size"];
const SPARSE: &[u8] = b"GNU.sparse.";

/// Reads all entries of a stream of at most `bytes_max` bytes, and that nothing is missing.
pub(super) fn read(reader: Box<dyn Read + Send>, bytes_max: u64, take: &mut Take<'_>) -> Result<(), Refusal> {
    let meter = Rc::new(Meter { whole_bytes: Cell::new(bytes_max), ..Meter::default() });
    let mut archive = tar::Archive::new(Metered { reader, meter: Rc::clone(&meter) });
    let mut last: Option<Vec<u8>> = None;
    let mut entries = archive.entries().map_err(|error| Refusal::damaged("it", &error))?;
    loop {
        meter.allow(HEADER_BYTES_MAX);
        let Some(read) = entries.next() else { break };
        let mut found = read.map_err(|error| Refusal::damaged(&place_after(last.as_deref()), &error))?;
        let name = found.path_bytes().into_owned();
        if found.header().entry_type() == EntryType::XGlobalHeader {
            look_at_records(&mut found, &name, NAMING)?;
            last = Some(name);
            continue;
        }
        look_at_records(&mut found, &name, &[])?;
        let entry = entry(&found, &name)?;
        meter.allow(found.size().saturating_add(HEADER_BYTES_MAX));
        take(&entry, Some(&mut Content::new(&mut found, entry.bytes)))?;
        last = Some(name);
    }
    if meter.is_at_end.get() {
        let place = place_after(last.as_deref());
        return Err(Refusal::Why(format!("it is cut off: {place} is not the end mark of an archive")));
    }
    let mut rest = archive.into_inner();
    rest.meter.allow(PADDING_BYTES_MAX);
    look_behind(&mut rest)
}

/// An entry, from its header and from what stands before it.
fn entry<R: Read>(found: &tar::Entry<'_, R>, name: &[u8]) -> Result<Entry, Refusal> {
    let damaged = |error: &std::io::Error| Refusal::damaged(&format!("entry {}", Shown::new(name)), error);
    let refused = |why: &str| Refusal::Why(format!("entry {} {why}", Shown::new(name)));
    let header = found.header();
    let mode = header.mode().map_err(|error| damaged(&error))?;
    let mtime_ns = time_ns(header.mtime().map_err(|error| damaged(&error))?);
    let target = found.link_name_bytes();
    let target = || match target.as_deref() {
        None | Some([]) => Err(refused("is a link without a target")),
        Some(target) if target.len() as u64 > TARGET_BYTES_MAX => {
            Err(refused("is a link with a target that is too long"))
        }
        Some(target) => Ok(target),
    };
    let is_file_of_old = name.ends_with(b"/");
    let kind = match header.entry_type() {
        EntryType::Directory => EntryKind::Directory,
        EntryType::Symlink => EntryKind::Symlink(Some(PathBuf::from(OsStr::from_bytes(target()?)))),
        EntryType::Link => EntryKind::HardLink(inside(target()?)?),
        // The oldest tapes know no folders but files whose names end in a slash.
        EntryType::Regular | EntryType::Continuous if is_file_of_old && found.size() == 0 => {
            EntryKind::Directory
        }
        EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse if is_file_of_old => {
            return Err(refused("is a file with the name of a folder"));
        }
        EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse => EntryKind::File,
        EntryType::Block | EntryType::Char => return Err(refused("is a device")),
        EntryType::Fifo => return Err(refused("is a named pipe")),
        other => {
            let letter = char::from(other.as_byte()).escape_debug();
            return Err(refused(&format!("is of the kind `{letter}`, which is not known")));
        }
    };
    if kind != EntryKind::File && found.size() > 0 {
        return Err(refused("has content, and is no file"));
    }
    Entry::new(name, kind, found.size(), mode, mtime_ns)
}

/// Looks at the records before an entry: those that cannot be read, that contradict each other, and those of sparse files
/// as newer programs write them, whose content would come out as something else.
fn look_at_records<R: Read>(
    found: &mut tar::Entry<'_, R>,
    name: &[u8],
    forbidden: &[&[u8]],
) -> Result<(), Refusal> {
    let refused = |why: &str| Refusal::Why(format!("entry {} {why}", Shown::new(name)));
    let unreadable = "has an extended header that cannot be read";
    let Some(records) = found.pax_extensions().map_err(|_| refused(unreadable))? else { return Ok(()) };
    let mut seen: Vec<&[u8]> = Vec::new();
    for record in records {
        let record = record.map_err(|_| refused(unreadable))?;
        let key = record.key_bytes();
        if key.starts_with(SPARSE) {
            return Err(refused("is a sparse file of a kind that is not read; pack it without holes"));
        }
        if forbidden.contains(&key) {
            return Err(refused("has a header that gives all entries one name or one size"));
        }
        if NAMING.contains(&key) {
            if seen.contains(&key) {
                return Err(refused("has two names or two sizes in its extended header"));
            }
            seen.push(key);
        }
    }
    Ok(())
}

/// Reads to the end, where compressed archives have their check sum, and finds what would be left out in silence.
fn look_behind(rest: &mut Metered) -> Result<(), Refusal> {
    let mut block = vec![0; 64 << 10];
    loop {
        match rest.read(&mut block) {
            Ok(0) => return Ok(()),
            Ok(count) if block[..count].iter().all(|byte| *byte == 0) => {}
            Ok(_) => {
                return Err(Refusal::why(
                    "something follows its end mark, as where two archives are put together",
                ));
            }
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(Refusal::damaged("its end", &error)),
        }
    }
}

/// How much was read, and how much may be read before something is found.
#[derive(Debug, Default)]
struct Meter {
    /// Until something is found.
    left_bytes: Cell<u64>,
    /// Until the end.
    whole_bytes: Cell<u64>,
    is_at_end: Cell<bool>,
}

impl Meter {
    fn allow(&self, bytes: u64) {
        self.left_bytes.set(bytes);
    }
}

/// A reader that ends in an error rather than in a memory full of headers.
struct Metered {
    reader: Box<dyn Read + Send>,
    meter: Rc<Meter>,
}

impl Read for Metered {
    fn read(&mut self, into: &mut [u8]) -> ReadResult<usize> {
        let count = self.reader.read(into)?;
        if count == 0 && !into.is_empty() {
            self.meter.is_at_end.set(true);
        }
        for bytes in [&self.meter.left_bytes, &self.meter.whole_bytes] {
            let Some(left_bytes) = bytes.get().checked_sub(count as u64) else {
                return Err(std::io::Error::other("its headers, or what pads it, have no end"));
            };
            bytes.set(left_bytes);
        }
        Ok(count)
    }
}
