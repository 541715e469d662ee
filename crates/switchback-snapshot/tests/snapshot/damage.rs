//! Damaged repositories: what is broken is found and named, and nothing is restored from it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use switchback_core::port::SnapshotReader;

use crate::ground::{Ground, noise, said};

const MIB: usize = 1 << 20;

/// Changes one byte of a file that restic made read-only.
fn flip(path: &Path, offset: usize) {
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
    let mut content = fs::read(path).unwrap();
    content[offset] ^= 1;
    fs::write(path, content).unwrap();
}

/// The pack that holds file content: by far the largest.
fn data_pack(ground: &Ground) -> std::path::PathBuf {
    ground.repository_files("data").into_iter().max_by_key(|path| fs::metadata(path).unwrap().len()).unwrap()
}

fn two_files() -> (Ground, String) {
    let ground = Ground::new();
    ground.write("src/big", noise(1, 3 * MIB));
    ground.write("src/small", b"small");
    let id = ground.create(&["src"]).unwrap().id;
    assert_eq!(ground.vault.check(Some(&id)).unwrap().findings, Vec::<String>::new());
    (ground, id)
}

#[test]
fn a_damaged_byte_is_found_and_named() {
    let (ground, id) = two_files();
    flip(&data_pack(&ground), MIB);
    let check = ground.vault.check(Some(&id[..8])).unwrap();
    assert_eq!(check.snapshots, 1);
    assert_eq!(check.findings.len(), 1, "{:?}", check.findings);
    let expected = format!("snapshot {id}: the content of `src/big` cannot be read: ");
    assert!(check.findings[0].starts_with(&expected), "{}", check.findings[0]);
    let all = ground.vault.check(None).unwrap();
    assert!(all.findings.iter().any(|finding| finding.starts_with(&expected)), "{:?}", all.findings);
    assert!(all.findings.iter().any(|finding| finding.starts_with("repository: ")), "{:?}", all.findings);

    let error = ground.vault.restore(&id, &[], &ground.at("back")).unwrap_err();
    assert!(said(&error).contains("`src/big` was not restored"), "{}", said(&error));
    assert!(!ground.at("back").exists(), "half a restore was left behind");
    ground.vault.restore(&id, &["src/small".into()], &ground.at("whole part")).unwrap();
    assert_eq!(fs::read(ground.at("whole part/src/small")).unwrap(), b"small");
}

#[test]
fn a_new_snapshot_that_would_rest_on_damaged_data_fails() {
    let (ground, _) = two_files();
    flip(&data_pack(&ground), MIB);
    let error = ground.create(&["src"]).unwrap_err();
    assert!(said(&error).contains("the content of `src/big` cannot be read"), "{}", said(&error));
    assert_eq!(ground.vault.list().unwrap().len(), 1);
    assert_eq!(ground.repository_files("snapshots").len(), 1, "the unverified snapshot is gone");
}

#[test]
fn a_missing_pack_is_an_error_and_no_panic() {
    let (ground, id) = two_files();
    fs::remove_file(data_pack(&ground)).unwrap();
    let error = ground.vault.restore(&id, &[], &ground.at("back")).unwrap_err();
    assert!(said(&error).contains("was not restored"), "{}", said(&error));
    assert!(said(&error).contains("No such file"), "{}", said(&error));
    assert!(!ground.at("back").exists());
    let findings = ground.vault.check(None).unwrap().findings;
    assert!(findings.iter().any(|finding| finding.contains("`src/big`")), "{findings:?}");
}

#[test]
fn every_missing_or_cut_file_of_the_repository_is_found() {
    for directory in ["data", "index", "snapshots", "."] {
        let (ground, id) = two_files();
        let files = match directory {
            "." => vec![ground.at("vault/config")],
            directory => ground.repository_files(directory),
        };
        for path in files {
            let content = fs::read(&path).unwrap();
            fs::remove_file(&path).unwrap();
            let error = ground.vault.restore(&id, &[], &ground.at("back"));
            assert!(error.is_err(), "restored without {}", path.display());
            assert_ne!(
                ground.vault.check(Some(&id)).unwrap().findings,
                Vec::<String>::new(),
                "{}",
                path.display()
            );
            fs::write(&path, &content[..content.len() / 2]).unwrap();
            assert_ne!(
                ground.vault.check(None).unwrap().findings,
                Vec::<String>::new(),
                "{}",
                path.display()
            );
            assert!(!ground.at("back").exists());
            fs::write(&path, &content).unwrap();
        }
        ground.vault.restore(&id, &[], &ground.at("back")).unwrap();
    }
}

#[test]
fn a_changed_record_is_found() {
    let (ground, id) = two_files();
    let record = ground.at("vault-manifests").join(&id);
    let text = fs::read_to_string(&record).unwrap();
    fs::write(&record, text.replace("\tsrc/small", "\tsrc/smell")).unwrap();
    let findings = ground.vault.check(None).unwrap().findings;
    assert_eq!(findings.len(), 1);
    assert!(
        findings[0].ends_with("is damaged: its manifest is not the one that was verified"),
        "{findings:?}"
    );
    assert!(ground.vault.show(&id).is_err());
    assert!(ground.vault.restore(&id, &[], &ground.at("back")).is_err());
    fs::write(&record, text.replace("before the change", "after the change")).unwrap();
    let error = ground.vault.list().unwrap_err();
    assert!(
        said(&error).contains("line 2 does not fit its hash in line 3\nhint: move it away"),
        "{}",
        said(&error)
    );
    fs::remove_file(&record).unwrap();
    assert_eq!(ground.vault.list().unwrap(), [], "without a record nothing is verified");
    fs::write(&record, "").unwrap();
    let next = ground.create(&["src"]).unwrap();
    assert_eq!(ground.vault.show(&next.id).unwrap().0, next, "a damaged record stops no new snapshot");
}

#[test]
fn a_snapshot_that_restic_forgot_is_not_listed_and_is_found() {
    let (ground, id) = two_files();
    fs::remove_file(ground.at("vault/snapshots").join(&id)).unwrap();
    assert_eq!(ground.vault.list().unwrap(), []);
    let findings = ground.vault.check(None).unwrap().findings;
    assert!(
        findings[0].contains(&format!("snapshot {id}: its own file in the repository cannot be read")),
        "{findings:?}"
    );
}

#[test]
fn without_the_kept_key_the_password_opens_and_without_both_it_is_said_what_is_missing() {
    let (ground, id) = two_files();
    let key = ground.at("vault.password.master-key");
    fs::remove_file(&key).unwrap();
    ground.vault.restore(&id, &[], &ground.at("by password")).unwrap();
    assert!(key.exists(), "the key is kept again");
    fs::write(&key, b"nonsense").unwrap();
    ground.vault.restore(&id, &[], &ground.at("by password again")).unwrap();

    fs::remove_file(&key).unwrap();
    fs::rename(ground.at("vault.password"), ground.at("elsewhere")).unwrap();
    let error = ground.vault.restore(&id, &[], &ground.at("not at all")).unwrap_err();
    let file = ground.at("vault.password");
    assert!(
        said(&error).contains(&format!("there is no password in `{}`", file.display())),
        "{}",
        said(&error)
    );
    assert!(ground.vault.check(None).is_err(), "a missing password is no damage");
    assert!(ground.create(&["src"]).is_err(), "no new password for an old repository");
    assert!(!file.exists());
}
