//! Sources that are less precise than what is claimed of them.

use std::sync::Arc;

use arrow_array::{ArrayRef, Float32Array, RecordBatch};
use parquet::arrow::ArrowWriter;
use serde_json::{Value as Json, json};
use switchback_core::rule::{Rule, Tolerance};
use switchback_statistics::Random;

use super::{comparer, report};

fn tolerance(absolute: Option<f64>, relative: Option<f64>, ulps: Option<u64>) -> Rule {
    Rule { tolerance: Tolerance { absolute, relative, ulps }, ..Rule::default() }
}

/// A table of random numbers: with so many significant digits, or all.
fn text(digits: Option<usize>) -> String {
    let mut random = Random::new(7, 0);
    let numbers = (0..200).map(|_| {
        let value = 1000.0 * random.normal();
        digits.map_or_else(|| format!("{value:?}\n"), |digits| format!("{value:.0$e}\n", digits - 1))
    });
    format!("x\n{}", numbers.collect::<String>())
}

fn carried(old: &str, new: &str, rule: &Rule) -> Json {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (folder.path().join("t.csv"), folder.path().join("u.csv"));
    std::fs::write(&one, old).unwrap();
    std::fs::write(&two, new).unwrap();
    report(&one, &two, rule)["items"][0]["cannot_carry"].clone()
}

// rows: BX-8
#[test]
fn six_digits_cannot_carry_a_claim_of_1e_12() {
    let six = text(Some(6));
    let source = json!({"digits": 6, "kind": "text"});
    let expected = json!([{"column": "x", "old": source, "new": source, "asked": "relative <= 1e-12"}]);
    let claim = tolerance(None, Some(1e-12), None);
    // Whether the files are the same bytes or not.
    assert_eq!(carried(&six, &six, &claim), expected);
    assert_eq!(carried(&six, &six.replace('\n', "\r\n"), &claim), expected);
    let expected = json!([{"column": "x", "old": source, "new": null, "asked": "relative <= 1e-12"}]);
    assert_eq!(carried(&six, &text(None), &claim), expected, "one side is enough");
    let expected = json!([{"column": "x", "old": source, "new": source, "asked": "identical values"}]);
    assert_eq!(carried(&six, &six, &Rule::default()), expected);
    for rule in [
        tolerance(None, Some(1e-6), None),
        tolerance(Some(1.0), Some(1e-12), None),
        tolerance(None, None, Some(1 << 40)),
    ] {
        assert_eq!(carried(&six, &six, &rule), json!([]), "{:?}", rule.tolerance);
    }
    assert_eq!(carried(&six, &six, &tolerance(None, None, Some(4)))[0]["asked"], "<= 4 ULPs");
    assert_eq!(carried(&text(None), &text(None), &claim), json!([]));
    assert_eq!(carried(&text(Some(15)), &text(Some(15)), &claim), json!([]));
    assert_eq!(carried("x\n1\n2\n", "x\n1\n2\n", &claim), json!([]), "integers are exact");
    // Cents cannot show a billionth.
    assert_eq!(
        carried("x\n1.25\n2.75\n", "x\n1.25\n2.75\n", &tolerance(Some(1e-9), None, None))[0]["column"],
        "x"
    );
    assert_eq!(carried("x\n1.25\n2.75\n", "x\n1.25\n2.75\n", &tolerance(Some(0.01), None, None)), json!([]));
    // Many digits may stand in integers among the numbers.
    assert_eq!(carried("x\n1234567890123456\n0.5\n", "x\n1234567890123456\n0.5\n", &claim), json!([]));
}

// rows: BX-8
#[test]
fn a_32_bit_float_cannot_carry_a_claim_of_1e_12() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.parquet");
    let x: ArrayRef = Arc::new(Float32Array::from(vec![1.5, 1000.0, -3.25]));
    let batch = RecordBatch::try_from_iter([("x", x)]).unwrap();
    let mut writer =
        ArrowWriter::try_new(std::fs::File::create(&path).unwrap(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    let carried = |rule: &Rule| report(&path, &path, rule)["items"][0]["cannot_carry"].clone();
    let source = json!({"digits": 7, "kind": "float32"});
    for (rule, asked) in [
        (tolerance(None, Some(1e-12), None), "relative <= 1e-12"),
        (tolerance(Some(1e-12), None, None), "|a - b| <= 1e-12"),
        (tolerance(Some(1e-6), Some(1e-9), None), "|a - b| <= 1e-6 or relative <= 1e-9"),
    ] {
        assert_eq!(carried(&rule), json!([{"column": "x", "old": source, "new": source, "asked": asked}]));
    }
    for rule in [
        Rule::default(),
        tolerance(None, Some(1e-6), None),
        tolerance(Some(1e-3), None, None),
        tolerance(None, None, Some(2)),
    ] {
        assert_eq!(carried(&rule), json!([]), "{:?}", rule.tolerance);
    }
    let rule = tolerance(None, Some(1e-12), None);
    let options = switchback_compare::CompareOptions { rule };
    let summary = comparer().outcome(&path, &path, options).unwrap().summary();
    assert!(summary.ends_with("; `x` has 7 digits at its source, too few for the tolerance"), "{summary}");
}
