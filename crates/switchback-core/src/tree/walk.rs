//! Everything that is in a tree, looked at and not read, in the order of a manifest.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use super::parallel::in_parallel;
use super::scan::ScanError;
use crate::world::{Disk, FileKind, Meta};

/// One entry that [`walk`] came by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Where, relative to the root; empty for the root itself.
    pub path: PathBuf,
    /// What `lstat` says.
    pub meta: Meta,
}

/// Every entry at and below `paths`, in the order of a manifest, without reading any content. Paths are as in
/// [`scan`](super::scan()).
///
/// What was [`touched`] between two walks needs a new scan, all else does not.
///
/// # Errors
///
/// When a path lies outside the root or a directory cannot be read.
pub fn walk(disk: &dyn Disk, root: &Path, paths: &[PathBuf]) -> Result<Vec<Seen>, ScanError> {
    walk_keeping(disk, root, paths, &|seen| seen)
}

/// Whether a new walk sees what an earlier one saw, but for times of access: then nobody changed the tree in between. It needs
/// far less room than a second list of everything.
///
/// # Errors
///
/// As for [`walk`].
pub fn is_as_seen(disk: &dyn Disk, root: &Path, paths: &[PathBuf], seen: &[Seen]) -> Result<bool, ScanError> {
    let now = walk_keeping(disk, root, paths, &|seen| fingerprint(&seen))?;
    Ok(now.len() == seen.len() && seen.iter().zip(&now).all(|(seen, now)| fingerprint(seen) == *now))
}

/// 128 bits over the path and all that [`touched`] compares.
fn fingerprint(seen: &Seen) -> [u8; 16] {
    let Meta { kind, identity, mode, uid, gid, size, links, mtime_ns, ctime_ns, atime_ns: _, device_number } =
        seen.meta;
    let mut hasher = blake3::Hasher::new();
    for number in [u64::from(mode), size, links, device_number, identity.device, identity.inode] {
        hasher.update(&number.to_le_bytes());
    }
    for time in [mtime_ns, ctime_ns, identity.born_ns] {
        hasher.update(&time.to_le_bytes());
    }
    hasher.update(&uid.to_le_bytes());
    hasher.update(&gid.to_le_bytes());
    hasher.update(&[kind as u8]);
    hasher.update(seen.path.as_os_str().as_bytes());
    let mut print = [0; 16];
    print.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
    print
}

/// A directory's children by name: what is kept of each, and the path of those that are directories.
type Children<T> = Vec<(T, Option<PathBuf>)>;

/// As [`walk`], with what `keep` makes of each entry.
fn walk_keeping<T: Send>(
    disk: &dyn Disk,
    root: &Path,
    paths: &[PathBuf],
    keep: &(dyn Fn(Seen) -> T + Sync),
) -> Result<Vec<T>, ScanError> {
    if disk.look(root)?.is_none() {
        return Err(ScanError::NoRoot { root: root.to_owned() });
    }
    let mut topmost: Children<T> = Vec::new();
    for path in outermost(paths)? {
        let Some(meta) = look_below(disk, root, &path)? else { continue };
        let below = (meta.kind == FileKind::Directory).then(|| path.clone());
        topmost.push((keep(Seen { path, meta }), below));
    }
    let mut listed = vec![Some(topmost)];
    // For each directory the number of the first one below it; the others follow in the order of their names.
    let mut firsts = Vec::new();
    // One wave for each level of depth.
    while firsts.len() < listed.len() {
        let mut next = Vec::new();
        for number in firsts.len()..listed.len() {
            firsts.push(listed.len() + next.len());
            let children = listed[number].iter_mut().flatten();
            next.extend(children.filter_map(|(_, below)| below.as_mut().map(std::mem::take)));
        }
        listed.extend(in_parallel(&next, |directory| children(disk, root, directory, keep))?);
    }
    Ok(in_path_order(listed, &firsts))
}

