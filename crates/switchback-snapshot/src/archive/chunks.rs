//! Where a file is cut: content-defined chunks, cut exactly where the library and restic cut them, so that what either stored
//! before is found again.
//!
//! A chunk ends where the Rabin fingerprint of the last 64 bytes has as many zero bits as the mean size asks for, modulo the
//! polynomial of the repository (restic's design, "Backups and Deduplication"). The tables of the polynomial are made once for
//! each thread: making them takes longer than reading a small file.

use std::io::{ErrorKind, Read};

use rustic_cdc::{Rabin64, RollingHash64};
use rustic_core::repofile::ConfigFile;

use crate::trouble::Trouble;

/// The fingerprint is that of the last `2^6` bytes.
const WINDOW_BITS: u32 = 6;
const WINDOW_BYTES: usize = 1 << WINDOW_BITS;

/// Beyond the smallest chunk a file is read in pieces of this size: what is read too far is moved to the front again.
const PIECE_BYTES: usize = 64 * 1024;

/// How one repository cuts files.
#[derive(Debug, Clone)]
pub(crate) struct Cutting {
    rabin: Rabin64,
    split_mask: u64,
    bytes_min: usize,
    bytes_max: usize,
}

impl Cutting {
    /// The cutting of a repository. One whose configuration asks for chunks of fixed size is cut by content all the same: what
    /// is read does not depend on it.
    pub(crate) fn of(config: &ConfigFile) -> Result<Self, Trouble> {
        let (mean, bytes_min, bytes_max) =
            (config.chunk_size(), config.chunk_min_size(), config.chunk_max_size());
        if !mean.is_power_of_two() || bytes_min < WINDOW_BYTES || bytes_min > bytes_max {
            return Err(Trouble::new(format!(
                "its configuration asks for chunks that cannot be cut: {bytes_min} to {bytes_max} bytes, {mean} in the mean"
            )));
        }
        let polynomial = config.poly()?;
        if polynomial >> 8 == 0 {
            return Err(Trouble::new("its configuration names no polynomial to cut files by"));
        }
        let rabin = Rabin64::new_with_polynom(WINDOW_BITS, &polynomial);
        Ok(Self { rabin, split_mask: mean as u64 - 1, bytes_min, bytes_max })
    }

    /// A file that is shorter is one chunk.
    pub(crate) fn bytes_min(&self) -> usize {
        self.bytes_min
    }
}

/// Cuts one file after the other; its buffer is as long as the longest chunk, and is used again.
#[derive(Debug)]
pub(crate) struct Chunks {
    cutting: Cutting,
    buffer: Vec<u8>,
    /// Bytes at the front that were handed out.
    used: usize,
    /// Bytes that were read, with those in front.
    filled: usize,
    ended: bool,
}

impl Chunks {
    pub(crate) fn new(cutting: Cutting) -> Self {
        // Pages that no file ever reaches are never touched, and so take no room.
        let buffer = vec![0; cutting.bytes_max];
        Self { cutting, buffer, used: 0, filled: 0, ended: false }
    }

    /// Forgets what it knows of the file before.
    pub(crate) fn begin(&mut self) {
        (self.used, self.filled, self.ended) = (0, 0, false);
    }

    /// The next chunk; `None` at the end, which for an empty file is the beginning.
    pub(crate) fn next(&mut self, reader: &mut dyn Read) -> std::io::Result<Option<&[u8]>> {
        self.buffer.copy_within(self.used..self.filled, 0);
        self.filled -= self.used;
        self.used = 0;
        while self.filled < self.cutting.bytes_min && !self.ended {
            self.fill(reader, self.cutting.bytes_min)?;
        }
        self.used =
            if self.filled < self.cutting.bytes_min { self.filled } else { self.cut_behind_min(reader)? };
        Ok((self.used > 0).then_some(&self.buffer[..self.used]))
    }

