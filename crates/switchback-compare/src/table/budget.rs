//! How much of a table a comparison may hold in memory.

use switchback_core::rule::Rule;

use crate::error::CompareError;
use crate::source::batch::{Batch, Cells};
use crate::source::table::Table;

/// What a key costs beside its bytes: its place in a hash map, and the rows that it names.
const KEY_BYTES: u64 = 64;

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

    /// Counts the key of a row.
    pub(super) fn key(&mut self, table: &Table<'_>, key: &[u8]) -> Result<(), CompareError> {
        self.spend(table, key.len() as u64 + KEY_BYTES)
    }

    fn spend(&mut self, table: &Table<'_>, bytes: u64) -> Result<(), CompareError> {
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
