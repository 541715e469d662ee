//! Edits: ranges of bytes and what stands there afterwards.

use crate::index::{Index, ModuleName};
use crate::syntax::{Facts, Span, dotted_parts};

use super::mapping::{Mapping, leaf_path, parent_path};

/// What was edited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum EditKind {
    /// `import a.b`
    Import,
    /// `from a import b`
    FromImport,
    /// `from . import b`
    RelativeImport,
    /// `a.b.c` in an expression.
    Attribute,
    /// A definition that is cut out, or put in.
    Definition,
    /// A string in code.
    Text,
    /// A cell of a notebook.
    Notebook,
    /// A file that is no code.
    Prose,
}

impl EditKind {
    /// The word for it in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Import => "import",
            Self::FromImport => "from-import",
            Self::RelativeImport => "relative-import",
            Self::Attribute => "attribute",
            Self::Definition => "definition",
            Self::Text => "string",
            Self::Notebook => "notebook",
            Self::Prose => "text",
        }
    }

    /// Whether it follows from the syntax alone, or was checked by resolving old and new name.
    pub fn class(self) -> &'static str {
        match self {
            Self::Import | Self::FromImport | Self::RelativeImport | Self::Attribute | Self::Definition => {
                "certain"
            }
            Self::Text | Self::Notebook | Self::Prose => "checked",
        }
    }
}

/// One edit of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// What is replaced; empty for what is put in.
    pub span: Span,
    /// What stands there afterwards.
    pub new: String,
    /// What kind.
    pub kind: EditKind,
}

/// Something that was left, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    /// Where, in bytes.
    pub offset: usize,
    /// What stands there.
    pub text: String,
    /// Why it was left.
    pub why: String,
}

/// What is to be done to one file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Edits {
    /// The edits, in no order.
    pub(crate) edits: Vec<Edit>,
    /// What was left.
    pub(crate) left: Vec<Left>,
}

impl Edits {
    /// Plans one edit.
    pub(crate) fn put(&mut self, span: Span, new: impl Into<String>, kind: EditKind) {
        let edit = Edit { span, new: new.into(), kind };
        if !self.edits.contains(&edit) {
            self.edits.push(edit);
        }
    }

    /// Leaves something.
    pub(crate) fn leave(&mut self, bytes: &[u8], span: Span, why: impl Into<String>) {
        let text = String::from_utf8_lossy(span.of(bytes)).into_owned();
        self.left.push(Left { offset: span.start, text, why: why.into() });
    }

    /// Replaces a dotted name, in whatever way it is laid out; one that is not what it should be is left and reported.
    pub(crate) fn rename(&mut self, bytes: &[u8], span: Span, old: &str, new: &str, kind: EditKind) {
        let Some(parts) = dotted_parts(bytes, span) else {
            self.leave(bytes, span, format!("`{old}` is not written as a dotted name"));
            return;
        };
        let written: Vec<&str> = parts.words.iter().map(|(word, _)| word.as_str()).collect();
        let names: Vec<&str> = new.split('.').collect();
        if !span.of(bytes).is_ascii() || written.join(".") != old {
            self.leave(bytes, span, format!("it is not written as `{old}`"));
        } else if parts.is_tight || names.len() != parts.words.len() {
            self.put(span, new, kind);
        } else {
            for ((word, at), name) in parts.words.iter().zip(names) {
                if word != name {
                    self.put(*at, name, kind);
                }
            }
        }
    }

    /// Sorts the edits and drops what overlaps an earlier one, which is then left and reported.
    pub(crate) fn settle(&mut self, bytes: &[u8]) {
        self.edits.sort_by_key(|edit| edit.span);
        let mut settled: Vec<Edit> = Vec::new();
        for edit in std::mem::take(&mut self.edits) {
            let is_free = settled.last().is_none_or(|last| {
                last.span.end <= edit.span.start
                    && !(last.span == edit.span && edit.span.start == edit.span.end && last.new == edit.new)
            });
            if is_free {
                settled.push(edit);
            } else if settled.last().is_some_and(|last| last.span != edit.span || last.new != edit.new) {
                self.leave(bytes, edit.span, "two edits meet here");
            }
        }
        self.edits = settled;
    }

