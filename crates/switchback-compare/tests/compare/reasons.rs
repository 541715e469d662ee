//! What `compare` says about why a column differs, from the files to the report.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use serde_json::{Value as Json, json};
use switchback_compare::page::{self, Form, Screen};
use switchback_core::rule::{Rule, Tolerance};
use switchback_statistics::Random;

use super::{key, report};

fn table(folder: &Path, name: &str, head: &str, rows: &[Vec<String>]) -> PathBuf {
    let path = folder.join(name);
    let mut text = format!("{head}\n");
    for row in rows {
        writeln!(text, "{}", row.join(",")).unwrap();
    }
    std::fs::write(&path, text).unwrap();
    path
}

fn explanations(head: &str, old: &[Vec<String>], new: &[Vec<String>], rule: &Rule) -> Vec<(String, Json)> {
    let folder = tempfile::tempdir().unwrap();
    let (old, new) = (table(folder.path(), "old.csv", head, old), table(folder.path(), "new.csv", head, new));
    let report = report(&old, &new, rule);
    let columns = report["items"][0]["columns"].as_array().unwrap().iter();
    columns
        .map(|column| (column["name"].as_str().unwrap().to_owned(), column["explanation"].clone()))
        .collect()
}

/// `id`, a price, a measured value, a name.
fn rows(count: usize, seed: u64) -> Vec<Vec<String>> {
    let mut random = Random::new(seed, 0);
    (0..count)
        .map(|row| {
            let price = (100.0 + 20.0 * random.normal() * 100.0).round() / 100.0;
            vec![
                row.to_string(),
                format!("{price:?}"),
                format!("{:?}", random.normal()),
                format!("name {}", row * 7919 % 1009),
            ]
        })
        .collect()
}

const HEAD: &str = "id,price,value,name";

fn with(rows: &[Vec<String>], column: usize, change: impl Fn(usize, &str) -> String) -> Vec<Vec<String>> {
    let mut rows = rows.to_vec();
    for (at, row) in rows.iter_mut().enumerate() {
        row[column] = change(at, &row[column]);
    }
    rows
}

fn float(text: &str) -> f64 {
    text.parse().unwrap()
}

// rows: BX-4
#[test]
fn a_column_that_differs_says_why() {
    let old = rows(300, 1);
    let new = with(&old, 1, |_, price| format!("{:?}", float(price) * 100.0));
    let new = with(&new, 3, |_, name| name.to_uppercase());
    for rule in [Rule::default(), key(&["id"])] {
        let found = explanations(HEAD, &old, &new, &rule);
        assert_eq!(
            found,
            [
                ("price".to_owned(), json!({"kind": "scaled", "factor": 100.0, "cells": 300})),
                ("name".to_owned(), json!({"kind": "case", "to": "upper", "cells": 300})),
            ]
        );
    }
    // One cell that does not follow, and there is no explanation.
    let new = with(&new, 1, |row, price| if row == 150 { "1.25".to_owned() } else { price.to_owned() });
    assert_eq!(explanations(HEAD, &old, &new, &key(&["id"]))[0].1, Json::Null);
}

// rows: BX-4
#[test]
fn cells_within_the_tolerance_need_no_explanation() {
    let old = rows(50, 2);
    let new = with(&old, 2, |_, value| format!("{:?}", float(value) + 1e-9));
    let tolerance = Tolerance { absolute: Some(1e-6), ..Tolerance::default() };
    let found = explanations(HEAD, &old, &new, &Rule { tolerance, ..Rule::default() });
    assert_eq!(found, [("value".to_owned(), Json::Null)]);
}

// rows: BX-4
#[test]
fn swapped_shifted_and_repeated_rows_are_named() {
    let old = rows(200, 3);
    let swapped: Vec<Vec<String>> =
        old.iter().map(|row| vec![row[0].clone(), row[2].clone(), row[1].clone(), row[3].clone()]).collect();
    let found = explanations(HEAD, &old, &swapped, &key(&["id"]));
    assert_eq!(found[0].1, json!({"kind": "swapped", "with": "value", "cells": 200}));
    assert_eq!(found[1].1, json!({"kind": "swapped", "with": "price", "cells": 200}));

    for count in [200, 9000] {
        let old = rows(count, 4);
        let mut values: Vec<String> = old.iter().map(|row| row[2].clone()).collect();
        values.rotate_right(3);
        values[..3].fill("0.5".to_owned());
        let lagged = with(&old, 2, |row, _| values[row].clone());
        let found = explanations(HEAD, &old, &lagged, &Rule::default());
        assert_eq!(found, [("value".to_owned(), json!({"kind": "shifted", "rows": 3, "cells": count}))]);
        // The same but for one row, far down.
        let spoiled = with(
            &lagged,
            2,
            |row, value| {
                if row == count - 10 { "7.5".to_owned() } else { value.to_owned() }
            },
        );
        assert_eq!(explanations(HEAD, &old, &spoiled, &Rule::default())[0].1, Json::Null);

        let mut repeated = old.clone();
        repeated.insert(count / 2 + 1, old[count / 2].clone());
        let found = explanations(HEAD, &old, &repeated, &Rule::default());
        let expected = json!({"kind": "duplicated", "rows": 1, "first": count / 2 + 1, "side": "new", "cells": count - count / 2 - 1});
        assert_eq!(found[1].1, expected, "{found:?}");
    }
}

