//! A report as SARIF 2.1.0 (OASIS, *Static Analysis Results Interchange Format*), in the subset that code scanning takes: a rule
//! for each check, and a result for each place at which one of them does not say *yes*.
//!
//! What holds is no result, since viewers show each result as something that is wrong. What nobody looked at yet is a notification of
//! the invocation, so that a file without results is not taken for more than it is.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use super::phase_report::{CheckReport, PhaseReport};
use super::places::Place;
use super::run_report::RunReport;
use super::visible::visible;
use crate::plan::PLAN_FILE;
use crate::quantity::counted;
use crate::verdict::Verdict;

/// Where the schema of the format is.
const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";
/// By this a document is known as a report, near its beginning.
pub(super) const SARIF_MARK: &str = "\"producer\": \"Switchback\"";

/// Everything that a document is put together from.
#[derive(Default)]
struct Log {
    rules: Vec<Value>,
    results: Vec<Value>,
    open: Vec<Value>,
}

/// Writes the document. The same run gives the same text.
pub(super) fn sarif(report: &RunReport) -> Value {
    let mut log = Log::default();
    for phase in &report.phases {
        for check in phase.outcomes() {
            log.check(phase, check);
        }
        log.open_checks(phase);
        log.criteria(phase);
        log.triggers(phase);
    }
    let version = report.tool.rsplit(' ').next().unwrap_or_default();
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "properties": {"producer": "Switchback"},
        "runs": [{
            "tool": {"driver": {"name": "Switchback", "semanticVersion": version, "rules": log.rules}},
            "automationDetails": {"id": format!("switchback/{}/", visible(&report.status.project))},
            "invocations": [{"executionSuccessful": true, "toolExecutionNotifications": log.open}],
            "results": log.results,
            "properties": {"run": report.run.id, "verdict": report.verdict.word(), "headline": visible(&report.headline)},
        }],
    })
}

/// How grave it is that a check does not say *yes*; `None`: it does.
fn level(check: &CheckReport) -> Option<&'static str> {
    match check.verdict {
        _ if check.evidence_fault.is_some() || !check.void.is_empty() => Some("warning"),
        Verdict::Yes => None,
        Verdict::No if check.refuses() => Some("error"),
        // What later looks are compared with holds nothing up.
        Verdict::No => Some("note"),
        Verdict::Unknown => Some("warning"),
    }
}

impl Log {
    /// The place of a rule in the list; a rule is there once, whatever phases and moments it has.
    fn rule(&mut self, id: &str, what: &str, kind: &str) -> usize {
        let id = visible(id);
        if let Some(at) = self.rules.iter().position(|rule| rule["id"] == id.as_str()) {
            return at;
        }
        self.rules.push(
            json!({"id": id, "shortDescription": {"text": visible(what)}, "properties": {"kind": kind}}),
        );
        self.rules.len() - 1
    }

    fn check(&mut self, phase: &PhaseReport, check: &CheckReport) {
        let kind = if check.kind.is_empty() { "check" } else { check.kind.as_str() };
        let rule = self.rule(&check.name, &format!("the check {}, of the kind {kind}", check.name), kind);
        let Some(level) = level(check) else { return };
        let phase_name = &phase.status.name;
        let said = if let Some(fault) = &check.evidence_fault {
            format!("its evidence cannot be used: {fault}")
        } else if check.void.is_empty() {
            format!("{}: {}", check.verdict.spoken(), check.summary)
        } else {
            format!("its evidence is void, because since then {} changed", check.void.join(", "))
        };
        let said = format!("{} at {} of the phase {phase_name}: {said}", check.name, check.at);
        let in_plan = [Place { path: PLAN_FILE.to_owned(), line: check.line, what: String::new() }];
        let places: &[Place] = if check.places.is_empty() { &in_plan } else { &check.places };
        for place in places {
            let text = if place.what.is_empty() { said.clone() } else { format!("{} ({said})", place.what) };
            let about = json!({
                "phase": phase_name, "at": check.at, "verdict": check.verdict.word(), "evidence": format!("blake3:{}", check.evidence),
            });
            let same = [phase_name, &check.at, &place.path, &place.what];
            self.result(rule, level, &text, place, &about, &same);
        }
        if check.places_left_out > 0 {
            // Without it, what is left out would look as if it were mended.
            let more = counted(check.places_left_out, "more place");
            let text = format!(
                "{} at {} of the phase {phase_name}: {more} at which something is wrong, which this report leaves out",
                check.name, check.at
            );
            self.notice("warning", rule, &text);
        }
    }

