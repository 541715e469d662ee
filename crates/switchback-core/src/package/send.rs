//! Sending a package (RE-8): a verified copy in another folder, which may be a mounted disk or a share. Nothing there is written over.

use std::path::{Path, PathBuf};

use super::create::Unfinished;
use super::unusable;
use crate::manifest::to_hex;
use crate::phase::StepError;
use crate::world::{FileKind, World};

/// A package that was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// Where it is.
    pub path: PathBuf,
    /// BLAKE3 of the file.
    pub hash: String,
    /// How many bytes it has.
    pub bytes: u64,
    /// Whether it was there already, to the byte.
    pub is_same: bool,
}

/// Copies a package into a folder, and reads the copy back. Both paths are absolute.
///
/// # Errors
///
/// When it is no package, or not a whole one; when there is no such folder, or another file stands there.
pub fn send(world: &World, file: &Path, folder: &Path) -> Result<Sent, StepError> {
    let disk = world.disk.as_ref();
    let mut reader = disk.open_seekable(file)?;
    let front = switchback_package::open(&mut reader).map_err(|error| unusable(file, error))?;
    let faults = switchback_package::walk(&mut reader, &front).map_err(|error| unusable(file, error))?;
    if let Some(fault) = faults.first() {
        let what = format!("the package `{}` is not whole, and is not sent: {fault}", file.display());
        return Err(StepError::not_now(
            what,
            "`switchback package verify` names everything that is wrong with it",
        ));
    }
    // Through a link that leads to one as well.
    if !disk.look(&folder.join("."))?.is_some_and(|meta| meta.kind == FileKind::Directory) {
        let what = format!("there is no folder `{}`", folder.display());
        return Err(StepError::not_now(
            what,
            "make it, or mount what it is on: packages are sent to folders",
        ));
    }
    let name = file.file_name().unwrap_or_default();
    let path = folder.join(name);
    let hash = to_hex(&disk.hash(file)?);
    let unfinished = Unfinished::write(world, &path, &mut disk.open(file)?)?;
    if unfinished.hash()? != hash {
        let what = format!("the copy in `{}` is not what was copied", folder.display());
        return Err(StepError::not_now(what, "look at that disk, then send it again"));
    }
    let bytes = disk.look(unfinished.path())?.map_or(0, |meta| meta.size);
    let is_same = unfinished.is_there(&path, &hash)?;
    if !is_same {
        unfinished.publish(&path)?;
    }
    Ok(Sent { path, hash, bytes, is_same })
}
