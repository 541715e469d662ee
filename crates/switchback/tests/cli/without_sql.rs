//! A build without SQL says so, and says no yes.

use super::ground::Ground;

#[test]
fn a_constraint_could_not_be_told() {
    let ground = Ground::shop(
        "[[check]]\nname = \"rates\"\nkind = \"constraint\"\npath = \"src\"\nholds = \"rate > 0\"\n",
    );
    ground.write("../new/src/rates.csv", "rate\n1\n");
    let seen = ground.expect(2, "constraint ../new/src/rates.csv --not-null rate");
    insta::assert_snapshot!(seen, @r"
    $ switchback constraint ../new/src/rates.csv --not-null rate
    --- stderr
    error: could not look at the constraints
      caused by: this build of Switchback has no SQL

    hint: build it with the feature `sql`, which is on unless `--no-default-features` turns it off
    --- exit 2
    ");
    let seen = ground.expect(2, "run --until staged");
    assert!(
        seen.err.contains("could not look at the constraints: this build of Switchback has no SQL"),
        "{seen}"
    );
}
