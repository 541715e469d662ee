//! `constraint`, alone and as a check of a plan: a row is named, a mistyped column could not be told.

use std::fmt::Write as _;

use serde_json::json;

use super::ground::{Ground, Seen};

const PRICES: &str = "product,week,price\na,1,2.5\na,2,-1.5\nb,1,\nb,2,7\n";

fn prices() -> Ground {
    let ground = Ground::new();
    ground.write("prices.csv", PRICES);
    ground
}

fn ask(ground: &Ground, code: i32, arguments: &[&str]) -> Seen {
    let seen = ground.run_arguments(&[&["constraint"], arguments].concat());
    assert_eq!(seen.code, code, "{seen}");
    seen
}

// rows: RE-4
#[test]
fn one_violating_row_among_a_million_is_named_and_a_mistyped_column_could_not_be_told() {
    let ground = Ground::new();
    let mut text = String::from("id,price\n");
    for id in 0..1_000_000 {
        writeln!(text, "{id},{}", if id == 734_511 { -3 } else { 1 + id % 97 }).unwrap();
    }
    ground.write("prices.csv", text);
    let seen = ask(&ground, 1, &["prices.csv", "--holds", "price > 0"]);
    insta::assert_snapshot!(seen, @r"
    $ switchback constraint prices.csv --holds 'price > 0'
    --- stdout
    no: price > 0: 1 violation in 1000000 rows
      row     id      price
      734511  734511  -3
    --- exit 1
    ");
    let seen = ask(&ground, 2, &["prices.csv", "--holds", "prise > 0"]);
    insta::assert_snapshot!(seen, @r"
    $ switchback constraint prices.csv --holds 'prise > 0'
    --- stdout
    could not tell: prise > 0: there is no column `prise`; did you mean `price`?
    --- exit 2
    ");
}

#[test]
fn violating_rows_are_a_table_and_a_document() {
    let ground = prices();
    let arguments = ["prices.csv", "--holds", "price > 0", "--unique", "product,week", "--sample", "1"];
    insta::assert_snapshot!(ask(&ground, 1, &arguments), @r"
    $ switchback constraint prices.csv --holds 'price > 0' --unique product,week --sample 1
    --- stdout
    no: price > 0: 2 violations in 4 rows
      row  product  week  price
      1    a        2     -1.5
      … and 1 more
    yes: product, week unique: no violation in 4 rows
    --- exit 1
    ");
    let document = ask(&ground, 1, &[&["--json"], &arguments[..]].concat()).json();
    assert_eq!(document["schema"], "switchback/constraint/1");
    assert_eq!(document["tables"][0]["rows"], 4);
    let found = &document["constraints"][0];
    let row = json!({"row": 1, "product": "a", "week": 2, "price": -1.5});
    let expected = json!({"name": "price > 0", "form": "holds", "verdict": "no", "rows": 4, "violating": 2, "sample": [row]});
    assert_eq!(*found, expected);
    assert_eq!(document["constraints"][1]["verdict"], "yes");
}

#[test]
fn short_forms_can_be_typed() {
    let ground = prices();
    ask(&ground, 0, &["prices.csv", "--not-null", "product,week"]);
    ask(&ground, 1, &["prices.csv", "--not-null", "price"]);
    ask(&ground, 0, &["prices.csv", "--sign", "week=positive"]);
    ask(&ground, 1, &["prices.csv", "--sign", "week=not-positive"]);
    let order =
        ["--by", "week", "--within", "product", "--direction", "increasing", "--where", "price IS NOT NULL"];
    let seen = ask(&ground, 1, &[&["prices.csv", "--monotone", "price"], &order[..]].concat());
    insta::assert_snapshot!(seen, @r"
    $ switchback constraint prices.csv --monotone price --by week --within product --direction increasing --where 'price IS NOT NULL'
    --- stdout
    no: price increasing by week within product: 1 violation in 3 rows, 1 neighbouring pair
      product  row  week  price  previous_row  previous_week  previous_price
      a        1    2     -1.5   0             1              2.5
    --- exit 1
    ");
    ask(&ground, 0, &["p=prices.csv", "--select", "SELECT * FROM p WHERE week > 2"]);
    ask(
        &ground,
        0,
        &[".", "--holds", "a.week < b.week", "--from", "prices AS a JOIN prices AS b ON a.week + 1 = b.week"],
    );
    for wrong in [
        &["prices.csv"][..],
        &["prices.csv", "--sign", "price"],
        &["prices.csv", "--sign", "price=red"],
        &["prices.csv", "--monotone", "price"],
        &["prices.csv", "--holds", "price > 0", "--memory", "much"],
        &["gone.csv", "--holds", "price > 0"],
        &["prices.csv", "--holds", "price > 0", "--where", "week > 7"],
    ] {
        ask(&ground, 2, wrong);
    }
}

/// A check whose commands need nothing but a shell.
fn check(more: &str) -> String {
    let results =
        "printf 'feature,effect\\\\nprice,-1.5\\\\ncap,%s\\\\n' $(cat src/app.py) > {out}/effects.csv";
    format!("[[check]]\nname = \"effects\"\nkind = \"constraint\"\ncommand = \"{results}\"\n{more}")
}

fn staged(ground: &Ground, code: i32) -> (String, String) {
    let seen = ground.expect(code, "run --until staged --restage");
    let document = ground.run("status --json").json();
    let mut checks = document["checks"].as_array().unwrap().iter();
    let found = checks.rfind(|check| check["at"] == "staged").unwrap_or_else(|| panic!("{seen}"));
    (found["verdict"].as_str().unwrap().to_owned(), found["summary"].as_str().unwrap().to_owned())
}

// rows: RE-4
#[test]
fn a_plan_is_held_to_its_constraints() {
    let sign = "where = \"feature = 'price'\"\nsign = { column = \"effect\", is = \"negative\" }\n";
    let ground = Ground::shop(&check(sign));
    ground.write("src/app.py", "0.5");
    ground.write("../new/src/app.py", "0.7");
    assert_eq!(staged(&ground, 0), ("yes".to_owned(), "effect negative: no violation in 1 row".to_owned()));
    ground.plan("", &check("holds = \"effect < 0\"\n"));
    let (verdict, summary) = staged(&ground, 1);
    assert_eq!(verdict, "no");
    assert_eq!(summary, "effect < 0: 1 violation in 2 rows; first: row = 1, feature = cap, effect = 0.7");
    // The old version is what `live` names.
    ground.plan("", &check("tree = \"live\"\nholds = \"effect <> 0.5\"\n"));
    assert!(staged(&ground, 1).1.ends_with("effect = 0.5"));
    for (more, words) in [
        ("holds = \"efect < 0\"\n", "there is no column `efect`; did you mean `effect`?"),
        ("table = \"effect\"\nholds = \"effect < 0\"\n", "did you mean `effects`?"),
        ("holds = \"effect < 0\"\nwhere = \"feature = 'none'\"\n", "it saw no row"),
        ("path = \"more\"\nholds = \"effect < 0\"\n", "to look at"),
    ] {
        ground.plan("", &check(more));
        let (verdict, summary) = staged(&ground, 2);
        assert_eq!(verdict, "unknown", "{summary}");
        assert!(summary.contains(words), "{summary}");
    }
}

// rows: OM-10
#[test]
fn a_registry_must_agree_over_years_and_tables() {
    let constraints = "
[[check]]
name = \"registry\"
kind = \"constraint\"
path = \"src\"
tables = [\"registry.csv\", { path = \"payroll/2025.jsonl\", name = \"payroll\" }]

    [[check.constraints]]
    name = \"one state a year\"
    table = \"registry\"
    unique = [\"person\", \"year\"]

    [[check.constraints]]
    name = \"a year begins as the last one ended\"
    from = \"registry AS last JOIN registry AS next ON next.person = last.person AND next.year = last.year + 1\"
    holds = \"next.begins = last.ends\"

    [[check.constraints]]
    name = \"who is paid is enrolled\"
    select = \"\"\"SELECT p.person, r.ends FROM payroll AS p
        LEFT JOIN registry AS r ON r.person = p.person AND r.year = 2025
        WHERE r.ends IS DISTINCT FROM 'enrolled'\"\"\"
";
    let ground = Ground::shop(constraints);
    let registry = |ends: &str, begins: &str| {
        format!("person,year,begins,ends\n7,2024,none,{ends}\n7,2025,{begins},enrolled\n8,2025,none,waived\n")
    };
    let paid = |persons: &[u32]| -> String {
        persons.iter().map(|person| format!("{{\"person\": {person}}}\n")).collect::<Vec<_>>().concat()
    };
    let write = |registry: String, paid: String| {
        ground.write("../new/src/registry.csv", registry);
        ground.write("../new/src/payroll/2025.jsonl", paid);
    };
    write(registry("enrolled", "enrolled"), paid(&[7]));
    assert_eq!(staged(&ground, 0).1, "3 constraints hold");
    write(registry("enrolled", "waived"), paid(&[7]));
    let (_, summary) = staged(&ground, 1);
    assert!(
        summary.starts_with("a year begins as the last one ended: 1 violation in 1 row; first: "),
        "{summary}"
    );
    assert!(summary.contains("last.ends = enrolled"), "{summary}");
    write(registry("enrolled", "enrolled"), paid(&[7, 8, 9]));
    let (_, summary) = staged(&ground, 1);
    let expected = "who is paid is enrolled: 2 rows selected from 6 rows; first: person = 8, ends = waived";
    assert_eq!(summary, expected);
}
