//! Fragments from the disk: patterns → files → nodes at their places.

use std::path::{Component, Path, PathBuf};

use switchback_core::pattern::fits;
use switchback_core::world::{Disk, FileKind};

use crate::error::ConfigError;
use crate::layers::placed;
use crate::layout::{Layout, Pattern, environment_of};
use crate::path::KeyPath;
use crate::read::{self, FILE_BYTES_MAX, Finding, Format};
use crate::value::{Node, Sources, Value};

/// More files than that are a pattern that was not meant.
const FILES_MAX: usize = 10_000;
/// Folders within folders.
const DEPTH_MAX: usize = 64;
/// What a merge remarks on an override in which nothing stands, behind the sign of a comment.
pub(crate) const NOTHING_DIFFERS: &str = " nothing differs from the master here";
/// Folders that hold no configuration of a project.
const LEFT_OUT: &[&str] = &[".git", ".switchback", ".venv", "node_modules", "__pycache__"];

/// A fragment that was read.
#[derive(Debug, Clone)]
pub struct Fragment {
    /// Its path, relative to the project.
    pub path: String,
    /// Its keys, at their place.
    pub root: Node,
    /// Where its own root stands.
    pub at: KeyPath,
    /// The only environment in which it holds.
    pub environment: Option<String>,
    /// Whether that was declared, and not taken from its name.
    pub is_declared: bool,
    /// The permission bits of the file.
    pub mode: u32,
}

/// What was read.
#[derive(Debug, Clone, Default)]
pub struct Gathered {
    /// The fragments, in the order in which they layer.
    pub fragments: Vec<Fragment>,
    /// The environments, in the order in which they were declared or met.
    pub environments: Vec<String>,
    /// The files.
    pub sources: Sources,
    /// What readers took without a word.
    pub findings: Vec<Finding>,
}

/// Reads all fragments of a layout.
pub fn gather(disk: &dyn Disk, root: &Path, layout: &Layout) -> Result<Gathered, ConfigError> {
    let mut gathered = Gathered { environments: layout.environments.clone(), ..Gathered::default() };
    for (pattern, path) in meant(disk, root, layout)? {
        let fragment = fragment(disk, root, layout, pattern, &path, &mut gathered)?;
        if let Some(environment) = &fragment.environment
            && !gathered.environments.contains(environment)
        {
            if !layout.environments.is_empty() {
                return Err(ConfigError::of(
                    &path,
                    format!("it holds in `{environment}`, which is none of the environments that are named"),
                    "name the environment too, or none",
                ));
            }
            gathered.environments.push(environment.clone());
        }
        gathered.fragments.push(fragment);
    }
    if gathered.fragments.is_empty() {
        return Err(ConfigError::new(
            "no fragment was named",
            "name files, folders or patterns of configuration",
        ));
    }
    Ok(gathered)
}

fn fragment(
    disk: &dyn Disk,
    root: &Path,
    layout: &Layout,
    pattern: &Pattern,
    path: &str,
    gathered: &mut Gathered,
) -> Result<Fragment, ConfigError> {
    let loader = pattern.loader.unwrap_or(layout.loader);
    let format = Format::of(Path::new(path), loader).ok_or_else(|| {
        ConfigError::of(
            path,
            "its name says no format",
            "YAML, TOML, JSON, INI and .env are read; name such files",
        )
    })?;
    let number = gathered.sources.add(path);
    let read = read_file(disk, &root.join(path), path, format, number)?;
    gathered.findings.extend(read.findings);
    let at = match &pattern.at {
        None => KeyPath::default(),
        Some(at) => {
            let stem = Path::new(path).file_stem().unwrap_or_default().to_string_lossy();
            let at = at.replace("{stem}", &stem);
            KeyPath::parse(&at).map_err(|why| {
                ConfigError::of(path, format!("its place `{at}` is none: {why}"), "name it as `a.b`")
            })?
        }
    };
    let mut node = read.root;
    if node.value == Value::Null && at.steps().is_empty() {
        // A loader takes an empty file for no keys at all.
        node.value = Value::Map(Vec::new());
    }
    if at.steps().is_empty() && node.entries().is_none() {
        return Err(ConfigError::of(
            path,
            format!("as a whole it is a {}, and only maps can be merged", node.value.type_name()),
            "say where it goes: `[[fragment]]` with `path` and `at` in a file of rules",
        ));
    }
    forget_remark(&mut node);
    let meta = disk
        .look(&root.join(path))
        .map_err(|error| ConfigError::of(path, error.to_string(), "name a file that can be read"))?;
    // What is a link is read where it leads to; the bits of a link say nothing.
    let mode = meta.filter(|meta| meta.kind == FileKind::File).map_or(0o644, |meta| meta.mode & 0o777);
    let environment = pattern.environment.clone();
    let is_declared = environment.is_some();
    Ok(Fragment {
        path: path.to_owned(),
        root: placed(node, &at),
        at,
        environment: environment.or_else(|| environment_of(Path::new(path), &layout.environments)),
        is_declared,
        mode,
    })
}

