//! Who imports whom, which imports resolve, and which modules import each other in a circle.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use rayon::prelude::*;
use serde_json::{Value, json};
use switchback_core::verdict::Verdict;
use switchback_core::world::{Disk, DiskError};

use crate::index::{Index, ModuleName, Target, parent_of};
use crate::moving::Unresolved;
use crate::old_names::OldNames;
use crate::roots;
use crate::syntax::{Binding, Facts, Import, ImportedName, line_of};
use crate::tree::{Class, Tree};

/// What is to be looked at.
#[derive(Debug, Clone)]
pub struct ImportsOptions {
    /// The root of the tree.
    pub root: PathBuf,
    /// Source roots, relative to the tree; found by looking when empty.
    pub source_roots: Vec<String>,
    /// Folders that `PYTHONPATH` names, relative to the tree.
    pub python_path: Vec<String>,
}

/// One module that imports another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Edge {
    /// Who imports.
    pub from: String,
    /// What is imported.
    pub to: String,
    /// The line, from 1.
    pub line: usize,
    /// Whether it runs as soon as the module is imported.
    pub is_eager: bool,
}

/// An import that does not resolve.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Missing {
    /// Where, and why.
    pub import: Unresolved,
    /// Whether the code is ready for it: `try … except ImportError`, of which one arm leads somewhere; `TYPE_CHECKING`.
    pub is_optional: bool,
}

/// One place that imports an old name: one that a shim keeps, or one that is deprecated.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct OldUse {
    /// The old name, or one below it.
    pub to: String,
    /// The module that imports; nothing for a script that is none.
    pub from: Option<String>,
    /// Its file.
    pub path: String,
    /// The line, from 1.
    pub line: usize,
}

/// Every import of a tree.
#[derive(Debug, Clone, Default)]
pub struct ImportsOutcome {
    /// How many modules.
    pub modules: usize,
    /// How many imported names.
    pub imports: usize,
    /// How many of them lead out of the tree: they are not looked up.
    pub external: usize,
    /// What does not resolve.
    pub missing: Vec<Missing>,
    /// Who imports whom, modules of the tree alone.
    pub edges: Vec<Edge>,
    /// Who imports an old name.
    pub old_uses: Vec<OldUse>,
    /// Modules that import each other as soon as they are imported.
    pub cycles: Vec<Vec<String>>,
    /// Files that do not parse: path, line, why.
    pub unparsed: Vec<(String, usize, String)>,
}

/// Resolves every import of the tree at `options.root`.
pub fn imports(disk: Arc<dyn Disk>, options: &ImportsOptions) -> Result<ImportsOutcome, DiskError> {
    let tree = Tree::open(disk, &options.root)?.for_imports();
    let roots = roots::source_roots(&tree, &options.source_roots, &options.python_path);
    let index = Index::new(&tree, &roots);
    let outcome = outcome_of(&index);
    drop(index);
    tree.drop_aside();
    Ok(outcome)
}

/// Modules that import each other as soon as they are imported.
pub(crate) fn circles(index: &Index<'_>) -> Vec<Vec<String>> {
    outcome_of(index).cycles
}

pub(crate) fn outcome_of(index: &Index<'_>) -> ImportsOutcome {
    let tree = index.tree;
    let old_names = OldNames::of(index);
    let parts: Vec<ImportsOutcome> =
        (0..tree.files.len()).into_par_iter().map(|at| of_file(index, &old_names, at)).collect();
    let mut outcome = ImportsOutcome::default();
    for part in parts {
        outcome.modules += part.modules;
        outcome.imports += part.imports;
        outcome.external += part.external;
        outcome.missing.extend(part.missing);
        outcome.edges.extend(part.edges);
        outcome.old_uses.extend(part.old_uses);
        outcome.unparsed.extend(part.unparsed);
    }
    outcome.edges.sort();
    outcome.edges.dedup_by(|one, other| {
        one.from == other.from && one.to == other.to && one.is_eager == other.is_eager
    });
    outcome.old_uses.sort();
    outcome.old_uses.dedup();
    outcome.cycles = cycles(&outcome.edges);
    outcome
}

