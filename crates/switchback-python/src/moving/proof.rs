//! The proof of a move: what resolved before resolves after, nothing old is left, and every module offers what it did.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use rayon::prelude::*;

use super::mapping::Mapping;
use crate::index::{Index, ModuleName, Target, join, leaf_of};
use crate::running::{early, read_ahead};
use crate::syntax::{Binding, Facts, Import, ImportedName, line_of};
use crate::tree::File;

/// An import that resolved before the move and would not after it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unresolved {
    /// The file, as it will be called.
    pub path: String,
    /// The line in it, from 1.
    pub line: usize,
    /// The module that is named, dots and all.
    pub module: String,
    /// The name that is imported from it, where one is.
    pub name: Option<String>,
    /// Why it does not resolve.
    pub why: String,
}

/// A certain reference to a name that is gone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct NameLeft {
    /// The file, as it will be called.
    pub path: String,
    /// The line in it, from 1.
    pub line: usize,
    /// The reference.
    pub text: String,
}

/// A name that a module would not offer any more.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ApiChange {
    /// The module, as it will be called, and the name.
    pub symbol: String,
    /// What becomes of it.
    pub kind: &'static str,
}

/// What was proved, and what stands against it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Proof {
    /// How many imports were resolved in both trees.
    pub imports: usize,
    /// Imports that would not resolve any more.
    pub unresolved: Vec<Unresolved>,
    /// Certain references to names that are gone.
    pub left: Vec<NameLeft>,
    /// Names that modules would not offer any more.
    pub api: Vec<ApiChange>,
    /// Files that parsed before and would not.
    pub broken: Vec<Unresolved>,
    /// Imports of definitions that the rules say are there, and that are not there yet: no verdict hangs on them.
    pub declared: Vec<Unresolved>,
}

impl Proof {
    /// Whether nothing stands against the move.
    pub fn holds(&self) -> bool {
        self.unresolved.is_empty() && self.left.is_empty() && self.api.is_empty() && self.broken.is_empty()
    }

    /// What stands against the move, one line each.
    pub fn told(&self) -> Vec<String> {
        let unresolved = self.unresolved.iter().map(|one| format!("{}:{}: {}", one.path, one.line, one.why));
        let left =
            self.left.iter().map(|one| format!("{}:{}: `{}` is an old name", one.path, one.line, one.text));
        let api = self.api.iter().map(|one| format!("`{}` would not be offered any more", one.symbol));
        let broken = self
            .broken
            .iter()
            .map(|one| format!("{}:{}: it would not parse: {}", one.path, one.line, one.why));
        unresolved.chain(left).chain(api).chain(broken).collect()
    }

    pub(super) fn join(mut self, other: Self) -> Self {
        self.imports += other.imports;
        self.unresolved.extend(other.unresolved);
        self.left.extend(other.left);
        self.api.extend(other.api);
        self.broken.extend(other.broken);
        self.declared.extend(other.declared);
        self
    }
}

/// Looks at every file in `parsed` (its number in the old tree, its path in the new one) before and after.
pub(super) fn prove(
    old: &Index<'_>,
    new: &Index<'_>,
    mapping: &Mapping,
    parsed: &[(usize, String)],
) -> Proof {
    let gone: HashSet<&str> = old
        .modules()
        .into_keys()
        .chain(old.namespaces())
        .filter(|name| !new.has(name))
        .map(leaf_of)
        .collect();
    let mut proof = parsed
        .par_iter()
        .filter_map(|(at, path)| {
            let look = Look { old, new, mapping, gone: &gone, at: *at, file: new.tree.find(path)? };
            Some(look.prove())
        })
        .reduce(Proof::default, Proof::join);
    proof.unresolved.sort();
    proof.left.sort();
    proof.api.sort();
    proof.broken.sort();
    proof.declared.sort();
    proof
}

