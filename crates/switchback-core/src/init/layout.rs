//! What of a tree a plan would manage, what checked copies would link to, and what is left alone.

use super::listing::{Folder, Listing};
use super::names::{self, Class};

/// A folder that is not managed is linked, not copied, from this size on: checks would wait for the copy.
const HEAVY_BYTES: u64 = 64 * 1024 * 1024;
/// … or from this many entries on.
const HEAVY_ENTRIES: u64 = 2_000;
/// A single file of this size is data, whatever it is called.
const FILE_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// A folder that holds heavy data is managed by its parts, down to this depth.
const DEPTH_MAX: usize = 3;
/// A larger database is not put into every snapshot unasked.
const DATABASE_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// What a managed path is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// Python code that the project consists of.
    Code,
    Tests,
    Notebooks,
    Configuration,
    Dependencies,
    /// Anything else that people write.
    Other,
}

/// A path that the plan is to manage.
#[derive(Debug, Clone)]
pub(super) struct Item {
    pub(super) path: String,
    pub(super) role: Role,
    /// What it was taken for, and on what ground.
    pub(super) what: String,
    /// Whether files that the candidate does not have are kept.
    pub(super) overlaid: bool,
}

/// A path that something else is said about.
#[derive(Debug, Clone)]
pub(super) struct Named {
    pub(super) path: String,
    pub(super) what: String,
}

/// What of a tree is for what.
#[derive(Debug, Clone, Default)]
pub(super) struct Layout {
    pub(super) managed: Vec<Item>,
    pub(super) linked: Vec<Named>,
    /// Not managed; copied with the rest of the project for checks.
    pub(super) left: Vec<Named>,
    /// Databases outside of managed paths that fit into a snapshot.
    pub(super) databases: Vec<String>,
    /// Databases that would make each snapshot large.
    pub(super) large_databases: Vec<String>,
    /// Databases inside of managed paths.
    pub(super) managed_databases: Vec<String>,
    /// Folders from which imports start, beside the root.
    pub(super) source_roots: Vec<String>,
}

impl Layout {
    /// Reads a listing. `hinted` are source roots that the project's settings name.
    pub(super) fn of(listing: &Listing, hinted: &[String]) -> Self {
        let mut layout = Self { source_roots: source_roots(listing, hinted), ..Self::default() };
        let is_dbt = ["dbt_project.yml", "dbt_project.yaml"].iter().any(|name| listing.has_file(name));
        for path in listing.children("") {
            layout.sort_out(listing, &path, 0, is_dbt);
        }
        layout.set_aside(listing);
        layout.databases_of(listing);
        layout
    }

    pub(super) fn is_managed(&self, path: &str) -> bool {
        self.managed.iter().any(|item| names::is_below(path, &item.path))
    }

    fn sort_out(&mut self, listing: &Listing, path: &str, depth: usize, is_dbt: bool) {
        if listing.has_file(path) {
            return self.sort_out_file(listing, path);
        }
        let folder = listing.folder(path);
        let name = names::base(path);
        let mut leave = |what: &str| self.left.push(Named { path: path.to_owned(), what: what.to_owned() });
        if folder.files == 0 && !folder.is_cut {
            return leave("empty");
        }
        if names::is_docs_folder(name) && !folder.is_package && depth == 0 {
            return leave("documentation, by its name");
        }
        if is_dbt && depth == 0 && names::is_dbt_folder(name) {
            return self.manage(path, Role::Other, format!("of the dbt project: {}", counted(folder)), false);
        }
        if is_data(name, folder) {
            if is_heavy(folder.bytes, folder.files, folder.is_cut) {
                let what = format!("data: {}", weight(folder.bytes, folder.files, folder.is_cut));
                self.linked.push(Named { path: path.to_owned(), what });
            } else {
                leave("data");
            }
            return;
        }
        if folder.code() + folder.config == 0 {
            return leave("neither code nor configuration");
        }
        if depth < DEPTH_MAX && holds_heavy_data(listing, path) {
            for child in listing.children(path) {
                self.sort_out(listing, &child, depth + 1, is_dbt);
            }
            return;
        }
        self.manage_folder(listing, path, folder);
    }

    fn manage_folder(&mut self, listing: &Listing, path: &str, folder: Folder) {
        let is_test = names::is_test_folder(names::base(path));
        let (role, what) = if is_test && folder.python > 0 {
            (Role::Tests, format!("tests, by its name: {}", counted(folder)))
        } else if self.source_roots.iter().any(|root| root == path) {
            (Role::Code, format!("imports start here: {}", packages(listing, path)))
        } else if folder.is_package {
            (Role::Code, format!("a Python package: {}", counted(folder)))
        } else if folder.python > 0 {
            (Role::Code, counted(folder))
        } else if folder.notebooks > 0 && folder.sql + folder.source == 0 {
            (Role::Notebooks, format!("{}; those that only stand here are kept", counted(folder)))
        } else if folder.code() == 0 {
            (Role::Configuration, format!("configuration: {}", counted(folder)))
        } else {
            (Role::Other, counted(folder))
        };
        self.manage(path, role, what, role == Role::Notebooks);
    }

    fn sort_out_file(&mut self, listing: &Listing, path: &str) {
        let Some(file) = listing.below(path).next() else { return };
        let (role, what) = match file.class {
            _ if names::base(path).starts_with('.') => return,
            _ if file.bytes > FILE_BYTES_MAX => return self.leave_file(path, "large"),
            Class::Python if is_test_file(path) => (Role::Tests, "tests, by its name"),
            Class::Python => (Role::Code, "Python"),
            Class::Sql => (Role::Other, "SQL"),
            Class::Source => (Role::Other, "source"),
            Class::Notebook => (Role::Notebooks, "a notebook"),
            Class::Config if path == crate::plan::PLAN_FILE => return,
            Class::Config => (Role::Configuration, "configuration, by its name"),
            Class::Dependencies => (Role::Dependencies, "dependencies or build, by its name"),
            Class::Data => return self.leave_file(path, "data"),
            Class::Database | Class::Docs | Class::Other => return,
        };
        self.manage(path, role, what.to_owned(), false);
    }

