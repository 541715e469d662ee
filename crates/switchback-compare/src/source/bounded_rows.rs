//! Text of which no row is read that is too long to be held.

use std::cell::Cell;
use std::io::Read;
use std::rc::Rc;

use super::allowance::ROW_BYTES_MAX;

/// How much of the current row has been read; whoever reads rows sets it back after each.
#[derive(Debug, Clone, Default)]
pub(super) struct RowBytes(Rc<Cell<u64>>);

impl RowBytes {
    pub(super) fn begin_row(&self) {
        self.0.set(0);
    }
}

/// Passes text on, and fails when a row goes on for longer than [`ROW_BYTES_MAX`].
pub(super) struct BoundedRows<R> {
    from: R,
    row: RowBytes,
}

impl<R: Read> BoundedRows<R> {
    pub(super) fn new(from: R, row: RowBytes) -> Self {
        Self { from, row }
    }
}

/// What is said of a row that is too long.
pub(super) fn too_long() -> String {
    format!("a row is longer than {ROW_BYTES_MAX} bytes")
}

impl<R: Read> Read for BoundedRows<R> {
    fn read(&mut self, to: &mut [u8]) -> std::io::Result<usize> {
        let length = self.from.read(to)?;
        let bytes = self.row.0.get().saturating_add(length as u64);
        self.row.0.set(bytes);
        if bytes > ROW_BYTES_MAX {
            return Err(std::io::Error::new(std::io::ErrorKind::FileTooLarge, too_long()));
        }
        Ok(length)
    }
}
