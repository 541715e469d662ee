//! What will be compared with what: settled before any content is read.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use switchback_core::rule::{Rule, Tolerance};
use switchback_core::world::{Disk, FileKind, Meta};

use crate::address::{Address, Scheme};
use crate::error::CompareError;
use crate::source::Format;

/// Links that are followed one after the other before they are taken for a circle.
const LINKS_MAX: usize = 40;
/// Directories within directories.
const DEPTH_MAX: usize = 256;

/// What is asked of a comparison.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CompareOptions {
    /// What "the same" means.
    pub rule: Rule,
}

/// A comparison that is settled and not yet made.
#[derive(Debug, Clone)]
pub struct ComparePlan {
    /// What it follows.
    pub options: CompareOptions,
    /// One for each stage, in the order given; without stages exactly one.
    pub scopes: Vec<Scope>,
    /// Files outside of every stage, relative to their side, sorted.
    pub not_compared: Vec<String>,
}

/// Files that share one verdict.
#[derive(Debug, Clone)]
pub struct Scope {
    /// The stage; `None` when there are no stages.
    pub stage: Option<String>,
    /// What both sides have, sorted by name.
    pub pairs: Vec<Pair>,
    /// What only the old side has: paths relative to it, sorted.
    pub only_old: Vec<String>,
    /// What only the new side has: paths relative to it, sorted.
    pub only_new: Vec<String>,
}

/// Two files that are compared with each other.
#[derive(Debug, Clone)]
pub struct Pair {
    /// The path relative to both sides; of two single files, the old one's name.
    pub name: String,
    /// The old file.
    pub old: PathBuf,
    /// The new file.
    pub new: PathBuf,
    /// How they are compared.
    pub way: Way,
}

/// How a pair is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Row by row; the old and the new file's format.
    Table(Format, Format),
    /// Table by table, each by its name; the old and the new file's format.
    Tables(Format, Format),
    /// Value by value; the old and the new file's format.
    Document(Format, Format),
    /// Byte by byte.
    Bytes,
    /// Two links that lead to no file: by their targets.
    Links,
}

impl ComparePlan {
    /// Finds what belongs together in `old` and `new`: two files, two directories, or what addresses lead to.
    ///
    /// # Errors
    ///
    /// When a side does not exist, one is a file and the other a directory, a stage is missing, or the rule
    /// contradicts itself.
    pub fn new(
        old: &Path,
        new: &Path,
        options: CompareOptions,
        disk: &dyn Disk,
    ) -> Result<Self, CompareError> {
        check_rule(&options.rule)?;
        let (old_address, new_address) = (Address::of(old)?, Address::of(new)?);
        if old_address.is_some() || new_address.is_some() {
            return Self::of_addresses((old, old_address), (new, new_address), options, disk);
        }
        let (old_path, old_meta) = settle(disk, old)?;
        let (new_path, new_meta) = settle(disk, new)?;
        let directories = (old_meta.kind == FileKind::Directory, new_meta.kind == FileKind::Directory);
        match directories {
            (true, true) => {}
            (false, false) => return Self::of_files((old, old_path), (new, new_path), options),
            (true, false) => {
                return Err(CompareError::FileAndDirectory {
                    file: new.to_owned(),
                    directory: old.to_owned(),
                });
            }
            (false, true) => {
                return Err(CompareError::FileAndDirectory {
                    file: old.to_owned(),
                    directory: new.to_owned(),
                });
            }
        }
        let mut old_files = files_below(disk, &old_path)?;
        let mut new_files = files_below(disk, &new_path)?;
        let stages = options.rule.stages.clone();
        if stages.is_empty() {
            let scopes = vec![Scope::new(None, old_files, new_files)?];
            return Ok(Self { options, scopes, not_compared: Vec::new() });
        }
        let mut scopes = Vec::with_capacity(stages.len());
        for stage in stages {
            let old_part = take_stage(disk, &old_path, &mut old_files, &stage)?;
            let new_part = take_stage(disk, &new_path, &mut new_files, &stage)?;
            scopes.push(Scope::new(Some(stage), old_part, new_part)?);
        }
        old_files.append(&mut new_files);
        let not_compared = old_files.keys().map(|path| shown(path)).collect();
        Ok(Self { options, scopes, not_compared })
    }

