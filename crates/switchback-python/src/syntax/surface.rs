//! What a module offers: functions with their parameters, classes with bases, methods and attributes, and values.

use ruff_python_ast::{self as ast, Expr, Stmt};
use ruff_python_parser::{Mode, ParseOptions};
use ruff_text_size::{Ranged, TextRange};

use super::{depth, encoding};

/// How an argument can reach a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParameterKind {
    /// By position alone.
    PositionOnly,
    /// By position or name.
    Either,
    /// `*args`.
    Positions,
    /// By name alone.
    KeywordOnly,
    /// `**kwargs`.
    Keywords,
}

/// A parameter of a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// How it is reached.
    pub kind: ParameterKind,
    /// Its default as it is written.
    pub default: Option<String>,
    /// Its annotation as it is written, blanks taken together.
    pub annotation: Option<String>,
}

/// What kind of thing, and what can be said of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// A function or method.
    Function {
        /// Its parameters, in order.
        parameters: Vec<Parameter>,
        /// What it returns, as it is written.
        returns: Option<String>,
        /// Whether it must be awaited.
        is_async: bool,
        /// `property`, `classmethod` or `staticmethod`, where it is one.
        decorator: Option<String>,
        /// Whether it is one of several `@overload`s.
        is_overload: bool,
    },
    /// A class.
    Class {
        /// Its bases as they are written.
        bases: Vec<String>,
        /// Whether it is a dataclass: its annotated attributes are parameters, in order.
        is_dataclass: bool,
    },
    /// A value.
    Value {
        /// The value where it is a literal, as it is written; nothing where it is computed.
        literal: Option<String>,
        /// Its annotation.
        annotation: Option<String>,
        /// Whether there is a value at all.
        is_set: bool,
    },
}

/// Something that a module offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Its name within the module: `f`, `Class`, `Class.method`.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// Where it begins, in bytes.
    pub offset: usize,
}

/// What the module in `bytes` defines itself, in order; overloads are all there, conditional definitions too.
pub fn surface(bytes: &[u8]) -> Vec<Member> {
    let source = encoding::read(bytes).text;
    let members = depth::walk(&source, ParseOptions::from(Mode::Module), |parsed| {
        let mut reader = Reader { source: &source, members: Vec::new() };
        if let ast::Mod::Module(module) = parsed.syntax() {
            reader.body(&module.body, "");
        }
        reader.members
    });
    members.unwrap_or_default()
}

struct Reader<'a> {
    source: &'a str,
    members: Vec<Member>,
}

