//! What comes back is what was saved: every kind of entry, every property, the right snapshot of several.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use switchback_core::manifest::Kind;
use switchback_core::port::{SnapshotReader, SnapshotRequest, Vault};
use switchback_core::world::{Disk, FileKind, Identity, Meta, RealDisk};

use crate::ground::{Ground, manifest_of, noise, said};

const MIB: usize = 1 << 20;

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// Whether extended attributes can be set here; where not, the trees are built without.
fn set_xattr(path: &Path, name: &str, value: &[u8]) -> bool {
    RealDisk.set_xattr(path, OsStr::new(name), value).is_ok()
}

/// A tree with everything that backups are known to get wrong.
pub(crate) fn nasty(ground: &Ground) {
    let at = |path: &str| ground.project().join(path);
    fs::create_dir_all(at("tree/empty dir")).unwrap();
    fs::create_dir(at("tree/sticky")).unwrap();
    ground.write("tree/empty", b"");
    ground.write("tree/program", noise(1, 3 * MIB + 17));
    ground.write("tree/sub/z first by inode", b"linked content");
    fs::hard_link(at("tree/sub/z first by inode"), at("tree/a second name")).unwrap();
    fs::hard_link(at("tree/sub/z first by inode"), at("tree/sub/third name")).unwrap();
    symlink("/nowhere/at all", at("tree/dangling")).unwrap();
    symlink("sub/", at("tree/to sub")).unwrap();
    symlink(OsStr::from_bytes(b"\xfe target"), at("tree/odd target")).unwrap();
    fs::hard_link(at("tree/dangling"), at("tree/dangling again")).unwrap();
    let odd = ground.project().join("tree").join(OsStr::from_bytes(b"\xff\xfe\\ \"quoted\"\n\t%"));
    fs::write(&odd, b"odd name").unwrap();
    let fifo = Meta {
        kind: FileKind::Fifo,
        identity: Identity { device: 0, inode: 0, born_ns: 0 },
        mode: 0o640,
        uid: 0,
        gid: 0,
        size: 0,
        links: 1,
        mtime_ns: 0,
        ctime_ns: 0,
        atime_ns: 0,
        device_number: 0,
    };
    RealDisk.make_special(&at("tree/pipe"), &fifo).unwrap();
    if set_xattr(&at("tree/program"), "user.colour", b"blue\0\xff") {
        assert!(set_xattr(&at("tree/program"), "user.empty", b""));
        assert!(set_xattr(&at("tree/sub"), "user.note", b"of a directory"));
    }
    mode(&at("tree/program"), 0o6755);
    mode(&at("tree/sticky"), 0o3777);
    // Only root can read what has no right to be read.
    mode(&at("tree/empty"), if rustix::process::geteuid().is_root() { 0o000 } else { 0o400 });
    mode(&odd, 0o444);
    // As root another owner too; as a user the own one stays.
    drop(RealDisk.set_owner(&at("tree/sub/third name"), 12345, 54321));
    drop(RealDisk.set_owner(&at("tree/to sub"), 4, 5));
    RealDisk.set_times(&at("tree/program"), 1, -86_400_000_000_001).unwrap();
    RealDisk.set_times(&at("tree/dangling"), 1, 1_234_567_890_123_456_789).unwrap();
    RealDisk.set_times(&at("tree/pipe"), 1, 999_999_999).unwrap();
    RealDisk.set_times(&at("tree/sub"), 1, 981_173_106_000_000_001).unwrap();
    RealDisk.set_times(&at("tree"), 1, 1_000_000_000_000_000_007).unwrap();
    mode(&at("tree"), 0o711);
}

