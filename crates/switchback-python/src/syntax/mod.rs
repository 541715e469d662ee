//! From bytes to what a file says. The parser, which is ruff's, is known here and nowhere else.

mod facts;
mod layout;
mod names;
mod outline;
mod place;
mod surface;
mod units;
mod valued;
pub mod values;
mod visit;

pub use facts::{
    Binding, Chain, Facts, From, Import, ImportedName, RelativeCall, Role, Scope, ScopeKind, ScriptFolder,
    Span, SyntaxError, Task, Text, Word,
};
pub(crate) use layout::is_word;
pub use layout::{Dotted, dotted_parts, line_of};
pub use outline::{ExportList, Outline, Statement, StatementKind, outline};
pub use surface::{Kind, Member, Parameter, ParameterKind, surface};
pub use units::{Body, Inner, Item, Unit, UnitKind, parses, units};

use std::borrow::Cow;

use ruff_python_ast::token::TokenKind;
use ruff_python_parser::{Mode, ParseOptions};
use ruff_text_size::Ranged;

/// The dialects of Python.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// A module.
    Module,
    /// The cells of a notebook: magics and shell lines are no errors.
    Notebook,
    /// Cython: `cimport` imports as well, and what else is not Python is passed over.
    Cython,
}

/// Reads a file. What does not parse is recovered as far as it goes; [`Facts::errors`] says where it broke.
pub fn parse(bytes: &[u8], dialect: Dialect) -> Facts {
    let mut source = same_length(bytes);
    if dialect == Dialect::Cython {
        // As long as it was, so that every offset holds.
        source = Cow::Owned(source.replace("cimport ", " import "));
    }
    let parsed = ruff_python_parser::parse_unchecked(&source, options(dialect));
    let errors = parsed
        .errors()
        .iter()
        .map(|error| SyntaxError {
            offset: error.location.start().to_usize(),
            message: error.error.to_string(),
        })
        .collect();
    let mut facts = match parsed.syntax() {
        ruff_python_ast::Mod::Module(module) => visit::facts(&source, &module.body),
        ruff_python_ast::Mod::Expression(_) => Facts::default(),
    };
    facts.comments = parsed
        .tokens()
        .iter()
        .filter(|token| token.kind() == TokenKind::Comment)
        .map(|token| Span::new(token.range().start().to_usize(), token.range().end().to_usize()))
        .collect();
    facts.errors = if dialect == Dialect::Cython { Vec::new() } else { errors };
    facts
}

fn options(dialect: Dialect) -> ParseOptions {
    ParseOptions::from(match dialect {
        Dialect::Module | Dialect::Cython => Mode::Module,
        Dialect::Notebook => Mode::Ipython,
    })
}

/// The bytes as text of the very same length, so that every offset holds: in a file that is not UTF-8, each byte that
/// is not ASCII reads as a letter. Names that can be moved are ASCII in practice, and an edit compares bytes anyway.
fn same_length(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => bytes.iter().map(|byte| if byte.is_ascii() { char::from(*byte) } else { 'x' }).collect(),
    }
}
