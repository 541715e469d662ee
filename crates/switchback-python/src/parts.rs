//! Parts of a change of code: which files differ in their imports or routes, and what breaks when some go back.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use switchback_core::code::{CodeParts, PartsRequest};
use switchback_core::port::PortError;
use switchback_core::world::{Disk, DiskError};

use crate::deep::deep;
use crate::graph::{Missing, outcome_of};
use crate::index::{Index, Target};
use crate::moving::read_shim;
use crate::roots;
use crate::routes::{RoutesError, files_of_routes};
use crate::syntax::{Dialect, Facts, line_of, parse};
use crate::tree::{Class, File, PYTHON_BYTES_MAX, Tree};

#[derive(Debug, thiserror::Error)]
enum PartsError {
    #[error(transparent)]
    Disk(#[from] DiskError),
    #[error(transparent)]
    Routes(#[from] RoutesError),
}

/// The files of `request.before` whose imports, and whose routes, are others now.
pub(crate) fn parts(disk: &Arc<dyn Disk>, request: &PartsRequest) -> Result<CodeParts, PortError> {
    told("could not tell the imports and routes apart from the rest", || find(disk, request))
}

/// What resolves now and would not, once the files of `request.chosen` are back: a line each.
pub(crate) fn lost(disk: &Arc<dyn Disk>, request: &PartsRequest) -> Result<Vec<String>, PortError> {
    told("could not look through the imports", || look(disk, request))
}

fn told<T: Send>(what: &str, act: impl FnOnce() -> Result<T, PartsError> + Send) -> Result<T, PortError> {
    let failed =
        |why: String| PortError::new(what, vec![why]).hinted("roll back by paths that were exchanged");
    deep(act).map_err(failed)?.map_err(|error| failed(error.to_string()))
}

fn find(disk: &Arc<dyn Disk>, request: &PartsRequest) -> Result<CodeParts, PartsError> {
    let now = Tree::open(disk.clone(), &request.tree)?;
    let before = with_back(&now, &request.before)?;
    let (old_roots, new_roots) = (roots::given_or_found(&before, &[]), roots::given_or_found(&now, &[]));
    let (old, new) = (Index::new(&before, &old_roots), Index::new(&now, &new_roots));
    let mut routes = files_of_routes(&old)?;
    routes.extend(files_of_routes(&new)?);
    let mut found = CodeParts::default();
    for (path, _) in &request.before {
        let Some(name) = path.to_str() else { continue };
        if routes.contains(name) {
            found.routes.push(path.clone());
        }
        let sides = before.find(name).zip(now.find(name));
        let Some((one, other)) = sides.and_then(|(one, other)| before.file(one).zip(now.file(other))) else {
            continue;
        };
        let is_python = one.class == Class::Python && other.class == Class::Python;
        if !is_python || statements(&before.facts(one)) == statements(&now.facts(other)) {
            continue;
        }
        let (one, other) = (before.content(one)?, now.content(other)?);
        if is_shim(&other) {
            // It keeps the old name importable, which is what the others need when they go back.
        } else if differ_in_names_alone(&one, &other) {
            found.imports.push(path.clone());
        } else {
            found.left.push(path.clone());
        }
    }
    Ok(found)
}

/// One imported name: from where (dots and module), what, and as what.
type Imported<'f> = (Option<(usize, &'f str)>, &'f str, Option<&'f str>);

/// What a file imports, in the order of the file, wherever it stands.
fn statements(facts: &Facts) -> Vec<Imported<'_>> {
    let mut found = Vec::new();
    for import in &facts.imports {
        let from = import.from.as_ref().map(|from| (from.level, from.module.as_str()));
        for name in &import.names {
            let alias = name.alias.as_ref().map(|alias| alias.text.as_str());
            found.push((from, name.name.text.as_str(), alias));
        }
    }
    found
}

fn is_shim(bytes: &[u8]) -> bool {
    read_shim(bytes).is_some()
}

/// Whether two files say the same but for import statements and dotted names: their other lines are as many, and are the
/// same where no dotted name stands, or a path of one.
fn differ_in_names_alone(one: &[u8], other: &[u8]) -> bool {
    said(one) == said(other)
}

/// The lines of a file without blank ones and import statements, each with its names taken out that may have moved.
fn said(bytes: &[u8]) -> Vec<String> {
    let facts = parse(bytes, Dialect::Module);
    let mut rest = bytes.to_vec();
    for import in &facts.imports {
        if let Some(place) = rest.get_mut(import.span.start..import.span.end) {
            place.iter_mut().filter(|byte| **byte != b'\n').for_each(|byte| *byte = b' ');
        }
    }
    // What an import binds may have got another name with it.
    let bound: BTreeSet<&str> = facts
        .imports
        .iter()
        .flat_map(|import| import.names.iter().filter_map(|name| name.bound(import.from.is_some())))
        .collect();
    let text = String::from_utf8_lossy(&rest).into_owned();
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    lines.map(|line| without_names(line.trim_end(), &bound)).collect()
}

