//! Snapshots and restores that must not succeed: unreadable, changing, unfit, no room, no rights.

use std::fs;
use std::io::{Error, ErrorKind, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::UnixListener;

use switchback_core::port::{SnapshotReader, Vault};
use switchback_core::world::{Disk, RealDisk, Space};

use crate::ground::{Ground, noise, said};

/// Nothing of a failed snapshot is listed, in the repository or in the records.
fn nothing_was_saved(ground: &Ground) {
    assert_eq!(ground.vault.list().unwrap(), []);
    if ground.at("vault").exists() {
        assert_eq!(ground.repository_files("snapshots"), Vec::<std::path::PathBuf>::new());
    }
}

#[test]
fn an_unreadable_file_fails_the_snapshot_by_name() {
    let ground = Ground::new();
    ground.write("src/fine", b"1");
    ground.write("src/locked", b"2");
    let locked = ground.project().join("src/locked");
    let path = locked.clone();
    ground
        .disk
        .on(move |did, asked| (did == "open" && asked == path).then(|| ErrorKind::PermissionDenied.into()));
    let error = ground.create(&["src"]).unwrap_err();
    assert_eq!(error.message, format!("could not make a snapshot of `{}`", ground.project().display()));
    assert_eq!(error.causes, [format!("could not open `{}`: permission denied", locked.display())]);
    nothing_was_saved(&ground);
    ground.disk.behave();
    ground.create(&["src"]).unwrap();
}

#[test]
fn an_unreadable_directory_fails_the_snapshot_by_name() {
    let ground = Ground::new();
    ground.write("src/sub/fine", b"1");
    let sub = ground.project().join("src/sub");
    ground
        .disk
        .on(move |did, asked| (did == "list" && asked == sub).then(|| ErrorKind::PermissionDenied.into()));
    let error = ground.create(&["src"]).unwrap_err();
    assert!(said(&error).contains("src/sub`: permission denied"), "{}", said(&error));
    nothing_was_saved(&ground);
}

#[test]
fn a_file_that_changes_while_it_is_saved_fails_the_snapshot_by_name() {
    let changes: [fn(&std::path::Path); 4] = [
        |path| fs::OpenOptions::new().append(true).open(path).unwrap().write_all(b"more").unwrap(),
        |path| fs::write(path, b"other").unwrap(),
        |path| fs::remove_file(path).unwrap(),
        |path| fs::write(path.with_file_name("new neighbour"), b"new").unwrap(),
    ];
    // Before it is read, after it was read and before its content is written, and before the index names it.
    for moment in ["open", "/data/", "/index/"] {
        for (number, change) in changes.into_iter().enumerate() {
            let ground = Ground::new();
            ground.write("src/log", b"lines");
            ground.write("src/other", b"1");
            let log = ground.project().join("src/log");
            let mut changed = false;
            ground.disk.on(move |did, asked| {
                let is_now = if did == "open" {
                    moment == "open" && asked == log
                } else {
                    did == "write" && asked.display().to_string().contains(moment)
                };
                if is_now && !changed {
                    changed = true;
                    change(&log);
                }
                None
            });
            let error = ground.create(&["src"]).unwrap_err();
            let expected = if number == 3 { "src/new neighbour" } else { "src/log" };
            assert!(said(&error).contains(expected), "{moment}, change {number}: {}", said(&error));
            nothing_was_saved(&ground);
        }
    }
}

#[test]
fn a_file_that_changes_under_each_reading_is_given_up_and_one_that_settles_is_still_another_one() {
    for readings in [1, 100] {
        let ground = Ground::new();
        ground.write("src/log", b"lines");
        let log = ground.project().join("src/log");
        let mut opened = 0;
        ground.disk.on(move |did, asked| {
            opened += u32::from(did == "open" && asked == log);
            if did == "open" && asked == log && opened <= readings {
                fs::OpenOptions::new().append(true).open(asked).unwrap().write_all(b"more").unwrap();
            }
            None
        });
        let error = ground.create(&["src"]).unwrap_err();
        assert!(said(&error).contains("src/log` changed while it was"), "{readings}: {}", said(&error));
        nothing_was_saved(&ground);
    }
}

#[test]
fn a_change_that_hides_its_size_and_time_is_found_too() {
    let ground = Ground::new();
    ground.write("src/sly", b"old content");
    let sly = ground.project().join("src/sly");
    let mtime = i128::from(fs::metadata(&sly).unwrap().mtime()) * 1_000_000_000;
    RealDisk.set_times(&sly, mtime, mtime).unwrap();
    ground.create(&["src"]).unwrap();
    fs::write(&sly, b"new content").unwrap();
    RealDisk.set_times(&sly, mtime, mtime).unwrap();
    let second = ground.create(&["src"]).unwrap();
    ground.vault.restore(&second.id, &[], &ground.at("back")).unwrap();
    assert_eq!(fs::read(ground.at("back/src/sly")).unwrap(), b"new content");
}

#[test]
fn a_socket_is_refused_by_name() {
    let ground = Ground::new();
    ground.write("src/file", b"1");
    let _listener = UnixListener::bind(ground.project().join("src/socket")).unwrap();
    let error = ground.create(&["src"]).unwrap_err();
    let socket = ground.project().join("src/socket");
    assert_eq!(error.causes, [format!("`{}` is a socket, which cannot be saved", socket.display())]);
    assert_eq!(error.hint.as_deref(), Some("stop its process, or move sockets out of the saved paths"));
    assert!(!ground.at("vault").exists());
}

#[test]
fn a_request_that_finds_nothing_is_refused() {
    let ground = Ground::new();
    let error = ground.create(&["missing", "gone"]).unwrap_err();
    assert_eq!(error.causes, ["none of its paths exists: `missing`, `gone`"]);
    assert!(ground.create(&[]).is_err());
    assert!(ground.create(&["../outside"]).is_err());
    nothing_was_saved(&ground);
}

#[test]
fn a_repository_inside_what_it_saves_is_refused() {
    let ground = Ground::new();
    ground.write("src/file", b"1");
    let request = switchback_core::port::SnapshotRequest {
        root: ground.directory.path().to_owned(),
        paths: vec![".".into()],
        label: String::new(),
    };
    let error = ground.vault.create(&request).unwrap_err();
    assert!(said(&error).contains("lies inside `.`, which it is to save"), "{}", said(&error));
}

#[test]
fn an_existing_path_is_never_restored_into() {
    let ground = Ground::new();
    ground.write("src/file", b"1");
    let id = ground.create(&["src"]).unwrap().id;
    fs::create_dir(ground.at("empty")).unwrap();
    std::os::unix::fs::symlink("nowhere", ground.at("link")).unwrap();
    for taken in ["project", "empty", "link"] {
        let error = ground.vault.restore(&id, &[], &ground.at(taken)).unwrap_err();
        assert_eq!(error.causes, [format!("`{}` exists already", ground.at(taken).display())]);
    }
    assert_eq!(fs::read_dir(ground.at("empty")).unwrap().count(), 0);
    let error = ground.vault.restore(&id, &[], &ground.at("no/such/parent")).unwrap_err();
    assert_eq!(error.causes, [format!("the directory `{}` does not exist", ground.at("no/such").display())]);
}

#[test]
fn too_little_room_is_refused_before_anything_is_written() {
    let ground = Ground::new();
    ground.write("src/file", noise(1, 1 << 20));
    let id = ground.create(&["src"]).unwrap().id;
    for space in [Space { bytes: 1 << 20, inodes: 100 }, Space { bytes: 1 << 30, inodes: 2 }] {
        ground.disk.pretend_space(space);
        let error = ground.vault.restore(&id, &[], &ground.at("back")).unwrap_err();
        let expected = format!("has room for {} bytes and {} entries", space.bytes, space.inodes);
        assert!(said(&error).contains(&expected), "{}", said(&error));
        assert!(!ground.at("back").exists());
    }
}

#[test]
fn what_cannot_be_written_or_set_ends_the_restore_and_leaves_nothing() {
    let ground = Ground::new();
    ground.write("src/sub/file", b"1");
    ground.write("src/other", b"2");
    let id = ground.create(&["src"]).unwrap().id;
    let wanted = ground.at("back/src/sub/file");
    for doing in ["write", "set the times of", "sync", "read"] {
        let path = wanted.clone();
        ground
            .disk
            .on(move |did, asked| (did == doing && asked == path).then(|| ErrorKind::StorageFull.into()));
        let error = ground.vault.restore(&id, &[], &ground.at("back")).unwrap_err();
        assert!(said(&error).contains(&wanted.display().to_string()), "{doing}: {}", said(&error));
        assert!(!ground.at("back").exists(), "{doing}");
    }
    ground.disk.behave();
    ground.vault.restore(&id, &[], &ground.at("back")).unwrap();
}

#[test]
fn an_owner_that_cannot_be_set_is_an_error_that_names_it() {
    let ground = Ground::new();
    ground.write("src/file", b"1");
    let file = ground.project().join("src/file");
    if RealDisk.set_owner(&file, 12345, 54321).is_err() {
        // Only root can make a file that belongs to somebody else.
        return;
    }
    let id = ground.create(&["src"]).unwrap().id;
    ground.disk.on(|did, _| (did == "set the owner of").then(|| ErrorKind::PermissionDenied.into()));
    let error = ground.vault.restore(&id, &[], &ground.at("back")).unwrap_err();
    assert_eq!(error.causes[0], "`src/file` belongs to user 12345 and group 54321");
    assert_eq!(error.hint.as_deref(), Some("restore as root, or leave this path out"));
    assert!(!ground.at("back").exists());
}

#[test]
fn a_restore_that_reads_back_differently_is_an_error() {
    let ground = Ground::new();
    ground.write("src/file", b"1");
    ground.write("src/other", b"2");
    let id = ground.create(&["src"]).unwrap().id;
    let back = ground.at("back/src/file");
    // Between the writing and the reading back something else writes.
    ground.disk.on(move |did, asked| {
        if did == "read" && asked == back {
            fs::write(asked, b"x").unwrap();
        }
        None
    });
    let error = ground.vault.restore(&id, &[], &ground.at("back")).unwrap_err();
    assert!(said(&error).contains("src/file"), "{}", said(&error));
    assert!(!ground.at("back").exists());
}

#[test]
fn a_snapshot_whose_files_cannot_be_made_durable_fails() {
    for (doing, part) in [
        ("sync", "/data/"),
        ("sync the directory", "/index"),
        ("rename", "/snapshots/"),
        ("rename", "-manifests/"),
    ] {
        let ground = Ground::new();
        ground.write("src/file", b"1");
        let vault = ground.at("vault");
        let prefix = vault.display().to_string();
        ground.disk.on(move |did, asked| {
            let asked = asked.display().to_string();
            let hit =
                did == doing && asked.starts_with(&prefix) && asked.contains(part) && !asked.contains(".new");
            hit.then(|| Error::other("the disk is gone"))
        });
        let error = ground.create(&["src"]).unwrap_err();
        assert!(said(&error).contains("the disk is gone"), "{doing} {part}: {}", said(&error));
        ground.disk.behave();
        nothing_was_saved(&ground);
        ground.create(&["src"]).unwrap();
        assert_eq!(ground.vault.check(None).unwrap().findings, Vec::<String>::new());
    }
}

#[test]
fn leftovers_of_a_killed_snapshot_are_swept_away() {
    let ground = Ground::new();
    ground.write("src/file", b"1");
    ground.create(&["src"]).unwrap();
    let leftover = ground.at("vault/data/00").join(format!("{}-tmp", "00".repeat(32)));
    fs::write(&leftover, b"half a pack").unwrap();
    fs::create_dir_all(ground.at("vault.new/data")).unwrap();
    assert_eq!(ground.vault.check(None).unwrap().findings, Vec::<String>::new());
    ground.create(&["src"]).unwrap();
    assert!(!leftover.exists());
}

#[test]
fn packs_that_no_index_names_do_no_harm() {
    let ground = Ground::new();
    ground.write("src/file", noise(5, 1 << 20));
    let killed = ground.create(&["src"]).unwrap().id;
    // What is left when the process dies after its packs and before their index.
    for path in ground.repository_files("index").into_iter().chain(ground.repository_files("snapshots")) {
        fs::remove_file(path).unwrap();
    }
    fs::remove_file(ground.at("vault-manifests").join(killed)).unwrap();
    let next = ground.create(&["src"]).unwrap();
    assert_eq!(ground.vault.check(Some(&next.id)).unwrap().findings, Vec::<String>::new());
    ground.vault.restore(&next.id, &[], &ground.at("back")).unwrap();
    assert_eq!(fs::read(ground.at("back/src/file")).unwrap(), noise(5, 1 << 20));
}

#[test]
fn one_writer_at_a_time() {
    let ground = Ground::new();
    ground.write("src/file", b"1");
    let held = RealDisk.lock(&ground.at("vault.lock"), "somebody else since noon").unwrap();
    let error = ground.create(&["src"]).unwrap_err();
    assert!(said(&error).contains("is in use: somebody else since noon\nhint: wait"), "{}", said(&error));
    drop(held);
    ground.create(&["src"]).unwrap();
}

#[test]
fn secrets_are_private_and_in_no_message() {
    let ground = Ground::new();
    ground.write("src/file", b"1");
    ground.create(&["src"]).unwrap();
    let password = fs::read_to_string(ground.at("vault.password")).unwrap().trim().to_owned();
    assert_eq!(password.len(), 64);
    for name in ["vault.password", "vault.password.master-key"] {
        assert_eq!(fs::metadata(ground.at(name)).unwrap().mode() & 0o7777, 0o600, "{name}");
    }
    assert!(!format!("{:?}", ground.vault).contains(&password));
    fs::set_permissions(ground.at("vault.password.master-key"), fs::Permissions::from_mode(0o644)).unwrap();
    let error = ground.create(&["src"]).unwrap_err();
    assert!(
        said(&error).contains("may be read by others (mode 644)\nhint: run `chmod 600 "),
        "{}",
        said(&error)
    );
    for path in ground.repository_files(".") {
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, 0o400, "{}", path.display());
    }
}

#[test]
fn something_else_at_the_place_of_the_repository_is_left_alone() {
    let ground = Ground::new();
    ground.write("src/file", b"1");
    fs::create_dir(ground.at("vault")).unwrap();
    fs::write(ground.at("vault/mine"), b"precious").unwrap();
    let error = ground.create(&["src"]).unwrap_err();
    assert!(said(&error).contains("exists and is not a snapshot repository"), "{}", said(&error));
    assert_eq!(fs::read(ground.at("vault/mine")).unwrap(), b"precious");
    fs::remove_file(ground.at("vault/mine")).unwrap();
    ground.create(&["src"]).unwrap();
}
