//! What a tree offers: every public name, and where a name that is asked for is defined when a module only passes it on.

use std::collections::BTreeMap;
use std::path::Path;

use rayon::prelude::*;

use crate::index::{Index, Target, join, leaf_of};
use crate::roots;
use crate::syntax::{Binding, Kind, Member, surface};
use crate::tree::{Class, Tree};

/// Through how many modules a name is followed.
const DEPTH_MAX: usize = 16;

/// What a name stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Offer {
    /// Something defined there; several for overloads and conditional definitions.
    Defined(Vec<Kind>),
    /// Something that is imported there: what it means, dotted.
    Imported(String),
}

/// What a name leads to.
#[derive(Debug)]
pub(crate) enum Found<'s> {
    /// Something that the tree offers, under this name or under the one that it is defined by.
    Offer(&'s Offer),
    /// It can be imported, and what it is stands where nothing is offered: a private module.
    Elsewhere,
    /// Nothing that is known to be there.
    Nothing,
}

/// The public names of a tree, or of a package.
pub(crate) struct Surface<'t> {
    /// What is offered, by its dotted name.
    pub(crate) offers: BTreeMap<String, Offer>,
    index: Index<'t>,
    /// The name of the package that the tree is itself; else empty.
    head: String,
}

impl<'t> Surface<'t> {
    /// Every public name of `tree`, which lies at `root`.
    pub(crate) fn of(tree: &'t Tree, root: &Path) -> Self {
        let own = tree.find("__init__.py");
        let package = own.and_then(|_| root.file_name()).map(|name| name.to_string_lossy().into_owned());
        let index = Index::new(tree, &roots::discover(tree));
        let modules: Vec<(String, usize)> = index
            .modules()
            .into_iter()
            .map(|(name, at)| (name.to_owned(), at))
            .chain(own.filter(|_| package.is_some()).map(|at| (String::new(), at)))
            .collect();
        let parts: Vec<BTreeMap<String, Offer>> = modules
            .par_iter()
            .filter(|(name, _)| name.split('.').all(is_public) && !is_test(name))
            .map(|(name, at)| of_module(&index, name, *at))
            .collect();
        let head = package.unwrap_or_default();
        let offers = parts.into_iter().flatten().map(|(name, offer)| (join(&head, &name), offer)).collect();
        Self { offers, index, head }
    }

    /// What `name` leads to: also through a module that imports it, by its name or by a star. What a module has and does not offer, by
    /// `__all__` or by its own name, is not there.
    pub(crate) fn find(&self, name: &str) -> Found<'_> {
        if let Some(offer) = self.offers.get(name) {
            return Found::Offer(self.definition(offer));
        }
        self.passed_on(name).unwrap_or(Found::Nothing)
    }

    fn passed_on(&self, name: &str) -> Option<Found<'_>> {
        let dotted = self.without_head(name)?;
        let (module, count) = self.index.longest_module(dotted)?;
        let mut names = dotted.split('.').skip(count);
        let Some(first) = names.next() else {
            // A package without a file of its own can be imported as well.
            return self.index.file_of(&module).is_none().then_some(Found::Elsewhere);
        };
        let facts = self.index.tree.facts(self.index.tree.file(self.index.file_of(&module)?)?);
        if facts.exports.as_ref().is_some_and(|exports| !exports.iter().any(|export| export == first)) {
            return None;
        }
        let defined = self.origin(&module, first, 0).filter(|defined| *defined != join(&module, first))?;
        let whole = names.fold(defined.clone(), |head, name| join(&head, name));
        match self.offers.get(&join(&self.head, &whole)) {
            Some(offer) => Some(Found::Offer(offer)),
            // What has it is looked at, and has it no more.
            None if whole != defined && self.offers.contains_key(&join(&self.head, &defined)) => None,
            None => Some(Found::Elsewhere),
        }
    }

    /// What is offered where `offer` comes from; itself when that is outside, or offered by nobody.
    pub(crate) fn definition<'s>(&'s self, offer: &'s Offer) -> &'s Offer {
        let Offer::Imported(target) = offer else { return offer };
        let Some((module, count)) = self.index.longest_module(target) else { return offer };
        let mut names = target.split('.').skip(count);
        let (Some(name), None) = (names.next(), names.next()) else { return offer };
        self.origin(&module, name, 0)
            .and_then(|defined| self.offers.get(&join(&self.head, &defined)))
            .unwrap_or(offer)
    }

    fn without_head<'n>(&self, name: &'n str) -> Option<&'n str> {
        if self.head.is_empty() { Some(name) } else { name.strip_prefix(&self.head)?.strip_prefix('.') }
    }

    /// Where `name` of a module is defined, dotted; nothing when it cannot be told.
    fn origin(&self, module: &str, name: &str, depth: usize) -> Option<String> {
        if depth > DEPTH_MAX {
            return None;
        }
        let at = self.index.file_of(module)?;
        let file = self.index.tree.file(at)?;
        let own = self.index.names.get(at)?.as_ref();
        let facts = self.index.tree.facts(file);
        if let Some((_, bindings)) = facts.bound_in(0, name) {
            for binding in bindings {
                let Binding::Import(import, word) = binding else { continue };
                let import = facts.imports.get(*import)?;
                return match self.index.target(own, import, import.names.get(*word)?) {
                    Target::Module(module) => Some(module),
                    Target::Symbol { module: from, name: there } if from != module || there != name => {
                        self.origin(&from, &there, depth + 1)
                    }
                    Target::Symbol { .. } | Target::Missing(_) => None,
                    Target::External(dotted) => Some(dotted),
                };
            }
            return Some(join(module, name));
        }
        facts.stars().find_map(|star| {
            let base = Index::base(own, star).filter(|base| base != module)?;
            let there = self.index.tree.file(self.index.file_of(&base)?)?;
            let is_brought = match &self.index.tree.facts(there).exports {
                Some(exports) => exports.iter().any(|export| export == name),
                None => !name.starts_with('_'),
            };
            is_brought.then(|| self.origin(&base, name, depth + 1)).flatten()
        })
    }
}

