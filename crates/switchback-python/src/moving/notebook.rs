//! Notebooks: the code of the cells, edited within the strings of the file that carries them.

use crate::syntax::Span;

/// The code of a notebook, with the place of every byte of it in the file.
#[derive(Debug, Default)]
pub(crate) struct Code {
    /// The source of all code cells, each ended by a line end.
    pub(crate) source: Vec<u8>,
    /// For each byte of the source, where it is written; one more for the end.
    places: Vec<Span>,
}

impl Code {
    /// The range of the file that holds a range of the source; nothing when it crosses from one string to the next, or
    /// reaches what no string holds.
    pub(crate) fn place(&self, span: Span) -> Option<Span> {
        if span.start == span.end {
            let at = self.places.get(span.start)?;
            return Some(Span::new(at.start, at.start));
        }
        let first = self.places.get(span.start)?;
        let last = self.places.get(span.end - 1)?;
        let mut end = first.start;
        for at in self.places.get(span.start..span.end)? {
            if at.start != end {
                return None;
            }
            end = at.end;
        }
        Some(Span::new(first.start, last.end))
    }
}

/// A text as it is written in a JSON string.
pub(crate) fn escaped(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    quoted.get(1..quoted.len() - 1).unwrap_or_default().to_owned()
}

/// Reads the code cells of a notebook. Nothing comes of a file that is no notebook.
pub(crate) fn code(bytes: &[u8]) -> Code {
    let mut scanner = Scanner { bytes, at: 0, code: Code::default() };
    if scanner.value(&mut Vec::new()).is_none() {
        return Code::default();
    }
    let end = bytes.len();
    scanner.code.places.push(Span::new(end, end));
    scanner.code
}

/// A reader of JSON that knows where everything stands.
struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
    code: Code,
}

/// How deep a notebook may nest.
const DEPTH_MAX: usize = 64;

impl Scanner<'_> {
    fn blanks(&mut self) {
        while self.bytes.get(self.at).is_some_and(u8::is_ascii_whitespace) {
            self.at += 1;
        }
    }

    fn take(&mut self, byte: u8) -> Option<()> {
        self.blanks();
        (self.bytes.get(self.at) == Some(&byte)).then(|| self.at += 1)
    }

    /// One value; `path` holds the keys that lead to it.
    fn value(&mut self, path: &mut Vec<String>) -> Option<()> {
        if path.len() > DEPTH_MAX {
            return None;
        }
        self.blanks();
        match self.bytes.get(self.at)? {
            b'{' => self.object(path),
            b'[' => {
                self.at += 1;
                if self.take(b']').is_some() {
                    return Some(());
                }
                loop {
                    self.value(path)?;
                    if self.take(b',').is_none() {
                        return self.take(b']');
                    }
                }
            }
            b'"' => self.string().map(|_| ()),
            _ => {
                while self.bytes.get(self.at).is_some_and(|byte| !b",]} \t\r\n".contains(byte)) {
                    self.at += 1;
                }
                Some(())
            }
        }
    }

    fn object(&mut self, path: &mut Vec<String>) -> Option<()> {
        self.at += 1;
        let is_cell = path.last().is_some_and(|key| key == "cells");
        let mut is_code = false;
        let mut sources: Option<Vec<Written>> = None;
        if self.take(b'}').is_some() {
            return Some(());
        }
        loop {
            self.blanks();
            let key = self.string()?;
            let key: String = key.letters.iter().map(|(byte, _)| char::from(*byte)).collect();
            self.take(b':')?;
            self.blanks();
            match key.as_str() {
                "source" if is_cell => sources = Some(self.strings()?),
                "cell_type" if is_cell => {
                    let kind = self.string()?;
                    is_code = kind.letters.iter().map(|(byte, _)| *byte).eq(b"code".iter().copied());
                }
                _ => {
                    path.push(key);
                    self.value(path)?;
                    path.pop();
                }
            }
            if self.take(b',').is_none() {
                break;
            }
        }
        if is_code {
            self.cell(&sources.unwrap_or_default());
        }
        self.take(b'}')
    }

    fn cell(&mut self, sources: &[Written]) {
        let start: Vec<u8> =
            sources.iter().flat_map(|source| &source.letters).map(|(byte, _)| *byte).take(16).collect();
        // The cell of another language.
        if start.starts_with(b"%%") && !start.starts_with(b"%%time") && !start.starts_with(b"%%capture") {
            return;
        }
        for source in sources {
            for (byte, at) in &source.letters {
                self.code.source.push(*byte);
                self.code.places.push(*at);
            }
        }
        if let Some(last) = sources.last() {
            let end = Span::new(last.end, last.end);
            self.code.source.push(b'\n');
            self.code.places.push(end);
        }
    }

    /// A string, or an array of them.
    fn strings(&mut self) -> Option<Vec<Written>> {
        if self.bytes.get(self.at) == Some(&b'"') {
            return Some(vec![self.string()?]);
        }
        self.take(b'[')?;
        let mut found = Vec::new();
        if self.take(b']').is_some() {
            return Some(found);
        }
        loop {
            self.blanks();
            found.push(self.string()?);
            if self.take(b',').is_none() {
                self.take(b']')?;
                return Some(found);
            }
        }
    }

    fn string(&mut self) -> Option<Written> {
        self.take(b'"')?;
        let mut letters = Vec::new();
        loop {
            let start = self.at;
            match *self.bytes.get(start)? {
                b'"' => {
                    self.at += 1;
                    return Some(Written { letters, end: start });
                }
                b'\\' => {
                    let escape = *self.bytes.get(start + 1)?;
                    let (byte, length) = match escape {
                        b'n' => (b'\n', 2),
                        b't' => (b'\t', 2),
                        b'r' => (b'\r', 2),
                        // Beyond ASCII, or rare: a letter in its place keeps every other place right.
                        b'u' => (b'x', 6),
                        b'b' | b'f' => (b' ', 2),
                        other => (other, 2),
                    };
                    self.at += length;
                    letters.push((byte, Span::new(start, self.at)));
                }
                byte => {
                    self.at += 1;
                    letters.push((byte, Span::new(start, self.at)));
                }
            }
        }
    }
}

/// A string with the place of each byte of it.
#[derive(Debug)]
struct Written {
    letters: Vec<(u8, Span)>,
    /// The closing quote.
    end: usize,
}
