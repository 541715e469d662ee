//! A reader that is read in blocks of one size, however it is asked: what comes out of a compressor may depend on the sizes of what is
//! put in and taken out.

use std::io::{ErrorKind, Read, Result};

/// The size of a block.
pub(crate) const BLOCK_BYTES: usize = 64 << 10;

/// Reads blocks of [`BLOCK_BYTES`] bytes; the last one is shorter.
pub(crate) struct Steady<R> {
    reader: R,
    block: Vec<u8>,
    at: usize,
    is_over: bool,
}

impl<R: Read> Steady<R> {
    pub(crate) fn new(reader: R) -> Self {
        Self { reader, block: Vec::new(), at: 0, is_over: false }
    }

    /// What is left of the block; of the next one, where nothing is. Empty at the end.
    pub(crate) fn left(&mut self) -> Result<&[u8]> {
        if self.at == self.block.len() && !self.is_over {
            self.turn()?;
        }
        Ok(&self.block[self.at..])
    }

    /// So many bytes of it are used.
    pub(crate) fn used(&mut self, bytes: usize) {
        self.at = (self.at + bytes).min(self.block.len());
    }

    fn turn(&mut self) -> Result<()> {
        self.block.resize(BLOCK_BYTES, 0);
        (self.at, self.is_over) = (0, true);
        let mut filled = 0;
        while filled < BLOCK_BYTES {
            match self.reader.read(&mut self.block[filled..]) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => {
                    self.block.clear();
                    return Err(error);
                }
            }
        }
        self.is_over = filled < BLOCK_BYTES;
        self.block.truncate(filled);
        Ok(())
    }
}

impl<R: Read> Read for Steady<R> {
    fn read(&mut self, into: &mut [u8]) -> Result<usize> {
        let left = self.left()?;
        let count = left.len().min(into.len());
        into[..count].copy_from_slice(&left[..count]);
        self.used(count);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives at most `most` bytes at a time.
    struct Slow<'a>(&'a [u8], usize);

    impl Read for Slow<'_> {
        fn read(&mut self, into: &mut [u8]) -> Result<usize> {
            let most = into.len().min(self.1);
            self.0.read(&mut into[..most])
        }
    }

    #[test]
    fn every_block_but_the_last_is_whole_however_slowly_it_comes() {
        let content: Vec<u8> = (0..u8::MAX).cycle().take(2 * BLOCK_BYTES + 7).collect();
        for most in [1_000, 65_537, 1 << 20] {
            let mut steady = Steady::new(Slow(&content, most));
            let mut sizes = Vec::new();
            loop {
                let size = steady.left().unwrap().len();
                if size == 0 {
                    break;
                }
                sizes.push(size);
                steady.used(size);
            }
            assert_eq!(sizes, [BLOCK_BYTES, BLOCK_BYTES, 7]);
            let mut again = Vec::new();
            Steady::new(Slow(&content, most)).read_to_end(&mut again).unwrap();
            assert!(again == content);
        }
    }
}