/// Names that are asked for too early in the new tree, and were not in the old one: a circle came to be that cannot be
/// imported.
pub(super) fn too_early(old: &Index<'_>, new: &Index<'_>, mapping: &Mapping) -> Vec<Unresolved> {
    read_ahead(old);
    read_ahead(new);
    let (before, after) = rayon::join(|| early(old), || early(new));
    let known: BTreeSet<(String, String)> = before
        .into_iter()
        .map(|one| (mapping.module(&one.asking), join(&mapping.module(&one.asked), &one.name)))
        .collect();
    let found =
        after.into_iter().filter(|one| !known.contains(&(one.asking.clone(), join(&one.asked, &one.name))));
    found
        .map(|one| {
            let file = new.file_of(&one.asking).and_then(|at| new.tree.file(at));
            let content = file.and_then(|file| new.tree.content(file).ok());
            Unresolved {
                path: file.map_or_else(|| one.asking.clone(), |file| file.path.clone()),
                line: content.map_or(1, |bytes| line_of(&bytes, one.offset).0),
                module: one.asked.clone(),
                name: Some(one.name.clone()),
                why: format!(
                    "`{}` would not be there yet: `{}` and `{}` would import each other",
                    one.name, one.asking, one.asked
                ),
            }
        })
        .collect()
}

struct Look<'a> {
    old: &'a Index<'a>,
    new: &'a Index<'a>,
    mapping: &'a Mapping,
    /// The last names of modules that are gone.
    gone: &'a HashSet<&'a str>,
    at: usize,
    file: usize,
}

