//! Definitions that rules move: cut out of one module, put into another, with the imports that they need.
//!
//! This is done to the tree before everything else moves, so that the move itself finds a tree in which each definition
//! stands in its new module already. A definition that cannot be moved safely is refused, with the reason.

mod builtin;
mod cut;
mod exports;
mod home;
mod need;
mod old;
mod site;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt;
use std::sync::Arc;

use aho_corasick::AhoCorasick;

use super::edit::{Edit, Edits, Left};
use super::mapping::Mapping;
use super::order::{Sides, Styles, out_of_order, put_in_order};
use super::place::placed;
use super::rules::{Leave, Pair, Rules};
use crate::index::{Index, ModuleName, Target, leaf_of, parent_of};
use crate::syntax::{Binding, line_of};
use crate::tree::{Class, File, Tree, has_extension};
use need::{Homes, Needs};
use site::Site;

/// A definition that cannot be moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// What it is called now.
    pub from: String,
    /// What it would be called.
    pub to: String,
    /// The file in which the reason lies.
    pub path: String,
    /// Its line, from 1.
    pub line: usize,
    /// The reason.
    pub why: String,
}

/// Definitions that cannot be moved safely.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedDefinitions(pub Vec<Refused>);

impl fmt::Display for RefusedDefinitions {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, one) in self.0.iter().enumerate() {
            if at > 0 {
                writeln!(out)?;
            }
            write!(
                out,
                "`{}` cannot be moved to `{}`: {}:{}: {}",
                one.from, one.to, one.path, one.line, one.why
            )?;
        }
        Ok(())
    }
}

impl std::error::Error for RefusedDefinitions {}

/// Why a definition cannot be moved, and where that can be seen.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Trouble {
    offset: usize,
    why: String,
}

/// A definition that a rule moves.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Definition {
    /// The module that it is in.
    from: String,
    /// Its name.
    name: String,
    /// The rule.
    rule: Pair,
    /// The module that it goes to, as it is called before everything else moves.
    home: ModuleName,
    /// The file of that module.
    home_path: String,
}

/// What becomes of the tree when its definitions have moved, and nothing else.
#[derive(Debug, Default)]
pub(super) struct Carried {
    /// Files that change, or come into being, with their new bytes.
    pub(super) contents: BTreeMap<String, Arc<[u8]>>,
    /// Those of them that come into being.
    pub(super) created: BTreeSet<String>,
    /// What people should know, by file.
    pub(super) left: Vec<(String, Left)>,
    /// The old names of the definitions.
    pub(super) names: HashSet<String>,
    /// New modules, each with the module that its definitions came from.
    pub(super) origins: BTreeMap<String, String>,
}

impl Carried {
    /// The tree with the definitions where they go.
    pub(super) fn tree(&self, tree: &Tree) -> Tree {
        let mut files: Vec<File> = tree
            .files
            .iter()
            .map(|file| file.moved(file.path.clone(), self.contents.get(&file.path).cloned()))
            .collect();
        files.extend(
            self.created
                .iter()
                .filter_map(|path| Some(File::made(path.clone(), self.contents.get(path)?.clone()))),
        );
        tree.with(files)
    }

    /// The rules of the move that is left to do: what was made here stays where it was put.
    pub(super) fn rules(&self, rules: &Rules) -> Rules {
        let mut rules = rules.clone();
        rules.leaves.extend(self.created.iter().map(|path| Leave { path: path.clone() }));
        rules
    }
}

/// The definitions that rules name and that stand where the rules take them from, as old module and name.
fn named<'r>(index: &Index<'_>, rules: &'r Rules) -> Vec<(&'r Pair, String, String)> {
    let mut found = Vec::new();
    if rules.definitions_by_hand {
        return found;
    }
    for pair in &rules.symbols {
        let (module, name) = (parent_of(&pair.from), leaf_of(&pair.from));
        // A new name is given by hand: nobody can tell what else is meant by the old one.
        if pair.from == pair.to || name != leaf_of(&pair.to) {
            continue;
        }
        let is_code = index
            .file_of(module)
            .and_then(|at| index.tree.file(at))
            .is_some_and(|file| has_extension(&file.path, "py"));
        let is_defined = index.facts_of(module).is_some_and(|facts| {
            facts.bound_in(0, name).is_some_and(|(_, bindings)| {
                bindings.iter().any(|binding| !matches!(binding, Binding::Import(..)))
            })
        });
        if is_code && is_defined {
            found.push((pair, module.to_owned(), name.to_owned()));
        }
    }
    found
}

