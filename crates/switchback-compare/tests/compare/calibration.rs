//! The noise of two runs of one program, the tolerances that follow, and those that are refused.

use std::path::Path;

use proptest::prelude::*;
use serde_json::{Value as Json, json};
use switchback_compare::calibration::{MARGIN, calibrate, judge, load};
use switchback_core::rule::{ColumnCase, Duplicates, RowOrder, Rule, Tolerance};
use switchback_core::world::RealDisk;

use super::key;

/// The document, its line, or the reasons why there is none.
fn calibrated(old: &str, again: &str, rule: &Rule) -> Result<(Json, String), String> {
    let folder = tempfile::tempdir().unwrap();
    calibrated_in(folder.path(), "csv", old, again, rule)
}

fn calibrated_in(
    folder: &Path,
    ending: &str,
    old: &str,
    again: &str,
    rule: &Rule,
) -> Result<(Json, String), String> {
    let (one, two) = (folder.join(format!("t.{ending}")), folder.join(format!("u.{ending}")));
    std::fs::write(&one, old).unwrap();
    std::fs::write(&two, again).unwrap();
    let outcome = calibrate(&one, &two, rule, &RealDisk).map_err(|error| {
        let error = error.into_port_error(&one, &two);
        format!("{}\n{}", error.causes.join("\n"), error.hint.unwrap_or_default())
    })?;
    Ok((serde_json::from_str(&outcome.to_json()).unwrap(), outcome.summary()))
}

const RUN: &str = "id,x,s\n1,1.0,a\n2,1000.0,b\n3,0.5,c\n";

fn tolerance(absolute: Option<f64>, relative: Option<f64>) -> Rule {
    Rule { tolerance: Tolerance { absolute, relative, ulps: None }, ..key(&["id"]) }
}

// rows: BX-9
#[test]
fn a_deterministic_program_has_no_noise() {
    for again in [RUN.to_owned(), RUN.replace('\n', "\r\n")] {
        let (report, line) = calibrated(RUN, &again, &key(&["id"])).unwrap();
        assert_eq!(report["verdict"], "yes");
        let zero = json!({"absolute": 0.0, "relative": 0.0, "ulps": 0});
        let column = |name: &str| json!({"item": "t.csv", "column": name, "not_identical": 0, "noise": zero, "tolerance": zero});
        assert_eq!(report["calibration"], json!({"margin": 10.0, "columns": [column("x"), column("s")]}));
        assert_eq!(line, "no noise: two runs have the same numbers in 2 columns");
        // Any tolerance is one, also none.
        assert!(calibrated(RUN, &again, &tolerance(Some(0.0), None)).is_ok());
    }
}

// rows: BX-9
#[test]
fn the_floor_is_the_largest_distance_of_each_column_and_nothing_below_it_is_accepted() {
    let again = RUN.replace("1000.0", "1000.25").replace("0.5,", "0.515625,");
    let (report, line) = calibrated(RUN, &again, &key(&["id"])).unwrap();
    assert_eq!(report["verdict"], "yes");
    let x = &report["calibration"]["columns"][0];
    assert_eq!((&x["noise"]["absolute"], &x["tolerance"]["absolute"]), (&json!(0.25), &json!(0.25 * MARGIN)));
    assert_eq!((&x["not_identical"], &x["noise"]["relative"]), (&json!(2), &json!(0.015_625 / 0.515_625)));
    assert!(
        line.starts_with(
            "noise in 1 of 2 columns, the largest in `x` of `t.csv`: |a - b| 0.25, relative 0.0303030303"
        ),
        "{line}"
    );
    assert!(calibrated(RUN, &again, &tolerance(Some(0.25), None)).is_ok());
    // Bounds are judged cell by cell, as they are met: neither of these reaches alone.
    assert!(calibrated(RUN, &again, &tolerance(Some(0.02), Some(0.001))).is_ok());
    let said = calibrated(RUN, &again, &tolerance(Some(0.249), None)).unwrap_err();
    assert!(said.starts_with("the tolerance of `x` in `t.csv` (|a - b| 0.249) lies below the noise that two runs of the old program show: |a - b| 0.25, relative"), "{said}");
    assert!(
        said.contains(
            "\nask for no less than the noise; the tolerance that follows from it is: |a - b| 2.5, "
        ),
        "{said}"
    );
    // A tolerance of its own for another column leaves this one without any.
    let own = Rule {
        column_tolerance: [("s".to_owned(), Tolerance { ulps: Some(1), ..Tolerance::default() })].into(),
        ..key(&["id"])
    };
    assert!(calibrated(RUN, &again, &own).unwrap_err().contains("(identical values)"));
}

// rows: BX-9
#[test]
fn what_no_tolerance_covers_is_a_no() {
    for (from, to, said) in [
        (",a\n", ",z\n", "first in `s` at id = 1"),
        ("0.5,", ",", "first in `x` at id = 3"),
        ("0.5,", "NaN,", "first in `x` at id = 3"),
        ("3,0.5,c\n", "", "1 row only in the old one"),
    ] {
        let (report, line) = calibrated(RUN, &RUN.replace(from, to), &key(&["id"])).unwrap();
        assert_eq!(report["verdict"], "no");
        assert!(
            line.starts_with("no tolerance covers all: `t.csv` differs: ") && line.contains(said),
            "{line}"
        );
    }
    let endless = calibrated(RUN, &RUN.replace("0.5,", "inf,"), &key(&["id"])).unwrap().0;
    assert_eq!(endless["verdict"], "no");
    assert_eq!(endless["calibration"]["columns"][0]["noise"], json!({"absolute": f64::MAX}));
    let empty = "id,x\n";
    assert_eq!(calibrated(empty, empty, &key(&["id"])).unwrap().0["verdict"], "unknown");
}

