//! A module cut into units of whole lines: each statement with the comments above it, under the name that it is known by.

use std::collections::HashMap;

use ruff_python_ast::{self as ast, Expr, Stmt};
use ruff_python_parser::{Mode, ParseOptions};
use ruff_text_size::{Ranged, TextRange};

use super::facts::Span;
use super::names::{dotted, last, span};
use super::{depth, encoding};

/// What a unit is to a merge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnitKind {
    /// An import statement.
    Import,
    /// A list of exported names: `__all__ = […]`.
    Exports,
    /// A function or a class.
    Definition,
    /// An assignment to names.
    Value,
    /// The first string of a body.
    Docstring,
    /// Anything else: its place among the others may matter.
    Other,
}

/// One entry of a list of names that a unit holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// What it is, alias included.
    pub word: String,
    /// The name that it binds; empty for none.
    pub bound: String,
    /// Where.
    pub span: Span,
}

/// A statement and the lines that belong to it.
#[derive(Debug, Clone)]
pub struct Unit {
    /// Its lines: from the end of the unit before it to the end of its own last line.
    pub span: Span,
    /// The statement alone, decorators included.
    pub statement: Span,
    /// What it is known by within its body.
    pub key: String,
    /// Its name for people.
    pub label: String,
    /// What it is.
    pub kind: UnitKind,
    /// The names that it imports or exports.
    pub items: Vec<Item>,
    /// Where an import takes its names from; empty for `import …`.
    pub origin: String,
    /// The units within, where its body stands on lines of its own.
    pub inner: Option<Inner>,
}

/// What stands within a unit.
#[derive(Debug, Clone)]
pub struct Inner {
    /// From the unit's beginning to the end of the line that opens its body.
    pub header: Span,
    /// Its body.
    pub body: Body,
}

/// A body: units, and what follows the last.
#[derive(Debug, Clone, Default)]
pub struct Body {
    /// In the order of the file.
    pub units: Vec<Unit>,
    /// Lines after the last unit.
    pub tail: Option<Span>,
}

/// Cuts a module into units; nothing when it does not parse.
pub fn units(bytes: &[u8]) -> Option<Body> {
    let source = encoding::read(bytes).text;
    let read = depth::walk(&source, ParseOptions::from(Mode::Module), |parsed| {
        if !parsed.errors().is_empty() {
            return None;
        }
        let ast::Mod::Module(module) = parsed.syntax() else { return None };
        let cutter = Cutter { source: &source };
        let start = if bytes.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
        Some(cutter.body(&module.body, Span::new(start, bytes.len()), true))
    });
    read.flatten()
}

/// Whether a module parses.
pub fn parses(bytes: &[u8]) -> bool {
    let source = encoding::read(bytes).text;
    let options = ParseOptions::from(Mode::Module);
    depth::walk(&source, options, |parsed| parsed.errors().is_empty()).unwrap_or(false)
}

struct Cutter<'a> {
    source: &'a str,
}

