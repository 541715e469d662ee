//! Files that have another name in the new tree: paired by the lines that they share.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::compare::lines;
use super::place::is_inside;
use crate::world::Disk;

/// So many files of each tree are held against each other.
const FILES_MAX: usize = 500;

/// The old names of those `new` files that the old tree does not have as what they are: where one of `old` shares more than half of
/// their lines, and is itself not there any more, or only as something else, such as a facade that leads to its new place.
pub fn moved(
    disk: &dyn Disk,
    (old_tree, old): (&Path, &BTreeSet<&str>),
    (new_tree, new): (&Path, &BTreeSet<&str>),
) -> BTreeMap<String, String> {
    let read = |tree: &Path, other: &Path, paths: &BTreeSet<&str>| -> Vec<(String, BTreeMap<String, u64>)> {
        let mut found = Vec::new();
        for path in paths.iter().filter(|path| is_inside(path)) {
            let Some(here) = lines(disk, &tree.join(path)).map(|lines| counts(&lines)) else { continue };
            let there = lines(disk, &other.join(path)).map(|lines| counts(&lines));
            if !there.is_some_and(|there| are_alike(&here, &there)) {
                found.push(((*path).to_owned(), here));
            }
        }
        found.truncate(FILES_MAX);
        found
    };
    let (old, new) = (read(old_tree, new_tree, old), read(new_tree, old_tree, new));
    let mut pairs = Vec::new();
    for (from, old_lines) in &old {
        for (to, new_lines) in &new {
            if are_alike(old_lines, new_lines) {
                let (shared, all) = shared(old_lines, new_lines);
                let is_renamed = Path::new(from).file_name() != Path::new(to).file_name();
                // Ten thousandths: the best pair first, of equals the one that kept its name.
                pairs.push((u64::MAX - 20_000 * shared / all, is_renamed, from, to));
            }
        }
    }
    pairs.sort();
    let (mut found, mut taken) = (BTreeMap::new(), BTreeSet::new());
    for (_, _, from, to) in pairs {
        if !found.contains_key(to) && taken.insert(from) {
            found.insert(to.clone(), from.clone());
        }
    }
    found
}

/// How often each line stands there, blank ones apart.
fn counts(lines: &[String]) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for line in lines.iter().filter(|line| !line.is_empty()) {
        *counts.entry(line.clone()).or_default() += 1;
    }
    counts
}

/// Whether two files share more than half of their lines.
fn are_alike(old: &BTreeMap<String, u64>, new: &BTreeMap<String, u64>) -> bool {
    let (shared, all) = shared(old, new);
    4 * shared > all
}

/// How many lines two files share, and how many both have.
fn shared(old: &BTreeMap<String, u64>, new: &BTreeMap<String, u64>) -> (u64, u64) {
    let shared = old.iter().map(|(line, count)| (*count).min(new.get(line).copied().unwrap_or(0))).sum();
    (shared, old.values().sum::<u64>() + new.values().sum::<u64>())
}