#[test]
fn a_nasty_tree_comes_back_exactly() {
    let ground = Ground::new();
    nasty(&ground);
    ground.write("single file", b"of its own");
    let saved = manifest_of(&ground.project(), &["tree", "single file"]);
    let record = ground.create(&["tree", "single file", "does not exist"]).unwrap();
    assert_eq!((record.files, record.label.as_str()), (saved.files(), "before the change"));
    assert_eq!(record.bytes, saved.bytes());
    assert_eq!(ground.vault.show(&record.id).unwrap(), (record.clone(), saved.clone()));

    let restored = ground.vault.restore(&record.id, &[], &ground.at("back")).unwrap();
    assert_eq!(restored, record);
    let back = manifest_of(&ground.at("back"), &["tree", "single file"]);
    assert_eq!(saved.differences(&back), []);
    assert_eq!(saved.entries.len(), 16, "the tree lost entries before it was saved");
    let linked = fs::metadata(ground.at("back/tree/sub/third name")).unwrap();
    assert_eq!(
        (linked.nlink(), linked.ino()),
        (3, fs::metadata(ground.at("back/tree/a second name")).unwrap().ino())
    );
    assert_eq!(fs::metadata(ground.at("back/tree")).unwrap().mode() & 0o7777, 0o711);
    assert_eq!(fs::metadata(ground.at("back")).unwrap().mode() & 0o7777, 0o700);
    assert_eq!(fs::read_link(ground.at("back/tree/to sub")).unwrap().as_os_str(), "sub/");
    assert_eq!(ground.vault.check(None).unwrap().findings, Vec::<String>::new());
}

#[test]
fn holes_come_back_as_holes_and_data_stays() {
    let ground = Ground::new();
    let sparse = ground.project().join("data/sparse");
    ground.write("data/dense", noise(3, 5 * MIB));
    ground.write("data/zeros at the end", [noise(4, 100_000), vec![0; 300_000]].concat());
    ground.write("data/sparse", b"");
    let file = fs::OpenOptions::new().write(true).open(&sparse).unwrap();
    file.set_len(40 * MIB as u64).unwrap();
    std::os::unix::fs::FileExt::write_all_at(&file, &noise(5, 100_001), 16 * MIB as u64 + 5).unwrap();
    std::os::unix::fs::FileExt::write_all_at(&file, &noise(6, 6 * MIB), 24 * MIB as u64).unwrap();
    ground.write("data/only hole", b"");
    let hole = fs::OpenOptions::new().write(true).open(ground.project().join("data/only hole")).unwrap();
    hole.set_len(8 * MIB as u64).unwrap();
    let before = manifest_of(&ground.project(), &["data"]);

    let record = ground.create(&["data"]).unwrap();
    // Room for what is data, far from enough for what is holes too.
    ground.disk.pretend_space(switchback_core::world::Space { bytes: 16 * MIB as u64, inodes: 100 });
    ground.vault.restore(&record.id, &[], &ground.at("back")).unwrap();

    assert_eq!(before.differences(&manifest_of(&ground.at("back"), &["data"])), []);
    let blocks = |name: &str| fs::metadata(ground.at("back/data").join(name)).unwrap().blocks() * 512;
    assert!(blocks("sparse") < 8 * MIB as u64, "{} bytes allocated", blocks("sparse"));
    assert!(blocks("only hole") <= 64 * 1024, "{} bytes allocated", blocks("only hole"));
    assert!(blocks("dense") >= 5 * MIB as u64);
}

#[test]
fn the_root_itself_can_be_saved() {
    let ground = Ground::new();
    ground.write("a", b"1");
    ground.write("d/b", b"2");
    mode(&ground.project(), 0o711);
    RealDisk.set_times(&ground.project(), 1, 1_000_000_001).unwrap();
    let record = ground.create(&["."]).unwrap();
    ground.vault.restore(&record.id, &[], &ground.at("back")).unwrap();
    let saved = manifest_of(&ground.project(), &["."]);
    assert_eq!(saved.differences(&manifest_of(&ground.at("back"), &["."])), []);
    assert_eq!(fs::metadata(ground.at("back")).unwrap().mode() & 0o7777, 0o711);
}