impl Reader<'_> {
    fn body(&mut self, body: &[Stmt], within: &str) {
        for statement in body {
            match statement {
                Stmt::FunctionDef(function) => self.function(function, within),
                Stmt::ClassDef(class) => self.class(class, within),
                Stmt::Assign(assign) => {
                    for target in &assign.targets {
                        self.value(target, None, Some(&assign.value), within);
                    }
                }
                Stmt::AnnAssign(assign) => {
                    self.value(&assign.target, Some(&assign.annotation), assign.value.as_deref(), within);
                }
                Stmt::TypeAlias(alias) => self.value(&alias.name, None, Some(&alias.value), within),
                Stmt::If(branch) => {
                    self.body(&branch.body, within);
                    branch.elif_else_clauses.iter().for_each(|clause| self.body(&clause.body, within));
                }
                Stmt::Try(attempt) => {
                    self.body(&attempt.body, within);
                    for handler in &attempt.handlers {
                        let ast::ExceptHandler::ExceptHandler(handler) = handler;
                        self.body(&handler.body, within);
                    }
                    self.body(&attempt.orelse, within);
                    self.body(&attempt.finalbody, within);
                }
                Stmt::With(block) => self.body(&block.body, within),
                _ => {}
            }
        }
    }

    fn push(&mut self, within: &str, name: &str, range: TextRange, kind: Kind) {
        let name = if within.is_empty() { name.to_owned() } else { format!("{within}.{name}") };
        self.members.push(Member { name, kind, offset: range.start().to_usize() });
    }

    /// The source of a range, blanks and line ends taken together.
    fn written(&self, range: TextRange) -> String {
        let text = self.source.get(range.start().to_usize()..range.end().to_usize()).unwrap_or_default();
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    fn function(&mut self, function: &ast::StmtFunctionDef, within: &str) {
        let decorators: Vec<String> = function
            .decorator_list
            .iter()
            .map(|decorator| self.written(decorator.expression.range()))
            .collect();
        let last = |decorator: &String| decorator.rsplit('.').next().map(ToOwned::to_owned);
        let known = ["property", "classmethod", "staticmethod", "cached_property", "setter", "deleter"];
        let decorator = decorators.iter().filter_map(last).find(|last| known.contains(&last.as_str()));
        let kind = Kind::Function {
            parameters: self.parameters(&function.parameters),
            returns: function.returns.as_ref().map(|returns| self.written(returns.range())),
            is_async: function.is_async,
            decorator,
            is_overload: decorators.iter().filter_map(last).any(|last| last == "overload"),
        };
        self.push(within, function.name.as_str(), function.name.range(), kind);
        if function.name.as_str() == "__init__" && !within.is_empty() {
            self.assigned_in(&function.body, within);
        }
    }

    fn parameters(&self, parameters: &ast::Parameters) -> Vec<Parameter> {
        let one = |parameter: &ast::Parameter, default: Option<&Expr>, kind| Parameter {
            name: parameter.name.as_str().to_owned(),
            kind,
            default: default.map(|default| self.written(default.range())),
            annotation: parameter.annotation().map(|annotation| self.written(annotation.range())),
        };
        let with = |parameter: &ast::ParameterWithDefault, kind| {
            one(&parameter.parameter, parameter.default.as_deref(), kind)
        };
        let mut found: Vec<Parameter> = Vec::new();
        found.extend(
            parameters.posonlyargs.iter().map(|parameter| with(parameter, ParameterKind::PositionOnly)),
        );
        found.extend(parameters.args.iter().map(|parameter| with(parameter, ParameterKind::Either)));
        found
            .extend(parameters.vararg.iter().map(|parameter| one(parameter, None, ParameterKind::Positions)));
        found.extend(
            parameters.kwonlyargs.iter().map(|parameter| with(parameter, ParameterKind::KeywordOnly)),
        );
        found.extend(parameters.kwarg.iter().map(|parameter| one(parameter, None, ParameterKind::Keywords)));
        found
    }

    fn class(&mut self, class: &ast::StmtClassDef, within: &str) {
        let bases = class.bases().iter().map(|base| self.written(base.range())).collect();
        let is_dataclass = class.decorator_list.iter().any(|decorator| {
            let written = self.written(decorator.expression.range());
            let name = written.split('(').next().unwrap_or_default();
            name.rsplit('.').next() == Some("dataclass")
        });
        self.push(within, class.name.as_str(), class.name.range(), Kind::Class { bases, is_dataclass });
        let name = self.members.last().map(|member| member.name.clone()).unwrap_or_default();
        self.body(&class.body, &name);
    }

    fn value(&mut self, target: &Expr, annotation: Option<&Expr>, value: Option<&Expr>, within: &str) {
        match target {
            Expr::Name(name) => {
                let kind = Kind::Value {
                    literal: value.filter(|value| is_literal(value)).map(|value| self.written(value.range())),
                    annotation: annotation.map(|annotation| self.written(annotation.range())),
                    is_set: value.is_some(),
                };
                self.push(within, name.id.as_str(), name.range(), kind);
            }
            Expr::Tuple(tuple) => tuple.elts.iter().for_each(|target| self.value(target, None, None, within)),
            Expr::List(list) => list.elts.iter().for_each(|target| self.value(target, None, None, within)),
            _ => {}
        }
    }

    /// Attributes that `__init__` sets on `self`.
    fn assigned_in(&mut self, body: &[Stmt], within: &str) {
        for statement in body {
            let (target, annotation) = match statement {
                Stmt::Assign(assign) => (assign.targets.first(), None),
                Stmt::AnnAssign(assign) => (Some(assign.target.as_ref()), Some(assign.annotation.as_ref())),
                _ => continue,
            };
            let Some(Expr::Attribute(attribute)) = target else { continue };
            let is_self = matches!(attribute.value.as_ref(), Expr::Name(name) if name.id.as_str() == "self");
            let name = format!("{within}.{}", attribute.attr);
            if is_self && !self.members.iter().any(|member| member.name == name) {
                let annotation = annotation.map(|annotation| self.written(annotation.range()));
                let kind = Kind::Value { literal: None, annotation, is_set: true };
                self.push(within, attribute.attr.as_str(), attribute.range(), kind);
            }
        }
    }
}

/// Whether the text of an expression is its value: literals, and containers of nothing else.
fn is_literal(expression: &Expr) -> bool {
    match expression {
        Expr::StringLiteral(_)
        | Expr::BytesLiteral(_)
        | Expr::NumberLiteral(_)
        | Expr::BooleanLiteral(_)
        | Expr::NoneLiteral(_)
        | Expr::EllipsisLiteral(_) => true,
        Expr::UnaryOp(operation) => is_literal(&operation.operand),
        Expr::Tuple(tuple) => tuple.elts.iter().all(is_literal),
        Expr::List(list) => list.elts.iter().all(is_literal),
        Expr::Set(set) => set.elts.iter().all(is_literal),
        Expr::Dict(dict) => {
            dict.items.iter().all(|item| item.key.as_ref().is_some_and(is_literal) && is_literal(&item.value))
        }
        _ => false,
    }
}
