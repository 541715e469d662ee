//! The project's own files: where its root is, what is tracked, where builds go.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::problem::Problem;
use crate::program::Call;

/// A checkout of the project.
#[derive(Debug, Clone)]
pub struct Workspace {
    /// The folder that holds the workspace's `Cargo.toml`.
    pub root: PathBuf,
}

impl Workspace {
    /// Goes up from the current folder to the workspace's root.
    pub fn find() -> Result<Self, Problem> {
        let start = std::env::current_dir()
            .map_err(|source| Problem::new("could not tell the current folder", source))?;
        Self::find_from(&start)
    }

    /// Goes up from `start` to the folder whose `Cargo.toml` has a `[workspace]` table.
    pub fn find_from(start: &Path) -> Result<Self, Problem> {
        start
            .ancestors()
            .find(|folder| {
                // A folder without a readable manifest is simply not the root.
                std::fs::read_to_string(folder.join("Cargo.toml"))
                    .is_ok_and(|manifest| manifest.lines().any(|line| line == "[workspace]"))
            })
            .map(|root| Self { root: root.to_owned() })
            .ok_or_else(|| {
                Problem::at("find the workspace above", start, "no `Cargo.toml` with `[workspace]`")
                    .hint("run this inside the project")
            })
    }

    /// A call of the same `cargo` that started this chore, at the root.
    pub fn cargo(&self, arguments: &[&str]) -> Call {
        // Cargo sets CARGO for what it runs; started by hand, the one on PATH is right.
        let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
        Call::new(&cargo, arguments).within(&self.root)
    }

    /// The folder in which cargo builds.
    pub fn target_directory(&self) -> Result<PathBuf, Problem> {
        let doing = "could not tell the target directory";
        let output = self.cargo(&["metadata", "--no-deps", "--format-version", "1"]).output()?;
        let metadata: serde_json::Value =
            serde_json::from_str(&output).map_err(|source| Problem::new(doing, source))?;
        metadata["target_directory"]
            .as_str()
            .map(PathBuf::from)
            .ok_or_else(|| Problem::new(doing, "`cargo metadata` has no `target_directory`"))
    }

    /// Every tracked or not yet added file that is not ignored, relative to the root, sorted. Deleted ones are
    /// left out.
    pub fn files(&self) -> Result<Vec<String>, Problem> {
        let listed = Call::new("git", &["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
            .within(&self.root)
            .output()?;
        let mut files: Vec<String> = listed
            .split('\0')
            .filter(|path| !path.is_empty() && self.root.join(path).is_file())
            .map(str::to_owned)
            .collect();
        files.sort();
        files.dedup();
        if files.is_empty() {
            return Err(Problem::at("list the files of", &self.root, "git knows of no file there"));
        }
        Ok(files)
    }

    /// When the newest of the given files was last written.
    pub fn newest_change(&self, files: &[String]) -> Result<SystemTime, Problem> {
        let mut newest = SystemTime::UNIX_EPOCH;
        for file in files {
            newest = newest.max(modified(&self.root.join(file))?);
        }
        Ok(newest)
    }
}

/// When a file was last written.
pub fn modified(path: &Path) -> Result<SystemTime, Problem> {
    std::fs::metadata(path)
        .and_then(|metadata| metadata.modified())
        .map_err(|source| Problem::at("tell the age of", path, source))
}

/// The text of a file.
pub fn read_text(path: &Path) -> Result<String, Problem> {
    std::fs::read_to_string(path).map_err(|source| Problem::at("read", path, source))
}

/// Writes a file whole, and the folders above it.
pub fn write_text(path: &Path, text: &str) -> Result<(), Problem> {
    let written = match path.parent() {
        Some(folder) => std::fs::create_dir_all(folder).and_then(|()| std::fs::write(path, text)),
        None => std::fs::write(path, text),
    };
    written.map_err(|source| Problem::at("write", path, source))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_is_found_from_below() {
        let workspace = Workspace::find().unwrap();
        assert!(workspace.root.join("xtask/src/workspace.rs").is_file());
        assert!(workspace.files().unwrap().contains(&"xtask/src/workspace.rs".to_owned()));
    }

    #[test]
    fn outside_of_a_workspace_it_says_so() {
        let empty = tempfile::tempdir().unwrap();
        let shown = Workspace::find_from(empty.path()).unwrap_err().to_string();
        assert!(shown.contains("no `Cargo.toml` with `[workspace]`"), "{shown}");
    }
}
