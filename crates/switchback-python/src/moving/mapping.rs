//! What every file and every dotted name becomes: the rules, applied at once to the original names.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;

use super::place::places;
use super::reserved::{KEYWORDS, STANDARD_LIBRARY};
use super::rules::{Pair, Rules};
use crate::index::{Index, leaf_of, module_name, parent_of};
use crate::roots::normal;
use crate::tree::{Class, File, has_extension};

/// Rules that cannot be applied to this tree.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
pub enum MappingError {
    /// Nothing of that name is in the tree.
    #[error("there is no module, file or folder `{0}`")]
    Missing(String),
    /// Two files would stand at one path.
    #[error("`{from}` would be moved onto `{to}`, which is there already and does not move")]
    Taken {
        /// The file that moves.
        from: String,
        /// Where it would go.
        to: String,
    },
    /// Two files would be moved to one path.
    #[error("`{one}` and `{other}` would both become `{to}`")]
    Collision {
        /// One file.
        one: String,
        /// The other.
        other: String,
        /// Where both would go.
        to: String,
    },
    /// A path that leads out of the tree, or is empty.
    #[error("`{0}` does not name a place in the tree")]
    Outside(String),
    /// A module would be named like one of the standard library, at the top of a source root.
    #[error("target shadows stdlib module `{module}` for source root {root}")]
    Shadows {
        /// The module.
        module: String,
        /// The source root.
        root: String,
    },
    /// A module name that a statement cannot import.
    #[error("`{0}` is no name that Python can import")]
    Unimportable(String),
    /// Entries below a folder that moves which cannot be moved.
    #[error("`{0}` lies where the move reaches, and is no plain file with a name in UTF-8")]
    Odd(PathBuf),
}

/// What moves where.
#[derive(Debug, Default)]
pub struct Mapping {
    /// Files that move: old path, new path.
    pub paths: BTreeMap<String, String>,
    /// Folders and files as the rules name them: old path, new path.
    pub places: Vec<(String, String)>,
    /// Modules whose dotted name changes.
    pub modules: HashMap<String, String>,
    /// Single definitions.
    pub symbols: HashMap<String, String>,
    /// Packages whose own body is said to become another module.
    pub bodies: HashMap<String, String>,
    /// Rules whose source is gone and whose target is there.
    pub done: Vec<Pair>,
    /// The old names of definitions that are moved along.
    pub carried: HashSet<String>,
    /// The first names of all modules as they will be called.
    pub tops: HashSet<String>,
    /// Packages that would come into being without an `__init__.py`, although those that they come from had one.
    pub packages: Vec<String>,
    is_part: bool,
}

/// What is known of a tree beside its files.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    /// What was taken over already, old path and new path: it counts as moved.
    pub arrived: &'a [(String, String)],
    /// Whether the tree is a part of a larger one: folders above what moves hold more than can be seen, and stay.
    pub is_part: bool,
}

impl Mapping {
    /// Applies rules to the files of `index`; names in the new tree begin at `roots`.
    pub fn new(
        index: &Index<'_>,
        rules: &Rules,
        roots: &[String],
        known: Known<'_>,
    ) -> Result<Self, MappingError> {
        let mut mapping = Self { places: known.arrived.to_vec(), is_part: known.is_part, ..Self::default() };
        for pair in &rules.moves {
            let places = places(index, pair, roots)?;
            if places.is_empty() {
                mapping.done.push(pair.clone());
            }
            mapping.places.extend(places);
        }
        mapping.places.sort_by_key(|(old, _)| std::cmp::Reverse(old.len()));
        let leaves: BTreeSet<String> = rules.leaves.iter().map(|leave| normal(&leave.path)).collect();
        for file in &index.tree.files {
            if leaves.contains(&file.path) {
                continue;
            }
            let new = mapping.place(&file.path);
            if let Some(new) = new.filter(|new| *new != file.path) {
                mapping.paths.insert(file.path.clone(), new);
            }
        }
        mapping.refuse_collisions(index)?;
        mapping.name_modules(index, roots);
        for pair in &rules.bodies {
            mapping.modules.insert(pair.from.clone(), pair.to.clone());
            mapping.bodies.insert(pair.from.clone(), pair.to.clone());
        }
        // The same name on both sides says that the facade keeps it, whatever else moves.
        let by_facade = |pair: &&Pair| pair.from == pair.to;
        let (kept, moved): (Vec<&Pair>, Vec<&Pair>) = rules.symbols.iter().partition(by_facade);
        mapping.symbols =
            moved.into_iter().chain(kept).map(|pair| (pair.from.clone(), pair.to.clone())).collect();
        let top = |name: &String| name.split('.').next().unwrap_or_default().to_owned();
        mapping.tops = mapping.modules.values().map(top).collect();
        mapping.refuse_names(index, roots)?;
        mapping.find_packages(index, roots);
        Ok(mapping)
    }

