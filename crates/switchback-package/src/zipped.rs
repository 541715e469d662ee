//! Zip, as APPNOTE.TXT 6.3.10 has it: the bytes around the contents. They are written here, and not by a library, because each of
//! them is held against the manifest: another version of a library would write other ones.

use std::io::Read;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::format::{Entry, EntryKind};

const LOCAL: [u8; 4] = *b"PK\x03\x04";
const CENTRAL: [u8; 4] = *b"PK\x01\x02";
const END: [u8; 4] = *b"PK\x05\x06";
const END_64: [u8; 4] = *b"PK\x06\x06";
const LOCATOR_64: [u8; 4] = *b"PK\x06\x07";
/// Names are UTF-8.
const FLAGS: u16 = 0x0800;
const ENCRYPTED: u16 = 0x0001;
const STORED: u16 = 0;
const DEFLATED: u16 = 8;
/// A header before its name.
const LOCAL_BYTES: usize = 30;
/// What an extra field has before its content.
const EXTRA_64: u16 = 1;
const VERSION: u16 = 20;
const VERSION_64: u16 = 45;
const UNIX: u16 = 3 << 8;
/// Stands for a number that is in the extra field.
const BEYOND_32: u32 = u32::MAX;
const BEYOND_16: u16 = u16::MAX;

/// What a zip says about one entry.
#[derive(Debug, Clone)]
pub(crate) struct Member<'a> {
    name: &'a str,
    mode: u32,
    method: u16,
    crc32: u32,
    packed_bytes: u64,
    bytes: u64,
    time: (u16, u16),
}

impl<'a> Member<'a> {
    /// An entry of the manifest.
    pub(crate) fn of(entry: &'a Entry, seconds: u64) -> Self {
        let mode = match entry.kind {
            EntryKind::Link => 0o120_777,
            EntryKind::File if entry.executable => 0o100_755,
            EntryKind::File => 0o100_644,
        };
        Self {
            name: &entry.path,
            mode,
            method: DEFLATED,
            crc32: entry.packed.crc32.unwrap_or_default(),
            packed_bytes: entry.packed.bytes,
            bytes: entry.bytes,
            time: time(seconds),
        }
    }

    /// The manifest, or the statement: as it is, so that both can be read before anything is unpacked.
    pub(crate) fn stored(name: &'a str, content: &[u8], seconds: u64) -> Self {
        let bytes = content.len() as u64;
        let crc32 = crc32fast::hash(content);
        Self { name, mode: 0o100_644, method: STORED, crc32, packed_bytes: bytes, bytes, time: time(seconds) }
    }

    /// The header before its content.
    pub(crate) fn local(&self) -> Vec<u8> {
        let is_large = self.bytes >= u64::from(BEYOND_32) || self.packed_bytes >= u64::from(BEYOND_32);
        let mut extra = Vec::new();
        if is_large {
            // In a local header both sizes are in it, or none.
            put(&mut extra, &[&EXTRA_64.to_le_bytes(), &16_u16.to_le_bytes()]);
            put(&mut extra, &[&self.bytes.to_le_bytes(), &self.packed_bytes.to_le_bytes()]);
        }
        let size = |bytes: u64| if is_large { BEYOND_32 } else { short(bytes) };
        let mut header = Vec::new();
        let version = if is_large { VERSION_64 } else { VERSION };
        put(&mut header, &[&LOCAL, &version.to_le_bytes(), &FLAGS.to_le_bytes(), &self.method.to_le_bytes()]);
        put(&mut header, &[&self.time.0.to_le_bytes(), &self.time.1.to_le_bytes()]);
        put(&mut header, &[&self.crc32.to_le_bytes(), &size(self.packed_bytes).to_le_bytes()]);
        put(&mut header, &[&size(self.bytes).to_le_bytes(), &length(self.name.as_bytes()).to_le_bytes()]);
        put(&mut header, &[&length(&extra).to_le_bytes(), self.name.as_bytes(), &extra]);
        header
    }

