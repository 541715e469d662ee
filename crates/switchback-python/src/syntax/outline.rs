//! The statements of a module, one after the other: which of them could be cut out, and what each binds.

use ruff_python_ast::visitor::{self, Visitor};
use ruff_python_ast::{self as ast, Expr, Stmt};
use ruff_python_parser::{Mode, ParseOptions};
use ruff_text_size::Ranged;

use super::facts::Span;
use super::names::{last, span};
use super::{depth, encoding};

/// What kind of statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatementKind {
    /// `def` or `class`.
    Definition,
    /// `def` under `@overload`.
    Overload,
    /// An assignment to one name.
    Value,
    /// A string on its own.
    Text,
    /// `import …` or `from … import …`.
    Import,
    /// `if TYPE_CHECKING:` without an `else`.
    Typing,
    /// `if __name__ == "__main__":`.
    Main,
    /// Anything else.
    Other,
}

/// A statement of the module itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// From its first decorator to its end.
    pub span: Span,
    /// What kind.
    pub kind: StatementKind,
    /// The name that it binds, where it is a definition or an assignment to one name.
    pub name: Option<String>,
    /// Whether there are annotations in it.
    pub has_annotations: bool,
    /// Names that its functions declare `global`.
    pub globals: Vec<String>,
    /// Where attributes or items of a name are set or deleted as soon as the module runs.
    pub changed: Vec<String>,
    /// Names that are looked up as soon as the module runs: not in the bodies of functions.
    pub eager: Vec<String>,
    /// For `if TYPE_CHECKING:`, the end of its last statement.
    pub body_end: usize,
}

/// `__all__`, written as one list of plain texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportList {
    /// From bracket to bracket.
    pub span: Span,
    /// The names with their places, quotes included.
    pub names: Vec<(String, Span)>,
}

/// The statements of a module.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outline {
    /// In order.
    pub statements: Vec<Statement>,
    /// `__all__`; nothing when there is none, or it is no plain list.
    pub exports: Option<ExportList>,
    /// Whether `__all__` is there at all.
    pub has_exports: bool,
}

/// Reads the statements of the module in `bytes`.
pub fn outline(bytes: &[u8]) -> Outline {
    let source = encoding::read(bytes).text;
    let read = depth::walk(&source, ParseOptions::from(Mode::Module), |parsed| of_module(parsed.syntax()));
    read.unwrap_or_default()
}

fn of_module(module: &ast::Mod) -> Outline {
    let mut outline = Outline::default();
    let ast::Mod::Module(module) = module else { return outline };
    let mut lists = Vec::new();
    for statement in &module.body {
        outline.statements.push(read(statement));
        if is_exports(statement) {
            outline.has_exports = true;
            lists.push(export_list(statement));
        }
    }
    if let [Some(only)] = lists.as_slice() {
        outline.exports = Some(only.clone());
    }
    outline
}

fn read(statement: &Stmt) -> Statement {
    let mut look = Look::default();
    look.visit_stmt(statement);
    let (kind, name) = kind(statement);
    let body_end = match statement {
        Stmt::If(branch) => branch.body.last().map_or(0, |last| last.range().end().to_usize()),
        _ => 0,
    };
    Statement {
        span: span(statement.range()),
        kind,
        name,
        has_annotations: look.has_annotations,
        globals: look.globals,
        changed: look.changed,
        eager: look.eager,
        body_end,
    }
}

fn kind(statement: &Stmt) -> (StatementKind, Option<String>) {
    let named = |target: &Expr| match target {
        Expr::Name(name) => Some(name.id.as_str().to_owned()),
        _ => None,
    };
    match statement {
        Stmt::FunctionDef(function) => {
            let is_overload = function
                .decorator_list
                .iter()
                .any(|decorator| last(&decorator.expression) == Some("overload"));
            let kind = if is_overload { StatementKind::Overload } else { StatementKind::Definition };
            (kind, Some(function.name.as_str().to_owned()))
        }
        Stmt::ClassDef(class) => (StatementKind::Definition, Some(class.name.as_str().to_owned())),
        Stmt::Assign(assign) => match assign.targets.as_slice() {
            [target] if named(target).is_some() => (StatementKind::Value, named(target)),
            _ => (StatementKind::Other, None),
        },
        Stmt::AnnAssign(assign) if assign.value.is_some() => match named(&assign.target) {
            Some(name) => (StatementKind::Value, Some(name)),
            None => (StatementKind::Other, None),
        },
        Stmt::TypeAlias(alias) => (StatementKind::Value, named(&alias.name)),
        Stmt::Expr(text) if matches!(text.value.as_ref(), Expr::StringLiteral(_)) => {
            (StatementKind::Text, None)
        }
        Stmt::Import(_) | Stmt::ImportFrom(_) => (StatementKind::Import, None),
        Stmt::If(branch) if branch.elif_else_clauses.is_empty() => {
            let is_main = matches!(
                branch.test.as_ref(),
                Expr::Compare(compare) if last(&compare.left) == Some("__name__")
            );
            match (is_main, last(&branch.test)) {
                (true, _) => (StatementKind::Main, None),
                (false, Some("TYPE_CHECKING")) => (StatementKind::Typing, None),
                _ => (StatementKind::Other, None),
            }
        }
        _ => (StatementKind::Other, None),
    }
}

