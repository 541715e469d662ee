//! Which names a tree has and which are gone: modules, definitions, methods, constants, through re-exports and bases.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::{Value, json};
use switchback_core::verdict::Verdict;
use switchback_core::world::{Disk, DiskError};

use crate::deep::deep;
use crate::index::{Index, ModuleName, Target, join};
use crate::roots;
use crate::syntax::values::{ClassDefinition, Deed, Expression, Form, Statement, values};
use crate::syntax::{Binding, Facts, Span, line_of};
use crate::tree::Tree;

/// How far re-exports, aliases and bases are followed.
const DEPTH_MAX: usize = 24;

/// What is asked for.
#[derive(Debug, Clone, Default)]
pub struct SymbolsOptions {
    /// The root of the tree.
    pub root: PathBuf,
    /// Source roots, relative to the tree; found by looking when empty.
    pub source_roots: Vec<String>,
    /// What must be there: `module`, `module:name`, `module:Class.method`.
    pub exist: Vec<String>,
    /// What must be gone, written alike.
    pub gone: Vec<String>,
}

/// What was asked could not be looked for.
#[derive(Debug, thiserror::Error)]
pub enum SymbolsError {
    /// A file or folder.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// The threads for it could not be started.
    #[error("the threads that read files could not be started: {0}")]
    Threads(String),
    /// Something that is no symbol.
    #[error("`{0}` is no symbol: write `module`, `module:name` or `module:Class.method`")]
    NoSymbol(String),
}

/// Whether a name is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Presence {
    /// It is, and how.
    There(String),
    /// It is not, and what is missing.
    Gone(String),
    /// Nobody can tell without running it, and why.
    Unknown(String),
}

/// One name that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Symbol {
    /// As it was asked for.
    pub name: String,
    /// Whether it must be gone.
    pub is_unwanted: bool,
    /// Whether it is there.
    pub presence: Presence,
    /// Where it is defined: file and line.
    pub place: Option<(String, usize)>,
}

impl Symbol {
    /// *Yes* when it is as it was asked for.
    pub fn verdict(&self) -> Verdict {
        match (&self.presence, self.is_unwanted) {
            (Presence::There(_), false) | (Presence::Gone(_), true) => Verdict::Yes,
            (Presence::There(_), true) | (Presence::Gone(_), false) => Verdict::No,
            (Presence::Unknown(_), _) => Verdict::Unknown,
        }
    }

    fn reason(&self) -> &str {
        match &self.presence {
            Presence::There(how) | Presence::Gone(how) | Presence::Unknown(how) => how,
        }
    }
}

/// All names that were asked for.
#[derive(Debug, Clone, Default)]
pub struct SymbolsOutcome {
    /// The names, in the order in which they were asked for.
    pub symbols: Vec<Symbol>,
}

/// Looks for names in the tree at `options.root`.
pub fn symbols(disk: Arc<dyn Disk>, options: &SymbolsOptions) -> Result<SymbolsOutcome, SymbolsError> {
    deep(|| look(disk, options)).map_err(SymbolsError::Threads)?
}

fn look(disk: Arc<dyn Disk>, options: &SymbolsOptions) -> Result<SymbolsOutcome, SymbolsError> {
    let tree = Tree::open(disk, &options.root)?;
    let source_roots = roots::given_or_found(&tree, &options.source_roots);
    let index = Index::new(&tree, &source_roots);
    let mut finder = Finder { index: &index, outlines: BTreeMap::new() };
    let asked = options.exist.iter().map(|name| (name, false));
    let asked = asked.chain(options.gone.iter().map(|name| (name, true)));
    let mut found = Vec::new();
    for (name, is_unwanted) in asked {
        let (module, names) = parts(name).ok_or_else(|| SymbolsError::NoSymbol(name.clone()))?;
        let (presence, place) = finder.find(&module, &names);
        found.push(Symbol { name: name.clone(), is_unwanted, presence, place });
    }
    Ok(SymbolsOutcome { symbols: found })
}

