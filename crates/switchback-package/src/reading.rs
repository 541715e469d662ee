//! A package held against its manifest, byte by byte. Nothing is written, and no more than a block of it is in memory.

use std::io::{BufRead, BufReader, Read, Result as ReadResult, Seek, SeekFrom};

use flate2::bufread::DeflateDecoder;

use crate::format::{Entry, Form};
pub use crate::front::{Front, open};
use crate::layout::{Layout, Part, Place};
use crate::packing::{Summed, Sums, Told, Wrapping};
use crate::writing::in_stream_bytes;
use crate::zipped::Stands;
use crate::{MANIFEST, PackageError, STATEMENT, shown, taped, zipped};

/// After so many faults nobody looks further.
const FAULTS_MAX: usize = 20;
const BLOCK_BYTES: usize = 64 << 10;

/// What does not agree with the manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The entry, or the part of the archive.
    pub place: String,
    /// What is wrong with it.
    pub what: String,
}

impl std::fmt::Display for Fault {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}: {}", self.place, self.what)
    }
}

/// Holds every byte of a package against its manifest; no faults: each is what it should be. Where a part stands in another's place
/// it ends with that.
///
/// # Errors
///
/// When it cannot be read.
pub fn walk<R: Read + Seek>(reader: &mut R, front: &Front) -> Result<Vec<Fault>, PackageError> {
    let layout = Layout::new(&front.manifest, &front.text, &front.statement)?;
    let end = reader.seek(SeekFrom::End(0))?;
    reader.seek(SeekFrom::Start(0))?;
    let reader = BufReader::with_capacity(BLOCK_BYTES, reader);
    let mut walk = Walk { reader, layout: &layout, at: 0, end, faults: Vec::new() };
    let mut number = 0;
    while let Some(part) = layout.part(number)? {
        number += 1;
        let goes_on = match part {
            Part::Fixed(place, bytes) => walk.fixed(place, &bytes)?,
            Part::Packed(at) => walk.packed(at)?,
        };
        if !goes_on || walk.faults.len() >= FAULTS_MAX {
            return Ok(walk.faults);
        }
    }
    let behind = end - walk.at;
    if behind > 0 {
        walk.fault("the archive".to_owned(), format!("{behind} bytes follow its end"));
    }
    Ok(walk.faults)
}

/// The content of one entry, which has at most so many bytes. `None`: there is none of that path, or it is larger, or another one.
///
/// # Errors
///
/// When it cannot be read.
pub fn content<R: Read + Seek>(
    reader: &mut R,
    front: &Front,
    path: &str,
    bytes_max: u64,
) -> Result<Option<Vec<u8>>, PackageError> {
    let layout = Layout::new(&front.manifest, &front.text, &front.statement)?;
    let (mut number, mut offset) = (0, 0);
    while let Some(part) = layout.part(number)? {
        number += 1;
        let at = match part {
            Part::Fixed(_, bytes) => {
                offset += bytes.len() as u64;
                continue;
            }
            Part::Packed(at) => at,
        };
        let entry = layout.entry(at);
        if entry.path != path {
            offset += entry.packed.bytes;
            continue;
        }
        if entry.bytes > bytes_max {
            return Ok(None);
        }
        reader.seek(SeekFrom::Start(offset))?;
        let mut packed = BufReader::new(reader.take(entry.packed.bytes));
        let mut content = Vec::new();
        let unpacked = unpack(&mut packed, entry, layout.form(), &layout.wrapping(entry)?, &mut |bytes| {
            content.extend_from_slice(bytes);
        });
        let is_good =
            unpacked.is_ok_and(|unpacked| matches!(unpacked, Unpacked::Is(sums) if is_said(entry, &sums)));
        return Ok(is_good.then_some(content));
    }
    Ok(None)
}

struct Walk<'a, R> {
    reader: BufReader<R>,
    layout: &'a Layout<'a>,
    at: u64,
    end: u64,
    faults: Vec<Fault>,
}

