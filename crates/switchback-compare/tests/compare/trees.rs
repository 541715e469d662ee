//! Directories, matched by relative path, and stages.

use std::path::{Path, PathBuf};

use serde_json::{Value as Json, json};
use switchback_core::rule::Rule;

use super::{failure, key, report};

fn write(root: &Path, files: &[(&str, &str)]) -> PathBuf {
    std::fs::create_dir_all(root).unwrap();
    for (name, text) in files {
        let path = root.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    root.to_owned()
}

fn check(old: &[(&str, &str)], new: &[(&str, &str)], rule: &Rule, verdict: &str) -> Json {
    let folder = tempfile::tempdir().unwrap();
    let (old, new) = (write(&folder.path().join("old"), old), write(&folder.path().join("new"), new));
    let report = report(&old, &new, rule);
    assert_eq!(report["verdict"], verdict, "{report:#}");
    report
}

fn stages(names: &[&str]) -> Rule {
    Rule { stages: names.iter().map(|name| (*name).to_owned()).collect(), ..key(&["id"]) }
}

#[test]
fn files_meet_by_relative_path() {
    let rule = Rule::default();
    let same = [("a.csv", "x\n1\n"), ("sub/b.json", "{\"x\": 1}"), ("sub/_DONE", "")];
    let all = check(&same, &same, &rule, "yes");
    assert_eq!(all["items"].as_array().unwrap().len(), 3);
    assert_eq!(all["items"][1]["name"], "sub/_DONE");
    let fewer = check(&same, same.get(..2).unwrap(), &rule, "no");
    assert_eq!(fewer["only_old"], json!(["sub/_DONE"]));
    assert_eq!(fewer["items"][0]["verdict"], "yes");
}

#[test]
fn nothing_in_common_is_unknown() {
    let rule = Rule { allow_empty: true, ..Rule::default() };
    check(&[], &[], &Rule::default(), "unknown");
    check(&[], &[], &rule, "yes");
    check(&[("a.csv", "x\n1\n")], &[("b.csv", "x\n1\n")], &Rule::default(), "unknown");
    check(&[("a.csv", "x\n1\n")], &[("b.csv", "x\n1\n")], &rule, "no");
    // One empty table makes the whole unknown.
    let two = [("a.csv", "x\n1\n"), ("b.csv", "x\n")];
    check(&two, &two, &Rule::default(), "unknown");
}

#[test]
fn an_unknown_format_is_compared_by_bytes_and_says_so() {
    let report = check(&[("model.bin", "1")], &[("model.bin", "2")], &Rule::default(), "no");
    assert_eq!(
        report["items"][0]["not_compared"],
        json!(["only bytes were compared: the format is not known"])
    );
    assert_eq!(report["items"][0]["kind"], "file");
}

#[test]
fn stages_in_the_order_given() {
    let old = [
        ("01_load/a.csv", "id,v\n1,1\n"),
        ("02_clean.csv", "id,v\n41,1.5\n"),
        ("03_fit/m.json", "{\"auc\": 0.5}"),
        ("notes.txt", "x"),
    ];
    let new = [
        ("01_load/a.csv", "id,v\n1,1\n"),
        ("02_clean.csv", "id,v\n41,2.5\n"),
        ("03_fit/m.json", "{\"auc\": 0.75}"),
    ];
    let report = check(&old, &new, &stages(&["01_load", "02_clean", "03_fit"]), "no");
    assert_eq!(
        report["stages"],
        json!([
            {"name": "01_load", "verdict": "yes", "relation": "bytes"},
            {"name": "02_clean", "verdict": "no", "relation": "different"},
            {"name": "03_fit", "verdict": "no", "relation": "different"}
        ])
    );
    let first = &report["first_divergence"];
    assert_eq!((&first["stage"], &first["item"]), (&json!("02_clean"), &json!("02_clean.csv")));
    assert_eq!((&first["key"], &first["column"]), (&json!({"id": 41}), &json!("v")));
    assert_eq!(report["first_not_bitwise"], json!({"stage": "02_clean"}));
    assert_eq!(report["not_compared"], json!(["notes.txt"]));
    let report = check(&old, &new, &stages(&["03_fit", "02_clean"]), "no");
    assert_eq!(
        (&report["first_divergence"]["item"], &report["first_divergence"]["path"]),
        (&json!("m.json"), &json!("/auc"))
    );
    check(&old, &new, &stages(&["01_load"]), "yes");
}

#[test]
fn a_missing_stage_is_an_error_on_either_side() {
    let folder = tempfile::tempdir().unwrap();
    let old = write(&folder.path().join("old"), &[("01/a.csv", "id\n1\n"), ("02/a.csv", "id\n1\n")]);
    let new = write(&folder.path().join("new"), &[("01/a.csv", "id\n1\n")]);
    assert!(failure(&old, &new, &stages(&["01", "02"])).starts_with("stage `02` is missing in `new`\n"));
}

#[test]
fn links_are_followed_to_files() {
    let folder = tempfile::tempdir().unwrap();
    let old = write(&folder.path().join("old"), &[("a.csv", "x\n1\n")]);
    let new = write(&folder.path().join("new"), &[("real.csv", "x\n2\n")]);
    std::os::unix::fs::symlink("real.csv", new.join("a.csv")).unwrap();
    let whole = report(&old, &new, &Rule::default());
    assert_eq!(whole["items"][0]["rows"]["different"], 1, "{whole:#}");
    let single = report(&old.join("a.csv"), &new.join("a.csv"), &Rule::default());
    assert_eq!(single["items"][0]["kind"], "table", "{single:#}");
    // A link to nowhere is compared by its target.
    std::fs::remove_file(new.join("a.csv")).unwrap();
    for (side, target) in [(&old, "one"), (&new, "two")] {
        std::os::unix::fs::symlink(target, side.join("b.csv")).unwrap();
    }
    let loose = report(&old, &new, &Rule::default());
    assert_eq!((&loose["items"][0]["name"], &loose["items"][0]["verdict"]), (&json!("b.csv"), &json!("no")));
}
