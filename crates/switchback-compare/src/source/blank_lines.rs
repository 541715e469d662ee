//! Blank lines of a text table with one column: each is a row whose only field is empty.
//!
//! The CSV reader passes over blank lines. In a table of several columns they are no rows; in one of a single column they
//! are, and would be lost.

use std::io::{BufRead, BufReader, Read};

/// Where in a line the reading stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    Start,
    /// After a carriage return: a line feed belongs to it.
    Return,
    Plain,
    Quoted,
    /// After a quote in quoted text: the end of it, or half of a doubled one.
    Closing,
}

/// Passes text on, with an empty quoted field in each blank line after the first line that is not blank.
pub(crate) struct BlankLines<R> {
    from: BufReader<R>,
    quote: u8,
    at: At,
    headed: bool,
    /// What has been made and not been asked for yet.
    made: Vec<u8>,
    given: usize,
}

impl<R: Read> BlankLines<R> {
    pub(crate) fn new(from: R, quote: u8) -> Self {
        Self { from: BufReader::new(from), quote, at: At::Start, headed: false, made: Vec::new(), given: 0 }
    }

    fn step(&mut self, byte: u8) {
        let ends = matches!(byte, b'\n' | b'\r');
        let follows = self.at == At::Return && byte == b'\n';
        if ends && !follows && matches!(self.at, At::Start | At::Return) && self.headed {
            self.made.extend_from_slice(&[self.quote, self.quote]);
        }
        self.made.push(byte);
        self.at = match (self.at, byte) {
            (At::Quoted, byte) if byte == self.quote => At::Closing,
            (At::Quoted, _) => At::Quoted,
            (At::Closing, byte) if byte == self.quote => At::Quoted,
            (_, b'\r') => At::Return,
            (_, b'\n') => At::Start,
            (At::Start | At::Return, byte) if byte == self.quote => At::Quoted,
            _ => At::Plain,
        };
        self.headed |= !ends;
    }
}

impl<R: Read> Read for BlankLines<R> {
    fn read(&mut self, to: &mut [u8]) -> std::io::Result<usize> {
        if self.given == self.made.len() {
            self.made.clear();
            self.given = 0;
            let bytes = self.from.fill_buf()?.to_vec();
            self.from.consume(bytes.len());
            for byte in bytes {
                self.step(byte);
            }
        }
        let rest = self.made.get(self.given..).unwrap_or_default();
        let length = rest.len().min(to.len());
        if let (Some(to), Some(rest)) = (to.get_mut(..length), rest.get(..length)) {
            to.copy_from_slice(rest);
        }
        self.given += length;
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, passed: &str) {
        let mut found = String::new();
        BlankLines::new(text.as_bytes(), b'"').read_to_string(&mut found).unwrap();
        assert_eq!(found, passed);
    }

    #[test]
    fn blank_lines_are_rows_and_line_ends_are_not() {
        check("x\n1\n\n3\n", "x\n1\n\"\"\n3\n");
        check("\n\nx\r\n1\r\n\r\n3", "\n\nx\r\n1\r\n\"\"\r\n3");
        check("x\n\"a\n\nb \"\"c\"\n\n", "x\n\"a\n\nb \"\"c\"\n\"\"\n");
        check("x\na\"b\n\n", "x\na\"b\n\"\"\n");
    }
}
