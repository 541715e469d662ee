//! Old names that shims keep importable, and what they mean: the import system finds them while the program runs, and no
//! file stands for them. Beside them, names of modules that a person deprecated.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;

use crate::index::{Index, Target, join, parent_of};
use crate::moving::{DEPRECATED_MARK, SHIM_MARK, read_marked, read_shim};
use crate::syntax::{Import, ImportedName};
use crate::tree::Class;

/// Old names, dotted, and the new ones.
#[derive(Debug, Default)]
pub(crate) struct OldNames {
    modules: BTreeMap<String, String>,
    deprecated: BTreeSet<String>,
}

impl OldNames {
    /// Those of the shims that stand in a tree.
    pub(crate) fn of(index: &Index<'_>) -> Self {
        let mut found = Self::default();
        let python = index.tree.files.par_iter().filter(|file| file.class == Class::Python);
        let marked: Vec<_> = python
            .filter(|file| {
                // Both marks begin alike, and hardly a file begins so.
                index.tree.begins_with(file, b"# switchback ")
                    && (index.tree.begins_with(file, SHIM_MARK.as_bytes())
                        || index.tree.begins_with(file, DEPRECATED_MARK.as_bytes()))
            })
            .collect();
        for file in marked {
            let Ok(bytes) = index.tree.content(file) else { continue };
            if let Some(note) = read_marked(&bytes, DEPRECATED_MARK) {
                found.deprecated.insert(note.old);
            }
            let Some(note) = read_shim(&bytes) else { continue };
            found.modules.extend(String::from_utf8_lossy(&bytes).lines().filter_map(entry));
            found.modules.insert(note.old, note.new);
        }
        found
    }

    /// Whether a module is one of the old ones, or below one.
    pub(crate) fn has(&self, module: &str) -> bool {
        let is_empty = self.modules.is_empty() && self.deprecated.is_empty();
        !is_empty
            && std::iter::successors(Some(module), |head| Some(parent_of(head)))
                .take_while(|head| !head.is_empty())
                .any(|head| self.modules.contains_key(head) || self.deprecated.contains(head))
    }

    /// The old module that an import means which finds nothing by itself; nothing when no shim finds it either.
    pub(crate) fn meant(
        &self,
        index: &Index<'_>,
        base: Option<&str>,
        import: &Import,
        imported: &ImportedName,
    ) -> Option<String> {
        if self.modules.is_empty() {
            return None;
        }
        let name = imported.name.text.as_str();
        let Some(base) = base.filter(|_| import.from.is_some()) else {
            return self.modules.get(name).filter(|new| index.has(new)).map(|_| name.to_owned());
        };
        let below = join(base, name);
        if self.modules.get(&below).is_some_and(|new| index.has(new)) {
            return Some(below);
        }
        let new = self.modules.get(base).filter(|new| index.has(new))?;
        let is_there = name == "*" || !matches!(index.member(None, new, name, 0), Target::Missing(_));
        is_there.then(|| base.to_owned())
    }
}

/// A line of the table of a shim: `    "old": "new",`.
fn entry(line: &str) -> Option<(String, String)> {
    let (old, new) = line.strip_prefix("    \"")?.strip_suffix("\",")?.split_once("\": \"")?;
    let is_dotted = |text: &str| text.split('.').all(|name| name.bytes().all(crate::syntax::is_word));
    (is_dotted(old) && is_dotted(new)).then(|| (old.to_owned(), new.to_owned()))
}
