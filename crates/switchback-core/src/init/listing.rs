//! What stands in a tree: every file that counts, sums by folder, and what was set aside. Bounded, and no link is followed.

use std::collections::{BTreeMap, VecDeque};
use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use super::names::{self, Class};
use crate::plan::shown;
use crate::world::{DiskError, FileKind, World};

/// So many entries are looked at altogether; what lies beyond is not counted, and that is said.
const ENTRIES_MAX: u64 = 200_000;
/// So many in one entry of the root, so that one huge folder does not hide the others.
const ENTRIES_OF_ONE_MAX: u64 = 50_000;
/// So many names of one folder.
const NAMES_MAX: usize = 5_000;
/// So many entries of a folder that is set aside: it is only weighed.
const ENTRIES_ASIDE_MAX: u64 = 20_000;
/// The look ends after this long.
const LOOK_S_MAX: u64 = 20;
/// So many paths are named one by one in what is said about names and folders that cannot be used.
const NAMED_MAX: usize = 5;

/// A file, relative to the root of the tree, with `/` between names.
#[derive(Debug, Clone)]
pub(super) struct FileEntry {
    pub(super) path: String,
    pub(super) bytes: u64,
    pub(super) class: Class,
}

/// Sums over all that stands below a folder.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Folder {
    pub(super) python: u64,
    pub(super) sql: u64,
    pub(super) source: u64,
    pub(super) notebooks: u64,
    pub(super) config: u64,
    /// Data files, databases included.
    pub(super) data: u64,
    pub(super) docs: u64,
    pub(super) files: u64,
    pub(super) bytes: u64,
    /// Bytes of data files and databases.
    pub(super) data_bytes: u64,
    /// Whether an `__init__.py` stands right in it.
    pub(super) is_package: bool,
    /// Whether not all of it was looked at.
    pub(super) is_cut: bool,
}

impl Folder {
    /// Files that are written by people for programs.
    pub(super) fn code(&self) -> u64 {
        self.python + self.sql + self.source + self.notebooks
    }
}

/// A folder that holds nothing a plan would manage.
#[derive(Debug, Clone)]
pub(super) struct Aside {
    pub(super) path: String,
    pub(super) what: &'static str,
    pub(super) bytes: u64,
    pub(super) entries: u64,
}

/// What stands in a tree.
#[derive(Debug, Clone, Default)]
pub(super) struct Listing {
    /// By path.
    pub(super) files: Vec<FileEntry>,
    /// By path; the root is the empty one.
    pub(super) folders: BTreeMap<String, Folder>,
    pub(super) aside: Vec<Aside>,
    /// Folders that could not be read.
    pub(super) unreadable: Vec<String>,
    /// Symbolic links at the root.
    pub(super) links: Vec<String>,
    /// Names that a plan cannot hold, as they may be shown.
    pub(super) nameless: Vec<String>,
    pub(super) entries: u64,
}

impl Listing {
    pub(super) fn has_file(&self, path: &str) -> bool {
        self.files.binary_search_by(|file| file.path.as_str().cmp(path)).is_ok()
    }

    pub(super) fn has(&self, path: &str) -> bool {
        self.has_file(path) || self.folders.contains_key(path)
    }

    pub(super) fn folder(&self, path: &str) -> Folder {
        self.folders.get(path).copied().unwrap_or_default()
    }

    pub(super) fn is_complete(&self) -> bool {
        !self.folders.values().any(|folder| folder.is_cut)
    }

    /// Files below a folder, or the file itself.
    pub(super) fn below<'l>(&'l self, path: &'l str) -> impl Iterator<Item = &'l FileEntry> {
        self.files.iter().filter(move |file| names::is_below(&file.path, path))
    }

