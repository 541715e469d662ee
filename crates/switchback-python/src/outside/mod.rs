//! Imports that lead out of the project: the standard library, what is installed, what is declared, and what nobody knows.

mod declared;
mod installed;
mod search;
mod standard;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::{Value, json};
use switchback_core::verdict::Verdict;
use switchback_core::world::{Disk, DiskError};

use crate::deep::deep;
use crate::graph::ImportsOptions;
use crate::index::{Index, Target};
use crate::roots;
use crate::syntax::line_of;
use crate::tree::{Class, Tree};

pub use search::SearchFolder;
pub use standard::NEWEST;

use installed::{Installed, Place};
use standard::{OLDEST, Standard};

/// Against what imports are looked up.
#[derive(Debug, Clone)]
pub struct OutsideOptions {
    /// The minor version of Python 3 whose standard library counts.
    pub python_minor: u8,
    /// Environments: folders `site-packages`, or virtual environments.
    pub environments: Vec<PathBuf>,
    /// `PYTHONPATH` as the plan gives it: folders relative to the tree.
    pub search_folders: Vec<String>,
}

impl Default for OutsideOptions {
    fn default() -> Self {
        Self { python_minor: NEWEST, environments: Vec::new(), search_folders: Vec::new() }
    }
}

/// The imports could not be looked up.
#[derive(Debug, thiserror::Error)]
pub enum OutsideError {
    /// A file or folder.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// The threads for it could not be started.
    #[error("the threads that read files could not be started: {0}")]
    Threads(String),
    /// A version whose standard library is not known.
    #[error("Python 3.{0} is not known: give a version from 3.{OLDEST} to 3.{NEWEST}")]
    Version(u8),
    /// A folder of `PYTHONPATH` that the tree has not.
    #[error("`{0}` is no folder of the tree: give folders of PYTHONPATH relative to its root")]
    NoFolder(String),
}

/// Where an import leads.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// To the standard library.
    Standard,
    /// To a module of the project that is found through a folder of the search path: its file or folder.
    Project(String),
    /// To a module that is installed, brought by this distribution.
    Installed(String),
    /// To stubs that are installed: the module itself is not.
    Stub(String),
    /// To a distribution that the project declares: distribution and file. It was not looked into.
    Declared(String, String),
    /// Nobody knows, and why.
    Unknown(String),
}

impl Origin {
    /// The word for it in JSON.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Standard => "stdlib",
            Self::Project(_) => "project",
            Self::Installed(_) => "installed",
            Self::Stub(_) => "stub",
            Self::Declared(..) => "declared",
            Self::Unknown(_) => "unknown",
        }
    }

    fn detail(&self) -> Option<String> {
        match self {
            Self::Standard => None,
            Self::Project(what) | Self::Installed(what) | Self::Stub(what) | Self::Unknown(what) => {
                Some(what.clone())
            }
            Self::Declared(distribution, file) => Some(format!("{distribution}, in {file}")),
        }
    }
}

/// One module that an import outside of the project names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct OutsideImport {
    /// The file.
    pub path: String,
    /// The line, from 1.
    pub line: usize,
    /// The module, as it is written.
    pub module: String,
    /// Where it leads.
    pub origin: Origin,
    /// Whether the code is ready for its failure, or only type checkers see it.
    pub is_optional: bool,
}

/// Every import that leads out of the project.
#[derive(Debug, Clone, Default)]
pub struct OutsideOutcome {
    /// The imports, by file and line.
    pub imports: Vec<OutsideImport>,
    /// Edits of `sys.path`, and the folders that the caller gave.
    pub search_folders: Vec<SearchFolder>,
    /// Whether there was an environment to look into.
    pub has_environment: bool,
}

/// Looks up every import that leads out of the tree.
pub fn outside(
    disk: &Arc<dyn Disk>,
    imports: &ImportsOptions,
    options: &OutsideOptions,
) -> Result<OutsideOutcome, OutsideError> {
    if !(OLDEST..=NEWEST).contains(&options.python_minor) {
        return Err(OutsideError::Version(options.python_minor));
    }
    deep(|| look_up(disk, imports, options)).map_err(OutsideError::Threads)?
}

