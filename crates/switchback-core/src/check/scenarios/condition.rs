//! Conditions on the results of one case: constraints, or a command that says yes with its exit code.

use std::path::Path;

use serde_json::{Value, json};

use super::super::constraint::{CONSTRAINT, FORMS, read_constraint};
use super::super::rule_keys::joined;
use super::super::shell;
use super::case::Bench;
use super::matrix::Case;
use crate::constraint::{Constraint, ConstraintOutcome, TableFile};
use crate::plan::{Fields, Key, Shape};
use crate::verdict::Verdict;

const OWN: [Key; 2] = [
    Key::optional(
        "of",
        Shape::Word(&["both", "old", "new"]),
        "whose results must satisfy it; `both` when left out",
    ),
    Key::optional(
        "command",
        Shape::Text,
        "instead of a constraint: a line of shell that says yes with exit code 0; `{out}` holds the results",
    ),
];
const KEYS: [Key; 12] = joined(&[CONSTRAINT, &OWN]);

/// The keys of an item of `conditions`.
pub(super) const CONDITION: &[Key] = &KEYS;

/// What results must satisfy.
#[derive(Debug)]
pub(super) struct Condition {
    /// What it is called; a constraint has words of its own.
    name: String,
    sides: &'static [&'static str],
    pub(super) test: Test,
}

/// How it is found out.
#[derive(Debug)]
pub(super) enum Test {
    /// By asking for rows.
    Constraint(Constraint),
    /// By running a line of shell.
    Command(String),
}

/// The conditions of a check or of a scenario; `None` when one of them cannot be read.
pub(super) fn read_all(fields: &Fields<'_>) -> Option<Vec<Condition>> {
    let title = format!("an item of `conditions` in {}", fields.title());
    let tables = fields.tables("conditions").into_iter().map(|(offset, table)| {
        read(&Fields::new(table, offset, title.clone(), CONDITION, fields.findings()))
    });
    // All of them are read before the first that is wrong ends it.
    let read: Vec<Option<Condition>> = tables.collect();
    read.into_iter().collect()
}

fn read(item: &Fields<'_>) -> Option<Condition> {
    let name = item.filled_text("name");
    let sides: &[&str] = match item.word("of").as_deref() {
        Some("old") => &["old"],
        Some("new") => &["new"],
        _ => &["old", "new"],
    };
    if !item.has("command") {
        let constraint = read_constraint(item, name)?;
        return Some(Condition { name: constraint.title(), sides, test: Test::Constraint(constraint) });
    }
    let line = item.filled_text("command")?;
    for key in FORMS.iter().chain(&["table", "from", "where"]) {
        if item.has(key) {
            let message = format!("`{key}` stands beside `command` in {}", item.title());
            item.find(key, message, "make each a condition of its own");
        }
    }
    Some(Condition { name: name.unwrap_or_else(|| line.clone()), sides, test: Test::Command(line) })
}

/// The results of one side of a case.
#[derive(Debug, Clone, Copy)]
pub(super) struct SideOfCase<'a> {
    /// `old` or `new`.
    pub(super) name: &'static str,
    /// The copy in which its program ran.
    pub(super) tree: &'a Path,
    /// What its program wrote into.
    pub(super) out: &'a Path,
    /// What is looked at.
    pub(super) results: &'a Path,
}

/// Looks at all conditions on the results of both sides: a verdict with its line and its evidence for each.
pub(super) fn look_at_all(
    bench: &Bench<'_>,
    case: &Case<'_>,
    conditions: &[&Condition],
    sides: &[SideOfCase<'_>],
) -> Vec<(Verdict, String, Value)> {
    let mut found = Vec::new();
    for side in sides {
        for condition in conditions.iter().filter(|condition| condition.sides.contains(&side.name)) {
            let (verdict, what, mut evidence) = match &condition.test {
                Test::Command(line) => by_command(bench, case, line, side),
                Test::Constraint(constraint) => by_rows(bench, constraint, side),
            };
            evidence["condition"] = json!(condition.name);
            evidence["of"] = json!(side.name);
            evidence["verdict"] = json!(verdict.word());
            evidence["what"] = json!(what);
            found.push((verdict, format!("{}: {}: {what}", side.name, condition.name), evidence));
        }
    }
    found
}

fn by_command(
    bench: &Bench<'_>,
    case: &Case<'_>,
    line: &str,
    side: &SideOfCase<'_>,
) -> (Verdict, String, Value) {
    let filled = shell::filled_with(line, side.tree, side.out, &case.values);
    let finished = match bench.runner.run(&filled, side.tree, side.out, None) {
        Ok(finished) => finished,
        Err(error) => return (Verdict::Unknown, error.to_string(), json!({})),
    };
    let evidence = shell::evidence(line, &finished);
    if let Some(why) = shell::no_answer(&finished) {
        return (Verdict::Unknown, why, evidence);
    }
    if finished.succeeded() {
        return (Verdict::Yes, "it holds".to_owned(), evidence);
    }
    let what = format!("{}{}", finished.ending(), shell::last_words(&finished));
    (Verdict::No, what, evidence)
}

fn by_rows(bench: &Bench<'_>, constraint: &Constraint, side: &SideOfCase<'_>) -> (Verdict, String, Value) {
    let tables = [TableFile { name: None, path: side.results.to_owned() }];
    match bench.query(&tables, constraint) {
        Ok(outcome) => {
            let evidence = json!({"constraint": outcome.to_json()});
            (outcome.verdict(), told(&outcome), evidence)
        }
        Err(error) => (Verdict::Unknown, error.told(), json!({})),
    }
}

/// What was found about a single constraint, without its name, which is said before.
fn told(outcome: &ConstraintOutcome) -> String {
    let Some(finding) = outcome.findings.first() else { return outcome.summary() };
    match finding.first() {
        Some(first) => format!("{}; first {first}", finding.told()),
        None => finding.told(),
    }
}
