//! Damaged records, and trees that were changed behind the program's back: found and named, and nothing is made worse.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use super::judge::{Sides, Standing};
use super::scene::{Layout, approved, expect, program, said, temporary_folder, write};

/// A project in a folder of its own, with both its sides.
fn project(layout: Layout) -> (tempfile::TempDir, PathBuf, Sides) {
    let folder = temporary_folder();
    let root = approved(folder.path(), layout);
    let sides = Sides::of(&root, &root.join("../candidate-1"));
    (folder, root, sides)
}

/// The command is refused with exit code 2 and says this.
fn refused(root: &Path, arguments: &[&str], words: &str, case: &str) {
    let output = program(root, arguments).output().unwrap();
    let said = said(&output);
    assert_eq!(output.status.code(), Some(2), "{case}: {arguments:?}: {said}");
    assert!(said.contains(words) && !said.contains("panicked"), "{case}: {arguments:?}: {said}");
}

/// The file of the only transaction.
fn transaction(root: &Path) -> PathBuf {
    let mut files = fs::read_dir(root.join(".switchback/txn")).unwrap().map(|entry| entry.unwrap().path());
    let file = files.next().unwrap();
    assert_eq!(files.next(), None);
    file
}

/// Where these bytes stand in the file.
fn position(content: &[u8], bytes: &str) -> usize {
    content.windows(bytes.len()).position(|window| window == bytes.as_bytes()).unwrap()
}

/// Does something to a transaction.
type Damage = fn(&mut Vec<u8>);

#[test]
fn a_damaged_transaction_of_a_live_phase_is_named_and_not_acted_upon() {
    let damages: [(&str, &str, Damage); 5] = [
        ("a byte of its first line", "is not a transaction", |content| content[0] ^= 1),
        ("a byte of the intent", "gone or damaged", |content| {
            let at = position(content, "\"record\":\"prepare\"");
            content[at + 3] ^= 1;
        }),
        // As a torn record would look: without the journal, the cutover would be taken back.
        ("a byte of the decision", "gone or damaged", |content| {
            let at = position(content, "\"record\":\"commit\"");
            content[at + 3] ^= 1;
        }),
        ("cut short", "gone or damaged", |content| content.truncate(100)),
        ("empty", "gone or damaged", Vec::clear),
    ];
    let (_folder, root, sides) = project(Layout::Exchange);
    expect(&root, &["run", "--until", "live"], 0);
    let file = transaction(&root);
    let whole = fs::read(&file).unwrap();
    let name = file.file_name().unwrap().to_str().unwrap();
    for (case, words, damage) in damages {
        let mut damaged = whole.clone();
        damage(&mut damaged);
        fs::write(&file, damaged).unwrap();
        for arguments in [&["status"][..], &["run"], &["rollback"]] {
            refused(&root, arguments, words, case);
            refused(&root, arguments, &format!(".switchback/txn/{name}`"), case);
            assert_eq!(sides.standing(&root), Standing::New, "{case}: {arguments:?}");
        }
    }
    fs::remove_file(&file).unwrap();
    for arguments in [&["status"][..], &["run"], &["rollback"]] {
        refused(&root, arguments, "gone or damaged", "gone");
        assert_eq!(sides.standing(&root), Standing::New, "gone: {arguments:?}");
    }
    fs::write(&file, whole).unwrap();
    expect(&root, &["rollback"], 0);
    assert_eq!(sides.standing(&root), Standing::Old, "with its records again");
}

#[test]
fn a_managed_path_that_became_a_link_since_staging_is_not_exchanged() {
    for layout in [Layout::Exchange, Layout::Adoption] {
        for path in ["src", "settings.toml"] {
            let (folder, root, sides) = project(layout);
            let elsewhere = folder.path().join("elsewhere");
            fs::rename(root.join(path), &elsewhere).unwrap();
            std::os::unix::fs::symlink("../elsewhere", root.join(path)).unwrap();
            let before = Sides::of(&root, &root);
            let output = program(&root, &["run"]).output().unwrap();
            let case = format!("{layout:?}, {path}: {}", said(&output));
            assert!(matches!(output.status.code(), Some(1 | 2)), "{case}");
            assert!(case.contains(&format!("`{path}`")) && !case.contains(": acknowledged: "), "{case}");
            assert_eq!(before.standing(&root), Standing::Old, "{case}");
            sides.others_stay(&root, &case);
            assert!(fs::symlink_metadata(root.join(path)).unwrap().is_symlink(), "{case}");
            assert!(elsewhere.exists(), "{case}");
        }
    }
}

