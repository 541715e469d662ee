//! `compare`: yes, no, and could not tell.

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
    yes: equal (`old.csv`: 2 rows)
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
    yes: equal (`old.csv`: 2 rows)
    --- exit 0
    "#);
    insta::assert_snapshot!(ground.run("compare old.csv new.csv --tolerance price=1e-6"), @r#"
    $ switchback compare old.csv new.csv --tolerance price=1e-6
    --- stdout
    yes: equal (`old.csv`: 2 rows)
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
      item     verdict  relation   proof  equal  different  only old  only new
      old.csv  no       different  join   1      1          0         0
    old.csv
      column  different  not identical  absolute  relative              ulps             worst at  worst
      price   1          1              0.5       0.024390243902439025  140737488355328  id = 2    20.0 → 20.5

      row     column  old   new
      id = 2  price   20.0  20.5
    --- exit 1
    "#);
    insta::assert_snapshot!(ground.run("compare old.csv new.csv --key id --absolute 1 --format markdown"), @r#"
    $ switchback compare old.csv new.csv --key id --absolute 1 --format markdown
    --- stdout
    ## Verdict: yes

    | item | verdict | relation | proof | equal | different | only old | only new |
    | --- | --- | --- | --- | --- | --- | --- | --- |
    | old.csv | yes | tolerance | join | 2 | 0 | 0 | 0 |

    ## old.csv

    | column | different | not identical | absolute | relative | ulps | worst at | worst |
    | --- | --- | --- | --- | --- | --- | --- | --- |
    | price | 0 | 1 | 0.5 | 0.024390243902439025 | 140737488355328 | id = 2 | 20.0 → 20.5 |
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
    assert!(ground.read("out.html").starts_with("<!doctype html>"));
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
