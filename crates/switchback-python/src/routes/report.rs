//! The documents `switchback/routes/1` and `switchback/routes-list/1`, and the lines for people.

use serde_json::{Value, json};

use super::compare::{RouteChange, RoutesComparison};
use super::read::RoutesOutcome;
use super::{Route, Undecided};

fn route_json(route: &Route) -> Value {
    let mut value = json!({
        "method": route.method, "path": route.path, "handler": route.handler, "file": route.file,
        "line": route.line, "framework": route.framework.word(),
    });
    if let Some(normal) = &route.normal {
        value["normal"] = json!(normal);
    }
    if let Some(condition) = &route.condition {
        value["condition"] = json!(condition);
    }
    if let Some(note) = &route.note {
        value["note"] = json!(note);
    }
    if route.is_implied {
        value["implied"] = json!(true);
    }
    if route.is_outside {
        value["outside"] = json!(true);
    }
    value
}

fn undecided_json(one: &Undecided) -> Value {
    let mut value = json!({"what": one.what, "why": one.why, "file": one.file, "line": one.line});
    if let Some(framework) = one.framework {
        value["framework"] = json!(framework.word());
    }
    value
}

fn told(route: &Route) -> String {
    let handler = if route.handler.is_empty() { String::new() } else { format!(" → {}", route.handler) };
    let condition = route.condition.as_ref().map(|text| format!(", if `{text}`")).unwrap_or_default();
    let note = route.note.as_ref().map(|note| format!(" ({note})")).unwrap_or_default();
    format!("{}:{}: {} {}{handler}{condition}{note}", route.file, route.line, route.method, route.path)
}

fn undecided_told(one: &Undecided) -> String {
    format!("{}:{}: could not be read: `{}`: {}", one.file, one.line, one.what, one.why)
}

impl RoutesOutcome {
    /// The document `switchback/routes-list/1`.
    pub fn to_json(&self) -> Value {
        let routes: Vec<Value> = self.routes.iter().map(route_json).collect();
        let undecided: Vec<Value> = self.undecided.iter().map(undecided_json).collect();
        json!({
            "schema": "switchback/routes-list/1", "verdict": self.verdict().word(), "scanned": self.scanned,
            "tests_passed_over": self.tests, "routes": routes, "undecided": undecided,
        })
    }

    /// One line for each route, and for what could not be read.
    pub fn told(&self) -> Vec<String> {
        let mut lines: Vec<String> = self.routes.iter().map(told).collect();
        lines.extend(self.undecided.iter().map(undecided_told));
        lines
    }

    /// What came of it, in a sentence without the verdict.
    pub fn summary(&self) -> String {
        if self.routes.is_empty() && self.undecided.is_empty() {
            return format!("nothing found: no route in {} Python files", self.scanned);
        }
        format!(
            "{} routes in {} Python files, {} places that could not be read, {} test files passed over",
            self.routes.len(),
            self.scanned,
            self.undecided.len(),
            self.tests
        )
    }
}

fn change_json(change: &RouteChange) -> Value {
    json!({"kind": change.kind.word(), "old": route_json(&change.old), "new": route_json(&change.new)})
}

impl RoutesComparison {
    /// The document `switchback/routes/1`.
    pub fn to_json(&self) -> Value {
        let lost: Vec<Value> = self
            .lost
            .iter()
            .map(|lost| {
                let mut value = route_json(&lost.route);
                if let Some(near) = &lost.near {
                    value["near"] = json!(near);
                }
                if !lost.is_sure {
                    value["sure"] = json!(false);
                }
                value
            })
            .collect();
        let added: Vec<Value> = self.added.iter().map(route_json).collect();
        let changed: Vec<Value> = self.changed.iter().map(change_json).collect();
        let undecided: Vec<Value> = self
            .undecided()
            .into_iter()
            .map(|(one, tree)| {
                let mut value = undecided_json(one);
                value["in"] = json!(tree);
                value
            })
            .collect();
        json!({
            "schema": "switchback/routes/1", "verdict": self.verdict().word(), "old": self.old.routes.len(),
            "new": self.new.routes.len(), "kept": self.kept, "lost": lost, "added": added, "changed": changed,
            "undecided": undecided,
        })
    }

    /// One line for each difference, and for what could not be read.
    pub fn told(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for lost in &self.lost {
            let near = lost.near.as_ref().map(|near| format!("; {near}")).unwrap_or_default();
            let word = if lost.is_sure { "lost" } else { "perhaps lost" };
            lines.push(format!("{word}: {}{near}", told(&lost.route)));
        }
        lines.extend(self.changed.iter().map(|change| {
            format!("changed ({}): {}; was {}", change.kind.word(), told(&change.new), told(&change.old))
        }));
        lines.extend(self.added.iter().map(|route| format!("added: {}", told(route))));
        lines.extend(
            self.undecided().into_iter().map(|(one, tree)| format!("in {tree}: {}", undecided_told(one))),
        );
        lines
    }

    /// What came of it, in a sentence without the verdict.
    pub fn summary(&self) -> String {
        if self.old.routes.is_empty() {
            return format!("nothing found: no route in {} Python files of the old tree", self.old.scanned);
        }
        format!(
            "{} routes before, {} after: {} kept, {} lost, {} added; {} places that could not be read",
            self.old.routes.len(),
            self.new.routes.len(),
            self.kept,
            self.lost.len(),
            self.added.len(),
            self.undecided().len()
        )
    }
}