    /// The folders and files right in a folder, by name.
    pub(super) fn children(&self, folder: &str) -> Vec<String> {
        let folders = self.folders.keys().filter(|path| !path.is_empty());
        let mut found: Vec<String> = folders
            .chain(self.files.iter().map(|file| &file.path))
            .filter(|path| names::parent(path) == folder)
            .cloned()
            .collect();
        found.sort();
        found
    }

    /// Counts a file into every folder above it.
    pub(super) fn add_file(&mut self, path: &str, bytes: u64) {
        let name = names::base(path);
        let class = names::class(name, bytes);
        self.files.push(FileEntry { path: path.to_owned(), bytes, class });
        let direct = names::parent(path);
        let mut here = direct;
        loop {
            let folder = self.folders.entry(here.to_owned()).or_default();
            folder.files += 1;
            folder.bytes += bytes;
            let slot = match class {
                Class::Python => &mut folder.python,
                Class::Sql => &mut folder.sql,
                Class::Source => &mut folder.source,
                Class::Notebook => &mut folder.notebooks,
                Class::Config | Class::Dependencies => &mut folder.config,
                Class::Data | Class::Database => &mut folder.data,
                Class::Docs | Class::Other => &mut folder.docs,
            };
            *slot += 1;
            if matches!(class, Class::Data | Class::Database) {
                folder.data_bytes += bytes;
            }
            folder.is_package |= here == direct && name == "__init__.py";
            if here.is_empty() {
                break;
            }
            here = names::parent(here);
        }
    }

    /// Brings what was added into the order that [`Listing::has_file`] needs.
    pub(super) fn sort(&mut self) {
        self.files.sort_by(|one, other| one.path.cmp(&other.path));
    }

    fn cut(&mut self, folder: &str) {
        let mut here = folder;
        loop {
            self.folders.entry(here.to_owned()).or_default().is_cut = true;
            if here.is_empty() {
                break;
            }
            here = names::parent(here);
        }
    }

    /// What a person should know about the look itself.
    pub(super) fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        let cut: Vec<String> = self
            .folders
            .iter()
            .filter(|(path, f)| f.is_cut && !path.contains('/'))
            .map(|(p, _)| p.clone())
            .collect();
        let cut: Vec<String> = cut.into_iter().filter(|path| !path.is_empty()).collect();
        if !cut.is_empty() {
            notes.push(format!(
                "too large to be counted to the end, so its numbers are lower bounds: {}",
                named(&cut)
            ));
        }
        for (paths, what) in [
            (&self.unreadable, "cannot be read, so nothing in it was looked at"),
            (&self.nameless, "left out, because a plan cannot hold such a name"),
            (&self.links, "a symbolic link, which is neither followed nor managed"),
        ] {
            if !paths.is_empty() {
                notes.push(format!("{what}: {}", named(paths)));
            }
        }
        notes
    }
}

/// Some paths in words: "`a`, `b` and 3 more".
pub(super) fn named(paths: &[String]) -> String {
    let mut words: Vec<String> =
        paths.iter().take(NAMED_MAX).map(|path| format!("`{}`", shown(path))).collect();
    if paths.len() > NAMED_MAX {
        words.push(format!("and {} more", paths.len() - NAMED_MAX));
    }
    words.join(", ")
}

/// Looks at the tree at `root`. `except` is a folder in it, relative, that is not part of it.
///
/// # Errors
///
/// When the root itself cannot be listed.
pub(super) fn look(world: &World, root: &Path, except: Option<&str>) -> Result<Listing, DiskError> {
    let deadline = world.clock.monotonic() + Duration::from_secs(LOOK_S_MAX);
    let mut walk = Walk { world, root, except, deadline, found: Listing::default() };
    walk.found.folders.entry(String::new()).or_default();
    let mut names = world.disk.list(root)?;
    names.sort();
    for name in names {
        let Some(name) = walk.name("", name) else { continue };
        let entries_max = (walk.found.entries + ENTRIES_OF_ONE_MAX).min(ENTRIES_MAX);
        let mut queue = VecDeque::new();
        walk.entry(&name, &mut queue);
        while let Some(folder) = queue.pop_front() {
            walk.folder(&folder, entries_max, &mut queue);
        }
    }
    let mut found = walk.found;
    found.sort();
    Ok(found)
}

