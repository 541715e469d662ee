//! Known differences: what they cover, what they do not, and what their file must say.

use std::path::PathBuf;

use proptest::prelude::*;
use serde_json::{Value as Json, json};
use switchback_compare::{CompareOptions, exceptions};
use switchback_core::rule::{RowOrder, Rule};
use switchback_core::world::RealDisk;

use super::{comparer, key};

const OLD: &str = "id,x,s\n1,1.5,a\n2,2.5,b\n3,3.5,c\n";

struct Ground {
    folder: tempfile::TempDir,
}

impl Ground {
    fn new(old: &str, new: &str) -> Self {
        let ground = Self { folder: tempfile::tempdir().unwrap() };
        std::fs::write(ground.path("t.csv"), old).unwrap();
        std::fs::write(ground.path("u.csv"), new).unwrap();
        ground
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn load(&self, text: &str) -> Result<Vec<switchback_core::rule::Exception>, String> {
        std::fs::write(self.path("known.toml"), text).unwrap();
        let now = "2026-06-15T23:59:59Z".parse().unwrap();
        exceptions::load(&RealDisk, &self.path("known.toml"), now).map_err(|error| {
            let error = error.into_port_error(&self.path("t.csv"), &self.path("u.csv"));
            let folder = format!("{}/", self.folder.path().display());
            error.causes.join("\n").replace(&folder, "")
        })
    }

    fn compared(&self, text: &str, rule: &Rule) -> Json {
        let rule = Rule { exceptions: self.load(text).unwrap(), ..rule.clone() };
        let outcome =
            comparer().outcome(&self.path("t.csv"), &self.path("u.csv"), CompareOptions { rule }).unwrap();
        let mut json: Json = serde_json::from_str(&outcome.to_json()).unwrap();
        json["summary"] = outcome.summary().into();
        json
    }
}

fn exception(what: &str, expires: &str, count: u64) -> String {
    format!(
        "[[exception]]\nitem = \"t*\"\n{what}\nowner = \"pricing\"\nreason = \"ticket 12\"\nexpires = {expires}\ncount = {count}\n"
    )
}

// rows: BX-8
#[test]
fn a_known_difference_is_no_longer_a_no_and_is_still_counted() {
    let ground = Ground::new(OLD, "id,x,s\n1,1.5,a\n2,9.5,b\n3,9.5,c\n");
    let report = ground.compared(&exception("column = \"x\"", "2026-06-15", 2), &key(&["id"]));
    assert_eq!(report["verdict"], "yes");
    let item = &report["items"][0];
    assert_eq!((&item["verdict"], &item["relation"]), (&json!("yes"), &json!("different")));
    assert_eq!(item["rows"]["different"], 2);
    assert_eq!(item["columns"][0]["cells_different"], 2);
    assert_eq!(
        report["exceptions"],
        json!([{"item": "t*", "column": "x", "owner": "pricing", "reason": "ticket 12", "expires": "2026-06-15",
            "covered": 2, "count": 2, "expired": false, "unused": false}])
    );
    assert_eq!(
        report["summary"],
        "equal but for known differences (`t.csv`: 3 rows); 2 differences covered by exceptions"
    );
}

// rows: BX-8
#[test]
fn one_more_than_its_count_is_a_no() {
    let ground = Ground::new(OLD, "id,x,s\n1,8.5,a\n2,9.5,b\n3,9.5,c\n");
    let report = ground.compared(&exception("column = \"x\"", "2026-06-15", 2), &key(&["id"]));
    assert_eq!((&report["verdict"], &report["exceptions"][0]["covered"]), (&json!("no"), &json!(3)));
    let summary = report["summary"].as_str().unwrap();
    assert!(summary.ends_with("; the exception for `x` of `t*` covers 3 and may cover 2"), "{summary}");
    // The number holds for all files together.
    let folder = tempfile::tempdir().unwrap();
    for (side, value) in [("old", 1), ("new", 2)] {
        std::fs::create_dir(folder.path().join(side)).unwrap();
        for name in ["t1.csv", "t2.csv", "t3.json"] {
            let text =
                if name == "t3.json" { format!("{{\"x\": {value}}}") } else { format!("id,x\n1,{value}\n") };
            std::fs::write(folder.path().join(side).join(name), text).unwrap();
        }
    }
    for (count, verdict) in [(3, "yes"), (2, "no")] {
        let rule = Rule {
            exceptions: ground.load(&exception("column = \"x\"", "2026-06-15", count)).unwrap(),
            ..Rule::default()
        };
        let outcome = comparer()
            .outcome(&folder.path().join("old"), &folder.path().join("new"), CompareOptions { rule })
            .unwrap();
        assert_eq!(outcome.verdict.word(), verdict);
        assert_eq!(outcome.exceptions[0].covered, 3);
    }
}

// rows: BX-8
#[test]
fn an_expired_exception_covers_nothing_and_an_idle_one_is_said() {
    let ground = Ground::new(OLD, "id,x,s\n1,1.5,a\n2,9.5,b\n3,3.5,c\n");
    let report = ground.compared(&exception("column = \"x\"", "2026-06-14", 2), &key(&["id"]));
    assert_eq!(report["verdict"], "no");
    assert_eq!(report["exceptions"][0]["expired"], true);
    assert_eq!(report["exceptions"][0]["covered"], 0);
    let two =
        exception("column = \"x\"", "2026-07-01", 2) + &exception("column = \"s\"", "\"2026-07-01\"", 2);
    let report = ground.compared(&two, &key(&["id"]));
    assert_eq!(report["verdict"], "yes");
    assert_eq!(report["exceptions"][0]["unused"], false);
    assert_eq!(report["exceptions"][1]["unused"], true);
    assert!(
        report["summary"]
            .as_str()
            .unwrap()
            .ends_with("the exception for `s` of `t*` is about nothing that differs")
    );
}

// rows: BX-8
#[test]
fn only_what_it_is_about_is_covered() {
    let new = "id,x,s\n1,1.5,z\n2,9.5,b\n3,9.5,c\n4,4.5,d\n";
    let ground = Ground::new(OLD, new);
    let one = |what: &str| exception(what, "2026-07-01", 9);
    let verdict = |text: &str| ground.compared(text, &key(&["id"]))["verdict"].as_str().unwrap().to_owned();
    let all = one("column = \"x\"") + &one("column = \"s\"\nkey = { id = 1 }") + &one("side = \"only_new\"");
    assert_eq!(verdict(&all), "yes");
    assert_eq!(verdict(&(one("column = \"x\"") + &one("column = \"s\""))), "no", "a row too many");
    assert_eq!(verdict(&all.replace("id = 1 }", "id = 2 }")), "no");
    assert_eq!(verdict(&all.replace("only_new", "only_old")), "no");
    assert_eq!(verdict(&all.replace("\"t*\"", "\"v*\"")), "no");
    // A change of the schema is not covered, and neither is a file that is missing.
    let ground = Ground::new("id,x\n1,1\n", "id,x\n1,a\n");
    let report = ground.compared(&one("column = \"x\""), &key(&["id"]));
    assert_eq!((&report["verdict"], &report["exceptions"][0]["covered"]), (&json!("no"), &json!(1)));
    // Errors and what could not be told stay what they are.
    let ground = Ground::new("id,x\n", "id,x\n");
    assert_eq!(ground.compared(&one("column = \"x\""), &key(&["id"]))["verdict"], "unknown");
    let any = Rule { row_order: RowOrder::Any, ..Rule::default() };
    let ground = Ground::new("x\n1\n2\n", "x\n2\n3\n");
    let sides = one("side = \"only_new\"") + &one("side = \"only_old\"");
    let report = ground.compared(&sides, &any);
    assert_eq!((&report["verdict"], &report["items"][0]["relation"]), (&json!("yes"), &json!("different")));
}

#[test]
fn a_file_of_exceptions_is_read_strictly() {
    let ground = Ground::new(OLD, OLD);
    let check = |from: &str, to: &str, said: &str| {
        let text = exception("column = \"x\"", "2026-06-15", 2).replace(from, to);
        assert_eq!(
            ground.load(&text).unwrap_err(),
            format!("`known.toml` cannot be used\nknown.toml:{said}")
        );
    };
    check(
        "column =",
        "colum =",
        "1:1: `[[exception]]` has neither `column` nor `side`; name a `column` whose cells differ, or a `side` that has rows of its own\nknown.toml:3:1: unknown key `colum` in `[[exception]]`; did you mean `column`?",
    );
    check(
        "owner = \"pricing\"\n",
        "",
        "1:1: `[[exception]]` has no `owner`; add `owner = …`: who answers for it",
    );
    check("owner = \"pricing\"", "owner = \" \"", "4:9: `owner` in `[[exception]]` is empty; fill it in");
    check(
        "2026-06-15",
        "2026-06-31",
        "6:11: invalid date, expected day between 01 and 30; correct the TOML at this place",
    );
    check(
        "2026-06-15",
        "\"soon\"",
        "6:11: `expires` in `[[exception]]` is no day: `soon`; write it as year, month and day: 2026-12-31",
    );
    check(
        "count = 2",
        "count = 0",
        "7:9: `count` in `[[exception]]` is 0; take the exception out: it covers nothing",
    );
    check(
        "count = 2",
        "count = -2",
        "7:9: `count` in `[[exception]]` must be a whole number, 0 or more, not a negative number; correct it: the most cells or rows that it covers",
    );
    check(
        "column = \"x\"",
        "side = \"old\"",
        "3:8: `side` in `[[exception]]` cannot be `old`; known here: `only_old`, `only_new`",
    );
    check(
        "[[exception]]",
        "[[exceptions]]",
        "1:1: the file has no `exception`; add `exception = …`: a list of known differences, `[[exception]]`\nknown.toml:1:3: unknown key `exceptions` in the file; did you mean `exception`?",
    );
    // A selector by what is no key would never cover anything.
    let text = exception("column = \"x\"\nkey = { s = \"a\" }", "2026-06-15", 2);
    let rule = Rule { exceptions: ground.load(&text).unwrap(), ..key(&["id"]) };
    let said = super::failure(&ground.path("t.csv"), &ground.path("u.csv"), &rule);
    assert!(said.contains("an exception names rows by `s`, which is no column of the key"), "{said}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// Exactly the changes that were made are covered, from either side; one fewer allowed, and the answer is *no*.
    #[test]
    fn an_exception_covers_what_changed_and_no_more(changed in proptest::collection::vec(any::<bool>(), 1..40), by_key in any::<bool>()) {
        let table = |new: bool| {
            let rows = changed.iter().enumerate().map(|(row, changed)| format!("{row},{},a\n", u8::from(*changed && new)));
            format!("id,x,s\n{}", rows.collect::<String>())
        };
        let count = changed.iter().filter(|changed| **changed).count() as u64;
        for (old, new) in [(table(false), table(true)), (table(true), table(false))] {
            let ground = Ground::new(&old, &new);
            let rule = if by_key { key(&["id"]) } else { Rule::default() };
            let report = |count: u64| ground.compared(&exception("column = \"x\"", "2026-07-01", count), &rule);
            let enough = report(count.max(1));
            prop_assert_eq!(&enough["verdict"], "yes");
            prop_assert_eq!(&enough["exceptions"][0]["covered"], count);
            prop_assert_eq!(&enough["items"][0]["rows"]["different"], count);
            prop_assert_eq!(&enough["exceptions"][0]["unused"], count == 0);
            if count > 1 {
                prop_assert_eq!(&report(count - 1)["verdict"], "no");
            }
        }
    }
}
