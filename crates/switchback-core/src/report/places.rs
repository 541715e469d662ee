//! The places in files of the project at which the evidence of a check says that something is wrong.

use std::path::{Component, Path};

use serde_json::Value;

use super::visible::shortened;
use crate::verdict::Verdict;

/// So many places of one check are kept: as many as evidence keeps of one list.
const PLACES_MAX: usize = 1_000;
const WORDS_CHARACTERS_MAX: usize = 500;

/// A place at which something is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file, relative to the project.
    pub path: String,
    /// The line, from 1; `None` for the file as a whole.
    pub line: Option<u64>,
    /// What is wrong there.
    pub what: String,
}

/// The places of a document `switchback/evidence/1`, and how many more there are; none of a check that says *yes*.
pub(super) fn places(evidence: &Value) -> (Vec<Place>, u64) {
    if evidence["verdict"].as_str().and_then(Verdict::from_word) == Some(Verdict::Yes) {
        return (Vec::new(), 0);
    }
    let seen = &evidence["details"];
    let list = |name: &str| seen[name].as_array().map_or(&[][..], Vec::as_slice).iter();
    let text = |value: &Value, name: &str| value[name].as_str().unwrap_or_default().to_owned();
    let mut found = Vec::new();
    // Imports that lead nowhere, and files that do not parse.
    let unresolved = list("unresolved").filter(|one| one["optional"] != true);
    found.extend(
        unresolved.map(|one| at(one, "path", &format!("{}: {}", text(one, "module"), text(one, "why")))),
    );
    found.extend(list("unparsed").map(|one| at(one, "path", &text(one, "why"))));
    // What a linter found: what is new, where that was asked.
    let lint = if seen["new"].is_array() { "new" } else { "findings" };
    found.extend(
        list(lint).map(|one| at(one, "path", &format!("{}: {}", text(one, "rule"), text(one, "message")))),
    );
    // Routes that are lost or could not be read: places of the new tree alone are in the project.
    let unread = list("undecided").filter(|one| one["in"] != "old");
    found.extend(unread.map(|one| at(one, "file", &format!("{}: {}", text(one, "what"), text(one, "why")))));
    // Names that are there and should not be, or the other way round.
    let symbols = list("symbols").filter(|one| one["verdict"] != "yes");
    found.extend(
        symbols.map(|one| at(one, "file", &format!("{}: {}", text(one, "symbol"), text(one, "why")))),
    );
    // Text that must not be there.
    found.extend(list("found").map(|one| {
        let place = text(one, "place");
        let (path, line) = place.rsplit_once(':').unwrap_or((place.as_str(), ""));
        let what = format!("`{}` fits {}", text(one, "line"), text(one, "pattern"));
        Some(Place { path: path.to_owned(), line: line.parse().ok(), what })
    }));
    found.extend(list("shims").flat_map(of_old_name));
    let mut found: Vec<Place> = found.into_iter().flatten().filter(Place::is_inside).collect();
    // What was too much for the evidence, and what is too much for a report.
    let unkept: u64 =
        [lint, "found"].iter().filter_map(|name| seen[format!("{name}_left_out")].as_u64()).sum();
    let more = found.len().saturating_sub(PLACES_MAX) as u64;
    found.truncate(PLACES_MAX);
    (found, more + unkept)
}

fn at(one: &Value, key: &str, what: &str) -> Option<Place> {
    let path = one[key].as_str()?.to_owned();
    Some(Place {
        path,
        line: one["line"].as_u64().filter(|line| *line > 0),
        what: shortened(what, WORDS_CHARACTERS_MAX),
    })
}

/// An old name that is due or does not warn, and whoever uses it.
fn of_old_name(one: &Value) -> Vec<Option<Place>> {
    let old = one["old"].as_str().unwrap_or_default();
    let mut found = Vec::new();
    if one["due"] == true {
        let until = one["until"].as_str().unwrap_or_default();
        found.push(at(one, "path", &format!("`{old}` was to be removed after {until}")));
        let users = ["used_by", "named_in"].into_iter().filter_map(|key| one[key].as_array()).flatten();
        found.extend(users.map(|user| at(user, "path", &format!("`{old}` is still used here"))));
    } else if one["warns"] == false {
        found.push(at(one, "path", &format!("`{old}` does not warn")));
    }
    found
}

impl Place {
    /// Whether it is a path below the project, and no copy of it elsewhere.
    fn is_inside(&self) -> bool {
        let mut steps = Path::new(&self.path).components().peekable();
        steps.peek().is_some() && steps.all(|step| matches!(step, Component::Normal(_)))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(verdict: &str, details: &Value) -> Vec<String> {
        let line = |place: &Place| {
            let line = place.line.map(|line| format!(":{line}")).unwrap_or_default();
            format!("{}{line}: {}", place.path, place.what)
        };
        places(&json!({"verdict": verdict, "details": details})).0.iter().map(line).collect()
    }

    #[test]
    fn what_kinds_of_checks_name_becomes_a_place() {
        let details = json!({
            "unresolved": [
                {"path": "a.py", "line": 3, "module": "shop.x", "why": "there is no such module", "optional": false},
                {"path": "b.py", "line": 4, "module": "y", "why": "", "optional": true},
            ],
            "findings": [{"path": "l.py", "line": 1, "rule": "E1", "message": "old"}],
            "new": [{"path": "l.py", "line": 2, "rule": "S307", "message": "eval"}],
            "undecided": [{"file": "r.py", "line": 5, "what": "add(x)", "why": "computed", "in": "new"},
                          {"file": "o.py", "line": 5, "what": "", "why": "", "in": "old"}],
            "found": [{"place": "c d.py:7", "pattern": "fixture", "line": "fixture = 1"}],
            "shims": [{"path": "s.py", "old": "s", "until": "2026-01-01", "due": true, "warns": true,
                       "used_by": [{"path": "u.py", "line": 9}], "named_in": []},
                      {"path": "t.py", "old": "t", "due": false, "warns": true}],
        });
        assert_eq!(
            told("no", &details),
            [
                "a.py:3: shop.x: there is no such module",
                "l.py:2: S307: eval",
                "r.py:5: add(x): computed",
                "c d.py:7: `fixture = 1` fits fixture",
                "s.py: `s` was to be removed after 2026-01-01",
                "u.py:9: `s` is still used here",
            ]
        );
        assert_eq!(told("yes", &details), [""; 0]);
    }

    #[test]
    fn what_is_no_place_in_the_project_is_left_out() {
        let at = |path: &str| json!({"path": path, "line": 1, "module": "m", "why": "w"});
        let details =
            json!({"unresolved": [at("/tmp/a.py"), at("../a.py"), at(""), {"line": 1}, 7], "found": "x"});
        assert_eq!(told("unknown", &details), [""; 0]);
        let many: Vec<Value> = (0..PLACES_MAX + 3).map(|_| at("a.py")).collect();
        let (kept, left_out) = places(
            &json!({"verdict": "no", "details": {"unresolved": many, "found": [], "found_left_out": 40}}),
        );
        assert_eq!((kept.len(), left_out), (PLACES_MAX, 43));
    }
}