impl<R: Read + Seek> Walk<'_, R> {
    fn fault(&mut self, place: String, what: String) {
        self.faults.push(Fault { place, what });
    }

    /// A part that follows from the manifest. Not when what comes after it cannot be told.
    fn fixed(&mut self, place: Place, expected: &[u8]) -> ReadResult<bool> {
        let begins = self.at;
        let mut found = vec![0; expected.len().min(usize::try_from(self.end - begins).unwrap_or(usize::MAX))];
        self.reader.read_exact(&mut found)?;
        self.at += found.len() as u64;
        if found == expected {
            return Ok(true);
        }
        if expected.starts_with(&found) {
            let name = self.named(place);
            self.fault(name, "the archive ends in it".to_owned());
            return Ok(false);
        }
        let differs = found.iter().zip(expected).take_while(|(one, other)| one == other).count();
        if self.layout.form() == Form::Zip && !matches!(place, Place::Manifest | Place::Statement) {
            let stands = zipped::stands(&found, &mut self.reader);
            if let Some((place, what)) = self.stranger(place, stands) {
                self.fault(place, what);
                return Ok(false);
            }
            self.reader.seek(SeekFrom::Start(self.at))?;
        }
        let name = self.named(place);
        let offset = begins + differs as u64;
        self.fault(name, format!("byte {offset} of the archive is not what its manifest makes it"));
        Ok(found.len() == expected.len())
    }

    /// What is wrong where something else stands in the place of a part; `None`: it is the part itself, with other bytes.
    fn stranger(&self, place: Place, stands: Stands) -> Option<(String, String)> {
        let expected = match place {
            Place::Header(at) => self.layout.entry(at).path.clone(),
            Place::Directory(number) => self.listed(number).to_owned(),
            Place::Manifest | Place::Statement | Place::End => String::new(),
        };
        let entry = |name: &str| format!("entry {}", shown(name));
        match stands {
            Stands::Entry { name, is_encrypted: true } if name == expected => {
                Some((entry(&name), "it is encrypted".to_owned()))
            }
            Stands::Listed(name) if matches!(place, Place::Header(_)) => Some((
                entry(&expected),
                format!("it is missing: the directory, with {}, begins there", shown(&name)),
            )),
            Stands::Entry { name, .. } | Stands::Listed(name) if name != expected => {
                Some(self.misplaced(&name, &expected))
            }
            Stands::End if !expected.is_empty() => {
                Some((entry(&expected), "it is missing: the archive ends before it".to_owned()))
            }
            Stands::Entry { .. } | Stands::Listed(_) | Stands::End | Stands::Other => None,
        }
    }

    /// One entry where another one should be.
    fn misplaced(&self, name: &str, expected: &str) -> (String, String) {
        let is_known = [MANIFEST, STATEMENT].contains(&name) || self.layout.manifest().entry(name).is_some();
        let place =
            format!("entry {}", shown(if is_known && !expected.is_empty() { expected } else { name }));
        let what = match (is_known, expected) {
            (false, _) => "it is not in the manifest".to_owned(),
            (true, "") => "it is in the archive twice".to_owned(),
            (true, _) => format!("it is missing, or entries changed places: {} stands there", shown(name)),
        };
        (place, what)
    }

    /// A packed content. Not when what comes after it cannot be told.
    fn packed(&mut self, at: usize) -> ReadResult<bool> {
        let entry = self.layout.entry(at);
        let begins = self.at;
        let place = format!("entry {}", shown(&entry.path));
        if entry.packed.bytes > self.end - begins {
            if let Some(name) = self.name_in_frame(begins).filter(|name| *name != entry.path) {
                let (place, what) = self.misplaced(&name, &entry.path);
                self.fault(place, what);
            } else {
                self.fault(place, "the archive ends in it".to_owned());
            }
            return Ok(false);
        }
        self.at += entry.packed.bytes;
        let mut hasher = blake3::Hasher::new();
        let mut sums = Sums::default();
        let (unpacked, left_bytes) = {
            let tell = |bytes: &[u8]| {
                hasher.update(bytes);
            };
            let told = Told { reader: self.reader.by_ref().take(entry.packed.bytes), tell };
            let mut packed = BufReader::with_capacity(BLOCK_BYTES, told);
            let wrapping = self.layout.wrapping(entry)?;
            let unpacked =
                unpack(&mut packed, entry, self.layout.form(), &wrapping, &mut |bytes| sums.add(bytes));
            (unpacked, std::io::copy(&mut packed, &mut std::io::sink())?)
        };
        let is_same = hasher.finalize().to_hex().as_str() == entry.packed.blake3;
        let is_said = matches!(&unpacked, Ok(Unpacked::Is(sums)) if is_said(entry, sums));
        if is_same && is_said && left_bytes == 0 {
            return Ok(true);
        }
        if !is_same && let Some(name) = self.name_in_frame(begins).filter(|name| *name != entry.path) {
            let (place, what) = self.misplaced(&name, &entry.path);
            self.fault(place, what);
            return Ok(false);
        }
        self.reader.seek(SeekFrom::Start(self.at))?;
        self.fault(place, wrong(&unpacked, is_said, is_same, left_bytes));
        Ok(true)
    }

    fn name_in_frame(&mut self, begins: u64) -> Option<String> {
        if self.layout.form() == Form::Zip {
            return None;
        }
        taped::name_at(&mut self.reader, begins)
    }

    fn listed(&self, number: usize) -> &str {
        match number {
            0 => MANIFEST,
            1 => STATEMENT,
            number => &self.layout.entry(number - 2).path,
        }
    }

    fn named(&self, place: Place) -> String {
        match place {
            Place::Manifest => format!("{}, or its header", shown(MANIFEST)),
            Place::Statement => format!("{}, or its header", shown(STATEMENT)),
            Place::Header(at) => format!("the header of entry {}", shown(&self.layout.entry(at).path)),
            Place::Directory(number) => {
                format!("what the directory says about {}", shown(self.listed(number)))
            }
            Place::End => "the end of the archive".to_owned(),
        }
    }
}

