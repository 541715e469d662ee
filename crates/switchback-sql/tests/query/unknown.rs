//! What could not be told, and why: it is never a yes.

use switchback_core::constraint::{
    Bounds, Constraint, ConstraintFinding, Direction, Form, Monotone, Rows, Sign, TableFile,
};
use switchback_core::verdict::Verdict::{No, Unknown};

use super::{Shelf, about, filtered, from, holds, look, monotone, select, sign};

fn shelf() -> Shelf {
    let prices = "id,price,kind\n1,2.5,a\n2,3.5,b\n";
    Shelf::new(&[("prices.csv", prices)])
}

fn told(found: &ConstraintFinding) -> String {
    assert_eq!(found.verdict, Unknown, "{found:?}");
    assert_eq!((found.violating, found.sample.len()), (0, 0), "{found:?}");
    [found.why.clone(), found.hint.clone()].into_iter().flatten().collect::<Vec<_>>().join("; ")
}

#[test]
fn a_name_that_is_not_there_is_told_with_the_nearest() {
    let unique = |name: &str| about(Form::Unique(vec![name.to_owned()]));
    for constraint in [
        holds("prise > 0"),
        select("SELECT * FROM prices WHERE prise < 0"),
        sign("prise", Sign::Positive),
        unique("prise"),
        about(Form::NotNull(vec!["prise".to_owned()])),
        about(Form::Monotone(monotone("prise", "id", &[], Direction::Increasing))),
        about(Form::Monotone(monotone("id", "prise", &[], Direction::Increasing))),
        about(Form::Monotone(monotone("price", "id", &["prise"], Direction::Increasing))),
        filtered(holds("price > 0"), "prise > 0"),
    ] {
        let found = shelf().ask(constraint.clone());
        assert_eq!(told(&found), "there is no column `prise`; did you mean `price`?", "{constraint:?}");
    }
    // A name means what it says.
    assert!(told(&shelf().ask(holds("Price > 0"))).contains("did you mean `price`?"));
    let found = told(&shelf().ask(holds("kind = \"alpha\"")));
    assert!(found.starts_with("there is no column `alpha`; there are `"), "{found}");
    assert!(found.ends_with("a text stands in single quotes, a name in double ones or none"), "{found}");
    let found = told(&shelf().ask(select("SELECT * FROM price")));
    assert_eq!(found, "there is no table `price`; did you mean `prices`?");
    let found = told(&shelf().ask(select("SELECT * FROM other.prices")));
    assert!(found.contains("`prices`"), "{found}");
    let found = told(&shelf().ask(holds("abss(price) > 0")));
    assert!(found.contains("nvalid function 'abss'") && found.contains("'abs'"), "{found}");
}

#[test]
fn a_constraint_that_saw_no_row_could_not_be_told() {
    let empty = Shelf::new(&[("none.csv", "id,price\n"), ("some.csv", "id,price\n1,2\n")]);
    let table = |constraint: Constraint| {
        let mut constraint = constraint;
        constraint.about.rows = Rows::Table("none".to_owned());
        constraint
    };
    for constraint in [
        table(holds("price > 0")),
        table(sign("price", Sign::Positive)),
        table(about(Form::Unique(vec!["id".to_owned()]))),
        table(about(Form::NotNull(vec!["id".to_owned()]))),
        table(about(Form::Monotone(monotone("price", "id", &[], Direction::Increasing)))),
        select("SELECT * FROM none"),
        select("SELECT * FROM some AS s JOIN none AS n ON n.id = s.id"),
        select("SELECT 1 AS one WHERE false"),
    ] {
        let why = told(&empty.ask(constraint.clone()));
        assert!(why.contains("it saw no row"), "{constraint:?}: {why}");
    }
    // A row that violates is one that was seen.
    let found =
        empty.ask(select("SELECT s.id FROM some AS s LEFT JOIN none AS n ON n.id = s.id WHERE n.id IS NULL"));
    assert_eq!((found.verdict, found.violating), (No, 1));
    let why = told(&shelf().ask(filtered(holds("price > 0"), "kind = 'c'")));
    assert!(why.starts_with("it saw no row: the condition is true for none; "), "{why}");
    let why =
        told(&shelf().ask(from(holds("p.price > 0"), "prices AS p JOIN prices AS q ON p.id = q.id + 5")));
    assert!(why.starts_with("it saw no row"), "{why}");
}

