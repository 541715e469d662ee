//! Where everything of an exchange stands: candidates, parked trees, generations, and the pointer.

use std::path::{Component, Path, PathBuf};

use crate::plan::{Managed, Mechanism, STATE_FOLDER};
use crate::tree::exchange::participant::link_target;
use crate::world::{Disk, DiskError};

/// The sibling of a managed path that belongs to a transaction: `.<name>.sb-<id>`.
pub fn beside(path: &Path, transaction: &str) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    // A name that is not text keeps its bytes out of the sibling's name; the path itself stays as it is.
    path.with_file_name(format!(".{name}.sb-{transaction}"))
}

/// The transaction that a sibling's name belongs to, when it is the sibling of `path`.
pub fn transaction_of_sibling<'n>(name: &'n str, path: &Path) -> Option<&'n str> {
    let of = path.file_name()?.to_string_lossy().into_owned();
    let id = name.strip_prefix('.')?.strip_prefix(&of)?.strip_prefix(".sb-")?;
    // Where a path takes several steps, there are two more places beside it.
    Some([".aside", ".spare"].iter().find_map(|suffix| id.strip_suffix(suffix)).unwrap_or(id))
}

/// The folder of a transaction's generation, relative to the root.
pub fn generation(transaction: &str) -> PathBuf {
    Path::new(STATE_FOLDER).join("generations").join(transaction)
}

/// Where an old tree is moved to when its phase is finished, relative to the root.
pub fn kept_old(transaction: &str, path: &Path) -> PathBuf {
    generation(transaction).join("old").join(path)
}

/// Where a tree that was rolled back is kept, relative to the root.
pub fn kept_new(transaction: &str, path: &Path) -> PathBuf {
    generation(transaction).join("new").join(path)
}

/// The whole tree of a generation that the pointer can lead to, relative to the root.
pub fn pointed_tree(transaction: &str) -> PathBuf {
    generation(transaction).join("tree")
}

/// The pointer, relative to the root.
pub fn pointer() -> PathBuf {
    Path::new(STATE_FOLDER).join("live")
}

/// What the pointer says for a generation: relative to the state folder.
pub fn pointer_target(transaction: &str) -> PathBuf {
    Path::new("generations").join(transaction).join("tree")
}

/// What the link at a managed path says in the pointer layout: relative to the folder of the path.
pub fn pointer_link(path: &Path) -> PathBuf {
    let up: PathBuf = path.components().skip(1).map(|_| Component::ParentDir).collect();
    up.join(pointer()).join(path)
}

/// Whether a managed path is a link through the pointer.
pub fn is_pointed(disk: &dyn Disk, root: &Path, path: &Path) -> Result<bool, DiskError> {
    let live = root.join(path);
    let is_link = disk.look(&live)?.is_some_and(|meta| meta.kind == crate::world::FileKind::Symlink);
    Ok(is_link && disk.read_link(&live)? == pointer_link(path))
}

/// Whether the project has the pointer layout: at least one managed path is there, and all that are go through it.
pub fn is_adopted(disk: &dyn Disk, root: &Path, managed: &[Managed]) -> Result<bool, DiskError> {
    let mut any = false;
    for managed in managed {
        if disk.look(&root.join(&managed.path))?.is_none() {
            continue;
        }
        if !is_pointed(disk, root, &managed.path)? {
            return Ok(false);
        }
        any = true;
    }
    Ok(any)
}

/// The folder that holds the content of the managed paths: the root, or the generation that the pointer leads to.
pub fn live_base(disk: &dyn Disk, root: &Path, managed: &[Managed]) -> Result<PathBuf, DiskError> {
    if is_adopted(disk, root, managed)?
        && let Some(target) = link_target(disk, &root.join(pointer()))?
    {
        return Ok(root.join(STATE_FOLDER).join(target));
    }
    Ok(root.to_owned())
}

/// The mechanism: what the plan asks for, else what the project already has, else the exchange.
pub fn mechanism(
    disk: &dyn Disk,
    root: &Path,
    managed: &[Managed],
    asked: Option<Mechanism>,
) -> Result<Mechanism, DiskError> {
    match asked {
        Some(mechanism) => Ok(mechanism),
        None if is_adopted(disk, root, managed)? => Ok(Mechanism::Pointer),
        None => Ok(Mechanism::Exchange),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back() {
        let path = Path::new("config/pipeline");
        assert_eq!(beside(path, "t7"), Path::new("config/.pipeline.sb-t7"));
        assert_eq!(transaction_of_sibling(".pipeline.sb-t7", path), Some("t7"));
        assert_eq!(transaction_of_sibling(".pipeline.sb-t7.aside", path), Some("t7"));
        assert_eq!(transaction_of_sibling(".other.sb-t7", path), None);
        assert_eq!(pointer_link(path), Path::new("../.switchback/live/config/pipeline"));
        assert_eq!(pointer_link(Path::new("src")), Path::new(".switchback/live/src"));
    }
}
