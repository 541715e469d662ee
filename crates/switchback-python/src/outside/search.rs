//! Folders that code adds to `sys.path`: literal ones, and those that are told from `__file__`.

use std::collections::BTreeMap;

use crate::moving::resolve_path;
use crate::syntax::values::{Deed, Expression, Form, Statement, values};
use crate::syntax::{Span, line_of};
use crate::tree::{Class, File, Tree};

/// A folder that is searched for modules besides the source roots.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchFolder {
    /// The file that says so; empty when the caller did.
    pub path: String,
    /// The line, from 1.
    pub line: usize,
    /// The folder, relative to the tree; nothing when it could not be told.
    pub folder: Option<String>,
    /// What was found out: how the folder was told, or why it could not be.
    pub why: String,
}

impl SearchFolder {
    /// Whether a file finds modules there: the file itself, and all below the folder of a `conftest.py`.
    pub fn serves(&self, file: &str) -> bool {
        if self.path.is_empty() || self.path == file {
            return true;
        }
        let Some(around) = self.path.strip_suffix("conftest.py") else { return false };
        file.starts_with(around)
    }
}

/// The folder of a path, or what is known of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Known {
    /// A path relative to the tree, and whether it was told from `__file__`.
    Path(String, bool),
    /// A path and what lies above it, as `parents` has them.
    Parents(String),
    /// Outside of the tree.
    Away,
    /// `__file__` itself was led out of the tree.
    Unknown,
}

/// Every edit of `sys.path` in the tree.
pub(super) fn search_folders(tree: &Tree) -> Vec<SearchFolder> {
    let mut found = Vec::new();
    for file in tree.files.iter().filter(|file| file.class == Class::Python) {
        let holds = |bytes: &[u8]| {
            [b"sys.path".as_slice(), b"addsitedir"]
                .iter()
                .any(|word| bytes.windows(word.len()).any(|part| part == *word))
        };
        let Ok(Some(bytes)) = tree.content_if(file, holds) else { continue };
        let mut reader = Reader { tree, file, bytes: &bytes, names: BTreeMap::new(), found: Vec::new() };
        reader.body(&values(&bytes));
        found.extend(reader.found);
    }
    found
}

struct Reader<'a> {
    tree: &'a Tree,
    file: &'a File,
    bytes: &'a [u8],
    names: BTreeMap<String, Known>,
    found: Vec<SearchFolder>,
}

