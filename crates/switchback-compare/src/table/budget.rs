//! How much of a table a comparison may hold in memory.

use arrow_array::ArrayRef;
use switchback_core::rule::Rule;

use crate::error::CompareError;
use crate::source::batch::{Batch, Cells, array_bytes};
use crate::source::table::Table;

/// What each cell takes in the content of a row, beside its own bytes.
const PART_BYTES: u64 = 16;

/// Counts what is held, and refuses more than the rule allows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Budget {
    left: Option<u64>,
    max: u64,
}

impl Budget {
    pub(super) fn of(rule: &Rule) -> Self {
        Self { left: rule.memory_max_bytes, max: rule.memory_max_bytes.unwrap_or(u64::MAX) }
    }

    /// Counts rows of a table.
    pub(super) fn batch(&mut self, table: &Table<'_>, batch: &Batch) -> Result<(), CompareError> {
        if self.left.is_none() {
            return Ok(());
        }
        self.spend(table, batch.columns.iter().map(Cells::bytes).sum())
    }

    /// Counts rows of a table of which each is also told by its content, as bytes.
    pub(super) fn batch_with_contents(
        &mut self,
        table: &Table<'_>,
        batch: &Batch,
    ) -> Result<(), CompareError> {
        let parts = (batch.rows * batch.columns.len()) as u64;
        self.batch(table, batch)?;
        self.batch(table, batch)?;
        self.spend(table, parts * PART_BYTES)
    }

    /// Counts arrays of keys.
    pub(super) fn arrays(&mut self, table: &Table<'_>, arrays: &[ArrayRef]) -> Result<(), CompareError> {
        self.spend(table, arrays.iter().map(|array| array_bytes(array)).sum())
    }

    /// Counts what further rows take beside their cells. An index names no more than 2^32 - 1 of them.
    pub(super) fn places(&mut self, table: &Table<'_>, rows: usize, bytes: u64) -> Result<(), CompareError> {
        if u32::try_from(rows).is_err() {
            return Err(CompareError::Memory { path: table.path.clone(), bytes_max: self.max });
        }
        self.spend(table, bytes)
    }

    /// Counts what is named in bytes.
    pub(super) fn spend(&mut self, table: &Table<'_>, bytes: u64) -> Result<(), CompareError> {
        let Some(left) = self.left else { return Ok(()) };
        match left.checked_sub(bytes) {
            Some(rest) => {
                self.left = Some(rest);
                Ok(())
            }
            None => Err(CompareError::Memory { path: table.path.clone(), bytes_max: self.max }),
        }
    }
}
