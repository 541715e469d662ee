//! The modules of a tree: which name each file has, and what a dotted name or an import means.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use crate::syntax::{Binding, Facts, Import, ImportedName};
use crate::tree::{Class, Tree};

/// How far re-exports are followed.
const DEPTH_MAX: usize = 12;

/// What a file is called when it is imported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModuleName {
    /// Its dotted name.
    pub dotted: String,
    /// Whether it is the body of a package: relative names begin at itself.
    pub is_package: bool,
}

impl ModuleName {
    /// The package that a relative import of one dot means; empty for a module at the top.
    pub fn package(&self) -> &str {
        if self.is_package { &self.dotted } else { parent_of(&self.dotted) }
    }
}

/// Everything before the last dot.
pub fn parent_of(dotted: &str) -> &str {
    dotted.rsplit_once('.').map_or("", |(parent, _)| parent)
}

/// Everything after the last dot.
pub fn leaf_of(dotted: &str) -> &str {
    dotted.rsplit_once('.').map_or(dotted, |(_, leaf)| leaf)
}

/// `base` and `name`, dotted.
pub fn join(base: &str, name: &str) -> String {
    match (base, name) {
        ("", name) => name.to_owned(),
        (base, "") => base.to_owned(),
        (base, name) => format!("{base}.{name}"),
    }
}

/// What an imported name turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A module of the tree, by its name.
    Module(String),
    /// A name in a module of the tree.
    Symbol {
        /// The module.
        module: String,
        /// The name in it.
        name: String,
    },
    /// Something outside the tree.
    External(String),
    /// Nothing that could be found, and why.
    Missing(String),
}

/// What the statements of a module bind a name to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// A module of the tree.
    Module,
    /// Anything else.
    Symbol,
}

/// What a name in a module is.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Held {
    /// Bound by the module's own statements, to a module.
    Module(String),
    /// Bound by the module's own statements, to anything else.
    Symbol,
    /// It may be: a star import from outside, `__getattr__`.
    Maybe,
    /// Nothing binds it.
    Nothing,
}

/// The modules of a tree.
#[derive(Debug)]
pub struct Index<'t> {
    /// The tree.
    pub tree: &'t Tree,
    /// The folders from which dotted names start, longest first; the root itself is the empty one.
    pub roots: Vec<String>,
    /// The name of each file; nothing for what cannot be imported.
    pub names: Vec<Option<ModuleName>>,
    by_name: HashMap<String, usize>,
    prefixes: HashSet<String>,
    /// What comes along with a module, for those that were asked for.
    along: Mutex<HashMap<String, Arc<HashSet<String>>>>,
}

impl<'t> Index<'t> {
    /// Names the modules of a tree. Nothing is parsed yet.
    pub fn new(tree: &'t Tree, roots: &[String]) -> Self {
        let mut roots = roots.to_vec();
        roots.sort_by_key(|root| std::cmp::Reverse(root.len()));
        let names: Vec<Option<ModuleName>> = tree
            .files
            .iter()
            .map(|file| if file.class == Class::Python { module_name(&file.path, &roots) } else { None })
            .collect();
        let mut by_name: HashMap<String, usize> = HashMap::new();
        let mut prefixes = HashSet::new();
        for (at, name) in names.iter().enumerate() {
            let Some(name) = name else { continue };
            let mut parent = parent_of(&name.dotted);
            while !parent.is_empty() && prefixes.insert(parent.to_owned()) {
                parent = parent_of(parent);
            }
            let is_better = by_name
                .get(&name.dotted)
                .and_then(|other| tree.file(*other))
                .zip(tree.file(at))
                .is_none_or(|(other, file)| rank(&file.path) < rank(&other.path));
            if is_better {
                by_name.insert(name.dotted.clone(), at);
            }
        }
        Self { tree, roots, names, by_name, prefixes, along: Mutex::default() }
    }

    /// The file of a module; nothing for a namespace package and for what is no module of the tree.
    pub fn file_of(&self, dotted: &str) -> Option<usize> {
        self.by_name.get(dotted).copied()
    }

    /// Whether the tree has a module or package of this name.
    pub fn has(&self, dotted: &str) -> bool {
        self.by_name.contains_key(dotted) || self.prefixes.contains(dotted)
    }

    /// Whether anything below the name is a module.
    pub fn is_package(&self, dotted: &str) -> bool {
        self.prefixes.contains(dotted)
    }

    /// The names of all modules that are files, sorted.
    pub fn modules(&self) -> BTreeMap<&str, usize> {
        self.by_name.iter().map(|(name, at)| (name.as_str(), *at)).collect()
    }

