//! The files of a tree, read when they are needed: as they are on the disk, or as they would be after a move.

use std::collections::{BTreeSet, HashMap};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use rayon::prelude::*;
use switchback_core::world::{Disk, DiskError, FileKind};

use crate::syntax::{Dialect, Facts, parse, parse_at_import, parse_imports};

/// The largest Python file or notebook that is read, in bytes.
pub const PYTHON_BYTES_MAX: u64 = 64 << 20;
/// The largest text file that is looked through, in bytes.
pub const TEXT_BYTES_MAX: u64 = 4 << 20;

/// Folders that hold no source of the project.
const PASSED_OVER: &[&str] = &[
    ".git",
    ".hg",
    ".svn",
    ".switchback",
    ".tox",
    ".nox",
    ".venv",
    ".mypy_cache",
    ".pytest_cache",
    ".ruff_cache",
    ".ipynb_checkpoints",
    "__pycache__",
    "node_modules",
    "site-packages",
];
/// Of these, what belongs to a tree when all of it counts.
const PART_OF_A_WHOLE: &[&str] = &["node_modules", "site-packages"];

/// What a file is to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Python, stubs and Cython.
    Python,
    /// A Jupyter notebook.
    Notebook,
    /// Text in which modules and paths may be named.
    Text,
    /// Anything else: it can be moved, it is not read.
    Other,
}

/// One file.
#[derive(Debug)]
pub struct File {
    /// Its path relative to the root, with `/`.
    pub path: String,
    /// What it is.
    pub class: Class,
    /// Permission bits.
    pub mode: u32,
    /// Whether it is a symbolic link: moved as it is, never read.
    pub is_link: bool,
    /// Whether it stands there no more: what became of it stands somewhere else, and has its content.
    pub is_gone: bool,
    /// Why it is not read, although by its name it would be.
    pub unread: Option<String>,
    /// Where its bytes are now.
    origin: PathBuf,
    read: Arc<Read>,
    /// Whether its bytes are others than those at its origin.
    is_edited: bool,
}

/// What was read of a file so far: once for all trees in which it stands with the same bytes.
#[derive(Debug, Default)]
struct Read {
    content: OnceLock<Arc<[u8]>>,
    facts: OnceLock<Arc<Facts>>,
    at_import: OnceLock<Arc<Facts>>,
}

impl Read {
    fn of(content: Arc<[u8]>) -> Arc<Self> {
        Arc::new(Self { content: OnceLock::from(content), ..Self::default() })
    }
}

impl File {
    /// The same file at another path, with what is known of it; with other bytes, nothing is known.
    #[must_use]
    pub fn moved(&self, path: String, content: Option<Arc<[u8]>>) -> Self {
        let is_same = content.is_none()
            && class_of(&path, None) == class_of(&self.path, None)
            && dialect_of(&path) == self.dialect();
        Self {
            class: match self.class {
                Class::Python => Class::Python,
                // Too large to be read: it is no smaller elsewhere.
                Class::Other if content.is_none() && class_of(&self.path, None) != Class::Other => {
                    Class::Other
                }
                _ => class_of(&path, None),
            },
            path,
            mode: self.mode,
            is_link: self.is_link,
            is_gone: self.is_gone,
            unread: self.unread.clone(),
            origin: self.origin.clone(),
            is_edited: self.is_edited || content.is_some(),
            read: match content.or_else(|| self.held().cloned()) {
                _ if is_same => self.read.clone(),
                Some(content) => Read::of(content),
                None => Arc::default(),
            },
        }
    }

    /// The same file with all that is known of it, at another path.
    pub(crate) fn placed(&self, path: String) -> Self {
        Self {
            path,
            class: self.class,
            mode: self.mode,
            is_link: self.is_link,
            is_gone: self.is_gone,
            unread: self.unread.clone(),
            origin: self.origin.clone(),
            read: self.read.clone(),
            is_edited: self.is_edited,
        }
    }

    /// Where its bytes are on the disk, as long as they were not edited.
    pub(crate) fn origin(&self) -> &Path {
        &self.origin
    }

    /// Whether its bytes are others than those on the disk.
    pub(crate) fn is_edited(&self) -> bool {
        self.is_edited
    }