/// The rules, with modules made into packages where definitions go below them.
pub(super) fn with_splits(index: &Index<'_>, rules: &Rules) -> Rules {
    let mut whole = rules.clone();
    for (pair, _, _) in named(index, rules) {
        let mut above = parent_of(parent_of(&pair.to));
        while !above.is_empty() {
            let file = index.file_of(above).and_then(|at| index.tree.file(at));
            if let Some(file) = file
                && let Some(stem) = file.path.strip_suffix(".py").filter(|stem| !stem.ends_with("__init__"))
            {
                let is_moved = whole.moves.iter().any(|pair| pair.from == above || pair.from == file.path);
                if !is_moved {
                    let to = format!("{stem}/__init__.py");
                    whole.moves.push(Pair { from: file.path.clone(), to });
                }
            }
            above = parent_of(above);
        }
    }
    whole
}

/// What is to be done, and with what.
pub(super) struct Order<'a> {
    /// The tree as it is.
    pub(super) index: &'a Index<'a>,
    /// The rules.
    pub(super) rules: &'a Rules,
    /// What else moves.
    pub(super) mapping: &'a Mapping,
    /// The source roots of the new tree.
    pub(super) roots: &'a [String],
    /// How the project sorts its imports.
    pub(super) styles: &'a Styles,
    /// Whether every old name stays importable.
    pub(super) keeps_names: bool,
}

impl Order<'_> {
    /// Moves the definitions that rules name; nothing when there are none.
    pub(super) fn carry(&self) -> Result<Option<Carried>, RefusedDefinitions> {
        let mut refused = Vec::new();
        let mut definitions = Vec::new();
        for (pair, module, name) in named(self.index, self.rules) {
            match self.definition(pair, module, name) {
                Ok(Some(definition)) => definitions.push(definition),
                Ok(None) => {}
                Err(why) => {
                    refused.push(self.refused(pair, parent_of(&pair.from), &Trouble { offset: 0, why }));
                }
            }
        }
        if definitions.is_empty() && refused.is_empty() {
            return Ok(None);
        }
        let mut work = Work::empty(self, &definitions);
        work.refused = refused;
        work.all();
        if !work.refused.is_empty() {
            return Err(RefusedDefinitions(work.refused));
        }
        Ok(Some(work.carried))
    }

    /// What a rule moves where; nothing when the definition is there already, or goes along with its module.
    fn definition(&self, pair: &Pair, from: String, name: String) -> Result<Option<Definition>, String> {
        let new_home = parent_of(&pair.to);
        let index = self.index;
        if self.mapping.module(&from) == new_home {
            return Ok(None);
        }
        let there = self.mapping.modules.iter().find(|(old, new)| *new == new_home && index.has(old));
        if let Some((home, _)) = there {
            let Some(file) = index.file_of(home).and_then(|at| index.tree.file(at)) else {
                return Err(format!("`{home}` is a namespace package: it has no file"));
            };
            if !has_extension(&file.path, "py") {
                return Err(format!("`{}` is no Python source", file.path));
            }
            if let Some(facts) = index.facts_of(home)
                && let Some((_, bindings)) = facts.bound_in(0, &name)
                && bindings.iter().any(|binding| !matches!(binding, Binding::Import(..)))
            {
                return Ok(None);
            }
            let is_package = file.path.ends_with("/__init__.py");
            let home = ModuleName { dotted: home.clone(), is_package };
            return Ok(Some(Definition {
                from,
                name,
                rule: pair.clone(),
                home,
                home_path: file.path.clone(),
            }));
        }
        let own = index.file_of(&from).and_then(|at| index.tree.file(at)).map_or("", |file| &file.path);
        let root = index.roots.iter().find(|root| {
            root.is_empty() || own.strip_prefix(root.as_str()).is_some_and(|rest| rest.starts_with('/'))
        });
        let root = root.map_or("", String::as_str);
        let home_path = format!("{}.py", placed(index, root, new_home, self.roots));
        if index.tree.has(&home_path) {
            return Err(format!("`{home_path}`, where it would go, is a module that moves away"));
        }
        if index.tree.is_directory(home_path.trim_end_matches(".py")) {
            return Err(format!("`{new_home}` is a folder without `__init__.py`"));
        }
        let home = ModuleName { dotted: new_home.to_owned(), is_package: false };
        Ok(Some(Definition { from, name, rule: pair.clone(), home, home_path }))
    }

    fn refused(&self, rule: &Pair, module: &str, trouble: &Trouble) -> Refused {
        let file = self.index.file_of(module).and_then(|at| self.index.tree.file(at));
        let path = file.map_or_else(|| module.to_owned(), |file| file.path.clone());
        let bytes = file.and_then(|file| self.index.tree.content(file).ok());
        let line = bytes.map_or(1, |bytes| line_of(&bytes, trouble.offset).0);
        Refused { from: rule.from.clone(), to: rule.to.clone(), path, line, why: trouble.why.clone() }
    }
}

/// A definition's text on its way, with what says how it is set.
#[derive(Debug, Clone)]
struct Piece {
    text: String,
    is_block: bool,
    blanks_above: usize,
    name: String,
    /// Names that are looked up as soon as it runs.
    eager: Vec<String>,
    is_exported: bool,
}

