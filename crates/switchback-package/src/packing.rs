//! The content of an entry on its way into the archive: measured, packed by one level of one compressor, and the same each time.

use std::io::{Error, Read, Result};

use sha2::{Digest, Sha256};

use crate::deflating::Deflated;
use crate::format::Form;
use crate::shown;
use crate::steady::Steady;

/// The level of zstd: its own middle.
const ZSTD_LEVEL: i32 = 3;

/// What stands before and behind the content of an entry within what is packed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wrapping {
    /// Before: the header of a tar.
    pub(crate) head: Vec<u8>,
    /// Behind: so many zeros.
    pub(crate) zeros: u64,
}

/// The packed bytes of a content of `bytes` bytes.
pub(crate) fn packed<'a>(
    form: Form,
    wrapping: Wrapping,
    content: impl Read + 'a,
    bytes: u64,
) -> Result<Box<dyn Read + 'a>> {
    let plain_bytes = wrapping.head.len() as u64 + bytes + wrapping.zeros;
    let head = std::io::Cursor::new(wrapping.head);
    let plain = Steady::new(head.chain(content).chain(std::io::repeat(0).take(wrapping.zeros)));
    Ok(match form {
        Form::Zip => Box::new(Deflated::new(plain)),
        Form::TarZst => {
            let mut encoder = zstd::stream::read::Encoder::new(plain, ZSTD_LEVEL)?;
            encoder.set_pledged_src_size(Some(plain_bytes))?;
            encoder.include_contentsize(true)?;
            Box::new(Steady::new(encoder))
        }
    })
}

/// Content that must be as long as was said, because it stands in the headers by then.
pub(crate) struct Exactly<R> {
    reader: R,
    path: String,
    left_bytes: u64,
}

impl<R: Read> Exactly<R> {
    pub(crate) fn new(reader: R, path: &str, bytes: u64) -> Self {
        Self { reader, path: path.to_owned(), left_bytes: bytes }
    }
}

impl<R: Read> Read for Exactly<R> {
    fn read(&mut self, into: &mut [u8]) -> Result<usize> {
        let count = self.reader.read(into)?;
        let changed = || Error::other(format!("{} was changed while it was packed", shown(&self.path)));
        self.left_bytes = self.left_bytes.checked_sub(count as u64).ok_or_else(changed)?;
        if count == 0 && !into.is_empty() && self.left_bytes > 0 {
            return Err(changed());
        }
        Ok(count)
    }
}

/// Every hash of a content that a manifest has.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sums {
    blake3: blake3::Hasher,
    sha256: Sha256,
    crc32: crc32fast::Hasher,
    pub(crate) bytes: u64,
}

/// The outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Summed {
    pub(crate) blake3: String,
    pub(crate) sha256: String,
    pub(crate) crc32: u32,
}

impl Sums {
    pub(crate) fn add(&mut self, bytes: &[u8]) {
        self.blake3.update(bytes);
        self.sha256.update(bytes);
        self.crc32.update(bytes);
        self.bytes += bytes.len() as u64;
    }

    pub(crate) fn end(self) -> Summed {
        Summed {
            blake3: self.blake3.finalize().to_hex().to_string(),
            sha256: hex(&self.sha256.finalize()),
            crc32: self.crc32.finalize(),
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |half: u8| char::from(DIGITS[usize::from(half)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// SHA-256 of some bytes.
pub fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// A reader whose bytes are taken down by somebody else as they pass.
pub(crate) struct Told<R, F> {
    pub(crate) reader: R,
    pub(crate) tell: F,
}

impl<R: Read, F: FnMut(&[u8])> Read for Told<R, F> {
    fn read(&mut self, into: &mut [u8]) -> Result<usize> {
        let count = self.reader.read(into)?;
        (self.tell)(&into[..count]);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hashes_are_those_of_the_standards() {
        let mut sums = Sums::default();
        sums.add(b"ab");
        sums.add(b"c");
        let summed = sums.end();
        assert_eq!(summed.sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(summed.sha256, sha256(b"abc"));
        assert_eq!(summed.blake3, "6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85");
        assert_eq!(summed.crc32, 0x3524_41c2);
    }

    #[test]
    fn content_of_another_length_is_not_packed() {
        let read = |bytes: u64| {
            let mut all = Vec::new();
            Exactly::new(&b"abc"[..], "src/a", bytes).read_to_end(&mut all).map(|_| all)
        };
        assert_eq!(read(3).unwrap(), b"abc");
        for bytes in [2, 4] {
            assert_eq!(read(bytes).unwrap_err().to_string(), "`src/a` was changed while it was packed");
        }
    }
}
