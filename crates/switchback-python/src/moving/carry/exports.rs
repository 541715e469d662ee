//! `__all__` as a list of plain texts: names taken out and put in, in the layout and the order that it has.

use crate::syntax::{Outline, Span};

/// What is to be removed so that `__all__` lists `name` no more; nothing when it is no plain list.
pub(super) fn without(bytes: &[u8], outline: &Outline, name: &str) -> Option<Span> {
    let list = outline.exports.as_ref()?;
    let at = list.names.iter().position(|(listed, _)| listed == name)?;
    let (_, place) = list.names.get(at)?;
    if let Some(line) = own_line(bytes, *place) {
        return Some(line);
    }
    if let Some((_, next)) = list.names.get(at + 1) {
        return Some(Span::new(place.start, next.start));
    }
    let before = at.checked_sub(1).and_then(|at| list.names.get(at));
    Some(Span::new(before.map_or(place.start, |(_, before)| before.end), place.end))
}

/// The line of a name that has it to itself, with its comma and its line end.
fn own_line(bytes: &[u8], place: Span) -> Option<Span> {
    let before = bytes.get(..place.start)?;
    let start = before.iter().rposition(|byte| *byte == b'\n')? + 1;
    let rest = bytes.get(place.end..)?;
    let length = rest.iter().position(|byte| *byte == b'\n')? + 1;
    let behind = std::str::from_utf8(rest.get(..length)?).ok()?.trim();
    let behind = behind.strip_prefix(',')?.trim_start();
    let is_alone = before.get(start..)?.iter().all(u8::is_ascii_whitespace)
        && (behind.is_empty() || behind.starts_with('#'));
    is_alone.then(|| Span::new(start, place.end + length))
}

/// What is to be put where so that `__all__` lists `names` too; nothing when it is no plain list.
pub(super) fn with(
    bytes: &[u8],
    outline: &Outline,
    names: &[&str],
    line_end: &str,
) -> Option<Vec<(usize, String)>> {
    let list = outline.exports.as_ref()?;
    let is_rising = list.names.is_sorted_by(|one, other| one.0 <= other.0);
    let mut puts = Vec::new();
    let Some((_, last)) = list.names.last() else {
        let quoted: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
        return Some(vec![(list.span.start + 1, quoted.join(", "))]);
    };
    for name in names {
        if list.names.iter().any(|(listed, _)| listed == name) {
            continue;
        }
        let quote = bytes.get(last.start).map_or('"', |byte| char::from(*byte));
        let text = format!("{quote}{name}{quote}");
        let next = list.names.iter().find(|(listed, _)| is_rising && listed.as_str() > *name);
        match (next, own_line(bytes, next.map_or(*last, |(_, next)| *next))) {
            (Some((_, next)), Some(line)) => {
                puts.push((line.start, format!("{}{text},{line_end}", indent(bytes, line, *next))));
            }
            (Some((_, next)), None) => puts.push((next.start, format!("{text}, "))),
            (None, Some(line)) => {
                puts.push((line.end, format!("{}{text},{line_end}", indent(bytes, line, *last))));
            }
            (None, None) => puts.push((last.end, format!(", {text}"))),
        }
    }
    Some(puts)
}

fn indent(bytes: &[u8], line: Span, place: Span) -> String {
    String::from_utf8_lossy(Span::new(line.start, place.start).of(bytes)).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::outline;

    fn taken(source: &str, name: &str) -> String {
        let span = without(source.as_bytes(), &outline(source.as_bytes()), name).unwrap();
        format!("{}{}", &source[..span.start], &source[span.end..])
    }

    fn added(source: &str, name: &str) -> String {
        let puts = with(source.as_bytes(), &outline(source.as_bytes()), &[name], "\n").unwrap();
        let (at, text) = &puts[0];
        format!("{}{text}{}", &source[..*at], &source[*at..])
    }

    #[test]
    fn names_leave_in_every_layout() {
        assert_eq!(taken("__all__ = ['a', 'b', 'c']\n", "b"), "__all__ = ['a', 'c']\n");
        assert_eq!(taken("__all__ = ['a', 'b']\n", "b"), "__all__ = ['a']\n");
        assert_eq!(taken("__all__ = ['a']\n", "a"), "__all__ = []\n");
        assert_eq!(taken("__all__ = [\n    'a',\n    'b',  # x\n]\n", "b"), "__all__ = [\n    'a',\n]\n");
    }

    #[test]
    fn names_come_where_they_belong() {
        assert_eq!(added("__all__ = ['a', 'c']\n", "b"), "__all__ = ['a', 'b', 'c']\n");
        assert_eq!(added("__all__ = ['c', 'a']\n", "b"), "__all__ = ['c', 'a', 'b']\n");
        assert_eq!(added("__all__ = []\n", "b"), "__all__ = [\"b\"]\n");
        assert_eq!(
            added("__all__ = [\n    \"a\",\n    \"c\",\n]\n", "b"),
            "__all__ = [\n    \"a\",\n    \"b\",\n    \"c\",\n]\n"
        );
    }
}