    /// Where the rules put a path; nothing when none reaches it.
    fn place(&self, path: &str) -> Option<String> {
        self.places.iter().find_map(|(old, new)| {
            if path == old {
                return Some(new.clone());
            }
            let below = path.strip_prefix(old.as_str())?.strip_prefix('/')?;
            Some(if new.is_empty() { below.to_owned() } else { format!("{new}/{below}") })
        })
    }

    /// Where a file or folder is after the move.
    pub fn new_path<'a>(&'a self, path: &'a str) -> &'a str {
        self.paths.get(path).map_or(path, String::as_str)
    }

    /// Where a folder is after the move, when all of its files move together.
    pub fn new_folder(&self, index: &Index<'_>, folder: &str) -> Option<String> {
        let new = self.place(folder)?;
        let prefix = format!("{folder}/");
        let from = index.tree.files.partition_point(|file| file.path < prefix);
        let mut files = index.tree.files.iter().skip(from).take_while(|file| file.path.starts_with(&prefix));
        files
            .all(|file| {
                file.path
                    .strip_prefix(folder)
                    .is_some_and(|rest| self.new_path(&file.path) == format!("{new}{rest}"))
            })
            .then_some(new)
    }

    /// The new name of a module, or of what lies below one: the longest beginning that moves decides.
    pub fn module(&self, dotted: &str) -> String {
        let mut head = dotted;
        while !head.is_empty() {
            if let Some(new) = self.modules.get(head) {
                return format!("{new}{}", dotted.strip_prefix(head).unwrap_or_default());
            }
            head = parent_of(head);
        }
        dotted.to_owned()
    }

    /// The new name of `name` in `module`, when a rule moves this one definition.
    pub fn symbol(&self, module: &str, name: &str) -> Option<&str> {
        self.symbols.get(&crate::index::join(module, name)).map(String::as_str)
    }

    /// Whether the rules say that `name` is in `module` from now on: a definition that a rule names, or one from the body
    /// of a package. It is moved by hand, so that it may not be there yet.
    pub fn is_declared(&self, index: &Index<'_>, module: &str, name: &str) -> bool {
        let dotted = crate::index::join(module, name);
        self.symbols.values().any(|new| *new == dotted)
            || self.bodies.iter().any(|(old, new)| new == module && index.may_have(old, name))
    }

    /// Whether nothing at all would change.
    pub fn is_empty(&self) -> bool {
        self.paths.is_empty() && self.symbols.is_empty() && self.modules.iter().all(|(old, new)| old == new)
    }

    /// Words of which a file must have one to be reached by the move at all.
    pub fn words(&self) -> Vec<String> {
        let mut words = BTreeSet::new();
        for (old, _) in &self.places {
            let name = leaf_path(old);
            let name = if name.starts_with("__init__.") { leaf_path(parent_path(old)) } else { name };
            words.insert(name.rsplit_once('.').map_or(name, |(stem, _)| stem).to_owned());
        }
        let changed: BTreeSet<&String> =
            self.modules.iter().filter(|(old, new)| old != new).map(|(old, _)| old).collect();
        for old in &changed {
            // What lies below a module that moves is only reached through its name.
            let is_below = std::iter::successors(Some(parent_of(old)), |head| Some(parent_of(head)))
                .take_while(|head| !head.is_empty())
                .any(|head| self.modules.get(head).is_some_and(|new| new != head));
            if !is_below {
                words.insert(leaf_of(old).to_owned());
            }
        }
        words.extend(self.symbols.keys().map(|old| leaf_of(old).to_owned()));
        words.into_iter().filter(|word| !word.is_empty()).collect()
    }

