//! The dialect of a text table, found in the first part of each file: its delimiter and its quote.

use std::io::Read;
use std::path::Path;

use csv::ReaderBuilder;
use switchback_core::world::{Disk, DiskError};

use super::encoding::{Encoding, open};
use crate::error::CompareError;

/// How much of a file is looked at.
const SAMPLE_BYTES: u64 = 64 * 1024;
/// How many records of it.
const SAMPLE_RECORDS: usize = 50;
/// In the order of preference.
const DELIMITERS: [u8; 4] = *b",;\t|";

/// How a text table is cut into fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Dialect {
    pub(crate) delimiter: u8,
    pub(crate) quote: u8,
}

impl Dialect {
    /// Finds the dialect of a file. `delimiter`: found when `None`.
    pub(crate) fn find(disk: &dyn Disk, path: &Path, delimiter: Option<u8>) -> Result<Self, CompareError> {
        let mut sample = Vec::new();
        open(disk, path, Encoding::Marked)?
            .take(SAMPLE_BYTES)
            .read_to_end(&mut sample)
            .map_err(|error| DiskError::new("read", path, error))?;
        Ok(Self::of(&sample, delimiter))
    }

    fn of(sample: &[u8], delimiter: Option<u8>) -> Self {
        let given = delimiter.map(|delimiter| vec![delimiter]);
        let delimiters = given.as_deref().unwrap_or(&DELIMITERS);
        let usual = Self::widest(sample, delimiters, b'"');
        let dialect =
            usual.unwrap_or(Self { delimiter: delimiters.first().copied().unwrap_or(b','), quote: b'"' });
        // An apostrophe is a quote only where nothing else is, and the file makes no sense otherwise.
        if sample.contains(&b'"') || !sample.contains(&b'\'') {
            return dialect;
        }
        if dialect.has_wrapped_header(sample) {
            return Self::widest(sample, delimiters, b'\'').unwrap_or(Self { quote: b'\'', ..dialect });
        }
        usual.or_else(|| Self::widest(sample, delimiters, b'\'')).unwrap_or(dialect)
    }

    /// The line, counted from 1, in which quoted text begins that never ends; `None` when all ends.
    pub(crate) fn open_quote(self, mut text: impl Read) -> std::io::Result<Option<u64>> {
        let (mut line, mut opened) = (1, 1);
        let (mut quoted, mut fresh, mut closing) = (false, true, false);
        let mut chunk = vec![0; 64 * 1024];
        loop {
            let length = match text.read(&mut chunk) {
                Ok(0) => return Ok((quoted && !closing).then_some(opened)),
                Ok(length) => length,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            for byte in chunk.iter().take(length).copied() {
                line += u64::from(byte == b'\n');
                if quoted && (!closing || byte == self.quote) {
                    // A quote in quoted text closes it, unless another follows at once.
                    closing = !closing && byte == self.quote;
                    continue;
                }
                (quoted, closing) = (fresh && byte == self.quote, false);
                if quoted {
                    opened = line;
                }
                fresh = byte == self.delimiter || matches!(byte, b'\n' | b'\r');
            }
        }
    }

    pub(crate) fn reader(self) -> ReaderBuilder {
        let mut builder = ReaderBuilder::new();
        builder.delimiter(self.delimiter).quote(self.quote);
        builder
    }

    /// The dialect that cuts the first records into the most fields, several and all into as many; `None` when none does.
    fn widest(sample: &[u8], delimiters: &[u8], quote: u8) -> Option<Self> {
        let mut best: Option<(Self, usize)> = None;
        for delimiter in delimiters {
            let dialect = Self { delimiter: *delimiter, quote };
            if let Some(width) = dialect.width(sample)
                && width > best.map_or(1, |(_, wide)| wide)
            {
                best = Some((dialect, width));
            }
        }
        best.map(|(dialect, _)| dialect)
    }

    /// How many fields the first records have, when all have as many.
    fn width(self, sample: &[u8]) -> Option<usize> {
        let reader = self.reader().has_headers(false).flexible(true).from_reader(sample);
        let records = reader.into_byte_records().take(SAMPLE_RECORDS).map_while(Result::ok);
        let mut widths: Vec<_> = records.map(|record| record.len()).collect();
        // The sample may end in the middle of its last record.
        if sample.len() as u64 >= SAMPLE_BYTES && widths.len() > 1 {
            widths.pop();
        }
        let first = widths.first().copied()?;
        widths.iter().all(|width| *width == first).then_some(first)
    }

    /// Whether every name in the header stands between apostrophes.
    fn has_wrapped_header(self, sample: &[u8]) -> bool {
        let reader = self.reader().has_headers(false).flexible(true).from_reader(sample);
        let header = reader.into_byte_records().next().and_then(Result::ok);
        header.is_some_and(|header| {
            header.iter().all(|name| name.len() > 1 && name.starts_with(b"'") && name.ends_with(b"'"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(sample: &str, delimiter: u8, quote: u8) {
        assert_eq!(Dialect::of(sample.as_bytes(), None), Dialect { delimiter, quote }, "{sample}");
    }

    #[test]
    fn quotes_that_never_close() {
        let line = |text: &str| Dialect { delimiter: b',', quote: b'"' }.open_quote(text.as_bytes()).unwrap();
        assert_eq!(line("a,b\n1,\"x\n2,y\n"), Some(2));
        assert_eq!(line("a,b\n1,\"x\"\n\"2\n\",\"\"\n"), None);
        assert_eq!(line("a,b\n1,\"x\"\"y"), Some(2));
        assert_eq!(line("a,b\n1,x\"y\n2,5\"\n"), None);
        assert_eq!(line("a\n\"b\""), None);
    }

    #[test]
    fn dialects() {
        check("a;b\n1;2,5\n2;3,5\n", b';', b'"');
        check("a,b\n\"x;y\",2\n", b',', b'"');
        check("a\tb\n1\t2\n", b'\t', b'"');
        check("'a';'b'\n'1';'x;y'\n", b';', b'\'');
        check("a,b\n1,'x,y'\n2,'z'\n", b',', b'\'');
        // Apostrophes that are text stay text.
        check("a,b\n1,'tis\n2,it's\n", b',', b'"');
        check("a,b\n1,'x'\n2,'y'\n", b',', b'"');
        check("a\n1\n", b',', b'"');
        check("'a'\n'1'\n", b',', b'\'');
        check("a,b\n1,2\n3\n", b',', b'"');
        check("", b',', b'"');
    }
}
