//! The copy of the input that is under way. Whoever brought the input may take it away; after a kill it is run from here.

use std::path::{Path, PathBuf};

use super::super::project::Work;
use crate::manifest::to_hex;
use crate::tree::copy::{make_directories, remove_tree};
use crate::world::DiskError;

/// The folder in the state folder. Commands write to none of it.
const FOLDER: &str = "shadow";

/// Copies an input, unless it is not what it was any more. Returns where the copy is.
pub(super) fn keep(work: &Work<'_>, path: &Path, content: &str) -> Result<Option<PathBuf>, DiskError> {
    let disk = work.world().disk.as_ref();
    let Some(name) = path.file_name() else { return Ok(None) };
    let folder = place(work, content);
    remove_tree(disk, &folder)?;
    make_directories(disk, &work.project.root, &folder)?;
    let copy = folder.join(name);
    let copied = disk.copy(path, &copy, 0o644);
    if disk.look(path)?.is_none() {
        return Ok(None);
    }
    copied?;
    Ok((to_hex(&disk.hash(&copy)?) == content).then_some(copy))
}

/// The copy of an input of that content, if it is whole.
pub(super) fn find(work: &Work<'_>, content: &str) -> Result<Option<PathBuf>, DiskError> {
    let (disk, folder) = (work.world().disk.as_ref(), place(work, content));
    if disk.look(&folder)?.is_none() {
        return Ok(None);
    }
    let Some(name) = disk.list(&folder)?.into_iter().next() else { return Ok(None) };
    let copy = folder.join(name);
    // Nothing was synced: after a power cut it may be half there.
    Ok((to_hex(&disk.hash(&copy)?) == content).then_some(copy))
}

/// Forgets the copy: what came of it is in the journal.
pub(super) fn forget(work: &Work<'_>, content: &str) -> Result<(), DiskError> {
    remove_tree(work.world().disk.as_ref(), &place(work, content))
}

/// Forgets every copy: what it was kept for does not count any more. Only one input is under way at a time, of all shadows.
pub(super) fn forget_all(work: &Work<'_>) -> Result<(), DiskError> {
    remove_tree(work.world().disk.as_ref(), &work.project.state().join(FOLDER))
}

fn place(work: &Work<'_>, content: &str) -> PathBuf {
    work.project.state().join(FOLDER).join(content)
}
