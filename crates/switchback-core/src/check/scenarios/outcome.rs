//! What came of all cases together: the verdict, one line, a table, and the evidence.

use serde_json::{Value, json};

use super::super::Looked;
use crate::quantity::counted;
use crate::verdict::Verdict;

/// Of so many cases the evidence holds all that was seen; of the others what is in the table.
const DETAILED_MAX: usize = 20;
/// So many rows are shown at once; those that say yes are left out first.
const ROWS_MAX: usize = 40;
/// What only the first of them keep.
const LARGE: &[&str] = &["comparison", "conditions", "old", "new"];

/// The outcome of the check.
pub(super) fn of_all(cases: &[Value]) -> Looked {
    let verdict = Verdict::all(cases.iter().map(verdict_of));
    let count = |wanted: Verdict| cases.iter().filter(|case| verdict_of(case) == wanted).count();
    let kept = cases.iter().filter(|case| case["kept"] == true).count();
    let (yes, no, unknown) = (count(Verdict::Yes), count(Verdict::No), count(Verdict::Unknown));
    assert_eq!(yes + no + unknown, cases.len(), "each case has one verdict");
    let mut summary = match cases.iter().find(|case| verdict_of(case) == verdict) {
        Some(_) if verdict == Verdict::Yes => held(cases),
        Some(first) => {
            let decided = if verdict == Verdict::No { no } else { unknown };
            let others = if decided > 1 { format!("; {} more like it", decided - 1) } else { String::new() };
            let text = |name: &str| first[name].as_str().unwrap_or_default();
            format!(
                "`{}`: {}{others}; {yes} of {} hold",
                text("case"),
                text("summary"),
                counted_cases(cases.len())
            )
        }
        None => "there was nothing to run".to_owned(),
    };
    if kept > 0 {
        summary = format!("{summary}; {kept} not run again after an interruption");
    }
    let details = json!({
        "counts": {"yes": yes, "no": no, "unknown": unknown, "kept": kept},
        "cases": bounded(cases),
    });
    let seconds = cases.iter().filter_map(|case| case["seconds"]["new"].as_f64()).sum();
    Looked::new(verdict, summary, details).shown(table(cases)).measured(seconds)
}

fn verdict_of(case: &Value) -> Verdict {
    case["verdict"].as_str().and_then(Verdict::from_word).unwrap_or(Verdict::Unknown)
}

fn counted_cases(count: usize) -> String {
    counted(count as u64, "case")
}

fn held(cases: &[Value]) -> String {
    let failing = cases.iter().filter(|case| case["fails"] == true).count();
    let mut scenarios: Vec<&Value> = cases.iter().map(|case| &case["scenario"]).collect();
    scenarios.dedup();
    let all = format!("{} of {}", counted_cases(cases.len()), counted(scenarios.len() as u64, "scenario"));
    match failing {
        0 => format!("{all}: old and new agree"),
        failing => format!("{all}: old and new agree, {failing} of them by failing alike"),
    }
}

/// The cases with what is large in the first of them only.
fn bounded(cases: &[Value]) -> Vec<Value> {
    let mut detailed = 0;
    let bound = |case: &Value| {
        let mut case = case.clone();
        let Some(fields) = case.as_object_mut() else { return case };
        if LARGE.iter().any(|name| fields.contains_key(*name)) {
            detailed += 1;
            if detailed > DETAILED_MAX {
                fields.retain(|name, _| !LARGE.contains(&name.as_str()));
            }
        }
        case
    };
    cases.iter().map(bound).collect()
}

fn table(cases: &[Value]) -> Vec<Vec<String>> {
    let seconds = |case: &Value, side: &str| {
        case["seconds"][side].as_f64().map_or_else(|| "-".to_owned(), |seconds| format!("{seconds:.1} s"))
    };
    let text = |case: &Value, name: &str| case[name].as_str().unwrap_or_default().to_owned();
    let row = |case: &Value| {
        let verdict = verdict_of(case).spoken().to_owned();
        vec![text(case, "case"), verdict, seconds(case, "old"), seconds(case, "new"), text(case, "summary")]
    };
    let is_shown = |case: &&Value| cases.len() <= ROWS_MAX || verdict_of(case) != Verdict::Yes;
    let shown: Vec<&Value> = cases.iter().filter(is_shown).take(ROWS_MAX).collect();
    let mut rows = vec![["case", "verdict", "old", "new", "what was seen"].map(str::to_owned).to_vec()];
    rows.extend(shown.iter().map(|case| row(case)));
    if shown.len() < cases.len() {
        rows.push(vec![format!("… and {} more", cases.len() - shown.len())]);
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(name: &str, verdict: &str) -> Value {
        json!({"case": name, "scenario": name, "verdict": verdict, "summary": "seen", "seconds": {"old": 1.0, "new": 2.0},
               "comparison": {}})
    }

    #[test]
    fn what_decides_is_named_first_and_nothing_run_is_no_yes() {
        let looked = of_all(&[case("a", "yes"), case("b", "unknown"), case("c", "no"), case("d", "no")]);
        assert_eq!((looked.verdict, looked.measure), (Verdict::No, Some(8.0)));
        assert_eq!(looked.summary, "`c`: seen; 1 more like it; 1 of 4 cases hold");
        let looked = of_all(&[case("a", "yes"), case("b", "unknown")]);
        assert_eq!(looked.verdict, Verdict::Unknown);
        assert!(looked.summary.starts_with("`b`: seen"), "{}", looked.summary);
        assert_eq!(of_all(&[]).verdict, Verdict::Unknown);
        assert_eq!(of_all(&[case("a", "strange")]).verdict, Verdict::Unknown);
    }

    #[test]
    fn many_cases_are_bounded_and_those_that_do_not_hold_are_shown() {
        let mut cases: Vec<Value> = (0..100).map(|number| case(&number.to_string(), "yes")).collect();
        cases.push(case("last", "no"));
        let looked = of_all(&cases);
        assert_eq!(looked.table.len(), 3);
        assert_eq!((looked.table[1][0].as_str(), looked.table[2][0].as_str()), ("last", "… and 100 more"));
        let cases = looked.details["cases"].as_array().unwrap();
        let large = cases.iter().filter(|case| case.get("comparison").is_some()).count();
        assert_eq!((cases.len(), large), (101, DETAILED_MAX));
    }
}