// rows: BX-4
#[test]
fn what_was_tried_on_a_sample_says_so() {
    let old = rows(6000, 5);
    let new = with(&old, 2, |_, value| format!("{:?}", -float(value)));
    let found = explanations(HEAD, &old, &new, &key(&["id"]));
    assert_eq!(found, [("value".to_owned(), json!({"kind": "sign", "cells": 2048, "of": 6000}))]);
}

#[test]
fn a_few_rounded_cells_of_many_are_not_called_rounding() {
    // Every fortieth value has two digits: the others show that nothing was rounded.
    let old = rows(5000, 6);
    let cut = |row: usize, value: &str| {
        if row.is_multiple_of(40) {
            format!("{:?}", (float(value) * 1e2).round() / 1e2)
        } else {
            value.to_owned()
        }
    };
    assert_eq!(explanations(HEAD, &old, &with(&old, 2, cut), &Rule::default())[0].1, Json::Null);
    let all = with(&old, 2, |_, value| format!("{:?}", (float(value) * 1e2).round() / 1e2));
    let found = &explanations(HEAD, &old, &all, &Rule::default())[0].1;
    assert_eq!(
        (&found["kind"], &found["digits"], &found["side"]),
        (&json!("rounded"), &json!(2), &json!("new"))
    );
}

#[test]
fn what_no_explanation_is_about_has_none() {
    // NaN that differs from itself looks the same to every rule.
    let column = |text: &str| vec![vec![text.to_owned()]; 20];
    let rule = Rule { nan: switchback_core::rule::Pairing::Different, ..Rule::default() };
    let (mut old, mut new) = (column("NaN"), column("NaN"));
    old[0] = vec!["1.5".to_owned()];
    new[0] = vec!["1.5".to_owned()];
    assert_eq!(explanations("x", &old, &new, &rule), [("x".to_owned(), Json::Null)]);
}

#[test]
fn pages_tell_why() {
    let folder = tempfile::tempdir().unwrap();
    let old = rows(10, 7);
    let new = with(&old, 1, |_, price| format!("{:?}", float(price) * 100.0));
    let (old, new) =
        (table(folder.path(), "old.csv", HEAD, &old), table(folder.path(), "new.csv", HEAD, &new));
    let report = report(&old, &new, &key(&["id"]));
    for form in [Form::Text(Screen::NONE), Form::Markdown, Form::Html, Form::Junit] {
        let page = page::write(&report, form).replace('\\', "");
        assert!(page.contains("new = 100.0 * old"), "{page}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    /// `report` makes the assertion: the mirrored report has the mirrored explanations.
    #[test]
    fn swapping_the_sides_mirrors_explanations(seed in any::<u64>(), kind in 0..8_usize, count in 5..60_usize, every in 1..4_usize) {
        let old = rows(count, seed);
        let some = |row: usize| row.is_multiple_of(every);
        let new = with(&old, if kind < 6 { 2 } else { 3 }, |row, cell| match kind {
            _ if !some(row) => cell.to_owned(),
            0 => format!("{:?}", float(cell) * 0.3),
            1 => format!("{:?}", float(cell) + 12.34),
            2 => format!("{:?}", -float(cell)),
            3 => format!("{:?}", (float(cell) * 1e3).round() / 1e3),
            4 => format!("{:?}", float(cell) * (1.0 + f64::EPSILON)),
            5 => String::new(),
            6 => cell.chars().take(6).collect(),
            _ => cell.to_uppercase(),
        });
        let found = explanations(HEAD, &old, &new, &key(&["id"]));
        prop_assert!(found.len() <= 1);
    }
}
