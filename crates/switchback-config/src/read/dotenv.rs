//! `.env` → nodes, as python-dotenv reads it: `NAME=value`, `export NAME=value`, quotes, comments behind an unquoted value. A name
//! without a value is null. What `${…}` stands for is filled in later, like everywhere else.

use super::{Fault, Finding, Read, number};
use crate::value::{Comments, Entry, FileNumber, Node, Origin, Style, Value};

pub(super) fn read(text: &str, file: FileNumber) -> Result<Read, Fault> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let (mut entries, mut findings, mut pending): (Vec<Entry>, Vec<Finding>, Vec<String>) =
        (Vec::new(), Vec::new(), Vec::new());
    let (mut rest, mut line) = (text, 1_u32);
    while !rest.is_empty() {
        let end = rest.find('\n').unwrap_or(rest.len());
        let content = rest[..end].trim();
        if content.is_empty() {
            rest = rest.get(end + 1..).unwrap_or_default();
            line += 1;
            continue;
        }
        if let Some(comment) = content.strip_prefix('#') {
            pending.push(comment.to_owned());
            rest = rest.get(end + 1..).unwrap_or_default();
            line += 1;
            continue;
        }
        let (binding, left) = binding(rest).map_err(|reason| Fault::at(line, 1, reason))?;
        let origin = Origin { file, line };
        let node = Node { style: binding.style, ..Node::new(binding.value, origin) };
        let comments =
            Comments { before: std::mem::take(&mut pending), behind: binding.comment, after: Vec::new() };
        let node = Node { comments: (!comments.is_empty()).then(|| Box::new(comments)), ..node };
        let key = Node::new(Value::Text(binding.name.to_owned()), origin);
        let known = entries.iter().position(|entry| entry.key.value == key.value);
        match known {
            Some(known) => {
                let name = binding.name.to_owned();
                let first = entries[known].key.origin;
                findings.push(Finding::RepeatedKey { name, first, again: origin });
                entries[known].node = node;
            }
            None => entries.push(Entry { key, node }),
        }
        line += number(rest[..rest.len() - left.len()].matches('\n').count());
        rest = left;
    }
    let mut root = Node::new(Value::Map(entries), Origin { file, line: 1 });
    if !pending.is_empty() {
        root.comments_mut().after = pending;
    }
    Ok(Read { root, findings })
}

struct Binding<'t> {
    name: &'t str,
    value: Value,
    style: Style,
    comment: Vec<String>,
}

/// One binding, and what stands behind it.
fn binding(text: &str) -> Result<(Binding<'_>, &str), String> {
    let text = text.trim_start_matches([' ', '\t', '\r']);
    let text = text.strip_prefix("export ").map_or(text, str::trim_start);
    let end = text.find(['=', '\n', '#', ' ', '\t', '\r']).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    if name.is_empty() {
        return Err("it is neither a comment nor `NAME=value`".to_owned());
    }
    let rest = rest.trim_start_matches([' ', '\t']);
    let Some(rest) = rest.strip_prefix('=') else {
        let (comment, left) = line_end(rest)?;
        return Ok((Binding { name, value: Value::Null, style: Style::Free, comment }, left));
    };
    let rest = rest.trim_start_matches([' ', '\t']);
    for (quote, style) in [('\'', Style::SingleQuoted), ('"', Style::DoubleQuoted)] {
        if let Some(inner) = rest.strip_prefix(quote) {
            let (value, left) = quoted(inner, quote)?;
            let (comment, left) = line_end(left)?;
            return Ok((Binding { name, value: Value::Text(value), style, comment }, left));
        }
    }
    let end = rest.find('\n').unwrap_or(rest.len());
    let (content, left) = (&rest[..end], rest.get(end + 1..).unwrap_or_default());
    let comment = content
        .char_indices()
        .find(|(at, letter)| *letter == '#' && content[..*at].ends_with([' ', '\t']))
        .map(|(at, _)| at);
    let value = content[..comment.unwrap_or(content.len())].trim_end().to_owned();
    let comment = comment.map(|at| content[at + 1..].trim_end().to_owned()).into_iter().collect();
    Ok((Binding { name, value: Value::Text(value), style: Style::Free, comment }, left))
}

fn quoted(text: &str, quote: char) -> Result<(String, &str), String> {
    let mut value = String::new();
    let mut letters = text.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            letter if letter == quote => return Ok((value, &text[at + letter.len_utf8()..])),
            '\\' => {
                let Some((_, escaped)) = letters.next() else { break };
                match (quote, escaped) {
                    (_, '\\') => value.push('\\'),
                    (quote, escaped) if escaped == quote => value.push(quote),
                    ('"', 'n') => value.push('\n'),
                    ('"', 'r') => value.push('\r'),
                    ('"', 't') => value.push('\t'),
                    ('"', 'a') => value.push('\u{7}'),
                    ('"', 'b') => value.push('\u{8}'),
                    ('"', 'f') => value.push('\u{c}'),
                    ('"', 'v') => value.push('\u{b}'),
                    ('"', '\'') => value.push('\''),
                    (_, other) => value.extend(['\\', other]),
                }
            }
            letter => value.push(letter),
        }
    }
    Err("a quote is opened and not closed".to_owned())
}

/// What may stand behind a value: nothing, or a comment.
fn line_end(text: &str) -> Result<(Vec<String>, &str), String> {
    let end = text.find('\n').unwrap_or(text.len());
    let (content, left) = (text[..end].trim(), text.get(end + 1..).unwrap_or_default());
    match content.strip_prefix('#') {
        Some(comment) => Ok((vec![comment.to_owned()], left)),
        None if content.is_empty() => Ok((Vec::new(), left)),
        None => Err("something stands behind the value that is no comment".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::path::words;

    #[test]
    fn names_are_bound_as_python_dotenv_binds_them() {
        let text =
            "# all\nexport A=1 # one\nB = 'x # y'\nC=\"line\\nbreak\"\nD=a#b\nE\nF=\nG=\"two\nlines\"\n";
        let root = read(text, 0).unwrap().root;
        let shown: Vec<String> = root
            .entries()
            .unwrap()
            .iter()
            .map(|entry| {
                format!("{}={:?}@{}", words(&entry.key.value), entry.node.value, entry.key.origin.line)
            })
            .collect();
        assert_eq!(
            shown,
            [
                "A=Text(\"1\")@2",
                "B=Text(\"x # y\")@3",
                "C=Text(\"line\\nbreak\")@4",
                "D=Text(\"a#b\")@5",
                "E=Null@6",
                "F=Text(\"\")@7",
                "G=Text(\"two\\nlines\")@8",
            ]
        );
    }

    #[test]
    fn what_binds_nothing_is_refused_with_its_line() {
        for (text, line) in [("A=1\n=2\n", 2), ("A='x\n", 1), ("A=1\nB='x' y\n", 2)] {
            assert_eq!(read(text, 0).unwrap_err().line, line, "{text:?}");
        }
    }
}
