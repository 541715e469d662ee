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
