//! From bytes to what a file says. The parser, which is ruff's, is known here and nowhere else.

mod depth;
mod encoding;
mod facts;
mod layout;
mod names;
mod outline;
mod place;
mod skeleton;
mod surface;
mod units;
mod valued;
pub mod values;
mod visit;
mod warned;

pub use facts::{
    Binding, Chain, Facts, From, Import, ImportedName, RelativeCall, Role, Scope, ScopeKind, ScriptFolder,
    Span, SyntaxError, Task, Text, Word,
};
pub(crate) use layout::is_word;
pub use layout::{Dotted, dotted_parts, line_of};
pub use outline::{ExportList, Outline, Statement, StatementKind, outline};
pub use surface::{Kind, Member, Parameter, ParameterKind, surface};
pub use units::{Body, Inner, Item, Unit, UnitKind, parses, units};
pub use warned::warns_of_deprecation;

use std::borrow::Cow;

use ruff_python_ast::Mod;
use ruff_python_ast::token::TokenKind;
use ruff_python_parser::{Mode, ParseOptions, Parsed};
use ruff_text_size::Ranged;

use encoding::Source;

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
    read(bytes, dialect, true, |_| None)
}

/// Reads a file for its imports and for what the module binds: all errors are found, and functions that import nothing are
/// not walked.
pub fn parse_imports(bytes: &[u8], dialect: Dialect) -> Facts {
    read(bytes, dialect, false, |_| None)
}

/// Reads a file without the bodies of its functions, where they can be told apart: what is said of it is what runs when
/// it is imported, and stands where it stands in the file.
pub fn parse_at_import(bytes: &[u8], dialect: Dialect) -> Facts {
    let shorten = |source: &str| skeleton::without_bodies(source).filter(|_| dialect == Dialect::Module);
    read(bytes, dialect, true, shorten)
}

fn read(bytes: &[u8], dialect: Dialect, with_all: bool, shorten: impl Fn(&str) -> Option<String>) -> Facts {
    let Source { text: mut source, complaint } = encoding::read(bytes);
    if let Some(short) = shorten(&source) {
        source = Cow::Owned(short);
    }
    if dialect == Dialect::Cython {
        // As long as it was, so that every offset holds.
        source = Cow::Owned(source.replace("cimport ", " import "));
    }
    let read = depth::walk(&source, options(dialect), |parsed| facts(&source, parsed, with_all));
    let mut facts = read.unwrap_or_else(|| {
        let message = format!("it nests deeper than {} levels and is not read", depth::LEVELS_MAX);
        Facts { errors: vec![SyntaxError { offset: 0, message }], ..Facts::default() }
    });
    if dialect == Dialect::Cython {
        facts.errors.clear();
    }
    facts.errors.extend(complaint);
    facts
}

fn facts(source: &str, parsed: &Parsed<Mod>, with_all: bool) -> Facts {
    let mut facts = match parsed.syntax() {
        Mod::Module(module) => visit::facts(source, &module.body, with_all),
        Mod::Expression(_) => Facts::default(),
    };
    facts.comments = parsed
        .tokens()
        .iter()
        .filter(|token| token.kind() == TokenKind::Comment)
        .map(|token| Span::new(token.range().start().to_usize(), token.range().end().to_usize()))
        .collect();
    facts.errors = parsed
        .errors()
        .iter()
        .map(|error| SyntaxError {
            offset: error.location.start().to_usize(),
            message: error.error.to_string(),
        })
        .collect();
    facts
}

fn options(dialect: Dialect) -> ParseOptions {
    ParseOptions::from(match dialect {
        Dialect::Module | Dialect::Cython => Mode::Module,
        Dialect::Notebook => Mode::Ipython,
    })
}