    /// Its bytes, where they were read already.
    pub(crate) fn held(&self) -> Option<&Arc<[u8]>> {
        self.read.content.get()
    }

    /// A file that does not exist yet.
    pub fn made(path: String, content: Arc<[u8]>) -> Self {
        Self {
            class: class_of(&path, None),
            path,
            mode: 0o644,
            is_link: false,
            is_gone: false,
            unread: None,
            origin: PathBuf::new(),
            read: Read::of(content),
            is_edited: true,
        }
    }

    /// What the dialect of its code is.
    pub fn dialect(&self) -> Dialect {
        dialect_of(&self.path)
    }
}

fn dialect_of(path: &str) -> Dialect {
    match path.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "ipynb" => Dialect::Notebook,
        "pyx" | "pxd" => Dialect::Cython,
        _ => Dialect::Module,
    }
}

/// Something in a tree that was not looked at, or does not stay what it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PassedOver {
    /// Its path, relative to the root.
    pub path: String,
    /// Why.
    pub why: String,
}

/// A tree of files.
#[derive(Debug)]
pub struct Tree {
    /// Its root on the disk.
    pub root: PathBuf,
    /// Its files, sorted by path.
    pub files: Vec<File>,
    /// Entries whose names are not UTF-8, and special files: they are not looked at.
    pub odd: Vec<PathBuf>,
    disk: Arc<dyn Disk>,
    /// Whether files are read for their imports alone.
    for_imports: bool,
    by_path: HashMap<String, usize>,
    directories: BTreeSet<String>,
}

impl Tree {
    /// Lists the tree below `root`; nothing is read yet.
    pub fn open(disk: Arc<dyn Disk>, root: &Path) -> Result<Self, DiskError> {
        Self::open_but(disk, root, PASSED_OVER)
    }

    /// Lists the tree below `root` with the code of others that is kept in it.
    pub(crate) fn open_whole(disk: Arc<dyn Disk>, root: &Path) -> Result<Self, DiskError> {
        let passed_over: Vec<&str> =
            PASSED_OVER.iter().copied().filter(|name| !PART_OF_A_WHOLE.contains(name)).collect();
        Self::open_but(disk, root, &passed_over)
    }

    fn open_but(disk: Arc<dyn Disk>, root: &Path, passed_over: &[&str]) -> Result<Self, DiskError> {
        if !disk.look(root)?.is_some_and(|meta| meta.kind == FileKind::Directory) {
            let why = std::io::Error::new(std::io::ErrorKind::NotADirectory, "there is no such folder");
            return Err(DiskError::new("look through", root, why));
        }
        let found = list(disk.as_ref(), root, "", passed_over)?;
        let mut files = Vec::new();
        let mut odd = Vec::new();
        for entry in found {
            match entry {
                Entry::File(file) => files.push(file),
                Entry::Odd(path) => odd.push(path),
            }
        }
        Ok(Self::of(disk, root.to_owned(), files, odd))
    }

    /// A tree of these files.
    pub fn of(disk: Arc<dyn Disk>, root: PathBuf, mut files: Vec<File>, odd: Vec<PathBuf>) -> Self {
        files.sort_by(|one, other| one.path.cmp(&other.path));
        let by_path = files.iter().enumerate().map(|(at, file)| (file.path.clone(), at)).collect();
        let mut directories = BTreeSet::new();
        for file in &files {
            let mut path = file.path.as_str();
            while let Some((parent, _)) = path.rsplit_once('/') {
                if !directories.insert(parent.to_owned()) {
                    break;
                }
                path = parent;
            }
        }
        Self { root, files, odd, disk, for_imports: false, by_path, directories }
    }

    /// The same tree, read for its imports alone: what functions say that import nothing is not known.
    #[must_use]
    pub(crate) fn for_imports(self) -> Self {
        Self { for_imports: true, ..self }
    }

    /// The same disk and root with other files.
    #[must_use]
    pub fn with(&self, files: Vec<File>) -> Self {
        Self::of(self.disk.clone(), self.root.clone(), files, self.odd.clone())
    }