/// `module:a.b` taken apart.
fn parts(symbol: &str) -> Option<(String, Vec<String>)> {
    let (module, rest) = symbol.split_once(':').map_or((symbol, None), |(module, rest)| (module, Some(rest)));
    let is_dotted = crate::moving::is_dotted;
    if !is_dotted(module) || rest.is_some_and(|rest| !is_dotted(rest)) {
        return None;
    }
    let names = rest.map(|rest| rest.split('.').map(ToOwned::to_owned).collect());
    Some((module.to_owned(), names.unwrap_or_default()))
}

type Answer = (Presence, Option<(String, usize)>);

struct Finder<'i, 't> {
    index: &'i Index<'t>,
    outlines: BTreeMap<usize, Arc<Vec<Statement>>>,
}

impl Finder<'_, '_> {
    fn find(&mut self, module: &str, names: &[String]) -> Answer {
        let Some((name, rest)) = names.split_first() else { return self.module(module) };
        if !self.index.has(module) {
            return (Presence::Gone(format!("there is no module `{module}`")), None);
        }
        self.member(module, name, rest, 0)
    }

    fn module(&self, module: &str) -> Answer {
        if let Some(file) = self.index.file_of(module).and_then(|at| self.index.tree.file(at)) {
            return (Presence::There("a module".to_owned()), Some((file.path.clone(), 1)));
        }
        if self.index.has(module) {
            return (Presence::There("a package without a file of its own".to_owned()), None);
        }
        (Presence::Gone(format!("there is no module `{module}`")), None)
    }

    /// `name` in a module, and `rest` in it.
    fn member(&mut self, module: &str, name: &str, rest: &[String], depth: usize) -> Answer {
        if depth > DEPTH_MAX {
            return (Presence::Unknown("the names lead in a circle".to_owned()), None);
        }
        let below = join(module, name);
        let Some(at) = self.index.file_of(module) else {
            return self.submodule(&below, rest, depth).unwrap_or_else(|| no(module, name));
        };
        let Some(file) = self.index.tree.file(at) else { return no(module, name) };
        let facts = self.index.tree.facts(file);
        let own = self.index.names.get(at).and_then(Option::as_ref);
        if let Some((_, bindings)) = facts.bound_in(0, name) {
            if let Some(answer) = self.imported(own, &facts, bindings, name, rest, depth) {
                return answer;
            }
            return self.defined(module, at, name, rest, depth);
        }
        if let Some(answer) = self.submodule(&below, rest, depth) {
            return answer;
        }
        let mut doubt: Option<String> = None;
        for star in facts.stars() {
            let Some(base) = Index::base(own, star) else { continue };
            if self.index.has(&base) && base != module {
                let is_offered = self.index.facts_of(&base).is_none_or(|facts| match &facts.exports {
                    Some(exports) => exports.iter().any(|export| export == name),
                    None => !name.starts_with('_'),
                });
                let answer = self.member(&base, name, rest, depth + 1);
                match answer.0 {
                    Presence::There(how) if is_offered => {
                        let how = format!("{how}, through `from {base} import *` in `{module}`");
                        return (Presence::There(how), answer.1);
                    }
                    Presence::Unknown(why) => doubt = Some(why),
                    _ => {}
                }
            } else if !self.index.has(&base) {
                doubt = Some(format!("`{module}` takes all names of `{base}`, which is not in the tree"));
            }
        }
        let is_global = facts.scopes.iter().any(|scope| scope.globals.contains(name));
        if is_global {
            return (Presence::There("made by a function that declares it `global`".to_owned()), None);
        }
        if let Some(error) = facts.errors.first() {
            doubt = Some(format!("`{module}` does not parse: {}", error.message));
        } else if facts.is_dynamic {
            doubt = Some(format!("`{module}` makes names while it runs"));
        }
        match doubt {
            Some(why) => (Presence::Unknown(why), None),
            None => no(module, name),
        }
    }

    fn submodule(&mut self, below: &str, rest: &[String], depth: usize) -> Option<Answer> {
        if !self.index.has(below) {
            return None;
        }
        Some(match rest.split_first() {
            None => self.module(below),
            Some((name, rest)) => self.member(below, name, rest, depth + 1),
        })
    }

