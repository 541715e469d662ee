//! What nobody touched is taken over from the newest snapshot, folder by folder; what was touched is not, and all of it is read back.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use switchback_core::port::{PortError, SnapshotReader, SnapshotRecord, SnapshotRequest, Vault};
use switchback_core::world::{Disk, RealDisk};

use crate::ground::{Ground, manifest_of, noise, said};

/// A tree of which a snapshot was made long after it was written.
fn settled() -> Ground {
    let ground = Ground::new();
    for folder in ["src", "src/a", "src/a/b", "src/a/b/c", "src/d"] {
        for name in ["one", "two"] {
            ground.write(&format!("{folder}/{name}"), format!("{name} in {folder}"));
        }
    }
    create(&ground, 120).unwrap();
    ground
}

fn create(ground: &Ground, seconds: i64) -> Result<SnapshotRecord, PortError> {
    let paths = vec![PathBuf::from("src")];
    let request = SnapshotRequest { root: ground.project(), paths, label: String::new() };
    ground.vault_in(seconds).create(&request)
}

/// The files of the repository that hold contents and listings, the shortest first.
fn listings(ground: &Ground) -> Vec<PathBuf> {
    let mut packs = ground.repository_files("data");
    packs.sort_by_key(|path| fs::metadata(path).unwrap().len());
    packs
}

type Touch = fn(&Ground);

#[test]
fn whatever_is_touched_in_any_folder_is_in_the_next_snapshot() {
    let at = |ground: &Ground, path: &str| ground.project().join("src").join(path);
    let touches: [(&str, Touch); 11] = [
        ("a file comes", |ground| ground.write("src/a/b/three", "3")),
        ("a file goes", |ground| fs::remove_file(ground.project().join("src/a/b/c/one")).unwrap()),
        ("a file gets another mode", |ground| {
            let path = ground.project().join("src/a/b/c/two");
            fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
        }),
        ("a folder gets another mode", |ground| {
            fs::set_permissions(ground.project().join("src/a/b"), fs::Permissions::from_mode(0o700)).unwrap();
        }),
        ("a file gets an attribute", |ground| {
            // Where a file system has none, this step shows nothing, and the others do.
            let path = ground.project().join("src/d/one");
            RealDisk.set_xattr(&path, OsStr::new("user.colour"), b"blue").ok();
        }),
        ("a folder gets an attribute", |ground| {
            RealDisk.set_xattr(&ground.project().join("src/d"), OsStr::new("user.colour"), b"red").ok();
        }),
        ("a link comes", |ground| symlink("two", ground.project().join("src/d/link")).unwrap()),
        ("a file gets a second name", |ground| {
            let src = ground.project().join("src");
            fs::hard_link(src.join("a/b/two"), src.join("d/another name")).unwrap();
        }),
        ("a file becomes a folder", |ground| {
            fs::remove_file(ground.project().join("src/a/one")).unwrap();
            ground.write("src/a/one/inside", "it was a file");
        }),
        ("a folder goes", |ground| fs::remove_dir_all(ground.project().join("src/a/b/c")).unwrap()),
        ("a file gets another content of the same length and time", |ground| {
            let path = ground.project().join("src/two");
            let time = fs::metadata(&path).unwrap().modified().unwrap();
            let length = fs::metadata(&path).unwrap().len();
            fs::write(&path, vec![b'x'; usize::try_from(length).unwrap()]).unwrap();
            fs::File::options().write(true).open(&path).unwrap().set_modified(time).unwrap();
        }),
    ];
    let ground = settled();
    for (seconds, (what, touch)) in (240..).step_by(120).zip(touches) {
        touch(&ground);
        // Once when it was just touched, and once when that is long ago.
        for record in [create(&ground, seconds).unwrap(), create(&ground, seconds + 100).unwrap()] {
            let kept = ground.vault.show(&record.id).unwrap().1;
            assert_eq!(kept, manifest_of(&ground.project(), &["src"]), "{what}");
            assert_eq!(ground.vault.check(Some(&record.id)).unwrap().findings, [""; 0], "{what}");
        }
    }
    let newest = ground.vault.list().unwrap().last().unwrap().id.clone();
    ground.vault.restore(&newest, &[], &ground.at("back")).unwrap();
    assert_eq!(manifest_of(&ground.at("back"), &["src"]), manifest_of(&ground.project(), &["src"]));
    assert_eq!(fs::read(at(&ground, "d/another name")).unwrap(), b"two in src/a/b");
}