fn look_up(
    disk: &Arc<dyn Disk>,
    imports: &ImportsOptions,
    options: &OutsideOptions,
) -> Result<OutsideOutcome, OutsideError> {
    let tree = Tree::open(disk.clone(), &imports.root)?;
    let source_roots = roots::given_or_found(&tree, &imports.source_roots);
    let index = Index::new(&tree, &source_roots);
    let mut search_folders = given(&tree, &options.search_folders)?;
    search_folders.extend(search::search_folders(&tree));
    let installed = Installed::read(disk, &options.environments)?;
    let declared = declared::declared(&tree);
    let lookup = Lookup {
        index: &index,
        minor: options.python_minor,
        installed: &installed,
        declared: &declared,
        search_folders: &search_folders,
    };
    let mut found = Vec::new();
    for (at, file) in tree.files.iter().enumerate().filter(|(_, file)| file.class == Class::Python) {
        found.extend(lookup.of_file(at, &file.path));
    }
    found.sort();
    found.dedup();
    Ok(OutsideOutcome { imports: found, search_folders, has_environment: !options.environments.is_empty() })
}

fn given(tree: &Tree, folders: &[String]) -> Result<Vec<SearchFolder>, OutsideError> {
    folders
        .iter()
        .map(|folder| {
            let normal = roots::normal(folder);
            if !normal.is_empty() && !tree.is_directory(&normal) {
                return Err(OutsideError::NoFolder(folder.clone()));
            }
            let why = "given as PYTHONPATH".to_owned();
            Ok(SearchFolder { path: String::new(), line: 0, folder: Some(normal), why })
        })
        .collect()
}

struct Lookup<'a> {
    index: &'a Index<'a>,
    minor: u8,
    installed: &'a Installed,
    declared: &'a BTreeMap<String, String>,
    search_folders: &'a [SearchFolder],
}

impl Lookup<'_> {
    fn of_file(&self, at: usize, path: &str) -> Vec<OutsideImport> {
        let Some(file) = self.index.tree.file(at) else { return Vec::new() };
        let facts = self.index.tree.facts(file);
        let Ok(bytes) = self.index.tree.content(file) else { return Vec::new() };
        let name = self.index.names.get(at).and_then(Option::as_ref);
        let mut found = Vec::new();
        for import in &facts.imports {
            for imported in &import.names {
                let Target::External(_) = self.index.target(name, import, imported) else { continue };
                let module = match &import.from {
                    Some(from) => from.module.clone(),
                    None => imported.name.text.clone(),
                };
                let origin = self.origin(path, &module);
                found.push(OutsideImport {
                    path: path.to_owned(),
                    line: line_of(&bytes, import.span.start).0,
                    module,
                    origin,
                    is_optional: import.is_optional || import.is_typing,
                });
            }
        }
        found
    }

    fn origin(&self, path: &str, module: &str) -> Origin {
        let standard = standard::standard(module, self.minor);
        if standard == Standard::Has {
            return Origin::Standard;
        }
        if let Some(place) = self.in_project(path, module) {
            return Origin::Project(place);
        }
        let top = module.split('.').next().unwrap_or_default();
        match self.installed.find(module) {
            Place::Module(distribution) => return Origin::Installed(distribution),
            Place::Stub(distribution) => return Origin::Stub(distribution),
            Place::Lacking(distribution) => {
                return Origin::Unknown(format!("`{distribution}` is installed, and has no `{module}`"));
            }
            Place::Nothing => {}
        }
        if let Some(place) = self.stub_in_tree(module) {
            return Origin::Stub(place);
        }
        match standard {
            Standard::Elsewhere(first, u8::MAX) => {
                return Origin::Unknown(format!(
                    "the standard library has `{module}` since 3.{first}, not in 3.{}",
                    self.minor
                ));
            }
            Standard::Elsewhere(first, last) if self.declared_for(module).is_none() => {
                return Origin::Unknown(format!(
                    "the standard library had `{module}` from 3.{first} to 3.{last}, and has not in 3.{}",
                    self.minor
                ));
            }
            Standard::HasNot => {
                return Origin::Unknown(format!("the standard library has `{top}`, and no `{module}`"));
            }
            _ => {}
        }
        match self.declared_for(module) {
            Some((distribution, file)) => Origin::Declared(distribution, file),
            None => Origin::Unknown(format!("nothing that is known brings `{top}`")),
        }
    }

    fn declared_for(&self, module: &str) -> Option<(String, String)> {
        self.declared
            .iter()
            .find(|(distribution, _)| declared::offers(distribution, module))
            .map(|(distribution, file)| (distribution.clone(), file.clone()))
    }

    /// A module of the tree that a file finds beside it, or through the search path.
    fn in_project(&self, path: &str, module: &str) -> Option<String> {
        let beside = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let folders = self.search_folders.iter().filter(|one| one.serves(path));
        let folders = folders.filter_map(|one| one.folder.as_deref());
        std::iter::once(beside).chain(folders).find_map(|folder| self.place_in(folder, module))
    }

    fn place_in(&self, folder: &str, module: &str) -> Option<String> {
        let below = module.replace('.', "/");
        let whole = if folder.is_empty() { below } else { format!("{folder}/{below}") };
        [format!("{whole}/__init__.py"), format!("{whole}.py"), format!("{whole}.pyi")]
            .into_iter()
            .find(|place| self.index.tree.find(place).is_some())
            .or_else(|| self.index.tree.is_directory(&whole).then(|| whole.clone()))
    }

    /// Stubs that the project keeps for others, where type checkers look for them.
    fn stub_in_tree(&self, module: &str) -> Option<String> {
        let below = module.replace('.', "/");
        ["typings", "stubs"].iter().find_map(|folder| {
            [format!("{folder}/{below}.pyi"), format!("{folder}/{below}/__init__.pyi")]
                .into_iter()
                .find(|place| self.index.tree.find(place).is_some())
        })
    }
}

