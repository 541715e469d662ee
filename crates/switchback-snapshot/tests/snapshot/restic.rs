//! Stock restic reads what Switchback writes.

use std::process::Command;

use switchback_core::port::SnapshotReader;

use crate::ground::{Ground, manifest_of, noise};
use crate::round_trip::nasty;

#[test]
fn needs_restic_to_check_and_restore_a_snapshot() {
    let ground = Ground::new();
    nasty(&ground);
    // Two things that older releases of restic cannot restore: link targets that are not text, links that have two names.
    for beyond in ["tree/odd target", "tree/dangling again"] {
        std::fs::remove_file(ground.project().join(beyond)).unwrap();
    }
    // Around the bounds of chunks, and of packs.
    for length in [511 << 10, 512 << 10, (512 << 10) + 1, 8 << 20, 20 << 20] {
        ground.write(&format!("tree/of {length} bytes"), noise(length as u64, length));
    }
    let id = ground.create(&["tree"]).unwrap().id;
    let restic = |arguments: &[&str]| {
        let done = Command::new("restic")
            .args(["--no-cache", "-r"])
            .arg(ground.at("vault"))
            .arg("--password-file")
            .arg(ground.at("vault.password"))
            .args(arguments)
            .output()
            .unwrap();
        assert!(done.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout).unwrap()
    };
    assert!(restic(&["snapshots", "--json"]).contains(&id));
    restic(&["check", "--read-data"]);
    let target = ground.at("by restic");
    restic(&["restore", &id, "--target", target.to_str().unwrap()]);
    let saved = manifest_of(&ground.project(), &["tree"]);
    assert_eq!(saved.differences(&manifest_of(&target, &["tree"])), []);
    assert_eq!(ground.vault.check(None).unwrap().findings, Vec::<String>::new());
}