    /// `same`: what tells it from the other results of its rule, whichever line it is in.
    fn result(
        &mut self,
        rule: usize,
        level: &str,
        text: &str,
        place: &Place,
        about: &Value,
        same: &[&String],
    ) {
        let mut physical = Map::new();
        physical.insert(
            "artifactLocation".to_owned(),
            json!({"uri": uri(&place.path), "uriBaseId": "%SRCROOT%"}),
        );
        physical.insert("region".to_owned(), json!({"startLine": place.line.unwrap_or(1)}));
        let mut hasher = blake3::Hasher::new();
        for part in same {
            hasher.update(part.as_bytes());
            hasher.update(&[0]);
        }
        let id = self.rules.get(rule).map(|rule| rule["id"].clone()).unwrap_or_default();
        self.results.push(json!({
            "ruleId": id,
            "ruleIndex": rule,
            "kind": "fail",
            "level": level,
            "message": {"text": visible(text)},
            "locations": [{"physicalLocation": physical}],
            "partialFingerprints": {"switchback/v1": hasher.finalize().to_hex().as_str()},
            "properties": about,
        }));
    }

    fn notify(&mut self, rule: usize, text: &str) {
        self.notice("note", rule, text);
    }

    fn notice(&mut self, level: &str, rule: usize, text: &str) {
        let id = self.rules.get(rule).map(|rule| rule["id"].clone()).unwrap_or_default();
        self.open.push(json!({
            "level": level, "message": {"text": visible(text)}, "associatedRule": {"id": id, "index": rule},
        }));
    }

    fn open_checks(&mut self, phase: &PhaseReport) {
        for (name, kind, at) in &phase.open_checks {
            let rule = self.rule(name, &format!("the check {name}, of the kind {kind}"), kind);
            self.notify(
                rule,
                &format!("{name} at {at} of the phase {} has not looked yet", phase.status.name),
            );
        }
    }

    fn criteria(&mut self, phase: &PhaseReport) {
        for one in &phase.checklist {
            let rule = self.rule(&format!("criterion/{}", one.name), &one.name, "criterion");
            let said = format!("{} at {} of the phase {}: ", one.name, one.at, phase.status.name);
            if one.is_open {
                self.notify(rule, &format!("{said}nobody has said so yet"));
                continue;
            }
            let level = match one.verdict {
                Verdict::Yes => continue,
                Verdict::No if one.required => "error",
                _ => "warning",
            };
            let place = Place { path: PLAN_FILE.to_owned(), line: None, what: String::new() };
            let about =
                json!({"phase": phase.status.name, "at": one.at.to_string(), "verdict": one.verdict.word()});
            let at = one.at.to_string();
            let same = [&phase.status.name, &at];
            let text = format!("{said}{} (by {})", one.verdict.spoken(), one.by);
            self.result(rule, level, &text, &place, &about, &same);
        }
    }

    fn triggers(&mut self, phase: &PhaseReport) {
        for one in phase.triggers.iter().filter(|one| one.fired > 0) {
            let rule = self.rule(
                &format!("trigger/{}", one.check),
                &format!("the trigger on {}", one.check),
                "trigger",
            );
            let level = if one.action == "tell" { "warning" } else { "error" };
            let line = phase.checks.iter().find(|check| check.name == one.check).and_then(|check| check.line);
            let place = Place { path: PLAN_FILE.to_owned(), line, what: String::new() };
            let text = format!(
                "the trigger ({}) of the phase {}, when {}: {}",
                one.action,
                phase.status.name,
                one.when,
                one.words()
            );
            let about = json!({"phase": phase.status.name, "action": one.action, "fired": one.fired});
            self.result(rule, level, &text, &place, &about, &[&phase.status.name, &one.when]);
        }
    }
}

/// A path as a relative reference of a URI (RFC 3986).
fn uri(path: &str) -> String {
    let mut text = String::new();
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            text.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(text, "%{byte:02X}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::uri;

    #[test]
    fn a_path_is_a_relative_reference() {
        assert_eq!(uri("src/a-b_c.py"), "src/a-b_c.py");
        assert_eq!(uri("a b/ü#1%:x.py"), "a%20b/%C3%BC%231%25%3Ax.py");
    }
}
