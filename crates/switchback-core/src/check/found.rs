//! Where the files are that the keys of a check name, in a tree whose paths may be links: through the pointer, or into the project that
//! a copy was made of.

use std::path::{Path, PathBuf};

use crate::world::{Disk, FileKind, Meta};

/// Links that lead to links are followed so far, as Linux does.
const LINKS_MAX: usize = 40;
/// More folders than that are a path that was not meant.
const FOLDERS_MAX: usize = 1_000_000;
/// What a candidate or a parked tree beside its managed path has in its name.
const SIBLING: &str = ".sb-";

/// What is really at a path, links followed; `None` when there is nothing.
pub(crate) fn settle(disk: &dyn Disk, path: &Path) -> Result<Option<(PathBuf, Meta)>, String> {
    let mut path = path.to_owned();
    for _ in 0..LINKS_MAX {
        match disk.look(&path).map_err(|error| error.to_string())? {
            Some(meta) if meta.kind == FileKind::Symlink => {
                let target = disk.read_link(&path).map_err(|error| error.to_string())?;
                path = path.parent().unwrap_or(Path::new("")).join(target);
            }
            Some(meta) => return Ok(Some((path, meta))),
            None => return Ok(None),
        }
    }
    Err(format!("the links at `{}` lead in a circle", path.display()))
}

/// Whether a name is that of a candidate or a parked tree.
pub(crate) fn is_sibling(name: &str) -> bool {
    name.starts_with('.') && name.contains(SIBLING)
}

/// A file that was found.
#[derive(Debug, Clone)]
pub struct Found {
    /// As it is named: relative to the tree, links as they stand.
    pub path: PathBuf,
    /// Where it really is.
    pub real: PathBuf,
    /// What is known of it.
    pub meta: Meta,
}

/// How files are looked for.
#[derive(Clone, Copy)]
pub(crate) struct Search<'a> {
    pub(crate) disk: &'a dyn Disk,
    pub(crate) tree: &'a Path,
    /// Whether a folder is looked into.
    pub(crate) enters: &'a dyn Fn(&Path) -> bool,
    /// Whether a file is meant.
    pub(crate) means: &'a dyn Fn(&Path) -> bool,
    /// Folders within folders.
    pub(crate) depth_max: usize,
    /// More files than that are a pattern that was not meant.
    pub(crate) files_max: usize,
}

/// What a search came to.
#[derive(Debug, Default)]
pub(crate) struct Searched {
    /// The files, by path.
    pub(crate) files: Vec<Found>,
    /// Folders that are too deep to be looked into.
    pub(crate) deep: Vec<PathBuf>,
}

impl Search<'_> {
    /// Every file at or below a path of the tree that is meant. The path itself may be a link. Below it, links are followed where
    /// they are the tree's own layout: they lead to the same path somewhere else. Any other link is a name for what has one.
    pub(crate) fn below(&self, start: &Path) -> Result<Searched, String> {
        let mut found = Searched::default();
        let Some((real, meta)) = settle(self.disk, &joined(self.tree, start))? else { return Ok(found) };
        let mut waiting = vec![(start.to_owned(), real, meta, 0)];
        let mut folders = 0;
        while let Some((path, real, meta, depth)) = waiting.pop() {
            match meta.kind {
                FileKind::File if (self.means)(&path) => found.files.push(Found { path, real, meta }),
                FileKind::Directory if !(self.enters)(&path) => {}
                FileKind::Directory if depth > self.depth_max => found.deep.push(path),
                FileKind::Directory => {
                    folders += 1;
                    for name in self.disk.list(&real).map_err(|error| error.to_string())? {
                        if is_sibling(&name.to_string_lossy()) {
                            continue;
                        }
                        let inside = self.entry(path.join(&name), real.join(&name))?;
                        waiting.extend(inside.map(|(path, real, meta)| (path, real, meta, depth + 1)));
                    }
                }
                _ => {}
            }
            if found.files.len() > self.files_max || folders > FOLDERS_MAX {
                let most = self.files_max;
                return Err(format!(
                    "more than {most} files are meant, or far too many folders looked through"
                ));
            }
        }
        found.files.sort_by(|one, other| one.path.cmp(&other.path));
        found.deep.sort();
        Ok(found)
    }

    /// What is at a place, links of the layout followed.
    fn entry(&self, path: PathBuf, real: PathBuf) -> Result<Option<(PathBuf, PathBuf, Meta)>, String> {
        let told = |error: crate::world::DiskError| error.to_string();
        let Some(meta) = self.disk.look(&real).map_err(told)? else { return Ok(None) };
        if meta.kind != FileKind::Symlink {
            return Ok(Some((path, real, meta)));
        }
        if !self.disk.read_link(&real).map_err(told)?.ends_with(&path) {
            return Ok(None);
        }
        Ok(settle(self.disk, &real)?.map(|(real, meta)| (path, real, meta)))
    }
}

/// A path of a tree; the tree itself for the empty one.
fn joined(tree: &Path, path: &Path) -> PathBuf {
    if path.as_os_str().is_empty() { tree.to_owned() } else { tree.join(path) }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a test lays out files directly")]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::world::RealDisk;

    fn names(tree: &Path, start: &str, depth_max: usize) -> (Vec<String>, Vec<String>) {
        let search = Search {
            disk: &RealDisk,
            tree,
            enters: &|path| !path.ends_with("foreign"),
            means: &|path| path.extension().is_some_and(|ending| ending == "py"),
            depth_max,
            files_max: 100,
        };
        let found = search.below(Path::new(start)).unwrap();
        let text = |path: &PathBuf| path.to_string_lossy().into_owned();
        for file in &found.files {
            assert_eq!(file.meta.kind, FileKind::File);
            assert!(!fs::symlink_metadata(&file.real).unwrap().is_symlink());
        }
        (found.files.iter().map(|file| text(&file.path)).collect(), found.deep.iter().map(text).collect())
    }

    #[test]
    fn links_of_the_layout_are_followed_and_no_others() {
        let folder = tempfile::tempdir().unwrap();
        let tree = folder.path();
        for path in
            ["state/tree/src/a.py", "state/tree/src/in/b.py", "foreign/no.py", ".src.sb-t1/no.py", "c.txt"]
        {
            fs::create_dir_all(tree.join(path).parent().unwrap()).unwrap();
            fs::write(tree.join(path), "").unwrap();
        }
        fs::create_dir(tree.join("project")).unwrap();
        symlink("../state/tree/src", tree.join("project/src")).unwrap();
        symlink("src/a.py", tree.join("project/other.py")).unwrap();
        symlink("nowhere/gone.py", tree.join("project/gone.py")).unwrap();
        symlink("around/src", tree.join("project/around")).unwrap();
        let project = tree.join("project");
        let (files, none) = (["src/a.py", "src/in/b.py"], Vec::<String>::new());
        assert_eq!(names(&project, "", 9), (files.map(str::to_owned).to_vec(), none.clone()));
        // What is named itself is followed wherever it leads.
        assert_eq!(names(&project, "other.py", 9), (vec!["other.py".to_owned()], none.clone()));
        assert_eq!(names(&project, "gone.py", 9), (none.clone(), none.clone()));
        assert_eq!(names(&project, "", 1), (vec!["src/a.py".to_owned()], vec!["src/in".to_owned()]));
        // Candidates and parked trees are nobody's files.
        assert_eq!(names(tree, "", 0).0, none);
        symlink("two", tree.join("one")).unwrap();
        symlink("one", tree.join("two")).unwrap();
        assert!(settle(&RealDisk, &tree.join("one")).unwrap_err().contains("lead in a circle"));
    }
}
