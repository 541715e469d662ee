//! Where folders cannot be exchanged: the program finds that out, takes the next best way, and says so. These tests mount,
//! which takes root.

use std::path::Path;
use std::process::Command;

use super::image::Mounted;
use super::judge::{Sides, Standing, nothing_beside};
use super::scene::{Layout, expect, lay_out, program, said, temporary_folder};
use super::strace::inject;

/// There and back, and back again from the snapshot; each time the program says what it does.
fn there_and_back(root: &Path, word: &str) {
    let sides = Sides::of(root, &root.join("../candidate-1"));
    let output = expect(root, &["run", "--until", "live"], 0);
    assert!(said(&output).contains(&format!("the cutover is by {word}")), "{}", said(&output));
    assert_eq!(sides.standing(root), Standing::New);
    let status = expect(root, &["status", "--json"], 2);
    assert!(said(&status).contains(&format!("\"mechanism\": \"{word}\"")), "{}", said(&status));
    std::fs::write(root.join("src/written-since.txt"), "since").unwrap();
    let output = expect(root, &["rollback"], 0);
    assert!(
        said(&output).contains("written-since.txt"),
        "what was written since is named: {}",
        said(&output)
    );
    assert_eq!(sides.standing(root), Standing::Old, "{}", said(&output));
    nothing_beside(root, "rolled back");
    sides.others_stay(root, "rolled back");
    expect(root, &["run", "--until", "live"], 0);
    assert_eq!(sides.standing(root), Standing::New);
    expect(root, &["rollback", "--only", "src"], 0);
    expect(root, &["rollback"], 0);
    assert_eq!(sides.standing(root), Standing::Old, "part by part");
    expect(root, &["run", "--until", "live"], 0);
    let output = expect(root, &["rollback", "--from", "snapshot"], 0);
    assert_eq!(sides.standing(root), Standing::Old, "{}", said(&output));
    nothing_beside(root, "restored");
    expect(root, &["run"], 0);
    nothing_beside(root, "finished");
    assert_eq!(sides.standing(root), Standing::New, "finished");
    expect(root, &["rollback"], 0);
    assert_eq!(sides.standing(root), Standing::Old, "after it was finished");
    nothing_beside(root, "rolled back after it was finished");
    sides.others_stay(root, "restored");
}

// rows: BX-1
#[test]
fn folders_of_a_lower_layer_are_replaced_file_by_file() {
    let folder = temporary_folder();
    let lower = folder.path().join("lower");
    std::fs::create_dir(&lower).unwrap();
    lay_out(&lower, Layout::Probed);
    let layer = Mounted::layered(&folder.path().join("at"), &lower, &folder.path().join("above"));
    there_and_back(&layer.at().join("project"), "file-by-file");
}

#[test]
fn a_mechanism_that_was_asked_for_and_does_not_work_is_refused() {
    let folder = temporary_folder();
    let lower = folder.path().join("lower");
    std::fs::create_dir(&lower).unwrap();
    lay_out(&lower, Layout::Exchange);
    let layer = Mounted::layered(&folder.path().join("at"), &lower, &folder.path().join("above"));
    let root = layer.at().join("project");
    let sides = Sides::of(&root, &root.join("../candidate-1"));
    for _ in 0..2 {
        let text = said(&program(&root, &["run"]).output().unwrap());
        let is_told = text.contains("cannot be moved") && text.contains("`\"file-by-file\"`");
        assert!(is_told && !text.contains("panicked"), "{text}");
        assert_eq!(sides.standing(&root), Standing::Old, "{text}");
        sides.others_stay(&root, &text);
    }
}

#[test]
fn a_mount_point_is_replaced_file_by_file() {
    let folder = temporary_folder();
    let root = lay_out(folder.path(), Layout::Probed);
    std::fs::rename(root.join("src"), folder.path().join("content")).unwrap();
    let disk = Mounted::in_memory(&root.join("src"), 8 << 20);
    let mut copy = Command::new("cp");
    copy.arg("-a").arg(folder.path().join("content/.")).arg(disk.at());
    assert!(copy.status().unwrap().success());
    let plan = said(&expect(&root, &["plan"], 0));
    assert!(plan.contains("cutover by file-by-file"), "{plan}");
    there_and_back(&root, "file-by-file");
}

