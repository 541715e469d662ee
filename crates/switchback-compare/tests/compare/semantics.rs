//! What each option of a rule means: one line a case, each in both directions.

use switchback_core::rule::{
    ColumnCase, ColumnOrder, Duplicates, KeyTypes, Pairing, RowOrder, Rule, SchemaRule, TextRule, Tolerance,
};

use super::{failure, key, report};

/// The verdict, and `compared equal different only_old only_new`.
type Expected = (&'static str, [u64; 5]);

fn check(old: &str, new: &str, rule: &Rule, expected: Expected) {
    let folder = tempfile::tempdir().unwrap();
    let (old_path, new_path) = (folder.path().join("old.csv"), folder.path().join("new.csv"));
    std::fs::write(&old_path, old).unwrap();
    std::fs::write(&new_path, new).unwrap();
    let report = report(&old_path, &new_path, rule);
    let rows = &report["items"][0]["rows"];
    let names = ["compared", "equal", "different", "only_old", "only_new"];
    let found = names.map(|name| rows[name].as_u64().unwrap());
    assert_eq!((report["verdict"].as_str().unwrap(), found), expected, "{old:?} {new:?} {rule:?}");
}

fn refused(old: &str, new: &str, rule: &Rule, said: &str) {
    let folder = tempfile::tempdir().unwrap();
    let (old_path, new_path) = (folder.path().join("old.csv"), folder.path().join("new.csv"));
    std::fs::write(&old_path, old).unwrap();
    std::fs::write(&new_path, new).unwrap();
    let found = failure(&old_path, &new_path, rule);
    assert!(found.contains(said), "{found}");
}

fn absolute(bound: f64) -> Tolerance {
    Tolerance { absolute: Some(bound), ..Tolerance::default() }
}

fn any(bound: f64) -> Rule {
    Rule { row_order: RowOrder::Any, tolerance: absolute(bound), ..Rule::default() }
}

fn matched(bound: f64) -> Rule {
    Rule { duplicates: Duplicates::Match, tolerance: absolute(bound), ..key(&["id"]) }
}

fn common() -> Rule {
    Rule { schema: SchemaRule::Common, ..Rule::default() }
}

#[test]
fn a_multiset_is_matched_as_far_as_it_can_be() {
    check("x\n1\n2\n2\n3\n", "x\n2\n3\n3\n4\n5\n", &any(0.0), ("no", [2, 2, 0, 2, 3]));
    // The pair of ones must be given up, so that every row finds another.
    check("x\n0.0\n1.0\n", "x\n1.0\n2.0\n", &any(1.0), ("yes", [2, 2, 0, 0, 0]));
    // Sorted by value, the rows do not line up; matched, they do.
    check("x,s\n1.0,b\n1.00001,a\n", "x,s\n1.0,a\n1.00001,b\n", &any(0.001), ("yes", [2, 2, 0, 0, 0]));
    check(
        "x,y\n0.0,0.0\n1.0,0.0\n5.0,1.0\n",
        "x,y\n1.0,0.0\n0.5,1.0\n5.0,1.0\n",
        &any(1.0),
        ("yes", [3, 3, 0, 0, 0]),
    );
    // What finds no equal row is on one side only, never different.
    check("x\n1.0\n9.0\n", "x\n1.1\n5.0\n", &any(0.5), ("no", [1, 1, 0, 1, 1]));
    check(
        "x,y\n1.5,\n",
        "x,y\n1.5,\n",
        &Rule { null: Pairing::Different, ..any(0.5) },
        ("no", [0, 0, 0, 1, 1]),
    );
    let folded = Rule { text: TextRule { ignore_case: true, ..TextRule::default() }, ..any(0.0) };
    check("s\na\nB\n", "s\nb\nA\n", &folded, ("yes", [2, 2, 0, 0, 0]));
    let times = Rule { time_tolerance_ns: Some(1_000_000_000), ..any(0.0) };
    check(
        "t\n2026-01-01T00:00:00\n2026-01-01T00:00:01\n",
        "t\n2026-01-01T00:00:01\n2026-01-01T00:00:02\n",
        &times,
        ("yes", [2, 2, 0, 0, 0]),
    );
}

#[test]
fn rows_of_one_key_are_paired_at_their_best() {
    // The nearest first would leave 3.0 and 0.9 over.
    check("id,x\n1,1.0\n1,2.0\n", "id,x\n1,1.9\n1,2.9\n", &matched(0.95), ("yes", [2, 2, 0, 0, 0]));
    // Exact pairs come first, also where they leave less for the rest.
    check("id,x\n1,0.0\n1,1.0\n", "id,x\n1,1.0\n1,2.0\n", &matched(1.0), ("no", [2, 1, 1, 0, 0]));
    check("id,a,b\n1,1,1\n1,2,2\n", "id,a,b\n1,2,9\n1,1,8\n", &matched(0.0), ("no", [2, 0, 2, 0, 0]));
    check("id,a\n1,1\n1,2\n1,3\n", "id,a\n1,3\n1,9\n", &matched(0.0), ("no", [2, 1, 1, 1, 0]));
    check("id\n1\n1\n2\n", "id\n2\n1\n", &matched(0.0), ("no", [2, 2, 0, 1, 0]));
    refused("id,a\n1,1\n1,1\n", "id,a\n1,1\n2,2\n", &key(&["id"]), "have the same key (id = 1)");
}

#[test]
fn many_rows_of_one_key_are_matched_too() {
    let table = |turn: usize| {
        let rows = (0..1_200).map(|row| format!("1,{}.25\n", (row + turn) % 1_200));
        format!("id,x\n{}", rows.collect::<String>())
    };
    check(&table(0), &table(7), &matched(0.0), ("yes", [1_200, 1_200, 0, 0, 0]));
    let shifted = table(7).replace(".25", ".5");
    check(&table(0), &shifted, &matched(0.25), ("yes", [1_200, 1_200, 0, 0, 0]));
    check(&table(0), &shifted, &matched(0.0), ("no", [1_200, 0, 1_200, 0, 0]));
}

#[test]
fn keys_meet_by_value() {
    let yes = ("yes", [2, 2, 0, 0, 0]);
    check("id,x\n-0.0,1\n1.5,2\n", "id,x\n1.5,2\n0.0,1\n", &key(&["id"]), yes);
    check("id,x\nNaN,1\n1.5,2\n", "id,x\n1.5,2\nNaN,1\n", &key(&["id"]), yes);
    check("id,x\n,1\n1,2\n", "id,x\n1,2\n,1\n", &key(&["id"]), yes);
    let bits = Rule { bitwise: true, ..key(&["id"]) };
    check("id,x\n-0.0,1\n1.5,2\n", "id,x\n0.0,1\n1.5,2\n", &bits, ("no", [1, 1, 0, 1, 1]));
    let folded = TextRule { ignore_case: true, trim: true, masks: Vec::new() };
    let folded = Rule { text: folded, ..key(&["id"]) };
    check("id,x\nA,1\nb,2\n", "id,x\nB ,2\na,1\n", &folded, yes);
    check(
        "id,x\n1,1\n2,2\n",
        "id,x\n1.0,1\n2.0,2\n",
        &Rule { schema: SchemaRule::Common, ..key(&["id"]) },
        yes,
    );
    let coerced = Rule { key_types: KeyTypes::Coerce, ..common() };
    let coerced = Rule { key: vec!["id".to_owned()], ..coerced };
    check("id,x\n1,1\n2,2\n", "id,x\n1.0,1\n2e0,2\n", &coerced, yes);
    check("id,x\n1.0,1\nx,2\n", "id,x\n1,1\n2,2\n", &coerced, ("no", [1, 1, 0, 1, 1]));
    check(
        "id,x\n1.0,1\nx,2\n",
        "id,x\n1,1\n2,2\n",
        &Rule { key_types: KeyTypes::Exact, ..coerced },
        ("no", [0, 0, 0, 2, 2]),
    );
}

#[test]
fn the_schema_counts_as_asked() {
    let (yes, no) = (("yes", [1, 1, 0, 0, 0]), ("no", [1, 1, 0, 0, 0]));
    check("a,b\n1,2\n", "a\n1\n", &Rule::default(), no);
    check("a,b\n1,2\n", "a\n1\n", &common(), yes);
    check("a,b\n1,2\n", "b,a\n2,1\n", &Rule::default(), yes);
    check("a,b\n1,2\n", "b,a\n2,1\n", &Rule { column_order: ColumnOrder::Strict, ..Rule::default() }, no);
    check("a,b\n1,2\n", "a,c,b\n1,3,2\n", &Rule { column_order: ColumnOrder::Strict, ..common() }, yes);
    check("a\n1\n", "b\n1\n", &common(), ("unknown", [1, 1, 0, 0, 0]));
    check("id,a\n1,2\n", "id,b\n1,2\n", &Rule { schema: SchemaRule::Common, ..key(&["id"]) }, yes);
    check("a,b\n1,2\n", "a,b\n1,3\n", &Rule { columns: vec!["a".to_owned()], ..Rule::default() }, yes);
    check("a,b\n1,2\n", "a\n1\n", &Rule { columns: vec!["b".to_owned()], ..Rule::default() }, no);
    check("a\n1\n", "a,b\n1,2\n", &Rule { exclude: vec!["b".to_owned()], ..Rule::default() }, yes);
    refused(
        "a\n1\n",
        "a\n1\n",
        &Rule { columns: vec!["z".to_owned()], ..Rule::default() },
        "has no column `z`",
    );
    let typo = Rule { column_tolerance: [("z".to_owned(), absolute(1.0))].into(), ..Rule::default() };
    refused("a\n1\n", "a\n2\n", &typo, "has no column `z`");
    let folded = Rule { column_case: ColumnCase::Ignore, ..Rule::default() };
    check("a,A\n1,2\n", "a,A\n1,2\n", &folded, yes);
    refused("ab,AB\n1,2\n", "Ab\n1\n", &folded, "has two columns named");
}

#[test]
fn renamed_columns_keep_their_old_names() {
    let rename = |pairs: &[(&str, &str)]| {
        pairs.iter().map(|(old, new)| ((*old).to_owned(), (*new).to_owned())).collect()
    };
    let folder = tempfile::tempdir().unwrap();
    let (old, new) = (folder.path().join("old.csv"), folder.path().join("new.csv"));
    std::fs::write(&old, "id,amt,x\n1,1.0,7\n2,2.0,7\n").unwrap();
    std::fs::write(&new, "number,amount,x\n2,2.5,7\n1,1.0,7\n").unwrap();
    let rule = Rule {
        rename: rename(&[("id", "number"), ("amt", "amount")]),
        column_tolerance: [("amt".to_owned(), absolute(0.25))].into(),
        ..key(&["id"])
    };
    let compared = |rule: &Rule, old: &std::path::Path, new: &std::path::Path| {
        let outcome =
            super::comparer().outcome(old, new, switchback_compare::CompareOptions { rule: rule.clone() });
        serde_json::from_str::<serde_json::Value>(&outcome.unwrap().to_json()).unwrap()
    };
    let report = compared(&rule, &old, &new);
    assert_eq!(report["items"][0]["columns"][0]["name"], "amt");
    assert_eq!(report["items"][0]["first"]["key"], serde_json::json!({"id": 2}));
    let swapped = Rule {
        rename: rename(&[("number", "id"), ("amount", "amt")]),
        column_tolerance: [("amount".to_owned(), absolute(0.25))].into(),
        ..key(&["number"])
    };
    let mirror = compared(&swapped, &new, &old);
    assert_eq!(mirror["items"][0]["columns"][0]["name"], "amount");
    assert_eq!(mirror["items"][0]["rows"], report["items"][0]["rows"]);
    // Two names that change places.
    let exchanged = Rule { rename: rename(&[("a", "b"), ("b", "a")]), ..Rule::default() };
    check("a,b\n1,2\n", "b,a\n1,2\n", &exchanged, ("yes", [1, 1, 0, 0, 0]));
    refused("a\n1\n", "a\n1\n", &Rule { rename: rename(&[("a", "z")]), ..Rule::default() }, "has no column");
}

#[test]
fn values_are_as_equal_as_asked() {
    let (yes, no) = (("yes", [1, 1, 0, 0, 0]), ("no", [1, 0, 1, 0, 0]));
    let bits = Rule { bitwise: true, ..Rule::default() };
    check("x\n-0.0\n", "x\n0.0\n", &Rule::default(), yes);
    check("x\n-0.0\n", "x\n0.0\n", &bits, no);
    check("x\n1.0\n", "x\n1.5\n", &Rule { tolerance: absolute(1.0), ..bits }, no);
    let nan = Rule { nan: Pairing::Different, ..Rule::default() };
    check("x\nNaN\n", "x\nNaN\n", &nan, no);
    check("x,y\n1,\n", "x,y\n1,\n", &Rule { null: Pairing::Different, ..Rule::default() }, no);
    check("x\n1.5\nNaN\n", "x\n1.5\n\n", &Rule::default(), ("no", [2, 1, 1, 0, 0]));
    let one = Rule { null_is_nan: true, ..Rule::default() };
    check("x\n1.5\nNaN\n", "x\n1.5\n\n", &one, ("yes", [2, 2, 0, 0, 0]));
    let trim = |ignore_case| TextRule { trim: true, ignore_case, masks: Vec::new() };
    check("s\n\" Ab\"\n", "s\nab\n", &Rule { text: trim(true), ..Rule::default() }, yes);
    check("s\n\" Ab\"\n", "s\nab\n", &Rule { text: trim(false), ..Rule::default() }, no);
    let masks = vec!["0x[0-9a-f]+".to_owned()];
    let masked = Rule { text: TextRule { masks, ..TextRule::default() }, ..Rule::default() };
    check("s\nat 0x1f\n", "s\nat 0x2e\n", &masked, yes);
    let second = Rule { time_tolerance_ns: Some(1_000_000_000), ..Rule::default() };
    check("t\n2026-01-01T00:00:00\n", "t\n2026-01-01T00:00:01\n", &second, yes);
    check("t\n2026-01-01T00:00:00\n", "t\n2026-01-01T00:00:01.000000001\n", &second, no);
    // A bound on numbers is none on times.
    check("t\n2026-01-01\n", "t\n2026-01-02\n", &Rule { tolerance: absolute(1e9), ..Rule::default() }, no);
}

#[test]
fn text_tables_lose_nothing() {
    let no = ("no", [1, 0, 1, 0, 0]);
    check("z,s\n007,a\n", "z,s\n7,a\n", &common(), no);
    // Where one side has text, the cells meet as they stand in the files.
    check("x\n1.0\n2\n", "x\n1.0\nabc\n", &common(), ("no", [2, 1, 1, 0, 0]));
    check("x\ntrue\n", "x\n1\n", &common(), no);
    // A blank line of a single column is a row.
    check("x\n1\n\n3\n", "x\n1\n3\n", &Rule::default(), ("no", [2, 1, 1, 1, 0]));
    check("x\n1\n\n", "x\n1\n\"\"\n", &Rule::default(), ("yes", [2, 2, 0, 0, 0]));
    check("x,y\n1,2\n\n", "x,y\n1,2\n", &Rule::default(), ("yes", [1, 1, 0, 0, 0]));
    check("a,b\n1,\"x;y\"\n", "'a';'b'\n'1';'x;y'\n", &Rule::default(), ("yes", [1, 1, 0, 0, 0]));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.csv");
    std::fs::write(&path, "a;b\n1;2\n").unwrap();
    let rule = Rule { delimiter_old: Some(b','), delimiter_new: Some(b';'), ..Rule::default() };
    let outcome =
        super::comparer().outcome(&path, &path, switchback_compare::CompareOptions { rule }).unwrap();
    assert_eq!(outcome.verdict, switchback_core::verdict::Verdict::No, "one file, read in two ways");
}

#[test]
fn what_holds_for_columns_is_not_passed_over_for_a_document() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.json");
    std::fs::write(&path, "{\"a\": 1}").unwrap();
    let said = failure(&path, &path, &Rule { columns: vec!["a".to_owned()], ..Rule::default() });
    assert!(said.contains("columns are chosen or renamed, and `a.json` has none"), "{said}");
}
