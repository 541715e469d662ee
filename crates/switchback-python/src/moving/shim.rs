//! Shims: the old name stays importable as the very same module object, and warns once.
//!
//! A module gets a file that puts the new module into `sys.modules` under the old name: whoever imports the old name gets
//! that object, and the import system binds it in the parent package too. A package gets a finder beside that, or its
//! submodules would be found a second time, as other objects, through the package's search path.

use std::collections::{BTreeMap, BTreeSet};

use super::mapping::{Mapping, leaf_path, parent_path};
use super::plan::NewFile;
use super::signature::{Wrapped, standing};
use crate::index::{Index, join, leaf_of, parent_of};
use crate::tree::has_extension;

/// What every shim begins with.
pub(crate) const MARK: &str = "# switchback shim: ";
/// What a module begins with that a person deprecated: it keeps its own code, and is listed with the shims.
pub(crate) const DEPRECATED_MARK: &str = "# switchback deprecated: ";

/// How long shims stand.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Term<'a> {
    /// Since when, `YYYY-MM-DD`.
    pub(crate) since: &'a str,
    /// Until when.
    pub(crate) until: Option<&'a str>,
}

/// A shim that is to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Made {
    /// The old module.
    old: String,
    /// The new one.
    new: String,
    /// Where the shim lies.
    path: String,
    /// What lies below a package: old names and new ones.
    below: Vec<(String, String)>,
    /// What lies below a package and has a shim of its own: old names, and where that lies, seen from here.
    own: Vec<(String, String)>,
    /// Names right below a package that are other modules under the old name than under the new one.
    children: Vec<String>,
}

/// The shims for everything that `mapping` moves, and for those that stand and whose functions `wrapped` names. Tests
/// need none: nobody imports them.
pub(super) fn needed(
    index: &Index<'_>,
    new: &Index<'_>,
    mapping: &Mapping,
    wrapped: &BTreeSet<&str>,
) -> Vec<Made> {
    let moved: BTreeMap<&str, &str> = index
        .modules()
        .into_iter()
        .filter_map(|(name, at)| {
            let file = index.tree.file(at)?;
            let new = mapping.modules.get(name)?;
            let goes = mapping.paths.contains_key(&file.path) && new != name;
            let is_code = has_extension(&file.path, "py") && !is_test(&file.path);
            (goes && is_code).then_some((name, new.as_str()))
        })
        .collect();
    // A module that is not the new one is not to be found in the new package either: every package around it that moves
    // has a shim of its own.
    let mut wrapped = wrapped.clone();
    for name in wrapped.clone() {
        let above = std::iter::successors(Some(parent_of(name)), |head| Some(parent_of(head)));
        wrapped.extend(above.take_while(|head| moved.contains_key(head)));
    }
    let taken: Vec<&str> = mapping.paths.values().map(String::as_str).collect();
    let path_of =
        |module: &str| index.file_of(module).and_then(|at| index.tree.file(at)).map(|file| file.path.clone());
    let mut made = Vec::new();
    for (old, new) in &moved {
        let Some(path) = path_of(old) else { continue };
        // Another module took the place: the old name means something else now.
        if taken.contains(&path.as_str()) || mapping.modules.values().any(|name| name == old) {
            continue;
        }
        let is_covered = std::iter::successors(Some(parent_of(old)), |head| Some(parent_of(head)))
            .take_while(|head| !head.is_empty())
            .any(|head| moved.contains_key(head));
        // A module with functions of its own needs a file of its own, which its package must not pass over.
        if is_covered && !wrapped.contains(old) {
            continue;
        }
        let below = moved
            .iter()
            .filter(|(name, _)| name.strip_prefix(old).is_some_and(|rest| rest.starts_with('.')))
            .filter(|(name, _)| !wrapped.contains(*name))
            .map(|(name, new)| ((*name).to_owned(), (*new).to_owned()))
            .collect();
        let folder = format!("{}/", parent_path(&path));
        let own = wrapped
            .iter()
            .filter(|name| name.strip_prefix(old).is_some_and(|rest| rest.starts_with('.')))
            .filter_map(|name| Some(((*name).to_owned(), path_of(name)?.strip_prefix(&folder)?.to_owned())))
            .collect();
        let children = wrapped
            .iter()
            .filter(|name| parent_of(name) == *old)
            .map(|name| leaf_of(name).to_owned())
            .collect();
        made.push(Made { old: (*old).to_owned(), new: (*new).to_owned(), path, below, own, children });
    }
    let others = wrapped.iter().copied().filter(|old| !moved.contains_key(old));
    made.extend(others.filter_map(|old| stands(index, new, old)));
    made
}

/// A shim that stands already, to be made anew.
fn stands(index: &Index<'_>, new: &Index<'_>, old: &str) -> Option<Made> {
    let path = index.tree.file(index.file_of(old)?)?.path.clone();
    let now = standing(index, old)?;
    let prefix = format!("{now}.");
    let modules = new.modules();
    let below = modules.keys().filter_map(|name| name.strip_prefix(&prefix));
    let below = below.map(|rest| (join(old, rest), join(&now, rest))).collect();
    Some(Made { old: old.to_owned(), new: now, path, below, own: Vec::new(), children: Vec::new() })
}

impl Made {
    /// The old module.
    pub(super) fn old(&self) -> &str {
        &self.old
    }

