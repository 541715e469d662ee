//! What a change did to the public surface of the code, through the modules that moved.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::facts::{Contents, Moved};
use super::names::Symbol;
use crate::code::{ApiRequest, ModulesFound, ModulesRequest};
use crate::phase::{StepError, Work};
use crate::tree::copy::{Copier, make_directories, remove_tree};

/// What the comparison of both surfaces found.
#[derive(Debug, Clone, Default)]
pub(super) struct ApiFacts {
    /// Modules that moved: the old and the new dotted name.
    pub(super) modules: Vec<(String, String)>,
    /// Dotted names of modules that are there no more.
    pub(super) gone: Vec<String>,
    /// Each change: `symbol`, `kind`, `breaking`, `old`, `new`.
    pub(super) changes: Vec<Value>,
    /// What of it breaks callers, and is no module.
    pub(super) symbols: Vec<Symbol>,
    /// Why nothing was compared, where nothing was.
    pub(super) why_not: Option<String>,
}

/// Compares the surfaces of both sides.
pub(super) fn compare(
    work: &Work<'_>,
    (old, new): (&Contents, &Contents),
    moved: &[Moved],
) -> Result<ApiFacts, StepError> {
    let disk = work.world().disk.as_ref();
    let folder = work.attempt("package")?;
    let sides = [(old, folder.join("old")), (new, folder.join("new"))];
    for (contents, tree) in &sides {
        make_directories(disk, &work.project.root, tree)?;
        let mut copier = Copier::new(disk);
        for (path, content) in *contents {
            let Some(content) = content else { continue };
            let to = tree.join(path);
            make_directories(disk, tree, to.parent().unwrap_or(tree))?;
            copier.copy(content, &to, &|_| false)?;
        }
    }
    let facts = compare_trees(work, &sides[0].1, &sides[1].1, moved);
    remove_tree(disk, &folder)?;
    Ok(facts)
}

fn compare_trees(work: &Work<'_>, old: &Path, new: &Path, moved: &[Moved]) -> ApiFacts {
    let inspector = work.project.ports.inspector.as_ref();
    let modules = |tree: &Path| {
        inspector.modules(&ModulesRequest { tree: tree.to_owned(), ..ModulesRequest::default() })
    };
    let (old_modules, new_modules) = match (modules(old), modules(new)) {
        (Ok(old), Ok(new)) => (old, new),
        (Err(error), _) | (_, Err(error)) => {
            let why_not = Some(work.redactor.clean(&error.told()));
            return ApiFacts { why_not, ..ApiFacts::default() };
        }
    };
    let is_gone = |name: &&String| !new_modules.names.contains(name);
    let gone = old_modules.names.iter().filter(is_gone).cloned().collect();
    let mut facts = ApiFacts { gone, ..ApiFacts::default() };
    for moved in moved {
        let names = (dotted(&old_modules, old, &moved.old), dotted(&new_modules, new, &moved.new));
        if let (Some(from), Some(to)) = names
            && from != to
        {
            facts.modules.push((from, to));
        }
    }
    let request = ApiRequest { old: old.to_owned(), new: new.to_owned(), moved: facts.modules.clone() };
    match inspector.api(&request) {
        Ok(found) => {
            let report: Value = serde_json::from_str(&found.report).unwrap_or_default();
            facts.changes = report["changes"].as_array().cloned().unwrap_or_default();
            facts.symbols = symbols(&facts.changes, &old_modules);
        }
        Err(error) => facts.why_not = Some(work.redactor.clean(&error.told())),
    }
    facts
}

/// What changed so that callers can break, with the module of the old tree that offered it.
fn symbols(changes: &[Value], modules: &ModulesFound) -> Vec<Symbol> {
    let known: BTreeSet<&str> = modules.names.iter().map(String::as_str).collect();
    let symbol = |change: &Value| {
        let (dotted, kind) = (change["symbol"].as_str()?, change["kind"].as_str()?);
        let mut heads = dotted.match_indices('.').map(|(at, _)| &dotted[..at]).rev();
        let module = heads.find(|head| known.contains(head)).filter(|_| !known.contains(dotted))?;
        let name = dotted[module.len() + 1..].to_owned();
        Some(Symbol { module: module.to_owned(), name, kind: kind.to_owned() })
    };
    changes.iter().filter(|change| change["breaking"] == true).filter_map(symbol).collect()
}

/// The dotted name of the module in a file of a tree.
fn dotted(modules: &ModulesFound, tree: &Path, file: &str) -> Option<String> {
    let path = tree.join(file.strip_suffix(".py")?);
    let inside = modules.roots.iter().filter_map(|root| path.strip_prefix(root).ok());
    // The longest root is the one that names start from.
    let inside: PathBuf = inside.min_by_key(|inside| inside.components().count())?.to_owned();
    let parts: Vec<&str> = inside.iter().filter_map(|part| part.to_str()).collect();
    let name = parts.join(".");
    let name = name.strip_suffix(".__init__").unwrap_or(&name).to_owned();
    modules.names.contains(&name).then_some(name)
}