    /// Two sides, at least one of which is a database or an object.
    fn of_addresses(
        old: (&Path, Option<Address>),
        new: (&Path, Option<Address>),
        options: CompareOptions,
        disk: &dyn Disk,
    ) -> Result<Self, CompareError> {
        if !options.rule.stages.is_empty() {
            return Err(CompareError::NoStages { path: crate::address::shown(old.0).into() });
        }
        let (one, two) = (Named::of(old, disk)?, Named::of(new, disk)?);
        let way = match (one.format, two.format) {
            (Format::Database, Format::Database) if one.all_tables && two.all_tables => {
                Way::Tables(one.format, two.format)
            }
            (Format::Database, other) if one.all_tables && other.is_tables() => {
                Way::Tables(one.format, other)
            }
            (other, Format::Database) if two.all_tables && other.is_tables() => {
                Way::Tables(other, two.format)
            }
            _ if one.all_tables || two.all_tables => {
                let (all, one) = if one.all_tables { (one, two) } else { (two, one) };
                return Err(CompareError::TableAndDatabase { all: shown(&all.path), one: shown(&one.path) });
            }
            (old, new) => way_of_formats((&one.path, old), (&two.path, new))?,
        };
        let pair = Pair { name: one.name, old: one.path, new: two.path, way };
        let scope = Scope { stage: None, pairs: vec![pair], only_old: Vec::new(), only_new: Vec::new() };
        Ok(Self { options, scopes: vec![scope], not_compared: Vec::new() })
    }

    /// Two single files: each as it was named, and where it really is.
    fn of_files(
        (old, old_path): (&Path, PathBuf),
        (new, new_path): (&Path, PathBuf),
        options: CompareOptions,
    ) -> Result<Self, CompareError> {
        if !options.rule.stages.is_empty() {
            return Err(CompareError::NoStages { path: old.to_owned() });
        }
        let name = old.file_name().map_or_else(|| shown(old), |name| name.to_string_lossy().into_owned());
        let way = way_of(old, new)?;
        let pair = Pair { name, old: old_path, new: new_path, way };
        let scope = Scope { stage: None, pairs: vec![pair], only_old: Vec::new(), only_new: Vec::new() };
        Ok(Self { options, scopes: vec![scope], not_compared: Vec::new() })
    }
}

impl Scope {
    fn new(stage: Option<String>, mut old: Files, new: Files) -> Result<Self, CompareError> {
        let mut scope = Self { stage, pairs: Vec::new(), only_old: Vec::new(), only_new: Vec::new() };
        for (name, new) in new {
            match old.remove(&name) {
                None => scope.only_new.push(shown(&name)),
                Some(old) => {
                    let loose = old.is_loose_link || new.is_loose_link;
                    let way = if loose { Way::Links } else { way_of(&name, &name)? };
                    scope.pairs.push(Pair { name: shown(&name), old: old.path, new: new.path, way });
                }
            }
        }
        scope.only_old = old.keys().map(|name| shown(name)).collect();
        Ok(scope)
    }
}

/// A file of a directory, by its path relative to it.
type Files = BTreeMap<PathBuf, Found>;

#[derive(Debug)]
struct Found {
    /// Where it really is; of a loose link, the link itself.
    path: PathBuf,
    /// A link that leads to no regular file.
    is_loose_link: bool,
}

