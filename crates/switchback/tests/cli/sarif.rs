//! `report --format sarif`: what a viewer of SARIF 2.1.0 needs is there, each check that does not say yes is a result at its place, and the
//! same run gives the same text.

use serde_json::Value;

use super::ground::{Ground, THERE, answering};

const IMPORTS: &str =
    "[[check]]\nname = \"imports\"\nkind = \"imports\"\nsource_roots = [\"src\"]\nat = [\"staged\"]\n\n";

/// Holds a document against what the standard requires of every part that is in it.
fn valid(document: &Value) {
    assert_eq!(document["version"], "2.1.0");
    assert!(document["$schema"].as_str().unwrap().ends_with("sarif-2.1.0.json"));
    let [run] = document["runs"].as_array().unwrap().as_slice() else { panic!("{document:#}") };
    let driver = &run["tool"]["driver"];
    assert_eq!(driver["name"], "Switchback");
    let rules = driver["rules"].as_array().unwrap();
    for rule in rules {
        assert!(rule["shortDescription"]["text"].as_str().is_some_and(|text| !text.is_empty()), "{rule:#}");
        let same = rules.iter().filter(|other| other["id"] == rule["id"]).count();
        assert_eq!(same, 1, "{rule:#}");
    }
    assert!(run["invocations"][0]["executionSuccessful"].is_boolean(), "{run:#}");
    for result in run["results"].as_array().unwrap() {
        let at = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(rules[at]["id"], result["ruleId"], "{result:#}");
        assert!(["error", "warning", "note"].contains(&result["level"].as_str().unwrap()), "{result:#}");
        assert!(result["message"]["text"].as_str().is_some_and(|text| !text.is_empty()), "{result:#}");
        let place = &result["locations"][0]["physicalLocation"];
        let uri = place["artifactLocation"]["uri"].as_str().unwrap();
        assert!(!uri.starts_with('/') && !uri.contains([' ', ':', '\\']), "{result:#}");
        assert!(place["region"]["startLine"].as_u64().unwrap() >= 1, "{result:#}");
        assert!(
            result["partialFingerprints"].as_object().is_some_and(|prints| !prints.is_empty()),
            "{result:#}"
        );
    }
}

fn report(ground: &Ground) -> (String, Value) {
    let text = ground.expect(0, "report --format sarif").out;
    let document = serde_json::from_str(&text).unwrap();
    valid(&document);
    (text, document)
}

/// Rule, level, file and line of each result.
fn results(document: &Value) -> Vec<(String, String, String, u64)> {
    let of = |result: &Value| {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let place = &result["locations"][0]["physicalLocation"];
        let line = place["region"]["startLine"].as_u64().unwrap();
        (text(&result["ruleId"]), text(&result["level"]), text(&place["artifactLocation"]["uri"]), line)
    };
    document["runs"][0]["results"].as_array().unwrap().iter().map(of).collect()
}

