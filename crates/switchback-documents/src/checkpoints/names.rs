//! New names: the first rule that fits a whole path says what it becomes.

use std::collections::{BTreeMap, BTreeSet};

use super::CheckpointsError;
use super::rules::Rules;

/// The new path of each file, in their order; `others` are links and whatever else is no file.
///
/// # Errors
///
/// When two files would get one name, or a name is none.
pub(super) fn renamed(
    files: &[(String, u64)],
    others: &BTreeSet<String>,
    rules: &Rules,
) -> Result<Vec<String>, CheckpointsError> {
    let mut taken: BTreeMap<String, &str> = BTreeMap::new();
    let mut all = Vec::with_capacity(files.len());
    for (path, _) in files {
        let new = new_path(path, rules);
        let refused = |why| Err(CheckpointsError::Name { path: path.clone(), new: new.clone(), why });
        if new != *path {
            if others.contains(&new) {
                return refused("which a link, or something else that is no file, has already");
            }
            if !is_path(&new) {
                return refused("which is no path below the folder");
            }
            if new_path(&new, rules) != new {
                return refused(
                    "which the rules would rename once more: a second run would not leave it alone",
                );
            }
        }
        if let Some(other) = taken.insert(new.clone(), path) {
            return Err(CheckpointsError::Same { one: other.to_owned(), other: path.clone(), new });
        }
        all.push(new);
    }
    let names: BTreeSet<&str> = all.iter().map(String::as_str).collect();
    for ((path, _), new) in files.iter().zip(&all) {
        let mut above = new.as_str();
        while let Some((folder, _)) = above.rsplit_once('/') {
            if names.contains(folder) {
                let why = "and a file has the name of its folder";
                return Err(CheckpointsError::Name { path: path.clone(), new: new.clone(), why });
            }
            above = folder;
        }
    }
    Ok(all)
}

fn new_path(path: &str, rules: &Rules) -> String {
    let fitting = rules.renames.iter().find_map(|rename| Some((rename, rename.from.captures(path)?)));
    let Some((rename, captures)) = fitting else { return path.to_owned() };
    let mut new = String::new();
    captures.expand(&rename.to, &mut new);
    new
}

fn is_path(path: &str) -> bool {
    let is_step = |step: &str| !step.is_empty() && step != "." && step != ".." && !step.contains('\0');
    path.split('/').all(is_step)
}
