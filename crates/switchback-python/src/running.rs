//! What happens when modules are imported, statement by statement: who asks for a name that is not there yet, because the
//! two import each other.
//!
//! Python runs a module when it is first imported, and hands out what it has so far to whoever asks meanwhile (*The import
//! system*, Python language reference, 5.4.2). Conditions are not known: every import that may run is taken to run, and
//! what may be bound by a star, or in a way that nobody can see, is taken to be there.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use rayon::prelude::*;

use crate::index::{Index, join, parent_of};
use crate::syntax::{Facts, Import};

/// A name that is asked for before it is there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Early {
    /// The module that asks.
    pub(crate) asking: String,
    /// The module that is asked, and is only half imported.
    pub(crate) asked: String,
    /// The name.
    pub(crate) name: String,
    /// Where the import stands in the file of the module that asks.
    pub(crate) offset: usize,
}

/// Reads what runs when the modules of a tree are imported: one after the other, one thread would. Of two trees with files
/// in common, one after the other: else each waits for the file that the other is at.
pub(crate) fn read_ahead(index: &Index<'_>) {
    let modules: Vec<&str> = index.modules().into_keys().collect();
    modules.par_iter().for_each(|module| drop(index.at_import(module)));
}

/// Every name that is asked for too early when all modules of the tree are imported, by name, in one process.
pub(crate) fn early(index: &Index<'_>) -> BTreeSet<Early> {
    let modules: Vec<&str> = index.modules().into_keys().collect();
    let mut run = Run { index, states: HashMap::new(), early: BTreeSet::new() };
    for module in modules {
        run.import(module);
    }
    run.early
}

/// How far a module is imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Up to the statement at this offset.
    UpTo(usize),
    /// Wholly.
    Done,
}

struct Run<'i, 't> {
    index: &'i Index<'t>,
    states: HashMap<String, State>,
    early: BTreeSet<Early>,
}

impl Run<'_, '_> {
    /// Imports a module, after the packages that it lies in.
    fn import(&mut self, module: &str) {
        if self.states.contains_key(module) {
            return;
        }
        let package = parent_of(module);
        if !package.is_empty() {
            self.import(package);
        }
        // The package may have imported it.
        if self.states.contains_key(module) {
            return;
        }
        let Some(facts) = self.index.at_import(module) else {
            if self.index.has(module) {
                self.states.insert(module.to_owned(), State::Done);
            }
            return;
        };
        self.states.insert(module.to_owned(), State::UpTo(0));
        for import in facts.imports.iter().filter(|import| !import.is_late && !import.is_typing) {
            self.states.insert(module.to_owned(), State::UpTo(import.span.start));
            self.statement(module, import);
        }
        self.states.insert(module.to_owned(), State::Done);
    }

    fn statement(&mut self, module: &str, import: &Import) {
        let Some(from) = &import.from else {
            for name in &import.names {
                self.import(&name.name.text);
            }
            return;
        };
        let name =
            self.index.file_of(module).and_then(|at| self.index.names.get(at)).and_then(Option::as_ref);
        let Some(base) = Index::base(name, from).filter(|base| self.index.has(base)) else { return };
        self.import(&base);
        for name in import.names.iter().map(|name| &name.name).filter(|name| name.text != "*") {
            let below = join(&base, &name.text);
            if self.has_bound(&base, &name.text) {
                continue;
            }
            if self.index.has(&below) {
                self.import(&below);
            } else if !import.is_optional {
                self.early.insert(Early {
                    asking: module.to_owned(),
                    asked: base.clone(),
                    name: name.text.clone(),
                    offset: import.span.start,
                });
            }
        }
    }

    /// Whether a module that is imported, wholly or in part, may have bound a name by now.
    fn has_bound(&self, module: &str, name: &str) -> bool {
        let Some(State::UpTo(offset)) = self.states.get(module) else { return true };
        let facts: Option<Arc<Facts>> = self.index.at_import(module);
        facts.is_none_or(|facts| {
            let is_before = |at: usize| at < *offset;
            let by_star = facts.imports.iter().any(|import| {
                is_before(import.span.start) && import.names.iter().any(|name| name.name.text == "*")
            });
            facts.is_dynamic || by_star || facts.first_bound.get(name).is_some_and(|at| is_before(*at))
        })
    }
}