    /// What an import of the module binds the name to.
    fn imported(
        &mut self,
        own: Option<&ModuleName>,
        facts: &Facts,
        bindings: &[Binding],
        name: &str,
        rest: &[String],
        depth: usize,
    ) -> Option<Answer> {
        let is_own = bindings.iter().any(|binding| !matches!(binding, Binding::Import(..)));
        if is_own {
            return None;
        }
        let mut last = None;
        for binding in bindings {
            let Binding::Import(import, at) = binding else { continue };
            let (Some(import), Some(imported)) = (
                facts.imports.get(*import),
                facts.imports.get(*import).and_then(|import| import.names.get(*at)),
            ) else {
                continue;
            };
            let target = if import.from.is_none() && imported.alias.is_none() {
                let top = imported.name.text.split('.').next().unwrap_or_default();
                if self.index.has(top) {
                    Target::Module(top.to_owned())
                } else {
                    Target::External(top.to_owned())
                }
            } else {
                self.index.target(own, import, imported)
            };
            let answer = match target {
                Target::Module(module) => match rest.split_first() {
                    None => self.module(&module),
                    Some((name, rest)) => self.member(&module, name, rest, depth + 1),
                },
                Target::Symbol { module, name } => {
                    let (presence, place) = self.member(&module, &name, rest, depth + 1);
                    let presence = match presence {
                        Presence::There(how) => {
                            Presence::There(format!("{how}, re-exported from `{module}`"))
                        }
                        other => other,
                    };
                    (presence, place)
                }
                Target::External(dotted) if rest.is_empty() => {
                    (Presence::There(format!("imported from outside of the tree: `{dotted}`")), None)
                }
                Target::External(dotted) => {
                    (Presence::Unknown(format!("`{name}` comes from outside of the tree: `{dotted}`")), None)
                }
                Target::Missing(why) => {
                    (Presence::Unknown(format!("its import does not resolve: {why}")), None)
                }
            };
            if matches!(answer.0, Presence::There(_)) {
                return Some(answer);
            }
            last = Some(answer);
        }
        last
    }

    /// What the statements of a file define as the name.
    fn defined(&mut self, module: &str, at: usize, name: &str, rest: &[String], depth: usize) -> Answer {
        let statements = self.outline(at);
        let found = definition(&statements, name);
        let place = found.as_ref().and_then(|found| self.place(at, found.span()));
        let Some((next, _)) = rest.split_first() else {
            let how = match found {
                Some(Found::Class(_)) => "a class",
                Some(Found::Function(..)) => "a function",
                _ => "a value",
            };
            return (Presence::There(how.to_owned()), place);
        };
        match found {
            Some(Found::Class(class)) => self.in_class(module, at, &class, rest, depth),
            Some(Found::Value(value)) => {
                let Some(dotted) = chain(&value) else {
                    return (Presence::Unknown(format!("what `{name}` is, is computed")), place);
                };
                // Another name for something: that is looked at.
                let mut names: Vec<String> = dotted;
                names.extend(rest.iter().cloned());
                let Some((first, rest)) = names.split_first() else { return no(module, name) };
                if first == name {
                    return (Presence::Unknown(format!("`{name}` is made of itself")), place);
                }
                let (first, rest) = (first.clone(), rest.to_vec());
                self.member(module, &first, &rest, depth + 1)
            }
            Some(Found::Function(..)) => {
                (Presence::Gone(format!("`{name}` is a function, and nothing gives it `{next}`")), place)
            }
            Some(Found::Declared(_)) | None => {
                (Presence::Unknown(format!("`{name}` is bound by something that is not followed")), place)
            }
        }
    }

