//! The plain output of `cargo nextest run`: a line for each attempt, and a summary.

use std::collections::BTreeMap;

use super::plain::describe;
use super::{Counts, NamesKnown, ResultsError, Runner, TestOutcome, TestRun};

const RUNNER: Runner = Runner::Nextest;

/// Nextest aligns the words that it prints to this column; what tests print is indented further.
const WORD_WIDTH: usize = 12;

pub(super) fn recognises(lines: &[String]) -> bool {
    lines.iter().any(|line| line.trim_start().starts_with("Nextest run ID ") || summary_text(line).is_some())
}

pub(super) fn read(lines: &[String]) -> Result<TestRun, ResultsError> {
    let (at, said) = closing(lines)?;
    let mut attempts: BTreeMap<String, TestOutcome> = BTreeMap::new();
    for line in &lines[..at] {
        if let Some((name, outcome)) = attempt(line) {
            attempts.insert(name, outcome);
        }
    }
    // With `--status-level none`, what failed is listed after the summary only.
    for line in &lines[at..] {
        if let Some((name, outcome)) = attempt(line).filter(|(_, outcome)| outcome.is_bad()) {
            attempts.insert(name, outcome);
        }
    }
    let listed = Counts::of(attempts.values().copied());
    let fits = |listed: u64, said: u64| listed == said || listed == 0;
    let agree = fits(listed.passed, said.counts.passed)
        && fits(listed.failed, said.counts.failed)
        && fits(listed.errors, said.counts.errors)
        && listed.skipped <= said.counts.skipped;
    if !agree {
        return Err(ResultsError::Disagree {
            place: "the nextest output".to_owned(),
            listed: describe(listed),
            summary: describe(said.counts),
        });
    }
    let failed_named = listed.bad() == said.counts.bad();
    let names = match (listed.passed == said.counts.passed, listed.skipped == said.counts.skipped) {
        _ if !failed_named => NamesKnown::None,
        (true, true) => NamesKnown::All,
        (true, false) => NamesKnown::AllButSkipped,
        (false, _) => NamesKnown::FailedOnly,
    };
    TestRun::counted(attempts, names, said.counts).cut_short(RUNNER, said.stopped)
}

/// What the summary says.
struct Closing {
    counts: Counts,
    stopped: Option<String>,
}

fn closing(lines: &[String]) -> Result<(usize, Closing), ResultsError> {
    let found = lines.iter().enumerate().rev().find_map(|(at, line)| Some((at, summary_text(line)?)));
    let Some((at, text)) = found else {
        let error = lines.iter().find(|line| line.starts_with("error: could not compile"));
        return Err(error.map_or_else(
            || ResultsError::Incomplete {
                runner: RUNNER,
                reason: "the line `Summary [ … ] … tests run` is missing".to_owned(),
            },
            |line| ResultsError::NotRun { runner: RUNNER, reason: line.clone() },
        ));
    };
    let wrong = |reason: String| ResultsError::Line { runner: RUNNER, line: at as u64 + 1, reason };
    let (head, parts) = text.split_once(": ").ok_or_else(|| wrong("the summary is not whole".to_owned()))?;
    let count = head.split(' ').next().unwrap_or(head);
    let (run, planned) = count.split_once('/').unwrap_or((count, count));
    let number = |text: &str| text.parse::<u64>().map_err(|_| wrong(format!("`{text}` is no count")));
    let (run, planned) = (number(run)?, number(planned)?);
    let mut counts = Counts::default();
    for part in outside_parentheses(parts) {
        let (count, word) = part.split_once(' ').ok_or_else(|| wrong(format!("`{part}` is no count")))?;
        let slot = match word {
            "passed" => &mut counts.passed,
            "failed" | "timed out" => &mut counts.failed,
            "exec failed" => &mut counts.errors,
            "skipped" => &mut counts.skipped,
            _ => return Err(wrong(format!("`{word}` is no outcome that is known here"))),
        };
        *slot = slot.saturating_add(number(count)?);
    }
    if counts.ran() != run {
        let (listed, summary) = (describe(counts), format!("{run} tests run"));
        return Err(ResultsError::Disagree { place: "the nextest summary".to_owned(), listed, summary });
    }
    let stopped = (run < planned).then(|| format!("{run} of {planned} tests were run"));
    Ok((at, Closing { counts, stopped }))
}

/// Reads the end of `     Summary [   6.234s] 11 tests run: 6 passed (1 flaky), 5 failed, 2 skipped`.
fn summary_text(line: &str) -> Option<&str> {
    let rest = line.strip_prefix("     Summary [")?;
    let (_, rest) = rest.split_once("] ")?;
    (rest.contains(" tests run") || rest.contains(" test run")).then_some(rest)
}

/// Splits `6 passed (1 flaky, 2 slow), 4 failed` at its commas, and leaves out what stands in parentheses.
fn outside_parentheses(text: &str) -> Vec<String> {
    let mut depth = 0_u32;
    let mut parts = vec![String::new()];
    for char in text.chars() {
        match char {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => parts.push(String::new()),
            char if depth == 0 => {
                if let Some(part) = parts.last_mut() {
                    part.push(char);
                }
            }
            _ => {}
        }
    }
    parts.iter().map(|part| part.trim().to_owned()).collect()
}

/// Reads `        PASS [   0.049s] ( 1/11) ledger::bin/tool tests::adds` and `  TRY 2 FAIL [   0.044s] …`.
fn attempt(line: &str) -> Option<(String, TestOutcome)> {
    let bracket = line.find(" [")?;
    let words = &line[..bracket];
    if words.trim().is_empty() || (words.len() != WORD_WIDTH && words.starts_with(' ')) {
        return None;
    }
    let mut word = words.trim();
    if let Some(rest) = word.strip_prefix("TRY ") {
        word = rest.split_once(' ')?.1;
    }
    let outcome = outcome_of(word)?;
    let (seconds, rest) = line[bracket + 2..].split_once("] ")?;
    if seconds.contains('>') || !(seconds.trim().ends_with('s') || seconds.trim().is_empty()) {
        return None;
    }
    let rest = rest.trim_start();
    let rest = match rest.strip_prefix('(') {
        Some(rest) => {
            let (place, rest) = rest.split_once(") ")?;
            // Without its place among all tests, `(─────)`, an attempt is not the last one.
            let is_last =
                outcome == TestOutcome::Skipped || place.contains(|char: char| char.is_ascii_digit());
            is_last.then_some(rest.trim_start())?
        }
        None => rest,
    };
    let (binary, test) = rest.split_once(' ')?;
    Some((format!("{binary}::{}", test.trim()), outcome))
}

fn outcome_of(word: &str) -> Option<TestOutcome> {
    match word {
        "PASS" | "LEAK" | "TMPASS" | "TIMEOUT-PASS" => Some(TestOutcome::Passed),
        "FAIL" | "FAIL + LEAK" | "FL+LK" | "LEAK-FAIL" | "LKFAIL" | "TIMEOUT" | "TMT" | "ABORT" | "ABRT" => {
            Some(TestOutcome::Failed)
        }
        "XFAIL" => Some(TestOutcome::Error),
        "SKIP" => Some(TestOutcome::Skipped),
        // Signals have their full or their short names.
        "SEGV" | "KILL" | "TERM" | "BUS" | "ILL" | "TRAP" | "FPE" | "INT" | "QUIT" | "HUP" | "PIPE"
        | "ALRM" | "SYS" | "FLKY-FL" | "FLAKY-FAIL" => Some(TestOutcome::Failed),
        word if word.starts_with("SIG") => Some(TestOutcome::Failed),
        _ => None,
    }
}
