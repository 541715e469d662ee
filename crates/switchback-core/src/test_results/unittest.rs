//! The plain output of Python's unittest, verbose or with dots.

use std::collections::BTreeMap;

use super::plain::{Listing, describe};
use super::{Counts, NamesKnown, ResultsError, Runner, TestOutcome, TestRun};

const RUNNER: Runner = Runner::Unittest;

/// What is reported like a test and counted in no `Ran`.
const FIXTURES: [&str; 4] = ["setUpClass", "tearDownClass", "setUpModule", "tearDownModule"];

pub(super) fn recognises(lines: &[String]) -> bool {
    closing(lines).is_ok()
}

pub(super) fn read(lines: &[String]) -> Result<TestRun, ResultsError> {
    let said = closing(lines)?;
    let body = &lines[..said.at];
    let rule = body.iter().position(|line| is_rule(line, '=') || is_rule(line, '-')).unwrap_or(body.len());
    let blocks = blocks(&body[rule..]);
    let block_counts = blocks.counts();
    let progress = &body[..rule];
    check_dots(progress, &said)?;
    let verbose = Verbose::of(progress);
    if verbose.is_empty() {
        // Before Python 3.11 an unexpected success has no block; then not all that failed is named.
        let named = block_counts.bad() == said.bad();
        if !named && block_counts.bad() != said.failures.saturating_add(said.errors) {
            return Err(disagree(describe(block_counts), &said));
        }
        let names = if named { NamesKnown::FailedOnly } else { NamesKnown::None };
        return Ok(TestRun::counted(blocks.outcomes, names, said.counts()));
    }
    let tests = verbose.tests.len() as u64;
    let listed = verbose.listing(&blocks);
    let counts = listed.counts();
    let agree = tests == said.ran
        && counts.skipped == said.skipped
        && counts.xfailed == said.expected
        && verbose.unexpected == said.unexpected
        && block_counts.failed >= said.failures
        && block_counts.errors == said.errors
        && block_counts.failed <= said.failures.saturating_add(said.unexpected)
        && verbose.unsettled(&blocks) == 0;
    if !agree {
        return Err(disagree(format!("{tests} tests ({})", describe(counts)), &said));
    }
    let mut outcomes = listed.outcomes;
    for (name, outcome) in blocks.outcomes {
        let worst = outcomes.get(&name).map_or(outcome, |old| old.worse(outcome));
        outcomes.insert(name, worst);
    }
    Ok(TestRun::named(outcomes))
}

fn disagree(listed: String, said: &Closing) -> ResultsError {
    let summary = format!("{} tests ran ({})", said.ran, describe(said.counts()));
    ResultsError::Disagree { place: "the unittest output".to_owned(), listed, summary }
}

/// What the last lines say.
#[derive(Debug, Default)]
struct Closing {
    at: usize,
    ran: u64,
    failures: u64,
    errors: u64,
    skipped: u64,
    expected: u64,
    unexpected: u64,
}

impl Closing {
    fn bad(&self) -> u64 {
        self.failures.saturating_add(self.errors).saturating_add(self.unexpected)
    }

    fn counts(&self) -> Counts {
        let others = self.bad().saturating_add(self.skipped).saturating_add(self.expected);
        Counts {
            passed: self.ran.saturating_sub(others),
            failed: self.failures.saturating_add(self.unexpected),
            errors: self.errors,
            skipped: self.skipped,
            xfailed: self.expected,
            xpassed: 0,
        }
    }
}