    /// The same tree with the files that stood there before they were taken over: old path, and where what became of
    /// each stands now. Pairs of folders are passed over, and so are files that still stand there.
    #[must_use]
    pub fn with_gone(self, arrived: &[(String, String)]) -> Self {
        let gone: Vec<File> = arrived
            .iter()
            .filter(|(old, _)| !self.has(old))
            .filter_map(|(old, new)| {
                let file = self.file(self.find(new)?)?;
                Some(File { is_gone: true, ..file.moved(old.clone(), None) })
            })
            .collect();
        if gone.is_empty() {
            return self;
        }
        let mut files = self.files;
        files.extend(gone);
        Self::of(self.disk, self.root, files, self.odd)
    }

    /// The file at a path.
    pub fn find(&self, path: &str) -> Option<usize> {
        self.by_path.get(path).copied()
    }

    /// Whether there is a file at the path, or a folder that holds one.
    pub fn has(&self, path: &str) -> bool {
        self.by_path.contains_key(path) || self.directories.contains(path)
    }

    /// Whether the path is a folder that holds a file.
    pub fn is_directory(&self, path: &str) -> bool {
        self.directories.contains(path)
    }

    /// The module `top` in the folder of `path`, or in one that it puts on `sys.path`: a script finds it there.
    pub fn beside(&self, path: &str, top: &str) -> Option<String> {
        let folders = self.script_folders(path);
        folders.iter().find_map(|folder| {
            let place = |name: String| if folder.is_empty() { name } else { format!("{folder}/{name}") };
            [place(format!("{top}/__init__.py")), place(format!("{top}.py"))]
                .into_iter()
                .find(|place| self.by_path.contains_key(place))
        })
    }

    /// The folders that a script finds modules in: its own outside of packages, and those that it puts on `sys.path` itself.
    pub fn script_folders(&self, path: &str) -> Vec<String> {
        let own = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let mut folders = Vec::new();
        // A module of a package is found from elsewhere: what lies beside it is not found by one name.
        let init = if own.is_empty() { "__init__.py".to_owned() } else { format!("{own}/__init__.py") };
        if self.find(&init).is_none() {
            folders.push(own.to_owned());
        }
        let file = self.find(path).and_then(|at| self.file(at));
        let Some(file) = file.filter(|file| file.class == Class::Python) else { return folders };
        for folder in &self.facts(file).script_folders {
            let start = if folder.is_from_script { own } else { "" };
            if let Some(found) = below(start, &folder.path).filter(|found| !folders.contains(found)) {
                folders.push(found);
            }
        }
        folders
    }

    /// What is not looked at: names that are not UTF-8, special files, and files that are too large or closed to us.
    pub fn passed_over(&self) -> Vec<PassedOver> {
        let odd = self.odd.iter().map(|place| {
            let path = place.strip_prefix(&self.root).unwrap_or(place);
            let why = match path.to_str() {
                None => "its name is not UTF-8; it was not looked at",
                Some(_) => "it is neither a file nor a folder nor a link; it was not looked at",
            };
            PassedOver { path: path.to_string_lossy().into_owned(), why: why.to_owned() }
        });
        let unread = self.files.iter().filter_map(|file| {
            let why = format!("{}; it was not looked at", file.unread.as_ref()?);
            Some(PassedOver { path: file.path.clone(), why })
        });
        odd.chain(unread).collect()
    }

    /// What a symbolic link says: relative to its folder, or absolute.
    pub fn link_target(&self, link: &File) -> Result<PathBuf, DiskError> {
        self.disk.read_link(&link.origin)
    }

    /// Every folder that holds a file.
    pub fn directories(&self) -> impl Iterator<Item = &str> {
        self.directories.iter().map(String::as_str)
    }

    /// A file by its number.
    pub fn file(&self, at: usize) -> Option<&File> {
        self.files.get(at)
    }

    /// The bytes of a file, kept from now on.
    pub fn content(&self, file: &File) -> Result<Arc<[u8]>, DiskError> {
        if let Some(content) = file.read.content.get() {
            return Ok(content.clone());
        }
        let content = self.read(file)?;
        Ok(file.read.content.get_or_init(|| content).clone())
    }

    /// The bytes of a file, not kept unless `is_wanted` says so.
    pub fn content_if(
        &self,
        file: &File,
        is_wanted: impl Fn(&[u8]) -> bool,
    ) -> Result<Option<Arc<[u8]>>, DiskError> {
        let content = match file.read.content.get() {
            Some(content) => content.clone(),
            None => self.read(file)?,
        };
        if !is_wanted(&content) {
            return Ok(None);
        }
        Ok(Some(file.read.content.get_or_init(|| content).clone()))
    }