/// What came out of a packed content.
enum Unpacked {
    /// This.
    Is(Summed),
    /// More, or fewer, or other things around it.
    Other(String),
}

fn is_said(entry: &Entry, sums: &Summed) -> bool {
    let is_crc = entry.packed.crc32.is_none_or(|crc32| crc32 == sums.crc32);
    sums.blake3 == entry.blake3 && sums.sha256 == entry.sha256 && is_crc
}

fn wrong(unpacked: &ReadResult<Unpacked>, is_said: bool, is_same: bool, left_bytes: u64) -> String {
    match unpacked {
        Err(error) => format!("it is damaged: {error}"),
        Ok(Unpacked::Other(why)) => why.clone(),
        Ok(Unpacked::Is(_)) if !is_said => "its content is not the one of the manifest".to_owned(),
        Ok(Unpacked::Is(_)) if left_bytes > 0 => format!("{left_bytes} bytes follow its content"),
        Ok(Unpacked::Is(_)) if !is_same => {
            "its content is packed otherwise than the manifest says".to_owned()
        }
        Ok(Unpacked::Is(_)) => "it is not what the manifest says".to_owned(),
    }
}

/// Unpacks a content, no more of it than there should be.
fn unpack(
    packed: &mut impl BufRead,
    entry: &Entry,
    form: Form,
    wrapping: &Wrapping,
    tell: &mut dyn FnMut(&[u8]),
) -> ReadResult<Unpacked> {
    match form {
        Form::Zip => unpack_plain(&mut DeflateDecoder::new(packed), entry, form, wrapping, tell),
        Form::TarZst => {
            let mut decoder = zstd::stream::read::Decoder::with_buffer(packed)?.single_frame();
            decoder.window_log_max(taped::WINDOW_LOG_MAX)?;
            unpack_plain(&mut decoder, entry, form, wrapping, tell)
        }
    }
}

fn unpack_plain(
    plain: &mut dyn Read,
    entry: &Entry,
    form: Form,
    wrapping: &Wrapping,
    tell: &mut dyn FnMut(&[u8]),
) -> ReadResult<Unpacked> {
    let mut head = Vec::new();
    plain.take(wrapping.head.len() as u64).read_to_end(&mut head)?;
    if head != wrapping.head {
        return Ok(Unpacked::Other("its header is not what the manifest makes it".to_owned()));
    }
    let bytes = in_stream_bytes(entry, form);
    let mut sums = Sums::default();
    let mut block = vec![0; BLOCK_BYTES];
    let mut content = plain.take(bytes);
    loop {
        let count = content.read(&mut block)?;
        if count == 0 {
            break;
        }
        sums.add(&block[..count]);
        tell(&block[..count]);
    }
    if sums.bytes < bytes {
        let found = sums.bytes;
        return Ok(Unpacked::Other(format!("its content ends after {found} of {bytes} bytes")));
    }
    if bytes < entry.bytes {
        // A link in a tar: its target stood in the header.
        let target = entry.target.as_deref().unwrap_or_default().as_bytes();
        sums.add(target);
        tell(target);
    }
    // One more than there should be shows that there are more.
    let mut behind = Vec::new();
    plain.take(wrapping.zeros + 1).read_to_end(&mut behind)?;
    if behind.len() as u64 > wrapping.zeros {
        return Ok(Unpacked::Other(format!("it has more than the {bytes} bytes that the manifest says")));
    }
    if behind.len() as u64 != wrapping.zeros || behind.iter().any(|byte| *byte != 0) {
        return Ok(Unpacked::Other("what pads it is not what the format asks for".to_owned()));
    }
    Ok(Unpacked::Is(sums.end()))
}

#[cfg(test)]
mod tests;