    /// Its entry in the directory; `offset`: where its local header is.
    pub(crate) fn central(&self, offset: u64) -> Vec<u8> {
        let numbers = [self.bytes, self.packed_bytes, offset];
        let large = numbers.iter().filter(|number| **number >= u64::from(BEYOND_32));
        let mut extra = Vec::new();
        let content: Vec<u8> = large.flat_map(|number| number.to_le_bytes()).collect();
        if !content.is_empty() {
            put(&mut extra, &[&EXTRA_64.to_le_bytes(), &length(&content).to_le_bytes(), &content]);
        }
        let version = if extra.is_empty() { VERSION } else { VERSION_64 };
        let mut header = Vec::new();
        put(&mut header, &[&CENTRAL, &(UNIX | version).to_le_bytes(), &version.to_le_bytes()]);
        put(&mut header, &[&FLAGS.to_le_bytes(), &self.method.to_le_bytes()]);
        put(&mut header, &[&self.time.0.to_le_bytes(), &self.time.1.to_le_bytes()]);
        put(&mut header, &[&self.crc32.to_le_bytes(), &short(self.packed_bytes).to_le_bytes()]);
        put(&mut header, &[&short(self.bytes).to_le_bytes(), &length(self.name.as_bytes()).to_le_bytes()]);
        // No comment, the first disk, no attributes of its own but those of Unix.
        put(&mut header, &[&length(&extra).to_le_bytes(), &[0; 6], &(self.mode << 16).to_le_bytes()]);
        put(&mut header, &[&short(offset).to_le_bytes(), self.name.as_bytes(), &extra]);
        header
    }
}

/// What ends the archive: so many entries, whose directory of so many bytes begins there.
pub(crate) fn end(entries: u64, directory_bytes: u64, offset: u64) -> Vec<u8> {
    let mut end = Vec::new();
    let is_large = entries >= u64::from(BEYOND_16) || directory_bytes.max(offset) >= u64::from(BEYOND_32);
    if is_large {
        put(&mut end, &[&END_64, &44_u64.to_le_bytes(), &(UNIX | VERSION_64).to_le_bytes()]);
        put(&mut end, &[&VERSION_64.to_le_bytes(), &[0; 8], &entries.to_le_bytes(), &entries.to_le_bytes()]);
        put(&mut end, &[&directory_bytes.to_le_bytes(), &offset.to_le_bytes()]);
        put(
            &mut end,
            &[&LOCATOR_64, &[0; 4], &(offset + directory_bytes).to_le_bytes(), &1_u32.to_le_bytes()],
        );
    }
    let count = u16::try_from(entries).unwrap_or(BEYOND_16).to_le_bytes();
    put(&mut end, &[&END, &[0; 4], &count, &count]);
    put(&mut end, &[&short(directory_bytes).to_le_bytes(), &short(offset).to_le_bytes(), &[0; 2]]);
    end
}

/// What stands at a place where a header or an entry of the directory should.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Stands {
    /// The header of an entry.
    Entry { name: String, is_encrypted: bool },
    /// The directory lists an entry.
    Listed(String),
    /// The end of the directory.
    End,
    /// Something else.
    Other,
}

/// Reads what stands at a place: `begun` was read already, `rest` follows it.
pub(crate) fn stands(begun: &[u8], rest: &mut dyn Read) -> Stands {
    let (name_at, flags_at, lead) = match begun.get(..4) {
        Some(mark) if mark == LOCAL => (26, 6, LOCAL_BYTES),
        Some(mark) if mark == CENTRAL => (28, 8, 46),
        Some(mark) if mark == END || mark == END_64 => return Stands::End,
        _ => return Stands::Other,
    };
    let number = |at: usize| begun.get(at..at + 2).map(|two| u16::from_le_bytes([two[0], two[1]]));
    let (Some(name_bytes), Some(flags)) = (number(name_at), number(flags_at)) else { return Stands::Other };
    let mut name = begun.get(lead..).unwrap_or_default().to_vec();
    let missing = usize::from(name_bytes).saturating_sub(name.len());
    // What cannot be read of it is not shown either.
    drop(rest.take(missing as u64).read_to_end(&mut name));
    name.truncate(usize::from(name_bytes));
    let name = String::from_utf8_lossy(&name).into_owned();
    if lead == LOCAL_BYTES {
        Stands::Entry { name, is_encrypted: flags & ENCRYPTED != 0 }
    } else {
        Stands::Listed(name)
    }
}

