//! INI → nodes, as Python's `configparser.RawConfigParser` reads it (<https://docs.python.org/3/library/configparser.html>): a map
//! of sections, each a map of options in lower case whose values are text; what `[DEFAULT]` says is in each section too.

use super::{Fault, Read, number};
use crate::value::{Comments, Entry, FileNumber, Node, Origin, Style, Value};

const DEFAULT: &str = "DEFAULT";

pub(super) fn read(text: &str, file: FileNumber) -> Result<Read, Fault> {
    let mut reader = Reader { file, sections: Vec::new(), pending: Vec::new(), open: None };
    for (line, content) in (1..).map(number).zip(text.strip_prefix('\u{feff}').unwrap_or(text).lines()) {
        reader.line(line, content)?;
    }
    Ok(Read { root: reader.finish(), findings: Vec::new() })
}

struct Section {
    name: Node,
    options: Vec<Binding>,
    comments: Vec<String>,
}

struct Binding {
    key: Node,
    /// The lines of its value; `None` where it has no sign of equality.
    lines: Vec<String>,
    indent: usize,
    comments: Vec<String>,
}

struct Reader {
    file: FileNumber,
    sections: Vec<Section>,
    /// Comments that wait for what they stand above.
    pending: Vec<String>,
    /// Whether a line may go on with the value before it.
    open: Option<usize>,
}

impl Reader {
    fn line(&mut self, line: u32, content: &str) -> Result<(), Fault> {
        let trimmed = content.trim();
        if let Some(comment) = trimmed.strip_prefix(['#', ';']) {
            self.pending.push(comment.to_owned());
            return Ok(());
        }
        let indent = content.len() - content.trim_start().len();
        let last = self.sections.last_mut().and_then(|section| section.options.last_mut());
        if let (Some(_), Some(option)) = (self.open, last) {
            if trimmed.is_empty() {
                option.lines.push(String::new());
                return Ok(());
            }
            if indent > option.indent {
                option.lines.push(trimmed.to_owned());
                return Ok(());
            }
        }
        if trimmed.is_empty() {
            return Ok(());
        }
        if let Some(name) = trimmed.strip_prefix('[') {
            let Some((name, _)) = name.rsplit_once(']') else {
                return Err(Fault::at(line, 1, "the name of a section has no closing bracket"));
            };
            return self.section(line, name);
        }
        self.option(line, trimmed, indent)
    }

    fn section(&mut self, line: u32, name: &str) -> Result<(), Fault> {
        let text = |section: &Section| crate::path::words(&section.name.value);
        if self.sections.iter().any(|section| text(section) == name) {
            return Err(Fault::at(line, 1, format!("the section `{name}` stands twice")));
        }
        let name = Node::new(Value::Text(name.to_owned()), Origin { file: self.file, line });
        let comments = std::mem::take(&mut self.pending);
        self.sections.push(Section { name, options: Vec::new(), comments });
        self.open = None;
        Ok(())
    }

    fn option(&mut self, line: u32, content: &str, indent: usize) -> Result<(), Fault> {
        let Some(section) = self.sections.last_mut() else {
            return Err(Fault::at(line, 1, "it stands before any section"));
        };
        let Some(at) = content.find(['=', ':']).filter(|at| *at > 0) else {
            return Err(Fault::at(line, 1, "it is neither `[section]` nor `option = value`"));
        };
        let name = content[..at].trim_end().to_lowercase();
        if section.options.iter().any(|option| option.key.value == Value::Text(name.clone())) {
            return Err(Fault::at(line, 1, format!("the option `{name}` stands twice in its section")));
        }
        let key = Node::new(Value::Text(name), Origin { file: self.file, line });
        let lines = vec![content[at + 1..].trim().to_owned()];
        let comments = std::mem::take(&mut self.pending);
        section.options.push(Binding { key, lines, indent, comments });
        self.open = Some(section.options.len() - 1);
        Ok(())
    }

    fn finish(self) -> Node {
        let file = self.file;
        let after = self.pending;
        let (defaults, sections): (Vec<Section>, Vec<Section>) = self
            .sections
            .into_iter()
            .partition(|section| section.name.value == Value::Text(DEFAULT.to_owned()));
        let own: Option<(Node, Vec<String>)> =
            defaults.first().map(|section| (section.name.clone(), section.comments.clone()));
        let defaults: Vec<Entry> =
            defaults.into_iter().flat_map(|section| section.options).map(Binding::entry).collect();
        let mut entries = Vec::new();
        if let Some((name, comments)) = own {
            // It can be asked for by its own name as well.
            let mut node = Node::new(Value::Map(defaults.clone()), name.origin);
            if !comments.is_empty() {
                node.comments_mut().before = comments;
            }
            entries.push(Entry { key: name, node });
        }
        for section in sections {
            let mut options: Vec<Entry> = section.options.into_iter().map(Binding::entry).collect();
            for default in &defaults {
                if !options.iter().any(|option| option.key.value == default.key.value) {
                    options.push(default.clone());
                }
            }
            let mut node = Node::new(Value::Map(options), section.name.origin);
            if !section.comments.is_empty() {
                node.comments_mut().before = section.comments;
            }
            entries.push(Entry { key: section.name, node });
        }
        let mut root = Node::new(Value::Map(entries), Origin { file, line: 1 });
        if !after.is_empty() {
            root.comments_mut().after = after;
        }
        root
    }
}

impl Binding {
    fn entry(mut self) -> Entry {
        while self.lines.last().is_some_and(String::is_empty) && self.lines.len() > 1 {
            self.lines.pop();
        }
        let origin = self.key.origin;
        let mut node =
            Node { style: Style::DoubleQuoted, ..Node::new(Value::Text(self.lines.join("\n")), origin) };
        if !self.comments.is_empty() {
            node.comments = Some(Box::new(Comments { before: self.comments, ..Comments::default() }));
        }
        Entry { key: self.key, node }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::path::{KeyPath, find};

    fn text<'n>(root: &'n Node, path: &str) -> Option<&'n Value> {
        find(root, &KeyPath::parse(path).unwrap()).map(|node| &node.value)
    }

    #[test]
    fn sections_options_and_defaults() {
        let ini = "[DEFAULT]\nTimeout = 30\n# where\n[db]\nHost: localhost\nports =\n  5432\n  5433\n\n[api]\ntimeout=5\n";
        let root = read(ini, 0).unwrap().root;
        for (path, wanted) in [
            ("db.host", "localhost"),
            ("db.timeout", "30"),
            ("db.ports", "\n5432\n5433"),
            ("api.timeout", "5"),
        ] {
            assert_eq!(text(&root, path), Some(&Value::Text(wanted.to_owned())), "{path}");
        }
        assert_eq!(text(&root, "DEFAULT.timeout"), Some(&Value::Text("30".to_owned())));
    }

    #[test]
    fn what_configparser_refuses_is_refused_with_its_line() {
        for (ini, line) in
            [("a=1\n", 1), ("[a]\nx=1\nX=2\n", 3), ("[a]\n[b]\n[a]\n", 3), ("[a]\nword\n", 2), ("[a\n", 1)]
        {
            assert_eq!(read(ini, 0).unwrap_err().line, line, "{ini:?}");
        }
    }
}
