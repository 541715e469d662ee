//! Who else in the project names what the merge moves: their references follow.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use switchback_core::world::World;

use super::following::{Follow, rules_for};
use super::plan::MergeError;
use super::side::below;
use crate::moving::{MappingError, MoveError, MoveOptions, plan_tree};
use crate::tree::Tree;

/// A file outside of both trees that names what moves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Its path in the project.
    pub path: String,
    /// Its bytes now.
    pub(super) old: Arc<[u8]>,
    /// Its bytes afterwards.
    pub(super) new: Arc<[u8]>,
}

impl User {
    /// Its bytes afterwards.
    pub fn bytes(&self) -> &[u8] {
        &self.new
    }
}

/// Files that were edited, and what they say now.
type Edited = BTreeMap<String, Arc<[u8]>>;

/// The users, and what the proof of their edits says against them.
#[derive(Debug, Default)]
pub(super) struct Users {
    pub(super) users: Vec<User>,
    pub(super) against: Vec<String>,
}

/// Finds the users of what the rules move in the target, and of the source when that goes.
pub(super) fn find(
    world: &World,
    by: &Follow<'_>,
    source: Option<&str>,
    removes_source: bool,
) -> Result<Users, MergeError> {
    let mut found = Users::default();
    let is_moving = !by.rules.moves.is_empty() || !by.rules.places.is_empty() || !by.rules.symbols.is_empty();
    // What is merged into the project as a whole has nobody outside of it.
    if by.target.is_empty() || !is_moving && !removes_source {
        return Ok(found);
    }
    let mut edited = Edited::new();
    let project = Tree::open(world.disk.clone(), by.root)?;
    if is_moving {
        let tree = part(&project, &edited, source);
        follow(by, &tree, by.target, source, (&mut edited, &mut found))?;
    }
    if let Some(source) = source.filter(|_| removes_source) {
        let tree = part(&project, &edited, Some(by.target));
        follow(by, &tree, source, Some(source), (&mut edited, &mut found))?;
    }
    for (path, new) in edited {
        let Some(at) = project.find(&path).and_then(|at| project.file(at)) else { continue };
        let old = project.content(at)?;
        found.users.push(User { path, old, new });
    }
    Ok(found)
}

/// The project without one folder, with what was edited already.
fn part(project: &Tree, edited: &Edited, without: Option<&str>) -> Tree {
    let files = project
        .files
        .iter()
        .filter(|file| without.is_none_or(|folder| below(&file.path, folder).is_none()))
        .map(|file| match edited.get(&file.path) {
            Some(new) => file.moved(file.path.clone(), Some(new.clone())),
            None => file.placed(file.path.clone()),
        })
        .collect();
    project.with(files)
}

fn follow(
    by: &Follow<'_>,
    tree: &Tree,
    prefix: &str,
    source: Option<&str>,
    (edited, found): (&mut Edited, &mut Users),
) -> Result<(), MergeError> {
    let mut rules = rules_for(by, tree, prefix)?;
    loop {
        if rules.moves.is_empty() && rules.symbols.is_empty() {
            return Ok(());
        }
        let options = MoveOptions {
            root: by.root.to_owned(),
            rules: rules.clone(),
            kept: by.kept.to_vec(),
            source_roots: by.source_roots.to_vec(),
            with_text: true,
            ..MoveOptions::default()
        };
        let plan = match plan_tree(tree, &options) {
            Ok((plan, _)) => plan,
            Err(MoveError::Mapping(MappingError::Missing(name)))
                if rules.moves.iter().any(|pair| pair.from == name) =>
            {
                rules.moves.retain(|pair| pair.from != name);
                continue;
            }
            Err(error) => return Err(MergeError::Move { side: "project".to_owned(), source: error }),
        };
        found.against.extend(plan.proof.told());
        for change in plan.changes {
            let is_outside = [Some(by.target), source]
                .into_iter()
                .flatten()
                .all(|folder| below(&change.old_path, folder).is_none());
            let (Some(new), true) = (change.new, is_outside && change.old_path == change.new_path) else {
                continue;
            };
            edited.insert(change.old_path, new);
        }
        return Ok(());
    }
}

/// Whether a file still says what it said.
pub(super) fn is_as_it_was(world: &World, root: &Path, user: &User) -> bool {
    let there = world.disk.read(&root.join(&user.path), crate::tree::PYTHON_BYTES_MAX);
    there.is_ok_and(|there| there[..] == user.old[..])
}
