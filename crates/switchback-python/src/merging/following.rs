//! What one side moved, the other follows: the moves of the rules are carried out on each tree before the trees meet, so
//! that they meet under the new names, with every reference rewritten.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::glob::Glob;
use super::plan::MergeError;
use super::rules::MergeRules;
use super::side::below;
use crate::moving::{MappingError, MoveError, MoveOptions, Pair, Rules, plan_tree};
use crate::tree::Tree;

/// By what rules.
pub(super) struct Follow<'a> {
    pub(super) root: &'a Path,
    pub(super) rules: &'a MergeRules,
    pub(super) source_roots: &'a [String],
    /// Files of the project that say what is to be merged: they stay as they are.
    pub(super) kept: &'a [String],
    /// Where the target is in the project.
    pub(super) target: &'a str,
}

/// A tree after the moves.
pub(super) struct Followed {
    pub(super) tree: Tree,
    /// Files that moved: old path, new path.
    pub(super) moved: BTreeMap<String, String>,
    /// What the rules move and this tree does not have.
    pub(super) unknown: BTreeSet<String>,
}

/// Carries the moves out on a tree whose own folder in the project is `prefix`.
pub(super) fn follow(by: &Follow<'_>, tree: Tree, prefix: &str, side: &str) -> Result<Followed, MergeError> {
    let mut rules = rules_for(by, &tree, prefix)?;
    let mut unknown = BTreeSet::new();
    loop {
        if rules.moves.is_empty() && rules.symbols.is_empty() {
            return Ok(Followed { tree, moved: BTreeMap::new(), unknown });
        }
        let options = MoveOptions {
            root: by.root.to_owned(),
            rules: rules.clone(),
            is_part: true,
            source_roots: by.source_roots.to_vec(),
            with_text: true,
            ..MoveOptions::default()
        };
        match plan_tree(&tree, &options) {
            Ok((plan, tree)) => {
                // Packages above the target are there, or not, in the project.
                let above: BTreeSet<&str> = plan
                    .created
                    .iter()
                    .map(|file| file.path.as_str())
                    .filter(|path| below(path, by.target).is_none())
                    .collect();
                let tree = if above.is_empty() {
                    tree
                } else {
                    let files = tree.files.iter().filter(|file| !above.contains(file.path.as_str()));
                    tree.with(files.map(|file| file.placed(file.path.clone())).collect())
                };
                let moved = plan
                    .changes
                    .into_iter()
                    .filter(|change| change.old_path != change.new_path)
                    .map(|change| (change.old_path, change.new_path))
                    .collect();
                return Ok(Followed { tree, moved, unknown });
            }
            // A tree need not have everything that another one moved.
            Err(MoveError::Mapping(MappingError::Missing(name)))
                if rules.moves.iter().any(|pair| pair.from == name) =>
            {
                rules.moves.retain(|pair| pair.from != name);
                unknown.insert(name);
            }
            Err(source) => return Err(MergeError::Move { side: side.to_owned(), source }),
        }
    }
}

/// The moves for a tree, or a project, whose own folder is `prefix`.
pub(super) fn rules_for(by: &Follow<'_>, tree: &Tree, prefix: &str) -> Result<Rules, MergeError> {
    let mut rules = Rules {
        moves: by.rules.moves.clone(),
        symbols: by.rules.symbols.clone(),
        leaves: by.rules.leaves.clone(),
        ..Rules::default()
    };
    // A tree that is merged into another folder of the project gets that folder's names.
    if !prefix.is_empty() && !by.target.is_empty() && prefix != by.target {
        rules.moves.push(Pair { from: prefix.to_owned(), to: by.target.to_owned() });
    }
    rules.moves.extend(placed(by.rules, tree, prefix)?);
    Ok(rules)
}

/// The files that patterns put elsewhere; the first pattern that means a file holds.
fn placed(rules: &MergeRules, tree: &Tree, prefix: &str) -> Result<Vec<Pair>, MergeError> {
    let mut pairs = Vec::new();
    let mut taken: BTreeMap<String, &str> = BTreeMap::new();
    for file in tree.files.iter().filter(|file| below(&file.path, prefix).is_some()) {
        let place = rules.places.iter().find_map(|place| Glob::new(&place.from).place(&file.path, &place.to));
        let Some(to) = place.filter(|to| *to != file.path) else { continue };
        if let Some(one) = taken.insert(to.clone(), &file.path) {
            return Err(MergeError::Twice { one: one.to_owned(), other: file.path.clone(), path: to });
        }
        pairs.push(Pair { from: file.path.clone(), to });
    }
    Ok(pairs)
}