struct Walk<'a> {
    world: &'a World,
    root: &'a Path,
    except: Option<&'a str>,
    deadline: Duration,
    found: Listing,
}

impl Walk<'_> {
    /// A name as text, when a plan can hold it.
    fn name(&mut self, folder: &str, name: OsString) -> Option<String> {
        match name.into_string() {
            Ok(name) if !name.chars().any(char::is_control) => Some(name),
            Ok(name) => {
                self.found.nameless.push(joined(folder, &name));
                None
            }
            Err(name) => {
                self.found.nameless.push(joined(folder, &name.to_string_lossy()));
                None
            }
        }
    }

    fn entry(&mut self, path: &str, queue: &mut VecDeque<String>) {
        self.found.entries += 1;
        let meta = match self.world.disk.look(&self.root.join(path)) {
            Ok(Some(meta)) => meta,
            // Gone in the meantime.
            Ok(None) => return,
            Err(_) => return self.found.unreadable.push(path.to_owned()),
        };
        match meta.kind {
            FileKind::File => self.found.add_file(path, meta.size),
            FileKind::Directory => queue.push_back(path.to_owned()),
            FileKind::Symlink if !path.contains('/') => self.found.links.push(path.to_owned()),
            _ => {}
        }
    }

    fn folder(&mut self, path: &str, entries_max: u64, queue: &mut VecDeque<String>) {
        let full = self.found.entries >= entries_max || self.world.clock.monotonic() > self.deadline;
        if full {
            return self.found.cut(path);
        }
        let Ok(mut names) = self.world.disk.list(&self.root.join(path)) else {
            self.found.unreadable.push(path.to_owned());
            return;
        };
        if let Some(what) = self.set_aside(path, &names) {
            let (bytes, entries) = self.weigh(path);
            self.found.aside.push(Aside { path: path.to_owned(), what, bytes, entries });
            return;
        }
        self.found.folders.entry(path.to_owned()).or_default();
        names.sort();
        if names.len() > NAMES_MAX {
            names.truncate(NAMES_MAX);
            self.found.cut(path);
        }
        for name in names {
            if let Some(name) = self.name(path, name) {
                self.entry(&joined(path, &name), queue);
            }
        }
    }

    /// Why nothing in a folder is a project's own; `None` when it is.
    fn set_aside(&self, path: &str, names: &[OsString]) -> Option<&'static str> {
        let has = |wanted: &str| names.iter().any(|name| name == wanted);
        let name = names::base(path);
        if self.except == Some(path) {
            Some("the candidate")
        } else if has("pyvenv.cfg") || has("conda-meta") {
            Some("a Python environment")
        } else if name == ".git" {
            Some("the history")
        } else if names::is_tool_folder(name) {
            Some("made by tools")
        } else if names::is_output_folder(name) && !has("__init__.py") {
            Some("the output of a build")
        } else {
            None
        }
    }

    /// Bytes and entries below a folder, each at least.
    fn weigh(&self, path: &str) -> (u64, u64) {
        let (mut bytes, mut entries) = (0, 0);
        let mut folders = vec![self.root.join(path)];
        while let Some(folder) = folders.pop() {
            for name in self.world.disk.list(&folder).unwrap_or_default() {
                entries += 1;
                if entries >= ENTRIES_ASIDE_MAX {
                    return (bytes, entries);
                }
                let inner = folder.join(name);
                match self.world.disk.look(&inner) {
                    Ok(Some(meta)) if meta.kind == FileKind::Directory => folders.push(inner),
                    Ok(Some(meta)) if meta.kind == FileKind::File => bytes += meta.size,
                    _ => {}
                }
            }
        }
        (bytes, entries)
    }
}

fn joined(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}
