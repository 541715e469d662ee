//! Paths that a script makes from its own place, as far as they can be followed without running it.

use std::collections::HashMap;

use ruff_python_ast::{Expr, Operator, StmtAssign};

use super::facts::ScriptFolder;
use super::names::{dotted, last};

/// One step of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    /// One folder up.
    Up,
    /// A name, as it is written.
    Name(String),
}

/// A path that begins at the script's folder, or at the folder that it is run in.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    is_from_script: bool,
    /// Whether it is the script itself, and not yet its folder.
    is_script: bool,
    steps: Vec<Step>,
}

/// What the names of a module were given, for those that were given one thing.
pub(super) type Values<'a> = HashMap<&'a str, &'a Expr>;

/// How deep expressions are followed.
const DEPTH_MAX: usize = 24;

/// The folder that an expression means; nothing when that is computed.
pub(super) fn folder(expression: &Expr, values: &Values<'_>) -> Option<ScriptFolder> {
    let place = place(expression, values, 0)?.settled();
    if place.is_script {
        return None;
    }
    let parts: Vec<&str> = place
        .steps
        .iter()
        .map(|step| match step {
            Step::Up => "..",
            Step::Name(name) => name,
        })
        .collect();
    Some(ScriptFolder { is_from_script: place.is_from_script, path: parts.join("/") })
}

/// `HERE = …` is remembered; `sys.path = […] + sys.path` and `sys.path[:0] = […]` are read.
pub(super) fn assigned<'a>(
    assign: &'a StmtAssign,
    is_in_module: bool,
    values: &mut Values<'a>,
    found: &mut Vec<ScriptFolder>,
) {
    let [target] = assign.targets.as_slice() else { return };
    match target {
        Expr::Name(name) if is_in_module => {
            values.insert(name.id.as_str(), &assign.value);
        }
        Expr::Subscript(subscript) if dotted(&subscript.value).as_deref() == Some("sys.path") => {
            listed(&assign.value, values, found);
        }
        _ if dotted(target).as_deref() == Some("sys.path") => listed(&assign.value, values, found),
        _ => {}
    }
}

/// The folders of a list that becomes, or joins, `sys.path`.
pub(super) fn listed(value: &Expr, values: &Values<'_>, found: &mut Vec<ScriptFolder>) {
    match value {
        Expr::List(list) => found.extend(list.elts.iter().filter_map(|path| folder(path, values))),
        Expr::BinOp(operation) => {
            listed(&operation.left, values, found);
            listed(&operation.right, values, found);
        }
        _ => {}
    }
}

impl Place {
    fn parent(mut self) -> Self {
        if self.is_script {
            self.is_script = false;
            return self;
        }
        match self.steps.last() {
            Some(Step::Name(_)) => {
                self.steps.pop();
            }
            _ => self.steps.push(Step::Up),
        }
        self
    }

    fn joined(mut self, text: &str) -> Option<Self> {
        if text.starts_with('/') {
            return None;
        }
        // `script.py/..` is the folder of the script.
        let parts = text.split('/').filter(|part| !part.is_empty() && *part != ".");
        for part in parts {
            if self.is_script && part == ".." {
                self.is_script = false;
            } else if self.is_script {
                return None;
            } else {
                self.steps.push(Step::Name(part.to_owned()));
            }
        }
        Some(self)
    }

    /// With `..` carried out.
    fn settled(mut self) -> Self {
        let mut steps: Vec<Step> = Vec::new();
        for step in std::mem::take(&mut self.steps) {
            let is_up = step == Step::Up || step == Step::Name("..".to_owned());
            match (is_up, steps.last()) {
                (true, Some(Step::Name(_))) => {
                    steps.pop();
                }
                (true, _) => steps.push(Step::Up),
                (false, _) => steps.push(step),
            }
        }
        self.steps = steps;
        self
    }
}

fn place(expression: &Expr, values: &Values<'_>, depth: usize) -> Option<Place> {
    if depth > DEPTH_MAX {
        return None;
    }
    let inner = |expression: &Expr| place(expression, values, depth + 1);
    let run_in = || Place { is_from_script: false, is_script: false, steps: Vec::new() };
    match expression {
        Expr::StringLiteral(literal) => run_in().joined(literal.value.to_str()),
        Expr::Name(name) if name.id.as_str() == "__file__" => {
            Some(Place { is_from_script: true, is_script: true, steps: Vec::new() })
        }
        Expr::Name(name) => inner(values.get(name.id.as_str())?),
        Expr::Attribute(attribute) if attribute.attr.as_str() == "parent" => {
            Some(inner(&attribute.value)?.parent())
        }
        Expr::Subscript(subscript) => {
            let Expr::Attribute(attribute) = subscript.value.as_ref() else { return None };
            let Expr::NumberLiteral(number) = subscript.slice.as_ref() else { return None };
            let count = number.value.as_int()?.as_u8()?;
            if attribute.attr.as_str() != "parents" {
                return None;
            }
            let start = inner(&attribute.value)?;
            Some((0..=count).fold(start, |place, _| place.parent()))
        }
        Expr::BinOp(operation) if operation.op == Operator::Div => {
            inner(&operation.left)?.joined(&text(&operation.right)?)
        }
        Expr::BinOp(operation) if operation.op == Operator::Add => {
            let behind = text(&operation.right)?;
            inner(&operation.left)?.joined(behind.strip_prefix('/')?)
        }
        Expr::Call(call) => {
            let arguments = &call.arguments.args;
            match last(&call.func)? {
                "dirname" => Some(inner(arguments.first()?)?.parent()),
                "abspath" | "realpath" | "normpath" => Some(inner(arguments.first()?)?.settled()),
                "str" | "fspath" | "PurePath" if arguments.len() == 1 => inner(arguments.first()?),
                "join" | "Path" => {
                    let (first, rest) = arguments.split_first()?;
                    rest.iter().try_fold(inner(first)?, |place, part| place.joined(&text(part)?))
                }
                "resolve" | "absolute" if arguments.is_empty() => {
                    let Expr::Attribute(attribute) = call.func.as_ref() else { return None };
                    Some(inner(&attribute.value)?.settled())
                }
                "joinpath" => {
                    let Expr::Attribute(attribute) = call.func.as_ref() else { return None };
                    let start = inner(&attribute.value)?;
                    arguments.iter().try_fold(start, |place, part| place.joined(&text(part)?))
                }
                "getcwd" | "cwd" if arguments.is_empty() => Some(run_in()),
                _ => None,
            }
        }
        _ => None,
    }
}

fn text(expression: &Expr) -> Option<String> {
    match expression {
        Expr::StringLiteral(literal) => Some(literal.value.to_str().to_owned()),
        other => match dotted(other)?.as_str() {
            "os.pardir" | "pardir" | "os.path.pardir" => Some("..".to_owned()),
            "os.curdir" | "curdir" | "os.path.curdir" => Some(".".to_owned()),
            _ => None,
        },
    }
}