// rows: RB-11
#[test]
fn of_several_snapshots_exactly_the_named_one_is_restored() {
    let ground = Ground::new();
    let mut records = Vec::new();
    for version in ["one", "two", "three"] {
        ground.write("src/app.py", format!("version = '{version}'"));
        ground.write(&format!("src/only in {version}"), version);
        records.push(ground.create(&["src"]).unwrap());
        fs::remove_file(ground.project().join(format!("src/only in {version}"))).unwrap();
    }
    assert_eq!(ground.vault.list().unwrap(), records);
    for (record, version) in records.iter().zip(["one", "two", "three"]) {
        let into = ground.at(format!("back {version}"));
        ground.vault.restore(&record.id[..12], &[], &into).unwrap();
        assert_eq!(fs::read_to_string(into.join("src/app.py")).unwrap(), format!("version = '{version}'"));
        let mut names: Vec<_> =
            fs::read_dir(into.join("src")).unwrap().map(|e| e.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(
            names,
            ["app.py".to_owned(), format!("only in {version}")].map(Into::<std::ffi::OsString>::into)
        );
    }
}

#[test]
fn only_the_chosen_paths_are_restored() {
    let ground = Ground::new();
    ground.write("src/a/one", b"1");
    ground.write("src/b/two", b"2");
    ground.write("src/b/deep/three", b"3");
    fs::hard_link(ground.project().join("src/a/one"), ground.project().join("src/b/linked")).unwrap();
    fs::hard_link(ground.project().join("src/a/one"), ground.project().join("src/b/linked too")).unwrap();
    RealDisk.set_times(&ground.project().join("src/b"), 1, 1_000_000_001).unwrap();
    let record = ground.create(&["src"]).unwrap();

    ground.vault.restore(&record.id, &["src/b".into()], &ground.at("back")).unwrap();
    let back = manifest_of(&ground.at("back"), &["src"]);
    let names: Vec<_> = back.entries.iter().map(|entry| entry.path.to_str().unwrap()).collect();
    assert_eq!(
        names,
        ["src", "src/b", "src/b/deep", "src/b/deep/three", "src/b/linked", "src/b/linked too", "src/b/two"]
    );
    let saved = manifest_of(&ground.project(), &["src/b"]);
    assert_eq!(saved.differences(&manifest_of(&ground.at("back"), &["src/b"])), []);
    assert_eq!(
        back.get(Path::new("src/b/linked too")).unwrap().linked_to,
        Some(PathBuf::from("src/b/linked"))
    );

    ground.vault.restore(&record.id, &["src/b/deep/three".into()], &ground.at("one file")).unwrap();
    assert_eq!(fs::read(ground.at("one file/src/b/deep/three")).unwrap(), b"3");
    assert_eq!(fs::read_dir(ground.at("one file/src/b")).unwrap().count(), 1);

    let error = ground.vault.restore(&record.id, &["src/c".into()], &ground.at("none")).unwrap_err();
    assert!(said(&error).contains("caused by: `src/c` is not in the snapshot\nhint: "), "{}", said(&error));
    assert!(!ground.at("none").exists());
}

#[test]
fn an_id_may_be_short_but_not_ambiguous() {
    let ground = Ground::new();
    ground.write("src/a", b"1");
    let mut ids = Vec::new();
    // With seventeen ids two begin with the same digit.
    for _ in 0..17 {
        ids.push(ground.create(&["src"]).unwrap().id);
    }
    let shared = |digits: usize| ids.iter().filter(|id| id.starts_with(&ids[0][..digits])).count();
    let unique = (1..64).find(|digits| shared(*digits) == 1).unwrap();
    assert_eq!(ground.vault.show(&ids[0][..unique]).unwrap().0.id, ids[0]);
    assert_eq!(ground.vault.show(&ids[0].to_uppercase()[..unique]).unwrap().0.id, ids[0]);

    let digit = "0123456789abcdef"
        .chars()
        .find(|digit| ids.iter().filter(|id| id.starts_with(*digit)).count() > 1)
        .unwrap()
        .to_string();
    let error = ground.vault.show(&digit).unwrap_err();
    assert_eq!(error.message, format!("could not show snapshot `{digit}`"));
    let count = ids.iter().filter(|id| id.starts_with(&digit)).count();
    assert_eq!(error.causes[0], format!("{count} snapshots have an id that begins with `{digit}`"));
    assert!(error.causes[1].starts_with(&format!("candidate: `{digit}")), "{}", error.causes[1]);
    assert_eq!(error.hint.as_deref(), Some("give more digits of the id"));

    for unknown in ["no such id", ""] {
        let error = ground.vault.restore(unknown, &[], &ground.at("back")).unwrap_err();
        assert_eq!(error.causes[0], format!("no snapshot has an id that begins with `{unknown}`"));
        assert_eq!(error.causes.len(), 1 + 5 + 1, "five candidates and how many more: {:?}", error.causes);
        assert_eq!(error.hint.as_deref(), Some("`switchback snapshot list` shows every id"));
    }
}

#[test]
fn an_unchanged_file_is_not_stored_twice() {
    let ground = Ground::new();
    ground.write("src/big", noise(9, 4 * MIB));
    ground.create(&["src"]).unwrap();
    let bytes = |ground: &Ground| -> u64 {
        ground.repository_files("data").iter().map(|path| fs::metadata(path).unwrap().len()).sum()
    };
    let first = bytes(&ground);
    ground.write("src/small", b"new");
    let second = ground.create(&["src"]).unwrap();
    assert!(first > 4 * MIB as u64 && bytes(&ground) < first + 100_000, "{first} then {}", bytes(&ground));
    let manifest = ground.vault.show(&second.id).unwrap().1;
    assert!(
        matches!(manifest.get(Path::new("src/big")).unwrap().kind, Kind::File { size, .. } if size == 4 << 20)
    );
    ground.vault.restore(&second.id, &[], &ground.at("back")).unwrap();
    assert_eq!(fs::read(ground.at("back/src/big")).unwrap(), noise(9, 4 * MIB));
}

#[test]
fn what_nobody_touched_since_well_before_the_last_snapshot_is_not_read_again() {
    let ground = Ground::new();
    ground.write("src/long ago", b"as it was");
    ground.write("src/big", noise(9, 2 * MIB));
    ground.write("src/same time", b"one");
    let request = || SnapshotRequest {
        root: ground.project(),
        paths: vec!["src".into()],
        label: "before the change".into(),
    };
    let opened = |seconds: i64| {
        let opened = Arc::new(Mutex::new(Vec::new()));
        let names = Arc::clone(&opened);
        let project = ground.project();
        ground.disk.on(move |doing, path| {
            if doing == "open" && path.starts_with(&project) {
                names.lock().unwrap().push(path.file_name().unwrap().to_str().unwrap().to_owned());
            }
            None
        });
        let record = ground.vault_in(seconds).create(&request()).unwrap();
        ground.disk.behave();
        let mut opened = opened.lock().unwrap().clone();
        opened.sort();
        (opened, record)
    };
    // Within the minute before it, and before there was one, all is read.
    assert_eq!(opened(0).0, ["big", "long ago", "same time"]);
    assert_eq!(opened(120).0, ["big", "long ago", "same time"]);
    assert_eq!(opened(121).0, [""; 0], "the last one began two minutes after everything was written");
    // Another content of the same length and time of modification.
    let time = fs::metadata(ground.project().join("src/same time")).unwrap().modified().unwrap();
    ground.write("src/same time", b"two");
    let file = fs::File::options().write(true).open(ground.project().join("src/same time")).unwrap();
    file.set_modified(time).unwrap();
    let (read, record) = opened(122);
    assert_eq!(read, ["same time"]);
    assert_eq!(ground.vault.show(&record.id).unwrap().1, manifest_of(&ground.project(), &["src"]));
    ground.vault.restore(&record.id, &[], &ground.at("back")).unwrap();
    assert_eq!(fs::read(ground.at("back/src/same time")).unwrap(), b"two");
    assert_eq!(fs::read(ground.at("back/src/big")).unwrap(), noise(9, 2 * MIB));
    // Where the repository has lost what was stored, it is read.
    for pack in ground.repository_files("data") {
        fs::remove_file(pack).unwrap();
    }
    for index in ground.repository_files("index") {
        fs::remove_file(index).unwrap();
    }
    assert_eq!(opened(300).0, ["big", "long ago", "same time"]);
}

#[test]
fn before_the_first_snapshot_there_is_nothing_and_that_is_said() {
    let ground = Ground::new();
    assert_eq!(ground.vault.list().unwrap(), []);
    assert_eq!(ground.vault.check(None).unwrap().snapshots, 0);
    let error = ground.vault.show("abc").unwrap_err();
    assert_eq!(
        said(&error),
        "could not show snapshot `abc`\n  caused by: there is no verified snapshot in this repository\n\
         hint: make one with `switchback snapshot create`"
    );
    assert_eq!(fs::read_dir(ground.directory.path()).unwrap().count(), 1, "looking made nothing");
}
