//! JSON, YAML and TOML by value.

use serde_json::json;
use switchback_core::rule::{Rule, Tolerance};

use super::report;

fn check(
    old: (&str, &str),
    new: (&str, &str),
    rule: &Rule,
    verdict: &str,
    relation: &serde_json::Value,
) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let (old_path, new_path) =
        (folder.path().join(format!("old.{}", old.0)), folder.path().join(format!("new.{}", new.0)));
    std::fs::write(&old_path, old.1).unwrap();
    std::fs::write(&new_path, new.1).unwrap();
    let report = report(&old_path, &new_path, rule);
    let item = &report["items"][0];
    assert_eq!((&report["verdict"], &item["relation"]), (&json!(verdict), relation), "{report:#}");
    let differences = item["differences"].as_array().unwrap().iter();
    differences.map(|difference| difference["path"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn order_of_members_and_kind_of_number_are_no_difference() {
    let rule = Rule::default();
    check(
        ("json", r#"{"a": 1, "b": [2]}"#),
        ("json", r#"{"b": [2.0], "a": 1}"#),
        &rule,
        "yes",
        &json!("identical"),
    );
    check(("json", r#"{"a": 1}"#), ("json", "{\"a\" :\n1}"), &rule, "yes", &json!("bitwise"));
    check(
        ("json", r#"{"a": 1, "b": [true, null]}"#),
        ("yaml", "a: 1\nb: [true, ~]"),
        &rule,
        "yes",
        &json!("bitwise"),
    );
    check(("json", r#"{"a": {"b": 1.5}}"#), ("toml", "[a]\nb = 1.5"), &rule, "yes", &json!("bitwise"));
}

#[test]
fn differences_have_a_place() {
    let rule = Rule::default();
    let no = json!("different");
    let paths = check(
        ("json", r#"{"a/b": [1, 2, 3], "s": "1", "t": true, "n": null}"#),
        ("json", r#"{"a/b": [1, 5], "s": 1, "t": 1, "n": 0, "new": {}}"#),
        &rule,
        "no",
        &no,
    );
    assert_eq!(paths, ["/a~1b/1", "/a~1b/2", "/n", "/new", "/s", "/t"]);
    let long = ("json", "[12345678901234567890123]");
    assert_eq!(check(long, ("json", "[12345678901234567890124]"), &rule, "no", &no), ["/0"]);
}

#[test]
fn tolerance_and_exclusion_by_name_or_place() {
    let near = Tolerance { absolute: Some(0.1), ..Tolerance::default() };
    let rule = Rule { tolerance: near, exclude: vec!["at".to_owned()], ..Rule::default() };
    let old = ("yaml", "a: {x: 1.0, at: 10}\nb: [1.0]");
    check(old, ("yaml", "a: {x: 1.05, at: 11}\nb: [1.0]"), &rule, "yes", &json!("tolerance"));
    let exact = [("/b".to_owned(), Tolerance::default())].into();
    let rule = Rule { column_tolerance: exact, ..rule };
    assert_eq!(check(old, ("yaml", "a: {x: 1.05}\nb: [1.05]"), &rule, "no", &json!("different")), ["/b/0"]);
}

#[test]
fn yaml_follows_the_core_schema() {
    let rule = Rule::default();
    let old =
        "- 0o17\n- 0x1F\n- +12\n- .5\n- .inf\n- yes\n- '1'\n- !!str 1\n- &x {k: 1}\n- *x\n- |\n  line\n";
    let new = r#"[15, 31, 12, 0.5, ".inf", "yes", "1", "1", {"k": 1}, {"k": 1}, "line\n"]"#;
    assert_eq!(check(("yaml", old), ("json", new), &rule, "no", &json!("different")), ["/4"]);
    check(
        ("yaml", "a: 1\n---\na: 2\n"),
        ("json", r#"[{"a": 1}, {"a": 2}]"#),
        &rule,
        "yes",
        &json!("bitwise"),
    );
}

#[test]
fn without_a_single_value_nothing_was_compared() {
    let rule = Rule { allow_empty: true, ..Rule::default() };
    for (ending, text) in [("json", "{}"), ("yaml", ""), ("toml", "# nothing\n")] {
        check((ending, text), (ending, text), &Rule::default(), "unknown", &json!(null));
        check((ending, text), (ending, text), &rule, "yes", &json!("bytes"));
    }
    let rule = Rule { exclude: vec!["a".to_owned()], ..Rule::default() };
    check(("json", r#"{"a": 1}"#), ("json", r#"{"a": 2}"#), &rule, "unknown", &json!(null));
}