fn shown(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// One side where the other, or itself, is an address.
struct Named {
    name: String,
    /// Where it is; of an address, what may be shown of it.
    path: PathBuf,
    format: Format,
    /// A database without a table.
    all_tables: bool,
}

impl Named {
    fn of((path, address): (&Path, Option<Address>), disk: &dyn Disk) -> Result<Self, CompareError> {
        if let Some(address) = address {
            let (name, shown) = (address.name(), PathBuf::from(address.to_string()));
            let is_object = address.scheme() == Scheme::S3;
            let format = if is_object { Format::of(Path::new(&name)) } else { Format::Database };
            let all_tables = !is_object && address.table().is_none();
            return Ok(Self { name, path: shown, format, all_tables });
        }
        let (real, meta) = settle(disk, path)?;
        if meta.kind == FileKind::Directory {
            return Err(CompareError::NotRegular { path: path.to_owned() });
        }
        let name = path.file_name().map_or_else(|| shown(path), |name| name.to_string_lossy().into_owned());
        Ok(Self { name, path: real, format: Format::of(path), all_tables: false })
    }
}

/// Names decide: what a link leads to may have a name without an ending.
fn way_of(old: &Path, new: &Path) -> Result<Way, CompareError> {
    way_of_formats((old, Format::of(old)), (new, Format::of(new)))
}

fn way_of_formats((old, one): (&Path, Format), (new, two): (&Path, Format)) -> Result<Way, CompareError> {
    Ok(match () {
        () if one.is_table() && two.is_table() => Way::Table(one, two),
        () if one.is_tables() && two.is_tables() => Way::Tables(one, two),
        () if one.is_document() && two.is_document() => Way::Document(one, two),
        () if (one == Format::Bytes || two == Format::Bytes)
            && one != Format::Database
            && two != Format::Database =>
        {
            Way::Bytes
        }
        () => return Err(CompareError::DifferentKinds { old: old.to_owned(), new: new.to_owned() }),
    })
}

/// Follows links to what is really there.
pub(crate) fn settle(disk: &dyn Disk, path: &Path) -> Result<(PathBuf, Meta), CompareError> {
    match follow(disk, path)? {
        Some((path, meta)) if matches!(meta.kind, FileKind::File | FileKind::Directory) => Ok((path, meta)),
        Some(_) => Err(CompareError::NotRegular { path: path.to_owned() }),
        None => Err(CompareError::Missing { path: path.to_owned() }),
    }
}

fn follow(disk: &dyn Disk, path: &Path) -> Result<Option<(PathBuf, Meta)>, CompareError> {
    let mut path = path.to_owned();
    for _ in 0..LINKS_MAX {
        match disk.look(&path)? {
            Some(meta) if meta.kind == FileKind::Symlink => {
                let target = disk.read_link(&path)?;
                path = path.parent().unwrap_or(Path::new("")).join(target);
            }
            Some(meta) => return Ok(Some((path, meta))),
            None => return Ok(None),
        }
    }
    Ok(None)
}

/// Every file at `path` whose name promises tables: name relative to `path` (of a single file, its own), and where it
/// really is. Sorted by name; a single file is there whatever its name promises.
pub(crate) fn table_files(disk: &dyn Disk, path: &Path) -> Result<Vec<(PathBuf, PathBuf)>, CompareError> {
    let (real, meta) = settle(disk, path)?;
    if meta.kind != FileKind::Directory {
        return Ok(vec![(path.file_name().map_or_else(|| path.to_owned(), PathBuf::from), real)]);
    }
    let promises = |name: &Path| Format::of(name).is_table() || Format::of(name).is_tables();
    let files = files_below(disk, &real)?.into_iter();
    let tables = files.filter(|(name, found)| promises(name) && !found.is_loose_link);
    Ok(tables.map(|(name, found)| (name, found.path)).collect())
}

fn files_below(disk: &dyn Disk, root: &Path) -> Result<Files, CompareError> {
    let mut files = Files::new();
    let mut waiting = vec![(PathBuf::new(), 0)];
    while let Some((directory, depth)) = waiting.pop() {
        for name in disk.list(&root.join(&directory))? {
            let relative = directory.join(name);
            let path = root.join(&relative);
            let Some(meta) = disk.look(&path)? else {
                return Err(CompareError::Missing { path });
            };
            match meta.kind {
                FileKind::Directory if depth < DEPTH_MAX => waiting.push((relative, depth + 1)),
                FileKind::File => {
                    files.insert(relative, Found { path, is_loose_link: false });
                }
                FileKind::Symlink => {
                    let target = follow(disk, &path)?.filter(|(_, meta)| meta.kind == FileKind::File);
                    let is_loose_link = target.is_none();
                    let path = target.map_or(path, |(target, _)| target);
                    files.insert(relative, Found { path, is_loose_link });
                }
                _ => return Err(CompareError::NotRegular { path }),
            }
        }
    }
    Ok(files)
}

/// Takes what belongs to a stage out of `files`: a folder of that name, and files of that stem.
fn take_stage(disk: &dyn Disk, root: &Path, files: &mut Files, stage: &str) -> Result<Files, CompareError> {
    let (part, rest): (Files, Files) = std::mem::take(files).into_iter().partition(|(path, _)| {
        let mut steps = path.components();
        let first = steps.next().is_some_and(|step| step.as_os_str() == stage);
        if steps.next().is_some() { first } else { path.file_stem().is_some_and(|stem| stem == stage) }
    });
    *files = rest;
    let folder = disk.look(&root.join(stage))?.is_some_and(|meta| meta.kind == FileKind::Directory);
    if part.is_empty() && !folder {
        return Err(CompareError::MissingStage { stage: stage.to_owned(), path: root.to_owned() });
    }
    Ok(part)
}

fn check_rule(rule: &Rule) -> Result<(), CompareError> {
    let refuse = |reason: String| Err(CompareError::Rule { reason });
    crate::known::check(rule)?;
    check_tolerance("the tolerance", &rule.tolerance)?;
    for (column, tolerance) in &rule.column_tolerance {
        check_tolerance(&format!("the tolerance of `{column}`"), tolerance)?;
    }
    for (at, column) in rule.key.iter().enumerate() {
        if rule.key.iter().take(at).any(|other| other == column) {
            return refuse(format!("the key names `{column}` twice"));
        }
        if rule.exclude.contains(column) {
            return refuse(format!("`{column}` is a key and is excluded"));
        }
    }
    for (at, stage) in rule.stages.iter().enumerate() {
        let mut steps = Path::new(stage).components();
        if !matches!((steps.next(), steps.next()), (Some(Component::Normal(_)), None)) || stage.contains('/')
        {
            return refuse(format!("the stage `{stage}` is not the name of a folder or file"));
        }
        if rule.stages.iter().take(at).any(|other| other == stage) {
            return refuse(format!("the stage `{stage}` is named twice"));
        }
    }
    Ok(())
}

fn check_tolerance(whose: &str, tolerance: &Tolerance) -> Result<(), CompareError> {
    for (kind, bound) in [("absolute", tolerance.absolute), ("relative", tolerance.relative)] {
        if let Some(bound) = bound.filter(|bound| !bound.is_finite() || *bound < 0.0) {
            let reason = format!("{whose} is {kind} `{bound}`, and must be a number that is not negative");
            return Err(CompareError::Rule { reason });
        }
    }
    Ok(())
}
