//! What is asked of source code, and what it answers, in plain types: moves, imports, public surface.

use std::path::PathBuf;

use crate::plan::{Key, Shape};
use crate::tree::rewrite::Put;
use crate::verdict::Verdict;

/// The key of plans for folders from which dotted names start.
pub(crate) const SOURCE_ROOTS: Key = Key::optional(
    "source_roots",
    Shape::Texts,
    "folders from which dotted names start; found by looking when left out",
);
/// The key of plans for what `PYTHONPATH` names.
pub(crate) const PYTHON_PATH: Key =
    Key::optional("python_path", Shape::Texts, "folders that `PYTHONPATH` names when the project runs");

/// A move of modules and packages that is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MoveRequest {
    /// What moves where, dotted names or paths; all at once, on the original names.
    pub pairs: Vec<(String, String)>,
    /// A file of rules, relative to the tree or absolute.
    pub rules: Option<PathBuf>,
    /// What a merge took over already: where files and folders stood, and where they stand now, relative to the tree.
    pub arrived: Vec<(String, String)>,
    /// Folders from which dotted names start, relative to the tree; found by looking when empty.
    pub source_roots: Vec<String>,
    /// Folders that `PYTHONPATH` names, relative to the tree.
    pub python_path: Vec<String>,
    /// Whether the old names stay importable.
    pub shims: bool,
    /// Until when they stay, `YYYY-MM-DD`.
    pub remove_after: Option<String>,
    /// Whether files that are no code are rewritten too.
    pub with_text: bool,
}

/// A merge of one tree into another that is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MergeRequest {
    /// Where the changes come from: a folder of the tree, or a commit.
    pub source: String,
    /// The folder that the merged tree takes the place of.
    pub target: String,
    /// What both come from: a folder or a commit; found by git where it can be.
    pub base: Option<String>,
    /// A file of rules and decisions, relative to the tree or absolute.
    pub rules: Option<PathBuf>,
    /// Folders from which dotted names start, relative to the tree; found by looking when empty.
    pub source_roots: Vec<String>,
    /// Whether what was merged out of the source is removed.
    pub removes_source: bool,
}

/// A rewrite of a tree as it would be done; nothing was touched yet.
#[derive(Debug, Clone)]
pub struct Rewrite {
    /// *Yes* when everything that was to be proved of it is.
    pub verdict: Verdict,
    /// One line for a person.
    pub summary: String,
    /// What speaks against it, a line each.
    pub against: Vec<String>,
    /// The whole report, one JSON document.
    pub report: String,
    /// What is to stand where, relative to the tree.
    pub puts: Vec<(PathBuf, Put)>,
    /// Where files of a merged source stood, and where they will stand, relative to the tree.
    pub arrived: Vec<(String, String)>,
    /// How many files get another path.
    pub moved: u64,
    /// How many files stay where they are and get other bytes.
    pub edited: u64,
    /// How many files come into being.
    pub created: u64,
}

/// The trees whose imports are looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImportsRequest {
    /// The tree.
    pub tree: PathBuf,
    /// The tree as it was: what did not resolve there is not held against the new one.
    pub before: Option<PathBuf>,
    /// Folders from which dotted names start, relative to the tree; found by looking when empty.
    pub source_roots: Vec<String>,
    /// Folders that `PYTHONPATH` names, relative to the tree.
    pub python_path: Vec<String>,
}

/// Two trees whose public surface is compared.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ApiRequest {
    /// The old tree, or package.
    pub old: PathBuf,
    /// The new one.
    pub new: PathBuf,
    /// Modules that moved, old name and new name.
    pub moved: Vec<(String, String)>,
}

/// Names that are to be there, or to be gone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SymbolsRequest {
    /// The tree.
    pub tree: PathBuf,
    /// Folders from which dotted names start, relative to the tree; found by looking when empty.
    pub source_roots: Vec<String>,
    /// What is to be there: `module`, `module:name`, `module:Class.method`.
    pub exist: Vec<String>,
    /// What is to be gone.
    pub gone: Vec<String>,
}

/// Two trees whose HTTP routes are compared.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RoutesRequest {
    /// The old tree.
    pub old: PathBuf,
    /// The new one.
    pub new: PathBuf,
    /// Folders from which dotted names start, relative to the trees; found by looking when empty.
    pub source_roots: Vec<String>,
    /// Modules that moved, old name and new name.
    pub moved: Vec<(String, String)>,
}

/// A tree whose old names are looked at: shims, and modules that a person marked as deprecated.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ShimsRequest {
    /// The tree.
    pub tree: PathBuf,
    /// Folders from which dotted names start, relative to the tree; found by looking when empty.
    pub source_roots: Vec<String>,
    /// Folders that `PYTHONPATH` names, relative to the tree.
    pub python_path: Vec<String>,
    /// The day on which it is looked, `YYYY-MM-DD`.
    pub day: String,
    /// Whether an old name without a day of its end is refused.
    pub refuses_undated: bool,
}

/// The HTTP routes of a tree.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RoutesFound {
    /// Each method of each path, in the order in which they are asked.
    pub routes: Vec<RouteFound>,
    /// How many places could not be read, which may define more.
    pub undecided: u64,
}

/// One method of one path.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RouteFound {
    /// The method; `*` for any, `WEBSOCKET` for web sockets.
    pub method: String,
    /// The path as it is written, prefixes included.
    pub path: String,
    /// The path with parameters as `{name}` and `{name:path}`, and `**` for everything below; nothing where that would not be sound.
    pub normal: Option<String>,
    /// The file that says so, relative to the tree.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// Whether it stands in code, and not only in a document that describes a service.
    pub is_code: bool,
    /// Whether the framework adds it by itself.
    pub is_implied: bool,
    /// Whether it stands for all routes of something outside of the tree.
    pub is_outside: bool,
}

/// Files of a changed tree that are to stand again as they were before the change.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PartsRequest {
    /// The tree as it is now.
    pub tree: PathBuf,
    /// Every file that the change touched, relative to the tree, and where its bytes from before it are, absolute; nothing
    /// for one that was not there.
    pub before: Vec<(PathBuf, Option<PathBuf>)>,
    /// The files that are to go back, in the same form.
    pub chosen: Vec<(PathBuf, Option<PathBuf>)>,
}

/// Files in which a change touched something of a kind, relative to the tree.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CodeParts {
    /// Files that stand where they stood, import something else, and say the same but for that.
    pub imports: Vec<PathBuf>,
    /// Files that import something else, and say something else too.
    pub left: Vec<PathBuf>,
    /// Files that define routes, describe them, or put them together, before the change or now.
    pub routes: Vec<PathBuf>,
}

/// Modules that are to be listed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ModulesRequest {
    /// The tree.
    pub tree: PathBuf,
    /// Modules, and packages with all that is in them; every package of the tree, tests apart, when empty.
    pub within: Vec<String>,
    /// Folders from which dotted names start, relative to the tree; found by looking when empty.
    pub source_roots: Vec<String>,
}

/// The modules of a tree.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ModulesFound {
    /// Their dotted names, sorted: a package before what is in it.
    pub names: Vec<String>,
    /// The folders from which these names start, absolute.
    pub roots: Vec<PathBuf>,
    /// What was asked for and is no module of the tree.
    pub missing: Vec<String>,
}