/// A line with dotted names, paths, and what is bound by an import replaced by one mark.
fn without_names(line: &str, bound: &BTreeSet<&str>) -> String {
    let is_of_name = |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '.' | '/');
    let mut made = String::new();
    let mut rest = line;
    while let Some(first) = rest.chars().next() {
        let end = rest.find(|letter| is_of_name(letter) != is_of_name(first)).unwrap_or(rest.len());
        let (word, next) = rest.split_at(end);
        let begins = word.split(['.', '/']).next().unwrap_or_default();
        let is_joined = word.contains(['.', '/']) && !first.is_ascii_digit();
        let is_name = is_of_name(first) && (is_joined || bound.contains(begins));
        made.push_str(if is_name { "\u{1}" } else { word });
        rest = next;
    }
    made
}

/// A tree in which some files are back: the bytes that stand at the second path, or no file.
fn with_back(tree: &Tree, back: &[(PathBuf, Option<PathBuf>)]) -> Result<Tree, DiskError> {
    let back: HashMap<&str, Option<&Path>> =
        back.iter().filter_map(|(path, place)| Some((path.to_str()?, place.as_deref()))).collect();
    let mut files: Vec<File> = tree
        .files
        .iter()
        .filter(|file| !back.contains_key(file.path.as_str()))
        .map(|file| file.placed(file.path.clone()))
        .collect();
    for (path, place) in back {
        let Some(place) = place else { continue };
        let file = File::made(path.to_owned(), Arc::from([]));
        // What is no text is there, and that is all that is asked of it.
        let content = match file.class {
            Class::Other => Vec::new(),
            _ => tree.disk().read(place, PYTHON_BYTES_MAX)?,
        };
        files.push(File::made(path.to_owned(), Arc::from(content)));
    }
    Ok(tree.with(files))
}

fn look(disk: &Arc<dyn Disk>, request: &PartsRequest) -> Result<Vec<String>, PartsError> {
    let now = Tree::open(disk.clone(), &request.tree)?;
    let before = with_back(&now, &request.before)?;
    let after = with_back(&now, &request.chosen)?;
    let roots_of = |tree: &Tree| roots::given_or_found(tree, &[]);
    let (now_roots, before_roots) = (roots_of(&now), roots_of(&before));
    let mut all_roots = now_roots.clone();
    all_roots.extend(before_roots.iter().filter(|root| !now_roots.contains(root)).cloned());
    let (now, before) = (Index::new(&now, &now_roots), Index::new(&before, &before_roots));
    let after = Index::new(&after, &all_roots);
    let mut found = new_missing(&now, &before, &after);
    for (path, place) in &request.chosen {
        let name = path.to_str().filter(|_| place.is_some());
        if let Some((old, new)) = name.and_then(|name| before.tree.find(name).zip(after.tree.find(name))) {
            found.extend(outside_now(&before, &after, old, new));
        }
    }
    Ok(found.into_iter().map(|((path, line), why)| format!("{path}:{line}: {why}")).collect())
}

type Broken = BTreeMap<(String, usize), String>;

/// Imports that do not resolve, and did, in the file as it is now or as it was.
fn new_missing(now: &Index<'_>, before: &Index<'_>, after: &Index<'_>) -> Broken {
    let key = |one: &Missing| (one.import.path.clone(), one.import.module.clone(), one.import.name.clone());
    let known: BTreeSet<_> = [now, before].into_iter().flat_map(|index| outcome_of(index).missing).collect();
    let known: BTreeSet<_> = known.iter().map(key).collect();
    outcome_of(after)
        .missing
        .into_iter()
        .filter(|one| !one.is_optional && !known.contains(&key(one)))
        .map(|one| ((one.import.path, one.import.line), one.import.why))
        .collect()
}

/// Imports of a file that is back which led into the tree then, and lead out of it now.
fn outside_now(before: &Index<'_>, after: &Index<'_>, old: usize, new: usize) -> Broken {
    let mut found = Broken::new();
    let Some(file) = after.tree.file(new).filter(|file| file.class == Class::Python) else { return found };
    let facts = after.tree.facts(file);
    let (old_name, new_name) =
        (before.names.get(old).and_then(Option::as_ref), after.names.get(new).and_then(Option::as_ref));
    for import in facts.imports.iter().filter(|import| !import.is_optional && !import.is_typing) {
        for name in &import.names {
            let was_inside =
                matches!(before.target(old_name, import, name), Target::Module(_) | Target::Symbol { .. });
            let Target::External(dotted) = after.target(new_name, import, name) else { continue };
            if was_inside {
                let line = after.tree.content(file).map_or(1, |bytes| line_of(&bytes, import.span.start).0);
                found.insert((file.path.clone(), line), format!("there is no `{dotted}` any more"));
            }
        }
    }
    found
}
