//! The statements and expressions of a file as plain types, for readers who follow values from name to name.

use std::sync::Arc;

use super::Span;
pub use super::valued::values;

/// An expression and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expression {
    /// Where.
    pub span: Span,
    /// What it is.
    pub form: Form,
}

/// What an expression is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Form {
    /// A string, parts joined.
    Text(String),
    /// `True` or `False`.
    Flag(bool),
    /// `None`.
    Nothing,
    /// A whole number.
    Number(u64),
    /// A name.
    Name(String),
    /// `object.name`.
    Attribute(Box<Expression>, String),
    /// `callee(…)`.
    Call(Box<Expression>, Vec<Argument>),
    /// A list, tuple or set.
    List(Vec<Expression>),
    /// A dictionary; a key is missing for `**other`.
    Mapping(Vec<(Option<Expression>, Expression)>),
    /// `one + other`.
    Sum(Box<Expression>, Box<Expression>),
    /// `one / other`: a path goes on.
    Below(Box<Expression>, Box<Expression>),
    /// An f-string: its pieces in order, the literal ones as texts.
    Format(Vec<Expression>),
    /// `one if … else other`.
    Choice(Box<Expression>, Box<Expression>),
    /// `one or other`, `one and other`.
    FirstOf(Vec<Expression>),
    /// `*items` or `**items`.
    Spread(Box<Expression>),
    /// `object[key]`.
    Item(Box<Expression>, Box<Expression>),
    /// A comprehension of one `for`.
    Comprehension {
        /// What is made of each.
        element: Box<Expression>,
        /// What each is bound to.
        target: Box<Expression>,
        /// Where they come from.
        source: Box<Expression>,
        /// Whether some are left out.
        is_filtered: bool,
    },
    /// `lambda`.
    Lambda,
    /// Anything else.
    Other,
}

/// An argument of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Argument {
    /// The keyword; nothing for a positional one, and for `**items`.
    pub name: Option<String>,
    /// The value: a [`Form::Spread`] for `*items` and `**items`.
    pub value: Expression,
    /// Whether it is `**items`.
    pub is_keywords: bool,
}

/// A statement and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// Where, from its first decorator on.
    pub span: Span,
    /// What it does.
    pub deed: Deed,
}

/// What a statement does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deed {
    /// An import: the one of [`super::Facts::imports`] that has the same span.
    Import,
    /// `targets = value`.
    Assign(Vec<Expression>, Expression),
    /// `target: type`.
    Declare(Expression),
    /// `target += value`.
    Extend(Expression, Expression),
    /// `def`.
    Define(Arc<Definition>),
    /// `class`.
    Class(Arc<ClassDefinition>),
    /// An expression alone.
    Express(Expression),
    /// `if`, with its conditions; nothing for `else`.
    Branch(Vec<(Option<Expression>, Vec<Statement>)>),
    /// `for target in source`.
    Loop(Expression, Expression, Vec<Statement>),
    /// `while` and the cases of `match`: it may be run.
    Perhaps(Vec<Statement>),
    /// `with`: what is entered, and what it is bound to.
    With(Vec<(Expression, Option<Expression>)>, Vec<Statement>),
    /// `try`: its body, its handlers, and what follows in any case.
    Attempt(Vec<Statement>, Vec<Vec<Statement>>, Vec<Statement>),
    /// `return`.
    Return(Option<Expression>),
    /// Anything else.
    Other,
}

/// A parameter of a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Formal {
    /// Its name.
    pub name: String,
    /// Its default.
    pub default: Option<Expression>,
    /// Its annotation.
    pub annotation: Option<Expression>,
    /// Whether an argument reaches it by position.
    pub is_place: bool,
}

/// A function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Definition {
    /// Its name.
    pub name: String,
    /// Where its name stands.
    pub name_span: Span,
    /// What decorates it, the outermost first.
    pub decorators: Vec<Expression>,
    /// Its parameters, `*args` and `**kwargs` left out.
    pub parameters: Vec<Formal>,
    /// The names of `*args` and `**kwargs`.
    pub rest: (Option<String>, Option<String>),
    /// Its body.
    pub body: Vec<Statement>,
    /// The whole statement.
    pub span: Span,
}

/// A class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClassDefinition {
    /// Its name.
    pub name: String,
    /// Where its name stands.
    pub name_span: Span,
    /// What decorates it, the outermost first.
    pub decorators: Vec<Expression>,
    /// Its bases.
    pub bases: Vec<Expression>,
    /// Its body.
    pub body: Vec<Statement>,
    /// The whole statement.
    pub span: Span,
}
