//! What a change did, from both of its manifests: files, modules, dependencies, configuration.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::api::ApiFacts;
use super::dependencies::difference;
use super::gather::{is_lock_file, names_dependencies};
use super::still_named::{Found, StillNamed};
use super::text::read_text;
use crate::manifest::{Kind, Manifest, What};
use crate::phase::{StepError, Work};

/// How configuration is named.
const CONFIGURATION: &[&str] = &["cfg", "conf", "env", "ini", "json", "properties", "toml", "yaml", "yml"];

/// A file that stands under another path now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Moved {
    pub(super) old: String,
    pub(super) new: String,
    /// Whether it was changed as well.
    pub(super) is_changed: bool,
}

/// A file that names dependencies, with what is no longer asked for, and what is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Dependencies {
    pub(super) file: String,
    pub(super) gone: Vec<String>,
    pub(super) new: Vec<String>,
    /// Why it was not compared: what is said of one of its sides.
    pub(super) not_read: Option<String>,
}

/// Everything that a change did.
#[derive(Debug, Clone, Default)]
pub(super) struct Facts {
    /// How the candidate was made, in words of the plan.
    pub(super) made_by: Vec<String>,
    pub(super) added: Vec<String>,
    pub(super) removed: Vec<String>,
    pub(super) changed: Vec<String>,
    pub(super) moved: Vec<Moved>,
    /// What people write comes before what programs write.
    pub(super) dependencies: Vec<Dependencies>,
    pub(super) configuration: Vec<String>,
    pub(super) api: ApiFacts,
    pub(super) still_named: Found,
}

/// Where each managed path is, on one side.
pub(super) type Contents = BTreeMap<PathBuf, Option<PathBuf>>;

/// The file of a side that is at a path of the project.
pub(super) fn file_at(contents: &Contents, path: &Path) -> Option<PathBuf> {
    contents.iter().find_map(|(managed, root)| {
        let rest = path.strip_prefix(managed).ok()?;
        let root = root.as_ref()?;
        Some(if rest.as_os_str().is_empty() { root.clone() } else { root.join(rest) })
    })
}

/// Files, dependencies and configuration that differ.
pub(super) fn files(
    work: &Work<'_>,
    (old, new): (&Manifest, &Manifest),
    (old_at, new_at): (&Contents, &Contents),
) -> Result<Facts, StepError> {
    let mut facts = Facts::default();
    let is_folder = |manifest: &Manifest, path: &Path| {
        manifest.get(path).is_some_and(|entry| entry.kind == Kind::Directory)
    };
    let (mut added, mut removed) = (Vec::new(), Vec::new());
    for difference in old.differences(new) {
        let path = difference.path;
        match difference.what {
            What::Added if !is_folder(new, &path) => added.push(path),
            What::Removed if !is_folder(old, &path) => removed.push(path),
            What::Content => facts.changed.push(shown(&path)),
            _ => {}
        }
    }
    facts.moved = moved((old, &mut removed), (new, &mut added));
    facts.added = added.iter().map(|path| shown(path)).collect();
    facts.removed = removed.iter().map(|path| shown(path)).collect();
    let touched: BTreeSet<String> =
        facts.added.iter().chain(&facts.removed).chain(&facts.changed).cloned().collect();
    for path in &touched {
        let file = Path::new(path);
        if names_dependencies(file) {
            let text = |contents: &Contents| read_text(work.world(), file_at(contents, file).as_deref());
            let (before, after) = (text(old_at)?, text(new_at)?);
            let sides = [("old", before.not_read), ("new", after.not_read)];
            let mut not_read = sides.into_iter().filter_map(|(side, why)| Some((side, why?)));
            if let Some((side, why)) = not_read.next() {
                facts.dependencies.push(Dependencies {
                    file: path.clone(),
                    gone: Vec::new(),
                    new: Vec::new(),
                    not_read: Some(format!("the {side} one {why}")),
                });
                continue;
            }
            let found = difference(file, &before.text, &after.text);
            if found.is_more {
                facts.configuration.push(path.clone());
            }
            let is_silent = found.gone.is_empty() && found.new.is_empty();
            if !(found.is_more && is_silent) {
                facts.dependencies.push(Dependencies {
                    file: path.clone(),
                    gone: found.gone,
                    new: found.new,
                    not_read: None,
                });
            }
        } else if is_configuration(file) {
            facts.configuration.push(path.clone());
        }
    }
    // Stable: in the order of their paths otherwise.
    facts.dependencies.sort_by_key(|file| is_lock_file(Path::new(&file.file)));
    Ok(facts)
}

fn is_configuration(path: &Path) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    CONFIGURATION.contains(&ending.to_ascii_lowercase().as_str()) || name.starts_with(".env")
}

