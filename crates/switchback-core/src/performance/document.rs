//! The document `switchback/bench/1`.

use serde_json::{Map, Value, json};

use super::{
    BudgetFinding, CaseFinding, Machine, Measure, MeasureFinding, Of, PerformanceRule, RatioFinding,
    RatioRequest, Runs, Summary,
};
use crate::verdict::Verdict;

/// The name of the document, with its version.
pub const SCHEMA: &str = "switchback/bench/1";

/// What the figures of memory, reading and writing cover.
const COVERS: &[(&str, &str)] = &[
    ("cpu", "every process that ended and was waited for, in its own code and in the kernel"),
    (
        "memory",
        "the larger of two: the most of any one process (exact), and the most of all at once (looked at every 10 ms; what \
         they share counts for each)",
    ),
    (
        "read",
        "bytes that system calls of all these processes read, from files, pipes and networks; not what is mapped",
    ),
    ("written", "bytes that system calls of all these processes wrote"),
];

/// What all cases have in common.
#[derive(Debug, Clone, Copy)]
pub struct About<'a> {
    /// What was held against what: `turns`, `baseline`, `budgets` or `none`.
    pub method: &'a str,
    /// The old command.
    pub old: Option<&'a str>,
    /// The new command.
    pub new: &'a str,
    /// What was asked for.
    pub rule: &'a PerformanceRule,
    /// Where.
    pub machine: &'a Machine,
}

/// The verdict of several cases.
pub fn verdict(cases: &[CaseFinding]) -> Verdict {
    Verdict::all(cases.iter().map(|case| case.verdict))
}

/// The document about measured cases.
pub fn of_cases(about: &About<'_>, cases: &[CaseFinding]) -> Value {
    let verdict = verdict(cases);
    let facts = &about.machine.facts;
    json!({
        "schema": SCHEMA,
        "verdict": verdict.word(),
        "improved": verdict == Verdict::Yes && cases.iter().any(|case| case.is_improved),
        "method": about.method,
        "commands": {"old": about.old, "new": about.new},
        "alpha": about.rule.alpha,
        "seed": about.rule.seed,
        "warm_ups": about.rule.warm_ups,
        "machine": {
            "cpu": facts.cpu,
            "cores": facts.cores,
            "memory_bytes": facts.memory_bytes,
            "kernel": facts.kernel,
            "governor": facts.governor,
        },
        "covers": COVERS.iter().map(|(name, what)| ((*name).to_owned(), json!(what))).collect::<Map<_, _>>(),
        "cases": cases.iter().map(case).collect::<Vec<_>>(),
    })
}

fn case(found: &CaseFinding) -> Value {
    let not_measured = found
        .measures
        .iter()
        .filter_map(|found| Some(json!({"measure": found.measure.name(), "why": found.why.as_ref()?})));
    let lists = |lists: &[(Measure, Vec<f64>)]| {
        let named = lists.iter().map(|(measure, values)| (measure.name().to_owned(), json!(values)));
        Value::Object(named.collect())
    };
    json!({
        "name": found.name,
        "verdict": found.verdict.word(),
        "improved": found.is_improved,
        "turns": found.new.first().map_or(0, |(_, values)| values.len()),
        "looks": found.looks,
        "first": found.first,
        "measures": found.measures.iter().filter(|found| found.new.is_some()).map(measure).collect::<Vec<_>>(),
        "budgets": found.budgets.iter().map(budget).collect::<Vec<_>>(),
        "not_measured": not_measured.collect::<Vec<_>>(),
        "more_runs": if found.verdict == Verdict::Unknown { json!(found.more_runs()) } else { json!(0) },
        "why": found.why,
        "samples": {"old": lists(&found.old), "new": lists(&found.new)},
    })
}

fn measure(found: &MeasureFinding) -> Value {
    let mut value = json!({
        "name": found.measure.name(),
        "unit": found.measure.unit(),
        "decides": found.margin.is_some(),
        "margin": found.margin,
        "old": found.old.map(|summary| summarised(&summary)),
        "new": found.new.map(|summary| summarised(&summary)),
    });
    if let Some(ratio) = &found.ratio {
        put_ratio(&mut value, ratio, found.margin.is_some());
    }
    value
}

fn summarised(summary: &Summary) -> Value {
    json!({"runs": summary.runs, "median": summary.median, "min": summary.least, "max": summary.most})
}

/// A ratio; of what does not decide there is no verdict to be told.
fn put_ratio(value: &mut Value, ratio: &RatioFinding, decides: bool) {
    value["ratio"] = json!(ratio.ratio.filter(|ratio| ratio.is_finite()));
    value["interval"] = json!(ratio.interval.map(|ends| ends.map(|end| end.is_finite().then_some(end))));
    if decides {
        value["verdict"] = json!(ratio.verdict.word());
        value["improved"] = json!(ratio.is_improved);
        value["more_runs"] = json!(ratio.more_runs);
    }
    if let Some(why) = &ratio.why {
        value["why"] = json!(why);
    }
}

fn budget(found: &BudgetFinding) -> Value {
    let BudgetFinding { budget, found } = found;
    json!({
        "budget": budget.text,
        "measure": budget.measure.name(),
        "of": budget.of.words(),
        "limit": budget.limit,
        "value": found.value,
        "interval": if budget.of == Of::Every { Value::Null } else { json!([found.low, found.high]) },
        "verdict": found.verdict.word(),
        "more_runs": found.more_runs,
    })
}

/// The document about times that somebody else measured.
pub fn of_samples(request: &RatioRequest<'_>, found: &RatioFinding) -> Value {
    let [old, new] = request.runs.summaries();
    let mut value = json!({
        "schema": SCHEMA,
        "verdict": found.verdict.word(),
        "improved": found.is_improved,
        "method": "samples",
        "paired": matches!(request.runs, Runs::InTurn(_)),
        "margin": request.margin,
        "alpha": request.alpha,
        "seed": request.seed,
        "old": old.map(|summary| summarised(&summary)),
        "new": new.map(|summary| summarised(&summary)),
    });
    put_ratio(&mut value, found, true);
    value
}