#[test]
fn what_was_not_touched_is_not_opened() {
    let ground = Ground::new();
    ground.write("src/plain", "nothing special");
    ground.write("src/long", noise(1, 700_000));
    ground.write("src/many/one name", "of a file with two");
    fs::hard_link(ground.project().join("src/many/one name"), ground.project().join("src/many/two")).unwrap();
    ground.write("src/coloured/file", "with an attribute");
    // Where a file system has none, it is one more plain file.
    RealDisk.set_xattr(&ground.project().join("src/coloured/file"), OsStr::new("user.colour"), b"blue").ok();
    let opened = || {
        let (all, src) = (Arc::new(Mutex::new(Vec::new())), ground.project().join("src"));
        let seen = Arc::clone(&all);
        ground.disk.on(move |doing, path| {
            if doing == "open" && path.starts_with(&src) {
                seen.lock().unwrap().push(path.strip_prefix(&src).unwrap().to_owned());
            }
            None
        });
        all
    };
    create(&ground, 30).unwrap();
    // It was touched too short a time before the snapshot: nobody knows.
    let all = opened();
    create(&ground, 120).unwrap();
    assert_eq!(all.lock().unwrap().len(), 4, "{all:?}");
    let all = opened();
    let record = create(&ground, 240).unwrap();
    assert_eq!(*all.lock().unwrap(), [""; 0].map(PathBuf::from));
    ground.write("src/plain", "something else");
    let all = opened();
    create(&ground, 360).unwrap();
    assert_eq!(*all.lock().unwrap(), [PathBuf::from("plain")]);
    ground.disk.behave();
    assert_eq!(ground.vault.check(Some(&record.id)).unwrap().findings, [""; 0]);
}

#[test]
fn an_attribute_that_could_not_be_seen_before_is_in_manifest_and_listing() {
    for path in ["src/a/b/one", "src/a/b"] {
        let ground = settled();
        ground.disk.reveal_attribute(ground.project().join(path));
        let record = create(&ground, 240).unwrap();
        let kept = ground.vault.show(&record.id).unwrap().1;
        let entry = kept.get(Path::new(path)).unwrap();
        assert_eq!(entry.xattrs, [(OsString::from("trusted.colour"), b"blue".to_vec())], "{path}");
        assert_eq!(ground.vault.check(Some(&record.id)).unwrap().findings, [""; 0], "{path}");
    }
}

#[test]
fn a_snapshot_that_would_rest_on_a_damaged_listing_fails() {
    let ground = settled();
    let before = listings(&ground);
    create(&ground, 240).unwrap();
    assert_eq!(listings(&ground), before, "nothing new was stored");
    for pack in before {
        let content = fs::read(&pack).unwrap();
        let mut damaged = content.clone();
        damaged[40] ^= 1;
        fs::set_permissions(&pack, fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(&pack, damaged).unwrap();
        let error = said(&create(&ground, 360).unwrap_err());
        assert!(error.contains("cannot be listed") || error.contains("cannot be read"), "{error}");
        fs::write(&pack, content).unwrap();
    }
    assert_eq!(ground.vault.list().unwrap().len(), 2);
    create(&ground, 480).unwrap();
}

#[test]
fn a_listing_that_is_damaged_while_the_snapshot_is_made_is_found() {
    let ground = settled();
    let packs = listings(&ground);
    let mut done = false;
    // The snapshot's own file is written when all listings were taken over, and before they are read back.
    let snapshots = ground.at("vault").join("snapshots");
    ground.disk.on(move |_, path| {
        if !done && path.starts_with(&snapshots) && path != snapshots && path.extension().is_none() {
            let written = fs::read_dir(&snapshots).unwrap().count();
            if written > 1 {
                done = true;
                for pack in &packs {
                    let mut content = fs::read(pack).unwrap();
                    content[40] ^= 1;
                    fs::set_permissions(pack, fs::Permissions::from_mode(0o600)).unwrap();
                    fs::write(pack, content).unwrap();
                }
            }
        }
        None
    });
    let error = said(&create(&ground, 240).unwrap_err());
    ground.disk.behave();
    assert!(error.contains("cannot be listed"), "{error}");
    assert_eq!(ground.vault.list().unwrap().len(), 1);
}
