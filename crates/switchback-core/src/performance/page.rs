//! What a person reads: a line for the whole, and a table.

use super::{BudgetFinding, CaseFinding, Measure, MeasureFinding, RatioFinding, RatioRequest, Summary};
use crate::quantity::counted;
use crate::verdict::Verdict;

/// So many cases are told one by one in a line.
const CASES_MAX: usize = 3;

/// All cases in a line, without the verdict.
pub fn line(cases: &[CaseFinding]) -> String {
    let told: Vec<String> =
        cases
            .iter()
            .filter(|case| case.verdict != Verdict::Yes)
            .take(CASES_MAX)
            .map(|case| {
                if case.name.is_empty() { of_case(case) } else { format!("{}: {}", case.name, of_case(case)) }
            })
            .collect();
    if told.is_empty() {
        return match cases {
            [case] => of_case(case),
            cases => format!("{} hold", counted(cases.len() as u64, "case")),
        };
    }
    let others = cases.iter().filter(|case| case.verdict != Verdict::Yes).count() - told.len();
    let more = if others > 0 { format!("; and {others} more") } else { String::new() };
    format!("{}{more}", told.join("; "))
}

/// One case in a line.
pub fn of_case(case: &CaseFinding) -> String {
    let turns = case.new.first().map_or(0, |(_, values)| values.len());
    let runs = if case.first.is_empty() { "run" } else { "turn" };
    let mut parts = Vec::new();
    for found in case.measures.iter().filter(|found| found.margin.is_some()) {
        match &found.ratio {
            Some(ratio) if ratio.verdict == Verdict::Yes && case.verdict == Verdict::No => {}
            Some(ratio) => parts.push(format!("{} {}", found.measure.name(), told(ratio))),
            None => {
                let why = found.why.as_deref().unwrap_or("there is nothing to hold it against");
                parts.push(format!("{} not compared: {why}", found.measure.name()));
            }
        }
    }
    for found in &case.budgets {
        parts.push(of_budget(found));
    }
    parts.extend(case.why.iter().cloned());
    if case.verdict == Verdict::Unknown && turns > 0 {
        parts.extend(match case.more_runs() {
            Some(0) => None,
            Some(more) => Some(format!("about {} more would decide", counted(more, runs))),
            None => Some("no number of runs that could be made would decide".to_owned()),
        });
    }
    parts.push(counted(turns as u64, runs));
    parts.join("; ")
}

/// A ratio in words: `not slower …` would not be true of memory, so it is the figures.
fn told(ratio: &RatioFinding) -> String {
    let Some(found) = ratio.ratio else {
        return ratio.why.clone().unwrap_or_else(|| "could not be compared".to_owned());
    };
    let times = if found.is_finite() { format!("x {found:.3}") } else { "from nothing".to_owned() };
    let interval = ratio.interval.map_or_else(String::new, |ends| format!(" {}", shown_interval(ends)));
    let improved = if ratio.is_improved { ", improved" } else { "" };
    format!("{times}{interval}{improved}")
}

fn shown_interval([low, high]: [f64; 2]) -> String {
    let end = |end: f64| if end.is_finite() { format!("{end:.3}") } else { "∞".to_owned() };
    format!("[{}, {}]", end(low), end(high))
}

fn of_budget(found: &BudgetFinding) -> String {
    let measure = &found.budget.measure;
    let value = found.found.value.map_or_else(|| "nothing".to_owned(), |value| measure.shown(value));
    format!("{} {} {value} ({})", measure.name(), found.budget.of.words(), found.budget.text)
}

/// The table of one case: its first row is the heading.
pub fn table(case: &CaseFinding) -> Vec<Vec<String>> {
    let has_old = case.measures.iter().any(|found| found.old.is_some());
    let row = |cells: &[&str]| cells.iter().map(|cell| (*cell).to_owned()).collect::<Vec<_>>();
    let mut rows = Vec::new();
    rows.push(if has_old {
        row(&["measure", "old", "new", "new / old", "interval", "margin", "verdict"])
    } else {
        row(&["measure", "median", "least", "most", "runs"])
    });
    for found in case.measures.iter().filter(|found| found.new.is_some()) {
        rows.push(if has_old { compared(found) } else { alone(found) });
    }
    rows
}