    fn leave_file(&mut self, path: &str, what: &str) {
        self.left.push(Named { path: path.to_owned(), what: what.to_owned() });
    }

    fn manage(&mut self, path: &str, role: Role, what: String, overlaid: bool) {
        self.managed.push(Item { path: path.to_owned(), role, what, overlaid });
    }

    /// Environments are always linked: they are large, and they know where they stand.
    fn set_aside(&mut self, listing: &Listing) {
        for aside in &listing.aside {
            let is_state = aside.path == crate::plan::STATE_FOLDER || self.is_managed(&aside.path);
            let is_environment = aside.what == "a Python environment";
            if !is_state && (is_environment || is_heavy(aside.bytes, aside.entries, false)) {
                let what = format!("{}: {}", aside.what, weight(aside.bytes, aside.entries, false));
                self.linked.push(Named { path: aside.path.clone(), what });
            }
        }
        for path in &listing.unreadable {
            if !self.is_managed(path) {
                let what = "it cannot be read, so it cannot be copied".to_owned();
                self.linked.push(Named { path: path.clone(), what });
            }
        }
        // A folder inside of a linked one is reached through it.
        let linked = self.linked.clone();
        let inside =
            |path: &str| linked.iter().any(|other| other.path != path && names::is_below(path, &other.path));
        self.linked.retain(|named| !inside(&named.path));
        self.linked.sort_by(|one, other| one.path.cmp(&other.path));
    }

    fn databases_of(&mut self, listing: &Listing) {
        for file in listing.files.iter().filter(|file| file.class == Class::Database) {
            if self.is_managed(&file.path) {
                self.managed_databases.push(file.path.clone());
            } else if file.bytes > DATABASE_BYTES_MAX {
                self.large_databases.push(file.path.clone());
            } else {
                self.databases.push(file.path.clone());
            }
        }
    }
}

/// Whether a file of that path is one that pytest and unittest look into, going by their own rules.
pub(super) fn is_test_file(path: &str) -> bool {
    names::module(path)
        .is_some_and(|name| name.starts_with("test_") || name.ends_with("_test") || name == "tests")
}

/// Folders without an `__init__.py` in which packages or modules stand, by the names that are usual for them or as hinted.
fn source_roots(listing: &Listing, hinted: &[String]) -> Vec<String> {
    let usual = ["src", "lib", "python", "source"].map(str::to_owned);
    let mut found: Vec<String> = usual
        .iter()
        .chain(hinted)
        .filter(|path| {
            let folder = listing.folder(path);
            folder.python > 0 && !folder.is_package
        })
        .cloned()
        .collect();
    found.sort();
    found.dedup();
    found
}

fn is_data(name: &str, folder: Folder) -> bool {
    if folder.is_package || folder.data == 0 && !names::is_data_folder(name) {
        return false;
    }
    if names::is_data_folder(name) {
        return folder.code() <= folder.data;
    }
    folder.python == 0 && folder.data >= 2 * folder.code() && folder.data >= folder.config
}

fn holds_heavy_data(listing: &Listing, path: &str) -> bool {
    let of_folder = listing.folders.iter().any(|(inner, folder)| {
        inner != path
            && names::is_below(inner, path)
            && is_data(names::base(inner), *folder)
            && is_heavy(folder.bytes, folder.files, folder.is_cut)
    });
    let of_file = || {
        let is_data = |class| matches!(class, Class::Data | Class::Database);
        listing.below(path).any(|file| is_data(file.class) && file.bytes > FILE_BYTES_MAX)
    };
    let aside = || {
        listing.aside.iter().any(|aside| {
            let is_environment = aside.what == "a Python environment";
            names::is_below(&aside.path, path)
                && (is_environment || is_heavy(aside.bytes, aside.entries, false))
        })
    };
    of_folder || of_file() || aside()
}

fn is_heavy(bytes: u64, entries: u64, is_cut: bool) -> bool {
    is_cut || bytes >= HEAVY_BYTES || entries >= HEAVY_ENTRIES
}

fn weight(bytes: u64, entries: u64, is_cut: bool) -> String {
    let more = if is_cut { "more than " } else { "" };
    format!("{more}{} MiB in {more}{entries} files", bytes / (1024 * 1024))
}

/// What a folder holds, in words: `12 Python files, 3 SQL files`.
fn counted(folder: Folder) -> String {
    let parts = [
        (folder.python, "Python file"),
        (folder.sql, "SQL file"),
        (folder.source, "source file"),
        (folder.notebooks, "notebook"),
        (folder.config, "configuration file"),
        (folder.data, "data file"),
    ];
    let at_least = if folder.is_cut { "at least " } else { "" };
    let words: Vec<String> =
        parts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| plural(*count, what)).collect();
    format!("{at_least}{}", words.join(", "))
}

/// `1 file`, `2 files`.
pub(super) fn plural(count: u64, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

fn packages(listing: &Listing, root: &str) -> String {
    let children = listing.children(root);
    let found: Vec<String> = children
        .iter()
        .filter(|child| listing.folder(child).python > 0 || names::module(child).is_some())
        .map(|child| names::base(child).trim_end_matches(".py").to_owned())
        .collect();
    super::listing::named(&found)
}