    /// The files as they will be, without edits.
    pub fn moved(&self, files: &[File], edited: &HashMap<usize, Arc<[u8]>>) -> Vec<File> {
        files
            .iter()
            .enumerate()
            .filter(|(_, file)| !file.is_gone)
            .map(|(at, file)| file.moved(self.new_path(&file.path).to_owned(), edited.get(&at).cloned()))
            .collect()
    }

    fn refuse_collisions(&self, index: &Index<'_>) -> Result<(), MappingError> {
        let mut taken: HashMap<&str, &str> = HashMap::new();
        let is_gone = |path: &str| {
            index.tree.find(path).and_then(|at| index.tree.file(at)).is_some_and(|file| file.is_gone)
        };
        for (old, new) in self.paths.iter().filter(|(old, _)| !is_gone(old)) {
            if index.tree.find(new).is_some() && !self.paths.contains_key(new) {
                return Err(MappingError::Taken { from: old.clone(), to: new.clone() });
            }
            if let Some(other) = taken.insert(new, old) {
                let other = other.to_owned();
                return Err(MappingError::Collision { one: other, other: old.clone(), to: new.clone() });
            }
            // A folder stands where a file would go.
            let is_below = |file: &File| {
                self.new_path(&file.path).strip_prefix(new.as_str()).is_some_and(|rest| rest.starts_with('/'))
            };
            if index.tree.is_directory(new) && index.tree.files.iter().any(is_below) {
                return Err(MappingError::Taken { from: old.clone(), to: new.clone() });
            }
        }
        for odd in &index.tree.odd {
            let path = odd.strip_prefix(&index.tree.root).unwrap_or(odd).to_string_lossy().into_owned();
            if self.place(&path).is_some() {
                return Err(MappingError::Odd(odd.clone()));
            }
        }
        Ok(())
    }

    fn name_modules(&mut self, index: &Index<'_>, roots: &[String]) {
        for (name, at) in index.modules() {
            let Some(file) = index.tree.file(at) else { continue };
            let new = module_name(self.new_path(&file.path), roots).map(|new| new.dotted);
            if let Some(new) = new {
                // Also what stays: it must not be taken along by the package that it lies in.
                self.modules.insert(name.to_owned(), new);
            }
        }
        self.name_namespaces(index);
    }

    /// A package without a file of its own moves when everything below it moves alike.
    fn name_namespaces(&mut self, index: &Index<'_>) {
        let mut found = Vec::new();
        for namespace in index.namespaces() {
            if self.is_part && self.is_above(index, namespace) {
                found.push((namespace.to_owned(), namespace.to_owned()));
                continue;
            }
            let prefix = format!("{namespace}.");
            let mut news: BTreeSet<Option<String>> = BTreeSet::new();
            for (old, new) in &self.modules {
                let Some(rest) = old.strip_prefix(&prefix) else { continue };
                news.insert(
                    new.strip_suffix(rest).and_then(|head| head.strip_suffix('.')).map(ToOwned::to_owned),
                );
            }
            let only = news.into_iter().collect::<Vec<_>>();
            let new = match only.as_slice() {
                [Some(new)] => new.clone(),
                _ => namespace.to_owned(),
            };
            found.push((namespace.to_owned(), new));
        }
        self.modules.extend(found);
    }

    /// Whether a rule names something in this namespace, and not the namespace itself.
    fn is_above(&self, index: &Index<'_>, namespace: &str) -> bool {
        let below = format!("{}/", namespace.replace('.', "/"));
        let is_in = |root: &String, old: &str| {
            let inside = if root.is_empty() { Some(old) } else { old.strip_prefix(&format!("{root}/")) };
            inside.is_some_and(|inside| inside.starts_with(&below))
        };
        self.places.iter().any(|(old, _)| index.roots.iter().any(|root| is_in(root, old)))
    }