    fn in_class(
        &mut self,
        module: &str,
        at: usize,
        class: &ClassDefinition,
        names: &[String],
        depth: usize,
    ) -> Answer {
        let Some((name, rest)) = names.split_first() else { return self.module(module) };
        if depth > DEPTH_MAX {
            return (Presence::Unknown("the bases lead in a circle".to_owned()), None);
        }
        if let Some(found) = definition(&class.body, name) {
            let place = self.place(at, found.span());
            return match (found, rest.is_empty()) {
                (Found::Class(inner), false) => self.in_class(module, at, &inner, rest, depth + 1),
                (_, false) => (Presence::Unknown(format!("what `{name}` holds is not followed")), place),
                (Found::Function(..), true) => (Presence::There("a method".to_owned()), place),
                (_, true) => (Presence::There("an attribute of the class".to_owned()), place),
            };
        }
        if let Some(span) = set_on_self(&class.body, name) {
            let place = self.place(at, span);
            let presence = if rest.is_empty() {
                Presence::There("an attribute that a method sets".to_owned())
            } else {
                Presence::Unknown(format!("what `{name}` holds is not followed"))
            };
            return (presence, place);
        }
        let mut doubt = definition(&class.body, "__getattr__")
            .or_else(|| definition(&class.body, "__getattribute__"))
            .map(|_| format!("`{}` makes attributes while it runs", class.name));
        for base in &class.bases {
            let Some(dotted) = chain(base) else {
                doubt = Some(format!("a base of `{}` is computed", class.name));
                continue;
            };
            if dotted.last().is_some_and(|last| BARE.contains(&last.as_str())) {
                continue;
            }
            let Some((first, inner)) = dotted.split_first() else { continue };
            let names: Vec<String> = inner.iter().chain(names).cloned().collect();
            let written = dotted.join(".");
            let is_bound = self.index.facts_of(module).is_some_and(|facts| facts.binds(first));
            if !is_bound {
                doubt = Some(format!("its base `{written}` is not in the tree"));
                continue;
            }
            match self.member(module, first, &names, depth + 1) {
                (Presence::There(how), place) => {
                    return (Presence::There(format!("{how}, inherited from `{written}`")), place);
                }
                (Presence::Unknown(why), _) => doubt = Some(why),
                (Presence::Gone(_), _) => {}
            }
        }
        match doubt {
            Some(why) => (Presence::Unknown(why), None),
            None => (Presence::Gone(format!("`{}` of `{module}` has no `{name}`", class.name)), None),
        }
    }

    fn outline(&mut self, at: usize) -> Arc<Vec<Statement>> {
        if let Some(known) = self.outlines.get(&at) {
            return known.clone();
        }
        let content = self.index.tree.file(at).and_then(|file| self.index.tree.content(file).ok());
        let made = Arc::new(content.map(|bytes| values(&bytes)).unwrap_or_default());
        self.outlines.insert(at, made.clone());
        made
    }

    fn place(&self, at: usize, span: Span) -> Option<(String, usize)> {
        let file = self.index.tree.file(at)?;
        let bytes = self.index.tree.content(file).ok()?;
        Some((file.path.clone(), line_of(&bytes, span.start).0))
    }
}

/// Bases that give a class no name that anybody would ask for.
const BARE: &[&str] = &["object", "ABC", "Generic", "Protocol"];

fn no(module: &str, name: &str) -> Answer {
    (Presence::Gone(format!("`{module}` has no `{name}`")), None)
}

/// What a name is defined as.
enum Found {
    Class(Arc<ClassDefinition>),
    Function(Span),
    Value(Expression),
    Declared(Span),
}

impl Found {
    fn span(&self) -> Span {
        match self {
            Self::Class(class) => class.name_span,
            Self::Function(span) | Self::Declared(span) => *span,
            Self::Value(value) => value.span,
        }
    }
}

/// The last definition of a name in a body, conditional ones included.
fn definition(body: &[Statement], name: &str) -> Option<Found> {
    let is_name = |target: &Expression| matches!(&target.form, Form::Name(own) if own == name);
    body.iter().rev().find_map(|statement| match &statement.deed {
        Deed::Define(function) if function.name == name => Some(Found::Function(function.name_span)),
        Deed::Class(class) if class.name == name => Some(Found::Class(class.clone())),
        Deed::Assign(targets, value) => {
            if targets.iter().any(is_name) {
                return Some(Found::Value(value.clone()));
            }
            let is_part = targets
                .iter()
                .any(|target| matches!(&target.form, Form::List(parts) if parts.iter().any(is_name)));
            is_part.then_some(Found::Declared(statement.span))
        }
        Deed::Declare(target) if is_name(target) => Some(Found::Declared(target.span)),
        deed => inner(deed).into_iter().rev().find_map(|body| definition(body, name)),
    })
}

