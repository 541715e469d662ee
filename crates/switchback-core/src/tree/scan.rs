//! From a tree on the disk to its manifest: everything is looked at, every file is read, nothing is skipped in silence.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use super::parallel::in_parallel_into;
use super::walk::{Seen, place, same, walk};
use crate::manifest::{Entry, Hash, Kind, Manifest};
use crate::world::{Disk, DiskError, FileKind, Identity, Meta};

/// How often an entry is read again when it changed while it was read, before that is an error.
const ATTEMPTS_MAX: usize = 3;

/// Why there is no manifest.
#[derive(Debug, thiserror::Error)]
pub enum ScanError {
    /// The root itself is missing: then nothing can be said about what is below it.
    #[error("there is nothing at `{root}`", root = root.display())]
    NoRoot {
        /// The root that was asked for.
        root: PathBuf,
    },
    /// A path that is absolute or climbs with `..`.
    #[error("`{path}` does not lie below the root: it must be relative and without `..`", path = path.display())]
    OutsideRoot {
        /// The path as it was given.
        path: PathBuf,
    },
    /// A path whose way leads through a symbolic link or something else that is not a directory.
    #[error("`{path}` cannot be reached: `{step}` is not a directory", path = path.display(), step = step.display())]
    NotADirectory {
        /// The path as it was given.
        path: PathBuf,
        /// The part of its way that is not a directory, with the root in front.
        step: PathBuf,
    },
    /// An entry kept changing while it was read.
    #[error("`{path}` changed while it was read", path = path.display())]
    Changed {
        /// The entry, with the root in front.
        path: PathBuf,
    },
    /// Something that could not be read.
    #[error(transparent)]
    Disk(#[from] DiskError),
}

/// The manifest of `paths` and everything below them.
///
/// The paths are relative to `root`, and so are the paths of the entries; `.` or an empty path is the root itself,
/// whose own entry then has the empty path. A path that does not exist is left out, one that is given twice or lies
/// below another counts once. Symbolic links are entries and are never followed. What disappears during the scan is
/// not part of the tree; each entry that stays was the same before and after it was read.
///
/// # Errors
///
/// When a path lies outside the root, anything cannot be read, or an entry keeps changing. The error names the path;
/// of several it is the first in path order.
pub fn scan(disk: &dyn Disk, root: &Path, paths: &[PathBuf]) -> Result<Manifest, ScanError> {
    described(disk, root, &walk(disk, root, paths)?, None, &|_| None)
}

/// Reads one file whole: the number of its entry among what was seen, and where it is. The answer is the BLAKE3 hash of all
/// that was read.
pub type ReadFile<'a> = &'a (dyn Fn(usize, &Path) -> Result<Hash, DiskError> + Sync);

/// The manifest of what [`walk`] has just seen, each file read by `read`, which may keep what it reads: the hash in the
/// manifest and what was kept are then of one reading.
///
/// It is as careful as [`scan`], but for one thing: [`scan`] asks the disk itself, and so takes files out of the page
/// cache. That is right for what was written a moment ago and must be believed; of a tree that is in use it would read
/// everything from the disk, and take the cache away from those who use it.
///
/// Files are read on all cores at once, a file that changed meanwhile again; the last reading is the one that counts. Further
/// names of a file are not read.
///
/// # Errors
///
/// As for [`scan`].
pub fn read_through(
    disk: &dyn Disk,
    root: &Path,
    seen: &[Seen],
    read: ReadFile<'_>,
) -> Result<Manifest, ScanError> {
    described(disk, root, seen, Some(read), &|_| None)
}

/// The hash of a file of which the content is known, and `None` for all others; it is asked by the number of its entry among
/// what was seen.
pub type KnownFile<'a> = &'a (dyn Fn(usize) -> Option<Hash> + Sync);

/// As [`read_through`], but for files that are `known`: they are as they were seen, and neither read nor looked at again; only
/// their extended attributes are, because who asks may see others than who asked last. Whoever knows them has to walk once more
/// at the end ([`is_as_seen`](super::is_as_seen)).
///
/// # Errors
///
/// As for [`scan`].
pub fn read_unknown(
    disk: &dyn Disk,
    root: &Path,
    seen: &[Seen],
    known: KnownFile<'_>,
    read: ReadFile<'_>,
) -> Result<Manifest, ScanError> {
    described(disk, root, seen, Some(read), known)
}

/// How the content of a file becomes a hash.
#[derive(Clone, Copy)]
enum Content<'a> {
    /// It is not read: the file has another name under which it is.
    Known,
    /// From the disk, where the page cache can be passed over.
    OnDisk,
    /// By whoever asked for the manifest; the number of the entry is theirs.
    By(usize, ReadFile<'a>),
}

fn described(
    disk: &dyn Disk,
    root: &Path,
    seen: &[Seen],
    read: Option<ReadFile<'_>>,
    known: KnownFile<'_>,
) -> Result<Manifest, ScanError> {
    let firsts = first_links(seen);
    let numbers: Vec<usize> = (0..seen.len()).collect();
    let mut entries: Vec<Entry> = seen.iter().map(|_| nothing()).collect();
    let is_there = in_parallel_into(&numbers, &mut entries, |&at, place| {
        let content = match (firsts.get(&at), read) {
            // The other names of a file need no second reading.
            (Some(_), _) => Content::Known,
            (None, Some(read)) => match known(at) {
                Some(hash) => {
                    *place = as_seen(disk, root, &seen[at], hash)?;
                    return Ok::<bool, ScanError>(true);
                }
                None => Content::By(at, read),
            },
            (None, None) => Content::OnDisk,
        };
        let Some(entry) = describe(disk, root, &seen[at], content)? else { return Ok(false) };
        *place = entry;
        Ok(true)
    })?;
    for (&at, &first) in firsts.iter().filter(|(at, _)| is_there[**at]) {
        // Where the first name has gone since, the next one would have to be first and was not read.
        if !is_there[first] || entries[first].mtime_ns != entries[at].mtime_ns {
            return Err(ScanError::Changed { path: place(root, &seen[first].path) });
        }
        let (kind, path) = (entries[first].kind.clone(), entries[first].path.clone());
        entries[at].kind = kind;
        entries[at].linked_to = Some(path);
    }
    let mut is_there = is_there.into_iter();
    entries.retain(|_| is_there.next().unwrap_or(false));
    // What was seen is in the order of a manifest.
    Ok(Manifest { entries })
}

/// The place of an entry that is still to be described.
fn nothing() -> Entry {
    Entry {
        path: PathBuf::new(),
        kind: Kind::Directory,
        mode: 0,
        uid: 0,
        gid: 0,
        mtime_ns: 0,
        xattrs: Vec::new(),
        linked_to: None,
    }
}

/// The entry of a file of which the content is known.
fn as_seen(disk: &dyn Disk, root: &Path, seen: &Seen, hash: Hash) -> Result<Entry, DiskError> {
    let Meta { size, mode, uid, gid, mtime_ns, .. } = seen.meta;
    let (path, kind) = (seen.path.clone(), Kind::File { size, hash });
    let xattrs = disk.xattrs(&place(root, &path))?;
    Ok(Entry { path, kind, mode, uid, gid, mtime_ns, xattrs, linked_to: None })
}

/// For each further name of an inode the number of its first one.
fn first_links(seen: &[Seen]) -> BTreeMap<usize, usize> {
    let mut first_of: HashMap<Identity, usize> = HashMap::new();
    let mut firsts = BTreeMap::new();
    for (at, entry) in seen.iter().enumerate() {
        if entry.meta.kind != FileKind::Directory && entry.meta.links > 1 {
            let first = *first_of.entry(entry.meta.identity).or_insert(at);
            if first != at {
                firsts.insert(at, first);
            }
        }
    }
    firsts
}

/// Everything about one entry; `None` when it is no longer there.
///
/// It is read until it is the same before and after: else a hash could belong to one state and a size to another.
fn describe(
    disk: &dyn Disk,
    root: &Path,
    seen: &Seen,
    content: Content<'_>,
) -> Result<Option<Entry>, ScanError> {
    let path = place(root, &seen.path);
    let mut meta = seen.meta;
    for _ in 0..ATTEMPTS_MAX {
        // Which entries are links to each other was decided by the first look, so a linked one must not be exchanged.
        // A directory must not either, because its children were found under the first one.
        let fixed = |meta: &Meta| meta.links > 1 || meta.kind == FileKind::Directory;
        if meta.identity != seen.meta.identity && (fixed(&meta) || fixed(&seen.meta)) {
            break;
        }
        let read = read_entry(disk, &path, &seen.path, &meta, content);
        let Some(after) = disk.look(&path)? else { return Ok(None) };
        if same(&meta, &after) {
            return Ok(Some(read?));
        }
        meta = after;
    }
    Err(ScanError::Changed { path })
}

fn read_entry(
    disk: &dyn Disk,
    path: &Path,
    relative: &Path,
    meta: &Meta,
    content: Content<'_>,
) -> Result<Entry, DiskError> {
    let kind = match meta.kind {
        FileKind::File => {
            let hash = match content {
                // Of a further name it is filled in from the first one.
                Content::Known => Hash::default(),
                Content::OnDisk => disk.hash(path)?,
                Content::By(at, read) => read(at, path)?,
            };
            Kind::File { size: meta.size, hash }
        }
        FileKind::Directory => Kind::Directory,
        FileKind::Symlink => Kind::Symlink(disk.read_link(path)?),
        FileKind::Fifo => Kind::Fifo,
        FileKind::Socket => Kind::Socket,
        FileKind::BlockDevice => Kind::Device { block: true, number: meta.device_number },
        FileKind::CharacterDevice => Kind::Device { block: false, number: meta.device_number },
    };
    Ok(Entry {
        path: relative.to_owned(),
        kind,
        mode: if meta.kind == FileKind::Symlink { 0 } else { meta.mode },
        uid: meta.uid,
        gid: meta.gid,
        mtime_ns: meta.mtime_ns,
        xattrs: disk.xattrs(path)?,
        linked_to: None,
    })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::disallowed_methods, reason = "a test lays out its tree and looks at it directly")]

    use std::ffi::OsStr;
    use std::fs;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::os::unix::net::UnixListener;

    use super::*;
    use crate::tree::{is_as_seen, touched};
    use crate::world::RealDisk;

    fn paths(paths: &[&str]) -> Vec<PathBuf> {
        paths.iter().map(PathBuf::from).collect()
    }

    fn names(manifest: &Manifest) -> Vec<String> {
        manifest.entries.iter().map(|entry| entry.path.to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn every_kind_of_entry_is_described() {
        let root = tempfile::tempdir().unwrap();
        let at = |name: &str| root.path().join(name);
        fs::create_dir_all(at("t/dir/empty")).unwrap();
        fs::write(at("t/dir/file"), b"content").unwrap();
        fs::set_permissions(at("t/dir/file"), fs::Permissions::from_mode(0o4751)).unwrap();
        RealDisk.set_times(&at("t/dir/file"), 0, -1_500_000_001).unwrap();
        fs::hard_link(at("t/dir/file"), at("t/another name")).unwrap();
        symlink("nowhere", at("t/dangling")).unwrap();
        symlink("dir", at("t/to dir")).unwrap();
        fs::write(root.path().join("t").join(OsStr::from_bytes(b"\xff")), b"").unwrap();
        let _listener = UnixListener::bind(at("t/socket")).unwrap();

        let manifest = scan(&RealDisk, root.path(), &paths(&["t"])).unwrap();
        let seen = walk(&RealDisk, root.path(), &paths(&["t"])).unwrap();
        let read = |at: usize, path: &Path| {
            assert_eq!(root.path().join(&seen[at].path), path);
            RealDisk.hash(path)
        };
        assert_eq!(read_through(&RealDisk, root.path(), &seen, &read).unwrap(), manifest);

        assert_eq!(
            names(&manifest),
            [
                "t",
                "t/another name",
                "t/dangling",
                "t/dir",
                "t/dir/empty",
                "t/dir/file",
                "t/socket",
                "t/to dir",
                "t/\u{fffd}",
            ]
        );
        let first = manifest.get(Path::new("t/another name")).unwrap();
        let linked = manifest.get(Path::new("t/dir/file")).unwrap();
        assert_eq!(first.kind, Kind::File { size: 7, hash: *blake3::hash(b"content").as_bytes() });
        assert_eq!((first.mode, first.mtime_ns, first.linked_to.clone()), (0o4751, -1_500_000_001, None));
        assert_eq!(linked.kind, first.kind);
        assert_eq!(linked.linked_to.as_deref(), Some(Path::new("t/another name")));
        let kind = |name: &str| manifest.get(Path::new(name)).unwrap().kind.clone();
        assert_eq!(kind("t/dangling"), Kind::Symlink("nowhere".into()));
        assert_eq!(kind("t/to dir"), Kind::Symlink("dir".into()));
        assert_eq!(kind("t/dir/empty"), Kind::Directory);
        assert_eq!(kind("t/socket"), Kind::Socket);
    }

    #[test]
    fn paths_are_made_plain_and_counted_once() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("a/b")).unwrap();
        fs::write(root.path().join("a/b/c"), b"1").unwrap();
        fs::write(root.path().join("a.x"), b"2").unwrap();
        let asked = paths(&["./a/b/c", "a.x", "a/./b/", "missing", "a/b", "a/b/c/missing"]);
        let manifest = scan(&RealDisk, root.path(), &asked).unwrap();
        assert_eq!(names(&manifest), ["a/b", "a/b/c", "a.x"]);
    }

    #[test]
    fn the_root_itself_has_the_empty_path() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("a"), b"1").unwrap();
        for itself in ["", "."] {
            let manifest = scan(&RealDisk, root.path(), &paths(&[itself])).unwrap();
            assert_eq!(names(&manifest), ["", "a"]);
            assert_eq!(Manifest::from_text(&manifest.to_text()).unwrap(), manifest);
        }
        let link = root.path().join("link");
        symlink(root.path(), &link).unwrap();
        let manifest = scan(&RealDisk, &link, &paths(&[""])).unwrap();
        assert_eq!(manifest.entries[0].kind, Kind::Symlink(root.path().into()));
        assert_eq!(manifest.entries.len(), 1);
    }

    #[test]
    fn a_path_outside_or_through_a_link_is_refused() {
        let root = tempfile::tempdir().unwrap();
        symlink("/", root.path().join("link")).unwrap();
        let said = |path: &str| scan(&RealDisk, root.path(), &paths(&[path])).unwrap_err().to_string();
        assert_eq!(said("../x"), "`../x` does not lie below the root: it must be relative and without `..`");
        assert_eq!(said("/etc"), "`/etc` does not lie below the root: it must be relative and without `..`");
        let step = root.path().join("link");
        assert_eq!(
            said("link/etc"),
            format!("`link/etc` cannot be reached: `{}` is not a directory", step.display())
        );
        let missing = root.path().join("gone");
        let error = scan(&RealDisk, &missing, &paths(&["a"])).unwrap_err();
        assert_eq!(error.to_string(), format!("there is nothing at `{}`", missing.display()));
    }

    #[test]
    fn a_link_swapped_in_for_a_file_is_not_followed() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("a"), b"1").unwrap();
        let seen = walk(&RealDisk, root.path(), &paths(&["a"])).unwrap();
        fs::remove_file(root.path().join("a")).unwrap();
        symlink("/etc/passwd", root.path().join("a")).unwrap();
        let entry = describe(&RealDisk, root.path(), &seen[0], Content::OnDisk).unwrap().unwrap();
        assert_eq!(entry.kind, Kind::Symlink("/etc/passwd".into()));
    }

    #[test]
    fn what_is_gone_is_left_out_and_an_exchanged_directory_is_an_error() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("a"), b"1").unwrap();
        fs::create_dir(root.path().join("d")).unwrap();
        let seen = walk(&RealDisk, root.path(), &paths(&["a", "d"])).unwrap();
        fs::remove_file(root.path().join("a")).unwrap();
        assert!(describe(&RealDisk, root.path(), &seen[0], Content::OnDisk).unwrap().is_none());
        fs::rename(root.path().join("d"), root.path().join("e")).unwrap();
        fs::create_dir(root.path().join("d")).unwrap();
        let error = describe(&RealDisk, root.path(), &seen[1], Content::OnDisk).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("`{}` changed while it was read", root.path().join("d").display())
        );
    }

    #[test]
    fn what_was_touched_between_two_walks_is_named() {
        let root = tempfile::tempdir().unwrap();
        for number in 0..100 {
            fs::create_dir_all(root.path().join(format!("t/{}", number % 7))).unwrap();
            fs::write(root.path().join(format!("t/{}/{number}", number % 7)), number.to_string()).unwrap();
        }
        let walked = || walk(&RealDisk, root.path(), &paths(&["t"])).unwrap();
        let before = walked();
        assert_eq!(before.len(), 108);
        let old = scan(&RealDisk, root.path(), &paths(&["t"])).unwrap();
        assert_eq!(touched(&before, &walked()), paths(&[]));
        let is_as_before = || is_as_seen(&RealDisk, root.path(), &paths(&["t"]), &before).unwrap();
        assert!(is_as_before());
        fs::set_permissions(root.path().join("t/3/3"), fs::Permissions::from_mode(0o600)).unwrap();
        assert_eq!(touched(&before, &walked()), paths(&["t/3/3"]));
        assert!(!is_as_before());
        let new = scan(&RealDisk, root.path(), &paths(&["t"])).unwrap();
        let found: Vec<_> = old.differences(&new).into_iter().map(|d| (d.path, d.what.word())).collect();
        assert_eq!(found, [(PathBuf::from("t/3/3"), "mode")]);
        fs::rename(root.path().join("t/3/3"), root.path().join("t/3/4")).unwrap();
        assert_eq!(touched(&before, &walked()), paths(&["t/3", "t/3/3", "t/3/4"]));
    }
}