impl Cutter<'_> {
    fn text(&self, span: Span) -> &str {
        self.source.get(span.start..span.end).unwrap_or_default()
    }

    fn written(&self, range: TextRange) -> String {
        self.text(span(range)).split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// The end of the line that `at` is on, line end included.
    fn line_end(&self, at: usize, limit: usize) -> usize {
        let rest = self.source.get(at..limit).unwrap_or_default();
        rest.find('\n').map_or(limit, |found| at + found + 1)
    }

    fn body(&self, statements: &[Stmt], within: Span, may_have_tail: bool) -> Body {
        let mut units: Vec<Unit> = Vec::new();
        let mut from = within.start;
        for (at, statement) in statements.iter().enumerate() {
            let place = span(statement.range());
            if let Some(before) = units.last_mut()
                && place.start < from
            {
                // Two statements on one line are one unit, and nothing of it can be told apart.
                let end = self.line_end(place.end, within.end);
                before.span.end = end;
                before.statement.end = place.end;
                before.kind = UnitKind::Other;
                before.items.clear();
                before.inner = None;
                before.key = format!("line {}", self.text(before.statement));
                from = end;
                continue;
            }
            let end = self.line_end(place.end, within.end);
            units.push(self.unit(statement, Span::new(from, end), at == 0));
            from = end;
        }
        let mut seen: HashMap<String, usize> = HashMap::new();
        for unit in &mut units {
            let count = seen.entry(unit.key.clone()).or_insert(0);
            *count += 1;
            if *count > 1 {
                unit.key = format!("{} #{count}", unit.key);
            }
        }
        let tail = (may_have_tail && from < within.end).then(|| Span::new(from, within.end));
        Body { units, tail }
    }

    fn unit(&self, statement: &Stmt, lines: Span, is_first: bool) -> Unit {
        let mut unit = Unit {
            span: lines,
            statement: span(statement.range()),
            key: String::new(),
            label: String::new(),
            kind: UnitKind::Other,
            items: Vec::new(),
            origin: String::new(),
            inner: None,
        };
        match statement {
            Stmt::Import(import) => self.import(import, &mut unit),
            Stmt::ImportFrom(import) => Self::import_from(import, &mut unit),
            Stmt::FunctionDef(function) => {
                unit.kind = UnitKind::Definition;
                unit.label = function.name.to_string();
                unit.key = format!("def {}", unit.label);
                let role = function.decorator_list.iter().filter_map(|one| last(&one.expression));
                if let Some(role) =
                    role.into_iter().find(|one| matches!(*one, "setter" | "getter" | "deleter"))
                {
                    unit.key = format!("{} {role}", unit.key);
                }
            }
            Stmt::ClassDef(class) => {
                unit.kind = UnitKind::Definition;
                unit.label = class.name.to_string();
                unit.key = format!("class {}", unit.label);
                let head_end =
                    class.arguments.as_ref().map_or(class.name.range().end(), |one| one.range.end());
                unit.inner = self.inner(&class.body, lines, head_end.to_usize());
            }
            Stmt::Assign(assign) => {
                let names: Option<Vec<String>> = assign.targets.iter().map(dotted).collect();
                if let Some(names) = names {
                    Self::value(&names.join(" = "), Some(&assign.value), &mut unit);
                } else {
                    let targets: Vec<String> =
                        assign.targets.iter().map(|target| self.written(target.range())).collect();
                    unit.label = targets.join(" = ");
                    unit.key = format!("= {}", unit.label);
                }
            }
            Stmt::AnnAssign(assign) => {
                let name = self.written(assign.target.range());
                Self::value(&name, assign.value.as_deref(), &mut unit);
            }
            Stmt::TypeAlias(alias) => Self::value(&self.written(alias.name.range()), None, &mut unit),
            Stmt::If(branch) if branch.elif_else_clauses.is_empty() => {
                unit.label = format!("if {}", self.written(branch.test.range()));
                unit.key.clone_from(&unit.label);
                unit.inner = self.inner(&branch.body, lines, branch.test.range().end().to_usize());
            }
            Stmt::Expr(expression) if is_first && expression.value.is_string_literal_expr() => {
                unit.kind = UnitKind::Docstring;
                "docstring".clone_into(&mut unit.label);
                unit.key.clone_from(&unit.label);
            }
            other => {
                let text = self.written(other.range());
                let is_compound = !matches!(other, Stmt::Expr(_) | Stmt::AugAssign(_) | Stmt::Assert(_));
                let head = text.split_once(": ").map_or(text.as_str(), |(head, _)| head);
                unit.label = head.chars().take(LABEL_LETTERS_MAX).collect();
                unit.key = if is_compound { format!("{head}:") } else { text };
            }
        }
        unit
    }

    fn inner(&self, body: &[Stmt], lines: Span, head_end: usize) -> Option<Inner> {
        let colon = head_end + self.source.get(head_end..lines.end)?.find(':')?;
        let header_end = self.line_end(colon, lines.end);
        let first = body.first()?;
        if span(first.range()).start < header_end {
            return None;
        }
        let body = self.body(body, Span::new(header_end, lines.end), false);
        Some(Inner { header: Span::new(lines.start, header_end), body })
    }

    fn value(name: &str, value: Option<&Expr>, unit: &mut Unit) {
        name.clone_into(&mut unit.label);
        unit.key = format!("= {name}");
        // An attribute of something else is no name of this body.
        if !name.contains('.') {
            unit.kind = UnitKind::Value;
        }
        if name != "__all__" {
            return;
        }
        let elements = match value {
            Some(Expr::List(list)) => &list.elts,
            Some(Expr::Tuple(tuple)) if tuple.parenthesized => &tuple.elts,
            _ => return,
        };
        let items: Option<Vec<Item>> = elements.iter().map(exported).collect();
        if let Some(items) = items {
            unit.kind = UnitKind::Exports;
            unit.items = items;
        }
    }

    fn import(&self, import: &ast::StmtImport, unit: &mut Unit) {
        unit.kind = UnitKind::Import;
        unit.items = import.names.iter().map(|alias| item(alias, false)).collect();
        unit.label = self.written(import.range());
        unit.key.clone_from(&unit.label);
    }

    fn import_from(import: &ast::StmtImportFrom, unit: &mut Unit) {
        unit.kind = UnitKind::Import;
        unit.items = import.names.iter().map(|alias| item(alias, true)).collect();
        let module = import.module.as_ref().map(ToString::to_string).unwrap_or_default();
        unit.origin = format!("{}{module}", ".".repeat(import.level as usize));
        unit.label = format!("from {} import", unit.origin);
        unit.key.clone_from(&unit.label);
    }
}

