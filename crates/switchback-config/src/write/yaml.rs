//! Nodes → YAML in block style, as its author wrote it where that is possible: order, comments, quotes, spelling of numbers.

use std::fmt::Write as _;

use super::{WriteFault, fault};
use crate::path::KeyPath;
use crate::value::{Comments, Entry, Node, Style, Value, is_same};
use crate::yaml::{Loader, scalar};

/// A flow collection that would be longer is written as a block.
const FLOW_CHARACTERS_MAX: usize = 100;
const INDENT: usize = 2;
const FORMAT: &str = "YAML";

pub(super) fn write(root: &Node, loader: Loader) -> Result<String, WriteFault> {
    let mut writer = Writer { text: String::new(), loader };
    let path = KeyPath::default();
    let comments = root.comments.as_deref();
    writer.lines(comments.map_or(&[][..], |comments| &comments.before), 0);
    match &root.value {
        Value::Map(entries) if !entries.is_empty() => writer.map(entries, 0, &path)?,
        Value::List(items) if !items.is_empty() => writer.list(items, 0, &path)?,
        _ => {
            let text = writer.inline(root, &path)?;
            writer.text.push_str(&text);
            writer.text.push('\n');
        }
    }
    writer.lines(comments.map_or(&[][..], |comments| &comments.behind), 0);
    writer.lines(comments.map_or(&[][..], |comments| &comments.after), 0);
    Ok(writer.text)
}

struct Writer {
    text: String,
    loader: Loader,
}

impl Writer {
    fn lines(&mut self, comments: &[String], indent: usize) {
        for comment in comments {
            // Writing to a string cannot fail.
            let _ = writeln!(self.text, "{:indent$}#{comment}", "");
        }
    }

    fn behind(&mut self, node: &Node) {
        for comment in node.comments.iter().flat_map(|comments| &comments.behind) {
            let _ = write!(self.text, "  #{comment}");
        }
        self.text.push('\n');
    }

    fn after(&mut self, node: &Node, indent: usize) {
        let after = node.comments.as_deref().map_or(&[][..], |comments| &comments.after);
        self.lines(after, indent);
    }

    fn map(&mut self, entries: &[Entry], indent: usize, path: &KeyPath) -> Result<(), WriteFault> {
        for entry in entries {
            let before = entry.node.comments.as_deref().map_or(&[][..], |comments| &comments.before);
            self.lines(before, indent);
            let _ = write!(self.text, "{:indent$}", "");
            self.entry(entry, indent, path)?;
        }
        Ok(())
    }

    /// An entry behind its indent.
    fn entry(&mut self, entry: &Entry, indent: usize, path: &KeyPath) -> Result<(), WriteFault> {
        let path = path.key(&entry.key.value);
        let key = self.key(&entry.key, &path)?;
        self.text.push_str(&key);
        self.text.push(':');
        self.value(&entry.node, indent, &path)
    }

    /// What stands behind `key:` or `-`, and the lines below it.
    fn value(&mut self, node: &Node, indent: usize, path: &KeyPath) -> Result<(), WriteFault> {
        if let Some(flow) = self.flow(node, path)? {
            let _ = write!(self.text, " {flow}");
            self.behind(node);
            self.after(node, indent + INDENT);
            return Ok(());
        }
        match &node.value {
            Value::Map(entries) if !entries.is_empty() => {
                self.behind(node);
                self.map(entries, indent + INDENT, path)?;
            }
            Value::List(items) if !items.is_empty() => {
                self.behind(node);
                self.list(items, indent + INDENT, path)?;
            }
            Value::Text(text) if wants_block(text, &node.style) => self.block(node, text, indent + INDENT),
            _ => {
                let text = self.inline(node, path)?;
                let _ = write!(self.text, " {text}");
                self.behind(node);
            }
        }
        self.after(node, indent + INDENT);
        Ok(())
    }

    fn list(&mut self, items: &[Node], indent: usize, path: &KeyPath) -> Result<(), WriteFault> {
        for (number, item) in items.iter().enumerate() {
            let path = path.with(crate::path::Step::Item(number));
            let before = item.comments.as_deref().map_or(&[][..], |comments| &comments.before);
            self.lines(before, indent);
            let is_flow = self.flow(item, &path)?.is_some();
            match &item.value {
                Value::Map(entries) if !entries.is_empty() && !is_flow => {
                    self.item_map(item, entries, indent, &path)?;
                    self.after(item, indent + INDENT);
                }
                _ => {
                    let _ = write!(self.text, "{:indent$}-", "");
                    self.value(item, indent, &path)?;
                }
            }
        }
        Ok(())
    }