impl Look<'_> {
    fn prove(&self) -> Proof {
        let mut proof = Proof::default();
        let (Some(old_file), Some(new_file)) = (self.old.tree.file(self.at), self.new.tree.file(self.file))
        else {
            return proof;
        };
        let old_facts = self.old.tree.facts(old_file);
        let new_facts = self.new.tree.facts(new_file);
        let old_name = self.old.names.get(self.at).and_then(Option::as_ref);
        let new_name = self.new.names.get(self.file).and_then(Option::as_ref);
        self.parses(&old_facts, &new_facts, new_file, &mut proof);
        let missing = self.missing_before(&old_facts, old_name);
        for import in &new_facts.imports {
            for name in &import.names {
                proof.imports += 1;
                if let Some(why) = self.lost_beside(new_name, import, name, old_file, new_file) {
                    proof.unresolved.push(self.unresolved(new_file, import, name, why));
                    continue;
                }
                let Some(why) = self.why_missing(new_name, import, name, &missing) else { continue };
                let found = self.unresolved(new_file, import, name, why);
                let base = import.from.as_ref().and_then(|from| Index::base(new_name, from));
                if base.is_some_and(|base| self.mapping.is_declared(self.old, &base, &name.name.text)) {
                    proof.declared.push(found);
                } else {
                    proof.unresolved.push(found);
                }
            }
        }
        self.names_left(&new_facts, new_name, new_file, &mut proof);
        if let Some(name) = new_name {
            offers(&old_facts, &new_facts, name, &mut proof);
        }
        proof
    }

    fn parses(&self, old: &Facts, new: &Facts, file: &File, proof: &mut Proof) {
        if new.errors.len() <= old.errors.len() {
            return;
        }
        let Some(error) = new.errors.first() else { return };
        let line = self.new.tree.content(file).map_or(1, |bytes| line_of(&bytes, error.offset).0);
        proof.broken.push(Unresolved {
            path: file.path.clone(),
            line,
            module: String::new(),
            name: None,
            why: error.message.clone(),
        });
    }

    /// What did not resolve before, under the names that it would have after.
    fn missing_before(&self, facts: &Facts, name: Option<&ModuleName>) -> BTreeSet<String> {
        let mut missing = BTreeSet::new();
        for import in &facts.imports {
            for imported in &import.names {
                if matches!(self.old.target(name, import, imported), Target::Missing(_)) {
                    let key = key(name, import, imported);
                    missing.insert(self.mapping.module(&key));
                    missing.insert(key);
                }
            }
        }
        missing
    }

    fn why_missing(
        &self,
        name: Option<&ModuleName>,
        import: &Import,
        imported: &ImportedName,
        before: &BTreeSet<String>,
    ) -> Option<String> {
        let why = match self.new.target(name, import, imported) {
            Target::Missing(why) => why,
            Target::External(dotted) => {
                let top = dotted.split('.').next().unwrap_or_default();
                if !self.old.has(top) || self.new.has(top) {
                    return None;
                }
                format!("there is no module `{top}` any more")
            }
            Target::Module(_) | Target::Symbol { .. } => return None,
        };
        (!before.contains(&key(name, import, imported))).then_some(why)
    }

    /// A script finds what lies beside it; when one of the two moves away, it does not.
    fn lost_beside(
        &self,
        name: Option<&ModuleName>,
        import: &Import,
        imported: &ImportedName,
        old: &File,
        new: &File,
    ) -> Option<String> {
        let Target::External(dotted) = self.new.target(name, import, imported) else { return None };
        let top = dotted.split('.').next().unwrap_or_default();
        self.old.tree.beside(&old.path, top).filter(|_| !self.old.has(top))?;
        self.new
            .tree
            .beside(&new.path, top)
            .is_none()
            .then(|| format!("`{top}` lay beside the file, and does no more"))
    }

    fn unresolved(&self, file: &File, import: &Import, imported: &ImportedName, why: String) -> Unresolved {
        let line = self.new.tree.content(file).map_or(1, |bytes| line_of(&bytes, import.span.start).0);
        let (module, name) = import.asks_for(imported);
        Unresolved { path: file.path.clone(), line, module, name, why }
    }

    /// Dotted expressions that reach, through modules of the new tree, a module that only the old one has.
    fn names_left(&self, facts: &Facts, name: Option<&ModuleName>, file: &File, proof: &mut Proof) {
        for chain in &facts.chains {
            let Some(first) = chain.words.first() else { continue };
            if !chain.words.iter().skip(1).any(|word| self.gone.contains(word.text.as_str())) {
                continue;
            }
            let Some((_, bindings)) = facts.resolve(chain.scope, &first.text) else { continue };
            let Some(mut module) = self.bound(facts, name, bindings) else { continue };
            for (at, word) in chain.words.iter().enumerate().skip(1) {
                let below = join(&module, &word.text);
                if self.new.has(&below) {
                    module = below;
                    continue;
                }
                let was = self.old.has(&below) && !self.new.may_have(&module, &word.text);
                // A namespace package binds nothing; what it held is gone.
                if was && self.old.has(&module) {
                    let line =
                        self.new.tree.content(file).map_or(1, |bytes| line_of(&bytes, first.span.start).0);
                    proof.left.push(NameLeft { path: file.path.clone(), line, text: chain.dotted(at + 1) });
                }
                break;
            }
        }
    }

    fn bound(&self, facts: &Facts, name: Option<&ModuleName>, bindings: &[Binding]) -> Option<String> {
        bindings.iter().find_map(|binding| {
            let Binding::Import(import, at) = binding else { return None };
            let import = facts.imports.get(*import)?;
            let imported = import.names.get(*at)?;
            if import.from.is_none() && imported.alias.is_none() {
                let root = imported.name.text.split('.').next()?;
                return self.new.has(root).then(|| root.to_owned());
            }
            match self.new.target(name, import, imported) {
                Target::Module(module) => Some(module),
                _ => None,
            }
        })
    }
}

/// What an import means, dotted.
fn key(name: Option<&ModuleName>, import: &Import, imported: &ImportedName) -> String {
    match &import.from {
        None => imported.name.text.clone(),
        Some(from) => match Index::base(name, from) {
            Some(base) => join(&base, &imported.name.text),
            None => format!("{}{} {}", ".".repeat(from.level), from.module, imported.name.text),
        },
    }
}

/// Every name that the module bound, it binds still. The first name of `import a.b` is no offer, unless `__all__` says so.
fn offers(old: &Facts, new: &Facts, module: &ModuleName, proof: &mut Proof) {
    let exported: BTreeSet<&str> = old.exports.iter().flatten().map(String::as_str).collect();
    let before: BTreeMap<&str, &[Binding]> = old.bound().collect();
    for (name, bindings) in before {
        let is_root = bindings.iter().all(|binding| {
            let Binding::Import(import, at) = binding else { return false };
            old.imports.get(*import).is_some_and(|import| {
                import.from.is_none() && import.names.get(*at).is_some_and(|name| name.alias.is_none())
            })
        });
        if (!is_root || exported.contains(name)) && !new.binds(name) {
            proof.api.push(ApiChange { symbol: join(&module.dotted, name), kind: "removed" });
        }
    }
}