/// The bodies of statements that make no scope.
fn inner(deed: &Deed) -> Vec<&[Statement]> {
    match deed {
        Deed::Branch(branches) => branches.iter().map(|(_, body)| body.as_slice()).collect(),
        Deed::Loop(_, _, body) | Deed::Perhaps(body) | Deed::With(_, body) => vec![body],
        Deed::Attempt(body, handlers, rest) => {
            let handlers = handlers.iter().map(Vec::as_slice);
            std::iter::once(body.as_slice()).chain(handlers).chain([rest.as_slice()]).collect()
        }
        _ => Vec::new(),
    }
}

/// Where a method of a class sets an attribute on what it is bound to.
fn set_on_self(body: &[Statement], name: &str) -> Option<Span> {
    body.iter().find_map(|statement| match &statement.deed {
        Deed::Define(function) => {
            let own = function.parameters.first().map(|first| first.name.as_str())?;
            sets(&function.body, own, name)
        }
        deed => inner(deed).into_iter().find_map(|body| set_on_self(body, name)),
    })
}

fn sets(body: &[Statement], own: &str, name: &str) -> Option<Span> {
    let is_it = |target: &Expression| {
        matches!(&target.form, Form::Attribute(object, attribute)
            if attribute == name && matches!(&object.form, Form::Name(object) if object == own))
    };
    body.iter().find_map(|statement| match &statement.deed {
        Deed::Assign(targets, _) => targets
            .iter()
            .flat_map(|target| match &target.form {
                Form::List(parts) => parts.iter().collect(),
                _ => vec![target],
            })
            .find(|target| is_it(target))
            .map(|target| target.span),
        Deed::Declare(target) | Deed::Extend(target, _) if is_it(target) => Some(target.span),
        deed => inner(deed).into_iter().find_map(|body| sets(body, own, name)),
    })
}

/// The names of `a.b.c`, type arguments left out.
fn chain(expression: &Expression) -> Option<Vec<String>> {
    match &expression.form {
        Form::Name(name) => Some(vec![name.clone()]),
        Form::Attribute(object, name) => {
            let mut names = chain(object)?;
            names.push(name.clone());
            Some(names)
        }
        Form::Item(object, _) => chain(object),
        _ => None,
    }
}

impl SymbolsOutcome {
    /// The verdict of all names together; *unknown* when none was asked for.
    pub fn verdict(&self) -> Verdict {
        Verdict::all(self.symbols.iter().map(Symbol::verdict))
    }

    /// The document `switchback/symbols/1`.
    pub fn to_json(&self) -> Value {
        let symbols: Vec<Value> = self
            .symbols
            .iter()
            .map(|symbol| {
                let wanted = if symbol.is_unwanted { "gone" } else { "there" };
                let presence = match &symbol.presence {
                    Presence::There(_) => "there",
                    Presence::Gone(_) => "gone",
                    Presence::Unknown(_) => "unknown",
                };
                let mut value = json!({
                    "symbol": symbol.name, "verdict": symbol.verdict().word(), "wanted": wanted, "is": presence,
                    "why": symbol.reason(),
                });
                if let Some((file, line)) = &symbol.place {
                    value["file"] = json!(file);
                    value["line"] = json!(line);
                }
                value
            })
            .collect();
        json!({"schema": "switchback/symbols/1", "verdict": self.verdict().word(), "symbols": symbols})
    }

    /// One line for each name.
    pub fn told(&self) -> Vec<String> {
        self.symbols
            .iter()
            .map(|symbol| {
                let wanted = if symbol.is_unwanted { " (must be gone)" } else { "" };
                let place =
                    symbol.place.as_ref().map(|(file, line)| format!(", {file}:{line}")).unwrap_or_default();
                let presence = match symbol.presence {
                    Presence::There(_) => "is there",
                    Presence::Gone(_) => "is gone",
                    Presence::Unknown(_) => "could not be told",
                };
                format!(
                    "{}: `{}`{wanted} {presence}: {}{place}",
                    symbol.verdict().spoken(),
                    symbol.name,
                    symbol.reason()
                )
            })
            .collect()
    }
}