// rows: BX-9
#[test]
fn times_and_documents_have_noise_too() {
    let (report, _) =
        calibrated("t\n2026-01-01T00:00:00\n", "t\n2026-01-01T00:00:00.5\n", &Rule::default()).unwrap();
    assert_eq!(report["calibration"]["columns"][0]["noise"], json!({"seconds": 0.5}));
    assert_eq!(report["calibration"]["columns"][0]["tolerance"], json!({"seconds": 5.0}));
    let folder = tempfile::tempdir().unwrap();
    let (report, _) =
        calibrated_in(folder.path(), "json", "{\"a\": [1.0, 2.0]}", "{\"a\": [1.0, 2.5]}", &Rule::default())
            .unwrap();
    assert_eq!(report["calibration"]["columns"][0]["noise"]["absolute"], 0.5);
    assert_eq!(report["calibration"]["columns"][0]["column"], Json::Null);
    let loose = tolerance(Some(0.25), None);
    let said = calibrated_in(
        folder.path(),
        "json",
        "{\"a\": 2.0}",
        "{\"a\": 2.5}",
        &Rule { key: Vec::new(), ..loose },
    );
    assert!(
        said.unwrap_err().starts_with("the tolerance of `its values` in `t.json` (|a - b| 0.25) lies below")
    );
}

// rows: BX-9
#[test]
fn a_stored_calibration_refuses_tolerances_below_it() {
    let again = RUN.replace("1000.0", "1000.25");
    let folder = tempfile::tempdir().unwrap();
    let (report, _) = calibrated_in(folder.path(), "csv", RUN, &again, &key(&["id"])).unwrap();
    let stored = folder.path().join("noise.json");
    std::fs::write(&stored, report.to_string()).unwrap();
    let noise = load(&RealDisk, &stored).unwrap();
    for (rule, accepted) in [
        (tolerance(Some(0.25), None), true),
        (tolerance(None, Some(0.001)), true),
        (tolerance(Some(0.2), None), false),
        (key(&["id"]), false),
        (Rule { exclude: vec!["x".to_owned()], ..key(&["id"]) }, true),
        (Rule { columns: vec!["s".to_owned()], ..key(&["id"]) }, true),
        (Rule { columns: vec!["X".to_owned()], ..key(&["id"]) }, true),
        (Rule { columns: vec!["X".to_owned()], column_case: ColumnCase::Ignore, ..key(&["id"]) }, false),
        (Rule { bitwise: true, ..tolerance(Some(0.25), None) }, false),
        (
            Rule {
                column_tolerance: [(
                    "x".to_owned(),
                    Tolerance { absolute: Some(0.1), ..Tolerance::default() },
                )]
                .into(),
                ..tolerance(Some(0.25), None)
            },
            false,
        ),
    ] {
        assert_eq!(judge(&noise, &rule).is_ok(), accepted, "{rule:?}");
    }
    std::fs::write(&stored, "{\"schema\": \"switchback/compare/1\"}").unwrap();
    let said = load(&RealDisk, &stored).unwrap_err().to_string();
    assert!(said.contains("it is no result of `compare --calibrate`"), "{said}");
}

#[test]
fn noise_is_measured_where_it_means_something() {
    for (rule, said) in [
        (Rule { bitwise: true, ..key(&["id"]) }, "bitwise"),
        (Rule { row_order: RowOrder::Any, ..Rule::default() }, "by a key, or by position"),
        (Rule { duplicates: Duplicates::Match, ..key(&["id"]) }, "a key must name one row"),
    ] {
        assert!(calibrated(RUN, RUN, &rule).unwrap_err().contains(said), "{said}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// The floor is met by two runs, any smaller one is not; and which run came first does not matter.
    #[test]
    fn the_floor_is_tight_and_symmetric(values in proptest::collection::vec((-1e3..1e3_f64, -1.0..1.0_f64), 1..30)) {
        let table = |pick: &dyn Fn(&(f64, f64)) -> f64| {
            let rows = values.iter().map(|value| format!("{:?}\n", pick(value)));
            format!("x\n{}", rows.collect::<String>())
        };
        let (old, again) = (table(&|value| value.0), table(&|value| value.0 + value.1));
        let (report, _) = calibrated(&old, &again, &Rule::default()).unwrap();
        let (mirrored, _) = calibrated(&again, &old, &Rule::default()).unwrap();
        prop_assert_eq!(&report["calibration"], &mirrored["calibration"]);
        let floor = report["calibration"]["columns"][0]["noise"]["absolute"].as_f64().unwrap();
        let at = |absolute: f64| Rule { key: Vec::new(), ..tolerance(Some(absolute), None) };
        prop_assert!(calibrated(&old, &again, &at(floor.next_up())).is_ok());
        if floor > 0.0 {
            prop_assert!(calibrated(&old, &again, &at(floor * 0.999)).is_err());
        }
    }
}
