//! Which files belong together: by path, and by what a file became where an ancestor is known. Never by content alone
//! where there is nothing in a file, and never an `__init__.py`: those follow their neighbours.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::side::{Opened, Version};
use crate::moving::leaf_path;
use crate::moving::parent_path;
use crate::tree::Class;

/// How much two files must have in common to be one that was renamed, in hundredths: as in git.
const ALIKE_PERCENT: usize = 50;
/// How many pairs of files are compared at most.
const COMPARED_MAX: usize = 200_000;

/// One file as the sides have it.
#[derive(Debug, Clone, Default)]
pub(super) struct Trio<'a> {
    /// Its path in the merged tree.
    pub(super) path: String,
    /// What both come from.
    pub(super) base: Option<&'a Version>,
    /// The source's.
    pub(super) source: Option<&'a Version>,
    /// The target's.
    pub(super) target: Option<&'a Version>,
    /// What is to be said of it.
    pub(super) note: Option<String>,
    /// Whether the sides disagree on its path.
    pub(super) is_contested: bool,
}

/// A file that may have moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Where it is in the source.
    pub from: String,
    /// Where it is, or would be, in the target.
    pub to: String,
    /// What speaks for it.
    pub why: String,
}

/// The files of all sides, and what may have moved.
#[derive(Debug, Default)]
pub(super) struct Paired<'a> {
    pub(super) trios: Vec<Trio<'a>>,
    pub(super) candidates: Vec<Candidate>,
}

static NO_FILES: BTreeMap<String, Version> = BTreeMap::new();

/// Pairs the files.
pub(super) fn pair<'a>(base: Option<&'a Opened>, source: &'a Opened, target: &'a Opened) -> Paired<'a> {
    let (by_source, by_target) = match base {
        Some(base) => (renames(base, source, target), renames(base, target, source)),
        None => (BTreeMap::new(), BTreeMap::new()),
    };
    let base_files = base.map_or(&NO_FILES, |base| &base.files);
    let mut used: BTreeSet<&str> = BTreeSet::new();
    let mut trios = Vec::new();
    for (old, version) in base_files {
        let became = Became { old, version, source: by_source.get(old), target: by_target.get(old) };
        let Some(trio) = became.trio(source, target) else { continue };
        // What was renamed to two names stands at the target's; the source's is none of its own.
        used.extend([Some(old), became.source, became.target].into_iter().flatten().map(String::as_str));
        trios.push(trio);
    }
    let all: BTreeSet<&String> =
        base_files.keys().chain(source.files.keys()).chain(target.files.keys()).collect();
    for path in all {
        if used.contains(path.as_str()) {
            continue;
        }
        trios.push(Trio {
            path: path.clone(),
            base: base_files.get(path),
            source: source.files.get(path),
            target: target.files.get(path),
            ..Trio::default()
        });
    }
    trios.sort_by(|one, other| one.path.cmp(&other.path));
    let mut candidates = same_elsewhere(&trios);
    if let Some(base) = base {
        candidates.extend(left_behind(base, source, target));
    }
    Paired { trios, candidates }
}

/// A file that was renamed.
struct Became<'a, 'r> {
    old: &'a String,
    version: &'a Version,
    source: Option<&'r String>,
    target: Option<&'r String>,
}

impl<'a> Became<'a, '_> {
    /// The file under its new name; nothing where it has none, or where the other side has something else there.
    fn trio(&self, source: &'a Opened, target: &'a Opened) -> Option<Trio<'a>> {
        let (old, base) = (self.old, Some(self.version));
        let trio = match (self.source, self.target) {
            (Some(new), Some(also)) => Trio {
                path: also.clone(),
                base,
                source: source.files.get(new),
                target: target.files.get(also),
                note: (new != also)
                    .then(|| format!("`{old}` became `{new}` in the source and `{also}` in the target")),
                is_contested: new != also,
            },
            (Some(new), None) if !target.files.contains_key(new) => Trio {
                path: new.clone(),
                base,
                source: source.files.get(new),
                target: target.files.get(old),
                note: Some(format!("the source renamed `{old}`")),
                is_contested: false,
            },
            (None, Some(new)) if !source.files.contains_key(new) => Trio {
                path: new.clone(),
                base,
                source: source.files.get(old),
                target: target.files.get(new),
                note: Some(format!("the target renamed `{old}`")),
                is_contested: false,
            },
            _ => return None,
        };
        Some(trio)
    }
}

