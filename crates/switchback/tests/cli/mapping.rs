//! `compare --mapping`: other names, units, labels and layouts, from one file.

use serde_json::{Value, json};

use super::ground::Ground;

/// Two wide tables and one long one that mean the same under `MAPPING` and, the other way round, under `BACK`.
const WIDE: &str =
    "id,stat,rate,limit,mean_price,sd_price\n1,A,0.07,5,1.5,0.25\n2,I,0.5,7,2.5,\n3,X,0.125,9,,0.75\n";
const LONG: &str = "key,stat,pct,limit,statistic,value\n3,X,12.5,900,sd,75.0\n1,active,7.000000000000001,500,mean,150.0\n\
                    1,active,7.000000000000001,500,sd,25.0\n2,inactive,50.0,700,mean,250.0\n2,inactive,50.0,700,sd,\n";
const MAPPING: &str = r#"
version = 1

[data.columns]
id = "key"
rate = "pct"

[data.units]
rate = "percent"
limit = { factor = 100 }
mean_price = { factor = 100 }
sd_price = { factor = 100 }

[data.categories]
stat = { A = "active", I = "inactive" }
statistic = { mean_price = "mean", sd_price = "sd" }

[data.tables."old".shape]
old = "wide"
new = "long"
id = ["id"]
name = "statistic"
value = "value"
columns = ["mean_price", "sd_price"]
"#;

fn ground() -> Ground {
    let ground = Ground::new();
    ground.write("old.csv", WIDE);
    ground.write("new.csv", LONG);
    ground.write("mapping.toml", MAPPING);
    ground
}

fn item(ground: &Ground, code: i32, line: &str) -> Value {
    ground.expect(code, line).json()["items"][0].clone()
}