    /// Every package that has no file of its own.
    pub fn namespaces(&self) -> impl Iterator<Item = &str> {
        self.prefixes.iter().filter(|name| !self.by_name.contains_key(*name)).map(String::as_str)
    }

    /// What the file of a module says.
    pub fn facts_of(&self, dotted: &str) -> Option<Arc<Facts>> {
        let file = self.tree.file(self.file_of(dotted)?)?;
        Some(self.tree.facts(file))
    }

    /// What of the file of a module runs when it is imported.
    pub fn at_import(&self, dotted: &str) -> Option<Arc<Facts>> {
        let file = self.tree.file(self.file_of(dotted)?)?;
        Some(self.tree.at_import(file))
    }

    /// Every module of the tree that has been imported as soon as `dotted` has been: itself, the packages around it, and
    /// what any of them imports on no condition.
    pub fn comes_along(&self, dotted: &str) -> Arc<HashSet<String>> {
        let mut known = self.along.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = known.get(dotted) {
            return found.clone();
        }
        let mut found: HashSet<String> = HashSet::new();
        let mut open = vec![dotted.to_owned()];
        while let Some(module) = open.pop() {
            if module.is_empty() || !self.has(&module) || !found.insert(module.clone()) {
                continue;
            }
            open.push(parent_of(&module).to_owned());
            let name = self.file_of(&module).and_then(|at| self.names.get(at)).and_then(Option::as_ref);
            let Some(facts) = self.facts_of(&module) else { continue };
            for import in &facts.imports {
                if import.is_late || import.is_typing || import.is_optional {
                    continue;
                }
                open.extend(import.from.as_ref().and_then(|from| Self::base(name, from)));
                for imported in &import.names {
                    match self.target(name, import, imported) {
                        Target::Module(module) | Target::Symbol { module, .. } => open.push(module),
                        Target::External(_) | Target::Missing(_) => {}
                    }
                }
            }
        }
        let found = Arc::new(found);
        known.insert(dotted.to_owned(), found.clone());
        found
    }

    /// The longest beginning of `dotted` that is a module, and how many names it has.
    pub fn longest_module(&self, dotted: &str) -> Option<(String, usize)> {
        let names: Vec<&str> = dotted.split('.').collect();
        let mut found = None;
        for count in 1..=names.len() {
            let head = names.get(..count)?.join(".");
            if !self.has(&head) {
                break;
            }
            found = Some((head, count));
        }
        found
    }

    /// The module that `from` names, seen from the module `name`; nothing when the dots lead out of the top package.
    pub fn base(name: Option<&ModuleName>, from: &crate::syntax::From) -> Option<String> {
        if from.level == 0 {
            return Some(from.module.clone());
        }
        let mut package = name?.package();
        for _ in 1..from.level {
            if package.is_empty() {
                return None;
            }
            package = parent_of(package);
        }
        if package.is_empty() { None } else { Some(join(package, &from.module)) }
    }

    /// What one name of an import means, seen from the module `name`.
    pub fn target(&self, name: Option<&ModuleName>, import: &Import, imported: &ImportedName) -> Target {
        let Some(from) = &import.from else {
            return self.module_target(&imported.name.text);
        };
        let Some(base) = Self::base(name, from) else {
            let dots = ".".repeat(from.level);
            return Target::Missing(format!("`{dots}{}` leads out of its top package", from.module));
        };
        if imported.name.text == "*" {
            return self.module_target(&base);
        }
        self.member(name.map(|name| name.dotted.as_str()), &base, &imported.name.text, 0)
    }

    fn module_target(&self, dotted: &str) -> Target {
        let top = dotted.split('.').next().unwrap_or_default();
        if self.has(dotted) {
            Target::Module(dotted.to_owned())
        } else if self.has(top) {
            Target::Missing(format!("there is no module `{dotted}`"))
        } else {
            Target::External(dotted.to_owned())
        }
    }

    /// What `name` in the module `base` is. `within` is the module that asks: a package that imports from itself means
    /// its submodules.
    pub fn member(&self, within: Option<&str>, base: &str, name: &str, depth: usize) -> Target {
        match self.module_target(base) {
            Target::Module(_) => {}
            Target::External(_) => return Target::External(join(base, name)),
            other => return other,
        }
        let below = join(base, name);
        let symbol = || Target::Symbol { module: base.to_owned(), name: name.to_owned() };
        if within == Some(base) && self.has(&below) {
            return Target::Module(below);
        }
        match self.held(base, name, depth) {
            Held::Module(module) => Target::Module(module),
            Held::Symbol => symbol(),
            _ if self.has(&below) => Target::Module(below),
            Held::Maybe => symbol(),
            Held::Nothing => Target::Missing(format!("`{base}` has no `{name}`")),
        }
    }

