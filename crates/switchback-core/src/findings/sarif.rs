//! SARIF 2.1.0 (OASIS, *Static Analysis Results Interchange Format*), as far as it says what was found, where, and whether the
//! tool came to an end.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use super::{Finding, Level, Report, place};
use crate::plan::shown;

/// So many bases may stand on each other.
const BASES_MAX: usize = 16;

/// Reads a log. A run that did not come to an end, or wrote no results, is an error: nothing is known then.
pub(super) fn read(text: &str, tree: &Path) -> Result<Report, String> {
    if text.trim().is_empty() {
        return Err("it is empty".to_owned());
    }
    let log: Value = serde_json::from_str(text).map_err(|error| format!("it is no SARIF: {error}"))?;
    match log.get("version").and_then(Value::as_str) {
        Some("2.1.0") => {}
        Some(other) => return Err(format!("it is SARIF of version {}; 2.1.0 is read", shown(other))),
        None => return Err("it is no SARIF: it has no `version`".to_owned()),
    }
    let runs = log.get("runs").and_then(Value::as_array).ok_or("it has no `runs`")?;
    if runs.is_empty() {
        return Err("it has no run: no tool looked at anything".to_owned());
    }
    let mut report = Report::default();
    for run in runs {
        let run = Run::of(run, tree)?;
        report.tools.push(run.tool.clone());
        run.take(&mut report)?;
    }
    Ok(report)
}

struct Run<'a> {
    value: &'a Value,
    tool: String,
    tree: &'a Path,
}

impl<'a> Run<'a> {
    fn of(value: &'a Value, tree: &'a Path) -> Result<Self, String> {
        let driver = &value["tool"]["driver"];
        let tool = driver["name"].as_str().ok_or("a run does not name its tool")?;
        let run = Self { value, tool: shown(tool), tree };
        run.look_at_invocations()?;
        if !list(&value["externalPropertyFileReferences"]["results"]).is_empty() {
            return Err(format!("the results of {} lie in other files, which are not read", run.tool));
        }
        Ok(run)
    }

    /// Whether the tool says that it came to an end, and had no trouble of its own.
    fn look_at_invocations(&self) -> Result<(), String> {
        for invocation in list(&self.value["invocations"]) {
            let notified = ["toolExecutionNotifications", "toolConfigurationNotifications"];
            let notes = notified.iter().flat_map(|name| list(&invocation[*name]));
            let error = notes.into_iter().find(|note| note["level"] == "error");
            let words = error.map_or_else(String::new, |note| {
                format!(": {}", shown(note["message"]["text"].as_str().unwrap_or("it does not say why")))
            });
            if invocation["executionSuccessful"] == false {
                return Err(format!("{} says that it did not come to an end{words}", self.tool));
            }
            if error.is_some() {
                return Err(format!("{} says that it could not look at everything{words}", self.tool));
            }
        }
        Ok(())
    }

    fn take(&self, report: &mut Report) -> Result<(), String> {
        let results = self.value.get("results").and_then(Value::as_array);
        let results = results
            .ok_or_else(|| format!("the run of {} has no `results`: it looked at nothing", self.tool))?;
        for result in results {
            // What was found once and is no more, and what speaks for the code.
            if result["baselineState"] == "absent" {
                continue;
            }
            match result.get("kind").map_or(Some("fail"), Value::as_str) {
                Some("fail") => {}
                Some("pass" | "informational" | "notApplicable") => continue,
                Some("open" | "review") => {
                    report.open += 1;
                    continue;
                }
                other => {
                    let word = shown(other.unwrap_or("no text"));
                    return Err(format!("a result of {} is of the unknown kind `{word}`", self.tool));
                }
            }
            if is_suppressed(result) {
                report.suppressed += 1;
                continue;
            }
            report.add(self.finding(result)?)?;
        }
        Ok(())
    }

