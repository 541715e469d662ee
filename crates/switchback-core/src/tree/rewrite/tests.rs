//! A rewrite that dies at each of its calls, and whoever starts next.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use super::*;
use crate::world::{DiskError, Lock, LockHolder, Meta, ReadSeek, RealDisk, Space, Survey};

/// A disk that does `left` more changes, and nothing at all after that.
#[derive(Debug)]
struct Dying {
    left: AtomicI64,
}

impl Dying {
    fn change(&self, path: &Path) -> Result<(), DiskError> {
        if self.left.fetch_sub(1, Ordering::SeqCst) > 0 { Ok(()) } else { Err(dead(path)) }
    }

    fn look_only(&self, path: &Path) -> Result<(), DiskError> {
        if self.left.load(Ordering::SeqCst) >= 0 { Ok(()) } else { Err(dead(path)) }
    }
}

fn dead(path: &Path) -> DiskError {
    DiskError::new("reach", path, std::io::Error::other("dead"))
}

macro_rules! delegate {
    ($($gate:ident $name:ident($path:ident $(, $argument:ident: $type:ty)*) -> $result:ty;)*) => {
        impl Disk for Dying {
            $(fn $name(&self, $path: &Path $(, $argument: $type)*) -> Result<$result, DiskError> {
                self.$gate($path)?;
                RealDisk.$name($path $(, $argument)*)
            })*
        }
    };
}

delegate! {
    look_only look(path) -> Option<Meta>;
    look_only list(path) -> Vec<OsString>;
    look_only read(path, most: u64) -> Vec<u8>;
    look_only open(path) -> Box<dyn Read + Send>;
    look_only open_seekable(path) -> Box<dyn ReadSeek + Send>;
    look_only hash(path) -> [u8; 32];
    look_only read_link(path) -> PathBuf;
    look_only xattrs(path) -> Vec<(OsString, Vec<u8>)>;
    look_only space(path) -> Space;
    look_only survey(path, within: Option<u64>) -> Option<Survey>;
    change write_new(path, mode: u32, content: &mut dyn Read) -> ();
    change append(path, content: &[u8]) -> ();
    change copy(path, to: &Path, mode: u32) -> ();
    change overwrite(path, offset: u64, content: &[u8]) -> ();
    change make_directory(path, mode: u32) -> ();
    change make_symlink(path, link: &Path) -> ();
    change make_hard_link(path, to: &Path) -> ();
    change make_special(path, like: &Meta) -> ();
    change set_owner(path, uid: u32, gid: u32) -> ();
    change set_mode(path, mode: u32) -> ();
    change set_xattr(path, name: &OsStr, value: &[u8]) -> ();
    change set_times(path, atime: i128, mtime: i128) -> ();
    change rename(path, to: &Path) -> ();
    change rename_over(path, to: &Path) -> ();
    change exchange(path, other: &Path) -> ();
    change remove_file(path) -> ();
    change remove_directory(path) -> ();
    look_only start_sync(path) -> ();
    change sync_file(path) -> ();
    change sync_directory(path) -> ();
    look_only is_locked(path) -> bool;
    look_only lock(path, note: &str) -> Result<Box<dyn Lock>, LockHolder>;
}

fn dying(left: i64) -> World {
    World { disk: Arc::new(Dying { left: AtomicI64::new(left) }), ..World::real() }
}

type Files = BTreeMap<PathBuf, String>;

fn files(root: &Path) -> Files {
    let mut found = Files::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        for name in RealDisk.list(&root.join(&folder)).unwrap() {
            let path = folder.join(&name);
            let kind = RealDisk.look(&root.join(&path)).unwrap().unwrap().kind;
            if kind == FileKind::Directory {
                if name != ".switchback" {
                    found.insert(path.join(""), String::new());
                    folders.push(path);
                }
            } else if kind == FileKind::Symlink {
                let target = RealDisk.read_link(&root.join(&path)).unwrap();
                found.insert(path, format!("-> {}", target.display()));
            } else {
                let text = String::from_utf8(RealDisk.read(&root.join(&path), 1 << 20).unwrap()).unwrap();
                found.insert(path, text);
            }
        }
    }
    found
}

fn project() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    for (path, text) in [
        ("shop/cart.py", "cart"),
        ("shop/pay.py", "pay"),
        ("gone/only.py", "only"),
        ("app.py", "app"),
        ("b", "b"),
    ] {
        let place = root.join(path);
        make_directories(&RealDisk, root, place.parent().unwrap()).unwrap();
        RealDisk.write_new(&place, 0o644, &mut text.as_bytes()).unwrap();
    }
    folder
}