/// Reads `Ran 10 tests in 0.001s`, an empty line, and `FAILED (failures=4, skipped=1)`.
fn closing(lines: &[String]) -> Result<Closing, ResultsError> {
    let incomplete = |reason: &str| ResultsError::Incomplete { runner: RUNNER, reason: reason.to_owned() };
    let ran = |line: &String| {
        let (count, rest) = line.strip_prefix("Ran ")?.split_once(" test")?;
        rest.contains(" in ").then_some(count)?.parse::<u64>().ok()
    };
    let found = lines.iter().enumerate().rev().find_map(|(at, line)| Some((at, ran(line)?)));
    let (at, ran) = found.ok_or_else(|| incomplete("the line `Ran … tests in …` is missing"))?;
    let status = lines[at + 1..].iter().map(|line| line.trim()).find(|line| !line.is_empty());
    let status = status.ok_or_else(|| incomplete("the line after `Ran … tests` is missing"))?;
    let (word, rest) = status.split_once(" (").map_or((status, None), |(word, rest)| (word, Some(rest)));
    let mut said = Closing { at, ran, ..Closing::default() };
    let line = (at + 1) as u64 + 1;
    let wrong = |reason: String| ResultsError::Line { runner: RUNNER, line, reason };
    if !matches!(word, "OK" | "FAILED" | "NO TESTS RAN") {
        return Err(wrong(format!("`{status}` stands where `OK` or `FAILED` is written")));
    }
    for part in rest.map(|rest| rest.trim_end_matches(')').split(", ")).into_iter().flatten() {
        let parsed = part.split_once('=').and_then(|(key, number)| Some((key, number.parse().ok()?)));
        let (key, number) = parsed.ok_or_else(|| wrong(format!("`{part}` is no count")))?;
        match key {
            "failures" => said.failures = number,
            "errors" => said.errors = number,
            "skipped" => said.skipped = number,
            "expected failures" => said.expected = number,
            "unexpected successes" => said.unexpected = number,
            _ => return Err(wrong(format!("`{key}` is no count that is known here"))),
        }
    }
    let cut_off = rest.is_some_and(|rest| !rest.ends_with(')'));
    if cut_off || (word == "FAILED") != (said.bad() > 0) || (word == "NO TESTS RAN" && ran > 0) {
        return Err(wrong(format!("`{status}` is not whole, or no end of {ran} tests")));
    }
    Ok(said)
}

fn is_rule(line: &str, char: char) -> bool {
    line.len() >= 70 && line.chars().all(|found| found == char)
}

/// What is reported in blocks of its own after the progress: `FAIL: test_a (module.Class.test_a) (i=1)`.
fn blocks(lines: &[String]) -> Listing {
    let mut found = Listing::default();
    for (line, next) in lines.iter().zip(lines.iter().skip(1)) {
        if !is_rule(line, '=') {
            continue;
        }
        let words = [
            ("FAIL: ", TestOutcome::Failed),
            ("ERROR: ", TestOutcome::Error),
            ("UNEXPECTED SUCCESS: ", TestOutcome::Failed),
        ];
        let head = words.into_iter().find_map(|(word, outcome)| Some((next.strip_prefix(word)?, outcome)));
        if let Some((head, outcome)) = head {
            let name = header(head).map_or_else(|| head.to_owned(), |(name, _)| name);
            found.note(&name, outcome);
        }
    }
    found
}

/// Reads `test_a (module.Class.test_a)` (`test_a (module.Class)` before Python 3.11); gives the id and what follows.
fn header(line: &str) -> Option<(String, &str)> {
    let (method, rest) = line.split_once(" (")?;
    let (class, rest) = rest.split_once(')')?;
    let is_word = |char: char| char.is_alphanumeric() || char == '_';
    let class_fits = class.chars().all(|char| is_word(char) || matches!(char, '.' | '<' | '>'));
    if method.is_empty() || !method.chars().all(is_word) || class.is_empty() || !class_fits {
        return None;
    }
    let whole = class.strip_suffix(method).is_some_and(|class| class.ends_with('.'));
    Some((if whole { class.to_owned() } else { format!("{class}.{method}") }, rest))
}

/// Refuses letters that say more than the summary; a summary that says more may have lost them in what tests print.
fn check_dots(progress: &[String], said: &Closing) -> Result<(), ResultsError> {
    let is_dots = |line: &&String| !line.is_empty() && line.chars().all(|char| ".FEsxu".contains(char));
    let dots: String = progress.iter().filter(is_dots).map(String::as_str).collect();
    let count = |char| dots.matches(char).count() as u64;
    let more = count('F') > said.failures
        || count('E') > said.errors
        || count('s') > said.skipped
        || count('x') > said.expected
        || count('u') > said.unexpected
        || (dots.len() as u64) > said.ran.saturating_add(said.bad()).saturating_add(said.skipped);
    if more { Err(disagree(format!("`{dots}`"), said)) } else { Ok(()) }
}

