//! What a copy has to hold after an undo: what went back as it was before the phase, all else as the phase made it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::ground::{few, named_content};
use crate::manifest::{Entry, Kind, Manifest, What};

/// What is meant to stand in the managed paths after an undo.
#[derive(Debug)]
pub(super) enum Meant {
    /// Exactly this.
    Tree(Manifest),
    /// The tree of the phase, in which some files were put back.
    Files {
        /// What the phase made.
        new: Manifest,
        /// What was there before it.
        old: Manifest,
        /// Files and links that are as they were before it.
        restored: BTreeSet<PathBuf>,
        /// Files and links that were built anew without a change of the phase: nobody can say beforehand what is in them.
        rebuilt: BTreeSet<PathBuf>,
    },
}

impl Meant {
    /// Some trees (`back`) as they were before the phase, and the rest as it made it.
    pub(super) fn exchanged(old: &Manifest, new: &Manifest, is_back: impl Fn(&Path) -> bool) -> Self {
        let back = old.entries.iter().filter(|entry| is_back(&entry.path));
        let rest = new.entries.iter().filter(|entry| !is_back(&entry.path));
        Self::Tree(Manifest::from_entries(back.chain(rest).cloned().collect()))
    }

    /// What is there and not meant, or meant and not there, in words; `None` when it is all as it was meant.
    pub(super) fn named_differences(&self, found: &Manifest) -> Option<String> {
        match self {
            Self::Tree(meant) => named_content(meant, found),
            Self::Files { new, old, restored, rebuilt } => {
                let is_back = |path: &Path| restored.contains(path);
                let is_told = |entry: &&Entry| !is_folder(entry) && !rebuilt.contains(&entry.path);
                let old_files = old.entries.iter().filter(is_told).filter(|entry| is_back(&entry.path));
                let new_files = new.entries.iter().filter(is_told).filter(|entry| !is_back(&entry.path));
                let meant = Manifest::from_entries(old_files.chain(new_files).cloned().collect());
                let there = found.entries.iter().filter(is_told).cloned().collect();
                // A file that is written anew is a file of its own: it is linked to nothing.
                let mut named: Vec<String> = meant
                    .differences(&Manifest { entries: there })
                    .into_iter()
                    .filter(|difference| difference.what != What::Links)
                    .map(|difference| format!("`{}` ({})", difference.path.display(), difference.what.word()))
                    .collect();
                let touched: Vec<&Path> = restored.iter().chain(rebuilt).map(PathBuf::as_path).collect();
                named.extend(folders(new, old, &touched, found));
                few(&named)
            }
        }
    }
}

fn is_folder(entry: &Entry) -> bool {
    entry.kind == Kind::Directory
}

/// Folders that are not as they have to be. One that something was put into or taken out of has another time, one in which
/// nothing is left goes, and one that is needed again is as it was before the phase.
fn folders(new: &Manifest, old: &Manifest, touched: &[&Path], found: &Manifest) -> Vec<String> {
    let is_above_touched = |folder: &Path| touched.iter().any(|path| path.starts_with(folder));
    let is_needed =
        |folder: &Path| found.entries.iter().any(|entry| !is_folder(entry) && entry.path.starts_with(folder));
    let dressed = |entry: &Entry| (entry.mode, entry.uid, entry.gid, entry.xattrs.clone());
    let get = |tree: &Manifest, path: &Path| tree.get(path).filter(|entry| is_folder(entry)).cloned();
    let paths: BTreeSet<&Path> = [new, found]
        .iter()
        .flat_map(|tree| &tree.entries)
        .filter(|one| is_folder(one))
        .map(|one| one.path.as_path())
        .collect();
    let mut named = Vec::new();
    for path in paths {
        let is_touched = is_above_touched(path);
        let what = match (get(new, path), get(found, path)) {
            (Some(meant), Some(there)) => {
                if dressed(&meant) != dressed(&there) {
                    Some("mode, owner or attributes")
                } else if !is_touched && meant.mtime_ns != there.mtime_ns {
                    Some("time")
                } else {
                    None
                }
            }
            (Some(_), None) => (!is_touched || is_needed(path)).then_some("removed"),
            (None, Some(there)) => match get(old, path).filter(|_| is_touched && is_needed(path)) {
                Some(before) => (dressed(&before) != dressed(&there)).then_some("mode, owner or attributes"),
                None => Some("added"),
            },
            (None, None) => None,
        };
        named.extend(what.map(|what| format!("`{}` ({what})", path.display())));
    }
    named
}

/// What checks did to managed paths, between two looks.
#[derive(Debug, Default)]
pub(super) struct Trace {
    /// What they added, which harms nobody.
    added: BTreeSet<PathBuf>,
    /// What they changed or took away, in words.
    pub(super) altered: Vec<String>,
}

