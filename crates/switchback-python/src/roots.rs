//! Source roots: the folders from which dotted names start, found by looking, or given.

use std::collections::BTreeSet;

use memchr::memmem::{Finder, find};
use rayon::prelude::*;

use crate::tree::{Class, File, Tree};

/// Files that say that a project begins in their folder.
const PROJECT_FILES: &[&str] = &["pyproject.toml", "setup.py", "setup.cfg", "tox.ini", "manage.py"];
/// Folders below a project that hold its packages without being packages.
const SOURCE_FOLDERS: &[&str] = &["src", "lib", "python"];

/// A source root as it was given, relative to the tree: without `./` and slashes at the end; the tree itself is empty.
pub fn normal(root: &str) -> String {
    let parts: Vec<&str> = root.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    parts.join("/")
}

/// The roots of a tree: the tree itself, every folder outside of packages that holds a project's file, the folders
/// `src`, `lib` and `python` below these, and what `pyproject.toml` and `setup.cfg` name.
pub fn discover(tree: &Tree) -> Vec<String> {
    let mut roots = BTreeSet::from([String::new()]);
    for file in &tree.files {
        let (folder, name) = file.path.rsplit_once('/').unwrap_or(("", &file.path));
        if PROJECT_FILES.contains(&name) && !is_in_package(tree, folder) {
            roots.insert(folder.to_owned());
        }
    }
    let projects: Vec<String> = roots.iter().cloned().collect();
    for project in &projects {
        let below =
            |name: &str| if project.is_empty() { name.to_owned() } else { format!("{project}/{name}") };
        let declared = declared(tree, &below("pyproject.toml"), &below("setup.cfg"));
        let names = SOURCE_FOLDERS.iter().map(|name| (*name).to_owned()).chain(declared);
        for name in names {
            let folder = normal(&below(&name));
            if tree.is_directory(&folder) && !is_in_package(tree, &folder) && holds_python(tree, &folder) {
                roots.insert(folder);
            }
        }
    }
    roots.extend(from_scripts(tree, &roots));
    roots.into_iter().collect()
}

/// Folders outside of packages that scripts put on `sys.path`, unless their modules go by longer names elsewhere.
fn from_scripts(tree: &Tree, known: &BTreeSet<String>) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let is_script = |file: &&File| {
        file.class == Class::Python
            && (file.path.ends_with("conftest.py")
                || !is_in_package(tree, file.path.rsplit_once('/').map_or("", |(folder, _)| folder)))
    };
    let says_path = |bytes: &[u8]| find(bytes, b"sys.path").or_else(|| find(bytes, b"addsitedir")).is_some();
    let is_wanted = |file: &&File| tree.content_if(file, says_path).is_ok_and(|found| found.is_some());
    let scripts: Vec<&File> = tree.files.par_iter().filter(is_script).filter(is_wanted).collect();
    for file in scripts {
        let own = file.path.rsplit_once('/').map_or("", |(folder, _)| folder);
        for folder in tree.script_folders(&file.path) {
            let is_root = folder != own
                && !known.contains(&folder)
                && tree.is_directory(&folder)
                && !is_in_package(tree, &folder)
                && holds_python(tree, &folder);
            if is_root {
                found.insert(folder);
            }
        }
    }
    found.retain(|folder| !is_imported(tree, &folder.replace('/', ".")));
    found
}

/// Whether some file of the tree imports what lies in a folder by the folder's own name.
fn is_imported(tree: &Tree, dotted: &str) -> bool {
    let finder = Finder::new(dotted);
    let imports = |bytes: &[u8]| {
        finder.find_iter(bytes).any(|at| {
            let (before, found) = bytes.split_at(at);
            let after = found.get(dotted.len()).copied();
            before.ends_with(b"from ") && matches!(after, Some(b'.' | b' '))
                || before.ends_with(b"import ") && after == Some(b'.')
        })
    };
    tree.files
        .par_iter()
        .filter(|file| file.class == Class::Python)
        .any(|file| tree.content_if(file, imports).is_ok_and(|found| found.is_some()))
}

/// The source roots of a tree: `given`, or what is found; and the folders of `PYTHONPATH`.
pub fn source_roots(tree: &Tree, given: &[String], python_path: &[String]) -> Vec<String> {
    let mut roots = given_or_found(tree, given);
    for folder in python_path.iter().map(|folder| normal(folder)) {
        if !roots.contains(&folder) {
            roots.push(folder);
        }
    }
    roots
}

/// The roots that are given, else those that are found.
pub fn given_or_found(tree: &Tree, given: &[String]) -> Vec<String> {
    if given.is_empty() { discover(tree) } else { given.iter().map(|root| normal(root)).collect() }
}

fn is_in_package(tree: &Tree, folder: &str) -> bool {
    let init = if folder.is_empty() { "__init__.py".to_owned() } else { format!("{folder}/__init__.py") };
    tree.find(&init).is_some()
}

fn holds_python(tree: &Tree, folder: &str) -> bool {
    let prefix = format!("{folder}/");
    let from = tree.files.partition_point(|file| file.path < prefix);
    tree.files
        .iter()
        .skip(from)
        .take_while(|file| file.path.starts_with(&prefix))
        .any(|file| file.class == Class::Python)
}

/// `where`, `package-dir` and `pythonpath`, as far as the files can be read.
fn declared(tree: &Tree, pyproject: &str, setup: &str) -> Vec<String> {
    let text = |path: &str| {
        let file = tree.file(tree.find(path)?)?;
        String::from_utf8(tree.content(file).ok()?.to_vec()).ok()
    };
    let mut found = Vec::new();
    if let Some(table) = text(pyproject).and_then(|text| text.parse::<toml::Table>().ok()) {
        let tool = table.get("tool");
        let at = |path: &[&str]| path.iter().try_fold(tool?, |value, key| value.get(key));
        let lists = [
            at(&["setuptools", "packages", "find", "where"]),
            at(&["pytest", "ini_options", "pythonpath"]),
            at(&["setuptools", "package-dir", ""]),
        ];
        for value in lists.into_iter().flatten() {
            match value {
                toml::Value::String(one) => found.push(one.clone()),
                toml::Value::Array(many) => {
                    found.extend(many.iter().filter_map(toml::Value::as_str).map(ToOwned::to_owned));
                }
                _ => {}
            }
        }
    }
    for line in text(setup).unwrap_or_default().lines() {
        let line = line.trim();
        let value = line.strip_prefix("where").or_else(|| line.strip_prefix("pythonpath"));
        if let Some(value) = value.and_then(|rest| rest.trim_start().strip_prefix('=')) {
            found.extend(value.split_whitespace().map(ToOwned::to_owned));
        }
    }
    found
}