// rows: OM-5
#[test]
fn names_units_labels_and_a_layout_are_mapped_at_once_and_the_report_says_so() {
    let ground = ground();
    let item = item(&ground, 0, "compare old.csv new.csv --mapping mapping.toml --json");
    assert_eq!(item["verdict"], "yes");
    assert_eq!(item["rows"]["compared"], 4);
    assert_eq!(item["proof"], "join");
    assert_eq!(
        item["mapping"],
        json!([
            {"kind": "column", "old": "id", "new": "key"},
            {"kind": "column", "old": "rate", "new": "pct"},
            {"kind": "unit", "column": "limit", "unit": null, "factor": "100", "offset": "0"},
            {"kind": "unit", "column": "mean_price", "unit": null, "factor": "100", "offset": "0"},
            {"kind": "unit", "column": "rate", "unit": "percent", "factor": "100", "offset": "0"},
            {"kind": "unit", "column": "sd_price", "unit": null, "factor": "100", "offset": "0"},
            {"kind": "categories", "column": "stat", "labels": {"A": "active", "I": "inactive"}, "joined": {}},
            {"kind": "categories", "column": "statistic", "labels": {"mean_price": "mean", "sd_price": "sd"}, "joined": {}},
            {"kind": "shape", "old": "wide", "new": "long", "id": ["id"], "name": "statistic", "value": "value",
             "columns": ["mean_price", "sd_price"], "without_value": {"old": 2, "new": 1}},
        ])
    );
    let seen = ground.run("compare old.csv new.csv --mapping mapping.toml --format text");
    insta::assert_snapshot!(seen, @r"
    $ switchback compare old.csv new.csv --mapping mapping.toml --format text
    --- stdout
    Verdict: yes
      Identical by value: 0 of 4 rows differ

                                           rows             only  only
      file     verdict  relation   proof  equal  different   old   new
      old.csv  yes      identical  join       4          0     0     0

    old.csv: yes
      Rows are matched by key
      Mapped: id is key in the new table
      Mapped: rate is pct in the new table
      Mapped: old values of limit × 100
      Mapped: old values of mean_price × 100
      Mapped: old values of rate × 100 (percent)
      Mapped: old values of sd_price × 100
      Mapped: labels of stat: A is active, I is inactive
      Mapped: labels of statistic: mean_price is mean, sd_price is sd
      Mapped: the old table made long, one row for each of mean_price, sd_price, in statistic and value;
        without a value, and no row: 2 of the old table, 1 of the new one
    --- exit 0
    ");
}

// rows: OM-5
#[test]
fn what_differs_under_a_mapping_is_named_as_the_old_table_names_it() {
    let ground = ground();
    ground.write("new.csv", LONG.replace("2,inactive,50.0,700", "2,inactive,51.0,700"));
    let item = item(&ground, 1, "compare old.csv new.csv --mapping mapping.toml --json");
    assert_eq!(item["rows"]["different"], 1);
    assert_eq!(item["first"]["column"], "rate");
    assert_eq!(item["first"]["key"], json!({"id": 2, "statistic": "mean"}));
    assert_eq!((&item["first"]["old"], &item["first"]["new"]), (&json!(50.0), &json!(51.0)));
    ground.write(
        "new.csv",
        LONG.replace("1,active,7.000000000000001,500,sd", "1,active,7.000000000000001,500,se"),
    );
    let item = self::item(&ground, 1, "compare old.csv new.csv --mapping mapping.toml --json");
    assert_eq!((&item["rows"]["only_old"], &item["rows"]["only_new"]), (&json!(1), &json!(1)));
    assert_eq!(item["rows_only_old"][0]["key"], json!({"id": 1, "statistic": "sd"}));
}

// rows: OM-5
#[test]
fn the_same_tables_the_other_way_round_are_equal_under_the_mapping_turned_round() {
    let ground = ground();
    let back = r#"
        version = 1
        [data]
        columns = { key = "id", pct = "rate" }
        units = { pct = "share", limit = { factor = 0.01 }, value = { factor = 0.01 } }
        categories = { stat = { active = "A", inactive = "I" }, statistic = { mean = "mean_price", sd = "sd_price" } }
        shape = { old = "long", new = "wide", id = ["key"], name = "statistic", value = "value", columns = ["mean_price", "sd_price"] }
    "#;
    ground.write("back.toml", back);
    let line = "compare new.csv old.csv --mapping back.toml --json";
    let item = item(&ground, 0, line);
    assert_eq!(item["rows"]["equal"], 4);
    assert_eq!(item["mapping"][7]["without_value"], json!({"old": 1, "new": 2}));
}

// rows: OM-5
#[test]
fn the_same_holds_for_files_with_types() {
    let ground = ground();
    ground.write(
        "old.jsonl",
        "{\"id\": 1, \"cents\": 250, \"status\": 1}\n{\"id\": 2, \"cents\": 7, \"status\": 2}\n",
    );
    ground.write("new.jsonl", "{\"id\": 1, \"euros\": 2.5, \"status\": \"on\"}\n{\"id\": 2, \"euros\": 0.07, \"status\": \"off\"}\n");
    ground.write(
        "m.toml",
        "version = 1\n[data]\ncolumns = { cents = \"euros\" }\nunits = { cents = { factor = 0.01 } }\n\
         categories = { status = { 1 = \"on\", 2 = \"off\" } }\n",
    );
    let item = item(&ground, 0, "compare old.jsonl new.jsonl --mapping m.toml --json");
    assert_eq!((&item["types_changed"], &item["relation"]), (&json!([]), &json!("identical")));
}

// rows: OM-5
#[test]
fn a_float_is_rounded_once_and_a_program_that_rounds_otherwise_is_within_units_in_the_last_place() {
    let ground = Ground::new();
    ground.write("old.csv", "id,rate\n1,0.29\n2,0.5\n");
    ground.write("new.csv", "id,rate\n1,29.0\n2,50.0\n");
    ground.write("m.toml", "version = 1\n[data.units]\nrate = \"percent\"\n");
    let line = "compare old.csv new.csv --mapping m.toml --json";
    let found = item(&ground, 1, line);
    assert_eq!(
        (&found["columns"][0]["max_ulps"], &found["first"]["old"]),
        (&json!(1), &json!(28.999_999_999_999_996))
    );
    assert_eq!(item(&ground, 0, &format!("{line} --ulps 1"))["relation"], "tolerance");
}

#[test]
fn equal_bytes_prove_nothing_under_a_unit() {
    let ground = ground();
    ground.write("m.toml", "version = 1\n[data.units]\nrate = \"percent\"\n");
    let item = item(&ground, 1, "compare old.csv old.csv --mapping m.toml --json");
    assert_eq!((&item["rows"]["different"], &item["proof"]), (&json!(3), &json!("lockstep")));
}

#[test]
fn a_mapping_that_is_about_something_else_is_refused_with_its_line() {
    let ground = ground();
    let cases = [
        (
            "[data.columns]\nidd = \"key\"\n",
            "line 3 cannot be followed: no old table has the column `idd`: did you mean `id`?",
        ),
        (
            "[data.columns]\nid = \"kye\"\n",
            "line 3 cannot be followed: no new table has the column `kye`: did you mean `key`?",
        ),
        (
            "[data.tables.other.units]\nrate = \"percent\"\n",
            "line 3 cannot be followed: no table that both sides have is called `other`",
        ),
        (
            "[data.units]\nstat = \"percent\"\n",
            "line 3 cannot be followed: `stat` has a unit, and is of the type text",
        ),
        (
            "[data.categories]\nrate.\"0.07\" = \"x\"\n",
            "line 3 cannot be followed: `rate` has categories, and is of the type number",
        ),
        (
            "[data.units]\nrate = \"percent\"\n[data.categories]\nrate.a = \"x\"\n",
            "`rate` has a unit and categories",
        ),
        (
            "[data.tables.old.units]\nrate = \"percent\"\n[data.tables.\"o*\".units]\nrate = \"share\"\n",
            "says something else of the same thing in `old.csv`",
        ),
        (
            "[data.shape]\nold = \"wide\"\nnew = \"long\"\nid = [\"id\"]\nname = \"statistik\"\nvalue = \"value\"\n",
            "no new table has the column `statistik`: did you mean `statistic`?",
        ),
        (
            "[data.unit]\nrate = \"percent\"\n",
            "mapping.toml:2:7: unknown key `unit` in `data` of the mapping; did you mean `units`?",
        ),
    ];
    for (text, wanted) in cases {
        ground.write("mapping.toml", format!("version = 1\n{text}"));
        let seen = ground.expect(2, "compare old.csv new.csv --mapping mapping.toml").to_string();
        assert!(seen.contains(wanted), "{text}\n{seen}");
    }
    let seen = ground.expect(2, "compare old.csv new.csv --mapping gone.toml").to_string();
    assert!(seen.contains("the mapping `gone.toml` cannot be read"), "{seen}");
}

// rows: OM-5
#[test]
fn a_check_follows_a_mapping_and_its_evidence_is_bound_to_it() {
    let ground = Ground::shop(
        "[[check]]\nname = \"equal\"\nkind = \"equivalence\"\nold = { tree = \"live\", path = \"src/t.csv\" }\n\
         new = { tree = \"candidate\", path = \"src/t.csv\" }\nmapping = \"mapping.toml\"\n",
    );
    ground.write("src/t.csv", "id,rate\n1,0.5\n");
    ground.write("../new/src/t.csv", "id,pct\n1,50.0\n");
    let seen = ground.expect(2, "run --until staged").to_string();
    assert!(seen.contains("the input `mapping.toml` of the check `equal` does not exist"), "{seen}");
    ground.write(
        "mapping.toml",
        "version = 1\n[data]\ncolumns = { rate = \"pct\" }\nunit = { rate = \"percent\" }\n",
    );
    let seen = ground.expect(2, "run --until staged --restage").to_string();
    assert!(seen.contains("mapping.toml:4:1: unknown key `unit`"), "{seen}");
    ground.write(
        "mapping.toml",
        "version = 1\n[data]\ncolumns = { rate = \"pct\" }\nunits = { rate = \"percent\" }\n",
    );
    ground.expect(0, "run --until staged --restage");
    ground.write(
        "mapping.toml",
        "version = 1\n[data]\ncolumns = { rate = \"pct\" }\nunits = { rate = \"per-mille\" }\n",
    );
    let seen = ground.expect(1, "run --until staged").to_string();
    assert!(seen.contains("is void, because since then the inputs changed"), "{seen}");
    let seen = ground.expect(1, "check equal --at staged").to_string();
    assert!(seen.contains("500.0 became 50.0"), "{seen}");
}