impl Reader<'_> {
    fn body(&mut self, statements: &[Statement]) {
        for statement in statements {
            match &statement.deed {
                Deed::Assign(targets, value) => {
                    let known = self.known(value);
                    for target in targets {
                        if let Form::Name(name) = &target.form {
                            self.names.insert(name.clone(), known.clone());
                        }
                        if is_sys_path(target) {
                            self.folders(value, statement.span);
                        }
                    }
                }
                Deed::Extend(target, value) if is_sys_path(target) => self.folders(value, statement.span),
                Deed::Express(value) => self.call(value),
                Deed::Branch(branches) => branches.iter().for_each(|(_, body)| self.body(body)),
                Deed::Perhaps(body) | Deed::With(_, body) => self.body(body),
                Deed::Loop(target, source, body) => {
                    // Each of a literal list in turn.
                    let items = match &source.form {
                        Form::List(items) => items.clone(),
                        _ => vec![source.clone()],
                    };
                    for item in items {
                        let known = if matches!(source.form, Form::List(_)) {
                            self.known(&item)
                        } else {
                            Known::Unknown
                        };
                        if let Form::Name(name) = &target.form {
                            self.names.insert(name.clone(), known);
                        }
                        self.body(body);
                    }
                }
                Deed::Attempt(body, handlers, rest) => {
                    self.body(body);
                    for handler in handlers {
                        self.body(handler);
                    }
                    self.body(rest);
                }
                Deed::Define(function) => self.body(&function.body),
                _ => {}
            }
        }
    }

    fn call(&mut self, value: &Expression) {
        let Form::Call(callee, arguments) = &value.form else { return };
        let Form::Attribute(object, name) = &callee.form else { return };
        let at = match name.as_str() {
            "insert" if is_sys_path(object) => 1,
            "append" | "extend" if is_sys_path(object) => 0,
            "addsitedir" => 0,
            _ => return,
        };
        if let Some(argument) = arguments.get(at) {
            self.folders(&argument.value, value.span);
        }
    }

    fn folders(&mut self, value: &Expression, span: Span) {
        match &value.form {
            Form::List(items) => items.iter().for_each(|item| self.folders(item, span)),
            Form::Spread(inner) if is_sys_path(inner) => {}
            _ if is_sys_path(value) => {}
            Form::Sum(one, other) => {
                self.folders(one, span);
                self.folders(other, span);
            }
            _ => {
                let (folder, why) = match self.known(value) {
                    Known::Path(path, true) => self.checked(path, "told from `__file__`"),
                    Known::Path(path, false) => self.checked(path, "written out"),
                    Known::Away => (None, "it lies outside of the tree".to_owned()),
                    Known::Parents(_) | Known::Unknown => (None, "it is computed".to_owned()),
                };
                let line = line_of(self.bytes, span.start).0;
                let one = SearchFolder { path: self.file.path.clone(), line, folder, why };
                if !self.found.contains(&one) {
                    self.found.push(one);
                }
            }
        }
    }

    fn checked(&self, path: String, why: &str) -> (Option<String>, String) {
        if path.is_empty() || self.tree.is_directory(&path) {
            (Some(path), why.to_owned())
        } else {
            (None, format!("`{path}` is no folder of the tree"))
        }
    }

    /// What is known of a value that may be a path.
    fn known(&self, value: &Expression) -> Known {
        match &value.form {
            Form::Name(name) if name == "__file__" => Known::Path(self.file.path.clone(), true),
            Form::Name(name) => self.names.get(name).cloned().unwrap_or(Known::Unknown),
            Form::Text(text) if text.starts_with('/') => Known::Away,
            Form::Text(text) => {
                // What leads out of the tree's root is meant from the file's own folder: Sphinx runs its `conf.py` there.
                let beside = self.file.path.rsplit_once('/').map_or("", |(folder, _)| folder);
                match resolve_path("", text).or_else(|| resolve_path(beside, text)) {
                    Some(path) => Known::Path(path, false),
                    None => Known::Away,
                }
            }
            Form::Below(one, other) => match (self.known(one), &other.form) {
                (Known::Path(path, is_told), Form::Text(below)) => below_of(&path, below, is_told),
                _ => Known::Unknown,
            },
            Form::Attribute(object, name) => match (self.known(object), name.as_str()) {
                (Known::Path(path, is_told), "parent") => above(&path, is_told),
                (Known::Path(path, _), "parents") => Known::Parents(path),
                _ => Known::Unknown,
            },
            Form::Item(object, key) => match (self.known(object), &key.form) {
                (Known::Parents(path), Form::Number(count)) => {
                    (0..=*count).fold(Known::Path(path, true), |known, _| match known {
                        Known::Path(path, is_told) => above(&path, is_told),
                        other => other,
                    })
                }
                _ => Known::Unknown,
            },
            Form::Call(callee, arguments) => {
                let name = match &callee.form {
                    Form::Name(name) | Form::Attribute(_, name) => name.as_str(),
                    _ => return Known::Unknown,
                };
                let first = arguments.first().map(|argument| self.known(&argument.value));
                match (name, first) {
                    ("dirname", Some(Known::Path(path, is_told))) => above(&path, is_told),
                    ("str" | "abspath" | "realpath" | "normpath" | "fspath" | "expanduser", Some(known)) => {
                        known
                    }
                    ("Path" | "PurePath" | "join", Some(known)) => {
                        Self::joined(known, arguments.get(1..).unwrap_or_default())
                    }
                    ("resolve" | "absolute" | "as_posix" | "__str__", None) => match &callee.form {
                        Form::Attribute(object, _) => self.known(object),
                        _ => Known::Unknown,
                    },
                    ("joinpath", Some(_)) => match &callee.form {
                        Form::Attribute(object, _) => Self::joined(self.known(object), arguments),
                        _ => Known::Unknown,
                    },
                    _ => Known::Unknown,
                }
            }
            _ => Known::Unknown,
        }
    }

    fn joined(first: Known, rest: &[crate::syntax::values::Argument]) -> Known {
        rest.iter().fold(first, |known, argument| match (known, &argument.value.form) {
            (Known::Path(path, is_told), Form::Text(below)) => below_of(&path, below, is_told),
            (Known::Path(path, is_told), Form::Attribute(_, name)) if name == "pardir" => {
                below_of(&path, "..", is_told)
            }
            (Known::Away, _) => Known::Away,
            _ => Known::Unknown,
        })
    }
}

/// What lies around a path; the tree's own root lies in nothing that is known.
fn above(path: &str, is_told: bool) -> Known {
    match path.rsplit_once('/') {
        Some((folder, _)) => Known::Path(folder.to_owned(), is_told),
        None if path.is_empty() => Known::Away,
        None => Known::Path(String::new(), is_told),
    }
}

fn below_of(path: &str, below: &str, is_told: bool) -> Known {
    match resolve_path(path, below) {
        Some(path) if !below.starts_with('/') => Known::Path(path, is_told),
        _ => Known::Away,
    }
}

fn is_sys_path(expression: &Expression) -> bool {
    match &expression.form {
        Form::Attribute(object, name) => {
            name == "path" && matches!(&object.form, Form::Name(name) if name == "sys")
        }
        Form::Item(object, _) => is_sys_path(object),
        _ => false,
    }
}
