//! The JSON of coverage.py (`coverage json`), formats 2 and 3.

use serde_json::Value;

use super::{Coverage, Covered, Place, Share};

/// Reads it. Each file's own summary must agree with the lines that it lists.
pub(super) fn read(text: &str, place: &Place<'_>) -> Result<Coverage, String> {
    let report: Value = serde_json::from_str(text).map_err(|error| format!("it is no JSON: {error}"))?;
    let meta = report.get("meta").filter(|meta| meta.get("version").is_some());
    let (Some(meta), Some(files)) = (meta, report.get("files").and_then(Value::as_object)) else {
        return Err("it is no report of coverage.py: it has no `meta` with a `version`, or no `files`".into());
    };
    // Format 1 is the same as far as it is read here, and wrote no number.
    let format = meta.get("format").and_then(Value::as_u64).unwrap_or(1);
    if !(1..=3).contains(&format) {
        return Err(format!("it is of format {format} of coverage.py; formats 1 to 3 are read"));
    }
    let version = meta["version"].as_str().unwrap_or_default();
    let mut coverage = Coverage { tool: format!("coverage.py {version}"), ..Coverage::default() };
    for (path, file) in files {
        let covered = of_file(file).ok_or_else(|| {
            format!("what it says of `{}` does not agree with itself", crate::plan::shown(path))
        })?;
        coverage.add(place.name(path, &[]), covered)?;
    }
    let total = coverage.total();
    let said = share(&report["totals"]).ok_or("it has no `totals`: it may have been cut")?;
    if said != total {
        return Err(format!(
            "its files add up to lines {}, branches {}; its totals say {} and {}",
            total.lines.told(),
            total.branches.told(),
            said.lines.told(),
            said.branches.told()
        ));
    }
    Ok(coverage)
}

fn of_file(file: &Value) -> Option<Covered> {
    let listed = |name: &str| file.get(name).and_then(Value::as_array).map(|lines| lines.len() as u64);
    let (executed, missing) = (listed("executed_lines")?, listed("missing_lines")?);
    let covered = share(&file["summary"])?;
    let agrees = covered.lines == Share { covered: executed, all: executed.checked_add(missing)? };
    agrees.then_some(covered)
}

fn share(summary: &Value) -> Option<Covered> {
    let number = |name: &str| summary.get(name).and_then(Value::as_u64);
    let lines = Share { covered: number("covered_lines")?, all: number("num_statements")? };
    // Without `--branch` the report says nothing of branches.
    let branches = match number("num_branches") {
        Some(all) => Share { covered: number("covered_branches")?, all },
        None => Share::default(),
    };
    let is_possible = lines.covered <= lines.all && branches.covered <= branches.all;
    is_possible.then_some(Covered { lines, branches })
}