#[test]
fn a_folder_above_a_managed_path_that_became_a_link_out_of_the_project_is_not_followed() {
    for layout in [Layout::Exchange, Layout::Adoption] {
        let (folder, root, sides) = project(layout);
        let elsewhere = folder.path().join("elsewhere");
        fs::rename(root.join("config"), &elsewhere).unwrap();
        std::os::unix::fs::symlink("../elsewhere", root.join("config")).unwrap();
        let stages = || fs::read_to_string(elsewhere.join("pipeline/stages.yml")).unwrap();
        let before = stages();
        let output = program(&root, &["run"]).output().unwrap();
        let case = format!("{layout:?}: {}", said(&output));
        assert!(matches!(output.status.code(), Some(1 | 2)), "{case}");
        assert!(!case.contains("panicked") && !case.contains(": acknowledged: "), "{case}");
        assert_eq!(stages(), before, "{case}");
        fs::remove_file(root.join("config")).unwrap();
        fs::rename(&elsewhere, root.join("config")).unwrap();
        assert_eq!(sides.standing(&root), Standing::Old, "{case}");
    }
}

/// `kill -9` of whoever holds the lock, while a command of its plan lives on.
#[test]
fn the_lock_of_a_killed_holder_is_free_at_once() {
    let folder = temporary_folder();
    let root = super::scene::lay_out(folder.path(), Layout::Exchange);
    let plan = fs::read_to_string(root.join("switchback.toml")).unwrap();
    let free = folder.path().join("free");
    let command = format!("test -e {} || sleep 60", free.display());
    let check = format!(
        "[[check]]\nname = \"slow\"\nkind = \"command\"\ncommand = \"{command}\"\nat = [\"staged\"]\n"
    );
    write(&root.join("switchback.toml"), &format!("{plan}\n{check}"), 0o644);
    let mut holder = program(&root, &["run"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let begun = Instant::now();
    let log = || String::from_utf8_lossy(&program(&root, &["log"]).output().unwrap().stdout).into_owned();
    while !log().contains("check-started") {
        assert!(begun.elapsed() < Duration::from_mins(1), "the check never started");
        std::thread::sleep(Duration::from_millis(20));
    }
    refused(&root, &["run"], &format!("(process {}) runs `switchback run`", holder.id()), "held");
    holder.kill().unwrap();
    holder.wait().unwrap();
    write(&free, "", 0o644);
    let again = Instant::now();
    expect(&root, &["run", "--until", "live"], 0);
    assert!(again.elapsed() < Duration::from_secs(50), "it waited for what the killed run left running");
    expect(&root, &["rollback"], 0);
}

#[test]
fn a_damaged_snapshot_is_named_and_nothing_is_restored_from_it() {
    let (folder, root, _sides) = project(Layout::Exchange);
    let listed = expect(&root, &["snapshot", "list", "--json"], 0).stdout;
    let listed: serde_json::Value = serde_json::from_slice(&listed).unwrap();
    let id = listed["snapshots"][0]["id"].as_str().unwrap().to_owned();
    let vault = root.join(".switchback/snapshots");
    let manifests = root.join(".switchback/snapshots-manifests");
    let mut files = files_below(&vault);
    files.extend(files_below(&manifests));
    assert!(files.iter().any(|file| file.starts_with(&manifests)), "no manifest in {files:?}");
    let mut seen = 0;
    for file in files {
        let whole = fs::read(&file).unwrap();
        let case = file.strip_prefix(&root).unwrap().display().to_string();
        write(&file, "", 0o600);
        let check = program(&root, &["snapshot", "check"]).output().unwrap();
        let restored =
            program(&root, &["snapshot", "restore", &id, "--into", "../restored"]).output().unwrap();
        assert!(!said(&check).contains("panicked") && !said(&restored).contains("panicked"), "{case}");
        assert!(matches!(check.status.code(), Some(1 | 2)), "{case}: check: {}", said(&check));
        if file.starts_with(vault.join("keys")) {
            // The kept master key opens what the password does not: nothing of what is restored is damaged.
            assert_eq!(restored.status.code(), Some(0), "{case}: restore: {}", said(&restored));
            fs::remove_dir_all(folder.path().join("restored")).unwrap();
        } else {
            assert_eq!(restored.status.code(), Some(2), "{case}: restore: {}", said(&restored));
            assert!(!folder.path().join("restored").exists(), "{case}: something was restored");
        }
        fs::write(&file, whole).unwrap();
        seen += 1;
    }
    assert!(seen >= 5, "{seen} files in a repository");
    expect(&root, &["snapshot", "restore", &id, "--into", "../restored"], 0);
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files_below(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}
