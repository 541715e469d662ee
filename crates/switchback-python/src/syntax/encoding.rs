//! Bytes as text of the very same length, so that every offset holds, whatever encoding they are in.

use std::borrow::Cow;

use super::SyntaxError;

/// A file as it is parsed.
pub(super) struct Source<'b> {
    /// As long as the bytes; what is not ASCII may read as another letter.
    pub(super) text: Cow<'b, str>,
    /// Why Python could not read it.
    pub(super) complaint: Option<SyntaxError>,
}

/// How the bytes of an encoding beyond ASCII can be told from those of ASCII.
enum Bytes {
    /// Every byte of another letter is beyond ASCII.
    Apart,
    /// The second byte of another letter may look like ASCII.
    Paired,
    /// Nothing tells them apart.
    Mixed,
}

/// Encodings whose letters of two bytes may end in a byte that looks like a quote, a bracket or a backslash.
const PAIRED: &[&str] = &[
    "shift", "sjis", "s-jis", "cp932", "ms932", "mskanji", "ms-kanji", "big5", "cp950", "gbk", "cp936",
    "ms936", "gb18030", "johab", "cp949", "uhc", "cp1361",
];
/// Encodings in which ASCII bytes stand for other letters.
const MIXED: &[&str] = &[
    "utf-7",
    "u7",
    "utf-16",
    "u16",
    "utf-32",
    "u32",
    "iso-2022",
    "iso2022",
    "csiso2022",
    "hz",
    "cp037",
    "cp500",
    "ebcdic",
    "rot",
];
/// On how many lines an encoding can be declared.
const DECLARING_LINES: usize = 2;

/// Reads bytes as text. Names that can be moved are ASCII in practice, and an edit compares bytes anyway.
pub(super) fn read(bytes: &[u8]) -> Source<'_> {
    let declared = declared(bytes);
    let complaint = |offset: usize, message: String| Some(SyntaxError { offset, message });
    let kind = declared.as_deref().map_or(Bytes::Apart, kind);
    if let (Bytes::Mixed, Some(name)) = (&kind, &declared) {
        return Source {
            text: Cow::Owned(" ".repeat(bytes.len())),
            complaint: complaint(0, format!("its encoding, {name}, is not read")),
        };
    }
    let invalid = match std::str::from_utf8(bytes) {
        Ok(text) => return Source { text: Cow::Borrowed(text), complaint: None },
        Err(error) => error.valid_up_to(),
    };
    let mut text = String::with_capacity(bytes.len());
    let mut is_second = false;
    for byte in bytes {
        let is_letter = is_second || !byte.is_ascii();
        is_second = !is_second && !byte.is_ascii() && matches!(kind, Bytes::Paired);
        text.push(if is_letter { 'x' } else { char::from(*byte) });
    }
    let is_claimed = declared.as_deref().is_none_or(|name| name.starts_with("utf-8") || name == "utf8");
    let message = "it is not UTF-8, and declares no other encoding".to_owned();
    Source { text: Cow::Owned(text), complaint: if is_claimed { complaint(invalid, message) } else { None } }
}

fn kind(name: &str) -> Bytes {
    let begins = |list: &[&str]| list.iter().any(|start| name.starts_with(start));
    if begins(MIXED) {
        Bytes::Mixed
    } else if begins(PAIRED) {
        Bytes::Paired
    } else {
        Bytes::Apart
    }
}

/// The encoding that a comment on the first two lines declares (PEP 263), in lower case and with hyphens.
fn declared(bytes: &[u8]) -> Option<String> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut rest = bytes;
    for _ in 0..DECLARING_LINES {
        let end = rest.iter().position(|byte| matches!(byte, b'\n' | b'\r')).unwrap_or(rest.len());
        let (line, behind) = rest.split_at(end);
        let line_end = if behind.starts_with(b"\r\n") { 2 } else { 1 };
        rest = behind.get(line_end..).unwrap_or_default();
        let line = line.trim_ascii_start();
        if line.is_empty() {
            continue;
        }
        if !line.starts_with(b"#") {
            return None;
        }
        let line = String::from_utf8_lossy(line);
        let Some((_, said)) = line.split_once("coding") else { continue };
        let Some(name) = said.strip_prefix([':', '=']) else { continue };
        let name = name.trim_start_matches([' ', '\t']);
        let end =
            name.find(|letter: char| !letter.is_ascii_alphanumeric() && !matches!(letter, '-' | '_' | '.'));
        let name = name.get(..end.unwrap_or(name.len())).unwrap_or_default();
        if !name.is_empty() {
            return Some(name.to_ascii_lowercase().replace('_', "-"));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(bytes: &[u8], text: &str, complains: bool) {
        let source = read(bytes);
        assert_eq!((source.text.as_ref(), source.complaint.is_some()), (text, complains));
        assert_eq!(source.text.len(), bytes.len());
    }

    #[test]
    fn every_encoding_keeps_its_offsets() {
        check("x = 'é'\n".as_bytes(), "x = 'é'\n", false);
        check(b"x = '\xe9'\n", "x = 'x'\n", true);
        check(b"# coding: latin-1\nx = '\xe9'\n", "# coding: latin-1\nx = 'x'\n", false);
        check(
            b"#!/bin/x\r\n# vim: set fileencoding=cp1252 :\r\n'\x80'",
            "#!/bin/x\r\n# vim: set fileencoding=cp1252 :\r\n'x'",
            false,
        );
        check(b"# coding: utf-8\n'\xe9'", "# coding: utf-8\n'x'", true);
        check(b"\r# coding: latin-1\r'\xe9'", "\r# coding: latin-1\r'x'", false);
        check(b"\n\n# coding: latin-1\n'\xe9'", "\n\n# coding: latin-1\n'x'", true);
        // The second byte of this letter is a backslash.
        check(b"# coding: Shift_JIS\n'\x83\x5c'", "# coding: Shift_JIS\n'xx'", false);
        check(b"# coding: utf-7\nimport +AGE-", "                            ", true);
    }
}
