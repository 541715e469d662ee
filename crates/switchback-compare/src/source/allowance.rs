//! How much memory the reading of one side may take where content is held as a whole.

use std::path::Path;

use switchback_core::rule::Rule;
use switchback_core::world::{Disk, DiskError};

use super::numpy::BYTES_MAX;
use crate::error::CompareError;

/// What each side may take beside its half of what the rule allows: both together stay below 512 MiB.
const BESIDE_BYTES: u64 = 160 * 1024 * 1024;
/// The longest row of a text table, as it stands in the file: a few rows are held at a time, decoded.
pub(crate) const ROW_BYTES_MAX: u64 = 32 * 1024 * 1024;
/// Rows are read until they take this much, or until there are as many as a batch has.
pub(crate) const BATCH_BYTES: u64 = 8 * 1024 * 1024;
/// The most columns that a table may have.
pub(crate) const COLUMNS_MAX: usize = 100_000;

/// How much memory the reading of one side may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Allowance {
    /// For both sides; unbounded when `None`.
    memory_max_bytes: Option<u64>,
}

impl Allowance {
    pub(crate) const UNBOUNDED: Self = Self { memory_max_bytes: None };

    pub(crate) fn of(rule: &Rule) -> Self {
        Self { memory_max_bytes: rule.memory_max_bytes }
    }

    /// How many bytes of content one side may hold.
    pub(crate) fn bytes(self) -> u64 {
        self.memory_max_bytes.map_or(u64::MAX, |bytes| bytes / 2 + BESIDE_BYTES)
    }

    /// How large a file may be whose content takes so many times its size, decoded, and `most` at most.
    pub(crate) fn file_bytes(self, times: u64, most: u64) -> u64 {
        (self.bytes() / times).min(most)
    }

    /// Reads a whole file whose content takes so many times its size, decoded, and is `most` bytes at most.
    pub(crate) fn read(
        self,
        disk: &dyn Disk,
        path: &Path,
        times: u64,
        most: u64,
    ) -> Result<Vec<u8>, CompareError> {
        let bytes_max = self.file_bytes(times, most);
        let refused = |error| if bytes_max < most { self.exceeded(path) } else { CompareError::Disk(error) };
        let size = disk.look(path)?.map_or(0, |meta| meta.size);
        if size > bytes_max {
            let why = std::io::Error::new(
                std::io::ErrorKind::FileTooLarge,
                format!("it is larger than {bytes_max} bytes"),
            );
            return Err(refused(DiskError::new("read", path, why)));
        }
        disk.read(path, bytes_max).map_err(|error| match error.source.kind() {
            std::io::ErrorKind::FileTooLarge => refused(error),
            _ => CompareError::Disk(error),
        })
    }

    /// That a file takes more. Arrays, archives and workbooks have a bound of their own in any case.
    pub(crate) fn exceeded(self, path: &Path) -> CompareError {
        CompareError::Memory { path: path.to_owned(), bytes_max: self.memory_max_bytes.unwrap_or(BYTES_MAX) }
    }
}

/// Counts what is held while something is decoded.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Meter {
    left: u64,
}

/// More is held than may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Exceeded;

impl Meter {
    pub(crate) fn new(bytes_max: u64) -> Self {
        Self { left: bytes_max }
    }

    pub(crate) fn left(self) -> u64 {
        self.left
    }

    pub(crate) fn spend(&mut self, bytes: u64) -> Result<(), Exceeded> {
        self.left = self.left.checked_sub(bytes).ok_or(Exceeded)?;
        Ok(())
    }
}
