//! The JSON that ruff, mypy and eslint write by themselves.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use super::warnings::one_line;
use super::{Finding, Level, Report, place};

/// `ruff check --output-format json`: a list.
pub(super) fn read_ruff(text: &str, tree: &Path) -> Result<Report, String> {
    let mut report = Report { tools: vec!["ruff".to_owned()], ..Report::default() };
    for one in list_of("ruff", text)? {
        let path = one["filename"].as_str().ok_or("a finding of ruff names no file")?;
        // What does not parse has no code in older versions.
        let rule = one["code"].as_str().unwrap_or("invalid-syntax");
        let level = one.get("severity").and_then(Value::as_str).unwrap_or("error");
        report.add(Finding {
            tool: "ruff".to_owned(),
            rule: one_line(rule),
            level: Level::from_word(level).unwrap_or(Level::Error),
            path: place::of_path(path, tree),
            line: one["location"]["row"].as_u64().unwrap_or(0),
            message: one_line(one["message"].as_str().unwrap_or_default()),
            fingerprints: BTreeMap::new(),
        })?;
    }
    Ok(report)
}

/// `mypy --output json`: one object a line, nothing when all is well.
pub(super) fn read_mypy(text: &str, tree: &Path) -> Result<Report, String> {
    let mut report = Report { tools: vec!["mypy".to_owned()], ..Report::default() };
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        // How the run ended is told in words by some versions.
        if line.is_empty() || line.starts_with("Success: ") || line.starts_with("Found ") {
            continue;
        }
        let refused = |why: &str| format!("line {} of what mypy wrote {why}", number + 1);
        let one: Value = serde_json::from_str(line)
            .map_err(|_| refused("is no JSON; it is written with `mypy --output json`"))?;
        let path = one["file"].as_str().ok_or_else(|| refused("names no file"))?;
        let level = one["severity"].as_str().and_then(Level::from_word);
        report.add(Finding {
            tool: "mypy".to_owned(),
            rule: one_line(one["code"].as_str().unwrap_or_default()),
            level: level.ok_or_else(|| refused("has no `severity` that is known"))?,
            path: place::of_path(path, tree),
            line: one["line"].as_u64().unwrap_or(0),
            message: one_line(one["message"].as_str().unwrap_or_default()),
            fingerprints: BTreeMap::new(),
        })?;
    }
    Ok(report)
}

/// `eslint --format json`: one object a file that was looked at.
pub(super) fn read_eslint(text: &str, tree: &Path) -> Result<Report, String> {
    let mut report = Report { tools: vec!["eslint".to_owned()], ..Report::default() };
    let files = list_of("eslint", text)?;
    if files.is_empty() {
        return Err("eslint looked at no file".to_owned());
    }
    for file in files {
        let path = file["filePath"].as_str().ok_or("a result of eslint names no file")?;
        let messages = file["messages"].as_array().ok_or("a result of eslint has no `messages`")?;
        report.suppressed += file["suppressedMessages"].as_array().map_or(0, |list| list.len() as u64);
        for one in messages {
            let is_fatal = one["fatal"] == true;
            let level = match one["severity"].as_u64() {
                Some(2) => Level::Error,
                _ if is_fatal => Level::Error,
                Some(1) => Level::Warning,
                _ => return Err("a message of eslint has no `severity` that is known".to_owned()),
            };
            let rule = one["ruleId"].as_str().unwrap_or(if is_fatal { "invalid-syntax" } else { "" });
            report.add(Finding {
                tool: "eslint".to_owned(),
                rule: one_line(rule),
                level,
                path: place::of_path(path, tree),
                line: one["line"].as_u64().unwrap_or(0),
                message: one_line(one["message"].as_str().unwrap_or_default()),
                fingerprints: BTreeMap::new(),
            })?;
        }
    }
    Ok(report)
}

fn list_of(tool: &str, text: &str) -> Result<Vec<Value>, String> {
    match serde_json::from_str(text) {
        Ok(Value::Array(list)) => Ok(list),
        Ok(_) => Err(format!("it is not what {tool} writes: it is no list")),
        Err(error) => Err(format!("it is not what {tool} writes: {error}")),
    }
}