/// The budgets of a case as a table; nothing without any.
pub fn budgets(case: &CaseFinding) -> Vec<Vec<String>> {
    let heading = ["budget", "of", "value", "interval", "verdict"].map(str::to_owned).to_vec();
    let rows = case.budgets.iter().map(|BudgetFinding { budget, found }| {
        let shown =
            |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| budget.measure.shown(value));
        let interval = match (found.low, found.high) {
            (None, None) => "-".to_owned(),
            (low, high) => format!("[{}, {}]", shown(low), shown(high)),
        };
        vec![
            budget.text.clone(),
            format!("{} {}", budget.measure.name(), budget.of.words()),
            shown(found.value),
            interval,
            found.verdict.spoken().to_owned(),
        ]
    });
    let rows: Vec<Vec<String>> = rows.collect();
    if rows.is_empty() { rows } else { std::iter::once(heading).chain(rows).collect() }
}

fn compared(found: &MeasureFinding) -> Vec<String> {
    let median = |summary: Option<Summary>| {
        summary.map_or_else(|| "-".to_owned(), |summary| found.measure.shown(summary.median))
    };
    let ratio = found.ratio.as_ref();
    let times = ratio.and_then(|ratio| ratio.ratio).filter(|ratio| ratio.is_finite());
    let interval = ratio.and_then(|ratio| ratio.interval);
    let verdict = match (found.margin, ratio) {
        (Some(_), Some(ratio)) if ratio.is_improved => "yes, improved".to_owned(),
        (Some(_), Some(ratio)) => ratio.verdict.spoken().to_owned(),
        (Some(_), None) => "not compared".to_owned(),
        (None, _) => "only shown".to_owned(),
    };
    vec![
        found.measure.name().to_owned(),
        median(found.old),
        median(found.new),
        times.map_or_else(|| "-".to_owned(), |times| format!("{times:.3}")),
        interval.map_or_else(|| "-".to_owned(), shown_interval),
        found.margin.map_or_else(|| "-".to_owned(), |margin| format!("{} %", rounded(margin * 100.0))),
        verdict,
    ]
}

fn alone(found: &MeasureFinding) -> Vec<String> {
    let shown = |value: fn(&Summary) -> f64| {
        found.new.map_or_else(|| "-".to_owned(), |summary| found.measure.shown(value(&summary)))
    };
    vec![
        found.measure.name().to_owned(),
        shown(|summary| summary.median),
        shown(|summary| summary.least),
        shown(|summary| summary.most),
        found.new.map_or(0, |summary| summary.runs).to_string(),
    ]
}

/// A percentage with at most two places.
fn rounded(percent: f64) -> String {
    let text = format!("{percent:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// What was found in times that somebody else measured, in lines.
pub fn of_samples(request: &RatioRequest<'_>, found: &RatioFinding) -> Vec<String> {
    let margin = rounded(request.margin * 100.0);
    let what = match found.verdict {
        Verdict::Yes if found.is_improved => format!("faster by more than {margin} %"),
        Verdict::Yes => format!("not slower by more than {margin} %"),
        Verdict::No => format!("slower by more than {margin} %"),
        Verdict::Unknown => format!("whether it is slower by more than {margin} %"),
    };
    let mut lines = vec![what];
    for (name, summary) in ["old", "new"].into_iter().zip(request.runs.summaries()) {
        if let Some(summary) = summary {
            let shown = |value| Measure::Time.shown(value);
            lines.push(format!(
                "{name}: median {} ({} to {}, {})",
                shown(summary.median),
                shown(summary.least),
                shown(summary.most),
                counted(summary.runs as u64, "run")
            ));
        }
    }
    let level = rounded((1.0 - 2.0 * request.alpha) * 100.0);
    lines.push(match found.interval {
        Some(interval) => {
            format!("new / old: {}, {level} % interval {}", told_ratio(found), shown_interval(interval))
        }
        None => format!("new / old: {}", found.why.as_deref().unwrap_or("there is no interval")),
    });
    if found.verdict == Verdict::Unknown {
        lines.push(match found.more_runs {
            Some(more) => format!("about {} more on each side would decide", counted(more, "run")),
            None => "no number of runs that could be made would decide".to_owned(),
        });
    }
    lines
}

fn told_ratio(found: &RatioFinding) -> String {
    found.ratio.map_or_else(|| "none".to_owned(), |ratio| format!("{ratio:.3}"))
}