#[test]
fn a_mount_inside_a_managed_path_is_refused_before_anything_is_touched() {
    let folder = temporary_folder();
    let root = lay_out(folder.path(), Layout::Probed);
    let _disk = Mounted::in_memory(&root.join("src/hollow"), 1 << 20);
    let sides = Sides::of(&root, &root.join("../candidate-1"));
    let output = expect(&root, &["run"], 2);
    let text = said(&output);
    assert!(
        text.contains("is mounted inside the managed path `src`") && text.contains("src/hollow"),
        "{text}"
    );
    assert_eq!(sides.standing(&root), Standing::Old, "{text}");
    nothing_beside(&root, "refused");
}

#[test]
fn a_copy_that_was_changed_since_it_was_parked_is_not_relied_on() {
    let folder = temporary_folder();
    let root = lay_out(folder.path(), Layout::FileByFile);
    let sides = Sides::of(&root, &root.join("../candidate-1"));
    expect(&root, &["run", "--until", "approved"], 0);
    let copy = std::fs::read_dir(&root).unwrap().map(|entry| entry.unwrap().path()).find(|path| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        name.starts_with(".src.sb-") && path.extension().is_some_and(|suffix| suffix == "aside")
    });
    std::fs::write(copy.unwrap().join("app.py"), "tampered\n").unwrap();
    let text = said(&expect(&root, &["run", "--until", "live"], 2));
    assert!(text.contains("the copy of what is live was changed") && text.contains("src/app.py"), "{text}");
    assert_eq!(sides.standing(&root), Standing::Old, "{text}");
    expect(&root, &["run", "--restage", "--until", "live"], 0);
    assert_eq!(sides.standing(&root), Standing::New);
}

/// Only a rollback goes on: the old tree must not wait for anybody.
#[test]
fn whoever_writes_to_what_is_replaced_file_by_file_is_named_before_it() {
    let folder = temporary_folder();
    let root = lay_out(folder.path(), Layout::FileByFile);
    let sides = Sides::of(&root, &root.join("../candidate-1"));
    expect(&root, &["run", "--until", "approved"], 0);
    let reader = std::fs::File::open(root.join("src/app.py")).unwrap();
    let writer = std::fs::OpenOptions::new().append(true).open(root.join("src/app.py")).unwrap();
    let text = said(&expect(&root, &["run", "--until", "live"], 2));
    assert!(text.contains("open for writing") && text.contains("src/app.py"), "{text}");
    assert_eq!(sides.standing(&root), Standing::Old, "{text}");
    drop(writer);
    expect(&root, &["run", "--until", "live"], 0);
    assert_eq!(sides.standing(&root), Standing::New);
    let writer = std::fs::OpenOptions::new().append(true).open(root.join("src/app.py")).unwrap();
    let text = said(&expect(&root, &["rollback"], 0));
    assert!(text.contains("what it writes from now on is lost"), "{text}");
    assert_eq!(sides.standing(&root), Standing::Old, "{text}");
    drop((reader, writer));
}

/// As on a network file system, on which `renameat2` knows no flags (rename(2)).
#[test]
fn needs_strace_without_an_exchange_folders_are_renamed_twice() {
    let folder = temporary_folder();
    let root = lay_out(folder.path(), Layout::Probed);
    let sides = Sides::of(&root, &root.join("../candidate-1"));
    for (arguments, standing) in [(&["run"][..], Standing::New), (&["rollback"], Standing::Old)] {
        let struck = inject(&root, arguments, "renameat2", "error=EINVAL");
        let text = said(&struck.output);
        assert!(struck.is_reached && struck.output.status.success(), "{text}");
        assert_eq!(sides.standing(&root), standing, "{text}");
        assert!(arguments[0] == "rollback" || text.contains("the cutover is by two-renames"), "{text}");
        sides.others_stay(&root, &text);
    }
    nothing_beside(&root, "rolled back");
}
