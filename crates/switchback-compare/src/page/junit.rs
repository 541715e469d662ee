//! A comparison as JUnit XML: a case for each pair of files, each file on one side only, and each stage.
//!
//! *No* is a failure, *could not tell* an error.

use std::fmt::Write as _;

use quick_xml::escape::escape;
use serde_json::Value as Json;

use super::parts::Section;
use super::words::{list, shown, text, word};
use super::{Screen, items, terminal, whole};

/// What happened to one thing.
struct Case {
    class: &'static str,
    name: String,
    verdict: String,
    message: String,
    /// What the terminal says of it.
    details: String,
}

pub(super) fn junit(report: &Json) -> String {
    let cases = cases(report);
    let count = |verdict: &str| cases.iter().filter(|case| case.verdict == verdict).count();
    let failures = count("no");
    let errors = cases.len() - failures - count("yes");
    let mut page = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    // Writing to a string cannot fail.
    let _ = writeln!(
        page,
        "<testsuite name=\"compare\" tests=\"{}\" failures=\"{failures}\" errors=\"{errors}\">",
        cases.len()
    );
    for case in &cases {
        let [name, message, details] =
            [&case.name, &case.message, &case.details].map(|text| escape(text.as_str()));
        let class = case.class;
        let _ = match case.verdict.as_str() {
            "yes" => writeln!(
                page,
                "  <testcase classname=\"{class}\" name=\"{name}\"><system-out>{message}</system-out></testcase>"
            ),
            verdict => {
                let tag = if verdict == "no" { "failure" } else { "error" };
                writeln!(
                    page,
                    "  <testcase classname=\"{class}\" name=\"{name}\"><{tag} message=\"{message}\">{details}</{tag}></testcase>"
                )
            }
        };
    }
    page.push_str("</testsuite>\n");
    page
}

fn cases(report: &Json) -> Vec<Case> {
    let mut cases = Vec::new();
    for stage in list(report, "stages") {
        let verdict = word(stage, "verdict");
        let first = report.get("first_divergence").filter(|first| first.get("stage") == stage.get("name"));
        let details = first.filter(|first| first.is_object()).map(whole::parts_in).unwrap_or_default();
        let message = match verdict {
            "yes" => format!("relation: {}", text(stage, "relation")),
            "no" => "this stage differs".to_owned(),
            _ => "nothing was compared".to_owned(),
        };
        cases.push(Case {
            class: "compare.stage",
            name: text(stage, "name"),
            verdict: verdict.to_owned(),
            message,
            details,
        });
    }
    for (name, side) in [("only_old", "old"), ("only_new", "new")] {
        cases.extend(list(report, name).iter().map(|file| Case {
            class: "compare",
            name: shown(file),
            verdict: "no".to_owned(),
            message: format!("it is on the {side} side only"),
            details: String::new(),
        }));
    }
    for item in list(report, "items") {
        let verdict = item.get("verdict").and_then(Json::as_str).unwrap_or("unknown").to_owned();
        let details = items::section(item, true).map(|section| details(&section)).unwrap_or_default();
        let message = whole::told(item);
        cases.push(Case { class: "compare", name: text(item, "name"), verdict, message, details });
    }
    cases
}

fn details(section: &Section) -> String {
    terminal::section(section, Screen::NONE)
}