    /// What the statements of the module `base` bind `name` to.
    fn held(&self, base: &str, name: &str, depth: usize) -> Held {
        if depth > DEPTH_MAX {
            return Held::Maybe;
        }
        let Some(at) = self.file_of(base) else { return Held::Nothing };
        let (Some(file), Some(Some(own))) = (self.tree.file(at), self.names.get(at)) else {
            return Held::Maybe;
        };
        let facts = self.tree.facts(file);
        if let Some((_, bindings)) = facts.bound_in(0, name) {
            return self.bound_to(own, &facts, bindings, depth);
        }
        if matches!(
            name,
            "__name__" | "__file__" | "__doc__" | "__path__" | "__dict__" | "__spec__" | "__all__"
        ) {
            return Held::Symbol;
        }
        let mut best = Held::Nothing;
        for star in facts.stars() {
            let Some(from) = Self::base(Some(own), star) else { continue };
            match self.module_target(&from) {
                Target::Module(_) if from != base => match self.held(&from, name, depth + 1) {
                    Held::Nothing => {}
                    found => return found,
                },
                Target::Module(_) => {}
                _ => best = Held::Maybe,
            }
        }
        if facts.is_dynamic || !facts.errors.is_empty() || declares_global(&facts, name) {
            best = Held::Maybe;
        }
        best
    }

    fn bound_to(&self, own: &ModuleName, facts: &Facts, bindings: &[Binding], depth: usize) -> Held {
        for binding in bindings {
            let Binding::Import(import, name) = binding else { continue };
            let Some(import) = facts.imports.get(*import) else { continue };
            let Some(imported) = import.names.get(*name) else { continue };
            let target = match (&import.from, &imported.alias) {
                (None, None) => self.module_target(imported.name.text.split('.').next().unwrap_or_default()),
                (None, Some(_)) => self.module_target(&imported.name.text),
                (Some(from), _) => match Self::base(Some(own), from) {
                    Some(base) => self.member(Some(&own.dotted), &base, &imported.name.text, depth + 1),
                    None => continue,
                },
            };
            if let Target::Module(module) = target {
                return Held::Module(module);
            }
        }
        Held::Symbol
    }

    /// What the statements of the module itself bind `name` to; nothing when none is known to.
    pub fn explicit(&self, base: &str, name: &str) -> Option<Bound> {
        match self.held(base, name, 0) {
            Held::Module(_) => Some(Bound::Module),
            Held::Symbol => Some(Bound::Symbol),
            Held::Maybe | Held::Nothing => None,
        }
    }

    /// Whether `module` may have an attribute `name`.
    pub fn may_have(&self, module: &str, name: &str) -> bool {
        self.has(&join(module, name)) || self.held(module, name, 0) != Held::Nothing
    }
}

/// `global name` in a function makes the module have it.
fn declares_global(facts: &Facts, name: &str) -> bool {
    facts.scopes.iter().any(|scope| scope.globals.contains(name))
}

/// Which of two files of one name is imported: a package before a module, code before stubs.
fn rank(path: &str) -> usize {
    let name = path.rsplit('/').next().unwrap_or(path);
    match name.rsplit_once('.') {
        Some(("__init__", "py")) => 0,
        Some((_, "py")) => 1,
        Some(("__init__", _)) => 2,
        _ => 3,
    }
}

/// The dotted name of a file under the longest root that it lies below; nothing when it cannot be imported.
pub fn module_name(path: &str, roots: &[String]) -> Option<ModuleName> {
    let below = roots
        .iter()
        .filter_map(|root| {
            if root.is_empty() { Some(path) } else { path.strip_prefix(root.as_str())?.strip_prefix('/') }
        })
        .min_by_key(|below| below.len())?;
    let (stem, extension) = below.rsplit_once('.')?;
    if !matches!(extension, "py" | "pyi" | "pyx" | "pxd" | "pyw") {
        return None;
    }
    let (stem, is_package) = match stem.strip_suffix("__init__") {
        Some("") => return None,
        Some(package) if package.ends_with('/') => (package.trim_end_matches('/'), true),
        _ => (stem, false),
    };
    let is_name = |name: &str| {
        name.bytes().next().is_some_and(|byte| !byte.is_ascii_digit())
            && name.bytes().all(crate::syntax::is_word)
    };
    if !stem.split('/').all(is_name) {
        return None;
    }
    Some(ModuleName { dotted: stem.replace('/', "."), is_package })
}
