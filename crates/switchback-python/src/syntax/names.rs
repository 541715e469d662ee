//! Names and places of a syntax tree, as plain types.

use ruff_python_ast::{self as ast, Expr};
use ruff_text_size::{Ranged, TextRange};

use super::facts::{Span, Word};

pub(super) fn span(range: TextRange) -> Span {
    Span::new(range.start().to_usize(), range.end().to_usize())
}

pub(super) fn word(identifier: &ast::Identifier) -> Word {
    Word { text: identifier.as_str().to_owned(), span: span(identifier.range()) }
}

/// The names of `a.b.c`, or nothing when it does not begin with a name.
pub(super) fn chain_words(expression: &Expr) -> Option<Vec<Word>> {
    match expression {
        Expr::Name(name) => Some(vec![Word { text: name.id.as_str().to_owned(), span: span(name.range()) }]),
        Expr::Attribute(attribute) => {
            let mut words = chain_words(&attribute.value)?;
            words.push(word(&attribute.attr));
            Some(words)
        }
        _ => None,
    }
}

pub(super) fn dotted(expression: &Expr) -> Option<String> {
    let mut text = String::new();
    push_dotted(expression, &mut text)?;
    Some(text)
}

fn push_dotted(expression: &Expr, text: &mut String) -> Option<()> {
    match expression {
        Expr::Name(name) => text.push_str(name.id.as_str()),
        Expr::Attribute(attribute) => {
            push_dotted(&attribute.value, text)?;
            text.push('.');
            text.push_str(attribute.attr.as_str());
        }
        _ => return None,
    }
    Some(())
}

/// The last name of `a.b.c`.
pub(super) fn last(expression: &Expr) -> Option<&str> {
    match expression {
        Expr::Name(name) => Some(name.id.as_str()),
        Expr::Attribute(attribute) => Some(attribute.attr.as_str()),
        _ => None,
    }
}

pub(super) fn catches_import_errors(kind: &Expr) -> bool {
    match kind {
        Expr::Tuple(tuple) => tuple.elts.iter().any(catches_import_errors),
        other => matches!(
            last(other),
            Some("ImportError" | "ModuleNotFoundError" | "Exception" | "BaseException" | "AttributeError")
        ),
    }
}

pub(super) fn texts(names: &[ast::Identifier]) -> impl Iterator<Item = String> + '_ {
    names.iter().map(|name| name.as_str().to_owned())
}

/// Whether what stands at a place may import something, put a folder on the path, or bind a name of the module.
pub(super) fn may_import(source: &str, place: Span) -> bool {
    let text = place.of(source.as_bytes());
    ["import", "path", "global"].iter().any(|word| memchr::memmem::find(text, word.as_bytes()).is_some())
}
