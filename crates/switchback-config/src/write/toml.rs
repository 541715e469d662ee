//! Nodes → TOML, with comments: of each table first its values, then the tables in it.

use std::fmt::Write as _;

use super::{WriteFault, fault, text_key};
use crate::path::{KeyPath, Step};
use crate::value::{Entry, Node, Style, Value};

const FORMAT: &str = "TOML";

pub(super) fn write(root: &Node) -> Result<String, WriteFault> {
    let Value::Map(entries) = &root.value else {
        return Err(fault(&KeyPath::default(), FORMAT, "the whole of a TOML file is a map"));
    };
    let mut text = String::new();
    let comments = root.comments.as_deref();
    lines(comments.map_or(&[][..], |comments| &comments.before), &mut text);
    table(entries, &KeyPath::default(), "", &mut text)?;
    lines(comments.map_or(&[][..], |comments| &comments.after), &mut text);
    Ok(text)
}

fn lines(comments: &[String], text: &mut String) {
    for comment in comments {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "#{comment}");
    }
}

fn before(node: &Node, text: &mut String) {
    lines(node.comments.as_deref().map_or(&[][..], |comments| &comments.before), text);
}

fn behind(node: &Node) -> String {
    node.comments.iter().flat_map(|comments| &comments.behind).fold(String::new(), |mut text, comment| {
        let _ = write!(text, "  #{comment}");
        text
    })
}

fn after(node: &Node, text: &mut String) {
    lines(node.comments.as_deref().map_or(&[][..], |comments| &comments.after), text);
}

fn table(entries: &[Entry], path: &KeyPath, header: &str, text: &mut String) -> Result<(), WriteFault> {
    for entry in entries.iter().filter(|entry| !is_table(&entry.node)) {
        before(&entry.node, text);
        let key = key(&entry.key.value, path)?;
        let value = inline(&entry.node, &path.key(&entry.key.value))?;
        let _ = writeln!(text, "{key} = {value}{}", behind(&entry.node));
        after(&entry.node, text);
    }
    for entry in entries.iter().filter(|entry| is_table(&entry.node)) {
        let path = path.key(&entry.key.value);
        let key = key(&entry.key.value, &path)?;
        let header = if header.is_empty() { key } else { format!("{header}.{key}") };
        if let Value::Map(entries) = &entry.node.value {
            if !text.is_empty() {
                text.push('\n');
            }
            before(&entry.node, text);
            let _ = writeln!(text, "[{header}]{}", behind(&entry.node));
            table(entries, &path, &header, text)?;
        }
        after(&entry.node, text);
    }
    Ok(())
}

fn is_table(node: &Node) -> bool {
    matches!(node.value, Value::Map(_))
}

fn key(key: &Value, path: &KeyPath) -> Result<String, WriteFault> {
    let name = text_key(key, path, FORMAT)?;
    let is_bare = !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
    Ok(if is_bare { name.to_owned() } else { quoted(name) })
}

fn quoted(text: &str) -> String {
    // JSON's escapes are TOML's, but for the delete character.
    serde_json::Value::from(text).to_string().replace('\u{7f}', "\\u007f")
}

fn inline(node: &Node, path: &KeyPath) -> Result<String, WriteFault> {
    match &node.value {
        Value::Bool(flag) => Ok(flag.to_string()),
        Value::Integer(number) => match i64::try_from(number) {
            Ok(number) => Ok(number.to_string()),
            Err(_) => Err(fault(path, FORMAT, "the integer has more than 64 bits")),
        },
        Value::Float(number) if number.is_nan() => Ok("nan".to_owned()),
        Value::Float(number) if number.is_infinite() => {
            Ok(if *number > 0.0 { "inf" } else { "-inf" }.to_owned())
        }
        Value::Float(number) => Ok(format!("{number:?}")),
        Value::Text(text) => Ok(quoted(text)),
        Value::Date(text) | Value::Clock(text) | Value::Time(text) => Ok(moment(node, text)),
        Value::List(items) => {
            let item = |(at, item): (usize, &Node)| inline(item, &path.with(Step::Item(at)));
            let items: Result<Vec<String>, _> = items.iter().enumerate().map(item).collect();
            Ok(format!("[{}]", items?.join(", ")))
        }
        Value::Map(entries) => {
            let entry = |entry: &Entry| {
                let path = path.key(&entry.key.value);
                Ok(format!("{} = {}", key(&entry.key.value, &path)?, inline(&entry.node, &path)?))
            };
            let entries: Result<Vec<String>, _> = entries.iter().map(entry).collect();
            Ok(format!("{{ {} }}", entries?.join(", ")))
        }
        Value::Null | Value::Bytes(_) => {
            Err(fault(path, FORMAT, format!("TOML has no {}", node.value.type_name())))
        }
    }
}

/// A day or a time: as its author wrote it, where TOML reads that alike, else without a fraction that is none.
fn moment(node: &Node, text: &str) -> String {
    let is_same = |raw: &str| {
        raw.parse()
            .ok()
            .and_then(|moment| crate::read::toml::stamp(&moment))
            .is_some_and(|read| read == node.value)
    };
    match &node.style {
        Style::Plain(raw) if is_same(raw) => raw.to_string(),
        _ => text.replacen(".000000", "", 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::{Format, read};
    use crate::value::is_same;

    #[test]
    fn values_and_comments_come_back() {
        let text = "# top\na = 1  # one\nb = \"x\\ty\"\nlist = [1, { c = 2.0 }]\n\n# db\n[db]\nhost = \"h\"\n\n[db.\"a b\"]\nday = 2024-02-29\n# end\n";
        let first = read(text.as_bytes(), Format::Toml, 0).unwrap().root;
        let written = write(&first).unwrap();
        assert_eq!(written, text);
        assert!(is_same(&first.value, &read(written.as_bytes(), Format::Toml, 0).unwrap().root.value));
    }

    #[test]
    fn what_toml_lacks_is_named() {
        let yaml = Format::Yaml(crate::yaml::Loader::PyYaml);
        for (text, wanted) in
            [("a: {b: null}", "`a.b`"), ("a: {1: x}", "no text but integer"), ("- 1", "is a map")]
        {
            let fault = write(&read(text.as_bytes(), yaml, 0).unwrap().root).unwrap_err().to_string();
            assert!(fault.contains(wanted), "{fault}");
        }
    }
}