/// Whether a statement gives, or adds, something to `__all__`.
fn is_exports(statement: &Stmt) -> bool {
    let is_all = |target: &Expr| last(target) == Some("__all__");
    match statement {
        Stmt::Assign(assign) => assign.targets.iter().any(is_all),
        Stmt::AnnAssign(assign) => is_all(&assign.target),
        Stmt::AugAssign(assign) => is_all(&assign.target),
        _ => false,
    }
}

fn export_list(statement: &Stmt) -> Option<ExportList> {
    let value = match statement {
        Stmt::Assign(assign) => assign.value.as_ref(),
        Stmt::AnnAssign(assign) => assign.value.as_deref()?,
        _ => return None,
    };
    let elements: &[Expr] = match value {
        Expr::List(list) => &list.elts,
        Expr::Tuple(tuple) if tuple.parenthesized => &tuple.elts,
        _ => return None,
    };
    let names: Option<Vec<(String, Span)>> = elements
        .iter()
        .map(|element| match element {
            Expr::StringLiteral(literal) => Some((literal.value.to_str().to_owned(), span(literal.range()))),
            _ => None,
        })
        .collect();
    Some(ExportList { span: span(value.range()), names: names? })
}

/// What is looked for within one statement.
#[derive(Debug, Default)]
struct Look {
    has_annotations: bool,
    globals: Vec<String>,
    changed: Vec<String>,
    eager: Vec<String>,
    /// How many functions are around what is looked at.
    depth: usize,
}

impl Look {
    fn target(&mut self, target: &Expr) {
        let mut at = target;
        let mut is_part = false;
        while let Expr::Attribute(_) | Expr::Subscript(_) = at {
            is_part = true;
            at = match at {
                Expr::Attribute(attribute) => &attribute.value,
                Expr::Subscript(subscript) => &subscript.value,
                other => other,
            };
        }
        if let Expr::Name(name) = at
            && is_part
            && self.depth == 0
        {
            self.changed.push(name.id.as_str().to_owned());
        }
    }
}

impl<'a> Visitor<'a> for Look {
    fn visit_stmt(&mut self, statement: &'a Stmt) {
        match statement {
            Stmt::Global(names) => {
                self.globals.extend(names.names.iter().map(|name| name.as_str().to_owned()));
            }
            Stmt::FunctionDef(function) => {
                for decorator in &function.decorator_list {
                    self.visit_decorator(decorator);
                }
                self.visit_parameters(&function.parameters);
                if let Some(returns) = &function.returns {
                    self.visit_annotation(returns);
                }
                self.depth += 1;
                self.visit_body(&function.body);
                self.depth -= 1;
                return;
            }
            Stmt::Assign(assign) => assign.targets.iter().for_each(|target| self.target(target)),
            Stmt::AugAssign(assign) => self.target(&assign.target),
            Stmt::Delete(delete) => delete.targets.iter().for_each(|target| self.target(target)),
            _ => {}
        }
        visitor::walk_stmt(self, statement);
    }

    fn visit_annotation(&mut self, annotation: &'a Expr) {
        self.has_annotations = true;
        self.visit_expr(annotation);
    }

    fn visit_expr(&mut self, expression: &'a Expr) {
        match expression {
            Expr::Name(name) if self.depth == 0 => self.eager.push(name.id.as_str().to_owned()),
            Expr::Lambda(lambda) => {
                if let Some(parameters) = &lambda.parameters {
                    self.visit_parameters(parameters);
                }
                self.depth += 1;
                self.visit_expr(&lambda.body);
                self.depth -= 1;
                return;
            }
            _ => {}
        }
        visitor::walk_expr(self, expression);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_say_what_they_bind_and_need() {
        let source = "__all__ = ['a', \"b\"]\nimport os\n@wrap(os)\ndef a(x: int = LIMIT):\n    global COUNT\n    return late\n\
                      b = lambda: later\nb.x = 1\nif __name__ == '__main__':\n    a()\n";
        let outline = outline(source.as_bytes());
        let kinds: Vec<StatementKind> = outline.statements.iter().map(|statement| statement.kind).collect();
        assert_eq!(
            kinds,
            [
                StatementKind::Value,
                StatementKind::Import,
                StatementKind::Definition,
                StatementKind::Value,
                StatementKind::Other,
                StatementKind::Main
            ]
        );
        let a = &outline.statements[2];
        assert_eq!(a.span.of(source.as_bytes())[..5], *b"@wrap");
        assert_eq!((a.globals.as_slice(), a.has_annotations), (["COUNT".to_owned()].as_slice(), true));
        assert_eq!(a.eager, ["wrap", "os", "LIMIT", "int"].map(ToOwned::to_owned));
        assert_eq!(outline.statements[4].changed, ["b"]);
        let names: Vec<String> = outline.exports.unwrap().names.into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["a", "b"]);
    }
}
