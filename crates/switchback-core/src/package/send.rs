//! Sending a package (RE-8): a verified copy in another folder, which may be a mounted disk or a share, in an object store, or on a server.
//! Nothing there is written over, and what does not read back as it was sent is not left there.

use std::path::{Path, PathBuf};

use super::create::Unfinished;
use super::unusable;
use crate::manifest::to_hex;
use crate::phase::StepError;
use crate::port::Depot;
use crate::world::{Disk, FileKind, World};

/// What is sent over a network is in memory as a whole.
const SENT_BYTES_MAX: u64 = 1 << 30;

/// A package that was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// Where it is: a path, or an address.
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
    look_at_all_of(disk, file)?;
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

/// Sends a package to a place elsewhere, and reads back what is there then.
///
/// # Errors
///
/// When it is no package, or not a whole one; when the place cannot be reached, has another file of that name, or does not give back
/// what it was given.
pub fn send_elsewhere(world: &World, file: &Path, depot: &dyn Depot) -> Result<Sent, StepError> {
    let disk = world.disk.as_ref();
    look_at_all_of(disk, file)?;
    let bytes = disk.look(file)?.map_or(0, |meta| meta.size);
    if bytes > SENT_BYTES_MAX {
        let what =
            format!("the package `{}` has {bytes} bytes, too many to be sent over a network", file.display());
        return Err(StepError::not_now(what, "send it to a folder: a mounted disk, or a share"));
    }
    let Some(name) = file.file_name().and_then(|name| name.to_str()) else {
        let what = format!("the package `{}` has no name that is UTF-8", file.display());
        return Err(StepError::not_now(what, "rename it"));
    };
    let content = disk.read(file, SENT_BYTES_MAX)?;
    let hash = to_hex(blake3::hash(&content).as_bytes());
    let path = PathBuf::from(format!("{}/{name}", depot.address().trim_end_matches('/')));
    match depot.get(name)? {
        Some(there) if there == content => return Ok(Sent { path, hash, bytes, is_same: true }),
        Some(_) => {
            let what = format!("`{}` is there, and is another file", path.display());
            return Err(StepError::not_now(
                what,
                "name another place, or move that file away: nothing is written over",
            ));
        }
        None => {}
    }
    depot.put(name, &content)?;
    if depot.get(name)?.as_ref() != Some(&content) {
        depot.remove(name)?;
        let what = format!("`{}` does not read back as it was sent, and was removed there", path.display());
        return Err(StepError::not_now(what, "look at that place, then send it again"));
    }
    Ok(Sent { path, hash, bytes, is_same: false })
}

/// Reads all of a package, which must be whole.
fn look_at_all_of(disk: &dyn Disk, file: &Path) -> Result<(), StepError> {
    let mut reader = disk.open_seekable(file)?;
    let front = switchback_package::open(&mut reader).map_err(|error| unusable(file, error))?;
    let faults = switchback_package::walk(&mut reader, &front).map_err(|error| unusable(file, error))?;
    let Some(fault) = faults.first() else { return Ok(()) };
    let what = format!("the package `{}` is not whole, and is not sent: {fault}", file.display());
    Err(StepError::not_now(what, "`switchback package verify` names everything that is wrong with it"))
}

#[cfg(test)]
mod tests;