    /// Whether a file begins with these bytes; no more than them is read for it.
    pub(crate) fn begins_with(&self, file: &File, start: &[u8]) -> bool {
        if let Some(content) = file.held() {
            return content.starts_with(start);
        }
        if file.is_link {
            return false;
        }
        let mut found = Vec::with_capacity(start.len());
        let read =
            self.disk.open(&file.origin).map(|open| open.take(start.len() as u64).read_to_end(&mut found));
        matches!(read, Ok(Ok(_))) && found == start
    }

    fn read(&self, file: &File) -> Result<Arc<[u8]>, DiskError> {
        if file.is_link {
            return Ok(Arc::from(Vec::new()));
        }
        let most = if file.class == Class::Text { TEXT_BYTES_MAX } else { PYTHON_BYTES_MAX };
        Ok(Arc::from(self.disk.read(&file.origin, most)?))
    }

    /// What a Python file says; one that cannot be read says nothing.
    pub fn facts(&self, file: &File) -> Arc<Facts> {
        file.read
            .facts
            .get_or_init(|| {
                let content = self.content(file).unwrap_or_else(|_| Arc::from(Vec::new()));
                let read = if self.for_imports { parse_imports } else { parse };
                Arc::new(read(&content, file.dialect()))
            })
            .clone()
    }

    /// What a Python file says outside of the bodies of its functions: what runs when it is imported. Bytes that are read
    /// for this alone are not kept.
    pub fn at_import(&self, file: &File) -> Arc<Facts> {
        if let Some(facts) = file.read.facts.get() {
            return facts.clone();
        }
        file.read
            .at_import
            .get_or_init(|| {
                let content = file.held().cloned().map_or_else(|| self.read(file), Ok);
                let content = content.unwrap_or_else(|_| Arc::from(Vec::new()));
                Arc::new(parse_at_import(&content, file.dialect()))
            })
            .clone()
    }

    /// Frees what was read, on a thread of its own: of a large tree that takes a tenth of a second for which nobody
    /// needs to wait.
    pub(crate) fn drop_aside(self) {
        // Where there can be no thread, it is freed here and now.
        let _detached = std::thread::Builder::new().spawn(move || drop(self));
    }

    /// The disk that it is read from.
    pub fn disk(&self) -> &Arc<dyn Disk> {
        &self.disk
    }
}

enum Entry {
    File(File),
    Odd(PathBuf),
}

fn list(
    disk: &dyn Disk,
    directory: &Path,
    below: &str,
    passed_over: &[&str],
) -> Result<Vec<Entry>, DiskError> {
    let mut names = disk.list(directory)?;
    // A virtual environment says what it is.
    if !below.is_empty() && names.iter().any(|name| name == "pyvenv.cfg") {
        return Ok(Vec::new());
    }
    names.sort();
    let lists: Result<Vec<Vec<Entry>>, DiskError> =
        names.par_iter().map(|name| entry(disk, directory, below, name, passed_over)).collect();
    Ok(lists?.into_iter().flatten().collect())
}

fn entry(
    disk: &dyn Disk,
    directory: &Path,
    below: &str,
    name: &std::ffi::OsStr,
    passed_over: &[&str],
) -> Result<Vec<Entry>, DiskError> {
    let place = directory.join(name);
    let Some(text) = name.to_str() else { return Ok(vec![Entry::Odd(place)]) };
    let path = if below.is_empty() { text.to_owned() } else { format!("{below}/{text}") };
    let Some(meta) = disk.look(&place)? else { return Ok(Vec::new()) };
    match meta.kind {
        FileKind::Directory if passed_over.contains(&text) || is_ours(text) => Ok(Vec::new()),
        FileKind::Directory => list(disk, &place, &path, passed_over),
        FileKind::File | FileKind::Symlink => {
            let is_link = meta.kind == FileKind::Symlink;
            let (class, unread) =
                if is_link { (Class::Other, None) } else { classify(disk, &place, &path, meta.size) };
            Ok(vec![Entry::File(File {
                unread,
                path,
                class,
                mode: meta.mode,
                is_link,
                is_gone: false,
                origin: place,
                read: Arc::default(),
                is_edited: false,
            })])
        }
        _ => Ok(vec![Entry::Odd(place)]),
    }
}

