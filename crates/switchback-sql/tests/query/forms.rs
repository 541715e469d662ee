//! Each form, both ways.

use serde_json::json;
use switchback_core::constraint::{Constraint, Direction, Form, Monotone, Sign};
use switchback_core::verdict::Verdict::{No, Yes};

use super::{Shelf, about, cell, filtered, from, holds, monotone, select, sign};

/// `id,price,kind` with a missing, a negative and a NaN price.
const PRICES: &str = "id,price,kind\n1,2.5,a\n2,,a\n3,-1.5,b\n4,nan,b\n5,7,b\n";

fn prices() -> Shelf {
    Shelf::new(&[("prices.csv", PRICES)])
}

fn names(columns: &[&str]) -> Vec<String> {
    columns.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn a_condition_that_is_not_true_violates_be_it_false_null_or_nan() {
    let found = prices().ask(holds("price > 0"));
    assert_eq!((found.verdict, found.seen, found.violating), (No, 5, 3));
    assert_eq!([0, 1, 2].map(|row| cell(&found, row, "row")), [json!(1), json!(2), json!(3)]);
    assert_eq!(cell(&found, 1, "price"), json!(-1.5));
    assert_eq!(found.sample[0].len(), 4, "row and the columns of the file: {found:?}");
    let found = prices().ask(filtered(holds("price > 0"), "id = 1 OR id = 5"));
    assert_eq!((found.verdict, found.seen), (Yes, 2));
    // Whoever asks for NaN is answered.
    let found = prices().ask(filtered(holds("price > 0 OR isnan(price)"), "id IN (1, 4, 5) -- and no other"));
    assert_eq!((found.verdict, found.seen), (Yes, 3));
    // NaN and null beside something that is true.
    assert_eq!(prices().ask(holds("price < 0 OR id > 0 -- always")).verdict, Yes);
}

#[test]
fn a_query_must_select_nothing() {
    let found = prices().ask(select("SELECT id, price FROM prices WHERE price < 0"));
    assert_eq!((found.verdict, found.seen, found.violating), (No, 5, 1));
    assert_eq!(found.sample, [vec![("id".to_owned(), json!(3)), ("price".to_owned(), json!(-1.5))]]);
    let found = prices().ask(select("WITH low AS (SELECT * FROM prices WHERE price < -2) SELECT * FROM low"));
    assert_eq!((found.verdict, found.seen), (Yes, 5));
}

#[test]
fn columns_without_a_value_are_found_and_nan_is_a_value() {
    let found = prices().ask(about(Form::NotNull(names(&["id", "price"]))));
    assert_eq!((found.verdict, found.violating), (No, 1));
    assert_eq!(cell(&found, 0, "id"), json!(2));
    assert_eq!(prices().ask(about(Form::NotNull(names(&["id", "kind"])))).verdict, Yes);
}

#[test]
fn keys_that_repeat_are_named_with_their_rows() {
    let found = prices().ask(about(Form::Unique(names(&["kind"]))));
    assert_eq!((found.verdict, found.seen, found.violating), (No, 5, 2));
    let shown = ["kind", "times", "first_row", "last_row"].map(|name| cell(&found, 1, name));
    assert_eq!(shown, [json!("b"), json!(3), json!(2), json!(4)]);
    assert_eq!(prices().ask(about(Form::Unique(names(&["id"])))).verdict, Yes);
    let found = prices().ask(filtered(about(Form::Unique(names(&["kind"]))), "id IN (2, 3)"));
    assert_eq!((found.verdict, found.seen), (Yes, 2));
    // Null is the same as null, and a column may be called as what is shown.
    let shelf = Shelf::new(&[("t.csv", "times,x\n,1\n,2\n3,3\n")]);
    let found = shelf.ask(about(Form::Unique(names(&["times"]))));
    assert_eq!((found.violating, cell(&found, 0, "times_")), (1, json!(2)));
}

#[test]
fn signs_are_told_and_zero_null_and_nan_have_none() {
    let shelf = Shelf::new(&[("t.csv", "up,down,zero,odd\n1,-1,0,1\n2.5,-0.5,-0.0,nan\n3,-7,0,\n")]);
    for (column, is) in [
        ("up", Sign::Positive),
        ("up", Sign::NotNegative),
        ("down", Sign::Negative),
        ("down", Sign::NotPositive),
        ("zero", Sign::NotNegative),
        ("zero", Sign::NotPositive),
    ] {
        assert_eq!(shelf.ask(sign(column, is)).verdict, Yes, "{column} {is:?}");
    }
    for (column, is, violating) in [
        ("up", Sign::Negative, 3),
        ("down", Sign::NotNegative, 3),
        ("zero", Sign::Positive, 3),
        ("zero", Sign::Negative, 3),
        ("odd", Sign::Positive, 2),
        ("odd", Sign::NotPositive, 3),
    ] {
        let found = shelf.ask(sign(column, is));
        assert_eq!((found.verdict, found.violating), (No, violating), "{column} {is:?}");
    }
}

/// Two products, rows in no order.
const CURVE: &str =
    "product,cap,elasticity,price\nb,3,1.5,9\na,2,1.2,8\na,1,1.0,9\nb,1,1.5,7\na,3,1.1,7\nb,2,1.4,8\n";

fn curve(monotone: Monotone) -> Constraint {
    about(Form::Monotone(monotone))
}

#[test]
fn neighbours_that_go_the_other_way_are_named_both() {
    let shelf = Shelf::new(&[("curve.csv", CURVE)]);
    let found = shelf.ask(curve(monotone("elasticity", "cap", &["product"], Direction::Increasing)));
    assert_eq!((found.verdict, found.seen, found.pairs, found.violating), (No, 6, Some(4), 2));
    let shown = |row| {
        ["product", "row", "cap", "elasticity", "previous_row", "previous_cap", "previous_elasticity"]
            .map(|name| cell(&found, row, name).to_string())
    };
    assert_eq!(shown(0), ["\"a\"", "4", "3", "1.1", "1", "2", "1.2"]);
    assert_eq!(shown(1), ["\"b\"", "5", "2", "1.4", "3", "1", "1.5"]);
    let found = shelf.ask(curve(monotone("elasticity", "price", &["product"], Direction::Decreasing)));
    assert_eq!((found.verdict, found.violating), (No, 2));
    // Whichever way it is turned.
    let found = shelf.ask(curve(monotone("price", "cap", &["product"], Direction::Decreasing)));
    assert_eq!(found.verdict, No, "b has prices 7, 8, 9");
    let only_a = filtered(curve(monotone("price", "cap", &[], Direction::Decreasing)), "product = 'a'");
    assert_eq!(shelf.ask(only_a).verdict, Yes);
}

#[test]
fn rows_that_agree_in_by_say_nothing_about_each_other_but_about_the_next() {
    let shelf = |text: &str| Shelf::new(&[("t.csv", &format!("x,y\n{text}"))]);
    let up = |is_strict| curve(Monotone { is_strict, ..monotone("y", "x", &[], Direction::Increasing) });
    let down = |is_strict| curve(Monotone { is_strict, ..monotone("y", "x", &[], Direction::Decreasing) });
    let tied = "1,5\n1,1\n2,5\n2,9\n";
    assert_eq!(shelf(tied).ask(up(false)).verdict, Yes);
    assert_eq!(shelf(tied).ask(up(true)).verdict, No, "5 at 1 and 5 at 2");
    let hidden = "1,5\n1,1\n2,3\n2,9\n";
    let found = shelf(hidden).ask(up(false));
    assert_eq!((found.verdict, found.violating, found.pairs), (No, 1, Some(1)));
    assert_eq!(cell(&found, 0, "previous_y"), json!(5));
    assert_eq!(shelf("2,1\n1,5\n1,1\n").ask(down(false)).verdict, Yes);
    assert_eq!(shelf("2,1\n1,5\n1,1\n").ask(down(true)).verdict, No);
    assert_eq!(shelf("1,1\n2,2\n3,4\n").ask(up(true)).verdict, Yes);
}

#[test]
fn a_row_without_a_place_in_the_order_violates_and_hides_no_break() {
    let shelf = Shelf::new(&[("t.csv", "x,y\n1,3.5\n2,\n,4.5\n3,nan\n4,2.5\n")]);
    let found = shelf.ask(curve(monotone("y", "x", &[], Direction::Increasing)));
    assert_eq!((found.verdict, found.violating, found.pairs), (No, 4, Some(1)));
    assert_eq!(cell(&found, 0, "previous_row"), json!(0));
    let rows: Vec<_> = (1..4).map(|row| cell(&found, row, "row")).collect();
    assert_eq!(rows, [json!(1), json!(2), json!(3)]);
}

#[test]
fn tables_are_joined_and_what_they_share_is_told_apart() {
    let orders = "id,customer\n1,7\n2,8\n3,9\n";
    let shelf = Shelf::new(&[("orders.csv", orders), ("customers.csv", "id,name\n7,Ada\n9,Eve\n")]);
    let found = shelf.ask(select(
        "SELECT * FROM orders AS o LEFT JOIN customers AS c ON c.id = o.customer WHERE c.id IS NULL",
    ));
    assert_eq!((found.verdict, found.seen, found.violating), (No, 5, 1));
    assert_eq!((cell(&found, 0, "o.id"), cell(&found, 0, "c.id")), (json!(2), json!(null)));
    let joined = from(holds("length(c.name) = 3"), "orders AS o JOIN customers AS c ON c.id = o.customer");
    let found = shelf.ask(joined.clone());
    assert_eq!((found.verdict, found.seen), (Yes, 2));
    let found = shelf.ask(filtered(
        from(holds("c.name <> 'Eve'"), "orders AS o JOIN customers AS c ON c.id = o.customer"),
        "o.id > 1",
    ));
    assert_eq!((found.verdict, found.seen, cell(&found, 0, "o.row")), (No, 1, json!(2)));
}

// rows: OM-10
#[test]
fn states_must_agree_over_years_and_tables() {
    let registry = |ends: &str| {
        format!("person,year,begins,ends\n7,2024,none,{ends}\n7,2025,enrolled,enrolled\n8,2025,none,waived\n")
    };
    let next =
        "registry AS last JOIN registry AS next ON next.person = last.person AND next.year = last.year + 1";
    let shelf = |ends: &str| {
        Shelf::new(&[
            ("registry.csv", &registry(ends)),
            ("payroll.jsonl", "{\"person\": 7}\n{\"person\": 8}\n"),
        ])
    };
    let found = shelf("enrolled").ask(from(holds("next.begins = last.ends"), next));
    assert_eq!((found.verdict, found.seen), (Yes, 1));
    let found = shelf("waived").ask(from(holds("next.begins = last.ends"), next));
    assert_eq!((found.verdict, cell(&found, 0, "last.ends")), (No, json!("waived")));
    let paid = "SELECT p.person, r.ends FROM payroll AS p
        LEFT JOIN registry AS r ON r.person = p.person AND r.year = 2025
        WHERE r.ends IS DISTINCT FROM 'enrolled'";
    let found = shelf("enrolled").ask(select(paid));
    assert_eq!((found.verdict, found.seen, found.violating), (No, 5, 1));
    assert_eq!(cell(&found, 0, "person"), json!(8));
}

#[test]
fn the_sum_that_overflows_is_known_to_wrap() {
    let shelf = Shelf::new(&[("t.csv", "a\n9223372036854775807\n")]);
    // The documentation says so: whoever adds up such numbers casts them.
    assert_eq!(shelf.ask(holds("a + 1 > 0")).verdict, No);
    assert_eq!(shelf.ask(holds("CAST(a AS DECIMAL(38, 0)) + 1 > 0")).verdict, Yes);
}
