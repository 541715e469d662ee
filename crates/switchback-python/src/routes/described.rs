//! OpenAPI documents: the paths that they describe, with the servers that they name.

use saphyr_parser::{Event, Parser, StrInput};

use super::template::{Style, Template};
use super::value::Framework;
use super::{Parameter, Route, Undecided};
use crate::tree::{Class, File, Tree, has_extension};

/// How deep a document may nest.
const DEPTH_MAX: usize = 96;
/// The methods of an operation (OpenAPI 3.1, *Path Item Object*).
const METHODS: &[&str] = &["get", "put", "post", "delete", "options", "head", "patch", "trace"];

/// What a document describes.
#[derive(Debug, Default)]
pub(super) struct Described {
    pub(super) routes: Vec<Route>,
    pub(super) undecided: Vec<Undecided>,
}

/// A value of a document, with the line of each key.
#[derive(Debug)]
enum Node {
    Map(Vec<(String, usize, Node)>),
    List(Vec<Node>),
    Text(String),
}

impl Node {
    fn get(&self, name: &str) -> Option<&Node> {
        match self {
            Self::Map(pairs) => pairs.iter().find(|(key, ..)| key == name).map(|(_, _, value)| value),
            _ => None,
        }
    }

    fn text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }
}

/// Reads a file as an OpenAPI document; nothing comes of any other file.
pub(super) fn read(tree: &Tree, file: &File) -> Described {
    let mut described = Described::default();
    let is_one = file.class == Class::Text
        && ["yaml", "yml", "json"].iter().any(|extension| has_extension(&file.path, extension));
    if !is_one {
        return described;
    }
    let holds = |bytes: &[u8], word: &[u8]| bytes.windows(word.len()).any(|part| part == word);
    let content = tree.content_if(file, |bytes| {
        (holds(bytes, b"openapi") || holds(bytes, b"swagger")) && holds(bytes, b"paths")
    });
    let Ok(Some(bytes)) = content else { return described };
    let Ok(text) = std::str::from_utf8(&bytes) else { return described };
    let document = match parse(&file.path, text) {
        Ok(document) => document,
        Err((why, line)) => {
            // A template of a document, or something else that only speaks of one.
            if text.lines().any(|line| line.starts_with("openapi:") || line.starts_with("swagger:")) {
                described.undecided.push(Undecided {
                    what: "the document".to_owned(),
                    why,
                    file: file.path.clone(),
                    line,
                    framework: Some(Framework::OpenApi),
                });
            }
            return described;
        }
    };
    let is_document = document.get("openapi").or_else(|| document.get("swagger")).is_some();
    if let (true, Some(Node::Map(paths))) = (is_document, document.get("paths")) {
        let reader = Reader { tree, file, base: base(&document) };
        for (path, line, item) in paths {
            reader.path(path, *line, item, &mut described);
        }
    }
    described
}

/// What the document says of where its paths begin.
fn base(document: &Node) -> Option<String> {
    if let Some(base) = document.get("basePath").and_then(Node::text) {
        return Some(format!("basePath {base}"));
    }
    let Some(Node::List(servers)) = document.get("servers") else { return None };
    let urls: Vec<&str> =
        servers.iter().filter_map(|server| server.get("url")).filter_map(Node::text).collect();
    if urls.is_empty() { None } else { Some(format!("servers {}", urls.join(", "))) }
}

struct Reader<'a> {
    tree: &'a Tree,
    file: &'a File,
    base: Option<String>,
}