/// Pairs what is gone with what is new: by the same content, else by the same name, where each is the only one of it.
fn moved(
    (old, removed): (&Manifest, &mut Vec<PathBuf>),
    (new, added): (&Manifest, &mut Vec<PathBuf>),
) -> Vec<Moved> {
    let content = |manifest: &Manifest, path: &Path| match manifest.get(path).map(|entry| &entry.kind) {
        Some(Kind::File { size, hash }) if *size > 0 => Some(format!("{hash:?}")),
        _ => None,
    };
    let name = |_: &Manifest, path: &Path| {
        let name = path.file_name()?.to_string_lossy().into_owned();
        (name != "__init__.py").then_some(name)
    };
    let mut moved = Vec::new();
    for is_changed in [false, true] {
        let key = |manifest: &Manifest, path: &Path| {
            if is_changed { name(manifest, path) } else { content(manifest, path) }
        };
        let (gone, come) = (by_key(removed, |path| key(old, path)), by_key(added, |path| key(new, path)));
        for (key, from) in &gone {
            if let (Some(from), Some(to)) = (from, come.get(key).and_then(Option::as_ref)) {
                moved.push(Moved { old: shown(from), new: shown(to), is_changed });
                removed.retain(|path| path != from);
                added.retain(|path| path != to);
            }
        }
    }
    moved.sort_by(|one, other| one.old.cmp(&other.old));
    moved
}

/// Paths by a key of theirs; nothing under a key that several have.
fn by_key(paths: &[PathBuf], key: impl Fn(&Path) -> Option<String>) -> BTreeMap<String, Option<PathBuf>> {
    let mut found: BTreeMap<String, Option<PathBuf>> = BTreeMap::new();
    for path in paths {
        let Some(key) = key(path) else { continue };
        found.entry(key).and_modify(|there| *there = None).or_insert_with(|| Some(path.clone()));
    }
    found
}

fn shown(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

impl Facts {
    /// How many files were not looked at for what they say of dependencies, or for old names.
    pub(super) fn not_read(&self) -> usize {
        let dependencies = self.dependencies.iter().filter(|file| file.not_read.is_some());
        let files = dependencies.map(|file| &file.file);
        files.chain(self.still_named.not_read.iter().map(|(path, _)| path)).collect::<BTreeSet<_>>().len()
    }

    /// The document `switchback/change/1`.
    pub(super) fn to_json(&self) -> Value {
        let moved = |moved: &Moved| json!({"old": moved.old, "new": moved.new, "changed": moved.is_changed});
        let dependencies = |file: &Dependencies| json!({"file": file.file, "gone": file.gone, "new": file.new, "not_read": file.not_read});
        let not_read = |(path, why): &(String, String)| json!({"path": path, "why": why});
        let modules = |(old, new): &(String, String)| json!({"old": old, "new": new});
        let named = |named: &StillNamed| {
            let mention = &named.mention;
            json!({"path": named.path, "line": mention.line, "name": mention.name, "change": mention.change})
        };
        json!({
            "schema": "switchback/change/1",
            "made_by": self.made_by,
            "files": {
                "added": self.added, "removed": self.removed, "changed": self.changed,
                "moved": self.moved.iter().map(moved).collect::<Vec<_>>(),
            },
            "modules": self.api.modules.iter().map(modules).collect::<Vec<_>>(),
            "api": {"changes": self.api.changes, "not_compared": self.api.why_not},
            "dependencies": self.dependencies.iter().map(dependencies).collect::<Vec<_>>(),
            "configuration": self.configuration,
            "still_named": self.still_named.places.iter().map(named).collect::<Vec<_>>(),
            "still_named_more": self.still_named.more,
            "documents_not_read": self.still_named.not_read.iter().map(not_read).collect::<Vec<_>>(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::Entry;

    fn tree(files: &[(&str, &str)]) -> Manifest {
        let entry = |(path, content): &(&str, &str)| Entry {
            path: path.into(),
            kind: Kind::File {
                size: content.len() as u64,
                hash: *blake3::hash(content.as_bytes()).as_bytes(),
            },
            mode: 0o644,
            uid: 0,
            gid: 0,
            mtime_ns: 0,
            xattrs: Vec::new(),
            linked_to: None,
        };
        Manifest::from_entries(files.iter().map(entry).collect())
    }

    fn pairs(old: &[(&str, &str)], new: &[(&str, &str)]) -> Vec<(String, String, bool)> {
        let paths =
            |files: &[(&str, &str)]| files.iter().map(|(path, _)| PathBuf::from(path)).collect::<Vec<_>>();
        let (mut removed, mut added) = (paths(old), paths(new));
        let found = moved((&tree(old), &mut removed), (&tree(new), &mut added));
        found.into_iter().map(|moved| (moved.old, moved.new, moved.is_changed)).collect()
    }

    #[test]
    fn a_file_moved_where_only_one_has_its_content_or_its_name() {
        let pair = |old: &str, new: &str, is_changed| (old.to_owned(), new.to_owned(), is_changed);
        assert_eq!(pairs(&[("a/x.py", "1")], &[("b/y.py", "1")]), [pair("a/x.py", "b/y.py", false)]);
        assert_eq!(pairs(&[("a/x.py", "1")], &[("b/x.py", "2")]), [pair("a/x.py", "b/x.py", true)]);
        assert_eq!(pairs(&[("a/x.py", "1"), ("c/z.py", "1")], &[("b/y.py", "1")]), []);
        assert_eq!(pairs(&[("a/__init__.py", "1")], &[("b/__init__.py", "2")]), []);
        assert_eq!(pairs(&[("a/x.py", "")], &[("b/y.py", "")]), []);
    }
}