    /// The length of a chunk that has at least the smallest size.
    fn cut_behind_min(&mut self, reader: &mut dyn Read) -> std::io::Result<usize> {
        let mut at = self.cutting.bytes_min;
        // The library leaves the last byte before the smallest size out of the first windows; so it must be here.
        let window = &self.buffer[at - WINDOW_BYTES..at];
        self.cutting.rabin.reset_and_prefill_window(&mut window.iter().copied());
        loop {
            let rabin = &mut self.cutting.rabin;
            for &byte in &self.buffer[at..self.filled] {
                if rabin.hash & self.cutting.split_mask == 0 {
                    return Ok(at);
                }
                rabin.slide(byte);
                at += 1;
            }
            if at >= self.cutting.bytes_max || rabin.hash & self.cutting.split_mask == 0 || self.ended {
                return Ok(at);
            }
            self.fill(reader, (self.filled + PIECE_BYTES).min(self.cutting.bytes_max))?;
        }
    }

    /// Reads once, up to `until` bytes in all.
    fn fill(&mut self, reader: &mut dyn Read, until: usize) -> std::io::Result<()> {
        loop {
            match reader.read(&mut self.buffer[self.filled..until]) {
                Ok(count) => {
                    self.filled += count;
                    self.ended = count == 0;
                    return Ok(());
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> ConfigFile {
        serde_json::from_value(serde_json::json!({
            "version": 2, "id": "00".repeat(32), "chunker_polynomial": "3da3358b4dc173",
        }))
        .unwrap()
    }

    /// A reader that gives a few bytes at a time, and is interrupted in between.
    struct Slow<'a>(&'a [u8], bool);

    impl Read for Slow<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            self.1 = !self.1;
            if self.1 {
                return Err(ErrorKind::Interrupted.into());
            }
            let count = buffer.len().min(self.0.len()).min(100_003);
            buffer[..count].copy_from_slice(&self.0[..count]);
            self.0 = &self.0[count..];
            Ok(count)
        }
    }

    fn lengths(chunks: &mut Chunks, content: &[u8], reader: &mut dyn Read) -> Vec<usize> {
        chunks.begin();
        let (mut lengths, mut joined) = (Vec::new(), Vec::new());
        while let Some(chunk) = chunks.next(reader).unwrap() {
            lengths.push(chunk.len());
            joined.extend_from_slice(chunk);
        }
        assert!(joined == content, "what was cut is not what was read");
        lengths
    }

    #[test]
    fn files_around_the_bounds_are_cut_and_joined() {
        let mut chunks = Chunks::new(Cutting::of(&config()).unwrap());
        let (min, max) = (chunks.cutting.bytes_min, chunks.cutting.bytes_max);
        assert_eq!((min, max), (512 << 10, 8 << 20));
        let mut noise = vec![0; 2 * max + 1];
        blake3::Hasher::new().update(b"noise").finalize_xof().fill(&mut noise);
        for length in [0, 1, 63, 64, min - 1, min, min + 1, min + 64, max, max + 1, 2 * max + 1] {
            let content = &noise[..length];
            let whole = lengths(&mut chunks, content, &mut &*content);
            assert_eq!(whole, lengths(&mut chunks, content, &mut Slow(content, false)), "{length}");
            let (_, but_last) = whole.split_last().unwrap_or((&0, &[]));
            assert!(but_last.iter().all(|chunk| (min..=max).contains(chunk)), "{length}: {whole:?}");
        }
    }

    #[test]
    fn zeros_are_cut_at_the_smallest_size_and_what_never_fits_at_the_largest() {
        let mut chunks = Chunks::new(Cutting::of(&config()).unwrap());
        let zeros = vec![0; (1 << 20) + 5];
        assert_eq!(lengths(&mut chunks, &zeros, &mut &*zeros), [512 << 10, 512 << 10, 5]);
        // No fingerprint has so many zeros.
        chunks.cutting.split_mask = u64::MAX;
        let mut noise = vec![0; (16 << 20) + 1];
        blake3::Hasher::new().update(b"noise").finalize_xof().fill(&mut noise);
        assert_eq!(lengths(&mut chunks, &noise, &mut &*noise), [8 << 20, 8 << 20, 1]);
    }

    #[test]
    fn a_configuration_that_cannot_be_meant_is_refused() {
        let mut unfit = config();
        unfit.chunk_size = Some(1_000_000);
        assert!(Cutting::of(&unfit).unwrap_err().line().contains("cannot be cut"));
        unfit = config();
        unfit.chunker_polynomial = "0".into();
        assert!(Cutting::of(&unfit).is_err());
    }
}
