//! dbt's `run_results.json`: every node that it built or tested is a test.

use std::collections::BTreeMap;

use serde_json::Value;

use super::error::{self, INPUT_BYTES_MAX};
use super::{ResultsError, TestOutcome, TestRun};

/// What the address of the schema ends with, `…/run-results/v6.json`, in the versions that are read.
const VERSIONS: &[&str] = &["run-results/v4.json", "run-results/v5.json", "run-results/v6.json"];

/// Whether a text is what dbt writes, and not a table or XML.
pub(super) fn recognises(text: &str) -> bool {
    text.trim_start_matches('\u{feff}').trim_start().starts_with('{')
}

/// Reads `run_results.json` in the versions 4 to 6 of its schema (dbt 1.0 to 1.10). Tests are named by dbt's `unique_id`.
///
/// - `success`, `pass` and `reused` passed; `fail` failed; `error`, `runtime error` and `partial success` (some batches of a
///   model failed) are errors, as they are for dbt's own exit code.
/// - `skipped` and `no-op` were not run.
/// - `warn` is a test that failed and whose author said that it may: it failed as expected.
///
/// dbt writes the file at its end, also after failures. One of an earlier invocation looks like one of this.
///
/// # Errors
///
/// Anything but one whole document of these versions: another one, a status that is not known, two results of one node.
pub(super) fn read(text: &str) -> Result<TestRun, ResultsError> {
    if text.len() > INPUT_BYTES_MAX {
        let max = INPUT_BYTES_MAX as u64;
        return Err(ResultsError::TooMuch { what: "bytes", found: text.len() as u64, max });
    }
    let text = text.trim_start_matches('\u{feff}');
    let document: Value = serde_json::from_str(text).map_err(|error| refused(error.to_string()))?;
    let version = document["metadata"]["dbt_schema_version"].as_str().unwrap_or_default();
    if !VERSIONS.iter().any(|known| version.ends_with(known)) {
        let found =
            if version.is_empty() { "no `dbt_schema_version`".to_owned() } else { format!("`{version}`") };
        return Err(refused(format!("it has {found}; the versions v4 to v6 of `run-results` are read")));
    }
    let results = document["results"].as_array().ok_or_else(|| refused("it has no `results`".to_owned()))?;
    let mut outcomes = BTreeMap::new();
    for (number, result) in results.iter().enumerate() {
        let field = |name: &str| {
            let missing = || refused(format!("result {number} has no `{name}`"));
            result[name].as_str().ok_or_else(missing)
        };
        let (id, status) = (field("unique_id")?, field("status")?);
        let outcome = outcome(status)
            .ok_or_else(|| refused(format!("`{id}` has the status `{status}`, which is not known")))?;
        if outcomes.insert(id.to_owned(), outcome).is_some() {
            return Err(refused(format!("`{id}` has two results")));
        }
    }
    error::bounded(&outcomes)?;
    Ok(TestRun::named(outcomes))
}

fn outcome(status: &str) -> Option<TestOutcome> {
    Some(match status.to_ascii_lowercase().as_str() {
        "success" | "pass" | "reused" => TestOutcome::Passed,
        "fail" => TestOutcome::Failed,
        "error" | "runtime error" | "partial success" => TestOutcome::Error,
        "skipped" | "no-op" => TestOutcome::Skipped,
        "warn" => TestOutcome::XFailed,
        _ => return None,
    })
}

fn refused(reason: String) -> ResultsError {
    ResultsError::Dbt { reason }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::test_results::read_report;

    fn results(version: &str, results: &[(&str, &str)]) -> String {
        let results: Vec<Value> = results
            .iter()
            .map(|(id, status)| json!({"unique_id": id, "status": status, "timing": [], "failures": null}))
            .collect();
        let schema = format!("https://schemas.getdbt.com/dbt/run-results/{version}.json");
        json!({"metadata": {"dbt_schema_version": schema}, "results": results, "elapsed_time": 1.5, "args": {}}).to_string()
    }

    #[test]
    fn every_status_of_every_version_is_an_outcome() {
        let all = [
            ("model.p.a", "success"),
            ("test.p.b", "pass"),
            ("test.p.c", "fail"),
            ("model.p.d", "error"),
            ("test.p.e", "runtime error"),
            ("model.p.f", "skipped"),
            ("test.p.g", "warn"),
            ("saved_query.p.h", "no-op"),
            ("model.p.i", "partial success"),
        ];
        for version in ["v4", "v5", "v6"] {
            let run = read_report(&results(version, &all)).unwrap();
            let counts = run.counts;
            assert_eq!((counts.passed, counts.failed, counts.errors), (2, 1, 3), "{version}");
            assert_eq!((counts.skipped, counts.xfailed), (2, 1), "{version}");
            assert_eq!(run.outcomes["test.p.c"], TestOutcome::Failed);
        }
    }

    #[test]
    fn what_is_no_whole_document_of_a_known_version_is_refused() {
        let whole = results("v6", &[("model.p.a", "success")]);
        for (text, words) in [
            (whole[..whole.len() - 2].to_owned(), "EOF"),
            (results("v3", &[]), "run-results/v3.json"),
            (results("v6", &[("model.p.a", "fine")]), "`model.p.a` has the status `fine`"),
            (results("v6", &[("a", "pass"), ("a", "fail")]), "`a` has two results"),
            ("{}".to_owned(), "no `dbt_schema_version`"),
            (whole.replace("\"unique_id\"", "\"id\""), "result 0 has no `unique_id`"),
            (whole.replace("\"results\"", "\"result\""), "no `results`"),
        ] {
            let error = read_report(&text).unwrap_err().to_string();
            assert!(error.contains("dbt") && error.contains(words), "{error}");
        }
        assert_eq!(
            read_report(&results("v6", &[])).unwrap().counts.ran(),
            0,
            "nothing ran, and that is no yes"
        );
    }
}