#[test]
fn monotony_without_a_pair_could_not_be_told() {
    let alone = monotone("price", "id", &["kind"], Direction::Increasing);
    let why = told(&shelf().ask(about(Form::Monotone(alone))));
    assert!(why.starts_with("it saw no two rows to hold against each other; "), "{why}");
    let twice = monotone("price", "price", &[], Direction::Increasing);
    assert!(told(&shelf().ask(about(Form::Monotone(twice)))).contains("the same column twice"));
    let text = Monotone { column: "kind".to_owned(), ..monotone("", "id", &[], Direction::Increasing) };
    assert!(told(&shelf().ask(about(Form::Monotone(text)))).contains("no number and no time"));
}

#[test]
fn only_queries_are_carried_out() {
    let shelf = shelf();
    for sql in [
        "COPY prices TO 'out.csv'",
        "CREATE TABLE t AS SELECT * FROM prices",
        "CREATE EXTERNAL TABLE t STORED AS CSV LOCATION '/etc/passwd'",
        "INSERT INTO prices SELECT * FROM prices",
        "SET datafusion.execution.batch_size = 1",
        "EXPLAIN SELECT * FROM prices",
        "DROP TABLE prices",
        "DELETE FROM prices",
        "SHOW TABLES",
        "SELECT 1; SELECT 2",
        "SELECT * INTO t FROM prices",
        "WITH t AS (SELECT 1) INSERT INTO prices SELECT * FROM t",
        "SELEC * FROM prices",
        "",
    ] {
        let why = told(&shelf.ask(select(sql)));
        assert!(!why.is_empty(), "{sql}");
        assert!(!shelf.at("out.csv").exists());
    }
    assert!(told(&shelf.ask(select("SELECT * FROM '/etc/passwd'"))).contains("there is no table"));
}

#[test]
fn what_is_no_condition_is_refused() {
    for condition in
        ["price", "price > 0) OR (1 = 1", "price > 0, 1 AS x", "price > 0 UNION SELECT 1", "price >"]
    {
        let why = told(&shelf().ask(holds(condition)));
        assert!(!why.is_empty(), "{condition}");
    }
    assert!(told(&shelf().ask(holds("price"))).contains("of the type Float64"));
    assert!(told(&shelf().ask(filtered(holds("price > 0"), "id > 0 LIMIT 1"))).contains("expression"));
    assert!(told(&shelf().ask(sign("kind", Sign::Positive))).contains("`kind` is no number"));
    let deep = format!("{}price > 0{}", "(".repeat(5_000), ")".repeat(5_000));
    assert!(told(&shelf().ask(holds(&deep))).contains("recursion"));
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let shelf = Shelf::new(&[("good.csv", "a\n1\n"), ("bad.parquet", "PAR1 and no more"), ("note.txt", "x")]);
    let why = told(&shelf.ask(select("SELECT * FROM bad")));
    assert!(why.contains("bad.parquet"), "{why}");
    // What nobody names is not read.
    assert_eq!(shelf.ask(select("SELECT * FROM good")).verdict, No);
    for (name, words) in [("gone.csv", "does not exist"), ("empty", "no table is in it")] {
        std::fs::create_dir_all(shelf.at("empty")).unwrap();
        let table = TableFile { name: None, path: shelf.at(name) };
        let error = look(&[table], holds("a > 0"), &Bounds::default()).unwrap_err();
        assert!(format!("{error} {:?}", error.causes).contains(words), "{error:?}");
    }
    let table = TableFile { name: None, path: shelf.at("note.txt") };
    let why = told(&look(&[table], holds("a > 0"), &Bounds::default()).unwrap());
    assert!(why.contains("its name promises no table"), "{why}");
}

#[test]
fn a_cell_that_cannot_be_computed_could_not_be_told() {
    let shelf = Shelf::new(&[("t.csv", "a,b\n1,x\n2,3\n")]);
    let why = told(&shelf.ask(holds("CAST(b AS INT) > 0")));
    assert!(why.to_lowercase().contains("cast"), "{why}");
    let why = told(&shelf.ask(holds("a / 0 > 1")));
    assert!(why.to_lowercase().contains("divide by zero"), "{why}");
}