/// How much of a statement is its name for people, in characters.
const LABEL_LETTERS_MAX: usize = 60;

fn item(alias: &ast::Alias, is_from: bool) -> Item {
    let name = alias.name.to_string();
    let word = alias.asname.as_ref().map_or_else(|| name.clone(), |other| format!("{name} as {other}"));
    let bound = match &alias.asname {
        Some(other) => other.to_string(),
        None if is_from => name,
        None => name.split('.').next().unwrap_or_default().to_owned(),
    };
    Item { word, bound, span: span(alias.range()) }
}

fn exported(expression: &Expr) -> Option<Item> {
    let Expr::StringLiteral(text) = expression else { return None };
    let word = text.value.to_str().to_owned();
    Some(Item { bound: word.clone(), word, span: span(text.range()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(body: &Body) -> Vec<&str> {
        body.units.iter().map(|unit| unit.key.as_str()).collect()
    }

    #[test]
    fn a_module_is_cut_into_units_that_leave_nothing_out() {
        let text = "\"\"\"Doc.\"\"\"\nimport os  # why\nfrom .a import (\n    b,\n    c as d,\n)\n\n# above\n@deco\nclass K(Base):\n    # first\n    x = 1\n\n    def f(self): ...\n\n    @f.setter\n    def f(self, v): ...\n\n\na = 1; b = 2\nif TYPE_CHECKING:\n    import sys\n# end\n";
        let body = units(text.as_bytes()).unwrap();
        assert_eq!(
            keys(&body),
            ["docstring", "import os", "from .a import", "class K", "line a = 1; b = 2", "if TYPE_CHECKING"]
        );
        let class = body.units[3].inner.as_ref().unwrap();
        assert_eq!(keys(&class.body), ["= x", "def f", "def f setter"]);
        let mut whole = String::new();
        for unit in &body.units {
            whole.push_str(&text[unit.span.start..unit.span.end]);
        }
        let tail = body.tail.unwrap();
        whole.push_str(&text[tail.start..tail.end]);
        assert_eq!(whole, text);
        assert_eq!(body.units[2].items[1].word, "c as d");
    }

    #[test]
    fn a_module_that_does_not_parse_has_no_units() {
        assert!(units(b"def f(:\n").is_none());
        assert!(!parses(b"def f(:\n"));
    }
}