    fn finding(&self, result: &Value) -> Result<Finding, String> {
        let rule = self.rule(result);
        let id = result["ruleId"].as_str().or_else(|| result["rule"]["id"].as_str());
        let id = id.or_else(|| rule?["id"].as_str()).unwrap_or_default();
        let level = match result.get("level") {
            Some(level) => level.as_str(),
            None => rule.and_then(|rule| rule["defaultConfiguration"]["level"].as_str()).or(Some("warning")),
        };
        let level = level.and_then(Level::from_word).ok_or_else(|| {
            format!("a result of {} ({}) has a level that SARIF does not have", self.tool, shown(id))
        })?;
        let physical =
            &list(&result["locations"]).first().map_or(&Value::Null, |first| &first["physicalLocation"]);
        let fingerprints = ["partialFingerprints", "fingerprints"].into_iter().flat_map(|name| {
            let prints = result[name].as_object().into_iter().flatten();
            prints.filter_map(|(name, print)| Some((name.clone(), print.as_str()?.to_owned())))
        });
        Ok(Finding {
            tool: self.tool.clone(),
            rule: super::warnings::one_line(id),
            level,
            path: self.file(&physical["artifactLocation"]),
            line: physical["region"]["startLine"].as_u64().unwrap_or(0),
            message: message(&result["message"], rule),
            fingerprints: fingerprints.collect::<BTreeMap<_, _>>(),
        })
    }

    /// The description of a result's rule, of the tool itself or of an extension of it.
    fn rule(&self, result: &Value) -> Option<&'a Value> {
        let component = &result["rule"]["toolComponent"]["index"];
        let component = match component.as_u64().and_then(|index| usize::try_from(index).ok()) {
            Some(index) => &self.value["tool"]["extensions"][index],
            None => &self.value["tool"]["driver"],
        };
        let rules = list(&component["rules"]);
        let index = result["ruleIndex"].as_u64().or_else(|| result["rule"]["index"].as_u64());
        let by_index = index.and_then(|index| rules.get(usize::try_from(index).ok()?));
        let id = result["ruleId"].as_str().or_else(|| result["rule"]["id"].as_str());
        by_index.or_else(|| rules.iter().find(|rule| id.is_some() && rule["id"].as_str() == id))
    }

    /// The name of the file of a place; empty when it names none.
    fn file(&self, location: &Value) -> String {
        let index = location["index"].as_u64().and_then(|index| usize::try_from(index).ok());
        let listed = index.map_or(&Value::Null, |index| &self.value["artifacts"][index]["location"]);
        let location = if location["uri"].is_string() { location } else { listed };
        let Some(mut uri) = location["uri"].as_str().map(str::to_owned) else { return String::new() };
        // Bases stand on each other; in a circle they lead nowhere.
        let mut base = location["uriBaseId"].as_str();
        for _ in 0..BASES_MAX {
            let Some(id) = base else { break };
            let found = &self.value["originalUriBaseIds"][id];
            uri = place::joined(found["uri"].as_str().unwrap_or_default(), &uri);
            base = found["uriBaseId"].as_str();
        }
        place::of_uri(&uri, self.tree)
    }
}

/// Suppressed, unless somebody still has to look at it or has refused that.
fn is_suppressed(result: &Value) -> bool {
    let suppressions = list(&result["suppressions"]);
    let is_accepted = |one: &Value| one.get("status").is_none_or(|status| status == "accepted");
    !suppressions.is_empty() && suppressions.iter().all(is_accepted)
}

fn message(message: &Value, rule: Option<&Value>) -> String {
    let text = message["text"].as_str().or_else(|| message["markdown"].as_str()).map(str::to_owned);
    let text = text.or_else(|| {
        let id = message["id"].as_str()?;
        Some(rule?["messageStrings"][id]["text"].as_str()?.to_owned())
    });
    let mut text = text.unwrap_or_default();
    for (number, argument) in list(&message["arguments"]).iter().enumerate() {
        text = text.replace(&format!("{{{number}}}"), argument.as_str().unwrap_or_default());
    }
    super::warnings::one_line(&text)
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}
