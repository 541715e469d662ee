//! What a Python file says, in plain types: imports, scopes, references, texts. No type of the parser leaves this folder.

use std::collections::{BTreeMap, BTreeSet};

/// A range of bytes, from `start` up to but not including `end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// The first byte.
    pub start: usize,
    /// The byte after the last.
    pub end: usize,
}

impl Span {
    /// A range from `start` up to `end`.
    pub fn new(start: usize, end: usize) -> Self {
        Self { start, end }
    }

    /// The bytes of it; nothing when it does not lie within them.
    pub fn of(self, bytes: &[u8]) -> &[u8] {
        bytes.get(self.start..self.end).unwrap_or_default()
    }

    /// The same range, moved on by `by` bytes.
    #[must_use]
    pub fn shifted(self, by: usize) -> Self {
        Self { start: self.start + by, end: self.end + by }
    }
}

/// A name and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// The name.
    pub text: String,
    /// Where.
    pub span: Span,
}

/// One name of an import statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedName {
    /// What is imported: dotted after `import`, one word or `*` after `from … import`.
    pub name: Word,
    /// The name after `as`.
    pub alias: Option<Word>,
    /// From the name to the end of the alias.
    pub span: Span,
}

impl ImportedName {
    /// The name that the statement binds; nothing for `*`.
    pub fn bound(&self, is_from: bool) -> Option<&str> {
        match &self.alias {
            Some(alias) => Some(&alias.text),
            None if self.name.text == "*" => None,
            None if is_from => Some(&self.name.text),
            None => self.name.text.split('.').next(),
        }
    }
}

/// From where `from … import` takes its names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct From {
    /// How many dots: 0 is absolute.
    pub level: usize,
    /// The module after the dots; empty when there is none.
    pub module: String,
    /// From the first dot, or letter, to the end of the module.
    pub span: Span,
}

/// An import statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Import {
    /// The whole statement.
    pub span: Span,
    /// `from` where; nothing for `import …`.
    pub from: Option<From>,
    /// What is imported, in order.
    pub names: Vec<ImportedName>,
    /// The scope that it binds in: an index into [`Facts::scopes`].
    pub scope: usize,
    /// Whether it may fail, or is never run: in `try … except ImportError`, or under `TYPE_CHECKING`.
    pub is_optional: bool,
    /// Whether only type checkers see it.
    pub is_typing: bool,
    /// Whether it stands in a function, and so runs later than the module is imported.
    pub is_late: bool,
}

impl Import {
    /// What the statement asks for by one of its names: the module as it is written, dots and all, and the name in it.
    pub fn asks_for(&self, imported: &ImportedName) -> (String, Option<String>) {
        match &self.from {
            Some(from) => {
                (format!("{}{}", ".".repeat(from.level), from.module), Some(imported.name.text.clone()))
            }
            None => (imported.name.text.clone(), None),
        }
    }
}

/// What a name is bound by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Binding {
    /// A name of an import statement: indices into [`Facts::imports`] and [`Import::names`].
    Import(usize, usize),
    /// `def` or `class`.
    Definition,
    /// Anything else: an assignment, a parameter, a target of a loop.
    Value,
}

/// What kind of scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScopeKind {
    /// The module itself.
    Module,
    /// A function, a lambda, a comprehension, the type parameters of something.
    Function,
    /// The body of a class: functions within do not see its names.
    Class,
}

/// A scope and what is bound in it.
#[derive(Debug, Clone)]
pub struct Scope {
    /// What kind.
    pub kind: ScopeKind,
    /// The scope around it; nothing for the module.
    pub parent: Option<usize>,
    /// What each name is bound by, in the order of the file.
    pub bindings: BTreeMap<String, Vec<Binding>>,
    /// Names declared `global`.
    pub globals: BTreeSet<String>,
    /// Names declared `nonlocal`.
    pub nonlocals: BTreeSet<String>,
}

impl Scope {
    /// A scope in which nothing is bound yet.
    pub(super) fn new(kind: ScopeKind, parent: Option<usize>) -> Self {
        Self { kind, parent, bindings: BTreeMap::new(), globals: BTreeSet::new(), nonlocals: BTreeSet::new() }
    }
}

/// A dotted expression `a.b.c`, as long as it goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chain {
    /// Its names.
    pub words: Vec<Word>,
    /// The scope that it stands in.
    pub scope: usize,
    /// Whether the first name itself is bound or deleted here.
    pub is_target: bool,
    /// Whether it stands in a quoted annotation.
    pub is_quoted: bool,
}

impl Chain {
    /// The first `count` names, dotted.
    pub fn dotted(&self, count: usize) -> String {
        self.words.iter().take(count).map(|word| word.text.as_str()).collect::<Vec<_>>().join(".")
    }
}