    fn refuse_names(&self, index: &Index<'_>, roots: &[String]) -> Result<(), MappingError> {
        for (old, new) in &self.paths {
            let was = index.tree.find(old).and_then(|at| index.names.get(at)).and_then(Option::as_ref);
            if was.is_none() || !has_extension(new, "py") {
                continue;
            }
            let Some(name) = module_name(new, roots) else {
                return Err(MappingError::Unimportable(new.clone()));
            };
            // A module that could not be imported before is nobody's loss.
            let was_keyword =
                |word: &str| was.is_some_and(|was| was.dotted.split('.').any(|old| old == word));
            let is_keyword = |word: &&str| KEYWORDS.contains(word) && !was_keyword(word);
            if let Some(word) = name.dotted.split('.').find(is_keyword) {
                return Err(MappingError::Unimportable(format!("{} (`{word}` is a keyword)", name.dotted)));
            }
            // Every root that reaches the file counts: a script that is run from a folder puts it on the path.
            for root in roots.iter().filter(|root| index.tree.is_directory(root) || root.is_empty()) {
                let top = module_name(new, std::slice::from_ref(root)).map(|name| name.dotted);
                let top = top.as_deref().and_then(|dotted| dotted.split('.').next()).unwrap_or_default();
                if STANDARD_LIBRARY.contains(&top) && !index.has(top) {
                    let root = if root.is_empty() { "./".to_owned() } else { format!("{root}/") };
                    return Err(MappingError::Shadows { module: top.to_owned(), root });
                }
            }
        }
        Ok(())
    }

    /// Where a module comes to lie in folders that are no packages, although it lay in packages before.
    fn find_packages(&mut self, index: &Index<'_>, roots: &[String]) {
        let there: BTreeSet<&str> = index.tree.files.iter().map(|file| self.new_path(&file.path)).collect();
        let mut missing = BTreeSet::new();
        for (old, new) in &self.paths {
            let is_python = index
                .tree
                .find(old)
                .and_then(|at| index.tree.file(at))
                .is_some_and(|file| file.class == Class::Python);
            if !is_python || !has_extension(new, "py") {
                continue;
            }
            let old_name = index.tree.find(old).and_then(|at| index.names.get(at)).and_then(Option::as_ref);
            let Some(old_name) = old_name else { continue };
            // What lay at the top, or in a namespace, says nothing about packages; an `__init__.py` does.
            let was_regular = old_name.is_package
                || std::iter::successors(Some(parent_path(old)), |folder| Some(parent_path(folder)))
                    .take_while(|folder| !folder.is_empty() && !index.roots.iter().any(|root| root == folder))
                    .next()
                    .is_some_and(|folder| index.tree.find(&format!("{folder}/__init__.py")).is_some());
            if !was_regular {
                continue;
            }
            let mut folder = parent_path(new);
            while !folder.is_empty() && !roots.iter().any(|root| root == folder) {
                let init = format!("{folder}/__init__.py");
                let held_code = index.tree.is_directory(folder) && holds_module(index, folder);
                if !there.contains(init.as_str()) && !held_code {
                    missing.insert(init);
                }
                folder = parent_path(folder);
            }
        }
        self.packages = missing.into_iter().collect();
    }
}

/// Whether modules lay below a folder before the move: then it is a namespace package that somebody wanted.
fn holds_module(index: &Index<'_>, folder: &str) -> bool {
    let prefix = format!("{folder}/");
    let from = index.tree.files.partition_point(|file| file.path < prefix);
    let files = index.tree.files.iter().skip(from).take_while(|file| file.path.starts_with(&prefix));
    files.into_iter().any(|file| file.class == Class::Python)
}

/// Everything before the last `/`.
pub(crate) fn parent_path(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(parent, _)| parent)
}

/// Everything after the last `/`.
pub(crate) fn leaf_path(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(_, leaf)| leaf)
}
