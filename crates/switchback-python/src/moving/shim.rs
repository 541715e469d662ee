//! Shims: the old name stays importable as the very same module object, and warns once.
//!
//! A module gets a file that puts the new module into `sys.modules` under the old name: whoever imports the old name gets
//! that object, and the import system binds it in the parent package too. A package gets a finder beside that, or its
//! submodules would be found a second time, as other objects, through the package's search path.

use std::collections::BTreeMap;

use super::mapping::{Mapping, leaf_path};
use super::plan::NewFile;
use crate::index::{Index, leaf_of, parent_of};
use crate::tree::has_extension;

/// What every shim begins with.
pub(crate) const MARK: &str = "# switchback shim: ";

/// How long shims stand.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Term<'a> {
    /// Since when, `YYYY-MM-DD`.
    pub(crate) since: &'a str,
    /// Until when.
    pub(crate) until: Option<&'a str>,
}

/// The shims for everything that `mapping` moves. Tests need none: nobody imports them.
pub(crate) fn shims(index: &Index<'_>, mapping: &Mapping, term: Term<'_>) -> Vec<NewFile> {
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
    let taken: Vec<&str> = mapping.paths.values().map(String::as_str).collect();
    let mut made = Vec::new();
    for (old, new) in &moved {
        let Some(path) = index.file_of(old).and_then(|at| index.tree.file(at)).map(|file| file.path.clone())
        else {
            continue;
        };
        // Another module took the place: the old name means something else now.
        if taken.contains(&path.as_str()) || mapping.modules.values().any(|name| name == old) {
            continue;
        }
        let is_covered = std::iter::successors(Some(parent_of(old)), |head| Some(parent_of(head)))
            .take_while(|head| !head.is_empty())
            .any(|head| moved.contains_key(head));
        if is_covered {
            continue;
        }
        let below: Vec<(&str, &str)> = moved
            .iter()
            .filter(|(name, _)| name.strip_prefix(old).is_some_and(|rest| rest.starts_with('.')))
            .map(|(name, new)| (*name, *new))
            .collect();
        let is_package = path.ends_with("/__init__.py");
        let text = if is_package { package(old, new, &below, term) } else { module(old, new, term) };
        made.push(NewFile { path, content: text.into_bytes(), is_shim: true });
    }
    made
}

fn is_test(path: &str) -> bool {
    let name = leaf_path(path);
    name.starts_with("test_")
        || name.ends_with("_test.py")
        || name == "conftest.py"
        || path.split('/').any(|folder| matches!(folder, "tests" | "test"))
}

fn head(old: &str, new: &str, term: Term<'_>) -> String {
    let until = term.until.map(|until| format!("; remove after {until}")).unwrap_or_default();
    format!("{MARK}{old} -> {new}; since {}{until}\n", term.since)
}

fn warning(old: &str, new: &str, term: Term<'_>) -> String {
    let until = term.until.map(|until| format!("; the old name goes after {until}")).unwrap_or_default();
    format!("warnings.warn(\"{old} moved to {new}{until}\", DeprecationWarning, stacklevel=2)\n")
}

fn for_type_checkers(new: &str) -> String {
    format!("TYPE_CHECKING = False\nif TYPE_CHECKING:\n    from {new} import *  # noqa: F401,F403\n")
}

fn module(old: &str, new: &str, term: Term<'_>) -> String {
    format!(
        "{}import sys, warnings\nimport {new} as _new\n{}sys.modules[__name__] = _new\n\n{}",
        head(old, new, term),
        warning(old, new, term),
        for_type_checkers(new)
    )
}

fn package(old: &str, new: &str, below: &[(&str, &str)], term: Term<'_>) -> String {
    let names: Vec<String> = below.iter().map(|(old, new)| format!("    \"{old}\": \"{new}\",\n")).collect();
    let names = names.concat();
    format!(
        r#"{head}import importlib, importlib.abc, importlib.machinery, sys, warnings
import {new} as _new
{warning}sys.modules[__name__] = _new

_MOVED = {{
{names}}}


class _Moved(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Submodules under their old names are the very modules of the new names."""

    def __init__(self):
        self._specs = {{}}

    def find_spec(self, name, path=None, target=None):
        return importlib.machinery.ModuleSpec(name, self) if name in _MOVED else None

    def create_module(self, spec):
        module = importlib.import_module(_MOVED[spec.name])
        self._specs[id(module)] = module.__spec__
        return module

    def exec_module(self, module):
        # The import system wrote the old name into it.
        module.__spec__ = self._specs.pop(id(module))


sys.meta_path.insert(0, _Moved())

{checkers}"#,
        head = head(old, new, term),
        warning = warning(old, new, term),
        checkers = for_type_checkers(new),
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
}

/// Reads the first line of a shim; nothing when the file is none.
pub(crate) fn read(bytes: &[u8]) -> Option<ShimNote> {
    let line = bytes.split(|byte| *byte == b'\n').next()?;
    let rest = std::str::from_utf8(line).ok()?.trim_end().strip_prefix(MARK)?;
    let mut parts = rest.split("; ");
    let (old, new) = parts.next()?.split_once(" -> ")?;
    let mut note = ShimNote { old: old.to_owned(), new: new.to_owned(), since: String::new(), until: None };
    for part in parts {
        if let Some(since) = part.strip_prefix("since ") {
            since.clone_into(&mut note.since);
        } else if let Some(until) = part.strip_prefix("remove after ") {
            note.until = Some(until.to_owned());
        }
    }
    (!leaf_of(old).is_empty() && !leaf_of(new).is_empty()).then_some(note)
}
