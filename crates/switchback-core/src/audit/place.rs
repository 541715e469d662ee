//! Places outside that keep heads: notes of git, a file, a folder elsewhere. Nothing that stands there is ever altered.

use std::path::Path;

use super::format::{Head, Kept};
use crate::git::Repository;
use crate::phase::Ports;
use crate::plan::AnchorPlace;
use crate::world::DiskError;

/// The notes, beside those that people write.
const NOTES: &str = "refs/notes/switchback";
/// No file of heads is longer.
const FILE_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// The folder of the heads at a place elsewhere.
const FOLDER: &str = "heads";

/// A place, as this project reaches it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reached<'a> {
    pub(super) root: &'a Path,
    pub(super) ports: &'a Ports,
    pub(super) place: &'a AnchorPlace,
}

impl Reached<'_> {
    /// Brings a head there; it is on the disk, or confirmed, when this returns.
    ///
    /// # Errors
    ///
    /// Why it is not there, in words.
    pub(super) fn keep(&self, head: &Head) -> Result<(), String> {
        match self.place {
            AnchorPlace::GitNote => self.note(head),
            AnchorPlace::File(path) => {
                self.add(&self.root.join(path), head).map_err(|error| error.to_string())
            }
            AnchorPlace::Elsewhere(address) => {
                let depot = self.ports.vaults.depot(address).map_err(|error| error.told())?;
                // A name of its own for each head: nothing is ever written over.
                let short = head.head.get(..16).unwrap_or(&head.head);
                let name = format!("{FOLDER}/{:012}-{short}.json", head.seq);
                depot.put(&name, head.to_line().as_bytes()).map_err(|error| error.told())
            }
        }
    }

    /// What stands there.
    ///
    /// # Errors
    ///
    /// Why that cannot be told, in words.
    pub(super) fn kept(&self) -> Result<Kept, String> {
        match self.place {
            AnchorPlace::GitNote => Ok(Kept::read(&self.notes()?)),
            AnchorPlace::File(path) => {
                let disk = self.ports.world.disk.as_ref();
                let path = self.root.join(path);
                if disk.look(&path).map_err(|error| error.to_string())?.is_none() {
                    return self.folder_of(&path).map(|()| Kept::default());
                }
                let bytes = disk.read(&path, FILE_BYTES_MAX).map_err(|error| error.to_string())?;
                Ok(Kept::read(&String::from_utf8_lossy(&bytes)))
            }
            AnchorPlace::Elsewhere(address) => {
                let depot = self.ports.vaults.depot(address).map_err(|error| error.told())?;
                let mut kept = Kept::default();
                for name in depot.list(FOLDER).map_err(|error| error.told())? {
                    let Some(bytes) = depot.get(&name).map_err(|error| error.told())? else { continue };
                    let mut one = Kept::read(&String::from_utf8_lossy(&bytes));
                    kept.heads.append(&mut one.heads);
                    kept.cut_short += one.cut_short;
                    kept.strange.extend(one.strange.into_iter().map(|what| format!("`{name}`: {what}")));
                }
                Ok(kept)
            }
        }
    }

    /// A file that is not there is empty only where its folder can be looked into: a disk may be missing.
    fn folder_of(&self, path: &Path) -> Result<(), String> {
        let folder = path.parent().unwrap_or(Path::new("/"));
        match self.ports.world.disk.look(&folder.join(".")) {
            Ok(Some(_)) => Ok(()),
            Ok(None) => Err(format!("there is no folder `{}`", folder.display())),
            Err(error) => Err(error.to_string()),
        }
    }

    fn add(&self, path: &Path, head: &Head) -> Result<(), DiskError> {
        let disk = self.ports.world.disk.as_ref();
        let is_new = disk.look(path)?.is_none();
        let mut line = head.to_line();
        // A line that a crash cut short must not run into this one.
        if !is_new && disk.read(path, FILE_BYTES_MAX)?.last().is_some_and(|last| *last != b'\n') {
            line.insert(0, '\n');
        }
        disk.append(path, line.as_bytes())?;
        disk.sync_file(path)?;
        if is_new && let Some(folder) = path.parent() {
            disk.sync_directory(folder)?;
        }
        Ok(())
    }

    fn repository(&self) -> Repository<'_> {
        Repository { world: &self.ports.world, folder: self.root }
    }

    fn note(&self, head: &Head) -> Result<(), String> {
        let repository = self.repository();
        repository.prefix().map_err(|_| "the project is in no repository of git".to_owned())?;
        let commit =
            repository.commit("HEAD").map_err(|_| "there is no commit yet to put a note at".to_owned())?;
        let annotated = repository.annotate(NOTES, &commit, head.to_line().trim_end());
        annotated.map_err(|error| error.to_string())
    }

    /// The lines of all notes.
    fn notes(&self) -> Result<String, String> {
        let repository = self.repository();
        repository.prefix().map_err(|_| "the project is in no repository of git".to_owned())?;
        if repository.commit(NOTES).is_err() {
            return Ok(String::new());
        }
        // Each note is a file of the tree that the reference leads to.
        let listed = repository.ask(&["ls-tree", "-r", "--full-tree", "--name-only", NOTES]);
        if listed.map_err(|error| error.to_string())?.is_empty() {
            return Ok(String::new());
        }
        // Whatever the settings of git are, and wherever in the repository the project is: the lines, and nothing else.
        let plain = ["grep", "--no-color", "--no-line-number", "--no-column", "-h", "-I", "-F"];
        let arguments = [&plain[..], &["-e", "{\"schema\":", NOTES, "--", ":/"]].concat();
        repository.ask(&arguments).map_err(|error| error.to_string())
    }
}