impl Reader<'_> {
    fn path(&self, path: &str, line: usize, item: &Node, described: &mut Described) {
        if path.starts_with("x-") {
            return;
        }
        let place = item.get("$ref").and_then(Node::text);
        let other = place.map(|place| self.referred(place));
        let item = match (&other, place) {
            (None, _) => item,
            (Some(Some(found)), _) => found,
            (Some(None), place) => {
                described.undecided.push(Undecided {
                    what: path.to_owned(),
                    why: format!("it stands in `{}`, which could not be read", place.unwrap_or_default()),
                    file: self.file.path.clone(),
                    line,
                    framework: Some(Framework::OpenApi),
                });
                return;
            }
        };
        let Node::Map(pairs) = item else { return };
        let template = Template::read(Style::Braces, path, true);
        for (method, own_line, operation) in pairs {
            if !METHODS.contains(&method.as_str()) {
                continue;
            }
            let handler = operation.get("operationId").and_then(Node::text).unwrap_or_default();
            described.routes.push(Route {
                method: method.to_ascii_uppercase(),
                path: template.shown.clone(),
                normal: template.normal.clone(),
                key: template.key(),
                parameters: template
                    .parameters
                    .iter()
                    .map(|one| Parameter { name: one.name.clone(), converter: one.converter.clone() })
                    .collect(),
                handler: handler.to_owned(),
                file: self.file.path.clone(),
                line: if place.is_none() { *own_line } else { line },
                framework: Framework::OpenApi,
                condition: None,
                note: self.base.clone(),
                is_implied: false,
                is_outside: false,
            });
        }
    }

    /// The path item that stands in a file of its own.
    fn referred(&self, place: &str) -> Option<Node> {
        let (path, inside) = place.split_once('#').unwrap_or((place, ""));
        if path.is_empty() {
            return None;
        }
        let folder = self.file.path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let whole = crate::moving::resolve_path(folder, path)?;
        let file = self.tree.file(self.tree.find(&whole)?)?;
        let bytes = self.tree.content(file).ok()?;
        let mut node = parse(&whole, std::str::from_utf8(&bytes).ok()?).ok()?;
        for part in inside.split('/').filter(|part| !part.is_empty()) {
            let name = part.replace("~1", "/").replace("~0", "~");
            let Node::Map(pairs) = node else { return None };
            node = pairs.into_iter().find(|(key, ..)| *key == name).map(|(_, _, value)| value)?;
        }
        Some(node)
    }
}

/// A document; else why it is none, and the line.
fn parse(path: &str, text: &str) -> Result<Node, (String, usize)> {
    // JSON is YAML, but for tabs between its values.
    let spaced;
    let text = if has_extension(path, "json") {
        spaced = text.replace('\t', " ");
        spaced.as_str()
    } else {
        text
    };
    let mut loader = Loader { events: Parser::new_from_str(text) };
    loop {
        match loader.next()? {
            (Event::StreamStart | Event::DocumentStart(_) | Event::Nothing, _) => {}
            (Event::StreamEnd | Event::DocumentEnd, line) => return Err(("it is empty".to_owned(), line)),
            (event, line) => return loader.build(event, line, 0),
        }
    }
}

struct Loader<'t> {
    events: Parser<'t, StrInput<'t>>,
}

impl<'t> Loader<'t> {
    fn next(&mut self) -> Result<(Event<'t>, usize), (String, usize)> {
        match self.events.next_event() {
            Some(Ok((event, span))) => Ok((event, span.start.line())),
            Some(Err(error)) => Err((error.info().to_owned(), error.marker().line())),
            None => Ok((Event::StreamEnd, 1)),
        }
    }

    fn build(&mut self, event: Event<'t>, line: usize, depth: usize) -> Result<Node, (String, usize)> {
        if depth > DEPTH_MAX {
            return Err((format!("it is nested deeper than {DEPTH_MAX} levels"), line));
        }
        match event {
            Event::Scalar(text, ..) => Ok(Node::Text(text.into_owned())),
            Event::SequenceStart(..) => {
                let mut items = Vec::new();
                loop {
                    match self.next()? {
                        (Event::SequenceEnd, _) => return Ok(Node::List(items)),
                        (event, line) => items.push(self.build(event, line, depth + 1)?),
                    }
                }
            }
            Event::MappingStart(..) => {
                let mut pairs = Vec::new();
                loop {
                    let (event, line) = self.next()?;
                    if event == Event::MappingEnd {
                        return Ok(Node::Map(pairs));
                    }
                    let key = self.build(event, line, depth + 1)?;
                    let (event, value_line) = self.next()?;
                    let value = self.build(event, value_line, depth + 1)?;
                    pairs.push((key.text().unwrap_or_default().to_owned(), line, value));
                }
            }
            // What an alias stands for is never a path of its own.
            Event::Alias(_) => Ok(Node::Text(String::new())),
            _ => Err(("a value was expected".to_owned(), line)),
        }
    }
}