/// Files of one side alone that the other has, byte for byte, under another path.
fn same_elsewhere(trios: &[Trio<'_>]) -> Vec<Candidate> {
    let mut by_print: HashMap<[u8; 32], Vec<&str>> = HashMap::new();
    for trio in trios {
        if let (None, None, Some(target)) = (trio.base, trio.source, trio.target) {
            by_print.entry(target.print).or_default().push(&trio.path);
        }
    }
    let mut found = Vec::new();
    for trio in trios {
        let (None, Some(source), None) = (trio.base, trio.source, trio.target) else { continue };
        if source.is_empty() || leaf_path(&trio.path) == "__init__.py" {
            continue;
        }
        for to in by_print.get(&source.print).into_iter().flatten() {
            let why = "the same bytes".to_owned();
            found.push(Candidate { from: trio.path.clone(), to: (*to).to_owned(), why });
        }
    }
    found
}

/// Files that the source added to a folder which the target moved.
fn left_behind(base: &Opened, source: &Opened, target: &Opened) -> Vec<Candidate> {
    let folders = moved_folders(&exact(base, target));
    let is_new = |path: &&String| !base.files.contains_key(*path) && !target.files.contains_key(*path);
    source
        .files
        .keys()
        .filter(is_new)
        .filter_map(|path| {
            let to = followed(path, &folders, base, target)?;
            let why = "the target moved its folder; a `[[move]]` brings it along and rewrites it".to_owned();
            Some(Candidate { from: path.clone(), to, why })
        })
        .collect()
}

/// Where a file goes whose folder, or one above it, moved as a whole.
fn followed(path: &str, folders: &BTreeMap<String, String>, base: &Opened, side: &Opened) -> Option<String> {
    let mut folder = parent_path(path);
    while !folder.is_empty() {
        let prefix = format!("{folder}/");
        let is_gone =
            !side.files.range(prefix.clone()..).next().is_some_and(|(one, _)| one.starts_with(&prefix));
        let was_there =
            base.files.range(prefix.clone()..).next().is_some_and(|(one, _)| one.starts_with(&prefix));
        if let Some(new) = folders.get(folder).filter(|_| is_gone && was_there) {
            return Some(format!("{new}/{}", path.strip_prefix(&prefix)?));
        }
        folder = parent_path(folder);
    }
    None
}

/// Folders of which most files went to one other folder.
fn moved_folders(renames: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let mut votes: BTreeMap<&str, BTreeMap<&str, usize>> = BTreeMap::new();
    for (old, new) in renames {
        let (mut old, mut new) = (old.as_str(), new.as_str());
        // What two paths have in common at their ends did not move: the folders above it did.
        while leaf_path(old) == leaf_path(new) && old.contains('/') && new.contains('/') {
            (old, new) = (parent_path(old), parent_path(new));
            *votes.entry(old).or_default().entry(new).or_default() += 1;
        }
    }
    let most = |votes: BTreeMap<&str, usize>| {
        votes.into_iter().max_by_key(|(_, count)| *count).map(|(folder, _)| folder.to_owned())
    };
    votes.into_iter().filter_map(|(old, votes)| Some((old.to_owned(), most(votes)?))).collect()
}

/// What was renamed without any other change.
fn exact(base: &Opened, side: &Opened) -> BTreeMap<String, String> {
    let mut new: HashMap<[u8; 32], Vec<&String>> = HashMap::new();
    for (path, version) in side.files.iter().filter(|(path, _)| !base.files.contains_key(*path)) {
        new.entry(version.print).or_default().push(path);
    }
    let mut found = BTreeMap::new();
    for (old, version) in base.files.iter().filter(|(path, _)| !side.files.contains_key(*path)) {
        if version.is_empty() || leaf_path(old) == "__init__.py" {
            continue;
        }
        let Some(places) = new.get_mut(&version.print) else { continue };
        let best = places.iter().position(|place| leaf_path(place) == leaf_path(old)).unwrap_or(0);
        if !places.is_empty() {
            found.insert(old.clone(), places.remove(best).clone());
        }
    }
    found
}

/// What `side` renamed: exactly, by likeness where the other side has a say in it, and what follows its neighbours.
fn renames(base: &Opened, side: &Opened, other: &Opened) -> BTreeMap<String, String> {
    let mut found = exact(base, side);
    let taken: BTreeSet<&String> = found.values().collect();
    let new: Vec<&String> = side
        .files
        .keys()
        .filter(|path| !base.files.contains_key(*path) && !taken.contains(path))
        .filter(|path| leaf_path(path) != "__init__.py")
        .collect();
    // Where the other side left it as it was, or took it out too, nothing is lost by not knowing.
    let changed =
        |path: &str, version: &Version| other.files.get(path).is_none_or(|theirs| !theirs.is_same(version));
    let gone: Vec<(&String, &Version)> = base
        .files
        .iter()
        .filter(|(path, version)| {
            !side.files.contains_key(*path)
                && !found.contains_key(*path)
                && leaf_path(path) != "__init__.py"
                && changed(path, version)
        })
        .collect();
    if gone.len().saturating_mul(new.len()) <= COMPARED_MAX {
        found.extend(alike(base, side, &gone, &new));
    }
    let folders = moved_folders(&found);
    for old in base.files.keys().filter(|path| leaf_path(path) == "__init__.py") {
        let folder = folders.get(parent_path(old));
        let new = folder.map(|folder| format!("{folder}/__init__.py"));
        if let Some(new) = new
            && !side.files.contains_key(old)
            && side.files.contains_key(&new)
            && !base.files.contains_key(&new)
        {
            found.insert(old.clone(), new);
        }
    }
    found
}

/// Pairs of files that have most of their lines in common, the likest first.
fn alike(
    base: &Opened,
    side: &Opened,
    gone: &[(&String, &Version)],
    new: &[&String],
) -> BTreeMap<String, String> {
    let text = |opened: &Opened, version: &Version| {
        if opened.class(version) == Class::Other { None } else { opened.bytes(version).ok().flatten() }
    };
    let lined: Vec<(&String, Lines)> = new
        .iter()
        .filter_map(|path| Some((*path, Lines::of(&text(side, side.files.get(*path)?)?))))
        .collect();
    let mut scored: Vec<(usize, bool, &String, &String)> = Vec::new();
    for (old, version) in gone {
        let Some(bytes) = text(base, version) else { continue };
        let lines = Lines::of(&bytes);
        for (path, other) in &lined {
            let percent = lines.common_percent(other);
            if percent >= ALIKE_PERCENT {
                scored.push((percent, leaf_path(path) == leaf_path(old), old, path));
            }
        }
    }
    scored.sort_by_key(|(percent, same_name, old, path)| {
        (std::cmp::Reverse(*percent), std::cmp::Reverse(*same_name), old.as_str(), path.as_str())
    });
    let mut found: BTreeMap<String, String> = BTreeMap::new();
    let mut taken: BTreeSet<&str> = BTreeSet::new();
    for (_, _, old, path) in scored {
        if !found.contains_key(old) && taken.insert(path) {
            found.insert(old.clone(), path.clone());
        }
    }
    found
}

/// How many bytes of each line a file has.
struct Lines {
    bytes: HashMap<Vec<u8>, usize>,
    length: usize,
}

impl Lines {
    fn of(text: &[u8]) -> Self {
        let mut bytes: HashMap<Vec<u8>, usize> = HashMap::new();
        for line in super::lines::lines(text) {
            *bytes.entry(line.to_vec()).or_default() += line.len();
        }
        Self { bytes, length: text.len() }
    }

    fn common_percent(&self, other: &Self) -> usize {
        let longest = self.length.max(other.length);
        // A file of half the length has at most half in common.
        if longest == 0 || self.length.min(other.length) * 100 < longest * ALIKE_PERCENT {
            return 0;
        }
        let common: usize =
            self.bytes.iter().filter_map(|(line, count)| Some((*count).min(*other.bytes.get(line)?))).sum();
        common * 100 / longest
    }
}
