//! A module that definitions leave, or come to: its bytes, what they say, and where imports are put.

use std::sync::Arc;

use super::cut::line_stop;
use crate::index::{Index, ModuleName};
use crate::moving::plan::line_end;
use crate::syntax::{Facts, Import, Outline, ScopeKind, StatementKind, outline};

/// A module and everything about it.
pub(super) struct Site<'a> {
    /// Its name.
    pub(super) name: &'a ModuleName,
    /// Its file.
    pub(super) path: &'a str,
    /// What it says.
    pub(super) facts: Arc<Facts>,
    /// Its bytes.
    pub(super) bytes: Arc<[u8]>,
    /// Its statements.
    pub(super) outline: Outline,
    /// How its lines end.
    pub(super) line_end: &'static str,
    /// Whether it writes imports from its own package with dots.
    pub(super) is_relative: bool,
}

impl<'a> Site<'a> {
    /// The module `dotted`; nothing when it has no file that can be read.
    pub(super) fn of(index: &'a Index<'_>, dotted: &str) -> Option<Self> {
        let at = index.file_of(dotted)?;
        let file = index.tree.file(at)?;
        let name = index.names.get(at)?.as_ref()?;
        let bytes = index.tree.content(file).ok()?;
        let facts = index.tree.facts(file);
        let levels = || facts.imports.iter().filter_map(|import| import.from.as_ref());
        let is_relative = levels().any(|from| from.level > 0);
        Some(Self {
            name,
            path: &file.path,
            outline: outline(&bytes),
            line_end: line_end(&bytes),
            facts,
            bytes,
            is_relative,
        })
    }

    /// Whether an import is a statement of the module itself, on no condition.
    pub(super) fn is_plain(&self, import: &Import) -> bool {
        let is_statement = |statement: &crate::syntax::Statement| {
            statement.kind == StatementKind::Import && statement.span == import.span
        };
        import.scope == 0
            && !import.is_optional
            && !import.is_typing
            && self.outline.statements.iter().any(is_statement)
    }

    /// Whether a scope lies in a function: what stands in it runs later than the module.
    pub(super) fn is_late(&self, scope: usize) -> bool {
        std::iter::successors(Some(scope), |at| self.facts.scopes.get(*at)?.parent)
            .filter_map(|at| self.facts.scopes.get(at))
            .any(|scope| scope.kind == ScopeKind::Function)
    }

    /// Where an import is put so that it runs before the statement `before`: behind the last import there, else behind
    /// the module's documentation. Says whether there is an import to put it behind.
    pub(super) fn import_place(&self, before: usize) -> (usize, bool) {
        let statements = &self.outline.statements;
        let first_block = statements.iter().position(|statement| {
            matches!(
                statement.kind,
                StatementKind::Definition | StatementKind::Overload | StatementKind::Main
            )
        });
        let limit = first_block.unwrap_or(statements.len()).min(before);
        let above = statements.iter().take(limit).rfind(|statement| statement.kind == StatementKind::Import);
        if let Some(import) = above {
            return (line_stop(&self.bytes, import.span.end), true);
        }
        match statements.first() {
            Some(first) if first.kind == StatementKind::Text => {
                (line_stop(&self.bytes, first.span.end), false)
            }
            Some(first) => (self.above(first.span.start), false),
            None => (self.bytes.len(), false),
        }
    }

    /// Where the comments begin that stand right above a place.
    pub(super) fn above(&self, place: usize) -> usize {
        let start = |at: usize| {
            let before = self.bytes.get(..at).unwrap_or_default();
            before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1)
        };
        let mut top = start(place);
        while top > 0 {
            let above = start(top - 1);
            let line = self.bytes.get(above..top).unwrap_or_default();
            if above == 0 || !line.starts_with(b"#") {
                break;
            }
            top = above;
        }
        top
    }

    /// The text of import statements as it is put at [`Site::import_place`].
    pub(super) fn import_text(&self, before: usize, lines: &[String]) -> (usize, String) {
        let (place, is_behind) = self.import_place(before);
        let end = self.line_end;
        let text = lines.iter().map(|line| format!("{line}{end}")).collect::<Vec<_>>().concat();
        let ends_open = place > 0 && self.bytes.get(place - 1) != Some(&b'\n');
        let open = if ends_open { end } else { "" };
        if is_behind {
            return (place, format!("{open}{text}"));
        }
        let has_text_above =
            self.outline.statements.first().is_some_and(|first| first.kind == StatementKind::Text);
        let rest = self.bytes.get(place..).unwrap_or_default();
        if has_text_above {
            let more =
                if rest.trim_ascii().is_empty() || rest.starts_with(end.as_bytes()) { "" } else { end };
            return (place, format!("{open}{end}{text}{more}"));
        }
        let below = if rest.trim_ascii().is_empty() { String::new() } else { end.repeat(2) };
        (place, format!("{open}{text}{below}"))
    }
}