fn of_file(index: &Index<'_>, old_names: &OldNames, at: usize) -> ImportsOutcome {
    let mut outcome = ImportsOutcome::default();
    let Some(file) = index.tree.file(at).filter(|file| file.class == Class::Python) else { return outcome };
    let name = index.names.get(at).and_then(Option::as_ref);
    outcome.modules = usize::from(name.is_some());
    let facts = index.tree.facts(file);
    let Ok(bytes) = index.tree.content(file) else { return outcome };
    if let Some(error) = facts.errors.first() {
        outcome.unparsed.push((file.path.clone(), line_of(&bytes, error.offset).0, error.message.clone()));
    }
    let old_use = |to: &str, line: usize| OldUse {
        to: to.to_owned(),
        from: name.map(|name| name.dotted.clone()),
        path: file.path.clone(),
        line,
    };
    for import in &facts.imports {
        let line = line_of(&bytes, import.span.start).0;
        for imported in &import.names {
            outcome.imports += 1;
            let base = import.from.as_ref().and_then(|from| Index::base(name, from));
            let to = match index.target(name, import, imported) {
                Target::Module(module) | Target::Symbol { module, .. } => module,
                Target::External(dotted) => {
                    // A script finds what lies beside it.
                    let top = dotted.split('.').next().unwrap_or_default();
                    outcome.external += usize::from(index.tree.beside(&file.path, top).is_none());
                    continue;
                }
                Target::Missing(why) => {
                    if let Some(old) = old_names.meant(index, base.as_deref(), import, imported) {
                        outcome.old_uses.push(old_use(&old, line));
                        let from = name.map(|name| name.dotted.clone());
                        let is_eager = !import.is_late && !import.is_typing;
                        outcome.edges.extend(from.map(|from| Edge { from, to: old, line, is_eager }));
                        continue;
                    }
                    let mut missing = missing(&file.path, line, import, imported, why);
                    let arms = Arms { index, old_names, path: &file.path, name, facts: &facts };
                    missing.is_optional &= !arms.lead_nowhere(import, imported);
                    outcome.missing.push(missing);
                    continue;
                }
            };
            if old_names.has(&to) {
                outcome.old_uses.push(old_use(&to, line));
            }
            if let Some(name) = name.filter(|name| name.dotted != to) {
                let is_eager = !import.is_late && !import.is_typing;
                outcome.edges.push(Edge { from: name.dotted.clone(), to, line, is_eager });
            }
        }
    }
    outcome
}

fn missing(path: &str, line: usize, import: &Import, imported: &ImportedName, why: String) -> Missing {
    let (module, name) = import.asks_for(imported);
    Missing {
        import: Unresolved { path: path.to_owned(), line, module, name, why },
        is_optional: import.is_optional || import.is_typing,
    }
}

/// A file in which a name is imported from one place or else from another.
struct Arms<'a> {
    index: &'a Index<'a>,
    old_names: &'a OldNames,
    path: &'a str,
    name: Option<&'a ModuleName>,
    facts: &'a Facts,
}

impl Arms<'_> {
    /// Whether all imports of a `try … except ImportError` that bind the name lead nowhere. Code is ready for one of them
    /// to fail, not for all; where a value stands for what cannot be imported, or nothing, it is ready for that.
    fn lead_nowhere(&self, import: &Import, imported: &ImportedName) -> bool {
        let bound = imported.bound(import.from.is_some()).filter(|_| !import.is_typing);
        let Some((_, bindings)) = bound.and_then(|bound| self.facts.bound_in(import.scope, bound)) else {
            return false;
        };
        let arm = |binding: &Binding| {
            let Binding::Import(import, at) = *binding else { return None };
            let import = self.facts.imports.get(import)?;
            Some((import, import.names.get(at)?))
        };
        let arms: Option<Vec<_>> = bindings.iter().map(arm).collect();
        arms.is_some_and(|arms| arms.len() > 1 && !arms.iter().any(|(import, name)| self.leads(import, name)))
    }

    fn leads(&self, import: &Import, imported: &ImportedName) -> bool {
        match self.index.target(self.name, import, imported) {
            Target::Module(_) | Target::Symbol { .. } => true,
            Target::Missing(_) => {
                let base = import.from.as_ref().and_then(|from| Index::base(self.name, from));
                self.old_names.meant(self.index, base.as_deref(), import, imported).is_some()
            }
            // What has a name of the tree's own is that, imported as if its folder were on the path, which it is not.
            Target::External(dotted) => {
                let top = dotted.split('.').next().unwrap_or_default();
                let is_named = |part: &str| part.strip_suffix(".py").unwrap_or(part) == top;
                let tree = self.index.tree;
                tree.beside(self.path, top).is_some()
                    || !tree.files.iter().any(|file| file.path.split('/').any(is_named))
            }
        }
    }
}

/// The strongly connected components of more than one module (Tarjan, *Depth-first search and linear graph algorithms*,
/// 1972), without recursion; each begins with its first name.
fn cycles(edges: &[Edge]) -> Vec<Vec<String>> {
    let mut next: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for edge in edges.iter().filter(|edge| edge.is_eager) {
        // A module that imports its own package is what packages are for.
        if edge.from.strip_prefix(edge.to.as_str()).is_some_and(|rest| rest.starts_with('.')) {
            continue;
        }
        next.entry(&edge.from).or_default().insert(&edge.to);
        next.entry(&edge.to).or_default();
    }
    let names: Vec<&str> = next.keys().copied().collect();
    let number: BTreeMap<&str, usize> = names.iter().enumerate().map(|(at, name)| (*name, at)).collect();
    let links: Vec<Vec<usize>> =
        next.values().map(|to| to.iter().filter_map(|name| number.get(name).copied()).collect()).collect();
    let mut found: Vec<Vec<String>> = components(&links)
        .into_iter()
        .filter(|component| component.len() > 1)
        .map(|component| {
            let mut names: Vec<String> =
                component.into_iter().filter_map(|at| names.get(at)).map(|name| (*name).to_owned()).collect();
            names.sort();
            names
        })
        .collect();
    found.sort();
    found
}