impl Trace {
    /// Between these two states of the managed paths.
    pub(super) fn between(then: &Manifest, now: &Manifest) -> Self {
        let mut trace = Self::default();
        for difference in then.differences(now) {
            let is_folder = now.get(&difference.path).is_some_and(is_folder);
            match difference.what {
                What::Added => {
                    trace.added.insert(difference.path);
                }
                // A folder's time changes with what is in it, which is named itself.
                What::Time if is_folder => {}
                What::Links => {}
                what => trace.altered.push(format!("`{}` ({})", difference.path.display(), what.word())),
            }
        }
        trace
    }

    /// What is different between two states beside what checks added, in words; `None` when nothing is.
    pub(super) fn named_beside(&self, then: &Manifest, now: &Manifest) -> Option<String> {
        let is_above = |path: &Path| self.added.iter().any(|added| added.starts_with(path));
        let named: Vec<String> = then
            .differences(now)
            .into_iter()
            .filter(|difference| match difference.what {
                What::Links => false,
                What::Added => !self.added.contains(&difference.path),
                What::Time => !is_above(&difference.path),
                _ => true,
            })
            .map(|difference| format!("`{}` ({})", difference.path.display(), difference.what.word()))
            .collect();
        few(&named)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(path: &str, size: Option<u64>, mtime_ns: i128) -> Entry {
        let kind = size.map_or(Kind::Directory, |size| Kind::File { size, hash: [0; 32] });
        let (mode, uid, gid, xattrs, linked_to) = (0o644, 0, 0, Vec::new(), None);
        Entry { path: path.into(), kind, mode, uid, gid, mtime_ns, xattrs, linked_to }
    }

    fn tree(entries: &[(&str, Option<u64>, i128)]) -> Manifest {
        Manifest::from_entries(entries.iter().map(|&(path, size, time)| entry(path, size, time)).collect())
    }

    /// A file changed, one that stayed, one that the phase added in a folder of its own, one that it removed with its folder.
    fn sides() -> (Manifest, Manifest) {
        let old = tree(&[
            ("a", None, 1),
            ("a/changed", Some(1), 1),
            ("a/stays", Some(9), 1),
            ("a/was", None, 1),
            ("a/was/gone", Some(5), 1),
        ]);
        let new = tree(&[
            ("a", None, 2),
            ("a/added", None, 2),
            ("a/added/file", Some(3), 2),
            ("a/changed", Some(2), 2),
            ("a/stays", Some(9), 1),
        ]);
        (old, new)
    }

    fn named(restored: &[&str], found: &[(&str, Option<u64>, i128)]) -> Option<String> {
        let (old, new) = sides();
        let restored = restored.iter().map(PathBuf::from).collect();
        Meant::Files { new, old, restored, rebuilt: BTreeSet::new() }.named_differences(&tree(found))
    }

    #[test]
    fn what_went_back_is_as_it_was_and_all_else_as_the_phase_made_it() {
        let all = ["a/changed", "a/added/file", "a/was/gone"];
        let good = [
            ("a", None, 7),
            ("a/changed", Some(1), 1),
            ("a/stays", Some(9), 1),
            ("a/was", None, 7),
            ("a/was/gone", Some(5), 1),
        ];
        assert_eq!(named(&all, &good), None);
        // One file of it was not put back.
        let mut bad = good;
        bad[1] = ("a/changed", Some(2), 2);
        assert_eq!(named(&all, &bad), Some("`a/changed` (content)".into()));
        // It has another time, or another file was touched.
        bad[1] = ("a/changed", Some(1), 2);
        bad[2] = ("a/stays", Some(8), 1);
        assert_eq!(named(&all, &bad), Some("`a/changed` (time), `a/stays` (content)".into()));
        assert_eq!(named(&all, &good[..4]), Some("`a/was/gone` (removed), `a/was` (added)".into()));
    }

    #[test]
    fn folders_that_nothing_was_put_into_stay_as_they_are() {
        let found = [
            ("a", None, 3),
            ("a/added", None, 2),
            ("a/added/file", Some(3), 2),
            ("a/changed", Some(1), 1),
            ("a/stays", Some(9), 1),
        ];
        assert_eq!(named(&["a/changed"], &found), None);
        let mut bad = found;
        bad[1] = ("a/added", None, 3);
        assert_eq!(named(&["a/changed"], &bad), Some("`a/added` (time)".into()));
        assert_eq!(
            named(&["a/added/file"], &[found[0], found[1], found[3], found[4]]).unwrap(),
            "`a/changed` (content)"
        );
    }

    #[test]
    fn what_checks_add_is_told_from_what_they_alter() {
        let (old, _) = sides();
        let mut more = old.clone();
        more.entries.push(entry("a/cache", None, 9));
        more.entries[0].mtime_ns = 9;
        let more = Manifest::from_entries(more.entries);
        let trace = Trace::between(&old, &more);
        assert!(trace.altered.is_empty());
        assert_eq!(trace.named_beside(&old, &more), None);
        let mut altered = more.clone();
        altered.entries[2] = entry("a/changed", Some(7), 1);
        assert_eq!(Trace::between(&old, &altered).altered, ["`a/changed` (content)"]);
        assert_eq!(trace.named_beside(&old, &altered), Some("`a/changed` (content)".into()));
    }
}