/// What was listed directory by directory, each one's entry followed by all that is below it.
fn in_path_order<T>(mut listed: Vec<Option<Children<T>>>, firsts: &[usize]) -> Vec<T> {
    let mut order = Vec::with_capacity(listed.iter().flatten().map(Vec::len).sum());
    let mut open = vec![(listed[0].take().unwrap_or_default().into_iter(), firsts[0])];
    while let Some((children, below)) = open.last_mut() {
        match children.next() {
            None => drop(open.pop()),
            Some((kept, None)) => order.push(kept),
            Some((kept, Some(_))) => {
                let number = *below;
                *below += 1;
                // What is gone since its parent was listed is not part of the tree.
                if let Some(children) = listed[number].take() {
                    order.push(kept);
                    open.push((children.into_iter(), firsts[number]));
                }
            }
        }
    }
    order
}

/// The paths that are only in one of two walks or are not the same inode in the same state in both, in path order.
///
/// Both are in path order, as a walk is. Times of access are left aside. Nothing touched means that nobody changed the tree between the walks.
pub fn touched(old: &[Seen], new: &[Seen]) -> Vec<PathBuf> {
    let (mut old, mut new) = (old.iter().peekable(), new.iter().peekable());
    let mut touched = Vec::new();
    loop {
        let order = match (old.peek(), new.peek()) {
            (None, None) => return touched,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(old), Some(new)) => old.path.cmp(&new.path),
        };
        let before = if order.is_le() { old.next() } else { None };
        let after = if order.is_ge() { new.next() } else { None };
        match (before, after) {
            (Some(before), Some(after)) if same(&before.meta, &after.meta) => {}
            (before, after) => touched.extend(after.or(before).map(|seen| seen.path.clone())),
        }
    }
}

/// The paths without `.`, without repetitions, and without those that lie below another.
fn outermost(paths: &[PathBuf]) -> Result<Vec<PathBuf>, ScanError> {
    let mut plain = BTreeSet::new();
    for path in paths {
        let mut parts = PathBuf::new();
        for component in path.components() {
            match component {
                Component::Normal(name) => parts.push(name),
                Component::CurDir => {}
                Component::ParentDir | Component::RootDir | Component::Prefix(_) => {
                    return Err(ScanError::OutsideRoot { path: path.clone() });
                }
            }
        }
        plain.insert(parts);
    }
    let mut outermost: Vec<PathBuf> = Vec::new();
    for path in plain {
        // In this order a path comes right after what it lies below.
        if !outermost.last().is_some_and(|above| path.starts_with(above)) {
            outermost.push(path);
        }
    }
    Ok(outermost)
}

/// Looks at `path` after making sure that the way there leads through directories only.
fn look_below(disk: &dyn Disk, root: &Path, path: &Path) -> Result<Option<Meta>, ScanError> {
    let mut steps: Vec<&Path> =
        path.ancestors().skip(1).filter(|step| !step.as_os_str().is_empty()).collect();
    steps.reverse();
    for step in steps {
        let step = place(root, step);
        match disk.look(&step)? {
            None => return Ok(None),
            Some(meta) if meta.kind == FileKind::Directory => {}
            Some(_) => return Err(ScanError::NotADirectory { path: path.to_owned(), step }),
        }
    }
    Ok(disk.look(&place(root, path))?)
}

/// What is in a directory, by name; `None` when it is no longer there.
fn children<T>(
    disk: &dyn Disk,
    root: &Path,
    directory: &Path,
    keep: &(dyn Fn(Seen) -> T + Sync),
) -> Result<Option<Children<T>>, ScanError> {
    let place_of_directory = place(root, directory);
    let mut found = match disk.look_inside(&place_of_directory) {
        Ok(found) => found,
        Err(error) => {
            return if disk.look(&place_of_directory)?.is_none() { Ok(None) } else { Err(error.into()) };
        }
    };
    found.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
    let child = |(name, meta): (OsString, Meta)| {
        let path = directory.join(name);
        let below = (meta.kind == FileKind::Directory).then(|| path.clone());
        (keep(Seen { path, meta }), below)
    };
    Ok(Some(found.into_iter().map(child).collect()))
}

/// Whether nothing but the time of access is different.
pub(super) fn same(before: &Meta, after: &Meta) -> bool {
    Meta { atime_ns: 0, ..*before } == Meta { atime_ns: 0, ..*after }
}

/// `relative` below `root`. Joining an empty path would add a slash, and a slash at the end follows a link.
pub(super) fn place(root: &Path, relative: &Path) -> PathBuf {
    if relative.as_os_str().is_empty() { root.to_owned() } else { root.join(relative) }
}