fn components(links: &[Vec<usize>]) -> Vec<Vec<usize>> {
    const UNSEEN: usize = usize::MAX;
    let mut order = vec![UNSEEN; links.len()];
    let mut low = vec![0; links.len()];
    let mut on_stack = vec![false; links.len()];
    let (mut stack, mut found, mut counter) = (Vec::new(), Vec::new(), 0);
    for start in 0..links.len() {
        if order[start] != UNSEEN {
            continue;
        }
        let mut work = vec![(start, 0)];
        while let Some((at, edge)) = work.pop() {
            if edge == 0 {
                order[at] = counter;
                low[at] = counter;
                counter += 1;
                stack.push(at);
                on_stack[at] = true;
            }
            if let Some(to) = links[at].get(edge).copied() {
                work.push((at, edge + 1));
                if order[to] == UNSEEN {
                    work.push((to, 0));
                } else if on_stack[to] {
                    low[at] = low[at].min(order[to]);
                }
                continue;
            }
            if low[at] == order[at] {
                let mut component = Vec::new();
                while let Some(top) = stack.pop() {
                    on_stack[top] = false;
                    component.push(top);
                    if top == at {
                        break;
                    }
                }
                found.push(component);
            }
            if let Some((parent, _)) = work.last() {
                low[*parent] = low[*parent].min(low[at]);
            }
        }
    }
    found
}

impl ImportsOutcome {
    /// *No* when an import that the code counts on does not resolve; *unknown* when there was none to look at, or when a
    /// file does not parse, whose imports nobody knows.
    pub fn verdict(&self) -> Verdict {
        if self.missing.iter().any(|missing| !missing.is_optional) {
            Verdict::No
        } else if self.imports == 0 || !self.unparsed.is_empty() {
            Verdict::Unknown
        } else {
            Verdict::Yes
        }
    }

    /// The document `switchback/imports/1`.
    pub fn to_json(&self) -> Value {
        let unresolved: Vec<Value> = self
            .missing
            .iter()
            .map(|missing| {
                let import = &missing.import;
                let mut value = json!({
                    "path": import.path, "line": import.line, "module": import.module, "why": import.why,
                    "optional": missing.is_optional,
                });
                if let Some(name) = &import.name {
                    value["name"] = json!(name);
                }
                value
            })
            .collect();
        let unparsed: Vec<Value> = self
            .unparsed
            .iter()
            .map(|(path, line, why)| json!({"path": path, "line": line, "why": why}))
            .collect();
        json!({
            "schema": "switchback/imports/1", "verdict": self.verdict().word(), "modules": self.modules,
            "imports": self.imports, "external": self.external, "unresolved": unresolved, "cycles": self.cycles,
            "unparsed": unparsed,
        })
    }

    /// The edges that begin or end at `of`, or below it; all without one.
    pub fn edges_of(&self, of: Option<&str>) -> Vec<&Edge> {
        let fits = |name: &str| {
            of.is_none_or(|of| {
                std::iter::successors(Some(name), |head| Some(parent_of(head)))
                    .take_while(|head| !head.is_empty())
                    .any(|head| head == of)
            })
        };
        self.edges.iter().filter(|edge| fits(&edge.from) || fits(&edge.to)).collect()
    }

    /// The document `switchback/imports-graph/1`.
    pub fn graph_json(&self, of: Option<&str>) -> Value {
        let edges: Vec<Value> = self
            .edges_of(of)
            .into_iter()
            .map(|edge| json!({"from": edge.from, "to": edge.to, "line": edge.line, "eager": edge.is_eager}))
            .collect();
        let verdict = if edges.is_empty() { Verdict::Unknown } else { Verdict::Yes };
        json!({"schema": "switchback/imports-graph/1", "verdict": verdict.word(), "edges": edges, "cycles": self.cycles})
    }

    /// The graph for Graphviz; imports that run later are dashed.
    pub fn graph_dot(&self, of: Option<&str>) -> String {
        let mut text = "digraph imports {\n".to_owned();
        for edge in self.edges_of(of) {
            let style = if edge.is_eager { "" } else { " [style=dashed]" };
            let line = format!("  \"{}\" -> \"{}\"{style};\n", edge.from, edge.to);
            text.push_str(&line);
        }
        text.push_str("}\n");
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edge(from: &str, to: &str) -> Edge {
        Edge { from: from.to_owned(), to: to.to_owned(), line: 1, is_eager: true }
    }

    #[test]
    fn circles_are_found_and_trees_are_none() {
        let edges =
            [edge("a", "b"), edge("b", "c"), edge("c", "a"), edge("c", "d"), edge("d", "e"), edge("e", "d")];
        assert_eq!(cycles(&edges), [vec!["a", "b", "c"], vec!["d", "e"]]);
        assert!(cycles(&[edge("a", "b"), edge("a", "c"), edge("b", "c")]).is_empty());
        assert!(cycles(&[edge("p", "p.a"), edge("p.a", "p")]).is_empty());
    }
}
