//! The content of an entry, held to the size that the archive says: neither a byte more nor one less.

use std::io::{Error, Read, Result};

use super::Refusal;
use super::entry::Entry;

/// Content that is read once.
pub(super) struct Content<'a> {
    reader: &'a mut dyn Read,
    bytes: u64,
    read_bytes: u64,
    fault: Option<String>,
}

impl<'a> Content<'a> {
    /// What `reader` has, which should be so many bytes.
    pub(super) fn new(reader: &'a mut dyn Read, bytes: u64) -> Self {
        Self { reader, bytes, read_bytes: 0, fault: None }
    }

    /// Reads it, and keeps nothing.
    pub(super) fn pass_over(&mut self, entry: &Entry) -> std::result::Result<(), Refusal> {
        // What it says is in the fault.
        let outcome = std::io::copy(self, &mut std::io::sink());
        self.check(entry)?;
        outcome.map(|_| ()).map_err(|error| Refusal::damaged(&format!("entry {entry}"), &error))
    }

    /// Whether what was read is what the archive said.
    pub(super) fn check(&mut self, entry: &Entry) -> std::result::Result<(), Refusal> {
        match self.fault.take() {
            Some(fault) => Err(Refusal::damaged(&format!("entry {entry}"), &fault)),
            None => Ok(()),
        }
    }

    fn failed(&mut self, fault: String) -> Error {
        self.fault = Some(fault.clone());
        Error::other(fault)
    }
}

impl Read for Content<'_> {
    fn read(&mut self, into: &mut [u8]) -> Result<usize> {
        let count = match self.reader.read(into) {
            Ok(count) => count,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => return Err(error),
            Err(error) => return Err(self.failed(error.to_string())),
        };
        self.read_bytes += count as u64;
        let (read, bytes) = (self.read_bytes, self.bytes);
        if read > bytes {
            return Err(self.failed(format!("it has more than the {bytes} bytes that the archive says")));
        }
        if count == 0 && !into.is_empty() && read < bytes {
            return Err(self.failed(format!("it ends after {read} of {bytes} bytes")));
        }
        Ok(count)
    }
}