    /// The file.
    pub(super) fn file(&self, wrapped: Option<&Wrapped>, term: Term<'_>) -> NewFile {
        let is_package = self.path.ends_with("/__init__.py");
        let finder = if is_package { finder(&self.below, &self.own) } else { String::new() };
        let (old, new) = (self.old.as_str(), self.new.as_str());
        let head = head(old, new, wrapped, term);
        let loader = if is_package {
            "import importlib, importlib.abc, importlib.machinery, importlib.util, os\n"
        } else {
            ""
        };
        let warning = warning(old, new, term);
        let until = term.until.map(|until| format!("; the old name goes after {until}")).unwrap_or_default();
        let put = match wrapped {
            Some(wrapped) => wrapped.code(&self.children, &until),
            None if !self.children.is_empty() => Wrapped::default().code(&self.children, &until),
            None => "sys.modules[__name__] = _new\n".to_owned(),
        };
        let checkers = for_type_checkers(new);
        let text = format!(
            "{head}{loader}import sys, warnings\nimport {new} as _new\n{warning}{put}\n{finder}{checkers}"
        );
        NewFile { path: self.path.clone(), content: text.into_bytes(), is_shim: true }
    }
}

fn is_test(path: &str) -> bool {
    let name = leaf_path(path);
    name.starts_with("test_")
        || name.ends_with("_test.py")
        || name == "conftest.py"
        || path.split('/').any(|folder| matches!(folder, "tests" | "test"))
}

fn head(old: &str, new: &str, wrapped: Option<&Wrapped>, term: Term<'_>) -> String {
    let until = term.until.map(|until| format!("; remove after {until}")).unwrap_or_default();
    let names = wrapped.map(|wrapped| format!("; signatures {}", wrapped.names().join(", ")));
    format!("{MARK}{old} -> {new}; since {}{until}{}\n", term.since, names.unwrap_or_default())
}

fn warning(old: &str, new: &str, term: Term<'_>) -> String {
    let until = term.until.map(|until| format!("; the old name goes after {until}")).unwrap_or_default();
    format!("warnings.warn(\"{old} moved to {new}{until}\", DeprecationWarning, stacklevel=2)\n")
}

fn for_type_checkers(new: &str) -> String {
    format!("TYPE_CHECKING = False\nif TYPE_CHECKING:\n    from {new} import *  # noqa: F401,F403\n")
}

/// What finds the submodules of a package under their old names.
fn finder(below: &[(String, String)], own: &[(String, String)]) -> String {
    let entry = |(name, what): &(String, String)| format!("    \"{name}\": \"{what}\",\n");
    let names: String = below.iter().map(entry).collect();
    let places: String = own.iter().map(entry).collect();
    format!(
        r#"_MOVED = {{
{names}}}
_OWN = {{
{places}}}
_HERE = os.path.dirname(os.path.abspath(__file__))


class _Moved(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Submodules under their old names are the very modules of the new names."""

    def __init__(self):
        self._specs = {{}}

    def find_spec(self, name, path=None, target=None):
        if name in _OWN:
            place = os.path.join(_HERE, *_OWN[name].split("/"))
            inner = [os.path.dirname(place)] if place.endswith("__init__.py") else None
            return importlib.util.spec_from_file_location(name, place, submodule_search_locations=inner)
        return importlib.machinery.ModuleSpec(name, self) if name in _MOVED else None

    def create_module(self, spec):
        module = importlib.import_module(_MOVED[spec.name])
        self._specs[id(module)] = module.__spec__
        return module

    def exec_module(self, module):
        # The import system wrote the old name into it.
        module.__spec__ = self._specs.pop(id(module))


sys.meta_path.insert(0, _Moved())

"#
    )
}

/// What the first line of a shim says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShimNote {
    /// The old name.
    pub old: String,
    /// The new name.
    pub new: String,
    /// Since when, `YYYY-MM-DD`.
    pub since: String,
    /// Until when; nothing when no end was set.
    pub until: Option<String>,
    /// Functions that are called as they were, though their signature changed.
    pub signatures: Vec<String>,
}

/// Reads the first line of a shim; nothing when the file is none.
pub(crate) fn read(bytes: &[u8]) -> Option<ShimNote> {
    read_marked(bytes, MARK)
}

/// Reads the first line of a file that begins with `mark`.
pub(crate) fn read_marked(bytes: &[u8], mark: &str) -> Option<ShimNote> {
    let line = bytes.split(|byte| *byte == b'\n').next()?;
    let rest = std::str::from_utf8(line).ok()?.trim_end().strip_prefix(mark)?;
    let mut parts = rest.split("; ");
    let (old, new) = parts.next()?.split_once(" -> ")?;
    let (old, new) = (old.to_owned(), new.to_owned());
    let mut note = ShimNote { old, new, since: String::new(), until: None, signatures: Vec::new() };
    for part in parts {
        if let Some(since) = part.strip_prefix("since ") {
            since.clone_into(&mut note.since);
        } else if let Some(until) = part.strip_prefix("remove after ") {
            note.until = Some(until.to_owned());
        } else if let Some(names) = part.strip_prefix("signatures ") {
            note.signatures = names.split(", ").map(ToOwned::to_owned).collect();
        }
    }
    (!leaf_of(&note.old).is_empty() && !leaf_of(&note.new).is_empty()).then_some(note)
}