/// Takes out what an earlier merge remarked on an override in which nothing stands: it is no comment of an author.
fn forget_remark(node: &mut Node) {
    if let (Value::Map(entries), Some(comments)) = (&node.value, &mut node.comments)
        && entries.is_empty()
    {
        for comments in [&mut comments.before, &mut comments.behind, &mut comments.after] {
            comments.retain(|comment| comment != NOTHING_DIFFERS);
        }
        if comments.is_empty() {
            node.comments = None;
        }
    }
}

/// The files, each with the rule that means it. A rule that names a file outdoes one that means it among others; two that are of one
/// kind and say different things of it are refused.
fn meant<'l>(
    disk: &dyn Disk,
    root: &Path,
    layout: &'l Layout,
) -> Result<Vec<(&'l Pattern, String)>, ConfigError> {
    let mut meant: Vec<(&Pattern, String, bool)> = Vec::new();
    for pattern in &layout.fragments {
        let paths = files(disk, root, pattern)?;
        let is_exact = paths.len() == 1 && Path::new(&pattern.path) == Path::new(&paths[0]);
        for path in paths {
            let is_same = |other: &Pattern| {
                other.at == pattern.at
                    && other.environment == pattern.environment
                    && other.loader == pattern.loader
            };
            let known = meant.iter().position(|(other, known, was_exact)| {
                *known == path && (!(is_exact && *was_exact) || is_same(other))
            });
            match known {
                None => meant.push((pattern, path, is_exact)),
                Some(known) if is_exact && !meant[known].2 => meant[known] = (pattern, path, true),
                Some(known) if is_same(meant[known].0) || meant[known].2 && !is_exact => {}
                Some(known) => {
                    let reason = format!(
                        "`{}` and `{}` say different things of it",
                        meant[known].0.path, pattern.path
                    );
                    return Err(ConfigError::of(&path, reason, "name it in a `[[fragment]]` of its own"));
                }
            }
        }
    }
    Ok(meant.into_iter().map(|(pattern, path, _)| (pattern, path)).collect())
}

/// Reads one file.
pub fn read_file(
    disk: &dyn Disk,
    place: &Path,
    name: &str,
    format: Format,
    number: u32,
) -> Result<read::Read, ConfigError> {
    let bytes = disk.read(place, FILE_BYTES_MAX).map_err(|error| {
        ConfigError::of(
            name,
            error.to_string(),
            format!("files of up to {} MiB are read", FILE_BYTES_MAX >> 20),
        )
    })?;
    read::read(&bytes, format, number).map_err(|fault| ConfigError::unreadable(name, &fault, format.word()))
}

/// The files that a pattern means, relative to the project, sorted; one file that is named is itself, whatever its name.
fn files(disk: &dyn Disk, root: &Path, pattern: &Pattern) -> Result<Vec<String>, ConfigError> {
    let path = Path::new(&pattern.path);
    let problem = |error: &dyn std::fmt::Display| {
        ConfigError::of(&pattern.path, error.to_string(), "name a file, a folder or a pattern in the project")
    };
    let is_wild = |part: &Component<'_>| part.as_os_str().to_string_lossy().contains(['*', '?']);
    let fixed: PathBuf = path.components().take_while(|part| !is_wild(part)).collect();
    let relative = |path: &Path| path.strip_prefix(root).unwrap_or(path).to_string_lossy().into_owned();
    if fixed == path {
        let meta = disk.look(&root.join(path)).map_err(|error| problem(&error))?;
        match meta.map(|meta| meta.kind) {
            None => return Err(problem(&"it does not exist")),
            Some(FileKind::Directory) => {}
            Some(_) => return Ok(vec![relative(&root.join(path))]),
        }
    }
    let mut found = Vec::new();
    walk(disk, &root.join(&fixed), 0, &mut found).map_err(|error| problem(&error))?;
    let mut paths: Vec<String> = found.iter().map(|path| relative(path)).collect();
    if fixed == path {
        paths.retain(|path| Format::of(Path::new(path), crate::yaml::Loader::PyYaml).is_some());
    } else {
        // `**/` also stands for no folder at all.
        let patterns = [pattern.path.clone(), pattern.path.replace("**/", "")];
        paths.retain(|path| patterns.iter().any(|pattern| fits(pattern, path)));
    }
    paths.sort();
    if paths.is_empty() {
        return Err(problem(&"no file of configuration is there"));
    }
    Ok(paths)
}

fn walk(disk: &dyn Disk, folder: &Path, depth: usize, found: &mut Vec<PathBuf>) -> Result<(), String> {
    let mut names = disk.list(folder).map_err(|error| error.to_string())?;
    names.sort();
    for name in names {
        let path = folder.join(&name);
        let Some(meta) = disk.look(&path).map_err(|error| error.to_string())? else { continue };
        match meta.kind {
            FileKind::Directory if LEFT_OUT.iter().any(|left| name == *left) => {}
            FileKind::Directory if depth >= DEPTH_MAX => {
                return Err(format!("`{}` is deeper than {DEPTH_MAX} folders", path.display()));
            }
            FileKind::Directory => walk(disk, &path, depth + 1, found)?,
            FileKind::File => found.push(path),
            FileKind::Symlink if Format::of(&path, crate::yaml::Loader::PyYaml).is_some() => {
                return Err(format!("`{}` is a link: name the file that it leads to", path.display()));
            }
            _ => {}
        }
        if found.len() > FILES_MAX {
            return Err(format!("there are more than {FILES_MAX} files"));
        }
    }
    Ok(())
}
