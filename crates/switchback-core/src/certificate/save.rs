//! A certificate as a file: the whole of it, or what was there before. Only an earlier certificate is written over.

use std::path::{Path, PathBuf};

use super::verify::{CERTIFICATE_BYTES_MAX, payload};
use crate::phase::StepError;
use crate::port::Signatures;
use crate::world::{Disk, DiskError, World};

/// Writes a certificate to `path`.
///
/// # Errors
///
/// When something else stands there, and when the disk says no; what was there before is untouched then.
pub fn save(world: &World, text: &str, path: &Path, signatures: &dyn Signatures) -> Result<(), StepError> {
    let disk = world.disk.as_ref();
    if disk.look(path)?.is_some() && !is_certificate(disk, path, signatures) {
        return Err(StepError::not_now(
            format!("`{}` is there, and is no certificate", path.display()),
            "name another file, or move that one away",
        ));
    }
    let folder = path.parent().map_or_else(|| PathBuf::from("/"), Path::to_owned);
    let unfinished = folder.join(format!(".switchback-certificate-{}", world.surroundings.process_id()));
    if let Err(error) = publish(disk, text, &folder, &unfinished, path) {
        // What was begun is of no use; that it cannot be removed either is not what the person must hear of.
        drop(disk.remove_file(&unfinished));
        return Err(error.into());
    }
    Ok(())
}

fn is_certificate(disk: &dyn Disk, path: &Path, signatures: &dyn Signatures) -> bool {
    let read = disk.read(path, CERTIFICATE_BYTES_MAX).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    read.is_some_and(|text| payload(&text, signatures).is_ok())
}

fn publish(
    disk: &dyn Disk,
    text: &str,
    folder: &Path,
    unfinished: &Path,
    path: &Path,
) -> Result<(), DiskError> {
    if disk.look(unfinished)?.is_some() {
        disk.remove_file(unfinished)?;
    }
    disk.write_new(unfinished, 0o644, &mut text.as_bytes())?;
    disk.sync_file(unfinished)?;
    disk.rename_over(unfinished, path)?;
    disk.sync_directory(folder)
}