struct Work<'a> {
    order: &'a Order<'a>,
    definitions: &'a [Definition],
    homes: Homes<'a>,
    refused: Vec<Refused>,
    carried: Carried,
    /// What goes to each module, and what it needs there.
    pieces: BTreeMap<&'a str, (Vec<Piece>, Needs)>,
    /// Edits by file.
    edits: BTreeMap<String, Edits>,
}

impl<'a> Work<'a> {
    fn empty(order: &'a Order<'a>, definitions: &'a [Definition]) -> Self {
        let homes = definitions
            .iter()
            .map(|one| ((one.from.as_str(), one.name.as_str()), one.home.dotted.as_str()))
            .collect();
        Self {
            order,
            definitions,
            homes,
            refused: Vec::new(),
            carried: Carried::default(),
            pieces: BTreeMap::new(),
            edits: BTreeMap::new(),
        }
    }

    fn all(&mut self) {
        let sources: BTreeSet<&str> = self.definitions.iter().map(|one| one.from.as_str()).collect();
        for source in sources {
            let Some(site) = Site::of(self.order.index, source) else { continue };
            self.source(&site);
        }
        if !self.refused.is_empty() {
            return;
        }
        let homes: BTreeSet<&str> = self.definitions.iter().map(|one| one.home.dotted.as_str()).collect();
        for home in homes {
            self.home(home);
        }
        self.apply();
        for one in self.definitions {
            self.carried.names.insert(one.rule.from.clone());
        }
    }

    fn trouble(&mut self, one: &Definition, module: &str, trouble: &Trouble) {
        self.refused.push(self.order.refused(&one.rule, module, trouble));
    }

    /// Whether a module takes everything that another one offers.
    fn is_starred(&self, module: &str) -> bool {
        let index = self.order.index;
        let Ok(search) = AhoCorasick::new(["import *"]) else { return true };
        index.tree.files.iter().enumerate().any(|(at, file)| {
            let has_star = file.class == Class::Python
                && index
                    .tree
                    .content_if(file, |bytes| search.is_match(bytes))
                    .is_ok_and(|found| found.is_some());
            let name = index.names.get(at).and_then(Option::as_ref);
            has_star
                && index
                    .tree
                    .facts(file)
                    .stars()
                    .any(|star| Index::base(name, star).as_deref() == Some(module))
        })
    }

    /// Makes the edits of every file.
    fn apply(&mut self) {
        let index = self.order.index;
        for (path, mut edits) in std::mem::take(&mut self.edits) {
            let Some(file) = index.tree.find(&path).and_then(|at| index.tree.file(at)) else { continue };
            let Ok(bytes) = index.tree.content(file) else { continue };
            edits.settle(&bytes);
            let new = edits.apply(&bytes);
            let facts = index.tree.facts(file);
            let own: Vec<Edit> = edits.edits;
            let sides = Sides { old: &bytes, facts: &facts, edits: &own, new: &new, dialect: file.dialect() };
            let mapping = self.order.mapping;
            let is_own = |top: &str| index.has(top) || mapping.tops.contains(top);
            let new = put_in_order(&new, &out_of_order(sides, self.order.styles.at(&path), &is_own));
            self.carried.left.extend(edits.left.into_iter().map(|left| (path.clone(), left)));
            let mut new = new;
            // What was cut out at the end leaves no blank lines there.
            while ends_blank(&new) && !ends_blank(&bytes) {
                let gone = if new.ends_with(b"\r\n") { 2 } else { 1 };
                new.truncate(new.len() - gone);
            }
            self.carried.contents.insert(path, Arc::from(new));
        }
    }
}

/// Whether a text ends in a blank line, or is one.
fn ends_blank(bytes: &[u8]) -> bool {
    bytes == b"\n" || bytes == b"\r\n" || bytes.ends_with(b"\n\n") || bytes.ends_with(b"\n\r\n")
}

/// Where a name that is imported was defined, as far as that can be followed.
fn origin(index: &Index<'_>, module: &str, name: &str, depth: usize) -> (String, String) {
    let own = (module.to_owned(), name.to_owned());
    if depth == 0 {
        return own;
    }
    let Some(facts) = index.facts_of(module) else { return own };
    let within = index.file_of(module).and_then(|at| index.names.get(at)).and_then(Option::as_ref);
    let Some((_, bindings)) = facts.bound_in(0, name) else { return own };
    for binding in bindings {
        let Binding::Import(import, at) = binding else { continue };
        let Some(import) = facts.imports.get(*import) else { continue };
        let Some(imported) = import.names.get(*at) else { continue };
        if let Target::Symbol { module, name } = index.target(within, import, imported) {
            return origin(index, &module, &name, depth - 1);
        }
    }
    own
}

/// How far re-exports are followed.
const DEPTH_MAX: usize = 12;
