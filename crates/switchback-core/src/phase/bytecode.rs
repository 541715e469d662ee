//! Stale bytecode: what Python would run in the candidate although it was compiled from the old source.
//!
//! Python trusts a file in `__pycache__` whose header has the time (in whole seconds) and the size of the source beside
//! it. A candidate that was made from a copy of the live tree has the caches of the live tree, and a source may be
//! changed without another size or another second.

use std::io::Read;
use std::path::{Path, PathBuf};

use super::error::StepError;
use super::project::Work;
use crate::tree::copy::keeping_time;
use crate::tree::walk;
use crate::world::{Disk, DiskError, FileKind, Meta};

/// Magic number, flags, time, size: PEP 552.
const HEADER_BYTES: u64 = 16;
/// The header has a digest of the source instead of time and size.
const FLAG_HASHED: u32 = 1;
/// The digest is looked at.
const FLAG_CHECKED: u32 = 2;

/// Removes from the candidate in `tree` the caches of live sources that are others there, where Python would take them.
/// `base` holds the live managed paths. Returns how many files were removed.
pub(super) fn drop_stale(work: &Work<'_>, base: &Path, tree: &Path) -> Result<u64, StepError> {
    let disk = work.world().disk.as_ref();
    let mut dropped = 0;
    for managed in &work.plan().project.managed {
        if disk.look(&tree.join(&managed.path))?.is_none() || disk.look(&base.join(&managed.path))?.is_none()
        {
            continue;
        }
        for seen in walk(disk, tree, std::slice::from_ref(&managed.path))? {
            let Some(source) = source_of(&seen.path).filter(|_| seen.meta.kind == FileKind::File) else {
                continue;
            };
            if is_stale(disk, base, tree, &seen.path, &source)? {
                let cache = tree.join(&seen.path);
                let folder = cache.parent().unwrap_or(tree).to_owned();
                keeping_time(disk, &folder, || disk.remove_file(&cache))?;
                dropped += 1;
            }
        }
    }
    Ok(dropped)
}

/// The source that a cache belongs to: `a/__pycache__/b.cpython-311.pyc` is of `a/b.py`.
fn source_of(cache: &Path) -> Option<PathBuf> {
    let name = cache.file_name()?.to_str()?.strip_suffix(".pyc")?;
    let folder =
        cache.parent().filter(|folder| folder.file_name().is_some_and(|name| name == "__pycache__"))?;
    let stem = name.split('.').next().filter(|stem| !stem.is_empty())?;
    Some(folder.parent()?.join(format!("{stem}.py")))
}

fn is_stale(
    disk: &dyn Disk,
    base: &Path,
    tree: &Path,
    cache: &Path,
    source: &Path,
) -> Result<bool, StepError> {
    let (Some(new), Some(old)) = (file(disk, &tree.join(source))?, file(disk, &base.join(source))?) else {
        return Ok(false);
    };
    if !is_taken(&header(disk, &tree.join(cache))?, &new) {
        return Ok(false);
    }
    let is_same = |path: &Path| -> Result<bool, StepError> {
        Ok(file(disk, &base.join(path))?.is_some()
            && disk.hash(&tree.join(path))? == disk.hash(&base.join(path))?)
    };
    // The very cache of the live source, beside a source that is another one.
    Ok(is_same(cache)? && (old.size != new.size || !is_same(source)?))
}

fn file(disk: &dyn Disk, path: &Path) -> Result<Option<Meta>, DiskError> {
    Ok(disk.look(path)?.filter(|meta| meta.kind == FileKind::File))
}

fn header(disk: &dyn Disk, path: &Path) -> Result<Vec<u8>, DiskError> {
    let mut bytes = Vec::new();
    let read = disk.open(path)?.take(HEADER_BYTES).read_to_end(&mut bytes);
    read.map_err(|error| DiskError::new("read", path, error))?;
    Ok(bytes)
}

/// Whether Python would take a cache with this header for a source.
fn is_taken(header: &[u8], source: &Meta) -> bool {
    let word =
        |at: usize| header.get(at..at + 4).and_then(|bytes| Some(u32::from_le_bytes(bytes.try_into().ok()?)));
    let (Some(flags), Some(time), Some(size)) = (word(4), word(8), word(12)) else { return false };
    if flags & FLAG_HASHED != 0 {
        return flags & FLAG_CHECKED == 0;
    }
    let seconds = source.mtime_ns.div_euclid(1_000_000_000);
    // Both are kept modulo 2^32.
    i128::from(time) == seconds.rem_euclid(1 << 32) && u64::from(size) == source.size % (1 << 32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn caches_name_their_sources() {
        let source = |cache: &str| source_of(Path::new(cache));
        assert_eq!(source("a/__pycache__/b.cpython-311.pyc"), Some("a/b.py".into()));
        assert_eq!(source("__pycache__/b.cpython-311-pytest-7.4.pyc"), Some("b.py".into()));
        for other in ["a/b.pyc", "a/__pycache__/b.txt", "a/__pycache__/.pyc"] {
            assert_eq!(source(other), None, "{other}");
        }
    }
}
