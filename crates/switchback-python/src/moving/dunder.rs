//! `__import__("a.b")` gives `a`: what is taken from it has to follow the name.

use crate::syntax::{Span, is_word};

/// The attribute behind the call around the name at `span`, and what it becomes when the name changes from `old` to `new`;
/// nothing when the call is another, or when nothing changes there.
pub(super) fn attribute(bytes: &[u8], span: Span, old: &str, new: &str) -> Option<(Span, String)> {
    let before = bytes.get(..span.start)?;
    let quote = *before.last()?;
    let call = before.get(..before.len() - 1)?.trim_ascii_end();
    if !matches!(quote, b'\'' | b'"') || !call.ends_with(b"__import__(") {
        return None;
    }
    let after = bytes.get(span.end..)?.strip_prefix(&[quote])?;
    let close = after.iter().position(|byte| !byte.is_ascii_whitespace())?;
    if after.get(close) != Some(&b')') {
        return None;
    }
    let start = span.end + 1 + close + 1;
    let rest = |name: &str| name.split_once('.').map_or(String::new(), |(_, rest)| format!(".{rest}"));
    let (was, now) = (rest(old), rest(new));
    let follows = bytes.get(start..)?.strip_prefix(was.as_bytes())?;
    let is_whole = was.is_empty() || !follows.first().is_some_and(|byte| is_word(*byte));
    (was != now && is_whole).then(|| (Span::new(start, start + was.len()), now))
}