/// What a text is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Role {
    /// Nothing that is known.
    Plain,
    /// The first statement of a module, class or function.
    Docstring,
    /// An argument of a call: the dotted name of what is called, and which argument (from 0).
    Argument(String, usize),
    /// A part of an f-string; `true` for the part that it begins with.
    Piece(bool),
}

/// A string in the code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// The whole expression, quotes included.
    pub span: Span,
    /// What it says, parts joined.
    pub value: String,
    /// The content of each part, without quotes.
    pub parts: Vec<Span>,
    /// Whether every part stands in the file just as it reads: no escapes.
    pub is_plain: bool,
    /// What it is for.
    pub role: Role,
}

/// `import_module(".name", package=…)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelativeCall {
    /// The name: an index into [`Facts::texts`].
    pub name: usize,
    /// The package, where it is a text: an index into [`Facts::texts`]; nothing for `__name__` and `__package__`.
    pub package: Option<usize>,
    /// From the end of the name to the end of the package argument.
    pub rest: Span,
}

/// A syntax error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyntaxError {
    /// Where, in bytes.
    pub offset: usize,
    /// What is wrong.
    pub message: String,
}

/// A decorator that gives a function a name made from its module, as Celery's `@app.task` does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// The decorator's expression.
    pub span: Span,
    /// Where a keyword argument can be put in; nothing when there are no parentheses.
    pub inside: Option<usize>,
    /// Whether there are arguments already.
    pub has_arguments: bool,
    /// The function.
    pub function: String,
}

/// A folder that a script puts on `sys.path`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScriptFolder {
    /// Whether it is seen from the script's own folder; else from the folder that the script is run in.
    pub is_from_script: bool,
    /// The way from there, with `/` and `..`; empty for the folder itself.
    pub path: String,
}

/// Everything that a file says.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// Import statements, in order.
    pub imports: Vec<Import>,
    /// Scopes; the first is the module.
    pub scopes: Vec<Scope>,
    /// Where the statement begins that first binds a name of the module itself.
    pub first_bound: BTreeMap<String, usize>,
    /// Dotted expressions and names.
    pub chains: Vec<Chain>,
    /// Strings.
    pub texts: Vec<Text>,
    /// Comments.
    pub comments: Vec<Span>,
    /// `import_module` with a relative name.
    pub relative_calls: Vec<RelativeCall>,
    /// `__all__`, as far as it can be read.
    pub exports: Option<Vec<String>>,
    /// Uses of `__file__`.
    pub file_uses: Vec<Span>,
    /// Calls of `import_module` and `__import__` whose argument is computed.
    pub computed_imports: Vec<Span>,
    /// Folders that it puts on `sys.path`, as far as they are written out.
    pub script_folders: Vec<ScriptFolder>,
    /// Functions whose registered name is made from the module's.
    pub tasks: Vec<Task>,
    /// Whether a logger is named by `__name__`.
    pub logs_by_name: bool,
    /// Whether names may appear that no statement binds: `__getattr__`, `globals()`, `exec`.
    pub is_dynamic: bool,
    /// Where it does not parse.
    pub errors: Vec<SyntaxError>,
}

impl Facts {
    /// The scope that `name`, used in `scope`, is bound in, and by what; nothing for builtins and unbound names.
    pub fn resolve(&self, scope: usize, name: &str) -> Option<(usize, &[Binding])> {
        let mut at = Some(scope);
        let mut is_first = true;
        while let Some(index) = at {
            let scope = self.scopes.get(index)?;
            if scope.globals.contains(name) && index != 0 {
                return self.bound_in(0, name);
            }
            let is_seen = is_first || scope.kind != ScopeKind::Class;
            if is_seen
                && !scope.nonlocals.contains(name)
                && let Some(found) = self.bound_in(index, name)
            {
                return Some(found);
            }
            is_first = false;
            at = scope.parent;
        }
        None
    }

    /// What binds `name` in the scope `index` itself.
    pub fn bound_in(&self, index: usize, name: &str) -> Option<(usize, &[Binding])> {
        let bindings = self.scopes.get(index)?.bindings.get(name)?;
        Some((index, bindings))
    }

    /// What the module itself binds, `*` left out.
    pub fn bound(&self) -> impl Iterator<Item = (&str, &[Binding])> {
        self.scopes.first().into_iter().flat_map(|scope| {
            scope.bindings.iter().map(|(name, bindings)| (name.as_str(), bindings.as_slice()))
        })
    }

    /// Whether the module itself binds `name`.
    pub fn binds(&self, name: &str) -> bool {
        self.bound_in(0, name).is_some()
    }

    /// The statements `from … import *` of the module itself.
    pub fn stars(&self) -> impl Iterator<Item = &From> {
        self.imports
            .iter()
            .filter(|import| import.names.iter().any(|name| name.name.text == "*"))
            .filter_map(|import| import.from.as_ref())
    }
}
