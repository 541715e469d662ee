//! Sending a package (RE-8): a verified copy in another folder, which may be a mounted disk or a share, in an object store, or on a server.
//! Nothing there is written over, and what does not read back as it was sent is not left there.

use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use super::create::Unfinished;
use super::unusable;
use crate::manifest::to_hex;
use crate::phase::StepError;
use crate::port::{Depot, Parts, PortError};
use crate::world::{Disk, FileKind, World};

/// A place of S3 takes a file in 10,000 parts at most; one of that many parts is sent in larger ones.
const SENT_BYTES_MAX: u64 = 1 << 40;
/// So much of what is there is read back at a time.
const PART_BYTES: u64 = 8 << 20;

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
    let hash = to_hex(&disk.hash(file)?);
    let path = PathBuf::from(format!("{}/{name}", depot.address().trim_end_matches('/')));
    match depot.size(name)? {
        Some(there) if there == bytes && hash_there(depot, name, bytes)? == hash => {
            return Ok(Sent { path, hash, bytes, is_same: true });
        }
        Some(_) => {
            let what = format!("`{}` is there, and is another file", path.display());
            return Err(StepError::not_now(
                what,
                "name another place, or move that file away: nothing is written over",
            ));
        }
        None => {}
    }
    if let Err(error) = depot.put_parts(name, &Local { disk, file, bytes }) {
        // What was said may be about a file that is there all the same: as a whole, or as something else that nobody sent.
        return match is_there(depot, name, bytes, &hash) {
            Ok(true) => Ok(Sent { path, hash, bytes, is_same: false }),
            Ok(false) => {
                // That it cannot be removed either is not what the person must hear of.
                drop(depot.remove(name));
                Err(error.into())
            }
            Err(_) => Err(error.into()),
        };
    }
    if !is_there(depot, name, bytes, &hash)? {
        depot.remove(name)?;
        let what = format!("`{}` does not read back as it was sent, and was removed there", path.display());
        return Err(StepError::not_now(what, "look at that place, then send it again"));
    }
    Ok(Sent { path, hash, bytes, is_same: false })
}

/// Whether a place has a file, to the byte.
fn is_there(depot: &dyn Depot, name: &str, bytes: u64, hash: &str) -> Result<bool, StepError> {
    Ok(depot.size(name)? == Some(bytes) && hash_there(depot, name, bytes)? == hash)
}

/// The hash of what a place has, read part by part.
fn hash_there(depot: &dyn Depot, name: &str, bytes: u64) -> Result<String, StepError> {
    let mut hasher = blake3::Hasher::new();
    let mut at = 0;
    while at < bytes {
        let part = depot.get_part(name, at, PART_BYTES.min(bytes - at))?;
        if part.is_empty() {
            break;
        }
        hasher.update(&part);
        at += part.len() as u64;
    }
    Ok(to_hex(hasher.finalize().as_bytes()))
}

/// A file on the disk, to be read part by part.
struct Local<'a> {
    disk: &'a dyn Disk,
    file: &'a Path,
    bytes: u64,
}

impl std::fmt::Debug for Local<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Local({})", self.file.display())
    }
}

impl Parts for Local<'_> {
    fn bytes(&self) -> u64 {
        self.bytes
    }

    fn part(&self, at: u64, bytes: u64) -> Result<Vec<u8>, PortError> {
        let unread =
            |why: String| PortError::new(format!("could not read `{}`", self.file.display()), vec![why]);
        let mut open = self.disk.open_seekable(self.file).map_err(|error| unread(error.to_string()))?;
        let mut part = Vec::new();
        open.seek(SeekFrom::Start(at))
            .and_then(|_| open.take(bytes).read_to_end(&mut part))
            .map_err(|error| unread(error.to_string()))?;
        if part.len() as u64 == bytes {
            return Ok(part);
        }
        Err(unread("it became shorter while it was sent".to_owned()))
    }
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