/// Reads a stored entry of that name from the front of an archive; its content has at most so many bytes.
pub(crate) fn read_stored(
    reader: &mut dyn Read,
    name: &str,
    bytes_max: u64,
) -> std::io::Result<Option<Vec<u8>>> {
    let mut header = vec![0; LOCAL_BYTES + name.len()];
    reader.read_exact(&mut header)?;
    let size = u64::from(u32::from_le_bytes([header[18], header[19], header[20], header[21]]));
    let is_ours = header[..4] == LOCAL && header[LOCAL_BYTES..] == *name.as_bytes();
    if !is_ours || size > bytes_max {
        return Ok(None);
    }
    let mut content = Vec::new();
    reader.take(size).read_to_end(&mut content)?;
    if (content.len() as u64) < size {
        return Err(std::io::Error::from(std::io::ErrorKind::UnexpectedEof));
    }
    Ok(Some(content))
}

fn put(into: &mut Vec<u8>, fields: &[&[u8]]) {
    for field in fields {
        into.extend_from_slice(field);
    }
}

fn short(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(BEYOND_32)
}

/// Names and extra fields are far shorter: the manifest was looked at.
fn length(field: &[u8]) -> u16 {
    u16::try_from(field.len()).unwrap_or(BEYOND_16)
}

/// Time and date as MS-DOS has them: even seconds of the years 1980 to 2107, without a zone; UTC here.
fn time(seconds: u64) -> (u16, u16) {
    const FIRST: i16 = 1980;
    const LAST: i16 = 2107;
    let civil = i64::try_from(seconds)
        .ok()
        .and_then(|seconds| Timestamp::from_second(seconds).ok())
        .map(|time| time.to_zoned(TimeZone::UTC).datetime())
        .filter(|civil| (FIRST..=LAST).contains(&civil.year()));
    let Some(civil) = civil else { return (0, 1 << 5 | 1) };
    let bits = |number: i8, shift: u32| u16::from(number.unsigned_abs()) << shift;
    let year = (civil.year() - FIRST).unsigned_abs() << 9;
    let clock = bits(civil.hour(), 11) | bits(civil.minute(), 5) | bits(civil.second() / 2, 0);
    (clock, year | bits(civil.month(), 5) | bits(civil.day(), 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_that_of_ms_dos() {
        assert_eq!(time(0), (0, 0x21));
        // 2027-01-01T10:20:30Z.
        assert_eq!(time(1_798_798_830), (10 << 11 | 20 << 5 | 15, 47 << 9 | 1 << 5 | 1));
    }

    #[test]
    fn large_sizes_stand_in_the_extra_field() {
        let mut entry = crate::format::tests::entry("tree/a");
        entry.bytes = 5 << 30;
        let member = Member::of(&entry, 0);
        let local = member.local();
        assert_eq!(local[18..26], [0xff; 8]);
        assert_eq!(local[local.len() - 20..local.len() - 16], [1, 0, 16, 0]);
        let central = member.central(6 << 30);
        assert_eq!(central[central.len() - 20..central.len() - 16], [1, 0, 16, 0]);
        assert_eq!(central[central.len() - 8..], (6_u64 << 30).to_le_bytes());
        assert_eq!(end(3, 100, 200).len(), 22);
        assert_eq!(end(70_000, 100, 200).len(), 56 + 20 + 22);
    }
}
