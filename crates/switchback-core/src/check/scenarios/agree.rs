//! Two programs that end well: their results are equal, and satisfy what they must.

use serde_json::{Value, json};

use super::super::agreement::Results;
use super::super::copies::Copies;
use super::super::equivalence::report;
use super::super::side::there;
use super::super::{Which, shell};
use super::case::{Bench, Found, Ran};
use super::condition::{self, Condition, SideOfCase};
use super::matrix::Case;
use crate::quantity::counted;
use crate::verdict::Verdict;
use crate::world::Exit;

/// Judges what both programs of a case left, where it is not meant to fail.
pub(super) fn judge(
    bench: &Bench<'_>,
    case: &Case<'_>,
    old: &Ran,
    new: &Ran,
    copies: &mut Copies<'_>,
) -> Result<Found, String> {
    if let Some(found) = failed(old, new) {
        return Ok(found);
    }
    let disk = bench.runner.world.disk.as_ref();
    let (old_path, new_path) = (bench.check.old.path.as_deref(), bench.check.new.path.as_deref());
    let old_results = there(disk, &old.out, old_path).map_err(|why| format!("old: {why}"))?;
    if let Some(path) = new_path
        && disk.look(&new.out.join(path)).map_err(|error| error.to_string())?.is_none()
    {
        let first = json!({"what": "results", "side": "old", "path": path.display().to_string()});
        let why = format!("new ended well and left no `{}`", path.display());
        return Ok(Found::new(Verdict::No, why).parted(first));
    }
    let new_results = there(disk, &new.out, new_path).map_err(|why| format!("new: {why}"))?;
    let results = Results { out: &new.out, old: &old_results, new: &new_results };
    let mut rule = bench.check.agreement.rule(|| copies.tree(Which::New), &results, disk)?;
    rule.exceptions = case.scenario.known.iter().map(|known| bench.as_of_now(known)).collect();
    let comparison = bench.compare(&old_results, &new_results, &rule).map_err(|error| error.told())?;
    let (verdict, summary) = (comparison.verdict, comparison.summary.clone());
    let report = report(comparison);
    let conditions: Vec<&Condition> =
        bench.check.conditions.iter().chain(&case.scenario.conditions).collect();
    let sides = [
        SideOfCase { name: "old", tree: &old.tree, out: &old.out, results: &old_results },
        SideOfCase { name: "new", tree: &new.tree, out: &new.out, results: &new_results },
    ];
    let looked = condition::look_at_all(bench, case, &conditions, &sides);
    let mut found = together(verdict, summary, &looked);
    found.first = if verdict == Verdict::No { first_difference(&report) } else { Value::Null };
    if verdict != Verdict::Yes || !case.scenario.known.is_empty() {
        found.details.insert("comparison".to_owned(), report);
    }
    if !looked.is_empty() {
        let looked = looked.into_iter().map(|(_, _, evidence)| evidence);
        found.details.insert("conditions".to_owned(), looked.collect());
    }
    Ok(found)
}

/// What is to be said where one of both did not end well.
fn failed(old: &Ran, new: &Ran) -> Option<Found> {
    let told = |ran: &Ran| format!("{}{}", ran.finished.ending(), shell::last_words(&ran.finished));
    match (old.finished.succeeded(), new.finished.succeeded()) {
        (true, true) => None,
        (true, false) => {
            let first = json!({"what": "exit code", "old": code(old), "new": code(new)});
            let why = format!("new fails where old does not: {}", told(new));
            Some(Found::new(Verdict::No, why).parted(first))
        }
        (false, is_new_well) => {
            let advice = if is_new_well {
                "new does not"
            } else {
                "new fails too; where that is meant, say `fails = true`"
            };
            Some(Found::new(Verdict::Unknown, format!("old fails: {}; {advice}", told(old))))
        }
    }
}

pub(super) fn code(ran: &Ran) -> Option<i32> {
    match ran.finished.exit {
        Exit::Code(code) => Some(code),
        Exit::Signal(_) | Exit::TimedOut => None,
    }
}

/// The comparison and all conditions: what decides is said first.
fn together(verdict: Verdict, summary: String, conditions: &[(Verdict, String, Value)]) -> Found {
    let whole = conditions.iter().fold(verdict, |whole, (one, ..)| whole.and(*one));
    if whole == Verdict::Yes {
        let held = match conditions.len() as u64 {
            0 => String::new(),
            count => format!("; {} looked at, all hold", counted(count, "condition")),
        };
        return Found::new(whole, format!("{summary}{held}"));
    }
    let deciding = conditions.iter().filter(|(one, ..)| *one == whole).map(|(_, told, _)| told.clone());
    let told: Vec<String> = (verdict == whole).then_some(summary).into_iter().chain(deciding).collect();
    let more = if told.len() > 1 { format!(" (and {} more)", told.len() - 1) } else { String::new() };
    Found::new(whole, format!("{}{more}", told.first().map_or("", String::as_str)))
}

/// The first place at which a comparison found its sides apart, from its report.
fn first_difference(report: &Value) -> Value {
    let items = report["items"].as_array().map_or(&[][..], Vec::as_slice);
    let stage = &report["first_divergence"]["stage"];
    let wanted = report["first_divergence"]["item"].as_str();
    let differs = |item: &&Value| item["verdict"] == "no";
    let is_wanted = |item: &&Value| differs(item) && wanted.is_none_or(|name| item["name"] == name);
    let Some(item) = items.iter().find(is_wanted).or_else(|| items.iter().find(differs)) else {
        let side = |name: &str, side: &str| {
            report[name].as_array()?.first().map(|file| json!({"item": file, "only": side}))
        };
        return side("only_old", "old").or_else(|| side("only_new", "new")).unwrap_or(Value::Null);
    };
    let cell = [&item["first"], &item["differences"][0]].into_iter().find(|cell| cell.is_object());
    let mut first = cell.cloned().unwrap_or_else(|| json!({}));
    for (rows, side) in [("rows_only_old", "old"), ("rows_only_new", "new")] {
        if cell.is_none() && item[rows][0].is_object() && first["only"].is_null() {
            first = json!({"only": side, "row": item[rows][0]});
        }
    }
    first["item"] = item["name"].clone();
    if !stage.is_null() {
        first["stage"] = stage.clone();
    }
    first
}