/// `path` seen from `folder`, with `..` carried out; nothing when it leads out of the tree.
pub(crate) fn below(folder: &str, path: &str) -> Option<String> {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// Whether a path ends in this extension, which is given without its dot.
pub(crate) fn has_extension(path: &str, extension: &str) -> bool {
    path.rsplit_once('.').is_some_and(|(_, end)| end == extension)
}

/// Whether a file is there to test others, by its name and its folders.
pub(crate) fn is_test(path: &str) -> bool {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let stem = name.split('.').next().unwrap_or_default();
    folder.split('/').any(|part| matches!(part, "tests" | "test" | "testing"))
        || matches!(stem, "conftest" | "tests")
        || stem.starts_with("test_")
        || stem.ends_with("_test")
}

/// A tree that a run of Switchback has staged or parked.
fn is_ours(name: &str) -> bool {
    name.starts_with('.') && name.contains(".sb-")
}

/// What a file is, and why it is not read where it would be but for its size, or for its mode.
fn classify(disk: &dyn Disk, place: &Path, path: &str, size: u64) -> (Class, Option<String>) {
    let has_extension = path.rsplit('/').next().is_some_and(|name| name.contains('.'));
    let mut class = class_of(path, None);
    if class == Class::Other && !has_extension && size >= SHEBANG_BYTES_MIN {
        match first_line(disk, place) {
            Ok(line) => class = class_of(path, Some(&line)),
            Err(error) => return (Class::Other, Some(error.to_string())),
        }
    }
    let bytes_max = match class {
        Class::Python | Class::Notebook => PYTHON_BYTES_MAX,
        Class::Text => TEXT_BYTES_MAX,
        Class::Other => u64::MAX,
    };
    if size > bytes_max {
        return (Class::Other, Some(format!("it is larger than {} MiB", bytes_max >> 20)));
    }
    (class, None)
}

/// The shortest file whose first line can name an interpreter.
const SHEBANG_BYTES_MIN: u64 = 4;

fn first_line(disk: &dyn Disk, place: &Path) -> Result<String, DiskError> {
    let mut start = [0_u8; 64];
    let mut file = disk.open(place)?;
    let length =
        std::io::Read::read(&mut file, &mut start).map_err(|error| DiskError::new("read", place, error))?;
    let line = start.get(..length).and_then(|start| start.split(|byte| *byte == b'\n').next());
    Ok(String::from_utf8_lossy(line.unwrap_or_default()).into_owned())
}

/// What a file is by its name, or by its first line where the name says nothing.
fn class_of(path: &str, first_line: Option<&str>) -> Class {
    let name = path.rsplit('/').next().unwrap_or(path);
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    match extension.to_ascii_lowercase().as_str() {
        "py" | "pyi" | "pyx" | "pxd" | "pyw" => Class::Python,
        "ipynb" => Class::Notebook,
        "yaml" | "yml" | "toml" | "json" | "ini" | "cfg" | "conf" | "sh" | "bash" | "mk" | "md" | "rst"
        | "txt" | "in" | "service" | "env" | "http" | "rest" | "dockerfile" | "tmpl" | "tpl" | "j2"
        | "jinja" | "jinja2" | "template" | "cmd" | "bat" | "ps1" => Class::Text,
        _ => match (name, first_line) {
            (
                "Dockerfile" | "Makefile" | "GNUmakefile" | "Procfile" | "CODEOWNERS" | "Jenkinsfile"
                | "Justfile" | "justfile" | "crontab" | ".coveragerc" | ".isort.cfg" | ".flake8"
                | ".pylintrc" | "pylintrc" | ".gitignore" | ".gitattributes" | ".dockerignore",
                _,
            ) => Class::Text,
            (name, _) if name.starts_with("Dockerfile.") || name.starts_with("Makefile.") => Class::Text,
            (_, Some(line)) if line.starts_with("#!") && line.contains("python") => Class::Python,
            (_, Some(line)) if line.starts_with("#!") => Class::Text,
            _ => Class::Other,
        },
    }
}