// rows: RE-6
#[test]
fn each_check_that_does_not_hold_is_a_result_at_its_place() {
    let more = format!(
        "{IMPORTS}{THERE}at = [\"staged\", \"live\"]\n\n{}\n[[check]]\nname = \"untold\"\nkind = \"command\"\n\
         command = \"exec no-such-program\"\nat = [\"staged\"]\n",
        answering("\"before\", \"staged\"")
    );
    let ground = Ground::shop(&more);
    ground.write("answer", "1");
    ground.write("../new/src/shop/__init__.py", "");
    ground.write("../new/src/shop/my jobs.py", "import json\n\nfrom shop.gone import total\n");
    ground.expect(1, "run");
    let (text, document) = report(&ground);
    let line = |name: &str| {
        let plan = ground.read("switchback.toml");
        let lines: Vec<&str> = plan.lines().collect();
        let at = lines.iter().position(|line| *line == format!("name = \"{name}\"")).unwrap();
        // The table begins in the line before its name.
        u64::try_from(at).unwrap()
    };
    let of = |rule: &str, level: &str, uri: &str, line: u64| {
        (rule.to_owned(), level.to_owned(), uri.to_owned(), line)
    };
    let plan = "switchback.toml";
    let mut found = results(&document);
    found.sort();
    assert_eq!(
        found,
        [
            of("answer", "error", plan, line("answer")),
            of("answer", "note", plan, line("answer")),
            of("imports", "error", "src/shop/my%20jobs.py", 3),
            of("untold", "warning", plan, line("untold")),
        ]
    );
    let run = &document["runs"][0];
    let message = |rule: &str| {
        let of_rule =
            run["results"].as_array().unwrap().iter().find(|result| result["ruleId"] == rule).unwrap();
        of_rule["message"]["text"].as_str().unwrap().to_owned()
    };
    assert!(
        message("imports").contains("shop.gone") && message("imports").contains("1 unresolved"),
        "{text}"
    );
    assert!(message("untold").contains("could not tell: the command was not found"), "{text}");
    // What holds is a rule without a result; what nobody looked at is told.
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    assert!(rules.iter().any(|rule| rule["id"] == "there"), "{text}");
    let open = run["invocations"][0]["toolExecutionNotifications"].to_string();
    assert!(open.contains("there at live of the phase unify has not looked yet"), "{open}");
    assert_eq!(run["properties"]["verdict"], "no");
    assert_eq!(report(&ground).0, text, "the same run gives the same text");
    // It is a report, and written over as such.
    ground.expect(0, "report --format sarif --output ../checks.sarif");
    ground.expect(0, "report --format sarif --output ../checks.sarif");
    assert_eq!(ground.read("../checks.sarif"), text);
    ground.write("../other.sarif", text.replace("\"producer\": \"Switchback\"", "\"producer\": \"Other\""));
    let seen = ground.expect(2, "report --format sarif --output ../other.sarif");
    assert!(seen.err.contains("it is a file that is no report of Switchback"), "{seen}");
}

// rows: RE-6
#[test]
fn what_is_too_much_for_a_report_is_told() {
    let absent =
        "[[check]]\nname = \"old words\"\nkind = \"absent\"\npatterns = [\"fixture\"]\npaths = [\"src\"]\n";
    let ground = Ground::shop(absent);
    ground.write("../new/src/words.txt", "fixture\n".repeat(1_000));
    ground.expect(1, "run");
    let notices =
        |document: &Value| document["runs"][0]["invocations"][0]["toolExecutionNotifications"].clone();
    let (text, document) = report(&ground);
    assert_eq!(results(&document).len(), 1_000, "{text}");
    assert!(!notices(&document).to_string().contains("leaves out"), "{text}");
    ground.write("../new/src/words.txt", "fixture\n".repeat(1_017));
    ground.expect(1, "run --restage");
    let (text, document) = report(&ground);
    assert_eq!(results(&document).len(), 1_000, "{text}");
    let notices = notices(&document);
    let told = notices.as_array().unwrap().iter().find(|one| one["level"] == "warning").unwrap();
    assert_eq!(
        told["message"]["text"],
        "old words at staged of the phase unify: 17 more places at which something is wrong, which this report leaves out"
    );
    assert_eq!(told["associatedRule"]["id"], "old words");
}

// rows: RE-6
#[test]
fn a_run_that_holds_has_no_result_and_a_trigger_that_fired_is_one() {
    let ground = Ground::shop(&format!("{THERE}at = [\"staged\", \"live\"]\n"));
    ground.expect(0, "run");
    let (_, document) = report(&ground);
    assert!(results(&document).is_empty(), "{document:#}");
    assert_eq!(document["runs"][0]["properties"]["verdict"], "yes");

    let more = format!(
        "{}\n[[trigger]]\nwhen = {{ check = \"answer\" }}\ndo = \"roll-back\"\n",
        answering("\"live\"")
    );
    let ground = Ground::shop(&more);
    ground.write("answer", "1");
    ground.expect(1, "run");
    let (text, document) = report(&ground);
    let found = results(&document);
    let rules: Vec<&str> = found.iter().map(|(rule, ..)| rule.as_str()).collect();
    assert_eq!(rules, ["answer", "trigger/answer"], "{text}");
}