/// The tests that the verbose progress names, in no order, and how each ended as far as it says.
#[derive(Debug, Default)]
struct Verbose {
    tests: BTreeMap<String, Option<TestOutcome>>,
    /// Class and module fixtures, which only appear when they are skipped.
    fixtures: BTreeMap<String, Option<TestOutcome>>,
    unexpected: u64,
    open: Option<String>,
}

impl Verbose {
    fn of(lines: &[String]) -> Self {
        let mut found = Self::default();
        for line in lines {
            found.take(line);
        }
        found
    }

    fn take(&mut self, line: &str) {
        let Some((name, rest)) = header(line) else {
            return self.settle(line);
        };
        self.entries(&name).entry(name.clone()).or_insert(None);
        self.open = Some(name);
        // A failed sub-test leaves its test without a word, and before Python 3.11 without a line of its own.
        match rest.strip_prefix(" ... ").filter(|rest| header(rest).is_some()) {
            Some(next) => self.take(next),
            None => self.settle(rest),
        }
    }

    fn is_empty(&self) -> bool {
        self.tests.is_empty()
    }

    fn entries(&mut self, name: &str) -> &mut BTreeMap<String, Option<TestOutcome>> {
        let method = name.rsplit('.').next().unwrap_or(name);
        if FIXTURES.contains(&method) { &mut self.fixtures } else { &mut self.tests }
    }

    /// Reads the word that ends a test: after ` ... `, or alone on its line when the test printed something.
    fn settle(&mut self, text: &str) {
        let after_dots = text.match_indices(" ... ").find_map(|(at, mark)| word(&text[at + mark.len()..]));
        let Some((outcome, unexpected)) = after_dots.or_else(|| word(text)) else { return };
        if let Some(name) = self.open.take() {
            self.entries(&name).insert(name, Some(outcome));
            self.unexpected += u64::from(unexpected);
        }
    }

    fn listing(&self, blocks: &Listing) -> Listing {
        let mut listing = Listing::default();
        for (name, outcome) in self.tests.iter().chain(&self.fixtures) {
            if let Some(outcome) = outcome.or_else(|| blocks.outcomes.get(name).copied()) {
                listing.note(name, outcome);
            }
        }
        listing
    }

    /// How many tests end nowhere.
    fn unsettled(&self, blocks: &Listing) -> usize {
        let ends = |name: &String, outcome: &Option<TestOutcome>| {
            outcome.is_some_and(|outcome| !outcome.is_bad()) || blocks.outcomes.contains_key(name)
        };
        let unexpected_unnamed = usize::try_from(self.unexpected).unwrap_or(usize::MAX);
        let count = self.tests.iter().filter(|(name, outcome)| !ends(name, outcome)).count();
        count.saturating_sub(unexpected_unnamed)
    }
}

/// The outcome that a word stands for, and whether it is an unexpected success.
fn word(text: &str) -> Option<(TestOutcome, bool)> {
    let quoted = |text: &str| {
        let reason = text.strip_prefix("skipped ")?;
        let quote = reason.chars().next().filter(|char| matches!(char, '\'' | '"'))?;
        (reason.len() > 1 && reason.ends_with(quote)).then_some(())
    };
    match text {
        "ok" => Some((TestOutcome::Passed, false)),
        "FAIL" => Some((TestOutcome::Failed, false)),
        "ERROR" => Some((TestOutcome::Error, false)),
        "expected failure" => Some((TestOutcome::XFailed, false)),
        "unexpected success" => Some((TestOutcome::Failed, true)),
        text => quoted(text).map(|()| (TestOutcome::Skipped, false)),
    }
}
