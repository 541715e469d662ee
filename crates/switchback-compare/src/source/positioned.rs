//! A file that several readers read at once: each at a position of its own.
//!
//! Handles that were cloned share one position, so that two readers of the same file would read each other's bytes.

use std::fs::File;
use std::io::{BufReader, Read, Result};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use bytes::Bytes;
use parquet::file::reader::{ChunkReader, Length};

/// A file that is read at positions that are named.
#[derive(Debug, Clone)]
pub(super) struct Positioned(pub(super) Arc<File>);

/// Reads on from a position.
#[derive(Debug)]
pub(super) struct ReadingOn {
    file: Arc<File>,
    at: u64,
}

impl Read for ReadingOn {
    fn read(&mut self, to: &mut [u8]) -> Result<usize> {
        let read = self.file.read_at(to, self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}

impl Length for Positioned {
    fn len(&self) -> u64 {
        self.0.metadata().map_or(0, |meta| meta.len())
    }
}

impl ChunkReader for Positioned {
    type T = BufReader<ReadingOn>;

    fn get_read(&self, start: u64) -> parquet::errors::Result<Self::T> {
        Ok(BufReader::new(ReadingOn { file: self.0.clone(), at: start }))
    }

    fn get_bytes(&self, start: u64, length: usize) -> parquet::errors::Result<Bytes> {
        // The length comes from the file: what is not there is not made room for.
        let mut bytes = Vec::new();
        let limit = u64::try_from(length).unwrap_or(u64::MAX);
        ReadingOn { file: self.0.clone(), at: start }.take(limit).read_to_end(&mut bytes)?;
        if bytes.len() != length {
            let message = format!("it ends after {} of {length} bytes", bytes.len());
            return Err(parquet::errors::ParquetError::EOF(message));
        }
        Ok(bytes.into())
    }
}