    /// `- first: …`, and the other keys below `first`.
    fn item_map(
        &mut self,
        item: &Node,
        entries: &[Entry],
        indent: usize,
        path: &KeyPath,
    ) -> Result<(), WriteFault> {
        let behind = item.comments.as_deref().map_or(&[][..], |comments| &comments.behind);
        self.lines(behind, indent);
        let Some((first, rest)) = entries.split_first() else { return Ok(()) };
        let before = first.node.comments.as_deref().map_or(&[][..], |comments| &comments.before);
        self.lines(before, indent);
        let _ = write!(self.text, "{:indent$}- ", "");
        self.entry(first, indent + INDENT, path)?;
        self.map(rest, indent + INDENT, path)
    }

    fn block(&mut self, node: &Node, text: &str, indent: usize) {
        let body = text.trim_end_matches('\n');
        let chomp = match text.len() - body.len() {
            0 => "-",
            1 => "",
            _ => "+",
        };
        let _ = write!(self.text, " |{chomp}");
        self.behind(node);
        let lines = if chomp == "+" { &text[..text.len() - 1] } else { body };
        for line in lines.split('\n') {
            if line.is_empty() {
                self.text.push('\n');
            } else {
                let _ = writeln!(self.text, "{:indent$}{line}", "");
            }
        }
    }

    fn key(&self, key: &Node, path: &KeyPath) -> Result<String, WriteFault> {
        match &key.value {
            Value::Text(text) => Ok(self.text_inline(text, &key.style)),
            _ => self.inline(key, path),
        }
    }

    /// A collection on one line, where its author wrote it so and no comment stands in it.
    fn flow(&self, node: &Node, path: &KeyPath) -> Result<Option<String>, WriteFault> {
        if node.style != Style::Flow || has_comments_within(node) {
            return Ok(None);
        }
        let text = self.inline(node, path)?;
        Ok(Some(text).filter(|text| text.chars().count() <= FLOW_CHARACTERS_MAX))
    }

    fn inline(&self, node: &Node, path: &KeyPath) -> Result<String, WriteFault> {
        match &node.value {
            Value::List(items) => {
                let items: Result<Vec<String>, _> =
                    items.iter().map(|item| self.inline(item, path)).collect();
                Ok(format!("[{}]", items?.join(", ")))
            }
            Value::Map(entries) => {
                let entry = |entry: &Entry| {
                    let path = path.key(&entry.key.value);
                    Ok(format!("{}: {}", self.key(&entry.key, &path)?, self.inline(&entry.node, &path)?))
                };
                let entries: Result<Vec<String>, _> = entries.iter().map(entry).collect();
                Ok(format!("{{{}}}", entries?.join(", ")))
            }
            Value::Text(text) => Ok(self.text_inline(text, &node.style)),
            Value::Bytes(bytes) => {
                use base64::Engine as _;
                Ok(format!("!!binary \"{}\"", base64::engine::general_purpose::STANDARD.encode(bytes)))
            }
            value => self.plain(value, &node.style).ok_or_else(|| {
                fault(path, FORMAT, format!("YAML has no {} like this one", value.type_name()))
            }),
        }
    }

    /// A scalar that is no text: in its author's words where the loader reads them alike, else in plain ones.
    fn plain(&self, value: &Value, style: &Style) -> Option<String> {
        let reads = |text: &str| scalar::plain(text, self.loader).is_ok_and(|read| is_same(&read, value));
        if let Style::Plain(raw) = style
            && !raw.is_empty()
            && !raw.contains(['\n', '#'])
            && reads(raw)
        {
            return Some(raw.to_string());
        }
        let text = match value {
            Value::Null => "null".to_owned(),
            Value::Bool(flag) => flag.to_string(),
            Value::Integer(number) => number.to_string(),
            Value::Float(number) => float(*number),
            Value::Date(text) | Value::Time(text) => text.clone(),
            _ => return None,
        };
        reads(&text).then_some(text)
    }

    fn text_inline(&self, text: &str, style: &Style) -> String {
        let single = || format!("'{}'", text.replace('\'', "''"));
        match style {
            Style::DoubleQuoted => double_quoted(text),
            _ if needs_escapes(text) => double_quoted(text),
            Style::SingleQuoted => single(),
            _ if is_plain(text) && self.is_text(text) => text.to_owned(),
            _ => single(),
        }
    }

    /// Whether both loaders take it for text: who reads the file later may use the other one.
    fn is_text(&self, text: &str) -> bool {
        [self.loader, Loader::PyYaml, Loader::Ruamel]
            .into_iter()
            .all(|loader| matches!(scalar::plain(text, loader), Ok(Value::Text(_))))
    }
}