impl OutsideOutcome {
    /// *Yes* when everything was found in the standard library, the project or an environment; *no* when an environment
    /// was given, and something that the code counts on is not there; *unknown* otherwise.
    pub fn verdict(&self) -> Verdict {
        let needed = || self.imports.iter().filter(|import| !import.is_optional);
        let is_lost = |import: &OutsideImport| {
            matches!(import.origin, Origin::Unknown(_) | Origin::Declared(..) | Origin::Stub(_))
        };
        match (needed().any(is_lost), self.has_environment) {
            (true, true) => Verdict::No,
            (true, false) => Verdict::Unknown,
            (false, _) if self.imports.is_empty() => Verdict::Unknown,
            (false, _) => Verdict::Yes,
        }
    }

    /// How many imports of each origin, by its word.
    pub fn counts(&self) -> BTreeMap<&'static str, usize> {
        let mut counts = BTreeMap::new();
        for import in &self.imports {
            *counts.entry(import.origin.word()).or_default() += 1;
        }
        counts
    }

    /// The document `switchback/imports-outside/1`: every module once, with the first place that imports it.
    pub fn to_json(&self) -> Value {
        let modules: Vec<Value> = self
            .by_module()
            .into_iter()
            .map(|((module, origin), imports)| {
                let first = imports.first().map(|import| (import.path.as_str(), import.line));
                let mut value = json!({
                    "module": module, "origin": origin.word(), "imports": imports.len(),
                    "optional": imports.iter().all(|import| import.is_optional),
                });
                if let Some((path, line)) = first {
                    value["path"] = json!(path);
                    value["line"] = json!(line);
                }
                if let Some(detail) = origin.detail() {
                    value["detail"] = json!(detail);
                }
                value
            })
            .collect();
        let folders: Vec<Value> = self
            .search_folders
            .iter()
            .map(|one| json!({"path": one.path, "line": one.line, "folder": one.folder, "why": one.why}))
            .collect();
        json!({
            "schema": "switchback/imports-outside/1", "verdict": self.verdict().word(), "counts": self.counts(),
            "modules": modules, "search_folders": folders,
        })
    }

    fn by_module(&self) -> BTreeMap<(&str, &Origin), Vec<&OutsideImport>> {
        let mut found: BTreeMap<(&str, &Origin), Vec<&OutsideImport>> = BTreeMap::new();
        for import in &self.imports {
            found.entry((import.module.as_str(), &import.origin)).or_default().push(import);
        }
        found
    }

    /// One line for each module that was not found, for each edit of `sys.path`, and for the counts.
    pub fn told(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for ((module, origin), imports) in self.by_module() {
            let Some(first) = imports.first() else { continue };
            let more =
                if imports.len() > 1 { format!(" and {} more", imports.len() - 1) } else { String::new() };
            let place = format!("{}:{}{more}", first.path, first.line);
            match origin {
                Origin::Unknown(why) => lines.push(format!("{place}: `{module}` is not known: {why}")),
                Origin::Declared(distribution, file) => lines.push(format!(
                    "{place}: `{module}` is declared as `{distribution}` in {file}, and was not looked into"
                )),
                Origin::Stub(by) => lines.push(format!("{place}: only stubs of `{module}` were found: {by}")),
                _ => {}
            }
        }
        for one in self.search_folders.iter().filter(|one| !one.path.is_empty()) {
            let folder = one.folder.as_ref().map_or("?".to_owned(), |folder| format!("`{folder}/`"));
            lines.push(format!("{}:{}: adds {folder} to the search path: {}", one.path, one.line, one.why));
        }
        let counts: Vec<String> =
            self.counts().into_iter().map(|(word, count)| format!("{count} {word}")).collect();
        lines.push(format!("imports outside: {}", counts.join(", ")));
        lines
    }
}
