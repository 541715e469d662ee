//! Who has a file of the live tree open for writing: where paths are replaced file by file, what is written there afterwards
//! goes into a file that nobody finds any more.

use std::path::{Path, PathBuf};

use super::project::Work;
use crate::tree::exchange::{Participant, Way};
use crate::world::Disk;

const TABLE: &str = "/proc";
const SMALL_BYTES_MAX: u64 = 64 * 1024;
/// The bits of the flags of an open file that say whether it can be written (`O_ACCMODE`, open(2)).
const ACCESS_MODE: u32 = 0o3;

/// The processes that have a file below one of the paths that are replaced file by file open for writing, in words. Whoever may
/// not be looked at is left out: this finds what it can, and promises nothing of what it cannot see.
pub(super) fn writers(work: &Work<'_>, participants: &[Participant]) -> Vec<String> {
    let root = &work.project.root;
    let replaced: Vec<PathBuf> = participants
        .iter()
        .filter(|participant| matches!(participant, Participant::Path { way: Way::FileByFile, .. }))
        .map(|participant| root.join(participant.live()))
        .collect();
    if replaced.is_empty() {
        return Vec::new();
    }
    let disk = work.world().disk.as_ref();
    let own = work.world().surroundings.process_id().to_string();
    let mut found = Vec::new();
    for name in disk.list(Path::new(TABLE)).unwrap_or_default() {
        let is_process = name.to_str().is_some_and(|name| name != own && name.parse::<u32>().is_ok());
        if is_process && let Some(path) = written(disk, &Path::new(TABLE).join(&name), &replaced) {
            found.push(format!("process {} has `{}` open for writing", name.display(), path.display()));
        }
    }
    found
}

/// The first file below one of the paths that the process in `folder` has open for writing.
fn written(disk: &dyn Disk, folder: &Path, replaced: &[PathBuf]) -> Option<PathBuf> {
    let open = folder.join("fd");
    disk.list(&open).ok()?.into_iter().find_map(|name| {
        let path = disk.read_link(&open.join(&name)).ok()?;
        let is_inside = replaced.iter().any(|replaced| path.starts_with(replaced));
        (is_inside && is_writable(disk, &folder.join("fdinfo").join(&name))?).then_some(path)
    })
}

/// Whether an open file can be written: its flags, in octal (proc(5), `/proc/pid/fdinfo`).
fn is_writable(disk: &dyn Disk, info: &Path) -> Option<bool> {
    let text = disk.read(info, SMALL_BYTES_MAX).ok()?;
    let text = String::from_utf8_lossy(&text).into_owned();
    let flags = text.lines().find_map(|line| line.strip_prefix("flags:"))?;
    Some(u32::from_str_radix(flags.trim(), 8).ok()? & ACCESS_MODE != 0)
}
