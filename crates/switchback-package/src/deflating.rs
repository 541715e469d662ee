//! Deflate, the same on every machine.
//!
//! `miniz_oxide` by its name, and not whatever stands behind `flate2`: that is decided by every crate of the program together, and
//! what others of them write depends on the processor, and on the sizes of what is put in and taken out.

use std::io::{Error, Read, Result};

use miniz_oxide::deflate::core::CompressorOxide;
use miniz_oxide::deflate::stream::deflate;
use miniz_oxide::{DataFormat, MZFlush, MZStatus};

use crate::steady::{BLOCK_BYTES, Steady};

/// The level: what most programs take.
const LEVEL: u8 = 6;

/// A content, deflated, without header and trailer (RFC 1951).
pub(crate) struct Deflated<R> {
    plain: Steady<R>,
    compressor: Box<CompressorOxide>,
    packed: Vec<u8>,
    at: usize,
    is_over: bool,
}

impl<R: Read> Deflated<R> {
    pub(crate) fn new(plain: Steady<R>) -> Self {
        let mut compressor = Box::<CompressorOxide>::default();
        compressor.set_format_and_level(DataFormat::Raw, LEVEL);
        Self { plain, compressor, packed: Vec::new(), at: 0, is_over: false }
    }

    /// Packs until a block is full or everything is packed.
    fn turn(&mut self) -> Result<()> {
        self.packed.resize(BLOCK_BYTES, 0);
        let mut filled = 0;
        while filled < BLOCK_BYTES && !self.is_over {
            let plain = self.plain.left()?;
            let flush = if plain.is_empty() { MZFlush::Finish } else { MZFlush::None };
            let done = deflate(&mut self.compressor, plain, &mut self.packed[filled..], flush);
            self.plain.used(done.bytes_consumed);
            filled += done.bytes_written;
            let status =
                done.status.map_err(|error| Error::other(format!("it cannot be packed: {error:?}")))?;
            self.is_over = status == MZStatus::StreamEnd;
        }
        self.packed.truncate(filled);
        self.at = 0;
        Ok(())
    }
}

impl<R: Read> Read for Deflated<R> {
    fn read(&mut self, into: &mut [u8]) -> Result<usize> {
        if self.at == self.packed.len() && !self.is_over {
            self.turn()?;
        }
        let count = (self.packed.len() - self.at).min(into.len());
        into[..count].copy_from_slice(&self.packed[self.at..self.at + count]);
        self.at += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Words and noise in turn, which compress well and not at all.
    fn content(bytes: usize) -> Vec<u8> {
        let mut state = 7_u64;
        let mut all = Vec::new();
        while all.len() < bytes {
            for _ in 0..2_000 {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                all.push(state.to_le_bytes()[7]);
            }
            for line in 0..200 {
                all.extend_from_slice(format!("a line of text, number {line}\n").as_bytes());
            }
        }
        all.truncate(bytes);
        all
    }

    fn deflated(content: &[u8], most: usize) -> Vec<u8> {
        let mut reader = Deflated::new(Steady::new(content));
        let (mut all, mut block) = (Vec::new(), vec![0; most]);
        loop {
            let count = reader.read(&mut block).unwrap();
            if count == 0 {
                return all;
            }
            all.extend_from_slice(&block[..count]);
        }
    }

    #[test]
    fn what_is_packed_is_the_same_however_it_is_taken_out_and_is_read_by_another_program() {
        for bytes in [0, 1, 65_535, 65_536, 65_537, 300_000] {
            let content = content(bytes);
            let packed = deflated(&content, 1 << 20);
            for most in [1_000, 8_191, 65_536] {
                assert!(deflated(&content, most) == packed, "{bytes} bytes, {most} at a time");
            }
            let mut again = Vec::new();
            flate2::read::DeflateDecoder::new(packed.as_slice()).read_to_end(&mut again).unwrap();
            assert!(again == content, "{bytes} bytes");
        }
        let packed = deflated(&content(300_000), 4_096);
        assert_eq!(
            blake3::hash(&packed).to_hex().as_str(),
            "1c1f781b6d6017de521be4de6dddf7a70deb3363c752688e8b67f886cb2ce3ac",
            "another version of the library packs in another way: packages of two versions of the program differ"
        );
    }
}
