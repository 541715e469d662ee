//! The directories of a tree, and what is in each: the way from a list in path order to listings, and back.

use std::path::{Path, PathBuf};

/// One directory. What lies above the saved paths has no entry: it is only the way there.
#[derive(Debug)]
pub(crate) struct Folder {
    pub(crate) path: PathBuf,
    /// The number of its entry.
    pub(crate) entry: Option<usize>,
    pub(crate) depth: usize,
    /// In the order of their names.
    pub(crate) children: Vec<Child>,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Child {
    /// An entry that is no directory, by number.
    Entry(usize),
    /// A directory, by number.
    Folder(usize),
}

/// The directories of entries that are in path order, parents before children; the first one is the topmost. Of each entry
/// there is the path, and whether it is a directory.
pub(crate) fn folders<'a>(entries: impl Iterator<Item = (&'a Path, bool)>) -> Vec<Folder> {
    let topmost = Folder { path: PathBuf::new(), entry: None, depth: 0, children: Vec::new() };
    let mut folders = vec![topmost];
    let mut open = vec![0];
    // The root of a snapshot has no entry of its own in the format; the manifest keeps it.
    for (at, (path, is_directory)) in
        entries.enumerate().filter(|(_, (path, _))| !path.as_os_str().is_empty())
    {
        while open.len() > 1 && !path.starts_with(&folders[open[open.len() - 1]].path) {
            open.pop();
        }
        let mut missing: Vec<&Path> = path
            .ancestors()
            .skip(usize::from(!is_directory))
            .take_while(|path| *path != folders[open[open.len() - 1]].path)
            .collect();
        missing.reverse();
        for step in missing {
            let (above, below) = (open[open.len() - 1], folders.len());
            let own = (step == path).then_some(at);
            folders.push(Folder {
                path: step.to_owned(),
                entry: own,
                depth: open.len(),
                children: Vec::new(),
            });
            folders[above].children.push(Child::Folder(below));
            open.push(below);
        }
        if !is_directory {
            folders[open[open.len() - 1]].children.push(Child::Entry(at));
        }
    }
    folders
}

/// The numbers of the directories, level by level from the topmost on.
pub(crate) fn waves(folders: &[Folder]) -> Vec<Vec<usize>> {
    let mut waves: Vec<Vec<usize>> = Vec::new();
    for (at, folder) in folders.iter().enumerate() {
        if waves.len() <= folder.depth {
            waves.resize_with(folder.depth + 1, Vec::new);
        }
        waves[folder.depth].push(at);
    }
    waves
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directories_stand_under_each_other_and_ways_have_no_entry() {
        let entries =
            [("a/b/c", true), ("a/b/c/d", false), ("a/b/c/e", true), ("a/b.x", false), ("a.y", true)];
        let found = folders(entries.iter().map(|(path, is_directory)| (Path::new(path), *is_directory)));
        let shown: Vec<String> = found
            .iter()
            .map(|folder| {
                let children = folder.children.iter().map(|child| match *child {
                    Child::Entry(at) => entries[at].0.to_owned(),
                    Child::Folder(at) => format!("{}/", found[at].path.display()),
                });
                let own = if folder.entry.is_some() { "" } else { " (way)" };
                let children = children.collect::<Vec<_>>().join(" ");
                format!("{} {}{own}: {children}", folder.depth, folder.path.display())
            })
            .collect();
        assert_eq!(
            shown,
            [
                "0  (way): a/ a.y/",
                "1 a (way): a/b/ a/b.x",
                "2 a/b (way): a/b/c/",
                "3 a/b/c: a/b/c/d a/b/c/e/",
                "4 a/b/c/e: ",
                "1 a.y: "
            ]
        );
    }
    #[test]
    fn waves_are_levels_of_depth() {
        let entries = ["a", "a/b", "a/b/c", "d"].map(|path| (Path::new(path), true));
        assert_eq!(waves(&folders(entries.into_iter())), [vec![0], vec![1, 4], vec![2], vec![3]]);
    }
}