/// A double as every loader reads it: with a point, and a sign at the exponent.
fn float(number: f64) -> String {
    if number.is_nan() {
        return ".nan".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { ".inf" } else { "-.inf" }.to_owned();
    }
    let text = format!("{number:?}");
    let Some((mantissa, exponent)) = text.split_once('e') else { return text };
    let point = if mantissa.contains('.') { "" } else { ".0" };
    let sign = if exponent.starts_with('-') { "" } else { "+" };
    format!("{mantissa}{point}e{sign}{exponent}")
}

fn has_comments_within(node: &Node) -> bool {
    let has_any =
        |node: &Node| node.comments.as_deref().is_some_and(|comments| comments != &Comments::default());
    match &node.value {
        Value::List(items) => items.iter().any(|item| has_any(item) || has_comments_within(item)),
        Value::Map(entries) => {
            entries.iter().any(|entry| has_any(&entry.node) || has_comments_within(&entry.node))
        }
        _ => false,
    }
}

/// Lines that a block can hold without an indicator of its indent.
fn wants_block(text: &str, style: &Style) -> bool {
    *style == Style::Block
        && text.contains('\n')
        && !text.starts_with([' ', '\n', '\t'])
        && !text.trim_end_matches('\n').is_empty()
        && text.chars().all(|letter| letter == '\n' || letter == '\t' || is_printable(letter))
}

fn is_printable(letter: char) -> bool {
    // What YAML 1.1 calls printable, less the line breaks that only 1.1 knows, and the byte order mark.
    matches!(letter, '\u{20}'..='\u{7e}' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..='\u{10ffff}')
        && !matches!(letter, '\u{2028}' | '\u{2029}' | '\u{feff}')
}

fn needs_escapes(text: &str) -> bool {
    !text.chars().all(is_printable)
}

/// Safe without quotes wherever it stands, in flow collections too.
fn is_plain(text: &str) -> bool {
    let starts = text.starts_with(|letter: char| letter.is_alphanumeric() || "_/.$<(+^".contains(letter));
    starts
        && !text.ends_with([' ', ':'])
        && !text.contains(": ")
        && !text.contains(" #")
        && !text.contains([',', '[', ']', '{', '}'])
        && !text.starts_with("...")
        && text != "<<"
}

fn double_quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' | '\\' => quoted.extend(['\\', letter]),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            '\r' => quoted.push_str("\\r"),
            letter if is_printable(letter) => quoted.push(letter),
            letter => {
                let code = u32::from(letter);
                let _ = match code {
                    0..=0xff => write!(quoted, "\\x{code:02x}"),
                    0x100..=0xffff => write!(quoted, "\\u{code:04x}"),
                    _ => write!(quoted, "\\U{code:08x}"),
                };
            }
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::{Format, read};

    fn again(text: &str) -> String {
        let format = Format::Yaml(Loader::PyYaml);
        let first = read(text.as_bytes(), format, 0).unwrap().root;
        let written = write(&first, Loader::PyYaml).unwrap();
        let second = read(written.as_bytes(), format, 0)
            .unwrap_or_else(|fault| panic!("{fault:?} in\n{written}"))
            .root;
        assert!(is_same(&first.value, &second.value), "{written}");
        written
    }

    #[test]
    fn a_tidy_file_is_written_as_it_was() {
        let text = "\
# What this is
name: pipeline  # short
version: 1.0
flags: [yes, no, 0x1F]
'quoted key': 'it''s'
empty: {}
nothing: ~

steps:
  # the first
  - name: load
    retries: 3  # enough
  - name: save
    when:
      - monday
      - \"tue\\nsday\"
text: |
  line one
    line two
# the end
";
        // Blank lines are not kept; everything else is.
        assert_eq!(again(text), text.replace("\n\n", "\n"));
    }

    #[test]
    fn what_would_be_read_as_something_else_is_quoted() {
        for text in [
            "a: 'no'",
            "a: '1e3'",
            "a: '010'",
            "a: '2024-01-01'",
            "a: ' x '",
            "a: 'x: y'",
            "a: 'x #y'",
            "a: '- x'",
            "a: ''",
            "a: '@x'",
            "a: \"\\u2028\"",
            "a: '{x}'",
            "a: [',', 'a]']",
            "'1': x",
            "? 1\n: x",
            "on: x",
            "a: '<<'",
            "a: |2\n   x\n",
            "a: |+\n  x\n\n\n",
            "a: >\n  x\n  y\n",
            "a: .inf",
            "a: 1.0e+300",
            "a: !!binary aGk=",
            "- - 1\n  - 2\n- {a: b}\n",
            "a: 'null'",
            "a: '~'",
            "a: \"\\0\"",
            "a: '...'",
            "a: '---'",
            "a: '!x'",
            "a: '%x'",
        ] {
            again(text);
        }
    }
}
