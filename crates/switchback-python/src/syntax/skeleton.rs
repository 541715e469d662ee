//! A module without the bodies of its functions: what runs when it is imported, at the same offsets, and little else to
//! parse.

/// How deep replacement fields of f-strings may nest here; what nests deeper is left to the parser.
const FIELDS_MAX: usize = 20;

/// The text with the body of every function made a single `0`, as long as it was. Nothing where that cannot be told for
/// sure: tabs in an indentation, line ends of old Macs, a bracket or a text that does not end. A body with the word
/// `global` stays: it may bind names of the module.
pub(super) fn without_bodies(source: &str) -> Option<String> {
    let mut scan = Scan { bytes: source.as_bytes(), made: source.as_bytes().to_vec() };
    let mut hidden: Option<Hidden> = None;
    let mut at = 0;
    while at < scan.bytes.len() {
        let indent = scan.bytes.get(at..)?.iter().take_while(|byte| **byte == b' ').count();
        let start = at + indent;
        match scan.bytes.get(start) {
            None => break,
            Some(b'#' | b'\n' | b'\r') => {
                at = scan.line_end(start)?;
                continue;
            }
            Some(b'\t' | b'\x0c') => return None,
            Some(_) => {}
        }
        let end = scan.statement_end(start)?;
        hidden = match hidden {
            Some(Hidden { indent: outer, body }) if indent > outer => {
                let begin = body.map_or(start, |(begin, _)| begin);
                Some(Hidden { indent: outer, body: Some((begin, end)) })
            }
            done => {
                scan.hide(done.as_ref());
                scan.opens_body(start, end).then_some(Hidden { indent, body: None })
            }
        };
        at = end;
    }
    scan.hide(hidden.as_ref());
    // Whole characters are replaced: each body begins and ends at a line.
    String::from_utf8(scan.made).ok()
}

/// A function whose body is passed.
struct Hidden {
    indent: usize,
    /// Where its body begins, and ends as far as it is known.
    body: Option<(usize, usize)>,
}

struct Scan<'a> {
    bytes: &'a [u8],
    made: Vec<u8>,
}

impl Scan<'_> {
    fn byte(&self, at: usize) -> Option<u8> {
        self.bytes.get(at).copied()
    }

    /// Where the line after this one begins.
    fn line_end(&self, from: usize) -> Option<usize> {
        let rest = self.bytes.get(from..)?;
        let length = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        let line = rest.get(..length)?;
        let inner = line.strip_suffix(b"\r").unwrap_or(line);
        if memchr::memchr(b'\r', inner).is_some() {
            return None;
        }
        Some((from + length + 1).min(self.bytes.len()))
    }

    /// Where the line after the statement that begins here begins.
    fn statement_end(&self, start: usize) -> Option<usize> {
        let (mut at, mut depth) = (start, 0_usize);
        while let Some(byte) = self.byte(at) {
            match byte {
                b'\n' if depth == 0 => return Some(at + 1),
                b'\r' if self.byte(at + 1) != Some(b'\n') => return None,
                b'#' => {
                    let rest = self.bytes.get(at..)?;
                    at += memchr::memchr2(b'\n', b'\r', rest).unwrap_or(rest.len());
                    continue;
                }
                b'\\' => {
                    at += if self.bytes.get(at + 1..)?.starts_with(b"\r\n") { 3 } else { 2 };
                    continue;
                }
                b'(' | b'[' | b'{' => depth += 1,
                b')' | b']' | b'}' => depth = depth.checked_sub(1)?,
                b'"' | b'\'' => {
                    at = self.text_end(at, 0)?;
                    continue;
                }
                _ => {}
            }
            at += 1;
        }
        (depth == 0).then_some(self.bytes.len())
    }

    /// Where the literal ends whose first quote stands here.
    fn text_end(&self, quote: usize, fields: usize) -> Option<usize> {
        let mark = self.byte(quote)?;
        let is_triple = self.byte(quote + 1) == Some(mark) && self.byte(quote + 2) == Some(mark);
        let is_formatted = self.is_formatted(quote);
        let mut at = quote + if is_triple { 3 } else { 1 };
        loop {
            match self.byte(at)? {
                b'\\' => at += 2,
                b'\n' | b'\r' if !is_triple => return None,
                b'{' if is_formatted && self.byte(at + 1) == Some(b'{') => at += 2,
                b'{' if is_formatted => at = self.field_end(at + 1, fields + 1)?,
                byte if byte != mark => at += 1,
                _ if !is_triple => return Some(at + 1),
                _ if self.byte(at + 1) == Some(mark) && self.byte(at + 2) == Some(mark) => {
                    return Some(at + 3);
                }
                _ => at += 1,
            }
        }
    }

    /// Whether the letters before a quote make it an f-string or a t-string.
    fn is_formatted(&self, quote: usize) -> bool {
        let before = self.bytes.get(quote.saturating_sub(2)..quote).unwrap_or_default();
        let letters = before.iter().rev().take_while(|byte| byte.is_ascii_alphabetic());
        letters.into_iter().any(|byte| matches!(byte, b'f' | b'F' | b't' | b'T'))
    }

    /// Where a replacement field ends, behind its brace. What stands behind its colon is text, except for fields in it.
    fn field_end(&self, begin: usize, fields: usize) -> Option<usize> {
        if fields > FIELDS_MAX {
            return None;
        }
        let (mut at, mut depth, mut is_text) = (begin, 0_usize, false);
        loop {
            match self.byte(at)? {
                b'}' if depth == 0 => return Some(at + 1),
                b'{' if is_text => {
                    at = self.field_end(at + 1, fields + 1)?;
                    continue;
                }
                _ if is_text => {}
                b':' if depth == 0 => is_text = true,
                b'(' | b'[' | b'{' => depth += 1,
                b')' | b']' | b'}' => depth = depth.checked_sub(1)?,
                b'"' | b'\'' => {
                    at = self.text_end(at, fields)?;
                    continue;
                }
                // Comments and line ends in a field are rare, and left to the parser.
                b'#' => return None,
                _ => {}
            }
            at += 1;
        }
    }

    /// Whether the statement is the head of a function whose body is on lines of its own.
    fn opens_body(&self, start: usize, end: usize) -> bool {
        let statement = self.bytes.get(start..end).unwrap_or_default();
        let rest = statement.strip_prefix(b"async ").map_or(statement, <[u8]>::trim_ascii_start);
        if !rest.starts_with(b"def ") {
            return false;
        }
        let last_line = statement.trim_ascii_end().rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
        // A comment behind the head may end in anything: such a head is taken for one with its body on the line.
        last_line.ends_with(b":") && !last_line.contains(&b'#')
    }

    fn hide(&mut self, hidden: Option<&Hidden>) {
        let Some(Hidden { body: Some((begin, end)), .. }) = hidden else { return };
        let Some(body) = self.made.get_mut(*begin..*end) else { return };
        if memchr::memmem::find(body, b"global").is_some() {
            return;
        }
        for byte in body.iter_mut().filter(|byte| !matches!(byte, b'\n' | b'\r')) {
            *byte = b' ';
        }
        if let Some(first) = body.first_mut() {
            *first = b'0';
        }
    }
}