/// Tests, examples and scripts at the top are offered to nobody.
fn is_test(module: &str) -> bool {
    let top = module.split('.').next().unwrap_or_default();
    matches!(top, "tests" | "test" | "docs" | "examples" | "setup" | "conftest")
        || leaf_of(module).starts_with("test_")
}

fn is_public(name: &str) -> bool {
    !name.starts_with('_') || (name.starts_with("__") && name.ends_with("__"))
}

fn of_module(index: &Index<'_>, module: &str, at: usize) -> BTreeMap<String, Offer> {
    let mut found: BTreeMap<String, Offer> = BTreeMap::new();
    let Some(file) = index.tree.file(at).filter(|file| file.class == Class::Python) else { return found };
    let Ok(bytes) = index.tree.content(file) else { return found };
    let facts = index.tree.facts(file);
    let is_offered = |name: &str| {
        let top = name.split('.').next().unwrap_or_default();
        match &facts.exports {
            Some(exports) => exports.iter().any(|export| export == top),
            None => is_public(top),
        }
    };
    found.insert(module.to_owned(), Offer::Imported(String::new()));
    for Member { name, kind, .. } in surface(&bytes) {
        if !is_offered(&name) || !name.split('.').all(is_public) {
            continue;
        }
        match found.entry(join(module, &name)).or_insert_with(|| Offer::Defined(Vec::new())) {
            Offer::Defined(kinds) => kinds.push(kind),
            Offer::Imported(_) => {}
        }
    }
    // What is imported is offered by packages, and by whoever says so in `__all__` or by `as` the same name.
    let own = index.names.get(at).and_then(Option::as_ref);
    let is_package = file.path.ends_with("__init__.py");
    for (name, bindings) in facts.bound() {
        let offered = facts.exports.iter().flatten().any(|export| export == name);
        for binding in bindings {
            let Binding::Import(import, word) = binding else { continue };
            let Some(import) = facts.imports.get(*import) else { continue };
            let Some(imported) = import.names.get(*word) else { continue };
            let is_explicit = imported.alias.as_ref().is_some_and(|alias| alias.text == imported.name.text);
            let is_within = import.from.as_ref().is_some_and(|from| from.level > 0);
            if !(offered
                || is_explicit
                || (is_package && is_within && facts.exports.is_none() && is_public(name)))
            {
                continue;
            }
            let target = match index.target(own, import, imported) {
                Target::Module(module) => module,
                Target::Symbol { module, name } => join(&module, &name),
                Target::External(dotted) | Target::Missing(dotted) => dotted,
            };
            found.entry(join(module, name)).or_insert(Offer::Imported(target));
        }
    }
    found
}
