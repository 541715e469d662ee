//! `compare`: yes, no, and could not tell.

use serde_json::json;

use super::ground::Ground;

#[test]
#[expect(clippy::too_many_lines, reason = "one story, told word by word")]
fn compare_says_what_is_equal_what_is_not_and_what_cannot_be_told() {
    let ground = Ground::new();
    ground.write("old.csv", "id,price\n1,10.0\n2,20.0\n");
    ground.write("new.csv", "id,price\n1,10.0\n2,20.0000001\n");
    ground.write("empty.csv", "id,price\n");
    insta::assert_snapshot!(ground.run("compare old.csv old.csv"), @r#"
    $ switchback compare old.csv old.csv
    --- stdout
    yes: identical byte by byte (`old.csv`: 2 rows)
    --- exit 0
    "#);
    insta::assert_snapshot!(ground.run("compare old.csv new.csv"), @r#"
    $ switchback compare old.csv new.csv
    --- stdout
    no: `old.csv` differs: 1 of 2 rows; first in `price` at row 1 (counted from 0): 20.0 became 20.0000001
    --- exit 1
    "#);
    insta::assert_snapshot!(ground.run("compare old.csv new.csv --absolute 1e-6"), @r#"
    $ switchback compare old.csv new.csv --absolute 1e-6
    --- stdout
    yes: equal within the tolerance (`old.csv`: 2 rows); worst |a - b| 1.0000000116860974e-7 in `price` at row 1 (counted from 0); `price` has 3 digits at its source, too few for the tolerance
    --- exit 0
    "#);
    insta::assert_snapshot!(ground.run("compare old.csv new.csv --tolerance price=1e-6"), @r#"
    $ switchback compare old.csv new.csv --tolerance price=1e-6
    --- stdout
    yes: equal within the tolerance (`old.csv`: 2 rows); worst |a - b| 1.0000000116860974e-7 in `price` at row 1 (counted from 0); `price` has 3 digits at its source, too few for the tolerance
    --- exit 0
    "#);
    insta::assert_snapshot!(ground.run("compare old.csv new.csv --tolerance price"), @r#"
    $ switchback compare old.csv new.csv --tolerance price
    --- stderr
    error: `--tolerance price` is not `COLUMN=X`, `COLUMN=Xabs`, `COLUMN=Xrel` or `COLUMN=Nulps`

    hint: e.g. `--tolerance price=1e-9rel`
    --- exit 2
    "#);
    insta::assert_snapshot!(ground.run("compare old.csv new.csv --absolute=-1"), @r#"
    $ switchback compare old.csv new.csv --absolute=-1
    --- stderr
    error: `--absolute` must be a finite number, 0 or more

    hint: e.g. `--absolute 1e-12`
    --- exit 2
    "#);
    insta::assert_snapshot!(ground.run("compare empty.csv empty.csv"), @r#"
    $ switchback compare empty.csv empty.csv
    --- stdout
    could not tell: nothing to compare in `empty.csv`
    --- exit 2
    "#);
    insta::assert_snapshot!(ground.run("compare old.csv gone.csv"), @r#"
    $ switchback compare old.csv gone.csv
    --- stderr
    error: could not compare `old.csv` with `gone.csv`
      caused by: `gone.csv` does not exist

    hint: check the path, and that the command that makes it has run
    --- exit 2
    "#);
    insta::assert_snapshot!(ground.run("compare old.csv gone.csv --json"), @r#"
    $ switchback compare old.csv gone.csv --json
    --- stdout
    {
      "schema": "switchback/error/1",
      "verdict": "unknown",
      "error": {
        "causes": [
          "`gone.csv` does not exist"
        ],
        "hint": "check the path, and that the command that makes it has run",
        "message": "could not compare `old.csv` with `gone.csv`"
      }
    }
    --- exit 2
    "#);
    insta::assert_snapshot!(ground.run("compare old.csv new.csv --key nothing"), @r#"
    $ switchback compare old.csv new.csv --key nothing
    --- stderr
    error: could not compare `old.csv` with `new.csv`
      caused by: `old.csv` has no key column `nothing`

    hint: choose the key from `id`, `price`
    --- exit 2
    "#);
}

#[test]
fn compare_looks_at_paths_from_where_the_person_is_and_not_from_the_project() {
    let ground = Ground::new();
    ground.write("a.csv", "id\n1\n");
    ground.write("sub/x", "");
    ground.expect(0, "-C sub compare a.csv a.csv");
}

#[test]
fn compare_is_written_in_every_form() {
    let ground = Ground::new();
    ground.write("old.csv", "id,price,day\n1,10.0,2026-01-01\n2,20.0,2026-01-02\n");
    ground.write("new.csv", "id,price,day\n2,20.5,2026-01-02\n1,10.0,2026-01-01\n");
    insta::assert_snapshot!(ground.run("compare old.csv new.csv --key id --format text"), @r#"
    $ switchback compare old.csv new.csv --key id --format text
    --- stdout
    Verdict: no
      1 of 2 rows differ

                                           rows             only  only
      file     verdict  relation   proof  equal  different   old   new
      old.csv  no       different  join       1          1     0     0

    old.csv: no
      Rows are matched by key
      The first cell that differs: price at id = 2 (row 1 → 0): 20.0 → 20.5

      Columns that are not the same bit by bit
                  cells        not     worst     worst     worst
      column  different  identical  absolute  relative      ULPs  worst at  worst cell
      price           1          1       0.5   0.02439  1.407e14  id = 2    20.0 → 20.5

      id = 2 (row 1 → 0)
        ≠ price  20.0 → 20.5
          day    2026-01-02
    --- exit 1
    "#);
    insta::assert_snapshot!(ground.run("compare old.csv new.csv --key id --absolute 1 --format markdown"), @r#"
    $ switchback compare old.csv new.csv --key id --absolute 1 --format markdown
    --- stdout
    ## Verdict: yes

    Equal within the tolerance: 0 of 2 rows differ

    Files:

    | file | verdict | relation | proof | rows equal | different | only old | only new |
    | --- | --- | --- | --- | ---: | ---: | ---: | ---: |
    | old.csv | yes | tolerance | join | 2 | 0 | 0 | 0 |

    ## old.csv: yes

    Rows are matched by key

    Columns that are not the same bit by bit:

    | column | cells different | not identical | worst absolute | worst relative | worst ULPs | worst at | worst cell |
    | --- | ---: | ---: | ---: | ---: | ---: | --- | --- |
    | price | 0 | 1 | 0.5 | 0.02439 | 1.407e14 | id = 2 | 20.0 → 20.5 |
    --- exit 0
    "#);
    let seen = ground.expect(1, "compare old.csv new.csv --key id --format junit --output out.xml");
    assert!(seen.err.contains("wrote out.xml"), "{seen}");
    assert!(
        ground
            .read("out.xml")
            .contains("<testsuite name=\"compare\" tests=\"1\" failures=\"1\" errors=\"0\">")
    );
    ground.expect(1, "compare old.csv new.csv --key id --format html --output out.html --json").json();
    assert!(ground.read("out.html").starts_with("<!DOCTYPE html>"));
    ground.expect(1, "compare old.csv new.csv --output out.html");
    assert!(ground.read("out.html").contains("\"schema\": \"switchback/compare/1\""), "over what was there");
    insta::assert_snapshot!(ground.run("compare old.csv new.csv --output gone/out.json"), @r#"
    $ switchback compare old.csv new.csv --output gone/out.json
    --- stderr
    error: could not write the result to `gone/out.json`
      caused by: the folder `gone` does not exist

    hint: name a file in a folder that exists and can be written to
    --- exit 2
    "#);
}

/// What `script` (util-linux) records of a terminal of so many columns.
fn on_a_terminal(ground: &Ground, columns: u32, line: &str) -> String {
    let program = env!("CARGO_BIN_EXE_switchback");
    let line = format!("stty rows 40 cols {columns}; {program} {line}");
    let output = std::process::Command::new("script")
        .args(["-qec", &line, "/dev/null"])
        .current_dir(ground.at("."))
        .env_remove("NO_COLOR")
        .stdin(std::process::Stdio::null())
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap().replace("\r\n", "\n").replace('\r', "\n")
}

#[test]
fn on_a_terminal_tables_fit_it_and_a_line_says_how_far_a_comparison_is() {
    let ground = Ground::new();
    let table = |factor: u64| -> String {
        let rows =
            (0..60_000).map(|row| format!("{row},{},a rather long text that is the same\n", row * factor));
        format!("id,a_name_of_a_column_that_is_long,text\n{}", rows.collect::<String>())
    };
    ground.write("old.csv", table(2));
    ground.write("new.csv", table(3));
    for columns in [80_u32, 120] {
        let seen = on_a_terminal(&ground, columns, "compare old.csv new.csv --color never 2> progress");
        assert!(seen.starts_with("no: `old.csv` differs: 59999 of 60000 rows;"), "{seen}");
        let (_, report) = seen.split_once("\nVerdict: no\n").unwrap();
        let widest = report.lines().map(|line| line.chars().count()).max().unwrap();
        assert!(widest <= columns as usize, "{seen}");
        assert!(report.contains("    ≠ a_name_of_a_"), "{seen}");
        assert_eq!(ground.read("progress"), "", "nobody reads it there");
    }
    let seen = on_a_terminal(&ground, 100, "compare old.csv new.csv --key id --format text > report");
    assert!(seen.contains("comparing old.csv: 120,000 rows read, 100 %"), "{seen}");
    assert!(!ground.read("report").contains('\u{1b}'), "no colour in a file");
    let seen = on_a_terminal(&ground, 100, "compare old.csv new.csv --quiet");
    assert!(!seen.contains("rows read") && !seen.contains("Verdict: no"), "{seen}");
}

#[test]
fn options_of_compare_that_make_no_sense_are_refused() {
    let ground = Ground::new();
    ground.write("a.csv", "id,x\n1,1\n1,2\n");
    ground.write("b.csv", "id,x\n1,2\n1,1\n");
    for (options, said) in [
        ("--rename x", "`--rename x` is not `OLD=NEW`"),
        ("--rename x=y --rename x=z", "`--rename` names `x` twice"),
        ("--rename x=y", "`b.csv` has no column `y`"),
        ("--columns z", "`a.csv` has no column `z`"),
        ("--tolerance z=1", "`a.csv` has no column `z`"),
        ("--time-tolerance 5", "`--time-tolerance 5` is not a number and a unit"),
        ("--time-tolerance 1.0000000001s", "is not a number and a unit"),
        ("--delimiter ab", "`--delimiter ab` is neither one ASCII character nor two with a comma between"),
        ("--mask (", "the mask `(` is no regular expression"),
        ("--memory lots", "`--memory lots` is not a size"),
        ("--memory 100 --order any", "does not fit into the 100 bytes of memory that are allowed"),
        ("--schema loose", "invalid value 'loose'"),
        ("--order any --key id", "rows 0 and 1 of `a.csv` have the same key (id = 1)"),
    ] {
        let seen = ground.expect(2, &format!("compare a.csv b.csv {options}"));
        assert!(seen.err.contains(said), "{seen}");
    }
    ground.expect(0, "compare a.csv a.csv --key id --duplicates match");
    ground.expect(0, "compare a.csv a.csv --delimiter ,,, --time-tolerance 1.5s");
    ground.expect(2, "compare a.csv a.csv --columns z --json").json();
    // A renamed column is named as OLD names it.
    ground.write("c.csv", "id,y\n1,1\n1,2\n");
    ground.expect(0, "compare a.csv c.csv --rename x=y --tolerance x=1");
    let seen = ground.expect(2, "compare a.csv c.csv --rename x=y --tolerance y=1");
    assert!(seen.err.contains("`a.csv` has no column `y`"), "{seen}");
}

const KNOWN: &str = r#"[[exception]]
item = "old.csv"
column = "name"
key = { id = 4 }
owner = "pricing"
reason = "renamed, ticket 12"
expires = 2999-12-31
count = 1
"#;

// rows: BX-4, BX-8
#[test]
fn compare_says_why_and_keeps_known_differences_apart() {
    let ground = Ground::new();
    ground.write("old.csv", "id,score,name\n1,10.5,a\n2,20.25,b\n3,30.125,c\n4,40.75,d\n");
    ground.write("new.csv", "id,score,name\n1,1050.0,a\n2,2025.0,b\n3,3012.5,c\n4,4075.0,x\n");
    ground.write("known.toml", KNOWN);
    insta::assert_snapshot!(ground.run("compare old.csv new.csv --key id --exceptions known.toml"), @r#"
    $ switchback compare old.csv new.csv --key id --exceptions known.toml
    --- stdout
    no: `old.csv` differs: 4 of 4 rows; first in `score` at id = 1: 10.5 became 1050.0; in `score`: new = 100.0 * old (4 cells); 1 difference covered by exceptions
    --- exit 1
    "#);
    insta::assert_snapshot!(ground.run("compare old.csv new.csv --key id --exclude score --exceptions known.toml"), @r#"
    $ switchback compare old.csv new.csv --key id --exclude score --exceptions known.toml
    --- stdout
    yes: equal but for known differences (`old.csv`: 4 rows); not compared: column `score` is excluded; 1 difference covered by exceptions
    --- exit 0
    "#);
    let json = ground.expect(1, "compare old.csv new.csv --key id --exceptions known.toml --json").json();
    let columns = &json["items"][0]["columns"];
    insta::assert_snapshot!(columns[0]["explanation"].to_string(), @r#"{"cells":4,"factor":100.0,"kind":"scaled"}"#);
    insta::assert_snapshot!(json["exceptions"].to_string(), @r#"[{"column":"name","count":1,"covered":1,"expired":false,"expires":"2999-12-31","item":"old.csv","key":{"id":"4"},"owner":"pricing","reason":"renamed, ticket 12","unused":false}]"#);
    ground.write("known.toml", KNOWN.replace("column =", "colum ="));
    insta::assert_snapshot!(ground.run("compare old.csv new.csv --key id --exceptions known.toml"), @r#"
    $ switchback compare old.csv new.csv --key id --exceptions known.toml
    --- stderr
    error: could not compare `old.csv` with `new.csv`
      caused by: `known.toml` cannot be used
      caused by: known.toml:1:1: `[[exception]]` has neither `column` nor `side`; name a `column` whose cells differ, or a `side` that has rows of its own
      caused by: known.toml:3:1: unknown key `colum` in `[[exception]]`; did you mean `column`?

    hint: correct the lines that are named
    --- exit 2
    "#);
    // A day that is over.
    ground.write("known.toml", KNOWN.replace("2999", "2001"));
    let seen = ground.expect(1, "compare old.csv new.csv --key id --exclude score --exceptions known.toml");
    assert!(seen.out.contains("the exception for `name` of `old.csv` expired on 2001-12-31"), "{seen}");
}

// rows: BX-9
#[test]
fn compare_refuses_tolerances_below_the_noise_of_two_runs() {
    let ground = Ground::new();
    ground.write("one.csv", "id,score\n1,10.5\n2,20.25\n3,30.125\n");
    ground.write("two.csv", "id,score\n1,10.5\n2,20.25\n3,30.25\n");
    insta::assert_snapshot!(ground.run("compare --calibrate one.csv two.csv --key id"), @r#"
    $ switchback compare --calibrate one.csv two.csv --key id
    --- stdout
    yes: noise in 1 of 1 column, the largest in `score` of `one.csv`: |a - b| 0.125, relative 0.004132231404958678, 35184372088832 ULPs; the tolerance that follows: |a - b| 1.25, relative 0.04132231404958678, 351843720888320 ULPs
    --- exit 0
    "#);
    insta::assert_snapshot!(ground.run("compare --calibrate one.csv one.csv --key id --absolute 0"), @r#"
    $ switchback compare --calibrate one.csv one.csv --key id --absolute 0
    --- stdout
    yes: no noise: two runs have the same numbers in 1 column
    --- exit 0
    "#);
    insta::assert_snapshot!(ground.run("compare --calibrate one.csv two.csv --key id --absolute 0.1"), @r#"
    $ switchback compare --calibrate one.csv two.csv --key id --absolute 0.1
    --- stderr
    error: could not compare `one.csv` with `two.csv`
      caused by: the tolerance of `score` in `one.csv` (|a - b| 0.1) lies below the noise that two runs of the old program show: |a - b| 0.125, relative 0.004132231404958678, 35184372088832 ULPs

    hint: ask for no less than the noise; the tolerance that follows from it is: |a - b| 1.25, relative 0.04132231404958678, 351843720888320 ULPs
    --- exit 2
    "#);
    let seen = ground.expect(0, "compare --calibrate one.csv two.csv --key id --json --output noise.json");
    let score = json!({"item": "one.csv", "column": "score", "not_identical": 1,
        "noise": {"absolute": 0.125, "relative": 0.004_132_231_404_958_678, "ulps": 35_184_372_088_832_u64},
        "tolerance": {"absolute": 1.25, "relative": 0.041_322_314_049_586_78, "ulps": 351_843_720_888_320_u64}});
    assert_eq!(seen.json()["calibration"], json!({"margin": 10.0, "columns": [score]}));
    ground.expect(2, "compare one.csv two.csv --key id --noise noise.json --absolute 0.1");
    ground.expect(2, "compare one.csv two.csv --key id --noise noise.json");
    ground.expect(0, "compare one.csv two.csv --key id --noise noise.json --absolute 0.125");
    let page = ground.expect(0, "compare --calibrate one.csv two.csv --key id --format markdown").out;
    assert!(page.contains("| one.csv | score | 1 | 0.125, "), "{page}");
}

// rows: BX-8
#[test]
fn compare_shows_what_it_would_find() {
    let ground = Ground::new();
    ground.write("one.csv", "id,score,name\n1,10.5,a\n2,20.25,b\n3,30.125,c\n4,40.75,d\n");
    insta::assert_snapshot!(ground.run("compare one.csv one.csv --key id --absolute 1e-3 --prove-sensitivity"), @r#"
    $ switchback compare one.csv one.csv --key id --absolute 1e-3 --prove-sensitivity
    --- stdout
    Verdict: yes
      Identical byte by byte: 0 of 4 rows differ

                                          rows             only  only
      file     verdict  relation  proof  equal  different   old   new
      one.csv  yes      bytes     bytes      4          0     0     0

    Sensitivity
      What this rule would find, whatever OLD and NEW show: differences planted in a copy of NEW
      planted in a copy of 4 of the 4 rows of `one.csv`

      Planted differences
      file     column  plant            size                   value → planted             result
      one.csv  id      smallest         1.0                    2 → 3                       found
      one.csv  id      null-for-value                          2 → null                    found
      one.csv  score   smallest         3.552713678800501e-15  20.25 → 20.250000000000004  not found
      one.csv  score   below-tolerance  0.0009999999999976694  20.25 → 20.250999999999998  not found
      one.csv  score   above-tolerance  0.0010000000000012221  20.25 → 20.251              found
      one.csv  score   nan-for-value                           20.25 → NaN                 found
      one.csv  score   null-for-value                          20.25 → null                found
      one.csv  name    text-changed                            b → b~                      found
      one.csv  name    white-space                             b → "b "                    found
      one.csv  name    case                                    b → B                       found
      one.csv  name    null-for-value                          b → null                    found
      one.csv          row-dropped                                                         found
      one.csv          row-duplicated                                                      found
      one.csv          rows-swapped                                                        not found
    --- exit 0
    "#);
    let json = ground
        .expect(0, "compare one.csv one.csv --key id --absolute 1e-3 --prove-sensitivity --json")
        .json();
    let of_score = |found: bool| -> Vec<&str> {
        let plants = json["sensitivity"].as_array().unwrap().iter();
        let plants = plants.filter(|plant| plant["column"] == "score" && plant["found"] == found);
        plants.map(|plant| plant["plant"].as_str().unwrap()).collect()
    };
    assert_eq!(of_score(false), ["smallest", "below-tolerance"]);
    assert_eq!(of_score(true), ["above-tolerance", "nan-for-value", "null-for-value"]);
    ground.write("two.csv", "id,score,name\n1,10.5,a\n");
    ground.expect(1, "compare one.csv two.csv --key id --prove-sensitivity");
}

/// A program that was built without them says so; `cargo test -p switchback --no-default-features` runs this.
#[cfg(not(feature = "databases"))]
#[test]
fn without_databases_their_addresses_are_refused() {
    let ground = Ground::new();
    ground.write("one.csv", "v\n1\n");
    insta::assert_snapshot!(ground.run("compare postgresql://me:secret@h/d#t one.csv"), @r"
    $ switchback compare postgresql://me:secret@h/d#t one.csv
    --- stderr
    error: could not compare `postgresql://me:[password]@h/d#t` with `one.csv`
      caused by: `postgresql://me:[password]@h/d#t` is the address of a database or of an object store, and they are not read here

    hint: `compare` reads them in a program that was built with the feature `databases`, which is on unless it was left out; elsewhere, write a Parquet file of the table
    --- exit 2
    ");
}