    /// The bytes with all edits made. The edits must be settled.
    pub(crate) fn apply(&self, bytes: &[u8]) -> Vec<u8> {
        let mut new = Vec::with_capacity(bytes.len() + 64);
        let mut at = 0;
        for edit in &self.edits {
            new.extend_from_slice(bytes.get(at..edit.span.start).unwrap_or_default());
            new.extend_from_slice(edit.new.as_bytes());
            at = edit.span.end;
        }
        new.extend_from_slice(bytes.get(at..).unwrap_or_default());
        new
    }
}

/// One file and everything that its edits are derived from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scene<'a> {
    /// The modules of the old tree.
    pub(crate) index: &'a Index<'a>,
    /// What moves where.
    pub(crate) mapping: &'a Mapping,
    /// What the file says.
    pub(crate) facts: &'a Facts,
    /// Its bytes.
    pub(crate) bytes: &'a [u8],
    /// Its path in the old tree.
    pub(crate) path: &'a str,
    /// Its module in the old tree.
    pub(crate) old: Option<&'a ModuleName>,
    /// Its module in the new tree.
    pub(crate) new: Option<&'a ModuleName>,
    /// How its lines end.
    pub(crate) line_end: &'a str,
}

impl Scene<'_> {
    /// What `top` is called after the move when it is no module by name, but a file beside this one, as scripts find it;
    /// nothing when it keeps its name, or is beside it no more (which the proof finds).
    pub(crate) fn renamed_beside(&self, top: &str) -> Option<String> {
        if self.index.has(top) || top.contains('.') {
            return None;
        }
        let old = self.index.tree.beside(self.path, top)?;
        let folders = self.folders_after();
        let new = self.mapping.new_path(&old);
        let new = new.strip_suffix("/__init__.py").or_else(|| new.strip_suffix(".py"))?;
        let is_found = folders.iter().any(|folder| folder == parent_path(new));
        (is_found && leaf_path(new) != top).then(|| leaf_path(new).to_owned())
    }

    /// The folders that the file finds modules in, where it will be.
    fn folders_after(&self) -> Vec<String> {
        let own = parent_path(self.mapping.new_path(self.path));
        let others = self.facts.script_folders.iter().filter_map(|folder| {
            let start = if folder.is_from_script { own } else { "" };
            crate::tree::below(start, &folder.path)
        });
        std::iter::once(own.to_owned()).chain(others).collect()
    }

    /// The start of the line that `offset` is on.
    pub(crate) fn line_start(&self, offset: usize) -> usize {
        let before = self.bytes.get(..offset).unwrap_or_default();
        before.iter().rposition(|byte| matches!(byte, b'\n' | b'\r')).map_or(0, |at| at + 1)
    }

    /// The end of the line that `offset` is on, before its line end.
    pub(crate) fn line_stop(&self, offset: usize) -> usize {
        let after = self.bytes.get(offset..).unwrap_or_default();
        offset + after.iter().position(|byte| matches!(byte, b'\n' | b'\r')).unwrap_or(after.len())
    }

    /// The blanks before a statement that begins its line; nothing when something else does.
    pub(crate) fn indent(&self, offset: usize) -> Option<&str> {
        let mut start = self.line_start(offset);
        // A byte order mark is no indentation.
        if start == 0 && self.bytes.starts_with(b"\xef\xbb\xbf") {
            start = 3;
        }
        let blanks = self.bytes.get(start..offset)?;
        let blanks = std::str::from_utf8(blanks).ok()?;
        blanks.chars().all(|letter| matches!(letter, ' ' | '\t' | '\x0c')).then_some(blanks)
    }

    /// What follows on the line of a statement: its comment, empty when there is none; nothing when code follows.
    pub(crate) fn comment_after(&self, offset: usize) -> Option<&str> {
        let rest = self.bytes.get(offset..self.line_stop(offset))?;
        let rest = std::str::from_utf8(rest).ok()?.trim();
        (rest.is_empty() || rest.starts_with('#')).then_some(rest)
    }
}
