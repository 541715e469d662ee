//! Old names that shims keep importable, and what they mean: the import system finds them while the program runs, and no
//! file stands for them.

use std::collections::BTreeMap;

use rayon::prelude::*;

use crate::index::{Index, Target, join};
use crate::moving::{SHIM_MARK, read_shim};
use crate::syntax::{Import, ImportedName};
use crate::tree::Class;

/// Old names, dotted, and the new ones.
#[derive(Debug, Default)]
pub(crate) struct OldNames {
    modules: BTreeMap<String, String>,
}

impl OldNames {
    /// Those of the shims that stand in a tree.
    pub(crate) fn of(index: &Index<'_>) -> Self {
        let mut modules = BTreeMap::new();
        let python = index.tree.files.par_iter().filter(|file| file.class == Class::Python);
        let shims: Vec<_> =
            python.filter(|file| index.tree.begins_with(file, SHIM_MARK.as_bytes())).collect();
        for file in shims {
            let Ok(bytes) = index.tree.content(file) else { continue };
            let Some(note) = read_shim(&bytes) else { continue };
            modules.extend(String::from_utf8_lossy(&bytes).lines().filter_map(entry));
            modules.insert(note.old, note.new);
        }
        Self { modules }
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