/// An edit, a move, a swap, a folder that empties, folders that come into being, a copy, a link.
fn puts() -> Vec<(PathBuf, Put)> {
    let from = |path: &str| Put::From(PathBuf::from(path));
    [
        ("app.py", Put::Bytes(b"app, edited".to_vec(), 0o755)),
        ("store/deep/cart.py", from("shop/cart.py")),
        ("shop/cart.py", from("shop/pay.py")),
        ("shop/pay.py", from("b")),
        ("b", Put::Nothing),
        ("gone/only.py", Put::Nothing),
        ("copied.py", Put::Copy(PathBuf::from("shop/cart.py"), 0o755)),
        ("latest", Put::Link(PathBuf::from("app.py"))),
        ("store/only.py", Put::Bytes(b"only, edited".to_vec(), 0o644)),
    ]
    .into_iter()
    .map(|(path, put)| (PathBuf::from(path), put))
    .collect()
}

fn wanted() -> Files {
    [
        ("app.py", "app, edited"),
        ("copied.py", "cart"),
        ("latest", "-> app.py"),
        ("shop/", ""),
        ("shop/cart.py", "pay"),
        ("shop/pay.py", "b"),
        ("store/", ""),
        ("store/deep/", ""),
        ("store/deep/cart.py", "cart"),
        ("store/only.py", "only, edited"),
    ]
    .into_iter()
    .map(|(path, text)| (PathBuf::from(path), text.to_owned()))
    .collect()
}

#[test]
fn a_rewrite_is_done_and_undone() {
    let folder = project();
    let old = files(folder.path());
    rewrite(&World::real(), folder.path(), "move", &puts()).unwrap();
    assert_eq!(files(folder.path()), wanted());
    let undone = undo(&World::real(), folder.path()).unwrap();
    assert_eq!((files(folder.path()), undone.paths.len()), (old, puts().len()));
    assert!(matches!(undo(&World::real(), folder.path()), Err(RewriteError::Nothing)));
}

#[test]
fn a_death_at_any_call_ends_all_old_or_all_new() {
    let (mut olds, mut news) = (0, 0);
    for left in 0.. {
        let folder = project();
        let old = files(folder.path());
        let is_done = rewrite(&dying(left), folder.path(), "move", &puts()).is_ok();
        recover(&World::real(), folder.path()).unwrap();
        let found = files(folder.path());
        assert!(found == old || found == wanted(), "after {left} changes: {found:?}");
        assert!(!is_done || found == wanted(), "after {left} changes it was acknowledged");
        olds += usize::from(found == old);
        news += usize::from(found == wanted());
        // Nothing is in the way of doing it again.
        if found == old {
            rewrite(&World::real(), folder.path(), "move", &puts()).unwrap();
            assert_eq!(files(folder.path()), wanted(), "again after {left} changes");
        }
        if is_done {
            break;
        }
    }
    assert!(olds > 20 && news > 0, "{olds} old, {news} new");
}

#[test]
fn a_death_during_the_recovery_is_recovered_from() {
    for left in (5..).step_by(3) {
        let folder = project();
        let old = files(folder.path());
        if rewrite(&dying(left), folder.path(), "move", &puts()).is_ok() {
            break;
        }
        for more in 0..40 {
            let _outcome = recover(&dying(more), folder.path());
        }
        recover(&World::real(), folder.path()).unwrap();
        let found = files(folder.path());
        assert!(found == old || found == wanted(), "after {left} changes: {found:?}");
    }
}

#[test]
fn a_death_during_the_undo_leaves_all_new_or_all_old() {
    for left in 0.. {
        let folder = project();
        let old = files(folder.path());
        rewrite(&World::real(), folder.path(), "move", &puts()).unwrap();
        let is_done = undo(&dying(left), folder.path()).is_ok();
        recover(&World::real(), folder.path()).unwrap();
        let found = files(folder.path());
        assert!(found == old || found == wanted(), "after {left} changes: {found:?}");
        if is_done {
            break;
        }
    }
}

#[test]
fn what_was_changed_since_is_not_taken_back() {
    let folder = project();
    rewrite(&World::real(), folder.path(), "move", &puts()).unwrap();
    RealDisk.append(&folder.path().join("app.py"), b"!").unwrap();
    let before = files(folder.path());
    let error = undo(&World::real(), folder.path()).unwrap_err();
    assert!(matches!(&error, RewriteError::Changed(paths) if paths == &[PathBuf::from("app.py")]), "{error}");
    assert_eq!(files(folder.path()), before);
}

#[test]
fn nothing_outside_of_the_project_is_written() {
    let folder = project();
    RealDisk.make_symlink(Path::new("/tmp"), &folder.path().join("out")).unwrap();
    for path in ["../x", "/x", ".git/config", ".switchback/journal.db", "out/x"] {
        let put = [(PathBuf::from(path), Put::Bytes(Vec::new(), 0o644))];
        let error = rewrite(&World::real(), folder.path(), "move", &put).unwrap_err();
        assert!(matches!(error, RewriteError::Outside(_)), "{path}: {error}");
    }
}
